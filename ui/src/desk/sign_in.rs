//! Signing in, out, and the locked screen (ACC-1).
//!
//! The desk says who sits there; here is what is typed until it says so. A PIN is in this memory only while it is typed and
//! on its way. Whatever belongs to an operator and is the screen's own (the text of the note, the panes) goes with them.

use std::time::Duration;

use ipc::{
    Action, CallState, Command, CommandError, HookAction, OperatorId, OperatorName, Pin, PinProblem, View,
};
use slint::{ComponentHandle, ModelRc, SharedString, VecModel};

use super::menu::{At, Choice, Row, entry};
use super::settings::LOCK_AFTER;
use super::{Desk, TICK};
use crate::keys::ConsoleKey;
use crate::models::words::{initials, tint};
use crate::screen::{self, FocusPlace, MenuEntry, MenuWord, OperatorTile, PinStanding, Screen, SignInStage};

/// Digits of a PIN.
const DIGITS: std::ops::RangeInclusive<usize> = 4..=10;
/// From so many operators on one looks for a name.
const MANY: usize = 7;
/// Letters of a name that one looks for.
const MAX_FILTER: usize = 40;
/// Rows a page key moves.
const PAGE: usize = 5;

/// State of it that is the screen's own.
#[derive(Default)]
pub(crate) struct SignIn {
    pin: String,
    /// Who is chosen in the list.
    chosen: Option<OperatorId>,
    filter: String,
    /// On a locked screen: somebody else wants to sign in.
    somebody_else: bool,
    /// The command with the PIN that the desk looks at, and whose it should be.
    sent: Option<(u64, OperatorId)>,
    /// What became of the last PIN, and whose it should have been.
    problem: Option<(OperatorId, Problem)>,
    /// How long no PIN of theirs is looked at.
    wait: Duration,
    /// How long nobody has touched anything.
    idle: Duration,
    /// The lock is on its way.
    locking: Option<u64>,
}

enum Problem {
    Pin(PinProblem),
    Refused,
    Failed(String),
    Unreachable,
}

// The desk's side.
impl Desk {
    /// Somebody must type a PIN first.
    pub(crate) fn is_closed(&self) -> bool {
        self.view.sign_in.is_closed()
    }

    /// What the view says of it. True when the desk has become free to be asked, or it is somebody else's now.
    pub(crate) fn sign_in_changed(&mut self, before: &View) -> bool {
        let (now, was) = (&self.view.sign_in, &before.sign_in);
        let id = |view: &ipc::SignInView| view.operator.as_ref().map(|operator| operator.id);
        let is_other = id(now) != id(was);
        let (closed, was_closed) = (now.is_closed(), was.is_closed());
        let first = before.generation == 0;
        let last_try = now.last_try.filter(|_| first && closed);
        if is_other || closed != was_closed {
            self.forget_pin();
            self.sign_in.idle = Duration::ZERO;
        }
        // Not before: without a wait it would be forgotten at once.
        if let Some(last) = last_try {
            let passed = Duration::from_millis(self.view.now_ms.saturating_sub(last.at_ms));
            self.sign_in.wait = Duration::from_millis(last.problem.wait_ms()).saturating_sub(passed);
            self.sign_in.problem = Some((last.operator, Problem::Pin(last.problem)));
        }
        if closed && (!was_closed || is_other) {
            self.close_overlays();
            self.drag_finished();
            self.focus(FocusPlace::Nowhere);
        }
        if is_other && !first {
            self.change_operator();
        }
        self.arrange_for(id(&self.view.sign_in));
        self.choose_the_only_one();
        self.show_sign_in();
        !closed && (was_closed || is_other) && !first
    }

    /// What was somebody's own on the screen goes with them.
    fn change_operator(&mut self) {
        self.forget_note();
        self.leave_editor();
        self.close_page();
        self.local_notices.clear();
        self.show_screen(Screen::Directory);
    }

    /// True when this was the answer to a PIN.
    pub(crate) fn sign_in_done(&mut self, seq: u64, result: &Result<(), CommandError>) -> bool {
        if self.sign_in.locking == Some(seq) {
            self.sign_in.locking = None;
            return result.is_ok();
        }
        let Some((_, operator)) = self.sign_in.sent.take_if(|(sent, _)| *sent == seq) else { return false };
        self.sign_in.problem = match result {
            Ok(()) => None,
            Err(CommandError::Pin(problem)) => {
                self.sign_in.wait = Duration::from_millis(problem.wait_ms());
                Some((operator, Problem::Pin(*problem)))
            }
            Err(CommandError::Failed { reason }) => Some((operator, Problem::Failed(reason.clone()))),
            Err(_) => Some((operator, Problem::Refused)),
        };
        self.show_sign_in();
        true
    }

