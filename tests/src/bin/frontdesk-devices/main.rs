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

/// Says to a second run of this program where its devices are.
const FOLDER: &str = "FRONTDESK_PULLED";

fn main() -> ExitCode {
    let Some(folder) = env::var_os(FOLDER) else { return with_devices() };
    let (_, cards) = pulled::cards(folder.as_ref(), &call::DEVICES);
    let mut rows = Vec::new();
    report::guarded("devices", &mut rows, |rows| call::measure(&cards, rows));
    report::guarded("machine", &mut rows, machine::measure);
    report::publish("devices", &rows)
}

/// A folder in memory: a disk that is busy holds up whoever records, and what is measured is not the disk.
const MEMORY: &str = "/dev/shm";

/// ALSA reads where its configuration is from the environment, which all programs started from here share.
fn with_devices() -> ExitCode {
    let memory = Path::new(MEMORY).is_dir().then_some(MEMORY);
    let folder =
        memory.map_or_else(tempfile::tempdir, tempfile::tempdir_in).expect("a folder for what is scratched");
    let (configuration, _) = pulled::cards(folder.path(), &call::DEVICES);
    let mut again = Command::new(env::current_exe().expect("a running program has a path"));
    again
        .env(FOLDER, folder.path())
        .env("ALSA_CONFIG_PATH", configuration)
        .envs(memory.map(|at| ("TMPDIR", at)));
    let again = again.status();
    if again.is_ok_and(|status| status.success()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
