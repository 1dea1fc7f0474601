//! The records thread: the only one that touches the disk.
//!
//! The engine hands over an ended call and goes on; the row is durable when SQLite says so, not before.
//! A row or a setting that cannot be written (a full disk) is kept here and tried again, and the engine is
//! told, so that the screen can say it.

use std::{
    collections::VecDeque,
    mem::discriminant,
    path::PathBuf,
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context, Result};
use directory::{NumberPlan, Picture};
use ipc::{
    CallRef, CallSound, CommandError, ContactCard, ContactId, DirectoryId, Edit, ImportReport, LogPage,
    LogQuery, LogRow, Note, OperatorId, Preferences, ServiceMode, Statistics, StatisticsQuery, Volumes,
};
use store::{CopyJob, Parked, SignedIn, Source, Store, StoreError};
use switchboard::Input;
use tokio::{
    runtime::Handle,
    sync::{
        mpsc::{self, error::TryRecvError},
        oneshot, watch,
    },
    time::timeout,
};
use tracing::{error, info, warn};

use crate::{
    connectors::Step,
    contacts::Contacts,
    editing::{AtDesk, unix_ms},
    engine::Event as EngineEvent,
    finished::{Ask, Ended, Journal},
    imports::Importing,
    keeping::Keeping,
    marks::{self, Marks},
    reminders::{self, List},
    sounds::Sounds,
    vital::Vital,
};

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
    /// For the switchboard as it is: imports, removals, what is known of a caller.
    Tell(Box<Input>),
}

/// Where the answer to a command goes.
pub(crate) type Answer<T> = oneshot::Sender<Result<T, CommandError>>;

pub(crate) enum Request {
    Log(Box<LogRow>),
    Sound { call: CallRef, sound: CallSound },
    Page { query: LogQuery, answer: oneshot::Sender<Result<LogPage, String>> },
    Statistics { query: StatisticsQuery, answer: oneshot::Sender<Result<Statistics, String>> },
    CallDays { edges: Vec<i64>, answer: oneshot::Sender<Result<Vec<bool>, String>> },
    Picture { contact: ContactId, answer: oneshot::Sender<Result<Option<Picture>, String>> },
    Card { contact: ContactId, answer: oneshot::Sender<Result<Option<ContactCard>, String>> },
    LookBack { call: CallRef, number: String, contact: Option<ContactId> },
    Edit { edit: Box<Edit>, answer: Answer<(Option<ContactId>, Option<DirectoryId>)> },
    Spent(ContactId),
    Import { directory: String, local: bool, path: PathBuf, answer: Answer<ImportReport> },
    CancelImport,
    Export { directory: DirectoryId, path: Option<PathBuf>, answer: Answer<(PathBuf, u32)> },
    Sources { answer: oneshot::Sender<Result<Vec<Source>, String>> },
    Administer { operator: String, plan: Box<NumberPlan>, relinked: bool, log_days: u32 },
    Copy { step: Step, answer: oneshot::Sender<Result<bool, String>> },
    Journal(Ask),
    Mark(marks::Ask),
    Note { operator: OperatorId, answer: oneshot::Sender<Result<Note, String>> },
    DraftNote { operator: OperatorId, text: Option<String>, answer: Answer<Note> },
    SaveNote { operator: OperatorId, text: String, answer: Answer<Note> },
    Reminder(reminders::Ask),
    Sit { operator: i64, name: Option<String> },
    TellPreferences { operator: i64 },
    Work(Work),
    Change(Change),
}

/// Something that somebody waits for.
type Work = Box<dyn FnOnce(&mut Keeper) + Send>;

/// Something small that the operator changed; of each kind only the newest counts.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Preferences {
        operator: i64,
        preferences: Preferences,
    },
    Seat(Seat),
    Volumes(Volumes),
    Service(Option<ServiceMode>),
    /// Everybody who is parked.
    Parked(Vec<Parked>),
    /// The store counts the missed as they are logged: those kept back are cleared with the rest.
    ClearMissed,
}

/// What is kept of who sits at the desk.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Seat {
    /// This operator has left it.
    Left { operator: i64 },
    /// The screen of this operator is locked, or no longer.
    Screen { operator: i64, locked: bool },
}

impl Change {
    /// Whether the newer one makes the other needless.
    fn is_overtaken_by(&self, newer: &Self) -> bool {
        match (self, newer) {
            (Self::Preferences { operator, .. }, Self::Preferences { operator: newer, .. }) => {
                operator == newer
            }
            _ => discriminant(self) == discriminant(newer),
        }
    }
}

