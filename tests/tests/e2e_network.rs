//! The network under the desk: IPv6 alone, and a machine whose address changes while somebody talks. kamailio is the
//! exchange, baresip and PJSUA2 the telephones. What needs networks of its own makes them (`frontdesk_tests::network`)
//! and fails where the system does not permit that.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use frontdesk_tests::apart;
use frontdesk_tests::baresip::Codec;
use frontdesk_tests::desk::Standing;
use frontdesk_tests::house::{House, scratch};
use frontdesk_tests::network::Network;
use frontdesk_tests::pjsua::Pjsua;
use frontdesk_tests::sound::{A_TONE, B_TONE, DESK_TONE};
use frontdesk_tests::telephone::Telephone;
use ipc::{CallRef, CallState, CallView, Command, Registration};

const SOON: Duration = Duration::from_secs(10);
/// Where the exchange and its telephones are, in a network of the test's own.
const OFFICE: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);

/// Answers the call of a PJSUA2 that has dialled.
fn answer(house: &mut House, phone: &mut Pjsua) -> CallRef {
    let rings = |call: &CallView| call.state == CallState::Ringing;
    let call = house.client.wait_call("a ringing call", SOON, rings).call;
    house.client.command(Command::Answer { call }).unwrap();
    phone.talks();
    house.wait_state(call, CallState::Talking);
    call
}

#[test]
fn acc_5_a_desk_on_ipv6_alone_registers_and_talks_both_ways() {
    let standing = Standing { listen: "[::1]", within: None };
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
fn acc_5_a_call_goes_on_both_ways_when_the_machine_gets_another_address() {
    if !apart::is_alone("acc_5_a_call_goes_on_both_ways_when_the_machine_gets_another_address") {
        return;
    }
    let folder = scratch();
    let machine = Network::new("desk", folder.path());
    machine.wire(("desk0", "10.77.0.10/24"), ("office0", "10.77.0.1/24"));
    let standing = Standing { listen: "0.0.0.0", within: Some(machine.path()) };
    let mut house = House::build_at(OFFICE.into(), standing, "", "none");
    let mut phone = house.pjsua("2101", A_TONE, Codec::Pcma);
    phone.dial("5550100");
    let call = answer(&mut house, &mut phone);
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
    phone.dial("5550100");
    let call = answer(&mut house, &mut phone);
    house.desk.hears(A_TONE);
    phone.hears(DESK_TONE);
    house.client.command(Command::HangUp { call }).unwrap();
    phone.is_over();
    house.client.wait_gone(call, SOON);
}
