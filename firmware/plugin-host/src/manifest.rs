//! The manifest: what a plugin is, what it asks for, which settings the administrator fills in. Its words are
//! checked here and turned into grants, credentials and settings; nothing of it is believed: what the
//! component really exports is compared in `connector`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value};
use thiserror::Error;
use url::Url;

use crate::grants::{Grant, Target};
use crate::oauth;
pub use crate::settings::{Filled, Kind, Setting};

/// The interfaces a host of this version runs.
pub const ABI: &str = "0.1";

/// Why a manifest, settings or grants do not do.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ManifestError {
    /// Not TOML, or a key that is not known.
    #[error("the manifest cannot be read: {0}")]
    Syntax(String),
    /// A rule of the manifest is broken.
    #[error("{0}")]
    Rule(String),
    /// A setting is missing or of the wrong kind.
    #[error("the setting {key} {problem}")]
    Setting {
        /// The setting.
        key: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// A manifest, checked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    manifest: u32,
    /// What it is.
    pub plugin: About,
    /// Where it wants to go.
    #[serde(default)]
    pub net: Vec<Net>,
    /// Credentials that the host adds.
    #[serde(default)]
    pub auth: Vec<Auth>,
    /// What the administrator fills in.
    #[serde(default)]
    pub settings: Vec<Setting>,
}

/// `[plugin]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct About {
    /// Reverse domain name; never changes.
    pub id: String,
    /// For people.
    pub name: String,
    /// `major.minor.patch`.
    pub version: String,
    /// The interface version it is built for, `0.1`.
    pub abi: String,
    /// One sentence.
    pub description: String,
    /// SPDX.
    #[serde(default)]
    pub license: Option<String>,
    /// The author's minisign key.
    #[serde(default)]
    pub key: Option<String>,
    /// Optional interfaces that it exports, such as `directory-lookup`.
    #[serde(default)]
    pub provides: BTreeSet<String>,
}

/// `[[net]]`: one wish for a right.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Net {
    /// Its name in this manifest.
    pub id: String,
    /// Places, such as `https://api.example.com` or `ldaps://ldap.example.com`.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Or the place that the administrator types into this setting.
    #[serde(default)]
    pub from_setting: Option<String>,
    /// May be in the customer's own network, if the administrator says so.
    #[serde(default)]
    pub allow_private: bool,
    /// May be http without TLS, ldap without StartTLS.
    #[serde(default)]
    pub plain: bool,
    /// Why, for the administrator.
    pub reason: String,
}

/// How a credential is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuthKind {
    /// RFC 7617.
    Basic,
    /// RFC 6750.
    Bearer,
    /// A header of its own.
    Header,
    /// A simple bind of LDAP (RFC 4513 section 5.1.3).
    LdapSimple,
    /// A token for the client's own credentials (RFC 6749 section 4.4).
    OauthClientCredentials,
    /// A token for a person who signs in by a code (RFC 8628), refreshed from then on.
    OauthDeviceCode,
}

impl AuthKind {
    /// The host fetches tokens for it.
    pub(crate) fn is_oauth(self) -> bool {
        matches!(self, Self::OauthClientCredentials | Self::OauthDeviceCode)
    }
}

/// `[[auth]]`: a credential the plugin uses by its name and never sees.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Auth {
    /// Its name in this manifest.
    pub id: String,
    /// How it is added.
    pub kind: AuthKind,
    /// The user of `basic`, the name of `ldap-simple`, the client id of the OAuth kinds.
    #[serde(default)]
    pub user_setting: Option<String>,
    /// The secret. `oauth-device-code` needs none.
    #[serde(default)]
    pub secret_setting: Option<String>,
    /// The header of `header`.
    #[serde(default)]
    pub header: Option<String>,
    /// The `[[net]]` entries it is sent to; nowhere else. Of the OAuth kinds: those the token is sent to.
    pub net: Vec<String>,
    /// OAuth: the `[[net]]` entry of the token server, which gets client id and secret.
    #[serde(default)]
    pub token_net: Option<String>,
    /// OAuth: the token endpoint, with `{setting}` where a setting of type text belongs.
    #[serde(default)]
    pub token_url: Option<String>,
    /// OAuth: or the server that is typed into this setting of type url, with `token-path`.
    #[serde(default)]
    pub token_url_setting: Option<String>,
    /// OAuth: the path of the token endpoint there.
    #[serde(default)]
    pub token_path: Option<String>,
    /// `oauth-device-code`: the device authorization endpoint.
    #[serde(default)]
    pub device_url: Option<String>,
    /// `oauth-device-code`: or its path where `token-url-setting` says.
    #[serde(default)]
    pub device_path: Option<String>,
    /// OAuth: what is asked for.
    #[serde(default)]
    pub scope: Option<String>,
    /// OAuth: what this token server wants besides.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
}

