//! What is written: calls, notes and tasks are all tasks of Salesforce, the first two done already. `CallObject`,
//! the identifier of a call in the telephone system, carries the desk's id, by which a second attempt finds the
//! first. No network here.

use frontdesk_connector::crm::{item_title, rfc3339, summary, title, written_by};
use frontdesk_connector::serde_json::{Value, json};
use frontdesk_connector::{Call, Direction, Item, ItemKind, Outcome};

/// The longest description and subject, in characters.
const DESCRIPTION: usize = 32_000;
const SUBJECT: usize = 255;

pub(crate) fn call(call: &Call, subject: Option<&str>, done: &str, french: bool) -> Value {
    let kind = match call.direction {
        Direction::Incoming => "Inbound",
        Direction::Outgoing => "Outbound",
    };
    let date = rfc3339(call.started_ms);
    let task = json!({
        "Subject": cut(&title(call.direction, call.outcome, french), SUBJECT),
        "Description": cut(&summary(call, french), DESCRIPTION),
        "Status": done,
        "TaskSubtype": "Call",
        "ActivityDate": date.get(..10),
        "CallType": kind,
        "CallDurationInSeconds": call.talk_ms / 1000,
        "CallDisposition": outcome(call.outcome, french),
        "CallObject": call.id,
    });
    at(task, subject)
}

pub(crate) fn item(item: &Item, subject: Option<&str>, done: &str, french: bool) -> Value {
    let mut task = json!({
        "Subject": cut(&item_title(item.kind, &item.text, french), SUBJECT),
        "Description": cut(&format!("{}\n\n{}", item.text, written_by(item, french)), DESCRIPTION),
        "CallObject": item.id,
    });
    // A task without a status gets the one that tasks begin with there.
    if item.kind == ItemKind::Note
        && let Some(object) = task.as_object_mut()
    {
        object.insert("Status".to_owned(), json!(done));
    }
    at(task, subject)
}

/// Contacts and leads are who, all else is what.
fn at(mut task: Value, subject: Option<&str>) -> Value {
    if let (Some(id), Some(object)) = (subject, task.as_object_mut()) {
        let is_person = id.starts_with("003") || id.starts_with("00Q");
        object.insert(if is_person { "WhoId" } else { "WhatId" }.to_owned(), json!(id));
    }
    task
}

fn outcome(outcome: Outcome, french: bool) -> String {
    let whole = title(Direction::Incoming, outcome, french);
    whole.rsplit(", ").next().unwrap_or_default().to_owned()
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use frontdesk_connector::Party;

    fn party() -> Party {
        Party { numbers: vec!["+41445550001".to_owned()], display_name: None }
    }

    #[test]
    fn a_call_is_a_task_that_is_done() {
        let made = Call {
            id: "desk-1".to_owned(),
            direction: Direction::Incoming,
            outcome: Outcome::Missed,
            remote: party(),
            line: None,
            operator: "Ann".to_owned(),
            started_ms: 1_772_323_199_000,
            ring_ms: 9000,
            talk_ms: 0,
            transferred_to: None,
            subject: None,
        };
        let task = call(&made, Some("00Q000000000001AAA"), "Completed", true);
        assert_eq!((&task["CallType"], &task["CallDisposition"]), (&json!("Inbound"), &json!("manqué")));
        assert_eq!((&task["ActivityDate"], &task["CallObject"]), (&json!("2026-02-28"), &json!("desk-1")));
        assert_eq!((&task["WhoId"], &task["WhatId"]), (&json!("00Q000000000001AAA"), &Value::Null));
        assert_eq!(
            call(&made, Some("001000000000001AAA"), "Completed", true)["WhatId"],
            "001000000000001AAA"
        );
    }

    #[test]
    fn a_note_is_done_and_a_task_is_not() {
        let of = |kind| Item {
            id: "item-1".to_owned(),
            kind,
            remote: party(),
            subject: None,
            text: format!("{}\nsecond line", "é".repeat(300)),
            operator: "Ann".to_owned(),
        };
        let note = item(&of(ItemKind::Note), None, "Erledigt", false);
        assert_eq!(note["Status"], "Erledigt");
        assert!(
            note["Description"]
                .as_str()
                .is_some_and(|text| text.ends_with("second line\n\nBy Ann, +41445550001"))
        );
        assert!(note["Subject"].as_str().is_some_and(|text| text.chars().count() <= SUBJECT));
        assert!(item(&of(ItemKind::Task), None, "Erledigt", false).get("Status").is_none());
    }
}
