//! The short time in which a transfer can be undone: the call is on hold, its REFER has not left.
//!
//! Where 0 was set there is no such time. A transfer that waits for a busy phone has none either: it
//! can be taken back for as long as it waits.

use ipc::{CallRef, TransferEnd, TransferId, TransferKind};

use crate::Ear;
use crate::call::{Ms, State};
use crate::ledger::{Stage, Target};
use crate::switchboard::Switchboard;

impl Switchboard {
    pub(crate) fn begin_grace(&mut self, now: Ms, id: TransferId) {
        let until = now.saturating_add(self.settings.timers.undo_ms);
        let Some(entry) = self.ledger.entries.get_mut(&id) else { return };
        entry.stage = Stage::Grace;
        entry.due = Some(until);
        let call = entry.call;
        self.enter(now, call, State::Grace(id));
    }

    /// Nobody called it off. The phone may have become busy meanwhile.
    pub(crate) fn end_grace(&mut self, now: Ms, id: TransferId) {
        let waits = self.ledger.entries.get(&id).is_some_and(|e| match &e.target {
            Target::Number(number) => e.kind == TransferKind::Blind && self.must_wait(number),
            Target::Call(_) => false,
        });
        if waits {
            self.wait(now, id);
        } else {
            self.refer(now, id);
        }
    }

    /// Calls the transfer off: everything is as it was before, but for the ear if somebody else has
    /// it by now.
    pub(crate) fn undo(&mut self, now: Ms, call: CallRef, id: TransferId) {
        if let Some(talked) = self.restore(now, call, id) {
            self.retrieve(now, talked);
        }
    }

    /// Undoes all but the ear, and says who should have it back.
    pub(crate) fn restore(&mut self, now: Ms, call: CallRef, id: TransferId) -> Option<CallRef> {
        let before = self.ledger.entries.get(&id)?.before.clone();
        self.close(now, id, TransferEnd::Undone);
        if let Some(moved) = self.calls.get_mut(&call) {
            moved.waited_for = before.waited_for;
            moved.recall.clone_from(&before.recall);
        }
        match before.recall {
            Some(reason) if before.recalling => self.recall(now, call, reason),
            _ => self.enter(now, call, State::Held),
        }
        before.talked.filter(|_| self.ear() == Ear::Nobody)
    }
}
