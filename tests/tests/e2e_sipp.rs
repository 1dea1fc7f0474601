//! Races, retransmissions, refusals and load on the wire, played by SIPp (`tests/sipp/*.xml`). The
//! operator's part is done with commands on the desk's socket. What is done is in `frontdesk_tests::traps`, which
//! `make sip-traps` plays as well.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::thread;
use std::time::Duration;

use frontdesk_tests::sipp::{Run, Sipp};
use frontdesk_tests::sound::DESK_TONE;
use frontdesk_tests::traps::{self, RUN, SOON, Scene};
use ipc::{CallState, Command, EndStatus, NoticeKind};

/// After this time no transaction is remembered: 64*T1 and a little.
const FORGOTTEN: Duration = Duration::from_secs(34);
/// What SQLite keeps of a database in memory at most, unless told otherwise (PRAGMA cache_size).
const PAGE_CACHE_KIB: u64 = 2_000;

#[test]
fn acc_2_log_1_a_cancelled_call_is_missed() {
    traps::cancelled();
}

#[test]
fn acc_2_log_1_a_call_completed_elsewhere_is_not_missed() {
    traps::completed_elsewhere();
}

#[test]
fn acc_2_a_cancel_that_crosses_the_200_leaves_the_call_standing() {
    traps::cancel_crosses_200();
}

#[test]
fn acc_2_a_200_that_crosses_our_cancel_is_acknowledged_and_ended() {
    traps::crossing_200();
}

#[test]
fn acc_2_an_invite_that_comes_five_times_is_one_call() {
    traps::repeated_invite();
}

#[test]
fn acc_2_of_two_phones_that_both_answer_the_second_is_released() {
    traps::forked();
}

#[test]
fn call_7_a_hold_answered_491_is_tried_again() {
    traps::hold_491();
}

#[test]
fn call_7_of_hold_retrieve_and_hold_in_a_row_the_last_answer_counts() {
    traps::hold_thrice();
}

#[test]
fn call_9_an_exchange_that_asks_anew_after_the_answer_is_asked_to_transfer_when_the_hold_is_there() {
    traps::pbx_reinvites();
}

#[test]
fn call_7_a_retrieved_caller_hears_the_operator_again_and_is_heard() {
    let mut scene = Scene::build();
    let echo = Some(scene.ports.one());
    let run = Run { echo, ..Run::one(scene.exchange, scene.desk.sip) };
    let sipp = Sipp::start(scene.scratch.path(), "hold_retrieve", run);
    let call = scene.answered();
    scene.desk.hears(DESK_TONE);
    scene.command(Command::Hold { call });
    assert_eq!(scene.wait_state(CallState::Held), call);
    scene.desk.hears_nothing();
    scene.command(Command::Retrieve { call });
    assert_eq!(scene.wait_state(CallState::Talking), call);
    scene.desk.hears(DESK_TONE);
    scene.command(Command::HangUp { call });
    sipp.finish(RUN);
    assert_eq!(scene.only_row().end, EndStatus::Completed);
}

#[test]
fn acc_6_digits_go_in_info_to_whoever_takes_no_telephone_events() {
    let mut scene = Scene::build();
    let run = Run::one(scene.exchange, scene.desk.sip);
    let sipp = Sipp::start(scene.scratch.path(), "digits_in_info", run);
    let call = scene.answered();
    scene.command(Command::Digits { call, digits: "4#".into() });
    scene.command(Command::Digits { call, digits: "70".into() });
    scene.client.wait("the refused digits", SOON, |view| {
        let refused = |kind: &NoticeKind| {
            matches!(kind, NoticeKind::DigitsFailed { party, code: 415 } if party.number.is_some())
        };
        view.notices.iter().any(|notice| refused(&notice.kind))
    });
    assert_eq!(scene.wait_state(CallState::Talking), call);
    scene.command(Command::HangUp { call });
    sipp.finish(RUN);
}

#[test]
fn call_5_acc_2_whoever_the_exchange_transfers_the_other_end_to_is_on_the_card() {
    traps::becomes_another();
}

#[test]
fn call_13_a_refused_refer_brings_the_call_back() {
    traps::refused_refer();
}

#[test]
fn call_13_a_busy_transfer_target_brings_the_call_back() {
    traps::busy_target();
}

#[test]
fn call_13_a_caller_whom_the_exchange_has_let_go_is_told_as_lost_and_does_not_ring() {
    traps::let_go();
}

#[test]
fn acc_2_log_1_300_calls_at_20_a_second_are_all_answered_and_memory_stays_level() {
    let mut scene = Scene::build();
    let run = Run {
        calls: 300,
        rate: 20,
        limit: Duration::from_secs(90),
        ..Run::one(scene.exchange, scene.desk.sip)
    };
    // SIP remembers what it answered for 32 s (RFC 3261, 64*T1). Level is: after that time a second,
    // equal load needs no more than the first did, but for SQLite's cache of pages that may still be filling.
    let mut memory = [0; 2];
    for (round, ended) in [300, 600].into_iter().enumerate() {
        if round > 0 {
            thread::sleep(FORGOTTEN);
        }
        let sipp = Sipp::start(scene.scratch.path(), "load", run);
        scene.serve(ended, Duration::from_secs(90));
        sipp.finish(RUN);
        memory[round] = scene.desk.program.resident_kib();
    }
    let [first, second] = memory;
    assert!(second <= first + PAGE_CACHE_KIB, "memory grew from {first} KiB to {second} KiB over 300 calls");

    let page = scene.client.log(500);
    assert_eq!(page.total, 600);
    assert!(page.rows.iter().all(|row| row.end == EndStatus::Completed), "a call was lost");
}
