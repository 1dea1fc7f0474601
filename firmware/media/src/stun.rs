//! How a server outside sees our two ports: STUN Binding requests (RFC 8489) from the very sockets that RTP and RTCP
//! will use.
//!
//! Pure: time and randomness are handed in, packets are handed out through a closure. A probe asks round after round for
//! as long as it is there, which keeps what a router remembers of the ports alive (RFC 6263 section 4.6). Not done here:
//! names of servers, TURN, ICE, authentication, and IP addresses in any other attribute than XOR-MAPPED-ADDRESS.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use crate::api::{Mapping, StunError};
use crate::stream::Wire;

/// The magic cookie (RFC 8489 section 5).
const COOKIE: u32 = 0x2112_A442;
const HEADER: usize = 20;
/// Methods and classes of messages: Binding request, and its two answers.
const REQUEST: u16 = 0x0001;
const SUCCESS: u16 = 0x0101;
const REFUSAL: u16 = 0x0111;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const ERROR_CODE: u16 = 0x0009;
/// Attributes below this one must be understood (RFC 8489 section 14) …
const OPTIONAL: u16 = 0x8000;
/// … except those of RFC 3489 that old servers add: MAPPED-ADDRESS, SOURCE-ADDRESS, CHANGED-ADDRESS.
const OLD: [u16; 3] = [0x0001, 0x0004, 0x0005];

/// When a request goes, from the beginning of its round: RTO is 500 ms and doubles (RFC 8489 section 6.2.1) …
const SENT_AT: [Duration; 3] = [Duration::ZERO, Duration::from_millis(500), Duration::from_millis(1500)];
/// … and when nobody waits for its answer any more.
const GIVEN_UP_AT: Duration = Duration::from_secs(2);
/// From one round to the next: routers forget a UDP port after 30 s at the least that is known of any.
const EVERY: Duration = Duration::from_secs(15);

/// Where requests go: port, destination, bytes.
pub(crate) type Ask<'a> = &'a mut dyn FnMut(Wire, SocketAddr, &[u8]);

/// Asks a server how it sees both ports of a stream.
pub(crate) struct Probe {
    server: SocketAddr,
    /// When the round began.
    began: Duration,
    rtp: Question,
    rtcp: Question,
    /// The round has come to its end.
    is_over: bool,
    told: Option<Result<Mapping, StunError>>,
}

/// One port's part of a round.
#[derive(Default)]
struct Question {
    transaction: [u8; 12],
    sent: usize,
    answer: Option<Result<SocketAddr, StunError>>,
}

impl Probe {
    /// Begins with the next [`Probe::tick`].
    pub(crate) fn new(now: Duration, server: SocketAddr, random: &mut dyn FnMut() -> u64) -> Probe {
        Probe {
            server,
            began: now,
            rtp: Question::new(random),
            rtcp: Question::new(random),
            is_over: false,
            told: None,
        }
    }

    /// Sends what is due. `Some` when a round has another end than the one before.
    pub(crate) fn tick(
        &mut self,
        now: Duration,
        random: &mut dyn FnMut() -> u64,
        ask: Ask<'_>,
    ) -> Option<Result<Mapping, StunError>> {
        let mut passed = now.saturating_sub(self.began);
        if passed >= EVERY {
            (self.began, passed, self.is_over) = (now, Duration::ZERO, false);
            (self.rtp, self.rtcp) = (Question::new(random), Question::new(random));
        }
        if self.is_over {
            return None;
        }
        let server = self.server;
        self.rtp.send(passed, &mut |bytes| ask(Wire::Rtp, server, bytes));
        self.rtcp.send(passed, &mut |bytes| ask(Wire::Rtcp, server, bytes));
        let late = passed >= GIVEN_UP_AT;
        let end = match (&self.rtp.answer, &self.rtcp.answer) {
            (Some(Ok(rtp)), Some(rtcp)) => Ok(Mapping { rtp: *rtp, rtcp: rtcp.as_ref().ok().copied() }),
            // A call can do without RTCP.
            (Some(Ok(rtp)), None) if late => Ok(Mapping { rtp: *rtp, rtcp: None }),
            (Some(Err(error)), _) => Err(*error),
            (None, _) if late => Err(StunError::Silent),
            _ => return None,
        };
        self.is_over = true;
        let is_news = self.told != Some(end);
        self.told = Some(end);
        is_news.then_some(end)
    }

