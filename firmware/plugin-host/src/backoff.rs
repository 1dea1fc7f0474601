//! When a plugin is asked again. The case of its error decides; crashes are counted, and three in ten minutes
//! suspend it. Time is handed in, counted from the start of the program. Nothing is slept here.

use std::collections::VecDeque;
use std::time::Duration;

/// What the end of a call means for the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// Again after what the connector asked for, or after a back-off.
    RetryLater(Option<u32>),
    /// Again, each time later.
    BackOff,
    /// At once, as a full run, once; as [`Reaction::BackOff`] if that fails the same way.
    Resync,
    /// At the next planned run.
    NextRun,
    /// Not before the settings change.
    Blocked,
    /// A trap, a limit, or a mistake that it admits.
    Crash,
}

/// Whether a plugin may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// At its planned times, the next at this one.
    Planned(Duration),
    /// Failed; again at this time.
    Waiting(Duration),
    /// Crashed too often; tried again at this time.
    Suspended(Duration),
    /// Not before somebody changes its settings.
    Blocked,
}

const FIRST: Duration = Duration::from_secs(15);
const LONGEST: Duration = Duration::from_secs(3600);
const CRASHES: usize = 3;
const CRASH_WINDOW: Duration = Duration::from_secs(600);
const FIRST_SUSPENSION: Duration = Duration::from_secs(1800);
const LONGEST_SUSPENSION: Duration = Duration::from_secs(24 * 3600);
/// The longest that a connector can ask to be left alone.
const LONGEST_WISH: u32 = 24 * 3600;

/// The memory of one plugin's failures.
#[derive(Debug)]
pub struct Breaker {
    interval: Duration,
    standing: Standing,
    failures: u32,
    crashes: VecDeque<Duration>,
    suspensions: u32,
    resynced: bool,
}

impl Breaker {
    /// A plugin that is asked at once and then at this interval, at least a second.
    #[must_use]
    pub fn new(now: Duration, interval: Duration) -> Self {
        Self {
            interval: interval.max(Duration::from_secs(1)),
            standing: Standing::Planned(now),
            failures: 0,
            crashes: VecDeque::new(),
            suspensions: 0,
            resynced: false,
        }
    }

    /// A run was completed.
    pub fn succeeded(&mut self, now: Duration) {
        self.failures = 0;
        self.suspensions = 0;
        self.resynced = false;
        self.standing = Standing::Planned(now.saturating_add(self.interval));
    }

    /// A run failed.
    pub fn failed(&mut self, now: Duration, reaction: Reaction) {
        self.standing = match reaction {
            Reaction::Blocked => Standing::Blocked,
            Reaction::NextRun => Standing::Planned(now.saturating_add(self.interval)),
            Reaction::RetryLater(Some(seconds)) => {
                let wish = u64::from(seconds.clamp(1, LONGEST_WISH));
                Standing::Waiting(now.saturating_add(Duration::from_secs(wish)))
            }
            Reaction::Resync if !self.resynced => {
                self.resynced = true;
                Standing::Planned(now)
            }
            Reaction::RetryLater(None) | Reaction::BackOff | Reaction::Resync => self.back_off(now),
            Reaction::Crash => self.crashed(now),
        };
    }

    /// Its settings, grants or file have changed: asked at once, nothing held against it.
    pub fn changed(&mut self, now: Duration) {
        *self = Self::new(now, self.interval);
    }

    /// Somebody wants it now: asked at once, and what is held against it stays.
    pub fn wanted(&mut self, now: Duration) {
        self.standing = Standing::Planned(now);
    }

    /// Whether it may be asked.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// When it is asked next; never, while it is blocked.
    #[must_use]
    pub fn next(&self) -> Option<Duration> {
        match self.standing {
            Standing::Planned(at) | Standing::Waiting(at) | Standing::Suspended(at) => Some(at),
            Standing::Blocked => None,
        }
    }

    fn back_off(&mut self, now: Duration) -> Standing {
        let wait = doubled(FIRST, self.failures, LONGEST);
        self.failures = self.failures.saturating_add(1);
        Standing::Waiting(now.saturating_add(wait))
    }

