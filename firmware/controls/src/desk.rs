//! What a wish means for the calls of this moment, and what lamps say of them.
//!
//! Not here: which call is answered first and what is held meanwhile; that is the switchboard's (`switchboard/src/hook.rs`).

use ipc::{Action, CallRef, CallState, CallView, Command, HookAction, Shortcuts, View};

/// What somebody wants who presses a key or moves a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// A key or a hook that acts on whichever call it means now.
    Hook(HookAction),
    /// Mute the microphone, or no longer.
    ToggleMute,
    /// The device says whether it is muted.
    Mute(bool),
    /// Hold who talks, else take the next.
    Hold,
    /// A digit for the other end: 0-9, `*`, `#`, A-D.
    Digit(char),
}

/// Lamps that devices may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lamps {
    /// Somebody has the operator's ear.
    pub off_hook: bool,
    /// A call rings.
    pub ring: bool,
    /// The microphone is muted.
    pub mute: bool,
    /// A call is on hold.
    pub hold: bool,
    /// A voice message waits.
    pub message: bool,
}

/// What of a [`View`] matters here. The default is a desk that cannot be reached: nothing rings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Glance {
    /// For devices to show.
    pub lamps: Lamps,
    /// The call that has the ear.
    pub talk: Option<CallRef>,
    /// Digits can be sent to it.
    pub takes_digits: bool,
    /// It can be put on hold.
    pub can_hold: bool,
    /// There is a screen, which has the keys.
    pub has_screen: bool,
    /// Keys that the operator changed (CALL-12).
    pub shortcuts: Shortcuts,
}

impl Glance {
    /// Looks at the desk.
    #[must_use]
    pub fn of(view: &View) -> Self {
        let calls = || view.incoming.iter().chain(&view.outgoing);
        let any = |is: fn(&CallView) -> bool| calls().any(is);
        let joined = view.conference.as_ref().is_some_and(|conference| conference.joined);
        let talking = view.talk.and_then(|talk| calls().find(|call| call.call == talk));
        let allows = |action: Action| talking.is_some_and(|call| call.actions.contains(&action));
        let overdue = |slot: &ipc::ParkSlotView| slot.parked.as_ref().is_some_and(|parked| parked.overdue);
        Self {
            lamps: Lamps {
                off_hook: view.talk.is_some() || joined,
                ring: any(|call| matches!(call.state, CallState::Ringing | CallState::Recalling))
                    || view.park.iter().any(overdue),
                mute: view.operator.muted,
                hold: any(|call| call.state == CallState::Held),
                message: view.counters.voicemail > 0,
            },
            talk: view.talk,
            takes_digits: allows(Action::Digits),
            can_hold: allows(Action::Hold),
            has_screen: view.screen,
            shortcuts: view.preferences.shortcuts.clone(),
        }
    }

    /// The command for a wish; `None` when it means nothing now. What it will change is expected at once, so that a key
    /// pressed twice before the desk has answered means both.
    pub fn command(&mut self, act: Act) -> Option<Command> {
        match act {
            Act::Hook(action) => Some(Command::Hook { action }),
            Act::ToggleMute => self.command(Act::Mute(!self.lamps.mute)),
            Act::Mute(on) => {
                self.lamps.mute = on;
                Some(Command::Mute { on })
            }
            Act::Hold => Some(match self.talk.filter(|_| self.can_hold) {
                Some(call) => Command::Hold { call },
                None => Command::Hook { action: HookAction::Next },
            }),
            Act::Digit(digit) => {
                let call = self.talk.filter(|_| self.takes_digits)?;
                Some(Command::Digits { call, digits: digit.into() })
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// A view as the desk sends it, with these changes.
    fn view(change: impl FnOnce(&mut View)) -> View {
        let mut view = View::default();
        change(&mut view);
        view
    }

    #[test]
    fn hw_1_digits_and_hold_go_to_who_talks_and_to_nobody_else() {
        let mut idle = Glance::of(&view(|_| {}));
        assert_eq!(idle.command(Act::Digit('5')), None);
        assert_eq!(idle.command(Act::Hold), Some(Command::Hook { action: HookAction::Next }));
        let call = CallRef(3);
        let mut talks = Glance { talk: Some(call), takes_digits: true, can_hold: true, ..Glance::default() };
        assert_eq!(talks.command(Act::Digit('#')), Some(Command::Digits { call, digits: "#".into() }));
        assert_eq!(talks.command(Act::Hold), Some(Command::Hold { call }));
    }

    #[test]
    fn hw_1_mute_pressed_twice_before_the_desk_answers_is_off_again() {
        let mut glance = Glance::of(&view(|_| {}));
        assert_eq!(glance.command(Act::ToggleMute), Some(Command::Mute { on: true }));
        assert_eq!(glance.command(Act::ToggleMute), Some(Command::Mute { on: false }));
    }

    #[test]
    fn hw_2_lamps_say_what_the_desk_says() {
        assert_eq!(Glance::of(&view(|_| {})).lamps, Lamps::default());
        let seen = Glance::of(&view(|view| {
            view.operator.muted = true;
            view.counters.voicemail = 2;
            view.talk = Some(CallRef(1));
            view.screen = true;
        }));
        let lamps = Lamps { off_hook: true, mute: true, message: true, ..Lamps::default() };
        assert_eq!((seen.lamps, seen.has_screen), (lamps, true));
    }
}
