//! One question to Salesforce: JSON, the token by the host, and what a refusal means.

use frontdesk_connector::crm::{accepted, encode, exchange};
use frontdesk_connector::serde_json::{self, Value};
use frontdesk_connector::{Error, http, json};

/// Spring '24: served for years by every organisation.
const VERSION: &str = "/services/data/v60.0";
/// What an organisation may ask in a day is used up: it is counted over 24 hours, so a while has to pass.
const USED_UP: u32 = 900;

/// An organisation.
pub(crate) struct Server<'url> {
    /// `https://` and a name.
    pub(crate) base: &'url str,
}

impl Server<'_> {
    /// SOSL.
    pub(crate) fn search(&self, search: &str) -> Result<Value, Error> {
        self.send("GET", &format!("/search/?q={}", encode(search)), None)
    }

    /// SOQL.
    pub(crate) fn query(&self, query: &str) -> Result<Value, Error> {
        self.send("GET", &format!("/query/?q={}", encode(query)), None)
    }

    pub(crate) fn create(&self, kind: &str, record: &Value) -> Result<Value, Error> {
        self.send("POST", &format!("/sobjects/{kind}"), Some(record))
    }

    /// The page of a record, which Salesforce forwards to the view its people use.
    pub(crate) fn page(&self, id: &str) -> String {
        format!("{}/{id}", self.base)
    }

    fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Error> {
        let url = format!("{}{VERSION}{path}", self.base);
        read(exchange(method, &url, &[], body, Some("app"))?)
    }
}

fn read(response: http::Response) -> Result<Value, Error> {
    if response.status >= 400
        && let Some(error) = refused(&response.body)
    {
        return Err(error);
    }
    json(&accepted(response, |answer| answer[0]["message"].as_str().map(str::to_owned))?)
}

/// Cases that the status alone does not tell apart.
fn refused(body: &[u8]) -> Option<Error> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let message: String = answer[0]["message"].as_str().unwrap_or_default().chars().take(300).collect();
    match answer[0]["errorCode"].as_str()? {
        "REQUEST_LIMIT_EXCEEDED" => Some(Error::RetryLater(Some(USED_UP))),
        "SERVER_UNAVAILABLE" | "UNABLE_TO_LOCK_ROW" => Some(Error::Unavailable(message)),
        "API_DISABLED_FOR_ORG" => Some(Error::Unsupported(message)),
        // A field or a kind of record that this user may not see does not exist for it.
        "INVALID_FIELD" | "INVALID_TYPE" | "INSUFFICIENT_ACCESS" | "INSUFFICIENT_ACCESS_OR_READONLY" => {
            Some(Error::Forbidden(message))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_what_its_code_says() {
        let of =
            |code: &str| refused(format!("[{{\"errorCode\": \"{code}\", \"message\": \"no\"}}]").as_bytes());
        assert!(matches!(of("REQUEST_LIMIT_EXCEEDED"), Some(Error::RetryLater(Some(USED_UP)))));
        assert!(matches!(of("INVALID_FIELD"), Some(Error::Forbidden(words)) if words == "no"));
        assert!(of("INVALID_SESSION_ID").is_none());
        assert!(refused(b"<html>").is_none() && refused(b"[]").is_none());
    }
}
