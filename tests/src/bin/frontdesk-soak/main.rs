//! `make soak`: twenty thousand calls through one `frontdeskd`, and nothing of them left behind.
//!
//! The desk is warmed up, left alone until SIP has forgotten every call (64 × T1 = 32 s, RFC 3261 section
//! 17), and measured; then come the calls, the same silence, and the same measurement. Memory may not have
//! grown by 1 %, nothing may be held, and the desk's log must agree with what every single caller saw.
//!
//! `FRONTDESK_SOAK_CALLS` and `FRONTDESK_SOAK_RATE` (calls a second) change the load; with fewer calls than
//! twenty thousand the report does not pass.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a report is printed")]

mod callers;
mod operator;
mod plan;

use std::collections::BTreeMap;
use std::env;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use frontdesk_tests::census;
use frontdesk_tests::desk::{Account, Desk, Machine, NO_TIMERS};
use frontdesk_tests::house::scratch;
use frontdesk_tests::ports::Ports;
use frontdesk_tests::report::{self, Row};
use frontdesk_tests::socket::Client;
use ipc::{Census, Registration};

use crate::callers::Callers;
use crate::operator::Operator;
use crate::plan::{Balance, Number, Outcome};

/// The least that the report is about.
const CALLS: u32 = 20_000;
/// Calls before the first measurement: everything that grows to a bound must have reached it. The last to do so
/// is SQLite's page cache, full of log rows (2 MB) after some 14,000 calls.
const WARM_UP: u32 = 16_000;
/// Calls a second. Each leaves two or three transactions behind for 32 s, and the desk keeps 8192.
const RATE: u32 = 80;
/// Ports for sound, two a call; below the kernel's own range and above that of the tests.
const RTP: (u16, u16) = (32_000, 32_767);
const SOON: Duration = Duration::from_secs(20);
/// How long the desk may take to finish the last calls.
const LAST_CALLS: Duration = Duration::from_secs(90);
/// 64 × T1, and some.
const FORGOTTEN: Duration = Duration::from_secs(45);
/// How often the desk is asked what it holds.
const ASK: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    let (calls, rate) = (asked("FRONTDESK_SOAK_CALLS", CALLS), asked("FRONTDESK_SOAK_RATE", RATE));
    let mut rows = Vec::new();
    report::guarded("soak", &mut rows, |rows| soak(calls, rate, rows));
    report::publish("soak", &rows)
}

fn asked(name: &str, default: u32) -> u32 {
    let Ok(text) = env::var(name) else { return default };
    text.parse().unwrap_or_else(|error| panic!("{name}={text}: {error}"))
}

fn soak(calls: u32, rate: u32, rows: &mut Vec<Row>) {
    let scratch = scratch();
    let mut ports = Ports::take();
    let (exchange, sip) = (ports.one(), ports.one());
    let desk_address = SocketAddr::from(([127, 0, 0, 1], sip));
    let callers = Callers::start(exchange, desk_address, rate);
    let machine = Machine { sip, rtp: RTP, log: "info" };
    let account = Account::at_port(exchange);
    let mut desk = Desk::start_on(scratch.path(), &account, NO_TIMERS, &machine);
    desk.client().wait("a desk that is registered", SOON, |view| {
        view.operator.registration == Registration::Registered
    });
    let mut run = Run {
        callers: &callers,
        client: desk.client(),
        operator: Operator::new(format!("sip:2101@127.0.0.1:{exchange}")),
        peak: Census::default(),
    };
    eprintln!("warming up with {WARM_UP} calls");
    run.calls(WARM_UP);
    let rest = run.rest();
    let before = desk.program.resident_kib();
    eprintln!("{calls} calls, {rate} a second");
    let began = Instant::now();
    run.calls(WARM_UP + calls);
    let took = began.elapsed();
    let left = run.rest();
    let after = desk.program.resident_kib();
    let (peak, refused) = (run.peak, run.operator.refused);
    let log = run.client.whole_log();
    let up = desk.program.exit_status().is_none();
    let seen = callers.finish();
    let balance = Balance::strike(&seen, &log);

    let made = seen.len().saturating_sub(WARM_UP as usize);
    rows.push(throughput(made, took, refused));
    rows.push(memory(before, after));
    rows.extend(census::none_left("after the warm-up", rest));
    rows.extend(census::none_left("at the end", left));
    rows.push(census::peaks(peak));
    rows.extend(books(&seen, &balance));
    rows.push(Row::none("frontdeskd has ended meanwhile", usize::from(!up)));
}

