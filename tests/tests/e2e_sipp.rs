//! Races, retransmissions, refusals and load on the wire, played by SIPp (`tests/sipp/*.xml`). The
//! operator's part is done with commands on the desk's socket.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use frontdesk_tests::desk::{Account, Desk};
use frontdesk_tests::house;
use frontdesk_tests::ports::Ports;
use frontdesk_tests::registrar::Registrar;
use frontdesk_tests::sipp::{Run, Sipp};
use frontdesk_tests::socket::{Client, calls};
use frontdesk_tests::sound::DESK_TONE;
use frontdesk_tests::wait;
use ipc::{CallRef, CallState, Command, EndStatus, NoticeKind, RecallReason, RecallWhy, Registration, TransferEnd};
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(10);
const RUN: Duration = Duration::from_secs(60);
/// After this time no transaction is remembered: 64*T1 and a little.
const FORGOTTEN: Duration = Duration::from_secs(34);

/// A desk whose exchange is SIPp, on a port where the desk has registered before.
struct Scene {
    desk: Desk,
    client: Client,
    exchange: u16,
    scratch: TempDir,
    ports: Ports,
}

impl Scene {
    fn build() -> Self {
        let scratch = house::scratch();
        let mut ports = Ports::take();
        let exchange = ports.one();
        let registrar = Registrar::listen(exchange);
        let desk = Desk::start(scratch.path(), &mut ports, &Account::at_port(exchange));
        registrar.grant_once();
        let mut client = desk.client();
        client.wait("Registered", SOON, |view| view.operator.registration == Registration::Registered);
        Self { desk, client, exchange, scratch, ports }
    }

    fn play(&self, scenario: &str) -> Sipp {
        Sipp::start(self.scratch.path(), scenario, Run::one(self.exchange, self.desk.sip))
    }

    #[track_caller]
    fn wait_state(&mut self, state: CallState) -> CallRef {
        self.client.wait_call(&format!("a call {state:?}"), SOON, |call| call.state == state).call
    }

    #[track_caller]
    fn answer(&mut self) -> CallRef {
        let call = self.wait_state(CallState::Ringing);
        self.client.command(Command::Answer { call }).unwrap();
        call
    }

    #[track_caller]
    fn answered(&mut self) -> CallRef {
        let call = self.answer();
        assert_eq!(self.wait_state(CallState::Talking), call);
        call
    }

    /// The only row of the log, once it is there.
    #[track_caller]
    fn only_row(&mut self) -> ipc::LogRow {
        let rows =
            wait::until("a log row", SOON, || Some(self.client.log(10).rows).filter(|rows| !rows.is_empty()));
        assert_eq!(rows.len(), 1, "one call, one row: {rows:#?}");
        rows[0].clone()
    }
}

#[test]
fn acc_2_log_1_a_cancelled_call_is_missed() {
    let mut scene = Scene::build();
    let sipp = scene.play("cancel");
    let call = scene.wait_state(CallState::Ringing);
    scene.client.wait_gone(call, SOON);
    sipp.finish(RUN);
    assert_eq!(scene.only_row().end, EndStatus::Missed);
}

#[test]
fn acc_2_a_cancel_that_crosses_the_200_leaves_the_call_standing() {
    let mut scene = Scene::build();
    let sipp = scene.play("cancel_crosses_200");
    let call = scene.answer();
    sipp.finish(RUN);
    scene.client.wait_gone(call, SOON);
    assert_eq!(scene.only_row().end, EndStatus::Completed);
}

#[test]
fn acc_2_a_200_that_crosses_our_cancel_is_acknowledged_and_ended() {
    let mut scene = Scene::build();
    let sipp = scene.play("200_crosses_cancel");
    scene.client.command(Command::Dial { number: "2102".into(), line: None }).unwrap();
    let call = scene.wait_state(CallState::Alerting);
    scene.client.command(Command::HangUp { call }).unwrap();
    sipp.finish(RUN);
    scene.client.wait_gone(call, SOON);
}

#[test]
fn acc_2_an_invite_that_comes_five_times_is_one_call() {
    let mut scene = Scene::build();
    let run = Run { repeats: false, ..Run::one(scene.exchange, scene.desk.sip) };
    let sipp = Sipp::start(scene.scratch.path(), "retransmitted_invite", run);
    scene.wait_state(CallState::Ringing);
    let wire = scene.scratch.path().join("sipp-retransmitted_invite/messages.log");
    wait::until("three INVITEs on the wire", SOON, || {
        let text = fs::read_to_string(&wire).unwrap_or_default();
        (text.matches("\nINVITE sip:").count() >= 3).then_some(())
    });
    let call = scene.answered();
    sipp.finish(RUN);
    let view = scene.client.wait_gone(call, SOON);
    assert_eq!(calls(&view).count(), 0);
    assert_eq!(scene.only_row().end, EndStatus::Completed);
}

#[test]
fn acc_2_of_two_phones_that_both_answer_the_second_is_released() {
    let mut scene = Scene::build();
    let sipp = scene.play("forked_2xx");
    scene.client.command(Command::Dial { number: "2102".into(), line: None }).unwrap();
    let call = scene.wait_state(CallState::Talking);
    let wire = scene.scratch.path().join("sipp-forked_2xx/messages.log");
    wait::until("the second phone's BYE on the wire", SOON, || {
        fs::read_to_string(&wire).unwrap_or_default().contains("\nBYE sip:").then_some(())
    });
    assert_eq!(scene.wait_state(CallState::Talking), call);
    scene.client.command(Command::HangUp { call }).unwrap();
    sipp.finish(RUN);
    scene.client.wait_gone(call, SOON);
}

