//! What a connector to an LDAP directory needs besides `ldap::search`: what an answer means for the next run, and
//! how a value is written into a filter.

use crate::{Error, ldap, misconfigured};

impl From<ldap::Error> for Error {
    fn from(error: ldap::Error) -> Self {
        match error {
            ldap::Error::Denied(reason) => Error::Forbidden(reason),
            ldap::Error::BadRequest(reason) => misconfigured(None, &reason),
            ldap::Error::Unreachable(reason) | ldap::Error::Tls(reason) => Error::Unavailable(reason),
            ldap::Error::TimedOut => Error::Unavailable("no answer in time".to_owned()),
            ldap::Error::TooLarge(limit) => Error::Protocol(format!("the page is larger than {limit} bytes")),
            ldap::Error::TooMany(seconds) => Error::RetryLater(Some(seconds)),
            ldap::Error::Auth(reason) => Error::AuthFailed(reason),
            ldap::Error::CookieLost => Error::ResyncRequired,
            ldap::Error::Protocol(reason) => Error::Protocol(reason),
            ldap::Error::Refused(refusal) => refused(&refusal),
        }
    }
}

/// The error a result code stands for (RFC 4511 appendix A).
fn refused(refusal: &ldap::Refusal) -> Error {
    let message = refusal.message.trim();
    let colon = if message.is_empty() { "" } else { ": " };
    let words = format!("LDAP result {}{colon}{message}", refusal.code);
    match refusal.code {
        7 | 12 => Error::Unsupported(words),
        8 | 13 => misconfigured(None, "the server wants encryption: StartTLS or ldaps"),
        10 => misconfigured(None, "the server sends us to another one, which is not followed"),
        17 | 18 | 34 => misconfigured(None, &words),
        32 => Error::Gone(words),
        48 | 49 => Error::AuthFailed(words),
        50 => Error::Forbidden(words),
        51 => Error::RetryLater(None),
        3 | 11 | 52 | 53 => Error::Unavailable(words),
        _ => Error::Protocol(words),
    }
}

/// A value as it stands in a filter (RFC 4515 section 3).
#[must_use]
pub fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '*' | '(' | ')' | '\\' | '\0' => escaped.push_str(&format!("\\{:02x}", character as u32)),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_decides_what_the_host_does() {
        let of = |code| refused(&ldap::Refusal { code, message: String::new() });
        assert!(matches!(of(32), Error::Gone(_)));
        assert!(matches!(of(50), Error::Forbidden(_)));
        assert!(matches!(of(51), Error::RetryLater(None)));
        assert!(matches!(of(52), Error::Unavailable(_)));
        assert!(matches!(of(10), Error::Misconfigured(_)));
        assert!(matches!(of(80), Error::Protocol(_)));
    }

    #[test]
    fn a_value_cannot_leave_its_place() {
        assert_eq!(escape("*)(uid=*\\\0ü"), "\\2a\\29\\28uid=\\2a\\5c\\00ü");
    }
}
