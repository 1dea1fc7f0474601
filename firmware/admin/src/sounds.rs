//! Sound files that an administrator uploads for callers who wait: taken whole or not at all, in a folder beside the database.
//!
//! The settings decide which of them is heard. A file is written under a name of the moment, looked at by the desk as it
//! would be played, put in its place with a note of what is known of it, and only then named in the settings: a power cut
//! leaves the old one or the new one. No name is used twice, so that the desk sees another path and reads anew. What no
//! setting names is removed at the next change.
//!
//! Not done here: reading sound (the desk does, by [`crate::wishes`]), and what is said on the page (`pages::waiting`).

use std::{
    fs::{self, File as Opened},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use store::Settings;
use tempfile::{NamedTempFile, TempPath};
use tokio::{
    fs::File,
    io::AsyncWriteExt,
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tracing::warn;

use crate::{health::Health, keeper::KeeperError, random, tls};

/// Largest file, in bytes: ten minutes of mono at 48 kHz are 57.6 million.
pub(crate) const MAX_BYTES: u64 = 64 << 20;
/// How much all files take together, in bytes.
const MAX_TOGETHER: u64 = 256 << 20;
/// Room on the disk that an upload does not take, in bytes: calls are logged meanwhile.
const SPARE: u64 = 64 << 20;
/// Longest note that is read, in bytes.
const MAX_NOTE: u64 = 4096;
/// Longest name of a file that is kept, in characters.
const MAX_NAME: usize = 64;
/// How an Ogg file begins.
const OGG: &[u8] = b"OggS";

/// What the desk says of a sound file that it can play.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoundFacts {
    /// Its length in milliseconds.
    pub length_ms: u32,
    /// Its loudest sample in dBFS: 0 the loudest there is, -96 for silence.
    pub peak_dbfs: i8,
    /// How loud it is on the whole (RMS), in dBFS.
    pub mean_dbfs: i8,
}

/// Why the desk cannot play a sound file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SoundProblem {
    /// It is neither WAV nor Opus, or a broken one.
    Broken,
    /// It is a WAV file of a kind that is not played.
    Format {
        /// Bits in a sample.
        bits: u16,
        /// Channels.
        channels: u16,
        /// Samples a second.
        rate: u32,
    },
    /// It is longer than is played.
    TooLong {
        /// How long it may be, in seconds.
        limit_s: u32,
    },
    /// There is no sound in it.
    Silent,
    /// The machine could not read it.
    Unreadable,
}

/// Why a file was not taken.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Another one is being taken.
    Busy,
    /// Nothing was sent.
    Empty,
    /// More than [`MAX_BYTES`].
    TooLarge,
    BrokenOff,
    /// The disk, or what these files may take of it.
    NoRoom,
    Disk(io::Error),
    /// The desk did not say whether it can play it.
    NoAnswer,
    Sound(SoundProblem),
    Settings(KeeperError),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoRoom,
            _ => Self::Disk(error),
        }
    }
}

/// What is known of a file that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    /// What it was called where it came from.
    pub(crate) name: String,
    pub(crate) facts: SoundFacts,
}

/// What a setting names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A file that was uploaded.
    Kept(Note),
    /// One that was uploaded and is gone, as after a backup was brought back.
    Lost,
    /// Any other file of the box.
    Elsewhere,
}

/// Nobody else changes these files while this is there.
pub(crate) struct Turn {
    _place: OwnedSemaphorePermit,
}

/// A file that comes in; nothing is left of it unless it is kept.
pub(crate) struct Incoming {
    file: File,
    path: TempPath,
    bytes: u64,
}

/// See the module.
#[derive(Clone)]
pub(crate) struct Sounds {
    folder: PathBuf,
    turn: Arc<Semaphore>,
}

impl Sounds {
    /// Beside this database.
    pub(crate) fn new(db: &Path) -> Self {
        // Settings name whole paths only.
        let db = std::path::absolute(db).unwrap_or_else(|_| db.to_owned());
        Self { folder: db.with_file_name("sounds"), turn: Arc::new(Semaphore::new(1)) }
    }

