//! The network under the desk: IPv6 alone, a machine whose address changes while somebody talks, and a router that gives
//! it another one (STUN). kamailio is the exchange, baresip and PJSUA2 the telephones, coturn the STUN server. What needs networks of its own makes them (`frontdesk_tests::network`)
//! and fails where the system does not permit that.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use frontdesk_tests::apart;
use frontdesk_tests::baresip::Codec;
use frontdesk_tests::desk::{Account, Desk, Machine, NO_TIMERS, Standing};
use frontdesk_tests::house::{House, scratch};
use frontdesk_tests::kamailio::{DOMAIN, Kamailio};
use frontdesk_tests::network::Network;
use frontdesk_tests::ports::Ports;
use frontdesk_tests::sound::{A_TONE, B_TONE, DESK_TONE};
use frontdesk_tests::stun::StunServer;
use frontdesk_tests::telephone::Telephone;
use ipc::{CallState, Command, Registration};
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(10);
/// Where the exchange and its telephones are, in a network of the test's own.
const OFFICE: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
/// Likewise, beyond a router.
const OUTSIDE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 2);

#[test]
fn acc_5_a_desk_on_ipv6_alone_registers_and_talks_both_ways() {
    talks_by_ipv6(Standing { listen: "[::1]", ..Standing::default() });
}

#[test]
fn acc_5_a_desk_in_both_families_talks_in_that_of_its_exchange() {
    talks_by_ipv6(Standing { other: Some("[::1]"), ..Standing::default() });
}

/// Calls in and out with an exchange and telephones that are on IPv6 alone.
fn talks_by_ipv6(standing: Standing) {
    let mut house = House::build_at(IpAddr::V6(Ipv6Addr::LOCALHOST), standing, "", "none");
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    a.dial("5550100");
    let call = house.answer_next(&mut a);
    house.desk.hears(A_TONE);
    a.hears(DESK_TONE);
    house.client.command(Command::Hold { call }).unwrap();
    house.wait_state(call, CallState::Held);
    house.desk.hears_nothing();
    house.client.command(Command::Retrieve { call }).unwrap();
    house.wait_state(call, CallState::Talking);
    house.desk.hears(A_TONE);
    house.client.command(Command::HangUp { call }).unwrap();
    a.expect("CALL_CLOSED", SOON);
    house.client.wait_gone(call, SOON);

    let mut b = house.phone("2102", B_TONE, Codec::Opus);
    let call = house.call_to(&mut b);
    house.desk.hears(B_TONE);
    b.hears(DESK_TONE);
    b.hang_up();
    house.client.wait_gone(call, SOON);
}

#[test]
fn acc_5_app_3_a_desk_that_starts_before_its_network_is_there_and_registers_when_it_comes() {
    if !apart::is_alone(
        "acc_5_app_3_a_desk_that_starts_before_its_network_is_there_and_registers_when_it_comes",
    ) {
        return;
    }
    let folder = scratch();
    let network = Network::new("desk", folder.path());
    let mut ports = Ports::take();
    let port = ports.one();
    let password = Kamailio::password("desk");
    let account = Account { password, domain: DOMAIN.into(), ..Account::at_port(port) };
    let account = Account { registrar: format!("{OFFICE}:{port}"), ..account };
    let machine = Machine { sip: ports.one(), rtp: ports.rtp(), log: "info" };
    let standing = Standing { listen: "0.0.0.0", within: Some(network.path()), ..Standing::default() };
    let mut desk = Desk::start_standing(folder.path(), &account, NO_TIMERS, &machine, (None, standing));
    desk.program.wait_log("there is no network yet", SOON);
    let mut client = desk.client();
    let registered = |view: &ipc::View| view.operator.registration == Registration::Registered;
    client.wait("a desk that says so", SOON, |view| !registered(view));

    network.wire(("desk0", "10.77.0.10/24"), ("office0", "10.77.0.1/24"));
    let _exchange = Kamailio::start_on(folder.path(), OFFICE, port);
    client.wait("registered", Duration::from_secs(60), registered);
}

