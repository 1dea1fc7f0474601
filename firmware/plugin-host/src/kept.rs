//! The last good directory of a plugin on the disk, in two files. People are in one, a line each, which is written
//! when they have changed; beside it lies a small book with what changes in every run: the token, the plugin's own
//! state (sealed, where there is a key: tokens of a service are often in it), when it was. A book of other
//! people than those that are there is not believed: the next run is a full one.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::connector::State;
use crate::contact::Contact;
use crate::registry::disk;
use crate::registry::secrets::Vault;

/// Contacts by the source's id.
pub type People = BTreeMap<String, Arc<Contact>>;

/// Why a directory could not be read or written.
#[derive(Debug, Error)]
pub enum KeptError {
    /// The disk.
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
    /// The file is not ours or damaged.
    #[error("{0} cannot be read: {1}")]
    Damaged(PathBuf, String),
}

/// What is known of a directory besides its people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    /// Of the people: another number for each other content.
    pub generation: u64,
    /// Where the next run starts; none: a full one.
    pub token: Option<String>,
    /// The plugin's own values.
    pub state: State,
    /// When the last good run was, in Unix milliseconds; 0: never.
    pub synced_ms: i64,
    /// Contacts of that run that could not be used.
    pub left_out: u32,
}

#[derive(Serialize, Deserialize)]
struct Head {
    generation: u64,
    contacts: usize,
}

#[derive(Serialize, Deserialize)]
struct Page {
    generation: u64,
    token: Option<String>,
    synced_ms: i64,
    left_out: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<State>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<String>,
}

/// Where a plugin's directory is kept.
#[derive(Clone, Debug)]
pub struct Kept {
    file: PathBuf,
    vault: Option<Arc<Vault>>,
}

impl Kept {
    /// In this file and one beside it; the state of the plugin sealed where there is a vault.
    #[must_use]
    pub fn new(file: PathBuf, vault: Option<Arc<Vault>>) -> Self {
        Self { file, vault }
    }

