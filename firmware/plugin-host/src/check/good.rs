//! The servers answer well: the whole directory, in pages of any size, each by a fresh instance; the run after
//! it; and places that no run can be at.

use std::collections::BTreeSet;

use super::stage::Mood;
use super::{Bench, Report, SECRET, customers, in_short};
use crate::connector::{Cancel, Change, Connector, Next, Start};
use crate::failure::Failure;
use crate::host::LoadError;
use crate::sync::{self, Directory, PAGE, SyncLimits, Synced};

/// The small pages.
const SMALL: u32 = 20;
/// More small pages than any answer here has.
const MOST: usize = 500;

pub(super) fn run(bench: &Bench, report: &mut Report) -> Result<(), LoadError> {
    bench.stage.set(Mood::Good);
    let plugin = bench.load()?;
    let checked = plugin.check(&Cancel::default());
    report.judge(
        checked.as_ref().is_ok_and(|words| !words.is_empty()),
        match &checked {
            Ok(words) => format!("its test says: {words}"),
            Err(failure) => format!("its test fails where all is well: {}", in_short(failure)),
        },
    );
    tell_cost(&plugin, "a call", report);
    if plugin.has_directory() && !directory(bench, &plugin, report)? {
        return Ok(());
    }
    looked_up(&plugin, report);
    searched(&plugin, report);
    let asks_servers = !bench.approved.manifest().net.is_empty();
    customers::good(&plugin, &bench.number, asks_servers, report);
    silent_about_secrets(&plugin, report);
    Ok(())
}

/// The directory; without a first run there is nothing more to be seen.
fn directory(bench: &Bench, plugin: &Connector, report: &mut Report) -> Result<bool, LoadError> {
    let Some(synced) = whole(plugin, report) else { return Ok(false) };
    small_pages(&bench.load()?, &synced.directory, report);
    restarted(bench, report)?;
    next_run(plugin, &synced.directory, report);
    no_place(plugin, report);
    Ok(true)
}

pub(super) fn tell_cost(plugin: &Connector, what: &str, report: &mut Report) {
    let cost = plugin.last_cost();
    let (wall, cpu) = (cost.wall.as_micros(), cost.cpu.as_micros());
    report.tell(format!(
        "{what}: {wall} us, {cpu} us of them on the processor, {} KiB of memory",
        cost.memory >> 10
    ));
}

fn whole(plugin: &Connector, report: &mut Report) -> Option<Synced> {
    let (before, limits) = (Directory::default(), SyncLimits::default());
    let run = sync::run(plugin, &before, &limits, &Cancel::default(), &mut |_, _| {});
    tell_cost(plugin, "a page", report);
    match run {
        Ok(synced) => {
            let people = synced.directory.contacts.len();
            let words = format!("a full run: {people} people in {} pages of {PAGE}", synced.pages);
            report.judge(people > 0, words);
            let left_out = synced.left_out;
            report.judge(left_out == 0, format!("contacts that the host could not use: {left_out}"));
            Some(synced)
        }
        Err(error) => {
            let words = match error {
                sync::SyncError::Call(failure) => in_short(&failure),
                endless => endless.to_string(),
            };
            report.judge(
                false,
                format!(
                    "a full run fails where all is well: {words} (give an answer of its server with --answer)"
                ),
            );
            None
        }
    }
}

/// The same people in small pages, none twice.
fn small_pages(plugin: &Connector, directory: &Directory, report: &mut Report) {
    let mut found: Vec<String> = Vec::new();
    let mut start = Start::Full;
    for _ in 0..MOST {
        match plugin.fetch(&start, SMALL, &Cancel::default()) {
            Ok(page) => {
                found.extend(page.changes.into_iter().map(|change| match change {
                    Change::Upsert(contact) => contact.id,
                    Change::Delete(id) => id,
                }));
                match page.next {
                    Next::More(cursor) => start = Start::Resume(cursor),
                    Next::Done(_) => break,
                }
            }
            Err(failure) => {
                report.judge(false, format!("a run in pages of {SMALL}: {}", in_short(&failure)));
                return;
            }
        }
    }
    let once: BTreeSet<&String> = found.iter().collect();
    let same = once.len() == found.len() && once.into_iter().eq(directory.contacts.keys());
    report.judge(
        same,
        format!("in pages of {SMALL}, each by a fresh instance, the same people and nobody twice"),
    );
}

