//! Directories and their contacts (DIR-1, DIR-2).
//!
//! What comes back as an [`Entry`] is what was kept: texts trimmed, presence only in local directories
//! (PRE-2), no picture; [`Store::contact`] and [`Store::picture`] have it, scaled as it was written.

use directory::{Alerts, Contact, Directory, Entry, Field, Picture};
use ipc::{ContactId, DirectoryId, DirectoryLook, EditProblem, RemovalId};
use rusqlite::{Connection, OptionalExtension, Rows, params, params_from_iter, types::Value};
use sha2::{Digest, Sha256};

use crate::{Failure, Store, StoreError, pictures};

/// Most contacts in one directory.
pub const MAX_CONTACTS: u32 = 500_000;

/// Longest name of a directory, in bytes.
const MAX_NAME: usize = 128;

/// Longest note of a directory, in bytes.
pub(crate) const MAX_NOTE: usize = 16 * 1024;

/// The columns of a contact, texts in the order of [`Field::ALL`].
const COLUMNS: &str = "id, directory, last_name, first_name, company, office, department, title, note, phone, mobile, \
    home, voicemail, email, xmpp, calendar, web, presence, alert, alert_once";

impl Store {
    /// Every directory and every contact, contacts without their pictures.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_catalogue(&self) -> Result<(Vec<Directory>, Vec<Entry>), StoreError> {
        self.read("read the contacts", |db| {
            let sql = format!("SELECT {COLUMNS} FROM contact WHERE removal IS NULL ORDER BY id");
            Ok((directories(db)?, entries(db.prepare(&sql)?.query([])?)?))
        })
    }

    /// All directories, without their contacts.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn directories(&self) -> Result<Vec<Directory>, StoreError> {
        self.read("read the directories", directories)
    }

    /// One directory and its contacts, without their pictures; `None` when there is none such.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load_directory(&self, id: DirectoryId) -> Result<Option<(Directory, Vec<Entry>)>, StoreError> {
        self.read("read a directory", |db| {
            let Some(directory) = directories(db)?.into_iter().find(|directory| directory.id == id) else {
                return Ok(None);
            };
            let sql =
                format!("SELECT {COLUMNS} FROM contact WHERE directory = ?1 AND removal IS NULL ORDER BY id");
            Ok(Some((directory, entries(db.prepare(&sql)?.query([id.0])?)?)))
        })
    }

    /// A directory without its contacts.
    ///
    /// # Errors
    /// [`StoreError::NoSuchDirectory`], or the database's.
    pub fn directory(&self, id: DirectoryId) -> Result<Directory, StoreError> {
        self.read("read a directory", |db| directory(db, id))
    }

    /// A contact with its picture, to edit or show it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn contact(&self, id: ContactId) -> Result<Option<Entry>, StoreError> {
        self.read("read a contact", |db| contact(db, id))
    }

    /// The picture of a contact, to show it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn picture(&self, id: ContactId) -> Result<Option<Picture>, StoreError> {
        self.read("read a picture", |db| picture(db, id))
    }

    /// Adds a directory.
    ///
    /// # Errors
    /// [`StoreError::DirectoryName`] when the name is taken, empty or too long; or the database's.
    pub fn add_directory(&mut self, name: &str, local: bool) -> Result<Directory, StoreError> {
        self.write("add a directory", |db| {
            let id = insert_directory(db, name, local, None, "")?;
            directory(db, id)
        })
    }

    /// Changes name, kind, line and note of a directory; its contacts stay.
    ///
    /// # Errors
    /// [`StoreError::NoSuchDirectory`], [`StoreError::DirectoryName`], or the database's.
    pub fn change_directory(&mut self, wanted: &Directory) -> Result<(), StoreError> {
        self.write("change a directory", |db| change_directory(db, wanted))
    }

    /// Adds contacts to a directory, all or none, and gives them identities. One that is there already, equal
    /// in every field, is passed over.
    ///
    /// # Errors
    /// [`StoreError::NoSuchDirectory`], [`StoreError::Contact`], [`StoreError::TooManyContacts`], or the
    /// database's.
    pub fn add_contacts(&mut self, id: DirectoryId, contacts: &[Contact]) -> Result<Vec<Entry>, StoreError> {
        self.write("add contacts", |db| {
            let directory = directory(db, id)?;
            let mut room = room(db, id)?;
            let mut added = Vec::new();
            for contact in contacts {
                added.extend(insert(db, &directory, contact.clone(), &mut room, None)?);
            }
            Ok(added)
        })
    }
}

