//! Statistics as the screen draws them (STA-1): figures become texts and parts of a height. Pure.

use chrono::{Datelike, TimeZone};
use ipc::{CallCounts, CallStatistics, Direction, LineCounts, OutcomeCount, SlotCounts};

use crate::models::dates::{Span, Stretch, moved, wall};
use crate::models::log_rows;
use crate::models::words::grouped;
use crate::screen::{StatBar, StatLine, StatShare, StatTile, StatTileKind};

/// Hours that a chart shows even without calls: most desks are open then.
const USUAL_HOURS: std::ops::RangeInclusive<u32> = 8..=17;

/// How long callers waited, by the bins of `ipc::ANSWER_BINS_MS`. The units are the same in both languages.
const WAITS: [&str; ipc::ANSWER_BINS_MS.len() + 1] =
    ["0 – 5 s", "5 – 10 s", "10 – 20 s", "20 – 30 s", "30 – 60 s", "1 – 2 min", "> 2 min"];

/// The headline figures, each with what it was before.
pub(crate) fn tiles(told: &CallStatistics, before: Option<&CallStatistics>, french: bool) -> Vec<StatTile> {
    let rate =
        |of: &CallStatistics| (of.all.answered * 100 + of.all.incoming / 2).checked_div(of.all.incoming);
    let counted = |kind, of: &dyn Fn(&CallStatistics) -> u64| {
        let text = |count| grouped(usize::try_from(count).unwrap_or(usize::MAX), french);
        tile(kind, Some(of(told)), before.map(of), &text, &text)
    };
    let percent = |rate: u64| format!("{rate}{}%", if french { "\u{a0}" } else { "" });
    let timed = |kind, of: &dyn Fn(&CallStatistics) -> u64| {
        tile(kind, Some(of(told)), before.map(of), &short, &short)
    };
    let waited = |kind, of: &dyn Fn(&CallStatistics) -> Option<u64>| {
        let text = |ms| seconds(ms, french);
        tile(kind, of(told), before.and_then(of), &text, &text)
    };
    vec![
        counted(StatTileKind::Incoming, &|of| of.all.incoming),
        // A difference of rates is one of points, not of percent.
        tile(StatTileKind::Answered, rate(told), before.and_then(rate), &percent, &|points| {
            points.to_string()
        }),
        counted(StatTileKind::Missed, &|of| of.all.missed),
        counted(StatTileKind::Outgoing, &|of| of.all.outgoing),
        waited(StatTileKind::MeanAnswer, &|of| of.answers.mean_ms),
        waited(StatTileKind::LongestAnswer, &|of| of.answers.longest_ms),
        timed(StatTileKind::Talk, &|of| of.all.talk_ms),
        timed(StatTileKind::Hold, &|of| of.all.hold_ms),
    ]
}

/// A figure that is there, or not, and the one before.
fn tile(
    kind: StatTileKind,
    now: Option<u64>,
    before: Option<u64>,
    text: &dyn Fn(u64) -> String,
    difference: &dyn Fn(u64) -> String,
) -> StatTile {
    let changed = now.zip(before).map(|(now, before)| match now.cmp(&before) {
        std::cmp::Ordering::Less => format!("−{}", difference(before - now)),
        // A sign behind every figure that stayed would hide those that changed.
        std::cmp::Ordering::Equal => String::new(),
        std::cmp::Ordering::Greater => format!("+{}", difference(now - before)),
    });
    StatTile {
        kind,
        value: now.map_or_else(|| "–".to_owned(), text).into(),
        before: before.map(text).unwrap_or_default().into(),
        difference: changed.unwrap_or_default().into(),
    }
}

/// The columns of the hours: of a day as the clock has them, an hour that comes twice twice; of a week of all its days
/// together. Hours at either end without calls are left out, but for those of the usual day. Also the top of the scale.
pub(crate) fn hours_of<Z: TimeZone>(told: &[SlotCounts], span: Span, zone: &Z) -> (Vec<StatBar>, i32) {
    let mut hours: Vec<(u32, CallCounts)> = match span {
        Span::Day => told.iter().map(|slot| (wall(slot.from_unix_ms, zone).1, slot.counts)).collect(),
        Span::Week => {
            let mut hours: Vec<(u32, CallCounts)> =
                (0..24).map(|hour| (hour, CallCounts::default())).collect();
            for slot in told {
                hours[wall(slot.from_unix_ms, zone).1 as usize % 24].1.add(&slot.counts);
            }
            hours
        }
    };
    let wanted = |(hour, counts): &(u32, CallCounts)| USUAL_HOURS.contains(hour) || counts.calls() > 0;
    let first = hours.iter().position(wanted).unwrap_or(0);
    let last = hours.iter().rposition(wanted).unwrap_or(0);
    hours.truncate(last + 1);
    hours.drain(..first.min(hours.len()));
    let top = top_of(hours.iter().map(|(_, counts)| counts));
    let bar =
        |(hour, counts): &(u32, CallCounts)| StatBar { hour: small(u64::from(*hour)), ..bar(counts, top) };
    (hours.iter().map(bar).collect(), small(top))
}

