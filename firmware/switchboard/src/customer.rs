//! What customer databases say of the other end of a call (CRM-3), and the name a caller has from there.
//!
//! They are asked once for each number that a call has, and nothing here waits for them: a call rings, is answered
//! and ends as if there were none. What comes late, twice, or for a number that the call no longer has changes
//! nothing that it should not. Asking them is not done here (`frontdeskd`).

use std::sync::Arc;

use ipc::{CallRef, CrmView, CustomerRef, CustomerView, Party};

use crate::Effect;
use crate::call::{Call, Ms, State};
use crate::switchboard::Switchboard;

/// How long the page of a call waits for a better one before it opens by itself.
const PAGE_WAITS_MS: Ms = 1_000;

/// After this nobody will answer any more.
const ANSWER_MS: Ms = 10_000;

/// Of one call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Customer {
    /// The number that all of this is about.
    number: Option<String>,
    known: Known,
    /// The number that the directories were asked for and do not have.
    stranger: Option<String>,
    /// A name was asked for.
    searched: bool,
    found: Option<Named>,
    /// The call's name is from here; which connector gave it.
    named_by: Option<String>,
}

#[derive(Clone, Debug, Default)]
enum Known {
    #[default]
    NotAsked,
    /// Since when.
    Asked {
        since: Ms,
        page_waits: bool,
    },
    Card(Arc<CustomerView>),
    Nobody,
}

#[derive(Clone, Debug)]
struct Named {
    name: String,
    company: Option<String>,
    by: String,
}

impl Customer {
    pub(crate) fn card(&self) -> Option<&Arc<CustomerView>> {
        match &self.known {
            Known::Card(card) => Some(card),
            _ => None,
        }
    }

    pub(crate) fn is_asked(&self) -> bool {
        matches!(self.known, Known::Asked { .. })
    }

    /// A better page may come.
    pub(crate) fn waits(&self) -> bool {
        matches!(self.known, Known::Asked { page_waits: true, .. })
    }

    pub(crate) fn named_by(&self) -> Option<&str> {
        self.named_by.as_deref()
    }

    /// The record that was shown.
    pub(crate) fn record(&self) -> Option<CustomerRef> {
        self.card().map(|card| CustomerRef { plugin: card.plugin.clone(), id: card.id.clone() })
    }

    /// The directories have said who a party is, as far as they know.
    pub(crate) fn directories_asked(&mut self, party: &Party) {
        self.named_by = None;
        self.stranger = party.number.clone().filter(|_| party.matched.is_none());
    }

    /// What is known is of the number that the call has, and a name from here is there.
    pub(crate) fn check(&self, call: &Call) {
        let is_own = self.number == call.party.number || is_over(call);
        assert!(is_own, "{:?} has somebody else's customer", call.id);
        let named = call.party.name.is_some() || is_over(call);
        assert!(self.named_by.is_none() || named, "{:?} lost the name it had", call.id);
    }

    /// When the next waiting is over.
    fn due(&self) -> Option<Ms> {
        match self.known {
            Known::Asked { since, page_waits: true } => Some(since + PAGE_WAITS_MS),
            Known::Asked { since, page_waits: false } => Some(since + ANSWER_MS),
            _ => None,
        }
    }

    /// The name a caller has here: the card's, else the one that was looked up.
    fn name(&self) -> Option<Named> {
        let card = self.card().map(|card| Named {
            name: card.name.clone(),
            company: card.organization.clone(),
            by: card.plugin_name.clone(),
        });
        card.or_else(|| self.found.clone())
    }
}

impl Switchboard {
    /// What the connectors offer from now on.
    pub(crate) fn connectors(&mut self, crm: CrmView) {
        if self.desk.crm != crm {
            self.desk.crm = crm;
            self.touch();
        }
    }

