//! What was changed of a contact by hand, when and by whom.

use directory::{Contact, Entry, Field};
use ipc::{ContactChange, ContactChangeKind, ContactField, ContactId, TextChange};
use rusqlite::{Connection, params};

use crate::contacts::id_value;
use crate::{Failure, Store, StoreError};

/// Changes shown of one contact.
const MAX_SHOWN: u32 = 50;

/// Changes kept of all contacts; the oldest give way.
const MAX_KEPT: i64 = 100_000;

/// As much of a text as is kept, in characters.
const MAX_TEXT: usize = 200;

impl Store {
    /// What was changed of a contact, newest first, at most the last fifty changes.
    ///
    /// # Errors
    /// The database's.
    pub fn contact_history(&self, id: ContactId) -> Result<Vec<ContactChange>, StoreError> {
        self.read("read what was changed", |db| {
            let sql = "SELECT at, by, what FROM contact_change WHERE contact = ?1 ORDER BY id DESC LIMIT ?2";
            let mut statement = db.prepare_cached(sql)?;
            let mut rows = statement.query(params![id_value(id), MAX_SHOWN])?;
            let mut history = Vec::new();
            while let Some(row) = rows.next()? {
                let what: String = row.get(2)?;
                // A change in words of another version is not worth losing the others.
                if let Ok(what) = serde_json::from_str(&what) {
                    history.push(ContactChange { at_unix_ms: row.get(0)?, by: row.get(1)?, what });
                }
            }
            Ok(history)
        })
    }
}

/// Writes down what was done to a contact.
pub(crate) fn note(
    db: &Connection,
    contact: ContactId,
    (by, at): (&str, i64),
    what: &ContactChangeKind,
) -> Result<(), Failure> {
    let what = serde_json::to_string(what)
        .map_err(|error| StoreError::Unknown { what: "a change", found: error.to_string() })?;
    let sql = "INSERT INTO contact_change (contact, at, by, what) VALUES (?1, ?2, ?3, ?4)";
    db.prepare_cached(sql)?.execute(params![id_value(contact), at, by, what])?;
    let old = "DELETE FROM contact_change WHERE id <= (SELECT max(id) FROM contact_change) - ?1";
    db.prepare_cached(old)?.execute([MAX_KEPT])?;
    Ok(())
}

/// The difference between two states of a contact; `None` when there is none.
pub(crate) fn difference(before: &Entry, after: &Entry) -> Option<ContactChangeKind> {
    let (old, new) = (&before.contact, &after.contact);
    let changed = Field::ALL.into_iter().filter(|&field| old.text(field) != new.text(field));
    let texts: Vec<TextChange> = changed.map(|field| text(field, old, new)).collect();
    let otherwise = before.directory != after.directory
        || old.presence != new.presence
        || old.alert != new.alert
        || old.picture != new.picture;
    (otherwise || !texts.is_empty()).then_some(ContactChangeKind::Changed { texts, otherwise })
}

fn text(field: Field, old: &Contact, new: &Contact) -> TextChange {
    let part = |contact: &Contact| contact.text(field).chars().take(MAX_TEXT).collect();
    TextChange { field: word(field), before: part(old), after: part(new) }
}

/// What the screen calls a field.
pub(crate) fn word(field: Field) -> ContactField {
    match field {
        Field::LastName => ContactField::LastName,
        Field::FirstName => ContactField::FirstName,
        Field::Company => ContactField::Company,
        Field::Office => ContactField::Office,
        Field::Department => ContactField::Department,
        Field::Title => ContactField::Title,
        Field::Note => ContactField::Note,
        Field::Phone => ContactField::Phone,
        Field::Mobile => ContactField::Mobile,
        Field::Home => ContactField::Home,
        Field::Voicemail => ContactField::Voicemail,
        Field::Email => ContactField::Email,
        Field::Xmpp => ContactField::Xmpp,
        Field::Calendar => ContactField::Calendar,
        Field::Web => ContactField::Web,
    }
}
