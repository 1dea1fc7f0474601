//! What was removed, kept for a while so that it can be brought back.
//!
//! Removed contacts and directories stay in their tables and belong to a row of `removal`; whoever reads contacts
//! passes them over. A removal is forgotten, with all that belongs to it, after a day, or when there are
//! [`MAX_REMOVALS`] newer ones. What nobody has removed, the directory of a connector that is missing, stays longer.

use directory::Contact;
use ipc::{ContactId, DirectoryId, RemovalId, Removed};
use rusqlite::{Connection, OptionalExtension, Params, params};

use crate::contacts::{contact, contact_id, directory, directory_named, id_value};
use crate::{Failure, Store, StoreError};

/// Removals that can be undone.
const MAX_REMOVALS: i64 = 20;

/// How long a removal can be undone, in milliseconds.
const KEPT_MS: i64 = 24 * 3600 * 1000;

/// How long the directory of a connector that is missing waits for it, in milliseconds: as its finished calls do.
const MISSING_MS: i64 = 30 * 24 * 3600 * 1000;

/// Contacts forgotten in one transaction.
const PART: i64 = 1_000;

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

    /// Forgets what an interrupted import or an old removal left. `now` is in Unix milliseconds.
    ///
    /// # Errors
    /// The database's; what is left is seen by nobody, and is forgotten by the next call.
    pub fn tidy_up(&mut self, now: i64) -> Result<(), StoreError> {
        let (staged, old) = self.read("look for what was removed", |db| {
            let staged = ids(db, "what = ?1", [STAGED])?;
            Ok((staged, ids(db, OLD, bounds(now))?))
        })?;
        staged.into_iter().try_for_each(|removal| self.end_badly(removal))?;
        old.into_iter().try_for_each(|removal| {
            self.forget_contacts(removal)?;
            self.write("forget what was removed", |db| forget(db, removal))
        })
    }

    /// Ends an import badly: nothing of it stays, nor does the directory that was made for it.
    pub(crate) fn end_badly(&mut self, staged: RemovalId) -> Result<(), StoreError> {
        self.forget_contacts(staged)?;
        self.write("give up an import", |db| {
            // Somebody may have added a contact to it meanwhile, or removed it.
            let sql = "DELETE FROM directory WHERE removal IS NULL \
                AND id = (SELECT CAST(name AS INTEGER) FROM removal WHERE id = ?1) \
                AND NOT EXISTS (SELECT 1 FROM contact WHERE contact.directory = directory.id)";
            db.execute(sql, [staged.0])?;
            forget(db, staged)
        })
    }

    /// Forgets the contacts of a removal a part at a time. On a disk that is full there is no room for the log of them
    /// all, and whoever else writes gets a turn between two parts.
    fn forget_contacts(&mut self, removal: RemovalId) -> Result<(), StoreError> {
        let sql = "DELETE FROM contact WHERE id IN (SELECT id FROM contact WHERE removal = ?1 LIMIT ?2)";
        while self.write("forget what was removed", |db| Ok(db.execute(sql, params![removal.0, PART])?))? > 0
        {
            // The next part is written over the log of this one. Where somebody reads, that is done later.
            let _ = self.db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        }
        Ok(())
    }
}

/// Stands for what was removed where nothing was: contacts of an import that is not at its end. The name is then the
/// identity of the directory that was made for it.
const STAGED: &str = "import";

/// Stands for what was removed where nobody did: the directory of a connector that is missing.
const MISSING: &str = "missing";

/// The removals that are forgotten, with [`bounds`].
const OLD: &str = "what NOT IN (?1, ?2) AND (at < ?3 OR id <= (SELECT max(id) FROM removal) - ?4) \
    OR what = ?2 AND at < ?5";

fn bounds(now: i64) -> (&'static str, &'static str, i64, i64, i64) {
    (STAGED, MISSING, now.saturating_sub(KEPT_MS), MAX_REMOVALS, now.saturating_sub(MISSING_MS))
}

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
    hide(db, id, removal.id)?;
    Ok(removal)
}

/// Puts aside the directory of a connector that is missing.
pub(crate) fn put_aside(db: &Connection, id: DirectoryId, now: i64) -> Result<(), Failure> {
    let removal = insert(db, now, MISSING, Some(&directory(db, id)?.name))?;
    hide(db, id, removal)
}

/// Brings back the directory of a connector that was missing, if one was put aside.
pub(crate) fn bring_back(db: &Connection, source: &str) -> Result<Option<DirectoryId>, Failure> {
    let sql = "SELECT removal.id FROM directory JOIN removal ON removal.id = directory.removal \
        WHERE directory.source = ?1 AND removal.what = ?2 ORDER BY removal.id DESC LIMIT 1";
    let removal: Option<i64> = db.query_row(sql, [source, MISSING], |row| row.get(0)).optional()?;
    match removal {
        Some(removal) => Ok(undo(db, RemovalId(removal))?.into_iter().next()),
        None => Ok(None),
    }
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

/// Begins an import, for which a directory may have been made: what is added to the removal returned is seen by nobody
/// until [`show`].
pub(crate) fn stage(db: &Connection, now: i64, made: Option<DirectoryId>) -> Result<RemovalId, Failure> {
    insert(db, now, STAGED, made.map(|id| id.0.to_string()).as_deref())
}

/// Ends an import well.
pub(crate) fn show(db: &Connection, staged: RemovalId) -> Result<(), Failure> {
    db.execute("UPDATE contact SET removal = NULL WHERE removal = ?1", [staged.0])?;
    forget(db, staged)
}

fn forget(db: &Connection, removal: RemovalId) -> Result<(), Failure> {
    db.execute("DELETE FROM removal WHERE id = ?1", [removal.0])?;
    Ok(())
}

fn new(db: &Connection, now: i64, what: Removed, name: Option<&str>) -> Result<Removal, Failure> {
    forget_old(db, now)?;
    let text = serde_json::to_string(&what)
        .map_err(|error| StoreError::Unknown { what: "a removal", found: error.to_string() })?;
    Ok(Removal { id: insert(db, now, &text, name)?, what })
}

fn insert(db: &Connection, now: i64, what: &str, name: Option<&str>) -> Result<RemovalId, Failure> {
    let sql = "INSERT INTO removal (at, what, name) VALUES (?1, ?2, ?3) RETURNING id";
    Ok(RemovalId(db.query_row(sql, params![now, what, name], |row| row.get(0))?))
}

fn ids(db: &Connection, which: &str, bounds: impl Params) -> Result<Vec<RemovalId>, Failure> {
    let mut statement = db.prepare(&format!("SELECT id FROM removal WHERE {which} ORDER BY id"))?;
    let rows = statement.query_map(bounds, |row| row.get(0).map(RemovalId))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn forget_old(db: &Connection, now: i64) -> Result<(), Failure> {
    db.execute(&format!("DELETE FROM removal WHERE {OLD}"), bounds(now))?;
    Ok(())
}

fn hide(db: &Connection, id: DirectoryId, removal: RemovalId) -> Result<(), Failure> {
    remove_all(db, id, removal)?;
    // A name nobody can choose, so that the old one is free.
    let sql = "UPDATE directory SET removal = ?2, name = char(1) || id WHERE id = ?1";
    db.execute(sql, params![id.0, removal.0])?;
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
