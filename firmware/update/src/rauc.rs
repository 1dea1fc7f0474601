//! RAUC, called as a program: arguments are a list, nothing is read by a shell, what it prints is bounded, and it has its
//! time. Its D-Bus service does what needs root; the program only asks for it.

use std::{
    io,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
    time::timeout,
};

use crate::{BundleProblem, Manifest, System, Unreadable, problem, report};

/// The most that is kept of what it prints, in bytes.
const MOST: usize = 256 * 1024;
/// For a question.
const PATIENCE: Duration = Duration::from_secs(60);
/// For writing a slot, on the slowest of cards.
const LONG: Duration = Duration::from_secs(60 * 60);
/// The longest line of progress that is read.
const LINE: usize = 4096;

/// Why RAUC does not answer.
#[derive(Debug, thiserror::Error)]
pub enum RaucProblem {
    /// There is no such program.
    #[error("rauc is not installed")]
    Missing,
    /// It could not be run.
    #[error("rauc could not be run: {0}")]
    Run(#[from] io::Error),
    /// It took too long.
    #[error("rauc did not answer in time")]
    Silent,
    /// It refused.
    #[error("{0}")]
    Refused(String),
    /// It said something else.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Rauc {
    program: PathBuf,
}

struct Output {
    status: ExitStatus,
    out: String,
    err: String,
}

impl Rauc {
    /// The program with this path, or this name in PATH.
    #[must_use]
    pub fn new(program: &Path) -> Self {
        Self { program: program.to_owned() }
    }

    /// The slots.
    ///
    /// # Errors
    /// See [`RaucProblem`].
    pub async fn status(&self) -> Result<System, RaucProblem> {
        let said =
            self.answer(&["status".as_ref(), "--detailed".as_ref(), "--output-format=json".as_ref()]).await?;
        Ok(report::system(&said)?)
    }

    /// Looks at a bundle: its signature, and what it says of itself. What is in it is looked at as it is written.
    ///
    /// # Errors
    /// See [`BundleProblem`].
    pub async fn info(&self, bundle: &Path) -> Result<Manifest, BundleProblem> {
        if !begins_as_a_bundle(bundle).await? {
            return Err(BundleProblem::NotABundle);
        }
        let output = self.run(&["info".as_ref(), "--output-format=json".as_ref(), bundle]).await;
        let output = output.map_err(|problem| BundleProblem::Rauc(problem.to_string()))?;
        if !output.status.success() {
            return Err(problem::sort(&output.err));
        }
        Ok(report::manifest(&output.out)?)
    }

    /// Marks the slot that runs as good, or as bad.
    ///
    /// # Errors
    /// See [`RaucProblem`].
    pub async fn mark(&self, good: bool) -> Result<(), RaucProblem> {
        let word: &Path = if good { "mark-good" } else { "mark-bad" }.as_ref();
        self.answer(&["status".as_ref(), word]).await.map(drop)
    }

    /// Has a bundle written into the slot that does not run, and tells how far it is.
    ///
    /// # Errors
    /// What RAUC said. Its service may go on when this is dropped.
    pub async fn install(&self, bundle: &Path, mut told: impl FnMut(u8, &str)) -> Result<(), String> {
        let mut child = self.spawn(&["install".as_ref(), bundle]).map_err(|problem| problem.to_string())?;
        let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) else {
            return Err("rauc has no output".into());
        };
        let mut last = String::new();
        let lines = follow(out, |line| {
            match report::progress(line) {
                Some((percent, words)) => told(percent, words),
                None => {
                    if let Some(reason) = line.trim().strip_prefix("LastError:") {
                        last = reason.trim().to_owned();
                    }
                }
            };
        });
        let work = async {
            let (lines, err) = tokio::join!(lines, read(err));
            lines?;
            Ok::<_, io::Error>((child.wait().await?, err?))
        };
        let (status, err) = match timeout(LONG, work).await {
            Err(_) => return Err(RaucProblem::Silent.to_string()),
            Ok(done) => done.map_err(|error| error.to_string())?,
        };
        if status.success() {
            return Ok(());
        }
        Err(if last.is_empty() { problem::reason(&err) } else { problem::reason(&last) })
    }

