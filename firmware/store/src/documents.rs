//! Settings, loudness and the service mode, each kept as one document. The clock and what callers hear who wait have
//! documents of their own: an older program, to which a box may go back after an update, refuses settings with a table that
//! it does not know, and lets these be.

use ipc::{ServiceMode, Volumes};
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::contacts::{MAX_NOTE, clipped, directories, directory_named, insert_directory};
use crate::settings::{DirectorySettings, Settings};
use crate::settings_file::SettingsError;
use crate::{Clock, Failure, Store, StoreError, Waiting};

const SETTINGS: &str = "settings";
/// The tables of the settings that are kept apart.
const CLOCK: &str = "clock";
const WAITING: &str = "waiting";
const VOLUMES: &str = "volumes";
const SERVICE: &str = "service";

impl Store {
    /// The settings; the defaults when none were ever saved. `directories` are those that there are.
    ///
    /// # Errors
    /// The database's.
    pub fn load_settings(&self) -> Result<Settings, StoreError> {
        self.read("read the settings", settings)
    }

    /// Saves the settings. An account without password keeps the one it has, so that settings exported
    /// without passwords can be brought back. Directories are added, or changed where the name is known; one
    /// that is not named stays as it is.
    ///
    /// # Errors
    /// [`StoreError::Settings`] says which value is not allowed; or the database's.
    pub fn save_settings(&mut self, wanted: &Settings) -> Result<(), StoreError> {
        wanted.validate().map_err(|invalid| SettingsError::without_file(&invalid))?;
        self.write("save the settings", |db| put_settings(db, wanted.clone()))
    }

    /// The loudness kept last.
    ///
    /// # Errors
    /// The database's.
    pub fn load_volumes(&self) -> Result<Volumes, StoreError> {
        self.read("read the volumes", |db| Ok(load_document(db, VOLUMES)?.unwrap_or_default()))
    }

    /// Saves the loudness.
    ///
    /// # Errors
    /// The database's.
    pub fn save_volumes(&mut self, volumes: &Volumes) -> Result<(), StoreError> {
        self.write("save the volumes", |db| save_document(db, VOLUMES, volumes))
    }

    /// The service mode chosen by hand; `None` while the timetable rules.
    ///
    /// # Errors
    /// The database's.
    pub fn load_service(&self) -> Result<Option<ServiceMode>, StoreError> {
        self.read("read the service mode", |db| Ok(load_document(db, SERVICE)?.flatten()))
    }

    /// Saves the service mode chosen by hand.
    ///
    /// # Errors
    /// The database's.
    pub fn save_service(&mut self, mode: Option<ServiceMode>) -> Result<(), StoreError> {
        self.write("save the service mode", |db| save_document(db, SERVICE, &mode))
    }
}

pub(crate) fn settings(db: &Connection) -> Result<Settings, Failure> {
    let mut settings: Settings = load_document(db, SETTINGS)?.unwrap_or_default();
    settings.clock = clock(db)?;
    settings.waiting = load_document::<Waiting>(db, WAITING)?.unwrap_or_default();
    let directory =
        |directory::Directory { name, local, line, note, .. }| DirectorySettings { name, local, line, note };
    settings.directories = directories(db)?.into_iter().map(directory).collect();
    Ok(settings)
}

/// Puts settings in the place of those there are; they were validated.
pub(crate) fn put_settings(db: &Connection, mut wanted: Settings) -> Result<(), Failure> {
    wanted.keep_passwords(&settings(db)?);
    let kept = wanted.tls.validate_key();
    kept.map_err(|invalid| StoreError::from(SettingsError::without_file(&invalid)))?;
    for directory in std::mem::take(&mut wanted.directories) {
        set_directory(db, &directory)?;
    }
    save_document(db, CLOCK, &wanted.clock)?;
    save_document(db, WAITING, &wanted.waiting)?;
    let unknown = |error: serde_json::Error| StoreError::Unknown { what: SETTINGS, found: error.to_string() };
    let mut body = serde_json::to_value(&wanted).map_err(unknown)?;
    if let Some(tables) = body.as_object_mut() {
        tables.remove(CLOCK);
        tables.remove(WAITING);
    }
    save_document(db, SETTINGS, &body)
}

/// The clock, for who needs no more.
pub(crate) fn clock(db: &Connection) -> Result<Clock, Failure> {
    Ok(load_document(db, CLOCK)?.unwrap_or_default())
}

fn set_directory(db: &Connection, wanted: &DirectorySettings) -> Result<(), Failure> {
    let DirectorySettings { name, local, line, note } = wanted;
    match directory_named(db, name)? {
        None => drop(insert_directory(db, name, *local, line.as_deref(), note)?),
        Some(id) => {
            let sql = "UPDATE directory SET name = ?2, local = ?3, line = ?4, note = ?5 WHERE id = ?1";
            db.execute(sql, params![id.0, name.trim(), local, line, clipped(note, MAX_NOTE)])?;
        }
    }
    Ok(())
}

pub(crate) fn load_document<T: DeserializeOwned>(
    db: &Connection,
    name: &'static str,
) -> Result<Option<T>, Failure> {
    let sql = "SELECT body FROM document WHERE name = ?1";
    let body: Option<String> = db.query_row(sql, [name], |row| row.get(0)).optional()?;
    let document = body.map(|body| serde_json::from_str(&body)).transpose();
    Ok(document.map_err(|error| StoreError::Unknown { what: name, found: error.to_string() })?)
}

pub(crate) fn save_document(
    db: &Connection,
    name: &'static str,
    document: &impl Serialize,
) -> Result<(), Failure> {
    let body = serde_json::to_string(document);
    let body = body.map_err(|error| StoreError::Unknown { what: name, found: error.to_string() })?;
    let sql = "INSERT INTO document (name, body) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET body = ?2";
    db.execute(sql, params![name, body])?;
    Ok(())
}