    /// The connection is gone, or there again.
    pub(crate) fn sign_in_connection(&mut self) {
        self.sign_in.sent = None;
        self.sign_in.locking = None;
        if self.connected && matches!(self.sign_in.problem, Some((_, Problem::Unreachable))) {
            self.sign_in.problem = None;
        }
        self.show_sign_in();
    }

    /// A tick of the clock: waits run down, and a screen that nobody touches locks itself.
    pub(crate) fn run_sign_in(&mut self) {
        if !self.sign_in.wait.is_zero() {
            self.sign_in.wait = self.sign_in.wait.saturating_sub(TICK);
            self.show_sign_in();
        }
        self.sign_in.idle += TICK;
        let after = Duration::from_secs(60 * u64::from(self.view.preferences.lock_after_min));
        self.run_dim(self.sign_in.idle, after);
        let is_due = !after.is_zero() && self.sign_in.idle >= after;
        let may = self.connected && self.view.sign_in.operator.is_some() && !self.is_closed();
        // Who talks is there, whatever their hands do.
        if is_due && may && !self.is_talking() && self.sign_in.locking.is_none() {
            self.lock();
        }
    }

    /// Somebody touches the screen or a key.
    pub(crate) fn touched(&mut self) {
        self.sign_in.idle = Duration::ZERO;
        self.directory.call_first.stop();
        self.wake();
    }
}

// The operator's side.
impl Desk {
    /// Covers the screen. What is written in the note is kept first.
    pub(crate) fn lock(&mut self) {
        if self.view.sign_in.operator.is_some() && !self.is_closed() {
            self.flush_note();
            self.sign_in.idle = Duration::ZERO;
            self.sign_in.locking = self.send(Command::Lock);
        }
    }

    /// Leaves the desk, unless there are calls: the desk says so. What is written in the note is kept first.
    pub(crate) fn sign_out(&mut self) {
        if self.view.sign_in.operator.is_some() {
            self.flush_note();
            self.send(Command::SignOut);
        }
    }

    /// The menu of who is signed in.
    pub(crate) fn open_operator_menu(&mut self, x: f32, y: f32) {
        self.operator_menu(At::Finger(x, y));
    }

    /// Likewise by key.
    pub(crate) fn open_operator_menu_by_key(&mut self) {
        // Its keys are the menu's, not those of a field that somebody was in.
        self.focus(FocusPlace::Nowhere);
        self.operator_menu(At::Calls);
        self.move_menu(0);
    }

    fn operator_menu(&mut self, at: At) {
        let Some(operator) = &self.view.sign_in.operator else { return };
        let title = SharedString::from(operator.name.as_str());
        let now = self.view.preferences.lock_after_min;
        let mut rows: Vec<Row> = vec![
            (entry(MenuWord::Lock, "", "", ""), Choice::Lock),
            (entry(MenuWord::SignOut, "", "", ""), Choice::SignOut),
        ];
        rows.extend(LOCK_AFTER.map(|minutes| {
            let count = i32::from(minutes);
            let row = MenuEntry { count, chosen: minutes == now, ..entry(MenuWord::LockAfter, "", "", "") };
            (row, Choice::Send(Command::SetLockAfter { minutes }))
        }));
        self.open_menu(title, rows, at);
    }

    /// A name was tapped.
    pub(crate) fn choose_operator(&mut self, index: i32) {
        let found = usize::try_from(index).ok().and_then(|index| self.listed().get(index).map(|one| one.id));
        if let Some(id) = found {
            // The digits need its room.
            self.hide_board();
            self.choose_id(id);
        }
    }

    /// The cross: all names are shown again.
    pub(crate) fn clear_operator_filter(&mut self) {
        self.sign_in.filter.clear();
        self.choose_the_only_one();
        self.show_sign_in();
    }

    /// A digit was typed.
    pub(crate) fn pin_digit(&mut self, digit: &str) {
        let is_digit = digit.len() == 1 && digit.bytes().all(|byte| byte.is_ascii_digit());
        if is_digit && self.sign_in.sent.is_none() && self.sign_in.pin.len() < *DIGITS.end() {
            self.sign_in.pin.push_str(digit);
            self.show_sign_in();
        }
    }

    /// The last digit was none.
    pub(crate) fn erase_pin_digit(&mut self) {
        self.sign_in.pin.pop();
        self.show_sign_in();
    }

