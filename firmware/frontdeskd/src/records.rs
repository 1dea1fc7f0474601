//! The records thread: the only one that touches the disk.
//!
//! The engine hands over an ended call and goes on; the row is durable when SQLite says so, not before.
//! A row or a setting that cannot be written (a full disk) is kept here and tried again, and the engine is
//! told, so that the screen can say it.

use std::{
    collections::VecDeque,
    mem::discriminant,
    path::{Path, PathBuf},
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context, Result};
use directory::Picture;
use ipc::{
    ContactId, DirectoryId, ImportReport, LogPage, LogQuery, LogRow, Preferences, ServiceMode, Volumes,
};
use store::{Store, StoreError};
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
    time::timeout,
};
use tracing::{error, info, warn};

use crate::{contacts::Contacts, engine::Event as EngineEvent};

/// Requests that may wait.
const QUEUE: usize = 4096;
/// Rows kept while the disk refuses; about 10 MB, a week of a busy desk.
const MAX_BACKLOG: usize = 20_000;
/// Pause before rows that were refused are tried again.
const RETRY: Duration = Duration::from_secs(2);

/// News for the engine.
#[derive(Debug)]
pub(crate) enum Event {
    /// Something could not be written.
    Failed {
        /// What the disk said.
        reason: String,
    },
    /// Everything kept back is written.
    Works,
}

enum Request {
    Log(Box<LogRow>),
    Page {
        query: LogQuery,
        answer: oneshot::Sender<Result<LogPage, String>>,
    },
    Picture {
        contact: ContactId,
        answer: oneshot::Sender<Result<Option<Picture>, String>>,
    },
    Import {
        directory: String,
        local: bool,
        path: PathBuf,
        answer: oneshot::Sender<Result<ImportReport, String>>,
    },
    Change(Change),
}

/// Something small that the operator changed; of each kind only the newest counts.
#[derive(Clone, Debug)]
enum Change {
    Preferences(Preferences),
    Volumes(Volumes),
    Service(Option<ServiceMode>),
    /// The store counts the missed as they are logged: those kept back are cleared with the rest.
    ClearMissed,
}

/// The way to the records thread. The thread ends, with everything written, when the last of these is gone.
#[derive(Clone)]
pub(crate) struct Records {
    requests: mpsc::Sender<Request>,
}

impl Records {
    /// Starts the thread.
    pub(crate) fn start(
        store: Store,
        contacts: Contacts,
        inbox: mpsc::Sender<EngineEvent>,
    ) -> Result<(Self, JoinHandle<()>)> {
        let (requests, queue) = mpsc::channel(QUEUE);
        let runtime = Handle::current();
        let work = move || Keeper::new(store, contacts, inbox).serve(queue, &runtime);
        let thread = thread::Builder::new().name("records".into()).spawn(work).context("records thread")?;
        Ok((Self { requests }, thread))
    }

    /// Writes an ended call to the log, as soon as the disk takes it. Does not wait.
    pub(crate) fn log(&self, row: LogRow) {
        if let Err(refused) = self.requests.try_send(Request::Log(Box::new(row))) {
            // Thousands of calls behind: the row goes where a support engineer finds it.
            if let Request::Log(row) = refused.into_inner() {
                error!(row = ?*row, "a call could not be logged");
            }
        }
    }

    /// Keeps the operator's preferences.
    pub(crate) fn save_preferences(&self, preferences: Preferences) {
        self.note(Change::Preferences(preferences));
    }

    /// Keeps the loudness.
    pub(crate) fn save_volumes(&self, volumes: Volumes) {
        self.note(Change::Volumes(volumes));
    }

    /// Keeps the service mode chosen by hand.
    pub(crate) fn save_service(&self, mode: Option<ServiceMode>) {
        self.note(Change::Service(mode));
    }

    /// Keeps the missed calls' counter. The store counts by itself; only the clearing is news to it.
    pub(crate) fn save_missed(&self, count: u32) {
        if count == 0 {
            self.note(Change::ClearMissed);
        }
    }

    /// A part of the log.
    pub(crate) async fn log_page(&self, query: LogQuery) -> Result<LogPage, String> {
        let (answer, page) = oneshot::channel();
        self.ask(Request::Page { query, answer }, page).await
    }

    /// The picture of a contact (DIR-2).
    pub(crate) async fn picture(&self, contact: ContactId) -> Result<Option<Picture>, String> {
        let (answer, picture) = oneshot::channel();
        self.ask(Request::Picture { contact, answer }, picture).await
    }

    /// Loads a file of contacts (DIR-3).
    pub(crate) async fn import(
        &self,
        directory: String,
        local: bool,
        path: PathBuf,
    ) -> Result<ImportReport, String> {
        let (answer, report) = oneshot::channel();
        self.ask(Request::Import { directory, local, path, answer }, report).await
    }

