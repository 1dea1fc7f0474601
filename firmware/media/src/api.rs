//! The words other crates use to speak with this one: identities, settings, events, figures and errors.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use crate::device_list::DeviceList;
use crate::last_minute::Second;
use crate::sound_test::TestState;
use crate::timing::Timing;

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
    /// G.722 at 64 kbit/s: 16 kHz, but an RTP clock of 8 kHz (RFC 3551 section 4.5.2), static payload type 9.
    G722,
    /// Opus (RFC 7587), 48 kHz RTP clock whatever the audio bandwidth; we send mono.
    Opus,
}

impl Codec {
    /// The RTP clock in Hz, also the clock of RFC 4733 events beside this codec.
    pub fn clock_rate(self) -> u32 {
        match self {
            Codec::Pcmu | Codec::Pcma | Codec::G722 => 8_000,
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

/// Cipher and tag of an encrypted stream (RFC 4568 section 6.2, RFC 6188).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SrtpSuite {
    /// AES-128 in counter mode, tags of 80 bits.
    Aes128Sha1_80,
    /// AES-128 in counter mode, RTP with tags of 32 bits.
    Aes128Sha1_32,
    /// AES-256 in counter mode, tags of 80 bits.
    Aes256Sha1_80,
    /// AES-256 in counter mode, RTP with tags of 32 bits.
    Aes256Sha1_32,
}

/// How a stream is encrypted (SRTP, RFC 3711), RTCP included.
#[derive(Clone, PartialEq, Eq)]
pub struct SrtpKeys {
    /// Both ways.
    pub suite: SrtpSuite,
    /// Master key and salt of what we send: 30 bytes, with AES-256 46.
    pub local: Vec<u8>,
    /// Master key and salt of what we receive.
    pub remote: Vec<u8>,
}

impl fmt::Debug for SrtpKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Keys are as secret as passwords.
        f.debug_struct("SrtpKeys").field("suite", &self.suite).finish_non_exhaustive()
    }
}

/// The negotiated far end of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Where our RTP goes, and whose address RTP must come from; where it really comes from instead if nothing ever
    /// came from there, or if it is encrypted.
    pub rtp: SocketAddr,
    /// Where our RTCP goes (`a=rtcp`, RFC 3605); the RTP port plus one when absent.
    pub rtcp: Option<SocketAddr>,
    /// RTCP goes over the port of RTP, both ways (RFC 5761).
    pub rtcp_mux: bool,
    /// How it is encrypted; then nothing is sent or taken in the clear.
    pub srtp: Option<SrtpKeys>,
    /// The codec both ways.
    pub codec: Codec,
    /// The payload type we announced, so the one that arrives here (0..=127).
    pub payload_type: u8,
    /// The payload type the peer announced, so the one we send (0..=127).
    pub remote_payload_type: u8,
    /// What may arrive in the place of `codec`, at any moment and without a word, while `codec` goes on being sent: the
    /// peer's answer named these too (RFC 3264 section 7). At most three are looked at.
    pub also: Vec<Alternative>,
    /// The `telephone-event` payload type, both ways (RFC 4733); without it no digits are sent.
    pub dtmf_payload_type: Option<u8>,
    /// Clock of `telephone-event` in Hz, in which the length of a digit is counted (RFC 4733 section 2.3.5). It should be
    /// the codec's; beside Opus some peers have 8000.
    pub dtmf_clock_hz: u32,
    /// Milliseconds of audio in each packet we send: 10 to 60 in steps of 10, for Opus rounded down to 10, 20, 40 or 60.
    pub ptime_ms: u32,
    /// Which way media flows.
    pub direction: Direction,
}

/// A codec and the payload type that we announced for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alternative {
    /// The codec.
    pub codec: Codec,
    /// The payload type that arrives (0..=127).
    pub payload_type: u8,
}

impl Remote {
    /// What was agreed to arrive.
    pub(crate) fn agreed(&self) -> Alternative {
        Alternative { codec: self.codec, payload_type: self.payload_type }
    }

    /// Units in which a digit is counted, in a millisecond.
    pub(crate) fn dtmf_per_ms(&self) -> u32 {
        (self.dtmf_clock_hz / 1000).max(1)
    }
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

/// What ringing sounds like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Ring {
    /// Two bells, high and low, twice in 4 s.
    #[default]
    Bell,
    /// Three bells that rise, once in 3 s.
    Chime,
    /// The warble of a desk phone: 1 s in 3 s.
    Warble,
    /// One deep bell in 3 s.
    Gong,
}

/// Who has the operator's ear and mouth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Ear {
    /// Nobody: the operator hears tones only.
    #[default]
    Nobody,
    /// One stream alone. A member of the conference is out of it meanwhile, neither heard there nor hearing it.
    Stream(StreamId),
    /// The conference ([`crate::Media::conference`]).
    Conference,
}

/// One member of the conference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seat {
    /// Whose seat.
    pub stream: StreamId,
    /// It hears everybody and is heard by nobody.
    pub muted: bool,
}

