//! Changes during a call: hold and retrieve from our side, re-INVITE and UPDATE from the peer's,
//! and what happens when both want to change at once (RFC 3261 14, RFC 3264 8, RFC 3311).
//!
//! Commands wait for each other: one INVITE at a time in a dialog, and a REFER only after the hold
//! before it is settled.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::{Note, Session, State, Task, is_undelivered, refresh, reliable, ringing};
use crate::agent::{Cause, EndedBy, Event};
use crate::core::{Alarm, Core};
use crate::message::Message;
use crate::method::Method;
use crate::sdp::Direction;
use crate::transaction::TxId;

/// How often a hold or retrieve is asked again after 491 or Retry-After.
const MAX_TRIES: u8 = 8;

/// Longest Retry-After worth waiting for.
const MAX_PAUSE: u64 = 10;

/// Pause before asking again where there was no connection.
const RECONNECT: Duration = Duration::from_secs(2);

impl Session {
    /// Puts the call on hold: we send (music), the peer does not.
    pub(crate) fn hold(&mut self, core: &mut Core, now: Instant) {
        self.enqueue(core, now, Task::Hold);
    }

    /// Takes the call back.
    pub(crate) fn retrieve(&mut self, core: &mut Core, now: Instant) {
        self.enqueue(core, now, Task::Retrieve);
    }

    /// Whether we hold the call.
    pub(crate) fn is_held(&self) -> bool {
        self.held
    }

    /// Our address has changed, by one of these ways (from, to): the peer is told as soon as the call is up.
    pub(crate) fn relocate(&mut self, core: &mut Core, now: Instant, ways: &[(IpAddr, IpAddr)]) {
        for &(from, to) in ways {
            self.media.relocate(from, to);
        }
        if !self.tasks.contains(&Task::Refresh) {
            self.enqueue(core, now, Task::Refresh);
        }
    }

    /// Our sound comes to another place now: the peer is told as soon as the call is up.
    pub(crate) fn heard_at(
        &mut self,
        core: &mut Core,
        now: Instant,
        rtp: SocketAddr,
        rtcp: Option<SocketAddr>,
    ) {
        self.media.hear_at(rtp, rtcp);
        if !self.tasks.contains(&Task::Refresh) {
            self.enqueue(core, now, Task::Refresh);
        }
    }

    /// Starts what can be started.
    pub(super) fn advance(&mut self, core: &mut Core, now: Instant) {
        while self.state == State::Up
            && self.asking.is_none()
            && self.doing.is_none()
            && self.unacked.is_none()
            && self.borrowed.is_none()
        {
            let Some(task) = self.tasks.pop_front() else { return };
            match task {
                Task::Hold if self.held && !self.astray => core.emit(Event::Held { session: self.id }),
                Task::Retrieve if !self.held && !self.astray => {
                    core.emit(Event::Retrieved { session: self.id })
                }
                Task::Own if !self.astray => {}
                Task::Hold | Task::Retrieve | Task::Refresh | Task::Borrow | Task::Relay(_) | Task::Own => {
                    self.tries = 0;
                    self.doing = Some(task);
                    self.ask(core, now);
                }
                Task::Refer(to) => self.send_refer(core, now, to),
            }
        }
    }

    /// Tries the hold or retrieve once more after a pause.
    pub(super) fn ask_again(&mut self, core: &mut Core, now: Instant) {
        if self.state != State::Up || self.doing.is_none() {
            return;
        }
        if self.asking.is_some() || self.unacked.is_some() {
            core.timers.set(Alarm::AskAgain(self.id), now + Duration::from_millis(100));
            return;
        }
        self.ask(core, now);
    }

