//! What a key means to the console (CALL-12).
//!
//! [`KeyMap`] is plain data: each [`ConsoleKey`] has the names of its keys, as browsers name them, and
//! any table without a clash can take the place of [`KeyMap::default`]. "Control+" before a name is that key
//! with Control. Slint's key events carry a
//! text, and nothing tells the keypad from the main block: its `+` is the `+` of the main block. So a
//! key is read together with where the operator is: in a text field only the function keys are ours.
//!
//! Not here: the keypad under the desk; `frontdeskd` reads that one itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use slint::platform::Key;

/// A key of the console: what it does, not where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsoleKey {
    /// Answer, hold or retrieve the call, or call the contact.
    Primary,
    /// Hang up or reject.
    HangUp,
    /// The transfer menu.
    Transfer,
    /// The menu of the selected call: every action it allows.
    Menu,
    /// Call the last transfer off while that can be done.
    Undo,
    /// Up.
    Up,
    /// Down.
    Down,
    /// Left.
    Left,
    /// Right.
    Right,
    /// A screenful up.
    PageUp,
    /// A screenful down.
    PageDown,
    /// To the first.
    Home,
    /// To the last.
    End,
    /// From the incoming to the outgoing calls, to the directory, and round again.
    Switch,
    /// The search bar.
    Search,
    /// The search over all directories (DIR-7).
    Find,
    /// The note (NOTE-1).
    Note,
    /// The settings (SET-1).
    Settings,
    /// The call log (LOG-2).
    Log,
    /// The statistics (STA-1).
    Statistics,
    /// The reminders (REM-1).
    Reminders,
    /// The dial bar.
    Number,
    /// Answer, else retrieve, else hold.
    Next,
    /// Hang up the active call.
    HangUpActive,
    /// Answer the call of the highest priority that has waited longest.
    AnswerLongest,
    /// Night service on, or back to the timetable.
    Night,
    /// List or table view, and the dividers (CALL-6).
    View,
    /// Lock the screen (ACC-1).
    Lock,
    /// Hide names and numbers from visitors, or show them again.
    Privacy,
    /// The menu of who is signed in: lock, sign out.
    Operator,
    /// Let who asks see this screen.
    Allow,
    /// Let nobody see this screen.
    Refuse,
    /// In the settings: play notes where callers are heard.
    TestSound,
    /// In the settings: record what is said, and hear it.
    HearBack,
    /// The desk reads aloud, or no longer.
    Speak,
    /// Read the whole desk aloud: who rings, waits and talks.
    ReadDesk,
    /// Take what is marked.
    Enter,
    /// One step back.
    Escape,
}

/// The keys of CALL-12, and the console's own for what CALL-12 does not name.
const DEFAULT: &[(ConsoleKey, &[&str])] = &[
    (ConsoleKey::Primary, &["Insert", "F6"]),
    (ConsoleKey::HangUp, &["Delete", "F7"]),
    (ConsoleKey::Transfer, &["+", "F8"]),
    (ConsoleKey::Menu, &["/", "ContextMenu"]),
    (ConsoleKey::Undo, &["-", "F2"]),
    (ConsoleKey::Up, &["ArrowUp"]),
    (ConsoleKey::Down, &["ArrowDown"]),
    (ConsoleKey::Left, &["ArrowLeft"]),
    (ConsoleKey::Right, &["ArrowRight"]),
    (ConsoleKey::PageUp, &["PageUp"]),
    (ConsoleKey::PageDown, &["PageDown"]),
    (ConsoleKey::Home, &["Home"]),
    (ConsoleKey::End, &["End"]),
    (ConsoleKey::Switch, &["Clear", "F5"]),
    (ConsoleKey::Search, &["F3"]),
    (ConsoleKey::Find, &["Control+f"]),
    (ConsoleKey::Note, &["Control+e"]),
    (ConsoleKey::Settings, &["Control+p"]),
    (ConsoleKey::Log, &["Control+l"]),
    (ConsoleKey::Statistics, &["Control+g"]),
    (ConsoleKey::Reminders, &["Control+d"]),
    (ConsoleKey::Number, &["F4"]),
    (ConsoleKey::Next, &["F9"]),
    (ConsoleKey::HangUpActive, &["F10"]),
    (ConsoleKey::AnswerLongest, &["*", "F11"]),
    (ConsoleKey::Night, &["F12"]),
    (ConsoleKey::View, &["F1"]),
    (ConsoleKey::Lock, &["Control+q"]),
    (ConsoleKey::Privacy, &["Control+h"]),
    (ConsoleKey::Operator, &["Control+o"]),
    (ConsoleKey::Allow, &["Control+y"]),
    (ConsoleKey::Refuse, &["Control+n"]),
    (ConsoleKey::TestSound, &["Control+t"]),
    (ConsoleKey::HearBack, &["Control+r"]),
    (ConsoleKey::Speak, &["Control+k"]),
    (ConsoleKey::ReadDesk, &["Control+j"]),
    (ConsoleKey::Enter, &["Enter"]),
    (ConsoleKey::Escape, &["Escape"]),
];