/// What the administrator allowed, by the ids of `[[net]]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Granted {
    /// May be reached.
    pub net: BTreeSet<String>,
    /// Also in the customer's own network.
    pub private: BTreeSet<String>,
    /// Also on this machine.
    pub loopback: BTreeSet<String>,
}

impl Manifest {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let manifest: Self =
            toml::from_str(text).map_err(|error| ManifestError::Syntax(error.to_string()))?;
        manifest.check()?;
        Ok(manifest)
    }

    /// What it asks for, in plain words.
    #[must_use]
    pub fn wishes(&self) -> Vec<String> {
        let mut words = Vec::new();
        for net in &self.net {
            let place = self.place(net);
            let private = if net.allow_private { ", also in your own network if you allow it" } else { "" };
            let plain = if net.plain { ", also without encryption" } else { "" };
            words.push(format!("Connect to {place}{private}{plain}: {}", net.reason));
        }
        for auth in &self.auth {
            match &auth.secret_setting {
                Some(key) if auth.kind != AuthKind::OauthDeviceCode => {
                    let secret = self.label(key);
                    words.push(format!("Sign in there with \"{secret}\", which it cannot read"));
                }
                _ => words.push(
                    "Act there for whoever signs in by a code, whose password it never gets".to_owned(),
                ),
            }
            if auth.kind.is_oauth() {
                let places = self.net.iter().filter(|net| auth.net.contains(&net.id));
                let places: Vec<String> = places.map(|net| self.place(net)).collect();
                words.push(format!("Send the token for that to {}", places.join(", ")));
            }
        }
        for setting in self.settings.iter().filter(|setting| setting.expose) {
            words.push(format!("READ the secret \"{}\"", self.label(&setting.key)));
        }
        words
    }

    /// Checks the values typed and sorts them.
    ///
    /// # Errors
    /// [`ManifestError::Setting`] for the first that does not do.
    pub fn fill(&self, values: &Map<String, Value>) -> Result<Filled, ManifestError> {
        let problem = |key: &str, problem| ManifestError::Setting { key: key.to_owned(), problem };
        if let Some(key) = values.keys().find(|key| !self.settings.iter().any(|setting| setting.key == **key))
        {
            return Err(problem(key, "is not one of the plugin's"));
        }
        let mut filled = Filled { open: Map::new(), secrets: BTreeMap::new() };
        for setting in &self.settings {
            let empty = |value: &&Value| !value.is_null() && value.as_str() != Some("");
            let typed = values.get(&setting.key).filter(empty).or(setting.default.as_ref());
            let Some(value) = typed else {
                if setting.required {
                    return Err(problem(&setting.key, "is missing"));
                }
                continue;
            };
            setting.check(value).map_err(|text| problem(&setting.key, text))?;
            match (setting.kind, value) {
                (Kind::Secret, Value::String(secret)) => {
                    filled.secrets.insert(setting.key.clone(), secret.clone());
                }
                _ => {
                    filled.open.insert(setting.key.clone(), value.clone());
                }
            }
        }
        Ok(filled)
    }

    /// What was asked for and granted: neither alone is enough.
    ///
    /// # Errors
    /// If a setting that names a place does not hold one, or one without TLS where the manifest has no `plain`.
    pub fn grants(&self, granted: &Granted, filled: &Filled) -> Result<Vec<Grant>, ManifestError> {
        let mut grants = Vec::new();
        for net in self.net.iter().filter(|net| granted.net.contains(&net.id)) {
            let mut places = net.hosts.clone();
            if let Some(key) = &net.from_setting
                && let Some(typed) = filled.open.get(key).and_then(Value::as_str)
            {
                let rule = |problem| ManifestError::Setting { key: key.clone(), problem };
                let url = Url::parse(typed).map_err(|_| rule("is no URL"))?;
                if url.scheme() == "http" && !net.plain {
                    return Err(rule("must begin with https"));
                }
                let target = Target::of(&url).map_err(|_| rule("does not name a server"))?;
                places.push(target.place());
            }
            for place in places {
                let grant = Grant::parse(&net.id, &place)
                    .map_err(|error| ManifestError::Rule(format!("{place}: {error}")))?;
                let private = net.allow_private && granted.private.contains(&net.id);
                let loopback = granted.loopback.contains(&net.id);
                grants.push(grant.with_private(private).with_loopback(loopback).with_plain(net.plain));
            }
        }
        Ok(grants)
    }

    fn check(&self) -> Result<(), ManifestError> {
        let rule = |good: bool, text: &str| {
            if good { Ok(()) } else { Err(ManifestError::Rule(text.to_owned())) }
        };
        rule(self.manifest == 1, "only manifest = 1 is known")?;
        rule(is_id(&self.plugin.id) && self.plugin.id.contains('.'), "plugin.id: a reverse domain name")?;
        rule(self.plugin.abi == ABI, "plugin.abi: this host runs 0.1")?;
        rule(version(&self.plugin.version).is_some(), "plugin.version: major.minor.patch")?;
        let short = |text: &str, most: usize| is_line(text) && text.chars().count() <= most;
        rule(short(&self.plugin.name, 60), "plugin.name: 1 to 60 characters")?;
        rule(short(&self.plugin.description, 300), "plugin.description: 1 to 300 characters")?;
        rule(self.net.len() <= 16 && self.auth.len() <= 16, "at most 16 [[net]] and [[auth]]")?;
        rule(self.settings.len() <= 64, "at most 64 [[settings]]")?;
        for net in &self.net {
            net.check(self)?;
        }
        for auth in &self.auth {
            auth.check(self)?;
        }
        let mut keys = BTreeSet::new();
        for setting in &self.settings {
            rule(keys.insert(&setting.key), "two settings of one key")?;
            setting.check_itself()?;
        }
        Ok(())
    }

    pub(crate) fn setting(&self, key: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.key == key)
    }

    /// Where an entry leads, in words.
    fn place(&self, net: &Net) -> String {
        match &net.from_setting {
            Some(key) => format!("the server you enter as \"{}\"", self.label(key)),
            None => net.hosts.join(", "),
        }
    }

    fn label<'manifest>(&'manifest self, key: &'manifest str) -> &'manifest str {
        self.setting(key).and_then(|setting| setting.label.get("en")).map_or(key, String::as_str)
    }
}

