//! A call that a colleague is in is taken over (PRE-3): offered, asked once more, and only done to the call that was
//! shown.

use frontdesk_ui::link::Event;
use frontdesk_ui::scenes;
use frontdesk_ui::screen::TakeOver;
use ipc::{CallState, Command, CommandError, Notice, NoticeId, NoticeKind, Party, TalkId, View};
use slint::platform::{Key, PointerEventButton};
use slint::{ComponentHandle, Model};

use crate::hands::Stage;

/// After this the button that does it can be touched.
const A_MOMENT: u64 = 800;

fn take(number: &str, talk: u64) -> Command {
    Command::TakeOver { number: number.into(), talk: TalkId(talk) }
}

fn is_open(stage: &Stage) -> bool {
    stage.app.global::<TakeOver>().get_open()
}

/// The conversations of the phone `number` that have one of these are over.
fn end(view: &mut View, number: &str, talks: &[u64]) {
    view.generation += 1;
    let lamp = view.lamps.iter_mut().find(|lamp| lamp.number == number).unwrap();
    let over = |talk: Option<TalkId>| talk.is_some_and(|talk| talks.contains(&talk.0));
    std::sync::Arc::make_mut(lamp).talks.retain(|call| !over(call.talk));
}

#[test]
fn pre_3_dir_9_a_call_is_taken_over_from_the_menu_once_the_question_is_answered() {
    let stage = Stage::with(scenes::take_over());
    stage.right_click(stage.spot("Grace Kim"));
    assert!(stage.has("Call") && !stage.has("Take over the call…"), "she is in no call");
    stage.key(Key::Escape);
    stage.right_click(stage.spot("David Moreau"));
    stage.tap(stage.middle("Take over the call…"));
    assert!(stage.has("Take over the call of David Moreau?"));
    assert!(stage.has("David Moreau is cut off at once, without a warning."));
    assert!(stage.has("+49 89 555 1180") && is_open(&stage));
    // The second tap of a hurried finger.
    let place = stage.middle("Take over");
    stage.tap(place);
    assert!(is_open(&stage) && stage.commands().is_empty());
    stage.wait(A_MOMENT);
    stage.tap(place);
    assert_eq!(stage.commands(), [take("2104", 21040)]);
    assert!(!is_open(&stage));
}

#[test]
fn pre_3_the_question_is_left_by_cancel_by_escape_and_by_enter_alone() {
    let stage = Stage::with(scenes::take_over());
    let ask = || {
        stage.right_click(stage.spot("David Moreau"));
        stage.tap(stage.middle("Take over the call…"));
        stage.wait(A_MOMENT);
        assert!(is_open(&stage));
    };
    ask();
    stage.tap(stage.middle("Cancel"));
    assert!(!is_open(&stage));
    ask();
    stage.key(Key::Escape);
    assert!(!is_open(&stage));
    ask();
    // The keyboard begins at Cancel.
    stage.key(Key::Return);
    assert!(!is_open(&stage));
    assert_eq!(stage.commands(), []);
    ask();
    stage.key(Key::RightArrow);
    stage.key(Key::Return);
    assert_eq!(stage.commands(), [take("2104", 21040)]);
}

#[test]
fn pre_3_of_several_calls_one_has_to_be_chosen() {
    let stage = Stage::with(scenes::take_over());
    let ask = || {
        stage.right_click(stage.spot("Ben Whitaker"));
        stage.tap(stage.middle("Take over the call…"));
        stage.wait(A_MOMENT);
    };
    ask();
    assert_eq!(
        stage.app.global::<TakeOver>().get_talks().row_count(),
        2,
        "what rings there is not one of them"
    );
    stage.tap(stage.middle("Take over"));
    assert!(is_open(&stage) && stage.commands().is_empty(), "whose?");
    stage.tap(stage.top("Helena Brandt"));
    stage.tap(stage.middle("Take over"));
    assert_eq!(stage.commands(), [take("2102", 21021)]);
    // By key.
    ask();
    stage.key(Key::RightArrow);
    stage.key(Key::Return);
    assert!(is_open(&stage) && stage.commands().is_empty(), "whose?");
    stage.key(Key::DownArrow);
    stage.key(Key::RightArrow);
    stage.key(Key::Return);
    assert_eq!(stage.commands(), [take("2102", 21020)]);
}

