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

    /// Without password it keeps the one it has in `known`, where that is the same account at the same server, believed
    /// by the same authority: a password does not go to a machine for which nobody typed it.
    pub(crate) fn keep_password(&mut self, known: Option<&Self>) {
        let is_same = |known: &&Self| {
            known.address == self.address && known.server == self.server && known.ca == self.ca
        };
        if let Some(known) = known.filter(|_| self.password.is_empty()).filter(is_same) {
            self.password = known.password.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pre_5_a_password_stays_with_its_account_its_server_and_its_authority() {
        let known = Xmpp {
            address: "desk@example.org".into(),
            password: Secret::new("secret"),
            server: Some("chat.example.org".into()),
            ca: None,
        };
        let kept = |change: fn(&mut Xmpp)| {
            let mut wanted = Xmpp { password: Secret::default(), ..known.clone() };
            change(&mut wanted);
            wanted.keep_password(Some(&known));
            wanted.password.reveal().to_owned()
        };
        assert_eq!(kept(|_| {}), "secret");
        assert_eq!(kept(|wanted| wanted.password = Secret::new("other")), "other");
        assert_eq!(kept(|wanted| wanted.address = "other@example.org".into()), "");
        assert_eq!(kept(|wanted| wanted.server = None), "");
        assert_eq!(kept(|wanted| wanted.server = Some("evil.example".into())), "");
        assert_eq!(kept(|wanted| wanted.ca = Some("/etc/own.pem".into())), "");
    }
}
