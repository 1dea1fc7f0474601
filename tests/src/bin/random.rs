//! `make random`: the call core against random operations, 200,000 cases, and the books of what came of them.
//!
//! The cases are the random tests of `switchboard` (an operator in a hurry, a network that falls silent,
//! inputs that make no sense), each audited after every step; here they are started, in release, and their
//! books are read and struck. A case that fails prints its seed; `FRONTDESK_SEED` replays it alone.
//! `FRONTDESK_RANDOM_CASES` changes how many there are; with fewer the report does not pass.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a report is printed")]

use std::collections::BTreeMap;
use std::env;
use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, Stdio};

use frontdesk_tests::report::{self, Row};
use frontdesk_tests::repository;

/// The least that the report is about.
const CASES: u64 = 200_000;
/// The tests, by the name their books have, and what they do.
const TESTS: [(&str, &str); 3] = [
    ("hurry", "an operator in a hurry"),
    ("silence", "a network that falls silent"),
    ("nonsense", "inputs that make no sense"),
];
/// How a call ends, in the words of the log.
const ENDS: [&str; 10] = [
    "completed",
    "missed",
    "elsewhere",
    "rejected",
    "refused",
    "notanswered",
    "transferred",
    "forwarded",
    "voicemail",
    "failed",
];
/// How a transfer ends, in the words of the log.
const TRANSFER_ENDS: [&str; 7] =
    ["answered", "handedover", "refused", "timedout", "takenback", "abandoned", "undone"];

/// What a test counted, by name.
type Counts = BTreeMap<String, u64>;

fn main() -> ExitCode {
    let cases = match env::var("FRONTDESK_RANDOM_CASES").map(|text| text.parse::<u64>()) {
        Ok(Ok(cases)) => cases,
        Ok(Err(error)) => panic!("FRONTDESK_RANDOM_CASES: {error}"),
        Err(_) => CASES,
    };
    let (books, passed) = match run(cases.div_ceil(TESTS.len() as u64)) {
        Ok(run) => run,
        Err(error) => {
            eprintln!("the random tests cannot be run: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut rows = vec![Row::none("random tests that failed", usize::from(!passed)), total(&books)];
    for (name, what) in TESTS {
        let Some(counts) = books.get(name) else {
            rows.push(Row::failed(what, "the test printed no books".into()));
            continue;
        };
        rows.extend(struck(what, counts));
    }
    report::publish("random", &rows)
}

/// Runs so many cases of each test; what they print passes through to standard error.
fn run(cases: u64) -> std::io::Result<(BTreeMap<String, Counts>, bool)> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(repository::root()).env("FRONTDESK_CASES", cases.to_string());
    command.args(["test", "--release", "-p", "switchboard", "--test", "desk", "--", "random", "--nocapture"]);
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().ok_or_else(|| std::io::Error::other("no pipe"))?;
    let mut books = BTreeMap::new();
    for line in BufReader::new(output).lines() {
        let line = line?;
        eprintln!("{line}");
        books.extend(read(&line));
    }
    Ok((books, child.wait()?.success()))
}

/// `books NAME cases=1 calls=2 end.missed=2`, anywhere in a line.
fn read(line: &str) -> Option<(String, Counts)> {
    let (_, books) = line.split_once("books ")?;
    let mut words = books.split_whitespace();
    let name = words.next()?.to_owned();
    let count = |word: &str| {
        let (name, count) = word.split_once('=')?;
        Some((name.to_owned(), count.parse().ok()?))
    };
    words.map(count).collect::<Option<Counts>>().map(|counts| (name, counts))
}

fn total(books: &BTreeMap<String, Counts>) -> Row {
    let sum = |what: &str| books.values().filter_map(|counts| counts.get(what)).sum::<u64>() as f64;
    let values = [("cases", sum("cases")), ("calls", sum("calls"))];
    Row::at_least("random cases, each audited after every step", "", &values, "cases", CASES as f64)
}

/// The two sides of the books of one test.
fn struck(what: &str, counts: &Counts) -> [Row; 2] {
    let count = |name: &str| counts.get(name).copied().unwrap_or(0);
    let side = |kind: &str, names: &[&'static str]| {
        let values = names.iter().map(|name| (*name, count(&format!("{kind}.{name}")) as f64));
        values.collect::<Vec<_>>()
    };
    let mut ends = side("end", &ENDS);
    let known: f64 = ends.iter().map(|(_, count)| count).sum();
    ends.extend([("calls", count("calls") as f64), ("unaccounted", (count("calls") as f64 - known).abs())]);
    let transfers = side("transfer", &TRANSFER_ENDS);
    let all = |(name, _): &(&String, &u64)| name.starts_with("transfer.");
    let all = counts.iter().filter(all).map(|(_, count)| count).sum::<u64>() as f64;
    let known: f64 = transfers.iter().map(|(_, count)| count).sum();
    let transfers = [transfers, vec![("without an end", all - known)]].concat();
    [
        Row::of(format!("{what}: calls by how they ended"), "", &ends, "unaccounted", 0.0),
        Row::of(format!("{what}: transfers by how they ended"), "", &transfers, "without an end", 0.0),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn books_are_read_wherever_they_stand_in_a_line() {
        let (name, counts) = read("test x ... books hurry cases=3 calls=2 end.missed=2").expect("books");
        assert_eq!((name.as_str(), counts["cases"], counts["end.missed"]), ("hurry", 3, 2));
        assert_eq!(read("test x ... ok"), None);
        assert_eq!(read("books hurry cases=x"), None);
    }

    #[test]
    fn a_call_without_an_end_does_not_pass() {
        let counts = |text: &str| read(&format!("books hurry {text}")).expect("books").1;
        let holds = |text: &str| struck("x", &counts(text)).map(|row| row.holds());
        assert_eq!(holds("calls=3 end.missed=2 end.failed=1 transfer.undone=4"), [true, true]);
        assert_eq!(holds("calls=3 end.missed=2"), [false, true]);
        assert_eq!(holds("calls=1 end.missed=2"), [false, true]);
        assert_eq!(holds("calls=0 transfer.vanished=1"), [true, false]);
    }
}
