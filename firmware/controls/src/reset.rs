//! The key that brings the box back to how it was made.
//!
//! It is held for [`HELD`] in the first [`WINDOW`] after the start, alone, and then let go. What lies on a keyboard or is
//! stuck in it is never let go, and who types presses other keys as well: neither may cost a house its settings, when the
//! power comes back at night. So nobody has to hit a moment: the key can be down from before the switch is turned, on a
//! keyboard that the kernel finds early or late, or be pressed once the desk is on the screen.
//!
//! The kernel lets go of every key of a keyboard that is unplugged before it says that it is gone. So a key counts as let go
//! by a person only when its keyboard is still there after [`SETTLE`].

use std::time::Duration;

/// How long it is to be held: longer than anybody holds a key that does something else on the screen.
pub const HELD: Duration = Duration::from_secs(10);
/// How long after the start of the kernel it counts; it has to be let go by then.
pub const WINDOW: Duration = Duration::from_secs(120);
/// How long after it was let go its keyboard is to be there.
pub const SETTLE: Duration = Duration::from_secs(1);

/// See the module. All times are since the start of the program.
#[derive(Debug)]
pub struct ResetKey {
    code: u16,
    /// When the window is over.
    over: Duration,
    pressed: Option<Duration>,
    let_go: Option<Duration>,
}

impl ResetKey {
    /// The key of this code; the program started so long after the kernel.
    #[must_use]
    pub fn new(code: u16, started: Duration) -> Self {
        Self { code, over: WINDOW.saturating_sub(started), pressed: None, let_go: None }
    }

    /// Its code of Linux.
    #[must_use]
    pub fn code(&self) -> u16 {
        self.code
    }

    /// A device came, on which these keys are down.
    pub fn found(&mut self, now: Duration, down: &[u16]) {
        down.iter().for_each(|code| self.press(now, *code));
    }

    /// A key is pressed (1), released (0) or repeats itself (2).
    pub fn key(&mut self, now: Duration, code: u16, value: i32) {
        match value {
            0 if code == self.code => {
                let counts = |pressed: Duration| now >= pressed + HELD && now < self.over;
                self.let_go = self.pressed.take().filter(|pressed| counts(*pressed)).map(|_| now);
            }
            1 => self.press(now, code),
            _ => {}
        }
    }

    /// A device went: what was down on it was not let go by a person.
    pub fn gone(&mut self) {
        (self.pressed, self.let_go) = (None, None);
    }

    /// Whether the reset is wanted by now; once.
    #[must_use]
    pub fn tick(&mut self, now: Duration) -> bool {
        self.let_go.take_if(|let_go| now >= *let_go + SETTLE).is_some()
    }

    /// When to look again.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        self.let_go.map(|let_go| let_go + SETTLE)
    }

    fn press(&mut self, now: Duration, code: u16) {
        // Another key: this is no wish, until the key is pressed anew.
        self.pressed = (code == self.code).then_some(now);
        self.let_go = None;
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

    /// The program starts 20 s after the kernel.
    fn key() -> ResetKey {
        ResetKey::new(F8, s(20))
    }

    /// Whether a reset is wanted in the end.
    fn wants(mut key: ResetKey) -> bool {
        let due = key.due();
        due.is_some_and(|due| !key.tick(due - Duration::from_millis(1)) && key.tick(due) && !key.tick(due))
    }

    #[test]
    fn app_5_a_key_that_was_down_before_its_keyboard_was_found_is_let_go_after_ten_seconds() {
        let mut key = key();
        key.found(s(1), &[F8]);
        key.key(s(5), F8, 2);
        key.key(s(11), F8, 0);
        assert!(wants(key));
    }

    #[test]
    fn app_5_a_key_pressed_later_counts_within_two_minutes_and_no_longer() {
        let mut later = key();
        later.key(s(60), F8, 1);
        later.key(s(71), F8, 0);
        assert!(wants(later));
        let mut late = key();
        late.key(s(60), F8, 1);
        late.key(s(100), F8, 0);
        assert!(!wants(late), "a box that is at work");
        let mut restarted = ResetKey::new(F8, s(500));
        restarted.key(s(1), F8, 1);
        restarted.key(s(20), F8, 0);
        assert!(!wants(restarted), "the program started anew");
    }

    #[test]
    fn app_5_a_short_press_or_another_key_resets_nothing() {
        let mut short = key();
        short.key(s(20), F8, 1);
        short.key(s(29), F8, 0);
        assert!(!wants(short));
        let mut with_another = key();
        with_another.key(s(20), F8, 1);
        with_another.key(s(22), KEY_ENTER, 1);
        with_another.key(s(40), F8, 0);
        assert!(!wants(with_another));
        let mut book = key();
        book.found(s(20), &[KEY_ENTER, F8, KEY_F1]);
        book.key(s(40), F8, 0);
        assert!(!wants(book));
        let mut typing = key();
        typing.key(s(20), F8, 1);
        typing.key(s(31), F8, 0);
        typing.key(s(31), KEY_ENTER, 1);
        assert!(!wants(typing), "somebody works");
    }

    #[test]
    fn app_5_a_keyboard_that_is_unplugged_is_not_a_key_that_is_let_go() {
        let mut key = key();
        key.found(s(10), &[F8]);
        // As the kernel says it: first the release, then that the device is gone.
        key.key(s(30), F8, 0);
        key.gone();
        assert!(!wants(key));
    }
}
