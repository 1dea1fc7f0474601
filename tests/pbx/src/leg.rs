//! One simulated party's sound: RTP with G.711, a tone out, and an ear that tells frequencies.
//!
//! Not done here: jitter buffering (loopback delivers in order), Opus and G.722 (never offered), sending RTCP.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use audio_codec_algorithms::{decode_alaw, decode_ulaw, encode_alaw, encode_ulaw};
use rtp_types::{RtpPacket, RtpPacketBuilder};
use sip::{Codec, LocalMedia, Media};

use crate::tone::{self, Tone, WINDOW};

/// How often [`Leg::tick`] is to be called.
pub(crate) const TICK: Duration = Duration::from_millis(20);

/// Samples in a millisecond.
const PER_MS: u32 = tone::RATE / 1000;
/// Packets taken from a socket in one tick; more than a peer sends in a second.
const MOST_PER_TICK: usize = 64;
/// Changes of what was heard that are remembered.
const MOST_CHANGES: usize = 32;
/// Ticks without sound until silence is noted: half a second.
const SILENT_TICKS: u32 = 25;
/// Larger datagrams are no G.711 packet of at most 60 ms.
const MAX_PACKET: usize = 1500;

/// A pair of sockets, a mouth and an ear.
#[derive(Debug)]
pub(crate) struct Leg {
    rtp: UdpSocket,
    /// Bound so that nobody else gets the port beside ours; read and thrown away.
    rtcp: UdpSocket,
    tone: Tone,
    media: Option<Media>,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    owed_ms: u32,
    sent: u64,
    ear: Ear,
}

/// What a party hears.
#[derive(Debug, Default)]
struct Ear {
    samples: Vec<i16>,
    changes: VecDeque<Option<u32>>,
    level: Option<i32>,
    silent: u32,
    received: u64,
    strangers: u64,
}

impl Leg {
    /// Binds an even port for RTP and the odd one above for RTCP, and speaks at `hz` once told where to.
    ///
    /// # Errors
    /// No two such ports could be had.
    pub(crate) fn bind(ip: IpAddr, hz: u32, ssrc: u32) -> io::Result<Leg> {
        let (rtp, rtcp) = bind_pair(ip)?;
        rtp.set_nonblocking(true)?;
        rtcp.set_nonblocking(true)?;
        Ok(Leg {
            rtp,
            rtcp,
            tone: Tone::new(hz),
            media: None,
            ssrc,
            // Any start is random enough where nothing is encrypted (RFC 3550 section 5.1).
            sequence: (ssrc >> 16) as u16,
            timestamp: ssrc.rotate_left(7),
            owed_ms: 0,
            sent: 0,
            ear: Ear::default(),
        })
    }

    /// What to offer or answer with.
    ///
    /// # Errors
    /// The socket has lost its address.
    pub(crate) fn local(&self) -> io::Result<LocalMedia> {
        Ok(LocalMedia::plain(self.rtp.local_addr()?, vec![Codec::Pcma, Codec::Pcmu]))
    }

    /// What was agreed, now and after every change.
    pub(crate) fn agree(&mut self, media: Media) {
        self.media = Some(media);
    }

    /// Another frequency from now on.
    pub(crate) fn speak(&mut self, hz: u32) {
        self.tone = Tone::new(hz);
    }

    /// Listens to what has come and speaks what is due. Call every [`TICK`].
    pub(crate) fn tick(&mut self) {
        self.listen();
        self.talk();
    }

    /// Packets sent and received so far.
    pub(crate) fn packets(&self) -> (u64, u64) {
        (self.sent, self.ear.received)
    }

    /// Packets that were not from whom they should be.
    pub(crate) fn strangers(&self) -> u64 {
        self.ear.strangers
    }

    /// The frequency heard last, `None` for silence or no tone.
    pub(crate) fn hears(&self) -> Option<u32> {
        self.ear.changes.back().copied().flatten()
    }

    /// Loudness of the last half second in dBFS, `None` for digital silence or nothing.
    pub(crate) fn level(&self) -> Option<i32> {
        self.ear.level
    }

    /// Every change of what was heard, the first first.
    pub(crate) fn heard(&self) -> Vec<Option<u32>> {
        self.ear.changes.iter().copied().collect()
    }

    fn listen(&mut self) {
        let mut buffer = [0; MAX_PACKET + 1];
        for _ in 0..MOST_PER_TICK {
            if self.rtcp.recv_from(&mut buffer).is_err() {
                break;
            }
        }
        let mut any = false;
        for _ in 0..MOST_PER_TICK {
            // Errors are "nothing there" or an ICMP echo of a peer that has gone; both end this tick's reading.
            let Ok((length, from)) = self.rtp.recv_from(&mut buffer) else { break };
            any |= self.ear.take(self.media.as_ref(), from, &buffer[..length]);
        }
        self.ear.pause(any);
    }

    fn talk(&mut self) {
        let Some(media) = &self.media else { return };
        let to = media.remote_rtp;
        if !media.direction.sends() || to.ip().is_unspecified() || to.port() == 0 {
            self.owed_ms = 0;
            return;
        }
        let ptime = media.ptime_ms.clamp(10, 60);
        let (codec, payload_type) = (media.codec, media.remote_payload_type);
        self.owed_ms += TICK.as_millis() as u32;
        while self.owed_ms >= ptime {
            self.owed_ms -= ptime;
            self.send(to, codec, payload_type, ptime * PER_MS);
        }
    }

