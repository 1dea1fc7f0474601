//! Who may open the administrator's page, and which programs may use its API (ACC-1, APP-2).
//!
//! Not done here: hashing passwords, making tokens, sessions: what is kept was made by the `admin` crate.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{Failure, Store, StoreError};

/// Most accounts of the administrator's page.
pub const MAX_ACCOUNTS: u32 = 100;

/// Most tokens of programs.
pub const MAX_TOKENS: u32 = 100;

/// Longest name of an account or a token, in characters.
const MAX_NAME: usize = 64;

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Everything.
    Administrator,
    /// Look at everything.
    Supervisor,
}

impl Role {
    /// As it is kept and sent.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Supervisor => "supervisor",
        }
    }

    /// The role of this word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Administrator, Self::Supervisor].into_iter().find(|role| role.word() == word)
    }
}

/// What a program may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Look.
    Read,
    /// Look and change.
    Write,
}

impl Scope {
    /// As it is kept and sent.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }

    /// The scope of this word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Read, Self::Write].into_iter().find(|scope| scope.word() == word)
    }
}

/// An account of the administrator's page. Times are Unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebAccount {
    /// Never used again.
    pub id: i64,
    /// The name typed to sign in.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub created_ms: i64,
    /// When somebody signed in with it last.
    pub last_sign_in_ms: Option<i64>,
}

/// An account with what its password is checked against.
#[derive(Clone)]
pub struct Credentials {
    /// The account.
    pub account: WebAccount,
    /// The password's hash, as it was given to the store.
    pub password: String,
}

/// A token of a program. Times are Unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// Never used again.
    pub id: i64,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// When it was made.
    pub created_ms: i64,
    /// By whom.
    pub by: String,
    /// When it was used last, to the hour.
    pub last_used_ms: Option<i64>,
}

const ACCOUNT: &str = "id, name, role, created, last_sign_in";
const TOKEN: &str = "id, name, scope, created, by, last_used";

/// The tokens that the account `?1` made, the first of those that end with it.
const OF_ACCOUNT: &str =
    "SELECT id, name FROM admin_token WHERE by = (SELECT name FROM admin_account WHERE id = ?1)";

/// The token `?1`, the first of those that end with it.
const OF_TOKEN: &str = "SELECT id, name FROM admin_token WHERE id = ?1";

impl Store {
    /// Whether there is an administrator: the box has been set up.
    ///
    /// # Errors
    /// The database's.
    pub fn has_administrator(&self) -> Result<bool, StoreError> {
        self.read("look for an administrator", |db| Ok(administrators(db)? > 0))
    }

    /// Adds the first administrator; exactly one of several that try gets it.
    ///
    /// # Errors
    /// [`StoreError::AlreadySetUp`], as [`Store::add_account`], or the database's.
    pub fn add_first_administrator(
        &mut self,
        name: &str,
        password: &str,
        now_ms: i64,
    ) -> Result<WebAccount, StoreError> {
        self.write("add the first administrator", |db| {
            if administrators(db)? > 0 {
                return Err(StoreError::AlreadySetUp.into());
            }
            add_account(db, name, Role::Administrator, password, now_ms)
        })
    }

    /// Adds an account. `password` is a hash.
    ///
    /// # Errors
    /// [`StoreError::AccountName`], [`StoreError::AccountTaken`], [`StoreError::TooManyAccounts`], or the
    /// database's.
    pub fn add_account(
        &mut self,
        name: &str,
        role: Role,
        password: &str,
        now_ms: i64,
    ) -> Result<WebAccount, StoreError> {
        self.write("add an account", |db| add_account(db, name, role, password, now_ms))
    }

    /// All accounts, by name.
    ///
    /// # Errors
    /// The database's.
    pub fn accounts(&self) -> Result<Vec<WebAccount>, StoreError> {
        self.read("read the accounts", |db| {
            let mut query = db.prepare(&format!("SELECT {ACCOUNT} FROM admin_account ORDER BY name_key"))?;
            let rows = query.query_map([], account)?;
            rows.map(|row| row?).collect()
        })
    }

