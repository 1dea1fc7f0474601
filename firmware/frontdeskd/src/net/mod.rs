//! The network side of SIP: sockets, the table of connections.
//!
//! The engine owns the table and never waits: datagrams leave by a non-blocking send, messages of connections go into a
//! bounded queue each. What a connection has to say comes back as [`News`] through the inbox, in its order. Datagrams
//! are in `udp`, the life of one connection in `stream`, peers' connections in `listen`, certificates in `tls`.

mod listen;
mod open;
mod stream;
pub(crate) mod tls;
mod udp;

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use sip::{Target, Transmit, Transport};
use socket2::SockRef;
use tokio::{
    net::UdpSocket,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
};
use tokio_rustls::rustls::ClientConfig;
use tracing::debug;

use self::stream::Dial;
pub(crate) use self::{open::Sockets, stream::Way};
use crate::engine::Event;

/// Messages that may wait to be written to one connection: more than the lamps of a large house ask for at once.
const QUEUE: usize = 2048;
/// Connections of ours at once.
const MOST_DIALLED: usize = 256;
/// Messages of all connections that may wait for the engine: fewer places than datagrams leave free in its inbox.
const WAITING: usize = 128;
/// The code point CS5, 40, in the upper six bits of the octet (RFC 2474 section 3).
const SIGNALLING: u32 = 40 << 2;

/// Why a datagram does not go out.
const NO_SOCKET: &str = "the desk has no address of this kind, IPv4 or IPv6 (sip.listen, sip.listen_other)";

/// Most of a message's first line that goes into the log, in bytes.
const LONGEST_LINE: usize = 200;

/// One connection, even where another one to the same peer follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConnectionId(u64);

impl ConnectionId {
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// What happens to connections.
pub(crate) enum News {
    /// It can be used.
    Opened {
        id: ConnectionId,
        target: Target,
        /// Our end.
        local: SocketAddr,
        /// Where to write, if the peer opened it.
        theirs: Option<mpsc::Sender<Vec<u8>>>,
    },
    /// It brought a message.
    Message {
        from: Target,
        bytes: Vec<u8>,
        /// Given back when the engine has taken it.
        room: OwnedSemaphorePermit,
    },
    /// It is at its end, or never began.
    Closed { id: ConnectionId, target: Target, reason: String },
}

/// How the wish for a connection stands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wished {
    /// There is one, with this end of ours.
    Open(SocketAddr),
    /// [`News`] will tell.
    Later,
    /// There will be none.
    Never(&'static str),
}

/// A connection that has just been given up.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) target: Target,
    pub(crate) reason: &'static str,
}

/// See the module.
pub(crate) struct Net {
    sockets: Vec<Datagrams>,
    connections: HashMap<Target, Connection>,
    way: Way,
    tls: Arc<ClientConfig>,
}

/// A socket for datagrams. Its address is looked at with every message, and asked for once: asking is a system call.
struct Datagrams {
    socket: Arc<UdpSocket>,
    local: SocketAddr,
}

struct Connection {
    id: ConnectionId,
    queue: mpsc::Sender<Vec<u8>>,
    /// Our end, once it is open.
    local: Option<SocketAddr>,
    is_ours: bool,
}

impl Net {
    /// `sockets` for datagrams, one for each address family.
    pub(crate) fn new(sockets: Vec<Arc<UdpSocket>>, way: Way, tls: Arc<ClientConfig>) -> Self {
        let with_address = |socket: Arc<UdpSocket>| {
            let local = socket.local_addr().ok()?;
            Some(Datagrams { socket, local })
        };
        let sockets = sockets.into_iter().filter_map(with_address).collect();
        Self { sockets, connections: HashMap::new(), way, tls }
    }

    /// Our end of the way to a peer, as far as it is known; a socket on every address has none of its own.
    pub(crate) fn local_of(&self, peer: Target) -> Option<SocketAddr> {
        let local = match peer.transport {
            Transport::Udp => self.bound_port(peer.ip()),
            Transport::Tcp | Transport::Tls => self.connections.get(&peer)?.local,
        };
        local.filter(|local| !local.ip().is_unspecified())
    }

    /// Where datagrams of the family of `ip` arrive: an unspecified address where that is everywhere.
    pub(crate) fn bound(&self, ip: IpAddr) -> Option<IpAddr> {
        self.bound_port(ip).map(|bound| bound.ip())
    }

    /// Likewise, with the port.
    pub(crate) fn bound_port(&self, ip: IpAddr) -> Option<SocketAddr> {
        self.datagrams(ip).map(|datagrams| datagrams.local)
    }

