//! What can go wrong with the store, said so that an administrator knows what to do.

use std::io;
use std::path::{Path, PathBuf};

use directory::ContactError;
use directory::csv::{ExportError, ImportError};
use ipc::{ContactId, DirectoryId, EditProblem, ReminderProblem};
use rusqlite::ErrorCode;

use crate::settings_file::SettingsError;

/// Why the store did not do it. Nothing has been changed then.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database's file cannot be opened or made.
    #[error("{path}: cannot be opened: {source}", path = path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is no SQLite database.
    #[error("{path}: is not a database; it is damaged or another file stands in its place", path = path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The file is a database of another program.
    #[error("{path}: is a database of another program", path = path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a newer version.
    #[error("{path}: was written by a newer version (schema {found}, this one knows up to {known}); update Frontdesk or restore a backup", path = path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Schema of the file.
        found: i64,
        /// Newest schema known.
        known: i64,
    },
    /// The database is damaged.
    #[error("{path}: is damaged (found while trying to {doing}); restore a backup", path = path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
    },
    /// No space is left.
    #[error("{path}: cannot {doing}: the disk is full", path = path.display())]
    Full {
        /// The file.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
    },
    /// The file or its file system cannot be written.
    #[error("{path}: cannot {doing}: the file or its folder is read-only", path = path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
    },
    /// Another process keeps the file locked.
    #[error("{path}: cannot {doing}: another process is writing", path = path.display())]
    Busy {
        /// The file.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
    },
    /// SQLite refused for another reason.
    #[error("{path}: cannot {doing}: {source}", path = path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// A value in the database has a meaning that is not known.
    #[error("{what} in the database cannot be understood: {found}")]
    Unknown {
        /// Which value.
        what: &'static str,
        /// What stands there.
        found: String,
    },
    /// There is no such directory.
    #[error("there is no directory {}", .0.0)]
    NoSuchDirectory(DirectoryId),
    /// There is no such contact.
    #[error("there is no contact {}", .0.0)]
    NoSuchContact(ContactId),
    /// The removal is too long ago, or was undone already.
    #[error("this can no longer be undone")]
    NothingToUndo,
    /// Directories or contacts cannot be changed like this.
    #[error(transparent)]
    Edit(#[from] EditProblem),
    /// Another account of the administrator's page has this name.
    #[error("there is an account {name:?} already")]
    AccountTaken {
        /// The name.
        name: String,
    },
    /// Another token has this name.
    #[error("there is a token {name:?} already")]
    TokenTaken {
        /// The name.
        name: String,
    },
    /// A name is empty, too long or has characters that no name has.
    #[error("the name {name:?} cannot be used: 1 to 64 characters, no control characters")]
    AccountName {
        /// What was wanted.
        name: String,
    },
    /// There is no such account, or no such token.
    #[error("it is not there any more")]
    NoSuchAccount,
    /// Without this account nobody could administer the box.
    #[error("the last administrator stays")]
    LastAdministrator,
    /// The box has been set up: its first administrator is there.
    #[error("there is an administrator already")]
    AlreadySetUp,
    /// A provisioning file of a server that only DHCP names, and this desk was set up from elsewhere.
    #[error("the desk was not set up from the server that DHCP names; its file is not taken")]
    NotFollowed,
    /// Too many accounts or tokens.
    #[error("at most {0} are possible")]
    TooManyAccounts(u32),
    /// More than a note holds.
    #[error("the note has {bytes} bytes, of which {most} can be kept")]
    NoteTooLong {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        most: usize,
    },
    /// A reminder cannot be kept like this.
    #[error(transparent)]
    Reminder(ReminderProblem),
    /// There is no such row in the call log.
    #[error("there is no row {0} in the call log")]
    NoSuchCall(i64),
    /// A directory cannot have this name.
    #[error("a directory cannot be named {name:?}: {problem}")]
    DirectoryName {
        /// What was wanted.
        name: String,
        /// Why not.
        problem: EditProblem,
    },
    /// A contact cannot be kept.
    #[error("the contact cannot be kept: {0}")]
    Contact(#[from] ContactError),
    /// A directory would become too large.
    #[error("a directory has at most {} contacts", crate::MAX_CONTACTS)]
    TooManyContacts,
    /// A file has more text than a desk can hold in memory.
    #[error("a file of contacts may have at most {} MiB of text", crate::MAX_IMPORT_BYTES >> 20)]
    TooMuchText,
    /// A file of contacts cannot be opened.
    #[error("{path}: cannot be opened: {source}", path = path.display())]
    OpenContacts {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of contacts cannot be read.
    #[error("{path}: {source}", path = path.display())]
    Import {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: ImportError,
    },
    /// Contacts cannot be written to a file.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The settings have a value that is not allowed.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}

impl StoreError {
    /// Sorts what SQLite said.
    pub(crate) fn sql(path: &Path, doing: &'static str, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotADatabase { path },
            Some(ErrorCode::DatabaseCorrupt) => Self::Corrupt { path, doing },
            Some(ErrorCode::DiskFull) => Self::Full { path, doing },
            Some(ErrorCode::ReadOnly) => Self::ReadOnly { path, doing },
            Some(ErrorCode::CannotOpen) => Self::Open { path, source: io::Error::other(source) },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { path, doing },
            _ => Self::Failed { path, doing, source },
        }
    }
}
