//! Reading a description, however careless, into the few things offer/answer needs.
//!
//! Lines nobody needs here (bandwidth, times, session name, …) are dropped before the reader sees them, so that a fault
//! in one of them does not cost a call.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use sdp_types::{Connection, Session};

use super::crypto::{CryptoLine, MAX_LINES};
use super::{Codec, Direction, MAX_SIZE, OpusParams, SdpError};
use crate::lexer::text;

/// The most `m=` lines read.
const MAX_STREAMS: usize = 16;
/// The most formats read from one `m=` line, and the most attributes looked at.
const MAX_FORMATS: usize = 64;
const MAX_ATTRIBUTES: usize = 512;
/// The payload type of comfort noise (RFC 3389), which is no codec.
const COMFORT_NOISE: u8 = 13;

/// One `m=` line of the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stream {
    /// `audio`, `video`, …
    pub(super) kind: String,
    /// 0: refused or ended.
    pub(super) port: u16,
    /// `RTP/AVP`, …
    pub(super) transport: String,
    /// The rest of the line, for the answer that refuses it.
    pub(super) fmt: String,
    pub(super) address: Result<IpAddr, SdpError>,
    pub(super) rtcp: Option<SocketAddr>,
    pub(super) rtcp_mux: bool,
    /// The `a=crypto` lines that we can use, in their order.
    pub(super) crypto: Vec<CryptoLine>,
    pub(super) formats: Vec<Format>,
    /// As the peer sees it.
    pub(super) direction: Direction,
    pub(super) ptime_ms: Option<u32>,
    pub(super) max_ptime_ms: Option<u32>,
}

/// One payload type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) payload_type: u8,
    pub(super) encoding: Encoding,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Speech(Codec, Option<OpusParams>),
    /// RFC 4733, with its clock in Hz.
    TelephoneEvent(u32),
    Unknown,
}

impl Stream {
    /// Audio that is not refused.
    pub(super) fn is_audio(&self) -> bool {
        self.kind == "audio" && self.port != 0
    }

    /// Whether it has a codec at all, ours or not: neither digits nor comfort noise alone.
    fn has_speech(&self) -> bool {
        let speech = |f: &Format| match f.encoding {
            Encoding::Speech(..) => true,
            Encoding::TelephoneEvent(_) => false,
            Encoding::Unknown => f.payload_type != COMFORT_NOISE,
        };
        self.formats.iter().any(speech)
    }

    /// Those of its codecs that have a name here.
    pub(super) fn codecs(&self) -> Vec<Codec> {
        let codec = |f: &Format| if let Encoding::Speech(codec, _) = f.encoding { Some(codec) } else { None };
        self.formats.iter().filter_map(codec).collect()
    }

    /// RTP or SRTP whose keys are in the description.
    pub(super) fn is_rtp(&self) -> bool {
        matches!(self.transport.as_str(), "RTP/AVP" | "RTP/AVPF") || self.is_secure()
    }

    /// The profile is that of SRTP: it must not be plain.
    pub(super) fn is_secure(&self) -> bool {
        matches!(self.transport.as_str(), "RTP/SAVP" | "RTP/SAVPF")
    }
}

/// Reads the streams of a description.
pub(super) fn read(body: &[u8]) -> Result<Vec<Stream>, SdpError> {
    if body.len() > MAX_SIZE {
        return Err(SdpError::Malformed("larger than 16 KiB"));
    }
    let session = Session::parse(tidy(body)?.as_bytes()).map_err(|_| SdpError::Malformed("not readable"))?;
    if session.medias.len() > MAX_STREAMS {
        return Err(SdpError::Malformed("more than 16 streams"));
    }
    let session_direction = session.attributes.iter().find_map(|a| direction(&a.attribute));
    let streams = session.medias.iter().map(|media| {
        let connection = media.connections.first().or(session.connection.as_ref());
        let address = connection.ok_or(SdpError::Malformed("no connection address")).and_then(address);
        let attribute = |name: &str| {
            let found =
                media.attributes.iter().take(MAX_ATTRIBUTES).find(|a| a.attribute.eq_ignore_ascii_case(name));
            found.and_then(|a| a.value.as_deref()).map(str::trim)
        };
        let has = |name: &str| {
            media
                .attributes
                .iter()
                .take(MAX_ATTRIBUTES)
                .any(|a| a.attribute.trim().eq_ignore_ascii_case(name))
        };
        let milliseconds = |name| attribute(name).and_then(|v| v.split('.').next()?.parse::<u32>().ok());
        let own = media.attributes.iter().take(MAX_ATTRIBUTES).find_map(|a| direction(&a.attribute));
        Stream {
            kind: media.media.to_ascii_lowercase(),
            port: media.port,
            transport: media.proto.to_ascii_uppercase(),
            fmt: media.fmt.clone(),
            rtcp: attribute("rtcp").and_then(|value| rtcp(value, address.ok())),
            rtcp_mux: has("rtcp-mux"),
            crypto: crypto(media),
            address,
            formats: formats(media),
            direction: own.or(session_direction).unwrap_or(Direction::SendRecv),
            ptime_ms: milliseconds("ptime"),
            max_ptime_ms: milliseconds("maxptime"),
        }
    });
    Ok(streams.collect())
}

