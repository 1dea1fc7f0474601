//! What lies over the desk: the menu, the transfer question, the keypad, a call being dragged.
//!
//! A menu offers exactly what the view allows for the call, or what numbers the contact has.

use std::rc::Rc;

use ipc::{Action, CallRef, Command, ContactPage, ContactQuery, ContactRow, Query, SortKey};
use slint::{ComponentHandle, DataTransfer, ModelRc, SharedString, VecModel};

use super::{Area, Desk};
use crate::models::words::{digits, party_name};
use crate::models::{cards, contacts};
use crate::screen::{DropVerdict, Keypad, Menu, MenuEntry, MenuWord, Prompt, Suggestion};

/// Matches shown below the transfer question.
const SUGGESTIONS: u32 = 5;
/// Digits shown in the keypad window.
const DIGITS_SHOWN: usize = 24;

/// State of the overlays.
#[derive(Default)]
pub(crate) struct Overlay {
    menu: Vec<Choice>,
    /// The call or contact the menu is about has to stay for the menu to stay.
    menu_call: Option<CallRef>,
    prompt: Option<Question>,
    keypad: Option<CallRef>,
    sent: String,
    drag: Option<CallRef>,
}

/// What a menu row does.
#[derive(Clone, Debug)]
enum Choice {
    Act(CallRef, Action),
    Call(String),
    Transfer(CallRef, String),
    AskNumber(CallRef),
}

/// The transfer question.
struct Question {
    call: CallRef,
    asked: Option<u64>,
    matches: Vec<Suggestion>,
    cursor: Option<usize>,
}

/// What a dragged card carries.
struct DraggedCall(CallRef);

impl Overlay {
    pub(crate) fn dragging(&self) -> Option<CallRef> {
        self.drag
    }
}

/// The payload of a card.
pub(crate) fn payload(id: &str) -> DataTransfer {
    let mut data = DataTransfer::default();
    if let Some(call) = cards::call(id) {
        data.set_user_data(Rc::new(DraggedCall(call)));
    }
    data
}

fn dragged(data: &DataTransfer) -> Option<CallRef> {
    data.user_data()?.downcast::<DraggedCall>().ok().map(|dragged| dragged.0)
}

// Menus.
impl Desk {
    /// The menu of a call, under the finger.
    pub(crate) fn open_call_menu(&mut self, call: CallRef, x: f32, y: f32) {
        if !self.connected {
            return;
        }
        let Some(view) = self.call(call) else { return };
        let entries: Vec<(MenuEntry, Choice)> = view
            .actions
            .iter()
            .map(|action| (entry(cards::menu_word(*action, view.state), "", ""), Choice::Act(call, *action)))
            .collect();
        let title = party_name(&view.party);
        self.calls.selected = Some(call);
        self.open_menu(title, entries, Some((x, y)));
        self.overlay.menu_call = Some(call);
    }

    /// The menu of a contact, under the finger.
    pub(crate) fn open_contact_menu(&mut self, index: i32, x: f32, y: f32) {
        let Some(contact) = self.contact(index) else { return };
        self.directory.cursor = usize::try_from(index).ok();
        self.set_area(Area::Directory);
        let mut entries = Vec::new();
        let numbers = [
            (MenuWord::CallPhone, &contact.phone),
            (MenuWord::CallMobile, &contact.mobile),
            (MenuWord::CallHome, &contact.home),
            (MenuWord::CallVoicemail, &contact.voicemail),
        ];
        for (word, number) in numbers {
            if !number.is_empty() {
                entries.push((entry(word, number, ""), Choice::Call(number.clone())));
            }
        }
        entries.extend(self.transfer_entries(&contact, MenuWord::TransferHere));
        self.open_menu(contacts::name(&contact).into(), entries, Some((x, y)));
    }

    /// F8: the most logical transfer first (CALL-12).
    pub(crate) fn open_transfer_menu(&mut self) {
        let Some(call) = self.transferable() else { return };
        let (call, title) = (call.call, party_name(&call.party));
        let mut entries = Vec::new();
        if let Some(contact) = self.cursor_contact() {
            entries.extend(self.transfer_entries(&contact, MenuWord::TransferContact));
        }
        entries.push((entry(MenuWord::TransferNumber, "", ""), Choice::AskNumber(call)));
        self.open_menu(title, entries, None);
        self.overlay.menu_call = Some(call);
        self.move_menu(0);
    }

