//! Two exchanges behind one name of a real name server: the better one stops, and comes back. How long that may
//! take is asserted with a clock of its own in `firmware/sip/tests/agent/failover.rs`, and printed by `make failover`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use frontdesk_tests::failover::Pair;

#[test]
fn acc_5_calls_come_in_over_the_second_exchange_when_the_first_stops_and_held_calls_survive() {
    Pair::build().fail_and_return();
}

#[test]
fn acc_5_a_call_that_the_first_exchange_only_tried_rings_over_the_second_when_it_stops() {
    let took = Pair::build().a_tried_call_goes_on();
    println!("rang {took:.1?} after the stop");
}
