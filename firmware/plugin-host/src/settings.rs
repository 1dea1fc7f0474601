//! Settings: what a plugin's manifest asks the administrator to fill in, and whether a value does. What is
//! typed is sorted into what the plugin may see and secrets, which it may not, by `manifest`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use crate::grants::{Scheme, Target};
use crate::ldap::names;
use crate::manifest::{ManifestError, is_id, is_line};

/// What kind of value a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// One line.
    Text,
    /// Several lines.
    Multiline,
    /// An absolute URL of one of `schemes`: http and https, unless others are named.
    Url,
    /// Kept from the plugin, unless `expose`.
    Secret,
    /// A whole number.
    Integer,
    /// Yes or no.
    Boolean,
    /// One of `choices`.
    Choice,
    /// A distinguished name (RFC 4514), such as the base of a search.
    LdapDn,
    /// A search filter (RFC 4515).
    LdapFilter,
}

/// `[[settings]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Setting {
    /// `a-z 0-9 . _ -`.
    pub key: String,
    /// What it takes.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// By language; `en` must be there.
    pub label: BTreeMap<String, String>,
    /// Must be filled in.
    #[serde(default)]
    pub required: bool,
    /// What stands in for nothing.
    #[serde(default)]
    pub default: Option<Value>,
    /// Of a choice.
    #[serde(default)]
    pub choices: Vec<String>,
    /// Of a URL: some of `http`, `https`, `ldap`, `ldaps`.
    #[serde(default)]
    pub schemes: Vec<String>,
    /// Smallest integer.
    #[serde(default)]
    pub min: Option<i64>,
    /// Largest integer.
    #[serde(default)]
    pub max: Option<i64>,
    /// A secret that the plugin may read.
    #[serde(default)]
    pub expose: bool,
}

/// Settings as the plugin may see them, and the secrets apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    /// Without secrets, with defaults.
    pub open: Map<String, Value>,
    /// The secrets.
    pub secrets: BTreeMap<String, String>,
}

impl Setting {
    pub(crate) fn check_itself(&self) -> Result<(), ManifestError> {
        let rule = |text: &str| Err(ManifestError::Rule(format!("setting {}: {text}", self.key)));
        if !is_id(&self.key)
            || !self.label.contains_key("en")
            || !self.label.values().all(|text| is_line(text))
        {
            return rule("a key and label.en are needed, and labels are lines");
        }
        if self.expose && self.kind != Kind::Secret {
            return rule("expose is for secrets");
        }
        if (self.kind == Kind::Choice) == self.choices.is_empty() {
            return rule("choices belong to type choice");
        }
        let is_known = |scheme: &String| Scheme::of(scheme).is_some();
        if !(self.schemes.is_empty() || self.kind == Kind::Url && self.schemes.iter().all(is_known)) {
            return rule("schemes belong to type url: http, https, ldap, ldaps");
        }
        match &self.default {
            Some(_) if self.kind == Kind::Secret => rule("a secret has no default"),
            Some(value) => self.check(value).or_else(|text| rule(&format!("its default {text}"))),
            None => Ok(()),
        }
    }

    /// Checks a value that was typed, or the default.
    pub(crate) fn check(&self, value: &Value) -> Result<(), &'static str> {
        match (self.kind, value) {
            (_, Value::String(text)) if text.len() > 8192 => Err("is longer than 8 KiB"),
            (Kind::Text | Kind::Secret, Value::String(text)) if text.contains(['\n', '\r', '\0']) => {
                Err("has more than one line")
            }
            (Kind::Text | Kind::Multiline | Kind::Secret, Value::String(_))
            | (Kind::Boolean, Value::Bool(_)) => Ok(()),
            (Kind::Url, Value::String(text)) => self.check_url(text),
            (Kind::LdapDn, Value::String(text)) => names::check_dn(text),
            (Kind::LdapFilter, Value::String(text)) => names::check_filter(text),
            (Kind::Choice, Value::String(text)) if self.choices.contains(text) => Ok(()),
            (Kind::Choice, _) => Err("is not one of the choices"),
            (Kind::Integer, Value::Number(number)) => match number.as_i64() {
                Some(value)
                    if self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max) =>
                {
                    Ok(())
                }
                _ => Err("is out of range"),
            },
            _ => Err("is of the wrong kind"),
        }
    }

    fn check_url(&self, text: &str) -> Result<(), &'static str> {
        let wants_ldap = self.schemes.iter().any(|scheme| scheme.starts_with("ldap"));
        let wrong = if wants_ldap { "is not an ldap or ldaps URL" } else { "is not an http or https URL" };
        let url = Url::parse(text).map_err(|_| wrong)?;
        let is_offered = match self.schemes.is_empty() {
            true => matches!(url.scheme(), "http" | "https"),
            false => self.schemes.iter().any(|scheme| scheme == url.scheme()),
        };
        if is_offered && Target::of(&url).is_ok() { Ok(()) } else { Err(wrong) }
    }
}