/// Audio in the clear: keys are for one leg alone.
fn is_carried(stream: &Stream) -> bool {
    stream.is_audio() && stream.is_rtp() && !stream.is_secure()
}

/// The codecs of the first stream of speech over plain RTP that have a name here.
pub(super) fn codecs(body: &[u8]) -> Result<Vec<Codec>, SdpError> {
    Ok(read(body)?.iter().find(|stream| is_carried(stream)).map(Stream::codecs).unwrap_or_default())
}

/// The first stream of speech over plain RTP as it stands, with what the whole description says of it besides: its
/// address and its direction.
pub(super) fn speech(body: &[u8]) -> Result<sdp_types::Media, SdpError> {
    let streams = read(body)?;
    let usable = streams.iter().position(is_carried).ok_or(SdpError::NoAudio)?;
    // Some agree to digits alone where they know none of the codecs, in place of refusing.
    if !streams[usable].has_speech() {
        return Err(SdpError::NoCommonCodec);
    }
    let session = Session::parse(tidy(body)?.as_bytes()).map_err(|_| SdpError::Malformed("not readable"))?;
    let session_direction = session.attributes.into_iter().find(|a| direction(&a.attribute).is_some());
    let connection = session.connection;
    let mut media = session.medias.into_iter().nth(usable).ok_or(SdpError::NoAudio)?;
    if media.connections.is_empty() {
        media.connections.extend(connection);
    }
    media.connections.truncate(1);
    if !media.attributes.iter().any(|a| direction(&a.attribute).is_some()) {
        media.attributes.extend(session_direction);
    }
    Ok(media)
}

/// The lines we need, trimmed, as UTF-8.
fn tidy(body: &[u8]) -> Result<String, SdpError> {
    let body = text(body);
    if body.contains('\0') {
        return Err(SdpError::Malformed("NUL inside"));
    }
    let mut out = String::with_capacity(body.len());
    let mut version_seen = false;
    for line in body.split(['\r', '\n']).map(str::trim) {
        let [key, b'=', ..] = line.as_bytes() else { continue };
        match key {
            b'v' if !version_seen => {
                version_seen = true;
                out.push_str("v=0");
            }
            b'm' => out.push_str(&line.split_ascii_whitespace().collect::<Vec<_>>().join(" ")),
            b'c' | b'a' => out.push_str(line),
            _ => continue,
        }
        out.push_str("\r\n");
    }
    if !version_seen {
        return Err(SdpError::Malformed("no v= line"));
    }
    Ok(keep_one_session_connection(&out))
}

/// The reader refuses a second session-level `c=`; the first one counts.
fn keep_one_session_connection(text: &str) -> String {
    let mut in_media = false;
    let mut seen = false;
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive("\r\n") {
        in_media |= line.starts_with("m=");
        if !in_media && line.starts_with("c=") && std::mem::replace(&mut seen, true) {
            continue;
        }
        out.push_str(line);
    }
    out
}

fn address(connection: &Connection) -> Result<IpAddr, SdpError> {
    if !connection.nettype.as_str().eq_ignore_ascii_case("IN") {
        return Err(SdpError::Address);
    }
    let ip = connection.try_address().map_err(|_| SdpError::Address)?.ip;
    let unusable = ip.is_multicast() || ip == IpAddr::V4(Ipv4Addr::BROADCAST);
    if unusable { Err(SdpError::Address) } else { Ok(ip) }
}

