//! The end of the call log: calls that are older than the administrator wants to keep leave it, a part at a time, so that
//! nobody waits for it.
//!
//! What has left the log does not come back, so that none leaves it by a clock that may be wrong: only while the clock is
//! known to be synchronised, and not in the first hour, in which it may still be set. It is known by a file, which
//! systemd-timesyncd makes at its first answer in each run of the machine: the kernel's own word (adjtimex) is kept from
//! the desk by its unit (`ProtectClock`). Another keeper of the time makes a file that `log.clock` names.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use store::Store;
use tracing::{info, warn};

use crate::{editing::unix_ms, records::Keeper};

/// Between two looks at what has become too old.
const LOOK: Duration = Duration::from_secs(3600);
/// Between two parts while there is more.
const BREATH: Duration = Duration::from_millis(50);
/// Calls that are removed at once.
const PART: u32 = 200;
const DAY_MS: i64 = 24 * 3600 * 1000;

/// How long calls stay in the log.
#[derive(Clone, Debug)]
pub(crate) struct Keeping {
    /// Days; 0 is for ever.
    days: u32,
    /// There once the clock is synchronised.
    clock: PathBuf,
    /// The first look of all.
    first: Instant,
    next: Instant,
    /// It was said that the clock is not known to be right.
    is_told: bool,
    /// Removed since the last look began.
    removed: u32,
}

impl Keeping {
    /// For so many days, 0 for ever; `clock` is there once the clock is synchronised.
    pub(crate) fn new(days: u32, clock: PathBuf) -> Self {
        let first = Instant::now() + LOOK;
        Self { days, clock, first, next: first, is_told: false, removed: 0 }
    }

    /// From now on for so many days. That is looked at at once, but for the first hour.
    pub(crate) fn keep_for(&mut self, days: u32) {
        (self.days, self.next) = (days, self.first);
    }

    /// How long nothing need be looked for; `None` where everything is kept.
    pub(crate) fn pause(&self) -> Option<Duration> {
        (self.days > 0).then(|| self.next.saturating_duration_since(Instant::now()))
    }

    /// Removes a part of what is too old, when it is time to look.
    fn forget_old(&mut self, store: &mut Store, now: Instant, unix_ms: i64) {
        if self.days == 0 || now < self.next {
            return;
        }
        self.next = now + LOOK;
        if !self.clock.exists() {
            if !std::mem::replace(&mut self.is_told, true) {
                let file = self.clock.display();
                warn!(%file, "old calls stay in the log until the clock is known to be synchronised (log.clock)");
            }
            return;
        }
        self.is_told = false;
        let before = unix_ms.saturating_sub(i64::from(self.days) * DAY_MS);
        let removed = store.remove_calls_before(before, unix_ms, PART).unwrap_or_else(|error| {
            warn!(%error, "old calls cannot be removed from the log; it is tried again in an hour");
            0
        });
        self.removed += removed;
        if removed == PART {
            self.next = now + BREATH;
        } else if self.removed > 0 {
            let removed = std::mem::take(&mut self.removed);
            info!(removed, days = self.days, "old calls were removed from the log");
        }
    }
}

impl Keeper {
    /// Removes a part of what is too old, when it is time to look.
    pub(crate) fn forget_old(&mut self) {
        self.keeping.forget_old(&mut self.store, Instant::now(), unix_ms());
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use ipc::{Direction, EndStatus, LogMark, LogQuery, LogRow, Party};

    use super::*;

    const NOW: i64 = 20_000 * DAY_MS;

    fn began(days_ago: i64) -> LogRow {
        LogRow {
            id: 0,
            direction: Direction::Incoming,
            party: Party::default(),
            line_number: String::new(),
            line_name: String::new(),
            began_unix_ms: NOW - days_ago * DAY_MS,
            answered_after_ms: None,
            talk_ms: 0,
            hold_ms: 0,
            end: EndStatus::Missed,
            transfers: Vec::new(),
            rules: Vec::new(),
            customer: None,
            call: None,
            sound: None,
            mark: LogMark::default(),
        }
    }

    #[test]
    fn log_1_old_calls_leave_the_log_only_by_a_clock_that_is_known_to_be_right() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path().join("desk.db")).unwrap();
        for days in std::iter::repeat_n(40, 250).chain([20, 1]) {
            store.append_call(&began(days)).unwrap();
        }
        let left = |store: &Store| {
            store
                .log_page(&LogQuery { until_unix_ms: i64::MAX, limit: 1, ..LogQuery::default() })
                .unwrap()
                .total
        };
        let clock = folder.path().join("synchronized");
        let mut keeping = Keeping::new(30, clock.clone());
        let start = keeping.first - LOOK;
        std::fs::write(&clock, "").unwrap();
        keeping.forget_old(&mut store, start, NOW);
        assert_eq!(left(&store), 252, "the clock may be set yet");
        std::fs::remove_file(&clock).unwrap();
        keeping.forget_old(&mut store, start + LOOK, NOW);
        assert_eq!((left(&store), keeping.next), (252, start + LOOK * 2), "nobody knows the time");
        std::fs::write(&clock, "").unwrap();
        keeping.forget_old(&mut store, start + LOOK * 2, NOW);
        assert_eq!((left(&store), keeping.next), (52, start + LOOK * 2 + BREATH), "a part at a time");
        keeping.forget_old(&mut store, keeping.next, NOW);
        assert_eq!((left(&store), keeping.removed), (2, 0));
        keeping.keep_for(10);
        keeping.forget_old(&mut store, start + LOOK * 3, NOW);
        assert_eq!(left(&store), 1, "what the administrator changes counts at once");
        keeping.keep_for(0);
        assert_eq!(keeping.pause(), None);
    }
}
