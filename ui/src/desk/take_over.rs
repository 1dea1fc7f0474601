//! Taking over a call that somebody is in (PRE-3): offered in the menu of a contact, and asked once more, because it
//! cuts them off. The question follows the desk while it is open.
//!
//! By finger the button that does it comes to life a moment after the question is there (`take_over.slint`); by key it
//! has to be gone to.

use std::rc::Rc;

use ipc::{Command, ContactRow, LampCall, LampState, TalkId};
use slint::{ComponentHandle, Model, ModelRc, VecModel};

use super::Desk;
use super::menu::{Choice, Row, entry};
use super::phone_card;
use crate::keys::ConsoleKey;
use crate::models::{contacts, rows};
use crate::screen::{MenuWord, PhoneTalk, TakeOver};

/// What is asked.
pub(super) struct Asked {
    contact: ContactRow,
    rows: Rc<VecModel<PhoneTalk>>,
    /// Which of the phone's calls; `None` while none is chosen, and where the one chosen has ended.
    talk: Option<TalkId>,
    /// The keyboard is on the button that does it.
    sure: bool,
}

impl Desk {
    /// The row of a contact's menu, while there is a call to take over and the administrator allows it.
    pub(super) fn take_over_row(&self, contact: &ContactRow) -> Option<Row> {
        let here = self.connected && !self.talks_to_take(contact).is_empty();
        let row = || (entry(MenuWord::TakeOver, "", "", ""), Choice::TakeOver(Box::new(contact.clone())));
        here.then(row)
    }

    pub(super) fn open_take_over(&mut self, contact: ContactRow) {
        let talk = match self.talks_to_take(&contact)[..] {
            [(talk, _)] => Some(talk),
            // Somebody is cut off: which call is not guessed.
            _ => None,
        };
        let rows = Rc::new(VecModel::default());
        self.app.global::<TakeOver>().set_talks(ModelRc::from(rows.clone()));
        self.overlay.take_over = Some(Asked { contact, rows, talk, sure: false });
        self.show_take_over();
        self.app.global::<TakeOver>().set_open(true);
    }

    pub(crate) fn close_take_over(&mut self) {
        self.overlay.take_over = None;
        self.app.global::<TakeOver>().set_open(false);
    }

    /// The row that was tapped.
    pub(crate) fn choose_talk(&mut self, index: i32) {
        let Some(asked) = self.overlay.take_over.as_ref() else { return };
        let talks = self.talks_to_take(&asked.contact);
        let talk = usize::try_from(index).ok().and_then(|index| talks.get(index)).map(|(talk, _)| *talk);
        if let Some(asked) = self.overlay.take_over.as_mut() {
            asked.talk = talk;
        }
        self.show_take_over();
    }

    /// The button that does it.
    pub(crate) fn accept_take_over(&mut self) {
        let Some(asked) = self.overlay.take_over.as_ref() else { return };
        let number = self.directory.doings.phone(&asked.contact).map(|phone| phone.number.clone());
        let (Some(talk), Some(number)) = (asked.talk, number) else { return };
        self.close_take_over();
        self.leave_contact();
        self.send_if_there(Command::TakeOver { number, talk });
    }

    /// What there is to take over now.
    pub(crate) fn show_take_over(&mut self) {
        let Some(asked) = self.overlay.take_over.as_ref() else { return };
        if !self.view.take_over {
            return self.close_take_over();
        }
        let talks = self.talks_to_take(&asked.contact);
        let chosen = talks.iter().position(|(talk, _)| asked.talk == Some(*talk));
        let wanted: Vec<PhoneTalk> = talks.iter().map(|(_, call)| phone_card::talk(call)).collect();
        // A view comes with every lamp: a row stays the same one under a finger.
        rows::sync(&asked.rows, &wanted, |row| row.id.clone());
        let global = self.app.global::<TakeOver>();
        global.set_who(contacts::name(&asked.contact).into());
        global.set_chosen(chosen.and_then(|at| i32::try_from(at).ok()).unwrap_or(-1));
        global.set_sure(asked.sure);
    }

    /// A key while it is asked. `None`: it means what it means without.
    pub(crate) fn take_over_key(&mut self, key: ConsoleKey) -> Option<bool> {
        let asked = self.overlay.take_over.as_ref()?;
        let several = self.talks_to_take(&asked.contact).len() > 1;
        let sure = asked.sure;
        match key {
            ConsoleKey::Escape => self.close_take_over(),
            ConsoleKey::Up if several => self.choose_next_talk(false),
            ConsoleKey::Down if several => self.choose_next_talk(true),
            ConsoleKey::Up | ConsoleKey::Down | ConsoleKey::Left | ConsoleKey::Right => {
                if let Some(asked) = self.overlay.take_over.as_mut() {
                    asked.sure = !sure;
                }
                self.show_take_over();
            }
            ConsoleKey::Enter if sure => self.accept_take_over(),
            ConsoleKey::Enter => self.close_take_over(),
            ConsoleKey::Search | ConsoleKey::Find | ConsoleKey::Switch | ConsoleKey::Number => {
                self.close_take_over();
                return None;
            }
            ConsoleKey::PageUp | ConsoleKey::PageDown | ConsoleKey::Home | ConsoleKey::End => {}
            _ => return None,
        }
        Some(true)
    }

    fn choose_next_talk(&mut self, down: bool) {
        let Some(asked) = self.overlay.take_over.as_mut() else { return };
        // Another call is another question.
        asked.sure = false;
        let count = self.app.global::<TakeOver>().get_talks().row_count();
        let count = i32::try_from(count).unwrap_or(i32::MAX).max(1);
        let next = match (self.app.global::<TakeOver>().get_chosen(), down) {
            (at, true) => at + 1,
            (at, false) if at < 0 => count - 1,
            (at, false) => at - 1,
        };
        self.choose_talk(next.rem_euclid(count));
    }

    /// The calls on the contact's phone that can be taken over.
    fn talks_to_take(&self, contact: &ContactRow) -> Vec<(TalkId, &LampCall)> {
        let phone = self.directory.doings.phone(contact).filter(|phone| phone.state != LampState::Unknown);
        let talks = phone.filter(|_| self.view.take_over).into_iter().flat_map(|phone| &phone.talks);
        talks.filter_map(|call| call.talk.map(|talk| (talk, call))).collect()
    }
}