    /// Does what a row says.
    pub(crate) fn choose(&mut self, index: i32) {
        let choice = usize::try_from(index).ok().and_then(|index| self.overlay.menu.get(index)).cloned();
        self.close_menu();
        match choice {
            Some(Choice::Act(call, action)) => self.act(call, action),
            Some(Choice::Call(number)) => self.call_number(&number),
            Some(Choice::Transfer(call, to)) => {
                self.leave_contact();
                self.send(Command::BlindTransfer { call, to });
            }
            Some(Choice::AskNumber(call)) => self.open_prompt(call),
            None => {}
        }
    }

    pub(crate) fn close_menu(&mut self) {
        self.overlay.menu.clear();
        self.overlay.menu_call = None;
        let menu = self.app.global::<Menu>();
        menu.set_open(false);
        menu.set_cursor(-1);
    }

    pub(crate) fn menu_is_open(&self) -> bool {
        !self.overlay.menu.is_empty()
    }

    /// Moves the menu's cursor by key.
    pub(crate) fn move_menu(&mut self, by: i32) {
        let menu = self.app.global::<Menu>();
        let last = i32::try_from(self.overlay.menu.len()).unwrap_or(1) - 1;
        menu.set_cursor((menu.get_cursor().max(0) + by).clamp(0, last.max(0)));
    }

    /// Enter in the menu.
    pub(crate) fn choose_by_key(&mut self) {
        let index = self.app.global::<Menu>().get_cursor();
        if index >= 0 {
            self.choose(index);
        }
    }

    fn transfer_entries(&self, contact: &ContactRow, word: MenuWord) -> Vec<(MenuEntry, Choice)> {
        let Some(call) = self.transferable() else { return Vec::new() };
        let caller = party_name(&call.party);
        let itself = call.party.number.as_deref().map(digits);
        let who = if word == MenuWord::TransferHere { caller } else { contacts::name(contact).into() };
        [&contact.phone, &contact.mobile]
            .into_iter()
            .filter(|number| !digits(number).is_empty() && Some(digits(number)) != itself)
            .map(|number| (entry(word, number, &who), Choice::Transfer(call.call, number.clone())))
            .collect()
    }

    fn open_menu(&mut self, title: SharedString, entries: Vec<(MenuEntry, Choice)>, at: Option<(f32, f32)>) {
        if entries.is_empty() {
            return;
        }
        let (rows, choices): (Vec<MenuEntry>, Vec<Choice>) = entries.into_iter().unzip();
        self.overlay.menu = choices;
        let menu = self.app.global::<Menu>();
        menu.set_title(title);
        menu.set_entries(ModelRc::new(VecModel::from(rows)));
        menu.set_keyed(at.is_none());
        let (x, y) = at.unwrap_or_default();
        menu.set_x(x);
        menu.set_y(y);
        menu.set_cursor(-1);
        menu.set_open(true);
    }
}

// The transfer question (CALL-11).
impl Desk {
    pub(crate) fn open_prompt(&mut self, call: CallRef) {
        let Some(view) = self.call(call) else { return };
        let who = party_name(&view.party);
        self.overlay.prompt = Some(Question { call, asked: None, matches: Vec::new(), cursor: None });
        let prompt = self.app.global::<Prompt>();
        prompt.set_who(who);
        prompt.set_text(SharedString::default());
        prompt.set_open(true);
        self.show_suggestions();
    }

    pub(crate) fn prompt_is_open(&self) -> bool {
        self.overlay.prompt.is_some()
    }

    /// A letter more or less: names are looked up, numbers are taken as they are.
    pub(crate) fn prompt_edited(&mut self, text: &str) {
        let Some(question) = self.overlay.prompt.as_mut() else { return };
        question.asked = None;
        question.cursor = None;
        question.matches.clear();
        if !text.trim().is_empty() {
            let query = ContactQuery {
                directory: None,
                text: text.trim().to_owned(),
                sort: SortKey::default(),
                offset: 0,
                limit: SUGGESTIONS,
            };
            question.asked = self.outbox.query(Query::Contacts(query)).ok();
        }
        self.show_suggestions();
    }

