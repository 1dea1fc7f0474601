//! The whole database as one file: copied while it is in use, looked at before it is believed, and put in the place
//! of another one so that a power cut at any moment leaves one of the two whole (APP-4).
//!
//! Not done here: what else is in a backup, and its encryption, which are the `admin` crate's.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::{Store, StoreError, schema};

/// What a file was found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Steps of the schema; fewer than this version knows are made up for when it is opened.
    pub schema: i64,
    /// Contacts in it, the removed ones included.
    pub contacts: u64,
    /// Calls in its log.
    pub calls: u64,
}

/// Copies the database at `path`, as it is at one moment, into the file `to`, which must be empty or not there. Who
/// uses the database meanwhile is not held up. In the copy nobody is signed in or parked, and no directory of a connector counts as whole, so that
/// what the connector has is copied anew wherever this is brought back. Blocks for as long as the disk takes.
///
/// # Errors
/// The database's, or [`StoreError::Full`]; what is in `to` is then of no use.
pub fn snapshot(path: &Path, to: &Path) -> Result<(), StoreError> {
    let doing = "copy the database";
    let store = Store::open(path)?;
    let name = to.to_string_lossy().into_owned();
    let failed = |source| StoreError::sql(to, doing, source);
    store.db.execute("VACUUM INTO ?1", [name]).map_err(|source| match source.sqlite_error_code() {
        // The database was open already: what cannot be opened is the copy.
        Some(ErrorCode::CannotOpen) => failed(source),
        _ => store.failed(doing, source),
    })?;
    let copy = Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)?;
    // One file, without others beside it.
    copy.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(())).map_err(failed)?;
    copy.execute("UPDATE directory SET source_generation = NULL", []).map_err(failed)?;
    // Who sits here now does not, wherever and whenever this is brought back.
    copy.execute("DELETE FROM signed_in", []).map_err(failed)?;
    // Nor does anybody wait in a park slot then.
    copy.execute("DELETE FROM document WHERE name = ?1", [crate::parked::PARKED]).map_err(failed)?;
    copy.close().map_err(|(_, source)| failed(source))?;
    let synced = File::open(to).and_then(|file| file.sync_all());
    synced.map_err(|source| StoreError::Open { path: to.to_owned(), source })
}

/// Looks at a copy that is to be used: whole, of Frontdesk, of no newer version, and with our tables and no others,
/// so that nothing in it acts by itself. Changes nothing.
///
/// # Errors
/// [`StoreError::NotADatabase`], [`StoreError::Foreign`], [`StoreError::Newer`], [`StoreError::Corrupt`], or the
/// disk's.
pub fn check(path: &Path) -> Result<Checked, StoreError> {
    let doing = "look at the copy";
    let failed = |source| StoreError::sql(path, doing, source);
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed)?;
    db.pragma_update(None, "trusted_schema", false).map_err(failed)?;
    let schema = schema::version(&db, path).map_err(|failure| failure.named(path, doing))?;
    if schema > schema::KNOWN {
        return Err(StoreError::Newer { path: path.to_owned(), found: schema, known: schema::KNOWN });
    }
    let ours = schema::tables_after(schema).map_err(failed)?;
    if schema == 0 || schema::tables(&db).map_err(failed)? != ours {
        return Err(StoreError::Foreign { path: path.to_owned() });
    }
    let whole: String = db.pragma_query_value(None, "integrity_check", |row| row.get(0)).map_err(failed)?;
    let loose: i64 = db
        .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))
        .map_err(failed)?;
    if whole != "ok" || loose != 0 {
        return Err(StoreError::Corrupt { path: path.to_owned(), doing });
    }
    let count = |table: &str| -> Result<u64, StoreError> {
        let sql = format!("SELECT count(*) FROM {table}");
        let rows: i64 = db.query_row(&sql, [], |row| row.get(0)).map_err(failed)?;
        Ok(u64::try_from(rows).unwrap_or(0))
    };
    Ok(Checked { schema, contacts: count("contact")?, calls: count("call")? })
}

/// Puts the file `new` in the place of the database at `path`, which nobody has open. The old one is kept beside it
/// until [`keep_new`] or [`return_old`] is called. Interrupted, it is called again. `new` is on the same disk.
///
/// # Errors
/// The disk's.
pub fn swap_in(path: &Path, new: &Path) -> io::Result<()> {
    let before = beside(path, ".before");
    if path.exists() && before.exists() {
        // Made by somebody between a power cut and this: the real one has been put aside already.
        remove_database(path)?;
    } else if path.exists() {
        // What SQLite has not written into the file yet goes first: the file without it is never taken for whole,
        // because as long as the file is here, this is done again.
        rename_if_there(&beside(path, "-wal"), &beside(&before, "-wal"))?;
        remove_if_there(&beside(path, "-shm"))?;
        fs::rename(path, &before)?;
    }
    sync_folder(path)?;
    fs::rename(new, path)?;
    sync_folder(path)
}

/// The new database has opened: the old one goes.
///
/// # Errors
/// The disk's.
pub fn keep_new(path: &Path) -> io::Result<()> {
    remove_database(&beside(path, ".before"))?;
    sync_folder(path)
}

/// The new database is of no use: the old one comes back; whether there was one. Interrupted, it is called again.
///
/// # Errors
/// The disk's.
pub fn return_old(path: &Path) -> io::Result<bool> {
    let before = beside(path, ".before");
    if !before.exists() {
        return Ok(false);
    }
    if path.exists() {
        remove_database(path)?;
    }
    rename_if_there(&beside(&before, "-wal"), &beside(path, "-wal"))?;
    remove_if_there(&beside(&before, "-shm"))?;
    fs::rename(&before, path)?;
    sync_folder(path)?;
    Ok(true)
}

/// Whether an old database waits for the word on a new one.
#[must_use]
pub fn is_swapped(path: &Path) -> bool {
    beside(path, ".before").exists()
}

/// The path with more at the end of its name.
pub(crate) fn beside(path: &Path, more: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(more);
    name.into()
}

/// The file last: while it is there, what is beside it is its own.
fn remove_database(path: &Path) -> io::Result<()> {
    remove_if_there(&beside(path, "-wal"))?;
    remove_if_there(&beside(path, "-shm"))?;
    remove_if_there(path)
}

pub(crate) fn remove_if_there(path: &Path) -> io::Result<()> {
    there(fs::remove_file(path))
}

fn rename_if_there(from: &Path, to: &Path) -> io::Result<()> {
    there(fs::rename(from, to))
}

fn there(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}
