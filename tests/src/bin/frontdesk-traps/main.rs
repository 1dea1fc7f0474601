//! `make sip-traps`: every trap that exchanges set for telephones, played by SIPp against the real desk, as a table; then
//! 100,000 transactions through one desk, with its memory before and after and what is left of them.
//!
//! `FRONTDESK_TRAPS` plays only the traps whose scenario has it in its name. `FRONTDESK_TRANSACTIONS` changes their
//! number (0 leaves them out); with fewer than 100,000 that part does not pass.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a report is printed")]

mod leak;

use std::env;
use std::panic::catch_unwind;
use std::process::ExitCode;
use std::time::Instant;

use frontdesk_tests::report::{self, Row};
use frontdesk_tests::traps::{TRAPS, Trap};

/// The least that the second part is about.
const TRANSACTIONS: u32 = 100_000;

fn main() -> ExitCode {
    let wished = env::var("FRONTDESK_TRAPS").unwrap_or_default();
    let transactions = env::var("FRONTDESK_TRANSACTIONS").ok().and_then(|text| text.parse().ok());
    let mut rows: Vec<Row> =
        TRAPS.iter().filter(|trap| trap.scenario.contains(&wished)).map(played).collect();
    let transactions = transactions.unwrap_or(TRANSACTIONS);
    if transactions > 0 {
        report::guarded("the transactions", &mut rows, |rows| leak::run(transactions, rows));
    }
    report::publish("sip-traps", &rows)
}

fn played(trap: &Trap) -> Row {
    let began = Instant::now();
    let result = catch_unwind(trap.play);
    eprintln!(
        "{} {}: {:.1} s",
        trap.scenario,
        if result.is_ok() { "ok" } else { "FAIL" },
        began.elapsed().as_secs_f64()
    );
    match result {
        Ok(()) => Row::none(trap.what, 0).note(format!("tests/sipp/{}.xml", trap.scenario)),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked");
            Row::failed(trap.what, format!("{}.xml: {text}", trap.scenario))
        }
    }
}
