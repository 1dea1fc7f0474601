//! `make requirements`: runs the end-to-end tests and prints which requirements they show.
//!
//! `requirements --of FILE` reads what `cargo test` or `cargo nextest` has printed before, instead of running them again.
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
    let arguments: Vec<String> = env::args().skip(1).collect();
    let results = match arguments.as_slice() {
        [] => run_tests(),
        [of, file] if of == "--of" => read_results(file),
        _ => Err("requirements [--of FILE]".into()),
    };
    let results = match results {
        Ok(results) => results,
        Err(reason) => {
            eprintln!("there is nothing of the end-to-end tests: {reason}");
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
    // Of the whole workspace: with fewer crates they would have other features, and all be built anew.
    let mut command = Command::new(repository::root().join(".ci/nextest"));
    command.current_dir(repository::root());
    // Not tried again: a requirement is shown at once or not.
    command.args(["--workspace", "--retries", "0", "-E", "binary(/^e2e_/)"]);
    // What came of a test is told on standard error.
    let mut child = command.stderr(Stdio::piped()).spawn().map_err(|error| error.to_string())?;
    let output = child.stderr.take().ok_or("the output of the tests is not a pipe")?;
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

/// What was printed before. A test that was tried again counts as it ended last.
fn read_results(file: &str) -> Result<BTreeMap<String, bool>, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let found = text.lines().filter_map(verdict).map(|(name, held)| (name.to_owned(), held));
    Ok(found.collect())
}

/// `test NAME ... ok` or `test NAME ... FAILED`; of nextest `PASS [   0.012s] (3/2466) frontdesk-tests::e2e_call NAME`.
fn verdict(line: &str) -> Option<(&str, bool)> {
    // How it ended is said in another line, which may have come before.
    if line.trim_start().starts_with("SLOW ") {
        return None;
    }
    if let Some((first, rest)) = line.trim_start().split_once("] ").filter(|(first, _)| first.contains(" ["))
    {
        let rest = rest.trim_start();
        let rest = if rest.starts_with('(') { rest.split_once(')')?.1.trim_start() } else { rest };
        let (_, name) = rest.strip_prefix("frontdesk-tests::e2e_")?.split_once(' ')?;
        // `PASS`, `TRY 2 PASS`; at the end `FLAKY 2/3`.
        let word = first.split('[').next().unwrap_or_default().trim_end();
        return Some((name.trim(), word.ends_with("PASS") || word.starts_with("FLAKY")));
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_telling_a_result_are_read() {
        for (line, read) in [
            ("test call_9_dragged ... ok", Some(("call_9_dragged", true))),
            ("test call_9_dragged ... FAILED", Some(("call_9_dragged", false))),
            ("test call_9_dragged ... ignored", None),
            (
                "        PASS [   0.012s] (   3/2466) frontdesk-tests::e2e_call call_9_dragged",
                Some(("call_9_dragged", true)),
            ),
            (
                "  TRY 1 FAIL [   9.1s] frontdesk-tests::e2e_call call_9_dragged",
                Some(("call_9_dragged", false)),
            ),
            (
                "  TRY 2 PASS [   9.1s] (  3/9) frontdesk-tests::e2e_call call_9_dragged",
                Some(("call_9_dragged", true)),
            ),
            (
                "   FLAKY 2/3 [   9.1s] (  3/9) frontdesk-tests::e2e_call call_9_dragged",
                Some(("call_9_dragged", true)),
            ),
            (
                "        FAIL [   9.1s] (  3/9) frontdesk-tests::e2e_call call_9_dragged",
                Some(("call_9_dragged", false)),
            ),
            ("        PASS [   0.012s] (   3/2466) sip::agent calls::call_9_dragged", None),
            ("        SLOW [>120.000s] ( 10/228) frontdesk-tests::e2e_call call_9_dragged", None),
            ("     Summary [  29.0s] 3 tests run", None),
        ] {
            assert_eq!(verdict(line), read, "{line}");
        }
    }
}
