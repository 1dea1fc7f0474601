//! How an account reaches its exchange, and what of it is protected: the words of the settings file (ACC-5), and for
//! which machines its password was typed.
//!
//! Not done here: any of it. `sip` and the sockets of the daemon do it.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::settings::At;
use crate::settings_file::SettingsError;
use crate::{Account, Settings, StoreError, Why};

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

impl Account {
    /// This account in the place of the one that is `known`, of which it has the password where none was given, as long as
    /// it goes to the same machines. `index` is its place among the accounts, from 0, for what is said.
    ///
    /// # Errors
    /// [`StoreError::Settings`] at `password`: another domain, registrar or proxy would get it, and it was not given.
    pub fn in_place_of(mut self, known: Option<&Self>, index: usize) -> Result<Self, StoreError> {
        let Some(known) = known.filter(|known| self.password.is_empty() && !known.password.is_empty()) else {
            return Ok(self);
        };
        if !self.goes_where(known) {
            let reason = "must be given with another domain, registrar or outbound_proxy".to_owned();
            let at = At { table: "accounts", index: Some(index) };
            let invalid = at.invalid("password", Why::PasswordAgain, reason);
            return Err(SettingsError::without_file(&invalid).into());
        }
        self.password = known.password.clone();
        Ok(self)
    }

    /// The account among those `known` in whose place this one comes: that of its name, or, where none has that name, that
    /// of its user under a name that is none of `names` any more.
    #[must_use]
    pub fn predecessor<'known>(
        &self,
        known: &'known [Self],
        names: &BTreeSet<String>,
    ) -> Option<&'known Self> {
        let same = known.iter().find(|old| old.id() == self.id());
        let renamed = || known.iter().filter(|old| old.user == self.user && !names.contains(old.id()));
        // One user may have accounts at several exchanges.
        same.or_else(|| renamed().find(|old| old.goes_where(self))).or_else(|| renamed().next())
    }

    /// Whether its password goes to the same machines as that of the other: a digest of it is enough to try passwords
    /// until one fits.
    pub(crate) fn goes_where(&self, other: &Self) -> bool {
        let machines = |account: &Self| {
            (account.domain.clone(), account.registrar().to_owned(), account.outbound_proxy.clone())
        };
        machines(self) == machines(other)
    }
}

impl Settings {
    /// Names of the accounts that have no password and had one `before`, by this name or by another one
    /// ([`Account::predecessor`]): a file gave none, and they go elsewhere now.
    #[must_use]
    pub fn without_their_passwords(&self, before: &Self) -> Vec<String> {
        let names = self.account_names();
        let had = |account: &&Account| {
            let old = account.predecessor(&before.accounts, &names);
            old.is_some_and(|old| !old.password.is_empty())
        };
        let bare = self.accounts.iter().filter(|account| account.password.is_empty());
        bare.filter(had).map(|account| account.id().to_owned()).collect()
    }

