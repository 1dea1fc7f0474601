//! Who did what on the administrator's page, the newest ten thousand entries (APP-2).
//!
//! Not done here: deciding what is told, which is the `admin` crate's; secrets are never handed over.

use rusqlite::params;

use crate::contacts::clipped;
use crate::{Store, StoreError};

/// Most entries in one page.
pub const MAX_AUDIT_PAGE: u32 = 500;

/// Entries kept; a few megabytes.
const KEPT: i64 = 10_000;

/// Longest text of an entry, in bytes.
const MAX_TEXT: usize = 512;

/// One thing that somebody did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditEntry {
    /// Counts up; given by the store.
    pub id: i64,
    /// Unix milliseconds.
    pub at_ms: i64,
    /// An account, a token, or nobody known.
    pub who: String,
    /// The address it came from.
    pub origin: String,
    /// A word such as `plugin-installed`.
    pub action: String,
    /// About what; may be empty.
    pub detail: String,
}

impl Store {
    /// Adds an entry; its `id` does not count. The oldest go when there are too many.
    ///
    /// # Errors
    /// The database's.
    pub fn add_audit(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.write("add to the audit log", |db| {
            let sql = "INSERT INTO admin_audit (at, who, origin, action, detail) VALUES (?, ?, ?, ?, ?)";
            let text = |text: &str| clipped(text, MAX_TEXT).to_owned();
            let AuditEntry { at_ms, who, origin, action, detail, .. } = entry;
            db.execute(sql, params![at_ms, text(who), text(origin), text(action), text(detail)])?;
            let newest = db.last_insert_rowid();
            db.execute("DELETE FROM admin_audit WHERE id <= ?1", [newest - KEPT])?;
            Ok(())
        })
    }

    /// Entries, newest first: at most `limit` (up to [`MAX_AUDIT_PAGE`]) before the one with the id `before`.
    ///
    /// # Errors
    /// The database's.
    pub fn audit(&self, before: Option<i64>, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        self.read("read the audit log", |db| {
            let sql = "SELECT id, at, who, origin, action, detail FROM admin_audit WHERE id < ?1 \
                       ORDER BY id DESC LIMIT ?2";
            let mut query = db.prepare(sql)?;
            let bounds = params![before.unwrap_or(i64::MAX), limit.min(MAX_AUDIT_PAGE)];
            let rows = query.query_map(bounds, |row| {
                Ok(AuditEntry {
                    id: row.get(0)?,
                    at_ms: row.get(1)?,
                    who: row.get(2)?,
                    origin: row.get(3)?,
                    action: row.get(4)?,
                    detail: row.get(5)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}
