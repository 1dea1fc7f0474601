//! Intercept (PRE-3): what rings on monitored phones and the two ways to take it, and conversations taken over.
//!
//! Where dialog-info tells call-id and tags, an INVITE with Replaces (RFC 3891) takes the call; else the
//! exchange's feature code is dialled, and where the INVITE is refused it is tried once. A conversation is taken over
//! by Replaces or not at all. Which calls there are to take is decided in `bridge`; whether one may be taken is the
//! exchange's business.

use std::{collections::HashMap, time::Instant};

use ipc::{CallRef, Party, TalkId};
use sip::{Cause, EndedBy, Identity, Invite, Replaces, SessionId, dialog_info::Dialog};
use switchboard::Input;
use tracing::{info, warn};

use crate::{bridge, engine::Engine};

/// What an INVITE with Replaces and `early-only` is refused with when the call was answered meanwhile
/// (RFC 3891 section 3): a feature code would find nothing either.
const ANSWERED_MEANWHILE: u16 = 486;
/// Nothing to replace.
const NO_SUCH_DIALOG: u16 = 481;

/// A call that rings on somebody's phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pickup {
    /// Who calls, as far as the exchange says.
    pub(crate) caller: Party,
    /// The INVITE that takes it; `None` where the exchange hides what it needs.
    pub(crate) takes: Option<Takes>,
}

/// Where an INVITE with Replaces goes, and what it replaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Takes {
    /// Request-URI: the caller's end.
    pub(crate) target: String,
    /// Who that is, for To.
    pub(crate) to: Identity,
    /// As that end sees the dialog.
    pub(crate) replaces: Replaces,
}

/// What a leg that takes another phone's call knows besides.
pub(crate) struct Intercepting {
    /// What To says: no news of who is spoken to when the answer repeats it.
    way: Option<String>,
    /// The number to dial when the INVITE with Replaces is refused.
    instead: Option<String>,
}

/// Conversations on the monitored phones that can be taken over.
#[derive(Default)]
pub(crate) struct Talks {
    /// By the phone's number.
    of: HashMap<String, Vec<Talk>>,
    last: u64,
}

/// One of them.
struct Talk {
    id: TalkId,
    /// Its other end.
    party: Party,
    takes: Takes,
}

impl Talks {
    /// Sets what can be taken over of a phone, `None` at the place of each dialog that cannot. One that was told before
    /// keeps its identity, and none is given again.
    fn set(
        &mut self,
        number: &str,
        dialogs: impl Iterator<Item = Option<(Party, Takes)>>,
    ) -> Vec<Option<TalkId>> {
        let before = self.of.remove(number).unwrap_or_default();
        let (mut now, mut ids) = (Vec::new(), Vec::new());
        for told in dialogs {
            ids.push(told.map(|(party, takes)| {
                let same = before.iter().find(|talk| {
                    // Who was handed on meanwhile, on the same dialog, is somebody else.
                    talk.takes.replaces == takes.replaces && talk.party.number == party.number
                });
                let id = same.map_or_else(
                    || {
                        self.last += 1;
                        TalkId(self.last)
                    },
                    |talk| talk.id,
                );
                now.push(Talk { id, party, takes });
                id
            }));
        }
        if !now.is_empty() {
            self.of.insert(number.to_owned(), now);
        }
        ids
    }

    /// Nothing vouches for the phone.
    pub(crate) fn forget(&mut self, number: &str) {
        self.of.remove(number);
    }

    fn find(&self, number: &str, id: TalkId) -> Option<&Talk> {
        self.of.get(number)?.iter().find(|talk| talk.id == id)
    }
}

impl Engine {
    /// What of a phone's dialogs could be taken over. Calls of this desk are none of it, whatever the exchange says is
    /// at their other end.
    pub(crate) fn know_talks(&mut self, number: &str, dialogs: &[Dialog]) -> Vec<Option<TalkId>> {
        let mut talks = std::mem::take(&mut self.lamps.talks);
        let is_ours = self.is_our_number(number);
        let ids = talks.set(
            number,
            dialogs.iter().map(|dialog| {
                let takes = bridge::takeover(dialog).filter(|_| !is_ours && !self.is_from_here(dialog))?;
                let here = self.is_a_call_of_ours(&takes.replaces.call_id);
                (!here).then(|| (bridge::remote_party(dialog), takes))
            }),
        );
        self.lamps.talks = talks;
        ids
    }