    /// Has the desk look at the PIN.
    pub(crate) fn accept_pin(&mut self) {
        if !self.is_pin_ready() {
            return;
        }
        let Some(operator) = self.whose_pin() else { return };
        let pin = Pin::new(&std::mem::take(&mut self.sign_in.pin));
        let is_locked_one = self.view.sign_in.operator.as_ref().is_some_and(|one| one.id == operator);
        let command = if is_locked_one { Command::Unlock { pin } } else { Command::SignIn { operator, pin } };
        match self.outbox.command(command) {
            Ok(seq) => (self.sign_in.sent, self.sign_in.problem) = (Some((seq, operator)), None),
            Err(_) => self.sign_in.problem = Some((operator, Problem::Unreachable)),
        }
        self.show_sign_in();
    }

    /// On a locked screen: the list of those who may take the place of who has locked it.
    pub(crate) fn let_somebody_else(&mut self) {
        self.forget_pin();
        self.sign_in.somebody_else = self.view.sign_in.locked;
        self.choose_the_only_one();
        self.show_sign_in();
    }

    /// Back to the locked screen.
    pub(crate) fn leave_sign_in_list(&mut self) {
        self.forget_pin();
        self.show_sign_in();
    }

    /// Answers whatever has rung longest.
    pub(crate) fn answer_locked(&mut self) {
        self.send(Command::Hook { action: HookAction::AnswerLongest });
    }

    /// Puts who is talked to on hold. A conference is left, and goes on.
    pub(crate) fn hold_locked(&mut self) {
        if let Some(call) = self.view.talk {
            self.send(Command::Hold { call });
        } else if self.is_talking() {
            self.hang_up_locked();
        }
    }

    /// Ends the call that is talked in.
    pub(crate) fn hang_up_locked(&mut self) {
        self.send(Command::Hook { action: HookAction::HangUpActive });
    }

    /// Takes back who has been on hold longest.
    pub(crate) fn retrieve_locked(&mut self) {
        let calls = self.view.incoming.iter().chain(&self.view.outgoing);
        let held =
            calls.filter(|call| call.state == CallState::Held && call.actions.contains(&Action::Retrieve));
        if let Some(call) = held.min_by_key(|call| call.held_since_ms).map(|call| call.call) {
            self.send(Command::Retrieve { call });
        }
    }

    /// A key while the desk is closed; nothing of it reaches what is covered. Digits are the PIN, letters look for a
    /// name, and the keys for calls answer, hold and end them.
    pub(crate) fn sign_in_key(&mut self, text: &str, control: bool, alt: bool) -> bool {
        if !self.is_closed() {
            return false;
        }
        let backspace = SharedString::from(slint::platform::Key::Backspace);
        let delete = SharedString::from(slint::platform::Key::Delete);
        if text == backspace.as_str() || text == delete.as_str() {
            if self.sign_in.pin.is_empty() {
                self.sign_in.filter.pop();
                self.show_sign_in();
            } else {
                self.erase_pin_digit();
            }
            return true;
        }
        let mut letters = text.chars();
        let letter = letters.next().filter(|_| letters.next().is_none() && !control && !alt);
        match letter {
            Some(digit) if digit.is_ascii_digit() => {
                self.pin_digit(text);
                return true;
            }
            Some(letter) if letter.is_alphabetic() || letter == ' ' && !self.sign_in.filter.is_empty() => {
                self.look_for_operator(letter);
                return true;
            }
            _ => {}
        }
        match self.keys.read(text, control, alt, false) {
            Some(ConsoleKey::Up) => self.move_operator(|at, _| at.saturating_sub(1)),
            Some(ConsoleKey::Down) => self.move_operator(|at, last| (at + 1).min(last)),
            Some(ConsoleKey::PageUp) => self.move_operator(|at, _| at.saturating_sub(PAGE)),
            Some(ConsoleKey::PageDown) => self.move_operator(|at, last| (at + PAGE).min(last)),
            Some(ConsoleKey::Home) => self.move_operator(|_, _| 0),
            Some(ConsoleKey::End) => {
                // From nobody, too.
                self.move_operator(|at, _| at);
                self.move_operator(|_, last| last);
            }
            Some(ConsoleKey::Enter) => self.accept_pin(),
            Some(ConsoleKey::Escape) => self.step_back_from_pin(),
            Some(ConsoleKey::Operator) if self.stage() == SignInStage::Locked => self.let_somebody_else(),
            Some(ConsoleKey::Next) if self.view.sign_in.locked => {
                self.send(Command::Hook { action: HookAction::Next });
            }
            Some(ConsoleKey::HangUpActive) if self.view.sign_in.locked => self.hang_up_locked(),
            Some(ConsoleKey::AnswerLongest) if self.view.sign_in.locked => self.answer_locked(),
            _ => {}
        }
        true
    }

