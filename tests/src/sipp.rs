//! SIPp: scenario files as callers and called phones that misbehave on purpose.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::program::Program;
use crate::{repository, wait};

/// The port of the discard protocol (RFC 863): for speech that nobody listens to.
const DISCARD: u16 = 9;
/// Exit status of a run in which every call went as the file says.
const ALL_WELL: i32 = 0;
/// Everything on the wire.
const MESSAGES: &str = "messages.log";
/// What went otherwise than the file says.
const ERRORS: &str = "errors.log";
/// A table that grows by a line a second, and a last one at the end.
const STATISTICS: &str = "statistics.csv";

/// A running scenario.
#[derive(Debug)]
pub struct Sipp {
    /// The process.
    pub program: Program,
    name: String,
    folder: PathBuf,
}

/// How a scenario is run.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// The port SIPp sends and listens on.
    pub port: u16,
    /// The desk's SIP port.
    pub desk: u16,
    /// Calls in all.
    pub calls: u32,
    /// Calls a `period`.
    pub rate: u32,
    /// A second, where not much fewer calls are wanted.
    pub period: Duration,
    /// Time for the whole run.
    pub limit: Duration,
    /// Whether SIPp repeats on its own what stays unanswered; not where a scenario repeats by itself.
    pub repeats: bool,
    /// A port for speech, from which everything that comes is sent back.
    pub echo: Option<u16>,
    /// Whether everything on the wire is written down.
    pub trace: bool,
    /// A port for speech that the caller names and somebody else listens on.
    pub speech: Option<u16>,
}

impl Run {
    /// One call within 40 s.
    #[must_use]
    pub fn one(port: u16, desk: u16) -> Self {
        Self {
            port,
            desk,
            calls: 1,
            rate: 1,
            period: Duration::from_secs(1),
            limit: Duration::from_secs(40),
            repeats: true,
            trace: true,
            echo: None,
            speech: None,
        }
    }
}

impl Sipp {
    /// Starts `tests/sipp/<name>.xml`.
    ///
    /// # Panics
    /// When SIPp is not installed.
    #[must_use]
    #[track_caller]
    pub fn start(scratch: &Path, name: &str, run: Run) -> Self {
        Self::start_as(scratch, name, name, run, &[])
    }

    /// Likewise, under another name than that of the scenario, and with more options.
    ///
    /// # Panics
    /// When SIPp is not installed.
    #[must_use]
    #[track_caller]
    pub fn start_as(scratch: &Path, scenario: &str, name: &str, run: Run, more: &[&str]) -> Self {
        let folder = scratch.join(format!("sipp-{name}"));
        fs::create_dir_all(&folder).expect("the scratch folder is writable");
        let file = repository::root().join(format!("tests/sipp/{scenario}.xml"));
        let mut command = Command::new("sipp");
        command.current_dir(&folder).env("TERM", "dumb");
        command.arg(format!("127.0.0.1:{}", run.desk)).arg("-sf").arg(file);
        command.args(["-i", "127.0.0.1", "-bind_local", "-nostdin", "-trace_err", "-s", "5550100"]);
        let numbers = [
            ("-p", u64::from(run.port)),
            ("-m", u64::from(run.calls)),
            ("-r", u64::from(run.rate)),
            ("-rp", u64::try_from(run.period.as_millis()).unwrap_or(u64::MAX)),
            ("-timeout", run.limit.as_secs()),
        ];
        for (option, value) in numbers {
            command.arg(option).arg(value.to_string());
        }
        command.args(["-timeout_error", "-error_file", ERRORS, "-message_file", MESSAGES]);
        if run.trace {
            command.arg("-trace_msg");
        }
        if !run.repeats {
            command.arg("-nr");
        }
        if let Some(port) = run.echo {
            command.args(["-rtp_echo", "-mp"]).arg(port.to_string());
        }
        // The port of [speech] in a scenario; SIPp itself holds its own.
        let speech = run.speech.or(run.echo).unwrap_or(DISCARD);
        command.args(["-key", "speech"]).arg(speech.to_string());
        command.args(["-trace_stat", "-stf", STATISTICS, "-fd", "1"]).args(more);
        let program = Program::start(&format!("sipp-{name}"), command, scratch);
        wait::until("SIPp to listen", Duration::from_secs(10), || is_bound(run.port).then_some(()));
        Self { program, name: name.to_owned(), folder }
    }

    /// Waits for the end and checks that every call went as the file says.
    ///
    /// # Panics
    /// When one did not; the message has SIPp's errors and the last messages on the wire.
    #[track_caller]
    pub fn finish(mut self, limit: Duration) {
        let status = self.program.wait(limit);
        let read = |name: &str| fs::read_to_string(self.folder.join(name)).unwrap_or_default();
        let (errors, messages) = (read(ERRORS), read(MESSAGES));
        let tail: Vec<&str> = messages.lines().collect();
        let tail = tail[tail.len().saturating_sub(150)..].join("\n");
        assert_eq!(status.code(), Some(ALL_WELL), "SIPp {}: {errors}\n--- the wire:\n{tail}", self.name);
    }

    /// Checks of a scenario that never ends by itself that nothing came that it does not know.
    ///
    /// # Panics
    /// When something did; the message has SIPp's errors.
    #[track_caller]
    pub fn went_well(&self) {
        let errors = fs::read_to_string(self.folder.join(ERRORS)).unwrap_or_default();
        assert!(!errors.contains("unexpected"), "SIPp {}: {errors}", self.name);
    }

    /// Everything that it sent and received, as it wrote it down: each message with the time and the way.
    #[must_use]
    pub fn messages(&self) -> String {
        fs::read(self.folder.join(MESSAGES))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// What it counted last: calls made, and calls that are still up.
    #[must_use]
    pub fn counted(&self) -> Option<(u32, u32)> {
        let table = fs::read_to_string(self.folder.join(STATISTICS)).ok()?;
        Some((last_value(&table, "TotalCallCreated")?, last_value(&table, "CurrentCall")?))
    }
}

/// The value of `column` in the last line of a table whose columns are named in its first.
fn last_value(table: &str, column: &str) -> Option<u32> {
    let mut lines = table.lines();
    let at = lines.next()?.split(';').position(|name| name == column)?;
    lines.last()?.split(';').nth(at)?.trim().parse().ok()
}

/// Whether somebody on this machine has the UDP port.
fn is_bound(port: u16) -> bool {
    let table = fs::read_to_string("/proc/net/udp").unwrap_or_default();
    table.contains(&format!(":{port:04X} "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_the_statistics_counts() {
        let table = "StartTime;TotalCallCreated;CurrentCall;\n1;3;2;\n2;7;0;\n";
        assert_eq!(last_value(table, "TotalCallCreated"), Some(7));
        assert_eq!(last_value(table, "CurrentCall"), Some(0));
        assert_eq!(last_value(table, "Nothing"), None);
        assert_eq!(last_value("", "CurrentCall"), None);
    }
}
