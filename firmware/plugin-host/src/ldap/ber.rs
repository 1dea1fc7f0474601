//! Messages of an LDAP server, checked against the grammar of RFC 4511 before any other reader sees them: every
//! length fits its surroundings, every text is UTF-8, nothing is nested but what the grammar nests, and so many
//! elements and no more. ldap3 ends with a panic where a server breaks the grammar, and reads nesting by
//! recursion: what passes here it can read.

use std::fmt;

/// An element, tag and body.
type Element<'message> = (u8, &'message [u8]);

/// What is wrong with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is no LDAP.
    NotLdap(&'static str),
    /// More than was allowed of something.
    TooMuch(&'static str),
    /// The server says that it hangs up (RFC 4511 section 4.4.1).
    Notice(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLdap(what) => write!(formatter, "not an LDAP message: {what}"),
            Self::TooMuch(what) => write!(formatter, "too much: {what}"),
            Self::Notice(words) => write!(formatter, "the server hangs up: {words}"),
        }
    }
}

/// The operations whose answers are let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// An answer is a bind response.
    Bind,
    /// Answers are entries, references and a done.
    Search,
    /// An answer is an extended response.
    Extended,
}

/// A message that keeps to the grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An entry of a search.
    Entry,
    /// A referral within a search.
    Reference,
    /// The last answer of an operation, with its result code.
    Result(u32),
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const ENUMERATED: u8 = 0x0a;
const BOOLEAN: u8 = 0x01;
const CONTROLS: u8 = 0xa0;
const REFERRAL: u8 = 0xa3;

/// Reads elements one after the other and counts them.
pub(crate) struct Reader<'message> {
    rest: &'message [u8],
}

impl<'message> Reader<'message> {
    pub(crate) fn new(rest: &'message [u8]) -> Self {
        Self { rest }
    }

    fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    fn next(&mut self, left: &mut usize) -> Result<Element<'message>, Fault> {
        *left = left.checked_sub(1).ok_or(Fault::TooMuch("elements"))?;
        let cut = Fault::NotLdap("an element that is cut off");
        let (&tag, rest) = self.rest.split_first().ok_or(cut.clone())?;
        if tag & 0x1f == 0x1f {
            return Err(Fault::NotLdap("a tag of more than a byte"));
        }
        let (&first, rest) = rest.split_first().ok_or(cut.clone())?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x84 => {
                let width = usize::from(first & 0x7f);
                let digits = rest.get(..width).ok_or(cut.clone())?;
                let length = digits.iter().fold(0u64, |length, byte| length << 8 | u64::from(*byte));
                let length = usize::try_from(length).map_err(|_| Fault::NotLdap("a length"))?;
                (length, rest.get(width..).unwrap_or_default())
            }
            _ => return Err(Fault::NotLdap("a length without end or of more than four bytes")),
        };
        let body = rest.get(..length).ok_or(cut)?;
        self.rest = rest.get(length..).unwrap_or_default();
        Ok((tag, body))
    }

    /// The body of the next element, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u8, left: &mut usize) -> Result<&'message [u8], Fault> {
        match self.next(left)? {
            (found, body) if found == tag => Ok(body),
            _ => Err(Fault::NotLdap("another element than the grammar has there")),
        }
    }

    fn text(&mut self, left: &mut usize) -> Result<&'message str, Fault> {
        str::from_utf8(self.expect(OCTETS, left)?).map_err(|_| Fault::NotLdap("text that is not UTF-8"))
    }

    fn end(&self) -> Result<(), Fault> {
        if self.is_empty() { Ok(()) } else { Err(Fault::NotLdap("more elements than the grammar has there")) }
    }
}

/// Checks one whole message, which answers the operation with this id. `left` elements are allowed and taken.
pub(crate) fn check(message: &[u8], operation: Operation, id: u32, left: &mut usize) -> Result<Kind, Fault> {
    let mut outer = Reader::new(message);
    let mut parts = Reader::new(outer.expect(SEQUENCE, left)?);
    outer.end()?;
    let answers = number(parts.expect(INTEGER, left)?)?;
    if answers == 0 {
        return Err(notice(&mut parts, left));
    }
    if answers != id {
        return Err(Fault::NotLdap("an answer to a question that was not asked"));
    }
    let (tag, body) = parts.next(left)?;
    let mut body = Reader::new(body);
    let kind = match (operation, tag) {
        (Operation::Bind, 0x61) | (Operation::Search, 0x65) | (Operation::Extended, 0x78) => {
            Kind::Result(result(&mut body, operation, left)?)
        }
        (Operation::Search, 0x64) => {
            entry(&mut body, left)?;
            Kind::Entry
        }
        (Operation::Search, 0x73) => {
            texts(&mut body, left)?;
            Kind::Reference
        }
        _ => return Err(Fault::NotLdap("an answer to another operation")),
    };
    if !parts.is_empty() {
        controls(parts.expect(CONTROLS, left)?, left)?;
    }
    parts.end()?;
    Ok(kind)
}

