//! Files of contacts that an administrator uploads (DIR-3), one at a time, and what came of the last one.
//!
//! A file is written beside the certificate first: it is whole before the desk hears of it, and an upload that breaks off
//! leaves nothing. The desk reads it as it does every file of contacts, between two calls; that goes on when the browser
//! has left, and the page tells what came of it.
//!
//! Not done here: reading contacts (`directory::csv`, asked by [`crate::wishes`]), and the words (`pages::imports`).

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::body::Bytes;
use futures_util::Stream;
use ipc::{CommandError, ImportReport};
use tempfile::{NamedTempFile, TempPath};
use tokio::{
    fs::File,
    io::AsyncWriteExt,
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinHandle,
};
use tracing::warn;

use crate::{
    app::App,
    audit::{Act, Actor},
    health::Health,
    parts::{FORM_MARGIN, piece},
};

/// Largest file, in bytes: half a million contacts without pictures, or some thousands with.
pub(crate) const MAX_BYTES: u64 = 256 << 20;
/// Room on the disk that an upload does not take, in bytes: calls are logged meanwhile, and the contacts have to go there.
const SPARE: u64 = 64 << 20;

/// How the name of a file on its way begins.
const PREFIX: &str = "contacts-";

/// Why the desk took nothing of a file of contacts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContactsProblem {
    /// Its first line is longer than any can be, or names no known column.
    NoHeader,
    /// The columns are separated by semicolons.
    Semicolons,
    /// The columns are separated by tabs.
    Tabs,
    /// A column stands twice in the first line.
    ColumnTwice {
        /// Which.
        column: String,
    },
    /// It is UTF-16.
    Utf16,
    /// The machine could not read it.
    Unreadable,
    /// The desk is ending.
    NoAnswer,
    /// The desk refused.
    Desk(CommandError),
}

/// Why a file was not taken from who sent it.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Another one is being taken.
    Busy,
    /// Nothing was sent.
    Empty,
    /// More than [`MAX_BYTES`].
    TooLarge,
    BrokenOff,
    NoRoom,
    Disk(io::Error),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoRoom,
            _ => Self::Disk(error),
        }
    }
}

/// Where contacts go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The directory's name; it is made where there is none of that name.
    pub(crate) directory: String,
    /// Staff, where it is made.
    pub(crate) local: bool,
}

/// What came of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// What the file is called where it came from.
    pub(crate) file: String,
    pub(crate) directory: String,
    pub(crate) result: Result<ImportReport, ContactsProblem>,
}

/// See the module.
pub(crate) struct Imports {
    folder: PathBuf,
    turn: Arc<Semaphore>,
    last: Mutex<Option<Arc<Outcome>>>,
}

/// A file that comes in; nothing is left of it when this is dropped.
struct Incoming {
    file: File,
    path: TempPath,
    bytes: u64,
    /// No other file comes meanwhile.
    _turn: OwnedSemaphorePermit,
}

impl Imports {
    /// With files on their way in this folder.
    pub(crate) fn new(folder: PathBuf) -> Self {
        tidy(&folder);
        Self { folder, turn: Arc::new(Semaphore::new(1)), last: Mutex::default() }
    }

    /// A file is on its way, or the desk reads it.
    pub(crate) fn is_busy(&self) -> bool {
        self.turn.available_permits() == 0
    }

    /// What came of the last file since the desk started.
    pub(crate) fn last(&self) -> Option<Arc<Outcome>> {
        self.place().clone()
    }

    fn begin(&self, announced: Option<u64>) -> Result<Incoming, Refused> {
        let turn = Arc::clone(&self.turn).try_acquire_owned().map_err(|_| Refused::Busy)?;
        if announced.is_some_and(|bytes| bytes > MAX_BYTES + FORM_MARGIN as u64) {
            return Err(Refused::TooLarge);
        }
        let most = announced.unwrap_or(MAX_BYTES).min(MAX_BYTES);
        if Health::now(&self.folder).disk_free.is_some_and(|free| free < most + SPARE) {
            return Err(Refused::NoRoom);
        }
        let (file, path) = NamedTempFile::with_prefix_in(PREFIX, &self.folder)?.into_parts();
        Ok(Incoming { file: File::from_std(file), path, bytes: 0, _turn: turn })
    }

