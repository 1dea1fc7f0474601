//! What we make of a stream of the peer's: which one we take, whether it is encrypted, and with which codec and times.
//!
//! Plain functions. Not done here: reading it ([`super::description`]), and what was agreed before
//! ([`super::offer_answer`]).

use std::net::{IpAddr, SocketAddr};

use super::crypto::CryptoLine;
use super::description::{Encoding, Format, Stream};
use super::{Direction, LocalMedia, Media, SdpError, Srtp};

/// Which stream to accept: the one accepted before, else an audio stream with a codec of ours and as much encryption as
/// we want, an encrypted one first if there are both.
pub(super) fn choose(
    streams: &[Stream],
    local: &LocalMedia,
    before: Option<usize>,
) -> Result<usize, SdpError> {
    let judge = |stream: &Stream| judge(stream, local);
    let same = before.filter(|&at| streams.get(at).is_some_and(|stream| judge(stream).is_ok()));
    let encrypted = || streams.iter().position(|stream| judge(stream) == Ok(true));
    let plain = || streams.iter().position(|stream| judge(stream).is_ok());
    if let Some(at) = same.or_else(encrypted).or_else(plain) {
        return Ok(at);
    }
    let errors = streams.iter().filter(|stream| stream.is_audio()).filter_map(|stream| judge(stream).err());
    // The one that came closest says most.
    Err(errors.max_by_key(|error| error.progress()).unwrap_or(SdpError::NoAudio))
}

/// Whether a stream can be taken, and would be encrypted.
fn judge(stream: &Stream, local: &LocalMedia) -> Result<bool, SdpError> {
    if !stream.is_audio() {
        return Err(SdpError::NoAudio);
    }
    if !stream.is_rtp() {
        return Err(SdpError::Transport);
    }
    let crypto = secured(stream, local.srtp, |_| true)?;
    first_common(stream, local).ok_or(SdpError::NoCommonCodec)?;
    Ok(crypto.is_some())
}

impl SdpError {
    /// How far a stream came before it failed.
    fn progress(self) -> u8 {
        match self {
            SdpError::NoCommonCodec => 3,
            SdpError::NoCommonSuite | SdpError::NotEncrypted => 2,
            SdpError::Transport => 1,
            _ => 0,
        }
    }
}

/// The keys of the peer to be used, the first that `usable` agrees to; `None` for a stream that is plain, and may be.
pub(super) fn secured(
    stream: &Stream,
    policy: Srtp,
    usable: impl Fn(&CryptoLine) -> bool,
) -> Result<Option<CryptoLine>, SdpError> {
    let line = stream.crypto.iter().find(|line| usable(line));
    match (policy, line) {
        (Srtp::Off, _) if stream.is_secure() => Err(SdpError::Transport),
        (Srtp::Off, _) => Ok(None),
        (_, Some(line)) => Ok(Some(line.clone())),
        (_, None) if stream.is_secure() => Err(SdpError::NoCommonSuite),
        (Srtp::Mandatory, None) => Err(SdpError::NotEncrypted),
        (Srtp::Optional, None) => Ok(None),
    }
}

fn first_common(stream: &Stream, local: &LocalMedia) -> Option<Format> {
    let ours =
        |f: &&Format| matches!(f.encoding, Encoding::Speech(codec, _) if local.codecs.contains(&codec));
    stream.formats.iter().find(ours).copied()
}

/// The stream of the peer as we would use it when we may do what `wish` says; keys not settled.
pub(super) fn read_media(stream: &Stream, local: &LocalMedia, wish: Direction) -> Result<Media, SdpError> {
    let format = first_common(stream, local).ok_or(SdpError::NoCommonCodec)?;
    let Encoding::Speech(codec, opus) = format.encoding else { return Err(SdpError::NoCommonCodec) };
    let ip = stream.address?;
    // `0.0.0.0` says hold and not where, so it has no family: an exchange writes it in IPv6 calls too.
    if ip.is_ipv4() != local.rtp.is_ipv4() && !is_old_hold(ip) {
        return Err(SdpError::Family);
    }
    let event = |clock_hz| stream.formats.iter().find(|f| f.encoding == Encoding::TelephoneEvent(clock_hz));
    let clock = codec.rtp_clock_hz();
    let event = event(clock).map(|f| (f, clock)).or_else(|| event(8_000).map(|f| (f, 8_000)));
    let remote_rtp = SocketAddr::new(ip, stream.port);
    let above = stream.port.checked_add(1).map(|port| SocketAddr::new(ip, port));
    let allowed = stream.direction.mirrored().and(wish);
    Ok(Media {
        remote_rtp,
        remote_rtcp: if stream.rtcp_mux { Some(remote_rtp) } else { stream.rtcp.or(above) },
        rtcp_mux: stream.rtcp_mux,
        codec,
        payload_type: format.payload_type,
        remote_payload_type: format.payload_type,
        also: Vec::new(),
        dtmf_payload_type: event.map(|(f, _)| f.payload_type),
        dtmf_clock_hz: event.map_or(clock, |(_, clock)| clock),
        ptime_ms: packet_time(stream, local),
        direction: if is_old_hold(ip) { allowed.and(Direction::RecvOnly) } else { allowed },
        opus,
        srtp: None,
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
