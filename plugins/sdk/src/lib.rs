//! What a connector is written with: implement [`Lifecycle`] and what else it can ([`DirectorySync`],
//! [`DirectoryLookup`], [`DirectorySearch`], [`CrmResolve`], [`CrmJournal`], [`CrmItems`]) for a type of your own, then
//! `connector!(YourType: lifecycle, directory_sync);`. The words are those of `plugins/wit`; see
//! `plugins/README.md` for the way from a source file to an uploaded plugin.

pub mod crm;
mod directories;
mod encoding;
mod list;

pub use directories::escape;
pub use encoding::{decoded, windows_1252, without_mark};
pub use list::page_of;
pub use serde;
pub use serde_json;

use serde::de::DeserializeOwned;

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    reason = "generated from plugins/wit, which has the words"
)]
#[doc(hidden)]
pub mod raw {
    wit_bindgen::generate!({
        path: "../wit/v0.1.0",
        inline: "package frontdesk:sdk; world base { include frontdesk:connector/offers@0.1.0; \
            import frontdesk:connector/types@0.1.0; import frontdesk:connector/crm-types@0.1.0; }",
        generate_all,
    });
}

pub use crm_types::{Card, CardKind, Line, Party};
pub use raw::frontdesk::connector::{context, crm_types, http, ldap, log, secrets, settings, state, types};
pub use types::{Contact, Error, Field, Misconfiguration, Phone, PhoneKind};

/// One exported interface: bindings that share the types above, and a macro that exports them.
macro_rules! export_interface {
    ($module:ident, $macro:literal, $module_path:literal, $world:literal $(, $also:literal: $path:path)?) => {
        #[allow(
            missing_docs,
            unreachable_pub,
            clippy::all,
            reason = "generated from plugins/wit, which has the words"
        )]
        #[doc(hidden)]
        pub mod $module {
            wit_bindgen::generate!({
                path: "../wit/v0.1.0",
                inline: $world,
                pub_export_macro: true,
                export_macro_name: $macro,
                default_bindings_module: $module_path,
                with: {
                    "frontdesk:connector/types@0.1.0": crate::raw::frontdesk::connector::types,
                    $($also: $path,)?
                },
            });
        }
    };
}

export_interface!(
    lifecycle,
    "export_lifecycle",
    "frontdesk_connector::lifecycle",
    "package frontdesk:sdk; world exports-lifecycle { export frontdesk:connector/lifecycle@0.1.0; }"
);
export_interface!(
    directory_sync,
    "export_directory_sync",
    "frontdesk_connector::directory_sync",
    "package frontdesk:sdk; world exports-directory-sync { export frontdesk:connector/directory-sync@0.1.0; }"
);
export_interface!(
    directory_lookup,
    "export_directory_lookup",
    "frontdesk_connector::directory_lookup",
    "package frontdesk:sdk; world exports-directory-lookup { export frontdesk:connector/directory-lookup@0.1.0; }"
);
export_interface!(
    directory_search,
    "export_directory_search",
    "frontdesk_connector::directory_search",
    "package frontdesk:sdk; world exports-directory-search { export frontdesk:connector/directory-search@0.1.0; }"
);
export_interface!(
    crm_resolve,
    "export_crm_resolve",
    "frontdesk_connector::crm_resolve",
    "package frontdesk:sdk; world exports-crm-resolve { export frontdesk:connector/crm-resolve@0.1.0; }",
    "frontdesk:connector/crm-types@0.1.0": crate::raw::frontdesk::connector::crm_types
);
export_interface!(
    crm_journal,
    "export_crm_journal",
    "frontdesk_connector::crm_journal",
    "package frontdesk:sdk; world exports-crm-journal { export frontdesk:connector/crm-journal@0.1.0; }",
    "frontdesk:connector/crm-types@0.1.0": crate::raw::frontdesk::connector::crm_types
);
export_interface!(
    crm_items,
    "export_crm_items",
    "frontdesk_connector::crm_items",
    "package frontdesk:sdk; world exports-crm-items { export frontdesk:connector/crm-items@0.1.0; }",
    "frontdesk:connector/crm-types@0.1.0": crate::raw::frontdesk::connector::crm_types
);

