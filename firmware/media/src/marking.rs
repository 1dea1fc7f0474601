//! How routers are told that packets are speech: Expedited Forwarding (RFC 3246), as RFC 4594 section 4.1 has it for telephony.

use std::net::UdpSocket;

use socket2::SockRef;

/// The code point EF, 46, in the upper six bits of the octet (RFC 2474 section 3).
const EXPEDITED: u32 = 46 << 2;

/// Marks what is sent by `socket` from now on. A network that does not look at it, or a kernel that refuses it, loses
/// nothing but the precedence.
pub(crate) fn mark(socket: &UdpSocket) {
    let own = SockRef::from(socket);
    let v6 = socket.local_addr().is_ok_and(|address| address.is_ipv6());
    // What goes to an IPv4 address by an IPv6 socket has its IPv4 mark.
    let marked =
        own.set_tos_v4(EXPEDITED).and_then(|()| if v6 { own.set_tclass_v6(EXPEDITED) } else { Ok(()) });
    if let Err(error) = marked {
        tracing::debug!(%error, "packets of speech are not marked");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speech_is_marked_in_both_families() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let socket = UdpSocket::bind(address).expect("a free port");
            mark(&socket);
            let own = SockRef::from(&socket);
            assert_eq!(own.tos_v4().expect("an option"), 184, "{address}");
            if address.starts_with('[') {
                assert_eq!(own.tclass_v6().expect("an option"), 184);
            }
        }
    }
}