    pub(super) fn on_reinvite_response(
        &mut self,
        core: &mut Core,
        now: Instant,
        id: TxId,
        response: &Message,
    ) {
        let code = response.code().unwrap_or(0);
        if code < 200 {
            if self.asking == Some(id) && !self.cancel_sent {
                core.timers.set(Alarm::Overdue(self.id), now + core.config.t1 * 64);
            }
            if self.asking == Some(id) && self.state == State::Up {
                self.on_reinvite_progress(core, now, response);
            }
            return;
        }
        if code < 300 && self.asking == Some(id) && self.doing == Some(Task::Borrow) {
            return self.borrow(core, now, id, response);
        }
        if code < 300 {
            let invite = core.layer.sent_request(id).cloned();
            self.acknowledge_reinvite(core, now, response, invite.as_ref());
        }
        if self.asking != Some(id) {
            return;
        }
        self.asking = None;
        core.timers.clear(Alarm::Overdue(self.id));
        if self.state != State::Up {
            return;
        }
        match code {
            200..=299 => {
                self.take_timer(core, now, response);
                self.take_reinvite_answer(core, now, response);
                self.note_alive(core, now);
            }
            // Whose offer it is waits for the answer, and must not wait as long as two ends that met.
            491 if matches!(self.doing, Some(Task::Relay(_))) => {
                self.give_up(core, now, code, response.reason());
            }
            491 => return self.pause(core, now, None, code, response.reason()),
            401 | 407 => {
                self.asking = self.answer_challenge(core, now, id, response);
                if self.asking.is_some() {
                    return;
                }
                self.give_up(core, now, code, response.reason());
            }
            422 => {
                let refused = core.layer.sent_request(id).cloned();
                if refused.is_some_and(|mut refused| self.raise_interval(&mut refused, response)) {
                    self.media.abandon_offer();
                    return self.ask(core, now);
                }
                self.give_up(core, now, code, response.reason());
            }
            408 | 481 => return self.lose(core, now, code, response.reason()),
            500 | 503 if retry_after(response).is_some() => {
                return self.pause(core, now, retry_after(response), code, response.reason());
            }
            _ => self.give_up(core, now, code, response.reason()),
        }
        self.advance(core, now);
    }

    /// The dialog is dead if nobody answers in it (RFC 3261 12.2.1.2).
    pub(super) fn on_reinvite_silence(&mut self, core: &mut Core, now: Instant, id: TxId) {
        if self.asking != Some(id) {
            return;
        }
        self.asking = None;
        core.timers.clear(Alarm::Overdue(self.id));
        match self.state {
            State::Up if self.cancel_sent => {
                self.give_up(core, now, 408, "no answer");
                self.advance(core, now);
            }
            State::Up if is_undelivered(core, id) => self.on_reinvite_undelivered(core, now),
            State::Up => self.lose(core, now, 408, "no answer"),
            _ => {}
        }
    }

    /// There is no connection to ask by: the exchange may only be starting again, and the call does not depend on it.
    fn on_reinvite_undelivered(&mut self, core: &mut Core, now: Instant) {
        const REASON: &str = "no connection to the exchange";
        match self.doing {
            Some(Task::Refresh) => self.on_refresh_undelivered(core, now),
            // Whose offer it is waits for the answer.
            Some(Task::Relay(_)) | None => {
                self.give_up(core, now, 503, REASON);
                self.advance(core, now);
            }
            Some(_) => self.pause(core, now, Some(RECONNECT), 503, REASON),
        }
    }

    /// The target that our re-INVITE went to is dead: it goes by another.
    pub(super) fn ask_elsewhere(&mut self, core: &mut Core, now: Instant) {
        self.asking = None;
        self.media.abandon_offer();
        if self.doing.is_some() {
            self.ask(core, now);
        } else {
            self.advance(core, now);
        }
    }

    /// The re-INVITE was taken in (100) and has had no answer since. An INVITE may wait for a person, and
    /// so nothing ends it by itself (RFC 3261 17.1.1.2); but nobody need be asked for a hold, and
    /// meanwhile nothing else can be asked for in this call. So it is cancelled: whoever still knows of it
    /// ends it, and if nobody does, because an exchange has died with it, it has failed. The call has not:
    /// what is asked next will find out whether the peer is there.
    pub(super) fn on_reinvite_overdue(&mut self, core: &mut Core, now: Instant) {
        if let Some(invite) = self.asking {
            self.send_cancel(core, now, invite);
        }
    }

    /// A re-INVITE of the peer.
    pub(super) fn on_reinvite(&mut self, core: &mut Core, now: Instant, id: TxId, request: &Message) {
        if self.asking.is_some() || self.borrowed.is_some() || self.state == State::Calling {
            return core.reply(now, id, 491);
        }
        // Who asks again has our 2xx, though its ACK may still be on the way: unless that ACK must
        // bring an answer, it is as good as here.
        if self.unacked.as_ref().is_some_and(|unacked| !unacked.offered) && !self.bye_due {
            self.unacked = None;
            core.timers.clear(Alarm::Repeat(self.id));
            self.confirm(core);
        }
        if self.unacked.is_some() || self.state == State::Ringing {
            let pause = (core.random.bits() % 10).to_string();
            return core.reply_with(now, id, 500, "Retry-After", &pause);
        }
        if refresh::is_too_short(request) {
            return refresh::refuse_interval(core, now, id);
        }
        let body = if request.body().is_empty() {
            let wish = self.wish();
            self.media.create_offer(wish)
        } else {
            let wish = self.wish();
            let read = self.media.receive_offer(request.body());
            read.and_then(|_| self.media.create_answer(wish))
        };
        match body {
            Ok(body) => {
                self.refresh_target(request);
                let offered = request.body().is_empty();
                if let Some(mut response) = self.answer_with(core, id, body) {
                    self.settle_timer(core, now, request, &mut response);
                    self.send_answer(core, now, id, &response, offered);
                }
                self.come_home(core, true);
                if !offered {
                    self.note_media(core);
                }
                self.note_identity(core, id, request);
            }
            Err(error) => ringing::refuse_offer(core, now, id, error),
        }
    }

