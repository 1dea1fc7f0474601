//! A device that the kernel made keys of: a keypad, a keyboard, a hook on a wire.
//!
//! | it is | while there is a screen | without one |
//! |---|---|---|
//! | a keypad, ours alone | its keys go on to the screen, translated | what CALL-12 says of them, as far as it needs no selection |
//! | a keyboard, the screen's | nothing | likewise |
//! | a phone, ours alone | its keys mean calls | its keys mean calls |
//!
//! Without NumLock a keypad's keys are Insert, Home and the rest under codes of their own, which not every screen here knows,
//! and 5 is a key that has no name at all. So they go on as the keys of the main block with the same meaning, and 5 as F5, to
//! which CALL-12 gives the same. With NumLock they are digits, if the screen agrees: so NumLock itself goes on, and is one for
//! the screen and all keypads ([`crate::num_lock`]).

use std::collections::BTreeMap;
use std::time::Duration;

use ipc::HookAction;

use crate::codes::*;
use crate::desk::{Act, Glance, Lamps};
use crate::switch::{Button, SETTLE, Switch};
use crate::table::{Kind, Lamp, Profile, Role};
use crate::telephone::of_press;

/// A key that is down for so long is stuck: it is released for everybody behind us.
pub const STUCK: Duration = Duration::from_secs(10);

/// What comes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Out {
    /// The desk does something.
    Act(Act),
    /// The screen gets a key.
    Key {
        /// Of Linux.
        code: u16,
        /// Pressed or released.
        down: bool,
    },
    /// NumLock was switched: for the screen, which gets the key, and for every keypad.
    NumLock(bool),
    /// For the log: this key is stuck.
    Stuck {
        /// Of Linux.
        code: u16,
    },
}

/// See the module.
#[derive(Debug)]
pub struct Keys {
    kind: Kind,
    roles: BTreeMap<u16, Role>,
    leds: BTreeMap<Lamp, u16>,
    num_lock: bool,
    /// Keys that are down.
    down: BTreeMap<u16, Down>,
    /// When keys were released that could chatter.
    released: BTreeMap<u16, Duration>,
    hook: Option<Switch>,
    button: Button,
    shown: Option<Lamps>,
}

#[derive(Clone, Copy, Debug)]
struct Down {
    since: Duration,
    /// What the screen was sent for it and has not been taken back.
    sent: Option<u16>,
    is_stuck: bool,
}

/// What a device is by the keys it has; `None` when it is of no use here, like a mouse.
#[must_use]
pub fn classify(has: impl Fn(u16) -> bool) -> Option<Kind> {
    let letters = has(KEY_A) && has(KEY_Z);
    // The media keys of a keyboard claim every key of that kind there is, a telephone's among them.
    let has = |code: u16| has(code) && (code < KEY_PHONE || !has(KEY_CALC));
    let phone = [KEY_PHONE, KEY_PICKUP_PHONE, KEY_HANGUP_PHONE, KEY_MICMUTE, KEY_NUMERIC_0];
    match letters {
        true => Some(Kind::Keyboard),
        false if [KEY_KP0, KEY_KP1, KEY_KP9].iter().all(|code| has(*code)) => Some(Kind::Keypad),
        false => phone.iter().any(|code| has(*code)).then_some(Kind::Phone),
    }
}

impl Keys {
    /// One of that kind. `is_down` says which keys are pressed at the start, which mean nothing until they are released;
    /// `num_lock` whether NumLock is on: by a keyboard's LED, for a keypad by the screen's.
    #[must_use]
    pub fn new(kind: Kind, profile: &Profile, is_down: impl Fn(u16) -> bool, num_lock: bool) -> Self {
        let of = |role: Role| profile.keys.iter().find(|(_, of)| **of == role).map(|(code, _)| *code);
        let button = of(Role::Button).into_iter().chain([KEY_PHONE, KEY_MEDIA]).any(&is_down);
        Self {
            kind,
            roles: profile.keys.clone(),
            leds: profile.leds.clone(),
            num_lock,
            down: BTreeMap::new(),
            released: BTreeMap::new(),
            hook: of(Role::Hook).map(|code| Switch::new(is_down(code))),
            button: Button::new(button),
            shown: None,
        }
    }

