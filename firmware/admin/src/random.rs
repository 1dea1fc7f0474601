//! Secrets from the system's source of randomness, and the hash that is kept of them.

use std::io;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// What is kept of a token.
pub(crate) type Hash = [u8; 32];

/// Random bytes.
///
/// # Errors
/// The system has none, which happens on no kernel that runs.
pub(crate) fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes)
}

/// A token of 256 random bits, as 43 characters that need no escaping anywhere.
///
/// # Errors
/// As [`bytes`].
pub(crate) fn token() -> io::Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(bytes::<32>()?))
}

/// Whether a text has the shape of a [`token`].
pub(crate) fn is_token(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Eight random digits.
///
/// # Errors
/// As [`bytes`].
pub(crate) fn digits() -> io::Result<String> {
    // 2⁶⁴ is so much larger than 10⁸ that no code is likelier than another by more than 10⁻¹¹.
    Ok(format!("{:08}", u64::from_le_bytes(bytes()?) % 100_000_000))
}

/// The hash of a token. A token is random through and through: no salt, no slow hash.
pub(crate) fn hash(token: &str) -> Hash {
    Sha256::digest(token.as_bytes()).into()
}

/// Whether two texts are the same, in a time that does not tell where they differ.
pub(crate) fn same(a: &str, b: &str) -> bool {
    use subtle::ConstantTimeEq;
    hash(a).ct_eq(&hash(b)).into()
}

/// Bytes as hexadecimal pairs with colons between, as browsers show fingerprints.
pub(crate) fn colons(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_need_no_escaping() {
        let (a, b) = (token().unwrap(), token().unwrap());
        assert_ne!(a, b);
        assert_eq!(a.len(), 43);
        assert!(a.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
        let code = digits().unwrap();
        assert!(code.len() == 8 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
    }

    #[test]
    fn only_the_same_is_the_same() {
        assert!(same("12345678", "12345678"));
        assert!(!same("12345678", "12345679") && !same("1", "") && !same("", "1"));
        assert_eq!(colons(&[0, 171]), "00:AB");
    }
}
