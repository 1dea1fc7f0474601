//! Every way to pass a call on, and every way in which it comes back, against kamailio, baresip and SIPp.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use frontdesk_tests::baresip::{Baresip, Codec};
use frontdesk_tests::desk::NO_TIMERS;
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::rtp::Party;
use frontdesk_tests::sipp::{Run, Sipp};
use frontdesk_tests::socket::calls;
use frontdesk_tests::sound::{A_TONE, B_TONE, C_TONE};
use frontdesk_tests::{traps, wait};
use ipc::{
    CallRef, CallState, Command, CommandError, EndStatus, LampState, LogRow, RecallWhy, Registration,
    TransferEnd, TransferKind, TransferState,
};

const SOON: Duration = Duration::from_secs(10);

/// A desk whose timers are all off but these, given as lines of `[timers]`.
#[track_caller]
fn house(timers: &[(&str, &str)]) -> House {
    let settings = timers.iter().fold(NO_TIMERS.to_owned(), |text, (name, value)| {
        text.replace(&format!("{name} = 0"), &format!("{name} = {value}"))
    });
    House::build_with(Digest::Md5, &settings)
}

/// The log rows, newest first, once there are `count`.
#[track_caller]
fn rows(house: &mut House, count: usize) -> Vec<LogRow> {
    wait::until("the log rows", SOON, || Some(house.client.log(10).rows).filter(|rows| rows.len() == count))
}

#[track_caller]
fn wait_lamp(house: &mut House, number: &str, state: LampState) {
    house.client.wait(&format!("lamp {number} {state:?}"), SOON, |view| {
        view.lamps.iter().any(|lamp| lamp.number == number && lamp.state == state)
    });
}

/// A caller who talks with the operator.
#[track_caller]
fn caller(house: &mut House) -> (Baresip, CallRef) {
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    a.dial("5550100");
    let call = house.answer_next(&mut a);
    (a, call)
}

#[test]
fn call_9_call_13_a_drop_can_be_undone_before_anybody_rings() {
    let mut house = house(&[("undo_ms", "3000")]);
    let (a, call) = caller(&mut house);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    house.client.command(Command::BlindTransfer { call, to: "2102".into() }).unwrap();
    let grace = house.wait_state(call, CallState::Transferring);
    assert!(matches!(grace.transfer.unwrap().state, TransferState::Grace { .. }));
    house.client.command(Command::UndoTransfer { call }).unwrap();
    house.wait_state(call, CallState::Talking);
    house.desk.hears(A_TONE);
    // Without UNDO it leaves by itself.
    house.client.command(Command::BlindTransfer { call, to: "2102".into() }).unwrap();
    b.expect("CALL_INCOMING", SOON);
    b.accept();
    a.hears(B_TONE);
    let ends: Vec<_> = rows(&mut house, 1)[0].transfers.iter().map(|transfer| transfer.end.clone()).collect();
    assert_eq!(ends, [TransferEnd::Undone, TransferEnd::Answered]);
    // The log has how the caller sounded as long as the operator talked with them.
    let sound = wait::until("the sound of the caller", SOON, || house.client.log(10).rows[0].sound);
    assert!(sound.mos_hundredths.is_some_and(|mos| (360..=450).contains(&mos)), "{sound:?}");
}

#[test]
fn call_9_attended_transfer_asks_the_caller_to_replace_the_consultation() {
    traps::taken_over();
}

#[test]
fn call_13_an_attended_transfer_that_is_refused_leaves_both_calls_with_the_operator() {
    traps::attended_refused();
}

