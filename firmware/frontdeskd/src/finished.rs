//! Ended calls on the records thread: into the log and, with it, into the journal of the customer databases (CRM-3).
//!
//! Sending what is in the journal is not done here (`connectors::journal`).

use ipc::LogRow;
use store::{JournalRow, StoreError};
use tokio::sync::{oneshot, watch};
use tracing::{info, warn};

use crate::{
    connectors,
    editing::unix_ms,
    records::{Keeper, Records, Request},
};

/// What is asked of the journal.
pub(crate) enum Ask {
    Journals { answer: Answer<Vec<String>> },
    SetJournals { journals: Vec<String>, removed: Vec<String>, answer: Answer<()> },
    Due { plugin: String, now: i64, answer: Answer<Option<JournalRow>> },
    Next { plugin: String, answer: Answer<Option<i64>> },
    Done { row: i64, answer: Answer<()> },
    Again { row: i64, due: i64, answer: Answer<()> },
}

type Answer<T> = oneshot::Sender<Result<T, String>>;

impl Records {
    /// The connectors that keep a journal, as they were last said to be.
    pub(crate) async fn journals(&self) -> Result<Vec<String>, String> {
        self.ask_journal(|answer| Ask::Journals { answer }).await
    }

    /// The connectors that keep a journal from now on, and those that somebody has removed.
    pub(crate) async fn set_journals(
        &self,
        journals: Vec<String>,
        removed: Vec<String>,
    ) -> Result<(), String> {
        self.ask_journal(|answer| Ask::SetJournals { journals, removed, answer }).await
    }

    /// The next finished call that is due for a connector.
    pub(crate) async fn journal_due(&self, plugin: String, now: i64) -> Result<Option<JournalRow>, String> {
        self.ask_journal(|answer| Ask::Due { plugin, now, answer }).await
    }

    /// When the next one is due, in Unix milliseconds.
    pub(crate) async fn journal_next(&self, plugin: String) -> Result<Option<i64>, String> {
        self.ask_journal(|answer| Ask::Next { plugin, answer }).await
    }

    /// It is there, or will never be.
    pub(crate) async fn journal_done(&self, row: i64) -> Result<(), String> {
        self.ask_journal(|answer| Ask::Done { row, answer }).await
    }

    /// It is tried again then, in Unix milliseconds.
    pub(crate) async fn journal_again(&self, row: i64, due: i64) -> Result<(), String> {
        self.ask_journal(|answer| Ask::Again { row, due, answer }).await
    }

    /// Changes whenever a call was added.
    pub(crate) fn journal_news(&self) -> watch::Receiver<()> {
        self.journal.clone()
    }

    async fn ask_journal<T>(&self, ask: impl FnOnce(Answer<T>) -> Ask) -> Result<T, String> {
        let (answer, done) = oneshot::channel();
        self.ask(Request::Journal(ask(answer)), done).await
    }
}

/// A call that the disk has not taken yet.
#[derive(Debug)]
pub(crate) struct Ended {
    row: LogRow,
    /// Unix milliseconds.
    at: i64,
}

/// What the records thread knows of the journal.
pub(crate) struct Journal {
    /// The connectors that keep one.
    plugins: Vec<String>,
    news: watch::Sender<()>,
}

impl Journal {
    /// The journal, and where its news are heard.
    pub(crate) fn new() -> (Self, watch::Receiver<()>) {
        let (news, heard) = watch::channel(());
        (Self { plugins: Vec::new(), news }, heard)
    }
}

impl Ended {
    pub(crate) fn now(row: LogRow) -> Self {
        Self { row, at: unix_ms() }
    }

    /// Its row, which is not on the disk yet.
    pub(crate) fn row_mut(&mut self) -> &mut LogRow {
        &mut self.row
    }
}

impl Keeper {
    /// A restart does not forget who keeps a journal.
    pub(crate) fn load_journals(&mut self) {
        match self.store.load_journals() {
            Ok(plugins) => self.journal.plugins = plugins,
            Err(error) => warn!(%error, "it is not known which connectors keep a journal"),
        }
    }

    /// Writes the oldest of the backlog into the log and the journals; it stays there.
    pub(crate) fn append_next(&mut self) -> Result<(), StoreError> {
        let Some(ended) = self.backlog.front() else { return Ok(()) };
        let Journal { plugins, news } = &self.journal;
        let (operator, plan) = (self.desk.author(), &self.desk.plan);
        let told = |plugin: &String| {
            let call = connectors::finished(&ended.row, plugin, ended.at, plan, operator);
            (plugin.clone(), call)
        };
        let journal: Vec<_> = plugins.iter().map(told).collect();
        let marks = self.marks.of(ended.row.call);
        let appended = self.store.append_call_with(&ended.row, &journal, &marks, unix_ms())?;
        self.marks.written(&ended.row, appended.call);
        self.sounds.written(&ended.row, appended.call);
        if appended.given_up > 0 {
            warn!(
                calls = appended.given_up,
                "finished calls are given up: customer databases did not take them for too long"
            );
        }
        if !journal.is_empty() {
            news.send_replace(());
        }
        Ok(())
    }

    pub(crate) fn take_journal(&mut self, ask: Ask) {
        let said = |error: StoreError| error.to_string();
        // Whoever asked may have gone.
        match ask {
            Ask::Journals { answer } => drop(answer.send(Ok(self.journal.plugins.clone()))),
            Ask::SetJournals { journals, removed, answer } => {
                drop(answer.send(self.set_journals(journals, &removed).map_err(said)));
            }
            Ask::Due { plugin, now, answer } => {
                drop(answer.send(self.store.journal_due(&plugin, now).map_err(said)));
            }
            Ask::Next { plugin, answer } => {
                drop(answer.send(self.store.journal_next(&[plugin]).map_err(said)));
            }
            Ask::Done { row, answer } => drop(answer.send(self.store.journal_done(row).map_err(said))),
            Ask::Again { row, due, answer } => {
                drop(answer.send(self.store.journal_again(row, due).map_err(said)));
            }
        }
    }

    fn set_journals(&mut self, journals: Vec<String>, removed: &[String]) -> Result<(), StoreError> {
        if self.journal.plugins != journals {
            info!(?journals, "connectors that are told of finished calls");
            self.store.save_journals(&journals)?;
            self.journal.plugins = journals;
        }
        let gone = self.store.journal_tidy(removed, unix_ms())?;
        if gone > 0 {
            info!(calls = gone, "finished calls of connectors that are no more, or too old, are forgotten");
        }
        Ok(())
    }
}
