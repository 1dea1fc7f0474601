//! Reads a backup and puts it aside, whole and looked at, to be used at the next start. Until then nothing changes.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use store::StoreError;

use super::{
    CERTIFICATE, Contents, DATABASE, FORMAT, Part, SOUND, SPARE,
    seal::{Opener, SealProblem},
};
use crate::{health::Health, sounds, tls};

/// Largest backup taken, in bytes. The catalogue of the largest desk has a tenth of it.
pub(crate) const MAX_FILE: u64 = 4 * 1024 * 1024 * 1024;

/// Longest description, in bytes: some ten thousand parts.
const MAX_DESCRIPTION: usize = 1024 * 1024;

/// Says what waits; written last.
pub(super) const NOTE: &str = "waiting.json";

/// Why a backup is not used. What was stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum RestoreProblem {
    /// It cannot be opened.
    #[error(transparent)]
    Seal(#[from] SealProblem),
    /// Its contents are of a newer version.
    #[error("it was written by a newer version of Frontdesk ({version})")]
    Newer {
        /// Of the program that wrote it.
        version: String,
    },
    /// It can be opened, but what is in it is not understood.
    #[error("what is in it is not a backup of Frontdesk: {0}")]
    Contents(&'static str),
    /// The copy of the database is of no use.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is not enough room for it.
    #[error("there is not enough room on the disk")]
    NoRoom,
    /// The disk refuses.
    #[error("it could not be written: {0}")]
    Disk(#[from] io::Error),
}

/// Who brought a backup.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    pub(crate) who: String,
    pub(crate) from: String,
}

/// A backup that waits for the next start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Waiting {
    pub(crate) contents: Contents,
    pub(crate) origin: Origin,
    pub(crate) contacts: u64,
    pub(crate) calls: u64,
}

/// Where a backup waits, and what is on its way there or from there, beside the database.
pub(super) struct Places {
    pub(super) ready: PathBuf,
    pub(super) partial: PathBuf,
    pub(super) gone: PathBuf,
}

impl Places {
    pub(super) fn beside(db: &Path) -> Self {
        let named = |more: &str| {
            let mut name: OsString = db.as_os_str().to_owned();
            name.push(more);
            PathBuf::from(name)
        };
        Self { ready: named(".restore"), partial: named(".restore-partial"), gone: named(".restore-gone") }
    }

    /// What is no longer wanted disappears at once or not at all.
    pub(super) fn discard(&self) -> io::Result<()> {
        remove(&self.gone)?;
        match fs::rename(&self.ready, &self.gone) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            moved => moved?,
        }
        remove(&self.gone)
    }
}

/// What waits, if anything does.
pub(crate) fn waiting(db: &Path) -> Option<Waiting> {
    let note = fs::read(Places::beside(db).ready.join(NOTE)).ok()?;
    serde_json::from_slice(&note).ok()
}

/// Forgets what waits.
pub(crate) fn discard(db: &Path) -> io::Result<()> {
    Places::beside(db).discard()
}

/// Reads a backup, looks at it, and lets it wait. Blocks. What waited before stays when this fails.
pub(crate) fn stage(
    db: &Path,
    from: impl Read,
    passphrase: &str,
    origin: Origin,
) -> Result<Waiting, RestoreProblem> {
    stage_on(db, from, passphrase, origin, &|folder| Health::now(folder).disk_free)
}

/// As [`stage`], on a disk of which `free` says how many bytes it has left.
pub(super) fn stage_on(
    db: &Path,
    from: impl Read,
    passphrase: &str,
    origin: Origin,
    free: &dyn Fn(&Path) -> Option<u64>,
) -> Result<Waiting, RestoreProblem> {
    let places = Places::beside(db);
    remove(&places.partial)?;
    let staged = unpack(&places, from, passphrase, origin, free);
    if staged.is_err() {
        // What cannot be removed now is removed before the next one.
        let _ = remove(&places.partial);
    }
    staged
}

