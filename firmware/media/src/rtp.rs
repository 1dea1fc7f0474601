//! RTP (RFC 3550): whose packets are believed, in which order they are, and how ours are numbered.
//!
//! Pure: time, addresses and bytes are handed in. Not done here: buffering ([`crate::jitter`]), RTCP
//! ([`crate::rtcp`]), encryption ([`crate::srtp`]).
//!
//! Behind an address translator a peer names an address that nothing ever comes from. What really sends is believed in
//! its place only while nothing valid has come from the address that was named, and never when that names nowhere (hold);
//! whoever sends first from the named address after that is the peer for good. Encrypted packets prove who sent them.

use std::net::SocketAddr;
use std::time::Duration;

use rtp_types::{RtpPacket, RtpPacketBuilder};

/// Packets in a row from another address before what we send goes there.
const LATCH_AFTER: u32 = 4;
/// Packets in sequence of another SSRC before it replaces the current one (RFC 3550 A.1 MIN_SEQUENTIAL).
const PROBATION: u32 = 2;
/// A forward jump larger than this is a restart, not a loss (RFC 3550 A.1).
const MAX_DROPOUT: u16 = 3000;
/// A packet older than this is not a reordered one (RFC 3550 A.1).
const MAX_MISORDER: u16 = 100;
/// Numbers before they begin anew.
const ONE_CYCLE: u64 = 1 << 16;
/// Larger packets are no speech.
pub(crate) const MAX_PACKET: usize = 1500;

/// One packet taken from the wire.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Accepted<'a> {
    /// Sequence number that does not wrap.
    pub sequence: u64,
    pub timestamp: u32,
    pub payload_type: u8,
    pub marker: bool,
    pub payload: &'a [u8],
    /// The source began anew (first packet, other SSRC, or a jump): what was buffered is history.
    pub restarted: bool,
}

/// Why a packet was not taken.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Refused {
    /// From an address that was not negotiated.
    Stranger,
    /// Not RTP, an unknown payload type, or a source still on probation.
    Ignored,
}

/// The receiving half of a session.
pub(crate) struct Receiver {
    negotiated: SocketAddr,
    peer: SocketAddr,
    candidate: Option<(SocketAddr, u32)>,
    /// Something valid has come since the address was negotiated.
    heard: bool,
    source: Option<Source>,
    probation: Option<Probation>,
    received: u64,
    lost_before: u64,
}

/// What is known of the SSRC being listened to.
struct Source {
    ssrc: u32,
    first: u64,
    highest: u64,
    received: u64,
    transit: Option<f64>,
    jitter: f64,
    reported_expected: u64,
    reported_received: u64,
}

#[derive(PartialEq, Eq)]
struct Probation {
    ssrc: u32,
    next: u16,
    seen: u32,
}

/// The figures of an RTCP report block.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) struct Reception {
    pub ssrc: u32,
    pub fraction_lost: u8,
    pub lost: u64,
    pub highest: u32,
    /// In units of the RTP clock.
    pub jitter: u32,
}

impl Receiver {
    pub(crate) fn new(peer: SocketAddr) -> Receiver {
        Receiver {
            negotiated: canonical(peer),
            peer: canonical(peer),
            candidate: None,
            heard: false,
            source: None,
            probation: None,
            received: 0,
            lost_before: 0,
        }
    }

    /// The peer moved (re-INVITE). An unchanged address keeps the port that was latched.
    pub(crate) fn negotiate(&mut self, peer: SocketAddr) {
        if self.negotiated != canonical(peer) {
            self.negotiated = canonical(peer);
            self.peer = self.negotiated;
            self.candidate = None;
            self.heard = false;
        }
    }

