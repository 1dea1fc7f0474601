//! A room that is worked out: what its microphone hears of its loudspeaker.

use crate::dice::Dice;

/// Samples in a millisecond.
const MS: f64 = 48.0;
/// How long the room sounds after the first echo, in milliseconds, and how much quieter it is every 10 ms.
const SOUNDS_MS: f64 = 60.0;
const FADES_DB: f64 = 8.0;
/// Reflections besides the direct way.
const REFLECTIONS: usize = 64;
/// Samples looked at on each side of a moment between two samples.
const REACH: usize = 12;

/// Many ways from the loudspeaker to the microphone, each with its delay in samples and its share.
#[derive(Clone, Debug)]
pub(super) struct Room {
    ways: Vec<(usize, f64)>,
}

impl Room {
    /// The direct way takes `delay_ms`; everything that comes back has `loss_db` less than what is played. Another `seed` is
    /// another room.
    pub(super) fn new(delay_ms: f64, loss_db: f64, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let direct = (delay_ms * MS) as usize;
        let mut ways = vec![(direct, 1.0)];
        for _ in 0..REFLECTIONS {
            let after = either_way(&mut dice).abs() * SOUNDS_MS;
            let share = 0.5 * either_way(&mut dice) * 10_f64.powf(-after / 10.0 * FADES_DB / 20.0);
            ways.push((direct + 20 + (after * MS) as usize, share));
        }
        let energy: f64 = ways.iter().map(|(_, share)| share * share).sum();
        let gain = 10_f64.powf(-loss_db / 20.0) / energy.sqrt();
        ways.iter_mut().for_each(|(_, share)| *share *= gain);
        Self { ways }
    }

    /// What comes back of what is played.
    pub(super) fn echo(&self, played: &[f64]) -> Vec<f64> {
        let mut heard = vec![0.0; played.len()];
        for &(delay, share) in &self.ways {
            for (heard, played) in heard.iter_mut().skip(delay).zip(played) {
                *heard += played * share;
            }
        }
        heard
    }
}

/// The same heard by a clock that is quicker by so many millionths: windowed-sinc interpolation.
pub(super) fn drifted(sound: &[f64], millionths: f64) -> Vec<f64> {
    let at = |n: usize| {
        let centre = n as f64 * (1.0 - millionths * 1e-6);
        let first = (centre as usize).saturating_sub(REACH - 1);
        let last = (centre as usize + REACH).min(sound.len() - 1);
        (first..=last).map(|m| sound[m] * kernel(centre - m as f64)).sum()
    };
    (0..sound.len()).map(at).collect()
}

fn kernel(x: f64) -> f64 {
    let angle = std::f64::consts::PI * x;
    let sinc = if x.abs() < 1e-9 { 1.0 } else { angle.sin() / angle };
    sinc * (0.5 + 0.5 * (angle / (REACH + 1) as f64).cos())
}

/// White noise at `dbfs`.
pub(super) fn noise(samples: usize, dbfs: f64, seed: u64) -> Vec<f64> {
    let mut dice = Dice::new(seed);
    let peak = 32_768.0 * 10_f64.powf(dbfs / 20.0) * 3_f64.sqrt();
    (0..samples).map(|_| peak * either_way(&mut dice)).collect()
}

/// -1.0 to 1.0.
fn either_way(dice: &mut Dice) -> f64 {
    const STEPS: u64 = 1 << 32;
    dice.below(2 * STEPS) as f64 / STEPS as f64 - 1.0
}

#[cfg(test)]
mod tests {
    use super::super::level::{dbfs, taken_away};
    use super::*;

    #[test]
    fn a_room_keeps_its_delay_and_its_level() {
        let noise = noise(96_000, -20.0, 3);
        assert!((dbfs(&noise) + 20.0).abs() < 0.2);
        let heard = Room::new(100.0, 6.0, 5).echo(&noise);
        assert!(heard[..4_800].iter().all(|sample| *sample == 0.0) && heard[4_800] != 0.0);
        assert!((taken_away(&noise[..80_000], &heard[16_000..]) - 6.0).abs() < 0.5);
    }

    #[test]
    fn another_clock_changes_the_pitch_by_so_much() {
        let hum: Vec<f64> = (0..48_000).map(|n| 1000.0 * (f64::from(n) * 0.1).sin()).collect();
        let drifted = drifted(&hum, 1000.0);
        let right = |n: usize| 1000.0 * (n as f64 * 0.999 * 0.1).sin();
        assert!((100..47_000).all(|n| (drifted[n] - right(n)).abs() < 1.0));
    }
}
