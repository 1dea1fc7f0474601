//! The e-mail addresses of whoever is on a call (CALL-8).
//!
//! A call names its contact, not the contact's address: that is asked for when the call appears, so that its
//! menu is whole when it opens.

use std::collections::HashMap;

use ipc::{CallRef, ContactId, Query};

use super::Desk;

/// The e-mail addresses of those who are on the desk now.
#[derive(Default)]
pub(crate) struct Mail {
    /// Empty: there is none.
    known: HashMap<ContactId, String>,
    asked: HashMap<u64, ContactId>,
}

impl Desk {
    /// A new view: asks for the addresses of contacts that have come, forgets those that have gone.
    pub(crate) fn mail_changed(&mut self) {
        let calls = self.view.incoming.iter().chain(&self.view.outgoing);
        let mut here: Vec<ContactId> = calls.filter_map(|call| call.party.contact).collect();
        here.sort_unstable();
        here.dedup();
        self.mail.known.retain(|contact, _| here.contains(contact));
        self.mail.asked.retain(|_, contact| here.contains(contact));
        for contact in here {
            let asked = self.mail.asked.values().any(|other| *other == contact);
            if !asked && !self.mail.known.contains_key(&contact) {
                // Without a desk nobody answers; it is asked again when the desk is back.
                if let Ok(seq) = self.outbox.query(Query::Contact(contact)) {
                    self.mail.asked.insert(seq, contact);
                }
            }
        }
    }

    /// Directories have changed, or the desk is back: what is known may no longer be so.
    pub(crate) fn mail_again(&mut self) {
        self.mail = Mail::default();
        self.mail_changed();
    }

    /// The answer to a question of ours, or `false`.
    pub(crate) fn mail_arrived(&mut self, seq: u64, card: Option<&ipc::ContactCard>) -> bool {
        let Some(contact) = self.mail.asked.remove(&seq) else { return false };
        let address = card.map(|card| card.form.email.trim().to_owned()).unwrap_or_default();
        self.mail.known.insert(contact, address);
        true
    }

    /// The address of a call's contact.
    pub(crate) fn mail_of(&self, call: CallRef) -> Option<String> {
        let contact = self.call(call)?.party.contact?;
        self.mail.known.get(&contact).filter(|address| !address.is_empty()).cloned()
    }
}
