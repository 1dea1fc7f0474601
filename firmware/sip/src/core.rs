//! What every usage of the agent shares: settings, random words, transactions, timers, names,
//! accounts, the index of dialogs, and the queue of events.
//!
//! Usages (sessions, registrations, subscriptions) borrow it while they work, so that none of them
//! holds another. Not done here: deciding anything about a call.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::account::Line;
use crate::agent::{AccountId, Config, Event, NotifierId, SessionId, SubscriptionId};
use crate::dialog::hop_of;
use crate::flow::{Flows, Target, Transport, Waiting};
use crate::header::{NameAddr, Via};
use crate::message::Message;
use crate::random::Random;
use crate::resolver::{Located, Place, Resolver};
use crate::session::{FROM_CHANGE, Note};
use crate::timers::Timers;
use crate::transaction::{Layer, Pace, TxId};
use crate::turns::Turns;
use crate::uri::Uri;

/// The longest lifetime asked for because a registrar or a notifier demands it (423 Min-Expires).
pub(crate) const LONGEST_EXPIRES: Duration = Duration::from_secs(24 * 3600);

/// Methods of a telephone, for Allow.
const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, NOTIFY, INFO";
/// The same of one that carries out transfers.
const ALLOW_REFER: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, NOTIFY, INFO, REFER";
/// Methods of an exchange besides.
const ALLOW_SERVER: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, NOTIFY, INFO, REFER, REGISTER, SUBSCRIBE, \
                            MESSAGE, PUBLISH";

/// Extensions we can do, for Supported and against Require: RFC 3891, RFC 3262, RFC 4028, RFC 4916.
pub(crate) const EXTENSIONS: &[&str] = &["replaces", "100rel", "timer", FROM_CHANGE];

/// The largest request that goes by UDP where the way may be chosen, in bytes (RFC 3261 section 18.1.1).
const LARGEST_DATAGRAM: usize = 1300;

/// Whose a client transaction or dialog is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Owner {
    Session(SessionId),
    Registration(AccountId),
    Subscription(SubscriptionId),
    Notifier(NotifierId),
    /// Whether the target is alive.
    Probe(Target),
}

/// What a deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Alarm {
    /// Repeat an unacknowledged 2xx.
    Repeat(SessionId),
    /// Repeat a reliable provisional response (RFC 3262 section 3).
    Provisional(SessionId),
    /// Repeat a ringing indication (RFC 3261 13.3.1.1).
    StillRinging(SessionId),
    /// Ask again after 491 or a 500 with Retry-After.
    AskAgain(SessionId),
    /// The transfer has been silent for too long.
    Transfer(SessionId),
    /// A re-INVITE of ours was taken in long ago and has no answer.
    Overdue(SessionId),
    /// Two calls that are to be joined have waited long enough.
    Join(SessionId),
    /// Refresh the session (RFC 4028).
    Refresh(SessionId),
    /// The peer has not refreshed the session in time.
    Expiry(SessionId),
    /// A digit sent in INFO has sounded: the next may go.
    Digit(SessionId),
    /// Say a BYE again that met no connection.
    Unsaid(SessionId),
    /// The peer's INVITE has expired (RFC 3261 13.3.1).
    Invited(SessionId),
    /// Forget an ended session.
    Linger(SessionId),
    Registration(AccountId),
    Subscription(SubscriptionId),
    /// The next SUBSCRIBE may have its turn.
    Turns,
    /// Look whether an exchange is still there.
    Exchange(AccountId),
    /// Look whether targets are alive.
    Probe,
    Notifier(NotifierId),
}

/// Where a request of ours goes first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hop {
    Address(Target),
    Place(Place),
}

/// The shared parts.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) config: Config,
    pub(crate) random: Random,
    pub(crate) layer: Layer<Owner>,
    pub(crate) timers: Timers<Alarm>,
    pub(crate) turns: Turns,
    pub(crate) resolver: Resolver,
    pub(crate) flows: Flows,
    /// Targets of our exchanges that do not answer.
    pub(crate) silent: BTreeSet<Target>,
    pub(crate) lines: BTreeMap<AccountId, Line>,
    pub(crate) events: VecDeque<Event>,
    /// (Call-ID, our tag) to the usage behind it.
    dialogs: BTreeMap<(String, String), Owner>,
    /// Requests whose first hop cannot be located at all, to be reported at the next chance.
    pub(crate) lost: VecDeque<TxId>,
    /// What sessions tell of calls that are joined, until the turn is settled.
    pub(crate) notes: VecDeque<Note>,
    next_id: u64,
}