    /// The names of its accounts, for [`Account::predecessor`].
    pub(crate) fn account_names(&self) -> BTreeSet<String> {
        self.accounts.iter().map(|account| account.id().to_owned()).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::Secret;

    #[test]
    fn acc_5_an_account_by_another_name_is_the_same_and_one_without_its_password_is_said() {
        let account = |id: &str, user: &str, password: &str| Account {
            id: id.into(),
            user: user.into(),
            domain: "pbx.example".into(),
            password: Secret::new(password),
            ..Account::default()
        };
        let known =
            [account("house", "2100", "one"), account("", "2101", "two"), account("bare", "2102", "")];
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let of = |wanted: &Account, there: &[&str]| {
            wanted.predecessor(&known, &names(there)).map(|old| old.user.clone())
        };
        assert_eq!(of(&account("house", "9", ""), &["house"]).as_deref(), Some("2100"), "by its name");
        assert_eq!(of(&account("desk", "2100", ""), &["desk"]).as_deref(), Some("2100"), "by another name");
        assert_eq!(of(&account("second", "2100", ""), &["second", "house"]), None, "beside it");
        let before = Settings { accounts: known.to_vec(), ..Settings::default() };
        let now = [account("house", "2100", ""), account("desk", "2101", ""), account("bare", "2102", "")];
        let now = Settings { accounts: now.to_vec(), ..Settings::default() };
        assert_eq!(now.without_their_passwords(&before), ["house", "desk"]);
        assert!(before.without_their_passwords(&now).is_empty());
        // Another account for the same user never had one, neither one that is new nor one that had none before.
        let beside = [account("house", "2100", "one"), account("second", "2100", "")];
        let beside = Settings { accounts: beside.to_vec(), ..Settings::default() };
        assert!(beside.without_their_passwords(&before).is_empty(), "beside it");
        let alone = Settings { accounts: beside.accounts[1..].to_vec(), ..Settings::default() };
        assert!(alone.without_their_passwords(&beside).is_empty(), "the one that had one is gone");
    }

    #[test]
    fn acc_5_an_account_that_a_file_renames_keeps_its_password_at_the_same_machines() {
        let account = |id: &str, user: &str, domain: &str, password: &str| Account {
            id: id.into(),
            user: user.into(),
            domain: domain.into(),
            password: Secret::new(password),
            ..Account::default()
        };
        let kept = |wanted: &[Account]| {
            let known = [
                account("house", "2100", "pbx.example", "one"),
                account("branch", "2100", "far.example", "two"),
            ];
            let known = Settings { accounts: known.to_vec(), ..Settings::default() };
            let mut wanted = Settings { accounts: wanted.to_vec(), ..Settings::default() };
            wanted.keep_passwords(&known);
            wanted.accounts.iter().map(|account| account.password.reveal().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(kept(&[account("desk", "2100", "pbx.example", "")]), ["one"]);
        assert_eq!(kept(&[account("desk", "2100", "evil.example", "")]), [""]);
        assert_eq!(kept(&[account("house", "2101", "pbx.example", "")]), [""], "another user's");
        let both = [account("house", "2100", "pbx.example", ""), account("desk", "2100", "pbx.example", "")];
        assert_eq!(kept(&both), ["one", ""], "another account");
        // The same user at another exchange, and both accounts have other names now.
        let here_and_there =
            [account("desk", "2100", "pbx.example", ""), account("far", "2100", "far.example", "")];
        assert_eq!(kept(&here_and_there), ["one", "two"]);
    }

    #[test]
    fn acc_5_a_password_stays_with_its_domain_its_registrar_and_its_proxy() {
        let bare = Account { user: "2100".into(), domain: "pbx.example".into(), ..Account::default() };
        let known = Account { password: Secret::new("secret"), ..bare.clone() };
        let put = |wanted: &Account, known: Option<&Account>| match wanted.clone().in_place_of(known, 1) {
            Ok(taken) => taken.password.reveal().to_owned(),
            Err(StoreError::Settings(error)) => {
                let refusal = error.refusal.unwrap();
                let place = (refusal.table, refusal.index, refusal.field);
                assert_eq!((place, refusal.why), (("accounts", Some(1), "password"), Why::PasswordAgain));
                error.message
            }
            Err(other) => other.to_string(),
        };
        let words = "accounts (2.) password: must be given with another domain, registrar or outbound_proxy";
        assert_eq!(
            (put(&bare, Some(&known)), put(&bare, Some(&bare)), put(&bare, None)),
            ("secret".into(), String::new(), String::new())
        );
        let same: [fn(&mut Account); 3] = [
            |other| other.user = "2101".into(),
            |other| other.registrar = Some("pbx.example".into()),
            |other| other.mailbox = Some("2199".into()),
        ];
        for change in same {
            let mut other = bare.clone();
            change(&mut other);
            assert_eq!(put(&other, Some(&known)), "secret", "{other:?}");
        }
        let others: [fn(&mut Account); 4] = [
            |other| other.domain = "evil.example".into(),
            |other| other.registrar = Some("evil.example".into()),
            |other| other.registrar = Some("pbx.example:5070".into()),
            |other| other.outbound_proxy = Some("evil.example".into()),
        ];
        for change in others {
            let mut other = bare.clone();
            change(&mut other);
            assert_eq!(put(&other, Some(&known)), words, "{other:?}");
            assert_eq!(put(&other, Some(&bare)), "", "there is none to give away");
            let typed = Account { password: Secret::new("new"), ..other };
            assert_eq!(put(&typed, Some(&known)), "new");
        }
    }
}
