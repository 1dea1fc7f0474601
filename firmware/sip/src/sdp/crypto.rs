//! Keys for SRTP in the description (SDES, RFC 4568): the `a=crypto` lines, which of them we can use, and our own keys.
//!
//! Keys are as secret as passwords: nothing here shows one in `Debug`. Not done here: encryption itself (crate `media`),
//! DTLS-SRTP and MIKEY; a line that asks for more than we do (a master key identifier, several keys, a key derivation
//! rate, no encryption or no authentication) is passed over as if it were not there.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha2::{Digest as _, Sha512};

/// Ciphers and lengths of the authentication tag that we know (RFC 4568 section 6.2, RFC 6188).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SrtpSuite {
    /// `AES_CM_128_HMAC_SHA1_80`, which everybody has.
    AesCm128Sha1_80,
    /// `AES_CM_128_HMAC_SHA1_32`.
    AesCm128Sha1_32,
    /// `AES_256_CM_HMAC_SHA1_80`.
    AesCm256Sha1_80,
    /// `AES_256_CM_HMAC_SHA1_32`.
    AesCm256Sha1_32,
}

impl SrtpSuite {
    /// What we offer, in this order. Some peers read the first line only, and each line costs a hundred bytes of a
    /// message that should fit into one datagram: so the one that everybody has comes first, and there are three.
    pub(super) const OFFERED: [SrtpSuite; 3] =
        [SrtpSuite::AesCm128Sha1_80, SrtpSuite::AesCm256Sha1_80, SrtpSuite::AesCm128Sha1_32];

    /// The name in `a=crypto`.
    pub fn name(self) -> &'static str {
        match self {
            SrtpSuite::AesCm128Sha1_80 => "AES_CM_128_HMAC_SHA1_80",
            SrtpSuite::AesCm128Sha1_32 => "AES_CM_128_HMAC_SHA1_32",
            SrtpSuite::AesCm256Sha1_80 => "AES_256_CM_HMAC_SHA1_80",
            SrtpSuite::AesCm256Sha1_32 => "AES_256_CM_HMAC_SHA1_32",
        }
    }

    /// Bytes of master key and master salt together: 30 or 46.
    pub(crate) fn key_length(self) -> usize {
        match self {
            SrtpSuite::AesCm128Sha1_80 | SrtpSuite::AesCm128Sha1_32 => 16 + SALT,
            SrtpSuite::AesCm256Sha1_80 | SrtpSuite::AesCm256Sha1_32 => 32 + SALT,
        }
    }

    fn read(name: &str) -> Option<SrtpSuite> {
        let all = [
            SrtpSuite::AesCm128Sha1_80,
            SrtpSuite::AesCm128Sha1_32,
            SrtpSuite::AesCm256Sha1_80,
            SrtpSuite::AesCm256Sha1_32,
        ];
        // Before RFC 6188 the key length came behind the mode, and some exchanges still write it so.
        let old = match name.to_ascii_uppercase().as_str() {
            "AES_CM_256_HMAC_SHA1_80" => Some(SrtpSuite::AesCm256Sha1_80),
            "AES_CM_256_HMAC_SHA1_32" => Some(SrtpSuite::AesCm256Sha1_32),
            _ => None,
        };
        all.into_iter().find(|suite| suite.name().eq_ignore_ascii_case(name)).or(old)
    }
}

/// Bytes of a master salt.
const SALT: usize = 14;
/// Bytes of the longest master key with its salt.
const LONGEST: usize = 32 + SALT;
/// A key that may be used for fewer packets than this (six hours of speech) would need another during the call, which
/// we do not do.
const SHORTEST_LIFE: u64 = 1 << 20;
/// The most that RFC 3711 section 9.2 allows.
const LONGEST_LIFE: u64 = 1 << 48;
/// `a=crypto` lines looked at.
pub(super) const MAX_LINES: usize = 16;

/// Base64 as peers write it: the padding is missing now and then.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A master key and the master salt behind it.
#[derive(Clone, PartialEq, Eq)]
pub struct SrtpKey {
    bytes: [u8; LONGEST],
    length: usize,
}

impl SrtpKey {
    /// Key and salt together, as long as the suite wants them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    fn new(suite: SrtpSuite, material: &[u8]) -> Option<SrtpKey> {
        let mut bytes = [0; LONGEST];
        let length = suite.key_length();
        bytes[..length].copy_from_slice(material.get(..length)?);
        Some(SrtpKey { bytes, length })
    }

    fn read(suite: SrtpSuite, text: &str) -> Option<SrtpKey> {
        let material = LENIENT.decode(text).ok()?;
        SrtpKey::new(suite, &material).filter(|_| material.len() == suite.key_length())
    }
}

impl fmt::Debug for SrtpKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SrtpKey(…)")
    }
}

