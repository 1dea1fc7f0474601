//! What visitors do not read (ACC-1): names and numbers that the operator hides, and a screen that dims when nobody is
//! there.
//!
//! Nothing is masked text by text, which a new field would escape: the whole desk is out of sight, and what calls do is
//! shown in its place. Calls are answered, held and ended meanwhile, by touch and by key; what was open or being typed is
//! there again afterwards. Not here: the lock, which asks for a PIN (`sign_in`).

use std::time::Duration;

use ipc::CallState;
use slint::ComponentHandle;

use super::{Area, Desk};
use crate::keys::ConsoleKey;
use crate::screen::{self, FocusPlace};

impl Desk {
    pub(super) fn names_are_hidden(&self) -> bool {
        self.app.global::<screen::Privacy>().get_on()
    }

    /// Hides names and numbers, or shows them again.
    pub(crate) fn hide_names(&mut self, hide: bool) {
        if hide {
            // Nobody types into what is not seen; the arrows are among the calls.
            self.focus(FocusPlace::Nowhere);
            self.set_area(Area::Calls);
            self.drag_finished();
        }
        self.app.global::<screen::Privacy>().set_on(hide);
    }

    /// A key that hides, or one while names and numbers are hidden: those for calls do what they always do, and no other
    /// reaches what is out of sight.
    pub(crate) fn privacy_key(&mut self, text: &str, control: bool, alt: bool, typing: bool) -> bool {
        let hidden = self.names_are_hidden();
        let key = self.keys.read(text, control, alt, typing && !hidden);
        if key == Some(ConsoleKey::Privacy) && !self.is_recording_key() {
            self.hide_names(!hidden);
            return true;
        }
        if !hidden {
            return false;
        }
        match key {
            Some(ConsoleKey::Escape) => self.hide_names(false),
            Some(
                key @ (ConsoleKey::Primary
                | ConsoleKey::HangUp
                | ConsoleKey::Next
                | ConsoleKey::AnswerLongest
                | ConsoleKey::HangUpActive
                | ConsoleKey::Lock
                | ConsoleKey::Up
                | ConsoleKey::Down
                | ConsoleKey::Home
                | ConsoleKey::End
                | ConsoleKey::PageUp
                | ConsoleKey::PageDown),
            ) => {
                self.desk_key(key);
            }
            _ => {}
        }
        true
    }

    /// Nobody has touched anything for half the time until the screen locks itself: it dims. Who talks is there, and a call
    /// that rings is to be seen.
    pub(crate) fn run_dim(&self, idle: Duration, lock_after: Duration) {
        let rings = |state| matches!(state, CallState::Ringing | CallState::Recalling);
        let is_quiet = !self.is_talking() && !self.view.incoming.iter().any(|call| rings(call.state));
        let is_ours = self.view.sign_in.operator.is_some() && !self.is_closed();
        let is_due = !lock_after.is_zero() && idle >= lock_after / 2;
        self.dim(is_due && is_quiet && is_ours);
    }

    /// Somebody is there.
    pub(crate) fn wake(&self) {
        self.dim(false);
    }

    fn dim(&self, dim: bool) {
        self.app.global::<screen::Privacy>().set_dim(dim);
    }
}
