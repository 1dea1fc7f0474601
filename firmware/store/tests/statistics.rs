//! Statistics of the call log, against a count made one by one (STA-1).
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use ipc::{ANSWER_BINS_MS, Direction, EndStatus, LogRow, MAX_CALL_DAYS, Party, StatisticsQuery};
use proptest::prelude::*;
use store::{CallCounts, CallStatistics, LineCounts, MAX_SLOTS, QUICK_MS, Slots, Store};
use tempfile::TempDir;

const HOUR: i64 = 3_600_000;

fn open() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("desk.db")).unwrap();
    (folder, store)
}

fn call(began_unix_ms: i64, direction: Direction, end: EndStatus) -> LogRow {
    LogRow {
        id: 0,
        direction,
        party: Party { number: Some("0791234567".into()), ..Party::default() },
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

/// What [`Store::statistics`] shall say, counted row by row.
fn naive(calls: &[LogRow], edges: &[i64]) -> CallStatistics {
    let within = |from: i64, until: i64| {
        calls.iter().filter(move |call| (from..until).contains(&call.began_unix_ms)).collect::<Vec<_>>()
    };
    let count = |calls: &[&LogRow]| {
        let mut counts = CallCounts::default();
        for call in calls {
            match call.direction {
                Direction::Incoming => counts.incoming += 1,
                Direction::Outgoing => counts.outgoing += 1,
            }
            counts.answered +=
                u64::from(call.direction == Direction::Incoming && call.answered_after_ms.is_some());
            counts.missed += u64::from(call.end == EndStatus::Missed);
            counts.talk_ms += call.talk_ms;
            counts.hold_ms += call.hold_ms;
        }
        counts
    };
    let all = within(edges[0], edges[edges.len() - 1]);
    let mut told = CallStatistics { all: count(&all), ..CallStatistics::default() };
    let incoming = all.iter().filter(|call| call.direction == Direction::Incoming);
    let mut waits: Vec<u64> = incoming.filter_map(|call| call.answered_after_ms).collect();
    waits.sort_unstable();
    told.answers.answered = waits.len() as u64;
    told.answers.quick = waits.iter().filter(|wait| **wait <= QUICK_MS).count() as u64;
    told.answers.mean_ms = waits.iter().sum::<u64>().checked_div(waits.len() as u64);
    for wait in &waits {
        let bin = ANSWER_BINS_MS.iter().position(|end| wait <= end).unwrap_or(ANSWER_BINS_MS.len());
        told.answers.bins[bin] += 1;
    }
    // The smallest wait that so many of a hundred did not exceed.
    let share = |percent: usize| {
        waits
            .iter()
            .copied()
            .find(|wait| waits.iter().filter(|other| *other <= wait).count() * 100 >= percent * waits.len())
    };
    told.answers.median_ms = share(50);
    told.answers.p95_ms = share(95);
    told.answers.longest_ms = waits.last().copied();
    for (figures, of) in [(0, 0), (1, 1)] {
        let times: Vec<u64> = all
            .iter()
            .map(|call| if of == 0 { call.talk_ms } else { call.hold_ms })
            .filter(|t| *t > 0)
            .collect();
        let told = if figures == 0 { &mut told.talk } else { &mut told.hold };
        told.calls = times.len() as u64;
        told.total_ms = times.iter().sum();
        told.longest_ms = times.iter().copied().max().unwrap_or(0);
    }
    for edge in edges.windows(2) {
        let counts = count(&within(edge[0], edge[1]));
        told.slots.push(store::SlotCounts { from_unix_ms: edge[0], until_unix_ms: edge[1], counts });
    }
    let mut lines: BTreeMap<String, Vec<&LogRow>> = BTreeMap::new();
    all.iter().for_each(|call| lines.entry(call.line_number.clone()).or_default().push(call));
    let mut lines: Vec<_> = lines.into_iter().collect();
    lines.sort_by_key(|(number, calls)| (std::cmp::Reverse(calls.len()), number.clone()));
    let line = |(number, calls): (String, Vec<&LogRow>)| {
        // Written in this order, so the last is the newest row.
        LineCounts { number, name: calls.last().unwrap().line_name.clone(), counts: count(&calls) }
    };
    told.lines = lines.into_iter().map(line).collect();
    told
}

fn any_call() -> impl Strategy<Value = LogRow> {
    let ends = prop::sample::select(vec![
        EndStatus::Completed,
        EndStatus::Missed,
        EndStatus::Elsewhere,
        EndStatus::Rejected,
        EndStatus::NotAnswered,
        EndStatus::Transferred,
    ]);
    let began = prop_oneof![0..HOUR * 30, Just(0), Just(HOUR), Just(HOUR * 24)];
    let answered =
        prop::option::of(prop_oneof![0_u64..150_000, Just(QUICK_MS), Just(QUICK_MS + 1), Just(5_000)]);
    let times = (0_u64..5_000_000, prop_oneof![Just(0_u64), 0_u64..1_000_000]);
    (began, any::<bool>(), ends, answered, times, 0..4_u8, any::<bool>()).prop_map(
        |(began, incoming, end, answered_after_ms, (talk_ms, hold_ms), line, renamed)| {
            let direction = if incoming { Direction::Incoming } else { Direction::Outgoing };
            LogRow {
                line_number: format!("555010{line}"),
                line_name: if renamed { "New".into() } else { format!("Line {line}") },
                answered_after_ms,
                talk_ms,
                hold_ms,
                ..call(began, direction, end)
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn sta_1_the_database_counts_as_one_would_by_hand(
        calls in prop::collection::vec(any_call(), 0..60),
        edges in prop::collection::btree_set(-HOUR..HOUR * 31, 2..30),
    ) {
        let (_folder, mut store) = open();
        for call in &calls {
            store.append_call(call).unwrap();
        }
        let edges: Vec<i64> = edges.into_iter().collect();
        let told = store.statistics(&Slots::new(edges.clone()).unwrap()).unwrap();
        let outcomes = told.outcomes.clone();
        let wanted = naive(&calls, &edges);
        prop_assert_eq!(CallStatistics { outcomes: Vec::new(), ..told }, wanted);
        for count in &outcomes {
            let same = |call: &&LogRow| {
                (edges[0]..edges[edges.len() - 1]).contains(&call.began_unix_ms)
                    && (call.direction, call.end) == (count.direction, count.end)
            };
            prop_assert_eq!(calls.iter().filter(same).count() as u64, count.calls);
        }
        let sum: u64 = outcomes.iter().map(|count| count.calls).sum();
        let all = store.statistics(&Slots::new(vec![edges[0], edges[edges.len() - 1]]).unwrap()).unwrap().all;
        prop_assert_eq!(sum, all.incoming + all.outgoing);
    }
}

#[test]
fn sta_1_an_empty_day_is_told_as_one() {
    let (_folder, store) = open();
    let told = store.statistics(&Slots::new((0..=24).map(|hour| hour * HOUR).collect()).unwrap()).unwrap();
    assert_eq!(told.slots.len(), 24);
    assert!(told.slots.iter().all(|slot| slot.counts == CallCounts::default()));
    assert_eq!((told.answers.median_ms, told.answers.p95_ms), (None, None));
    assert!(told.lines.is_empty() && told.outcomes.is_empty());
}

#[test]
fn sta_1_a_call_counts_in_the_slot_in_which_it_began_and_in_no_other() {
    let (_folder, mut store) = open();
    for began in [HOUR - 1, HOUR, 2 * HOUR - 1, 2 * HOUR] {
        store.append_call(&call(began, Direction::Incoming, EndStatus::Missed)).unwrap();
    }
    let told = store.statistics(&Slots::new(vec![0, HOUR, 2 * HOUR]).unwrap()).unwrap();
    let missed: Vec<u64> = told.slots.iter().map(|slot| slot.counts.missed).collect();
    assert_eq!((missed, told.all.missed), (vec![1, 2], 3));
}

#[test]
fn sta_1_slots_that_make_no_sense_are_none() {
    for edges in [vec![], vec![1], vec![1, 1], vec![2, 1], (0..).take(MAX_SLOTS + 2).collect()] {
        assert_eq!(Slots::new(edges), None);
    }
    assert!(Slots::new((0..).take(MAX_SLOTS + 1).collect()).is_some());
}

#[test]
fn sta_1_durations_at_the_end_of_their_range_are_counted() {
    let (_folder, mut store) = open();
    for _ in 0..3 {
        let row = LogRow {
            talk_ms: u64::MAX,
            hold_ms: u64::MAX,
            ..call(0, Direction::Incoming, EndStatus::Completed)
        };
        store.append_call(&row).unwrap();
    }
    let told = store.statistics(&Slots::new(vec![0, 1]).unwrap()).unwrap();
    assert_eq!(told.all.talk_ms, 3 * 365 * 24 * 3600 * 1000);
}

#[test]
fn sta_1_a_client_gets_what_the_page_gets_with_what_came_before_and_where_calls_are() {
    let (_folder, mut store) = open();
    for began in [-HOUR, HOUR, HOUR + 1, 3 * HOUR, 9 * HOUR] {
        let row = LogRow {
            answered_after_ms: Some(4_000),
            ..call(began, Direction::Incoming, EndStatus::Completed)
        };
        store.append_call(&row).unwrap();
    }
    let edges: Vec<i64> = (1..=4).map(|hour| hour * HOUR).collect();
    let query = StatisticsQuery { edges_unix_ms: edges.clone(), before_unix_ms: Some((-2 * HOUR, 0)) };
    let asked = store.asked_statistics(&query).unwrap().unwrap();
    assert_eq!(asked.told, store.statistics(&Slots::new(edges).unwrap()).unwrap());
    assert_eq!((asked.told.all.incoming, asked.told.answers.mean_ms), (3, Some(4_000)));
    assert_eq!(asked.before.unwrap().all.incoming, 1);
    assert_eq!((asked.earlier_unix_ms, asked.later_unix_ms), (Some(-HOUR), Some(9 * HOUR)));
    let far = StatisticsQuery { edges_unix_ms: vec![100 * HOUR, 101 * HOUR], before_unix_ms: None };
    let asked = store.asked_statistics(&far).unwrap().unwrap();
    assert_eq!((asked.before, asked.earlier_unix_ms, asked.later_unix_ms), (None, Some(9 * HOUR), None));
    // What makes no sense is no answer, and no panic.
    for query in [
        StatisticsQuery::default(),
        StatisticsQuery { edges_unix_ms: vec![2, 1], before_unix_ms: None },
        StatisticsQuery { edges_unix_ms: vec![1, 2], before_unix_ms: Some((2, 2)) },
        StatisticsQuery { edges_unix_ms: (0..1_000).collect(), before_unix_ms: None },
    ] {
        assert_eq!(store.asked_statistics(&query).unwrap(), None, "{query:?}");
    }
}

#[test]
fn log_2_days_with_calls_are_told_apart_from_those_without() {
    let (_folder, mut store) = open();
    const DAY: i64 = 24 * HOUR;
    // The first moment of a day, the last of another; a day of 23 hours between.
    for began in [DAY, 3 * DAY - HOUR - 1] {
        store.append_call(&call(began, Direction::Outgoing, EndStatus::Completed)).unwrap();
    }
    let edges = vec![0, DAY, 2 * DAY, 3 * DAY - HOUR, 4 * DAY];
    assert_eq!(store.call_days(edges).unwrap(), Some(vec![false, true, true, false]));
    let many = |days: usize| (0..=days as i64).collect::<Vec<_>>();
    assert_eq!(store.call_days(many(MAX_CALL_DAYS)).unwrap().map(|days| days.len()), Some(MAX_CALL_DAYS));
    for edges in [many(MAX_CALL_DAYS + 1), vec![], vec![1], vec![2, 1]] {
        assert_eq!(store.call_days(edges).unwrap(), None);
    }
}
