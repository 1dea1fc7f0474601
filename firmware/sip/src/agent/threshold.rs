//! What is turned away before it is read: a request too many from a stranger.
//!
//! A flood costs less so, and leaves the record of messages to what matters. The look is a short one and never wrong on
//! the one side: what it turns away would have been dropped all the same ([`super::receive`]). What it cannot tell is let
//! through, to be judged when it has been read.

use std::time::Instant;

use super::UserAgent;
use crate::flow::Target;
use crate::header::Via;
use crate::lexer::{Fields, one_line};
use crate::method::Method;
use crate::params::find_outside_quotes;

impl UserAgent {
    /// Whether `bytes`, which arrived at `now` from `from`, is one request too many from a stranger, and
    /// [`UserAgent::handle_datagram`] would drop it. For a program that does other things with what arrives, which a flood
    /// should not cost: it may drop it itself.
    pub fn turns_away(&mut self, now: Instant, from: impl Into<Target>, bytes: &[u8]) -> bool {
        let source = from.into().ip();
        self.guard.is_spent(now, source)
            && !self.core.is_trusted(source)
            && opening(bytes).is_some_and(|(via, method)| self.core.layer.is_unknown(&via, &method))
            // Counts nothing, since there is nothing left, but says once that there is too much.
            && !self.guard.admit(now, source)
    }
}

/// The topmost Via and the method of a request that belongs to nothing before it, unless it is a copy; `None` where that
/// cannot be seen at a glance.
fn opening(bytes: &[u8]) -> Option<(Via, Method)> {
    let start = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n'))?;
    let end = start + memchr::memchr(b'\n', &bytes[start..])?;
    let word = bytes[start..end].split(|byte| *byte == b' ').next()?;
    let method = Method::from_token(std::str::from_utf8(word).ok()?);
    // A response, or a request that belongs to another.
    if method.as_str().contains('/') || matches!(method, Method::Ack | Method::Cancel) {
        return None;
    }
    let is = |name: &[u8], long: &[u8], short: &[u8]| {
        name.eq_ignore_ascii_case(long) || name.eq_ignore_ascii_case(short)
    };
    let (mut via, mut to) = (None, None);
    for (name, value) in Fields::of(bytes, end + 1) {
        if via.is_none() && is(name, b"Via", b"v") {
            via = Some(one_line(value));
        } else if to.is_none() && is(name, b"To", b"t") {
            to = Some(value);
        }
        if via.is_some() && to.is_some() {
            break;
        }
    }
    // Whoever names a tag may be in a dialog with us.
    if to?.windows(3).any(|word| word.eq_ignore_ascii_case(b"tag")) {
        return None;
    }
    let via = via?;
    let first = &via[..find_outside_quotes(&via, b',').unwrap_or(via.len())];
    Some((Via::parse(first.trim_ascii()).ok()?, method))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn only_what_certainly_opens_something_is_seen_as_such() {
        let line = "INVITE sip:100@192.0.2.1 SIP/2.0\r\n";
        let via = "Via: SIP/2.0/UDP a.example:5070;branch=z9hG4bK1\r\n";
        let to = "To: <sip:100@pbx.example>\r\n";
        for (text, is_seen) in [
            (format!("{line}{via}{to}\r\n"), true),
            (format!("\r\n{line}{to}{via}Via: SIP/2.0/UDP b.example\r\n\r\n"), true),
            (
                format!(
                    "{line}t: <sip:100@pbx.example>\r\nv : SIP/2.0/UDP\r\n a;branch=x, SIP/2.0/UDP b\r\n\r\n"
                ),
                true,
            ),
            // In a dialog, or perhaps in one.
            (format!("{line}{via}To: <sip:100@pbx.example> ; TAG = x\r\n\r\n"), false),
            (format!("{line}{via}To: <sip:100@pbx.example>\r\n ;tag=x\r\n\r\n"), false),
            // Without one of them, or not readable.
            (format!("{line}{via}\r\n{to}\r\n"), false),
            (format!("{line}{to}\r\n"), false),
            (format!("{line}Via: nonsense\r\n{to}\r\n"), false),
            (format!("SIP/2.0 200 OK\r\n{via}{to}\r\n"), false),
            (format!("ACK sip:100@192.0.2.1 SIP/2.0\r\n{via}{to}\r\n"), false),
            (format!("CANCEL sip:100@192.0.2.1 SIP/2.0\r\n{via}{to}\r\n"), false),
            ("INVITE".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(opening(text.as_bytes()).is_some(), is_seen, "{text}");
        }
        let (found, method) = opening(format!("{line}{via}{to}\r\n").as_bytes()).unwrap();
        assert_eq!((found.host.as_str(), found.port, method), ("a.example", Some(5070), Method::Invite));
    }
}
