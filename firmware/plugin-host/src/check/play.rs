//! What the author knows of a server: its answers when all is well, and settings that fit them, in a file of JSON.
//!
//! ```json
//! {
//!   "settings": { "base": "https://crm.example" },
//!   "number": "+41445550001",
//!   "answers": [
//!     { "path": "/customers", "body": { "items": [{ "id": 17, "name": "Zoë", "phone": "+41 44 555 00 01" }] } },
//!     { "method": "POST", "path": "/calls", "status": 201, "body": {} }
//!   ]
//! }
//! ```

use serde::Deserialize;
use serde_json::{Map, Value};

/// A server's part.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Play {
    /// Settings that are not to be made up.
    pub settings: Map<String, Value>,
    /// A number that somebody in the answers has; `+41445550001` without it.
    pub number: Option<String>,
    /// What is answered, by the beginning of the path; of several that fit, the longest.
    pub answers: Vec<Answer>,
}

/// One answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Any, where it is not named.
    #[serde(default)]
    method: Option<String>,
    path: String,
    #[serde(default = "fine")]
    status: u16,
    /// Text is sent as it is, anything else as JSON.
    #[serde(default)]
    body: Value,
}

fn fine() -> u16 {
    200
}

impl Play {
    /// Status and body for a request with this head; none, where the file says nothing of it.
    pub(super) fn answer(&self, head: &str) -> Option<(u16, String)> {
        let mut words = head.split_ascii_whitespace();
        let (method, target) = (words.next()?, words.next()?);
        let fits = |answer: &&Answer| {
            let named = answer.method.as_ref().is_none_or(|name| name.eq_ignore_ascii_case(method));
            // The stage hears heads in small letters.
            named && target.starts_with(&answer.path.to_lowercase())
        };
        let answer = self.answers.iter().filter(fits).max_by_key(|answer| answer.path.len())?;
        let body = match &answer.body {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        Some((answer.status, body))
    }

    /// A number that somebody has.
    pub(super) fn number(&self) -> &str {
        self.number.as_deref().unwrap_or("+41445550001")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_longest_path_and_the_right_method_answer() {
        let play: Play = serde_json::from_value(json!({ "answers": [
            { "path": "/", "body": "all" },
            { "path": "/Calls", "body": { "of": "calls" } },
            { "method": "POST", "path": "/calls", "status": 201 },
        ]}))
        .unwrap();
        let answer = |head: &str| play.answer(head);
        assert_eq!(answer("get /people http/1.1"), Some((200, "all".to_owned())));
        assert_eq!(answer("get /calls?x=1 http/1.1"), Some((200, "{\"of\":\"calls\"}".to_owned())));
        assert_eq!(answer("get rubbish"), None);
        assert_eq!(Play::default().answer("get / http/1.1"), None);
    }
}
