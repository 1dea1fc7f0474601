//! Directories that connectors keep (DIR-4).
//!
//! A connector's directory is copied contact by contact, in parts, so that a call to be logged does not wait for
//! the whole of it. Each part is on the disk wholly or not at all; a copy that is interrupted leaves old contacts
//! beside new ones, both of them good, and is done again, because only its end writes down which content is here.
//! A contact keeps its identity as long as its source knows it, and with it its alerts and its place in the log.

use std::collections::HashSet;

use directory::{Contact, Directory, Entry};
use ipc::{ContactId, DirectoryId, EditProblem};
use rusqlite::{Connection, OptionalExtension, params};

use crate::contacts::{self, Row, contact_id, directory, id_value, room};
use crate::removals::{self, free_name};
use crate::{Failure, Store, StoreError};

/// Contacts removed in one transaction.
const PART: usize = 2_000;

/// Changes that are told one by one; whoever holds the directory in memory reads it anew when there are more.
const FEW: usize = 200;

/// A directory that a connector keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The connector.
    pub id: String,
    /// Its directory.
    pub directory: DirectoryId,
    /// The content that is here whole, in the connector's numbers.
    pub generation: Option<u64>,
}

/// A copy that was begun.
#[derive(Debug)]
pub struct CopyJob {
    directory: Directory,
    generation: u64,
    /// How many more contacts the directory takes.
    room: u32,
    /// The contacts that the source still has.
    seen: HashSet<ContactId>,
    copied: Copied,
}

/// What a copy has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The directory as it now is, without its contacts.
    pub directory: Directory,
    /// New contacts.
    pub added: u32,
    /// Contacts that are not what they were.
    pub changed: u32,
    /// Contacts that are gone.
    pub removed: u32,
    /// Contacts that cannot be kept: too long, or nothing in them.
    pub left_out: u32,
    /// All that was changed, or `None` when that is too much or the directory was put aside until now:
    /// [`Store::load_directory`] has it.
    pub changes: Option<Changes>,
}

/// What changed in a directory, one by one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Added or changed.
    pub entries: Vec<Entry>,
    /// Gone.
    pub removed: Vec<ContactId>,
}

