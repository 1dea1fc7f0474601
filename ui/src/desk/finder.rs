//! The search over all directories (DIR-7), and the way from a hit to the contact in its directory.
//!
//! Its window lies over the directory. The calls and their keys stay as they are.

use std::rc::Rc;

use ipc::{Command, ContactId, ContactPage, ContactPlace, ContactRow, DirectoryId, Query, SortKey};
use slint::{ComponentHandle, ModelRc, SharedString};

use super::directory::grouped;
use super::elsewhere::Elsewhere;
use super::{Area, Desk};
use crate::keys::ConsoleKey;
use crate::models::contacts::{ContactList, Wanted};
use crate::models::tiles::{Cells, Shape};
use crate::screen::{self, App, ContactNumber, FocusPlace, RefusedCommand, Screen, SearchState};

/// Hits a page key moves.
const PAGE_HITS: usize = 6;
/// How often a contact is asked for that is not where the desk said: its directory changes meanwhile.
const ATTEMPTS: u8 = 3;

/// State of the window.
pub(crate) struct Finder {
    pub(crate) contacts: Rc<ContactList>,
    pub(super) query: String,
    /// People found elsewhere follow the last hit.
    pub(super) cursor: Option<usize>,
    /// The contact that a finger is on.
    pressed: Option<ContactId>,
    /// The last two contacts tapped: a double-tap means one.
    taps: [Option<ContactId>; 2],
    /// The contact that is on its way to the front.
    sought: Option<Sought>,
    pub(super) elsewhere: Elsewhere,
}

/// A contact whose place is asked for.
struct Sought {
    contact: ContactId,
    directory: DirectoryId,
    asked: u64,
    row: Option<usize>,
    attempts: u8,
}

impl Finder {
    pub(crate) fn new(app: &App, contacts: Rc<ContactList>) -> Self {
        app.global::<screen::Finder>().set_rows(ModelRc::from(contacts.clone()));
        Self {
            contacts,
            query: String::new(),
            cursor: None,
            pressed: None,
            taps: [None; 2],
            sought: None,
            elsewhere: Elsewhere::default(),
        }
    }
}

// The window.
impl Desk {
    /// Opens it, with words to look for.
    pub(crate) fn open_finder(&mut self, words: &str) {
        // It would lie below what is being written.
        if self.reminder_editor_is_open() && !self.leave_reminder_editor() {
            return;
        }
        let finder = self.app.global::<screen::Finder>();
        if finder.get_open() && words.is_empty() {
            finder.set_focus_turn(finder.get_focus_turn().wrapping_add(1));
            return;
        }
        finder.set_query(words.into());
        finder.set_has_elsewhere(self.view.crm.people);
        finder.set_open(true);
        self.page_is_seen();
        self.show_finder_shape();
        self.find(words);
    }

    /// From the directory's search that found nobody, with its words.
    pub(crate) fn search_everywhere(&mut self) {
        let words = self.directory_words().to_owned();
        self.open_finder(&words);
    }

    pub(crate) fn finder_is_open(&self) -> bool {
        self.app.global::<screen::Finder>().get_open()
    }

    pub(crate) fn close_finder(&mut self) {
        if !self.finder_is_open() {
            return;
        }
        self.finder.query.clear();
        self.finder.cursor = None;
        self.finder.pressed = None;
        self.finder.contacts.forget();
        self.forget_elsewhere();
        self.app.global::<screen::Finder>().set_open(false);
        self.page_is_seen();
        self.focus(FocusPlace::Nowhere);
    }

    /// A letter more or less.
    pub(crate) fn find(&mut self, words: &str) {
        let before = std::mem::replace(&mut self.finder.query, words.trim().to_owned());
        if self.finder.query.is_empty() {
            self.finder.cursor = None;
            self.finder.contacts.forget();
        } else {
            let text = self.finder.query.clone();
            let wanted = Wanted { directory: None, local: false, text, sort: SortKey::default() };
            self.finder.contacts.want(wanted, 0);
        }
        if self.finder.query != before {
            self.look_elsewhere();
        }
        self.show_finder();
    }

    /// A page of hits is here.
    pub(crate) fn hits_arrived(&mut self, seq: u64, page: ContactPage) {
        let found = self.finder.cursor.and_then(|at| at.checked_sub(self.finder.contacts.total()));
        if self.finder.contacts.reply(seq, page) {
            let total = self.finder.contacts.total();
            // The first is the one that Enter means; somebody found elsewhere stays who they are.
            self.finder.cursor = found.map(|found| total + found).or((total > 0).then_some(0));
            self.reveal_hit();
        }
        self.show_finder();
    }

