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
    /// The mailbox of an extension, or the desk's.
    Voicemail(u16),
    /// A park slot, whose music a parked caller hears.
    Park(u16),
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
    /// The desk asked for a transfer, or sent a ringing call on; due when the target has decided.
    Leaving { target: Party, how: Departure, rings: bool, end: FateEnd },
    /// Talks with `target` since then, without the desk; due when that is over.
    Away { target: Party, how: Departure, since: Instant },
    /// Between two extensions, ringing; due when answered.
    ChatRinging,
    /// Between two extensions, talking; due when over.
    ChatTalking,
}

/// How a call leaves the desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Departure {
    /// By REFER, once it was answered.
    Transfer,
    /// By 302, while it rang.
    Forward,
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
    /// The lines on which it rang until the desk sent it on, the first first.
    pub(crate) forwarded_from: Vec<&'static Line>,
    /// Values of the Diversion headers it carries since (RFC 5806), the latest first.
    pub(crate) diversions: Vec<String>,
    /// The frequency the party that is not the desk speaks at.
    pub(crate) hz: u32,
    /// When the next thing happens by itself.
    pub(crate) due: Option<Instant>,
    /// How long the party that is not the desk likes to talk.
    pub(crate) talk: Duration,
    /// How long that party waits on hold or in a park slot; `None` for as long as it would talk.
    pub(crate) waits: Option<Duration>,
    /// What it heard of the desk and, parked, of music; kept when the leg is gone.
    pub(crate) heard: Vec<Option<u32>>,
}

impl Party {
    /// The frequency it speaks at.
    pub(crate) fn hz(&self) -> u32 {
        match self {
            Party::Desk => 0,
            Party::Extension(extension) => plan::extension_hz(*extension),
            Party::Voicemail(_) => plan::VOICEMAIL_HZ,
            Party::Park(_) => plan::MUSIC_HZ,
            Party::Outside(caller) => plan::outside_hz(caller.number.as_deref().unwrap_or_default()),
        }
    }

    /// For reports: a number, "desk" or "anonymous".
    pub(crate) fn label(&self) -> String {
        match self {
            Party::Desk => "desk".to_owned(),
            Party::Extension(number) | Party::Park(number) | Party::Voicemail(number @ plan::MAILBOX) => {
                number.to_string()
            }
            Party::Voicemail(extension) => format!("*{extension}"),
            Party::Outside(caller) => caller.number.clone().unwrap_or_else(|| "anonymous".to_owned()),
        }
    }

    /// The user part of its address.
    fn user(&self, desk: &str) -> String {
        if *self == Party::Desk { desk.to_owned() } else { self.label() }
    }
}

impl Departure {
    /// For reports: going, gone, and the thing itself.
    pub(crate) fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Departure::Transfer => ("transferring to", "transferred to", "transfer"),
            Departure::Forward => ("forwarding to", "forwarded to", "forward"),
        }
    }
}

impl Call {
    /// A call that starts now, with the desk or without.
    pub(crate) fn new(id: u64, from: Party, to: Party, stage: Stage, due: Instant, talk: Duration) -> Call {
        let mut call = Call {
            id,
            from,
            to,
            line: None,
            desk: None,
            stage,
            forwarded_from: Vec::new(),
            diversions: Vec::new(),
            hz: 0,
            due: Some(due),
            talk,
            waits: None,
            heard: Vec::new(),
        };
        call.hz = call.other().hz();
        call
    }

    /// When the party that is not the desk has enough, counted from `now`: of talking or of waiting on hold.
    pub(crate) fn until(&self, now: Instant) -> Instant {
        let held = self.desk.as_ref().is_some_and(|desk| desk.held);
        now + if held { self.waits.unwrap_or(self.talk) } else { self.talk }
    }

    /// The slot it is parked in.
    pub(crate) fn parked(&self) -> Option<u16> {
        match self.stage {
            Stage::Away { target: Party::Park(slot), .. } => Some(slot),
            _ => None,
        }
    }

    /// Whether it is with `party`, or on its way there.
    pub(crate) fn goes_to(&self, party: &Party) -> bool {
        matches!(&self.stage, Stage::Leaving { target, .. } | Stage::Away { target, .. } if target == party)
    }

