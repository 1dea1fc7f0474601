//! Names and the addresses behind them, shared by everything that sends.
//!
//! A look-up is an output ([`Event::Resolve`]); whoever needs the name waits. Each name keeps one
//! current address, so that registration, OPTIONS and calls fail over together. Not done here: DNS
//! itself, and the choice of when a target counts as dead.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::agent::{Event, HostPort, ResolveId};
use crate::flow::{Target, Transport};
use crate::transaction::TxId;

/// Names remembered; the oldest idle ones make room. Peers can name hosts in Contact and
/// Record-Route, so the table must not grow with what they say.
const MAX_NAMES: usize = 256;

/// Addresses kept of one name.
const MAX_ADDRESSES: usize = 16;

/// How long an answer is believed that does not say so itself.
pub(crate) const LIFETIME: Duration = Duration::from_secs(300);

/// The shortest time for which an answer is believed: a lifetime of nothing must not have every request ask again.
const SHORTEST: Duration = Duration::from_secs(10);

/// How long a look-up may take before it is asked again.
const LOOKUP: Duration = Duration::from_secs(30);

/// A host as a URI or a setting names it: the key under which its addresses are kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) at: HostPort,
    /// Named by the URI or the setting; `None` leaves it to DNS (RFC 3263 section 4.1).
    pub(crate) transport: Option<Transport>,
}

impl Place {
    /// The target, where the host is an address and needs no look-up.
    pub(crate) fn literal(&self) -> Option<Target> {
        let transport = self.transport.unwrap_or(Transport::Udp);
        let ip = self.at.literal()?.ip();
        Some(Target::new(transport, (ip, self.at.port.unwrap_or(transport.default_port())).into()))
    }
}

impl From<HostPort> for Place {
    fn from(at: HostPort) -> Place {
        Place { at, transport: None }
    }
}

/// All names in use.
#[derive(Debug, Default)]
pub(crate) struct Resolver {
    names: BTreeMap<Place, Name>,
    next: u64,
    /// How often a name got another current address.
    moves: u64,
}

#[derive(Debug)]
struct Name {
    asked: Option<ResolveId>,
    addresses: Vec<Target>,
    current: usize,
    until: Instant,
    waiting: Vec<TxId>,
}

/// What is known of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Located {
    At(Target),
    /// The look-up is on its way.
    Later,
    /// No room to ask, or nothing to ask for.
    Never,
}

impl Resolver {
    /// Finds the current address of `place`; asks for it where it is not known. An answer that got
    /// old is used until there is a newer one.
    pub(crate) fn locate(&mut self, now: Instant, place: &Place, events: &mut VecDeque<Event>) -> Located {
        if let Some(at) = place.literal() {
            return Located::At(at);
        }
        if place.at.host.is_empty() || !self.make_room(now, place) {
            return Located::Never;
        }
        if self.names.get(place).is_none_or(|name| now >= name.until) {
            self.ask(now, place, events);
        }
        match self.names.get(place).and_then(|name| name.addresses.get(name.current)) {
            Some(&at) => Located::At(at),
            None => Located::Later,
        }
    }

    /// Has `tx` told when `place` is known.
    pub(crate) fn wait(&mut self, place: &Place, tx: TxId) {
        if let Some(name) = self.names.get_mut(place) {
            name.waiting.push(tx);
        }
    }

    /// Takes in the answer to a look-up. Returns who waited for it and the address, if there is one.
    pub(crate) fn resolved(
        &mut self,
        now: Instant,
        id: ResolveId,
        mut addresses: Vec<Target>,
        lifetime: Duration,
    ) -> (Vec<TxId>, Option<Target>) {
        let Some(name) = self.names.values_mut().find(|name| name.asked == Some(id)) else {
            return (Vec::new(), None);
        };
        addresses.truncate(MAX_ADDRESSES);
        name.asked = None;
        name.until = now + lifetime.max(SHORTEST);
        if addresses.is_empty() {
            // What was true before is the best guess; without it, the next request asks again.
            name.until = if name.addresses.is_empty() { now } else { now + LOOKUP };
        } else {
            let current = name.addresses.get(name.current);
            let kept = current.and_then(|at| addresses.iter().position(|a| a == at));
            name.current = kept.unwrap_or(0);
            self.moves += u64::from(kept.is_none());
            name.addresses = addresses;
        }
        (std::mem::take(&mut name.waiting), name.addresses.get(name.current).copied())
    }

