//! 100,000 contacts: onto the disk, into memory, under the fingers and behind a number (DIR-3, DIR-6, CALL-5), beside
//! what one would take off the shelf.

use std::fs;
use std::time::{Duration, Instant};

use directory::{Catalogue, Contact, Directory, Entry, NumberPlan, csv};
use ipc::{ContactId, ContactQuery, DirectoryId, SortKey};
use store::Store;

use crate::peers::{Fts5, Nucleo};
use crate::people::person;
use crate::queries::{QUERIES, keys, queries};
use crate::stopwatch;
use frontdesk_tests::report::{Row, Unit};

const CONTACTS: u32 = 100_000;
/// Rows that the screen asks for.
const PAGE: u32 = 100;
/// Numbers that call.
const CALLERS: u32 = 2_000;
/// Of the queries, as many as the peers are asked: some need a second for each key.
const ASKED_PEERS: usize = 100;

/// What people type least and what costs most: single keys that match nearly everything, parts of addresses,
/// a miss.
const DEAREST: &[&str] =
    &["e", "a", "1", "@", "s", "ex", "example", "rosa.v", "3.14", "qxz", "0612", "+33 4", "01 45"];

/// Each key of each search, and the rest.
pub(crate) fn measure() -> Vec<Row> {
    let people: Vec<Contact> = (0..CONTACTS).map(person).collect();
    let mut rows = vec![import(&people)];
    let queries = queries(CONTACTS);
    let before = resident_mib();
    let mut catalogue = filled(&people, &mut rows);
    let memory = [("resident", resident_mib() - before)];
    rows.push(
        Row::of("memory of 100,000 contacts with their indices", "MiB", &memory, "resident", 160.0)
            .note("what the process has grown by"),
    );
    let times = typed(&mut catalogue, keys(&queries));
    rows.push(
        Row::times("search over 100,000 contacts, per key", Unit::Milliseconds, &times, "p99", 2.0)
            .note(format!("{QUERIES} queries of people, {} keys", times.len())),
    );
    let dearest: Vec<String> = DEAREST.iter().map(|&query| query.to_owned()).collect();
    let times = typed(&mut catalogue, keys(&dearest).cycle().take(12 * keys(&dearest).count()));
    rows.push(
        Row::times("the same, the dearest keys there are", Unit::Milliseconds, &times, "p99", 10.0)
            .note(format!("{} keys", times.len())),
    );
    rows.push(callers(&catalogue, &people));
    rows.extend(peers(&people, &queries[..ASKED_PEERS], &mut catalogue));
    rows
}

/// A file, onto the disk: by the clock on the wall, since the disk is waited for.
fn import(people: &[Contact]) -> Row {
    let folder = tempfile::tempdir().expect("the system has a folder for scratch files");
    let path = folder.path().join("contacts.csv");
    let mut file = Vec::new();
    csv::export(&mut file, people).expect("memory takes all of it");
    let mebibytes = file.len() >> 20;
    fs::write(&path, file).expect("the scratch folder is writable");
    let mut store = Store::open(folder.path().join("desk.db")).expect("the scratch folder is writable");
    let began = Instant::now();
    let (_, report) = store.import_csv(&path, "All", false, 0).expect("the file is a good one");
    let took = began.elapsed();
    assert_eq!(report.loaded, CONTACTS, "{report:?}");
    let seconds = [("seconds", took.as_secs_f64())];
    Row::of("import of 100,000 contacts, until they are on the disk", "s", &seconds, "seconds", 10.0)
        .note(format!("a CSV file of {mebibytes} MiB"))
}

fn filled(people: &[Contact], rows: &mut Vec<Row>) -> Catalogue {
    let mut catalogue = Catalogue::new(NumberPlan::default());
    let id = DirectoryId(1);
    let (name, note) = ("All".into(), String::new());
    catalogue.set_directory(Directory {
        id,
        name,
        local: false,
        line: None,
        note,
        look: Default::default(),
        source: None,
    });
    let entry = |(number, contact): (u64, &Contact)| Entry {
        id: ContactId(number),
        directory: id,
        contact: contact.clone(),
    };
    let mut entries: Vec<Entry> = (0..).zip(people).map(entry).collect();
    let took = stopwatch::each(1, || {
        catalogue.upsert_all(std::mem::take(&mut entries)).expect("invented contacts are within the limits");
        catalogue.prepare();
    });
    assert_eq!(catalogue.len(), CONTACTS as usize);
    rows.push(Row::times(
        "100,000 contacts from the disk into the index",
        Unit::Milliseconds,
        &took,
        "max",
        3000.0,
    ));
    catalogue
}

fn typed<'a>(catalogue: &mut Catalogue, keys: impl Iterator<Item = &'a str>) -> Vec<Duration> {
    let mut found = 0_u64;
    let times = keys
        .flat_map(|key| {
            let text = key.to_owned();
            let query =
                ContactQuery { directory: None, text, sort: SortKey::default(), offset: 0, limit: PAGE };
            stopwatch::each(1, || found += u64::from(catalogue.page(&query).total))
        })
        .collect();
    assert!(found > 0, "a search that finds nothing measures nothing");
    times
}

/// Who calls: half of the numbers are in the directories, written otherwise there.
fn callers(catalogue: &Catalogue, people: &[Contact]) -> Row {
    let number = |n: u32| match n % 4 {
        0 => people[n as usize * 37].phone.replace(' ', ""),
        1 => people[n as usize * 31].mobile.replacen('0', "+33", 1),
        2 => format!("+4989{n:07}"),
        _ => format!("{n}"),
    };
    let numbers: Vec<String> = (0..CALLERS).map(number).collect();
    let mut known = 0;
    let times: Vec<Duration> = numbers
        .iter()
        .flat_map(|number| {
            stopwatch::each(1, || known += usize::from(catalogue.party(number, None).contact.is_some()))
        })
        .collect();
    assert!(known >= numbers.len() / 2, "{known} of {} callers known", numbers.len());
    Row::times("caller looked up among 100,000 contacts", Unit::Microseconds, &times, "p99", 100.0)
        .note(format!("{CALLERS} callers, {known} of them known"))
}

/// Ours and theirs, the same keys. The peers have no bar: they are what ours is compared with.
fn peers(people: &[Contact], queries: &[String], catalogue: &mut Catalogue) -> Vec<Row> {
    let keys: Vec<&str> = keys(queries).collect();
    let ours = typed(catalogue, keys.iter().copied());
    let fts5 = Fts5::filled(people);
    let sqlite: Vec<Duration> =
        keys.iter().flat_map(|key| stopwatch::each(1, || fts5.page(key, PAGE))).collect();
    let mut nucleo = Nucleo::filled(people);
    let fuzzy: Vec<Duration> =
        keys.iter().flat_map(|key| stopwatch::each(1, || nucleo.page(key, PAGE as usize))).collect();
    let mean = |times: &[Duration]| times.iter().sum::<Duration>().as_secs_f64();
    let ratio = |times: &[Duration]| format!("{:.1} times as long as ours in all", mean(times) / mean(&ours));
    let count = keys.len();
    vec![
        Row::beside("beside: ours, per key", Unit::Milliseconds, &ours).note(format!("{count} keys")),
        Row::beside("beside: SQLite FTS5 trigram, per key", Unit::Milliseconds, &sqlite)
            .note(format!("{}; best 100 without their number; LIKE below three letters", ratio(&sqlite))),
        Row::beside("beside: nucleo, per key", Unit::Milliseconds, &fuzzy)
            .note(format!("{}; fuzzy, best 100", ratio(&fuzzy))),
    ]
}

fn resident_mib() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()).and_then(|word| word.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}
