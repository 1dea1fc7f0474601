//! Who wants to know how loud it is, and the test of the sound devices.
//!
//! The meter runs as long as a client looks at it, a test as long as the client is there that began it: both end with
//! the connection. Calls come first: no test begins while there is one, be it only on hold, and one that comes ends it.
//! What a test does to the sound is the media engine's; no speech reaches this program.

mod listener;

use std::collections::BTreeSet;

use ipc::{
    AudioState, CommandError, SoundLevels, SoundTest, SoundTestEnd, SoundTestState, SoundTestView, SoundView,
};
use media::{DeviceState, Role, TestEnd, TestState};
use tokio::sync::oneshot;
use tracing::info;

pub(crate) use self::listener::{Follower, Listener, Sound, is_its_business};
use crate::engine::Engine;

/// Which connection: never the same twice.
pub(crate) type Client = u64;

/// What a client wants of the sound.
#[derive(Debug)]
pub(crate) enum Wish {
    /// To be told how loud it is, or no longer.
    Meter { client: Client, on: bool },
    /// A test; `None` stops the one that runs.
    Test { client: Client, test: Option<SoundTest>, reply: oneshot::Sender<Result<(), CommandError>> },
    /// Nothing any more.
    Gone { client: Client },
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct SoundCheck {
    /// Who looks at the meter.
    lookers: BTreeSet<Client>,
    running: Option<Running>,
    /// Tests begun so far.
    count: u64,
}

#[derive(Clone, Copy, Debug)]
struct Running {
    client: Client,
    test: SoundTest,
    number: u64,
}

impl Engine {
    pub(crate) fn check_sound(&mut self, wish: Wish) {
        match wish {
            Wish::Meter { client, on: true } => {
                self.sound_check.lookers.insert(client);
                self.sound(self.parts.media.meter(true));
            }
            Wish::Meter { client, on: false } | Wish::Gone { client } => self.looks_away(client),
            Wish::Test { client, test, reply } => {
                let result = match test {
                    Some(test) => self.begin_test(client, test),
                    None => {
                        self.end_test(SoundTestEnd::Stopped);
                        Ok(())
                    }
                };
                // A client that has gone needs no answer.
                let _ = reply.send(result);
            }
        }
    }

    /// The meter has been read.
    pub(crate) fn show_levels(&mut self, input_dbfs: f32, output_dbfs: f32) {
        // One that was on its way when the last has looked away.
        if !self.sound_check.lookers.is_empty() {
            let levels = SoundLevels { input_dbfs: whole(input_dbfs), output_dbfs: whole(output_dbfs) };
            self.show_sound(|view| view.levels = Some(levels));
        }
    }

    /// A test goes on.
    pub(crate) fn show_test(&mut self, number: u64, state: TestState) {
        let Some(running) = self.sound_check.running.filter(|running| running.number == number) else {
            return;
        };
        let state = state_of(state);
        if let SoundTestState::Over(end) = state {
            info!(test = ?running.test, ?end, "test of the sound is over");
            self.sound_check.running = None;
        }
        self.show_sound(|view| view.test = Some(SoundTestView { test: running.test, state }));
    }

    /// A device has come or gone.
    pub(crate) fn test_loses(&mut self, role: Role, state: &DeviceState) {
        let is_needed = |running: Running| roles(running.test).contains(&role);
        if self.sound_check.running.is_some_and(is_needed) {
            match state {
                DeviceState::Open => {}
                DeviceState::Lost { .. } => self.end_test(SoundTestEnd::DeviceLost),
                DeviceState::Closed => self.end_test(SoundTestEnd::Disconnected),
            }
        }
    }

    /// Whoever calls comes first; looked at in every turn.
    pub(crate) fn calls_before_tests(&mut self) {
        if self.sound_check.running.is_some() && self.has_calls() {
            self.end_test(SoundTestEnd::Call);
        }
    }

    fn begin_test(&mut self, client: Client, test: SoundTest) -> Result<(), CommandError> {
        self.end_test(SoundTestEnd::Stopped);
        if let Some(end) = self.hindrance(test) {
            info!(?test, ?end, "no test of the sound");
            self.show_sound(|view| {
                view.test = Some(SoundTestView { test, state: SoundTestState::Over(end) });
            });
            return Err(CommandError::SoundTest(end));
        }
        self.sound_check.count += 1;
        let number = self.sound_check.count;
        let begun = self.parts.media.test_sound(number, wish_of(test));
        begun.map_err(|error| CommandError::Failed { reason: error.to_string() })?;
        info!(?test, "test of the sound");
        self.sound_check.running = Some(Running { client, test, number });
        Ok(())
    }