#[test]
fn acc_5_a_call_goes_on_both_ways_when_the_machine_gets_another_address() {
    if !apart::is_alone("acc_5_a_call_goes_on_both_ways_when_the_machine_gets_another_address") {
        return;
    }
    let folder = scratch();
    let machine = Network::new("desk", folder.path());
    machine.wire(("desk0", "10.77.0.10/24"), ("office0", "10.77.0.1/24"));
    let standing = Standing { listen: "0.0.0.0", within: Some(machine.path()), ..Standing::default() };
    let mut house = House::build_at(OFFICE.into(), standing, "", "none");
    let mut phone = house.pjsua("2101", A_TONE, Codec::Pcma);
    let call = house.called_by(&mut phone);
    house.desk.hears(A_TONE);
    phone.hears(DESK_TONE);

    machine.address("desk0", "10.77.0.20/24");
    house.desk.program.wait_log("this machine has another address", SOON);
    let re_registered = |view: &ipc::View| view.operator.registration == Registration::Registered;
    house.client.wait("registered again", SOON, re_registered);
    house.desk.hears(A_TONE);
    phone.hears(DESK_TONE);
    // The peer knows the new address: what it asks for in the call arrives.
    phone.hang_up();
    house.client.wait_gone(call, SOON);
    // And the exchange does: calls come in, and go out.
    let call = house.called_by(&mut phone);
    house.desk.hears(A_TONE);
    phone.hears(DESK_TONE);
    house.client.command(Command::HangUp { call }).unwrap();
    phone.is_over();
    house.client.wait_gone(call, SOON);
}

/// The outside of a house: the exchange, its telephones and a STUN server; behind a router the desk, at an address that
/// nobody outside can send to.
struct Behind {
    house: House,
    stun: StunServer,
    _router: Network,
    _machine: Network,
    _folder: TempDir,
}

/// Builds it, with a STUN server that is silent so far or not.
fn behind_a_router(silent: bool) -> Behind {
    let folder = scratch();
    let (router, machine) = (Network::new("router", folder.path()), Network::new("desk", folder.path()));
    router.wire(("outside", "203.0.113.1/24"), ("office0", "203.0.113.2/24"));
    router.wire_to(&machine, ("inside", "10.78.0.1/24"), ("desk0", "10.78.0.10/24"));
    machine.route("10.78.0.1");
    router.masquerade("outside");
    let stun = StunServer::start(folder.path(), OUTSIDE, 3478);
    if silent {
        stun.program.freeze(true);
    }
    let standing = Standing { listen: "0.0.0.0", within: Some(machine.path()), ..Standing::default() };
    let house = House::build_at(OUTSIDE.into(), standing, "", &format!("stun:{}", stun.address));
    Behind { house, stun, _router: router, _machine: machine, _folder: folder }
}

#[test]
fn acc_5_behind_a_router_callers_are_heard_at_the_address_that_a_stun_server_sees() {
    if !apart::is_alone("acc_5_behind_a_router_callers_are_heard_at_the_address_that_a_stun_server_sees") {
        return;
    }
    let Behind { mut house, stun, _router, _machine, _folder } = behind_a_router(false);
    house.desk.program.wait_log(&format!("STUN server server={}", stun.address), SOON);
    let mut phone = house.pjsua("2101", A_TONE, Codec::Pcma);
    let call = house.called_by(&mut phone);
    house.desk.hears(A_TONE);
    phone.hears(DESK_TONE);
    // It is no help of the telephone's own: the desk has told it where to send.
    let trace = phone.trace();
    assert!(trace.contains("c=IN IP4 203.0.113.1\r") && !trace.contains("c=IN IP4 10.78."), "{trace}");
    house.client.command(Command::Hold { call }).unwrap();
    house.wait_state(call, CallState::Held);
    house.client.command(Command::Retrieve { call }).unwrap();
    house.wait_state(call, CallState::Talking);
    house.desk.hears(A_TONE);
    phone.hears(DESK_TONE);
    phone.hang_up();
    house.client.wait_gone(call, SOON);

    let call = house.calls(&mut phone, "2101");
    house.desk.hears(A_TONE);
    phone.hears(DESK_TONE);
    house.client.command(Command::HangUp { call }).unwrap();
    phone.is_over();
}

#[test]
fn acc_5_a_silent_stun_server_is_told_once_and_holds_no_call_up() {
    if !apart::is_alone("acc_5_a_silent_stun_server_is_told_once_and_holds_no_call_up") {
        return;
    }
    let Behind { mut house, stun, _router, _machine, _folder } = behind_a_router(true);
    let silent = "no help from the STUN server: calls are heard at the desk's own address";
    house.desk.program.wait_log(silent, SOON);
    let mut phone = house.pjsua("2101", A_TONE, Codec::Pcma);
    let call = house.called_by(&mut phone);
    // It names an address that nobody outside can send to, but is heard all the same.
    phone.hears(DESK_TONE);
    assert!(phone.trace().contains("c=IN IP4 10.78.0.10\r"));
    house.client.command(Command::HangUp { call }).unwrap();
    phone.is_over();
    house.client.wait_gone(call, SOON);
    assert_eq!(house.desk.program.log().matches(silent).count(), 1, "once is enough");

    stun.program.freeze(false);
    house.desk.program.wait_log("the STUN server answers again", 2 * SOON);
    house.called_by(&mut phone);
    house.desk.hears(A_TONE);
    phone.hears(DESK_TONE);
    assert!(phone.trace().contains("c=IN IP4 203.0.113.1\r"));
}
