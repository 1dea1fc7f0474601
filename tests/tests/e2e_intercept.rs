//! Intercept: a call that rings on a colleague's phone is picked up at the desk. kamailio is the exchange, its
//! dialog-info says what rings, the colleague's phone is baresip.
//!
//! What the peers can and cannot do: kamailio is a proxy. It tells call-id and tags, but picks nothing up by
//! itself, so an INVITE with Replaces is answered by the caller's own end (RFC 3891), which SIPp plays. baresip 1.0
//! does not know Replaces and refuses it. Behind the feature code stands another telephone: that the code is
//! dialled and talked over is shown here, not that an exchange takes the call off the ringing phone for it.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use frontdesk_tests::baresip::{Baresip, Codec};
use frontdesk_tests::desk::NO_TIMERS;
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::{Digest, Kamailio};
use frontdesk_tests::screen::{self, CALLS, DIRECTORY};
use frontdesk_tests::sipp::{Run, Sipp};
use frontdesk_tests::sound::{A_TONE, B_TONE, C_TONE, DESK_TONE};
use frontdesk_tests::wait;
use ipc::{CallState, CallView, Command, CommandError, EndStatus, LampState, LampView, NoticeKind, View};

const SOON: Duration = Duration::from_secs(10);
const RUN: Duration = Duration::from_secs(60);
/// The exchange's feature code.
const CODE: &str = "[numbers]\nintercept = \"**$\"\n";

/// The lamp of the colleague who is called.
fn lamp(view: &View) -> Option<&LampView> {
    view.lamps.iter().map(|lamp| &**lamp).find(|lamp| lamp.number == "2102")
}

/// 2101 calls 2102, which rings.
#[track_caller]
fn rings(house: &mut House) -> (Baresip, Baresip) {
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    a.dial("2102");
    b.expect("CALL_INCOMING", SOON);
    house.client.wait("Ingrid's lamp ringing", SOON, |view| {
        lamp(view).is_some_and(|lamp| lamp.state == LampState::Ringing)
    });
    (a, b)
}

/// The call that was picked up from Ingrid's phone, once it talks.
#[track_caller]
fn talks(house: &mut House) -> CallView {
    let taken = |call: &CallView| call.state == CallState::Talking && call.intercepted.is_some();
    let call = house.client.wait_call("the call picked up", SOON, taken);
    let named = |now: &CallView| {
        let phone = now.intercepted.as_ref().and_then(|phone| phone.name.as_deref());
        now.call == call.call && phone == Some("Ingrid Solberg")
    };
    house.client.wait_call("whose phone it was", SOON, named)
}

/// The value of the first header `name` behind `from` in what was on the wire.
#[track_caller]
fn header<'a>(wire: &'a str, from: &str, name: &str) -> &'a str {
    let message = wire.split_once(from).unwrap_or_else(|| panic!("no {from:?} in {wire}")).1;
    let mut lines = message.lines().map(str::trim).take_while(|line| !line.is_empty());
    let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {name} behind {from:?} in {wire}")).trim()
}

fn tag(value: &str) -> &str {
    value.split_once(";tag=").map_or("", |(_, tag)| tag.split(';').next().unwrap_or(tag))
}

#[test]
fn pre_3_dir_9_a_call_ringing_on_a_colleagues_phone_is_taken_by_replaces_from_the_contacts_menu() {
    let mut house = House::build(Digest::Md5);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    let mut screen = house.screen();
    let tile = screen.wait("Ingrid's tile", SOON, |picture| screen::word(picture, DIRECTORY, "Ingrid"));
    let menu = screen.long_press(tile.centre());
    assert!(menu.contains("Call") && !menu.contains("Intercept"), "nothing rings there: {menu}");
    screen.key("Escape");

    let (port, echo) = (house.free_port(), Some(house.free_port()));
    let run = Run { echo, ..Run::one(port, house.exchange.port) };
    let taken = frontdesk_tests::repository::root().join("tests/sipp/intercepted_taken.xml");
    let more = ["-oocsf", taken.to_str().unwrap()];
    let sipp = Sipp::start_as(house.folder(), "intercepted_caller", "intercepted_caller", run, &more);
    b.expect("CALL_INCOMING", SOON);
    house.client.wait("what rings at Ingrid's", SOON, |view| {
        let number = lamp(view).and_then(|lamp| lamp.rings.as_ref()?.number.as_deref());
        number == Some("442079460991")
    });
    let menu = screen.long_press(tile.centre());
    assert!(menu.contains("Intercept"), "not offered in {menu}");
    screen.keep("1-menu");
    screen.choose("Intercept");

    let call = talks(&mut house);
    assert_eq!(call.party.number.as_deref(), Some("442079460991"));
    house.desk.hears(DESK_TONE);
    screen.says(CALLS, &["intercepted", "Ingrid"]);
    screen.keep("2-talks");
    // The phone that rang is told that it is no missed call.
    b.expect("CALL_CLOSED", SOON);
    b.program.wait_log("Reason: SIP;cause=200;text=\"Call completed elsewhere\"", SOON);
    house.client.wait("Ingrid's lamp free", SOON, |view| {
        lamp(view).is_some_and(|lamp| lamp.state == LampState::Available && lamp.rings.is_none())
    });

    // The same dialog as the caller's end sees it: To is its own tag (RFC 3891 section 6.1).
    let wire = sipp.messages();
    let (rings, answers) = ("INVITE sip:2102@desk.test", "SIP/2.0 180");
    let own = tag(header(&wire, rings, "From"));
    let phone = tag(header(&wire, answers, "To"));
    let expected = format!("{};to-tag={own};from-tag={phone};early-only", header(&wire, rings, "Call-ID"));
    assert_eq!(header(&wire, "INVITE sip:nadia@", "Replaces"), expected);

    house.client.command(Command::HangUp { call: call.call }).unwrap();
    sipp.finish(RUN);
    house.client.wait_gone(call.call, SOON);
    let rows =
        wait::until("the log row", SOON, || Some(house.client.log(10).rows).filter(|rows| !rows.is_empty()));
    assert_eq!((rows.len(), rows[0].end), (1, EndStatus::Completed));
    assert_eq!(rows[0].party.number.as_deref(), Some("442079460991"));
}

