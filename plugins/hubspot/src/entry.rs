//! What is written: calls, notes and tasks as HubSpot's activities, linked with the record that was on the screen.
//! Each carries the desk's own id, by which a second attempt finds the first. No network here.

use frontdesk_connector::crm::{html, item_title, summary, title, written_by};
use frontdesk_connector::serde_json::{Map, Value, json};
use frontdesk_connector::{Call, Direction, Item, ItemKind, Outcome};

use crate::find::{Kind, Subject};

/// A search for a call of this id.
pub(crate) fn known_call(id: &str) -> Value {
    let filter = json!({ "propertyName": "hs_call_external_id", "operator": "EQ", "value": id });
    json!({ "filterGroups": [{ "filters": [filter] }], "properties": ["hs_call_external_id"], "limit": 1 })
}

/// A search for notes or tasks that may be of this id: the search knows words, and a hyphen ends one.
pub(crate) fn known_item(body: &str, id: &str) -> Value {
    let filters: Vec<Value> = id
        .split('-')
        .filter(|word| !word.is_empty())
        .take(3)
        .map(|word| json!({ "propertyName": body, "operator": "CONTAINS_TOKEN", "value": word }))
        .collect();
    json!({ "filterGroups": [{ "filters": filters }], "properties": [body], "limit": 100 })
}

/// What stands below the text of a note or task.
pub(crate) fn mark(id: &str) -> String {
    format!("[frontdesk {id}]")
}

pub(crate) fn call(call: &Call, subject: Option<Subject>, french: bool) -> Value {
    let number = call.remote.numbers.first();
    let (direction, numbers) = match call.direction {
        Direction::Incoming => ("INBOUND", "hs_call_from_number"),
        Direction::Outgoing => ("OUTBOUND", "hs_call_to_number"),
    };
    let mut properties = json!({
        "hs_timestamp": call.started_ms,
        "hs_call_title": title(call.direction, call.outcome, french),
        "hs_call_body": html(&summary(call, french)),
        "hs_call_direction": direction,
        "hs_call_duration": call.talk_ms.to_string(),
        "hs_call_status": status(call.outcome),
        "hs_call_external_id": call.id,
    });
    if let (Some(number), Some(object)) = (number, properties.as_object_mut()) {
        object.insert(numbers.to_owned(), json!(number));
    }
    // Types of HubSpot's own associations: call to contact, call to company.
    linked(properties, subject, 194, 182)
}

/// A note, or a task that is due now.
pub(crate) fn item(
    item: &Item,
    subject: Option<Subject>,
    owner: Option<&str>,
    now: u64,
    french: bool,
) -> Value {
    let text = format!("{}<br><br>{}", html(&item.text), html(&signature(item, french)));
    let mut properties = Map::new();
    let mut set = |key: &str, value: Value| properties.insert(key.to_owned(), value);
    set("hs_timestamp", json!(now));
    if let Some(owner) = owner {
        set("hubspot_owner_id", json!(owner));
    }
    if item.kind == ItemKind::Note {
        set("hs_note_body", json!(text));
        return linked(properties.into(), subject, 202, 190);
    }
    set("hs_task_subject", json!(item_title(item.kind, &item.text, french)));
    set("hs_task_body", json!(text));
    set("hs_task_status", json!("NOT_STARTED"));
    set("hs_task_type", json!("TODO"));
    linked(properties.into(), subject, 204, 192)
}

/// Who wrote it, of which number, and the desk's id.
fn signature(item: &Item, french: bool) -> String {
    format!("{} {}", written_by(item, french), mark(&item.id))
}

fn linked(properties: Value, subject: Option<Subject>, contact: u32, company: u32) -> Value {
    let Some(subject) = subject else {
        return json!({ "properties": properties });
    };
    let kind = if subject.kind == Kind::Contact { contact } else { company };
    let types = json!([{ "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind }]);
    let to = json!({ "id": subject.id.to_string() });
    json!({ "properties": properties, "associations": [{ "to": to, "types": types }] })
}

fn status(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Answered | Outcome::Transferred | Outcome::Forwarded => "COMPLETED",
        Outcome::Missed => "NO_ANSWER",
        Outcome::Rejected => "CANCELED",
        Outcome::Busy => "BUSY",
        Outcome::Failed => "FAILED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use frontdesk_connector::Party;

    fn party() -> Party {
        Party { numbers: vec!["+41445550001".to_owned()], display_name: Some("<Zoë>".to_owned()) }
    }

    #[test]
    fn a_call_is_written_at_its_contact() {
        let made = Call {
            id: "desk-1-2".to_owned(),
            direction: Direction::Outgoing,
            outcome: Outcome::Answered,
            remote: party(),
            line: None,
            operator: "Ann".to_owned(),
            started_ms: 1_772_269_500_000,
            ring_ms: 3000,
            talk_ms: 61_000,
            transferred_to: None,
            subject: None,
        };
        let written = call(&made, "contacts/7".parse().ok(), false);
        let properties = &written["properties"];
        assert_eq!(properties["hs_timestamp"], 1_772_269_500_000_u64);
        assert_eq!(
            (&properties["hs_call_duration"], &properties["hs_call_status"]),
            (&json!("61000"), &json!("COMPLETED"))
        );
        assert_eq!(
            (&properties["hs_call_to_number"], &properties["hs_call_direction"]),
            (&json!("+41445550001"), &json!("OUTBOUND"))
        );
        assert!(
            properties["hs_call_body"]
                .as_str()
                .is_some_and(|body| body.contains("&lt;Zoë&gt;<br>Operator: Ann"))
        );
        assert_eq!(written["associations"][0]["to"]["id"], "7");
        assert_eq!(written["associations"][0]["types"][0]["associationTypeId"], 194);
        assert!(call(&made, None, false).get("associations").is_none());
    }

    #[test]
    fn a_task_has_a_title_and_its_mark() {
        let task = Item {
            id: "item-9".to_owned(),
            kind: ItemKind::Task,
            remote: party(),
            subject: None,
            text: "Call back\n<at nine>".to_owned(),
            operator: "Ann".to_owned(),
        };
        let written = item(&task, "companies/9".parse().ok(), Some("77"), 5, true);
        assert_eq!(written["properties"]["hs_task_subject"], "Call back");
        assert_eq!(
            written["properties"]["hs_task_body"],
            "Call back<br>&lt;at nine&gt;<br><br>Par Ann, &lt;Zoë&gt;, +41445550001 [frontdesk item-9]"
        );
        assert_eq!(written["associations"][0]["types"][0]["associationTypeId"], 192);
        let filters = known_item("hs_task_body", &task.id);
        assert_eq!(filters["filterGroups"][0]["filters"][1]["value"], "9");
    }
}
