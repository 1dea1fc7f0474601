//! The database over an update and back (APP-3): before a newer program changes the tables, a copy of what was is kept;
//! an older program that finds tables it does not know takes its own copy.
//!
//! Decided so: the desk must work after a rollback, which nobody has asked for and nobody watches. It then shows what it
//! showed before the update; what was written since is not thrown away but put aside, in `<database>.newer` (and
//! `.newer-1` and so on, where it happens again), and that is said in the log and on the administrator's page. Where there
//! is no copy of its own the older program refuses, as [`StoreError::Newer`] says; when that is the first start after an
//! update, the health check takes the other slot. Tables are never changed backwards: a step that loses nothing on its way
//! back cannot be promised for every step to come.
//!
//! A copy has the name `<database>.schema-<steps>`. Only the one of the last change is kept.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use rusqlite::{Connection, OpenFlags};

use crate::{StoreError, check, make_private, schema, snapshot::beside};

/// Newer databases that are kept; after that the oldest makes room.
const MOST_ASIDE: u32 = 20;

/// What was done before the database is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prepared {
    /// Nothing: there is none, or it has the tables of this version, or no copy that could be used.
    AsItIs,
    /// It has older tables, and a copy is kept.
    Kept {
        /// Steps of its schema.
        schema: i64,
    },
    /// It had newer tables: it is put aside, and the copy of before the update is in its place.
    Returned {
        /// Steps of the schema that was found.
        found: i64,
        /// Steps of this version's.
        known: i64,
    },
}

/// Prepares the database at `path`, which nobody has open, for [`crate::Store::open`]. Interrupted at any moment, it is
/// called again. Blocks for as long as copying takes.
///
/// # Errors
/// The database's, or [`StoreError::Full`] when there is no room for a copy: then nothing was changed.
pub fn prepare(path: &Path) -> Result<Prepared, StoreError> {
    let returning = beside(path, ".returning");
    let disk = |source| StoreError::Open { path: path.to_owned(), source };
    if !path.exists() {
        if !returning.exists() {
            return Ok(Prepared::AsItIs);
        }
        // The newer one was put aside, and then the power went.
        put_in_place(&returning, path).map_err(disk)?;
    }
    let (found, known) = (settled_version(path)?, schema::KNOWN);
    if found > 0 && found < known {
        keep(path, found)?;
        return Ok(Prepared::Kept { schema: found });
    }
    let own = copy_of(path, known);
    if found <= known || check(&own).is_err() {
        return Ok(Prepared::AsItIs);
    }
    remove(&returning).and_then(|()| copy(&own, &returning)).map_err(|source| full(&returning, source))?;
    fs::rename(path, free_place(path)).map_err(disk)?;
    put_in_place(&returning, path).map_err(disk)?;
    Ok(Prepared::Returned { found, known })
}

/// Where a newer database is put: one that was put aside before is not lost for it.
fn free_place(path: &Path) -> PathBuf {
    let mut places = (1..MOST_ASIDE).map(|number| beside(path, &format!(".newer-{number}")));
    let first = beside(path, ".newer");
    if first.exists() { places.find(|place| !place.exists()).unwrap_or(first) } else { first }
}

/// When a database of a newer version was put aside, if one was: the desk does not know what is in it.
#[must_use]
pub fn put_aside(path: &Path) -> Option<SystemTime> {
    // Renaming changes the time of the inode only.
    use std::os::unix::fs::MetadataExt;
    let seconds = u64::try_from(fs::metadata(beside(path, ".newer")).ok()?.ctime()).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(std::time::Duration::from_secs(seconds))
}

/// The steps done, and everything in the one file: closed by the last who has it open, the log beside it is gone.
fn settled_version(path: &Path) -> Result<i64, StoreError> {
    let doing = "look at the database";
    let failed = |source| StoreError::sql(path, doing, source);
    let db = open(path).map_err(failed)?;
    let found = schema::version(&db, path).map_err(|failure| failure.named(path, doing))?;
    if found != schema::KNOWN {
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(failed)?;
    }
    db.close().map_err(|(_, source)| failed(source))?;
    Ok(found)
}

fn keep(path: &Path, found: i64) -> Result<(), StoreError> {
    let doing = "keep a copy of the database";
    let (kept, partial) = (copy_of(path, found), beside(path, ".keeping"));
    let disk = |source| full(&partial, source);
    remove(&partial).map_err(disk)?;
    make_private(&partial)?;
    let copied = (|| {
        let db = open(path)?;
        db.execute("VACUUM INTO ?1", [partial.to_string_lossy()])?;
        let copy = open(&partial)?;
        copy.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(()))?;
        copy.close().map_err(|(_, source)| source)
    })();
    if let Err(source) = copied {
        // What cannot be removed now is removed before the next one.
        let _ = remove(&partial);
        return Err(StoreError::sql(path, doing, source));
    }
    File::open(&partial).and_then(|file| file.sync_all()).map_err(disk)?;
    put_in_place(&partial, &kept).map_err(disk)?;
    forget_others(path, &kept).map_err(disk)
}

