//! Real calls in the log and in the statistics: what the screen's questions, the command line, the administrator's page and
//! its interface for programs say of them is the same, and it is what happened (LOG-2, STA-1).
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use chrono::Local;
use frontdesk_tests::baresip::{Baresip, Codec};
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::picture::Area;
use frontdesk_tests::screen::DIRECTORY;
use frontdesk_tests::sound::{A_TONE, B_TONE};
use frontdesk_tests::wait;
use frontdesk_ui::dates::{Span, Stretch};
use ipc::{
    CallStatistics, Command, Direction, EndStatus, LogOrder, LogPage, LogQuery, LogSort, Query, Reply,
    Statistics, StatisticsQuery,
};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(15);
/// Where the screen's rail is.
const RAIL: Area = Area { x: 1204, y: 60, width: 76, height: 520 };

/// This week: a test that begins before midnight and ends after it sees its calls all the same, but for Sunday's.
fn this_week() -> Stretch {
    Stretch::with(Span::Week, Local::now().date_naive())
}

fn statistics(house: &mut House, week: Stretch) -> Statistics {
    let query = StatisticsQuery { edges_unix_ms: week.hours(&Local), before_unix_ms: None };
    match house.client.query(Query::Statistics(query)) {
        Reply::Statistics(told) => *told,
        other => panic!("no statistics but {other:?}"),
    }
}

fn log(house: &mut House, query: LogQuery) -> LogPage {
    match house.client.query(Query::Log(query)) {
        Reply::Log(page) => page,
        other => panic!("no log but {other:?}"),
    }
}

/// Two calls that nobody takes, one that is talked and held, one out that is not answered.
fn four_calls(house: &mut House, a: &mut Baresip, b: &mut Baresip) {
    for missed in [1, 2] {
        a.dial("5550100");
        house.client.wait("it rings", SOON, |view| !view.incoming.is_empty());
        a.hang_up();
        house.client.wait("a missed call", SOON, |view| view.counters.missed == missed);
    }
    a.dial("5550101");
    let call = house.answer_next(a);
    house.client.command(Command::Hold { call }).unwrap();
    house.wait_state(call, ipc::CallState::Held);
    house.client.command(Command::Retrieve { call }).unwrap();
    house.wait_state(call, ipc::CallState::Talking);
    house.client.command(Command::HangUp { call }).unwrap();
    house.client.wait_gone(call, SOON);
    house.client.command(Command::Dial { number: "2102".into(), line: None }).unwrap();
    b.expect("CALL_INCOMING", SOON);
    let call =
        house.client.wait_call("it rings there", SOON, |call| call.direction == Direction::Outgoing).call;
    house.client.command(Command::HangUp { call }).unwrap();
    house.client.wait_gone(call, SOON);
}