    /// From now on connections are encrypted so. Those that the desk has opened were opened by other rules and are given
    /// up; those of peers, who were not asked who they are, stay.
    pub(crate) fn set_tls(&mut self, tls: Arc<ClientConfig>) -> Vec<Broken> {
        self.tls = tls;
        let by_old_rules = |target: &Target, connection: &mut Connection| {
            target.transport == Transport::Tls && connection.is_ours
        };
        let given_up = self.connections.extract_if(by_old_rules);
        given_up.map(|(target, _)| Broken { target, reason: "the settings of TLS have changed" }).collect()
    }

    /// Sends without waiting, by a connection that is opened where there is none. A connection whose peer does not take
    /// in what it is sent is given up.
    pub(crate) fn send(&mut self, transmit: Transmit) -> Option<Broken> {
        let Transmit { to, server_name, bytes } = transmit;
        if to.transport == Transport::Udp {
            let Some(datagrams) = self.datagrams(to.ip()) else {
                return Some(Broken { target: to, reason: NO_SOCKET });
            };
            udp::send(&datagrams.socket, to.address, &bytes);
            return None;
        }
        if !self.connections.contains_key(&to)
            && let Wished::Never(reason) = self.connect(to, server_name)
        {
            return Some(Broken { target: to, reason });
        }
        let connection = self.connections.get(&to)?;
        connection.queue.try_send(bytes).err()?;
        self.connections.remove(&to);
        Some(Broken { target: to, reason: "the peer takes nothing in any more" })
    }

    /// Opens a connection, unless there is one.
    pub(crate) fn connect(&mut self, target: Target, server_name: Option<String>) -> Wished {
        if target.transport == Transport::Udp {
            return Wished::Never(NO_SOCKET);
        }
        if let Some(connection) = self.connections.get(&target) {
            return connection.local.map_or(Wished::Later, Wished::Open);
        }
        if self.connections.values().filter(|connection| connection.is_ours).count() >= MOST_DIALLED {
            return Wished::Never("too many connections");
        }
        let id = ConnectionId::new();
        let (queue, messages) = mpsc::channel(QUEUE);
        self.connections.insert(target, Connection { id, queue, local: None, is_ours: true });
        let (from, tls) = (self.own_address(target.ip()), Arc::clone(&self.tls));
        let dial = Dial { id, target, server_name, from, tls };
        tokio::spawn(stream::dial(dial, messages, self.way.clone()));
        Wished::Later
    }

    /// Takes note that a connection can be used; `false` if it is one that was given up before.
    pub(crate) fn opened(
        &mut self,
        id: ConnectionId,
        target: Target,
        local: SocketAddr,
        theirs: Option<mpsc::Sender<Vec<u8>>>,
    ) -> bool {
        if let Some(queue) = theirs {
            // A peer that comes again from the same port has lost what it had before.
            self.connections.insert(target, Connection { id, queue, local: Some(local), is_ours: false });
            return true;
        }
        match self.connections.get_mut(&target).filter(|connection| connection.id == id) {
            Some(connection) => {
                connection.local = Some(local);
                true
            }
            None => false,
        }
    }

    /// Takes note that a connection is at its end; `false` if it is one that was given up before.
    pub(crate) fn closed(&mut self, id: ConnectionId, target: Target) -> bool {
        let is_known = self.connections.get(&target).is_some_and(|connection| connection.id == id);
        if is_known {
            self.connections.remove(&target);
        }
        is_known
    }

    /// The socket for datagrams of the family of `peer`.
    fn datagrams(&self, peer: IpAddr) -> Option<&Datagrams> {
        self.sockets.iter().find(|datagrams| datagrams.local.is_ipv4() == peer.is_ipv4())
    }

    /// The address that connections towards `peer` come from: the one that datagrams come from, if there is one.
    fn own_address(&self, peer: IpAddr) -> Option<IpAddr> {
        self.bound(peer).filter(|ip| !ip.is_unspecified())
    }
}

impl Way {
    /// Into this inbox.
    pub(crate) fn new(inbox: mpsc::Sender<Event>) -> Self {
        Self { inbox, room: Arc::new(Semaphore::new(WAITING)) }
    }
}

/// Tells routers that what a socket sends is signalling of telephony: CS5, as RFC 4594 section 4.2 has it. A kernel that
/// refuses it takes nothing but the precedence.
fn mark(socket: &SockRef<'_>, v6: bool) {
    let marked = socket
        .set_tos_v4(SIGNALLING)
        .and_then(|()| if v6 { socket.set_tclass_v6(SIGNALLING) } else { Ok(()) });
    if let Err(error) = marked {
        debug!(%error, "SIP is not marked");
    }
}

/// What a message is, for the log: its first line, never a header, where passwords' digests are.
fn first_line(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| b"\r\n".contains(byte)).unwrap_or(bytes.len()).min(LONGEST_LINE);
    let line = String::from_utf8_lossy(&bytes[..end]);
    line.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
