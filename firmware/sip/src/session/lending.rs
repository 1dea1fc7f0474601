//! A peer that speaks with another peer of ours instead of with us (third-party call control, RFC 3725 flow I):
//! its offer is borrowed, carried to the other, and answered with what that one says.
//!
//! The 2xx that brought the offer stays without ACK until there is an answer. Where nobody else has one, we answer
//! ourselves, so that no attempt costs the call anything. Not done here: which two calls ([`crate::agent`]).

use std::time::Instant;

use super::{Session, State, Task, is_undelivered};
use crate::agent::{Error, SessionId};
use crate::core::{Alarm, Core};
use crate::message::Message;
use crate::method::Method;
use crate::sdp::SdpError;
use crate::transaction::TxId;

/// What a session tells whoever joins calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    /// The peer's offer is here, and waits for an answer: [`Session::lend`] or [`Session::give_back`].
    Offer { session: SessionId, body: Vec<u8> },
    /// The peer answered the offer carried to it.
    Relayed { session: SessionId, body: Vec<u8> },
    /// The offer did not come, the one carried was refused, or the peer does not come back to us.
    Failed { session: SessionId, code: u16, reason: String },
    /// The peer came back to us by itself.
    Reclaimed { session: SessionId },
    /// The session has ended.
    Over { session: SessionId },
}

/// An offer of the peer that has no answer yet.
#[derive(Debug)]
pub(super) struct Borrowed {
    /// CSeq of our re-INVITE, which its ACK repeats.
    number: u32,
    /// The re-INVITE itself, whose credentials the ACK repeats too.
    invite: Option<Message>,
}

impl Borrowed {
    pub(super) fn is_of(&self, number: u32) -> bool {
        self.number == number
    }
}

impl Session {
    /// Whether the call can be joined with another.
    ///
    /// # Errors
    /// [`Error::NoSuchCall`] or [`Error::NotAnswered`].
    pub(crate) fn may_be_joined(&self) -> Result<(), Error> {
        match self.state {
            State::Up => Ok(()),
            State::Over => Err(Error::NoSuchCall(self.id)),
            State::Calling | State::Ringing | State::Answering => Err(Error::NotAnswered(self.id)),
        }
    }

    /// Asks the peer for an offer; [`Note::Offer`] or [`Note::Failed`] follows.
    pub(crate) fn ask_for_offer(&mut self, core: &mut Core, now: Instant) {
        self.enqueue(core, now, Task::Borrow);
    }

    /// Does not ask any more, if it has not been done yet.
    pub(crate) fn need_no_offer(&mut self) {
        self.tasks.retain(|task| *task != Task::Borrow);
    }

    /// Offers the peer what another one described; [`Note::Relayed`] or [`Note::Failed`] follows.
    pub(crate) fn relay(&mut self, core: &mut Core, now: Instant, described: Vec<u8>) {
        self.enqueue(core, now, Task::Relay(described));
    }

    /// Has the peer speak with us again, unless it does.
    pub(crate) fn take_back(&mut self, core: &mut Core, now: Instant) {
        if !self.tasks.contains(&Task::Own) {
            self.enqueue(core, now, Task::Own);
        }
    }

    /// Answers the borrowed offer with what another peer described.
    ///
    /// # Errors
    /// It cannot be carried: the offer still waits.
    pub(crate) fn lend(&mut self, core: &mut Core, now: Instant, described: &[u8]) -> Result<(), SdpError> {
        if self.borrowed.is_none() {
            return Err(SdpError::NoOffer);
        }
        let body = self.media.relay_answer(described)?;
        self.answer_offer(core, now, body);
        self.astray = true;
        self.told = None;
        self.advance(core, now);
        Ok(())
    }

