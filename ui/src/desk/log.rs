//! The call log, a day at a time (LOG-1, LOG-2).
//!
//! What is shown of it and in which order is `models::log_view`; its menus are in `log_menu`, all that is known of one call
//! in `log_details`, the calendar in `calendar`.

use std::rc::Rc;
use std::time::{Duration, Instant};

use chrono::{Local, NaiveDate};
use ipc::{Command, LogPage, LogQuery, LogRow, OutcomeCount, Query, View};
use slint::{ComponentHandle, ModelRc, VecModel};

use super::{Area, Desk, calendar};
use crate::keys::ConsoleKey;
use crate::models::dates::{Span, Stretch, wall};
use crate::models::log_view::{Filter, Sorting};
use crate::models::words::grouped;
use crate::models::{log_rows, rows};
use crate::screen::{self, App, FocusPlace, LogChip, LogItem, LogWord, Screen, SearchState};

/// Rows asked for at once.
const PAGE: u32 = 100;
/// The most that the desk gives at once.
const MOST_AT_ONCE: u32 = 500;
/// Rows of one day that are kept; nobody scrolls further, they search.
const MOST: usize = 5_000;
/// Rows a page key moves.
const PAGE_ROWS: usize = 6;
/// How long after its end a call's sound is in the log at the latest.
const SOUND: Duration = Duration::from_secs(1);

/// State of the log that is the screen's own.
pub(crate) struct Log {
    pub(super) day: Stretch,
    pub(super) filter: Filter,
    pub(super) sorting: Sorting,
    pub(super) query: String,
    pub(super) rows: Vec<LogRow>,
    model: Rc<VecModel<LogItem>>,
    chips: Rc<VecModel<LogChip>>,
    counts: Vec<OutcomeCount>,
    total: u32,
    /// A day on which there are calls, when there are none here.
    jump: Option<i64>,
    pub(super) cursor: Option<usize>,
    /// The row that a finger is on: what the finger does on its way up is done to this one.
    pressed: Option<i64>,
    /// The last two rows tapped: a double-tap means one, not two that changed places.
    taps: [Option<i64>; 2],
    /// What day it was when the clock was looked at last.
    today: NaiveDate,
    /// The question on its way, and whether its rows follow those that are here.
    asked: Option<(u64, bool)>,
    /// When the rows are asked for once more: how a call sounded is told a moment after its row.
    again: Option<Instant>,
    /// The row of which all is shown.
    pub(super) open: Option<i64>,
}

impl Log {
    pub(crate) fn new(app: &App) -> Self {
        let (model, chips) = (Rc::new(VecModel::default()), Rc::new(VecModel::default()));
        let global = app.global::<screen::Log>();
        global.set_rows(ModelRc::from(model.clone()));
        global.set_chips(ModelRc::from(chips.clone()));
        Self {
            day: today(),
            filter: Filter::default(),
            sorting: Sorting::default(),
            query: String::new(),
            rows: Vec::new(),
            model,
            chips,
            counts: Vec::new(),
            total: 0,
            jump: None,
            cursor: None,
            pressed: None,
            taps: [None; 2],
            today: crate::clock::now().date_naive(),
            asked: None,
            again: None,
            open: None,
        }
    }
}

fn today() -> Stretch {
    Stretch::with(Span::Day, crate::clock::now().date_naive())
}

impl Desk {
    pub(crate) fn screen(&self) -> Screen {
        self.app.global::<screen::Desk>().get_screen()
    }

