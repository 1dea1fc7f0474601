//! The card of a contact's phone (PRE-4): every call on it, and what its person is (PRE-5). It follows the
//! desk while it is open.

use std::rc::Rc;

use ipc::{ContactRow, LampState};
use slint::{ComponentHandle, ModelRc, VecModel};

use super::Desk;
use super::menu::{Choice, Row, entry};
use crate::models::contacts;
use crate::models::tiles::way;
use crate::screen::{ContactLink, DirectoryWord, MenuEntry, MenuWord, PhoneCard, PhoneTalk};

impl Desk {
    pub(crate) fn open_phone_card(&mut self, contact: ContactRow) {
        self.overlay.phone = Some(contact);
        self.show_phone_card();
        self.app.global::<PhoneCard>().set_open(true);
    }

    pub(crate) fn phone_card_is_open(&self) -> bool {
        self.overlay.phone.is_some()
    }

    pub(crate) fn close_phone_card(&mut self) {
        self.overlay.phone = None;
        self.app.global::<PhoneCard>().set_open(false);
    }

    /// Rows of a contact's menu: the calls on the phone, a mail, the web page.
    pub(super) fn rows_beside_numbers(&self, contact: &ContactRow) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut add = |part, count, choice| {
            rows.push((MenuEntry { part, count, ..entry(MenuWord::Directory, "", "", "") }, choice));
        };
        if contact.presence || !contact.xmpp.trim().is_empty() {
            let calls = self.directory.doings.lamp(contact).calls;
            add(DirectoryWord::Phone, calls, Choice::Phone(Box::new(contact.clone())));
        }
        if !contact.email.trim().is_empty() {
            add(DirectoryWord::Mail, 0, Choice::Link(Box::new(contact.clone()), ContactLink::Mail));
        }
        if !contact.web.trim().is_empty() {
            add(DirectoryWord::Page, 0, Choice::Link(Box::new(contact.clone()), ContactLink::Page));
        }
        rows
    }

    /// What the phone and the person do now.
    pub(crate) fn show_phone_card(&self) {
        let Some(contact) = self.overlay.phone.as_ref() else { return };
        let lamp = self.directory.doings.lamp(contact);
        let phone = self.directory.doings.phone(contact).filter(|phone| phone.state != LampState::Unknown);
        let talks: Vec<PhoneTalk> = phone.iter().flat_map(|phone| &phone.talks).map(talk).collect();
        let told = i32::try_from(talks.len()).unwrap_or(i32::MAX);
        let card = self.app.global::<PhoneCard>();
        card.set_who(contacts::name(contact).into());
        card.set_detail(contacts::detail(contact, contact.company.is_empty()));
        card.set_untold(lamp.calls.saturating_sub(told).max(0));
        card.set_lamp(lamp);
        card.set_talks(ModelRc::from(Rc::new(VecModel::from(talks))));
    }
}

/// A call on a phone, as a row.
pub(super) fn talk(talk: &ipc::LampCall) -> PhoneTalk {
    PhoneTalk {
        id: talk.talk.map(|id| slint::format!("{}", id.0)).unwrap_or_default(),
        ringing: talk.ringing,
        way: way(talk),
        name: talk.party.name.as_deref().unwrap_or_default().into(),
        number: talk.party.number.as_deref().unwrap_or_default().into(),
    }
}
