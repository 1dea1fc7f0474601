//! Calls that something was wrong with: kept with their row of the log, and gone with it (APP-4, LOG-1).
#![allow(clippy::unwrap_used, reason = "tests")]

use ipc::{CallMark, CallSecond, Direction, EndStatus, LogMark, LogQuery, LogRow, Party};
use store::{MAX_CALL_MARKS, Store, StoreError};
use tempfile::TempDir;

fn open() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("desk.db")).unwrap();
    (folder, store)
}

fn row(began_unix_ms: i64) -> LogRow {
    LogRow {
        id: 0,
        direction: Direction::Incoming,
        party: Party::default(),
        line_number: "5550100".into(),
        line_name: "Sales".into(),
        began_unix_ms,
        answered_after_ms: Some(1),
        talk_ms: 0,
        hold_ms: 0,
        end: EndStatus::Completed,
        transfers: Vec::new(),
        rules: Vec::new(),
        customer: None,
        call: None,
        sound: None,
        mark: LogMark::None,
    }
}

fn mark(at_unix_ms: i64, seconds: usize) -> CallMark {
    let second = |n: usize| CallSecond {
        length_ms: 1000,
        received: 50,
        lost: u32::try_from(n).unwrap(),
        round_trip_us: Some(31_000),
        heard_decibel_tenths: -235,
        ..CallSecond::default()
    };
    CallMark { at_unix_ms, until_unix_ms: at_unix_ms - 1, seconds: (0..seconds).map(second).collect() }
}

fn told(store: &Store) -> Vec<LogMark> {
    let all = LogQuery {
        from_unix_ms: i64::MIN,
        until_unix_ms: i64::MAX,
        text: String::new(),
        limit: 500,
        ..LogQuery::default()
    };
    store.log_page(&all).unwrap().rows.iter().map(|row| row.mark).collect()
}

#[test]
fn log_1_app_4_marks_come_with_their_row_or_later_and_are_there_after_a_restart() {
    let (folder, mut store) = open();
    let early = store.append_call_with(&row(1), &[], &[mark(10, 60), mark(20, 3)], 30).unwrap().call;
    let plain = store.append_call(&row(2)).unwrap();
    let late = store.append_call(&row(3)).unwrap();
    store.add_mark(late, &mark(40, 0)).unwrap();
    assert!(matches!(store.add_mark(99, &mark(1, 1)), Err(StoreError::NoSuchCall(99))));
    drop(store);
    let mut store = Store::open(folder.path().join("desk.db")).unwrap();
    assert_eq!(told(&store), [LogMark::Marked, LogMark::None, LogMark::Marked]);
    assert_eq!(store.marks_of(early).unwrap(), [mark(10, 60), mark(20, 3)]);
    assert_eq!(store.marks_of(plain).unwrap(), []);
    assert_eq!(store.marks_of(late).unwrap(), [mark(40, 0)]);
    let newest = store.marked_calls(2).unwrap();
    assert_eq!(newest.iter().map(|found| found.call.id).collect::<Vec<_>>(), [late, early]);
    assert_eq!(newest[1].mark, mark(20, 3));
    assert_eq!(store.marked_call(newest[1].id).unwrap().unwrap(), newest[1]);
    assert_eq!(store.marked_call(99).unwrap(), None);
    // A minute is the most, the end of it what counts.
    store.add_mark(plain, &mark(50, 75)).unwrap();
    let kept = store.marks_of(plain).unwrap().remove(0).seconds;
    assert_eq!((kept.len(), kept[0].lost), (60, 15));
}

#[test]
fn marks_of_a_call_are_bounded_and_go_with_it() {
    let (folder, mut store) = open();
    let (one, other) = (store.append_call(&row(1)).unwrap(), store.append_call(&row(2)).unwrap());
    for at in 0..i64::from(MAX_CALL_MARKS) + 3 {
        store.add_mark(one, &mark(at, 1)).unwrap();
    }
    store.add_mark(other, &mark(1, 1)).unwrap();
    let kept: Vec<i64> = store.marks_of(one).unwrap().iter().map(|mark| mark.at_unix_ms).collect();
    assert_eq!(kept, (3..i64::from(MAX_CALL_MARKS) + 3).collect::<Vec<_>>(), "the newest");
    drop(store);
    let path = folder.path().join("desk.db");
    let db = rusqlite::Connection::open(&path).unwrap();
    db.pragma_update(None, "foreign_keys", true).unwrap();
    db.execute("DELETE FROM call WHERE id = ?1", [one]).unwrap();
    // What a later version may have written is not known to this one, and the mark is there.
    db.execute("UPDATE mark SET seconds = '{\"strange\":1}' WHERE call = ?1", [other]).unwrap();
    drop(db);
    let store = Store::open(&path).unwrap();
    assert_eq!(store.marks_of(one).unwrap(), []);
    assert_eq!(store.marks_of(other).unwrap(), [CallMark { seconds: Vec::new(), ..mark(1, 0) }]);
    assert_eq!(store.marked_calls(10).unwrap().len(), 1);
}

#[test]
fn app_4_a_database_of_before_gets_its_table_for_marks_and_keeps_its_calls() {
    let (folder, mut store) = open();
    let call = store.append_call(&row(1)).unwrap();
    drop(store);
    let path = folder.path().join("desk.db");
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch(
        "DROP TABLE mark; DROP TRIGGER note_of_removed_operator; DROP TABLE note; \
         DROP TRIGGER reminder_of_removed_operator; DROP TABLE reminder; \
         DROP TRIGGER desk_of_removed_operator; DROP TABLE signed_in; DROP TABLE operator_preferences; \
         PRAGMA user_version = 8;",
    )
    .unwrap();
    drop(db);
    let mut store = Store::open(&path).unwrap();
    assert_eq!(told(&store), [LogMark::None]);
    store.add_mark(call, &mark(1, 1)).unwrap();
    assert_eq!(told(&store), [LogMark::Marked]);
}
