//! The `;name=value` list behind URIs, addresses and Via hops.
//!
//! Not done here: deciding which names are allowed where.

use std::fmt::{self, Write as _};

/// Parameters in the order they were sent. Names compare case-insensitively; values are kept without their quotes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Params(Vec<Param>);

#[derive(Debug, Clone)]
struct Param {
    name: String,
    value: Option<String>,
    /// How it was sent; some peers insist on their quotes.
    quoted: bool,
}

/// Quotes carry no meaning.
impl PartialEq for Param {
    fn eq(&self, other: &Param) -> bool {
        self.name == other.name && self.value == other.value
    }
}

impl Eq for Param {}

impl Params {
    /// No parameters.
    pub fn new() -> Params {
        Params::default()
    }

    /// Reads `;a=b;c` (the leading semicolon may be missing). Spaces around `;` and `=` and empty items are tolerated;
    /// an unterminated quote is closed at the end of the text.
    pub fn parse(text: &str) -> Params {
        let mut params = Vec::new();
        for item in split_outside_quotes(text, b';') {
            let (name, value) = match item.split_once('=') {
                Some((name, value)) => (name.trim_ascii(), Some(value.trim_ascii())),
                None => (item.trim_ascii(), None),
            };
            if name.is_empty() {
                continue;
            }
            let quoted = value.is_some_and(|v| v.starts_with('"'));
            let value = value.map(|v| if quoted { unquote(v) } else { v.to_owned() });
            params.push(Param { name: name.to_owned(), value, quoted });
        }
        Params(params)
    }

    /// Replaces the parameter `name`, or appends it. `None` is a flag without a value, such as `;lr`.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        let value = value.map(str::to_owned);
        match self.0.iter_mut().find(|p| p.name.eq_ignore_ascii_case(name)) {
            Some(param) => param.value = value,
            None => self.0.push(Param { name: name.to_owned(), value, quoted: false }),
        }
    }

    /// Removes every parameter `name`; says whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|p| !p.name.eq_ignore_ascii_case(name));
        self.0.len() != before
    }

    /// `None` if absent, `Some(None)` for a flag, `Some(Some(value))` otherwise.
    pub fn get(&self, name: &str) -> Option<Option<&str>> {
        self.0.iter().find(|p| p.name.eq_ignore_ascii_case(name)).map(|p| p.value.as_deref())
    }

    /// The value, if the parameter is there and has one.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.get(name).flatten()
    }

    /// Whether the parameter is there, with or without a value.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0.iter().map(|p| (p.name.as_str(), p.value.as_deref()))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As URI parameters: illegal characters become `%HH`.
    pub(crate) fn write_for_uri(&self, out: &mut impl fmt::Write) -> fmt::Result {
        for param in &self.0 {
            out.write_char(';')?;
            escape(out, &param.name, is_uri_param)?;
            if let Some(value) = &param.value {
                out.write_char('=')?;
                escape(out, value, is_uri_param)?;
            }
        }
        Ok(())
    }
}

/// As header parameters: a value that is not a token or host is quoted.
impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for param in &self.0 {
            f.write_char(';')?;
            f.write_str(&param.name)?;
            if let Some(value) = &param.value {
                f.write_char('=')?;
                let bare = !value.is_empty() && value.bytes().all(is_header_param);
                if param.quoted || !bare { write_quoted(f, value)? } else { f.write_str(value)? }
            }
        }
        Ok(())
    }
}

/// RFC 3261 section 25.1 `token`.
#[inline]
pub(crate) fn is_token(byte: u8) -> bool {
    const TOKEN: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = 0_u8;
        while byte < 128 {
            table[byte as usize] = byte.is_ascii_alphanumeric()
                || matches!(byte, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~');
            byte += 1;
        }
        table
    };
    TOKEN[usize::from(byte)]
}

/// The text without its quotes and backslashes; what follows the closing quote is dropped.
pub(crate) fn unquote(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.strip_prefix('"').unwrap_or(text).chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => out.extend(chars.next()),
            other => out.push(other),
        }
    }
    out
}