    /// The account of a name, in capitals or not.
    ///
    /// # Errors
    /// The database's.
    pub fn credentials(&self, name: &str) -> Result<Option<Credentials>, StoreError> {
        self.read("read an account", |db| {
            let sql = format!("SELECT {ACCOUNT}, password FROM admin_account WHERE name_key = ?1");
            let row = db
                .query_row(&sql, [key(name)], |row| Ok((account(row)?, row.get("password")?)))
                .optional()?;
            row.map(|(account, password)| Ok(Credentials { account: account?, password })).transpose()
        })
    }

    /// Gives an account another password; `password` is a hash.
    ///
    /// # Errors
    /// [`StoreError::NoSuchAccount`], or the database's.
    pub fn set_account_password(&mut self, id: i64, password: &str) -> Result<(), StoreError> {
        self.write("change a password", |db| {
            one(db.execute("UPDATE admin_account SET password = ?2 WHERE id = ?1", params![id, password])?)
        })
    }

    /// Gives an account another role, another password, or both: all of it or nothing. `password` is a hash. Where it is no
    /// administrator's any more, its tokens are revoked ([`Store::tokens_of`]); their names are returned.
    ///
    /// # Errors
    /// [`StoreError::NoSuchAccount`], [`StoreError::LastAdministrator`], or the database's.
    pub fn change_account(
        &mut self,
        id: i64,
        role: Option<Role>,
        password: Option<&str>,
    ) -> Result<Vec<String>, StoreError> {
        self.write("change an account", |db| {
            let sql = "UPDATE admin_account SET role = coalesce(?2, role), password = coalesce(?3, password) \
                       WHERE id = ?1";
            one(db.execute(sql, params![id, role.map(Role::word), password])?)?;
            somebody_stays(db)?;
            match role {
                None | Some(Role::Administrator) => Ok(Vec::new()),
                Some(Role::Supervisor) => revoke(db, OF_ACCOUNT, id),
            }
        })
    }

    /// Removes an account. Its tokens are revoked ([`Store::tokens_of`]); their names are returned.
    ///
    /// # Errors
    /// [`StoreError::NoSuchAccount`], [`StoreError::LastAdministrator`], or the database's.
    pub fn remove_account(&mut self, id: i64) -> Result<Vec<String>, StoreError> {
        self.write("remove an account", |db| {
            let revoked = revoke(db, OF_ACCOUNT, id)?;
            one(db.execute("DELETE FROM admin_account WHERE id = ?1", [id])?)?;
            somebody_stays(db)?;
            Ok(revoked)
        })
    }

    /// The names of the tokens that an account made, and of those that programs made with one of them: what is left to
    /// somebody who is no administrator any more, as long as nobody revokes it.
    ///
    /// # Errors
    /// The database's.
    pub fn tokens_of(&self, id: i64) -> Result<Vec<String>, StoreError> {
        self.read("read the tokens of an account", |db| {
            let mut query = db.prepare(&format!("{} SELECT name FROM made ORDER BY id", made(OF_ACCOUNT)))?;
            let names = query.query_map([id], |row| row.get(0))?;
            Ok(names.collect::<Result<_, _>>()?)
        })
    }

    /// Notes that somebody has signed in.
    ///
    /// # Errors
    /// [`StoreError::NoSuchAccount`], or the database's.
    pub fn signed_in(&mut self, id: i64, now_ms: i64) -> Result<(), StoreError> {
        self.write("note a sign-in", |db| {
            one(db.execute("UPDATE admin_account SET last_sign_in = ?2 WHERE id = ?1", [id, now_ms])?)
        })
    }

