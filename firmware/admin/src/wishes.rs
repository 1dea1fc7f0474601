//! What the page wishes of the desk: figures of its engine, a new start, more lines in its log. The desk decides.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use ipc::{CommandError, Diagnostics, ImportReport, SoundLevels, SoundTest};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use crate::{
    imports::ContactsProblem,
    logs::Level,
    sounds::{SoundFacts, SoundProblem},
};

/// The desk answers at once or not at all.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long it may look at a sound file: ten minutes of Opus are decoded in a few seconds, on a small box in more.
const EXAMINED: Duration = Duration::from_secs(90);

/// How long the log tells more than it is set to.
pub(crate) const LOUD: Duration = Duration::from_secs(3600);

/// A wish. Whoever answers may find that nobody listens any more.
#[derive(Debug)]
pub enum Wish {
    /// How the desk does.
    Diagnostics(oneshot::Sender<Diagnostics>),
    /// The SIP messages that are kept, without secrets, as a pcapng file.
    Trace(oneshot::Sender<Vec<u8>>),
    /// To start anew, if no call is up; whether it does.
    Restart(oneshot::Sender<bool>),
    /// How grave lines of the log must be at least; `None` is what its settings file says.
    Level(Option<Level>),
    /// To try a sound device at the desk; whether that could begin. Nothing is recorded for a page.
    TestSound {
        /// What is played.
        test: SoundTest,
        /// The desk's answer.
        done: oneshot::Sender<Result<(), CommandError>>,
    },
    /// How loud it is at the desk: the loudest of two seconds.
    MeasureSound(oneshot::Sender<SoundLevels>),
    /// To look at a sound file as it would be played to callers.
    ExamineSound {
        /// Where it is.
        path: PathBuf,
        /// What is known of it then, or why it cannot be played.
        done: oneshot::Sender<Result<SoundFacts, SoundProblem>>,
    },
    /// To load a file of contacts into a directory (DIR-3), which is made where there is none of that name.
    ImportContacts {
        /// The directory's name.
        directory: String,
        /// Staff or not, where it is made.
        local: bool,
        /// The file; it stays until the answer.
        path: PathBuf,
        /// What was loaded; on a problem, nothing.
        done: oneshot::Sender<Result<ImportReport, ContactsProblem>>,
    },
    /// To know that operators were added, changed, locked or removed; there is no answer.
    Operators,
    /// To see the touchscreen, if the operator allows it (APP-2).
    Watch {
        /// The administrator's name; `None` ends it.
        who: Option<String>,
        /// Whether the operator is asked, or it has ended.
        done: oneshot::Sender<bool>,
    },
}

/// The way to the desk, and how long its log tells more.
#[derive(Debug)]
pub(crate) struct Desk {
    wishes: mpsc::Sender<Wish>,
    loud: std::sync::Mutex<Option<(Level, Instant)>>,
}

impl Desk {
    pub(crate) fn new(wishes: mpsc::Sender<Wish>) -> Self {
        Self { wishes, loud: std::sync::Mutex::new(None) }
    }

    /// `None` when the desk does not say so in time.
    pub(crate) async fn diagnostics(&self) -> Option<Diagnostics> {
        let (answer, told) = oneshot::channel();
        self.ask(Wish::Diagnostics(answer), told).await
    }

    /// The SIP messages that are kept; `None` when the desk does not give them in time.
    pub(crate) async fn trace(&self) -> Option<Vec<u8>> {
        let (answer, told) = oneshot::channel();
        self.ask(Wish::Trace(answer), told).await
    }

    /// Whether the desk starts anew; it does not while a call is up.
    pub(crate) async fn restart(&self) -> bool {
        let (answer, told) = oneshot::channel();
        self.ask(Wish::Restart(answer), told).await.unwrap_or(false)
    }

    /// Plays something at the desk; `None` when it does not say in time whether it does.
    pub(crate) async fn test_sound(&self, test: SoundTest) -> Option<Result<(), CommandError>> {
        let (done, told) = oneshot::channel();
        self.ask(Wish::TestSound { test, done }, told).await
    }

