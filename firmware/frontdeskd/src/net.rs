//! The SIP socket and names: UDP in, UDP out, look-ups.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
};

use sip::ResolveId;
use socket2::SockRef;
use tokio::{net::UdpSocket, sync::mpsc};
use tracing::{debug, warn};

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

/// Most of a message's first line that goes into the log, in bytes.
const LONGEST_LINE: usize = 200;

/// Asks the system for room in which a burst of datagrams waits until it is read: the state of several
/// hundred phones arrives at once when the exchange restarts. The system may give less.
pub(crate) fn make_room(socket: &UdpSocket) {
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
pub(crate) fn send(socket: &UdpSocket, to: SocketAddr, bytes: &[u8]) {
    match socket.try_send_to(bytes, to) {
        Ok(_) => debug!(%to, line = %first_line(bytes), "SIP out"),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => debug!(%to, "send buffer full"),
        Err(error) => debug!(%to, %error, "send"),
    }
}

/// What a message is, for the log: its first line, never a header, where passwords' digests are.
fn first_line(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| b"\r\n".contains(byte)).unwrap_or(bytes.len()).min(LONGEST_LINE);
    let line = String::from_utf8_lossy(&bytes[..end]);
    line.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Looks a name up and puts the answer into the inbox.
pub(crate) fn resolve(id: ResolveId, host: String, port: Option<u16>, inbox: mpsc::Sender<Event>) {
    tokio::spawn(async move {
        let result = match tokio::net::lookup_host((host.as_str(), port.unwrap_or(5060))).await {
            Ok(addresses) => Ok(addresses.map(sip::Target::from).collect()),
            Err(error) => Err(error.to_string()),
        };
        let _ = inbox.send(Event::Resolved { id, result }).await;
    });
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn of_a_message_the_log_has_its_first_line_only() {
        let message =
            b"REGISTER sip:pbx.example SIP/2.0\r\nAuthorization: Digest response=\"secret\"\r\n\r\n";
        assert_eq!(first_line(message), "REGISTER sip:pbx.example SIP/2.0");
        assert_eq!(first_line(b""), "");
        assert_eq!(first_line(b"a\x1b[31m\xff"), "a\u{fffd}[31m\u{fffd}");
        assert_eq!(first_line(&[b'x'; 5000]).len(), LONGEST_LINE);
    }

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
}
