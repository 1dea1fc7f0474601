//! Intercept (PRE-3): what rings on monitored phones, and the two ways to take it.
//!
//! Where dialog-info tells call-id and tags, an INVITE with Replaces (RFC 3891) takes the call; else the
//! exchange's feature code is dialled, and where the INVITE is refused it is tried once. Which calls there are
//! to take is decided in `bridge`; whether one may be taken is the exchange's business.

use std::time::Instant;

use ipc::{CallRef, Party};
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

impl Engine {
    /// What of a phone's dialogs could be picked up. Calls from this desk are none of it.
    pub(crate) fn set_ringing(&mut self, now: Instant, number: String, dialogs: &[Dialog]) {
        let by_code = self.parts.intercept.is_some();
        let of_others = dialogs.iter().filter(|dialog| !self.is_from_here(dialog));
        let pickup = bridge::pickup(of_others).filter(|pickup| by_code || pickup.takes.is_some());
        let caller = pickup.as_ref().map(|pickup| pickup.caller.clone());
        if let Some(pickup) = pickup {
            self.lamps.ringing.insert(number.clone(), pickup);
        }
        self.parts.board.handle(now, Input::Rings { number, caller });
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
        let lines = self.parts.lines.iter().map(|(line, _)| line);
        let mut ours = lines.chain(self.parts.mailboxes.iter().map(|mailbox| &mailbox.user));
        number.is_some_and(|number| ours.any(|our| *our == number))
    }
}
