//! What is installed, on the disk: below `plugins/<id>/` a record and what it names. The record is the one place
//! that decides: packages and sealed secrets are written under names of their own first, then the record is put
//! in place by one rename, then what no record names is swept. So whatever an administrator did last has happened
//! or not, never half.
//!
//! ```text
//! state/key                          seals secrets, made once
//! state/lock                         held by the program that runs
//! state/compiled/                    machine code by hash
//! state/uploads/, state/removed/     swept at each start
//! state/plugins/<id>/record.json     what is installed, granted and set
//! state/plugins/<id>/<sha256>.wasm   the package, and the one before
//! state/plugins/<id>/<n>.secrets     sealed
//! state/plugins/<id>/sign-ins.sealed who has signed in for it, see `oauth`
//! state/plugins/<id>/directory.*     see `kept`
//! ```

pub(crate) mod disk;
pub mod secrets;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ipc::PluginGrants;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::manifest;
use crate::oauth::sign_ins::SignIns;
use secrets::{Vault, VaultError};

/// Time between two runs of a plugin that was never configured, in seconds.
pub const INTERVAL_S: u64 = 6 * 3600;
const FORMAT: u32 = 1;
/// Compiled packages that are kept though they are not installed.
const SPARE_COMPILED: usize = 8;
const RECORD: &str = "record.json";
const SECRETS: &str = "secrets";
const SIGN_INS: &str = "sign-ins.sealed";
/// The directory of a plugin, see [`crate::kept`].
const DIRECTORY: &str = "directory.jsonl";

/// Why the registry cannot be used.
#[derive(Debug, Error)]
pub enum RegistryError {
    /// The disk.
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
    /// Another program has it.
    #[error("another frontdesk-plugind uses {0}")]
    InUse(PathBuf),
    /// The key of the secrets.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// A package that is on the disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Installed {
    /// Of the file, in hexadecimal.
    pub sha256: String,
    /// `major.minor.patch`.
    pub version: String,
    /// What was granted when it was replaced; of the one in use: [`Record::granted`].
    #[serde(default)]
    pub granted: PluginGrants,
    /// What was set when it was replaced: the version after it may know other settings.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub settings: Map<String, Value>,
}

/// What is known of a plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    format: u32,
    /// Reverse domain name.
    pub id: String,
    /// In use.
    pub current: Installed,
    /// To go back to.
    pub previous: Option<Installed>,
    /// When the version in use took the place of another, in Unix milliseconds; 0: it never did.
    #[serde(default)]
    pub upgraded_ms: i64,
    /// The author's key.
    pub key: Option<String>,
    /// What it may do.
    pub granted: PluginGrants,
    /// Without secrets.
    pub settings: Map<String, Value>,
    /// Time between two runs, in seconds.
    pub interval_s: u64,
    /// It runs.
    pub enabled: bool,
    /// The file of its secrets.
    secrets: Option<String>,
}

impl Record {
    /// A plugin that has just been installed.
    #[must_use]
    pub fn new(id: String, current: Installed) -> Self {
        Self {
            format: FORMAT,
            id,
            current,
            previous: None,
            upgraded_ms: 0,
            key: None,
            granted: PluginGrants::default(),
            settings: Map::new(),
            interval_s: INTERVAL_S,
            enabled: false,
            secrets: None,
        }
    }
}

/// Secrets by their settings.
pub type Secrets = BTreeMap<String, String>;

/// The folder of everything that is installed. One program has it at a time.
#[derive(Debug)]
pub struct Registry {
    state: PathBuf,
    vault: Arc<Vault>,
    /// Given back by the system when this program ends, however it ends.
    _lock: File,
}

