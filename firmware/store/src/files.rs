//! Contacts from a file and into one (DIR-3).

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use directory::Directory;
use directory::csv::{Exporter, ImportError, Importer};
use ipc::{DirectoryId, ImportReport, ImportView, RemovalId};

use crate::contacts::{directory, directory_named, for_each, insert, insert_directory, room};
use crate::removals::{show, stage};
use crate::sources::is_by_hand;
use crate::{Failure, Store, StoreError};

/// How long an import goes on before it looks up, and after how many contacts at the latest: a call that is to be
/// logged waits no longer. Scaling a picture takes some milliseconds.
const PART: Duration = Duration::from_millis(100);
const PART_CONTACTS: usize = 2_000;

/// Room on the disk that an import leaves free, in bytes: calls are logged meanwhile.
const SPARE: u64 = 64 * 1024 * 1024;

/// Most text in the contacts of one file, in bytes: they are all held in memory, and half a million people of
/// whom everything is known need less.
pub const MAX_IMPORT_BYTES: usize = 256 * 1024 * 1024;

/// An import that was begun. What it has loaded is seen by nobody until [`Store::finish_import`].
pub struct ImportJob {
    path: PathBuf,
    directory: Directory,
    staged: RemovalId,
    file: Importer<BufReader<Counted<File>>>,
    read: Arc<AtomicU64>,
    length: u64,
    loaded: u32,
    /// How many more contacts the directory takes.
    room: u32,
    /// Bytes of text loaded.
    text: usize,
}

impl ImportJob {
    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> ImportView {
        let report = self.file.report();
        ImportView {
            directory: self.directory.name.clone(),
            bytes: self.read.load(Ordering::Relaxed).min(self.length),
            of_bytes: self.length,
            contacts: report.loaded,
            left_out: report.left_out,
        }
    }
}

impl Store {
    /// Adds the contacts of a CSV file to the directory of that name, which is made if it does not exist,
    /// local or not as `local` says. Contacts that are there already, equal in every field, are passed over
    /// and not counted as loaded. Bad rows are in the report; everything else is loaded at once or, on an
    /// error, not at all. `now` is in Unix milliseconds.
    ///
    /// Where the file does not say, a local directory's contacts have presence on (PRE-2).
    ///
    /// # Errors
    /// [`StoreError::OpenContacts`], [`StoreError::Import`], [`StoreError::DirectoryName`],
    /// [`StoreError::TooManyContacts`], [`StoreError::TooMuchText`], [`StoreError::Full`] where the disk has no room
    /// for them, or the database's.
    pub fn import_csv(
        &mut self,
        path: &Path,
        name: &str,
        local: bool,
        now: i64,
    ) -> Result<(DirectoryId, ImportReport), StoreError> {
        let mut job = self.begin_import(path, name, local, now)?;
        loop {
            match self.import_some(&mut job) {
                Ok(true) => {}
                Ok(false) => return self.finish_import(job),
                Err(error) => {
                    self.give_up_import(&job)?;
                    return Err(error);
                }
            }
        }
    }

    /// Begins what [`Store::import_csv`] does, so that something else can be done between its parts.
    ///
    /// # Errors
    /// As there.
    pub fn begin_import(
        &mut self,
        path: &Path,
        name: &str,
        local: bool,
        now: i64,
    ) -> Result<ImportJob, StoreError> {
        let (file, length) =
            open(path).map_err(|source| StoreError::OpenContacts { path: path.to_owned(), source })?;
        if self.free().is_some_and(|free| free < room_for(length)) {
            return Err(StoreError::Full { path: self.path.clone(), doing: "import contacts" });
        }
        let read = Arc::new(AtomicU64::new(0));
        let reader = BufReader::new(Counted { file, read: Arc::clone(&read) });
        let unreadable = |source| StoreError::Import { path: path.to_owned(), source };
        let (directory, room, staged) = self.write("begin an import", |db| {
            let (id, made) = match directory_named(db, name)? {
                Some(id) => {
                    is_by_hand(db, id)?;
                    (id, None)
                }
                None => {
                    let id = insert_directory(db, name, local, None, "")?;
                    (id, Some(id))
                }
            };
            Ok((directory(db, id)?, room(db, id)?, stage(db, now, made)?))
        })?;
        match Importer::new(reader, directory.local) {
            Ok(file) => {
                let path = path.to_owned();
                Ok(ImportJob { path, directory, staged, file, read, length, loaded: 0, room, text: 0 })
            }
            Err(error) => {
                self.end_badly(staged)?;
                Err(unreadable(error))
            }
        }
    }

