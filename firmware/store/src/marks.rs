//! Calls that something was wrong with: the last minute before the operator said so, in figures, with its call in the log.
//!
//! What is said while the call is up is written with its row ([`Store::append_call_with`]), so that neither is there
//! without the other after a power cut (APP-4). Marks are kept as long as their call, and go with it.
//! Not done here: counting.

use ipc::{CallMark, CallSecond, LogRow};
use rusqlite::{Connection, Row, params};

use crate::calls::read_call;
use crate::{Failure, Store, StoreError};

/// Most marks kept of one call; the oldest give way.
pub const MAX_CALL_MARKS: u32 = 8;

/// Most seconds kept of one mark.
const MAX_SECONDS: usize = 60;

/// A mark and the call it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkedCall {
    /// Row id of the mark.
    pub id: i64,
    /// What was kept.
    pub mark: CallMark,
    /// The call.
    pub call: LogRow,
}

impl Store {
    /// Keeps a minute of a call in the log. It is on the disk when this returns.
    ///
    /// # Errors
    /// [`StoreError::NoSuchCall`], or the database's.
    pub fn add_mark(&mut self, call: i64, mark: &CallMark) -> Result<(), StoreError> {
        self.write("mark a call", |db| {
            let sql = "SELECT 1 FROM call WHERE id = ?1";
            let is_there = db.prepare_cached(sql)?.exists([call])?;
            if !is_there {
                return Err(StoreError::NoSuchCall(call).into());
            }
            insert(db, call, mark)
        })
    }

    /// What is kept of a call, oldest first.
    ///
    /// # Errors
    /// The database's.
    pub fn marks_of(&self, call: i64) -> Result<Vec<CallMark>, StoreError> {
        self.read("read the marks of a call", |db| {
            let sql = "SELECT at, until, seconds FROM mark WHERE call = ?1 ORDER BY id";
            let mut statement = db.prepare_cached(sql)?;
            let marks = statement.query_map([call], |row| mark(row, 0))?.collect::<Result<_, _>>()?;
            Ok(marks)
        })
    }

    /// The newest marks with their calls, newest first.
    ///
    /// # Errors
    /// The database's.
    pub fn marked_calls(&self, limit: u32) -> Result<Vec<MarkedCall>, StoreError> {
        self.read("read marked calls", |db| {
            let sql = "SELECT id, call, at, until, seconds FROM mark ORDER BY id DESC LIMIT ?1";
            let mut statement = db.prepare_cached(sql)?;
            let mut rows = statement.query([limit])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.extend(marked(db, row)?);
            }
            Ok(found)
        })
    }

    /// One mark with its call.
    ///
    /// # Errors
    /// The database's.
    pub fn marked_call(&self, id: i64) -> Result<Option<MarkedCall>, StoreError> {
        self.read("read a marked call", |db| {
            let sql = "SELECT id, call, at, until, seconds FROM mark WHERE id = ?1";
            let mut statement = db.prepare_cached(sql)?;
            let mut rows = statement.query([id])?;
            match rows.next()? {
                Some(row) => marked(db, row),
                None => Ok(None),
            }
        })
    }
}

/// Keeps a mark of a call that is there.
pub(crate) fn insert(db: &Connection, call: i64, mark: &CallMark) -> Result<(), Failure> {
    let kept = &mark.seconds[mark.seconds.len().saturating_sub(MAX_SECONDS)..];
    // Plain numbers: cannot fail.
    let seconds = serde_json::to_string(kept).unwrap_or_default();
    let sql = "INSERT INTO mark (call, at, until, seconds) VALUES (?1, ?2, ?3, ?4)";
    db.prepare_cached(sql)?.execute(params![call, mark.at_unix_ms, mark.until_unix_ms, seconds])?;
    let sql = "DELETE FROM mark WHERE call = ?1 AND id NOT IN \
               (SELECT id FROM mark WHERE call = ?1 ORDER BY id DESC LIMIT ?2)";
    db.prepare_cached(sql)?.execute(params![call, MAX_CALL_MARKS])?;
    Ok(())
}

/// Whether something was wrong with a call.
pub(crate) fn is_marked(db: &Connection, call: i64) -> Result<bool, Failure> {
    Ok(db.prepare_cached("SELECT 1 FROM mark WHERE call = ?1")?.exists([call])?)
}

fn marked(db: &Connection, row: &Row<'_>) -> Result<Option<MarkedCall>, Failure> {
    let (id, call): (i64, i64) = (row.get(0)?, row.get(1)?);
    let mark = mark(row, 2)?;
    // A mark has its call: the tables see to it.
    Ok(read_call(db, call)?.map(|call| MarkedCall { id, mark, call }))
}

/// What cannot be read, perhaps of another version, is no figures.
fn mark(row: &Row<'_>, first: usize) -> Result<CallMark, rusqlite::Error> {
    let seconds: String = row.get(first + 2)?;
    let seconds: Vec<CallSecond> = serde_json::from_str(&seconds).unwrap_or_default();
    Ok(CallMark { at_unix_ms: row.get(first)?, until_unix_ms: row.get(first + 1)?, seconds })
}