    /// Judges one datagram. `payload_types` are those negotiated; `clock_rate` is in Hz; `proven` says that only the peer
    /// can have made it.
    pub(crate) fn receive<'a>(
        &mut self,
        now: Duration,
        from: SocketAddr,
        datagram: &'a [u8],
        payload_types: &[u8],
        clock_rate: u32,
        proven: bool,
    ) -> Result<Accepted<'a>, Refused> {
        let from = canonical(from);
        if !proven && !self.may_be_peer(from) {
            return Err(Refused::Stranger);
        }
        if datagram.len() > MAX_PACKET {
            return Err(Refused::Ignored);
        }
        let packet = RtpPacket::parse(datagram).map_err(|_| Refused::Ignored)?;
        if !payload_types.contains(&packet.payload_type()) || packet.payload_len() == 0 {
            return Err(Refused::Ignored);
        }
        if !self.latched(from) && !proven {
            return Err(if from.ip() == self.peer.ip() { Refused::Ignored } else { Refused::Stranger });
        }
        let (sequence, restarted) = self.place(&packet).ok_or(Refused::Ignored)?;
        self.received += 1;
        self.heard = true;
        if let Some(source) = &mut self.source {
            source.measure(now, packet.timestamp(), clock_rate);
        }
        let payload = &datagram[packet.payload_offset()..][..packet.payload_len()];
        Ok(Accepted {
            sequence,
            timestamp: packet.timestamp(),
            payload_type: packet.payload_type(),
            marker: packet.marker_bit(),
            payload,
            restarted,
        })
    }

    /// Figures for a report block since the last one (RFC 3550 section 6.4.1 and A.3).
    pub(crate) fn report(&mut self) -> Option<Reception> {
        let lost = self.lost();
        let source = self.source.as_mut()?;
        let expected = source.expected();
        let expected_now = expected - source.reported_expected;
        let received_now = source.received - source.reported_received;
        source.reported_expected = expected;
        source.reported_received = source.received;
        let missing = expected_now.saturating_sub(received_now);
        // At most 256 * missing / expected, so 255 after the clamp.
        let fraction_lost = (missing * 256).checked_div(expected_now).unwrap_or(0).min(255) as u8;
        Some(Reception {
            ssrc: source.ssrc,
            fraction_lost,
            lost,
            highest: source.reported(),
            jitter: source.jitter as u32,
        })
    }

    /// Where to send: the negotiated address, or the port the peer really sends from.
    pub(crate) fn peer(&self) -> SocketAddr {
        self.peer
    }

    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    pub(crate) fn lost(&self) -> u64 {
        let current = self.source.as_ref().map_or(0, |s| s.expected().saturating_sub(s.received));
        self.lost_before + current
    }

    /// Interarrival jitter in units of the RTP clock.
    pub(crate) fn jitter(&self) -> f64 {
        self.source.as_ref().map_or(0.0, |s| s.jitter)
    }

    /// Whether that is where the peer is, or was said to be.
    pub(crate) fn is_near(&self, from: SocketAddr) -> bool {
        let ip = from.ip().to_canonical();
        ip == self.peer.ip() || ip == self.negotiated.ip()
    }

    /// Whether anything from there is worth a look.
    fn may_be_peer(&self, from: SocketAddr) -> bool {
        let named = self.negotiated.ip();
        self.is_near(from) || (!self.heard && !named.is_unspecified())
    }

    /// True when `from` is the peer, possibly because its address has just been learnt.
    fn latched(&mut self, from: SocketAddr) -> bool {
        let returned = from.ip() == self.negotiated.ip() && from.ip() != self.peer.ip();
        if from == self.peer || returned {
            self.peer = from;
            self.candidate = None;
            return true;
        }
        if self.negotiated.ip().is_unspecified() {
            return false;
        }
        let seen = match self.candidate {
            Some((candidate, seen)) if candidate == from => seen + 1,
            _ => 1,
        };
        self.candidate = Some((from, seen));
        if seen < LATCH_AFTER {
            return false;
        }
        self.peer = from;
        self.candidate = None;
        true
    }

    /// Gives a packet its place in its source; `None` while the source is on probation.
    fn place(&mut self, packet: &RtpPacket<'_>) -> Option<(u64, bool)> {
        let (ssrc, number) = (packet.ssrc(), packet.sequence_number());
        let Some(source) = self.source.as_mut() else {
            self.adopt(ssrc, number);
            return Some((self.first(), true));
        };
        if source.ssrc == ssrc {
            let ahead = number.wrapping_sub(source.highest as u16);
            if ahead < MAX_DROPOUT {
                source.highest += u64::from(ahead);
                source.received += 1;
                self.probation = None;
                return Some((source.highest, false));
            }
            let behind = (source.highest as u16).wrapping_sub(number);
            if behind <= MAX_MISORDER {
                source.received += 1;
                return Some((source.highest.saturating_sub(u64::from(behind)), false));
            }
        }
        self.on_probation(ssrc, number)
    }

    fn on_probation(&mut self, ssrc: u32, number: u16) -> Option<(u64, bool)> {
        let seen = match &self.probation {
            Some(p) if p.ssrc == ssrc && p.next == number => p.seen + 1,
            _ => 1,
        };
        if seen >= PROBATION {
            self.adopt(ssrc, number);
            return Some((self.first(), true));
        }
        self.probation = Some(Probation { ssrc, next: number.wrapping_add(1), seen });
        None
    }

    fn adopt(&mut self, ssrc: u32, number: u16) {
        self.lost_before = self.lost();
        // One cycle up, so that a packet reordered before the first has a number too.
        let first = ONE_CYCLE + u64::from(number);
        self.probation = None;
        self.source = Some(Source {
            ssrc,
            first,
            highest: first,
            received: 1,
            transit: None,
            jitter: 0.0,
            reported_expected: 0,
            reported_received: 0,
        });
    }

    fn first(&self) -> u64 {
        self.source.as_ref().map_or(0, |s| s.first)
    }
}

