//! Who sits at the desk (ACC-1): signing in and out, locking the screen, and what a desk refuses meanwhile.
//!
//! Without operators nobody signs in, and the desk works. With the first one somebody must, as soon as no call is up
//! and nobody is parked: until then the lines stay registered, so that no call is lost by it, nor a parked caller who
//! comes back. Whoever is removed or locked by an administrator is signed out then, too. While nobody is signed in the
//! lines are unregistered, and what comes in nevertheless is answered as the exchange expects it of an agent who is away
//! (`switchboard`).
//!
//! PINs are counted on the records thread and compared on a thread of the runtime that may block, one at a time; the
//! engine hears what became of them. Not done here: what the screen looks like, which is `ui/src/desk/sign_in.rs`.

use std::{sync::Arc, time::Instant};

use anyhow::{Context, Result};
use ipc::{
    Availability, Command, CommandError, HookAction, OperatorId, OperatorName, Party, Pin, PinProblem,
    PinTry, Preferences, Query, RemindersView, SignInView, View,
};
use store::{DeskOperator, PinCheck, SignedIn, Store, StoreError};
use switchboard::Input;
use tokio::{
    sync::{oneshot, watch},
    task::spawn_blocking,
};
use tracing::{info, warn};

use crate::{
    editing::unix_ms,
    engine::{Engine, Event},
    socket::Desk,
};

/// What the engine hears of it.
pub(crate) enum News {
    /// The operators, as an administrator has them now.
    Operators(Vec<DeskOperator>),
    /// A PIN opened nothing.
    Tried {
        /// Whose it was not.
        operator: OperatorId,
        /// Why.
        problem: PinProblem,
    },
    /// Somebody has signed in, and the disk has it.
    In {
        /// Who.
        operator: Box<DeskOperator>,
        /// How they want the screen.
        preferences: Preferences,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<(), CommandError>>,
    },
    /// The right PIN was typed on a locked screen.
    Unlocked {
        /// Whose it was.
        operator: OperatorId,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<(), CommandError>>,
    },
}

/// Why a desk refuses nearly everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closed {
    SignedOut,
    Locked,
}

/// What clients are let through to, and for whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gate {
    /// Whose note and preferences are meant; 0 while nobody is signed in.
    pub(crate) operator: OperatorId,
    closed: Option<Closed>,
    /// Somebody must be signed in.
    required: bool,
}

impl Gate {
    /// Whether a command may be obeyed now. With a locked screen that is what a call needs that cannot wait, and
    /// what ends or keeps something for whoever is signed in.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn admits(&self, command: &Command) -> Result<(), CommandError> {
        let (refused, is_allowed) = match (self.closed, command) {
            // Not while somebody else has the desk.
            (None, Command::SignIn { .. }) if self.required => return Err(CommandError::NotPossible),
            (None, _) => return Ok(()),
            (Some(Closed::SignedOut), _) => (CommandError::SignedOut, false),
            (Some(Closed::Locked), command) => (CommandError::Locked, may_locked(command)),
        };
        let always = matches!(
            command,
            Command::SignIn { .. }
                | Command::AllowWatching { allow: false }
                | Command::Meter { on: false }
                | Command::TestSound { test: None }
                // Who does not see the screen signs in by ear.
                | Command::Say { .. }
        );
        if always || is_allowed { Ok(()) } else { Err(refused) }
    }

    /// Whether a question may be answered now: support may always ask.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn answers(&self, query: &Query) -> Result<(), CommandError> {
        let always =
            matches!(query, Query::View | Query::Diagnostics | Query::Trace { .. } | Query::CallFigures);
        match self.closed {
            Some(Closed::SignedOut) if !always => Err(CommandError::SignedOut),
            Some(Closed::Locked) if !always => Err(CommandError::Locked),
            _ => Ok(()),
        }
    }
}

/// What works on a locked screen. A note that was being written is kept, too: it may have been on its way.
fn may_locked(command: &Command) -> bool {
    match command {
        Command::Hook { action } => *action != HookAction::Night,
        Command::Answer { .. }
        | Command::Hold { .. }
        | Command::Retrieve { .. }
        | Command::HangUp { .. }
        | Command::Mute { .. }
        | Command::DraftNote { text: Some(_) }
        | Command::Lock
        | Command::Unlock { .. } => true,
        _ => false,
    }
}

