//! How an account reaches its exchange, and what of it is protected: the words of the settings file (ACC-5).
//!
//! Not done here: any of it. `sip` and the sockets of the daemon do it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// By what an account speaks with its exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// As the name server says (RFC 3263); where it says nothing, UDP.
    #[default]
    Auto,
    /// Datagrams; what is too large for one goes by TCP.
    Udp,
    /// One connection, readable on the way.
    Tcp,
    /// One connection, encrypted, to an exchange whose certificate is checked.
    Tls,
}

impl Transport {
    /// Its word in the settings file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }
}

/// Whether speech is encrypted (SRTP with its keys in the call set-up, RFC 4568).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Srtp {
    /// Never.
    #[default]
    Off,
    /// Where the other side can do it too.
    Optional,
    /// Always: a call without is refused.
    Mandatory,
}

impl Srtp {
    /// Its word in the settings file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Optional => "optional",
            Self::Mandatory => "mandatory",
        }
    }
}

/// How an account finds the address at which it is reached from outside: `none`, `registrar` or `stun:HOST`, the last
/// one perhaps with a port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Nat {
    /// The box's own address is reached.
    #[default]
    None,
    /// As the registrar sees it.
    Registrar,
    /// As a STUN server sees it.
    Stun(String),
}

/// A text that is none of the ways.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not allowed; give none, registrar, or stun:HOST, perhaps with a port")]
pub struct NatError(String);

impl TryFrom<String> for Nat {
    type Error = NatError;

    fn try_from(text: String) -> Result<Self, NatError> {
        match (text.as_str(), text.strip_prefix("stun:")) {
            ("none", _) => Ok(Self::None),
            ("registrar", _) => Ok(Self::Registrar),
            (_, Some(server)) if !server.is_empty() => Ok(Self::Stun(server.to_owned())),
            _ => Err(NatError(text)),
        }
    }
}

impl From<Nat> for String {
    fn from(nat: Nat) -> Self {
        nat.to_string()
    }
}

impl fmt::Display for Nat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Registrar => f.write_str("registrar"),
            Self::Stun(server) => write!(f, "stun:{server}"),
        }
    }
}
