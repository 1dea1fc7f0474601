//! G.722 (ITU-T, 11/1988) at 64 kbit/s: speech at 16 kHz as two bands, each adaptive differential PCM.
//!
//! Written after the block diagrams of the Recommendation, whose names of blocks and tables are in the comments; integer
//! arithmetic as there, so that it agrees to the bit with other implementations. It allocates nothing.
//! Not done here: the modes of 56 and 48 kbit/s, which SDP cannot name, and what hides a lost packet ([`crate::plc`]).

/// Samples by which sound is later through both quadrature mirror filters.
pub(crate) const AHEAD: usize = 22;
/// The quadrature mirror filter: every other coefficient; the others are the same backwards.
const QMF: [i32; 12] = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];

/// Decision levels of the lower band's 6 bit quantizer (table 14, Q6).
const LEVELS_LOW: [i32; 29] = [
    35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121, 1219,
    1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
];
/// Output of the lower band's inverse quantizer by code: 6 bits to hear (QQ6), 4 bits to adapt by (QQ4).
const VALUES_6: [i32; 64] = [
    -136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360,
    -8576, -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688,
    -1360, -1040, -728, 24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856,
    7192, 6576, 6000, 5456, 4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136,
    -432, -136,
];
const VALUES_4: [i32; 16] =
    [0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0];
/// Output of the upper band's inverse quantizer by code (QQ2).
const VALUES_2: [i32; 4] = [-7408, -1616, 7408, 1616];
/// The upper band's only decision level (Q2).
const LEVEL_HIGH: i32 = 564;
/// What each code adds to the logarithm of the step: WL by way of RL42, and WH by way of RH2.
const STEPS_LOW: [i32; 16] =
    [-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60];
const STEPS_HIGH: [i32; 4] = [798, -214, 798, -214];
/// The largest logarithm of a step of the lower band (LOGSCL).
const LARGEST_LOW: i32 = 18_432;
/// Powers of two, a thirty-second of an octave apart (ILB).
const OCTAVE: [i32; 32] = [
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834, 2896,
    2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];

/// 16 kHz to bytes.
pub(crate) struct Encoder {
    low: Band,
    high: Band,
    history: [i32; 24],
}

impl Encoder {
    pub(crate) fn new() -> Encoder {
        Encoder { low: Band::low(), high: Band::high(), history: [0; 24] }
    }

    /// Appends one byte for every two of `samples`; a last odd one is left out.
    pub(crate) fn encode(&mut self, samples: &[i16], out: &mut Vec<u8>) {
        for pair in samples.chunks_exact(2) {
            self.history.copy_within(2.., 0);
            self.history[22] = i32::from(pair[0]);
            self.history[23] = i32::from(pair[1]);
            let (odd, even) = filter(&self.history);
            let low = self.low.encode_low((even + odd) >> 14);
            let high = self.high.encode_high((even - odd) >> 14);
            out.push(((high << 6) | low) as u8);
        }
    }
}

/// Bytes to 16 kHz.
#[derive(Clone)]
pub(crate) struct Decoder {
    low: Band,
    high: Band,
    history: [i32; 24],
    /// What came out last, for [`Decoder::follow`].
    said: [i32; 24],
}

impl Decoder {
    pub(crate) fn new() -> Decoder {
        Decoder { low: Band::low(), high: Band::high(), history: [0; 24], said: [0; 24] }
    }

    /// Appends two samples for each byte.
    pub(crate) fn decode(&mut self, bytes: &[u8], out: &mut Vec<i16>) {
        for &byte in bytes {
            let (low, high) = (usize::from(byte & 0x3F), usize::from(byte >> 6));
            let heard_low = limit(self.low.estimate + ((self.low.step * VALUES_6[low]) >> 15));
            self.low.adapt_low(low >> 2);
            let heard_high = limit(self.high.estimate + ((self.high.step * VALUES_2[high]) >> 15));
            self.high.adapt_high(high);
            self.history.copy_within(2.., 0);
            self.history[22] = heard_low + heard_high;
            self.history[23] = heard_low - heard_high;
            let (odd, even) = filter(&self.history);
            let (even, odd) = (saturate(even >> 11), saturate(odd >> 11));
            self.said.copy_within(2.., 0);
            (self.said[22], self.said[23]) = (even, odd);
            out.extend([even as i16, odd as i16]);
        }
    }

