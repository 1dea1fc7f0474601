//! What can be said to the exchange on its control line, and what it answers: one JSON object a line.

use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::plan::BehaviourError;

/// The longest time a command may ask for, in seconds.
const LONGEST: f64 = 86_400.0;

/// One command.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Command {
    /// Somebody calls the desk.
    Call(NewCall),
    /// One extension calls another.
    Chat(NewChat),
    /// The party that is not the desk hangs up this call.
    Hangup(u64),
    /// An extension behaves differently from now on.
    Set(NewBehaviour),
    /// Tell everything. The value means nothing.
    Report(bool),
}

/// A call to the desk.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewCall {
    /// Calling number, an extension or at least seven digits; none for an anonymous caller.
    pub from: Option<String>,
    /// Name sent along.
    pub name: Option<String>,
    /// Company line; the main line unless given.
    pub line: Option<String>,
    /// Frequency the caller speaks at, in Hz; by number unless given.
    pub answer_tone: Option<u32>,
    /// Seconds until the caller gives up; 60 unless given.
    pub patience_s: Option<f64>,
    /// Seconds the caller talks; 600 unless given.
    pub talk_s: Option<f64>,
}

/// A call between extensions.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewChat {
    /// Calling extension.
    pub from: String,
    /// Called extension.
    pub to: String,
    /// Seconds they talk; 600 unless given.
    pub talk_s: Option<f64>,
}

/// A new behaviour.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewBehaviour {
    /// The extension.
    pub ext: String,
    /// See [`crate::plan::Behaviour`].
    pub behaviour: String,
}

/// The answer to a command.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Reply {
    /// A call has been placed.
    Call {
        /// Its number, for `hangup` and in reports.
        call: u64,
    },
    /// It is done.
    Done {
        /// Always true.
        ok: bool,
    },
    /// Everything.
    Report {
        /// See [`Report`].
        report: Box<Report>,
    },
    /// It could not be done.
    Failed {
        /// Why.
        error: String,
    },
}

/// The state of the exchange.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Contact of each registered device of the desk.
    pub registered: Vec<String>,
    /// Lamp subscriptions.
    pub watchers: usize,
    /// Every extension.
    pub extensions: Vec<ExtensionReport>,
    /// Calls under way.
    pub calls: Vec<CallReport>,
    /// Calls that are over, the latest last, at most 256.
    pub finished: Vec<FinishedReport>,
}

/// An extension.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExtensionReport {
    /// Its number.
    pub extension: String,
    /// As `set` takes it.
    pub behaviour: String,
    /// Calls its lamp shows.
    pub calls: usize,
}

/// A call under way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CallReport {
    /// Its number.
    pub id: u64,
    /// Who called: a number, `desk` or `anonymous`.
    pub from: String,
    /// Who was called.
    pub to: String,
    /// The company line.
    pub line: Option<String>,
    /// `ringing at the desk`, `ringing`, `talking`, `transferring to N`, `transferred to N`, `forwarding to N`,
    /// `forwarded to N`, `parked at N`.
    pub stage: String,
    /// Diversion headers it carries since the desk sent it on while it rang (RFC 5806), the latest first.
    pub diversions: Vec<String>,
    /// The desk holds it.
    pub held: bool,
    /// The other party's sound, while the desk is in the call.
    pub sound: Option<Heard>,
}

/// What a simulated party hears of the desk.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Heard {
    /// Frequency in the last half second, in Hz; none for silence, speech and noise.
    pub now: Option<u32>,
    /// Loudness in the last half second, in dBFS; none for digital silence or no packets.
    pub level_dbfs: Option<i32>,
    /// Every change of `now` so far, the latest 32.
    pub changes: Vec<Option<u32>>,
    /// RTP packets sent.
    pub sent: u64,
    /// RTP packets received and understood.
    pub received: u64,
    /// Packets from other addresses than agreed.
    pub strangers: u64,
}

/// A call that is over.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FinishedReport {
    /// Its number.
    pub id: u64,
    /// Who called.
    pub from: String,
    /// Who was called.
    pub to: String,
    /// `gave up`, `refused with CODE`, `failed with CODE`, `cancelled by the desk`, `hung up by the desk`, `hung up by
    /// the caller`, `transferred to N`, `transfer failed with CODE`, `forwarded to N`, `forward failed with CODE`,
    /// `joined with call ID`, `gave up on hold`, `gave up parked at N`, `talked`, `no answer`, `exchange shut down`.
    pub outcome: String,
    /// What the other party heard of the desk and, parked, of music, as in [`Heard::changes`].
    pub heard: Vec<Option<u32>>,
}

/// Why a command could not be carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the desk is not registered")]
    NotRegistered,
    #[error("there are as many calls as there may be")]
    Full,
    #[error("busy")]
    Busy,
    #[error("no extension {0:?}")]
    NoExtension(String),
    #[error("no line {0:?}")]
    NoLine(String),
    #[error("{0:?} cannot call the desk: an extension or at least seven digits, please")]
    BadNumber(String),
    #[error("no call {0}")]
    NoCall(u64),
    #[error(transparent)]
    Behaviour(#[from] BehaviourError),
    #[error(transparent)]
    Sip(#[from] sip::Error),
    #[error("no socket for sound: {0}")]
    Sound(#[from] io::Error),
}

impl NewCall {
    pub(crate) fn patience(&self) -> Duration {
        seconds(self.patience_s, 60.0)
    }

    pub(crate) fn talk(&self) -> Duration {
        seconds(self.talk_s, 600.0)
    }
}

impl NewChat {
    pub(crate) fn talk(&self) -> Duration {
        seconds(self.talk_s, 600.0)
    }
}

fn seconds(asked: Option<f64>, default: f64) -> Duration {
    let asked = asked.filter(|seconds| seconds.is_finite()).unwrap_or(default);
    Duration::from_secs_f64(asked.clamp(0.0, LONGEST))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn commands_are_read() {
        let read = |text| serde_json::from_str::<Command>(text);
        assert_eq!(read(r#"{"hangup":5}"#).unwrap(), Command::Hangup(5));
        assert_eq!(read(r#"{"report":true}"#).unwrap(), Command::Report(true));
        let Command::Call(call) =
            read(r#"{"call":{"from":"+4930","line":"5550100","talk_s":1e300}}"#).unwrap()
        else {
            panic!("not a call");
        };
        assert_eq!(call.from.as_deref(), Some("+4930"));
        assert_eq!(call.talk(), Duration::from_secs(86_400));
        assert_eq!(call.patience(), Duration::from_secs(60));
        let set = NewBehaviour { ext: "2110".into(), behaviour: "busy".into() };
        assert_eq!(read(r#"{"set":{"ext":"2110","behaviour":"busy"}}"#).unwrap(), Command::Set(set));
        for wrong in ["", "{}", r#"{"call":{"form":"1"}}"#, r#"{"dance":1}"#, r#"{"hangup":"five"}"#] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn replies_are_one_object_each() {
        let text = |reply: &Reply| serde_json::to_string(reply).unwrap();
        assert_eq!(text(&Reply::Call { call: 3 }), r#"{"call":3}"#);
        assert_eq!(text(&Reply::Done { ok: true }), r#"{"ok":true}"#);
        assert_eq!(text(&Reply::Failed { error: "busy".into() }), r#"{"error":"busy"}"#);
    }
}
