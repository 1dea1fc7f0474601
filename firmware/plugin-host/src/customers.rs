//! What a customer database is asked and told, through a plugin: cards as they came, once they have been measured,
//! and the words of the socket in those of the interface. One card that cannot be used costs that card.

use ipc::{MAX_CARD_LINES, PluginCall, PluginCard, PluginItem, PluginOutcome, PluginParty};

use crate::connector::{Cancel, Connector};
use crate::contact::{LARGEST_ID, clean, is_web};
use crate::failure::Failure;
use crate::guest::{crm_items, crm_journal, crm_types};

/// The largest card, in bytes of text.
const LARGEST: usize = 16 << 10;
/// Longest label and longest value of a line, in characters.
const LABEL: usize = 100;
const VALUE: usize = 500;
/// The longest address of a page, in bytes.
const LONGEST_URL: usize = 2048;

impl Connector {
    /// Which customers a caller may be, the best match first, for plugins that can be asked; `None` for the others.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn resolve(
        &self,
        caller: &PluginParty,
        limit: u32,
        cancel: &Cancel,
    ) -> Result<Option<Vec<PluginCard>>, Failure> {
        let Some(resolve) = &self.abilities.resolve else { return Ok(None) };
        let caller = party(caller);
        let cards = self.call_now(cancel, |store, instance| {
            resolve.load(&mut *store, instance)?.call_resolve(store, &caller, limit)
        })?;
        if cards.len() > limit as usize {
            return Err(Failure::Contract("more cards than asked for"));
        }
        Ok(Some(cards.into_iter().filter_map(measured).collect()))
    }

    /// Hands over a finished call; `None` from a plugin that keeps none.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn log_call(&self, call: &PluginCall, cancel: &Cancel) -> Result<Option<()>, Failure> {
        let Some(journal) = &self.abilities.journal else { return Ok(None) };
        let call = crm_journal::Call {
            id: call.id.clone(),
            direction: if call.incoming {
                crm_journal::Direction::Incoming
            } else {
                crm_journal::Direction::Outgoing
            },
            outcome: outcome(call.outcome),
            remote: party(&call.remote),
            line: call.line.clone(),
            operator: call.operator.clone(),
            started_ms: u64::try_from(call.started_ms).unwrap_or_default(),
            ring_ms: call.ring_ms,
            talk_ms: call.talk_ms,
            transferred_to: call.transferred_to.clone(),
            subject: call.subject.clone(),
        };
        let logged = self.call_now(cancel, |store, instance| {
            journal.load(&mut *store, instance)?.call_log_call(store, &call)
        });
        logged.map(Some)
    }

    /// Makes a note or a task and says where it can be seen; `None` from a plugin that makes none.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn create_item(&self, item: &PluginItem, cancel: &Cancel) -> Result<Option<Option<String>>, Failure> {
        let Some(items) = &self.abilities.items else { return Ok(None) };
        let item = crm_items::Item {
            id: item.id.clone(),
            kind: if item.task { crm_items::ItemKind::Task } else { crm_items::ItemKind::Note },
            remote: party(&item.remote),
            subject: item.subject.clone(),
            text: item.text.clone(),
            operator: item.operator.clone(),
        };
        let url = self.call_now(cancel, |store, instance| {
            items.load(&mut *store, instance)?.call_create(store, &item)
        })?;
        Ok(Some(url.and_then(|url| page(&url))))
    }
}

fn party(party: &PluginParty) -> crm_types::Party {
    crm_types::Party { numbers: party.numbers.clone(), display_name: party.name.clone() }
}

fn outcome(outcome: PluginOutcome) -> crm_journal::Outcome {
    match outcome {
        PluginOutcome::Answered => crm_journal::Outcome::Answered,
        PluginOutcome::Transferred => crm_journal::Outcome::Transferred,
        PluginOutcome::Missed => crm_journal::Outcome::Missed,
        PluginOutcome::Rejected => crm_journal::Outcome::Rejected,
        PluginOutcome::Forwarded => crm_journal::Outcome::Forwarded,
        PluginOutcome::Busy => crm_journal::Outcome::Busy,
        PluginOutcome::Failed => crm_journal::Outcome::Failed,
    }
}

