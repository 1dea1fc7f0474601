//! The trace of SIP messages and what is counted of each call, for support.

use serde::{Deserialize, Serialize};

use crate::CallRef;

/// A piece of a pcapng file; the pieces of all pages, one behind the other, are the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracePage {
    /// Base64.
    pub pcapng: String,
    /// What to ask behind for the next page; `None`: this was the last one.
    pub next: Option<u64>,
}

/// What was counted of one SIP dialog: a call, a registration, a subscription.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallFigures {
    /// Its number on the desk, where it is a call. A call may have several dialogs.
    pub call: Option<CallRef>,
    /// What the exchange's log knows it by.
    pub call_id: String,
    /// Its first message, in microseconds since 1970.
    pub began_unix_us: u64,
    /// Its last one.
    pub last_unix_us: u64,
    /// SIP messages received, repeated ones among them.
    pub messages_in: u64,
    /// SIP messages sent.
    pub messages_out: u64,
    /// Messages received that had come before, byte by byte.
    pub repeated_in: u64,
    /// Messages sent again.
    pub repeated_out: u64,
    /// Bytes of SIP received.
    pub bytes_in: u64,
    /// Bytes of SIP sent.
    pub bytes_out: u64,
    /// Its sound, once the call is over.
    pub sound: Option<SoundFigures>,
}

/// What was counted of a call's sound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoundFigures {
    /// RTP packets sent.
    pub sent: u64,
    /// RTP packets received.
    pub received: u64,
    /// Packets that never came.
    pub lost: u64,
    /// Packets that came after their time to play.
    pub late: u64,
    /// Packets that came twice.
    pub duplicates: u64,
    /// Interarrival jitter at the end, in microseconds.
    pub jitter_us: u32,
    /// What a listener here would have thought of it: mean opinion score (ITU-T G.107) in hundredths, 100 to 450; `None`
    /// where next to nothing was received.
    #[serde(default)]
    pub mos_hundredths: Option<u16>,
    /// Times the loudspeaker was due 10 ms of sound during the call and none were there.
    #[serde(default)]
    pub late_buffers: u64,
    /// 99 of 100 wake-ups of the audio thread during the call came at most so late, in microseconds, and the latest.
    #[serde(default)]
    pub wake_up_p99_us: u64,
    /// See `wake_up_p99_us`.
    #[serde(default)]
    pub wake_up_worst_us: u64,
}
