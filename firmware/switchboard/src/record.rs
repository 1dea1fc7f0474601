//! The log row of an ended call.

use ipc::{Direction, EndStatus, LogMark, LogRow, TransferEnd, TransferKind};

use crate::EndCause;
use crate::call::{Call, Farewell, Ms, State};

/// The row of a call that has ended, or ends now. Times are on the desk's clock.
pub(crate) fn row(call: &Call, now: Ms, end: EndStatus) -> LogRow {
    let ended = call.times.ended.unwrap_or(now);
    let (talk_ms, hold_ms) = call.times.totals(ended);
    // What was talked before the call took another's place stands in that one's row.
    let (began, talked, held) = call.times.carried.unwrap_or((call.times.began, 0, 0));
    LogRow {
        id: 0,
        direction: call.direction,
        party: call.party.clone(),
        line_number: call.line_number.clone(),
        line_name: call.line_name.clone(),
        began_unix_ms: i64::try_from(began).unwrap_or(i64::MAX),
        answered_after_ms: call.times.answered.map(|at| at.saturating_sub(began)),
        talk_ms: talk_ms - talked,
        hold_ms: hold_ms - held,
        end,
        transfers: call.transfers.iter().map(|t| t.log.clone()).collect(),
        rules: call.rules.clone(),
        customer: call.customer.record(),
        call: Some(call.id),
        sound: None,
        mark: LogMark::None,
    }
}

/// How a call ended that was in `state` when the network said so. Its open transfer, if any, is
/// closed already.
pub(crate) fn end_status(call: &Call, state: State, cause: &EndCause) -> EndStatus {
    match state {
        State::Ending { why: Farewell::Rejected, .. } => EndStatus::Rejected,
        State::Ending { why: Farewell::Transferred, .. } => passed_on(call),
        State::Ending { why: Farewell::Forwarded, .. } => EndStatus::Forwarded,
        State::Ending { why: Farewell::Voicemail, .. } => EndStatus::Voicemail,
        State::Ending { why: Farewell::HungUp, .. } => hung_up(call),
        State::Ringing | State::Answering if cause.elsewhere => EndStatus::Elsewhere,
        State::Ringing | State::Answering => EndStatus::Missed,
        State::Dialing | State::Alerting => not_reached(cause),
        State::Transferring(_) if handed_over(call) => passed_on(call),
        State::Talking
        | State::Held
        | State::Conference
        | State::Grace(_)
        | State::Waiting(_)
        | State::Transferring(_)
        | State::Target(_)
        | State::Recalling => {
            if cause.by_remote {
                EndStatus::Completed
            } else {
                EndStatus::Failed
            }
        }
    }
}

fn hung_up(call: &Call) -> EndStatus {
    match (call.times.answered, call.direction) {
        (Some(_), _) => EndStatus::Completed,
        (None, Direction::Outgoing) => EndStatus::NotAnswered,
        // Taken and dropped before the caller's side had confirmed.
        (None, Direction::Incoming) => EndStatus::Rejected,
    }
}

fn handed_over(call: &Call) -> bool {
    call.transfers.last().is_some_and(|t| t.log.end == TransferEnd::HandedOver)
}

/// How a call ended that a transfer took off the desk.
fn passed_on(call: &Call) -> EndStatus {
    let gone = |end: &TransferEnd| matches!(end, TransferEnd::Answered | TransferEnd::HandedOver);
    let last = call.transfers.iter().rfind(|t| gone(&t.log.end));
    last.map_or(EndStatus::Transferred, |t| success(t.log.kind))
}

/// What a transfer that worked makes of its call.
pub(crate) fn success(kind: TransferKind) -> EndStatus {
    if kind == TransferKind::Voicemail { EndStatus::Voicemail } else { EndStatus::Transferred }
}

/// RFC 3261 section 21: who is busy or declines, who does not answer, and what cannot be reached.
fn not_reached(cause: &EndCause) -> EndStatus {
    match cause.code {
        403 | 433 | 486 | 600 | 603 | 607 | 608 => EndStatus::Refused,
        408 | 480 | 487 if cause.by_remote => EndStatus::NotAnswered,
        _ => EndStatus::Failed,
    }
}