    /// Takes a conversation over: its other end speaks with the desk from then on, and ends what it had with the phone.
    pub(crate) fn take_over_talk(
        &mut self,
        now: Instant,
        call: CallRef,
        phone: &str,
        talk: TalkId,
        line: &str,
    ) {
        let Some(Talk { party, takes, .. }) = self.lamps.talks.find(phone, talk) else {
            let reason = format!("nobody talks at {phone} any more");
            return self.not_dialled(now, call, NO_SUCH_DIALOG, reason);
        };
        let (party, Takes { target, to, replaces }) = (party.clone(), takes.clone());
        info!(call = call.0, phone, line, "a conversation is taken over");
        let Some((account, local)) = self.prepare(now, call, line) else { return };
        let invite = Invite { replaces: Some(replaces), to: Some(to), ..Invite::new(account, target, local) };
        let way = party.number.clone();
        let intercepting = Intercepting { way: way.clone(), instead: None };
        if self.place(now, call, invite, way, line, Some(intercepting)) {
            self.identify_call(call, Party { number: Some(phone.to_owned()), ..Party::default() });
            if party.number.is_some() {
                self.identify_call(call, party);
            }
        }
    }

    /// What of a phone's dialogs could be picked up. Calls from this desk are none of it.
    pub(crate) fn set_ringing(&mut self, now: Instant, number: String, dialogs: &[Dialog]) {
        let by_code = self.parts.intercept.is_some();
        let of_others = dialogs.iter().filter(|dialog| !self.is_from_here(dialog));
        let pickup = bridge::pickup(of_others).filter(|pickup| by_code || pickup.takes.is_some());
        let caller = pickup.as_ref().map(|pickup| pickup.caller.clone());
        if let Some(pickup) = pickup {
            self.lamps.ringing.insert(number.clone(), pickup);
        }
        if self.lamps.is_news_of_ringing(&number, caller.is_some()) {
            self.parts.board.handle(now, Input::Rings { number, caller });
        }
    }

    /// Takes the call that rings on the phone.
    pub(crate) fn intercept(&mut self, now: Instant, call: CallRef, phone: &str, line: &str) {
        let code = self.parts.intercept.as_ref().map(|code| code.replace('$', phone));
        let pickup = self.lamps.ringing.get(phone).cloned();
        let caller = pickup.as_ref().map(|pickup| pickup.caller.clone()).unwrap_or_default();
        let (target, to, replaces, way, instead) = match (pickup.map(|pickup| pickup.takes), code) {
            (Some(Some(takes)), code) => {
                (takes.target, Some(takes.to), Some(takes.replaces), caller.number.clone(), code)
            }
            (Some(None), Some(code)) => (code.clone(), None, None, Some(code), None),
            _ => {
                let reason = format!("nothing rings at {phone} any more");
                return self.not_dialled(now, call, NO_SUCH_DIALOG, reason);
            }
        };
        info!(call = call.0, phone, line, replaces = replaces.is_some(), "intercept");
        let Some((account, local)) = self.prepare(now, call, line) else { return };
        let invite = Invite { replaces, to, ..Invite::new(account, target, local) };
        let intercepting = Intercepting { way: way.clone(), instead };
        if self.place(now, call, invite, way, line, Some(intercepting)) {
            self.identify_call(call, Party { number: Some(phone.to_owned()), ..Party::default() });
            if caller.number.is_some() {
                self.identify_call(call, caller);
            }
        }
    }

