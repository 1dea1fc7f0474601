//! Why nothing was taken from a provisioning server, for the log in English; the page has the words of both languages
//! (`pages/provisioning_words.rs`).

use store::SettingsError;

/// See the module. Each says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("{0:?} is no https:// address; give one, or allow http by provisioning.allow_http")]
    NotHttps(String),
    #[error(
        "{0:?} is no address of a provisioning server; give https://HOST/ or the address of a .toml file"
    )]
    NoAddress(String),
    #[error(
        "DHCP names {0}, but this desk was not set up from there: it is not followed; \
         type the address on the administrator's page to be provisioned from there"
    )]
    NotFollowed(String),
    #[error("{file} cannot be used: {why}")]
    Files { file: String, why: String },
    #[error("{host} cannot be reached: {why}")]
    Unreachable { host: String, why: String },
    #[error(
        "the certificate of {host} is not trusted: {why}; \
         if it is of an authority of your own, provisioning.ca names a file with it"
    )]
    Untrusted { host: String, why: String },
    #[error("{host} wants a device certificate, and this desk has none (provisioning.certificate)")]
    WantsCertificate { host: String },
    #[error("{host} refuses the device certificate: {why}")]
    RefusesCertificate { host: String, why: String },
    #[error(
        "{host} refuses (HTTP {status}): type the one-time code for {device} on the administrator's page"
    )]
    Refused { host: String, status: u16, device: String },
    #[error("{url} is not there: put a settings file there")]
    NotFound { url: String },
    #[error("{host} answers HTTP {status}; its own log says why")]
    Status { host: String, status: u16 },
    #[error("{host} sends the desk on to {to}, which is not followed; give that address")]
    Redirect { host: String, to: String },
    #[error("the file is larger than {most} bytes")]
    TooLarge { most: usize },
    #[error("the file is no text in UTF-8")]
    NotText,
    #[error("the file is not taken, nothing was changed: {0}")]
    Invalid(Box<SettingsError>),
    #[error(
        "the file is not taken, nothing was changed: {0}; the server counts the one-time code as used: make a new one, \
         and type it on the administrator's page"
    )]
    InvalidAndSpent(Box<SettingsError>),
    #[error("the desk's records: {0}")]
    Records(String),
}
