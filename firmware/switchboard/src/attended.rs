//! Attended transfer: the second leg, which is the consultation call.
//!
//! While the transfer is open the consultation call is [`State::Target`]: on hold, on the desk with
//! the same ledger entry on its card, and good for nothing else, for the exchange is about to replace
//! it. What becomes of it follows from the transfer's end alone: its own BYE often comes before the
//! final NOTIFY of the transferee's leg, and proves nothing by itself, so its log row waits.

use ipc::{
    CallRef, CommandError, EndStatus, LogRow, Party, RecallWhy, TransferEnd, TransferId, TransferKind,
};

use crate::call::{Call, Farewell, Ms, State, is_unsure};
use crate::ledger::{Stage, Target};
use crate::switchboard::Switchboard;

/// What an exchange says to a REFER whose Replaces matches no dialog (RFC 3891 section 3).
const NO_SUCH_DIALOG: u16 = 481;

impl Switchboard {
    /// Connects a call with the other party of `to`, which is answered: talking or on hold.
    pub(crate) fn begin_attended(&mut self, now: Ms, call: CallRef, to: CallRef) {
        let Some(party) = self.calls.get(&to).map(|c| c.party.clone()) else { return };
        let Some(id) = self.open_entry(now, call, TransferKind::Attended, party, Target::Call(to)) else {
            return;
        };
        if self.talk == Some(to) {
            self.talk = None;
            if let Some(entry) = self.ledger.entries.get_mut(&id) {
                entry.before.talked = Some(to);
            }
        }
        self.ask_hold(to);
        self.enter(now, to, State::Target(id));
        if self.settings.timers.undo_ms > 0 {
            self.begin_grace(now, id);
        } else {
            self.refer(now, id);
        }
    }

    /// Transfers a call to the number that `to` has dialled and that does not answer yet: our own
    /// attempt ends, the exchange makes one for the transferee.
    ///
    /// # Errors
    /// [`CommandError::NotPossible`] when nothing was dialled, [`CommandError::OwnNumber`].
    pub(crate) fn begin_semi_attended(
        &mut self,
        now: Ms,
        call: CallRef,
        to: CallRef,
    ) -> Result<(), CommandError> {
        let tried = self.calls.get(&to).ok_or(CommandError::NoSuchCall)?;
        let dialled = tried.dialled.as_deref().ok_or(CommandError::NotPossible)?;
        let number = self.foreign_number(dialled)?;
        let party = Party { number: Some(number), ..tried.party.clone() };
        self.hang_up(now, to, Farewell::HungUp);
        self.begin_transfer(now, call, TransferKind::SemiAttended, party);
        Ok(())
    }

    /// The transfer is closed: its consultation call leaves with it, or is on hold as before.
    pub(crate) fn release_consultation(&mut self, now: Ms, id: TransferId) {
        let Some(entry) = self.ledger.entries.get_mut(&id) else { return };
        let (Target::Call(to), Some((end, _))) = (&entry.target, &entry.ended) else { return };
        let (to, end, asked) = (*to, end.clone(), entry.stage >= Stage::Requested);
        let row = entry.consultation.take();
        if let Some(mut row) = row {
            if worked(&end) {
                row.end = EndStatus::Transferred;
            }
            self.log(row);
        }
        if self.calls.get(&to).and_then(Call::target_of) != Some(id) {
            return;
        }
        if end == TransferEnd::Answered {
            self.hang_up(now, to, Farewell::Transferred);
            return;
        }
        self.enter(now, to, State::Held);
        if let Some(call) = self.calls.get_mut(&to)
            && asked
            && is_unsure(&end)
        {
            call.consulted_for = Some(id);
        }
    }

    /// A written-off transfer worked after all: the consultation call has been replaced by it, unless
    /// the operator has used it since.
    pub(crate) fn release_late(&mut self, now: Ms, id: TransferId) {
        let consulted = |c: &&Call| c.consulted_for == Some(id);
        if let Some(to) = self.calls.values().find(consulted).map(|c| c.id) {
            self.hang_up(now, to, Farewell::Transferred);
        }
    }

    /// The consultation call of an open transfer is about to leave the desk. Before the exchange was
    /// asked, that ends the transfer: there is nobody to connect with.
    pub(crate) fn consultation_ends(&mut self, now: Ms, id: TransferId) {
        if self.ledger.stage(id) == Some(Stage::Grace) {
            let end = TransferEnd::Refused { code: NO_SUCH_DIALOG };
            self.bring_back(now, id, end.clone(), RecallWhy::Transfer(end));
        }
    }

    /// Keeps the log row of a consultation call that has left the desk until its transfer's end is
    /// known; gives it back when nothing is waited for.
    pub(crate) fn keep_consultation(&mut self, id: TransferId, row: LogRow) -> Option<LogRow> {
        match self.ledger.entries.get_mut(&id).filter(|e| e.ended.is_none()) {
            Some(entry) => {
                entry.consultation = Some(row);
                None
            }
            None => Some(row),
        }
    }

    /// Whether the consultation leg has ended while the transfer is open.
    pub(crate) fn consultation_is_over(&self, id: TransferId) -> bool {
        self.ledger.entries.get(&id).is_some_and(|e| e.consultation.is_some())
    }

    /// Whether this was the consultation call of a transfer that the exchange has taken over.
    pub(crate) fn went_with_transfer(&self, call: &Call) -> bool {
        let entry = call.consulted_for.and_then(|id| self.ledger.entries.get(&id));
        entry.and_then(|e| e.ended.as_ref()).is_some_and(|(end, _)| worked(end))
    }
}

fn worked(end: &TransferEnd) -> bool {
    matches!(end, TransferEnd::Answered | TransferEnd::HandedOver)
}
