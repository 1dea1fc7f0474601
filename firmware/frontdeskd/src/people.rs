//! People with a `sip:` address whose presence the exchange tells (PRE-5, RFC 3856).
//!
//! Which addresses there are is the contacts' business ([`crate::contacts::News::People`]); those that are no SIP
//! addresses are XMPP's and are left alone here. What a document means is in `sip::pidf` and `bridge`. Where a person
//! wants no calls, and the user of the address is a monitored phone, its lamp shows Do Not Disturb as well: dialog-info
//! has no word for it.

use std::{collections::HashMap, time::Instant};

use ipc::OnlineState;
use sip::{AccountId, Package, SubscriptionId, SubscriptionState, Uri, pidf::Presence};
use switchboard::Input;
use tracing::{debug, info, warn};

use crate::{bridge, engine::Engine};

/// People watched at most, for the same reason as with phones.
const MAX_WATCHED: usize = 2000;

/// Which subscription is which person.
#[derive(Default)]
pub(crate) struct People {
    by_address: HashMap<String, SubscriptionId>,
    by_subscription: HashMap<SubscriptionId, String>,
    /// Everybody whom the directories want watched, by whichever protocol.
    pub(crate) wanted: Vec<String>,
    /// Through which account.
    account: Option<AccountId>,
}

/// Whether an address of a directory is SIP's.
pub(crate) fn is_sip(address: &str) -> bool {
    let begins = |scheme: &str| address.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme));
    begins("sip:") || begins("sips:")
}

impl Engine {
    /// Watches exactly the people among these addresses that SIP can tell of.
    pub(crate) fn watch_people(&mut self, now: Instant, addresses: Vec<String>) {
        self.people.wanted = addresses;
        self.watch_wanted(now);
    }

    /// Watches them through the account of the first line; without a line there is nobody to ask.
    pub(crate) fn watch_wanted(&mut self, now: Instant) {
        let account = self.parts.lines.first().map(|&(_, account)| account);
        let is_asked = |address: &&String| account.is_some() && is_sip(address);
        let mut wanted: Vec<String> = self.people.wanted.iter().filter(is_asked).cloned().collect();
        if wanted.len() > MAX_WATCHED {
            warn!(asked = wanted.len(), MAX_WATCHED, "too many people to watch: the rest have no state");
            wanted.truncate(MAX_WATCHED);
        }
        // Another exchange is asked about all of them.
        let moved = self.people.account != account;
        self.people.account = account;
        let is_gone = |address: &&String| moved || wanted.binary_search(address).is_err();
        let gone: Vec<String> = self.people.by_address.keys().filter(is_gone).cloned().collect();
        for address in gone {
            self.watch_no_longer(now, address);
        }
        for address in wanted {
            if let Some(account) = account
                && !self.people.by_address.contains_key(&address)
            {
                let subscription = self.parts.agent.subscribe(now, account, &address, Package::Presence);
                self.people.by_address.insert(address.clone(), subscription);
                self.people.by_subscription.insert(subscription, address.clone());
                self.set_person(now, address, None);
            }
        }
        info!(people = self.people.by_address.len(), "watching people");
    }

    fn watch_no_longer(&mut self, now: Instant, address: String) {
        if let Some(subscription) = self.people.by_address.remove(&address) {
            self.people.by_subscription.remove(&subscription);
            self.parts.agent.unsubscribe(now, subscription);
        }
        if let Some(phone) = phone(&address) {
            self.set_undisturbed(now, &phone, false);
        }
        self.parts.board.handle(now, Input::PersonGone { address });
    }

    /// The exchange says how a person is.
    pub(crate) fn person_news(&mut self, now: Instant, subscription: SubscriptionId, presence: &Presence) {
        if let Some(address) = self.people.by_subscription.get(&subscription).cloned() {
            self.set_person(now, address, Some(presence));
        }
    }

    /// A subscription is believed, or not any more.
    pub(crate) fn person_standing(&mut self, now: Instant, of: SubscriptionId, state: &SubscriptionState) {
        let Some(address) = self.people.by_subscription.get(&of).cloned() else { return };
        match state {
            SubscriptionState::Active => return,
            SubscriptionState::Lost { reason } if sip::is_of_all(reason) => {
                debug!(address, reason, "person lost")
            }
            SubscriptionState::Lost { reason } => info!(address, reason, "person lost"),
            SubscriptionState::Pending | SubscriptionState::Terminated => {}
        }
        self.set_person(now, address, None);
    }

    fn set_person(&mut self, now: Instant, address: String, presence: Option<&Presence>) {
        let (state, undisturbed) = presence.map_or((OnlineState::Unknown, false), bridge::person);
        if let Some(phone) = phone(&address) {
            self.set_undisturbed(now, &phone, undisturbed);
        }
        let text = presence.map(|presence| presence.text.clone()).unwrap_or_default();
        self.parts.board.handle(now, Input::Person { address, state, text });
    }
}

/// The phone that an address may belong to: its user.
fn phone(address: &str) -> Option<String> {
    Uri::parse(address).ok()?.number()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_an_address_of_sip() {
        for address in ["sip:ingrid@pbx.example", "SIP:2102@pbx.example", "sips:a@b"] {
            assert!(is_sip(address), "{address}");
        }
        for address in ["ingrid@xmpp.example", "sip", "", "é:a@b", "xmpp:sip:a@b"] {
            assert!(!is_sip(address), "{address}");
        }
    }

    #[test]
    fn the_user_of_an_address_may_be_a_phone() {
        assert_eq!(phone("sip:2102@pbx.example").as_deref(), Some("2102"));
        assert_eq!(phone("sip:pbx.example"), None);
    }
}
