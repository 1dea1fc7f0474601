//! The offer/answer state of one session (RFC 3264).
//!
//! One audio stream is ours; every other `m=` line the peer ever offered is kept in its place and refused with port 0,
//! as section 8 demands of later offers too. We agree on one codec, the offerer's first that we know, so that nothing
//! changes in mid-call without an offer; a peer whose answer names more of ours may still send any of them.

use std::fmt;

use sdp_types::{Attribute, Connection, Origin, Session, Time};

use super::crypto::CryptoLine;
use super::description::{self, Encoding, Format};
use super::stream::{choose, read_media, secured};
use super::{Alternative, Codec, Direction, LocalMedia, Media, SdpError, Srtp, SrtpKeys, SrtpSuite};

/// The profile of speech that may be in the clear, and of speech that may not (RFC 3711 section 12).
const PLAIN: &str = "RTP/AVP";
const SECURE: &str = "RTP/SAVP";

/// What two ends have agreed on, and the offer under way between them. A clone serves each early dialog of a forked
/// INVITE: all answer the same offer.
#[derive(Debug, Clone)]
pub struct OfferAnswer {
    pub(super) local: LocalMedia,
    session_id: u64,
    version: u64,
    last_sent: Option<Sent>,
    numbers: Numbers,
    pub(super) lines: Vec<Line>,
    pub(super) state: State,
    agreed: Option<Media>,
    /// What the peer said last that it speaks, as far as it has a name here.
    pub(super) peer_codecs: Vec<Codec>,
    /// Which of our keys is in use: they change when the peer's do.
    generation: u32,
    /// What we offer of encryption and of RTCP on one port. It changes with an answer of ours only: an offer that repeats
    /// the last, as a session timer's does, must not differ from it.
    suites: Vec<SrtpSuite>,
    mux: bool,
    /// The peer refused every offer with keys, so it gets none.
    plain_only: bool,
}

/// A description that was sent. It may hold our keys, so it is not printed.
#[derive(Clone, PartialEq)]
struct Sent(Session);

impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sent(…)")
    }
}

#[derive(Debug, Clone)]
pub(super) enum State {
    Stable,
    /// Ours; what we asked for.
    LocalOffer(Direction),
    /// Theirs, read and acceptable; `Media::direction` is the most the offer allows us.
    RemoteOffer {
        offered: Box<Media>,
        /// The keys chosen, if it is to be encrypted.
        crypto: Option<CryptoLine>,
        lines: Vec<Line>,
        numbers: Numbers,
    },
}

/// One `m=` line of the session, in the order both sides must keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    Ours { transport: String },
    Refused { kind: String, transport: String, fmt: String },
}

/// Our payload types. They never change their meaning within a session (RFC 3264 section 8.3.2). G.711 and G.722 have
/// numbers of their own, but a peer may offer them under others (RFC 3551 section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Numbers {
    pcmu: u8,
    pcma: u8,
    g722: u8,
    opus: u8,
    event_8k: u8,
    event_48k: u8,
}

impl OfferAnswer {
    /// Nothing agreed yet. `session_id` is a random number for the `o=` line, which starts at version 1.
    pub fn new(local: LocalMedia, session_id: u64) -> OfferAnswer {
        // One `m=` line, so that no peer has to choose. A peer that cannot encrypt passes over the keys in a plain one,
        // and the others answer with theirs (as Lync, Asterisk and linphone have it); what must be encrypted says so.
        let transport = if local.srtp == Srtp::Mandatory { SECURE } else { PLAIN };
        OfferAnswer {
            local,
            session_id: session_id >> 1, // some peers read it as a signed number
            version: 0,
            last_sent: None,
            numbers: Numbers::OURS,
            lines: vec![Line::Ours { transport: transport.to_owned() }],
            state: State::Stable,
            agreed: None,
            peer_codecs: Vec::new(),
            generation: 0,
            suites: SrtpSuite::OFFERED.to_vec(),
            mux: true,
            plain_only: false,
        }
    }

    /// Changes where and how we hear; takes effect with the next offer or answer.
    pub fn set_local(&mut self, local: LocalMedia) {
        self.local = local;
    }

    /// Where we hear, or shall.
    pub(crate) fn place(&self) -> std::net::SocketAddr {
        self.local.rtp
    }

    /// We hear there now; takes effect with the next offer or answer.
    pub(crate) fn hear_at(&mut self, rtp: std::net::SocketAddr, rtcp: Option<std::net::SocketAddr>) {
        (self.local.rtp, self.local.rtcp) = (rtp, rtcp);
    }

