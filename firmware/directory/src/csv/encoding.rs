//! Text of a file whose encoding is not said.

use std::borrow::Cow;

/// UTF-8 where the bytes are UTF-8, else Windows-1252, which is what spreadsheets on Windows write.
///
/// Decided cell by cell: Windows-1252 with an accent is practically never valid UTF-8, and one damaged
/// cell in a UTF-8 file must not garble the others.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().map(|&byte| windows_1252(byte)).collect()),
    }
}

/// The characters of 0x80 to 0x9f; the five that are not assigned stay control characters, as browsers do.
const HIGH: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

fn windows_1252(byte: u8) -> char {
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        byte => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_encodings_give_the_same_text() {
        assert_eq!(decode("Éloïse €".as_bytes()), "Éloïse €");
        assert_eq!(decode(b"\xc9lo\xefse \x80"), "Éloïse €");
        assert_eq!(decode(b"\x9cuvre d\x92art"), "œuvre d’art");
    }
}
