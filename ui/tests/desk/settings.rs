//! The settings (SET-1), the keys that are changed there (CALL-12), and high contrast.

use frontdesk_ui::link::Event;
use frontdesk_ui::scenes;
use frontdesk_ui::screen::{
    self, Colours, Desk, Ink, KeyFault, LetterSize, Motion, Screen, SettingsStanding, SettingsStop,
};
use ipc::{
    Command, CommandError, HookAction, Language, PreferencesWish, Shortcuts, SpeechPace, TextSize, Theme,
    View,
};
use slint::platform::{Key, WindowEvent};
use slint::{ComponentHandle, Model};

use crate::hands::Stage;

fn at_settings(view: View) -> Stage {
    let stage = Stage::with(view);
    stage.tap(stage.middle("Settings"));
    stage.commands();
    stage
}

fn standing(stage: &Stage) -> SettingsStanding {
    stage.app.global::<screen::Settings>().get_standing()
}

fn in_front(stage: &Stage) -> Screen {
    stage.app.global::<Desk>().get_screen()
}

fn saved(language: Language, theme: Theme, shortcuts: &[(&str, &[&str])]) -> Command {
    let shortcuts = some(shortcuts);
    Command::SavePreferences(PreferencesWish { language, theme, shortcuts, ..PreferencesWish::default() })
}

fn some(shortcuts: &[(&str, &[&str])]) -> Shortcuts {
    let names = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
    shortcuts.iter().map(|(action, keys)| ((*action).to_owned(), names(keys))).collect()
}

/// Only the keys are open, and scrolled up.
fn at_keys(stage: &Stage) {
    for section in ["Language and colours", "Sound", "Keys"] {
        stage.tap(stage.middle(section));
    }
    let position = stage.middle("Keys");
    stage.dispatch(WindowEvent::PointerScrolled { position, delta_x: 0., delta_y: -150. });
    stage.wait(1000);
    stage.commands();
}

/// The desk took what was saved, and its view says so.
fn take(stage: &Stage, change: impl FnOnce(&mut ipc::Preferences)) {
    stage.answer(Ok(()));
    let mut view = scenes::empty();
    view.generation += 1;
    change(&mut view.preferences);
    stage.show(view);
}

/// The keys of the action with this name, as its row has them.
fn keys(stage: &Stage, action: screen::KeyAction) -> Vec<String> {
    let rows = stage.app.global::<screen::Settings>().get_rows();
    let row = rows.iter().find(|row| row.action == action).unwrap();
    row.keys.iter().map(|key| format!("{}{}", if key.control { "Ctrl+" } else { "" }, key.name)).collect()
}

#[test]
fn set_1_what_is_chosen_is_seen_at_once_and_kept_by_save() {
    let stage = at_settings(scenes::empty());
    assert_eq!(standing(&stage), SettingsStanding::Saved);
    stage.tap(stage.middle("Light"));
    assert!(!stage.app.global::<Ink>().get_dark());
    stage.tap(stage.middle("Français"));
    assert!(stage.has("Réglages") && !stage.has("Settings"));
    assert_eq!((standing(&stage), stage.commands()), (SettingsStanding::Changed, vec![]));
    stage.tap(stage.middle("Enregistrer"));
    assert_eq!(stage.commands(), [saved(Language::French, Theme::Light, &[])]);
    assert_eq!(standing(&stage), SettingsStanding::Saving);
    take(&stage, |kept| (kept.language, kept.theme) = (Language::French, Theme::Light));
    assert_eq!(standing(&stage), SettingsStanding::Saved);
    stage.tap(stage.middle("Annuaire"));
    assert_eq!(in_front(&stage), Screen::Directory);
    assert!(stage.has("Réglages") && !stage.app.global::<Ink>().get_dark());
}

