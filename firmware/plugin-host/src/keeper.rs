//! One plugin over time: runs its directory when it is due, keeps the last good one on disk, and leaves the
//! plugin alone when it crashes. A run that fails changes nothing. A full run that would delete much is held
//! until somebody says so. Time is handed in; nothing sleeps here.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::backoff::{Breaker, Reaction, Standing};
use crate::connector::{Cancel, Connector, State};
use crate::failure::Failure;
use crate::sync::{self, Directory, SyncError, SyncLimits};

/// A directory below this size may shrink as it likes.
const SMALL: usize = 20;
/// A run that deletes more than one in five is held.
const HELD: usize = 5;

/// Why the last good directory could not be read or written.
#[derive(Debug, Error)]
pub enum KeeperError {
    /// The disk.
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
    /// The file is not ours or damaged.
    #[error("{0} cannot be read: {1}")]
    Damaged(PathBuf, serde_json::Error),
}

/// What a turn came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// It is not due.
    NotDue,
    /// The directory is new.
    Synced {
        /// People in it.
        people: usize,
        /// Contacts that could not be used.
        left_out: usize,
    },
    /// A run that would delete so many waits for a word.
    Held {
        /// People that would be gone.
        deleted: usize,
    },
    /// The last good directory stays.
    Failed(SyncError),
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    directory: Directory,
    state: State,
}

/// A plugin and what it left.
pub struct Keeper {
    connector: Connector,
    breaker: Breaker,
    limits: SyncLimits,
    file: PathBuf,
    directory: Directory,
    may_shrink: bool,
}

impl Keeper {
    /// Takes up where an earlier process stopped, if it left something in `file`.
    ///
    /// # Errors
    /// See [`KeeperError`].
    pub fn new(
        connector: Connector,
        file: PathBuf,
        limits: SyncLimits,
        now: Duration,
        interval: Duration,
    ) -> Result<Self, KeeperError> {
        let kept: Kept = match fs::read(&file) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|error| KeeperError::Damaged(file.clone(), error))?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Kept::default(),
            Err(error) => return Err(KeeperError::Io(file, error)),
        };
        connector.restore_state(kept.state);
        let breaker = Breaker::new(now, interval);
        Ok(Self { connector, breaker, limits, file, directory: kept.directory, may_shrink: false })
    }

    /// Synchronises, if it is due.
    ///
    /// # Errors
    /// If the new directory cannot be kept; it is used all the same.
    pub fn turn(&mut self, now: Duration, cancel: &Cancel) -> Result<Turn, KeeperError> {
        if self.breaker.next().is_none_or(|next| next > now) {
            return Ok(Turn::NotDue);
        }
        let id = self.connector.id().to_owned();
        let mut progress = |people: usize, total: Option<u64>| {
            tracing::debug!(plugin = %id, people, ?total, "a page came");
        };
        match sync::run(&self.connector, &self.directory, &self.limits, cancel, &mut progress) {
            Ok(synced) => {
                let before = self.directory.contacts.len();
                let shrinks = before >= SMALL && synced.deleted * HELD > before;
                if shrinks && !self.may_shrink {
                    self.breaker.failed(now, Reaction::NextRun);
                    tracing::warn!(plugin = %id, deleted = synced.deleted, before, "a run would delete much: held");
                    return Ok(Turn::Held { deleted: synced.deleted });
                }
                self.may_shrink = false;
                self.breaker.succeeded(now);
                let turn =
                    Turn::Synced { people: synced.directory.contacts.len(), left_out: synced.left_out };
                tracing::info!(plugin = %id, ?turn, pages = synced.pages, "the directory is new");
                self.directory = synced.directory;
                self.keep()?;
                Ok(turn)
            }
            Err(error) => {
                let reaction = reaction(&error);
                if reaction == Reaction::Resync {
                    self.directory.token = None;
                }
                self.breaker.failed(now, reaction);
                let standing = self.breaker.standing();
                tracing::warn!(plugin = %id, %error, ?standing, "a run failed: the last good directory stays");
                Ok(Turn::Failed(error))
            }
        }
    }

    /// Somebody has seen that the directory shrinks: the next run may, and is due.
    pub fn allow_to_shrink(&mut self, now: Duration) {
        self.may_shrink = true;
        self.breaker.changed(now);
    }

    /// The last good directory.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Whether and when it is asked again.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.breaker.standing()
    }

    /// The plugin itself.
    #[must_use]
    pub fn connector(&self) -> &Connector {
        &self.connector
    }

    /// Writes beside the old file first: a loss of power leaves one of the two.
    fn keep(&self) -> Result<(), KeeperError> {
        let failed = |error| KeeperError::Io(self.file.clone(), error);
        let kept = Kept { directory: self.directory.clone(), state: self.connector.state() };
        let bytes = serde_json::to_vec(&kept).map_err(|error| failed(error.into()))?;
        let part = self.file.with_extension("part");
        if let Some(folder) = self.file.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let written = fs::File::create(&part)
            .and_then(|mut file| io::Write::write_all(&mut file, &bytes).and_then(|()| file.sync_all()));
        written.and_then(|()| fs::rename(&part, &self.file)).map_err(failed)
    }
}

fn reaction(error: &SyncError) -> Reaction {
    match error {
        SyncError::Call(failure) => Failure::reaction(failure),
        SyncError::Endless(_) => Reaction::Crash,
    }
}