impl Core {
    pub(crate) fn new(config: Config, seed: u64) -> Core {
        let pace = Pace { t1: config.t1, t2: config.t2, t4: config.t4 };
        Core {
            layer: Layer::new(pace, config.max_transactions),
            random: Random::new(seed),
            timers: Timers::new(),
            turns: Turns::default(),
            resolver: Resolver::default(),
            flows: Flows::default(),
            silent: BTreeSet::new(),
            lines: BTreeMap::new(),
            events: VecDeque::new(),
            dialogs: BTreeMap::new(),
            lost: VecDeque::new(),
            notes: VecDeque::new(),
            next_id: 0,
            config,
        }
    }

    /// Sends a request that has everything but Via, Max-Forwards and User-Agent.
    pub(crate) fn send(
        &mut self,
        now: Instant,
        mut request: Message,
        hop: &Hop,
        owner: Owner,
        attempt: u8,
    ) -> TxId {
        let branch = self.random.branch();
        self.dress(&mut request, &branch);
        let to = match hop {
            Hop::Address(at) => Located::At(*at),
            Hop::Place(place) => self.resolver.locate(now, place, &mut self.events),
        };
        let id = self.layer.request(now, request, None, owner, attempt);
        match (to, hop) {
            (Located::At(at), _) => self.dispatch(now, id, at),
            (Located::Later, Hop::Place(place)) => self.resolver.wait(place, id),
            (Located::Later | Located::Never, _) => self.lost.push_back(id),
        }
        id
    }

    /// Sends a waiting request to `at`, by a connection that is opened first where it needs one.
    pub(crate) fn dispatch(&mut self, now: Instant, id: TxId, at: Target) {
        let (at, instead) = match self.stream_for(now, id, at) {
            Some(stream) => (stream, Some(at)),
            None => (at, None),
        };
        if at.transport.is_stream() && self.flows.local(at).is_none() {
            return self.wait_for_flow(at, Waiting { tx: id, instead, again: false });
        }
        self.send_by(now, id, at, instead);
    }

    /// Sends a waiting request to `at` now. Where it goes there only for its size, the peer may go on by what it would
    /// have gone by: a connection that breaks has then no call that nobody can end.
    fn send_by(&mut self, now: Instant, id: TxId, at: Target, instead: Option<Target>) {
        let local = self.local_towards(at);
        if at.transport != Transport::Udp || local != self.config.local {
            let contact = self.layer.sent_request(id).and_then(|request| {
                let towards = instead.unwrap_or(at);
                self.own_contact(request, towards)
            });
            self.layer.change(id, |request| readdress(request, at.transport, local, contact));
        }
        self.layer.located(now, id, at);
    }

    /// The stream by which a request must go that is too large for a datagram (RFC 3261 section 18.1.1). Where UDP was
    /// asked for by name it stays that: many exchanges take nothing else, and their networks carry fragments.
    fn stream_for(&self, now: Instant, id: TxId, at: Target) -> Option<Target> {
        let pinned = || {
            let is_pinned = |line: &Line| line.account().transport.is_some() && self.is_at(line, at.ip());
            self.lines.values().any(is_pinned)
        };
        if !self.config.streams
            || at.transport != Transport::Udp
            || self.layer.size(id) <= LARGEST_DATAGRAM
            || pinned()
        {
            return None;
        }
        let stream = Target::new(Transport::Tcp, at.address);
        (!self.flows.is_refused(now, stream)).then_some(stream)
    }

    fn wait_for_flow(&mut self, at: Target, waiting: Waiting) {
        if self.flows.wait(at, waiting) {
            let server_name = self.server_name(at);
            self.emit(Event::Connect { target: at, server_name });
        }
    }

    /// A connection is open: what waited for it goes out.
    pub(crate) fn connected(&mut self, now: Instant, target: Target, local: SocketAddr) {
        for waiting in self.flows.opened(target, local) {
            if waiting.again {
                self.layer.revive(waiting.tx);
            } else {
                self.send_by(now, waiting.tx, target, waiting.instead);
            }
        }
    }

