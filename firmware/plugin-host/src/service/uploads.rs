//! Files that come in, part by part and in order, each into a file of its own on the disk: a client that sends
//! 32 MiB costs no memory. They belong to one connection and are gone with it.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ipc::{MAX_PACKAGE, MAX_UPLOAD_PART, PluginProblem, UploadId};

/// Uploads that a client may have under way.
const MOST: usize = 2;
/// After so long without a part, an upload makes room for another one.
const IDLE: Duration = Duration::from_secs(60);

/// The uploads of one connection.
#[derive(Debug)]
pub(crate) struct Uploads {
    folder: PathBuf,
    next: u64,
    uploads: BTreeMap<UploadId, Upload>,
}

#[derive(Debug)]
struct Upload {
    spool: Arc<Spool>,
    file: File,
    announced: u64,
    received: u64,
    inspected: bool,
    touched: Instant,
}

/// A file that goes with its last user.
#[derive(Debug)]
pub(crate) struct Spool(PathBuf);

impl Spool {
    /// The whole file.
    pub(crate) fn read(&self) -> Result<Vec<u8>, PluginProblem> {
        fs::read(&self.0).map_err(|error| disk(&error))
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        // What stays behind is swept at the next start.
        let _ = fs::remove_file(&self.0);
    }
}

impl Uploads {
    /// None yet; they will lie in this folder.
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), next: 1, uploads: BTreeMap::new() }
    }

    /// Begins one of so many bytes.
    pub(crate) fn begin(&mut self, bytes: u64) -> Result<UploadId, PluginProblem> {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        if bytes > MAX_PACKAGE {
            return Err(PluginProblem::TooLarge);
        }
        if self.uploads.len() == MOST && !self.make_room() {
            return Err(PluginProblem::NotNow(format!("{MOST} uploads are under way already")));
        }
        let path = self.folder.join(format!("{}.part", NUMBER.fetch_add(1, Ordering::Relaxed)));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = file.map_err(|error| disk(&error))?;
        let id = UploadId(self.next);
        self.next += 1;
        self.add(
            id,
            Upload {
                spool: Arc::new(Spool(path)),
                file,
                announced: bytes,
                received: 0,
                inspected: false,
                touched: Instant::now(),
            },
        );
        Ok(id)
    }

    /// Takes the next part. One that cannot be taken ends its upload, unless it only came at the wrong place.
    pub(crate) fn part(&mut self, id: UploadId, offset: u64, base64: &str) -> Result<(), PluginProblem> {
        let upload = self.uploads.get_mut(&id).ok_or(PluginProblem::NoSuchUpload)?;
        if offset != upload.received {
            return Err(PluginProblem::NoSuchUpload);
        }
        let taken = upload.take(base64);
        if taken.is_err() {
            self.uploads.remove(&id);
        }
        taken
    }

    /// The file, if it is whole.
    pub(crate) fn whole(&self, id: UploadId) -> Result<Arc<Spool>, PluginProblem> {
        let upload = self.uploads.get(&id).ok_or(PluginProblem::NoSuchUpload)?;
        if upload.received != upload.announced {
            return Err(PluginProblem::NoSuchUpload);
        }
        Ok(Arc::clone(&upload.spool))
    }

    /// It was inspected, and may be installed; nothing, where it is gone meanwhile.
    pub(crate) fn inspected(&mut self, id: UploadId) {
        if let Some(upload) = self.uploads.get_mut(&id) {
            upload.inspected = true;
        }
    }

    /// Whether [`Uploads::inspected`] was said of it.
    pub(crate) fn is_inspected(&self, id: UploadId) -> bool {
        self.uploads.get(&id).is_some_and(|upload| upload.inspected)
    }

    /// It is not needed any more.
    pub(crate) fn forget(&mut self, id: UploadId) {
        self.uploads.remove(&id);
    }

    /// One that is whole and was not installed, or one that stands still, goes: the connection of a web page lasts,
    /// those who uploaded through it have left.
    fn make_room(&mut self) -> bool {
        let left = |upload: &Upload| upload.received == upload.announced || upload.touched.elapsed() >= IDLE;
        let oldest = self.uploads.iter().find(|(_, upload)| left(upload)).map(|(id, _)| *id);
        oldest.is_some_and(|id| self.uploads.remove(&id).is_some())
    }

    fn add(&mut self, id: UploadId, upload: Upload) {
        self.uploads.insert(id, upload);
    }
}

impl Upload {
    fn take(&mut self, base64: &str) -> Result<(), PluginProblem> {
        // Rubbish in place of base64 is as good as a part that is missing.
        let bytes = STANDARD.decode(base64).map_err(|_| PluginProblem::NoSuchUpload)?;
        let received = self.received + bytes.len() as u64;
        if bytes.len() > MAX_UPLOAD_PART || received > self.announced {
            return Err(PluginProblem::TooLarge);
        }
        self.file.write_all(&bytes).map_err(|error| disk(&error))?;
        self.received = received;
        self.touched = Instant::now();
        Ok(())
    }
}

/// A fault of the disk, in the words of the system.
pub(crate) fn disk(error: &io::Error) -> PluginProblem {
    PluginProblem::Disk(error.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_full_disk_is_said_and_ends_the_upload() {
        let scratch = tempfile::tempdir().unwrap();
        let mut uploads = Uploads::new(scratch.path());
        let file = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let spool = Arc::new(Spool(scratch.path().join("1.part")));
        uploads.add(
            UploadId(9),
            Upload { spool, file, announced: 3, received: 0, inspected: false, touched: Instant::now() },
        );
        let full = uploads.part(UploadId(9), 0, &STANDARD.encode("abc")).unwrap_err();
        assert!(matches!(&full, PluginProblem::Disk(words) if words.contains("space")), "{full:?}");
        assert_eq!(uploads.part(UploadId(9), 0, ""), Err(PluginProblem::NoSuchUpload));
    }

    #[test]
    fn too_large_too_many_and_too_much_are_refused_and_leave_no_file() {
        let scratch = tempfile::tempdir().unwrap();
        let mut uploads = Uploads::new(scratch.path());
        assert_eq!(uploads.begin(500 << 20), Err(PluginProblem::TooLarge));
        let (first, second) = (uploads.begin(3).unwrap(), uploads.begin(3).unwrap());
        assert!(matches!(uploads.begin(3), Err(PluginProblem::NotNow(_))));
        assert_eq!(uploads.part(first, 0, &STANDARD.encode("abcd")), Err(PluginProblem::TooLarge));
        assert_eq!(uploads.part(second, 0, "no base64!"), Err(PluginProblem::NoSuchUpload));
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
    }

    proptest! {
        #[test]
        fn parts_in_order_make_the_file_and_it_goes_with_the_connection(
            parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..10), wrong in 1u64..100
        ) {
            let scratch = tempfile::tempdir().unwrap();
            let whole = parts.concat();
            let mut uploads = Uploads::new(scratch.path());
            let id = uploads.begin(whole.len() as u64).unwrap();
            let mut offset = 0;
            for part in &parts {
                prop_assert_eq!(uploads.part(id, offset + wrong, &STANDARD.encode(part)), Err(PluginProblem::NoSuchUpload));
                prop_assert_eq!(uploads.whole(id).is_ok(), offset == whole.len() as u64);
                uploads.part(id, offset, &STANDARD.encode(part)).unwrap();
                offset += part.len() as u64;
            }
            prop_assert_eq!(uploads.whole(id).unwrap().read().unwrap(), whole);
            drop(uploads);
            prop_assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
        }
    }
}
