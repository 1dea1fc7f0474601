//! The operator: does with each call, after a moment of thought, one of the things that the desk offers for
//! it, by dice. Knows nothing of what the callers intend. At the end of the day ends whatever is left.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use frontdesk_tests::dice::Dice;
use frontdesk_tests::socket::{Client, calls};
use ipc::{Action, CallRef, CallState, CallView, Command, Direction, View};

use crate::phones::{COLLEAGUES, MAILBOX};

/// A call that was begun shows by then.
const SHOWN: Duration = Duration::from_secs(1);
/// A number that nobody has.
const NOBODY: &str = "2199";

/// See the module.
#[derive(Debug)]
pub(crate) struct Operator {
    dice: Dice,
    /// When each call is thought of next, and in which state it was when that was decided.
    thoughts: HashMap<CallRef, (CallState, Instant)>,
    /// The call for which a colleague is being consulted, and since when.
    consulting: Option<(CallRef, Instant)>,
    closing: bool,
    /// Calls hung up or taken back in the middle of their transfer: its end may have been on its way.
    pub(crate) cut: BTreeSet<u64>,
    /// What was done and begun by the desk.
    pub(crate) done: Deeds,
}

/// Commands that the desk has begun, and those it has refused because the call had moved on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Deeds {
    pub(crate) answered: usize,
    pub(crate) held: usize,
    pub(crate) retrieved: usize,
    /// Transfers of every kind, each a ledger entry.
    pub(crate) transfers: usize,
    pub(crate) attended: usize,
    pub(crate) forwards: usize,
    pub(crate) rejected: usize,
    pub(crate) hung_up: usize,
    pub(crate) dialled: usize,
    pub(crate) refused: usize,
}

impl Operator {
    pub(crate) fn new(seed: u64) -> Self {
        let dice = Dice::new(seed);
        let (thoughts, cut, done) = (HashMap::new(), BTreeSet::new(), Deeds::default());
        Self { dice, thoughts, consulting: None, closing: false, cut, done }
    }

    /// From now on every call is ended at once.
    pub(crate) fn close(&mut self) {
        self.closing = true;
    }

    /// Works on every call of a view.
    pub(crate) fn work(&mut self, client: &mut Client, view: &View) {
        let now = Instant::now();
        // The consultation is over; one just begun may not be in this view yet.
        let over = view.outgoing.is_empty();
        self.consulting.take_if(|(_, since)| over && *since + SHOWN < now);
        for call in calls(view) {
            let known = self.thoughts.get(&call.call).copied();
            let due = known.filter(|(state, _)| *state == call.state).map(|(_, due)| due);
            if due.is_some_and(|due| due <= now) || (self.closing && due.is_none()) {
                if let Some(command) = self.choose(call, view) {
                    let ends = matches!(command, Command::HangUp { .. } | Command::Retrieve { .. });
                    if ends && call.state == CallState::Transferring {
                        self.cut.insert(call.call.0);
                    }
                    self.give(client, command);
                }
                self.think(call, now);
            } else if due.is_none() {
                self.think(call, now);
            }
        }
        self.thoughts.retain(|call, _| calls(view).any(|other| other.call == *call));
    }

    fn think(&mut self, call: &CallView, now: Instant) {
        let pause = if self.closing { 1000 } else { 300 + self.dice.below(1800) };
        self.thoughts.insert(call.call, (call.state, now + Duration::from_millis(pause)));
    }

    fn choose(&mut self, view: &CallView, all: &View) -> Option<Command> {
        let call = view.call;
        let can = |action: Action| view.actions.contains(&action);
        if self.closing {
            let end =
                [(Action::Reject, Command::Reject { call }), (Action::HangUp, Command::HangUp { call })];
            return end.into_iter().find(|(action, _)| can(*action)).map(|(_, command)| command);
        }
        if view.direction == Direction::Outgoing {
            return self.consulted(view, all);
        }
        let to = self.dice.pick(&[COLLEAGUES[0], COLLEAGUES[1], COLLEAGUES[2], COLLEAGUES[0], NOBODY]);
        let to = to.to_owned();
        let (action, command) = match (view.state, self.dice.below(100)) {
            (CallState::Ringing, 0..55) => (Action::Answer, Command::Answer { call }),
            (CallState::Ringing, 55..65) => (Action::Reject, Command::Reject { call }),
            (CallState::Ringing, 65..78) => (Action::Forward, Command::Forward { call, to }),
            (CallState::Recalling, 0..50) => (Action::Answer, Command::Answer { call }),
            (CallState::Recalling, 50..75) => (Action::HangUp, Command::HangUp { call }),
            (CallState::Talking, 0..10) => (Action::HangUp, Command::HangUp { call }),
            (CallState::Talking, 10..30) => (Action::Hold, Command::Hold { call }),
            (CallState::Talking | CallState::Held, 30..55) => {
                (Action::Transfer, Command::BlindTransfer { call, to })
            }
            (CallState::Talking | CallState::Held, 55..65) => {
                (Action::Transfer, Command::VoicemailTransfer { call, to: MAILBOX.to_owned() })
            }
            (CallState::Talking | CallState::Held, 65..78) if self.consulting.is_none() => {
                self.consulting = Some((call, Instant::now()));
                return Some(Command::Dial { number: to, line: None });
            }
            (CallState::Held, 0..10) => (Action::HangUp, Command::HangUp { call }),
            (CallState::Held, 10..30) => (Action::Retrieve, Command::Retrieve { call }),
            (CallState::Transferring, 0..6) => (Action::HangUp, Command::HangUp { call }),
            (CallState::Transferring, 6..14) => (Action::Retrieve, Command::Retrieve { call }),
            (CallState::Transferring, 14..30) => (Action::TransferNow, Command::TransferNow { call }),
            _ => return None,
        };
        can(action).then_some(command)
    }

    /// What to do with a call that was placed to ask a colleague: the caller it is about is given to it,
    /// or it is ended.
    fn consulted(&mut self, view: &CallView, all: &View) -> Option<Command> {
        let to = view.call;
        let about = self.consulting.and_then(|(call, _)| calls(all).find(|other| other.call == call));
        let ready = about.filter(|call| call.actions.contains(&Action::TransferToCall));
        match (view.state, ready) {
            (CallState::Alerting | CallState::Talking | CallState::Held, Some(about))
                if view.actions.contains(&Action::TakeTransfer) && self.dice.below(100) < 50 =>
            {
                Some(Command::AttendedTransfer { call: about.call, to })
            }
            (CallState::Ending | CallState::Transferring, _) => None,
            (_, about) if about.is_none() || self.dice.below(100) < 20 => Some(Command::HangUp { call: to }),
            _ => None,
        }
    }

    fn give(&mut self, client: &mut Client, command: Command) {
        let result = client.command(command.clone());
        let done = &mut self.done;
        if result.is_err() {
            done.refused += 1;
            if matches!(command, Command::Dial { .. }) {
                self.consulting = None;
            }
            return;
        }
        match command {
            Command::Answer { .. } => done.answered += 1,
            Command::Hold { .. } => done.held += 1,
            Command::Retrieve { .. } => done.retrieved += 1,
            Command::Reject { .. } => done.rejected += 1,
            Command::HangUp { .. } => done.hung_up += 1,
            Command::Forward { .. } => done.forwards += 1,
            Command::BlindTransfer { .. } | Command::VoicemailTransfer { .. } => done.transfers += 1,
            Command::AttendedTransfer { .. } => {
                done.transfers += 1;
                done.attended += 1;
            }
            Command::Dial { .. } => done.dialled += 1,
            _ => {}
        }
    }
}
