//! Passwords: which are allowed, and argon2id off the runtime's threads, at most two at once.

use std::{io, sync::Arc};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::{sync::Semaphore, task::spawn_blocking};

use crate::random;

/// Shortest password, in characters.
pub(crate) const SHORTEST: usize = 10;

/// Longest password, in bytes: more is somebody who wants the box to hash for a living.
pub(crate) const LONGEST: usize = 256;

/// Hashing takes 19 MiB each; more than two at once would be felt by the desk.
const AT_ONCE: usize = 2;

/// Those that are tried first, of at least ten characters, in small letters.
const WORST: &[&str] = &[
    "1234567890",
    "0123456789",
    "0987654321",
    "9876543210",
    "12345678910",
    "123456789a",
    "1q2w3e4r5t",
    "qwertyuiop",
    "azertyuiop",
    "qwertzuiop",
    "asdfghjkl1",
    "1qaz2wsx3edc",
    "q1w2e3r4t5",
    "password12",
    "password123",
    "password1234",
    "passw0rd123",
    "motdepasse",
    "motdepasse1",
    "motdepasse123",
    "administrator",
    "administrateur",
    "admin12345",
    "admin123456",
    "adminadmin",
    "frontdesk1",
    "frontdesk123",
    "welcome123",
    "bienvenue1",
    "letmein123",
    "iloveyou123",
    "changeme123",
    "changemenow",
];

/// Why a password is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weak {
    /// Fewer than [`SHORTEST`] characters.
    Short,
    /// More than [`LONGEST`] bytes.
    Long,
    /// Everybody tries it: one of the worst, one character over and over, or the account's name.
    Common,
}

/// Whether a password may be used for an account of this name.
pub(crate) fn allowed(password: &str, name: &str) -> Result<(), Weak> {
    if password.chars().count() < SHORTEST {
        return Err(Weak::Short);
    }
    if password.len() > LONGEST {
        return Err(Weak::Long);
    }
    let lower = password.to_lowercase();
    let first = lower.chars().next();
    let one_character = lower.chars().all(|c| Some(c) == first);
    let only_name = {
        let name = name.trim().to_lowercase();
        !name.is_empty() && lower.replace(&name, "").chars().count() < 4
    };
    if WORST.contains(&lower.as_str()) || one_character || only_name {
        return Err(Weak::Common);
    }
    Ok(())
}

/// The hasher.
#[derive(Clone, Debug)]
pub(crate) struct Passwords {
    places: Arc<Semaphore>,
    /// A hash of nothing anybody knows: names that do not exist take as long as those that do.
    nobody: Arc<str>,
}

impl Passwords {
    pub(crate) fn new() -> io::Result<Self> {
        let nobody = hash(&random::token()?)?;
        Ok(Self { places: Arc::new(Semaphore::new(AT_ONCE)), nobody: nobody.into() })
    }

    /// The hash to keep of a password.
    pub(crate) async fn hash(&self, password: String) -> io::Result<String> {
        self.apart(move || hash(&password)).await?
    }

    /// Whether a password belongs to this hash; `None` takes as long, and never does.
    pub(crate) async fn check(&self, password: String, hash: Option<String>) -> bool {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobody.to_string());
        if password.len() > LONGEST {
            return false;
        }
        let fits = self.apart(move || pin_fits(&password, &hash));
        fits.await.unwrap_or(false) && known
    }

    async fn apart<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
        // The place goes with the work, not with who waits: a closed browser does not free it too early.
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(io::Error::other)?;
        let work = move || {
            let done = work();
            drop(place);
            done
        };
        spawn_blocking(work).await.map_err(io::Error::other)
    }
}

/// Whether a password or a PIN is the one of this hash, for whoever asks for it at the desk. Takes some ten milliseconds and 19 MiB.
#[must_use]
pub fn pin_fits(pin: &str, hash: &str) -> bool {
    pin.len() <= LONGEST
        && PasswordHash::new(hash)
            .is_ok_and(|hash| Argon2::default().verify_password(pin.as_bytes(), &hash).is_ok())
}

fn hash(password: &str) -> io::Result<String> {
    let salt = random::bytes::<16>()?;
    let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
    Ok(hash.map_err(|error| io::Error::other(error.to_string()))?.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn app_2_weak_passwords_are_named() {
        assert_eq!(allowed("short", "ada"), Err(Weak::Short));
        assert_eq!(allowed("éééééé1", "ada"), Err(Weak::Short), "characters count, not bytes");
        assert_eq!(allowed(&"ab".repeat(200), "ada"), Err(Weak::Long));
        for common in ["Password123", "aaaaaaaaaaaa", "1234567890", "lovelace12", "LovelaceLovelace"] {
            assert_eq!(allowed(common, "Lovelace"), Err(Weak::Common), "{common}");
        }
        assert_eq!(allowed("correct horse", "ada"), Ok(()));
    }

    #[tokio::test]
    async fn only_the_right_password_fits_and_nobody_has_one() {
        let passwords = Passwords::new().unwrap();
        let kept = passwords.hash("correct horse".into()).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert_ne!(kept, passwords.hash("correct horse".into()).await.unwrap(), "salted");
        assert!(passwords.check("correct horse".into(), Some(kept.clone())).await);
        assert!(!passwords.check("correct hors".into(), Some(kept)).await);
        assert!(!passwords.check("correct horse".into(), None).await);
        assert!(!passwords.check("x".into(), Some("rubbish".into())).await);
        let pin = passwords.hash("4711".into()).await.unwrap();
        assert!(pin_fits("4711", &pin) && !pin_fits("4712", &pin) && !pin_fits("", &pin));
    }
}
