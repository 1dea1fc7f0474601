//! The desk on a real Asterisk, set up as the administrator's guide says: calls, lamps, pick-up, parking, and every way
//! in which it answers a transfer.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use frontdesk_tests::asterisk::{Asterisk, Ways};
use frontdesk_tests::authority::Authority;
use frontdesk_tests::baresip::{Baresip, Codec};
use frontdesk_tests::desk::{Account, NO_TIMERS};
use frontdesk_tests::house::{House, scratch};
use frontdesk_tests::ports::Ports;
use frontdesk_tests::socket::calls;
use frontdesk_tests::sound::{A_TONE, B_TONE, C_TONE, DESK_TONE};
use frontdesk_tests::telephone::{Exchange, Telephone, Transport, Wish};
use frontdesk_tests::wait;
use ipc::{
    CallRef, CallState, CallView, Command, EndStatus, LampState, LogRow, NoticeKind, TransferEnd,
    TransferKind, View,
};

const SOON: Duration = Duration::from_secs(10);
/// Rings for so long that the test is not over first, and not much longer.
const SHORT: Ways<'static> =
    Ways { codecs: "alaw,ulaw,g722", ring: 3, direct: false, returns: false, identity: None };

#[track_caller]
fn house_with(ways: &Ways<'_>, more: &str) -> House<Asterisk> {
    let scratch = scratch();
    let exchange = Asterisk::start(scratch.path(), ways);
    let account = Account::at(&exchange);
    House::furnish(scratch, Ports::take(), exchange, &account, &format!("{NO_TIMERS}{more}"))
}

#[track_caller]
fn house(ways: &Ways<'_>) -> House<Asterisk> {
    house_with(ways, "")
}

/// Tomas, who talks with the operator.
#[track_caller]
fn caller(house: &mut House<Asterisk>) -> (Baresip, CallRef) {
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    a.dial("5550100");
    let call = house.answer_next(&mut a);
    (a, call)
}

/// Likewise, on the way to Ingrid, whose phone rings.
#[track_caller]
fn passed_on(house: &mut House<Asterisk>) -> (Baresip, Baresip, CallRef) {
    let (a, call) = caller(house);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    house.client.command(Command::BlindTransfer { call, to: "2102".into() }).unwrap();
    b.expect("CALL_INCOMING", SOON);
    (a, b, call)
}

#[track_caller]
fn rows(house: &mut House<Asterisk>, count: usize) -> Vec<LogRow> {
    wait::until("the log rows", SOON, || Some(house.client.log(10).rows).filter(|rows| rows.len() == count))
}

#[track_caller]
fn lamp(house: &mut House<Asterisk>, number: &str, state: LampState) {
    house.client.wait(&format!("lamp {number} {state:?}"), SOON, |view| {
        view.lamps.iter().any(|lamp| lamp.number == number && lamp.state == state)
    });
}

/// The operator is told of a caller who is lost.
fn lost(view: &View) -> bool {
    view.notices.iter().any(|notice| matches!(notice.kind, NoticeKind::TransferLost { .. }))
}

/// Nobody rings at the desk as if they had come back, until it says that they are lost.
#[track_caller]
fn is_told_as_lost(house: &mut House<Asterisk>) {
    loop {
        let view = house.client.next_view(SOON).expect("word of the lost caller");
        assert!(
            calls(&view).all(|call| call.state != CallState::Recalling),
            "nobody is there to ring: {view:#?}"
        );
        if lost(&view) {
            break;
        }
    }
    assert_eq!(calls(&house.client.wait("any view", SOON, |_| true)).count(), 0);
    let row = rows(house, 1).remove(0);
    assert_eq!((row.end, row.transfers.len()), (EndStatus::Failed, 1));
    assert!(matches!(row.transfers[0].end, TransferEnd::Refused { .. }), "{row:?}");
    assert_eq!(row.party.name.as_deref(), Some("Tomas Rivera"), "whom to call back");
}

#[test]
fn call_1_who_calls_and_for_whom_is_shown_and_both_are_heard_before_and_after_a_hold() {
    let mut house = house(&Ways::default());
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let [talking, ..] = house.held_once(&mut a, A_TONE);
    assert_eq!((talking.line_number.as_str(), talking.line_name.as_str()), ("5550100", "Sales"));
    // 2104 is nobody of the directory: the name is what Asterisk says.
    let mut d = house.phone("2104", C_TONE, Codec::Pcma);
    d.dial("5550101");
    let call = house.answer_next(&mut d);
    let talking = house.wait_state(call, CallState::Talking);
    assert_eq!((talking.line_name.as_str(), talking.party.name.as_deref()), ("Support", Some("Ada Weber")));
    d.hang_up();
    house.client.wait_gone(call, SOON);
    // And the other way.
    let call = house.call_to(&mut a);
    house.desk.hears(A_TONE);
    a.hang_up();
    house.client.wait_gone(call, SOON);
}