    /// Takes a datagram, if it is an answer of the server to a request of ours. Whatever else comes is left alone.
    pub(crate) fn receive(&mut self, wire: Wire, from: SocketAddr, datagram: &[u8]) -> bool {
        if from.ip().to_canonical() != self.server.ip().to_canonical() || from.port() != self.server.port() {
            return false;
        }
        let question = match wire {
            Wire::Rtp => &mut self.rtp,
            Wire::Rtcp => &mut self.rtcp,
        };
        let Some(answer) = read(datagram, &question.transaction) else { return false };
        question.answer.get_or_insert(answer);
        true
    }
}

impl Question {
    fn new(random: &mut dyn FnMut() -> u64) -> Question {
        let mut transaction = [0; 12];
        transaction[..8].copy_from_slice(&random().to_be_bytes());
        transaction[8..].copy_from_slice(&random().to_be_bytes()[..4]);
        Question { transaction, ..Question::default() }
    }

    fn send(&mut self, passed: Duration, send: &mut dyn FnMut(&[u8])) {
        if self.answer.is_none() && SENT_AT.get(self.sent).is_some_and(|at| *at <= passed) {
            self.sent += 1;
            send(&request(&self.transaction));
        }
    }
}

fn request(transaction: &[u8; 12]) -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    bytes[..2].copy_from_slice(&REQUEST.to_be_bytes());
    bytes[4..8].copy_from_slice(&COOKIE.to_be_bytes());
    bytes[8..].copy_from_slice(transaction);
    bytes
}

/// What the answer to a transaction says; `None` for what is none. It begins with two zero bits, where RTP and RTCP
/// have their version (RFC 7983 section 7).
fn read(datagram: &[u8], transaction: &[u8; 12]) -> Option<Result<SocketAddr, StunError>> {
    let (header, body) = datagram.split_first_chunk::<HEADER>()?;
    let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let is_ours = header[4..8] == COOKIE.to_be_bytes() && header[8..] == transaction[..];
    if !is_ours || usize::from(word(2)) != body.len() || body.len() % 4 != 0 {
        return None;
    }
    match word(0) {
        SUCCESS => Some(mapped(body, transaction)),
        REFUSAL => Some(Err(StunError::Refused { code: code(body) })),
        _ => None,
    }
}

/// The attributes one by one, up to the first that is cut off.
fn attributes(mut body: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (head, rest) = body.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let value = rest.get(..length)?;
        body = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((u16::from_be_bytes([head[0], head[1]]), value))
    })
}

fn mapped(body: &[u8], transaction: &[u8; 12]) -> Result<SocketAddr, StunError> {
    let is_strange = |kind: u16| kind < OPTIONAL && kind != XOR_MAPPED_ADDRESS && !OLD.contains(&kind);
    // Who says what we must understand and do not, has not answered (RFC 8489 section 6.3.3).
    if attributes(body).any(|(kind, _)| is_strange(kind)) {
        return Err(StunError::Useless);
    }
    let mut found = attributes(body).filter(|(kind, _)| *kind == XOR_MAPPED_ADDRESS);
    found.next().and_then(|(_, value)| address(value, transaction)).ok_or(StunError::Useless)
}

/// XOR-MAPPED-ADDRESS (RFC 8489 section 14.2).
fn address(value: &[u8], transaction: &[u8; 12]) -> Option<SocketAddr> {
    let (head, ip) = value.split_first_chunk::<4>()?;
    let port = u16::from_be_bytes([head[2], head[3]]) ^ (COOKIE >> 16) as u16;
    let ip: IpAddr = match (head[1], ip.len()) {
        (1, 4) => Ipv4Addr::from(u32::from_be_bytes(ip.try_into().ok()?) ^ COOKIE).into(),
        (2, 16) => {
            let mut mask = [0; 16];
            mask[..4].copy_from_slice(&COOKIE.to_be_bytes());
            mask[4..].copy_from_slice(transaction);
            let ip = u128::from_be_bytes(ip.try_into().ok()?) ^ u128::from_be_bytes(mask);
            Ipv6Addr::from(ip).into()
        }
        _ => return None,
    };
    let is_usable = port != 0 && !ip.is_unspecified() && !ip.is_multicast();
    is_usable.then_some(SocketAddr::new(ip, port))
}

