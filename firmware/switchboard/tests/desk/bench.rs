//! A desk on a test bench: its clock, its effects, and an audit after every step.
//!
//! The audit knows nothing of the switchboard's inside. It keeps books of its own from what the
//! desk says and asks for, and compares.
//!
//! A log row is traced to its call by its party, its beginning and its times: callers have different
//! names, and dialled numbers are unique but for those of park slots.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use ipc::{
    Action, CallRef, CallState, CallView, Command, CommandError, LampState, LogRow, Party, RingTone,
    TransferEnd, TransferId, TransferKind, TransferState, View,
};
use switchboard::{Ear, Effect, Event, Input, Recorded, Settings, Switchboard, Tone};

/// The line that has a ring of its own.
pub(crate) const SERVICE: &str = "5550200";

pub(crate) struct Bench {
    pub(crate) desk: Switchboard,
    start: Instant,
    pub(crate) now_ms: u64,
    pub(crate) view: View,
    pub(crate) logged: Vec<LogRow>,
    books: Books,
    /// Calls that left a queue by themselves.
    pub(crate) turns: u32,
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
    /// Those among them that were sent on last.
    sent_on: BTreeSet<CallRef>,
    /// Calls that the network has ended.
    over: BTreeSet<CallRef>,
    transfers: BTreeMap<TransferId, TransferState>,
    /// How many ledger entries each call has had.
    opened: BTreeMap<CallRef, BTreeSet<TransferId>>,
    /// Calls whose row was written in this turn, and the transfers in it.
    rows: Vec<(CallRef, usize)>,
    /// Calls that take another's place, and whose.
    successors: BTreeMap<CallRef, CallRef>,
    /// Who was asked to be on hold last.
    held: BTreeSet<CallRef>,
    ear: Ear,
    conference: Vec<(CallRef, bool)>,
    ringer: Option<RingTone>,
    tone: Option<Tone>,
    muted: bool,
}