#[test]
fn acc_6_speech_by_opus_is_heard_by_a_telephone_that_has_only_g711() {
    let mut house = house(&Ways { codecs: "opus", ..Ways::default() });
    let (a, _) = caller(&mut house);
    house.desk.hears(A_TONE);
    a.hears(DESK_TONE);
    assert!(house.desk.program.log().contains("codec=\"opus\""), "{}", house.desk.program.log());
}

#[test]
fn acc_6_a_menu_gets_the_digits() {
    let mut house = house(&Ways::default());
    house.client.command(Command::Dial { number: "2999".into(), line: None }).unwrap();
    let talks = |now: &CallView| now.state == CallState::Talking;
    let call = house.client.wait_call("the menu", SOON, talks).call;
    house.client.command(Command::Digits { call, digits: "1590*7".into() }).unwrap();
    house.exchange.program.wait_log("keyed 1590*7", SOON);
    house.client.wait_gone(call, SOON);
}

#[test]
fn call_8_a_call_that_still_rings_is_sent_on_without_being_answered() {
    let mut house = house(&Ways::default());
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    a.dial("5550100");
    let rings = |now: &CallView| now.state == CallState::Ringing;
    let call = house.client.wait_call("a ringing call", SOON, rings).call;
    house.client.command(Command::Forward { call, to: "2102".into() }).unwrap();
    b.expect("CALL_INCOMING", SOON);
    b.accept();
    a.hears(B_TONE);
    b.hears(A_TONE);
    let row = rows(&mut house, 1).remove(0);
    assert_eq!((row.end, row.transfers[0].kind), (EndStatus::Forwarded, TransferKind::Forward));
}

#[test]
fn call_1_who_is_at_the_other_end_after_asterisk_has_transferred_it_is_shown() {
    let mut house = house(&Ways::default());
    let (mut a, call) = caller(&mut house);
    let mut c = house.phone("2103", C_TONE, Codec::Pcma);
    a.transfer("2103");
    c.expect("CALL_INCOMING", SOON);
    c.accept();
    let is_another = |now: &CallView| now.call == call && now.party.number.as_deref() == Some("2103");
    let another = house.client.wait_call("Jonas Becker", SOON, is_another);
    assert_eq!(another.party.name.as_deref(), Some("Jonas Becker"));
    house.desk.hears(C_TONE);
    c.hears(DESK_TONE);
}

#[test]
fn bar_1_a_message_in_its_mailbox_is_counted() {
    let mut house = house(&Ways::default());
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    a.dial("2998");
    a.expect("CALL_ESTABLISHED", SOON);
    house.exchange.program.wait_log("Recording the message", SOON);
    // They speak for a while.
    std::thread::sleep(Duration::from_secs(3));
    a.hang_up();
    house.client.wait("one message", SOON, |view| view.counters.voicemail == 1);
}

#[test]
fn pre_1_lamps_follow_the_phones() {
    let mut house = house(&Ways::default());
    let (mut a, _) = caller(&mut house);
    lamp(&mut house, "2101", LampState::Busy);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    lamp(&mut house, "2102", LampState::Available);
    let mut c = house.phone("2103", C_TONE, Codec::Pcma);
    c.dial("2102");
    b.expect("CALL_INCOMING", SOON);
    lamp(&mut house, "2102", LampState::Ringing);
    c.hang_up();
    a.hang_up();
    lamp(&mut house, "2102", LampState::Available);
    lamp(&mut house, "2101", LampState::Available);
}

#[test]
fn pre_3_a_call_that_rings_on_a_colleagues_phone_is_taken_by_the_code() {
    let mut house = house_with(&Ways::default(), "[numbers]\nintercept = \"**$\"\n");
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    a.dial("2102");
    b.expect("CALL_INCOMING", SOON);
    lamp(&mut house, "2102", LampState::Ringing);
    house.desk.ctl(&["intercept", "2102"]);
    let taken = |call: &CallView| call.state == CallState::Talking && call.intercepted.is_some();
    house.client.wait_call("the call picked up", SOON, taken);
    a.expect("CALL_ESTABLISHED", SOON);
    b.expect("CALL_CLOSED", SOON);
    house.desk.hears(A_TONE);
    a.hears(DESK_TONE);
}

