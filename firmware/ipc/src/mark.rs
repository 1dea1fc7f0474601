//! What is kept of a call that something was wrong with: the last minute before the operator said so, in figures.
//! There is no speech in it, nor can any be made of it.

use serde::{Deserialize, Serialize};

/// A minute of a call, kept because the operator said that something was wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallMark {
    /// When the operator said so, Unix milliseconds.
    pub at_unix_ms: i64,
    /// When the last of the seconds ended, Unix milliseconds: then, or when the call ended before that.
    pub until_unix_ms: i64,
    /// Second by second, oldest first, at most 60. None where the sound did not come through this desk, or had not begun.
    pub seconds: Vec<CallSecond>,
}

/// What was counted of a call's sound in one second, between this desk and the call's other end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallSecond {
    /// How long it was, in milliseconds: 1000, or less of the last one.
    pub length_ms: u32,
    /// At its end on hold: late packets, made up sound and levels are not counted then.
    pub held: bool,
    /// RTP packets sent.
    pub sent: u32,
    /// RTP packets received.
    pub received: u32,
    /// Packets that turned out to be missing.
    pub lost: u32,
    /// Packets that came after their time to play.
    pub late: u32,
    /// Milliseconds of speech made up.
    pub concealed_ms: u32,
    /// Milliseconds of these that were made of the packet after the hole as well.
    pub repaired_ms: u32,
    /// Milliseconds by which speech was played shorter, to lose delay.
    pub shortened_ms: u32,
    /// Milliseconds by which speech was played longer, to gain delay.
    pub lengthened_ms: u32,
    /// Milliseconds of speech that were there and not played, to lose much delay at once.
    pub left_out_ms: u32,
    /// Interarrival jitter at its end (RFC 3550 section 6.4.1), in microseconds.
    pub jitter_us: u32,
    /// Depth of the jitter buffer at its end, in milliseconds.
    pub buffer_ms: u32,
    /// Round trip by RTCP in microseconds, when the other end reports.
    pub round_trip_us: Option<u32>,
    /// How loud the other end was: RMS in tenths of dBFS, 0 the loudest there is, -960 for nothing at all.
    pub heard_decibel_tenths: i32,
    /// How loud it heard us, likewise.
    pub said_decibel_tenths: i32,
}

/// Whether something was wrong with a call in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LogMark {
    /// Nobody said so, and its last minute is not there any more.
    #[default]
    None,
    /// Nobody said so yet; [`crate::Command::MarkLoggedCall`] does.
    Possible,
    /// The operator said so.
    Marked,
}

impl LogMark {
    /// Nothing to say of it.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }
}
