//! `make plugin-report`: each hostile plugin of the catalogue, the limit it ran into and how long that took.
//! Ends with an error if one was not contained.
#![allow(clippy::print_stdout, reason = "a report")]

#[path = "../tests/yard/mod.rs"]
mod yard;

use std::process::ExitCode;

use yard::hostile::{self, CASES};

fn main() -> ExitCode {
    let yard = hostile::yard();
    let mut escaped = 0;
    println!("{:<58} {:>8}  limit", "hostile plugin, file or server", "time");
    for case in CASES {
        let outcome = case.try_it(&yard);
        let words: String = outcome.words.chars().take(90).collect();
        let mark = if outcome.contained { "" } else { "  NOT CONTAINED" };
        escaped += u32::from(!outcome.contained);
        println!("{:<58} {:>5} ms  {words}{mark}", case.name, outcome.took.as_millis());
    }
    println!("{} of {} contained", CASES.len() - escaped as usize, CASES.len());
    if escaped == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
