//! So many in a minute, and not one more: requests and log lines of a plugin. Windows of a minute, not a
//! smooth flow: what an administrator reads is "120 a minute". Time is handed in.

use std::time::Duration;

const WINDOW: Duration = Duration::from_secs(60);

/// A budget that is full again each minute.
#[derive(Debug)]
pub(crate) struct Rate {
    most: u32,
    started: Duration,
    used: u32,
    refused: u64,
}

impl Rate {
    /// At most `most` a minute.
    pub(crate) fn new(most: u32) -> Self {
        Self { most, started: Duration::ZERO, used: 0, refused: 0 }
    }

    /// Takes one, or says in how long there is one again.
    pub(crate) fn take(&mut self, now: Duration) -> Result<(), Duration> {
        if now.saturating_sub(self.started) >= WINDOW {
            self.started = now;
            self.used = 0;
        }
        if self.used == self.most {
            self.refused += 1;
            return Err(WINDOW.saturating_sub(now.saturating_sub(self.started)));
        }
        self.used += 1;
        Ok(())
    }

    /// How many were refused since the start.
    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn full_again_after_a_minute() {
        let mut rate = Rate::new(2);
        let second = Duration::from_secs;
        assert!(rate.take(second(1)).is_ok() && rate.take(second(2)).is_ok());
        assert_eq!(rate.take(second(3)), Err(second(57)));
        assert!(rate.take(second(61)).is_ok());
        assert_eq!(rate.refused(), 1);
    }

    proptest! {
        #[test]
        fn never_more_than_twice_the_budget_in_any_minute(steps in proptest::collection::vec(0u64..20_000, 1..300)) {
            let mut rate = Rate::new(5);
            let mut now = 0;
            let mut taken = Vec::new();
            for step in steps {
                now += step;
                if rate.take(Duration::from_millis(now)).is_ok() {
                    taken.push(now);
                }
            }
            for (at, start) in taken.iter().enumerate() {
                prop_assert!(taken[at..].iter().take_while(|time| **time < start + 60_000).count() <= 10);
            }
        }
    }
}
