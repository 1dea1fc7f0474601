//! How long the engine's turns take: counted as they happen, read by whoever asks.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Upper bounds of the buckets, in microseconds; the last bucket has none.
const BOUNDS_US: [u64; 14] = [10, 20, 50, 100, 200, 350, 500, 750, 1000, 1500, 2000, 5000, 10_000, 50_000];

/// A histogram that is written by the engine and read by anybody.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    buckets: [AtomicU64; BOUNDS_US.len() + 1],
    longest_us: AtomicU64,
}

impl Turns {
    /// Counts one turn.
    pub(crate) fn record(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_US.partition_point(|&bound| bound < us);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.longest_us.fetch_max(us, Ordering::Relaxed);
    }

    /// The figures so far.
    pub(crate) fn figures(&self) -> ipc::TurnFigures {
        let counts: Vec<u64> = self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect();
        let turns: u64 = counts.iter().sum();
        let longest_us = self.longest_us.load(Ordering::Relaxed);
        let quantile = |share: f64| {
            // Rounding up keeps the figure on the safe side.
            let rank = (turns as f64 * share).ceil() as u64;
            let mut seen = 0;
            let bucket = counts.iter().position(|&count| {
                seen += count;
                seen >= rank
            });
            bucket.and_then(|bucket| BOUNDS_US.get(bucket).copied()).unwrap_or(longest_us).min(longest_us)
        };
        let over_2_ms = counts[BOUNDS_US.partition_point(|&bound| bound <= 2000)..].iter().sum();
        ipc::TurnFigures { turns, median_us: quantile(0.5), p99_us: quantile(0.99), longest_us, over_2_ms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_name_the_bucket_that_holds_the_rank() {
        let turns = Turns::default();
        for _ in 0..98 {
            turns.record(Duration::from_micros(15));
        }
        turns.record(Duration::from_micros(900));
        turns.record(Duration::from_micros(2500));
        let figures = turns.figures();
        assert_eq!((figures.turns, figures.median_us, figures.p99_us), (100, 20, 1000));
        assert_eq!((figures.longest_us, figures.over_2_ms), (2500, 1));
    }

    #[test]
    fn no_turns_no_figures() {
        assert_eq!(Turns::default().figures(), ipc::TurnFigures::default());
    }
}
