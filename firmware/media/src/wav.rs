//! WAV files as sound devices, for tests, recordings and machines without a card.
//!
//! They have no clock of their own: one frame is moved for each tick. Writing keeps the header right every half
//! second, so that a file can be read while it grows or after a crash.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;

use crate::echo_file::Echo;
use crate::frame::{FRAME, Frame, RATE};
use crate::resample;

/// Bytes before the samples.
pub(crate) const HEADER: u64 = 44;
/// Frames between two updates of the header.
const UPDATE_EVERY: u32 = 50;
/// Samples a file to be played may have in each channel: five minutes at 48 kHz.
const MAX_SAMPLES: usize = 300 * RATE as usize;
/// Sample rates that can be converted, in Hz.
const RATES: std::ops::RangeInclusive<u32> = 4_000..=192_000;
/// Channels that are mixed to one.
const CHANNELS: std::ops::RangeInclusive<u16> = 1..=8;

/// Why a file cannot be played.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WavError {
    /// It cannot be read, or is no WAV file.
    #[error("{0}")]
    Read(#[from] hound::Error),
    /// It is longer than is kept in memory.
    #[error("the file has more than five minutes")]
    TooLong,
    /// Nothing a conversion is made for.
    #[error("{rate} Hz and {channels} channels are not supported")]
    Format {
        /// In Hz.
        rate: u32,
        /// How many.
        channels: u16,
    },
}

/// A file that is written.
pub(crate) struct WavOut {
    file: File,
    /// Bytes of samples so far.
    length: u64,
    frames: u32,
}

impl WavOut {
    /// Creates the file, or goes on at its end when `append` and it is one of ours.
    pub(crate) fn open(path: &str, append: bool) -> io::Result<WavOut> {
        let file = OpenOptions::new().write(true).create(true).truncate(!append).open(path)?;
        let length = file.metadata()?.len().saturating_sub(HEADER) & !1;
        let out = WavOut { file, length, frames: 0 };
        out.write_header()?;
        Ok(out)
    }

    /// Appends a frame. Allocates nothing.
    pub(crate) fn write(&mut self, frame: &Frame) -> io::Result<()> {
        let mut bytes = [0_u8; 2 * FRAME];
        for (two, sample) in bytes.chunks_exact_mut(2).zip(frame) {
            two.copy_from_slice(&sample.to_le_bytes());
        }
        if self.length + bytes.len() as u64 > u64::from(u32::MAX) - HEADER {
            return Err(io::Error::from_raw_os_error(libc::EFBIG));
        }
        self.file.write_all_at(&bytes, HEADER + self.length)?;
        self.length += bytes.len() as u64;
        self.frames += 1;
        if self.frames.is_multiple_of(UPDATE_EVERY) {
            self.write_header()?;
        }
        Ok(())
    }

    /// The RIFF header: one chunk of 16 bit mono at 48 kHz.
    fn write_header(&self) -> io::Result<()> {
        // `write` keeps the length below 4 GiB.
        let data = self.length as u32;
        let mut header = [0_u8; HEADER as usize];
        header[..4].copy_from_slice(b"RIFF");
        header[4..8].copy_from_slice(&(data + HEADER as u32 - 8).to_le_bytes());
        header[8..16].copy_from_slice(b"WAVEfmt ");
        header[16..20].copy_from_slice(&16_u32.to_le_bytes());
        header[20..22].copy_from_slice(&1_u16.to_le_bytes());
        header[22..24].copy_from_slice(&1_u16.to_le_bytes());
        header[24..28].copy_from_slice(&RATE.to_le_bytes());
        header[28..32].copy_from_slice(&(2 * RATE).to_le_bytes());
        header[32..34].copy_from_slice(&2_u16.to_le_bytes());
        header[34..36].copy_from_slice(&16_u16.to_le_bytes());
        header[36..40].copy_from_slice(b"data");
        header[40..44].copy_from_slice(&data.to_le_bytes());
        self.file.write_all_at(&header, 0)
    }
}

impl Drop for WavOut {
    fn drop(&mut self) {
        // A header half a second old is still a good one, and there is nobody to tell.
        let _ = self.write_header();
    }
}

/// A file that is played as if it were a microphone.
pub(crate) struct WavIn {
    samples: Vec<i16>,
    position: usize,
    repeats: bool,
    /// What is heard of the loudspeaker besides.
    echo: Option<Echo>,
}

