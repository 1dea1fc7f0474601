//! Tethered mode: the operator speaks over a telephone of the house, here a baresip, that the desk calls and joins
//! to the call in progress. Speech is found in the telephone's own recording.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::time::Duration;

use frontdesk_tests::baresip::{Baresip, Codec};
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::rtp::Party;
use frontdesk_tests::screen::{GREEN, GREY};
use frontdesk_tests::sipp::{Run, Sipp};
use frontdesk_tests::sound::{A_TONE, B_TONE, C_TONE, MUSIC_TONE, wait_silence};
use frontdesk_tests::standin::StandIn;
use frontdesk_tests::wait;
use ipc::{
    AudioState, CallRef, CallState, CallView, Command, EndStatus, Notice, NoticeKind, PhoneFault, TransferEnd,
};

const SOON: Duration = Duration::from_secs(10);
/// A telephone that died is found out by the second sign of life that does not come.
const LOST: Duration = Duration::from_secs(30);
/// The operator's telephone.
const PHONE: &str = "2190";

/// What the desk writes down when speech flows past it.
const JOINED: &str = "the telephone and the call speak with each other";

fn connected(house: &mut House) {
    house.client.wait("the telephone connected", SOON, |view| {
        view.operator.audio == AudioState::Connected { device: PHONE.into() }
    });
}

fn disconnected(house: &mut House) {
    house
        .client
        .wait("the telephone disconnected", SOON, |view| view.operator.audio == AudioState::Disconnected);
}

/// Waits until the desk has joined the telephone to a call `times` times.
#[track_caller]
fn joined(house: &House, times: usize) {
    wait::until(format!("{times} joins in the log"), SOON, || {
        (house.desk.program.log().matches(JOINED).count() >= times).then_some(())
    });
}

/// `phone` calls and is answered.
#[track_caller]
fn answered(house: &mut House, phone: &mut Baresip) -> CallRef {
    phone.dial("5550100");
    house.answer_next(phone)
}

/// Nadia Okafor calls, and is answered: her ear and mouth, her telephone, her call. A baresip plays nothing any more
/// once it was on hold; she hears everything.
#[track_caller]
fn nadia(house: &mut House) -> (Party, Sipp, CallRef) {
    let (port, speech) = (house.free_port(), house.free_port());
    let ear = Party::start(speech, A_TONE);
    let limit = Duration::from_secs(90);
    let run = Run { speech: Some(speech), limit, ..Run::one(port, house.desk.sip) };
    let caller = Sipp::start(house.folder(), "tethered_caller", run);
    let call = house.client.wait_call("Nadia ringing", SOON, |call| call.state == CallState::Ringing).call;
    house.client.command(Command::Answer { call }).unwrap();
    (ear, caller, call)
}

/// A telephone outside the house that answers everything.
#[track_caller]
fn telephone(house: &mut House, number: &str, tone: f64) -> StandIn {
    let (sip, rtp) = (house.free_port(), house.free_port());
    StandIn::start(number, sip, rtp, tone)
}

/// The bytes of everything a telephone has heard.
fn heard(phone: &Baresip) -> u64 {
    phone.newest_recording().and_then(|path| fs::metadata(path).ok()).map_or(0, |file| file.len())
}

#[test]
fn acc_3_a_caller_is_answered_held_and_transferred_after_a_consultation_over_the_operators_telephone() {
    let mut house = House::build(Digest::Md5);
    let mut phone = house.tether(PHONE, C_TONE, Codec::Pcma);
    let a = telephone(&mut house, "44207941", A_TONE);
    let b = telephone(&mut house, "2102", B_TONE);

    a.dial(&format!("sip:5550100@127.0.0.1:{}", house.desk.sip));
    let call = house.client.wait_call("a call", SOON, |call| call.state == CallState::Ringing).call;
    house.client.command(Command::Answer { call }).unwrap();
    phone.expect("CALL_ESTABLISHED", SOON);
    connected(&mut house);
    phone.hears(A_TONE);
    a.ear.hears(C_TONE);
    joined(&house, 1);
    phone.hears(A_TONE);
    a.ear.hears(C_TONE);

    // On hold the caller hears music, and the operator nothing.
    house.client.command(Command::Hold { call }).unwrap();
    house.wait_state(call, CallState::Held);
    a.ear.hears(MUSIC_TONE);
    wait_silence("the operator's telephone", SOON, || phone.newest_recording());

    // The consultation is heard at the same telephone, without the caller.
    house.client.command(Command::Dial { number: b.address.clone(), line: None }).unwrap();
    let talks = |now: &CallView| now.call != call && now.state == CallState::Talking;
    let consulted = house.client.wait_call("the consultation", SOON, talks).call;
    joined(&house, 2);
    phone.hears(B_TONE);
    b.ear.hears(C_TONE);
    a.ear.hears(MUSIC_TONE);

    // Both hear each other, and the operator is out of it.
    house.client.command(Command::AttendedTransfer { call, to: consulted }).unwrap();
    a.ear.hears(B_TONE);
    b.ear.hears(A_TONE);
    house.client.wait("both calls gone", SOON, |view| view.incoming.is_empty() && view.outgoing.is_empty());
    wait_silence("the operator's telephone", SOON, || phone.newest_recording());
    let rows =
        wait::until("the log rows", SOON, || Some(house.client.log(10).rows).filter(|rows| rows.len() == 2));
    let row = rows.iter().find(|row| !row.transfers.is_empty()).unwrap();
    assert_eq!(row.end, EndStatus::Transferred);
    assert_eq!(row.transfers[0].end, TransferEnd::Answered);

    // The telephone is free for the next one, and given back by the headset.
    connected(&mut house);
    house.client.command(Command::Audio { on: false }).unwrap();
    phone.expect("CALL_CLOSED", SOON);
    disconnected(&mut house);
    a.ear.hears(B_TONE);
}

