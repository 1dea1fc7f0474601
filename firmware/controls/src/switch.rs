//! Switches and buttons as metal makes them: contacts chatter, and a button is pressed for a while.
//!
//! Times are since the program's start, and monotonic.

use std::time::Duration;

/// A switch that changes more often than this chatters: what it settles on counts, once.
pub const SETTLE: Duration = Duration::from_millis(50);
/// A button pressed for so long is held (HW-1).
pub const HELD: Duration = Duration::from_secs(2);

/// A switch without its chatter.
#[derive(Clone, Copy, Debug)]
pub struct Switch {
    settled: bool,
    heard: bool,
    since: Duration,
}

impl Switch {
    /// One that is closed, or open.
    #[must_use]
    pub fn new(closed: bool) -> Self {
        Self { settled: closed, heard: closed, since: Duration::ZERO }
    }

    /// It is closed or open now; gives the change that had settled before.
    pub fn hear(&mut self, now: Duration, closed: bool) -> Option<bool> {
        let change = self.settle(now);
        if closed != self.heard {
            (self.heard, self.since) = (closed, now);
        }
        change
    }

    /// The change that has settled by now, once.
    pub fn settle(&mut self, now: Duration) -> Option<bool> {
        self.due().filter(|due| *due <= now)?;
        self.settled = self.heard;
        Some(self.settled)
    }

    /// When to look again.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        (self.heard != self.settled).then(|| self.since + SETTLE)
    }

    /// As it is without chatter.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.settled
    }

    /// When it last moved.
    #[must_use]
    pub fn since(&self) -> Duration {
        self.since
    }
}

/// How a button was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Press {
    /// And released within two seconds.
    Short,
    /// For two seconds; it may still be.
    Held,
}

/// A button that means one thing when pressed and another when held.
#[derive(Clone, Copy, Debug)]
pub struct Button {
    switch: Switch,
    /// Since when it is pressed, until it has been told as held.
    pressed: Option<Duration>,
}

impl Button {
    /// One that is pressed, which means nothing until it has been released, or is not.
    #[must_use]
    pub fn new(pressed: bool) -> Self {
        Self { switch: Switch::new(pressed), pressed: None }
    }

    /// It is pressed or released now.
    pub fn hear(&mut self, now: Duration, down: bool) -> Option<Press> {
        let press = self.tick(now);
        let _settled = self.switch.hear(now, down);
        press
    }

    /// What has come of it by now.
    pub fn tick(&mut self, now: Duration) -> Option<Press> {
        let moved = self.switch.since();
        match self.switch.settle(now) {
            Some(true) => self.pressed = Some(moved),
            Some(false) => {
                let since = self.pressed.take()?;
                return Some(if moved - since >= HELD { Press::Held } else { Press::Short });
            }
            None => {}
        }
        // A release that has not settled yet may be chatter, or the end of a short press.
        let is_down = self.switch.due().is_none();
        self.pressed.filter(|since| is_down && now >= *since + HELD)?;
        self.pressed = None;
        Some(Press::Held)
    }

    /// When to look again.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        self.switch.due().or_else(|| self.pressed.map(|since| since + HELD))
    }
}

/// A key that does something when pressed; presses that follow too soon are chatter.
#[derive(Clone, Copy, Debug, Default)]
pub struct Key {
    down: bool,
    moved: Option<Duration>,
}

impl Key {
    /// Whether it is pressed anew.
    pub fn hear(&mut self, now: Duration, down: bool) -> bool {
        if down == self.down {
            return false;
        }
        let chatters = self.moved.is_some_and(|moved| now < moved + SETTLE);
        self.down = down;
        self.moved = Some(now);
        down && !chatters
    }

    /// Whether something that has no state says that it was pressed, anew.
    pub fn pulse(&mut self, now: Duration) -> bool {
        self.down = false;
        self.hear(now, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn hw_1_a_hook_that_chatters_is_one_change_once_it_has_settled() {
        let mut hook = Switch::new(false);
        for (at, closed) in [(0, true), (3, false), (7, true), (20, false), (31, true)] {
            assert_eq!(hook.hear(ms(at), closed), None);
        }
        assert_eq!(hook.due(), Some(ms(81)));
        assert_eq!(hook.settle(ms(80)), None);
        assert_eq!(hook.settle(ms(81)), Some(true));
        assert_eq!(hook.settle(ms(200)), None, "once");
        // A knock on the table: it comes back to where it was.
        assert_eq!(hook.hear(ms(300), false), None);
        assert_eq!(hook.hear(ms(320), true), None);
        assert_eq!((hook.due(), hook.settle(ms(900))), (None, None));
    }

    #[test]
    fn hw_1_two_changes_that_nobody_looked_at_in_between_are_two() {
        let mut hook = Switch::new(false);
        assert_eq!(hook.hear(ms(0), true), None);
        assert_eq!(hook.hear(ms(400), false), Some(true));
        assert_eq!(hook.settle(ms(450)), Some(false));
    }

    #[test]
    fn hw_1_a_button_is_short_when_released_and_held_after_two_seconds() {
        let mut button = Button::new(false);
        assert_eq!(button.hear(ms(0), true), None);
        assert_eq!(button.tick(ms(50)), None);
        assert_eq!(button.due(), Some(ms(2000)));
        assert_eq!(button.hear(ms(300), false), None);
        assert_eq!(button.tick(ms(350)), Some(Press::Short));
        assert_eq!(button.hear(ms(1000), true), None);
        assert_eq!(button.tick(ms(1050)), None);
        assert_eq!(button.tick(ms(3000)), Some(Press::Held), "while it is still pressed");
        assert_eq!(button.hear(ms(9000), false), None);
        assert_eq!(button.tick(ms(9050)), None, "its release says nothing more");
        assert_eq!(button.due(), None);
    }

    #[test]
    fn hw_1_a_held_button_that_chatters_is_held_and_a_release_just_before_is_short() {
        let mut button = Button::new(false);
        button.hear(ms(0), true);
        button.tick(ms(50));
        button.hear(ms(1000), false);
        button.hear(ms(1010), true);
        assert_eq!(button.tick(ms(2000)), Some(Press::Held));
        button.hear(ms(2500), false);
        button.tick(ms(2550));
        button.hear(ms(3000), true);
        button.tick(ms(3050));
        button.hear(ms(4980), false);
        assert_eq!(button.tick(ms(5010)), None, "it may be chatter yet");
        assert_eq!(button.tick(ms(5030)), Some(Press::Short));
    }

    #[test]
    fn hw_1_a_button_that_is_pressed_at_the_start_means_nothing_until_it_is_released() {
        let mut button = Button::new(true);
        assert_eq!(button.tick(ms(60_000)), None);
        button.hear(ms(61_000), false);
        assert_eq!(button.tick(ms(61_050)), None);
        button.hear(ms(62_000), true);
        button.hear(ms(62_100), false);
        assert_eq!(button.tick(ms(62_200)), Some(Press::Short));
    }

    #[test]
    fn hw_1_a_key_that_chatters_is_pressed_once() {
        let mut key = Key::default();
        assert!(key.hear(ms(0), true));
        assert!(!key.hear(ms(5), false) && !key.hear(ms(9), true) && !key.hear(ms(100), false));
        assert!(key.hear(ms(200), true));
        assert!(!key.hear(ms(300), true), "still pressed");
        let mut mute = Key::default();
        assert!(mute.pulse(ms(0)) && !mute.pulse(ms(30)) && mute.pulse(ms(200)));
    }
}
