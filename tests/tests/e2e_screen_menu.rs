//! What a long-press offers, and what each row does: the menu of a call, the transfer question, the park
//! slots. All by finger, against baresip and kamailio.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use frontdesk_tests::baresip::{Baresip, Codec};
use frontdesk_tests::desk::NO_TIMERS;
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::picture::Area;
use frontdesk_tests::screen::{self, CALLS, HELD, RINGING, Screen, TALKING};
use frontdesk_tests::sound::{A_TONE, B_TONE, C_TONE, DESK_TONE};
use ipc::CallState;

const SOON: Duration = Duration::from_secs(10);
/// The row of park slots, above the dial bar.
const SLOTS: Area = Area { x: 0, y: 608, width: 484, height: 66 };

/// A place on a card where no button is.
fn spot(card: Area) -> (usize, usize) {
    (card.x + 120, card.y + 20)
}

/// Tomas has called and talks with the operator.
#[track_caller]
fn caller(house: &mut House) -> Baresip {
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    a.dial("5550100");
    house.answer_next(&mut a);
    a.hears(DESK_TONE);
    a
}

/// Opens the menu of the card with this ground, which offers all of `wanted` and none of `not`.
#[track_caller]
fn menu(screen: &mut Screen, ground: frontdesk_tests::picture::Colour, wanted: &[&str], not: &[&str]) {
    let card = screen.shows_card(ground, &[]);
    let menu = screen.long_press(spot(card));
    for word in wanted {
        assert!(menu.contains(word), "{word:?} is not offered in {menu:?}");
    }
    for word in not {
        assert!(!menu.contains(word), "{word:?} is offered in {menu:?}");
    }
}

#[test]
fn call_8_a_long_press_offers_what_the_call_allows_in_each_of_its_states_and_each_row_acts() {
    let mut house = House::build(Digest::Md5);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut screen = house.screen();
    a.dial("5550100");
    menu(&mut screen, RINGING, &["Answer", "Reject", "Forward"], &["Hold", "Park", "Hang"]);
    screen.choose("Reject");
    a.expect("CALL_CLOSED", SOON);
    screen.says(CALLS, &["No", "incoming", "calls"]);

    a.dial("5550100");
    menu(&mut screen, RINGING, &["Answer"], &["Hang"]);
    screen.choose("Answer");
    a.expect("CALL_ESTABLISHED", SOON);
    a.hears(DESK_TONE);
    // No park slot is set up here.
    let talking = ["Hold", "Transfer", "voicemail", "conference", "Keypad", "Hang"];
    menu(&mut screen, TALKING, &talking, &["Answer", "Reject", "Retrieve", "Park"]);
    screen.choose("Hold");
    menu(&mut screen, HELD, &["Retrieve", "Transfer", "voicemail", "Hang"], &["Answer", "Keypad"]);
    screen.choose("Retrieve");
    screen.shows_card(TALKING, &["Talking"]);
    house.desk.hears(A_TONE);
    menu(&mut screen, TALKING, &["Hang"], &[]);
    screen.choose("Hang");
    a.expect("CALL_CLOSED", SOON);
}

#[test]
fn call_8_conf_1_conference_and_mute_are_rows_of_the_menu() {
    let mut house = House::build(Digest::Md5);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    let _a = caller(&mut house);
    house.call_to(&mut b);
    let mut screen = house.screen();
    menu(&mut screen, HELD, &["conference", "Connect"], &[]);
    screen.choose("conference");
    house.desk.hears_mix(&[A_TONE, B_TONE]);
    // The first card is of the one who called; the screen may show it on hold for a moment after the sound has come back.
    screen.shows_card(TALKING, &["Tomas"]);
    menu(&mut screen, TALKING, &["Mute", "Hold", "Hang"], &["Answer"]);
    screen.choose("Mute");
    house.desk.hears(B_TONE);
    screen.says(CALLS, &["Muted"]);
    menu(&mut screen, TALKING, &["Unmute"], &[]);
    screen.choose("Unmute");
    house.desk.hears_mix(&[A_TONE, B_TONE]);
}

