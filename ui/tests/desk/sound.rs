//! The sound in the settings: who is listened to and when, the meters' words, and the tests.

use frontdesk_ui::link::Event;
use frontdesk_ui::scenes;
use frontdesk_ui::screen::{Desk, Screen};
use ipc::{Command, CommandError, Language, SoundTest, SoundTestEnd, SoundTestState, SoundTestView};
use slint::ComponentHandle;
use slint::platform::Key;

use super::hands::Stage;

fn meter(on: bool) -> Command {
    Command::Meter { on }
}

fn test(test: SoundTest) -> Command {
    Command::TestSound { test: Some(test) }
}

const STOP: Command = Command::TestSound { test: None };

impl Stage {
    fn hear(&self, levels: (i8, i8), test: Option<SoundTestView>) {
        self.event(Event::Sound(scenes::sound(levels, test)));
    }

    fn at_settings(view: ipc::View) -> Self {
        let stage = Self::with(view);
        stage.tap(stage.middle("Settings"));
        assert_eq!(stage.commands(), [meter(true)]);
        stage
    }
}

#[test]
fn acc_2_nobody_is_listened_to_but_while_the_settings_are_in_front() {
    let stage = Stage::with(scenes::empty());
    assert_eq!(stage.commands(), []);
    let go = |screen| stage.app.global::<Desk>().invoke_show(screen);
    go(Screen::Settings);
    go(Screen::Settings);
    assert_eq!(stage.commands(), [meter(true)]);
    go(Screen::Log);
    assert_eq!(stage.commands(), [meter(false)]);
    go(Screen::Settings);
    stage.key(Key::Escape);
    assert_eq!(stage.commands(), [meter(true), meter(false)], "Escape leaves");
    // A desk that was away has forgotten it.
    go(Screen::Settings);
    stage.event(Event::Disconnected);
    stage.event(Event::Connected);
    assert_eq!(stage.commands(), [meter(true), meter(true)]);
    stage.event(Event::Disconnected);
    go(Screen::Directory);
    stage.event(Event::Connected);
    assert_eq!(stage.commands(), []);
}

#[test]
fn acc_2_the_meters_say_in_words_how_loud_it_is() {
    let stage = Stage::at_settings(scenes::empty());
    assert!(stage.has("Microphone: –") && stage.has("Loudspeaker: –"));
    stage.hear((-21, -96), None);
    assert!(stage.has("Microphone: good") && stage.has("Loudspeaker: silent"));
    let element = stage.find("Microphone: good");
    assert_eq!(element.accessible_value().unwrap(), "-21");
    stage.hear((-1, -30), None);
    assert!(stage.has("Microphone: too loud") && stage.has("Loudspeaker: good"));
    stage.hear((-60, -96), None);
    assert!(stage.has("Microphone: too loud"), "the loudest stays for a moment");
    stage.show(scenes::muted());
    assert!(stage.has("Microphone: muted") && stage.has("Loudspeaker: good"));
    stage.event(Event::Disconnected);
    stage.event(Event::Connected);
    stage.show(scenes::empty());
    assert!(stage.has("Microphone: –"), "nothing is shown that may be old");
    // What comes after the settings were left is not shown when they are opened again.
    stage.key(Key::Escape);
    stage.hear((-21, -21), Some(scenes::SOUND_CALL));
    stage.tap(stage.middle("Settings"));
    assert!(stage.has("Microphone: –") && !stage.has("Calls come first: test the sound when there is none"));
}

#[test]
fn acc_2_the_sound_is_tested_by_touch_and_by_key() {
    let stage = Stage::at_settings(scenes::empty());
    stage.hear((-60, -96), None);
    for (label, wanted) in [
        ("Play test sound", SoundTest::Speaker),
        ("Ring once", SoundTest::Ringer),
        ("Chime once", SoundTest::Notifier),
        ("Record and hear back", SoundTest::HearBack),
    ] {
        let element = stage.find(label);
        assert!(element.size().height >= 48. && element.size().width >= 48., "{label}");
        stage.tap(stage.middle(label));
        assert_eq!(stage.commands(), [test(wanted)]);
    }
    stage.tap(stage.middle("Stop"));
    assert_eq!(stage.commands(), [], "nothing runs");
    stage.control("t");
    stage.control("r");
    assert_eq!(stage.commands(), [test(SoundTest::Speaker), test(SoundTest::HearBack)]);

    stage.hear((-12, -96), Some(scenes::SOUND_RECORDING));
    assert!(stage.has("Speak now: 3 s left"));
    stage.tap(stage.middle("Record and hear back"));
    assert_eq!(stage.commands(), [], "one at a time");
    stage.tap(stage.middle("Stop"));
    stage.key(Key::Escape);
    stage.control("r");
    assert_eq!(stage.commands(), [STOP, STOP, STOP]);
    assert_eq!(stage.app.global::<Desk>().get_screen(), Screen::Settings, "Escape is one step back");
    stage.hear((-96, -14), Some(scenes::SOUND_BACK));
    assert!(stage.has("Listen: this is what callers hear of you"));
    stage.hear(
        (-96, -96),
        Some(SoundTestView { test: SoundTest::HearBack, state: SoundTestState::Over(SoundTestEnd::Stopped) }),
    );
    assert!(stage.has("Stopped"));
    stage.key(Key::Escape);
    stage.control("t");
    stage.control("r");
    assert_eq!(stage.commands(), [meter(false)], "the keys are the settings'");
}

