//! A call that a colleague is in is taken over at the desk (PRE-3, RFC 3891). kamailio is the exchange, its dialog-info
//! says who talks with whom; the telephones are PJSUA2, which knows Replaces, and baresip 1.0, which refuses it.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;
use std::time::Duration;

use frontdesk_tests::authority::Authority;
use frontdesk_tests::baresip::{Baresip, Codec};
use frontdesk_tests::desk::NO_TIMERS;
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::{Digest, Kamailio};
use frontdesk_tests::pjsua::Pjsua;
use frontdesk_tests::ports::Ports;
use frontdesk_tests::screen::{self, CALLS, DIRECTORY};
use frontdesk_tests::sipp::{Run, Sipp};
use frontdesk_tests::sound::{A_TONE, B_TONE, DESK_TONE};
use frontdesk_tests::telephone::{Exchange, Telephone, Transport, Wish};
use frontdesk_tests::wait;
use ipc::{
    CallState, CallView, Command, CommandError, EndStatus, LampCall, LampState, LampView, NoticeKind, TalkId,
    View,
};

const SOON: Duration = Duration::from_secs(10);
const RUN: Duration = Duration::from_secs(60);
/// The administrator's permission.
const ALLOWED: &str = "[rules]\ntake_over = true\n";

fn lamp<'a>(view: &'a View, number: &str) -> Option<&'a LampView> {
    view.lamps.iter().map(|lamp| &**lamp).find(|lamp| lamp.number == number)
}

fn is(view: &View, number: &str, state: LampState) -> bool {
    lamp(view, number).is_some_and(|lamp| lamp.state == state)
}

/// By what the only call of a phone can be taken over, where it can be.
fn takeable(view: &View, number: &str) -> Option<TalkId> {
    match &lamp(view, number)?.talks[..] {
        [LampCall { talk, .. }] => *talk,
        _ => None,
    }
}

/// Waits until what the phone `number` is in can be taken over.
#[track_caller]
fn wait_takeable(house: &mut House, number: &str) -> TalkId {
    let view =
        house.client.wait("a call that can be taken over", SOON, |view| takeable(view, number).is_some());
    takeable(&view, number).unwrap()
}

/// Waits until 2101 calls and 2102 rings as far as the desk knows: kamailio tells a call's tags only that long.
#[track_caller]
fn wait_ringing(house: &mut House) {
    house.client.wait("2102 rings", SOON, |view| {
        is(view, "2102", LampState::Ringing) && is(view, "2101", LampState::Busy)
    });
}

/// Takes over what the phone `number` is in, and gives back the call once it talks.
#[track_caller]
fn take_over(house: &mut House, number: &str) -> CallView {
    let talk = wait_takeable(house, number);
    house.client.command(Command::TakeOver { number: number.into(), talk }).unwrap();
    let talks = |call: &CallView| call.state == CallState::Talking && call.taken_over;
    house.client.wait_call("the call taken over", SOON, talks)
}

/// The notice that nothing was taken over, once the call that tried is gone.
#[track_caller]
fn wait_refusal(house: &mut House) -> u16 {
    let code = |view: &View| {
        let mut notices = view.notices.iter();
        notices.find_map(|notice| match &notice.kind {
            NoticeKind::TakeOverFailed { from, code, .. } if from.number.as_deref() == Some("2102") => {
                Some(*code)
            }
            _ => None,
        })
    };
    let view =
        house.client.wait("the refusal", SOON, |view| view.outgoing.is_empty() && code(view).is_some());
    let told = code(&view).unwrap();
    for notice in view.notices {
        house.client.command(Command::DismissNotice { notice: notice.id }).unwrap();
    }
    house.client.wait("no notice", SOON, |view| view.notices.is_empty());
    told
}

/// Two encrypted PJSUA2 telephones on the encrypted side of the exchange, 2101 and 2102.
#[track_caller]
fn encrypted_pair(house: &House) -> (Pjsua, Pjsua) {
    let exchange = Exchange {
        address: house.exchange.tls_address(),
        transport: Transport::TlsSrtp,
        authority: Some(house.authority()),
        identity: Some(Authority::new(house.folder(), "telephones").identity("127.0.0.1")),
    };
    let scratch: PathBuf = house.folder().to_owned();
    let start = |number, tone| {
        let wish = Wish { scratch: scratch.clone(), exchange: &exchange, number, tone, codec: Codec::Pcma };
        Pjsua::start(&mut Ports::take(), &wish)
    };
    (start("2101", A_TONE), start("2102", B_TONE))
}

