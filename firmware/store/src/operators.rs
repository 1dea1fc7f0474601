//! Who sits at the desk, and their PINs (ACC-1).
//!
//! A PIN is short, so guessing is what it is kept from: after [`FREE`] wrong ones each further one doubles the wait,
//! after [`MOST`] the operator is locked until an administrator unlocks them. A try counts before it is looked at:
//! many at the same time, or a power cut in the midst, gain nothing.
//! Not done here: hashing PINs, which is the `admin` crate's; who is signed in, which is in `sign_in`.

use ipc::Language;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::admins::{key, one, usable};
use crate::{Failure, Store, StoreError};

/// Most operators.
pub const MAX_OPERATORS: u32 = 100;
/// Wrong PINs that cost nothing.
const FREE: u32 = 3;
/// Wrong PINs after which an operator is locked.
const MOST: u32 = 10;
/// Longest wait between two PINs, in milliseconds.
const LONGEST_MS: i64 = 60_000;
/// How many digits a PIN has.
const DIGITS: std::ops::RangeInclusive<usize> = 4..=10;
/// The middle row of the keypad, both ways.
const KEYPAD: [&str; 2] = ["2580", "0852"];

/// Somebody who may sit at the desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskOperator {
    /// Never used again.
    pub id: i64,
    /// Their name.
    pub name: String,
    /// The language of the screen while they sit there.
    pub language: Language,
    /// No PIN is right until an administrator has unlocked them.
    pub locked: bool,
    /// Wrong PINs since the last right one.
    pub failures: u32,
    /// When they were added, Unix milliseconds.
    pub created_ms: i64,
}

/// What of an operator is changed; what is `None` stays.
#[derive(Clone, Default)]
pub struct OperatorChange {
    /// Another name.
    pub name: Option<String>,
    /// Another language.
    pub language: Option<Language>,
    /// The hash of another PIN, which [`pin_allowed`] allows. Who was locked stays so.
    pub pin: Option<String>,
    /// Locked, or unlocked and without wrong PINs.
    pub locked: Option<bool>,
}

/// Why a PIN cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeakPin {
    /// Not 4 to 10 digits.
    Digits,
    /// Everybody tries it: a digit or two over and over, or digits in a row.
    Trivial,
}

/// What a PIN is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinCheck {
    /// Right.
    Right,
    /// Wrong; so many more are looked at before the operator is locked.
    Wrong {
        /// How many.
        left: u32,
        /// How long none is looked at, in milliseconds.
        wait_ms: u64,
    },
    /// Not looked at: the last one was wrong a moment ago.
    Wait {
        /// Milliseconds until one is looked at again.
        ms: u64,
    },
    /// Not looked at: an administrator must unlock the operator.
    Locked,
}

/// A try that was counted and not looked at yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinBegun {
    /// The hash of the right one.
    pub hash: String,
    /// What it is unless it fits.
    pub otherwise: PinCheck,
}

/// Whether a PIN may be used.
///
/// # Errors
/// Why not.
pub fn pin_allowed(pin: &str) -> Result<(), WeakPin> {
    let digits = pin.as_bytes();
    if !DIGITS.contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return Err(WeakPin::Digits);
    }
    // From one digit to the next; 0 comes before 1 and behind 9.
    let step = |pair: &[u8]| (10 + pair[1] - pair[0]) % 10;
    let first = step(digits);
    let is_row = matches!(first, 0 | 1 | 9) && digits.windows(2).all(|pair| step(pair) == first);
    let is_pair = digits.chunks(2).all(|pair| digits.starts_with(pair));
    if is_row || is_pair || KEYPAD.contains(&pin) {
        return Err(WeakPin::Trivial);
    }
    Ok(())
}

pub(crate) const COLUMNS: &str = "id, name, language, locked, failures, created";

