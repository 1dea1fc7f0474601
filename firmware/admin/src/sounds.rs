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
};

use serde::{Deserialize, Serialize};
use store::Settings;
use tempfile::NamedTempFile;
use tracing::warn;

use crate::{
    keeper::KeeperError,
    random,
    spool::{Bounds, SPARE, Slot, Spool, SpoolError, SpoolFile},
    tls,
};

/// Largest file, in bytes: ten minutes of mono at 48 kHz are 57.6 million.
pub(crate) const MAX_BYTES: u64 = 64 << 20;
/// How much all files take together, in bytes.
const MAX_TOGETHER: u64 = 256 << 20;
/// One at a time, and nobody removes one meanwhile.
const BOUNDS: Bounds =
    Bounds { file: MAX_BYTES, together: Some(MAX_TOGETHER), times: 1, spare: SPARE, at_once: 1 };
/// How the name of a file on its way begins.
const PREFIX: &str = "new-";
/// Longest note that is read, in bytes.
const MAX_NOTE: u64 = 4096;
/// Longest name of a file that is kept, in characters.
const MAX_NAME: usize = 64;
/// What their names end with.
const NOTE_KIND: &str = "json";
const OPUS_KIND: &str = "opus";
const WAV_KIND: &str = "wav";
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
    /// It did not come whole, there is no room for it, or another one is being taken.
    Upload(SpoolError),
    /// The desk did not say whether it can play it.
    NoAnswer,
    Sound(SoundProblem),
    Settings(KeeperError),
}

impl From<SpoolError> for Refused {
    fn from(error: SpoolError) -> Self {
        Self::Upload(error)
    }
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Upload(error.into())
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
    /// One that was uploaded and is gone, as after settings of another box were taken over.
    Lost,
    /// Any other file of the box.
    Elsewhere,
}

/// See the module.
#[derive(Clone)]
pub(crate) struct Sounds {
    folder: PathBuf,
    spool: Spool,
}

impl Sounds {
    /// Beside this database.
    pub(crate) fn new(db: &Path) -> Self {
        // Settings name whole paths only.
        let db = std::path::absolute(db).unwrap_or_else(|_| db.to_owned());
        let folder = db.with_file_name("sounds");
        Self { spool: Spool::new(folder.clone(), PREFIX, BOUNDS), folder }
    }

    /// Who changes something comes here first: nobody else changes these files while this is there.
    pub(crate) fn turn(&self) -> Result<Slot, SpoolError> {
        self.spool.slot()
    }

    /// Begins to take a file. `announced` is how many bytes come, as far as that is said.
    pub(crate) fn begin(&self, turn: Slot, announced: Option<u64>) -> Result<SpoolFile, SpoolError> {
        tls::make_folder(&self.folder)?;
        self.spool.begin(turn, announced)
    }

    /// Puts a whole file in its place, with what is known of it. Blocks. The path, which no setting names yet, and the turn.
    pub(crate) fn keep(&self, incoming: SpoolFile, note: &Note) -> io::Result<(PathBuf, Slot)> {
        let token = random::token()?;
        let mut begin = [0; OGG.len()];
        let is_ogg = Opened::open(incoming.path())?.read_exact(&mut begin).is_ok() && begin == OGG;
        let mut beside = NamedTempFile::with_prefix_in(PREFIX, &self.folder)?;
        beside.write_all(&serde_json::to_vec(note).map_err(io::Error::other)?)?;
        beside.as_file().sync_all()?;
        let path = self.folder.join(format!("{token}.{}", if is_ogg { OPUS_KIND } else { WAV_KIND }));
        beside.persist(path.with_extension(NOTE_KIND)).map_err(|failed| failed.error)?;
        let turn = incoming.persist(&path)?;
        Opened::open(&self.folder)?.sync_all()?;
        Ok((path, turn))
    }

