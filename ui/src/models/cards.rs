//! A call as a card, and its running times as a row of their own.

use ipc::{Action, CallState, CallView, Direction, TransferEnd, TransferState, TransferView};
use slint::SharedString;

use crate::clock::duration;
use crate::models::words::party_name;
use crate::screen::{CallAction, CallCard, CallClock, CardState, MenuWord, TransferStep};

/// The identity of a call as the screen carries it.
pub(crate) fn id(call: ipc::CallRef) -> SharedString {
    slint::format!("{}", call.0)
}

/// The call that an identity names.
pub(crate) fn call(id: &str) -> Option<ipc::CallRef> {
    id.parse().ok().map(ipc::CallRef)
}

/// Everything on a card that does not run with the clock. `live` is false while the desk is not
/// reachable: then nothing can be done with the call.
pub(crate) fn card(call: &CallView, live: bool) -> CallCard {
    let can = |action| live && call.actions.contains(&action);
    let (transfer, transfer_code) = call.transfer.as_ref().map_or((TransferStep::None, 0), transfer_step);
    let recall = call.recall.as_ref();
    let (recall_step, recall_code) =
        recall.map_or((TransferStep::None, 0), |reason| transfer_end(&reason.end));
    CallCard {
        id: id(call.call),
        state: card_state(call.state),
        outgoing: call.direction == Direction::Outgoing,
        name: call.party.name.as_deref().unwrap_or_default().into(),
        number: call.party.number.as_deref().unwrap_or_default().into(),
        local: call.party.local,
        line_name: call.line_name.as_str().into(),
        line_number: call.line_number.as_str().into(),
        diverted_by: call.diverted_by.as_ref().map(party_name).unwrap_or_default(),
        transfer,
        transfer_to: call.transfer.as_ref().map(|transfer| party_name(&transfer.to)).unwrap_or_default(),
        transfer_code,
        recall: recall_step,
        recall_from: recall.map(|reason| party_name(&reason.from)).unwrap_or_default(),
        recall_code,
        can_answer: can(Action::Answer),
        can_reject: can(Action::Reject),
        can_hold: can(Action::Hold),
        can_retrieve: can(Action::Retrieve),
        can_transfer: can(Action::Transfer),
        can_hang_up: can(Action::HangUp),
    }
}

/// What runs: an incoming call counts from its beginning, an outgoing one from its answer; the time
/// on hold turns red at `alarm_ms` (CALL-1, CALL-2, CALL-4).
pub(crate) fn clock(call: &CallView, now_ms: u64, alarm_ms: u64) -> CallClock {
    let since = match call.direction {
        Direction::Incoming => call.began_ms,
        Direction::Outgoing => call.answered_ms.unwrap_or(call.began_ms),
    };
    let held = call.held_since_ms.map(|since| now_ms.saturating_sub(since));
    CallClock {
        elapsed: duration(now_ms.saturating_sub(since)).into(),
        held: held.map(duration).unwrap_or_default().into(),
        alarm: held.is_some_and(|held| held >= alarm_ms),
    }
}

/// Where a transfer stands, and the SIP status when it was refused.
pub(crate) fn transfer_step(transfer: &TransferView) -> (TransferStep, i32) {
    match &transfer.state {
        TransferState::Requested => (TransferStep::Requested, 0),
        TransferState::Trying => (TransferStep::Trying, 0),
        TransferState::Ringing => (TransferStep::Ringing, 0),
        TransferState::Ended { end, .. } => transfer_end(end),
    }
}

/// What became of a transfer, and the SIP status when it was refused.
pub(crate) fn transfer_end(end: &TransferEnd) -> (TransferStep, i32) {
    match end {
        TransferEnd::Answered => (TransferStep::Answered, 0),
        TransferEnd::HandedOver => (TransferStep::HandedOver, 0),
        TransferEnd::Refused { code } => (TransferStep::Refused, i32::from(*code)),
        TransferEnd::TimedOut => (TransferStep::TimedOut, 0),
        TransferEnd::TakenBack => (TransferStep::TakenBack, 0),
        TransferEnd::Abandoned => (TransferStep::Abandoned, 0),
    }
}

/// How the menu words an action.
pub(crate) fn menu_word(action: Action, state: CallState) -> MenuWord {
    match action {
        Action::Answer => MenuWord::Answer,
        Action::Reject => MenuWord::Reject,
        Action::Hold => MenuWord::Hold,
        Action::Retrieve => MenuWord::Retrieve,
        Action::Transfer if matches!(state, CallState::Ringing | CallState::Recalling) => MenuWord::Forward,
        Action::Transfer => MenuWord::Transfer,
        Action::Digits => MenuWord::Digits,
        Action::HangUp => MenuWord::HangUp,
    }
}

/// The action behind a button of the strip.
pub(crate) fn action(action: CallAction) -> Action {
    match action {
        CallAction::Answer => Action::Answer,
        CallAction::Reject => Action::Reject,
        CallAction::Hold => Action::Hold,
        CallAction::Retrieve => Action::Retrieve,
        CallAction::Transfer => Action::Transfer,
        CallAction::Digits => Action::Digits,
        CallAction::HangUp => Action::HangUp,
    }
}

fn card_state(state: CallState) -> CardState {
    match state {
        CallState::Ringing => CardState::Ringing,
        CallState::Answering => CardState::Answering,
        CallState::Dialing => CardState::Dialing,
        CallState::Alerting => CardState::Alerting,
        CallState::Talking => CardState::Talking,
        CallState::Held => CardState::Held,
        CallState::Transferring => CardState::Transferring,
        CallState::Recalling => CardState::Recalling,
        CallState::Ending => CardState::Ending,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenes;

    #[test]
    fn hold_time_alarms_at_the_threshold_and_not_before() {
        let view = scenes::picture();
        let held = view.incoming.iter().find(|call| call.held_since_ms.is_some());
        let Some(held) = held else { panic!("the picture has a call on hold") };
        let since = held.held_since_ms.unwrap_or_default();
        assert!(!clock(held, since + 119_999, 120_000).alarm);
        let late = clock(held, since + 120_000, 120_000);
        assert!(late.alarm);
        assert_eq!(late.held, "2:00");
    }

    #[test]
    fn without_the_desk_nothing_can_be_done() {
        let view = scenes::picture();
        assert!(card(&view.incoming[0], true).can_answer);
        let away = card(&view.incoming[0], false);
        assert!(!away.can_answer && !away.can_reject && !away.can_transfer && !away.can_hang_up);
    }

    #[test]
    fn an_identity_survives_the_screen() {
        assert_eq!(call(&id(ipc::CallRef(u64::MAX))), Some(ipc::CallRef(u64::MAX)));
        assert_eq!(call("no"), None);
    }
}