#[test]
fn acc_4_in_high_contrast_the_search_keeps_its_ring_whatever_it_finds() {
    let mut view = scenes::picture();
    view.preferences.theme = Theme::Contrast;
    let stage = Stage::drawn(view);
    let ink = stage.app.global::<Ink>();
    assert!(ink.get_contrast());
    stage.key(Key::F3);
    // Found, then not; the ring is 2 px wide, and what came of it is the edge inside.
    for (letters, inside) in [("mar", ink.get_green()), ("xq", ink.get_red())] {
        stage.write(letters);
        stage.wait(500);
        let field = stage.find("Search Staff");
        let (at, size) = (field.absolute_position(), field.size());
        let picture = stage.app.window().take_snapshot().unwrap();
        // The letters begin 48 px from the edge of the bar.
        let start = (at.y + size.height / 2.) as usize * picture.width() as usize + at.x as usize - 48;
        for (right, colour) in [(0, ink.get_focus()), (1, ink.get_focus()), (2, inside)] {
            let pixel = picture.as_slice()[start + right];
            let parts = [(pixel.r, colour.red()), (pixel.g, colour.green()), (pixel.b, colour.blue())];
            let is_near = parts.iter().all(|(seen, meant)| seen.abs_diff(*meant) < 8);
            assert!(is_near, "{letters} {right}: {pixel:?}, not {colour:?}");
        }
    }
}

#[test]
fn set_1_as_saved_and_reset_take_it_back() {
    let mut view = scenes::empty();
    view.preferences.theme = Theme::Light;
    view.preferences.shortcuts = some(&[("night", &["F9"])]);
    let stage = at_settings(view);
    stage.tap(stage.middle("High contrast"));
    let ink = stage.app.global::<Ink>();
    assert!(ink.get_contrast() && ink.get_dark());
    stage.tap(stage.middle("Discard"));
    assert!(!ink.get_contrast() && !ink.get_dark());
    stage.tap(stage.middle("Reset"));
    assert_eq!(stage.app.global::<screen::Settings>().get_colours(), Colours::Dark);
    assert_eq!((standing(&stage), stage.commands()), (SettingsStanding::Changed, vec![]), "not before Save");
    stage.control("s");
    assert_eq!(stage.commands(), [saved(Language::English, Theme::Dark, &[])]);
}

#[test]
fn set_1_sections_fold_and_say_what_is_in_them() {
    let stage = at_settings(scenes::empty());
    assert!(stage.has("High contrast") && !stage.has("Answer, hold, retrieve or call"));
    stage.tap(stage.middle("Language and colours"));
    assert!(!stage.has("High contrast") && stage.has("English · Dark"));
    stage.tap(stage.middle("Sound"));
    assert_eq!(stage.commands(), [Command::Meter { on: false }], "nobody is listened to for a folded bar");
    stage.tap(stage.middle("Keys"));
    assert!(stage.has("Answer, hold, retrieve or call"));
}

#[test]
fn set_1_nobody_leaves_with_something_unsaved_unasked() {
    let stage = at_settings(scenes::empty());
    stage.tap(stage.middle("Light"));
    stage.tap(stage.middle("Log"));
    assert_eq!(in_front(&stage), Screen::Settings);
    assert!(stage.has("Leave without saving?"));
    stage.tap(stage.middle("Keep editing"));
    assert!(!stage.has("Leave without saving?") && in_front(&stage) == Screen::Settings);
    stage.key(Key::Escape);
    stage.tap(stage.middle("Discard"));
    assert_eq!((in_front(&stage), stage.commands()), (Screen::Directory, vec![Command::Meter { on: false }]));
    assert!(stage.app.global::<Ink>().get_dark(), "what was tried on is off");
    stage.tap(stage.middle("Settings"));
    stage.tap(stage.middle("Light"));
    stage.tap(stage.middle("Notes"));
    stage.commands();
    // By keys: one too many neither loses anything nor sends it.
    stage.key(Key::Return);
    assert_eq!((stage.commands(), in_front(&stage)), (vec![], Screen::Settings));
    assert!(!stage.has("Leave without saving?"));
    stage.tap(stage.middle("Notes"));
    // Save, Discard, Keep editing, round and round.
    stage.key(Key::Tab);
    stage.key(Key::Return);
    assert_eq!(stage.commands(), [saved(Language::English, Theme::Light, &[])]);
    assert_eq!(in_front(&stage), Screen::Settings, "not before it is kept");
    take(&stage, |kept| kept.theme = Theme::Light);
    assert_eq!(in_front(&stage), Screen::Note);
    stage.tap(stage.middle("Directory"));
    assert_eq!(in_front(&stage), Screen::Directory, "it is asked once");
}