/// The way to the records thread. The thread ends, with everything written, when the last of these is gone.
#[derive(Clone)]
pub(crate) struct Records {
    requests: mpsc::Sender<Request>,
    /// Changes whenever a call was added to the journal.
    pub(crate) journal: watch::Receiver<()>,
    /// The reminders as they are on the disk.
    pub(crate) reminders: watch::Receiver<List>,
}

impl Records {
    /// Starts the thread.
    pub(crate) fn start(
        store: Store,
        contacts: Contacts,
        inbox: mpsc::Sender<EngineEvent>,
        desk: AtDesk,
    ) -> Result<(Self, JoinHandle<()>)> {
        let (requests, queue) = mpsc::channel(QUEUE);
        let (to_journal, journal) = Journal::new();
        let (to_reminders, reminders) = watch::channel(List::default());
        let runtime = Handle::current();
        let vital = Vital::new("records", &inbox);
        let work = move || {
            let _vital = vital;
            Keeper::new(store, contacts, inbox, desk, to_journal, to_reminders).serve(queue, &runtime);
        };
        let thread = thread::Builder::new().name("records".into()).spawn(work).context("records thread")?;
        Ok((Self { requests, journal, reminders }, thread))
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

    /// Says how a call sounded, before or after its row. Does not wait.
    pub(crate) fn sound(&self, call: CallRef, sound: CallSound) {
        if self.requests.try_send(Request::Sound { call, sound }).is_err() {
            warn!(call = call.0, "how a call sounded is not in the log: the records thread is behind");
        }
    }

    /// Says something of marks. Does not wait.
    pub(crate) fn tell_marks(&self, call: CallRef, ask: marks::Ask) {
        if self.requests.try_send(Request::Mark(ask)).is_err() {
            warn!(call = call.0, "the last minute of a call is not kept: the records thread is behind");
        }
    }

    /// Keeps an operator's preferences.
    pub(crate) fn save_preferences(&self, operator: i64, preferences: Preferences) {
        self.note(Change::Preferences { operator, preferences });
    }

    /// Keeps that an operator has left the desk.
    pub(crate) fn keep_signed_out(&self, operator: i64) {
        self.note(Change::Seat(Seat::Left { operator }));
    }

    /// Keeps whether the screen of an operator is locked.
    pub(crate) fn keep_screen_lock(&self, operator: i64, locked: bool) {
        self.note(Change::Seat(Seat::Screen { operator, locked }));
    }

    /// Somebody else edits, takes calls and is reminded from now on; 0 and `None`: nobody signs in. Does not wait.
    pub(crate) fn sit(&self, operator: i64, name: Option<String>) {
        if self.requests.try_send(Request::Sit { operator, name }).is_err() {
            warn!("what is edited is not told to be by whoever is signed in: the records thread is behind");
        }
    }

    /// Asks for the preferences of an operator; the answer is [`Input::Preferences`]. Does not wait.
    pub(crate) fn tell_preferences(&self, operator: i64) {
        if self.requests.try_send(Request::TellPreferences { operator }).is_err() {
            warn!("the screen stays as it is: the records thread is behind");
        }
    }

    /// Has the records thread do something, and waits for it.
    pub(crate) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Keeper) -> T + Send + 'static,
    ) -> Result<T, CommandError> {
        let (answer, done) = oneshot::channel();
        // Whoever asked may have gone.
        let work: Work = Box::new(move |keeper| drop(answer.send(Ok(work(keeper)))));
        self.command(Request::Work(work), done).await
    }

    /// Waits until what was to be kept before has been written, or refused by a disk that the screen then tells of.
    pub(crate) async fn written(&self) {
        // Without a records thread nothing is written any more: the desk is stopping.
        let _ = self.with(|_| ()).await;
    }

    /// Keeps the loudness.
    pub(crate) fn save_volumes(&self, volumes: Volumes) {
        self.note(Change::Volumes(volumes));
    }

    /// Keeps the service mode chosen by hand.
    pub(crate) fn save_service(&self, mode: Option<ServiceMode>) {
        self.note(Change::Service(mode));
    }

    /// Keeps who is parked, all of them.
    pub(crate) fn save_parked(&self, parked: Vec<Parked>) {
        self.note(Change::Parked(parked));
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

    /// The log, counted (STA-1).
    pub(crate) async fn statistics(&self, query: StatisticsQuery) -> Result<Statistics, String> {
        let (answer, told) = oneshot::channel();
        self.ask(Request::Statistics { query, answer }, told).await
    }

    /// Which days have calls (LOG-2).
    pub(crate) async fn call_days(&self, edges: Vec<i64>) -> Result<Vec<bool>, String> {
        let (answer, days) = oneshot::channel();
        self.ask(Request::CallDays { edges, answer }, days).await
    }

    /// The picture of a contact (DIR-2).
    pub(crate) async fn picture(&self, contact: ContactId) -> Result<Option<Picture>, String> {
        let (answer, picture) = oneshot::channel();
        self.ask(Request::Picture { contact, answer }, picture).await
    }

    /// A contact with everything that is kept of it (DIR-2).
    pub(crate) async fn card(&self, contact: ContactId) -> Result<Option<ContactCard>, String> {
        let (answer, card) = oneshot::channel();
        self.ask(Request::Card { contact, answer }, card).await
    }

    /// Asks for earlier calls with a caller; the answer is [`Input::History`]. Does not wait.
    pub(crate) fn look_back(&self, call: CallRef, number: String, contact: Option<ContactId>) {
        if self.requests.try_send(Request::LookBack { call, number, contact }).is_err() {
            warn!("a caller stays without a history: the records thread is behind");
        }
    }

    /// Changes directories or contacts; says which contact or directory was added or changed.
    pub(crate) async fn edit(
        &self,
        edit: Edit,
    ) -> Result<(Option<ContactId>, Option<DirectoryId>), CommandError> {
        let (answer, done) = oneshot::channel();
        self.command(Request::Edit { edit: Box::new(edit), answer }, done).await
    }

    /// Settings have changed: who edits from now on, how numbers are written, whether directories are linked to other
    /// lines, and for how many days calls stay in the log (0: for ever).
    pub(crate) async fn administer(&self, operator: String, plan: NumberPlan, relinked: bool, log_days: u32) {
        let plan = Box::new(plan);
        // A thread that has ended edits nothing.
        let _ = self.requests.send(Request::Administer { operator, plan, relinked, log_days }).await;
    }

    /// An alert that was wanted once was given (PRE-7). Does not wait.
    pub(crate) fn alert_spent(&self, contact: ContactId) {
        if self.requests.try_send(Request::Spent(contact)).is_err() {
            warn!("an alert will be given again: the records thread is behind");
        }
    }

    /// Loads a file of contacts (DIR-3).
    pub(crate) async fn import(
        &self,
        directory: String,
        local: bool,
        path: PathBuf,
    ) -> Result<ImportReport, CommandError> {
        let (answer, report) = oneshot::channel();
        self.command(Request::Import { directory, local, path, answer }, report).await
    }

    /// Gives the import that runs up.
    pub(crate) async fn cancel_import(&self) {
        // A thread that has ended imports nothing.
        let _ = self.requests.send(Request::CancelImport).await;
    }

    /// Writes a directory as CSV (DIR-3); says where, and how many contacts.
    pub(crate) async fn export(
        &self,
        directory: DirectoryId,
        path: Option<PathBuf>,
    ) -> Result<(PathBuf, u32), CommandError> {
        let (answer, done) = oneshot::channel();
        self.command(Request::Export { directory, path, answer }, done).await
    }

    /// The directories that connectors keep (DIR-4).
    pub(crate) async fn sources(&self) -> Result<Vec<Source>, String> {
        let (answer, sources) = oneshot::channel();
        self.ask(Request::Sources { answer }, sources).await
    }

    /// Does a part of the copy of a connector's directory (DIR-4).
    pub(crate) async fn copy(&self, step: Step) -> Result<bool, String> {
        let (answer, done) = oneshot::channel();
        self.ask(Request::Copy { step, answer }, done).await
    }

    /// An operator's note (NOTE-1).
    pub(crate) async fn note_text(&self, operator: OperatorId) -> Result<Note, String> {
        let (answer, note) = oneshot::channel();
        self.ask(Request::Note { operator, answer }, note).await
    }

    /// Keeps what is written, or gives it up.
    pub(crate) async fn draft_note(
        &self,
        operator: OperatorId,
        text: Option<String>,
    ) -> Result<Note, CommandError> {
        let (answer, done) = oneshot::channel();
        self.command(Request::DraftNote { operator, text, answer }, done).await
    }

    /// Saves the note.
    pub(crate) async fn save_note(&self, operator: OperatorId, text: String) -> Result<Note, CommandError> {
        let (answer, done) = oneshot::channel();
        self.command(Request::SaveNote { operator, text, answer }, done).await
    }

    pub(crate) async fn command<T>(
        &self,
        request: Request,
        answer: oneshot::Receiver<Result<T, CommandError>>,
    ) -> Result<T, CommandError> {
        let stopping = || CommandError::Failed { reason: "the desk is shutting down".to_owned() };
        self.requests.send(request).await.map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())?
    }

    fn note(&self, change: Change) {
        if self.requests.try_send(Request::Change(change)).is_err() {
            warn!("a change of the settings was not kept: the records thread is behind");
        }
    }

    pub(crate) async fn ask<T>(
        &self,
        request: Request,
        answer: oneshot::Receiver<Result<T, String>>,
    ) -> Result<T, String> {
        let stopping = || "the desk is shutting down".to_owned();
        self.requests.send(request).await.map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())?
    }
}

