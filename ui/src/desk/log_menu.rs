//! Menus of the log: of a row, of what is shown and in which order.

use ipc::LogOrder;
use slint::{ComponentHandle, SharedString};

use super::Desk;
use super::customer::About;
use super::menu::{At, Choice, Row, entry};
use crate::models::dates::{Span, Stretch};
use crate::models::words::party_name;
use crate::screen::{LogWord, Menu, MenuEntry, MenuWord, Screen};

/// What the log can be sorted by, in the order of the menu.
const ORDERS: [(LogWord, LogOrder); 5] = [
    (LogWord::When, LogOrder::When),
    (LogWord::Whom, LogOrder::Whom),
    (LogWord::Line, LogOrder::Line),
    (LogWord::Talk, LogOrder::Talk),
    (LogWord::Hold, LogOrder::Hold),
];

/// What a row of these menus does.
#[derive(Clone, Copy, Debug)]
pub(super) enum LogChoice {
    /// To the criteria.
    Sort,
    SortBy(LogOrder),
    /// Show these calls alone, or no longer.
    Toggle(LogWord),
    /// The calendar.
    Date,
    Today,
    /// Days on, or back.
    Move(i64),
    Details(i64),
    /// Of the statistics: a day or a week; charts or tables.
    Span(Span),
    Tables(bool),
}

pub(super) fn row(word: LogWord, choice: LogChoice) -> Row {
    (MenuEntry { log: word, ..entry(MenuWord::Log, "", "", "") }, Choice::Log(choice))
}

impl Desk {
    /// The menu of a row of the log, under the finger.
    pub(crate) fn open_log_menu(&mut self, index: i32, x: f32, y: f32) {
        if self.is_bound_to_row(index) {
            self.log_menu(index, At::Finger(x, y));
        }
    }

    /// The menu of the row under the keyboard.
    pub(crate) fn open_log_menu_by_key(&mut self) {
        if let Some(index) = self.log.cursor.and_then(|at| i32::try_from(at).ok()) {
            self.log_menu(index, At::LogRow);
            self.move_menu(0);
        }
    }

    fn log_menu(&mut self, index: i32, at: At) {
        let found = usize::try_from(index).ok().and_then(|index| self.log_row(index));
        let Some((id, mark, party)) = found.map(|row| (row.id, row.mark, row.party.clone())) else { return };
        self.tap_log(index);
        let mut rows = Vec::new();
        if let Some(number) = party.number.as_ref().filter(|number| !number.is_empty()) {
            rows.push((entry(MenuWord::CallBack, number, "", ""), Choice::Call(number.clone())));
            rows.extend(self.call_back_row(party.name.as_deref().unwrap_or_default(), number));
        }
        rows.push(row(LogWord::Details, LogChoice::Details(id)));
        if let Some(contact) = party.contact.filter(|_| self.connected) {
            rows.push((entry(MenuWord::ShowContact, "", "", ""), Choice::ShowContact(contact)));
        }
        if self.connected
            && self.own_directories().next().is_some()
            && (party.number.is_some() || party.name.is_some())
        {
            rows.push((entry(MenuWord::AddTo, "", "", ""), Choice::AddTo(Box::new(party.clone()))));
        }
        rows.extend(self.item_rows(&About { party: party.clone(), subject: None }));
        rows.extend(self.mark_row(id, mark));
        self.open_menu(party_name(&party), rows, at);
    }

    /// By what the log is sorted, under the button.
    pub(crate) fn open_sort_menu(&mut self, x: f32, y: f32) {
        self.sort_menu(At::Finger(x, y));
    }

    fn sort_menu(&mut self, at: At) {
        let criterion = |(word, by): (LogWord, LogOrder)| {
            let (mut entry, choice) = row(word, LogChoice::SortBy(by));
            if let Some((place, way)) = self.log.sorting.place(by) {
                (entry.count, entry.log_now, entry.chosen) = (place, way, place == 1);
            }
            (entry, choice)
        };
        let rows = ORDERS.into_iter().map(criterion).collect();
        self.open_menu(SharedString::default(), rows, at);
        self.app.global::<Menu>().set_sorts(true);
    }

    /// All that can be done with the log as a whole, by key: every touch has a row.
    pub(crate) fn open_log_view_menu(&mut self) {
        let (mut sort, choice) = row(LogWord::Sort, LogChoice::Sort);
        sort.leads = true;
        let mut rows = vec![(sort, choice)];
        for chip in self.log.filter.chips(&[]) {
            let (mut entry, choice) = row(chip.word, LogChoice::Toggle(chip.word));
            entry.chosen = chip.on;
            rows.push((entry, choice));
        }
        rows.extend(date_rows(self.log.day));
        self.open_menu(SharedString::default(), rows, At::LogButton);
        self.move_menu(0);
    }

    /// Does what a row says.
    pub(super) fn choose_of_log(&mut self, choice: LogChoice) {
        let statistics = self.screen() == Screen::Statistics;
        match choice {
            LogChoice::Sort => {
                self.sort_menu(At::There);
                self.move_menu(0);
            }
            LogChoice::SortBy(by) => self.sort_log(by),
            LogChoice::Toggle(word) => self.toggle_log(word),
            LogChoice::Date => self.open_calendar(),
            LogChoice::Today if statistics => self.statistics_to_today(),
            LogChoice::Today => self.log_to_today(),
            LogChoice::Move(days) if statistics => self.move_statistics(days),
            LogChoice::Move(days) => self.move_log(days),
            LogChoice::Details(id) => self.open_details_of(id),
            LogChoice::Span(span) => self.set_statistics_span(span),
            LogChoice::Tables(on) => self.set_statistics_tables(on),
        }
    }
}

/// Where the log or the statistics can go.
pub(super) fn date_rows(shown: Stretch) -> Vec<Row> {
    let mut rows = vec![
        row(LogWord::Date, LogChoice::Date),
        row(LogWord::Today, LogChoice::Today),
        row(LogWord::WeekBack, LogChoice::Move(-7)),
        row(LogWord::WeekOn, LogChoice::Move(7)),
    ];
    let current = shown.has(crate::clock::now().date_naive());
    for (entry, choice) in rows.iter_mut().filter(|_| current) {
        // Nothing lies ahead.
        if matches!(entry.log, LogWord::Today | LogWord::WeekOn) {
            entry.enabled = false;
            *choice = Choice::Nothing;
        }
    }
    rows
}
