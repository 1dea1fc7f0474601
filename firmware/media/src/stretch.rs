//! Makes a stretch of speech a little shorter or longer without a click, by one of its own periods.
//!
//! Used by the jitter buffer to gain or lose time. Not done here: deciding when.

/// Shortest and longest piece removed or added at 48 kHz: 2.5 ms to 10 ms.
const LAGS: std::ops::RangeInclusive<usize> = 120..=480;
/// Only every sixth sample is compared: speech has its periods below 4 kHz.
const STRIDE: usize = 6;
/// How alike two pieces must be to take one for the other: 1.0 is the same.
const ALIKE: f32 = 0.85;
/// Speech is said to pause below this level.
const QUIET: f32 = 60.0;
/// A piece this short cannot lose ten milliseconds.
pub(crate) const MIN_LENGTH: usize = 2 * 480;

/// Removes one period from the front of `samples` (at least [`MIN_LENGTH`]); returns how many samples went.
pub(crate) fn shorten(samples: &mut Vec<i16>) -> usize {
    if samples.len() < MIN_LENGTH {
        return 0;
    }
    let Some(lag) = period(samples) else { return 0 };
    for n in 0..lag {
        samples[n] = fade(samples[n], samples[n + lag], n, lag);
    }
    samples.drain(lag..2 * lag);
    lag
}

/// Likewise, if all of it is a pause; else nothing goes.
pub(crate) fn shorten_pause(samples: &mut Vec<i16>) -> usize {
    if is_pause(samples) { shorten(samples) } else { 0 }
}

/// Repeats one period at the front of `samples` (at least [`MIN_LENGTH`]); returns how many were added.
pub(crate) fn lengthen(samples: &mut Vec<i16>) -> usize {
    if samples.len() < MIN_LENGTH {
        return 0;
    }
    let Some(lag) = period(samples) else { return 0 };
    let blended: Vec<i16> = (0..lag).map(|n| fade(samples[n + lag], samples[n], n, lag)).collect();
    samples.splice(lag..lag, blended);
    lag
}

/// From `a` to `b` as `n` goes from 0 to `length`.
fn fade(a: i16, b: i16, n: usize, length: usize) -> i16 {
    let (a, b, n, length) = (i32::from(a), i32::from(b), n as i32, length as i32);
    ((a * (length - n) + b * n) / length) as i16
}

/// Whether nothing much is heard in it.
fn is_pause(samples: &[i16]) -> bool {
    let energy: f32 = samples.iter().step_by(STRIDE).map(|&s| f32::from(s) * f32::from(s)).sum();
    energy * (STRIDE as f32) < QUIET * QUIET * samples.len() as f32
}

/// The length of the piece that is most like the one after it, if any is like enough, or nothing much is heard.
fn period(samples: &[i16]) -> Option<usize> {
    if is_pause(samples) {
        return Some(*LAGS.end());
    }
    let compared = MIN_LENGTH - LAGS.end();
    let own: f32 = samples[..compared].iter().step_by(STRIDE).map(|&s| f32::from(s) * f32::from(s)).sum();
    let score = |lag: usize| {
        let (mut product, mut energy) = (0.0_f32, 1.0_f32);
        for n in (0..compared).step_by(STRIDE) {
            let (a, b) = (f32::from(samples[n]), f32::from(samples[n + lag]));
            product += a * b;
            energy += b * b;
        }
        product / (energy * own).sqrt()
    };
    // On a tie the longest wins: the last of equals is the maximum.
    LAGS.step_by(STRIDE)
        .map(|lag| (lag, score(lag)))
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .filter(|(_, alike)| *alike >= ALIKE)
        .map(|(lag, _)| lag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(count: usize) -> Vec<i16> {
        (0..count)
            .map(|n| (8000.0 * (n as f32 * 2.0 * std::f32::consts::PI * 400.0 / 48_000.0).sin()) as i16)
            .collect()
    }

    fn largest_step(samples: &[i16]) -> i32 {
        samples.windows(2).map(|w| (i32::from(w[1]) - i32::from(w[0])).abs()).max().unwrap_or(0)
    }

    #[test]
    fn a_tone_gets_shorter_and_longer_without_a_click() {
        let original = tone(960);
        let limit = largest_step(&original) * 11 / 10;
        let mut shorter = original.clone();
        let removed = shorten(&mut shorter);
        assert!(LAGS.contains(&removed));
        assert_eq!(shorter.len(), 960 - removed);
        assert!(largest_step(&shorter) <= limit);
        let mut longer = original.clone();
        let added = lengthen(&mut longer);
        assert!(LAGS.contains(&added));
        assert_eq!(longer.len(), 960 + added);
        assert!(largest_step(&longer) <= limit);
    }

    #[test]
    fn what_has_no_period_is_left_alone() {
        let mut number = 1_u32;
        let mut noise: Vec<i16> = (0..960)
            .map(|_| {
                number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (number >> 20) as i16
            })
            .collect();
        assert_eq!((shorten(&mut noise), lengthen(&mut noise), noise.len()), (0, 0, 960));
    }

    #[test]
    fn a_pause_is_shortened_where_speech_is_not() {
        let mut pause: Vec<i16> = tone(960).iter().map(|sample| sample / 400).collect();
        assert_eq!(shorten_pause(&mut pause), 480);
        let mut speech = tone(960);
        assert_eq!((shorten_pause(&mut speech), speech.len()), (0, 960));
        // A word that begins in the last quarter is speech.
        let mut word = [vec![0; 720], tone(240)].concat();
        assert_eq!(shorten_pause(&mut word), 0);
    }

    #[test]
    fn silence_changes_by_the_most_at_once() {
        let mut silence = vec![0; 960];
        assert_eq!(shorten(&mut silence), 480);
    }

    #[test]
    fn what_is_too_short_is_left_alone() {
        let mut short = tone(480);
        assert_eq!(shorten(&mut short), 0);
        assert_eq!(lengthen(&mut short), 0);
        assert_eq!(short.len(), 480);
    }
}