    /// The answer to the look-up. `false` when it was not ours.
    pub(crate) fn suggestions_arrived(&mut self, seq: u64, page: &ContactPage) -> bool {
        let Some(question) = self.overlay.prompt.as_mut() else { return false };
        if question.asked.take_if(|asked| *asked == seq).is_none() {
            return false;
        }
        question.matches =
            page.rows.iter().filter(|row| !digits(&row.phone).is_empty()).map(suggestion).collect();
        let typed = self.app.global::<Prompt>().get_text();
        let is_name = typed.chars().any(char::is_alphabetic);
        question.cursor = (is_name && !question.matches.is_empty()).then_some(0);
        self.show_suggestions();
        true
    }

    /// Up and Down among the matches; above the first is the text itself.
    pub(crate) fn move_suggestion(&mut self, down: bool) {
        let Some(question) = self.overlay.prompt.as_mut() else { return };
        let last = question.matches.len().checked_sub(1);
        question.cursor = match (question.cursor, down) {
            (None, true) => last.map(|_| 0),
            (Some(at), true) => last.map(|last| (at + 1).min(last)),
            (Some(at), false) => at.checked_sub(1),
            (None, false) => None,
        };
        self.show_suggestions();
    }

    /// A match was tapped.
    pub(crate) fn take_suggestion(&mut self, index: i32) {
        let question = self.overlay.prompt.as_ref();
        let number = question.and_then(|question| {
            let chosen = question.matches.get(usize::try_from(index).ok()?)?;
            Some((question.call, chosen.number.to_string()))
        });
        if let Some((call, to)) = number {
            self.close_prompt();
            self.send(Command::BlindTransfer { call, to });
        }
    }

    /// Enter: the match that is meant, else what was typed.
    pub(crate) fn accept_prompt(&mut self) {
        let Some(question) = self.overlay.prompt.as_ref() else { return };
        let (call, cursor) = (question.call, question.cursor);
        if let Some(index) = cursor.and_then(|index| i32::try_from(index).ok()) {
            return self.take_suggestion(index);
        }
        let to = self.app.global::<Prompt>().get_text().trim().to_owned();
        if !to.is_empty() {
            self.close_prompt();
            self.send(Command::BlindTransfer { call, to });
        }
    }

    pub(crate) fn close_prompt(&mut self) {
        self.overlay.prompt = None;
        self.app.global::<Prompt>().set_open(false);
        self.focus(crate::screen::FocusPlace::Nowhere);
    }

    fn show_suggestions(&self) {
        let Some(question) = self.overlay.prompt.as_ref() else { return };
        let prompt = self.app.global::<Prompt>();
        prompt.set_suggestions(ModelRc::new(VecModel::from(question.matches.clone())));
        prompt.set_cursor(question.cursor.and_then(|index| i32::try_from(index).ok()).unwrap_or(-1));
    }
}

// The keypad (BAR-3).
impl Desk {
    pub(crate) fn open_keypad(&mut self) {
        let Some(call) = self.view.talk.and_then(|call| self.call(call)) else { return };
        let (call, who) = (call.call, party_name(&call.party));
        self.overlay.keypad = Some(call);
        self.overlay.sent.clear();
        let keypad = self.app.global::<Keypad>();
        keypad.set_who(who);
        keypad.set_sent(SharedString::default());
        keypad.set_open(true);
    }

    pub(crate) fn keypad_is_open(&self) -> bool {
        self.overlay.keypad.is_some()
    }

    pub(crate) fn digit(&mut self, digit: &str) {
        let Some(call) = self.overlay.keypad else { return };
        if self.send(Command::Digits { call, digits: digit.to_owned() }).is_some() {
            self.overlay.sent.push_str(digit);
            let surplus = self.overlay.sent.len().saturating_sub(DIGITS_SHOWN);
            self.overlay.sent.drain(..surplus);
            self.app.global::<Keypad>().set_sent(self.overlay.sent.as_str().into());
        }
    }

