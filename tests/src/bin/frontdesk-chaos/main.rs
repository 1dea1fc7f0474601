//! `make chaos`: one desk among real peers (kamailio, SIPp, baresip) while datagrams are dropped and peers
//! die, and at the end the books: calls that came in = talked + voicemail + forwarded + abandoned + rejected
//! + transferred, none unaccounted.
//!
//! Runs in a network of its own (see `apart`). `FRONTDESK_CHAOS_CALLS` changes how many calls SIPp places,
//! `FRONTDESK_CHAOS_SEED` what the operator and the telephones choose; the network's own dice are the
//! kernel's, so a seed repeats the choices, not the run. What the callers see is read from their own traces
//! (`wire`) and never from the desk.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a report is printed")]

mod books;
mod crowd;
mod loss;
mod operator;
mod phases;
mod phones;
mod run;
mod verdict;
mod wire;

use std::env;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use frontdesk_tests::{apart, report};

/// Calls that SIPp places; the telephones place more.
const CALLS: u64 = 160;

fn main() -> ExitCode {
    match apart::is_inside() {
        Ok(true) => inside(),
        Ok(false) => match apart::run_inside(&[]) {
            Ok(status) if status.success() => ExitCode::SUCCESS,
            Ok(_) => ExitCode::FAILURE,
            Err(error) => failed(&error),
        },
        Err(error) => failed(&error),
    }
}

/// The run itself, in a network of our own.
fn inside() -> ExitCode {
    if let Err(error) = apart::loopback_up().and_then(|()| loss::prepare()) {
        return failed(&error);
    }
    let calls = u32::try_from(asked("FRONTDESK_CHAOS_CALLS", CALLS)).unwrap_or(u32::MAX);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seed = asked("FRONTDESK_CHAOS_SEED", now.as_secs());
    eprintln!("{calls} calls from SIPp, FRONTDESK_CHAOS_SEED={seed}");
    let mut rows = Vec::new();
    report::guarded("chaos", &mut rows, |rows| {
        let day = run::run(calls, seed);
        verdict::print_books(&day);
        rows.extend(verdict::rows(&day));
    });
    report::print(&rows);
    println!("\n{}, seed {seed}", report::machine());
    if let Err(error) = report::write("chaos", &rows) {
        return failed(&format!("the report cannot be written: {error}"));
    }
    report::conclude(&rows)
}

fn asked(name: &str, default: u64) -> u64 {
    let Ok(text) = env::var(name) else { return default };
    text.parse().unwrap_or_else(|error| panic!("{name}={text}: {error}"))
}

fn failed(error: &str) -> ExitCode {
    eprintln!("{error}");
    ExitCode::FAILURE
}