/// Who sits at the desk, as the engine has it.
pub(crate) struct SignIn {
    operators: Vec<DeskOperator>,
    required: bool,
    operator: Option<DeskOperator>,
    locked: bool,
    last_try: Option<PinTry>,
    gate: watch::Sender<Gate>,
}

impl SignIn {
    /// As it was before the desk was started: whoever was signed in still is. A screen that was locked, or locks
    /// itself, comes up locked.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn load(store: &Store) -> Result<Self> {
        let operators = store.operators().context("operators")?;
        let signed_in = store.operator_at_desk().context("who is signed in")?;
        let covered = match &signed_in {
            Some(SignedIn { operator, locked, .. }) => {
                *locked || store.load_preferences(operator.id).context("preferences")?.lock_after_min > 0
            }
            None => false,
        };
        let sign_in = Self {
            required: !operators.is_empty(),
            operators,
            operator: signed_in.map(|signed_in| signed_in.operator),
            locked: covered,
            last_try: None,
            gate: watch::Sender::default(),
        };
        if sign_in.required {
            let operator = sign_in.operator.as_ref().map(|operator| operator.id);
            info!(operator, locked = sign_in.locked, "somebody must be signed in at this desk");
        }
        sign_in.turn_gate();
        Ok(sign_in)
    }

    /// What clients may do, always as it is.
    pub(crate) fn gate(&self) -> watch::Receiver<Gate> {
        self.gate.subscribe()
    }

    /// Whose preferences are meant; 0 while nobody is signed in.
    pub(crate) fn operator_id(&self) -> i64 {
        self.operator.as_ref().map_or(0, |operator| operator.id)
    }

    /// The name of who is signed in.
    pub(crate) fn name(&self) -> Option<String> {
        self.operator.as_ref().map(|operator| operator.name.clone())
    }

    /// Somebody must be signed in, and nobody is: the lines are not registered.
    pub(crate) fn is_deserted(&self) -> bool {
        self.required && self.operator.is_none()
    }

    /// Puts it into a view; that of a locked screen does not say who calls.
    pub(crate) fn show(&self, view: &mut View) {
        view.sign_in = SignInView {
            required: self.required,
            operator: self.operator.as_ref().map(name),
            locked: self.locked,
            operators: self.operators.iter().map(name).collect(),
            last_try: self.last_try,
        };
        if view.sign_in.is_closed() {
            conceal(view);
        }
    }

    fn turn_gate(&self) {
        let closed = match (self.is_deserted(), self.locked) {
            (true, _) => Some(Closed::SignedOut),
            (false, true) => Some(Closed::Locked),
            (false, false) => None,
        };
        let (operator, required) = (OperatorId(self.operator_id()), self.required);
        self.gate.send_replace(Gate { operator, closed, required });
    }

    /// Something has to change as soon as no call is up: nobody signs in yet and somebody must, there is nobody left
    /// who could, or who is signed in may not any more.
    fn is_due(&self) -> bool {
        let may = |operator: &DeskOperator| {
            self.operators.iter().any(|known| known.id == operator.id && !known.locked)
        };
        self.required == self.operators.is_empty() || self.operator.as_ref().is_some_and(|one| !may(one))
    }
}

fn name(operator: &DeskOperator) -> OperatorName {
    let DeskOperator { id, name, locked, .. } = operator;
    OperatorName { id: OperatorId(*id), name: name.clone(), blocked: *locked }
}

/// Takes out of a view who calls whom, at this desk and elsewhere in the house, and what people say of themselves: it is
/// for a screen that visitors see.
fn conceal(view: &mut View) {
    for call in view.incoming.iter_mut().chain(&mut view.outgoing) {
        call.party = Party::default();
        call.diverted_by = None;
        call.intercepted = None;
        call.transfer = None;
        call.recall = None;
        call.waited_for = None;
        call.crm = None;
        call.customer = None;
        call.history = None;
    }
    for slot in &mut view.park {
        slot.parked = None;
    }
    conceal_lamps(view);
    for person in &mut view.people {
        person.text.clear();
    }
    view.transfers.clear();
    view.notices.clear();
    view.alerts.clear();
    view.import = None;
    view.reminders = RemindersView::default();
}