    /// A connection is gone or never came about. What waits for an answer goes once more by a new one; returns what
    /// cannot be sent at all.
    pub(crate) fn disconnected(&mut self, now: Instant, target: Target, reason: &str) -> Vec<TxId> {
        let mut failed = Vec::new();
        for waiting in self.flows.closed(now, target, reason) {
            match waiting.instead {
                Some(instead) => self.send_by(now, waiting.tx, instead, None),
                None => {
                    self.layer.aim(waiting.tx, target);
                    failed.push(waiting.tx);
                }
            }
        }
        let (again, over) = self.layer.cut_off(target);
        for tx in again.into_iter().filter(|tx| !failed.contains(tx)) {
            self.wait_for_flow(target, Waiting { tx, instead: None, again: true });
        }
        failed.extend(over);
        failed
    }

    /// For TLS, the name that a certificate at `target` must be for.
    pub(crate) fn server_name(&self, target: Target) -> Option<String> {
        if target.transport != Transport::Tls {
            return None;
        }
        // What an account was set to comes first: a peer may name any host in a Contact, and one of its own that leads
        // to our exchange's address must not become the name that is believed there.
        let places = self.lines.values().flat_map(|line| [line.first_hop(), line.registrar()]);
        let mut ours = places.filter(|place| self.resolver.is_known_at(place, target));
        match ours.next() {
            Some(place) => place.literal().is_none().then_some(place.at.host),
            None => self.resolver.name_of(target).map(str::to_owned),
        }
    }

    /// Sends an ACK for a 2xx, which has no transaction; returns what was sent, to be repeated.
    pub(crate) fn send_ack(
        &mut self,
        now: Instant,
        mut ack: Message,
        hop: &Hop,
    ) -> Option<(Target, Vec<u8>)> {
        let branch = self.random.branch();
        self.dress(&mut ack, &branch);
        let to = match hop {
            Hop::Address(at) => *at,
            Hop::Place(place) => match self.resolver.locate(now, place, &mut self.events) {
                Located::At(at) => at,
                Located::Later | Located::Never => return None,
            },
        };
        readdress(&mut ack, to.transport, self.local_towards(to), None);
        let bytes = ack.write();
        self.layer.send_plain(to, bytes.clone());
        Some((to, bytes))
    }

    /// Sends the CANCEL of an INVITE that is still open (RFC 3261 9.1): same branch, same hop.
    /// `reason` says why (RFC 3326).
    pub(crate) fn send_cancel(&mut self, now: Instant, invite: TxId, owner: Owner, reason: Option<&str>) {
        let (Some(request), Some(to)) = (self.layer.sent_request(invite), self.layer.sent_to(invite)) else {
            return;
        };
        let mut cancel = Message::request(crate::Method::Cancel, request.request_uri().unwrap_or_default());
        for name in ["Via", "From", "To", "Call-ID", "Max-Forwards"] {
            if let Some(value) = request.header(name) {
                cancel.push(name, value);
            }
        }
        for route in request.headers("Route") {
            cancel.push("Route", route);
        }
        let number = request.cseq().map_or(0, |cseq| cseq.number);
        cancel.push("CSeq", format!("{number} CANCEL"));
        if let Some(reason) = reason {
            cancel.push("Reason", reason);
        }
        self.layer.request(now, cancel, Some(to), owner, 0);
        self.layer.expect_end(now, invite);
    }

    /// A response to the request of a server transaction, with our Server line. `tag` goes into To
    /// where the request had none.
    pub(crate) fn response(&self, id: TxId, code: u16, tag: &str) -> Option<Message> {
        self.layer.received_request(id).map(|request| self.response_to(request, code, tag))
    }

    /// The same for a request without a transaction.
    pub(crate) fn response_to(&self, request: &Message, code: u16, tag: &str) -> Message {
        let mut response = Message::response(request, code);
        if code > 100
            && let Some(to) = request.to()
            && to.tag().is_none()
        {
            response.set("To", to.with_tag(tag).to_string());
        }
        response.push("Server", self.config.user_agent.as_str());
        if code == 405 || code == 200 && request.method() == Some(&crate::Method::Options) {
            response.push("Allow", self.allow());
        }
        response
    }

    /// Answers with a bare code.
    pub(crate) fn reply(&mut self, now: Instant, id: TxId, code: u16) {
        let tag = self.random.word();
        if let Some(response) = self.response(id, code, &tag) {
            self.layer.respond(now, id, &response);
        }
    }

    /// Answers with a code and one more header.
    pub(crate) fn reply_with(&mut self, now: Instant, id: TxId, code: u16, name: &str, value: &str) {
        let tag = self.random.word();
        if let Some(mut response) = self.response(id, code, &tag) {
            response.push(name, value);
            self.layer.respond(now, id, &response);
        }
    }