/// The text of the keypad's 5 without NumLock. Slint has no name for it; the web page and backends
/// that know the key send this.
pub const CLEAR: char = '\u{F739}';

/// Which keys do what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<ConsoleKey, Vec<String>>", into = "BTreeMap<ConsoleKey, Vec<String>>")]
pub struct KeyMap {
    table: BTreeMap<ConsoleKey, Vec<String>>,
    /// By the text and whether Control is down.
    by_text: BTreeMap<(char, bool), (ConsoleKey, bool)>,
}

/// Why a table of keys cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKeyMap {
    /// No key has this name.
    #[error("no key is called {0:?}")]
    Unknown(String),
    /// One key would do two things.
    #[error("{key:?} is given to {one:?} and to {other:?}")]
    Twice {
        /// The key.
        key: String,
        /// What it does first.
        one: ConsoleKey,
        /// And then.
        other: ConsoleKey,
    },
}

impl KeyMap {
    /// F1 to F24: no text and no page has a use for them here.
    #[must_use]
    pub fn is_function(text: &str) -> bool {
        text.chars().next().is_some_and(|c| ('\u{f704}'..='\u{f71b}').contains(&c))
    }

    /// A map from actions to key names. An action without an entry has no key.
    ///
    /// # Errors
    /// [`BadKeyMap`]: a name that no key has, or a key given twice.
    pub fn new(table: BTreeMap<ConsoleKey, Vec<String>>) -> Result<Self, BadKeyMap> {
        let mut by_text = BTreeMap::new();
        for (action, keys) in &table {
            for key in keys {
                let text = chord(key).ok_or_else(|| BadKeyMap::Unknown(key.clone()))?;
                let before = by_text.insert(text, (*action, works_in_fields(key)));
                if let Some((one, _)) = before {
                    return Err(BadKeyMap::Twice { key: key.clone(), one, other: *action });
                }
            }
        }
        Ok(Self { table, by_text })
    }

    /// Reads a key event. `typing`: a text field has the focus and wants letters, Left and Right,
    /// Home and End and Delete for itself.
    #[must_use]
    pub fn read(&self, text: &str, control: bool, alt: bool, typing: bool) -> Option<ConsoleKey> {
        let mut chars = text.chars();
        let key = chars.next().filter(|_| chars.next().is_none() && !alt)?;
        let (action, in_fields) = self.by_text.get(&(key, control))?;
        (!typing || *in_fields).then_some(*action)
    }

    /// The names of an action's keys.
    #[must_use]
    pub fn keys(&self, action: ConsoleKey) -> &[String] {
        self.table.get(&action).map_or(&[], Vec::as_slice)
    }
}

impl Default for KeyMap {
    fn default() -> Self {
        let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        let table = DEFAULT.iter().map(|(action, names)| (*action, keys(names))).collect();
        // A test below builds it; without keys the screen can still be touched.
        Self::new(table).unwrap_or(Self { table: BTreeMap::new(), by_text: BTreeMap::new() })
    }
}

impl TryFrom<BTreeMap<ConsoleKey, Vec<String>>> for KeyMap {
    type Error = BadKeyMap;

    fn try_from(table: BTreeMap<ConsoleKey, Vec<String>>) -> Result<Self, BadKeyMap> {
        Self::new(table)
    }
}

impl From<KeyMap> for BTreeMap<ConsoleKey, Vec<String>> {
    fn from(map: KeyMap) -> Self {
        map.table
    }
}

/// The text of a key and whether Control goes with it.
fn chord(name: &str) -> Option<(char, bool)> {
    match name.strip_prefix("Control+") {
        Some(key) => Some((key_char(key)?, true)),
        None => Some((key_char(name)?, false)),
    }
}

/// The text that Slint gives the key of this name; a letter or a sign is its own name.
#[must_use]
pub fn key_char(name: &str) -> Option<char> {
    let mut chars = name.chars();
    if let (Some(letter), None) = (chars.next(), chars.next()) {
        return Some(letter);
    }
    let key = match name {
        "Clear" => return Some(CLEAR),
        "Add" => return Some('+'),
        "Space" => return Some(' '),
        "Enter" | "Return" => Key::Return,
        "Escape" => Key::Escape,
        "Backspace" => Key::Backspace,
        "Tab" => Key::Tab,
        "Delete" | "Del" => Key::Delete,
        "Insert" | "Ins" => Key::Insert,
        "Home" => Key::Home,
        "End" => Key::End,
        "PageUp" => Key::PageUp,
        "PageDown" => Key::PageDown,
        "ArrowUp" | "Up" => Key::UpArrow,
        "ArrowDown" | "Down" => Key::DownArrow,
        "ArrowLeft" | "Left" => Key::LeftArrow,
        "ArrowRight" | "Right" => Key::RightArrow,
        "ContextMenu" => Key::Menu,
        "Shift" => Key::Shift,
        "Control" => Key::Control,
        "Alt" => Key::Alt,
        "AltGraph" => Key::AltGr,
        "F1" => Key::F1,
        "F2" => Key::F2,
        "F3" => Key::F3,
        "F4" => Key::F4,
        "F5" => Key::F5,
        "F6" => Key::F6,
        "F7" => Key::F7,
        "F8" => Key::F8,
        "F9" => Key::F9,
        "F10" => Key::F10,
        "F11" => Key::F11,
        "F12" => Key::F12,
        _ => return None,
    };
    Some(key.into())
}