#[test]
fn pre_3_the_question_follows_the_calls_and_takes_no_other_than_the_one_chosen() {
    let mut view = scenes::take_over();
    let stage = Stage::with(view.clone());
    stage.right_click(stage.spot("Ben Whitaker"));
    stage.tap(stage.middle("Take over the call…"));
    stage.wait(A_MOMENT);
    stage.tap(stage.top("Helena Brandt"));
    end(&mut view, "2102", &[21021]);
    stage.show(view.clone());
    assert_eq!(stage.app.global::<TakeOver>().get_chosen(), -1);
    stage.tap(stage.middle("Take over"));
    assert!(is_open(&stage) && stage.commands().is_empty(), "the one chosen has ended");
    end(&mut view, "2102", &[21020]);
    stage.show(view.clone());
    assert!(stage.has("This call has ended: there is nothing to take over."));
    view.generation += 1;
    view.take_over = false;
    stage.show(view);
    assert!(!is_open(&stage), "it is not allowed any more");
    stage.right_click(stage.spot("David Moreau"));
    assert!(stage.has("Call") && !stage.has("Take over the call…"));
}

#[test]
fn pre_3_the_card_and_the_notices_tell_what_became_of_it() {
    let mut view = scenes::attended();
    view.outgoing[0].intercepted = Some(Party { name: Some("Khadija Benali".into()), ..Party::default() });
    view.outgoing[0].taken_over = true;
    let stage = Stage::with(view.clone());
    assert!(stage.has("taken from Khadija Benali"));
    view.generation += 1;
    view.outgoing[0].state = CallState::Dialing;
    stage.show(view.clone());
    assert!(stage.has("taking over from Khadija Benali"));
    let from = view.outgoing.remove(0).intercepted.unwrap();
    for (code, words) in [
        (481, "it had ended already"),
        (403, "the exchange does not allow it; ask your administrator"),
        (420, "the exchange does not allow it; ask your administrator"),
        (486, "the other end is busy; try again"),
        (603, "declined, or it had ended already"),
        (0, "no answer; the call goes on there"),
    ] {
        view.generation += 1;
        let kind = NoticeKind::TakeOverFailed { from: from.clone(), code, reason: String::new() };
        view.notices = vec![Notice { id: NoticeId(90), since_ms: view.now_ms, kind }];
        stage.show(view.clone());
        assert!(stage.has("Call of Khadija Benali not taken over") && stage.has(words), "{code}");
    }
}

#[test]
fn pre_3_a_take_over_that_the_desk_does_not_begin_says_why() {
    let stage = Stage::with(scenes::take_over());
    for (error, words) in [
        (
            CommandError::NobodyTalks { number: "2104".into() },
            "That call has ended: nothing taken over at 2104",
        ),
        (CommandError::TakeOverNotAllowed, "Taking over calls is not allowed; ask your administrator"),
    ] {
        stage.right_click(stage.spot("David Moreau"));
        stage.tap(stage.middle("Take over the call…"));
        stage.key(Key::RightArrow);
        stage.key(Key::Return);
        assert_eq!(stage.commands(), [take("2104", 21040)]);
        for seq in 0..50 {
            stage.event(Event::Done { seq, result: Err(error.clone()) });
        }
        assert!(stage.has(words), "{words}");
    }
}

#[test]
fn pre_3_the_call_under_the_finger_stays_while_lamps_change() {
    let mut view = scenes::take_over();
    let stage = Stage::with(view.clone());
    let chosen = || stage.app.global::<TakeOver>().get_chosen();
    stage.right_click(stage.spot("Ben Whitaker"));
    stage.tap(stage.middle("Take over the call…"));
    stage.wait(A_MOMENT);
    let row = stage.top("Helena Brandt");
    stage.press(row, PointerEventButton::Left);
    view.generation += 1;
    stage.show(view.clone());
    stage.release(row, PointerEventButton::Left);
    assert_eq!(chosen(), 1);
    // The one under the finger ends: the other is not chosen in its place.
    let first = stage.top("Camille Durand");
    stage.press(first, PointerEventButton::Left);
    end(&mut view, "2102", &[21020]);
    stage.show(view);
    stage.release(first, PointerEventButton::Left);
    assert_eq!(chosen(), 0, "it is still the one that was chosen");
    stage.tap(stage.middle("Take over"));
    assert_eq!(stage.commands(), [take("2102", 21021)]);
}
