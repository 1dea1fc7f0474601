//! The top of the screen: whom the operator talks to, and the states beside the clock, which two taps change.
//! Read from the picture, heard at telephones that are none of ours.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use frontdesk_tests::baresip::Codec;
use frontdesk_tests::desk::{Account, Desk, NO_TIMERS};
use frontdesk_tests::house::{self, House};
use frontdesk_tests::kamailio::{Digest, Kamailio};
use frontdesk_tests::picture::{Area, Colour};
use frontdesk_tests::ports::Ports;
use frontdesk_tests::rtp::Party;
use frontdesk_tests::screen::{
    self, AMBER, DIRECTORY, GREEN, GREY, RED, STATES, STROKES, Screen, TALKING, WHO, times,
};
use frontdesk_tests::sipp::{Run, Sipp};
use frontdesk_tests::sound::{self, A_TONE, B_TONE, C_TONE, DESK_TONE, MUSIC_TONE};
use ipc::Command;

const SOON: Duration = Duration::from_secs(10);

#[test]
fn ops_1_the_header_says_who_is_talked_to_with_title_number_and_a_running_time() {
    let mut house = House::build(Digest::Md5);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut screen = house.screen();
    screen.says(WHO, &["Nobody", "line"]);
    a.dial("5550100");
    house.answer_next(&mut a);
    let words = screen.says(WHO, &["Tomas", "Rivera", "Head", "sales", "2101"]);
    let first = *times(&words).first().unwrap_or(&0);
    screen.wait("the talking time running", SOON, |picture| {
        let now = times(&picture.text(WHO));
        (now.first().is_some_and(|now| *now > first)).then_some(())
    });
    a.hang_up();
    screen.says(WHO, &["Nobody", "line"]);
}

/// A PNG of one colour.
fn plain(side: u32, colour: Colour) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side, side);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&colour.repeat((side * side) as usize)).unwrap();
    writer.finish().unwrap();
    bytes
}

#[test]
fn call_2_ops_1_dir_2_the_picture_of_the_directory_is_in_the_header_on_the_outgoing_card_and_on_the_tile() {
    const FACE: Colour = [0xc8, 0x10, 0xd2];
    let mut house = House::build(Digest::Md5);
    // Larger than what is kept, so that it is scaled on its way.
    let whole = plain(600, FACE);
    let row =
        |name: &str, number: &str, picture: &[u8]| format!("{name},{number},{}\n", STANDARD.encode(picture));
    let file = [row("Laurent", "2103", &whole), row("Cut", "2104", &whole[..whole.len() / 2])].concat();
    let report = house.desk.import(&format!("lastname,phone,picture\n{file}"));
    assert!(format!("{report:?}").contains("PictureBroken"), "{report:?}");
    let mut callee = house.phone("2103", A_TONE, Codec::Pcma);
    let mut screen = house.screen();
    let disc = |screen: &mut Screen, what: &str, region: Area, across: usize| {
        screen.wait(what, SOON, |picture| {
            let found = picture.areas(region, FACE, (across - 4, across - 4));
            found.into_iter().find(|area| area.width <= across && area.height <= across)
        })
    };
    disc(&mut screen, "the picture on the tile", DIRECTORY, 46);
    let call = house.call_to(&mut callee);
    screen.says(WHO, &["Laurent"]);
    disc(&mut screen, "the picture in the header", WHO, 56);
    let card = screen.shows_card(TALKING, &["Laurent", "Talking"]);
    let face = disc(&mut screen, "the picture on the card", card, 40);
    // What the call does is still said by an icon, on the rim of the picture.
    let rim = Area { x: face.x + 18, y: face.y + 18, width: 26, height: 26 };
    assert!(screen.picture().ink(rim, TALKING, GREEN) > STROKES, "no green icon at the picture");
    house.client.command(Command::HangUp { call }).unwrap();
    screen.says(WHO, &["Nobody", "line"]);
    assert_eq!(screen.picture().areas(WHO, FACE, (4, 4)), []);
}

#[test]
fn ops_1_whom_no_directory_knows_has_an_icon_number_and_the_name_that_came_with_the_call() {
    let mut house = House::build(Digest::Md5);
    let (port, speech) = (house.free_port(), house.free_port());
    let ear = Party::start(speech, A_TONE);
    let run = Run { speech: Some(speech), ..Run::one(port, house.desk.sip) };
    let _caller = Sipp::start(house.folder(), "hold_retrieve", run);
    let mut screen = house.screen();
    let button = screen.wait("the Answer button", SOON, screen::answer_button);
    screen.tap(button.centre());
    ear.hears(DESK_TONE);
    screen.says(WHO, &["Nadia", "Okafor", "44207941"]);
}