    pub(crate) fn close_keypad(&mut self) {
        self.overlay.keypad = None;
        self.app.global::<Keypad>().set_open(false);
    }
}

// A call on its way to a contact (CALL-9).
impl Desk {
    /// Over a contact: says what a drop would do.
    pub(crate) fn drag_over(&mut self, data: &DataTransfer, index: i32, x: f32, y: f32) {
        let Some(call) = dragged(data) else { return };
        self.drag_at(call, x, y);
        let contact = self.contact(index);
        let drag = self.app.global::<crate::screen::Drag>();
        drag.set_target_index(index);
        drag.set_target(contact.as_ref().map(contacts::name).unwrap_or_default().into());
        drag.set_verdict(self.verdict(call, contact.as_ref()));
    }

    /// Over nothing that takes a call.
    pub(crate) fn drag_away(&mut self, data: &DataTransfer, x: f32, y: f32) {
        let Some(call) = dragged(data) else { return };
        self.drag_at(call, x, y);
        let drag = self.app.global::<crate::screen::Drag>();
        drag.set_target_index(-1);
        drag.set_verdict(DropVerdict::Away);
    }

    /// Let go over a contact.
    pub(crate) fn dropped(&mut self, data: &DataTransfer, index: i32) {
        let Some(call) = dragged(data) else { return };
        let contact = self.contact(index);
        if self.verdict(call, contact.as_ref()) == DropVerdict::Transfer
            && let Some(contact) = contact
        {
            self.send(Command::BlindTransfer { call, to: contact.phone });
        }
    }

    /// The drag is over, whatever came of it.
    pub(crate) fn drag_finished(&mut self) {
        self.overlay.drag = None;
        let drag = self.app.global::<crate::screen::Drag>();
        drag.set_active(false);
        drag.set_target_index(-1);
        self.finger(false);
    }

    fn drag_at(&mut self, call: CallRef, x: f32, y: f32) {
        if self.overlay.drag != Some(call) {
            self.overlay.drag = Some(call);
            // A long-press that became a drag has opened a menu on its way.
            self.close_menu();
            self.leave_contact();
        }
        let who = self.call(call).map(|view| party_name(&view.party)).unwrap_or_default();
        let drag = self.app.global::<crate::screen::Drag>();
        drag.set_who(who);
        drag.set_x(x);
        drag.set_y(y);
        drag.set_active(true);
    }

    fn verdict(&self, call: CallRef, contact: Option<&ContactRow>) -> DropVerdict {
        let (Some(call), Some(contact)) = (self.call(call), contact) else { return DropVerdict::Away };
        let phone = digits(&contact.phone);
        if !self.connected || !call.actions.contains(&Action::Transfer) {
            DropVerdict::NotNow
        } else if phone.is_empty() {
            DropVerdict::NoNumber
        } else if call.party.number.as_deref().map(digits) == Some(phone) {
            DropVerdict::Itself
        } else {
            DropVerdict::Transfer
        }
    }
}

// All of them.
impl Desk {
    /// A new view: an overlay whose call is gone has nothing more to offer.
    pub(crate) fn overlay_changed(&mut self) {
        let gone = |call: Option<CallRef>| call.is_some_and(|call| self.call(call).is_none());
        let question = self.overlay.prompt.as_ref().map(|question| question.call);
        let (menu, prompt) = (gone(self.overlay.menu_call), gone(question));
        let keypad = self.overlay.keypad.is_some() && self.overlay.keypad != self.view.talk;
        if menu {
            self.close_menu();
        }
        if prompt {
            self.close_prompt();
        }
        if keypad {
            self.close_keypad();
        }
    }

    pub(crate) fn close_overlays(&mut self) {
        self.close_menu();
        self.close_keypad();
        if self.prompt_is_open() {
            self.close_prompt();
        }
    }
}

fn entry(word: MenuWord, detail: &str, who: &str) -> MenuEntry {
    MenuEntry { word, detail: detail.into(), who: who.into() }
}

fn suggestion(contact: &ContactRow) -> Suggestion {
    Suggestion {
        name: contacts::name(contact).into(),
        detail: contacts::detail(contact, contact.company.is_empty()),
        number: contact.phone.as_str().into(),
    }
}
