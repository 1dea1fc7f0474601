//! Statistics of a day or a week (STA-1). The figures are the desk's; how they are drawn is `models::figures`.

use std::rc::Rc;

use chrono::Local;
use ipc::{Language, Query, Reply, StatisticsQuery};
use slint::{ComponentHandle, ModelRc, VecModel};

use super::log_menu::{LogChoice, date_rows, row};
use super::menu::At;
use super::{Area, Desk, calendar};
use crate::keys::ConsoleKey;
use crate::models::dates::{Span, Stretch, wall};
use crate::models::{figures, rows};
use crate::screen::{self, App, FocusPlace, LogWord, Screen, StatBar, StatLine, StatShare, StatTile};

/// Parts of a screenful that a key scrolls.
const LINE: f32 = 0.2;
const SCREENFUL: f32 = 0.9;
/// As far as there is.
const END: f32 = 1000.;

/// State of the statistics that is the screen's own.
pub(crate) struct Statistics {
    pub(super) shown: Stretch,
    tables: bool,
    told: Option<ipc::Statistics>,
    asked: Option<u64>,
    /// What was asked for when the answer that is here was: it may be another day's.
    told_of: Option<Stretch>,
    /// As much of the stretch before was asked for as has gone by of this one.
    partly: bool,
    fault: Option<String>,
    tiles: Rc<VecModel<StatTile>>,
    hours: Rc<VecModel<StatBar>>,
    days: Rc<VecModel<StatBar>>,
    waits: Rc<VecModel<StatShare>>,
    outcomes: Rc<VecModel<StatShare>>,
    lines: Rc<VecModel<StatLine>>,
}

impl Statistics {
    pub(crate) fn new(app: &App) -> Self {
        let this = Self {
            shown: Stretch::with(Span::Day, crate::clock::now().date_naive()),
            tables: false,
            told: None,
            asked: None,
            told_of: None,
            partly: false,
            fault: None,
            tiles: Rc::default(),
            hours: Rc::default(),
            days: Rc::default(),
            waits: Rc::default(),
            outcomes: Rc::default(),
            lines: Rc::default(),
        };
        let global = app.global::<screen::Statistics>();
        global.set_tiles(ModelRc::from(this.tiles.clone()));
        global.set_hours(ModelRc::from(this.hours.clone()));
        global.set_days(ModelRc::from(this.days.clone()));
        global.set_waits(ModelRc::from(this.waits.clone()));
        global.set_outcomes(ModelRc::from(this.outcomes.clone()));
        global.set_lines(ModelRc::from(this.lines.clone()));
        this
    }
}

// What the operator wants to see.
impl Desk {
    /// The screen has come to the front: today, or this week.
    pub(super) fn open_statistics(&mut self) {
        self.statistics.shown = Stretch::with(self.statistics.shown.span, crate::clock::now().date_naive());
        self.ask_statistics();
    }

    /// The key of the statistics.
    pub(crate) fn open_statistics_by_key(&mut self) {
        self.show_screen(Screen::Statistics);
        self.focus(FocusPlace::Nowhere);
        self.set_area(Area::Directory);
    }

    /// Days on, or back.
    pub(crate) fn move_statistics(&mut self, days: i64) {
        self.show_statistics_of(self.statistics.shown.moved(days, crate::clock::now().date_naive()));
    }

    pub(crate) fn statistics_to_today(&mut self) {
        let today = Stretch::with(self.statistics.shown.span, crate::clock::now().date_naive());
        self.show_statistics_of(today);
    }

    pub(super) fn show_statistics_of(&mut self, shown: Stretch) {
        if shown != self.statistics.shown {
            self.statistics.shown = shown;
            self.ask_statistics();
        }
    }

    /// A week with the day in it, or a day of the week: today where that is in it, else its first.
    pub(crate) fn set_statistics_span(&mut self, span: Span) {
        let (shown, today) = (self.statistics.shown, crate::clock::now().date_naive());
        let day = if shown.has(today) { today } else { shown.first };
        self.show_statistics_of(Stretch::with(span, day));
    }

    pub(crate) fn set_statistics_tables(&mut self, on: bool) {
        self.statistics.tables = on;
        self.show_statistics();
    }

    /// To the nearest calls, when there are none here; asks again for what could not be had.
    pub(crate) fn jump_in_statistics(&mut self) {
        if self.statistics.fault.is_some() {
            return self.ask_statistics();
        }
        let told = self.statistics.told.as_ref();
        if let Some(at) = told.and_then(|told| told.earlier_unix_ms.or(told.later_unix_ms)) {
            self.show_statistics_of(Stretch::with(self.statistics.shown.span, wall(at, &Local).0));
        }
    }

