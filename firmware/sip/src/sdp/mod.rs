//! Session descriptions (SDP, RFC 8866) and offer/answer (RFC 3264) for one audio stream.
//!
//! [`OfferAnswer`] holds what was agreed in one session and writes and reads the bodies; [`Media`] is the result, for
//! the media engine. `relay` carries what one session's peer describes to the peer of another. Keys for SRTP come in it
//! (RFC 4568), and RTCP beside RTP on one port (RFC 5761). Not done here: video, DTLS-SRTP, ICE and BUNDLE; streams that
//! ask for them are refused (port 0) and, if nothing else is left, the whole offer is.

mod crypto;
mod description;
mod offer_answer;
mod relay;
mod stream;

use std::net::SocketAddr;

pub use crypto::{KeySeed, SrtpKey, SrtpKeys, SrtpSuite};
pub use offer_answer::OfferAnswer;

/// The media type of the bodies.
pub const CONTENT_TYPE: &str = "application/sdp";

/// The largest body read, in bytes.
pub const MAX_SIZE: usize = 16 * 1024;

/// What we have to offer: where we hear, and in which codecs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalMedia {
    /// Where our RTP is received.
    pub rtp: SocketAddr,
    /// Where our RTCP is received (`a=rtcp`, RFC 3605); one port above RTP without it.
    pub rtcp: Option<SocketAddr>,
    /// By preference, the best first. Duplicates are ignored.
    pub codecs: Vec<Codec>,
    /// Length of the packets we would like to receive, in ms.
    pub ptime_ms: u32,
    /// Whether the stream is encrypted.
    pub srtp: Srtp,
    /// What our keys are made of. Without it nothing can be encrypted: [`Srtp::Optional`] is then as
    /// [`Srtp::Off`], and with [`Srtp::Mandatory`] there is no call.
    pub keys: Option<KeySeed>,
}

impl LocalMedia {
    /// Unencrypted, with packets of 20 ms.
    pub fn plain(rtp: SocketAddr, codecs: Vec<Codec>) -> LocalMedia {
        LocalMedia { rtp, rtcp: None, codecs, ptime_ms: 20, srtp: Srtp::Off, keys: None }
    }
}

/// Whether speech is encrypted (SRTP by SDES, RFC 4568).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Srtp {
    /// Never: no keys are offered, and a stream that must be encrypted is refused.
    #[default]
    Off,
    /// Where the peer can do it too.
    Optional,
    /// Always: a call without is refused.
    Mandatory,
}

/// The codecs of the appliance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// G.711 µ-law, payload type 0.
    Pcmu,
    /// G.711 A-law, payload type 8.
    Pcma,
    /// G.722 at 64 kbit/s, payload type 9: 16 kHz sound, but an RTP clock of 8000 Hz (RFC 3551 section 4.5.2).
    G722,
    /// Opus (RFC 7587), a dynamic payload type.
    Opus,
}

impl Codec {
    /// Ticks of the RTP timestamp in a second.
    pub(crate) fn rtp_clock_hz(self) -> u32 {
        match self {
            Codec::Opus => 48_000,
            Codec::Pcmu | Codec::Pcma | Codec::G722 => 8_000,
        }
    }

    /// The name of the encoding in `a=rtpmap`.
    pub fn name(self) -> &'static str {
        match self {
            Codec::Pcmu => "PCMU",
            Codec::Pcma => "PCMA",
            Codec::G722 => "G722",
            Codec::Opus => "opus",
        }
    }
}

/// Who may send, as the owner of the description sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Both talk.
    SendRecv,
    /// We send (music on hold), the peer does not.
    SendOnly,
    /// The peer sends, we do not.
    RecvOnly,
    /// Nobody sends.
    Inactive,
}

impl Direction {
    /// May we send?
    pub fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    /// May we receive?
    pub fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }

    /// The same stream from the other end.
    #[must_use]
    pub fn mirrored(self) -> Direction {
        Direction::from_flags(self.receives(), self.sends())
    }

    /// What both allow.
    #[must_use]
    pub fn and(self, other: Direction) -> Direction {
        Direction::from_flags(self.sends() && other.sends(), self.receives() && other.receives())
    }

    /// The attribute.
    pub fn as_str(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }

    fn from_flags(sends: bool, receives: bool) -> Direction {
        match (sends, receives) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }
}

