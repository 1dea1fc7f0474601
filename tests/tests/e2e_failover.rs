//! Two exchanges behind one name of a real name server, by UDP, TCP and TLS: the better one stops or dies, and comes back.
//! How long that may take is asserted with a clock of its own in `firmware/sip/tests/agent/failover.rs`, and printed by
//! `make failover`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::time::Duration;

use frontdesk_tests::dnsmasq::Service;
use frontdesk_tests::failover::{Exchanges, Fault, Pair};
use frontdesk_tests::house;
use frontdesk_tests::ports::Ports;
use ipc::Registration;

#[test]
fn acc_5_calls_come_in_over_the_second_exchange_when_the_first_stops_and_held_calls_survive() {
    Pair::build(Service::Udp).fail_and_return(Fault::Stopped);
}

#[test]
fn acc_5_the_same_where_a_tcp_connection_falls_silent_without_an_end() {
    Pair::build(Service::Tcp).fail_and_return(Fault::Stopped);
}

#[test]
fn acc_5_the_same_where_a_tcp_connection_breaks_with_its_exchange() {
    Pair::build(Service::Tcp).fail_and_return(Fault::Killed);
}

#[test]
fn acc_5_the_same_where_a_tls_connection_falls_silent_without_an_end() {
    Pair::build(Service::Tls).fail_and_return(Fault::Stopped);
}

#[test]
fn acc_5_the_same_where_a_tls_connection_breaks_with_its_exchange() {
    Pair::build(Service::Tls).fail_and_return(Fault::Killed);
}

#[test]
fn acc_5_a_machine_behind_the_name_of_an_exchange_needs_a_certificate_for_that_name_and_not_its_own() {
    let (scratch, mut ports) = (house::scratch(), Ports::take());
    let scene = Exchanges::start(&scratch, &mut ports, Service::Tls, "first.desk.test");
    let failed = |registration: &Registration| match registration {
        Registration::Failed { reason } => reason.contains("for first.desk.test, not for desk.test"),
        _ => false,
    };
    let soon = Duration::from_secs(15);
    scene.desk.client().wait("a refused certificate", soon, |view| failed(&view.operator.registration));
}

#[test]
fn acc_5_a_call_that_the_first_exchange_only_tried_rings_over_the_second_when_it_stops() {
    let took = Pair::build(Service::Udp).a_tried_call_goes_on();
    println!("rang {took:.1?} after the stop");
}