    /// The party that is not the desk.
    pub(crate) fn other(&self) -> &Party {
        if self.from == Party::Desk { &self.to } else { &self.from }
    }

    /// Whether `extension`, or a park slot, has to do with it: as caller, called or transfer target.
    pub(crate) fn occupies(&self, extension: u16) -> bool {
        self.seen_from(extension).is_some()
    }

    /// The dialog the lamp of `extension`, or of a park slot, shows for it. `salt` makes Call-ID and tags those of this exchange alone.
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
            local: Some(participant(&watched(extension))),
            remote: Some(participant(peer)),
        })
    }

    /// Direction, state and peer as the phone of `extension` sees this call.
    fn seen_from(&self, extension: u16) -> Option<(CallDirection, DialogState, &Party)> {
        use CallDirection::{Initiator, Recipient};
        use DialogState::{Confirmed, Early};
        let me = watched(extension);
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
            Stage::Leaving { target, rings, .. } if *target == me => {
                rings.then_some((Recipient, Early, self.other()))
            }
            Stage::Leaving { target, how: Departure::Forward, .. } => {
                as_caller_or_called(Early).map(|(direction, state, _)| (direction, state, target))
            }
            Stage::Leaving { .. } => as_caller_or_called(Confirmed),
            Stage::Away { target, .. } if *target == me => Some((Recipient, Confirmed, self.other())),
            Stage::Away { target, .. } => {
                as_caller_or_called(Confirmed).map(|(direction, state, _)| (direction, state, target))
            }
        }
    }
}

/// Whom a lamp is of.
fn watched(number: u16) -> Party {
    if plan::PARK_SLOTS.contains(&number) { Party::Park(number) } else { Party::Extension(number) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn call(stage: Stage) -> Call {
        Call::new(5, Party::Extension(2101), Party::Desk, stage, Instant::now(), Duration::ZERO)
    }

    fn shown(call: &Call, extension: u16) -> Option<(DialogState, String)> {
        let dialog = call.dialog(extension, |_| None, "desk", "x", 1)?;
        Some((dialog.state, dialog.remote.unwrap().identity))
    }

    #[test]
    fn lamps_follow_a_transfer() {
        let end = FateEnd::Failed(486);
        let (target, how) = (Party::Extension(2102), Departure::Transfer);
        let mut call = call(Stage::AtDesk);
        assert_eq!(shown(&call, 2101), Some((DialogState::Early, "sip:desk@x".into())));
        assert_eq!(shown(&call, 2102), None);
        call.stage = Stage::Talking;
        assert_eq!(shown(&call, 2101).unwrap().0, DialogState::Confirmed);
        call.stage = Stage::Leaving { target: target.clone(), how, rings: true, end };
        assert_eq!(shown(&call, 2101).unwrap().1, "sip:desk@x");
        assert_eq!(shown(&call, 2102), Some((DialogState::Early, "sip:2101@x".into())));
        call.stage = Stage::Leaving { target: target.clone(), how, rings: false, end };
        assert_eq!(shown(&call, 2102), None);
        call.stage = Stage::Away { target, how, since: Instant::now() };
        assert_eq!(shown(&call, 2101), Some((DialogState::Confirmed, "sip:2102@x".into())));
        assert_eq!(shown(&call, 2102), Some((DialogState::Confirmed, "sip:2101@x".into())));
        assert!(!call.occupies(2103));
    }

    #[test]
    fn lamps_follow_a_ringing_call_sent_on_into_a_park_slot() {
        let (target, how) = (Party::Park(702), Departure::Forward);
        let end = FateEnd::Answered { hz: None, talk: None };
        let mut call = call(Stage::Leaving { target: target.clone(), how, rings: false, end });
        assert_eq!(shown(&call, 2101), Some((DialogState::Early, "sip:702@x".into())));
        assert_eq!((shown(&call, 702), call.parked()), (None, None));
        call.stage = Stage::Away { target, how, since: Instant::now() };
        assert_eq!(shown(&call, 2101), Some((DialogState::Confirmed, "sip:702@x".into())));
        assert_eq!(shown(&call, 702), Some((DialogState::Confirmed, "sip:2101@x".into())));
        assert_eq!((shown(&call, 701), call.parked()), (None, Some(702)));
    }
}
