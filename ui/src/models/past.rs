//! What is known of a caller besides the name, in parts that the screen words.

use ipc::{CallState, CallView, CallerHistory, Direction};

use crate::clock::Moment;
use crate::models::log_rows;
use crate::models::words::party_name;
use crate::screen::{CallerPast, PastCall};

/// Letters of a note that a card shows.
const NOTE: usize = 36;

/// A card keeps a line for the history of whoever rings with a number, whether it is known yet or not: so
/// nothing grows when the records answer.
pub(crate) fn has_line(call: &CallView) -> bool {
    let rings = matches!(call.state, CallState::Ringing | CallState::Answering);
    rings && call.direction == Direction::Incoming && call.party.number.is_some()
}

/// What a card says.
pub(crate) fn on_card(history: Option<&CallerHistory>) -> CallerPast {
    let Some(history) = history else { return CallerPast::default() };
    let mut line: String = history.note.trim().lines().next().unwrap_or_default().trim().to_owned();
    if line.chars().count() > NOTE {
        line = line.chars().take(NOTE - 1).chain(['…']).collect();
    }
    CallerPast { note: line.into(), ..whole(Some(history)) }
}

/// What the menu says.
pub(crate) fn whole(history: Option<&CallerHistory>) -> CallerPast {
    let Some(history) = history else { return CallerPast::default() };
    let last = history.last.first();
    CallerPast {
        known: true,
        calls: i32::try_from(history.calls).unwrap_or(i32::MAX),
        has_last: last.is_some(),
        last: last.map(past_call).unwrap_or_default(),
        called_back: history.last.iter().any(|call| call.direction == Direction::Outgoing),
        note: history.note.trim().into(),
    }
}

/// The last calls, newest first.
pub(crate) fn calls(history: Option<&CallerHistory>) -> Vec<PastCall> {
    history.map(|history| history.last.iter().map(past_call).collect()).unwrap_or_default()
}

fn past_call(call: &ipc::PastCall) -> PastCall {
    let moment = Moment::of(call.began_unix_ms);
    PastCall {
        outgoing: call.direction == Direction::Outgoing,
        end: log_rows::end(call.end),
        days_ago: moment.days_ago,
        weekday: moment.weekday,
        day: moment.day,
        month: moment.month,
        time: moment.time.into(),
        taken_by: call.taken_by.as_ref().map(party_name).unwrap_or_default(),
    }
}
