//! A program that is told by lines what to do, and says by lines what happened: it is typed at like a console.

use std::io::Write;
use std::path::Path;
use std::process::{ChildStdin, Command};
use std::time::Duration;

use crate::program::Program;
use crate::wait;

/// A running program with its input open.
#[derive(Debug)]
pub struct Talker {
    /// The process; what it says is its log.
    pub program: Program,
    name: String,
    input: ChildStdin,
    /// Bytes of the log that have been waited for already.
    read: usize,
}

impl Talker {
    /// Starts it; its log is `<folder>/<name>.log`.
    ///
    /// # Panics
    /// When the program cannot be started.
    #[must_use]
    #[track_caller]
    pub fn start(name: &str, command: Command, folder: &Path) -> Self {
        let (program, input) = Program::start_told(name, command, folder);
        Self { program, name: name.to_owned(), input, read: 0 }
    }

    /// Types a line.
    ///
    /// # Panics
    /// When the program no longer reads.
    #[track_caller]
    pub fn tell(&mut self, line: &str) {
        let sent = writeln!(self.input, "{line}").and_then(|()| self.input.flush());
        sent.unwrap_or_else(|error| panic!("{} does not read {line:?}: {error}", self.name));
    }

    /// Types the line that ends it, and waits until it has ended, at most for `limit`.
    pub fn leave(&mut self, line: &str, limit: Duration) {
        // One that no longer reads has ended already, or is ended with this.
        let _ = writeln!(self.input, "{line}");
        wait::within(limit, || self.program.exit_status());
    }

    /// Waits until it has said one of `words`, after what was waited for last; gives back the rest of that line.
    ///
    /// # Panics
    /// After `limit`; the message has what was said instead.
    #[track_caller]
    pub fn expect(&mut self, words: &[&str], limit: Duration) -> String {
        let found = wait::within(limit, || {
            let log = self.program.log();
            let new = log.get(self.read..)?;
            let first = words.iter().filter_map(|word| new.find(word).map(|at| at + word.len())).min()?;
            let line = new[first..].lines().next().unwrap_or_default().to_owned();
            Some((self.read + first, line))
        });
        let Some((read, line)) = found else {
            let log = self.program.log();
            panic!("{} does not say {words:?} but {:?}", self.name, log.get(self.read..).unwrap_or_default())
        };
        self.read = read;
        line
    }
}
