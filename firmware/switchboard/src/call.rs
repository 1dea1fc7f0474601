//! One call: where it stands, its times, and what can be done with it.

use std::collections::BTreeSet;

use ipc::{
    Action, CallRef, CallState, CallView, CallerHistory, Direction, LogTransfer, Party, RecallReason,
    RecallWhy, TalkId, TransferEnd, TransferId, TransferView,
};

use crate::customer::Customer;
use crate::redirect::SentOn;

/// Milliseconds on the desk's clock, or a span of them. All arithmetic is in whole milliseconds, so
/// that talk and hold time add up exactly.
pub(crate) type Ms = u64;

/// Ended transfers kept with a call; the oldest give way.
const MAX_TRANSFERS: usize = 32;
/// Names of rules kept with a call; the oldest give way.
const MAX_RULES: usize = 32;

#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) id: CallRef,
    pub(crate) direction: Direction,
    pub(crate) party: Party,
    pub(crate) line_number: String,
    pub(crate) line_name: String,
    pub(crate) diverted_by: Option<Party>,
    /// Whose phone it rings on, or rang on, for a call picked up from there.
    pub(crate) intercepted: Option<Party>,
    /// For a call taken over: which talk of that phone it was.
    pub(crate) taking: Option<TalkId>,
    /// Something was wrong with it, the operator has said.
    pub(crate) marked: bool,
    pub(crate) hold: WireHold,
    /// The network sends sound before the answer.
    pub(crate) early_media: bool,
    pub(crate) recall: Option<RecallReason>,
    /// Ended transfers of this call, oldest first.
    pub(crate) transfers: Vec<Past>,
    /// The phone it waited for last, and may wait for again (PRE-6).
    pub(crate) waited_for: Option<Party>,
    /// Earlier calls with this party, for the card.
    pub(crate) history: Option<CallerHistory>,
    /// What customer databases say of this party.
    pub(crate) customer: Customer,
    /// The number dialled from here, for a semi-attended transfer: the party may be named otherwise.
    pub(crate) dialled: Option<String>,
    /// The attended transfer that was written off with this as its consultation call, until the
    /// operator uses the call again: a late answer still takes it off the desk.
    pub(crate) consulted_for: Option<TransferId>,
    /// Names of the rules applied, oldest first.
    pub(crate) rules: Vec<String>,
    /// Answered by a rule; no operator has spoken on it yet. It never takes the ear by itself.
    pub(crate) unattended: bool,
    /// Rules that were tried on it since the operator last spoke with it, by their place in the settings.
    pub(crate) escalated: BTreeSet<usize>,
    /// How it was sent on without being answered, until it is certain that it can be.
    pub(crate) sent_on: Option<SentOn>,
    pub(crate) times: Times,
    state: State,
    /// When it entered that state.
    since: Ms,
}

/// A transfer whose end is known.
#[derive(Clone, Debug)]
pub(crate) struct Past {
    pub(crate) log: LogTransfer,
    /// The exchange was asked for it, so that news of it may still come.
    pub(crate) asked: bool,
}

/// Where a call stands, with what only that state has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Ringing,
    Answering,
    Dialing,
    Alerting,
    Talking,
    Held,
    Conference,
    /// Its transfer can still be undone and was not asked for yet.
    Grace(TransferId),
    /// Its transfer waits for a busy phone (PRE-6).
    Waiting(TransferId),
    /// Its transfer was asked for.
    Transferring(TransferId),
    /// The consultation call of an open attended transfer: on hold, and not to be touched.
    Target(TransferId),
    Recalling,
    Ending {
        why: Farewell,
        until: Ms,
    },
}

/// Why the desk ended a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Farewell {
    Rejected,
    HungUp,
    Transferred,
    /// Sent on without being answered.
    Forwarded,
    /// Sent to a mailbox without being answered.
    Voicemail,
}