    /// Escape: the keyboard on the screen first, then the digits, then the name that was looked for, then the list.
    fn step_back_from_pin(&mut self) {
        if self.app.global::<screen::Board>().get_open() {
            self.hide_board();
        } else if !self.sign_in.pin.is_empty() {
            self.sign_in.pin.clear();
        } else if !self.sign_in.filter.is_empty() {
            self.sign_in.filter.clear();
        } else if self.sign_in.somebody_else {
            self.forget_pin();
        }
        self.show_sign_in();
    }

    fn look_for_operator(&mut self, letter: char) {
        if self.stage() == SignInStage::Choose && self.sign_in.filter.chars().count() < MAX_FILTER {
            self.sign_in.filter.push(letter);
            // The first who is left is meant.
            let first = self.listed().first().map(|one| one.id);
            if let Some(first) = first {
                self.choose_id(first);
            }
            self.show_sign_in();
        }
    }

    fn move_operator(&mut self, to: impl FnOnce(usize, usize) -> usize) {
        if self.stage() != SignInStage::Choose {
            return;
        }
        let listed: Vec<OperatorId> = self.listed().iter().map(|one| one.id).collect();
        let Some(last) = listed.len().checked_sub(1) else { return };
        let at = self.sign_in.chosen.and_then(|chosen| listed.iter().position(|id| *id == chosen));
        let next = at.map_or(0, |at| to(at, last));
        self.choose_id(listed[next]);
    }

    fn choose_id(&mut self, id: OperatorId) {
        if self.sign_in.chosen != Some(id) {
            self.sign_in.chosen = Some(id);
            self.sign_in.pin.clear();
        }
        self.show_sign_in();
    }
}

impl Desk {
    fn stage(&self) -> SignInStage {
        match () {
            () if !self.is_closed() => SignInStage::Open,
            () if self.view.sign_in.locked && !self.sign_in.somebody_else => SignInStage::Locked,
            () => SignInStage::Choose,
        }
    }

    /// Those whose names have a word that begins as was typed; on a locked screen all but who has locked it.
    fn listed(&self) -> Vec<&OperatorName> {
        let filter = self.sign_in.filter.to_lowercase();
        let own = self.view.sign_in.operator.as_ref().map(|operator| operator.id);
        let fits = |one: &&OperatorName| {
            let name = one.name.to_lowercase();
            let begins = name.split_whitespace().any(|word| word.starts_with(&filter));
            Some(one.id) != own && (begins || name.starts_with(&filter))
        };
        self.view.sign_in.operators.iter().filter(fits).collect()
    }

    /// Whose PIN is typed.
    fn whose_pin(&self) -> Option<OperatorId> {
        let signed_in = self.view.sign_in.operator.as_ref().map(|operator| operator.id);
        if self.stage() == SignInStage::Locked { signed_in } else { self.sign_in.chosen }
    }

    fn is_pin_ready(&self) -> bool {
        let is_looked_at = self.sign_in.sent.is_none() && self.waits().is_zero();
        DIGITS.contains(&self.sign_in.pin.len()) && is_looked_at && self.whose_pin().is_some()
    }

    /// How long no PIN of the one that is meant is looked at.
    fn waits(&self) -> Duration {
        let whose = self.whose_pin();
        let is_theirs = self.sign_in.problem.as_ref().is_some_and(|(of, _)| Some(*of) == whose);
        if is_theirs { self.sign_in.wait } else { Duration::ZERO }
    }

    /// Where there is no choice, nobody has to make it.
    fn choose_the_only_one(&mut self) {
        let there = self.sign_in.chosen.is_some_and(|id| self.listed().iter().any(|one| one.id == id));
        if !there && self.sign_in.filter.is_empty() {
            self.sign_in.chosen = match self.listed()[..] {
                [one] => Some(one.id),
                _ => None,
            };
        }
    }

    fn forget_pin(&mut self) {
        let SignIn { pin, chosen, filter, somebody_else, sent, .. } = &mut self.sign_in;
        pin.clear();
        filter.clear();
        (*chosen, *somebody_else, *sent) = (None, false, None);
        // A wait that was told is told on; whatever else was said is over.
        if self.sign_in.wait.is_zero() {
            self.sign_in.problem = None;
        }
        self.hide_board();
        self.choose_the_only_one();
    }