/// Keys that mean the console even while somebody types: a field has no use for them.
fn works_in_fields(name: &str) -> bool {
    let function_key = name.strip_prefix('F').is_some_and(|number| number.parse::<u8>().is_ok());
    let moves = ["ArrowUp", "Up", "ArrowDown", "Down", "PageUp", "PageDown"];
    let chord = name.starts_with("Control+");
    function_key || chord || name == "Clear" || moves.contains(&name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn read(key: Key, typing: bool) -> Option<ConsoleKey> {
        KeyMap::default().read(&char::from(key).to_string(), false, false, typing)
    }

    fn table(entries: &[(ConsoleKey, &[&str])]) -> BTreeMap<ConsoleKey, Vec<String>> {
        let names = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        entries.iter().map(|(action, keys)| (*action, names(keys))).collect()
    }

    #[test]
    fn the_default_has_every_key_of_its_table() {
        let map = KeyMap::default();
        for (action, keys) in DEFAULT {
            assert_eq!(map.keys(*action), *keys);
            for key in *keys {
                let (text, control) = chord(key).unwrap();
                assert_eq!(map.read(&text.to_string(), control, false, false), Some(*action), "{key}");
            }
        }
    }

    #[test]
    fn function_keys_work_from_anywhere() {
        for typing in [false, true] {
            assert_eq!(read(Key::F6, typing), Some(ConsoleKey::Primary));
            assert_eq!(read(Key::F10, typing), Some(ConsoleKey::HangUpActive));
            assert_eq!(read(Key::F3, typing), Some(ConsoleKey::Search));
            assert_eq!(read(Key::F12, typing), Some(ConsoleKey::Night));
        }
    }

    #[test]
    fn a_chord_works_from_anywhere_and_its_letter_alone_is_a_letter() {
        let map = KeyMap::default();
        for typing in [false, true] {
            assert_eq!(map.read("f", true, false, typing), Some(ConsoleKey::Find));
            assert_eq!(map.read("f", false, false, typing), None);
            assert_eq!(map.read("f", true, true, typing), None);
        }
    }

    #[test]
    fn a_field_keeps_the_keys_it_needs() {
        let map = KeyMap::default();
        assert_eq!(read(Key::Delete, false), Some(ConsoleKey::HangUp));
        assert_eq!(read(Key::Delete, true), None);
        assert_eq!(read(Key::Home, true), None);
        for (sign, action) in [
            ("+", ConsoleKey::Transfer),
            ("-", ConsoleKey::Undo),
            ("*", ConsoleKey::AnswerLongest),
            ("/", ConsoleKey::Menu),
        ] {
            assert_eq!(map.read(sign, false, false, false), Some(action));
            assert_eq!(map.read(sign, false, false, true), None);
        }
        assert_eq!(read(Key::Return, true), None);
    }

    #[test]
    fn the_keypad_without_numlock() {
        let clear = CLEAR.to_string();
        assert_eq!(KeyMap::default().read(&clear, false, false, false), Some(ConsoleKey::Switch));
        assert_eq!(read(Key::Insert, false), Some(ConsoleKey::Primary));
        assert_eq!(read(Key::PageUp, false), Some(ConsoleKey::PageUp));
    }

    #[test]
    fn chords_and_texts_mean_nothing_here() {
        let map = KeyMap::default();
        assert_eq!(map.read("+", true, false, false), None);
        assert_eq!(map.read("++", false, false, false), None);
        assert_eq!(map.read("", false, false, false), None);
    }

    #[test]
    fn a_table_takes_the_place_of_the_default() {
        let map = KeyMap::new(table(&[(ConsoleKey::Transfer, &["t", "F2"])])).unwrap();
        assert_eq!(map.read("t", false, false, false), Some(ConsoleKey::Transfer));
        assert_eq!(map.read("+", false, false, false), None);
        let text = serde_json::to_string(&map).unwrap();
        assert_eq!(text, r#"{"transfer":["t","F2"]}"#);
        assert_eq!(serde_json::from_str::<KeyMap>(&text).unwrap(), map);
    }

    #[test]
    fn a_table_that_cannot_work_is_refused() {
        let unknown = table(&[(ConsoleKey::Next, &["Hyper"])]);
        assert_eq!(KeyMap::new(unknown), Err(BadKeyMap::Unknown("Hyper".into())));
        let twice = table(&[(ConsoleKey::Next, &["F9"]), (ConsoleKey::Night, &["F9"])]);
        let (one, other) = (ConsoleKey::Next, ConsoleKey::Night);
        assert_eq!(KeyMap::new(twice), Err(BadKeyMap::Twice { key: "F9".into(), one, other }));
        assert!(serde_json::from_str::<KeyMap>(r#"{"next":["F9"],"night":["F9"]}"#).is_err());
    }
}
