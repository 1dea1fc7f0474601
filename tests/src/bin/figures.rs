//! `make figures`: what the reports have measured, as pages of `docs/figures.md`: the files of `target/reports`, each with its
//! day, machine and the commit that was the newest then.
//!
//! Nothing is measured here: `make bench`, `make audio-report` and the others do that. All of them take most of a day: of a
//! report that was not run on this machine the page keeps what it had, under the day of that; one that never was is named as
//! such, so that the page does not look more whole than it is.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a report is printed")]

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use frontdesk_tests::{report, repository};

/// The reports in the order of the page: the file, the command, what it is of.
const REPORTS: [(&str, &str, &str); 12] = [
    ("bench.json", "make bench", "Call set-up, screen, search, lamps, storage, plugins"),
    ("audio-report.txt", "make audio-report", "Sound beside baresip, over lossy networks"),
    ("conference.json", "make conference-report", "Conference"),
    ("devices.json", "make device-report", "Devices pulled in mid-call"),
    ("echo.json", "make echo-report", "Echo"),
    ("audio-hours.json", "make audio-hours", "Eight simulated hours"),
    ("presence.json", "make presence-report", "2,000 lamps"),
    ("failover.json", "make failover", "An exchange that dies"),
    ("sip-traps.json", "make sip-traps", "Traps of exchanges"),
    ("soak.json", "make soak", "20,000 calls"),
    ("chaos.json", "make chaos", "Lost datagrams, dying peers"),
    ("random.json", "make random", "Random operations"),
];

fn main() -> ExitCode {
    let path = repository::root().join("docs/figures.md");
    let before = fs::read_to_string(&path).unwrap_or_default();
    let page =
        page(&repository::reports(), &before, &|when| format!("{}, commit {}", machine(), commit(when)));
    match fs::write(&path, page) {
        Ok(()) => {
            println!("{}", path.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            ExitCode::FAILURE
        }
    }
}

/// The page, with what it said `before` of reports that are not there. `whence` is on what a report of a time was run.
fn page(reports: &Path, before: &str, whence: &dyn Fn(SystemTime) -> String) -> String {
    let mut page = "# Figures\n\nWritten by `make figures` from what the commands below have measured, each on its day.\n\
         Bars are the project's own; *holds* says whether the figure is within. A figure without a bar is there to compare with.\n"
        .to_owned();
    for (file, command, title) in REPORTS {
        page += &format!("\n## {title}\n\n");
        let path = reports.join(file);
        let Ok(text) = fs::read_to_string(&path) else {
            page += &section(before, title).unwrap_or_else(|| format!("`{command}`: **not run.**\n"));
            continue;
        };
        let when = fs::metadata(&path).and_then(|file| file.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
        let day = DateTime::<Utc>::from(when).format("%Y-%m-%d");
        let machine = whence(when);
        if file.ends_with(".txt") {
            page += &format!("`{command}`, {day}, {machine}:\n\n```text\n{}\n```\n", text.trim_end());
            continue;
        }
        page += &match report::markdown(&text) {
            Ok((table, held, all)) => {
                format!("`{command}`, {day}, {machine}: {held} of {all} hold.\n\n{table}")
            }
            Err(error) => format!("`{command}`, {day}: the file cannot be read ({error}).\n"),
        };
    }
    page
}

/// What a page says under this title.
fn section(page: &str, title: &str) -> Option<String> {
    let (_, rest) = page.split_once(&format!("\n## {title}\n\n"))?;
    let text = rest.split_once("\n## ").map_or(rest, |(text, _)| text);
    Some(format!("{}\n", text.trim_end()))
}

/// Processor, cores and memory.
fn machine() -> String {
    let field = |file: &str, name: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned));
        line.map(|line| line.trim_start_matches([':', '\t', ' ']).to_owned())
            .unwrap_or_else(|| "unknown".into())
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "{} × {}, {} of memory",
        cores,
        field("/proc/cpuinfo", "model name"),
        field("/proc/meminfo", "MemTotal")
    )
}

/// The newest commit at a time: what a report of that time was run on.
fn commit(when: SystemTime) -> String {
    let seconds = DateTime::<Utc>::from(when).timestamp();
    let output = Command::new("git")
        .args(["rev-list", "-1", "--abbrev-commit", "--abbrev=12", &format!("--before=@{seconds}"), "HEAD"])
        .current_dir(repository::root())
        .output();
    output.map_or_else(|_| String::new(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_that_was_not_run_is_named_and_one_that_was_is_shown() {
        let folder = tempfile::tempdir().expect("a folder");
        let rows = [report::Row::none("lost calls", 0)];
        fs::write(folder.path().join("soak.json"), serde_json::to_string(&rows).expect("JSON"))
            .expect("a file");
        fs::write(folder.path().join("audio-report.txt"), "codec | x\n").expect("a file");
        fs::write(folder.path().join("chaos.json"), "[{]").expect("a file");
        let page = page(folder.path(), "", &|_| "a machine".to_owned());
        assert!(page.contains("`make bench`: **not run.**"), "{page}");
        assert!(page.contains("1 of 1 hold.\n\n| figure |"), "{page}");
        assert!(page.contains("```text\ncodec | x\n```"), "{page}");
        assert!(page.contains("the file cannot be read"), "{page}");
    }

    #[test]
    fn of_a_report_that_was_not_run_the_page_keeps_what_it_had() {
        let folder = tempfile::tempdir().expect("a folder");
        let rows = [report::Row::none("lost calls", 0)];
        let soak = folder.path().join("soak.json");
        fs::write(&soak, serde_json::to_string(&rows).expect("JSON")).expect("a file");
        let first = page(folder.path(), "", &|_| "one machine".to_owned());
        assert_eq!(page(folder.path(), &first, &|_| "one machine".to_owned()), first, "nothing is new");
        fs::remove_file(&soak).expect("it is there");
        fs::write(folder.path().join("chaos.json"), "[]").expect("a file");
        let second = page(folder.path(), &first, &|_| "another".to_owned());
        assert!(second.contains("one machine: 1 of 1 hold.\n\n| figure |"), "{second}");
        assert!(second.contains("`make chaos`") && second.contains("another: 0 of 0 hold."), "{second}");
        assert_eq!(second.matches("**not run.**").count(), REPORTS.len() - 2, "{second}");
    }
}