/// Id and operation of a message that is on its way to the server; none, where no answer is expected.
pub(crate) fn question(message: &[u8]) -> Option<(u32, Operation)> {
    let mut left = 16;
    let mut parts = Reader::new(Reader::new(message).expect(SEQUENCE, &mut left).ok()?);
    let id = number(parts.expect(INTEGER, &mut left).ok()?).ok()?;
    match parts.next(&mut left).ok()?.0 {
        0x60 => Some((id, Operation::Bind)),
        0x63 => Some((id, Operation::Search)),
        _ => None,
    }
}

/// Size and cookie of a paged results control (RFC 2696 section 2).
pub(crate) fn paged(value: &[u8]) -> Option<(u32, Vec<u8>)> {
    let mut left = 8;
    let mut parts = Reader::new(Reader::new(value).expect(SEQUENCE, &mut left).ok()?);
    let size = number(parts.expect(INTEGER, &mut left).ok()?).ok()?;
    Some((size, parts.expect(OCTETS, &mut left).ok()?.to_vec()))
}

/// Zero or more of one to four bytes; negative is refused.
fn number(body: &[u8]) -> Result<u32, Fault> {
    match body.first() {
        Some(first) if body.len() <= 4 && first & 0x80 == 0 => {
            Ok(body.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
        }
        _ => Err(Fault::NotLdap("a number")),
    }
}

/// LDAPResult and whatever an operation adds to it (RFC 4511 section 4.1.9).
fn result(body: &mut Reader<'_>, operation: Operation, left: &mut usize) -> Result<u32, Fault> {
    let code = number(body.expect(ENUMERATED, left)?)?;
    body.text(left)?;
    body.text(left)?;
    while !body.is_empty() {
        match (operation, body.next(left)?) {
            (_, (REFERRAL, referral)) => texts(&mut Reader::new(referral), left)?,
            // serverSaslCreds; responseName and responseValue, which ldap3 never gets to see.
            (Operation::Bind, (0x87, _)) | (Operation::Extended, (0x8a | 0x8b, _)) => {}
            _ => return Err(Fault::NotLdap("a result with an element of another kind")),
        }
    }
    Ok(code)
}

fn entry(body: &mut Reader<'_>, left: &mut usize) -> Result<(), Fault> {
    body.text(left)?;
    let mut attributes = Reader::new(body.expect(SEQUENCE, left)?);
    body.end()?;
    while !attributes.is_empty() {
        let mut attribute = Reader::new(attributes.expect(SEQUENCE, left)?);
        attribute.text(left)?;
        let mut values = Reader::new(attribute.expect(SET, left)?);
        attribute.end()?;
        while !values.is_empty() {
            values.expect(OCTETS, left)?;
        }
    }
    Ok(())
}

fn texts(body: &mut Reader<'_>, left: &mut usize) -> Result<(), Fault> {
    body.text(left)?;
    while !body.is_empty() {
        body.text(left)?;
    }
    Ok(())
}

fn controls(body: &[u8], left: &mut usize) -> Result<(), Fault> {
    let mut controls = Reader::new(body);
    while !controls.is_empty() {
        let mut control = Reader::new(controls.expect(SEQUENCE, left)?);
        control.text(left)?;
        let mut rest = 0;
        while !control.is_empty() {
            match control.next(left)? {
                (BOOLEAN, [_]) if rest == 0 => rest = 1,
                (OCTETS, _) if rest < 2 => rest = 2,
                _ => return Err(Fault::NotLdap("a control with an element of another kind")),
            }
        }
    }
    Ok(())
}

fn notice(parts: &mut Reader<'_>, left: &mut usize) -> Fault {
    let words = || {
        let mut body = Reader::new(parts.expect(0x78, left).ok()?);
        body.expect(ENUMERATED, left).ok()?;
        body.text(left).ok()?;
        body.text(left).ok().map(str::to_owned)
    };
    let mut words = words;
    Fault::Notice(words().unwrap_or_default())
}

#[cfg(test)]
#[path = "test_ber.rs"]
mod tests;
