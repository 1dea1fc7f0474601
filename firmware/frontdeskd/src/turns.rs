//! How long the engine's turns take: counted as they happen, read by whoever asks.
//!
//! Two clocks: the wall's, which is what a caller waits, and the processor time of the engine's thread,
//! which is what the engine itself used, whatever else ran on the machine meanwhile.

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
    longest_cpu_us: AtomicU64,
    over_2_ms_cpu: AtomicU64,
}

/// Processor time that the calling thread has used so far.
pub(crate) fn cpu_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for one timespec, and the clock is there on every Linux.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    debug_assert_eq!(result, 0, "the clock of this thread");
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

impl Turns {
    /// Counts one turn: how long it took, and the processor time that it used.
    pub(crate) fn record(&self, took: Duration, used: Duration) {
        let us = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.longest_cpu_us.fetch_max(us(used), Ordering::Relaxed);
        self.over_2_ms_cpu.fetch_add(u64::from(us(used) > 2000), Ordering::Relaxed);
        let us = us(took);
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
        ipc::TurnFigures {
            turns,
            median_us: quantile(0.5),
            p99_us: quantile(0.99),
            longest_us,
            over_2_ms,
            longest_cpu_us: self.longest_cpu_us.load(Ordering::Relaxed),
            over_2_ms_cpu: self.over_2_ms_cpu.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_name_the_bucket_that_holds_the_rank() {
        let turns = Turns::default();
        for _ in 0..98 {
            turns.record(Duration::from_micros(15), Duration::from_micros(10));
        }
        turns.record(Duration::from_micros(900), Duration::from_micros(900));
        turns.record(Duration::from_micros(2500), Duration::from_micros(2100));
        turns.record(Duration::from_micros(1500), Duration::from_micros(10));
        let figures = turns.figures();
        assert_eq!((figures.turns, figures.median_us, figures.p99_us), (101, 20, 1500));
        assert_eq!((figures.longest_us, figures.over_2_ms), (2500, 1));
        assert_eq!((figures.longest_cpu_us, figures.over_2_ms_cpu), (2100, 1));
    }

    #[test]
    fn waiting_takes_no_processor_time_and_work_does() {
        let before = cpu_time();
        std::thread::sleep(Duration::from_millis(30));
        let waited = cpu_time() - before;
        let began = std::time::Instant::now();
        let mut sum = 0_u64;
        while began.elapsed() < Duration::from_millis(30) || cpu_time() - before < waited * 2 {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(cpu_time() - before > waited, "{sum}");
    }

    #[test]
    fn no_turns_no_figures() {
        assert_eq!(Turns::default().figures(), ipc::TurnFigures::default());
    }
}
