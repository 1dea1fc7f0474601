//! Times as the screen writes them, and the calendar of this machine.
//!
//! Not here: any decision that depends on time. Durations come from the desk's monotonic clock.

use std::sync::OnceLock;
use std::time::Instant;

use chrono::{DateTime, Datelike, Local, NaiveDate, TimeZone, Timelike};

/// Where time stands still, if it does.
static STANDING: OnceLock<DateTime<Local>> = OnceLock::new();

/// Stops all clocks of this program at 10:24 of a Tuesday in summer: pictures are to be the same each time they are drawn.
pub fn stand_still() {
    let moment = NaiveDate::from_ymd_opt(2026, 7, 21).and_then(|day| day.and_hms_opt(10, 24, 0));
    if let Some(moment) = moment.and_then(|moment| Local.from_local_datetime(&moment).earliest()) {
        // Whoever was first has stopped them at the same moment.
        let _ = STANDING.set(moment);
    }
}

/// The moment at which they stand, if they do.
pub(crate) fn standing() -> Option<DateTime<Local>> {
    STANDING.get().copied()
}

pub(crate) fn now() -> DateTime<Local> {
    STANDING.get().copied().unwrap_or_else(Local::now)
}

/// Now, Unix milliseconds.
#[must_use]
pub fn now_unix_ms() -> i64 {
    now().timestamp_millis()
}

/// The desk's monotonic clock, carried on between two views by our own.
#[derive(Clone, Copy, Debug)]
pub struct DeskClock {
    desk_ms: u64,
    at: Instant,
}

impl DeskClock {
    /// The desk said `desk_ms` at the instant `at`.
    #[must_use]
    pub fn new(desk_ms: u64, at: Instant) -> Self {
        Self { desk_ms, at }
    }

    /// What the desk's clock shows at `now`, in milliseconds.
    #[must_use]
    pub fn at(&self, now: Instant) -> u64 {
        if STANDING.get().is_some() {
            return self.desk_ms;
        }
        let since = now.saturating_duration_since(self.at).as_millis();
        self.desk_ms.saturating_add(u64::try_from(since).unwrap_or(u64::MAX))
    }
}

/// "0:07", "12:31", "1:02:45".
#[must_use]
pub fn duration(ms: u64) -> String {
    let seconds = ms / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// Parts of the local date and time that the screen words itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WallClock {
    /// "10:42".
    pub time: String,
    /// 0 is Sunday.
    pub weekday: i32,
    /// 1 to 31.
    pub day: i32,
    /// 1 to 12.
    pub month: i32,
}

impl WallClock {
    /// This moment in this machine's time zone.
    #[must_use]
    pub fn now() -> Self {
        Self::of(&now())
    }

    fn of(now: &DateTime<Local>) -> Self {
        Self {
            time: format!("{}:{:02}", now.hour(), now.minute()),
            weekday: number(now.weekday().num_days_from_sunday()),
            day: number(now.day()),
            month: number(now.month()),
        }
    }
}

/// A past moment in this machine's time zone, in parts that the screen words itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// "09:05"; empty when it is no time at all.
    pub time: String,
    /// 0 is today; what lies ahead is today too.
    pub days_ago: i32,
    /// 0 is Sunday.
    pub weekday: i32,
    /// 1 to 31.
    pub day: i32,
    /// 1 to 12.
    pub month: i32,
    /// The year.
    pub year: i32,
}

impl Moment {
    /// A Unix time in milliseconds.
    #[must_use]
    pub fn of(unix_ms: i64) -> Self {
        Self::seen(unix_ms, now().date_naive())
    }

    fn seen(unix_ms: i64, today: NaiveDate) -> Self {
        let Some(then) = Local.timestamp_millis_opt(unix_ms).earliest() else { return Self::default() };
        let days = today.signed_duration_since(then.date_naive()).num_days().max(0);
        Self {
            time: format!("{:02}:{:02}", then.hour(), then.minute()),
            days_ago: i32::try_from(days).unwrap_or(i32::MAX),
            weekday: number(then.weekday().num_days_from_sunday()),
            day: number(then.day()),
            month: number(then.month()),
            year: then.year(),
        }
    }
}

/// Local time of day of a Unix time in milliseconds, "09:05"; empty when it is no time at all.
#[must_use]
pub fn time_of_day(unix_ms: i64) -> String {
    match Local.timestamp_millis_opt(unix_ms).earliest() {
        Some(time) => format!("{:02}:{:02}", time.hour(), time.minute()),
        None => String::new(),
    }
}

/// Local time of day of a Unix time in milliseconds, "09:05:31"; empty when it is no time at all.
#[must_use]
pub fn seconds_of_day(unix_ms: i64) -> String {
    match Local.timestamp_millis_opt(unix_ms).earliest() {
        Some(time) => format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second()),
        None => String::new(),
    }
}

/// Local time of day some milliseconds ago, "09:05".
#[must_use]
pub fn time_before_now(ms: u64) -> String {
    let ago = i64::try_from(ms).unwrap_or(i64::MAX);
    time_of_day(now().timestamp_millis().saturating_sub(ago))
}

/// Calendar numbers are small.
fn number(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::models::dates::midnight;

    #[test]
    fn durations_read_like_a_telephone() {
        assert_eq!(duration(7_999), "0:07");
        assert_eq!(duration(134_000), "2:14");
        assert_eq!(duration(3_765_000), "1:02:45");
    }

    #[test]
    fn the_desk_clock_runs_on_between_views() {
        let at = Instant::now();
        let clock = DeskClock::new(5_000, at);
        assert_eq!(clock.at(at + Duration::from_millis(1_500)), 6_500);
        assert_eq!(clock.at(at - Duration::from_millis(10)), 5_000);
    }

    #[test]
    fn a_past_moment_counts_days_by_the_calendar() {
        let day = |day| NaiveDate::from_ymd_opt(2026, 11, day).unwrap_or_default();
        let late = midnight(day(24), &Local) - 1_000;
        assert_eq!(Moment::seen(late, day(24)).days_ago, 1);
        assert_eq!(Moment::seen(late, day(23)).days_ago, 0);
        assert_eq!(Moment::seen(late, day(1)).days_ago, 0, "what lies ahead is today");
        let moment = Moment::seen(late, day(24));
        assert_eq!((moment.day, moment.month, moment.year, moment.time.as_str()), (23, 11, 2026, "23:59"));
        assert_eq!(Moment::seen(i64::MAX, day(24)), Moment::default());
    }
}
