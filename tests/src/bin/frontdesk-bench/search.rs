//! Typing into the search bar over 100,000 contacts (DIR-6).

use std::time::Duration;

use directory::{Catalogue, Directory, Entry, NumberPlan};
use ipc::{ContactId, ContactQuery, DirectoryId, SortKey};

use crate::people::person;
use crate::stopwatch;
use frontdesk_tests::report::{Row, Unit};

const CONTACTS: u32 = 100_000;
/// Rows that the screen asks for.
const PAGE: u32 = 100;
/// How often everything is typed.
const TIMES: usize = 12;

/// What people type: names, accents left out, two words, digits, parts of addresses, a miss, and the
/// single keys that match nearly everything.
const TYPED: &[&str] = &[
    "marie",
    "mar",
    "amelie",
    "lea ne",
    "bernardin",
    "schu",
    "paul hol",
    "soren",
    "luk",
    "0612",
    "+33 4",
    "01 45",
    "metal",
    "energie",
    "catering",
    "qualite",
    "buchhaltung",
    "example",
    "rosa.v",
    "3.14",
    "qxz",
    "bernadrin",
    "schulr mar",
    "e",
    "a",
    "1",
    "@",
    "s",
];

/// Each key of each search.
pub(crate) fn measure() -> Vec<Row> {
    let mut catalogue = filled();
    let mut times: Vec<Duration> = Vec::new();
    let mut found = 0_u64;
    for _ in 0..TIMES {
        for typed in TYPED {
            for (end, key) in typed.char_indices() {
                let text = typed[..end + key.len_utf8()].to_owned();
                let query =
                    ContactQuery { directory: None, text, sort: SortKey::default(), offset: 0, limit: PAGE };
                times.extend(stopwatch::each(1, || found += u64::from(catalogue.page(&query).total)));
            }
        }
    }
    assert!(found > 0, "a search that finds nothing measures nothing");
    let figure = "search over 100,000 contacts, per key";
    vec![Row::times(figure, Unit::Milliseconds, &times, "p99", 10.0).note(format!("{} keys", times.len()))]
}

fn filled() -> Catalogue {
    let mut catalogue = Catalogue::new(NumberPlan::default());
    let id = DirectoryId(1);
    catalogue.set_directory(Directory {
        id,
        name: "All".into(),
        local: false,
        line: None,
        note: String::new(),
        look: Default::default(),
    });
    let entry = |number| Entry { id: ContactId(u64::from(number)), directory: id, contact: person(number) };
    catalogue
        .upsert_all((0..CONTACTS).map(entry).collect())
        .expect("invented contacts are within the limits");
    catalogue.prepare();
    assert_eq!(catalogue.len(), CONTACTS as usize);
    catalogue
}