impl Net {
    fn check(&self, manifest: &Manifest) -> Result<(), ManifestError> {
        let rule = |text: &str| ManifestError::Rule(format!("net {}: {text}", self.id));
        if !is_id(&self.id) || !is_line(&self.reason) {
            return Err(rule("an id and a reason are needed"));
        }
        if self.hosts.is_empty() == self.from_setting.is_none() {
            return Err(rule("either hosts or from-setting"));
        }
        if let Some(key) = &self.from_setting
            && manifest.setting(key).is_none_or(|setting| setting.kind != Kind::Url)
        {
            return Err(rule("from-setting must name a setting of type url"));
        }
        for host in &self.hosts {
            Grant::parse(&self.id, host).map_err(|error| rule(&format!("{host}: {error}")))?;
            if host.starts_with("http:") && !self.plain {
                return Err(rule("http needs plain = true"));
            }
        }
        Ok(())
    }
}

impl Auth {
    fn check(&self, manifest: &Manifest) -> Result<(), ManifestError> {
        let rule = |text: &str| Err(ManifestError::Rule(format!("auth {}: {text}", self.id)));
        let is_secret =
            |key: &String| manifest.setting(key).is_some_and(|setting| setting.kind == Kind::Secret);
        if !self.secret_setting.as_ref().map_or(self.kind == AuthKind::OauthDeviceCode, is_secret) {
            return rule("secret-setting must name a setting of type secret");
        }
        if matches!(self.kind, AuthKind::Basic | AuthKind::LdapSimple)
            && self.user_setting.as_ref().is_none_or(|key| manifest.setting(key).is_none())
        {
            return rule("basic and ldap-simple need user-setting");
        }
        if self.kind == AuthKind::Header && self.header.is_none() {
            return rule("header needs header");
        }
        if self.kind.is_oauth() {
            oauth::client::check(self, manifest).or_else(rule)?;
        } else if self.has_oauth() {
            return rule("what belongs to a token server belongs to an OAuth kind");
        }
        let known = |id: &String| manifest.net.iter().any(|net| net.id == *id);
        if self.net.is_empty() || !self.net.iter().all(known) {
            return rule("net must name entries of [[net]]");
        }
        Ok(())
    }

    /// The `[[net]]` entries that the secret itself is sent to.
    pub(crate) fn secret_goes_to(&self) -> &[String] {
        if self.kind.is_oauth() { self.token_net.as_slice() } else { &self.net }
    }

    fn has_oauth(&self) -> bool {
        let texts = [&self.token_net, &self.token_url, &self.token_url_setting, &self.token_path];
        let more = [&self.device_url, &self.device_path, &self.scope];
        texts.into_iter().chain(more).any(Option::is_some) || !self.parameters.is_empty()
    }
}

/// `major.minor.patch` as numbers, to tell an upgrade from a downgrade.
#[must_use]
pub fn version(text: &str) -> Option<[u32; 3]> {
    let mut parts = text.split('.').map(|part| part.parse().ok());
    let version = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(version)
}

/// Words of a stranger that are shown to an administrator: one line, nothing that moves a cursor.
pub(crate) fn is_line(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= 1200 && !text.chars().any(char::is_control)
}

pub(crate) fn is_id(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    // The id names a folder: nothing that could lead out of it.
    (1..=64).contains(&text.len()) && text.bytes().all(good) && !text.starts_with('.') && !text.contains("..")
}

#[cfg(test)]
#[path = "test_manifest.rs"]
mod tests;
