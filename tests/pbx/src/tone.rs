//! Tones to speak with and to recognise: each simulated party has its own frequency.
//!
//! 8000 samples a second throughout, the rate of G.711. Not done here: packets ([`crate::leg`]).

/// Samples in a second.
pub(crate) const RATE: u32 = 8000;
/// Samples judged at a time: half a second.
pub(crate) const WINDOW: usize = RATE as usize / 2;

/// A quarter of full scale, −12 dBFS: loud, and far from clipping when mixed.
const AMPLITUDE: f64 = 8192.0;
/// Mean power of a window below −50 dBFS counts as silence.
const SILENCE: f64 = 10_737.0;
/// Frequencies looked for, in Hz: the telephone band.
const BAND: (u32, u32) = (200, 3400);
/// The first search sees a tenth of a second, and so frequencies 10 Hz wide.
const COARSE: usize = RATE as usize / 10;

/// An endless sine.
#[derive(Clone, Debug)]
pub(crate) struct Tone {
    step: f64,
    phase: f64,
}

impl Tone {
    pub(crate) fn new(hz: u32) -> Tone {
        Tone { step: std::f64::consts::TAU * f64::from(hz) / f64::from(RATE), phase: 0.0 }
    }

    /// The next sample.
    pub(crate) fn sample(&mut self) -> i16 {
        let value = self.phase.sin() * AMPLITUDE;
        self.phase = (self.phase + self.step) % std::f64::consts::TAU;
        value as i16
    }
}

/// The frequency in Hz that carries at least a quarter of the power; `None` for silence, speech and noise.
pub(crate) fn dominant(samples: &[i16]) -> Option<u32> {
    let total = mean_power(samples);
    if samples.len() < COARSE || total < SILENCE {
        return None;
    }
    let middle = (samples.len() - COARSE) / 2;
    let coarse = &samples[middle..middle + COARSE];
    let rough = loudest((BAND.0..=BAND.1).step_by(10), coarse)?;
    let exact = loudest(rough.saturating_sub(10)..=rough + 10, samples)?;
    (power(exact, samples) >= total / 4.0).then_some(exact)
}

/// Loudness in dB below full scale, rounded; `None` for digital silence.
pub(crate) fn level(samples: &[i16]) -> Option<i32> {
    let power = mean_power(samples);
    (power > 0.0).then(|| (10.0 * (power / (32768.0 * 32768.0)).log10()).round() as i32)
}

fn loudest(frequencies: impl Iterator<Item = u32>, samples: &[i16]) -> Option<u32> {
    frequencies.map(|hz| (hz, power(hz, samples))).max_by(|a, b| a.1.total_cmp(&b.1)).map(|(hz, _)| hz)
}

fn mean_power(samples: &[i16]) -> f64 {
    samples.iter().map(|&s| f64::from(s) * f64::from(s)).sum::<f64>() / samples.len().max(1) as f64
}

/// Mean power at one frequency (Goertzel's algorithm), comparable with [`mean_power`].
fn power(hz: u32, samples: &[i16]) -> f64 {
    let coefficient = 2.0 * (std::f64::consts::TAU * f64::from(hz) / f64::from(RATE)).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for &sample in samples {
        (last, before) = (f64::from(sample) + coefficient * last - before, last);
    }
    let n = samples.len().max(1) as f64;
    2.0 * (last * last + before * before - coefficient * last * before) / (n * n)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: u32, length: usize) -> Vec<i16> {
        let mut tone = Tone::new(hz);
        (0..length).map(|_| tone.sample()).collect()
    }

    #[test]
    fn every_tone_of_the_telephone_band_is_found() {
        for hz in (205..3400).step_by(97) {
            assert_eq!(dominant(&tone(hz, WINDOW)), Some(hz));
        }
    }

    #[test]
    fn two_neighbouring_extensions_are_told_apart_through_g711() {
        use audio_codec_algorithms::{decode_alaw, decode_ulaw, encode_alaw, encode_ulaw};
        for hz in [410, 420, 800] {
            let alaw: Vec<i16> = tone(hz, WINDOW).into_iter().map(|s| decode_alaw(encode_alaw(s))).collect();
            let ulaw: Vec<i16> = tone(hz, WINDOW).into_iter().map(|s| decode_ulaw(encode_ulaw(s))).collect();
            assert_eq!((dominant(&alaw), dominant(&ulaw)), (Some(hz), Some(hz)));
        }
    }

    #[test]
    fn loudness_is_counted_from_full_scale() {
        // A sine of a quarter of full scale: -12 dB, and 3 dB less for a sine.
        assert_eq!(level(&tone(440, WINDOW)), Some(-15));
        assert_eq!(level(&[i16::MIN; 8]), Some(0));
        assert_eq!(level(&[0; 8]), None);
    }

    #[test]
    fn silence_and_noise_are_no_tone() {
        assert_eq!(dominant(&[]), None);
        assert_eq!(dominant(&vec![0; WINDOW]), None);
        assert_eq!(dominant(&vec![40; WINDOW]), None);
        let mut dice = crate::random::Dice::new(1, "noise");
        let noise: Vec<i16> = (0..WINDOW).map(|_| dice.below(16_000) as i16 - 8_000).collect();
        assert_eq!(dominant(&noise), None);
    }
}