    /// Tells the program.
    pub(crate) fn emit(&mut self, event: Event) {
        self.events.push_back(event);
    }

    /// Tells whoever joins calls.
    pub(crate) fn note(&mut self, note: Note) {
        self.notes.push_back(note);
    }

    /// Names the usage that requests with this Call-ID and To tag are for.
    pub(crate) fn enter_dialog(&mut self, call_id: &str, local_tag: &str, owner: Owner) {
        self.dialogs.insert((call_id.to_owned(), local_tag.to_owned()), owner);
    }

    /// Forgets it again.
    pub(crate) fn leave_dialog(&mut self, call_id: &str, local_tag: &str) {
        self.dialogs.remove(&(call_id.to_owned(), local_tag.to_owned()));
    }

    /// The usage a message with this Call-ID and our tag is for.
    pub(crate) fn dialog_owner(&self, call_id: &str, local_tag: &str) -> Option<Owner> {
        self.dialogs.get(&(call_id.to_owned(), local_tag.to_owned())).copied()
    }

    /// A number for a new session, subscription or request; never given twice.
    pub(crate) fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// A new Call-ID; says nothing about the machine.
    pub(crate) fn new_call_id(&mut self) -> String {
        format!("{}{}", self.random.word(), self.random.word())
    }

    /// The place requests of `account` go first, unless a dialog has a route of its own.
    pub(crate) fn first_hop(&self, account: AccountId) -> Option<Place> {
        self.lines.get(&account).map(Line::first_hop)
    }

    /// The hop of a request in a dialog of `account`: where the peer named the account's own domain
    /// or registrar, the target everything else of the account goes to.
    pub(crate) fn dialog_hop(&self, account: Option<AccountId>, place: Place) -> Hop {
        match account.and_then(|account| self.lines.get(&account)) {
            Some(line) if line.is_named(&place.at) => Hop::Place(line.first_hop()),
            Some(line) => match place.literal().and_then(|target| self.instead_of(line, target)) {
                Some(instead) => Hop::Address(instead),
                None => Hop::Place(place),
            },
            None => Hop::Place(place),
        }
    }

    /// Has the routes of a request in a dialog of `account` that lead through a dead target lead through the one that
    /// took its place. The parameters stay: by them a proxy knows the dialog, and one of the same exchange
    /// can do the same with them.
    pub(crate) fn reroute(&self, account: Option<AccountId>, request: &mut Message) {
        let Some(line) = account.and_then(|account| self.lines.get(&account)) else { return };
        if self.silent.is_empty() {
            return;
        }
        // A proxy between two transports is there twice in a row, once with its address of each (RFC 5658).
        let mut left: Option<(IpAddr, Target)> = None;
        let mut steer = |route: &str| {
            let mut route = NameAddr::parse(route).ok()?;
            let at = hop_of(&route.uri).literal()?;
            let beside = left.filter(|(dead, _)| *dead == at.ip()).map(|(_, instead)| instead);
            let instead = self.instead_of(line, at).or(beside);
            left = instead.map(|instead| (at.ip(), instead));
            let instead = instead?;
            route.uri.host = instead.ip().to_string();
            route.uri.port = Some(instead.address.port());
            match instead.transport.uri_name() {
                Some(name) => route.uri.params.set("transport", Some(name)),
                None => _ = route.uri.params.remove("transport"),
            }
            Some(route.to_string())
        };
        let before: Vec<String> = request.headers("Route").map(str::to_owned).collect();
        let after: Vec<String> =
            before.iter().map(|route| steer(route).unwrap_or_else(|| route.clone())).collect();
        if before != after {
            request.remove("Route");
            for route in after {
                request.push("Route", route);
            }
        }
    }

    /// The target that took the place of `dead`, where that is one of the line's exchange.
    fn instead_of(&self, line: &Line, dead: Target) -> Option<Target> {
        let place = line.first_hop();
        let current = self.resolver.current(&place)?;
        let is_better = self.silent.contains(&dead) && !self.silent.contains(&current);
        (is_better && self.resolver.targets(&place).contains(&dead)).then_some(current)
    }