#[test]
fn acc_2_during_calls_no_test_looks_ready_and_why_is_said_before_anybody_tries() {
    let stage = Stage::at_settings(scenes::picture());
    stage.hear((-21, -96), None);
    assert!(stage.has("Calls come first: test the sound when there is none"));
    for label in ["Play test sound", "Ring once", "Chime once", "Record and hear back"] {
        assert_eq!(stage.find(label).accessible_enabled(), Some(false), "{label}");
        stage.tap(stage.middle(label));
    }
    assert_eq!(stage.commands(), []);
    let mut view = scenes::empty();
    view.generation = 2;
    stage.show(view);
    assert!(!stage.has("Calls come first: test the sound when there is none"));
    assert_eq!(stage.find("Ring once").accessible_enabled(), Some(true));
}

#[test]
fn acc_2_what_became_of_a_test_is_said_beside_its_buttons() {
    let stage = Stage::at_settings(scenes::empty());
    let over = |test, end| Some(SoundTestView { test, state: SoundTestState::Over(end) });
    let done = |loudest_dbfs| SoundTestEnd::Done { loudest_dbfs };
    let back = SoundTest::HearBack;
    for (test, end, words) in [
        (SoundTest::Ringer, done(None), "Played. Nothing heard? Look at the volume and the device"),
        (back, done(Some(-20)), "We heard you well"),
        (back, done(Some(-70)), "We heard nothing: is the microphone muted or far away?"),
        (back, done(Some(0)), "Too loud: lower “What you say” in Volume, or move the microphone away"),
        (back, SoundTestEnd::Call, "Calls come first: test the sound when there is none"),
        (back, SoundTestEnd::MicrophoneMuted, "The microphone is muted here: unmute it and try again"),
        (back, SoundTestEnd::SpeakerMuted, "What you hear is muted or turned all the way down"),
        (SoundTest::Ringer, SoundTestEnd::SpeakerMuted, "The ringing tone is turned all the way down"),
        (
            SoundTest::Notifier,
            SoundTestEnd::Disconnected,
            "There is no device for it: the administrator chooses one",
        ),
        (back, SoundTestEnd::Disconnected, "The sound device is not connected: tap the headset above"),
        (back, SoundTestEnd::Telephone, "You speak over a telephone: test the sound there"),
        (back, SoundTestEnd::DeviceLost, "The sound device was pulled out, or it fails"),
    ] {
        stage.hear((-60, -60), over(test, end));
        assert!(stage.has(words), "{test:?} {end:?}");
    }
    // The refusal is not said a second time in the strip of notices.
    stage.tap(stage.middle("Play test sound"));
    stage.answer(Err(CommandError::SoundTest(SoundTestEnd::Call)));
    assert!(!stage.has("Not possible right now"));
    let mut french = scenes::empty();
    french.preferences.language = Language::French;
    stage.show(french);
    stage.hear((-21, -96), Some(scenes::SOUND_NOTHING));
    for words in [
        "Microphone: bon",
        "Haut-parleur: silence",
        "Nous n’avons rien entendu\u{a0}: micro coupé ou trop loin\u{a0}?",
        "S’enregistrer et s’écouter",
        "Arrêter",
    ] {
        assert!(stage.has(words), "{words}");
    }
}

#[test]
fn acc_2_a_test_that_runs_can_be_stopped_without_scrolling_in_the_largest_texts() {
    let mut view = scenes::empty();
    view.preferences.text_size = ipc::TextSize::Largest;
    let stage = Stage::at_settings(view);
    stage.hear((-12, -96), Some(scenes::SOUND_RECORDING));
    assert!(stage.has("Speak now: 3 s left") && stage.has("Stop"));
    let stop = stage.find("Stop");
    let window = stage.app.window();
    // Above the status bar.
    let ground = window.size().to_logical(window.scale_factor()).height - 56.;
    assert!(stop.absolute_position().y + stop.size().height <= ground);
    stage.tap(stage.middle("Stop"));
    assert_eq!(stage.commands(), [STOP]);
}
