//! `make conference-report` (CONF-1): five telephones of another maker in one conference with the operator, each with a
//! tone of its own. What everybody hears is found by frequency: exactly the others, in full, muted, without one who
//! left and without the operator; and what the conference costs of a processor.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a report is printed")]

mod room;

use std::process::ExitCode;

use frontdesk_tests::report;

fn main() -> ExitCode {
    let mut rows = Vec::new();
    report::guarded("conference", &mut rows, room::measure);
    report::publish("conference", &rows)
}
