//! A call as a card, and its running times as a row of their own.

use ipc::{
    Action, CallState, CallView, ConferenceMember, ContactId, Direction, LampState, RecallWhy, TransferEnd,
    TransferState, TransferView, View,
};
use slint::{Image, Model, ModelRc, SharedString};

use crate::clock::duration;
use crate::models::words::party_name;
use crate::models::{customer, past};
use crate::screen::{
    CallAction, CallCard, CallClock, CardState, LampKind, OutOfSight, RecallCause, TransferKind, TransferStep,
};

/// The identity of a call as the screen carries it.
pub(crate) fn id(call: ipc::CallRef) -> SharedString {
    slint::format!("{}", call.0)
}

/// The call that an identity names.
pub(crate) fn call(id: &str) -> Option<ipc::CallRef> {
    id.parse().ok().map(ipc::CallRef)
}

/// Everything on the card of `call` that does not run with the clock; `view` knows the lines and the
/// conference. `live` is false while the desk is not reachable: then nothing can be done with the
/// call. `face` is whom an outgoing call is to (CALL-2).
pub(crate) fn card(
    call: &CallView,
    view: &View,
    live: bool,
    face: impl Fn(Option<ContactId>) -> Image,
) -> CallCard {
    let strip = if live { strip(call) } else { Vec::new() };
    let can = |action| strip.contains(&action);
    let (transfer, transfer_code) = call.transfer.as_ref().map_or((TransferStep::None, 0), transfer_step);
    let (transfer_lamp, transfer_place) = call.transfer.as_ref().map_or((LampKind::None, 0), waiting);
    let (recall, recall_step, recall_code) = recall(call);
    let member = member(call, view);
    let line = view.lines.iter().find(|line| line.number == call.line_number);
    CallCard {
        id: id(call.call),
        state: card_state(call.state),
        outgoing: call.direction == Direction::Outgoing,
        picture: face(call.party.contact.filter(|_| call.direction == Direction::Outgoing)),
        name: call.party.name.as_deref().unwrap_or_default().into(),
        number: call.party.number.as_deref().unwrap_or_default().into(),
        local: call.party.local,
        line_name: call.line_name.as_str().into(),
        line_number: call.line_number.as_str().into(),
        line_colour: line.and_then(|line| line.colour).map_or(-1, i32::from),
        intercepted: call.intercepted.as_ref().map(party_name).unwrap_or_default(),
        taken_over: call.taken_over,
        diverted_by: call.diverted_by.as_ref().map(party_name).unwrap_or_default(),
        transfer,
        transfer_kind: call.transfer.as_ref().map(|t| transfer_kind(t.kind)).unwrap_or_default(),
        transfer_to: call.transfer.as_ref().map(|transfer| party_name(&transfer.to)).unwrap_or_default(),
        transfer_code,
        transfer_lamp,
        transfer_place,
        recall,
        recall_step,
        recall_from: call.recall.as_ref().map(|reason| party_name(&reason.from)).unwrap_or_default(),
        recall_code,
        rule: call.rule.as_deref().unwrap_or_default().into(),
        waited_for: call.waited_for.as_ref().map(party_name).unwrap_or_default(),
        has_past: past::has_line(call),
        past: past::on_card(call.history.as_ref().filter(|_| past::has_line(call))),
        has_customer: past::has_line(call) && view.crm.customers,
        customer_asked: call.customer_asked,
        customer: customer::in_short(call),
        named_by: call.named_by.as_deref().unwrap_or_default().into(),
        encrypted: call.encrypted,
        member: member.is_some(),
        muted: member.is_some_and(|member| member.muted),
        can_answer: can(Action::Answer),
        can_reject: can(Action::Reject),
        can_forward: can(Action::Forward),
        can_hold: can(Action::Hold),
        can_retrieve: can(Action::Retrieve),
        can_transfer: can(Action::Transfer),
        can_undo: can(Action::Undo),
        can_transfer_now: can(Action::TransferNow),
        can_wait_again: can(Action::WaitAgain),
        can_conference: can(Action::Conference),
        can_mute_member: can(Action::MuteMember),
        can_hang_up: can(Action::HangUp),
        has_more: live && call.actions.iter().any(|action| is_in_menu(*action) && !can(*action)),
    }
}

