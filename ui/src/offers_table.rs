//! The table of `offers`, row by row.

use ipc::{Action, CallRef, CallState, CallView, Direction, Party};

use super::*;

const CONTACT: Target<'_> = Target { phone: "2110", mobile: "+49 151 1", voicemail: "*2110" };

const RINGING: &[Action] = &[Action::Answer, Action::Forward, Action::Reject];
const HELD: &[Action] = &[
    Action::Retrieve,
    Action::Transfer,
    Action::TransferToCall,
    Action::TakeTransfer,
    Action::Park,
    Action::Conference,
    Action::HangUp,
];

fn call(id: u64, direction: Direction, state: CallState, number: &str, actions: &[Action]) -> CallView {
    CallView {
        direction,
        state,
        began_ms: id,
        party: Party { number: Some(number.into()), ..Party::default() },
        actions: actions.to_vec(),
        ..crate::scenes::ringing(id, Party::default(), ("5550000", "Main line"), 1)
    }
}

fn ringing(id: u64) -> CallView {
    call(id, Direction::Incoming, CallState::Ringing, "100", RINGING)
}

/// Came in, is on hold.
fn held(id: u64) -> CallView {
    call(id, Direction::Incoming, CallState::Held, "200", HELD)
}

/// Placed here to `number`, talks.
fn placed(id: u64, number: &str) -> CallView {
    call(id, Direction::Outgoing, CallState::Talking, number, HELD)
}

fn alone(id: u64) -> CallView {
    let only = [Action::Hold, Action::Transfer, Action::Park, Action::HangUp];
    call(id, Direction::Incoming, CallState::Talking, "300", &only)
}

fn seen(place: Place, calls: &[CallView], contact: Option<Target<'_>>) -> Vec<Offer> {
    let talk = calls.iter().find(|call| call.state == CallState::Talking).map(|call| call.call);
    let calls: Vec<&CallView> = calls.iter().collect();
    offers(place, &calls, talk, contact)
}

fn on(id: u64) -> Place {
    Place::Call(CallRef(id))
}

fn blind(call: u64, to: &str) -> Offer {
    Offer::Blind { call: CallRef(call), to: to.into() }
}

fn forward(call: u64, to: &str) -> Offer {
    Offer::Forward { call: CallRef(call), to: to.into() }
}

fn voicemail(call: u64) -> Offer {
    Offer::Voicemail { call: CallRef(call), to: "*2110".into() }
}

fn connected(call: u64, to: u64) -> Offer {
    Offer::Connect { call: CallRef(call), to: CallRef(to), ringing: false }
}

#[test]
fn row_1_what_is_in_its_grace_can_be_undone_or_hurried() {
    let actions = [Action::Undo, Action::TransferNow, Action::HangUp];
    let calls = [call(1, Direction::Incoming, CallState::Transferring, "1", &actions), held(2)];
    let one = CallRef(1);
    assert_eq!(seen(on(1), &calls, Some(CONTACT)), [Offer::Undo(one), Offer::TransferNow(one)]);
}

#[test]
fn row_2_what_waits_for_a_phone_can_be_hurried() {
    let actions = [Action::TransferNow, Action::Retrieve, Action::HangUp];
    let calls = [call(1, Direction::Incoming, CallState::Transferring, "1", &actions)];
    assert_eq!(seen(on(1), &calls, None), [Offer::TransferNow(CallRef(1))]);
}

#[test]
fn rows_3_and_4_what_rings_is_forwarded() {
    let calls = [ringing(1), alone(2)];
    assert_eq!(seen(on(1), &calls, None), [Offer::AskForward(CallRef(1))]);
    let to_contact = [forward(1, "2110"), forward(1, "+49 151 1"), Offer::AskForward(CallRef(1))];
    assert_eq!(seen(on(1), &calls, Some(CONTACT)), to_contact);
}

#[test]
fn row_5_a_call_alone_asks_for_a_number_first() {
    let one = CallRef(1);
    let row = [Offer::AskTransfer(one), Offer::AskVoicemail(one), Offer::Park(one)];
    assert_eq!(seen(on(1), &[alone(1)], None), row);
}

#[test]
fn row_6_two_calls_are_connected_first_from_whichever_it_is_pressed() {
    let calls = [held(1), placed(2, "2107")];
    for pressed in [1, 2] {
        let id = CallRef(pressed);
        let row = [
            connected(1, 2),
            Offer::Conference(id),
            Offer::AskTransfer(id),
            Offer::AskVoicemail(id),
            Offer::Park(id),
        ];
        assert_eq!(seen(on(pressed), &calls, None), row, "pressed on {pressed}");
    }
}

#[test]
fn row_6_the_talking_one_comes_first_then_the_newest_placed_here() {
    let mut consultation = placed(4, "2109");
    consultation.state = CallState::Held;
    let calls = [held(1), held(2), placed(3, "2107"), consultation];
    let row = seen(on(1), &calls, None);
    assert_eq!(row[..3], [connected(1, 3), connected(1, 4), connected(1, 2)]);
    let mut still_rings = placed(3, "2107");
    still_rings.state = CallState::Alerting;
    let row = seen(on(1), &[held(1), still_rings], None);
    assert_eq!(row[0], Offer::Connect { call: CallRef(1), to: CallRef(3), ringing: true });
}

