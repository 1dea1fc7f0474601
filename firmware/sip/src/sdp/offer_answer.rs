//! The offer/answer state of one session (RFC 3264).
//!
//! One audio stream is ours; every other `m=` line the peer ever offered is kept in its place and refused with port 0,
//! as section 8 demands of later offers too. We agree on one codec, the offerer's first that we know, so that nothing
//! changes in mid-call without an offer.

use std::net::{IpAddr, SocketAddr};

use sdp_types::{Attribute, Connection, Origin, Session, Time};

use super::description::{self, Encoding, Format, Stream};
use super::{Codec, Direction, LocalMedia, Media, SdpError};

/// What two ends have agreed on, and the offer under way between them. A clone serves each early dialog of a forked
/// INVITE: all answer the same offer.
#[derive(Debug, Clone)]
pub struct OfferAnswer {
    pub(super) local: LocalMedia,
    session_id: u64,
    version: u64,
    last_sent: Option<Session>,
    numbers: Numbers,
    pub(super) lines: Vec<Line>,
    pub(super) state: State,
    agreed: Option<Media>,
    /// What the peer said last that it speaks, as far as it has a name here.
    pub(super) peer_codecs: Vec<Codec>,
}

#[derive(Debug, Clone)]
pub(super) enum State {
    Stable,
    /// Ours; what we asked for.
    LocalOffer(Direction),
    /// Theirs, read and acceptable; `Media::direction` is the most the offer allows us.
    RemoteOffer {
        offered: Box<Media>,
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

/// Our dynamic payload types. They never change their meaning within a session (RFC 3264 section 8.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Numbers {
    opus: u8,
    event_8k: u8,
    event_48k: u8,
}

impl OfferAnswer {
    /// Nothing agreed yet. `session_id` is a random number for the `o=` line, which starts at version 1.
    pub fn new(local: LocalMedia, session_id: u64) -> OfferAnswer {
        OfferAnswer {
            local,
            session_id: session_id >> 1, // some peers read it as a signed number
            version: 0,
            last_sent: None,
            numbers: Numbers { opus: 111, event_8k: 101, event_48k: 110 },
            lines: vec![Line::Ours { transport: "RTP/AVP".to_owned() }],
            state: State::Stable,
            agreed: None,
            peer_codecs: Vec::new(),
        }
    }

    /// Changes where and how we hear; takes effect with the next offer or answer.
    pub fn set_local(&mut self, local: LocalMedia) {
        self.local = local;
    }

    /// An offer: first one, hold (`SendOnly`), retrieve (`SendRecv`). The agreed codec comes first.
    ///
    /// # Errors
    /// [`SdpError::OfferPending`] if one is under way either way, [`SdpError::NoCommonCodec`] if we have no codec.
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
        let wide: &[u32] = if codecs.contains(&Codec::Opus) { &[48_000] } else { &[] };
        let body = self.write(&codecs, &[wide, &[8_000]].concat(), direction);
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
        if stream.kind != "audio" || !stream.is_plain_rtp() {
            return Err(SdpError::AnswerMismatch);
        }
        if stream.port == 0 {
            return Err(SdpError::NoAudio);
        }
        let mut media = read_media(stream, &self.local, wish).map_err(|error| match error {
            SdpError::NoCommonCodec => SdpError::AnswerMismatch,
            other => other,
        })?;
        media.payload_type = self.numbers.of(media.codec);
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
        self.peer_codecs = description::read(body)?.iter().flat_map(Stream::codecs).collect();
        self.agreed = Some(media.clone());
        Ok(media)
    }

