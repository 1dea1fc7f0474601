//! `make admin-report`: lets schemathesis, which we did not write, loose on the API of the administrator's page, by
//! its own description, on a box with a plugin, accounts and a token.
//!
//! Prints what schemathesis prints, and exits 0 only when no answer was a failure of the box (5xx).
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a report is printed")]

use std::env;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use frontdesk_tests::office::Office;

/// Test cases of an operation, at most.
const CASES: &str = "20";
/// Seconds for all of it, at most.
const SECONDS: &str = "120";
/// The same cases each time.
const SEED: &str = "20260101";

fn main() -> ExitCode {
    let home = PathBuf::from(env::var_os("HOME").unwrap_or_default());
    let program = home.join(".cache/frontdesk/tools/schemathesis/bin/schemathesis");
    if !program.is_file() {
        eprintln!("{} is not there; `make admin-report` fetches it", program.display());
        return ExitCode::FAILURE;
    }
    let mut office = Office::open(20);
    office.browser.open(&office.address.clone());
    let code = office.code();
    office.set_up_with(&code);
    office.install_ldap();
    office.configure_ldap();
    office.grant();
    office.browser.press("Enable");
    let token = office.make_token();

    let mut command = Command::new(program);
    command.current_dir(office.house.folder());
    command.arg("run").arg(format!("{}/api/v1/openapi.json", office.address));
    command.args(["--header", &format!("Authorization: Bearer {token}")]);
    command.args(["--tls-verify", "false", "--checks", "not_a_server_error"]);
    command.args(["--max-examples", CASES, "--max-time", SECONDS, "--seed", SEED]);
    command.args(["--continue-on-failure", "--workers", "1", "--no-color"]);
    // The box closes a connection that was idle for long, maybe just as the next request is sent.
    command.args(["--request-retries", "2"]);
    // It would take its own token away, and find doors shut from then on.
    command.args(["--exclude-path", "/api/v1/tokens/{id}"]);
    let found = command.status();
    let lives = office.house.desk.program.exit_status().is_none();
    println!("the desk {}", if lives { "still runs" } else { "has ended" });
    match found {
        Ok(status) if status.success() && lives => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("schemathesis cannot be started: {error}");
            ExitCode::FAILURE
        }
    }
}
