//! The call log and the missed calls (LOG-1, LOG-2, BAR-1).
#![allow(clippy::unwrap_used, reason = "tests")]

use ipc::{
    CallSound, ContactId, Direction, EndStatus, LogOrder, LogPage, LogQuery, LogRow, LogSort, LogTransfer,
    OutcomeCount, Party, TransferEnd, TransferKind,
};
use proptest::prelude::*;
use store::{MAX_LOG_PAGE, Store, StoreError};
use tempfile::TempDir;

fn open() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("desk.db")).unwrap();
    (folder, store)
}

fn party(number: &str, name: &str) -> Party {
    Party { number: Some(number.into()), name: Some(name.into()), ..Party::default() }
}

fn call(began_unix_ms: i64, end: EndStatus, party: Party) -> LogRow {
    LogRow {
        id: 0,
        direction: Direction::Incoming,
        party,
        line_number: "5550100".into(),
        line_name: "Sales".into(),
        began_unix_ms,
        answered_after_ms: None,
        talk_ms: 0,
        hold_ms: 0,
        end,
        transfers: Vec::new(),
        rules: Vec::new(),
        customer: None,
        call: None,
        sound: None,
        mark: ipc::LogMark::None,
    }
}

fn all(text: &str) -> LogQuery {
    LogQuery {
        from_unix_ms: i64::MIN,
        until_unix_ms: i64::MAX,
        text: text.into(),
        limit: 500,
        ..LogQuery::default()
    }
}

#[test]
fn log_1_how_a_call_sounded_is_told_with_it_or_later() {
    let (folder, mut store) = open();
    let sound = CallSound {
        mos_hundredths: Some(412),
        received: 3000,
        lost: 2,
        late: 1,
        jitter_us: 900,
        round_trip_us: Some(31_000),
        lost_there_thousandths: Some(4),
    };
    let answered =
        LogRow { answered_after_ms: Some(1), ..call(1_000, EndStatus::Completed, Party::default()) };
    store.append_call(&LogRow { sound: Some(sound), ..answered.clone() }).unwrap();
    let later = store.append_call(&answered).unwrap();
    let told = |store: &Store| {
        store.log_page(&all("")).unwrap().rows.iter().map(|row| row.sound).collect::<Vec<_>>()
    };
    assert_eq!(told(&store), [None, Some(sound)]);
    for _ in 0..2 {
        store.set_call_sound(later, &CallSound::default()).unwrap();
    }
    assert_eq!(told(&store), [Some(CallSound::default()), Some(sound)]);
    assert!(matches!(store.set_call_sound(99, &sound), Err(StoreError::NoSuchCall(99))));
    // What a later version may have written is not known to this one, and the call is there.
    drop(store);
    let path = folder.path().join("desk.db");
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute("UPDATE call SET sound = '{\"strange\":1}' WHERE id = ?1", [later]).unwrap();
    assert_eq!(told(&Store::open(&path).unwrap()), [None, Some(sound)]);
}

#[test]
fn log_1_a_call_comes_back_as_it_was_written_after_a_restart() {
    let (folder, mut store) = open();
    let full = LogRow {
        direction: Direction::Outgoing,
        party: Party {
            number: Some("+33145678910".into()),
            name: Some("Éloïse".into()),
            company: Some("Acme".into()),
            title: Some("Director".into()),
            contact: Some(ContactId(7)),
            local: true,
            matched: None,
        },
        answered_after_ms: Some(1200),
        talk_ms: 61_000,
        hold_ms: 5,
        transfers: vec![
            LogTransfer {
                to: party("2110", "Bob"),
                kind: TransferKind::Blind,
                end: TransferEnd::Refused { code: 486 },
                took_ms: 900,
            },
            LogTransfer {
                to: party("2111", "Carol"),
                kind: TransferKind::Attended,
                end: TransferEnd::Answered,
                took_ms: 4000,
            },
            LogTransfer {
                to: party("2111", "Carol"),
                kind: TransferKind::SemiAttended,
                end: TransferEnd::Undone,
                took_ms: 40,
            },
        ],
        rules: vec!["Night \"service\"".into(), "Größter Andrang".into()],
        ..call(1_000, EndStatus::Transferred, Party::default())
    };
    let first = store.append_call(&full).unwrap();
    let second = store.append_call(&call(2_000, EndStatus::Missed, Party::default())).unwrap();
    assert!(second > first);
    drop(store);
    let store = Store::open(folder.path().join("desk.db")).unwrap();
    let page = store.log_page(&all("")).unwrap();
    assert_eq!(page.total, 2);
    assert_eq!(
        page.rows,
        [
            LogRow { id: second, ..call(2_000, EndStatus::Missed, Party::default()) },
            LogRow { id: first, ..full }
        ]
    );
}

