//! The calendar in which a day of the log, or a day or week of the statistics, is chosen (LOG-2, STA-1).

use std::rc::Rc;

use chrono::{Datelike, Local, NaiveDate, Weekday};
use ipc::{Language, Query};
use slint::{ComponentHandle, ModelRc, VecModel};

use super::Desk;
use crate::keys::ConsoleKey;
use crate::models::dates::{self, Month, Span, Stretch, WEEKS};
use crate::models::rows;
use crate::screen::{self, App, CalendarDay, DateSpan, Screen};

/// State of the calendar that is the screen's own.
pub(crate) struct Calendar {
    days: Rc<VecModel<CalendarDay>>,
    numbers: Rc<VecModel<i32>>,
    open: Option<Open>,
    /// The question which days have calls.
    asked: Option<u64>,
}

struct Open {
    month: Month,
    /// Where the keyboard is.
    cursor: NaiveDate,
    /// What is shown behind it.
    shown: Stretch,
    begins: Weekday,
    /// Of each day, whether it has calls; empty until the desk has said so.
    calls: Vec<bool>,
}

impl Calendar {
    pub(crate) fn new(app: &App) -> Self {
        let (days, numbers) = (Rc::new(VecModel::default()), Rc::new(VecModel::default()));
        let global = app.global::<screen::Calendar>();
        global.set_days(ModelRc::from(days.clone()));
        global.set_numbers(ModelRc::from(numbers.clone()));
        Self { days, numbers, open: None, asked: None }
    }
}

/// What the bar says of a day or a week.
pub(super) fn label(shown: Stretch) -> DateSpan {
    let (first, last) = (shown.first, shown.last());
    DateSpan {
        week: shown.span == Span::Week,
        current: shown.has(today()),
        weekday: number(first.weekday().num_days_from_sunday()),
        day: number(first.day()),
        month: number(first.month()),
        year: first.year(),
        last_day: number(last.day()),
        last_month: number(last.month()),
        last_year: last.year(),
        number: number(dates::week_number(first)),
    }
}

fn today() -> NaiveDate {
    crate::clock::now().date_naive()
}

/// Numbers of a calendar are small.
fn number(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(0)
}

impl Desk {
    /// Opens it for the log or the statistics, whichever is in front.
    pub(crate) fn open_calendar(&mut self) {
        let shown = match self.screen() {
            Screen::Log => self.log.day,
            Screen::Statistics => self.statistics.shown,
            _ => return,
        };
        // The rows of whole weeks are weeks.
        let begins = match shown.span {
            Span::Week => Weekday::Mon,
            Span::Day => {
                let locale =
                    ["LC_ALL", "LC_TIME", "LANG"].into_iter().find_map(|name| std::env::var(name).ok());
                let french = self.view.preferences.language == Language::French;
                dates::first_weekday(french, locale.as_deref().unwrap_or_default())
            }
        };
        let cursor = if shown.has(today()) { today() } else { shown.first };
        self.calendar.open =
            Some(Open { month: Month::with(cursor, begins), cursor, shown, begins, calls: Vec::new() });
        self.ask_days();
        self.show_calendar();
    }

    pub(crate) fn close_calendar(&mut self) {
        self.calendar.open = None;
        self.calendar.asked = None;
        self.app.global::<screen::Calendar>().set_open(false);
    }

    /// Months on, or back.
    pub(crate) fn move_calendar_months(&mut self, by: i32) {
        if let Some(open) = &self.calendar.open {
            self.calendar_to(dates::months_later(open.cursor, by, today()));
        }
    }

    /// Takes the day at a place, or its week.
    pub(crate) fn take_of_calendar(&mut self, index: i32) {
        let Some(open) = &self.calendar.open else { return };
        let day = dates::moved(open.month.corner, i64::from(index.clamp(0, 41)));
        if day <= today() {
            self.take_date(day);
        }
    }

    pub(crate) fn take_today(&mut self) {
        self.take_date(today());
    }