    /// Answers the borrowed offer, if there is one, ourselves.
    pub(crate) fn give_back(&mut self, core: &mut Core, now: Instant) {
        if self.borrowed.is_none() {
            return;
        }
        let wish = self.wish();
        let body = self.media.create_answer(wish);
        self.media.abandon_offer();
        let answered = body.is_ok();
        self.answer_offer(core, now, body.unwrap_or_default());
        if answered {
            self.come_home(core, false);
            self.note_media(core);
        } else {
            // Nothing of ours fits what it offers now: what it had before is offered anew.
            self.astray = true;
            self.tasks.push_back(Task::Own);
        }
    }

    /// Goes on with what waited for an answer.
    pub(crate) fn proceed(&mut self, core: &mut Core, now: Instant) {
        self.advance(core, now);
    }

    /// Whether the peer is still there; it has ended when the one before has no answer yet.
    pub(crate) fn probe(&mut self, core: &mut Core, now: Instant) {
        if self.state != State::Up {
            return;
        }
        match self.probe {
            None => self.probe = self.send_within(core, now, Method::Options, |_| {}),
            // It waits for a connection, which says nothing of the peer.
            Some(probe) if is_undelivered(core, probe) => {}
            Some(_) => self.lose(core, now, 408, "no answer"),
        }
    }

    pub(super) fn on_probe_response(&mut self, core: &mut Core, now: Instant, id: TxId, response: &Message) {
        if self.probe != Some(id) || response.code().is_none_or(|code| code < 200) {
            return;
        }
        self.probe = None;
        // Whatever else it says, it is there (RFC 3261 12.2.1.2).
        if let Some(code @ (408 | 481)) = response.code()
            && self.state == State::Up
        {
            self.lose(core, now, code, response.reason());
        }
    }

    pub(super) fn on_probe_silence(&mut self, core: &mut Core, now: Instant, id: TxId) {
        if self.probe.take_if(|probe| *probe == id).is_none() || self.state != State::Up {
            return;
        }
        if !is_undelivered(core, id) {
            self.lose(core, now, 408, "no answer");
        }
    }

    /// The 2xx to our re-INVITE without offer.
    pub(super) fn borrow(&mut self, core: &mut Core, now: Instant, id: TxId, response: &Message) {
        self.asking = None;
        core.timers.clear(Alarm::Overdue(self.id));
        if let Some(dialog) = &mut self.dialog {
            dialog.refresh_target(response);
        }
        let number = response.cseq().map_or(0, |cseq| cseq.number);
        self.borrowed = Some(Borrowed { number, invite: core.layer.sent_request(id).cloned() });
        self.take_timer(core, now, response);
        match self.media.receive_offer(response.body()) {
            Ok(_) => core.note(Note::Offer { session: self.id, body: response.body().to_vec() }),
            Err(error) => {
                self.give_back(core, now);
                core.note(Note::Failed { session: self.id, code: error.code(), reason: error.to_string() });
                self.advance(core, now);
            }
        }
    }

    /// The 2xx to an offer that was carried.
    pub(super) fn take_relayed_answer(&mut self, core: &mut Core, response: &Message) {
        self.doing = None;
        self.astray = true;
        self.told = None;
        let session = self.id;
        core.note(match self.media.relayed_answer(response.body()) {
            Ok(()) => Note::Relayed { session, body: response.body().to_vec() },
            Err(error) => Note::Failed { session, code: error.code(), reason: error.to_string() },
        });
    }

    /// The peer speaks with us again; `by_peer`: because it wanted to.
    pub(super) fn come_home(&mut self, core: &mut Core, by_peer: bool) {
        if std::mem::replace(&mut self.astray, false) {
            self.told = None;
            if by_peer {
                core.note(Note::Reclaimed { session: self.id });
            }
        }
    }

    fn answer_offer(&mut self, core: &mut Core, now: Instant, body: Vec<u8>) {
        self.doing = None;
        if let (Some(Borrowed { number, invite }), Some(dialog)) = (self.borrowed.take(), self.dialog.clone())
        {
            self.acknowledge_with(core, now, &dialog, (number, invite.as_ref()), body);
        }
    }
}