    /// Who has a number, or that nobody is known. That nobody is known takes no card away.
    pub(crate) fn customer_known(&mut self, id: CallRef, number: &str, customer: Option<Box<CustomerView>>) {
        let Some(call) = self.calls.get_mut(&id).filter(|call| is_about(call, number)) else { return };
        match (customer, &call.customer.known) {
            (_, Known::NotAsked) | (None, Known::Card(_) | Known::Nobody) => return,
            (None, Known::Asked { .. }) => call.customer.known = Known::Nobody,
            (Some(card), _) => call.customer.known = Known::Card(Arc::from(card)),
        }
        self.touch();
    }

    /// Somebody has a number that no directory has.
    pub(crate) fn caller_named(
        &mut self,
        id: CallRef,
        number: &str,
        name: String,
        company: Option<String>,
        by: String,
    ) {
        let asked = |call: &&mut Call| is_about(call, number) && call.customer.searched;
        if let Some(call) = self.calls.get_mut(&id).filter(asked) {
            call.customer.found = Some(Named { name, company, by });
        }
    }

    /// After each turn: what has a number that nobody was asked about is asked about, and who has no name gets one.
    pub(crate) fn settle_customers(&mut self, now: Ms) {
        let crm = self.desk.crm;
        let mut effects = Vec::new();
        let mut renamed = Vec::new();
        for call in self.calls.values_mut().filter(|call| !is_over(call)) {
            let Call { id, party, customer, .. } = call;
            if customer.number != party.number {
                // Another conversation; only what the directories said of this number still counts.
                let stranger = customer.stranger.take();
                *customer = Customer { number: party.number.clone(), stranger, ..Customer::default() };
            }
            let Some(number) = party.number.clone().filter(|number| !number.is_empty()) else { continue };
            if crm.customers && matches!(customer.known, Known::NotAsked) {
                customer.known = Known::Asked { since: now, page_waits: true };
                let name = party.name.clone();
                effects.push(Effect::AskCustomer { call: *id, number: number.clone(), name });
            }
            if crm.names && !customer.searched && customer.stranger.as_ref() == Some(&number) {
                customer.searched = true;
                effects.push(Effect::LookUpCaller { call: *id, number });
            }
            if party.name.as_deref().is_none_or(str::is_empty) || customer.named_by.is_some() {
                renamed.extend(rename(party, customer).then(|| (*id, party.clone())));
            }
        }
        if !effects.is_empty() || !renamed.is_empty() {
            self.touch();
        }
        for (call, party) in renamed {
            self.ledger.rename(call, &party);
        }
        for effect in effects {
            self.emit(effect);
        }
    }

    pub(crate) fn customer_deadline(&self) -> Option<Ms> {
        self.calls.values().filter_map(|call| call.customer.due()).min()
    }

    /// What has waited long enough for a better page opens the one it has, and what has waited too long gets none.
    pub(crate) fn expire_customers(&mut self, now: Ms) {
        let mut over = false;
        for customer in self.calls.values_mut().map(|call| &mut call.customer) {
            while customer.due().is_some_and(|due| due <= now) {
                customer.known = match customer.known {
                    Known::Asked { since, page_waits: true } => Known::Asked { since, page_waits: false },
                    _ => Known::Nobody,
                };
                over = true;
            }
        }
        if over {
            self.touch();
        }
    }
}

fn is_about(call: &Call, number: &str) -> bool {
    !is_over(call) && call.customer.number.as_deref() == Some(number)
}

fn is_over(call: &Call) -> bool {
    matches!(call.state(), State::Ending { .. })
}

/// Gives a party the name that is known here; `false` when it has it already or there is none.
fn rename(party: &mut Party, customer: &mut Customer) -> bool {
    let Some(Named { name, company, by }) = customer.name() else { return false };
    let is_new = party.name.as_ref() != Some(&name) || customer.named_by.as_ref() != Some(&by);
    if is_new {
        (party.name, party.company, customer.named_by) = (Some(name), company, Some(by));
    }
    is_new
}
