//! How the database does: its size and what is in it, for support (APP-2).

use serde::Serialize;

use crate::{Store, StoreError, schema};

/// Figures of the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StoreHealth {
    /// Size of the file, in bytes, without what is not written into it yet.
    pub bytes: u64,
    /// Of these, free for what comes next.
    pub free: u64,
    /// Steps of its schema.
    pub schema: u64,
    /// Directories, those of connectors included.
    pub directories: u64,
    /// Contacts.
    pub contacts: u64,
    /// Calls in the log.
    pub calls: u64,
    /// Removals that can still be undone.
    pub removals: u64,
}

impl Store {
    /// Looks at the database's figures.
    ///
    /// # Errors
    /// The database's.
    pub fn health(&self) -> Result<StoreHealth, StoreError> {
        self.read("look at the database", |db| {
            let number = |pragma| {
                let found: i64 = db.pragma_query_value(None, pragma, |row| row.get(0))?;
                Ok::<u64, rusqlite::Error>(u64::try_from(found).unwrap_or(0))
            };
            let count = |table: &str| {
                let sql = format!("SELECT count(*) FROM {table}");
                let found: i64 = db.query_row(&sql, [], |row| row.get(0))?;
                Ok::<u64, rusqlite::Error>(u64::try_from(found).unwrap_or(0))
            };
            let page = number("page_size")?;
            Ok(StoreHealth {
                bytes: number("page_count")?.saturating_mul(page),
                free: number("freelist_count")?.saturating_mul(page),
                schema: u64::try_from(schema::KNOWN).unwrap_or(0),
                directories: count("directory WHERE removal IS NULL")?,
                contacts: count("contact WHERE removal IS NULL")?,
                calls: count("call")?,
                removals: count("removal")?,
            })
        })
    }
}
