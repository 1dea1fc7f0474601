//! Who has signed in for a plugin: a refresh token for each `[[auth]]` entry that wants one, sealed on the disk like
//! the other secrets, in a file of its own because a server may replace it at any time. It is sent to the server it
//! came from and to no other.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::registry::disk;
use crate::registry::secrets::Vault;

/// The sign-ins of one plugin.
#[derive(Default)]
pub(crate) struct SignIns {
    place: Option<Place>,
    /// Stands for everybody who has not signed in, in the conformance kit.
    made_up: Option<String>,
    held: Mutex<BTreeMap<String, SignIn>>,
    /// Held while a refresh token is used.
    pub(crate) turn: tokio::sync::Mutex<()>,
}

struct Place {
    file: PathBuf,
    vault: Arc<Vault>,
    purpose: String,
}

#[derive(Clone, Serialize, Deserialize)]
struct SignIn {
    refresh: String,
    bound_to: String,
    /// The server takes it no more, in its words.
    #[serde(default)]
    lost: Option<String>,
}

/// Whether somebody has signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nobody has.
    None,
    /// Somebody has.
    In,
    /// Somebody had, and the server takes it no more; why, in its words.
    Lost(String),
}

impl std::fmt::Debug for SignIns {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "SignIns({})", self.held().len())
    }
}

impl SignIns {
    /// Those in a file, which need not be there. One that cannot be opened is as none: somebody signs in again.
    #[must_use]
    pub(crate) fn open(file: PathBuf, vault: Arc<Vault>, plugin: &str) -> Self {
        let purpose = format!("sign-ins of {plugin}");
        let held = match fs::read(&file) {
            Ok(sealed) => {
                let clear = vault.unseal(&purpose, &sealed).ok();
                clear.and_then(|clear| serde_json::from_slice(&clear).ok()).unwrap_or_else(|| {
                    tracing::warn!(plugin, "its sign-ins cannot be opened");
                    BTreeMap::new()
                })
            }
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(plugin, %error, "its sign-ins cannot be read");
                }
                BTreeMap::new()
            }
        };
        Self { place: Some(Place { file, vault, purpose }), held: Mutex::new(held), ..Self::default() }
    }

    /// In the conformance kit: somebody has signed in, wherever that is wanted.
    pub(crate) fn made_up(refresh: &str) -> Self {
        Self { made_up: Some(refresh.to_owned()), ..Self::default() }
    }

    /// Keeps a refresh token, at once.
    pub(crate) fn keep(&self, auth: &str, refresh: &str, bound_to: &str) {
        let (refresh, bound_to) = (refresh.to_owned(), bound_to.to_owned());
        self.held().insert(auth.to_owned(), SignIn { refresh, bound_to, lost: None });
        self.write();
    }

    /// The server takes it no more.
    pub(crate) fn lose(&self, auth: &str, words: &str) {
        if let Some(there) = self.held().get_mut(auth) {
            there.refresh.clear();
            there.lost = Some(words.to_owned());
        }
        self.write();
    }

    /// Forgets it.
    pub(crate) fn forget(&self, auth: &str) {
        self.held().remove(auth);
        self.write();
    }

    /// The refresh token for this client at this server, or why there is none.
    pub(crate) fn refresh_token(&self, auth: &str, bound_to: &str) -> Result<String, String> {
        let held = self.held();
        match held.get(auth).filter(|there| there.bound_to == bound_to) {
            Some(SignIn { lost: Some(words), .. }) => Err(format!("somebody has to sign in again: {words}")),
            Some(there) => Ok(there.refresh.clone()),
            None => self.made_up.clone().ok_or_else(|| "nobody has signed in".to_owned()),
        }
    }

    /// Whether somebody has signed in with this client at this server.
    pub(crate) fn standing(&self, auth: &str, bound_to: &str) -> Standing {
        match self.held().get(auth).filter(|there| there.bound_to == bound_to) {
            Some(SignIn { lost: Some(words), .. }) => Standing::Lost(words.clone()),
            Some(_) => Standing::In,
            None => Standing::None,
        }
    }

    /// On the disk; in the memory it is in any case.
    fn write(&self) {
        let Some(place) = &self.place else { return };
        // Held until it is written: of two changes the later one is the one that stays.
        let held = self.held();
        let written = || {
            let sealed = place.vault.seal(&place.purpose, &serde_json::to_vec(&*held)?);
            disk::write(&place.file, &sealed.map_err(|error| io::Error::other(error.to_string()))?)
        };
        if let Err(error) = written() {
            tracing::error!(file = %place.file.display(), %error, "a sign-in could not be written: after a restart somebody has to sign in again");
        }
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<String, SignIn>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_sign_in_outlasts_a_restart_sealed_and_is_for_its_own_server_alone() {
        let scratch = tempfile::tempdir().unwrap();
        let vault = Arc::new(Vault::open(&scratch.path().join("key")).unwrap());
        let file = scratch.path().join("sign-ins.sealed");
        let open = || SignIns::open(file.clone(), Arc::clone(&vault), "org.example.people");
        assert_eq!(open().standing("person", "client at"), Standing::None);
        open().keep("person", "refresh-1", "client at");
        open().keep("person", "refresh-2", "client at");
        assert!(!fs::read(&file).unwrap().windows(7).any(|part| part == b"refresh"));
        assert_eq!(open().refresh_token("person", "client at").unwrap(), "refresh-2");
        assert!(open().refresh_token("person", "client elsewhere").is_err());
        let again = open();
        again.lose("person", "it was taken back");
        assert_eq!(open().standing("person", "client at"), Standing::Lost("it was taken back".to_owned()));
        assert!(open().refresh_token("person", "client at").unwrap_err().contains("sign in again"));
        open().forget("person");
        assert_eq!(open().standing("person", "client at"), Standing::None);
        fs::write(&file, b"damaged").unwrap();
        assert_eq!(open().standing("person", "client at"), Standing::None);
    }
}