/// Takes out of a view who is on the monitored phones; what these do stays.
pub(crate) fn conceal_lamps(view: &mut View) {
    for lamp in &mut view.lamps {
        // Most are free, and shared with the views before.
        if lamp.peer.is_some() || lamp.rings.is_some() || !lamp.talks.is_empty() {
            let lamp = Arc::make_mut(lamp);
            (lamp.peer, lamp.rings) = (None, None);
            lamp.talks.clear();
        }
    }
}

impl Engine {
    /// Tells the switchboard who is there, when the desk starts.
    pub(crate) fn begin_sign_in(&mut self, now: Instant) {
        if self.parts.sign_in.required {
            self.tell_who_is_there(now);
        }
    }

    /// Obeys a command, if the desk is open for it.
    pub(crate) fn obey(&mut self, now: Instant, command: &Command) -> Result<(), CommandError> {
        self.parts.sign_in.gate.borrow().admits(command)?;
        match command {
            Command::SignOut if self.parts.sign_in.operator.is_none() => Err(CommandError::NotPossible),
            Command::SignOut if !self.may_be_left() => Err(CommandError::CallsAreUp),
            Command::SignOut => {
                self.leave(now);
                self.register_lines(now, false);
                Ok(())
            }
            Command::Lock => self.lock(),
            // Looked at elsewhere; a PIN is neither recorded nor handed on.
            Command::SignIn { .. } | Command::Unlock { .. } => Err(CommandError::NotPossible),
            _ => self.parts.board.command(now, command),
        }
    }

    pub(crate) fn take_sign_in(&mut self, now: Instant, news: News) {
        self.stale = true;
        match news {
            News::Operators(operators) => {
                self.parts.sign_in.operators = operators;
                // Their name may be another.
                let id = self.parts.sign_in.operator_id();
                let mut known = self.parts.sign_in.operators.iter();
                if let Some(known) = known.find(|known| known.id == id).cloned() {
                    self.parts.sign_in.operator = Some(known);
                    self.tell_who_is_there(now);
                    self.parts.records.sit(self.parts.sign_in.operator_id(), self.parts.sign_in.name());
                }
            }
            News::Tried { operator, problem } => {
                let at_ms = now.saturating_duration_since(self.parts.started).as_millis();
                let at_ms = u64::try_from(at_ms).unwrap_or(u64::MAX);
                self.parts.sign_in.last_try = Some(PinTry { operator, problem, at_ms });
            }
            News::In { operator, preferences, reply } => {
                self.sit(now, *operator, preferences);
                // A client that has gone needs no answer.
                let _ = reply.send(Ok(()));
            }
            News::Unlocked { operator, reply } => {
                let sign_in = &mut self.parts.sign_in;
                let is_theirs = sign_in.operator_id() == operator.0;
                if is_theirs {
                    info!(operator = operator.0, "screen unlocked");
                    (sign_in.locked, sign_in.last_try) = (false, None);
                    sign_in.turn_gate();
                    self.parts.records.keep_screen_lock(operator.0, false);
                }
                let _ = reply.send(if is_theirs { Ok(()) } else { Err(CommandError::NotPossible) });
            }
        }
    }

    /// Does what had to wait for the end of the calls, and for the parked callers where it unregisters the lines.
    pub(crate) fn settle_sign_in(&mut self, now: Instant) {
        if !self.parts.sign_in.is_due() || !self.is_free() {
            return;
        }
        let must = !self.parts.sign_in.operators.is_empty();
        if must && !self.may_be_left() {
            return;
        }
        if self.parts.sign_in.operator.is_some() || must {
            self.parts.sign_in.required = true;
            self.leave(now);
        }
        if must {
            self.register_lines(now, false);
        } else {
            info!("there are no operators: nobody signs in at this desk");
            let sign_in = &mut self.parts.sign_in;
            sign_in.required = false;
            sign_in.turn_gate();
            self.tell_who_is_there(now);
            self.register_lines(now, true);
            self.stale = true;
        }
    }

    /// No call is up, nor a transfer whose end is not known; cheaper than `is_quiet`, and for every turn.
    fn is_free(&self) -> bool {
        self.legs.by_call.is_empty() && self.parts.board.is_idle()
    }