#[test]
fn pre_3_dir_9_where_dialog_info_hides_the_call_the_feature_code_is_dialled() {
    let more = format!("{NO_TIMERS}{CODE}");
    let mut house = House::build_on(&more, Kamailio::start_hiding);
    let mut code = house.phone("**2102", C_TONE, Codec::Pcma);
    let (_a, _b) = rings(&mut house);
    house.client.wait("who rings", SOON, |view| {
        let caller = lamp(view).and_then(|lamp| lamp.rings.as_ref()?.number.as_deref());
        caller == Some("2101")
    });
    house.desk.ctl(&["intercept", "2102"]);
    code.expect("CALL_INCOMING", SOON);
    code.accept();
    let call = talks(&mut house);
    house.desk.hears(C_TONE);
    code.hears(DESK_TONE);
    assert_eq!(call.party.name.as_deref(), Some("Tomas Rivera"), "the code is nobody's name: {call:?}");
}

#[test]
fn pre_3_dir_9_where_replaces_is_refused_the_feature_code_is_dialled_once() {
    let mut house = House::build_with(Digest::Md5, &format!("{NO_TIMERS}{CODE}"));
    let mut code = house.phone("**2102", C_TONE, Codec::Pcma);
    let (_a, mut b) = rings(&mut house);
    house.client.command(Command::Intercept { number: "2102".into() }).unwrap();
    code.expect("CALL_INCOMING", SOON);
    house.desk.program.wait_log("no intercept by Replaces", SOON);
    code.hang_up();
    let view = house.client.wait("that it failed", SOON, |view| {
        view.outgoing.is_empty()
            && view.notices.iter().any(|notice| matches!(notice.kind, NoticeKind::InterceptFailed { .. }))
    });
    assert_eq!(view.notices.len(), 1, "one wish, one notice: {view:?}");
    // Nobody took it: it still rings where it did, and can be answered there.
    b.accept();
    b.expect("CALL_ESTABLISHED", SOON);
    b.hears(A_TONE);
    house.client.wait("nothing to pick up", SOON, |view| {
        lamp(view).is_some_and(|lamp| lamp.state == LampState::Busy && lamp.rings.is_none())
    });
}

#[test]
fn pre_3_dir_9_nothing_is_offered_where_nothing_rings_or_no_way_is_known() {
    let mut house = House::build_on(NO_TIMERS, Kamailio::start_hiding);
    let pick = || Command::Intercept { number: "2102".into() };
    let nothing = Err(CommandError::NothingRings { number: "2102".into() });
    assert_eq!(house.client.command(pick()), nothing);
    let (_a, mut b) = rings(&mut house);
    assert!(house.client.wait("the lamp", SOON, |_| true).lamps.iter().all(|lamp| lamp.rings.is_none()));
    assert_eq!(house.client.command(pick()), nothing);
    b.accept();
    b.expect("CALL_ESTABLISHED", SOON);
    assert_eq!(house.client.command(pick()), nothing);
}

#[test]
fn pre_3_dir_9_a_call_from_this_desk_is_not_offered_to_be_picked_up_by_it() {
    let mut house = House::build_with(Digest::Md5, &format!("{NO_TIMERS}{CODE}"));
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    let dial = Command::Dial { number: "2102".into(), line: None };
    house.client.command(dial).unwrap();
    b.expect("CALL_INCOMING", SOON);
    let view = house.client.wait("Ingrid's lamp ringing", SOON, |view| {
        lamp(view).is_some_and(|lamp| lamp.state == LampState::Ringing)
    });
    assert_eq!(lamp(&view).and_then(|lamp| lamp.rings.clone()), None);
    let refused = house.client.command(Command::Intercept { number: "2102".into() });
    assert_eq!(refused, Err(CommandError::NothingRings { number: "2102".into() }));
}
