//! `make mutate`: ten million wrong messages to the readers and to user agents with live dialogs, on all cores.
//!
//! Batches of ten thousand, each of a seed of its own: a batch that fails prints it, and `FRONTDESK_SEED` runs that batch
//! alone. `FRONTDESK_MUTATIONS` changes how many messages there are, `FRONTDESK_FIRST_SEED` where the seeds begin. Memory
//! may not grow: it is measured after the first twentieth, when everything that has a bound has reached it, and at the end.
//! A batch that takes memory without end is not waited for: the program names those that ran, and ends.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a report is printed")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a program, with a clock and threads"
)]
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "it shares its files with tests")]

#[path = "../../tests/bad_input/batch.rs"]
mod batch;
#[allow(dead_code, reason = "streams are for a test and the fuzz target")]
#[path = "../../tests/bad_input/corpus.rs"]
mod corpus;
#[path = "../../tests/bad_input/mutate.rs"]
mod mutate;
#[path = "../../tests/bad_input/readers.rs"]
mod readers;
#[allow(dead_code, reason = "one input of the agent's fuzz target is for that")]
#[path = "../../tests/bad_input/scene.rs"]
mod scene;
#[path = "../../tests/agent/script.rs"]
mod script;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use batch::Counts;

/// Messages in all, unless it is said otherwise.
const MESSAGES: u64 = 10_000_000;
/// Messages of one seed.
const BATCH: u64 = 10_000;
/// How much resident memory may grow after the first twentieth, in KiB: what an allocator keeps back, not a leak.
const MAY_GROW: u64 = 8 * 1024;

/// Resident memory at which the program ends, in KiB; with all cores at work it has a hundredth of it.
const TOO_MUCH: u64 = 1024 * 1024;
/// Time between two looks at it.
const LOOK: Duration = Duration::from_millis(50);

/// What the threads share.
struct Run {
    start: Instant,
    first: u64,
    batches: u64,
    /// The seeds that are being worked on.
    running: Mutex<BTreeSet<u64>>,
    next: AtomicU64,
    counts: Mutex<Counts>,
    /// Resident memory after the first twentieth, in KiB.
    warm: AtomicU64,
    failed: Mutex<Vec<u64>>,
}

fn main() -> ExitCode {
    let only = number("FRONTDESK_SEED");
    let first = only.or_else(|| number("FRONTDESK_FIRST_SEED")).unwrap_or(0);
    let messages = if only.is_some() { BATCH } else { number("FRONTDESK_MUTATIONS").unwrap_or(MESSAGES) };
    let run = Run {
        start: Instant::now(),
        first,
        batches: messages.div_ceil(BATCH),
        running: Mutex::default(),
        next: AtomicU64::new(first),
        counts: Mutex::default(),
        warm: AtomicU64::new(0),
        failed: Mutex::default(),
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let begin = resident_kib();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(|| run.work())).collect();
        while !workers.iter().all(ScopedJoinHandle::is_finished) {
            run.check_memory();
            std::thread::sleep(LOOK);
        }
    });
    run.report(begin, cores)
}

impl Run {
    fn work(&self) {
        loop {
            let seed = self.next.fetch_add(1, Ordering::Relaxed);
            if seed >= self.first + self.batches {
                return;
            }
            self.running.lock().unwrap().insert(seed);
            match catch_unwind(AssertUnwindSafe(|| batch::feed(self.start, seed, BATCH))) {
                Ok(counts) => {
                    let mut all = self.counts.lock().unwrap();
                    *all = all.and(counts);
                }
                Err(_) => {
                    eprintln!("batch failed: FRONTDESK_SEED={seed}");
                    self.failed.lock().unwrap().push(seed);
                }
            }
            self.running.lock().unwrap().remove(&seed);
            if seed == self.first + self.batches / 20 {
                self.warm.store(resident_kib(), Ordering::Relaxed);
            }
        }
    }

    fn check_memory(&self) {
        if resident_kib() > TOO_MUCH {
            eprintln!("memory grows without end: FRONTDESK_SEED={:?}", self.running.lock().unwrap());
            std::process::exit(1);
        }
    }

    fn report(&self, begin: u64, cores: usize) -> ExitCode {
        let (counts, failed) = (*self.counts.lock().unwrap(), self.failed.lock().unwrap().clone());
        let (warm, end) = (self.warm.load(Ordering::Relaxed), resident_kib());
        let took = self.start.elapsed().as_secs_f64();
        let grown = end.saturating_sub(warm);
        println!("wrong messages           {:>12}", counts.made);
        println!("of them taken by readers {:>12}", counts.read);
        println!("scenes built             {:>12}", counts.scenes);
        println!(
            "messages a second        {:>12.0}   ({took:.0} s on {cores} cores)",
            counts.made as f64 / took
        );
        println!("resident memory, KiB     {begin:>12}   at the start");
        println!("                         {warm:>12}   after the first twentieth");
        println!("                         {end:>12}   at the end (it may grow by {MAY_GROW})");
        println!("batches that failed      {:>12}   {failed:?}", failed.len());
        if failed.is_empty() && grown <= MAY_GROW { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|error| panic!("{name}: {error}")))
}

/// Resident memory by the kernel's account.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}