impl Store {
    /// All operators, by name.
    ///
    /// # Errors
    /// The database's.
    pub fn operators(&self) -> Result<Vec<DeskOperator>, StoreError> {
        self.read("read the operators", |db| {
            let mut query = db.prepare(&format!("SELECT {COLUMNS} FROM desk_operator ORDER BY name_key"))?;
            let rows = query.query_map([], operator)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Adds an operator; `pin` is the hash of one that [`pin_allowed`] allows.
    ///
    /// # Errors
    /// [`StoreError::AccountName`], [`StoreError::AccountTaken`],
    /// [`StoreError::TooManyAccounts`], or the database's.
    pub fn add_operator(
        &mut self,
        name: &str,
        language: Language,
        pin: &str,
        now_ms: i64,
    ) -> Result<DeskOperator, StoreError> {
        let name = usable(name)?;
        self.write("add an operator", |db| {
            let count: u32 = db.query_row("SELECT count(*) FROM desk_operator", [], |row| row.get(0))?;
            if count >= MAX_OPERATORS {
                return Err(StoreError::TooManyAccounts(MAX_OPERATORS).into());
            }
            let sql = "INSERT INTO desk_operator (name, name_key, pin, language, created) VALUES (?, ?, ?, ?, ?) \
                       ON CONFLICT (name_key) DO NOTHING";
            if db.execute(sql, params![name, key(name), pin, word(language), now_ms])? == 0 {
                return Err(StoreError::AccountTaken { name: name.to_owned() }.into());
            }
            let (id, name) = (db.last_insert_rowid(), name.to_owned());
            Ok(DeskOperator { id, name, language, locked: false, failures: 0, created_ms: now_ms })
        })
    }

    /// Changes an operator: all of it or nothing.
    ///
    /// # Errors
    /// [`StoreError::AccountName`], [`StoreError::AccountTaken`], [`StoreError::NoSuchAccount`], or the database's.
    pub fn change_operator(&mut self, id: i64, change: &OperatorChange) -> Result<(), StoreError> {
        let OperatorChange { name, language, pin, locked } = change;
        let name = name.as_deref().map(usable).transpose()?;
        self.write("change an operator", |db| {
            let sql = "SELECT count(*) FROM desk_operator WHERE name_key = ?1 AND id <> ?2";
            if let Some(name) = name
                && db.query_row(sql, params![key(name), id], |row| row.get::<_, u32>(0))? > 0
            {
                return Err(StoreError::AccountTaken { name: name.to_owned() }.into());
            }
            let sql = "UPDATE desk_operator SET name = coalesce(?2, name), name_key = coalesce(?3, name_key), \
                       language = coalesce(?4, language), pin = coalesce(?5, pin) WHERE id = ?1";
            one(db.execute(sql, params![id, name, name.map(key), language.map(word), pin])?)?;
            locked.map_or(Ok(()), |locked| lock(db, id, locked))
        })
    }

    /// Locks an operator, or unlocks them and forgets their wrong PINs.
    ///
    /// # Errors
    /// [`StoreError::NoSuchAccount`], or the database's.
    pub fn lock_operator(&mut self, id: i64, locked: bool) -> Result<(), StoreError> {
        self.write("lock or unlock an operator", |db| lock(db, id, locked))
    }

    /// Removes an operator.
    ///
    /// # Errors
    /// [`StoreError::NoSuchAccount`], or the database's.
    pub fn remove_operator(&mut self, id: i64) -> Result<(), StoreError> {
        self.write("remove an operator", |db| {
            one(db.execute("DELETE FROM desk_operator WHERE id = ?1", [id])?)
        })
    }

    /// Counts a try of a PIN as a wrong one at `now_ms`, Unix milliseconds, before anybody looks at it: hashing takes its
    /// time, and is not done here. One that fits is told to [`Store::pin_was_right`]. The inner error says why nobody
    /// shall look.
    ///
    /// # Errors
    /// [`StoreError::NoSuchAccount`], or the database's.
    pub fn begin_pin(&mut self, id: i64, now_ms: i64) -> Result<Result<PinBegun, PinCheck>, StoreError> {
        self.write("note a PIN", |db| {
            let sql = "SELECT pin, locked, failures, wait_until FROM desk_operator WHERE id = ?1";
            let row = db.query_row(sql, [id], |row| {
                Ok((row.get::<_, String>(0)?, row.get(1)?, row.get::<_, u32>(2)?, row.get::<_, i64>(3)?))
            });
            let (hash, locked, failures, wait_until) = row.optional()?.ok_or(StoreError::NoSuchAccount)?;
            if locked {
                return Ok(Err(PinCheck::Locked));
            }
            // A clock that was set back makes nobody wait longer than the longest wait.
            let ms = (wait_until - now_ms).min(LONGEST_MS);
            if ms > 0 {
                return Ok(Err(PinCheck::Wait { ms: ms.unsigned_abs() }));
            }
            let failures = failures.saturating_add(1);
            let sql = "UPDATE desk_operator SET failures = ?2, wait_until = ?3, locked = ?4 WHERE id = ?1";
            db.execute(sql, params![id, failures, now_ms + wait_ms(failures), failures >= MOST])?;
            let otherwise = match MOST.saturating_sub(failures) {
                0 => PinCheck::Locked,
                left => PinCheck::Wrong { left, wait_ms: wait_ms(failures).unsigned_abs() },
            };
            Ok(Ok(PinBegun { hash, otherwise }))
        })
    }

    /// Forgets the wrong tries of an operator: the one begun last fits this hash. Not if an administrator has locked
    /// them or given them another PIN since it was begun.
    ///
    /// # Errors
    /// [`StoreError::NoSuchAccount`], or the database's.
    pub fn pin_was_right(&mut self, id: i64, hash: &str) -> Result<PinCheck, StoreError> {
        self.write("note a right PIN", |db| {
            // Who is locked by an administrator has no failures; who is by the try that was right has them all.
            let sql = "UPDATE desk_operator SET locked = 0, failures = 0, wait_until = 0 \
                       WHERE id = ?1 AND pin = ?2 AND NOT (locked AND failures = 0)";
            if db.execute(sql, params![id, hash])? == 1 {
                return Ok(PinCheck::Right);
            }
            let sql = "SELECT locked, failures FROM desk_operator WHERE id = ?1";
            let row = db.query_row(sql, [id], |row| Ok((row.get(0)?, row.get::<_, u32>(1)?))).optional()?;
            let (locked, failures) = row.ok_or(StoreError::NoSuchAccount)?;
            Ok(match (locked, MOST.saturating_sub(failures)) {
                (true, _) | (_, 0) => PinCheck::Locked,
                (false, left) => PinCheck::Wrong { left, wait_ms: wait_ms(failures).unsigned_abs() },
            })
        })
    }
}

fn lock(db: &Connection, id: i64, locked: bool) -> Result<(), Failure> {
    let sql = "UPDATE desk_operator SET locked = ?2, failures = 0, wait_until = 0 WHERE id = ?1";
    one(db.execute(sql, params![id, locked])?)
}

/// How long nobody may try again after so many wrong PINs.
fn wait_ms(failures: u32) -> i64 {
    match failures.checked_sub(FREE) {
        None | Some(0) => 0,
        Some(more) => (1_000_i64 << (more - 1).min(10)).min(LONGEST_MS),
    }
}

fn word(language: Language) -> &'static str {
    match language {
        Language::English => "en",
        Language::French => "fr",
    }
}

pub(crate) fn operator(row: &Row<'_>) -> Result<DeskOperator, rusqlite::Error> {
    let language: String = row.get("language")?;
    Ok(DeskOperator {
        id: row.get("id")?,
        name: row.get("name")?,
        // The table has no other word than these two.
        language: if language == "fr" { Language::French } else { Language::English },
        locked: row.get("locked")?,
        failures: row.get("failures")?,
        created_ms: row.get("created")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acc_1_a_pin_that_everybody_tries_is_refused() {
        for pin in ["", "123", "12345678901", "12a4", "١٢٣٤", "12 34"] {
            assert_eq!(pin_allowed(pin), Err(WeakPin::Digits), "{pin}");
        }
        for pin in ["0000", "1234", "4321", "7890", "0987654321", "1212", "69696", "2580", "99999999"] {
            assert_eq!(pin_allowed(pin), Err(WeakPin::Trivial), "{pin}");
        }
        for pin in ["1357", "2468", "1235", "40028922", "1221"] {
            assert_eq!(pin_allowed(pin), Ok(()), "{pin}");
        }
    }

    #[test]
    fn acc_1_each_further_wrong_pin_doubles_the_wait_up_to_a_minute() {
        let waits: Vec<i64> = (1..=MOST).map(wait_ms).collect();
        assert_eq!(waits, [0, 0, 0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000]);
    }
}
