//! The two lists of calls: cards, running times, selection.
//!
//! A row never moves under a finger: while one is down on a card, or a card is being dragged, the
//! lists stay as they are (running times go on) and catch up on release.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use ipc::{Action, CallRef, CallState, CallView, Command, View};
use slint::{ComponentHandle, ModelRc, SharedString, Timer, VecModel};

use super::{Area, Desk, set_clocks};
use crate::models::cards;
use crate::models::ledger::EntryId;
use crate::models::rows;
use crate::screen::{App, CallAction, CallCard, CallClock};

/// A finger that went down and never came up (its card was destroyed by the toolkit) holds the
/// lists no longer than this.
const FINGER: Duration = Duration::from_secs(10);
/// The strip opens on a tapped card only when a second tap can no longer follow: opening it moves
/// the cards below.
pub(crate) const SETTLE: Duration = Duration::from_millis(400);

/// State of the lists that is the screen's own.
pub(crate) struct Calls {
    incoming: Rc<VecModel<CallCard>>,
    outgoing: Rc<VecModel<CallCard>>,
    incoming_clocks: Rc<VecModel<CallClock>>,
    outgoing_clocks: Rc<VecModel<CallClock>>,
    pub(crate) selected: Option<CallRef>,
    opened: Option<CallRef>,
    /// The last two cards tapped: a double-tap means one card, not two that changed places.
    taps: [Option<CallRef>; 2],
    finger: Option<Instant>,
    pub(crate) settle: Timer,
}

impl Calls {
    pub(crate) fn new(app: &App) -> Self {
        let this = Self {
            incoming: Rc::default(),
            outgoing: Rc::default(),
            incoming_clocks: Rc::default(),
            outgoing_clocks: Rc::default(),
            selected: None,
            opened: None,
            taps: [None; 2],
            finger: None,
            settle: Timer::default(),
        };
        let calls = app.global::<crate::screen::Calls>();
        calls.set_incoming(ModelRc::from(this.incoming.clone()));
        calls.set_outgoing(ModelRc::from(this.outgoing.clone()));
        calls.set_incoming_clocks(ModelRc::from(this.incoming_clocks.clone()));
        calls.set_outgoing_clocks(ModelRc::from(this.outgoing_clocks.clone()));
        this
    }
}

impl Desk {
    /// A new view: the selection follows the operator's ear, and never points to nothing.
    pub(crate) fn calls_changed(&mut self, before: &View) {
        if self.view.talk != before.talk && self.view.talk.is_some() {
            self.calls.selected = self.view.talk;
        }
        self.show_calls();
    }

    /// Brings the lists up to date, unless a finger is on them.
    pub(crate) fn show_calls(&mut self) {
        if self.held_by_finger() {
            return;
        }
        let live = self.connected;
        let list =
            |calls: &[CallView]| -> Vec<CallCard> { calls.iter().map(|c| cards::card(c, live)).collect() };
        let (incoming, outgoing) = (list(&self.view.incoming), list(&self.view.outgoing));
        rows::sync(&self.calls.incoming, &incoming, |card| card.id.clone());
        rows::sync(&self.calls.outgoing, &outgoing, |card| card.id.clone());
        if self.calls.selected.is_none_or(|call| self.call(call).is_none()) {
            self.calls.selected = self.most_urgent();
        }
        self.show_selection(true);
        self.run_call_clocks(self.clock.at(Instant::now()));
        self.show_transfer_bar();
    }

    /// The running times of the cards that are shown.
    pub(crate) fn run_call_clocks(&mut self, now_ms: u64) {
        let alarm_ms = self.view.preferences.hold_alarm_ms;
        let clocks: HashMap<CallRef, CallClock> = self
            .view
            .incoming
            .iter()
            .chain(&self.view.outgoing)
            .map(|call| (call.call, cards::clock(call, now_ms, alarm_ms)))
            .collect();
        set_clocks(&self.calls.incoming_clocks, &self.calls.incoming, &clocks);
        set_clocks(&self.calls.outgoing_clocks, &self.calls.outgoing, &clocks);
    }

    /// A finger goes down on a card or comes up.
    pub(crate) fn finger(&mut self, down: bool) {
        self.calls.finger = down.then(Instant::now);
        if !down {
            self.show_calls();
        }
    }

