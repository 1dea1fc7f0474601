//! Backup and restore (APP-2): everything that the box keeps, in one file sealed with a passphrase.
//!
//! In the seal is a description (JSON, after its length in four bytes) of the parts that follow, each by a name out
//! of a fixed list and its length. There are no paths in it. The parts are a copy of the database, which has the
//! settings, contacts, call log and accounts, and the certificate where one was uploaded.
//!
//! Not in it: plugins, which their own program keeps; files on sticks; `frontdesk.toml`, which is the machine's.
//!
//! A map: `seal` is the encryption, `stage` reads a backup and puts it aside, `apply` puts it in the place of what
//! was at the next start.

mod apply;
mod seal;
mod stage;

use std::{
    fs::File,
    io::{self, Cursor, Read, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};
use store::StoreError;

use crate::{app::now_ms, health::Health, sounds::Sounds, spool::remove_left, tls};

pub(crate) use apply::made_words;
pub use apply::{Applied, apply_waiting};
pub use seal::SealProblem;
pub(crate) use seal::{LONGEST, SHORTEST};
pub use stage::RestoreProblem;
pub(crate) use stage::{MAX_FILE, Origin, Waiting, discard, stage, waiting};

/// Version of what is in the seal: 1 without sound files, which older programs understand.
const FORMAT: u32 = 2;

/// Room on the disk that neither a backup nor a restore takes, in bytes: calls are logged meanwhile.
const SPARE: u64 = 64 * 1024 * 1024;

const DATABASE: &str = "database";
const CERTIFICATE: &str = "certificate";
/// How the name of a copy on its way begins.
const COPY: &str = "backup-";
/// How the parts begin that are sound files; the name of the file follows.
const SOUND: &str = "sound-";

/// What is in a backup.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Contents {
    pub(crate) format: u32,
    /// Version of the program that made it.
    pub(crate) version: String,
    /// When, Unix milliseconds.
    pub(crate) made_ms: i64,
    /// The name of the box.
    pub(crate) host: String,
    /// The parts, in the order in which they follow.
    pub(crate) parts: Vec<Part>,
}

impl Contents {
    /// Whether a certificate is in it.
    pub(crate) fn has_certificate(&self) -> bool {
        self.parts.iter().any(|part| part.name == CERTIFICATE)
    }

    /// How many sound files are in it, without the notes of what is known of them.
    pub(crate) fn sounds(&self) -> usize {
        self.parts.iter().filter(|part| part.name.starts_with(SOUND) && !part.name.ends_with(".json")).count()
    }
}

/// A part of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) bytes: u64,
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupProblem {
    /// The copy has no room.
    #[error("there is not enough room on the disk")]
    NoRoom,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("it could not be written: {0}")]
    Disk(#[from] io::Error),
}

/// Removes what a power cut has left of copies on their way: each is the whole database, in clear. Only before the first
/// backup.
pub(crate) fn tidy(state: &Path) {
    remove_left(state, COPY);
}

/// A backup whose parts are at hand.
pub(crate) struct Prepared {
    description: Vec<u8>,
    parts: Vec<Source>,
}

/// Where a part is read from.
struct Source {
    part: Part,
    from: Box<dyn Read + Send>,
}

impl Source {
    fn file(name: String, file: File) -> io::Result<Self> {
        let bytes = file.metadata()?.len();
        Ok(Self { part: Part { name, bytes }, from: Box::new(file) })
    }

    fn bytes(name: String, bytes: Vec<u8>) -> Self {
        Self { part: Part { name, bytes: bytes.len() as u64 }, from: Box::new(Cursor::new(bytes)) }
    }
}

impl Prepared {
    /// Copies the database, reads the certificate and opens the sound files. `state` is the folder of the page's state. Blocks.
    pub(crate) fn new(db: &Path, state: &Path, version: &str, host: &str) -> Result<Self, BackupProblem> {
        let wal = db.with_file_name(format!("{}-wal", db.file_name().unwrap_or_default().to_string_lossy()));
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |found| found.len());
        let wanted = size(db) + size(&wal) + SPARE;
        if Health::now(state).disk_free.is_some_and(|free| free < wanted) {
            return Err(BackupProblem::NoRoom);
        }
        let copy = tempfile::NamedTempFile::with_prefix_in(COPY, state)?;
        match store::snapshot(db, copy.path()) {
            Err(StoreError::Full { .. }) => return Err(BackupProblem::NoRoom),
            copied => copied?,
        }
        // Without its name it is gone with the last who reads it.
        let mut parts = vec![Source::file(DATABASE.into(), copy.reopen()?)?];
        let certificate = tls::uploaded(state)?;
        if !certificate.is_empty() {
            parts.push(Source::bytes(CERTIFICATE.into(), certificate));
        }
        // Open from here on: what is removed meanwhile is in it all the same.
        let sounds = Sounds::new(db).all()?;
        let format = if sounds.is_empty() { 1 } else { FORMAT };
        for (name, file) in sounds {
            parts.push(Source::file(format!("{SOUND}{name}"), file)?);
        }
        let contents = Contents {
            format,
            version: version.to_owned(),
            made_ms: now_ms(),
            host: host.to_owned(),
            parts: parts.iter().map(|source| source.part.clone()).collect(),
        };
        Ok(Self { description: serde_json::to_vec(&contents).map_err(io::Error::other)?, parts })
    }

    /// How long the sealed file will be, in bytes.
    pub(crate) fn length(&self) -> u64 {
        let parts: u64 = self.parts.iter().map(|source| source.part.bytes).sum();
        seal::sealed_length(4 + self.description.len() as u64 + parts)
    }

    /// Writes it. Blocks.
    pub(crate) fn write(self, passphrase: &str, to: impl Write) -> io::Result<()> {
        let mut sealer = seal::Sealer::new(to, passphrase)?;
        let length = u32::try_from(self.description.len()).map_err(io::Error::other)?;
        sealer.write_all(&length.to_be_bytes())?;
        sealer.write_all(&self.description)?;
        for Source { part, from } in self.parts {
            if io::copy(&mut from.take(part.bytes), &mut sealer)? != part.bytes {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            }
        }
        sealer.finish().map(drop)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;