/// The columns of the days of a week, and the top of the scale.
pub(crate) fn days_of<Z: TimeZone>(told: &[SlotCounts], week: Stretch, zone: &Z) -> (Vec<StatBar>, i32) {
    let mut days = [CallCounts::default(); 7];
    for slot in told {
        let at = (wall(slot.from_unix_ms, zone).0 - week.first).num_days();
        if let Some(day) = usize::try_from(at).ok().and_then(|at| days.get_mut(at)) {
            day.add(&slot.counts);
        }
    }
    let top = top_of(days.iter());
    let bar = |(at, counts): (i64, &CallCounts)| {
        let day = moved(week.first, at);
        let weekday = small(u64::from(day.weekday().num_days_from_sunday()));
        StatBar { hour: -1, weekday, day: small(u64::from(day.day())), ..bar(counts, top) }
    };
    ((0..).zip(days.iter()).map(bar).collect(), small(top))
}

fn bar(counts: &CallCounts, top: u64) -> StatBar {
    let (answered, missed, other) = parts(counts);
    let part = |count: u64| count as f32 / top.max(1) as f32;
    StatBar {
        hour: -1,
        weekday: 0,
        day: 0,
        answered: small(answered),
        missed: small(missed),
        other: small(other),
        outgoing: small(counts.outgoing),
        total: small(counts.calls()),
        answered_part: part(answered),
        missed_part: part(missed),
        other_part: part(other),
        outgoing_part: part(counts.outgoing),
        talk: short(counts.talk_ms).into(),
        hold: short(counts.hold_ms).into(),
    }
}

/// Incoming calls by what became of them: answered here, missed, and all others. Together they are the incoming ones.
fn parts(counts: &CallCounts) -> (u64, u64, u64) {
    let answered = counts.answered.min(counts.incoming);
    let missed = counts.missed.min(counts.incoming - answered);
    (answered, missed, counts.incoming - answered - missed)
}

/// How many callers waited how long.
pub(crate) fn waits(told: &CallStatistics) -> Vec<StatShare> {
    let most = told.answers.bins.iter().copied().max().unwrap_or(0);
    let share = |(label, count): (&str, u64)| StatShare {
        label: label.into(),
        ..share(count, most, told.answers.answered)
    };
    WAITS.into_iter().zip(told.answers.bins).map(share).collect()
}

/// How the calls ended, incoming ones first.
pub(crate) fn outcomes(told: &CallStatistics) -> Vec<StatShare> {
    let most = told.outcomes.iter().map(|count| count.calls).max().unwrap_or(0);
    let share = |count: &OutcomeCount| {
        let outgoing = count.direction == Direction::Outgoing;
        let whole = if outgoing { told.all.outgoing } else { told.all.incoming };
        StatShare { outgoing, end: log_rows::end(count.end), ..share(count.calls, most, whole) }
    };
    told.outcomes.iter().map(share).collect()
}

fn share(count: u64, most: u64, whole: u64) -> StatShare {
    let percent = (count * 100 + whole / 2).checked_div(whole).unwrap_or(0);
    StatShare {
        count: small(count),
        part: count as f32 / most.max(1) as f32,
        percent: small(percent),
        ..StatShare::default()
    }
}

/// The lines, the busiest first.
pub(crate) fn lines(told: &CallStatistics) -> Vec<StatLine> {
    let most = told.lines.iter().map(|line| line.counts.calls()).max().unwrap_or(0);
    let line = |line: &LineCounts| {
        let counts = &line.counts;
        StatLine {
            name: line.name.as_str().into(),
            number: line.number.as_str().into(),
            incoming: small(counts.incoming),
            answered: small(counts.answered),
            missed: small(counts.missed),
            outgoing: small(counts.outgoing),
            talk: short(counts.talk_ms).into(),
            hold: short(counts.hold_ms).into(),
            part: counts.calls() as f32 / most.max(1) as f32,
        }
    };
    told.lines.iter().map(line).collect()
}

