//! Times of reminders (REM-1), by the calendar of this machine: as they are typed, stepped and offered.
//!
//! Pure: which moment it is now is handed in.

use chrono::{
    DateTime, Datelike, Days, Local, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Timelike,
};

use crate::screen::ReminderWhen;

/// Hours of the day that are offered while they are still to come.
const OFFERED: [u32; 2] = [14, 17];
/// The hour offered for tomorrow.
const MORNING: u32 = 9;
/// Further ahead nobody steps by days.
const MOST_DAYS: i64 = 3_660;

/// A time of day as people type it: `9`, `930`, `9:30`, `09.30`, `9h30`, `9h`, `2:30 pm`.
pub(crate) fn read(text: &str) -> Option<NaiveTime> {
    let text = text.trim().to_lowercase();
    let (text, half) = match text.strip_suffix("am").map(|rest| (rest, 0)) {
        None => text.strip_suffix("pm").map_or((text.as_str(), None), |rest| (rest, Some(12))),
        Some((rest, half)) => (rest, Some(half)),
    };
    let text = text.trim();
    let (hour, minute) = match text.split_once([':', '.', 'h']) {
        Some((hour, "")) => (hour, "0"),
        Some((hour, minute)) => (hour, minute),
        None if text.len() > 2 && text.is_ascii() => text.split_at(text.len() - 2),
        None => (text, "0"),
    };
    let number = |digits: &str| {
        let is_number = (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<u32>().ok().filter(|_| is_number)
    };
    let (hour, minute) = (number(hour.trim())?, number(minute.trim())?);
    let hour = match half {
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(half) => hour % 12 + half,
        None => hour,
    };
    NaiveTime::from_hms_opt(hour, minute, 0)
}

/// A time of day as it is shown.
pub(crate) fn shown(time: NaiveTime) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

/// Some minutes forth or back; steps of less than an hour stop at whole multiples of theirs.
pub(crate) fn step(at: NaiveDateTime, minutes: i32) -> NaiveDateTime {
    let by = i64::from(minutes);
    if by % 60 == 0 || by == 0 {
        return at.checked_add_signed(TimeDelta::minutes(by)).unwrap_or(at);
    }
    let (size, now) = (by.abs(), i64::from(at.minute()));
    let whole = if by > 0 { (now / size + 1) * size } else { (now + size - 1) / size * size - size };
    at.checked_add_signed(TimeDelta::minutes(whole - now)).unwrap_or(at)
}

/// The day some days forth or back, not before `today`.
pub(crate) fn step_day(day: NaiveDate, by: i32, today: NaiveDate) -> NaiveDate {
    let next = day.checked_add_signed(TimeDelta::days(i64::from(by))).unwrap_or(day);
    let last = today.checked_add_signed(TimeDelta::days(MOST_DAYS)).unwrap_or(today);
    next.clamp(today, last)
}

/// So many minutes from now, at the full minute: rather a moment later than a moment early.
pub(crate) fn soon(now: NaiveDateTime, minutes: i32) -> NaiveDateTime {
    let exact = now.checked_add_signed(TimeDelta::minutes(i64::from(minutes))).unwrap_or(now);
    let minute = whole_minute(exact);
    if minute < exact { minute + TimeDelta::minutes(1) } else { minute }
}

/// What a new reminder begins with: in an hour, at a multiple of five minutes.
pub(crate) fn usual(now: NaiveDateTime) -> NaiveDateTime {
    let at = soon(now, 60);
    if at.minute().is_multiple_of(5) { at } else { step(at, 5) }
}

/// The time of day offered that is still to come today.
pub(crate) fn today(now: NaiveDateTime) -> Option<NaiveDateTime> {
    let times = OFFERED.iter().filter_map(|hour| now.date().and_hms_opt(*hour, 0, 0));
    times.into_iter().find(|at| *at > now)
}

/// Tomorrow morning.
pub(crate) fn tomorrow(now: NaiveDateTime) -> NaiveDateTime {
    let day = now.date().checked_add_days(Days::new(1)).unwrap_or(now.date());
    day.and_hms_opt(MORNING, 0, 0).unwrap_or(now)
}

/// Now, by the clock on the wall.
pub(crate) fn now() -> NaiveDateTime {
    crate::clock::now().naive_local()
}

/// A Unix time in milliseconds on the wall, without its seconds; now when it is no time at all.
pub(crate) fn on_the_wall(unix_ms: i64) -> NaiveDateTime {
    let at: Option<DateTime<Local>> = Local.timestamp_millis_opt(unix_ms).earliest();
    whole_minute(at.map_or_else(now, |at| at.naive_local()))
}

/// The Unix time in milliseconds of a moment on the wall. One that does not exist, because summer time begins, is as
/// much later as the clocks leave out; of one that exists twice the first is meant.
pub(crate) fn unix_ms(at: NaiveDateTime) -> i64 {
    let found = (0..3).find_map(|hour| Local.from_local_datetime(&(at + TimeDelta::hours(hour))).earliest());
    found.map_or_else(|| at.and_utc().timestamp_millis(), |at| at.timestamp_millis())
}

/// A moment on the wall in parts that the screen words itself, seen from a day.
pub(crate) fn when(at: NaiveDateTime, today: NaiveDate) -> ReminderWhen {
    let days = at.date().signed_duration_since(today).num_days();
    let number = |value: u32| i32::try_from(value).unwrap_or(0);
    ReminderWhen {
        time: shown(at.time()).into(),
        days: i32::try_from(days).unwrap_or(i32::MAX),
        weekday: number(at.weekday().num_days_from_sunday()),
        day: number(at.day()),
        month: number(at.month()),
    }
}

fn whole_minute(at: NaiveDateTime) -> NaiveDateTime {
    at.with_second(0).and_then(|at| at.with_nanosecond(0)).unwrap_or(at)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap()
    }

    fn said(at: NaiveDateTime) -> String {
        at.format("%d %H:%M:%S").to_string()
    }

    #[test]
    fn rem_1_a_time_is_read_as_people_type_it() {
        let good = [
            ("9", "09:00"),
            ("14", "14:00"),
            ("930", "09:30"),
            ("1430", "14:30"),
            ("9:30", "09:30"),
            (" 09.05 ", "09:05"),
            ("9h30", "09:30"),
            ("9H", "09:00"),
            ("9:5", "09:05"),
            ("2:30 pm", "14:30"),
            ("12 am", "00:00"),
            ("12pm", "12:00"),
            ("0:00", "00:00"),
        ];
        for (typed, time) in good {
            assert_eq!(read(typed).map(shown).as_deref(), Some(time), "{typed}");
        }
        for typed in [
            "", ":", "24", "9:60", "25:00", "9:300", "ninety", "13pm", "0am", "-1", "1é", "é", "９", "9::3",
            "12345",
        ] {
            assert_eq!(read(typed), None, "{typed}");
        }
    }

    #[test]
    fn rem_1_steps_stop_at_whole_fives_and_go_over_midnight() {
        let from = at("2026-11-27 23:52:00");
        assert_eq!(said(step(from, 5)), "27 23:55:00");
        assert_eq!(said(step(from, -5)), "27 23:50:00");
        assert_eq!(said(step(step(step(from, 5), 5), 5)), "28 00:05:00");
        assert_eq!(said(step(at("2026-11-27 00:00:00"), -5)), "26 23:55:00");
        assert_eq!(said(step(at("2026-11-27 00:05:00"), -5)), "27 00:00:00");
        assert_eq!(said(step(from, 60)), "28 00:52:00");
        assert_eq!(said(step(from, -60)), "27 22:52:00");
    }

    #[test]
    fn rem_1_what_is_offered_lies_ahead() {
        let now = at("2026-11-27 11:29:40");
        assert_eq!(said(soon(now, 10)), "27 11:40:00");
        assert_eq!(said(soon(at("2026-11-27 11:29:00"), 10)), "27 11:39:00");
        assert_eq!(said(usual(now)), "27 12:30:00");
        assert_eq!(said(usual(at("2026-11-27 11:31:00"))), "27 12:35:00");
        assert_eq!(today(now).map(said).as_deref(), Some("27 14:00:00"));
        assert_eq!(today(at("2026-11-27 14:00:00")).map(said).as_deref(), Some("27 17:00:00"));
        assert_eq!(today(at("2026-11-27 17:00:01")), None);
        assert_eq!(said(tomorrow(at("2026-11-30 17:00:01"))), "01 09:00:00");
    }

    #[test]
    fn rem_1_days_are_stepped_from_today_on() {
        let day = |text: &str| at(&format!("{text} 00:00:00")).date();
        let today = day("2026-11-27");
        assert_eq!(step_day(today, -1, today), today);
        assert_eq!(step_day(day("2026-11-30"), 1, today), day("2026-12-01"));
        assert_eq!(step_day(day("2026-11-20"), 1, today), today, "from a day that is past");
    }

    #[test]
    fn rem_1_a_moment_on_the_wall_comes_back_as_it_was() {
        for text in ["2026-01-15 09:00:00", "2026-07-15 23:59:00", "2027-12-31 00:00:00"] {
            assert_eq!(on_the_wall(unix_ms(at(text))), at(text));
        }
        let parts = when(at("2026-12-01 08:05:00"), at("2026-11-27 23:59:59").date());
        assert_eq!((parts.time.as_str(), parts.days, parts.weekday), ("08:05", 4, 2));
        assert_eq!((parts.day, parts.month), (1, 12));
    }
}
