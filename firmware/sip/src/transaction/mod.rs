//! Transactions: RFC 3261 section 17 with the corrections of RFC 6026.
//!
//! The layer repeats what the network may have lost, swallows what it repeats, and matches
//! responses and ACKs to what they belong to. It hands on each new request once and each response
//! its owner has not seen. Not done here: dialogs, the retransmission of a 2xx to INVITE (the
//! session's duty, RFC 3261 13.3.1.4), authentication, name resolution.

mod client;
mod server;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use client::Client;
use server::Server;
pub(crate) use server::{Received, trace_source};

use crate::flow::Target;
use crate::header::Via;
use crate::message::Message;
use crate::method::Method;
use crate::timers::Timers;

/// Bytes a request may take where all that are held are of one size: more than telephones send. Eight thousand of the
/// largest that a datagram can carry would be half a gigabyte.
const USUAL_WEIGHT: usize = 4096;

/// Identity of a transaction of either side; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TxId(u64);

impl TxId {
    /// The number as the program sees it in a `RequestId`.
    pub(crate) fn raw(self) -> u64 {
        self.0
    }

    /// The transaction a number from outside names, if it exists.
    pub(crate) fn from_raw(raw: u64) -> TxId {
        TxId(raw)
    }
}

/// T1, T2 and T4 of RFC 3261 17.1.1.1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) t1: Duration,
    pub(crate) t2: Duration,
    pub(crate) t4: Duration,
}

impl Pace {
    /// 64 T1: timers B, D, F, H, J, L and M over UDP.
    pub(crate) fn patience(self) -> Duration {
        self.t1 * 64
    }
}

/// What a client transaction has to tell its owner.
#[derive(Debug)]
pub(crate) enum Outcome<O> {
    /// A response, each once; of 2xx to INVITE every copy and fork.
    Response { id: TxId, owner: O, response: Message },
    /// No final response in time (timers B and F).
    Silence { id: TxId, owner: O },
}

/// All transactions of an agent. `O` says whose a client transaction is.
///
/// Ordered maps on purpose: a hash table that grows moves everything it holds, and that one turn out
/// of thousands would be the longest of all (`examples/turn_cost`).
#[derive(Debug)]
pub(crate) struct Layer<O> {
    pace: Pace,
    limit: usize,
    /// Bytes of the requests in `servers`.
    held: usize,
    next: u64,
    clients: BTreeMap<TxId, Client<O>>,
    by_branch: BTreeMap<String, TxId>,
    servers: BTreeMap<TxId, Server>,
    by_key: BTreeMap<String, TxId>,
    by_origin: BTreeMap<String, TxId>,
    /// Answered requests within dialogs, but for INVITE, in the order of their answers: where there is no room for
    /// a new request, the oldest of these is forgotten before its 64 T1 are over. A storm of lamps would else have
    /// every request refused, calls included.
    spent: VecDeque<TxId>,
    timers: Timers<TxId>,
    out: VecDeque<Outgoing>,
}

impl<O: Clone> Layer<O> {
    /// An empty layer that holds at most `limit` transactions opened by requests from outside.
    pub(crate) fn new(pace: Pace, limit: usize) -> Layer<O> {
        Layer {
            pace,
            limit,
            held: 0,
            next: 0,
            clients: BTreeMap::new(),
            by_branch: BTreeMap::new(),
            servers: BTreeMap::new(),
            by_key: BTreeMap::new(),
            by_origin: BTreeMap::new(),
            spent: VecDeque::new(),
            timers: Timers::new(),
            out: VecDeque::new(),
        }
    }

    /// Opens a client transaction for a request with a Via of its own; `to` is `None` while its
    /// address is being looked up. `attempt` counts the requests this one follows.
    pub(crate) fn request(
        &mut self,
        now: Instant,
        request: Message,
        to: Option<Target>,
        owner: O,
        attempt: u8,
    ) -> TxId {
        let id = self.new_id();
        let client = Client::new(now, self.pace, request, owner, attempt);
        self.by_branch.insert(client.key.clone(), id);
        self.clients.insert(id, client);
        match to {
            Some(to) => self.located(now, id, to),
            None => self.arm(id),
        }
        id
    }

