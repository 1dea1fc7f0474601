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

use crate::{engine::Event, vital::Vital};

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
        let vital = Vital::new("contacts", &inbox);
        let work = move || {
            let _vital = vital;
            Librarian { catalogue, monitor, inbox }.serve(queue);
        };
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

/// Whether each word of `folded` begins a word of the contact's name: of the person's, or of the company where there is
/// no person.
fn is_called(row: &ipc::ContactRow, folded: &str) -> bool {
    let person = directory::fold(&format!("{} {}", row.first_name, row.last_name));
    let name = if person.trim().is_empty() { directory::fold(&row.company) } else { person };
    let words_of = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    };
    let (name, typed) = (words_of(&name), words_of(folded));
    let begins = |word: &String| name.iter().any(|of_name| of_name.starts_with(word.as_str()));
    !typed.is_empty() && typed.iter().all(begins)
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
    // The search finds words anywhere, and with a slip of the finger: that is no reason to ring somebody.
    let called: Vec<_> = page.rows.iter().filter(|row| is_called(row, &folded)).collect();
    // Of more than these it is not known what they are called.
    let is_all = page.rows.len() == page.total as usize;
    let row = match (namesakes.as_slice(), called.as_slice()) {
        ([one], _) => *one,
        ([], [one]) if is_all => *one,
        _ => {
            let matches = if is_all { called.len() } else { page.total as usize };
            return Err(CommandError::AmbiguousName { name: text, matches });
        }
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
    fn call_10_a_name_rings_who_is_called_so_and_nobody_of_whom_only_something_else_says_it() {
        let mut catalogue = Catalogue::new(NumberPlan::default());
        catalogue.set_directory(Directory {
            id: DirectoryId(1),
            name: "Staff".into(),
            local: true,
            line: None,
            note: String::new(),
            look: Default::default(),
            source: None,
        });
        let person = |first: &str, last: &str, phone: &str| directory::Contact {
            first_name: first.into(),
            last_name: last.into(),
            phone: phone.into(),
            ..directory::Contact::default()
        };
        let klein = directory::Contact {
            note: "assistant of Meier".into(),
            company: "Bauer GmbH".into(),
            ..person("Anna", "Klein", "2101")
        };
        let firm =
            directory::Contact { company: "Acme Tools".into(), phone: "2104".into(), ..Default::default() };
        let staff = [klein, person("Jörg", "Kellner", "2102"), person("Eva", "Lang-Hof", "2103"), firm];
        for (id, contact) in (0..).zip(staff) {
            catalogue.upsert(Entry { id: ContactId(id), directory: DirectoryId(1), contact }).unwrap();
        }
        let mut rings = |text: &str| number_of(&mut catalogue, text.into());
        for (name, number) in [
            ("klein", "2101"),
            ("Klein Anna", "2101"),
            ("jorg", "2102"),
            ("Kell", "2102"),
            ("hof", "2103"),
            ("Lang-Hof", "2103"),
            ("acme", "2104"),
        ] {
            assert_eq!(rings(name), Ok(number.into()), "{name}");
        }
        // In a note, with a slip of the finger, half in a note, and the company of somebody.
        for name in ["meier", "kelner", "anna meier", "bauer"] {
            let none = CommandError::AmbiguousName { name: name.into(), matches: 0 };
            assert_eq!(rings(name), Err(none), "{name}");
        }
        // Once there is somebody who is called so, the others are not in the way.
        let meier =
            Entry { id: ContactId(9), directory: DirectoryId(1), contact: person("Ute", "Meier", "2109") };
        catalogue.upsert(meier).unwrap();
        assert_eq!(number_of(&mut catalogue, "meier".into()), Ok("2109".into()));
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
