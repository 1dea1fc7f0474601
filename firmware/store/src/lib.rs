//! What the appliance keeps: directories and contacts, the call log, settings, in one SQLite file.
//!
//! What a method has returned `Ok` for is on the disk (write-ahead log, `synchronous=FULL`): a power cut
//! loses none of it, and of what was under way nothing is left by halves (APP-4). All calls block; the
//! daemon keeps a [`Store`] on a thread of its own. This is the only crate with SQL (law 3).
//!
//! Not done here: searching contacts, which the `directory` crate does in memory; deciding anything.
//!
//! A map: `schema` makes and updates the tables, `contacts`, `pictures` and `files` keep directories,
//! `edits`, `removals` and `history` change them by hand, `sources` from connectors, `calls` the log,
//! `statistics` counts it, `marks` are minutes of calls that something was wrong with, `journal` is what of it is on its way into customer databases, `admins` and `audit` are the
//! administrator's page's, `operators` who sits at the desk, `reminders` what they want to be told, `settings` are the words of the settings file (`reach` and `tls` those about
//! networks), `refusal` what of them is refused, `documents` keeps them, `parked` are callers whom the exchange keeps meanwhile, `provisioned` takes them from a provisioning server, `health` has figures for support, `snapshot` copies and replaces all, `rollback` does so over an update and back.

mod admins;
mod audit;
mod calls;
mod clock;
mod contacts;
mod documents;
mod edits;
mod error;
mod files;
mod handling;
mod health;
mod history;
mod journal;
mod marks;
mod note;
mod operators;
mod parked;
mod pictures;
mod provisioned;
mod reach;
mod refusal;
mod reminders;
mod removals;
mod rollback;
mod schema;
mod settings;
mod settings_file;
mod sign_in;
mod snapshot;
mod sound_devices;
mod sources;
mod statistics;
mod tls;
mod voice;
mod waiting;
mod xmpp;

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

pub use admins::{ApiToken, Credentials, MAX_ACCOUNTS, MAX_TOKENS, Role, Scope, WebAccount};
pub use audit::{AuditEntry, MAX_AUDIT_PAGE};
pub use calls::MAX_LOG_PAGE;
pub use clock::{Clock, time_zone};
pub use contacts::MAX_CONTACTS;
pub use edits::{Author, Edited};
pub use error::StoreError;
pub use files::{ImportJob, MAX_IMPORT_BYTES};
pub use handling::{Day, Hours, Timetable, holiday, minutes};
pub use health::StoreHealth;
pub use ipc::{
    AnswerTimes, CallCounts, CallStatistics, LineCounts, MAX_SLOTS, OutcomeCount, QUICK_MS, SlotCounts,
    TimeFigures,
};
pub use journal::{Appended, JOURNAL_DAYS, JournalRow, MAX_JOURNAL};
pub use marks::{MAX_CALL_MARKS, MarkedCall};
pub use operators::{DeskOperator, MAX_OPERATORS, OperatorChange, PinBegun, PinCheck, WeakPin, pin_allowed};
pub use parked::Parked;
pub use pictures::PICTURE_SIDE;
pub use provisioned::{NamedBy, Provisioned, TakenFile};
pub use reach::{Nat, NatError, Srtp, Transport};
pub use refusal::{Refusal, Why};
pub use removals::Removal;
pub use rollback::{Prepared, prepare, put_aside};
pub use settings::{
    Account, Crm, DirectorySettings, Line, MAX_CALLS, Numbers, Operator, Rules, Secret, Settings,
};
pub use settings_file::SettingsError;
pub use sign_in::SignedIn;
pub use snapshot::{Checked, check, is_swapped, keep_new, return_old, snapshot, swap_in};
pub use sound_devices::SoundDevices;
pub use sources::{Changes, Copied, CopyJob, Source};
pub use statistics::{Slots, call_direction_word, outcome_word};
pub use tls::{Certificate, MAX_PEM, Tls};
pub use voice::Voice;
pub use waiting::Waiting;
pub use xmpp::Xmpp;

/// How long another process, such as `frontdeskd settings import`, may keep the file locked.
const BUSY: Duration = Duration::from_secs(5);

/// The open database.
#[derive(Debug)]
pub struct Store {
    db: Connection,
    path: PathBuf,
}

impl Store {
    /// Opens the database, which is made when it is not there (mode 0600: it holds passwords), and brings
    /// its tables up to date.
    ///
    /// # Errors
    /// When the file cannot be opened or written, is damaged, is no database, belongs to another program or
    /// was written by a newer version.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let path = path.into();
        make_private(&path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(&path, flags);
        let db = db.map_err(|source| StoreError::sql(&path, "open the database", source))?;
        let mut store = Self { db, path };
        store.configure().map_err(|source| store.failed("open the database", source))?;
        store.migrate()?;
        Ok(store)
    }

    /// The database's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn configure(&self) -> Result<(), rusqlite::Error> {
        self.db.busy_timeout(BUSY)?;
        calls::add_fold(&self.db)?;
        self.db.pragma_update(None, "foreign_keys", true)?;
        self.db.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        self.db.pragma_update(None, "synchronous", "full")
    }

    /// Does `work` wholly or not at all.
    fn write<T>(
        &mut self,
        doing: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let path = &self.path;
        let sql = |source| StoreError::sql(path, doing, source);
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sql)?;
        // Dropping the transaction rolls it back.
        let done = work(&transaction).map_err(|failure| failure.named(path, doing))?;
        transaction.commit().map_err(sql)?;
        Ok(done)
    }

    /// Reads one state of the database.
    fn read<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let sql = |source| StoreError::sql(&self.path, doing, source);
        let transaction = self.db.unchecked_transaction().map_err(sql)?;
        work(&transaction).map_err(|failure| failure.named(&self.path, doing))
    }

    fn failed(&self, doing: &'static str, source: rusqlite::Error) -> StoreError {
        StoreError::sql(&self.path, doing, source)
    }
}

