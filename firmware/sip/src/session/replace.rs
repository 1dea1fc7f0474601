//! Taking over and being taken over (RFC 3891): which of our dialogs a Replaces means, what may become of it, and who
//! may ask.
//!
//! Not done here: the new call itself (`ringing`), and reading the header ([`crate::replaces`]).

use std::net::IpAddr;
use std::time::Instant;

use super::{Session, State};
use crate::agent::{Error, SessionId};
use crate::core::Core;
use crate::dialog::Dialog;
use crate::replaces::Replaces;
use crate::uri::{Uri, escape_header};

/// How a dialog that a Replaces names stands (RFC 3891 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Answered. Our 2xx alone confirms it, whether its ACK has come or not.
    Confirmed,
    /// Our INVITE rings there.
    EarlyOurs,
    /// The peer's INVITE rings here: somebody may pick that up at the caller's end only.
    EarlyTheirs,
    /// Ended, and not forgotten yet.
    Over,
}

impl Session {
    /// How the dialog with this peer's tag stands; `None` if there is none.
    pub(crate) fn standing(&self, replaces: &Replaces) -> Option<Standing> {
        self.dialog_of(replaces)?;
        Some(match self.state {
            State::Calling => Standing::EarlyOurs,
            State::Ringing => Standing::EarlyTheirs,
            State::Answering | State::Up => Standing::Confirmed,
            State::Over => Standing::Over,
        })
    }

    /// Whether a request from `ip` may replace that dialog: our exchange for its own account, and the peer itself.
    /// Call-ID and tags are no secret: every proxy on the way and every watcher of a lamp has them.
    pub(crate) fn may_be_replaced_from(&self, core: &Core, replaces: &Replaces, ip: IpAddr) -> bool {
        let exchange = match self.account {
            Some(account) => core.is_exchange_of(account, ip),
            // A call without an account is not the matter of one exchange alone.
            None => core.is_trusted(ip),
        };
        exchange
            || self.dialog_of(replaces).is_some_and(|dialog| core.is_at_hop(self.account, dialog.hop(), ip))
    }

    /// Another call has been answered in place of this one.
    pub(crate) fn leave_to(&mut self, core: &mut Core, now: Instant, by: SessionId) {
        tracing::debug!(session = self.id.0, by = by.0, "replaced");
        self.reason = Some(super::ELSEWHERE);
        self.leave(core, now, "replaced");
    }

    /// The session that ends when this call is answered.
    pub(crate) fn replaces(&self) -> Option<SessionId> {
        self.replaces
    }

    /// What an attended transfer to the peer of this call says in Refer-To (RFC 5589 section 7.3): where the peer is,
    /// and which of its dialogs is to be replaced, as the peer sees it.
    ///
    /// No `Require=replaces` is put beside it. A transferee that does not know Replaces ignores it and a target that
    /// does not know it rings once more, so that people can still help themselves; with Require both fail, and so do
    /// exchanges that refuse to copy header fields they do not know.
    pub(crate) fn refer_to(&self) -> Result<Uri, Error> {
        match (self.state, &self.dialog) {
            (State::Up, Some(dialog)) => {
                let local_tag = self.local_tag.as_str();
                let replaces = Replaces::as_seen_by_peer(&self.call_id, local_tag, dialog.remote_tag());
                if !replaces.is_sound() {
                    return Err(Error::BadReplaces);
                }
                let mut uri = dialog.target().clone();
                // The peer's Contact says where it is, not what the transferee should send there.
                uri.params.remove("method");
                uri.headers = vec![("Replaces".to_owned(), escape_header(&replaces.to_string()))];
                Ok(uri)
            }
            (State::Over, _) => Err(Error::NoSuchCall(self.id)),
            _ => Err(Error::NotAnswered(self.id)),
        }
    }

    /// The dialog a Replaces with our Call-ID and tag means.
    fn dialog_of(&self, replaces: &Replaces) -> Option<&Dialog> {
        let dialogs = self.dialog.iter().chain(self.forks.iter().map(|fork| &fork.dialog));
        dialogs.into_iter().find(|dialog| replaces.is_from(dialog.remote_tag()))
    }
}