/// Copies of other schemas: nothing that could be started knows them.
fn forget_others(path: &Path, kept: &Path) -> io::Result<()> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    let start = beside(path, ".schema-");
    let start = start.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_copy = entry
            .file_name()
            .to_string_lossy()
            .strip_prefix(&start)
            .is_some_and(|steps| !steps.is_empty() && steps.bytes().all(|byte| byte.is_ascii_digit()));
        if is_copy && entry.path() != kept {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn copy_of(path: &Path, steps: i64) -> PathBuf {
    beside(path, &format!(".schema-{steps}"))
}

fn open(path: &Path) -> Result<Connection, rusqlite::Error> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    db.busy_timeout(crate::BUSY)?;
    Ok(db)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    // With its mode: only its owner reads it.
    fs::copy(from, to)?;
    File::open(to)?.sync_all()
}

fn put_in_place(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    crate::snapshot::sync_folder(to)
}

fn remove(path: &Path) -> io::Result<()> {
    for more in ["-wal", "-shm", "-journal", ""] {
        let mut name: OsString = path.as_os_str().to_owned();
        name.push(more);
        crate::snapshot::remove_if_there(Path::new(&name))?;
    }
    Ok(())
}

fn full(path: &Path, source: io::Error) -> StoreError {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            StoreError::Full { path: path.to_owned(), doing: "keep a copy of the database" }
        }
        _ => StoreError::Open { path: path.to_owned(), source },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::Store;

    /// A database as the version with one step less left it, with one directory in it.
    fn older(path: &Path) {
        make_private(path).unwrap();
        let db = open(path).unwrap();
        schema::make_at(&db, schema::KNOWN - 1).unwrap();
        db.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(())).unwrap();
        db.execute("INSERT INTO directory (name, local, note) VALUES ('Staff', 1, '')", []).unwrap();
    }

    fn directories(path: &Path) -> Vec<String> {
        let db = open(path).unwrap();
        let mut statement = db.prepare("SELECT name FROM directory ORDER BY name").unwrap();
        let names = statement.query_map([], |row| row.get(0)).unwrap();
        names.map(Result::unwrap).collect()
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn app_3_a_copy_is_kept_before_tables_change_and_the_older_program_returns_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("desk.db");
        let known = schema::KNOWN;
        older(&path);
        fs::write(folder.path().join("desk.db.schema-3"), "of long ago").unwrap();
        fs::write(folder.path().join("desk.db.keeping"), "half").unwrap();

        // The newer program comes.
        assert_eq!(prepare(&path).unwrap(), Prepared::Kept { schema: known - 1 });
        let kept = format!("desk.db.schema-{}", known - 1);
        assert_eq!(names(folder.path()), ["desk.db".to_owned(), kept.clone()]);
        let mut store = Store::open(&path).unwrap();
        store.add_directory("Since the update", true).unwrap();
        drop(store);
        assert_eq!(prepare(&path).unwrap(), Prepared::AsItIs, "it has our tables now");

        // What the older one finds: its own copy, under the number that it knows.
        fs::rename(folder.path().join(&kept), copy_of(&path, known)).unwrap();
        let as_ours = |file: &Path, steps: i64| {
            let db = open(file).unwrap();
            db.pragma_update(None, "user_version", steps).unwrap();
        };
        // To this program it is an older one's, unless it has this one's tables.
        {
            let db = open(&copy_of(&path, known)).unwrap();
            schema::make_from(&db, known - 1).unwrap();
        }
        as_ours(&path, known + 1);
        assert!(matches!(Store::open(&path).unwrap_err(), StoreError::Newer { .. }));
        assert_eq!(prepare(&path).unwrap(), Prepared::Returned { found: known + 1, known });
        assert_eq!(directories(&path), ["Staff"]);
        assert_eq!(
            directories(&beside(&path, ".newer")),
            ["Since the update", "Staff"],
            "nothing is thrown away"
        );
        assert!(put_aside(&path).is_some());
        let mut store = Store::open(&path).unwrap();
        store.add_directory("Since the rollback", true).unwrap();
        drop(store);

        // Once more: what was put aside the first time is still there.
        as_ours(&path, known + 1);
        assert_eq!(prepare(&path).unwrap(), Prepared::Returned { found: known + 1, known });
        assert_eq!(directories(&beside(&path, ".newer")), ["Since the update", "Staff"]);
        assert_eq!(directories(&beside(&path, ".newer-1")), ["Since the rollback", "Staff"]);
    }

    #[test]
    fn app_3_a_newer_database_without_a_copy_that_is_whole_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("desk.db");
        drop(Store::open(&path).unwrap());
        open(&path).unwrap().pragma_update(None, "user_version", schema::KNOWN + 1).unwrap();
        assert_eq!(prepare(&path).unwrap(), Prepared::AsItIs);
        fs::write(copy_of(&path, schema::KNOWN), "damaged").unwrap();
        assert_eq!(prepare(&path).unwrap(), Prepared::AsItIs);
        let refused = Store::open(&path).unwrap_err();
        assert!(refused.to_string().contains("was written by a newer version"), "{refused}");
        assert_eq!(put_aside(&path), None);
    }

    #[test]
    fn app_3_app_4_a_power_cut_while_the_copy_is_put_in_place_is_made_good() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("desk.db");
        assert_eq!(prepare(&path).unwrap(), Prepared::AsItIs, "a new box");
        drop(Store::open(&path).unwrap());
        fs::rename(&path, beside(&path, ".returning")).unwrap();
        assert_eq!(prepare(&path).unwrap(), Prepared::AsItIs);
        assert!(path.exists() && !beside(&path, ".returning").exists());
    }
}