    /// Adds a token; `hash` is the SHA-256 of it, `by` the name of the administrator who makes it, or `token NAME` for a
    /// program. Two tokens of one name could not be told apart, neither by who wants to revoke one of them nor in the
    /// audit log: the name is taken once, in capitals or not.
    ///
    /// # Errors
    /// [`StoreError::AccountName`], [`StoreError::TokenTaken`], [`StoreError::TooManyAccounts`],
    /// [`StoreError::NoSuchAccount`] where who makes it is no administrator any more or was revoked meanwhile, or the
    /// database's.
    pub fn add_token(
        &mut self,
        name: &str,
        scope: Scope,
        hash: &[u8; 32],
        by: &str,
        now_ms: i64,
    ) -> Result<ApiToken, StoreError> {
        self.write("add a token", |db| {
            let name = usable(name)?;
            if !may_make(db, by)? {
                return Err(StoreError::NoSuchAccount.into());
            }
            let mut query = db.prepare("SELECT name FROM admin_token")?;
            let names = query.query_map([], |row| row.get(0))?;
            let names = names.collect::<Result<Vec<String>, _>>()?;
            if names.iter().any(|other| key(other) == key(name)) {
                return Err(StoreError::TokenTaken { name: name.to_owned() }.into());
            }
            if names.len() >= MAX_TOKENS as usize {
                return Err(StoreError::TooManyAccounts(MAX_TOKENS).into());
            }
            let sql = "INSERT INTO admin_token (name, hash, scope, created, by) VALUES (?, ?, ?, ?, ?)";
            db.execute(sql, params![name, hash, scope.word(), now_ms, by])?;
            let (id, by) = (db.last_insert_rowid(), by.to_owned());
            Ok(ApiToken { id, name: name.to_owned(), scope, created_ms: now_ms, by, last_used_ms: None })
        })
    }

    /// All tokens, oldest first.
    ///
    /// # Errors
    /// The database's.
    pub fn tokens(&self) -> Result<Vec<ApiToken>, StoreError> {
        self.read("read the tokens", |db| {
            let mut query = db.prepare(&format!("SELECT {TOKEN} FROM admin_token ORDER BY id"))?;
            let rows = query.query_map([], token)?;
            rows.map(|row| row?).collect()
        })
    }

    /// The token with this SHA-256.
    ///
    /// # Errors
    /// The database's.
    pub fn token(&self, hash: &[u8; 32]) -> Result<Option<ApiToken>, StoreError> {
        self.read("look for a token", |db| {
            let sql = format!("SELECT {TOKEN} FROM admin_token WHERE hash = ?1");
            db.query_row(&sql, [hash.as_slice()], token).optional()?.transpose()
        })
    }

    /// Notes that a token was used. One that was revoked meanwhile is none of it.
    ///
    /// # Errors
    /// The database's.
    pub fn token_used(&mut self, id: i64, now_ms: i64) -> Result<(), StoreError> {
        self.write("note the use of a token", |db| {
            db.execute("UPDATE admin_token SET last_used = ?2 WHERE id = ?1", [id, now_ms])?;
            Ok(())
        })
    }

    /// Revokes a token, and with it those that were made with it; says its name and theirs.
    ///
    /// # Errors
    /// [`StoreError::NoSuchAccount`], or the database's.
    pub fn remove_token(&mut self, id: i64) -> Result<(String, Vec<String>), StoreError> {
        self.write("revoke a token", |db| {
            let sql = "SELECT name FROM admin_token WHERE id = ?1";
            let name: Option<String> = db.query_row(sql, [id], |row| row.get(0)).optional()?;
            let name = name.ok_or(StoreError::NoSuchAccount)?;
            let mut others = revoke(db, OF_TOKEN, id)?;
            others.retain(|other| *other != name);
            Ok((name, others))
        })
    }
}

fn add_account(
    db: &Connection,
    name: &str,
    role: Role,
    password: &str,
    now_ms: i64,
) -> Result<WebAccount, Failure> {
    let name = usable(name)?;
    let count: u32 = db.query_row("SELECT count(*) FROM admin_account", [], |row| row.get(0))?;
    if count >= MAX_ACCOUNTS {
        return Err(StoreError::TooManyAccounts(MAX_ACCOUNTS).into());
    }
    let sql = "INSERT INTO admin_account (name, name_key, role, password, created) VALUES (?, ?, ?, ?, ?) \
               ON CONFLICT (name_key) DO NOTHING";
    if db.execute(sql, params![name, key(name), role.word(), password, now_ms])? == 0 {
        return Err(StoreError::AccountTaken { name: name.to_owned() }.into());
    }
    let id = db.last_insert_rowid();
    Ok(WebAccount { id, name: name.to_owned(), role, created_ms: now_ms, last_sign_in_ms: None })
}

