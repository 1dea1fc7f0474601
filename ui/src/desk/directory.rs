//! Directory tabs, search, tiles, and the bar that transfers without dragging.

use std::rc::Rc;

use ipc::{
    Command, ContactId, ContactPage, ContactRow, DirectoryId, DirectoryView, LampState, LampView, Language,
};
use slint::{ComponentHandle, ModelRc, VecModel};

use super::{Area, Desk};
use crate::models::contacts::{self, ContactList, Wanted};
use crate::models::drops::{self, Landing};
use crate::models::rows;
use crate::models::words::{digits, party_name};
use crate::screen::{App, ContactNumber, DirectoryTab, SearchState};

/// State of the directory that is the screen's own.
pub(crate) struct Directory {
    pub(crate) contacts: Rc<ContactList>,
    tabs: Rc<VecModel<DirectoryTab>>,
    current: Option<DirectoryId>,
    query: String,
    pub(crate) cursor: Option<usize>,
    /// The cursor's contact was tapped: the transfer bar may offer it.
    tapped: bool,
    /// The contact that a finger is on: what the finger does on its way up is done to this one.
    pub(crate) pressed: Option<ContactId>,
    /// The last two contacts tapped: a double-tap means one.
    taps: [Option<ContactId>; 2],
    /// What the view said of the front and of the directory shown, when it was heeded last.
    heeded: (Option<DirectoryId>, Option<u64>),
}

impl Directory {
    pub(crate) fn new(app: &App, contacts: Rc<ContactList>) -> Self {
        let tabs = Rc::new(VecModel::default());
        let directory = app.global::<crate::screen::Directory>();
        directory.set_tabs(ModelRc::from(tabs.clone()));
        directory.set_rows(ModelRc::from(contacts.clone()));
        Self {
            contacts,
            tabs,
            current: None,
            query: String::new(),
            cursor: None,
            tapped: false,
            pressed: None,
            taps: [None; 2],
            heeded: (None, None),
        }
    }
}

impl Desk {
    /// A new view: tabs, and pages again where a directory has changed. Not under a finger.
    pub(crate) fn directories_changed(&mut self) {
        if self.held_by_finger() {
            return;
        }
        let french = self.view.preferences.language == Language::French;
        let tabs: Vec<DirectoryTab> = self.view.directories.iter().map(|d| tab(d, french)).collect();
        rows::replace(&self.directory.tabs, &tabs);
        let (front, generation) = self.directory.heeded;
        if self.view.front_directory != front && self.view.front_directory.is_some() {
            self.directory.current = self.view.front_directory;
            self.directory.query.clear();
            self.app.global::<crate::screen::Directory>().set_query(Default::default());
        }
        let known = |id: DirectoryId| self.view.directories.iter().any(|directory| directory.id == id);
        let before = self.directory.current;
        if before.is_none_or(|id| !known(id)) {
            self.directory.current =
                self.view.front_directory.or(self.view.directories.first().map(|directory| directory.id));
        }
        let shown = self.view.directories.iter().find(|d| Some(d.id) == self.directory.current);
        let now = shown.map(|directory| directory.generation);
        let stale = generation.is_some() && generation != now;
        self.directory.heeded = (self.view.front_directory, now);
        self.show_directory();
        if stale {
            self.directory.contacts.again();
        }
    }

    /// A finger goes down on a contact, or comes up.
    pub(crate) fn finger_on_contact(&mut self, index: i32, down: bool) {
        if down {
            self.calls.press();
            self.directory.pressed = self.contact(index).map(|contact| contact.id);
        } else {
            self.finger_up();
        }
    }

    /// Whether a touch means the contact at a place: no finger went down on another.
    pub(crate) fn is_bound_to_contact(&self, index: i32) -> bool {
        let here = self.contact(index).map(|contact| contact.id);
        here.is_some() && self.directory.pressed.is_none_or(|pressed| Some(pressed) == here)
    }