    /// Loads the next contacts; `false` when there are no more.
    ///
    /// # Errors
    /// As [`Store::import_csv`]; then [`Store::give_up_import`] leaves nothing of it.
    pub fn import_some(&mut self, job: &mut ImportJob) -> Result<bool, StoreError> {
        let mut broken = None;
        let more = self.write("import contacts", |db| {
            let began = Instant::now();
            for _ in 0..PART_CONTACTS {
                if began.elapsed() >= PART {
                    break;
                }
                let contact = match job.file.next() {
                    Ok(Some(contact)) => contact,
                    Ok(None) => return Ok(false),
                    Err(error) => {
                        broken = Some(error);
                        return Ok(false);
                    }
                };
                job.text = job.text.saturating_add(contact.text_bytes());
                if job.text > MAX_IMPORT_BYTES {
                    return Err(StoreError::TooMuchText.into());
                }
                match insert(db, &job.directory, contact, &mut job.room, Some(job.staged)) {
                    Ok(entry) => {
                        if entry.is_some() {
                            job.loaded += 1;
                            job.file.loaded();
                        }
                    }
                    // Only now is it known that the picture is none.
                    Err(Failure::Own(StoreError::Contact(error))) => job.file.refuse(error.into()),
                    Err(failure) => return Err(failure),
                }
            }
            Ok(true)
        })?;
        match broken {
            Some(error) => Err(job.unreadable(error)),
            None => Ok(more),
        }
    }

    /// Shows what was loaded, all of it at once.
    ///
    /// # Errors
    /// The database's; then nothing of it stays.
    pub fn finish_import(&mut self, job: ImportJob) -> Result<(DirectoryId, ImportReport), StoreError> {
        if let Err(error) = self.write("end an import", |db| show(db, job.staged)) {
            // Where the disk does not take that either, the next start does it.
            let _ = self.give_up_import(&job);
            return Err(error);
        }
        Ok((job.directory.id, job.file.finish()))
    }

    /// Leaves nothing of an import.
    ///
    /// # Errors
    /// The database's; then [`Store::tidy_up`] does it at the next start.
    pub fn give_up_import(&mut self, job: &ImportJob) -> Result<(), StoreError> {
        self.end_badly(job.staged)
    }

    /// Room on the disk, in bytes; `None` where the system does not tell.
    fn free(&self) -> Option<u64> {
        let disk = rustix::fs::statvfs(&self.path).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Writes a directory as CSV, pictures included, in the order the contacts came; says how many there are.
    ///
    /// # Errors
    /// [`StoreError::NoSuchDirectory`], [`StoreError::Export`], or the database's.
    pub fn export_csv(&self, id: DirectoryId, writer: impl Write) -> Result<u32, StoreError> {
        self.read("export contacts", |db| {
            directory(db, id)?;
            let mut file = Exporter::new(writer).map_err(StoreError::from)?;
            let mut count = 0;
            for_each(db, id, |contact| {
                count += 1;
                file.write(contact).map_err(StoreError::from).map_err(Failure::from)
            })?;
            file.finish().map_err(StoreError::from)?;
            Ok(count)
        })
    }
}

impl ImportJob {
    fn unreadable(&self, source: ImportError) -> StoreError {
        StoreError::Import { path: self.path.clone(), source }
    }
}

/// What has to be free on the disk for a file of so many bytes, in bytes: its contacts are written with an index, and
/// beside them what is on its way into the database.
fn room_for(length: u64) -> u64 {
    length.saturating_mul(2).saturating_add(SPARE)
}

/// A file, and how much of it was read.
struct Counted<R> {
    file: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Opens a file that ends, and says its length: a pipe or a device would keep the store waiting.
fn open(path: &Path) -> io::Result<(File, u64)> {
    let known = std::fs::metadata(path)?;
    if !known.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    Ok((File::open(path)?, known.len()))
}