/// What makes two names the same.
pub(crate) fn key(name: &str) -> String {
    name.trim().to_lowercase()
}

/// The name without spaces around it.
pub(crate) fn usable(name: &str) -> Result<&str, StoreError> {
    let trimmed = name.trim();
    let length = trimmed.chars().count();
    if (1..=MAX_NAME).contains(&length) && !trimmed.chars().any(char::is_control) {
        return Ok(trimmed);
    }
    Err(StoreError::AccountName { name: trimmed.chars().take(MAX_NAME).collect() })
}

/// These tokens as `made`, with all that were made with one of them. Whoever may write with a token can make others: these
/// are in the same hands, and end with it. A program is known by the name of its token, which no two have.
fn made(first: &str) -> String {
    format!(
        "WITH RECURSIVE made (id, name) AS ({first} \
         UNION \
         SELECT admin_token.id, admin_token.name FROM admin_token \
         JOIN made ON admin_token.by = 'token ' || made.name)"
    )
}

/// Revokes what [`made`] finds; the names.
fn revoke(db: &Connection, first: &str, id: i64) -> Result<Vec<String>, Failure> {
    let made = made(first);
    let sql = format!("{made} DELETE FROM admin_token WHERE id IN (SELECT id FROM made) RETURNING name");
    let mut statement = db.prepare(&sql)?;
    let names = statement.query_map([id], |row| row.get(0))?;
    let mut names = names.collect::<Result<Vec<String>, _>>()?;
    names.sort();
    Ok(names)
}

/// Whether somebody of this name may make tokens: whoever began to make one may have been removed or revoked meanwhile.
fn may_make(db: &Connection, by: &str) -> Result<bool, rusqlite::Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM admin_account WHERE name = ?1 AND role = 'administrator') \
               OR EXISTS (SELECT 1 FROM admin_token WHERE 'token ' || name = ?1 AND scope = 'write')";
    db.query_row(sql, [by], |row| row.get(0))
}

fn administrators(db: &Connection) -> Result<u32, rusqlite::Error> {
    let sql = "SELECT count(*) FROM admin_account WHERE role = 'administrator'";
    db.query_row(sql, [], |row| row.get(0))
}

/// Fails, which undoes the transaction, when nobody is left who could administer the box.
fn somebody_stays(db: &Connection) -> Result<(), Failure> {
    if administrators(db)? == 0 {
        return Err(StoreError::LastAdministrator.into());
    }
    Ok(())
}

pub(crate) fn one(changed: usize) -> Result<(), Failure> {
    if changed == 0 {
        return Err(StoreError::NoSuchAccount.into());
    }
    Ok(())
}

fn account(row: &Row<'_>) -> Result<Result<WebAccount, Failure>, rusqlite::Error> {
    let role: String = row.get("role")?;
    let Some(role) = Role::of_word(&role) else {
        return Ok(Err(StoreError::Unknown { what: "the role of an account", found: role }.into()));
    };
    Ok(Ok(WebAccount {
        id: row.get("id")?,
        name: row.get("name")?,
        role,
        created_ms: row.get("created")?,
        last_sign_in_ms: row.get("last_sign_in")?,
    }))
}

fn token(row: &Row<'_>) -> Result<Result<ApiToken, Failure>, rusqlite::Error> {
    let scope: String = row.get("scope")?;
    let Some(scope) = Scope::of_word(&scope) else {
        return Ok(Err(StoreError::Unknown { what: "the scope of a token", found: scope }.into()));
    };
    Ok(Ok(ApiToken {
        id: row.get("id")?,
        name: row.get("name")?,
        scope,
        created_ms: row.get("created")?,
        by: row.get("by")?,
        last_used_ms: row.get("last_used")?,
    }))
}
