//! Distinguished names and filters as an administrator types them: read far enough to say at the form that they
//! cannot be right, and to be sure that no reader behind is led too deep. What they mean is the server's.

/// The longest filter, in bytes.
pub(crate) const FILTER: usize = 8 << 10;
/// The longest name, in bytes.
pub(crate) const NAME: usize = 1 << 10;
/// Filters in filters.
const DEPTH: usize = 32;
/// Comparisons of a filter.
const ITEMS: usize = 256;

const NO_DN: &str = "is not a distinguished name, such as ou=people,dc=example,dc=com";
const NO_FILTER: &str = "is not a filter, such as (objectClass=person)";

/// Whether it is a distinguished name (RFC 4514 section 3). Without a part it is the root of the directory.
pub(crate) fn check_dn(text: &str) -> Result<(), &'static str> {
    if text.len() > NAME {
        return Err("is longer than 1 KiB");
    }
    if text.is_empty() {
        return Ok(());
    }
    split(text, &[',', ';', '+'])
        .ok_or(NO_DN)?
        .into_iter()
        .all(is_attribute_and_value)
        .then_some(())
        .ok_or(NO_DN)
}

/// The parts between unescaped separators; none, if an escape is broken.
fn split<'text>(text: &'text str, separators: &[char]) -> Option<Vec<&'text str>> {
    let mut parts = Vec::new();
    let (mut start, mut rest) = (0, text.char_indices());
    while let Some((at, character)) = rest.next() {
        if character == '\\' {
            let (_, escaped) = rest.next()?;
            // Two digits are a byte, anything else stands for itself.
            if escaped.is_ascii_hexdigit() {
                rest.next().filter(|(_, digit)| digit.is_ascii_hexdigit())?;
            } else if escaped.is_alphanumeric() {
                return None;
            }
        } else if separators.contains(&character) {
            parts.push(text.get(start..at)?);
            start = at + character.len_utf8();
        }
    }
    parts.push(text.get(start..)?);
    Some(parts)
}

fn is_attribute_and_value(part: &str) -> bool {
    let Some((attribute, value)) = part.split_once('=') else { return false };
    is_attribute(attribute.trim()) && !value.contains(['\0', '\n', '\r'])
}

/// A short name or an object identifier, perhaps with options (RFC 4512 section 2.5).
pub(crate) fn is_attribute(text: &str) -> bool {
    let good =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '.' | ';' | '_');
    (1..=128).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(good)
}

/// Whether it is a filter (RFC 4515 section 3) in its parentheses, not deeper or longer than any sensible one.
pub(crate) fn check_filter(text: &str) -> Result<(), &'static str> {
    if text.len() > FILTER {
        return Err("is longer than 8 KiB");
    }
    let mut reader = Filter { rest: text, items: 0 };
    reader.filter(DEPTH)?;
    if reader.rest.is_empty() { Ok(()) } else { Err(NO_FILTER) }
}

struct Filter<'text> {
    rest: &'text str,
    items: usize,
}

impl Filter<'_> {
    fn take(&mut self, character: char) -> bool {
        let rest = self.rest.strip_prefix(character);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn filter(&mut self, depth: usize) -> Result<(), &'static str> {
        if depth == 0 {
            return Err("has too many parentheses in each other");
        }
        if !self.take('(') {
            return Err(NO_FILTER);
        }
        if self.take('&') || self.take('|') {
            while self.rest.starts_with('(') {
                self.filter(depth - 1)?;
            }
        } else if self.take('!') {
            self.filter(depth - 1)?;
        } else {
            self.item()?;
        }
        if self.take(')') { Ok(()) } else { Err(NO_FILTER) }
    }

    /// `attribute=value` and its kin; of the value only that its escapes are whole.
    fn item(&mut self) -> Result<(), &'static str> {
        self.items += 1;
        if self.items > ITEMS {
            return Err("has more than 256 comparisons");
        }
        let end = self.rest.find(['(', ')']).ok_or(NO_FILTER)?;
        let (item, rest) = self.rest.split_at(end);
        self.rest = rest;
        let (attribute, value) = item.split_once('=').ok_or(NO_FILTER)?;
        let attribute = attribute.strip_suffix(['>', '<', '~']).unwrap_or(attribute);
        let mut parts = attribute.split(':');
        let first = parts.next().unwrap_or_default();
        let is_extended = attribute.contains(':');
        if !(is_attribute(first) || is_extended && first.is_empty())
            || !parts.all(|part| part.is_empty() || is_attribute(part))
        {
            return Err(NO_FILTER);
        }
        let escapes_are_whole = value.split('\\').skip(1).all(|rest| {
            rest.get(..2).is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
        });
        let is_pattern = !value.contains("**") || value.trim_matches('*').is_empty();
        if escapes_are_whole && is_pattern && !value.contains('\0') { Ok(()) } else { Err(NO_FILTER) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_and_what_is_none() {
        for good in [
            "",
            "dc=com",
            "ou=people,dc=example,dc=com",
            "CN=Jens\\, junior + UID=7, O=\"Müller\\2c AG\"",
            "2.5.4.3=x",
            "cn=",
        ] {
            assert_eq!(check_dn(good), Ok(()), "{good}");
        }
        for bad in ["people", "ou=people,", "=x", "ou=a\\", "ou=a\\2,dc=x", "o u=x", "ou=two\nlines"] {
            assert_eq!(check_dn(bad), Err(NO_DN), "{bad}");
        }
        assert!(check_dn(&format!("ou={}", "x".repeat(NAME))).is_err());
    }

    #[test]
    fn filters_and_what_is_none() {
        for good in [
            "(objectClass=person)",
            "(&(objectClass=person)(|(telephoneNumber=*)(mobile=*))(!(sn=M\\28x\\29)))",
            "(&)",
            "(cn=*a*b*)",
            "(modifyTimestamp>=20260101000000Z)",
            "(ou:dn:=people)",
            "(userAccountControl:1.2.840.113556.1.4.803:=2)",
            "(:caseExactMatch:=x)",
        ] {
            assert_eq!(check_filter(good), Ok(()), "{good}");
            assert!(ldap3::parse_filter(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "objectClass=person",
            "(objectClass=person",
            "(objectClass=person))",
            "(objectClass=person)x",
            "(a=b(c=d))",
            "(a=\\2)",
            "(a=b**c)",
            "(=x)",
            "(!(a=b)(c=d))",
            "()",
        ] {
            assert!(check_filter(bad).is_err(), "{bad}");
        }
        assert!(check_filter(&"(!".repeat(4000)).is_err());
        assert!(check_filter(&format!("(&{})", "(a=b)".repeat(ITEMS + 1))).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "[(&|!)a=*\\\\:;~<> ,+.0-9\\PC]{0,60}") {
            let _ = check_dn(&text);
            if check_filter(&text).is_ok() {
                // Whatever passes, the reader behind it takes or refuses in peace.
                let _ = ldap3::parse_filter(&text);
            }
        }
    }
}