#[test]
fn row_7_a_contact_that_is_meant_comes_after_the_calls() {
    let one = CallRef(1);
    let numbers = [blind(1, "2110"), blind(1, "+49 151 1"), voicemail(1)];
    let row = seen(on(1), &[alone(1)], Some(CONTACT));
    assert_eq!(row[..3], numbers);
    assert_eq!(row[3..], [Offer::AskTransfer(one), Offer::Park(one)]);
    let row = seen(on(1), &[held(1), placed(2, "2107")], Some(CONTACT));
    assert_eq!(row[..2], [connected(1, 2), Offer::Conference(one)]);
    assert_eq!(row[2..5], numbers);
}

#[test]
fn row_8_a_recall_can_wait_again_first() {
    let actions = [Action::Answer, Action::WaitAgain, Action::Transfer, Action::HangUp];
    let one = CallRef(1);
    let calls = [call(1, Direction::Incoming, CallState::Recalling, "1", &actions)];
    let row = [Offer::WaitAgain(one), Offer::AskTransfer(one), Offer::AskVoicemail(one)];
    assert_eq!(seen(on(1), &calls, None), row);
}

#[test]
fn row_9_pressed_on_a_contact_the_talking_call_goes_there() {
    let one = CallRef(1);
    let row =
        [blind(1, "2110"), blind(1, "+49 151 1"), voicemail(1), Offer::AskTransfer(one), Offer::Park(one)];
    assert_eq!(seen(Place::Contact(None), &[alone(1)], Some(CONTACT)), row);
    let only_phone = Target { phone: "2110", ..Target::default() };
    assert_eq!(seen(Place::Contact(None), &[alone(1)], Some(only_phone))[0], blind(1, "2110"));
    let themselves = Target { phone: "300", ..Target::default() };
    let row = seen(Place::Contact(None), &[alone(1)], Some(themselves));
    assert_eq!(row[0], Offer::AskTransfer(one), "nobody is transferred to themselves");
}

#[test]
fn row_9_a_contact_that_is_being_called_is_connected() {
    let mut waits = held(1);
    waits.state = CallState::Held;
    let mut consultation = placed(2, "2110");
    consultation.actions = vec![Action::Hold, Action::TakeTransfer, Action::HangUp];
    let row = seen(Place::Contact(Some(CallRef(1))), &[waits, consultation], Some(CONTACT));
    assert_eq!(row[..2], [connected(1, 2), voicemail(1)]);
}

#[test]
fn row_10_the_other_calls_follow_the_one_that_is_meant() {
    let calls = [held(1), held(2), alone(3)];
    let row = seen(Place::Contact(Some(CallRef(2))), &calls, Some(CONTACT));
    assert_eq!(row[0], blind(3, "2110"), "the talking call first");
    assert_eq!(row[3..5], [blind(1, "2110"), blind(2, "2110")]);
    let row = seen(Place::Contact(Some(CallRef(2))), &calls[..2], Some(CONTACT));
    assert_eq!(row[0], blind(2, "2110"), "else the selected one");
}

#[test]
fn row_11_ringing_calls_are_forwarded_to_the_contact() {
    let calls = [ringing(1), ringing(2)];
    let row = seen(Place::Contact(Some(CallRef(2))), &calls, Some(CONTACT));
    let expected =
        [forward(2, "2110"), forward(2, "+49 151 1"), forward(1, "2110"), Offer::AskForward(CallRef(2))];
    assert_eq!(row, expected);
}

#[test]
fn row_12_pressed_on_nothing_the_talking_call_is_meant() {
    let calls = [ringing(1), held(2), alone(3)];
    assert_eq!(seen(Place::Nothing, &calls, None), seen(on(3), &calls, None));
    assert_eq!(seen(Place::Nothing, &calls[..2], None), seen(on(2), &calls[..2], None));
    assert_eq!(seen(Place::Nothing, &calls[..1], None), seen(on(1), &calls[..1], None));
}

#[test]
fn row_13_without_a_call_that_may_go_there_is_no_menu() {
    assert!(seen(Place::Nothing, &[], Some(CONTACT)).is_empty());
    assert!(seen(Place::Contact(None), &[], Some(CONTACT)).is_empty());
    assert!(seen(on(9), &[held(1)], Some(CONTACT)).is_empty(), "a call that is gone");
    let dialing = call(1, Direction::Outgoing, CallState::Dialing, "1", &[Action::HangUp]);
    assert!(seen(on(1), &[dialing], Some(CONTACT)).is_empty());
}

#[test]
fn the_menu_fits_on_the_screen() {
    let calls: Vec<CallView> = (1..40).map(held).collect();
    assert_eq!(seen(on(1), &calls, Some(CONTACT)).len(), MOST);
    assert_eq!(seen(Place::Contact(None), &calls, Some(CONTACT)).len(), MOST);
}