#[test]
fn log_2_a_page_is_cut_by_time_status_and_number() {
    let (_folder, mut store) = open();
    for at in 0..700 {
        let end = if at % 7 == 0 { EndStatus::Missed } else { EndStatus::Completed };
        store.append_call(&call(at, end, party("2110", "Bob"))).unwrap();
    }
    let page = store.log_page(&LogQuery { limit: u32::MAX, ..all("") }).unwrap();
    assert_eq!((page.total, page.rows.len()), (700, MAX_LOG_PAGE as usize));
    assert_eq!(page.rows[0].began_unix_ms, 699);
    let page = store.log_page(&LogQuery { offset: 695, ..all("") }).unwrap();
    assert_eq!(page.rows.iter().map(|row| row.began_unix_ms).collect::<Vec<_>>(), [4, 3, 2, 1, 0]);
    let day = LogQuery { from_unix_ms: 100, until_unix_ms: 200, ..all("") };
    let page = store.log_page(&day).unwrap();
    assert_eq!((page.total, page.rows[0].began_unix_ms, page.rows[99].began_unix_ms), (100, 199, 100));
    let page = store.log_page(&LogQuery { ends: vec![EndStatus::Missed], ..day }).unwrap();
    assert_eq!(page.rows.iter().map(|row| row.began_unix_ms % 7).sum::<i64>(), 0);
    assert_eq!(page.total, 14);
}

#[test]
fn log_2_the_search_ignores_case_accents_and_spaces_in_numbers() {
    let (_folder, mut store) = open();
    let eloise =
        store.append_call(&call(1, EndStatus::Completed, party("01 45 67 89 10", "Éloïse Dupré"))).unwrap();
    let mut transferred = call(2, EndStatus::Transferred, party("2110", "Bob 100%_"));
    transferred.transfers.push(LogTransfer {
        to: party("2111", "Çelik"),
        kind: TransferKind::Blind,
        end: TransferEnd::HandedOver,
        took_ms: 1,
    });
    let bob = store.append_call(&transferred).unwrap();
    for (text, ids) in [
        ("dupre ELO", vec![eloise]),
        ("0145", vec![eloise]),
        ("01.45.67", vec![eloise]),
        ("sales", vec![bob, eloise]),
        ("celik", vec![bob]),
        ("2111", vec![bob]),
        ("100%_", vec![bob]),
        ("%", vec![bob]),
        ("dupre bob", vec![]),
        ("' OR 1=1 --", vec![]),
    ] {
        let found: Vec<i64> = store.log_page(&all(text)).unwrap().rows.iter().map(|row| row.id).collect();
        assert_eq!(found, ids, "{text}");
    }
}