#[test]
fn ops_1_ops_3_conf_1_in_a_conference_the_header_has_three_parties_and_counts_the_rest() {
    let mut house = House::build(Digest::Md5);
    let mut phones = Vec::new();
    for (number, tone) in [("2101", A_TONE), ("2102", B_TONE), ("2111", C_TONE), ("2103", MUSIC_TONE)] {
        phones.push(house.phone(number, tone, Codec::Pcma));
    }
    let mut screen = house.screen();
    let first = house.call_to(&mut phones[0]);
    screen.says(WHO, &["Tomas", "Rivera"]);
    house.call_to(&mut phones[1]);
    // The one on hold and the one who talks: both come in.
    house.client.command(Command::Conference { call: first }).unwrap();
    screen.says(WHO, &["Tomas", "Ingrid"]);
    let third = house.call_to(&mut phones[2]);
    screen.says(WHO, &["Jonas", "Becker", "2111"]);
    house.client.command(Command::Conference { call: third }).unwrap();
    let wide = Area { width: 680, ..WHO };
    let words = screen.says(wide, &["Tomas", "Ingrid", "Jonas"]);
    assert!(!times(&words).is_empty(), "no talking time in {words:?}");
    let fourth = house.call_to(&mut phones[3]);
    house.client.command(Command::Conference { call: fourth }).unwrap();
    screen.says(wide, &["and", "more"]);
    // The handset is off the hook, and two taps on it leave the others talking.
    let handset = screen.pill("call", GREEN);
    screen.tap_twice(handset);
    screen.pill("Idle", GREY);
    screen.says(WHO, &["Nobody", "line"]);
    // Of all telephones only the last was never on hold, which makes them deaf.
    phones[3].hears_mix(&[A_TONE, B_TONE, C_TONE]);
}

#[test]
fn ops_2_two_taps_on_the_link_unregister_and_register_and_its_colour_says_so() {
    let mut house = House::build(Digest::Md5);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut screen = house.screen();
    let link = screen.pill("Registered", GREEN);
    screen.tap_twice(link);
    let link = screen.pill("Line", GREY);
    a.dial("5550100");
    let closed = a.expect("CALL_CLOSED", SOON);
    assert!(closed["param"].as_str().unwrap().contains("404"), "still reachable: {closed}");
    // The exchange is away for a moment, and so is what it knew of others.
    let port = house.exchange.port;
    assert!(house.exchange.program.terminate(SOON).success());
    screen.tap_twice(link);
    screen.pill("Registering", AMBER);
    house.exchange = Kamailio::start(house.folder(), port, Digest::Md5);
    screen.pill("Registered", GREEN);
}

#[test]
fn ops_2_a_line_that_is_refused_has_a_red_link() {
    let scratch = house::scratch();
    let mut ports = Ports::take();
    let exchange = Kamailio::start(scratch.path(), ports.one(), Digest::Md5);
    let account = Account { password: "wrong".into(), ..Account::at(&exchange) };
    let desk = Desk::start_with(scratch.path(), &mut ports, &account, NO_TIMERS);
    let mut screen = Screen::start(scratch.path(), &mut ports, &desk.socket);
    screen.says(STATES, &["Not", "registered"]);
    screen.pill("Not", RED);
}

#[test]
fn ops_3_two_taps_on_the_headset_disconnect_and_connect_the_sound() {
    let mut house = House::build(Digest::Md5);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut screen = house.screen();
    a.dial("5550100");
    house.answer_next(&mut a);
    house.desk.hears(A_TONE);
    let headset = screen.pill("Audio", GREEN);
    screen.tap_twice(headset);
    screen.says(STATES, &["Audio", "off"]);
    let headset = screen.pill("Audio", GREY);
    sound::wait_silence("the caller", SOON, || a.newest_recording());
    screen.tap_twice(headset);
    screen.pill("Audio", GREEN);
    house.desk.hears(A_TONE);
    a.hears(DESK_TONE);
}

#[test]
fn ops_3_two_taps_on_the_handset_answer_and_hang_up_and_it_is_green_when_talking() {
    let mut house = House::build(Digest::Md5);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut screen = house.screen();
    screen.pill("Idle", GREY);
    a.dial("5550100");
    let handset = screen.pill("Ringing", RED);
    screen.tap_twice(handset);
    a.expect("CALL_ESTABLISHED", SOON);
    screen.shows_card(TALKING, &["Tomas"]);
    let handset = screen.pill("call", GREEN);
    house.desk.hears(A_TONE);
    screen.tap_twice(handset);
    a.expect("CALL_CLOSED", SOON);
    screen.pill("Idle", GREY);
}
