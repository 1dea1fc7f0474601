//! Days and weeks of the clock on the wall: the stretch of time that the log and the statistics show, and the month that
//! the calendar shows. Pure: today and the time zone are handed in.
//!
//! A day is as long as the clock makes it, 23 or 25 hours where it is put forward or back. Weeks are those of ISO 8601.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, TimeDelta, TimeZone, Timelike, Weekday};

/// An hour, in milliseconds.
const HOUR_MS: i64 = 3_600_000;
/// The first year that can be looked at; before it there was no such log.
const FIRST_YEAR: i32 = 1970;
/// Weeks in a month as the calendar shows it: always as many, so that nothing moves.
pub const WEEKS: usize = 6;

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// One day.
    Day,
    /// Monday to Sunday.
    Week,
}

/// A day, or the week with a day in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// How long it is.
    pub span: Span,
    /// Its first day.
    pub first: NaiveDate,
}

impl Stretch {
    /// The stretch that has this day in it.
    #[must_use]
    pub fn with(span: Span, day: NaiveDate) -> Self {
        let first = match span {
            Span::Day => day,
            Span::Week => day.week(Weekday::Mon).checked_first_day().unwrap_or(day),
        };
        Self { span, first }
    }

    /// How many days it has.
    #[must_use]
    pub fn days(self) -> u64 {
        match self.span {
            Span::Day => 1,
            Span::Week => 7,
        }
    }

    /// The last day in it.
    #[must_use]
    pub fn last(self) -> NaiveDate {
        moved(self.first, i64::try_from(self.days()).unwrap_or(1) - 1)
    }

    /// So many days later, or earlier where it is below zero; never after the stretch with `today` in it, nor before
    /// there were logs.
    #[must_use]
    pub fn moved(self, days: i64, today: NaiveDate) -> Self {
        Self::with(self.span, moved(self.first, days).clamp(first_day(), today))
    }

    /// Whether this day is in it.
    #[must_use]
    pub fn has(self, day: NaiveDate) -> bool {
        (self.first..=self.last()).contains(&day)
    }

    /// Whether it is what it was for being the present one, and a new day has made it past: today was in it, and is not.
    #[must_use]
    pub fn is_left_behind(self, was: NaiveDate, today: NaiveDate) -> bool {
        self.has(was) && !self.has(today)
    }

    /// Its first millisecond and the one after its last, Unix time.
    pub fn bounds<Z: TimeZone>(self, zone: &Z) -> (i64, i64) {
        (midnight(self.first, zone), midnight(moved(self.last(), 1), zone))
    }

    /// Where its hours begin, and where the last one ends, Unix milliseconds.
    pub fn hours<Z: TimeZone>(self, zone: &Z) -> Vec<i64> {
        let (mut edges, mut day) = (Vec::new(), self.first);
        for _ in 0..self.days() {
            let next = moved(day, 1);
            let (mut at, end) = (midnight(day, zone), midnight(next, zone));
            while at < end {
                edges.push(at);
                at += HOUR_MS;
            }
            day = next;
        }
        edges.push(midnight(day, zone));
        edges
    }

    /// What it is compared with: the stretch before it; of one that is not over, as much of that as has gone by of this
    /// one on the clock on the wall. `now` is in Unix milliseconds.
    pub fn before<Z: TimeZone>(self, now: i64, zone: &Z) -> (i64, i64) {
        let days = i64::try_from(self.days()).unwrap_or(1);
        let (first, last) = (moved(self.first, -days), moved(self.last(), -days));
        let earlier = Self { span: self.span, first };
        let (from, until) = earlier.bounds(zone);
        let (begins, ends) = self.bounds(zone);
        let Some(wall) = zone.timestamp_millis_opt(now).earliest().filter(|_| (begins..ends).contains(&now))
        else {
            return (from, until);
        };
        let then = moved(wall.date_naive(), -days).clamp(first, last).and_time(wall.time());
        // An hour that the clock leaves out has gone by when it has.
        let same =
            (0..=3).find_map(|hour| zone.from_local_datetime(&(then + TimeDelta::hours(hour))).latest());
        (from, same.map_or(until, |same| same.timestamp_millis()).clamp(from + 1, until.max(from + 1)))
    }
}

/// A month as the calendar shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Month {
    /// Its first day.
    pub first: NaiveDate,
    /// The day at the upper left.
    pub corner: NaiveDate,
}

