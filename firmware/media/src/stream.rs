//! One RTP stream: what arrives becomes frames and events, what is said becomes packets.
//!
//! Pure: time, randomness and datagrams are handed in, packets are handed out through a closure.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::api::{Event, Remote, Stats, StreamId};
use crate::codec;
use crate::comfort::{self, Comfort};
use crate::dtmf::{DigitReceiver, DigitSender, Heard};
use crate::frame::{FRAME_MS, Frame};
use crate::hold::{HoldSound, Next, Waiting};
use crate::last_minute::{LastMinute, Second};
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
    /// Its last minute.
    last_minute: LastMinute,
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
            last_minute: LastMinute::new(),
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
                let speaks_again = remote.direction.sends() && !link.remote.direction.sends();
                link.change(remote)?;
                self.marker |= other || speaks_again;
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
        let (speech, codec) = (link.remote.payload_type, link.arriving.codec);
        let noise = if Comfort::is(comfort::PAYLOAD_TYPE, codec) { comfort::PAYLOAD_TYPE } else { speech };
        let digits = link.remote.dtmf_payload_type.filter(|digits| *digits != speech);
        let mut types = [speech; 6];
        (types[1], types[2]) = (digits.unwrap_or(speech), noise);
        for (kind, also) in types[3..].iter_mut().zip(&link.remote.also) {
            *kind = also.payload_type;
        }
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
        if Some(packet.payload_type) == digits {
            if let Some(heard) = self.digits_in.receive(now, packet.timestamp, packet.payload) {
                events(digit(self.id, heard, &link.remote));
            }
        } else if Comfort::is(packet.payload_type, codec) {
            link.comfort.receive(packet.sequence, packet.payload);
        } else if !link.hears(packet.payload_type) {
            self.ignored += 1;
        } else if self.live && link.remote.direction.receives() {
            match codec::duration(link.arriving.codec, packet.payload) {
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
        let frame = self.link.as_mut().map(|link| link.play(now))?;
        self.last_minute.hear(&frame);
        Some(frame)
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
        if self.link.is_some() && self.last_minute.is_due(now) {
            self.last_minute.pass(now, &self.stats(), !self.live);
        }
        let Some(link) = &mut self.link else { return };
        link.strange = 0;
        let per_ms = link.remote.codec.clock_rate() / 1000;
        let to = link.rx.peer();
        let reachable = !to.ip().is_unspecified() && to.port() != 0;
        if reachable && link.remote.direction.sends() {
            if self.live {
                self.last_minute.say(voice);
            }
            let announced = self.say(voice, hold, to, per_ms, send);
            if announced {
                events(Event::Announced { stream: self.id, complete: true });
            }
        } else {
            self.digits_out.wait();
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
            stats.codec = Some(link.arriving.codec);
            stats.packets_received = link.rx.received();
            stats.lost = link.rx.lost();
            stats.late = figures.late;
            stats.duplicates = figures.duplicates;
            stats.ignored += figures.overflowed;
            stats.concealed_ms = figures.concealed_ms;
            stats.left_out_ms = u32::try_from(figures.left_out_ms).unwrap_or(u32::MAX);
            stats.repaired_ms = link.changes.repaired_ms;
            (stats.shortened_ms, stats.lengthened_ms) = link.changes.stretched_ms();
            stats.jitter_ms =
                (link.rx.jitter() * 1000.0 / f64::from(link.arriving.codec.clock_rate())) as f32;
            stats.buffer_ms = link.jitter.depth_ms().max(0.0) as u32;
        }
        stats
    }

    /// The last minute, second by second.
    pub(crate) fn seconds(&self, now: Duration) -> Box<[Second]> {
        self.last_minute.seconds(now, &self.stats(), !self.live)
    }

    fn watch(&mut self, now: Duration, events: &mut dyn FnMut(Event)) {
        if let (Some(heard), Some(link)) = (self.digits_in.tick(now), &self.link) {
            events(digit(self.id, heard, &link.remote));
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
            let event = self.digits_out.tick(timestamp, link.remote.dtmf_per_ms());
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

fn digit(stream: StreamId, heard: Heard, remote: &Remote) -> Event {
    let duration_ms = heard.duration / remote.dtmf_per_ms();
    Event::Digit { stream, digit: heard.digit, duration_ms }
}

#[cfg(test)]
mod tests;
