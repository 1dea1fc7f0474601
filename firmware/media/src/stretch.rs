//! Makes a stretch of speech a little shorter or longer without a click, by one of its own periods.
//!
//! Used by the jitter buffer to gain or lose time. Not done here: deciding when.

/// Shortest and longest piece removed or added at 48 kHz: 2.5 ms to 10 ms.
const LAGS: std::ops::RangeInclusive<usize> = 120..=480;
/// Only every sixth sample is compared: speech has its periods below 4 kHz.
const STRIDE: usize = 6;
/// How alike two pieces must be to take one for the other: 1.0 is the same.
const ALIKE: f32 = 0.85;
/// Nothing much is heard below this level, as root of the mean square.
const QUIET: f32 = 60.0;
/// A pause in front of noise: at most so many times as loud as the least of late, and by so much softer than speech.
const NEAR_FLOOR: f32 = 2.0;
const BELOW_SPEECH: f32 = 8.0;
/// How the least and the loudest of late drift back with each millisecond: by a third in a second, by half in four.
const RISE: f32 = 1.0003;
const FALL: f32 = 0.9998;
/// Milliseconds of quiet that are a pause: the stops inside of words (p, t, k) are shorter.
const PAUSE_MS: usize = 60;
/// Samples of a millisecond.
const PER_MS: usize = 48;
/// A piece this short cannot lose ten milliseconds.
pub(crate) const MIN_LENGTH: usize = 2 * 480;

/// Finds the pauses of speech, in front of noise too.
#[derive(Default)]
pub(crate) struct Pauses {
    /// The least and the loudest level of late.
    floor: Option<f32>,
    speech: f32,
    /// Samples for which it has been quiet.
    quiet: usize,
}

impl Pauses {
    /// Takes what is played next, at 48 kHz. True when it belongs to a pause that had begun before.
    pub(crate) fn hear(&mut self, samples: &[i16]) -> bool {
        let (level, ms) = (level(samples), (samples.len() / PER_MS) as i32);
        let floor = self.floor.map_or(level, |floor| level.min(floor.max(1.0) * RISE.powi(ms)));
        self.floor = Some(floor);
        self.speech = level.max(self.speech * FALL.powi(ms));
        let noise = level < NEAR_FLOOR * floor && BELOW_SPEECH * level < self.speech;
        let paused = self.quiet >= PAUSE_MS * PER_MS;
        let quiet = level < QUIET || noise;
        self.quiet = if quiet { self.quiet + samples.len() } else { 0 };
        quiet && paused
    }
}

/// Removes one period from the front of `samples` (at least [`MIN_LENGTH`]); returns how many samples went.
pub(crate) fn shorten(samples: &mut Vec<i16>) -> usize {
    if samples.len() < MIN_LENGTH {
        return 0;
    }
    period(samples).map_or(0, |lag| remove(samples, lag))
}

/// Likewise of a pause, where one piece is as good as another: the longest goes, or all of what is shorter than that.
pub(crate) fn shorten_pause(samples: &mut Vec<i16>) -> usize {
    let length = samples.len();
    if length < MIN_LENGTH {
        samples.clear();
        return length;
    }
    remove(samples, *LAGS.end())
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

/// Fades from the first piece of `lag` samples to the second, which goes.
fn remove(samples: &mut Vec<i16>, lag: usize) -> usize {
    for n in 0..lag {
        samples[n] = fade(samples[n], samples[n + lag], n, lag);
    }
    samples.drain(lag..2 * lag);
    lag
}

/// From `a` to `b` as `n` goes from 0 to `length`.
fn fade(a: i16, b: i16, n: usize, length: usize) -> i16 {
    let (a, b, n, length) = (i32::from(a), i32::from(b), n as i32, length as i32);
    ((a * (length - n) + b * n) / length) as i16
}

/// Root of the mean square.
fn level(samples: &[i16]) -> f32 {
    let energy: f32 = samples.iter().step_by(STRIDE).map(|&s| f32::from(s) * f32::from(s)).sum();
    (energy * STRIDE as f32 / samples.len().max(1) as f32).sqrt()
}

/// The length of the piece that is most like the one after it, if any is like enough, or nothing much is heard.
fn period(samples: &[i16]) -> Option<usize> {
    if level(samples) < QUIET {
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
        let mut noise = noise(960, 0.06);
        assert_eq!((shorten(&mut noise), lengthen(&mut noise), noise.len()), (0, 0, 960));
    }

    /// So much quieter than [`tone`], and noise: its level in full scale is `level`.
    fn noise(count: usize, level: f32) -> Vec<i16> {
        let mut number = 1_u32;
        (0..count)
            .map(|_| {
                number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                ((number >> 16) as i16 as f32 * level) as i16
            })
            .collect()
    }

    /// In which frames of 20 ms somebody pauses.
    fn paused(sound: &[i16]) -> Vec<bool> {
        let mut pauses = Pauses::default();
        sound.chunks(960).map(|frame| pauses.hear(frame)).collect()
    }

    #[test]
    fn a_pause_is_quiet_for_longer_than_a_stop_inside_a_word() {
        let stop = [tone(4800), vec![0; 2 * 960], tone(4800)].concat();
        assert!(paused(&stop).iter().all(|paused| !paused));
        let pause = [tone(4800), vec![0; 10 * 960], tone(4800)].concat();
        let expected: Vec<bool> = (0..20).map(|n| (8..15).contains(&n)).collect();
        assert_eq!(paused(&pause), expected);
    }

    #[test]
    fn there_are_pauses_in_front_of_noise_and_none_in_music() {
        let humming = |count| tone(count).iter().zip(noise(count, 0.01)).map(|(a, b)| a + b).collect();
        let speech: Vec<i16> = [noise(48_000, 0.01), humming(48_000), noise(48_000, 0.01)].concat();
        let found = paused(&speech);
        assert!(found[..100].iter().all(|paused| !paused));
        assert!(found[105..].iter().all(|paused| *paused), "{found:?}");
        assert!(paused(&tone(480_000)).iter().all(|paused| !paused));
    }

    #[test]
    fn a_pause_loses_ten_milliseconds_whatever_it_sounds_like() {
        let mut pause = noise(960, 0.01);
        let limit = largest_step(&pause);
        assert_eq!((shorten_pause(&mut pause), pause.len()), (480, 480));
        assert!(largest_step(&pause) <= limit);
        let mut short = noise(480, 0.01);
        assert_eq!((shorten_pause(&mut short), short.len()), (480, 0));
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
