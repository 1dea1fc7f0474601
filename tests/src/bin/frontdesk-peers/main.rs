//! `make peers`: the desk with telephones of three other makers at the other end, over every transport, in every way
//! of using a telephone that needs both ends. Each cell of the table was done, with speech found by frequency in both
//! directions; `–` is what the peer itself cannot do, with the reason below the table.
//!
//! `FRONTDESK_PEERS` runs only what all its words are about, each the name of a peer, a transport or a column:
//! `baresip tcp`, `blind`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a report is printed")]

mod matrix;
mod table;

use std::process::ExitCode;

use frontdesk_tests::report;

fn main() -> ExitCode {
    let wished = std::env::var("FRONTDESK_PEERS").unwrap_or_default();
    let lines = matrix::run(&wished);
    table::print(&lines);
    println!("\n{}", report::machine());
    if let Err(error) = table::write(&lines) {
        eprintln!("the report cannot be written: {error}");
        return ExitCode::FAILURE;
    }
    table::conclude(&lines)
}
