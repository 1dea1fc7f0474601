//! Keys (CALL-12). One step at a time: an open overlay takes the keys first.

use ipc::{Command, HookAction};
use slint::ComponentHandle;

use super::{Area, Desk};
use crate::keys::{ConsoleKey, KeyMap};
use crate::screen::{FocusPlace, Screen};

/// Rows a page key moves.
const PAGE_ROWS: usize = 6;

impl Desk {
    /// Whether a key that is held down may go on with what it does: it moves the cursor, or is a field's own. Whatever else
    /// it does has been done. A field of one line sees to its Enter itself: nobody here knows how many it has.
    pub(crate) fn may_repeat(&self, text: &str, control: bool, alt: bool, typing: bool) -> bool {
        use ConsoleKey::{Down, Left, PageDown, PageUp, Right, Up};
        // As in `key`: a menu over a field takes its keys.
        match self.keys.read(text, control, alt, typing && !self.menu_is_open()) {
            Some(key) => matches!(key, Up | Down | Left | Right | PageUp | PageDown),
            // It sends what was written: what was refused would be sent again and again.
            None if control && text.chars().eq([char::from(slint::platform::Key::Return)]) => false,
            // A digit would go to the other end again and again.
            None => typing || !self.keypad_is_open(),
        }
    }

    /// A key that was pressed. `true`: it meant something here and goes no further.
    pub(crate) fn key(&mut self, text: &str, control: bool, alt: bool, typing: bool) -> bool {
        // Who does not see the screen needs them before they have signed in.
        match self.keys.read(text, control, alt, typing) {
            Some(ConsoleKey::Speak) => {
                self.toggle_talks();
                return true;
            }
            Some(ConsoleKey::ReadDesk) => {
                self.read_desk();
                return true;
            }
            _ => {}
        }
        if self.sign_in_key(text, control, alt) {
            return true;
        }
        if self.privacy_key(text, control, alt, typing) {
            return true;
        }
        // A menu over a field takes its Enter and its Escape.
        let typing = typing && !self.menu_is_open();
        if typing && self.keys.read(text, control, alt, true).is_none() {
            self.saw_writing();
        }
        self.board_saw_key(text, control, typing);
        if self.watch_key(text, control, alt, typing) {
            return true;
        }
        let covered = self.menu_is_open() || self.prompt_is_open() || self.files_are_open();
        if !covered && let Some(taken) = self.settings_key(text, control, alt, typing) {
            return taken;
        }
        // While its window is open, digits, * and # go to the other end.
        if !typing && !control && !alt && self.keypad_key(text) {
            return true;
        }
        // What a page asks is answered by keys; who writes into a field means that field.
        if !alt
            && !self.is_in_field()
            && let Some(key) = self.keys.read(text, control, alt, false)
            && let Some(taken) = self.page_question_key(key)
        {
            return taken;
        }
        // A page is typed into like a field, and has a use for more keys than one.
        if typing && self.screen() == Screen::Page && !self.finder_is_open() && !KeyMap::is_function(text) {
            return false;
        }
        // So is the note; its text moves by the arrows, and Escape leaves it.
        let in_note = typing && self.screen() == Screen::Note && !covered && !self.finder_is_open();
        if in_note && !control && !KeyMap::is_function(text) {
            return false;
        }
        if !covered
            && !alt
            && let Some(taken) = self.editor_key(text, control, typing)
        {
            return taken;
        }
        if !covered && !typing && !control && !alt && self.reminder_question_tab(text) {
            return true;
        }
        let Some(key) = self.keys.read(text, control, alt, typing) else {
            return !typing && !control && !alt && self.reminders_letter(text);
        };
        if self.menu_is_open() {
            return self.menu_key(key);
        }
        if self.prompt_is_open() {
            return self.prompt_key(key);
        }
        // The calls stay in sight beside these, and their keys work.
        if !self.link_card_is_open()
            && let Some(taken) = self.customer_key(key)
        {
            return taken;
        }
        if let Some(taken) = self.take_over_key(key) {
            return taken;
        }
        if let Some(taken) = self.form_key(key) {
            return taken;
        }
        if let Some(taken) = self.reminder_editor_key(key) {
            return taken;
        }
        if self.finder_is_open()
            && !self.link_card_is_open()
            && !self.phone_card_is_open()
            && let Some(taken) = self.finder_key(key)
        {
            return taken;
        }
        // F6 is the calls' as everywhere; Insert marks.
        if key == ConsoleKey::Primary
            && KeyMap::is_function(text)
            && (self.files_are_open() || self.alert_wishes_are_open())
        {
            self.primary_of_calls();
            return true;
        }
        if self.alert_wishes_key(key) || self.files_key(key) || self.arrange_key(key) {
            return true;
        }
        if let Some(taken) = self.key_beside_the_calls(key, text) {
            return taken;
        }
        self.desk_key(key)
    }

    /// A key for the calendar, the log, the statistics or the reminders, when nothing lies over them. `None`: it means
    /// what it means elsewhere.
    fn key_beside_the_calls(&mut self, key: ConsoleKey, text: &str) -> Option<bool> {
        if self.something_is_open() {
            return None;
        }
        self.calendar_key(key)
            .or_else(|| self.log_key(key))
            .or_else(|| self.statistics_key(key))
            .or_else(|| self.reminders_key(key, text))
    }

