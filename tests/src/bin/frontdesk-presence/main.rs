//! `make presence-report`: two thousand lamps that kamailio lights, and whether they tell the truth in time.
//!
//! All lamps are asked for at once; then the phones change a thousand times a second, looked at over the desk's
//! socket and on the screen; then kamailio is killed and started again, once for so long that the desk notices, once
//! at once. What the phones do is told to kamailio by PUBLISH from here. The clock of a change starts when its
//! PUBLISH leaves, so that kamailio's own work counts as well; the figure beside it starts when kamailio has answered
//! the PUBLISH, which is just before it sends the NOTIFY.
//!
//! `FRONTDESK_PRESENCE_LAMPS`, `_RATE` (changes a second) and `_SECONDS` change the size; a run smaller than 2,000
//! lamps and 1,000 changes a second for 10 s does not pass.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a report is printed")]

mod board;
mod glass;
mod plan;
mod run;
mod words;

use std::process::ExitCode;

use frontdesk_tests::report;

use crate::plan::Plan;

fn main() -> ExitCode {
    if cfg!(debug_assertions) {
        eprintln!("these figures are of an unoptimised build: use `make presence-report`");
    }
    let plan = Plan::asked();
    let mut rows = Vec::new();
    report::guarded("presence", &mut rows, |rows| run::run(plan, rows));
    report::publish("presence", &rows)
}
