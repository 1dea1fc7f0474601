//! The two server machines: INVITE (RFC 3261 17.2.1, RFC 6026 8.4) and all other requests (17.2.2).

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Expiry, Outgoing, Pace, TxId, earlier};
use crate::flow::{Target, Transport};
use crate::header::Via;
use crate::message::Message;
use crate::method::Method;

/// The magic cookie of RFC 3261 8.1.1.7.
const COOKIE: &str = "z9hG4bK";

/// What became of a request from the network.
#[derive(Debug)]
pub(crate) enum Received {
    /// A new request, to be answered through its transaction.
    New(TxId),
    /// An ACK that belongs to a 2xx, or to nothing.
    Ack(Box<Message>),
    /// A repetition, or too broken to have a place.
    Swallowed,
    /// The same request by another path (RFC 3261 8.2.2.2): 482, without a transaction.
    Merged { request: Box<Message>, reply_to: Target },
    /// No room for one more transaction: 503, without a transaction.
    Full { request: Box<Message>, reply_to: Target },
}

/// One request of a peer and our answers.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) key: String,
    pub(super) origin: Option<String>,
    /// Shared with whoever is just handling it.
    pub(super) request: Arc<Message>,
    /// Bytes of the request when it came.
    pub(super) weight: usize,
    pub(super) reply_to: Target,
    last: Option<Vec<u8>>,
    state: State,
    /// Timer G.
    repeat_at: Option<Instant>,
    interval: Duration,
    /// Timers H, I, J and L, and the longest wait for an answer to anything but INVITE.
    ends_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Trying or Proceeding: no final response yet.
    Open,
    /// A 2xx to INVITE was sent: repetitions are swallowed, ACKs handed on (RFC 6026).
    Accepted,
    Completed,
    /// The refusal of an INVITE was acknowledged.
    Confirmed,
}

impl Server {
    pub(super) fn new(
        now: Instant,
        pace: Pace,
        key: String,
        origin: Option<String>,
        request: Message,
        reply_to: Target,
    ) -> Server {
        let patience = now + pace.patience();
        let ends_at = (request.method() != Some(&Method::Invite)).then_some(patience);
        Server {
            key,
            origin,
            weight: request.weight(),
            request: Arc::new(request),
            reply_to,
            last: None,
            state: State::Open,
            repeat_at: None,
            interval: pace.t1,
            ends_at,
        }
    }

    pub(super) fn respond(&mut self, now: Instant, pace: Pace, response: &Message) -> Option<Outgoing> {
        if !self.is_open() {
            return None;
        }
        let code = response.code().unwrap_or(500);
        self.last = Some(response.write());
        if code >= 200 {
            self.ends_at = Some(now + pace.patience());
            self.state = match (self.is_invite(), code) {
                (true, 200..=299) => State::Accepted,
                _ => State::Completed,
            };
            if self.is_invite() && self.state == State::Completed {
                self.interval = pace.t1;
                self.repeat_at = (!self.reply_to.transport.is_stream()).then(|| now + pace.t1);
            }
        }
        self.transmit()
    }

    /// The request came again.
    pub(super) fn repeat(&self) -> Option<Outgoing> {
        match self.state {
            State::Open | State::Completed => self.transmit(),
            State::Accepted | State::Confirmed => None,
        }
    }

    /// An ACK came; false if it is the session's to see.
    pub(super) fn on_ack(&mut self, now: Instant, pace: Pace) -> bool {
        match self.state {
            State::Accepted => false,
            State::Completed => {
                self.state = State::Confirmed;
                self.repeat_at = None;
                self.ends_at = Some(now + pace.t4);
                true
            }
            State::Open | State::Confirmed => true,
        }
    }

    pub(super) fn on_timer(&mut self, now: Instant, pace: Pace) -> Expiry {
        if self.ends_at.is_some_and(|at| at <= now) {
            return Expiry { over: true, ..Expiry::default() };
        }
        if self.repeat_at.is_none_or(|at| at > now) {
            return Expiry::default();
        }
        self.interval = (self.interval * 2).min(pace.t2);
        self.repeat_at = Some(now + self.interval);
        Expiry { sent: self.transmit(), ..Expiry::default() }
    }

    pub(super) fn next_timer(&self) -> Option<Instant> {
        earlier(self.repeat_at, self.ends_at)
    }

    pub(super) fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Answered for good, within a dialog, and nothing more comes of it but a copy that was on its way.
    pub(super) fn is_spent(&self) -> bool {
        self.state == State::Completed && !self.is_invite() && self.origin.is_none()
    }

    fn transmit(&self) -> Option<Outgoing> {
        Some(Outgoing { to: self.reply_to, bytes: self.last.clone()? })
    }

    fn is_invite(&self) -> bool {
        self.request.method() == Some(&Method::Invite)
    }
}

/// The transaction a request belongs to (RFC 3261 17.2.3).
pub(super) fn key_of_request(request: &Message) -> Option<String> {
    key_as(request, request.method()?)
}

/// The transaction a request would belong to if its method were `method`: a CANCEL shares the
/// branch of its INVITE.
pub(super) fn key_as(request: &Message, method: &Method) -> Option<String> {
    let via = request.via()?;
    let method = if *method == Method::Ack { &Method::Invite } else { method };
    if let Some(key) = key_of_branch(&via, method) {
        return Some(key);
    }
    // Peers of RFC 2543: everything that identifies the request, the To tag left out
    // because the ACK of a refusal has one where the INVITE had none.
    let from = request.from()?;
    Some(format!(
        "2543 {} {} {} {} {} {}:{} {method}",
        request.call_id()?,
        request.cseq()?.number,
        from.tag().unwrap_or_default(),
        request.request_uri()?,
        via.branch.as_deref().unwrap_or_default(),
        via.host.to_ascii_lowercase(),
        via.port.unwrap_or(5060)
    ))
}

/// The same where the topmost Via alone tells it; `None` for peers of RFC 2543.
pub(super) fn key_of_branch(via: &Via, method: &Method) -> Option<String> {
    let unique = |branch: &&str| branch.starts_with(COOKIE) && branch.len() > COOKIE.len();
    let branch = via.branch.as_deref().filter(unique)?;
    Some(format!("{branch} {}:{} {method}", via.host.to_ascii_lowercase(), via.port.unwrap_or(5060)))
}

/// What is the same in all copies of a request that was forked on its way (RFC 3261 8.2.2.2);
/// `None` inside a dialog and for CANCEL.
pub(super) fn origin_of_request(request: &Message) -> Option<String> {
    let method = request.method()?;
    if *method == Method::Cancel || request.to()?.tag().is_some() {
        return None;
    }
    let from = request.from()?;
    Some(format!("{} {} {} {method}", request.call_id()?, request.cseq()?.number, from.tag()?))
}

/// Notes in the topmost Via where the request really came from (RFC 3261 18.2.1, RFC 3581) and says
/// where its responses go. In a response that was made of the request the same can still be noted.
pub(crate) fn trace_source(request: &mut Message, from: Target) -> Target {
    let Some(mut via) = request.via() else {
        return from;
    };
    let asked = via.rport.is_some();
    // A response goes back by the connection its request came by (RFC 3261 18.2.2).
    let reply_to = if asked || from.transport.is_stream() {
        from
    } else {
        Target::new(Transport::Udp, (from.ip(), via.port.unwrap_or(5060)).into())
    };
    if asked || via.host != from.ip().to_string() {
        via.received = Some(from.ip().to_string());
    }
    if asked {
        via.rport = Some(Some(from.address.port()));
    }
    request.pop_front("Via");
    request.push_front("Via", via.to_string());
    reply_to
}
