//! What a key means to the console (CALL-12).
//!
//! Slint's key events carry a text, and nothing tells the keypad from the main block. So a key is
//! read together with where the operator is: in a text field only the function keys are ours.
//! Remapping is not here yet, nor is the keypad under the desk: `frontdeskd` reads that one itself.

use slint::platform::Key;

/// A key of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConsoleKey {
    /// Insert, F6: answer, hold or retrieve the call, or call the contact.
    Primary,
    /// Delete, F7: hang up or reject.
    HangUp,
    /// Add, F8: the transfer menu.
    Transfer,
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
    /// Clear (the 5 of a keypad without NumLock), F5: between calls and directory.
    Switch,
    /// F3: the search bar.
    Search,
    /// F4: the dial bar.
    Number,
    /// F9: answer, else retrieve, else hold.
    Next,
    /// F10: hang up the active call.
    HangUpActive,
    /// Return.
    Enter,
    /// Escape: one step back.
    Escape,
}

/// The text of the keypad's 5 without NumLock. Slint has no name for it; the web page and backends
/// that know the key send this.
pub const CLEAR: char = '\u{F739}';

impl ConsoleKey {
    /// Reads a key event. `typing`: a text field has the focus and wants letters, arrows and Delete
    /// for itself.
    #[must_use]
    pub fn read(text: &str, control: bool, alt: bool, typing: bool) -> Option<Self> {
        let mut chars = text.chars();
        let key = chars.next().filter(|_| chars.next().is_none() && !control && !alt)?;
        FUNCTION_KEYS
            .iter()
            .chain(if typing { &[] } else { OTHER_KEYS })
            .find(|(k, _)| k() == key)
            .map(|(_, k)| *k)
    }
}

/// A key's text; a function because Slint's conversion is not const.
type Text = fn() -> char;

const FUNCTION_KEYS: &[(Text, ConsoleKey)] = &[
    (|| Key::F3.into(), ConsoleKey::Search),
    (|| Key::F4.into(), ConsoleKey::Number),
    (|| Key::F5.into(), ConsoleKey::Switch),
    (|| CLEAR, ConsoleKey::Switch),
    (|| Key::F6.into(), ConsoleKey::Primary),
    (|| Key::F7.into(), ConsoleKey::HangUp),
    (|| Key::F8.into(), ConsoleKey::Transfer),
    (|| Key::F9.into(), ConsoleKey::Next),
    (|| Key::F10.into(), ConsoleKey::HangUpActive),
    (|| Key::UpArrow.into(), ConsoleKey::Up),
    (|| Key::DownArrow.into(), ConsoleKey::Down),
    (|| Key::PageUp.into(), ConsoleKey::PageUp),
    (|| Key::PageDown.into(), ConsoleKey::PageDown),
];

const OTHER_KEYS: &[(Text, ConsoleKey)] = &[
    (|| Key::Insert.into(), ConsoleKey::Primary),
    (|| Key::Delete.into(), ConsoleKey::HangUp),
    (|| '+', ConsoleKey::Transfer),
    (|| Key::LeftArrow.into(), ConsoleKey::Left),
    (|| Key::RightArrow.into(), ConsoleKey::Right),
    (|| Key::Home.into(), ConsoleKey::Home),
    (|| Key::End.into(), ConsoleKey::End),
    (|| Key::Return.into(), ConsoleKey::Enter),
    (|| Key::Escape.into(), ConsoleKey::Escape),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn read(key: Key, typing: bool) -> Option<ConsoleKey> {
        ConsoleKey::read(&char::from(key).to_string(), false, false, typing)
    }

    #[test]
    fn function_keys_work_from_anywhere() {
        for typing in [false, true] {
            assert_eq!(read(Key::F6, typing), Some(ConsoleKey::Primary));
            assert_eq!(read(Key::F10, typing), Some(ConsoleKey::HangUpActive));
            assert_eq!(read(Key::F3, typing), Some(ConsoleKey::Search));
        }
    }

    #[test]
    fn a_field_keeps_the_keys_it_needs() {
        assert_eq!(read(Key::Delete, false), Some(ConsoleKey::HangUp));
        assert_eq!(read(Key::Delete, true), None);
        assert_eq!(read(Key::Home, true), None);
        assert_eq!(ConsoleKey::read("+", false, false, false), Some(ConsoleKey::Transfer));
        assert_eq!(ConsoleKey::read("+", false, false, true), None);
        assert_eq!(read(Key::Return, true), None);
    }

    #[test]
    fn the_keypad_without_numlock() {
        let clear = CLEAR.to_string();
        assert_eq!(ConsoleKey::read(&clear, false, false, false), Some(ConsoleKey::Switch));
        assert_eq!(read(Key::Insert, false), Some(ConsoleKey::Primary));
        assert_eq!(read(Key::PageUp, false), Some(ConsoleKey::PageUp));
    }

    #[test]
    fn chords_and_texts_mean_nothing_here() {
        assert_eq!(ConsoleKey::read("+", true, false, false), None);
        assert_eq!(ConsoleKey::read("++", false, false, false), None);
        assert_eq!(ConsoleKey::read("", false, false, false), None);
    }
}