pub(crate) fn change_directory(db: &Connection, wanted: &Directory) -> Result<(), Failure> {
    let Directory { id, name, local, line, note, look, source: _ } = wanted;
    let name = check_name(db, name, Some(*id))?;
    let sql = "UPDATE directory SET name = ?2, local = ?3, line = ?4, note = ?5, look = ?6 WHERE id = ?1";
    let look = serde_json::to_string(look)
        .map_err(|error| StoreError::Unknown { what: "a look", found: error.to_string() })?;
    match db.execute(sql, params![id.0, name, local, line, clipped(note, MAX_NOTE), look])? {
        0 => Err(StoreError::NoSuchDirectory(*id).into()),
        _ => Ok(()),
    }
}

pub(crate) fn directories(db: &Connection) -> Result<Vec<Directory>, Failure> {
    let mut statement = db.prepare(
        "SELECT id, name, local, line, note, look, source FROM directory WHERE removal IS NULL ORDER BY id",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Directory {
            id: DirectoryId(row.get(0)?),
            name: row.get(1)?,
            local: row.get(2)?,
            line: row.get(3)?,
            note: row.get(4)?,
            look: look(&row.get::<_, String>(5)?),
            source: row.get(6)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How a directory is shown. What an older or newer version wrote and this one cannot read becomes the default:
/// no reason to lose the directory.
fn look(text: &str) -> DirectoryLook {
    serde_json::from_str(text).unwrap_or_default()
}

pub(crate) fn directory(db: &Connection, id: DirectoryId) -> Result<Directory, Failure> {
    let known = directories(db)?.into_iter().find(|directory| directory.id == id);
    known.ok_or_else(|| StoreError::NoSuchDirectory(id).into())
}

/// The directory of that name, whatever its case.
pub(crate) fn directory_named(db: &Connection, name: &str) -> Result<Option<DirectoryId>, Failure> {
    let sql = "SELECT id FROM directory WHERE name = ?1 AND removal IS NULL";
    Ok(db.query_row(sql, [name.trim()], |row| row.get(0)).optional()?.map(DirectoryId))
}

pub(crate) fn insert_directory(
    db: &Connection,
    name: &str,
    local: bool,
    line: Option<&str>,
    note: &str,
) -> Result<DirectoryId, Failure> {
    let name = check_name(db, name, None)?;
    let sql = "INSERT INTO directory (name, local, line, note) VALUES (?1, ?2, ?3, ?4) RETURNING id";
    let id = db.query_row(sql, params![name, local, line, clipped(note, MAX_NOTE)], |row| row.get(0))?;
    Ok(DirectoryId(id))
}

fn check_name<'a>(db: &Connection, name: &'a str, own: Option<DirectoryId>) -> Result<&'a str, Failure> {
    let trimmed = name.trim();
    let refused = |problem| StoreError::DirectoryName { name: clipped(name, MAX_NAME).to_owned(), problem };
    if trimmed.is_empty() {
        return Err(refused(EditProblem::EmptyName).into());
    }
    if trimmed.len() > MAX_NAME || trimmed.chars().any(char::is_control) {
        return Err(refused(EditProblem::BadName).into());
    }
    match directory_named(db, trimmed)? {
        Some(other) if Some(other) != own => Err(refused(EditProblem::NameTaken).into()),
        _ => Ok(trimmed),
    }
}

/// How many more contacts a directory takes.
pub(crate) fn room(db: &Connection, id: DirectoryId) -> Result<u32, Failure> {
    let sql = "SELECT count(*) FROM contact WHERE directory = ?1 AND removal IS NULL";
    let count: u32 = db.query_row(sql, [id.0], |row| row.get(0))?;
    Ok(MAX_CONTACTS.saturating_sub(count))
}

/// Adds one contact; `None` when its equal is there already. Of an import that is not at its end the contacts
/// belong to a removal, and are seen by nobody.
pub(crate) fn insert(
    db: &Connection,
    directory: &Directory,
    mut contact: Contact,
    room: &mut u32,
    hidden: Option<RemovalId>,
) -> Result<Option<Entry>, Failure> {
    let digest = tidy(&mut contact, directory)?;
    let hidden = hidden.map(|removal| removal.0);
    let mut known = db.prepare_cached(
        "SELECT 1 FROM contact WHERE directory = ?1 AND digest = ?2 AND (removal IS NULL OR removal = ?3) LIMIT 1",
    )?;
    if known.exists(params![directory.id.0, digest, hidden])? {
        return Ok(None);
    }
    *room = room.checked_sub(1).ok_or(StoreError::TooManyContacts)?;
    insert_row(db, directory, contact, digest, &Row { hidden, source_id: None }).map(Some)
}

/// What a row has beside its contact.
pub(crate) struct Row<'a> {
    /// The removal it belongs to.
    pub(crate) hidden: Option<i64>,
    /// The source's own identity.
    pub(crate) source_id: Option<&'a str>,
}

