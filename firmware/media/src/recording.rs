//! Music and messages for callers: a WAV or Opus file read once, brought to 48 kHz and encoded for every codec, so that
//! playing it to fifty held callers costs next to nothing.
//!
//! The file comes from outside and may be anything at all: every length in it is checked against what is there
//! and what is allowed before it is believed. Reading and encoding take seconds, and belong in a thread of their
//! own ([`crate::loader`]).

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use crate::api::{Codec, SoundError};
use crate::codec::Encoder;
use crate::frame::RATE;
use crate::ogg;
use crate::resample;

/// Longest recording: ten minutes.
pub(crate) const MAX_SECONDS: u32 = 600;
/// Sample rates in Hz.
const RATES: std::ops::RangeInclusive<u32> = 8_000..=48_000;
/// Largest file: ten minutes of stereo at 48 kHz are 115 MB; the rest is for pictures and the like.
const MAX_BYTES: u64 = 128 << 20;
/// Chunks looked through for the samples.
const MAX_CHUNKS: u32 = 64;
/// Bytes of a `fmt ` chunk that mean anything to us, and the most that it may have.
const FORMAT: usize = 16;
const MAX_FORMAT: u32 = 64;
/// `wFormatTag` of plain samples, and of the extended header that holds the tag in its sub-format instead.
const PCM: u16 = 1;
const EXTENSIBLE: u16 = 0xFFFE;
/// Where the sub-format begins in an extended `fmt ` chunk.
const SUBFORMAT: usize = 24;
/// All recordings are whole packets of 20 ms: the milliseconds, and the samples at 48 kHz.
const PACKET_MS: u32 = 20;
const PACKET: usize = (PACKET_MS * RATE / 1000) as usize;
/// Packets encoded ahead of the first, so that the codec passes from the end to the beginning as if it went on.
const LEAD: usize = 5;
/// Bytes of G.711 and of G.722 in a millisecond.
const LAW_PER_MS: u32 = 8;

/// A recording, encoded.
#[derive(Debug)]
pub(crate) struct Recording {
    /// A multiple of [`PACKET_MS`], above 0.
    length_ms: u32,
    pcmu: Vec<u8>,
    pcma: Vec<u8>,
    g722: Vec<u8>,
    opus: Vec<u8>,
    /// Where each Opus packet of [`PACKET_MS`] ends in `opus`.
    ends: Vec<usize>,
}

impl Recording {
    /// Reads and encodes a file: Opus, or 16 bit PCM, mono or stereo, 8 to 48 kHz; 20 ms to ten minutes.
    pub(crate) fn open(path: &Path) -> Result<Recording, SoundError> {
        Recording::encode(&samples(file(path)?)?)
    }

    /// Encodes whole packets of samples at 48 kHz.
    fn encode(samples: &[i16]) -> Result<Recording, SoundError> {
        let length_ms = (samples.len() / PACKET) as u32 * PACKET_MS;
        let (mut opus, mut ends) = (Vec::new(), Vec::new());
        encode_each(Codec::Opus, samples, |packet| {
            opus.extend_from_slice(packet);
            ends.push(opus.len());
        })?;
        let law = |codec| {
            let mut bytes = Vec::with_capacity((length_ms * LAW_PER_MS) as usize);
            encode_each(codec, samples, |packet| bytes.extend_from_slice(packet)).map(|()| bytes)
        };
        let (pcmu, pcma, g722) = (law(Codec::Pcmu)?, law(Codec::Pcma)?, law(Codec::G722)?);
        Ok(Recording { length_ms, pcmu, pcma, g722, opus, ends })
    }

    /// Its length in milliseconds.
    pub(crate) fn length_ms(&self) -> u32 {
        self.length_ms
    }

    /// Puts what is played from `at_ms` on into `payload`: `ptime_ms` of it, less at the end; Opus always has
    /// 20 ms. Returns how many milliseconds these are, `None` from the end on.
    pub(crate) fn packet(
        &self,
        codec: Codec,
        at_ms: u32,
        ptime_ms: u32,
        payload: &mut Vec<u8>,
    ) -> Option<u32> {
        let rest = self.length_ms.checked_sub(at_ms).filter(|rest| *rest > 0)?;
        let (bytes, ms) = match codec {
            Codec::Opus => {
                let index = (at_ms / PACKET_MS) as usize;
                let from = index.checked_sub(1).map_or(0, |before| self.ends[before]);
                (&self.opus[from..*self.ends.get(index)?], PACKET_MS)
            }
            Codec::Pcmu | Codec::Pcma | Codec::G722 => {
                let law = match codec {
                    Codec::Pcmu => &self.pcmu,
                    Codec::Pcma => &self.pcma,
                    _ => &self.g722,
                };
                let ms = ptime_ms.min(rest);
                let from = (at_ms * LAW_PER_MS) as usize;
                (law.get(from..from + (ms * LAW_PER_MS) as usize)?, ms)
            }
        };
        payload.clear();
        payload.extend_from_slice(bytes);
        Some(ms)
    }
}