    /// Takes in what was made up in place of a lost packet, as if it had been heard: without it the steps and predictors
    /// would be found by the next packet as they were before the gap, where the encoder has gone on. `ahead` is what was made
    /// up beyond the end, at least [`AHEAD`] samples: the two filters have that much delay.
    pub(crate) fn follow(&mut self, samples: &[i16], ahead: &[i16]) {
        let length = self.said.len() + samples.len();
        let line: Vec<i32> = self
            .said
            .iter()
            .copied()
            .chain(samples.iter().chain(ahead).map(|&sample| i32::from(sample)))
            .collect();
        let windows = line.windows(24).skip(AHEAD + 2).step_by(2).take(samples.len() / 2);
        for window in windows {
            let mut history = [0; 24];
            history.copy_from_slice(window);
            let (odd, even) = filter(&history);
            let (low, high) = ((even + odd) >> 14, (even - odd) >> 14);
            self.low.encode_low(low);
            self.high.encode_high(high);
            self.history.copy_within(2.., 0);
            (self.history[22], self.history[23]) = (low + high, low - high);
        }
        self.said.copy_from_slice(&line[length - 24..length]);
    }
}

/// The logarithm of the lower band's step after `bytes`, the louder the larger. Where it began, which is not known, is
/// forgotten by more than two thirds in 20 ms and the same for all.
pub(crate) fn loudness(bytes: &[u8]) -> u32 {
    let next = |log_step, byte: &u8| next_low(log_step, usize::from(byte & 0x3F) >> 2);
    bytes.iter().fold(LARGEST_LOW / 2, next).unsigned_abs()
}

/// Both halves of the quadrature mirror filter. For the decoder the even one comes first in time.
fn filter(history: &[i32; 24]) -> (i32, i32) {
    let (mut odd, mut even) = (0, 0);
    for (at, pair) in history.chunks_exact(2).enumerate() {
        odd += pair[0] * QMF[at];
        even += pair[1] * QMF[11 - at];
    }
    (odd, even)
}

/// One band: its step (DETL, DETH), its predictor of two poles and six zeros, and what both remember.
#[derive(Clone)]
struct Band {
    step: i32,
    /// The step's logarithm (NBL, NBH).
    log_step: i32,
    /// What is expected next (SL, SH), and the share of the zeros in it (SZL, SZH).
    estimate: i32,
    from_zeros: i32,
    /// Reconstructed signals, the newest first (RLT, RH), and partially reconstructed ones (PLT, PH).
    heard: [i32; 2],
    partial: [i32; 2],
    poles: [i32; 2],
    /// Differences, the newest first (DLT, DH), and their coefficients (BL, BH).
    differences: [i32; 6],
    zeros: [i32; 6],
}

impl Band {
    fn low() -> Band {
        Band::new(32)
    }

    fn high() -> Band {
        Band::new(8)
    }

    fn new(step: i32) -> Band {
        Band {
            step,
            log_step: 0,
            estimate: 0,
            from_zeros: 0,
            heard: [0; 2],
            partial: [0; 2],
            poles: [0; 2],
            differences: [0; 6],
            zeros: [0; 6],
        }
    }

    /// QUANTL and what follows it in the lower band.
    fn encode_low(&mut self, sample: i32) -> usize {
        let error = saturate(sample - self.estimate);
        let size = if error >= 0 { error } else { -(error + 1) };
        let above = |level: &&i32| size >= (*level * self.step) >> 12;
        let level = LEVELS_LOW.iter().take_while(above).count();
        // Codes count down from the middle; the two smallest negative ones lie at the end (tables 14 and 17).
        let code = match (error < 0, level) {
            (false, level) => 61 - level,
            (true, 0 | 1) => 63 - level,
            (true, level) => 33 - level,
        };
        self.adapt_low(code >> 2);
        code
    }

    /// QUANTH and what follows it in the upper band.
    fn encode_high(&mut self, sample: i32) -> usize {
        let error = saturate(sample - self.estimate);
        let size = if error >= 0 { error } else { -(error + 1) };
        let large = size >= (LEVEL_HIGH * self.step) >> 12;
        let code = match (error < 0, large) {
            (true, false) => 1,
            (true, true) => 0,
            (false, false) => 3,
            (false, true) => 2,
        };
        self.adapt_high(code);
        code
    }

    /// Takes a code of 4 bits in (INVQAL, LOGSCL, SCALEL).
    fn adapt_low(&mut self, code: usize) {
        let difference = (self.step * VALUES_4[code]) >> 15;
        self.log_step = next_low(self.log_step, code);
        self.step = scale(self.log_step, 8);
        self.predict(difference);
    }