    /// Who else may hear its keys: nobody, or everybody.
    #[must_use]
    pub(crate) fn is_ours_alone(&self) -> bool {
        matches!(self.kind, Kind::Keypad | Kind::Phone)
    }

    /// What it is, in words.
    #[must_use]
    pub fn what(&self) -> &'static str {
        match self.kind {
            Kind::Keypad => "a keypad",
            Kind::Keyboard => "a keyboard",
            Kind::Phone => "telephone keys",
            Kind::Ignore => "nothing",
        }
    }

    /// A key is pressed (1), released (0) or repeats itself (2), as the kernel says it.
    pub fn key(&mut self, now: Duration, code: u16, value: i32, desk: &Glance) -> Vec<Out> {
        let mut out = self.tick(now);
        if !(0..=1).contains(&value) {
            return out;
        }
        let is_down = value == 1;
        match self.role(code) {
            Some(Role::Hook) => {
                let moved = self.hook.get_or_insert_with(|| Switch::new(false)).hear(now, is_down);
                out.extend(moved.map(of_hook));
            }
            Some(Role::Button) => {
                out.extend(self.button.hear(now, is_down).map(|press| Out::Act(of_press(press))))
            }
            role => {
                if is_down {
                    self.pressed(now, code, role, desk, &mut out);
                } else {
                    self.let_go(now, code, &mut out);
                }
            }
        }
        out
    }

    /// Its LED of NumLock was switched by somebody else.
    pub(crate) fn num_lock(&mut self, on: bool) {
        if self.kind == Kind::Keyboard {
            self.num_lock = on;
        }
    }

    /// NumLock of the screen was switched. True when this is a keypad, whose LED is to show it.
    pub fn follow_num_lock(&mut self, on: bool) -> bool {
        let follows = self.kind == Kind::Keypad;
        if follows {
            self.num_lock = on;
        }
        follows
    }

    /// What has come of it by now without a further key.
    pub fn tick(&mut self, now: Duration) -> Vec<Out> {
        let mut out: Vec<Out> =
            self.hook.as_mut().and_then(|hook| hook.settle(now)).map(of_hook).into_iter().collect();
        out.extend(self.button.tick(now).map(|press| Out::Act(of_press(press))));
        for (code, key) in self.down.iter_mut().filter(|(_, key)| !key.is_stuck && now >= key.since + STUCK) {
            key.is_stuck = true;
            out.push(Out::Stuck { code: *code });
            out.extend(key.sent.take().map(|code| Out::Key { code, down: false }));
        }
        out
    }

    /// When to look again.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        let stuck = self.down.values().filter(|key| !key.is_stuck).map(|key| key.since + STUCK);
        let hook = self.hook.as_ref().and_then(Switch::due);
        stuck.chain(hook).chain(self.button.due()).min()
    }

    /// It is gone: keys that are down are released for who was told of them.
    pub fn gone(&mut self) -> Vec<Out> {
        let down = std::mem::take(&mut self.down).into_values();
        down.filter_map(|key| Some(Out::Key { code: key.sent?, down: false })).collect()
    }

    /// The LEDs that are to change, by their codes; `has` says which the device has.
    pub fn show(&mut self, lamps: Lamps, has: impl Fn(u16) -> bool) -> Vec<(u16, bool)> {
        if self.shown == Some(lamps) || self.kind == Kind::Keyboard && self.leds.is_empty() {
            return Vec::new();
        }
        let usual = [(Lamp::Mute, LED_MUTE), (Lamp::Message, LED_MAIL)];
        let usual = usual.into_iter().filter(|(lamp, _)| !self.leds.contains_key(lamp));
        let all = self.leds.iter().map(|(lamp, led)| (*lamp, *led)).chain(usual);
        let wanted = all.filter(|(_, led)| has(*led)).map(|(lamp, led)| (lamp, led, is_lit(lamp, lamps)));
        let before = self.shown;
        let changed =
            wanted.filter(|(lamp, _, lit)| before.is_none_or(|before| is_lit(*lamp, before) != *lit));
        let changed = changed.map(|(_, led, lit)| (led, lit)).collect();
        self.shown = Some(lamps);
        changed
    }

    fn role(&self, code: u16) -> Option<Role> {
        if let Some(role) = self.roles.get(&code) {
            return Some(*role);
        }
        if self.kind != Kind::Phone {
            return None;
        }
        match code {
            KEY_PHONE | KEY_MEDIA => Some(Role::Button),
            KEY_PICKUP_PHONE => Some(Role::Answer),
            KEY_HANGUP_PHONE => Some(Role::HangUp),
            KEY_MICMUTE => Some(Role::Mute),
            _ => None,
        }
    }

    fn pressed(&mut self, now: Duration, code: u16, role: Option<Role>, desk: &Glance, out: &mut Vec<Out>) {
        if self.down.contains_key(&code) {
            return;
        }
        self.down.insert(code, Down { since: now, sent: None, is_stuck: false });
        if self.released.get(&code).is_some_and(|released| now < *released + SETTLE) {
            return;
        }
        if let Some(role) = role {
            out.extend(of_role(role).map(Out::Act));
            return;
        }
        match self.kind {
            Kind::Phone => {
                let digit =
                    code.checked_sub(KEY_NUMERIC_0).and_then(|n| "0123456789*#".chars().nth(usize::from(n)));
                out.extend(digit.map(|digit| Out::Act(Act::Digit(digit))));
            }
            Kind::Keypad => {
                if code == KEY_NUMLOCK {
                    self.num_lock = !self.num_lock;
                    out.push(Out::NumLock(self.num_lock));
                }
                if desk.has_screen || code == KEY_NUMLOCK {
                    let sent = translate(code, self.num_lock);
                    out.push(Out::Key { code: sent, down: true });
                    self.down.insert(code, Down { since: now, sent: Some(sent), is_stuck: false });
                } else {
                    out.extend(self.without_screen(code, desk));
                }
            }
            Kind::Keyboard if !desk.has_screen => out.extend(self.without_screen(code, desk)),
            Kind::Keyboard | Kind::Ignore => {}
        }
    }

    fn let_go(&mut self, now: Duration, code: u16, out: &mut Vec<Out>) {
        // A release whose press nobody saw: it was down at the start.
        let Some(key) = self.down.remove(&code) else { return };
        out.extend(key.sent.map(|code| Out::Key { code, down: false }));
        self.released.retain(|_, released| now < *released + SETTLE);
        self.released.insert(code, now);
    }

    /// What a key does that no screen takes (CALL-12), as far as the desk can know what is meant.
    fn without_screen(&self, code: u16, desk: &Glance) -> Option<Out> {
        if self.num_lock
            && desk.takes_digits
            && let Some(digit) = keypad_digit(code)
        {
            return Some(Out::Act(Act::Digit(digit)));
        }
        let name = key_name(translate(code, self.num_lock), code == KEY_KP5 && !self.num_lock)?;
        let control = [KEY_LEFTCTRL, KEY_RIGHTCTRL].iter().any(|code| self.down.contains_key(code));
        let names =
            if control { name.iter().map(|name| format!("Control+{name}")).collect() } else { owned(name) };
        action(&names, desk).map(|action| Out::Act(Act::Hook(action)))
    }
}

