//! The books of the random operations: what came in, what became of it, printed for whoever asks.
//!
//! That each call is in the log exactly once is the audit's business (`bench`); here it is only counted, on
//! both sides, over all seeds of a test.

use std::collections::BTreeMap;
use std::fmt;

use ipc::{CallRef, EndStatus, TransferEnd};

use crate::bench::Bench;

/// What happened over all seeds of one test.
#[derive(Default)]
pub(crate) struct Tally {
    cases: u64,
    /// Calls that came onto the desk, or were sent on as they came.
    calls: u64,
    ends: BTreeMap<String, u64>,
    transfers: BTreeMap<String, u64>,
}

impl Tally {
    /// Adds the desk of one seed, when it is clear again.
    pub(crate) fn add(&mut self, bench: &Bench) {
        self.cases += 1;
        self.calls += bench.entered().map(|_: CallRef| 1).sum::<u64>();
        for row in &bench.logged {
            *self.ends.entry(end(row.end)).or_default() += 1;
            for transfer in &row.transfers {
                *self.transfers.entry(transfer_end(&transfer.end)).or_default() += 1;
            }
        }
    }

    /// Prints it on standard output, in a form that `make random` reads.
    ///
    /// # Panics
    /// When a call is missing in the log, or is there twice.
    #[allow(clippy::print_stdout, reason = "books are printed")]
    pub(crate) fn print(&self, test: &str) {
        println!("books {test} {self}");
        assert_eq!(self.ends.values().sum::<u64>(), self.calls, "calls and rows of the log");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cases={} calls={}", self.cases, self.calls)?;
        for (kind, ends) in [("end", &self.ends), ("transfer", &self.transfers)] {
            ends.iter().try_for_each(|(end, count)| write!(f, " {kind}.{end}={count}"))?;
        }
        Ok(())
    }
}

fn end(end: EndStatus) -> String {
    format!("{end:?}").to_lowercase()
}

/// Without the code of a refusal.
fn transfer_end(end: &TransferEnd) -> String {
    crate::random::first_word(&format!("{end:?}")).to_lowercase()
}
