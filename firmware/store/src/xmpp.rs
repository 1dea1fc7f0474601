//! The account by which the desk sees who is online (PRE-5), and what is allowed in it.

use serde::{Deserialize, Serialize};

use crate::Why;
use crate::settings::{At, Invalid, Secret};

/// The desk's account at an XMPP server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Xmpp {
    /// `user@domain`; the server's certificate must name the domain.
    pub address: String,
    /// Its password.
    #[serde(default, skip_serializing_if = "Secret::is_empty")]
    pub password: Secret,
    /// Host or host:port of the server, where it is not the domain at port 5222.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// A PEM file with the certificates of a company's own authority, trusted besides those of the box.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
}

impl Xmpp {
    pub(crate) fn validate(&self) -> Result<(), Invalid> {
        let at = At { table: "xmpp", index: None };
        at.text("address", &self.address, 1, 512)?;
        let (user, domain) = self.address.split_once('@').unwrap_or_default();
        // RFC 7622 section 3.3.1. A resource is the server's to choose, and a port stands in `server`.
        if user.is_empty() || user.chars().any(|c| c.is_whitespace() || "\"&'/:<>".contains(c)) {
            let form = "give user@domain, without / and what follows it";
            return Err(at.invalid(
                "address",
                Why::Address,
                format!("{:?} is no address; {form}", self.address),
            ));
        }
        if domain.contains(':') {
            let form = "the port stands in server";
            return Err(at.invalid("address", Why::Address, format!("{domain:?} is no domain; {form}")));
        }
        at.host("address", domain)?;
        at.text("password", self.password.reveal(), 0, 256)?;
        at.host("server", self.server.as_deref().unwrap_or(domain))?;
        at.path("ca", self.ca.as_deref())
    }

    /// Without password it keeps the one it has in `known`, where that is the same account.
    pub(crate) fn keep_password(&mut self, known: Option<&Self>) {
        if let Some(known) = known.filter(|known| self.password.is_empty() && known.address == self.address) {
            self.password = known.password.clone();
        }
    }
}