/// The usual keys of what needs no selection (`ui/src/keys.rs`), by the names under which the screen keeps them.
const USUAL: [(&str, HookAction, &[&str]); 6] = [
    // With nothing selected: answer, else retrieve, else hold.
    ("primary", HookAction::Next, &["Insert", "F6"]),
    ("hang_up", HookAction::HangUpActive, &["Delete", "F7"]),
    ("next", HookAction::Next, &["F9"]),
    ("hang_up_active", HookAction::HangUpActive, &["F10"]),
    ("answer_longest", HookAction::AnswerLongest, &["*", "F11"]),
    ("night", HookAction::Night, &["F12"]),
];

/// What a key does, by its names. One that the operator has given to something else does that or nothing.
fn action(names: &[String], desk: &Glance) -> Option<HookAction> {
    let of = |name: &str| USUAL.iter().find(|(action, ..)| *action == name).map(|(_, action, _)| *action);
    let is_one = |key: &str| names.iter().any(|name| name == key);
    let changed = desk.shortcuts.iter().find(|(_, keys)| keys.iter().any(|key| is_one(key)));
    if let Some((name, _)) = changed {
        return of(name);
    }
    let usual = USUAL.iter().filter(|(name, ..)| !desk.shortcuts.contains_key(*name));
    usual.clone().find(|(_, _, keys)| keys.iter().any(|key| is_one(key))).map(|(_, action, _)| *action)
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The key of the main block that means the same as a keypad's.
fn translate(code: u16, num_lock: bool) -> u16 {
    match (code, num_lock) {
        (KEY_KPENTER, _) => KEY_ENTER,
        (KEY_KP0, false) => KEY_INSERT,
        (KEY_KPDOT, false) => KEY_DELETE,
        (KEY_KP1, false) => KEY_END,
        (KEY_KP2, false) => KEY_DOWN,
        (KEY_KP3, false) => KEY_PAGEDOWN,
        (KEY_KP4, false) => KEY_LEFT,
        (KEY_KP5, false) => KEY_F5,
        (KEY_KP6, false) => KEY_RIGHT,
        (KEY_KP7, false) => KEY_HOME,
        (KEY_KP8, false) => KEY_UP,
        (KEY_KP9, false) => KEY_PAGEUP,
        (code, _) => code,
    }
}

/// What the screen calls a key (`ui/src/keys.rs`); `is_five` is the keypad's 5 without NumLock, which has two names.
fn key_name(code: u16, is_five: bool) -> Option<&'static [&'static str]> {
    const FUNCTION: [&[&str]; 12] = [
        &["F1"],
        &["F2"],
        &["F3"],
        &["F4"],
        &["F5"],
        &["F6"],
        &["F7"],
        &["F8"],
        &["F9"],
        &["F10"],
        &["F11"],
        &["F12"],
    ];
    Some(match code {
        _ if is_five => &["Clear"],
        KEY_INSERT => &["Insert"],
        KEY_DELETE => &["Delete"],
        KEY_KPPLUS => &["+", "Add"],
        KEY_KPMINUS => &["-"],
        KEY_KPASTERISK => &["*"],
        KEY_KPSLASH => &["/"],
        KEY_COMPOSE => &["ContextMenu"],
        KEY_F1..=KEY_F10 => FUNCTION[usize::from(code - KEY_F1)],
        KEY_F11 | KEY_F12 => FUNCTION[usize::from(code - KEY_F11) + 10],
        _ => return None,
    })
}

