//! Music and messages in Opus files: Ogg pages (RFC 3533) with Opus in them (RFC 7845), mono or stereo.
//!
//! The file comes from outside and may be anything at all: every length is checked against what is there and what is
//! allowed. Not done here: more than one stream in a file, chained files, seeking.

use std::io::{self, ErrorKind, Read};

use opus::{Channels, Decoder};

use crate::api::SoundError;
use crate::frame::RATE;
use crate::recording::MAX_SECONDS;

/// How every page begins.
pub(crate) const BEGIN: &[u8] = b"OggS";
/// Bytes of a page before its table of segments.
const HEAD: usize = 27;
/// Flags of a page: it goes on with a packet of the one before; it is the last.
const CONTINUED: u8 = 1;
const LAST: u8 = 4;
/// Longest packet: 120 ms of stereo at the most bits there are.
const MAX_PACKET: usize = 65_536;
/// Samples in 120 ms.
const MAX_DECODED: usize = RATE as usize * 120 / 1000;
/// A segment of this length is not the last of its packet.
const FULL: u8 = 255;

/// A page, checked.
struct Page {
    flags: u8,
    /// Samples up to its end, at 48 kHz, those to be skipped included.
    granule: u64,
    serial: u32,
    segments: Vec<u8>,
    body: Vec<u8>,
}

/// Reads an Opus file as mono at 48 kHz.
pub(crate) fn read(mut file: impl Read) -> Result<Vec<i16>, SoundError> {
    let mut decoder = Decoder::new(RATE, Channels::Mono).map_err(|e| failed(&e))?;
    let (mut serial, mut packets, mut packet) = (None, 0_u64, Vec::new());
    let (mut head, mut samples, mut end) = (None, Vec::new(), None);
    let mut decoded = vec![0; MAX_DECODED];
    while let Some(page) = next_page(&mut file)? {
        if *serial.get_or_insert(page.serial) != page.serial {
            return Err(broken("more than one stream"));
        }
        if page.flags & CONTINUED == 0 {
            packet.clear();
        }
        let mut at = 0;
        for &length in &page.segments {
            let next = at + usize::from(length);
            // The body has as many bytes as the table says.
            packet.extend_from_slice(page.body.get(at..next).unwrap_or_default());
            at = next;
            if packet.len() > MAX_PACKET {
                return Err(broken("a packet that is too long"));
            }
            if length == FULL {
                continue;
            }
            match (packets, head) {
                (0, _) => head = Some(read_head(&packet)?),
                // Its title and the like.
                (1, _) => {}
                (_, None) => return Err(broken("sound before its head")),
                (_, Some((skip, _))) => {
                    let count = decoder.decode(&packet, &mut decoded, false).map_err(|e| failed(&e))?;
                    samples.extend_from_slice(&decoded[..count]);
                    if samples.len() > (MAX_SECONDS * RATE) as usize + skip {
                        return Err(SoundError::TooLong { limit_s: MAX_SECONDS });
                    }
                }
            }
            packets += 1;
            packet.clear();
        }
        if page.flags & LAST != 0 {
            end = Some(page.granule);
            break;
        }
    }
    let Some((skip, gain)) = head else { return Err(broken("no head")) };
    if let Some(end) = end {
        // The last packet may have more than the sound (RFC 7845 section 4.4).
        samples.truncate(usize::try_from(end).unwrap_or(usize::MAX));
    }
    samples.drain(..skip.min(samples.len()));
    if gain != 1.0 {
        // `as` saturates.
        samples.iter_mut().for_each(|sample| *sample = (f32::from(*sample) * gain) as i16);
    }
    Ok(samples)
}

/// Samples to skip at the beginning, and by how much everything is louder (RFC 7845 section 5.1).
fn read_head(packet: &[u8]) -> Result<(usize, f32), SoundError> {
    let head: &[u8; 19] = packet.first_chunk().ok_or(broken("a head that is too short"))?;
    if &head[..8] != b"OpusHead" || head[8] & 0xF0 != 0 {
        return Err(broken("no Opus in it"));
    }
    if !(1..=2).contains(&head[9]) || head[18] != 0 {
        return Err(broken("more than two channels"));
    }
    let skip = usize::from(u16::from_le_bytes([head[10], head[11]]));
    let gain_db = f32::from(i16::from_le_bytes([head[16], head[17]])) / 256.0;
    Ok((skip, 10_f32.powf(gain_db / 20.0)))
}

/// The next page; `None` at the end of the file.
fn next_page(file: &mut impl Read) -> Result<Option<Page>, SoundError> {
    let mut head = [0; HEAD];
    match file.read(&mut head[..1]) {
        Ok(0) => return Ok(None),
        Ok(_) => {}
        Err(e) => return Err(unreadable(&e)),
    }
    fill(file, &mut head[1..])?;
    if &head[..4] != BEGIN || head[4] != 0 {
        return Err(broken("a page that does not begin as one"));
    }
    let mut segments = vec![0; usize::from(head[26])];
    fill(file, &mut segments)?;
    let mut body = vec![0; segments.iter().map(|&length| usize::from(length)).sum()];
    fill(file, &mut body)?;
    let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let (serial, sum) = (word(14), word(22));
    let granule = u64::from(word(6)) | u64::from(word(10)) << 32;
    let flags = head[5];
    head[22..26].fill(0);
    if [&head[..], &segments, &body].into_iter().flatten().fold(0, |crc, &byte| crc_of(crc, byte)) != sum {
        return Err(broken("a page that was changed on its way"));
    }
    Ok(Some(Page { flags, granule, serial, segments, body }))
}

