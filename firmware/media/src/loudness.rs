//! How loud a payload is beside others of its codec, without decoding it: to leave something out where least is said.
//!
//! Pure, and without a history. Not done here: levels of what is heard ([`crate::sound`]).

use crate::api::Codec;
use crate::g722;

/// Of two payloads of one codec and length the louder one has the larger number; nothing else is said by it.
pub(crate) type Loudness = fn(&[u8]) -> u32;

/// What orders payloads of `codec`.
pub(crate) fn of(codec: Codec) -> Loudness {
    match codec {
        Codec::Pcmu => |payload| law(payload, audio_codec_algorithms::decode_ulaw),
        Codec::Pcma => |payload| law(payload, audio_codec_algorithms::decode_alaw),
        Codec::G722 => g722::loudness,
        // Its encoder spends bits where there is something to say. At a constant rate all are the same.
        Codec::Opus => |payload| payload.len() as u32,
    }
}

/// The mean magnitude.
fn law(payload: &[u8], decode: fn(u8) -> i16) -> u32 {
    let sum: u32 = payload.iter().map(|&byte| u32::from(decode(byte).unsigned_abs())).sum();
    sum / (payload.len() as u32).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Encoder;

    #[test]
    fn a_word_is_louder_than_the_pause_beside_it_in_every_codec() {
        // A vowel of 150 Hz with its harmonics, and every other 200 ms a hundredth of it.
        let voice = |n: usize| {
            let vowel = (n * 150 % 48_000) as f32 / 5.0 - 4800.0;
            (if (n / 9600).is_multiple_of(2) { vowel } else { vowel / 100.0 }) as i16
        };
        for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus] {
            let (mut encoder, mut payload) = (Encoder::new(codec).expect("an encoder"), Vec::new());
            let (mut words, mut pauses) = (Vec::new(), Vec::new());
            for packet in 0..100 {
                let samples: Vec<i16> = (packet * 960..(packet + 1) * 960).map(voice).collect();
                encoder.encode(&samples, &mut payload).expect("encodes");
                // The packets on either side of a change hold some of both.
                match packet % 20 {
                    2..9 => words.push(of(codec)(&payload)),
                    12..19 => pauses.push(of(codec)(&payload)),
                    _ => {}
                }
            }
            assert!(words.iter().min() > pauses.iter().max(), "{codec:?}: {words:?} {pauses:?}");
        }
    }
}
