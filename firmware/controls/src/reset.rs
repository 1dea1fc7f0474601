//! The key that brings the box back to how it was made.
//!
//! It is held for [`HELD`] in the first [`WINDOW`] after the start, alone, and then let go. What lies on a keyboard or is
//! stuck in it is never let go, and who types presses other keys as well: neither may cost a house its settings, when the
//! power comes back at night. So nobody has to hit a moment: the key can be down from before the switch is turned, on a
//! keyboard that the kernel finds early or late, or be pressed once the desk is on the screen.

use std::time::Duration;

/// How long it is to be held.
pub const HELD: Duration = Duration::from_secs(5);
/// How long after the start of the kernel it counts; it has to be let go by then.
pub const WINDOW: Duration = Duration::from_secs(120);

/// See the module. All times are since the start of the kernel.
#[derive(Debug)]
pub struct ResetKey {
    code: u16,
    since: Option<Duration>,
}

impl ResetKey {
    /// The key of this code.
    #[must_use]
    pub fn new(code: u16) -> Self {
        Self { code, since: None }
    }

    /// A device came, on which these keys are down.
    pub fn found(&mut self, now: Duration, down: impl IntoIterator<Item = u16>) {
        down.into_iter().for_each(|code| self.pressed(now, code));
    }

    /// A key is pressed (1), released (0) or repeats itself (2). Whether the reset is wanted by that.
    #[must_use]
    pub fn key(&mut self, now: Duration, code: u16, value: i32) -> bool {
        match value {
            0 if code == self.code => {
                self.since.take().is_some_and(|since| now >= since + HELD && now < WINDOW)
            }
            1 => {
                self.pressed(now, code);
                false
            }
            _ => false,
        }
    }

    /// A device went: what was down on it was not let go by a person.
    pub fn gone(&mut self) {
        self.since = None;
    }

    fn pressed(&mut self, now: Duration, code: u16) {
        // Another key: this is no wish, until the key is pressed anew.
        self.since = (code == self.code).then_some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::{KEY_ENTER, KEY_F1};

    const F8: u16 = KEY_F1 + 7;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn key() -> ResetKey {
        ResetKey::new(F8)
    }

    #[test]
    fn app_5_a_key_that_was_down_before_its_keyboard_was_found_is_let_go_after_five_seconds() {
        let mut key = key();
        key.found(s(14), [F8]);
        assert!(!key.key(s(15), F8, 2), "it repeats itself");
        assert!(key.key(s(19), F8, 0));
        assert!(!key.key(s(26), F8, 0), "once");
    }

    #[test]
    fn app_5_a_key_pressed_later_counts_within_two_minutes_and_no_longer() {
        let mut key = key();
        assert!(!key.key(s(60), F8, 1));
        assert!(key.key(s(66), F8, 0));
        assert!(!key.key(s(110), F8, 1));
        assert!(!key.key(s(120), F8, 0), "a box that is at work");
    }

    #[test]
    fn app_5_a_short_press_or_another_key_resets_nothing() {
        let mut key = key();
        assert!(!key.key(s(20), F8, 1));
        assert!(!key.key(s(24), F8, 0), "too short");
        assert!(!key.key(s(30), F8, 1));
        assert!(!key.key(s(32), KEY_ENTER, 1));
        assert!(!key.key(s(40), F8, 0), "with another");
        key.found(s(41), [KEY_ENTER, F8, KEY_F1]);
        assert!(!key.key(s(50), F8, 0), "a book on the keyboard");
    }

    #[test]
    fn app_5_a_keyboard_that_is_unplugged_is_not_a_key_that_is_let_go() {
        let mut key = key();
        key.found(s(10), [F8]);
        key.gone();
        assert!(!key.key(s(20), F8, 0));
    }
}
