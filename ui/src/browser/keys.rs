//! Keys, from what Slint calls them to what a page is told (UI Events: `key`, `code`; `keyCode` of old).

use slint::SharedString;
use slint::platform::Key as SlintKey;

/// A key of the keyboard.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) code: &'static str,
    pub(super) number: u32,
    /// What it writes.
    pub(super) text: Option<String>,
}

const NAMED: [(SlintKey, &str, u32, Option<&str>); 14] = [
    (SlintKey::Backspace, "Backspace", 8, None),
    (SlintKey::Tab, "Tab", 9, None),
    (SlintKey::Return, "Enter", 13, Some("\r")),
    (SlintKey::Escape, "Escape", 27, None),
    (SlintKey::PageUp, "PageUp", 33, None),
    (SlintKey::PageDown, "PageDown", 34, None),
    (SlintKey::End, "End", 35, None),
    (SlintKey::Home, "Home", 36, None),
    (SlintKey::LeftArrow, "ArrowLeft", 37, None),
    (SlintKey::UpArrow, "ArrowUp", 38, None),
    (SlintKey::RightArrow, "ArrowRight", 39, None),
    (SlintKey::DownArrow, "ArrowDown", 40, None),
    (SlintKey::Insert, "Insert", 45, None),
    (SlintKey::Delete, "Delete", 46, None),
];

impl Key {
    /// `None` for what is no key of a page: Shift alone, keys of the private area.
    pub(super) fn of(text: &str) -> Option<Self> {
        for (key, name, number, text_of) in NAMED {
            if SharedString::from(key) == text {
                return Some(Self {
                    name: name.into(),
                    code: name,
                    number,
                    text: text_of.map(str::to_owned),
                });
            }
        }
        let first = text.chars().next()?;
        let is_text = !first.is_control() && !('\u{e000}'..='\u{f8ff}').contains(&first);
        let number = if first.is_ascii_alphanumeric() { first.to_ascii_uppercase() as u32 } else { 0 };
        is_text.then(|| Self { name: text.to_owned(), code: "", number, text: Some(text.to_owned()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_write_themselves_and_arrows_nothing() {
        let of = |key: SlintKey| Key::of(&SharedString::from(key));
        assert_eq!(of(SlintKey::Return).and_then(|key| key.text), Some("\r".into()));
        assert_eq!(of(SlintKey::LeftArrow).map(|key| (key.number, key.text)), Some((37, None)));
        assert_eq!(of(SlintKey::Shift), None);
        assert_eq!(of(SlintKey::F7), None);
        let letter = Key::of("é").map(|key| (key.number, key.text));
        assert_eq!(letter, Some((0, Some("é".into()))));
        assert_eq!(Key::of("a").map(|key| key.number), Some(65));
    }
}
