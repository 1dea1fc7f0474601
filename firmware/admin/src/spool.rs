//! Spool files: uploads on their way, each written to a file within bounds until all of it is here.
//!
//! Sounds, contacts and packages each have a [`Spool`] with bounds of its own. One that breaks off, is too large or finds the
//! disk full leaves nothing: the file goes with its [`SpoolFile`], and only then the next one may come. What a power cut has
//! left is removed by [`Spool::tidy`].
//!
//! Not done here: what is in a file (`sounds`, `imports`, `uploads`), and the words for what is refused (`pages`).

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::body::Bytes;
use futures_util::Stream;
use tempfile::{NamedTempFile, TempPath};
use tokio::{
    fs::File,
    io::AsyncWriteExt,
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tracing::warn;

use crate::{
    health::Health,
    parts::{FORM_MARGIN, piece},
};

/// Room on the disk that uploads leave free, in bytes: calls are logged meanwhile.
pub(crate) const SPARE: u64 = 64 << 20;

/// After so many bytes of a file it is looked again whether there is room: how much comes is not always said, and others
/// write to the disk meanwhile.
const LOOKED_AFTER: u64 = 1 << 20;

/// What uploads of one kind may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Largest file, in bytes.
    pub(crate) file: u64,
    /// How much all files of the folder take together, in bytes; `None` where only the disk says.
    pub(crate) together: Option<u64>,
    /// How much of the disk a file takes until it is gone, in files: itself, and what is made of it.
    pub(crate) times: u64,
    /// Room on the disk that is left free, in bytes.
    pub(crate) spare: u64,
    /// Files that come in at once.
    pub(crate) at_once: usize,
}

/// Why a file was not taken from who sent it.
#[derive(Debug)]
pub(crate) enum SpoolError {
    /// As many as may be are being taken.
    Busy,
    /// Nothing was sent.
    Empty,
    /// More than [`Bounds::file`].
    TooLarge,
    /// It broke off, or nothing came any more.
    BrokenOff,
    /// The disk, or what these files may take of it.
    NoRoom,
    /// The disk does not take it.
    Disk(io::Error),
}

impl From<io::Error> for SpoolError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoRoom,
            _ => Self::Disk(error),
        }
    }
}

/// Where uploads of one kind are written while they come.
#[derive(Clone)]
pub(crate) struct Spool {
    folder: PathBuf,
    prefix: &'static str,
    bounds: Bounds,
    slots: Arc<Semaphore>,
}

/// One of the files that may come at once, until this is dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    _permit: OwnedSemaphorePermit,
}

/// A file that comes in; nothing is left of it when this is dropped, unless it was persisted.
#[derive(Debug)]
pub(crate) struct SpoolFile {
    file: File,
    path: TempPath,
    bytes: u64,
    bounds: Bounds,
    /// The last to be dropped: the file is gone before another one begins.
    slot: Slot,
}

impl Spool {
    /// With files in this folder whose names begin with `prefix`.
    pub(crate) fn new(folder: PathBuf, prefix: &'static str, bounds: Bounds) -> Self {
        Self { folder, prefix, bounds, slots: Arc::new(Semaphore::new(bounds.at_once)) }
    }

    /// Removes what a power cut has left of files on their way. Only before the first one comes.
    pub(crate) fn tidy(&self) {
        remove_left(&self.folder, self.prefix);
    }

    /// Who sends a file comes here first.
    ///
    /// # Errors
    /// [`SpoolError::Busy`].
    pub(crate) fn slot(&self) -> Result<Slot, SpoolError> {
        let permit = Arc::clone(&self.slots).try_acquire_owned().map_err(|_| SpoolError::Busy)?;
        Ok(Slot { _permit: permit })
    }

    /// No other file can come now.
    pub(crate) fn is_full(&self) -> bool {
        self.slots.available_permits() == 0
    }

    /// Begins to take a file. `announced` is how many bytes come, with the form around them, as far as that is said.
    ///
    /// # Errors
    /// [`SpoolError::TooLarge`], [`SpoolError::NoRoom`] and [`SpoolError::Disk`].
    pub(crate) fn begin(&self, slot: Slot, announced: Option<u64>) -> Result<SpoolFile, SpoolError> {
        let Bounds { file: max_bytes, together, times, spare, .. } = self.bounds;
        if announced.is_some_and(|bytes| bytes > max_bytes + FORM_MARGIN as u64) {
            return Err(SpoolError::TooLarge);
        }
        let most = announced.unwrap_or(max_bytes).min(max_bytes);
        let free = Health::now(&self.folder).disk_free;
        let wanted = most.saturating_mul(times).saturating_add(spare);
        let is_disk_full = free.is_some_and(|free| free < wanted);
        if is_disk_full || together.is_some_and(|together| self.bytes().saturating_add(most) > together) {
            return Err(SpoolError::NoRoom);
        }
        let (file, path) = NamedTempFile::with_prefix_in(self.prefix, &self.folder)?.into_parts();
        Ok(SpoolFile { file: File::from_std(file), path, bytes: 0, bounds: self.bounds, slot })
    }

