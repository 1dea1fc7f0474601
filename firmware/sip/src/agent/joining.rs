//! Joining two calls, so that their peers speak with each other: third-party call control (RFC 3725 flow I, in
//! calls that are up).
//!
//! One of them, the operator's telephone, is asked for an offer; the other gets it, and the first hears the answer
//! in its ACK. Until then both speak with us, and whatever goes wrong leaves it so: the telephone's offer is answered
//! by ourselves. The order is no accident. An offer that is asked for is something exchanges and trunks refuse now and
//! then, and telephones hardly ever; and no telephone waits for an answer longer than a few seconds.
//! Not done here: the messages ([`crate::session`]), and which calls to join.

use std::time::{Duration, Instant};

use super::UserAgent;
use crate::agent::{Error, Event, SessionId};
use crate::core::Alarm;
use crate::session::Note;

/// How long a telephone that has made its offer waits for the other end before it speaks with us again.
const PATIENCE: Duration = Duration::from_secs(4);
/// How often two ends may meet (491) before they are left as they are.
const MAX_TRIES: u8 = 3;

/// Two calls that are joined or shall be.
#[derive(Debug)]
pub(super) struct Joint {
    phone: SessionId,
    call: SessionId,
    stage: Stage,
    tries: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The telephone was asked for its offer.
    Asked,
    /// The other end has it.
    Offered,
    /// The other end wanted something of its own just then.
    Paused,
    Joined,
}

impl Joint {
    fn has(&self, session: SessionId) -> bool {
        self.phone == session || self.call == session
    }
}

impl UserAgent {
    /// Joins two answered calls: their peers speak with each other, and we only signal. [`Event::Joined`] or
    /// [`Event::JoinFailed`] follows, unless [`Event::Parted`] comes before. What either was joined with is parted.
    /// It waits for what was asked for before in both calls.
    ///
    /// # Errors
    /// Nothing was sent, and no event follows: [`Error::SameCall`], [`Error::NoSuchCall`], [`Error::NotAnswered`].
    pub fn join(&mut self, now: Instant, phone: SessionId, call: SessionId) -> Result<(), Error> {
        if phone == call {
            return Err(Error::SameCall(call));
        }
        for id in [phone, call] {
            self.sessions.get(&id).ok_or(Error::NoSuchCall(id))?.may_be_joined()?;
        }
        if self.joints.iter().any(|joint| joint.phone == phone && joint.call == call) {
            return Ok(());
        }
        for id in [phone, call] {
            if let Some(joint) = self.unjoin(id) {
                self.undo(now, &joint, None, "joined with another");
            }
        }
        self.joints.push(Joint { phone, call, stage: Stage::Asked, tries: 0 });
        self.with(now, phone, |session, core| session.ask_for_offer(core, now));
        Ok(())
    }

    /// Has the peers of two joined calls speak with us again; `session` is either. [`Event::Parted`] follows.
    pub fn part(&mut self, now: Instant, session: SessionId) {
        if let Some(joint) = self.unjoin(session) {
            self.undo(now, &joint, None, "parted");
        }
        self.settle(now);
    }

    /// Asks the peer of an answered call for a sign of life (OPTIONS). [`Event::Ended`] follows when it does not know
    /// the call any more, or when this is called a second time before it has answered.
    pub fn probe(&mut self, now: Instant, session: SessionId) {
        self.with(now, session, |session, core| session.probe(core, now));
    }

    /// Takes a call out of its joint, whose own next description comes from elsewhere.
    pub(super) fn release(&mut self, now: Instant, session: SessionId, reason: &str) {
        if let Some(joint) = self.unjoin(session) {
            self.undo(now, &joint, Some(session), reason);
        }
    }

    pub(super) fn on_join_alarm(&mut self, now: Instant, phone: SessionId) {
        let Some(at) = self.joints.iter().position(|joint| joint.phone == phone) else { return };
        match self.joints[at].stage {
            // Should its answer come late, the other end is taken back then.
            Stage::Offered => self.fail(now, at, 408, "no answer to the telephone's offer"),
            Stage::Paused => {
                self.joints[at].stage = Stage::Asked;
                if let Some(phone) = self.sessions.get_mut(&phone) {
                    phone.ask_for_offer(&mut self.core, now);
                }
            }
            Stage::Asked | Stage::Joined => {}
        }
    }