    /// The directories may have changed: their names, and who is in them.
    pub(crate) fn finder_changed(&mut self, contacts_too: bool) {
        if self.finder_is_open() {
            self.show_finder_shape();
            let finder = self.app.global::<screen::Finder>();
            if finder.get_has_elsewhere() != self.view.crm.people {
                finder.set_has_elsewhere(self.view.crm.people);
                self.look_elsewhere();
            }
            if contacts_too && !self.finder.query.is_empty() {
                self.finder.contacts.again();
            }
        }
    }

    /// A finger goes down on a hit, or comes up.
    pub(crate) fn finger_on_hit(&mut self, index: i32, down: bool) {
        if down {
            self.calls.press();
            self.finder.pressed = self.hit(index).map(|contact| contact.id);
        } else {
            self.finder.pressed = None;
            self.finger_up();
        }
    }

    /// Selects a hit.
    pub(crate) fn tap_hit(&mut self, index: i32) {
        self.finder.taps = [self.finder.taps[1], self.hit(index).map(|contact| contact.id)];
        self.finder.cursor = usize::try_from(index).ok();
        self.show_finder();
    }

    /// Two taps on one hit, or Enter: to its directory, and to the contact there.
    pub(crate) fn go_to_hit(&mut self, index: i32, tapped: bool) {
        let Some(contact) = self.hit(index) else { return };
        if tapped && self.finder.taps != [Some(contact.id); 2] {
            return;
        }
        self.finder.taps = [None; 2];
        self.close_finder();
        self.go_to(&contact);
    }

    /// The menu of a hit, under the finger.
    pub(crate) fn open_hit_menu(&mut self, index: i32, x: f32, y: f32) {
        let Some(contact) = self.hit(index) else {
            if self.finder.pressed.is_none() && self.found_menu(index, super::menu::At::Finger(x, y)) {
                self.finder.cursor = usize::try_from(index).ok();
                self.show_finder();
            }
            return;
        };
        if self.finder.pressed.is_none_or(|pressed| pressed == contact.id) {
            self.finder.cursor = usize::try_from(index).ok();
            self.show_finder();
            self.contact_menu(&contact, super::menu::At::Finger(x, y));
        }
    }

    /// A key while the window is open. `None`: it means what it means without the window.
    pub(crate) fn finder_key(&mut self, key: ConsoleKey) -> Option<bool> {
        let last = (self.finder.contacts.total() + self.found_elsewhere()).checked_sub(1);
        let at = self.finder.cursor.unwrap_or(0);
        let to = match key {
            ConsoleKey::Up => at.saturating_sub(1),
            ConsoleKey::Down => self.finder.cursor.map_or(0, |at| at + 1),
            ConsoleKey::PageUp => at.saturating_sub(PAGE_HITS),
            ConsoleKey::PageDown => at + PAGE_HITS,
            ConsoleKey::Home => 0,
            ConsoleKey::End => usize::MAX,
            ConsoleKey::Enter | ConsoleKey::Primary if self.call_found(self.hit_cursor()) => {
                return Some(true);
            }
            ConsoleKey::Menu if self.found_menu(self.hit_cursor(), super::menu::At::Pane) => {
                self.move_menu(0);
                return Some(true);
            }
            ConsoleKey::Enter => {
                self.go_to_hit(self.hit_cursor(), false);
                return Some(true);
            }
            // Who is shown was found by the words before the last letter.
            ConsoleKey::Primary if !self.finder.contacts.is_current() => return Some(true),
            ConsoleKey::Primary => {
                let contact = self.hit(self.hit_cursor())?;
                self.call_number(super::directory::number(&contact, ContactNumber::Phone));
                return Some(true);
            }
            ConsoleKey::Menu => {
                let contact = self.hit(self.hit_cursor())?;
                self.contact_menu(&contact, super::menu::At::Pane);
                self.move_menu(0);
                return Some(true);
            }
            ConsoleKey::Search | ConsoleKey::Find => {
                self.open_finder("");
                return Some(true);
            }
            ConsoleKey::Escape => {
                self.close_finder();
                return Some(true);
            }
            ConsoleKey::Switch => {
                self.close_finder();
                return None;
            }
            _ => return None,
        };
        self.finder.cursor = last.map(|last| to.min(last));
        self.reveal_hit();
        self.show_finder();
        Some(true)
    }

