//! Transfers that are refused, wait, or end only by half.

use ipc::{
    CallRef, CallState, Command, EndStatus, Notice, NoticeKind, RecallReason, RecallWhy, TransferEnd,
    TransferKind,
};

use crate::house::House;
use crate::kamailio::Digest;
use crate::rtp::Party;
use crate::sipp::{Run, Sipp};
use crate::socket::calls;
use crate::sound::{A_TONE, MUSIC_TONE};
use crate::traps::scene::{RUN, SOON, Scene};
use crate::wait;

/// An exchange that asks anew after the answer and refuses the first hold.
#[track_caller]
pub fn pbx_reinvites() {
    let mut scene = Scene::build();
    let sipp = scene.play("pbx_reinvites");
    let call = scene.answered();
    scene.wait_wire(&sipp, "CSeq: 2 ACK", 1, SOON);
    scene.command(Command::BlindTransfer { call, to: "2102".into() });
    sipp.finish(RUN);
    scene.client.wait_gone(call, SOON);
    assert_eq!(scene.only_row().end, EndStatus::Transferred);
}

/// A success whose NOTIFY is overtaken by the telephone's next request.
#[track_caller]
pub fn overtaken() {
    let mut scene = Scene::build();
    let sipp = scene.play("notify_overtaken");
    let call = scene.answered();
    scene.command(Command::BlindTransfer { call, to: "2102".into() });
    sipp.finish(RUN);
    scene.client.wait_gone(call, SOON);
    let row = scene.only_row();
    assert_eq!((row.end, &row.transfers[0].end), (EndStatus::Transferred, &TransferEnd::Answered));
}

/// A REFER that the caller's side refuses.
#[track_caller]
pub fn refused_refer() {
    comes_back("refer_refused", 603);
}

/// A transfer whose target is busy.
#[track_caller]
pub fn busy_target() {
    comes_back("refer_busy", 486);
}

/// An exchange that has the caller no longer when the transfer fails: nobody rings as if they were there, and the
/// operator is told whom to call back.
#[track_caller]
pub fn let_go() {
    let mut scene = Scene::build();
    let sipp = scene.play("refer_let_go");
    let call = scene.answered();
    scene.command(Command::BlindTransfer { call, to: "2102".into() });
    let lost = |notice: &Notice| matches!(notice.kind, NoticeKind::TransferLost { code: 503, .. });
    while !scene.client.next_view(SOON).expect("word of the lost caller").notices.iter().any(lost) {
        let view = scene.client.wait("a view", SOON, |_| true);
        assert!(calls(&view).all(|call| call.state != CallState::Recalling), "nobody is there to ring");
    }
    sipp.finish(RUN);
    scene.client.wait_gone(call, SOON);
    let row = scene.only_row();
    assert_eq!((row.end, row.transfers.len()), (EndStatus::Failed, 1));
    assert_eq!(row.transfers[0].end, TransferEnd::Refused { code: 503 });
}

#[track_caller]
fn comes_back(scenario: &str, code: u16) {
    let mut scene = Scene::build();
    let sipp = scene.play(scenario);
    let call = scene.answered();
    scene.command(Command::BlindTransfer { call, to: "2102".into() });
    let back = scene.client.wait_call("the recall", SOON, |call| call.state == CallState::Recalling);
    let Some(RecallReason { from, why }) = back.recall else { panic!("a recall without a reason") };
    assert_eq!(
        (from.number.as_deref(), why),
        (Some("2102"), RecallWhy::Transfer(TransferEnd::Refused { code }))
    );
    scene.command(Command::Answer { call });
    assert_eq!(scene.wait_state(CallState::Talking), call);
    // The retrieve.
    scene.wait_wire(&sipp, "caller 53655765 3", 1, SOON);
    scene.command(Command::HangUp { call });
    sipp.finish(RUN);
    scene.client.wait_gone(call, SOON);
    let row = scene.only_row();
    assert_eq!(row.transfers.len(), 1);
    assert_eq!(row.transfers[0].end, TransferEnd::Refused { code });
}

/// A caller who replaces the consultation.
#[track_caller]
pub fn taken_over() {
    attended("attended_caller", "consulted", was_taken_over);
}

/// Likewise, and the exchange ends the leg to the consulted one by itself.
#[track_caller]
pub fn one_leg_ended() {
    attended("attended_caller", "consulted_replaced", was_taken_over);
}

/// A caller whose side says that the target declined.
#[track_caller]
pub fn attended_refused() {
    attended("attended_refused", "consulted", |house, caller, consulted| {
        let back = house.wait_state(caller, CallState::Recalling);
        let why = back.recall.map(|recall| recall.why);
        assert_eq!(why, Some(RecallWhy::Transfer(TransferEnd::Refused { code: 603 })));
        house.wait_state(consulted, CallState::Held);
        for call in [caller, consulted] {
            house.client.command(Command::HangUp { call }).expect("a call that stands can be ended");
            house.client.wait_gone(call, SOON);
        }
    });
}

#[track_caller]
fn was_taken_over(house: &mut House, caller: CallRef, consulted: CallRef) {
    house.client.wait_gone(caller, SOON);
    house.client.wait_gone(consulted, SOON);
    let rows =
        wait::until("both log rows", SOON, || Some(house.client.log(10).rows).filter(|rows| rows.len() == 2));
    let transferred = rows.iter().find(|row| !row.transfers.is_empty()).expect("a row with a transfer");
    assert_eq!(transferred.end, EndStatus::Transferred);
    let transfer = &transferred.transfers[0];
    assert_eq!((transfer.kind, &transfer.end), (TransferKind::Attended, &TransferEnd::Answered));
}

/// A caller played by SIPp, a consultation with a SIPp that has nothing to do with the first, and the one
/// transferred to the other. kamailio stands between the desk and the two, who are called by their addresses.
#[track_caller]
fn attended(scenario: &str, consulted: &str, then: impl FnOnce(&mut House, CallRef, CallRef)) {
    let mut house = House::build(Digest::Md5);
    let port = house.free_port();
    let target = Sipp::start(house.folder(), consulted, Run::one(port, house.desk.sip));
    let (from, speech) = (house.free_port(), house.free_port());
    let ear = Party::start(speech, A_TONE);
    let run = Run { speech: Some(speech), ..Run::one(from, house.desk.sip) };
    let sipp = Sipp::start(house.folder(), scenario, run);
    let caller = house.client.wait_call("a call", SOON, |call| call.state == CallState::Ringing).call;
    let command = |house: &mut House, command| {
        house.client.command(command).expect("what a call's state allows is done");
    };
    command(&mut house, Command::Answer { call: caller });
    house.wait_state(caller, CallState::Talking);
    command(&mut house, Command::Dial { number: format!("sip:2102@127.0.0.1:{port}"), line: None });
    let consulted = house
        .client
        .wait_call("the consultation", SOON, |call| call.call != caller && call.state == CallState::Talking)
        .call;
    house.wait_state(caller, CallState::Held);
    ear.hears(MUSIC_TONE);
    command(&mut house, Command::AttendedTransfer { call: caller, to: consulted });
    then(&mut house, caller, consulted);
    sipp.finish(RUN);
    target.finish(RUN);
}
