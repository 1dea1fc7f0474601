//! `frontdesk-plugin check`: what an author can know before an administrator uploads the plugin. The file is
//! read as the host reads it, the code runs as the host runs it, and its servers are played by a stand-in on
//! this machine: first one that answers well, then ones that refuse, stall, lie and hang up. A plugin has to
//! say what is wrong by the case of its error; to trap, to run into a limit or to claim success is a failure.
//!
//! Not here: who signed the file (`trust`), and what a real server would say.

mod bad;
mod cost;
mod customers;
mod good;
mod paper;
mod play;
mod stage;
mod stage_dav;
mod stage_ldap;
mod stage_web;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::connector::Connector;
use crate::failure::Failure;
use crate::host::{Approved, Host, LoadError, Setup};
use crate::limits::Limits;
use crate::manifest::Granted;
use crate::oauth::sign_ins::SignIns;
use crate::resolve::Resolver;
pub use cost::{Costs, cost};
pub use play::{Answer, Play};
use stage::Stage;

/// What the secrets are, so that they can be looked for where they must not be.
const SECRET: &str = "kit-secret-7d1f20";
/// The token of the stand-in, which is a secret as well: it begins like one.
const TOKEN: &str = "kit-secret-7d1f20-token";

/// How a plugin is checked.
#[derive(Debug)]
pub struct Options {
    /// The binary `frontdesk-plugind`.
    pub compiler: PathBuf,
    /// Folder of compiled plugins.
    pub cache: PathBuf,
    /// Settings that are not to be made up.
    pub settings: Map<String, Value>,
    /// What a web server answers when all is well, or the vCards of a CardDAV server; none: a list of people in JSON,
    /// or their cards.
    pub answer: Option<Vec<u8>>,
    /// What it answers to which request; what is not in it, by `answer`.
    pub play: Play,
}

/// What came of one question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Passed,
    /// Not so.
    Failed,
    /// Only to be known.
    Told,
}

/// One line of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What came of it.
    pub verdict: Verdict,
    /// What was asked, and what was seen.
    pub words: String,
}

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.verdict {
            Verdict::Passed => "ok   ",
            Verdict::Failed => "FAIL ",
            Verdict::Told => "     ",
        };
        write!(formatter, "{mark}{}", self.words)
    }
}

/// What is known of a plugin.
#[derive(Debug, Default)]
pub struct Report {
    lines: Vec<Line>,
}

impl Report {
    /// All lines, in their order.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// How many lines are failures.
    #[must_use]
    pub fn failures(&self) -> usize {
        self.lines.iter().filter(|line| line.verdict == Verdict::Failed).count()
    }

    /// How many lines could have been.
    #[must_use]
    pub fn judged(&self) -> usize {
        self.lines.iter().filter(|line| line.verdict != Verdict::Told).count()
    }

    fn tell(&mut self, words: impl Into<String>) {
        self.lines.push(Line { verdict: Verdict::Told, words: words.into() });
    }

    fn judge(&mut self, good: bool, words: impl Into<String>) {
        let verdict = if good { Verdict::Passed } else { Verdict::Failed };
        self.lines.push(Line { verdict, words: words.into() });
    }
}

/// Checks a plugin.
///
/// # Errors
/// If this machine cannot play its servers; what is wrong with the plugin is in the report.
pub fn run(file: Vec<u8>, options: &Options) -> Result<Report, LoadError> {
    let mut report = Report::default();
    let Some(approved) = paper::read(file, &mut report) else { return Ok(report) };
    let stage = Stage::start(options.answer.clone(), options.play.clone())
        .map_err(|error| LoadError::Host(format!("the stand-in cannot start: {error}")))?;
    let setup = Setup {
        compiler: options.compiler.clone(),
        cache: options.cache.clone(),
        locale: "en".to_owned(),
        certificates: Vec::new(),
    };
    let host = Host::new(setup, Resolver::Stage(stage.port()))?;
    let given = options.play.settings.iter().chain(&options.settings);
    let given = given.map(|(key, value)| (key.clone(), value.clone())).collect();
    let settings = paper::settings(approved.manifest(), &given);
    let number = options.play.number().to_owned();
    let bench = Bench { host, approved, settings, stage, number };
    if let Err(error) = bench.first_load(&mut report) {
        report.judge(false, format!("the code: {error}"));
        return Ok(report);
    }
    good::run(&bench, &mut report)?;
    bad::run(&bench, &mut report)?;
    Ok(report)
}

/// Everything a plugin is tried with.
struct Bench {
    host: Host,
    approved: Approved,
    settings: Map<String, Value>,
    stage: Stage,
    /// Somebody has it.
    number: String,
}

impl Bench {
    /// A plugin as fresh as after a restart, with all that it asks for.
    fn load(&self) -> Result<Connector, LoadError> {
        let net: std::collections::BTreeSet<String> =
            self.approved.manifest().net.iter().map(|net| net.id.clone()).collect();
        self.load_granted(&Granted { private: net.clone(), loopback: net.clone(), net })
    }

    /// The same with other rights. Pages get little time, so that a server that stalls does not stall the check.
    fn load_granted(&self, granted: &Granted) -> Result<Connector, LoadError> {
        let limits = Limits { wall_page: Duration::from_secs(3), ..Limits::default() };
        let connector = Connector::load(&self.host, &self.approved, &self.settings, granted, limits)?;
        connector.keep_sign_ins(Arc::new(SignIns::made_up(SECRET)));
        Ok(connector)
    }

    fn first_load(&self, report: &mut Report) -> Result<(), LoadError> {
        // Compiled once; the second time is what every start of the desk costs.
        self.load()?;
        let started = std::time::Instant::now();
        let connector = self.load()?;
        let took = started.elapsed();
        let exports = connector.exports().join(", ");
        report.judge(true, format!("the code: compiles and fits; it exports {exports}"));
        report.tell(format!("it imports {}", connector.imports().join(", ")));
        report.tell(format!("loaded in {} us", took.as_micros()));
        Ok(())
    }
}

/// What a question came to: whether it found nobody and what it claims, or how it failed.
type Claim = Result<(bool, String), Failure>;

/// A failure in a few words: the case of an error, the limit or the rule.
fn in_short(failure: &Failure) -> String {
    match failure {
        Failure::Said { case, words, .. } if words.is_empty() => (*case).to_owned(),
        Failure::Said { case, words, .. } => {
            format!("{case}: {}", words.chars().take(120).collect::<String>())
        }
        Failure::Stopped { limit, .. } => format!("stopped: {limit}"),
        Failure::Contract(rule) => format!("against the interface: {rule}"),
    }
}