    fn place(&self) -> MutexGuard<'_, Option<Arc<Outcome>>> {
        // One value, whole whatever happened to who wrote it.
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Incoming {
    async fn push(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        self.bytes += bytes.len() as u64;
        if self.bytes > MAX_BYTES {
            return Err(Refused::TooLarge);
        }
        Ok(self.file.write_all(bytes).await?)
    }

    /// All of it is here; its path of the moment.
    async fn end(&mut self) -> Result<PathBuf, Refused> {
        if self.bytes == 0 {
            return Err(Refused::Empty);
        }
        self.file.flush().await?;
        Ok(self.path.to_path_buf())
    }
}

/// Removes what a power cut has left of files on their way: they are full of personal data.
fn tidy(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        if let Err(error) = fs::remove_file(entry.path()) {
            warn!(%error, "a file of contacts that was on its way stays");
        }
    }
}

/// Takes a file as it comes and hands it to the desk; the task ends with what came of it, whoever waits. `announced` is how
/// many bytes come, as far as that is said.
///
/// # Errors
/// See [`Refused`]; then nothing is changed.
pub(crate) async fn take<E>(
    app: &Arc<App>,
    actor: Actor,
    target: Target,
    name: String,
    announced: Option<u64>,
    mut source: impl Stream<Item = Result<Bytes, E>> + Unpin,
) -> Result<JoinHandle<Arc<Outcome>>, Refused> {
    let mut incoming = app.imports.begin(announced)?;
    while let Some(bytes) = piece(&mut source).await.map_err(|_| Refused::BrokenOff)? {
        incoming.push(&bytes).await?;
    }
    let path = incoming.end().await?;
    Ok(tokio::spawn(load(Arc::clone(app), actor, target, name, path, incoming)))
}

/// Has the desk load a whole file, tells the audit log, and keeps what came of it.
async fn load(
    app: Arc<App>,
    actor: Actor,
    target: Target,
    file: String,
    path: PathBuf,
    incoming: Incoming,
) -> Arc<Outcome> {
    let Target { directory, local } = target;
    let result = app.desk.import_contacts(directory.clone(), local, path).await;
    let result = result.unwrap_or(Err(ContactsProblem::NoAnswer));
    if let Ok(report) = &result {
        let (added, refused) = (report.loaded, report.left_out);
        let called = if file.is_empty() { "a file" } else { file.as_str() };
        let detail = format!("{called}, directory {directory}: {added} added, {refused} rows refused");
        app.audit(&actor, Act::ContactsImported, detail).await;
    }
    let outcome = Arc::new(Outcome { file, directory, result });
    *app.imports.place() = Some(Arc::clone(&outcome));
    // Only now the next one: nobody sees a desk at rest that has nothing to tell.
    drop(incoming);
    outcome
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn dir_3_what_is_too_large_or_empty_leaves_nothing_and_two_at_once_are_one_too_many() {
        let folder = tempfile::tempdir().unwrap();
        let (left, other) = (folder.path().join("contacts-half"), folder.path().join("own.pem"));
        for path in [&left, &other] {
            fs::write(path, "x").unwrap();
        }
        let imports = Imports::new(folder.path().to_owned());
        assert!(!left.exists() && other.exists(), "what a power cut left");
        assert!(matches!(imports.begin(Some(u64::MAX)), Err(Refused::TooLarge)));
        let mut incoming = imports.begin(Some(8)).unwrap();
        assert!(imports.is_busy() && matches!(imports.begin(Some(8)), Err(Refused::Busy)));
        assert!(matches!(incoming.end().await, Err(Refused::Empty)));
        incoming.push(b"lastname").await.unwrap();
        let path = incoming.end().await.unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"lastname");
        incoming.bytes = MAX_BYTES;
        assert!(matches!(incoming.push(b"x").await, Err(Refused::TooLarge)));
        drop(incoming);
        assert!(!path.exists() && !imports.is_busy() && imports.last().is_none());
    }
}