    /// What the sessions tell.
    pub(super) fn take_notes(&mut self, now: Instant) {
        while let Some(note) = self.core.notes.pop_front() {
            match note {
                Note::Offer { session, body } => self.on_offer(now, session, body),
                Note::Relayed { session, body } => self.on_relayed(now, session, &body),
                Note::Failed { session, code, reason } => self.on_failed(now, session, code, &reason),
                Note::Reclaimed { session } => self.release(now, session, "the peer wanted a change"),
                Note::Over { session } => self.release(now, session, "one of them has ended"),
            }
        }
    }

    fn on_offer(&mut self, now: Instant, phone: SessionId, body: Vec<u8>) {
        let wanted = |joint: &&mut Joint| joint.phone == phone && joint.stage == Stage::Asked;
        let Some(joint) = self.joints.iter_mut().find(wanted) else { return self.give_back(now, phone) };
        joint.stage = Stage::Offered;
        let call = joint.call;
        self.core.timers.set(Alarm::Join(phone), now + PATIENCE);
        if let Some(call) = self.sessions.get_mut(&call) {
            call.relay(&mut self.core, now, body);
        }
    }

    fn on_relayed(&mut self, now: Instant, call: SessionId, body: &[u8]) {
        let wanted = |joint: &Joint| joint.call == call && joint.stage == Stage::Offered;
        let Some(at) = self.joints.iter().position(wanted) else { return self.take_back(now, call) };
        let phone = self.joints[at].phone;
        let Some(session) = self.sessions.get_mut(&phone) else { return };
        match session.lend(&mut self.core, now, body) {
            Ok(()) => {
                self.joints[at].stage = Stage::Joined;
                self.core.timers.clear(Alarm::Join(phone));
                self.core.emit(Event::Joined { phone, call });
            }
            Err(error) => self.fail(now, at, error.code(), &error.to_string()),
        }
    }

    fn on_failed(&mut self, now: Instant, session: SessionId, code: u16, reason: &str) {
        let Some(at) = self.joints.iter().position(|joint| joint.has(session)) else {
            tracing::warn!(session = session.0, code, reason, "a peer does not come back to us");
            return self.core.emit(Event::Stranded { session, code, reason: reason.to_owned() });
        };
        let joint = &mut self.joints[at];
        let glare = code == 491 && joint.call == session && joint.stage == Stage::Offered;
        if glare && joint.tries < MAX_TRIES {
            joint.tries += 1;
            joint.stage = Stage::Paused;
            let phone = joint.phone;
            // Longer than the peer waits that began the call (RFC 3261 14.1), so that its change comes first.
            let pause = self.core.random.between(Duration::from_millis(2100), Duration::from_millis(4000));
            self.core.timers.set(Alarm::Join(phone), now + pause);
            return self.give_back(now, phone);
        }
        if self.joints[at].stage != Stage::Joined {
            self.fail(now, at, code, reason);
        }
    }

    /// It does not come about: both speak with us.
    fn fail(&mut self, now: Instant, at: usize, code: u16, reason: &str) {
        let Joint { phone, call, .. } = self.joints.remove(at);
        self.core.timers.clear(Alarm::Join(phone));
        self.give_back(now, phone);
        self.take_back(now, call);
        self.core.emit(Event::JoinFailed { phone, call, code, reason: reason.to_owned() });
    }

    fn unjoin(&mut self, session: SessionId) -> Option<Joint> {
        let at = self.joints.iter().position(|joint| joint.has(session))?;
        Some(self.joints.remove(at))
    }

    /// What a joint that is no longer wanted leaves to do, but in `except`.
    fn undo(&mut self, now: Instant, joint: &Joint, except: Option<SessionId>, reason: &str) {
        let &Joint { phone, call, stage, .. } = joint;
        self.core.timers.clear(Alarm::Join(phone));
        if let Some(session) = self.sessions.get_mut(&phone) {
            session.need_no_offer();
        }
        for id in [phone, call].into_iter().filter(|id| Some(*id) != except) {
            match stage {
                // An offer under way is given back when it comes, an answer under way taken back.
                Stage::Asked | Stage::Paused => {}
                Stage::Offered => self.give_back(now, id),
                Stage::Joined => self.take_back(now, id),
            }
        }
        self.core.emit(Event::Parted { phone, call, reason: reason.to_owned() });
    }

    fn give_back(&mut self, now: Instant, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.give_back(&mut self.core, now);
            session.proceed(&mut self.core, now);
        }
    }

    fn take_back(&mut self, now: Instant, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.take_back(&mut self.core, now);
        }
    }
}
