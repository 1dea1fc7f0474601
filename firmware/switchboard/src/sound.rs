//! Ear, ringer and tones as effects.
//!
//! None of them is switched where the state changes: at the end of each turn [`Switchboard::settle`]
//! derives what should be heard from the state and asks for the difference, so that a ringer cannot
//! be forgotten.

use ipc::RingTone;

use crate::call::{Call, Ms, State};
use crate::switchboard::Switchboard;
use crate::{Ear, Effect, Tone};

/// How long the call-waiting tone is let play: one of its pips, not its repetition.
const CALL_WAITING_MS: Ms = 1000;

/// What was last asked for, and the tones that end by themselves.
#[derive(Debug, Default)]
pub(crate) struct Sound {
    ear: Ear,
    ringer: Option<RingTone>,
    tone: Option<Tone>,
    failure: Option<(Tone, Ms)>,
    waiting: Option<Ms>,
    /// A further call began to ring while the call-waiting tone was playing.
    again: bool,
}

impl Sound {
    pub(crate) fn start_failure_tone(&mut self, tone: Tone, until: Ms) {
        self.failure = Some((tone, until));
    }

    pub(crate) fn stop_failure_tone(&mut self) {
        self.failure = None;
    }

    pub(crate) fn expire(&mut self, now: Ms) {
        self.failure = self.failure.filter(|(_, until)| *until > now);
        self.waiting = self.waiting.filter(|until| *until > now);
    }

    pub(crate) fn deadline(&self) -> Option<Ms> {
        [self.failure.map(|(_, until)| until), self.waiting].into_iter().flatten().min()
    }
}

impl Switchboard {
    /// A call began to ring: said once in the ear of an operator who talks. Otherwise the ringer
    /// rings, by [`Switchboard::settle`].
    pub(crate) fn ring_began(&mut self, now: Ms) {
        if self.ear() != Ear::Nobody {
            self.sound.waiting = Some(now + CALL_WAITING_MS);
            self.sound.again = true;
        }
    }

    /// Asks for whatever should be heard now and was not asked for before.
    pub(crate) fn settle(&mut self) {
        self.settle_conference();
        self.settle_park();
        let ringing = self.ring_tone();
        let ear = self.ear();
        if ear == Ear::Nobody || ringing.is_none() {
            self.sound.waiting = None;
        }
        if self.sound.ear != ear {
            self.sound.ear = ear;
            self.emit(Effect::Talk(ear));
            self.touch();
        }
        let ringer = ringing.filter(|_| ear == Ear::Nobody);
        if self.sound.ringer != ringer {
            self.sound.ringer = ringer;
            self.emit(Effect::Ringer(ringer));
        }
        let tone = self.tone();
        let again = std::mem::take(&mut self.sound.again) && tone == Some(Tone::CallWaiting);
        if self.sound.tone != tone || again {
            self.sound.tone = tone;
            self.emit(Effect::Tone(tone));
        }
    }

    /// How it rings, if anything does: like the line of the call that is to be taken first.
    fn ring_tone(&self) -> Option<RingTone> {
        let first = self.calls.values().filter(|call| call.rings()).min_by_key(|call| call.order());
        let of = |call: &Call| self.line(&call.line_number).map(|line| line.ring).unwrap_or_default();
        first.map(of).or_else(|| self.a_slot_rings().then(RingTone::default))
    }

    fn tone(&self) -> Option<Tone> {
        if self.sound.waiting.is_some() {
            return Some(Tone::CallWaiting);
        }
        match self.ear() {
            Ear::Call(call) => {
                let call = self.calls.get(&call)?;
                let far_end_rings = call.state() == State::Alerting && !call.early_media;
                far_end_rings.then_some(Tone::Ringback)
            }
            Ear::Conference => None,
            Ear::Nobody => self.sound.failure.map(|(tone, _)| tone),
        }
    }
}
