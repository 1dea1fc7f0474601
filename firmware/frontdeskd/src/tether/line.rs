//! What the engine does with the operator's telephone: calls it, joins it, hangs it up.

use std::time::{Duration, Instant};

use ipc::{AudioState, CallRef, Command, HookAction, PhoneFault};
use media::StreamId;
use sip::{Cause, EndedBy, Invite, SessionId};
use switchboard::{Ear, Input};
use tracing::{info, warn};

use super::{AGAIN, ANSWER, Joint, LASTING, Line, MAX_JOINS, PROBE, Phone, SETTLE, STREAM, may_meet};
use crate::{bridge, engine::Engine};

impl Engine {
    /// At the start, and when the settings change.
    pub(crate) fn tether_to(&mut self, now: Instant, phone: Option<Phone>) {
        if self.tether.phone == phone {
            return;
        }
        self.hang_phone_up(now);
        info!(on = phone.is_some(), "the operator speaks over a telephone");
        self.tether.kept = false;
        self.tether.phone = phone;
        let on = self.tether.is_on();
        self.sound(self.parts.media.connect_audio(!on));
        if on {
            self.parts.board.handle(now, Input::Audio(AudioState::Disconnected));
            self.call_phone_if_needed(now);
        }
    }

    /// The headset icon. `false`: there is no telephone, and it means the devices.
    pub(crate) fn tap_headset(&mut self, now: Instant, on: bool) -> bool {
        if !self.tether.is_on() {
            return false;
        }
        self.tether.kept = on;
        if on {
            self.call_phone(now);
        } else {
            self.hang_phone_up(now);
        }
        true
    }

    /// Who has the operator's ear.
    pub(crate) fn tether_ear(&mut self, now: Instant, ear: Ear) {
        let tether = &mut self.tether;
        tether.ear = ear;
        tether.joins = 0;
        tether.join_at = None;
        tether.idle_since = (ear == Ear::Nobody).then_some(now);
        tether.spoken_call_renewed();
        self.call_phone_if_needed(now);
        self.steer(now, SETTLE);
    }

    pub(crate) fn tether_mute(&mut self, now: Instant, on: bool) {
        self.tether.muted = on;
        self.tether.spoken_call_renewed();
        self.steer(now, SETTLE);
    }

    /// Something happened in a call that lets it be joined.
    pub(crate) fn tether_news(&mut self, now: Instant, call: CallRef) {
        if self.tether.wish() == Some(call) {
            self.steer(now, SETTLE);
        }
    }

    /// A call does not come back to the desk: it is silent both ways until it is joined again, and the operator is told.
    /// Both once.
    pub(crate) fn call_stranded(&mut self, now: Instant, call: CallRef, code: u16) {
        if self.tether.call_stranded(call) {
            self.steer(now, AGAIN);
            self.parts.board.handle(now, Input::SoundLost { call, code });
        }
    }

    /// Digits are the desk's to send: it steps between the two until they are gone.
    pub(crate) fn tether_digits(&mut self, now: Instant, call: CallRef, count: usize) {
        if let (Some(joint), Some(session)) = (self.tether.joint(), self.tether.session())
            && joint.call == call
        {
            self.parts.agent.part(now, session);
            self.tether.call_renewed(call);
            // A digit and the pause after it take 160 ms.
            let sent = AGAIN + Duration::from_millis(200) * u32::try_from(count).unwrap_or(64);
            self.tether.join_at = Some(now + sent);
        }
    }

    /// Whether speech flows past the desk, so that no tone of ours is heard.
    pub(crate) fn is_joined(&self) -> bool {
        self.tether.joint().is_some_and(|joint| joint.since.is_some())
    }

    /// What is due.
    pub(crate) fn tether_deadline(&mut self, now: Instant) {
        if self.tether.next().is_none_or(|at| at > now) {
            return;
        }
        if self.tether.leaves_at().is_some_and(|at| at <= now) {
            info!("nobody is spoken with: the telephone is hung up");
            return self.hang_phone_up(now);
        }
        match &mut self.tether.line {
            Line::Calling { session, until, given_up } if *until <= now && !*given_up => {
                *given_up = true;
                let session = *session;
                return self.parts.agent.hang_up(now, session);
            }
            Line::Up { session, probe_at, .. } if *probe_at <= now => {
                *probe_at = now + PROBE;
                let session = *session;
                self.parts.agent.probe(now, session);
            }
            _ => {}
        }
        if self.tether.join_at.is_some_and(|at| at <= now) {
            self.tether.join_at = None;
            self.join_now(now);
        }
    }