    fn send(&mut self, to: SocketAddr, codec: Codec, payload_type: u8, samples: u32) {
        let encode = if codec == Codec::Pcmu { encode_ulaw } else { encode_alaw };
        let payload: Vec<u8> = (0..samples).map(|_| encode(self.tone.sample())).collect();
        let packet = RtpPacketBuilder::new()
            .payload_type(payload_type)
            .marker_bit(self.sent == 0)
            .sequence_number(self.sequence)
            .timestamp(self.timestamp)
            .ssrc(self.ssrc)
            .payload(payload.as_slice())
            .write_vec();
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(samples);
        if let Ok(packet) = packet
            && self.rtp.send_to(&packet, to).is_ok()
        {
            self.sent += 1;
        }
    }
}

impl Ear {
    /// Takes one datagram; true when it was sound meant for us.
    fn take(&mut self, media: Option<&Media>, from: SocketAddr, datagram: &[u8]) -> bool {
        let Some(media) = media else { return false };
        if from.ip() != media.remote_rtp.ip() && !media.remote_rtp.ip().is_unspecified() {
            self.strangers += 1;
            return false;
        }
        let Ok(packet) = RtpPacket::parse(datagram) else { return false };
        if datagram.len() > MAX_PACKET || packet.payload_type() != media.payload_type {
            return false;
        }
        self.received += 1;
        let decode = if media.codec == Codec::Pcmu { decode_ulaw } else { decode_alaw };
        self.samples.extend(packet.payload().iter().map(|&code| decode(code)));
        while self.samples.len() >= WINDOW {
            let found = tone::dominant(&self.samples[..WINDOW]);
            self.level = tone::level(&self.samples[..WINDOW]);
            self.samples.drain(..WINDOW);
            self.note(found);
        }
        true
    }

    /// Notes silence when packets stop coming.
    fn pause(&mut self, any: bool) {
        self.silent = if any { 0 } else { self.silent.saturating_add(1) };
        if self.silent == SILENT_TICKS {
            self.samples.clear();
            self.level = None;
            self.note(None);
        }
    }

    fn note(&mut self, found: Option<u32>) {
        if self.changes.back() == Some(&found) {
            return;
        }
        if self.changes.len() == MOST_CHANGES {
            self.changes.pop_front();
        }
        self.changes.push_back(found);
    }
}

fn bind_pair(ip: IpAddr) -> io::Result<(UdpSocket, UdpSocket)> {
    let mut last = io::Error::other("no even port with a free one above");
    for _ in 0..64 {
        let rtp = UdpSocket::bind((ip, 0))?;
        let port = rtp.local_addr()?.port();
        if !port.is_multiple_of(2) || port == u16::MAX {
            continue;
        }
        match UdpSocket::bind((ip, port + 1)) {
            Ok(rtcp) => return Ok((rtp, rtcp)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use sip::Direction;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn media(to: &Leg, codec: Codec) -> Media {
        let payload_type = if codec == Codec::Pcmu { 0 } else { 8 };
        Media {
            remote_rtp: to.rtp.local_addr().unwrap(),
            remote_rtcp: None,
            rtcp_mux: false,
            codec,
            payload_type,
            remote_payload_type: payload_type,
            also: Vec::new(),
            dtmf_payload_type: None,
            dtmf_clock_hz: 8000,
            ptime_ms: 20,
            direction: Direction::SendRecv,
            opus: None,
            srtp: None,
        }
    }

    fn pair(codec: Codec) -> (Leg, Leg) {
        let (mut a, mut b) = (Leg::bind(HERE, 410, 1).unwrap(), Leg::bind(HERE, 2500, 2).unwrap());
        let (to_a, to_b) = (media(&a, codec), media(&b, codec));
        a.agree(to_b);
        b.agree(to_a);
        (a, b)
    }

    #[test]
    fn two_legs_hear_each_other() {
        for codec in [Codec::Pcma, Codec::Pcmu] {
            let (mut a, mut b) = pair(codec);
            for _ in 0..30 {
                a.tick();
                b.tick();
            }
            a.tick();
            assert_eq!((a.hears(), b.hears()), (Some(2500), Some(410)));
            assert_eq!(a.packets().0, 31);
        }
    }

    #[test]
    fn a_held_leg_says_nothing_and_the_other_notes_the_silence() {
        let (mut a, mut b) = pair(Codec::Pcma);
        for _ in 0..26 {
            a.tick();
            b.tick();
        }
        let mut held = a.media.clone().unwrap();
        held.direction = Direction::RecvOnly;
        a.agree(held);
        let sent = a.packets().0;
        for _ in 0..30 {
            a.tick();
            b.tick();
        }
        assert_eq!(a.packets().0, sent);
        assert_eq!(b.heard(), [Some(410), None]);
        assert_eq!(a.hears(), Some(2500));
    }

    #[test]
    fn rubbish_and_strangers_are_not_heard() {
        let mut ear = Ear::default();
        let (a, b) = pair(Codec::Pcma);
        let media = media(&b, Codec::Pcma);
        let stranger: SocketAddr = "192.0.2.7:4000".parse().unwrap();
        let packet =
            RtpPacketBuilder::<&[u8], &[u8]>::new().payload_type(8).payload(&[0; 160]).write_vec().unwrap();
        assert!(!ear.take(Some(&media), stranger, &packet));
        assert!(!ear.take(Some(&media), media.remote_rtp, b"no packet"));
        assert!(!ear.take(Some(&media), media.remote_rtp, &[0x80; MAX_PACKET + 1]));
        assert!(!ear.take(None, media.remote_rtp, &packet));
        assert!(ear.take(Some(&media), media.remote_rtp, &packet));
        assert_eq!((ear.received, ear.strangers), (1, 1));
        drop(a);
    }
}