#[test]
fn acc_3_speech_goes_from_the_caller_to_the_telephone_while_the_desk_stands_still() {
    let mut house = House::build(Digest::Md5);
    let mut phone = house.tether(PHONE, C_TONE, Codec::Pcma);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    answered(&mut house, &mut a);
    phone.expect("CALL_ESTABLISHED", SOON);
    joined(&house, 1);
    house.desk.program.freeze(true);
    for ear in [&phone, &a] {
        let before = heard(ear);
        // Two seconds at 8 kHz and 16 bit.
        wait::until("speech while the desk stands still", SOON, || {
            (heard(ear) > before + 32_000).then_some(())
        });
    }
    phone.hears(A_TONE);
    a.hears(C_TONE);
    house.desk.program.freeze(false);
}

#[test]
fn acc_3_a_caller_on_hold_hears_music_and_the_operators_telephone_again_after_it() {
    let mut house = House::build(Digest::Md5);
    let mut phone = house.tether(PHONE, C_TONE, Codec::Pcma);
    let (ear, caller, call) = nadia(&mut house);
    phone.expect("CALL_ESTABLISHED", SOON);
    phone.hears(A_TONE);
    ear.hears(C_TONE);
    joined(&house, 1);
    phone.hears(A_TONE);
    ear.hears(C_TONE);
    house.client.command(Command::Hold { call }).unwrap();
    ear.hears(MUSIC_TONE);
    wait_silence("the operator's telephone", SOON, || phone.newest_recording());
    house.client.command(Command::Retrieve { call }).unwrap();
    house.wait_state(call, CallState::Talking);
    joined(&house, 2);
    phone.hears(A_TONE);
    ear.hears(C_TONE);
    house.client.command(Command::HangUp { call }).unwrap();
    caller.finish(Duration::from_secs(60));
}

#[test]
fn acc_3_whoever_hangs_up_ends_the_call_and_a_new_caller_finds_the_telephone_there() {
    let mut house = House::build(Digest::Md5);
    let mut phone = house.tether(PHONE, C_TONE, Codec::Pcma);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);

    // The caller, and the telephone stays.
    let call = answered(&mut house, &mut a);
    phone.expect("CALL_ESTABLISHED", SOON);
    joined(&house, 1);
    phone.hears(A_TONE);
    a.hang_up();
    house.client.wait_gone(call, SOON);
    connected(&mut house);

    // The operator, on the screen.
    let call = answered(&mut house, &mut b);
    phone.hears(B_TONE);
    b.hears(C_TONE);
    house.client.command(Command::HangUp { call }).unwrap();
    b.expect("CALL_CLOSED", SOON);
    house.client.wait_gone(call, SOON);
    connected(&mut house);

    // The operator, with the handset.
    let call = answered(&mut house, &mut a);
    joined(&house, 2);
    phone.hears(A_TONE);
    phone.hang_up();
    a.expect("CALL_CLOSED", SOON);
    house.client.wait_gone(call, SOON);
    disconnected(&mut house);

    // And the next call has it called again.
    answered(&mut house, &mut b);
    phone.expect("CALL_ESTABLISHED", SOON);
    phone.hears(B_TONE);
    b.hears(C_TONE);
}

#[test]
fn acc_3_a_telephone_that_dies_leaves_the_caller_on_hold_with_music() {
    let mut house = House::build(Digest::Md5);
    let mut phone = house.tether(PHONE, C_TONE, Codec::Pcma);
    let (ear, caller, call) = nadia(&mut house);
    phone.expect("CALL_ESTABLISHED", SOON);
    joined(&house, 1);
    ear.hears(C_TONE);
    phone.program.kill();
    let fault = NoticeKind::PhoneFailed { phone: PHONE.into(), why: PhoneFault::Lost };
    house.client.wait("word of the telephone", LOST, |view| {
        view.notices.iter().any(|Notice { kind, .. }| *kind == fault)
    });
    house.wait_state(call, CallState::Held);
    ear.hears(MUSIC_TONE);
    house.client.command(Command::HangUp { call }).unwrap();
    caller.finish(Duration::from_secs(60));
}