    /// An UPDATE of the peer: a new target, a new description, or only a sign of life.
    pub(super) fn on_update(
        &mut self,
        core: &mut Core,
        now: Instant,
        id: TxId,
        request: &Message,
        fork: Option<usize>,
    ) {
        let confirmed = matches!(self.state, State::Up | State::Answering);
        if confirmed && refresh::is_too_short(request) {
            return refresh::refuse_interval(core, now, id);
        }
        let mut body = Vec::new();
        if let Some(at) = fork
            && !request.body().is_empty()
        {
            match self.answer_early_offer(request.body(), at) {
                Ok(answer) => body = answer,
                Err(None) => return core.reply(now, id, 491),
                Err(Some(error)) => return ringing::refuse_offer(core, now, id, error),
            }
        } else if !request.body().is_empty() {
            if self.asking.is_some() || self.borrowed.is_some() || self.media.local_offer_pending() {
                return core.reply(now, id, 491);
            }
            if self.state == State::Ringing && !self.provisionals.is_settled() {
                let pause = (core.random.bits() % 10).to_string();
                return core.reply_with(now, id, 500, "Retry-After", &pause);
            }
            let wish = self.wish();
            let read = self.media.receive_offer(request.body());
            match read.and_then(|_| self.media.create_answer(wish)) {
                Ok(answer) => body = answer,
                Err(error) => return ringing::refuse_offer(core, now, id, error),
            }
        }
        match fork.and_then(|at| self.forks.get_mut(at)) {
            Some(fork) => fork.dialog.refresh_target(request),
            None => self.refresh_target(request),
        }
        let changed = !body.is_empty();
        if let Some(mut response) = self.answer_with(core, id, body) {
            if confirmed {
                self.settle_timer(core, now, request, &mut response);
            }
            core.layer.respond(now, id, &response);
        }
        match fork {
            Some(at) if changed => self.note_early_media(core, at),
            None if changed && self.state != State::Answering => {
                self.come_home(core, true);
                self.note_media(core);
            }
            _ => {}
        }
        // Who it is at one of several ends that ring is told when one of them answers.
        if fork.is_none() {
            self.note_identity(core, id, request);
        }
    }

    /// Tells the program what changed in the stream since it last heard.
    pub(super) fn note_media(&mut self, core: &mut Core) {
        let Some(media) = self.media.media().cloned() else { return };
        if self.told.as_ref() != Some(&media) {
            self.told = Some(media.clone());
            core.emit(Event::MediaChanged { session: self.id, media });
        }
        self.note_remote_hold(core);
    }

    /// The peer holds us while it wants none of our sound.
    pub(super) fn note_remote_hold(&mut self, core: &mut Core) {
        let Some(media) = self.media.media() else { return };
        let held = !media.direction.sends();
        if held != self.remote_held {
            self.remote_held = held;
            core.emit(Event::RemoteHold { session: self.id, held });
        }
    }

    /// Sends the re-INVITE of the task at hand.
    fn ask(&mut self, core: &mut Core, now: Instant) {
        let wish = self.wish();
        let offer = match &self.doing {
            Some(Task::Hold) => self.media.create_offer(Direction::SendOnly),
            Some(Task::Borrow) => Ok(Vec::new()),
            Some(Task::Relay(described)) => self.media.relay_offer(described),
            Some(Task::Own | Task::Refresh) => self.media.create_offer(wish),
            _ => self.media.create_offer(Direction::SendRecv),
        };
        match offer {
            Ok(offer) => {
                let contact = core.contact(self.account);
                let (allow, supported) = (core.allow(), core.supported());
                self.cancel_sent = false;
                self.reasked = reliable::Reasked::default();
                let Some(dialog) = self.dialog.as_mut() else { return };
                let request = dialog.request(Method::Invite);
                let hop = core.dialog_hop(self.account, dialog.hop());
                self.asking = Some(self.send_on(core, now, request, &hop, |request| {
                    request.push("Contact", contact);
                    request.push("Allow", allow);
                    request.push("Supported", supported);
                    self.state_timer(request);
                    if !offer.is_empty() {
                        request.set_body(crate::sdp::CONTENT_TYPE, offer);
                    }
                }));
            }
            Err(error) => self.give_up(core, now, error.code(), &error.to_string()),
        }
    }

