//! The call log, a page at a time.

use serde::{Deserialize, Serialize};

use crate::{CallRef, CustomerRef, Direction, LogMark, OutcomeCount, Party, TransferEnd, TransferKind};

/// Most criteria by which the log is sorted.
pub const MAX_LOG_SORTS: usize = 5;

/// Which part of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogQuery {
    /// Calls that began at or after this time, Unix milliseconds.
    pub from_unix_ms: i64,
    /// Calls that began before this time, Unix milliseconds.
    pub until_unix_ms: i64,
    /// Words to search for in name, number and line; empty shows all.
    pub text: String,
    /// Only calls of these directions; empty for both.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub directions: Vec<Direction>,
    /// Only calls that ended like one of these; empty for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ends: Vec<EndStatus>,
    /// By what they are sorted; where the first finds two the same, the second decides, and so on, at most
    /// [`MAX_LOG_SORTS`]. What is the same in all of them, and with none: newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sort: Vec<LogSort>,
    /// Count, too, how many calls of each direction ended how.
    #[serde(default)]
    pub counted: bool,
    /// First row wanted.
    pub offset: u32,
    /// Rows wanted, at most 500.
    pub limit: u32,
}

/// One criterion by which the log is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LogSort {
    /// What is compared.
    pub by: LogOrder,
    /// Largest, latest or last in the alphabet first.
    #[serde(default)]
    pub descending: bool,
}

/// What is compared when the log is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LogOrder {
    /// When the call began.
    When,
    /// The name of the other end, else its number, in any case and without accents; whoever has neither comes first.
    Whom,
    /// The line's name, else its number, likewise.
    Line,
    /// Time talked.
    Talk,
    /// Time on hold.
    Hold,
}

/// A part of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPage {
    /// How many match in all.
    pub total: u32,
    /// The row number of the first of `rows`.
    pub offset: u32,
    /// The rows.
    pub rows: Vec<LogRow>,
    /// How many calls of each direction ended how, whatever [`LogQuery::directions`] and [`LogQuery::ends`] say; when
    /// [`LogQuery::counted`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counts: Vec<OutcomeCount>,
    /// When nothing matches and no words were searched for: when the newest call before this part began that would,
    /// Unix milliseconds. Only the newest 20,000 calls before it are looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier_unix_ms: Option<i64>,
    /// Likewise the first one after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub later_unix_ms: Option<i64>,
}

/// One ended call (LOG-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogRow {
    /// Row id in the store.
    pub id: i64,
    /// Who began it.
    pub direction: Direction,
    /// The other end.
    pub party: Party,
    /// Number of the line called or used.
    pub line_number: String,
    /// Name of that line.
    pub line_name: String,
    /// When it began, Unix milliseconds.
    pub began_unix_ms: i64,
    /// From the beginning to the answer, in milliseconds; `None` when it was not answered.
    pub answered_after_ms: Option<u64>,
    /// Time talked, in milliseconds.
    pub talk_ms: u64,
    /// Time on hold, in milliseconds.
    pub hold_ms: u64,
    /// How it ended.
    pub end: EndStatus,
    /// The transfers of this call, oldest first.
    pub transfers: Vec<LogTransfer>,
    /// The rules of automatic handling that were applied, oldest first (OVF-1 to OVF-4).
    pub rules: Vec<String>,
    /// The customer whose card was shown; of a call that has just ended only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerRef>,
    /// Its number on the desk; of a call that has just ended only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallRef>,
    /// How it sounded; of a call that was answered and whose sound has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sound: Option<CallSound>,
    /// Whether something was wrong with it.
    #[serde(default, skip_serializing_if = "LogMark::is_none")]
    pub mark: LogMark,
}

/// How a call sounded, as was counted here of the way between this desk and the other end of the row. A call that was
/// joined with others or passed on has the figures of its own way, not of those behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CallSound {
    /// What a listener here would have thought of it: mean opinion score (ITU-T G.107) in hundredths, 100 to 450; `None`
    /// where less than half a second was received.
    pub mos_hundredths: Option<u16>,
    /// RTP packets received.
    pub received: u64,
    /// Packets that never came.
    pub lost: u64,
    /// Packets that came after their time to play.
    pub late: u64,
    /// Interarrival jitter at the end (RFC 3550 section 6.4.1), in microseconds.
    pub jitter_us: u32,
    /// Round trip in microseconds by RTCP, when the other end reports.
    pub round_trip_us: Option<u32>,
    /// Thousandths of our packets that the other end says it lost, in its last report.
    pub lost_there_thousandths: Option<u16>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EndStatus {
    /// Talked and hung up.
    Completed,
    /// Incoming, the caller gave up or was not answered.
    Missed,
    /// Incoming, answered on another phone.
    Elsewhere,
    /// Incoming, refused here by hand or by Do Not Disturb.
    Rejected,
    /// Outgoing, the other end was busy or refused.
    Refused,
    /// Outgoing, not answered.
    NotAnswered,
    /// Passed on by a transfer.
    Transferred,
    /// Incoming, sent on without being answered.
    Forwarded,
    /// Sent to a mailbox, by a transfer or without being answered.
    Voicemail,
    /// The network or the exchange broke it.
    Failed,
}

/// A transfer in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogTransfer {
    /// The transfer target.
    pub to: Party,
    /// How.
    pub kind: TransferKind,
    /// What became of it.
    pub end: TransferEnd,
    /// From the wish to its end, in milliseconds.
    pub took_ms: u64,
}
