//! Small readings of names and numbers that several models share.

use ipc::Party;
use slint::SharedString;

/// Number of avatar tints in `tokens.slint`.
const TINTS: u32 = 6;

/// What two spellings of one extension have in common.
pub(crate) fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

/// Name, else number, else nothing (the screen then says "Anonymous").
pub(crate) fn party_name(party: &Party) -> SharedString {
    party.name.as_deref().or(party.number.as_deref()).unwrap_or_default().into()
}

/// First letters of the first and the last word, "ML"; empty for a number.
pub(crate) fn initials(name: &str) -> SharedString {
    let mut words = name.split_whitespace().filter_map(|word| word.chars().find(|c| c.is_alphabetic()));
    let first = words.next();
    let letters: String = first.into_iter().chain(words.next_back()).flat_map(char::to_uppercase).collect();
    letters.into()
}

/// A colour that a name keeps.
pub(crate) fn tint(name: &str) -> i32 {
    let hash = name.bytes().fold(7_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte)));
    i32::try_from((hash >> 3) % TINTS).unwrap_or(0)
}

/// The parts that say something, with a dot between them.
pub(crate) fn dotted<'a>(parts: impl IntoIterator<Item = &'a str>) -> SharedString {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ").into()
}

/// "12,904" or "12 904".
pub(crate) fn grouped(count: usize, french: bool) -> String {
    let digits = count.to_string();
    let separator = if french { '\u{202f}' } else { ',' };
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_of_all_sorts_of_names() {
        assert_eq!(initials("Marie Laurent"), "ML");
        assert_eq!(initials("Ana María de la Cruz"), "AC");
        assert_eq!(initials("élodie"), "É");
        assert_eq!(initials("+49 30 5557"), "");
        assert_eq!(initials(""), "");
    }

    #[test]
    fn numbers_compare_by_digits() {
        assert_eq!(digits("+49 (30) 21-07"), digits("49302107"));
    }
}
