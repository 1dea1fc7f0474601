//! `make plugin-report`: each hostile plugin of the catalogue, the limit it ran into and how long that took.
//! Ends with an error if one was not contained.
#![allow(clippy::print_stdout, reason = "a report")]
#![allow(clippy::unwrap_used, reason = "a report ends at the first thing that does not hold")]

#[path = "../tests/yard/mod.rs"]
mod yard;

use std::process::ExitCode;
use std::time::Instant;

use plugin_host::connector::Cancel;
use yard::Yard;
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
    costs(&yard);
    println!("{} of {} contained", CASES.len() - escaped as usize, CASES.len());
    if escaped == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What a plugin that behaves costs, for comparison.
fn costs(yard: &Yard) {
    let started = Instant::now();
    let plugin = yard.hostile("well-behaved", "");
    let load = started.elapsed();
    let mut calls: Vec<_> = (0..101)
        .map(|_| {
            plugin.check(&Cancel::default()).unwrap();
            plugin.last_cost()
        })
        .collect();
    calls.sort_by_key(|cost| cost.wall);
    let median = calls[calls.len() / 2];
    println!("well-behaved: read, found compiled and linked in {} us", load.as_micros());
    println!(
        "a call with a fresh memory {} us (median of {}), {} KiB of memory",
        median.wall.as_micros(),
        calls.len(),
        median.memory >> 10
    );
}
