//! Whether a restart would cut somebody off, out of the desk's view. Pure.

use ipc::{Registration, TransferState, View};

use crate::Before;

/// Somebody rings, talks, is held, is in a conference, is on their way elsewhere, or was parked from here and not fetched:
/// whoever is parked comes back to this desk when nobody fetches them.
#[must_use]
pub(crate) fn is_occupied(view: &View) -> bool {
    let is_open = |state: &TransferState| !matches!(state, TransferState::Ended { .. });
    !view.incoming.is_empty()
        || !view.outgoing.is_empty()
        || view.talk.is_some()
        || view.conference.is_some()
        || view.transfers.iter().any(|transfer| is_open(&transfer.state))
        || view.park.iter().any(|slot| slot.parked.is_some())
}

/// What the next version must do as well.
#[must_use]
pub fn before(view: &View) -> Before {
    let registered = view.lines.iter().filter(|line| line.registration == Registration::Registered);
    Before { screen: view.screen, lines: registered.map(|line| line.number.clone()).collect() }
}