fn keypad_digit(code: u16) -> Option<char> {
    Some(match code {
        KEY_KP0 => '0',
        KEY_KP1 => '1',
        KEY_KP2 => '2',
        KEY_KP3 => '3',
        KEY_KP4 => '4',
        KEY_KP5 => '5',
        KEY_KP6 => '6',
        KEY_KP7 => '7',
        KEY_KP8 => '8',
        KEY_KP9 => '9',
        KEY_KPASTERISK => '*',
        _ => return None,
    })
}

fn of_hook(lifted: bool) -> Out {
    Out::Act(Act::Hook(if lifted { HookAction::OffHook } else { HookAction::OnHook }))
}

fn of_role(role: Role) -> Option<Act> {
    match role {
        Role::Mute => Some(Act::ToggleMute),
        Role::Hold => Some(Act::Hold),
        Role::Next => Some(Act::Hook(HookAction::Next)),
        Role::Answer => Some(Act::Hook(HookAction::AnswerLongest)),
        Role::HangUp => Some(Act::Hook(HookAction::HangUpActive)),
        Role::Night => Some(Act::Hook(HookAction::Night)),
        // These have a duration, and are taken before.
        Role::Hook | Role::Button | Role::None => None,
    }
}

fn is_lit(lamp: Lamp, lamps: Lamps) -> bool {
    match lamp {
        Lamp::Ring => lamps.ring,
        Lamp::Busy => lamps.off_hook,
        Lamp::Mute => lamps.mute,
        Lamp::Hold => lamps.hold,
        Lamp::Message => lamps.message,
    }
}

