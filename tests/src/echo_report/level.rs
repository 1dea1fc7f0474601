//! Levels in dB, and how alike two sounds are.

/// Samples in 20 ms at 48 kHz.
pub(super) const PIECE: usize = 960;
/// Nothing at all, in dBFS.
const FLOOR: f64 = -120.0;

/// Mean square.
pub(super) fn power(sound: &[f64]) -> f64 {
    sound.iter().map(|sample| sample * sample).sum::<f64>() / sound.len().max(1) as f64
}

/// The level in dBFS.
pub(super) fn dbfs(sound: &[f64]) -> f64 {
    (10.0 * (power(sound) / 32_768_f64.powi(2)).log10()).max(FLOOR)
}

/// The level of the loudest 20 ms, in dBFS.
pub(super) fn loudest(sound: &[f64]) -> f64 {
    sound.chunks_exact(PIECE).map(dbfs).fold(FLOOR, f64::max)
}

/// By how much `after` is quieter than `before`, in dB.
pub(super) fn taken_away(before: &[f64], after: &[f64]) -> f64 {
    dbfs(before) - dbfs(after)
}

/// How alike two sounds are: the correlation coefficient.
pub(super) fn alike(one: &[f64], other: &[f64]) -> f64 {
    let product: f64 = one.iter().zip(other).map(|(a, b)| a * b).sum();
    let length = one.len().min(other.len()).max(1) as f64;
    product / length / (power(one) * power(other)).sqrt().max(f64::MIN_POSITIVE)
}

/// By how many samples `later` comes after `sooner`, up to `most`.
pub(super) fn lag(sooner: &[f64], later: &[f64], most: usize) -> usize {
    let length = sooner.len().min(later.len()).saturating_sub(most);
    let like = |by: usize| alike(&sooner[..length], &later[by..by + length]).abs();
    (0..=most).max_by(|a, b| like(*a).total_cmp(&like(*b))).unwrap_or(0)
}

/// The share of the 20 ms pieces with speech in `wanted` that are quieter by more than 12 dB in `got`.
pub(super) fn lost(wanted: &[f64], got: &[f64]) -> f64 {
    let speech = dbfs(wanted) - 15.0;
    let pairs = wanted.chunks_exact(PIECE).zip(got.chunks_exact(PIECE));
    let spoken: Vec<f64> =
        pairs.filter(|(wanted, _)| dbfs(wanted) > speech).map(|(a, b)| taken_away(a, b)).collect();
    spoken.iter().filter(|loss| **loss > 12.0).count() as f64 / spoken.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hum(samples: usize) -> Vec<f64> {
        (0..samples).map(|n| 3276.8 * (n as f64 * 0.1 + (n as f64 * 0.003).sin() * 9.0).sin()).collect()
    }

    #[test]
    fn levels_are_what_they_are_called() {
        let loud = vec![32_768.0; PIECE];
        assert!(dbfs(&loud).abs() < 1e-9 && (dbfs(&[0.0; PIECE]) - FLOOR).abs() < 1e-9);
        let quiet: Vec<f64> = loud.iter().map(|sample| sample / 10.0).collect();
        assert!((taken_away(&loud, &quiet) - 20.0).abs() < 1e-9);
        assert!((loudest(&[quiet, loud].concat())).abs() < 1e-9);
    }

    #[test]
    fn what_comes_later_is_found_and_is_alike() {
        let hum = hum(20_000);
        let later = [vec![0.0; 431], hum.clone()].concat();
        assert_eq!(lag(&hum, &later, 800), 431);
        assert!((alike(&hum, &hum) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_syllable_that_is_gone_is_counted() {
        let spoken = hum(PIECE * 10);
        let mut got = spoken.clone();
        got[..PIECE].fill(0.0);
        assert!((lost(&spoken, &got) - 0.1).abs() < 1e-9);
    }
}
