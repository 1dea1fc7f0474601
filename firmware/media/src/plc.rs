//! What is played when packets of G.711 or G.722 are missing: the last pitch period again, fading out in 60 ms.
//!
//! The idea is that of ITU-T G.711 appendix I, much simplified. Opus conceals by itself.

/// Samples remembered, at 8 kHz: 40 ms.
const HISTORY: usize = 320;
/// Shortest and longest pitch period looked for: 400 Hz down to 50 Hz.
const SHORTEST: usize = 20;
const LONGEST: usize = 160;
/// Samples compared when looking for the period.
const COMPARE: usize = 160;
/// Samples at full level before the fade: 10 ms.
const HOLD: usize = 80;
/// Samples the fade takes: 50 ms.
const FADE: usize = 400;
/// Samples over which real speech replaces made-up speech: 4 ms.
const BLEND: usize = 32;

/// Fills gaps in speech.
pub(crate) struct Concealer {
    /// How much faster than 8 kHz: all lengths above are that much longer.
    scale: usize,
    history: Vec<i16>,
    lag: usize,
    /// Samples made up since the last real one.
    made: usize,
}

impl Concealer {
    /// For speech at `rate` Hz, a multiple of 8,000.
    pub(crate) fn new(rate: u32) -> Concealer {
        let scale = (rate / 8_000) as usize;
        Concealer { scale, history: vec![0; HISTORY * scale], lag: LONGEST * scale, made: 0 }
    }

    /// Remembers real speech, and blends its beginning with what was made up before it.
    pub(crate) fn good(&mut self, samples: &mut [i16]) {
        if self.made > 0 {
            let blend = (BLEND * self.scale).min(samples.len());
            for (n, sample) in samples[..blend].iter_mut().enumerate() {
                let (made, real) = (i32::from(self.next()), i32::from(*sample));
                let n = n as i32;
                *sample = ((made * (blend as i32 - n) + real * n) / blend as i32) as i16;
            }
            self.made = 0;
        }
        self.remember(samples);
    }

    /// Makes up `count` samples and appends them.
    pub(crate) fn conceal(&mut self, count: usize, out: &mut Vec<i16>) {
        if self.made == 0 {
            self.lag = self.period();
        }
        out.extend((0..count).map(|_| self.next()));
    }

    /// The next made-up sample. The history is left alone: its last period is read again and again.
    fn next(&mut self) -> i16 {
        let sample = self.history[self.history.len() - self.lag + self.made % self.lag];
        let fade = FADE * self.scale;
        let faded = self.made.saturating_sub(HOLD * self.scale).min(fade);
        self.made += 1;
        // Between 0 and the sample itself.
        (i32::from(sample) * (fade - faded) as i32 / fade as i32) as i16
    }

    /// The lag at which the recent past is most like itself.
    fn period(&self) -> usize {
        let (length, compare) = (self.history.len(), COMPARE * self.scale);
        let recent = &self.history[length - compare..];
        let score = |lag: usize| {
            let before = &self.history[length - compare - lag..length - lag];
            let (mut product, mut energy) = (0.0_f32, 1.0_f32);
            for (&a, &b) in recent.iter().zip(before) {
                product += f32::from(a) * f32::from(b);
                energy += f32::from(b) * f32::from(b);
            }
            product / energy.sqrt()
        };
        (SHORTEST * self.scale..=LONGEST * self.scale)
            .map(|lag| (lag, score(lag)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .map_or(LONGEST * self.scale, |best| best.0)
    }

    fn remember(&mut self, samples: &[i16]) {
        let length = self.history.len();
        let new = samples.len().min(length);
        self.history.copy_within(new.., 0);
        self.history[length - new..].copy_from_slice(&samples[samples.len() - new..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(from: usize, count: usize) -> Vec<i16> {
        (from..from + count)
            .map(|n| (8000.0 * (2.0 * std::f32::consts::PI * 200.0 * n as f32 / 8000.0).sin()) as i16)
            .collect()
    }

    #[test]
    fn a_gap_of_ten_milliseconds_in_a_steady_tone_is_not_noticed() {
        let mut plc = Concealer::new(8_000);
        plc.good(&mut tone(0, 320));
        let mut made = Vec::new();
        plc.conceal(80, &mut made);
        let worst = made.iter().zip(tone(320, 80)).map(|(a, b)| (i32::from(*a) - i32::from(b)).abs()).max();
        assert!(worst.expect("80 samples") < 200, "{worst:?}");
    }

    #[test]
    fn at_16_khz_as_well() {
        let mut plc = Concealer::new(16_000);
        // The same samples are 400 Hz at this rate.
        plc.good(&mut tone(0, 640));
        let mut made = Vec::new();
        plc.conceal(160, &mut made);
        let worst = made.iter().zip(tone(640, 160)).map(|(a, b)| (i32::from(*a) - i32::from(b)).abs()).max();
        assert!(worst.expect("160 samples") < 200, "{worst:?}");
        plc.conceal(1440, &mut made);
        assert!(made[960..].iter().all(|&s| s == 0));
    }

    #[test]
    fn a_long_gap_fades_to_silence() {
        let mut plc = Concealer::new(8_000);
        plc.good(&mut tone(0, 320));
        let mut made = Vec::new();
        plc.conceal(800, &mut made);
        assert!(made[..80].iter().any(|&s| s.abs() > 7000));
        assert!(made[480..].iter().all(|&s| s == 0));
    }

    #[test]
    fn speech_returns_without_a_step() {
        let mut plc = Concealer::new(8_000);
        plc.good(&mut tone(0, 320));
        let mut made = Vec::new();
        plc.conceal(100, &mut made);
        let mut real = vec![8000_i16; 160];
        plc.good(&mut real);
        let joined: Vec<i32> = made.iter().chain(&real).map(|&s| i32::from(s)).collect();
        let step = joined.windows(2).map(|w| (w[1] - w[0]).abs()).max();
        // A 200 Hz tone of this level steps by 1256 at most on its own.
        assert!(step.expect("samples") < 2000, "{step:?}");
        assert_eq!(real[159], 8000);
    }
}