/// What a stream on hold sends while its direction allows sending. On hold is every stream that neither talks with
/// the operator nor sits in the conference.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Hold {
    /// Nothing but RTCP.
    Nothing,
    /// Two soft pips every 5 s, and nothing between them.
    #[default]
    Beep,
    /// A recording, over and over; each stream begins at its beginning and goes on where it was when it is on hold
    /// again. Until the file has been read they hear what they heard before, at the start pips; pips also when it
    /// cannot be read ([`Event::SoundRefused`]).
    Music {
        /// A WAV file: 16 bit PCM, mono or stereo, 8 to 48 kHz, 20 ms to ten minutes; or an Opus file (Ogg) as long.
        path: PathBuf,
    },
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
    /// Where messages, reminders and alerts chime.
    Notifier,
}

impl Role {
    /// How many there are.
    pub(crate) const COUNT: usize = 4;
    /// All of them, in the order of their values. Of two that share a device the one further to the front has it.
    pub(crate) const ALL: [Role; Role::COUNT] =
        [Role::Speaker, Role::Microphone, Role::Ringer, Role::Notifier];
}

/// What is done to the microphone's sound before it is sent ([`crate::Media::voice`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Voice {
    /// The operator speaks and hears through a loudspeaker and a microphone on the desk. Otherwise, with a handset or
    /// a headset, nothing at all is done, whatever the others say.
    pub hands_free: bool,
    /// What the microphone hears of the speaker is taken away.
    pub echo: bool,
    /// Steady noise is turned down.
    pub noise: bool,
    /// Quiet voices are turned up, loud ones limited.
    pub gain: bool,
}

impl Voice {
    /// What is done: echo, noise, gain.
    pub(crate) fn effective(self) -> [bool; 3] {
        [self.echo, self.noise, self.gain].map(|on| on && self.hands_free)
    }
}

impl Default for Voice {
    /// A handset or headset; everything, once it is hands-free.
    fn default() -> Self {
        Voice { hands_free: false, echo: true, noise: true, gain: true }
    }
}

/// What became of a sound device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceState {
    /// It is open and in use, by itself or together with another role.
    Open,
    /// It could not be opened, or failed. The next device of the role's list is used, if there is one; this one is
    /// tried again when a sound card has come, and every now and then.
    Lost {
        /// Why, for the log and the diagnostics page.
        reason: String,
    },
    /// It was given back on request ([`crate::Media::connect_audio`]).
    Closed,
}

/// How a server outside sees the two ports of a stream ([`crate::Media::probe`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mapping {
    /// Where RTP that is sent to the stream from outside must go.
    pub rtp: SocketAddr,
    /// The same of RTCP; `None` where the server said nothing of that port.
    pub rtcp: Option<SocketAddr>,
}

/// Why a server's view of a stream is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StunError {
    /// Nobody answered three requests within 2 s.
    #[error("no answer within 2 s")]
    Silent,
    /// The server says that it does not answer.
    #[error("it refuses (code {code})")]
    Refused {
        /// Its ERROR-CODE, 300 to 699; 0 where it says none.
        code: u16,
    },
    /// The answer names no address that can be used.
    #[error("its answer names no address")]
    Useless,
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
        /// Its last minute; see [`Event::Marked`].
        seconds: Box<[Second]>,
    },
    /// The last minute of a stream ([`crate::Media::mark`]).
    Marked {
        /// Which stream.
        stream: StreamId,
        /// Second by second, oldest first: at most 60, the last one not over yet. None of a stream that is not open, or
        /// whose far end never was known.
        seconds: Box<[Second]>,
    },
    /// How a server sees the stream's ports, told for the first time or otherwise than before.
    Mapped {
        /// Which stream.
        stream: StreamId,
        /// What it sees, or why that is not known.
        mapping: Result<Mapping, StunError>,
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
    /// A member of the conference who is not muted began or ceased to speak: some 200 ms after the one, 500 ms
    /// after the other, and told on a change only. A member that leaves while marked is told to have ceased.
    Speaking {
        /// Who.
        stream: StreamId,
        /// Whether it speaks.
        on: bool,
    },
    /// How loud it has been in the last 100 ms ([`crate::Media::meter`]): peaks in dBFS, 0.0 the loudest there is,
    /// -96.0 for nothing at all.
    Levels {
        /// What is sent of the microphone: after its level and mute.
        input_dbfs: f32,
        /// What the operator hears: speech and tones after their level and mute, not the ringing.
        output_dbfs: f32,
    },
    /// How a test of the sound devices goes on ([`crate::Media::test_sound`]).
    Test {
        /// Which.
        number: u64,
        /// What it does.
        state: TestState,
    },
    /// A recording has been read: the music plays from now on, or the message begins.
    SoundReady {
        /// The file.
        path: PathBuf,
        /// Its length in milliseconds.
        length_ms: u32,
    },
    /// A recording cannot be played. In place of music there are pips.
    SoundRefused {
        /// The file.
        path: PathBuf,
        /// Why.
        error: SoundError,
    },
    /// A message ([`crate::Media::announce`]) is over. Not told of a stream that is closed during it.
    Announced {
        /// To whom.
        stream: StreamId,
        /// It was played to its end; otherwise it could not be read, or the stream was taken from hold, or
        /// another message took its place.
        complete: bool,
    },
}

