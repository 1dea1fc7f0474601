//! Recalls: calls that come back to the operator by themselves, ringing, with a reason.

use ipc::{CallRef, Party, RecallReason, RecallWhy};

use crate::call::{Call, Ms, State};
use crate::switchboard::Switchboard;

impl Switchboard {
    /// A call that waits rings at the desk, and says why.
    pub(crate) fn recall(&mut self, now: Ms, call: CallRef, reason: RecallReason) {
        if let Some(entry) = self.calls.get_mut(&call) {
            entry.recall = Some(reason);
        }
        self.enter(now, call, State::Recalling);
        self.ring_began(now);
    }

    /// Calls that were on hold for too long.
    pub(crate) fn expire_holds(&mut self, now: Ms) {
        let overdue = |c: &&Call| self.hold_due(c).is_some_and(|due| due <= now);
        let overdue: Vec<CallRef> = self.calls.values().filter(overdue).map(|c| c.id).collect();
        for call in overdue {
            self.recall(now, call, RecallReason { from: Party::default(), why: RecallWhy::Hold });
        }
    }

    pub(crate) fn hold_deadline(&self) -> Option<Ms> {
        self.calls.values().filter_map(|c| self.hold_due(c)).min()
    }

    fn hold_due(&self, call: &Call) -> Option<Ms> {
        let patience = self.settings.timers.hold_ms;
        let since = call.held_since().filter(|_| patience > 0)?;
        Some(since.saturating_add(patience))
    }
}
