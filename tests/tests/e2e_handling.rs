//! Automatic handling, lines and service modes against kamailio and baresip: what a rule does is heard
//! and seen at telephones that are none of ours.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use frontdesk_tests::baresip::Codec;
use frontdesk_tests::desk::NO_TIMERS;
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::rtp::Party;
use frontdesk_tests::sipp::{Run, Sipp};
use frontdesk_tests::sound::{A_TONE, B_TONE, DESK_TONE, MESSAGE_TONE, MUSIC_TONE};
use frontdesk_tests::telephone::Telephone;
use frontdesk_tests::wait;
use ipc::{CallState, Command, EndStatus, HookAction, LogRow, ServiceMode};

const SOON: Duration = Duration::from_secs(10);

/// A house with these rules.
#[track_caller]
fn house(rules: &str) -> House {
    House::build_with(Digest::Md5, &format!("{NO_TIMERS}{rules}"))
}

fn rule(name: &str, rest: &str) -> String {
    format!("[[handling]]\nname = \"{name}\"\n{rest}\n")
}

/// The newest row of the log, once there are `count`.
#[track_caller]
fn row(house: &mut House, count: usize) -> LogRow {
    wait::until("the log row", SOON, || {
        let rows = house.client.log(10).rows;
        (rows.len() == count).then(|| rows[0].clone())
    })
}

#[test]
fn ovf_1_an_unanswered_call_is_forwarded_and_the_rule_is_named() {
    let mut house = house(&rule(
        "Nobody answers",
        "when = { unanswered = { seconds = 1 } }\nthen = { forward = { to = \"2102\" } }",
    ));
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    a.dial("5550100");
    b.expect("CALL_INCOMING", SOON);
    b.accept();
    a.hears(B_TONE);
    b.hears(A_TONE);
    let row = row(&mut house, 1);
    assert_eq!(
        (row.end, row.rules.as_slice()),
        (EndStatus::Forwarded, ["Nobody answers".to_owned()].as_slice())
    );
    assert_eq!(row.transfers[0].to.number.as_deref(), Some("2102"));
    assert!(house.client.wait("an empty desk", SOON, |view| view.incoming.is_empty()).counters.missed == 0);
}

#[test]
fn ovf_1_an_unanswered_call_is_answered_and_held_with_message_and_music_until_the_operator_takes_it() {
    let mut house =
        house(&rule("Please wait", "when = { unanswered = { seconds = 1 } }\nthen = \"answer_and_hold\""));
    let (port, speech) = (house.free_port(), house.free_port());
    let ear = Party::start(speech, A_TONE);
    let run = Run { speech: Some(speech), ..Run::one(port, house.desk.sip) };
    let caller = Sipp::start(house.folder(), "hold_retrieve", run);
    let held = house.client.wait_call("the call on hold", SOON, |call| call.state == CallState::Held);
    assert_eq!(held.rule.as_deref(), Some("Please wait"));
    ear.hears(MESSAGE_TONE);
    ear.hears(MUSIC_TONE);
    house.desk.hears_nothing();
    house.client.command(Command::Hook { action: HookAction::Next }).unwrap();
    house.wait_state(held.call, CallState::Talking);
    ear.hears(DESK_TONE);
    house.desk.hears(A_TONE);
    house.client.command(Command::HangUp { call: held.call }).unwrap();
    caller.finish(Duration::from_secs(60));
    assert_eq!(row(&mut house, 1).rules, ["Please wait"]);
}

#[test]
fn ovf_1_an_unanswered_call_goes_to_voicemail() {
    let mut house = house(&rule(
        "Mailbox",
        "when = { unanswered = { seconds = 1 } }\nthen = { voicemail = { to = \"2199\" } }",
    ));
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut mailbox = house.phone("2199", B_TONE, Codec::Pcma);
    a.dial("5550100");
    mailbox.expect("CALL_INCOMING", SOON);
    mailbox.accept();
    a.hears(B_TONE);
    assert_eq!(row(&mut house, 1).end, EndStatus::Voicemail);
}

#[test]
fn ovf_2_one_call_too_many_goes_to_another_number() {
    let mut house =
        house(&rule("Full", "when = { too_many = { calls = 1 } }\nthen = { forward = { to = \"2103\" } }"));
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    let mut other = house.phone("2103", DESK_TONE, Codec::Pcma);
    a.dial("5550100");
    house.answer_next(&mut a);
    b.dial("5550100");
    other.expect("CALL_INCOMING", SOON);
    other.accept();
    b.hears(DESK_TONE);
    let row = row(&mut house, 1);
    assert_eq!((row.end, row.rules[0].as_str()), (EndStatus::Forwarded, "Full"));
    house.desk.hears(A_TONE);
}