/// What runs: an incoming call counts from its beginning, an outgoing one from its answer; the time
/// on hold turns red at `alarm_ms` (CALL-1, CALL-2, CALL-4). A transfer's grace runs down, and so do
/// the seconds until a waiting call goes (PRE-6).
pub(crate) fn clock(call: &CallView, view: &View, now_ms: u64) -> CallClock {
    let since = match call.direction {
        Direction::Incoming => call.began_ms,
        Direction::Outgoing => call.answered_ms.unwrap_or(call.began_ms),
    };
    let held = call.held_since_ms.map(|since| now_ms.saturating_sub(since));
    let (grace, due) = call.transfer.as_ref().map_or((0.0, -1), |transfer| runs_down(transfer, now_ms));
    CallClock {
        elapsed: duration(now_ms.saturating_sub(since)).into(),
        held: held.map(duration).unwrap_or_default().into(),
        alarm: held.is_some_and(|held| held >= view.preferences.hold_alarm_ms),
        grace,
        due,
        speaking: member(call, view).is_some_and(|member| member.speaking),
    }
}

/// What a card offers as buttons: at most three, the rest is in the menu. The obvious one first, the
/// one that ends the call last.
pub(crate) fn strip(call: &CallView) -> Vec<Action> {
    let has = |action: &Action| call.actions.contains(action);
    let first_of = |wish: &[Action]| wish.iter().copied().find(has);
    let joins = call.state == CallState::Conference;
    let first = [Action::Undo, Action::Answer, Action::Retrieve].into_iter().find(has);
    let first = first.or_else(|| first_of(if joins { &[Action::Conference] } else { &[] }));
    let first = first.or_else(|| first_of(&[Action::Hold]));
    let second = first_of(&[
        Action::TransferNow,
        Action::WaitAgain,
        Action::Forward,
        Action::MuteMember,
        Action::Transfer,
    ]);
    let last = first_of(&[Action::Reject, Action::HangUp]).filter(|_| first != Some(Action::Undo));
    [first, second, last].into_iter().flatten().collect()
}

/// Whether an action has a row in the call's menu. [`Action::TakeTransfer`] is done to another call.
pub(crate) fn is_in_menu(action: Action) -> bool {
    action != Action::TakeTransfer
}

/// The call's place in the conference.
pub(crate) fn member(call: &CallView, view: &View) -> Option<ConferenceMember> {
    view.conference.as_ref()?.members.iter().find(|member| member.call == call.call).copied()
}

/// Where a transfer stands, and the SIP status when it was refused.
pub(crate) fn transfer_step(transfer: &TransferView) -> (TransferStep, i32) {
    match &transfer.state {
        TransferState::Grace { .. } => (TransferStep::Grace, 0),
        TransferState::Waiting { .. } => (TransferStep::Waiting, 0),
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
        TransferEnd::Undone => (TransferStep::Undone, 0),
        TransferEnd::Abandoned => (TransferStep::Abandoned, 0),
    }
}

/// How a call is transferred.
pub(crate) fn transfer_kind(kind: ipc::TransferKind) -> TransferKind {
    match kind {
        ipc::TransferKind::Blind => TransferKind::Blind,
        ipc::TransferKind::Attended => TransferKind::Attended,
        ipc::TransferKind::SemiAttended => TransferKind::SemiAttended,
        ipc::TransferKind::Voicemail => TransferKind::Voicemail,
        ipc::TransferKind::Park => TransferKind::Park,
        ipc::TransferKind::Forward => TransferKind::Forward,
        ipc::TransferKind::Rule => TransferKind::Rule,
    }
}

/// What a phone does, as the screen colours and words it.
pub(crate) fn lamp_kind(state: LampState) -> LampKind {
    match state {
        LampState::Unknown => LampKind::Unknown,
        LampState::Available => LampKind::Available,
        LampState::Ringing => LampKind::Ringing,
        LampState::Busy => LampKind::Busy,
        LampState::DoNotDisturb => LampKind::DoNotDisturb,
    }
}

/// The action behind a button of the strip.
pub(crate) fn action(action: CallAction) -> Action {
    match action {
        CallAction::Answer => Action::Answer,
        CallAction::Reject => Action::Reject,
        CallAction::Forward => Action::Forward,
        CallAction::Hold => Action::Hold,
        CallAction::Retrieve => Action::Retrieve,
        CallAction::Transfer => Action::Transfer,
        CallAction::Undo => Action::Undo,
        CallAction::TransferNow => Action::TransferNow,
        CallAction::WaitAgain => Action::WaitAgain,
        CallAction::Park => Action::Park,
        CallAction::Conference => Action::Conference,
        CallAction::MuteMember => Action::MuteMember,
        CallAction::Digits => Action::Digits,
        CallAction::HangUp => Action::HangUp,
    }
}

