//! `make failover`: the better of two exchanges, reached by UDP, TCP or TLS, is stopped and continued, or killed and
//! started anew. How long until the desk notices, until a caller rings over the other one, and until it has returned; a
//! call on hold and one that is talked in are used meanwhile and afterwards.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a report is printed")]

use std::process::ExitCode;
use std::time::Duration;

use frontdesk_tests::dnsmasq::Service;
use frontdesk_tests::failover::{Fault, Pair, Times};
use frontdesk_tests::report::{self, Row};

/// What is played, and how often: a stop comes at another moment between two questions each time.
const PLAN: [(Service, Fault, u32); 5] = [
    (Service::Udp, Fault::Stopped, 4),
    (Service::Tcp, Fault::Stopped, 2),
    (Service::Tcp, Fault::Killed, 2),
    (Service::Tls, Fault::Stopped, 2),
    (Service::Tls, Fault::Killed, 2),
];
/// Bars in seconds: what is silent is found by asking, what breaks is known at once.
const NOTICE: f64 = 10.0;
const NOTICE_BROKEN: f64 = 2.0;
const RING: f64 = 15.0;
/// Two answers, ten seconds apart, after the first question that is answered.
const RETURN: f64 = 30.0;

fn main() -> ExitCode {
    let mut rows = Vec::new();
    for (service, fault, rounds) in PLAN {
        let name = format!("failover {service:?} {fault:?}").to_lowercase();
        report::guarded(&name, &mut rows, |rows| play(rows, service, fault, rounds));
    }
    report::publish("failover", &rows)
}

fn play(rows: &mut Vec<Row>, service: Service, fault: Fault, rounds: u32) {
    let what = format!("{service:?}, {fault:?}").to_lowercase();
    let times: Vec<Times> = (1..=rounds)
        .map(|round| {
            let times = Pair::build(service).fail_and_return(fault);
            println!(
                "{what}, round {round} of {rounds}: {times:.1?}; both calls were used meanwhile and ended after"
            );
            times
        })
        .collect();
    let row = |figure: &str, of: fn(&Times) -> Duration, bar| {
        let took = || times.iter().map(|times| of(times).as_secs_f64());
        let (least, most) = (took().fold(f64::INFINITY, f64::min), took().fold(0.0, f64::max));
        Row::of(format!("{what}: {figure}"), "s", &[("least", least), ("most", most)], "most", bar)
    };
    let notice = if fault == Fault::Killed { NOTICE_BROKEN } else { NOTICE };
    rows.push(row("the fault of the better exchange is noticed", |times| times.notice, notice));
    rows.push(row("a caller rings over the other one", |times| times.ring, RING));
    rows.push(row("back at the better one after its return", |times| times.home, RETURN));
}
