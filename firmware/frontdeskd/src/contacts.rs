//! The contacts thread: owns the catalogue and answers who is behind a number and who matches a word.
//!
//! A thread of its own because a search over 100,000 contacts may take some milliseconds: neither the
//! engine nor the disk waits for it. The engine asks and goes on; the name arrives as an event, a frame
//! later at most.

use std::thread::{self, JoinHandle};

use anyhow::{Context, Result};
use directory::{Alerts, Catalogue, CatalogueError, Directory, Entry, NumberPlan};
use ipc::{
    CallRef, CommandError, ContactId, ContactPage, ContactPlace, ContactQuery, DirectoryId, DirectoryView,
    Party, SortKey, TransferId,
};
use switchboard::AlertWish;
use tokio::sync::{mpsc, oneshot};
use tracing::{info, warn};

use crate::engine::Event;

/// Questions that may wait.
const QUEUE: usize = 1024;
/// Contacts that share a name, as far as they are counted.
const NAMESAKES: u32 = 10;

/// Whose name is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Who {
    /// The other end of a call.
    Call(CallRef),
    /// A transfer's target.
    Target(TransferId),
}

/// News for the engine.
pub(crate) enum News {
    /// The answer to [`Contacts::identify`].
    Identified {
        /// As asked.
        who: Who,
        /// Named as far as the directories know.
        party: Party,
    },
    /// The tabs changed.
    Directories(Vec<DirectoryView>),
    /// The phones to monitor, sorted.
    Monitor(Vec<String>),
    /// What the operator wants to be told.
    Alerts(Vec<AlertWish>),
    /// The addresses of the people to watch (PRE-5), as the local directories have them, sorted: `sip:` addresses,
    /// and all others, which are XMPP's.
    People(Vec<String>),
}

enum Question {
    Identify { who: Who, party: Party },
    Page { query: ContactQuery, answer: oneshot::Sender<ContactPage> },
    Number { text: String, answer: oneshot::Sender<Result<String, CommandError>> },
    Replace { id: DirectoryId, with: Option<(Directory, Vec<Entry>)> },
    Change { directory: Option<Directory>, entries: Vec<Entry>, removed: Vec<ContactId> },
    Place { contact: ContactId, sort: SortKey, answer: oneshot::Sender<Option<ContactPlace>> },
    Administer { plan: NumberPlan, monitor: bool },
}

/// The way to the contacts thread. The thread ends when the last of these is gone.
#[derive(Clone)]
pub(crate) struct Contacts {
    questions: mpsc::Sender<Question>,
}

impl Contacts {
    /// Starts the thread with a catalogue already filled. Without `monitor` no phone is watched.
    pub(crate) fn start(
        catalogue: Catalogue,
        monitor: bool,
        inbox: mpsc::Sender<Event>,
    ) -> Result<(Self, JoinHandle<()>)> {
        let (questions, queue) = mpsc::channel(QUEUE);
        let work = move || Librarian { catalogue, monitor, inbox }.serve(queue);
        let thread = thread::Builder::new().name("contacts".into()).spawn(work).context("contacts thread")?;
        Ok((Self { questions }, thread))
    }

    /// Asks for the name behind a party's number; the answer is [`News::Identified`]. Does not wait;
    /// with too many questions open the party stays as it is.
    pub(crate) fn identify(&self, who: Who, party: Party) {
        if party.number.is_some() && self.questions.try_send(Question::Identify { who, party }).is_err() {
            warn!("a caller stays without a name: too many questions are open");
        }
    }

    /// A part of a list.
    pub(crate) async fn page(&self, query: ContactQuery) -> Option<ContactPage> {
        let (answer, page) = oneshot::channel();
        self.questions.send(Question::Page { query, answer }).await.ok()?;
        page.await.ok()
    }

    /// The number meant by what was typed: a number stays, a name must mean one contact.
    pub(crate) async fn number(&self, text: String) -> Result<String, CommandError> {
        if !is_name(&text) {
            return Ok(text);
        }
        let (answer, number) = oneshot::channel();
        let stopping = || CommandError::Failed { reason: "the desk is shutting down".into() };
        self.questions.send(Question::Number { text, answer }).await.map_err(|_| stopping())?;
        number.await.map_err(|_| stopping())?
    }

