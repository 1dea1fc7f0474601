//! Hands that are faster than the desk, or on their way to what was there a moment ago: nobody is lost by that, and nobody is
//! rung who was not meant.

use frontdesk_ui::scenes;
use frontdesk_ui::screen::{Calls, Directory, Drag, Menu, Prompt};
use ipc::{
    Action, CallRef, CallState, Command, CommandError, ContactQuery, DirectoryId, HookAction, SortKey, View,
};
use slint::platform::{Key, PointerEventButton, WindowEvent};
use slint::{ComponentHandle, LogicalPosition, Model};

use crate::finder::control_f;
use crate::hands::Stage;
use crate::{answer, one_ringing};

/// So long, in milliseconds, a hurried finger may still mean the button that was there before.
const A_MOMENT: u64 = 800;
/// After it a tap is no second one.
const ONE_TAP: u64 = 600;

fn selected(stage: &Stage) -> String {
    stage.app.global::<Calls>().get_selected().to_string()
}

fn opened(stage: &Stage) -> String {
    stage.app.global::<Calls>().get_opened().to_string()
}

fn dial(number: &str) -> Command {
    Command::Dial { number: number.into(), line: None }
}

fn without(view: &View, call: u64) -> View {
    let mut view = View { generation: view.generation + 1, ..view.clone() };
    view.incoming.retain(|view| view.call != CallRef(call));
    view.outgoing.retain(|view| view.call != CallRef(call));
    view.talk = view.talk.filter(|talk| *talk != CallRef(call));
    view
}

/// On the right of a card, where the buttons that end calls are once it is open.
fn right_of(stage: &Stage, name: &str) -> LogicalPosition {
    let card = stage.find(name);
    let (at, size) = (card.absolute_position(), card.size());
    LogicalPosition::new(at.x + size.width - 30., at.y + 40.)
}

#[test]
fn call_7_the_second_of_two_taps_lands_on_no_button_that_has_just_come() {
    let stage = Stage::with(scenes::picture());
    stage.key(Key::Home);
    // The card above is open: once it closes, the buttons of the one that was tapped lie where its word was.
    stage.double_tap(right_of(&stage, "Anonymous"));
    assert_eq!(stage.commands(), [answer(2)]);
    stage.double_tap(right_of(&stage, "Tomás Rivera"));
    assert_eq!(stage.commands(), [Command::Retrieve { call: CallRef(3) }]);
    assert_eq!(opened(&stage), "3", "it opens when no tap can follow");
    // Nor by a view that comes between the two.
    stage.tap(right_of(&stage, "Nadia Okafor"));
    stage.show(View { generation: 2, ..scenes::picture() });
    assert_eq!((selected(&stage).as_str(), opened(&stage).as_str()), ("4", "3"));
    stage.wait(ONE_TAP);
    assert_eq!(opened(&stage), "4");
}

#[test]
fn call_12_a_key_that_is_held_does_its_deed_once_and_moves_on() {
    let stage = Stage::with(scenes::picture());
    stage.key(Key::Home);
    stage.key(Key::Delete);
    stage.show(without(&scenes::picture(), 1));
    stage.wait(A_MOMENT);
    for key in [Key::Delete, Key::F7, Key::Insert, Key::F9, Key::F10] {
        stage.held(key, 3);
    }
    assert_eq!(stage.commands(), [Command::Reject { call: CallRef(1) }]);
    assert_eq!(selected(&stage), "2");
    stage.held(Key::DownArrow, 2);
    assert_eq!(selected(&stage), "4");
    stage.key(Key::F3);
    stage.key("a");
    stage.held("a", 2);
    assert_eq!(stage.app.global::<Directory>().get_query(), "aaa", "a field has its letters");
}

#[test]
fn bar_3_a_digit_that_is_held_is_sent_once() {
    let stage = Stage::with(scenes::picture());
    stage.tap(stage.middle("Keypad"));
    stage.key("5");
    stage.held("5", 4);
    assert_eq!(stage.commands(), [Command::Digits { call: CallRef(5), digits: "5".into() }]);
}

