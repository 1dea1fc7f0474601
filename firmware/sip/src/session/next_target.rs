//! Calls of ours that nobody answers, or whose target has died: on to the account's next one, or over.
//!
//! Not done here: who says that a target is dead ([`crate::agent`]), and calls that are up.

use std::time::Instant;

use super::{Left, Session, State};
use crate::agent::{Cause, EndedBy};
use crate::core::{Core, Hop, Owner};
use crate::dialog::Dialog;
use crate::flow::Target;
use crate::message::Message;
use crate::method::Method;
use crate::transaction::TxId;

impl Session {
    /// Nobody answered: the next target of the account, if it has one, else the end.
    pub(super) fn on_invite_silence(&mut self, core: &mut Core, now: Instant, id: TxId, reached: bool) {
        if self.asking != Some(id) {
            return;
        }
        self.asking = None;
        if self.state == State::Over {
            return;
        }
        if !reached {
            let reason = "the target's name could not be resolved";
            return self.end_unheard(core, now, EndedBy::Error, 503, reason);
        }
        if !self.passed_on && self.ask_next_target(core, now, id) {
            return;
        }
        self.end_unheard(core, now, EndedBy::Timeout, 408, "no answer");
    }

    /// Nobody said anything, unless others whom a 3xx named have refused before.
    fn end_unheard(&mut self, core: &mut Core, now: Instant, by: EndedBy, code: u16, reason: &str) {
        let cause = self.best_refusal(Cause { by, code, reason: reason.to_owned(), elsewhere: false });
        self.finish(core, now, cause);
    }

    /// `dead` answers nothing any more: an INVITE that it swallowed, or has said no more of than that it tries, goes to
    /// the account's next target (RFC 3263 section 4.3), and so does whatever we were asking for in the call. One that
    /// rings already is left where it is: its answer may come by another way.
    pub(crate) fn on_dead_target(&mut self, core: &mut Core, now: Instant, dead: Target) {
        self.refresh_elsewhere(core, now, dead);
        let lost = |tx: &TxId| core.layer.sent_to(*tx) == Some(dead) && core.layer.is_unheard(*tx);
        if self.state == State::Up
            && let Some(tx) = self.asking.filter(lost)
        {
            core.layer.forget(tx);
            return self.ask_elsewhere(core, now);
        }
        let Some(tx) = self.stuck_at(core, dead) else { return };
        let is_cancelled = self.proceeding;
        if !self.try_next_target(core, now, tx) {
            return;
        }
        tracing::info!(session = self.id.0, %dead, is_cancelled, "a call that nobody had goes by the next target");
        core.layer.hush(tx);
        self.left.push(Left { tx, is_cancelled });
        if is_cancelled {
            core.send_cancel(now, tx, Owner::Session(self.id), None);
        }
    }

    /// `dead` answers nothing any more, and there is no other target: a call of ours that it has not passed on is over.
    pub(crate) fn on_last_target_dead(&mut self, core: &mut Core, now: Instant, dead: Target) {
        if self.stuck_at(core, dead).is_some() {
            self.call_back(core, now);
            self.end(core, now, EndedBy::Timeout, 0, "the exchange does not answer");
        }
    }

    /// Our first INVITE, where `dead` has said nothing of it that would show that anybody behind has it.
    fn stuck_at(&self, core: &Core, dead: Target) -> Option<TxId> {
        let tx = self.asking.filter(|tx| core.layer.sent_to(*tx) == Some(dead))?;
        (self.state == State::Calling && !self.passed_on).then_some(tx)
    }

    /// The dead target is back and finds our old INVITE in its buffer: nobody must ring for it.
    pub(super) fn on_left_response(&mut self, core: &mut Core, now: Instant, at: usize, response: &Message) {
        let id = self.left[at].tx;
        match response.code().unwrap_or(0) {
            100..=199 if !self.left[at].is_cancelled => {
                self.left[at].is_cancelled = true;
                core.send_cancel(now, id, Owner::Session(self.id), None);
            }
            200..=299 => {
                let request = core.layer.sent_request(id).cloned();
                let dialog = request.and_then(|request| Dialog::of_caller(&request, response));
                let (Some(mut dialog), Some(to)) = (dialog, core.layer.sent_to(id)) else { return };
                let number = response.cseq().map_or(0, |cseq| cseq.number);
                if !self.repeat_ack(core, now, number, dialog.remote_tag()) {
                    // By the way it came, though that is not believed to be alive.
                    let hop = Hop::Address(to);
                    self.keep_ack(core, now, &dialog, number, dialog.ack(number), hop.clone());
                    core.send(now, dialog.request(Method::Bye), &hop, Owner::Session(self.id), 0);
                }
            }
            _ => {}
        }
    }

    /// Sends the INVITE to the account's next target; false if there is none. Whether the one that was silent about it is
    /// dead, and everything goes there, is known better where targets are watched.
    fn ask_next_target(&mut self, core: &mut Core, now: Instant, id: TxId) -> bool {
        if !core.config.probe {
            return self.try_next_target(core, now, id);
        }
        self.asking = self.try_elsewhere(core, now, id);
        self.asking.is_some()
    }

    /// Sends the INVITE that its target has refused (503) or left unanswered to the account's next one; `None` if there is
    /// none. The request alone goes there (RFC 3261 21.5.4, RFC 3263 section 4.3): that a trunk is full says nothing of
    /// lamps and the registration.
    pub(super) fn try_elsewhere(&mut self, core: &mut Core, now: Instant, id: TxId) -> Option<TxId> {
        let place = core.first_hop(self.account?)?;
        let at = core.layer.sent_to(id)?;
        let targets = core.resolver.targets(&place);
        // It may have gone by TCP for its size alone.
        let same = |target: &Target| target.address == at.address;
        let known =
            targets.iter().position(|target| *target == at).or_else(|| targets.iter().position(same))?;
        let next = *targets.get(known + 1)?;
        let request = self.again(core, id, |_| {})?;
        self.proceeding = false;
        Some(core.send(now, request, &Hop::Address(next), Owner::Session(self.id), 0))
    }

    /// Sends the INVITE to the account's next target, and everything else of the account too; false if there is none.
    fn try_next_target(&mut self, core: &mut Core, now: Instant, id: TxId) -> bool {
        let place = self.account.and_then(|account| core.first_hop(account));
        let (Some(place), Some(dead)) = (place, core.layer.sent_to(id)) else { return false };
        if !core.resolver.fail_over(now, &place, dead) {
            return false;
        }
        let Some(request) = self.again(core, id, |_| {}) else { return false };
        self.proceeding = false;
        self.asking = Some(core.send(now, request, &Hop::Place(place), Owner::Session(self.id), 0));
        true
    }
}
