//! `make audio-hours`: eight simulated hours of calls through the media engine. Memory stays level, no buffer is late, and
//! the audio thread takes no lock and allocates nothing; and a minute in real time, for how late that thread wakes.
//!
//! `--hours N` simulates fewer; `--seed N` throws the dice otherwise.
#![allow(clippy::print_stderr, reason = "what is wrong with the arguments is said")]

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use frontdesk_tests::hours::{self, Counting, Plan};
use frontdesk_tests::report;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> ExitCode {
    let mut plan = Plan { hours: 8, hour: Duration::from_secs(3600), seed: 7 };
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let value = arguments.next().and_then(|value| value.parse::<u32>().ok());
        match (argument.as_str(), value) {
            ("--hours", Some(hours)) => plan.hours = hours,
            ("--seed", Some(seed)) => plan.seed = u64::from(seed),
            _ => {
                eprintln!("audio-hours: {argument}: not understood");
                return ExitCode::FAILURE;
            }
        }
    }
    let mut rows = Vec::new();
    report::guarded("simulated hours", &mut rows, |rows| hours::simulate(plan, rows));
    report::guarded("real time", &mut rows, |rows| hours::in_real_time(Duration::from_secs(60), rows));
    report::publish("audio-hours", &rows)
}
