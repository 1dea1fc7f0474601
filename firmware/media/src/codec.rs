//! Codecs as the rest of this crate sees them: 48 kHz mono in and out, whatever is on the wire.

use opus::{Application, Bitrate, Channels};

use crate::api::Codec;
use crate::frame::RATE;
use crate::g722;
use crate::opus_decoder;
use crate::plc::Concealer;
use crate::resample::{Downsampler, Upsampler};

/// Samples a second inside G.711 and G.722.
const LAW_RATE: u32 = 8_000;
const G722_RATE: u32 = 16_000;
/// Opus voice bit rate.
const BITRATE: i32 = 24_000;
/// Loss the Opus encoder prepares for, in per cent; this is what makes it spend bits on FEC.
const EXPECTED_LOSS: i32 = 10;
/// Opus computing effort, 0..=10: speech at 24 kbit/s gains nothing audible above.
const COMPLEXITY: i32 = 6;
/// Opus bit rate of recordings, which may be music.
const RECORDING_BITRATE: i32 = 48_000;
/// The longest Opus packet, 120 ms, in samples.
pub(crate) const MAX_SAMPLES: usize = 5760;
/// The longest payload we make.
const MAX_PAYLOAD: usize = 1275;

/// Speech to payload.
pub(crate) enum Encoder {
    Law { encode: fn(i16) -> u8, down: Box<Downsampler>, narrow: Vec<i16> },
    G722 { encoder: Box<g722::Encoder>, down: Box<Downsampler>, narrow: Vec<i16> },
    Opus { encoder: opus::Encoder },
}

impl Encoder {
    pub(crate) fn new(codec: Codec) -> Result<Encoder, opus::Error> {
        let encode = match codec {
            Codec::Pcmu => audio_codec_algorithms::encode_ulaw,
            Codec::Pcma => audio_codec_algorithms::encode_alaw,
            Codec::G722 => {
                let (encoder, down) = (Box::new(g722::Encoder::new()), Box::new(Downsampler::new(G722_RATE)));
                return Ok(Encoder::G722 { encoder, down, narrow: Vec::new() });
            }
            Codec::Opus => {
                let mut encoder = opus::Encoder::new(RATE, Channels::Mono, Application::Voip)?;
                encoder.set_bitrate(Bitrate::Bits(BITRATE))?;
                encoder.set_inband_fec(true)?;
                encoder.set_packet_loss_perc(EXPECTED_LOSS)?;
                encoder.set_complexity(COMPLEXITY)?;
                return Ok(Encoder::Opus { encoder });
            }
        };
        Ok(Encoder::Law { encode, down: Box::new(Downsampler::new(LAW_RATE)), narrow: Vec::new() })
    }

    /// An encoder for music and messages, whose packets are made beforehand. A decoder comes upon them in the
    /// middle, from speech, and passes from the last to the first: so Opus keeps to one mode (CELT) and predicts
    /// nothing from the packet before, without which a first word would fade in over a quarter of a second.
    pub(crate) fn for_recordings(codec: Codec) -> Result<Encoder, opus::Error> {
        if codec != Codec::Opus {
            return Encoder::new(codec);
        }
        let mut encoder = opus::Encoder::new(RATE, Channels::Mono, Application::LowDelay)?;
        encoder.set_bitrate(Bitrate::Bits(RECORDING_BITRATE))?;
        encoder.set_prediction_disabled(true)?;
        Ok(Encoder::Opus { encoder })
    }

    /// Encodes 10, 20, 40 or 60 ms into `payload`, replacing what it held.
    pub(crate) fn encode(&mut self, samples: &[i16], payload: &mut Vec<u8>) -> Result<(), opus::Error> {
        payload.clear();
        match self {
            Encoder::Law { encode, down, narrow } => {
                narrow.clear();
                down.process(samples, narrow);
                payload.extend(narrow.iter().map(|&sample| encode(sample)));
            }
            Encoder::G722 { encoder, down, narrow } => {
                narrow.clear();
                down.process(samples, narrow);
                encoder.encode(narrow, payload);
            }
            Encoder::Opus { encoder } => {
                payload.resize(MAX_PAYLOAD, 0);
                let length = encoder.encode(samples, payload)?;
                payload.truncate(length);
            }
        }
        Ok(())
    }
}

