//! The two lists of calls: cards, running times, selection.
//!
//! A row never moves under a finger: while one is down on a card, or a card is being dragged, the
//! lists stay as they are (running times go on) and catch up on release.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use ipc::{Action, CallRef, CallState, CallView, Command, CommandError, Edit, View};
use slint::{ComponentHandle, ModelRc, SharedString, Timer, TimerMode, VecModel};

use super::{Area, Desk, set_clocks};
use crate::faces::Place;
use crate::models::cards;
use crate::models::drops::rings;
use crate::models::ledger::EntryId;
use crate::models::rows;
use crate::screen::{App, CallAction, CallCard, CallClock, FocusPlace, Motion, PromptKind};

/// A finger that went down and never came up (its card was destroyed by the toolkit) holds the
/// lists no longer than this.
const FINGER: Duration = Duration::from_secs(10);
/// The strip opens on a tapped card only when a second tap can no longer follow: opening it moves
/// the cards below.
pub(crate) const SETTLE: Duration = Duration::from_millis(500);
/// So long after a transfer was asked for the key for Undo means it, also where it is too late for that.
const TOO_LATE_MS: u64 = 10_000;

/// State of the lists that is the screen's own.
pub(crate) struct Calls {
    incoming: Rc<VecModel<CallCard>>,
    outgoing: Rc<VecModel<CallCard>>,
    incoming_clocks: Rc<VecModel<CallClock>>,
    outgoing_clocks: Rc<VecModel<CallClock>>,
    pub(crate) selected: Option<CallRef>,
    /// The call selected last in the incoming and in the outgoing list.
    places: [Option<CallRef>; 2],
    opened: Option<CallRef>,
    /// The last two cards tapped, and what a double-tap meant then: it means one card, not two that
    /// changed places, and what the card offered when the first tap was made.
    taps: [Option<(CallRef, Option<Action>)>; 2],
    /// The card that a finger is on: what the finger does on its way up is done to this call.
    bound: Option<CallRef>,
    finger: Option<Instant>,
    pub(crate) settle: Timer,
    /// Runs while a hand may still mean the selected call that is gone, and not the one the selection fell to.
    gone: Timer,
    /// The call of which a button was tapped, and the button, when others come in its place; runs while the second tap of
    /// a hurried finger may come there.
    changed: Option<(CallRef, CallAction)>,
    changing: Timer,
    /// The question with which a number was called last, and that number; see [`Desk::call_out`].
    called: Option<(u64, String)>,
    calling: Timer,
}

impl Calls {
    pub(crate) fn new(app: &App) -> Self {
        let this = Self {
            incoming: Rc::default(),
            outgoing: Rc::default(),
            incoming_clocks: Rc::default(),
            outgoing_clocks: Rc::default(),
            selected: None,
            places: [None; 2],
            opened: None,
            taps: [None; 2],
            bound: None,
            finger: None,
            settle: Timer::default(),
            gone: Timer::default(),
            changed: None,
            changing: Timer::default(),
            called: None,
            calling: Timer::default(),
        };
        let calls = app.global::<crate::screen::Calls>();
        calls.set_incoming(ModelRc::from(this.incoming.clone()));
        calls.set_outgoing(ModelRc::from(this.outgoing.clone()));
        calls.set_incoming_clocks(ModelRc::from(this.incoming_clocks.clone()));
        calls.set_outgoing_clocks(ModelRc::from(this.outgoing_clocks.clone()));
        this
    }

    /// A finger is down somewhere on a list.
    pub(crate) fn press(&mut self) {
        self.finger = Some(Instant::now());
    }
}

impl Desk {
    /// A new view: the selection follows the operator's ear, and never points to nothing.
    pub(crate) fn calls_changed(&mut self, before: &View) {
        if self.view.talk != before.talk && self.view.talk.is_some() {
            self.mind_who_is_gone();
            self.calls.selected = self.view.talk;
        }
        self.show_calls();
    }