/// The top of a scale that holds all of these: a round number whose half is whole.
fn top_of<'a>(counts: impl Iterator<Item = &'a CallCounts>) -> u64 {
    let most = counts.map(CallCounts::calls).max().unwrap_or(0);
    let mut ten: u64 = 1;
    loop {
        for step in [2, 3, 4, 5, 6, 8, 10] {
            let top: u64 = step * ten;
            // Half a call is none.
            if top >= most && top.is_multiple_of(2) {
                return top;
            }
        }
        ten *= 10;
    }
}

/// "48 s", "41 min 07", "12 h 31": there is room for no more, and a colon would not say of what it parts.
fn short(ms: u64) -> String {
    let (minutes, seconds) = (ms / 60_000, ms / 1000 % 60);
    match minutes {
        0 => format!("{seconds} s"),
        1..60 => format!("{minutes} min {seconds:02}"),
        _ => format!("{} h {:02}", minutes / 60, minutes % 60),
    }
}

/// With tenths below a minute.
fn seconds(ms: u64, french: bool) -> String {
    if ms >= 60_000 {
        return short(ms);
    }
    format!("{}{}{} s", ms / 1000, if french { ',' } else { '.' }, ms % 1000 / 100)
}

/// What does not fit is more than a screen can say.
fn small(count: u64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use chrono::{NaiveDate, Utc};
    use ipc::{AnswerTimes, EndStatus};

    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    fn counts(incoming: u64, answered: u64, missed: u64, outgoing: u64) -> CallCounts {
        CallCounts { incoming, answered, missed, outgoing, talk_ms: 61_000, hold_ms: 0 }
    }

    /// A day or a week of hours with calls in some of them.
    fn slots(stretch: Stretch, busy: &[(usize, CallCounts)]) -> Vec<SlotCounts> {
        let edges = stretch.hours(&Utc);
        let slot = |(at, edge): (usize, &[i64])| SlotCounts {
            from_unix_ms: edge[0],
            until_unix_ms: edge[1],
            counts: busy.iter().find(|(hour, _)| *hour == at).map(|(_, counts)| *counts).unwrap_or_default(),
        };
        edges.windows(2).enumerate().map(slot).collect()
    }

    fn date(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, day).unwrap()
    }

    #[test]
    fn sta_1_a_duration_on_a_tile_says_its_units() {
        let told = [48_000, 1_428_999, 3_600_000, 45_060_000].map(short);
        assert_eq!(told, ["48 s", "23 min 48", "1 h 00", "12 h 31"]);
    }

    #[test]
    fn sta_1_a_column_has_all_calls_of_its_hour_and_no_call_twice() {
        let day = Stretch::with(Span::Day, date(27));
        let (bars, top) = hours_of(&slots(day, &[(9, counts(9, 6, 2, 3))]), Span::Day, &Utc);
        let hours: Vec<i32> = bars.iter().map(|bar| bar.hour).collect();
        assert_eq!(hours, (8..=17).collect::<Vec<_>>());
        let nine = &bars[1];
        assert_eq!((nine.answered, nine.missed, nine.other, nine.outgoing), (6, 2, 1, 3));
        assert_eq!((nine.total, top), (12, 20));
        let height = nine.answered_part + nine.missed_part + nine.other_part + nine.outgoing_part;
        assert!((height - 0.6).abs() < 1e-6, "{height}");
        // Early and late calls widen it, and what cannot be is cut to what can.
        let busy = [(3, counts(1, 5, 9, 0)), (22, counts(0, 0, 0, 1))];
        let (bars, top) = hours_of(&slots(day, &busy), Span::Day, &Utc);
        assert_eq!((bars[0].hour, bars.last().unwrap().hour, top), (3, 22, 2));
        assert_eq!((bars[0].answered, bars[0].missed, bars[0].other), (1, 0, 0));
    }

    #[test]
    fn sta_1_a_week_is_told_by_its_days_and_by_the_hours_of_all_of_them() {
        let week = Stretch::with(Span::Week, date(27));
        let busy = [(9, counts(1, 1, 0, 0)), (24 + 9, counts(2, 1, 1, 0)), (6 * 24 + 20, counts(0, 0, 0, 4))];
        let told = slots(week, &busy);
        let (days, top) = days_of(&told, week, &Utc);
        assert_eq!(days.iter().map(|bar| bar.total).collect::<Vec<_>>(), [1, 2, 0, 0, 0, 0, 4]);
        assert_eq!((days[0].weekday, days[0].day, days[6].weekday, top), (1, 23, 0, 4));
        let (hours, _) = hours_of(&told, Span::Week, &Utc);
        let nine = hours.iter().find(|bar| bar.hour == 9).unwrap();
        assert_eq!((nine.total, nine.missed), (3, 1));
        assert_eq!(hours.last().unwrap().hour, 20);
    }

    #[test]
    fn sta_1_an_hour_that_comes_twice_has_two_columns() {
        let slot = |from_unix_ms| SlotCounts {
            from_unix_ms,
            until_unix_ms: from_unix_ms + HOUR_MS,
            counts: counts(1, 1, 0, 0),
        };
        // A clock that stands still shows the same hour twice; here by two slots of one hour.
        let (bars, _) =
            hours_of(&[slot(9 * HOUR_MS), slot(9 * HOUR_MS + 1), slot(10 * HOUR_MS)], Span::Day, &Utc);
        assert_eq!(bars.iter().map(|bar| bar.hour).collect::<Vec<_>>(), [9, 9, 10]);
    }

    #[test]
    fn sta_1_headline_figures_say_what_changed() {
        let now = CallStatistics {
            all: CallCounts { talk_ms: 3_725_000, ..counts(46, 42, 3, 20) },
            answers: AnswerTimes { mean_ms: Some(6_240), longest_ms: Some(83_000), ..AnswerTimes::default() },
            ..CallStatistics::default()
        };
        let before = CallStatistics { all: counts(41, 33, 5, 20), ..CallStatistics::default() };
        let told = tiles(&now, Some(&before), false);
        let text = |at: usize| {
            let tile = &told[at];
            (tile.value.to_string(), tile.difference.to_string(), tile.before.to_string())
        };
        let words = |value: &str, difference: &str, before: &str| {
            (value.to_owned(), difference.to_owned(), before.to_owned())
        };
        assert_eq!(text(0), words("46", "+5", "41"));
        assert_eq!(text(1), words("91%", "+11", "80%"));
        assert_eq!(text(2), words("3", "−2", "5"));
        assert_eq!(text(3), words("20", "", "20"));
        assert_eq!(text(4), words("6.2 s", "", ""));
        assert_eq!(text(5), words("1 min 23", "", ""));
        assert_eq!(text(6), words("1 h 02", "+1 h 01", "1 min 01"));
        let many = CallStatistics { all: counts(1_234, 46, 3, 20), ..CallStatistics::default() };
        let first = |french| tiles(&many, Some(&now), french)[0].clone();
        assert_eq!((first(false).value.as_str(), first(false).difference.as_str()), ("1,234", "+1,188"));
        assert_eq!(first(true).value, "1\u{202f}234", "as the directory counts its contacts");
        let french = tiles(&now, None, true);
        assert_eq!((french[1].value.as_str(), french[4].value.as_str()), ("91\u{a0}%", "6,2 s"));
        assert!(french.iter().all(|tile| tile.difference.is_empty()));
        let nothing = tiles(&CallStatistics::default(), None, false);
        assert_eq!((nothing[1].value.as_str(), nothing[5].value.as_str()), ("–", "–"));
    }

    #[test]
    fn sta_1_shares_are_of_their_own_direction() {
        let count = |direction, end, calls| OutcomeCount { direction, end, calls };
        let now = CallStatistics {
            all: counts(8, 6, 2, 4),
            answers: AnswerTimes { answered: 6, bins: [3, 2, 1, 0, 0, 0, 0], ..AnswerTimes::default() },
            outcomes: vec![
                count(Direction::Incoming, EndStatus::Completed, 6),
                count(Direction::Incoming, EndStatus::Missed, 2),
                count(Direction::Outgoing, EndStatus::Completed, 4),
            ],
            ..CallStatistics::default()
        };
        let shares = outcomes(&now);
        assert_eq!(shares.iter().map(|share| share.percent).collect::<Vec<_>>(), [75, 25, 100]);
        let waits = waits(&now);
        assert_eq!((waits[1].label.as_str(), waits[1].count), ("5 – 10 s", 2));
        assert_eq!(waits.iter().map(|share| share.percent).collect::<Vec<_>>(), [50, 33, 17, 0, 0, 0, 0]);
    }

    #[test]
    fn sta_1_a_scale_ends_in_a_round_number_whose_half_is_whole() {
        for (most, top) in [
            (0, 2),
            (1, 2),
            (3, 4),
            (5, 6),
            (10, 10),
            (11, 20),
            (21, 30),
            (41, 50),
            (61, 80),
            (100, 100),
            (101, 200),
            (235, 300),
        ] {
            assert_eq!(top_of([counts(most, 0, 0, 0)].iter()), top, "{most}");
        }
    }
}