/// How a stream is encrypted, once both keys are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SrtpKeys {
    /// Cipher and tag, both ways.
    pub suite: SrtpSuite,
    /// Ours, for what we send.
    pub local: SrtpKey,
    /// The peer's, for what we receive.
    pub remote: SrtpKey,
}

/// 256 random bits from which the keys of one session are made. They come from outside and from the system's source:
/// the agent's own random words have a seed of 64 bits and go out in the clear, which is no ground for keys.
#[derive(Clone, PartialEq, Eq)]
pub struct KeySeed([u8; 32]);

impl KeySeed {
    /// Bits nobody can guess.
    pub fn new(random: [u8; 32]) -> KeySeed {
        KeySeed(random)
    }

    /// Our key for `suite`. Each session, suite and generation has another.
    pub(super) fn key(&self, session: u64, generation: u32, suite: SrtpSuite) -> SrtpKey {
        let mut hash = Sha512::new();
        hash.update(self.0);
        hash.update(session.to_be_bytes());
        hash.update(generation.to_be_bytes());
        hash.update(suite.name());
        let digest = hash.finalize();
        let mut key = SrtpKey { bytes: [0; LONGEST], length: suite.key_length() };
        key.bytes[..key.length].copy_from_slice(&digest[..key.length]);
        key
    }
}

impl fmt::Debug for KeySeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySeed(…)")
    }
}

/// One `a=crypto` line that we can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CryptoLine {
    pub(super) tag: u32,
    pub(super) suite: SrtpSuite,
    pub(super) key: SrtpKey,
}

impl CryptoLine {
    /// Reads the value of `a=crypto` (RFC 4568 section 9.1); `None` for what is malformed or more than we do.
    pub(super) fn read(value: &str) -> Option<CryptoLine> {
        let mut words = value.split_ascii_whitespace();
        let tag = words.next().filter(|tag| tag.len() <= 9 && tag.bytes().all(|b| b.is_ascii_digit()))?;
        let tag = tag.parse().ok()?;
        let suite = SrtpSuite::read(words.next()?)?;
        // More than one key needs an identifier in every packet.
        let (method, inline) = words.next().filter(|keys| !keys.contains(';'))?.split_once(':')?;
        if !method.eq_ignore_ascii_case("inline") || !words.all(is_harmless) {
            return None;
        }
        let mut parts = inline.split('|');
        let key = SrtpKey::read(suite, parts.next()?)?;
        match (parts.next(), parts.next()) {
            (None, None) => {}
            // The colon is that of a master key identifier.
            (Some(life), None) if lives_long_enough(life) => {}
            _ => return None,
        }
        Some(CryptoLine { tag, suite, key })
    }

    /// The value of the attribute.
    pub(super) fn write(&self) -> String {
        format!("{} {} inline:{}", self.tag, self.suite.name(), STANDARD.encode(self.key.as_bytes()))
    }
}

/// Session parameters that change nothing for us: the window of the peer, which is a hint, FEC, which nobody sends
/// here, and extensions that may be ignored (RFC 4568 sections 6.3.4, 6.3.6 and 6.3.7).
fn is_harmless(parameter: &str) -> bool {
    let name = parameter.split('=').next().unwrap_or_default();
    name.eq_ignore_ascii_case("WSH") || name.eq_ignore_ascii_case("FEC_ORDER") || name.starts_with('-')
}