    /// The selection is about to leave a call that is gone: a hand on its way to that one does nothing to the next.
    fn mind_who_is_gone(&self) {
        if self.calls.selected.is_some_and(|call| self.call(call).is_none()) {
            self.think_twice(&self.calls.gone);
        }
    }

    fn think_twice(&self, timer: &Timer) {
        let pause = self.app.global::<Motion>().get_second_thought();
        timer.start(TimerMode::SingleShot, millis(pause), || {});
    }

    /// Brings the lists up to date, unless a finger is on them.
    pub(crate) fn show_calls(&mut self) {
        if self.held_by_finger() {
            return;
        }
        let live = self.connected;
        let list = |calls: &[CallView]| -> Vec<CallCard> {
            let face = |contact| self.faces.of(contact, Place::Card);
            calls.iter().map(|c| cards::card(c, &self.view, live, face)).collect()
        };
        let (incoming, outgoing) = (list(&self.view.incoming), list(&self.view.outgoing));
        rows::sync(&self.calls.incoming, &incoming, |card| card.id.clone());
        rows::sync(&self.calls.outgoing, &outgoing, |card| card.id.clone());
        if self.calls.selected.is_none_or(|call| self.call(call).is_none()) {
            self.mind_who_is_gone();
            self.calls.selected = self.most_urgent();
        }
        // Not while a second tap can follow: that ends by itself, see `settled`.
        self.show_selection(!self.calls.settle.running());
        self.run_call_clocks(self.clock.at(Instant::now()));
        self.show_transfer_bar();
        self.show_customer();
    }

    /// The running times of the cards that are shown.
    pub(crate) fn run_call_clocks(&mut self, now_ms: u64) {
        let clocks: HashMap<CallRef, CallClock> = self
            .view
            .incoming
            .iter()
            .chain(&self.view.outgoing)
            .map(|call| (call.call, cards::clock(call, &self.view, now_ms)))
            .collect();
        set_clocks(&self.calls.incoming_clocks, &self.calls.incoming, &clocks);
        set_clocks(&self.calls.outgoing_clocks, &self.calls.outgoing, &clocks);
    }

    /// A finger goes down on a card or a button of it, or comes up.
    pub(crate) fn finger(&mut self, call: CallRef, down: bool) {
        if down {
            self.calls.bound = Some(call);
            self.overlay.drag_is_off = false;
            self.calls.press();
        } else {
            self.finger_up();
        }
    }

    /// No finger is on a list any more: the lists catch up.
    pub(crate) fn finger_up(&mut self) {
        self.calls.bound = None;
        self.calls.finger = None;
        self.directory.pressed = None;
        self.show_calls();
        self.directories_changed();
    }

    /// Whether a touch means this call: it is there, and no finger went down on another.
    pub(crate) fn is_bound_to(&self, call: CallRef) -> bool {
        self.calls.bound.is_none_or(|bound| bound == call) && self.call(call).is_some()
    }

    /// A card was tapped. Its strip opens a moment later, see [`SETTLE`].
    pub(crate) fn tap_call(&mut self, call: CallRef) {
        if !self.is_bound_to(call) {
            return;
        }
        self.calls.taps = [self.calls.taps[1], Some((call, self.obvious(call)))];
        self.set_area(Area::Calls);
        self.mean_call(call);
        self.show_selection(false);
        self.show_transfer_bar();
    }

    /// A hand has chosen a call: it means this one, and the transfer to a contact may be this one's.
    fn mean_call(&mut self, call: CallRef) {
        self.calls.selected = Some(call);
        self.calls.gone.stop();
        self.forget_offered_transfer();
    }

    /// No second tap can follow any more.
    pub(crate) fn settled(&mut self) {
        if !self.held_by_finger() {
            self.show_selection(true);
        }
    }

    /// Two taps: answer what rings, hold what talks, retrieve what waits (CALL-7). The second tap
    /// does what it would have done when the first was made, or nothing.
    pub(crate) fn tap_call_twice(&mut self, call: CallRef) {
        if self.calls.taps == [Some((call, self.obvious(call))); 2] {
            self.calls.taps = [None; 2];
            self.primary(call);
        }
    }