    /// We hear at `to` in place of `from`, at the same port; takes effect with the next offer or answer.
    pub(crate) fn relocate(&mut self, from: std::net::IpAddr, to: std::net::IpAddr) {
        if self.local.rtp.ip() == from {
            self.local.rtp.set_ip(to);
        }
    }

    /// An offer: first one, hold (`SendOnly`), retrieve (`SendRecv`). The agreed codec comes first.
    ///
    /// # Errors
    /// [`SdpError::OfferPending`] if one is under way either way, [`SdpError::NoCommonCodec`] if we have no codec,
    /// [`SdpError::NoCommonSuite`] if encryption is mandatory and there is nothing to make keys of.
    pub fn create_offer(&mut self, direction: Direction) -> Result<Vec<u8>, SdpError> {
        if !matches!(self.state, State::Stable) {
            return Err(SdpError::OfferPending);
        }
        let mut codecs: Vec<Codec> = self.agreed.iter().map(|media| media.codec).collect();
        for &codec in &self.local.codecs {
            if !codecs.contains(&codec) {
                codecs.push(codec);
            }
        }
        if codecs.is_empty() {
            return Err(SdpError::NoCommonCodec);
        }
        let crypto = self.our_lines();
        if crypto.is_empty() && self.local.srtp == Srtp::Mandatory {
            return Err(SdpError::NoCommonSuite);
        }
        let wide: &[u32] = if codecs.contains(&Codec::Opus) { &[48_000] } else { &[] };
        let body = self.write(&codecs, &[wide, &[8_000]].concat(), direction, &crypto, self.mux);
        self.state = State::LocalOffer(direction);
        Ok(body)
    }

    /// What an answer in an unreliable provisional response says, for early media; the offer stays under way.
    ///
    /// # Errors
    /// As [`OfferAnswer::receive_answer`].
    pub fn preview_answer(&self, body: &[u8]) -> Result<Media, SdpError> {
        let State::LocalOffer(wish) = self.state else { return Err(SdpError::NoOffer) };
        let streams = description::read(body)?;
        if streams.len() != self.lines.len() {
            return Err(SdpError::AnswerMismatch);
        }
        let ours = self.lines.iter().zip(&streams).find(|(line, _)| matches!(line, Line::Ours { .. }));
        let (_, stream) = ours.ok_or(SdpError::AnswerMismatch)?;
        if stream.kind != "audio" || !stream.is_rtp() {
            return Err(SdpError::AnswerMismatch);
        }
        if stream.port == 0 {
            return Err(SdpError::NoAudio);
        }
        let offered = self.our_lines();
        if stream.is_secure() && offered.is_empty() {
            return Err(SdpError::AnswerMismatch);
        }
        let mut media = read_media(stream, &self.local, wish).map_err(|error| match error {
            SdpError::NoCommonCodec => SdpError::AnswerMismatch,
            other => other,
        })?;
        media.payload_type = self.numbers.of(media.codec);
        media.also = self.besides(media.codec, &stream.codecs());
        if !offered.is_empty() {
            // The suite says which of our lines was taken: each is offered once.
            let ours = |theirs: &CryptoLine| offered.iter().find(|ours| ours.suite == theirs.suite);
            let theirs =
                secured(stream, self.local.srtp, |line| ours(line).is_some_and(|o| o.key != line.key))?;
            media.srtp = theirs.and_then(|theirs| Some(keys(ours(&theirs)?, &theirs)));
        }
        Ok(media)
    }

    /// The answer to our offer. On an error the offer is over and what was agreed before stands.
    ///
    /// # Errors
    /// [`SdpError::NoOffer`] if none is under way, else what is wrong with the answer.
    pub fn receive_answer(&mut self, body: &[u8]) -> Result<Media, SdpError> {
        let answer = self.preview_answer(body);
        self.abandon_offer();
        let media = answer?;
        self.peer_codecs = description::read(body)?.iter().flat_map(description::Stream::codecs).collect();
        // Later offers name the profile that the peer itself uses.
        for (line, stream) in self.lines.iter_mut().zip(description::read(body)?) {
            if let Line::Ours { transport } = line
                && (media.srtp.is_some() || transport == SECURE)
            {
                *transport = stream.transport;
            }
        }
        self.agreed = Some(media.clone());
        Ok(media)
    }

