//! What every usage of the agent shares: settings, random words, transactions, timers, names,
//! accounts, the index of dialogs, and the queue of events.
//!
//! Usages (sessions, registrations, subscriptions) borrow it while they work, so that none of them
//! holds another. Not done here: deciding anything about a call.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::account::Line;
use crate::agent::{AccountId, Config, Event, HostPort, NotifierId, SessionId, SubscriptionId};
use crate::header::{NameAddr, Via};
use crate::message::Message;
use crate::random::Random;
use crate::resolver::{Located, Resolver};
use crate::session::Note;
use crate::timers::Timers;
use crate::transaction::{Layer, Pace, TxId};
use crate::turns::Turns;
use crate::uri::Uri;

/// Methods of a telephone, for Allow.
const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, NOTIFY";
/// Methods of an exchange besides.
const ALLOW_SERVER: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, NOTIFY, REFER, REGISTER, SUBSCRIBE, \
                            MESSAGE, PUBLISH";

/// Extensions we can do, for Supported and against Require: replaces is RFC 3891.
pub(crate) const EXTENSIONS: &[&str] = &["replaces"];

/// Whose a client transaction or dialog is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Owner {
    Session(SessionId),
    Registration(AccountId),
    Subscription(SubscriptionId),
    Notifier(NotifierId),
}

/// What a deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Alarm {
    /// Repeat an unacknowledged 2xx.
    Repeat(SessionId),
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
    /// Forget an ended session.
    Linger(SessionId),
    Registration(AccountId),
    Subscription(SubscriptionId),
    /// The next SUBSCRIBE may have its turn.
    Turns,
    /// Look whether an exchange is still there.
    Exchange(AccountId),
    Notifier(NotifierId),
}

/// Where a request of ours goes first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hop {
    Address(SocketAddr),
    Place(HostPort),
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
        match (to, hop) {
            (Located::At(at), _) => self.layer.request(now, request, Some(at), owner, attempt),
            (Located::Later, Hop::Place(place)) => {
                let id = self.layer.request(now, request, None, owner, attempt);
                self.resolver.wait(place, id);
                id
            }
            (Located::Later | Located::Never, _) => {
                let id = self.layer.request(now, request, None, owner, attempt);
                self.lost.push_back(id);
                id
            }
        }
    }

    /// Sends an ACK for a 2xx, which has no transaction; returns what was sent, to be repeated.
    pub(crate) fn send_ack(
        &mut self,
        now: Instant,
        mut ack: Message,
        hop: &Hop,
    ) -> Option<(SocketAddr, Vec<u8>)> {
        let branch = self.random.branch();
        self.dress(&mut ack, &branch);
        let to = match hop {
            Hop::Address(at) => *at,
            Hop::Place(place) => match self.resolver.locate(now, place, &mut self.events) {
                Located::At(at) => at,
                Located::Later | Located::Never => return None,
            },
        };
        let bytes = ack.write();
        self.layer.send_plain(to, bytes.clone());
        Some((to, bytes))
    }

    /// Sends the CANCEL of an INVITE that is still open (RFC 3261 9.1): same branch, same hop.
    pub(crate) fn send_cancel(&mut self, now: Instant, invite: TxId, owner: Owner) {
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
    pub(crate) fn first_hop(&self, account: AccountId) -> Option<HostPort> {
        self.lines.get(&account).map(|line| line.first_hop().clone())
    }

    /// The hop of a request in a dialog of `account`: where the peer named the account's own domain
    /// or registrar, the target everything else of the account goes to.
    pub(crate) fn dialog_hop(&self, account: Option<AccountId>, place: HostPort) -> Hop {
        match account.and_then(|account| self.lines.get(&account)) {
            Some(line) if line.is_named(&place) => Hop::Place(line.first_hop().clone()),
            _ => Hop::Place(place),
        }
    }

    /// Whether a request of `account` that goes there first stays with its own exchange.
    pub(crate) fn is_ours(&self, account: Option<AccountId>, hop: &Hop) -> bool {
        let own = account.and_then(|account| self.lines.get(&account)).map(Line::first_hop);
        match hop {
            Hop::Address(at) => self.is_trusted(at.ip()),
            Hop::Place(place) => {
                own == Some(place) || place.literal().is_some_and(|at| self.is_trusted(at.ip()))
            }
        }
    }

    /// Has a name that a call of `account` will need looked up ahead of time. Strangers' names wait
    /// until they are needed.
    pub(crate) fn look_up(&mut self, now: Instant, account: Option<AccountId>, place: HostPort) {
        if account.is_some()
            && let Hop::Place(place) = self.dialog_hop(account, place)
        {
            self.resolver.locate(now, &place, &mut self.events);
        }
    }

    /// Our Contact for `account`, or for none.
    pub(crate) fn contact(&self, account: Option<AccountId>) -> String {
        let line = account.and_then(|account| self.lines.get(&account));
        let local = self.config.local;
        let mut uri = Uri::sip(
            line.map(|line| line.account().user.as_str()),
            &local.ip().to_string(),
            Some(local.port()),
        );
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

    /// Whether `ip` is one of our registrars or proxies.
    pub(crate) fn is_trusted(&self, ip: IpAddr) -> bool {
        self.lines.values().any(|line| self.is_at(line, ip))
    }

    /// Whether `ip` is the registrar or proxy of `account`.
    pub(crate) fn is_exchange_of(&self, account: AccountId, ip: IpAddr) -> bool {
        self.lines.get(&account).is_some_and(|line| self.is_at(line, ip))
    }

    /// Whether requests that go to `place` in a dialog of `account` reach `ip`.
    pub(crate) fn is_at_hop(&self, account: Option<AccountId>, place: HostPort, ip: IpAddr) -> bool {
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
        if self.config.server { ALLOW_SERVER } else { ALLOW }
    }

    /// Extensions we can do.
    pub(crate) fn supported(&self) -> String {
        EXTENSIONS.join(", ")
    }

    fn is_at(&self, line: &Line, ip: IpAddr) -> bool {
        self.resolver.includes(line.first_hop(), ip) || self.resolver.includes(&line.account().registrar, ip)
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
