//! Keys that the operator changes (CALL-12, SET-1): of which actions, to what, and what a pressed key is called.
//!
//! Nobody can lock themself out: the keys that move, take and leave stay as they are, and what a text field needs is
//! not given away.

use std::collections::BTreeMap;

use ipc::{MAX_SHORTCUTS, Shortcuts};
use slint::platform::Key;

use crate::keys::{ConsoleKey, KeyMap, key_char};

/// Actions whose keys may be changed, in the order of the settings.
pub const EDITABLE: [ConsoleKey; 28] = [
    ConsoleKey::Primary,
    ConsoleKey::HangUp,
    ConsoleKey::Next,
    ConsoleKey::AnswerLongest,
    ConsoleKey::HangUpActive,
    ConsoleKey::Transfer,
    ConsoleKey::Undo,
    ConsoleKey::Menu,
    ConsoleKey::Switch,
    ConsoleKey::Number,
    ConsoleKey::Search,
    ConsoleKey::Find,
    ConsoleKey::Log,
    ConsoleKey::Statistics,
    ConsoleKey::Note,
    ConsoleKey::Reminders,
    ConsoleKey::Settings,
    ConsoleKey::View,
    ConsoleKey::Night,
    ConsoleKey::Lock,
    ConsoleKey::Privacy,
    ConsoleKey::Operator,
    ConsoleKey::Allow,
    ConsoleKey::Refuse,
    ConsoleKey::TestSound,
    ConsoleKey::HearBack,
    ConsoleKey::Speak,
    ConsoleKey::ReadDesk,
];
/// Most keys of one action.
pub const MOST: usize = MAX_SHORTCUTS.1;
/// Without Control, only keys that type nothing anywhere, and the signs of the keypad.
const ALONE: [&str; 8] = ["Insert", "Delete", "Clear", "ContextMenu", "+", "-", "*", "/"];
/// What fields and the note do with Control.
const OF_FIELDS: &str = "abcisuvxyz";
/// Pressed on the way to another key.
const ON_THE_WAY: [Key; 8] =
    [Key::Shift, Key::ShiftR, Key::Control, Key::ControlR, Key::Alt, Key::AltGr, Key::Meta, Key::CapsLock];

/// The table of a [`KeyMap`], for those actions that may be changed.
pub type Table = BTreeMap<ConsoleKey, Vec<String>>;

/// A key that was pressed to become the key of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// Shift or Control, on the way to another.
    OnTheWay,
    /// Escape: never mind.
    Stop,
    /// A letter, a digit or a sign: it is typed.
    Typed,
    /// Fields need it, with Control: copying and the like.
    OfFields,
    /// It moves, takes or leaves.
    Fixed,
    /// The name of a key that can be had.
    Key(String),
}

impl Recorded {
    /// Of a key event.
    #[must_use]
    pub fn of(text: &str, control: bool, alt: bool) -> Self {
        let mut chars = text.chars();
        let (Some(key), None) = (chars.next(), chars.next()) else { return Self::Fixed };
        if ON_THE_WAY.iter().any(|modifier| char::from(*modifier) == key) {
            return Self::OnTheWay;
        }
        if key == char::from(Key::Escape) {
            return Self::Stop;
        }
        if alt {
            return Self::Fixed;
        }
        let functions = (1..=12).map(|number| format!("F{number}"));
        let alone = ALONE.iter().map(|name| (*name).to_owned());
        let named = functions.chain(alone).find(|name| key_char(name) == Some(key));
        match (named, control) {
            (Some(name), false) => Self::Key(name),
            (Some(name), true) => Self::Key(format!("Control+{name}")),
            (None, true) => {
                let key = key.to_ascii_lowercase();
                match key {
                    _ if OF_FIELDS.contains(key) => Self::OfFields,
                    'a'..='z' | '0'..='9' => Self::Key(format!("Control+{key}")),
                    _ => Self::Fixed,
                }
            }
            (None, false) if is_private(key) || key.is_control() => Self::Fixed,
            (None, false) => Self::Typed,
        }
    }
}

/// Slint's names of keys that have no text.
fn is_private(key: char) -> bool {
    ('\u{e000}'..='\u{f8ff}').contains(&key)
}

/// The keys of what may be changed, with these changes. A name that nobody knows any more is passed over, and where
/// two would have one key, a changed one goes before a usual one.
#[must_use]
pub fn table(usual: &KeyMap, shortcuts: &Shortcuts) -> Table {
    let changed = |action: ConsoleKey| shortcuts.get(&name(action));
    let (mut wanted, mut given) = (Table::new(), Vec::<String>::new());
    let (first, second): (Vec<_>, Vec<_>) = EDITABLE.iter().partition(|action| changed(**action).is_some());
    for action in first.into_iter().chain(second) {
        let keys = changed(action).map_or(usual.keys(action), Vec::as_slice);
        let fits = |key: &&String| is_key(key, usual) && !given.contains(key);
        let keys: Vec<String> = keys.iter().filter(fits).take(MOST).cloned().collect();
        given.extend(keys.iter().cloned());
        wanted.insert(action, keys);
    }
    wanted
}

/// What of a table is not as usual.
#[must_use]
pub fn changes(usual: &KeyMap, wanted: &Table) -> Shortcuts {
    let differs = |(action, keys): &(&ConsoleKey, &Vec<String>)| usual.keys(**action) != keys.as_slice();
    wanted.iter().filter(differs).map(|(action, keys)| (name(*action), keys.clone())).collect()
}