#[derive(Debug)]
struct Entered {
    /// As shown last.
    party: Party,
    began: u64,
    answered: Option<u64>,
    talk: u64,
    hold: u64,
    logged: bool,
    /// When it took another's place, and what that one had talked and held.
    carried: (u64, u64, u64),
    /// Its state, and since when.
    state: Option<(CallState, u64)>,
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
            turns: 0,
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
            Input::Incoming { call, caller, replaces, .. } => {
                self.books.enter(caller, *call, self.now_ms);
                let lives = |old: &CallRef| {
                    let state = self.state(*old);
                    state.is_some_and(|s| !matches!(s, CallState::Ringing | CallState::Ending))
                };
                if let Some(old) = replaces.filter(lives).filter(|old| old != call) {
                    self.books.succeed(*call, old, self.now_ms);
                }
            }
            Input::HoldFailed { call, hold: true, .. } => {
                self.books.held.remove(call);
            }
            // It could not be, and nothing was said to the caller.
            Input::RedirectFailed { call, .. } => {
                let still_here = self.books.sent_on.remove(call) && !self.books.over.contains(call);
                self.books.gone.retain(|gone| !still_here || gone != call);
            }
            Input::Ended { call, .. } => {
                self.books.gone.insert(*call);
                self.books.over.insert(*call);
            }
            _ => {}
        }
        self.record(Event::Input(Box::new(input.clone())));
        let before = (input == Input::Deadline).then(|| self.view.clone());
        self.desk.handle(self.now(), input);
        let effects = self.audit();
        if let Some(before) = before {
            self.check_turns(&before, &effects);
        }
        effects
    }

    pub(crate) fn command(&mut self, command: &Command) -> (Result<(), CommandError>, Vec<Effect>) {
        let before = self.view.clone();
        self.record(Event::Command(command.clone()));
        let done = self.desk.command(self.now(), command);
        let effects = self.audit();
        if matches!(command, Command::BlindTransfer { .. }) {
            for effect in &effects {
                let Effect::Refer { to, .. } = effect else { continue };
                let waits = |t: &ipc::TransferView| {
                    matches!(t.state, TransferState::Waiting { lamp, .. } if lamp != LampState::Unknown)
                        && t.to.number.as_ref() == Some(to)
                };
                assert!(!before.transfers.iter().any(waits), "{effect:?} overtakes those who wait");
            }
        }
        for effect in &effects {
            let Effect::TakeOver { call, number, talk, .. } = effect else { continue };
            let told = |l: &std::sync::Arc<ipc::LampView>| {
                l.number == *number && l.talks.iter().any(|told| told.talk == Some(*talk))
            };
            assert!(before.take_over, "{effect:?} is not allowed");
            assert!(before.lamps.iter().any(told), "{effect:?} of what nobody was shown");
            assert_eq!(self.view.talk, Some(*call), "{effect:?} has the ear");
            let card = self.cards().find(|c| c.call == *call).expect("a card");
            let phone = card.intercepted.as_ref().and_then(|p| p.number.as_ref());
            assert!(card.taken_over && phone == Some(number), "{card:?}");
        }
        for effect in &effects {
            let Effect::Intercept { call, number, .. } = effect else { continue };
            let rings = |l: &std::sync::Arc<ipc::LampView>| l.number == *number && l.rings.is_some();
            assert!(before.lamps.iter().any(rings), "{effect:?} while nothing rings there");
            assert_eq!(self.view.talk, Some(*call), "{effect:?} has the ear");
            let card = self.cards().find(|c| c.call == *call).expect("a card");
            let phone = card.intercepted.as_ref().and_then(|p| p.number.as_ref());
            assert_eq!(phone, Some(number), "{card:?}");
        }
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
        self.check_timers();
        effects
    }

    /// What leaves a queue by itself is the first, and its phone was free long enough and not being
    /// tried for anybody else.
    fn check_turns(&mut self, before: &View, effects: &[Effect]) {
        for effect in effects {
            let Effect::Refer { transfer, to, .. } = effect else { continue };
            let Some(entry) = before.transfers.iter().find(|t| t.id == *transfer) else { continue };
            if !matches!(entry.state, TransferState::Waiting { .. }) {
                continue;
            }
            let same = |t: &&ipc::TransferView| t.to.number == entry.to.number;
            let still_ahead =
                |t: &ipc::TransferView| t.id < *transfer && matches!(t.state, TransferState::Waiting { .. });
            assert!(!self.view.transfers.iter().filter(same).any(still_ahead), "{transfer:?} overtakes");
            let due = before.transfers.iter().filter(same).find_map(|t| match t.state {
                TransferState::Waiting { due_ms, .. } => due_ms,
                _ => None,
            });
            let in_time = due.map_or(self.settings.timers.queue_delay_ms == 0, |due| due <= self.now_ms);
            assert!(in_time, "{transfer:?} leaves too early");
            self.turns += 1;
            let lamp = self.view.lamps.iter().find(|l| l.number == *to).expect("a lamp");
            assert_eq!(lamp.state, LampState::Available, "{transfer:?} goes to a phone that is not free");
            assert!(
                self.now_ms - lamp.since_ms >= self.settings.timers.queue_delay_ms,
                "{to} has just become free"
            );
            let tried = |t: &&ipc::TransferView| {
                let open = matches!(
                    t.state,
                    TransferState::Requested | TransferState::Trying | TransferState::Ringing
                );
                open && t.to.number.as_deref() == Some(to) && t.kind != TransferKind::Attended
            };
            assert!(self.view.transfers.iter().filter(tried).count() <= 1, "{to} is tried for two");
        }
    }

    /// Nothing is forgotten: what has a timer does not outlive it.
    fn check_timers(&self) {
        for entered in self.books.entered.values().filter(|e| !e.logged) {
            let Some((state, since)) = entered.state else { continue };
            let limit = self.settings.timers.hold_ms;
            let waits = self.now_ms - since;
            assert!(
                state != CallState::Held || limit == 0 || waits <= limit,
                "held and forgotten: {entered:?}"
            );
        }
        for transfer in &self.view.transfers {
            let (limit, what) = match transfer.state {
                TransferState::Grace { until_ms } => (until_ms - transfer.since_ms, "undo"),
                // A while in which it could be undone may have come before.
                TransferState::Waiting { .. } => (
                    self.settings.timers.queue_ms
                        + self.settings.timers.undo_ms * u64::from(self.settings.timers.queue_ms > 0),
                    "queue",
                ),
                _ => continue,
            };
            let age = self.now_ms - transfer.since_ms;
            assert!(limit == 0 || age <= limit, "{what} timer is over: {transfer:?}");
        }
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
        assert_eq!((self.books.ear, self.books.ringer, self.books.tone), (Ear::Nobody, None, None));
        assert_eq!(self.desk.deadline(), None, "nothing left to wait for");
        for (call, entered) in &self.books.entered {
            assert!(entered.logged, "{call:?} is lost: {entered:?}");
        }
    }

    /// Every call that entered.
    pub(crate) fn entered(&self) -> impl Iterator<Item = CallRef> {
        self.books.entered.keys().copied()
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
    fn enter(&mut self, party: &Party, call: CallRef, now: u64) {
        let new = Entered {
            party: party.clone(),
            began: now,
            answered: None,
            talk: 0,
            hold: 0,
            logged: false,
            carried: (now, 0, 0),
            state: None,
        };
        self.entered.entry(call).or_insert(new);
    }

    /// The card goes on, the log row begins anew.
    fn succeed(&mut self, new: CallRef, old: CallRef, now: u64) {
        let before = &self.entered[&old];
        let (began, answered, talk, hold) = (before.began, before.answered, before.talk, before.hold);
        let Some(entered) = self.entered.get_mut(&new).filter(|e| e.state.is_none() && !e.logged) else {
            return;
        };
        *entered = Entered {
            party: entered.party.clone(),
            began,
            answered: answered.or(Some(now)),
            talk,
            hold,
            logged: false,
            carried: (now, talk, hold),
            state: None,
        };
        self.successors.insert(new, old);
    }

    /// The state that an effect needs.
    fn permit(&self, effect: &Effect) {
        let answered =
            |call: &CallRef| self.entered.get(call).is_some_and(|e| e.answered.is_some() && !e.logged);
        match effect {
            Effect::Refer { call, .. } => assert!(answered(call), "{effect:?} before the answer"),
            Effect::ReferToCall { call, to, .. } => {
                assert!(answered(call) && answered(to), "{effect:?} before the answer");
                assert!(!self.gone.contains(to), "{effect:?} to a call that is gone");
                assert_ne!(call, to, "a call goes to itself");
            }
            Effect::Hold { call } => assert!(!self.held.contains(call), "{effect:?} twice"),
            Effect::Answer { call }
            | Effect::Ring180 { call }
            | Effect::Reject { call, .. }
            | Effect::Redirect { call, .. } => {
                let takes = self.successors.contains_key(call);
                assert!(takes || !answered(call), "{effect:?} after the answer");
            }
            _ => {}
        }
    }

    fn effect(&mut self, effect: &Effect, now: u64) {
        if let Effect::Dial { call, number, .. }
        | Effect::Intercept { call, number, .. }
        | Effect::TakeOver { call, number, .. } = effect
        {
            let party = Party { number: Some(number.clone()), ..Party::default() };
            self.enter(&party, *call, now);
        }
        if let Some(call) = named(effect) {
            assert!(!self.gone.contains(&call), "{effect:?} names a call that is gone");
        }
        self.permit(effect);
        match effect {
            Effect::Hold { call } => {
                self.held.insert(*call);
            }
            Effect::Retrieve { call } => {
                self.held.remove(call);
            }
            Effect::HangUp { call } | Effect::Reject { call, .. } => {
                self.gone.insert(*call);
            }
            Effect::Redirect { call, .. } => {
                self.gone.insert(*call);
                self.sent_on.insert(*call);
            }
            Effect::Talk(ear) => self.ear = *ear,
            Effect::Conference(members) => {
                for (call, _) in members {
                    assert!(!self.gone.contains(call), "{effect:?} names a call that is gone");
                }
                self.conference.clone_from(members);
            }
            Effect::Ringer(ring) => self.ringer = *ring,
            Effect::Tone(tone) => self.tone = *tone,
            Effect::Mute(on) => self.muted = *on,
            Effect::Log(row) => self.log(row),
            _ => {}
        }
    }

    fn log(&mut self, row: &LogRow) {
        let began = u64::try_from(row.began_unix_ms).unwrap();
        let mine =
            |(_, e): &(&CallRef, &mut Entered)| !e.logged && e.party == row.party && e.carried.0 == began;
        let times = |e: &Entered| {
            let (began, talk, hold) = e.carried;
            (e.answered.map(|at| at.saturating_sub(began)), e.talk - talk, e.hold - hold)
        };
        let logged = (row.answered_after_ms, row.talk_ms, row.hold_ms);
        let mut candidates: Vec<_> = self.entered.iter_mut().filter(mine).collect();
        // Two calls to one slot at one moment differ in nothing else; see `part_twins`, too.
        candidates.sort_by_key(|(call, _)| !self.over.contains(call));
        let known: Vec<_> = candidates.iter().map(|(_, e)| times(e)).collect();
        let entered = candidates.into_iter().find(|(_, e)| times(e) == logged);
        let (call, entered) =
            entered.unwrap_or_else(|| panic!("no such call, or logged twice: {row:?}, {known:?}"));
        entered.logged = true;
        self.rows.push((*call, row.transfers.len()));
    }

    /// A call that is sent on as it comes in has its ledger entry and its row in one turn.
    fn compare_rows(&mut self) {
        for (call, transfers) in self.rows.drain(..) {
            let opened = self.opened.get(&call).map_or(0, BTreeSet::len);
            assert_eq!(transfers, opened.min(32), "every transfer of {call:?} in its row, once");
        }
    }

    /// Two calls of one caller that came in one millisecond and went alike have rows that differ in nothing. The row was
    /// the one's that has no card any more.
    fn part_twins(&mut self, view: &View) {
        let shown: BTreeSet<CallRef> =
            view.incoming.iter().chain(&view.outgoing).map(|card| card.call).collect();
        let alike = |a: &Entered, b: &Entered| {
            (&a.party, a.carried, a.answered, a.talk, a.hold)
                == (&b.party, b.carried, b.answered, b.talk, b.hold)
        };
        for call in &shown {
            let Some(mine) = self.entered.get(call).filter(|mine| mine.logged) else { continue };
            let is_twin =
                |(other, e): &(&CallRef, &Entered)| !shown.contains(other) && !e.logged && alike(mine, e);
            let Some(twin) = self.entered.iter().find(is_twin).map(|(twin, _)| *twin) else { continue };
            self.entered.get_mut(call).expect("it is there").logged = false;
            self.entered.get_mut(&twin).expect("it is there").logged = true;
            self.rows.iter_mut().filter(|(of, _)| of == call).for_each(|(of, _)| *of = twin);
        }
    }

    fn compare(&mut self, view: &View, now: u64) {
        self.part_twins(view);
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
            assert_eq!(self.ringer.is_some(), rings, "{ringing} ring and {overdue} slots are overdue");
        }
        let red = cards().filter(|c| matches!(c.state, CallState::Ringing | CallState::Recalling));
        let first = red.min_by_key(|c| (c.state != CallState::Recalling, c.began_ms, c.call));
        if let (Some(ring), Some(first)) = (self.ringer, first) {
            let chime = first.line_number == SERVICE;
            assert_eq!(ring, if chime { RingTone::Chime } else { RingTone::Bell }, "the ring of {first:?}");
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
        self.compare_rows();
    }

    fn compare_cards(&mut self, view: &View, now: u64) {
        for card in view.incoming.iter().chain(&view.outgoing) {
            let entered = self.entered.get_mut(&card.call).expect("a call that entered");
            entered.party.clone_from(&card.party);
            assert!(!entered.logged, "visible and logged: {card:?}");
            if matches!(card.state, CallState::Talking | CallState::Held | CallState::Conference) {
                entered.answered.get_or_insert(now);
            }
            assert_eq!(card.answered_ms, entered.answered, "{card:?}");
            let held_now = card.held_since_ms.map_or(0, |since| now - since);
            assert_eq!(card.held_before_ms + held_now, entered.hold, "hold time shown: {card:?}");
            let transferring = card.state == CallState::Transferring;
            assert_eq!(card.transfer.is_some(), transferring, "{card:?}");
            if entered.state.is_none_or(|(state, _)| state != card.state) {
                entered.state = Some((card.state, now));
            }
            compare_actions(card);
            assert!(card.state != CallState::Recalling || card.recall.is_some(), "{card:?}");
        }
    }

    /// An end, once shown, changes for a late answer only, or because a call could not be sent on; what is open never
    /// goes back a stage.
    fn compare_ledger(&mut self, view: &View) {
        for (id, before) in &self.transfers {
            let now = view.transfers.iter().find(|t| t.id == *id).map(|t| &t.state);
            match (before, now) {
                (TransferState::Ended { end, .. }, Some(TransferState::Ended { end: now, .. })) => {
                    let not_sent =
                        *end == TransferEnd::HandedOver && matches!(now, TransferEnd::Refused { .. });
                    let may = end == now || not_sent || *now == TransferEnd::Answered;
                    assert!(may, "{id:?}: {end:?} became {now:?}");
                }
                (TransferState::Ended { .. }, now) => assert_eq!(now, None, "{id:?} ended and is open again"),
                (open, None) => panic!("{id:?} vanished while {open:?}"),
                (before, Some(now)) => {
                    assert!(stage(now) >= stage(before), "{id:?} goes back: {before:?}, {now:?}");
                }
            }
        }
        for transfer in &view.transfers {
            self.opened.entry(transfer.call).or_default().insert(transfer.id);
        }
        self.transfers = view.transfers.iter().map(|t| (t.id, t.state.clone())).collect();
    }
}