#[test]
fn sta_1_log_2_real_calls_are_counted_alike_for_the_screen_the_command_line_the_page_and_programs() {
    let mut house = House::build(Digest::Md5);
    let (mut browser, address) = house.administered("Marguerite", "four swans over the weir");
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    four_calls(&mut house, &mut a, &mut b);
    let week = this_week();
    let asked = wait::until("four calls counted", SOON, || {
        Some(statistics(&mut house, week)).filter(|asked| asked.told.all.calls() == 4)
    });
    let told = &asked.told;

    // What happened.
    assert_eq!((told.all.incoming, told.all.answered, told.all.missed, told.all.outgoing), (3, 1, 2, 1));
    let answers = &told.answers;
    assert_eq!((answers.answered, answers.bins.iter().sum::<u64>()), (1, 1));
    assert!(answers.longest_ms.is_some() && answers.mean_ms == answers.longest_ms, "{answers:?}");
    assert!(told.all.talk_ms > 0 && told.all.hold_ms > 0, "{:?}", told.all);
    assert_eq!((told.talk.calls, told.hold.calls), (1, 1));
    let lines: Vec<(&str, u64)> =
        told.lines.iter().map(|line| (line.name.as_str(), line.counts.calls())).collect();
    assert_eq!(lines, [("Sales", 3), ("Support", 1)], "{:?}", told.lines);
    let outcome = |direction, end| {
        let of = |count: &&ipc::OutcomeCount| (count.direction, count.end) == (direction, end);
        told.outcomes.iter().find(of).map_or(0, |count| count.calls)
    };
    assert_eq!(outcome(Direction::Incoming, EndStatus::Missed), 2);
    assert_eq!(outcome(Direction::Incoming, EndStatus::Completed), 1);
    assert_eq!(told.outcomes.iter().map(|count| count.calls).sum::<u64>(), 4, "{:?}", told.outcomes);
    // The hours are those of the log's rows.
    for slot in &told.slots {
        let query = LogQuery {
            from_unix_ms: slot.from_unix_ms,
            until_unix_ms: slot.until_unix_ms,
            ..LogQuery::default()
        };
        assert_eq!(u64::from(log(&mut house, query).total), slot.counts.calls(), "{slot:?}");
    }

    // The command line.
    let printed = house.desk.ctl(&["statistics", "--week"]);
    let printed: CallStatistics = serde_json::from_value(printed[0].clone()).unwrap();
    assert_eq!(&printed, told);
    assert!(!house.desk.try_ctl(&["statistics", "2026-02-30"]).status.success());

    // The page and its file, hour by hour.
    browser.open(&format!("{address}/statistics?span=week&day={}", week.first));
    let text = browser.wait_text("the figures", SOON, |text| text.contains("Support"));
    assert!(text.contains("1 (33%)") && text.contains("2 (67%)"), "{text}");
    let file =
        browser.evaluate("fetch(document.getElementById('csv-hour').href).then(answer => answer.text())");
    let rows: Vec<Vec<u64>> = file
        .as_str()
        .unwrap()
        .lines()
        .skip(1)
        .map(|line| line.split(',').skip(2).map(|cell| cell.parse().unwrap()).collect())
        .collect();
    let of_slot = |slot: &ipc::SlotCounts| {
        let counts = &slot.counts;
        vec![
            counts.incoming,
            counts.answered,
            counts.missed,
            counts.outgoing,
            counts.talk_ms / 1000,
            counts.hold_ms / 1000,
        ]
    };
    assert_eq!(
        rows,
        told.slots.iter().map(of_slot).collect::<Vec<_>>(),
        "the same hours with the same calls"
    );
    let lines = browser.evaluate("[...document.querySelectorAll('#lines tbody tr')].map(row => [...row.cells].slice(1, 5).map(cell => cell.innerText.trim()))");
    let of_line = |line: &ipc::LineCounts| {
        let counts = &line.counts;
        [counts.incoming, counts.answered, counts.missed, counts.outgoing]
            .map(|count| Value::from(count.to_string()))
    };
    let wanted: Vec<Value> = told.lines.iter().map(|line| Value::from(of_line(line).to_vec())).collect();
    assert_eq!(lines, Value::from(wanted));

    // The touchscreen itself, by its key.
    let mut screen = house.screen();
    screen.tap_word(RAIL, "Statistics");
    screen.says(DIRECTORY, &["Calls", "in", "Answered", "here", "Missed"]);

    // The log: filtered, sorted, counted, and the days that have any of it.
    let (from_unix_ms, until_unix_ms) = week.bounds(&Local);
    let sort = vec![LogSort { by: LogOrder::Talk, descending: true }];
    let query = LogQuery {
        from_unix_ms,
        until_unix_ms,
        directions: vec![Direction::Incoming],
        sort,
        counted: true,
        limit: 10,
        ..LogQuery::default()
    };
    let page = log(&mut house, query);
    let ends: Vec<EndStatus> = page.rows.iter().map(|row| row.end).collect();
    assert_eq!(ends, [EndStatus::Completed, EndStatus::Missed, EndStatus::Missed]);
    assert_eq!(page.counts.iter().map(|count| count.calls).sum::<u64>(), 4);
    let edges_unix_ms: Vec<i64> = (0..=7)
        .map(|day| frontdesk_ui::dates::midnight(frontdesk_ui::dates::moved(week.first, day), &Local))
        .collect();
    let Reply::CallDays(days) = house.client.query(Query::CallDays { edges_unix_ms }) else {
        panic!("no days")
    };
    assert_eq!(days.iter().filter(|has| **has).count(), days_of(told, week), "{days:?}");
}

/// On how many days there were calls.
fn days_of(told: &CallStatistics, week: Stretch) -> usize {
    let days: std::collections::BTreeSet<i64> = told
        .slots
        .iter()
        .filter(|slot| slot.counts.calls() > 0)
        .map(|slot| (frontdesk_ui::dates::wall(slot.from_unix_ms, &Local).0 - week.first).num_days())
        .collect();
    days.len()
}

#[test]
fn sta_1_a_question_that_makes_no_sense_is_refused_and_the_desk_goes_on() {
    let mut house = House::build(Digest::Md5);
    for edges_unix_ms in [vec![], vec![5], vec![5, 5], (0..10_000).collect()] {
        let query = StatisticsQuery { edges_unix_ms: edges_unix_ms.clone(), before_unix_ms: None };
        assert!(matches!(house.client.query(Query::Statistics(query)), Reply::Failed { .. }));
        assert!(matches!(house.client.query(Query::CallDays { edges_unix_ms }), Reply::Failed { .. }));
    }
    let extremes =
        StatisticsQuery { edges_unix_ms: vec![i64::MIN, i64::MAX], before_unix_ms: Some((i64::MIN, 0)) };
    assert!(matches!(house.client.query(Query::Statistics(extremes)), Reply::Statistics(_)));
}
