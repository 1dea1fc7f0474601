//! Very many transactions through one desk, by SIPp: nine of ten are OPTIONS, the others are INVITE and BYE of calls
//! that the operator answers. Measured is a desk at rest, when SIP has forgotten every one (64 × T1 = 32 s, RFC 3261
//! section 17): after a warm-up, and at the end.
#![allow(clippy::print_stderr, reason = "who waits for minutes wants to see that it moves")]

use std::time::{Duration, Instant};

use frontdesk_tests::census;
use frontdesk_tests::report::Row;
use frontdesk_tests::sipp::{Run, Sipp};
use frontdesk_tests::traps::Scene;
use ipc::Census;

/// OPTIONS a second. The desk remembers each for 32 s, and 8192 transactions at most.
const OPTIONS: u32 = 170;
/// Calls a second.
const CALLS: u32 = 9;
/// Transactions before the first measurement: what grows to a bound shall have begun to.
const WARM_UP: u32 = 6_000;
/// How long the desk may take to forget: 64 × T1, and some.
const FORGOTTEN: Duration = Duration::from_secs(45);
/// The most that memory may grow, in MiB: a leak of 32 bytes a transaction would be as much. SQLite's page cache is
/// allowed to fill with the log's rows meanwhile (2 MB).
const GROWTH: f64 = 3.0;

/// Sends `wanted` transactions and adds what came of it.
pub(crate) fn run(wanted: u32, rows: &mut Vec<Row>) {
    let mut scene = Scene::build_quiet();
    let mut ended = 0;
    let _ = load(&mut scene, WARM_UP, &mut ended, "warm-up");
    let rest = at_rest(&mut scene);
    let before = scene.desk.program.resident_kib();
    eprintln!("{wanted} transactions, {} a second", OPTIONS + 2 * CALLS);
    let began = Instant::now();
    let (made, peak) = load(&mut scene, wanted, &mut ended, "load");
    let took = began.elapsed();
    let left = at_rest(&mut scene);
    let after = scene.desk.program.resident_kib();

    let values = [("transactions", f64::from(made)), ("a second", f64::from(made) / took.as_secs_f64())];
    rows.push(Row::at_least(
        "OPTIONS, INVITE and BYE that were answered",
        "",
        &values,
        "transactions",
        100_000.0,
    ));
    let mib = |kib: u64| kib as f64 / 1024.0;
    let growth = mib(after) - mib(before);
    let values = [("before", mib(before)), ("after", mib(after)), ("growth", growth)];
    rows.push(Row::of("resident memory not from files", "MiB", &values, "growth", GROWTH));
    rows.extend(census::none_left("after the warm-up", rest));
    rows.extend(census::none_left("at the end", left));
    let at_most = [("transactions", f64::from(peak.transactions)), ("calls", f64::from(peak.calls))];
    rows.push(Row::at_least("held at most meanwhile", "", &at_most, "transactions", 1.0));
}

/// Plays both scenarios side by side; how many transactions there were, and the most that was held.
#[track_caller]
fn load(scene: &mut Scene, wanted: u32, ended: &mut u32, name: &str) -> (u32, Census) {
    let calls = (wanted / 20).max(1);
    let options = wanted - 2 * calls;
    let limit = Duration::from_secs(u64::from((options / OPTIONS).max(calls / CALLS)) * 2 + 60);
    let asked = scene.ports.one();
    let folder = scene.scratch.path();
    let desk = scene.desk.sip;
    let run = |port, calls, rate| Run { calls, rate, limit, trace: false, ..Run::one(port, desk) };
    let options_run = run(asked, options, OPTIONS);
    let questions = Sipp::start_as(folder, "options", &format!("options-{name}"), options_run, &[]);
    let calls_run = run(scene.exchange, calls, CALLS);
    let callers = Sipp::start_as(folder, "short_call", &format!("calls-{name}"), calls_run, &[]);
    *ended += calls;
    scene.serve(*ended, limit);
    let peak = scene.client.diagnostics().census.expect("the engine answers within a second");
    callers.finish(limit);
    questions.finish(limit);
    (options + 2 * calls, peak)
}

/// Waits until the desk holds nothing any more, at most until SIP must have forgotten; what it holds then.
#[track_caller]
fn at_rest(scene: &mut Scene) -> Census {
    let end = Instant::now() + FORGOTTEN;
    loop {
        let census = scene.client.diagnostics().census.expect("the engine answers within a second");
        if census == Census::default() || Instant::now() >= end {
            return census;
        }
        // The views of these moments are of no interest, and are read all the same.
        let _ = scene.client.next_view(Duration::from_millis(500));
    }
}
