//! The ways to an exchange: UDP, TCP and TLS, IPv4 and IPv6, and what happens when a connection breaks or is refused.
//! kamailio is the exchange, baresip the telephone.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use frontdesk_tests::authority::Authority;
use frontdesk_tests::baresip::{Baresip, Codec};
use frontdesk_tests::desk::{Account, Desk, NO_TIMERS};
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Kamailio;
use frontdesk_tests::ports::Ports;
use frontdesk_tests::sound::{A_TONE, B_TONE, DESK_TONE};
use ipc::{CallState, Command, Registration};

const SOON: Duration = Duration::from_secs(10);

/// A call in with hold and retrieve, and a call out, each ended by the desk.
fn calls_both_ways(house: &mut House) {
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    house.held_once(&mut a, A_TONE);

    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    let call = house.call_to(&mut b);
    house.desk.hears(B_TONE);
    b.hears(DESK_TONE);
    b.hang_up();
    house.client.wait_gone(call, SOON);
}

fn is_registered(house: &mut House, limit: Duration) {
    house.client.wait("Registered", limit, |view| view.operator.registration == Registration::Registered);
}

/// What the desk says of a registration that fails.
fn why_not(identity: &str, trust: bool) -> String {
    let scratch = tempfile::tempdir().unwrap();
    let mut ports = Ports::take();
    let authority = Authority::new(scratch.path(), "authority");
    let identity = authority.identity(identity);
    let exchange = Kamailio::start_with_streams(scratch.path(), ports.one(), &identity);
    let trusted = if trust { authority.trusted() } else { String::new() };
    let account = Account::reaching(&exchange.tls_address(), "tls");
    let desk = Desk::start_with(scratch.path(), &mut ports, &account, &format!("{NO_TIMERS}{trusted}"));
    let failed = |registration: &Registration| matches!(registration, Registration::Failed { .. });
    let view = desk.client().wait("a failed registration", SOON, |view| failed(&view.operator.registration));
    let Registration::Failed { reason } = view.operator.registration else { unreachable!() };
    reason
}

#[test]
fn acc_5_calls_over_tcp() {
    let mut house = House::build_by("tcp");
    let connected = format!("connected target=tcp:{}", house.exchange.address());
    house.desk.program.wait_log(&connected, SOON);
    calls_both_ways(&mut house);
}

#[test]
fn acc_5_calls_over_tls_whose_authority_is_a_companys_own() {
    let mut house = House::build_by("tls");
    let connected = format!("connected target=tls:{}", house.exchange.tls_address());
    house.desk.program.wait_log(&connected, SOON);
    calls_both_ways(&mut house);
}

#[test]
fn acc_5_a_certificate_from_nowhere_is_refused_and_the_desk_says_so() {
    let reason = why_not("127.0.0.1", false);
    assert_eq!(reason, "certificate comes from an authority that is not trusted here (tls.ca)");
}

#[test]
fn acc_5_a_certificate_for_another_name_is_refused_and_the_desk_says_for_whom_it_is() {
    let reason = why_not("sbc.example", true);
    assert_eq!(reason, "certificate is for sbc.example, not for 127.0.0.1");
}

#[test]
fn acc_5_without_verification_any_certificate_does_and_the_log_warns() {
    let scratch = tempfile::tempdir().unwrap();
    let mut ports = Ports::take();
    let identity = Authority::new(scratch.path(), "authority").identity("sbc.example");
    let exchange = Kamailio::start_with_streams(scratch.path(), ports.one(), &identity);
    let account = Account::reaching(&exchange.tls_address(), "tls");
    let settings = format!("{NO_TIMERS}[tls]\nverify = false\n");
    let mut desk = Desk::start_with(scratch.path(), &mut ports, &account, &settings);
    let registered = Registration::Registered;
    desk.client().wait("Registered", SOON, |view| view.operator.registration == registered);
    desk.program.wait_log("certificates of exchanges are not checked", SOON);
}

#[test]
fn acc_5_a_broken_connection_is_made_again_by_itself_and_calls_come_in() {
    let mut house = House::build_by("tcp");
    house.exchange.program.kill_all();
    house.client.wait("that it is gone", SOON, |view| {
        matches!(&view.operator.registration, Registration::Failed { reason } if reason.contains("nobody takes"))
    });
    house.exchange.start_again();
    is_registered(&mut house, Duration::from_secs(30));
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    a.dial("5550100");
    house.answer_next(&mut a);
    house.desk.hears(A_TONE);
}

#[test]
fn acc_5_calls_over_ipv6() {
    for transport in ["udp", "tcp"] {
        let scratch = tempfile::tempdir().unwrap();
        let mut ports = Ports::take();
        let identity = Authority::new(scratch.path(), "authority").identity("127.0.0.1");
        let exchange = Kamailio::start_with_streams(scratch.path(), ports.one(), &identity);
        let account = Account::reaching(&format!("[::1]:{}", exchange.port), transport);
        let mut desk = Desk::start_with(scratch.path(), &mut ports, &account, NO_TIMERS);
        // It has no address of that kind yet, and says so.
        let failed = |view: &ipc::View| match &view.operator.registration {
            Registration::Failed { reason } => transport == "tcp" || reason.contains("sip.listen_other"),
            state => transport == "tcp" && *state == Registration::Registered,
        };
        desk.client().wait("the first try", SOON, failed);
        let sip = desk.sip;
        desk.start_again_on(&format!("listen = \"127.0.0.1:{sip}\"\nlisten_other = \"[::1]:{sip}\""));
        let mut client = desk.client();
        let registered = Registration::Registered;
        client.wait("Registered", SOON, |view| view.operator.registration == registered);
        let mut a = Baresip::start(scratch.path(), &mut ports, &exchange, "2101", A_TONE, Codec::Pcma);
        a.dial("5550100");
        let rings = client.wait_call("a ringing call", SOON, |call| call.state == CallState::Ringing);
        client.command(Command::Answer { call: rings.call }).unwrap();
        a.expect("CALL_ESTABLISHED", SOON);
        desk.hears(A_TONE);
        a.hears(DESK_TONE);
        client.command(Command::HangUp { call: rings.call }).unwrap();
        a.expect("CALL_CLOSED", SOON);
    }
}