/// `a=rtcp:53020 IN IP4 126.16.64.4` (RFC 3605); without an address that of the stream.
fn rtcp(value: &str, stream: Option<IpAddr>) -> Option<SocketAddr> {
    let mut words = value.split_ascii_whitespace();
    let port = words.next()?.parse().ok().filter(|&port: &u16| port != 0)?;
    let ip = words.nth(2).map_or(stream, |ip| ip.parse().ok())?;
    Some(SocketAddr::new(ip, port))
}

fn crypto(media: &sdp_types::Media) -> Vec<CryptoLine> {
    let attributes = media.attributes.iter().take(MAX_ATTRIBUTES);
    let lines = attributes.filter(|a| a.attribute.trim().eq_ignore_ascii_case("crypto")).take(MAX_LINES);
    lines.filter_map(|a| CryptoLine::read(a.value.as_deref()?)).collect()
}

fn direction(name: &str) -> Option<Direction> {
    [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive]
        .into_iter()
        .find(|direction| direction.as_str().eq_ignore_ascii_case(name.trim()))
}

fn formats(media: &sdp_types::Media) -> Vec<Format> {
    let values = |name: &'static str, payload_type: u8| {
        let attributes = media.attributes.iter().take(MAX_ATTRIBUTES);
        let values = attributes
            .filter(move |a| a.attribute.eq_ignore_ascii_case(name))
            .filter_map(|a| a.value.as_deref());
        values
            .filter_map(|value| value.trim().split_once([' ', '\t']))
            .find_map(move |(number, rest)| (number.parse() == Ok(payload_type)).then(|| rest.trim()))
    };
    let numbers = media.fmt.split_ascii_whitespace().take(MAX_FORMATS).filter_map(|n| n.parse::<u8>().ok());
    let mut formats: Vec<Format> = Vec::new();
    for payload_type in numbers.filter(|&n| n < 128) {
        if formats.iter().any(|f| f.payload_type == payload_type) {
            continue;
        }
        let encoding = match values("rtpmap", payload_type) {
            Some(map) => encoding(map, values("fmtp", payload_type)),
            None => match payload_type {
                0 => Encoding::Speech(Codec::Pcmu, None),
                8 => Encoding::Speech(Codec::Pcma, None),
                9 => Encoding::Speech(Codec::G722, None),
                _ => Encoding::Unknown,
            },
        };
        formats.push(Format { payload_type, encoding });
    }
    formats
}

/// `opus/48000/2` and its parameters.
fn encoding(map: &str, fmtp: Option<&str>) -> Encoding {
    let mut parts = map.split('/').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let clock = parts.next().and_then(|c| c.parse::<u32>().ok());
    let channels = parts.next().and_then(|c| c.parse::<u32>().ok()).unwrap_or(1);
    let is = |codec: Codec| name.eq_ignore_ascii_case(codec.name()) && clock == Some(codec.rtp_clock_hz());
    match clock {
        Some(clock @ (8_000 | 48_000)) if name.eq_ignore_ascii_case("telephone-event") => {
            Encoding::TelephoneEvent(clock)
        }
        _ if is(Codec::Opus) => Encoding::Speech(Codec::Opus, Some(opus(fmtp.unwrap_or_default()))),
        _ => match [Codec::Pcmu, Codec::Pcma, Codec::G722].into_iter().find(|&codec| is(codec)) {
            Some(codec) if channels == 1 => Encoding::Speech(codec, None),
            _ => Encoding::Unknown,
        },
    }
}

fn opus(fmtp: &str) -> OpusParams {
    let value = |name: &str| {
        let pairs = fmtp.split(';').filter_map(|pair| pair.split_once('='));
        let mut found = pairs.filter(|(n, _)| n.trim().eq_ignore_ascii_case(name));
        found.next().and_then(|(_, value)| value.trim().parse::<u32>().ok())
    };
    OpusParams {
        inband_fec: value("useinbandfec") == Some(1),
        dtx: value("usedtx") == Some(1),
        constant_bitrate: value("cbr") == Some(1),
        max_average_bitrate: value("maxaveragebitrate").map(|rate| rate.clamp(6_000, 510_000)),
        max_playback_rate_hz: value("maxplaybackrate").unwrap_or(48_000).clamp(8_000, 48_000),
    }
}