    /// An event of the telephone's own call, or of a joint. `Some`: it is none, and is given back.
    pub(crate) fn take_phone(&mut self, now: Instant, event: sip::Event) -> Option<sip::Event> {
        use sip::Event as Of;
        let Some(ours) = self.tether.session() else { return Some(event) };
        match event {
            Of::Answered { session, media, .. } if session == ours => {
                self.phone_answered(now, session, &media)
            }
            Of::MediaChanged { session, media } if session == ours => self.phone_media(&media),
            Of::RemoteHold { session, held: now_held } if session == ours => {
                if let Line::Up { held, .. } = &mut self.tether.line {
                    *held = now_held;
                }
                self.steer(now, SETTLE);
            }
            Of::Joined { phone, call } if phone == ours => self.joined(now, call),
            Of::JoinFailed { phone, code, reason, .. } if phone == ours => {
                info!(code, reason, "the desk stays between the telephone and the call");
                self.tether.joins = MAX_JOINS;
                self.unjoined();
            }
            Of::Parted { phone, reason, .. } if phone == ours => {
                info!(reason, "the telephone speaks with the desk again");
                // Whoever refreshes its call by a change once in a while is no reason to give up.
                if let Some(Joint { call, since: Some(since) }) = self.tether.joint()
                    && now.duration_since(since) > LASTING
                {
                    self.tether.joins = 0;
                    self.tether.call_renewed(call);
                }
                self.unjoined();
                self.steer(now, AGAIN);
            }
            Of::Stranded { session, code, reason } if session == ours => {
                warn!(code, reason, "the telephone does not come back: it is called anew");
                self.hang_phone_up(now);
                self.call_phone_if_needed(now);
            }
            Of::Progress { session, .. } | Of::Held { session } | Of::Retrieved { session }
                if session == ours => {}
            other => return Some(other),
        }
        None
    }

    /// The telephone's own call has ended; `false` where it is another that has.
    pub(crate) fn phone_ended(&mut self, now: Instant, session: SessionId, cause: &Cause) -> bool {
        if self.tether.session() != Some(session) {
            return false;
        }
        info!(by = ?cause.by, code = cause.code, reason = cause.reason, "the telephone's call ended");
        let line = std::mem::take(&mut self.tether.line);
        self.tether.join_at = None;
        self.sound(self.parts.media.close(STREAM));
        let fault = match (line, cause.by, cause.code) {
            (Line::Calling { given_up: true, .. }, ..) => Some(PhoneFault::NoAnswer),
            (_, EndedBy::Local, _) | (Line::Up { .. }, EndedBy::Remote, 200) => None,
            (Line::Up { .. }, ..) => Some(PhoneFault::Lost),
            (_, _, 486 | 600) => Some(PhoneFault::Busy),
            (_, EndedBy::Timeout, _) | (_, _, 408 | 480) => Some(PhoneFault::NoAnswer),
            (_, _, code) => Some(PhoneFault::Refused { code }),
        };
        match fault {
            Some(why) => self.phone_failed(now, why),
            None => {
                self.tether.kept = false;
                self.parts.board.handle(now, Input::Audio(AudioState::Disconnected));
            }
        }
        // The handset was put down: what that means is the same wherever the handset is. Without a call it is nothing.
        if fault.is_none() && cause.by == EndedBy::Remote {
            let _ = self.parts.board.command(now, &Command::Hook { action: HookAction::OnHook });
        }
        true
    }

    fn call_phone_if_needed(&mut self, now: Instant) {
        if self.tether.ear != Ear::Nobody {
            self.call_phone(now);
        }
    }

    fn call_phone(&mut self, now: Instant) {
        let Some(phone) = self.tether.phone.clone() else { return };
        if !matches!(self.tether.line, Line::Down) {
            return;
        }
        let ip = self.parts.agent.media_ip(phone.account);
        let ports = match self.open_stream(STREAM, ip, Some(phone.account)) {
            Ok(ports) => ports,
            Err(error) => {
                warn!(%error, "no sound for the telephone");
                return self.phone_failed(now, PhoneFault::NotCallable);
            }
        };
        let local = self.local_media(Some(phone.account), ports);
        let invite = Invite {
            answer_after: Some(Duration::ZERO),
            ..Invite::new(phone.account, phone.number.as_str(), local)
        };
        match self.parts.agent.invite(now, invite) {
            Ok(session) => {
                info!("the operator's telephone is called");
                self.tether.line = Line::Calling { session, until: now + ANSWER, given_up: false };
                let state = AudioState::Connecting { device: phone.number };
                self.parts.board.handle(now, Input::Audio(state));
            }
            Err(error) => {
                warn!(%error, "the operator's telephone cannot be called");
                self.sound(self.parts.media.close(STREAM));
                self.phone_failed(now, PhoneFault::NotCallable);
            }
        }
    }