#[test]
fn acc_5_pre_3_by_tls_an_encrypted_talk_is_taken_over_from_either_of_two_colleagues() {
    let mut house = House::build_speaking_with("tls", "mandatory", ALLOWED);
    let (mut a, mut b) = encrypted_pair(&house);

    // From the one who was called.
    a.dial("2102");
    b.rings();
    wait_ringing(&mut house);
    b.accept();
    b.talks();
    b.hears(A_TONE);
    let call = take_over(&mut house, "2102");
    assert_eq!(call.party.number.as_deref(), Some("2101"));
    house.desk.hears(A_TONE);
    a.hears(DESK_TONE);
    b.is_over();
    let named = |call: &CallView| {
        let phone = call.intercepted.as_ref().and_then(|phone| phone.name.as_deref());
        phone == Some("Ingrid Solberg") && call.party.name.as_deref() == Some("Tomas Rivera")
    };
    house.client.wait_call("who it is, and whose call it was", SOON, named);
    house.desk.program.wait_log("encryption=\"AES_CM_128_HMAC_SHA1_80\"", SOON);
    let view = house.client.wait("2102 free, 2101 busy", SOON, |view| {
        is(view, "2102", LampState::Available) && is(view, "2101", LampState::Busy)
    });
    assert_eq!(takeable(&view, "2101"), None, "a call of this desk is not offered to it: {view:?}");
    house.client.command(Command::HangUp { call: call.call }).unwrap();
    house.client.wait_gone(call.call, SOON);
    a.is_over();
    house.client.wait("both free", SOON, |view| {
        is(view, "2101", LampState::Available) && is(view, "2102", LampState::Available)
    });

    // From the one who called, whom the other one has on hold meanwhile.
    a.dial("2102");
    b.rings();
    wait_ringing(&mut house);
    b.accept();
    b.talks();
    wait_takeable(&mut house, "2101");
    b.hold();
    let call = take_over(&mut house, "2101");
    assert_eq!(call.party.number.as_deref(), Some("2102"));
    house.desk.hears(B_TONE);
    b.hears(DESK_TONE);
    a.is_over();
    house.client.wait("2101 free, 2102 busy", SOON, |view| {
        is(view, "2101", LampState::Available) && is(view, "2102", LampState::Busy)
    });
    b.hang_up();
    house.client.wait_gone(call.call, SOON);
    let rows =
        wait::until("the log", SOON, || Some(house.client.log(10).rows).filter(|rows| rows.len() == 2));
    let told: Vec<_> = rows.iter().map(|row| (row.party.number.as_deref(), row.end)).collect();
    assert_eq!(told, [(Some("2102"), EndStatus::Completed), (Some("2101"), EndStatus::Completed)]);
}

/// 2101 and 2102 as baresip, which talk with each other.
#[track_caller]
fn talking_pair(house: &mut House) -> (Baresip, Baresip) {
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    a.dial("2102");
    b.expect("CALL_INCOMING", SOON);
    wait_ringing(house);
    b.accept();
    b.expect("CALL_ESTABLISHED", SOON);
    (a, b)
}

#[test]
fn pre_3_dir_9_a_take_over_is_asked_twice_and_a_phone_that_refuses_it_talks_on() {
    let mut house = House::build_with(Digest::Md5, &format!("{NO_TIMERS}{ALLOWED}"));
    let mut screen = house.screen();
    let tile = screen.wait("Ingrid's tile", SOON, |picture| screen::word(picture, DIRECTORY, "Ingrid"));
    let (a, b) = talking_pair(&mut house);
    wait_takeable(&mut house, "2102");
    let menu = screen.long_press(tile.centre());
    assert!(menu.contains("Take"), "not offered in {menu}");
    screen.keep("1-menu");
    screen.choose("Take");
    screen.plate_says(&["Ingrid", "cut", "off"]);
    screen.keep("2-question");
    assert!(house.client.wait("the desk", SOON, |_| true).outgoing.is_empty(), "it only asks");
    // By key it takes two: to the button, and Enter.
    screen.key("ArrowRight");
    screen.key("Enter");
    screen.says(CALLS, &["not", "taken", "over"]);
    screen.keep("3-refused");
    assert_eq!(wait_refusal(&mut house), 420, "baresip does not know Replaces");
    b.hears(A_TONE);
    a.hears(B_TONE);
    house.client.wait("they talk on", SOON, |view| is(view, "2102", LampState::Busy));
}