/// Adds a contact that [`tidy`] has seen.
pub(crate) fn insert_row(
    db: &Connection,
    directory: &Directory,
    mut contact: Contact,
    digest: Vec<u8>,
    row: &Row<'_>,
) -> Result<Entry, Failure> {
    let marks = vec!["?"; Field::ALL.len() + 7].join(", ");
    let columns = COLUMNS.strip_prefix("id, ").unwrap_or(COLUMNS);
    let sql =
        format!("INSERT INTO contact ({columns}, digest, removal, source_id) VALUES ({marks}) RETURNING id");
    let hidden = row.hidden.map_or(Value::Null, Value::Integer);
    let source = row.source_id.map_or(Value::Null, |id| Value::Text(id.to_owned()));
    let values = values(&contact, directory.id, digest).into_iter().chain([hidden, source]);
    let id = db.prepare_cached(&sql)?.query_row(params_from_iter(values), |row| row.get::<_, i64>(0))?;
    let id = contact_id(id);
    set_picture(db, id, contact.picture.take())?;
    Ok(Entry { id, directory: directory.id, contact })
}

/// A contact by its source's identity, without its picture, and its digest.
pub(crate) fn by_source(
    db: &Connection,
    directory: DirectoryId,
    source_id: &str,
) -> Result<Option<(Entry, Vec<u8>)>, Failure> {
    let sql = format!("SELECT {COLUMNS}, digest FROM contact WHERE directory = ?1 AND source_id = ?2");
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query(params![directory.0, source_id])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some((entry(row)?, row.get(Field::ALL.len() + 5)?)))
}

pub(crate) fn change(db: &Connection, entry: &Entry) -> Result<Entry, Failure> {
    let directory = directory(db, entry.directory)?;
    let mut contact = entry.contact.clone();
    let digest = tidy(&mut contact, &directory)?;
    let columns = COLUMNS.split(", ").skip(1).map(str::trim).chain(["digest"]);
    let set: Vec<String> = columns.map(|column| format!("{column} = ?")).collect();
    let sql = format!("UPDATE contact SET {} WHERE id = ? AND removal IS NULL", set.join(", "));
    let values =
        values(&contact, directory.id, digest).into_iter().chain([Value::Integer(id_value(entry.id))]);
    if db.prepare_cached(&sql)?.execute(params_from_iter(values))? == 0 {
        return Err(StoreError::NoSuchContact(entry.id).into());
    }
    set_picture(db, entry.id, contact.picture.take())?;
    Ok(Entry { id: entry.id, directory: directory.id, contact })
}

/// Brings a contact into the form that is kept and takes its digest.
pub(crate) fn tidy(contact: &mut Contact, directory: &Directory) -> Result<Vec<u8>, Failure> {
    contact.trim();
    contact.presence &= directory.local;
    contact.check().map_err(StoreError::from)?;
    contact.picture = contact.picture.take().map(pictures::scaled).transpose().map_err(StoreError::from)?;
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    Field::ALL.iter().for_each(|&field| part(contact.text(field).as_bytes()));
    part(&[u8::from(contact.presence)]);
    part(contact.alert.to_string().as_bytes());
    part(contact.picture.as_ref().map(Picture::bytes).unwrap_or_default());
    Ok(hash.finalize().to_vec())
}

