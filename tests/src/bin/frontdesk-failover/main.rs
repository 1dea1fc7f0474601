//! `make failover`: the better of two exchanges is stopped and continued. How long until the desk notices, until a
//! caller rings over the other one, and until it has returned; a call on hold and one that is talked in are used
//! meanwhile and afterwards.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a report is printed")]

use std::process::ExitCode;
use std::time::Duration;

use frontdesk_tests::failover::{Pair, Times};
use frontdesk_tests::report::{self, Row};

/// It stops at another moment between two questions each time.
const ROUNDS: u32 = 4;
/// Bars in seconds.
const NOTICE: f64 = 10.0;
const RING: f64 = 15.0;
/// Two answers, ten seconds apart, after the first question that is answered.
const RETURN: f64 = 30.0;

fn main() -> ExitCode {
    let mut rows = Vec::new();
    report::guarded("failover", &mut rows, |rows| {
        let times: Vec<Times> = (1..=ROUNDS)
            .map(|round| {
                let times = Pair::build().fail_and_return();
                println!(
                    "round {round} of {ROUNDS}: {times:.1?}; both calls were used meanwhile and ended after"
                );
                times
            })
            .collect();
        let row = |figure: &str, of: fn(&Times) -> Duration, bar| {
            let took = || times.iter().map(|times| of(times).as_secs_f64());
            let (least, most) = (took().fold(f64::INFINITY, f64::min), took().fold(0.0, f64::max));
            Row::of(figure, "s", &[("least", least), ("most", most)], "most", bar)
        };
        rows.push(row("the stop of the better exchange is noticed", |times| times.notice, NOTICE));
        rows.push(row("a caller rings over the other one", |times| times.ring, RING));
        rows.push(row("back at the better one after its return", |times| times.home, RETURN));
    });
    report::print(&rows);
    println!("\n{}", report::machine());
    if let Err(error) = report::write("failover", &rows) {
        eprintln!("the report cannot be written: {error}");
        return ExitCode::FAILURE;
    }
    report::conclude(&rows)
}