    async fn answer(&self, arguments: &[&Path]) -> Result<String, RaucProblem> {
        let output = self.run(arguments).await?;
        if output.status.success() {
            Ok(output.out)
        } else {
            Err(RaucProblem::Refused(problem::reason(&output.err)))
        }
    }

    async fn run(&self, arguments: &[&Path]) -> Result<Output, RaucProblem> {
        let mut child = self.spawn(arguments)?;
        let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(RaucProblem::Refused("no output".into()));
        };
        let work = async {
            let (out, err) = tokio::join!(read(out), read(err));
            Ok::<_, io::Error>(Output { status: child.wait().await?, out: out?, err: err? })
        };
        Ok(timeout(PATIENCE, work).await.map_err(|_| RaucProblem::Silent)??)
    }

    fn spawn(&self, arguments: &[&Path]) -> Result<Child, RaucProblem> {
        let mut command = Command::new(&self.program);
        command.args(arguments).env("LC_ALL", "C").stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => RaucProblem::Missing,
            _ => RaucProblem::Run(error),
        })
    }
}

/// A bundle is a squashfs with a signature after it. RAUC looks for the signature first, and so calls every other file
/// damaged.
async fn begins_as_a_bundle(file: &Path) -> io::Result<bool> {
    let mut first = Vec::new();
    tokio::fs::File::open(file).await?.take(4).read_to_end(&mut first).await?;
    Ok(first == b"hsqs")
}

/// Reads to the end and keeps the beginning.
async fn read(mut from: impl AsyncRead + Unpin) -> io::Result<String> {
    let mut kept = Vec::new();
    (&mut from).take(MOST as u64).read_to_end(&mut kept).await?;
    tokio::io::copy(&mut from, &mut tokio::io::sink()).await?;
    Ok(String::from_utf8_lossy(&kept).into_owned())
}

/// Reads to the end, line by line; of a line that is too long the beginning.
async fn follow(mut from: impl AsyncRead + Unpin, mut told: impl FnMut(&str)) -> io::Result<()> {
    let (mut line, mut buffer) = (Vec::new(), [0; 1024]);
    loop {
        let read = from.read(&mut buffer).await?;
        for &byte in &buffer[..read] {
            if matches!(byte, b'\n' | b'\r') {
                told(&String::from_utf8_lossy(&line));
                line.clear();
            } else if line.len() < LINE {
                line.push(byte);
            }
        }
        if read == 0 {
            told(&String::from_utf8_lossy(&line));
            return Ok(());
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    fn standing_in(script: &str) -> (tempfile::TempDir, Rauc) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rauc");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        (folder, Rauc::new(&path))
    }

    #[tokio::test]
    async fn app_3_progress_is_told_and_the_reason_of_a_failure_is_rauc_s_last_error() {
        let script = "echo installing; printf '  0%% Installing\\r 40%% Copying\\n'; echo 'LastError: no room on B'; exit 1";
        let (_folder, rauc) = standing_in(script);
        let mut told = Vec::new();
        let done = rauc.install("b".as_ref(), |percent, words| told.push((percent, words.to_owned()))).await;
        assert_eq!(told, [(0, "Installing".to_owned()), (40, "Copying".to_owned())]);
        assert_eq!(done, Err("no room on B".into()));
    }

    #[tokio::test]
    async fn app_3_a_program_that_floods_is_bounded_and_one_that_is_not_there_is_said_to_be_so() {
        let (_folder, rauc) = standing_in("head -c 3000000 /dev/zero; echo 'what it is about' >&2; exit 3");
        assert!(matches!(rauc.status().await, Err(RaucProblem::Refused(said)) if said == "what it is about"));
        let gone = Rauc::new("/nowhere/rauc".as_ref()).status().await;
        assert!(matches!(gone, Err(RaucProblem::Missing)));
        let (_folder, rauc) = standing_in("echo '{}'");
        assert!(matches!(rauc.status().await, Err(RaucProblem::Unreadable(_))));
    }
}
