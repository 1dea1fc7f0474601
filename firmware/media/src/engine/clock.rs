//! Our time, and how many ticks are due.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::audio::{Shared, TICK};

/// Ticks made up for in one go after the thread was kept from running: one second.
const CATCH_UP: u64 = 100;
/// The audio thread is taken to stand still after so long without a tick.
pub(super) const STANDSTILL: Duration = Duration::from_millis(60);
/// Seconds from 1900, where NTP begins, to 1970.
const NTP_UNIX: Duration = Duration::from_secs(2_208_988_800);

/// Our time, and the ticks done.
pub(super) struct Clock {
    time: Time,
    /// From 1900 to our beginning.
    pub(super) epoch: Duration,
    shared: Arc<Shared>,
    done: u64,
    last_tick: Duration,
}

/// Where the time comes from.
enum Time {
    /// The system's clock, since then.
    Running(Instant),
    /// Somebody says what time it is.
    Handed(Duration),
}

impl Clock {
    /// The system's, from now on.
    pub(super) fn running(shared: Arc<Shared>) -> Clock {
        // A clock before 1970 only spoils the round-trip times.
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let time = Time::Running(Instant::now());
        Clock { time, epoch: NTP_UNIX + unix, shared, done: 0, last_tick: Duration::ZERO }
    }

    /// One that [`Clock::set`] moves, beginning at zero in 1970.
    pub(super) fn handed(shared: Arc<Shared>) -> Clock {
        let time = Time::Handed(Duration::ZERO);
        Clock { time, epoch: NTP_UNIX, shared, done: 0, last_tick: Duration::ZERO }
    }

    pub(super) fn now(&self) -> Duration {
        match self.time {
            Time::Running(started) => started.elapsed(),
            Time::Handed(now) => now,
        }
    }

    /// Makes it `now`.
    pub(super) fn set(&mut self, now: Duration) {
        self.time = Time::Handed(now);
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// How many ticks to do now.
    pub(super) fn due(&mut self) -> u64 {
        let ticks = self.shared.ticks.load(Ordering::Acquire);
        let behind = ticks.saturating_sub(self.done);
        let now = self.now();
        let still = now.saturating_sub(self.last_tick);
        if behind > CATCH_UP {
            self.done = ticks - CATCH_UP;
        }
        let due = if behind > 0 {
            behind.min(CATCH_UP)
        } else if still > STANDSTILL {
            // As many as have passed, so that time does not slow down.
            (still.as_millis() / TICK.as_millis()) as u64
        } else {
            0
        };
        if due > 0 {
            self.done += due;
            self.last_tick = now;
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(ticks: u64) -> Clock {
        let shared = Arc::new(Shared::default());
        shared.ticks.store(ticks, Ordering::Release);
        Clock::handed(shared)
    }

    #[test]
    fn ticks_are_done_once_each_and_made_up_for() {
        let mut clock = clock(0);
        assert_eq!(clock.due(), 0);
        clock.shared.ticks.store(1, Ordering::Release);
        assert_eq!((clock.due(), clock.due()), (1, 0));
        clock.shared.ticks.store(8, Ordering::Release);
        assert_eq!((clock.due(), clock.due()), (7, 0));
        // Beyond a second the past is let go.
        clock.shared.ticks.store(100_000, Ordering::Release);
        assert_eq!((clock.due(), clock.due()), (CATCH_UP, 0));
    }

    #[test]
    fn a_device_that_hangs_does_not_stop_the_clock_nor_count_twice() {
        let mut clock = clock(5);
        assert_eq!(clock.due(), 5);
        clock.set(Duration::from_millis(60));
        assert_eq!(clock.due(), 0, "it may yet come");
        clock.set(Duration::from_millis(105));
        assert_eq!((clock.due(), clock.due()), (10, 0));
        // The audio thread is back and has counted the same time.
        clock.shared.ticks.store(15, Ordering::Release);
        assert_eq!(clock.due(), 0);
        clock.shared.ticks.store(16, Ordering::Release);
        assert_eq!(clock.due(), 1);
    }

    #[test]
    fn the_systems_clock_runs() {
        let clock = Clock::running(Arc::new(Shared::default()));
        let before = clock.now();
        while clock.now() == before {}
        assert!(clock.epoch > NTP_UNIX);
    }
}