/// Why work inside a transaction ended: SQLite, which does not know what was being done, or a reason of ours.
#[derive(Debug)]
enum Failure {
    Sql(rusqlite::Error),
    Own(StoreError),
}

impl Failure {
    fn named(self, path: &Path, doing: &'static str) -> StoreError {
        match self {
            Self::Sql(source) => StoreError::sql(path, doing, source),
            Self::Own(error) => error,
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Own(error)
    }
}

/// Makes the file before SQLite does, which would let everybody read it. SQLite gives its other files the
/// same mode.
///
/// A file that is there is not opened: closing it would end every lock that this process has on it through SQLite
/// (POSIX advisory locks; "How To Corrupt An SQLite Database File", section 2.2). The next program that looked into the
/// database would then take itself for the last one, and delete the write-ahead log that is still written here.
fn make_private(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
            Err(StoreError::Open { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use directory::Contact;

    fn many(count: usize) -> Vec<Contact> {
        let contact = |n| Contact { last_name: format!("N{n}"), note: "x".repeat(500), ..Contact::default() };
        (0..count).map(contact).collect()
    }

    #[test]
    fn app_4_a_full_disk_is_an_error_and_leaves_nothing_half_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path().join("desk.db")).unwrap();
        let staff = store.add_directory("Staff", true).unwrap().id;
        store.add_contacts(staff, &many(3)).unwrap();
        let pages: i64 = store.db.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        store.db.pragma_update_and_check(None, "max_page_count", pages + 5, |_| Ok(())).unwrap();
        let error = store.add_contacts(staff, &many(1000)).unwrap_err();
        assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
        assert!(error.to_string().ends_with("cannot add contacts: the disk is full"), "{error}");
        assert_eq!(store.load_catalogue().unwrap().1.len(), 3);
        store.db.pragma_update_and_check(None, "max_page_count", 100_000, |_| Ok(())).unwrap();
        assert_eq!(store.add_contacts(staff, &many(1000)).unwrap().len(), 997);
    }

    #[test]
    fn dir_3_a_disk_that_fills_up_in_mid_import_leaves_nothing_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path().join("desk.db")).unwrap();
        let staff = store.add_directory("Staff", true).unwrap().id;
        store.add_contacts(staff, &many(3)).unwrap();
        let path = folder.path().join("contacts.csv");
        let mut file = std::fs::File::create(&path).unwrap();
        directory::csv::export(&mut file, &many(10_000)).unwrap();
        let pages: i64 = store.db.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        // Room for the first part, not for the third.
        store.db.pragma_update_and_check(None, "max_page_count", pages + 800, |_| Ok(())).unwrap();
        let mut job = store.begin_import(&path, "New", false, 0).unwrap();
        assert!(store.import_some(&mut job).unwrap(), "the first part fits");
        store.give_up_import(&job).unwrap();
        let error = store.import_csv(&path, "New", false, 0).unwrap_err();
        assert!(error.to_string().ends_with("cannot import contacts: the disk is full"), "{error}");
        let (directories, entries) = store.load_catalogue().unwrap();
        assert_eq!((directories.len(), entries.len()), (1, 3));
        let hidden: i64 = store.db.query_row("SELECT count(*) FROM contact", [], |row| row.get(0)).unwrap();
        assert_eq!(hidden, 3, "nor is anything left unseen");
    }

    #[test]
    fn app_4_what_an_import_left_is_forgotten_in_parts_that_need_little_room() {
        let folder = tempfile::tempdir().unwrap();
        let (path, file) = (folder.path().join("desk.db"), folder.path().join("contacts.csv"));
        directory::csv::export(&mut std::fs::File::create(&file).unwrap(), &many(8_000)).unwrap();
        let mut store = Store::open(&path).unwrap();
        let mut job = store.begin_import(&file, "New", false, 0).unwrap();
        while store.import_some(&mut job).unwrap() {}
        // A power cut. Closed, the log is in the file, and its own file is gone.
        drop(job);
        drop(store);
        let mut store = Store::open(&path).unwrap();
        store.tidy_up(0).unwrap();
        let count = |table: &str| -> i64 {
            let sql = format!("SELECT count(*) FROM {table}");
            store.db.query_row(&sql, [], |row| row.get(0)).unwrap()
        };
        assert_eq!((count("contact"), count("directory"), count("removal")), (0, 0, 0));
        let log = std::fs::metadata(folder.path().join("desk.db-wal")).unwrap().len();
        assert!(log < 3 << 20, "in one transaction it would be 5 MB, as much as the contacts: {log}");
    }

    #[test]
    fn a_database_that_cannot_be_written_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path().join("desk.db")).unwrap();
        store.db.pragma_update(None, "query_only", true).unwrap();
        let error = store.add_directory("Staff", true).unwrap_err();
        assert!(matches!(error, StoreError::ReadOnly { doing: "add a directory", .. }), "{error:?}");
    }

    #[test]
    fn the_disk_is_asked_to_keep_what_it_is_given() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("desk.db")).unwrap();
        let synchronous: i64 = store.db.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap();
        let foreign_keys: i64 = store.db.pragma_query_value(None, "foreign_keys", |row| row.get(0)).unwrap();
        assert_eq!((synchronous, foreign_keys), (2, 1));
    }
}
