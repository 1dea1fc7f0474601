//! The user agent: one object that takes in datagrams, commands and time, and gives out datagrams,
//! events and deadlines.
//!
//! After every call into it, take [`UserAgent::poll_transmit`] and [`UserAgent::poll_event`] until
//! both are empty, and call [`UserAgent::handle_timeout`] no later than
//! [`UserAgent::poll_timeout`] says. Commands for a session that has just ended do nothing: the
//! program will have its [`Event::Ended`] in the queue.
//!
//! Not done here: sockets and TLS, clocks, DNS, media.

mod calls;
mod config;
mod event;
mod follow;
mod joining;
mod probe;
mod receive;
mod referral;
mod threshold;
mod turn;
mod vigil;
mod watching;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

pub use config::{
    Account, AccountId, Config, Error, HostPort, HostPortError, Identity, Invite, Nat, NotifierId, Package,
    RequestId, ResolveId, SessionId, SubscriptionId, Transmit, instance,
};
pub use event::{
    Cause, EndedBy, Event, NotifierState, Party, RegistrationState, SubscriptionState, TransferResult,
};
pub use probe::TARGET_KNOWN_FOR;
pub use vigil::LAMPS_KNOWN_FOR;

use crate::account::Line;
use crate::core::Core;
use crate::flow::Target;
use crate::guard::Guard;
use crate::message::Message;
use crate::notifier::Notifier;
use crate::registration::Registration;
use crate::resolver::LIFETIME;
use crate::session::Session;
use crate::subscription::Subscription;
use crate::transaction::TxId;
use follow::Followed;
pub(crate) use follow::undress;
use joining::Joint;
use probe::Probes;
use vigil::Vigils;

/// A SIP user agent without sockets and clock.
#[derive(Debug)]
pub struct UserAgent {
    core: Core,
    guard: Guard,
    sessions: BTreeMap<SessionId, Session>,
    registrations: BTreeMap<AccountId, Registration>,
    /// Accounts that go as soon as their REGISTER is answered.
    leaving: Vec<AccountId>,
    /// Accounts whose connection broke and that are not registered by another one yet.
    stranded: BTreeSet<AccountId>,
    subscriptions: BTreeMap<SubscriptionId, Subscription>,
    vigils: Vigils,
    probes: Probes,
    followed: Followed,
    /// How often targets had changed at the last look.
    moves: u64,
    notifiers: BTreeMap<NotifierId, Notifier>,
    /// Notifiers that something happened to in this turn; [`UserAgent::settle`] looks whether they
    /// are done.
    stirred: Vec<NotifierId>,
    /// Calls whose peers speak with each other, or shall.
    joints: Vec<Joint>,
    draining: bool,
    drained: bool,
}

impl UserAgent {
    /// An agent without accounts. `seed` must be random and another one at every start: branches,
    /// tags and Call-IDs come from it, and peers take a repeated one for an old message.
    pub fn new(config: Config, seed: u64) -> UserAgent {
        UserAgent {
            guard: Guard::new(config.stranger_rate, config.stranger_burst),
            core: Core::new(config, seed),
            sessions: BTreeMap::new(),
            registrations: BTreeMap::new(),
            leaving: Vec::new(),
            stranded: BTreeSet::new(),
            subscriptions: BTreeMap::new(),
            vigils: Vigils::new(),
            probes: Probes::new(),
            followed: Followed::new(),
            moves: 0,
            notifiers: BTreeMap::new(),
            stirred: Vec::new(),
            joints: Vec::new(),
            draining: false,
            drained: false,
        }
    }

    /// Takes in a datagram, or one message of a stream, that arrived at `now` from `from`. Anything may be in it.
    pub fn handle_datagram(&mut self, now: Instant, from: impl Into<Target>, bytes: &[u8]) {
        self.receive(now, from.into(), bytes);
        self.settle(now);
    }

    /// A connection to `target` is open, ours or the peer's, and `local` is our end of it.
    pub fn connected(&mut self, now: Instant, target: Target, local: SocketAddr) {
        tracing::info!(%target, %local, "connected");
        self.core.connected(now, target, local);
        self.settle(now);
    }

