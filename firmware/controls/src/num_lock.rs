//! NumLock of the screen, on which it depends whether the keys of keypads are digits.
//!
//! The screen cannot be asked for it; it only hears that the key was pressed. So there is one for all keypads, which outlives
//! each of them: a keypad that comes takes over what there is, and a screen that comes begins without it.

/// See the module.
#[derive(Debug, Default)]
pub struct NumLock {
    on: bool,
    screen: Screen,
}

/// What was seen of the screen since the desk was reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Screen {
    /// Nothing yet. It may be there all the same, and wait for the desk as we did.
    #[default]
    Awaited,
    There,
    Gone,
}

impl NumLock {
    /// Whether keypads type digits.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.on
    }

    /// The key of a keypad has switched it, for the screen as well.
    pub fn switched(&mut self, on: bool) {
        self.on = on;
    }

    /// The desk says whether there is a screen. True when that has switched NumLock off: it is another screen.
    pub fn screen(&mut self, is_there: bool) -> bool {
        let is_another = is_there && self.screen == Screen::Gone;
        self.screen = match (self.screen, is_there) {
            (_, true) => Screen::There,
            (Screen::Awaited, false) => Screen::Awaited,
            (_, false) => Screen::Gone,
        };
        is_another && std::mem::take(&mut self.on)
    }

    /// The desk cannot be reached, which says nothing about the screen.
    pub fn desk_gone(&mut self) {
        self.screen = Screen::Awaited;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn call_12_another_screen_begins_without_numlock_and_the_same_one_keeps_it() {
        let mut num_lock = NumLock::default();
        assert!(!num_lock.screen(false) && !num_lock.screen(true));
        num_lock.switched(true);
        assert!(!num_lock.screen(true) && num_lock.is_on());
        // Only the desk was away: the screen finds it again.
        num_lock.desk_gone();
        assert!(!num_lock.screen(false) && !num_lock.screen(true) && num_lock.is_on());
        // The screen itself was.
        assert!(!num_lock.screen(false) && num_lock.is_on());
        assert!(num_lock.screen(true) && !num_lock.is_on());
        assert!(!num_lock.screen(false) && !num_lock.screen(true), "it is off already");
    }
}
