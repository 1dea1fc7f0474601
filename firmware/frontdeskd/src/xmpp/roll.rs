//! Who is online, as far as a server says: pure bookkeeping, no connection.
//!
//! Nobody is shown as online on old news: with the connection goes what was known, and everybody is
//! [`OnlineState::Unknown`] until the server has said it again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ipc::OnlineState;
use tokio_xmpp::jid::{BareJid, Jid};

use super::stanza::{Member, Presence};

/// People watched at most; the lists of a whole company are shorter.
const MAX_WATCHED: usize = 2000;
/// People of whom anything is kept: those watched, and members of the roster who may be watched next.
const MAX_PEOPLE: usize = 4096;
/// Clients of one person that are told apart.
const MAX_RESOURCES: usize = 8;
/// Characters shown of what people say about themselves.
const MAX_TEXT: usize = 200;

/// What the desk is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// What a person is.
    Person { address: String, state: OnlineState, text: String },
    /// A person is no longer watched.
    Gone { address: String },
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Roll {
    people: BTreeMap<BareJid, Person>,
    /// Addresses as the directories write them, and whom they mean; nobody, where it is no address.
    watched: BTreeMap<String, Option<BareJid>>,
    /// What was told last.
    told: BTreeMap<String, (OnlineState, String)>,
    /// Addresses of whom there may be something new to tell.
    stale: BTreeSet<String>,
    /// People who are to be asked for their presence, once the roster is known.
    to_ask: VecDeque<BareJid>,
    roster_known: bool,
}

/// What the server says of one person.
#[derive(Debug, Default)]
struct Person {
    /// The addresses under which the directories have them; none, where they are on the roster only.
    addresses: BTreeSet<String>,
    /// The server has said something since the connection stands.
    known: bool,
    /// Their clients that are available, the one heard of last at the end.
    resources: Vec<Resource>,
    /// What they said when they left.
    farewell: String,
    /// They let us see their presence.
    subscribed: bool,
    /// On the roster: so they do, or were asked to.
    on_roster: bool,
    /// Asked in this connection: not asked again, though they refuse.
    asked: bool,
}

#[derive(Debug)]
struct Resource {
    name: String,
    priority: i8,
    /// How available, the more the higher.
    rank: u8,
    text: String,
}

impl Roll {
    /// Watches exactly these addresses. Gives back how many of them are none, and how many are too many.
    pub(super) fn watch(&mut self, addresses: Vec<String>) -> (usize, usize) {
        let too_many = addresses.len().saturating_sub(MAX_WATCHED);
        let wanted: BTreeMap<String, Option<BareJid>> = addresses
            .into_iter()
            .take(MAX_WATCHED)
            .map(|address| (address.clone(), person(&address)))
            .collect();
        let before = std::mem::take(&mut self.watched);
        for (address, who) in before.iter().filter(|(address, _)| !wanted.contains_key(*address)) {
            if let Some(person) = who.as_ref().and_then(|who| self.people.get_mut(who)) {
                person.addresses.remove(address);
            }
            self.stale.insert(address.clone());
        }
        for (address, who) in wanted.iter().filter(|(address, _)| !before.contains_key(*address)) {
            if let Some(who) = who {
                self.people.entry(who.clone()).or_default().addresses.insert(address.clone());
                self.ask(&who.clone());
            }
            self.stale.insert(address.clone());
        }
        self.watched = wanted;
        self.forget_strangers();
        (self.watched.values().filter(|who| who.is_none()).count(), too_many)
    }

    /// The server sends a presence. Strangers' is passed over.
    pub(super) fn presence(&mut self, presence: &Presence) {
        let Ok(from) = Jid::new(&presence.from) else { return };
        let Some(person) = self.people.get_mut(&from.to_bare()) else { return };
        let resource = from.resource().map(|resource| resource.as_str());
        match presence.kind.as_str() {
            "" => person.available(resource.unwrap_or_default(), presence),
            "unavailable" => person.unavailable(resource, presence),
            // The server cannot say, or they do not let us know (any more).
            "error" | "unsubscribed" => person.forget(),
            // Requests to be let see the desk are not answered.
            _ => return,
        }
        self.stale.extend(person.addresses.iter().cloned());
    }

    /// The server sends the roster, or `whole` is false: a change of it.
    pub(super) fn roster(&mut self, members: &[Member], whole: bool) {
        for member in members {
            let Ok(who) = Jid::new(&member.address) else { continue };
            let who = who.into_bare();
            let on_roster = member.subscribed || member.asked;
            if on_roster && !self.people.contains_key(&who) && self.people.len() < MAX_PEOPLE {
                self.people.insert(who.clone(), Person::default());
            }
            let Some(person) = self.people.get_mut(&who) else { continue };
            person.on_roster = on_roster;
            person.subscribed = member.subscribed;
            if !member.subscribed {
                person.forget();
                self.stale.extend(person.addresses.iter().cloned());
            }
        }
        self.forget_strangers();
        if whole {
            self.roster_known = true;
            let watched: Vec<BareJid> = self.watched.values().flatten().cloned().collect();
            watched.iter().for_each(|who| self.ask(who));
        }
    }