/// What was asked of the other side about hold, and whether it has answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct WireHold {
    /// The last effect was a hold.
    pub(crate) asked: bool,
    /// How many of the holds and retrieves asked for are still unanswered. Each is answered once, in their order; only
    /// the answer to the last one says how things are.
    pub(crate) pending: u8,
    /// The last hold was refused: the call waits here although the other side is not on hold.
    pub(crate) refused: bool,
    /// It talked with the operator when the hold was asked for.
    pub(crate) talked: bool,
}

impl WireHold {
    /// A hold is asked for.
    pub(crate) fn hold(&mut self, talked: bool) {
        *self = Self { asked: true, pending: self.pending.saturating_add(1), refused: false, talked };
    }

    /// A retrieve is asked for.
    pub(crate) fn retrieve(&mut self) {
        *self = Self { pending: self.pending.saturating_add(1), ..Self::default() };
    }

    /// An answer has come. Returns whether it is that to the last thing asked for.
    pub(crate) fn answered(&mut self, hold: bool) -> bool {
        let last = self.pending == 1 && self.asked == hold;
        self.pending = self.pending.saturating_sub(1);
        last
    }
}

/// The times of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) began: Ms,
    pub(crate) answered: Option<Ms>,
    /// Frozen when the desk hangs up.
    pub(crate) ended: Option<Ms>,
    talk: Ms,
    hold: Ms,
    running: Option<(Meter, Ms)>,
    /// The call took another's place (RFC 3891): when, and what that one had on its meters. The card
    /// goes on, the log row begins there.
    pub(crate) carried: Option<(Ms, Ms, Ms)>,
}

/// Which time runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meter {
    Talk,
    Hold,
}

impl Call {
    pub(crate) fn new(id: CallRef, direction: Direction, party: Party, now: Ms) -> Self {
        Self {
            id,
            direction,
            party,
            line_number: String::new(),
            line_name: String::new(),
            diverted_by: None,
            intercepted: None,
            taking: None,
            marked: false,
            hold: WireHold::default(),
            early_media: false,
            recall: None,
            transfers: Vec::new(),
            waited_for: None,
            dialled: None,
            consulted_for: None,
            rules: Vec::new(),
            history: None,
            customer: Customer::default(),
            unattended: false,
            escalated: BTreeSet::new(),
            sent_on: None,
            times: Times {
                began: now,
                answered: None,
                ended: None,
                talk: 0,
                hold: 0,
                running: None,
                carried: None,
            },
            state: match direction {
                Direction::Incoming => State::Ringing,
                Direction::Outgoing => State::Dialing,
            },
            since: now,
        }
    }

    /// The call that takes this one's place now: the same card over another leg.
    pub(crate) fn successor(&self, now: Ms, id: CallRef, party: Party) -> Self {
        Self {
            id,
            party,
            hold: WireHold::default(),
            early_media: false,
            transfers: Vec::new(),
            consulted_for: None,
            times: self.times.carry_on(now),
            ..self.clone()
        }
    }

    /// The only way to change the state: the meters follow it.
    pub(crate) fn enter(&mut self, now: Ms, state: State) {
        let meter = match state {
            State::Talking | State::Conference => Some(Meter::Talk),
            State::Held
            | State::Grace(_)
            | State::Waiting(_)
            | State::Transferring(_)
            | State::Target(_)
            | State::Recalling => Some(Meter::Hold),
            State::Ringing | State::Answering | State::Dialing | State::Alerting | State::Ending { .. } => {
                None
            }
        };
        if meter.is_some() {
            self.times.answered.get_or_insert(now);
        }
        if matches!(state, State::Ending { .. }) {
            self.times.ended.get_or_insert(now);
        }
        self.times.run(now, meter);
        if matches!(state, State::Talking | State::Conference) {
            self.unattended = false;
            self.escalated.clear();
        }
        if self.state == state {
            return;
        }
        // That it was on hold for long is no news once the operator has turned to it.
        if state != State::Recalling && self.recall.as_ref().is_some_and(|r| r.why == RecallWhy::Hold) {
            self.recall = None;
        }
        if !matches!(state, State::Held | State::Recalling) {
            self.consulted_for = None;
        }
        self.state = state;
        self.since = now;
    }