    /// Where the arrows move from now on.
    pub(crate) fn set_area(&mut self, area: Area) {
        self.area = area;
        self.app.global::<crate::screen::Calls>().set_focused(area == Area::Calls);
        self.app.global::<crate::screen::Directory>().set_focused(area == Area::Directory);
    }

    /// Puts the keyboard into a field or takes it out of all.
    pub(crate) fn focus(&self, place: FocusPlace) {
        let desk = self.app.global::<crate::screen::Desk>();
        desk.set_focus_place(place);
        desk.set_focus_turn(desk.get_focus_turn().wrapping_add(1));
    }

    /// Digits typed while the keypad window is open go to the other end.
    fn keypad_key(&mut self, text: &str) -> bool {
        let is_digit = text.len() == 1 && text.bytes().all(|b| b.is_ascii_digit() || b == b'*' || b == b'#');
        if is_digit && self.keypad_is_open() {
            self.digit(text);
            return true;
        }
        false
    }

    fn menu_key(&mut self, key: ConsoleKey) -> bool {
        if names_no_call(key) {
            self.close_menu();
            return self.desk_key(key);
        }
        match key {
            ConsoleKey::Up => self.move_menu(-1),
            ConsoleKey::Down | ConsoleKey::Transfer => self.move_menu(1),
            ConsoleKey::Enter => self.choose_by_key(),
            ConsoleKey::Left | ConsoleKey::Escape if self.menu_back() => {}
            ConsoleKey::Right => self.choose_if_it_leads(),
            _ => self.close_menu(),
        }
        true
    }

    fn prompt_key(&mut self, key: ConsoleKey) -> bool {
        if names_no_call(key) {
            return self.desk_key(key);
        }
        match key {
            ConsoleKey::Up => self.move_suggestion(false),
            ConsoleKey::Down => self.move_suggestion(true),
            ConsoleKey::Escape => self.close_prompt(),
            ConsoleKey::Enter => self.accept_prompt(),
            // The rest would act on what lies below.
            _ => {}
        }
        true
    }

    pub(super) fn desk_key(&mut self, key: ConsoleKey) -> bool {
        match key {
            ConsoleKey::Search => {
                self.set_editor_aside(true);
                let has_none = matches!(
                    self.screen(),
                    Screen::Settings | Screen::Note | Screen::Statistics | Screen::Reminders
                );
                if has_none {
                    self.show_screen(Screen::Directory);
                }
                if matches!(self.screen(), Screen::Directory | Screen::Log) {
                    self.close_details();
                    self.set_area(Area::Directory);
                }
                self.focus(FocusPlace::Search);
            }
            ConsoleKey::Find => self.open_finder(""),
            ConsoleKey::Note => self.open_note_by_key(),
            ConsoleKey::Settings => self.open_settings_by_key(),
            ConsoleKey::Log => self.open_log_by_key(),
            ConsoleKey::Statistics => self.open_statistics_by_key(),
            ConsoleKey::Reminders => self.open_reminders_by_key(),
            ConsoleKey::Number => self.focus(FocusPlace::Number),
            ConsoleKey::Next => {
                self.send(Command::Hook { action: HookAction::Next });
            }
            ConsoleKey::HangUpActive => {
                self.send(Command::Hook { action: HookAction::HangUpActive });
            }
            ConsoleKey::AnswerLongest => {
                self.send(Command::Hook { action: HookAction::AnswerLongest });
            }
            ConsoleKey::Lock => self.lock(),
            ConsoleKey::Privacy => self.hide_names(true),
            ConsoleKey::Operator => self.open_operator_menu_by_key(),
            ConsoleKey::Night => {
                self.send(Command::Hook { action: HookAction::Night });
            }
            ConsoleKey::Undo => self.undo(),
            ConsoleKey::View if self.area == Area::Directory => self.open_directory_menu_by_key(),
            ConsoleKey::View => self.open_view_menu(),
            ConsoleKey::Menu => self.menu_of_what_is_meant(),
            ConsoleKey::Switch => self.switch_area(),
            ConsoleKey::Primary => self.primary_key(),
            ConsoleKey::HangUp => self.hang_up_key(),
            ConsoleKey::Transfer => self.open_transfer_menu(),
            ConsoleKey::Enter => {
                if self.area == Area::Directory {
                    self.primary_key();
                }
            }
            // Nobody asks.
            ConsoleKey::Allow | ConsoleKey::Refuse => return false,
            // They came first.
            ConsoleKey::Speak | ConsoleKey::ReadDesk => {}
            ConsoleKey::TestSound | ConsoleKey::HearBack => return self.sound_key(key),
            ConsoleKey::Escape => return self.step_back(),
            ConsoleKey::Up
            | ConsoleKey::Down
            | ConsoleKey::Left
            | ConsoleKey::Right
            | ConsoleKey::PageUp
            | ConsoleKey::PageDown
            | ConsoleKey::Home
            | ConsoleKey::End => self.move_by(key),
        }
        true
    }