    /// Where a contact stands in its directory.
    pub(crate) async fn place(&self, contact: ContactId, sort: SortKey) -> Option<Option<ContactPlace>> {
        let (answer, place) = oneshot::channel();
        self.questions.send(Question::Place { contact, sort, answer }).await.ok()?;
        place.await.ok()
    }

    /// Takes in a directory as it now is; `None`: it is gone.
    pub(crate) fn replace(&self, id: DirectoryId, with: Option<(Directory, Vec<Entry>)>) {
        self.take_in(Question::Replace { id, with });
    }

    /// Takes in what was changed.
    pub(crate) fn change(&self, directory: Option<Directory>, entries: Vec<Entry>, removed: Vec<ContactId>) {
        if directory.is_some() || !removed.is_empty() || !entries.is_empty() {
            self.take_in(Question::Change { directory, entries, removed });
        }
    }

    /// Settings have changed: how numbers are written, and whether phones are watched.
    pub(crate) async fn administer(&self, plan: NumberPlan, monitor: bool) {
        // A thread that has ended knows no numbers.
        let _ = self.questions.send(Question::Administer { plan, monitor }).await;
    }

    fn take_in(&self, question: Question) {
        if self.questions.blocking_send(question).is_err() {
            warn!("contacts were not taken in: the desk is shutting down");
        }
    }
}