    /// How much all files of the folder take.
    fn bytes(&self) -> u64 {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.metadata().ok()).map(|found| found.len()).sum()
    }
}

/// Removes the files of a folder whose names begin so: those that a power cut has left.
pub(crate) fn remove_left(folder: &Path, prefix: &str) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix)) {
        let path = entry.path();
        if let Err(error) = fs::remove_file(&path) {
            warn!(path = %path.display(), %error, "a file that was on its way stays");
        }
    }
}

impl SpoolFile {
    /// Takes all that comes; the file's path of the moment.
    ///
    /// # Errors
    /// See [`SpoolError`].
    pub(crate) async fn receive<E>(
        &mut self,
        mut source: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<PathBuf, SpoolError> {
        while let Some(bytes) = piece(&mut source).await.map_err(|_| SpoolError::BrokenOff)? {
            self.push(&bytes).await?;
        }
        self.end().await
    }

    /// Takes bytes as they come.
    ///
    /// # Errors
    /// [`SpoolError::TooLarge`], [`SpoolError::NoRoom`] and [`SpoolError::Disk`].
    pub(crate) async fn push(&mut self, bytes: &[u8]) -> Result<(), SpoolError> {
        let before = self.bytes;
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        if self.bytes > self.bounds.file {
            return Err(SpoolError::TooLarge);
        }
        let is_due = before / LOOKED_AFTER != self.bytes / LOOKED_AFTER;
        if is_due && self.is_disk_full() {
            return Err(SpoolError::NoRoom);
        }
        Ok(self.file.write_all(bytes).await?)
    }

    /// All of it is here and can be read; its path of the moment.
    ///
    /// # Errors
    /// [`SpoolError::Empty`], [`SpoolError::NoRoom`] and [`SpoolError::Disk`].
    pub(crate) async fn end(&mut self) -> Result<PathBuf, SpoolError> {
        if self.bytes == 0 {
            return Err(SpoolError::Empty);
        }
        // What was written may fail only here.
        self.file.flush().await?;
        Ok(self.path.to_path_buf())
    }

    /// Where it is while it comes.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What is left free of the disk, or is wanted for what is made of the file as far as it has come, is not there any more.
    fn is_disk_full(&self) -> bool {
        let Bounds { times, spare, .. } = self.bounds;
        let wanted = self.bytes.saturating_mul(times.saturating_sub(1)).saturating_add(spare);
        Health::now(&self.path).disk_free.is_some_and(|free| free < wanted)
    }

    /// How many bytes have come.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Has a whole file on the disk under this name, which must be in the same folder; blocks. The slot is free for what
    /// belongs to it.
    ///
    /// # Errors
    /// What the system says; then nothing is left of the file.
    pub(crate) fn persist(self, to: &Path) -> io::Result<Slot> {
        fs::File::open(&self.path)?.sync_all()?;
        let Self { path, slot, .. } = self;
        path.persist(to).map_err(|failed| failed.error)?;
        Ok(slot)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use futures_util::stream;

    use super::*;

    const BOUNDS: Bounds = Bounds { file: 8, together: None, times: 1, spare: 0, at_once: 1 };

    fn spool(folder: &Path, bounds: Bounds) -> Spool {
        Spool::new(folder.to_owned(), "new-", bounds)
    }

    fn begin(spool: &Spool, announced: Option<u64>) -> Result<SpoolFile, SpoolError> {
        spool.begin(spool.slot()?, announced)
    }

    fn count(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    fn pieces<const N: usize>(
        pieces: [Result<&'static str, ()>; N],
    ) -> impl Stream<Item = Result<Bytes, ()>> + Unpin {
        stream::iter(pieces.map(|piece| piece.map(|text| Bytes::from_static(text.as_bytes()))))
    }

    #[tokio::test]
    async fn app_2_a_spool_file_is_whole_and_stays_under_its_own_name() {
        let folder = tempfile::tempdir().unwrap();
        let spool = spool(folder.path(), BOUNDS);
        let mut file = begin(&spool, Some(8)).unwrap();
        let path = file.receive(pieces([Ok("half"), Ok("half")])).await.unwrap();
        assert_eq!((fs::read(&path).unwrap().as_slice(), file.bytes()), (&b"halfhalf"[..], 8));
        assert_eq!(file.path(), path);
        let to = folder.path().join("kept");
        let slot = file.persist(&to).unwrap();
        assert_eq!((fs::read(&to).unwrap().as_slice(), count(folder.path())), (&b"halfhalf"[..], 1));
        assert!(spool.is_full(), "who keeps the slot has yet to do something");
        drop(slot);
        assert!(!spool.is_full());
    }

    #[tokio::test]
    async fn app_2_a_spool_file_that_is_too_large_or_empty_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let spool = spool(folder.path(), BOUNDS);
        let announced = BOUNDS.file + FORM_MARGIN as u64;
        assert!(matches!(begin(&spool, Some(announced + 1)), Err(SpoolError::TooLarge)));
        assert!(matches!(begin(&spool, Some(u64::MAX)), Err(SpoolError::TooLarge)));
        // A form around it counts for nothing, the bytes of the file do.
        let mut file = begin(&spool, Some(announced)).unwrap();
        file.push(b"12345678").await.unwrap();
        assert!(matches!(file.push(b"9").await, Err(SpoolError::TooLarge)));
        drop(file);
        let mut file = begin(&spool, None).unwrap();
        assert!(matches!(file.receive(pieces([])).await, Err(SpoolError::Empty)));
        drop(file);
        assert_eq!(count(folder.path()), 0);
    }

    #[tokio::test]
    async fn app_2_a_spool_file_leaves_the_disk_its_room_and_the_folder_its_bound() {
        let folder = tempfile::tempdir().unwrap();
        let full = spool(folder.path(), Bounds { spare: u64::MAX, ..BOUNDS });
        assert!(matches!(begin(&full, Some(1)), Err(SpoolError::NoRoom)));
        assert!(!full.is_full(), "who was refused is in nobody's way");
        fs::write(folder.path().join("kept"), b"12345").unwrap();
        let bound = spool(folder.path(), Bounds { together: Some(10), ..BOUNDS });
        assert!(matches!(begin(&bound, Some(6)), Err(SpoolError::NoRoom)));
        assert!(matches!(begin(&bound, None), Err(SpoolError::NoRoom)), "as large as it may be");
        assert!(begin(&bound, Some(5)).is_ok());
        let system = SpoolError::from(io::Error::from(io::ErrorKind::StorageFull));
        assert!(matches!(system, SpoolError::NoRoom));
        let system = SpoolError::from(io::Error::from(io::ErrorKind::PermissionDenied));
        assert!(matches!(system, SpoolError::Disk(_)));
        assert_eq!(count(folder.path()), 1);
    }

    #[tokio::test]
    async fn app_2_a_spool_file_of_which_nobody_said_how_much_comes_leaves_the_disk_its_room() {
        let folder = tempfile::tempdir().unwrap();
        let spool = spool(folder.path(), Bounds { file: 4 * LOOKED_AFTER, ..BOUNDS });
        let much = vec![7_u8; usize::try_from(LOOKED_AFTER).unwrap()];
        // The disk fills up while it comes: with something else, or with what is made of such files.
        for full in [Bounds { spare: u64::MAX, ..spool.bounds }, Bounds { times: u64::MAX, ..spool.bounds }] {
            let mut file = begin(&spool, None).unwrap();
            file.push(&much).await.unwrap();
            file.bounds = full;
            file.push(b"not looked at each byte").await.unwrap();
            assert!(matches!(file.push(&much).await, Err(SpoolError::NoRoom)), "{full:?}");
        }
        assert_eq!(count(folder.path()), 0);
    }

    #[tokio::test]
    async fn app_2_a_spool_file_dropped_half_way_is_removed_and_so_is_what_a_power_cut_left() {
        let folder = tempfile::tempdir().unwrap();
        let (left, other) = (folder.path().join("new-half"), folder.path().join("own.pem"));
        for path in [&left, &other] {
            fs::write(path, "x").unwrap();
        }
        let spool = spool(folder.path(), BOUNDS);
        spool.tidy();
        assert!(!left.exists() && other.exists(), "what a power cut left");
        let mut file = begin(&spool, None).unwrap();
        assert!(matches!(file.receive(pieces([Ok("half"), Err(())])).await, Err(SpoolError::BrokenOff)));
        let path = file.path().to_owned();
        assert!(path.exists() && spool.is_full());
        drop(file);
        assert!(!path.exists() && !spool.is_full());
        assert_eq!(count(folder.path()), 1);
    }

    #[tokio::test]
    async fn app_2_two_spool_files_at_once_do_not_meet_and_one_more_is_too_many() {
        let folder = tempfile::tempdir().unwrap();
        let spool = spool(folder.path(), Bounds { at_once: 2, ..BOUNDS });
        let (mut first, mut second) = (begin(&spool, None).unwrap(), begin(&spool, None).unwrap());
        assert!(spool.is_full() && matches!(begin(&spool, None), Err(SpoolError::Busy)));
        first.push(b"one").await.unwrap();
        second.push(b"two").await.unwrap();
        let (one, two) = (first.end().await.unwrap(), second.end().await.unwrap());
        drop(first);
        assert!(!one.exists() && !spool.is_full());
        assert_eq!(fs::read(&two).unwrap(), b"two");
    }
}