    /// From the incoming to the outgoing calls, to the directory, and round again; empty lists are
    /// passed over. Each list keeps its place.
    fn switch_area(&mut self) {
        self.focus(FocusPlace::Nowhere);
        let outgoing = |desk: &Self, call| desk.view.outgoing.iter().any(|view| view.call == call);
        let among_outgoing = self.calls.selected.is_some_and(|call| outgoing(self, call));
        match self.area {
            Area::Calls if !among_outgoing && !self.view.outgoing.is_empty() => self.enter_list(true),
            // The directory lies under the editor.
            Area::Calls if self.editor_covers() => self.enter_list(self.view.incoming.is_empty()),
            Area::Calls => {
                self.set_area(Area::Directory);
                // There the arrows have a place of their own, or none.
                let beside = matches!(self.screen(), Screen::Log | Screen::Statistics);
                if !beside && self.directory.cursor.is_none() {
                    self.move_cursor(|at, _| at);
                }
            }
            Area::Directory => {
                self.set_area(Area::Calls);
                self.enter_list(self.view.incoming.is_empty());
            }
        }
    }

    /// The menu key: of the selected call, or of the contact.
    fn menu_of_what_is_meant(&mut self) {
        match self.area {
            Area::Calls => self.open_call_menu_by_key(),
            Area::Directory => {
                if !self.open_contact_menu_by_key() {
                    self.open_transfer_menu();
                }
            }
        }
    }

    fn primary_key(&mut self) {
        match self.area {
            Area::Calls => self.primary_of_calls(),
            Area::Directory => self.call_at_cursor(),
        }
    }

    fn primary_of_calls(&mut self) {
        if let Some(call) = self.calls.selected {
            self.primary(call);
        }
    }

    /// In the directory no call is under the keyboard, so the one in the ear is meant.
    fn hang_up_key(&mut self) {
        let call = match self.area {
            Area::Calls if self.fell_to_another() => None,
            Area::Calls => self.calls.selected,
            Area::Directory => self.view.talk,
        };
        if let Some(call) = call {
            self.hang_up(call);
        }
    }

    fn step_back(&mut self) -> bool {
        if self.app.global::<crate::screen::Desk>().get_volumes_open() {
            self.open_volumes(false);
        } else if self.keypad_is_open() {
            self.close_keypad();
        } else if self.link_card_is_open() {
            self.close_link_card();
        } else if self.phone_card_is_open() {
            self.close_phone_card();
        } else if self.files_are_open() {
            self.close_files();
        } else if self.overlay.dragging().is_some() {
            self.call_off_drag();
        } else if self.app.global::<crate::screen::Directory>().get_transfer_ready() {
            self.leave_contact();
        } else if self.clear_log_search() {
        } else if self.details_are_open() {
            self.close_details();
        } else if self.is_searching() {
            self.clear_search();
        } else if self.stop_own_test() {
        } else if self.screen() != Screen::Directory {
            self.show_screen(Screen::Directory);
        } else {
            self.set_area(Area::Calls);
        }
        true
    }

    fn move_by(&mut self, key: ConsoleKey) {
        match self.area {
            Area::Calls => self.move_among_calls(key),
            Area::Directory => self.move_among_contacts(key),
        }
    }

    fn move_among_calls(&mut self, key: ConsoleKey) {
        let order = self.call_order();
        let Some(last) = order.len().checked_sub(1) else { return };
        let at =
            self.calls.selected.and_then(|call| order.iter().position(|other| *other == call)).unwrap_or(0);
        let next = match key {
            ConsoleKey::Up | ConsoleKey::Left => at.saturating_sub(1),
            ConsoleKey::Down | ConsoleKey::Right => (at + 1).min(last),
            ConsoleKey::PageUp => at.saturating_sub(PAGE_ROWS),
            ConsoleKey::PageDown => (at + PAGE_ROWS).min(last),
            ConsoleKey::Home => 0,
            ConsoleKey::End => last,
            _ => at,
        };
        self.select_by_key(order[next]);
    }

    fn move_among_contacts(&mut self, key: ConsoleKey) {
        if self.shift_columns(key) {
            return;
        }
        let columns = self.directory.contacts.columns();
        self.move_cursor(|at, total| match key {
            ConsoleKey::Up => at.checked_sub(columns).unwrap_or(at),
            ConsoleKey::Down => {
                if at + columns < total {
                    at + columns
                } else {
                    at
                }
            }
            ConsoleKey::Left => at.saturating_sub(1),
            ConsoleKey::Right => at + 1,
            ConsoleKey::PageUp => at.saturating_sub(columns * PAGE_ROWS),
            ConsoleKey::PageDown => at + columns * PAGE_ROWS,
            ConsoleKey::Home => 0,
            ConsoleKey::End => total - 1,
            _ => at,
        });
    }
}

/// Keys that mean whichever call is next or in the ear, and none that is in front: they work over any question.
fn names_no_call(key: ConsoleKey) -> bool {
    matches!(key, ConsoleKey::Next | ConsoleKey::AnswerLongest | ConsoleKey::HangUpActive)
}
