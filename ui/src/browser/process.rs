//! The browser's process: started with a profile of its own and a pipe for the DevTools protocol, watched over,
//! and ended.
//!
//! It gets nothing of this program's environment but where programs and the language are, speaks and hears nothing,
//! keeps its sandbox, and listens on no port. What it may use is bounded: [`MAX_BYTES`], looked at by
//! [`Process::bytes`].

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread;

use serde_json::Value;

use super::Input;

/// Most memory of all its processes that belongs to them alone, in bytes.
pub(super) const MAX_BYTES: u64 = 900 * 1024 * 1024;
/// Largest message read from it: a picture of a large page is far below.
const MAX_MESSAGE: u64 = 32 * 1024 * 1024;
/// Messages waiting to be written. A browser that does not read so many is no more.
const QUEUE: usize = 256;

/// Hands the pipe over as descriptors 3 and 4, where Chromium wants it, and closes the others.
const HAND_OVER: &str = "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null";

const ARGUMENTS: [&str; 22] = [
    "--headless",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-print-preview",
    "--disable-sync",
    "--disable-features=Translate,MediaRouter,OptimizationHints",
    "--deny-permission-prompts",
    "--disk-cache-size=52428800",
    "--js-flags=--max-old-space-size=384",
    "--mute-audio",
    "--password-store=basic",
    "--renderer-process-limit=2",
    "--metrics-recording-only",
    "about:blank",
];

/// A running browser.
pub(super) struct Process {
    child: Child,
    messages: SyncSender<String>,
}

impl Process {
    /// Starts it. What it says goes to `inputs`, marked with `turn`, and so does its end.
    pub(super) fn start(
        program: &Path,
        profile: &Path,
        turn: u64,
        inputs: SyncSender<Input>,
    ) -> io::Result<Self> {
        fs::create_dir_all(profile)?;
        // The mark of one that was killed: it would only look for that process.
        for name in ["SingletonLock", "SingletonCookie", "SingletonSocket"] {
            let _ = fs::remove_file(profile.join(name));
        }
        let mut command = Command::new("/bin/sh");
        command.args(["-c", HAND_OVER]).arg(program).args(ARGUMENTS);
        command.arg(format!("--user-data-dir={}", profile.display()));
        command.env_clear().env("HOME", profile);
        for name in ["PATH", "LANG", "LC_ALL", "TZ"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
        let mut child = command.spawn()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let (Some(mut stdin), Some(stdout)) = (stdin, stdout) else {
            return Err(io::Error::other("no pipe to the browser"));
        };
        let (messages, queue) = sync_channel::<String>(QUEUE);
        thread::Builder::new().name("browser-out".into()).spawn(move || {
            for message in queue {
                if stdin.write_all(message.as_bytes()).and_then(|()| stdin.write_all(&[0])).is_err() {
                    return;
                }
            }
        })?;
        thread::Builder::new().name("browser-in".into()).spawn(move || {
            let mut reader = BufReader::new(stdout);
            while let Some(message) = next_message(&mut reader) {
                if inputs.send(Input::Message(turn, message)).is_err() {
                    return;
                }
            }
            let _ = inputs.send(Input::Ended(turn));
        })?;
        Ok(Self { child, messages })
    }

    /// Says something. `false`: it does not read any more.
    pub(super) fn say(&self, message: &Value) -> bool {
        !matches!(self.messages.try_send(message.to_string()), Err(TrySendError::Full(_)))
    }

    /// Memory that belongs to its processes alone, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        let group = self.child.id();
        let Ok(processes) = fs::read_dir("/proc") else { return 0 };
        let of_group = |path: &PathBuf| process_group(path) == Some(group);
        processes.flatten().map(|entry| entry.path()).filter(of_group).map(|path| private(&path)).sum()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Its helpers end with it: the pipes between them break.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The next message; `None` when it has ended, or says what is none.
fn next_message(reader: &mut impl BufRead) -> Option<Value> {
    let mut bytes = Vec::new();
    let count = io::Read::take(&mut *reader, MAX_MESSAGE).read_until(0, &mut bytes).ok()?;
    if count == 0 || bytes.pop() != Some(0) {
        return None;
    }
    serde_json::from_slice(&bytes).ok()
}

/// From `/proc/PID/stat`: state, parent and group follow the name, which is in brackets.
fn process_group(process: &Path) -> Option<u32> {
    let text = fs::read_to_string(process.join("stat")).ok()?;
    text.rsplit_once(')')?.1.split_whitespace().nth(2)?.parse().ok()
}

fn private(process: &Path) -> u64 {
    const PAGE: u64 = 4096;
    let text = fs::read_to_string(process.join("statm")).unwrap_or_default();
    let mut pages = text.split_whitespace().skip(1).map(|word| word.parse::<u64>().unwrap_or(0));
    let (resident, shared) = (pages.next().unwrap_or(0), pages.next().unwrap_or(0));
    resident.saturating_sub(shared) * PAGE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_end_with_nul_and_anything_else_is_the_end() {
        let mut reader = BufReader::new(&b"{\"id\":1}\0[2]\0{\"id\":3}"[..]);
        assert_eq!(next_message(&mut reader), Some(serde_json::json!({ "id": 1 })));
        assert_eq!(next_message(&mut reader), Some(serde_json::json!([2])));
        assert_eq!(next_message(&mut reader), None, "cut off");
        assert_eq!(next_message(&mut BufReader::new(&b"rubbish\0"[..])), None);
    }

    #[test]
    fn this_process_has_memory_and_a_group() {
        let own = Path::new("/proc/self");
        assert!(process_group(own).is_some_and(|group| group > 0));
        assert!(private(own) > 100_000);
    }
}