    /// The obvious action: Answer, Hold or Retrieve, whichever the view allows.
    pub(crate) fn primary(&mut self, call: CallRef) {
        if let Some(action) = self.obvious(call) {
            self.act(call, action);
        }
    }

    /// Reject what rings, hang up the rest.
    pub(crate) fn hang_up(&mut self, call: CallRef) {
        let Some(view) = self.call(call) else { return };
        let wish = [Action::Reject, Action::HangUp];
        if let Some(action) = wish.into_iter().find(|action| view.actions.contains(action)) {
            self.act(call, action);
        }
    }

    /// A button of the strip, unless the finger was on its way to one that stood there a moment ago.
    pub(crate) fn act_word(&mut self, call: CallRef, action: CallAction) {
        if !self.is_bound_to(call) || self.is_hurried(call, action) {
            return;
        }
        let changes = [CallAction::Answer, CallAction::Retrieve, CallAction::Hold, CallAction::Conference];
        if changes.contains(&action) {
            self.calls.changed = Some((call, action));
            self.think_twice(&self.calls.changing);
        }
        self.calls.selected = Some(call);
        self.act(call, cards::action(action));
    }

    fn is_hurried(&self, call: CallRef, action: CallAction) -> bool {
        let changed = self.calls.changed.filter(|(changed, _)| *changed == call);
        let changed = changed.map(|(_, by)| by).filter(|_| self.calls.changing.running());
        match action {
            // It is there for two seconds only.
            CallAction::Undo => false,
            // Whoever is next is taken at once: nobody is lost by that.
            CallAction::Answer | CallAction::Retrieve => changed.is_some(),
            // It stands beside Hold, and beside what comes in the place of Hold: no second tap lands there.
            CallAction::Transfer if changed == Some(CallAction::Hold) => self.calls.gone.running(),
            _ => changed.is_some() || self.calls.gone.running(),
        }
    }

    /// The selection has just fallen to another call: a key that ends the selected one was meant for the one before.
    pub(crate) fn fell_to_another(&self) -> bool {
        self.calls.gone.running()
    }

    /// The key for Undo: the selected call's, else the transfer asked for last.
    pub(crate) fn undo(&mut self) {
        let can = |call: &&CallView| call.actions.contains(&Action::Undo);
        let selected = self.calls.selected.and_then(|call| self.call(call)).filter(can);
        let all = self.view.incoming.iter().chain(&self.view.outgoing).filter(can);
        let newest = all.max_by_key(|call| call.transfer.as_ref().map(|transfer| transfer.since_ms));
        match selected.or(newest).map(|call| call.call) {
            Some(call) => self.act(call, Action::Undo),
            None if self.undo_newest_removal() => {}
            None => self.notice(Some(&CommandError::NothingToDo)),
        }
    }

    /// Brings back what was removed last. `false` when nothing was.
    fn undo_newest_removal(&mut self) -> bool {
        let newest =
            self.view.notices.iter().max_by_key(|notice| (removal(notice).is_some(), notice.since_ms));
        let Some((since_ms, removal)) = newest.and_then(|notice| Some((notice.since_ms, removal(notice)?)))
        else {
            return false;
        };
        // Who is a moment too late for a transfer does not mean what was removed before it.
        let now_ms = self.clock.at(Instant::now());
        let is_fresh = |asked_ms: u64| asked_ms > since_ms && now_ms.saturating_sub(asked_ms) < TOO_LATE_MS;
        if self.view.transfers.iter().any(|transfer| is_fresh(transfer.since_ms)) {
            return false;
        }
        self.send(Command::Edit(Edit::Undo { removal }));
        true
    }

    /// Undo of a ledger entry.
    pub(crate) fn undo_removal(&mut self, id: &str) {
        let Some(EntryId::Notice(id)) = EntryId::read(id) else { return };
        let notice = self.view.notices.iter().find(|notice| notice.id == ipc::NoticeId(id));
        if let Some(removal) = notice.and_then(removal) {
            self.send(Command::Edit(Edit::Undo { removal }));
        }
    }

