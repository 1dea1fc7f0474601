//! Files of plugins and what they say of themselves, and the answers of token servers.

use std::time::Duration;

use serde_json::Map;
use url::Url;

use crate::grants::{self, Grant, Target};
use crate::manifest::{Granted, Manifest, version};
use crate::oauth::answer::{self, Said};
use crate::package::{LARGEST_MANIFEST, Package, pack, seal};

/// Words that no manifest has.
const WORDS: &str = "manifest = 1";
const SIGNATURE: &str = "untrusted comment: a test";

pub(crate) fn plugin_package(file: &[u8]) -> bool {
    if let Ok(packed) = pack(file, WORDS) {
        let read = Package::read(&packed);
        let wanted = Package { file: &packed, manifest: WORDS, signature: None };
        assert_eq!(read.as_ref(), Ok(&wanted), "what was packed");
        assert!(packed.starts_with(file) && pack(&packed, WORDS).is_err(), "it is packed once");
    }
    let Ok(package) = Package::read(file) else { return false };
    assert!(package.manifest.len() <= LARGEST_MANIFEST);
    match package.signature {
        Some((covered, _)) => assert!(covered.len() < file.len() && file.starts_with(covered)),
        None => {
            let sealed = seal(file, SIGNATURE).unwrap_or_else(|error| panic!("{error}"));
            let read = Package::read(&sealed).map(|package| (package.manifest, package.signature));
            assert_eq!(read, Ok((package.manifest, Some((file, SIGNATURE)))));
            assert!(seal(&sealed, SIGNATURE).is_err(), "it is sealed once");
            for behind in [&[0][..], &[0, 0], &[0, 1, 0]] {
                assert!(
                    Package::read(&[&sealed[..], behind].concat()).is_err(),
                    "nothing is behind the signature"
                );
            }
        }
    }
    true
}

pub(crate) fn plugin_manifest(bytes: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(bytes) else { return false };
    let manifest = match Manifest::parse(text) {
        Ok(manifest) => manifest,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return false;
        }
    };
    let id = &manifest.plugin.id;
    assert!(!id.starts_with('.') && !id.contains(['/', '\\']) && !id.contains(".."), "{id:?} names a folder");
    assert!(version(&manifest.plugin.version).is_some());
    let wishes = manifest.wishes();
    for wish in &wishes {
        assert!(!wish.chars().any(char::is_control), "an administrator reads {wish:?}");
    }
    let all = |of: &dyn Fn(&str) -> bool| {
        manifest.net.iter().map(|net| net.id.clone()).filter(|id| of(id)).collect()
    };
    if let Ok(filled) = manifest.fill(&Map::new()) {
        assert!(filled.secrets.keys().all(|key| !filled.open.contains_key(key)), "a secret is in the open");
        let nothing = manifest.grants(&Granted::default(), &filled);
        assert_eq!(nothing.map(|grants| grants.len()), Ok(0), "what was not granted is not there");
        let everything = Granted { net: all(&|_| true), private: all(&|_| true), loopback: all(&|_| false) };
        if let Ok(grants) = manifest.grants(&everything, &filled) {
            grants.iter().for_each(granted);
        }
    }
    true
}

/// A machine of one's own is not reached by names of others, whatever was granted.
fn granted(grant: &Grant) {
    for address in ["169.254.169.254", "127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "fd00:ec2::254"] {
        let address = address.parse().unwrap_or_else(|error| panic!("{error}"));
        let target = Url::parse("https://example.com").ok().and_then(|url| Target::of(&url).ok());
        let target = target.unwrap_or_else(|| panic!("an address of the web"));
        assert!(grant.vet(&target, &[address]).is_err(), "{address} is reached");
        assert_ne!(grants::classify(address), grants::Class::Public);
    }
}

/// Two bytes say the status, then comes the body.
pub(crate) fn token(bytes: &[u8]) -> bool {
    let Some((&[high, low], body)) = bytes.split_first_chunk() else { return false };
    let status = if high & 0x80 == 0 { 200 } else { u16::from_be_bytes([high & 3, low]) };
    let retry_after = (high & 0x40 != 0).then_some(u32::from(low) << 8);
    let said = answer::token(status, retry_after, body);
    let is_token = matches!(said, Said::Token(_));
    can_be_shown(said);
    match answer::device(status, retry_after, body) {
        Ok(device) => {
            assert!(
                (1..=3600).contains(&device.expires.as_secs())
                    && (1..=60).contains(&device.interval.as_secs())
            );
            for address in [Some(&device.address), device.address_with_code.as_ref()].into_iter().flatten() {
                assert!(address.to_ascii_lowercase().trim_start().starts_with("http"), "{address:?}");
            }
            assert!(device.user_code.len() <= 100 && !device.user_code.chars().any(char::is_control));
            true
        }
        Err(said) => {
            can_be_shown(said);
            is_token
        }
    }
}

fn can_be_shown(said: Said) {
    match said {
        Said::Token(token) => {
            assert!(!token.access.is_empty() && token.lifetime <= Duration::from_secs(24 * 3600));
            let mut tokens = [Some(&token.access), token.refresh.as_ref()].into_iter().flatten();
            assert!(tokens.all(|token| token.bytes().all(|byte| byte.is_ascii_graphic())));
        }
        Said::Refused { code, words } => {
            assert!(words.chars().count() <= 300 && !words.chars().any(char::is_control), "{words:?}");
            assert!(!code.is_empty());
        }
        Said::Busy(seconds) => assert!((1..=3600).contains(&seconds)),
        Said::Unclear(words) => assert!(!words.is_empty()),
    }
}
