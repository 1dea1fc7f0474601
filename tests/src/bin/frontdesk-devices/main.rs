//! `make device-report` (HW-3): sound devices pulled out, put back, blocked and stopped in the middle of calls, and for
//! how long nothing was heard on either side.
//!
//! First the devices are an external plugin of ALSA with a clock of its own, and the desk and the telephone the real
//! programs; then a kernel in QEMU has the devices, and speech is our media engine alone.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a report is printed")]

mod call;
mod machine;

use std::env;
use std::path::Path;
use std::process::{Command, ExitCode};

use frontdesk_tests::{pulled, report};

/// A folder in memory: a disk that is busy holds up whoever records, and what is measured is not the disk.
const MEMORY: &str = "/dev/shm";
/// Where scratch folders are made.
const SCRATCH: &str = "TMPDIR";

fn main() -> ExitCode {
    if Path::new(MEMORY).is_dir() && env::var_os(SCRATCH).is_none() {
        let mut again = Command::new(env::current_exe().expect("a running program has a path"));
        let again = again.env(SCRATCH, MEMORY).status();
        return if again.is_ok_and(|status| status.success()) {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        };
    }
    let folder = tempfile::tempdir().expect("a folder for what is scratched");
    let (alsa, cards) = pulled::cards(folder.path(), &call::DEVICES);
    let mut rows = Vec::new();
    report::guarded("devices", &mut rows, |rows| call::measure(&alsa, &cards, rows));
    report::guarded("machine", &mut rows, machine::measure);
    report::publish("devices", &rows)
}