fn waiting(transfer: &TransferView) -> (LampKind, i32) {
    match transfer.state {
        TransferState::Waiting { lamp, position, .. } => {
            (lamp_kind(lamp), i32::try_from(position).unwrap_or(i32::MAX))
        }
        _ => (LampKind::None, 0),
    }
}

fn recall(call: &CallView) -> (RecallCause, TransferStep, i32) {
    match call.recall.as_ref().map(|reason| &reason.why) {
        None => (RecallCause::None, TransferStep::None, 0),
        Some(RecallWhy::Transfer(end)) => {
            let (step, code) = transfer_end(end);
            (RecallCause::Transfer, step, code)
        }
        Some(RecallWhy::Hold) => (RecallCause::Hold, TransferStep::None, 0),
        Some(RecallWhy::Waiting) => (RecallCause::Waiting, TransferStep::None, 0),
    }
}

/// What is left of the grace, and the seconds until a waiting call is transferred, rounded up: the
/// call goes when it would show 0.
fn runs_down(transfer: &TransferView, now_ms: u64) -> (f32, i32) {
    match transfer.state {
        TransferState::Grace { until_ms } => {
            let left = until_ms.saturating_sub(now_ms);
            let whole = until_ms.saturating_sub(transfer.since_ms).max(left).max(1);
            // Twentieths: enough for a bar, and few changes to draw.
            let twentieths = u8::try_from(left.saturating_mul(20).div_ceil(whole)).unwrap_or(20);
            (f32::from(twentieths) / 20.0, -1)
        }
        TransferState::Waiting { due_ms: Some(due_ms), .. } => {
            let seconds = due_ms.saturating_sub(now_ms).div_ceil(1000);
            (0.0, i32::try_from(seconds).unwrap_or(i32::MAX))
        }
        _ => (0.0, -1),
    }
}

/// Which of `calls`, one below the other and `gap` apart, ring, or are on hold or wait for a busy phone too long, and stand for
/// the most part above `from` or below `to`. The nearest of them are told with their place. Lengths are logical pixels from the
/// beginning of the list.
pub(crate) fn out_of_sight(
    calls: &ModelRc<CallCard>,
    clocks: &ModelRc<CallClock>,
    tall: impl Fn(CallCard) -> f32,
    gap: f32,
    from: f32,
    to: f32,
) -> OutOfSight {
    calls.model_tracker().track_row_count_changes();
    let mut hidden = OutOfSight::default();
    let mut top = 0.0;
    for row in 0..calls.row_count() {
        calls.model_tracker().track_row_data_changes(row);
        let Some(card) = calls.row_data(row) else { continue };
        let rings = matches!(card.state, CardState::Ringing | CardState::Recalling);
        // Only these clocks are followed: the others would have all of it worked out anew every second.
        let overdue = matches!(card.state, CardState::Held | CardState::Transferring) && {
            clocks.model_tracker().track_row_data_changes(row);
            clocks.row_data(row).is_some_and(|clock| clock.alarm)
        };
        let waits = rings || overdue;
        let height = tall(card);
        let middle = top + height / 2.0;
        hidden.held |= overdue && !(from..=to).contains(&middle);
        if waits && middle < from {
            hidden.above += 1;
            (hidden.above_at, hidden.above_tall) = (top, height);
        } else if waits && middle > to {
            hidden.below += 1;
            if hidden.below == 1 {
                (hidden.below_at, hidden.below_tall) = (top, height);
            }
        }
        top += height + gap;
    }
    hidden
}

