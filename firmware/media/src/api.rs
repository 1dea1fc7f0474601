//! The words other crates use to speak with this one: identities, settings, events, figures and errors.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;

/// One RTP stream (one `m=audio` section of one call leg), named by whoever opens it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(pub u64);

/// An audio codec this crate can send and receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// G.711 µ-law, 8 kHz, static payload type 0.
    Pcmu,
    /// G.711 A-law, 8 kHz, static payload type 8.
    Pcma,
    /// Opus (RFC 7587), 48 kHz RTP clock whatever the audio bandwidth; we send mono.
    Opus,
}

impl Codec {
    /// The RTP clock in Hz, also the clock of RFC 4733 events beside this codec.
    pub fn clock_rate(self) -> u32 {
        match self {
            Codec::Pcmu | Codec::Pcma => 8_000,
            Codec::Opus => 48_000,
        }
    }
}

/// Which way media flows, as seen from this side (RFC 3264 section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Both ways.
    SendRecv,
    /// We send, and ignore what arrives.
    SendOnly,
    /// We listen, and send nothing but RTCP.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// True when this side may send audio.
    pub fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    /// True when this side plays what arrives.
    pub fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }
}

/// The negotiated far end of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Where our RTP goes, and whose address RTP must come from.
    pub rtp: SocketAddr,
    /// Where our RTCP goes (`a=rtcp`, RFC 3605); the RTP port plus one when absent.
    pub rtcp: Option<SocketAddr>,
    /// The codec both ways.
    pub codec: Codec,
    /// The payload type we announced, so the one that arrives here (0..=127).
    pub payload_type: u8,
    /// The payload type the peer announced, so the one we send (0..=127).
    pub remote_payload_type: u8,
    /// The `telephone-event` payload type, both ways (RFC 4733); without it no digits are sent.
    pub dtmf_payload_type: Option<u8>,
    /// Milliseconds of audio in each packet we send; rounded to 10, 20, 40 or 60.
    pub ptime_ms: u32,
    /// Which way media flows.
    pub direction: Direction,
}

/// A call-progress tone in the operator's ear (ETSI cadences at 425 Hz).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tone {
    /// The far phone rings: 1 s on, 4 s off.
    Ringback,
    /// The far phone is busy: 0.5 s on, 0.5 s off.
    Busy,
    /// No way through: 0.25 s on, 0.25 s off.
    Congestion,
    /// Another call waits: two soft pips every 4 s.
    CallWaiting,
}

/// What a stream that is not the talking one sends while its direction allows sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Hold {
    /// Nothing but RTCP.
    Nothing,
    /// Two soft pips every 5 s, and nothing between them.
    #[default]
    Beep,
}

/// What a sound device is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The operator's ear: handset, headset or hands-free loudspeaker.
    Speaker,
    /// The operator's mouth.
    Microphone,
    /// Where calls ring.
    Ringer,
}

/// What became of a sound device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceState {
    /// It is open and in use.
    Open,
    /// It could not be opened, or failed; it is tried again every two seconds.
    Lost {
        /// Why, for the log and the diagnostics page.
        reason: String,
    },
    /// It was given back on request ([`crate::Media::connect_audio`]).
    Closed,
}

/// Something the rest of the appliance may want to know.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A digit was pressed at the far end (RFC 4733); told once, when its end is known.
    Digit {
        /// The stream it came on.
        stream: StreamId,
        /// `0`-`9`, `*`, `#`, `A`-`D`.
        digit: char,
        /// How long it was held.
        duration_ms: u32,
    },
    /// The stream is gone and its ports are free.
    Closed {
        /// Which one.
        stream: StreamId,
        /// Its final figures.
        stats: Stats,
    },
    /// A sound device came or went.
    Device {
        /// What it is used for.
        role: Role,
        /// The configured name.
        name: String,
        /// What happened.
        state: DeviceState,
    },
    /// RTP began to arrive on a stream (`flowing`), or none has for five seconds.
    Media {
        /// Which stream.
        stream: StreamId,
        /// Whether packets arrive.
        flowing: bool,
    },
}

/// Figures of one stream since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Stats {
    /// RTP packets sent.
    pub packets_sent: u64,
    /// RTP packets accepted.
    pub packets_received: u64,
    /// Packets that never arrived, by sequence number (RFC 3550 A.3; not negative).
    pub lost: u64,
    /// Packets that came after their time to play.
    pub late: u64,
    /// Packets that came twice.
    pub duplicates: u64,
    /// Milliseconds of speech made up because a packet was missing.
    pub concealed_ms: u64,
    /// Interarrival jitter in milliseconds (RFC 3550 section 6.4.1), at the end.
    pub jitter_ms: f32,
    /// Depth of the jitter buffer in milliseconds, at the end.
    pub buffer_ms: u32,
    /// Packets dropped because they came from an address that was not negotiated.
    pub strangers: u64,
    /// Packets dropped because they were not RTP, or of an unknown payload type, or past the limit a tick.
    pub ignored: u64,
    /// Round trip in milliseconds by RTCP (RFC 3550 section 6.4.1), when the peer reports.
    pub round_trip_ms: Option<f32>,
    /// Share of our packets the peer says it lost in its last report, 0.0..=1.0.
    pub remote_loss: Option<f32>,
}

/// How to start.
#[derive(Debug, Clone)]
pub struct Config {
    /// Playback device: an ALSA name (`default`, `plughw:CARD=Headset`), `wav:/path/out.wav`, or `none`.
    pub speaker: String,
    /// Capture device: an ALSA name, `wav:/path/in.wav` (silence after its end), `wav-loop:/path/in.wav`
    /// (for ever), or `none`.
    pub microphone: String,
    /// Playback device for ringing; may be the same name as `speaker`, and is then mixed into it.
    pub ringer: String,
    /// The local address RTP sockets bind to.
    pub rtp_ip: IpAddr,
    /// Ports for RTP (even) and RTCP (the odd one above).
    pub rtp_ports: RangeInclusive<u16>,
    /// Ask for real-time scheduling of the audio and media threads; refused without harm when not allowed.
    pub realtime: bool,
    /// What streams on hold hear.
    pub hold: Hold,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            speaker: "default".into(),
            microphone: "default".into(),
            ringer: "default".into(),
            rtp_ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            rtp_ports: 16_384..=16_983,
            realtime: true,
            hold: Hold::default(),
        }
    }
}

/// Why a request was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The media thread has too many requests waiting.
    #[error("the media thread is busy: its queue of requests is full")]
    Busy,
    /// The media thread has ended.
    #[error("the media thread has stopped")]
    Stopped,
    /// A thread or the poller could not be made.
    #[error("cannot start {what}: {source}")]
    Start {
        /// Which part.
        what: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// No free even/odd pair of ports is left.
    #[error("no free RTP port pair on {ip} in {first}..={last}")]
    NoPort {
        /// The local address tried.
        ip: IpAddr,
        /// First port of the range.
        first: u16,
        /// Last port of the range.
        last: u16,
    },
    /// A port could not be bound for another reason than being taken.
    #[error("cannot bind RTP socket {address}: {source}")]
    Bind {
        /// The local address tried.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// A value is outside what this crate accepts.
    #[error("{what} is out of range: {value}")]
    Range {
        /// The name of the value.
        what: &'static str,
        /// What was given.
        value: String,
    },
}
