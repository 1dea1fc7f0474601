//! A far end on simulated time: it speaks in RTP by a clock of its own over a network of its own, and counts what comes.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::rc::Rc;
use std::time::Duration;

use media::{Codec, Direction, Remote};

use crate::dice::Dice;

/// Milliseconds in each of its packets.
const PTIME_MS: u32 = 20;
/// Bytes of an RTP header without contributors or extension (RFC 3550 section 5.1).
const HEADER: usize = 12;
/// What the network takes at least.
const WAY: Duration = Duration::from_millis(8);

/// What the network does with packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Network {
    /// Nothing.
    Even,
    /// Loses two in a hundred.
    Lossy,
    /// Delays each by up to 40 ms.
    Shaky,
    /// Both, and each hundredth waits up to 120 ms.
    Bad,
}

impl Network {
    pub(super) const ALL: [Network; 4] = [Network::Even, Network::Lossy, Network::Shaky, Network::Bad];

    pub(super) fn name(self) -> &'static str {
        match self {
            Network::Even => "even",
            Network::Lossy => "2 % lost",
            Network::Shaky => "jitter of 40 ms",
            Network::Bad => "jitter and loss",
        }
    }

    /// How long a packet takes; `None`: for ever.
    fn way(self, dice: &mut Dice) -> Option<Duration> {
        let lossy = matches!(self, Network::Lossy | Network::Bad);
        if lossy && dice.below(50) == 0 {
            return None;
        }
        let more = match self {
            Network::Even | Network::Lossy => 0,
            Network::Bad if dice.below(100) == 0 => dice.below(120_000),
            Network::Shaky | Network::Bad => dice.below(40_000),
        };
        Some(WAY + Duration::from_micros(more))
    }
}

/// The payloads of what a caller says, over and over.
pub(super) type Words = Rc<Vec<Vec<u8>>>;

/// A packet under way.
pub(super) struct Packet {
    pub(super) arrives: Duration,
    pub(super) bytes: Vec<u8>,
}

/// A far end.
pub(super) struct Caller {
    rtp: UdpSocket,
    rtcp: UdpSocket,
    desk: SocketAddr,
    pub(super) codec: Codec,
    pub(super) network: Network,
    words: Words,
    dice: Dice,
    /// Its next packet, by the true time, and its clock: the true time between two of its packets.
    pub(super) speaks_at: Duration,
    pace: Duration,
    said: u32,
    stamp: u32,
    ssrc: u32,
    /// What came: packets of RTP since the last look.
    heard: u32,
    pub(super) lost: u64,
}

impl Caller {
    /// One whose clock runs `ppm` millionths too fast.
    ///
    /// # Errors
    /// No free ports.
    pub(super) fn new(
        desk: SocketAddr,
        codec: Codec,
        network: Network,
        words: Words,
        (now, ppm): (Duration, i32),
        seed: u64,
    ) -> io::Result<Self> {
        let bind = || {
            let socket = UdpSocket::bind(("127.0.0.1", 0))?;
            socket.set_nonblocking(true)?;
            io::Result::Ok(socket)
        };
        let pace = Duration::from_secs_f64(f64::from(PTIME_MS) / 1000.0 / (1.0 + f64::from(ppm) * 1e-6));
        Ok(Self {
            rtp: bind()?,
            rtcp: bind()?,
            desk,
            codec,
            network,
            words,
            dice: Dice::new(seed),
            speaks_at: now + Duration::from_millis(seed % 20),
            pace,
            said: seed as u32 & 0xffff,
            stamp: (seed as u32).wrapping_mul(0x9e37_79b9),
            ssrc: seed as u32 | 1,
            heard: 0,
            lost: 0,
        })
    }

    /// What is agreed with it.
    ///
    /// # Errors
    /// Its sockets have no address.
    pub(super) fn remote(&self, direction: Direction) -> io::Result<Remote> {
        let payload_type = payload_type(self.codec);
        Ok(Remote {
            rtp: self.rtp.local_addr()?,
            rtcp: Some(self.rtcp.local_addr()?),
            rtcp_mux: false,
            srtp: None,
            codec: self.codec,
            payload_type,
            remote_payload_type: payload_type,
            also: Vec::new(),
            dtmf_payload_type: Some(101),
            dtmf_clock_hz: 8_000,
            ptime_ms: PTIME_MS,
            direction,
        })
    }

    /// Goes on in another codec.
    pub(super) fn change(&mut self, codec: Codec, words: Words) {
        (self.codec, self.words) = (codec, words);
    }

    /// Says its next packet; `None` when the network loses it.
    pub(super) fn speak(&mut self) -> Option<Packet> {
        let said = self.speaks_at;
        self.speaks_at += self.pace;
        let (number, stamp) = (self.said, self.stamp);
        self.said = self.said.wrapping_add(1);
        self.stamp = self.stamp.wrapping_add(PTIME_MS * self.codec.clock_rate() / 1000);
        let Some(way) = self.network.way(&mut self.dice) else {
            self.lost += 1;
            return None;
        };
        let payload = &self.words[number as usize % self.words.len()];
        let mut bytes = Vec::with_capacity(HEADER + payload.len());
        bytes.extend([0x80, payload_type(self.codec)]);
        bytes.extend((number as u16).to_be_bytes());
        bytes.extend(stamp.to_be_bytes());
        bytes.extend(self.ssrc.to_be_bytes());
        bytes.extend(payload);
        Some(Packet { arrives: said + way, bytes })
    }

    /// Brings a packet of its to the desk. False when the system does not take it.
    pub(super) fn deliver(&self, bytes: &[u8]) -> bool {
        self.rtp.send_to(bytes, self.desk).is_ok()
    }

    /// Takes what has come.
    pub(super) fn listen(&mut self) {
        let mut buffer = [0; 2048];
        while let Ok(length) = self.rtp.recv(&mut buffer) {
            self.heard += u32::from(length > HEADER);
        }
        while self.rtcp.recv(&mut buffer).is_ok() {}
    }

    /// Packets that came since it was last asked.
    pub(super) fn heard(&mut self) -> u32 {
        self.listen();
        std::mem::take(&mut self.heard)
    }
}

fn payload_type(codec: Codec) -> u8 {
    match codec {
        Codec::Pcmu => 0,
        Codec::Pcma => 8,
        Codec::G722 => 9,
        Codec::Opus => 111,
    }
}