    /// A card was tapped. Its strip opens a moment later, see [`SETTLE`].
    pub(crate) fn tap_call(&mut self, call: CallRef) {
        self.calls.taps = [self.calls.taps[1], Some(call)];
        self.set_area(Area::Calls);
        self.calls.selected = Some(call);
        self.show_selection(false);
        self.show_transfer_bar();
    }

    /// No second tap can follow any more.
    pub(crate) fn settled(&mut self) {
        if !self.held_by_finger() {
            self.show_selection(true);
        }
    }

    /// Two taps: answer what rings, hold what talks, retrieve what waits (CALL-7).
    pub(crate) fn tap_call_twice(&mut self, call: CallRef) {
        if self.calls.taps == [Some(call); 2] {
            self.calls.taps = [None; 2];
            self.primary(call);
        }
    }

    /// The obvious action: Answer, Hold or Retrieve, whichever the view allows.
    pub(crate) fn primary(&mut self, call: CallRef) {
        let Some(view) = self.call(call) else { return };
        let wish = [Action::Answer, Action::Retrieve, Action::Hold];
        if let Some(action) = wish.into_iter().find(|action| view.actions.contains(action)) {
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

    /// A button of the strip.
    pub(crate) fn act_word(&mut self, call: CallRef, action: CallAction) {
        self.calls.selected = Some(call);
        self.act(call, cards::action(action));
    }

    /// Does what a button, a menu row or a key says.
    pub(crate) fn act(&mut self, call: CallRef, action: Action) {
        let command = match action {
            Action::Answer => Command::Answer { call },
            Action::Reject => Command::Reject { call },
            Action::Hold => Command::Hold { call },
            Action::Retrieve => Command::Retrieve { call },
            Action::HangUp => Command::HangUp { call },
            Action::Transfer => return self.open_prompt(call),
            Action::Digits => return self.open_keypad(),
        };
        self.send(command);
    }

    /// Dials what stands in the dial bar.
    pub(crate) fn dial(&mut self, text: &str) {
        let number = text.trim();
        if number.is_empty() {
            return;
        }
        let command = Command::Dial { number: number.to_owned(), line: None };
        if let Some(seq) = self.send(command) {
            self.dialled.insert(seq, text.to_owned());
            self.app.global::<crate::screen::Calls>().set_number(SharedString::default());
        }
    }

    /// The desk did not take it: it stands in the bar again, unless something else does by now.
    pub(crate) fn give_back_number(&mut self, text: &str) {
        let calls = self.app.global::<crate::screen::Calls>();
        if calls.get_number().is_empty() {
            calls.set_number(text.into());
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
        self.calls.selected = Some(call);
        self.show_selection(true);
        self.show_transfer_bar();
        let calls = self.app.global::<crate::screen::Calls>();
        calls.set_reveal_turn(calls.get_reveal_turn().wrapping_add(1));
    }

    /// The call that Transfer means: the selected one, else the one that has the ear.
    pub(crate) fn transferable(&self) -> Option<&CallView> {
        if !self.connected {
            return None;
        }
        let can = |call: &&CallView| call.actions.contains(&Action::Transfer);
        let selected = self.calls.selected.and_then(|call| self.call(call)).filter(can);
        selected.or_else(|| self.view.talk.and_then(|call| self.call(call)).filter(can))
    }

    fn held_by_finger(&self) -> bool {
        self.overlay.dragging().is_some() || self.calls.finger.is_some_and(|since| since.elapsed() < FINGER)
    }

    fn most_urgent(&self) -> Option<CallRef> {
        let rings = |call: &&CallView| matches!(call.state, CallState::Ringing | CallState::Recalling);
        let first = self.view.incoming.iter().find(rings).map(|call| call.call);
        first.or(self.view.talk).or_else(|| self.call_order().first().copied())
    }

    fn show_selection(&mut self, open: bool) {
        if open {
            self.calls.opened = self.calls.selected;
        }
        let text = |call: Option<CallRef>| call.map(cards::id).unwrap_or_default();
        let calls = self.app.global::<crate::screen::Calls>();
        calls.set_selected(text(self.calls.selected));
        calls.set_opened(text(self.calls.opened));
        calls.set_focused(self.area == Area::Calls);
    }
}
