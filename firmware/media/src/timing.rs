//! How punctual the audio thread is: it counts in atomics, whoever wants to know reads them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper edges in microseconds of the classes that wake-ups are counted in; one more class has what is later.
const EDGES_US: [u64; 11] = [50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000];
const CLASSES: usize = EDGES_US.len() + 1;

/// What the audio thread counts.
#[derive(Default)]
pub(crate) struct Counters {
    wakes: [AtomicU64; CLASSES],
    worst_us: AtomicU64,
    late_buffers: AtomicU64,
}

impl Counters {
    /// The thread woke so much after the time it had asked for.
    pub(crate) fn woke(&self, late: Duration) {
        let late_us = u64::try_from(late.as_micros()).unwrap_or(u64::MAX);
        let class = EDGES_US.iter().position(|edge| late_us <= *edge).unwrap_or(EDGES_US.len());
        self.wakes[class].fetch_add(1, Ordering::Relaxed);
        self.worst_us.fetch_max(late_us, Ordering::Relaxed);
    }

    /// The speaker needed a frame and none was there.
    pub(crate) fn late_buffer(&self) {
        self.late_buffers.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Timing {
        Timing {
            wakes: std::array::from_fn(|class| self.wakes[class].load(Ordering::Relaxed)),
            worst_us: self.worst_us.load(Ordering::Relaxed),
            late_buffers: self.late_buffers.load(Ordering::Relaxed),
        }
    }
}

/// How punctual the audio thread was ([`crate::Media::timing`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timing {
    /// Wake-ups, by how late they were.
    wakes: [u64; CLASSES],
    /// The latest wake-up, in microseconds after its time.
    pub worst_us: u64,
    /// Times the speaker was due 10 ms of sound and none were there. A device with a clock of its own played silence then;
    /// a file waits.
    pub late_buffers: u64,
}

impl Timing {
    /// How often the thread woke.
    #[must_use]
    pub fn wakes(&self) -> u64 {
        self.wakes.iter().sum()
    }

    /// So late in microseconds, or earlier, were `share` (0.0..=1.0) of the wake-ups: rounded up to the edge of a class,
    /// at most the latest. 0 before the first.
    #[must_use]
    pub fn within_us(&self, share: f64) -> u64 {
        let wanted = (self.wakes() as f64 * share).ceil() as u64;
        let mut sum = 0;
        let class = self.wakes.iter().position(|count| {
            sum += count;
            sum >= wanted
        });
        let edge = class.and_then(|class| EDGES_US.get(class)).copied().unwrap_or(u64::MAX);
        edge.min(self.worst_us)
    }

    /// What came after `earlier`. The latest wake-up is known to its class then.
    #[must_use]
    pub fn since(&self, earlier: &Timing) -> Timing {
        let wakes: [u64; CLASSES] =
            std::array::from_fn(|class| self.wakes[class].saturating_sub(earlier.wakes[class]));
        let last = wakes.iter().rposition(|count| *count > 0);
        let worst_us =
            last.map_or(0, |class| EDGES_US.get(class).copied().unwrap_or(u64::MAX).min(self.worst_us));
        Timing { wakes, worst_us, late_buffers: self.late_buffers.saturating_sub(earlier.late_buffers) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(late_us: &[u64]) -> Counters {
        let counters = Counters::default();
        late_us.iter().for_each(|late| counters.woke(Duration::from_micros(*late)));
        counters
    }

    #[test]
    fn wake_ups_are_told_by_their_share_and_never_better_than_they_were() {
        let mut late = vec![40; 98];
        late.extend([700, 30_000]);
        let timing = counted(&late).read();
        assert_eq!((timing.wakes(), timing.worst_us), (100, 30_000));
        assert_eq!([0.5, 0.98, 0.99, 1.0].map(|share| timing.within_us(share)), [50, 50, 1_000, 30_000]);
        assert_eq!(Timing::default().within_us(0.99), 0);
        assert_eq!(counted(&[1_000_000]).read().within_us(0.5), 1_000_000);
    }

    #[test]
    fn what_came_before_a_moment_is_not_counted_after_it() {
        let counters = counted(&[30_000, 40]);
        counters.late_buffer();
        let before = counters.read();
        counters.woke(Duration::from_micros(150));
        let since = counters.read().since(&before);
        assert_eq!((since.wakes(), since.worst_us, since.late_buffers), (1, 200, 0));
        assert_eq!(before.since(&before), Timing::default());
    }
}