impl WavIn {
    /// Reads the whole file, up to five minutes, and mixes its channels to one.
    pub(crate) fn open(path: &str, repeats: bool) -> Result<WavIn, WavError> {
        let mut reader = hound::WavReader::open(path)?;
        let spec = reader.spec();
        let (rate, channels) = (spec.sample_rate, spec.channels);
        if !RATES.contains(&rate) || !CHANNELS.contains(&channels) {
            return Err(WavError::Format { rate, channels });
        }
        if reader.duration() as usize > MAX_SAMPLES {
            return Err(WavError::TooLong);
        }
        let all: Vec<i32> = match spec.sample_format {
            hound::SampleFormat::Int => {
                // To 16 bit, whatever it was.
                let bits = i32::from(spec.bits_per_sample);
                let scale = |s: i32| if bits > 16 { s >> (bits - 16) } else { s << (16 - bits) };
                reader.samples::<i32>().map(|s| s.map(scale)).collect::<Result<_, _>>()?
            }
            hound::SampleFormat::Float => {
                reader.samples::<f32>().map(|s| s.map(|s| (s * 32_767.0) as i32)).collect::<Result<_, _>>()?
            }
        };
        let channels = usize::from(spec.channels);
        let mono: Vec<i16> = all
            .chunks_exact(channels)
            .map(|c| (c.iter().map(|s| i64::from(*s)).sum::<i64>() / channels as i64) as i16)
            .collect();
        Ok(WavIn {
            samples: resample::convert(&mono, spec.sample_rate, RATE),
            position: 0,
            repeats,
            echo: None,
        })
    }

    /// The same in a room with a loudspeaker.
    pub(crate) fn with_echo(self, echo: Echo) -> WavIn {
        WavIn { echo: Some(echo), ..self }
    }

    /// The next frame; silence after the end. Allocates nothing.
    pub(crate) fn read(&mut self) -> Frame {
        let mut frame = [0; FRAME];
        for slot in &mut frame {
            if self.position >= self.samples.len() && self.repeats {
                self.position = 0;
            }
            let Some(sample) = self.samples.get(self.position) else { break };
            *slot = *sample;
            self.position += 1;
        }
        if let Some(echo) = &mut self.echo {
            echo.add(&mut frame);
        }
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(dir: &tempfile::TempDir, name: &str) -> String {
        dir.path().join(name).to_str().expect("a plain path").to_owned()
    }

    #[test]
    fn what_is_written_can_be_read_while_it_grows_and_goes_on_when_reopened() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = path(&dir, "a.wav");
        let mut out = WavOut::open(&path, false).expect("opens");
        for n in 0..100 {
            out.write(&[n; FRAME]).expect("writes");
        }
        assert_eq!(hound::WavReader::open(&path).expect("a header").len(), 48_000);
        drop(out);
        let mut out = WavOut::open(&path, true).expect("opens");
        out.write(&[7; FRAME]).expect("writes");
        drop(out);
        let samples: Vec<i16> = hound::WavReader::open(&path)
            .expect("a header")
            .into_samples()
            .collect::<Result<_, _>>()
            .expect("samples");
        assert_eq!(samples.len(), 48_480);
        assert_eq!((samples[0], samples[47_999], samples[48_479]), (0, 99, 7));
    }

    #[test]
    fn a_file_ends_in_silence_or_begins_again() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = path(&dir, "b.wav");
        let mut out = WavOut::open(&path, false).expect("opens");
        out.write(&[5; FRAME]).expect("writes");
        drop(out);
        let mut once = WavIn::open(&path, false).expect("opens");
        let mut again = WavIn::open(&path, true).expect("opens");
        assert_eq!((once.read(), again.read()), ([5; FRAME], [5; FRAME]));
        assert_eq!((once.read(), again.read()), ([0; FRAME], [5; FRAME]));
    }

    #[test]
    fn what_is_no_recording_is_an_error() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = path(&dir, "c.wav");
        std::fs::write(&path, b"RIFF....WAVEfmt rubbish").expect("writes");
        assert!(WavIn::open(&path, false).is_err());
        assert!(WavIn::open("/nonexistent.wav", false).is_err());
        assert!(WavOut::open("/nonexistent/x.wav", false).is_err());
    }
}
