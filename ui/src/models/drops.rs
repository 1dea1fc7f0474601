//! What letting go of a call means, over a contact or over another call (CALL-9).
//!
//! Asked anew with each view while the card hovers: a target that becomes busy says so at once.

use ipc::{Action, CallState, CallView, Command, ContactRow, Direction, LampState, View};

use crate::models::words::digits;
use crate::offers::{Offer, connect};
use crate::screen::DropVerdict;

/// The answer: what is said while the card hovers, and what is asked of the desk when it is let go.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Landing {
    pub(crate) verdict: DropVerdict,
    /// `None`: it cannot work.
    pub(crate) command: Option<Command>,
}

/// Over a contact: blind transfer, forward of what rings, attended to whom we are calling already.
pub(crate) fn on_contact(call: &CallView, contact: &ContactRow, view: &View) -> Landing {
    let phone = digits(&contact.phone);
    let itself = call.party.number.as_deref().map(digits).filter(|number| !number.is_empty());
    let (id, to) = (call.call, contact.phone.clone());
    if itself.as_ref() == Some(&phone) {
        return refused(DropVerdict::Itself);
    }
    let theirs = [&contact.phone, &contact.mobile, &contact.home].map(|number| digits(number));
    let is_theirs = |other: &&CallView| {
        let number = other.party.number.as_deref().map(digits).unwrap_or_default();
        other.direction == Direction::Outgoing && !number.is_empty() && theirs.contains(&number)
    };
    let attended = view.outgoing.iter().filter(is_theirs).find_map(|other| attended(call, other));
    if let Some(landing) = attended {
        return landing;
    }
    let (may_forward, may_transfer) =
        (call.actions.contains(&Action::Forward), call.actions.contains(&Action::Transfer));
    if !may_forward && !may_transfer {
        return refused(DropVerdict::NotNow);
    }
    if phone.is_empty() {
        return refused(DropVerdict::NoNumber);
    }
    if may_forward {
        let command = Some(Command::Forward { call: id, to });
        return Landing { verdict: DropVerdict::Forward, command };
    }
    let lamp = view.lamps.iter().find(|lamp| digits(&lamp.number) == phone).map(|lamp| lamp.state);
    let verdict = match lamp.filter(|_| contact.presence) {
        Some(LampState::Busy) => DropVerdict::WillWait,
        Some(LampState::DoNotDisturb) => DropVerdict::DoNotDisturb,
        _ => DropVerdict::Transfer,
    };
    Landing { verdict, command: Some(Command::BlindTransfer { call: id, to }) }
}

/// Over another call: attended transfer, semi-attended while that one still rings.
pub(crate) fn on_call(call: &CallView, to: &CallView) -> Landing {
    if call.call == to.call {
        // Where it came from: letting go there means "never mind".
        return refused(DropVerdict::Away);
    }
    attended(call, to).unwrap_or_else(|| refused(DropVerdict::NotTogether))
}

pub(crate) fn refused(verdict: DropVerdict) -> Landing {
    Landing { verdict, command: None }
}

fn attended(call: &CallView, to: &CallView) -> Option<Landing> {
    let Offer::Connect { call, to, ringing } = connect(call, to)? else { return None };
    let verdict = if ringing { DropVerdict::SemiAttended } else { DropVerdict::Attended };
    Some(Landing { verdict, command: Some(Command::AttendedTransfer { call, to }) })
}

/// Whether a call rings here and waits to be answered.
pub(crate) fn rings(call: &CallView) -> bool {
    matches!(call.state, CallState::Ringing | CallState::Recalling)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use ipc::{CallRef, ContactQuery, SortKey};

    use super::*;
    use crate::scenes;

    /// The scene's colleague with this extension.
    fn contact(phone: &str) -> ContactRow {
        let query = ContactQuery {
            directory: None,
            text: phone.into(),
            sort: SortKey::default(),
            offset: 0,
            limit: 9,
        };
        scenes::contacts(&query).rows.into_iter().next().unwrap()
    }

    fn call(view: &View, id: u64) -> CallView {
        view.incoming.iter().chain(&view.outgoing).find(|call| call.call == CallRef(id)).unwrap().clone()
    }

    fn blind(id: u64, to: &str) -> Option<Command> {
        Some(Command::BlindTransfer { call: CallRef(id), to: to.into() })
    }

    #[test]
    fn a_held_call_is_transferred_and_a_ringing_one_forwarded() {
        let view = scenes::picture();
        let landing = on_contact(&call(&view, 3), &contact("2110"), &view);
        assert_eq!(landing, Landing { verdict: DropVerdict::Transfer, command: blind(3, "2110") });
        let landing = on_contact(&call(&view, 1), &contact("2110"), &view);
        let command = Some(Command::Forward { call: CallRef(1), to: "2110".into() });
        assert_eq!(landing, Landing { verdict: DropVerdict::Forward, command });
    }

    #[test]
    fn a_busy_target_says_that_the_call_will_wait() {
        let mut view = scenes::picture();
        let held = call(&view, 3);
        for (state, verdict) in [
            (LampState::Available, DropVerdict::Transfer),
            (LampState::Busy, DropVerdict::WillWait),
            (LampState::DoNotDisturb, DropVerdict::DoNotDisturb),
            (LampState::Unknown, DropVerdict::Transfer),
        ] {
            for lamp in &mut view.lamps {
                std::sync::Arc::make_mut(lamp).state = state;
            }
            let landing = on_contact(&held, &contact("2110"), &view);
            assert_eq!(landing, Landing { verdict, command: blind(3, "2110") }, "{state:?}");
        }
    }

    #[test]
    fn a_contact_that_is_being_called_is_connected() {
        let view = scenes::attended();
        let (caller, consultation) = (call(&view, 3), call(&view, 5));
        let to = contact(consultation.party.number.as_deref().unwrap());
        let landing = on_contact(&caller, &to, &view);
        let command = Some(Command::AttendedTransfer { call: CallRef(3), to: CallRef(5) });
        assert_eq!(landing, Landing { verdict: DropVerdict::Attended, command: command.clone() });
        assert_eq!(on_call(&caller, &consultation).command, command);
        assert_eq!(on_call(&caller, &caller), refused(DropVerdict::Away));
    }

    #[test]
    fn what_cannot_work_says_why() {
        let view = scenes::picture();
        let held = call(&view, 3);
        assert_eq!(on_contact(&held, &contact("2114"), &view), refused(DropVerdict::Itself));
        let nowhere = ContactRow { phone: String::new(), ..contact("2110") };
        assert_eq!(on_contact(&held, &nowhere, &view), refused(DropVerdict::NoNumber));
        assert_eq!(on_contact(&call(&view, 4), &contact("2110"), &view), refused(DropVerdict::NotNow));
        assert_eq!(on_call(&held, &call(&view, 1)), refused(DropVerdict::NotTogether));
    }
}