#[test]
fn set_1_what_the_desk_refuses_stays_chosen_and_is_said() {
    let stage = at_settings(scenes::empty());
    stage.tap(stage.middle("Light"));
    stage.tap(stage.middle("Save"));
    stage.answer(Err(CommandError::Failed { reason: "the disk is full".into() }));
    assert_eq!(standing(&stage), SettingsStanding::Failed);
    assert!(stage.has("Not saved: the disk is full; tell your administrator"));
    stage.event(Event::Disconnected);
    assert!(!stage.app.global::<Ink>().get_dark(), "what was chosen stays");
    stage.event(Event::Connected);
    stage.commands();
    stage.tap(stage.middle("Save"));
    assert_eq!(stage.commands(), [saved(Language::English, Theme::Light, &[])]);
}

#[test]
fn set_1_a_key_is_recorded_and_works_once_it_is_saved() {
    let stage = at_settings(scenes::empty());
    at_keys(&stage);
    stage.tap(stage.middle("Another key for “Answer the longest-waiting call”"));
    assert!(stage.has("Press the key. Escape: leave it as it is"));
    let fault = || stage.app.global::<screen::Settings>().get_fault();
    stage.key("g");
    assert_eq!(fault(), KeyFault::Typed);
    stage.control("c");
    assert_eq!(fault(), KeyFault::OfFields);
    stage.key(Key::DownArrow);
    assert_eq!(fault(), KeyFault::Fixed);
    stage.control("m");
    assert_eq!(keys(&stage, screen::KeyAction::AnswerLongest), ["*", "F11", "Ctrl+m"]);
    stage.control("m");
    assert_eq!(stage.commands(), [], "not before it is saved");
    stage.control("s");
    let longest: &[(&str, &[&str])] = &[("answer_longest", &["*", "F11", "Control+m"])];
    assert_eq!(stage.commands(), [saved(Language::English, Theme::Dark, longest)]);
    take(&stage, |kept| kept.shortcuts = some(longest));
    stage.control("m");
    assert_eq!(stage.commands(), [Command::Hook { action: HookAction::AnswerLongest }]);
}

#[test]
fn set_1_a_key_of_another_action_is_taken_only_when_that_is_meant() {
    let stage = at_settings(scenes::empty());
    at_keys(&stage);
    stage.tap(stage.middle("Another key for “Transfer menu”"));
    stage.key(Key::F9);
    assert!(stage.has("F9 is used by “Answer, else retrieve, else hold”"));
    stage.tap(stage.middle("Keep as is"));
    assert_eq!(keys(&stage, screen::KeyAction::Next), ["F9"]);
    stage.tap(stage.middle("Another key for “Transfer menu”"));
    stage.key(Key::F9);
    stage.tap(stage.middle("Use it here"));
    assert_eq!(keys(&stage, screen::KeyAction::Transfer), ["+", "F8", "F9"]);
    assert!(keys(&stage, screen::KeyAction::Next).is_empty());
    stage.tap(stage.middle("Take + away from “Transfer menu”"));
    stage.control("s");
    let changed: &[(&str, &[&str])] = &[("next", &[]), ("transfer", &["F8", "F9"])];
    assert_eq!(stage.commands(), [saved(Language::English, Theme::Dark, changed)]);
    take(&stage, |kept| kept.shortcuts = some(changed));
    let hint = stage.app.global::<screen::Keys>().get_transfer();
    assert_eq!((hint.name.as_str(), hint.control), ("F8", false), "buttons say the key that works");
}