/// What the records thread has; see `imports` and `editing` for more of what it does.
pub(crate) struct Keeper {
    pub(crate) store: Store,
    pub(crate) contacts: Contacts,
    inbox: mpsc::Sender<EngineEvent>,
    /// Who edits, and where files of contacts are.
    pub(crate) desk: AtDesk,
    /// The import that runs.
    pub(crate) import: Option<Importing>,
    /// The copy of a connector's directory that runs.
    pub(crate) copy: Option<CopyJob>,
    /// What is told to customer databases.
    pub(crate) journal: Journal,
    /// Rows refused by the disk, oldest first.
    pub(crate) backlog: VecDeque<Ended>,
    /// Which rows and sounds belong together.
    pub(crate) sounds: Sounds,
    /// Calls that something was wrong with, or may have been.
    pub(crate) marks: Marks,
    /// Where the reminders are shown.
    pub(crate) reminders: watch::Sender<List>,
    /// When calls leave the log.
    pub(crate) keeping: Keeping,
    /// Changes not written yet, oldest first, one of a kind.
    changes: VecDeque<Change>,
    /// The last attempt to write was refused.
    refused: bool,
}

impl Keeper {
    fn new(
        store: Store,
        contacts: Contacts,
        inbox: mpsc::Sender<EngineEvent>,
        desk: AtDesk,
        journal: Journal,
        reminders: watch::Sender<List>,
    ) -> Self {
        let (backlog, changes) = (VecDeque::new(), VecDeque::new());
        let keeping = Keeping::new(desk.log_days, desk.clock.clone());
        Self {
            store,
            contacts,
            inbox,
            desk,
            import: None,
            copy: None,
            journal,
            backlog,
            sounds: Sounds::default(),
            marks: Marks::default(),
            reminders,
            keeping,
            changes,
            refused: false,
        }
    }

