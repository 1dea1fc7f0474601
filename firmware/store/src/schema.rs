//! The tables: made, and brought up to date one numbered step at a time.

use rusqlite::Connection;

use crate::{Failure, Store, StoreError};

/// The steps; the number of those done is the file's `user_version`. A step is never changed once released.
const MIGRATIONS: [&str; 12] = [
    include_str!("../migrations/0001_first.sql"),
    include_str!("../migrations/0002_rules.sql"),
    include_str!("../migrations/0003_editing.sql"),
    include_str!("../migrations/0004_sources.sql"),
    include_str!("../migrations/0005_admin.sql"),
    include_str!("../migrations/0006_operators.sql"),
    include_str!("../migrations/0008_journal.sql"),
    include_str!("../migrations/0009_sound.sql"),
    include_str!("../migrations/0010_mark.sql"),
    include_str!("../migrations/0011_note.sql"),
    include_str!("../migrations/0012_reminder.sql"),
    include_str!("../migrations/0013_sign_in.sql"),
];

/// "FDSK": says in the file's header whose database it is.
const APPLICATION: i64 = 0x4644_534b;

impl Store {
    /// Does the steps that are missing, all or none.
    pub(crate) fn migrate(&mut self) -> Result<(), StoreError> {
        let path = self.path.clone();
        let known = KNOWN;
        let found = self.read("read the schema", |db| version(db, &path))?;
        if found == known {
            return Ok(());
        }
        self.write("update the schema", |db| {
            let found = version(db, &path)?;
            if found > known {
                return Err(StoreError::Newer { path: path.clone(), found, known }.into());
            }
            // `found` is between 0 and the number of steps.
            for step in MIGRATIONS.iter().skip(found as usize) {
                db.execute_batch(step)?;
            }
            db.pragma_update(None, "application_id", APPLICATION)?;
            db.pragma_update(None, "user_version", known)?;
            Ok(())
        })
    }
}

/// How many steps this version knows.
pub(crate) const KNOWN: i64 = MIGRATIONS.len() as i64;

/// The tables as they are after so many steps, by type and name.
pub(crate) fn tables_after(steps: i64) -> Result<Vec<[String; 3]>, rusqlite::Error> {
    let db = Connection::open_in_memory()?;
    for step in MIGRATIONS.iter().take(usize::try_from(steps).unwrap_or(0)) {
        db.execute_batch(step)?;
    }
    tables(&db)
}

/// Makes the tables of a version with so many steps, for tests of what comes after it.
#[cfg(test)]
pub(crate) fn make_at(db: &Connection, steps: i64) -> Result<(), rusqlite::Error> {
    for step in MIGRATIONS.iter().take(usize::try_from(steps).unwrap_or(0)) {
        db.execute_batch(step)?;
    }
    db.pragma_update(None, "application_id", APPLICATION)?;
    db.pragma_update(None, "user_version", steps)
}

/// Does the steps that are missing after so many, for tests.
#[cfg(test)]
pub(crate) fn make_from(db: &Connection, steps: i64) -> Result<(), rusqlite::Error> {
    for step in MIGRATIONS.iter().skip(usize::try_from(steps).unwrap_or(0)) {
        db.execute_batch(step)?;
    }
    db.pragma_update(None, "user_version", KNOWN)
}

/// The tables of a file, by type and name; what SQLite notes about their contents is left out.
pub(crate) fn tables(db: &Connection) -> Result<Vec<[String; 3]>, rusqlite::Error> {
    let sql = "SELECT type, name, coalesce(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%' \
               ORDER BY type, name";
    let mut statement = db.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))?;
    rows.collect()
}

/// The steps done, 0 for a new file.
pub(crate) fn version(db: &Connection, path: &std::path::Path) -> Result<i64, Failure> {
    let number = |pragma| db.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let version = number("user_version")?;
    if (tables > 0 || version != 0) && number("application_id")? != APPLICATION || version < 0 {
        return Err(StoreError::Foreign { path: path.to_owned() }.into());
    }
    Ok(version)
}