    /// Brings a screen to the front.
    pub(crate) fn show_screen(&mut self, screen: Screen) {
        // What is being written lies over whatever is in front, and is not lost unasked.
        if self.reminder_editor_is_open() && !self.leave_reminder_editor() {
            return;
        }
        self.close_finder();
        if self.settings_hold(screen) {
            return;
        }
        self.close_calendar();
        self.close_details();
        // It lay over whatever was in front.
        self.set_editor_aside(true);
        let leaves_field = matches!(self.screen(), Screen::Page | Screen::Note) && screen != self.screen();
        self.app.global::<screen::Desk>().set_screen(screen);
        if leaves_field {
            // What had the keyboard is gone: the console's keys would reach nobody.
            self.focus(FocusPlace::Nowhere);
        }
        self.page_is_seen();
        self.listen_to_sound();
        match screen {
            // It says when it was saved, and a day may have passed.
            Screen::Note => self.show_note(),
            Screen::Log => {
                self.log.day = today();
                self.new_day();
            }
            Screen::Statistics => self.open_statistics(),
            _ => {}
        }
    }

    /// The log's key: the arrows move in it from then on.
    pub(crate) fn open_log_by_key(&mut self) {
        self.show_screen(Screen::Log);
        self.focus(FocusPlace::Nowhere);
        self.set_area(Area::Directory);
    }

