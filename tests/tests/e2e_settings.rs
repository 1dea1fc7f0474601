//! The operator's settings (SET-1) with the real desk and the real screen, by touches: what is tried on and what is saved, what
//! outlives a desk and a screen that were killed, and the way back to how everything was.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::picture::Area;
use frontdesk_tests::screen::Screen;
use ipc::{Language, Theme};

const SOON: Duration = Duration::from_secs(15);

/// The bar that leads from one pane to another, in both languages.
const RAIL: Area = Area { x: 1204, y: 60, width: 76, height: 520 };
/// The settings below their head.
const SECTIONS: Area = Area { x: 486, y: 170, width: 716, height: 560 };
/// The languages and the colours: of the whole, not every reader sees what is written in French.
const CHOICES: Area = Area { x: 500, y: 236, width: 400, height: 128 };
/// Reset, as saved, save.
const HEAD: Area = Area { x: 740, y: 84, width: 456, height: 62 };
/// The middle of the last of them.
const SAVE: (usize, usize) = (1118, 114);
/// The title, and in its place the question before somebody leaves.
const QUESTION: Area = Area { x: 486, y: 84, width: 300, height: 62 };
/// What is said of what was chosen.
const STANDING: Area = Area { x: 486, y: 140, width: 716, height: 36 };

/// Waits until the settings no longer have this word.
#[track_caller]
fn says_no_longer(screen: &mut Screen, word: &str) {
    screen.wait(&format!("no “{word}”"), SOON, |picture| {
        (!picture.text(SECTIONS).contains(word)).then_some(())
    });
}

/// What the desk tells somebody who has just come.
fn kept(house: &House) -> (Language, Theme) {
    let kept = house.desk.client().wait("the desk", SOON, |_| true).preferences;
    (kept.language, kept.theme)
}

#[test]
fn set_1_what_is_saved_outlives_a_killed_desk_and_screen_and_reset_brings_everything_back() {
    let mut house = House::build(Digest::Md5);
    let mut screen = house.screen();
    screen.tap_word(RAIL, "Settings");
    screen.says(STANDING, &["saved"]);

    // A section folds, and says what is in it.
    screen.says(SECTIONS, &["Language", "contrast", "Sound"]);
    screen.tap_word(SECTIONS, "Language");
    says_no_longer(&mut screen, "contrast");
    screen.says(SECTIONS, &["English", "Dark", "Sound"]);
    screen.tap_word(SECTIONS, "Language");
    screen.says(SECTIONS, &["contrast"]);

    // What is chosen is seen at once, and is not the desk's before it is saved. Nobody leaves with it unasked.
    screen.tap_word(CHOICES, "Fran");
    screen.says(STANDING, &["Modifications", "non"]);
    assert_eq!(kept(&house), (Language::English, Theme::Dark));
    screen.tap_word(RAIL, "Notes");
    screen.says(QUESTION, &["sans"]);
    screen.key("Escape");
    screen.says(QUESTION, &["glages"]);
    screen.tap_word(SECTIONS, "Clair");
    screen.tap(SAVE);
    house.client.wait("French and light", SOON, |view| {
        view.preferences.language == Language::French && view.preferences.theme == Theme::Light
    });
    screen.says(STANDING, &["enregistr"]);

    // Neither has a chance to say farewell.
    house.desk.program.kill();
    screen.program.kill();
    house.desk.start_again();
    house.client = house.desk.client();
    assert_eq!(kept(&house), (Language::French, Theme::Light));
    let mut screen = house.screen();
    screen.tap_word(RAIL, "glages");
    screen.says(SECTIONS, &["Langue"]);

    // Back to how everything was, but for the language, which somebody has to read: tried on as well, and kept once it is saved.
    screen.tap_word(HEAD, "initialiser");
    screen.says(STANDING, &["Modifications", "non"]);
    assert_eq!(kept(&house), (Language::French, Theme::Light));
    screen.tap(SAVE);
    house.client.wait("dark again", SOON, |view| view.preferences.theme == Theme::Dark);
    assert_eq!(kept(&house), (Language::French, Theme::Dark));
    screen.says(STANDING, &["enregistr"]);
}
