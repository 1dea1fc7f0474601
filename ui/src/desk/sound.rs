//! The sound in the settings: how loud the microphone and the loudspeaker are, and the tests of the devices.
//!
//! The desk measures only while the settings are in front: nobody is listened to for a bar that nobody sees.

use std::time::{Duration, Instant};

use ipc::{Command, Loudness, SoundLevels, SoundTestEnd, SoundTestState, SoundView};
use slint::ComponentHandle;

use super::Desk;
use crate::keys::ConsoleKey;
use crate::screen::{App, Loud, LoudMeter, Screen, SoundCheck, SoundEnd, SoundStep, SoundTest};

/// How long the loudest stays on a bar.
const HOLD: Duration = Duration::from_millis(1500);
/// Where a bar begins, in dBFS; it ends at 0.
const LEAST_DBFS: f32 = -60.0;

/// See the module.
pub(crate) struct Sound {
    /// The desk was asked to measure.
    listening: bool,
    /// The last test that was asked for, until the desk has answered.
    asked: Option<u64>,
    levels: Option<SoundLevels>,
    input: Held,
    output: Held,
}

/// The loudest lately.
#[derive(Clone, Copy, Debug, Default)]
struct Held(Option<(i8, Instant)>);

impl Held {
    /// The loudest of the last moments, `dbfs` being the newest.
    fn with(&mut self, dbfs: i8, now: Instant) -> i8 {
        match self.0 {
            Some((held, since)) if held > dbfs && now.saturating_duration_since(since) < HOLD => held,
            _ => {
                self.0 = Some((dbfs, now));
                dbfs
            }
        }
    }
}

impl Sound {
    pub(crate) fn new(app: &App) -> Self {
        let global = app.global::<SoundCheck>();
        let edge = |loudness| (-96..=0).find(|dbfs| Loudness::of(*dbfs) == loudness).map_or(0.0, share);
        global.set_good_from(edge(Loudness::Good));
        global.set_loud_from(edge(Loudness::TooLoud));
        let (input, output) = (Held::default(), Held::default());
        Self { listening: false, asked: None, levels: None, input, output }
    }
}

impl Desk {
    /// Asks the desk to measure while somebody can see it.
    pub(crate) fn listen_to_sound(&mut self) {
        let wanted = self.connected && self.screen() == Screen::Settings && self.sound_is_open();
        if wanted == self.sound.listening {
            return;
        }
        self.sound = Sound { listening: wanted, ..Sound::new(&self.app) };
        // A desk that is away has forgotten it by itself.
        if self.connected {
            self.send(Command::Meter { on: wanted });
        }
        self.show_test(None);
        self.show_meters(Instant::now());
    }

    /// What the desk says of the sound.
    pub(crate) fn show_sound(&mut self, view: SoundView) {
        // The last one may come after the settings were left.
        if self.sound.listening {
            self.sound.levels = view.levels;
            self.show_meters(Instant::now());
            self.show_test(view.test);
        }
    }

    /// Lets the marks of the loudest fall.
    pub(crate) fn run_meters(&mut self, now: Instant) {
        if self.sound.listening {
            self.show_meters(now);
        }
    }

    pub(crate) fn begin_test(&mut self, test: SoundTest) {
        let test = match test {
            SoundTest::Speaker => ipc::SoundTest::Speaker,
            SoundTest::Ringer => ipc::SoundTest::Ringer,
            SoundTest::Notifier => ipc::SoundTest::Notifier,
            SoundTest::HearBack => ipc::SoundTest::HearBack,
        };
        self.sound.asked = self.send(Command::TestSound { test: Some(test) });
    }

    pub(crate) fn stop_test(&mut self) {
        self.send(Command::TestSound { test: None });
    }

    /// Stops a test that runs; `false`: there is none.
    pub(crate) fn stop_own_test(&mut self) -> bool {
        let runs = self.sound.listening && self.app.global::<SoundCheck>().get_running();
        if runs {
            self.stop_test();
        }
        runs
    }

    /// The keys of the tests, while their buttons can be seen.
    pub(crate) fn sound_key(&mut self, key: ConsoleKey) -> bool {
        let test = match key {
            ConsoleKey::TestSound => SoundTest::Speaker,
            ConsoleKey::HearBack => SoundTest::HearBack,
            _ => return false,
        };
        if self.sound.listening && !self.stop_own_test() {
            self.begin_test(test);
        }
        self.sound.listening
    }

