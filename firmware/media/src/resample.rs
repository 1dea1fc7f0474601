//! 8 or 16 kHz to 48 kHz and back: polyphase windowed-sinc filters, 1.5 ms of delay each way, at 16 kHz half of it.
//!
//! Not done here: any other ratio on the speech path. Files of other rates are converted once, when they are
//! opened, by [`convert`].

use std::f32::consts::PI;

use crate::frame::RATE;

/// Samples of the slower side each output looks at.
const TAPS: usize = 24;
/// Pass band edge as a share of the lower Nyquist frequency: 3.5 kHz of 4, 7 kHz of 8.
const EDGE: f32 = 0.88;

/// Speech at a codec's rate made fit for the devices.
pub(crate) struct Upsampler {
    ratio: usize,
    filter: Box<[f32]>,
    history: [f32; TAPS],
}

impl Upsampler {
    /// From `rate` Hz, which divides 48,000.
    pub(crate) fn new(rate: u32) -> Upsampler {
        let ratio = (RATE / rate) as usize;
        // Each phase sees a part of the filter, so the gain is made up here.
        Upsampler { ratio, filter: lowpass(ratio, ratio as f32), history: [0.0; TAPS] }
    }

    /// Appends [`RATE`] samples for each second of `input`.
    pub(crate) fn process(&mut self, input: &[i16], out: &mut Vec<i16>) {
        for &sample in input {
            self.history.rotate_right(1);
            self.history[0] = f32::from(sample);
            for phase in 0..self.ratio {
                let taps = self.filter[phase..].iter().step_by(self.ratio);
                let sum: f32 = taps.zip(&self.history).map(|(a, b)| a * b).sum();
                out.push(clamp(sum));
            }
        }
    }
}

/// The microphone made fit for a codec of a lower rate.
pub(crate) struct Downsampler {
    ratio: usize,
    filter: Box<[f32]>,
    history: Box<[f32]>,
}

impl Downsampler {
    /// To `rate` Hz, which divides 48,000.
    pub(crate) fn new(rate: u32) -> Downsampler {
        let ratio = (RATE / rate) as usize;
        Downsampler { ratio, filter: lowpass(ratio, 1.0), history: vec![0.0; ratio * TAPS].into() }
    }

    /// Appends one sample for as many of `input` as make one; its length must be a multiple of them.
    pub(crate) fn process(&mut self, input: &[i16], out: &mut Vec<i16>) {
        let start = self.history.len() - self.ratio;
        for some in input.chunks_exact(self.ratio) {
            self.history.copy_within(self.ratio.., 0);
            for (slot, &sample) in self.history[start..].iter_mut().zip(some) {
                *slot = f32::from(sample);
            }
            // The filter is symmetric, so its direction does not matter.
            let sum: f32 = self.filter.iter().zip(&self.history).map(|(a, b)| a * b).sum();
            out.push(clamp(sum));
        }
    }
}

/// Samples of the slower side that [`convert`] looks at, each way.
const REACH: usize = 16;

/// Converts a whole recording by windowed-sinc interpolation. The positions of the output between the
/// samples of the input repeat, so their weights are worked out once: five minutes take a second, not half
/// a minute.
pub(crate) fn convert(input: &[i16], from: u32, to: u32) -> Vec<i16> {
    if from == to || from == 0 || to == 0 || input.is_empty() {
        return input.to_vec();
    }
    let divisor = gcd(from, to);
    // `up` outputs take the room of `down` inputs.
    let (up, down) = ((to / divisor) as usize, (from / divisor) as usize);
    let half = REACH * down.div_ceil(up).max(1);
    let taps = 2 * half + 2;
    let weights = weights(up, down, half);
    let mut padded = vec![0.0_f32; half];
    padded.extend(input.iter().map(|&sample| f32::from(sample)));
    padded.resize(input.len() + taps, 0.0);
    let position = |n: usize| {
        // In 64 bits, because a position times a rate does not fit into 32.
        let at = n as u64 * down as u64;
        ((at / up as u64) as usize, (at % up as u64) as usize)
    };
    let length = (input.len() as u64 * up as u64 / down as u64) as usize;
    (0..length)
        .map(|n| {
            let (first, phase) = position(n);
            let (around, weights) = (&padded[first..first + taps], &weights[phase * taps..][..taps]);
            clamp(around.iter().zip(weights).map(|(sample, weight)| sample * weight).sum())
        })
        .collect()
}

/// For each of `up` positions between two inputs, the weights of the `2 * half + 2` inputs around it.
fn weights(up: usize, down: usize, half: usize) -> Vec<f32> {
    // When going down the filter widens, so that it cuts at the new Nyquist frequency.
    let scale = (down as f64 / up as f64).max(1.0);
    let reach = REACH as f64 * scale;
    let weight = |x: f64| {
        let window = 0.5 + 0.5 * (std::f64::consts::PI * x / reach).cos();
        if x.abs() > reach { 0.0 } else { (sinc(x / scale) / scale * window) as f32 }
    };
    (0..up)
        .flat_map(|phase| {
            let centre = half as f64 + phase as f64 / up as f64;
            (0..2 * half + 2).map(move |tap| weight(tap as f64 - centre))
        })
        .collect()
}