    fn hang_phone_up(&mut self, now: Instant) {
        if let Some(session) = self.tether.session() {
            self.parts.agent.hang_up(now, session);
            // Whatever comes next may call it again; its end is told of a session that is nobody's by then.
            self.tether.line = Line::Down;
            self.tether.join_at = None;
            self.sound(self.parts.media.close(STREAM));
            self.parts.board.handle(now, Input::Audio(AudioState::Disconnected));
        }
    }

    fn phone_failed(&mut self, now: Instant, why: PhoneFault) {
        let Some(phone) = &self.tether.phone else { return };
        warn!(?why, "the operator's telephone is of no use");
        self.tether.kept = false;
        let state = AudioState::PhoneFailed { phone: phone.number.clone(), why };
        self.parts.board.handle(now, Input::Audio(state));
    }

    fn phone_answered(&mut self, now: Instant, session: SessionId, media: &sip::sdp::Media) {
        let Some(phone) = &self.tether.phone else { return };
        let state = AudioState::Connected { device: phone.number.clone() };
        info!("the operator's telephone answered");
        self.tether.line = Line::Up { session, joint: None, held: false, probe_at: now + PROBE };
        self.tether.idle_since = (self.tether.ear == Ear::Nobody).then_some(now);
        self.phone_media(media);
        self.sound(self.parts.media.telephone(Some(STREAM)));
        self.parts.board.handle(now, Input::Audio(state));
        self.steer(now, SETTLE);
    }

    /// Where the telephone hears us now.
    fn phone_media(&mut self, media: &sip::sdp::Media) {
        self.stale = true;
        self.sound(self.parts.media.connect(STREAM, bridge::remote(media)));
    }

    /// Joins what should be joined, after a while, and parts what should not.
    fn steer(&mut self, now: Instant, after: Duration) {
        let (wish, joint) = (self.tether.wish(), self.tether.joint());
        if joint.is_some_and(|joint| Some(joint.call) != wish)
            && let Some(session) = self.tether.session()
        {
            self.parts.agent.part(now, session);
        }
        let is_there = joint.is_some_and(|joint| Some(joint.call) == wish);
        let due = wish.is_some() && !is_there && self.tether.joins < MAX_JOINS;
        self.tether.join_at = match self.tether.join_at {
            Some(at) if due => Some(at.max(now + after)),
            _ => due.then_some(now + after),
        };
    }

    fn join_now(&mut self, now: Instant) {
        let (Some(call), None) = (self.tether.wish(), self.tether.joint()) else { return };
        let Some(with) = self.legs.by_call.get(&call).map(|leg| leg.session) else { return };
        let Line::Up { session, joint, .. } = &mut self.tether.line else { return };
        let [theirs, ours] = [with, *session].map(|session| self.parts.agent.media(session));
        if let (Some(theirs), Some(ours)) = (theirs, ours)
            && !may_meet(theirs, ours)
        {
            info!(call = call.0, "the desk stays between the telephone and the call");
            self.tether.joins = MAX_JOINS;
            return;
        }
        // One that rings still, or waits for its ACK, is news when it is answered.
        if self.parts.agent.join(now, *session, with).is_ok() {
            *joint = Some(Joint { call, since: None });
            self.tether.joins += 1;
        }
    }

    fn joined(&mut self, now: Instant, with: SessionId) {
        let Line::Up { session, joint, .. } = &mut self.tether.line else { return };
        let Some(call) = self.legs.by_session.get(&with).copied() else { return };
        *joint = Some(Joint { call, since: Some(now) });
        info!(call = call.0, "the telephone and the call speak with each other");
        // The desk is silent towards both, and its streams wait for them to come back.
        for (stream, session) in [(STREAM, *session), (StreamId(call.0), with)] {
            if let Some(media) = self.parts.agent.media(session) {
                let direction = media::Direction::Inactive;
                let quiet = media::Remote { direction, ..bridge::remote(media) };
                self.sound(self.parts.media.connect(stream, quiet));
            }
        }
    }

    fn unjoined(&mut self) {
        if let Line::Up { joint, .. } = &mut self.tether.line {
            *joint = None;
        }
    }
}
