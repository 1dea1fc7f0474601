//! One RTP stream: what arrives becomes frames and events, what is said becomes packets.
//!
//! Pure: time, randomness and datagrams are handed in, packets are handed out through a closure.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::api::{Codec, Event, Remote, Stats, StreamId};
use crate::codec;
use crate::comfort::{self, Comfort};
use crate::dtmf::{DigitReceiver, DigitSender, Heard};
use crate::frame::{FRAME_MS, Frame};
use crate::hold::{HoldSound, Next, Waiting};
use crate::link::{Link, Unconnected, packet_time};
use crate::recording::Recording;
use crate::rtcp::Reports;
use crate::rtp::{Refused, Sender};
use crate::srtp::{Kind, Sealed};

/// No packet for so long, and media is said to have stopped.
const QUIET_AFTER: Duration = Duration::from_secs(5);

/// The second byte of RTCP, which no RTP packet beside it has (RFC 5761 section 4).
const RTCP_TYPES: std::ops::RangeInclusive<u8> = 192..=223;

/// Which port a packet goes by.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Wire {
    Rtp,
    Rtcp,
}

/// Where packets go: kind, destination, bytes.
pub(crate) type Send<'a> = &'a mut dyn FnMut(Wire, SocketAddr, &[u8]);

/// One stream.
pub(crate) struct Stream {
    id: StreamId,
    link: Option<Link>,
    tx: Sender,
    reports: Reports,
    /// Speech goes both ways; otherwise the stream is on hold.
    live: bool,
    digits_out: DigitSender,
    digits_in: DigitReceiver,
    /// What it has heard on hold.
    waiting: Waiting,
    /// The next packet begins a talkspurt (RFC 3551 section 4.1).
    marker: bool,
    last_arrival: Option<Duration>,
    flowing: bool,
    strangers: u64,
    ignored: u64,
    forged: u64,
    replayed: u64,
    packet: Vec<u8>,
}

impl Stream {
    /// `epoch` is the time since 1900 when `now` was zero; `random` seeds SSRC, sequence and timestamp.
    pub(crate) fn new(id: StreamId, now: Duration, epoch: Duration, random: u64) -> Stream {
        Stream {
            id,
            link: None,
            tx: Sender::new(random),
            reports: Reports::new(now, epoch, random),
            live: false,
            digits_out: DigitSender::default(),
            digits_in: DigitReceiver::default(),
            waiting: Waiting::default(),
            marker: true,
            last_arrival: None,
            flowing: false,
            strangers: 0,
            ignored: 0,
            forged: 0,
            replayed: 0,
            packet: Vec::new(),
        }
    }

    /// Sets or changes the far end.
    ///
    /// # Errors
    /// Without its codec or its keys the stream is not connected at all, whatever it was before: what shall be encrypted
    /// does not go on in the clear.
    pub(crate) fn connect(&mut self, mut remote: Remote) -> Result<(), Unconnected> {
        remote.ptime_ms = packet_time(remote.codec, remote.ptime_ms);
        self.link = Some(match self.link.take() {
            None => Link::new(remote)?,
            Some(mut link) => {
                let other = link.remote.codec != remote.codec;
                link.change(remote)?;
                self.marker |= other;
                link
            }
        });
        Ok(())
    }

    /// Lets speech through both ways, or puts the stream on hold. True when this cut a message short.
    pub(crate) fn set_live(&mut self, live: bool) -> bool {
        if self.live == live {
            return false;
        }
        self.live = live;
        self.marker = true;
        if let Some(link) = &mut self.link {
            link.jitter.reset();
            link.heard.clear();
            link.spoken.clear();
        }
        if live {
            return self.waiting.end();
        }
        self.waiting.begin();
        false
    }

    /// True when what the far end says is to be heard.
    pub(crate) fn is_heard(&self) -> bool {
        self.live && self.link.as_ref().is_some_and(|link| link.remote.direction.receives())
    }

    /// Plays a message once to the far end, which must be on hold or just about to be. True when another is cut
    /// short by it.
    pub(crate) fn announce(&mut self, message: Arc<Recording>) -> bool {
        self.waiting.announce(message)
    }

    pub(crate) fn queue_digits(&mut self, digits: &str) {
        self.digits_out.queue(digits);
    }

