//! Reads a vCard into its lines: versions 2.1, 3.0 (RFC 2426) and 4.0 (RFC 6350), folded, quoted, grouped, as servers
//! hand them out. What a line means is `person`.

use frontdesk_connector::windows_1252;

/// The largest card that is looked at, in bytes: pictures are most of it.
const LARGEST: usize = 4 << 20;
/// What nobody reads here, and what can be very long.
const SKIPPED: [&str; 4] = ["PHOTO", "LOGO", "SOUND", "KEY"];

/// One line, unfolded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Of `item1.TEL`: `item1`.
    pub(crate) group: Option<String>,
    /// In capitals.
    pub(crate) name: String,
    /// Names in capitals; of 2.1 a value may stand alone, then it is a `TYPE` or an `ENCODING`.
    parameters: Vec<(String, String)>,
    value: String,
}

/// The lines of the first card in a text; none where there is no whole one.
pub(crate) fn read(text: &str) -> Option<Vec<Line>> {
    if text.len() > LARGEST {
        return None;
    }
    let mut lines = Vec::new();
    let mut depth = 0_u32;
    for line in unfolded(text).iter().filter_map(|line| Line::read(line)) {
        match (line.name.as_str(), depth) {
            ("BEGIN", _) if line.is("VCARD") => depth = depth.saturating_add(1),
            ("END", 1) if line.is("VCARD") => return Some(lines),
            ("END", _) if line.is("VCARD") => depth = depth.saturating_sub(1),
            // A card inside a card is an agent of 2.1, somebody else.
            (name, 1) if !SKIPPED.contains(&name) => lines.push(line),
            _ => {}
        }
    }
    None
}

impl Line {
    fn read(line: &str) -> Option<Self> {
        let (head, value) = split_outside_quotes(line, ':')?;
        let mut pieces = pieces_outside_quotes(head, ';').into_iter();
        let name = pieces.next()?.trim();
        let (group, name) = match name.rsplit_once('.') {
            Some((group, name)) => (Some(group.to_ascii_lowercase()), name),
            None => (None, name),
        };
        if name.is_empty() {
            return None;
        }
        let parameters = pieces.flat_map(parameter).collect();
        Some(Self { group, name: name.to_ascii_uppercase(), parameters, value: value.to_owned() })
    }

    fn is(&self, value: &str) -> bool {
        self.value.trim().eq_ignore_ascii_case(value)
    }

    /// Its types, in small letters.
    pub(crate) fn types(&self) -> impl Iterator<Item = String> {
        self.parameters.iter().filter(|(name, _)| name == "TYPE").map(|(_, value)| value.to_ascii_lowercase())
    }

    /// 1 for the one that is preferred most (RFC 6350 section 5.3), 100 where nobody has said so.
    pub(crate) fn preference(&self) -> u8 {
        let said = self.parameters.iter().find(|(name, _)| name == "PREF");
        let said = said.and_then(|(_, value)| value.parse().ok()).filter(|rank| (1..100).contains(rank));
        said.unwrap_or(if self.types().any(|of| of == "pref") { 1 } else { 100 })
    }

    /// The value as text.
    pub(crate) fn text(&self) -> String {
        unescaped(&self.decoded()).trim().to_owned()
    }

    /// The parts of a value such as that of `N` or `ORG`.
    pub(crate) fn parts(&self) -> Vec<String> {
        pieces_unescaped(&self.decoded(), ';').iter().map(|part| unescaped(part).trim().to_owned()).collect()
    }

    fn decoded(&self) -> String {
        let says = |name: &str, wanted: &str| {
            self.parameters.iter().any(|(of, value)| of == name && value.eq_ignore_ascii_case(wanted))
        };
        if !says("ENCODING", "quoted-printable") {
            return self.value.clone();
        }
        let bytes = quoted_printable(&self.value);
        let is_latin = ["iso-8859-1", "iso-8859-15", "windows-1252", "latin1"];
        if is_latin.iter().any(|name| says("CHARSET", name)) {
            return windows_1252(&bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Physical lines to logical ones: a blank continues a line (RFC 6350 section 3.2), and so does `=` at the end of
/// quoted-printable text (RFC 2045 section 6.7).
fn unfolded(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for raw in text.split('\n').map(|raw| raw.strip_suffix('\r').unwrap_or(raw)) {
        let continued = raw.strip_prefix([' ', '\t']);
        match (lines.last_mut(), continued) {
            (Some(last), _) if is_soft(last) => {
                last.pop();
                last.push_str(continued.unwrap_or(raw));
            }
            (Some(last), Some(rest)) => last.push_str(rest),
            _ => lines.push(raw.to_owned()),
        }
    }
    lines
}

fn is_soft(line: &str) -> bool {
    line.ends_with('=')
        && line
            .split_once(':')
            .is_some_and(|(head, _)| head.to_ascii_uppercase().contains("QUOTED-PRINTABLE"))
}

/// `TYPE=work,voice` is two parameters, `WORK` of 2.1 is one.
fn parameter(piece: &str) -> Vec<(String, String)> {
    let Some((name, values)) = piece.split_once('=') else {
        let value = piece.trim().to_owned();
        let name = match value.to_ascii_uppercase().as_str() {
            "QUOTED-PRINTABLE" | "BASE64" | "8BIT" | "7BIT" => "ENCODING",
            _ => "TYPE",
        };
        return vec![(name.to_owned(), value)];
    };
    let name = name.trim().to_ascii_uppercase();
    values.replace('"', "").split(',').map(|value| (name.clone(), value.trim().to_owned())).collect()
}

fn split_outside_quotes(text: &str, mark: char) -> Option<(&str, &str)> {
    let mut quoted = false;
    for (at, character) in text.char_indices() {
        quoted ^= character == '"';
        if character == mark && !quoted {
            return Some((text.get(..at)?, text.get(at + mark.len_utf8()..)?));
        }
    }
    None
}

fn pieces_outside_quotes(text: &str, mark: char) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((piece, behind)) = split_outside_quotes(rest, mark) {
        pieces.push(piece);
        rest = behind;
    }
    pieces.push(rest);
    pieces
}

/// Where no backslash stands before the mark.
fn pieces_unescaped(text: &str, mark: char) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut escaped = false;
    for character in text.chars() {
        if character == mark && !escaped {
            pieces.push(String::new());
        } else if let Some(last) = pieces.last_mut() {
            last.push(character);
        }
        escaped = character == '\\' && !escaped;
    }
    pieces
}

/// RFC 6350 section 3.4, and `\:` which some write.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            plain.push(character);
            continue;
        }
        match characters.next() {
            Some('n' | 'N') => plain.push('\n'),
            Some(other @ (',' | ';' | ':' | '\\')) => plain.push(other),
            Some(other) => plain.extend(['\\', other]),
            None => plain.push('\\'),
        }
    }
    plain
}

