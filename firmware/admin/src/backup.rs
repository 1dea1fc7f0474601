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
    io::{self, Read, Seek, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};
use store::StoreError;

use crate::{app::now_ms, health::Health, tls};

pub(crate) use apply::made_words;
pub use apply::{Applied, apply_waiting};
pub use seal::SealProblem;
pub(crate) use seal::{LONGEST, SHORTEST};
pub use stage::RestoreProblem;
pub(crate) use stage::{MAX_FILE, Origin, Waiting, discard, stage, waiting};

/// Version of what is in the seal.
const FORMAT: u32 = 1;

/// Room on the disk that neither a backup nor a restore takes, in bytes: calls are logged meanwhile.
const SPARE: u64 = 64 * 1024 * 1024;

const DATABASE: &str = "database";
const CERTIFICATE: &str = "certificate";

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

/// A backup whose parts are at hand.
pub(crate) struct Prepared {
    description: Vec<u8>,
    database: File,
    database_bytes: u64,
    certificate: Vec<u8>,
}

impl Prepared {
    /// Copies the database and reads the certificate. `state` is the folder of the page's state. Blocks.
    pub(crate) fn new(db: &Path, state: &Path, version: &str, host: &str) -> Result<Self, BackupProblem> {
        let wal = db.with_file_name(format!("{}-wal", db.file_name().unwrap_or_default().to_string_lossy()));
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |found| found.len());
        let wanted = size(db) + size(&wal) + SPARE;
        if Health::now(state).disk_free.is_some_and(|free| free < wanted) {
            return Err(BackupProblem::NoRoom);
        }
        let copy = tempfile::NamedTempFile::with_prefix_in("backup-", state)?;
        match store::snapshot(db, copy.path()) {
            Err(StoreError::Full { .. }) => return Err(BackupProblem::NoRoom),
            copied => copied?,
        }
        let certificate = tls::uploaded(state)?;
        // Without its name it is gone with the last who reads it.
        let database = copy.reopen()?;
        let database_bytes = database.metadata()?.len();
        let mut parts = vec![Part { name: DATABASE.into(), bytes: database_bytes }];
        if !certificate.is_empty() {
            parts.push(Part { name: CERTIFICATE.into(), bytes: certificate.len() as u64 });
        }
        let (version, host) = (version.to_owned(), host.to_owned());
        let contents = Contents { format: FORMAT, version, made_ms: now_ms(), host, parts };
        let description = serde_json::to_vec(&contents).map_err(io::Error::other)?;
        Ok(Self { description, database, database_bytes, certificate })
    }

    /// How long the sealed file will be, in bytes.
    pub(crate) fn length(&self) -> u64 {
        let parts = self.database_bytes + self.certificate.len() as u64;
        seal::sealed_length(4 + self.description.len() as u64 + parts)
    }

    /// Writes it. Blocks.
    pub(crate) fn write(mut self, passphrase: &str, to: impl Write) -> io::Result<()> {
        let mut sealer = seal::Sealer::new(to, passphrase)?;
        let length = u32::try_from(self.description.len()).map_err(io::Error::other)?;
        sealer.write_all(&length.to_be_bytes())?;
        sealer.write_all(&self.description)?;
        self.database.rewind()?;
        let copied = io::copy(&mut Read::by_ref(&mut self.database).take(self.database_bytes), &mut sealer)?;
        if copied != self.database_bytes {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        sealer.write_all(&self.certificate)?;
        sealer.finish().map(drop)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;