    /// Takes a datagram from the RTP port.
    pub(crate) fn receive(
        &mut self,
        now: Duration,
        from: SocketAddr,
        datagram: &[u8],
        events: &mut dyn FnMut(Event),
    ) {
        let Some(link) = &mut self.link else {
            self.strangers += 1;
            return;
        };
        if link.remote.rtcp_mux && datagram.get(1).is_some_and(|second| RTCP_TYPES.contains(second)) {
            return self.receive_rtcp(now, from, datagram);
        }
        let opened = match link.open(Kind::Rtp, from, datagram) {
            Ok(opened) => opened,
            Err(sealed) => return self.count(sealed),
        };
        let (proven, datagram) = (opened.is_some(), opened.as_deref().unwrap_or(datagram));
        let (speech, codec) = (link.remote.payload_type, link.remote.codec);
        let noise = if Comfort::is(comfort::PAYLOAD_TYPE, codec) { comfort::PAYLOAD_TYPE } else { speech };
        let types = [speech, link.remote.dtmf_payload_type.unwrap_or(speech), noise];
        let packet = match link.rx.receive(now, from, datagram, &types, codec.clock_rate(), proven) {
            Ok(packet) => packet,
            Err(Refused::Stranger) => return self.strangers += 1,
            Err(Refused::Ignored) => return self.ignored += 1,
        };
        self.last_arrival = Some(now);
        if !self.flowing {
            self.flowing = true;
            events(Event::Media { stream: self.id, flowing: true });
        }
        if packet.restarted {
            link.jitter.reset();
            link.comfort = Comfort::new();
        }
        if Comfort::is(packet.payload_type, codec)
            && Some(packet.payload_type) != link.remote.dtmf_payload_type
        {
            link.comfort.receive(packet.sequence, packet.payload);
        } else if packet.payload_type != link.remote.payload_type {
            if let Some(heard) = self.digits_in.receive(now, packet.timestamp, packet.payload) {
                events(digit(self.id, heard, codec));
            }
        } else if self.live && link.remote.direction.receives() {
            match codec::duration(codec, packet.payload) {
                Some(units) => {
                    let sequence = link.comfort.speech(packet.sequence);
                    link.jitter.insert(now, sequence, packet.timestamp, units, packet.payload);
                }
                None => self.ignored += 1,
            }
        }
        link.give_back(opened);
    }

    /// Takes a datagram from the RTCP port.
    pub(crate) fn receive_rtcp(&mut self, now: Duration, from: SocketAddr, datagram: &[u8]) {
        let Some(link) = &mut self.link else {
            self.strangers += 1;
            return;
        };
        let opened = match link.open(Kind::Rtcp, from, datagram) {
            Ok(opened) => opened,
            Err(sealed) => return self.count(sealed),
        };
        let expected = link.rtcp_address().ip();
        if opened.is_some() || expected.to_canonical() == from.ip().to_canonical() {
            self.reports.receive(now, opened.as_deref().unwrap_or(datagram), self.tx.ssrc());
        } else {
            self.strangers += 1;
        }
        link.give_back(opened);
    }

    fn count(&mut self, sealed: Sealed) {
        match sealed {
            Sealed::Forged => self.forged += 1,
            Sealed::Replayed => self.replayed += 1,
            Sealed::Malformed => self.ignored += 1,
            Sealed::Strange => self.strangers += 1,
        }
    }

    /// The next 10 ms of what the far end says, if this stream is to be heard.
    pub(crate) fn play(&mut self, now: Duration) -> Option<Frame> {
        if !self.is_heard() {
            return None;
        }
        self.link.as_mut().map(|link| link.play(now))
    }

    /// Lets 10 ms pass, in which `voice` is to be heard at the far end.
    pub(crate) fn tick(
        &mut self,
        now: Duration,
        voice: &Frame,
        hold: &mut HoldSound,
        events: &mut dyn FnMut(Event),
        send: Send<'_>,
    ) {
        self.watch(now, events);
        let Some(link) = &mut self.link else { return };
        link.strange = 0;
        let per_ms = link.remote.codec.clock_rate() / 1000;
        let to = link.rx.peer();
        let reachable = !to.ip().is_unspecified() && to.port() != 0;
        if reachable && link.remote.direction.sends() {
            let announced = self.say(voice, hold, to, per_ms, send);
            if announced {
                events(Event::Announced { stream: self.id, complete: true });
            }
        }
        self.tx.advance(per_ms * FRAME_MS);
        if !self.live {
            self.waiting.elapse();
        }
        if reachable && self.reports.due(now) {
            self.report(now, false, send);
        }
    }