    /// Does what a button, a menu row or a key says, when the call is still there. What it no longer
    /// allows is not done either, but said.
    pub(crate) fn act(&mut self, call: CallRef, action: Action) {
        let Some(view) = self.call(call) else { return };
        if !view.actions.contains(&action) {
            return self.notice(Some(&CommandError::NotPossible));
        }
        let muted = cards::member(view, &self.view).is_some_and(|member| member.muted);
        let command = match action {
            Action::Answer => Command::Answer { call },
            Action::Reject => Command::Reject { call },
            Action::Hold => Command::Hold { call },
            Action::Retrieve => Command::Retrieve { call },
            Action::HangUp => Command::HangUp { call },
            Action::Undo => Command::UndoTransfer { call },
            Action::TransferNow => Command::TransferNow { call },
            Action::WaitAgain => Command::WaitAgain { call },
            Action::Conference => Command::Conference { call },
            Action::MuteMember => Command::MuteMember { call, on: !muted },
            Action::Forward => return self.open_prompt(call, PromptKind::Forward),
            Action::Transfer => return self.open_prompt(call, PromptKind::Transfer),
            Action::Mark => return self.mark_call(call),
            Action::Park => return self.open_park_menu(call),
            Action::Digits => return self.open_keypad(),
            // They need another call, which a drag or a row of the menu names.
            Action::TransferToCall | Action::TakeTransfer => return,
        };
        self.send(command);
    }

    /// Sends a wish unless a call it is about is gone: then nothing happens.
    pub(crate) fn send_if_there(&mut self, command: Command) {
        let calls = match &command {
            Command::AttendedTransfer { call, to } => [Some(*call), Some(*to)],
            Command::BlindTransfer { call, .. }
            | Command::VoicemailTransfer { call, .. }
            | Command::Forward { call, .. }
            | Command::Park { call, .. } => [Some(*call), None],
            _ => [None; 2],
        };
        if calls.into_iter().flatten().all(|call| self.call(call).is_some()) {
            self.send(command);
        }
    }

    /// Dials what stands in the dial bar.
    pub(crate) fn dial(&mut self, text: &str) {
        let number = text.trim();
        if number.is_empty() {
            return;
        }
        if let Some(seq) = self.call_out(number) {
            self.dialled.insert(seq, text.to_owned());
            self.app.global::<crate::screen::Calls>().set_number(SharedString::default());
            // The keys that hold and end the call would be the field's.
            self.focus(FocusPlace::Nowhere);
            self.set_area(Area::Calls);
        }
    }

    /// Calls a number. The second of two taps means the same call: two would ring there, and the one that is answered last
    /// would put the other on hold.
    pub(crate) fn call_out(&mut self, number: &str) -> Option<u64> {
        let is_same = self.calls.called.as_ref().is_some_and(|(_, called)| called == number);
        if is_same && self.calls.calling.running() {
            return None;
        }
        let seq = self.send(Command::Dial { number: number.to_owned(), line: None })?;
        self.calls.called = Some((seq, number.to_owned()));
        let pause = self.app.global::<Motion>().get_double_tap();
        self.calls.calling.start(TimerMode::SingleShot, millis(pause), || {});
        Some(seq)
    }

    /// The desk has not begun something: if it was a call, the number may be called again at once.
    pub(crate) fn forget_called(&mut self, seq: u64) {
        if self.calls.called.as_ref().is_some_and(|(called, _)| *called == seq) {
            self.calls.called = None;
        }
    }

    /// The desk did not take it: it stands in the bar again, unless something else does by now, and the keyboard is there
    /// to put it right, unless the operator has gone on to something else.
    pub(crate) fn give_back_number(&mut self, text: &str) {
        let calls = self.app.global::<crate::screen::Calls>();
        if !calls.get_number().is_empty() {
            return;
        }
        calls.set_number(text.into());
        let is_covered = self.is_closed() || self.names_are_hidden() || self.something_is_open();
        if self.area == Area::Calls && !is_covered && !self.is_in_field() {
            self.focus(FocusPlace::Number);
        }
    }

