//! E-mail to whoever is on a call (CALL-8), and pages of contacts.
//!
//! A call names its contact, not the contact's address: that is asked for when the call appears, so that its
//! menu is whole when it opens.

use std::collections::HashMap;

use ipc::{CallRef, ContactId, Query};
use slint::ComponentHandle;

use super::Desk;
use crate::models::words::party_name;

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

    /// Opens a mail to an address; its subject is the call in the ear (DIR-8).
    pub(crate) fn open_mail(&mut self, address: &str) {
        let about = self.view.talk.and_then(|call| self.call(call)).map(|call| {
            let number = call.party.number.as_deref().filter(|_| call.party.name.is_some());
            format!("{} {}", party_name(&call.party), number.unwrap_or_default())
        });
        let subject = about.map(|about| format!("?subject={}", encoded(about.trim()))).unwrap_or_default();
        self.open_link(address, &format!("mailto:{}{subject}", address.trim()));
    }

    /// Opens a contact's page.
    pub(crate) fn open_web(&mut self, page: &str) {
        let page = page.trim();
        let whole = if page.contains("://") { page.to_owned() } else { format!("https://{page}") };
        self.open_link(page, &whole);
    }

    fn open_link(&mut self, who: &str, address: &str) {
        let Some(code) = super::crm::code(address) else {
            tracing::warn!(length = address.len(), "an address is too long for a code");
            return;
        };
        let card = self.app.global::<crate::screen::Crm>();
        card.set_who(who.into());
        card.set_address(address.into());
        card.set_code(code);
        card.set_open(true);
    }
}

/// All but letters, digits and `-._~` as %XX (RFC 3986 section 2.3).
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}
