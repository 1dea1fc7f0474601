//! The call log, a page at a time.

use serde::{Deserialize, Serialize};

use crate::{CustomerRef, Direction, Party, TransferEnd, TransferKind};

/// Which part of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogQuery {
    /// Calls that began at or after this time, Unix milliseconds.
    pub from_unix_ms: i64,
    /// Calls that began before this time, Unix milliseconds.
    pub until_unix_ms: i64,
    /// Words to search for in name, number and line; empty shows all.
    pub text: String,
    /// Only missed calls.
    pub missed_only: bool,
    /// First row wanted, newest first.
    pub offset: u32,
    /// Rows wanted, at most 500.
    pub limit: u32,
}

/// A part of the log, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPage {
    /// How many match in all.
    pub total: u32,
    /// The row number of the first of `rows`.
    pub offset: u32,
    /// The rows.
    pub rows: Vec<LogRow>,
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
