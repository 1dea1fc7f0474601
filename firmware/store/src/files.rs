//! Contacts from a file and into one (DIR-3).

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::Path;

use directory::csv::{Exporter, Verdict, import};
use ipc::{DirectoryId, ImportReport};

use crate::contacts::{directory, directory_named, for_each, insert, insert_directory, room};
use crate::{Failure, Store, StoreError};

impl Store {
    /// Adds the contacts of a CSV file to the directory of that name, which is made if it does not exist,
    /// local or not as `local` says. Contacts that are there already, equal in every field, are passed over
    /// and not counted as loaded. Bad rows are in the report; everything else is loaded at once or, on an
    /// error, not at all.
    ///
    /// Where the file does not say, a local directory's contacts have presence on (PRE-2).
    ///
    /// # Errors
    /// [`StoreError::OpenContacts`], [`StoreError::Import`], [`StoreError::DirectoryName`],
    /// [`StoreError::TooManyContacts`], or the database's.
    pub fn import_csv(
        &mut self,
        path: &Path,
        name: &str,
        local: bool,
    ) -> Result<(DirectoryId, ImportReport), StoreError> {
        let file = open(path).map_err(|source| StoreError::OpenContacts { path: path.to_owned(), source })?;
        self.write("import contacts", |db| {
            let id = match directory_named(db, name)? {
                Some(id) => id,
                None => insert_directory(db, name, local, None, "")?,
            };
            let directory = directory(db, id)?;
            let mut room = room(db, id)?;
            let (mut added, mut stopped) = (0, None);
            let report = import(BufReader::new(file), directory.local, |contact| {
                match insert(db, &directory, contact, &mut room) {
                    Ok(entry) => {
                        added += u32::from(entry.is_some());
                        Verdict::Taken
                    }
                    // Only now is it known that the picture is none.
                    Err(Failure::Own(StoreError::Contact(error))) => Verdict::Refused(error.to_string()),
                    Err(failure) => {
                        stopped = Some(failure);
                        Verdict::Stop
                    }
                }
            });
            if let Some(failure) = stopped {
                return Err(failure);
            }
            let report = report.map_err(|source| StoreError::Import { path: path.to_owned(), source })?;
            Ok((id, ImportReport { loaded: added, ..report }))
        })
    }

    /// Writes a directory as CSV, pictures included, in the order the contacts came.
    ///
    /// # Errors
    /// [`StoreError::NoSuchDirectory`], [`StoreError::Export`], or the database's.
    pub fn export_csv(&self, id: DirectoryId, writer: impl Write) -> Result<(), StoreError> {
        self.read("export contacts", |db| {
            directory(db, id)?;
            let mut file = Exporter::new(writer).map_err(StoreError::from)?;
            for_each(db, id, |contact| file.write(contact).map_err(StoreError::from).map_err(Failure::from))?;
            Ok(file.finish().map_err(StoreError::from)?)
        })
    }
}

/// Opens a file that ends: a pipe or a device would keep the store waiting.
fn open(path: &Path) -> io::Result<File> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    File::open(path)
}