    /// The missed calls' counter: shows them and forgets the count (BAR-1).
    pub(crate) fn show_missed(&mut self) {
        self.log.filter = Filter::missed();
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
            self.statistics_again();
        }
    }

    /// What runs with the clock.
    pub(crate) fn run_log(&mut self, now: Instant) {
        if self.log.again.take_if(|at| *at <= now).is_some() {
            self.ask_log();
            self.statistics_again();
        }
        let today = crate::clock::now().date_naive();
        let was = std::mem::replace(&mut self.log.today, today);
        if self.log.day.is_left_behind(was, today) {
            self.log_to_today();
        }
        if self.screen() == Screen::Statistics && self.statistics.shown.is_left_behind(was, today) {
            self.statistics_to_today();
        }
    }

    /// Days on, or back.
    pub(crate) fn move_log(&mut self, days: i64) {
        self.show_log_of(self.log.day.moved(days, crate::clock::now().date_naive()));
    }

    pub(crate) fn log_to_today(&mut self) {
        self.show_log_of(today());
    }

    /// Shows a day.
    pub(crate) fn show_log_of(&mut self, day: Stretch) {
        if day != self.log.day {
            self.log.day = day;
            self.new_day();
        }
    }

    /// To the nearest day with calls: the last one before, else the first one after.
    pub(crate) fn jump_in_log(&mut self) {
        if let Some(at) = self.log.jump {
            self.show_log_of(Stretch::with(Span::Day, wall(at, &Local).0));
        }
    }

    /// What is shown alone.
    pub(crate) fn toggle_log(&mut self, word: LogWord) {
        self.log.filter.toggle(word);
        self.log_from_above();
    }

    pub(crate) fn toggle_log_chip(&mut self, index: i32) {
        let chips = self.log.filter.chips(&self.log.counts);
        if let Some(chip) = usize::try_from(index).ok().and_then(|index| chips.get(index)) {
            self.toggle_log(chip.word);
        }
    }

    pub(crate) fn sort_log(&mut self, by: ipc::LogOrder) {
        self.log.sorting.choose(by);
        self.log_from_above();
    }

    pub(crate) fn search_log(&mut self, text: &str) {
        text.trim().clone_into(&mut self.log.query);
        // The arrows move among what is found.
        self.set_area(Area::Directory);
        self.log_from_above();
    }

    /// Something is searched for in the log.
    pub(crate) fn clear_log_search(&mut self) -> bool {
        let global = self.app.global::<screen::Log>();
        let searching = self.screen() == Screen::Log && !global.get_query().is_empty();
        if searching {
            global.set_query(Default::default());
            self.search_log("");
        }
        searching
    }

    /// The list nears its end.
    pub(crate) fn more_log(&mut self) {
        let here = self.log.rows.len();
        if self.log.asked.is_none() && here < (self.log.total as usize).min(MOST) {
            self.ask_rows(u32::try_from(here).unwrap_or(u32::MAX), PAGE);
        }
    }

    /// Asks again for as many rows as are here, when the log is in front.
    pub(crate) fn ask_log(&mut self) {
        if self.screen() == Screen::Log {
            let here = u32::try_from(self.log.rows.len()).unwrap_or(MOST_AT_ONCE);
            self.ask_rows(0, here.clamp(PAGE, MOST_AT_ONCE));
        }
    }

    pub(crate) fn log_row(&self, index: usize) -> Option<&LogRow> {
        self.log.rows.get(index)
    }

    pub(crate) fn tap_log(&mut self, index: i32) {
        self.set_area(Area::Directory);
        self.log.cursor = usize::try_from(index).ok().filter(|index| *index < self.log.rows.len());
        self.show_log();
    }

    /// Calls the other end of the call in a row.
    pub(crate) fn call_back(&mut self, index: i32) {
        let row = usize::try_from(index).ok().and_then(|index| self.log.rows.get(index));
        let number = row.and_then(|row| row.party.number.clone()).filter(|number| !number.is_empty());
        if let Some(number) = number {
            self.call_out(&number);
        }
    }

    /// A finger goes down on a row or a button of it, or comes up.
    pub(crate) fn finger_on_log(&mut self, index: i32, down: bool) {
        self.log.pressed = if down { self.log_id(index) } else { None };
    }

    /// A row was tapped.
    pub(crate) fn touch_log(&mut self, index: i32) {
        if self.is_bound_to_row(index) {
            self.log.taps = [self.log.taps[1], self.log_id(index)];
            self.tap_log(index);
        }
    }

    /// Two taps on one row call back (LOG-1).
    pub(crate) fn touch_log_twice(&mut self, index: i32) {
        let here = self.log_id(index);
        if here.is_some() && std::mem::take(&mut self.log.taps) == [here; 2] {
            self.call_back(index);
        }
    }

    /// The telephone of a row.
    pub(crate) fn call_back_touched(&mut self, index: i32) {
        if self.is_bound_to_row(index) {
            self.call_back(index);
        }
    }

    /// The arrow of a row.
    pub(crate) fn open_details_touched(&mut self, index: i32) {
        if self.is_bound_to_row(index) {
            self.open_details(index);
        }
    }

    /// Whether a touch means the row at a place: rows come above it, and no finger went down on another.
    pub(super) fn is_bound_to_row(&self, index: i32) -> bool {
        self.log.pressed.is_none_or(|pressed| self.log_id(index) == Some(pressed))
    }

    fn log_id(&self, index: i32) -> Option<i64> {
        usize::try_from(index).ok().and_then(|index| self.log.rows.get(index)).map(|row| row.id)
    }

    pub(crate) fn log_arrived(&mut self, seq: u64, page: &LogPage) {
        let Some((_, append)) = self.log.asked.take_if(|(asked, _)| *asked == seq) else { return };
        // Rows may have come above the one that is meant.
        let meant = self.log.cursor.and_then(|at| self.log.rows.get(at)).map(|row| row.id);
        if append {
            self.log.rows.extend(page.rows.iter().take(MOST.saturating_sub(self.log.rows.len())).cloned());
        } else {
            self.log.rows = page.rows.iter().take(MOST).cloned().collect();
            self.log.counts.clone_from(&page.counts);
            self.log.jump = page.earlier_unix_ms.or(page.later_unix_ms);
            self.log.cursor = meant.and_then(|id| self.log.rows.iter().position(|row| row.id == id));
            if self.log.cursor.is_none() && !self.log.query.is_empty() && !self.log.rows.is_empty() {
                // The first match is highlighted (DIR-6).
                self.log.cursor = Some(0);
            }
        }
        self.log.total = page.total;
        let items: Vec<LogItem> = self.log.rows.iter().map(log_rows::item).collect();
        rows::replace(&self.log.model, &items);
        self.app.global::<screen::Log>().set_jumps_on(page.earlier_unix_ms.is_none());
        self.show_log();
        self.details_changed();
    }

    /// A key while the log is in front and the arrows are in it. `None`: it means what it means elsewhere.
    pub(crate) fn log_key(&mut self, key: ConsoleKey) -> Option<bool> {
        if self.screen() != Screen::Log || self.area != Area::Directory {
            return None;
        }
        if let Some(taken) = self.details_key(key) {
            return Some(taken);
        }
        let at = self.log.cursor;
        // No row is at -1: nothing comes of it.
        let index = at.and_then(|at| i32::try_from(at).ok()).unwrap_or(-1);
        match key {
            ConsoleKey::Left => self.move_log(-1),
            ConsoleKey::Right => self.move_log(1),
            ConsoleKey::Enter => self.open_details(index),
            ConsoleKey::Primary => self.call_back(index),
            ConsoleKey::Menu => self.open_log_menu_by_key(),
            ConsoleKey::View => self.open_log_view_menu(),
            _ => {
                let last = self.log.rows.len().saturating_sub(1);
                let to = match (key, at) {
                    (ConsoleKey::Down | ConsoleKey::Home | ConsoleKey::PageDown, None) => 0,
                    (ConsoleKey::Up, _) => at.unwrap_or(0).saturating_sub(1),
                    (ConsoleKey::Down, Some(at)) => at + 1,
                    (ConsoleKey::PageUp, _) => at.unwrap_or(0).saturating_sub(PAGE_ROWS),
                    (ConsoleKey::PageDown, Some(at)) => at + PAGE_ROWS,
                    (ConsoleKey::Home, _) => 0,
                    (ConsoleKey::End, _) => last,
                    _ => return None,
                };
                self.log.cursor = (!self.log.rows.is_empty()).then_some(to.min(last));
                self.reveal_in_log();
                self.show_log();
                if to >= last {
                    self.more_log();
                }
            }
        }
        Some(true)
    }

    /// Brings the row that is meant into sight.
    pub(super) fn reveal_in_log(&self) {
        let global = self.app.global::<screen::Log>();
        let index = self.log.cursor.and_then(|at| i32::try_from(at).ok());
        global.set_cursor(index.unwrap_or(-1));
        global.set_reveal_turn(global.get_reveal_turn().wrapping_add(1));
    }

    fn new_day(&mut self) {
        self.log.counts.clear();
        self.log_from_above();
    }

    fn log_from_above(&mut self) {
        self.log.cursor = None;
        self.show_log();
        if self.screen() == Screen::Log {
            self.ask_rows(0, PAGE);
        }
    }

    /// From the row at `offset` on; those after the first follow what is here.
    fn ask_rows(&mut self, offset: u32, limit: u32) {
        let append = offset > 0;
        let (from_unix_ms, until_unix_ms) = self.log.day.bounds(&Local);
        let query = LogQuery {
            from_unix_ms,
            until_unix_ms,
            text: self.log.query.clone(),
            directions: self.log.filter.directions(),
            ends: self.log.filter.ends(),
            sort: self.log.sorting.criteria().to_vec(),
            counted: !append,
            offset,
            limit,
        };
        // Without a desk the log stays as it is and is asked for again on return.
        self.log.asked = self.outbox.query(Query::Log(query)).ok().map(|seq| (seq, append));
        self.show_log();
    }

    pub(super) fn show_log(&self) {
        let (global, log) = (self.app.global::<screen::Log>(), &self.log);
        global.set_date(calendar::label(log.day));
        rows::replace(&log.chips, &log.filter.chips(&log.counts));
        global.set_filtered(!log.filter.is_off());
        global.set_sorted(!log.sorting.is_usual());
        global.set_loading(log.asked.is_some());
        global.set_can_jump(log.jump.is_some());
        global.set_total(i32::try_from(log.total).unwrap_or(i32::MAX));
        global.set_total_text(grouped(log.total as usize, self.is_french()).into());
        global.set_cursor(log.cursor.and_then(|at| i32::try_from(at).ok()).unwrap_or(-1));
        global.set_search(match (log.query.is_empty(), log.total) {
            (true, _) => SearchState::Idle,
            // Nothing is said until it is known.
            (false, _) if log.asked.is_some() => global.get_search(),
            (false, 0) => SearchState::None,
            (false, _) => SearchState::Hits,
        });
    }
}