#[test]
fn set_1_the_key_with_the_hyphen_is_shown_as_a_minus_sign() {
    let stage = at_settings(scenes::empty());
    at_keys(&stage);
    // The row below comes up to where this one was.
    let position = stage.middle("Another key for “Transfer menu”");
    stage.dispatch(WindowEvent::PointerScrolled { position, delta_x: 0., delta_y: -60. });
    stage.wait(1000);
    assert!(stage.has("Take − away from “Take the last transfer back”"));
}

#[test]
fn set_1_the_whole_by_keys_alone() {
    let stage = Stage::with(scenes::empty());
    stage.control("p");
    assert_eq!(in_front(&stage), Screen::Settings);
    let stop = || stage.app.global::<screen::Settings>().get_stop();
    assert_eq!(stop(), SettingsStop::Look);
    stage.key(Key::DownArrow);
    stage.key(Key::DownArrow);
    stage.key(Key::DownArrow);
    stage.key(Key::RightArrow);
    stage.key(Key::RightArrow);
    assert_eq!(stop(), SettingsStop::Contrast);
    stage.key(Key::Return);
    assert!(stage.app.global::<Ink>().get_contrast());
    stage.key(Key::DownArrow);
    assert_eq!(stop(), SettingsStop::Reading);
    stage.key(Key::DownArrow);
    assert_eq!(stop(), SettingsStop::Sound);
    stage.key(Key::LeftArrow);
    stage.key(Key::DownArrow);
    assert_eq!(stop(), SettingsStop::Keys, "a folded section is passed over");
    stage.key(Key::RightArrow);
    stage.key(Key::DownArrow);
    assert_eq!(stop(), SettingsStop::Key);
    stage.commands();
    // The first row: another key, and away with it again.
    stage.key(Key::Return);
    stage.control("m");
    assert_eq!(keys(&stage, screen::KeyAction::Primary), ["Insert", "F6", "Ctrl+m"]);
    stage.key(Key::Backspace);
    assert_eq!(keys(&stage, screen::KeyAction::Primary), ["Insert", "F6"]);
    stage.key(Key::End);
    assert_eq!(stop(), SettingsStop::Save);
    stage.key(Key::Return);
    assert_eq!(stage.commands(), [saved(Language::English, Theme::Contrast, &[])]);
    take(&stage, |kept| kept.theme = Theme::Contrast);
    stage.key(Key::Escape);
    assert_eq!(in_front(&stage), Screen::Directory);
}

#[test]
fn set_1_about_says_the_version_and_lists_what_is_in_the_programs() {
    let stage = at_settings(scenes::empty());
    for section in ["Language and colours", "Sound", "About"] {
        stage.tap(stage.middle(section));
    }
    let parts: Vec<ipc::ThirdParty> = ipc::third_parties().collect();
    assert!(stage.has(&format!("Frontdesk {}", env!("CARGO_PKG_VERSION"))));
    assert!(stage.app.global::<screen::Settings>().get_about_open());
    assert!(stage.has(parts[0].name));
    let listed: Vec<String> =
        stage.app.global::<screen::Settings>().get_parts().iter().map(|part| part.name.into()).collect();
    assert_eq!(listed, parts.iter().map(|part| part.name.to_owned()).collect::<Vec<_>>());
    assert!(listed.iter().any(|name| name == "SQLite") && listed.iter().any(|name| name == "tokio"));
    // By keys: the head, into the list, to its end and out of it again.
    stage.control("p");
    let settings = stage.app.global::<screen::Settings>();
    for _ in 0..4 {
        stage.key(Key::DownArrow);
    }
    assert_eq!(settings.get_stop(), SettingsStop::About);
    stage.key(Key::DownArrow);
    assert_eq!((settings.get_stop(), settings.get_part_at()), (SettingsStop::Part, 0));
    for _ in 0..4 {
        stage.key(Key::PageDown);
    }
    assert_eq!((settings.get_stop(), settings.get_part_at()), (SettingsStop::Part, 24));
    assert!(stage.middle(parts[24].name).y < 800. && !stage.has(parts[0].name), "it scrolls along");
    stage.key(Key::Return);
    assert_eq!(settings.get_stop(), SettingsStop::Part, "there is nothing to do with one");
    stage.key(Key::Home);
    assert_eq!(settings.get_stop(), SettingsStop::Look);
    stage.key(Key::DownArrow);
    stage.key(Key::DownArrow);
    stage.key(Key::DownArrow);
    stage.key(Key::DownArrow);
    stage.key(Key::LeftArrow);
    assert!(!settings.get_about_open() && !stage.has(parts[0].name));
    assert_eq!(standing(&stage), SettingsStanding::Saved);
    stage.key(Key::Escape);
    assert_eq!(in_front(&stage), Screen::Directory);
}