#[test]
fn log_1_calls_that_are_too_old_leave_the_log_the_oldest_first_and_take_everything_with_them() {
    const DAY: i64 = 24 * 3600 * 1000;
    let (folder, mut store) = open();
    assert_eq!(store.remove_calls_before(i64::MAX, i64::MAX, 10).unwrap(), 0, "an empty log");
    // Not in the order of time: a clock may have been set back.
    for day in [5, 1, 3, 2, 4, 10] {
        let transfers = vec![LogTransfer {
            to: Party::default(),
            kind: TransferKind::Blind,
            end: TransferEnd::Answered,
            took_ms: 1,
        }];
        store
            .append_call(&LogRow { transfers, ..call(day * DAY, EndStatus::Missed, party("1", "A")) })
            .unwrap();
    }
    let days = |store: &Store| {
        let rows = store.log_page(&all("")).unwrap().rows;
        rows.iter().map(|row| row.began_unix_ms / DAY).collect::<Vec<_>>()
    };
    assert_eq!(store.remove_calls_before(4 * DAY, 800 * DAY, 2).unwrap(), 2);
    assert_eq!(days(&store), [10, 5, 4, 3]);
    assert_eq!(store.remove_calls_before(4 * DAY, 800 * DAY, 2).unwrap(), 1);
    assert_eq!(
        store.remove_calls_before(4 * DAY, 800 * DAY, 2).unwrap(),
        0,
        "a call of that very moment stays"
    );
    assert_eq!(days(&store), [10, 5, 4]);
    assert_eq!(store.missed_count().unwrap(), 3);
    let db = rusqlite::Connection::open(folder.path().join("desk.db")).unwrap();
    let transfers: u32 = db.query_row("SELECT count(*) FROM transfer", [], |row| row.get(0)).unwrap();
    assert_eq!(transfers, 3);
    assert_eq!(store.remove_calls_before(400 * DAY, 800 * DAY, 9).unwrap(), 0, "the clock is wrong");
    assert_eq!(store.remove_calls_before(370 * DAY, 800 * DAY, 9).unwrap(), 3);
}

#[test]
fn log_1_a_call_logged_by_a_clock_that_was_ahead_does_not_let_the_others_go() {
    const DAY: i64 = 24 * 3600 * 1000;
    let (_folder, mut store) = open();
    for day in [1, 2, 3, 5000] {
        store.append_call(&call(day * DAY, EndStatus::Missed, party("1", "A"))).unwrap();
    }
    // The clock is years ahead of the calls, and one of them was logged by a clock that is further ahead still.
    assert_eq!(store.remove_calls_before(4000 * DAY, 4090 * DAY, 9).unwrap(), 0);
    assert_eq!(store.remove_calls_before(3 * DAY, 4 * DAY, 9).unwrap(), 2, "that call is in nobody's way");
    assert_eq!(store.log_page(&all("")).unwrap().total, 2);
}