    /// The address of a waiting client transaction is known: its request goes out.
    pub(crate) fn located(&mut self, now: Instant, id: TxId, to: Target) {
        if let Some(client) = self.clients.get_mut(&id) {
            let sent = client.start(now, self.pace, to);
            self.out.extend(sent);
            self.arm(id);
        }
    }

    /// Changes the request of a client transaction that was not sent yet.
    pub(crate) fn change(&mut self, id: TxId, change: impl FnOnce(&mut Message)) {
        if let Some(client) = self.clients.get_mut(&id) {
            change(&mut client.request);
            client.rewrite();
        }
    }

    /// Length of the request of a client transaction, in bytes.
    pub(crate) fn size(&self, id: TxId) -> usize {
        self.clients.get(&id).map_or(0, Client::size)
    }

    /// Notes where a request was to go that could not be sent.
    pub(crate) fn aim(&mut self, id: TxId, to: Target) {
        if let Some(client) = self.clients.get_mut(&id) {
            client.to = Some(to);
        }
    }

    /// The requests that wait for an answer by way of `target`, whose connection broke. Each may go once more.
    pub(crate) fn cut_off(&mut self, target: Target) -> (Vec<TxId>, Vec<TxId>) {
        let mut again = Vec::new();
        let mut over = Vec::new();
        for (&id, client) in &mut self.clients {
            if client.to == Some(target) && client.is_open() {
                client.revivals += 1;
                if client.revivals > 1 { over.push(id) } else { again.push(id) }
            }
        }
        (again, over)
    }

    /// Sends a request once more, by a new connection.
    pub(crate) fn revive(&mut self, id: TxId) {
        if let Some(client) = self.clients.get_mut(&id).filter(|client| client.is_open()) {
            self.out.extend(client.revive());
        }
    }

    /// No longer repeats the request of a client transaction.
    pub(crate) fn hush(&mut self, id: TxId) {
        if let Some(client) = self.clients.get_mut(&id) {
            client.hush();
            self.arm(id);
        }
    }

    /// The client transactions whose requests went to `target` and were answered by nothing at all.
    pub(crate) fn unheard_at(&self, target: Target) -> Vec<TxId> {
        let unheard = |client: &Client<O>| client.to == Some(target) && client.is_unheard();
        self.clients.iter().filter(|(_, client)| unheard(client)).map(|(&id, _)| id).collect()
    }

    /// Whether the request of a client transaction was answered by nothing at all.
    pub(crate) fn is_unheard(&self, id: TxId) -> bool {
        self.clients.get(&id).is_some_and(Client::is_unheard)
    }

    /// Ends a client transaction without another word to its owner.
    pub(crate) fn forget(&mut self, id: TxId) {
        if let Some(client) = self.clients.remove(&id) {
            self.by_branch.remove(&client.key);
        }
        self.timers.clear(id);
    }

    /// The INVITE was cancelled: its final response is due within 64 T1 (RFC 3261 9.1).
    pub(crate) fn expect_end(&mut self, now: Instant, id: TxId) {
        if let Some(client) = self.clients.get_mut(&id) {
            client.ends_at = Some(now + self.pace.patience());
            self.arm(id);
        }
    }

    /// Takes in a response. `Err` hands back one that belongs to no transaction.
    pub(crate) fn on_response(
        &mut self,
        now: Instant,
        response: Message,
    ) -> Result<Option<Outcome<O>>, Box<Message>> {
        let Some(id) = client::key_of_response(&response).and_then(|key| self.by_branch.get(&key).copied())
        else {
            return Err(Box::new(response));
        };
        let Some(client) = self.clients.get_mut(&id) else {
            return Err(Box::new(response));
        };
        let (sent, wanted) = client.on_response(now, self.pace, &response);
        self.out.extend(sent);
        let outcome = wanted.then(|| Outcome::Response { id, owner: client.owner.clone(), response });
        self.arm(id);
        Ok(outcome)
    }

