//! One plugin over time: runs its directory when it is due, keeps the last good one on disk (`kept`), and leaves
//! the plugin alone when it crashes. A run that fails changes nothing. A full run that would delete much is held
//! until somebody says so. Time is handed in, but for the date of a run; nothing sleeps here.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::backoff::{Breaker, Reaction, Standing};
use crate::connector::{Cancel, Connector};
use crate::failure::Failure;
use crate::kept::{self, Book, Kept};
use crate::sync::{self, Directory, SyncError, SyncLimits, Synced};

pub use crate::kept::KeptError as KeeperError;

/// A directory below this size may shrink as it likes.
const SMALL: usize = 20;
/// A run that deletes more than one in five is held.
const HELD: usize = 5;

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

/// A plugin and what it left.
pub struct Keeper {
    connector: Arc<Connector>,
    breaker: Breaker,
    limits: SyncLimits,
    kept: Kept,
    directory: Directory,
    book: Book,
    /// Which people are on the disk; none: nobody, or it is not known.
    on_disk: Option<u64>,
    may_shrink: bool,
}

impl Keeper {
    /// Takes up where an earlier process stopped, if it left something in `file`. What the plugin keeps for
    /// itself is not sealed.
    ///
    /// # Errors
    /// See [`KeeperError`].
    pub fn new(
        connector: impl Into<Arc<Connector>>,
        file: PathBuf,
        limits: SyncLimits,
        now: Duration,
        interval: Duration,
    ) -> Result<Self, KeeperError> {
        Self::with(connector, Kept::new(file, None), limits, now, interval)
    }

    /// Takes up where an earlier process stopped, if it left something there.
    ///
    /// # Errors
    /// See [`KeeperError`].
    pub fn with(
        connector: impl Into<Arc<Connector>>,
        kept: Kept,
        limits: SyncLimits,
        now: Duration,
        interval: Duration,
    ) -> Result<Self, KeeperError> {
        let connector = connector.into();
        let (contacts, book) = kept.read()?;
        connector.restore_state(book.state.clone());
        let breaker = Breaker::new(now, interval);
        let directory = Directory { contacts, token: book.token.clone() };
        let on_disk = (book.synced_ms != 0).then_some(book.generation);
        Ok(Self { connector, breaker, limits, kept, directory, book, on_disk, may_shrink: false })
    }

    /// Synchronises, if it is due.
    ///
    /// # Errors
    /// If the new directory cannot be kept; it is used all the same.
    pub fn turn(&mut self, now: Duration, cancel: &Cancel) -> Result<Turn, KeeperError> {
        self.turn_with(now, cancel, &mut |_, _| ())
    }

    /// The same; `progress` hears after each page how many people there are, and the plugin's guess of the whole.
    ///
    /// # Errors
    /// As of [`Keeper::turn`].
    pub fn turn_with(
        &mut self,
        now: Duration,
        cancel: &Cancel,
        progress: &mut dyn FnMut(usize, Option<u64>),
    ) -> Result<Turn, KeeperError> {
        if !self.is_due(now) {
            return Ok(Turn::NotDue);
        }
        match sync::run(&self.connector, &self.directory, &self.limits, cancel, progress) {
            Ok(synced) => self.succeeded(now, synced),
            Err(error) => self.failed(now, error),
        }
    }

    /// Whether a turn would do something.
    #[must_use]
    pub fn is_due(&self, now: Duration) -> bool {
        self.breaker.next().is_some_and(|next| next <= now)
    }

    /// Somebody has seen that the directory shrinks: the next run may, and is due.
    pub fn allow_to_shrink(&mut self, now: Duration) {
        self.may_shrink = true;
        self.breaker.changed(now);
    }

    /// Somebody wants a run: it is due, whatever it waited for.
    pub fn wanted(&mut self, now: Duration) {
        self.breaker.wanted(now);
    }

    /// The last good directory.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// What is known of it: its number, its date.
    #[must_use]
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// Whether and when it is asked again.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.breaker.standing()
    }

    /// The plugin itself.
    #[must_use]
    pub fn connector(&self) -> &Arc<Connector> {
        &self.connector
    }

    fn succeeded(&mut self, now: Duration, synced: Synced) -> Result<Turn, KeeperError> {
        let id = self.connector.id();
        let before = self.directory.contacts.len();
        let shrinks = before >= SMALL && synced.deleted * HELD > before;
        if shrinks && !self.may_shrink {
            self.breaker.failed(now, Reaction::NextRun);
            tracing::warn!(plugin = %id, deleted = synced.deleted, before, "a run would delete much: held");
            return Ok(Turn::Held { deleted: synced.deleted });
        }
        self.may_shrink = false;
        self.breaker.succeeded(now);
        let turn = Turn::Synced { people: synced.directory.contacts.len(), left_out: synced.left_out };
        tracing::info!(plugin = %id, ?turn, pages = synced.pages, "the directory is new");
        self.directory = synced.directory;
        self.book = Book {
            generation: kept::generation(&self.directory.contacts),
            token: self.directory.token.clone(),
            state: self.connector.state(),
            synced_ms: kept::unix_ms(SystemTime::now()),
            left_out: u32::try_from(synced.left_out).unwrap_or(u32::MAX),
        };
        if let Err(error) = self.keep() {
            // Not at the next planned time: the disk may have room again before.
            self.breaker.failed(now, Reaction::BackOff);
            return Err(error);
        }
        Ok(turn)
    }

    /// Keeps the plugin's own values, where a call outside of a run has changed them.
    ///
    /// # Errors
    /// As of [`Keeper::turn`].
    pub(crate) fn keep_state(&mut self) -> Result<(), KeeperError> {
        let state = self.connector.state();
        if state != self.book.state {
            self.book.state = state;
            self.kept.keep_book(&self.book)?;
        }
        Ok(())
    }

    fn keep(&mut self) -> Result<(), KeeperError> {
        let generation = self.book.generation;
        if self.on_disk != Some(generation) {
            self.on_disk = None;
            // Should the book not follow, its number tells that it is of other people.
            self.kept.keep_people(generation, &self.directory.contacts)?;
            self.on_disk = Some(generation);
        }
        self.kept.keep_book(&self.book)
    }

    fn failed(&mut self, now: Duration, error: SyncError) -> Result<Turn, KeeperError> {
        let reaction = reaction(&error);
        if reaction == Reaction::Resync {
            self.directory.token = None;
        }
        self.breaker.failed(now, reaction);
        let standing = self.breaker.standing();
        tracing::warn!(plugin = %self.connector.id(), %error, ?standing, "a run failed: the last good directory stays");
        // Calls of it that ended well may have changed what the plugin keeps: a token that was renewed is not
        // given a second time.
        self.keep_state()?;
        Ok(Turn::Failed(error))
    }
}

fn reaction(error: &SyncError) -> Reaction {
    match error {
        SyncError::Call(failure) => Failure::reaction(failure),
        SyncError::Endless(_) => Reaction::Crash,
    }
}
