//! The operator's ear, hold and retrieve.
//!
//! One field says who has the ear. Everything that gives it to one call takes it from the call that
//! had it, which goes on hold if it was talking; a call still ringing somewhere just goes on
//! without the ear.

use ipc::{AudioState, CallRef, NoticeKind};

use crate::call::{Ms, State, WireHold};
use crate::switchboard::Switchboard;
use crate::{Ear, Effect};

impl Switchboard {
    /// Who has the ear now.
    pub(crate) fn ear(&self) -> Ear {
        match self.talk {
            Some(call) => Ear::Call(call),
            None if self.conference.joined() => Ear::Conference,
            None => Ear::Nobody,
        }
    }

    /// Gives the ear to `call`, which must be in a state that may have it.
    pub(crate) fn give_ear(&mut self, now: Ms, call: CallRef) {
        if self.talk == Some(call) {
            return;
        }
        self.free_ear(now);
        self.talk = Some(call);
        self.sound.stop_failure_tone();
        // A microphone muted for one caller must not leave the next one in silence, nor open by
        // itself for the same one.
        if self.heard_last.replace(call) != Some(call) {
            self.set_mute(false);
        }
    }

    /// Takes the ear from whoever has it.
    pub(crate) fn free_ear(&mut self, now: Ms) {
        self.leave_conference();
        let Some(previous) = self.talk.take() else { return };
        if self.calls.get(&previous).is_some_and(|c| c.state() == State::Talking) {
            self.put_on_hold(now, previous);
        }
    }

    /// Held, with the other side told so. The ear is not touched.
    pub(crate) fn put_on_hold(&mut self, now: Ms, call: CallRef) {
        self.ask_hold(call);
        self.enter(now, call, State::Held);
    }

    /// Tells the other side that it is on hold, unless it was told so before.
    pub(crate) fn ask_hold(&mut self, call: CallRef) {
        let Some(entry) = self.calls.get_mut(&call) else { return };
        if !entry.hold.asked {
            let talked = entry.state() == State::Talking;
            entry.hold.hold(talked);
            self.emit(Effect::Hold { call });
        }
    }

    /// Takes a call off hold and gives it the ear.
    pub(crate) fn retrieve(&mut self, now: Ms, call: CallRef) {
        self.give_ear(now, call);
        let mut picked_up = None;
        if let Some(entry) = self.calls.get_mut(&call) {
            entry.hold.retrieve();
            picked_up = entry.unattended.then(|| entry.line_number.clone());
            self.emit(Effect::Retrieve { call });
        }
        // A rule has answered; only now does the operator (TEN-2).
        if let Some(line) = picked_up {
            self.front_line(&line);
        }
        self.enter(now, call, State::Talking);
    }

    /// The call can be spoken on: it talks if it has the ear or nobody has, else it waits on hold.
    pub(crate) fn established(&mut self, now: Ms, call: CallRef) {
        if self.ear() == Ear::Nobody {
            self.give_ear(now, call);
        }
        if self.talk == Some(call) {
            self.enter(now, call, State::Talking);
        } else {
            self.put_on_hold(now, call);
        }
    }

    pub(crate) fn hold_agreed(&mut self, call: CallRef, held: bool) {
        if let Some(entry) = self.calls.get_mut(&call) {
            entry.hold.answered(held);
        }
    }

    /// The other side refused a hold or a retrieve. The call lives on as it was before it was asked: it talks again if it
    /// did, and the ear is free for that; a transfer under way goes on.
    pub(crate) fn hold_failed(&mut self, now: Ms, call: CallRef, hold: bool, code: u16, reason: &str) {
        // An operator whose telephone cannot be reached has no ear to give.
        let can_talk = !matches!(self.desk.audio, AudioState::PhoneFailed { .. });
        let Some(entry) = self.calls.get_mut(&call) else { return };
        // What was asked since is answered by itself.
        if !entry.hold.answered(hold) {
            return;
        }
        let talked = entry.hold.talked;
        entry.hold = WireHold { asked: !hold, refused: hold, ..WireHold::default() };
        let (state, party) = (entry.state(), entry.party.clone());
        tracing::info!(call = call.0, code, reason, hold, "hold or retrieve refused");
        match state {
            State::Held if hold && talked && can_talk && self.ear() == Ear::Nobody => {
                self.give_ear(now, call);
                self.enter(now, call, State::Talking);
            }
            State::Talking if !hold => {
                self.talk = None;
                self.enter(now, call, State::Held);
            }
            State::Conference if !hold => self.enter(now, call, State::Held),
            State::Ending { .. } => return,
            _ => {}
        }
        self.notify(now, NoticeKind::HoldFailed { party, code });
    }

    /// The other end speaks to where nobody hears it.
    pub(crate) fn sound_lost(&mut self, now: Ms, call: CallRef, code: u16) {
        let Some(entry) = self.calls.get(&call) else { return };
        if matches!(entry.state(), State::Ending { .. }) {
            return;
        }
        let party = entry.party.clone();
        self.notify(now, NoticeKind::SoundLost { party, code });
    }

    /// A menu at the other end did not hear what was typed.
    pub(crate) fn digits_failed(&mut self, now: Ms, call: CallRef, code: u16) {
        let Some(entry) = self.calls.get(&call) else { return };
        if matches!(entry.state(), State::Ending { .. }) {
            return;
        }
        let party = entry.party.clone();
        self.notify(now, NoticeKind::DigitsFailed { party, code });
    }

    pub(crate) fn enter(&mut self, now: Ms, call: CallRef, state: State) {
        if let Some(entry) = self.calls.get_mut(&call) {
            entry.enter(now, state);
            self.touch();
        }
    }
}