    /// The INVITE with Replaces was refused: dials the feature code in its place, once. `false` where that is
    /// not so, and the end of the session is that of its call.
    pub(crate) fn intercept_otherwise(&mut self, now: Instant, session: SessionId, cause: &Cause) -> bool {
        let refused = cause.by == EndedBy::Remote && cause.code >= 400 && cause.code != ANSWERED_MEANWHILE;
        let Some(&call) = self.legs.by_session.get(&session).filter(|_| refused) else { return false };
        let Some(leg) = self.legs.by_call.get_mut(&call) else { return false };
        let Some(code) = leg.intercept.as_mut().and_then(|intercepting| intercepting.instead.take()) else {
            return false;
        };
        let (line, local) = (leg.line.clone(), leg.local.clone());
        let lines = &self.parts.lines;
        let Some(&(_, account)) = lines.iter().find(|(of, _)| *of == line).or(lines.first()) else {
            return false;
        };
        warn!(call = call.0, code = cause.code, reason = cause.reason, "no intercept by Replaces");
        self.legs.by_session.remove(&session);
        self.legs.by_call.remove(&call);
        let invite = Invite::new(account, code.as_str(), local);
        let intercepting = Intercepting { way: Some(code.clone()), instead: None };
        self.place(now, call, invite, Some(code), &line, Some(intercepting));
        true
    }

    /// The answer names nobody but the way by which another phone's call was taken.
    pub(crate) fn is_only_the_way(&self, call: CallRef, by: &Party) -> bool {
        let leg = self.legs.by_call.get(&call);
        leg.and_then(|leg| leg.intercept.as_ref()).is_some_and(|intercepting| by.number == intercepting.way)
    }

    /// The other end is one of our lines or accounts.
    fn is_from_here(&self, dialog: &Dialog) -> bool {
        let number = dialog.remote.as_ref().and_then(bridge::number);
        number.is_some_and(|number| self.is_our_number(&number))
    }

    /// The number of a line or an account.
    fn is_our_number(&self, number: &str) -> bool {
        let lines = self.parts.lines.iter().map(|(line, _)| line);
        let mut ours = lines.chain(self.parts.mailboxes.iter().map(|mailbox| &mailbox.user));
        ours.any(|our| our == number)
    }

    /// An exchange that stands between both ends may call it something else; then its numbers tell.
    fn is_a_call_of_ours(&self, call_id: &str) -> bool {
        self.legs.by_session.keys().any(|&session| self.parts.agent.call_id(session) == Some(call_id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who talks there in the dialog of that Call-ID.
    fn told(call_id: &str) -> Option<(Party, Takes)> {
        let party = Party { number: Some(call_id.into()), ..Party::default() };
        let (to_tag, from_tag) = ("other".into(), "phone".into());
        let replaces = Replaces { call_id: call_id.into(), to_tag, from_tag, early_only: false };
        let to = Identity { display: None, uri: "sip:77@pbx.example".into() };
        Some((party, Takes { target: "sip:x7@192.0.2.9".into(), to, replaces }))
    }

    fn id(id: u64) -> Option<TalkId> {
        Some(TalkId(id))
    }

    #[test]
    fn pre_3_a_conversation_keeps_its_identity_and_another_one_never_gets_it() {
        let mut talks = Talks::default();
        assert_eq!(talks.set("2102", [told("a"), None, told("b")].into_iter()), [id(1), None, id(2)]);
        assert_eq!(talks.set("2102", [told("b"), told("c")].into_iter()), [id(2), id(3)]);
        assert!(talks.find("2102", TalkId(1)).is_none(), "it has ended");
        assert_eq!(talks.set("2102", [told("a")].into_iter()), [id(4)], "the same call-id, later");
        let party = talks.find("2102", TalkId(4)).map(|talk| talk.party.number.clone());
        assert_eq!(party, Some(Some("a".into())));
        assert!(talks.find("2103", TalkId(4)).is_none(), "another phone");
        let handed_on = told("a").map(|(_, takes)| (Party::default(), takes));
        assert_eq!(
            talks.set("2102", [handed_on].into_iter()),
            [id(5)],
            "the same dialog, with somebody else"
        );
        assert_eq!(talks.set("2102", [told("a")].into_iter()), [id(6)]);
        talks.forget("2102");
        assert!(talks.find("2102", TalkId(6)).is_none() && talks.of.is_empty());
        assert_eq!(talks.set("2102", [None].into_iter()), [None]);
        assert!(talks.of.is_empty(), "nothing is kept of a phone that talks with nobody");
    }
}
