//! The end of a call, by us, by the peer's BYE or because it cannot be.
//!
//! Not done here: CANCEL, and an INVITE that is refused ([`super::calling`]).

use std::time::Instant;

use super::{Note, Referred, Session, State, party};
use crate::agent::{Cause, EndedBy, Event};
use crate::core::{Alarm, Core};
use crate::message::Message;
use crate::transaction::TxId;

impl Session {
    /// Ends the call from our side, whatever state it is in.
    pub(crate) fn hang_up(&mut self, core: &mut Core, now: Instant) {
        let reason = if self.state == State::Calling { "cancelled" } else { "hung up" };
        self.leave(core, now, reason);
    }

    /// Ends the call in the way its state asks for; `reason` is for the program alone.
    pub(super) fn leave(&mut self, core: &mut Core, now: Instant, reason: &str) {
        self.give_back(core, now);
        match self.state {
            State::Calling => self.cancel(core, now, reason),
            State::Ringing => self.reject(core, now, 480),
            State::Answering => {
                self.bye_due = true;
                self.end(core, now, EndedBy::Local, 200, reason);
            }
            State::Up => {
                self.send_bye(core, now);
                self.end(core, now, EndedBy::Local, 200, reason);
            }
            State::Over => {}
        }
    }

    pub(super) fn on_bye(
        &mut self,
        core: &mut Core,
        now: Instant,
        id: TxId,
        bye: &Message,
        fork: Option<usize>,
    ) {
        core.reply(now, id, 200);
        if self.state == State::Over {
            (self.bye_due, self.unacked, self.unsaid) = (false, None, None);
            core.timers.clear(Alarm::Repeat(self.id));
            core.timers.clear(Alarm::Unsaid(self.id));
            return;
        }
        if self.dialog.is_none() {
            // A BYE in an early dialog ends that fork; others may still answer.
            if let Some(fork) = fork.and_then(|at| self.forks.get_mut(at)) {
                fork.ended = true;
            }
            return;
        }
        if let Some(invite) = self.asked.take() {
            let tag = self.local_tag.clone();
            if let Some(response) = core.response(invite, 487, &tag) {
                core.layer.respond(now, invite, &response);
            }
        }
        // Whoever hangs up after our 2xx was answered, though the ACK was lost or is overtaken.
        if self.state == State::Answering {
            self.confirm(core);
        }
        self.unacked = None;
        let (reason, elsewhere) = party::reason_of(bye);
        let cause = Cause { by: EndedBy::Remote, code: 200, reason, elsewhere };
        self.finish(core, now, cause);
    }

    pub(super) fn end(&mut self, core: &mut Core, now: Instant, by: EndedBy, code: u16, reason: &str) {
        self.finish(core, now, Cause { by, code, reason: reason.to_owned(), elsewhere: false });
    }

    /// Tells the program that the session is over, once.
    pub(super) fn finish(&mut self, core: &mut Core, now: Instant, cause: Cause) {
        if self.state == State::Over {
            return;
        }
        self.give_back(core, now);
        self.state = State::Over;
        core.note(Note::Over { session: self.id });
        self.tasks.clear();
        self.doing = None;
        if let Some(tx) = self.referred.take().and_then(Referred::into_open) {
            core.reply(now, tx, 481);
        }
        self.stop_timer(core);
        let id = self.id;
        for alarm in [
            Alarm::Provisional(id),
            Alarm::StillRinging(id),
            Alarm::AskAgain(id),
            Alarm::Transfer(id),
            Alarm::Digit(id),
            Alarm::Invited(id),
        ] {
            core.timers.clear(alarm);
        }
        if self.unacked.is_none() {
            core.timers.clear(Alarm::Repeat(self.id));
        }
        core.timers.set(Alarm::Linger(self.id), now + core.config.t1 * 64);
        core.emit(Event::Ended { session: self.id, cause });
        self.tell_failing(core);
    }
}