    /// Says goodbye.
    pub(crate) fn close(&mut self, now: Duration, send: Send<'_>) {
        let known = self.tx.packets() > 0 || self.last_arrival.is_some();
        if known {
            self.report(now, true, send);
        }
    }

    pub(crate) fn stats(&self) -> Stats {
        let mut stats = Stats {
            packets_sent: self.tx.packets(),
            strangers: self.strangers,
            ignored: self.ignored,
            forged: self.forged,
            replayed: self.replayed,
            round_trip_ms: self.reports.round_trip().map(|trip| trip.as_secs_f32() * 1000.0),
            remote_loss: self.reports.remote_loss(),
            ..Stats::default()
        };
        if let Some(link) = &self.link {
            let figures = link.jitter.figures();
            stats.codec = Some(link.remote.codec);
            stats.packets_received = link.rx.received();
            stats.lost = link.rx.lost();
            stats.late = figures.late;
            stats.duplicates = figures.duplicates;
            stats.ignored += figures.overflowed;
            stats.concealed_ms = figures.concealed_ms;
            stats.jitter_ms = (link.rx.jitter() * 1000.0 / f64::from(link.remote.codec.clock_rate())) as f32;
            stats.buffer_ms = link.jitter.depth_ms().max(0.0) as u32;
        }
        stats
    }

    fn watch(&mut self, now: Duration, events: &mut dyn FnMut(Event)) {
        if let (Some(heard), Some(link)) = (self.digits_in.tick(now), &self.link) {
            events(digit(self.id, heard, link.remote.codec));
        }
        if self.flowing && self.last_arrival.is_some_and(|last| now.saturating_sub(last) > QUIET_AFTER) {
            self.flowing = false;
            events(Event::Media { stream: self.id, flowing: false });
        }
    }

    /// Sends what is to be sent in these 10 ms: a digit, speech, or what is heard on hold. True when a message
    /// is over.
    fn say(
        &mut self,
        voice: &Frame,
        hold: &mut HoldSound,
        to: SocketAddr,
        per_ms: u32,
        send: Send<'_>,
    ) -> bool {
        let Some(link) = &mut self.link else { return false };
        let timestamp = self.tx.timestamp();
        if let Some(kind) = link.remote.dtmf_payload_type {
            let event = self.digits_out.tick(timestamp, per_ms);
            if let Some(event) = event {
                for copy in 0..event.copies {
                    let marker = event.marker && copy == 0;
                    self.tx.write(kind, marker, event.timestamp, &event.payload, &mut self.packet);
                    if link.seal(Kind::Rtp, &mut self.packet) {
                        send(Wire::Rtp, to, &self.packet);
                    }
                }
            }
            if event.is_some() || self.digits_out.is_sending() {
                link.spoken.clear();
                self.marker = true;
                return false;
            }
        }
        let (ready, announced) = if self.live {
            (link.speak(voice, timestamp), false)
        } else {
            link.spoken_at = timestamp;
            let (next, announced) = self.waiting.next(hold, &link.remote, &mut link.payload);
            if let Next::Packet { ms, first } = next {
                self.marker |= first;
                link.sent_until = Some(timestamp.wrapping_add(ms * per_ms));
            }
            (next != Next::Nothing, announced)
        };
        if ready {
            let kind = link.remote.remote_payload_type;
            self.tx.write(kind, self.marker, link.spoken_at, &link.payload, &mut self.packet);
            if link.seal(Kind::Rtp, &mut self.packet) {
                send(Wire::Rtp, to, &self.packet);
            }
            self.marker = false;
        }
        announced
    }

    fn report(&mut self, now: Duration, bye: bool, send: Send<'_>) {
        let Some(link) = &mut self.link else { return };
        self.reports.write(now, &self.tx, link.rx.report(), bye, &mut self.packet);
        let wire = if link.remote.rtcp_mux { Wire::Rtp } else { Wire::Rtcp };
        if link.seal(Kind::Rtcp, &mut self.packet) {
            send(wire, link.rtcp_address(), &self.packet);
        }
    }
}