/// All keys of the console, with these changes.
#[must_use]
pub fn map(usual: &KeyMap, shortcuts: &Shortcuts) -> KeyMap {
    let mut whole: Table = usual.clone().into();
    whole.extend(table(usual, shortcuts));
    // A table without a clash is always taken.
    KeyMap::new(whole).unwrap_or_else(|error| {
        tracing::error!("the usual keys are used: {error}");
        usual.clone()
    })
}

/// Who has a key.
#[must_use]
pub fn owner(wanted: &Table, key: &str) -> Option<ConsoleKey> {
    wanted.iter().find(|(_, keys)| keys.iter().any(|other| other == key)).map(|(action, _)| *action)
}

/// A key that exists and is not one of those that move.
fn is_key(name: &str, usual: &KeyMap) -> bool {
    let (key, control) = match name.strip_prefix("Control+") {
        Some(key) => (key, true),
        None => (name, false),
    };
    let Some(text) = key_char(key) else { return false };
    let holder = usual.read(&text.to_string(), control, false, false);
    holder.is_none_or(|action| EDITABLE.contains(&action))
}

/// What an action is called where it is kept.
fn name(action: ConsoleKey) -> String {
    match serde_json::to_value(action) {
        Ok(serde_json::Value::String(name)) => name,
        // A plain variant is always a word.
        _ => format!("{action:?}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn pressed(key: impl Into<char>, control: bool) -> Recorded {
        Recorded::of(&key.into().to_string(), control, false)
    }

    fn some(entries: &[(&str, &[&str])]) -> Shortcuts {
        let names = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        entries.iter().map(|(action, keys)| ((*action).to_owned(), names(keys))).collect()
    }

    #[test]
    fn call_12_a_pressed_key_has_a_name_or_a_reason_why_it_cannot_be_had() {
        assert_eq!(pressed(Key::F9, false), Recorded::Key("F9".into()));
        assert_eq!(pressed(Key::F9, true), Recorded::Key("Control+F9".into()));
        assert_eq!(pressed('K', true), Recorded::Key("Control+k".into()));
        assert_eq!(pressed('*', false), Recorded::Key("*".into()));
        assert_eq!(pressed('g', false), Recorded::Typed);
        assert_eq!(pressed('5', false), Recorded::Typed);
        assert_eq!(pressed('c', true), Recorded::OfFields);
        assert_eq!(pressed(Key::UpArrow, false), Recorded::Fixed);
        assert_eq!(pressed(Key::Return, false), Recorded::Fixed);
        assert_eq!(pressed(Key::Tab, false), Recorded::Fixed);
        assert_eq!(pressed(Key::Escape, false), Recorded::Stop);
        assert_eq!(pressed(Key::Control, false), Recorded::OnTheWay);
        assert_eq!(Recorded::of("é", false, true), Recorded::Fixed);
        assert_eq!(Recorded::of("", false, false), Recorded::Fixed);
    }

    #[test]
    fn call_12_what_can_be_recorded_is_read_again() {
        let usual = KeyMap::default();
        let names = (1..=12).map(|number| format!("F{number}")).chain(ALONE.map(str::to_owned));
        for key in names.chain(["Control+k".to_owned(), "Control+F3".to_owned()]) {
            let map = map(&usual, &some(&[("night", &[&key])]));
            assert_eq!(map.keys(ConsoleKey::Night), [key]);
        }
    }

    #[test]
    fn call_12_every_usual_key_may_be_had_by_another_action() {
        let usual = KeyMap::default();
        let all = table(&usual, &Shortcuts::new());
        for action in EDITABLE {
            assert_eq!(all[&action], usual.keys(action), "{action:?}");
            for key in usual.keys(action) {
                assert!(is_key(key, &usual), "{key}");
            }
        }
        assert_eq!(changes(&usual, &all), Shortcuts::new());
    }

    #[test]
    fn call_12_a_changed_key_goes_before_a_usual_one() {
        let usual = KeyMap::default();
        let kept = some(&[("night", &["F9"])]);
        let wanted = table(&usual, &kept);
        assert_eq!(wanted[&ConsoleKey::Night], ["F9"]);
        assert_eq!(wanted[&ConsoleKey::Next], Vec::<String>::new());
        let read = |key: Key| map(&usual, &kept).read(&char::from(key).to_string(), false, false, false);
        assert_eq!(read(Key::F9), Some(ConsoleKey::Night));
        assert_eq!(read(Key::F12), None);
        assert_eq!(read(Key::UpArrow), Some(ConsoleKey::Up));
    }

    #[test]
    fn call_12_what_is_kept_and_makes_no_sense_is_passed_over() {
        let usual = KeyMap::default();
        let kept = some(&[
            ("night", &["Hyper", "ArrowUp", "F9"]),
            ("next", &["F9", "F8"]),
            ("up", &["F1"]),
            ("no_such_action", &["F2"]),
        ]);
        let map = map(&usual, &kept);
        assert_eq!(
            owner(&table(&usual, &kept), "F9"),
            Some(ConsoleKey::Next),
            "the first in the table has it"
        );
        assert_eq!(map.keys(ConsoleKey::Up), ["ArrowUp"]);
        assert_eq!(map.keys(ConsoleKey::Undo), usual.keys(ConsoleKey::Undo));
        assert_eq!(map.keys(ConsoleKey::Transfer), ["+"], "F8 was taken from it");
        assert_eq!(map.keys(ConsoleKey::Night), Vec::<String>::new());
    }
}