    /// Who changes something comes here first.
    pub(crate) fn turn(&self) -> Result<Turn, Refused> {
        let place = Arc::clone(&self.turn).try_acquire_owned().map_err(|_| Refused::Busy)?;
        Ok(Turn { _place: place })
    }

    /// Begins to take a file. `announced` is how many bytes come, as far as that is said.
    pub(crate) fn begin(&self, _: &Turn, announced: Option<u64>) -> Result<Incoming, Refused> {
        tls::make_folder(&self.folder)?;
        let most = announced.unwrap_or(MAX_BYTES).min(MAX_BYTES);
        let is_full = Health::now(&self.folder).disk_free.is_some_and(|free| free < most + SPARE);
        if is_full || self.bytes() + most > MAX_TOGETHER {
            return Err(Refused::NoRoom);
        }
        let (file, path) = NamedTempFile::with_prefix_in("new-", &self.folder)?.into_parts();
        Ok(Incoming { file: File::from_std(file), path, bytes: 0 })
    }

    /// Puts a whole file in its place, with what is known of it. Blocks. The path, which no setting names yet.
    pub(crate) fn keep(&self, _: &Turn, incoming: Incoming, note: &Note) -> io::Result<PathBuf> {
        let token = random::token()?;
        let mut begin = [0; OGG.len()];
        let is_ogg = Opened::open(&incoming.path)?.read_exact(&mut begin).is_ok() && begin == OGG;
        let mut beside = NamedTempFile::with_prefix_in("new-", &self.folder)?;
        beside.write_all(&serde_json::to_vec(note).map_err(io::Error::other)?)?;
        beside.as_file().sync_all()?;
        let path = self.folder.join(format!("{token}.{}", if is_ogg { "opus" } else { "wav" }));
        beside.persist(path.with_extension("json")).map_err(|failed| failed.error)?;
        incoming.path.persist(&path).map_err(|failed| failed.error)?;
        Opened::open(&self.folder)?.sync_all()?;
        Ok(path)
    }

    /// Removes what no setting names. Blocks.
    pub(crate) fn tidy(&self, _: &Turn, settings: &Settings) {
        let lines = settings.lines.iter().map(|line| &line.music);
        let all = lines.chain([&settings.waiting.music, &settings.waiting.announcement]);
        let named: Vec<&Path> = all.flatten().map(Path::new).collect();
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for path in entries.flatten().map(|entry| entry.path()) {
            // Of a file that stays, its note stays too.
            let stays = |named: &&Path| named.with_extension("") == path.with_extension("");
            if named.iter().any(stays) {
                continue;
            }
            if let Err(error) = fs::remove_file(&path) {
                warn!(path = %path.display(), %error, "a sound file that nobody hears stays");
            }
        }
    }

    /// What is known of what a setting names.
    pub(crate) fn look(&self, named: &str) -> Found {
        let Some(path) = self.own(named) else { return Found::Elsewhere };
        let note = Opened::open(path.with_extension("json")).and_then(|file| {
            let mut text = Vec::new();
            file.take(MAX_NOTE).read_to_end(&mut text)?;
            serde_json::from_slice(&text).map_err(io::Error::other)
        });
        match note {
            Ok(note) if path.is_file() => Found::Kept(note),
            _ => Found::Lost,
        }
    }

    /// The path that a setting names, if it is that of a file of these.
    pub(crate) fn own<'a>(&self, named: &'a str) -> Option<&'a Path> {
        let path = Path::new(named);
        // A parent with `..` in it is another one.
        (path.parent() == Some(self.folder.as_path()) && path.file_name().is_some()).then_some(path)
    }

    fn bytes(&self) -> u64 {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.metadata().ok()).map(|found| found.len()).sum()
    }
}

impl Incoming {
    /// Takes bytes as they come.
    pub(crate) async fn push(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        self.bytes += bytes.len() as u64;
        if self.bytes > MAX_BYTES {
            return Err(Refused::TooLarge);
        }
        Ok(self.file.write_all(bytes).await?)
    }

    /// All of it is here: has it on the disk; its path of the moment.
    pub(crate) async fn end(&mut self) -> Result<PathBuf, Refused> {
        if self.bytes == 0 {
            return Err(Refused::Empty);
        }
        self.file.flush().await?;
        self.file.sync_all().await?;
        Ok(self.path.to_path_buf())
    }
}

