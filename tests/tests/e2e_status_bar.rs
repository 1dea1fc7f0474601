//! The bottom of the screen: what was missed, loudness and mutes, digits, counters. By finger, and heard or
//! received at peers that are none of ours.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use frontdesk_tests::baresip::Codec;
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::picture::{Area, Picture};
use frontdesk_tests::rtp::Party;
use frontdesk_tests::screen::{self, DIRECTORY, RED, RINGING, STATUS, SURFACE, Screen, TALKING};
use frontdesk_tests::sipp::{Run, Sipp};
use frontdesk_tests::sound::{self, A_TONE, B_TONE, DESK_TONE, Recording};
use frontdesk_tests::wait;
use ipc::{CallState, View};

const SOON: Duration = Duration::from_secs(10);
/// Where the bar has its buttons.
const VOICEMAIL: (usize, usize) = (158, 772);
const MISSED: (usize, usize) = (226, 772);
const VOLUME: (usize, usize) = (290, 772);
const MICROPHONE: (usize, usize) = (342, 772);
/// The bar's counters.
const COUNTERS: Area = Area { x: 860, ..STATUS };

/// Drags the slider at this place to its lower end.
#[track_caller]
fn to_nothing(screen: &mut Screen, index: usize) {
    let knobs = screen.wait("the sliders", SOON, |picture| {
        let plate = screen::plate(picture)?;
        <[Area; 3]>::try_from(picture.areas(plate, screen::ACCENT, (14, 14))).ok()
    });
    let (knob, plate) = (knobs[index], screen.wait("the window", SOON, screen::plate));
    let at = (knob.x + knob.width - 8, knob.y + knob.height / 2);
    screen.drag(at, (plate.x + 60, at.1), |_| ());
}

/// Waits until the bar counts so many ringing, on hold, incoming and outgoing.
#[track_caller]
fn counters(screen: &mut Screen, [ringing, held, incoming, outgoing]: [u32; 4]) {
    let wanted = format!("Ringing {ringing} On hold {held} Incoming {incoming} Outgoing {outgoing}");
    screen.wait(&wanted, SOON, |picture| {
        // A zero that stands alone is read as a letter, and not every space is seen.
        let plain = |text: &str| text.replace(char::is_whitespace, "").replace('O', "0");
        (plain(&picture.text(COUNTERS)) == plain(&wanted)).then_some(())
    });
}

#[test]
fn bar_1_a_tap_on_the_missed_calls_lists_them_clears_the_count_and_two_taps_call_back() {
    let mut house = House::build(Digest::Md5);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut screen = house.screen();
    for missed in [1, 2] {
        a.dial("5550100");
        screen.shows_card(RINGING, &["Tomas"]);
        a.hang_up();
        house.client.wait("a missed call", SOON, |view| view.counters.missed == missed);
    }
    screen.says(Area { x: 200, width: 54, ..STATUS }, &["2"]);
    let icon = Area { x: 204, width: 26, ..STATUS };
    let is_red = |picture: &Picture| picture.ink(icon, SURFACE, RED) > 10.0;
    assert!(is_red(&screen.picture()), "missed calls are not marked");
    screen.tap(MISSED);
    screen.says(DIRECTORY, &["Tomas", "Rivera", "Missed", "Sales"]);
    screen.wait("the mark cleared", SOON, |picture| (!is_red(picture)).then_some(()));
    house.client.wait("the count cleared", SOON, |view| view.counters.missed == 0);
    let row = screen.wait("a row", SOON, |picture| screen::word(picture, DIRECTORY, "Rivera"));
    screen.tap_twice(row.centre());
    a.expect("CALL_INCOMING", SOON);
    a.accept();
    screen.shows_card(TALKING, &["Tomas"]);
    house.desk.hears(A_TONE);
}

#[test]
fn bar_1_voice_messages_are_counted_as_the_mailbox_says_and_a_tap_calls_it() {
    let mut house = House::build(Digest::Md5);
    let mut mailbox = house.phone("2199", B_TONE, Codec::Pcma);
    let mut screen = house.screen();
    let run = Run::one(house.free_port(), house.desk.sip);
    Sipp::start(house.folder(), "voicemail_waiting", run).finish(Duration::from_secs(60));
    screen.says(Area { x: 136, width: 54, ..STATUS }, &["3"]);
    screen.tap(VOICEMAIL);
    mailbox.expect("CALL_INCOMING", SOON);
    mailbox.accept();
    house.desk.hears(B_TONE);
    screen.shows_card(TALKING, &["2199"]);
}

#[test]
fn bar_1_available_and_do_not_disturb_are_one_tap_apart() {
    let mut house = House::build(Digest::Md5);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut screen = house.screen();
    screen.tap_word(STATUS, "Available");
    screen.says(STATUS, &["Do", "not", "disturb"]);
    a.dial("5550100");
    let refused = a.expect("CALL_CLOSED", SOON);
    assert!(refused["param"].as_str().unwrap().contains("486"), "refused otherwise: {refused}");
    screen.tap_word(STATUS, "disturb");
    screen.says(STATUS, &["Available"]);
    a.dial("5550100");
    screen.shows_card(RINGING, &["Tomas"]);
}

