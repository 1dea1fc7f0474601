//! Very many transactions through one desk, by SIPp: nine of ten are OPTIONS, the others are INVITE and BYE of calls
//! that the operator answers. Measured is a desk at rest, when SIP has forgotten every one (64 × T1 = 32 s, RFC 3261
//! section 17): after a warm-up, in the middle and at the end. A leak grows in the second half as it did in the first;
//! what fills up to a bound, such as the trace, has done so by then. SQLite's page cache would not have: it is filled first.
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
const WARM_UP: u32 = 20_000;
/// How often the log of the warm-up is doubled: of 1,000 calls 8,000, which are more than SQLite keeps pages of.
const DOUBLINGS: u32 = 3;
/// How long the desk may take to forget: 64 × T1, and some.
const FORGOTTEN: Duration = Duration::from_secs(45);
/// The most that memory may grow in the second half, in MiB: of 50,000 transactions, a leak of 16 bytes each would be
/// more.
const GROWTH: f64 = 0.75;
/// SIPp plays no exchange between the loads: the desk's question whether it is there (OPTIONS) waits for its answer.
const QUESTIONS: u32 = 1;

/// Sends `wanted` transactions and adds what came of it.
pub(crate) fn run(wanted: u32, rows: &mut Vec<Row>) {
    let mut scene = Scene::build_quiet();
    let mut ended = 0;
    let _ = load(&mut scene, WARM_UP, &mut ended, "warm-up");
    let _ = at_rest(&mut scene);
    ended = fill_page_cache(&mut scene);
    let before = at_rest(&mut scene);
    eprintln!("{wanted} transactions, {} a second", OPTIONS + 2 * CALLS);
    let first = load(&mut scene, wanted / 2, &mut ended, "first-half");
    let middle = at_rest(&mut scene);
    let second = load(&mut scene, wanted - wanted / 2, &mut ended, "second-half");
    let after = at_rest(&mut scene);

    let made = first.transactions + second.transactions;
    let rate = f64::from(made) / (first.took + second.took).as_secs_f64();
    let values = [("transactions", f64::from(made)), ("a second", rate)];
    rows.push(Row::at_least(
        "OPTIONS, INVITE and BYE that were answered",
        "",
        &values,
        "transactions",
        100_000.0,
    ));
    let memory = [before.memory, middle.memory, after.memory];
    let values = [("before", memory[0]), ("middle", memory[1]), ("after", memory[2])];
    let growth = [("first half", memory[1] - memory[0]), ("second half", memory[2] - memory[1])];
    rows.push(Row::told("resident memory not from files", "MiB", &values));
    rows.push(Row::of("growth of that memory", "MiB", &growth, "second half", GROWTH));
    rows.extend(census::none_left_but(QUESTIONS, "after the warm-up", before.held));
    rows.extend(census::none_left_but(QUESTIONS, "at the end", after.held));
    let peak = census::most(first.peak, second.peak);
    let at_most = [("transactions", f64::from(peak.transactions)), ("calls", f64::from(peak.calls))];
    rows.push(Row::at_least("held at most meanwhile", "", &at_most, "transactions", 1.0));
}

/// Has the desk read a log that is larger than what SQLite keeps of a database (2,000 KiB, its `cache_size`): else those pages
/// would go on coming for some 6,000 calls, and look like a leak. How many calls the log then has.
#[track_caller]
fn fill_page_cache(scene: &mut Scene) -> u32 {
    let columns =
        scene.desk.database("SELECT group_concat(name) FROM pragma_table_info('call') WHERE name <> 'id'");
    let columns = columns.trim();
    for _ in 0..DOUBLINGS {
        let _ = scene.desk.database(&format!("INSERT INTO call ({columns}) SELECT {columns} FROM call"));
    }
    let rows = scene.client.whole_log().len();
    eprintln!("a log of {rows} calls was read");
    u32::try_from(rows).expect("a log of some thousands")
}

/// What came of a load.
struct Load {
    transactions: u32,
    took: Duration,
    /// The most that was held.
    peak: Census,
}

/// Plays both scenarios side by side.
#[track_caller]
fn load(scene: &mut Scene, wanted: u32, ended: &mut u32, name: &str) -> Load {
    let began = Instant::now();
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
    Load { transactions: options + 2 * calls, took: began.elapsed(), peak }
}

/// A desk at rest.
struct Rest {
    held: Census,
    /// Resident and not from files, in MiB.
    memory: f64,
}

/// Waits until the desk holds nothing any more but its own questions, at most until SIP must have forgotten.
#[track_caller]
fn at_rest(scene: &mut Scene) -> Rest {
    let end = Instant::now() + FORGOTTEN;
    loop {
        let held = scene.client.diagnostics().census.expect("the engine answers within a second");
        let others = Census { transactions: held.transactions.saturating_sub(QUESTIONS), ..held };
        if others == Census::default() || Instant::now() >= end {
            return Rest { held, memory: scene.desk.program.resident_kib() as f64 / 1024.0 };
        }
        // The views of these moments are of no interest, and are read all the same.
        let _ = scene.client.next_view(Duration::from_millis(500));
    }
}