    /// The loudest of two seconds at the desk; `None` when it does not say so in time.
    pub(crate) async fn measure_sound(&self) -> Option<SoundLevels> {
        let (answer, told) = oneshot::channel();
        self.ask(Wish::MeasureSound(answer), told).await
    }

    /// What is known of a sound file, or why it cannot be played; `None` when the desk does not say so in time.
    pub(crate) async fn examine_sound(&self, path: PathBuf) -> Option<Result<SoundFacts, SoundProblem>> {
        let (done, told) = oneshot::channel();
        let asked = async {
            self.wishes.send(Wish::ExamineSound { path, done }).await.ok()?;
            told.await.ok()
        };
        timeout(EXAMINED, asked).await.ok().flatten()
    }

    /// Loads a file of contacts, however long that takes; `None` when the desk ends before.
    pub(crate) async fn import_contacts(
        &self,
        directory: String,
        local: bool,
        path: PathBuf,
    ) -> Option<Result<ImportReport, ContactsProblem>> {
        let (done, told) = oneshot::channel();
        self.wishes.send(Wish::ImportContacts { directory, local, path, done }).await.ok()?;
        told.await.ok()
    }

    /// Asks the operator to let somebody see the screen, or ends that; whether it was taken.
    pub(crate) async fn watch(&self, who: Option<String>) -> bool {
        let (done, told) = oneshot::channel();
        self.ask(Wish::Watch { who, done }, told).await.unwrap_or(false)
    }

    /// Operators were added, changed, locked or removed.
    pub(crate) async fn operators_changed(&self) {
        // A desk that does not hear it is ending.
        let _ = timeout(PATIENCE, self.wishes.send(Wish::Operators)).await;
    }

    /// Lets the log tell more for [`LOUD`], or as much as it is set to.
    pub(crate) async fn log_level(&self, level: Option<Level>, now: Instant) {
        *self.loud() = level.map(|level| (level, now + LOUD));
        let _ = timeout(PATIENCE, self.wishes.send(Wish::Level(level))).await;
    }

    /// What was asked for, and for how long it is still so.
    pub(crate) fn loud_for(&self, now: Instant) -> Option<(Level, Duration)> {
        let (level, until) = (*self.loud())?;
        Some((level, until.checked_duration_since(now)?))
    }

    /// Sets the log back when its time is over.
    pub(crate) async fn hush(&self, now: Instant) {
        let is_over = self.loud().is_some_and(|(_, until)| until <= now);
        if is_over {
            self.log_level(None, now).await;
        }
    }

    async fn ask<T>(&self, wish: Wish, told: oneshot::Receiver<T>) -> Option<T> {
        let asked = async {
            self.wishes.send(wish).await.ok()?;
            told.await.ok()
        };
        timeout(PATIENCE, asked).await.ok().flatten()
    }

    fn loud(&self) -> std::sync::MutexGuard<'_, Option<(Level, Instant)>> {
        // One value, whole whatever happened to who wrote it.
        self.loud.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn app_2_the_log_is_set_back_after_an_hour_and_a_silent_desk_is_not_waited_for() {
        let (wishes, mut heard) = mpsc::channel(4);
        let (desk, now) = (Desk::new(wishes), Instant::now());
        desk.log_level(Some(Level::Debug), now).await;
        assert!(matches!(heard.recv().await, Some(Wish::Level(Some(Level::Debug)))));
        assert_eq!(desk.loud_for(now), Some((Level::Debug, LOUD)));
        desk.hush(now + LOUD / 2).await;
        assert!(desk.loud_for(now + LOUD / 2).is_some());
        desk.hush(now + LOUD).await;
        assert!(matches!(heard.recv().await, Some(Wish::Level(None))));
        assert_eq!(desk.loud_for(now + LOUD), None);
        drop(heard);
        assert!(desk.diagnostics().await.is_none() && desk.trace().await.is_none() && !desk.restart().await);
    }
}
