//! Ears: recordings, and the tones in them found by frequency (Goertzel).
//!
//! Each party of a test speaks a sine of its own. The tones are far from each other, from the
//! call-progress tones (350 to 620 Hz) and from the DTMF rows, and no one is a harmonic of another.

use std::f64::consts::TAU;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::wait;

/// What the appliance's microphone hears, in Hz.
pub const DESK_TONE: f64 = 1030.0;
/// What caller A speaks, in Hz.
pub const A_TONE: f64 = 730.0;
/// What colleague B speaks, in Hz.
pub const B_TONE: f64 = 1370.0;

/// What callee C speaks, in Hz.
pub const C_TONE: f64 = 1730.0;
/// What callers on hold hear, in Hz.
pub const MUSIC_TONE: f64 = 2230.0;
/// What callers answered by a rule hear first, in Hz.
pub const MESSAGE_TONE: f64 = 2710.0;

/// All of the above that may be heard together.
const EVERYBODY: [f64; 5] = [DESK_TONE, A_TONE, B_TONE, C_TONE, MUSIC_TONE];

/// The part of a sound's energy that each of several tones at once must have to count as heard.
const HEARD_AMONG: f64 = 0.08;
/// The part of a sound's energy that a tone must have to count as heard. A sine through G.711
/// keeps above 0.99; a tone beside an equally loud second one has 0.5.
const HEARD: f64 = 0.8;
/// Samples below this level are silence: no share of silence is a tone.
const SILENCE_RMS: f64 = 100.0;

/// A mono recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// Samples a second.
    pub rate: u32,
    /// The first channel.
    pub samples: Vec<i16>,
}

impl Recording {
    /// Reads a WAV file with 16-bit samples, also one that is still being written: a length in the
    /// header that the file does not have (0, or more than there is) means "to the end".
    #[must_use]
    pub fn read(path: &Path) -> Option<Self> {
        Self::parse(&fs::read(path).ok()?)
    }