fn lives_long_enough(life: &str) -> bool {
    let life = match life.strip_prefix("2^") {
        Some(power) => power.parse().ok().and_then(|power| 1_u64.checked_shl(power)),
        None => life.parse().ok(),
    };
    life.is_some_and(|life| (SHORTEST_LIFE..=LONGEST_LIFE).contains(&life))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"; // RFC 4568 section 4.1

    fn read(rest: &str) -> Option<CryptoLine> {
        CryptoLine::read(rest)
    }

    #[test]
    fn lines_of_real_peers_are_read() {
        let long = STANDARD.encode([7; 46]);
        for (line, suite) in [
            (format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"), SrtpSuite::AesCm128Sha1_80),
            (format!("2 aes_cm_128_hmac_sha1_32 INLINE:{KEY}|2^31"), SrtpSuite::AesCm128Sha1_32),
            (format!("3  AES_CM_128_HMAC_SHA1_80\tinline:{KEY}|2^48 WSH=128 "), SrtpSuite::AesCm128Sha1_80),
            (format!("4 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|1048576 -x=1"), SrtpSuite::AesCm128Sha1_80),
            (format!("5 AES_256_CM_HMAC_SHA1_80 inline:{long}"), SrtpSuite::AesCm256Sha1_80),
            (
                format!("6 AES_CM_256_HMAC_SHA1_32 inline:{}", long.trim_end_matches('=')),
                SrtpSuite::AesCm256Sha1_32,
            ),
        ] {
            let found = read(&line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((found.suite, found.key.as_bytes().len()), (suite, suite.key_length()), "{line}");
        }
    }

    #[test]
    fn lines_that_are_broken_or_ask_for_more_than_we_do_are_passed_over() {
        let suite = "AES_CM_128_HMAC_SHA1_80";
        let short = STANDARD.encode([7; 29]);
        let long = STANDARD.encode([7; 31]);
        for line in [
            String::new(),
            "1".into(),
            format!("1 {suite}"),
            format!("1 {suite} {KEY}"),
            format!("1 {suite} inline:"),
            format!("1 {suite} inline:{short}"),
            format!("1 {suite} inline:{long}"),
            format!("1 {suite} inline:{}", &KEY[1..]),
            format!("1 {suite} inline:*{}", &KEY[1..]),
            format!("1 {suite} inline:{KEY}{KEY}"),
            format!("1 {suite} uri:{KEY}"),
            format!("x {suite} inline:{KEY}"),
            format!("-1 {suite} inline:{KEY}"),
            format!("1234567890 {suite} inline:{KEY}"),
            format!("1 F8_128_HMAC_SHA1_80 inline:{KEY}"),
            format!("1 AEAD_AES_128_GCM inline:{KEY}"),
            format!("1 AES_256_CM_HMAC_SHA1_80 inline:{KEY}"),
            // Lifetimes.
            format!("1 {suite} inline:{KEY}|"),
            format!("1 {suite} inline:{KEY}|2^"),
            format!("1 {suite} inline:{KEY}|2^19"),
            format!("1 {suite} inline:{KEY}|2^49"),
            format!("1 {suite} inline:{KEY}|2^64"),
            format!("1 {suite} inline:{KEY}|2^4294967296"),
            format!("1 {suite} inline:{KEY}|0"),
            format!("1 {suite} inline:{KEY}|99999999999999999999999"),
            // Master key identifiers, and several keys.
            format!("1 {suite} inline:{KEY}|1:4"),
            format!("1 {suite} inline:{KEY}|2^31|1:4"),
            format!("1 {suite} inline:{KEY}|2^31|1:4|5"),
            format!("1 {suite} inline:{KEY}|2^31|1:4;inline:{KEY}|2^31|2:4"),
            // Session parameters.
            format!("1 {suite} inline:{KEY} KDR=1"),
            format!("1 {suite} inline:{KEY} UNENCRYPTED_SRTP"),
            format!("1 {suite} inline:{KEY} WSH=64 UNENCRYPTED_SRTCP"),
            format!("1 {suite} inline:{KEY} UNAUTHENTICATED_SRTP"),
            format!("1 {suite} inline:{KEY} FEC_KEY=inline:{KEY}"),
            format!("1 {suite} inline:{KEY} x=1"),
        ] {
            assert!(read(&line).is_none(), "{line}");
        }
    }

    #[test]
    fn no_key_is_ever_printed() {
        let line = read(&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}")).unwrap();
        let seed = KeySeed::new([0x5A; 32]);
        let own = seed.key(1, 0, line.suite);
        let printed = format!(
            "{line:?} {seed:?} {:?}",
            SrtpKeys { suite: line.suite, local: own, remote: line.key.clone() }
        );
        assert!(
            !printed.contains("90") && !printed.contains("87, 83") && !printed.contains(KEY),
            "{printed}"
        );
    }

    #[test]
    fn session_generation_and_suite_each_have_their_key() {
        let (seed, other) = (KeySeed::new([1; 32]), KeySeed::new([2; 32]));
        let suite = SrtpSuite::AesCm128Sha1_80;
        let keys = [
            seed.key(1, 0, suite),
            seed.key(2, 0, suite),
            seed.key(1, 1, suite),
            seed.key(1, 0, SrtpSuite::AesCm128Sha1_32),
            other.key(1, 0, suite),
        ];
        for (at, key) in keys.iter().enumerate() {
            assert!(!keys[..at].contains(key), "{at}");
        }
        assert_eq!(seed.key(1, 0, suite), seed.key(1, 0, suite));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seed: [u8; 32], tag in 0_u32..1_000_000_000, at in 0_usize..3) {
            let suite = SrtpSuite::OFFERED[at];
            let line = CryptoLine { tag, suite, key: KeySeed::new(seed).key(9, 9, suite) };
            prop_assert_eq!(read(&line.write()), Some(line));
        }

        #[test]
        fn anything_at_all_is_read_or_passed_over(text in ".{0,300}", cut in 0_usize..90) {
            let _ = read(&text);
            let _ = read(&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{text}"));
            let whole = format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^31");
            let _ = read(&whole[..cut.min(whole.len())]);
        }
    }
}
