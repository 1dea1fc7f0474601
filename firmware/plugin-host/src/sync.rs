//! A whole directory, page by page, with an end: so many pages, so many people, so many bytes, so long, and a
//! cursor that moves. What was there before is untouched until a run is complete. A source that asks for a moment of
//! patience in the middle gets it: a long run that began anew each time would never come to its end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::backoff::Reaction;
use crate::connector::{Cancel, Change, Connector, Next, Page, Start};
use crate::contact::Contact;
use crate::failure::Failure;

/// Changes asked for in a page.
pub const PAGE: u32 = 200;

/// The longest that a run waits in its middle; who asks for more is asked again from the beginning.
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// The wait for the same page where the server says none, or a date.
const USUAL_WAIT: Duration = Duration::from_secs(15);
/// Waits for one page.
const WAITS: usize = 3;
/// How soon a run that waits is cancelled.
const MOMENT: Duration = Duration::from_millis(50);

/// Where a run ends that does not end by itself.
#[derive(Debug, Clone)]
pub struct SyncLimits {
    /// Pages.
    pub pages: usize,
    /// Pages without any change, one after the other.
    pub empty_pages: usize,
    /// People.
    pub contacts: usize,
    /// Text of all people together, in bytes.
    pub bytes: usize,
    /// Time on the clock.
    pub wall: Duration,
}

impl Default for SyncLimits {
    fn default() -> Self {
        Self {
            pages: 2000,
            empty_pages: 20,
            contacts: 100_000,
            bytes: 64 << 20,
            wall: Duration::from_secs(1800),
        }
    }
}

/// Why a run was not completed.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum SyncError {
    /// A call failed.
    #[error("{0:?}")]
    Call(Failure),
    /// The run had no end in sight.
    #[error("the directory has no end: {0}")]
    Endless(&'static str),
}

/// A directory as a plugin gave it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    /// By the source's id.
    pub contacts: BTreeMap<String, Arc<Contact>>,
    /// Where the next run starts; none: a full one.
    pub token: Option<String>,
}

/// A completed run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synced {
    /// The directory after it.
    pub directory: Directory,
    /// People that were there before and are not any more.
    pub deleted: usize,
    /// Contacts that could not be used.
    pub left_out: usize,
    /// Pages.
    pub pages: usize,
}

/// Runs one synchronisation: from the token, or in full where there is none. `progress` hears after each
/// page how many people there are, and the plugin's guess of the whole.
///
/// # Errors
/// See [`SyncError`]. `before` is then still the truth.
pub fn run(
    connector: &Connector,
    before: &Directory,
    limits: &SyncLimits,
    cancel: &Cancel,
    progress: &mut dyn FnMut(usize, Option<u64>),
) -> Result<Synced, SyncError> {
    let started = Instant::now();
    let mut run = Run::new(before, limits);
    loop {
        if started.elapsed() > limits.wall {
            return Err(SyncError::Endless("too much time"));
        }
        let page = match connector.fetch(&run.start, PAGE, cancel) {
            Ok(page) => page,
            Err(failure) => {
                let wait = run.patience(&failure).ok_or(SyncError::Call(failure))?;
                tracing::info!(
                    plugin = connector.id(),
                    wait_s = wait.as_secs(),
                    "waits in the middle of a run"
                );
                rest(wait, cancel);
                continue;
            }
        };
        let total = page.total;
        let done = run.take(page)?;
        progress(run.contacts.len(), total);
        if let Some(token) = done {
            return Ok(run.finish(before, token));
        }
    }
}

/// Waits; cancelled, not any longer.
fn rest(wait: Duration, cancel: &Cancel) {
    let until = Instant::now() + wait;
    while !cancel.is_cancelled() && Instant::now() < until {
        thread::sleep(MOMENT.min(until.saturating_duration_since(Instant::now())));
    }
}

struct Run<'limits> {
    limits: &'limits SyncLimits,
    start: Start,
    contacts: BTreeMap<String, Arc<Contact>>,
    cursors: BTreeSet<String>,
    bytes: usize,
    empty: usize,
    pages: usize,
    left_out: usize,
    /// For the page that is next.
    waits: usize,
}

impl<'limits> Run<'limits> {
    fn new(before: &Directory, limits: &'limits SyncLimits) -> Self {
        let (start, contacts) = match &before.token {
            Some(token) => (Start::Delta(token.clone()), before.contacts.clone()),
            None => (Start::Full, BTreeMap::new()),
        };
        let bytes = contacts.values().map(|contact| contact.size()).sum();
        Self {
            limits,
            start,
            contacts,
            cursors: BTreeSet::new(),
            bytes,
            empty: 0,
            pages: 0,
            left_out: 0,
            waits: 0,
        }
    }

    /// How long to wait for the same page once more, after a failure in the middle of the run.
    fn patience(&mut self, failure: &Failure) -> Option<Duration> {
        let Failure::Said { reaction: Reaction::RetryLater(seconds), .. } = failure else {
            return None;
        };
        let wait = seconds.map_or(USUAL_WAIT, |seconds| Duration::from_secs(u64::from(seconds).max(1)));
        self.waits += 1;
        (self.pages > 0 && self.waits <= WAITS && wait <= LONGEST_WAIT).then_some(wait)
    }

