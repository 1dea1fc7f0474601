//! Who made a package. The manifest carries the author's minisign key (Ed25519); the signature must be made
//! with it, and the key must be the one this plugin had before. No chain, no authority: the administrator
//! compares a new key with what the author publishes, once. Nothing is stored here.

use minisign_verify::{PublicKey, Signature};

use crate::package::Package;

/// What is known of a package's author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// Signed with the key this plugin has always had.
    Known,
    /// Signed well, with a key that was never seen for this plugin: shown to the administrator.
    New {
        /// The key as minisign prints it.
        key: String,
    },
    /// Signed well, but this plugin had another key before: a hard stop.
    Changed {
        /// The key it had.
        before: String,
    },
    /// The signature does not fit the file, or cannot be read: a hard stop.
    Broken(&'static str),
    /// No signature: only under the developer's switch.
    Unsigned,
}

impl Trust {
    /// Judges a package by the key in its manifest and the key known for its id.
    #[must_use]
    pub fn of(package: &Package<'_>, key: Option<&str>, known: Option<&str>) -> Self {
        let Some((covered, signature)) = package.signature else {
            // A plugin that was signed once does not come back without.
            return known.map_or(Self::Unsigned, |_| Self::Broken("this plugin was signed before"));
        };
        let Some(key) = key else { return Self::Broken("signed, but the manifest has no key") };
        let Ok(public) = PublicKey::from_base64(key) else { return Self::Broken("the key cannot be read") };
        let Ok(signature) = Signature::decode(signature) else {
            return Self::Broken("the signature cannot be read");
        };
        // Prehashed signatures only: minisign has made no others since 0.10 (2021).
        if public.verify(covered, &signature, false).is_err() {
            return Self::Broken("the signature does not fit the file");
        }
        match known {
            None => Self::New { key: key.to_owned() },
            Some(known) if known == key => Self::Known,
            Some(known) => Self::Changed { before: known.to_owned() },
        }
    }

    /// Whether it may be installed: a new key only once the administrator has said so.
    #[must_use]
    pub fn allows(&self, new_key_confirmed: bool, developer: bool) -> bool {
        match self {
            Self::Known => true,
            Self::New { .. } => new_key_confirmed,
            Self::Unsigned => developer,
            Self::Changed { .. } | Self::Broken(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::package::{pack, seal};
    use minisign::KeyPair;

    fn signed(pair: &KeyPair, manifest: &str) -> Vec<u8> {
        let packed = pack(b"\0asm\x0d\0\x01\0", manifest).unwrap();
        let signature = minisign::sign(None, &pair.sk, packed.as_slice(), Some("test"), None).unwrap();
        seal(&packed, &signature.into_string()).unwrap()
    }

    #[test]
    fn a_key_is_new_then_known_and_another_is_a_hard_stop() {
        let (pair, other) = (KeyPair::generate_unencrypted_keypair().unwrap(), "RWQf6LRCGA9i");
        let key = pair.pk.to_base64();
        let file = signed(&pair, "manifest = 1");
        let package = Package::read(&file).unwrap();
        let new = Trust::of(&package, Some(&key), None);
        assert_eq!(new, Trust::New { key: key.clone() });
        assert!(!new.allows(false, true) && new.allows(true, false));
        assert_eq!(Trust::of(&package, Some(&key), Some(&key)), Trust::Known);
        let changed = Trust::of(&package, Some(&key), Some(other));
        assert_eq!(changed, Trust::Changed { before: other.to_owned() });
        assert!(!changed.allows(true, true));
    }

    #[test]
    fn a_changed_byte_another_key_or_no_key_is_broken() {
        let pair = KeyPair::generate_unencrypted_keypair().unwrap();
        let stranger = KeyPair::generate_unencrypted_keypair().unwrap().pk.to_base64();
        let key = pair.pk.to_base64();
        let mut file = signed(&pair, "manifest = 1");
        let package = Package::read(&file).unwrap();
        assert!(matches!(Trust::of(&package, Some(&stranger), None), Trust::Broken(_)));
        assert!(matches!(Trust::of(&package, None, None), Trust::Broken(_)));
        assert!(matches!(Trust::of(&package, Some("rubbish"), None), Trust::Broken(_)));
        let at = file.windows(8).position(|window| window == b"manifest").unwrap() + 20;
        file[at] ^= 1;
        if let Ok(package) = Package::read(&file) {
            assert!(matches!(Trust::of(&package, Some(&key), None), Trust::Broken(_) | Trust::Unsigned));
        }
    }

    #[test]
    fn unsigned_only_under_the_developers_switch_and_never_after_signed() {
        let file = pack(b"\0asm\x0d\0\x01\0", "manifest = 1").unwrap();
        let package = Package::read(&file).unwrap();
        let unsigned = Trust::of(&package, None, None);
        assert!(unsigned.allows(false, true) && !unsigned.allows(true, false));
        assert!(!Trust::of(&package, None, Some("RWQ")).allows(true, true));
    }
}