impl Registry {
    /// Takes the folder, sweeps what an earlier program left half done, and reads what is installed: by id, a
    /// record or why it cannot be read.
    ///
    /// # Errors
    /// See [`RegistryError`]. A damaged record is no reason not to start.
    #[allow(clippy::type_complexity, reason = "a list that is read once")]
    pub fn open(state: &Path) -> Result<(Self, Vec<(String, Result<Record, String>)>), RegistryError> {
        let failed = |error| RegistryError::Io(state.to_owned(), error);
        disk::folder(state).map_err(failed)?;
        // It may have been made by somebody else; what is in it is for nobody else.
        fs::set_permissions(state, fs::Permissions::from_mode(0o700)).map_err(failed)?;
        let lock = File::create(state.join("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(RegistryError::InUse(state.to_owned())),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let vault = Arc::new(Vault::open(&state.join("key"))?);
        let registry = Self { state: state.to_owned(), vault, _lock: lock };
        let found = registry.read_all().map_err(failed)?;
        Ok((registry, found))
    }

    /// Where compiled plugins are kept.
    #[must_use]
    pub fn compiled(&self) -> PathBuf {
        self.state.join("compiled")
    }

    /// Where uploads lie while they come in.
    #[must_use]
    pub fn uploads(&self) -> PathBuf {
        self.state.join("uploads")
    }

    /// Seals what a plugin keeps.
    #[must_use]
    pub fn vault(&self) -> Arc<Vault> {
        Arc::clone(&self.vault)
    }

    /// The file of a plugin's directory.
    #[must_use]
    pub fn directory(&self, id: &str) -> PathBuf {
        self.folder(id).join(DIRECTORY)
    }

    /// Who has signed in for a plugin.
    #[must_use]
    pub(crate) fn sign_ins(&self, id: &str) -> SignIns {
        SignIns::open(self.folder(id).join(SIGN_INS), self.vault(), id)
    }

    /// A package, if it is what was installed.
    ///
    /// # Errors
    /// The disk, or another content than when it was installed.
    pub fn package(&self, id: &str, installed: &Installed) -> io::Result<Vec<u8>> {
        let file = fs::read(self.package_file(id, &installed.sha256))?;
        if sha256(&file) != installed.sha256 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the package has changed on the disk"));
        }
        Ok(file)
    }

    /// Puts a package on the disk, beside what is there: nothing uses it until a record names it.
    ///
    /// # Errors
    /// The disk.
    pub fn add_package(&self, id: &str, file: &[u8]) -> io::Result<String> {
        let hash = sha256(file);
        disk::folder(&self.folder(id))?;
        disk::write(&self.package_file(id, &hash), file)?;
        Ok(hash)
    }

    /// The secrets that a record names.
    ///
    /// # Errors
    /// [`VaultError`]: they were sealed with another key, or the file is gone.
    pub fn secrets(&self, record: &Record) -> Result<Secrets, VaultError> {
        let Some(name) = &record.secrets else { return Ok(Secrets::new()) };
        let path = self.folder(&record.id).join(name);
        let sealed = fs::read(&path).map_err(|error| VaultError::Io(path, error))?;
        let clear = self.vault.unseal(&purpose(&record.id), &sealed)?;
        serde_json::from_slice(&clear).map_err(|_| VaultError::Unreadable)
    }

    /// Keeps a record, and secrets where they changed: one flip. What the record does not name any more is gone
    /// afterwards. When it fails, the record that is handed in must not be used.
    ///
    /// # Errors
    /// The disk; what was there before is then still the truth.
    pub fn keep(&self, record: &mut Record, secrets: Option<&Secrets>) -> io::Result<()> {
        let folder = self.folder(&record.id);
        disk::folder(&folder)?;
        if let Some(secrets) = secrets {
            record.secrets = None;
            if !secrets.is_empty() {
                let name = self.free_name(&folder);
                let clear = serde_json::to_vec(secrets)?;
                let sealed = self
                    .vault
                    .seal(&purpose(&record.id), &clear)
                    .map_err(|error| io::Error::other(error.to_string()))?;
                disk::write(&folder.join(&name), &sealed)?;
                record.secrets = Some(name);
            }
        }
        disk::write(&folder.join(RECORD), &serde_json::to_vec_pretty(record)?)?;
        if let Err(error) = self.sweep(record, false) {
            tracing::warn!(plugin = %record.id, %error, "what is not needed any more could not be removed");
        }
        Ok(())
    }

    /// Removes a plugin with all it has. It is gone as soon as its folder has another name.
    ///
    /// # Errors
    /// The disk; it is then still there.
    pub fn remove(&self, id: &str) -> io::Result<()> {
        let removed = self.state.join("removed");
        disk::folder(&removed)?;
        let to = removed.join(format!("{id}-{}-{}", std::process::id(), next_number()));
        disk::rename(&self.folder(id), &to)?;
        if let Err(error) = destroy(&to) {
            tracing::warn!(plugin = id, %error, "not all of a removed plugin is off the disk: again at the next start");
        }
        Ok(())
    }

    /// Removes machine code of packages that are not installed, but for the newest: they may be about to be.
    ///
    /// # Errors
    /// The disk.
    pub fn trim_compiled(&self) -> io::Result<()> {
        let mut installed = BTreeSet::new();
        for folder in fs::read_dir(self.state.join("plugins"))? {
            for entry in fs::read_dir(folder?.path())? {
                installed.insert(entry?.path().file_stem().unwrap_or_default().to_owned());
            }
        }
        let mut others = Vec::new();
        for entry in fs::read_dir(self.compiled())? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let sha256 = name.split('-').next().unwrap_or_default();
            if name.ends_with(".cwasm") && !installed.contains(OsStr::new(sha256)) {
                others.push((entry.metadata()?.modified()?, entry.path()));
            }
        }
        others.sort();
        let most = others.len().saturating_sub(SPARE_COMPILED);
        others.into_iter().take(most).try_for_each(|(_, path)| fs::remove_file(path))
    }