fn unpack(
    places: &Places,
    from: impl Read,
    passphrase: &str,
    origin: Origin,
    free: &dyn Fn(&Path) -> Option<u64>,
) -> Result<Waiting, RestoreProblem> {
    let mut opener = Opener::new(from, passphrase)?;
    let contents = contents(&mut opener)?;
    let folder = &places.partial;
    DirBuilder::new().mode(0o700).create(folder)?;
    let wanted = contents.parts.iter().fold(SPARE, |sum, part| sum.saturating_add(part.bytes));
    if free(folder).is_some_and(|free| free < wanted) {
        return Err(RestoreProblem::NoRoom);
    }
    for part in &contents.parts {
        // Names out of the list only, see `contents`.
        copy(&mut opener, part.bytes, &folder.join(&part.name))?;
    }
    if opener.read(&mut [0])? != 0 {
        return Err(RestoreProblem::Contents("there is more than it says"));
    }
    let checked = store::check(&folder.join(DATABASE))?;
    let certificate = folder.join(CERTIFICATE);
    if certificate.exists() {
        tls::check(&fs::read_to_string(certificate)?)
            .map_err(|_| RestoreProblem::Contents("its certificate cannot be read"))?;
    }
    let waiting = Waiting { contents, origin, contacts: checked.contacts, calls: checked.calls };
    let note = serde_json::to_vec(&waiting).map_err(io::Error::other)?;
    let mut file = new_file(&folder.join(NOTE))?;
    file.write_all(&note)?;
    file.sync_all()?;
    File::open(folder)?.sync_all()?;
    places.discard()?;
    fs::rename(folder, &places.ready)?;
    if let Some(parent) = places.ready.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        File::open(parent)?.sync_all()?;
    }
    Ok(waiting)
}

/// The description, whose parts are known ones, each once, of a possible length, the database first.
fn contents<R: Read>(opener: &mut Opener<R>) -> Result<Contents, RestoreProblem> {
    let mut length = [0; 4];
    opener.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length) as usize;
    if length > MAX_DESCRIPTION {
        return Err(RestoreProblem::Contents("its description is too long"));
    }
    let mut bytes = vec![0; length];
    opener.read_exact(&mut bytes)?;
    let unreadable = |_| RestoreProblem::Contents("its description cannot be read");
    // Of a newer version no more than this is known.
    let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(unreadable)?;
    if value["format"].as_u64().is_some_and(|format| format > u64::from(FORMAT)) {
        let version = value["version"].as_str().unwrap_or("?").chars().filter(|c| !c.is_control()).take(32);
        return Err(RestoreProblem::Newer { version: version.collect() });
    }
    let contents: Contents = serde_json::from_value(value).map_err(unreadable)?;
    let Some((DATABASE, rest)) =
        contents.parts.split_first().map(|(first, rest)| (first.name.as_str(), rest))
    else {
        return Err(RestoreProblem::Contents("it has no database first"));
    };
    let mut seen = BTreeSet::new();
    if !rest.iter().all(|part| is_known(part) && seen.insert(&part.name)) {
        return Err(RestoreProblem::Contents("it has other parts than a backup has"));
    }
    if !contents.parts.iter().all(|part| part.bytes <= largest(part)) {
        return Err(RestoreProblem::Contents("a part of it is too large"));
    }
    Ok(contents)
}

/// Whether a backup has such a part beside the database: it becomes the name of a file.
fn is_known(part: &Part) -> bool {
    part.name == CERTIFICATE || part.name.strip_prefix(SOUND).is_some_and(sounds::is_name)
}

/// How many bytes a part has at the most.
fn largest(part: &Part) -> u64 {
    match part.name.as_str() {
        DATABASE => MAX_FILE,
        CERTIFICATE => 2 * tls::MAX_PEM as u64,
        _ => sounds::MAX_BYTES,
    }
}

fn copy<R: Read>(opener: &mut Opener<R>, bytes: u64, to: &Path) -> Result<(), RestoreProblem> {
    let mut file = new_file(to)?;
    let mut buffer = vec![0; 64 * 1024];
    let mut left = bytes;
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let read = opener.read(&mut buffer[..most])?;
        if read == 0 {
            return Err(RestoreProblem::Contents("there is less than it says"));
        }
        file.write_all(&buffer[..read]).map_err(full)?;
        left -= read as u64;
    }
    file.sync_all().map_err(full)?;
    Ok(())
}

pub(super) fn full(error: io::Error) -> RestoreProblem {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            RestoreProblem::NoRoom
        }
        _ => RestoreProblem::Disk(error),
    }
}

fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

pub(super) fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