fn digit(stream: StreamId, heard: Heard, codec: Codec) -> Event {
    let duration_ms = heard.duration / (codec.clock_rate() / 1000);
    Event::Digit { stream, digit: heard.digit, duration_ms }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::api::{Direction, Srtp, SrtpSuite};
    use crate::frame::SILENCE;
    use crate::hold::Pips;
    use crate::srtp::Guard;
    use crate::wav::WavOut;

    const EPOCH: Duration = Duration::from_secs(3_900_000_000);
    const A: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), 4000);
    const B: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)), 4000);

    /// Two streams and the network between them, on a clock of 10 ms ticks.
    struct Pair {
        a: Stream,
        b: Stream,
        hold: HoldSound,
        now: Duration,
        /// What is under way: when it arrives, from whom, what, bytes.
        wire: Vec<(Duration, SocketAddr, Wire, Vec<u8>)>,
        events: Vec<Event>,
        sent: u64,
        phase: f32,
        /// Timestamp and length of A's packets of speech and music.
        packets: Vec<(u32, u32)>,
    }

    fn remote(rtp: SocketAddr, codec: Codec) -> Remote {
        Remote {
            rtp,
            rtcp: None,
            codec,
            payload_type: 100,
            remote_payload_type: 100,
            dtmf_payload_type: Some(101),
            ptime_ms: 20,
            direction: Direction::SendRecv,
            rtcp_mux: false,
            srtp: None,
        }
    }

    impl Pair {
        fn new(codec: Codec) -> Pair {
            let mut a = Stream::new(StreamId(1), Duration::ZERO, EPOCH, 11);
            let mut b = Stream::new(StreamId(2), Duration::ZERO, EPOCH, 22);
            a.connect(remote(B, codec)).expect("a codec");
            b.connect(remote(A, codec)).expect("a codec");
            a.set_live(true);
            b.set_live(true);
            let (wire, events) = (Vec::new(), Vec::new());
            let hold = HoldSound::Beep(Pips::default());
            Pair { a, b, hold, now: Duration::ZERO, wire, events, sent: 0, phase: 0.0, packets: Vec::new() }
        }

        /// 10 ms in which A says `voice` and every packet of A's meets `fate`: a delay, or its loss.
        fn tick(&mut self, voice: &Frame, fate: impl Fn(u64) -> Option<Duration>) -> Frame {
            let now = self.now;
            let Pair { a, b, hold, wire, events, sent, packets, .. } = self;
            let codec = a.link.as_ref().map(|link| link.remote.codec);
            a.tick(now, voice, hold, &mut |e| events.push(e), &mut |kind, to, bytes| {
                assert_eq!(to.ip(), B.ip());
                *sent += 1;
                if kind == Wire::Rtp && bytes[1] & 0x7F == 100 {
                    let timestamp = u32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
                    let units = codec.and_then(|codec| codec::duration(codec, &bytes[12..]));
                    packets.push((timestamp, units.expect("a payload")));
                }
                if let Some(delay) = fate(*sent) {
                    wire.push((now + delay, A, kind, bytes.to_vec()));
                }
            });
            b.tick(now, &SILENCE, hold, &mut |e| events.push(e), &mut |kind, _, bytes| {
                wire.push((now + Duration::from_millis(30), B, kind, bytes.to_vec()));
            });
            self.deliver();
            let heard = self.b.play(now).unwrap_or(SILENCE);
            self.a.play(now);
            self.now += Duration::from_millis(10);
            heard
        }

        fn deliver(&mut self) {
            let now = self.now;
            let (due, rest) = std::mem::take(&mut self.wire).into_iter().partition(|(at, ..)| *at <= now);
            self.wire = rest;
            let due: Vec<(Duration, SocketAddr, Wire, Vec<u8>)> = due;
            for (at, from, kind, bytes) in due {
                let to = if from == A { &mut self.b } else { &mut self.a };
                match kind {
                    Wire::Rtp => to.receive(at, from, &bytes, &mut |e| self.events.push(e)),
                    Wire::Rtcp => to.receive_rtcp(at, from, &bytes),
                }
            }
        }

        fn hum(&mut self) -> Frame {
            std::array::from_fn(|_| {
                self.phase = (self.phase + 440.0 / 48_000.0) % 1.0;
                (10_000.0 * (self.phase * std::f32::consts::TAU).sin()) as i16
            })
        }

        /// Lets A hum for `ms`, and returns what B heard.
        fn run(&mut self, ms: u32, fate: impl Fn(u64) -> Option<Duration>) -> Vec<i16> {
            (0..ms / 10)
                .flat_map(|_| {
                    let voice = self.hum();
                    self.tick(&voice, &fate)
                })
                .collect()
        }
    }

    fn at_once(_: u64) -> Option<Duration> {
        Some(Duration::from_millis(2))
    }

    fn rms(samples: &[i16]) -> f32 {
        (samples.iter().map(|&s| f32::from(s).powi(2)).sum::<f32>() / samples.len() as f32).sqrt()
    }

    /// Share of 440 Hz, in pieces of 50 ms.
    fn share(samples: &[i16]) -> f64 {
        let (mut tone, mut all) = (0.0, 1e-9);
        for piece in samples.chunks_exact(2400) {
            let (mut re, mut im) = (0.0, 0.0);
            for (n, &s) in piece.iter().enumerate() {
                let angle = std::f64::consts::TAU * 440.0 * n as f64 / 48_000.0;
                re += f64::from(s) * angle.cos();
                im += f64::from(s) * angle.sin();
            }
            tone += 2.0 * (re * re + im * im) / piece.len() as f64;
            all += piece.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>();
        }
        tone / all
    }

    #[test]
    fn speech_takes_at_most_sixty_milliseconds_from_frame_to_frame() {
        for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus] {
            let mut pair = Pair::new(codec);
            // First a second of breath, so that the jitter buffer has settled.
            let breath: Frame = std::array::from_fn(|n| (n % 7) as i16);
            for _ in 0..150 {
                pair.tick(&breath, at_once);
            }
            let delay = (0..20).position(|_| {
                let voice = pair.hum();
                pair.tick(&voice, at_once).iter().any(|s| s.abs() > 2000)
            });
            // The frame being heard began one frame ago.
            assert!(delay.is_some_and(|frames| (frames + 1) * 10 <= 60), "{codec:?}: {delay:?}");
        }
    }

    #[test]
    fn one_packet_in_ten_may_be_lost() {
        // Opus repairs with a coarse copy, which a bare tone shows more than speech does.
        for (codec, purity) in [(Codec::Pcma, 0.95), (Codec::G722, 0.9), (Codec::Opus, 0.85)] {
            let mut pair = Pair::new(codec);
            pair.run(1000, at_once);
            let heard = pair.run(5000, |n| (n % 10 != 3).then_some(Duration::from_millis(5)));
            assert!(share(&heard) > purity, "{codec:?}: {}", share(&heard));
            assert!(rms(&heard) > 6000.0, "{codec:?}: {}", rms(&heard));
            let stats = pair.b.stats();
            assert!((20..=30).contains(&stats.lost), "{stats:?}");
            assert!((400..=700).contains(&stats.concealed_ms), "{stats:?}");
        }
    }

    #[test]
    fn swinging_delays_are_ironed_out() {
        for codec in [Codec::Pcmu, Codec::Opus] {
            let mut pair = Pair::new(codec);
            let swing = |n: u64| Some(Duration::from_millis(n * 7919 % 41));
            pair.run(3000, swing);
            let heard = pair.run(5000, swing);
            assert!(share(&heard) > 0.95, "{codec:?}: {}", share(&heard));
        }
    }

    #[test]
    fn reports_tell_both_sides_the_round_trip() {
        let mut pair = Pair::new(Codec::Pcmu);
        pair.run(20_000, at_once);
        let trip = pair.a.stats().round_trip_ms.expect("reports were exchanged");
        // 2 ms there, 30 ms back.
        assert!((31.5..=45.0).contains(&trip), "{trip}");
        assert_eq!(pair.a.stats().remote_loss, Some(0.0));
    }

    #[test]
    fn a_strangers_flood_is_counted_and_not_heard() {
        let mut pair = Pair::new(Codec::Pcmu);
        pair.run(1000, at_once);
        let stranger = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 9, 9, 9)), 4000);
        let mut forged = Vec::new();
        Sender::new(5).write(100, false, 0, &[0x80; 160], &mut forged);
        let mut heard = Vec::new();
        for _ in 0..200 {
            for _ in 0..50 {
                pair.b.receive(pair.now, stranger, &forged, &mut |_| {});
                pair.b.receive_rtcp(pair.now, stranger, &forged);
                pair.b.receive(pair.now, A, &forged[..9], &mut |_| {});
            }
            let voice = pair.hum();
            heard.extend(pair.tick(&voice, at_once));
        }
        assert!(share(&heard) > 0.99, "{}", share(&heard));
        let stats = pair.b.stats();
        assert_eq!((stats.strangers, stats.ignored, stats.lost), (20_000, 10_000, 0));
    }

    /// Encrypts what two streams say; the keys are those of `local` and its mirror.
    fn encrypt(pair: &mut Pair, a: u8, b: u8) {
        let keys = |local, remote| Srtp {
            suite: SrtpSuite::Aes128Sha1_80,
            local: vec![local; 30],
            remote: vec![remote; 30],
        };
        let secured = |to, srtp| Remote { srtp: Some(srtp), rtcp_mux: true, ..remote(to, Codec::G722) };
        pair.a.connect(secured(B, keys(a, b))).expect("keys");
        pair.b.connect(secured(A, keys(b, a))).expect("keys");
    }

    #[test]
    fn an_encrypted_stream_is_heard_and_reports_on_one_port() {
        let mut pair = Pair::new(Codec::G722);
        encrypt(&mut pair, 1, 2);
        pair.run(1000, at_once);
        let heard = pair.run(12_000, at_once);
        assert!(share(&heard) > 0.99, "{}", share(&heard));
        assert!(pair.a.stats().round_trip_ms.is_some(), "reports were opened");
        // New keys at both ends: nothing is lost but what is under way.
        encrypt(&mut pair, 3, 4);
        let heard = pair.run(1000, at_once);
        assert!(share(&heard) > 0.9, "{}", share(&heard));
        let stats = pair.b.stats();
        assert_eq!((stats.strangers, stats.ignored, stats.replayed), (0, 0, 0), "{stats:?}");
        assert!(stats.forged <= 4, "{stats:?}");
    }

    #[test]
    fn nothing_of_an_encrypted_stream_is_plain_and_nothing_plain_is_taken() {
        let mut pair = Pair::new(Codec::G722);
        encrypt(&mut pair, 1, 2);
        pair.run(500, at_once);
        let before = pair.b.stats();
        let mut plain = Vec::new();
        Sender::new(5).write(100, false, 0, &[0x80; 160], &mut plain);
        pair.b.receive(pair.now, A, &plain, &mut |_| {});
        pair.b.receive_rtcp(pair.now, A, &[0x80, 201, 0, 1, 0, 0, 0, 1]);
        pair.b.receive_rtcp(
            pair.now,
            A,
            &[0x80, 201, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        );
        let stats = pair.b.stats();
        assert_eq!(stats.packets_received, before.packets_received);
        assert_eq!((stats.forged - before.forged, stats.ignored - before.ignored), (2, 1), "{stats:?}");
        // Digits, speech, what is heard on hold, reports and the farewell.
        pair.a.queue_digits("1");
        let mut sent = Vec::new();
        let (mut hold, now) = (HoldSound::Music(music()), pair.now);
        for n in 0..1200_u32 {
            pair.a.set_live(n < 400);
            let voice = pair.hum();
            let at = now + Duration::from_millis(10) * n;
            pair.a.tick(at, &voice, &mut hold, &mut |_| {}, &mut |_, _, bytes| sent.push(bytes.to_vec()));
        }
        pair.a.close(now + Duration::from_secs(13), &mut |_, _, bytes| sent.push(bytes.to_vec()));
        assert!(sent.len() > 500, "{}", sent.len());
        let mut wrong =
            Guard::new(Srtp { suite: SrtpSuite::Aes128Sha1_80, local: vec![1; 30], remote: vec![9; 30] });
        let mut right =
            Guard::new(Srtp { suite: SrtpSuite::Aes128Sha1_80, local: vec![2; 30], remote: vec![1; 30] });
        let (wrong, right) = (wrong.as_mut().expect("keys"), right.as_mut().expect("keys"));
        let mut reports = 0;
        for bytes in &sent {
            let kind = if RTCP_TYPES.contains(&bytes[1]) { Kind::Rtcp } else { Kind::Rtp };
            reports += u32::from(kind == Kind::Rtcp);
            assert!(wrong.open(kind, bytes).is_err() && right.open(kind, bytes).is_ok(), "{kind:?}");
        }
        assert!(reports >= 2, "{reports}");
    }

    #[test]
    fn an_encrypted_peer_that_moves_is_followed_and_a_strangers_flood_is_hardly_looked_at() {
        let mut pair = Pair::new(Codec::G722);
        encrypt(&mut pair, 1, 2);
        pair.run(500, at_once);
        let before = pair.b.stats();
        let place = |host| SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 5, 5, host)), 7000);
        let mut forged = Vec::new();
        Sender::new(5).write(100, false, 0, &[0x80; 160], &mut forged);
        let mut goes = Vec::new();
        for _ in 0..20 {
            let voice = pair.hum();
            let Pair { a, b, hold, now, .. } = &mut pair;
            let mut sent = Vec::new();
            a.tick(*now, &voice, hold, &mut |_| {}, &mut |_, _, bytes| sent.push(bytes.to_vec()));
            for bytes in &sent {
                b.receive(*now, place(1), bytes, &mut |_| {});
            }
            for _ in 0..100 {
                b.receive(*now, place(2), &forged, &mut |_| {});
            }
            b.play(*now);
            b.tick(*now, &voice, hold, &mut |_| {}, &mut |_, to, _| goes.push(to));
            *now += Duration::from_millis(10);
        }
        assert_eq!((goes.first(), goes.last()), (Some(&A), Some(&place(1))));
        let stats = pair.b.stats();
        assert_eq!(stats.packets_received - before.packets_received, 10);
        assert!((200..=320).contains(&stats.forged), "{stats:?}");
        assert_eq!(stats.forged + stats.strangers, 2000, "{stats:?}");
    }

    #[test]
    fn keys_that_are_none_make_a_stream_silent_and_not_plain() {
        let mut pair = Pair::new(Codec::Pcmu);
        let bad = Srtp { suite: SrtpSuite::Aes256Sha1_80, local: vec![1; 30], remote: vec![2; 30] };
        let broken = Remote { srtp: Some(bad), ..remote(B, Codec::Pcmu) };
        assert!(pair.a.connect(broken.clone()).is_err());
        pair.run(6000, at_once);
        assert_eq!(pair.sent, 0);
        let mut fresh = Stream::new(StreamId(3), Duration::ZERO, EPOCH, 33);
        assert!(fresh.connect(broken).is_err());
    }

    #[test]
    fn media_is_said_to_flow_and_to_stop() {
        let mut pair = Pair::new(Codec::Pcmu);
        pair.run(500, at_once);
        let flows = |flowing| Event::Media { stream: StreamId(2), flowing };
        assert_eq!(pair.events.iter().filter(|e| **e == flows(true)).count(), 1);
        pair.run(4000, |_| None);
        assert!(!pair.events.contains(&flows(false)));
        pair.run(2000, |_| None);
        assert_eq!(pair.events.iter().filter(|e| **e == flows(false)).count(), 1);
        pair.run(500, at_once);
        assert_eq!(pair.events.iter().filter(|e| **e == flows(true)).count(), 2);
    }

    #[test]
    fn digits_interrupt_speech_and_arrive_while_on_hold_too() {
        let mut pair = Pair::new(Codec::Opus);
        pair.run(500, at_once);
        pair.a.queue_digits("19");
        pair.run(600, at_once);
        pair.a.set_live(false);
        pair.a.queue_digits("#");
        pair.run(600, at_once);
        let digits: String = pair
            .events
            .iter()
            .filter_map(|e| match e {
                Event::Digit { stream: StreamId(2), digit, duration_ms: 100 } => Some(*digit),
                _ => None,
            })
            .collect();
        assert_eq!(digits, "19#");
    }

    #[test]
    fn on_hold_there_are_pips_or_nothing_and_speech_returns() {
        for (hold, loudest, sent) in
            [(HoldSound::Beep(Pips::default()), 1000.0, 28), (HoldSound::Nothing, 0.0, 0)]
        {
            let mut pair = Pair::new(Codec::Pcma);
            pair.hold = hold;
            pair.run(1000, at_once);
            pair.a.set_live(false);
            pair.run(500, at_once);
            let before = pair.a.stats().packets_sent;
            let heard = pair.run(10_000, at_once);
            let peak = heard.iter().map(|s| f32::from(s.abs())).fold(0.0, f32::max);
            assert!(peak >= loudest && peak < 4000.0, "{peak}");
            let packets = pair.a.stats().packets_sent - before;
            assert_eq!(packets, sent);
            pair.a.set_live(true);
            pair.run(500, at_once);
            assert!(share(&pair.run(1000, at_once)) > 0.95);
        }
    }

    /// A recording of 400 ms at 440 Hz.
    fn music() -> Arc<Recording> {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("music.wav");
        let mut out = WavOut::open(path.to_str().expect("a plain path"), false).expect("opens");
        let mut pair = Pair::new(Codec::Pcmu);
        (0..40).for_each(|_| out.write(&pair.hum()).expect("writes"));
        drop(out);
        Arc::new(Recording::open(&path).expect("a recording"))
    }

    #[test]
    fn music_on_hold_is_heard_whatever_the_packet_time_and_no_moment_is_sent_twice() {
        for (codec, ptime_ms) in [
            (Codec::Pcmu, 10),
            (Codec::Pcma, 60),
            (Codec::Pcma, 30),
            (Codec::G722, 20),
            (Codec::Opus, 10),
            (Codec::Opus, 60),
        ] {
            let mut pair = Pair::new(codec);
            pair.hold = HoldSound::Music(music());
            let mut to_b = remote(B, codec);
            to_b.ptime_ms = ptime_ms;
            pair.a.connect(to_b).expect("a codec");
            pair.run(500, at_once);
            // Retrieved at every moment of a packet.
            for late in 0..6 {
                pair.a.set_live(false);
                pair.run(2000 + late * 10, at_once);
                let heard = pair.run(1000, at_once);
                assert!(
                    share(&heard) > 0.9 && rms(&heard) > 6000.0,
                    "{codec:?} {ptime_ms}: {}",
                    share(&heard)
                );
                pair.a.set_live(true);
                pair.run(500, at_once);
                let heard = pair.run(500, at_once);
                assert!(
                    share(&heard) > 0.9 && rms(&heard) > 6000.0,
                    "{codec:?} {ptime_ms}: {}",
                    share(&heard)
                );
            }
            let mut sent = pair.packets.iter().map(|(timestamp, units)| (*timestamp, timestamp + units));
            let mut end = sent.next().expect("packets").1;
            for (from, to) in sent {
                assert!(from >= end, "{codec:?} {ptime_ms}: {from} < {end}");
                end = to;
            }
        }
    }

    #[test]
    fn an_address_of_nowhere_is_never_sent_to() {
        let mut pair = Pair::new(Codec::Pcmu);
        let nowhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 4000);
        pair.a.connect(remote(nowhere, Codec::Pcmu)).expect("a codec");
        pair.run(10_000, at_once);
        assert_eq!(pair.sent, 0);
    }

    #[test]
    fn every_packet_time_is_understood() {
        for codec in [Codec::Pcmu, Codec::G722, Codec::Opus] {
            for ptime_ms in [5, 10, 20, 30, 40, 50, 60, 200] {
                let mut pair = Pair::new(codec);
                let mut to_b = remote(B, codec);
                to_b.ptime_ms = ptime_ms;
                pair.a.connect(to_b).expect("a codec");
                pair.run(1500, at_once);
                let heard = pair.run(1000, at_once);
                assert!(share(&heard) > 0.97, "{codec:?} {ptime_ms}: {}", share(&heard));
                let longest = pair.packets.iter().map(|(_, units)| units * 1000 / codec.clock_rate()).max();
                assert!(
                    longest.is_some_and(|ms| ms <= ptime_ms.max(10)),
                    "{codec:?} {ptime_ms}: {longest:?}"
                );
            }
        }
    }
}
