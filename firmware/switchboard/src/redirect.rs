//! Sending a call on that was never answered here: by hand ([`ipc::Command::Forward`]) or by a rule.
//!
//! The caller's exchange does it (302); what becomes of the call is never heard of here. So it ends
//! at once as forwarded, with a ledger entry that says to whom and ends as handed over.

use ipc::{Action, CallRef, CommandError, EndStatus, LogTransfer, Party, TransferEnd, TransferKind};

use crate::call::{Call, Farewell, Ms, Past};
use crate::record;
use crate::switchboard::{Switchboard, span};
use crate::{Diverted, Effect};

impl Switchboard {
    pub(crate) fn do_forward(&mut self, now: Ms, call: CallRef, to: &str) -> Result<(), CommandError> {
        self.guard(call, Action::Forward)?;
        let to = self.foreign_number(to)?;
        self.redirect(now, call, to, Diverted::Unconditional, TransferKind::Forward);
        Ok(())
    }

    /// Sends a ringing call on.
    pub(crate) fn redirect(&mut self, now: Ms, id: CallRef, to: String, why: Diverted, kind: TransferKind) {
        let Some(mut call) = self.calls.remove(&id) else { return };
        self.write_redirect(now, &mut call, &to, kind);
        self.calls.insert(id, call);
        self.emit(Effect::Redirect { call: id, to, why });
        let farewell = match kind {
            TransferKind::Voicemail => Farewell::Voicemail,
            _ => Farewell::Forwarded,
        };
        self.begin_ending(now, id, farewell);
    }

    /// Sends a call on before it ever rang.
    pub(crate) fn redirect_on_arrival(
        &mut self,
        now: Ms,
        mut call: Call,
        to: String,
        why: Diverted,
        kind: TransferKind,
    ) {
        self.write_redirect(now, &mut call, &to, kind);
        self.emit(Effect::Redirect { call: call.id, to, why });
        let end = match kind {
            TransferKind::Voicemail => EndStatus::Voicemail,
            _ => EndStatus::Forwarded,
        };
        self.log(record::row(&call, now, end));
    }

    fn write_redirect(&mut self, now: Ms, call: &mut Call, to: &str, kind: TransferKind) {
        let to = Party { number: Some(to.to_owned()), ..Party::default() };
        let until = now + span(self.settings.notice_time);
        self.ledger.add_redirect(now, until, call, to.clone(), kind);
        let log = LogTransfer { to, kind, end: TransferEnd::HandedOver, took_ms: 0 };
        call.add_transfer(Past { log, asked: false });
        self.touch();
    }
}
