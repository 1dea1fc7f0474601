//! Days and weeks of the clock on the wall, cut into hours: a day has 23, 24 or 25 of them.

use chrono::{DateTime, Datelike, Days, Local, NaiveDate, TimeZone, Timelike};
use store::Slots;

/// An hour, in milliseconds.
const HOUR_MS: i64 = 3_600_000;

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    Day,
    /// Monday to Sunday (ISO 8601).
    Week,
}

impl Span {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
        }
    }

    pub(crate) fn of_word(word: &str) -> Option<Self> {
        [Self::Day, Self::Week].into_iter().find(|span| span.word() == word)
    }

    fn days(self) -> u64 {
        match self {
            Self::Day => 1,
            Self::Week => 7,
        }
    }
}

/// A day, or the week with a day in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) span: Span,
    pub(crate) first: NaiveDate,
}

impl Stretch {
    /// The stretch that has this day in it; a week begins on its Monday.
    pub(crate) fn with(span: Span, day: NaiveDate) -> Self {
        let back = match span {
            Span::Day => 0,
            Span::Week => u64::from(day.weekday().num_days_from_monday()),
        };
        Self { span, first: day.checked_sub_days(Days::new(back)).unwrap_or(day) }
    }

    /// Of words such as `week` and `2026-11-26`. Years from 1970 to 9998, so that a calendar has room on both sides.
    pub(crate) fn of_words(span: &str, day: &str) -> Option<Self> {
        let day = NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()?;
        (1970..9999).contains(&day.year()).then_some(())?;
        Some(Self::with(Span::of_word(span)?, day))
    }

    /// The last day in it.
    pub(crate) fn last(self) -> NaiveDate {
        self.first.checked_add_days(Days::new(self.span.days() - 1)).unwrap_or(self.first)
    }

    pub(crate) fn earlier(self) -> Self {
        let first = self.first.checked_sub_days(Days::new(self.span.days())).unwrap_or(self.first);
        Self { first, ..self }
    }

    pub(crate) fn later(self) -> Self {
        let first = self.first.checked_add_days(Days::new(self.span.days())).unwrap_or(self.first);
        Self { first, ..self }
    }

    /// Its hours.
    pub(crate) fn hours<Z: TimeZone>(self, zone: &Z) -> Option<Slots> {
        Slots::new(self.edges(zone)?)
    }

    /// Where its hours begin, and where the last one ends.
    pub(crate) fn edges<Z: TimeZone>(self, zone: &Z) -> Option<Vec<i64>> {
        let mut edges = Vec::new();
        let mut day = self.first;
        for _ in 0..self.span.days() {
            let next = day.checked_add_days(Days::new(1))?;
            let (mut at, end) = (midnight(day, zone)?, midnight(next, zone)?);
            while at < end {
                edges.push(at);
                at += HOUR_MS;
            }
            day = next;
        }
        edges.push(midnight(day, zone)?);
        Some(edges)
    }
}

/// Where the hours of a day of this machine's clock begin and where the last one ends, Unix milliseconds; of its whole week
/// when `week`. The day is written `2026-11-26`; `None` is today. `None` for what is no day.
#[must_use]
pub fn hours_of(day: Option<&str>, week: bool) -> Option<Vec<i64>> {
    let today = Local::now().date_naive().to_string();
    let span = if week { Span::Week } else { Span::Day };
    Stretch::of_words(span.word(), day.unwrap_or(&today))?.edges(&Local)
}

/// When a day begins, in Unix milliseconds: its first moment, where the clock jumps over midnight.
fn midnight<Z: TimeZone>(day: NaiveDate, zone: &Z) -> Option<i64> {
    (0..=12).find_map(|quarter: u32| {
        let time = day.and_hms_opt(quarter / 4, quarter % 4 * 15, 0)?;
        Some(zone.from_local_datetime(&time).earliest()?.timestamp_millis())
    })
}