    fn hit(&self, index: i32) -> Option<ContactRow> {
        self.finder.contacts.contact(usize::try_from(index).ok()?)
    }

    fn hit_cursor(&self) -> i32 {
        self.finder.cursor.and_then(|index| i32::try_from(index).ok()).unwrap_or(-1)
    }

    fn reveal_hit(&self) {
        let finder = self.app.global::<screen::Finder>();
        finder.set_cursor(self.hit_cursor());
        finder.set_reveal_turn(finder.get_reveal_turn().wrapping_add(1));
    }

    pub(super) fn show_finder(&self) {
        let finder = self.app.global::<screen::Finder>();
        let total = self.finder.contacts.total();
        let searching = !self.finder.query.is_empty();
        finder.set_cursor(self.hit_cursor());
        finder.set_total(i32::try_from(total).unwrap_or(i32::MAX));
        finder.set_total_text(SharedString::from(grouped(total, self.is_french())));
        finder.set_search(match (searching, total) {
            (false, _) => SearchState::Idle,
            // Nobody knows yet: the first answer is on its way.
            (true, 0) if !self.finder.contacts.is_current() => finder.get_search(),
            (true, 0) => SearchState::None,
            (true, _) => SearchState::Hits,
        });
    }

    fn show_finder_shape(&self) {
        let names = self.view.directories.iter().map(|directory| (directory.id, directory.name.clone()));
        let cells = Cells::Directory(names.collect());
        self.finder.contacts.set_shape(Shape { list: true, cells, ..Shape::default() });
    }
}

// To a contact in its directory.
impl Desk {
    /// Shows the directory of a contact and asks where it stands there.
    pub(crate) fn go_to(&mut self, contact: &ContactRow) {
        self.go_to_contact(contact.id, contact.directory);
    }

    /// Likewise, of a contact of which only that is known.
    pub(crate) fn go_to_contact(&mut self, contact: ContactId, directory: DirectoryId) {
        self.show_screen(Screen::Directory);
        self.front(directory);
        self.set_area(Area::Directory);
        self.send(Command::ShowDirectory { directory });
        self.seek(contact, directory, ATTEMPTS);
    }

    /// Nobody is on the way to the front any more.
    pub(crate) fn stop_seeking(&mut self) {
        self.finder.sought = None;
    }

    /// The desk says where the contact stands.
    pub(crate) fn place_arrived(&mut self, seq: u64, place: Option<ContactPlace>) {
        let Some(sought) = self.finder.sought.as_mut().filter(|sought| sought.asked == seq) else { return };
        let Some(place) = place else {
            self.finder.sought = None;
            return self.notice_of(RefusedCommand::ContactGone, "");
        };
        sought.row = usize::try_from(place.row).ok();
        if sought.directory != place.directory {
            sought.directory = place.directory;
            self.front(place.directory);
        }
        self.look_for_sought();
    }

    /// Marks the contact once its row is here; brings that row into sight before, so that it comes.
    pub(crate) fn look_for_sought(&mut self) {
        let Some(sought) = self.finder.sought.as_ref() else { return };
        let (contact, directory, attempts) = (sought.contact, sought.directory, sought.attempts);
        let list = &self.directory.contacts;
        let Some(row) = sought.row.filter(|_| list.is_current() && self.fronted() == Some(directory)) else {
            return;
        };
        match list.contact(row) {
            Some(here) if here.id == contact => {
                self.finder.sought = None;
                self.directory.cursor = Some(row);
                self.reveal(row);
                self.show_directory();
            }
            // Somebody else stands there: the directory changed between two answers.
            Some(_) if attempts > 1 => self.seek(contact, directory, attempts - 1),
            Some(_) => {
                tracing::warn!(contact = contact.0, "a contact is not where the desk says");
                self.finder.sought = None;
            }
            None if row < list.total() => {
                list.need(row);
                self.reveal(row);
            }
            None => {}
        }
    }

    fn seek(&mut self, contact: ContactId, directory: DirectoryId, attempts: u8) {
        let sort = self.view.directories.iter().find(|d| d.id == directory).map(|d| d.look.sort);
        let query = Query::Place { contact, sort: sort.unwrap_or_default() };
        self.finder.sought = self.outbox.query(query).ok().map(|asked| Sought {
            contact,
            directory,
            asked,
            row: None,
            attempts,
        });
    }
}