    /// A connection to `target` was closed, broke or could not be opened. What waits for an answer there is sent once
    /// more by a new one; accounts that were registered by it register anew at once, with their next target if there
    /// is nobody.
    pub fn disconnected(&mut self, now: Instant, target: Target, reason: &str) {
        // An exchange that is down is tried again and again: the log says it once.
        let flows = &self.core.flows;
        if flows.local(target).is_some() || flows.trouble(target) != Some(reason) {
            tracing::info!(%target, reason, "disconnected");
        }
        let never_open = flows.local(target).is_none();
        let over = self.core.disconnected(now, target, reason);
        if never_open {
            self.on_no_connection(now, target);
        }
        for tx in over {
            if let Some(owner) = self.core.layer.owner(tx) {
                self.on_silence(now, tx, owner, true);
            }
        }
        let through = |core: &Core, account| {
            let place = core.first_hop(account);
            place.and_then(|place| core.resolver.current(&place)) == Some(target)
        };
        let mut cut: Vec<AccountId> = self.registrations.keys().copied().collect();
        cut.retain(|&account| through(&self.core, account));
        for account in cut {
            if let Some(registration) = self.registrations.get_mut(&account) {
                registration.on_broken_flow(&mut self.core, now);
                self.stranded.insert(account);
            }
        }
        self.settle(now);
    }

    /// This machine's address has changed: accounts register anew, what is watched is asked for by the new address,
    /// and each call that is up tells its peer where we are and hear now (re-INVITE); one that is not up yet does so as
    /// soon as it is. What the program hands to [`UserAgent::accept`] from now on must name the new address.
    pub fn moved(&mut self, now: Instant, local: SocketAddr, local_other: Option<SocketAddr>) {
        let before = (self.core.config.local, self.core.config.local_other);
        self.core.config.local = local;
        self.core.config.local_other = local_other;
        if before.0 == local && before.1.is_none() {
            return; // one more is no reason to leave the one that is used
        }
        let mut ways = vec![(before.0.ip(), local.ip())];
        ways.extend(before.1.zip(local_other).map(|(from, to)| (from.ip(), to.ip())));
        for line in self.core.lines.values_mut() {
            line.forget_seen_at();
        }
        for session in self.sessions.values_mut() {
            session.relocate(&mut self.core, now, &ways);
        }
        for subscription in self.subscriptions.values_mut() {
            subscription.refresh(&mut self.core);
        }
        for registration in self.registrations.values_mut() {
            registration.start_again(&mut self.core, now);
        }
        self.settle(now);
    }

    /// The sound of a call is to come elsewhere from now on, `rtcp` being where RTCP does if that is not one port above
    /// RTP: the peer is told by a re-INVITE as soon as the call is up. What the program hands to
    /// [`UserAgent::accept`] must name the new place too.
    pub fn heard_at(&mut self, now: Instant, session: SessionId, rtp: SocketAddr, rtcp: Option<SocketAddr>) {
        self.with(now, session, |session, core| session.heard_at(core, now, rtp, rtcp));
    }

    /// Our address to which the sound of a call through `account` shall come: of the family, IPv4 or IPv6, by which its
    /// exchange is reached at present.
    pub fn media_ip(&self, account: AccountId) -> IpAddr {
        self.core.near(account).ip()
    }

    /// The same of a call that is there. One that has come in wants its sound at an address of the family that its
    /// offer names, or, where the offer is left to us, that its INVITE came by.
    pub fn media_ip_of(&self, session: SessionId) -> Option<IpAddr> {
        self.sessions.get(&session).map(Session::media_ip)
    }

    /// The addresses written into Via and Contact at present, with their ports, in both address families.
    pub fn addresses(&self) -> (SocketAddr, Option<SocketAddr>) {
        (self.core.config.local, self.core.config.local_other)
    }

    /// Where the exchange of the first account is used at present.
    pub fn exchange(&self) -> Option<Target> {
        let places = self.core.lines.values().map(Line::first_hop);
        places.filter_map(|place| self.core.resolver.current(&place)).next()
    }

    /// Adds an account, and registers it if it says so. An account of the same id is replaced; its
    /// calls go on.
    pub fn add_account(&mut self, now: Instant, account: Account) {
        let (id, register) = (account.id, account.register);
        self.leaving.retain(|&leaving| leaving != id);
        if let Some(mut old) = self.registrations.remove(&id)
            && self.core.lines.get(&id).is_some_and(|line| *line.account() != account)
        {
            old.stop(&mut self.core, now);
        }
        let token = self.token_for(&account);
        self.core.lines.insert(id, Line::new(account, token));
        let registration = Registration::new(&mut self.core, id);
        self.registrations.insert(id, registration);
        if register {
            self.register(now, id, true);
        }
        self.settle(now);
    }