    /// The cross of a ledger entry.
    pub(crate) fn dismiss(&mut self, id: &str) {
        match EntryId::read(id) {
            Some(EntryId::Transfer(id)) => {
                self.send(Command::DismissTransfer { transfer: ipc::TransferId(id) });
            }
            Some(EntryId::Notice(id)) => {
                self.send(Command::DismissNotice { notice: ipc::NoticeId(id) });
            }
            Some(EntryId::Local(id)) => {
                self.local_notices.retain(|notice| notice.id != id);
                self.show_ledger();
            }
            None => {}
        }
    }

    /// Moves the selection by key; the strip opens at once.
    pub(crate) fn select_by_key(&mut self, call: CallRef) {
        self.mean_call(call);
        self.show_selection(true);
        self.show_transfer_bar();
        let calls = self.app.global::<crate::screen::Calls>();
        calls.set_reveal_turn(calls.get_reveal_turn().wrapping_add(1));
    }

    /// The keyboard goes to one of the two lists, to the call selected there last.
    pub(crate) fn enter_list(&mut self, outgoing: bool) {
        let list = if outgoing { &self.view.outgoing } else { &self.view.incoming };
        let place = self.calls.places[usize::from(outgoing)];
        let known = list.iter().map(|view| view.call).find(|call| Some(*call) == place);
        if let Some(call) = known.or(list.first().map(|view| view.call)) {
            self.select_by_key(call);
        }
    }

    /// The call that Transfer means: the selected one, else the one that has the ear, else the selected
    /// one that rings, which is forwarded.
    pub(crate) fn transferable(&self) -> Option<&CallView> {
        if !self.connected {
            return None;
        }
        let can = |call: &&CallView| call.actions.contains(&Action::Transfer);
        let rings = |call: &&CallView| call.actions.contains(&Action::Forward);
        let selected = self.calls.selected.and_then(|call| self.call(call));
        let talks = self.view.talk.and_then(|call| self.call(call));
        selected.filter(can).or_else(|| talks.filter(can)).or_else(|| selected.filter(rings))
    }

    pub(crate) fn held_by_finger(&self) -> bool {
        self.overlay.dragging().is_some() || self.calls.finger.is_some_and(|since| since.elapsed() < FINGER)
    }

    fn obvious(&self, call: CallRef) -> Option<Action> {
        let view = self.call(call)?;
        let mut wish = vec![Action::Answer, Action::Retrieve, Action::Hold];
        if view.state == CallState::Conference {
            wish.insert(0, Action::Conference);
        }
        wish.into_iter().find(|action| view.actions.contains(action))
    }

    fn most_urgent(&self) -> Option<CallRef> {
        let first = self.view.incoming.iter().find(|call| rings(call)).map(|call| call.call);
        first.or(self.view.talk).or_else(|| self.call_order().first().copied())
    }

    pub(crate) fn show_selection(&mut self, open: bool) {
        if open {
            self.calls.opened = self.calls.selected;
        }
        for (place, list) in self.calls.places.iter_mut().zip([&self.view.incoming, &self.view.outgoing]) {
            if list.iter().any(|view| Some(view.call) == self.calls.selected) {
                *place = self.calls.selected;
            }
        }
        let text = |call: Option<CallRef>| call.map(cards::id).unwrap_or_default();
        let calls = self.app.global::<crate::screen::Calls>();
        calls.set_selected(text(self.calls.selected));
        calls.set_opened(text(self.calls.opened));
        calls.set_focused(self.area == Area::Calls);
    }
}

/// A duration as the screen has it.
fn millis(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or_default())
}

/// What an entry says was removed.
fn removal(notice: &ipc::Notice) -> Option<ipc::RemovalId> {
    match notice.kind {
        ipc::NoticeKind::Removed { removal, .. } => Some(removal),
        _ => None,
    }
}
