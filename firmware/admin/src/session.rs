//! Who is signed in: random tokens, of which the box keeps the hash. Kept in memory: after a restart everybody
//! signs in again, and nobody writes to the disk with each click.

use std::{
    collections::HashMap,
    io,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use store::{Role, WebAccount};

use crate::random::{self, Hash};

/// A session nobody has used for so long is over.
pub(crate) const IDLE: Duration = Duration::from_secs(30 * 60);
/// A session is over after so long, used or not.
pub(crate) const LONGEST: Duration = Duration::from_secs(12 * 3600);
/// Sessions at once; the one that was idle longest goes.
const MAX_SESSIONS: usize = 256;
/// Longest name of a browser kept, in characters.
const MAX_AGENT: usize = 120;

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// For lists; tells nothing about the token.
    pub(crate) number: u64,
    pub(crate) account: i64,
    pub(crate) name: String,
    pub(crate) role: Role,
    /// Goes with every form of this session.
    pub(crate) form_token: String,
    pub(crate) began: Instant,
    pub(crate) began_ms: i64,
    pub(crate) used: Instant,
    pub(crate) from: IpAddr,
    pub(crate) agent: String,
}

/// Something to say on the next page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flash {
    pub(crate) good: bool,
    pub(crate) text: String,
}

struct Entry {
    session: Session,
    flash: Option<Flash>,
}

/// All sessions.
#[derive(Default)]
pub(crate) struct Sessions {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    by_hash: HashMap<Hash, Entry>,
    last: u64,
}

/// When somebody signs in, from where, and with what.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) now: Instant,
    pub(crate) now_ms: i64,
    pub(crate) from: IpAddr,
    pub(crate) agent: String,
}

impl Sessions {
    /// Begins a session; answers the token, which is not kept.
    pub(crate) fn begin(&self, account: &WebAccount, origin: Origin) -> io::Result<String> {
        let (token, form_token) = (random::token()?, random::token()?);
        let mut inner = self.inner();
        inner.forget_old(origin.now);
        if inner.by_hash.len() >= MAX_SESSIONS {
            let idle = inner.by_hash.iter().min_by_key(|(_, entry)| entry.session.used);
            if let Some(hash) = idle.map(|(hash, _)| *hash) {
                inner.by_hash.remove(&hash);
            }
        }
        inner.last += 1;
        let session = Session {
            number: inner.last,
            account: account.id,
            name: account.name.clone(),
            role: account.role,
            form_token,
            began: origin.now,
            began_ms: origin.now_ms,
            used: origin.now,
            from: origin.from,
            agent: origin.agent.chars().filter(|c| !c.is_control()).take(MAX_AGENT).collect(),
        };
        inner.by_hash.insert(random::hash(&token), Entry { session, flash: None });
        Ok(token)
    }

    /// The session of a token, which counts as used now where somebody sits there (`by_hand`).
    pub(crate) fn visit(&self, token: &str, now: Instant, by_hand: bool) -> Option<Session> {
        let mut inner = self.inner();
        let hash = random::hash(token);
        if !inner.by_hash.get(&hash)?.session.is_alive(now) {
            inner.by_hash.remove(&hash);
            return None;
        }
        let session = &mut inner.by_hash.get_mut(&hash)?.session;
        if by_hand {
            session.used = now;
        }
        Some(session.clone())
    }

    /// Ends the session of a token.
    pub(crate) fn end(&self, token: &str) {
        self.inner().by_hash.remove(&random::hash(token));
    }

    /// Ends every session of an account but one; says how many.
    pub(crate) fn end_all(&self, account: i64, but: Option<u64>) -> usize {
        let mut inner = self.inner();
        let before = inner.by_hash.len();
        inner
            .by_hash
            .retain(|_, entry| entry.session.account != account || but == Some(entry.session.number));
        before - inner.by_hash.len()
    }

    /// Ends one session by its number; says whose it was.
    pub(crate) fn end_number(&self, number: u64) -> Option<String> {
        let mut inner = self.inner();
        let hash = *inner.by_hash.iter().find(|(_, entry)| entry.session.number == number)?.0;
        inner.by_hash.remove(&hash).map(|entry| entry.session.name)
    }