    /// What marks the Contact of an account: the same at every start where the box is known by something, so that a
    /// registrar that compares whole URIs puts the new binding in the place of the one before a power cut. An account that
    /// replaces another of its id has another one, which the end of the old binding does not take away.
    fn token_for(&mut self, account: &Account) -> String {
        let is_new = !self.core.lines.contains_key(&account.id);
        match self.core.config.instance.as_deref().filter(|_| is_new) {
            Some(instance) => config::line_token(instance, account),
            None => self.core.random.word(),
        }
    }

    /// Unregisters an account and forgets it once its calls are over. Its subscriptions end, its calls go on, with
    /// the account's password where somebody asks for it.
    pub fn remove_account(&mut self, now: Instant, account: AccountId) {
        self.stranded.remove(&account);
        let Some(registration) = self.registrations.get_mut(&account) else { return };
        registration.stop(&mut self.core, now);
        for subscription in self.subscriptions.values_mut().filter(|s| s.account() == account) {
            subscription.close(&mut self.core, now);
        }
        if !self.leaving.contains(&account) {
            self.leaving.push(account);
        }
        self.settle(now);
    }

    /// Registers an account (anew at once, if it already is) or takes its registration away.
    pub fn register(&mut self, now: Instant, account: AccountId, on: bool) {
        if let Some(registration) = self.registrations.get_mut(&account) {
            if on {
                registration.start(&mut self.core, now);
                self.watch_targets(now);
            } else {
                registration.stop(&mut self.core, now);
            }
        }
        self.settle(now);
    }

    /// Answers [`Event::Resolve`]: the addresses in the order to try them, or why there are none.
    pub fn resolved(&mut self, now: Instant, id: ResolveId, result: Result<Vec<Target>, String>) {
        self.resolved_for(now, id, result, LIFETIME);
    }

    /// Likewise, with how long the answer may be believed (10 s at least). The first target is the preferred one; a
    /// call, a registration and everything else go to one and the same, and to the next when it is dead.
    pub fn resolved_for(
        &mut self,
        now: Instant,
        id: ResolveId,
        result: Result<Vec<Target>, String>,
        lifetime: Duration,
    ) {
        let addresses = result.unwrap_or_else(|reason| {
            tracing::warn!(%reason, "a name could not be resolved");
            Vec::new()
        });
        let (waiting, at) = self.core.resolver.resolved(now, id, addresses, lifetime);
        for tx in waiting {
            match at {
                Some(at) => self.core.dispatch(now, tx, at),
                None => self.core.lost.push_back(tx),
            }
        }
        self.settle(now);
    }

    /// Ends everything: calls, subscriptions, registrations. New calls are refused.
    /// [`Event::Drained`] comes when all of it is answered, or after 64 T1.
    pub fn shut_down(&mut self, now: Instant) {
        self.draining = true;
        self.stop_watching();
        for session in self.sessions.values_mut() {
            session.hang_up(&mut self.core, now);
        }
        for subscription in self.subscriptions.values_mut() {
            subscription.close(&mut self.core, now);
        }
        for (&id, notifier) in &mut self.notifiers {
            notifier.close(&mut self.core, now, "noresource");
            self.stirred.push(id);
        }
        for registration in self.registrations.values_mut() {
            registration.stop(&mut self.core, now);
        }
        self.settle(now);
    }

    /// Answers [`Event::Request`] or refuses [`Event::SubscriptionRequest`]; build the message with
    /// [`Message::response`]. A missing To tag is added.
    pub fn respond(&mut self, now: Instant, request: RequestId, mut response: Message) {
        if let Some(to) = response.to().filter(|to| to.tag().is_none()) {
            let tag = self.core.random.word();
            response.set("To", to.with_tag(&tag).to_string());
        }
        self.core.layer.respond(now, TxId::from_raw(request.0), &response);
        self.settle(now);
    }

    /// The next message to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        let message = self.core.layer.poll_transmit()?;
        let server_name = self.core.server_name(message.to);
        Some(Transmit { to: message.to, server_name, bytes: message.bytes })
    }

    /// The next thing to know.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.core.events.pop_front()
    }

    /// When [`UserAgent::handle_timeout`] is due next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match (self.core.layer.poll_timeout(), self.core.timers.next()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Transactions held in memory, for diagnostics.
    pub fn transactions(&self) -> usize {
        self.core.layer.len()
    }

    /// Whether a request of a stranger may open a transaction: the last quarter is kept for our exchanges.
    fn has_room_for_strangers(&self) -> bool {
        !self.has_exchange() || self.core.layer.len() < (self.core.config.max_transactions / 4 * 3).max(1)
    }

    /// Whether there is anybody to keep room for.
    fn has_exchange(&self) -> bool {
        !self.core.config.server && !self.core.lines.is_empty()
    }
}
