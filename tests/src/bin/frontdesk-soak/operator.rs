//! The operator: follows the views and does with each call what its plan says, by commands on the socket.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use frontdesk_tests::socket::{Client, calls};
use ipc::{CallRef, CallState, CallView, Command, View};

use crate::plan::{Number, Plan};

/// After this a call is looked at afresh, even in the state it was in: a hold that crossed another one.
const AGAIN: Duration = Duration::from_millis(500);
/// What was done last with each call on the desk.
#[derive(Debug)]
pub(crate) struct Operator {
    /// Whom calls are sent on and transferred to: a SIP URI that leads to the callers' exchange.
    target: String,
    hands: HashMap<CallRef, Hand>,
    /// Commands that the desk refused because the call had moved on meanwhile.
    pub(crate) refused: usize,
}

#[derive(Clone, Copy, Debug)]
struct Hand {
    state: CallState,
    at: Instant,
    was_held: bool,
}

impl Operator {
    pub(crate) fn new(target: String) -> Self {
        Self { target, hands: HashMap::new(), refused: 0 }
    }

    /// Works on every call of a view.
    pub(crate) fn work(&mut self, client: &mut Client, view: &View) {
        for call in calls(view) {
            let now = Instant::now();
            let before = self.hands.get(&call.call).copied();
            if before.is_some_and(|hand| hand.state == call.state && now < hand.at + AGAIN) {
                continue;
            }
            let was_held = before.is_some_and(|hand| hand.was_held) || call.state == CallState::Held;
            self.hands.insert(call.call, Hand { state: call.state, at: now, was_held });
            if let Some(command) = next(call, was_held, before.map(|hand| hand.state), &self.target) {
                self.refused += usize::from(client.command(command).is_err());
            }
        }
        self.hands.retain(|call, _| calls(view).any(|other| other.call == *call));
    }
}

/// What to do with a call that has come into this state, or stays in it (`before` is the same then).
fn next(view: &CallView, was_held: bool, before: Option<CallState>, target: &str) -> Option<Command> {
    let plan = view.party.number.as_deref().and_then(Number::read)?.plan();
    let call = view.call;
    let to = || target.to_owned();
    match (view.state, plan) {
        (CallState::Ringing, Plan::Abandoned) => None,
        (CallState::Ringing, Plan::Rejected) => Some(Command::Reject { call }),
        (CallState::Ringing, Plan::Forwarded) => Some(Command::Forward { call, to: to() }),
        (CallState::Ringing, _) => Some(Command::Answer { call }),
        (CallState::Talking | CallState::Held, Plan::OperatorHangsUp) => Some(Command::HangUp { call }),
        (CallState::Talking | CallState::Held, Plan::Transferred | Plan::TransferRefused) => {
            Some(Command::BlindTransfer { call, to: to() })
        }
        (CallState::Talking, Plan::HeldAndRetrieved) if !was_held => Some(Command::Hold { call }),
        // Held and taken back so quickly that the caller never knew: nobody will hang up.
        (CallState::Talking, Plan::HeldAndRetrieved) if before == Some(CallState::Talking) => {
            Some(Command::HangUp { call })
        }
        (CallState::Held, Plan::HeldAndRetrieved) => Some(Command::Retrieve { call }),
        (CallState::Recalling, _) => Some(Command::HangUp { call }),
        _ => None,
    }
}