    /// The lamps; all unknown while nobody vouches for them.
    pub(crate) fn show_lamps(&mut self) {
        let talking_to = self.view.talk.and_then(|call| self.call(call));
        let talking_to =
            talking_to.and_then(|call| call.party.number.as_deref()).map(digits).unwrap_or_default();
        if self.connected {
            self.directory.contacts.set_lamps(&self.view.lamps, &talking_to);
        } else {
            let unknown = |lamp: &LampView| LampView { state: LampState::Unknown, ..lamp.clone() };
            let lamps: Vec<LampView> = self.view.lamps.iter().map(unknown).collect();
            self.directory.contacts.set_lamps(&lamps, "");
        }
    }

    /// A tab was tapped.
    pub(crate) fn open_tab(&mut self, index: i32) {
        let Some(directory) = usize::try_from(index).ok().and_then(|i| self.view.directories.get(i)) else {
            return;
        };
        let id = directory.id;
        self.directory.current = Some(id);
        self.directory.query.clear();
        self.app.global::<crate::screen::Directory>().set_query(Default::default());
        self.leave_contact();
        self.show_directory();
        self.send(Command::ShowDirectory { directory: id });
    }

    /// A letter more or less in the search bar.
    pub(crate) fn search(&mut self, text: &str) {
        text.trim().clone_into(&mut self.directory.query);
        if self.directory.query.is_empty() {
            self.leave_contact();
        }
        self.show_directory();
    }

    /// Escape: the whole directory again.
    pub(crate) fn clear_search(&mut self) {
        self.app.global::<crate::screen::Directory>().set_query(Default::default());
        self.search("");
    }

    pub(crate) fn is_searching(&self) -> bool {
        !self.directory.query.is_empty()
    }

    /// A page of contacts is here.
    pub(crate) fn contacts_arrived(&mut self, seq: u64, page: ContactPage) {
        if self.directory.contacts.reply(seq, page) && self.is_searching() {
            // The first match is the one that Enter and the keys mean.
            self.directory.tapped = false;
            self.directory.cursor = (self.directory.contacts.total() > 0).then_some(0);
        }
        self.show_directory();
        self.show_transfer_bar();
    }

    /// The number of tiles that fit in a row.
    pub(crate) fn fit_columns(&mut self, columns: i32) {
        self.directory.contacts.set_columns(usize::try_from(columns).unwrap_or(1));
        let columns = i32::try_from(self.directory.contacts.columns()).unwrap_or(1);
        self.app.global::<crate::screen::Directory>().set_columns(columns);
    }

    /// A tile was tapped: it may become the target of a transfer.
    pub(crate) fn tap_contact(&mut self, index: i32) {
        if !self.is_bound_to_contact(index) {
            return;
        }
        self.directory.taps = [self.directory.taps[1], self.contact(index).map(|contact| contact.id)];
        self.set_area(Area::Directory);
        self.directory.cursor = usize::try_from(index).ok();
        self.directory.tapped = true;
        self.show_directory();
        self.show_transfer_bar();
    }

    /// Two taps on one contact call it, not two that changed places.
    pub(crate) fn tap_contact_twice(&mut self, index: i32) {
        let here = self.contact(index).map(|contact| contact.id);
        if here.is_some() && self.directory.taps == [here; 2] {
            self.directory.taps = [None; 2];
            self.call_contact(index, ContactNumber::Phone);
        }
    }

    /// Calls the contact at a place.
    pub(crate) fn call_contact(&mut self, index: i32, which: ContactNumber) {
        if !self.is_bound_to_contact(index) {
            return;
        }
        let Some(contact) = self.contact(index) else { return };
        self.call_number(number(&contact, which));
    }

    /// Calls a number from the directory.
    pub(crate) fn call_number(&mut self, number: &str) {
        if !number.is_empty() {
            self.leave_contact();
            self.send(Command::Dial { number: number.to_owned(), line: None });
        }
    }

    /// The button of the bar.
    pub(crate) fn transfer_here(&mut self) {
        let Some((_, _, landing)) = self.transfer_pair() else { return };
        self.leave_contact();
        if let Some(command) = landing.command {
            self.send(command);
        }
    }

    /// No contact is meant any more.
    pub(crate) fn leave_contact(&mut self) {
        self.directory.tapped = false;
        self.directory.cursor = None;
        self.show_directory();
        self.show_transfer_bar();
    }

    /// The contact under the keyboard or tapped last.
    pub(crate) fn cursor_contact(&self) -> Option<ContactRow> {
        self.directory.contacts.contact(self.directory.cursor?)
    }

