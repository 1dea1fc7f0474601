//! Datagrams: the socket, in and out.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
};

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::{net::UdpSocket, sync::mpsc};
use tracing::{debug, warn};

use super::{first_line, mark};
use crate::engine::{Event, Gauges};

/// Bytes of datagrams that may wait in the system: about a thousand NOTIFYs.
const RECEIVE_BUFFER: usize = 2 * 1024 * 1024;
/// Places in the inbox that datagrams may not take, so that a flood never keeps out the operator.
const KEPT_FREE: usize = 256;
/// A datagram larger than this, in bytes, is none that telephones send …
const LARGE: usize = 4096;
/// … and may wait only while the inbox has less than this in it, so that a flood of the largest does
/// not take hundreds of megabytes.
const LARGE_MAY_WAIT: usize = 256;

/// A socket at `address`. One on every IPv6 address leaves the same port of IPv4 to another.
///
/// # Errors
/// What the system says.
pub(crate) fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    let socket = UdpSocket::from_std(socket.into())?;
    make_room(&socket);
    mark(&SockRef::from(&socket), address.is_ipv6());
    Ok(socket)
}

/// Asks the system for room in which a burst of datagrams waits until it is read: the state of several
/// hundred phones arrives at once when the exchange restarts. The system may give less.
fn make_room(socket: &UdpSocket) {
    let socket = SockRef::from(socket);
    if let Err(error) = socket.set_recv_buffer_size(RECEIVE_BUFFER) {
        warn!(%error, "receive buffer");
    }
    debug!(bytes = socket.recv_buffer_size().unwrap_or(0), "receive buffer");
}

/// Puts every datagram into the inbox; while the inbox is nearly full they are dropped, as the network
/// may do at any time; [`Gauges::dropped`] counts them.
pub(crate) async fn receive(socket: Arc<UdpSocket>, inbox: mpsc::Sender<Event>, gauges: Arc<Gauges>) {
    let mut buffer = vec![0; 65_536];
    while !inbox.is_closed() {
        let (length, from) = match socket.recv_from(&mut buffer).await {
            Ok(read) => read,
            Err(error) => {
                // An ICMP error of an earlier send; the socket is as good as before.
                debug!(%error, "receive");
                continue;
            }
        };
        debug!(%from, line = %first_line(&buffer[..length]), "SIP in");
        let event = Event::Datagram { from, bytes: buffer[..length].into() };
        if !has_room(&inbox, length) || inbox.try_send(event).is_err() {
            let dropped = gauges.dropped.fetch_add(1, Ordering::Relaxed) + 1;
            if dropped.is_power_of_two() {
                warn!(dropped, "datagrams dropped: more arrive than the desk can take");
            }
        }
    }
}

fn has_room(inbox: &mpsc::Sender<Event>, length: usize) -> bool {
    let free = inbox.capacity();
    free > KEPT_FREE && (length <= LARGE || inbox.max_capacity() - free < LARGE_MAY_WAIT)
}

/// Sends one datagram without waiting. A full socket buffer loses it, and SIP sends it again.
pub(super) fn send(socket: &UdpSocket, to: SocketAddr, bytes: &[u8]) {
    match socket.try_send_to(bytes, to) {
        Ok(_) => debug!(%to, line = %first_line(bytes), "SIP out"),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => debug!(%to, "send buffer full"),
        Err(error) => debug!(%to, %error, "send"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_flood_leaves_room_for_the_operator_and_large_datagrams_stop_early() {
        let (inbox, _events) = mpsc::channel(1024);
        let fill = |length| {
            let mut count = 0;
            while has_room(&inbox, length) {
                inbox.try_send(Event::Stop).unwrap();
                count += 1;
            }
            count
        };
        assert_eq!(fill(65_535), LARGE_MAY_WAIT);
        assert_eq!(fill(1200), 1024 - LARGE_MAY_WAIT - KEPT_FREE);
        assert_eq!(inbox.capacity(), KEPT_FREE);
    }

    #[tokio::test]
    async fn the_same_port_serves_both_families() {
        let four = bind("0.0.0.0:0".parse().unwrap()).unwrap();
        let port = four.local_addr().unwrap().port();
        let six = bind(SocketAddr::from(([0_u16; 8], port))).unwrap();
        assert_eq!(six.local_addr().unwrap().port(), port);
    }
}