    /// Nor is anybody parked, who would come back to lines that are unregistered.
    fn may_be_left(&self) -> bool {
        self.is_free() && self.parts.board.parked_count() == 0
    }

    fn sit(&mut self, now: Instant, operator: DeskOperator, preferences: Preferences) {
        info!(operator = operator.id, "signed in");
        let registers = self.parts.sign_in.operator.is_none();
        let sign_in = &mut self.parts.sign_in;
        sign_in.required = true;
        sign_in.operator = Some(operator);
        (sign_in.locked, sign_in.last_try) = (false, None);
        sign_in.turn_gate();
        self.parts.records.sit(sign_in.operator_id(), sign_in.name());
        self.tell_who_is_there(now);
        self.parts.board.handle(now, Input::Preferences(preferences));
        // Do Not Disturb and a mute microphone are those of whoever has left.
        self.begin_afresh(now);
        if registers {
            self.register_lines(now, true);
        }
        self.stale = true;
    }

    /// Nobody is signed in from now on.
    fn leave(&mut self, now: Instant) {
        let sign_in = &mut self.parts.sign_in;
        if let Some(operator) = sign_in.operator.take() {
            info!(operator = operator.id, "signed out");
            self.parts.records.keep_signed_out(operator.id);
        }
        (sign_in.locked, sign_in.last_try) = (false, None);
        sign_in.turn_gate();
        self.parts.records.sit(0, None);
        self.parts.records.tell_preferences(0);
        self.tell_who_is_there(now);
        self.stale = true;
    }

    fn lock(&mut self) -> Result<(), CommandError> {
        let sign_in = &mut self.parts.sign_in;
        let Some(operator) = &sign_in.operator else { return Err(CommandError::NotPossible) };
        if !sign_in.locked {
            info!(operator = operator.id, "screen locked");
            self.parts.records.keep_screen_lock(operator.id, true);
            sign_in.locked = true;
            sign_in.turn_gate();
            self.stale = true;
        }
        Ok(())
    }

    fn tell_who_is_there(&mut self, now: Instant) {
        let sign_in = &self.parts.sign_in;
        let input = Input::SignedIn { there: !sign_in.is_deserted(), name: sign_in.name() };
        self.parts.board.handle(now, input);
    }

    fn begin_afresh(&mut self, now: Instant) {
        let available = Command::SetAvailability { availability: Availability::Available };
        for command in [available, Command::Mute { on: false }] {
            if let Err(error) = self.parts.board.command(now, &command) {
                warn!(?command, %error, "not as a new operator expects it");
            }
        }
    }
}

/// The command has a PIN that must be looked at.
pub(crate) fn is_its_business(command: &Command) -> bool {
    matches!(command, Command::SignIn { .. } | Command::Unlock { .. })
}

/// Looks at the PIN of a command, and lets its operator in if it is right.
pub(crate) async fn attempt(desk: &Desk, command: Command) -> Result<(), CommandError> {
    // One at a time: each takes its memory, and the gate is as it was when the next one is looked at.
    let _turn = desk.pins.acquire().await.map_err(|_| stopping())?;
    let gate = *desk.gate.borrow();
    gate.admits(&command)?;
    match command {
        Command::SignIn { operator, pin } => {
            look_at(desk, operator, pin).await?;
            let sat = desk.records.with(move |keeper| keeper.sign_in(operator.0)).await?;
            let (signed_in, preferences) = sat.map_err(|error| refused(&error))?;
            let operator = Box::new(signed_in.operator);
            tell(desk, |reply| News::In { operator, preferences, reply }).await
        }
        Command::Unlock { pin } if gate.operator != OperatorId::default() => {
            look_at(desk, gate.operator, pin).await?;
            tell(desk, |reply| News::Unlocked { operator: gate.operator, reply }).await
        }
        _ => Err(CommandError::NotPossible),
    }
}

