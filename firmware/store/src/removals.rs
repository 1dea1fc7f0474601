//! What was removed, kept for a while so that it can be brought back.
//!
//! Removed contacts and directories stay in their tables and belong to a row of `removal`; whoever reads contacts
//! passes them over. A removal is forgotten, with all that belongs to it, after a day, or when there are
//! [`MAX_REMOVALS`] newer ones.

use directory::Contact;
use ipc::{ContactId, DirectoryId, RemovalId, Removed};
use rusqlite::{Connection, OptionalExtension, params};

use crate::contacts::{contact, contact_id, directory, directory_named, id_value};
use crate::{Failure, Store, StoreError};

/// Removals that can be undone.
const MAX_REMOVALS: i64 = 20;

/// How long a removal can be undone, in milliseconds.
const KEPT_MS: i64 = 24 * 3600 * 1000;

/// Something that was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// For [`Store::undo_removal`].
    pub id: RemovalId,
    /// What it was.
    pub what: Removed,
}

impl Store {
    /// Removes a contact. `now` is in Unix milliseconds.
    ///
    /// # Errors
    /// [`StoreError::NoSuchContact`], or the database's.
    pub fn remove_contact(&mut self, id: ContactId, now: i64) -> Result<Removal, StoreError> {
        self.write("remove a contact", |db| remove_contact(db, id, now))
    }

    /// Removes a directory's contacts. `now` is in Unix milliseconds.
    ///
    /// # Errors
    /// [`StoreError::NoSuchDirectory`], or the database's.
    pub fn clear_directory(&mut self, id: DirectoryId, now: i64) -> Result<Removal, StoreError> {
        self.write("clear a directory", |db| clear_directory(db, id, now))
    }

    /// Removes a directory and its contacts. `now` is in Unix milliseconds.
    ///
    /// # Errors
    /// [`StoreError::NoSuchDirectory`], or the database's.
    pub fn remove_directory(&mut self, id: DirectoryId, now: i64) -> Result<Removal, StoreError> {
        self.write("remove a directory", |db| remove_directory(db, id, now))
    }

    /// Brings back what was removed; says which directories have changed.
    ///
    /// # Errors
    /// [`StoreError::NothingToUndo`], or the database's.
    pub fn undo_removal(&mut self, removal: RemovalId) -> Result<Vec<DirectoryId>, StoreError> {
        self.write("undo a removal", |db| undo(db, removal))
    }

    /// Forgets what an interrupted import or an old removal left.
    ///
    /// # Errors
    /// The database's.
    pub fn tidy_up(&mut self, now: i64) -> Result<(), StoreError> {
        self.write("forget what was removed", |db| {
            db.execute("DELETE FROM removal WHERE what = ?1", [STAGED])?;
            forget_old(db, now)
        })
    }
}

/// Stands for what was removed where nothing was: contacts of an import that is not at its end.
const STAGED: &str = "import";

pub(crate) fn remove_contact(db: &Connection, id: ContactId, now: i64) -> Result<Removal, Failure> {
    let entry = contact(db, id)?.ok_or(StoreError::NoSuchContact(id))?;
    let removal = new(db, now, Removed::Contact { name: Contact::display_name(&entry.contact) }, None)?;
    let sql = "UPDATE contact SET removal = ?2 WHERE id = ?1";
    db.execute(sql, params![id_value(id), removal.id.0])?;
    Ok(removal)
}

pub(crate) fn clear_directory(db: &Connection, id: DirectoryId, now: i64) -> Result<Removal, Failure> {
    let directory = directory(db, id)?.name;
    let removal = new(db, now, Removed::Contacts { count: count(db, id)?, directory }, None)?;
    remove_all(db, id, removal.id)?;
    Ok(removal)
}

pub(crate) fn remove_directory(db: &Connection, id: DirectoryId, now: i64) -> Result<Removal, Failure> {
    let name = directory(db, id)?.name;
    let what = Removed::Directory { count: count(db, id)?, directory: name.clone() };
    let removal = new(db, now, what, Some(&name))?;
    remove_all(db, id, removal.id)?;
    // A name nobody can choose, so that the old one is free.
    let sql = "UPDATE directory SET removal = ?2, name = char(1) || id WHERE id = ?1";
    db.execute(sql, params![id.0, removal.id.0])?;
    Ok(removal)
}