    /// Takes in a request from `from`.
    pub(crate) fn on_request(&mut self, now: Instant, from: Target, mut request: Message) -> Received {
        let Some(key) = server::key_of_request(&request) else {
            return Received::Swallowed;
        };
        if let Some(&id) = self.by_key.get(&key) {
            return self.on_repeated(now, id, request);
        }
        if request.method() == Some(&Method::Ack) {
            return Received::Ack(Box::new(request));
        }
        let reply_to = trace_source(&mut request, from);
        let weight = request.weight();
        while self.len() >= self.limit || self.is_too_heavy(weight) {
            if !self.make_room() {
                return Received::Full { request: Box::new(request), reply_to };
            }
        }
        let origin = server::origin_of_request(&request);
        if origin.as_ref().is_some_and(|origin| self.by_origin.contains_key(origin)) {
            return Received::Merged { request: Box::new(request), reply_to };
        }
        let id = self.new_id();
        if let Some(origin) = &origin {
            self.by_origin.insert(origin.clone(), id);
        }
        self.by_key.insert(key.clone(), id);
        self.held += weight;
        self.servers.insert(id, Server::new(now, self.pace, key, origin, request, reply_to));
        self.arm(id);
        Received::New(id)
    }

    /// Sends a response in a server transaction. Nothing happens if it is over or already answered.
    pub(crate) fn respond(&mut self, now: Instant, id: TxId, response: &Message) {
        if let Some(server) = self.servers.get_mut(&id) {
            let open = server.is_open();
            let sent = server.respond(now, self.pace, response);
            if open && server.is_spent() {
                self.spent.push_back(id);
            }
            self.out.extend(sent);
            self.arm(id);
        }
    }

    /// Sends a message outside any transaction: an ACK of a 2xx, a repeated 2xx, a stateless answer.
    pub(crate) fn send_plain(&mut self, to: Target, bytes: Vec<u8>) {
        self.out.push_back(Outgoing { to, bytes });
    }

    /// Lets what is due at `now` happen, up to the first thing an owner must hear of, and counts each
    /// timer against `budget`.
    pub(crate) fn expire(&mut self, now: Instant, budget: &mut usize) -> Option<Outcome<O>> {
        while *budget > 0
            && let Some(id) = self.timers.pop(now)
        {
            *budget -= 1;
            if let Some(client) = self.clients.get_mut(&id) {
                let expiry = client.on_timer(now, self.pace);
                self.out.extend(expiry.sent);
                let silence = expiry.silent.then(|| Outcome::Silence { id, owner: client.owner.clone() });
                if silence.is_some() {
                    client.finish();
                }
                if expiry.over {
                    self.forget(id);
                } else {
                    self.arm(id);
                }
                if silence.is_some() {
                    return silence;
                }
            } else if let Some(server) = self.servers.get_mut(&id) {
                let expiry = server.on_timer(now, self.pace);
                self.out.extend(expiry.sent);
                if expiry.over {
                    self.drop_server(id);
                } else {
                    self.arm(id);
                }
            }
        }
        None
    }

    /// The next datagram to send.
    pub(crate) fn poll_transmit(&mut self) -> Option<Outgoing> {
        self.out.pop_front()
    }

    /// When [`Layer::expire`] is due.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// The request of a client transaction that still lives.
    pub(crate) fn sent_request(&self, id: TxId) -> Option<&Message> {
        self.clients.get(&id).map(|client| &client.request)
    }

    /// How many requests the request of a client transaction followed.
    pub(crate) fn attempt(&self, id: TxId) -> u8 {
        self.clients.get(&id).map_or(0, |client| client.attempt)
    }

    /// Where the request of a client transaction went.
    pub(crate) fn sent_to(&self, id: TxId) -> Option<Target> {
        self.clients.get(&id).and_then(|client| client.to)
    }

    /// The request of a server transaction that still lives.
    pub(crate) fn received_request(&self, id: TxId) -> Option<&Message> {
        self.servers.get(&id).map(|server| &*server.request)
    }

    /// The same, to be kept while other things are done with the layer: no copy of a message of thousands of bytes.
    pub(crate) fn shared_request(&self, id: TxId) -> Option<Arc<Message>> {
        self.servers.get(&id).map(|server| Arc::clone(&server.request))
    }