#[test]
fn bar_2_sliders_and_mutes_are_moved_by_finger_and_heard() {
    let mut house = House::build(Digest::Md5);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut screen = house.screen();
    a.dial("5550100");
    house.answer_next(&mut a);
    house.desk.hears(A_TONE);
    a.hears(DESK_TONE);
    // The microphone has a button of its own.
    screen.tap(MICROPHONE);
    screen.says(STATUS, &["Muted"]);
    sound::wait_silence("the caller", SOON, || a.newest_recording());
    house.desk.hears(A_TONE);
    screen.tap(MICROPHONE);
    a.hears(DESK_TONE);

    screen.tap(VOLUME);
    screen.plate_says(&["Volume", "hear", "say", "Ringing"]);
    screen.keep("volumes");
    to_nothing(&mut screen, 1);
    sound::wait_silence("the caller", SOON, || a.newest_recording());
    to_nothing(&mut screen, 0);
    house.desk.hears_nothing();
    let nothing = |view: &View| view.volumes.input == 0 && view.volumes.output == 0;
    let volumes = house.client.wait("both at nothing", SOON, nothing).volumes;
    assert_eq!(volumes.ring, 80, "the ringer is apart");
    // A tap on the track is as good as dragging: half of the way.
    let plate = screen.wait("the window", SOON, screen::plate);
    for word in ["hear", "say"] {
        let label = screen.wait(word, SOON, |picture| screen::word(picture, plate, word));
        screen.tap((plate.x + plate.width * 3 / 4, label.y + 44));
    }
    house.desk.hears(A_TONE);
    a.hears(DESK_TONE);
}

#[test]
fn bar_2_the_ringer_has_a_device_and_a_loudness_of_its_own() {
    let mut house = House::build(Digest::Md5);
    let rings = house.desk.ring_into_a_file();
    house.client = house.desk.client();
    house.client.wait("Registered", SOON, |view| view.operator.registration == ipc::Registration::Registered);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut screen = house.screen();
    let loudest = || {
        let heard = Recording::read(&rings).map(|heard| heard.tail(Duration::from_secs(6)));
        heard.map_or(0.0, |heard| {
            let block = heard.rate as usize / 50;
            let blocks = heard.samples.chunks(block.max(1));
            let level = |part: &[i16]| Recording { rate: heard.rate, samples: part.to_vec() }.level();
            blocks.map(level).fold(0.0, f64::max)
        })
    };
    a.dial("5550100");
    screen.shows_card(RINGING, &["Tomas"]);
    wait::until("the ringer to be heard", SOON, || (loudest() > 100.0).then_some(()));
    house.desk.hears_nothing();
    screen.tap(VOLUME);
    screen.plate_says(&["Volume"]);
    to_nothing(&mut screen, 2);
    let volumes = house.client.wait("a silent ringer", SOON, |view| view.volumes.ring == 0).volumes;
    assert_eq!((volumes.output, volumes.input), (80, 80), "speech is apart");
    wait::until("the ringer to be silent", Duration::from_secs(20), || (loudest() < 1.0).then_some(()));
    screen.key("Escape");
    screen.plate_closes();
    // It rings still, without a sound, and speech is as loud as ever.
    let button = screen.wait("the Answer button", SOON, screen::answer_button);
    screen.tap(button.centre());
    house.desk.hears(A_TONE);
}

#[test]
fn bar_3_keypad_digits_arrive_as_telephone_events_and_the_counters_count() {
    let mut house = House::build(Digest::Md5);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    let (port, speech) = (house.free_port(), house.free_port());
    let ear = Party::start(speech, A_TONE);
    let run = Run { speech: Some(speech), ..Run::one(port, house.desk.sip) };
    let caller = Sipp::start(house.folder(), "hold_retrieve", run);
    let mut screen = house.screen();
    counters(&mut screen, [1, 0, 1, 0]);
    let button = screen.wait("the Answer button", SOON, screen::answer_button);
    screen.tap(button.centre());
    ear.hears(DESK_TONE);
    counters(&mut screen, [0, 0, 1, 0]);

    screen.tap_word(STATUS, "Keypad");
    screen.plate_says(&["Keypad", "Nadia"]);
    for (key, neighbour) in [("1", None), ("7", Some("PQRS")), ("5", Some("JKL"))] {
        let place = screen.wait("the key", SOON, |picture| {
            let plate = screen::plate(picture)?;
            let keys = picture.areas(plate, SURFACE, (70, 50));
            let has = |area: &&Area| neighbour.is_some_and(|word| picture.text(**area).contains(word));
            if key == "1" { keys.first().copied() } else { keys.iter().find(has).copied() }
        });
        screen.tap(place.centre());
    }
    ear.has_digits("175");
    screen.plate_says(&["175"]);
    // On the keyboard they mean the same while the window is open.
    screen.keys("*0#");
    ear.has_digits("175*0#");
    screen.key("Escape");
    screen.plate_closes();
    ear.hears(DESK_TONE);

    screen.key("F4");
    screen.keys("2102");
    screen.key("Enter");
    b.expect("CALL_INCOMING", SOON);
    counters(&mut screen, [0, 1, 1, 1]);
    b.accept();
    house.desk.hears(B_TONE);
    b.hang_up();
    counters(&mut screen, [0, 1, 1, 0]);
    let held = house.client.wait_call("the caller", SOON, |call| call.state == CallState::Held);
    house.client.command(ipc::Command::Retrieve { call: held.call }).unwrap();
    ear.hears(DESK_TONE);
    house.client.command(ipc::Command::HangUp { call: held.call }).unwrap();
    caller.finish(Duration::from_secs(60));
    counters(&mut screen, [0, 0, 0, 0]);
}