    /// Removes what no setting names. Blocks.
    pub(crate) fn tidy(&self, _: &Slot, settings: &Settings) {
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

    /// Every file that is kept, and its note, open to be read, by name: for a backup. Blocks.
    pub(crate) fn all(&self) -> io::Result<Vec<(String, Opened)>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut all = Vec::new();
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().into_string().ok().filter(|name| is_name(name));
            let Some(name) = name.filter(|_| entry.file_type().is_ok_and(|kind| kind.is_file())) else {
                continue;
            };
            match Opened::open(entry.path()) {
                Ok(file) => all.push((name, file)),
                // Removed meanwhile: no setting names it any more.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        all.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Ok(all)
    }

    /// Puts files of a backup in their place, those called `prefix` and their name in the folder `from`, and lets `settings`
    /// name them where they are on this box. Blocks. Whether settings have changed. A power cut amidst leaves some in
    /// each place: they are brought back when it is called again.
    pub(crate) fn bring_back(&self, from: &Path, prefix: &str, settings: &mut Settings) -> io::Result<bool> {
        let mut found = false;
        for entry in fs::read_dir(from)? {
            let entry = entry?.file_name();
            let name = entry.to_str().and_then(|name| name.strip_prefix(prefix)).filter(|name| is_name(name));
            if let Some(name) = name {
                tls::make_folder(&self.folder)?;
                fs::rename(from.join(&entry), self.folder.join(name))?;
                found = true;
            }
        }
        if found {
            Opened::open(&self.folder)?.sync_all()?;
        }
        Ok(self.rename(settings))
    }

    /// Removes what the settings of a backup that is in use do not name: it would take the room of what is uploaded next.
    /// Blocks.
    pub(crate) fn sweep(&self, settings: &Settings) {
        if let Ok(turn) = self.turn() {
            self.tidy(&turn, settings);
        }
    }

    /// Lets settings of another box name the files as they are called here.
    fn rename(&self, settings: &mut Settings) -> bool {
        let lines = settings.lines.iter_mut().map(|line| &mut line.music);
        let all = lines.chain([&mut settings.waiting.music, &mut settings.waiting.announcement]);
        let mut changed = false;
        for named in all.flatten() {
            let name = Path::new(&*named).file_name().and_then(|name| name.to_str());
            let here = name.filter(|name| is_name(name)).map(|name| self.folder.join(name));
            if let Some(here) = here.filter(|here| here.is_file() && here != Path::new(&*named))
                && let Some(here) = here.to_str()
            {
                *named = here.to_owned();
                changed = true;
            }
        }
        changed
    }

    /// What is known of what a setting names.
    pub(crate) fn look(&self, named: &str) -> Found {
        let Some(path) = self.own(named) else { return Found::Elsewhere };
        let note = Opened::open(path.with_extension(NOTE_KIND)).and_then(|file| {
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
}

/// Whether a file that is kept, or its note, is called so: no path, and nothing else that lies here meanwhile.
pub(crate) fn is_name(name: &str) -> bool {
    name.split_once('.').is_some_and(|(token, kind)| {
        random::is_token(token) && [NOTE_KIND, OPUS_KIND, WAV_KIND].contains(&kind)
    })
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
    use crate::parts::FORM_MARGIN;

    const FACTS: SoundFacts = SoundFacts { length_ms: 2000, peak_dbfs: -6, mean_dbfs: -9 };

    async fn kept(sounds: &Sounds, bytes: &[u8]) -> String {
        let turn = sounds.turn().unwrap();
        let mut incoming = sounds.begin(turn, Some(bytes.len() as u64)).unwrap();
        incoming.push(bytes).await.unwrap();
        incoming.end().await.unwrap();
        let note = Note { name: "calm.wav".into(), facts: FACTS };
        let (path, _turn) = sounds.keep(incoming, &note).unwrap();
        path.to_str().unwrap().to_owned()
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
    async fn app_2_sounds_are_bounded_one_and_all_together_and_two_at_once_are_one_too_many() {
        let folder = tempfile::tempdir().unwrap();
        let sounds = Sounds::new(&folder.path().join("desk.db"));
        let turn = sounds.turn().unwrap();
        assert!(matches!(sounds.turn(), Err(SpoolError::Busy)));
        let mut incoming = sounds.begin(turn, None).unwrap();
        incoming.push(b"RIFF").await.unwrap();
        assert!(matches!(sounds.turn(), Err(SpoolError::Busy)), "while it comes");
        drop(incoming);
        assert_eq!(names(folder.path()), Vec::<String>::new());
        let too_large = MAX_BYTES + FORM_MARGIN as u64 + 1;
        let refused = sounds.begin(sounds.turn().unwrap(), Some(too_large));
        assert!(matches!(refused, Err(SpoolError::TooLarge)));
        // What these files may take together.
        let most = Opened::create(folder.path().join("sounds/most.wav")).unwrap();
        most.set_len(MAX_TOGETHER - 5).unwrap();
        assert!(matches!(sounds.begin(sounds.turn().unwrap(), Some(6)), Err(SpoolError::NoRoom)));
        assert!(sounds.begin(sounds.turn().unwrap(), Some(5)).is_ok());
        assert!(sounds.turn().is_ok());
    }

    #[tokio::test]
    async fn app_2_files_come_back_on_another_box_whose_settings_then_name_them_there() {
        let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let sounds = Sounds::new(&old.path().join("desk.db"));
        let music = kept(&sounds, b"OggS and so on").await;
        fs::write(old.path().join("sounds/new-left-by-a-power-cut"), b"half").unwrap();
        let mut settings = Settings::default();
        settings.waiting.music = Some(music.clone());
        settings.waiting.announcement = Some("/usr/share/sounds/calm.wav".into());
        let aside = new.path().join("aside");
        fs::create_dir(&aside).unwrap();
        fs::write(aside.join("database"), "none of these").unwrap();
        for (name, mut file) in sounds.all().unwrap() {
            io::copy(&mut file, &mut Opened::create(aside.join(format!("sound-{name}"))).unwrap()).unwrap();
        }
        let sounds = Sounds::new(&new.path().join("desk.db"));
        assert_eq!(sounds.all().unwrap().len(), 0, "no folder yet");
        assert!(sounds.bring_back(&aside, "sound-", &mut settings).unwrap());
        let named = settings.waiting.music.clone().unwrap();
        assert!(named != music && matches!(sounds.look(&named), Found::Kept(_)), "{named}");
        assert_eq!(fs::read(&named).unwrap(), b"OggS and so on");
        assert_eq!(settings.waiting.announcement.as_deref(), Some("/usr/share/sounds/calm.wav"));
        assert_eq!(names(new.path()).len(), 2, "the file and its note");
        assert_eq!(fs::read_dir(&aside).unwrap().count(), 1);
        // Once more, as after a power cut.
        assert!(!sounds.bring_back(&aside, "sound-", &mut settings).unwrap());
        assert!(matches!(sounds.look(&named), Found::Kept(_)));
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