    /// The answer to a test that was asked for: why it cannot be is said beside its button.
    pub(crate) fn test_done(&mut self, seq: u64) -> bool {
        self.sound.asked.take_if(|asked| *asked == seq).is_some()
    }

    fn show_meters(&mut self, now: Instant) {
        let global = self.app.global::<SoundCheck>();
        let Some(SoundLevels { input_dbfs, output_dbfs }) = self.sound.levels else {
            global.set_input(LoudMeter::default());
            global.set_output(LoudMeter::default());
            return;
        };
        global.set_input(meter(input_dbfs, self.sound.input.with(input_dbfs, now)));
        global.set_output(meter(output_dbfs, self.sound.output.with(output_dbfs, now)));
    }

    fn show_test(&self, test: Option<ipc::SoundTestView>) {
        let global = self.app.global::<SoundCheck>();
        let Some(test) = test else { return global.set_step(SoundStep::Idle) };
        global.set_test(match test.test {
            ipc::SoundTest::Speaker => SoundTest::Speaker,
            ipc::SoundTest::Ringer => SoundTest::Ringer,
            ipc::SoundTest::Notifier => SoundTest::Notifier,
            ipc::SoundTest::HearBack => SoundTest::HearBack,
        });
        let (step, ms, of_ms) = match test.state {
            SoundTestState::Playing { ms, of_ms } => (SoundStep::Playing, ms, of_ms),
            SoundTestState::Recording { ms, of_ms, .. } => (SoundStep::Recording, ms, of_ms),
            SoundTestState::PlayingBack { ms, of_ms, .. } => (SoundStep::PlayingBack, ms, of_ms),
            SoundTestState::Over(end) => {
                global.set_end(end_of(end));
                (SoundStep::Over, 0, 0)
            }
        };
        let left = of_ms.saturating_sub(ms).div_ceil(1000);
        global.set_left(i32::try_from(left).unwrap_or(0));
        global.set_progress(ms as f32 / of_ms.max(1) as f32);
        global.set_step(step);
    }
}

fn end_of(end: SoundTestEnd) -> SoundEnd {
    match end {
        SoundTestEnd::Done { loudest_dbfs: None } => SoundEnd::Played,
        SoundTestEnd::Done { loudest_dbfs: Some(loudest) } => match Loudness::of(loudest) {
            Loudness::Silent => SoundEnd::HeardNothing,
            Loudness::Good => SoundEnd::Heard,
            Loudness::TooLoud => SoundEnd::HeardTooLoud,
        },
        SoundTestEnd::Stopped => SoundEnd::Stopped,
        SoundTestEnd::Call => SoundEnd::Call,
        SoundTestEnd::MicrophoneMuted => SoundEnd::MicrophoneMuted,
        SoundTestEnd::SpeakerMuted => SoundEnd::SpeakerMuted,
        SoundTestEnd::Disconnected => SoundEnd::Disconnected,
        SoundTestEnd::Telephone => SoundEnd::Telephone,
        SoundTestEnd::DeviceLost => SoundEnd::DeviceLost,
    }
}

/// The word is that of the loudest lately: one that changes between two syllables cannot be read.
fn meter(dbfs: i8, held: i8) -> LoudMeter {
    let loud = match Loudness::of(held) {
        Loudness::Silent => Loud::Silent,
        Loudness::Good => Loud::Good,
        Loudness::TooLoud => Loud::TooLoud,
    };
    LoudMeter { level: share(dbfs), held: share(held), loud, dbfs: i32::from(dbfs) }
}

/// How far a bar reaches, 0 to 1.
fn share(dbfs: i8) -> f32 {
    (1.0 - f32::from(dbfs) / LEAST_DBFS).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loudest_stays_for_a_moment_and_then_falls() {
        let (mut held, start) = (Held::default(), Instant::now());
        assert_eq!(held.with(-20, start), -20);
        assert_eq!(held.with(-40, start + HOLD / 2), -20);
        assert_eq!(held.with(-10, start + HOLD / 2), -10, "louder is louder at once");
        assert_eq!(held.with(-40, start + HOLD), -10, "it begins anew with the louder one");
        assert_eq!(held.with(-40, start + HOLD * 2), -40);
    }

    #[test]
    fn a_bar_is_empty_at_its_beginning_and_full_at_zero() {
        assert_eq!([-96, -60, -30, 0].map(share), [0.0, 0.0, 0.5, 1.0]);
        let (quiet, spoken) = (meter(-90, -90), meter(-70, -20));
        assert_eq!((quiet.loud, spoken.loud), (Loud::Silent, Loud::Good));
        assert!(spoken.held > spoken.level);
    }
}
