//! What was shown, a line each as soon as it is, and the sum.
#![allow(clippy::print_stdout, reason = "a report is printed")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    passed: usize,
    failed: usize,
}

impl Shown {
    /// Does something that fails by a panic, and prints how it went; what it gives back is what it has found, in words. `false`
    /// when it failed.
    pub(crate) fn show(&mut self, what: &str, work: impl FnOnce() -> String) -> bool {
        let begun = Instant::now();
        let found = catch_unwind(AssertUnwindSafe(work));
        let took = begun.elapsed().as_secs_f64();
        match &found {
            Ok(words) => {
                self.passed += 1;
                println!("PASS  {what} ({took:.1} s){}{words}", if words.is_empty() { "" } else { ": " });
            }
            Err(reason) => {
                self.failed += 1;
                let text = reason.downcast_ref::<String>().map(String::as_str);
                let reason = text.or_else(|| reason.downcast_ref::<&str>().copied()).unwrap_or("it panicked");
                println!("FAIL  {what} ({took:.1} s): {reason}");
            }
        }
        found.is_ok()
    }

    /// A line that is no test.
    pub(crate) fn note(&self, words: &str) {
        println!("      {words}");
    }

    /// Prints the sum.
    pub(crate) fn conclude(&self) -> ExitCode {
        println!("{} passed, {} failed", self.passed, self.failed);
        if self.failed == 0 && self.passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