#[test]
fn call_7_a_hold_answered_491_is_tried_again() {
    let mut scene = Scene::build();
    let sipp = scene.play("hold_491");
    let call = scene.answered();
    scene.client.command(Command::Hold { call }).unwrap();
    assert_eq!(scene.wait_state(CallState::Held), call);
    let wire = scene.scratch.path().join("sipp-hold_491/messages.log");
    wait::until("the second hold on the wire", SOON, || {
        let text = fs::read_to_string(&wire).unwrap_or_default();
        (text.matches("a=recvonly").count() >= 1).then_some(())
    });
    let view =
        scene.client.wait("the call on hold", SOON, |view| calls(view).any(|c| c.state == CallState::Held));
    assert!(!view.notices.iter().any(|notice| matches!(notice.kind, NoticeKind::HoldFailed { .. })));
    scene.client.command(Command::HangUp { call }).unwrap();
    sipp.finish(RUN);
}

#[test]
fn call_7_a_retrieved_caller_hears_the_operator_again_and_is_heard() {
    let mut scene = Scene::build();
    let echo = Some(scene.ports.one());
    let run = Run { echo, ..Run::one(scene.exchange, scene.desk.sip) };
    let sipp = Sipp::start(scene.scratch.path(), "hold_retrieve", run);
    let call = scene.answered();
    scene.desk.hears(DESK_TONE);
    scene.client.command(Command::Hold { call }).unwrap();
    assert_eq!(scene.wait_state(CallState::Held), call);
    scene.desk.hears_nothing();
    scene.client.command(Command::Retrieve { call }).unwrap();
    assert_eq!(scene.wait_state(CallState::Talking), call);
    scene.desk.hears(DESK_TONE);
    scene.client.command(Command::HangUp { call }).unwrap();
    sipp.finish(RUN);
    assert_eq!(scene.only_row().end, EndStatus::Completed);
}

#[track_caller]
fn comes_back(scenario: &str, code: u16) {
    let mut scene = Scene::build();
    let sipp = scene.play(scenario);
    let call = scene.answered();
    scene.client.command(Command::BlindTransfer { call, to: "2102".into() }).unwrap();
    let back = scene.client.wait_call("the recall", SOON, |call| call.state == CallState::Recalling);
    let Some(RecallReason { from, why }) = back.recall else { panic!("a recall without a reason") };
    assert_eq!((from.number.as_deref(), why), (Some("2102"), RecallWhy::Transfer(TransferEnd::Refused { code })));
    scene.client.command(Command::Answer { call }).unwrap();
    assert_eq!(scene.wait_state(CallState::Talking), call);
    let wire = scene.scratch.path().join(format!("sipp-{scenario}/messages.log"));
    wait::until("the retrieve on the wire", SOON, || {
        fs::read_to_string(&wire).unwrap_or_default().contains("caller 53655765 3").then_some(())
    });
    scene.client.command(Command::HangUp { call }).unwrap();
    sipp.finish(RUN);
    scene.client.wait_gone(call, SOON);
    let row = scene.only_row();
    assert_eq!(row.transfers.len(), 1);
    assert_eq!(row.transfers[0].end, TransferEnd::Refused { code });
}

#[test]
fn call_13_a_refused_refer_brings_the_call_back() {
    comes_back("refer_refused", 603);
}

#[test]
fn call_13_a_busy_transfer_target_brings_the_call_back() {
    comes_back("refer_busy", 486);
}

/// Answers every call that rings until `ended` calls are in the log and the desk is empty.
#[track_caller]
fn serve(scene: &mut Scene, ended: u32, limit: Duration) {
    let end = Instant::now() + limit;
    loop {
        let view = scene.client.wait("a ringing call or an empty desk", SOON, |view| {
            view.counters.ringing > 0 || calls(view).count() == 0
        });
        for call in view.incoming.iter().filter(|call| call.state == CallState::Ringing) {
            // The caller may have given up since; then there is nothing to answer.
            let _ = scene.client.command(Command::Answer { call: call.call });
        }
        let idle = calls(&view).count() == 0;
        if idle && scene.client.log(1).total >= ended {
            return;
        }
        assert!(Instant::now() < end, "only {} of {ended} calls ended", scene.client.log(1).total);
        if idle {
            wait::within(Duration::from_millis(50), || None::<()>);
        }
    }
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
    // equal load needs no more than the first did.
    let mut memory = [0; 2];
    for (round, ended) in [300, 600].into_iter().enumerate() {
        if round > 0 {
            thread::sleep(FORGOTTEN);
        }
        let sipp = Sipp::start(scene.scratch.path(), "load", run);
        serve(&mut scene, ended, Duration::from_secs(90));
        sipp.finish(RUN);
        memory[round] = scene.desk.program.resident_kib();
    }
    let [first, second] = memory;
    assert!(second <= first + 1024, "memory grew from {first} KiB to {second} KiB over 300 calls");

    let page = scene.client.log(500);
    assert_eq!(page.total, 600);
    assert!(page.rows.iter().all(|row| row.end == EndStatus::Completed), "a call was lost");
}
