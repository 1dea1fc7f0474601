//! The way of clients to the meter and the tests: what they want goes into the engine's inbox, what they are told comes
//! out of a slot where the latest wins.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use ipc::{Command, CommandError, SoundView};
use tokio::sync::{mpsc, oneshot, watch};

use super::{Client, Wish};
use crate::engine::Event;

/// For whoever takes clients. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Sound {
    inbox: mpsc::Sender<Event>,
    view: watch::Receiver<SoundView>,
    clients: Arc<AtomicU64>,
}

/// A connected client; [`Listener::leave`] ends what it asked for.
pub(crate) struct Listener {
    inbox: mpsc::Sender<Event>,
    client: Client,
    wants: watch::Sender<bool>,
    /// The engine knows of it.
    is_known: bool,
}

/// What a client is told, while it wants to know.
pub(crate) struct Follower {
    view: watch::Receiver<SoundView>,
    wants: watch::Receiver<bool>,
    wanted: bool,
}

/// Whether a command is one of the sound's.
pub(crate) fn is_its_business(command: &Command) -> bool {
    matches!(command, Command::Meter { .. } | Command::TestSound { .. })
}

impl Sound {
    pub(crate) fn new(inbox: mpsc::Sender<Event>, view: watch::Receiver<SoundView>) -> Self {
        Self { inbox, view, clients: Arc::default() }
    }

    /// A client has come.
    pub(crate) fn client(&self) -> (Listener, Follower) {
        let client = self.clients.fetch_add(1, Ordering::Relaxed);
        let (wants, wanted) = watch::channel(false);
        let follower = Follower { view: self.view.clone(), wants: wanted, wanted: false };
        (Listener { inbox: self.inbox.clone(), client, wants, is_known: false }, follower)
    }
}

impl Listener {
    /// Carries out one of [`is_its_business`].
    ///
    /// # Errors
    /// Why a test cannot begin, or the desk is stopping.
    pub(crate) async fn obey(&mut self, command: &Command) -> Result<(), CommandError> {
        self.is_known = true;
        let client = self.client;
        match command {
            Command::Meter { on } => {
                // Told before anything new is: a follower that begins too late would miss the first.
                self.wants.send_replace(*on);
                self.send(Wish::Meter { client, on: *on }).await
            }
            Command::TestSound { test } => {
                let (reply, answer) = oneshot::channel();
                self.send(Wish::Test { client, test: *test, reply }).await?;
                answer.await.unwrap_or_else(|_| Err(stopping()))
            }
            _ => Err(CommandError::NotPossible),
        }
    }

    /// The client is gone: so is its meter, and a test it began.
    pub(crate) async fn leave(self) {
        if self.is_known {
            // A desk that is stopping ends all of it.
            let _ = self.send(Wish::Gone { client: self.client }).await;
        }
    }

    async fn send(&self, wish: Wish) -> Result<(), CommandError> {
        self.inbox.send(Event::Sound(wish)).await.map_err(|_| stopping())
    }
}

impl Follower {
    /// The next that was not told yet; waits for ever while the client does not want to know. May be dropped in mid-wait.
    pub(crate) async fn next(&mut self) -> SoundView {
        loop {
            let wants = *self.wants.borrow_and_update();
            if wants && !self.wanted {
                self.view.mark_changed();
            }
            self.wanted = wants;
            let changed = tokio::select! {
                biased;
                changed = self.wants.changed() => changed.map(|()| false),
                changed = self.view.changed(), if wants => changed.map(|()| true),
            };
            match changed {
                Ok(true) => return *self.view.borrow_and_update(),
                Ok(false) => {}
                // The client or the desk is going.
                Err(_) => std::future::pending().await,
            }
        }
    }
}

fn stopping() -> CommandError {
    CommandError::Failed { reason: "the desk is shutting down".into() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use ipc::{SoundLevels, SoundTest, SoundTestEnd};
    use tokio::task::yield_now;

    use super::*;

    fn levels(input_dbfs: i8) -> SoundView {
        SoundView { levels: Some(SoundLevels { input_dbfs, output_dbfs: -96 }), test: None }
    }

    /// What a client is told without waiting.
    async fn told(follower: &mut Follower) -> Option<i8> {
        let view = tokio::select! {
            biased;
            view = follower.next() => view,
            () = yield_now() => return None,
        };
        Some(view.levels.map_or(0, |levels| levels.input_dbfs))
    }

    #[tokio::test]
    async fn only_who_asks_is_told_and_only_the_newest() {
        let (inbox, mut heard) = mpsc::channel(16);
        let (view, shown) = watch::channel(SoundView::default());
        let sound = Sound::new(inbox, shown);
        let ((mut screen, mut its), (other, mut others)) = (sound.client(), sound.client());
        view.send_replace(levels(-1));
        assert_eq!(told(&mut its).await, None, "nobody asked");
        screen.obey(&Command::Meter { on: true }).await.unwrap();
        assert_eq!(told(&mut its).await, Some(-1), "what was known before");
        assert_eq!(told(&mut its).await, None, "and once");
        view.send_replace(levels(-2));
        view.send_replace(levels(-3));
        assert_eq!(told(&mut its).await, Some(-3));
        screen.obey(&Command::Meter { on: false }).await.unwrap();
        view.send_replace(levels(-4));
        assert_eq!((told(&mut its).await, told(&mut others).await), (None, None));
        screen.leave().await;
        other.leave().await;
        let mut wishes = Vec::new();
        while let Ok(Event::Sound(wish)) = heard.try_recv() {
            wishes.push(format!("{wish:?}"));
        }
        let meter = |on| format!("{:?}", Wish::Meter { client: 0, on });
        let gone = format!("{:?}", Wish::Gone { client: 0 });
        assert_eq!(wishes, [meter(true), meter(false), gone], "who never asked need not be forgotten");
    }

    #[tokio::test]
    async fn a_test_is_answered_by_the_engine() {
        let (inbox, mut heard) = mpsc::channel(16);
        let (_view, shown) = watch::channel(SoundView::default());
        let (mut screen, _follower) = Sound::new(inbox, shown).client();
        let command = Command::TestSound { test: Some(SoundTest::HearBack) };
        let refused = CommandError::SoundTest(SoundTestEnd::Call);
        let engine = async {
            match heard.recv().await.unwrap() {
                Event::Sound(Wish::Test { test: Some(SoundTest::HearBack), reply, .. }) => {
                    reply.send(Err(refused.clone())).unwrap();
                }
                _ => panic!("something else was asked"),
            }
        };
        let (result, ()) = tokio::join!(screen.obey(&command), engine);
        assert_eq!(result, Err(refused));
        drop(heard);
        assert!(matches!(screen.obey(&command).await, Err(CommandError::Failed { .. })), "it is stopping");
    }
}
