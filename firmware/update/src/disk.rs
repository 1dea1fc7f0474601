//! The folder of updates: the bundle, the history, the verdicts of health checks. What is written is on the disk when a
//! function returns: synced, renamed, and the folder synced.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};
use tracing::warn;

use crate::{History, Verdicts};

/// Largest file of ours that is read, in bytes.
const MAX_FILE: u64 = 1024 * 1024;

/// See the module.
#[derive(Clone, Debug)]
pub struct Files {
    folder: PathBuf,
}

impl Files {
    /// Below this folder.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the bundle is that was looked at.
    #[must_use]
    pub fn bundle(&self) -> PathBuf {
        self.folder.join("bundle.raucb")
    }

    /// Where one is on its way.
    #[must_use]
    pub fn part(&self) -> PathBuf {
        self.folder.join("upload.part")
    }

    /// What the disk knows of attempts; nothing where it knows nothing. A file that cannot be understood is not written
    /// over: it is put aside by [`Files::save`].
    #[must_use]
    pub fn history(&self) -> History {
        self.read("attempts.json").unwrap_or_default()
    }

    /// Writes the history.
    ///
    /// # Errors
    /// The disk's.
    pub fn save(&self, history: &History) -> io::Result<()> {
        let path = self.folder.join("attempts.json");
        if path.exists() && self.read::<History>("attempts.json").is_none() {
            fs::rename(&path, self.folder.join("attempts.json.unreadable"))?;
        }
        self.write("attempts.json", 0o600, history)
    }

    /// The newest verdicts on the slots.
    #[must_use]
    pub fn verdicts(&self) -> Verdicts {
        self.read("health.json").unwrap_or_default()
    }

    /// Writes them. They are read by others than who wrote them.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn save_verdicts(&self, verdicts: &Verdicts) -> io::Result<()> {
        self.write("health.json", 0o644, verdicts)
    }

    /// Bytes that are free on the disk; `None` where the system does not tell.
    #[must_use]
    pub fn free(&self) -> Option<u64> {
        let disk = rustix::fs::statvfs(&self.folder).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let path = self.folder.join(name);
        if fs::metadata(&path).ok()?.len() > MAX_FILE {
            return None;
        }
        let bytes = fs::read(&path).ok()?;
        match serde_json::from_slice(&bytes) {
            Ok(read) => Some(read),
            Err(error) => {
                warn!(file = %path.display(), %error, "a file about updates is not understood");
                None
            }
        }
    }

    fn write<T: Serialize>(&self, name: &str, mode: u32, what: &T) -> io::Result<()> {
        let (path, fresh) = (self.folder.join(name), self.folder.join(format!("{name}.new")));
        // One that a power cut left may belong to somebody else.
        there(fs::remove_file(&fresh))?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&fresh)?;
        file.write_all(&serde_json::to_vec_pretty(what)?)?;
        file.sync_all()?;
        fs::rename(&fresh, &path)?;
        self.sync()
    }

    /// Makes what was renamed or removed so on the disk, too.
    pub(crate) fn sync(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }

    /// Forgets the bundle; one that is on its way goes on.
    pub(crate) fn clear(&self) -> io::Result<()> {
        there(fs::remove_file(self.bundle()))?;
        self.sync()
    }
}

pub(crate) fn there(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// Which start of the machine this is.
pub(crate) fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// The version of the image that runs; `None` where this is no image of ours.
pub(crate) fn image_version() -> Option<String> {
    let text = fs::read_to_string("/usr/share/frontdesk/version").ok()?;
    let version: String = text.trim().chars().filter(|c| !c.is_control()).take(64).collect();
    (!version.is_empty()).then_some(version)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::{Attempt, Verdict};

    #[test]
    fn app_3_what_was_written_down_is_read_again_and_what_is_not_understood_is_kept_aside() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(folder.path());
        assert_eq!((files.history(), files.verdicts()), (History::default(), Verdicts::default()));
        let mut history = History::default();
        history.begin(Attempt { version: "2".into(), ..Attempt::default() });
        files.save(&history).unwrap();
        fs::write(folder.path().join("attempts.json.new"), "half").unwrap();
        files.save(&history).unwrap();
        assert_eq!(files.history(), history);
        let verdicts = Verdicts::from([("A".to_owned(), Verdict { attempt: 1, ..Verdict::default() })]);
        files.save_verdicts(&verdicts).unwrap();
        assert_eq!(files.verdicts(), verdicts);
        fs::write(folder.path().join("attempts.json"), "not json").unwrap();
        assert_eq!(files.history(), History::default());
        files.save(&history).unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("attempts.json.unreadable")).unwrap(), "not json");
        assert!(files.free().is_some_and(|free| free > 0));
    }
}
