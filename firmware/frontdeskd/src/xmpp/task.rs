//! Connects, stays connected, and tells the engine: the loop around connections, and its pauses.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use tokio::{
    select,
    sync::{
        mpsc::{self, error::TrySendError},
        watch,
    },
    time::{Instant, sleep, sleep_until},
};
use tracing::{info, warn};

use super::{
    connection::{self, Access, Trouble},
    roll::{News, Roll},
    session,
};
use crate::engine::Event;

/// The first and the longest pause between two attempts to connect.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A connection that has stood so long was a good one: the next pause is the first again.
const GOOD: Duration = Duration::from_secs(20);
/// News told in one go, and the pause before the next: whatever a server sends, the engine's inbox stays free
/// for calls. A person who changes in the pause is told once.
const TELL: usize = 64;
const TELL_PAUSE: Duration = Duration::from_millis(50);

/// The side towards the desk, which goes on whatever the connection does.
pub(super) struct Desk {
    pub(super) roll: Roll,
    wanted: watch::Receiver<Vec<String>>,
    inbox: mpsc::Sender<Event>,
    trouble: watch::Sender<Option<String>>,
    tell_due: Instant,
}

/// Runs until the engine is gone.
pub(super) async fn run(
    access: Access,
    mut wanted: watch::Receiver<Vec<String>>,
    inbox: mpsc::Sender<Event>,
    trouble: watch::Sender<Option<String>>,
) {
    wanted.mark_changed();
    let mut desk = Desk { roll: Roll::default(), wanted, inbox, trouble, tell_due: Instant::now() };
    let mut pauses = Pauses::default();
    loop {
        let Some(opened) = desk.meanwhile(connection::open(&access)).await else { return };
        let trouble = match opened {
            Ok(mut connection) => {
                info!(server = access.server, address = %access.address, "XMPP: connected");
                let began = Instant::now();
                if !desk.troubled(None).await {
                    return;
                }
                let ended = session::follow(&mut connection, &access.address, &mut desk).await;
                let Some(trouble) = ended else { return };
                desk.roll.lost();
                warn!(server = access.server, %trouble, "XMPP: connection lost");
                if began.elapsed() >= GOOD {
                    pauses = Pauses::default();
                }
                trouble
            }
            Err(trouble) => {
                warn!(server = access.server, %trouble, "XMPP: no connection");
                trouble
            }
        };
        if !desk.troubled(Some(trouble.to_string())).await {
            return;
        }
        let pause = pauses.next(&trouble, random());
        if desk.meanwhile(sleep(pause)).await.is_none() {
            return;
        }
    }
}

impl Desk {
    /// Goes on until `work` is done, and gives back what came of it; `None`: the desk stops.
    async fn meanwhile<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::pin!(work);
        loop {
            select! {
                done = &mut work => return Some(done),
                alive = self.step() => if !alive { return None },
            }
        }
    }

    /// Takes other wishes of the directories, or tells the engine what is new, whichever is first. May be
    /// dropped at any time. `false`: the desk stops.
    pub(super) async fn step(&mut self) -> bool {
        select! {
            changed = self.wanted.changed() => {
                if changed.is_err() {
                    return false;
                }
                self.watch();
                true
            }
            () = sleep_until(self.tell_due), if self.roll.has_news() => self.tell(),
        }
    }

    /// Says why there is no connection, or that there is one. `false`: the desk stops.
    async fn troubled(&mut self, trouble: Option<String>) -> bool {
        let differs = self.trouble.send_replace(trouble.clone()) != trouble;
        if !differs {
            return true;
        }
        let inbox = self.inbox.clone();
        self.meanwhile(inbox.send(Event::XmppTrouble)).await.is_some_and(|sent| sent.is_ok())
    }

    fn watch(&mut self) {
        let wanted = self.wanted.borrow_and_update().clone();
        let count = wanted.len();
        let (no_addresses, too_many) = self.roll.watch(wanted);
        if no_addresses > 0 || too_many > 0 {
            warn!(count, no_addresses, too_many, "XMPP: some of the people cannot be watched");
        }
    }

    /// Never waits: where the inbox is full the rest follows later.
    fn tell(&mut self) -> bool {
        self.tell_due = Instant::now() + TELL_PAUSE;
        for _ in 0..TELL {
            let permit = match self.inbox.try_reserve() {
                Ok(permit) => permit,
                Err(TrySendError::Full(())) => return true,
                Err(TrySendError::Closed(())) => return false,
            };
            match self.roll.next_news() {
                Some(News::Person { address, state, text }) => {
                    permit.send(Event::Person { address, state, text });
                }
                Some(News::Gone { address }) => permit.send(Event::PersonGone { address }),
                None => break,
            }
        }
        true
    }
}

/// How long to wait before the next attempt.
#[derive(Debug, Default)]
struct Pauses {
    failures: u32,
}

impl Pauses {
    /// Twice as long each time, between half and all of it, so that a house full of desks does not come back
    /// in one moment. A server that does not want us is not asked every few seconds: it may lock the account.
    fn next(&mut self, trouble: &Trouble, random: u64) -> Duration {
        let doubled = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(self.failures)).min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        let longest = if matches!(trouble, Trouble::Refused(_)) { LONGEST_PAUSE } else { doubled };
        let half = longest / 2;
        let millis = u64::try_from(half.as_millis()).unwrap_or(u64::MAX).max(1);
        half + Duration::from_millis(random % (millis + 1))
    }
}

/// From the system's random source, by way of the hasher's keys.
fn random() -> u64 {
    RandomState::new().hash_one(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_minute_and_differ() {
        let mut pauses = Pauses::default();
        for longest in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
            let longest = Duration::from_secs(longest);
            let failures = pauses.failures;
            for random in [0, 1, 999, u64::MAX] {
                pauses.failures = failures;
                let pause = pauses.next(&Trouble::NoTls, random);
                assert!((longest / 2..=longest).contains(&pause), "{pause:?} of {longest:?}");
            }
        }
        assert_ne!(pauses.next(&Trouble::NoTls, 1), pauses.next(&Trouble::NoTls, 2));
    }

    #[tokio::test]
    async fn pre_5_why_nobody_is_shown_as_online_is_told_to_the_engine() {
        // A port at which nobody listens any more.
        let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let access = Access {
            address: "desk@example.com".parse().unwrap(),
            password: store::Secret::default(),
            server: format!("127.0.0.1:{port}"),
            ca: None,
        };
        let (_wanted, followed) = watch::channel(Vec::new());
        let (told, trouble) = watch::channel(None);
        let (inbox, mut events) = mpsc::channel(1);
        let task = tokio::spawn(run(access, followed, inbox, told));
        let event = tokio::time::timeout(Duration::from_secs(30), events.recv()).await.unwrap();
        assert!(matches!(event, Some(Event::XmppTrouble)));
        let trouble = trouble.borrow().clone().unwrap();
        assert!(trouble.starts_with("the server cannot be reached"), "{trouble}");
        task.abort();
    }

    #[test]
    fn whoever_is_not_let_in_waits_longer() {
        let pause = Pauses::default().next(&Trouble::Refused("no".into()), 0);
        assert!(pause >= LONGEST_PAUSE / 2, "{pause:?}");
    }
}
