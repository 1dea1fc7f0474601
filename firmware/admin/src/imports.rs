//! Files of contacts that an administrator uploads (DIR-3), one at a time, and what came of the last one.
//!
//! A file is written beside the certificate first: it is whole before the desk hears of it, and an upload that breaks off
//! leaves nothing. The desk reads it as it does every file of contacts, between two calls; that goes on when the browser
//! has left, and the page tells what came of it.
//!
//! Not done here: reading contacts (`directory::csv`, asked by [`crate::wishes`]), and the words (`pages::imports`).

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::body::Bytes;
use futures_util::Stream;
use ipc::{CommandError, ImportReport};
use tokio::task::JoinHandle;

use crate::{
    app::App,
    audit::{Act, Actor},
    spool::{Bounds, SPARE, Spool, SpoolError, SpoolFile},
};

/// Largest file, in bytes: half a million contacts without pictures, or some thousands with.
pub(crate) const MAX_BYTES: u64 = 256 << 20;
/// One at a time. While it is there, its contacts go to the disk as well, with an index and what is on its way into the
/// database.
const BOUNDS: Bounds = Bounds { file: MAX_BYTES, together: None, times: 3, spare: SPARE, at_once: 1 };
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
    spool: Spool,
    last: Mutex<Option<Arc<Outcome>>>,
}

impl Imports {
    /// With files on their way in this folder. What a power cut has left of them is removed: it is full of personal data.
    pub(crate) fn new(folder: PathBuf) -> Self {
        let spool = Spool::new(folder, PREFIX, BOUNDS);
        spool.tidy();
        Self { spool, last: Mutex::default() }
    }

    /// A file is on its way, or the desk reads it.
    pub(crate) fn is_busy(&self) -> bool {
        self.spool.is_full()
    }

    /// What came of the last file since the desk started.
    pub(crate) fn last(&self) -> Option<Arc<Outcome>> {
        self.place().clone()
    }

    fn begin(&self, announced: Option<u64>) -> Result<SpoolFile, SpoolError> {
        self.spool.begin(self.spool.slot()?, announced)
    }

    fn place(&self) -> MutexGuard<'_, Option<Arc<Outcome>>> {
        // One value, whole whatever happened to who wrote it.
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a file as it comes and hands it to the desk; the task ends with what came of it, whoever waits. `announced` is how
/// many bytes come, as far as that is said.
///
/// # Errors
/// See [`SpoolError`]; then nothing is changed.
pub(crate) async fn take<E>(
    app: &Arc<App>,
    actor: Actor,
    target: Target,
    name: String,
    announced: Option<u64>,
    source: impl Stream<Item = Result<Bytes, E>> + Unpin,
) -> Result<JoinHandle<Arc<Outcome>>, SpoolError> {
    let mut incoming = app.imports.begin(announced)?;
    let path = incoming.receive(source).await?;
    Ok(tokio::spawn(load(Arc::clone(app), actor, target, name, path, incoming)))
}

/// Has the desk load a whole file, tells the audit log, and keeps what came of it.
async fn load(
    app: Arc<App>,
    actor: Actor,
    target: Target,
    file: String,
    path: PathBuf,
    incoming: SpoolFile,
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
    use std::fs;

    use super::*;
    use crate::parts::FORM_MARGIN;

    #[tokio::test]
    async fn dir_3_a_file_of_contacts_is_bounded_one_at_a_time_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (left, other) = (folder.path().join("contacts-half"), folder.path().join("own.pem"));
        for path in [&left, &other] {
            fs::write(path, "x").unwrap();
        }
        let imports = Imports::new(folder.path().to_owned());
        assert!(!left.exists() && other.exists(), "what a power cut left");
        let too_large = MAX_BYTES + FORM_MARGIN as u64 + 1;
        assert!(matches!(imports.begin(Some(too_large)), Err(SpoolError::TooLarge)));
        let mut incoming = imports.begin(Some(8)).unwrap();
        assert!(imports.is_busy() && matches!(imports.begin(Some(8)), Err(SpoolError::Busy)));
        incoming.push(b"lastname").await.unwrap();
        let path = incoming.end().await.unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"lastname");
        drop(incoming);
        assert!(!path.exists() && !imports.is_busy() && imports.last().is_none());
    }
}