/// A cursor after a restart: goes on, or asks for a new run.
fn restarted(bench: &Bench, report: &mut Report) -> Result<(), LoadError> {
    let cancel = Cancel::default();
    let Ok(page) = bench.load()?.fetch(&Start::Full, SMALL, &cancel) else { return Ok(()) };
    let Next::More(cursor) = page.next else {
        report.tell("one page is all, so that no run can be resumed");
        return Ok(());
    };
    let resumed = bench.load()?.fetch(&Start::Resume(cursor), SMALL, &cancel);
    let (good, words) = match &resumed {
        Ok(_) => (true, "goes on".to_owned()),
        Err(failure) => (is_case(failure, &["resync-required"]), in_short(failure)),
    };
    report.judge(good, format!("a run resumed after a restart: {words}"));
    Ok(())
}

/// The run after a full one: nobody is lost, or a full one is asked for.
fn next_run(plugin: &Connector, directory: &Directory, report: &mut Report) {
    if directory.token.is_none() {
        report.tell("it gives no change token: each run is a full one");
        return;
    }
    let run = sync::run(plugin, directory, &SyncLimits::default(), &Cancel::default(), &mut |_, _| {});
    let (good, words) = match run {
        Ok(synced) => {
            (synced.deleted == 0, format!("{} pages, {} people gone", synced.pages, synced.deleted))
        }
        Err(sync::SyncError::Call(failure)) => (is_case(&failure, &["resync-required"]), in_short(&failure)),
        Err(error) => (false, error.to_string()),
    };
    report.judge(good, format!("the next run, nothing having changed: {words}"));
}

fn no_place(plugin: &Connector, report: &mut Report) {
    for (what, start) in [
        ("a cursor that is none of its own", Start::Resume("\u{fffd} rubbish 12".to_owned())),
        ("an empty cursor", Start::Resume(String::new())),
        ("a token that is none of its own", Start::Delta("\u{fffd} rubbish 12".to_owned())),
    ] {
        let answer = plugin.fetch(&start, PAGE, &Cancel::default());
        let (good, words) = match &answer {
            Ok(page) => {
                (page.changes.is_empty() && matches!(start, Start::Delta(_)), "claims success".to_owned())
            }
            Err(failure) => {
                (is_case(failure, &["resync-required", "misconfigured", "protocol"]), in_short(failure))
            }
        };
        report.judge(good, format!("{what}: {words}"));
    }
}

fn looked_up(plugin: &Connector, report: &mut Report) {
    let numbers = ["+41445550001".to_owned(), "0445550001".to_owned()];
    match plugin.lookup(&numbers, 5, &Cancel::default()) {
        Ok(None) => report.tell("it cannot be asked for a number"),
        Ok(Some(people)) => report.judge(true, format!("asked for a number: {} people", people.len())),
        Err(failure) => report.judge(false, format!("asked for a number: {}", in_short(&failure))),
    }
}

fn searched(plugin: &Connector, report: &mut Report) {
    // As people type: a name, part of it, a number, what is none of it.
    for text in ["person", "zo", "0445550001", "*)(cn=*", "\u{fffd}\"'<>&%"] {
        match plugin.search(text, 20, &Cancel::default()) {
            Ok(None) => return report.tell("it cannot be searched"),
            Ok(Some(people)) => report.judge(true, format!("searched for {text}: {} people", people.len())),
            Err(failure) => report.judge(false, format!("searched for {text}: {}", in_short(&failure))),
        }
    }
}

fn silent_about_secrets(plugin: &Connector, report: &mut Report) {
    let (lines, lost) = plugin.log();
    let clean = lines.iter().all(|line| !line.contains(SECRET));
    report.judge(clean, format!("its log has no secret in it ({} lines, {lost} lost)", lines.len()));
}

pub(super) fn is_case(failure: &Failure, cases: &[&str]) -> bool {
    matches!(failure, Failure::Said { case, .. } if cases.contains(case))
}