#[test]
fn call_9_a_target_that_still_rings_takes_the_caller_semi_attended() {
    let mut house = house(&[]);
    let (a, call) = caller(&mut house);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    house.client.command(Command::Dial { number: "2102".into(), line: None }).unwrap();
    b.expect("CALL_INCOMING", SOON);
    let ringing =
        house.client.wait_call("the consultation", SOON, |call| call.state == CallState::Alerting).call;
    house.client.command(Command::AttendedTransfer { call, to: ringing }).unwrap();
    b.expect("CALL_INCOMING", SOON);
    b.accept();
    a.hears(B_TONE);
    b.hears(A_TONE);
    let rows = rows(&mut house, 2);
    let transferred = rows.iter().find(|row| !row.transfers.is_empty()).unwrap();
    assert_eq!(transferred.transfers[0].kind, TransferKind::SemiAttended);
    assert_eq!(transferred.transfers[0].end, TransferEnd::Answered);
}

#[test]
fn pre_6_a_call_waits_for_a_busy_colleague_and_is_passed_on_when_the_phone_is_free() {
    let mut house = house(&[("queue_delay_ms", "500")]);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    let mut c = house.phone("2103", C_TONE, Codec::Pcma);
    c.dial("2102");
    b.expect("CALL_INCOMING", SOON);
    b.accept();
    wait_lamp(&mut house, "2102", LampState::Busy);
    let (a, call) = caller(&mut house);
    house.client.command(Command::BlindTransfer { call, to: "2102".into() }).unwrap();
    let waits = house.wait_state(call, CallState::Transferring).transfer.unwrap();
    assert!(
        matches!(waits.state, TransferState::Waiting { lamp: LampState::Busy, position: 1, due_ms: None }),
        "{waits:?}"
    );
    // Taken back, and put back to wait.
    house.client.command(Command::Retrieve { call }).unwrap();
    let taken = house.wait_state(call, CallState::Talking);
    assert_eq!(taken.waited_for.unwrap().number.as_deref(), Some("2102"));
    house.desk.hears(A_TONE);
    house.client.command(Command::WaitAgain { call }).unwrap();
    house.wait_state(call, CallState::Transferring);
    c.hang_up();
    b.expect("CALL_CLOSED", SOON);
    b.expect("CALL_INCOMING", SOON);
    b.accept();
    a.hears(B_TONE);
    b.hears(A_TONE);
    let row = &rows(&mut house, 1)[0];
    assert_eq!(row.end, EndStatus::Transferred);
    assert_eq!(row.transfers.last().unwrap().end, TransferEnd::Answered);
}

#[test]
fn pre_6_a_caller_who_gives_up_while_waiting_is_counted_and_one_who_waits_too_long_comes_back() {
    let mut house = house(&[("queue_ms", "2000")]);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    let mut c = house.phone("2103", C_TONE, Codec::Pcma);
    c.dial("2102");
    b.expect("CALL_INCOMING", SOON);
    b.accept();
    wait_lamp(&mut house, "2102", LampState::Busy);
    let (mut a, call) = caller(&mut house);
    house.client.command(Command::BlindTransfer { call, to: "2102".into() }).unwrap();
    let back = house.wait_state(call, CallState::Recalling).recall.unwrap();
    assert_eq!((back.from.number.as_deref(), back.why), (Some("2102"), RecallWhy::Waiting));
    house.client.command(Command::BlindTransfer { call, to: "2102".into() }).unwrap();
    house.wait_state(call, CallState::Transferring);
    a.hang_up();
    house.client.wait_gone(call, SOON);
    let row = &rows(&mut house, 1)[0];
    assert_eq!(row.transfers.last().unwrap().end, TransferEnd::Abandoned);
}

#[test]
fn call_13_a_call_forgotten_on_hold_rings_again_above_the_others() {
    let mut house = house(&[("hold_ms", "2000")]);
    let (_a, call) = caller(&mut house);
    house.client.command(Command::Hold { call }).unwrap();
    house.wait_state(call, CallState::Held);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    b.dial("5550100");
    let back = house.wait_state(call, CallState::Recalling);
    assert_eq!(back.recall.unwrap().why, RecallWhy::Hold);
    let view = house.client.wait("both ringing", SOON, |view| view.counters.ringing == 2);
    assert_eq!(view.incoming[0].call, call);
    house.client.command(Command::Hook { action: ipc::HookAction::AnswerLongest }).unwrap();
    house.wait_state(call, CallState::Talking);
    house.desk.hears(A_TONE);
}

