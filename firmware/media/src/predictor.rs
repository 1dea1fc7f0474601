//! A linear predictor of speech: learns how the mouth is shaped, and speaks with it.

/// Milliseconds it learns from.
const LEARN_MS: usize = 25;
/// Widens the resonances a little, so that nothing made up rings longer than speech does.
const WIDEN: f32 = 0.99;
/// A floor under the spectrum: -40 dB, so that silence can be predicted too.
const FLOOR: f32 = 1.0001;

/// The predictor, and the newest samples that it goes on from.
#[derive(Clone)]
pub(crate) struct Predictor {
    order: usize,
    learn: usize,
    coefficients: Vec<f32>,
    /// The newest first.
    memory: Vec<f32>,
}

impl Predictor {
    /// For so many samples in a millisecond: order 10 at 8 kHz, 18 at 16 kHz.
    pub(crate) fn new(per_ms: usize) -> Predictor {
        let order = per_ms + 2;
        Predictor {
            order,
            learn: LEARN_MS * per_ms,
            coefficients: vec![0.0; order],
            memory: vec![0.0; order],
        }
    }

    /// Learns from the newest of `history`, and goes on from its end. Gives back what excited it: the residual, as long as
    /// the history less the order of the predictor.
    pub(crate) fn learn(&mut self, history: &[f32]) -> Vec<f32> {
        let newest = &history[history.len() - self.learn..];
        let last = (newest.len() - 1) as f32;
        let window = |n: usize| 0.54 - 0.46 * (std::f32::consts::TAU * n as f32 / last).cos();
        let windowed: Vec<f32> = newest.iter().enumerate().map(|(n, sample)| sample * window(n)).collect();
        self.coefficients = solve(&correlation(&windowed, self.order));
        let mut widened = 1.0;
        for coefficient in &mut self.coefficients {
            widened *= WIDEN;
            *coefficient *= widened;
        }
        self.memory = history.iter().rev().take(self.order).copied().collect();
        history
            .windows(self.order + 1)
            .map(|some| {
                let (past, now) = (&some[..self.order], some[self.order]);
                now - past.iter().rev().zip(&self.coefficients).map(|(a, b)| a * b).sum::<f32>()
            })
            .collect()
    }

    /// The next sample, so excited.
    pub(crate) fn speak(&mut self, excitation: f32) -> f32 {
        let expected: f32 = self.memory.iter().zip(&self.coefficients).map(|(a, b)| a * b).sum();
        let sample = (excitation + expected).clamp(-32_768.0, 32_767.0);
        self.memory.rotate_right(1);
        self.memory[0] = sample;
        sample
    }
}

fn correlation(samples: &[f32], order: usize) -> Vec<f32> {
    let product = |lag: usize| samples[lag..].iter().zip(samples).map(|(a, b)| a * b).sum::<f32>();
    let mut all: Vec<f32> = (0..=order).map(product).collect();
    all[0] = all[0] * FLOOR + 1.0;
    all
}

/// Levinson and Durbin: the coefficients that predict best by this correlation.
fn solve(correlation: &[f32]) -> Vec<f32> {
    let order = correlation.len() - 1;
    let mut found: Vec<f32> = Vec::with_capacity(order);
    let mut error = correlation[0];
    for n in 0..order {
        let known: f32 = found.iter().enumerate().map(|(m, a)| a * correlation[n - m]).sum();
        let reflection = (correlation[n + 1] - known) / error;
        let before = found.clone();
        for (m, a) in found.iter_mut().enumerate() {
            *a -= reflection * before[n - 1 - m];
        }
        found.push(reflection);
        error *= 1.0 - reflection * reflection;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resonance_is_learnt_and_its_excitation_found() {
        // One pulse every 80 samples through one resonance.
        let (mut a, mut b) = (0.0, 0.0);
        let voice: Vec<f32> = (0..400)
            .map(|n| {
                let now = if n % 80 == 0 { 1000.0 } else { 0.0 } + 1.6 * a - 0.81 * b;
                (a, b) = (now, a);
                now
            })
            .collect();
        let mut predictor = Predictor::new(8);
        let residual = predictor.learn(&voice);
        assert_eq!(residual.len(), 390);
        let energy = |samples: &[f32]| samples.iter().map(|sample| sample * sample).sum::<f32>();
        assert!(energy(&residual[110..]) < energy(&voice[120..]) / 10.0);
        // Excited by nothing, it rings on as the resonance does.
        let next = predictor.speak(0.0);
        assert!(
            (next - (1.6 * a - 0.81 * b)).abs() < 0.1 * voice.iter().fold(0.0, |m: f32, s| m.max(s.abs())),
            "{next}"
        );
    }

    #[test]
    fn it_never_rings_louder_and_louder() {
        // A sine is what a predictor is most tempted to continue for ever.
        let sine: Vec<f32> = (0..400).map(|n| 20_000.0 * (n as f32 * 0.7).sin()).collect();
        let mut predictor = Predictor::new(8);
        predictor.learn(&sine);
        let rung: Vec<f32> = (0..8000).map(|_| predictor.speak(0.0)).collect();
        assert!(rung.iter().all(|sample| sample.abs() <= 25_000.0));
        assert!(rung[4000..].iter().all(|sample| sample.abs() < 2000.0));
    }
}