    /// Whether a request of `account` that goes there first stays with its own exchange.
    pub(crate) fn is_ours(&self, account: Option<AccountId>, hop: &Hop) -> bool {
        let own = account.and_then(|account| self.lines.get(&account)).map(Line::first_hop);
        match hop {
            Hop::Address(at) => self.is_trusted(at.ip()),
            Hop::Place(place) => {
                own.as_ref() == Some(place) || place.literal().is_some_and(|at| self.is_trusted(at.ip()))
            }
        }
    }

    /// Has a name that a call of `account` will need looked up ahead of time. Strangers' names wait
    /// until they are needed.
    pub(crate) fn look_up(&mut self, now: Instant, account: Option<AccountId>, place: Place) {
        if account.is_some()
            && let Hop::Place(place) = self.dialog_hop(account, place)
        {
            self.resolver.locate(now, &place, &mut self.events);
        }
    }

    /// Our Contact for `account`, or for none, as its exchange reaches us.
    pub(crate) fn contact(&self, account: Option<AccountId>) -> String {
        let line = account.and_then(|account| self.lines.get(&account));
        let exchange = line.and_then(|line| self.resolver.current(&line.first_hop()));
        self.contact_towards(account, exchange)
    }

    /// Our Contact in an answer to the request of a server transaction: as whoever sent it reaches us.
    pub(crate) fn contact_in(&self, account: Option<AccountId>, id: TxId) -> String {
        self.contact_towards(account, self.layer.reply_to(id))
    }

    fn contact_towards(&self, account: Option<AccountId>, target: Option<Target>) -> String {
        let line = account.and_then(|account| self.lines.get(&account));
        let target = target.unwrap_or_else(|| self.config.local.into());
        let seen = line.and_then(|line| line.seen_at(target.transport));
        let local = seen.unwrap_or_else(|| self.local_towards(target));
        let mut uri = Uri::sip(
            line.map(|line| line.account().user.as_str()),
            &local.ip().to_string(),
            Some(local.port()),
        );
        if let Some(name) = target.transport.uri_name() {
            uri.params.set("transport", Some(name));
        }
        if let Some(line) = line {
            uri.params.set("line", Some(line.token()));
        }
        NameAddr::new(uri).to_string()
    }

    /// The account a request from outside is meant for: by the token in our Contact, else by the
    /// sender's address and the user called.
    pub(crate) fn account_of(&self, request: &Message, from: IpAddr) -> Option<AccountId> {
        let uri = request.request_uri().and_then(|uri| Uri::parse(uri).ok())?;
        let token = uri.params.value("line");
        if let Some((&id, _)) = self.lines.iter().find(|(_, line)| token == Some(line.token())) {
            return Some(id);
        }
        let user = uri.user_unescaped();
        let mut here = self.lines.iter().filter(|(_, line)| self.is_at(line, from));
        let by_user = here.clone().find(|(_, line)| user.as_deref() == Some(line.account().user.as_str()));
        by_user.or_else(|| here.next()).map(|(&id, _)| id)
    }

    /// Whether the exchange at `ip` is believed when it says who is in a call of `account` (RFC 3325).
    pub(crate) fn believes(&self, account: Option<AccountId>, ip: IpAddr) -> bool {
        let meant = |id: AccountId| account.is_none_or(|account| account == id);
        self.lines
            .iter()
            .any(|(&id, line)| meant(id) && line.account().trusts_identity && self.is_at(line, ip))
    }

    /// Whether the exchange of `account` is believed when it says who answers.
    pub(crate) fn believes_exchange(&self, account: AccountId) -> bool {
        self.lines.get(&account).is_some_and(|line| line.account().trusts_identity)
    }

    /// The session interval calls of `account` ask for (RFC 4028).
    pub(crate) fn session_expires(&self, account: AccountId) -> Option<Duration> {
        self.lines.get(&account)?.account().session_expires
    }

    /// Whether `ip` is one of our registrars or proxies.
    pub(crate) fn is_trusted(&self, ip: IpAddr) -> bool {
        self.lines.values().any(|line| self.is_at(line, ip))
    }

    /// Whether `ip` is the registrar or proxy of `account`.
    pub(crate) fn is_exchange_of(&self, account: AccountId, ip: IpAddr) -> bool {
        self.lines.get(&account).is_some_and(|line| self.is_at(line, ip))
    }

    /// Whether requests that go to `place` in a dialog of `account` reach `ip`.
    pub(crate) fn is_at_hop(&self, account: Option<AccountId>, place: Place, ip: IpAddr) -> bool {
        match self.dialog_hop(account, place) {
            Hop::Address(at) => at.ip() == ip,
            Hop::Place(place) => self.resolver.includes(&place, ip),
        }
    }

