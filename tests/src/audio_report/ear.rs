//! What was heard, and when: samples whose first has its place in time.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::sound::Recording;

/// A recording whose first sample was played at `from`.
pub(super) struct Heard {
    pub(super) from: Instant,
    pub(super) recording: Recording,
}

/// Where in time pieces of a recording were played: the moment, and the sample that began then.
#[derive(Default)]
pub(super) struct Moments(Vec<(Instant, usize)>);

impl Moments {
    /// Takes note that `sample` was played from `at` on.
    pub(super) fn note(&mut self, at: Instant, sample: usize) {
        self.0.push((at, sample));
    }

    /// When the first sample of a recording at `rate` was played, by those noted from `begin` to `end`: the median of what
    /// each says, for each may have been noted a little late. None when nothing was noted.
    pub(super) fn origin(&self, rate: u32, begin: Instant, end: Instant) -> Option<Instant> {
        let length = |sample: usize| Duration::from_secs_f64(sample as f64 / f64::from(rate));
        let noted = self.0.iter().filter(|(at, _)| (begin..end).contains(at));
        let mut origins: Vec<Instant> =
            noted.filter_map(|(at, sample)| at.checked_sub(length(*sample))).collect();
        origins.sort_unstable();
        origins.get(origins.len() / 2).copied()
    }
}

impl Heard {
    /// The part from `begin` to `end`.
    pub(super) fn part(&self, begin: Instant, end: Instant) -> Self {
        let skipped = begin.saturating_duration_since(self.from);
        let recording = self.recording.part(skipped, end.saturating_duration_since(self.from.max(begin)));
        // Whole samples only were skipped: less than a twentieth of a millisecond.
        Self { from: self.from + skipped, recording }
    }

    /// Writes it, for who judges it.
    pub(super) fn write(&self, path: PathBuf) -> PathBuf {
        self.recording.write(&path);
        path
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_origin_is_what_most_moments_say() {
        let start = Instant::now();
        let ms = |ms| Duration::from_millis(ms);
        let mut moments = Moments::default();
        for n in 0..100_u64 {
            let late = if n % 10 == 0 { 30 } else { 0 };
            moments.note(start + ms(500 + 20 * n + late), 160 * n as usize);
        }
        assert_eq!(moments.origin(8000, start, start + ms(10_000)), Some(start + ms(500)));
        assert_eq!(moments.origin(8000, start, start), None);
    }

    #[test]
    fn a_part_keeps_its_place_in_time() {
        let from = Instant::now();
        let recording = Recording { rate: 1000, samples: (0..100).collect() };
        let ms = |ms| from + Duration::from_millis(ms);
        let part = Heard { from, recording }.part(ms(20), ms(50));
        assert_eq!((part.from, part.recording.samples), (ms(20), (20..50).collect::<Vec<i16>>()));
    }
}