    /// Shows what there is; properties that keep their value cost nothing.
    pub(crate) fn show_sign_in(&self) {
        let (global, view, stage) = (self.app.global::<screen::SignIn>(), &self.view.sign_in, self.stage());
        global.set_signed_in(view.operator.is_some());
        global.set_stage(stage);
        if stage == SignInStage::Open {
            return;
        }
        let whose = self.whose_pin();
        let known = view.operators.iter().chain(&view.operator);
        let name =
            known.filter(|one| Some(one.id) == whose).map(|one| one.name.as_str()).next().unwrap_or_default();
        global.set_who(name.into());
        global.set_initials(initials(name));
        global.set_tint(tint(name));
        self.show_operators();
        let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        global.set_digits(count(self.sign_in.pin.len()));
        global.set_ready(self.is_pin_ready());
        let (standing, left, reason) = self.pin_standing();
        global.set_standing(standing);
        global.set_left(left);
        let reason = Some(reason).filter(|reason| !reason.is_empty());
        global.set_reason(self.storage_words(reason));
        // Not before it is over.
        let seconds = self.waits().as_millis().div_ceil(1000);
        global.set_wait(i32::try_from(seconds).unwrap_or(i32::MAX));
        self.show_calls_of_locked();
    }

    fn show_operators(&self) {
        let global = self.app.global::<screen::SignIn>();
        let listed = self.listed();
        let cursor = listed.iter().position(|one| Some(one.id) == self.sign_in.chosen);
        let tile = |one: &&OperatorName| OperatorTile {
            name: one.name.as_str().into(),
            initials: initials(&one.name),
            tint: tint(&one.name),
            blocked: one.blocked,
        };
        let tiles: Vec<OperatorTile> = listed.iter().map(tile).collect();
        let shown = global.get_operators();
        if !slint::Model::iter(&shown).eq(tiles.iter().cloned()) {
            global.set_operators(ModelRc::new(VecModel::from(tiles)));
        }
        global.set_many(self.view.sign_in.operators.len() > MANY);
        global.set_filter(self.sign_in.filter.as_str().into());
        global.set_cursor(cursor.and_then(|at| i32::try_from(at).ok()).unwrap_or(-1));
        let locked_by = self.view.sign_in.operator.as_ref().filter(|_| self.sign_in.somebody_else);
        global.set_back_to(locked_by.map_or("", |operator| operator.name.as_str()).into());
    }

    /// What is said about the PIN, how many tries are left, and a reason.
    fn pin_standing(&self) -> (PinStanding, i32, &str) {
        let Some(whose) = self.whose_pin() else { return (PinStanding::Nobody, 0, "") };
        if self.sign_in.sent.is_some() {
            return (PinStanding::Checking, 0, "");
        }
        let blocked = self.view.sign_in.operators.iter().any(|one| one.id == whose && one.blocked);
        let problem =
            self.sign_in.problem.as_ref().filter(|(of, _)| *of == whose).map(|(_, problem)| problem);
        let is_waiting = !self.waits().is_zero();
        match problem {
            _ if blocked => (PinStanding::Blocked, 0, ""),
            Some(Problem::Pin(PinProblem::Locked)) => (PinStanding::Blocked, 0, ""),
            Some(Problem::Unreachable) => (PinStanding::Unreachable, 0, ""),
            Some(Problem::Failed(reason)) => (PinStanding::Failed, 0, reason),
            Some(Problem::Refused) => (PinStanding::Refused, 0, ""),
            // Who types again has read it.
            Some(Problem::Pin(PinProblem::Wrong { left, .. }))
                if is_waiting || self.sign_in.pin.is_empty() =>
            {
                (PinStanding::Wrong, i32::try_from(*left).unwrap_or(i32::MAX), "")
            }
            Some(Problem::Pin(PinProblem::Wait { .. })) if is_waiting => (PinStanding::Wait, 0, ""),
            _ => (PinStanding::Awaited, 0, ""),
        }
    }

    /// What calls do; not whose they are.
    fn show_calls_of_locked(&self) {
        let global = self.app.global::<screen::SignIn>();
        let rings = |state| matches!(state, CallState::Ringing | CallState::Recalling);
        let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        let ringing: Vec<_> = self.view.incoming.iter().filter(|call| rings(call.state)).collect();
        let first = ringing.first().map(|call| match call.line_name.as_str() {
            "" => call.line_number.as_str(),
            name => name,
        });
        let calls = self.view.incoming.iter().chain(&self.view.outgoing);
        let held = calls.filter(|call| call.state == CallState::Held).count();
        global.set_ringing(!ringing.is_empty());
        global.set_ringing_line(first.unwrap_or_default().into());
        global.set_more_ringing(count(ringing.len().saturating_sub(1)));
        global.set_talking(self.is_talking());
        global.set_held(count(held));
    }
}