#[test]
fn call_8_forward_and_voicemail_are_rows_of_the_menu_that_ask_where_to() {
    let mut house = House::build(Digest::Md5);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    let mut mailbox = house.phone("2199", C_TONE, Codec::Pcma);
    let mut screen = house.screen();
    a.dial("5550100");
    let call = house.client.wait_call("a call", SOON, |call| call.state == CallState::Ringing).call;
    menu(&mut screen, RINGING, &["Forward"], &[]);
    screen.choose("Forward");
    screen.plate_says(&["Forward", "Tomas", "Cancel"]);
    screen.keys("2102");
    screen.key("Enter");
    b.expect("CALL_INCOMING", SOON);
    b.accept();
    a.hears(B_TONE);
    b.hang_up();
    a.expect("CALL_CLOSED", SOON);
    house.client.wait_gone(call, SOON);

    a.dial("5550100");
    house.answer_next(&mut a);
    menu(&mut screen, TALKING, &["voicemail"], &[]);
    screen.choose("voicemail");
    screen.plate_says(&["Tomas", "voicemail", "Cancel"]);
    screen.keys("2199");
    screen.key("Enter");
    mailbox.expect("CALL_INCOMING", SOON);
    mailbox.accept();
    a.hears(C_TONE);
}

#[test]
fn call_11_transfer_on_a_call_asks_for_a_number_and_enter_blind_transfers() {
    let mut house = House::build(Digest::Md5);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    let mut a = caller(&mut house);
    let mut screen = house.screen();
    let card = screen.shows_card(TALKING, &["Tomas", "Transfer"]);
    screen.tap_word(card, "Transfer");
    screen.plate_says(&["Transfer", "Tomas", "to", "Cancel"]);
    screen.keys("2102");
    // The number's contact stands below it.
    screen.plate_says(&["2102", "Ingrid"]);
    screen.key("Enter");
    screen.plate_closes();
    b.expect("CALL_INCOMING", SOON);
    b.accept();
    a.hears(B_TONE);
    b.hears(A_TONE);
    screen.says(CALLS, &["Tomas", "Ingrid", "answered"]);
    house.client.wait("an empty desk", SOON, |view| view.incoming.is_empty());
    b.hang_up();
    a.expect("CALL_CLOSED", SOON);
}

#[test]
fn call_11_a_name_is_as_good_as_a_number_and_escape_leaves_the_call_alone() {
    let mut house = House::build(Digest::Md5);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    let a = caller(&mut house);
    let mut screen = house.screen();
    let card = screen.shows_card(TALKING, &["Tomas", "Transfer"]);
    screen.tap_word(card, "Transfer");
    screen.plate_says(&["Cancel"]);
    screen.keys("21");
    // The first Escape empties the field, the second leaves it.
    screen.key("Escape");
    screen.key("Escape");
    screen.plate_closes();
    screen.shows_card(TALKING, &["Tomas", "Talking"]);
    a.hears(DESK_TONE);
    screen.tap_word(card, "Transfer");
    screen.plate_says(&["Cancel"]);
    screen.keys("solb");
    screen.plate_says(&["Ingrid", "2102"]);
    screen.key("Enter");
    b.expect("CALL_INCOMING", SOON);
    b.accept();
    a.hears(B_TONE);
}

#[test]
fn call_14_call_8_a_call_is_parked_by_the_menu_its_slot_shows_who_waits_and_a_tap_fetches_it() {
    let slots =
        "[[park]]\nnumber = \"2701\"\nname = \"Slot 1\"\n[[park]]\nnumber = \"2702\"\nname = \"Slot 2\"\n";
    let mut house = House::build_with(Digest::Md5, &format!("{NO_TIMERS}{slots}"));
    let mut slot = house.phone("2702", C_TONE, Codec::Pcma);
    let a = caller(&mut house);
    let mut screen = house.screen();
    screen.says(SLOTS, &["Slot", "Free"]);
    menu(&mut screen, TALKING, &["Park"], &[]);
    screen.choose("Park");
    screen.plate_says(&["First", "free", "Slot"]);
    screen.choose("2702");
    slot.expect("CALL_INCOMING", SOON);
    slot.accept();
    a.hears(C_TONE);
    screen.says(SLOTS, &["Tomas"]);
    screen.keep("parked");
    let chip = screen.wait("who is parked", SOON, |picture| screen::word(picture, SLOTS, "Tomas"));
    screen.tap(chip.centre());
    slot.expect("CALL_INCOMING", SOON);
    slot.accept();
    house.desk.hears(C_TONE);
    house.client.wait("the slot fetched", SOON, |view| {
        view.park.iter().all(|slot| slot.parked.is_none())
            && view.outgoing.iter().any(|call| call.state == CallState::Talking)
    });
    screen.shows_card(TALKING, &["Tomas", "Talking"]);
}
