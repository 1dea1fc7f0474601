//! A desk on a test bench: its clock, its effects, and an audit after every step.
//!
//! The audit knows nothing of the switchboard's inside. It keeps books of its own from what the
//! desk says and asks for, and compares.
//!
//! Callers are numbered like their calls (`CallRef(7)` comes from number 7, dialled numbers are
//! unique), so that a log row can be traced to its call.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use ipc::{
    CallRef, CallState, CallView, Command, CommandError, LogRow, TransferEnd, TransferId, TransferState, View,
};
use switchboard::{Ear, Effect, Event, Input, Recorded, Settings, Switchboard, Tone};

pub(crate) struct Bench {
    pub(crate) desk: Switchboard,
    start: Instant,
    pub(crate) now_ms: u64,
    pub(crate) view: View,
    pub(crate) logged: Vec<LogRow>,
    books: Books,
    /// Everything said to the desk and all it asked for.
    pub(crate) recording: String,
    pub(crate) asked: Vec<Effect>,
    pub(crate) settings: Settings,
}

/// What the audit remembers.
#[derive(Default)]
struct Books {
    /// Calls that entered.
    entered: BTreeMap<CallRef, Entered>,
    /// Calls that were hung up, refused or ended.
    gone: BTreeSet<CallRef>,
    /// Calls that the network has ended.
    over: BTreeSet<CallRef>,
    transfers: BTreeMap<TransferId, TransferState>,
    ear: Ear,
    conference: Vec<(CallRef, bool)>,
    ringer: bool,
    tone: Option<Tone>,
    muted: bool,
}

#[derive(Debug)]
struct Entered {
    /// As shown last.
    number: Option<String>,
    began: u64,
    answered: Option<u64>,
    talk: u64,
    hold: u64,
    logged: bool,
}

impl Bench {
    #[allow(clippy::disallowed_methods, reason = "a test's clock has to begin somewhere")]
    pub(crate) fn new(settings: Settings) -> Self {
        let start = Instant::now();
        let recording = switchboard::head(&settings).unwrap();
        let mut desk = Switchboard::new(settings.clone(), start);
        let view = desk.view(start);
        desk.changed();
        Self {
            desk,
            start,
            now_ms: 0,
            view,
            logged: Vec::new(),
            books: Books::default(),
            recording,
            asked: Vec::new(),
            settings,
        }
    }

    pub(crate) fn next_call(&mut self) -> CallRef {
        let call = self.desk.next_call();
        self.record(Event::NextCall(call));
        call
    }

    fn record(&mut self, event: Event) {
        self.recording += &Recorded { at_ms: self.now_ms, event }.line().unwrap();
    }

    pub(crate) fn start(&self) -> Instant {
        self.start
    }

    pub(crate) fn now(&self) -> Instant {
        self.start + Duration::from_millis(self.now_ms)
    }

    pub(crate) fn input(&mut self, input: Input) -> Vec<Effect> {
        match &input {
            Input::Incoming { call, caller, .. } => self.books.enter(caller, *call, self.now_ms),
            Input::Ended { call, .. } => {
                self.books.gone.insert(*call);
                self.books.over.insert(*call);
            }
            _ => {}
        }
        self.record(Event::Input(Box::new(input.clone())));
        self.desk.handle(self.now(), input);
        self.audit()
    }

    pub(crate) fn command(&mut self, command: &Command) -> (Result<(), CommandError>, Vec<Effect>) {
        let before = self.view.clone();
        self.record(Event::Command(command.clone()));
        let done = self.desk.command(self.now(), command);
        let effects = self.audit();
        if done.is_err() {
            assert_eq!(effects, [], "a refused command has no effect: {command:?}");
            assert_eq!(still(&before), still(&self.view), "a refused command changes nothing: {command:?}");
        }
        (done, effects)
    }

    /// Lets time pass, stopping at each deadline.
    pub(crate) fn pass(&mut self, ms: u64) -> Vec<Effect> {
        let until = self.now_ms + ms;
        let mut effects = Vec::new();
        while let Some(due) = self.desk.deadline() {
            let due = u64::try_from((due - self.start).as_millis()).unwrap();
            if due > until {
                break;
            }
            assert!(due >= self.now_ms, "a deadline that is over is still asked for");
            self.tick(due);
            effects.extend(self.input(Input::Deadline));
            let next = self.desk.deadline();
            assert!(next.is_none_or(|next| next > self.now()), "a deadline was handled and is still due");
        }
        self.tick(until);
        effects
    }

    pub(crate) fn cards(&self) -> impl Iterator<Item = &CallView> {
        self.view.incoming.iter().chain(&self.view.outgoing)
    }

    pub(crate) fn state(&self, call: CallRef) -> Option<CallState> {
        self.cards().find(|c| c.call == call).map(|c| c.state)
    }

