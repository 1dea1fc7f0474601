//! The menu of a contact (DIR-9), and the ways into a directory: from a call (CALL-8), from the log (`log_menu`).
//!
//! Removing asks nothing: it can be undone, and the ledger says whom.

use ipc::{CallRef, Command, ContactRow, Edit, Party};

use super::menu::{At, Choice, Row, entry};
use super::{Area, Desk};
use crate::models::contacts;
use crate::models::words::party_name;
use crate::offers::{Offer, Place};
use crate::screen::{MenuEntry, MenuWord};

impl Desk {
    /// The menu of a contact, under the finger.
    pub(crate) fn open_contact_menu(&mut self, index: i32, x: f32, y: f32) {
        if !self.is_bound_to_contact(index) {
            return;
        }
        let Some(contact) = self.contact(index) else { return };
        self.directory.cursor = usize::try_from(index).ok();
        self.set_area(Area::Directory);
        self.contact_menu(&contact, At::Finger(x, y));
    }

    /// The menu of the contact under the keyboard. `false` when there is none.
    pub(crate) fn open_contact_menu_by_key(&mut self) -> bool {
        let Some(contact) = self.cursor_contact() else { return false };
        self.contact_menu(&contact, At::Contact);
        self.move_menu(0);
        true
    }

    /// What can be done with a contact.
    pub(super) fn contact_menu(&mut self, contact: &ContactRow, at: At) {
        let mut rows = Vec::new();
        let numbers = [
            (MenuWord::CallPhone, &contact.phone),
            (MenuWord::CallMobile, &contact.mobile),
            (MenuWord::CallHome, &contact.home),
            (MenuWord::CallVoicemail, &contact.voicemail),
        ];
        for (word, number) in numbers {
            if !number.is_empty() {
                rows.push((entry(word, number, "", ""), Choice::Call(number.clone())));
            }
        }
        rows.extend(self.intercept_row(contact));
        rows.extend(self.take_over_row(contact));
        rows.extend(self.rows_beside_numbers(contact));
        let offered = self.offers_here(Place::Contact(self.calls.selected), Some(contact));
        let sends =
            |offer: &Offer| !matches!(offer, Offer::AskTransfer(_) | Offer::AskForward(_) | Offer::Park(_));
        let transfers = offered.iter().filter(|offer| sends(offer));
        rows.extend(transfers.filter_map(|offer| self.offer_row(offer, Some(contact), true)));
        let number =
            [&contact.phone, &contact.mobile, &contact.home].into_iter().find(|number| !number.is_empty());
        rows.extend(number.and_then(|number| self.call_back_row(&contacts::name(contact), number)));
        if self.connected {
            rows.push((entry(MenuWord::Alert, "", "", ""), Choice::Alerts(Box::new(contact.clone()))));
            rows.push((entry(MenuWord::Contact, "", "", ""), Choice::Contact(Box::new(contact.clone()))));
        }
        self.open_menu(contacts::name(contact).into(), rows, at);
    }

    /// Add, edit, remove, presence: in the place of the menu that it comes from.
    pub(super) fn open_editing_menu(&mut self, contact: &ContactRow) {
        let (id, directory) = (contact.id, contact.directory);
        let by_hand = self.own_directories().any(|own| own.id == directory);
        let mut rows = Vec::new();
        if by_hand {
            rows.push((entry(MenuWord::EditContact, "", "", ""), Choice::EditContact(id, directory)));
            rows.push((entry(MenuWord::AddContact, "", "", ""), Choice::NewContact(directory)));
        }
        if self.is_local(Some(directory)) {
            let word = if contact.presence { MenuWord::PresenceOff } else { MenuWord::PresenceOn };
            let set = Edit::SetPresence { contact: id, on: !contact.presence };
            rows.push((entry(word, "", "", ""), Choice::Send(Command::Edit(set))));
        }
        if by_hand {
            let remove = Command::Edit(Edit::RemoveContact { contact: id });
            rows.push((entry(MenuWord::RemoveContact, "", "", ""), Choice::Send(remove)));
        } else {
            let told = MenuEntry { enabled: false, ..entry(MenuWord::KeptByConnector, "", "", "") };
            rows.push((told, Choice::Nothing));
        }
        self.open_menu(contacts::name(contact).into(), rows, At::There);
    }

    /// Into which directory?
    pub(super) fn open_add_menu(&mut self, party: &Party) {
        self.open_add_menu_at(party, At::There);
    }

    /// The same where no menu was.
    pub(super) fn open_add_menu_at(&mut self, party: &Party, at: At) {
        let rows: Vec<Row> = self
            .own_directories()
            .map(|directory| {
                let row = entry(MenuWord::IntoDirectory, "", "", &directory.name);
                (row, Choice::AddParty(Box::new(party.clone()), directory.id))
            })
            .collect();
        self.open_menu(party_name(party), rows, at);
    }

    /// "Remind me to call back" in a call's menu.
    pub(super) fn reminder_row(&self, call: CallRef) -> Option<Row> {
        let party = &self.call(call)?.party;
        let number = party.number.as_deref().unwrap_or_default();
        self.call_back_row(party.name.as_deref().unwrap_or_default(), number)
    }

    /// What a call's menu has of directories: nothing for a caller of whom nothing is known.
    pub(super) fn directory_rows(&self, call: CallRef) -> Vec<Row> {
        let Some(party) = self.call(call).map(|call| &call.party) else { return Vec::new() };
        let mut rows = Vec::new();
        if self.own_directories().next().is_some() && (party.number.is_some() || party.name.is_some()) {
            rows.push((entry(MenuWord::AddTo, "", "", ""), Choice::AddTo(Box::new(party.clone()))));
        }
        if let Some(address) = self.mail_of(call) {
            let who = party_name(party);
            rows.push((entry(MenuWord::Email, &address, "", ""), Choice::Mail(who, address)));
        }
        rows
    }
}
