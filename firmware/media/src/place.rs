//! Who hears whom: the levels between one stream, the operator and the conference.
//!
//! Everybody in the conference hears the sum of all others without itself (an N−1 mix). All changes are ramps of
//! one frame, so that nobody clicks in or out. Pure arithmetic.
//! Not done here: who belongs where (the request), codecs and jitter ([`crate::stream`]).

use crate::frame::{Frame, SILENCE};
use crate::mixer::{Gain, Limiter, Mixer};
use crate::speaking::Speaking;

/// What a stream is for, now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// On hold: neither heard nor spoken to.
    Held,
    /// Alone with the operator.
    Alone,
    /// In the conference; `muted`, it hears but is not heard. `operator` tells whether the operator is there.
    Member { muted: bool, operator: bool },
}

/// What is said in these 10 ms.
pub(crate) struct Bus {
    ear: Mixer,
    conference: Mixer,
    ear_limiter: Limiter,
}

impl Bus {
    pub(crate) fn new() -> Bus {
        Bus { ear: Mixer::new(), conference: Mixer::new(), ear_limiter: Limiter::new() }
    }

    /// What the operator hears of the streams; and all is ready for the next 10 ms.
    pub(crate) fn finish(&mut self) -> Frame {
        let heard = self.ear_limiter.apply(&self.ear);
        self.ear.clear();
        self.conference.clear();
        heard
    }
}

/// One stream among the others.
pub(crate) struct Place {
    part: Part,
    /// The operator does not want to hear this stream.
    unheard: bool,
    to_ear: Gain,
    to_others: Gain,
    from_others: Gain,
    from_operator: Gain,
    /// What this stream put into the conference in these 10 ms.
    said: Mixer,
    limiter: Limiter,
    speaking: Speaking,
}

impl Place {
    /// On hold.
    pub(crate) fn new() -> Place {
        Place {
            part: Part::Held,
            unheard: false,
            to_ear: Gain::new(0.0),
            to_others: Gain::new(0.0),
            from_others: Gain::new(0.0),
            from_operator: Gain::new(0.0),
            said: Mixer::new(),
            limiter: Limiter::new(),
            speaking: Speaking::default(),
        }
    }

    /// Takes a part; the levels follow in the next frame.
    pub(crate) fn set(&mut self, part: Part) {
        self.part = part;
        let (ear, others, from_others, from_operator) = match part {
            Part::Held => (false, false, false, false),
            Part::Alone => (true, false, false, true),
            Part::Member { muted, operator } => (operator && !muted, !muted, true, operator),
        };
        let level = |on: bool| if on { 1.0 } else { 0.0 };
        self.to_ear.set(level(ear && !self.unheard));
        self.to_others.set(level(others));
        self.from_others.set(level(from_others));
        self.from_operator.set(level(from_operator));
    }

    /// Keeps this stream from the operator's ear, and from nobody else's.
    pub(crate) fn set_unheard(&mut self, unheard: bool) {
        self.unheard = unheard;
        self.set(self.part);
    }

    pub(crate) fn part(&self) -> Part {
        self.part
    }

    /// Takes what the stream says, if anything; returns a change of its talking mark.
    pub(crate) fn hear(&mut self, frame: Option<&Frame>, bus: &mut Bus) -> Option<bool> {
        if let Some(frame) = frame {
            self.distribute(frame, bus);
        }
        match self.part {
            Part::Member { muted: false, .. } => self.speaking.hear(frame),
            _ => self.silence(),
        }
    }

    /// Takes the last that is heard of the stream before it is gone or pauses, and lets it die away.
    pub(crate) fn hear_last(&mut self, frame: &Frame, bus: &mut Bus) {
        let part = self.part;
        self.set(Part::Held);
        self.distribute(frame, bus);
        self.set(part);
    }

    /// Ends the talking mark; says so when there was one.
    pub(crate) fn silence(&mut self) -> Option<bool> {
        self.speaking.stop().then_some(false)
    }

    /// What the stream's far end is to hear, once everybody has been heard.
    pub(crate) fn mix(&mut self, bus: &Bus, voice: &Frame) -> Frame {
        if self.from_others.is_shut() && self.from_operator.is_shut() {
            // Most streams are on hold, and cost nothing here.
            self.said.clear();
            return SILENCE;
        }
        let mut mix = Mixer::new();
        if !self.from_others.is_shut() {
            mix = bus.conference.without(&self.said);
            self.from_others.apply_to(&mut mix);
        }
        if !self.from_operator.is_shut() {
            mix.add(&self.from_operator.applied(voice));
        }
        self.said.clear();
        self.limiter.apply(&mix)
    }

    fn distribute(&mut self, frame: &Frame, bus: &mut Bus) {
        if !self.to_ear.is_shut() {
            bus.ear.add(&self.to_ear.applied(frame));
        }
        if !self.to_others.is_shut() {
            let said = self.to_others.applied(frame);
            bus.conference.add(&said);
            self.said.add(&said);
        }
    }
}
