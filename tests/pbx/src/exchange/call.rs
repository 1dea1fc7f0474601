//! One call in the exchange: who, how far, and what its extensions' lamps show of it.
//!
//! Not done here: moving from stage to stage ([`super::desk_calls`], [`super::chats`]).

use std::time::{Duration, Instant};

use sip::SessionId;
use sip::dialog_info::{CallDirection, Dialog, DialogState, Participant};

use crate::demo::Line;
use crate::leg::Leg;
use crate::plan::{self, FateEnd};
use crate::script::Caller;

/// Somebody in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    /// The account under test.
    Desk,
    Extension(u16),
    /// The mailbox of an extension.
    Voicemail(u16),
    Outside(Caller),
}

/// How far a call has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Rings at the desk; due when the caller gives up.
    AtDesk,
    /// The desk called; due when that is decided.
    Ringing { rings: bool, end: FateEnd },
    /// Talks with the desk; due when the other party hangs up.
    Talking,
    /// The desk asked for a transfer; due when the target has decided.
    Transferring { target: Party, rings: bool, end: FateEnd },
    /// Transferred: talks with `target` without the desk; due when that is over.
    Away { target: Party },
    /// Between two extensions, ringing; due when answered.
    ChatRinging,
    /// Between two extensions, talking; due when over.
    ChatTalking,
}

/// The leg to the desk.
#[derive(Debug)]
pub(crate) struct DeskLeg {
    pub(crate) session: SessionId,
    pub(crate) leg: Leg,
    /// The desk holds the call.
    pub(crate) held: bool,
}

/// One call.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) id: u64,
    pub(crate) from: Party,
    pub(crate) to: Party,
    pub(crate) line: Option<&'static Line>,
    pub(crate) desk: Option<DeskLeg>,
    pub(crate) stage: Stage,
    /// When the next thing happens by itself.
    pub(crate) due: Option<Instant>,
    /// How long the party that is not the desk likes to talk.
    pub(crate) talk: Duration,
    /// What the desk's leg heard, kept when the leg is gone.
    pub(crate) heard: Vec<Option<u32>>,
}

impl Party {
    /// The frequency it speaks at.
    pub(crate) fn hz(&self) -> u32 {
        match self {
            Party::Desk => 0,
            Party::Extension(extension) => plan::extension_hz(*extension),
            Party::Voicemail(_) => plan::VOICEMAIL_HZ,
            Party::Outside(caller) => plan::outside_hz(caller.number.as_deref().unwrap_or_default()),
        }
    }

    /// For reports: a number, "desk" or "anonymous".
    pub(crate) fn label(&self) -> String {
        match self {
            Party::Desk => "desk".to_owned(),
            Party::Extension(extension) => extension.to_string(),
            Party::Voicemail(extension) => format!("7{extension}"),
            Party::Outside(caller) => caller.number.clone().unwrap_or_else(|| "anonymous".to_owned()),
        }
    }

    /// The user part of its address.
    fn user(&self, desk: &str) -> String {
        if *self == Party::Desk { desk.to_owned() } else { self.label() }
    }
}

impl Call {
    /// The party that is not the desk.
    pub(crate) fn other(&self) -> &Party {
        if self.from == Party::Desk { &self.to } else { &self.from }
    }

    /// Whether `extension` has to do with it: as caller, called or transfer target.
    pub(crate) fn occupies(&self, extension: u16) -> bool {
        self.seen_from(extension).is_some()
    }

    /// The dialog the lamp of `extension` shows for it. `salt` makes Call-ID and tags those of this exchange alone.
    pub(crate) fn dialog(
        &self,
        extension: u16,
        names: impl Fn(&Party) -> Option<String>,
        desk: &str,
        domain: &str,
        salt: u64,
    ) -> Option<Dialog> {
        let (direction, state, peer) = self.seen_from(extension)?;
        let participant = |party: &Party| Participant {
            identity: format!("sip:{}@{domain}", party.user(desk)),
            display: names(party),
            target: None,
        };
        let word = format!("{:x}.{}.{extension}", salt, self.id);
        Some(Dialog {
            id: format!("{}-{extension}", self.id),
            call_id: Some(format!("{word}@{domain}")),
            local_tag: Some(format!("l{word}")),
            remote_tag: Some(format!("r{word}")),
            direction: Some(direction),
            state,
            local: Some(participant(&Party::Extension(extension))),
            remote: Some(participant(peer)),
        })
    }

    /// Direction, state and peer as the phone of `extension` sees this call.
    fn seen_from(&self, extension: u16) -> Option<(CallDirection, DialogState, &Party)> {
        use CallDirection::{Initiator, Recipient};
        use DialogState::{Confirmed, Early};
        let me = Party::Extension(extension);
        let (from, to) = (self.from == me, self.to == me);
        let as_caller_or_called = |state| match (from, to) {
            (true, _) => Some((Initiator, state, &self.to)),
            (_, true) => Some((Recipient, state, &self.from)),
            _ => None,
        };
        match &self.stage {
            Stage::AtDesk | Stage::ChatRinging => as_caller_or_called(Early),
            Stage::Ringing { rings, .. } => as_caller_or_called(Early).filter(|_| *rings),
            Stage::Talking | Stage::ChatTalking => as_caller_or_called(Confirmed),
            Stage::Transferring { target, rings, .. } if *target == me => {
                rings.then_some((Recipient, Early, self.other()))
            }
            Stage::Transferring { .. } => as_caller_or_called(Confirmed),
            Stage::Away { target } if *target == me => Some((Recipient, Confirmed, self.other())),
            Stage::Away { target } => {
                as_caller_or_called(Confirmed).map(|(direction, state, _)| (direction, state, target))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn call(stage: Stage) -> Call {
        Call {
            id: 5,
            from: Party::Extension(2101),
            to: Party::Desk,
            line: None,
            desk: None,
            stage,
            due: None,
            talk: Duration::ZERO,
            heard: Vec::new(),
        }
    }

    fn shown(call: &Call, extension: u16) -> Option<(DialogState, String)> {
        let dialog = call.dialog(extension, |_| None, "desk", "x", 1)?;
        Some((dialog.state, dialog.remote.unwrap().identity))
    }

    #[test]
    fn lamps_follow_a_transfer() {
        let end = FateEnd::Failed(486);
        let target = Party::Extension(2102);
        let mut call = call(Stage::AtDesk);
        assert_eq!(shown(&call, 2101), Some((DialogState::Early, "sip:desk@x".into())));
        assert_eq!(shown(&call, 2102), None);
        call.stage = Stage::Talking;
        assert_eq!(shown(&call, 2101).unwrap().0, DialogState::Confirmed);
        call.stage = Stage::Transferring { target: target.clone(), rings: true, end };
        assert_eq!(shown(&call, 2101).unwrap().1, "sip:desk@x");
        assert_eq!(shown(&call, 2102), Some((DialogState::Early, "sip:2101@x".into())));
        call.stage = Stage::Transferring { target: target.clone(), rings: false, end };
        assert_eq!(shown(&call, 2102), None);
        call.stage = Stage::Away { target };
        assert_eq!(shown(&call, 2101), Some((DialogState::Confirmed, "sip:2102@x".into())));
        assert_eq!(shown(&call, 2102), Some((DialogState::Confirmed, "sip:2101@x".into())));
        assert!(!call.occupies(2103));
    }
}
