//! Finished calls on their way into customer databases: with the log or not at all, each once, and not for ever.

#![allow(clippy::unwrap_used, reason = "tests")]

use ipc::{Direction, EndStatus, LogRow, Party, PluginCall, PluginOutcome, PluginParty};
use store::{JOURNAL_DAYS, MAX_JOURNAL, Store};

const DAY: i64 = 24 * 3600 * 1000;
const NOW: i64 = 1_700_000_000_000;

fn row(began: i64) -> LogRow {
    LogRow {
        id: 0,
        direction: Direction::Incoming,
        party: Party { number: Some("0145678910".into()), ..Party::default() },
        line_number: "5550100".into(),
        line_name: "Sales".into(),
        began_unix_ms: began,
        answered_after_ms: Some(4_000),
        talk_ms: 60_000,
        hold_ms: 0,
        end: EndStatus::Completed,
        transfers: Vec::new(),
        rules: Vec::new(),
        customer: None,
        call: None,
        sound: None,
        mark: ipc::LogMark::None,
    }
}

fn call(began: i64) -> PluginCall {
    PluginCall {
        id: String::new(),
        incoming: true,
        outcome: PluginOutcome::Answered,
        remote: PluginParty { numbers: vec!["+33145678910".into()], name: None },
        line: Some("Sales".into()),
        operator: "Front desk".into(),
        started_ms: began,
        ring_ms: 4_000,
        talk_ms: 60_000,
        transferred_to: None,
        subject: Some("C-1".into()),
    }
}

fn open(folder: &tempfile::TempDir) -> Store {
    Store::open(folder.path().join("desk.db")).unwrap()
}

/// Rows that wait.
fn length(folder: &tempfile::TempDir) -> u32 {
    let db = rusqlite::Connection::open(folder.path().join("desk.db")).unwrap();
    db.query_row("SELECT count(*) FROM journal", [], |row| row.get(0)).unwrap()
}

fn append(store: &mut Store, began: i64, plugins: &[&str]) -> store::Appended {
    let journal: Vec<_> = plugins.iter().map(|plugin| ((*plugin).to_owned(), call(began))).collect();
    store.append_call_with(&row(began), &journal, &[], began).unwrap()
}

#[test]
fn crm_3_app_4_a_call_is_in_the_journal_of_each_connector_until_it_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(&folder);
    append(&mut store, NOW, &["a.crm", "b.crm"]);
    append(&mut store, NOW + 1, &["a.crm"]);
    // As after a power cut: nothing was said to the file.
    drop(store);
    let mut store = open(&folder);
    assert_eq!(length(&folder), 3);
    let first = store.journal_due("a.crm", NOW + 1).unwrap().unwrap();
    let same = store.journal_due("b.crm", NOW + 1).unwrap().unwrap();
    assert_eq!(first.call.id, same.call.id, "a call has one identity");
    assert_eq!(first.call, PluginCall { id: first.call.id.clone(), ..call(NOW) });
    assert!(first.call.id.bytes().all(|b| b.is_ascii_digit() || b == b'-') && first.call.id.len() <= 64);
    // Told and not answered: the same again.
    assert_eq!(store.journal_due("a.crm", NOW + 1).unwrap(), Some(first.clone()));
    store.journal_done(first.id).unwrap();
    let second = store.journal_due("a.crm", NOW + 1).unwrap().unwrap();
    assert_ne!(second.call.id, first.call.id, "another call, another identity");
    store.journal_done(second.id).unwrap();
    assert_eq!(store.journal_due("a.crm", NOW + DAY).unwrap(), None);
    assert!(store.journal_due("b.crm", NOW + 1).unwrap().is_some());
}

#[test]
fn crm_3_what_was_not_taken_waits_and_keeps_its_identity() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(&folder);
    append(&mut store, NOW, &["a.crm"]);
    let plugins = ["a.crm".to_owned()];
    assert_eq!(store.journal_next(&plugins).unwrap(), Some(NOW));
    let first = store.journal_due("a.crm", NOW).unwrap().unwrap();
    store.journal_again(first.id, NOW + 15_000).unwrap();
    assert_eq!(store.journal_due("a.crm", NOW + 14_999).unwrap(), None);
    assert_eq!(store.journal_next(&plugins).unwrap(), Some(NOW + 15_000));
    assert_eq!(store.journal_next(&["b.crm".to_owned()]).unwrap(), None);
    let again = store.journal_due("a.crm", NOW + 15_000).unwrap().unwrap();
    assert_eq!((again.tries, &again.call), (1, &first.call));
}

#[test]
fn crm_3_a_connector_that_was_removed_takes_its_rows_along() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(&folder);
    append(&mut store, NOW, &["a.crm", "b.crm"]);
    assert_eq!(store.journal_tidy(&["a.crm".to_owned(), "c.crm".to_owned()], NOW).unwrap(), 1);
    assert_eq!(store.journal_due("a.crm", NOW).unwrap(), None);
    assert!(store.journal_due("b.crm", NOW).unwrap().is_some());
}

#[test]
fn crm_3_calls_wait_for_a_connector_that_is_missing_and_not_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(&folder);
    append(&mut store, NOW, &["a.crm"]);
    assert_eq!(store.journal_tidy(&[], NOW).unwrap(), 0, "nobody has removed it");
    assert!(store.journal_due("a.crm", NOW).unwrap().is_some());
    // By then no connector keeps a journal.
    assert_eq!(append(&mut store, NOW + JOURNAL_DAYS * DAY + 1, &[]).given_up, 1);
    assert_eq!(length(&folder), 0);
}

#[test]
fn crm_3_the_journal_has_an_end_and_the_oldest_give_way() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(&folder);
    append(&mut store, NOW - JOURNAL_DAYS * DAY - 1, &["a.crm"]);
    assert_eq!(append(&mut store, NOW, &["a.crm"]).given_up, 1, "older than anybody wants it");
    let many: Vec<_> = (0..MAX_JOURNAL - 1).map(|_| ("a.crm".to_owned(), call(NOW))).collect();
    assert_eq!(store.append_call_with(&row(NOW), &many, &[], NOW).unwrap().given_up, 0);
    let oldest = store.journal_due("a.crm", NOW).unwrap().unwrap();
    assert_eq!(append(&mut store, NOW, &["a.crm"]).given_up, 1);
    assert_eq!(length(&folder), MAX_JOURNAL);
    assert!(store.journal_due("a.crm", NOW).unwrap().unwrap().id > oldest.id);
}

#[test]
fn crm_3_which_connectors_keep_a_journal_is_known_before_they_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(&folder);
    assert!(store.load_journals().unwrap().is_empty());
    let plugins = ["a.crm".to_owned(), "b.crm".to_owned()];
    store.save_journals(&plugins).unwrap();
    drop(store);
    assert_eq!(open(&folder).load_journals().unwrap(), plugins);
}