impl Source {
    /// The highest number as the peer counts it, whose first packets are those of no cycle (RFC 3550 section 6.4.1).
    fn reported(&self) -> u32 {
        (self.highest - ONE_CYCLE) as u32
    }

    fn expected(&self) -> u64 {
        self.highest - self.first + 1
    }

    /// RFC 3550 A.8. Only differences of transit matter, so both clocks may start anywhere.
    fn measure(&mut self, now: Duration, timestamp: u32, clock_rate: u32) {
        let arrival = now.as_secs_f64() * f64::from(clock_rate);
        let transit = arrival - f64::from(timestamp);
        if let Some(last) = self.transit {
            let difference = (transit - last).abs();
            // A jump of ten seconds is a new timestamp base (or its wrap), not jitter.
            if difference < 10.0 * f64::from(clock_rate) {
                self.jitter += (difference - self.jitter) / 16.0;
            }
        }
        self.transit = Some(transit);
    }
}

/// The sending half: numbers and stamps our packets.
pub(crate) struct Sender {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    packets: u64,
    octets: u64,
}

impl Sender {
    /// `random` must be unpredictable on the wire (RFC 3550 section 5.1); any value will do in tests.
    pub(crate) fn new(random: u64) -> Sender {
        let mixed = random.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Sender {
            ssrc: (random >> 32) as u32 ^ random as u32,
            // Half the range, so that the sequence does not wrap at once (RFC 3711 section 3.3.1).
            sequence: (mixed >> 48) as u16 & 0x7FFF,
            timestamp: (mixed >> 8) as u32,
            packets: 0,
            octets: 0,
        }
    }

    /// Lets time pass: units of the RTP clock.
    pub(crate) fn advance(&mut self, units: u32) {
        self.timestamp = self.timestamp.wrapping_add(units);
    }

    /// Writes one packet into `out`, replacing what it held. `timestamp` is as [`Sender::timestamp`] gave it.
    pub(crate) fn write(
        &mut self,
        payload_type: u8,
        marker: bool,
        timestamp: u32,
        payload: &[u8],
        out: &mut Vec<u8>,
    ) {
        out.clear();
        let written = RtpPacketBuilder::<&[u8], &[u8]>::new()
            .payload_type(payload_type)
            .marker_bit(marker)
            .sequence_number(self.sequence)
            .timestamp(timestamp)
            .ssrc(self.ssrc)
            .payload(payload)
            .write_into_vec(out);
        debug_assert!(written.is_ok(), "payload types are checked when the stream is connected");
        self.sequence = self.sequence.wrapping_add(1);
        self.packets += 1;
        self.octets += payload.len() as u64;
    }

    pub(crate) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    pub(crate) fn timestamp(&self) -> u32 {
        self.timestamp
    }

    pub(crate) fn packets(&self) -> u64 {
        self.packets
    }

    pub(crate) fn octets(&self) -> u64 {
        self.octets
    }
}