impl Month {
    /// The month with this day in it, in weeks that begin with this day.
    #[must_use]
    pub fn with(day: NaiveDate, begins: Weekday) -> Self {
        let first = day.with_day(1).unwrap_or(day);
        Self { first, corner: first.week(begins).checked_first_day().unwrap_or(first) }
    }

    /// The days of a week of it, 0 is the first.
    #[must_use]
    pub fn week(&self, index: usize) -> [NaiveDate; 7] {
        let row = i64::try_from(index).unwrap_or(0) * 7;
        std::array::from_fn(|column| moved(self.corner, row + i64::try_from(column).unwrap_or(0)))
    }

    /// Where its days begin and the last one ends, Unix milliseconds.
    pub fn edges<Z: TimeZone>(&self, zone: &Z) -> Vec<i64> {
        let count = i64::try_from(WEEKS * 7).unwrap_or(0);
        (0..=count).map(|day| midnight(moved(self.corner, day), zone)).collect()
    }
}

/// The number of the week that has this day, by ISO 8601.
#[must_use]
pub fn week_number(day: NaiveDate) -> u32 {
    day.iso_week().week()
}

/// The same day so many months later, or the last one of a month that is shorter; never after `today`.
#[must_use]
pub fn months_later(day: NaiveDate, months: i32, today: NaiveDate) -> NaiveDate {
    let by = Months::new(months.unsigned_abs());
    let there = if months < 0 { day.checked_sub_months(by) } else { day.checked_add_months(by) };
    there.unwrap_or(day).clamp(first_day(), today)
}

/// So many days later, or earlier; the same day where there is none.
#[must_use]
pub fn moved(day: NaiveDate, days: i64) -> NaiveDate {
    let by = Days::new(days.unsigned_abs());
    if days < 0 { day.checked_sub_days(by) } else { day.checked_add_days(by) }.unwrap_or(day)
}

/// The first day that can be looked at.
#[must_use]
pub fn first_day() -> NaiveDate {
    NaiveDate::from_ymd_opt(FIRST_YEAR, 1, 1).unwrap_or_default()
}

/// The day with which a week begins on paper. In French that is Monday; in English it depends on the country, which the
/// locale tells ("en_US.UTF-8").
#[must_use]
pub fn first_weekday(french: bool, locale: &str) -> Weekday {
    /// Countries where English is spoken and calendars begin with Sunday (Unicode CLDR, `weekData`).
    const SUNDAY: &[&str] =
        &["US", "CA", "IN", "ZA", "PH", "SG", "HK", "JM", "KE", "ZW", "BW", "PK", "MT", "TT", "BS", "BZ"];
    let country = locale.split(['.', '@']).next().unwrap_or_default().split(['_', '-']).nth(1);
    let sunday = !french && country.is_some_and(|country| SUNDAY.contains(&country));
    if sunday { Weekday::Sun } else { Weekday::Mon }
}

/// The day and the hour on the wall of a moment.
pub fn wall<Z: TimeZone>(unix_ms: i64, zone: &Z) -> (NaiveDate, u32) {
    let at = DateTime::from_timestamp_millis(unix_ms).unwrap_or_default().with_timezone(zone);
    (at.date_naive(), at.hour())
}