/// In the order of [`COLUMNS`] without `id`, then the digest.
fn values(contact: &Contact, directory: DirectoryId, digest: Vec<u8>) -> Vec<Value> {
    let texts = Field::ALL.iter().map(|&field| Value::Text(contact.text(field).to_owned()));
    [Value::Integer(directory.0.into())]
        .into_iter()
        .chain(texts)
        .chain([
            Value::Integer(contact.presence.into()),
            Value::Text(contact.alert.to_string()),
            Value::Integer(contact.alert.contains(Alerts::ONCE).into()),
            Value::Blob(digest),
        ])
        .collect()
}

fn set_picture(db: &Connection, id: ContactId, picture: Option<Picture>) -> Result<(), Failure> {
    let id = id_value(id);
    db.prepare_cached("DELETE FROM picture WHERE contact = ?1")?.execute([id])?;
    if let Some(picture) = picture {
        let mut statement = db.prepare_cached("INSERT INTO picture (contact, bytes) VALUES (?1, ?2)")?;
        statement.execute(params![id, picture.bytes()])?;
    }
    Ok(())
}

pub(crate) fn contact(db: &Connection, id: ContactId) -> Result<Option<Entry>, Failure> {
    let sql = format!("SELECT {COLUMNS} FROM contact WHERE id = ?1 AND removal IS NULL");
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query([id_value(id)])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let mut entry = entry(row)?;
    entry.contact.picture = picture(db, id)?;
    Ok(Some(entry))
}

/// The contacts of a directory whose phones are monitored, with their pictures.
pub(crate) fn watched(db: &Connection, id: DirectoryId) -> Result<Vec<Entry>, Failure> {
    let sql = format!(
        "SELECT {COLUMNS} FROM contact WHERE directory = ?1 AND removal IS NULL AND presence ORDER BY id"
    );
    let mut watched = entries(db.prepare(&sql)?.query([id.0])?)?;
    for entry in &mut watched {
        entry.contact.picture = picture(db, entry.id)?;
    }
    Ok(watched)
}

/// Hands each contact of a directory, with its picture, to `each`.
pub(crate) fn for_each(
    db: &Connection,
    id: DirectoryId,
    mut each: impl FnMut(&Contact) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let sql = format!("SELECT {COLUMNS} FROM contact WHERE directory = ?1 AND removal IS NULL ORDER BY id");
    let mut statement = db.prepare(&sql)?;
    let mut rows = statement.query([id.0])?;
    while let Some(row) = rows.next()? {
        let mut entry = entry(row)?;
        entry.contact.picture = picture(db, entry.id)?;
        each(&entry.contact)?;
    }
    Ok(())
}

fn picture(db: &Connection, id: ContactId) -> Result<Option<Picture>, Failure> {
    let mut statement = db.prepare_cached("SELECT bytes FROM picture WHERE contact = ?1")?;
    let bytes: Option<Vec<u8>> = statement.query_row([id_value(id)], |row| row.get(0)).optional()?;
    let picture = bytes.map(|bytes| Picture::new(&bytes)).transpose();
    Ok(picture.map_err(|error| StoreError::Unknown { what: "a picture", found: error.to_string() })?)
}

fn entries(mut rows: Rows<'_>) -> Result<Vec<Entry>, Failure> {
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(entry(row)?);
    }
    Ok(entries)
}

fn entry(row: &rusqlite::Row<'_>) -> Result<Entry, Failure> {
    let mut contact = Contact::default();
    for (at, field) in Field::ALL.into_iter().enumerate() {
        *contact.text_mut(field) = row.get(at + 2)?;
    }
    contact.presence = row.get(Field::ALL.len() + 2)?;
    let alert: String = row.get(Field::ALL.len() + 3)?;
    contact.alert =
        alert.parse().map_err(|_| StoreError::Unknown { what: "an alert", found: alert.clone() })?;
    if row.get(Field::ALL.len() + 4)? {
        contact.alert = contact.alert.with(Alerts::ONCE);
    }
    Ok(Entry { id: contact_id(row.get(0)?), directory: DirectoryId(row.get(1)?), contact })
}

/// Identities are given by SQLite, from 1 upwards.
pub(crate) fn contact_id(id: i64) -> ContactId {
    ContactId(id.cast_unsigned())
}

/// An identity beyond what SQLite gives becomes one that no contact has.
pub(crate) fn id_value(id: ContactId) -> i64 {
    i64::try_from(id.0).unwrap_or(-1)
}

/// The text, or as much of it as fits.
pub(crate) fn clipped(text: &str, max: usize) -> &str {
    let end = (0..=max.min(text.len())).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    &text[..end]
}