/// A quoted-string (RFC 3261 section 25.1); control characters become spaces.
pub(crate) fn write_quoted(out: &mut impl fmt::Write, text: &str) -> fmt::Result {
    out.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.write_char('\\')?;
                out.write_char(c)?;
            }
            c if c.is_control() => out.write_char(' ')?,
            c => out.write_char(c)?,
        }
    }
    out.write_char('"')
}

/// Writes `text` with every byte that is not `allowed` as `%HH`; an escape already there is kept.
pub(crate) fn escape(out: &mut impl fmt::Write, text: &str, allowed: fn(u8) -> bool) -> fmt::Result {
    let bytes = text.as_bytes();
    for (at, &byte) in bytes.iter().enumerate() {
        let is_escape = byte == b'%'
            && bytes.get(at + 1).is_some_and(u8::is_ascii_hexdigit)
            && bytes.get(at + 2).is_some_and(u8::is_ascii_hexdigit);
        if is_escape || (byte != b'%' && allowed(byte)) {
            out.write_char(char::from(byte))?;
        } else {
            write!(out, "%{byte:02X}")?;
        }
    }
    Ok(())
}

/// Splits at `separator` outside quoted strings and angle brackets; pieces are trimmed.
pub(crate) fn split_outside_quotes(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = find_outside_quotes(text, separator);
        rest = end.map(|end| &text[end + 1..]);
        Some(text[..end.unwrap_or(text.len())].trim_ascii())
    })
}

/// Where `wanted` (ASCII) stands first outside quoted strings and angle brackets.
pub(crate) fn find_outside_quotes(text: &str, wanted: u8) -> Option<usize> {
    let (mut quoted, mut angle, mut skip) = (false, false, false);
    for (at, byte) in text.bytes().enumerate() {
        if skip {
            skip = false;
            continue;
        }
        if byte == wanted && !quoted && !angle {
            return Some(at);
        }
        match byte {
            b'\\' if quoted => skip = true,
            b'"' if !angle => quoted = !quoted,
            b'<' if !quoted => angle = true,
            b'>' if !quoted => angle = false,
            _ => {}
        }
    }
    None
}

/// `paramchar` of RFC 3261 section 25.1.
fn is_uri_param(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')')
        || matches!(byte, b'[' | b']' | b'/' | b':' | b'&' | b'+' | b'$')
}

fn is_header_param(byte: u8) -> bool {
    is_token(byte) || matches!(byte, b'[' | b']' | b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_quotes_flags_and_empty_items() {
        let params = Params::parse(" ; tag = x ;lr;; Q=\"a;\\\"b\" ;=y;e=");
        assert_eq!(params.get("TAG"), Some(Some("x")));
        assert_eq!(params.get("lr"), Some(None));
        assert_eq!(params.value("q"), Some("a;\"b"));
        assert_eq!(params.get("e"), Some(Some("")));
        assert_eq!(params.get("absent"), None);
        assert_eq!(params.iter().count(), 4);
    }

    #[test]
    fn set_replaces_in_place_and_remove_removes_all() {
        let mut params = Params::parse("a=1;b=2;A=3");
        params.set("B", Some("x y"));
        params.set("c", None);
        assert_eq!(params.to_string(), ";a=1;b=\"x y\";A=3;c");
        assert!(params.remove("a"));
        assert!(!params.remove("a"));
        assert_eq!(params.to_string(), ";b=\"x y\";c");
    }

    #[test]
    fn what_was_quoted_stays_quoted() {
        assert_eq!(Params::parse("a=\"plain\";b=plain").to_string(), ";a=\"plain\";b=plain");
    }

    #[test]
    fn a_value_cannot_end_the_line_or_start_a_parameter() {
        let mut params = Params::new();
        params.set("a", Some("x;tag=evil\r\nVia: y"));
        assert_eq!(params.to_string(), ";a=\"x;tag=evil  Via: y\"");
        let mut uri = String::new();
        params.write_for_uri(&mut uri).expect("writing to a String cannot fail");
        assert_eq!(uri, ";a=x%3Btag%3Devil%0D%0AVia:%20y");
    }
}