/// The checksum of a page (RFC 3533 section 6), one byte on.
fn crc_of(crc: u32, byte: u8) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut n = 0;
        while n < 256 {
            let mut crc = (n as u32) << 24;
            let mut bit = 0;
            while bit < 8 {
                crc = if crc & 0x8000_0000 == 0 { crc << 1 } else { crc << 1 ^ 0x04C1_1DB7 };
                bit += 1;
            }
            table[n] = crc;
            n += 1;
        }
        table
    };
    crc << 8 ^ TABLE[(crc >> 24) as usize ^ byte as usize]
}

fn fill(file: &mut impl Read, bytes: &mut [u8]) -> Result<(), SoundError> {
    file.read_exact(bytes).map_err(|e| match e.kind() {
        ErrorKind::UnexpectedEof => broken("it ends in the middle"),
        _ => unreadable(&e),
    })
}

fn unreadable(error: &io::Error) -> SoundError {
    SoundError::Unreadable { reason: error.to_string() }
}

fn broken(reason: &'static str) -> SoundError {
    SoundError::NotOpus { reason }
}

fn failed(error: &opus::Error) -> SoundError {
    SoundError::Codec { reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Samples skipped at the beginning.
    const SKIP: u16 = 312;

    fn page(flags: u8, granule: u64, packets: &[&[u8]]) -> Vec<u8> {
        let mut page = BEGIN.to_vec();
        page.extend([0, flags]);
        page.extend(granule.to_le_bytes());
        page.extend([7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let segments: Vec<u8> = packets
            .iter()
            .flat_map(|packet| {
                let full = std::iter::repeat_n(FULL, packet.len() / 255);
                full.chain([(packet.len() % 255) as u8])
            })
            .collect();
        page.push(segments.len() as u8);
        page.extend(&segments);
        packets.iter().for_each(|packet| page.extend(*packet));
        let sum = page.iter().fold(0, |crc, &byte| crc_of(crc, byte));
        page[22..26].copy_from_slice(&sum.to_le_bytes());
        page
    }

    fn head(channels: u8) -> Vec<u8> {
        let mut head = b"OpusHead\x01".to_vec();
        head.push(channels);
        head.extend(SKIP.to_le_bytes());
        head.extend([0x80, 0xBB, 0, 0, 0, 0, 0]);
        head
    }

    /// A file with a second of a hum of 440 Hz.
    fn hum() -> Vec<u8> {
        let mut encoder =
            opus::Encoder::new(RATE, Channels::Mono, opus::Application::Audio).expect("an encoder");
        let mut file = page(2, 0, &[&head(1)]);
        file.extend(page(0, 0, &[b"OpusTags\0\0\0\0\0\0\0\0"]));
        for n in 0..51_u64 {
            let sound: Vec<i16> = (0..960)
                .map(|k| {
                    let at = (n * 960 + k) as f32 / RATE as f32;
                    (8000.0 * (std::f32::consts::TAU * 440.0 * at).sin()) as i16
                })
                .collect();
            let packet = encoder.encode_vec(&sound, 1275).expect("encodes");
            let (flags, granule) = if n == 50 { (LAST, 48_312) } else { (0, (n + 1) * 960) };
            file.extend(page(flags, granule, &[&packet]));
        }
        file
    }

    #[test]
    fn the_sum_of_a_page_is_the_one_of_others() {
        // What opusenc writes: an empty last page, sum by libogg.
        let sum = b"123456789".iter().fold(0, |crc, &byte| crc_of(crc, byte));
        assert_eq!(sum, 0x89A1_897F);
    }

    #[test]
    fn a_file_is_as_long_as_it_says_and_sounds_as_it_did() {
        let samples = read(&hum()[..]).expect("reads");
        assert_eq!(samples.len(), 48_000);
        let (mut re, mut im, mut all) = (0.0_f32, 0.0_f32, 0.0_f32);
        for (n, &sample) in samples.iter().enumerate().skip(4800) {
            let angle = std::f32::consts::TAU * 440.0 * n as f32 / RATE as f32;
            re += f32::from(sample) * angle.cos();
            im += f32::from(sample) * angle.sin();
            all += f32::from(sample).powi(2);
        }
        let share = 2.0 * (re * re + im * im) / (43_200.0 * all);
        assert!(share > 0.98, "{share}");
    }

    #[test]
    fn what_is_no_opus_file_is_refused() {
        let mut changed = hum();
        changed[4000] ^= 1;
        let cut = &hum()[..5000];
        let other = [page(2, 0, &[b"\x01vorbis..............."])].concat();
        let many = page(2, 0, &[&head(6)]);
        for file in [&changed[..], cut, &other, &many, b"OggS", b""] {
            assert!(
                matches!(read(file), Err(SoundError::NotOpus { .. })),
                "{:?}",
                read(file).map(|s| s.len())
            );
        }
    }

    proptest! {
        #[test]
        fn whatever_is_in_a_file_it_is_read_or_refused(
            packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..600), 0..6),
            flags in any::<u8>(), granule in any::<u64>(),
        ) {
            let packets: Vec<&[u8]> = packets.iter().map(Vec::as_slice).collect();
            let file = [page(2, 0, &[&head(2)]), page(0, 0, &[b"OpusTags"]), page(flags, granule, &packets)].concat();
            let _ = read(&file[..]);
        }
    }
}