/// Payload to speech, and something in its place where there is none.
pub(crate) enum Decoder {
    Law {
        decode: fn(u8) -> i16,
        up: Box<Upsampler>,
        plc: Box<Concealer>,
        narrow: Vec<i16>,
    },
    G722 {
        decoder: Box<g722::Decoder>,
        up: Box<Upsampler>,
        plc: Box<Concealer>,
        narrow: Vec<i16>,
        /// Made up since the last packet.
        made: Vec<i16>,
    },
    Opus(Box<opus_decoder::Decoder>),
}

impl Decoder {
    pub(crate) fn new(codec: Codec) -> Result<Decoder, opus::Error> {
        let decode = match codec {
            Codec::Pcmu => audio_codec_algorithms::decode_ulaw,
            Codec::Pcma => audio_codec_algorithms::decode_alaw,
            Codec::G722 => {
                let up = Box::new(Upsampler::new(G722_RATE));
                let plc = Box::new(Concealer::new(G722_RATE));
                let decoder = Box::new(g722::Decoder::new());
                return Ok(Decoder::G722 { decoder, up, plc, narrow: Vec::new(), made: Vec::new() });
            }
            Codec::Opus => {
                return Ok(Decoder::Opus(Box::new(opus_decoder::Decoder::new()?)));
            }
        };
        let (up, plc) = (Box::new(Upsampler::new(LAW_RATE)), Box::new(Concealer::new(LAW_RATE)));
        Ok(Decoder::Law { decode, up, plc, narrow: Vec::new() })
    }

    /// Decodes one payload and appends it to `out`. It `continues` the last one when none between them is missing: then
    /// what was made up meanwhile was made up for nothing, and is forgotten. A broken Opus payload is an error and appends
    /// nothing.
    pub(crate) fn decode(
        &mut self,
        payload: &[u8],
        continues: bool,
        out: &mut Vec<i16>,
    ) -> Result<(), opus::Error> {
        match self {
            Decoder::Law { decode, up, plc, narrow } => {
                if !continues {
                    plc.bridge();
                }
                narrow.clear();
                narrow.extend(payload.iter().map(|&byte| decode(byte)));
                plc.good(narrow);
                up.process(narrow, out);
            }
            Decoder::G722 { decoder, up, plc, narrow, made } => {
                if !continues {
                    plc.bridge();
                    if !made.is_empty() {
                        decoder.follow(made, &plc.ahead(g722::AHEAD));
                    }
                }
                made.clear();
                narrow.clear();
                decoder.decode(payload, narrow);
                plc.good(narrow);
                up.process(narrow, out);
            }
            Decoder::Opus(decoder) => decoder.decode(payload, continues, out)?,
        }
        Ok(())
    }

    /// Appends `count` samples in place of a missing packet. `next` is the packet after it, whose in-band FEC
    /// may hold a copy (Opus only). `count` is a multiple of 120 (2.5 ms), at most [`MAX_SAMPLES`].
    pub(crate) fn conceal(&mut self, count: usize, next: Option<&[u8]>, out: &mut Vec<i16>) {
        let count = count.min(MAX_SAMPLES);
        match self {
            Decoder::Law { decode, up, plc, narrow } => {
                let next: Option<Vec<i16>> = next.map(|next| next.iter().map(|&byte| decode(byte)).collect());
                narrow.clear();
                plc.conceal(count / (RATE / LAW_RATE) as usize, next.as_deref(), narrow);
                up.process(narrow, out);
            }
            Decoder::G722 { decoder, up, plc, narrow, made } => {
                let next = next.map(|next| {
                    let (mut samples, mut decoder) = (Vec::new(), decoder.clone());
                    if !made.is_empty() {
                        decoder.follow(made, &plc.ahead(g722::AHEAD));
                    }
                    decoder.decode(next, &mut samples);
                    samples
                });
                narrow.clear();
                plc.conceal(count / (RATE / G722_RATE) as usize, next.as_deref(), narrow);
                made.extend_from_slice(narrow);
                up.process(narrow, out);
            }
            Decoder::Opus(decoder) => decoder.conceal(count, next, out),
        }
    }
}

