//! What stands on the keyboard of the screen.
//!
//! English has QWERTY and French AZERTY, both with digits above: a number is written without changing anything. The accents
//! of French and its neighbours and the signs of addresses are one touch away.

use ipc::Language;

use crate::screen::{BoardKey, BoardKind};

/// Whether letters are capitals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Capitals {
    #[default]
    Off,
    /// For one letter.
    Once,
    Locked,
}

impl Capitals {
    /// After a touch of the key.
    pub(crate) fn pressed(self) -> Self {
        match self {
            Self::Off => Self::Once,
            Self::Once => Self::Locked,
            Self::Locked => Self::Off,
        }
    }

    /// After a letter.
    pub(crate) fn typed(self) -> Self {
        if self == Self::Once { Self::Off } else { self }
    }
}

const DIGITS: &str = "1234567890";
const ENGLISH: [&str; 3] = ["qwertyuiop", "asdfghjkl'", "zxcvbnm"];
const FRENCH: [&str; 3] = ["azertyuiop", "qsdfghjklm", "wxcvbn'"];
const ACCENTS: [&str; 3] = ["éèêëàâäçîï", "ôöœùûüÿæñß", "/_:+#()"];

/// Below the letters: the signs of addresses, or of numbers.
const SIGNS: [&str; 3] = ["@", "-", ","];
const NUMBER_SIGNS: [&str; 3] = ["+", "*", "#"];

/// The rows, from above. `numbers`: for a field into which mostly numbers are written.
pub(crate) fn rows(
    language: Language,
    accents: bool,
    capitals: Capitals,
    numbers: bool,
) -> Vec<Vec<BoardKey>> {
    let letters = match (accents, language) {
        (true, _) => ACCENTS,
        (false, Language::English) => ENGLISH,
        (false, Language::French) => FRENCH,
    };
    let letter = |letter: char| {
        let text = if capitals == Capitals::Off { letter.to_string() } else { upper(letter) };
        key(BoardKind::Text, &text, 1., false)
    };
    let [first, second, third] = letters.map(|row| row.chars().map(letter).collect::<Vec<_>>());
    let shift = match capitals {
        Capitals::Locked => key(BoardKind::Shift, "A", 1.5, true),
        _ => key(BoardKind::Shift, "", 1.5, capitals == Capitals::Once),
    };
    let mut third_row = vec![shift];
    third_row.extend(third);
    third_row.push(key(BoardKind::Backspace, "", 1.5, false));
    let more = if accents { "abc" } else { "éà/" };
    // The page of the accents has the signs of numbers already.
    let [before, between, after] = if numbers && !accents { NUMBER_SIGNS } else { SIGNS };
    let last = vec![
        key(BoardKind::Hide, "", 1., false),
        key(BoardKind::More, more, 1.2, accents),
        key(BoardKind::Text, before, 0.9, false),
        key(BoardKind::Text, between, 0.9, false),
        key(BoardKind::Space, "", 3., false),
        key(BoardKind::Text, after, 0.9, false),
        key(BoardKind::Text, ".", 0.9, false),
        key(BoardKind::Left, "", 0.9, false),
        key(BoardKind::Right, "", 0.9, false),
        key(BoardKind::Enter, "", 1.4, false),
    ];
    vec![DIGITS.chars().map(letter).collect(), first, second, third_row, last]
}

fn key(kind: BoardKind, text: &str, wide: f32, lit: bool) -> BoardKey {
    BoardKey { kind, text: text.into(), wide, lit }
}

/// One capital for one letter: there is no other way to write ß here.
fn upper(letter: char) -> String {
    match letter {
        'ß' => letter.to_string(),
        _ => letter.to_uppercase().collect(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn texts(language: Language, accents: bool, capitals: Capitals) -> Vec<String> {
        let rows = rows(language, accents, capitals, false);
        let is_text = |key: &&BoardKey| key.kind == BoardKind::Text;
        rows.iter().flatten().filter(is_text).map(|key| key.text.to_string()).collect()
    }

    #[test]
    fn acc_4_every_letter_of_both_languages_is_there_once() {
        for language in [Language::English, Language::French] {
            for (capitals, alphabet) in
                [(Capitals::Off, 'a'..='z'), (Capitals::Once, 'A'..='Z'), (Capitals::Locked, 'A'..='Z')]
            {
                let texts = texts(language, false, capitals);
                let set: BTreeSet<_> = texts.iter().cloned().collect();
                assert_eq!(texts.len(), set.len(), "{texts:?}");
                assert!(alphabet.clone().chain('0'..='9').all(|letter| set.contains(&letter.to_string())));
            }
        }
        let accents = texts(Language::French, true, Capitals::Off);
        for letter in "éèêëàâçîïôùûüÿœæ".chars() {
            assert!(accents.contains(&letter.to_string()), "{letter}");
        }
        assert!(texts(Language::French, true, Capitals::Once).contains(&"É".to_owned()));
    }

    #[test]
    fn acc_4_a_field_for_numbers_has_their_signs_on_the_first_page_and_none_twice() {
        for accents in [false, true] {
            let rows = rows(Language::French, accents, Capitals::Off, true);
            let texts: Vec<_> = rows.iter().flatten().map(|key| key.text.as_str()).collect();
            for sign in ["+", "*", "#"] {
                let count = texts.iter().filter(|text| **text == sign).count();
                assert_eq!(count, usize::from(!accents || sign != "*"), "{sign} {accents}");
            }
        }
    }

    #[test]
    fn acc_4_rows_are_of_one_width() {
        for accents in [false, true] {
            for language in [Language::English, Language::French] {
                for row in rows(language, accents, Capitals::Off, true) {
                    let wide: f32 = row.iter().map(|key| key.wide).sum();
                    assert!((9.9..=12.1).contains(&wide), "{wide}");
                }
            }
        }
    }

    #[test]
    fn capitals_are_for_one_letter_until_they_are_locked() {
        let once = Capitals::Off.pressed();
        assert_eq!((once, once.typed()), (Capitals::Once, Capitals::Off));
        let locked = once.pressed();
        assert_eq!(
            (locked, locked.typed(), locked.pressed()),
            (Capitals::Locked, Capitals::Locked, Capitals::Off)
        );
    }
}
