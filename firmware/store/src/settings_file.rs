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
        Self::read(text, file)?.allowed(text, file)
    }

    /// These settings with those tables of a settings file in their place that stand in it; the others stay. Of
    /// directories only those are left that the file names: whoever saves it leaves the others alone.
    ///
    /// # Errors
    /// As [`Self::from_toml`].
    pub(crate) fn overlaid(&self, text: &str, file: &str) -> Result<Self, SettingsError> {
        let read = Self::read(text, file)?;
        let document = DeTable::parse(text).ok();
        let has = |table: &str| document.as_ref().is_some_and(|known| known.get_ref().get(table).is_some());
        let Self {
            operator,
            clock,
            rules,
            numbers,
            accounts,
            lines,
            tls,
            voice,
            waiting,
            crm,
            sound,
            xmpp,
            timers,
            timetable,
            handling,
            park,
            directories: _,
        } = self.clone();
        let laid = Self {
            operator: if has("operator") { read.operator } else { operator },
            clock: if has("clock") { read.clock } else { clock },
            rules: if has("rules") { read.rules } else { rules },
            numbers: if has("numbers") { read.numbers } else { numbers },
            accounts: if has("accounts") { read.accounts } else { accounts },
            lines: if has("lines") { read.lines } else { lines },
            tls: if has("tls") { read.tls } else { tls },
            voice: if has("voice") { read.voice } else { voice },
            waiting: if has("waiting") { read.waiting } else { waiting },
            crm: if has("crm") { read.crm } else { crm },
            sound: if has("sound") { read.sound } else { sound },
            xmpp: if has("xmpp") { read.xmpp } else { xmpp },
            timers: if has("timers") { read.timers } else { timers },
            timetable: if has("timetable") { read.timetable } else { timetable },
            handling: if has("handling") { read.handling } else { handling },
            park: if has("park") { read.park } else { park },
            directories: read.directories,
        };
        laid.allowed(text, file)
    }

    /// Reads the words of a settings file, whatever they say.
    fn read(text: &str, file: &str) -> Result<Self, SettingsError> {
        toml::from_str(text).map_err(|error| SettingsError {
            file: file.to_owned(),
            line: error.span().map(|span| line(text, span.start)),
            message: error.message().trim_end().replace('\n', "; "),
            refusal: None,
        })
    }

    /// The same where every value is allowed; `text` is where they stand.
    fn allowed(self, text: &str, file: &str) -> Result<Self, SettingsError> {
        self.validate().map_err(|invalid| SettingsError {
            file: file.to_owned(),
            line: place(text, &invalid.refusal).map(|at| line(text, at)),
            message: invalid.to_string(),
            refusal: Some(Box::new(invalid.refusal)),
        })?;
        Ok(self)
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

/// The line, from 1, of a place in the text.
fn line(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
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