    fn note(&self, change: Change) {
        if self.requests.try_send(Request::Change(change)).is_err() {
            warn!("a change of the settings was not kept: the records thread is behind");
        }
    }

    async fn ask<T>(
        &self,
        request: Request,
        answer: oneshot::Receiver<Result<T, String>>,
    ) -> Result<T, String> {
        let stopping = || "the desk is shutting down".to_owned();
        self.requests.send(request).await.map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())?
    }
}

struct Keeper {
    store: Store,
    contacts: Contacts,
    inbox: mpsc::Sender<EngineEvent>,
    /// Rows refused by the disk, oldest first.
    backlog: VecDeque<LogRow>,
    /// Changes not written yet, oldest first, one of a kind.
    changes: VecDeque<Change>,
    /// The last attempt to write was refused.
    refused: bool,
}

impl Keeper {
    fn new(store: Store, contacts: Contacts, inbox: mpsc::Sender<EngineEvent>) -> Self {
        Self { store, contacts, inbox, backlog: VecDeque::new(), changes: VecDeque::new(), refused: false }
    }

    fn serve(mut self, mut queue: mpsc::Receiver<Request>, runtime: &Handle) {
        loop {
            let request = if self.is_up_to_date() {
                queue.blocking_recv()
            } else {
                match runtime.block_on(async { timeout(RETRY, queue.recv()).await }) {
                    Ok(request) => request,
                    Err(_) => {
                        self.catch_up();
                        continue;
                    }
                }
            };
            match request {
                Some(request) => self.take(request),
                None => break,
            }
        }
        if !self.is_up_to_date() {
            self.catch_up();
        }
        // The rows go where a support engineer finds them.
        for row in &self.backlog {
            error!(?row, "a call was not logged: the disk refused it to the end");
        }
        if !self.changes.is_empty() {
            error!("a change of the settings was not kept: the disk refused it to the end");
        }
    }

    /// Nothing is kept back.
    fn is_up_to_date(&self) -> bool {
        self.backlog.is_empty() && self.changes.is_empty()
    }

    fn take(&mut self, request: Request) {
        match request {
            Request::Log(row) => {
                if self.backlog.len() == MAX_BACKLOG {
                    error!(row = ?self.backlog.pop_front(), "a call could not be logged");
                }
                self.backlog.push_back(*row);
                self.catch_up();
            }
            Request::Page { query, answer } => {
                let _ = answer.send(self.store.log_page(&query).map_err(|error| error.to_string()));
            }
            Request::Picture { contact, answer } => {
                let _ = answer.send(self.store.picture(contact).map_err(|error| error.to_string()));
            }
            Request::Import { directory, local, path, answer } => {
                let report = self.import(&directory, local, &path).map_err(|error| error.to_string());
                let _ = answer.send(report);
            }
            Request::Change(change) => {
                self.changes.retain(|other| discriminant(other) != discriminant(&change));
                self.changes.push_back(change);
                self.catch_up();
            }
        }
    }

    /// Writes what is kept back until the disk refuses, and tells the engine how that went.
    fn catch_up(&mut self) {
        let waited = self.refused;
        let done = self.write();
        self.refused = done.is_err();
        match done {
            Ok(()) if waited => info!("the store is written again"),
            Ok(()) => {}
            Err(error) => {
                let rows = self.backlog.len();
                warn!(%error, rows, "the store cannot be written; it is tried again");
                return self.tell(Event::Failed { reason: error.to_string() });
            }
        }
        self.tell(Event::Works);
    }

    fn write(&mut self) -> Result<(), StoreError> {
        while let Some(row) = self.backlog.front() {
            self.store.append_call(row)?;
            self.backlog.pop_front();
        }
        while let Some(change) = self.changes.front() {
            match change {
                Change::Preferences(preferences) => self.store.save_preferences(preferences)?,
                Change::Volumes(volumes) => self.store.save_volumes(volumes)?,
                Change::Service(mode) => self.store.save_service(*mode)?,
                Change::ClearMissed => self.store.clear_missed()?,
            }
            self.changes.pop_front();
        }
        Ok(())
    }

    fn import(&mut self, name: &str, local: bool, path: &Path) -> Result<ImportReport, StoreError> {
        let (id, report) = self.store.import_csv(path, name, local)?;
        info!(name, loaded = report.loaded, left_out = report.problems.len(), "contacts imported");
        self.hand_over(id)?;
        Ok(report)
    }

    /// Shows the contacts thread a directory as it now stands on the disk.
    fn hand_over(&self, id: DirectoryId) -> Result<(), StoreError> {
        let (mut directories, mut entries) = self.store.load_catalogue()?;
        directories.retain(|directory| directory.id == id);
        entries.retain(|entry| entry.directory == id);
        self.contacts.load(directories, entries);
        Ok(())
    }

    fn tell(&self, event: Event) {
        let _ = self.inbox.blocking_send(EngineEvent::Records(event));
    }
}