#[test]
fn set_1_calls_ring_and_are_answered_while_something_is_unsaved() {
    let stage = at_settings(scenes::empty());
    stage.tap(stage.middle("Light"));
    let mut view = crate::one_ringing();
    view.generation = 9;
    let call = view.incoming[0].call;
    stage.show(view);
    assert_eq!((in_front(&stage), standing(&stage)), (Screen::Settings, SettingsStanding::Changed));
    stage.tap(stage.middle("Answer"));
    assert_eq!(stage.commands(), [Command::Answer { call }]);
    stage.key(Key::F9);
    assert_eq!(stage.commands(), [Command::Hook { action: HookAction::Next }]);
}

#[test]
fn acc_4_text_size_motion_and_speech_by_touches() {
    let stage = at_settings(scenes::empty());
    assert!(stage.has("Usual size"), "what is in the folded section is said");
    stage.tap(stage.middle("Language and colours"));
    stage.tap(stage.middle("Reading and motion"));
    let whole = stage.app.window().size();
    stage.tap(stage.middle("Largest"));
    let letters = || stage.app.global::<screen::Settings>().get_letters();
    assert_eq!((letters(), stage.app.window().scale_factor()), (LetterSize::Largest, 1.25));
    assert_eq!(stage.app.window().size(), whole, "the screen has as many pixels as before");
    let drawn = stage.app.window().size().to_logical(stage.app.window().scale_factor());
    assert_eq!((drawn.width, drawn.height), (1024., 640.));
    stage.tap(stage.middle("Large"));
    assert_eq!(stage.app.window().scale_factor(), 1.125);
    stage.tap(stage.middle("Largest"));
    stage.tap(stage.middle("Reduced motion"));
    assert!(stage.app.global::<Motion>().get_calm());
    assert_eq!(stage.app.global::<Motion>().invoke_share(0.3), 0.5, "in quarters");
    stage.tap(stage.middle("Read aloud"));
    assert_eq!((standing(&stage), stage.commands()), (SettingsStanding::Changed, vec![]));
    stage.tap(stage.middle("Save"));
    let (text_size, calm, speech) = (TextSize::Largest, true, true);
    let wish = PreferencesWish { text_size, calm, speech, ..PreferencesWish::default() };
    assert_eq!(stage.commands(), [Command::SavePreferences(wish)]);
    take(&stage, |kept| (kept.text_size, kept.calm, kept.speech) = (text_size, calm, speech));
    assert_eq!(standing(&stage), SettingsStanding::Saved);
    stage.tap(stage.middle("Directory"));
    assert_eq!(stage.app.window().scale_factor(), 1.25, "what is saved stays");
    // Back to how it was drawn.
    stage.tap(stage.middle("Settings"));
    stage.tap(stage.middle("Reset"));
    assert_eq!((letters(), stage.app.window().scale_factor()), (LetterSize::Usual, 1.0));
    assert_eq!(stage.app.global::<Motion>().invoke_share(0.3), 0.3);
}

