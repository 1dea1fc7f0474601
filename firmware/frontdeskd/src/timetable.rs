//! Whether the house is open, by the administrator's timetable and the local time of the box.

use std::time::Duration;

use chrono::{Datelike, Local, NaiveDateTime, Timelike, Weekday};
use ipc::ServiceMode;
use store::{Day, Timetable, holiday, minutes};
use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};
use tracing::info;

use crate::engine::Event;

/// How often the clock is looked at: an opening hour is met to the second by nobody, and a clock that is
/// set while the desk runs is noticed soon.
const LOOK: Duration = Duration::from_secs(5);

/// Tells the engine the mode at once and whenever it changes, until the engine is gone.
pub(crate) async fn follow(mut timetable: watch::Receiver<Timetable>, inbox: mpsc::Sender<Event>) {
    let mut told = None;
    while !inbox.is_closed() {
        let mode = mode(&timetable.borrow_and_update(), Local::now().naive_local());
        if told != Some(mode) {
            info!(?mode, "service mode by the timetable");
            if inbox.send(Event::Timetable(mode)).await.is_err() {
                return;
            }
            told = Some(mode);
        }
        tokio::select! {
            changed = timetable.changed() => {
                // Nobody can change it any more: the clock goes on.
                if changed.is_err() {
                    sleep(LOOK).await;
                }
            }
            () = sleep(LOOK) => {}
        }
    }
}

/// The mode at a local time. Opening hours are from the first minute on until the last one, exclusive.
fn mode(timetable: &Timetable, at: NaiveDateTime) -> ServiceMode {
    let today = |text: &String| {
        holiday(text).is_some_and(|(year, month, day)| {
            year.is_none_or(|year| year == at.year()) && (month, day) == (at.month(), at.day())
        })
    };
    if timetable.holidays.iter().any(today) {
        return ServiceMode::Holiday;
    }
    let now = at.hour() * 60 + at.minute();
    let open = |hours: &store::Hours| {
        let (from, until) = (minutes(&hours.from), minutes(&hours.until));
        hours.days.iter().any(|day| weekday(*day) == at.weekday())
            && from.is_some_and(|from| from <= now)
            && until.is_some_and(|until| now < until)
    };
    if timetable.open.is_empty() || timetable.open.iter().any(open) {
        ServiceMode::Day
    } else {
        ServiceMode::Night
    }
}

fn weekday(day: Day) -> Weekday {
    match day {
        Day::Monday => Weekday::Mon,
        Day::Tuesday => Weekday::Tue,
        Day::Wednesday => Weekday::Wed,
        Day::Thursday => Weekday::Thu,
        Day::Friday => Weekday::Fri,
        Day::Saturday => Weekday::Sat,
        Day::Sunday => Weekday::Sun,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use store::Hours;

    use super::*;

    fn at(text: &str) -> ServiceMode {
        let hours = |days: &[Day], from: &str, until: &str| Hours {
            days: days.to_vec(),
            from: from.into(),
            until: until.into(),
        };
        let timetable = Timetable {
            open: vec![
                hours(&[Day::Monday, Day::Tuesday], "08:30", "12:00"),
                hours(&[Day::Monday], "13:00", "18:00"),
                hours(&[Day::Saturday], "00:00", "24:00"),
            ],
            holidays: vec!["2026-11-23".into(), "12-25".into()],
        };
        mode(&timetable, NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap())
    }

    #[test]
    fn open_hours_end_before_their_last_minute_and_holidays_beat_them() {
        // 2026-11-16 and 2026-11-23 are Mondays.
        assert_eq!(at("2026-11-16 08:29"), ServiceMode::Night);
        assert_eq!(at("2026-11-16 08:30"), ServiceMode::Day);
        assert_eq!(at("2026-11-16 11:59"), ServiceMode::Day);
        assert_eq!(at("2026-11-16 12:00"), ServiceMode::Night);
        assert_eq!(at("2026-11-16 13:00"), ServiceMode::Day);
        assert_eq!(at("2026-11-17 13:00"), ServiceMode::Night);
        assert_eq!(at("2026-11-21 23:59"), ServiceMode::Day);
        assert_eq!(at("2026-11-23 09:00"), ServiceMode::Holiday);
        assert_eq!(at("2026-12-25 23:59"), ServiceMode::Holiday);
        assert_eq!(at("2031-12-25 00:00"), ServiceMode::Holiday);
    }

    #[test]
    fn a_house_without_opening_hours_is_always_open() {
        let midnight = NaiveDateTime::parse_from_str("2026-11-16 00:00", "%Y-%m-%d %H:%M").unwrap();
        assert_eq!(mode(&Timetable::default(), midnight), ServiceMode::Day);
    }

    #[tokio::test]
    async fn app_2_a_changed_timetable_is_followed_at_once() {
        let (inbox, mut events) = mpsc::channel(8);
        let (timetable, followed) = watch::channel(Timetable::default());
        let task = tokio::spawn(follow(followed, inbox));
        let mut next = async || match events.recv().await {
            Some(Event::Timetable(mode)) => mode,
            _ => panic!("something else was told"),
        };
        assert_eq!(next().await, ServiceMode::Day);
        // Every day of the year, so that midnight does not matter.
        let day = |month: u32| (1..=31).map(move |day| format!("{month:02}-{day:02}"));
        let holidays = (1..=12).flat_map(day).collect();
        timetable.send_replace(Timetable { holidays, ..Timetable::default() });
        assert_eq!(next().await, ServiceMode::Holiday);
        drop(timetable);
        drop(events);
        task.abort();
    }
}