/// The keys that the screen may be sent.
pub fn forwarded() -> impl Iterator<Item = u16> {
    // The main block with its function keys, the keypad, and what lies between them.
    (1..=KEY_F12)
        .chain([KEY_KPENTER, KEY_RIGHTCTRL, KEY_KPSLASH])
        .chain(KEY_HOME..=KEY_DELETE)
        .chain([KEY_COMPOSE])
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use ipc::CallRef;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn keys(kind: Kind) -> Keys {
        Keys::new(kind, &Profile::default(), |_| false, false)
    }

    fn screen() -> Glance {
        Glance { has_screen: true, ..Glance::default() }
    }

    fn hook(action: HookAction) -> Out {
        Out::Act(Act::Hook(action))
    }

    /// Presses and releases, each key 100 ms after the one before.
    fn type_on(keys: &mut Keys, codes: &[u16], desk: &Glance) -> Vec<Out> {
        let mut out = Vec::new();
        for (n, code) in codes.iter().enumerate() {
            let at = ms(200 * n as u64);
            out.extend(keys.key(at, *code, 1, desk));
            out.extend(keys.key(at + ms(100), *code, 0, desk));
        }
        out
    }

    fn sent(out: &[Out]) -> Vec<u16> {
        out.iter()
            .filter_map(|out| if let Out::Key { code, down: true } = out { Some(*code) } else { None })
            .collect()
    }

    #[test]
    fn call_12_a_keypad_without_numlock_is_the_screens_under_names_that_it_knows() {
        let mut keypad = keys(Kind::Keypad);
        let typed = [
            KEY_KP0,
            KEY_KPDOT,
            KEY_KPPLUS,
            KEY_KP8,
            KEY_KP2,
            KEY_KP4,
            KEY_KP6,
            KEY_KP9,
            KEY_KP3,
            KEY_KP7,
            KEY_KP1,
            KEY_KP5,
            KEY_KPENTER,
        ];
        let out = type_on(&mut keypad, &typed, &screen());
        let seen = [
            KEY_INSERT,
            KEY_DELETE,
            KEY_KPPLUS,
            KEY_UP,
            KEY_DOWN,
            KEY_LEFT,
            KEY_RIGHT,
            KEY_PAGEUP,
            KEY_PAGEDOWN,
            KEY_HOME,
            KEY_END,
            KEY_F5,
            KEY_ENTER,
        ];
        assert_eq!(sent(&out), seen);
        assert_eq!(
            out.len(),
            2 * typed.len(),
            "each is released, and the desk does nothing of its own: {out:?}"
        );
        assert!(seen.iter().all(|code| forwarded().any(|known| known == *code)));
    }

    #[test]
    fn call_12_with_numlock_a_keypad_types_digits_and_the_screen_hears_of_numlock() {
        let mut keypad = keys(Kind::Keypad);
        let out = type_on(&mut keypad, &[KEY_NUMLOCK, KEY_KP5, KEY_NUMLOCK, KEY_KP5], &screen());
        assert_eq!(sent(&out), [KEY_NUMLOCK, KEY_KP5, KEY_NUMLOCK, KEY_F5]);
        let leds: Vec<&Out> = out.iter().filter(|out| matches!(out, Out::NumLock(_))).collect();
        assert_eq!(leds, [&Out::NumLock(true), &Out::NumLock(false)]);
        // NumLock that changes while a key is down: it is released as what it was.
        keypad.key(ms(9000), KEY_KP5, 1, &screen());
        keypad.key(ms(9100), KEY_NUMLOCK, 1, &screen());
        assert_eq!(keypad.key(ms(9200), KEY_KP5, 0, &screen()), [Out::Key { code: KEY_F5, down: false }]);
    }

    #[test]
    fn call_12_hw_2_a_keypad_that_comes_and_a_second_one_have_the_numlock_of_the_screen() {
        let mut back = Keys::new(Kind::Keypad, &Profile::default(), |_| false, true);
        assert_eq!(sent(&type_on(&mut back, &[KEY_KP0, KEY_KPDOT], &screen())), [KEY_KP0, KEY_KPDOT]);
        // The other keypad has switched it off, the key has reached the screen from there.
        assert!(back.follow_num_lock(false));
        assert_eq!(sent(&type_on(&mut back, &[KEY_KP1], &screen())), [KEY_END]);
        let out = type_on(&mut back, &[KEY_NUMLOCK], &screen());
        assert_eq!(out[0], Out::NumLock(true), "one press is on again");
        assert!(!keys(Kind::Keyboard).follow_num_lock(true), "a keyboard's is what its LED says");
    }

    #[test]
    fn call_12_hw_2_without_a_screen_the_same_keys_do_what_needs_no_selection() {
        let alone = Glance::default();
        for kind in [Kind::Keypad, Kind::Keyboard] {
            let out = type_on(
                &mut keys(kind),
                &[KEY_KP0, KEY_KPDOT, KEY_F1 + 8, KEY_F10, KEY_KPASTERISK, KEY_F12],
                &alone,
            );
            let done = [
                HookAction::Next,
                HookAction::HangUpActive,
                HookAction::Next,
                HookAction::HangUpActive,
                HookAction::AnswerLongest,
                HookAction::Night,
            ];
            assert_eq!(out, done.map(hook), "{kind:?}");
            // What only a screen can do is lost.
            assert_eq!(type_on(&mut keys(kind), &[KEY_KP8, KEY_KPPLUS, KEY_KPENTER, KEY_A], &alone), []);
        }
        let mut keyboard = keys(Kind::Keyboard);
        assert_eq!(
            type_on(&mut keyboard, &[KEY_INSERT, KEY_F10, KEY_A], &screen()),
            [],
            "the screen has them"
        );
    }

    #[test]
    fn call_12_remapped_keys_are_remapped_here_too() {
        let changed = [("night", &["F9"][..]), ("next", &["Control+F9", "Clear"]), ("transfer", &["F10"])];
        let keep = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        let shortcuts = changed.map(|(action, keys)| (action.to_owned(), keep(keys))).into();
        let alone = Glance { shortcuts, ..Glance::default() };
        let mut keypad = keys(Kind::Keypad);
        let f9 = KEY_F1 + 8;
        assert_eq!(
            type_on(&mut keypad, &[f9, KEY_KP5, KEY_F10, KEY_F12, KEY_F11], &alone),
            [hook(HookAction::Night), hook(HookAction::Next), hook(HookAction::AnswerLongest),]
        );
        keypad.key(ms(9000), KEY_LEFTCTRL, 1, &alone);
        assert_eq!(keypad.key(ms(9100), f9, 1, &alone), [hook(HookAction::Next)]);
        assert_eq!(keypad.key(ms(9200), KEY_F11, 1, &alone), [], "with Control it is another key");
    }

    #[test]
    fn hw_2_digits_reach_who_talks_when_there_is_no_screen() {
        let talks = Glance { talk: Some(CallRef(1)), takes_digits: true, ..Glance::default() };
        let mut keypad = keys(Kind::Keypad);
        let out = type_on(&mut keypad, &[KEY_NUMLOCK, KEY_KP4, KEY_KPASTERISK], &talks);
        let digits: Vec<&Out> = out.iter().filter(|out| matches!(out, Out::Act(_))).collect();
        assert_eq!(digits, [&Out::Act(Act::Digit('4')), &Out::Act(Act::Digit('*'))]);
    }

    #[test]
    fn hw_2_a_stuck_key_is_released_and_so_is_one_whose_keypad_is_pulled() {
        let mut keypad = keys(Kind::Keypad);
        keypad.key(ms(0), KEY_KP3, 1, &screen());
        for at in 1..40 {
            assert_eq!(keypad.key(ms(at * 200), KEY_KP3, 2, &screen()), [], "it repeats itself");
        }
        assert_eq!(keypad.due(), Some(STUCK));
        let released = Out::Key { code: KEY_PAGEDOWN, down: false };
        assert_eq!(keypad.tick(STUCK), [Out::Stuck { code: KEY_KP3 }, released]);
        assert_eq!((keypad.tick(ms(60_000)), keypad.due()), (Vec::new(), None));
        assert_eq!(keypad.key(ms(61_000), KEY_KP3, 0, &screen()), [], "once");
        keypad.key(ms(62_000), KEY_KP0, 1, &screen());
        assert_eq!(keypad.gone(), [Out::Key { code: KEY_INSERT, down: false }]);
        assert_eq!(keypad.gone(), []);
    }

    #[test]
    fn hw_2_a_key_that_chatters_is_pressed_once() {
        let mut keypad = keys(Kind::Keypad);
        let mut out = Vec::new();
        for (at, value) in [(0, 1), (8, 0), (15, 1), (100, 0), (300, 1), (380, 0)] {
            out.extend(keypad.key(ms(at), KEY_KP0, value, &screen()));
        }
        assert_eq!(sent(&out), [KEY_INSERT; 2]);
    }

    #[test]
    fn hw_1_a_hook_on_a_wire_and_a_headsets_button_on_a_jack() {
        let profile = Profile { keys: BTreeMap::from([(KEY_PHONE, Role::Hook)]), ..Profile::default() };
        let mut cradle = Keys::new(Kind::Phone, &profile, |code| code == KEY_PHONE, false);
        let desk = Glance::default();
        assert_eq!(cradle.tick(ms(60_000)), [], "off the hook when it came");
        for (at, value) in [(61_000, 0), (61_005, 1), (61_009, 0)] {
            assert_eq!(cradle.key(ms(at), KEY_PHONE, value, &desk), []);
        }
        assert_eq!(cradle.tick(ms(61_059)), [hook(HookAction::OnHook)]);
        let mut jack = keys(Kind::Phone);
        jack.key(ms(0), KEY_MEDIA, 1, &desk);
        jack.tick(ms(50));
        assert_eq!(jack.due(), Some(ms(2000)));
        assert_eq!(jack.tick(ms(2000)), [hook(HookAction::ButtonHeld)]);
        jack.key(ms(3000), KEY_MEDIA, 0, &desk);
        let out = [KEY_MICMUTE, KEY_PICKUP_PHONE, KEY_HANGUP_PHONE, KEY_NUMERIC_0 + 7, KEY_NUMERIC_POUND];
        let out = out.map(|code| jack.key(ms(4000), code, 1, &desk)[0]);
        assert_eq!(
            out,
            [
                Out::Act(Act::ToggleMute),
                hook(HookAction::AnswerLongest),
                hook(HookAction::HangUpActive),
                Out::Act(Act::Digit('7')),
                Out::Act(Act::Digit('#')),
            ]
        );
    }

    #[test]
    fn hw_2_lamps_are_the_leds_that_a_table_names_or_the_device_has() {
        let leds = BTreeMap::from([(Lamp::Ring, 2), (Lamp::Busy, 1)]);
        let profile = Profile { leds, ..Profile::default() };
        let mut keypad = Keys::new(Kind::Keypad, &profile, |_| false, false);
        let has = |led: u16| [0, 1, 2, LED_MUTE].contains(&led);
        let dark = [(2, false), (1, false), (LED_MUTE, false)];
        assert_eq!(keypad.show(Lamps::default(), has), dark);
        let rings = Lamps { ring: true, message: true, ..Lamps::default() };
        assert_eq!(keypad.show(rings, has), [(2, true)]);
        assert_eq!(keypad.show(rings, has), []);
        assert_eq!(keys(Kind::Keyboard).show(rings, has), [], "a keyboard's are the screen's");
    }

    #[test]
    fn hw_2_devices_are_told_by_their_keys() {
        assert_eq!(classify(|_| true), Some(Kind::Keyboard));
        assert_eq!(classify(|code| (KEY_NUMLOCK..=KEY_KPDOT).contains(&code)), Some(Kind::Keypad));
        assert_eq!(classify(|code| code == KEY_MICMUTE), Some(Kind::Phone));
        assert_eq!(classify(|code| code == 0x110), None, "a mouse");
        assert_eq!(classify(|code| [KEY_PHONE, KEY_CALC].contains(&code)), None, "a keyboard's media keys");
    }
}
