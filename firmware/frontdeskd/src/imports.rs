//! Files of contacts (DIR-3), on the records thread: an import is done in parts, and calls are logged between them.

use std::{
    fs::{self, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use ipc::{CommandError, ContactFile, DirectoryId, ImportReport};
use store::ImportJob;
use switchboard::Input;
use tracing::{info, warn};

use crate::{
    editing::{problem, unix_ms},
    records::{Answer, Keeper},
};

/// The shortest time between two reports of how far an import is.
const PROGRESS: Duration = Duration::from_millis(100);
/// Files shown of the administrator's folders.
const MAX_FILES: usize = 200;
/// How deep in a folder files are looked for: a stick is mounted in a folder of its own.
const MAX_DEPTH: usize = 2;
/// Entries of folders looked at, so that a stick full of photographs does not take long.
const MAX_ENTRIES: usize = 20_000;

/// The import that runs.
pub(crate) struct Importing {
    job: ImportJob,
    name: String,
    answer: Answer<ImportReport>,
    told: Instant,
}

impl Keeper {
    pub(crate) fn begin_import(
        &mut self,
        name: &str,
        local: bool,
        path: &Path,
        answer: Answer<ImportReport>,
    ) {
        if self.import.is_some() {
            let _ = answer.send(Err(CommandError::ImportRuns));
            return;
        }
        match self.store.begin_import(path, name, local, unix_ms()) {
            Ok(job) => {
                info!(name, path = %path.display(), "import of contacts begins");
                self.say(Input::Import(Some(job.progress())));
                let name = job.progress().directory;
                self.import = Some(Importing { job, name, answer, told: Instant::now() });
            }
            Err(error) => {
                let _ = answer.send(Err(problem(error)));
            }
        }
    }

    /// The next part of the import.
    pub(crate) fn import_on(&mut self) {
        let Some(mut importing) = self.import.take() else { return };
        match self.store.import_some(&mut importing.job) {
            Ok(true) => {
                if importing.told.elapsed() >= PROGRESS {
                    importing.told = Instant::now();
                    self.say(Input::Import(Some(importing.job.progress())));
                }
                self.import = Some(importing);
            }
            Ok(false) => self.end_import(importing),
            Err(error) => self.give_up(importing, problem(error)),
        }
    }

    pub(crate) fn cancel_import(&mut self) {
        if let Some(importing) = self.import.take() {
            self.give_up(importing, CommandError::Failed { reason: "the import was cancelled".into() });
        }
    }

    fn end_import(&mut self, importing: Importing) {
        let Importing { job, name, answer, .. } = importing;
        let end = self.store.finish_import(job).and_then(|(id, report)| {
            self.hand_over(id)?;
            Ok(report)
        });
        self.say(Input::Import(None));
        if let Ok(report) = &end {
            let (loaded, left_out) = (report.loaded, report.left_out);
            info!(name, loaded, left_out, "contacts imported");
            self.say(Input::Imported { directory: name, loaded, left_out });
        }
        let _ = answer.send(end.map_err(problem));
    }

    fn give_up(&mut self, importing: Importing, why: CommandError) {
        let Importing { job, name, answer, .. } = importing;
        warn!(name, reason = %why, "import of contacts given up");
        if let Err(error) = self.store.give_up_import(&job) {
            warn!(%error, "what was loaded stays on the disk, unseen, until the next start");
        }
        self.say(Input::Import(None));
        let _ = answer.send(Err(why));
    }

    /// Writes a directory to a file that is not there yet, wholly or not at all.
    pub(crate) fn export(
        &mut self,
        directory: DirectoryId,
        path: Option<PathBuf>,
    ) -> Result<(PathBuf, u32), CommandError> {
        let path = match path {
            Some(path) => path,
            None => self.new_file(directory)?,
        };
        let failed = |error: &dyn std::fmt::Display| CommandError::Failed {
            reason: format!("{}: {error}", path.display()),
        };
        let file =
            OpenOptions::new().write(true).create_new(true).open(&path).map_err(|error| failed(&error))?;
        let mut writer = BufWriter::new(file);
        let written = self.store.export_csv(directory, &mut writer).map_err(problem);
        let count = written.and_then(|count| {
            let mut end = || -> io::Result<()> {
                writer.flush()?;
                writer.get_ref().sync_all()
            };
            end().map(|()| count).map_err(|error| failed(&error))
        });
        if count.is_err() {
            let _ = fs::remove_file(&path);
        }
        let count = count?;
        info!(path = %path.display(), contacts = count, "contacts exported");
        Ok((path, count))
    }

    /// A file in the first of the administrator's folders that is not there yet: `Staff-2026-11-26.csv`.
    fn new_file(&self, directory: DirectoryId) -> Result<PathBuf, CommandError> {
        let name = self.store.directory(directory).map_err(problem)?.name;
        let refused = |reason: String| CommandError::Failed { reason };
        let folder = self.desk.folders.first();
        let folder = folder.ok_or_else(|| refused("no folder for files of contacts is set up".into()))?;
        fs::create_dir_all(folder).map_err(|error| refused(format!("{}: {error}", folder.display())))?;
        let plain: String =
            name.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).take(60).collect();
        let day = chrono::Local::now().format("%Y-%m-%d");
        let names = (1..1000).map(|n| match n {
            1 => format!("{plain}-{day}.csv"),
            n => format!("{plain}-{day}-{n}.csv"),
        });
        let free = names.map(|name| folder.join(name)).find(|path| !path.exists());
        free.ok_or_else(|| refused(format!("{}: too many files", folder.display())))
    }
}

/// The CSV files in these folders, newest first. What cannot be read is passed over.
pub(crate) fn files(folders: &[PathBuf]) -> Vec<ContactFile> {
    let mut found = Vec::new();
    let mut looked_at = 0;
    for folder in folders {
        look_into(folder, MAX_DEPTH, &mut looked_at, &mut found);
    }
    found.sort_by_key(|file: &ContactFile| std::cmp::Reverse(file.modified_unix_ms));
    found.truncate(MAX_FILES);
    found
}

fn look_into(folder: &Path, depth: usize, looked_at: &mut usize, found: &mut Vec<ContactFile>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        *looked_at += 1;
        if *looked_at > MAX_ENTRIES {
            return;
        }
        let path = entry.path();
        // Not through links: they could lead in circles.
        let Ok(known) = entry.metadata() else { continue };
        if known.is_dir() && depth > 0 {
            look_into(&path, depth - 1, looked_at, found);
        } else if known.is_file() && path.extension().is_some_and(|end| end.eq_ignore_ascii_case("csv")) {
            let modified = known.modified().unwrap_or(UNIX_EPOCH);
            found.push(ContactFile { path, bytes: known.len(), modified_unix_ms: since_1970(modified) });
        }
    }
}

fn since_1970(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn dir_3_files_are_found_in_folders_and_sticks() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("stick/deep/deeper")).unwrap();
        for name in ["a.csv", "b.CSV", "c.txt", "stick/d.csv", "stick/deep/e.csv", "stick/deep/deeper/f.csv"]
        {
            fs::write(at(name), "lastname").unwrap();
        }
        std::os::unix::fs::symlink(folder.path(), at("stick/round.csv")).unwrap();
        let mut found: Vec<String> = files(&[folder.path().to_owned(), at("missing")])
            .into_iter()
            .map(|file| file.path.strip_prefix(folder.path()).unwrap().display().to_string())
            .collect();
        found.sort();
        assert_eq!(found, ["a.csv", "b.CSV", "stick/d.csv", "stick/deep/e.csv"]);
    }
}