/// The audio stream both sides agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// Where to send RTP. The address is unspecified (`0.0.0.0`) when the peer holds the old way; nothing is sent then.
    pub remote_rtp: SocketAddr,
    /// Where to send RTCP (`a=rtcp`, else one port above RTP, or RTP's own with `rtcp_mux`); `None` if there is no such
    /// port.
    pub remote_rtcp: Option<SocketAddr>,
    /// RTCP goes over the port of RTP, both ways (RFC 5761).
    pub rtcp_mux: bool,
    /// The codec, both ways.
    pub codec: Codec,
    /// Payload type of what we receive.
    pub payload_type: u8,
    /// Payload type of what we send.
    pub remote_payload_type: u8,
    /// What the peer may send besides, at any moment and without another word: more than one codec was in its answer
    /// (RFC 3264 section 7).
    pub also: Vec<Alternative>,
    /// Payload type for sending telephone-events (RFC 4733); `None` if the peer takes none.
    pub dtmf_payload_type: Option<u8>,
    /// Clock of the telephone-events, in Hz, in which their length is counted (RFC 4733 section 2.3.5): that of the codec
    /// unless the peer only knows 8000.
    pub dtmf_clock_hz: u32,
    /// Length of the packets we send, in ms, 10 to 60: what the peer asked for, else our own wish.
    pub ptime_ms: u32,
    /// What WE may do.
    pub direction: Direction,
    /// What the peer's Opus decoder asks of our encoder; `None` for other codecs.
    pub opus: Option<OpusParams>,
    /// Keys of the encrypted stream; `None` if it is not encrypted, and while an offer received has no answer of ours
    /// yet, which is what brings our key.
    pub srtp: Option<SrtpKeys>,
}

/// A codec beside the one agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alternative {
    /// The codec.
    pub codec: Codec,
    /// Payload type of what we receive.
    pub payload_type: u8,
}

/// Parameters of RFC 7587 section 6.1 that bind the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpusParams {
    /// The peer can use in-band forward error correction.
    pub inband_fec: bool,
    /// The peer likes silence not to be sent.
    pub dtx: bool,
    /// The peer wants a constant bit rate.
    pub constant_bitrate: bool,
    /// The most the peer wants to receive, in bit/s, 6000 to 510000.
    pub max_average_bitrate: Option<u32>,
    /// The highest sampling rate worth sending, in Hz, 8000 to 48000.
    pub max_playback_rate_hz: u32,
}

/// Why a description was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// Not a description we can read.
    #[error("malformed session description: {0}")]
    Malformed(&'static str),
    /// No audio stream at all, or only one with port 0.
    #[error("no audio stream")]
    NoAudio,
    /// Audio only as SRTP, which is off here, or over another transport.
    #[error("no audio over plain RTP/AVP")]
    Transport,
    /// Encryption is mandatory here and the peer does not encrypt.
    #[error("only encrypted calls (SRTP) are taken here")]
    NotEncrypted,
    /// The stream must be encrypted, but with no key or suite that we can use.
    #[error("no common SRTP crypto suite")]
    NoCommonSuite,
    /// None of our codecs.
    #[error("no common codec")]
    NoCommonCodec,
    /// A host name, another network, or an address that nobody has.
    #[error("incompatible network address")]
    Address,
    /// An address of the other family, IPv4 or IPv6, than the one that we hear at.
    #[error("no address of this family (IPv4, IPv6) here")]
    Family,
    /// The answer does not fit the offer (RFC 3264 section 6): wrong number of streams, or a codec never offered.
    #[error("answer does not fit the offer")]
    AnswerMismatch,
    /// An offer is already under way.
    #[error("offer already under way")]
    OfferPending,
    /// Nothing to answer, or no offer sent.
    #[error("no offer under way")]
    NoOffer,
}

impl SdpError {
    /// The response code for an offer that failed this way: 488, or 400 for what is no description, or 491 for glare.
    pub fn code(self) -> u16 {
        match self {
            SdpError::Malformed(_) => 400,
            SdpError::OfferPending => 491,
            _ => 488,
        }
    }

    /// The code for a Warning header (RFC 3261 section 20.43).
    pub fn warning(self) -> u16 {
        match self {
            SdpError::NoAudio => 304,
            SdpError::Transport | SdpError::NotEncrypted | SdpError::NoCommonSuite => 302,
            SdpError::NoCommonCodec => 305,
            SdpError::Address | SdpError::Family => 301,
            _ => 399,
        }
    }
}
