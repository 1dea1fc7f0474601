//! Who the peer is, where that changes during the call.
//!
//! An exchange that has transferred the other end says so in a re-INVITE or UPDATE: by an asserted identity (RFC 3325, or
//! Remote-Party-ID, its forerunner), believed as in an INVITE, or by another From (RFC 4916), where the peer has said that
//! it does such a thing. Without that a From that changes is carelessness, as RFC 3261 12.2.1.1 has it.
//! Not done here: who is who in the first request and its answer ([`super::party`]).

use super::{Session, party};
use crate::agent::{Event, Party};
use crate::core::Core;
use crate::message::Message;
use crate::transaction::TxId;

/// The option tag of RFC 4916.
pub(crate) const TAG: &str = "from-change";

/// The peer, as the program knows it.
#[derive(Debug, Default)]
pub(super) struct Peer {
    /// `None` until the program was told.
    known: Option<Party>,
    /// Its From may change.
    changes_from: bool,
}

impl Peer {
    /// As told by the message that began the dialog.
    pub(super) fn of(known: Party, message: &Message) -> Peer {
        Peer { known: Some(known), changes_from: changes_from(message) }
    }

    /// Whether that is somebody else. A name that is left out this time is still the same.
    fn is_other(&self, now: &Party) -> bool {
        let Some(known) = &self.known else { return true };
        known.number != now.number || (now.display.is_some() && known.display != now.display)
    }
}

impl Session {
    /// A re-INVITE or UPDATE of the peer was taken: tells the program if it is somebody else's by now.
    pub(super) fn note_identity(&mut self, core: &mut Core, id: TxId, request: &Message) {
        self.peer.changes_from |= changes_from(request);
        let changes_from = self.peer.changes_from;
        let dialog = self.dialog.as_mut().filter(|_| changes_from);
        let renamed = dialog.is_some_and(|dialog| dialog.rename_remote(request));
        let believed = core.layer.reply_to(id).is_some_and(|at| core.believes(self.account, at.ip()));
        // Who placed the call is `calling` in it for good; some say it of whoever asks.
        let side = if self.caller { "called" } else { "calling" };
        let vouched = party::vouched_for(request, believed, side);
        let Some(now) = vouched.or_else(|| renamed.then(|| party::sender(request))) else { return };
        if self.peer.is_other(&now) {
            self.peer.known = Some(now.clone());
            core.emit(Event::PeerChanged { session: self.id, peer: now });
        }
    }
}

fn changes_from(message: &Message) -> bool {
    message.headers("Supported").any(|tag| tag.eq_ignore_ascii_case(TAG))
}
