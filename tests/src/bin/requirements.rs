//! `make requirements`: runs the end-to-end tests and prints which requirements they show.
//!
//! Prints a table (id, its tests, what came of them), writes it to `target/reports/requirements.json`,
//! ends with `N passed, N failed`, and exits 0 only when every test that exists holds.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a report is printed")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, Stdio};
use std::{env, fs};

use frontdesk_tests::repository;
use frontdesk_tests::requirements::{self, Requirement};
use serde_json::json;

fn main() -> ExitCode {
    let results = match run_tests() {
        Ok(results) => results,
        Err(reason) => {
            eprintln!("the end-to-end tests could not be run: {reason}");
            return ExitCode::FAILURE;
        }
    };
    let list = requirements::list();
    let rows: Vec<Row> = list.iter().map(|requirement| Row::of(requirement, &results)).collect();
    for row in &rows {
        println!("{:<8} {:<8} {}", row.requirement.id, row.verdict(), row.names());
    }
    let shown = rows.iter().filter(|row| !row.tests.is_empty()).count();
    println!("\n{shown} of {} requirements are shown by a test.", rows.len());
    if let Err(error) = write_report(&rows) {
        eprintln!("the report cannot be written: {error}");
        return ExitCode::FAILURE;
    }
    let failed = results.values().filter(|held| !**held).count();
    println!("{} passed, {failed} failed", results.len() - failed);
    if failed == 0 && !results.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A requirement and its tests, each with whether it held.
struct Row<'a> {
    requirement: &'a Requirement,
    tests: Vec<(&'a str, bool)>,
}

impl<'a> Row<'a> {
    fn of(requirement: &'a Requirement, results: &'a BTreeMap<String, bool>) -> Self {
        let tests = results.iter().filter(|(name, _)| requirements::claimed(name).contains(&requirement.id));
        Self { requirement, tests: tests.map(|(name, held)| (name.as_str(), *held)).collect() }
    }

    fn verdict(&self) -> &'static str {
        match self.tests.as_slice() {
            [] => "no test",
            tests if tests.iter().all(|(_, held)| *held) => "pass",
            _ => "FAIL",
        }
    }

    fn names(&self) -> String {
        let name = |(name, held): &(&str, bool)| format!("{name}{}", if *held { "" } else { " (failed)" });
        self.tests.iter().map(name).collect::<Vec<_>>().join("\n                  ")
    }
}

/// Runs every end-to-end test; what they print passes through to standard error.
fn run_tests() -> Result<BTreeMap<String, bool>, String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(repository::root());
    command.args(["test", "-p", "frontdesk-tests", "--no-fail-fast", "--test", "e2e_*"]);
    // One after the other: some of them say when speech has a gap.
    command.args(["--", "--test-threads", "1"]);
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|error| error.to_string())?;
    let output = child.stdout.take().ok_or("the output of cargo is not a pipe")?;
    let mut results = BTreeMap::new();
    for line in BufReader::new(output).lines() {
        let line = line.map_err(|error| error.to_string())?;
        eprintln!("{line}");
        if let Some((name, held)) = verdict(&line) {
            results.insert(name.to_owned(), held);
        }
    }
    child.wait().map_err(|error| error.to_string())?;
    Ok(results)
}

/// `test NAME ... ok` or `test NAME ... FAILED`.
fn verdict(line: &str) -> Option<(&str, bool)> {
    let (name, end) = line.strip_prefix("test ")?.split_once(" ... ")?;
    match end.trim() {
        "ok" => Some((name, true)),
        "FAILED" => Some((name, false)),
        _ => None,
    }
}

fn write_report(rows: &[Row]) -> std::io::Result<()> {
    let list: Vec<_> = rows
        .iter()
        .map(|row| {
            let tests: Vec<_> =
                row.tests.iter().map(|(name, held)| json!({ "name": name, "holds": held })).collect();
            json!({
                "id": row.requirement.id,
                "requirement": row.requirement.text,
                "tests": tests,
                "result": row.verdict(),
            })
        })
        .collect();
    fs::create_dir_all(repository::reports())?;
    let text = serde_json::to_string_pretty(&list)?;
    fs::write(repository::reports().join("requirements.json"), text + "\n")
}