    /// Our offer, or the one received, was refused: what was agreed before stands.
    pub fn abandon_offer(&mut self) {
        self.state = State::Stable;
    }

    /// Our first offer was refused, perhaps for how it offers encryption that nobody needs to take: true if another one
    /// is worth a try. The next says that it must be encrypted, for a peer that insists on that takes no other; the one
    /// after that is without keys.
    pub fn offer_otherwise(&mut self) -> bool {
        let first = matches!(self.state, State::LocalOffer(_)) && self.agreed.is_none();
        if !first || self.local.srtp != Srtp::Optional || self.our_lines().is_empty() {
            return false;
        }
        self.abandon_offer();
        for line in &mut self.lines {
            let Line::Ours { transport } = line else { continue };
            self.plain_only = transport != PLAIN;
            *transport = if self.plain_only { PLAIN } else { SECURE }.to_owned();
        }
        true
    }

    /// An offer of the peer. The direction of the result is the most it allows us; [`OfferAnswer::create_answer`]
    /// settles it. On an error the offer is over: answer with [`SdpError::code`].
    ///
    /// # Errors
    /// [`SdpError::OfferPending`] if one is under way either way, else why it cannot be accepted.
    pub fn receive_offer(&mut self, body: &[u8]) -> Result<Media, SdpError> {
        if !matches!(self.state, State::Stable) {
            return Err(SdpError::OfferPending);
        }
        let streams = description::read(body)?;
        if self.agreed.is_some() && streams.len() < self.lines.len() {
            return Err(SdpError::Malformed("fewer streams than before"));
        }
        let before = self.lines.iter().position(|line| matches!(line, Line::Ours { .. }));
        let chosen = choose(&streams, &self.local, before.filter(|_| self.agreed.is_some()))?;
        let stream = &streams[chosen];
        let offered = read_media(stream, &self.local, Direction::SendRecv)?;
        self.peer_codecs = stream.codecs();
        let crypto = secured(stream, self.local.srtp, |_| true)?;
        let lines = streams.iter().enumerate().map(|(at, stream)| match at == chosen {
            true => Line::Ours { transport: stream.transport.clone() },
            false => Line::Refused {
                kind: stream.kind.clone(),
                transport: stream.transport.clone(),
                fmt: stream.fmt.clone(),
            },
        });
        self.state = State::RemoteOffer {
            lines: lines.collect(),
            numbers: self.numbers.adopt(&stream.formats),
            offered: Box::new(offered.clone()),
            crypto,
        };
        Ok(offered)
    }

    /// The answer to the offer received; `wish` is what we would like to do (`SendOnly` while we hold). Afterwards
    /// [`OfferAnswer::media`] is what was agreed.
    ///
    /// # Errors
    /// [`SdpError::NoOffer`] if none is under way, [`SdpError::NoCommonSuite`] if it must be encrypted and there is
    /// nothing to make keys of.
    pub fn create_answer(&mut self, wish: Direction) -> Result<Vec<u8>, SdpError> {
        let State::RemoteOffer { offered, crypto, lines, numbers } =
            std::mem::replace(&mut self.state, State::Stable)
        else {
            return Err(SdpError::NoOffer);
        };
        let mut media = *offered;
        let mut ours = Vec::new();
        if let Some(theirs) = crypto {
            let own = self.answer_line(&theirs)?;
            media.srtp = Some(keys(&own, &theirs));
            ours.push(own);
            self.suites.retain(|&suite| suite != theirs.suite);
            self.suites.insert(0, theirs.suite);
        }
        self.mux = media.rtcp_mux;
        self.lines = lines;
        self.numbers = numbers;
        media.direction = media.direction.and(wish);
        let events: &[u32] = if media.dtmf_payload_type.is_some() { &[media.dtmf_clock_hz] } else { &[] };
        let body = self.write(&[media.codec], events, media.direction, &ours, media.rtcp_mux);
        self.agreed = Some(media);
        Ok(body)
    }

    /// Takes the streams and numbers of the offer received over, whose answer is written next.
    pub(super) fn adopt_offer(&mut self) -> Result<(), SdpError> {
        let State::RemoteOffer { lines, numbers, .. } = std::mem::replace(&mut self.state, State::Stable)
        else {
            return Err(SdpError::NoOffer);
        };
        self.lines = lines;
        self.numbers = numbers;
        Ok(())
    }

    /// What was agreed last.
    pub fn media(&self) -> Option<&Media> {
        self.agreed.as_ref()
    }

