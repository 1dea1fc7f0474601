//! `make echo-report`: whether callers hear themselves when the operator speaks hands-free.
//!
//! Exits 0 only when every figure is within its bar.

use std::process::ExitCode;

use frontdesk_tests::echo_report::{self, Scene};
use frontdesk_tests::report;

fn main() -> ExitCode {
    let mut rows = Vec::new();
    let scene = Scene::spoken();
    report::guarded("the worked-out room", &mut rows, |rows| rows.extend(echo_report::rows(&scene)));
    report::guarded("the whole desk", &mut rows, |rows| rows.push(echo_report::row(&scene)));
    report::publish("echo", &rows)
}
