//! `make bench`: speed and size, each figure against its bar.
//!
//! Prints a table, writes it to `target/reports/bench.json`, ends with `N passed, N failed`, and exits
//! 0 only when every bar holds. Figures of the real programs are in `live`, `storm`, `set_up` and `plugins`, those of
//! single functions in `wire`, `search`, `board`, `frames` and `records`. Names given on the command line choose among them, and then
//! no file is written.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a report is printed")]

mod board;
mod day;
mod exchange;
mod far_end;
mod frames;
mod glass;
mod house;
mod live;
mod peers;
mod people;
mod plugins;
mod queries;
mod records;
mod search;
mod set_up;
mod stopwatch;
mod storm;
mod tap;
mod wire;

use std::env;
use std::process::ExitCode;

use frontdesk_tests::report::{self, Row};

/// A group of figures.
struct Group {
    name: &'static str,
    measure: fn(&mut Vec<Row>),
}

/// The real programs first, in a process that has not yet filled its own memory.
const GROUPS: [Group; 9] = [
    Group { name: "live", measure: live::measure },
    // What the desk shares with kamailio, and with another user agent.
    Group { name: "sip", measure: storm::measure },
    Group { name: "sip", measure: set_up::measure },
    Group { name: "plugins", measure: plugins::measure },
    Group { name: "wire", measure: |rows| rows.extend(wire::measure()) },
    Group { name: "board", measure: |rows| rows.extend(board::measure()) },
    Group { name: "search", measure: |rows| rows.extend(search::measure()) },
    Group { name: "frames", measure: |rows| rows.extend(frames::measure()) },
    Group { name: "records", measure: |rows| rows.extend(records::measure()) },
];

fn main() -> ExitCode {
    let wanted: Vec<String> = env::args().skip(1).collect();
    if let Some(unknown) = wanted.iter().find(|name| GROUPS.iter().all(|group| group.name != *name)) {
        eprintln!(
            "no group of figures is called {unknown}; there are live, sip, plugins, wire, board, search, frames, records"
        );
        return ExitCode::FAILURE;
    }
    if cfg!(debug_assertions) {
        eprintln!("these figures are of an unoptimised build: use `make bench`");
    }
    let mut rows = Vec::new();
    for group in
        GROUPS.iter().filter(|group| wanted.is_empty() || wanted.iter().any(|name| name == group.name))
    {
        eprintln!("measuring: {}", group.name);
        report::guarded(group.name, &mut rows, group.measure);
    }
    report::print(&rows);
    println!("\n{}", report::machine());
    println!(
        "live figures and those of plugins go by the clock on the wall, all others by the processor time of one thread"
    );
    // A choice of figures is for whoever works on them; the report is of all.
    if wanted.is_empty()
        && let Err(error) = report::write("bench", &rows)
    {
        eprintln!("the report cannot be written: {error}");
        return ExitCode::FAILURE;
    }
    report::conclude(&rows)
}
