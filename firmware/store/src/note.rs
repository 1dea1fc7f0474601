//! The operator's note (NOTE-1): as it was saved, and what has been written since.
//!
//! Each operator has their own; 0 stands for a desk where nobody signs in. A change is done when it is on the disk: what was shown as kept is there after a power cut.

use ipc::{MAX_NOTE, Note};
use rusqlite::{Connection, OptionalExtension, params};

use crate::{Failure, Store, StoreError};

impl Store {
    /// The note; empty before anything was written.
    ///
    /// # Errors
    /// The database's.
    pub fn note(&self, operator: i64) -> Result<Note, StoreError> {
        self.read("read the note", |db| note(db, operator))
    }

    /// Keeps what is written, or with `None` gives it up. A draft that is the saved note is none.
    ///
    /// # Errors
    /// [`StoreError::NoteTooLong`], or the database's.
    pub fn draft_note(&mut self, operator: i64, text: Option<&str>) -> Result<Note, StoreError> {
        fits(text.unwrap_or_default())?;
        self.write("keep the note", |db| {
            let sql = "INSERT INTO note (operator, draft) SELECT ?1, nullif(?2, '') \
                       WHERE ?1 = 0 OR EXISTS (SELECT 1 FROM desk_operator WHERE id = ?1) \
                       ON CONFLICT (operator) DO UPDATE SET draft = nullif(?2, saved)";
            db.execute(sql, params![operator, text])?;
            note(db, operator)
        })
    }

    /// Saves the note.
    ///
    /// # Errors
    /// [`StoreError::NoteTooLong`], or the database's.
    pub fn save_note(&mut self, operator: i64, text: &str, now_ms: i64) -> Result<Note, StoreError> {
        fits(text)?;
        self.write("save the note", |db| {
            let sql = "INSERT INTO note (operator, saved, saved_at) SELECT ?1, ?2, ?3 \
                       WHERE ?1 = 0 OR EXISTS (SELECT 1 FROM desk_operator WHERE id = ?1) \
                       ON CONFLICT (operator) DO UPDATE SET saved = ?2, saved_at = ?3, draft = NULL";
            db.execute(sql, params![operator, text, now_ms])?;
            note(db, operator)
        })
    }
}

fn fits(text: &str) -> Result<(), StoreError> {
    match text.len() {
        ..=MAX_NOTE => Ok(()),
        bytes => Err(StoreError::NoteTooLong { bytes, most: MAX_NOTE }),
    }
}

fn note(db: &Connection, operator: i64) -> Result<Note, Failure> {
    let sql = "SELECT saved, saved_at, draft FROM note WHERE operator = ?";
    let found = db
        .query_row(sql, [operator], |row| {
            Ok(Note { saved: row.get(0)?, saved_ms: row.get(1)?, draft: row.get(2)? })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}
