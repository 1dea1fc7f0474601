//! One child process: started with its output in a log file, ended with us at the latest.
//!
//! Only children started here are ever signalled, each by its own process id.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::wait;

/// How long a program may take to end after SIGTERM before SIGKILL follows.
const GRACE: Duration = Duration::from_secs(5);

/// A running program.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts `command`; what it prints goes to `<folder>/<name>.log` (appended when it is there).
    ///
    /// # Panics
    /// When the program cannot be started.
    #[track_caller]
    #[must_use]
    pub fn start(name: &str, command: Command, folder: &Path) -> Self {
        Self::spawn(name, command, folder, Stdio::null())
    }

    /// Likewise, with its standard input open: it ends with what it was given.
    ///
    /// # Panics
    /// When the program cannot be started.
    #[track_caller]
    #[must_use]
    pub fn start_told(name: &str, command: Command, folder: &Path) -> (Self, ChildStdin) {
        let mut program = Self::spawn(name, command, folder, Stdio::piped());
        let input = program.child.stdin.take().expect("a child that was given a pipe has one");
        (program, input)
    }

    #[track_caller]
    fn spawn(name: &str, mut command: Command, folder: &Path, input: Stdio) -> Self {
        let log = folder.join(format!("{name}.log"));
        let file =
            File::options().create(true).append(true).open(&log).expect("the scratch folder is writable");
        let errors = file.try_clone().expect("an open file can be duplicated");
        command.stdin(input).stdout(file).stderr(errors);
        // SAFETY: prctl is async-signal-safe and touches no memory of ours.
        unsafe {
            command.pre_exec(|| {
                // A test that is killed takes its peers with it.
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM);
                Ok(())
            });
        }
        let child = command.spawn().unwrap_or_else(|error| {
            panic!("{name} cannot be started ({error}); `make test` installs and builds what the tests need")
        });
        Self { name: name.to_owned(), child, log }
    }

    /// Sends SIGTERM and waits for the end.
    ///
    /// # Panics
    /// When the program still runs after `limit`.
    #[track_caller]
    pub fn terminate(&mut self, limit: Duration) -> ExitStatus {
        self.signal(libc::SIGTERM);
        let what = format!("{} to end after SIGTERM\n{}", self.name, self.log_tail());
        wait::until(what, limit, || self.exit_status())
    }

    /// `kill -9`, and waits until the process is gone. One that has ended is left alone: its id may be
    /// another's by now.
    pub fn kill(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_some()) {
            return;
        }
        self.signal(libc::SIGKILL);
        // A wait that fails means that the process is no longer ours to wait for: it is gone.
        let _ = self.child.wait();
    }

    /// `kill -9` of the process and of the children it has forked, which would go on without it.
    pub fn kill_all(&mut self) {
        let children = self.children();
        self.kill();
        for child in children {
            // SAFETY: kill touches no memory; a child that has ended meanwhile is not there to be killed.
            unsafe { libc::kill(child, libc::SIGKILL) };
        }
    }

    /// Stops (`true`) or continues (`false`) the process, as a debugger would.
    pub fn freeze(&self, on: bool) {
        self.signal(if on { libc::SIGSTOP } else { libc::SIGCONT });
    }

    /// Likewise, with the children it has forked, which would go on without it.
    pub fn freeze_all(&self, on: bool) {
        let signal = if on { libc::SIGSTOP } else { libc::SIGCONT };
        self.signal(signal);
        for child in self.children() {
            // SAFETY: kill touches no memory; a child that has ended meanwhile is not there to be signalled.
            unsafe { libc::kill(child, signal) };
        }
    }

    /// Waits for the end that comes by itself.
    ///
    /// # Panics
    /// When the program still runs after `limit`.
    #[track_caller]
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        let what = format!("{} to end", self.name);
        wait::until(what, limit, || self.exit_status())
    }

    /// How it ended, or `None` while it runs.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("our own child can be waited for")
    }

    /// Waits until the log has `text` somewhere.
    ///
    /// # Panics
    /// After `limit`, and at once when the program has ended.
    #[track_caller]
    pub fn wait_log(&mut self, text: &str, limit: Duration) {
        let found = wait::within(limit, || {
            let there = self.log().contains(text);
            (there || self.exit_status().is_some()).then_some(there)
        });
        if found != Some(true) {
            let ended = self.exit_status();
            panic!("{} never said {text:?} (ended: {ended:?})\n{}", self.name, self.log_tail());
        }
    }

    /// Everything it printed so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Memory in use: resident set without what is only mapped from files, in KiB.
    ///
    /// # Panics
    /// When the process is gone.
    #[must_use]
    #[track_caller]
    pub fn resident_kib(&self) -> u64 {
        let path = format!("/proc/{}/status", self.id());
        let status = fs::read_to_string(path).expect("a running child has a status");
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let number = line.and_then(|line| line.split_whitespace().next()).and_then(|word| word.parse().ok());
        number.unwrap_or_else(|| panic!("{} has no resident memory: it has ended", self.name))
    }

    fn signal(&self, signal: i32) {
        let id = i32::try_from(self.child.id()).expect("process ids fit an i32");
        // SAFETY: plain system call; the id is that of our own unreaped child, so nobody else's.
        unsafe { libc::kill(id, signal) };
    }

    fn children(&self) -> Vec<i32> {
        let id = self.child.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        children.split_whitespace().filter_map(|word| word.parse().ok()).collect()
    }

    fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(40)..].join("\n");
        format!("--- last lines of {}:\n{tail}\n---", self.log.display())
    }
}

impl Drop for Program {
    #[allow(clippy::print_stderr, reason = "the log of a failed test belongs in its output")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log_tail());
        }
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.signal(libc::SIGCONT);
            self.signal(libc::SIGTERM);
            if wait::within(GRACE, || self.child.try_wait().ok().flatten()).is_none() {
                self.kill();
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(5);

    #[test]
    fn what_it_prints_can_be_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo ready; exec sleep 60"]);
        let mut program = Program::start("sleeper", command, folder.path());
        program.wait_log("ready", SOON);
        assert!(program.resident_kib() > 0);
        assert!(!program.terminate(SOON).success());
    }

    #[test]
    #[should_panic(expected = "never said")]
    fn a_program_that_ends_early_ends_the_wait() {
        let folder = tempfile::tempdir().unwrap();
        let mut program = Program::start("nothing", Command::new("true"), folder.path());
        program.wait_log("ready", Duration::from_secs(60));
    }

    #[test]
    fn dropping_ends_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sleep");
        command.arg("60");
        let program = Program::start("sleeper", command, folder.path());
        let entry = PathBuf::from(format!("/proc/{}", program.id()));
        assert!(entry.exists());
        drop(program);
        assert!(!entry.exists());
    }
}