/// Figures of one stream since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Stats {
    /// What was agreed last; `None` where the far end never was known.
    pub codec: Option<Codec>,
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
    /// Milliseconds of these that were made of the packet after the hole as well.
    pub repaired_ms: u64,
    /// Milliseconds by which speech was played shorter, to lose delay.
    pub shortened_ms: u32,
    /// Milliseconds by which it was played longer, to gain delay.
    pub lengthened_ms: u32,
    /// Milliseconds of speech that were there and not played, to lose much delay at once.
    pub left_out_ms: u32,
    /// Interarrival jitter in milliseconds (RFC 3550 section 6.4.1), at the end.
    pub jitter_ms: f32,
    /// Depth of the jitter buffer in milliseconds, at the end.
    pub buffer_ms: u32,
    /// Packets dropped because they came from an address that was not negotiated.
    pub strangers: u64,
    /// Packets of an encrypted stream that were made without the key, or changed on their way.
    pub forged: u64,
    /// Packets of an encrypted stream that came again, or so late that it cannot be known.
    pub replayed: u64,
    /// Packets dropped because they were not RTP, or of an unknown payload type, or past the limit a tick.
    pub ignored: u64,
    /// Round trip in milliseconds by RTCP (RFC 3550 section 6.4.1), when the peer reports.
    pub round_trip_ms: Option<f32>,
    /// Share of our packets the peer says it lost in its last report, 0.0..=1.0.
    pub remote_loss: Option<f32>,
    /// How punctual the audio thread was while the stream was open; known of a closed stream.
    pub timing: Timing,
}

/// How to start.
#[derive(Debug, Clone)]
pub struct Config {
    /// Playback devices, best first: an ALSA name (`default`, `plughw:CARD=Headset,DEV=0`), `wav:/path/out.wav`, or
    /// `none`. Each role takes the next of its own list when a device is gone, and a better one when it is back; so
    /// speaker and microphone of one headset go and return together, and one that is half broken serves with its other
    /// half.
    pub speaker: DeviceList,
    /// Capture devices: an ALSA name, `wav:/path/in.wav` (silence after its end), `wav-loop:/path/in.wav`
    /// (for ever), `echo:DELAY_MS,LOSS_DB,/path/played.wav,/path/near.wav` (the second file, and what is played to the
    /// first one, heard so much later and quieter), or `none`.
    pub microphone: DeviceList,
    /// Playback devices for ringing. One that the speaker uses too is shared with it: the ringing is mixed into speech.
    pub ringer: DeviceList,
    /// Playback devices for chimes, likewise; where it rings by default.
    pub notifier: Option<DeviceList>,
    /// The local address RTP sockets bind to.
    pub rtp_ip: IpAddr,
    /// Ports for RTP (even) and RTCP (the odd one above).
    pub rtp_ports: RangeInclusive<u16>,
    /// Ask for real-time scheduling of the audio and media threads; refused without harm when not allowed.
    pub realtime: bool,
    /// What streams on hold hear; [`crate::Media::hold`] changes it.
    pub hold: Hold,
    /// What is done to the microphone's sound; [`crate::Media::voice`] changes it.
    pub voice: Voice,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            speaker: "default".into(),
            microphone: "default".into(),
            ringer: "default".into(),
            notifier: None,
            rtp_ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            rtp_ports: 16_384..=16_983,
            realtime: true,
            hold: Hold::default(),
            voice: Voice::default(),
        }
    }
}

/// Why a recording cannot be played.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SoundError {
    /// There is no such file, it is none, or it may not be read.
    #[error("cannot be read: {reason}")]
    Unreadable {
        /// What the system says.
        reason: String,
    },
    /// It is no WAV file, or a broken one.
    #[error("not a sound WAV file: {reason}")]
    NotWav {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// It is an Ogg file without Opus that can be played, or a broken one.
    #[error("not an Opus file: {reason}")]
    NotOpus {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// It is a WAV file of another kind than is played.
    #[error(
        "not 16 bit PCM, mono or stereo, 8000 to 48000 Hz, but format {tag}, {bits} bit, {channels} channels, \
         {rate} Hz"
    )]
    Format {
        /// `wFormatTag`: 1 is PCM.
        tag: u16,
        /// Bits in a sample.
        bits: u16,
        /// Channels.
        channels: u16,
        /// Samples a second.
        rate: u32,
    },
    /// It is longer than is kept in memory.
    #[error("longer than {limit_s} s")]
    TooLong {
        /// How long it may be, in seconds.
        limit_s: u32,
    },
    /// It has less than one packet (20 ms).
    #[error("it holds no sound")]
    Empty,
    /// A codec failed.
    #[error("cannot be encoded: {reason}")]
    Codec {
        /// What the codec says.
        reason: String,
    },
    /// Too many files wait to be read already.
    #[error("too many recordings wait to be read")]
    Busy,
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