fn card_state(state: CallState) -> CardState {
    match state {
        CallState::Ringing => CardState::Ringing,
        CallState::Answering => CardState::Answering,
        CallState::Dialing => CardState::Dialing,
        CallState::Alerting => CardState::Alerting,
        CallState::Talking => CardState::Talking,
        CallState::Held => CardState::Held,
        CallState::Conference => CardState::Conference,
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
        assert!(!clock(held, &view, since + 119_999).alarm);
        let late = clock(held, &view, since + 120_000);
        assert!(late.alarm);
        assert_eq!(late.held, "2:00");
    }

    #[test]
    fn the_grace_runs_down_and_the_seconds_round_up() {
        let view = scenes::picture();
        let mut call = view.incoming[2].clone();
        let transfer = |state| TransferView {
            state,
            since_ms: 1_000,
            ..view.transfers.first().cloned().unwrap_or_else(|| panic!("the picture has a transfer"))
        };
        let mut at = |state, now_ms| {
            call.transfer = Some(transfer(state));
            let clock = clock(&call, &view, now_ms);
            (clock.grace, clock.due)
        };
        assert_eq!(at(TransferState::Grace { until_ms: 3_000 }, 1_000), (1.0, -1));
        assert_eq!(at(TransferState::Grace { until_ms: 3_000 }, 2_000), (0.5, -1));
        assert_eq!(at(TransferState::Grace { until_ms: 3_000 }, 9_000), (0.0, -1));
        let waits = |due_ms| TransferState::Waiting { lamp: LampState::Available, position: 1, due_ms };
        assert_eq!(at(waits(Some(5_000)), 2_001), (0.0, 3));
        assert_eq!(at(waits(None), 2_001), (0.0, -1));
    }

    #[test]
    fn a_strip_has_three_buttons_and_none_that_the_view_does_not_allow() {
        let all = [
            Action::Answer,
            Action::Reject,
            Action::Forward,
            Action::Hold,
            Action::Retrieve,
            Action::Transfer,
            Action::TransferToCall,
            Action::TakeTransfer,
            Action::Undo,
            Action::TransferNow,
            Action::WaitAgain,
            Action::Park,
            Action::Conference,
            Action::MuteMember,
            Action::Digits,
            Action::Mark,
            Action::HangUp,
        ];
        let mut call = scenes::picture().incoming[0].clone();
        for set in 0..1_u32 << all.len() {
            call.actions =
                all.iter().enumerate().filter(|(bit, _)| set >> bit & 1 == 1).map(|(_, a)| *a).collect();
            let strip = strip(&call);
            assert!(strip.len() <= 3, "{strip:?}");
            assert!(strip.iter().all(|action| call.actions.contains(action)), "{strip:?}");
        }
    }

    #[test]
    fn who_waits_on_either_side_of_what_is_seen_is_counted() {
        let rings = |state| CallCard { state, ..CallCard::default() };
        let states = [
            CardState::Ringing,
            CardState::Recalling,
            CardState::Talking,
            CardState::Ringing,
            CardState::Held,
            CardState::Ringing,
        ];
        let calls: ModelRc<CallCard> = states.map(rings).into();
        // Each 60 high, 10 between two: they begin at 0, 70, 140, 210, 280 and 350.
        let patient: ModelRc<CallClock> = states.map(|_| CallClock::default()).into();
        let at = |from, to| out_of_sight(&calls, &patient, |_| 60.0, 10.0, from, to);
        assert_eq!(at(0.0, 410.0), OutOfSight::default());
        let hidden = at(0.0, 100.0);
        assert_eq!((hidden.above, hidden.below, hidden.below_at, hidden.below_tall), (0, 2, 210.0, 60.0));
        let hidden = at(140.0, 270.0);
        assert_eq!((hidden.above, hidden.above_at, hidden.below, hidden.below_at), (2, 70.0, 1, 350.0));
        assert_eq!(at(31.0, 379.0).above, 1, "less than half of it is seen");
        assert_eq!(at(0.0, 381.0).below, 0, "more than half of it is seen");
        // The one on hold counts once it is there too long, and only what is on hold has an alarm that counts.
        let overdue: ModelRc<CallClock> =
            states.map(|_| CallClock { alarm: true, ..CallClock::default() }).into();
        let at = |from, to| out_of_sight(&calls, &overdue, |_| 60.0, 10.0, from, to);
        let hidden = at(0.0, 200.0);
        assert_eq!((hidden.held, hidden.below, hidden.below_at), (true, 3, 210.0));
        let hidden = at(0.0, 340.0);
        assert_eq!((hidden.held, hidden.below), (false, 1), "that one is seen");
        // So does who waits for a busy phone.
        let waits: ModelRc<CallCard> = [CardState::Talking, CardState::Transferring].map(rings).into();
        let hidden = |clocks| out_of_sight(&waits, clocks, |_| 60.0, 10.0, 0.0, 80.0).below;
        assert_eq!((hidden(&patient), hidden(&overdue)), (0, 1));
    }

    #[test]
    fn without_the_desk_nothing_can_be_done() {
        let view = scenes::picture();
        assert!(card(&view.incoming[0], &view, true, |_| Image::default()).can_answer);
        let away = card(&view.incoming[0], &view, false, |_| Image::default());
        assert!(!away.can_answer && !away.can_reject && !away.can_forward && !away.has_more);
    }

    #[test]
    fn an_identity_survives_the_screen() {
        assert_eq!(call(&id(ipc::CallRef(u64::MAX))), Some(ipc::CallRef(u64::MAX)));
        assert_eq!(call("no"), None);
    }
}
