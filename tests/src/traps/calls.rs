//! Calls that cross, repeat, fork or are held again.

use ipc::{CallState, Command, EndStatus, NoticeKind};

use crate::sipp::{Run, Sipp};
use crate::socket::calls;
use crate::traps::scene::{RUN, SOON, Scene};

/// A caller who gives up while it rings.
#[track_caller]
pub fn cancelled() {
    assert_eq!(given_up("cancel"), EndStatus::Missed);
}

/// A call that was picked up on another phone.
#[track_caller]
pub fn completed_elsewhere() {
    assert_eq!(given_up("completed_elsewhere"), EndStatus::Elsewhere);
}

/// A caller's side that asks and ends in an early dialog.
#[track_caller]
pub fn early_update_and_bye() {
    assert_eq!(given_up("early_update_bye"), EndStatus::Missed);
}

/// A call that rings and is over before it is answered: how it ended by the log.
#[track_caller]
fn given_up(scenario: &str) -> EndStatus {
    let mut scene = Scene::build();
    let sipp = scene.play(scenario);
    let call = scene.wait_state(CallState::Ringing);
    scene.client.wait_gone(call, SOON);
    sipp.finish(RUN);
    scene.only_row().end
}

/// A CANCEL that comes when the call was answered already.
#[track_caller]
pub fn cancel_crosses_200() {
    let mut scene = Scene::build();
    let sipp = scene.play("cancel_crosses_200");
    let call = scene.answer();
    sipp.finish(RUN);
    scene.client.wait_gone(call, SOON);
    assert_eq!(scene.only_row().end, EndStatus::Completed);
}

/// A called phone that answers when the operator has given up.
#[track_caller]
pub fn crossing_200() {
    let mut scene = Scene::build();
    let sipp = scene.play("200_crosses_cancel");
    scene.command(Command::Dial { number: "2102".into(), line: None });
    let call = scene.wait_state(CallState::Alerting);
    scene.command(Command::HangUp { call });
    sipp.finish(RUN);
    scene.client.wait_gone(call, SOON);
}

/// An INVITE whose caller hears nothing and repeats it.
#[track_caller]
pub fn repeated_invite() {
    let mut scene = Scene::build();
    let run = Run { repeats: false, ..Run::one(scene.exchange, scene.desk.sip) };
    let sipp = Sipp::start(scene.scratch.path(), "retransmitted_invite", run);
    scene.wait_state(CallState::Ringing);
    scene.wait_wire(&sipp, "\nINVITE sip:", 3, SOON);
    let call = scene.answered();
    sipp.finish(RUN);
    let view = scene.client.wait_gone(call, SOON);
    assert_eq!(calls(&view).count(), 0);
    assert_eq!(scene.only_row().end, EndStatus::Completed);
}

/// Two phones that both answer.
#[track_caller]
pub fn forked() {
    let mut scene = Scene::build();
    let sipp = scene.play("forked_2xx");
    scene.command(Command::Dial { number: "2102".into(), line: None });
    let call = scene.wait_state(CallState::Talking);
    scene.wait_wire(&sipp, "\nBYE sip:", 1, SOON);
    assert_eq!(scene.wait_state(CallState::Talking), call);
    scene.command(Command::HangUp { call });
    sipp.finish(RUN);
    scene.client.wait_gone(call, SOON);
}

/// A hold that meets a request of the other side.
#[track_caller]
pub fn hold_491() {
    let mut scene = Scene::build();
    let sipp = scene.play("hold_491");
    let call = scene.answered();
    scene.command(Command::Hold { call });
    assert_eq!(scene.wait_state(CallState::Held), call);
    scene.wait_wire(&sipp, "a=recvonly", 1, SOON);
    let view =
        scene.client.wait("the call on hold", SOON, |view| calls(view).any(|c| c.state == CallState::Held));
    assert!(!view.notices.iter().any(|notice| matches!(notice.kind, NoticeKind::HoldFailed { .. })));
    scene.command(Command::HangUp { call });
    sipp.finish(RUN);
}

/// A caller's side that holds again and again, each time in another style.
#[track_caller]
pub fn hold_twice() {
    let mut scene = Scene::build();
    let sipp = scene.play("hold_twice");
    let call = scene.answered();
    scene.wait_wire(&sipp, "CSeq: 6 ACK", 1, SOON);
    assert_eq!(scene.wait_state(CallState::Talking), call);
    scene.command(Command::HangUp { call });
    sipp.finish(RUN);
    assert_eq!(scene.only_row().end, EndStatus::Completed);
}

/// An exchange so slow that hold, retrieve and hold again are asked for before it answers, and that refuses the last.
#[track_caller]
pub fn hold_thrice() {
    let mut scene = Scene::build();
    let sipp = scene.play("hold_thrice");
    let call = scene.answered();
    scene.command(Command::Hold { call });
    scene.command(Command::Retrieve { call });
    scene.command(Command::Hold { call });
    scene.wait_state(CallState::Held);
    let view = scene.client.wait("the refusal", SOON, |view| {
        view.notices.iter().any(|notice| matches!(notice.kind, NoticeKind::HoldFailed { code: 488, .. }))
    });
    assert_eq!(calls(&view).map(|call| call.state).collect::<Vec<_>>(), [CallState::Talking]);
    assert_eq!(view.talk, Some(call));
    scene.command(Command::HangUp { call });
    sipp.finish(RUN);
}
