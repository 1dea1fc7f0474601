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
    Files { file: String, why: Unusable },
    #[error("{host} cannot be reached: {why}")]
    Unreachable { host: String, why: Unreached },
    #[error(
        "the certificate of {host} is not trusted: {why}; \
         if it is of an authority of your own, provisioning.ca names a file with it"
    )]
    Untrusted { host: String, why: Untrusted },
    #[error("{host} wants a device certificate, and this desk has none (provisioning.certificate)")]
    WantsCertificate { host: String },
    #[error("{host} refuses the device certificate: {why}")]
    RefusesCertificate { host: String, why: Objection },
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

/// Why a file of certificates or of a key is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unusable {
    #[error("no certificate in it (PEM)")]
    NoCertificate,
    #[error("no private key in it (PEM)")]
    NoKey,
    #[error("the key does not belong to the certificate")]
    OtherKey,
    #[error("it is no certificate that can be used: {0}")]
    Bad(String),
    #[error("this program may not read it: {0}")]
    NotAllowed(String),
    #[error("{0}")]
    Other(String),
}

/// Why there is no answer of a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreached {
    #[error("its name is not found: {0}")]
    NoName(String),
    /// Seconds.
    #[error("no answer within {0} s")]
    NoAnswer(u64),
    #[error("nobody answers at this port: {0}")]
    Nobody(String),
    #[error("the network has no way there: {0}")]
    NoWay(String),
    #[error("the connection ended before the whole answer was there: {0}")]
    Ended(String),
    #[error("nobody speaks TLS there")]
    NoTls,
    #[error("TLS: {0}")]
    Tls(String),
    #[error("what answers there is no web server: {0}")]
    NoHttp(String),
    #[error("{0}")]
    Other(String),
}

/// Why the certificate of a server is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Untrusted {
    #[error("it comes from an authority that is not known here")]
    UnknownAuthority,
    #[error("it has expired")]
    Expired,
    #[error("it does not count yet; is the clock right?")]
    NotYet,
    #[error("it is for another name")]
    OtherName,
    #[error("{0}")]
    Other(String),
}

/// What a server has against the certificate of the device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Objection {
    #[error("it comes from an authority that is not known there")]
    UnknownAuthority,
    #[error("it has expired")]
    Expired,
    #[error("it was revoked")]
    Revoked,
    #[error("the server ended the connection: {0}")]
    HungUp(String),
    #[error("{0}")]
    Other(String),
}

impl Unusable {
    /// What another program said of it.
    pub(crate) fn detail(&self) -> Option<&str> {
        match self {
            Self::Bad(said) | Self::NotAllowed(said) | Self::Other(said) => Some(said),
            Self::NoCertificate | Self::NoKey | Self::OtherKey => None,
        }
    }
}

impl Unreached {
    /// What another program said of it.
    pub(crate) fn detail(&self) -> Option<&str> {
        match self {
            Self::NoName(said) | Self::Nobody(said) | Self::NoWay(said) | Self::Ended(said) => Some(said),
            Self::Tls(said) | Self::NoHttp(said) | Self::Other(said) => Some(said),
            Self::NoAnswer(_) | Self::NoTls => None,
        }
    }
}

impl Untrusted {
    /// What another program said of it.
    pub(crate) fn detail(&self) -> Option<&str> {
        match self {
            Self::Other(said) => Some(said),
            Self::UnknownAuthority | Self::Expired | Self::NotYet | Self::OtherName => None,
        }
    }
}

impl Objection {
    /// What another program said of it.
    pub(crate) fn detail(&self) -> Option<&str> {
        match self {
            Self::HungUp(said) | Self::Other(said) => Some(said),
            Self::UnknownAuthority | Self::Expired | Self::Revoked => None,
        }
    }
}
