//! What Microsoft Graph says: pages of a delta query with `@odata.nextLink` or `@odata.deltaLink`, items that are
//! removed (`@removed`), and errors with a code. It may say anything.

use frontdesk_connector::{Error, header, http, misconfigured, serde_json};
use serde::Deserialize;

use crate::source::Source;

/// Codes that say that a link is good no more, in small letters.
const RESYNC: [&str; 6] = [
    "syncstatenotfound",
    "syncstateinvalid",
    "resyncrequired",
    "resyncrequiredapplydifferences",
    "directory_expiredpagetoken",
    "directory_resyncrequired",
];

/// A user or a contact.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Item {
    pub(crate) id: String,
    #[serde(default, rename = "@removed")]
    removed: Option<serde_json::Value>,
    /// There is a difference between "null" and not being told.
    #[serde(default, deserialize_with = "told")]
    pub(crate) display_name: Option<Option<String>>,
    #[serde(default)]
    pub(crate) given_name: Option<String>,
    #[serde(default)]
    pub(crate) surname: Option<String>,
    #[serde(default)]
    pub(crate) mail: Option<String>,
    #[serde(default)]
    pub(crate) email_addresses: Option<Vec<Address>>,
    #[serde(default)]
    pub(crate) business_phones: Option<Vec<Option<String>>>,
    #[serde(default)]
    pub(crate) home_phones: Option<Vec<Option<String>>>,
    #[serde(default)]
    pub(crate) mobile_phone: Option<String>,
    #[serde(default)]
    pub(crate) fax_number: Option<String>,
    #[serde(default)]
    pub(crate) job_title: Option<String>,
    #[serde(default)]
    pub(crate) department: Option<String>,
    #[serde(default)]
    pub(crate) company_name: Option<String>,
    #[serde(default)]
    pub(crate) office_location: Option<String>,
    #[serde(default)]
    pub(crate) personal_notes: Option<String>,
    #[serde(default)]
    pub(crate) account_enabled: Option<bool>,
}

/// An e-mail address of a contact.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Address {
    #[serde(default)]
    pub(crate) address: Option<String>,
}

fn told<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl Item {
    /// One that is gone.
    pub(crate) fn removed(id: String) -> Self {
        Self { id, removed: Some(serde_json::Value::Null), ..Self::default() }
    }

    /// Deleted, or moved to where deleted ones wait for their end.
    pub(crate) fn is_removed(&self) -> bool {
        self.removed.is_some()
    }

    /// Only what has changed was told: a name is always asked for.
    pub(crate) fn is_part(&self) -> bool {
        self.display_name.is_none()
    }
}

/// What follows a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// The next one.
    Next(String),
    /// None; what has changed since is found here.
    Delta(String),
}

/// A page.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) items: Vec<Item>,
    pub(crate) link: Link,
}

/// Why there is no page.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The host could not reach it.
    Host(Error),
    /// The server said no.
    Said { status: u16, code: String, message: String, wait: Option<u32> },
    /// An answer that is none.
    Unreadable(String),
}

#[derive(Deserialize)]
struct RawPage {
    value: Vec<Item>,
    #[serde(default, rename = "@odata.nextLink")]
    next: Option<String>,
    #[serde(default, rename = "@odata.deltaLink")]
    delta: Option<String>,
}

#[derive(Deserialize)]
struct RawError {
    error: Words,
}

#[derive(Deserialize)]
struct Words {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// Reads a page.
pub(crate) fn read(response: &http::Response) -> Result<Found, Refused> {
    let page: RawPage = read_as(response)?;
    let link = match (page.next, page.delta) {
        (Some(next), _) => Link::Next(next),
        (None, Some(delta)) => Link::Delta(delta),
        (None, None) => {
            return Err(Refused::Unreadable("a page with neither a next nor a delta link".to_owned()));
        }
    };
    Ok(Found { items: page.value, link })
}

/// Reads one item.
pub(crate) fn read_one(response: &http::Response) -> Result<Item, Refused> {
    read_as(response)
}

fn read_as<T: serde::de::DeserializeOwned>(response: &http::Response) -> Result<T, Refused> {
    let status = response.status;
    if status != 200 {
        let words: Option<RawError> = serde_json::from_slice(&response.body).ok();
        let (code, message) = words.map(|raw| (raw.error.code, raw.error.message)).unwrap_or_default();
        let wait = header(response, "retry-after").and_then(|value| value.trim().parse().ok());
        return Err(Refused::Said { status, code, message, wait });
    }
    serde_json::from_slice(&response.body).map_err(|error| Refused::Unreadable(error.to_string()))
}

impl Refused {
    /// What it means in the middle of a run; `resumed` says that a link was followed that may be good no more.
    pub(crate) fn in_a_run(self, source: &Source, resumed: bool) -> Error {
        let (status, code, message, wait) = match self {
            Self::Host(error) => return error,
            Self::Unreadable(words) => return Error::Protocol(format!("{}: {words}", source.name())),
            Self::Said { status, code, message, wait } => (status, code, message, wait),
        };
        if resumed && (status == 410 || RESYNC.contains(&code.to_ascii_lowercase().as_str())) {
            return Error::ResyncRequired;
        }
        let said = [code.as_str(), message.trim()].join(": ");
        let said = said.trim_matches([':', ' ']);
        let colon = if said.is_empty() { "" } else { ": " };
        let words = format!("{}: HTTP status {status}{colon}{said}", source.name());
        match status {
            401 => Error::AuthFailed(words),
            403 => Error::Forbidden(words),
            404 | 410 => Error::Gone(words),
            429 | 503 | 504 | 509 => Error::RetryLater(wait),
            500..=599 => Error::Unavailable(words),
            400 => misconfigured(None, &words),
            _ => Error::Protocol(words),
        }
    }