/// When a day begins, in Unix milliseconds: its first moment, where the clock jumps over midnight.
pub fn midnight<Z: TimeZone>(day: NaiveDate, zone: &Z) -> i64 {
    let first = (0..=12_u32).find_map(|quarter| {
        let time = day.and_hms_opt(quarter / 4, quarter % 4 * 15, 0)?;
        Some(zone.from_local_datetime(&time).earliest()?.timestamp_millis())
    });
    first.unwrap_or_else(|| day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use chrono::{FixedOffset, MappedLocalTime, NaiveDateTime, Utc};

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn log_2_sta_1_what_shows_today_goes_on_to_the_next_day_at_midnight() {
        // A Sunday, and the Monday after it.
        let (sunday, monday, tuesday) = (day("2026-11-01"), day("2026-11-02"), day("2026-11-03"));
        let (shown, week) = (Stretch::with(Span::Day, sunday), Stretch::with(Span::Week, sunday));
        assert!(shown.is_left_behind(sunday, monday) && week.is_left_behind(sunday, monday));
        assert!(!shown.is_left_behind(sunday, sunday));
        // A week that goes on, and a day that was looked for.
        assert!(!Stretch::with(Span::Week, monday).is_left_behind(monday, tuesday));
        assert!(!shown.is_left_behind(monday, tuesday));
    }

    /// Paris in 2026: an hour ahead in the winter, two from 29 March, 01:00 UTC to 25 October, 01:00 UTC.
    #[derive(Clone, Copy, Debug)]
    struct Paris;

    fn ahead(hours: i32) -> FixedOffset {
        FixedOffset::east_opt(hours * 3600).unwrap()
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
            let fits = |hours: i32| {
                let utc = *local - TimeDelta::hours(hours.into());
                (self.offset_from_utc_datetime(&utc) == ahead(hours)).then(|| ahead(hours))
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
            let at = |month, day| date(2026, month, day).and_hms_opt(1, 0, 0).unwrap();
            ahead(if (at(3, 29)..at(10, 25)).contains(utc) { 2 } else { 1 })
        }
    }

    fn date(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    fn hours(span: Span, day: NaiveDate) -> usize {
        let edges = Stretch::with(span, day).hours(&Paris);
        assert!(edges.is_sorted_by(|a, b| a < b));
        edges.len() - 1
    }

    #[test]
    fn sta_1_a_day_has_as_many_hours_as_the_clock_on_the_wall_gives_it() {
        assert_eq!(hours(Span::Day, date(2026, 11, 26)), 24);
        assert_eq!(hours(Span::Day, date(2026, 3, 29)), 23);
        assert_eq!(hours(Span::Day, date(2026, 10, 25)), 25);
        assert_eq!(hours(Span::Week, date(2026, 10, 25)), 169);
        assert_eq!(hours(Span::Week, date(2026, 3, 25)), 167);
        assert!(hours(Span::Week, date(2026, 10, 25)) < ipc::MAX_SLOTS);
        // The hour that comes twice is told twice.
        let first = Utc.with_ymd_and_hms(2026, 10, 25, 0, 30, 0).unwrap().timestamp_millis();
        let walls = [0, HOUR_MS, 2 * HOUR_MS].map(|more| wall(first + more, &Paris).1);
        assert_eq!(walls, [2, 2, 3]);
    }

    #[test]
    fn log_2_a_day_ends_where_the_next_begins_whatever_the_clock_does() {
        for first in [date(2026, 3, 28), date(2026, 10, 24), date(2026, 12, 31)] {
            for days in 0..3 {
                let day = Stretch::with(Span::Day, moved(first, days));
                let next = Stretch::with(Span::Day, moved(first, days + 1));
                assert_eq!(day.bounds(&Paris).1, next.bounds(&Paris).0);
            }
        }
    }

    #[test]
    fn log_2_arrows_move_by_days_and_weeks_and_stop_at_today() {
        let today = date(2026, 11, 27);
        let day = Stretch::with(Span::Day, today);
        assert_eq!(day.moved(-1, today).first, date(2026, 11, 26));
        assert_eq!(day.moved(-7, today).first, date(2026, 11, 20));
        assert_eq!(day.moved(-3, today).moved(7, today).first, today, "nothing lies ahead");
        let march = Stretch::with(Span::Day, date(2026, 3, 29));
        assert_eq!(march.moved(-1, today).moved(1, today), march);
        let week = Stretch::with(Span::Week, date(2026, 11, 29));
        assert_eq!((week.first, week.last()), (date(2026, 11, 23), date(2026, 11, 29)));
        assert_eq!(week.moved(-7, today).moved(7, today), week);
        assert!(week.has(today) && !week.has(date(2026, 11, 30)));
        let first = Stretch::with(Span::Day, first_day());
        assert_eq!(first.moved(-1, today), first);
        // A week may begin in the year before.
        assert_eq!(Stretch::with(Span::Week, date(2027, 1, 1)).first, date(2026, 12, 28));
    }

    #[test]
    fn log_2_a_month_begins_in_the_week_of_its_first_and_has_room_for_any() {
        let month = Month::with(date(2026, 11, 27), Weekday::Mon);
        assert_eq!((month.first, month.corner), (date(2026, 11, 1), date(2026, 10, 26)));
        assert_eq!(month.week(0)[6], date(2026, 11, 1));
        assert_eq!(Month::with(date(2026, 11, 27), Weekday::Sun).corner, date(2026, 11, 1));
        for months in 0..48 {
            let first = date(2024, 1, 1).checked_add_months(Months::new(months)).unwrap();
            for begins in [Weekday::Mon, Weekday::Sun] {
                let month = Month::with(first, begins);
                assert_eq!(month.corner.weekday(), begins);
                let last = moved(first.checked_add_months(Months::new(1)).unwrap(), -1);
                let shown: Vec<NaiveDate> = (0..WEEKS).flat_map(|week| month.week(week)).collect();
                assert!(shown.contains(&first) && shown.contains(&last), "{first} {begins}");
                assert!(shown.is_sorted_by(|a, b| moved(*a, 1) == *b));
            }
        }
        let edges = Month::with(date(2026, 10, 1), Weekday::Mon).edges(&Paris);
        assert_eq!(edges.len(), ipc::MAX_CALL_DAYS + 1);
        let longest = edges.windows(2).map(|day| day[1] - day[0]).max();
        assert_eq!(longest, Some(25 * HOUR_MS));
    }

    #[test]
    fn log_2_weeks_are_numbered_by_iso_8601() {
        let numbers = [(2026, 12, 31), (2027, 1, 3), (2027, 1, 4), (2024, 12, 30), (2021, 1, 3)];
        let numbers = numbers.map(|(year, month, day)| week_number(date(year, month, day)));
        assert_eq!(numbers, [53, 53, 1, 1, 53]);
    }

    #[test]
    fn log_2_months_go_by_to_a_day_that_there_is() {
        let today = date(2026, 11, 27);
        assert_eq!(months_later(date(2026, 3, 31), -1, today), date(2026, 2, 28));
        assert_eq!(months_later(date(2024, 2, 29), 12, today), date(2025, 2, 28));
        assert_eq!(months_later(date(2026, 11, 20), 1, today), today);
        assert_eq!(months_later(date(1970, 1, 5), -1, today), first_day());
    }

    #[test]
    fn log_2_a_calendar_begins_with_the_day_of_the_country() {
        let begins = |french, locale| first_weekday(french, locale);
        assert_eq!(begins(true, "en_US.UTF-8"), Weekday::Mon);
        assert_eq!(begins(false, "en_US.UTF-8"), Weekday::Sun);
        assert_eq!(begins(false, "en-CA"), Weekday::Sun);
        for locale in ["en_GB.UTF-8", "en_IE@euro", "C.UTF-8", "POSIX", "", "fr_FR"] {
            assert_eq!(begins(false, locale), Weekday::Mon, "{locale:?}");
        }
    }

    #[test]
    fn sta_1_what_is_not_over_is_compared_with_as_much_of_the_stretch_before() {
        let at =
            |month, day, hour| Utc.with_ymd_and_hms(2026, month, day, hour, 0, 0).unwrap().timestamp_millis();
        let day = Stretch::with(Span::Day, date(2026, 11, 27));
        let bounds = |day| Stretch::with(Span::Day, day).bounds(&Paris);
        let yesterday = bounds(date(2026, 11, 26));
        assert_eq!(day.before(at(12, 24, 9), &Paris), yesterday, "a day that is over: all of the one before");
        assert_eq!(day.before(at(11, 27, 9), &Paris), (yesterday.0, at(11, 26, 9)));
        // The day of the change: nine on the wall is an hour less after midnight.
        let sunday = Stretch::with(Span::Day, date(2026, 3, 29));
        assert_eq!(sunday.before(at(3, 29, 7), &Paris), (bounds(date(2026, 3, 28)).0, at(3, 28, 8)));
        // At half past two of the day after, when the day before had no such time.
        let monday = Stretch::with(Span::Day, date(2026, 3, 30));
        let half_past_two = at(3, 30, 0) + HOUR_MS / 2;
        let (from, until) = monday.before(half_past_two, &Paris);
        assert_eq!((from, until), (bounds(date(2026, 3, 29)).0, at(3, 29, 1) + HOUR_MS / 2));
        let week = Stretch::with(Span::Week, date(2026, 11, 27));
        assert_eq!(week.before(at(11, 27, 9), &Paris), (bounds(date(2026, 11, 16)).0, at(11, 20, 9)));
        // At its first moment there is nothing to compare, and no stretch without length.
        let (from, until) = day.before(day.bounds(&Paris).0, &Paris);
        assert_eq!(until - from, 1);
    }
}