    /// `dead` did not answer. Moves everybody on to the next address of `place`; false when all
    /// have been tried, and then the name is looked up afresh.
    pub(crate) fn fail_over(&mut self, now: Instant, place: &Place, dead: Target) -> bool {
        let Some(name) = self.names.get_mut(place) else {
            return false;
        };
        match name.addresses.get(name.current) {
            Some(&current) if current != dead => true,
            Some(_) if name.current + 1 < name.addresses.len() => {
                name.current += 1;
                self.moves += 1;
                true
            }
            Some(_) => {
                self.moves += u64::from(name.current != 0);
                name.current = 0;
                name.until = now;
                false
            }
            None => false,
        }
    }

    /// Has everything for `place` go to `target`; false if that is none of its addresses, or the one it has already.
    pub(crate) fn move_to(&mut self, place: &Place, target: Target) -> bool {
        let Some(name) = self.names.get_mut(place) else { return false };
        match name.addresses.iter().position(|at| *at == target) {
            Some(at) if at != name.current => {
                name.current = at;
                self.moves += 1;
                true
            }
            _ => false,
        }
    }

    /// All addresses of `place`, the preferred one first.
    pub(crate) fn targets(&self, place: &Place) -> Vec<Target> {
        match place.literal() {
            Some(at) => vec![at],
            None => self.names.get(place).map(|name| name.addresses.clone()).unwrap_or_default(),
        }
    }

    /// Changes when the current address of any name does.
    pub(crate) fn moves(&self) -> u64 {
        self.moves
    }

    /// The address everything for `place` goes to at present.
    pub(crate) fn current(&self, place: &Place) -> Option<Target> {
        place
            .literal()
            .or_else(|| self.names.get(place).and_then(|name| name.addresses.get(name.current)).copied())
    }

    /// Whether `place` leads to `target`, among others.
    pub(crate) fn is_known_at(&self, place: &Place, target: Target) -> bool {
        place.literal() == Some(target)
            || self.names.get(place).is_some_and(|name| name.addresses.contains(&target))
    }

    /// The name by which `target` was found: what a certificate there must be for (RFC 5922 section 4).
    pub(crate) fn name_of(&self, target: Target) -> Option<&str> {
        let holds = |name: &Name| name.addresses.contains(&target);
        self.names.iter().find(|(_, name)| holds(name)).map(|(place, _)| place.at.host.as_str())
    }

    /// Whether `ip` is one of the addresses of `place`.
    pub(crate) fn includes(&self, place: &Place, ip: IpAddr) -> bool {
        place.literal().is_some_and(|at| at.ip() == ip)
            || self.names.get(place).is_some_and(|name| name.addresses.iter().any(|at| at.ip() == ip))
    }

    fn ask(&mut self, now: Instant, place: &Place, events: &mut VecDeque<Event>) {
        self.next += 1;
        let id = ResolveId(self.next);
        let name = self.names.entry(place.clone()).or_insert_with(|| Name {
            asked: None,
            addresses: Vec::new(),
            current: 0,
            until: now,
            waiting: Vec::new(),
        });
        name.asked = Some(id);
        name.until = now + LOOKUP;
        events.push_back(Event::Resolve {
            id,
            host: place.at.host.clone(),
            port: place.at.port,
            transport: place.transport,
        });
    }