    /// Our offer, or the one received, was refused: what was agreed before stands.
    pub fn abandon_offer(&mut self) {
        self.state = State::Stable;
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
        let chosen = choose(&streams, &self.local, before)?;
        let stream = &streams[chosen];
        let offered = read_media(stream, &self.local, Direction::SendRecv)?;
        self.peer_codecs = stream.codecs();
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
        };
        Ok(offered)
    }

    /// The answer to the offer received; `wish` is what we would like to do (`SendOnly` while we hold). Afterwards
    /// [`OfferAnswer::media`] is what was agreed.
    ///
    /// # Errors
    /// [`SdpError::NoOffer`] if none is under way.
    pub fn create_answer(&mut self, wish: Direction) -> Result<Vec<u8>, SdpError> {
        let mut media = *self.adopt_offer()?;
        media.direction = media.direction.and(wish);
        let events: &[u32] = if media.dtmf_payload_type.is_some() { &[media.dtmf_clock_hz] } else { &[] };
        let body = self.write(&[media.codec], events, media.direction);
        self.agreed = Some(media);
        Ok(body)
    }

    /// Takes the streams and numbers of the offer received over, whose answer is written next.
    pub(super) fn adopt_offer(&mut self) -> Result<Box<Media>, SdpError> {
        let State::RemoteOffer { offered, lines, numbers } =
            std::mem::replace(&mut self.state, State::Stable)
        else {
            return Err(SdpError::NoOffer);
        };
        self.lines = lines;
        self.numbers = numbers;
        Ok(offered)
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

    /// Writes a description; the version grows only if anything but the version changed.
    fn write(&mut self, codecs: &[Codec], events: &[u32], direction: Direction) -> Vec<u8> {
        self.write_with(|this, transport| this.audio(transport, codecs, events, direction))
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
        if self.last_sent.as_ref() != Some(&session) {
            self.version += 1;
            self.last_sent = Some(session.clone());
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
        attributes.push(Attribute::with_value("ptime", self.local.ptime_ms));
        attributes.push(Attribute::new(direction.as_str()));
        let mut audio = media("audio", self.local.rtp.port(), transport, &formats.join(" "));
        audio.attributes = attributes;
        audio
    }
}

impl Numbers {
    fn of(&self, codec: Codec) -> u8 {
        match codec {
            Codec::Pcmu => 0,
            Codec::Pcma => 8,
            Codec::G722 => 9,
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
            opus: settle(number(|e| matches!(e, Encoding::Speech(Codec::Opus, _))), self.opus),
            event_8k: settle(number(|e| *e == Encoding::TelephoneEvent(8_000)), self.event_8k),
            event_48k: settle(number(|e| *e == Encoding::TelephoneEvent(48_000)), self.event_48k),
        }
    }
}

/// Which stream to accept: the one accepted before, else the first audio stream with a codec of ours.
fn choose(streams: &[Stream], local: &LocalMedia, before: Option<usize>) -> Result<usize, SdpError> {
    let fits = |stream: &Stream| stream.is_usable() && first_common(stream, local).is_some();
    let same = before.filter(|&at| streams.get(at).is_some_and(fits));
    if let Some(at) = same.or_else(|| streams.iter().position(fits)) {
        return Ok(at);
    }
    let mut audio = streams.iter().filter(|stream| stream.kind == "audio" && stream.port != 0);
    match audio.next() {
        None => Err(SdpError::NoAudio),
        Some(first) if first.is_plain_rtp() || audio.any(Stream::is_plain_rtp) => {
            Err(SdpError::NoCommonCodec)
        }
        Some(_) => Err(SdpError::Transport),
    }
}

fn first_common(stream: &Stream, local: &LocalMedia) -> Option<Format> {
    let ours =
        |f: &&Format| matches!(f.encoding, Encoding::Speech(codec, _) if local.codecs.contains(&codec));
    stream.formats.iter().find(ours).copied()
}

/// The stream of the peer as we would use it when we may do what `wish` says.
fn read_media(stream: &Stream, local: &LocalMedia, wish: Direction) -> Result<Media, SdpError> {
    let format = first_common(stream, local).ok_or(SdpError::NoCommonCodec)?;
    let Encoding::Speech(codec, opus) = format.encoding else { return Err(SdpError::NoCommonCodec) };
    let ip = stream.address?;
    if ip.is_ipv4() != local.rtp.is_ipv4() {
        return Err(SdpError::Address);
    }
    let event = |clock_hz| stream.formats.iter().find(|f| f.encoding == Encoding::TelephoneEvent(clock_hz));
    let clock = codec.rtp_clock_hz();
    let event = event(clock).map(|f| (f, clock)).or_else(|| event(8_000).map(|f| (f, 8_000)));
    let above = stream.port.checked_add(1).map(|port| SocketAddr::new(ip, port));
    let allowed = stream.direction.mirrored().and(wish);
    Ok(Media {
        remote_rtp: SocketAddr::new(ip, stream.port),
        remote_rtcp: stream.rtcp.or(above),
        codec,
        payload_type: format.payload_type,
        remote_payload_type: format.payload_type,
        dtmf_payload_type: event.map(|(f, _)| f.payload_type),
        dtmf_clock_hz: event.map_or(clock, |(_, clock)| clock),
        ptime_ms: packet_time(stream, local),
        direction: if is_old_hold(ip) { allowed.and(Direction::RecvOnly) } else { allowed },
        opus,
    })
}

/// `c=0.0.0.0` is how RFC 2543 said hold.
fn is_old_hold(ip: IpAddr) -> bool {
    ip.is_unspecified()
}

/// What the peer asks for in steps of 10 ms, 10 to 60.
fn packet_time(stream: &Stream, local: &LocalMedia) -> u32 {
    let wanted = stream.ptime_ms.unwrap_or(local.ptime_ms).min(stream.max_ptime_ms.unwrap_or(u32::MAX));
    (wanted / 10 * 10).clamp(10, 60)
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