    /// Whether an offer of ours waits for its answer.
    pub fn local_offer_pending(&self) -> bool {
        matches!(self.state, State::LocalOffer(_))
    }

    /// Whether an offer of the peer waits for our answer.
    pub fn remote_offer_pending(&self) -> bool {
        matches!(self.state, State::RemoteOffer { .. })
    }

    /// Whether the peer holds us: it agreed to send nothing, or not to listen.
    pub fn held_by_peer(&self) -> bool {
        self.agreed.as_ref().is_some_and(|m| m.remote_rtp.ip().is_unspecified() || !m.direction.sends())
    }

    /// What may come besides `agreed` from a peer whose answer names these codecs. It has our numbers, as all that we
    /// receive.
    fn besides(&self, agreed: Codec, named: &[Codec]) -> Vec<Alternative> {
        let ours = self.local.codecs.iter().filter(|codec| **codec != agreed && named.contains(codec));
        let mut also: Vec<Alternative> = Vec::new();
        for &codec in ours {
            if also.iter().all(|known| known.codec != codec) {
                also.push(Alternative { codec, payload_type: self.numbers.of(codec) });
            }
        }
        also
    }

    /// Our `a=crypto` lines of an offer; the suite agreed with the key in use.
    fn our_lines(&self) -> Vec<CryptoLine> {
        let Some(seed) =
            self.local.keys.as_ref().filter(|_| self.local.srtp != Srtp::Off && !self.plain_only)
        else {
            return Vec::new();
        };
        let agreed = self.agreed.as_ref().and_then(|media| media.srtp.as_ref());
        let line = |(suite, tag)| {
            let in_use = agreed.filter(|keys| keys.suite == suite).map(|keys| keys.local.clone());
            let key = in_use.unwrap_or_else(|| seed.key(self.session_id, self.generation, suite));
            CryptoLine { tag, suite, key }
        };
        self.suites.iter().copied().zip(1..).map(line).collect()
    }

    /// Our line of the answer to `theirs`. While the peer keeps its key we keep ours, so that nothing changes in a stream
    /// that goes on. With another of theirs begins another stream, whose counter of packets (RFC 3711 section 3.3.1) begins
    /// anew: with another of ours they agree about ours as well.
    fn answer_line(&mut self, theirs: &CryptoLine) -> Result<CryptoLine, SdpError> {
        let seed = self.local.keys.as_ref().ok_or(SdpError::NoCommonSuite)?;
        let before = self.agreed.as_ref().and_then(|media| media.srtp.as_ref());
        let key = match before {
            Some(keys) if keys.suite == theirs.suite && keys.remote == theirs.key => keys.local.clone(),
            _ => {
                // Also without an agreement: early dialogs may have seen the first.
                self.generation += 1;
                seed.key(self.session_id, self.generation, theirs.suite)
            }
        };
        Ok(CryptoLine { tag: theirs.tag, suite: theirs.suite, key })
    }

    /// Writes a description; the version grows only if anything but the version changed.
    fn write(
        &mut self,
        codecs: &[Codec],
        events: &[u32],
        direction: Direction,
        crypto: &[CryptoLine],
        mux: bool,
    ) -> Vec<u8> {
        self.write_with(|this, transport| {
            let mut audio = this.audio(transport, codecs, events, direction);
            if mux {
                audio.attributes.push(Attribute::new("rtcp-mux"));
            }
            let lines = crypto.iter().map(|line| Attribute::with_value("crypto", line.write()));
            audio.attributes.extend(lines);
            audio
        })
    }

    /// Writes a description with `ours` in the place of our stream, over the transport agreed on.
    pub(super) fn write_with(&mut self, ours: impl Fn(&Self, &str) -> sdp_types::Media) -> Vec<u8> {
        let ip = self.local.rtp.ip();
        let mut session = Session::new(Origin::with_ip_addr(self.session_id, 0, ip), "-");
        session.set_connection(Connection::from_ip_addr(ip));
        session.add_time(Time::new(0, 0));
        for line in &self.lines {
            session.add_media(match line {
                Line::Ours { transport } => ours(self, transport),
                Line::Refused { kind, transport, fmt } => media(kind, 0, transport, fmt),
            });
        }
        let sent = Sent(session.clone());
        if self.last_sent.as_ref() != Some(&sent) {
            self.version += 1;
            self.last_sent = Some(sent);
        }
        session.origin.sess_version = self.version;
        let mut body = Vec::with_capacity(512);
        session.write(&mut body).expect("writing to a Vec cannot fail");
        body
    }

