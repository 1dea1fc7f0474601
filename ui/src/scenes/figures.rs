//! A log that can be asked like a real one, and its figures: a day with calls in the morning, the day before yesterday and
//! past Sundays without any.

use chrono::{DateTime, Datelike, Local, Timelike, Weekday};
use ipc::{
    ANSWER_BINS_MS, AnswerTimes, CallCounts, CallStatistics, Direction, EndStatus, LineCounts, LogOrder,
    LogPage, LogQuery, LogRow, OutcomeCount, SlotCounts, Statistics, StatisticsQuery, TimeFigures,
};

use super::log;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// The answer to a question for the log.
#[must_use]
pub fn log_page(query: &LogQuery) -> LogPage {
    let (from, until) = (query.from_unix_ms, query.until_unix_ms);
    if !has_calls(from) {
        return LogPage { earlier_unix_ms: Some(from - DAY_MS / 2), ..LogPage::default() };
    }
    let words = query.text.to_lowercase();
    let noon = from + (until - from) / 2;
    // In a picture nothing has happened that is still to come.
    let last = standing_ms().filter(|now| (from..until).contains(now)).map_or(noon, |now| noon.min(now));
    let all = log(last, &[]).rows;
    let found: Vec<LogRow> = all.into_iter().filter(|row| text(row).contains(&words)).collect();
    let mut counts: Vec<OutcomeCount> = Vec::new();
    for row in found.iter().filter(|_| query.counted) {
        match counts.iter_mut().find(|count| (count.direction, count.end) == (row.direction, row.end)) {
            Some(count) => count.calls += 1,
            None => counts.push(OutcomeCount { direction: row.direction, end: row.end, calls: 1 }),
        }
    }
    let wanted = |row: &LogRow| {
        (query.directions.is_empty() || query.directions.contains(&row.direction))
            && (query.ends.is_empty() || query.ends.contains(&row.end))
    };
    let mut rows: Vec<LogRow> = found.into_iter().filter(wanted).collect();
    // The last criterion first: the sort is stable.
    for sort in query.sort.iter().rev() {
        rows.sort_by(|a, b| {
            let order = key(a, sort.by).cmp(&key(b, sort.by));
            if sort.descending { order.reverse() } else { order }
        });
    }
    let total = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let rows = rows.into_iter().skip(query.offset as usize).take(query.limit as usize).collect();
    LogPage { total, offset: query.offset, rows, counts, ..LogPage::default() }
}

fn text(row: &LogRow) -> String {
    let party = &row.party;
    let parts = [party.name.as_deref(), party.number.as_deref(), Some(row.line_name.as_str())];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ").to_lowercase()
}

fn key(row: &LogRow, by: LogOrder) -> (i64, String) {
    let number = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    let name = row.party.name.as_deref().or(row.party.number.as_deref()).unwrap_or_default();
    match by {
        LogOrder::When => (row.began_unix_ms, String::new()),
        LogOrder::Whom => (0, name.to_lowercase()),
        LogOrder::Line => (0, row.line_name.to_lowercase()),
        LogOrder::Talk => (number(row.talk_ms), String::new()),
        LogOrder::Hold => (number(row.hold_ms), String::new()),
    }
}

/// Which days have calls.
#[must_use]
pub fn call_days(edges_unix_ms: &[i64]) -> Vec<bool> {
    edges_unix_ms.windows(2).map(|day| has_calls(day[0])).collect()
}

/// The answer to a question for figures, each of them made of the same hours.
#[must_use]
pub fn statistics(query: &StatisticsQuery) -> Statistics {
    let edges = &query.edges_unix_ms;
    let before = query.before_unix_ms.map(|(from, until)| {
        let hours = (0..=(until - from) / HOUR_MS).map(|hour| from + hour * HOUR_MS);
        let mut told = counted(&hours.collect::<Vec<_>>());
        told.slots.clear();
        told
    });
    let earlier_unix_ms = edges.first().map(|from| from - DAY_MS / 2);
    Statistics { told: counted(edges), before, earlier_unix_ms, later_unix_ms: None }
}

