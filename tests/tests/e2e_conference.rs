//! The conference, the hook and the loudness, heard by frequency at telephones that are none of ours.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use frontdesk_tests::baresip::Codec;
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::rtp::Party;
use frontdesk_tests::sipp::{Run, Sipp};
use frontdesk_tests::sound::{A_TONE, B_TONE, C_TONE, DESK_TONE};
use ipc::{CallState, Command, CommandError, HookAction, Volumes};

const SOON: Duration = Duration::from_secs(10);

#[test]
fn conf_1_three_parties_and_the_operator_hear_each_other_and_not_themselves() {
    let mut house = House::build(Digest::Md5);
    let mut b = house.phone("2102", B_TONE, Codec::Pcmu);
    let mut c = house.phone("2103", C_TONE, Codec::Opus);
    let (port, speech) = (house.free_port(), house.free_port());
    let a = Party::start(speech, A_TONE);
    let run = Run { speech: Some(speech), ..Run::one(port, house.desk.sip) };
    let caller = Sipp::start(house.folder(), "hold_retrieve", run);
    let first = house.client.wait_call("a call", SOON, |call| call.state == CallState::Ringing).call;
    house.client.command(Command::Answer { call: first }).unwrap();
    house.wait_state(first, CallState::Talking);
    let second = house.call_to(&mut b);
    house.wait_state(first, CallState::Held);
    house.client.command(Command::Conference { call: first }).unwrap();
    house.wait_state(first, CallState::Conference);
    house.wait_state(second, CallState::Conference);
    let third = house.call_to(&mut c);
    // Without the operator they talk among themselves.
    let view = house.client.wait("the operator away", SOON, |view| {
        view.conference.as_ref().is_some_and(|conference| !conference.joined)
    });
    assert_eq!(view.talk, Some(third));
    a.hears_mix(&[B_TONE]);
    c.hears_mix(&[DESK_TONE]);
    house.client.command(Command::Conference { call: third }).unwrap();
    house.client.wait("all in it", SOON, |view| {
        view.conference.as_ref().is_some_and(|conference| conference.members.len() == 3 && conference.joined)
    });
    house.desk.hears_mix(&[A_TONE, B_TONE, C_TONE]);
    a.hears_mix(&[DESK_TONE, B_TONE, C_TONE]);
    b.hears_mix(&[DESK_TONE, A_TONE, C_TONE]);
    c.hears_mix(&[DESK_TONE, A_TONE, B_TONE]);
    // "[Talking]" beside who speaks.
    house.client.wait("the marks", SOON, |view| {
        view.conference.as_ref().unwrap().members.iter().all(|member| member.speaking)
    });
    house.client.command(Command::MuteMember { call: second, on: true }).unwrap();
    house.desk.hears_mix(&[A_TONE, C_TONE]);
    b.hears_mix(&[DESK_TONE, A_TONE, C_TONE]);
    house.client.command(Command::MuteMember { call: second, on: false }).unwrap();
    // Removed by "On hold".
    house.client.command(Command::Hold { call: third }).unwrap();
    house.wait_state(third, CallState::Held);
    a.hears_mix(&[DESK_TONE, B_TONE]);
    // One hangs up: the other keeps the operator.
    b.hang_up();
    house.client.wait_gone(second, SOON);
    a.hears_mix(&[DESK_TONE]);
    house.desk.hears_mix(&[A_TONE]);
    house.client.command(Command::HangUp { call: first }).unwrap();
    caller.finish(Duration::from_secs(60));
}

#[test]
fn conf_1_answering_another_call_leaves_the_conference_running_and_joining_again_brings_the_operator_back() {
    let mut house = House::build(Digest::Md5);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    let mut c = house.phone("2103", C_TONE, Codec::Pcma);
    a.dial("5550100");
    let first = house.answer_next(&mut a);
    let second = house.call_to(&mut b);
    house.client.command(Command::Conference { call: first }).unwrap();
    house.wait_state(second, CallState::Conference);
    c.dial("5550101");
    let third = house.answer_next(&mut c);
    house.desk.hears_mix(&[C_TONE]);
    b.hears_mix(&[A_TONE]);
    house.client.command(Command::Conference { call: second }).unwrap();
    house.wait_state(third, CallState::Held);
    house.desk.hears_mix(&[A_TONE, B_TONE]);
}

#[test]
fn hw_1_hook_and_headset_button_answer_hang_up_and_take_the_next_call() {
    let mut house = House::build(Digest::Md5);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    let hook = |action| Command::Hook { action };
    assert_eq!(house.client.command(hook(HookAction::OnHook)), Err(CommandError::NothingToDo));
    a.dial("5550100");
    let first = house.client.wait_call("a call", SOON, |call| call.state == CallState::Ringing).call;
    house.client.command(hook(HookAction::OffHook)).unwrap();
    house.wait_state(first, CallState::Talking);
    house.desk.hears(A_TONE);
    b.dial("5550100");
    let second = house.client.wait_call("a second call", SOON, |call| call.state == CallState::Ringing).call;
    // Held for two seconds: hold, and take the next.
    house.client.command(hook(HookAction::ButtonHeld)).unwrap();
    house.wait_state(first, CallState::Held);
    house.wait_state(second, CallState::Talking);
    house.desk.hears(B_TONE);
    house.client.command(hook(HookAction::OnHook)).unwrap();
    b.expect("CALL_CLOSED", SOON);
    house.client.command(hook(HookAction::ButtonHeld)).unwrap();
    house.wait_state(first, CallState::Talking);
    house.desk.hears(A_TONE);
    house.client.command(hook(HookAction::Button)).unwrap();
    a.expect("CALL_CLOSED", SOON);
    house.client.wait_gone(first, SOON);
}

#[test]
fn bar_2_loudness_and_mutes_are_heard_and_kept() {
    let mut house = House::build(Digest::Md5);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    a.dial("5550100");
    house.answer_next(&mut a);
    house.desk.hears(A_TONE);
    a.hears(DESK_TONE);
    house.desk.ctl(&["volume", "--output-muted", "on", "--ring", "35"]);
    house.desk.hears_nothing();
    house.desk.ctl(&["volume", "--output-muted", "off"]);
    house.desk.hears(A_TONE);
    house.desk.ctl(&["volume", "--input", "0"]);
    house.client.wait("the view to say it", SOON, |view| view.volumes.input == 0);
    frontdesk_tests::sound::wait_silence("the caller", SOON, || a.newest_recording());
    house.desk.ctl(&["volume", "--input", "60"]);
    a.hears(DESK_TONE);
    assert!(house.desk.program.terminate(SOON).success());
    house.desk.start_again();
    let kept = house.desk.client().wait("the desk", SOON, |_| true).volumes;
    assert_eq!(kept, Volumes { input: 60, ring: 35, ..Volumes::default() });
}