/// What a file is called, out of what a browser says: no folders, nothing that cannot be seen, not too long.
pub(crate) fn plain_name(sent: Option<&str>) -> String {
    let last = sent.unwrap_or_default().rsplit(['/', '\\']).next().unwrap_or_default();
    last.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect::<String>().trim().to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const FACTS: SoundFacts = SoundFacts { length_ms: 2000, peak_dbfs: -6, mean_dbfs: -9 };

    async fn kept(sounds: &Sounds, bytes: &[u8]) -> String {
        let turn = sounds.turn().unwrap();
        let mut incoming = sounds.begin(&turn, Some(bytes.len() as u64)).unwrap();
        incoming.push(bytes).await.unwrap();
        incoming.end().await.unwrap();
        let note = Note { name: "calm.wav".into(), facts: FACTS };
        sounds.keep(&turn, incoming, &note).unwrap().to_str().unwrap().to_owned()
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder.join("sounds")).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }

    #[tokio::test]
    async fn app_2_a_file_is_kept_with_its_note_until_no_setting_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let sounds = Sounds::new(&folder.path().join("desk.db"));
        let (first, second) =
            (kept(&sounds, b"RIFF and so on").await, kept(&sounds, b"OggS and so on").await);
        assert!(first.ends_with(".wav") && second.ends_with(".opus"), "{first} {second}");
        assert_eq!(sounds.look(&first), Found::Kept(Note { name: "calm.wav".into(), facts: FACTS }));
        let mut settings = Settings::default();
        settings.waiting.music = Some(first.clone());
        settings.lines = vec![store::Line { music: Some(second.clone()), ..store::Line::default() }];
        fs::write(folder.path().join("sounds/new-left-by-a-power-cut"), b"half").unwrap();
        sounds.tidy(&sounds.turn().unwrap(), &settings);
        assert_eq!(names(folder.path()).len(), 4, "two files and their notes");
        settings.lines.clear();
        sounds.tidy(&sounds.turn().unwrap(), &settings);
        assert_eq!((sounds.look(&second), names(folder.path()).len()), (Found::Lost, 2));
        for elsewhere in ["/etc/passwd", "sounds/x.wav", &format!("{first}/../../desk.db")] {
            assert_eq!(
                (sounds.look(elsewhere), sounds.own(elsewhere)),
                (Found::Elsewhere, None),
                "{elsewhere}"
            );
        }
    }

    #[tokio::test]
    async fn app_2_what_is_too_large_empty_or_breaks_off_leaves_nothing_and_two_at_once_are_one_too_many() {
        let folder = tempfile::tempdir().unwrap();
        let sounds = Sounds::new(&folder.path().join("desk.db"));
        let turn = sounds.turn().unwrap();
        assert!(matches!(sounds.turn(), Err(Refused::Busy)));
        let mut incoming = sounds.begin(&turn, None).unwrap();
        assert!(matches!(incoming.end().await, Err(Refused::Empty)));
        incoming.push(b"RIFF").await.unwrap();
        incoming.bytes = MAX_BYTES;
        assert!(matches!(incoming.push(b"x").await, Err(Refused::TooLarge)));
        drop(incoming);
        assert_eq!(names(folder.path()), Vec::<String>::new());
        // What these files may take together.
        let most = Opened::create(folder.path().join("sounds/most.wav")).unwrap();
        most.set_len(MAX_TOGETHER - 5).unwrap();
        assert!(matches!(sounds.begin(&turn, Some(6)), Err(Refused::NoRoom)));
        assert!(sounds.begin(&turn, Some(5)).is_ok());
        drop(turn);
        assert!(sounds.turn().is_ok());
    }

    #[test]
    fn app_2_the_name_of_a_file_is_no_path_and_has_nothing_that_cannot_be_seen() {
        for (sent, name) in [
            (Some("../../etc/calm.wav"), "calm.wav"),
            (Some("C:\\music\\calm\u{7}.wav"), "calm.wav"),
            (Some(".."), ".."),
            (None, ""),
        ] {
            assert_eq!(plain_name(sent), name);
        }
        assert_eq!(plain_name(Some(&"é".repeat(500))).chars().count(), MAX_NAME);
    }
}
