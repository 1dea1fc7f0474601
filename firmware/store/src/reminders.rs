//! Reminders (REM-1), of one operator each.
//!
//! A change is done when it is on the disk: what was shown as kept is there after a power cut. What was removed stays
//! for a day, hidden, so that it can be brought back; it does not count towards the most there may be. When one is due is
//! not decided here.

use ipc::{
    MAX_REMINDER_PARTY, MAX_REMINDER_TEXT, MAX_REMINDERS, Reminder, ReminderForm, ReminderId, ReminderProblem,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{Failure, Store, StoreError};

/// How long what was removed can be brought back, in milliseconds.
const KEPT_MS: i64 = 24 * 60 * 60 * 1000;

/// From 2000 until 2100: what lies outside is a clock that was never set or a slip of the finger.
const TIMES: std::ops::Range<i64> = 946_684_800_000..4_102_444_800_000;

const COLUMNS: &str = "id, text, due_at, number, name, rang_at, done_at";

impl Store {
    /// An operator's reminders, by the time at which they are due.
    ///
    /// # Errors
    /// The database's.
    pub fn reminders(&self, operator: i64) -> Result<Vec<Reminder>, StoreError> {
        self.read("read the reminders", |db| {
            let sql = format!(
                "SELECT {COLUMNS} FROM reminder WHERE operator = ? AND removed_at IS NULL ORDER BY due_at, id"
            );
            let mut statement = db.prepare_cached(&sql)?;
            let rows = statement.query_map([operator], reminder)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// A new reminder.
    ///
    /// # Errors
    /// [`StoreError::Reminder`], or the database's.
    pub fn add_reminder(&mut self, operator: i64, what: &ReminderForm) -> Result<Reminder, StoreError> {
        check(what)?;
        self.write("keep a reminder", |db| {
            has_room(db, operator, 1)?;
            let sql =
                "INSERT INTO reminder (operator, text, due_at, number, name) VALUES (?1, ?2, ?3, ?4, ?5)";
            db.execute(sql, params![operator, what.text, what.due_unix_ms, what.number, what.name])?;
            found(db, operator, ReminderId(db.last_insert_rowid()))
        })
    }

    /// Other words, or another time. With another time it is pending again, whatever became of it before.
    ///
    /// # Errors
    /// [`StoreError::Reminder`], or the database's.
    pub fn change_reminder(
        &mut self,
        operator: i64,
        id: ReminderId,
        what: &ReminderForm,
    ) -> Result<Reminder, StoreError> {
        check(what)?;
        self.write("keep a reminder", |db| {
            let sql = "UPDATE reminder SET text = ?3, number = ?5, name = ?6, due_at = ?4, \
                       rang_at = iif(due_at = ?4, rang_at, NULL), done_at = iif(due_at = ?4, done_at, NULL) \
                       WHERE operator = ?1 AND id = ?2 AND removed_at IS NULL";
            let text = params![operator, id.0, what.text, what.due_unix_ms, what.number, what.name];
            db.execute(sql, text)?;
            found(db, operator, id)
        })
    }

    /// Puts a reminder off: it is pending again.
    ///
    /// # Errors
    /// [`StoreError::Reminder`], or the database's.
    pub fn snooze_reminder(
        &mut self,
        operator: i64,
        id: ReminderId,
        until_unix_ms: i64,
    ) -> Result<Reminder, StoreError> {
        in_time(until_unix_ms)?;
        self.write("put a reminder off", |db| {
            let sql = "UPDATE reminder SET due_at = ?3, rang_at = NULL, done_at = NULL \
                       WHERE operator = ?1 AND id = ?2 AND removed_at IS NULL";
            db.execute(sql, params![operator, id.0, until_unix_ms])?;
            found(db, operator, id)
        })
    }

    /// The operator says that it is done. What is done already stays so.
    ///
    /// # Errors
    /// [`StoreError::Reminder`], or the database's.
    pub fn finish_reminder(
        &mut self,
        operator: i64,
        id: ReminderId,
        now_ms: i64,
    ) -> Result<Reminder, StoreError> {
        self.write("keep that a reminder is done", |db| {
            let sql = "UPDATE reminder SET done_at = coalesce(done_at, ?3) \
                       WHERE operator = ?1 AND id = ?2 AND removed_at IS NULL";
            db.execute(sql, params![operator, id.0, now_ms])?;
            found(db, operator, id)
        })
    }

    /// The operator was told of these; of one that is due at another time than here by now it is not so.
    ///
    /// # Errors
    /// The database's.
    pub fn reminders_rang(
        &mut self,
        operator: i64,
        told: &[(ReminderId, i64)],
        now_ms: i64,
    ) -> Result<(), StoreError> {
        self.write("keep that the operator was reminded", |db| {
            let sql = "UPDATE reminder SET rang_at = ?4 \
                       WHERE operator = ?1 AND id = ?2 AND due_at = ?3 AND rang_at IS NULL";
            let mut statement = db.prepare_cached(sql)?;
            for (id, due) in told {
                statement.execute(params![operator, id.0, due, now_ms])?;
            }
            Ok(())
        })
    }

    /// Takes reminders away; those that are gone already do not matter.
    ///
    /// # Errors
    /// The database's.
    pub fn remove_reminders(
        &mut self,
        operator: i64,
        ids: &[ReminderId],
        now_ms: i64,
    ) -> Result<(), StoreError> {
        self.write("remove reminders", |db| {
            db.execute("DELETE FROM reminder WHERE removed_at < ?", [now_ms.saturating_sub(KEPT_MS)])?;
            let sql = "UPDATE reminder SET removed_at = ?3 \
                       WHERE operator = ?1 AND id = ?2 AND removed_at IS NULL";
            let mut statement = db.prepare_cached(sql)?;
            for id in ids {
                statement.execute(params![operator, id.0, now_ms])?;
            }
            Ok(())
        })
    }

    /// Brings back what was removed, all or nothing of it.
    ///
    /// # Errors
    /// [`StoreError::Reminder`]: there is no room any more, or nothing to bring back. Or the database's.
    pub fn restore_reminders(&mut self, operator: i64, ids: &[ReminderId]) -> Result<(), StoreError> {
        self.write("bring reminders back", |db| {
            let mut count = 0;
            {
                let sql = "UPDATE reminder SET removed_at = NULL \
                           WHERE operator = ?1 AND id = ?2 AND removed_at IS NOT NULL";
                let mut statement = db.prepare_cached(sql)?;
                for id in ids {
                    count += statement.execute(params![operator, id.0])?;
                }
            }
            if count == 0 && !ids.is_empty() {
                return Err(StoreError::Reminder(ReminderProblem::Gone).into());
            }
            has_room(db, operator, 0)
        })
    }
}

/// It says something, is not too long, and its time is one.
fn check(what: &ReminderForm) -> Result<(), StoreError> {
    let problem = if what.text.trim().is_empty() && what.number.trim().is_empty() {
        ReminderProblem::Empty
    } else if what.text.len() > MAX_REMINDER_TEXT
        || what.number.len().max(what.name.len()) > MAX_REMINDER_PARTY
    {
        ReminderProblem::TooLong
    } else {
        return in_time(what.due_unix_ms);
    };
    Err(StoreError::Reminder(problem))
}

fn in_time(unix_ms: i64) -> Result<(), StoreError> {
    if TIMES.contains(&unix_ms) { Ok(()) } else { Err(StoreError::Reminder(ReminderProblem::BadTime)) }
}

/// There is room for so many more.
fn has_room(db: &Connection, operator: i64, more: usize) -> Result<(), Failure> {
    let sql = "SELECT count(*) FROM reminder WHERE operator = ? AND removed_at IS NULL";
    let count: i64 = db.query_row(sql, [operator], |row| row.get(0))?;
    match usize::try_from(count) {
        Ok(count) if count + more <= MAX_REMINDERS => Ok(()),
        _ => Err(StoreError::Reminder(ReminderProblem::Full).into()),
    }
}

fn found(db: &Connection, operator: i64, id: ReminderId) -> Result<Reminder, Failure> {
    let sql = format!("SELECT {COLUMNS} FROM reminder WHERE operator = ? AND id = ? AND removed_at IS NULL");
    let found = db.query_row(&sql, [operator, id.0], reminder).optional()?;
    Ok(found.ok_or(StoreError::Reminder(ReminderProblem::Gone))?)
}

fn reminder(row: &Row<'_>) -> Result<Reminder, rusqlite::Error> {
    Ok(Reminder {
        id: ReminderId(row.get(0)?),
        what: ReminderForm {
            text: row.get(1)?,
            due_unix_ms: row.get(2)?,
            number: row.get(3)?,
            name: row.get(4)?,
        },
        rang_unix_ms: row.get(5)?,
        done_unix_ms: row.get(6)?,
    })
}
