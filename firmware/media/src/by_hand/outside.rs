//! Each reader of bytes from outside by itself, without sockets, devices and threads: the packets of one stream, the
//! answers of a STUN server, a file with music. For fuzz targets and other tests that hand in anything, by the million.

use std::net::SocketAddr;
use std::time::Duration;

use crate::api::{Event, Mapping, Remote, SoundError, SrtpKeys, Stats, StreamId, StunError};
use crate::frame::{FRAME, SILENCE};
use crate::hold::HoldSound;
use crate::srtp::{Guard, Kind};
use crate::stream::{Stream, Wire};
use crate::stun::Probe;

/// One stream that has the operator's ear. Its time is since its beginning.
pub struct StreamByHand {
    stream: Stream,
    hold: HoldSound,
}

impl StreamByHand {
    /// A stream to `remote`; `random` stands for the system's source. `None` where the keys have a wrong length.
    #[must_use]
    pub fn new(remote: Remote, random: u64) -> Option<Self> {
        let mut stream = Stream::new(StreamId(1), Duration::ZERO, Duration::ZERO, random);
        stream.connect(remote).ok()?;
        stream.set_live(true);
        Some(Self { stream, hold: HoldSound::Nothing })
    }

    /// A datagram has come to its RTP port.
    pub fn rtp(&mut self, now: Duration, from: SocketAddr, datagram: &[u8], events: &mut dyn FnMut(Event)) {
        self.stream.receive(now, from, datagram, events);
    }

    /// A datagram has come to its RTCP port.
    pub fn rtcp(&mut self, now: Duration, from: SocketAddr, datagram: &[u8]) {
        self.stream.receive_rtcp(now, from, datagram);
    }

    /// 10 ms pass in which the operator is silent: what is heard of the peer at 48 kHz, if it is heard; what is sent goes
    /// to `sent`.
    pub fn tick(
        &mut self,
        now: Duration,
        events: &mut dyn FnMut(Event),
        sent: &mut dyn FnMut(&[u8]),
    ) -> Option<[i16; FRAME]> {
        let heard = self.stream.play(now);
        self.stream.tick(now, &SILENCE, &mut self.hold, events, &mut |_, _, packet| sent(packet));
        heard
    }

    /// Its figures so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.stream.stats()
    }
}

/// The far end of an encrypted stream, which can seal any packet.
pub struct SealByHand(Guard);

impl SealByHand {
    /// With the keys of the far end. `None` where one has a wrong length.
    #[must_use]
    pub fn new(keys: SrtpKeys) -> Option<Self> {
        Guard::new(keys).ok().map(Self)
    }

    /// The packet as it goes over the wire; `None` of what is no packet at all.
    pub fn rtp(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        self.seal(Kind::Rtp, packet)
    }

    /// As [`SealByHand::rtp`], of RTCP.
    pub fn rtcp(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        self.seal(Kind::Rtcp, packet)
    }

    fn seal(&mut self, kind: Kind, packet: &[u8]) -> Option<Vec<u8>> {
        let mut packet = packet.to_vec();
        self.0.seal(kind, &mut packet).ok().map(|()| packet)
    }
}

/// One question to a STUN server, which asks how it sees two ports. Its time is since its beginning.
pub struct StunByHand {
    probe: Probe,
    random: u64,
}

impl StunByHand {
    /// Asks `server` from the first [`StunByHand::tick`] on; `random` is where its numbers begin.
    #[must_use]
    pub fn new(server: SocketAddr, mut random: u64) -> Self {
        let probe = Probe::new(Duration::ZERO, server, &mut || counted(&mut random));
        Self { probe, random }
    }

    /// Requests that are due go to `ask`, with whether they leave from the port of RTCP. `Some` when a round has another
    /// end than the one before.
    pub fn tick(
        &mut self,
        now: Duration,
        ask: &mut dyn FnMut(bool, &[u8]),
    ) -> Option<Result<Mapping, StunError>> {
        let random = &mut self.random;
        let mut ask = |wire: Wire, _: SocketAddr, bytes: &[u8]| ask(wire == Wire::Rtcp, bytes);
        self.probe.tick(now, &mut || counted(random), &mut ask)
    }

    /// A datagram has come to the port of RTCP, or to that of RTP. Whether it was an answer to a question of this round.
    pub fn receive(&mut self, at_rtcp: bool, from: SocketAddr, datagram: &[u8]) -> bool {
        let wire = if at_rtcp { Wire::Rtcp } else { Wire::Rtp };
        self.probe.receive(wire, from, datagram)
    }
}

/// Numbers that are never the same twice.
fn counted(random: &mut u64) -> u64 {
    *random = random.wrapping_add(1);
    *random
}

/// Reads a file with music or a message: its samples, mono at 48 kHz, in whole packets of 20 ms.
///
/// # Errors
/// As of [`crate::Media`] when it is given such a file.
pub fn sound_file(file: &[u8]) -> Result<Vec<i16>, SoundError> {
    crate::recording::samples(file)
}
