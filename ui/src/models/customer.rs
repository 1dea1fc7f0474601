//! A customer as a card, in parts that the screen words. Everything in it was written elsewhere.

use ipc::{CallView, CustomerView};
use slint::SharedString;

use crate::models::cards;
use crate::models::words::{dotted, party_name};
use crate::screen::{CustomerCard, CustomerKind, CustomerLine, ItemFault};

/// Lines on the panel below the calls.
pub(crate) const LINES: usize = 3;
/// Lines on the card of a caller.
const SHORT_LINES: usize = 2;
/// Further matches that are counted; more is a number that nobody reads.
const MOST: u32 = 99;
/// Letters of what stands on one line: what a line cannot show anyway is not laid out.
const ON_A_LINE: usize = 160;

/// The customer of a call.
pub(crate) fn card(call: &CallView) -> CustomerCard {
    let known = call.customer.as_deref();
    let text = |read: fn(&CustomerView) -> &str| known.map(|card| short(read(card))).unwrap_or_default();
    CustomerCard {
        call: cards::id(call.call),
        who: call.party.name.as_deref().unwrap_or_default().into(),
        number: call.party.number.as_deref().unwrap_or_default().into(),
        asked: call.customer_asked,
        known: known.is_some(),
        name: text(|card| &card.name),
        organization: text(|card| card.organization.as_deref().unwrap_or_default()),
        kind: known.map(|card| kind(card.kind)).unwrap_or_default(),
        source: text(|card| &card.plugin_name),
        more: known.map_or(0, |card| card.more.min(MOST).cast_signed()),
        has_page: call.crm.is_some(),
    }
}

/// Its first lines, each cut to what a line can hold.
pub(crate) fn first_lines(call: &CallView) -> Vec<CustomerLine> {
    let lines = call.customer.iter().flat_map(|card| &card.lines).take(LINES);
    lines.map(|line| CustomerLine { label: short(&line.label), value: short(&line.value) }).collect()
}

/// All its lines.
pub(crate) fn lines(card: &CustomerView) -> Vec<CustomerLine> {
    let line = |line: &ipc::CustomerLine| CustomerLine {
        label: line.label.as_str().into(),
        value: line.value.as_str().into(),
    };
    card.lines.iter().map(line).collect()
}

/// In few words, for the card of a caller: the firm and the first lines; the name where it is another than the one
/// that stands there already.
pub(crate) fn in_short(call: &CallView) -> SharedString {
    let Some(card) = call.customer.as_deref() else { return SharedString::default() };
    let shown =
        |text: &str| call.party.name.as_deref() == Some(text) || call.party.company.as_deref() == Some(text);
    let heads = [card.name.as_str(), card.organization.as_deref().unwrap_or_default()];
    let mut parts: Vec<String> = heads
        .into_iter()
        .enumerate()
        .filter(|(place, text)| *place == 1 || !shown(text))
        .map(|(_, text)| text.to_owned())
        .collect();
    parts.extend(card.lines.iter().take(SHORT_LINES).map(|line| match line.label.as_str() {
        "" => line.value.clone(),
        label => format!("{label}: {}", line.value),
    }));
    if parts.iter().all(String::is_empty) {
        parts.push(card.name.clone());
    }
    short(&dotted(parts.iter().map(String::as_str)))
}

/// Whom a note is about.
pub(crate) fn who(party: &ipc::Party) -> SharedString {
    short(&party_name(party))
}

/// What is wrong, and the words of the customer database for it.
pub(crate) fn fault(error: &ipc::CommandError) -> (ItemFault, String) {
    use ipc::{CommandError, ItemProblem};
    let CommandError::Item(problem) = error else { return (ItemFault::Refused, error.to_string()) };
    match problem {
        ItemProblem::NoConnector => (ItemFault::NoConnector, String::new()),
        ItemProblem::NotThere => (ItemFault::NotThere, String::new()),
        ItemProblem::TimedOut => (ItemFault::TimedOut, String::new()),
        ItemProblem::NotAnItem => (ItemFault::NotAnItem, String::new()),
        ItemProblem::Refused { case, words } => {
            let fault = match case.as_str() {
                "auth-failed" => ItemFault::SignIn,
                "forbidden" => ItemFault::NotAllowed,
                "misconfigured" => ItemFault::SetUp,
                "unavailable" | "retry-later" | "timeout" | "wall" => ItemFault::NoAnswer,
                _ => ItemFault::Refused,
            };
            (fault, words.clone())
        }
    }
}

fn kind(kind: ipc::CustomerKind) -> CustomerKind {
    match kind {
        ipc::CustomerKind::Person => CustomerKind::Person,
        ipc::CustomerKind::Company => CustomerKind::Company,
        ipc::CustomerKind::Lead => CustomerKind::Lead,
        ipc::CustomerKind::Deal => CustomerKind::Deal,
        ipc::CustomerKind::Ticket => CustomerKind::Ticket,
        ipc::CustomerKind::Other => CustomerKind::Other,
    }
}

fn short(text: &str) -> SharedString {
    match text.char_indices().nth(ON_A_LINE) {
        Some((end, _)) => slint::format!("{}…", &text[..end]),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenes;

    #[test]
    fn crm_3_a_caller_in_short_does_not_say_the_name_twice() {
        let view = scenes::customer();
        let call = &view.incoming[0];
        let text = in_short(call);
        let name = call.party.name.clone().unwrap_or_default();
        assert!(!text.contains(&name) && text.contains("Contract: Gold"), "{text}");
        let mut other = call.clone();
        other.party.name = Some("ACME SWITCHBOARD".into());
        assert!(in_short(&other).starts_with(&name), "{}", in_short(&other));
    }

    #[test]
    fn crm_3_endless_texts_are_cut_before_they_are_laid_out() {
        let view = scenes::customer_hostile();
        for call in view.incoming.iter().chain(&view.outgoing) {
            for text in first_lines(call).iter().flat_map(|line| [&line.label, &line.value]) {
                assert!(text.chars().count() <= ON_A_LINE + 1);
            }
            assert!(in_short(call).chars().count() <= ON_A_LINE + 1);
        }
    }
}