/// Whether a PIN is the operator's. The try counts before it is looked at.
async fn look_at(desk: &Desk, operator: OperatorId, pin: Pin) -> Result<(), CommandError> {
    let id = operator.0;
    let check = match desk.records.with(move |keeper| keeper.store.begin_pin(id, unix_ms())).await? {
        Err(error) => return Err(refused(&error)),
        Ok(Err(check)) => check,
        Ok(Ok(begun)) => {
            let hash = begun.hash.clone();
            let fits = spawn_blocking(move || admin::pin_fits(pin.reveal(), &hash)).await;
            if fits.unwrap_or(false) {
                let right = desk.records.with(move |keeper| keeper.store.pin_was_right(id, &begun.hash));
                right.await?.map_err(|error| refused(&error))?
            } else {
                begun.otherwise
            }
        }
    };
    let problem = match check {
        PinCheck::Right => {
            info!(operator = id, "a PIN was right");
            return Ok(());
        }
        PinCheck::Wrong { left, wait_ms } => PinProblem::Wrong { left, wait_ms },
        PinCheck::Wait { ms } => PinProblem::Wait { ms },
        PinCheck::Locked => PinProblem::Locked,
    };
    warn!(operator = id, %problem, "a PIN was refused");
    let _ = desk.inbox.send(Event::SignIn(News::Tried { operator, problem })).await;
    if problem == PinProblem::Locked {
        tell_operators(desk).await;
    }
    Err(CommandError::Pin(problem))
}

/// The operators are others: has the engine show it.
pub(crate) async fn tell_operators(desk: &Desk) {
    match desk.records.with(|keeper| keeper.store.operators()).await {
        Ok(Ok(operators)) => drop(desk.inbox.send(Event::SignIn(News::Operators(operators))).await),
        Ok(Err(error)) => warn!(%error, "it is not known who may sign in"),
        // The desk is ending.
        Err(_) => {}
    }
}

async fn tell(
    desk: &Desk,
    news: impl FnOnce(oneshot::Sender<Result<(), CommandError>>) -> News,
) -> Result<(), CommandError> {
    let (reply, answer) = oneshot::channel();
    desk.inbox.send(Event::SignIn(news(reply))).await.map_err(|_| stopping())?;
    answer.await.unwrap_or_else(|_| Err(stopping()))
}

fn refused(error: &StoreError) -> CommandError {
    match error {
        // Removed or locked a moment ago.
        StoreError::NoSuchAccount => CommandError::NotPossible,
        error => CommandError::Failed { reason: error.to_string() },
    }
}