    pub(crate) fn add_transfer(&mut self, transfer: Past) {
        if self.transfers.len() == MAX_TRANSFERS {
            self.transfers.remove(0);
        }
        self.transfers.push(transfer);
    }

    /// A rule of automatic handling was applied.
    pub(crate) fn add_rule(&mut self, name: String) {
        if self.rules.len() == MAX_RULES {
            self.rules.remove(0);
        }
        self.rules.push(name);
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// Since when it is in its present state.
    pub(crate) fn since(&self) -> Ms {
        self.since
    }

    /// Since when its party waits for the operator: from the beginning, or from the hold that became
    /// a recall.
    pub(crate) fn waits_since(&self) -> Ms {
        self.times.held_since().unwrap_or(self.times.began)
    }

    /// What can be done now, in menu order (CALL-8). Commands are checked against the same table
    /// that the screen shows.
    pub(crate) fn actions(&self) -> Vec<Action> {
        let tried = matches!(self.state, State::Dialing | State::Alerting);
        let possible = |action: &Action| match action {
            Action::WaitAgain => self.waited_for.is_some(),
            // What is picked up has no number that another call could be sent to.
            Action::TakeTransfer => !tried || self.dialled.is_some(),
            _ => true,
        };
        self.table().iter().copied().filter(possible).collect()
    }

    /// What a call in this state admits at all.
    fn table(&self) -> &'static [Action] {
        use Action::{
            Answer, Digits, Forward, HangUp, Hold, Mark, MuteMember, Park, Reject, Retrieve, TakeTransfer,
            Transfer, TransferNow, TransferToCall, Undo, WaitAgain,
        };
        match self.state {
            State::Ringing => &[Answer, Reject, Forward],
            State::Answering if self.unattended => &[Answer, HangUp],
            State::Answering => &[HangUp],
            State::Dialing | State::Alerting => &[TakeTransfer, HangUp],
            State::Talking => &[
                Hold,
                Transfer,
                TransferToCall,
                TakeTransfer,
                WaitAgain,
                Park,
                Action::Conference,
                Digits,
                Mark,
                HangUp,
            ],
            State::Held => &[
                Retrieve,
                Transfer,
                TransferToCall,
                TakeTransfer,
                WaitAgain,
                Park,
                Action::Conference,
                Mark,
                HangUp,
            ],
            State::Conference => &[Hold, Action::Conference, MuteMember, Mark, HangUp],
            State::Grace(_) => &[Retrieve, Undo, TransferNow, Mark, HangUp],
            State::Waiting(_) => &[Retrieve, TransferNow, Mark, HangUp],
            State::Transferring(_) => &[Retrieve, Mark, HangUp],
            State::Recalling => {
                &[Answer, Hold, Transfer, TransferToCall, WaitAgain, Park, Action::Conference, Mark, HangUp]
            }
            State::Target(_) | State::Ending { .. } => &[],
        }
    }

    pub(crate) fn allows(&self, action: Action) -> bool {
        self.actions().contains(&action)
    }

    /// Place in its list: recalls first, then oldest first.
    pub(crate) fn order(&self) -> (bool, Ms, CallRef) {
        (self.state != State::Recalling, self.times.began, self.id)
    }

    /// Wants the operator now: red.
    pub(crate) fn rings(&self) -> bool {
        matches!(self.state, State::Ringing | State::Recalling)
    }

    /// May have the operator's ear.
    pub(crate) fn may_have_ear(&self) -> bool {
        matches!(self.state, State::Answering | State::Dialing | State::Alerting | State::Talking)
    }

    /// When the desk stops waiting for the network to confirm the end.
    pub(crate) fn ending_until(&self) -> Option<Ms> {
        match self.state {
            State::Ending { until, .. } => Some(until),
            _ => None,
        }
    }

    /// When it went on hold, if it is on hold and in nobody's hands.
    pub(crate) fn held_since(&self) -> Option<Ms> {
        (self.state == State::Held).then_some(self.since)
    }