    /// Where the responses of a server transaction go.
    pub(crate) fn reply_to(&self, id: TxId) -> Option<Target> {
        self.servers.get(&id).map(|server| server.reply_to)
    }

    /// Whether a server transaction has had no final response yet.
    pub(crate) fn is_open(&self, id: TxId) -> bool {
        self.servers.get(&id).is_some_and(Server::is_open)
    }

    /// Whose a client transaction is.
    pub(crate) fn owner(&self, id: TxId) -> Option<O> {
        self.clients.get(&id).map(|client| client.owner.clone())
    }

    /// Whether a request repeats or belongs to one that is already known: a copy, an ACK, a CANCEL.
    pub(crate) fn knows(&self, request: &Message) -> bool {
        let invite = || self.cancelled_by(request).is_some() && request.method() == Some(&Method::Cancel);
        server::key_of_request(request).is_some_and(|key| self.by_key.contains_key(&key)) || invite()
    }

    /// Whether a request of which only this is known is certainly none that is known: `method` is neither ACK nor CANCEL.
    pub(crate) fn is_unknown(&self, via: &Via, method: &Method) -> bool {
        server::key_of_branch(via, method).is_some_and(|key| !self.by_key.contains_key(&key))
    }

    /// The INVITE a CANCEL is meant for (RFC 3261 9.2).
    pub(crate) fn cancelled_by(&self, cancel: &Message) -> Option<TxId> {
        self.by_key.get(&server::key_as(cancel, &Method::Invite)?).copied()
    }

    /// Whether any client transaction still waits for its final response.
    pub(crate) fn has_open_clients(&self) -> bool {
        self.clients.values().any(Client::is_open)
    }

    /// Live transactions of both sides.
    pub(crate) fn len(&self) -> usize {
        self.clients.len() + self.servers.len()
    }

    fn on_repeated(&mut self, now: Instant, id: TxId, request: Message) -> Received {
        let Some(server) = self.servers.get_mut(&id) else {
            return Received::Swallowed;
        };
        if request.method() == Some(&Method::Ack) {
            if !server.on_ack(now, self.pace) {
                return Received::Ack(Box::new(request));
            }
        } else {
            self.out.extend(server.repeat());
        }
        self.arm(id);
        Received::Swallowed
    }

    fn arm(&mut self, id: TxId) {
        let at = match (self.clients.get(&id), self.servers.get(&id)) {
            (Some(client), _) => client.next_timer(),
            (None, Some(server)) => server.next_timer(),
            (None, None) => None,
        };
        self.timers.arm(id, at);
    }

    /// Forgets the oldest answered request within a dialog; false if there is none.
    fn make_room(&mut self) -> bool {
        match self.spent.front().copied() {
            Some(oldest) => {
                self.drop_server(oldest);
                true
            }
            None => false,
        }
    }

    fn drop_server(&mut self, id: TxId) {
        if let Some(server) = self.servers.remove(&id) {
            self.held = self.held.saturating_sub(server.weight);
            self.by_key.remove(&server.key);
            if let Some(origin) = &server.origin {
                self.by_origin.remove(origin);
            }
        }
        self.timers.clear(id);
        // They end in the order in which they were answered, so this is the first one.
        while self.spent.front().is_some_and(|first| !self.servers.contains_key(first)) {
            self.spent.pop_front();
        }
    }

    /// Whether a request of `weight` bytes is one too many beside those that are held. The first is never.
    fn is_too_heavy(&self, weight: usize) -> bool {
        self.held > 0 && self.held + weight > self.limit.saturating_mul(USUAL_WEIGHT)
    }

    fn new_id(&mut self) -> TxId {
        self.next += 1;
        TxId(self.next)
    }
}

/// A message on its way out.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) to: Target,
    pub(crate) bytes: Vec<u8>,
}

/// What a timer did to one transaction.
#[derive(Debug, Default)]
struct Expiry {
    sent: Option<Outgoing>,
    silent: bool,
    over: bool,
}

/// The earlier of two deadlines.
fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