/// The operator at work while the callers call.
struct Run<'a> {
    callers: &'a Callers,
    client: Client,
    operator: Operator,
    peak: Census,
}

impl Run<'_> {
    /// Works until `wanted` calls in all have ended for their callers.
    #[track_caller]
    fn calls(&mut self, wanted: u32) {
        self.callers.board.wanted.store(wanted, Ordering::Release);
        let mut asked = Instant::now();
        let (mut ended, mut moved) = (0, Instant::now());
        while ended < wanted {
            if let Some(view) = self.client.next_view(Duration::from_millis(200)) {
                self.operator.work(&mut self.client, &view);
            }
            let now = self.callers.board.ended.load(Ordering::Acquire);
            if now != ended {
                (ended, moved) = (now, Instant::now());
            }
            assert!(moved.elapsed() < LAST_CALLS, "no call has ended for {LAST_CALLS:?}; {ended} before");
            if asked.elapsed() >= ASK {
                asked = Instant::now();
                self.watch();
            }
        }
    }

    /// Waits until the desk holds nothing any more, at most until SIP must have forgotten; what it holds then.
    #[track_caller]
    fn rest(&mut self) -> Census {
        let end = Instant::now() + FORGOTTEN;
        loop {
            let census = self.watch();
            if census == Census::default() || Instant::now() >= end {
                return census;
            }
            // The views of these moments are of no interest, and are read all the same.
            let _ = self.client.next_view(ASK);
        }
    }

    #[track_caller]
    fn watch(&mut self) -> Census {
        let census = self.client.diagnostics().census.expect("the engine answers within a second");
        self.peak = census::most(self.peak, census);
        census
    }
}

fn throughput(made: usize, took: Duration, refused: usize) -> Row {
    let rate = made as f64 / took.as_secs_f64();
    let values = [("calls", made as f64), ("a second", rate)];
    Row::at_least("calls that came in", "", &values, "calls", f64::from(CALLS))
        .note(format!("{refused} commands of the operator came too late for their call"))
}

fn memory(before: u64, after: u64) -> Row {
    let growth = (after as f64 - before as f64) * 100.0 / before as f64;
    let mib = |kib: u64| kib as f64 / 1024.0;
    let values = [("growth %", growth), ("MiB before", mib(before)), ("MiB after", mib(after))];
    Row::of("memory of frontdeskd not from files", "", &values, "growth %", 1.0)
        .note("resident, each time when SIP has forgotten every call")
}

fn books(seen: &BTreeMap<Number, Outcome>, balance: &Balance) -> Vec<Row> {
    let first = |numbers: &[Number]| {
        numbers
            .first()
            .map_or_else(String::new, |number| format!("{} {:?} first", number.written(), number.plan()))
    };
    let ends: Vec<(&'static str, f64)> =
        balance.ends.iter().map(|(name, count)| (*name, *count as f64)).collect();
    let logged: f64 = ends.iter().map(|(_, count)| count).sum();
    let values: Vec<_> = ends.into_iter().chain([("rows", logged)]).collect();
    let unplanned = balance.unplanned.iter().map(|(number, _)| *number).collect::<Vec<_>>();
    let outcome = balance.unplanned.first().map_or_else(String::new, |first| format!("{:?}", first.1));
    vec![
        Row::at_least("rows of the log, warm-up included", "", &values, "rows", seen.len() as f64),
        Row::none("calls without a row", balance.unlogged.len()).note(first(&balance.unlogged)),
        Row::none("rows too many", balance.surplus),
        Row::none("rows that say otherwise than the caller", balance.contradicted.len())
            .note(first(&balance.contradicted)),
        Row::none("transfers with another end than they had", balance.transfers_astray.len())
            .note(first(&balance.transfers_astray)),
        Row::none("calls that ended otherwise than planned", unplanned.len())
            .note(format!("{} {outcome}", first(&unplanned)).trim().to_owned()),
    ]
}