#[test]
fn acc_3_a_telephone_that_does_not_answer_by_itself_is_told_of_and_the_caller_waits() {
    let mut house = House::build(Digest::Md5);
    let mut phone = house.phone(PHONE, C_TONE, Codec::Pcma);
    house.speak_over(PHONE);
    let (ear, caller, call) = nadia(&mut house);
    phone.expect("CALL_INCOMING", SOON);
    house.client.wait("the telephone being called", SOON, |view| {
        view.operator.audio == AudioState::Connecting { device: PHONE.into() }
    });
    let fault = NoticeKind::PhoneFailed { phone: PHONE.into(), why: PhoneFault::NoAnswer };
    house.client.wait("word of the telephone", LOST, |view| {
        view.notices.iter().any(|Notice { kind, .. }| *kind == fault)
    });
    house.wait_state(call, CallState::Held);
    ear.hears(MUSIC_TONE);
    // Taking the call back calls it again; this time somebody lifts the handset.
    phone.expect("CALL_CLOSED", SOON);
    house.client.command(Command::Retrieve { call }).unwrap();
    phone.expect("CALL_INCOMING", SOON);
    phone.accept();
    phone.expect("CALL_ESTABLISHED", SOON);
    phone.hears(A_TONE);
    ear.hears(C_TONE);
    house.client.wait("no word of it any more", SOON, |view| view.notices.is_empty());
    house.client.command(Command::HangUp { call }).unwrap();
    caller.finish(Duration::from_secs(60));
}

#[test]
fn acc_3_two_ends_without_a_common_codec_speak_through_the_desk() {
    let mut house = House::build(Digest::Md5);
    let mut phone = house.tether(PHONE, C_TONE, Codec::Opus);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let call = answered(&mut house, &mut a);
    phone.expect("CALL_ESTABLISHED", SOON);
    wait::until("the join given up", SOON, || {
        house.desk.program.log().contains("the desk stays between the telephone and the call").then_some(())
    });
    phone.hears(A_TONE);
    a.hears(C_TONE);
    // Muted, the caller hears nothing: what the desk's own microphone has least of all.
    house.client.command(Command::Mute { on: true }).unwrap();
    wait_silence("the caller", SOON, || a.newest_recording());
    house.client.command(Command::Mute { on: false }).unwrap();
    a.hears(C_TONE);
    house.client.command(Command::Hold { call }).unwrap();
    house.wait_state(call, CallState::Held);
    wait_silence("the operator's telephone", SOON, || phone.newest_recording());
}

#[test]
fn acc_3_ops_3_the_headset_connects_and_disconnects_the_telephone_without_any_call() {
    let mut house = House::build(Digest::Md5);
    let mut phone = house.tether(PHONE, C_TONE, Codec::Pcma);
    disconnected(&mut house);
    house.client.command(Command::Audio { on: true }).unwrap();
    phone.expect("CALL_ESTABLISHED", SOON);
    connected(&mut house);
    // The ringing of who is called is heard there.
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    house.client.command(Command::Dial { number: "2102".into(), line: None }).unwrap();
    b.expect("CALL_INCOMING", SOON);
    phone.hears(425.0);
    b.accept();
    phone.hears(B_TONE);
    b.hang_up();
    house.client.wait("no call", SOON, |view| view.outgoing.is_empty());
    house.client.command(Command::Audio { on: false }).unwrap();
    phone.expect("CALL_CLOSED", SOON);
    disconnected(&mut house);
}

#[test]
fn acc_3_ops_3_two_taps_on_the_headset_connect_the_telephone_and_two_more_disconnect_it() {
    let mut house = House::build(Digest::Md5);
    let mut phone = house.tether(PHONE, C_TONE, Codec::Pcma);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut screen = house.screen();
    let headset = screen.pill("Audio", GREY);
    // A sleeve that brushes it does nothing.
    screen.tap(headset);
    screen.tap_twice(headset);
    phone.expect("CALL_ESTABLISHED", SOON);
    let headset = screen.pill("Audio", GREEN);
    connected(&mut house);
    // It is what the operator speaks over.
    let call = answered(&mut house, &mut a);
    phone.hears(A_TONE);
    a.hears(C_TONE);
    house.client.command(Command::HangUp { call }).unwrap();
    a.expect("CALL_CLOSED", SOON);
    house.client.wait_gone(call, SOON);
    screen.pill("Idle", GREY);
    screen.tap_twice(headset);
    phone.expect("CALL_CLOSED", SOON);
    screen.pill("Audio", GREY);
    disconnected(&mut house);
}