#[test]
fn call_9_a_blind_transfer_that_is_answered_leaves_the_desk() {
    let mut house = house(&Ways::default());
    let (mut a, mut b) = (house.pjsua("2101", A_TONE, Codec::Pcma), house.phone("2102", B_TONE, Codec::Pcma));
    let call = house.called_by(&mut a);
    house.client.command(Command::BlindTransfer { call, to: "2102".into() }).unwrap();
    b.expect("CALL_INCOMING", SOON);
    b.accept();
    house.client.wait_gone(call, SOON);
    a.hears(B_TONE);
    b.hears(A_TONE);
    assert_eq!(rows(&mut house, 1)[0].transfers[0].end, TransferEnd::Answered);
}

#[test]
fn call_13_a_number_that_asterisk_does_not_have_brings_the_caller_back() {
    let mut house = house(&Ways::default());
    let (mut a, call) = caller(&mut house);
    house.client.command(Command::BlindTransfer { call, to: "9999".into() }).unwrap();
    let back = house.wait_state(call, CallState::Recalling);
    assert_eq!(back.recall.and_then(|recall| recall.from.number).as_deref(), Some("9999"));
    house.client.command(Command::Answer { call }).unwrap();
    house.wait_state(call, CallState::Talking);
    house.desk.hears(A_TONE);
    a.hang_up();
    house.client.wait_gone(call, SOON);
    assert_eq!(rows(&mut house, 1)[0].transfers[0].end, TransferEnd::Refused { code: 404 });
}

#[test]
fn call_13_a_caller_whom_asterisk_has_let_go_does_not_ring_and_is_told_as_lost() {
    let mut house = house(&SHORT);
    let (_a, _b, _) = passed_on(&mut house);
    is_told_as_lost(&mut house);
    assert_eq!(house.exchange.channels(), 0);
}

#[test]
fn call_13_a_caller_whose_target_declines_or_who_gives_up_meanwhile_is_told_as_lost() {
    let mut house = house(&Ways::default());
    let (_a, mut b, _) = passed_on(&mut house);
    b.hang_up();
    is_told_as_lost(&mut house);
}

#[test]
fn call_13_a_caller_whose_target_still_rings_when_the_time_is_over_does_not_ring_at_the_desk() {
    let mut house = house_with(&Ways::default(), "[rules]\ntransfer_timeout_s = 5\n");
    let (_a, mut b, _) = passed_on(&mut house);
    while let Some(view) = house.client.next_view(2 * SOON).filter(|view| calls(view).count() > 0) {
        assert!(
            calls(&view).all(|call| call.state != CallState::Recalling),
            "nobody is there to ring: {view:#?}"
        );
    }
    let row = rows(&mut house, 1).remove(0);
    assert_eq!((row.end, &row.transfers[0].end), (EndStatus::Transferred, &TransferEnd::HandedOver));
    // The row is written. Asterisk tells the end all the same, and the operator is told whom to call back.
    b.hang_up();
    house.client.wait("word of the lost caller", SOON, lost);
}

#[test]
fn call_13_a_dial_plan_that_returns_them_has_the_caller_ring_at_the_desk_again() {
    let mut house = house(&Ways { returns: true, ..SHORT });
    let (mut a, _b, call) = passed_on(&mut house);
    let again = |now: &CallView| now.state == CallState::Ringing && now.call != call;
    let back = house.client.wait_call("the caller", SOON, again);
    assert_eq!((back.party.number.as_deref(), back.line_name.as_str()), (Some("2101"), "Sales"));
    assert_eq!(back.diverted_by.and_then(|by| by.number).as_deref(), Some("2102"), "in vain");
    house.client.command(Command::Answer { call: back.call }).unwrap();
    house.client.wait_gone(call, SOON);
    house.wait_state(back.call, CallState::Talking);
    house.desk.hears(A_TONE);
    a.hang_up();
    house.client.wait_gone(back.call, SOON);
    wait::until("no call left in Asterisk", SOON, || (house.exchange.channels() == 0).then_some(()));
}

