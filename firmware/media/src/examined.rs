//! How long and how loud a file with music or a message is, for who takes it before it is played to anybody.
//!
//! It is read as it will be when it is played ([`crate::recording`]): what is taken here can be played.

use std::path::Path;

use crate::api::SoundError;
use crate::frame::RATE;
use crate::recording;

/// What is said of nothing at all, in dBFS.
const SILENT_DBFS: i8 = -96;

/// A file that can be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Examined {
    /// Its length in milliseconds, in whole packets of 20 ms.
    pub length_ms: u32,
    /// Its loudest sample in dBFS: 0 the loudest there is, -96 for silence.
    pub peak_dbfs: i8,
    /// How loud it is on the whole (RMS), in dBFS: -3 for a sine as loud as can be, -96 for silence.
    pub mean_dbfs: i8,
}

/// Reads a file with music or a message, as [`crate::Hold::Music`] names it. Takes up to a few seconds: nothing for a thread that
/// others wait for.
///
/// # Errors
/// Why it cannot be played.
pub fn examine(path: &Path) -> Result<Examined, SoundError> {
    let samples = recording::samples(recording::file(path)?)?;
    let length_ms = (samples.len() as u64 * 1000 / u64::from(RATE)) as u32;
    let peak = samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0);
    // Never empty: a file without a packet is refused.
    let power = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / samples.len() as f64;
    Ok(Examined { length_ms, peak_dbfs: dbfs(f64::from(peak)), mean_dbfs: dbfs(power.sqrt()) })
}

fn dbfs(level: f64) -> i8 {
    let db = 20.0 * (level / 32_768.0).log10();
    // `as` saturates, also the minus infinity of silence.
    (db.round() as i8).clamp(SILENT_DBFS, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::FRAME;
    use crate::wav::WavOut;

    fn of(samples: [i16; 2]) -> Examined {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a.wav");
        let mut out = WavOut::open(path.to_str().expect("a plain path"), false).expect("opens");
        let frame = std::array::from_fn::<i16, FRAME, _>(|n| samples[n % 2]);
        (0..10).for_each(|_| out.write(&frame).expect("writes"));
        drop(out);
        examine(&path).expect("can be played")
    }

    #[test]
    fn a_file_tells_its_length_and_how_loud_it_is() {
        let loudest = of([i16::MIN, i16::MAX]);
        assert_eq!(loudest, Examined { length_ms: 100, peak_dbfs: 0, mean_dbfs: 0 });
        // Half of it is 6 dB less; one sample of two, 3 dB less of power.
        assert_eq!(of([16_384, 0]), Examined { length_ms: 100, peak_dbfs: -6, mean_dbfs: -9 });
        assert_eq!(of([0, 0]), Examined { length_ms: 100, peak_dbfs: -96, mean_dbfs: -96 });
    }

    #[test]
    fn what_cannot_be_played_is_not_taken() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("b.wav");
        assert!(matches!(examine(&path), Err(SoundError::Unreadable { .. })));
        for bytes in [&b""[..], b"RIFF....WAVEfmt rubbish", b"OggS and no more", b"<html>"] {
            std::fs::write(&path, bytes).expect("writes");
            let error = examine(&path).expect_err("refused");
            assert!(matches!(error, SoundError::NotWav { .. } | SoundError::NotOpus { .. }), "{error}");
        }
    }
}
