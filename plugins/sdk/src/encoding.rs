//! Text whose encoding is not said, or said to be an old one.

/// What .NET, PowerShell and spreadsheets write before text in UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// A body without the byte order mark of UTF-8, which is no part of JSON (RFC 8259 section 8.1).
#[must_use]
pub fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(MARK).unwrap_or(body)
}

/// UTF-8 where the bytes are UTF-8, else Windows-1252, which is what spreadsheets on Windows write. Of a whole list it is
/// decided cell by cell: one damaged cell must not garble the others.
#[must_use]
pub fn decoded(bytes: &[u8]) -> String {
    str::from_utf8(bytes).map_or_else(|_| windows_1252(bytes), str::to_owned)
}

/// Windows-1252, of which ISO 8859-1 is a part.
#[must_use]
pub fn windows_1252(bytes: &[u8]) -> String {
    let character = |byte: &u8| match *byte {
        byte @ 0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        byte => char::from(byte),
    };
    bytes.iter().map(character).collect()
}

/// The characters of 0x80 to 0x9f; the five that are not assigned stay control characters, as browsers do.
const HIGH: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dir_4_both_encodings_give_the_same_text() {
        assert_eq!(decoded("Éloïse €".as_bytes()), "Éloïse €");
        assert_eq!(decoded(b"\xc9lo\xefse \x80"), "Éloïse €");
        assert_eq!(decoded(b"\x9cuvre d\x92art"), "œuvre d’art");
        assert_eq!(without_mark(b"\xef\xbb\xbf[1]"), b"[1]");
        assert_eq!(without_mark(b"[1]"), b"[1]");
    }
}