#[test]
fn call_9_an_attended_transfer_joins_the_two() {
    let mut house = house(&Ways::default());
    // baresip records nothing any more once it was put on hold.
    let (mut a, mut b) = (house.pjsua("2101", A_TONE, Codec::Pcma), house.pjsua("2102", B_TONE, Codec::Pcma));
    let call = house.called_by(&mut a);
    house.client.command(Command::Dial { number: "2102".into(), line: None }).unwrap();
    b.rings();
    b.accept();
    let talks = |now: &CallView| now.call != call && now.state == CallState::Talking;
    let asked = house.client.wait_call("the consultation", SOON, talks).call;
    house.client.command(Command::AttendedTransfer { call, to: asked }).unwrap();
    house.client.wait_gone(call, SOON);
    house.client.wait_gone(asked, SOON);
    a.hears(B_TONE);
    b.hears(A_TONE);
    let rows = rows(&mut house, 2);
    let transfers: Vec<_> = rows.iter().flat_map(|row| &row.transfers).collect();
    assert_eq!((transfers.len(), transfers[0].kind), (1, TransferKind::Attended));
    assert_eq!(transfers[0].end, TransferEnd::Answered);
}

#[test]
fn call_9_a_target_that_still_rings_takes_the_caller() {
    let mut house = house(&Ways::default());
    let (_a, call) = caller(&mut house);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    house.client.command(Command::Dial { number: "2102".into(), line: None }).unwrap();
    b.expect("CALL_INCOMING", SOON);
    let alerts = |now: &CallView| now.state == CallState::Alerting;
    let ringing = house.client.wait_call("the consultation", SOON, alerts).call;
    house.client.command(Command::AttendedTransfer { call, to: ringing }).unwrap();
    b.expect("CALL_INCOMING", SOON);
    b.accept();
    house.client.wait_gone(call, SOON);
    b.hears(A_TONE);
}

#[test]
fn call_14_slots_of_its_parking_lot_keep_a_caller_and_give_them_back() {
    let mut house = house_with(&Ways::default(), "[[park]]\nnumber = \"701\"\nname = \"Slot 1\"\n");
    let (mut a, call) = caller(&mut house);
    house.client.command(Command::Park { call, slot: Some("701".into()) }).unwrap();
    house.client.wait_gone(call, SOON);
    lamp(&mut house, "701", LampState::Busy);
    house.client.command(Command::Dial { number: "701".into(), line: None }).unwrap();
    let talks = |now: &CallView| now.state == CallState::Talking;
    let back = house.client.wait_call("the caller from the slot", SOON, talks).call;
    house.desk.hears(A_TONE);
    lamp(&mut house, "701", LampState::Available);
    a.hang_up();
    house.client.wait_gone(back, SOON);
}

#[test]
fn call_1_speech_that_asterisk_has_go_directly_arrives_before_and_after_a_hold() {
    let mut house = house(&Ways { direct: true, ..Ways::default() });
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    house.held_once(&mut a, A_TONE);
    let call = house.call_to(&mut a);
    house.desk.hears(A_TONE);
    a.hears(DESK_TONE);
    a.hang_up();
    house.client.wait_gone(call, SOON);
}

#[test]
fn acc_6_by_tls_with_srtp_both_are_heard() {
    let scratch = scratch();
    let authority = Authority::new(scratch.path(), "authority");
    let identity = authority.identity("127.0.0.1");
    let exchange = Asterisk::start(scratch.path(), &Ways { identity: Some(&identity), ..Ways::default() });
    let at = exchange.tls_address();
    let account = Account { srtp: "mandatory", ..Account::reaching(&at, "tls") };
    let settings = format!("{NO_TIMERS}{}", authority.trusted());
    let mut house = House::furnish(scratch, Ports::take(), exchange, &account, &settings);
    let telephones = Authority::new(house.folder(), "telephones").identity("127.0.0.1");
    let reached = Exchange {
        address: at,
        transport: Transport::TlsSrtp,
        authority: Some(authority.certificate()),
        identity: Some(telephones),
    };
    let scratch = house.folder().to_owned();
    let wish = Wish { scratch, exchange: &reached, number: "2101", tone: A_TONE, codec: Codec::Pcma };
    let mut ports = Ports::take();
    let mut a = Baresip::start_as(&mut ports, &wish);
    a.dial("5550100");
    let call = house.answer_next(&mut a);
    house.desk.hears(A_TONE);
    a.hears(DESK_TONE);
    assert!(house.wait_state(call, CallState::Talking).encrypted, "the lock on the card");
}
