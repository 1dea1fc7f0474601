//! One question to HubSpot: JSON, the token by the host, and what a refusal means.

use frontdesk_connector::crm::{accepted, exchange};
use frontdesk_connector::serde_json::Value;
use frontdesk_connector::{Error, http, json};

const BASE: &str = "https://api.hubapi.com";
/// The limit of a private app is counted over ten seconds; HubSpot does not say how much of them is left.
const WINDOW: u32 = 10;

pub(crate) fn get(path: &str) -> Result<Value, Error> {
    read(exchange("GET", &format!("{BASE}{path}"), &[], None, Some("token"))?)
}

pub(crate) fn post(path: &str, body: &Value) -> Result<Value, Error> {
    read(exchange("POST", &format!("{BASE}{path}"), &[], Some(body), Some("token"))?)
}

fn read(response: http::Response) -> Result<Value, Error> {
    let limited = response.status == 429;
    match accepted(response, said) {
        Ok(response) => json(&response),
        Err(Error::RetryLater(seconds)) if limited => Err(Error::RetryLater(Some(seconds.unwrap_or(WINDOW)))),
        Err(error) => Err(error),
    }
}

fn said(answer: &Value) -> Option<String> {
    answer["message"].as_str().map(str::to_owned)
}
