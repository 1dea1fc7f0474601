//! People of sources that are asked while somebody types, below the hits of all directories.

use frontdesk_ui::link::Event;
use frontdesk_ui::scenes;
use frontdesk_ui::screen::{ElsewhereState, Finder, Menu, SearchState};
use ipc::{Command, Reply};
use slint::platform::Key;
use slint::{ComponentHandle, Model};

use crate::finder::control_f;
use crate::hands::Stage;

/// Longer than the screen waits for another letter.
const PAUSE: u64 = 400;

fn searching(words: &str) -> Stage {
    let stage = Stage::with(scenes::elsewhere());
    control_f(&stage);
    stage.write(words);
    stage
}

/// Types, and lets the sources answer.
fn found(words: &str) -> Stage {
    let stage = searching(words);
    stage.wait(PAUSE);
    let asked = stage.people_asked();
    assert_eq!(asked.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), [words]);
    answer(&stage, asked[0].0, words);
    stage
}

fn answer(stage: &Stage, seq: u64, words: &str) {
    stage.event(Event::Reply { seq, reply: Reply::People(scenes::found(words)) });
}

fn dialled(number: &str) -> [Command; 1] {
    [Command::Dial { number: number.into(), line: None }]
}

#[test]
fn dir_7_other_sources_are_asked_once_after_the_last_letter_and_move_nothing() {
    let stage = searching("ma");
    stage.wait(PAUSE);
    assert_eq!(stage.people_asked(), [], "two letters mean too many people");
    assert!(stage.has("Elsewhere") && stage.has("Searched from three letters on"));
    let before = stage.middle("Marie Laurent");
    stage.write("r");
    assert!(stage.has("Searching…"));
    stage.wait(PAUSE);
    let asked = stage.people_asked();
    assert_eq!(asked.len(), 1);
    answer(&stage, asked[0].0, "mar");
    assert!(stage.has("Marek Lindqvist") && stage.has("Margaux Lefèvre") && !stage.has("Searching…"));
    assert_eq!(stage.middle("Marie Laurent"), before);
    assert_eq!(stage.app.global::<Finder>().get_cursor(), 0, "Enter means whom it meant");
}

#[test]
fn dir_7_without_such_sources_nobody_is_asked_and_the_hits_have_all_the_room() {
    let stage = Stage::with(scenes::people());
    control_f(&stage);
    stage.write("mar");
    stage.wait(PAUSE);
    assert_eq!(stage.people_asked(), []);
    assert!(!stage.has("Elsewhere"));
}

#[test]
fn dir_7_answers_to_other_words_are_dropped() {
    let stage = searching("mar");
    stage.wait(PAUSE);
    let (late, _) = stage.people_asked()[0].clone();
    stage.write("g");
    answer(&stage, late, "mar");
    let finder = stage.app.global::<Finder>();
    assert_eq!((finder.get_found().row_count(), finder.get_elsewhere()), (0, ElsewhereState::Searching));
    stage.wait(PAUSE);
    let (seq, text) = stage.people_asked()[0].clone();
    assert_eq!(text, "marg");
    answer(&stage, seq, &text);
    assert_eq!(finder.get_found().row_count(), 1);
    stage.key(Key::Escape);
    assert_eq!(finder.get_found().row_count(), 0);
}

#[test]
fn dir_7_down_goes_on_into_them_and_enter_calls() {
    let stage = found("mar");
    let finder = stage.app.global::<Finder>();
    let local = finder.get_total();
    assert!(local > 0);
    for _ in 0..local {
        stage.key(Key::DownArrow);
    }
    assert_eq!(finder.get_cursor(), local);
    stage.key(Key::Return);
    assert_eq!(stage.commands(), dialled("+46 8 5557 0100"));
    stage.key(Key::DownArrow);
    stage.key(Key::F6);
    assert_eq!(stage.commands(), dialled("+33 6 12 34 56 78"));
    stage.key(Key::UpArrow);
    stage.key(Key::UpArrow);
    assert_eq!(finder.get_cursor(), local - 1);
}

#[test]
fn dir_7_the_telephone_calls_and_the_menu_has_every_number() {
    let stage = found("lindqvist");
    let finder = stage.app.global::<Finder>();
    assert_eq!((finder.get_search(), finder.get_cursor()), (SearchState::None, -1));
    stage.tap(stage.middle("Call Marek Lindqvist"));
    assert_eq!(stage.commands(), dialled("+46 8 5557 0100"));
    stage.right_click(stage.spot("Marek Lindqvist"));
    let menu = stage.app.global::<Menu>();
    assert!(menu.get_open());
    let details: Vec<_> = menu.get_entries().iter().take(3).map(|row| row.detail.to_string()).collect();
    assert_eq!(details, ["+46 8 5557 0100", "+46 70 555 01 02", "+46 8 555 77 88"]);
    menu.invoke_choose(1);
    assert_eq!(stage.commands(), dialled("+46 70 555 01 02"));
}

#[test]
fn dir_7_whoever_is_found_elsewhere_only_is_found() {
    let stage = searching("lindqvist");
    assert!(stage.has("Not in your directories") && !stage.has("No match"), "the others are still asked");
    stage.wait(PAUSE);
    let (seq, text) = stage.people_asked()[0].clone();
    answer(&stage, seq, &text);
    assert!(stage.has("1 elsewhere") && stage.has("Marek Lindqvist") && !stage.has("No match"));
    assert!(!stage.has("No contact matches “lindqvist”"));
}

#[test]
fn dir_7_whoever_is_found_here_and_elsewhere_is_counted_in_both_parts() {
    let stage = found("mar");
    let finder = stage.app.global::<Finder>();
    let both = format!("{} here, {} elsewhere", finder.get_total(), finder.get_found().row_count());
    assert!(finder.get_total() > 0 && stage.has(&both), "{both}");
}

#[test]
fn dir_7_whoever_is_found_nowhere_is_said_not_to_be_found() {
    let stage = found("xqz");
    assert!(stage.has("No match") && stage.has("No contact matches “xqz”"));
    assert!(!stage.has("Not in your directories"));
}

#[test]
fn dir_7_whoever_has_no_number_is_not_called() {
    let stage = found("omar");
    stage.key(Key::DownArrow);
    stage.key(Key::Return);
    assert_eq!(stage.commands(), []);
}

#[test]
fn dir_7_whoever_is_in_a_directory_here_is_not_shown_twice() {
    let stage = searching("marie");
    stage.wait(PAUSE);
    let (seq, _) = stage.people_asked()[0].clone();
    let here = scenes::contacts(&ipc::ContactQuery {
        directory: None,
        text: "marie laurent".into(),
        sort: ipc::SortKey::FirstName,
        offset: 0,
        limit: 1,
    });
    let same = ipc::FoundPerson {
        source: "LDAP".into(),
        name: "Marie LAURENT".into(),
        detail: String::new(),
        numbers: vec![("work".into(), here.rows[0].phone.clone())],
    };
    stage.event(Event::Reply { seq, reply: Reply::People(vec![same]) });
    assert!(stage.has("Nobody found there"));
}

#[test]
fn dir_7_a_search_that_failed_has_found_nobody_and_says_no_more() {
    let stage = searching("mar");
    stage.wait(PAUSE);
    let (seq, _) = stage.people_asked()[0].clone();
    stage.event(Event::Reply { seq, reply: Reply::Failed { reason: "shutting down".into() } });
    assert!(stage.has("Nobody found there") && !stage.has("shutting down"));
}