    /// The pause before the next try after `failures` in a row: doubling, and spread so that many
    /// telephones do not return to a restarted exchange in one moment.
    pub(crate) fn back_off(&mut self, failures: u32) -> Duration {
        let factor = 1 << failures.saturating_sub(1).min(16);
        let pause = (self.config.retry_first * factor).min(self.config.retry_longest);
        self.random.between(pause / 2, pause)
    }

    /// Methods we take.
    pub(crate) fn allow(&self) -> &'static str {
        match (self.config.server, self.config.takes_refer) {
            (true, _) => ALLOW_SERVER,
            (false, true) => ALLOW_REFER,
            (false, false) => ALLOW,
        }
    }

    /// Extensions we can do.
    pub(crate) fn supported(&self) -> String {
        EXTENSIONS.join(", ")
    }

    fn is_at(&self, line: &Line, ip: IpAddr) -> bool {
        self.resolver.includes(&line.first_hop(), ip) || self.resolver.includes(&line.registrar(), ip)
    }

    /// Our Contact in a request that goes to `target` after all.
    fn own_contact(&self, request: &Message, target: Target) -> Option<String> {
        let was = request.contact()?;
        let token = was.uri.params.value("line");
        let line = self.lines.iter().find(|(_, line)| token == Some(line.token()));
        let now = self.contact_towards(line.map(|(&id, _)| id), Some(target));
        let mut contact = NameAddr::parse(&now).ok()?;
        contact.params = was.params;
        Some(contact.to_string())
    }

    /// Our end of what carries messages to `target`: of the connection, where there is one, since a peer that has no
    /// way to open one to us finds us by that.
    fn local_towards(&self, target: Target) -> SocketAddr {
        let of_family = || self.local_of(target.address.is_ipv4());
        self.flows.local(target).or_else(of_family).unwrap_or(self.config.local)
    }

    /// Our address in one family, IPv4 or IPv6, if we have one.
    pub(crate) fn local_of(&self, is_ipv4: bool) -> Option<SocketAddr> {
        let same = |local: &SocketAddr| local.is_ipv4() == is_ipv4;
        Some(self.config.local).filter(same).or(self.config.local_other.filter(same))
    }

    /// Our address in the family by which the exchange of `account` is reached at present.
    pub(crate) fn near(&self, account: AccountId) -> SocketAddr {
        let place = self.first_hop(account);
        let exchange = place.and_then(|place| self.resolver.current(&place));
        exchange.and_then(|at| self.local_of(at.address.is_ipv4())).unwrap_or(self.config.local)
    }

    /// Via, Max-Forwards and User-Agent, the same for every request.
    fn dress(&self, request: &mut Message, branch: &str) {
        let local = self.config.local;
        let via = Via::new("UDP", &local.ip().to_string(), Some(local.port()), branch);
        request.push_front("Max-Forwards", "70");
        request.push_front("Via", via.to_string());
        request.push("User-Agent", self.config.user_agent.as_str());
    }
}

/// Takes the longer lifetime that a 423 demands in its Min-Expires; false if it names none we can use.
pub(crate) fn lengthen(expires: &mut Duration, response: &Message) -> bool {
    let least = response.header("Min-Expires").and_then(|text| text.trim().parse().ok());
    match least.map(Duration::from_secs) {
        Some(least) if least > *expires && least <= LONGEST_EXPIRES => {
            *expires = least;
            true
        }
        _ => false,
    }
}

/// Writes how a request really goes into its topmost Via, and into its Contact.
fn readdress(request: &mut Message, transport: Transport, local: SocketAddr, contact: Option<String>) {
    if let Some(mut via) = request.via() {
        via.transport = transport.via_name().to_owned();
        via.host = local.ip().to_string();
        via.port = Some(local.port());
        request.pop_front("Via");
        request.push_front("Via", via.to_string());
    }
    if let Some(contact) = contact {
        let uri = |value: &str| NameAddr::parse(value).ok().map(|contact| contact.uri.to_string());
        // Behind it a REGISTER may take an older Contact away, unless it is this one after all.
        let others = request.headers("Contact").skip(1).filter(|other| uri(other) != uri(&contact));
        let others: Vec<String> = others.map(str::to_owned).collect();
        request.set("Contact", contact);
        for other in others {
            request.push("Contact", other);
        }
    }
}
