//! Bodies in which people say something: digits that a caller keys in, such as a card's number or a PIN, and texts.
//!
//! Of a MESSAGE (RFC 3428) nothing of the body is shown. Digits come in INFO as `application/dtmf-relay` (lines with
//! `Signal=`), as `application/dtmf` (bare digits) or in what makers call their own, and in NOTIFY as KPML (RFC 4730) or
//! telephone events; each may be a part of a multipart body. Not done here: headers, and keys in descriptions.

use super::{Lines, MASK, begins, blot, is};
use crate::header::CSeq;
use crate::lexer::{Fields, one_line};
use crate::method::Method;

/// Kinds of bodies that are digits and little else.
const DIGITS: [&[u8]; 5] = [
    b"application/dtmf",
    b"application/kpml-response+xml",
    b"application/vnd.nortelnetworks.digits",
    b"audio/telephone-event",
    b"application/telephone-event",
];

/// What of a body, or of a part of one, is masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The value of a line `Signal=`, wherever it stands.
    Signals,
    /// The value of every line but `Duration=`.
    Relay,
    /// All of it.
    Sealed,
}

impl Kind {
    /// By the value of a Content-Type.
    fn of(value: &[u8]) -> Kind {
        let end = value.iter().position(|&byte| byte == b';').unwrap_or(value.len());
        let kind = value[..end].trim_ascii();
        if DIGITS.iter().any(|digits| is(kind, digits)) {
            Kind::Sealed
        } else if is(kind, b"application/dtmf-relay") {
            Kind::Relay
        } else {
            Kind::Signals
        }
    }
}

/// Masks in `out`, a copy of `message` of its length, what is private in the body.
pub(super) fn mask(out: &mut [u8], message: &[u8]) {
    let Some((body, kind)) = body_of(message) else { return };
    let out = &mut out[body..];
    if kind == Kind::Sealed {
        return out.fill(MASK);
    }
    let mut part = kind;
    for (begin, end) in Lines::of(&message[body..]) {
        let line = &mut out[begin..end];
        if line.starts_with(b"--") {
            part = kind;
        } else if part != Kind::Sealed && begins(line, b"Content-Type:") {
            part = Kind::of(&line[b"Content-Type:".len()..]);
        } else {
            mask_line(line, part);
        }
    }
}

fn mask_line(line: &mut [u8], part: Kind) {
    let separator = line.iter().position(|byte| matches!(byte, b'=' | b':'));
    let name = line[..separator.unwrap_or(0)].trim_ascii();
    let is_private = match part {
        Kind::Signals => is(name, b"Signal"),
        Kind::Relay => !is(name, b"Duration"),
        Kind::Sealed => return line.fill(MASK),
    };
    if is_private {
        blot(&mut line[separator.map_or(0, |at| at + 1)..]);
    }
}

/// Where the body begins, and what of it is masked; `None` where there is none.
fn body_of(message: &[u8]) -> Option<(usize, Kind)> {
    let start = message.iter().position(|byte| !matches!(byte, b'\r' | b'\n'))?;
    let end = start + memchr::memchr(b'\n', &message[start..])?;
    let mut is_text = begins(&message[start..], b"MESSAGE ");
    let mut kind = Kind::Signals;
    let mut fields = Fields::of(message, end + 1);
    for (name, value) in &mut fields {
        if is(name, b"Content-Type") || is(name, b"c") {
            kind = if kind == Kind::Sealed { kind } else { Kind::of(value) };
        } else if is(name, b"CSeq") {
            let text = Method::from_token("MESSAGE");
            is_text |= CSeq::parse(&one_line(value)).is_ok_and(|cseq| cseq.method == text);
        }
    }
    let body = fields.body()?;
    Some((message.len() - body.len(), if is_text { Kind::Sealed } else { kind }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    /// A request with that Content-Type and body, masked; its body.
    fn body(method: &str, kind: &str, body: &str) -> String {
        let message = format!(
            "{method} sip:23@pbx SIP/2.0\r\nCSeq: 7 {method}\r\n{kind}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let masked = String::from_utf8(super::super::mask(message.as_bytes())).unwrap();
        let (head, _) = message.split_once("\r\n\r\n").unwrap();
        masked.strip_prefix(head).unwrap().strip_prefix("\r\n\r\n").unwrap().to_owned()
    }

    #[test]
    fn digits_that_a_caller_keys_in_are_masked() {
        for (kind, sent, shown) in [
            (
                "Content-Type: application/dtmf-relay",
                "Signal=5\r\nDuration=160\r\n",
                "Signal=0\r\nDuration=160\r\n",
            ),
            (
                "Content-Type: application/DTMF-Relay; x=y",
                "signal= 5\nduration= 160",
                "signal= 0\nduration= 160",
            ),
            ("c:application/dtmf-relay", "5\r\nSignal: *\r\nEvent=7", "0\r\nSignal: 0\r\nEvent=0"),
            ("Content-Type:\r\n application/dtmf", "4111", "0000"),
            ("Content-Type: application/vnd.nortelnetworks.digits", "p=Digits\r\nd=5", "0000000000000"),
            ("Content-Type: audio/telephone-event", "\t\n\u{b}\r", "0000"),
            ("Content-Type: text/plain", "\r\n Signal = 5\r\nother=5", "\r\n Signal = 0\r\nother=5"),
            (
                "Content-Type: multipart/mixed;boundary=b",
                "--b\r\nContent-Type: application/dtmf\r\n\r\n42\r\n--b\r\nContent-Type: text/x\r\n\r\n42\r\n--b--\r\n",
                "--b\r\nContent-Type: application/dtmf\r\n\r\n00\r\n--b\r\nContent-Type: text/x\r\n\r\n42\r\n--b--\r\n",
            ),
        ] {
            assert_eq!(body("INFO", kind, sent), shown, "{kind}");
        }
        let kpml = body("NOTIFY", "Content-Type: application/kpml-response+xml", "<k digits=\"4111\"/>");
        assert!(!kpml.contains("4111"));
    }

    #[test]
    fn the_text_of_a_message_is_masked_whatever_it_says_it_is() {
        for kind in ["Content-Type: text/plain", "Content-Type: application/sdp", "Subject: none"] {
            assert_eq!(body("MESSAGE", kind, "My PIN is 1234.\r\nMax"), "0".repeat(20));
        }
        let answer = "SIP/2.0 200 OK\r\nCSeq: 1 MESSAGE\r\n\r\nthanks";
        assert_eq!(super::super::mask(answer.as_bytes()), answer.replace("thanks", "000000").as_bytes());
    }

    #[test]
    fn other_bodies_are_shown() {
        for (method, kind, sent) in [
            (
                "INVITE",
                "Content-Type: application/sdp",
                "v=0\r\nm=audio 4000 RTP/AVP 101\r\na=fmtp:101 0-16\r\n",
            ),
            ("NOTIFY", "Content-Type: message/sipfrag", "SIP/2.0 486 Busy Here\r\n"),
            ("INFO", "Content-Type: application/media_control+xml", "<media_control/>"),
        ] {
            assert_eq!(body(method, kind, sent), sent);
        }
    }
}
