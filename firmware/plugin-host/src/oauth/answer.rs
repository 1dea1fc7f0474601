//! What a token server says (RFC 6749 sections 5.1 and 5.2, RFC 8628 sections 3.2 and 3.5), read by plain functions.
//! It may say anything.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::contact::clean;
use crate::manifest::is_line;

/// How long a token is taken to be good of which the server does not say it.
const UNSAID: Duration = Duration::from_secs(600);
/// The longest that one is believed to be good.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// The largest token, in bytes.
const TOKEN: usize = 32 << 10;
/// The longest words of a server that are shown, in characters.
const WORDS: usize = 300;
/// Wait for a server that is busy and does not say how long, in seconds.
const WAIT: u32 = 30;

/// A token that was granted.
pub(crate) struct Token {
    pub(crate) access: String,
    /// How long it is good.
    pub(crate) lifetime: Duration,
    pub(crate) refresh: Option<String>,
}

/// What a token server said.
pub(crate) enum Said {
    Token(Token),
    /// No, by a code of the standard, in its words.
    Refused {
        code: String,
        words: String,
    },
    /// Not now; again after so many seconds.
    Busy(u32),
    /// Nothing that the standard knows.
    Unclear(String),
}

/// A code that a person types in elsewhere.
pub(crate) struct Device {
    pub(crate) device_code: String,
    pub(crate) user_code: String,
    /// Where it is typed in; http or https.
    pub(crate) address: String,
    /// The same with the code in it.
    pub(crate) address_with_code: Option<String>,
    pub(crate) expires: Duration,
    /// Time between two questions whether somebody has.
    pub(crate) interval: Duration,
}

#[derive(Deserialize)]
struct RawToken {
    access_token: String,
    token_type: String,
    #[serde(default)]
    expires_in: Value,
    #[serde(default)]
    refresh_token: Option<String>,
}

#[derive(Deserialize)]
struct RawDevice {
    device_code: String,
    user_code: String,
    // Google's older name of it is verification_url.
    #[serde(alias = "verification_url")]
    verification_uri: String,
    #[serde(default)]
    verification_uri_complete: Option<String>,
    #[serde(default)]
    expires_in: Value,
    #[serde(default)]
    interval: Value,
}

#[derive(Deserialize)]
struct RawError {
    error: String,
    #[serde(default)]
    error_description: Option<String>,
}

/// Reads the answer of a token endpoint.
pub(crate) fn token(status: u16, retry_after: Option<u32>, body: &[u8]) -> Said {
    if status != 200 {
        return no(status, retry_after, body);
    }
    let Ok(raw) = serde_json::from_slice::<RawToken>(body) else {
        return Said::Unclear("an answer without a token".to_owned());
    };
    let is_good = |token: &str| {
        !token.is_empty() && token.len() <= TOKEN && token.bytes().all(|byte| matches!(byte, 0x21..=0x7e))
    };
    if !raw.token_type.eq_ignore_ascii_case("bearer") || !is_good(&raw.access_token) {
        return Said::Unclear("a token that cannot be used".to_owned());
    }
    Said::Token(Token {
        access: raw.access_token,
        lifetime: seconds(&raw.expires_in).unwrap_or(UNSAID).min(LONGEST),
        refresh: raw.refresh_token.filter(|token| is_good(token)),
    })
}

/// Reads the answer of a device authorization endpoint.
pub(crate) fn device(status: u16, retry_after: Option<u32>, body: &[u8]) -> Result<Device, Said> {
    if status != 200 {
        return Err(no(status, retry_after, body));
    }
    let unclear = |words: &str| Said::Unclear(words.to_owned());
    let raw = serde_json::from_slice::<RawDevice>(body).map_err(|_| unclear("an answer without a code"))?;
    let is_address = |text: &String| {
        url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) && is_line(text)
    };
    if !is_address(&raw.verification_uri) || !is_line(&raw.user_code) || raw.user_code.len() > 100 {
        return Err(unclear("a code that nobody can type in"));
    }
    let bounded = |value: &Value, default: u64, most: u64| {
        let time = seconds(value).unwrap_or(Duration::from_secs(default));
        time.clamp(Duration::from_secs(1), Duration::from_secs(most))
    };
    Ok(Device {
        device_code: raw.device_code,
        user_code: raw.user_code,
        address: raw.verification_uri,
        address_with_code: raw.verification_uri_complete.filter(is_address),
        expires: bounded(&raw.expires_in, 900, 3600),
        interval: bounded(&raw.interval, 5, 60),
    })
}

fn no(status: u16, retry_after: Option<u32>, body: &[u8]) -> Said {
    if status == 429 || status == 503 {
        return Said::Busy(retry_after.unwrap_or(WAIT).clamp(1, 3600));
    }
    match serde_json::from_slice::<RawError>(body) {
        Ok(raw) if matches!(raw.error.as_str(), "temporarily_unavailable" | "server_error") => {
            Said::Busy(WAIT)
        }
        Ok(raw) if (400..500).contains(&status) && is_line(&raw.error) => {
            let description = raw.error_description.map(|words| format!(": {words}")).unwrap_or_default();
            let words = clean(&format!("{}{description}", raw.error)).chars().take(WORDS).collect();
            Said::Refused { code: raw.error, words }
        }
        _ => Said::Unclear(format!("HTTP status {status}")),
    }
}

/// A number of seconds; some servers write it as text.
fn seconds(value: &Value) -> Option<Duration> {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
    number.map(Duration::from_secs)
}

#[cfg(test)]
#[path = "test_answer.rs"]
mod tests;