#[test]
fn call_1_a_second_tap_on_answer_or_hold_does_nothing_to_the_call() {
    let mut view = one_ringing();
    let stage = Stage::with(view.clone());
    let then = |view: &mut View, state, talk, actions: &[Action]| {
        view.generation += 1;
        view.talk = talk;
        view.incoming[0].state = state;
        view.incoming[0].actions = actions.to_vec();
        stage.show(view.clone());
    };
    let talking = [Action::Hold, Action::Transfer, Action::HangUp];
    let place = stage.middle("Answer");
    stage.tap(place);
    then(&mut view, CallState::Answering, None, &[Action::HangUp]);
    stage.tap(place);
    then(&mut view, CallState::Talking, Some(CallRef(7)), &talking);
    stage.tap(place);
    assert_eq!(stage.commands(), [answer(7)]);
    stage.wait(A_MOMENT);
    let place = stage.middle("Hold");
    stage.tap(place);
    then(&mut view, CallState::Held, None, &[Action::Retrieve, Action::Transfer, Action::HangUp]);
    stage.tap(place);
    assert_eq!(
        stage.commands(),
        [Command::Hold { call: CallRef(7) }],
        "who waits does not hear what is said"
    );
    stage.wait(A_MOMENT);
    stage.tap(place);
    assert_eq!(stage.commands(), [Command::Retrieve { call: CallRef(7) }]);
}

#[test]
fn call_11_transfer_right_after_hold_is_no_second_tap() {
    let mut view = one_ringing();
    view.talk = Some(CallRef(7));
    view.incoming[0].state = CallState::Talking;
    view.incoming[0].actions = vec![Action::Hold, Action::Transfer, Action::HangUp];
    let stage = Stage::with(view.clone());
    let place = stage.middle("Hold");
    stage.tap(place);
    view.generation += 1;
    view.talk = None;
    view.incoming[0].state = CallState::Held;
    view.incoming[0].actions = vec![Action::Retrieve, Action::Transfer, Action::HangUp];
    stage.show(view);
    // What has come under the finger, and what ends the call, wait.
    stage.tap(place);
    stage.tap(stage.middle("Hang up"));
    assert_eq!(stage.commands(), [Command::Hold { call: CallRef(7) }]);
    stage.tap(stage.middle("Transfer"));
    assert!(stage.app.global::<Prompt>().get_open(), "it stood there before");
    assert_eq!(stage.commands(), []);
}

#[test]
fn call_12_who_hangs_up_first_does_not_have_the_next_caller_rejected() {
    let stage = Stage::with(scenes::picture());
    assert_eq!(selected(&stage), "5");
    let view = without(&scenes::picture(), 5);
    stage.show(view.clone());
    assert_eq!((selected(&stage).as_str(), opened(&stage).as_str()), ("1", "1"));
    stage.key(Key::Delete);
    stage.tap(stage.middle("Reject"));
    assert_eq!(stage.commands(), [], "that was for the one who is gone");
    stage.tap(stage.middle("Answer"));
    assert_eq!(stage.commands(), [answer(1)], "who waits is answered at once");
    stage.wait(A_MOMENT);
    stage.key(Key::Delete);
    stage.tap(stage.middle("Reject"));
    let reject = Command::Reject { call: CallRef(1) };
    assert_eq!(stage.commands(), [reject.clone(), reject]);
    // Whom a hand has chosen it means.
    stage.show(without(&view, 1));
    stage.key(Key::Home);
    stage.key(Key::Delete);
    assert_eq!(stage.commands(), [Command::Reject { call: CallRef(2) }]);
}

#[test]
fn call_8_whose_mailbox_a_caller_goes_to_is_seen_before() {
    let stage = Stage::with(scenes::picture());
    // Into the directory, to its first contact, and back.
    stage.key(Key::F5);
    stage.key(Key::F5);
    stage.key(Key::F8);
    let menu = stage.app.global::<Menu>();
    assert!(menu.get_open() && menu.get_entries().iter().all(|row| row.to != "Alice Fournier"));
    stage.key(Key::Escape);
    stage.right_click(stage.spot("Tomás Rivera"));
    assert!(!stage.has("To the voicemail of Alice Fournier"));
    stage.tap(stage.middle("Transfer to voicemail…"));
    assert!(stage.app.global::<Prompt>().get_open(), "nobody is marked: it asks whose");
    assert_eq!(stage.commands(), []);
    stage.key(Key::Escape);
    stage.tap(stage.spot("Ingrid Solberg"));
    stage.right_click(stage.spot("Tomás Rivera"));
    stage.tap(stage.middle("To the voicemail of Ingrid Solberg"));
    assert_eq!(stage.commands(), [Command::VoicemailTransfer { call: CallRef(3), to: "*2110".into() }]);
}

#[test]
fn call_9_the_bar_of_the_transfer_puts_no_other_call_in_the_place_of_one_that_ends() {
    let stage = Stage::with(scenes::picture());
    let directory = stage.app.global::<Directory>();
    stage.tap(stage.spot("Tomás Rivera"));
    stage.tap(stage.spot("Ingrid Solberg"));
    assert!(directory.get_transfer_ready());
    assert_eq!(directory.get_transfer_who(), "Tomás Rivera");
    stage.show(without(&scenes::picture(), 3));
    assert!(!directory.get_transfer_ready());
    directory.invoke_transfer_here();
    assert_eq!(stage.commands(), []);
    stage.wait(ONE_TAP);
    stage.tap(stage.spot("Ingrid Solberg"));
    assert!(directory.get_transfer_ready(), "chosen anew");
    assert_eq!(directory.get_transfer_who(), "Marie Laurent");
}

