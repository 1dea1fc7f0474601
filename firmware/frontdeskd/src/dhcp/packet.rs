//! DHCP messages as bytes: what a server is asked, and what it answers, which may be anything at all. Pure.

use std::net::Ipv4Addr;

/// Ports of DHCP.
pub(super) const SERVER: u16 = 67;
const CLIENT: u16 = 68;
/// What is asked for: the TFTP server name, and vendor-specific information.
const WANTED: [u8; 2] = [66, 43];
/// As what the desk asks: servers choose vendor-specific information by it.
const VENDOR_CLASS: &[u8] = b"frontdesk";
const MAGIC: [u8; 4] = [99, 130, 83, 99];
const INFORM: u8 = 8;
const ACK: u8 = 5;
/// Shortest message that every relay takes, in bytes (RFC 1542).
const SHORTEST: usize = 300;

/// Options of an answer.
pub(super) type Options = Vec<(u8, Vec<u8>)>;

/// A DHCPINFORM.
pub(super) fn message(address: Ipv4Addr, hardware: [u8; 6], number: [u8; 4]) -> Vec<u8> {
    // A request, by Ethernet, with hardware addresses of six bytes, over no relay.
    let mut bytes = vec![1, 1, 6, 0];
    bytes.extend(number);
    bytes.extend([0; 4]);
    bytes.extend(address.octets());
    bytes.extend([0; 12]);
    bytes.extend(hardware);
    // The rest of the hardware address, and the names of a server and a file, which a request does not have.
    bytes.resize(236, 0);
    bytes.extend(MAGIC);
    bytes.extend([53, 1, INFORM]);
    bytes.extend([61, 7, 1]);
    bytes.extend(hardware);
    bytes.extend([60, VENDOR_CLASS.len() as u8]);
    bytes.extend(VENDOR_CLASS);
    bytes.extend([55, WANTED.len() as u8]);
    bytes.extend(WANTED);
    bytes.push(255);
    bytes.resize(bytes.len().max(SHORTEST), 0);
    bytes
}

/// The options of an IPv4 packet, if it is the answer to the message with this number that was sent from this port.
pub(super) fn answer(packet: &[u8], number: [u8; 4], port: u16) -> Option<Options> {
    let pair = |bytes: &[u8], at: usize| Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let head = usize::from(packet.first()? & 15) * 4;
    let is_udp = packet.first()? >> 4 == 4 && *packet.get(9)? == 17;
    let is_whole = pair(packet, 6)? & 0x3fff == 0;
    let datagram = packet.get(head..)?;
    let is_ours = pair(datagram, 0)? == SERVER && [CLIENT, port].contains(&pair(datagram, 2)?);
    if head < 20 || !is_udp || !is_whole || !is_ours {
        return None;
    }
    let message = datagram.get(8..usize::from(pair(datagram, 4)?))?;
    if *message.first()? != 2 || message.get(4..8)? != number || message.get(236..240)? != MAGIC {
        return None;
    }
    let options = options(message.get(240..)?);
    let is_ack = options.iter().any(|(code, value)| *code == 53 && *value == [ACK]);
    is_ack.then_some(options)
}

/// Options in their order; the parts of a long one are put together (RFC 3396).
pub(super) fn options(mut rest: &[u8]) -> Options {
    let mut found: Options = Vec::new();
    while let [code, more @ ..] = rest {
        match (*code, more) {
            (0, _) => rest = more,
            (255, _) | (_, []) => break,
            (code, [length, more @ ..]) => {
                let Some(value) = more.get(..usize::from(*length)) else { break };
                match found.iter_mut().find(|(known, _)| *known == code) {
                    Some((_, known)) => known.extend(value),
                    None => found.push((code, value.to_vec())),
                }
                rest = &more[value.len()..];
            }
        }
    }
    found
}

/// The options that are wanted, as networkd writes those that it keeps.
pub(super) fn lines(options: &[(u8, Vec<u8>)]) -> String {
    let wanted = options.iter().filter(|(code, _)| WANTED.contains(code));
    let line = |(code, value): &(u8, Vec<u8>)| {
        let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("OPTION_{code}={hex}\n")
    };
    wanted.map(line).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const NUMBER: [u8; 4] = [1, 2, 3, 4];
    const PORT: u16 = 40_000;

    /// What a server answers, as the packet socket hears it.
    fn packet(options: &[u8]) -> Vec<u8> {
        let mut message = message([192, 0, 2, 23].into(), [2; 6], NUMBER);
        message[0] = 2;
        message.truncate(240);
        message.extend(options);
        let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 23];
        packet.extend([0, 67, 0, 68]);
        packet.extend(u16::try_from(message.len() + 8).unwrap().to_be_bytes());
        packet.extend([0, 0]);
        packet.extend(message);
        packet
    }

    #[test]
    fn app_5_a_server_is_asked_by_a_message_that_takes_no_lease() {
        let message = message([192, 0, 2, 23].into(), [0x52, 0x54, 0, 0x12, 0x34, 0x56], NUMBER);
        assert_eq!(
            (message.len(), &message[4..8], &message[12..16]),
            (300, &NUMBER[..], &[192, 0, 2, 23][..])
        );
        let options = options(&message[240..]);
        let of =
            |code: u8| options.iter().find(|(known, _)| *known == code).map(|(_, value)| value.as_slice());
        assert_eq!((of(53), of(55), of(60)), (Some(&[INFORM][..]), Some(&WANTED[..]), Some(VENDOR_CLASS)));
        assert_eq!(of(61), Some(&[1, 0x52, 0x54, 0, 0x12, 0x34, 0x56][..]));
    }

    #[test]
    fn app_5_the_answer_is_told_from_everything_else_on_the_wire() {
        let said =
            packet(&[53, 1, ACK, 66, 4, b'b', b'o', b'o', b't', 0, 43, 1, 9, 66, 2, b'.', b'x', 255, 1]);
        let options = answer(&said, NUMBER, PORT).unwrap();
        assert_eq!(lines(&options), "OPTION_66=626f6f742e78\nOPTION_43=09\n");
        assert_eq!(answer(&said, [9; 4], PORT), None, "somebody else's");
        let mut to_the_port = said.clone();
        to_the_port[22..24].copy_from_slice(&PORT.to_be_bytes());
        assert_eq!(answer(&to_the_port, NUMBER, PORT), Some(options));
        assert_eq!(answer(&packet(&[53, 1, 6, 66, 1, b'x']), NUMBER, PORT), None, "a refusal");
        for (at, byte) in [(0, 0x65), (9, 6), (6, 0x20), (21, 66), (23, 67), (28, 1)] {
            let mut other = said.clone();
            other[at] = byte;
            assert_eq!(answer(&other, NUMBER, PORT), None, "{at}");
        }
        for length in 0..said.len() - 20 {
            let _ = answer(&said[..length], NUMBER, PORT);
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_heard_is_no_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            let _ = answer(&bytes, NUMBER, PORT);
            let _ = options(&bytes);
            let _ = answer(&packet(&bytes), NUMBER, PORT);
        }
    }
}
