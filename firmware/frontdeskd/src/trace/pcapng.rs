//! Messages as a pcapng file (draft-ietf-opsawg-pcapng): one section, one interface of raw IP packets, microseconds.
//!
//! A message over a stream becomes one TCP segment or more, below which no connection is opened: what was encrypted is
//! shown in the clear, as the desk read it. Headers of IP, UDP and TCP are made up from the addresses, with their
//! checksums. Not done here: reading such files, and which messages are in one.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use sip::Transport;

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const PACKET: u32 = 6;
/// Tells a reader which end of a number comes first.
const BYTE_ORDER: u32 = 0x1a2b_3c4d;
/// LINKTYPE_RAW: packets begin with the IP header, of version 4 or 6.
const RAW: u16 = 101;
/// Options, their numbers per block.
const END: u16 = 0;
const COMMENT: u16 = 1;
const INTERFACE_NAME: u16 = 2;
const PACKET_FLAGS: u16 = 2;
const APPLICATION: u16 = 4;
const TIME_RESOLUTION: u16 = 9;

/// Bytes of a stream in one made-up segment.
const SEGMENT: usize = 32 * 1024;
/// The most a datagram can carry beside an IPv4 header: what is longer never was one.
const DATAGRAM: usize = 65_507;

const UDP: u8 = 17;
const TCP: u8 = 6;

/// One message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packet<'a> {
    /// Microseconds since 1970.
    pub(crate) at_us: u64,
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) transport: Transport,
    /// It was sent by the desk.
    pub(crate) is_out: bool,
    /// Bytes that went the same way in the stream before it.
    pub(crate) position: u32,
    pub(crate) message: &'a [u8],
    pub(crate) comment: &'a str,
}

/// What a file begins with; packets follow.
pub(crate) fn begin(out: &mut Vec<u8>) {
    block(out, SECTION, |out| {
        out.extend(BYTE_ORDER.to_le_bytes());
        out.extend(1_u16.to_le_bytes());
        out.extend(0_u16.to_le_bytes());
        // As long as the file is.
        out.extend(u64::MAX.to_le_bytes());
        option(out, APPLICATION, concat!("frontdeskd ", env!("CARGO_PKG_VERSION")).as_bytes());
        option(out, END, b"");
    });
    block(out, INTERFACE, |out| {
        out.extend(RAW.to_le_bytes());
        out.extend(0_u16.to_le_bytes());
        // No packet is cut.
        out.extend(0_u32.to_le_bytes());
        option(out, INTERFACE_NAME, b"SIP");
        option(out, TIME_RESOLUTION, &[6]);
        option(out, END, b"");
    });
}

/// Appends a message, which is cut to what a datagram can carry where it came as one.
pub(crate) fn append(out: &mut Vec<u8>, packet: &Packet<'_>) {
    if !packet.transport.is_stream() {
        let message = &packet.message[..packet.message.len().min(DATAGRAM)];
        return captured(out, packet, |out| ip(out, packet, UDP, &udp(packet, message)));
    }
    let mut position = packet.position;
    for part in packet.message.chunks(SEGMENT) {
        captured(out, packet, |out| ip(out, packet, TCP, &tcp(packet, position, part)));
        position = position.wrapping_add(u32::try_from(part.len()).unwrap_or(0));
    }
}

/// An Enhanced Packet Block.
fn captured(out: &mut Vec<u8>, packet: &Packet<'_>, bytes: impl FnOnce(&mut Vec<u8>)) {
    let mut data = Vec::with_capacity(packet.message.len() + 64);
    bytes(&mut data);
    let length = u32::try_from(data.len()).unwrap_or(0).to_le_bytes();
    block(out, PACKET, |out| {
        out.extend(0_u32.to_le_bytes());
        out.extend(((packet.at_us >> 32) as u32).to_le_bytes());
        out.extend((packet.at_us as u32).to_le_bytes());
        out.extend(length);
        out.extend(length);
        padded(out, &data);
        if !packet.comment.is_empty() {
            option(out, COMMENT, packet.comment.as_bytes());
        }
        let way: u32 = if packet.is_out { 2 } else { 1 };
        option(out, PACKET_FLAGS, &way.to_le_bytes());
        option(out, END, b"");
    });
}

/// A block: its kind, its length before and behind what is in it.
fn block(out: &mut Vec<u8>, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let begin = out.len();
    out.extend(kind.to_le_bytes());
    out.extend([0; 4]);
    body(out);
    let length = u32::try_from(out.len() - begin + 4).unwrap_or(0).to_le_bytes();
    out[begin + 4..begin + 8].copy_from_slice(&length);
    out.extend(length);
}

fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = &value[..value.len().min(usize::from(u16::MAX))];
    out.extend(code.to_le_bytes());
    out.extend(u16::try_from(value.len()).unwrap_or(0).to_le_bytes());
    padded(out, value);
}

/// Blocks and options begin at multiples of four.
fn padded(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(bytes);
    out.resize(out.len() + bytes.len().wrapping_neg() % 4, 0);
}

/// An IP header (RFC 791, RFC 8200) before what it carries, whose own checksum is at a place that its protocol says.
fn ip(out: &mut Vec<u8>, packet: &Packet<'_>, protocol: u8, carried: &[u8]) {
    let length = u16::try_from(carried.len()).unwrap_or(u16::MAX);
    let begin = out.len();
    let mut pseudo = Vec::with_capacity(40);
    match (packet.from.ip(), packet.to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            out.extend([0x45, 0]);
            out.extend(length.saturating_add(20).to_be_bytes());
            // No number, in one piece, 64 hops, and the checksum below.
            out.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
            out.extend(from.octets());
            out.extend(to.octets());
            let sum = checksum(&[&out[begin..]]).to_be_bytes();
            out[begin + 10..begin + 12].copy_from_slice(&sum);
            pseudo.extend(from.octets());
            pseudo.extend(to.octets());
            pseudo.extend([0, protocol]);
            pseudo.extend(length.to_be_bytes());
        }
        (from, to) => {
            let (from, to) = (six(from).octets(), six(to).octets());
            out.extend([0x60, 0, 0, 0]);
            out.extend(length.to_be_bytes());
            out.extend([protocol, 64]);
            out.extend(from);
            out.extend(to);
            pseudo.extend(from);
            pseudo.extend(to);
            pseudo.extend(u32::from(length).to_be_bytes());
            pseudo.extend([0, 0, 0, protocol]);
        }
    }
    let begin = out.len();
    out.extend(carried);
    let sum = checksum(&[&pseudo, carried]);
    // In UDP 0 stands for "none" (RFC 768).
    let sum = if protocol == UDP && sum == 0 { u16::MAX } else { sum };
    let place = begin + if protocol == UDP { 6 } else { 16 };
    out[place..place + 2].copy_from_slice(&sum.to_be_bytes());
}

fn udp(packet: &Packet<'_>, message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 8);
    out.extend(packet.from.port().to_be_bytes());
    out.extend(packet.to.port().to_be_bytes());
    out.extend(u16::try_from(message.len() + 8).unwrap_or(u16::MAX).to_be_bytes());
    out.extend([0, 0]);
    out.extend(message);
    out
}