    /// Reads a mono WAV file whose head of 44 bytes is written when it ends, and may not be there yet.
    #[must_use]
    pub fn read_headless(path: &Path, rate: u32) -> Option<Self> {
        let bytes = fs::read(path).ok()?;
        let samples = bytes.get(44..)?.chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]]));
        Some(Self { rate, samples: samples.collect() })
    }

    /// A part of such a file, without reading the rest: it may be as long as a day.
    #[must_use]
    pub fn read_headless_part(path: &Path, rate: u32, from: Duration, length: Duration) -> Option<Self> {
        let bytes = |time: Duration| 2 * (time.as_secs_f64() * f64::from(rate)) as u64;
        let mut file = File::open(path).ok()?;
        file.seek(SeekFrom::Start(44 + bytes(from))).ok()?;
        let mut part = Vec::new();
        file.take(bytes(length)).read_to_end(&mut part).ok()?;
        let samples = part.chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]]));
        Some(Self { rate, samples: samples.collect() })
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(b"RIFF")?.get(4..)?.strip_prefix(b"WAVE")?;
        let mut format = None;
        loop {
            let name = rest.get(..4)?;
            let length = u32::from_le_bytes(rest.get(4..8)?.try_into().ok()?) as usize;
            let body = &rest[8..];
            if name == b"data" {
                let (channels, rate) = format?;
                let length = if length == 0 { body.len() } else { length.min(body.len()) };
                let frames = body[..length].chunks_exact(2 * channels);
                let samples = frames.map(|frame| i16::from_le_bytes([frame[0], frame[1]])).collect();
                return Some(Self { rate, samples });
            }
            if name == b"fmt " {
                let channels = usize::from(u16::from_le_bytes(body.get(2..4)?.try_into().ok()?));
                let rate = u32::from_le_bytes(body.get(4..8)?.try_into().ok()?);
                let bits = u16::from_le_bytes(body.get(14..16)?.try_into().ok()?);
                if bits != 16 || channels == 0 || rate == 0 {
                    return None;
                }
                format = Some((channels, rate));
            }
            rest = body.get(length + length % 2..)?;
        }
    }

    /// A sine at half of full level.
    #[must_use]
    pub fn sine(hz: f64, rate: u32, seconds: u32) -> Self {
        let sample = |n: u32| (16_000.0 * (TAU * hz * f64::from(n) / f64::from(rate)).sin()) as i16;
        Self { rate, samples: (0..rate * seconds).map(sample).collect() }
    }

    /// Writes a mono WAV file.
    ///
    /// # Panics
    /// When the file cannot be written.
    #[track_caller]
    pub fn write(&self, path: &Path) {
        let data: Vec<u8> = self.samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let length = u32::try_from(data.len()).expect("test recordings are short");
        let mut file = Vec::with_capacity(data.len() + 44);
        file.extend(b"RIFF");
        file.extend((length + 36).to_le_bytes());
        file.extend(b"WAVEfmt ");
        file.extend(16_u32.to_le_bytes());
        file.extend(1_u16.to_le_bytes());
        file.extend(1_u16.to_le_bytes());
        file.extend(self.rate.to_le_bytes());
        file.extend((self.rate * 2).to_le_bytes());
        file.extend(2_u16.to_le_bytes());
        file.extend(16_u16.to_le_bytes());
        file.extend(b"data");
        file.extend(length.to_le_bytes());
        file.extend(data);
        fs::write(path, file).expect("the scratch folder is writable");
    }

    /// Length in seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.rate)
    }

    /// The part from `from` on, for at most `length`.
    #[must_use]
    pub fn part(&self, from: Duration, length: Duration) -> Self {
        let at =
            |time: Duration| ((time.as_secs_f64() * f64::from(self.rate)) as usize).min(self.samples.len());
        Self { rate: self.rate, samples: self.samples[at(from)..at(from + length)].to_vec() }
    }

    /// The last `length`.
    #[must_use]
    pub fn tail(&self, length: Duration) -> Self {
        self.part(Duration::from_secs_f64(self.seconds()).saturating_sub(length), length)
    }

    /// Whether the tone of `hz` is what this sounds like.
    #[must_use]
    pub fn is_tone(&self, hz: f64) -> bool {
        self.share(hz) >= HEARD
    }

    /// Whether the tone of `hz` is among what this sounds like.
    #[must_use]
    pub fn has_tone(&self, hz: f64) -> bool {
        self.share(hz) >= HEARD_AMONG
    }

    /// Whether next to nothing is heard.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.level() < SILENCE_RMS
    }

    /// The level: root of the mean square of the samples; 0 when there are none.
    #[must_use]
    pub fn level(&self) -> f64 {
        let energy: f64 = self.samples.iter().map(|&sample| f64::from(sample).powi(2)).sum();
        (energy / (self.samples.len() as f64).max(1.0)).sqrt()
    }

    /// The share of the energy at `hz`, 0 to 1; 0 for silence.
    #[must_use]
    pub fn share(&self, hz: f64) -> f64 {
        if self.is_silent() {
            return 0.0;
        }
        let energy = self.level().powi(2) * self.samples.len() as f64;
        (2.0 * self.power(hz) / (self.samples.len() as f64 * energy)).min(1.0)
    }

    /// The level of the tone of `hz` alone, whatever else is heard: its root of the mean square.
    fn tone_level(&self, hz: f64) -> f64 {
        (2.0 * self.power(hz)).sqrt() / (self.samples.len() as f64).max(1.0)
    }

    /// Goertzel's power at `hz`.
    fn power(&self, hz: f64) -> f64 {
        let turn = TAU * hz / f64::from(self.rate);
        let (mut last, mut before) = (0.0, 0.0);
        for &sample in &self.samples {
            (last, before) = (f64::from(sample) + 2.0 * turn.cos() * last - before, last);
        }
        last * last + before * before - 2.0 * turn.cos() * last * before
    }

    /// The starts of all blocks of `block` in which the tone has less than half of its usual level. What is
    /// heard over it does not count: a waiting call may pip in the ear of who talks.
    #[must_use]
    pub fn gaps(&self, hz: f64, block: Duration) -> Vec<Duration> {
        let size = ((block.as_secs_f64() * f64::from(self.rate)) as usize).max(1);
        let level = |samples: &[i16]| Self { rate: self.rate, samples: samples.to_vec() }.tone_level(hz);
        let levels: Vec<f64> = self.samples.chunks_exact(size).map(level).collect();
        let mut sorted = levels.clone();
        sorted.sort_by(f64::total_cmp);
        let usual = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
        let weak = (0_u32..).zip(&levels).filter(|(_, level)| **level < (usual / 2.0).max(SILENCE_RMS));
        weak.map(|(index, _)| block * index).collect()
    }
}