#[test]
fn acc_4_text_size_motion_and_speech_by_keys() {
    let stage = Stage::with(scenes::empty());
    stage.control("p");
    let stop = || stage.app.global::<screen::Settings>().get_stop();
    // Folded, the heads follow one another.
    stage.key(Key::LeftArrow);
    stage.key(Key::DownArrow);
    assert_eq!(stop(), SettingsStop::Reading);
    stage.key(Key::RightArrow);
    stage.key(Key::DownArrow);
    stage.key(Key::DownArrow);
    assert_eq!(stop(), SettingsStop::TextLarge);
    stage.key(Key::Return);
    assert_eq!(stage.app.window().scale_factor(), 1.125);
    stage.key(Key::DownArrow);
    stage.key(Key::DownArrow);
    assert_eq!(stop(), SettingsStop::Calm);
    stage.key(Key::Return);
    stage.key(Key::DownArrow);
    stage.key(Key::Return);
    stage.commands();
    stage.control("s");
    let (text_size, calm, speech) = (TextSize::Large, true, true);
    let wish = PreferencesWish { text_size, calm, speech, ..PreferencesWish::default() };
    assert_eq!(stage.commands(), [Command::SavePreferences(wish)]);
    // Leaving with it unsaved, what was tried on comes off.
    stage.answer(Err(CommandError::Failed { reason: "the disk is full".into() }));
    stage.key(Key::Escape);
    stage.tap(stage.middle("Discard"));
    assert_eq!((in_front(&stage), stage.app.window().scale_factor()), (Screen::Directory, 1.0));
}

#[test]
fn acc_7_the_pace_of_reading_is_heard_as_it_is_chosen_and_kept_with_the_rest() {
    let mut view = scenes::empty();
    view.preferences.speech = true;
    let stage = Stage::with(view);
    stage.control("p");
    // The heads are folded, then the one that is meant opens; the pace is at its end.
    for key in [Key::LeftArrow, Key::DownArrow, Key::RightArrow] {
        stage.key(key);
    }
    for _ in 0..9 {
        stage.key(Key::DownArrow);
    }
    let stop = || stage.app.global::<screen::Settings>().get_stop();
    assert_eq!(stop(), SettingsStop::PaceFastest);
    stage.key(Key::Return);
    let pace = SpeechPace::Fastest;
    stage.commands();
    stage.key(Key::UpArrow);
    let said = stage.commands();
    assert!(!said.is_empty(), "where the arrow leads is said");
    for command in said {
        let Command::Say { pace: heard, .. } = command else { panic!("{command:?}") };
        assert_eq!(heard, pace);
    }
    stage.control("s");
    let wish = PreferencesWish { speech: true, pace, ..PreferencesWish::default() };
    assert!(stage.commands().contains(&Command::SavePreferences(wish)));
    take(&stage, |kept| (kept.speech, kept.pace) = (true, pace));
    assert_eq!(standing(&stage), SettingsStanding::Saved);
    // A desk that does not read has no pace.
    stage.tap(stage.middle("Read aloud"));
    assert!(!stage.has("Very fast"));
}

#[test]
fn acc_4_who_needs_large_texts_finds_them_so_and_the_next_one_does_not() {
    let with = |text_size| {
        let mut view = scenes::empty();
        view.preferences.text_size = text_size;
        view
    };
    let stage = Stage::with(with(TextSize::Largest));
    assert_eq!(stage.app.window().scale_factor(), 1.25);
    // The rail ends above the status bar, and what is at its end can be touched.
    stage.tap(stage.middle("Settings"));
    assert_eq!(in_front(&stage), Screen::Settings);
    let mut view = with(TextSize::Usual);
    view.generation += 1;
    stage.show(view);
    assert_eq!(stage.app.window().scale_factor(), 1.0);
}

#[test]
fn set_1_what_is_asked_is_answered_above_the_end_of_the_settings() {
    let stage = Stage::with(scenes::empty());
    stage.app.window().set_size(slint::LogicalSize::new(1920., 1080.));
    stage.settle();
    stage.tap(stage.middle("Settings"));
    let end = |label: &str| {
        let button = stage.find(label);
        button.absolute_position().x + button.size().width
    };
    let usual = end("Save");
    stage.tap(stage.middle("Light"));
    stage.tap(stage.middle("Log"));
    assert!(stage.has("Leave without saving?"));
    assert!((end("Keep editing") - usual).abs() < 1., "{} {usual}", end("Keep editing"));
}
