//! What is written: internal notes in a contact's messages, activities on its list. A message's id is made of the
//! desk's, an activity carries it in its note; by that a second attempt finds the first. No network here.

use frontdesk_connector::crm::{html, item_title, summary, written_by};
use frontdesk_connector::serde_json::{Value, json};
use frontdesk_connector::{Call, Item};

/// The id of a message, as of a mail (RFC 5322 section 3.6.4).
pub(crate) fn message_id(id: &str) -> String {
    format!("<{id}@frontdesk.invalid>")
}

/// What stands in the note of an activity.
pub(crate) fn mark(id: &str) -> String {
    format!("[frontdesk {id}]")
}

pub(crate) fn call(call: &Call, french: bool) -> String {
    html(&summary(call, french))
}

pub(crate) fn item(item: &Item, french: bool) -> String {
    html(&format!("{}\n\n{}", item.text, written_by(item, french)))
}

/// For `message_post`: an internal note, which is sent to nobody.
pub(crate) fn message(contact: u64, message_id: &str, body: &str) -> Value {
    json!({
        "ids": [contact],
        "body": body,
        "body_is_html": true,
        "message_type": "comment",
        "subtype_xmlid": "mail.mt_note",
        "message_id": message_id,
    })
}

/// For `activity_schedule`: something to do, due today.
pub(crate) fn activity(contact: u64, item: &Item, note: &str, user: Option<u64>, french: bool) -> Value {
    let mut activity = json!({
        "ids": [contact],
        "act_type_xmlid": "mail.mail_activity_data_todo",
        "summary": item_title(item.kind, &item.text, french),
        "note": format!("{note}<br>{}", mark(&item.id)),
        "automated": false,
    });
    if let (Some(user), Some(object)) = (user, activity.as_object_mut()) {
        object.insert("user_id".to_owned(), json!(user));
    }
    activity
}

#[cfg(test)]
mod tests {
    use super::*;
    use frontdesk_connector::{ItemKind, Party};

    #[test]
    fn what_was_typed_is_text_and_not_a_page() {
        let task = Item {
            id: "item-1".to_owned(),
            kind: ItemKind::Task,
            remote: Party { numbers: vec!["+41445550001".to_owned()], display_name: None },
            subject: None,
            text: "<script>\nat nine".to_owned(),
            operator: "Ann".to_owned(),
        };
        let note = item(&task, false);
        assert_eq!(note, "&lt;script&gt;<br>at nine<br><br>By Ann, +41445550001");
        let written = activity(7, &task, &note, Some(2), false);
        assert_eq!((&written["ids"], &written["user_id"]), (&json!([7]), &json!(2)));
        assert!(written["note"].as_str().is_some_and(|note| note.ends_with("<br>[frontdesk item-1]")));
        assert!(activity(7, &task, &note, None, false).get("user_id").is_none());
        assert_eq!(message(7, &message_id("a-1"), "x")["message_id"], "<a-1@frontdesk.invalid>");
    }
}