impl Store {
    /// The directories that connectors keep.
    ///
    /// # Errors
    /// The database's.
    pub fn sources(&self) -> Result<Vec<Source>, StoreError> {
        self.read("read the connectors' directories", |db| {
            let sql = "SELECT source, id, source_generation FROM directory \
                WHERE source IS NOT NULL AND removal IS NULL ORDER BY source";
            let mut statement = db.prepare(sql)?;
            let rows = statement.query_map([], |row| {
                let (directory, generation) = (DirectoryId(row.get(1)?), row.get::<_, Option<i64>>(2)?);
                Ok(Source { id: row.get(0)?, directory, generation: generation.map(i64::cast_unsigned) })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Begins to copy what `source` has. Its directory is made when there is none yet, external, with this name or
    /// the next of its kind that is free; a name chosen by the operator stays. One that was put aside comes back.
    ///
    /// # Errors
    /// [`StoreError::DirectoryName`], or the database's.
    pub fn begin_copy(&mut self, source: &str, name: &str, generation: u64) -> Result<CopyJob, StoreError> {
        self.write("begin to copy a directory", |db| {
            let known = home(db, source)?;
            let back = if known.is_none() { removals::bring_back(db, source)? } else { None };
            let id = match known.or(back) {
                Some(id) => id,
                None => make_directory(db, source, name)?,
            };
            let directory = directory(db, id)?;
            let copied = Copied {
                directory: directory.clone(),
                added: 0,
                changed: 0,
                removed: 0,
                left_out: 0,
                changes: back.is_none().then(Changes::default),
            };
            Ok(CopyJob { room: room(db, id)?, directory, generation, seen: HashSet::new(), copied })
        })
    }

    /// Copies these contacts, each with the source's own identity. What equals that which is here is not written.
    ///
    /// # Errors
    /// [`StoreError::NoSuchDirectory`] when it was removed meanwhile, [`StoreError::TooManyContacts`], or the
    /// database's. Nothing of this part is here then.
    pub fn copy_some(
        &mut self,
        job: &mut CopyJob,
        contacts: Vec<(String, Contact)>,
    ) -> Result<(), StoreError> {
        let home = job.directory.id;
        let (room, outcomes) = self.write("copy contacts", |db| {
            let home = directory(db, home)?;
            let mut room = job.room;
            let outcomes = contacts.into_iter().map(|(id, contact)| copy(db, &home, &id, contact, &mut room));
            let outcomes = outcomes.collect::<Result<Vec<_>, _>>()?;
            Ok((room, outcomes))
        })?;
        job.room = room;
        for outcome in outcomes {
            job.count(outcome);
        }
        Ok(())
    }

    /// Removes the next contacts that the source no longer has; `false` when there are no more. Only after all
    /// that it has went through [`Store::copy_some`].
    ///
    /// # Errors
    /// The database's.
    pub fn copy_removals(&mut self, job: &mut CopyJob) -> Result<bool, StoreError> {
        let home = job.directory.id;
        let seen = &job.seen;
        let gone = self.write("remove what a source no longer has", |db| {
            let mut statement = db.prepare_cached("SELECT id FROM contact WHERE directory = ?1")?;
            let mut rows = statement.query([home.0])?;
            let mut gone = Vec::new();
            while let Some(row) = rows.next()? {
                let id = contact_id(row.get(0)?);
                if !seen.contains(&id) && gone.len() < PART {
                    gone.push(id);
                }
            }
            let mut delete = db.prepare_cached("DELETE FROM contact WHERE id = ?1")?;
            for &id in &gone {
                delete.execute([id_value(id)])?;
            }
            Ok(gone)
        })?;
        let more = gone.len() == PART;
        job.copied.removed += gone.len() as u32;
        job.keep(|changes| changes.removed.extend(gone));
        Ok(more)
    }

    /// Writes down that this content is here whole, and says what was done.
    ///
    /// # Errors
    /// [`StoreError::NoSuchDirectory`], or the database's.
    pub fn finish_copy(&mut self, job: CopyJob) -> Result<Copied, StoreError> {
        let CopyJob { directory: Directory { id, .. }, generation, mut copied, .. } = job;
        copied.directory = self.write("end the copy of a directory", |db| {
            let sql = "UPDATE directory SET source_generation = ?2 WHERE id = ?1";
            db.execute(sql, params![id.0, generation.cast_signed()])?;
            directory(db, id)
        })?;
        Ok(copied)
    }

    /// Removes the directory of a connector that somebody has removed; says which that was. `now` is in Unix
    /// milliseconds.
    ///
    /// # Errors
    /// The database's.
    pub fn remove_source(&mut self, source: &str, now: i64) -> Result<Option<DirectoryId>, StoreError> {
        self.write("remove a connector's directory", |db| {
            let id = home(db, source)?;
            if let Some(id) = id {
                removals::remove_directory(db, id, now)?;
            }
            Ok(id)
        })
    }

    /// Puts aside the directory of a connector that is missing though nobody was seen to remove it, as after a restore;
    /// says which that was. For 30 days [`Store::begin_copy`] brings it back, with its line, its look and the alerts of
    /// its contacts. `now` is in Unix milliseconds.
    ///
    /// # Errors
    /// The database's.
    pub fn put_source_aside(&mut self, source: &str, now: i64) -> Result<Option<DirectoryId>, StoreError> {
        self.write("put a connector's directory aside", |db| {
            let id = home(db, source)?;
            if let Some(id) = id {
                removals::put_aside(db, id, now)?;
            }
            Ok(id)
        })
    }
}

impl CopyJob {
    /// The directory that is copied.
    #[must_use]
    pub fn directory(&self) -> DirectoryId {
        self.directory.id
    }

    fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Same(id) => {
                self.seen.insert(id);
            }
            Outcome::Changed(entry) => {
                self.seen.insert(entry.id);
                self.copied.changed += 1;
                self.keep(|changes| changes.entries.push(*entry));
            }
            Outcome::Added(entry) => {
                self.seen.insert(entry.id);
                self.copied.added += 1;
                self.keep(|changes| changes.entries.push(*entry));
            }
            Outcome::LeftOut => self.copied.left_out += 1,
        }
    }

    fn keep(&mut self, note: impl FnOnce(&mut Changes)) {
        if let Some(changes) = &mut self.copied.changes {
            note(changes);
            if changes.entries.len() + changes.removed.len() > FEW {
                self.copied.changes = None;
            }
        }
    }
}

enum Outcome {
    Same(ContactId),
    Changed(Box<Entry>),
    Added(Box<Entry>),
    LeftOut,
}

fn home(db: &Connection, source: &str) -> Result<Option<DirectoryId>, Failure> {
    let sql = "SELECT id FROM directory WHERE source = ?1 AND removal IS NULL";
    Ok(db.query_row(sql, [source], |row| row.get(0)).optional()?.map(DirectoryId))
}

fn make_directory(db: &Connection, source: &str, name: &str) -> Result<DirectoryId, Failure> {
    let id = contacts::insert_directory(db, &free_name(db, name.trim())?, false, None, "")?;
    db.execute("UPDATE directory SET source = ?2 WHERE id = ?1", params![id.0, source])?;
    Ok(id)
}

fn copy(
    db: &Connection,
    home: &Directory,
    source_id: &str,
    mut contact: Contact,
    room: &mut u32,
) -> Result<Outcome, Failure> {
    let known = contacts::by_source(db, home.id, source_id)?;
    if let Some((before, _)) = &known {
        // The operator's own, which no source knows of.
        (contact.presence, contact.alert) = (before.contact.presence, before.contact.alert);
    } else {
        contact.presence = home.local;
    }
    let digest = match contacts::tidy(&mut contact, home) {
        Ok(digest) => digest,
        Err(Failure::Own(StoreError::Contact(_))) => {
            // It is somebody all the same: what is here of them stays.
            return Ok(known.map_or(Outcome::LeftOut, |(before, _)| Outcome::Same(before.id)));
        }
        Err(failure) => return Err(failure),
    };
    match known {
        Some((before, old)) if old == digest => Ok(Outcome::Same(before.id)),
        Some((before, _)) => {
            let entry = Entry { contact, ..before };
            Ok(Outcome::Changed(Box::new(contacts::change(db, &entry)?)))
        }
        None => {
            *room = room.checked_sub(1).ok_or(StoreError::TooManyContacts)?;
            let row = Row { hidden: None, source_id: Some(source_id) };
            Ok(Outcome::Added(Box::new(contacts::insert_row(db, home, contact, digest, &row)?)))
        }
    }
}

/// Refuses what only the source may do.
pub(crate) fn is_by_hand(db: &Connection, id: DirectoryId) -> Result<(), Failure> {
    match directory(db, id)?.source {
        Some(_) => Err(StoreError::from(EditProblem::KeptByConnector).into()),
        None => Ok(()),
    }
}