    fn crashed(&mut self, now: Duration) -> Standing {
        self.crashes.retain(|at| now.saturating_sub(*at) < CRASH_WINDOW);
        self.crashes.push_back(now);
        if self.crashes.len() < CRASHES {
            return self.back_off(now);
        }
        self.crashes.clear();
        let wait = doubled(FIRST_SUSPENSION, self.suspensions, LONGEST_SUSPENSION);
        self.suspensions = self.suspensions.saturating_add(1);
        Standing::Suspended(now.saturating_add(wait))
    }
}

fn doubled(first: Duration, times: u32, longest: Duration) -> Duration {
    first.saturating_mul(1 << times.min(16)).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn second(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn later_each_time_up_to_an_hour_and_a_success_forgives() {
        let mut breaker = Breaker::new(Duration::ZERO, HOUR * 6);
        for wait in [15, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600] {
            breaker.failed(Duration::ZERO, Reaction::BackOff);
            assert_eq!(breaker.standing(), Standing::Waiting(second(wait)));
        }
        breaker.succeeded(second(1));
        assert_eq!(breaker.standing(), Standing::Planned(second(1) + HOUR * 6));
        breaker.failed(Duration::ZERO, Reaction::BackOff);
        assert_eq!(breaker.standing(), Standing::Waiting(second(15)));
    }

    #[test]
    fn three_crashes_in_ten_minutes_suspend_it_longer_each_time() {
        let mut breaker = Breaker::new(Duration::ZERO, HOUR);
        breaker.failed(second(0), Reaction::Crash);
        breaker.failed(second(700), Reaction::Crash);
        breaker.failed(second(800), Reaction::Crash);
        assert!(matches!(breaker.standing(), Standing::Waiting(_)), "the first one is long ago");
        breaker.failed(second(900), Reaction::Crash);
        assert_eq!(breaker.standing(), Standing::Suspended(second(900 + 1800)));
        for now in [3000, 3001, 3002] {
            breaker.failed(second(now), Reaction::Crash);
        }
        assert_eq!(breaker.standing(), Standing::Suspended(second(3002 + 3600)));
    }

    #[test]
    fn what_the_settings_have_to_change_is_not_tried_before() {
        let mut breaker = Breaker::new(Duration::ZERO, HOUR);
        breaker.failed(second(5), Reaction::Blocked);
        assert_eq!(breaker.next(), None);
        breaker.changed(second(9));
        assert_eq!(breaker.next(), Some(second(9)));
    }

    #[test]
    fn a_lost_token_costs_one_full_run_not_a_loop() {
        let mut breaker = Breaker::new(Duration::ZERO, HOUR);
        breaker.failed(second(5), Reaction::Resync);
        assert_eq!(breaker.next(), Some(second(5)));
        breaker.failed(second(6), Reaction::Resync);
        assert_eq!(breaker.next(), Some(second(6 + 15)));
    }

    proptest! {
        #[test]
        fn it_is_never_asked_in_the_past_nor_left_alone_for_ever(
            steps in proptest::collection::vec((0u64..100_000, 0u8..7, any::<Option<u32>>()), 0..100)
        ) {
            let mut breaker = Breaker::new(Duration::ZERO, HOUR);
            let mut now = Duration::ZERO;
            for (step, kind, wish) in steps {
                now += second(step);
                let reaction = match kind {
                    0 => Reaction::RetryLater(wish),
                    1 => Reaction::BackOff,
                    2 => Reaction::Resync,
                    3 => Reaction::NextRun,
                    4 => Reaction::Blocked,
                    _ => Reaction::Crash,
                };
                if kind == 6 { breaker.succeeded(now) } else { breaker.failed(now, reaction) }
                match breaker.next() {
                    Some(at) => prop_assert!(at >= now && at <= now + LONGEST_SUSPENSION),
                    None => prop_assert_eq!(kind, 4),
                }
            }
        }
    }
}