    /// Takes a code of 2 bits in (INVQAH, LOGSCH, SCALEH).
    fn adapt_high(&mut self, code: usize) {
        let difference = (self.step * VALUES_2[code]) >> 15;
        self.log_step = (((self.log_step * 127) >> 7) + STEPS_HIGH[code]).clamp(0, 22_528);
        self.step = scale(self.log_step, 10);
        self.predict(difference);
    }

    /// The adaptive predictor (block 4L, 4H).
    fn predict(&mut self, difference: i32) {
        // RECONS, PARREC
        let heard = saturate(self.estimate + difference);
        let partial = saturate(self.from_zeros + difference);
        let alike = |other: i32| (partial < 0) == (other < 0);

        // UPPOL2
        let slope = saturate(self.poles[0] << 2);
        let slope = if alike(self.partial[0]) { -slope } else { slope }.min(32_767);
        let sign = if alike(self.partial[1]) { 128 } else { -128 };
        let second = ((slope >> 7) + sign + ((self.poles[1] * 32_512) >> 15)).clamp(-12_288, 12_288);
        // UPPOL1
        let sign = if alike(self.partial[0]) { 192 } else { -192 };
        let most = saturate(15_360 - second);
        let first = saturate(sign + ((self.poles[0] * 32_640) >> 15)).clamp(-most, most);
        // UPZERO
        let gain = if difference == 0 { 0 } else { 128 };
        for (zero, &before) in self.zeros.iter_mut().zip(&self.differences) {
            let sign = if (before < 0) == (difference < 0) { gain } else { -gain };
            *zero = saturate(sign + ((*zero * 32_640) >> 15));
        }

        // DELAYA
        self.differences.copy_within(..5, 1);
        self.differences[0] = difference;
        self.heard = [heard, self.heard[0]];
        self.partial = [partial, self.partial[0]];
        self.poles = [first, second];

        // FILTEP, FILTEZ, PREDIC
        let share = |coefficient: i32, of: i32| (coefficient * saturate(2 * of)) >> 15;
        let from_poles = saturate(share(first, self.heard[0]) + share(second, self.heard[1]));
        let zeros = self.zeros.iter().zip(&self.differences);
        self.from_zeros = saturate(zeros.map(|(&zero, &of)| share(zero, of)).sum());
        self.estimate = saturate(from_poles + self.from_zeros);
    }
}

/// The logarithm of the lower band's step after a code of 4 bits (LOGSCL).
fn next_low(log_step: i32, code: usize) -> i32 {
    (((log_step * 127) >> 7) + STEPS_LOW[code]).clamp(0, LARGEST_LOW)
}

/// A step from its logarithm.
fn scale(log: i32, shift: i32) -> i32 {
    let mantissa = OCTAVE[(log >> 6) as usize & 31];
    let shift = shift - (log >> 11);
    (if shift < 0 { mantissa << -shift } else { mantissa >> shift }) << 2
}

fn saturate(value: i32) -> i32 {
    value.clamp(-32_768, 32_767)
}

