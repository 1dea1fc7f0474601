//! Files that are there or not, never half: written beside, flushed, put in place by a rename, and the folder
//! flushed as well. A loss of power leaves the old file or the new one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// What is under way has this at the end of its name; it is swept at the next start.
pub(crate) const PART: &str = "part";
/// Everything here is for this program alone.
const FILE: u32 = 0o600;
const FOLDER: u32 = 0o700;

/// Puts bytes in place of a file.
///
/// # Errors
/// The disk; the old file is then still there.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_with(path, |file| file.write_all(bytes))
}

/// Puts what `fill` writes in place of a file.
///
/// # Errors
/// The disk, or `fill`; the old file is then still there.
pub(crate) fn write_with(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(".");
    name.push(PART);
    let part = path.with_file_name(name);
    let written = || {
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(FILE).open(&part)?;
        let mut writer = BufWriter::new(file);
        fill(&mut writer)?;
        writer.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&part, path)
    };
    if let Err(error) = written() {
        // What is left of it is in nobody's way, but takes room on a disk that may have none.
        let _ = fs::remove_file(&part);
        return Err(error);
    }
    sync_folder_of(path)
}

/// Moves a file or a folder; it is at one of the two places.
///
/// # Errors
/// The disk.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    sync_folder_of(to)?;
    sync_folder_of(from)
}

/// Makes a folder and those above it, for this user alone.
///
/// # Errors
/// The disk.
pub(crate) fn folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(FOLDER).create(path)?;
    sync_folder_of(path)
}

/// Removes a file whose content must not stay: written over first. On flash the old cells may live on; what
/// was in them is sealed.
///
/// # Errors
/// The disk.
pub(crate) fn wipe(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(0))?;
    io::copy(&mut io::Read::take(io::repeat(0), length), &mut file)?;
    file.sync_all()?;
    fs::remove_file(path)
}

/// Empties a folder of its files, whatever they are.
///
/// # Errors
/// The disk.
pub(crate) fn sweep(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_write_that_fails_leaves_the_old_file_and_nothing_beside_it() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("record");
        write(&path, b"old").unwrap();
        let failed = write_with(&path, |file| {
            file.write_all(b"half of the n")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 1);
        write(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_is_written_over_before_it_goes() {
        let scratch = tempfile::tempdir().unwrap();
        let (path, other) = (scratch.path().join("secret"), scratch.path().join("link"));
        fs::write(&path, b"hunter2").unwrap();
        fs::hard_link(&path, &other).unwrap();
        wipe(&path).unwrap();
        assert!(!path.exists());
        assert_eq!(fs::read(&other).unwrap(), [0; 7]);
    }
}
