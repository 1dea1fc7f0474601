//! What lies over the desk, and the keypad (BAR-3). The menu, the question and the call in mid-air
//! have files of their own.

use ipc::{CallRef, ContactRow, DirectoryId, DirectoryLook};
use slint::{ComponentHandle, SharedString};

use super::Desk;
use super::directory_forms::Form;
use super::directory_menu::Page;
use super::drag::InTheAir;
use super::menu::{At, Choice};
use super::prompt::{Answered, Question};
use super::take_over::Asked;
use crate::models::words::party_name;
use crate::screen::Keypad;

/// Digits shown in the keypad window.
const DIGITS_SHOWN: usize = 24;

/// State of the overlays.
#[derive(Default)]
pub(crate) struct Overlay {
    pub(super) menu: Vec<Choice>,
    /// The call the menu is about has to stay for the menu to stay.
    pub(super) menu_call: Option<CallRef>,
    /// The call that was selected before its menu took the selection.
    pub(super) menu_before: Option<CallRef>,
    /// Of a directory's menu: the directory has to stay for the menu to stay.
    pub(super) menu_page: Option<(Option<DirectoryId>, Page, At)>,
    /// Where the menu's cursor was when a row was chosen; -1 by finger.
    pub(super) menu_cursor: i32,
    /// A look that is on its way to the desk: the next change builds on it.
    pub(super) look: Option<(DirectoryId, DirectoryLook)>,
    pub(super) prompt: Option<Question>,
    pub(super) answered: Option<Answered>,
    pub(super) form: Option<Form>,
    /// Whose phone the card shows.
    pub(super) phone: Option<ContactRow>,
    /// Whose call may be taken over.
    pub(super) take_over: Option<Asked>,
    pub(super) drag: Option<InTheAir>,
    /// The drag was called off, and the toolkit goes on with it.
    pub(super) drag_is_off: bool,
    keypad: Option<CallRef>,
    sent: String,
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
        if self.send(ipc::Command::Digits { call, digits: digit.to_owned() }).is_some() {
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

// All of them.
impl Desk {
    /// A new view: an overlay whose call is gone has nothing more to offer.
    pub(crate) fn overlay_changed(&mut self) {
        let gone = |call: Option<CallRef>| call.is_some_and(|call| self.call(call).is_none());
        let question = self.overlay.prompt.as_ref().map(|question| question.call);
        let (menu, prompt) = (gone(self.overlay.menu_call), gone(question));
        self.show_verdict();
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
        self.show_take_over();
        self.show_whole_customer();
        self.directory_overlays_changed();
    }

    /// Something lies over the screen that is in front: its keys are not that screen's.
    pub(crate) fn something_is_open(&self) -> bool {
        self.menu_is_open()
            || self.prompt_is_open()
            || self.keypad_is_open()
            || self.link_card_is_open()
            || self.phone_card_is_open()
            || self.files_are_open()
            || self.finder_is_open()
            || self.overlay.dragging().is_some()
            || self.app.global::<crate::screen::Desk>().get_volumes_open()
    }

    pub(crate) fn close_overlays(&mut self) {
        self.close_menu();
        self.close_keypad();
        self.close_link_card();
        self.close_customer();
        self.close_item();
        self.close_finder();
        self.close_form();
        self.close_phone_card();
        self.close_take_over();
        self.close_alert_wishes();
        self.close_calendar();
        self.open_volumes(false);
        if self.prompt_is_open() {
            self.close_prompt();
        }
    }
}