    /// What was kept; nothing where nothing was.
    ///
    /// # Errors
    /// See [`KeptError`]. A book that cannot be read costs a full run, no more.
    pub fn read(&self) -> Result<(People, Book), KeptError> {
        let (generation, people) = match File::open(&self.file) {
            Ok(file) => self.read_people(file)?,
            // A plugin without a directory has values of its own all the same.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let state = self.state().unwrap_or_default();
                return Ok((People::new(), Book { state, ..Book::default() }));
            }
            Err(error) => return Err(self.io(error)),
        };
        let book = match self.read_book() {
            Some(book) if book.generation == generation => book,
            other => {
                tracing::warn!(file = %self.file.display(), "a directory without its book: the next run is a full one");
                let state = other.map(|book| book.state).unwrap_or_default();
                let written = fs::metadata(&self.file).and_then(|data| data.modified());
                Book { generation, state, synced_ms: written.map_or(0, unix_ms), ..Book::default() }
            }
        };
        Ok((people, book))
    }

    /// The plugin's own values alone; none where they cannot be read.
    #[must_use]
    pub fn state(&self) -> Option<State> {
        self.read_book().map(|book| book.state)
    }

    /// Keeps people.
    ///
    /// # Errors
    /// [`KeptError::Io`]; the ones before are then still there.
    pub fn keep_people(&self, generation: u64, people: &People) -> Result<(), KeptError> {
        self.make_folder()?;
        let head = Head { generation, contacts: people.len() };
        disk::write_with(&self.file, |file| {
            serde_json::to_writer(&mut *file, &head)?;
            for contact in people.values() {
                file.write_all(b"\n")?;
                serde_json::to_writer(&mut *file, &**contact)?;
            }
            file.write_all(b"\n")
        })
        .map_err(|error| self.io(error))
    }

    /// Keeps the book.
    ///
    /// # Errors
    /// [`KeptError::Io`]; the one before is then still there.
    pub fn keep_book(&self, book: &Book) -> Result<(), KeptError> {
        self.make_folder()?;
        let failed = |words: String| self.io(io::Error::other(words));
        let (mut state, mut sealed) = (None, None);
        match &self.vault {
            None => state = Some(book.state.clone()),
            Some(vault) => {
                let clear = serde_json::to_vec(&book.state).map_err(|error| failed(error.to_string()))?;
                let bytes = vault.seal(&self.purpose(), &clear).map_err(|error| failed(error.to_string()))?;
                sealed = Some(STANDARD.encode(bytes));
            }
        }
        let page = Page {
            generation: book.generation,
            token: book.token.clone(),
            synced_ms: book.synced_ms,
            left_out: book.left_out,
            state,
            sealed,
        };
        let bytes = serde_json::to_vec(&page).map_err(|error| failed(error.to_string()))?;
        disk::write(&self.book_file(), &bytes).map_err(|error| self.io(error))
    }

    /// Forgets a directory that cannot be read.
    ///
    /// # Errors
    /// [`KeptError::Io`].
    pub fn forget(&self) -> Result<(), KeptError> {
        for file in [&self.file, &self.book_file()] {
            match fs::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(self.io(error)),
                _ => {}
            }
        }
        Ok(())
    }

    fn read_people(&self, file: File) -> Result<(u64, People), KeptError> {
        let damaged = |words: &str| KeptError::Damaged(self.file.clone(), words.to_owned());
        let mut lines = BufReader::new(file).lines();
        let head = lines.next().ok_or_else(|| damaged("it is empty"))?.map_err(|error| self.io(error))?;
        let head: Head = serde_json::from_str(&head).map_err(|error| damaged(&error.to_string()))?;
        let mut people = People::new();
        for line in lines {
            let line = line.map_err(|error| self.io(error))?;
            let contact: Contact =
                serde_json::from_str(&line).map_err(|error| damaged(&error.to_string()))?;
            people.insert(contact.id.clone(), Arc::new(contact));
        }
        if people.len() != head.contacts {
            return Err(damaged("people are missing"));
        }
        Ok((head.generation, people))
    }

    fn read_book(&self) -> Option<Book> {
        let page: Page = serde_json::from_slice(&fs::read(self.book_file()).ok()?).ok()?;
        let state = match (page.state, page.sealed, &self.vault) {
            (Some(state), _, _) => state,
            (None, Some(sealed), Some(vault)) => {
                let clear = vault.unseal(&self.purpose(), &STANDARD.decode(sealed).ok()?).ok()?;
                serde_json::from_slice(&clear).ok()?
            }
            _ => return None,
        };
        Some(Book {
            generation: page.generation,
            token: page.token,
            state,
            synced_ms: page.synced_ms,
            left_out: page.left_out,
        })
    }

    fn make_folder(&self) -> Result<(), KeptError> {
        self.file.parent().map_or(Ok(()), disk::folder).map_err(|error| self.io(error))
    }

    /// What is sealed for one plugin opens for no other.
    fn purpose(&self) -> String {
        let folder = self.file.parent().and_then(Path::file_name).unwrap_or_default();
        format!("state of {}", folder.to_string_lossy())
    }

    fn book_file(&self) -> PathBuf {
        self.file.with_extension("book")
    }

    fn io(&self, error: io::Error) -> KeptError {
        KeptError::Io(self.file.clone(), error)
    }
}

