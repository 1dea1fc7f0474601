//! What a call looks like and what a finger does to it: cards in the colour of their state, running times,
//! names found by number, the views and the dividers. Read from the picture as an operator would.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use frontdesk_tests::baresip::Codec;
use frontdesk_tests::desk::NO_TIMERS;
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::picture::{Area, Colour, Picture};
use frontdesk_tests::screen::{
    self, ACCENT, AMBER, CALLS, GREEN, GREY, HELD, RED, RINGING, SURFACE, Screen, TALKING, TEXT, times,
};
use frontdesk_tests::sound::{A_TONE, B_TONE, DESK_TONE};
use frontdesk_tests::wait;

const SOON: Duration = Duration::from_secs(10);

/// A place on a card where no button is.
fn spot(card: Area) -> (usize, usize) {
    (card.x + 120, card.y + 20)
}

/// Whether the icon at the left of a card has this colour.
fn has_icon(picture: &Picture, card: Area, ground: Colour, ink: Colour) -> bool {
    let icon = Area { x: card.x + 8, y: card.y + 10, width: 38, height: 48 };
    picture.ink(icon, ground, ink) > 15.0
}

/// The times on a card of this ground, once `wanted` is pleased with them.
#[track_caller]
fn wait_times(screen: &mut Screen, ground: Colour, what: &str, wanted: impl Fn(&[u32]) -> bool) -> Vec<u32> {
    screen.wait(what, SOON, |picture| {
        let card = screen::card(picture, ground)?;
        Some(times(&picture.text(card))).filter(|times| wanted(times))
    })
}

#[test]
fn call_1_call_3_call_7_a_card_says_who_calls_whom_since_when_in_colour_and_word_and_two_taps_change_it() {
    let mut house = House::build(Digest::Md5);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut screen = house.screen();
    a.dial("5550100");
    let who = ["Tomas", "Rivera", "2101", "Sales", "5550100"];
    let card = screen.shows_card(RINGING, &[&who[..], &["Ringing"]].concat());
    assert!(has_icon(&screen.picture(), card, RINGING, RED), "no red icon");
    let first = wait_times(&mut screen, RINGING, "the time since it began", |times| times.len() == 1);
    wait_times(&mut screen, RINGING, "that time running", |times| times.len() == 1 && times[0] > first[0]);

    screen.tap_twice(spot(card));
    a.expect("CALL_ESTABLISHED", SOON);
    let card = screen.shows_card(TALKING, &[&who[..], &["Talking"]].concat());
    assert!(has_icon(&screen.picture(), card, TALKING, GREEN), "no green icon");
    house.desk.hears(A_TONE);
    a.hears(DESK_TONE);

    screen.tap_twice(spot(card));
    let card = screen.shows_card(HELD, &[&who[..], &["hold"]].concat());
    assert!(has_icon(&screen.picture(), card, HELD, AMBER), "no orange icon");
    house.desk.hears_nothing();
    // Since it began, and beside it on hold.
    wait_times(&mut screen, HELD, "the time on hold running", |times| {
        times.len() == 2 && times[1] >= 1 && times[0] > times[1]
    });

    screen.tap_twice(spot(card));
    screen.shows_card(TALKING, &["Talking"]);
    house.desk.hears(A_TONE);
}

#[test]
fn call_2_call_3_an_outgoing_call_says_whom_by_which_line_and_counts_anew_from_the_answer() {
    let mut house = House::build(Digest::Md5);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    let mut screen = house.screen();
    screen.key("F4");
    screen.keys("2102");
    screen.key("Enter");
    b.expect("CALL_INCOMING", SOON);
    let who = ["Ingrid", "Solberg", "2102", "Sales", "5550100"];
    let card = screen.shows_card(SURFACE, &[&who[..], &["Rings", "there"]].concat());
    assert!(has_icon(&screen.picture(), card, SURFACE, ACCENT), "no icon");
    let rang = wait_times(&mut screen, SURFACE, "the time since it rings", |times| {
        times.len() == 1 && times[0] >= 5
    });
    b.accept();
    screen.shows_card(TALKING, &[&who[..], &["Talking"]].concat());
    let talked = wait_times(&mut screen, TALKING, "the time since the answer", |times| times.len() == 1);
    assert!(talked[0] < rang[0], "it counts on: {talked:?} after {rang:?}");
    house.desk.hears(B_TONE);
    let card = screen::card(&screen.picture(), TALKING).unwrap();
    screen.tap_twice(spot(card));
    let card = screen.shows_card(HELD, &[&who[..], &["hold"]].concat());
    assert!(has_icon(&screen.picture(), card, HELD, AMBER), "no orange icon");
    wait_times(&mut screen, HELD, "the time on hold running", |times| times.len() == 2 && times[1] >= 1);
}