    /// All that a touch does, by key.
    fn open_statistics_menu(&mut self) {
        let (span, tables) = (self.statistics.shown.span, self.statistics.tables);
        let chosen = |word, choice, on| {
            let (mut entry, choice) = row(word, choice);
            entry.chosen = on;
            (entry, choice)
        };
        let mut rows = vec![
            chosen(LogWord::OneDay, LogChoice::Span(Span::Day), span == Span::Day),
            chosen(LogWord::WholeWeek, LogChoice::Span(Span::Week), span == Span::Week),
            chosen(LogWord::AsCharts, LogChoice::Tables(false), !tables),
            chosen(LogWord::AsTables, LogChoice::Tables(true), tables),
        ];
        rows.extend(date_rows(self.statistics.shown));
        self.open_menu(Default::default(), rows, At::Pane);
        self.move_menu(0);
    }

    /// A key while the statistics are in front and the arrows are in them. `None`: it means what it means elsewhere.
    pub(crate) fn statistics_key(&mut self, key: ConsoleKey) -> Option<bool> {
        if self.screen() != Screen::Statistics || self.area != Area::Directory {
            return None;
        }
        let days = i64::try_from(self.statistics.shown.days()).unwrap_or(1);
        let by = match key {
            ConsoleKey::Left => {
                self.move_statistics(-days);
                return Some(true);
            }
            ConsoleKey::Right => {
                self.move_statistics(days);
                return Some(true);
            }
            ConsoleKey::View | ConsoleKey::Menu => {
                self.open_statistics_menu();
                return Some(true);
            }
            ConsoleKey::Up => -LINE,
            ConsoleKey::Down => LINE,
            ConsoleKey::PageUp => -SCREENFUL,
            ConsoleKey::PageDown => SCREENFUL,
            ConsoleKey::Home => -END,
            ConsoleKey::End => END,
            // Nobody is there to be called.
            ConsoleKey::Enter | ConsoleKey::Primary => return Some(true),
            _ => return None,
        };
        let global = self.app.global::<screen::Statistics>();
        global.set_scroll_by(by);
        global.set_scroll_turn(global.get_scroll_turn().wrapping_add(1));
        Some(true)
    }
}

// What the desk says.
impl Desk {
    /// Something has been logged, or the connection is back.
    pub(crate) fn statistics_again(&mut self) {
        if self.screen() == Screen::Statistics {
            self.ask_statistics();
        }
    }

    fn ask_statistics(&mut self) {
        let shown = self.statistics.shown;
        let now = crate::clock::now();
        let query = StatisticsQuery {
            edges_unix_ms: shown.hours(&Local),
            before_unix_ms: Some(shown.before(now.timestamp_millis(), &Local)),
        };
        self.statistics.partly = shown.has(now.date_naive());
        if self.statistics.told_of != Some(shown) {
            self.statistics.told = None;
        }
        self.statistics.fault = None;
        self.statistics.asked = self.outbox.query(Query::Statistics(query)).ok();
        self.show_statistics();
    }

    /// True when this was the answer to a question for figures.
    pub(super) fn statistics_arrived(&mut self, seq: u64, reply: &Reply) -> bool {
        if self.statistics.asked != Some(seq) {
            return false;
        }
        match reply {
            Reply::Statistics(told) => self.statistics.told = Some(ipc::Statistics::clone(told)),
            Reply::Failed { reason } => self.statistics.fault = Some(reason.clone()),
            _ => return false,
        }
        self.statistics.asked = None;
        self.statistics.told_of = Some(self.statistics.shown);
        self.show_statistics();
        true
    }

    pub(super) fn show_statistics(&self) {
        let (global, this) = (self.app.global::<screen::Statistics>(), &self.statistics);
        let french = self.view.preferences.language == Language::French;
        global.set_date(calendar::label(this.shown));
        global.set_tables(this.tables);
        global.set_loading(this.asked.is_some());
        global.set_away(this.asked.is_none() && this.told.is_none() && this.fault.is_none());
        global.set_reason(self.storage_words(this.fault.as_deref()));
        global.set_partly(this.partly);
        global.set_known(this.told.is_some());
        let Some(told) = &this.told else { return };
        global.set_empty(told.told.all.calls() == 0);
        global.set_can_jump(told.earlier_unix_ms.or(told.later_unix_ms).is_some());
        global.set_jumps_on(told.earlier_unix_ms.is_none());
        rows::replace(&this.tiles, &figures::tiles(&told.told, told.before.as_ref(), french));
        let (hours, top) = figures::hours_of(&told.told.slots, this.shown.span, &Local);
        rows::replace(&this.hours, &hours);
        global.set_hours_top(top);
        let (days, top) = match this.shown.span {
            Span::Day => (Vec::new(), 2),
            Span::Week => figures::days_of(&told.told.slots, this.shown, &Local),
        };
        rows::replace(&this.days, &days);
        global.set_days_top(top);
        rows::replace(&this.waits, &figures::waits(&told.told));
        rows::replace(&this.outcomes, &figures::outcomes(&told.told));
        rows::replace(&this.lines, &figures::lines(&told.told));
    }
}
