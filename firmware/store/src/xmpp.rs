//! The account by which the desk sees who is online (PRE-5), and what is allowed in it.

use serde::{Deserialize, Serialize};

use crate::settings::{At, Invalid, Secret};
use crate::settings_file::SettingsError;
use crate::{StoreError, Why};

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

    /// This account in the place of the one that is `known`, of which it has the password where none was given, as long as
    /// nothing else changes.
    ///
    /// # Errors
    /// [`StoreError::Settings`] at `password`: it is another account, server or authority, and no password was given.
    pub fn in_place_of(mut self, known: Option<&Self>) -> Result<Self, StoreError> {
        self.keep_password(known);
        // One that has none, such as of a settings file without passwords, is no change.
        if self.password.is_empty() && known != Some(&self) {
            let reason = "must be given with another address, server or ca".to_owned();
            let invalid = At { table: "xmpp", index: None }.invalid("password", Why::PasswordAgain, reason);
            return Err(SettingsError::without_file(&invalid).into());
        }
        Ok(self)
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
#[allow(clippy::unwrap_used, reason = "tests")]
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

    #[test]
    fn pre_5_another_account_server_or_authority_wants_its_password() {
        let bare = Xmpp { address: "desk@example.org".into(), ..Xmpp::default() };
        let known = Xmpp { password: Secret::new("secret"), ..bare.clone() };
        let put = |wanted: &Xmpp, known: Option<&Xmpp>| match wanted.clone().in_place_of(known) {
            Ok(taken) => taken.password.reveal().to_owned(),
            Err(StoreError::Settings(error)) => {
                let refusal = error.refusal.unwrap();
                assert_eq!(
                    (refusal.table, refusal.field, refusal.why),
                    ("xmpp", "password", Why::PasswordAgain)
                );
                error.message
            }
            Err(other) => other.to_string(),
        };
        let words = "xmpp password: must be given with another address, server or ca";
        assert_eq!(put(&bare, Some(&known)), "secret");
        assert_eq!(put(&bare, Some(&bare)), "", "nothing changes");
        assert_eq!(put(&bare, None), words);
        let others: [fn(&mut Xmpp); 3] = [
            |other| other.address = "other@example.org".into(),
            |other| other.server = Some("chat.example.org".into()),
            |other| other.ca = Some("/etc/own.pem".into()),
        ];
        for change in others {
            let mut other = bare.clone();
            change(&mut other);
            assert_eq!((put(&other, Some(&known)), put(&other, Some(&bare))), (words.into(), words.into()));
            let typed = Xmpp { password: Secret::new("new"), ..other };
            assert_eq!(put(&typed, Some(&known)), "new");
        }
    }
}