/// A name, where a number was expected: it has a letter and is no URI.
fn is_name(text: &str) -> bool {
    let uri = ["sip:", "sips:", "tel:"]
        .iter()
        .any(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    !uri && text.chars().any(char::is_alphabetic)
}

struct Librarian {
    catalogue: Catalogue,
    monitor: bool,
    inbox: mpsc::Sender<Event>,
}

impl Librarian {
    fn serve(mut self, mut queue: mpsc::Receiver<Question>) {
        self.catalogue.prepare();
        self.tell_directories();
        while let Some(question) = queue.blocking_recv() {
            self.answer(question);
        }
    }

    fn answer(&mut self, question: Question) {
        match question {
            Question::Identify { who, party } => {
                let number = party.number.as_deref().unwrap_or_default();
                let party = self.catalogue.party(number, party.name.as_deref());
                self.tell(News::Identified { who, party });
            }
            Question::Page { query, answer } => {
                let _ = answer.send(self.catalogue.page(&query));
            }
            Question::Number { text, answer } => {
                let _ = answer.send(number_of(&mut self.catalogue, text));
            }
            Question::Place { contact, sort, answer } => {
                let _ = answer.send(self.catalogue.place(contact, sort));
            }
            Question::Replace { id, with } => {
                let taken = match with {
                    Some((directory, entries)) => {
                        self.catalogue.set_directory(directory);
                        self.catalogue.replace_all(id, entries)
                    }
                    None => {
                        self.catalogue.remove_directory(id);
                        Ok(())
                    }
                };
                self.taken_in(taken);
            }
            Question::Change { directory, entries, removed } => {
                if let Some(directory) = directory {
                    self.catalogue.set_directory(directory);
                }
                for contact in removed {
                    self.catalogue.remove(contact);
                }
                let taken = self.catalogue.upsert_all(entries);
                self.taken_in(taken);
            }
            Question::Administer { plan, monitor } => {
                self.catalogue.set_plan(plan);
                if self.monitor != monitor {
                    self.monitor = monitor;
                    let phones = if monitor { monitored(&self.catalogue) } else { Vec::new() };
                    self.tell(News::Monitor(phones));
                }
            }
        }
    }

    fn taken_in(&mut self, taken: Result<(), CatalogueError>) {
        if let Err(error) = taken {
            warn!(%error, "contacts were not taken in");
        }
        self.catalogue.prepare();
        info!(contacts = self.catalogue.len(), "contacts taken in");
        self.tell_directories();
    }

    fn tell_directories(&self) {
        self.tell(News::Directories(self.catalogue.directories()));
        self.tell(News::Alerts(alerts(&self.catalogue)));
        if self.monitor {
            self.tell(News::Monitor(monitored(&self.catalogue)));
        }
        self.tell(News::People(people(&self.catalogue)));
    }

    fn tell(&self, news: News) {
        let _ = self.inbox.blocking_send(Event::Contacts(news));
    }
}

/// The phones of local contacts with presence on (PRE-2), sorted, each once.
fn monitored(catalogue: &Catalogue) -> Vec<String> {
    let local = |entry: &&Entry| {
        entry.contact.presence
            && !entry.contact.phone.is_empty()
            && catalogue.directory(entry.directory).is_some_and(|directory| directory.local)
    };
    let mut numbers: Vec<String> =
        catalogue.entries().filter(local).map(|entry| bare(&entry.contact.phone)).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// What the operator wants to be told (PRE-7).
fn alerts(catalogue: &Catalogue) -> Vec<AlertWish> {
    let wanted = catalogue.entries().filter(|entry| entry.contact.alert != Alerts::default());
    let wish = |entry: &Entry| AlertWish {
        contact: entry.id,
        name: entry.contact.display_name(),
        number: if entry.contact.presence { bare(&entry.contact.phone) } else { String::new() },
        address: entry.contact.xmpp.trim().to_owned(),
        alerts: entry.contact.alert.into(),
    };
    wanted.map(wish).collect()
}

/// The addresses under which local contacts tell whether they are there (PRE-5), sorted, each once.
fn people(catalogue: &Catalogue) -> Vec<String> {
    let local =
        |entry: &&Entry| catalogue.directory(entry.directory).is_some_and(|directory| directory.local);
    let addresses = catalogue.entries().filter(local).map(|entry| entry.contact.xmpp.trim());
    let mut addresses: Vec<String> = addresses.filter(|a| !a.is_empty()).map(str::to_owned).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// A number without the marks people write between its digits.
fn bare(number: &str) -> String {
    number.chars().filter(|c| c.is_ascii_digit() || matches!(c, '+' | '*' | '#')).collect()
}

fn number_of(catalogue: &mut Catalogue, text: String) -> Result<String, CommandError> {
    let query = ContactQuery {
        directory: None,
        text: text.clone(),
        sort: SortKey::default(),
        offset: 0,
        limit: NAMESAKES,
    };
    let page = catalogue.page(&query);
    let folded = directory::fold(&text);
    let full_name = |row: &&ipc::ContactRow| {
        let both = [(&row.first_name, &row.last_name), (&row.last_name, &row.first_name)];
        both.iter().any(|(a, b)| directory::fold(&format!("{a} {b}")) == folded)
    };
    let namesakes: Vec<_> = page.rows.iter().filter(full_name).collect();
    let row = match (namesakes.as_slice(), page.rows.as_slice()) {
        ([one], _) => *one,
        ([], [one]) => one,
        _ => return Err(CommandError::AmbiguousName { name: text, matches: page.total as usize }),
    };
    let numbers = [&row.phone, &row.mobile, &row.home];
    let number = numbers.into_iter().find(|number| !number.is_empty());
    number.map(|number| bare(number)).ok_or(CommandError::BadNumber { number: text })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_name_and_what_a_number() {
        for number in ["2110", "+49 30 555", "*21#", "sip:a@b.example", "SIPS:a@b.example", "tel:+49"] {
            assert!(!is_name(number), "{number}");
        }
        for name in ["alice", "Müller", "été"] {
            assert!(is_name(name), "{name}");
        }
    }

    #[test]
    fn pre_5_the_addresses_of_local_contacts_are_watched_once_each_and_in_order() {
        let (local, external) = (DirectoryId(1), DirectoryId(2));
        let mut catalogue = Catalogue::new(NumberPlan::default());
        for (id, is_local) in [(local, true), (external, false)] {
            let (name, note) = (format!("{id:?}"), String::new());
            catalogue.set_directory(Directory {
                id,
                name,
                local: is_local,
                line: None,
                note,
                look: Default::default(),
                source: None,
            });
        }
        let addresses = [" sip:b@x ", "", "a@x", "sip:b@x"].into_iter().map(|address| (local, address));
        for (id, (directory, xmpp)) in (0..).zip(addresses.chain([(external, "c@x")])) {
            let contact = directory::Contact {
                last_name: "N".into(),
                xmpp: xmpp.into(),
                ..directory::Contact::default()
            };
            catalogue.upsert(Entry { id: ContactId(id), directory, contact }).unwrap();
        }
        assert_eq!(people(&catalogue), ["a@x", "sip:b@x"]);
    }
}