#[test]
fn call_14_a_call_is_parked_its_slot_shows_it_and_dialling_the_slot_fetches_it() {
    let mut house = house_with_slot("[[park]]\nnumber = \"2701\"\nname = \"Slot 1\"\n");
    let mut slot = house.phone("2701", C_TONE, Codec::Pcma);
    wait_lamp(&mut house, "2701", LampState::Available);
    let (a, call) = caller(&mut house);
    house.client.command(Command::Park { call, slot: None }).unwrap();
    slot.expect("CALL_INCOMING", SOON);
    slot.accept();
    a.hears(C_TONE);
    let view = house.client.wait("the slot taken", SOON, |view| {
        view.park[0].parked.is_some() && view.park[0].state == LampState::Busy
    });
    let parked = view.park[0].parked.as_ref().unwrap();
    assert_eq!((parked.who.number.as_deref(), parked.by.as_str()), (Some("2101"), "Front desk"));
    assert_eq!(view.counters.parked, 1);
    let (mut other, second) = (house.phone("2102", B_TONE, Codec::Pcma), "5550100");
    other.dial(second);
    let second = house.answer_next(&mut other);
    assert_eq!(house.client.command(Command::Park { call: second, slot: None }), Err(CommandError::NoSlot));
    house.client.command(Command::Unpark { slot: "2701".into() }).unwrap();
    slot.expect("CALL_INCOMING", SOON);
    slot.accept();
    house.desk.hears(C_TONE);
    house.client.wait("the slot empty", SOON, |view| view.park[0].parked.is_none());
}

#[test]
fn call_14_who_is_parked_is_still_named_after_a_power_cut_and_fetched() {
    let mut house = house_with_slot("[[park]]\nnumber = \"2701\"\nname = \"Slot 1\"\n");
    let mut slot = house.phone("2701", C_TONE, Codec::Pcma);
    wait_lamp(&mut house, "2701", LampState::Available);
    let (a, call) = caller(&mut house);
    house.client.command(Command::Park { call, slot: None }).unwrap();
    slot.expect("CALL_INCOMING", SOON);
    slot.accept();
    a.hears(C_TONE);
    house.client.wait("the slot taken", SOON, |view| view.park[0].parked.is_some());
    let kept = || house.desk.database("SELECT body FROM document WHERE name = 'parked'");
    wait::until("who is parked written down", SOON, || kept().contains("2701").then_some(()));
    house.desk.program.kill();
    house.desk.start_again();
    house.client = house.desk.client();
    let view = house.client.wait("the desk back", SOON, |view| {
        view.lines[0].registration == Registration::Registered && view.park[0].parked.is_some()
    });
    assert_eq!(view.park[0].parked.as_ref().unwrap().who.number.as_deref(), Some("2101"));
    house.client.command(Command::Unpark { slot: "2701".into() }).unwrap();
    slot.expect("CALL_INCOMING", SOON);
    slot.accept();
    house.desk.hears(C_TONE);
    house.client.wait("the slot empty", SOON, |view| view.park[0].parked.is_none());
}

#[test]
fn log_1_a_call_that_is_being_transferred_is_in_the_log_though_the_desk_was_stopped() {
    let mut house = house(&[]);
    let (_a, call) = caller(&mut house);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    house.client.command(Command::BlindTransfer { call, to: "2102".into() }).unwrap();
    b.expect("CALL_INCOMING", SOON);
    assert!(house.desk.program.terminate(SOON).success());
    house.desk.start_again();
    house.client = house.desk.client();
    assert_eq!(rows(&mut house, 1)[0].transfers.len(), 1);
}

#[track_caller]
fn house_with_slot(more: &str) -> House {
    House::build_with(Digest::Md5, &format!("{NO_TIMERS}{more}"))
}

