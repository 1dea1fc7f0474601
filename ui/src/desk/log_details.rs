//! All that is known of one call in the log (LOG-1), over the list.

use ipc::{ContactCard, ContactId, LogMark, LogRow, Query};
use slint::{ComponentHandle, ModelRc, VecModel};

use super::Desk;
use super::menu::At;
use crate::clock::{Moment, seconds_of_day};
use crate::keys::ConsoleKey;
use crate::models::log_rows;
use crate::screen::{self, RefusedCommand};

impl Desk {
    /// Of the row at a place.
    pub(crate) fn open_details(&mut self, index: i32) {
        let found = usize::try_from(index).ok().and_then(|index| self.log_row(index));
        if let Some(id) = found.map(|row| row.id) {
            self.tap_log(index);
            self.log.open = Some(id);
            self.details_changed();
        }
    }

    pub(super) fn open_details_of(&mut self, id: i64) {
        let index = self.log.rows.iter().position(|row| row.id == id);
        if let Some(index) = index.and_then(|index| i32::try_from(index).ok()) {
            self.open_details(index);
        }
    }

    pub(crate) fn close_details(&mut self) {
        self.log.open = None;
        self.app.global::<screen::LogDetails>().set_open(false);
    }

    pub(crate) fn details_are_open(&self) -> bool {
        self.log.open.is_some()
    }

    /// To the row above or below.
    pub(crate) fn step_details(&mut self, by: i32) {
        let at = self.open_row().map(|(at, _)| at);
        let Some(to) = at.and_then(|at| i32::try_from(at).ok()).map(|at| at + by) else { return };
        self.open_details(to);
        self.reveal_in_log();
        if by > 0 && usize::try_from(to).is_ok_and(|to| to + 2 > self.log.rows.len()) {
            self.more_log();
        }
    }

    /// Calls the other end of the call that is shown.
    pub(crate) fn call_back_details(&mut self) {
        if let Some(at) = self.open_row().and_then(|(at, _)| i32::try_from(at).ok()) {
            self.call_back(at);
        }
    }

    /// Into a directory.
    pub(crate) fn add_from_details(&mut self, x: f32, y: f32) {
        if let Some(party) = self.open_row().map(|(_, row)| row.party.clone()) {
            self.open_add_menu_at(&party, At::Finger(x, y));
        }
    }

    /// Something was wrong with it.
    pub(crate) fn mark_from_details(&mut self) {
        if let Some(id) =
            self.open_row().filter(|(_, row)| row.mark == LogMark::Possible).map(|(_, row)| row.id)
        {
            self.mark_logged(id);
        }
    }

    /// The contact in its directory.
    pub(crate) fn show_from_details(&mut self) {
        if let Some(contact) = self.open_row().and_then(|(_, row)| row.party.contact) {
            self.show_contact(contact);
        }
    }

    /// Asks where a contact is, and shows it there.
    pub(crate) fn show_contact(&mut self, contact: ContactId) {
        self.showing = self.outbox.query(Query::Contact(contact)).ok();
        if self.showing.is_none() {
            self.notice(None);
        }
    }

    /// True when this was the answer for which [`Desk::show_contact`] waits.
    pub(super) fn shown_contact_arrived(&mut self, seq: u64, card: Option<&ContactCard>) -> bool {
        if self.showing.take_if(|asked| *asked == seq).is_none() {
            return false;
        }
        match card {
            Some(card) => self.go_to_contact(card.contact, card.directory),
            None => self.notice_of(RefusedCommand::ContactGone, ""),
        }
        true
    }

    /// A key while all is shown of a call. `None`: it means what it means in the log, or elsewhere.
    pub(super) fn details_key(&mut self, key: ConsoleKey) -> Option<bool> {
        if !self.details_are_open() {
            return None;
        }
        match key {
            ConsoleKey::Up | ConsoleKey::PageUp => self.step_details(-1),
            ConsoleKey::Down | ConsoleKey::PageDown => self.step_details(1),
            ConsoleKey::Left => self.close_details(),
            ConsoleKey::Enter | ConsoleKey::Primary => self.call_back_details(),
            // Behind it nothing moves.
            ConsoleKey::Right | ConsoleKey::Home | ConsoleKey::End | ConsoleKey::View => {}
            ConsoleKey::Menu => self.open_log_menu_by_key(),
            _ => return None,
        }
        Some(true)
    }

    /// Rows have come: what is shown may be told anew, or be there no more.
    pub(super) fn details_changed(&mut self) {
        let global = self.app.global::<screen::LogDetails>();
        let Some((at, row)) = self.open_row() else { return self.close_details() };
        let moment = Moment::of(row.began_unix_ms);
        global.set_item(log_rows::item(row));
        global.set_weekday(moment.weekday);
        global.set_day(moment.day);
        global.set_month(moment.month);
        global.set_year(moment.year);
        global.set_time(seconds_of_day(row.began_unix_ms).into());
        global.set_facts(ModelRc::new(VecModel::from(log_rows::facts(row))));
        global.set_steps(ModelRc::new(VecModel::from(log_rows::steps(row))));
        global.set_sound(ModelRc::new(VecModel::from(log_rows::sound(row, self.is_french()))));
        global.set_was_heard(row.answered_after_ms.is_some());
        global.set_can_show(row.party.contact.is_some());
        let known = row.party.number.is_some() || row.party.name.is_some();
        global.set_can_add(known && self.own_directories().next().is_some());
        global.set_can_mark(row.mark == LogMark::Possible);
        global.set_has_newer(at > 0);
        global.set_has_older(at + 1 < self.log.rows.len());
        global.set_open(true);
    }

    fn open_row(&self) -> Option<(usize, &LogRow)> {
        let id = self.log.open?;
        self.log.rows.iter().enumerate().find(|(_, row)| row.id == id)
    }
}