    fn end_test(&mut self, end: SoundTestEnd) {
        let Some(Running { test, .. }) = self.sound_check.running.take() else { return };
        info!(?test, ?end, "test of the sound is ended");
        self.sound(self.parts.media.stop_sound_test());
        self.show_sound(|view| view.test = Some(SoundTestView { test, state: SoundTestState::Over(end) }));
    }

    fn looks_away(&mut self, client: Client) {
        if self.sound_check.running.is_some_and(|running| running.client == client) {
            self.end_test(SoundTestEnd::Stopped);
        }
        if self.sound_check.lookers.remove(&client) && self.sound_check.lookers.is_empty() {
            self.sound(self.parts.media.meter(false));
            self.show_sound(|view| *view = SoundView::default());
        }
    }

    /// Why there can be no test now, so far as the media engine does not know it.
    fn hindrance(&self, test: SoundTest) -> Option<SoundTestEnd> {
        if self.has_calls() {
            return Some(SoundTestEnd::Call);
        }
        if self.tether.is_on() && matches!(test, SoundTest::Speaker | SoundTest::HearBack) {
            return Some(SoundTestEnd::Telephone);
        }
        roles(test).iter().find_map(|role| match self.audio.of(*role) {
            Some(AudioState::Connected { .. }) => None,
            Some(AudioState::Failed { .. }) => Some(SoundTestEnd::DeviceLost),
            _ => Some(SoundTestEnd::Disconnected),
        })
    }

    fn has_calls(&self) -> bool {
        !self.legs.by_call.is_empty()
    }

    fn show_sound(&self, change: impl FnOnce(&mut SoundView)) {
        self.parts.sound.send_if_modified(|view| {
            let before = *view;
            change(view);
            *view != before
        });
    }
}

/// The devices a test needs.
fn roles(test: SoundTest) -> &'static [Role] {
    match test {
        SoundTest::Speaker => &[Role::Speaker],
        SoundTest::Ringer => &[Role::Ringer],
        SoundTest::Notifier => &[Role::Notifier],
        SoundTest::HearBack => &[Role::Microphone, Role::Speaker],
    }
}

fn wish_of(test: SoundTest) -> media::SoundTest {
    match test {
        SoundTest::Speaker => media::SoundTest::Speaker,
        SoundTest::Ringer => media::SoundTest::Ringer,
        SoundTest::Notifier => media::SoundTest::Notifier,
        SoundTest::HearBack => media::SoundTest::HearBack,
    }
}

fn state_of(state: TestState) -> SoundTestState {
    match state {
        TestState::Playing { ms, of_ms } => SoundTestState::Playing { ms, of_ms },
        TestState::Recording { ms, of_ms, loudest_dbfs } => {
            SoundTestState::Recording { ms, of_ms, loudest_dbfs: whole(loudest_dbfs) }
        }
        TestState::PlayingBack { ms, of_ms, loudest_dbfs } => {
            SoundTestState::PlayingBack { ms, of_ms, loudest_dbfs: whole(loudest_dbfs) }
        }
        TestState::Over(end) => SoundTestState::Over(match end {
            TestEnd::Done { loudest_dbfs } => SoundTestEnd::Done { loudest_dbfs: loudest_dbfs.map(whole) },
            TestEnd::Stopped => SoundTestEnd::Stopped,
            TestEnd::Call => SoundTestEnd::Call,
            TestEnd::MicrophoneMuted => SoundTestEnd::MicrophoneMuted,
            TestEnd::SpeakerMuted => SoundTestEnd::SpeakerMuted,
            TestEnd::Disconnected => SoundTestEnd::Disconnected,
        }),
    }
}

/// Whole decibels: nobody reads more off a bar.
fn whole(dbfs: f32) -> i8 {
    // `as` saturates.
    dbfs.round() as i8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_told_in_whole_decibels_within_their_range() {
        assert_eq!([-96.0, -45.6, -0.4, 0.0, f32::NEG_INFINITY].map(whole), [-96, -46, 0, 0, -128]);
        let end = TestEnd::Done { loudest_dbfs: Some(-10.3) };
        let told = SoundTestEnd::Done { loudest_dbfs: Some(-10) };
        assert_eq!(state_of(TestState::Over(end)), SoundTestState::Over(told));
    }

    #[test]
    fn hearing_back_needs_both_ways_and_the_others_their_own() {
        assert_eq!(roles(SoundTest::HearBack), [Role::Microphone, Role::Speaker]);
        for (test, role) in [
            (SoundTest::Speaker, Role::Speaker),
            (SoundTest::Ringer, Role::Ringer),
            (SoundTest::Notifier, Role::Notifier),
        ] {
            assert_eq!(roles(test), [role]);
        }
    }
}