/// Waits until half a second that is heard from now on is the tone of `hz`. `file` names the recording
/// that grows now, once there is one.
///
/// # Panics
/// After `limit`; the message says what was heard instead.
#[track_caller]
pub fn wait_tone(who: &str, hz: f64, limit: Duration, file: impl Fn() -> Option<PathBuf>) {
    wait_tone_by(who, hz, limit, || read(&file));
}

/// Likewise; `read` reads the recording that grows now, and says which it is.
///
/// # Panics
/// After `limit`; the message says what was heard instead.
#[track_caller]
pub fn wait_tone_by(who: &str, hz: f64, limit: Duration, read: impl Fn() -> Option<(PathBuf, Recording)>) {
    wait_part(&format!("{who} to hear {hz} Hz"), limit, read, |part| part.is_tone(hz));
}

/// Waits until half a second that is heard from now on has exactly the tones `present` of those that
/// anybody speaks, see [`wait_tone`].
///
/// # Panics
/// After `limit`; the message says what was heard instead.
#[track_caller]
pub fn wait_mix(who: &str, present: &[f64], limit: Duration, file: impl Fn() -> Option<PathBuf>) {
    wait_part(&format!("{who} to hear {present:?} Hz"), limit, || read(&file), |part| is_mix(part, present));
}

/// Whether exactly the tones `present`, of those that anybody speaks, are heard.
pub(crate) fn is_mix(part: &Recording, present: &[f64]) -> bool {
    EVERYBODY.iter().all(|tone| part.has_tone(*tone) == present.contains(tone))
}

/// What is heard, for a message.
pub(crate) fn description(part: &Recording) -> String {
    let shares = EVERYBODY.map(|tone| format!("{tone} Hz {:.2}", part.share(tone)));
    format!("{} at level {:.0}", shares.join(", "), part.level())
}

/// Waits until half a second that is heard from now on is silence, see [`wait_tone`].
///
/// # Panics
/// After `limit`; the message says what was heard instead.
#[track_caller]
pub fn wait_silence(who: &str, limit: Duration, file: impl Fn() -> Option<PathBuf>) {
    wait_part(&format!("{who} to hear nothing"), limit, || read(&file), Recording::is_silent);
}

/// Waits until half a second passes in which the tone of `hz` is not heard, or nothing is recorded any more.
///
/// # Panics
/// When it is still heard after `limit`.
#[track_caller]
pub fn wait_tone_gone(who: &str, hz: f64, limit: Duration, read: impl Fn() -> Option<(PathBuf, Recording)>) {
    let half = Duration::from_millis(500);
    let gone = wait::within(limit, || {
        let before = read().map_or(0.0, |(_, recording)| recording.seconds());
        wait::within(half, || None::<()>);
        let after = read().map(|(_, recording)| recording).filter(|now| now.seconds() > before);
        let new = after.map(|now| now.tail(Duration::from_secs_f64(now.seconds() - before)));
        new.is_none_or(|new| !new.has_tone(hz)).then_some(())
    });
    assert!(gone.is_some(), "{who} still hears {hz} Hz after {limit:?}");
}

fn read(file: &impl Fn() -> Option<PathBuf>) -> Option<(PathBuf, Recording)> {
    file().and_then(|path| Recording::read(&path).map(|recording| (path, recording)))
}