    /// Every call that entered has left and was logged; nothing is heard; the ledger is empty.
    pub(crate) fn assert_quiet(&self) {
        assert_eq!(self.cards().count(), 0, "calls left");
        assert_eq!(self.view.transfers, [], "transfers left");
        assert_eq!((self.books.ear, self.books.ringer, self.books.tone), (Ear::Nobody, false, None));
        assert_eq!(self.desk.deadline(), None, "nothing left to wait for");
        for (call, entered) in &self.books.entered {
            assert!(entered.logged, "{call:?} is lost: {entered:?}");
        }
    }

    fn tick(&mut self, to: u64) {
        let passed = to - self.now_ms;
        for card in self.view.incoming.iter().chain(&self.view.outgoing) {
            let entered = self.books.entered.get_mut(&card.call).unwrap();
            match card.state {
                CallState::Talking | CallState::Conference => entered.talk += passed,
                CallState::Held | CallState::Transferring | CallState::Recalling => entered.hold += passed,
                _ => {}
            }
        }
        self.now_ms = to;
    }

    fn audit(&mut self) -> Vec<Effect> {
        self.desk.verify_invariants();
        let effects: Vec<Effect> = std::iter::from_fn(|| self.desk.poll_effect()).collect();
        self.asked.extend(effects.iter().cloned());
        for effect in &effects {
            self.books.effect(effect, self.now_ms);
            if let Effect::Log(row) = effect {
                self.logged.push((**row).clone());
            }
        }
        let view = self.desk.view(self.now());
        if !self.desk.changed() {
            assert_eq!(still(&self.view), still(&view), "the view changed and nobody was told");
        }
        assert!(view.generation >= self.view.generation, "the generation runs backwards");
        self.books.compare(&view, self.now_ms);
        self.view = view;
        effects
    }
}

impl Books {
    fn enter(&mut self, party: &ipc::Party, call: CallRef, now: u64) {
        let number = party.number.clone();
        let new = Entered { number, began: now, answered: None, talk: 0, hold: 0, logged: false };
        self.entered.entry(call).or_insert(new);
    }

    fn effect(&mut self, effect: &Effect, now: u64) {
        if let Effect::Dial { call, number, .. } = effect {
            let party = ipc::Party { number: Some(number.clone()), ..ipc::Party::default() };
            self.enter(&party, *call, now);
        }
        if let Some(call) = named(effect) {
            assert!(!self.gone.contains(&call), "{effect:?} names a call that is gone");
        }
        match effect {
            Effect::HangUp { call } | Effect::Reject { call, .. } | Effect::Redirect { call, .. } => {
                self.gone.insert(*call);
            }
            Effect::Talk(ear) => self.ear = *ear,
            Effect::Conference(members) => {
                for (call, _) in members {
                    assert!(!self.gone.contains(call), "{effect:?} names a call that is gone");
                }
                self.conference.clone_from(members);
            }
            Effect::Ringer(on) => self.ringer = *on,
            Effect::Tone(tone) => self.tone = *tone,
            Effect::Mute(on) => self.muted = *on,
            Effect::Log(row) => self.log(row),
            _ => {}
        }
    }

    fn log(&mut self, row: &LogRow) {
        let began = u64::try_from(row.began_unix_ms).unwrap();
        let mine =
            |(_, e): &(&CallRef, &mut Entered)| !e.logged && e.number == row.party.number && e.began == began;
        let times = |e: &Entered| (e.answered.map(|at| at - e.began), e.talk, e.hold);
        let logged = (row.answered_after_ms, row.talk_ms, row.hold_ms);
        let mut candidates: Vec<_> = self.entered.iter_mut().filter(mine).collect();
        // Two calls to one slot at one moment differ in nothing else.
        candidates.sort_by_key(|(call, _)| !self.over.contains(call));
        let known: Vec<_> = candidates.iter().map(|(_, e)| times(e)).collect();
        let entered = candidates.into_iter().map(|(_, e)| e).find(|e| times(e) == logged);
        let entered = entered.unwrap_or_else(|| panic!("no such call, or logged twice: {row:?}, {known:?}"));
        entered.logged = true;
    }