    fn serve(mut self, mut queue: mpsc::Receiver<Request>, runtime: &Handle) {
        self.load_journals();
        self.show_reminders();
        loop {
            let request = if self.import.is_some() {
                match queue.try_recv() {
                    Ok(request) => Some(request),
                    Err(TryRecvError::Empty) => {
                        // The desk is ending, and whoever waits for the file holds this queue open.
                        if self.inbox.is_closed() {
                            self.cancel_import()
                        } else {
                            self.import_on()
                        }
                        continue;
                    }
                    Err(TryRecvError::Disconnected) => None,
                }
            } else if let Some(pause) = self.pause() {
                match runtime.block_on(async { timeout(pause, queue.recv()).await }) {
                    Ok(request) => request,
                    Err(_) => {
                        self.forget_old();
                        if !self.is_up_to_date() {
                            self.catch_up();
                        }
                        continue;
                    }
                }
            } else {
                queue.blocking_recv()
            };
            match request {
                Some(request) => self.take(request),
                None => break,
            }
        }
        self.cancel_import();
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

    /// For how long there is nothing to do unless somebody asks; `None`: for ever.
    fn pause(&self) -> Option<Duration> {
        let retry = (!self.is_up_to_date()).then_some(RETRY);
        retry.into_iter().chain(self.keeping.pause()).min()
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
                let row = self.sounds.joined(*row);
                self.backlog.push_back(Ended::now(row));
                self.catch_up();
            }
            Request::Sound { call, sound } => self.sounded(call, sound),
            Request::Page { query, answer } => {
                let page = self.store.log_page(&query).map(|page| self.with_marks(page));
                let _ = answer.send(page.map_err(|error| error.to_string()));
            }
            Request::Statistics { query, answer } => {
                let _ = answer.send(sensible(self.store.asked_statistics(&query)));
            }
            Request::CallDays { edges, answer } => {
                let _ = answer.send(sensible(self.store.call_days(edges)));
            }
            Request::Picture { contact, answer } => {
                let _ = answer.send(self.store.picture(contact).map_err(|error| error.to_string()));
            }
            Request::Card { contact, answer } => {
                let _ = answer.send(self.store.contact_card(contact).map_err(|error| error.to_string()));
            }
            Request::LookBack { call, number, contact } => self.look_back(call, &number, contact),
            Request::Edit { edit, answer } => {
                let _ = answer.send(self.edit(&edit));
            }
            Request::Administer { operator, plan, relinked, log_days } => {
                (self.desk.operator, self.desk.plan) = (operator, *plan);
                self.keeping.keep_for(log_days);
                if relinked {
                    self.relink();
                }
            }
            Request::Spent(contact) => self.alert_spent(contact),
            Request::Import { directory, local, path, answer } => {
                self.begin_import(&directory, local, &path, answer);
            }
            Request::CancelImport => self.cancel_import(),
            Request::Export { directory, path, answer } => {
                let _ = answer.send(self.export(directory, path));
            }
            Request::Sources { answer } => {
                let _ = answer.send(self.store.sources().map_err(|error| error.to_string()));
            }
            Request::Copy { step, answer } => {
                let _ = answer.send(self.copy(step));
            }
            Request::Journal(ask) => self.take_journal(ask),
            Request::Mark(ask) => self.take_mark(ask),
            Request::Note { operator, answer } => {
                let _ = answer.send(self.store.note(operator.0).map_err(|error| error.to_string()));
            }
            Request::DraftNote { operator, text, answer } => {
                let _ = answer.send(self.store.draft_note(operator.0, text.as_deref()).map_err(failed));
            }
            Request::SaveNote { operator, text, answer } => {
                let _ = answer.send(self.store.save_note(operator.0, &text, unix_ms()).map_err(failed));
            }
            Request::Reminder(ask) => self.take_reminder(ask),
            Request::Sit { operator, name } => {
                self.desk.signed_in = name;
                if std::mem::replace(&mut self.desk.operator_id, operator) != operator {
                    self.show_reminders();
                }
            }
            Request::TellPreferences { operator } => match self.store.load_preferences(operator) {
                Ok(preferences) => self.say(Input::Preferences(preferences)),
                Err(error) => warn!(%error, operator, "preferences cannot be read"),
            },
            Request::Work(work) => work(self),
            Request::Change(change) => {
                self.changes.retain(|other| !other.is_overtaken_by(&change));
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
        while !self.backlog.is_empty() {
            self.append_next()?;
            self.backlog.pop_front();
        }
        while let Some(change) = self.changes.front() {
            match change {
                Change::Preferences { operator, preferences } => {
                    self.store.save_preferences(*operator, preferences)?;
                }
                Change::Seat(Seat::Left { operator }) => self.store.sign_out(*operator)?,
                Change::Seat(Seat::Screen { operator, locked }) => {
                    self.store.lock_screen(*operator, *locked)?;
                }
                Change::Volumes(volumes) => self.store.save_volumes(volumes)?,
                Change::Service(mode) => self.store.save_service(*mode)?,
                Change::Parked(parked) => self.store.save_parked(parked)?,
                Change::ClearMissed => self.store.clear_missed()?,
            }
            self.changes.pop_front();
        }
        Ok(())
    }

    /// Writes down that an operator has signed in; how they want the screen.
    pub(crate) fn sign_in(&mut self, operator: i64) -> Result<(SignedIn, Preferences), StoreError> {
        let signed_in = self.store.sign_in(operator, unix_ms())?;
        // What the disk has not taken of who was there before is not true any more.
        self.changes.retain(|change| !matches!(change, Change::Seat(_)));
        Ok((signed_in, self.store.load_preferences(operator)?))
    }

    /// Tells the switchboard.
    pub(crate) fn say(&self, input: Input) {
        self.tell(Event::Tell(Box::new(input)));
    }

    fn tell(&self, event: Event) {
        let _ = self.inbox.blocking_send(EngineEvent::Records(event));
    }
}

/// `None` is a question that nobody can answer.
fn sensible<T>(answer: Result<Option<T>, StoreError>) -> Result<T, String> {
    let answer = answer.map_err(|error| error.to_string())?;
    answer.ok_or_else(|| "times must follow each other, and there are too many or too few of them".to_owned())
}

fn failed(error: StoreError) -> CommandError {
    CommandError::Failed { reason: error.to_string() }
}

#[cfg(test)]
mod tests;
