//! Directory tabs, search, tiles, and the bar that transfers without dragging.

use std::rc::Rc;
use std::time::Duration;

use ipc::{
    CallRef, CallState, Column, Command, ContactId, ContactPage, ContactRow, DirectoryId, DirectoryLook,
    DirectoryView, Language, Layout, SortKey,
};
use slint::{ComponentHandle, Model, ModelRc, Timer, TimerMode, VecModel};

use super::directory_menu::sort_key;
use super::{Area, Desk};
use crate::keys::ConsoleKey;
use crate::models::contacts::{self, ContactList, Wanted};
use crate::models::drops::{self, Landing};
use crate::models::rows;
use crate::models::tiles::{Doings, Shape};
pub(super) use crate::models::words::grouped;
use crate::models::words::party_name;
use crate::screen::{App, ContactColumn, ContactNumber, DirectoryTab, Screen, SearchState, Size};

/// So long Enter waits for the first match: later nobody reckons with a call.
const FIRST_MATCH: Duration = Duration::from_secs(5);

/// State of the directory that is the screen's own.
pub(crate) struct Directory {
    pub(crate) contacts: Rc<ContactList>,
    tabs: Rc<VecModel<DirectoryTab>>,
    columns: Rc<VecModel<ContactColumn>>,
    current: Option<DirectoryId>,
    /// Added a moment ago: it comes to the front with the view that has it.
    pub(super) coming: Option<DirectoryId>,
    query: String,
    /// The directory and the words that what is shown is the answer to.
    found: Option<(DirectoryId, String)>,
    /// Runs while the first match is to be called as soon as it is known, and nobody has touched anything since.
    pub(super) call_first: Timer,
    /// What phones and people do.
    pub(super) doings: Rc<Doings>,
    /// What was shown last: something else begins at its top.
    shown: Option<(DirectoryId, String, SortKey, Layout)>,
    pub(crate) cursor: Option<usize>,
    /// The cursor's contact was tapped: the transfer bar may offer it.
    tapped: bool,
    /// The call whose transfer the bar offers.
    offered: Option<CallRef>,
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
        let columns = Rc::new(VecModel::default());
        directory.set_list_columns(ModelRc::from(columns.clone()));
        Self {
            contacts,
            tabs,
            columns,
            current: None,
            coming: None,
            query: String::new(),
            found: None,
            call_first: Timer::default(),
            doings: Rc::default(),
            shown: None,
            cursor: None,
            tapped: false,
            offered: None,
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
        let french = self.is_french();
        let tabs: Vec<DirectoryTab> = self.view.directories.iter().map(|d| tab(d, french)).collect();
        rows::replace(&self.directory.tabs, &tabs);
        let (front, generation) = self.directory.heeded;
        if self.view.front_directory != front && self.view.front_directory.is_some() {
            self.directory.current = self.view.front_directory;
            self.directory.query.clear();
            self.app.global::<crate::screen::Directory>().set_query(Default::default());
        }
        let known = |id: DirectoryId| self.view.directories.iter().any(|directory| directory.id == id);
        if let Some(coming) = self.directory.coming.take_if(|id| known(*id)) {
            self.directory.current = Some(coming);
        }
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
        self.finder_changed(stale);
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

    /// What phones and people do; all of it unknown while nobody vouches for it.
    pub(crate) fn show_lamps(&mut self) {
        let talking_to = self.view.talk.and_then(|call| self.call(call));
        let talking_to = talking_to.and_then(|call| call.party.number.as_deref()).unwrap_or_default();
        let doings = Doings::new(&self.view.lamps, &self.view.people, talking_to, self.connected);
        self.directory.doings = Rc::new(doings);
        self.directory.contacts.set_doings(&self.directory.doings);
        self.finder.contacts.set_doings(&self.directory.doings);
        self.show_phone_card();
    }

    /// A tab was tapped.
    pub(crate) fn open_tab(&mut self, index: i32) {
        let Some(directory) = usize::try_from(index).ok().and_then(|i| self.view.directories.get(i)) else {
            return;
        };
        let id = directory.id;
        self.stop_seeking();
        self.front(id);
        self.send(Command::ShowDirectory { directory: id });
    }

    /// Brings a directory to the front, whole.
    pub(crate) fn front(&mut self, directory: DirectoryId) {
        self.directory.current = Some(directory);
        self.directory.query.clear();
        self.app.global::<crate::screen::Directory>().set_query(Default::default());
        self.leave_contact();
        self.show_directory();
    }

    /// The directory in front.
    pub(crate) fn fronted(&self) -> Option<DirectoryId> {
        self.directory.current
    }

    /// The words in its search bar.
    pub(crate) fn directory_words(&self) -> &str {
        &self.directory.query
    }

    pub(crate) fn is_french(&self) -> bool {
        self.view.preferences.language == Language::French
    }

    /// A letter more or less in the search bar.
    pub(crate) fn search(&mut self, text: &str) {
        self.stop_seeking();
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
        let before = self.cursor_contact().map(|contact| contact.id);
        if self.directory.contacts.reply(seq, page) {
            let after = self.cursor_contact().map(|contact| contact.id);
            if self.is_searching() {
                // The first match is the one that Enter and the keys mean.
                self.directory.tapped = false;
                self.directory.cursor = (self.directory.contacts.total() > 0).then_some(0);
            } else if before.is_some() && after != before {
                // Somebody else stands there now, and must not be called in their stead.
                self.directory.tapped = false;
                self.directory.cursor = None;
            }
            self.directory.found = self.directory.current.map(|id| (id, self.directory.query.clone()));
        }
        self.show_directory();
        self.show_transfer_bar();
        self.look_for_sought();
        if self.directory.call_first.running() && self.is_answered() {
            self.directory.call_first.stop();
            self.call_contact(0, ContactNumber::Phone);
        }
    }

    /// What is shown is the answer to the words in the search bar, and not to those before the last letter.
    fn is_answered(&self) -> bool {
        let found = self.directory.found.as_ref();
        found.is_some_and(|(id, words)| Some(*id) == self.directory.current && *words == self.directory.query)
    }

    /// The number of tiles that fit in a row.
    pub(crate) fn fit_columns(&mut self, columns: i32) {
        self.directory.contacts.set_fitting(usize::try_from(columns).unwrap_or(1));
        self.show_columns();
    }

    fn show_columns(&self) {
        let columns = i32::try_from(self.directory.contacts.columns()).unwrap_or(1);
        self.app.global::<crate::screen::Directory>().set_columns(columns);
    }

    /// Left and Right in the list view move the columns by one. `false` for other keys and for tiles.
    pub(crate) fn shift_columns(&self, key: ConsoleKey) -> bool {
        let on = match key {
            ConsoleKey::Left => false,
            ConsoleKey::Right => true,
            _ => return false,
        };
        let directory = self.app.global::<crate::screen::Directory>();
        if directory.get_list() {
            let size = self.app.global::<Size>();
            let widths = self.directory.columns.iter().map(|column| size.invoke_column(column));
            let states = Some(self.app.invoke_list_states()).filter(|width| *width > 0.);
            let starts = starts(states.into_iter().chain(widths));
            directory.set_shift_to(next_start(&starts, self.app.invoke_list_shifted(), on));
            directory.set_shift_turn(directory.get_shift_turn().wrapping_add(1));
        }
        directory.get_list()
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
        self.forget_offered_transfer();
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

    /// Enter, and the key that calls: whom the keyboard is on. Of a search the first match, once it is known.
    pub(crate) fn call_at_cursor(&mut self) {
        if self.is_searching() && !self.is_answered() {
            self.directory.call_first.start(TimerMode::SingleShot, FIRST_MATCH, || {});
        } else if let Some(index) = self.directory.cursor.and_then(|index| i32::try_from(index).ok()) {
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
            self.call_out(number);
        }
    }

    /// The button of the bar.
    pub(crate) fn transfer_here(&mut self) {
        let Some((call, _, landing)) = self.transfer_pair() else { return };
        if self.directory.offered != Some(call) {
            return self.show_transfer_bar();
        }
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

    /// The contact that one sees is meant: tapped, found by the search, or under the keyboard.
    pub(crate) fn meant_contact(&self) -> Option<ContactRow> {
        let is_seen = self.screen() == Screen::Directory
            && (self.directory.tapped || self.area == Area::Directory || self.is_searching());
        self.cursor_contact().filter(|_| is_seen)
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
        self.reveal(next);
        self.show_directory();
        self.show_transfer_bar();
    }

    /// Brings a contact into sight.
    pub(crate) fn reveal(&self, index: usize) {
        let row = i32::try_from(index / self.directory.contacts.columns()).unwrap_or(i32::MAX);
        let directory = self.app.global::<crate::screen::Directory>();
        directory.set_reveal_row(row);
        directory.set_reveal_turn(directory.get_reveal_turn().wrapping_add(1));
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
        directory.set_by_hand(shown.source.is_none());
        self.show_look(&shown.look);
        let text = self.directory.query.clone();
        let sort = shown.look.sort;
        let now = (shown.id, text.clone(), sort, shown.look.layout);
        let expected = if text.is_empty() { shown.contacts } else { 0 };
        let wanted = Wanted { directory: Some(shown.id), local: shown.local, text, sort };
        self.directory.contacts.want(wanted, expected);
        if self.directory.shown.as_ref() != Some(&now) {
            self.directory.shown = Some(now);
            self.reveal(0);
        }
        let total = self.directory.contacts.total();
        directory.set_total(i32::try_from(total).unwrap_or(i32::MAX));
        directory.set_total_text(grouped(total, self.is_french()).into());
        directory.set_search(match (self.is_searching(), total) {
            (false, _) => SearchState::Idle,
            // Nobody knows yet: the first answer is on its way.
            (true, 0) if !self.directory.contacts.is_current() => directory.get_search(),
            (true, 0) => SearchState::None,
            (true, _) => SearchState::Hits,
        });
    }

    /// How the directory in front is shown (DIR-5).
    fn show_look(&self, look: &DirectoryLook) {
        let columns: Vec<ContactColumn> = look.columns.iter().map(|column| column_word(*column)).collect();
        let sorted = match look.sort {
            SortKey::FirstName | SortKey::LastName => -1,
            key => look.columns.iter().position(|column| sort_key(*column) == Some(key)).map_or(-2, small),
        };
        rows::replace(&self.directory.columns, &columns);
        let directory = self.app.global::<crate::screen::Directory>();
        directory.set_sorted(sorted);
        self.directory.contacts.set_shape(Shape::from(look));
        directory.set_list(look.layout == Layout::List);
        self.show_columns();
    }

    /// A hand chooses anew: the transfer of another call may be offered.
    pub(crate) fn forget_offered_transfer(&mut self) {
        self.directory.offered = None;
    }

    /// Offers the transfer when a call and a tapped contact make one. Another call never comes in the place of the one that is
    /// offered, under a finger; nor does the one that is offered lose its place to a call that is answered meanwhile.
    pub(crate) fn show_transfer_bar(&mut self) {
        let pair = if self.directory.tapped { self.transfer_pair() } else { None };
        if pair.is_none() && self.is_offered_being_answered() {
            return;
        }
        if pair.is_none() && self.directory.offered.is_some() {
            self.directory.tapped = false;
        }
        self.directory.offered = pair.as_ref().map(|(call, ..)| *call);
        let directory = self.app.global::<crate::screen::Directory>();
        directory.set_transfer_ready(pair.is_some());
        if let Some((call, contact, landing)) = pair {
            let who = self.call(call).map(|view| party_name(&view.party)).unwrap_or_default();
            directory.set_transfer_who(who);
            directory.set_transfer_to(contacts::name(&contact).into());
            directory.set_transfer_verdict(landing.verdict);
        }
    }

    /// The call of the bar is being answered: for a moment it can go nowhere, and then to the contact as before.
    fn is_offered_being_answered(&self) -> bool {
        let offered = self.directory.offered.and_then(|call| self.call(call));
        let is_answering = offered.is_some_and(|call| call.state == CallState::Answering);
        is_answering && self.connected && self.directory.tapped && self.cursor_contact().is_some()
    }

    /// The call and the contact that are meant, when the one can go to the other: the call that is offered, until a hand
    /// chooses anew.
    fn transfer_pair(&self) -> Option<(CallRef, ContactRow, Landing)> {
        let call = match self.directory.offered {
            Some(offered) => self.call(offered).filter(|_| self.connected)?,
            None => self.transferable()?,
        };
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

fn small(index: usize) -> i32 {
    i32::try_from(index).unwrap_or(i32::MAX)
}

fn column_word(column: Column) -> ContactColumn {
    match column {
        Column::Company => ContactColumn::Company,
        Column::Office => ContactColumn::Office,
        Column::Department => ContactColumn::Department,
        Column::Title => ContactColumn::Title,
        Column::Note => ContactColumn::Note,
        Column::Phone => ContactColumn::Phone,
        Column::Mobile => ContactColumn::Mobile,
        Column::Home => ContactColumn::Home,
        Column::Voicemail => ContactColumn::Voicemail,
        Column::Email => ContactColumn::Email,
        Column::Web => ContactColumn::Web,
    }
}

/// Where each column begins, after the name, in logical pixels.
fn starts(widths: impl Iterator<Item = f32>) -> Vec<f32> {
    let mut end = 0.;
    let starts = widths.map(|width| {
        let start = end;
        end += width;
        start
    });
    starts.collect()
}

/// The beginning of the column that comes after the place, or before it; where there is none, the place itself after the
/// last and 0 before the first.
fn next_start(starts: &[f32], place: f32, on: bool) -> f32 {
    // What is nearer than a pixel is where we are.
    if on {
        starts.iter().copied().find(|start| *start > place + 1.).unwrap_or(place)
    } else {
        starts.iter().copied().rfind(|start| *start < place - 1.).unwrap_or(0.)
    }
}

fn tab(directory: &DirectoryView, french: bool) -> DirectoryTab {
    DirectoryTab {
        name: directory.name.as_str().into(),
        count: grouped(directory.contacts as usize, french).into(),
        local: directory.local,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dir_5_the_columns_stop_where_one_begins() {
        let starts = starts([168., 140., 148.].into_iter());
        assert_eq!(starts, [0., 168., 308.]);
        assert_eq!(next_start(&starts, 0., true), 168.);
        assert_eq!(next_start(&starts, 168.4, true), 308.);
        // A finger has left them in the middle of one.
        assert_eq!(next_start(&starts, 200., true), 308.);
        assert_eq!(next_start(&starts, 200., false), 168.);
        assert_eq!(next_start(&starts, 168., false), 0.);
        // Neither way further than there are columns.
        assert_eq!(next_start(&starts, 320., true), 320.);
        assert_eq!(next_start(&starts, 0., false), 0.);
    }

    #[test]
    fn counts_are_grouped_as_the_language_does() {
        assert_eq!(grouped(428, false), "428");
        assert_eq!(grouped(12_904, false), "12,904");
        assert_eq!(grouped(100_000, true), "100\u{202f}000");
    }
}