/// A number for the content: another content has another one, the same content the same, also on another day.
#[must_use]
pub fn generation(people: &People) -> u64 {
    let mut hash = Sha256::new();
    for contact in people.values() {
        // Writing into memory what was made here cannot fail; should it, the number is another one.
        hash.update(serde_json::to_vec(&**contact).unwrap_or_default());
        hash.update(b"\n");
    }
    let digest = hash.finalize();
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Unix milliseconds.
#[must_use]
pub fn unix_ms(time: std::time::SystemTime) -> i64 {
    let since = time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    fn people(names: &[String]) -> People {
        let contact = |(number, name): (usize, &String)| {
            let contact = Contact {
                id: format!("id {number}\n\"quoted\""),
                name: name.clone(),
                organization: None,
                department: None,
                title: None,
                phones: Vec::new(),
                emails: Vec::new(),
                note: None,
                url: None,
                extra: Vec::new(),
            };
            (contact.id.clone(), Arc::new(contact))
        };
        names.iter().enumerate().map(contact).collect()
    }

    fn book(generation: u64) -> Book {
        let state = State::from([("refresh-token".to_owned(), b"correct-horse".to_vec())]);
        Book { generation, token: Some("etag".to_owned()), state, synced_ms: 7, left_out: 2 }
    }

    fn vault(scratch: &Path) -> Option<Arc<Vault>> {
        Some(Arc::new(Vault::open(&scratch.join("key")).unwrap()))
    }

    #[test]
    fn the_state_of_a_plugin_is_sealed_and_opens_for_no_other() {
        let scratch = tempfile::tempdir().unwrap();
        let vault = vault(scratch.path());
        let kept = Kept::new(scratch.path().join("one/directory.jsonl"), vault.clone());
        kept.keep_people(1, &people(&[])).unwrap();
        kept.keep_book(&book(1)).unwrap();
        assert_eq!(kept.read().unwrap().1, book(1));
        let text = fs::read_to_string(scratch.path().join("one/directory.book")).unwrap();
        // Neither as it is nor as the numbers that JSON makes of it.
        assert!(!text.contains("refresh-token") && !text.contains("99,111,114"), "{text}");
        fs::create_dir(scratch.path().join("two")).unwrap();
        for file in ["directory.jsonl", "directory.book"] {
            fs::copy(scratch.path().join("one").join(file), scratch.path().join("two").join(file)).unwrap();
        }
        let other = Kept::new(scratch.path().join("two/directory.jsonl"), vault);
        assert_eq!(other.state(), None);
        assert_eq!(other.read().unwrap().1.token, None);
    }

    #[test]
    fn power_lost_between_people_and_book_costs_a_full_run() {
        let scratch = tempfile::tempdir().unwrap();
        let kept = Kept::new(scratch.path().join("directory.jsonl"), None);
        kept.keep_people(1, &people(&["Ann".to_owned()])).unwrap();
        kept.keep_book(&book(1)).unwrap();
        kept.keep_people(2, &people(&["Bo".to_owned()])).unwrap();
        let (there, read) = kept.read().unwrap();
        assert_eq!(there, people(&["Bo".to_owned()]));
        assert_eq!((read.generation, read.token, read.state), (2, None, book(1).state));
        assert!(read.synced_ms > 0);
    }

    #[test]
    fn a_file_that_is_cut_anywhere_is_damaged_and_can_be_forgotten() {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("directory.jsonl");
        let kept = Kept::new(file.clone(), None);
        kept.keep_people(1, &people(&["Ann".to_owned(), "Bo".to_owned()])).unwrap();
        let whole = fs::read(&file).unwrap();
        // Without the last line's end nothing is missing.
        for cut in 0..whole.len() - 1 {
            fs::write(&file, &whole[..cut]).unwrap();
            assert!(matches!(kept.read(), Err(KeptError::Damaged(..))), "{cut}");
        }
        kept.forget().unwrap();
        assert_eq!(kept.read().unwrap(), Default::default());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn what_is_kept_is_read_and_another_content_has_another_number(
            names in proptest::collection::vec(".{1,12}", 0..12), changed in any::<prop::sample::Index>()
        ) {
            let scratch = tempfile::tempdir().unwrap();
            let kept = Kept::new(scratch.path().join("directory.jsonl"), vault(scratch.path()));
            let there = people(&names);
            let number = generation(&there);
            kept.keep_people(number, &there).unwrap();
            kept.keep_book(&book(number)).unwrap();
            prop_assert_eq!(kept.read().unwrap(), (there, book(number)));
            let mut other = names.clone();
            match other.len() {
                0 => other.push("New".to_owned()),
                length => other[changed.index(length)].push('x'),
            }
            prop_assert_ne!(generation(&people(&other)), number);
            prop_assert_eq!(generation(&people(&names)), number);
        }
    }
}