    fn folder(&self, id: &str) -> PathBuf {
        self.state.join("plugins").join(id)
    }

    fn package_file(&self, id: &str, sha256: &str) -> PathBuf {
        self.folder(id).join(format!("{sha256}.wasm"))
    }

    fn free_name(&self, folder: &Path) -> String {
        loop {
            let name = format!("{}.{SECRETS}", next_number());
            if !folder.join(&name).exists() {
                return name;
            }
        }
    }

    fn read_all(&self) -> io::Result<Vec<(String, Result<Record, String>)>> {
        let plugins = self.state.join("plugins");
        for folder in [&plugins, &self.compiled(), &self.uploads(), &self.state.join("removed")] {
            disk::folder(folder)?;
        }
        disk::sweep(&self.uploads())?;
        for entry in fs::read_dir(self.state.join("removed"))? {
            destroy(&entry?.path())?;
        }
        let mut found = Vec::new();
        for entry in fs::read_dir(&plugins)? {
            let entry = entry?;
            let Ok(id) = entry.file_name().into_string() else { continue };
            match read(&entry.path(), &id) {
                // An installation that did not get as far as its record.
                Err(error) if error.kind() == io::ErrorKind::NotFound => destroy(&entry.path())?,
                Err(error) => found.push((id, Err(error.to_string()))),
                Ok(record) => {
                    self.sweep(&record, true)?;
                    found.push((id, Ok(record)));
                }
            }
        }
        self.sweep_compiled(&found)?;
        Ok(found)
    }

    /// Files of a plugin that its record does not name; where nothing runs yet, also a directory that is half there.
    fn sweep(&self, record: &Record, alone: bool) -> io::Result<()> {
        let package = |installed: &Installed| format!("{}.wasm", installed.sha256);
        for entry in fs::read_dir(self.folder(&record.id))? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let previous = record.previous.as_ref().map(package);
            if name.ends_with(".wasm") && name != package(&record.current) && Some(&name) != previous.as_ref()
            {
                fs::remove_file(entry.path())?;
            } else if name.ends_with(SECRETS) && Some(&name) != record.secrets.as_ref() {
                disk::wipe(&entry.path())?;
            } else if name.ends_with(disk::PART) && (alone || !name.starts_with("directory")) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Machine code of packages that are not installed. Only at the start: later an inspection may need it.
    fn sweep_compiled(&self, found: &[(String, Result<Record, String>)]) -> io::Result<()> {
        let records = || found.iter().filter_map(|(_, record)| record.as_ref().ok());
        let used = |name: &str| {
            records().any(|record| {
                let packages = [Some(&record.current), record.previous.as_ref()];
                packages.into_iter().flatten().any(|package| name.starts_with(&package.sha256))
            })
        };
        for entry in fs::read_dir(self.compiled())? {
            let entry = entry?;
            if !entry.file_name().to_str().is_some_and(used) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

fn read(folder: &Path, id: &str) -> io::Result<Record> {
    let bytes = fs::read(folder.join(RECORD))?;
    let damaged = |words: String| io::Error::new(io::ErrorKind::InvalidData, words);
    let record: Record = serde_json::from_slice(&bytes)
        .map_err(|error| damaged(format!("its record cannot be read: {error}")))?;
    if record.format != FORMAT || record.id != id || manifest::version(&record.current.version).is_none() {
        return Err(damaged("its record is not of this version, or not its own".to_owned()));
    }
    Ok(record)
}

/// Secrets first.
fn destroy(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_sign_ins = path.file_name().is_some_and(|name| name == SIGN_INS);
        if is_sign_ins || path.extension().is_some_and(|extension| extension == SECRETS) {
            disk::wipe(&path)?;
        }
    }
    fs::remove_dir_all(folder)
}

fn purpose(id: &str) -> String {
    format!("secrets of {id}")
}

fn next_number() -> u64 {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