    /// `invite` is the request itself, where it is still known.
    pub(super) fn acknowledge_reinvite(
        &mut self,
        core: &mut Core,
        now: Instant,
        response: &Message,
        invite: Option<&Message>,
    ) {
        let number = response.cseq().map_or(0, |cseq| cseq.number);
        let tag = response.to().and_then(|to| to.tag().map(str::to_owned)).unwrap_or_default();
        // The ACK of a borrowed offer brings the answer, and waits for it.
        if self.borrowed.as_ref().is_some_and(|borrowed| borrowed.is_of(number)) {
            return;
        }
        if self.repeat_ack(core, now, number, &tag) {
            return;
        }
        let Some(dialog) = self.dialog.as_mut().filter(|dialog| dialog.is_with(&tag)) else { return };
        dialog.refresh_target(response);
        let dialog = dialog.clone();
        self.acknowledge(core, now, &dialog, number, invite);
    }

    fn take_reinvite_answer(&mut self, core: &mut Core, now: Instant, response: &Message) {
        if matches!(self.doing, Some(Task::Relay(_))) {
            return self.take_relayed_answer(core, response);
        }
        let answer = self.reinvite_answer(response).to_vec();
        match self.media.receive_answer(&answer) {
            Ok(media) => {
                let task = self.doing.take();
                // A refresh describes ourselves, whatever the program wanted.
                self.come_home(core, task == Some(Task::Refresh));
                if self.told.as_ref() != Some(&media) {
                    self.told = Some(media.clone());
                    core.emit(Event::MediaChanged { session: self.id, media });
                }
                match task {
                    Some(Task::Hold) => {
                        self.held = true;
                        // An answer of `inactive` to our hold says nothing about who holds whom.
                        core.emit(Event::Held { session: self.id });
                    }
                    Some(Task::Refresh | Task::Own) if self.held => {}
                    Some(Task::Refresh | Task::Own) => self.note_remote_hold(core),
                    _ => {
                        self.held = false;
                        core.emit(Event::Retrieved { session: self.id });
                        self.note_remote_hold(core);
                    }
                }
            }
            Err(error) => self.give_up(core, now, error.code(), &error.to_string()),
        }
    }

    /// Waits before asking again: as long as told, or as RFC 3261 14.1 says so that the two ends
    /// do not meet again.
    fn pause(&mut self, core: &mut Core, now: Instant, told: Option<Duration>, code: u16, reason: &str) {
        self.media.abandon_offer();
        self.tries += 1;
        if self.tries > MAX_TRIES {
            self.give_up(core, now, code, reason);
            return self.advance(core, now);
        }
        let (from, to) = if self.caller { (2100, 4000) } else { (0, 2000) };
        let pause = told
            .unwrap_or_else(|| core.random.between(Duration::from_millis(from), Duration::from_millis(to)));
        core.timers.set(Alarm::AskAgain(self.id), now + pause);
    }

    /// The task failed for good; the call stays as it was.
    pub(super) fn give_up(&mut self, core: &mut Core, now: Instant, code: u16, reason: &str) {
        self.media.abandon_offer();
        let (session, reason) = (self.id, reason.to_owned());
        match self.doing.take() {
            None => {}
            Some(Task::Refresh) => self.refresh_later(core, now),
            Some(Task::Borrow | Task::Relay(_) | Task::Own) => {
                core.note(Note::Failed { session, code, reason });
            }
            Some(task) => {
                core.emit(Event::HoldFailed { session, hold: task == Task::Hold, code, reason });
            }
        }
    }

    /// The peer no longer knows the call.
    pub(super) fn lose(&mut self, core: &mut Core, now: Instant, code: u16, reason: &str) {
        self.send_bye(core, now);
        let by = if code == 408 { EndedBy::Timeout } else { EndedBy::Remote };
        self.finish(core, now, Cause { by, code, reason: reason.to_owned(), elsewhere: false });
    }

    pub(super) fn refresh_target(&mut self, message: &Message) {
        if let Some(dialog) = &mut self.dialog {
            dialog.refresh_target(message);
        }
    }
}

/// A Retry-After short enough to wait for.
fn retry_after(response: &Message) -> Option<Duration> {
    let text = response.header("Retry-After")?;
    let digits = text.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok().filter(|&seconds| seconds <= MAX_PAUSE).map(Duration::from_secs)
}