#[test]
fn call_9_the_bar_of_the_transfer_stays_while_its_call_is_answered() {
    let mut view = one_ringing();
    let stage = Stage::with(view.clone());
    let directory = stage.app.global::<Directory>();
    stage.tap(stage.spot("Ingrid Solberg"));
    assert!(directory.get_transfer_ready());
    let mut then = |state, talk, actions: &[Action]| {
        view.generation += 1;
        view.talk = talk;
        view.incoming[0].state = state;
        view.incoming[0].actions = actions.to_vec();
        stage.show(view.clone());
    };
    then(CallState::Answering, Some(CallRef(7)), &[Action::HangUp]);
    assert!(directory.get_transfer_ready());
    directory.invoke_transfer_here();
    assert_eq!(stage.commands(), [], "there is nothing yet that could go");
    then(CallState::Talking, Some(CallRef(7)), &[Action::Hold, Action::Transfer, Action::HangUp]);
    assert!(directory.get_transfer_ready());
    assert_eq!(directory.get_transfer_who(), "Helena Brandt");
    directory.invoke_transfer_here();
    assert_eq!(stage.commands(), [Command::BlindTransfer { call: CallRef(7), to: "2110".into() }]);
}

#[test]
fn call_9_the_bar_of_the_transfer_keeps_its_call_while_another_is_answered() {
    let mut view = scenes::picture();
    let stage = Stage::with(view.clone());
    let directory = stage.app.global::<Directory>();
    stage.tap(stage.spot("Ingrid Solberg"));
    assert_eq!(directory.get_transfer_who(), "Marie Laurent");
    view.outgoing[0].state = CallState::Held;
    view.outgoing[0].actions = vec![Action::Retrieve, Action::Transfer, Action::HangUp];
    view.talk = Some(CallRef(1));
    let talking = [Action::Hold, Action::Transfer, Action::HangUp];
    for (state, actions) in
        [(CallState::Answering, &[Action::HangUp][..]), (CallState::Talking, &talking[..])]
    {
        view.generation += 1;
        view.incoming[0].state = state;
        view.incoming[0].actions = actions.to_vec();
        stage.show(view.clone());
        assert!(directory.get_transfer_ready(), "{state:?}");
        assert_eq!(directory.get_transfer_who(), "Marie Laurent");
    }
    directory.invoke_transfer_here();
    assert_eq!(stage.commands(), [Command::BlindTransfer { call: CallRef(5), to: "2110".into() }]);
}

#[test]
fn dir_6_enter_before_the_answer_calls_whom_all_the_letters_find() {
    let stage = Stage::with(scenes::empty());
    stage.key(Key::F3);
    stage.write("m");
    stage.commands();
    stage.fast(&["a".into(), "r".into(), Key::Return.into()]);
    let found = scenes::contacts(&ContactQuery {
        directory: Some(DirectoryId(1)),
        text: "mar".into(),
        sort: SortKey::default(),
        offset: 0,
        limit: 1,
    });
    assert_eq!(stage.commands(), [dial(&found.rows[0].phone)]);
}

#[test]
fn dir_6_enter_before_the_answer_is_forgotten_by_whoever_goes_on() {
    let stage = Stage::with(scenes::empty());
    stage.key(Key::F3);
    stage.write("m");
    stage.commands();
    stage.fast(&["a".into(), Key::Return.into(), "r".into()]);
    assert_eq!(stage.commands(), []);
    stage.key(Key::Return);
    assert!(matches!(stage.commands()[..], [Command::Dial { .. }]), "now it is known whom it means");
}

#[test]
fn dir_7_f6_before_the_answer_calls_nobody() {
    let stage = Stage::with(scenes::picture());
    control_f(&stage);
    stage.write("o");
    stage.commands();
    stage.fast(&["k".into(), "a".into(), "f".into(), "o".into(), "r".into(), Key::F6.into()]);
    assert_eq!(stage.commands(), []);
    stage.key(Key::F6);
    assert_eq!(stage.commands(), [dial("+44 20 7946 0991")]);
}

#[test]
fn bar_1_two_taps_on_the_voice_messages_make_one_call() {
    let stage = Stage::with(scenes::picture());
    stage.double_tap(stage.middle("3 voice messages"));
    assert_eq!(stage.commands(), [dial("*97")]);
    stage.tap(stage.middle("3 voice messages"));
    assert_eq!(stage.commands(), [dial("*97")]);
}

