//! What the operator wants of transfers: guards, and nothing changed when one says no.

use ipc::{Action, CallRef, CommandError, Party, TransferKind};

use crate::call::{Call, Ms, State};
use crate::switchboard::Switchboard;

impl Switchboard {
    /// Blind, or to a mailbox.
    pub(crate) fn do_transfer(
        &mut self,
        now: Ms,
        call: CallRef,
        kind: TransferKind,
        to: &str,
    ) -> Result<(), CommandError> {
        self.guard(call, Action::Transfer)?;
        let number = self.foreign_number(to)?;
        self.begin_transfer(now, call, kind, Party { number: Some(number), ..Party::default() });
        Ok(())
    }

    /// Attended when the other call is answered, semi-attended while it still rings.
    pub(crate) fn do_attended_transfer(
        &mut self,
        now: Ms,
        call: CallRef,
        to: CallRef,
    ) -> Result<(), CommandError> {
        self.guard(call, Action::TransferToCall)?;
        self.guard(to, Action::TakeTransfer)?;
        if call == to {
            return Err(CommandError::NotPossible);
        }
        match self.calls.get(&to).map(Call::state) {
            Some(State::Dialing | State::Alerting) => self.begin_semi_attended(now, call, to),
            _ => {
                self.begin_attended(now, call, to);
                Ok(())
            }
        }
    }

    pub(crate) fn do_undo_transfer(&mut self, now: Ms, call: CallRef) -> Result<(), CommandError> {
        self.guard(call, Action::Undo)?;
        if let Some(transfer) = self.calls.get(&call).and_then(Call::open_transfer) {
            self.undo(now, call, transfer);
        }
        Ok(())
    }

    pub(crate) fn do_transfer_now(&mut self, now: Ms, call: CallRef) -> Result<(), CommandError> {
        self.guard(call, Action::TransferNow)?;
        if let Some(transfer) = self.calls.get(&call).and_then(Call::open_transfer) {
            self.refer(now, transfer);
        }
        Ok(())
    }

    pub(crate) fn do_wait_again(&mut self, now: Ms, call: CallRef) -> Result<(), CommandError> {
        self.guard(call, Action::WaitAgain)?;
        self.wait_again(now, call);
        Ok(())
    }
}
