//! Secrets at rest: sealed with ChaCha20-Poly1305 (RFC 8439) under a key that is made once and lies in a file of
//! its own, mode 0600. Who copies the folder of a plugin, or a backup without the key, reads nothing; who can
//! read everything this program can, reads all of it: the desk has no place for a key that its disk does not have.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use thiserror::Error;

use super::disk;

/// First byte of what is sealed, so that another way can follow.
const VERSION: u8 = 1;
const KEY: usize = 32;

/// Why something cannot be sealed or opened.
#[derive(Debug, Error)]
pub enum VaultError {
    /// The key file.
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
    /// The key file is not 32 bytes. It is left alone: with another key all secrets would be lost.
    #[error("{0} is not a key; put back the right one, or remove it and enter all secrets again")]
    BadKey(PathBuf),
    /// The machine gives no random numbers.
    #[error("there are no random numbers")]
    NoRandom,
    /// Changed, sealed for something else, or sealed with another key.
    #[error("it was sealed with another key, or was changed")]
    Unreadable,
}

/// Seals and opens.
pub struct Vault {
    key: LessSafeKey,
    random: SystemRandom,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Vault")
    }
}

impl Vault {
    /// With the key in this file, which is made if there is none.
    ///
    /// # Errors
    /// [`VaultError::Io`], [`VaultError::BadKey`], [`VaultError::NoRandom`].
    pub fn open(file: &Path) -> Result<Self, VaultError> {
        let failed = |error| VaultError::Io(file.to_owned(), error);
        let random = SystemRandom::new();
        let key = match fs::read(file) {
            Ok(key) => key,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut key = vec![0; KEY];
                random.fill(&mut key).map_err(|_| VaultError::NoRandom)?;
                disk::write(file, &key).map_err(failed)?;
                key
            }
            Err(error) => return Err(failed(error)),
        };
        let bad = |_| VaultError::BadKey(file.to_owned());
        let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &key).map_err(bad)?);
        Ok(Self { key, random })
    }

    /// Seals; `purpose` must be the same when it is opened, so that one thing cannot be put in place of another.
    ///
    /// # Errors
    /// [`VaultError::NoRandom`].
    pub fn seal(&self, purpose: &str, clear: &[u8]) -> Result<Vec<u8>, VaultError> {
        // 96 random bits: after 2^32 sealings under one key, two of them are the same with odds of 2^-33.
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| VaultError::NoRandom)?;
        let mut text = clear.to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(purpose.as_bytes()),
                &mut text,
            )
            .map_err(|_| VaultError::NoRandom)?;
        Ok([&[VERSION], nonce.as_slice(), &text].concat())
    }

    /// Opens what was sealed for this purpose.
    ///
    /// # Errors
    /// [`VaultError::Unreadable`].
    pub fn unseal(&self, purpose: &str, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let unreadable = || VaultError::Unreadable;
        let rest = sealed.strip_prefix(&[VERSION]).ok_or_else(unreadable)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>().ok_or_else(unreadable)?;
        let mut text = text.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.key.open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut text);
        opened.map(|clear| clear.to_vec()).map_err(|_| VaultError::Unreadable)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_key_is_made_once_for_this_user_alone_and_never_replaced() {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("key");
        let sealed = Vault::open(&file).unwrap().seal("a", b"hunter2").unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Vault::open(&file).unwrap().unseal("a", &sealed).unwrap(), b"hunter2");
        fs::write(&file, b"short").unwrap();
        assert!(matches!(Vault::open(&file), Err(VaultError::BadKey(_))));
        assert_eq!(fs::read(&file).unwrap(), b"short");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn only_what_was_sealed_for_this_opens(
            clear in proptest::collection::vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>(), flip in 1u8..
        ) {
            let scratch = tempfile::tempdir().unwrap();
            let vault = Vault::open(&scratch.path().join("key")).unwrap();
            let mut sealed = vault.seal("one", &clear).unwrap();
            prop_assert_ne!(&sealed, &vault.seal("one", &clear).unwrap());
            prop_assert_eq!(vault.unseal("one", &sealed).unwrap(), clear);
            prop_assert!(vault.unseal("other", &sealed).is_err());
            let at = at.index(sealed.len());
            sealed[at] ^= flip;
            prop_assert!(vault.unseal("one", &sealed).is_err());
            prop_assert!(vault.unseal("one", &sealed[..at]).is_err());
        }
    }
}