    /// The desk says which days have calls. True when it was asked.
    pub(super) fn days_arrived(&mut self, seq: u64, calls: &[bool]) -> bool {
        if self.calendar.asked.take_if(|asked| *asked == seq).is_none() {
            return false;
        }
        if let Some(open) = &mut self.calendar.open {
            open.calls = calls.to_vec();
            self.show_calendar();
        }
        true
    }

    /// True when this was the question which days have calls: it is done without.
    pub(super) fn days_failed(&mut self, seq: u64) -> bool {
        self.calendar.asked.take_if(|asked| *asked == seq).is_some()
    }

    /// A key while it is open. `None`: it means what it means elsewhere.
    pub(crate) fn calendar_key(&mut self, key: ConsoleKey) -> Option<bool> {
        let cursor = self.calendar.open.as_ref()?.cursor;
        let days = match key {
            ConsoleKey::Left => -1,
            ConsoleKey::Right => 1,
            ConsoleKey::Up => -7,
            ConsoleKey::Down => 7,
            ConsoleKey::PageUp | ConsoleKey::PageDown => {
                self.move_calendar_months(if key == ConsoleKey::PageUp { -1 } else { 1 });
                return Some(true);
            }
            ConsoleKey::Home => {
                self.calendar_to(today());
                return Some(true);
            }
            ConsoleKey::Enter | ConsoleKey::Primary => {
                self.take_date(cursor);
                return Some(true);
            }
            ConsoleKey::Escape => {
                self.close_calendar();
                return Some(true);
            }
            // Behind it nothing moves.
            ConsoleKey::End | ConsoleKey::Menu | ConsoleKey::View => return Some(true),
            ConsoleKey::Search | ConsoleKey::Find | ConsoleKey::Switch => {
                self.close_calendar();
                return None;
            }
            _ => return None,
        };
        self.calendar_to(dates::moved(cursor, days).clamp(dates::first_day(), today()));
        Some(true)
    }

    fn calendar_to(&mut self, day: NaiveDate) {
        let Some(open) = &mut self.calendar.open else { return };
        open.cursor = day;
        let month = Month::with(day, open.begins);
        if month != open.month {
            open.month = month;
            open.calls.clear();
            self.ask_days();
        }
        self.show_calendar();
    }

    fn take_date(&mut self, day: NaiveDate) {
        let Some(open) = self.calendar.open.take() else { return };
        self.close_calendar();
        let shown = Stretch::with(open.shown.span, day);
        match self.screen() {
            Screen::Log => self.show_log_of(shown),
            Screen::Statistics => self.show_statistics_of(shown),
            _ => {}
        }
    }

    fn ask_days(&mut self) {
        let Some(open) = &self.calendar.open else { return };
        let edges_unix_ms = open.month.edges(&Local);
        self.calendar.asked = self.outbox.query(Query::CallDays { edges_unix_ms }).ok();
    }

    fn show_calendar(&self) {
        let Some(open) = &self.calendar.open else { return };
        let (global, today) = (self.app.global::<screen::Calendar>(), today());
        let meant = Stretch::with(open.shown.span, open.cursor);
        let (mut days, mut numbers) = (Vec::new(), Vec::new());
        for week in 0..WEEKS {
            let of_week = open.month.week(week);
            // The week of the days in the middle, where it begins with Sunday.
            numbers.push(number(dates::week_number(of_week[3])));
            for day in of_week {
                days.push(CalendarDay {
                    weekday: number(day.weekday().num_days_from_sunday()),
                    day: number(day.day()),
                    month: number(day.month()),
                    year: day.year(),
                    outside: day.month() != open.month.first.month(),
                    today: day == today,
                    chosen: open.shown.has(day),
                    meant: meant.has(day),
                    ahead: day > today,
                    calls: open.calls.get(days.len()).copied().unwrap_or(false),
                });
            }
        }
        rows::replace(&self.calendar.days, &days);
        rows::replace(&self.calendar.numbers, &numbers);
        global.set_weeks(open.shown.span == Span::Week);
        global.set_month(number(open.month.first.month()));
        global.set_year(open.month.first.year());
        global.set_begins(number(open.begins.num_days_from_sunday()));
        let this = today.with_day(1).unwrap_or(today);
        global.set_can_go_on(open.month.first < this);
        global.set_open(true);
    }
}
