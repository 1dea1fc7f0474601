//! What the templates can say of a call, a note or a task.

use frontdesk_connector::crm::{item_title, rfc3339, summary};
use frontdesk_connector::serde_json::{Value, json};
use frontdesk_connector::{Call, Direction, Item, ItemKind, Outcome, Party};

use crate::template::Values;

/// Of a number that is looked for.
pub(crate) const NUMBERS: [&str; 3] = ["number", "e164", "digits"];

/// Of a call.
pub(crate) const CALL: [&str; 16] = [
    "call.id",
    "call.direction",
    "call.outcome",
    "call.number",
    "call.name",
    "call.line",
    "call.operator",
    "call.started",
    "call.started-ms",
    "call.ended",
    "call.ring-seconds",
    "call.talk-seconds",
    "call.transferred-to",
    "call.customer",
    "call.title",
    "call.summary",
];

/// Of a note or a task.
pub(crate) const ITEM: [&str; 8] = [
    "item.id",
    "item.kind",
    "item.text",
    "item.title",
    "item.number",
    "item.name",
    "item.operator",
    "item.customer",
];

pub(crate) fn of_call(call: &Call, french: bool) -> Values {
    let text = summary(call, french);
    let ended = call.started_ms.saturating_add(call.ring_ms).saturating_add(call.talk_ms);
    named(
        &CALL,
        [
            json!(call.id),
            json!(direction(call.direction)),
            json!(outcome(call.outcome)),
            json!(number(&call.remote)),
            json!(call.remote.display_name),
            json!(call.line),
            json!(call.operator),
            json!(rfc3339(call.started_ms)),
            json!(call.started_ms),
            json!(rfc3339(ended)),
            json!(call.ring_ms / 1000),
            json!(call.talk_ms / 1000),
            json!(call.transferred_to),
            json!(call.subject),
            json!(text.lines().next()),
            json!(text),
        ],
    )
}

pub(crate) fn of_item(item: &Item, french: bool) -> Values {
    let kind = if item.kind == ItemKind::Note { "note" } else { "task" };
    named(
        &ITEM,
        [
            json!(item.id),
            json!(kind),
            json!(item.text),
            json!(item_title(item.kind, &item.text, french)),
            json!(number(&item.remote)),
            json!(item.remote.display_name),
            json!(item.operator),
            json!(item.subject),
        ],
    )
}

fn named<const COUNT: usize>(names: &[&str; COUNT], values: [Value; COUNT]) -> Values {
    names.iter().map(|name| (*name).to_owned()).zip(values).collect()
}

fn number(party: &Party) -> Option<&String> {
    party.numbers.first()
}

fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Incoming => "incoming",
        Direction::Outgoing => "outgoing",
    }
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Answered => "answered",
        Outcome::Transferred => "transferred",
        Outcome::Missed => "missed",
        Outcome::Rejected => "rejected",
        Outcome::Forwarded => "forwarded",
        Outcome::Busy => "busy",
        Outcome::Failed => "failed",
    }
}