fn stage(state: &TransferState) -> u8 {
    match state {
        TransferState::Grace { .. } => 0,
        TransferState::Waiting { .. } => 1,
        TransferState::Requested => 2,
        TransferState::Trying => 3,
        TransferState::Ringing => 4,
        TransferState::Ended { .. } => 5,
    }
}

/// What a screen may offer, from what the card shows.
fn compare_actions(card: &CallView) {
    let offers = |action| card.actions.contains(&action);
    let moved = card.transfer.as_ref().filter(|t| t.call == card.call).map(|t| &t.state);
    let grace = matches!(moved, Some(TransferState::Grace { .. }));
    let waiting = matches!(moved, Some(TransferState::Waiting { .. }));
    let speaks = matches!(card.state, CallState::Talking | CallState::Held);
    let answered = speaks || card.state == CallState::Recalling;
    let tried = matches!(card.state, CallState::Dialing | CallState::Alerting);
    let expected = [
        (Action::Undo, grace),
        (Action::TransferNow, grace || waiting),
        (Action::Retrieve, card.state == CallState::Held || moved.is_some()),
        (Action::Transfer, answered),
        (Action::TransferToCall, answered),
        (Action::TakeTransfer, speaks || tried && card.intercepted.is_none()),
        (Action::WaitAgain, answered && card.waited_for.is_some()),
        (Action::Mark, answered || card.state == CallState::Conference || moved.is_some()),
    ];
    for (action, expected) in expected {
        assert_eq!(offers(action), expected, "{action:?}: {card:?}");
    }
    let consultation = card.state == CallState::Transferring && moved.is_none();
    assert!(!consultation || card.actions.is_empty(), "a consultation call is not to be touched: {card:?}");
    assert!(card.actions.is_sorted_by_key(|a| *a as u8), "menu order: {card:?}");
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
        | Effect::Intercept { call, .. }
        | Effect::TakeOver { call, .. }
        | Effect::Refer { call, .. }
        | Effect::ReferToCall { call, .. }
        | Effect::GiveUpTransfer { call }
        | Effect::Redirect { call, .. }
        | Effect::Announce { call }
        | Effect::AskCustomer { call, .. }
        | Effect::LookUpCaller { call, .. }
        | Effect::Mark { call }
        | Effect::Digits { call, .. } => Some(*call),
        Effect::Talk(Ear::Call(call)) => Some(*call),
        Effect::Talk(_)
        | Effect::Conference(_)
        | Effect::IdentifyTarget { .. }
        | Effect::Volumes(_)
        | Effect::SaveService(_)
        | Effect::SaveParked(_)
        | Effect::Ringer(_)
        | Effect::Tone(_)
        | Effect::Mute(_)
        | Effect::Register(_)
        | Effect::Audio(_)
        | Effect::Log(_)
        | Effect::SavePreferences(_)
        | Effect::SaveMissed(_)
        | Effect::Chime
        | Effect::AlertSpent(_) => None,
    }
}

/// A view without its clock and counter.
fn still(view: &View) -> View {
    View { now_ms: 0, generation: 0, ..view.clone() }
}
