//! Connections that peers open to us: so many and no more.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sip::{Target, Transport};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tracing::{debug, info};

use super::{
    ConnectionId, News, QUEUE, stream,
    tls::{self, Own},
};
use crate::net::stream::{Side, Way};

/// Connections of peers at once, and those of one address.
const MOST: usize = 128;
const MOST_OF_ONE: usize = 32;
/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Connections that may wait in the system to be taken.
const BACKLOG: i32 = 128;

/// A listener at `address`; one on every IPv6 address leaves the same port of IPv4 to another.
///
/// # Errors
/// What the system says.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // A port whose last connections still linger is free for the next start.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Takes connections until the engine has gone; with TLS where we have something to show.
pub(crate) async fn listen(listener: TcpListener, mut own: Option<Own>, way: Way) {
    let seats = Seats::default();
    while !way.inbox.is_closed() {
        let (tcp, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                debug!(%error, "accept");
                // What is missing, such as file descriptors, is not there again at once.
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Some(seat) = seats.take(peer.ip()) else {
            info!(%peer, "connection refused: too many");
            continue;
        };
        let (tls, way) = (own.as_mut().map(Own::acceptor), way.clone());
        tokio::spawn(async move {
            take(tcp, peer, tls, way).await;
            drop(seat);
        });
    }
}

async fn take(tcp: TcpStream, peer: SocketAddr, tls: Option<TlsAcceptor>, way: Way) {
    stream::tune(&tcp);
    let Ok(local) = tcp.local_addr() else { return };
    let transport = if tls.is_some() { Transport::Tls } else { Transport::Tcp };
    let target = Target::new(transport, peer);
    let secure = match tls {
        Some(tls) => match timeout(HANDSHAKE, tls.accept(tcp)).await {
            Ok(Ok(secure)) => Ok(secure),
            Ok(Err(error)) => return info!(%peer, reason = tls::why(&error), "connection refused"),
            Err(_) => return info!(%peer, "connection refused: the handshake did not come to its end"),
        },
        None => Err(tcp),
    };
    let id = ConnectionId::new();
    let (queue, messages) = mpsc::channel(QUEUE);
    way.tell(News::Opened { id, target, local, theirs: Some(queue) }).await;
    let reason = match secure {
        Ok(secure) => stream::carry(secure, target, Side::Theirs, messages, &way).await,
        Err(tcp) => stream::carry(tcp, target, Side::Theirs, messages, &way).await,
    };
    way.tell(News::Closed { id, target, reason }).await;
}

/// Places for connections of peers.
#[derive(Clone, Default)]
struct Seats(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One of them, until it is dropped.
struct Seat {
    seats: Seats,
    ip: IpAddr,
}

impl Seats {
    fn take(&self, ip: IpAddr) -> Option<Seat> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_one = taken.get(&ip).copied().unwrap_or(0);
        if of_one >= MOST_OF_ONE || taken.values().sum::<usize>() >= MOST {
            return None;
        }
        taken.insert(ip, of_one + 1);
        Some(Seat { seats: self.clone(), ip })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.ip) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.ip);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acc_5_one_peer_does_not_take_every_place_and_gives_back_what_it_took() {
        let seats = Seats::default();
        let ip = |last| IpAddr::from([192, 0, 2, last]);
        let first: Vec<Seat> = std::iter::from_fn(|| seats.take(ip(1))).collect();
        assert_eq!(first.len(), MOST_OF_ONE);
        let others: Vec<Seat> = (2..200).filter_map(|last| seats.take(ip(last))).collect();
        assert_eq!(first.len() + others.len(), MOST);
        drop(first);
        assert!(seats.take(ip(1)).is_some());
        drop(others);
        assert!(seats.0.lock().is_ok_and(|taken| taken.is_empty()));
    }
}