#[test]
fn ovf_3_anonymous_calls_are_rejected_and_external_ones_forwarded_each_by_its_own_rule() {
    let rules = rule("No secrets", "when = \"arrives\"\nwho = \"anonymous\"\nthen = \"reject\"")
        + &rule("Outside", "when = \"arrives\"\nwho = \"external\"\nthen = { forward = { to = \"2102\" } }");
    let mut house = house(&rules);
    for (scenario, count, end, name) in [
        ("anonymous_rejected", 1, EndStatus::Rejected, "No secrets"),
        ("external_forwarded", 2, EndStatus::Forwarded, "Outside"),
    ] {
        let run = Run::one(house.free_port(), house.desk.sip);
        Sipp::start(house.folder(), scenario, run).finish(Duration::from_secs(60));
        let row = row(&mut house, count);
        assert_eq!((row.end, row.rules[0].as_str()), (end, name));
    }
    // An extension of the house is neither.
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    a.dial("5550100");
    house.answer_next(&mut a);
    a.hears(DESK_TONE);
}

#[test]
fn ovf_4_do_not_disturb_diverts_new_calls_where_a_rule_says_so_and_keeps_the_one_in_progress() {
    let mut house =
        house(&rule("Not now", "when = \"do_not_disturb\"\nthen = { forward = { to = \"2103\" } }"));
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    let mut other = house.phone("2103", DESK_TONE, Codec::Pcma);
    a.dial("5550100");
    house.answer_next(&mut a);
    house.desk.ctl(&["dnd", "on"]);
    b.dial("5550100");
    other.expect("CALL_INCOMING", SOON);
    other.accept();
    b.hears(DESK_TONE);
    house.desk.hears(A_TONE);
    assert_eq!(row(&mut house, 1).rules, ["Not now"]);
}

#[test]
fn ovf_1_night_service_by_one_key_forwards_survives_a_restart_and_ends_by_the_same_key() {
    let mut house = house(&rule(
        "Night service",
        "when = \"arrives\"\nmodes = [\"night\"]\nthen = { forward = { to = \"2102\" } }",
    ));
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    house.client.command(Command::Hook { action: HookAction::Night }).unwrap();
    let view = house.client.wait("night", SOON, |view| view.service.mode == ServiceMode::Night);
    assert!(view.service.by_hand);
    a.dial("5550100");
    b.expect("CALL_INCOMING", SOON);
    b.hang_up();
    assert_eq!(row(&mut house, 1).rules, ["Night service"]);
    a.expect("CALL_CLOSED", SOON);
    assert!(house.desk.program.terminate(SOON).success());
    house.desk.start_again();
    house.client = house.desk.client();
    house.client.wait("night after the restart", SOON, |view| view.service.mode == ServiceMode::Night);
    house.client.command(Command::Hook { action: HookAction::Night }).unwrap();
    house.client.wait("day", SOON, |view| view.service.mode == ServiceMode::Day && !view.service.by_hand);
    house.client.wait("Registered", SOON, |view| view.operator.registration == ipc::Registration::Registered);
    a.dial("5550100");
    house.answer_next(&mut a);
}

#[test]
fn ten_1_ten_2_the_line_called_is_named_and_its_directory_and_greeting_come_to_the_front() {
    let more = "[[lines]]\nnumber = \"5550102\"\nname = \"Contoso\"\nnote = \"Contoso, good morning\"\ncolour = 2\n\
                [[directories]]\nname = \"Contoso staff\"\nlocal = true\nline = \"5550102\"\nnote = \"Say good morning\"\n";
    let mut house = house(more);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    a.dial("5550102");
    let rings = house.client.wait_call("a call", SOON, |call| call.state == CallState::Ringing);
    assert_eq!((rings.line_number.as_str(), rings.line_name.as_str()), ("5550102", "Contoso"));
    house.answer_next(&mut a);
    let view = house.client.wait("the line's directory", SOON, |view| view.front_directory.is_some());
    let front = view.directories.iter().find(|directory| Some(directory.id) == view.front_directory).unwrap();
    assert_eq!((front.name.as_str(), front.note.as_str()), ("Contoso staff", "Say good morning"));
    let line = view.lines.iter().find(|line| line.number == "5550102").unwrap();
    assert_eq!((line.note.as_str(), line.colour), ("Contoso, good morning", Some(2)));
}

#[test]
fn ovf_1_ten_1_callers_on_hold_hear_the_music_of_the_line_they_called() {
    let mut house = house("");
    let own = house.folder().join("desk/message.wav");
    let name = "name = \"Support\"\n";
    house.desk.change_settings(name, &format!("{name}music = {own:?}\n"));
    house.client = house.desk.client();
    let registered = |view: &ipc::View| view.operator.registration == ipc::Registration::Registered;
    house.client.wait("Registered", SOON, registered);
    // Not baresip, which records nothing of what it hears on hold.
    let mut a = house.pjsua("2101", A_TONE, Codec::Pcma);
    let mut b = house.pjsua("2102", B_TONE, Codec::G722);
    for (phone, line, tone) in [(&mut a, "5550101", MESSAGE_TONE), (&mut b, "5550100", MUSIC_TONE)] {
        phone.dial(line);
        let rings = |call: &ipc::CallView| call.state == CallState::Ringing;
        let call = house.client.wait_call("a ringing call", SOON, rings).call;
        house.client.command(Command::Answer { call }).unwrap();
        phone.talks();
        house.wait_state(call, CallState::Talking);
        phone.hears(DESK_TONE);
        house.client.command(Command::Hold { call }).unwrap();
        house.wait_state(call, CallState::Held);
        phone.hears(tone);
    }
}
