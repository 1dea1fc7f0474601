//! Finished calls on their way into customer databases (CRM-3).
//!
//! A row is written in the transaction of the call's row in the log, so that neither a power cut nor a database that
//! is down loses one (APP-4), and goes when the connector has said that the call is there. The queue has an end:
//! [`MAX_JOURNAL`] rows and [`JOURNAL_DAYS`] days; the oldest give way.
//! Not done here: asking the connectors, deciding when to try again.

use ipc::{CallMark, LogRow, PluginCall};
use rusqlite::{Connection, OptionalExtension, params};

use crate::calls;
use crate::documents::{load_document, save_document};
use crate::{Failure, Store, StoreError, marks};

/// Most rows that wait.
pub const MAX_JOURNAL: u32 = 10_000;

/// Days after which a row is no longer wanted.
pub const JOURNAL_DAYS: i64 = 30;

const DAY_MS: i64 = 24 * 3600 * 1000;

/// Document with the connectors that keep a journal.
const JOURNALS: &str = "journals";

/// A finished call for one connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalRow {
    /// Row id.
    pub id: i64,
    /// The connector.
    pub plugin: String,
    /// The call.
    pub call: PluginCall,
    /// How often it was tried.
    pub tries: u32,
}

/// What [`Store::append_call_with`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Row id of the call.
    pub call: i64,
    /// Rows of the journal that gave way.
    pub given_up: u32,
}

impl Store {
    /// Adds an ended call to the log with its marks and, for each of these connectors, to the journal: all or nothing, on the disk
    /// when this returns. The identity of the call is made here. `now` is in Unix milliseconds.
    ///
    /// # Errors
    /// The database's.
    pub fn append_call_with(
        &mut self,
        row: &LogRow,
        journal: &[(String, PluginCall)],
        marks: &[CallMark],
        now: i64,
    ) -> Result<Appended, StoreError> {
        self.write("add to the call log", |db| {
            let call = calls::append(db, row)?;
            marks.iter().try_for_each(|mark| marks::insert(db, call, mark))?;
            // The number of a row is given once in a store, and its time tells it from that of another store.
            let id = format!("{}-{call}", row.began_unix_ms.max(0));
            for (plugin, body) in journal {
                let body = PluginCall { id: id.clone(), ..body.clone() };
                let sql =
                    "INSERT INTO journal (call, plugin, body, added, next_try) VALUES (?1, ?2, ?3, ?4, ?4)";
                db.prepare_cached(sql)?.execute(params![call, plugin, json(&body)?, now])?;
            }
            // Whose connector is missing waits here too, and not for ever.
            let given_up = give_way(db, now)?;
            Ok(Appended { call, given_up })
        })
    }

    /// The next call that is due for a connector. One that cannot be read any more is dropped.
    ///
    /// # Errors
    /// The database's.
    pub fn journal_due(&mut self, plugin: &str, now: i64) -> Result<Option<JournalRow>, StoreError> {
        self.write("read the journal", |db| {
            let sql = "SELECT id, body, tries FROM journal WHERE plugin = ?1 AND next_try <= ?2 \
                ORDER BY next_try, id LIMIT 1";
            loop {
                let mut statement = db.prepare_cached(sql)?;
                let found = statement
                    .query_row(params![plugin, now], |row| {
                        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, u32>(2)?))
                    })
                    .optional()?;
                let Some((id, body, tries)) = found else { return Ok(None) };
                match serde_json::from_str(&body) {
                    Ok(call) => return Ok(Some(JournalRow { id, plugin: plugin.to_owned(), call, tries })),
                    Err(_) => remove(db, id)?,
                }
            }
        })
    }

    /// When the next call of one of these connectors is due, in Unix milliseconds.
    ///
    /// # Errors
    /// The database's.
    pub fn journal_next(&self, plugins: &[String]) -> Result<Option<i64>, StoreError> {
        self.read("read the journal", |db| {
            let mut statement = db.prepare_cached("SELECT min(next_try) FROM journal WHERE plugin = ?1")?;
            let mut next = None;
            for plugin in plugins {
                let due: Option<i64> = statement.query_row([plugin], |row| row.get(0))?;
                next = due.into_iter().chain(next).min();
            }
            Ok(next)
        })
    }

    /// A call is there, or will never be: its row goes.
    ///
    /// # Errors
    /// The database's.
    pub fn journal_done(&mut self, id: i64) -> Result<(), StoreError> {
        self.write("change the journal", |db| remove(db, id))
    }

    /// A call was not taken: it is tried again then, in Unix milliseconds.
    ///
    /// # Errors
    /// The database's.
    pub fn journal_again(&mut self, id: i64, next_try: i64) -> Result<(), StoreError> {
        self.write("change the journal", |db| {
            let sql = "UPDATE journal SET tries = tries + 1, next_try = ?2 WHERE id = ?1";
            db.prepare_cached(sql)?.execute(params![id, next_try])?;
            Ok(())
        })
    }

    /// Removes the rows of these connectors, which somebody has removed, and what is too old; says how many went. A
    /// connector that is only missing, as after a restore, gets its calls when it is back. `now` is in Unix milliseconds.
    ///
    /// # Errors
    /// The database's.
    pub fn journal_tidy(&mut self, removed: &[String], now: i64) -> Result<u32, StoreError> {
        self.write("tidy the journal", |db| {
            let mut gone = 0;
            for plugin in removed {
                gone += db.execute("DELETE FROM journal WHERE plugin = ?1", [plugin])?;
            }
            Ok(count(gone) + give_way(db, now)?)
        })
    }

    /// The connectors that keep a journal, as they were last said to be: a call that ends before the plugin host is
    /// there is for them as well.
    ///
    /// # Errors
    /// The database's.
    pub fn load_journals(&self) -> Result<Vec<String>, StoreError> {
        self.read("read the journal", |db| Ok(load_document(db, JOURNALS)?.unwrap_or_default()))
    }

    /// Keeps the connectors that keep a journal.
    ///
    /// # Errors
    /// The database's.
    pub fn save_journals(&mut self, plugins: &[String]) -> Result<(), StoreError> {
        self.write("change the journal", |db| save_document(db, JOURNALS, &plugins))
    }
}

/// Removes what is too old, and the oldest of what is too much.
fn give_way(db: &Connection, now: i64) -> Result<u32, Failure> {
    let since = now.saturating_sub(JOURNAL_DAYS * DAY_MS);
    let old = db.prepare_cached("DELETE FROM journal WHERE added < ?1")?.execute([since])?;
    let waiting: u32 = db.query_row("SELECT count(*) FROM journal", [], |row| row.get(0))?;
    let surplus = waiting.saturating_sub(MAX_JOURNAL);
    if surplus > 0 {
        let sql = "DELETE FROM journal WHERE id IN (SELECT id FROM journal ORDER BY id LIMIT ?1)";
        db.prepare_cached(sql)?.execute([surplus])?;
    }
    Ok(count(old) + surplus)
}

fn remove(db: &Connection, id: i64) -> Result<(), Failure> {
    db.prepare_cached("DELETE FROM journal WHERE id = ?1")?.execute([id])?;
    Ok(())
}

fn json(call: &PluginCall) -> Result<String, Failure> {
    let unreadable =
        |error: serde_json::Error| StoreError::Unknown { what: "a call", found: error.to_string() };
    Ok(serde_json::to_string(call).map_err(unreadable)?)
}

fn count(rows: usize) -> u32 {
    u32::try_from(rows).unwrap_or(u32::MAX)
}