/// Opens a file that may be of any length and kind.
pub(crate) fn file(path: &Path) -> Result<BufReader<File>, SoundError> {
    let unreadable = |e: io::Error| SoundError::Unreadable { reason: e.to_string() };
    let meta = std::fs::metadata(path).map_err(unreadable)?;
    if !meta.is_file() {
        // Opening a pipe would wait for ever, and a device may never end.
        return Err(SoundError::Unreadable { reason: "not a file".into() });
    }
    if meta.len() > MAX_BYTES {
        return Err(SoundError::TooLong { limit_s: MAX_SECONDS });
    }
    Ok(BufReader::new(File::open(path).map_err(unreadable)?))
}

/// Hands out each packet of 20 ms.
fn encode_each(codec: Codec, samples: &[i16], mut each: impl FnMut(&[u8])) -> Result<(), SoundError> {
    let failed = |e: opus::Error| SoundError::Codec { reason: e.to_string() };
    let mut encoder = Encoder::for_recordings(codec).map_err(failed)?;
    let mut payload = Vec::new();
    let lead = samples.len() - samples.len().min(LEAD * PACKET);
    for packet in samples[lead..].chunks_exact(PACKET) {
        encoder.encode(packet, &mut payload).map_err(failed)?;
    }
    for packet in samples.chunks_exact(PACKET) {
        encoder.encode(packet, &mut payload).map_err(failed)?;
        each(&payload);
    }
    Ok(())
}

/// What is in a file, mono at 48 kHz, in whole packets.
pub(crate) fn samples(mut file: impl BufRead) -> Result<Vec<i16>, SoundError> {
    let begin = file.fill_buf().map_err(|e| SoundError::Unreadable { reason: e.to_string() })?;
    if begin.starts_with(ogg::BEGIN) {
        return seamless(ogg::read(file)?);
    }
    let (samples, rate) = read_wav(file)?;
    seamless(resample::convert(&samples, rate, RATE))
}

/// Cuts to whole packets. What is left over fades into the beginning, so that it follows the end without a step.
fn seamless(mut samples: Vec<i16>) -> Result<Vec<i16>, SoundError> {
    let whole = samples.len() / PACKET * PACKET;
    if whole == 0 {
        return Err(SoundError::Empty);
    }
    let rest = samples.split_off(whole);
    let length = rest.len() as i32;
    for (n, (head, left)) in samples.iter_mut().zip(rest).enumerate() {
        let n = n as i32;
        *head = ((i32::from(*head) * n + i32::from(left) * (length - n)) / length) as i16;
    }
    Ok(samples)
}

/// Reads a RIFF/WAVE file of 16 bit PCM as mono; returns the samples and their rate in Hz.
fn read_wav(mut file: impl Read) -> Result<(Vec<i16>, u32), SoundError> {
    let mut riff = [0; 12];
    fill(&mut file, &mut riff)?;
    if &riff[..4] != b"RIFF" || &riff[8..] != b"WAVE" {
        return Err(SoundError::NotWav { reason: "it does not begin as one" });
    }
    let mut format = None;
    for _ in 0..MAX_CHUNKS {
        let mut head = [0; 8];
        fill(&mut file, &mut head)?;
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        match &head[..4] {
            b"fmt " => format = Some(read_format(&mut file, length)?),
            b"data" => {
                let format = format.ok_or(SoundError::NotWav { reason: "samples before their format" })?;
                return read_samples(file, length, format);
            }
            _ => skip(&mut file, u64::from(length) + u64::from(length % 2))?,
        }
    }
    Err(SoundError::NotWav { reason: "too many chunks" })
}

/// What a `fmt ` chunk says, checked.
#[derive(Clone, Copy)]
struct Format {
    channels: u16,
    rate: u32,
}

fn read_format(file: &mut impl Read, length: u32) -> Result<Format, SoundError> {
    if !(FORMAT as u32..=MAX_FORMAT).contains(&length) {
        return Err(SoundError::NotWav { reason: "a format of a strange length" });
    }
    let mut bytes = [0; MAX_FORMAT as usize];
    let padded = length as usize + length as usize % 2;
    fill(file, &mut bytes[..padded])?;
    let word = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let tag = match word(0) {
        EXTENSIBLE if length as usize >= SUBFORMAT + FORMAT => word(SUBFORMAT),
        tag => tag,
    };
    let (channels, bits) = (word(2), word(14));
    let rate = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
    if tag != PCM || bits != 16 || !(1..=2).contains(&channels) || !RATES.contains(&rate) {
        return Err(SoundError::Format { tag, bits, channels, rate });
    }
    if word(12) != channels * 2 {
        return Err(SoundError::NotWav { reason: "samples of a wrong size" });
    }
    Ok(Format { channels, rate })
}

