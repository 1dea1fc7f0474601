//! The status line a NOTIFY carries about a transfer (RFC 3420, RFC 3515 section 2.4.5).

use crate::error::SyntaxError;
use crate::lexer::{clean, text};
use crate::message::default_reason;

/// The media type of the body.
pub const CONTENT_TYPE: &str = "message/sipfrag";

/// The longest line read, in characters.
const MAX_LINE: usize = 512;

/// How far the call to the transfer target has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SipFrag {
    /// Status code, 100 to 699.
    pub code: u16,
    /// Reason phrase; may be empty.
    pub reason: String,
}

impl SipFrag {
    /// A status line with the usual phrase. `code` is brought into 100 to 699.
    pub fn new(code: u16) -> SipFrag {
        let code = code.clamp(100, 699);
        SipFrag { code, reason: default_reason(code).to_owned() }
    }

    /// Reads the first line; what follows it is nobody's business.
    ///
    /// # Errors
    /// Anything but `SIP/2.0`, a three-digit code and a phrase, which may be missing.
    pub fn parse(body: &[u8]) -> Result<SipFrag, SyntaxError> {
        let start = body.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(body.len());
        let line = body[start..].split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or_default();
        let line: String = text(line).chars().take(MAX_LINE).collect();
        let mut words = line.splitn(3, ' ').map(str::trim);
        if !words.next().is_some_and(|version| version.eq_ignore_ascii_case("SIP/2.0")) {
            return Err(SyntaxError::SipFrag("no status line"));
        }
        let code = words.next().unwrap_or_default();
        let digits = code.len() == 3 && code.bytes().all(|b| b.is_ascii_digit());
        let code = code.parse().ok().filter(|code| digits && (100..700).contains(code));
        let code = code.ok_or(SyntaxError::SipFrag("no status code"))?;
        // What is no character is taken out first: behind it there may be more white space.
        let reason = clean(words.next().unwrap_or_default().to_owned()).trim().to_owned();
        Ok(SipFrag { code, reason })
    }

    /// The body of a NOTIFY.
    pub fn write(&self) -> Vec<u8> {
        format!("SIP/2.0 {} {}\r\n", self.code, clean(self.reason.clone())).into_bytes()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn reads_what_exchanges_send() {
        let cases: [(&[u8], u16, &str); 7] = [
            (b"SIP/2.0 100 Trying", 100, "Trying"),
            (b"SIP/2.0 200 OK\r\n", 200, "OK"),
            (b"\r\nSIP/2.0 486 Busy Here\r\nTo: <sip:23@pbx>\r\n\r\n", 486, "Busy Here"),
            (b"SIP/2.0 603\n", 603, ""),
            (b"sip/2.0 180 L\xe4utet", 180, "Läutet"),
            (b"SIP/2.0 404  Not Found ", 404, "Not Found"),
            (b"SIP/2.0 200 OK\xa0\0", 200, "OK"),
        ];
        for (body, code, reason) in cases {
            let read = SipFrag::parse(body).unwrap();
            assert_eq!((read.code, read.reason.as_str()), (code, reason), "{}", text(body));
        }
    }

    #[test]
    fn refuses_what_is_no_status_line() {
        for body in [
            "",
            "\r\n",
            "200 OK",
            "SIP/2.0",
            "SIP/2.0 OK",
            "SIP/2.0 99 x",
            "SIP/2.0 700 x",
            "SIP/2.0 2000 x",
            "INVITE sip:a@b SIP/2.0",
        ] {
            assert!(SipFrag::parse(body.as_bytes()).is_err(), "{body:?}");
        }
    }

    #[test]
    fn a_long_phrase_is_cut_between_two_characters() {
        for letter in ["a", "\u{e9}", "\u{1f44d}"] {
            let long = SipFrag::parse(format!("SIP/2.0 200 {}", letter.repeat(600)).as_bytes()).unwrap();
            assert_eq!(long.reason, letter.repeat(MAX_LINE - "SIP/2.0 200 ".len()));
            assert_eq!(SipFrag::parse(&long.write()), Ok(long));
        }
    }

    #[test]
    fn what_is_written_is_read_back_and_carries_no_second_line() {
        let smuggled = SipFrag { code: 500, reason: "x\r\nVia: y".to_owned() };
        assert_eq!(smuggled.write(), b"SIP/2.0 500 x  Via: y\r\n");
        for code in [100, 180, 202, 486, 603] {
            assert_eq!(SipFrag::parse(&SipFrag::new(code).write()), Ok(SipFrag::new(code)));
        }
    }
}