pub use crm_items::exports::frontdesk::connector::crm_items::{Guest as CrmItems, Item, ItemKind};
pub use crm_journal::exports::frontdesk::connector::crm_journal::{
    Call, Direction, Guest as CrmJournal, Outcome,
};
pub use crm_resolve::exports::frontdesk::connector::crm_resolve::Guest as CrmResolve;
pub use directory_lookup::exports::frontdesk::connector::directory_lookup::Guest as DirectoryLookup;
pub use directory_search::exports::frontdesk::connector::directory_search::Guest as DirectorySearch;
pub use directory_sync::exports::frontdesk::connector::directory_sync::{
    Change, Guest as DirectorySync, Next, Page, Start,
};
pub use lifecycle::exports::frontdesk::connector::lifecycle::Guest as Lifecycle;

/// Makes a type the connector: `connector!(MyType: lifecycle, directory_sync);`.
#[macro_export]
macro_rules! connector {
    ($type:ident : $($interface:ident),+ $(,)?) => { $( $crate::connector!(@one $type, $interface); )+ };
    (@one $type:ident, lifecycle) => {
        $crate::lifecycle::export_lifecycle!($type with_types_in $crate::lifecycle);
    };
    (@one $type:ident, directory_sync) => {
        $crate::directory_sync::export_directory_sync!($type with_types_in $crate::directory_sync);
    };
    (@one $type:ident, directory_lookup) => {
        $crate::directory_lookup::export_directory_lookup!($type with_types_in $crate::directory_lookup);
    };
    (@one $type:ident, directory_search) => {
        $crate::directory_search::export_directory_search!($type with_types_in $crate::directory_search);
    };
    (@one $type:ident, crm_resolve) => {
        $crate::crm_resolve::export_crm_resolve!($type with_types_in $crate::crm_resolve);
    };
    (@one $type:ident, crm_journal) => {
        $crate::crm_journal::export_crm_journal!($type with_types_in $crate::crm_journal);
    };
    (@one $type:ident, crm_items) => {
        $crate::crm_items::export_crm_items!($type with_types_in $crate::crm_items);
    };
}

/// The settings as a type of yours. A value that does not fit is `misconfigured`.
///
/// # Errors
/// [`Error::Misconfigured`] with what serde says.
pub fn settings_as<T: DeserializeOwned>() -> Result<T, Error> {
    serde_json::from_str(&settings::json()).map_err(|error| misconfigured(None, &error.to_string()))
}

/// A setting that is missing or wrong, for the administrator to read.
#[must_use]
pub fn misconfigured(field: Option<&str>, message: &str) -> Error {
    Error::Misconfigured(Misconfiguration { field: field.map(str::to_owned), message: message.to_owned() })
}

/// GET, and the answer as JSON in a type of yours. As [`get`].
///
/// # Errors
/// As [`get`], and [`Error::Protocol`] where the answer is something else.
pub fn get_json<T: DeserializeOwned>(url: &str, auth: Option<&str>) -> Result<T, Error> {
    json(&get(url, &[("accept", "application/json")], auth)?)
}

/// Sends JSON with POST, PATCH or PUT, with the credential of the `[[auth]]` entry named.
///
/// # Errors
/// As [`get`].
pub fn send_json(
    method: &str,
    url: &str,
    body: &impl serde::Serialize,
    auth: Option<&str>,
) -> Result<http::Response, Error> {
    let body = serde_json::to_vec(body).map_err(|error| Error::Internal(error.to_string()))?;
    let headers = [("accept", "application/json"), ("content-type", "application/json")];
    let response = http::send(&http::Request {
        method: method.to_owned(),
        url: url.to_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        body: Some(body),
        auth: auth.map(str::to_owned),
    })?;
    check_status(response.status, header(&response, "retry-after"))?;
    Ok(response)
}