fn read_samples(file: impl Read, length: u32, format: Format) -> Result<(Vec<i16>, u32), SoundError> {
    let block = u32::from(format.channels) * 2;
    let count = length / block;
    if count > MAX_SECONDS * format.rate {
        return Err(SoundError::TooLong { limit_s: MAX_SECONDS });
    }
    // Grows with what is there, not with what the header says.
    let mut samples = Vec::new();
    let mut file = file.take(u64::from(count * block));
    let mut bytes = [0; 4096];
    loop {
        let got = read_full(&mut file, &mut bytes)?;
        let sample = |two: &[u8]| i32::from(i16::from_le_bytes([two[0], two[1]]));
        samples.extend(bytes[..got].chunks_exact(block as usize).map(|block| match block.len() {
            2 => sample(block) as i16,
            _ => ((sample(&block[..2]) + sample(&block[2..])) / 2) as i16,
        }));
        if got < bytes.len() {
            break;
        }
    }
    if samples.len() < count as usize {
        return Err(SoundError::NotWav { reason: "it ends before its samples do" });
    }
    Ok((samples, format.rate))
}

/// Reads until `bytes` are full or the file ends.
fn read_full(file: &mut impl Read, bytes: &mut [u8]) -> Result<usize, SoundError> {
    let mut got = 0;
    while got < bytes.len() {
        match file.read(&mut bytes[got..]) {
            Ok(0) => break,
            Ok(count) => got += count,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(SoundError::Unreadable { reason: e.to_string() }),
        }
    }
    Ok(got)
}

fn fill(file: &mut impl Read, bytes: &mut [u8]) -> Result<(), SoundError> {
    if read_full(file, bytes)? < bytes.len() {
        return Err(SoundError::NotWav { reason: "it ends before its samples begin" });
    }
    Ok(())
}

