//! What can be called: a telephone number or a SIP URI.
//!
//! Names are resolved before they come here, and dial plans (trunk prefixes, international forms)
//! are the directory's and the exchange's business.

use ipc::CommandError;

/// Longest telephone number. E.164 has 15 digits; prefixes and feature codes add some.
const MAX_NUMBER: usize = 32;
/// Longest SIP URI.
const MAX_URI: usize = 256;
/// Most digits sent in one command.
const MAX_DIGITS: usize = 64;

/// Strips separators from a number; leaves a `sip:` or `sips:` URI as it is.
pub(crate) fn clean(typed: &str) -> Result<String, CommandError> {
    let typed_trimmed = typed.trim();
    let bad = || CommandError::BadNumber { number: typed.chars().take(MAX_URI).collect() };
    match typed_trimmed.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips") => {
            if is_plain_uri(rest) {
                Ok(typed_trimmed.to_owned())
            } else {
                Err(bad())
            }
        }
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("tel") => digits_of(rest).ok_or_else(bad),
        Some(_) => Err(bad()),
        None => digits_of(typed_trimmed).ok_or_else(bad),
    }
}

/// Whether two numbers are the same for the desk: a SIP URI counts as its user part.
pub(crate) fn same(one: &str, other: &str) -> bool {
    match (clean(one), clean(other)) {
        (Ok(one), Ok(other)) => user(&one) == user(&other),
        _ => one == other,
    }
}

/// The user part of a cleaned `sip:` or `sips:` URI without its parameters; a number as it is.
pub(crate) fn user(number: &str) -> &str {
    let rest = number.split_once(':').map_or(number, |(_, rest)| rest);
    let user = rest.split_once('@').map_or(rest, |(user, _)| user);
    user.split_once(';').map_or(user, |(user, _)| user)
}

/// For an address of the web: all but letters, digits and `-._~` as %XX (RFC 3986 section 2.3).
pub(crate) fn encoded(number: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    number.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// Checks and normalises digits to send in a call.
pub(crate) fn dtmf(digits: &str) -> Option<String> {
    let sent: String = digits.chars().map(|c| c.to_ascii_uppercase()).collect();
    let sendable = |c: char| c.is_ascii_digit() || matches!(c, '*' | '#' | 'A'..='D');
    (!sent.is_empty() && sent.len() <= MAX_DIGITS && sent.chars().all(sendable)).then_some(sent)
}

/// The part after `sip:`: printable ASCII that cannot end the header or the angle brackets.
fn is_plain_uri(rest: &str) -> bool {
    let (user, host) = rest.split_once('@').unwrap_or(("-", rest));
    !user.is_empty()
        && !host.is_empty()
        && rest.len() <= MAX_URI
        && !host.contains('@')
        && rest.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '"' | '\\'))
}

fn digits_of(text: &str) -> Option<String> {
    let mut number = String::new();
    for c in text.chars() {
        match c {
            '0'..='9' | '*' | '#' => number.push(c),
            '+' if number.is_empty() => number.push(c),
            ' ' | '\u{a0}' | '\u{202f}' | '-' | '\u{2011}' | '.' | '/' | '(' | ')' => {}
            _ => return None,
        }
    }
    (!number.trim_start_matches('+').is_empty() && number.len() <= MAX_NUMBER).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_go_and_the_rest_stays() {
        for (typed, cleaned) in [
            ("2110", "2110"),
            (" +44 20-7946.0000 ", "+442079460000"),
            ("(01)\u{a0}55/01", "015501"),
            ("*97#", "*97#"),
            ("tel:+33-1-99", "+33199"),
            ("sip:alice@example.org;user=phone", "sip:alice@example.org;user=phone"),
            ("SIPS:desk.example", "SIPS:desk.example"),
        ] {
            assert_eq!(clean(typed).as_deref(), Ok(cleaned), "{typed}");
        }
    }

    #[test]
    fn what_no_telephone_has_is_refused() {
        let long = "1".repeat(MAX_NUMBER + 1);
        let long_uri = format!("sip:{}@x", "a".repeat(MAX_URI));
        for typed in [
            "",
            "  ",
            "+",
            "()",
            "Alice",
            "12a",
            "1+2",
            "++1",
            "sip:",
            "sip:@x",
            "sip:a@",
            "sip:a@b@c",
            "sip:a@b>\r\nX: y",
            "sip:a b@c",
            "http://x",
            "tel:",
            "sip:é@x",
            &long,
            &long_uri,
        ] {
            assert!(matches!(clean(typed), Err(CommandError::BadNumber { .. })), "{typed:?}");
        }
    }

    #[test]
    fn what_goes_into_an_address_cannot_change_it() {
        assert_eq!(encoded("+33 1&x=y#é"), "%2B33%201%26x%3Dy%23%C3%A9");
        assert_eq!(encoded("alice.b-c_d~2"), "alice.b-c_d~2");
    }

    #[test]
    fn only_keys_of_a_telephone_are_sent() {
        assert_eq!(dtmf("12*#ad").as_deref(), Some("12*#AD"));
        for typed in ["", "E", "1 2", "é", &"1".repeat(MAX_DIGITS + 1)] {
            assert_eq!(dtmf(typed), None, "{typed:?}");
        }
    }
}
