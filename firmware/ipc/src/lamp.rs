//! The monitored phones: what they do, and the calls on them (PRE-1, PRE-3, PRE-4).

use serde::{Deserialize, Serialize};

use crate::view::{Direction, Party};

/// State of one monitored phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LampView {
    /// The phone's number.
    pub number: String,
    /// What it does.
    pub state: LampState,
    /// Number of calls on it.
    pub calls: u16,
    /// The other end of its first call: number or name.
    pub peer: Option<String>,
    /// Since when it is in this state.
    pub since_ms: u64,
    /// Who calls there now, while the call can be picked up from here (PRE-3). What the exchange says of
    /// them may be nothing at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rings: Option<Party>,
    /// Each call on it, at most eight (PRE-4): who waits in a park slot, who is in a conference.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub talks: Vec<LampCall>,
}

/// A call on a monitored phone (PRE-4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LampCall {
    /// It rings there; otherwise it talks, or is on hold.
    pub ringing: bool,
    /// As the phone sees it; `None` where the exchange does not say.
    pub direction: Option<Direction>,
    /// The other end, as far as the exchange says.
    pub party: Party,
    /// By which it can be taken over (PRE-3). `None`: it rings, it is a call of this desk, or the exchange does not
    /// tell what that needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub talk: Option<TalkId>,
}

/// Identity of a conversation on a monitored phone, never given twice while the desk runs: what is taken over is what
/// was shown, or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TalkId(pub u64);

/// What a monitored phone does (PRE-1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LampState {
    /// Not known, or no longer vouched for. Never shown as available.
    #[default]
    Unknown,
    /// No call. Green.
    Available,
    /// Rings. Yellow.
    Ringing,
    /// In a call. Orange.
    Busy,
    /// Do Not Disturb. Red.
    DoNotDisturb,
}
