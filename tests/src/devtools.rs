//! Debian's Chromium without a window, and the pipe on which it speaks the DevTools protocol.
//! <https://chromedevtools.github.io/devtools-protocol/tot/>

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long an answer of the browser itself may take.
const ANSWER: Duration = Duration::from_secs(60);

/// Hands the pipe over as descriptors 3 and 4, where Chromium wants it, and closes the others.
const HAND_OVER: &str = "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null";

const ARGUMENTS: [&str; 14] = [
    "--headless",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-sync",
    "--disable-features=Translate,MediaRouter,OptimizationHints",
    "--password-store=basic",
    "about:blank",
];

/// A running browser.
#[derive(Debug)]
pub(crate) struct DevTools {
    child: Child,
    stdin: ChildStdin,
    messages: Receiver<Value>,
    /// The page that is spoken of, once there is one.
    pub(crate) session: Option<String>,
    last_id: u64,
}

impl DevTools {
    /// Starts it, with its profile below the scratch folder.
    #[track_caller]
    pub(crate) fn start(scratch: &Path) -> Self {
        let profile = scratch.join("chromium-profile");
        fs::create_dir_all(&profile).expect("the scratch folder is writable");
        let mut command = Command::new("/bin/sh");
        command.args(["-c", HAND_OVER, "/usr/bin/chromium"]).args(ARGUMENTS);
        command.arg(format!("--user-data-dir={}", profile.display()));
        // SAFETY: geteuid touches no memory.
        if unsafe { libc::geteuid() } == 0 {
            // As root Chromium insists on having no sandbox.
            command.arg("--no-sandbox");
        }
        command.env_clear().env("HOME", &profile).env("LANG", "en_US.UTF-8");
        command.env("PATH", env::var_os("PATH").unwrap_or_default());
        let log = fs::File::create(scratch.join("chromium.log")).expect("the scratch folder is writable");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        // SAFETY: prctl is async-signal-safe and touches no memory of ours.
        unsafe {
            command.pre_exec(|| {
                // A test that is killed takes its browser with it.
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM);
                Ok(())
            });
        }
        let mut child = command.spawn().expect("chromium is installed (package chromium)");
        let stdin = child.stdin.take().expect("stdin is a pipe");
        let stdout = child.stdout.take().expect("stdout is a pipe");
        let (sender, messages) = sync_channel(1024);
        thread::spawn(move || {
            let mut reader = BufReader::new(stdout);
            let mut bytes = Vec::new();
            while reader.read_until(0, &mut bytes).is_ok_and(|count| count > 0) {
                bytes.pop();
                let message = serde_json::from_slice(&bytes);
                if !message.is_ok_and(|message| sender.send(message).is_ok()) {
                    return;
                }
                bytes.clear();
            }
        });
        Self { child, stdin, messages, session: None, last_id: 0 }
    }

    /// Asks for something and waits for the answer; what happens meanwhile is passed over.
    pub(crate) fn ask(&mut self, method: &str, of: Value) -> Result<Value, String> {
        self.last_id += 1;
        let mut message = json!({ "id": self.last_id, "method": method, "params": of });
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.stdin.write_all(&bytes).map_err(|error| format!("the browser does not read: {error}"))?;
        let end = Instant::now() + ANSWER;
        loop {
            let rest = end.saturating_duration_since(Instant::now());
            match self.messages.recv_timeout(rest) {
                Ok(answer) if answer["id"] == self.last_id => {
                    return match &answer["error"] {
                        Value::Null => Ok(answer["result"].clone()),
                        problem => Err(problem.to_string()),
                    };
                }
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => return Err(format!("no answer within {ANSWER:?}")),
                Err(RecvTimeoutError::Disconnected) => return Err("the browser has ended".into()),
            }
        }
    }
}

impl Drop for DevTools {
    fn drop(&mut self) {
        // Its helpers end with it: the pipes between them break.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