#[test]
fn call_8_a_ringing_call_is_forwarded_without_being_answered() {
    let mut house = house(&[]);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    a.dial("5550100");
    let call = house.client.wait_call("a call", SOON, |call| call.state == CallState::Ringing).call;
    let own = Command::Forward { call, to: "5550101".into() };
    assert_eq!(house.client.command(own), Err(CommandError::OwnNumber { number: "5550101".into() }));
    house.client.command(Command::Forward { call, to: "2102".into() }).unwrap();
    b.expect("CALL_INCOMING", SOON);
    b.accept();
    a.hears(B_TONE);
    let row = &rows(&mut house, 1)[0];
    assert_eq!((row.end, row.transfers[0].kind), (EndStatus::Forwarded, TransferKind::Forward));
    assert_eq!(row.sound, None, "the operator never heard it");
}

#[test]
fn call_8_a_call_is_transferred_to_voicemail() {
    let mut house = house(&[]);
    let (a, call) = caller(&mut house);
    let mut mailbox = house.phone("2199", C_TONE, Codec::Pcma);
    house.client.command(Command::VoicemailTransfer { call, to: "2199".into() }).unwrap();
    mailbox.expect("CALL_INCOMING", SOON);
    mailbox.accept();
    a.hears(C_TONE);
    assert_eq!(rows(&mut house, 1)[0].end, EndStatus::Voicemail);
}

/// The desk as the transferee: whoever talks to the operator has somebody else take its place.
#[test]
fn call_9_a_caller_hands_the_operator_on_to_whom_it_consulted() {
    let mut house = house(&[]);
    let (caller_port, target_port) = (house.free_port(), house.free_port());
    let (first, second) = (house.free_port(), house.free_port());
    let (a, b) = (Party::start(first, A_TONE), Party::start(second, B_TONE));
    let run = Run { speech: Some(second), ..Run::one(target_port, house.desk.sip) };
    let target = Sipp::start(house.folder(), "takes_place", run);
    let run = Run { speech: Some(first), ..Run::one(caller_port, house.desk.sip) };
    let at = format!("127.0.0.1:{target_port}");
    let caller = Sipp::start_as(house.folder(), "hands_on", "hands_on", run, &["-key", "target", &at]);
    let call = house.client.wait_call("a call", SOON, |call| call.state == CallState::Ringing).call;
    house.client.command(Command::Answer { call }).unwrap();
    house.wait_state(call, CallState::Talking);
    house.desk.hears(A_TONE);
    house.client.wait("the other party on the card", SOON, |view| {
        calls(view).any(|shown| shown.call == call && shown.party.number.as_deref() == Some("2102"))
    });
    house.desk.hears(B_TONE);
    caller.finish(Duration::from_secs(60));
    house.wait_state(call, CallState::Talking);
    house.client.command(Command::HangUp { call }).unwrap();
    house.client.wait_gone(call, SOON);
    target.finish(Duration::from_secs(60));
    assert_eq!(rows(&mut house, 1)[0].end, EndStatus::Completed, "one call, one row");
    drop((a, b));
}

#[test]
fn call_9_a_colleague_passes_the_operator_on_and_a_stranger_cannot() {
    let mut house = house(&[]);
    let mut target = house.phone("2102", B_TONE, Codec::Pcma);
    // 2101 is watched, 2103 is nobody's phone.
    for (number, tone, allowed) in [("2103", C_TONE, false), ("2101", A_TONE, true)] {
        let mut phone = house.phone(number, tone, Codec::Pcma);
        phone.dial("5550100");
        let call = house.answer_next(&mut phone);
        house.desk.hears(tone);
        phone.transfer("2102");
        if !allowed {
            // baresip hangs up by itself then.
            phone.expect("TRANSFER_FAILED", SOON);
            house.client.wait_gone(call, SOON);
            continue;
        }
        target.expect("CALL_INCOMING", SOON);
        target.accept();
        phone.expect("CALL_CLOSED", SOON);
        house.desk.hears(B_TONE);
        house.wait_state(call, CallState::Talking);
        house.client.command(Command::HangUp { call }).unwrap();
        house.client.wait_gone(call, SOON);
    }
}
