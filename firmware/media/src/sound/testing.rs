//! The test of the sound devices, as far as levels, mutes and calls have a part in it.

use super::{Sound, mix};
use crate::api::{Event, Role};
use crate::frame::{Frame, SILENCE};
use crate::sound_test::{SoundTest, Test, TestEnd, TestState};

impl Sound {
    /// Begins a test; what is told of the one that ran.
    pub(crate) fn set_test(&mut self, test: Option<Box<Test>>) -> Option<Event> {
        let before = std::mem::replace(&mut self.test, test);
        before.map(|mut test| test.over(TestEnd::Stopped))
    }

    /// Ends a test that may not begin or go on; `talks`: somebody has the operator's ear.
    pub(crate) fn check_test(&mut self, talks: bool) -> Option<Event> {
        let end = self.hindrance(self.test.as_ref()?.what(), talks)?;
        self.test.take().map(|mut test| test.over(end))
    }

    /// What there is to tell of a test.
    pub(crate) fn test_news(&mut self) -> Option<Event> {
        let news = self.test.as_mut()?.news()?;
        if matches!(news, Event::Test { state: TestState::Over(_), .. }) {
            self.test = None;
        }
        Some(news)
    }

    /// Adds a test's sound to what is heard at a role, if it plays there.
    pub(super) fn add_test(&mut self, role: Role, into: &mut Frame) {
        if let Some(frame) = self.test.as_mut().and_then(|test| test.next(role)) {
            mix(into, &frame);
        }
    }

    /// What a test plays at the ringer or the notifier, at the level of ringing.
    pub(super) fn next_test(&mut self, role: Role) -> Option<Frame> {
        let mut frame = self.test.as_mut()?.next(role)?;
        self.ring_level.apply(&mut frame);
        Some(frame)
    }

    fn hindrance(&self, test: SoundTest, talks: bool) -> Option<TestEnd> {
        let speech = matches!(test, SoundTest::Speaker | SoundTest::HearBack);
        if talks || self.ring.is_some() || self.tone.is_some() {
            return Some(TestEnd::Call);
        }
        if speech && !self.connected {
            return Some(TestEnd::Disconnected);
        }
        if test == SoundTest::HearBack && self.input.is_off() {
            return Some(TestEnd::MicrophoneMuted);
        }
        let level = if speech { &self.output } else { &self.ring_level };
        level.is_off().then_some(TestEnd::SpeakerMuted)
    }
}

/// Both, where there are both.
pub(super) fn both(one: Option<Frame>, other: Option<Frame>) -> Option<Frame> {
    match (one, other) {
        (Some(one), Some(other)) => {
            let mut sum = SILENCE;
            mix(&mut sum, &one);
            mix(&mut sum, &other);
            Some(sum)
        }
        (one, other) => one.or(other),
    }
}