    /// Takes a page; `Some` when it was the last.
    fn take(&mut self, page: Page) -> Result<Option<Option<String>>, SyncError> {
        self.pages += 1;
        self.waits = 0;
        self.left_out += page.left_out;
        self.empty = if page.changes.is_empty() { self.empty + 1 } else { 0 };
        for change in page.changes {
            let before = match change {
                Change::Upsert(contact) => {
                    self.bytes += contact.size();
                    self.contacts.insert(contact.id.clone(), Arc::from(contact))
                }
                Change::Delete(id) => self.contacts.remove(&id),
            };
            self.bytes -= before.map_or(0, |contact| contact.size());
        }
        if self.contacts.len() > self.limits.contacts {
            return Err(SyncError::Endless("too many people"));
        }
        if self.bytes > self.limits.bytes {
            return Err(SyncError::Endless("too much text"));
        }
        let cursor = match page.next {
            Next::Done(token) => return Ok(Some(token)),
            Next::More(cursor) => cursor,
        };
        if self.pages >= self.limits.pages {
            return Err(SyncError::Endless("too many pages"));
        }
        if self.empty >= self.limits.empty_pages {
            return Err(SyncError::Endless("too many empty pages"));
        }
        if !self.cursors.insert(cursor.clone()) {
            return Err(SyncError::Endless("a cursor came twice"));
        }
        self.start = Start::Resume(cursor);
        Ok(None)
    }

    fn finish(self, before: &Directory, token: Option<String>) -> Synced {
        let deleted = before.contacts.keys().filter(|id| !self.contacts.contains_key(*id)).count();
        let directory = Directory { contacts: self.contacts, token };
        Synced { directory, deleted, left_out: self.left_out, pages: self.pages }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    fn contact(id: u8) -> Contact {
        Contact {
            id: id.to_string(),
            name: "N".repeat(usize::from(id)),
            organization: None,
            department: None,
            title: None,
            phones: Vec::new(),
            emails: Vec::new(),
            note: None,
            url: None,
            extra: Vec::new(),
        }
    }

    proptest! {
        #[test]
        fn the_books_of_a_run_agree_and_it_ends(
            pages in proptest::collection::vec(proptest::collection::vec((any::<bool>(), 0u8..20), 0..6), 0..60)
        ) {
            let limits = SyncLimits { pages: 30, empty_pages: 5, contacts: 15, bytes: 150, ..SyncLimits::default() };
            let before = Directory::default();
            let mut run = Run::new(&before, &limits);
            let mut model = BTreeMap::new();
            for (number, page) in pages.into_iter().enumerate() {
                let changes: Vec<Change> = page.into_iter().map(|(add, id)| {
                    if add {
                        model.insert(id.to_string(), Arc::new(contact(id)));
                        Change::Upsert(Box::new(contact(id)))
                    } else {
                        model.remove(&id.to_string());
                        Change::Delete(id.to_string())
                    }
                }).collect();
                let next = Next::More(number.to_string());
                let taken = run.take(Page { changes, left_out: 0, next, total: None });
                prop_assert_eq!(&run.contacts, &model);
                prop_assert_eq!(run.bytes, model.values().map(|contact: &Arc<Contact>| contact.size()).sum::<usize>());
                match taken {
                    Ok(done) => {
                        prop_assert!(done.is_none());
                        prop_assert!(run.pages < 30 && run.empty < 5 && model.len() <= 15 && run.bytes <= 150);
                    }
                    Err(_) => return Ok(()),
                }
            }
        }
    }

    #[test]
    fn patience_is_for_the_middle_of_a_run_and_has_an_end() {
        let (limits, before) = (SyncLimits::default(), Directory::default());
        let mut run = Run::new(&before, &limits);
        let busy = |seconds| Failure::Said {
            case: "retry-later",
            words: String::new(),
            reaction: Reaction::RetryLater(seconds),
        };
        assert_eq!(run.patience(&busy(Some(7))), None, "nothing is lost at the beginning");
        let page = |cursor: &str| Page {
            changes: vec![Change::Upsert(Box::new(contact(1)))],
            left_out: 0,
            next: Next::More(cursor.to_owned()),
            total: None,
        };
        assert!(run.take(page("a")).is_ok());
        assert_eq!(run.patience(&busy(Some(7))), Some(Duration::from_secs(7)));
        assert_eq!(run.patience(&busy(Some(0))), Some(Duration::from_secs(1)));
        assert_eq!(run.patience(&busy(Some(120))), Some(LONGEST_WAIT));
        assert_eq!(run.patience(&busy(Some(7))), None, "three times for one page");
        assert!(run.take(page("b")).is_ok());
        assert_eq!(
            run.patience(&busy(None)),
            Some(USUAL_WAIT),
            "many servers do not say when, or say a date"
        );
        for other in [busy(Some(121)), Failure::Contract("x")] {
            assert_eq!(run.patience(&other), None);
        }
    }

    #[test]
    fn a_cursor_that_comes_twice_ends_the_run() {
        let (limits, before) = (SyncLimits::default(), Directory::default());
        let mut run = Run::new(&before, &limits);
        let page = |cursor: &str| Page {
            changes: vec![Change::Upsert(Box::new(contact(1)))],
            left_out: 0,
            next: Next::More(cursor.to_owned()),
            total: None,
        };
        assert!(run.take(page("a")).is_ok() && run.take(page("b")).is_ok());
        assert_eq!(run.take(page("a")), Err(SyncError::Endless("a cursor came twice")));
    }
}