    fn compare(&mut self, view: &View, now: u64) {
        let cards = || view.incoming.iter().chain(&view.outgoing);
        let count = |states: &[CallState]| cards().filter(|c| states.contains(&c.state)).count();
        let ringing = count(&[CallState::Ringing, CallState::Recalling]);
        assert!(count(&[CallState::Talking]) <= 1, "one ear");
        let joined = view.conference.as_ref().is_some_and(|c| c.joined);
        let ear = match view.talk {
            Some(call) => Ear::Call(call),
            None if joined => Ear::Conference,
            None => Ear::Nobody,
        };
        assert!(!joined || view.talk.is_none(), "one ear");
        assert_eq!(self.ear, ear, "the ear as asked for and as shown");
        let members = view.conference.iter().flat_map(|c| &c.members).map(|m| (m.call, m.muted));
        assert_eq!(self.conference, members.collect::<Vec<_>>(), "the conference as asked for and as shown");
        let inside = count(&[CallState::Conference]);
        assert_eq!(self.conference.len(), inside, "members and their cards");
        assert!(joined || inside != 1, "one party alone in the conference");
        let overdue = view.park.iter().filter_map(|s| s.parked.as_ref()).filter(|p| p.overdue).count();
        assert_eq!(self.muted, view.operator.muted, "mute as asked for and as shown");
        // A slot that is being fetched does not ring; which one that is the view does not say.
        let fetching = cards().any(|c| matches!(c.state, CallState::Dialing | CallState::Alerting));
        if ringing > 0 || overdue == 0 || !fetching {
            let rings = (ringing > 0 || overdue > 0) && ear == Ear::Nobody;
            assert_eq!(self.ringer, rings, "ringer with {ringing} ringing and {overdue} slots overdue");
        }
        assert_eq!(view.counters.ringing as usize, ringing);
        let ear_alerts = cards().any(|c| Some(c.call) == view.talk && c.state == CallState::Alerting);
        match self.tone {
            Some(Tone::CallWaiting) => {
                assert!(ear != Ear::Nobody && ringing + overdue > 0, "call waiting for nobody");
            }
            Some(Tone::Ringback) => assert!(ear_alerts, "ringback from nobody"),
            Some(Tone::Busy | Tone::Congestion) => assert_eq!(view.talk, None, "a tone over speech"),
            None => {}
        }
        for list in [&view.incoming, &view.outgoing] {
            let place = |c: &CallView| (c.state != CallState::Recalling, c.began_ms, c.call);
            assert!(list.is_sorted_by_key(place), "recalls first, then oldest first");
        }
        self.compare_cards(view, now);
        self.compare_ledger(view);
    }

    fn compare_cards(&mut self, view: &View, now: u64) {
        for card in view.incoming.iter().chain(&view.outgoing) {
            let entered = self.entered.get_mut(&card.call).expect("a call that entered");
            entered.number.clone_from(&card.party.number);
            assert!(!entered.logged, "visible and logged: {card:?}");
            if matches!(card.state, CallState::Talking | CallState::Held | CallState::Conference) {
                entered.answered.get_or_insert(now);
            }
            assert_eq!(card.answered_ms, entered.answered, "{card:?}");
            let held_now = card.held_since_ms.map_or(0, |since| now - since);
            assert_eq!(card.held_before_ms + held_now, entered.hold, "hold time shown: {card:?}");
            let transferring = card.state == CallState::Transferring;
            assert_eq!(card.transfer.is_some(), transferring, "{card:?}");
            assert!(card.state != CallState::Recalling || card.recall.is_some(), "{card:?}");
        }
    }

    /// An end, once shown, changes for a late answer only; what is open never goes back a stage.
    fn compare_ledger(&mut self, view: &View) {
        for (id, before) in &self.transfers {
            let now = view.transfers.iter().find(|t| t.id == *id).map(|t| &t.state);
            match (before, now) {
                (TransferState::Ended { end, .. }, Some(TransferState::Ended { end: now, .. })) => {
                    assert!(end == now || *now == TransferEnd::Answered, "{id:?}: {end:?} became {now:?}");
                }
                (TransferState::Ended { .. }, now) => assert_eq!(now, None, "{id:?} ended and is open again"),
                (open, None) => panic!("{id:?} vanished while {open:?}"),
                (TransferState::Ringing, Some(TransferState::Trying | TransferState::Requested))
                | (TransferState::Trying, Some(TransferState::Requested)) => panic!("{id:?} goes back"),
                _ => {}
            }
        }
        self.transfers = view.transfers.iter().map(|t| (t.id, t.state.clone())).collect();
    }
}

/// The call an effect asks something of.
fn named(effect: &Effect) -> Option<CallRef> {
    match effect {
        Effect::Ring180 { call }
        | Effect::Answer { call }
        | Effect::Reject { call, .. }
        | Effect::Hold { call }
        | Effect::Retrieve { call }
        | Effect::HangUp { call }
        | Effect::Dial { call, .. }
        | Effect::Refer { call, .. }
        | Effect::ReferToCall { call, .. }
        | Effect::Redirect { call, .. }
        | Effect::Announce { call }
        | Effect::Digits { call, .. } => Some(*call),
        Effect::Talk(Ear::Call(call)) => Some(*call),
        Effect::Talk(_)
        | Effect::Conference(_)
        | Effect::Volumes(_)
        | Effect::SaveService(_)
        | Effect::Ringer(_)
        | Effect::Tone(_)
        | Effect::Mute(_)
        | Effect::Register(_)
        | Effect::Audio(_)
        | Effect::Log(_)
        | Effect::SavePreferences(_)
        | Effect::SaveMissed(_) => None,
    }
}

/// A view without its clock and counter.
fn still(view: &View) -> View {
    View { now_ms: 0, generation: 0, ..view.clone() }
}
