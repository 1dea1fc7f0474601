//! The log and its statistics on a desk that has been busy for two months: 2,000 calls a day, 120,000 in all.

use std::path::Path;

use frontdesk_tests::report::{Row, Unit};
use ipc::{
    CallSound, Direction, EndStatus, LogOrder, LogQuery, LogRow, LogSort, LogTransfer, Party,
    StatisticsQuery, TransferEnd, TransferKind,
};
use store::Store;

use crate::stopwatch;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Days with calls.
const DAYS: i64 = 60;
/// Calls a day.
const CALLS: i64 = 2_000;
/// Calls that are written one by one; the others are these again, at other times.
const WRITTEN: i64 = 200;
const RUNS: usize = 40;

/// What a touch on the log or the statistics waits for.
pub(crate) fn measure() -> Vec<Row> {
    let folder = tempfile::tempdir().expect("a folder for the database");
    let path = folder.path().join("desk.db");
    fill(&path);
    let store = Store::open(&path).expect("the database opens again");
    let last = (DAYS - 1) * DAY_MS;
    let day = LogQuery {
        from_unix_ms: last,
        until_unix_ms: last + DAY_MS,
        counted: true,
        limit: 100,
        ..LogQuery::default()
    };
    let page = |query: &LogQuery| store.log_page(query).expect("a page");
    assert_eq!(i64::from(page(&day).total), CALLS, "the day to measure is not set up");
    let sort = [(LogOrder::Whom, false), (LogOrder::Talk, true)];
    let sort = sort.into_iter().map(|(by, descending)| LogSort { by, descending }).collect();
    let sorted = LogQuery { sort, ..day.clone() };
    let searched = LogQuery { text: "number 42".into(), ..day.clone() };
    let empty = LogQuery { ends: vec![EndStatus::Failed], ..day.clone() };
    let hours = |from: i64, hours: i64| (0..=hours).map(|hour| from + hour * HOUR_MS).collect::<Vec<_>>();
    let ask = |edges_unix_ms: Vec<i64>, days: i64| {
        let from = edges_unix_ms[0];
        StatisticsQuery { edges_unix_ms, before_unix_ms: Some((from - days * DAY_MS, from)) }
    };
    let (of_day, of_week) = (ask(hours(last, 24), 1), ask(hours(last - 6 * DAY_MS, 7 * 24), 7));
    let count = |query: &StatisticsQuery| store.asked_statistics(query).expect("counted").expect("sensible");
    assert_eq!(
        count(&of_week).told.all.calls(),
        7 * CALLS.unsigned_abs(),
        "the week to measure is not set up"
    );
    let month: Vec<i64> = (0..=42).map(|day| last - (40 - day) * DAY_MS).collect();
    let times = |figure: &str, samples: &[_], bar: f64| {
        Row::times(
            format!("{figure}, 2,000 calls a day, 120,000 in all"),
            Unit::Milliseconds,
            samples,
            "p99",
            bar,
        )
    };
    vec![
        times("a day of the log, its first page and its chips", &stopwatch::each(RUNS, || page(&day)), 30.0),
        times("the same sorted by name and talk time", &stopwatch::each(RUNS, || page(&sorted)), 60.0),
        times("the same searched", &stopwatch::each(RUNS, || page(&searched)), 30.0),
        times(
            "a day without such calls, and where there are some",
            &stopwatch::each(RUNS, || page(&empty)),
            60.0,
        ),
        times("statistics of a day and the day before", &stopwatch::each(RUNS, || count(&of_day)), 60.0),
        times("statistics of a week and the week before", &stopwatch::each(RUNS, || count(&of_week)), 400.0),
        times(
            "days with calls in a calendar",
            &stopwatch::each(RUNS, || store.call_days(month.clone())),
            5.0,
        ),
    ]
}

/// Makes the database.
fn fill(path: &Path) {
    let mut store = Store::open(path).expect("a new database");
    for number in 0..WRITTEN {
        store.append_call(&call(number)).expect("a row");
    }
    drop(store);
    let db = rusqlite::Connection::open(path).expect("the database");
    let columns = "direction, number, name, company, title, contact, local, line_number, line_name, answered_after, talk, \
                   hold, outcome, search, rules, sound";
    let copy = |copies: i64, apart: i64| {
        let sql = format!(
            "WITH RECURSIVE copy (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n + 1 < {copies}) \
             INSERT INTO call ({columns}, began) SELECT {columns}, began + n * {apart} FROM call, copy ORDER BY n, began"
        );
        db.execute(&sql, []).expect("copies of the calls");
    };
    // Fill the hours of a day, then the days.
    copy(CALLS / WRITTEN, 10);
    copy(DAYS, DAY_MS);
}

/// A call of a working day.
fn call(number: i64) -> LogRow {
    let answered = number % 4 != 0;
    let (direction, end) = match number % 20 {
        0 | 8 => (Direction::Incoming, EndStatus::Missed),
        4 | 12 => (Direction::Outgoing, EndStatus::NotAnswered),
        16 => (Direction::Incoming, EndStatus::Rejected),
        1 | 5 | 9 => (Direction::Incoming, EndStatus::Transferred),
        2 | 6 | 10 => (Direction::Outgoing, EndStatus::Completed),
        _ => (Direction::Incoming, EndStatus::Completed),
    };
    let party = Party {
        number: Some(format!("+33 1 55 57 {number:04}")),
        name: Some(format!("Élodie von Hohenberg-Schwarzenfels number {number}")),
        company: Some("Hohenberg Maschinenbau GmbH".into()),
        title: Some("Senior director of strategic partnerships".into()),
        ..Party::default()
    };
    let transfer = LogTransfer {
        to: party.clone(),
        kind: TransferKind::Blind,
        end: TransferEnd::Answered,
        took_ms: 9_000,
    };
    let milliseconds = number.unsigned_abs();
    LogRow {
        id: 0,
        direction,
        party,
        line_number: format!("555010{}", number % 3),
        line_name: format!("Line {}", number % 3),
        // From eight to six.
        began_unix_ms: 8 * HOUR_MS + number * 10 * HOUR_MS / WRITTEN,
        answered_after_ms: answered.then_some(milliseconds * 151 % 40_000),
        talk_ms: if answered { milliseconds * 7_919 % 600_000 } else { 0 },
        hold_ms: if answered { milliseconds * 104_729 % 60_000 } else { 0 },
        end,
        transfers: if end == EndStatus::Transferred { vec![transfer] } else { Vec::new() },
        rules: Vec::new(),
        customer: None,
        call: None,
        sound: answered.then(|| CallSound {
            mos_hundredths: Some(431),
            received: 3_000,
            ..CallSound::default()
        }),
        mark: ipc::LogMark::None,
    }
}