    /// The connection is gone, and with it what was known.
    pub(super) fn lost(&mut self) {
        self.roster_known = false;
        self.to_ask.clear();
        for person in self.people.values_mut() {
            person.forget();
            (person.on_roster, person.subscribed, person.asked) = (false, false, false);
            self.stale.extend(person.addresses.iter().cloned());
        }
        self.forget_strangers();
    }

    /// There may be something to tell.
    pub(super) fn has_news(&self) -> bool {
        !self.stale.is_empty()
    }

    /// What is to be told next: of each address only the newest.
    pub(super) fn next_news(&mut self) -> Option<News> {
        while let Some(address) = self.stale.pop_first() {
            let Some(who) = self.watched.get(&address) else {
                if self.told.remove(&address).is_some() {
                    return Some(News::Gone { address });
                }
                continue;
            };
            let person = who.as_ref().and_then(|who| self.people.get(who));
            let (state, text) = person.map(Person::now).unwrap_or_default();
            let now = (state, text.clone());
            if self.told.get(&address) != Some(&now) {
                self.told.insert(address.clone(), now);
                return Some(News::Person { address, state, text });
            }
        }
        None
    }

    /// There is somebody to ask.
    pub(super) fn has_questions(&self) -> bool {
        !self.to_ask.is_empty()
    }

    /// Whom to ask next to let us see their presence.
    pub(super) fn next_question(&mut self) -> Option<BareJid> {
        self.to_ask.pop_front()
    }

    fn ask(&mut self, who: &BareJid) {
        let Some(person) = self.people.get_mut(who).filter(|_| self.roster_known) else { return };
        if !person.on_roster && !person.asked {
            person.asked = true;
            self.to_ask.push_back(who.clone());
        }
    }

    fn forget_strangers(&mut self) {
        self.people.retain(|_, person| person.on_roster || !person.addresses.is_empty());
    }
}

impl Person {
    fn available(&mut self, name: &str, presence: &Presence) {
        self.known = true;
        self.farewell.clear();
        self.resources.retain(|resource| resource.name != name);
        if self.resources.len() == MAX_RESOURCES {
            self.resources.remove(0);
        }
        self.resources.push(Resource {
            name: name.to_owned(),
            priority: presence.priority,
            rank: rank(&presence.show),
            text: readable(&presence.status),
        });
    }

    /// One client is gone; all of them, where none is named. Of somebody who does not let us see their
    /// presence it says nothing: prosody acknowledges so that we have asked.
    fn unavailable(&mut self, name: Option<&str>, presence: &Presence) {
        if !self.subscribed {
            return self.forget();
        }
        self.known = true;
        self.resources.retain(|resource| name.is_some_and(|name| resource.name != name));
        self.farewell = readable(&presence.status);
    }

    fn forget(&mut self) {
        self.known = false;
        self.resources.clear();
        self.farewell.clear();
    }

    /// What they are: as the client says that has the highest priority, of several the most available one,
    /// of several the one heard of last.
    fn now(&self) -> (OnlineState, String) {
        if !self.known {
            return (OnlineState::Unknown, String::new());
        }
        match self.resources.iter().max_by_key(|resource| (resource.priority, resource.rank)) {
            Some(best) if best.rank >= ONLINE => (OnlineState::Online, best.text.clone()),
            Some(best) => (OnlineState::Away, best.text.clone()),
            None => (OnlineState::Offline, self.farewell.clone()),
        }
    }
}

/// From here on a client counts as online.
const ONLINE: u8 = 3;

/// How available a `show` is (RFC 6121 section 4.7.2.1); one that does not exist says nothing.
fn rank(show: &str) -> u8 {
    match show {
        "dnd" => 0,
        "xa" => 1,
        "away" => 2,
        "chat" => 4,
        _ => ONLINE,
    }
}

/// Whom an address of a directory means.
fn person(address: &str) -> Option<BareJid> {
    let address = address.strip_prefix("xmpp:").unwrap_or(address);
    Jid::new(address).ok().map(Jid::into_bare).filter(|who| who.node().is_some())
}

/// What people say, as one short line without marks that would disturb the rest of it.
fn readable(text: &str) -> String {
    // Those that turn the direction of writing.
    let turns =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !turns(*c)).take(MAX_TEXT).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests;