pub(crate) fn undo(db: &Connection, removal: RemovalId) -> Result<Vec<DirectoryId>, Failure> {
    let sql = "SELECT name FROM removal WHERE id = ?1 AND what <> ?2";
    let name: Option<Option<String>> =
        db.query_row(sql, params![removal.0, STAGED], |row| row.get(0)).optional()?;
    let name = name.ok_or(StoreError::NothingToUndo)?;
    let changed = match name {
        Some(name) => {
            let name = free_name(db, &name)?;
            let sql = "UPDATE directory SET removal = NULL, name = ?2 WHERE removal = ?1 RETURNING id";
            let id: Option<u32> = db.query_row(sql, params![removal.0, name], |row| row.get(0)).optional()?;
            id.into_iter().map(DirectoryId).collect()
        }
        None => homes(db, removal)?,
    };
    // Its directory may have been removed after it.
    if changed.is_empty() {
        return Err(StoreError::NothingToUndo.into());
    }
    let sql = "UPDATE contact SET removal = NULL WHERE removal = ?1 \
        AND directory IN (SELECT id FROM directory WHERE removal IS NULL)";
    db.execute(sql, [removal.0])?;
    db.execute("DELETE FROM removal WHERE id = ?1", [removal.0])?;
    Ok(changed)
}

/// The directories of what was removed, as far as they are there.
fn homes(db: &Connection, removal: RemovalId) -> Result<Vec<DirectoryId>, Failure> {
    let sql = "SELECT DISTINCT contact.directory FROM contact JOIN directory ON directory.id = contact.directory \
        WHERE contact.removal = ?1 AND directory.removal IS NULL";
    let mut statement = db.prepare(sql)?;
    let rows = statement.query_map([removal.0], |row| row.get(0).map(DirectoryId))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The contacts of a removal, when they were removed one by one.
pub(crate) fn contacts(db: &Connection, removal: RemovalId) -> Result<Vec<ContactId>, Failure> {
    // Of a whole directory nobody asks who came back.
    let sql = "SELECT id FROM contact WHERE removal = ?1 LIMIT 2";
    let mut statement = db.prepare(sql)?;
    let rows = statement.query_map([removal.0], |row| row.get(0).map(contact_id))?;
    let found: Vec<ContactId> = rows.collect::<Result<_, _>>()?;
    Ok(if found.len() == 1 { found } else { Vec::new() })
}

/// Begins an import: what is added to the removal returned is seen by nobody until [`show`].
pub(crate) fn stage(db: &Connection, now: i64) -> Result<RemovalId, Failure> {
    let sql = "INSERT INTO removal (at, what) VALUES (?1, ?2) RETURNING id";
    Ok(RemovalId(db.query_row(sql, params![now, STAGED], |row| row.get(0))?))
}

/// Ends an import well.
pub(crate) fn show(db: &Connection, staged: RemovalId) -> Result<(), Failure> {
    db.execute("UPDATE contact SET removal = NULL WHERE removal = ?1", [staged.0])?;
    forget(db, staged)
}

/// Ends an import badly: nothing of it stays.
pub(crate) fn forget(db: &Connection, removal: RemovalId) -> Result<(), Failure> {
    db.execute("DELETE FROM removal WHERE id = ?1", [removal.0])?;
    Ok(())
}

fn new(db: &Connection, now: i64, what: Removed, name: Option<&str>) -> Result<Removal, Failure> {
    forget_old(db, now)?;
    let text = serde_json::to_string(&what)
        .map_err(|error| StoreError::Unknown { what: "a removal", found: error.to_string() })?;
    let sql = "INSERT INTO removal (at, what, name) VALUES (?1, ?2, ?3) RETURNING id";
    let id = db.query_row(sql, params![now, text, name], |row| row.get(0))?;
    Ok(Removal { id: RemovalId(id), what })
}

fn forget_old(db: &Connection, now: i64) -> Result<(), Failure> {
    let sql =
        "DELETE FROM removal WHERE what <> ?1 AND (at < ?2 OR id <= (SELECT max(id) FROM removal) - ?3)";
    db.execute(sql, params![STAGED, now.saturating_sub(KEPT_MS), MAX_REMOVALS])?;
    Ok(())
}

fn remove_all(db: &Connection, id: DirectoryId, removal: RemovalId) -> Result<(), Failure> {
    let sql = "UPDATE contact SET removal = ?2 WHERE directory = ?1 AND removal IS NULL";
    db.execute(sql, params![id.0, removal.0])?;
    Ok(())
}

fn count(db: &Connection, id: DirectoryId) -> Result<u32, Failure> {
    let sql = "SELECT count(*) FROM contact WHERE directory = ?1 AND removal IS NULL";
    Ok(db.query_row(sql, [id.0], |row| row.get(0))?)
}

/// The name, or the next one of its kind that no directory has: "Staff (2)".
pub(crate) fn free_name(db: &Connection, name: &str) -> Result<String, Failure> {
    let mut wanted = name.to_owned();
    for number in 2.. {
        if directory_named(db, &wanted)?.is_none() {
            break;
        }
        wanted = format!("{name} ({number})");
    }
    Ok(wanted)
}