    fn audio(
        &self,
        transport: &str,
        codecs: &[Codec],
        events: &[u32],
        direction: Direction,
    ) -> sdp_types::Media {
        let mut formats = Vec::new();
        let mut attributes = Vec::new();
        for &codec in codecs {
            let number = self.numbers.of(codec);
            let channels = if codec == Codec::Opus { "/2" } else { "" };
            let map = format!("{number} {}/{}{channels}", codec.name(), codec.rtp_clock_hz());
            attributes.push(Attribute::with_value("rtpmap", map));
            if codec == Codec::Opus {
                attributes.push(Attribute::with_value("fmtp", format!("{number} useinbandfec=1")));
            }
            formats.push(number.to_string());
        }
        for &clock in events {
            let number = self.numbers.of_event(clock);
            attributes.push(Attribute::with_value("rtpmap", format!("{number} telephone-event/{clock}")));
            attributes.push(Attribute::with_value("fmtp", format!("{number} 0-16")));
            formats.push(number.to_string());
        }
        if let Some(rtcp) = self.local.rtcp {
            let family = if rtcp.is_ipv4() { "IP4" } else { "IP6" };
            let value = format!("{} IN {family} {}", rtcp.port(), rtcp.ip());
            attributes.push(Attribute::with_value("rtcp", value));
        }
        attributes.push(Attribute::with_value("ptime", self.local.ptime_ms));
        attributes.push(Attribute::new(direction.as_str()));
        let mut audio = media("audio", self.local.rtp.port(), transport, &formats.join(" "));
        audio.attributes = attributes;
        audio
    }
}

impl Numbers {
    /// As long as the peer has named none.
    const OURS: Numbers = Numbers { pcmu: 0, pcma: 8, g722: 9, opus: 111, event_8k: 101, event_48k: 110 };

    fn of(&self, codec: Codec) -> u8 {
        match codec {
            Codec::Pcmu => self.pcmu,
            Codec::Pcma => self.pcma,
            Codec::G722 => self.g722,
            Codec::Opus => self.opus,
        }
    }

    fn of_event(&self, clock_hz: u32) -> u8 {
        if clock_hz == 48_000 { self.event_48k } else { self.event_8k }
    }

    /// The peer's numbers for what it names; ours for the rest, moved out of the way of the peer's.
    fn adopt(self, formats: &[Format]) -> Numbers {
        let number = |wanted: fn(&Encoding) -> bool| {
            formats.iter().find(|f| wanted(&f.encoding)).map(|f| f.payload_type)
        };
        let mut taken: Vec<u8> = formats.iter().map(|f| f.payload_type).collect();
        let mut settle = |theirs: Option<u8>, ours: u8| {
            let free = theirs.or_else(|| (!taken.contains(&ours)).then_some(ours));
            let free = free.or_else(|| (96..=127).find(|n| !taken.contains(n))).unwrap_or(ours);
            taken.push(free);
            free
        };
        Numbers {
            pcmu: settle(number(|e| matches!(e, Encoding::Speech(Codec::Pcmu, _))), self.pcmu),
            pcma: settle(number(|e| matches!(e, Encoding::Speech(Codec::Pcma, _))), self.pcma),
            g722: settle(number(|e| matches!(e, Encoding::Speech(Codec::G722, _))), self.g722),
            opus: settle(number(|e| matches!(e, Encoding::Speech(Codec::Opus, _))), self.opus),
            event_8k: settle(number(|e| *e == Encoding::TelephoneEvent(8_000)), self.event_8k),
            event_48k: settle(number(|e| *e == Encoding::TelephoneEvent(48_000)), self.event_48k),
        }
    }
}

fn keys(ours: &CryptoLine, theirs: &CryptoLine) -> SrtpKeys {
    SrtpKeys { suite: theirs.suite, local: ours.key.clone(), remote: theirs.key.clone() }
}

/// A bare `m=` line with its transport as the peer wrote it.
fn media(kind: &str, port: u16, transport: &str, fmt: &str) -> sdp_types::Media {
    sdp_types::Media {
        media: kind.to_owned(),
        port,
        num_ports: None,
        proto: transport.to_owned(),
        fmt: fmt.to_owned(),
        media_title: None,
        connections: Vec::new(),
        bandwidths: Vec::new(),
        key: None,
        attributes: Vec::new(),
    }
}