fn counted(edges: &[i64]) -> CallStatistics {
    let slot =
        |edge: &[i64]| SlotCounts { from_unix_ms: edge[0], until_unix_ms: edge[1], counts: hour(edge[0]) };
    let slots: Vec<SlotCounts> = edges.windows(2).map(slot).collect();
    let mut all = CallCounts::default();
    slots.iter().for_each(|slot| all.add(&slot.counts));
    let share = |of: u64, parts: u64, whole: u64| of * parts / whole;
    let other = all.incoming - all.answered - all.missed;
    let count = |direction, end, calls| OutcomeCount { direction, end, calls };
    let (incoming, outgoing) = (Direction::Incoming, Direction::Outgoing);
    let (passed, reached) = (share(all.answered, 3, 10), share(all.outgoing, 7, 10));
    let outcomes = vec![
        count(incoming, EndStatus::Completed, all.answered - passed),
        count(incoming, EndStatus::Transferred, passed),
        count(incoming, EndStatus::Missed, all.missed),
        count(incoming, EndStatus::Elsewhere, other),
        count(outgoing, EndStatus::Completed, reached),
        count(outgoing, EndStatus::NotAnswered, all.outgoing - reached),
    ];
    let mut bins = [0; ANSWER_BINS_MS.len() + 1];
    for (bin, parts) in bins.iter_mut().skip(1).zip([34, 18, 9, 4, 1]) {
        *bin = share(all.answered, parts, 100);
    }
    bins[0] = all.answered - bins.iter().sum::<u64>();
    let any = all.answered > 0;
    let line = |number: &str, name: &str, parts: u64| LineCounts {
        number: number.into(),
        name: name.into(),
        counts: CallCounts {
            incoming: share(all.incoming, parts, 10),
            answered: share(all.answered, parts, 10),
            missed: share(all.missed, parts, 10),
            outgoing: share(all.outgoing, parts, 10),
            talk_ms: share(all.talk_ms, parts, 10),
            hold_ms: share(all.hold_ms, parts, 10),
        },
    };
    let times = |total_ms| TimeFigures { calls: all.answered, total_ms, longest_ms: total_ms / 5 };
    let lines =
        vec![line("5550000", "Main line", 6), line("5550100", "Sales", 3), line("5550200", "Support", 1)];
    CallStatistics {
        all,
        answers: AnswerTimes {
            answered: all.answered,
            quick: bins[..3].iter().sum(),
            mean_ms: any.then_some(8_450),
            median_ms: any.then_some(5_300),
            p95_ms: any.then_some(27_000),
            longest_ms: any.then_some(74_000),
            bins,
        },
        talk: times(all.talk_ms),
        hold: times(all.hold_ms),
        slots,
        lines: if all.calls() > 0 { lines } else { Vec::new() },
        outcomes: outcomes.into_iter().filter(|count| count.calls > 0).collect(),
    }
}

/// The calls of the hour that begins at this moment.
fn hour(unix_ms: i64) -> CallCounts {
    let Some(at) = wall(unix_ms).filter(|_| has_calls(unix_ms)) else { return CallCounts::default() };
    let incoming = match at.hour() {
        7 => 3,
        8 => 9,
        9 => 17,
        10 => 21,
        11 => 14,
        12 => 5,
        13 => 8,
        14 => 16,
        15 => 13,
        16 => 10,
        17 => 4,
        18 => 1,
        _ => 0,
    };
    // Mondays are busy.
    let incoming = if at.weekday() == Weekday::Mon { incoming * 3 / 2 } else { incoming };
    // In a picture, of this hour as much as has gone by, and nothing of what is still to come.
    let gone = standing_ms().map_or(HOUR_MS, |now| (now - unix_ms).clamp(0, HOUR_MS));
    let incoming = incoming * gone.unsigned_abs() / HOUR_MS.unsigned_abs();
    let (missed, other) = (incoming / 9, incoming / 8);
    let answered = incoming - missed - other;
    CallCounts {
        incoming,
        answered,
        missed,
        outgoing: incoming / 3,
        talk_ms: answered * 131_000,
        hold_ms: answered * 14_000,
    }
}

/// Where the clocks stand, for pictures.
fn standing_ms() -> Option<i64> {
    Some(crate::clock::standing()?.timestamp_millis())
}

fn has_calls(unix_ms: i64) -> bool {
    let days = wall(unix_ms).map(|at| (crate::clock::now().date_naive() - at.date_naive()).num_days());
    let sunday = wall(unix_ms).is_some_and(|at| at.weekday() == Weekday::Sun);
    // Whatever day it is on which somebody looks at this.
    days.is_some_and(|days| days == 0 || days > 0 && days != 2 && !sunday)
}

fn wall(unix_ms: i64) -> Option<DateTime<Local>> {
    Some(DateTime::from_timestamp_millis(unix_ms)?.with_timezone(&Local))
}