#[test]
fn call_10_call_12_after_dialling_the_keys_are_the_calls() {
    let stage = Stage::with(scenes::picture());
    stage.key(Key::F5);
    stage.key(Key::F4);
    stage.write("2110");
    stage.key(Key::Return);
    assert_eq!(stage.commands(), [dial("2110")]);
    stage.key(Key::Insert);
    assert_eq!(stage.commands(), [Command::Hold { call: CallRef(5) }]);
    assert_eq!(stage.app.global::<Calls>().get_number(), "");
}

#[test]
fn call_9_escape_calls_a_drag_off_for_good() {
    let stage = Stage::with(scenes::picture());
    let to = stage.middle("Ingrid Solberg");
    let drag = stage.app.global::<Drag>();
    stage.mouse_drag(stage.spot("Tomás Rivera"), to);
    assert!(drag.get_active());
    stage.key(Key::Escape);
    assert!(!drag.get_active());
    // The hand is not still.
    stage.dispatch(WindowEvent::PointerMoved { position: LogicalPosition::new(to.x + 3., to.y) });
    assert!(!drag.get_active());
    stage.release(to, PointerEventButton::Left);
    assert_eq!(stage.commands(), []);
    stage.mouse_drag(stage.spot("Tomás Rivera"), to);
    stage.release(to, PointerEventButton::Left);
    assert_eq!(stage.commands(), [Command::BlindTransfer { call: CallRef(3), to: "2110".into() }]);
}

#[test]
fn call_12_the_keys_of_the_next_and_the_current_call_work_over_a_question_and_a_menu() {
    let stage = Stage::with(scenes::picture());
    let hook = |action| Command::Hook { action };
    stage.tap(stage.middle("Transfer"));
    stage.key(Key::F11);
    assert_eq!(stage.commands(), [hook(HookAction::AnswerLongest)]);
    assert!(stage.app.global::<Prompt>().get_open());
    stage.key(Key::Escape);
    stage.right_click(stage.spot("Tomás Rivera"));
    stage.key(Key::F9);
    assert_eq!(stage.commands(), [hook(HookAction::Next)]);
    assert!(!stage.app.global::<Menu>().get_open());
}

#[test]
fn call_11_a_name_that_means_nobody_stands_in_the_question_again() {
    let stage = Stage::with(scenes::picture());
    let prompt = stage.app.global::<Prompt>();
    let ask = || {
        stage.tap(stage.middle("Transfer"));
        stage.write("zz");
        stage.key(Key::Return);
        assert!(!prompt.get_open());
        assert_eq!(stage.commands(), [Command::BlindTransfer { call: CallRef(5), to: "zz".into() }]);
    };
    ask();
    stage.answer(Err(CommandError::AmbiguousName { name: "zz".into(), matches: 0 }));
    assert!(stage.has("“zz” matches no single contact"));
    assert!(prompt.get_open() && prompt.get_text() == "zz");
    stage.key(Key::Escape);
    stage.key(Key::Escape);
    assert!(!prompt.get_open());
    // What is not about the name does not bring it back.
    ask();
    stage.answer(Err(CommandError::NotPossible));
    assert!(!prompt.get_open());
}

#[test]
fn call_11_enter_that_is_held_asks_the_desk_once() {
    let stage = Stage::with(scenes::picture());
    let prompt = stage.app.global::<Prompt>();
    stage.tap(stage.middle("Transfer"));
    stage.write("zz");
    stage.key(Key::Return);
    let asked = Command::BlindTransfer { call: CallRef(5), to: "zz".into() };
    assert_eq!(stage.commands(), std::slice::from_ref(&asked));
    stage.answer(Err(CommandError::AmbiguousName { name: "zz".into(), matches: 0 }));
    assert!(prompt.get_open(), "it asks again, under the same key");
    stage.held(Key::Return, 3);
    assert_eq!(stage.commands(), []);
    assert!(prompt.get_open() && prompt.get_text() == "zz");
    stage.key(Key::Return);
    assert_eq!(stage.commands(), [asked]);
}

#[test]
fn acc_4_rows_and_the_service_can_be_chosen_by_assistive_technology() {
    let stage = Stage::with(scenes::picture());
    stage.find("Anonymous").invoke_accessible_default_action();
    stage.wait(ONE_TAP);
    assert_eq!((selected(&stage).as_str(), opened(&stage).as_str()), ("2", "2"));
    stage.find("Ingrid Solberg").invoke_accessible_default_action();
    stage.settle();
    assert!(stage.app.global::<Directory>().get_transfer_ready());
    stage.find("Day").invoke_accessible_default_action();
    stage.settle();
    assert!(stage.app.global::<Menu>().get_open() && stage.has("Night service"));
    assert_eq!(stage.commands(), []);
}
