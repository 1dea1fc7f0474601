//! The user agent: one object that takes in datagrams, commands and time, and gives out datagrams,
//! events and deadlines.
//!
//! After every call into it, take [`UserAgent::poll_transmit`] and [`UserAgent::poll_event`] until
//! both are empty, and call [`UserAgent::handle_timeout`] no later than
//! [`UserAgent::poll_timeout`] says. Commands for a session that has just ended do nothing: the
//! program will have its [`Event::Ended`] in the queue.
//!
//! Not done here: sockets and TLS, clocks, DNS, media.

mod config;
mod event;
mod follow;
mod joining;
mod probe;
mod receive;
mod referral;
mod vigil;

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
use crate::core::{Alarm, Core, Owner};
use crate::diversion::Diversion;
use crate::flow::Target;
use crate::guard::Guard;
use crate::message::Message;
use crate::notifier::Notifier;
use crate::registration::Registration;
use crate::replaces::Replaces;
use crate::resolver::LIFETIME;
use crate::sdp::{LocalMedia, Media};
use crate::session::{Session, Standing};
use crate::subscription::Subscription;
use crate::transaction::{Outcome, TxId};
use follow::Followed;
use joining::Joint;
use probe::Probes;
use vigil::Vigils;

/// Deadlines served in one turn. Hundreds of lamps that were asked for together expire and refresh
/// together; one SUBSCRIBE costs some tens of microseconds, and no turn may take two milliseconds.
const MAX_DUE: usize = 32;

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

    /// Lets what is due at `now` happen, at most a few dozen deadlines in one call: where more fall
    /// together, [`UserAgent::poll_timeout`] is due again at once, and other work can go between.
    pub fn handle_timeout(&mut self, now: Instant) {
        let mut budget = MAX_DUE;
        while let Some(outcome) = self.core.layer.expire(now, &mut budget) {
            self.on_outcome(now, outcome);
        }
        while budget > 0
            && let Some(alarm) = self.core.timers.pop(now)
        {
            budget -= 1;
            self.on_alarm(now, alarm);
        }
        self.settle(now);
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
        let token = self.core.random.word();
        self.core.lines.insert(id, Line::new(account, token));
        let registration = Registration::new(&mut self.core, id);
        self.registrations.insert(id, registration);
        if register {
            self.register(now, id, true);
        }
        self.settle(now);
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

    /// Calls somebody.
    ///
    /// # Errors
    /// See [`Error`]; nothing was sent then.
    pub fn invite(&mut self, now: Instant, invite: Invite) -> Result<SessionId, Error> {
        if self.is_full() {
            return Err(Error::TooManySessions(self.core.config.max_sessions));
        }
        let id = SessionId(self.core.new_id());
        let session = Session::call(&mut self.core, now, id, &invite)?;
        self.sessions.insert(id, session);
        self.settle(now);
        Ok(id)
    }

    /// Tells the caller that we ring (180).
    pub fn ring(&mut self, now: Instant, session: SessionId) {
        self.with(now, session, |session, core| session.ring(core, now));
    }

    /// The same, by a program that knows already what it would answer with. A caller that leaves the offer to us and
    /// requires reliable provisional responses can be told of ringing in this way only (RFC 3262 section 5).
    pub fn ring_with(&mut self, now: Instant, session: SessionId, media: LocalMedia) {
        self.with(now, session, |session, core| session.ring_with(core, now, media));
    }

    /// Lets the caller hear something before the answer (183 with our description), reliably where it can (RFC 3262).
    /// [`Event::MediaChanged`] says what is agreed. Nothing happens where the caller left the offer to us and knows no
    /// reliable responses. `media` must be the one `accept` will be given.
    pub fn early_media(&mut self, now: Instant, session: SessionId, media: LocalMedia) {
        self.with(now, session, |session, core| session.early_media(core, now, media));
    }

    /// Answers a ringing call (200). [`Event::Confirmed`] follows when the caller has acknowledged.
    /// Where it takes over another call ([`Event::Incoming`]'s `replaces`), that call ends now, with
    /// BYE, or with CANCEL if it only rang.
    pub fn accept(&mut self, now: Instant, session: SessionId, media: LocalMedia) {
        let Some(entry) = self.sessions.get_mut(&session) else { return };
        let answered = entry.accept(&mut self.core, now, media);
        if let Some(replaced) = entry.replaces().filter(|_| answered)
            && let Some(replaced) = self.sessions.get_mut(&replaced)
        {
            replaced.leave_to(&mut self.core, now, session);
        }
        self.settle(now);
    }

    /// What was agreed last about the sound of a call; `None` before there is an answer.
    pub fn media(&self, session: SessionId) -> Option<&Media> {
        self.sessions.get(&session)?.media()
    }

    /// Refuses a ringing call with `code`, 300 to 699.
    pub fn reject(&mut self, now: Instant, session: SessionId, code: u16) {
        self.with(now, session, |session, core| session.reject(core, now, code));
    }

    /// Refuses a ringing call with more header lines, such as a challenge.
    pub fn reject_with(&mut self, now: Instant, session: SessionId, code: u16, headers: &[(String, String)]) {
        self.with(now, session, |session, core| session.reject_with(core, now, code, headers));
    }

    /// Sends a ringing call's caller to `target`, a number or URI (302). With a `diversion` the target
    /// is told who sends the call on (RFC 5806); its counter goes on from where the INVITE stands.
    ///
    /// # Errors
    /// The call does not ring: nothing was sent. In all other cases the call was refused, and its
    /// [`Event::Ended`] follows: with 480 where the target or the diverting party cannot be called
    /// ([`Error::BadTarget`], [`Error::UnknownAccount`]) or [`MAX_DIVERSIONS`](crate::MAX_DIVERSIONS)
    /// have happened, with 482 where the target itself sent the call on before.
    pub fn redirect(
        &mut self,
        now: Instant,
        session: SessionId,
        target: &str,
        diversion: Option<&Diversion>,
    ) -> Result<(), Error> {
        let entry = self.sessions.get_mut(&session).ok_or(Error::NotRinging(session))?;
        let result = entry.redirect(&mut self.core, now, target, diversion);
        self.settle(now);
        result
    }

    /// Ends a call in any state: CANCEL, 480 or BYE. [`Event::Ended`] comes at once; what the peer
    /// still has to be told goes on behind it.
    pub fn hang_up(&mut self, now: Instant, session: SessionId) {
        self.with(now, session, |session, core| session.hang_up(core, now));
    }

    /// Puts a call on hold. [`Event::Held`] or [`Event::HoldFailed`] follows; before the answer of
    /// the call it waits. A call that is joined ([`UserAgent::join`]) is so no longer: who is held hears us.
    pub fn hold(&mut self, now: Instant, session: SessionId) {
        self.release(now, session, "put on hold");
        self.with(now, session, |session, core| session.hold(core, now));
    }

    /// Takes a call back. [`Event::Retrieved`] or [`Event::HoldFailed`] follows.
    pub fn retrieve(&mut self, now: Instant, session: SessionId) {
        self.with(now, session, |session, core| session.retrieve(core, now));
    }

    /// Whether we hold a call, as far as the peer has agreed.
    pub fn is_held(&self, session: SessionId) -> bool {
        self.sessions.get(&session).is_some_and(Session::is_held)
    }

    /// Asks the peer to call `target`, a number or URI (blind transfer), after a hold asked for
    /// before. [`Event::TransferEnded`] tells its fate; the call itself stays. A transfer the peer has
    /// accepted without telling its fate yet is given up for this one, and nothing more is told of it;
    /// while the peer has not answered the first, the second is refused with 491.
    pub fn refer(&mut self, now: Instant, session: SessionId, target: &str) {
        self.with(now, session, |session, core| session.refer(core, now, target));
    }

    /// Asks the peer of `session` to take over our call `consultation` (attended transfer, RFC 5589
    /// section 7.3): REFER with a Replaces in Refer-To. It waits for what was asked for before, and its
    /// fate is told, just like [`UserAgent::refer`]'s. Where it succeeds, the target ends the consultation
    /// itself and `session` is left to hang up; some exchanges end only one of the two.
    ///
    /// # Errors
    /// Nothing was sent, and no event follows: [`Error::NoSuchCall`] for either call,
    /// [`Error::SameCall`]; [`Error::NotAnswered`] while the consultation rings (hang it up and use
    /// [`UserAgent::refer`]); [`Error::BadReplaces`] where the consultation's Call-ID or tag cannot be
    /// written into a URI.
    pub fn refer_attended(
        &mut self,
        now: Instant,
        session: SessionId,
        consultation: SessionId,
    ) -> Result<(), Error> {
        if session == consultation {
            return Err(Error::SameCall(session));
        }
        let consulted = self.sessions.get(&consultation).ok_or(Error::NoSuchCall(consultation))?;
        let target = consulted.refer_to()?;
        let entry = self.sessions.get_mut(&session).ok_or(Error::NoSuchCall(session))?;
        let result = entry.refer_attended(&mut self.core, now, target);
        self.settle(now);
        result
    }

    /// The call of ours with these identifiers, ours being `to_tag`; `None` also if it has ended.
    pub fn session_by_dialog(&self, replaces: &Replaces) -> Option<SessionId> {
        self.dialog_of(replaces).filter(|(_, standing)| *standing != Standing::Over).map(|(id, _)| id)
    }

    /// Watches `target`, a number or URI, until [`UserAgent::unsubscribe`]. The SUBSCRIBE goes out when its turn has
    /// come: at once where few are asked for, and at most 800 a second.
    pub fn subscribe(
        &mut self,
        now: Instant,
        account: AccountId,
        target: &str,
        package: Package,
    ) -> SubscriptionId {
        let id = SubscriptionId(self.core.new_id());
        let target = target.to_owned();
        let subscription = Subscription::new(&mut self.core, id, account, target, package);
        self.subscriptions.insert(id, subscription);
        self.keep_vigil(now, account, package);
        self.settle(now);
        id
    }

    /// Watches no longer.
    pub fn unsubscribe(&mut self, now: Instant, subscription: SubscriptionId) {
        if let Some(subscription) = self.subscriptions.get_mut(&subscription) {
            subscription.close(&mut self.core, now);
        }
        self.settle(now);
    }

    /// Refreshes everything that is watched, each in its turn: news may have been lost on the way.
    pub fn refresh(&mut self, now: Instant) {
        for subscription in self.subscriptions.values_mut() {
            subscription.refresh(&mut self.core);
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

    /// Accepts a subscription for `expires`; send full state with [`UserAgent::notify`] next.
    /// `None` if the request is already answered or of no use.
    pub fn accept_subscription(
        &mut self,
        now: Instant,
        request: RequestId,
        expires: Duration,
    ) -> Option<NotifierId> {
        let tx = TxId::from_raw(request.0);
        if !self.core.layer.is_open(tx) {
            return None;
        }
        let id = NotifierId(self.core.new_id());
        let notifier = Notifier::accept(&mut self.core, now, id, tx, expires)?;
        self.notifiers.insert(id, notifier);
        self.settle(now);
        Some(id)
    }

    /// Notifies a subscriber; `terminated` ends the subscription.
    pub fn notify(
        &mut self,
        now: Instant,
        notifier: NotifierId,
        content_type: &str,
        body: Vec<u8>,
        terminated: bool,
    ) {
        if let Some(entry) = self.notifiers.get_mut(&notifier) {
            entry.notify(&mut self.core, now, content_type, body, terminated);
            self.stirred.push(notifier);
        }
        self.settle(now);
    }

    /// Tells the peer of a session how the transfer it asked for goes. The first news accepts the
    /// REFER (202); a code from 200 on ends it.
    pub fn refer_progress(&mut self, now: Instant, session: SessionId, code: u16) {
        self.with(now, session, |session, core| session.refer_progress(core, now, code));
    }

    /// Refuses the transfer the peer of a session asked for.
    pub fn refuse_refer(&mut self, now: Instant, session: SessionId, code: u16) {
        self.with(now, session, |session, core| session.refuse_refer(core, now, code));
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

    /// Sessions the program has not seen the end of.
    pub fn live_sessions(&self) -> usize {
        self.sessions.values().filter(|session| session.is_live()).count()
    }

    /// The Call-ID of a session that has not been forgotten: what the exchange's own log knows a call by.
    pub fn call_id(&self, session: SessionId) -> Option<&str> {
        self.sessions.get(&session).map(|session| session.key().0)
    }

    /// Transactions held in memory, for diagnostics.
    pub fn transactions(&self) -> usize {
        self.core.layer.len()
    }

    fn with(&mut self, now: Instant, id: SessionId, act: impl FnOnce(&mut Session, &mut Core)) {
        match self.sessions.get_mut(&id) {
            Some(session) => act(session, &mut self.core),
            None => tracing::debug!(session = id.0, "command for a session that is gone"),
        }
        self.settle(now);
    }

    /// The session with these identifiers and how its dialog stands; it may be over.
    fn dialog_of(&self, replaces: &Replaces) -> Option<(SessionId, Standing)> {
        let Some(Owner::Session(id)) = self.core.dialog_owner(&replaces.call_id, &replaces.to_tag) else {
            return None;
        };
        self.sessions.get(&id)?.standing(replaces).map(|standing| (id, standing))
    }

    fn is_full(&self) -> bool {
        self.live_sessions() >= self.core.config.max_sessions
    }

    /// Whether strangers have their share of the calls: a flood of theirs must not keep out those of our exchanges.
    fn has_strangers_enough(&self) -> bool {
        let strangers =
            self.sessions.values().filter(|session| session.is_live() && session.account().is_none());
        self.has_exchange() && strangers.count() >= self.core.config.max_stranger_sessions
    }

    /// Whether a request of a stranger may open a transaction: the last quarter is kept for our exchanges.
    fn has_room_for_strangers(&self) -> bool {
        !self.has_exchange() || self.core.layer.len() < (self.core.config.max_transactions / 4 * 3).max(1)
    }

    /// Whether there is anybody to keep room for.
    fn has_exchange(&self) -> bool {
        !self.core.config.server && !self.core.lines.is_empty()
    }

    fn on_outcome(&mut self, now: Instant, outcome: Outcome<Owner>) {
        let core = &mut self.core;
        match outcome {
            Outcome::Response { id, owner, response } => match owner {
                Owner::Session(session) => {
                    if let Some(session) = self.sessions.get_mut(&session) {
                        session.on_response(core, now, id, &response);
                    }
                }
                Owner::Registration(account) => {
                    if let Some(registration) = self.registrations.get_mut(&account) {
                        registration.on_response(core, now, id, &response);
                        if matches!(response.code(), Some(200..=299)) {
                            self.rejoin(now, account);
                        }
                    }
                }
                Owner::Subscription(id_of) => self.on_subscription_answer(now, id_of, id, &response),
                Owner::Probe(target) => self.on_probe_answer(now, target, id, &response),
                Owner::Notifier(notifier) => {
                    if let Some(entry) = self.notifiers.get_mut(&notifier) {
                        entry.on_response(core, now, id, &response);
                        self.stirred.push(notifier);
                    }
                }
            },
            Outcome::Silence { id, owner } => self.on_silence(now, id, owner, true),
        }
    }

    /// An account is registered again whose connection broke. Our end of it was what the peers of its calls and what
    /// it watches knew us by: they are told the new one.
    fn rejoin(&mut self, now: Instant, account: AccountId) {
        if !self.stranded.remove(&account) {
            return;
        }
        for subscription in self.subscriptions.values_mut().filter(|s| s.account() == account) {
            subscription.refresh(&mut self.core);
        }
        let calls = self.sessions.values_mut();
        for session in calls.filter(|session| session.is_live() && session.account() == Some(account)) {
            session.tell_contact(&mut self.core, now);
        }
    }

    fn on_silence(&mut self, now: Instant, id: TxId, owner: Owner, reached: bool) {
        let core = &mut self.core;
        let reached = reached && core.layer.sent_to(id).is_some();
        match owner {
            Owner::Session(session) => {
                if let Some(session) = self.sessions.get_mut(&session) {
                    session.on_silence(core, now, id, reached);
                }
            }
            Owner::Registration(account) => {
                if let Some(registration) = self.registrations.get_mut(&account) {
                    registration.on_silence(core, now, id, reached);
                }
            }
            Owner::Subscription(subscription) => {
                if let Some(subscription) = self.subscriptions.get_mut(&subscription) {
                    subscription.on_silence(core, now, id, reached);
                }
            }
            Owner::Probe(target) => self.on_probe_silence(now, target, id),
            Owner::Notifier(notifier) => {
                if let Some(entry) = self.notifiers.get_mut(&notifier) {
                    entry.on_silence(core, id);
                    self.stirred.push(notifier);
                }
            }
        }
        self.core.layer.forget(id);
    }

    fn on_alarm(&mut self, now: Instant, alarm: Alarm) {
        let core = &mut self.core;
        match alarm {
            Alarm::Repeat(id)
            | Alarm::Provisional(id)
            | Alarm::StillRinging(id)
            | Alarm::AskAgain(id)
            | Alarm::Transfer(id)
            | Alarm::Overdue(id)
            | Alarm::Refresh(id)
            | Alarm::Expiry(id) => {
                if let Some(session) = self.sessions.get_mut(&id) {
                    session.on_alarm(core, now, alarm);
                }
            }
            Alarm::Join(id) => self.on_join_alarm(now, id),
            Alarm::Linger(id) => self.forget_session(now, id),
            Alarm::Registration(account) => {
                if let Some(registration) = self.registrations.get_mut(&account) {
                    registration.on_alarm(core, now);
                }
            }
            Alarm::Subscription(id) => self.on_subscription_alarm(now, id),
            // What may go now goes when the turn is settled.
            Alarm::Turns => {}
            Alarm::Exchange(account) => self.on_vigil(now, account),
            Alarm::Probe => self.on_probe(now),
            Alarm::Notifier(id) => {
                if let Some(notifier) = self.notifiers.get_mut(&id) {
                    notifier.on_alarm(core, now);
                    self.stirred.push(id);
                }
            }
        }
    }

    fn on_subscription_answer(&mut self, now: Instant, id: SubscriptionId, tx: TxId, response: &Message) {
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return };
        let (account, refresh) = (subscription.account(), subscription.is_notified());
        subscription.on_response(&mut self.core, now, tx, response);
        let code = response.code().unwrap_or(0);
        // A proxy that only tries is no word of the exchange behind it.
        if code >= 200 {
            self.hear(now, account);
        }
        if refresh {
            self.remember(now, account, code);
        }
    }

    fn on_subscription_alarm(&mut self, now: Instant, id: SubscriptionId) {
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return };
        if subscription.is_closed() {
            let (call_id, tag) = subscription.key();
            self.core.leave_dialog(call_id, tag);
            self.core.turns.leave(subscription.account(), id);
            self.core.turns.end(subscription.account(), id);
            self.subscriptions.remove(&id);
        } else {
            subscription.on_alarm(&mut self.core, now);
        }
    }

    fn forget_session(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get(&id) else { return };
        if session.is_busy() {
            return self.core.timers.set(Alarm::Linger(id), now + self.core.config.t1 * 64);
        }
        let (call_id, tag) = session.key();
        self.core.leave_dialog(call_id, tag);
        self.sessions.remove(&id);
    }

    /// What follows every call: requests that could not be sent, ends to clear up after, Drained.
    fn settle(&mut self, now: Instant) {
        self.follow(now);
        self.admit(now);
        while let Some(id) = self.core.lost.pop_front() {
            if let Some(owner) = self.core.layer.owner(id) {
                self.on_silence(now, id, owner, false);
            }
        }
        self.take_notes(now);
        while let Some(id) = self.stirred.pop() {
            if self.notifiers.get(&id).is_some_and(Notifier::is_done)
                && let Some(notifier) = self.notifiers.remove(&id)
            {
                let (call_id, tag) = notifier.key();
                self.core.leave_dialog(call_id, tag);
            }
        }
        let (registrations, lines) = (&mut self.registrations, &mut self.core.lines);
        let (vigils, sessions) = (&mut self.vigils, &self.sessions);
        self.leaving.retain(|account| {
            // Also those that have ended a moment ago: their BYE may be challenged.
            let calls = || sessions.values().any(|session| session.account() == Some(*account));
            let busy = registrations.get(account).is_some_and(Registration::is_busy) || calls();
            if !busy {
                registrations.remove(account);
                lines.remove(account);
                vigils.remove(account);
            }
            busy
        });
        if self.draining && !self.drained && !self.has_open_ends() {
            self.drained = true;
            self.core.emit(Event::Drained);
        }
    }

    /// Lets the SUBSCRIBEs go whose turn has come.
    fn admit(&mut self, now: Instant) {
        while let Some(id) = self.core.turns.next(now) {
            if let Some(subscription) = self.subscriptions.get_mut(&id) {
                subscription.go(&mut self.core, now);
            }
        }
        let next = self.core.turns.deadline();
        self.core.timers.arm(Alarm::Turns, next);
    }

    fn has_open_ends(&self) -> bool {
        !self.core.turns.is_idle()
            || self.core.layer.has_open_clients()
            || self.sessions.values().any(Session::is_busy)
    }
}