/// ERROR-CODE (RFC 8489 section 14.8); 0 where it says none.
fn code(body: &[u8]) -> u16 {
    let mut found = attributes(body).filter(|(kind, _)| *kind == ERROR_CODE);
    match found.next() {
        Some((_, [_, _, class, number, ..])) if (3..=6).contains(&(class & 7)) && *number < 100 => {
            u16::from(class & 7) * 100 + u16::from(*number)
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 3)), 3478);
    const SEEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)), 20_000);
    const SIX: SocketAddr =
        SocketAddr::new(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)), 20_001);

    type End = Result<Mapping, StunError>;
    type Body<'a> = &'a dyn Fn(&[u8]) -> Vec<u8>;

    fn dice() -> impl FnMut() -> u64 {
        let mut last = 7_u64;
        move || {
            last = last.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            last
        }
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = [kind.to_be_bytes(), (value.len() as u16).to_be_bytes()].concat();
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn xor(seen: SocketAddr, transaction: &[u8]) -> Vec<u8> {
        let mask = [&COOKIE.to_be_bytes(), transaction].concat();
        let (family, ip) = match seen.ip() {
            IpAddr::V4(ip) => (1, ip.octets().to_vec()),
            IpAddr::V6(ip) => (2, ip.octets().to_vec()),
        };
        let mut value = vec![0, family];
        value.extend((seen.port() ^ 0x2112).to_be_bytes());
        value.extend(ip.iter().zip(mask).map(|(byte, mask)| byte ^ mask));
        attribute(XOR_MAPPED_ADDRESS, &value)
    }

    fn message(kind: u16, transaction: &[u8], body: &[u8]) -> Vec<u8> {
        let head = [kind.to_be_bytes(), (body.len() as u16).to_be_bytes()].concat();
        [&head[..], &COOKIE.to_be_bytes(), transaction, body].concat()
    }

    fn answer(request: &[u8], seen: SocketAddr) -> Vec<u8> {
        // As coturn 4.6 has it: optional attributes behind it.
        let body = [xor(seen, &request[8..]), attribute(0x8022, b"Coturn"), attribute(1, &[0; 8])].concat();
        message(SUCCESS, &request[8..], &body)
    }

    /// A probe on a clock of 10 ms, whose server does what `serve` says of each request: when, port, answer.
    fn run(
        until: Duration,
        mut serve: impl FnMut(Duration, Wire, &[u8]) -> Option<Vec<u8>>,
    ) -> (Vec<(Duration, End)>, Vec<Duration>) {
        let mut dice = dice();
        let mut probe = Probe::new(Duration::ZERO, SERVER, &mut dice);
        let (mut ends, mut asked) = (Vec::new(), Vec::new());
        let mut now = Duration::ZERO;
        while now <= until {
            let mut wire = Vec::new();
            let end = probe.tick(now, &mut dice, &mut |port, to, bytes| {
                assert_eq!(to, SERVER);
                wire.push((port, bytes.to_vec()));
            });
            ends.extend(end.map(|end| (now, end)));
            for (port, request) in wire {
                if port == Wire::Rtp {
                    asked.push(now);
                }
                if let Some(answer) = serve(now, port, &request) {
                    assert!(probe.receive(port, SERVER, &answer));
                }
            }
            now += ms(10);
        }
        (ends, asked)
    }

    fn seen(rtp: SocketAddr, rtcp: Option<SocketAddr>) -> Result<Mapping, StunError> {
        Ok(Mapping { rtp, rtcp })
    }

    #[test]
    fn acc_5_both_ports_are_asked_about_and_told_once_for_as_long_as_they_stay() {
        let (ends, asked) = run(ms(40_000), |_, port, request| {
            Some(answer(request, if port == Wire::Rtp { SEEN } else { SIX }))
        });
        assert_eq!(ends, [(ms(10), seen(SEEN, Some(SIX)))]);
        assert_eq!(asked, [ms(0), ms(15_000), ms(30_000)]);
    }

    #[test]
    fn acc_5_a_lost_request_is_sent_again_and_a_silent_server_is_given_up_after_two_seconds() {
        let (ends, asked) = run(ms(3000), |now, _, request| (now >= ms(500)).then(|| answer(request, SEEN)));
        assert_eq!((ends, asked), (vec![(ms(510), seen(SEEN, Some(SEEN)))], vec![ms(0), ms(500)]));
        let (ends, asked) = run(ms(10_000), |_, _, _| None);
        assert_eq!(ends, [(ms(2000), Err(StunError::Silent))]);
        assert_eq!(asked, [ms(0), ms(500), ms(1500)]);
    }

    #[test]
    fn acc_5_a_mapping_that_changes_is_told_and_so_are_a_server_that_falls_silent_and_one_that_comes_back() {
        let other = SocketAddr::new(SEEN.ip(), 1024);
        let (ends, _) = run(ms(70_000), |now, _, request| match now.as_secs() {
            0..15 => Some(answer(request, SEEN)),
            15..30 => Some(answer(request, other)),
            30..50 => None,
            _ => Some(answer(request, SEEN)),
        });
        let told: Vec<_> = ends.into_iter().map(|(_, end)| end).collect();
        let silent = Err(StunError::Silent);
        assert_eq!(told, [seen(SEEN, Some(SEEN)), seen(other, Some(other)), silent, seen(SEEN, Some(SEEN))]);
    }

    #[test]
    fn acc_5_a_call_can_do_without_the_port_of_rtcp() {
        let (ends, _) = run(ms(3000), |_, port, request| (port == Wire::Rtp).then(|| answer(request, SEEN)));
        assert_eq!(ends, [(ms(2000), seen(SEEN, None))]);
    }

    #[test]
    fn acc_5_what_a_server_refuses_or_says_beside_the_point_is_no_mapping() {
        let refused = |request: &[u8]| message(REFUSAL, &request[8..], &attribute(ERROR_CODE, &[0, 0, 4, 1]));
        let (ends, _) = run(ms(100), |_, _, request| Some(refused(request)));
        assert_eq!(ends, [(ms(10), Err(StunError::Refused { code: 401 }))]);
        // RFC 8489 section 14.8 has 300 to 699.
        for (class, number, code) in [(3, 0, 300), (6, 99, 699), (2, 1, 0), (7, 0, 0), (4, 100, 0)] {
            assert_eq!(super::code(&attribute(ERROR_CODE, &[0, 0, class, number])), code);
        }
        let strange = |request: &[u8]| [xor(SEEN, &request[8..]), attribute(0x0016, &[0; 8])].concat();
        let bodies: [Body<'_>; 4] =
            [&|_| Vec::new(), &strange, &|_| attribute(XOR_MAPPED_ADDRESS, &[0, 1, 0, 0]), &|request| {
                xor(SocketAddr::new(SEEN.ip(), 0), &request[8..])
            }];
        for body in bodies {
            let (ends, _) =
                run(ms(100), |_, _, request| Some(message(SUCCESS, &request[8..], &body(request))));
            assert_eq!(ends, [(ms(10), Err(StunError::Useless))]);
        }
    }

    #[test]
    fn acc_5_what_is_no_answer_to_us_is_left_alone() {
        let mut dice = dice();
        let mut probe = Probe::new(Duration::ZERO, SERVER, &mut dice);
        let mut asked = Vec::new();
        probe.tick(Duration::ZERO, &mut dice, &mut |_, _, bytes| asked.push(bytes.to_vec()));
        let good = answer(&asked[0], SEEN);
        let stranger = SocketAddr::new(SERVER.ip(), 3479);
        assert!(!probe.receive(Wire::Rtp, stranger, &good));
        // The answer to the other port's question.
        assert!(!probe.receive(Wire::Rtcp, SERVER, &good));
        let mut speech = good.clone();
        speech[0] = 0x80;
        let mut forged = good.clone();
        forged[19] ^= 1;
        let mut old = good.clone();
        old[4] = 0;
        for wrong in [&speech[..], &forged, &old, &good[..good.len() - 4], &good[..19], &asked[0], &[]] {
            assert!(!probe.receive(Wire::Rtp, SERVER, wrong), "{wrong:?}");
        }
        assert!(probe.receive(Wire::Rtp, SERVER, &good));
    }

    #[test]
    fn acc_5_no_bytes_break_the_reader() {
        let mut dice = dice();
        let transaction = [7; 12];
        let whole = message(SUCCESS, &transaction, &[xor(SIX, &transaction), attribute(9, &[0; 5])].concat());
        for _ in 0..200_000 {
            let mut bytes = whole.clone();
            for _ in 0..1 + dice() % 4 {
                let at = (dice() as usize) % bytes.len();
                bytes[at] = (dice() >> 32) as u8;
            }
            bytes.truncate((dice() >> 20) as usize % (bytes.len() + 1));
            let _ = read(&bytes, &transaction);
            let _ = mapped(&bytes, &transaction);
            let _ = code(&bytes);
        }
    }
}