    fn make_room(&mut self, now: Instant, place: &Place) -> bool {
        if self.names.len() < MAX_NAMES || self.names.contains_key(place) {
            return true;
        }
        self.names.retain(|_, name| now < name.until || !name.waiting.is_empty());
        self.names.len() < MAX_NAMES
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    #![allow(clippy::disallowed_methods, reason = "a test needs some first instant")]
    use super::*;

    fn place(text: &str) -> Place {
        text.parse::<HostPort>().unwrap().into()
    }

    fn udp(text: &str) -> Target {
        text.parse::<std::net::SocketAddr>().unwrap().into()
    }

    #[test]
    fn an_address_needs_no_look_up() {
        let (mut resolver, mut events) = (Resolver::default(), VecDeque::new());
        let found = resolver.locate(Instant::now(), &place("192.0.2.1"), &mut events);
        assert_eq!(found, Located::At(udp("192.0.2.1:5060")));
        assert!(events.is_empty());
    }

    #[test]
    fn a_name_is_asked_for_once_and_fails_over_for_all() {
        let (mut resolver, mut events) = (Resolver::default(), VecDeque::new());
        let now = Instant::now();
        let pbx = place("pbx.example");
        assert_eq!(resolver.locate(now, &pbx, &mut events), Located::Later);
        assert_eq!(resolver.locate(now, &pbx, &mut events), Located::Later);
        assert_eq!(events.len(), 1);
        let (a, b) = (udp("192.0.2.1:5060"), udp("192.0.2.2:5060"));
        resolver.resolved(now, ResolveId(1), vec![a, b], LIFETIME);
        assert_eq!(resolver.locate(now, &pbx, &mut events), Located::At(a));
        assert!(resolver.fail_over(now, &pbx, a));
        assert!(resolver.fail_over(now, &pbx, a), "a second report of the same dead target moves nothing");
        assert_eq!(resolver.locate(now, &pbx, &mut events), Located::At(b));
        assert!(!resolver.fail_over(now, &pbx, b));
        assert_eq!(resolver.locate(now, &pbx, &mut events), Located::At(a), "from the first again");
        assert_eq!(events.len(), 2, "and asked afresh");
    }

    #[test]
    fn an_old_answer_is_used_until_there_is_a_newer_one() {
        let (mut resolver, mut events) = (Resolver::default(), VecDeque::new());
        let now = Instant::now();
        let pbx = place("pbx.example");
        let (a, b) = (udp("192.0.2.1:5060"), udp("192.0.2.2:5060"));
        resolver.locate(now, &pbx, &mut events);
        resolver.resolved(now, ResolveId(1), vec![a], LIFETIME);
        let later = now + LIFETIME;
        assert_eq!(resolver.locate(later, &pbx, &mut events), Located::At(a));
        assert_eq!(events.len(), 2);
        resolver.resolved(later, ResolveId(2), Vec::new(), LIFETIME);
        assert_eq!(
            resolver.locate(later, &pbx, &mut events),
            Located::At(a),
            "DNS is down, the target is not"
        );
        assert!(resolver.includes(&pbx, "192.0.2.1".parse().unwrap()));
        let later = later + LOOKUP;
        resolver.locate(later, &pbx, &mut events);
        resolver.resolved(later, ResolveId(3), vec![b, a], LIFETIME);
        assert_eq!(resolver.locate(later, &pbx, &mut events), Located::At(a), "no change without need");
    }

    #[test]
    fn names_from_outside_do_not_fill_the_table() {
        let (mut resolver, mut events) = (Resolver::default(), VecDeque::new());
        let now = Instant::now();
        for n in 0..MAX_NAMES + 10 {
            resolver.locate(now, &place(&format!("h{n}.example")), &mut events);
        }
        assert_eq!(resolver.names.len(), MAX_NAMES);
        assert_eq!(resolver.locate(now, &place("one.more"), &mut events), Located::Never);
    }
}