/// Measures a card; none, if it cannot be used.
fn measured(raw: crm_types::Card) -> Option<PluginCard> {
    let lines: usize = raw.lines.iter().map(|line| line.label.len() + line.value.len()).sum();
    let optional: usize = [&raw.organization, &raw.url].into_iter().flatten().map(String::len).sum();
    let size = raw.id.len() + raw.name.len() + optional + lines;
    let name = clean(&raw.name);
    if !(1..=LARGEST_ID).contains(&raw.id.len()) || size > LARGEST || name.is_empty() {
        return None;
    }
    let cut = |text: &str, most: usize| clean(text).chars().take(most).collect::<String>();
    let lines = raw.lines.iter().map(|line| (cut(&line.label, LABEL), cut(&line.value, VALUE)));
    Some(PluginCard {
        kind: kind(raw.kind).to_owned(),
        id: raw.id,
        name: cut(&name, VALUE),
        organization: raw.organization.map(|name| cut(&name, VALUE)).filter(|name| !name.is_empty()),
        lines: lines.filter(|(_, value)| !value.is_empty()).take(MAX_CARD_LINES).collect(),
        url: raw.url.and_then(|url| page(&url)),
    })
}

fn kind(kind: crm_types::CardKind) -> &'static str {
    match kind {
        crm_types::CardKind::Person => "person",
        crm_types::CardKind::Company => "company",
        crm_types::CardKind::Lead => "lead",
        crm_types::CardKind::Deal => "deal",
        crm_types::CardKind::Ticket => "ticket",
        crm_types::CardKind::Other => "other",
    }
}

/// An address that a browser may be sent to; none for scripts, files and programs.
fn page(url: &str) -> Option<String> {
    let url = clean(url);
    (url.len() <= LONGEST_URL && is_web(&url)).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn card(name: &str) -> crm_types::Card {
        crm_types::Card {
            kind: crm_types::CardKind::Person,
            id: "17".to_owned(),
            name: name.to_owned(),
            organization: Some(" ".to_owned()),
            lines: Vec::new(),
            url: None,
        }
    }

    #[test]
    fn a_card_without_a_name_an_id_or_a_measure_is_none() {
        assert!(measured(card("Anna")).is_some());
        assert!(measured(card(" \n")).is_none());
        assert!(measured(card("\0")).is_none());
        assert!(measured(crm_types::Card { id: String::new(), ..card("Anna") }).is_none());
        assert!(measured(card(&"n".repeat(17 << 10))).is_none());
        assert_eq!(measured(card("Anna")).and_then(|card| card.organization), None);
    }

    #[test]
    fn a_browser_is_sent_to_the_web_and_nowhere_else() {
        let url = |url: &str| measured(crm_types::Card { url: Some(url.to_owned()), ..card("A") })?.url;
        assert_eq!(url("https://crm.example/17").as_deref(), Some("https://crm.example/17"));
        for bad in ["javascript:alert(1)", "file:///etc/passwd", "ms-word:x", "//crm.example", "https://", ""]
        {
            assert_eq!(url(bad), None, "{bad}");
        }
        assert_eq!(url(&format!("https://crm.example/{}", "a".repeat(3000))), None);
    }

    proptest! {
        #[test]
        fn whatever_a_card_says_it_fits_the_screen(
            name in ".{0,600}", lines in proptest::collection::vec((".{0,200}", ".{0,900}"), 0..30)
        ) {
            let line = |(label, value): &(String, String)| crm_types::Line { label: label.clone(), value: value.clone() };
            let raw = crm_types::Card { lines: lines.iter().map(line).collect(), ..card(&name) };
            if let Some(card) = measured(raw) {
                prop_assert!(!card.name.is_empty() && card.name.chars().count() <= VALUE);
                prop_assert!(card.lines.len() <= MAX_CARD_LINES);
                for (label, value) in &card.lines {
                    prop_assert!(label.chars().count() <= LABEL && value.chars().count() <= VALUE);
                    prop_assert!(!value.is_empty() && !value.chars().any(char::is_control));
                }
            }
        }
    }
}
