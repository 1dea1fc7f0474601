//! The end of the call log: calls that are older than the administrator wants to keep leave it, a part at a time, so that
//! nobody waits for it.

use std::time::{Duration, Instant};

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
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keeping {
    /// Days; 0 is for ever.
    days: u32,
    next: Instant,
    /// Removed since the last look began.
    removed: u32,
}

impl Keeping {
    /// For so many days, 0 for ever.
    pub(crate) fn new(days: u32) -> Self {
        Self { days, next: Instant::now(), removed: 0 }
    }

    /// How long nothing need be looked for; `None` where everything is kept.
    pub(crate) fn pause(&self) -> Option<Duration> {
        (self.days > 0).then(|| self.next.saturating_duration_since(Instant::now()))
    }
}

impl Keeper {
    /// Removes a part of what is too old, when it is time to look.
    pub(crate) fn forget_old(&mut self) {
        let now = Instant::now();
        if self.keeping.days == 0 || now < self.keeping.next {
            return;
        }
        let before = unix_ms() - i64::from(self.keeping.days) * DAY_MS;
        let removed = self.store.remove_calls_before(before, PART);
        let removed = removed.unwrap_or_else(|error| {
            warn!(%error, "old calls cannot be removed from the log; it is tried again in an hour");
            0
        });
        self.keeping.removed += removed;
        let has_more = removed == PART;
        self.keeping.next = now + if has_more { BREATH } else { LOOK };
        if !has_more && self.keeping.removed > 0 {
            let removed = std::mem::take(&mut self.keeping.removed);
            info!(removed, days = self.keeping.days, "old calls were removed from the log");
        }
    }
}