fn stopping() -> CommandError {
    CommandError::Failed { reason: "the desk is shutting down".to_owned() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use ipc::{CallRef, DirectoryId, LampCall, LampState, OnlineState, Theme};

    use super::*;

    fn gate(closed: Option<Closed>) -> Gate {
        Gate { operator: OperatorId(1), closed, required: true }
    }

    fn sign_in() -> Command {
        Command::SignIn { operator: OperatorId(2), pin: Pin::new("4711") }
    }

    #[test]
    fn acc_1_a_closed_desk_refuses_what_reads_or_changes_and_a_locked_one_lets_calls_be_answered() {
        let call = CallRef(1);
        let for_calls = [
            Command::Answer { call },
            Command::Hold { call },
            Command::HangUp { call },
            Command::Hook { action: HookAction::OffHook },
        ];
        let others = [
            Command::Dial { number: "1".into(), line: None },
            Command::SetTheme { theme: Theme::Light },
            Command::ShowDirectory { directory: DirectoryId(1) },
            Command::BlindTransfer { call, to: "1".into() },
            Command::SaveNote { text: String::new() },
            Command::Register { on: true },
            Command::Hook { action: HookAction::Night },
            Command::AllowWatching { allow: true },
            Command::SignOut,
        ];
        for command in for_calls {
            assert_eq!(gate(Some(Closed::Locked)).admits(&command), Ok(()), "{command:?}");
            assert_eq!(gate(Some(Closed::SignedOut)).admits(&command), Err(CommandError::SignedOut));
        }
        for command in &others {
            assert_eq!(gate(Some(Closed::Locked)).admits(command), Err(CommandError::Locked));
            assert_eq!(gate(Some(Closed::SignedOut)).admits(command), Err(CommandError::SignedOut));
            assert_eq!(gate(None).admits(command), Ok(()), "{command:?}");
        }
        for closed in [Closed::Locked, Closed::SignedOut] {
            assert_eq!(gate(Some(closed)).admits(&sign_in()), Ok(()));
            assert!(gate(Some(closed)).answers(&Query::Note).is_err());
            assert_eq!(gate(Some(closed)).answers(&Query::View), Ok(()));
        }
        assert_eq!(gate(None).admits(&sign_in()), Err(CommandError::NotPossible), "it is somebody's desk");
        assert_eq!(Gate::default().admits(&sign_in()), Ok(()), "nobody's yet");
        assert_eq!(gate(None).answers(&Query::Note), Ok(()));
    }

    #[test]
    fn acc_1_a_desk_is_left_as_it_was_found_and_asks_when_operators_come_and_go() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path().join("desk.db")).unwrap();
        let mut desk = SignIn::load(&store).unwrap();
        assert!(!desk.is_deserted() && !desk.is_due());
        assert_eq!(*desk.gate().borrow(), Gate::default());
        let ada = store.add_operator("Ada", ipc::Language::French, "x", 1).unwrap();
        desk.operators = store.operators().unwrap();
        assert!(desk.is_due() && !desk.is_deserted(), "as soon as no call is up");
        let desk = SignIn::load(&store).unwrap();
        assert!(desk.is_deserted() && !desk.is_due());
        store.sign_in(ada.id, 2).unwrap();
        let mut desk = SignIn::load(&store).unwrap();
        assert_eq!((desk.operator_id(), desk.locked, desk.is_due()), (ada.id, false, false));
        desk.operators[0].locked = true;
        assert!(desk.is_due(), "an administrator has locked them");
        desk.operators.clear();
        assert!(desk.is_due(), "or removed");
        // A screen that locks itself comes up locked, and so does one that was locked by hand.
        store.save_preferences(ada.id, &Preferences { lock_after_min: 5, ..Preferences::default() }).unwrap();
        assert!(SignIn::load(&store).unwrap().locked);
        store.save_preferences(ada.id, &Preferences::default()).unwrap();
        assert!(!SignIn::load(&store).unwrap().locked);
        store.lock_screen(ada.id, true).unwrap();
        assert!(SignIn::load(&store).unwrap().locked);
    }

    #[test]
    fn acc_1_the_view_of_a_locked_screen_names_nobody_who_calls() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path().join("desk.db")).unwrap();
        let ada = store.add_operator("Ada", ipc::Language::French, "x", 1).unwrap();
        store.sign_in(ada.id, 2).unwrap();
        let mut desk = SignIn::load(&store).unwrap();
        let started = Instant::now();
        let settings = switchboard::Settings {
            lines: vec![switchboard::Line {
                number: "5550100".into(),
                name: "Sales".into(),
                ..Default::default()
            }],
            ..Default::default()
        };
        let mut board = switchboard::Switchboard::new(settings, started);
        let caller = Party {
            number: Some("+33155570142".into()),
            name: Some("Helena Brandt".into()),
            ..Party::default()
        };
        // She rings elsewhere in the house as well, and somebody says so of themselves.
        let (number, state) = ("2101".to_owned(), LampState::Busy);
        let talks = vec![LampCall { ringing: true, direction: None, party: caller.clone(), talk: None }];
        let peer = caller.name.clone();
        board.handle(started, Input::Lamp { number: number.clone(), state, calls: 1, peer, talks });
        board.handle(started, Input::Rings { number, caller: Some(caller.clone()) });
        let (address, text) = ("ute@example.org".to_owned(), "with Mrs Brandt".to_owned());
        board.handle(started, Input::Person { address, state: OnlineState::Away, text });
        let call = board.next_call();
        let diverted_by = Some(caller.clone());
        let incoming =
            Input::Incoming { call, caller, called_number: "5550100".into(), diverted_by, replaces: None };
        board.handle(started, incoming);
        let text = |desk: &SignIn| {
            let mut view = board.view(started);
            desk.show(&mut view);
            serde_json::to_string(&view).unwrap()
        };
        let open = text(&desk);
        assert!(open.contains("Brandt") && open.contains("70142"), "{open}");
        desk.locked = true;
        let locked = text(&desk);
        assert!(!locked.contains("Brandt") && !locked.contains("70142"), "{locked}");
        assert!(locked.contains("Sales") && locked.contains("Ringing"), "{locked}");
    }
}
