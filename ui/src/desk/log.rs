//! The call log, a day at a time.

use std::rc::Rc;
use std::time::{Duration, Instant};

use ipc::{Command, LogPage, LogQuery, LogRow, Query, View};
use slint::{ComponentHandle, ModelRc, VecModel};

use super::Desk;
use crate::clock::LogDay;
use crate::models::{log_rows, rows};
use crate::screen::{App, FocusPlace, LogItem, Screen};

/// Rows asked for at once.
const PAGE: u32 = 100;
/// Rows of one day that are kept; nobody scrolls further, they search.
const MOST: usize = 5_000;
/// How long after its end a call's sound is in the log at the latest.
const SOUND: Duration = Duration::from_secs(1);

/// State of the log that is the screen's own.
pub(crate) struct Log {
    day: LogDay,
    missed_only: bool,
    query: String,
    rows: Vec<LogRow>,
    model: Rc<VecModel<LogItem>>,
    total: u32,
    /// The question on its way, and whether its rows follow those that are here.
    asked: Option<(u64, bool)>,
    /// When the rows are asked for once more: how a call sounded is told a moment after its row.
    again: Option<Instant>,
}

impl Log {
    pub(crate) fn new(app: &App) -> Self {
        let model = Rc::new(VecModel::default());
        app.global::<crate::screen::Log>().set_rows(ModelRc::from(model.clone()));
        Self {
            day: LogDay::today(),
            missed_only: false,
            query: String::new(),
            rows: Vec::new(),
            model,
            total: 0,
            asked: None,
            again: None,
        }
    }
}

impl Desk {
    pub(crate) fn screen(&self) -> Screen {
        self.app.global::<crate::screen::Desk>().get_screen()
    }

    /// Brings a screen to the front.
    pub(crate) fn show_screen(&mut self, screen: Screen) {
        // What is being written lies over whatever is in front, and is not lost unasked.
        if self.reminder_editor_is_open() && !self.leave_reminder_editor() {
            return;
        }
        self.close_finder();
        // It lay over whatever was in front.
        self.set_editor_aside(true);
        let leaves_field = matches!(self.screen(), Screen::Page | Screen::Note) && screen != self.screen();
        self.app.global::<crate::screen::Desk>().set_screen(screen);
        if leaves_field {
            // What had the keyboard is gone: the console's keys would reach nobody.
            self.focus(FocusPlace::Nowhere);
        }
        self.page_is_seen();
        self.listen_to_sound();
        if screen == Screen::Note {
            // It says when it was saved, and a day may have passed.
            self.show_note();
        }
        if screen == Screen::Log {
            self.log.day = LogDay::today();
            self.show_log();
            self.ask_log();
        }
    }

    /// The missed calls' counter: shows them and forgets the count (BAR-1).
    pub(crate) fn show_missed(&mut self) {
        self.log.missed_only = true;
        self.show_screen(Screen::Log);
        if self.view.counters.missed > 0 {
            self.send(Command::ClearMissed);
        }
    }

    /// A call has left the desk: it may be in the log now.
    pub(crate) fn log_changed(&mut self, before: &View) {
        let gone = before.incoming.iter().chain(&before.outgoing).any(|call| self.call(call.call).is_none());
        if gone {
            self.log.again = Some(Instant::now() + SOUND);
        }
        if gone || before.counters.missed != self.view.counters.missed {
            self.ask_log();
        }
    }

    /// What runs with the clock.
    pub(crate) fn run_log(&mut self, now: Instant) {
        if self.log.again.take_if(|at| *at <= now).is_some() {
            self.ask_log();
        }
    }

    pub(crate) fn previous_day(&mut self) {
        self.log.day = self.log.day.previous();
        self.new_day();
    }

    pub(crate) fn next_day(&mut self) {
        if self.log.day != LogDay::today() {
            self.log.day = self.log.day.next();
            self.new_day();
        }
    }

    pub(crate) fn only_missed(&mut self, on: bool) {
        self.log.missed_only = on;
        self.show_log();
        self.ask_log();
    }

    pub(crate) fn search_log(&mut self, text: &str) {
        text.trim().clone_into(&mut self.log.query);
        self.ask_log();
    }

    /// The list nears its end.
    pub(crate) fn more_log(&mut self) {
        let here = self.log.rows.len();
        if self.log.asked.is_none() && here < (self.log.total as usize).min(MOST) {
            self.ask_rows(u32::try_from(here).unwrap_or(u32::MAX), true);
        }
    }

    /// Asks for the day from its newest row, when the log is in front.
    pub(crate) fn ask_log(&mut self) {
        if self.screen() == Screen::Log {
            self.ask_rows(0, false);
        }
    }

    pub(crate) fn log_row(&self, index: usize) -> Option<&LogRow> {
        self.log.rows.get(index)
    }

    pub(crate) fn tap_log(&mut self, index: i32) {
        self.app.global::<crate::screen::Log>().set_cursor(index);
    }

    /// Double-tap calls back (LOG-1).
    pub(crate) fn call_back(&mut self, index: i32) {
        let row = usize::try_from(index).ok().and_then(|index| self.log.rows.get(index));
        let number = row.and_then(|row| row.party.number.clone()).filter(|number| !number.is_empty());
        if let Some(number) = number {
            self.send(Command::Dial { number, line: None });
        }
    }

    pub(crate) fn log_arrived(&mut self, seq: u64, page: &LogPage) {
        let Some((_, append)) = self.log.asked.take_if(|(asked, _)| *asked == seq) else { return };
        if !append {
            self.log.rows.clear();
        }
        self.log.rows.extend(page.rows.iter().take(MOST - self.log.rows.len().min(MOST)).cloned());
        self.log.total = page.total;
        let items: Vec<LogItem> = self.log.rows.iter().map(log_rows::item).collect();
        rows::replace(&self.log.model, &items);
        self.show_log();
    }

    fn new_day(&mut self) {
        self.app.global::<crate::screen::Log>().set_cursor(-1);
        self.show_log();
        self.ask_log();
    }

    fn ask_rows(&mut self, offset: u32, append: bool) {
        let (from_unix_ms, until_unix_ms) = self.log.day.bounds_unix_ms();
        let query = LogQuery {
            from_unix_ms,
            until_unix_ms,
            text: self.log.query.clone(),
            missed_only: self.log.missed_only,
            offset,
            limit: PAGE,
        };
        // Without a desk the log stays as it is and is asked for again on return.
        self.log.asked = self.outbox.query(Query::Log(query)).ok().map(|seq| (seq, append));
        self.show_log();
    }

    fn show_log(&mut self) {
        let log = self.app.global::<crate::screen::Log>();
        let (weekday, day, month, year) = self.log.day.parts();
        log.set_weekday(weekday);
        log.set_day(day);
        log.set_month(month);
        log.set_year(year);
        log.set_today(self.log.day == LogDay::today());
        log.set_missed_only(self.log.missed_only);
        log.set_loading(self.log.asked.is_some());
        log.set_total(i32::try_from(self.log.total).unwrap_or(i32::MAX));
    }
}
