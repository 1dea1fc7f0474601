//! What connectors to customer databases share: numbers compared as numbers, a call in words, addresses and
//! times as they are written on the wire, and a memory of what was already entered. Nothing here knows a service.

mod number;
mod words;

pub use number::{ending, same_number};
pub use words::{item_title, summary, title, written_by};

use serde_json::Value;

use crate::{Error, check_status, context, header, http, state};

/// Entries that are remembered; each is at most 64 bytes long.
const REMEMBERED: usize = 500;
const MEMORY: &str = "crm.entered";
/// How much of a server's own words an administrator gets to read, in characters.
const SAID: usize = 300;

/// Whether the desk speaks French; else English is said.
#[must_use]
pub fn is_french() -> bool {
    context::locale().starts_with("fr")
}

/// Text that is there: some services say `false`, `null` or nothing at all where there is none.
#[must_use]
pub fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Text as it may stand in a path or a query: all but unreserved characters percent-encoded (RFC 3986 section 2.3).
#[must_use]
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte))
            }
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}

/// Text as it may stand in HTML, line breaks as `<br>`.
#[must_use]
pub fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' => escaped.push_str("<br>"),
            '\r' => {}
            other => escaped.push(other),
        }
    }
    escaped
}

/// Unix milliseconds as RFC 3339 in UTC, such as `2026-02-28T09:05:00Z`.
#[must_use]
pub fn rfc3339(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days since 0000-03-01: years begin in March, so that a leap day is the last of its year.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest % 3600 / 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// One request with JSON, whatever its status.
///
/// # Errors
/// What the host says; a status is none.
pub fn exchange(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
    auth: Option<&str>,
) -> Result<http::Response, Error> {
    let mut all = vec![("accept".to_owned(), "application/json".to_owned())];
    if body.is_some() {
        all.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let body = body.map(|body| body.to_string().into_bytes());
    let request = http::Request {
        method: method.to_owned(),
        url: url.to_owned(),
        headers: all,
        body,
        auth: auth.map(str::to_owned),
    };
    Ok(http::send(&request)?)
}

/// An answer below 400; else the error its status stands for, with `said` of the server's words.
///
/// # Errors
/// As [`check_status`].
pub fn accepted(
    response: http::Response,
    said: impl Fn(&Value) -> Option<String>,
) -> Result<http::Response, Error> {
    let Err(error) = check_status(response.status, header(&response, "retry-after")) else {
        return Ok(response);
    };
    let value = serde_json::from_slice::<Value>(&response.body).ok();
    let words = value.as_ref().and_then(said).unwrap_or_default();
    let words: String = words.chars().filter(|character| !character.is_control()).take(SAID).collect();
    Err(with_words(error, &words))
}

fn with_words(error: Error, words: &str) -> Error {
    if words.is_empty() {
        return error;
    }
    let add = |text: String| format!("{text}: {words}");
    match error {
        Error::AuthFailed(text) => Error::AuthFailed(add(text)),
        Error::Forbidden(text) => Error::Forbidden(add(text)),
        Error::Gone(text) => Error::Gone(add(text)),
        Error::Unavailable(text) => Error::Unavailable(add(text)),
        Error::Protocol(text) => Error::Protocol(add(text)),
        other => other,
    }
}

/// Whether this call, note or task was entered before. A second look besides asking the service, whose search
/// may lag behind what was written.
#[must_use]
pub fn was_entered(id: &str) -> bool {
    remembered().lines().any(|known| known == id)
}

/// Remembers that it was.
pub fn entered(id: &str) {
    // A full state costs the second look only.
    let _ = state::set(MEMORY, with(&remembered(), id).as_bytes());
}

fn remembered() -> String {
    state::get(MEMORY).and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

/// The memory with one more, the oldest gone where it is full.
fn with(memory: &str, id: &str) -> String {
    let known: Vec<&str> = memory.lines().chain([id]).collect();
    known[known.len().saturating_sub(REMEMBERED)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (milliseconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_000_000_000_999, "2001-09-09T01:46:40Z"),
            (1_772_269_500_000, "2026-02-28T09:05:00Z"),
            (1_772_323_199_000, "2026-02-28T23:59:59Z"),
            (1_772_323_200_000, "2026-03-01T00:00:00Z"),
            (4_102_444_799_000, "2099-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(milliseconds), text);
        }
        // Anything at all is a time, not a panic.
        assert!(rfc3339(u64::MAX).ends_with('Z'));
    }

    #[test]
    fn nothing_leaves_its_place_in_an_address_or_a_page() {
        assert_eq!(encode("+41 44/5&é"), "%2B41%2044%2F5%26%C3%A9");
        assert_eq!(html("<b>\"1\" & '2'\r\n"), "&lt;b&gt;&quot;1&quot; &amp; &#39;2&#39;<br>");
    }

    #[test]
    fn the_memory_keeps_the_newest() {
        let mut memory = String::new();
        for n in 0..REMEMBERED + 3 {
            memory = with(&memory, &format!("call-{n}"));
        }
        assert_eq!(memory.lines().count(), REMEMBERED);
        assert!(!memory.lines().any(|id| id == "call-2") && memory.lines().any(|id| id == "call-3"));
    }

    #[test]
    fn the_servers_words_go_with_the_case() {
        let response = |status, body: &str| http::Response {
            status,
            headers: vec![("retry-after".to_owned(), "7".to_owned())],
            body: body.as_bytes().to_vec(),
            url: String::new(),
        };
        let said = |value: &Value| value["message"].as_str().map(str::to_owned);
        let of = |status, body: &str| accepted(response(status, body), said);
        assert!(of(200, "").is_ok());
        assert!(
            matches!(of(403, r#"{"message": "no scope"}"#), Err(Error::Forbidden(words)) if words.ends_with(": no scope"))
        );
        assert!(matches!(of(401, "<html>"), Err(Error::AuthFailed(words)) if words == "HTTP status 401"));
        assert!(matches!(of(429, "{}"), Err(Error::RetryLater(Some(7)))));
    }
}