/// The greatest common divisor of two numbers above 0.
fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// A Blackman-windowed sinc with the given gain at 0 Hz.
fn lowpass(ratio: usize, gain: f32) -> Box<[f32]> {
    let length = ratio * TAPS;
    let middle = (length - 1) as f32 / 2.0;
    let tap = |n: usize| {
        let x = (n as f32 - middle) * EDGE / ratio as f32;
        let sinc = if x.abs() < 1e-6 { 1.0 } else { (PI * x).sin() / (PI * x) };
        let angle = 2.0 * PI * n as f32 / (length - 1) as f32;
        sinc * (0.42 - 0.5 * angle.cos() + 0.08 * (2.0 * angle).cos())
    };
    let filter: Vec<f32> = (0..length).map(tap).collect();
    let sum: f32 = filter.iter().sum();
    filter.into_iter().map(|tap| tap * gain / sum).collect()
}

fn sinc(x: f64) -> f64 {
    let x = std::f64::consts::PI * x;
    if x.abs() < 1e-9 { 1.0 } else { x.sin() / x }
}

fn clamp(value: f32) -> i16 {
    // `as` saturates, which is what a loud signal needs.
    value.round() as i16
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn sine(hz: f32, rate: f32, length: usize) -> Vec<i16> {
        (0..length).map(|n| (10_000.0 * (2.0 * PI * hz * n as f32 / rate).sin()) as i16).collect()
    }

    fn rms(samples: &[i16]) -> f32 {
        let sum: f32 = samples.iter().map(|&s| f32::from(s) * f32::from(s)).sum();
        (sum / samples.len() as f32).sqrt()
    }

    /// Power at `hz` relative to the whole, 0.0..=1.0 (Goertzel).
    fn share(samples: &[i16], hz: f32, rate: f32) -> f32 {
        let w = 2.0 * PI * hz / rate;
        let (mut re, mut im) = (0.0, 0.0);
        for (n, &s) in samples.iter().enumerate() {
            re += f32::from(s) * (w * n as f32).cos();
            im += f32::from(s) * (w * n as f32).sin();
        }
        2.0 * (re * re + im * im) / (samples.len() as f32).powi(2) / rms(samples).powi(2)
    }

    #[test]
    fn up_keeps_level_and_leaves_no_image() {
        for (rate, hz) in [(8_000, 1000.0), (16_000, 1000.0), (16_000, 5000.0)] {
            let mut out = Vec::new();
            let input = sine(hz, rate as f32, rate as usize / 5);
            Upsampler::new(rate).process(&input, &mut out);
            assert_eq!(out.len(), 9600);
            let steady = &out[960..8640];
            assert!((rms(steady) / 7071.0 - 1.0).abs() < 0.01, "{rate} {hz}: {}", rms(steady));
            assert!(share(steady, hz, 48_000.0) > 0.9999, "{rate} {hz}: {}", share(steady, hz, 48_000.0));
        }
    }

    #[test]
    fn down_keeps_speech_and_removes_what_would_fold_back() {
        for (rate, kept, removed) in [(8_000, 1000.0, 5000.0), (16_000, 5000.0, 10_000.0)] {
            let mut out = Vec::new();
            Downsampler::new(rate).process(&sine(kept, 48_000.0, 9600), &mut out);
            assert_eq!(out.len(), rate as usize / 5);
            assert!((rms(&out[160..]) / 7071.0 - 1.0).abs() < 0.01, "{rate}: {}", rms(&out[160..]));
            out.clear();
            Downsampler::new(rate).process(&sine(removed, 48_000.0, 9600), &mut out);
            // 40 dB down at least.
            assert!(rms(&out[160..]) < 70.0, "{rate}: {}", rms(&out[160..]));
        }
    }

    #[test]
    fn a_recording_of_another_rate_keeps_its_pitch() {
        for rate in [8000_u16, 16_000, 44_100] {
            let rate = f32::from(rate);
            let out = convert(&sine(440.0, rate, rate as usize), rate as u32, 48_000);
            assert!((out.len() as i32 - 48_000).abs() <= 1);
            assert!(share(&out[4800..43_200], 440.0, 48_000.0) > 0.999);
        }
    }

    #[test]
    fn a_long_recording_is_converted_while_one_waits() {
        // Once it took half a minute, in which no other device was opened.
        let input = sine(440.0, 8_000.0, 200 * 8_000);
        let begun = Instant::now();
        assert_eq!(convert(&input, 8_000, 48_000).len(), 200 * 48_000);
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }

    #[test]
    fn a_rate_that_shares_no_divisor_and_a_recording_of_one_sample_are_converted() {
        for rate in [7_919, 191_999] {
            let out = convert(&sine(440.0, rate as f32, rate as usize), rate, 48_000);
            assert!((47_990..=48_000).contains(&out.len()), "{}", out.len());
            assert!(share(&out, 440.0, 48_000.0) > 0.99);
        }
        assert_eq!(convert(&[1000], 8_000, 48_000).len(), 6);
    }
}