    /// Something to say on the next page of a session.
    pub(crate) fn say(&self, number: u64, flash: Flash) {
        let mut inner = self.inner();
        if let Some(entry) = inner.by_hash.values_mut().find(|entry| entry.session.number == number) {
            entry.flash = Some(flash);
        }
    }

    /// What was to be said; it is said once.
    pub(crate) fn heard(&self, number: u64) -> Option<Flash> {
        let mut inner = self.inner();
        inner.by_hash.values_mut().find(|entry| entry.session.number == number)?.flash.take()
    }

    /// Everybody who is signed in, oldest session first.
    pub(crate) fn list(&self, now: Instant) -> Vec<Session> {
        let mut inner = self.inner();
        inner.forget_old(now);
        let mut list: Vec<Session> = inner.by_hash.values().map(|entry| entry.session.clone()).collect();
        list.sort_by_key(|session| session.number);
        list
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Each change is one step on the map: what a thread that failed left is whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn forget_old(&mut self, now: Instant) {
        self.by_hash.retain(|_, entry| entry.session.is_alive(now));
    }
}

impl Session {
    fn is_alive(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.used) < IDLE && now.saturating_duration_since(self.began) < LONGEST
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn account(id: i64) -> WebAccount {
        let name = format!("A{id}");
        WebAccount { id, name, role: Role::Administrator, created_ms: 0, last_sign_in_ms: None }
    }

    fn origin(now: Instant) -> Origin {
        Origin { now, now_ms: 0, from: IpAddr::from([127, 0, 0, 1]), agent: "test\n".repeat(99) }
    }

    #[test]
    fn app_2_a_session_ends_when_it_is_idle_and_when_it_is_old() {
        let (sessions, start) = (Sessions::default(), Instant::now());
        let token = sessions.begin(&account(1), origin(start)).unwrap();
        assert!(sessions.visit(&token, start + IDLE - Duration::from_secs(1), true).is_some());
        assert!(
            sessions.visit(&token, start + IDLE * 2 - Duration::from_secs(2), true).is_some(),
            "used meanwhile"
        );
        assert!(sessions.visit(&token, start + IDLE * 2, false).is_some(), "a page that looks by itself");
        assert!(sessions.visit(&token, start + IDLE * 3, true).is_none());
        let (token, mut now) = (sessions.begin(&account(1), origin(start)).unwrap(), start);
        while now < start + LONGEST - IDLE {
            now += IDLE / 2;
            assert!(sessions.visit(&token, now, true).is_some());
        }
        assert!(sessions.visit(&token, start + LONGEST, true).is_none());
        assert!(sessions.visit(&token, start, true).is_none(), "it does not come back");
    }

    #[test]
    fn app_2_sign_out_everywhere_leaves_others_alone() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let mine = sessions.begin(&account(1), origin(now)).unwrap();
        let other = sessions.begin(&account(1), origin(now)).unwrap();
        let hers = sessions.begin(&account(2), origin(now)).unwrap();
        let number = sessions.visit(&mine, now, true).unwrap().number;
        assert_eq!(sessions.end_all(1, Some(number)), 1);
        assert!(sessions.visit(&other, now, true).is_none());
        assert!(sessions.visit(&mine, now, true).is_some() && sessions.visit(&hers, now, true).is_some());
        sessions.end(&mine);
        assert!(sessions.visit(&mine, now, true).is_none());
    }

    #[test]
    fn sessions_are_bounded_and_a_word_is_said_once() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let first = sessions.begin(&account(1), origin(now)).unwrap();
        for n in 1..=MAX_SESSIONS as u64 {
            sessions.begin(&account(1), origin(now + Duration::from_millis(n))).unwrap();
        }
        assert_eq!(sessions.list(now).len(), MAX_SESSIONS);
        assert!(sessions.visit(&first, now, true).is_none(), "the one that was idle longest went");
        let number = sessions.list(now)[0].number;
        assert!(sessions.list(now)[0].agent.len() <= MAX_AGENT);
        sessions.say(number, Flash { good: true, text: "done".into() });
        assert_eq!(sessions.heard(number).unwrap().text, "done");
        assert_eq!(sessions.heard(number), None);
    }
}