    pub(crate) fn contact(&self, index: i32) -> Option<ContactRow> {
        self.directory.contacts.contact(usize::try_from(index).ok()?)
    }

    /// Moves the cursor by key and brings it into sight.
    pub(crate) fn move_cursor(&mut self, to: impl FnOnce(usize, usize) -> usize) {
        let total = self.directory.contacts.total();
        if total == 0 {
            return;
        }
        let next = match self.directory.cursor {
            None => 0,
            Some(at) => to(at, total).min(total - 1),
        };
        self.directory.cursor = Some(next);
        self.directory.tapped = false;
        let row = i32::try_from(next / self.directory.contacts.columns()).unwrap_or(i32::MAX);
        let directory = self.app.global::<crate::screen::Directory>();
        directory.set_reveal_row(row);
        directory.set_reveal_turn(directory.get_reveal_turn().wrapping_add(1));
        self.show_directory();
        self.show_transfer_bar();
    }

    pub(crate) fn show_directory(&mut self) {
        let current = self.view.directories.iter().position(|d| Some(d.id) == self.directory.current);
        let directory = self.app.global::<crate::screen::Directory>();
        directory.set_current(current.and_then(|index| i32::try_from(index).ok()).unwrap_or(-1));
        directory.set_focused(self.area == Area::Directory);
        let cursor = self.directory.cursor.and_then(|index| i32::try_from(index).ok());
        directory.set_cursor(cursor.unwrap_or(-1));
        let Some(shown) = current.and_then(|index| self.view.directories.get(index)) else { return };
        directory.set_name(shown.name.as_str().into());
        directory.set_note(shown.note.as_str().into());
        let query = self.directory.query.clone();
        self.directory.contacts.want(Wanted { directory: shown.id, local: shown.local, text: query });
        let total = self.directory.contacts.total();
        directory.set_total(i32::try_from(total).unwrap_or(i32::MAX));
        directory.set_search(match (self.is_searching(), total) {
            (false, _) => SearchState::Idle,
            (true, 0) => SearchState::None,
            (true, _) => SearchState::Hits,
        });
    }

    /// Offers the transfer when a call and a tapped contact make one.
    pub(crate) fn show_transfer_bar(&mut self) {
        let pair = if self.directory.tapped { self.transfer_pair() } else { None };
        let directory = self.app.global::<crate::screen::Directory>();
        directory.set_transfer_ready(pair.is_some());
        if let Some((call, contact, landing)) = pair {
            let who = self.call(call).map(|view| party_name(&view.party)).unwrap_or_default();
            directory.set_transfer_who(who);
            directory.set_transfer_to(contacts::name(&contact).into());
            directory.set_transfer_verdict(landing.verdict);
        }
    }

    /// The call and the contact that are meant, when the one can go to the other.
    fn transfer_pair(&self) -> Option<(ipc::CallRef, ContactRow, Landing)> {
        let call = self.transferable()?;
        let contact = self.cursor_contact()?;
        let landing = drops::on_contact(call, &contact, &self.view);
        landing.command.is_some().then_some((call.call, contact, landing))
    }
}

/// One of a contact's numbers; empty when it has none.
pub(crate) fn number(contact: &ContactRow, which: ContactNumber) -> &str {
    match which {
        ContactNumber::Phone => &contact.phone,
        ContactNumber::Mobile => &contact.mobile,
        ContactNumber::Home => &contact.home,
        ContactNumber::Voicemail => &contact.voicemail,
    }
}

fn tab(directory: &DirectoryView, french: bool) -> DirectoryTab {
    DirectoryTab {
        name: directory.name.as_str().into(),
        count: grouped(directory.contacts, french).into(),
        local: directory.local,
    }
}

/// "12,904" or "12 904".
pub(super) fn grouped(count: u32, french: bool) -> String {
    let digits = count.to_string();
    let separator = if french { '\u{202f}' } else { ',' };
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_as_the_language_does() {
        assert_eq!(grouped(428, false), "428");
        assert_eq!(grouped(12_904, false), "12,904");
        assert_eq!(grouped(100_000, true), "100\u{202f}000");
    }
}
