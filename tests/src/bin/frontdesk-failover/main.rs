//! `make failover`: the better of two exchanges is stopped and continued. How long until the desk notices, until a
//! caller rings over the other one, and until it has returned; a call on hold and one that is talked in are used
//! meanwhile and afterwards.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a report is printed")]

use std::process::ExitCode;
use std::time::Duration;

use frontdesk_tests::failover::Pair;
use frontdesk_tests::report::{self, Row};

/// Bars in seconds.
const NOTICE: f64 = 10.0;
const RING: f64 = 15.0;
/// Two answers, ten seconds apart, after the first question that is answered.
const RETURN: f64 = 30.0;

fn main() -> ExitCode {
    let mut rows = Vec::new();
    report::guarded("failover", &mut rows, |rows| {
        let times = Pair::build().fail_and_return();
        let row = |figure: &str, took: Duration, bar| {
            Row::of(figure, "s", &[("once", took.as_secs_f64())], "once", bar)
        };
        rows.push(row("the stop of the better exchange is noticed", times.notice, NOTICE));
        rows.push(row("a caller rings over the other one", times.ring, RING));
        rows.push(row("back at the better one after its return", times.home, RETURN));
        println!("both calls were held, taken back and hung up, before and after");
    });
    report::print(&rows);
    println!("\n{}", report::machine());
    if let Err(error) = report::write("failover", &rows) {
        eprintln!("the report cannot be written: {error}");
        return ExitCode::FAILURE;
    }
    report::conclude(&rows)
}
