//! A file that is played to, heard again: how a desk with files for devices hears its own loudspeaker.
//!
//! For tests of echo cancelling with the whole appliance: `echo:DELAY_MS,LOSS_DB,PLAYED,NEAR` is a microphone that hears
//! NEAR, a WAV file, and so many milliseconds later, so many dB quieter and with two reflections what is written to
//! PLAYED, the file of the speaker `wav:PLAYED`.
//! Reading allocates nothing: it happens in the audio thread.

use std::fs::File;
use std::os::unix::fs::FileExt;

use crate::frame::{FRAME, Frame, RATE};
use crate::wav::{HEADER, WavIn};

/// The ways from the loudspeaker to the microphone: how much later than the shortest, and the share of each.
const WAYS: [(u64, f32); 3] = [(0, 0.83), (10, 0.47), (30, -0.3)];
/// Delays and losses that can be asked for.
const MAX_DELAY_MS: u32 = 1000;
const MAX_LOSS_DB: f32 = 100.0;

/// What comes back of what is played.
pub(crate) struct Echo {
    played: File,
    /// Samples before the one that is heard next, had it no delay.
    position: Option<u64>,
    delay: u64,
    share: f32,
}

/// Opens a microphone by what follows `echo:`.
///
/// # Errors
/// What is wrong with the words or the files.
pub(crate) fn open(words: &str) -> Result<WavIn, String> {
    let form = || format!("{words:?} is not DELAY_MS,LOSS_DB,PLAYED,NEAR");
    let mut parts = words.splitn(4, ',');
    let mut part = || parts.next().ok_or_else(form);
    let (delay, loss, played, near) = (part()?, part()?, part()?, part()?);
    let delay: u32 = delay.parse().map_err(|_| form())?;
    let loss: f32 = loss.parse().map_err(|_| form())?;
    if delay > MAX_DELAY_MS || !(0.0..=MAX_LOSS_DB).contains(&loss) {
        return Err(form());
    }
    let near = WavIn::open(near, false).map_err(|e| e.to_string())?;
    let played = File::open(played).map_err(|e| format!("{played}: {e}"))?;
    let delay = u64::from(delay * (RATE / 1000));
    Ok(near.with_echo(Echo { played, position: None, delay, share: 10_f32.powf(-loss / 20.0) }))
}

impl Echo {
    /// Adds what is heard in the next 10 ms.
    pub(crate) fn add(&mut self, frame: &mut Frame) {
        let position = match self.position {
            Some(position) => position,
            // What had been played before nobody heard.
            None => self.played.metadata().map_or(0, |file| file.len().saturating_sub(HEADER) / 2),
        };
        self.position = Some(position + FRAME as u64);
        let mut sum = frame.map(f32::from);
        for (later_ms, share) in WAYS {
            let delay = self.delay + later_ms * u64::from(RATE / 1000);
            let Some(from) = position.checked_sub(delay) else { continue };
            let mut bytes = [0_u8; 2 * FRAME];
            // What is not written yet is not heard.
            let read = self.played.read_at(&mut bytes, HEADER + 2 * from).unwrap_or(0);
            for (sum, two) in sum.iter_mut().zip(bytes[..read & !1].chunks_exact(2)) {
                *sum += f32::from(i16::from_le_bytes([two[0], two[1]])) * share * self.share;
            }
        }
        // `as` saturates.
        *frame = sum.map(|sample| sample as i16);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wav::WavOut;

    #[test]
    fn what_is_played_comes_back_later_and_quieter_beside_what_is_said() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = |name: &str| dir.path().join(name).to_str().expect("a plain path").to_owned();
        let mut near = WavOut::open(&path("near.wav"), false).expect("opens");
        (0..40).for_each(|_| near.write(&[100; FRAME]).expect("writes"));
        drop(near);
        let mut played = WavOut::open(&path("played.wav"), false).expect("opens");
        let words = format!("20,20,{},{}", path("played.wav"), path("near.wav"));
        let mut microphone = open(&words).expect("opens");
        let heard: Vec<Frame> = (0..12)
            .map(|n| {
                played.write(&[if n == 0 { 10_000 } else { 0 }; FRAME]).expect("writes");
                microphone.read()
            })
            .collect();
        // The first frame read fixes what "now" is: a frame has been written before it.
        let levels = heard.iter().map(|frame| frame[FRAME / 2] - 100);
        assert_eq!(
            levels.collect::<Vec<_>>(),
            [0, 830, 470, 0, -300, 0, 0, 0, 0, 0, 0, 0].map(|level: i16| level)
        );
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for words in ["", "20", "20,6,/a", "x,6,/a,/b", "20,-1,/a,/b", "2000,6,/a,/b", "20,6,/none/a,/none/b"]
        {
            assert!(open(words).is_err(), "{words:?}");
        }
    }
}
