//! The settings file: TOML, with errors that name file, line and what is allowed.
//!
//! Not done here: opening the file, and its mode, which is for the caller to set to 0600 when passwords
//! are written.

use std::fmt;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::Refusal;
use crate::settings::{Invalid, Secret, Settings};

/// What is wrong with settings, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    /// The file, as it was named; empty for settings that came from no file.
    pub file: String,
    /// The line, from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong and what is allowed.
    pub message: String,
    /// The same as data, where it is a value that is not allowed.
    pub refusal: Option<Box<Refusal>>,
}

impl std::error::Error for SettingsError {}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.file.as_str(), self.line) {
            ("", _) => write!(f, "settings: {}", self.message),
            (file, Some(line)) => write!(f, "{file}:{line}: {}", self.message),
            (file, None) => write!(f, "{file}: {}", self.message),
        }
    }
}

impl SettingsError {
    pub(crate) fn without_file(invalid: &Invalid) -> Self {
        let refusal = Some(Box::new(invalid.refusal.clone()));
        Self { file: String::new(), line: None, message: invalid.to_string(), refusal }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Refusal { table, index, field, .. } = &self.refusal;
        f.write_str(table)?;
        if let Some(index) = index {
            write!(f, " ({}.)", index + 1)?;
        }
        if !field.is_empty() {
            write!(f, " {field}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl Settings {
    /// Reads a settings file; `file` is its name, for the error.
    ///
    /// # Errors
    /// What is wrong first, with its line.
    pub fn from_toml(text: &str, file: &str) -> Result<Self, SettingsError> {
        let line =
            |at: usize| text.as_bytes()[..at.min(text.len())].iter().filter(|b| **b == b'\n').count() + 1;
        let settings: Self = toml::from_str(text).map_err(|error| SettingsError {
            file: file.to_owned(),
            line: error.span().map(|span| line(span.start)),
            message: error.message().trim_end().replace('\n', "; "),
            refusal: None,
        })?;
        settings.validate().map_err(|invalid| SettingsError {
            file: file.to_owned(),
            line: place(text, &invalid.refusal).map(line),
            message: invalid.to_string(),
            refusal: Some(Box::new(invalid.refusal)),
        })?;
        Ok(settings)
    }

    /// The same without any password.
    #[must_use]
    pub fn without_passwords(mut self) -> Self {
        self.accounts.iter_mut().for_each(|account| account.password = Secret::default());
        self.xmpp.iter_mut().for_each(|xmpp| xmpp.password = Secret::default());
        self.tls.key = Secret::default();
        self
    }

    /// The settings as a file. With `passwords` it holds secrets: only the administrator may read it.
    #[must_use]
    pub fn to_toml(&self, passwords: bool) -> String {
        let settings = self.clone();
        let settings = if passwords { settings } else { settings.without_passwords() };
        toml::to_string_pretty(&settings)
            .expect("settings are tables of texts, numbers and booleans, which TOML has")
    }
}

/// Where in the text a value stands: the value, else its table.
fn place(text: &str, invalid: &Refusal) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let outer = document.get_ref().get(invalid.table)?;
    let table = match (outer.get_ref(), invalid.index) {
        (DeValue::Array(tables), Some(index)) => tables.get(index)?,
        _ => outer,
    };
    let field = match table.get_ref() {
        DeValue::Table(fields) => fields.get(invalid.field).map(Spanned::span),
        _ => None,
    };
    Some(field.unwrap_or_else(|| table.span()).start)
}
