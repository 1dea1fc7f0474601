//! How the operator has arranged the screen (CALL-6): cards or a table, and where the dividers stand.
//!
//! That is the one thing the screen keeps by itself, in `screen.json` under its state folder; of an operator who is
//! signed in (ACC-1) in a file of their own beside it. A file is
//! replaced whole, by a rename, on a thread of its own: a power cut leaves the old one or the new one, and
//! a slow disk never holds up a key. A file that cannot be read is said in the log and counts as none.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use serde::{Deserialize, Serialize};

/// Widths of the calls, in pixels of the design, that a screen can have.
const WIDTHS: std::ops::RangeInclusive<u16> = 100..=10_000;
/// Parts of a height, in thousandths.
const SHARES: std::ops::RangeInclusive<u16> = 0..=1000;

/// What the operator has arranged. The default is the screen as it comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Arrangement {
    /// The calls stand in a table instead of on cards.
    pub table: bool,
    /// Where the calls end and the directory begins, in pixels of the design; `None` is where the
    /// chosen view has it. The screen keeps it where every pane can be read.
    pub calls_width: Option<u16>,
    /// The incoming calls' part of the height of both lists, in thousandths; `None` is what they need.
    pub incoming_share: Option<u16>,
}

/// Why a file says nothing.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("a divider cannot stand there: {0:?}")]
    OutOfRange(Arrangement),
}

/// Keeps an [`Arrangement`] of each operator on disk. The last ones given are written before this is gone.
#[derive(Debug)]
pub struct Keeper {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    slot: Mutex<Slot>,
    rung: Condvar,
}

#[derive(Debug, Default)]
struct Slot {
    newest: BTreeMap<i64, Arrangement>,
    closing: bool,
}

impl Keeper {
    /// Keeps it in `folder` from now on; what a desk where nobody signs in has there. The folder is made when there is
    /// something to write.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn open(folder: &Path) -> io::Result<(Self, Arrangement)> {
        let shared =
            Arc::new(Shared { folder: folder.to_owned(), slot: Mutex::default(), rung: Condvar::new() });
        let run = Arc::clone(&shared);
        let thread =
            std::thread::Builder::new().name("screen-state".into()).spawn(move || run.write_all())?;
        let keeper = Self { shared, thread: Some(thread) };
        let arrangement = keeper.read(0).unwrap_or_default();
        Ok((keeper, arrangement))
    }

    /// What is kept of an operator, 0 where nobody signs in; `None` when there is nothing, or nothing that can be read.
    #[must_use]
    pub fn read(&self, operator: i64) -> Option<Arrangement> {
        let path = self.shared.path(operator);
        match read(&path) {
            Ok(arrangement) => arrangement,
            Err(error) => {
                tracing::warn!("{} is not heeded: {error}", path.display());
                None
            }
        }
    }

    /// Has it written, soon; what waited to be written of this operator is not any more.
    pub fn keep(&self, operator: i64, arrangement: Arrangement) {
        lock(&self.shared.slot).newest.insert(operator, arrangement);
        self.shared.rung.notify_all();
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        lock(&self.shared.slot).closing = true;
        self.shared.rung.notify_all();
        if let Some(thread) = self.thread.take() {
            // It only fails when the thread has panicked; then nothing is left to wait for.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn path(&self, operator: i64) -> PathBuf {
        match operator {
            0 => self.folder.join("screen.json"),
            operator => self.folder.join(format!("screen-{operator}.json")),
        }
    }

    fn write_all(&self) {
        let mut slot = lock(&self.slot);
        loop {
            if let Some((operator, newest)) = slot.newest.pop_first() {
                drop(slot);
                let path = self.path(operator);
                if let Err(error) = write(&path, &newest) {
                    tracing::warn!("{} cannot be written: {error}", path.display());
                }
                slot = lock(&self.slot);
            } else if slot.closing {
                return;
            } else {
                slot = self.rung.wait(slot).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

fn lock(slot: &Mutex<Slot>) -> MutexGuard<'_, Slot> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `None`: the file is not there.
fn read(path: &Path) -> Result<Option<Arrangement>, Unreadable> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text?,
    };
    let read: Arrangement = serde_json::from_str(&text)?;
    let within = read.calls_width.is_none_or(|width| WIDTHS.contains(&width))
        && read.incoming_share.is_none_or(|share| SHARES.contains(&share));
    if within { Ok(Some(read)) } else { Err(Unreadable::OutOfRange(read)) }
}

/// Beside it first, then in its place.
fn write(path: &Path, arrangement: &Arrangement) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let written = write_new(&beside, arrangement).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // What is left of it is of no use; the error that matters is the one above.
        let _ = fs::remove_file(&beside);
    }
    written?;
    File::open(folder)?.sync_all()
}

fn write_new(path: &Path, arrangement: &Arrangement) -> io::Result<()> {
    let mut file = File::create(path)?;
    serde_json::to_writer_pretty(&mut file, arrangement)?;
    file.write_all(b"\n")?;
    file.sync_all()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const FILE: &str = "screen.json";

    const MOVED: Arrangement = Arrangement { table: true, calls_width: Some(700), incoming_share: Some(250) };

    #[test]
    fn what_was_arranged_is_there_again() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("not/yet/there");
        let (keeper, first) = Keeper::open(&state).unwrap();
        assert_eq!(first, Arrangement::default());
        for share in 0..100 {
            keeper.keep(0, Arrangement { incoming_share: Some(share), ..MOVED });
        }
        keeper.keep(0, MOVED);
        drop(keeper);
        let (_keeper, again) = Keeper::open(&state).unwrap();
        assert_eq!(again, MOVED);
        let files: Vec<_> = fs::read_dir(&state).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(files, [FILE], "nothing is left beside it");
    }

    #[test]
    fn acc_1_each_operator_has_an_arrangement_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let (keeper, _) = Keeper::open(folder.path()).unwrap();
        assert_eq!(keeper.read(3), None);
        let other = Arrangement { table: false, ..MOVED };
        keeper.keep(3, MOVED);
        keeper.keep(0, other);
        drop(keeper);
        let (keeper, of_desk) = Keeper::open(folder.path()).unwrap();
        assert_eq!((of_desk, keeper.read(3), keeper.read(4)), (other, Some(MOVED), None));
    }

    #[test]
    fn a_broken_file_is_the_default_and_is_replaced_by_the_next_change() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        for broken in
            ["", "{", "7", r#"{"calls_width":-4}"#, r#"{"calls_width":7}"#, r#"{"incoming_share":1001}"#]
        {
            fs::write(&path, broken).unwrap();
            assert!(read(&path).is_err(), "{broken}");
            let (keeper, arrangement) = Keeper::open(folder.path()).unwrap();
            assert_eq!(arrangement, Arrangement::default());
            keeper.keep(0, MOVED);
            drop(keeper);
            assert_eq!(read(&path).unwrap(), Some(MOVED));
        }
    }

    #[test]
    fn a_file_of_a_newer_screen_is_read_as_far_as_it_is_understood() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        fs::write(&path, r#"{"table":true,"rows":"tall"}"#).unwrap();
        assert_eq!(read(&path).unwrap(), Some(Arrangement { table: true, ..Arrangement::default() }));
    }

    #[test]
    fn a_file_that_cannot_be_written_leaves_the_one_that_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        write(&path, &MOVED).unwrap();
        let beside = path.with_extension(format!("{}.new", std::process::id()));
        fs::create_dir(&beside).unwrap();
        assert!(write(&path, &Arrangement::default()).is_err());
        assert_eq!(read(&path).unwrap(), Some(MOVED));
    }
}
