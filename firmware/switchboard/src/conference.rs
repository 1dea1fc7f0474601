//! The conference (CONF-1): up to five parties, with the operator or without.
//!
//! Its members are the calls in [`State::Conference`]; what is kept here beside them is their order,
//! who is muted and who speaks. A call that leaves that state, however that came, is taken out by
//! [`Switchboard::settle_conference`] at the end of the turn, so that no way out can be forgotten.
//! A single party that the operator has left goes on hold there: in sight, and with a recall timer.
//!
//! Mixing is not done here (crate `media`).

use ipc::{Action, CallRef, CommandError, ConferenceMember, ConferenceView};

use crate::Effect;
use crate::call::{Call, Ms, State};
use crate::switchboard::Switchboard;

/// Most parties beside the operator.
pub(crate) const MAX_MEMBERS: usize = 5;

#[derive(Debug, Default)]
pub(crate) struct Conference {
    /// In the order in which they came.
    members: Vec<ConferenceMember>,
    /// The operator takes part.
    joined: bool,
    since: Ms,
    /// Membership as last asked for.
    told: Vec<(CallRef, bool)>,
}

impl Conference {
    pub(crate) fn joined(&self) -> bool {
        self.joined
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = CallRef> {
        self.members.iter().map(|m| m.call)
    }

    pub(crate) fn is_running(&self) -> bool {
        !self.members.is_empty()
    }

    pub(crate) fn view(&self) -> Option<ConferenceView> {
        let view =
            || ConferenceView { members: self.members.clone(), joined: self.joined, since_ms: self.since };
        self.is_running().then(view)
    }

    fn has(&self, call: CallRef) -> bool {
        self.members().any(|member| member == call)
    }

    fn member(&mut self, call: CallRef) -> Option<&mut ConferenceMember> {
        self.members.iter_mut().find(|m| m.call == call)
    }
}

impl Switchboard {
    /// Begins the conference with `call` and the call that talks, adds `call` to it, or joins again.
    ///
    /// A call that had the ear brings the operator along; any other one is added without.
    pub(crate) fn do_conference(&mut self, now: Ms, call: CallRef) -> Result<(), CommandError> {
        self.guard(call, Action::Conference)?;
        if self.conference.has(call) {
            if self.conference.joined {
                return Err(CommandError::NotPossible);
            }
            self.join_conference(now);
            return Ok(());
        }
        if self.conference.members.len() >= MAX_MEMBERS {
            return Err(CommandError::ConferenceFull);
        }
        let had_ear = self.talk == Some(call);
        if self.conference.is_running() {
            self.admit_member(now, call);
            if had_ear {
                self.join_conference(now);
            }
        } else {
            self.conference.since = now;
            let talks = |c: &CallRef| self.calls.get(c).is_some_and(|c| c.state() == State::Talking);
            if let Some(first) = self.talk.filter(talks).filter(|first| *first != call) {
                self.admit_member(now, first);
            }
            self.admit_member(now, call);
            self.join_conference(now);
        }
        Ok(())
    }

    pub(crate) fn do_mute_member(&mut self, call: CallRef, on: bool) -> Result<(), CommandError> {
        self.guard(call, Action::MuteMember)?;
        if let Some(member) = self.conference.member(call) {
            member.muted = on;
        }
        self.touch();
        Ok(())
    }

    /// A member begins or ceases to speak.
    pub(crate) fn speaking(&mut self, call: CallRef, on: bool) {
        if let Some(member) = self.conference.member(call).filter(|m| m.speaking != on) {
            member.speaking = on;
            self.touch();
        }
    }

    /// The operator joins the running conference; the call that has the ear goes on hold.
    pub(crate) fn join_conference(&mut self, now: Ms) {
        self.free_ear(now);
        self.conference.joined = true;
        self.sound.stop_failure_tone();
        // The microphone stays muted only for those who were spoken to while it was.
        let same_party = self.heard_last.take().is_some_and(|call| self.conference.has(call));
        if !same_party {
            self.set_mute(false);
        }
        self.touch();
    }

    /// The operator leaves; the members go on without.
    pub(crate) fn leave_conference(&mut self) {
        if std::mem::take(&mut self.conference.joined) {
            self.touch();
        }
    }

    /// Whether the conference can take `call`, or be joined again by way of it.
    pub(crate) fn may_confer(&self, call: &Call) -> bool {
        if self.conference.has(call.id) {
            !self.conference.joined
        } else {
            self.conference.members.len() < MAX_MEMBERS
        }
    }

    /// Another leg takes a member's place: the same seat, muted or not as before.
    pub(crate) fn take_seat(&mut self, now: Ms, old: CallRef, new: CallRef) {
        if let Some(member) = self.conference.member(old) {
            member.call = new;
            member.speaking = false;
        }
        self.enter(now, new, State::Conference);
    }

    /// Takes out who has left, and asks for whatever membership was not asked for before.
    pub(crate) fn settle_conference(&mut self) {
        let before = self.conference.members.len();
        let stays = |id: CallRef| self.calls.get(&id).is_some_and(|c| c.state() == State::Conference);
        self.conference.members.retain(|m| stays(m.call));
        if self.conference.members.len() != before {
            self.touch();
        }
        match *self.conference.members.as_slice() {
            [] => self.leave_conference(),
            [last] if !self.conference.joined => {
                self.put_on_hold(self.latest(), last.call);
                self.conference.members.clear();
            }
            _ => {}
        }
        let members = || self.conference.members.iter().map(|m| (m.call, m.muted));
        if !members().eq(self.conference.told.iter().copied()) {
            let members: Vec<(CallRef, bool)> = members().collect();
            self.conference.told.clone_from(&members);
            self.emit(Effect::Conference(members));
        }
    }

    /// Makes a call that talks or waits a member; whoever waits is taken off hold.
    fn admit_member(&mut self, now: Ms, call: CallRef) {
        if self.talk == Some(call) {
            self.talk = None;
        }
        let Some(entry) = self.calls.get_mut(&call) else { return };
        if entry.state() != State::Talking {
            entry.hold.retrieve();
            self.emit(Effect::Retrieve { call });
        }
        self.enter(now, call, State::Conference);
        self.conference.members.push(ConferenceMember { call, muted: false, speaking: false });
    }
}