#[test]
fn call_4_the_time_on_hold_turns_red_and_bold_past_the_threshold() {
    let mut house = House::build_with(Digest::Md5, &format!("{NO_TIMERS}[rules]\nhold_alarm_s = 8\n"));
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut screen = house.screen();
    a.dial("5550100");
    let call = house.answer_next(&mut a);
    house.client.command(ipc::Command::Hold { call }).unwrap();
    // The word beside the figures: it stays the same, so that its letters can be weighed.
    let weigh = |picture: &Picture, ink: Colour| {
        let card = screen::card(picture, HELD)?;
        let status = Area { x: card.x + card.width - 130, y: card.y + 34, width: 124, height: 26 };
        let word = screen::word(picture, status, "hold")?.grown(1);
        let held = *times(&picture.text(status)).first()?;
        Some((held, picture.ink(word, HELD, ink))).filter(|(_, ink)| *ink > 15.0)
    };
    let (early, usual) = screen.wait("orange figures", SOON, |picture| weigh(picture, AMBER));
    assert!(early < 8, "orange at {early} s");
    let (late, bold) = screen.wait("red figures", Duration::from_secs(20), |picture| weigh(picture, RED));
    screen.keep("late");
    assert!(late >= 8, "red at {late} s");
    assert!(bold > usual * 1.03, "not bolder: {bold} after {usual}");
}

#[test]
fn call_5_a_number_in_any_form_is_named_from_a_contact_in_another_and_bold_when_it_is_local() {
    let mut house = House::build(Digest::Md5);
    house.desk.import("lastname,firstname,company,phone\nMoreau,Claire,Atelier Moreau,01 45 67 21 10\n");
    let path = house.folder().join("customers.csv");
    std::fs::write(&path, "lastname,firstname,phone\nMorel,Claire,06 12 34 56 78\n").unwrap();
    house.desk.ctl(&["import", &path.display().to_string(), "--directory", "Customers"]);
    let mut local = house.phone("+33145672110", A_TONE, Codec::Pcma);
    let mut outside = house.phone("0033612345678", B_TONE, Codec::Pcma);
    let mut screen = house.screen();
    local.dial("5550100");
    outside.dial("5550101");
    let bold = screen.shows_card(RINGING, &["Claire", "Moreau", "+33145672110"]);
    let usual = screen.shows_card(RINGING, &["Claire", "Morel", "0033612345678"]);
    screen.keep("named");
    let picture = screen.picture();
    let weight = |card: Area| {
        let name = screen::word(&picture, Area { height: 40, ..card }, "Claire").unwrap().grown(1);
        picture.ink(name, RINGING, TEXT)
    };
    let card = bold;
    let (bold, usual) = (weight(bold), weight(usual));
    assert!(bold > usual * 1.08, "not bolder: {bold} beside {usual}");
    // The menu says why the number is hers.
    let menu = screen.long_press(spot(card));
    assert!(menu.contains("national and international form"), "no rule in {menu:?}");
}

/// Where the calls end and the directory begins.
fn side(picture: &Picture) -> Option<Area> {
    let region = Area { x: 300, y: 90, width: 880, height: 650 };
    picture.areas(region, GREY, (3, 40)).into_iter().find(|area| area.width < 8 && area.height < 60)
}

/// What the divider between the two lists is taken hold of by.
fn grip(picture: &Picture) -> Option<Area> {
    let grips = picture.areas(Area { width: 700, ..CALLS }, GREY, (40, 3)).into_iter();
    grips.into_iter().find(|area| area.width < 60 && area.height < 8)
}

#[test]
fn call_6_the_view_and_the_dividers_are_chosen_by_hand_and_keep_their_place_over_a_restart() {
    let mut house = House::build(Digest::Md5);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    a.dial("5550100");
    house.answer_next(&mut a);
    let mut screen = house.screen();
    screen.shows_card(TALKING, &["Tomas"]);
    // The button at the end of the title of the lists.
    screen.tap((412, 105));
    let head = Area { x: 0, y: 124, width: 640, height: 26 };
    screen.says(head, &["Status", "Name", "Number", "Line", "Time", "Hold"]);
    let before = screen.wait("the dividers", SOON, |picture| Some((side(picture)?, grip(picture)?)));
    let (x, y) = before.0.centre();
    screen.drag((x, y), (x + 110, y), |_| ());
    let (x, y) = before.1.centre();
    screen.drag((x, y), (x, y + 90), |_| ());
    let moved = screen.wait("the dividers elsewhere", SOON, |picture| {
        let (side, grip) = (side(picture)?, grip(picture)?);
        let there = side.x.abs_diff(before.0.x + 110) <= 6 && grip.y.abs_diff(before.1.y + 90) <= 6;
        there.then_some((side, grip))
    });
    screen.keep("moved");
    // What a disk has when the power goes; the screen writes it behind the operator's back.
    let kept = screen::state_folder(house.folder()).join("screen.json");
    wait::until("the arrangement on the disk", SOON, || {
        let kept: serde_json::Value = serde_json::from_slice(&std::fs::read(&kept).ok()?).ok()?;
        let all = kept["table"] == true && kept["calls_width"].is_u64() && kept["incoming_share"].is_u64();
        all.then_some(())
    });
    screen.program.kill();
    let mut screen = house.screen();
    screen.says(head, &["Status", "Name", "Number", "Line"]);
    let again = screen.wait("the dividers", SOON, |picture| Some((side(picture)?, grip(picture)?)));
    screen.keep("again");
    assert!(again.0.x.abs_diff(moved.0.x) <= 1, "{again:?} is not {moved:?}");
    assert!(again.1.y.abs_diff(moved.1.y) <= 2, "{again:?} is not {moved:?}");
    // Back to cards, by key.
    screen.key("F1");
    screen.plate_says(&["List", "Table"]);
    screen.choose("List");
    // On a card the line has its number beside it.
    let card = Area { x: 0, y: 120, width: 740, height: 140 };
    screen.says(card, &["Tomas", "Talking", "Sales", "5550100"]);
}
