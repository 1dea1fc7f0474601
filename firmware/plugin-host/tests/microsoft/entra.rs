//! The token and the device authorization endpoint of the identity platform, with its own codes of errors.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Answer, Asked};

pub const TENANT: &str = "house.example";
pub const CLIENT: &str = "6731de76-14a6-49ae-97bc-6eba6914391e";
pub const SECRET: &str = "qWgdYAmab0YSkuL1qKv5bPX-of-the-desk";

/// Who may have a token.
pub struct Entra {
    /// Tokens, and requests that were made with each.
    tokens: BTreeMap<String, usize>,
    /// What it says a token is good for, in seconds.
    pub lifetime: Value,
    /// Whoever has typed a code in: nobody yet, somebody, or somebody who said no.
    pub person: Person,
    /// The refresh token that is good.
    pub refresh: Option<String>,
    /// It answers with this instead.
    pub broken: Option<(u16, Value)>,
    issued: usize,
    polls: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Person {
    Away,
    /// Asks not to be asked so often, once.
    Slow,
    SignsIn,
    Declines,
}

impl Default for Entra {
    fn default() -> Self {
        let (tokens, lifetime, person) = (BTreeMap::new(), json!(3599), Person::Away);
        Self { tokens, lifetime, person, refresh: None, broken: None, issued: 0, polls: 0 }
    }
}

impl Entra {
    /// Whether a token is good, for one more request.
    pub fn takes(&mut self, token: &str, most: usize) -> bool {
        let Some(used) = self.tokens.get_mut(token) else { return false };
        *used += 1;
        *used <= most
    }

    /// All tokens that were given, good or not.
    pub fn given(&self) -> Vec<String> {
        self.tokens.keys().cloned().collect()
    }

    /// How often somebody was asked whether a code was typed in.
    pub fn polls(&self) -> usize {
        self.polls
    }

    pub(super) fn answer(&mut self, asked: &Asked) -> Answer {
        if let Some((status, body)) = self.broken.clone() {
            return (status, Vec::new(), body);
        }
        let form: BTreeMap<String, String> =
            url::form_urlencoded::parse(asked.body.as_bytes()).into_owned().collect();
        let get = |key: &str| form.get(key).map(String::as_str).unwrap_or_default();
        if get("client_id") != CLIENT {
            let words = "AADSTS700016: Application with identifier was not found in the directory.";
            return refused(400, "unauthorized_client", words);
        }
        if asked.path.ends_with("/devicecode") {
            return (
                200,
                Vec::new(),
                json!({
                    "user_code": "FJC3-X5N7", "device_code": "GMMhmHCXhWEzkobqIHGG", "expires_in": 900, "interval": 1,
                    "verification_uri": "https://microsoft.com/devicelogin",
                    "message": "To sign in, use a web browser to open the page and enter the code."
                }),
            );
        }
        match get("grant_type") {
            "client_credentials" if get("client_secret") != SECRET => refused(
                401,
                "invalid_client",
                "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent is the secret value.\r\nTrace ID: 1",
            ),
            "client_credentials" if !get("scope").ends_with("/.default") => {
                refused(400, "invalid_scope", "AADSTS1002012: The provided value for scope is not valid.")
            }
            "client_credentials" => self.give(false),
            "urn:ietf:params:oauth:grant-type:device_code" => self.poll(get("device_code")),
            "refresh_token" if self.refresh.as_deref() == Some(get("refresh_token")) => self.give(true),
            "refresh_token" => refused(
                400,
                "invalid_grant",
                "AADSTS700082: The refresh token has expired due to inactivity.",
            ),
            _ => refused(
                400,
                "unsupported_grant_type",
                "AADSTS70003: The app requested an unsupported grant type.",
            ),
        }
    }

    fn poll(&mut self, code: &str) -> Answer {
        self.polls += 1;
        match (code, self.person) {
            ("GMMhmHCXhWEzkobqIHGG", Person::SignsIn) => self.give(true),
            ("GMMhmHCXhWEzkobqIHGG", Person::Away) => {
                refused(400, "authorization_pending", "AADSTS70016: Pending.")
            }
            ("GMMhmHCXhWEzkobqIHGG", Person::Slow) => {
                self.person = Person::SignsIn;
                refused(400, "slow_down", "AADSTS: Slow down.")
            }
            ("GMMhmHCXhWEzkobqIHGG", Person::Declines) => {
                refused(400, "authorization_declined", "AADSTS: Declined.")
            }
            _ => refused(400, "bad_verification_code", "AADSTS: Unknown code."),
        }
    }

    fn give(&mut self, with_refresh: bool) -> Answer {
        self.issued += 1;
        let token = format!("eyJ0eXAiOiJKV1Qi.access-{:04}", self.issued);
        self.tokens.insert(token.clone(), 0);
        let mut body = json!({"token_type": "Bearer", "expires_in": self.lifetime, "ext_expires_in": 3599, "access_token": token});
        if with_refresh {
            let refresh = format!("0.AWgA1.refresh-{:04}", self.issued);
            body["refresh_token"] = json!(refresh);
            self.refresh = Some(refresh);
        }
        (200, Vec::new(), body)
    }
}

fn refused(status: u16, code: &str, words: &str) -> Answer {
    let body = json!({
        "error": code, "error_description": words, "error_codes": [7000215], "timestamp": "2026-11-26 12:00:00Z",
        "trace_id": "255d1aef", "correlation_id": "fb3d2015"
    });
    (status, Vec::new(), body)
}