/// The day and the hour on the wall of a moment.
pub(crate) fn wall<Z: TimeZone>(unix_ms: i64, zone: &Z) -> (NaiveDate, u32) {
    let at = DateTime::from_timestamp_millis(unix_ms).unwrap_or_default().with_timezone(zone);
    (at.date_naive(), at.hour())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use chrono::{FixedOffset, MappedLocalTime, NaiveDateTime, Utc};

    use super::*;

    /// Paris in 2026: an hour ahead in the winter, two from 29 March, 01:00 UTC to 25 October, 01:00 UTC.
    #[derive(Clone, Copy, Debug)]
    struct Paris;

    fn hours(count: i32) -> FixedOffset {
        FixedOffset::east_opt(count * 3600).unwrap()
    }

    impl TimeZone for Paris {
        type Offset = FixedOffset;

        fn from_offset(_: &FixedOffset) -> Self {
            Self
        }

        fn offset_from_local_date(&self, _: &NaiveDate) -> MappedLocalTime<FixedOffset> {
            unreachable!("not asked")
        }

        fn offset_from_local_datetime(&self, local: &NaiveDateTime) -> MappedLocalTime<FixedOffset> {
            let fits = |count: i32| {
                let utc = *local - chrono::Duration::hours(count.into());
                (self.offset_from_utc_datetime(&utc) == hours(count)).then(|| hours(count))
            };
            match (fits(2), fits(1)) {
                (Some(a), Some(b)) => MappedLocalTime::Ambiguous(a, b),
                (Some(one), None) | (None, Some(one)) => MappedLocalTime::Single(one),
                (None, None) => MappedLocalTime::None,
            }
        }

        fn offset_from_utc_date(&self, _: &NaiveDate) -> FixedOffset {
            unreachable!("not asked")
        }

        fn offset_from_utc_datetime(&self, utc: &NaiveDateTime) -> FixedOffset {
            let at =
                |month, day| NaiveDate::from_ymd_opt(2026, month, day).unwrap().and_hms_opt(1, 0, 0).unwrap();
            hours(if (at(3, 29)..at(10, 25)).contains(utc) { 2 } else { 1 })
        }
    }

    fn edges(span: &str, day: &str) -> usize {
        let slots = Stretch::of_words(span, day).unwrap().hours(&Paris).unwrap();
        format!("{slots:?}").matches(", ").count()
    }

    #[test]
    fn sta_1_a_day_has_as_many_hours_as_the_clock_on_the_wall_gives_it() {
        assert_eq!(edges("day", "2026-11-26"), 24);
        assert_eq!(edges("day", "2026-03-29"), 23);
        assert_eq!(edges("day", "2026-10-25"), 25);
        assert_eq!(edges("week", "2026-10-25"), 169);
        assert_eq!(edges("week", "2026-03-25"), 167);
        // The hour that comes twice is told twice.
        let first = Utc.with_ymd_and_hms(2026, 10, 25, 0, 30, 0).unwrap().timestamp_millis();
        let day = NaiveDate::from_ymd_opt(2026, 10, 25).unwrap();
        assert_eq!(
            [0, HOUR_MS, 2 * HOUR_MS].map(|more| wall(first + more, &Paris)),
            [(day, 2), (day, 2), (day, 3)]
        );
    }

    #[test]
    fn sta_1_a_week_is_the_one_with_the_day_in_it_and_has_neighbours() {
        let week = Stretch::of_words("week", "2026-11-29").unwrap();
        assert_eq!(
            (week.first.to_string(), week.last().to_string()),
            ("2026-11-23".into(), "2026-11-29".into())
        );
        assert_eq!(week.earlier().later(), week);
        let day = Stretch::of_words("day", "2026-03-01").unwrap();
        assert_eq!(day.earlier().first.to_string(), "2026-02-28");
        for (span, day) in
            [("year", "2026-01-01"), ("day", "2026-02-30"), ("day", "10000-01-01"), ("day", "x"), ("", "")]
        {
            assert_eq!(Stretch::of_words(span, day), None, "{span} {day}");
        }
        assert!(Stretch::of_words("week", "1970-01-01").unwrap().hours(&Utc).is_some());
    }
}
