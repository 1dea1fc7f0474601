//! Transports, targets, and the connections that carry messages to them (RFC 3261 18).
//!
//! A connection is opened by the program: [`Event::Connect`](crate::Event::Connect) asks for it, and
//! [`connected`](crate::UserAgent::connected) or [`disconnected`](crate::UserAgent::disconnected)
//! tell how it went. Requests wait for it here. Not done here: sockets, framing, TLS.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::transaction::TxId;

/// Connections known at once; a peer that opens more is still answered where it is.
const MAX_FLOWS: usize = 512;

/// Peers of whom it is remembered why there is no connection to them.
const MAX_TROUBLES: usize = 64;

/// How long a peer that takes no TCP is not tried again for the sake of a large message.
const REFUSED_FOR: Duration = Duration::from_secs(600);

/// What carries a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A stream, framed by Content-Length (RFC 3261 18.3).
    Tcp,
    /// The same inside TLS.
    Tls,
}

impl Transport {
    /// Whether it is a connection that delivers in order, so that nothing needs to be repeated.
    pub fn is_stream(self) -> bool {
        self != Transport::Udp
    }

    /// The port meant where none is named (RFC 3261 19.1.2).
    pub fn default_port(self) -> u16 {
        match self {
            Transport::Udp | Transport::Tcp => 5060,
            Transport::Tls => 5061,
        }
    }

    /// As it stands in Via.
    pub fn via_name(self) -> &'static str {
        match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
            Transport::Tls => "TLS",
        }
    }

    /// As it stands in the `transport` parameter of a URI; `None` for UDP, which is meant without it.
    pub(crate) fn uri_name(self) -> Option<&'static str> {
        match self {
            Transport::Udp => None,
            Transport::Tcp => Some("tcp"),
            Transport::Tls => Some("tls"),
        }
    }

    /// Reads either form; `None` for transports we do not have (SCTP, WS …).
    pub fn parse(text: &str) -> Option<Transport> {
        [Transport::Udp, Transport::Tcp, Transport::Tls]
            .into_iter()
            .find(|transport| transport.via_name().eq_ignore_ascii_case(text.trim()))
    }
}

/// Where a message goes to or came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    /// By what.
    pub transport: Transport,
    /// The peer's end.
    pub address: SocketAddr,
}

impl Target {
    /// A target.
    pub fn new(transport: Transport, address: SocketAddr) -> Target {
        Target { transport, address }
    }

    /// The peer's address.
    pub fn ip(self) -> IpAddr {
        self.address.ip()
    }
}

impl From<SocketAddr> for Target {
    /// A peer reached by UDP.
    fn from(address: SocketAddr) -> Target {
        Target { transport: Transport::Udp, address }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.transport.via_name().to_ascii_lowercase(), self.address)
    }
}

/// All connections.
#[derive(Debug, Default)]
pub(crate) struct Flows {
    known: BTreeMap<Target, Flow>,
    /// Peers that took no connection for a large message, and until when that is believed.
    refused: BTreeMap<Target, Instant>,
    /// Why the last connection to a peer is gone or never came about.
    troubles: BTreeMap<Target, String>,
}

#[derive(Debug, Default)]
struct Flow {
    /// Our end; `None` while it is being opened.
    local: Option<SocketAddr>,
    waiting: Vec<Waiting>,
}

/// A request that waits for a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    pub(crate) tx: TxId,
    /// Where it goes if there will be none: it was only too large for a datagram.
    pub(crate) instead: Option<Target>,
    /// It was sent before, over a connection that broke: it goes again as it was.
    pub(crate) again: bool,
}

impl Flows {
    /// Our end of an open connection to `target`.
    pub(crate) fn local(&self, target: Target) -> Option<SocketAddr> {
        self.known.get(&target).and_then(|flow| flow.local)
    }

    /// Has a request wait; true if the connection must be asked for.
    pub(crate) fn wait(&mut self, target: Target, waiting: Waiting) -> bool {
        let new = !self.known.contains_key(&target);
        self.known.entry(target).or_default().waiting.push(waiting);
        new
    }

    /// The connection is open. Returns who waited for it.
    pub(crate) fn opened(&mut self, target: Target, local: SocketAddr) -> Vec<Waiting> {
        self.refused.remove(&target);
        self.troubles.remove(&target);
        if !self.known.contains_key(&target) && self.known.len() >= MAX_FLOWS {
            return Vec::new();
        }
        let flow = self.known.entry(target).or_default();
        flow.local = Some(local);
        std::mem::take(&mut flow.waiting)
    }

    /// The connection is gone, or never came about. Returns who waited for it.
    pub(crate) fn closed(&mut self, now: Instant, target: Target, reason: &str) -> Vec<Waiting> {
        if self.troubles.len() >= MAX_TROUBLES {
            self.troubles.pop_first();
        }
        self.troubles.insert(target, reason.to_owned());
        let waiting = self.known.remove(&target).map(|flow| flow.waiting).unwrap_or_default();
        if waiting.iter().any(|waiting| waiting.instead.is_some()) {
            self.refused.retain(|_, until| *until > now);
            self.refused.insert(target, now + REFUSED_FOR);
        }
        waiting
    }

    /// Why there is no connection to `target`, since the last one ended.
    pub(crate) fn trouble(&self, target: Target) -> Option<&str> {
        self.troubles.get(&target).map(String::as_str)
    }

    /// Whether `target` took no connection a short while ago.
    pub(crate) fn is_refused(&self, now: Instant, target: Target) -> bool {
        self.refused.get(&target).is_some_and(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn transports_are_read_in_any_case_and_others_are_not() {
        assert_eq!(Transport::parse("tls"), Some(Transport::Tls));
        assert_eq!(Transport::parse("UDP"), Some(Transport::Udp));
        assert_eq!(Transport::parse("ws"), None);
        assert_eq!(Transport::Tls.default_port(), 5061);
    }

    #[test]
    fn a_connection_is_asked_for_once_and_tells_all_who_wait() {
        let target = Target::new(Transport::Tcp, "192.0.2.1:5060".parse().unwrap());
        let mut flows = Flows::default();
        let waiting = |n| Waiting { tx: TxId::from_raw(n), instead: None, again: false };
        assert!(flows.wait(target, waiting(1)));
        assert!(!flows.wait(target, waiting(2)));
        assert_eq!(flows.local(target), None);
        let local = "192.0.2.9:40000".parse().unwrap();
        assert_eq!(flows.opened(target, local).len(), 2);
        assert_eq!(flows.local(target), Some(local));
    }
}