#[test]
fn bar_1_missed_calls_count_from_the_last_clearing() {
    let (folder, mut store) = open();
    store.append_call(&call(5_001, EndStatus::Elsewhere, Party::default())).unwrap();
    store.append_call(&call(5_000, EndStatus::Missed, Party::default())).unwrap();
    assert_eq!(store.missed_count().unwrap(), 1);
    store.clear_missed().unwrap();
    assert_eq!(store.missed_count().unwrap(), 0);
    // The clock was set back meanwhile.
    store.append_call(&call(4_000, EndStatus::Missed, Party::default())).unwrap();
    drop(store);
    let store = Store::open(folder.path().join("desk.db")).unwrap();
    assert_eq!(store.missed_count().unwrap(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whatever_comes_over_the_wire_is_kept_within_bounds(text in any::<String>(), times in 0_usize..200, ms in any::<u64>()) {
        let (_folder, mut store) = open();
        let long = text.repeat(times);
        let mut row = call(0, EndStatus::Failed, party(&long, &long));
        row.answered_after_ms = Some(ms);
        store.append_call(&row).unwrap();
        let page = store.log_page(&all(&long)).unwrap();
        prop_assert!(page.rows.iter().all(|row| row.party.name.as_ref().unwrap().len() <= 512));
        prop_assert_eq!(store.log_page(&all("")).unwrap().total, 1);
    }
}

#[test]
fn every_end_and_every_kind_of_transfer_comes_back() {
    let (_folder, mut store) = open();
    let ends = [EndStatus::Forwarded, EndStatus::Voicemail, EndStatus::Elsewhere, EndStatus::Failed];
    let kinds = [TransferKind::Voicemail, TransferKind::Park, TransferKind::Forward, TransferKind::Rule];
    for (end, kind) in ends.into_iter().zip(kinds) {
        let to = party("2112", "Dave");
        let transfer = LogTransfer { to, kind, end: TransferEnd::HandedOver, took_ms: 1 };
        store.append_call(&LogRow { transfers: vec![transfer], ..call(1, end, Party::default()) }).unwrap();
    }
    let rows = store.log_page(&all("")).unwrap().rows;
    let read: Vec<_> = rows.iter().rev().map(|row| (row.end, row.transfers[0].kind)).collect();
    assert_eq!(read, ends.into_iter().zip(kinds).collect::<Vec<_>>());
}

/// The tables as the first release made them, with one call, come up to date and keep it.
#[test]
fn app_4_a_store_of_the_first_release_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("desk.db");
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch(include_str!("../migrations/0001_first.sql")).unwrap();
    db.pragma_update(None, "application_id", 0x4644_534b).unwrap();
    db.pragma_update(None, "user_version", 1).unwrap();
    let insert = "INSERT INTO call (number, local, direction, line_number, line_name, began, talk, hold, outcome, \
                  search) VALUES ('2110', 0, 'incoming', '5550100', 'Sales', 7, 0, 0, 'missed', '')";
    db.execute_batch(insert).unwrap();
    drop(db);
    let mut store = Store::open(&path).unwrap();
    store
        .append_call(&LogRow { rules: vec!["Night".into()], ..call(8, EndStatus::Missed, Party::default()) })
        .unwrap();
    let rows = store.log_page(&all("")).unwrap().rows;
    assert_eq!((rows[1].party.number.as_deref(), rows[1].rules.len()), (Some("2110"), 0));
    assert_eq!(rows[0].rules, ["Night"]);
}

/// A store with calls that differ in all by which one sorts and filters.
fn varied() -> (TempDir, Store) {
    let (folder, mut store) = open();
    let calls = [
        ("Zoé", Direction::Incoming, EndStatus::Completed, "Sales", 30, 0),
        ("elodie", Direction::Incoming, EndStatus::Missed, "Support", 0, 0),
        ("Étienne", Direction::Outgoing, EndStatus::Completed, "Sales", 90, 5),
        ("Adam", Direction::Outgoing, EndStatus::NotAnswered, "Atelier", 0, 0),
        ("", Direction::Incoming, EndStatus::Transferred, "Support", 90, 60),
    ];
    for (at, (name, direction, end, line, talk_ms, hold_ms)) in (1_i64..).zip(calls) {
        let party = if name.is_empty() { Party::default() } else { party("0791", name) };
        let line_name = line.to_owned();
        let row = LogRow { direction, line_name, talk_ms, hold_ms, ..call(at * 1_000, end, party) };
        store.append_call(&row).unwrap();
    }
    (folder, store)
}

fn ids(page: &LogPage) -> Vec<i64> {
    page.rows.iter().map(|row| row.id).collect()
}

#[test]
fn log_2_the_log_is_filtered_by_direction_and_end_and_counted_without_that() {
    let (_folder, store) = varied();
    let query = LogQuery { counted: true, ..all("") };
    let of = |directions: &[Direction], ends: &[EndStatus]| {
        let (directions, ends) = (directions.to_vec(), ends.to_vec());
        store.log_page(&LogQuery { directions, ends, ..query.clone() }).unwrap()
    };
    assert_eq!(ids(&of(&[], &[])), [5, 4, 3, 2, 1]);
    assert_eq!(ids(&of(&[Direction::Outgoing], &[])), [4, 3]);
    assert_eq!(ids(&of(&[], &[EndStatus::Completed, EndStatus::Missed])), [3, 2, 1]);
    let page = of(&[Direction::Incoming], &[EndStatus::Completed]);
    assert_eq!((ids(&page), page.total), (vec![1], 1));
    // What the chips say does not depend on which of them are on.
    let count = |direction, end| OutcomeCount { direction, end, calls: 1 };
    let counts = [
        count(Direction::Incoming, EndStatus::Completed),
        count(Direction::Incoming, EndStatus::Missed),
        count(Direction::Incoming, EndStatus::Transferred),
        count(Direction::Outgoing, EndStatus::Completed),
        count(Direction::Outgoing, EndStatus::NotAnswered),
    ];
    assert_eq!(page.counts, counts);
    // A hostile client may repeat itself.
    assert_eq!(ids(&of(&[Direction::Outgoing; 5_000], &[EndStatus::Completed; 5_000])), [3]);
    assert!(store.log_page(&all("")).unwrap().counts.is_empty(), "only when it is asked for");
    let searched = store.log_page(&LogQuery { counted: true, ..all("adam") }).unwrap();
    assert_eq!(searched.counts, [count(Direction::Outgoing, EndStatus::NotAnswered)]);
}

#[test]
fn log_2_the_log_is_sorted_by_several_criteria_and_names_as_people_sort_them() {
    let (_folder, store) = varied();
    let sorted = |sorts: &[(LogOrder, bool)]| {
        let sort = sorts.iter().map(|&(by, descending)| LogSort { by, descending }).collect();
        ids(&store.log_page(&LogQuery { sort, ..all("") }).unwrap())
    };
    use LogOrder::{Hold, Line, Talk, When, Whom};
    assert_eq!(sorted(&[(When, false)]), [1, 2, 3, 4, 5]);
    // Nobody, Adam, elodie, Étienne, Zoé.
    assert_eq!(sorted(&[(Whom, false)]), [5, 4, 2, 3, 1]);
    assert_eq!(sorted(&[(Whom, true)]), [1, 3, 2, 4, 5]);
    assert_eq!(sorted(&[(Talk, true)]), [5, 3, 1, 4, 2], "of the same the newest first");
    assert_eq!(sorted(&[(Talk, true), (Hold, false)]), [3, 5, 1, 4, 2]);
    assert_eq!(sorted(&[(Line, false), (Talk, true)]), [4, 3, 1, 5, 2]);
    assert_eq!(sorted(&[(Line, false), (Talk, false), (When, false)]), [4, 1, 3, 2, 5]);
    assert_eq!(sorted(&[(Whom, false); 5_000]), [5, 4, 2, 3, 1], "no more than there are");
    // Page by page, as one scrolls.
    let sort = vec![LogSort { by: Line, descending: false }];
    let page = store.log_page(&LogQuery { sort, offset: 2, limit: 2, ..all("") }).unwrap();
    assert_eq!((ids(&page), page.total), (vec![1, 5], 5));
}

#[test]
fn log_2_an_empty_part_says_where_the_next_calls_are() {
    let (_folder, store) = varied();
    let part = |from: i64, until: i64, ends: &[EndStatus], text: &str| {
        let query = LogQuery { from_unix_ms: from, until_unix_ms: until, ends: ends.to_vec(), ..all(text) };
        let page = store.log_page(&query).unwrap();
        (page.earlier_unix_ms, page.later_unix_ms)
    };
    assert_eq!(part(2_001, 2_999, &[], ""), (Some(2_000), Some(3_000)));
    assert_eq!(part(2_001, 2_999, &[EndStatus::Completed], ""), (Some(1_000), Some(3_000)));
    assert_eq!(part(9_000, 9_999, &[EndStatus::Missed], ""), (Some(2_000), None));
    assert_eq!(part(0, 999, &[], ""), (None, Some(1_000)));
    assert_eq!(part(9_000, 9_999, &[EndStatus::Failed], ""), (None, None), "there is no such call");
    assert_eq!(part(0, 5_000, &[], ""), (None, None), "nobody looks elsewhere");
    assert_eq!(part(9_000, 9_999, &[], "adam"), (None, None), "nor while one searches");
}