fn tcp(packet: &Packet<'_>, position: u32, part: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(part.len() + 20);
    out.extend(packet.from.port().to_be_bytes());
    out.extend(packet.to.port().to_be_bytes());
    out.extend(position.wrapping_add(1).to_be_bytes());
    out.extend(1_u32.to_be_bytes());
    // Five words of header; push and acknowledge; a full window; no checksum yet, nothing urgent.
    out.extend([0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
    out.extend(part);
    out
}

fn six(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(four) => four.to_ipv6_mapped(),
        IpAddr::V6(six) => six,
    }
}

/// The Internet checksum (RFC 1071) over pieces that each are of even length, but for the last.
fn checksum(pieces: &[&[u8]]) -> u16 {
    let words = pieces.iter().flat_map(|piece| piece.chunks(2));
    let word = |word: &[u8]| u64::from(u16::from_be_bytes([word[0], word.get(1).copied().unwrap_or(0)]));
    let mut sum: u64 = words.map(word).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Code and value of each.
    type Options = Vec<(u16, Vec<u8>)>;

    /// A block as read back: kind and what is between its two lengths.
    fn blocks(mut file: &[u8]) -> Vec<(u32, Vec<u8>)> {
        let mut found = Vec::new();
        let word = |bytes: &[u8]| u32::from_le_bytes(bytes[..4].try_into().unwrap());
        while !file.is_empty() {
            let length = word(&file[4..]) as usize;
            assert!(length.is_multiple_of(4) && length >= 12, "{length}");
            assert_eq!(word(&file[length - 4..]) as usize, length, "both lengths agree");
            found.push((word(file), file[8..length - 4].to_vec()));
            file = &file[length..];
        }
        found
    }

    /// The packet in an Enhanced Packet Block, its time, and its options.
    fn packet(body: &[u8]) -> (u64, Vec<u8>, Options) {
        let word = |at: usize| u32::from_le_bytes(body[at..at + 4].try_into().unwrap());
        let (captured, original) = (word(12) as usize, word(16) as usize);
        assert_eq!((word(0), captured), (0, original));
        let mut rest = &body[20 + captured.next_multiple_of(4)..];
        let mut options = Vec::new();
        loop {
            let code = u16::from_le_bytes([rest[0], rest[1]]);
            let length = usize::from(u16::from_le_bytes([rest[2], rest[3]]));
            if code == END {
                assert_eq!((length, rest.len()), (0, 4));
                break;
            }
            options.push((code, rest[4..4 + length].to_vec()));
            rest = &rest[4 + length.next_multiple_of(4)..];
        }
        (u64::from(word(4)) << 32 | u64::from(word(8)), body[20..20 + captured].to_vec(), options)
    }

    /// What a packet carries, once every checksum and length in it was found to be right.
    fn carried(bytes: &[u8]) -> (SocketAddr, SocketAddr, u32, Vec<u8>) {
        let (protocol, rest, pseudo, from, to): (u8, &[u8], Vec<u8>, IpAddr, IpAddr) = if bytes[0] == 0x45 {
            assert_eq!(usize::from(u16::from_be_bytes([bytes[2], bytes[3]])), bytes.len());
            assert_eq!(checksum(&[&bytes[..20]]), 0, "IPv4 header");
            let four = |at: usize| IpAddr::from(<[u8; 4]>::try_from(&bytes[at..at + 4]).unwrap());
            let length = u16::try_from(bytes.len() - 20).unwrap().to_be_bytes();
            let pseudo = [&bytes[12..20], &[0, bytes[9]], &length].concat();
            (bytes[9], &bytes[20..], pseudo, four(12), four(16))
        } else {
            assert_eq!(bytes[0], 0x60);
            assert_eq!(usize::from(u16::from_be_bytes([bytes[4], bytes[5]])), bytes.len() - 40);
            let six = |at: usize| IpAddr::from(<[u8; 16]>::try_from(&bytes[at..at + 16]).unwrap());
            let length = u32::try_from(bytes.len() - 40).unwrap().to_be_bytes();
            let pseudo = [&bytes[8..40], &length, &[0, 0, 0, bytes[6]]].concat();
            (bytes[6], &bytes[40..], pseudo, six(8), six(24))
        };
        assert_eq!(checksum(&[&pseudo, rest]), 0, "UDP or TCP");
        let port = |at: usize| u16::from_be_bytes([rest[at], rest[at + 1]]);
        let (from, to) = (SocketAddr::new(from, port(0)), SocketAddr::new(to, port(2)));
        match protocol {
            UDP => {
                assert_eq!(usize::from(port(4)), rest.len());
                (from, to, 0, rest[8..].to_vec())
            }
            _ => (from, to, u32::from_be_bytes(rest[4..8].try_into().unwrap()), rest[20..].to_vec()),
        }
    }

    fn end() -> impl Strategy<Value = SocketAddr> {
        any::<(bool, [u8; 16], u16)>().prop_map(|(four, octets, port)| match four {
            true => SocketAddr::from(([octets[0], octets[1], octets[2], octets[3]], port)),
            false => SocketAddr::from((octets, port)),
        })
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_back(
            ends in (end(), end()),
            at_us in any::<u64>(),
            transport in prop::sample::select(vec![Transport::Udp, Transport::Tcp, Transport::Tls]),
            flags in any::<(bool, u32)>(),
            message in proptest::collection::vec(any::<u8>(), 1..70_000),
            comment in "\\PC{0,40}",
        ) {
            let ((from, to), (is_out, position)) = (ends, flags);
            let mut file = Vec::new();
            begin(&mut file);
            append(&mut file, &Packet { at_us, from, to, transport, is_out, position, message: &message, comment: &comment });
            let read = blocks(&file);
            prop_assert_eq!((read[0].0, read[1].0), (SECTION, INTERFACE));
            let mut whole = Vec::new();
            for (kind, body) in &read[2..] {
                prop_assert_eq!(*kind, PACKET);
                let (time, bytes, options) = packet(body);
                prop_assert_eq!(time, at_us);
                let (source, target, sequence, part) = carried(&bytes);
                let alike = |a: SocketAddr, b: SocketAddr| six(a.ip()) == six(b.ip()) && a.port() == b.port();
                prop_assert!(alike(source, from) && alike(target, to));
                if transport != Transport::Udp {
                    prop_assert_eq!(sequence, position.wrapping_add(1).wrapping_add(whole.len() as u32));
                }
                whole.extend(part);
                let said = options.iter().find(|(code, _)| *code == COMMENT).map(|(_, said)| said.clone());
                prop_assert_eq!(said.unwrap_or_default(), comment.as_bytes());
                let way = if is_out { 2_u32 } else { 1 };
                prop_assert!(options.contains(&(PACKET_FLAGS, way.to_le_bytes().to_vec())));
            }
            let kept = if transport == Transport::Udp { message.len().min(DATAGRAM) } else { message.len() };
            prop_assert_eq!(&whole, &message[..kept]);
        }
    }
}