fn skip(file: &mut impl Read, length: u64) -> Result<(), SoundError> {
    io::copy(&mut file.take(length), &mut io::sink())
        .map(|_| ())
        .map_err(|e| SoundError::Unreadable { reason: e.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Decoder;

    /// A file of `count` blocks of a sine at `hz`.
    fn wav(rate: u32, channels: u16, hz: f32, count: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let data = count * u32::from(channels) * 2;
        bytes.extend(b"RIFF");
        bytes.extend((36 + data).to_le_bytes());
        bytes.extend(b"WAVEfmt ");
        bytes.extend(16_u32.to_le_bytes());
        bytes.extend([1_u16, channels].iter().flat_map(|word| word.to_le_bytes()));
        bytes.extend(rate.to_le_bytes());
        bytes.extend((rate * u32::from(channels) * 2).to_le_bytes());
        bytes.extend([channels * 2, 16].iter().flat_map(|word| word.to_le_bytes()));
        bytes.extend(b"data");
        bytes.extend(data.to_le_bytes());
        for n in 0..count {
            let sample = (10_000.0 * (n as f32 / rate as f32 * hz * std::f32::consts::TAU).sin()) as i16;
            (0..channels).for_each(|_| bytes.extend(sample.to_le_bytes()));
        }
        bytes
    }

    fn decoded(recording: &Recording, codec: Codec, ptime_ms: u32) -> Vec<i16> {
        let mut decoder = Decoder::new(codec).expect("a decoder");
        let (mut at, mut payload, mut out) = (0, Vec::new(), Vec::new());
        // Twice round.
        for _ in 0..2 {
            while let Some(ms) = recording.packet(codec, at, ptime_ms, &mut payload) {
                decoder.decode(&payload, true, &mut out).expect("decodes");
                at += ms;
            }
            at = 0;
        }
        out
    }

    fn rms(samples: &[i16]) -> f32 {
        (samples.iter().map(|&s| f32::from(s).powi(2)).sum::<f32>() / samples.len() as f32).sqrt()
    }

    #[test]
    fn a_file_is_played_by_every_codec_and_packet_time_and_begins_again_without_a_gap() {
        for (rate, channels) in [(8_000, 1), (44_100, 2), (48_000, 1)] {
            let (samples, read) = read_wav(&wav(rate, channels, 440.0, rate / 2)[..]).expect("a recording");
            assert_eq!(read, rate);
            let all = seamless(resample::convert(&samples, rate, RATE)).expect("long enough");
            let recording = Recording::encode(&all).expect("encodes");
            assert_eq!(recording.length_ms(), 500);
            for (codec, ptime) in [(Codec::Pcmu, 20), (Codec::Pcma, 60), (Codec::Pcmu, 10), (Codec::Opus, 60)]
            {
                let out = decoded(&recording, codec, ptime);
                assert_eq!(out.len(), 48_000, "{codec:?} {ptime}");
                // Two periods at a time, all the way and through the seam at 24,000 too.
                for (n, piece) in out[4800..].chunks_exact(218).enumerate() {
                    assert!((6300.0..7800.0).contains(&rms(piece)), "{codec:?} {n}: {}", rms(piece));
                }
            }
        }
    }

    #[test]
    fn what_is_left_of_a_last_packet_leads_into_the_first() {
        // A sine whose length is no multiple of 20 ms: after the last sample, the first must go on from it.
        let samples: Vec<i16> = (0..10_300)
            .map(|n| (10_000.0 * (n as f32 * 300.0 / 48_000.0 * std::f32::consts::TAU).sin()) as i16)
            .collect();
        let all = seamless(samples).expect("long enough");
        assert_eq!(all.len() % PACKET, 0);
        let step = (i32::from(all[0]) - i32::from(all[all.len() - 1])).abs();
        assert!(step < 500, "{step}");
    }

    #[test]
    fn what_cannot_be_played_is_refused_with_its_reason() {
        let good = wav(8_000, 1, 440.0, 800);
        let with = |at: usize, bytes: &[u8]| {
            let mut bad = good.clone();
            bad[at..at + bytes.len()].copy_from_slice(bytes);
            read_wav(&bad[..]).expect_err("refused")
        };
        let format = |error| match error {
            SoundError::Format { tag, bits, channels, rate } => (tag, bits, channels, rate),
            other => panic!("{other}"),
        };
        assert!(matches!(with(0, b"JUNK"), SoundError::NotWav { .. }));
        assert_eq!(format(with(20, &3_u16.to_le_bytes())), (3, 16, 1, 8_000));
        assert_eq!(format(with(22, &0_u16.to_le_bytes())).2, 0);
        assert_eq!(format(with(22, &3_u16.to_le_bytes())).2, 3);
        assert_eq!(format(with(24, &192_000_u32.to_le_bytes())).3, 192_000);
        assert_eq!(format(with(24, &0_u32.to_le_bytes())).3, 0);
        assert_eq!(format(with(34, &24_u16.to_le_bytes())).1, 24);
        assert!(matches!(with(32, &0_u16.to_le_bytes()), SoundError::NotWav { .. }));
        assert!(matches!(with(16, &u32::MAX.to_le_bytes()), SoundError::NotWav { .. }));
        // More than is there, and more than is allowed.
        assert!(matches!(with(40, &8_000_u32.to_le_bytes()), SoundError::NotWav { .. }));
        assert!(matches!(with(40, &u32::MAX.to_le_bytes()), SoundError::TooLong { .. }));
        assert!(matches!(with(36, b"junk"), SoundError::NotWav { .. }));
        assert_eq!(seamless(vec![1; PACKET - 1]).expect_err("refused"), SoundError::Empty);
    }

    #[test]
    fn a_path_that_is_no_recording_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        for path in [dir.path().to_owned(), dir.path().join("none.wav"), "/dev/zero".into()] {
            let error = Recording::open(&path).expect_err("refused");
            assert!(matches!(error, SoundError::Unreadable { .. }), "{error}");
        }
        let huge = dir.path().join("huge.wav");
        File::create(&huge).expect("a file").set_len(MAX_BYTES + 1).expect("a hole");
        assert!(matches!(Recording::open(&huge), Err(SoundError::TooLong { .. })));
    }

    #[test]
    fn a_hundred_thousand_broken_headers_are_errors_or_recordings_and_never_a_panic() {
        let good = wav(8_000, 2, 440.0, 60);
        // A linear congruential generator (Knuth's MMIX constants): the same files on every run.
        let mut state = 7_u64;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        let mut refused = 0;
        for _ in 0..100_000 {
            let mut bytes = good.clone();
            for _ in 0..=random(3) {
                let at = random(48);
                bytes[at] = [0, 1, 0x7F, 0x80, 0xFF, random(256) as u8][random(6)];
            }
            bytes.truncate(bytes.len() - if random(4) == 0 { random(bytes.len()) } else { 0 });
            match read_wav(&bytes[..]) {
                Ok((samples, rate)) => assert!(samples.len() <= bytes.len() && RATES.contains(&rate)),
                Err(_) => refused += 1,
            }
        }
        assert!(refused > 50_000, "{refused}");
    }
}
