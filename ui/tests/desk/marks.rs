//! "Something was wrong": said of a call that is up and of one in the log.

use frontdesk_ui::scenes;
use frontdesk_ui::screen::{Desk, Log, Screen};
use i_slint_backend_testing::ElementHandle;
use ipc::{CallRef, Command, CommandError};
use slint::platform::Key;
use slint::{ComponentHandle, Model};

use crate::hands::Stage;

const NOTED: &str = "Noted. Thank you";

#[test]
fn call_8_something_was_wrong_is_said_in_the_menu_of_a_call_by_finger_or_keys() {
    let stage = Stage::with(scenes::picture());
    stage.right_click(stage.spot("Tomás Rivera"));
    stage.tap(stage.middle("Report a problem"));
    assert_eq!(stage.commands(), [Command::MarkCall { call: CallRef(3) }]);
    assert!(!stage.has(NOTED), "the desk has not taken it yet");
    stage.answer(Ok(()));
    assert!(stage.has(NOTED));
    stage.tap(stage.middle("Dismiss"));
    assert!(!stage.has(NOTED));
    // By keys it is the last row but one, whatever else the menu has.
    stage.key(frontdesk_ui::keys::CLEAR);
    stage.key("/");
    stage.key(Key::UpArrow);
    stage.key(Key::UpArrow);
    stage.key(Key::Return);
    assert!(matches!(stage.commands()[..], [Command::MarkCall { .. }]));
    stage.answer(Err(CommandError::NoSuchCall));
    assert!(stage.has("That call has ended") && !stage.has(NOTED));
    // What rings cannot have sounded wrong yet.
    stage.right_click(stage.spot("Anonymous"));
    assert!(stage.has("Reject") && !stage.has("Report a problem"));
}

#[test]
fn call_8_what_was_said_before_is_ticked() {
    let mut view = scenes::picture();
    let call = view.incoming.iter_mut().find(|call| call.call == CallRef(3));
    call.unwrap().marked = true;
    let stage = Stage::with(view);
    stage.right_click(stage.spot("Tomás Rivera"));
    let entries = stage.app.global::<frontdesk_ui::screen::Menu>().get_entries();
    assert_eq!(entries.iter().filter(|entry| entry.chosen).count(), 1);
}

#[test]
fn log_1_something_was_wrong_is_said_of_a_call_in_the_log_and_seen_there() {
    let stage = Stage::with(scenes::picture());
    stage.app.global::<Desk>().invoke_show(Screen::Log);
    stage.settle();
    let rows = stage.app.global::<Log>().get_rows();
    assert_eq!(rows.iter().position(|row| row.marked), Some(5));
    stage.right_click(stage.top("Marie Laurent"));
    stage.tap(stage.middle("Report a problem"));
    assert_eq!(stage.commands(), [Command::MarkLoggedCall { id: 2 }]);
    stage.answer(Err(CommandError::NoFigures));
    stage.app.global::<Desk>().invoke_show(Screen::Directory);
    stage.settle();
    assert!(stage.has("The figures of that call are no longer there"));
    // Of one that ended too long ago it cannot be said, and of one that is marked not again.
    stage.app.global::<Desk>().invoke_show(Screen::Log);
    stage.settle();
    let offers = |who: &str| {
        stage.right_click(stage.top(who));
        let entries = stage.app.global::<frontdesk_ui::screen::Menu>().get_entries();
        let mark =
            |entry: &frontdesk_ui::screen::MenuEntry| entry.word == frontdesk_ui::screen::MenuWord::Mark;
        let found = entries.iter().find(mark).map(|entry| (entry.enabled, entry.chosen));
        stage.key(Key::Escape);
        found
    };
    assert_eq!(offers("Emma Schneider"), None);
    assert_eq!(offers("Nadia Okafor"), Some((false, true)));
}

#[test]
fn acc_4_the_button_for_it_keeps_its_word_in_the_largest_texts() {
    let mut view = scenes::picture();
    view.preferences.text_size = ipc::TextSize::Largest;
    let stage = Stage::with(view);
    stage.app.global::<Desk>().invoke_show(Screen::Log);
    stage.settle();
    let log = stage.app.global::<Log>();
    let row = log.get_rows().iter().position(|row| row.name == "Marie Laurent").unwrap();
    log.invoke_open(i32::try_from(row).unwrap());
    stage.settle();
    // The button, and the word on it.
    let named = ElementHandle::find_by_accessible_label(&stage.app, "Report a problem");
    assert_eq!(named.count(), 2);
    stage.commands();
    stage.tap(stage.top("Report a problem"));
    assert_eq!(stage.commands(), [Command::MarkLoggedCall { id: 2 }]);
}