/// LIMIT: what the mirror filter can take.
fn limit(value: i32) -> i32 {
    value.clamp(-16_384, 16_383)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Words(u64);

    impl Words {
        fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            self.0
        }
    }

    /// FNV-1a, to compare long vectors by.
    fn hash(bytes: impl IntoIterator<Item = u8>) -> u64 {
        bytes
            .into_iter()
            .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3))
    }

    fn encoded(samples: &[i16]) -> Vec<u8> {
        let (mut bytes, mut encoder) = (Vec::new(), Encoder::new());
        // In pieces as they come in calls: nothing may depend on where one ends.
        samples.chunks(320).for_each(|piece| encoder.encode(piece, &mut bytes));
        assert_eq!(bytes.len(), samples.len() / 2);
        bytes
    }

    fn decoded(bytes: &[u8]) -> Vec<i16> {
        let (mut out, mut decoder) = (Vec::new(), Decoder::new());
        bytes.chunks(160).for_each(|piece| decoder.decode(piece, &mut out));
        assert_eq!(out.len(), 2 * bytes.len());
        out
    }

    fn both(samples: &[i16]) -> (u64, u64) {
        let bytes = encoded(samples);
        let out = decoded(&bytes);
        (hash(bytes), hash(out.into_iter().flat_map(i16::to_le_bytes)))
    }

    #[test]
    fn a_decoder_that_follows_what_was_made_up_finds_the_next_packet_as_the_encoder_left_it() {
        // A hum that grows tenfold during the hole: the step must have grown with it.
        let hum = |n: usize| {
            let loud = if n < 3200 { 800.0 } else { 8000.0 };
            (loud * (n as f32 * 0.16).sin() + loud / 3.0 * (n as f32 * 0.41).sin()) as i16
        };
        let samples: Vec<i16> = (0..6400).map(hum).collect();
        let bytes = encoded(&samples);
        let whole = decoded(&bytes);
        let error = |follows: bool| {
            let (mut decoder, mut out) = (Decoder::new(), Vec::new());
            decoder.decode(&bytes[..1600], &mut out);
            if follows {
                decoder.follow(&whole[3200..3520], &whole[3520..3520 + AHEAD]);
            }
            out.clear();
            decoder.decode(&bytes[1760..1800], &mut out);
            let far =
                out.iter().zip(&whole[3520..3600]).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
            far.sum::<f64>().sqrt()
        };
        assert!(error(true) < error(false) / 4.0, "{} {}", error(true), error(false));
    }

    #[test]
    fn two_seconds_of_anything_agree_to_the_bit_with_another_implementation() {
        // The figures are those of spandsp 0.0.6 (g722_encode and g722_decode at 64000 bit/s), which took the same
        // signals; it is the codec of baresip and FreeSWITCH. What is too loud wraps round there in the decoder, where
        // the Recommendation has it saturate: so the two signals of full level go to the encoder alone.
        let mut words = Words(1);
        let noise: Vec<i16> = (0..32_000).map(|_| ((words.next() >> 48) as u16 ^ 0x8000) as i16).collect();
        let ramp: Vec<i16> = (0..32_000_u32).map(|n| ((n * 977 % 65_536) as u16 ^ 0x8000) as i16).collect();
        let shifted = |samples: &[i16], by: u32| samples.iter().map(|&s| s >> by).collect::<Vec<i16>>();
        let mut words = Words(2);
        let other: Vec<i16> = (0..32_000).map(|_| ((words.next() >> 48) as u16 ^ 0x8000) as i16).collect();
        let square: Vec<i16> = (0..32_000).map(|n| if n / 20 % 2 == 0 { 20_000 } else { -20_000 }).collect();
        assert_eq!(hash(encoded(&noise)), 0xD462_D270_3119_0F93);
        assert_eq!(hash(encoded(&ramp)), 0xDBD6_2B8B_E6B9_7268);
        assert_eq!(both(&shifted(&noise, 1)), (0xAE52_04ED_0A5A_3FAA, 0xCF86_D162_662C_97FB));
        assert_eq!(both(&shifted(&ramp, 1)), (0xB5C8_502A_2241_B1CD, 0xB625_6C22_B1F7_D3DB));
        assert_eq!(both(&shifted(&other, 6)), (0x413F_DC17_3495_6CD5, 0x0ABF_C134_283E_0B8E));
        assert_eq!(both(&square), (0xAD95_7B97_ED6D_F713, 0xB92B_9416_1D13_BBBD));
    }

    #[test]
    fn bytes_that_no_encoder_made_saturate_and_end_when_speech_goes_on() {
        let mut words = Words(3);
        let bytes: Vec<u8> = (0..16_000).map(|_| (words.next() >> 56) as u8).collect();
        let loud = decoded(&bytes);
        assert!(loud.contains(&i16::MAX) && loud.contains(&i16::MIN));
        // A decoder that has met anything at all follows the encoder again.
        let tone: Vec<i16> = (0..16_000).map(|n| (8000.0 * (n as f32 * 0.3).sin()) as i16).collect();
        let mut mixed = bytes;
        mixed.extend(encoded(&tone));
        let again = decoded(&mixed);
        let alone = decoded(&encoded(&tone));
        let worst = again[40_000..]
            .iter()
            .zip(&alone[8_000..])
            .map(|(a, b)| (i32::from(*a) - i32::from(*b)).abs())
            .max();
        assert!(worst.expect("samples") < 400, "{worst:?}");
    }

    #[test]
    fn an_odd_sample_and_nothing_at_all_are_no_trouble() {
        let mut bytes = Vec::new();
        Encoder::new().encode(&[1, 2, 3], &mut bytes);
        Encoder::new().encode(&[], &mut bytes);
        assert_eq!(bytes.len(), 1);
        let mut out = Vec::new();
        Decoder::new().decode(&[], &mut out);
        assert!(out.is_empty());
    }
}