/// `::ffff:a.b.c.d` and `a.b.c.d` are one address.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: &str = "127.0.0.1:4000";

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("a literal")
    }

    struct Peer(Sender, Vec<u8>);

    impl Peer {
        fn new(seed: u64) -> Peer {
            Peer(Sender::new(seed), Vec::new())
        }

        fn next(&mut self) -> Vec<u8> {
            self.0.advance(160);
            let timestamp = self.0.timestamp();
            self.0.write(0, false, timestamp, &[0xFF; 160], &mut self.1);
            self.1.clone()
        }
    }

    fn take(rx: &mut Receiver, n: u32, from: &str, packet: &[u8]) -> Result<(u64, bool), Refused> {
        let now = Duration::from_millis(20) * n;
        rx.receive(now, address(from), packet, &[0, 101], 8000, false).map(|a| (a.sequence, a.restarted))
    }

    #[test]
    fn numbers_packets_across_the_wrap_and_counts_loss() {
        let mut rx = Receiver::new(address(PEER));
        let mut peer = Peer::new(7);
        peer.0.sequence = 65_530;
        let mut last = None;
        for n in 0..20 {
            let packet = peer.next();
            if n % 10 == 5 {
                continue;
            }
            let (sequence, restarted) = take(&mut rx, n, PEER, &packet).expect("accepted");
            assert_eq!(restarted, n == 0);
            if let Some(last) = last {
                assert!(sequence > last);
            }
            last = Some(sequence);
        }
        assert_eq!(rx.received(), 18);
        assert_eq!(rx.lost(), 2);
        let report = rx.report().expect("a source");
        assert_eq!(report.fraction_lost, (2 * 256 / 20) as u8);
        assert_eq!(report.highest, 65_530 + 19, "one cycle, counted from none");
        assert_eq!(rx.report().expect("a source").fraction_lost, 0);
    }

    #[test]
    fn a_strangers_address_changes_nothing() {
        let mut rx = Receiver::new(address(PEER));
        let (mut peer, mut stranger) = (Peer::new(1), Peer::new(2));
        for n in 0..50 {
            assert_eq!(take(&mut rx, n, "127.0.0.9:4000", &stranger.next()), Err(Refused::Stranger));
            assert!(take(&mut rx, n, PEER, &peer.next()).is_ok());
        }
        assert_eq!(rx.peer(), address(PEER));
        assert_eq!(rx.lost(), 0);
    }

    #[test]
    fn another_port_is_latched_only_when_the_known_one_is_quiet() {
        let mut rx = Receiver::new(address(PEER));
        let (mut peer, mut other) = (Peer::new(1), Peer::new(2));
        for n in 0..20 {
            assert!(take(&mut rx, n, PEER, &peer.next()).is_ok());
            assert_eq!(take(&mut rx, n, "127.0.0.1:9", &other.next()), Err(Refused::Ignored));
        }
        for n in 20..23 {
            assert!(take(&mut rx, n, "127.0.0.1:5000", &peer.next()).is_err());
        }
        assert!(take(&mut rx, 23, "127.0.0.1:5000", &peer.next()).is_ok());
        assert_eq!(rx.peer(), address("127.0.0.1:5000"));
    }

    #[test]
    fn behind_a_translator_the_one_who_really_sends_is_found_once_and_the_named_address_has_the_last_word() {
        let mut rx = Receiver::new(address(PEER));
        let (mut hidden, mut stranger) = (Peer::new(1), Peer::new(2));
        for n in 0..3 {
            assert_eq!(take(&mut rx, n, "10.1.1.1:7000", &hidden.next()), Err(Refused::Stranger));
            assert_eq!(take(&mut rx, n, "10.9.9.9:7000", b"no packet at all"), Err(Refused::Ignored));
        }
        assert_eq!(rx.peer(), address(PEER));
        assert!(take(&mut rx, 3, "10.1.1.1:7000", &hidden.next()).is_ok());
        assert_eq!(rx.peer(), address("10.1.1.1:7000"));
        for n in 4..30 {
            assert_eq!(take(&mut rx, n, "10.9.9.9:7000", &stranger.next()), Err(Refused::Stranger));
            assert!(take(&mut rx, n, "10.1.1.1:7000", &hidden.next()).is_ok());
        }
        let mut named = Peer::new(3);
        assert_eq!(
            take(&mut rx, 30, PEER, &named.next()),
            Err(Refused::Ignored),
            "a new source, on probation"
        );
        assert!(take(&mut rx, 31, PEER, &named.next()).is_ok());
        assert_eq!(rx.peer(), address(PEER));
        for n in 32..60 {
            assert_eq!(take(&mut rx, n, "10.1.1.1:7000", &hidden.next()), Err(Refused::Stranger));
        }
        assert_eq!(rx.peer(), address(PEER));
    }

    #[test]
    fn on_hold_nobody_is_found() {
        let mut rx = Receiver::new(address("0.0.0.0:4000"));
        let mut peer = Peer::new(1);
        for n in 0..30 {
            assert_eq!(take(&mut rx, n, "10.1.1.1:7000", &peer.next()), Err(Refused::Stranger));
        }
        assert_eq!(rx.peer(), address("0.0.0.0:4000"));
    }

    #[test]
    fn a_peer_that_proves_itself_may_move() {
        let mut rx = Receiver::new(address(PEER));
        let mut peer = Peer::new(1);
        for n in 0..40_u32 {
            let from = address(if n < 20 { PEER } else { "10.1.1.1:7000" });
            let now = Duration::from_millis(20) * n;
            assert!(rx.receive(now, from, &peer.next(), &[0], 8000, true).is_ok(), "{n}");
            // One packet on a strange way is heard, but what we send does not follow it.
            assert_eq!(rx.peer() == address(PEER), n < 20 + LATCH_AFTER - 1, "{n}");
        }
        assert_eq!(rx.lost(), 0);
    }

    #[test]
    fn a_new_source_restarts_after_two_packets_in_sequence() {
        let mut rx = Receiver::new(address(PEER));
        let (mut old, mut new) = (Peer::new(1), Peer::new(2));
        assert!(take(&mut rx, 0, PEER, &old.next()).is_ok());
        assert_eq!(take(&mut rx, 1, PEER, &new.next()), Err(Refused::Ignored));
        assert!(take(&mut rx, 2, PEER, &new.next()).expect("adopted").1);
        assert!(!take(&mut rx, 3, PEER, &new.next()).expect("current").1);
    }

    #[test]
    fn a_jump_of_sequence_numbers_restarts_the_source() {
        let mut rx = Receiver::new(address(PEER));
        let mut peer = Peer::new(3);
        assert!(take(&mut rx, 0, PEER, &peer.next()).is_ok());
        peer.0.sequence = peer.0.sequence.wrapping_add(20_000);
        assert!(take(&mut rx, 1, PEER, &peer.next()).is_err());
        assert!(take(&mut rx, 2, PEER, &peer.next()).expect("adopted").1);
        assert_eq!(rx.lost(), 0);
    }

    #[test]
    fn rubbish_is_ignored() {
        let mut rx = Receiver::new(address(PEER));
        let good = Peer::new(1).next();
        let mut version = good.clone();
        version[0] = 0x40;
        let mut type_99 = good.clone();
        type_99[1] = 99;
        for bytes in [&[][..], &[0x80], &good[..11], &good[..12], &version, &type_99, &[0x80; 1501]] {
            assert_eq!(take(&mut rx, 0, PEER, bytes), Err(Refused::Ignored), "{} bytes", bytes.len());
        }
        let mut state = 1_u64;
        for length in 0..2000 {
            let bytes: Vec<u8> = (0..length % 97)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (state >> 56) as u8
                })
                .collect();
            let _ = take(&mut rx, 0, PEER, &bytes);
        }
        assert!(rx.received() <= 2000);
    }

    #[test]
    fn jitter_of_an_even_stream_is_zero_and_of_a_swinging_one_is_not() {
        let mut even = Receiver::new(address(PEER));
        let mut swinging = Receiver::new(address(PEER));
        let mut peer = Peer::new(5);
        for n in 0..200_u32 {
            let packet = peer.next();
            let base = Duration::from_millis(u64::from(20 * n));
            let swing = Duration::from_millis(if n % 2 == 0 { 0 } else { 10 });
            assert!(even.receive(base, address(PEER), &packet, &[0], 8000, false).is_ok());
            assert!(swinging.receive(base + swing, address(PEER), &packet, &[0], 8000, false).is_ok());
        }
        assert!(even.jitter() < 0.01);
        // Every difference is 10 ms, so the smoothed value approaches 80 units.
        assert!((swinging.jitter() - 80.0).abs() < 1.0);
    }
}
