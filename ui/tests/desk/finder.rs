//! The search bar's verdict, the search over all directories, and the way from a hit to the contact.

use frontdesk_ui::scenes;
use frontdesk_ui::screen::{Desk, Directory, Finder, Screen, SearchState};
use ipc::{Command, DirectoryId, SortKey};
use slint::platform::{Key, WindowEvent};
use slint::{ComponentHandle, Model};

use crate::hands::Stage;

const STAFF: DirectoryId = DirectoryId(1);

pub(crate) fn control_f(stage: &Stage) {
    let control = slint::SharedString::from(char::from(Key::Control));
    stage.dispatch(WindowEvent::KeyPressed { text: control.clone() });
    stage.key("f");
    stage.dispatch(WindowEvent::KeyReleased { text: control });
    stage.settle();
}

#[test]
fn dir_6_the_bar_says_what_it_found_in_colour_and_words() {
    let stage = Stage::with(scenes::picture());
    stage.key(Key::F3);
    stage.write("mar");
    assert!(stage.has("2 matches"));
    assert_eq!(stage.app.global::<Directory>().get_cursor(), 0);
    stage.write("xq");
    assert!(stage.has("No match") && !stage.has("2 matches"));
    stage.tap(stage.middle("Clear the field"));
    assert_eq!(stage.app.global::<Directory>().get_search(), SearchState::Idle);
    assert!(!stage.has("No match"));
}

#[test]
fn dir_6_dir_7_nobody_here_leads_to_all_directories_with_the_same_words() {
    let stage = Stage::with(scenes::picture());
    stage.key(Key::F3);
    stage.write("nowak");
    stage.tap(stage.middle("Search all directories"));
    let finder = stage.app.global::<Finder>();
    assert!(finder.get_open());
    assert_eq!((finder.get_query().as_str(), finder.get_total()), ("nowak", 1));
    assert_eq!(finder.get_rows().row_data(0).unwrap().cells.row_data(0).unwrap(), "Customers");
}

#[test]
fn dir_7_enter_goes_to_the_directory_and_to_the_contact_there() {
    let stage = Stage::with(scenes::picture());
    control_f(&stage);
    stage.write("okafor");
    let finder = stage.app.global::<Finder>();
    assert_eq!((finder.get_search(), finder.get_cursor()), (SearchState::Hits, 0));
    stage.key(Key::Return);
    assert!(!finder.get_open());
    assert_eq!(stage.commands(), [Command::ShowDirectory { directory: DirectoryId(2) }]);
    let directory = stage.app.global::<Directory>();
    assert_eq!((directory.get_current(), directory.get_cursor()), (1, 1));
    // And it is this contact that is meant from now on.
    stage.key(Key::F6);
    assert_eq!(stage.commands(), [Command::Dial { number: "+44 20 7946 0991".into(), line: None }]);
}

#[test]
fn dir_7_one_tap_selects_and_two_go_there_from_another_screen_too() {
    let stage = Stage::with(scenes::picture());
    stage.app.global::<Desk>().invoke_show(Screen::Log);
    stage.tap(stage.middle("Search"));
    stage.write("an");
    let finder = stage.app.global::<Finder>();
    let hit = stage.spot("Chiara Romano");
    stage.tap(hit);
    stage.wait(600);
    assert!(finder.get_open());
    assert_eq!(stage.commands(), []);
    stage.finger_taps_twice(hit);
    assert!(!finder.get_open());
    assert_eq!(stage.app.global::<Desk>().get_screen(), Screen::Directory);
    assert_eq!(stage.app.global::<Directory>().get_cursor(), 2);
    assert_eq!(stage.commands(), [Command::ShowDirectory { directory: STAFF }]);
}

#[test]
fn dir_7_keys_move_and_escape_closes_and_the_calls_keep_theirs() {
    let stage = Stage::with(scenes::picture());
    control_f(&stage);
    stage.write("an");
    stage.key(Key::DownArrow);
    let finder = stage.app.global::<Finder>();
    assert_eq!(finder.get_cursor(), 1);
    stage.key(Key::F9);
    assert_eq!(stage.commands(), [Command::Hook { action: ipc::HookAction::Next }]);
    assert!(finder.get_open(), "a call is answered beside it");
    stage.key(Key::Escape);
    assert!(!finder.get_open());
    stage.key(Key::F3);
    stage.write("g");
    assert_eq!(stage.app.global::<Directory>().get_query(), "g", "the keyboard is free again");
}

#[test]
fn dir_7_a_contact_that_was_removed_meanwhile_is_said_to_be_gone() {
    let stage = Stage::with_places(scenes::picture(), |_, _| None);
    control_f(&stage);
    stage.write("okafor");
    stage.key(Key::Return);
    assert_eq!(stage.app.global::<Directory>().get_cursor(), -1);
    assert!(stage.has("That contact was removed meanwhile"));
}

#[test]
fn dir_7_a_place_where_somebody_else_stands_is_not_marked() {
    let wrong =
        |contact, sort| scenes::place(contact, sort).map(|place| ipc::ContactPlace { row: 4, ..place });
    let stage = Stage::with_places(scenes::picture(), wrong);
    control_f(&stage);
    stage.write("okafor");
    stage.key(Key::Return);
    assert_eq!(stage.app.global::<Directory>().get_cursor(), -1);
}

#[test]
fn dir_7_far_down_in_a_large_directory_the_contact_is_brought_into_sight() {
    let stage = Stage::with(scenes::vast());
    let mut contact = scenes::contacts(&ipc::ContactQuery {
        directory: Some(DirectoryId(4)),
        text: String::new(),
        sort: SortKey::FirstName,
        offset: 77_777,
        limit: 1,
    });
    let contact = contact.rows.remove(0);
    stage.console.go_to(&contact);
    stage.settle();
    stage.settle();
    assert_eq!(stage.app.global::<Directory>().get_cursor(), 77_777);
    assert!(stage.has(&format!("{} {}", contact.first_name, contact.last_name)));
}