/// How long a payload plays, in units of the RTP clock; `None` when it is not of this codec.
pub(crate) fn duration(codec: Codec, payload: &[u8]) -> Option<u32> {
    match codec {
        // 120 ms at most, as for Opus.
        Codec::Pcmu | Codec::Pcma | Codec::G722 => {
            (1..=960).contains(&payload.len()).then_some(payload.len() as u32)
        }
        Codec::Opus => {
            let samples = opus::packet::get_nb_samples(payload, RATE).ok()?;
            (1..=MAX_SAMPLES).contains(&samples).then_some(samples as u32)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(count: usize) -> Vec<i16> {
        (0..count)
            .map(|n| (9000.0 * (n as f32 * 2.0 * std::f32::consts::PI * 440.0 / 48_000.0).sin()) as i16)
            .collect()
    }

    fn rms(samples: &[i16]) -> f32 {
        (samples.iter().map(|&s| f32::from(s).powi(2)).sum::<f32>() / samples.len() as f32).sqrt()
    }

    #[test]
    fn every_codec_and_packet_time_carries_a_tone_at_its_level() {
        for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus] {
            for ms in [10, 20, 40, 60] {
                let mut encoder = Encoder::new(codec).expect("an encoder");
                let mut decoder = Decoder::new(codec).expect("a decoder");
                let (mut payload, mut out) = (Vec::new(), Vec::new());
                for chunk in tone(48 * 1200).chunks(48 * ms) {
                    encoder.encode(chunk, &mut payload).expect("encodes");
                    let units = duration(codec, &payload).expect("a duration");
                    assert_eq!(units, codec.clock_rate() / 1000 * ms as u32);
                    decoder.decode(&payload, true, &mut out).expect("decodes");
                }
                assert_eq!(out.len(), 48 * 1200);
                let level = rms(&out[24_000..]) / rms(&tone(24_000));
                assert!((0.9..1.1).contains(&level), "{codec:?} {ms} ms: {level}");
            }
        }
    }

    #[test]
    fn a_missing_packet_is_filled_to_the_sample() {
        for codec in [Codec::Pcma, Codec::G722, Codec::Opus] {
            let mut encoder = Encoder::new(codec).expect("an encoder");
            let mut decoder = Decoder::new(codec).expect("a decoder");
            let (mut payload, mut out) = (Vec::new(), Vec::new());
            for (n, chunk) in tone(48_000).chunks(960).enumerate() {
                encoder.encode(chunk, &mut payload).expect("encodes");
                if n == 25 {
                    out.clear();
                    decoder.conceal(960, None, &mut out);
                    assert_eq!(out.len(), 960);
                    assert!(rms(&out) > 3000.0, "{codec:?}: {}", rms(&out));
                } else {
                    decoder.decode(&payload, true, &mut out).expect("decodes");
                }
            }
        }
    }

    #[test]
    fn a_hole_before_a_softer_word_is_led_down_to_it() {
        // The second half is a fifth as loud; the packet at the change is missing.
        let voice: Vec<i16> =
            tone(48_000).iter().enumerate().map(|(n, s)| if n < 24_000 { *s } else { s / 5 }).collect();
        for codec in [Codec::Pcmu, Codec::Pcma] {
            let end = |known: bool| {
                let mut encoder = Encoder::new(codec).expect("an encoder");
                let mut decoder = Decoder::new(codec).expect("a decoder");
                let (mut packets, mut out) = (Vec::new(), Vec::new());
                for chunk in voice.chunks(960) {
                    let mut payload = Vec::new();
                    encoder.encode(chunk, &mut payload).expect("encodes");
                    packets.push(payload);
                }
                packets[..25]
                    .iter()
                    .for_each(|payload| decoder.decode(payload, true, &mut out).expect("decodes"));
                out.clear();
                decoder.conceal(960, known.then_some(&packets[26][..]), &mut out);
                assert_eq!(out.len(), 960);
                rms(&out[720..])
            };
            assert!(end(true) < 0.7 * end(false), "{codec:?}: {} {}", end(true), end(false));
        }
    }

    #[test]
    fn opus_repairs_the_beginning_of_a_word_from_the_packet_after_it() {
        let mut encoder = Encoder::new(Codec::Opus).expect("an encoder");
        // Half a second of nothing much, then a vowel of 150 Hz with its harmonics.
        let voice: Vec<i16> = (0..48_000_usize)
            .map(|n| match n {
                ..24_000 => (n % 5) as i16,
                _ => (n * 150 % 48_000) as i16 / 4,
            })
            .collect();
        let packets: Vec<Vec<u8>> = voice
            .chunks(960)
            .map(|chunk| {
                let mut payload = Vec::new();
                encoder.encode(chunk, &mut payload).expect("encodes");
                payload
            })
            .collect();
        // Packet 27 is well inside the word for the encoder, and the first the decoder misses.
        let level = |next: Option<&[u8]>| {
            let mut decoder = Decoder::new(Codec::Opus).expect("a decoder");
            let mut out = Vec::new();
            for payload in &packets[..25] {
                decoder.decode(payload, true, &mut out).expect("decodes");
            }
            decoder.conceal(960, None, &mut out);
            decoder.conceal(960, None, &mut out);
            out.clear();
            decoder.conceal(960, next, &mut out);
            assert_eq!(out.len(), 960);
            rms(&out)
        };
        let (repaired, made_up) = (level(Some(&packets[28])), level(None));
        assert!(repaired > 300.0 && made_up < 30.0, "{repaired} {made_up}");
    }

    #[test]
    fn what_was_made_up_for_a_packet_that_is_only_late_is_taken_back() {
        // A vowel whose pitch and loudness glide.
        let voice: Vec<i16> = (0..96_000_usize)
            .map(|n| {
                let (t, loud) = (n as f32 / 48_000.0, 1.0 + (n as f32 / 9_000.0).sin() / 2.0);
                (((t * 120.0 + t * t * 40.0) % 1.0 - 0.5) * 9_000.0 * loud) as i16
            })
            .collect();
        for (codec, bar) in [(Codec::G722, 30.0), (Codec::Opus, 15.0)] {
            let mut encoder = Encoder::new(codec).expect("an encoder");
            let mut packets = vec![Vec::new(); 100];
            for (chunk, payload) in voice.chunks(960).zip(&mut packets) {
                encoder.encode(chunk, payload).expect("encodes");
            }
            let mut plain = Decoder::new(codec).expect("a decoder");
            let mut expected = Vec::new();
            packets.iter().for_each(|one| plain.decode(one, true, &mut expected).expect("decodes"));
            // In dB, of what comes 10 to 40 ms after the gap.
            let likeness = |continues: bool| {
                let mut decoder = Decoder::new(codec).expect("a decoder");
                let (mut before, mut out) = (Vec::new(), Vec::new());
                packets[..50].iter().for_each(|p| decoder.decode(p, true, &mut before).expect("decodes"));
                (0..20).for_each(|_| decoder.conceal(480, None, &mut before));
                decoder.decode(&packets[50], continues, &mut out).expect("decodes");
                decoder.decode(&packets[51], true, &mut out).expect("decodes");
                let wrong: Vec<i16> =
                    out[480..].iter().zip(&expected[50 * 960 + 480..]).map(|(a, b)| a - b).collect();
                20.0 * (rms(&expected[50 * 960 + 480..52 * 960]) / rms(&wrong)).log10()
            };
            let (taken_back, not) = (likeness(true), likeness(false));
            assert!(taken_back > bar && taken_back > not + 6.0, "{codec:?}: {taken_back} dB, {not} dB");
        }
    }

    #[test]
    fn whatever_comes_and_does_not_come_is_decoded_or_refused() {
        let mut number = 7_u32;
        let mut roll = |below: u32| {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (number >> 8) % below
        };
        for codec in [Codec::Pcmu, Codec::G722, Codec::Opus] {
            let mut decoder = Decoder::new(codec).expect("a decoder");
            for _ in 0..2_000 {
                let payload: Vec<u8> = (0..=roll(300)).map(|_| roll(256) as u8).collect();
                let mut out = Vec::new();
                if roll(2) == 0 {
                    let decoded = decoder.decode(&payload, roll(2) == 0, &mut out);
                    assert_eq!(decoded.is_err(), out.is_empty(), "{codec:?}");
                } else {
                    let ms = 10 * (1 + roll(6));
                    let next = (roll(2) == 0).then_some(&payload[..]);
                    decoder.conceal((ms * RATE / 1000) as usize, next, &mut out);
                    assert_eq!(out.len() as u32, ms * RATE / 1000, "{codec:?}");
                }
            }
        }
    }

    #[test]
    fn broken_opus_is_an_error_and_not_a_noise() {
        let mut decoder = Decoder::new(Codec::Opus).expect("a decoder");
        let mut out = Vec::new();
        // Code 3 with a frame count of 0 (RFC 6716 section 3.2.5 forbids it).
        assert!(decoder.decode(&[0x03, 0x00], true, &mut out).is_err());
        assert_eq!(duration(Codec::Opus, &[0x03, 0x00]), None);
        assert_eq!(duration(Codec::Opus, &[]), None);
        assert!(out.is_empty());
        decoder.conceal(960, Some(&[0x03, 0x00]), &mut out);
        assert_eq!(out.len(), 960);
    }
}