#[test]
fn pre_3_a_talk_that_has_ended_or_that_the_exchange_does_not_give_stays_where_it_is_and_says_why() {
    let mut house = House::build_with(Digest::Md5, &format!("{NO_TIMERS}{ALLOWED}"));
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    let scenario = frontdesk_tests::repository::root().join("tests/sipp/talking_refuses.xml");
    let scenario = std::fs::read_to_string(scenario).unwrap();
    for (code, refusal) in [
        (481, "481 Call/Transaction Does Not Exist"),
        (403, "403 Forbidden"),
        (486, "486 Busy Here"),
        (603, "603 Declined"),
    ] {
        let (port, echo) = (house.free_port(), Some(house.free_port()));
        let run = Run { echo, ..Run::one(port, house.exchange.port) };
        // SIPp takes no status from its command line.
        let refuses = house.folder().join(format!("refuses-{code}.xml"));
        std::fs::write(&refuses, scenario.replace("481 Call/Transaction Does Not Exist", refusal)).unwrap();
        let more = ["-oocsf", refuses.to_str().unwrap()];
        let name = format!("talking_caller-{code}");
        let sipp = Sipp::start_as(house.folder(), "talking_caller", &name, run, &more);
        b.expect("CALL_INCOMING", SOON);
        house.client.wait("2102 rings", SOON, |view| is(view, "2102", LampState::Ringing));
        b.accept();
        b.expect("CALL_ESTABLISHED", SOON);
        let talk = wait_takeable(&mut house, "2102");
        if code == 481 {
            // The command line takes the only call there is.
            house.desk.ctl(&["take-over", "2102"]);
        } else {
            house.client.command(Command::TakeOver { number: "2102".into(), talk }).unwrap();
        }
        assert_eq!(wait_refusal(&mut house), code);
        b.hears(B_TONE);
        b.hang_up();
        sipp.finish(RUN);
        house.client.wait("Ingrid's lamp free", SOON, |view| is(view, "2102", LampState::Available));
        let late = house.client.command(Command::TakeOver { number: "2102".into(), talk });
        assert_eq!(late, Err(CommandError::NobodyTalks { number: "2102".into() }));
    }
    let rows =
        wait::until("the log", SOON, || Some(house.client.log(10).rows).filter(|rows| rows.len() == 4));
    assert!(rows.iter().all(|row| row.answered_after_ms.is_none()), "{rows:?}");
}

#[test]
fn pre_3_nothing_is_taken_over_without_permission_nor_where_the_exchange_hides_it_nor_from_this_desk() {
    let mut house = House::build(Digest::Md5);
    let (mut a, _b) = talking_pair(&mut house);
    let talk = wait_takeable(&mut house, "2102");
    let refused = house.client.command(Command::TakeOver { number: "2102".into(), talk });
    assert_eq!(refused, Err(CommandError::TakeOverNotAllowed));
    a.hang_up();

    let mut house = House::build_on(&format!("{NO_TIMERS}{ALLOWED}"), Kamailio::start_hiding);
    let (_a, _b) = talking_pair(&mut house);
    let view = house.client.wait("the lamp", SOON, |view| is(view, "2102", LampState::Busy));
    assert_eq!(takeable(&view, "2102"), None, "{view:?}");

    let mut house = House::build_with(Digest::Md5, &format!("{NO_TIMERS}{ALLOWED}"));
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    house.call_to(&mut b);
    let view = house.client.wait("the lamp", SOON, |view| {
        lamp(view, "2102").is_some_and(|lamp| lamp.state == LampState::Busy && lamp.talks.len() == 1)
    });
    assert_eq!(takeable(&view, "2102"), None, "{view:?}");
}