fn quoted_printable(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let digits = behind.get(..2).and_then(|digits| str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (first, byte) {
            (b'=', Some(byte)) => {
                bytes.push(byte);
                rest = behind.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(first);
                rest = behind;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    fn one(line: &str) -> Line {
        let mut lines = read(&format!("BEGIN:VCARD\r\n{line}\r\nEND:VCARD\r\n")).unwrap();
        assert_eq!(lines.len(), 1, "{lines:?}");
        lines.remove(0)
    }

    #[test]
    fn a_line_has_a_group_a_name_parameters_and_a_value() {
        let line = one("item1.tel;TYPE=\"work,voice\";PREF=2;X=\"a:b;c\":+41 44 555 01 02");
        assert_eq!((line.group.as_deref(), line.name.as_str()), (Some("item1"), "TEL"));
        assert_eq!(line.types().collect::<Vec<_>>(), ["work", "voice"]);
        assert_eq!((line.preference(), line.text()), (2, "+41 44 555 01 02".to_owned()));
        let old = one("TEL;WORK;PREF:555");
        assert_eq!(old.types().collect::<Vec<_>>(), ["work", "pref"]);
        assert_eq!(old.preference(), 1);
    }

    #[test]
    fn folded_lines_are_one_whatever_ends_them() {
        for text in ["FN:An\r\n n Le\r\n\te", "FN:An\n n Le\n\te"] {
            assert_eq!(one(text).text(), "Ann Lee");
        }
    }

    #[test]
    fn quoted_printable_goes_on_after_an_equals_sign() {
        let line = one("FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Zo=C3=AB =\r\nKeller=3D");
        assert_eq!(line.text(), "Zoë Keller=");
        assert_eq!(one("FN;CHARSET=ISO-8859-1;QUOTED-PRINTABLE:Zo=EB").text(), "Zoë");
        assert_eq!(one("FN;CHARSET=windows-1252;QUOTED-PRINTABLE:=9Cuvre d=92art").text(), "œuvre d’art");
        assert_eq!(one("FN;QUOTED-PRINTABLE:50=% =4").text(), "50=% =4");
    }

    #[test]
    fn what_is_escaped_is_text_and_what_is_not_parts() {
        assert_eq!(one("N:Lee\\; Ltd;Ann;;;").parts(), ["Lee; Ltd", "Ann", "", "", ""]);
        assert_eq!(one("NOTE:a\\nb\\, c\\\\n \\x \\").text(), "a\nb, c\\n \\x \\");
    }

    #[test]
    fn a_card_ends_and_has_no_lines_of_the_card_inside_it() {
        let agent = "BEGIN:VCARD\nFN:Ann\nAGENT:\nBEGIN:VCARD\nFN:Bo\nEND:VCARD\nTITLE:CEO\nEND:VCARD\n";
        let names: Vec<String> = read(agent).unwrap().into_iter().map(|line| line.name).collect();
        assert_eq!(names, ["FN", "AGENT", "TITLE"]);
        for broken in ["", "FN:Ann", "BEGIN:VCARD\nFN:Ann\n", "BEGIN:VCALENDAR\nEND:VCALENDAR", "END:VCARD"] {
            assert_eq!(read(broken), None, "{broken}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_not_but_never_a_panic(text in "(BEGIN:VCARD\n)?[ -~\n\r\t=:;\\\\\"é]{0,200}(\nEND:VCARD)?") {
            if let Some(lines) = read(&text) {
                for line in lines {
                    prop_assert!(line.text().len() <= text.len() * 3);
                    prop_assert!(!line.parts().is_empty());
                }
            }
        }

        #[test]
        fn what_was_escaped_and_folded_comes_back(value in "[a-zé,;\\\\\n ]{0,80}", width in 1_usize..20) {
            let escaped = value.replace('\\', "\\\\").replace('\n', "\\n").replace(',', "\\,").replace(';', "\\;");
            let characters: Vec<char> = format!("NOTE:{escaped}").chars().collect();
            let folded: Vec<String> = characters.chunks(width).map(|chunk| chunk.iter().collect()).collect();
            let card = format!("BEGIN:VCARD\r\n{}\r\nEND:VCARD", folded.join("\r\n "));
            prop_assert_eq!(read(&card).unwrap().remove(0).text(), value.trim());
        }
    }
}