/// The body of an answer as JSON in a type of yours.
///
/// # Errors
/// [`Error::Protocol`] where it is something else.
pub fn json<T: DeserializeOwned>(response: &http::Response) -> Result<T, Error> {
    serde_json::from_slice(without_mark(&response.body)).map_err(|error| Error::Protocol(error.to_string()))
}

/// GET, with the credential of the `[[auth]]` entry named. Statuses of 400 and above are errors, those of
/// 300 to 399 (304: not modified) are given back.
///
/// # Errors
/// What [`check_status`] and the host say.
pub fn get(url: &str, headers: &[(&str, &str)], auth: Option<&str>) -> Result<http::Response, Error> {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let response = http::send(&http::Request {
        method: "GET".to_owned(),
        url: url.to_owned(),
        headers,
        body: None,
        auth: auth.map(str::to_owned),
    })?;
    check_status(response.status, header(&response, "retry-after"))?;
    Ok(response)
}

/// A header of an answer, by its name in lower case.
#[must_use]
pub fn header<'response>(response: &'response http::Response, name: &str) -> Option<&'response str> {
    response.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// The error a status stands for (RFC 9110 section 15, RFC 6585 section 4).
///
/// # Errors
/// One for each status of 400 and above.
pub fn check_status(status: u16, retry_after: Option<&str>) -> Result<(), Error> {
    let seconds = retry_after.and_then(|value| value.trim().parse().ok());
    Err(match status {
        0..=399 => return Ok(()),
        401 => Error::AuthFailed("HTTP status 401".to_owned()),
        403 => Error::Forbidden("HTTP status 403".to_owned()),
        404 | 410 => Error::Gone(format!("HTTP status {status}")),
        429 | 503 => Error::RetryLater(seconds),
        500..=599 => Error::Unavailable(format!("HTTP status {status}")),
        _ => Error::Protocol(format!("HTTP status {status}")),
    })
}

impl From<http::Error> for Error {
    fn from(error: http::Error) -> Self {
        match error {
            http::Error::Denied(reason) => Error::Forbidden(reason),
            http::Error::BadRequest(reason) => misconfigured(None, &reason),
            http::Error::Unreachable(reason) | http::Error::Tls(reason) => Error::Unavailable(reason),
            http::Error::TimedOut => Error::Unavailable("no answer in time".to_owned()),
            http::Error::TooLarge(limit) => {
                Error::Protocol(format!("the answer is larger than {limit} bytes"))
            }
            http::Error::TooMany(seconds) => Error::RetryLater(Some(seconds)),
            http::Error::Auth(reason) => Error::AuthFailed(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_with_a_byte_order_mark_is_json() {
        let response = |body: &[u8]| http::Response {
            status: 200,
            headers: Vec::new(),
            body: body.to_vec(),
            url: String::new(),
        };
        assert_eq!(json::<Vec<u8>>(&response(b"\xef\xbb\xbf[1]")).ok(), Some(vec![1]));
        assert!(matches!(json::<Vec<u8>>(&response(b"<html>")), Err(Error::Protocol(_))));
    }

    #[test]
    fn each_status_decides_what_the_host_does() {
        assert!(check_status(200, None).is_ok() && check_status(304, None).is_ok());
        assert!(matches!(check_status(401, None), Err(Error::AuthFailed(_))));
        assert!(matches!(check_status(410, None), Err(Error::Gone(_))));
        assert!(matches!(check_status(429, Some(" 30")), Err(Error::RetryLater(Some(30)))));
        assert!(matches!(check_status(503, Some("Fri, 31 Dec 1999")), Err(Error::RetryLater(None))));
        assert!(matches!(check_status(502, None), Err(Error::Unavailable(_))));
        assert!(matches!(check_status(418, None), Err(Error::Protocol(_))));
    }
}
