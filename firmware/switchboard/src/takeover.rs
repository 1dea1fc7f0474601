//! INVITE with Replaces (RFC 3891): a new leg takes the place of a call on the desk, as at the end of
//! somebody else's attended transfer, or when a colleague's phone picks up what we dial.
//!
//! The card goes on with its place, line and times, and the log splits: the old row ends as
//! transferred, the new one begins answered, and no second is counted twice. The network ends the old
//! leg; the user agent was told to.

use ipc::{CallRef, Party, TransferEnd};

use crate::Effect;
use crate::call::{Call, Farewell, Ms, State};
use crate::ledger::Stage;
use crate::switchboard::Switchboard;

impl Switchboard {
    /// Whether this call can be replaced. One that still rings here cannot (RFC 3891 section 3), nor
    /// one that has ended: who wants to replace it is a caller like any other.
    pub(crate) fn is_replaceable(&self, old: CallRef) -> bool {
        let state = self.calls.get(&old).map(Call::state);
        state.is_some_and(|s| !matches!(s, State::Ringing | State::Ending { .. }))
    }

    /// Puts `new` in the place of `old`, which [`Switchboard::is_replaceable`].
    pub(crate) fn take_over(
        &mut self,
        now: Ms,
        new: CallRef,
        old: CallRef,
        party: Party,
        diverted_by: Option<Party>,
    ) {
        if !self.admit(new) {
            tracing::warn!(call = new.0, "call reference used twice, ignored");
            return;
        }
        let talked = self.leave_transfer(now, old);
        let Some(before) = self.calls.get(&old).cloned() else { return };
        let had_ear = self.talk == Some(old) || talked == Some(old);
        // The old leg has ended in our books, and waits for the network to say so.
        self.begin_ending(now, old, Farewell::Transferred);
        let mut call = before.successor(now, new, party);
        call.diverted_by = diverted_by.or(call.diverted_by);
        let reason = call.recall.clone();
        self.calls.insert(new, call);
        self.emit(Effect::Answer { call: new });
        if self.heard_last == Some(old) {
            // The same conversation: a muted microphone stays muted.
            self.heard_last = Some(new);
        }
        match (before.state(), reason) {
            _ if had_ear => {
                self.give_ear(now, new);
                self.established(now, new);
            }
            (State::Recalling, Some(reason)) => {
                self.ask_hold(new);
                self.recall(now, new, reason);
            }
            (State::Conference, _) => self.take_seat(now, old, new),
            (State::Held | State::Recalling, _) => self.put_on_hold(now, new),
            // A rule is answering: the operator has not turned to it, and need not now.
            (State::Answering, _) if before.unattended => self.keep_waiting(now, new),
            _ => self.established(now, new),
        }
        if let Some(other) = talked.filter(|other| *other != old) {
            self.retrieve(now, other);
        }
    }

    /// Takes a call out of an open transfer before another leg replaces it. Returns who had the ear
    /// before a transfer that is undone by this, if nobody has it now.
    fn leave_transfer(&mut self, now: Ms, call: CallRef) -> Option<CallRef> {
        match self.calls.get(&call).map(Call::state)? {
            State::Grace(id) => return self.restore(now, call, id),
            State::Waiting(id) => self.close(now, id, TransferEnd::TakenBack),
            State::Transferring(id) => {
                let accepted = self.ledger.stage(id) > Some(Stage::Requested);
                let end = if accepted { TransferEnd::HandedOver } else { TransferEnd::TakenBack };
                self.close(now, id, end);
            }
            State::Target(id) => {
                let grace = self.ledger.entries.get(&id).filter(|e| e.stage == Stage::Grace);
                // Nothing was asked yet: the transferee is back as it was. Later the transfer goes on,
                // or fails, without this leg.
                if let Some(moved) = grace.map(|e| e.call) {
                    return self.restore(now, moved, id);
                }
            }
            _ => return None,
        }
        self.enter(now, call, State::Held);
        None
    }
}
