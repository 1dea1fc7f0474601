//! Who is signed in at the desk, and how each operator wants the screen (ACC-1).
//!
//! It outlives a power cut: whoever was signed in still is, and a screen that was locked comes up locked.
//! Not done here: PINs, which are in `operators`.

use ipc::{Preferences, Theme};
use rusqlite::{Connection, OptionalExtension, params};

use crate::documents::{load_document, settings};
use crate::operators::{COLUMNS, DeskOperator, operator};
use crate::{Failure, Store, StoreError};

/// The document with the preferences of a desk where nobody signs in.
const PREFERENCES: &str = "preferences";

/// Who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Who.
    pub operator: DeskOperator,
    /// Since when, Unix milliseconds.
    pub since_ms: i64,
    /// The screen is locked.
    pub locked: bool,
}

impl Store {
    /// Who is signed in; nobody whom an administrator has locked.
    ///
    /// # Errors
    /// The database's.
    pub fn operator_at_desk(&self) -> Result<Option<SignedIn>, StoreError> {
        self.read("read who is signed in", |db| {
            let columns: Vec<String> = COLUMNS.split(", ").map(|column| format!("o.{column}")).collect();
            let sql = format!(
                "SELECT {}, s.since, s.locked AS covered FROM signed_in s JOIN desk_operator o ON o.id = s.operator \
                 WHERE NOT o.locked",
                columns.join(", ")
            );
            let row = db.query_row(&sql, [], |row| {
                Ok(SignedIn {
                    operator: operator(row)?,
                    since_ms: row.get("since")?,
                    locked: row.get("covered")?,
                })
            });
            Ok(row.optional()?)
        })
    }

    /// From now on this operator is signed in, in the place of whoever was.
    ///
    /// # Errors
    /// [`StoreError::NoSuchAccount`] when they were removed or locked meanwhile, or the database's.
    pub fn sign_in(&mut self, operator: i64, now_ms: i64) -> Result<SignedIn, StoreError> {
        self.write("sign in", |db| {
            let sql = "INSERT INTO signed_in (one, operator, since) \
                       SELECT 1, id, ?2 FROM desk_operator WHERE id = ?1 AND NOT locked \
                       ON CONFLICT (one) DO UPDATE SET operator = ?1, since = ?2, locked = 0";
            if db.execute(sql, params![operator, now_ms])? == 0 {
                return Err(StoreError::NoSuchAccount.into());
            }
            Ok(())
        })?;
        self.operator_at_desk()?.ok_or(StoreError::NoSuchAccount)
    }

    /// Nobody is signed in any more, if it was this operator.
    ///
    /// # Errors
    /// The database's.
    pub fn sign_out(&mut self, operator: i64) -> Result<(), StoreError> {
        self.write("sign out", |db| {
            db.execute("DELETE FROM signed_in WHERE operator = ?1", [operator])?;
            Ok(())
        })
    }

    /// The screen of this operator is locked, or no longer.
    ///
    /// # Errors
    /// The database's.
    pub fn lock_screen(&mut self, operator: i64, locked: bool) -> Result<(), StoreError> {
        self.write("lock the screen", |db| {
            db.execute("UPDATE signed_in SET locked = ?2 WHERE operator = ?1", params![operator, locked])?;
            Ok(())
        })
    }

    /// How an operator wants the screen; 0 stands for a desk where nobody signs in. Somebody new finds the colours of
    /// the desk and their own language. The time of the hold alarm comes from the settings.
    ///
    /// # Errors
    /// The database's.
    pub fn load_preferences(&self, operator: i64) -> Result<Preferences, StoreError> {
        self.read("read the preferences", |db| {
            let saved = preferences(db, operator)?;
            let hold_alarm_ms = u64::from(settings(db)?.rules.hold_alarm_s) * 1000;
            Ok(Preferences { hold_alarm_ms, ..saved })
        })
    }

    /// Saves how an operator wants the screen; of one who was removed meanwhile nothing is kept.
    ///
    /// # Errors
    /// The database's.
    pub fn save_preferences(&mut self, operator: i64, preferences: &Preferences) -> Result<(), StoreError> {
        self.write("save the preferences", |db| {
            if operator == 0 {
                return crate::documents::save_document(db, PREFERENCES, preferences);
            }
            let body = serde_json::to_string(preferences).map_err(unknown)?;
            let sql = "INSERT INTO operator_preferences (operator, body) \
                       SELECT id, ?2 FROM desk_operator WHERE id = ?1 \
                       ON CONFLICT (operator) DO UPDATE SET body = ?2";
            db.execute(sql, params![operator, body])?;
            Ok(())
        })
    }
}

fn preferences(db: &Connection, id: i64) -> Result<Preferences, Failure> {
    let of_desk: Preferences = load_document(db, PREFERENCES)?.unwrap_or_default();
    if id == 0 {
        return Ok(of_desk);
    }
    let sql = "SELECT body FROM operator_preferences WHERE operator = ?1";
    let body: Option<String> = db.query_row(sql, [id], |row| row.get(0)).optional()?;
    if let Some(body) = body {
        return Ok(serde_json::from_str(&body).map_err(unknown)?);
    }
    let sql = format!("SELECT {COLUMNS} FROM desk_operator WHERE id = ?1");
    let own = db.query_row(&sql, [id], operator).optional()?;
    let language = own.map_or(of_desk.language, |own| own.language);
    let theme: Theme = of_desk.theme;
    Ok(Preferences { language, theme, ..Preferences::default() })
}

fn unknown(error: serde_json::Error) -> StoreError {
    StoreError::Unknown { what: PREFERENCES, found: error.to_string() }
}
