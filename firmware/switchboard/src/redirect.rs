//! Sending a call on that was never answered here: by hand ([`ipc::Command::Forward`]) or by a rule.
//!
//! The caller's exchange does it (302); what becomes of the call is never heard of here. So it ends
//! at once as forwarded, with a ledger entry that says to whom and ends as handed over.
//!
//! A call that came from where it would go, or that was sent on too often, goes nowhere: the user agent says so
//! ([`crate::Input::RedirectFailed`]), and the call rings as if nobody had wanted it elsewhere.

use ipc::{Action, CallRef, CommandError, LogTransfer, Party, TransferEnd, TransferId, TransferKind};

use crate::call::{Call, Farewell, Ms, Past, State};
use crate::switchboard::{Switchboard, span};
use crate::{Diverted, Effect};

/// Where a call is sent on to.
#[derive(Debug)]
pub(crate) struct Onward {
    /// Cleaned.
    pub(crate) to: String,
    pub(crate) why: Diverted,
    pub(crate) kind: TransferKind,
    /// The rule that does it, by its place in the settings; `None`: the operator does.
    pub(crate) rule: Option<usize>,
}

/// How a call was sent on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SentOn {
    entry: TransferId,
    /// As in [`Onward::rule`].
    pub(crate) rule: Option<usize>,
    /// The caller had been told that it rings here.
    rang: bool,
}

impl Switchboard {
    pub(crate) fn do_forward(&mut self, now: Ms, call: CallRef, to: &str) -> Result<(), CommandError> {
        self.guard(call, Action::Forward)?;
        let to = self.foreign_number(to)?;
        let (why, kind) = (Diverted::Unconditional, TransferKind::Forward);
        self.redirect(now, call, Onward { to, why, kind, rule: None });
        Ok(())
    }

    /// Sends a ringing call on.
    pub(crate) fn redirect(&mut self, now: Ms, id: CallRef, onward: Onward) {
        self.send_on(now, id, onward, true);
    }

    /// Sends a call on before it ever rang.
    pub(crate) fn redirect_on_arrival(&mut self, now: Ms, call: Call, onward: Onward) {
        let id = call.id;
        self.calls.insert(id, call);
        self.send_on(now, id, onward, false);
    }

    /// The call cannot go there, and its caller was told nothing: it rings on, unless the next rule has it.
    pub(crate) fn redirect_failed(&mut self, now: Ms, id: CallRef, code: u16) {
        let due = now + span(self.settings.notice_time);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let leaves =
            matches!(call.state(), State::Ending { why: Farewell::Forwarded | Farewell::Voicemail, .. });
        let Some(SentOn { entry, rule, rang }) = call.sent_on.take().filter(|_| leaves) else { return };
        let end = TransferEnd::Refused { code: code.clamp(300, 699) };
        if let Some(last) = call.transfers.last_mut() {
            last.log.end = end.clone();
        }
        call.times.ended = None;
        call.enter(now, State::Ringing);
        if let Some(entry) = self.ledger.entries.get_mut(&entry) {
            entry.ended = Some((end, now));
            entry.due = Some(due);
        }
        if let Some(rule) = rule {
            call.rules.pop();
            self.tell(now, &[rule]);
        }
        self.touch();
        if rang {
            self.ring_began(now);
        } else if let Some(call) = self.calls.remove(&id) {
            self.receive(now, call);
        }
        self.apply_due_rules(now);
    }

    fn send_on(&mut self, now: Ms, id: CallRef, onward: Onward, rang: bool) {
        let Onward { to, why, kind, rule } = onward;
        let until = now + span(self.settings.notice_time);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let party = Party { number: Some(to.clone()), ..Party::default() };
        let entry = self.ledger.add_redirect(now, until, call, party.clone(), kind);
        let log = LogTransfer { to: party, kind, end: TransferEnd::HandedOver, took_ms: 0 };
        call.add_transfer(Past { log, asked: false });
        call.sent_on = Some(SentOn { entry, rule, rang });
        self.emit(Effect::Redirect { call: id, to, why });
        let farewell = match kind {
            TransferKind::Voicemail => Farewell::Voicemail,
            _ => Farewell::Forwarded,
        };
        self.begin_ending(now, id, farewell);
    }
}
