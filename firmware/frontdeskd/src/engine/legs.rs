//! Which call of the desk is which session on the wire.

use std::collections::{HashMap, VecDeque};

use ipc::CallRef;
use sip::{AccountId, SessionId, sdp::LocalMedia};

use crate::intercept::Intercepting;

/// Ended calls of which late news is still understood: more than end within the two seconds in which the
/// switchboard waits for it.
const MAX_DEPARTED: usize = 256;

/// Which call of the desk is which session on the wire.
#[derive(Default)]
pub(crate) struct Legs {
    pub(crate) by_call: HashMap<CallRef, Leg>,
    pub(crate) by_session: HashMap<SessionId, CallRef>,
    /// Those that have ended last: the fate of a transfer may come behind the BYE.
    departed: VecDeque<(SessionId, CallRef)>,
}

pub(crate) struct Leg {
    pub(crate) session: SessionId,
    /// The account it came in on or was placed with; `None`: a stranger called our address.
    pub(crate) account: Option<AccountId>,
    /// The other end's number, as the wire or the operator said it.
    pub(crate) number: Option<String>,
    /// The line called or used; empty when it is none of ours.
    pub(crate) line: String,
    pub(crate) local: LocalMedia,
    /// What was agreed last about its sound, as far as it has been logged.
    pub(crate) agreed: Option<sip::sdp::Media>,
    /// It takes a call that rings on another phone.
    pub(crate) intercept: Option<Intercepting>,
    /// The other end called.
    pub(crate) came_in: bool,
}

impl Legs {
    pub(crate) fn insert(&mut self, call: CallRef, leg: Leg) {
        self.by_session.insert(leg.session, call);
        self.by_call.insert(call, leg);
    }

    pub(super) fn remove(&mut self, session: SessionId) -> Option<CallRef> {
        let call = self.by_session.remove(&session)?;
        self.by_call.remove(&call);
        if self.departed.len() == MAX_DEPARTED {
            self.departed.pop_front();
        }
        self.departed.push_back((session, call));
        Some(call)
    }

    /// The call of a session, though it may have ended a moment ago.
    pub(super) fn call_or_departed(&self, session: SessionId) -> Option<CallRef> {
        let departed = || self.departed.iter().find(|(gone, _)| *gone == session).map(|(_, call)| *call);
        self.by_session.get(&session).copied().or_else(departed)
    }
}
