//! How many lamps, how fast they change, and what each shows at the moment.

use std::env;
use std::time::{Duration, Instant};

use ipc::LampState;
use sip::dialog_info::{CallDirection, Dialog, DialogInfo, DialogState, Participant};

use frontdesk_tests::kamailio::DOMAIN;

/// The size of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Monitored phones that change.
    pub(crate) lamps: usize,
    /// Changes a second.
    pub(crate) rate: u32,
    /// How long they go on.
    pub(crate) seconds: u32,
}

impl Plan {
    /// The figures that the report is about.
    pub(crate) const WHOLE: Plan = Plan { lamps: 2000, rate: 1000, seconds: 10 };

    /// As the environment wants it.
    pub(crate) fn asked() -> Self {
        let whole = Self::WHOLE;
        Self {
            lamps: asked("FRONTDESK_PRESENCE_LAMPS", whole.lamps as u32) as usize,
            rate: asked("FRONTDESK_PRESENCE_RATE", whole.rate),
            seconds: asked("FRONTDESK_PRESENCE_SECONDS", whole.seconds),
        }
    }
}

fn asked(name: &str, default: u32) -> u32 {
    let Ok(text) = env::var(name) else { return default };
    text.parse().unwrap_or_else(|error| panic!("{name}={text}: {error}"))
}

/// The number of a phone.
pub(crate) fn number(phone: usize) -> String {
    (20_000 + phone).to_string()
}

/// What a phone does, told so that no two times are alike: each call is with another number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) state: LampState,
    pub(crate) peer: Option<String>,
}

impl Shown {
    /// The `step`th thing that a phone does: it is free, rings, talks.
    pub(crate) fn nth(step: u32) -> Self {
        let call = || Some((9_000_000 + step / 3).to_string());
        match step % 3 {
            0 => Self { state: LampState::Available, peer: None },
            1 => Self { state: LampState::Ringing, peer: call() },
            _ => Self { state: LampState::Busy, peer: call() },
        }
    }

    /// The document that says so.
    pub(crate) fn document(&self, phone: usize) -> Vec<u8> {
        let uri = |user: &str| format!("sip:{user}@{DOMAIN}");
        let state = match self.state {
            LampState::Ringing => Some(DialogState::Early),
            LampState::Busy => Some(DialogState::Confirmed),
            // Not as `terminated`: kamailio believes no more of a publication that has said that once.
            _ => None,
        };
        let end = |user: &str| Some(Participant { identity: uri(user), ..Participant::default() });
        let number = number(phone);
        let dialog = state.map(|state| Dialog {
            id: format!("call-of-{number}"),
            call_id: Some(format!("{number}-x")),
            local_tag: Some("l".into()),
            remote_tag: Some("r".into()),
            direction: Some(CallDirection::Recipient),
            state,
            local: end(&number),
            remote: end(self.peer.as_deref().unwrap_or("nobody")),
        });
        let dialogs = dialog.into_iter().collect();
        DialogInfo { entity: uri(&number), version: 0, full: true, dialogs }.write()
    }
}

/// A change that somebody waits to see.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) shown: Shown,
    /// When its PUBLISH left.
    pub(crate) sent: Instant,
}

/// How long after its PUBLISH, and after the server's answer to it, a change was seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) since_sent: Duration,
    pub(crate) since_answered: Duration,
}