    /// While somebody fills in the form, a mailbox that is not there is a mistake in it.
    pub(crate) fn at_the_form(self, source: &Source) -> Error {
        match self.in_a_run(source, false) {
            Error::Gone(words) if source.has_contacts() => misconfigured(Some("mailboxes"), &words),
            Error::Gone(words) => misconfigured(Some("server"), &words),
            other => other,
        }
    }
}

/// Which items a page has, in a number: FNV-1a over their ids.
pub(crate) fn print(items: &[Item]) -> u64 {
    let bytes = items.iter().flat_map(|item| item.id.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |print, byte| (print ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
    use super::*;

    fn response(status: u16, body: &str) -> http::Response {
        let headers = vec![("retry-after".to_owned(), "17".to_owned())];
        http::Response { status, headers, body: body.as_bytes().to_vec(), url: String::new() }
    }

    fn refused(status: u16, body: &str, resumed: bool) -> Error {
        match read(&response(status, body)) {
            Err(refused) => refused.in_a_run(&Source::Users, resumed),
            Ok(_) => panic!("not refused"),
        }
    }

    #[test]
    fn a_page_of_users_as_it_is_documented() {
        let found = read(&response(
            200,
            r#"{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users(displayName)",
            "@odata.nextLink":"https://graph.microsoft.com/v1.0/users/delta?$skiptoken=oEBw",
            "value":[{"displayName":"Ann Lee","businessPhones":["1"],"id":"25dc"},
            {"id":"8fff","@removed":{"reason":"changed"}},{"id":"9f","mobilePhone":null}]}"#,
        ));
        let found = found.unwrap();
        assert!(matches!(&found.link, Link::Next(link) if link.ends_with("oEBw")));
        let facts: Vec<_> = found.items.iter().map(|item| (item.is_removed(), item.is_part())).collect();
        assert_eq!(facts, [(false, false), (true, true), (false, true)]);
        let null =
            read(&response(200, r#"{"value":[{"id":"1","displayName":null}],"@odata.deltaLink":"x"}"#));
        assert!(
            !null.unwrap().items[0].is_part(),
            "a name that is not there is not a name that was not told"
        );
        for bad in ["", "{}", "[]", r#"{"value":[]}"#, r#"{"value":[{}],"@odata.deltaLink":"x"}"#, "<html>"] {
            assert!(matches!(read(&response(200, bad)), Err(Refused::Unreadable(_))), "{bad}");
        }
    }

    #[test]
    fn each_no_decides_what_the_host_does() {
        let gone =
            r#"{"error":{"code":"SyncStateNotFound","message":"The sync state generation is not found."}}"#;
        assert!(matches!(refused(410, "", true), Error::ResyncRequired));
        assert!(matches!(refused(400, gone, true), Error::ResyncRequired));
        assert!(matches!(refused(410, gone, false), Error::Gone(_)), "no link was followed");
        assert!(matches!(refused(429, "", true), Error::RetryLater(Some(17))));
        assert!(matches!(refused(503, "", true), Error::RetryLater(Some(17))));
        assert!(matches!(refused(500, "", true), Error::Unavailable(_)));
        assert!(matches!(refused(401, "", true), Error::AuthFailed(_)));
        assert!(matches!(refused(400, "", true), Error::Misconfigured(_)));
        let denied =
            r#"{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges."}}"#;
        let Error::Forbidden(words) = refused(403, denied, true) else { panic!("not forbidden") };
        assert_eq!(
            words,
            "the organisation: HTTP status 403: Authorization_RequestDenied: Insufficient privileges."
        );
    }

    #[test]
    fn other_items_have_another_print() {
        let items = |ids: &[&str]| ids.iter().map(|id| Item::removed((*id).to_owned())).collect::<Vec<_>>();
        assert_eq!(print(&items(&["a", "b"])), print(&items(&["a", "b"])));
        assert_ne!(print(&items(&["a", "b"])), print(&items(&["b", "a"])));
        assert_ne!(print(&items(&["ab"])), print(&items(&["a", "b"])));
    }
}