    /// The open transfer that moves this call.
    pub(crate) fn open_transfer(&self) -> Option<TransferId> {
        match self.state {
            State::Grace(id) | State::Waiting(id) | State::Transferring(id) => Some(id),
            _ => None,
        }
    }

    /// The open transfer of which this is the consultation call.
    pub(crate) fn target_of(&self) -> Option<TransferId> {
        match self.state {
            State::Target(id) => Some(id),
            _ => None,
        }
    }

    /// The newest transfer that was asked for and written off without knowing what became of it.
    pub(crate) fn unsure(&self) -> Option<usize> {
        self.transfers.iter().rposition(|t| t.asked && is_unsure(&t.log.end))
    }

    pub(crate) fn view(&self, transfer: Option<TransferView>) -> CallView {
        CallView {
            call: self.id,
            direction: self.direction,
            state: self.word(),
            party: self.party.clone(),
            line_number: self.line_number.clone(),
            line_name: self.line_name.clone(),
            diverted_by: self.diverted_by.clone(),
            intercepted: self.intercepted.clone(),
            taken_over: self.taking.is_some(),
            began_ms: self.times.began,
            answered_ms: self.times.answered,
            held_since_ms: self.times.held_since(),
            held_before_ms: self.times.hold,
            transfer,
            recall: self.recall.clone(),
            rule: self.rules.last().cloned(),
            waited_for: self.waited_for.clone(),
            // Filled in by the desk, which knows the lines.
            crm: None,
            crm_waits: self.customer.waits(),
            customer: self.customer.card().cloned(),
            customer_asked: self.customer.is_asked(),
            named_by: self.customer.named_by().map(str::to_owned),
            history: self.history.clone(),
            // Filled in by the engine, which knows what was agreed on the wire.
            encrypted: false,
            marked: self.marked,
            actions: self.actions(),
        }
    }

    pub(crate) fn word(&self) -> CallState {
        match self.state {
            State::Ringing => CallState::Ringing,
            State::Answering => CallState::Answering,
            State::Dialing => CallState::Dialing,
            State::Alerting => CallState::Alerting,
            State::Talking => CallState::Talking,
            State::Held => CallState::Held,
            State::Conference => CallState::Conference,
            State::Grace(_) | State::Waiting(_) | State::Transferring(_) | State::Target(_) => {
                CallState::Transferring
            }
            State::Recalling => CallState::Recalling,
            State::Ending { .. } => CallState::Ending,
        }
    }
}

/// The desk stopped waiting before it knew what the target did.
pub(crate) fn is_unsure(end: &TransferEnd) -> bool {
    matches!(end, TransferEnd::TimedOut | TransferEnd::HandedOver | TransferEnd::Abandoned)
}

impl Times {
    fn run(&mut self, now: Ms, meter: Option<Meter>) {
        if self.running.map(|(m, _)| m) == meter {
            return;
        }
        if let Some((running, since)) = self.running.take() {
            match running {
                Meter::Talk => self.talk += now - since,
                Meter::Hold => self.hold += now - since,
            }
        }
        self.running = meter.map(|m| (m, now));
    }

    /// The times of a call that takes this one's place now.
    pub(crate) fn carry_on(self, now: Ms) -> Self {
        let (talk, hold) = self.totals(now);
        Self { ended: None, carried: Some((now, talk, hold)), ..self }
    }

    /// Since when the present hold lasts.
    pub(crate) fn held_since(&self) -> Option<Ms> {
        self.running.and_then(|(meter, since)| (meter == Meter::Hold).then_some(since))
    }

    /// Talk and hold time up to `now`.
    pub(crate) fn totals(&self, now: Ms) -> (Ms, Ms) {
        match self.running {
            Some((Meter::Talk, since)) => (self.talk + (now - since), self.hold),
            Some((Meter::Hold, since)) => (self.talk, self.hold + (now - since)),
            None => (self.talk, self.hold),
        }
    }
}