/// Waits until half a second that is heard from now on pleases `wanted`.
#[track_caller]
fn wait_part(
    what: &str,
    limit: Duration,
    read: impl Fn() -> Option<(PathBuf, Recording)>,
    wanted: impl Fn(&Recording) -> bool,
) {
    let half = Duration::from_millis(500);
    let mut before = read().map(|(path, recording)| (path, recording.seconds()));
    // What a recording had before does not count; one that has begun since, or anew, counts from its start.
    let mut new = || {
        let (path, recording) = read()?;
        before = before.take().filter(|(old, seconds)| *old == path && *seconds <= recording.seconds());
        let old = before.as_ref().map_or(0.0, |(_, seconds)| *seconds);
        let enough = recording.seconds() - old >= half.as_secs_f64();
        enough.then(|| recording.tail(half))
    };
    if wait::within(limit, || new().filter(&wanted).map(drop)).is_none() {
        let instead = new().map_or("nothing new".to_owned(), |part| description(&part));
        panic!(
            "waited {limit:?} in vain for {what}; there is {instead}, in {:?}",
            read().map(|(path, _)| path)
        );
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn each_tone_is_heard_as_itself_only() {
        let tones = [DESK_TONE, A_TONE, B_TONE, 440.0];
        for heard in tones {
            for rate in [8_000, 48_000] {
                let sine = Recording::sine(heard, rate, 1);
                for asked in tones {
                    assert_eq!(sine.is_tone(asked), heard == asked, "{heard} Hz taken for {asked} Hz");
                }
            }
        }
    }

    #[test]
    fn silence_and_two_tones_at_once_are_no_tone() {
        let mut both = Recording::sine(A_TONE, 8_000, 1);
        assert!(!Recording { rate: 8_000, samples: vec![0; 8_000] }.is_tone(A_TONE));
        let other = Recording::sine(B_TONE, 8_000, 1);
        both.samples.iter_mut().zip(&other.samples).for_each(|(a, b)| *a = *a / 2 + *b / 2);
        assert!(!both.is_tone(A_TONE));
    }

    #[test]
    fn a_gap_of_one_packet_is_found_where_it_is() {
        let mut sine = Recording::sine(A_TONE, 8_000, 1);
        let block = Duration::from_millis(20);
        assert!(sine.gaps(A_TONE, block).is_empty());
        sine.samples[1_600..1_760].fill(0);
        assert_eq!(sine.gaps(A_TONE, block), [Duration::from_millis(200)]);
        assert_eq!(Recording { rate: 8_000, samples: vec![0; 800] }.gaps(A_TONE, block).len(), 5);
    }

    #[test]
    fn a_pip_over_the_tone_is_no_gap_and_another_tone_in_its_place_is() {
        let mut sine = Recording::sine(A_TONE, 8_000, 1);
        let pip = Recording::sine(425.0, 8_000, 1);
        let block = Duration::from_millis(20);
        for n in 1_600..3_200 {
            sine.samples[n] = (sine.samples[n] / 4 + pip.samples[n] / 4) * 3;
        }
        assert!(sine.gaps(A_TONE, block).is_empty());
        sine.samples[4_000..4_160].copy_from_slice(&Recording::sine(B_TONE, 8_000, 1).samples[..160]);
        assert_eq!(sine.gaps(A_TONE, block), [Duration::from_millis(500)]);
    }

    #[test]
    fn a_file_is_read_back_even_when_its_header_is_not_finished() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tone.wav");
        let sine = Recording::sine(B_TONE, 8_000, 1);
        sine.write(&path);
        assert_eq!(Recording::read(&path).unwrap(), sine);
        let mut bytes = fs::read(&path).unwrap();
        bytes[40..44].fill(0);
        bytes.truncate(44 + 200);
        assert_eq!(Recording::parse(&bytes).unwrap().samples, sine.samples[..100]);
        assert_eq!(Recording::parse(&bytes[..30]), None);
    }
}
