//! The two client machines: INVITE (RFC 3261 17.1.1, RFC 6026 8.4) and all other requests (17.1.2).

use std::time::{Duration, Instant};

use super::{Expiry, Outgoing, Pace, earlier};
use crate::flow::Target;
use crate::message::Message;
use crate::method::Method;

/// One request of ours and its answers.
#[derive(Debug)]
pub(super) struct Client<O> {
    pub(super) key: String,
    pub(super) owner: O,
    pub(super) request: Message,
    pub(super) attempt: u8,
    pub(super) to: Option<Target>,
    /// Times it went again because its connection broke.
    pub(super) revivals: u8,
    /// Timers B, D, F, K and M, one after the other.
    pub(super) ends_at: Option<Instant>,
    bytes: Vec<u8>,
    ack: Option<Vec<u8>>,
    state: State,
    /// Timers A and E.
    repeat_at: Option<Instant>,
    interval: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Calling or Trying: nothing heard yet.
    Asked,
    Proceeding,
    /// A 2xx to INVITE: copies and forks are handed on (RFC 6026).
    Accepted,
    Completed,
}

impl<O> Client<O> {
    pub(super) fn new(now: Instant, pace: Pace, request: Message, owner: O, attempt: u8) -> Client<O> {
        Client {
            key: key_of_own_request(&request),
            owner,
            bytes: request.write(),
            request,
            attempt,
            to: None,
            revivals: 0,
            ends_at: Some(now + pace.patience()),
            ack: None,
            state: State::Asked,
            repeat_at: None,
            interval: pace.t1,
        }
    }

    /// Sends the request for the first time. A stream loses nothing, and so nothing is repeated there (RFC 3261
    /// 17.1.1.2 and 17.1.2.2).
    pub(super) fn start(&mut self, now: Instant, pace: Pace, to: Target) -> Option<Outgoing> {
        self.to = Some(to);
        self.ends_at = Some(now + pace.patience());
        self.interval = pace.t1;
        self.repeat_at = (!to.transport.is_stream()).then(|| now + pace.t1);
        self.transmit()
    }

    /// Sends the request once more, as it was, because the connection it went by is gone.
    pub(super) fn revive(&mut self) -> Option<Outgoing> {
        self.transmit()
    }

    /// The request has changed since it was made.
    pub(super) fn rewrite(&mut self) {
        self.bytes = self.request.write();
    }

    /// Length of the request on the wire, in bytes.
    pub(super) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Is not repeated any more: somebody else is asked. An answer is still taken in.
    pub(super) fn hush(&mut self) {
        self.repeat_at = None;
    }

    /// Whether nothing at all was answered.
    pub(super) fn is_unheard(&self) -> bool {
        self.state == State::Asked
    }

    /// Takes in a response; says what to send and whether the owner should hear of it.
    pub(super) fn on_response(
        &mut self,
        now: Instant,
        pace: Pace,
        response: &Message,
    ) -> (Option<Outgoing>, bool) {
        let code = response.code().unwrap_or(0);
        match (self.state, code) {
            (State::Asked | State::Proceeding, 100..=199) => {
                self.on_provisional(now, pace);
                (None, true)
            }
            (State::Asked | State::Proceeding, 200..=699) => (self.on_final(now, pace, code, response), true),
            (State::Accepted, 200..=299) => (None, true),
            (State::Completed, 300..=699) if self.is_invite() => (self.acknowledge(), false),
            _ => (None, false),
        }
    }

    pub(super) fn on_timer(&mut self, now: Instant, pace: Pace) -> Expiry {
        if self.ends_at.is_some_and(|at| at <= now) {
            let silent = self.is_open();
            return Expiry { sent: None, silent, over: !silent };
        }
        if self.repeat_at.is_none_or(|at| at > now) {
            return Expiry::default();
        }
        self.interval = match (self.is_invite(), self.state) {
            (true, _) => self.interval * 2,
            (false, State::Proceeding) => pace.t2,
            (false, _) => (self.interval * 2).min(pace.t2),
        };
        self.repeat_at = Some(now + self.interval);
        Expiry { sent: self.transmit(), ..Expiry::default() }
    }

    /// Nobody answered; the transaction stays for one more timer so that its owner can look at it.
    pub(super) fn finish(&mut self) {
        self.state = State::Completed;
        self.repeat_at = None;
    }

    pub(super) fn next_timer(&self) -> Option<Instant> {
        earlier(self.repeat_at, self.ends_at)
    }

    /// Whether the final response is still to come.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Asked | State::Proceeding)
    }

    fn on_provisional(&mut self, now: Instant, pace: Pace) {
        if self.is_invite() {
            self.repeat_at = None;
            if self.state == State::Asked {
                self.ends_at = None;
            }
        } else if self.state == State::Asked && self.repeat_at.is_some() {
            self.interval = pace.t2;
            self.repeat_at = Some(now + pace.t2);
        }
        self.state = State::Proceeding;
    }

    fn on_final(&mut self, now: Instant, pace: Pace, code: u16, response: &Message) -> Option<Outgoing> {
        self.repeat_at = None;
        if !self.is_invite() {
            self.state = State::Completed;
            self.ends_at = Some(if self.is_on_stream() { now } else { now + pace.t4 });
            return None;
        }
        self.ends_at = Some(now + pace.patience());
        if code < 300 {
            self.state = State::Accepted;
            return None;
        }
        self.state = State::Completed;
        self.ack = Some(ack_of_refusal(&self.request, response).write());
        self.acknowledge()
    }

    fn acknowledge(&self) -> Option<Outgoing> {
        Some(Outgoing { to: self.to?, bytes: self.ack.clone()? })
    }

    fn transmit(&self) -> Option<Outgoing> {
        Some(Outgoing { to: self.to?, bytes: self.bytes.clone() })
    }

    fn is_on_stream(&self) -> bool {
        self.to.is_some_and(|to| to.transport.is_stream())
    }

    fn is_invite(&self) -> bool {
        self.request.method() == Some(&Method::Invite)
    }
}

/// The transaction a response belongs to (RFC 3261 17.1.3): branch and CSeq method.
pub(super) fn key_of_response(response: &Message) -> Option<String> {
    Some(key(&response.via()?.branch?, &response.cseq()?.method))
}

fn key_of_own_request(request: &Message) -> String {
    let branch = request.via().and_then(|via| via.branch).unwrap_or_default();
    match request.method() {
        Some(method) => key(&branch, method),
        None => branch,
    }
}

fn key(branch: &str, method: &Method) -> String {
    format!("{branch} {method}")
}

/// The ACK of a final response other than 2xx (RFC 3261 17.1.1.3).
fn ack_of_refusal(invite: &Message, response: &Message) -> Message {
    let mut ack = Message::request(Method::Ack, invite.request_uri().unwrap_or_default());
    for (name, source) in
        [("Via", invite), ("From", invite), ("To", response), ("Call-ID", invite), ("Max-Forwards", invite)]
    {
        if let Some(value) = source.header(name) {
            ack.push(name, value);
        }
    }
    for route in invite.headers("Route") {
        ack.push("Route", route);
    }
    let number = invite.cseq().map_or(0, |cseq| cseq.number);
    ack.push("CSeq", format!("{number} ACK"));
    ack
}
