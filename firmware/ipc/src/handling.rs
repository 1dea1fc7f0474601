//! Automatic handling of calls: the rules of an administrator (OVF-1 to OVF-4) and the times after
//! which a forgotten call comes back.
//!
//! Shared by the settings file, the call core and the admin page, so that a rule is written one way
//! everywhere. What a rule does is decided in the call core; nothing here decides.

use serde::{Deserialize, Serialize};

/// When the house is open. Rules may apply in some modes only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceMode {
    /// Open.
    #[default]
    Day,
    /// Closed for the night.
    Night,
    /// Closed for the day.
    Holiday,
}

/// How a line rings, so that a hall knows by ear for which company.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RingTone {
    /// Two bells, high and low, twice.
    #[default]
    Bell,
    /// Three bells that rise.
    Chime,
    /// The warble of a desk phone.
    Warble,
    /// One deep bell.
    Gong,
}

/// One rule of automatic handling. The first rule that matches, in the order of the settings, is
/// applied, and its name stands in the log row of the call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Shown in the log and on the card, for example `Night service`.
    pub name: String,
    /// What sets it off.
    pub when: Trigger,
    /// Whose calls.
    #[serde(default)]
    pub who: Callers,
    /// Only calls for the line of this number; every line when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// Only in these modes; in every mode when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modes: Vec<ServiceMode>,
    /// What is done with the call.
    pub then: Outcome,
}

/// What sets a rule off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// A call arrives, whatever the desk does (OVF-3, night service).
    Arrives,
    /// A call has rung so many seconds without an answer, 1 to 600 (OVF-1).
    Unanswered {
        /// How long.
        seconds: u32,
    },
    /// A call arrives while so many incoming calls are on the desk already (OVF-2).
    TooMany {
        /// From how many on, 1 to 500.
        calls: u32,
    },
    /// A call arrives while the operator does not want to be disturbed (OVF-4).
    DoNotDisturb,
    /// A call arrives while nobody is signed in at the desk.
    NobodyThere,
    /// A recall has rung so many seconds and nobody took it, 1 to 600.
    RecallUnanswered {
        /// How long.
        seconds: u32,
    },
}

/// Whose calls a rule applies to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Callers {
    /// Everybody's.
    #[default]
    Anybody,
    /// Those who withhold their number.
    Anonymous,
    /// Those whose number is no extension of the house, the anonymous included.
    External,
    /// Those whose number is an extension of the house.
    Internal,
}

/// What a rule does with a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Sent on to another operator or number: 302 while it rings, REFER once it is answered.
    Forward {
        /// The number.
        to: String,
    },
    /// Sent on to a mailbox.
    Voicemail {
        /// The mailbox's number.
        to: String,
    },
    /// Answered and put on hold, where music or a message plays, until the operator takes it.
    AnswerAndHold,
    /// Refused as busy.
    Reject,
}

/// Times after which the desk acts by itself, in milliseconds. 0 turns the one concerned off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timers {
    /// A dropped call waits so long before the transfer is asked for, with UNDO in sight; 0 asks at
    /// once. 2 s.
    pub undo_ms: u64,
    /// A call on hold comes back after this. 3 min.
    pub hold_ms: u64,
    /// A call that waits for a busy phone comes back after this. 5 min.
    pub queue_ms: u64,
    /// A parked call is called back after this. 2 min.
    pub park_ms: u64,
    /// A phone must have been free for this long before a waiting call is transferred to it
    /// (PRE-6); 0 transfers at once. 3 s.
    pub queue_delay_ms: u64,
}

impl Default for Timers {
    fn default() -> Self {
        Self { undo_ms: 2_000, hold_ms: 180_000, queue_ms: 300_000, park_ms: 120_000, queue_delay_ms: 3_000 }
    }
}

/// A park extension of the exchange (CALL-14).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParkSlot {
    /// The number that parks a call transferred to it, and gives it back when dialled.
    pub number: String,
    /// Its name on the screen; the number when empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
}
