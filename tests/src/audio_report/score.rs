//! Judging by others: PESQ (ITU-T P.862, narrow or wide band) and ViSQOL, and the delay by cross-correlation, all in
//! `tests/speech-quality/score.py`, with what `.ci/speech-quality` put into a folder of its own.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::Deserialize;

use super::speech::RATE;
use crate::repository;
use crate::sound::Recording;

/// A recording to be judged.
#[derive(Clone, Debug)]
pub(super) struct Take {
    /// What was spoken, at 48 kHz.
    pub(super) reference: PathBuf,
    /// What was heard.
    pub(super) heard: PathBuf,
    /// Seconds from the first sample being spoken to the first being heard.
    pub(super) offset: f64,
    /// Speech above 4 kHz counts: wide-band PESQ (P.862.2), else narrow-band (P.862.1).
    pub(super) wide: bool,
}

/// What was found.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
pub(super) struct Score {
    /// Mouth to ear: the median; none when nothing was understood.
    pub(super) delay_ms: Option<f64>,
    /// PESQ, as MOS-LQO: 1.0 to 4.64.
    pub(super) pesq: f64,
    /// ViSQOL, as MOS-LQO, where it was asked for.
    pub(super) visqol: Option<f64>,
}

/// The program that judges.
pub(super) struct Judge {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// Names and versions of what it judges by.
    pub(super) tools: String,
}

/// The versions it tells first.
#[derive(Deserialize)]
struct Versions {
    pesq: String,
    visqol: String,
}

impl Judge {
    /// Starts it, and lets it judge what is known: the same speech 50 ms later must be found so, and be called good.
    ///
    /// # Panics
    /// When it is not installed, or judges wrong.
    #[track_caller]
    pub(super) fn start(scratch: &Path, speech: &[i16], visqol: bool) -> Self {
        let python = python();
        assert!(python.is_file(), "{} is not there; `make audio-report` fetches it", python.display());
        let mut command = Command::new(python);
        command.arg(repository::root().join("tests/speech-quality/score.py"));
        command.args(visqol.then_some("--visqol"));
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("python runs");
        let input = child.stdin.take().expect("a child that was given a pipe has one");
        let output = BufReader::new(child.stdout.take().expect("a child that was given a pipe has one"));
        let mut judge = Self { child, input, output, tools: String::new() };
        let versions: Versions = judge.line();
        judge.tools = format!(
            "PESQ (ITU-T P.862.1 and P.862.2, PyPI pesq {}), ViSQOL (PyPI visqol-python {}, speech mode)",
            versions.pesq, versions.visqol
        );
        judge.prove(scratch, speech);
        judge
    }

    /// Judges one recording.
    ///
    /// # Panics
    /// When the program has failed.
    #[track_caller]
    pub(super) fn judge(&mut self, take: &Take) -> Score {
        let wish = serde_json::json!({
            "reference": take.reference, "heard": take.heard, "offset": take.offset, "wide": take.wide,
        });
        writeln!(self.input, "{wish}").and_then(|()| self.input.flush()).expect("the judge reads");
        self.line()
    }

    fn prove(&mut self, scratch: &Path, speech: &[i16]) {
        let write = |name: &str, samples: Vec<i16>| {
            let path = scratch.join(name);
            Recording { rate: RATE, samples }.write(&path);
            path
        };
        let reference = write("judge-reference.wav", speech.to_vec());
        let later = write("judge-later.wav", [vec![0; RATE as usize / 20], speech.to_vec()].concat());
        for wide in [false, true] {
            let (reference, heard) = (reference.clone(), later.clone());
            let score = self.judge(&Take { reference, heard, offset: 0.0, wide });
            let right = score.delay_ms.is_some_and(|delay| (delay - 50.0).abs() < 0.2) && score.pesq > 4.4;
            assert!(right, "the judge says of a perfect copy, 50 ms later: {score:?}");
        }
    }

    #[track_caller]
    fn line<T: for<'a> Deserialize<'a>>(&mut self) -> T {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the judge speaks UTF-8");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("the judge says {line:?}: {error}"))
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        // It has ended already, or ends now.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn python() -> PathBuf {
    let home = PathBuf::from(env::var_os("HOME").unwrap_or_default());
    home.join(".cache/frontdesk/tools/speech-quality/bin/python")
}
