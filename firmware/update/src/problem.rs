//! Why a bundle is not taken, sorted by what an administrator can do about it.

use std::io;

use crate::Unreadable;

/// Why a bundle is not taken. Nothing was changed, and the file is gone.
#[derive(Debug, thiserror::Error)]
pub enum BundleProblem {
    /// More than [`crate::MAX_BUNDLE`] bytes.
    #[error("the file is too large")]
    TooLarge,
    /// Nothing was sent.
    #[error("no file was sent")]
    Empty,
    /// Another one is being uploaded, or an update is under way.
    #[error("another update is under way")]
    Busy,
    /// It broke off.
    #[error("the upload broke off")]
    BrokenOff,
    /// The disk has no room for it.
    #[error("there is not enough room on the disk: {wanted} bytes are needed, {free} are free")]
    NoRoom {
        /// Bytes.
        wanted: u64,
        /// Bytes.
        free: u64,
    },
    /// It is something else.
    #[error("it is no update of Frontdesk")]
    NotABundle,
    /// It was a bundle once.
    #[error("the file is damaged: {0}")]
    Damaged(String),
    /// It is whole, and signed by nobody whom this box trusts.
    #[error("the signature is not one that this box trusts: {0}")]
    Signature(String),
    /// It is signed, and made for another kind of box.
    #[error("it is made for {made_for:?}, and this box is {this:?}")]
    OtherBox {
        /// What it is made for.
        made_for: String,
        /// What this box is.
        this: String,
    },
    /// The disk refuses.
    #[error("it could not be written: {0}")]
    Disk(#[from] io::Error),
    /// RAUC is not there, or not in order.
    #[error("rauc: {0}")]
    Rauc(String),
}

impl From<Unreadable> for BundleProblem {
    fn from(problem: Unreadable) -> Self {
        Self::Rauc(problem.to_string())
    }
}

/// Sorts what `rauc info` said as it refused. Its words are not translated, so they are looked for.
pub(crate) fn sort(said: &str) -> BundleProblem {
    let lower = said.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let reason = reason(said);
    if has(&["invalid identifier", "valid rauc bundle", "unsupported bundle format"]) {
        return BundleProblem::NotABundle;
    }
    // Who signed is not known, or not believed. Looked at first: what openssl says of it has "verify" in it too.
    if has(&[
        "issuer certificate",
        "self signed",
        "self-signed",
        "certificate has expired",
        "not yet valid",
        "unsuitable certificate purpose",
        "invalid ca certificate",
        "certificate revoked",
        "certificate rejected",
        "not trusted",
    ]) {
        return BundleProblem::Signature(reason);
    }
    if has(&[
        "signature size",
        "signature invalid",
        "asn1",
        "digest failure",
        "verification failure",
        "content verify error",
        "signature failure",
        "bad signature",
        "unexpected end",
        "invalid bundle",
        "wrong tag",
        "invalid signature format",
        "failed to read",
        "decoding",
        "not in cms format",
    ]) {
        return BundleProblem::Damaged(reason);
    }
    if has(&["signature verification failed", "failed verifying"]) {
        return BundleProblem::Signature(reason);
    }
    if has(&["failed to load keyring", "keyring", "failed to initialize context"]) {
        return BundleProblem::Rauc(reason);
    }
    BundleProblem::Damaged(reason)
}

/// The first thing that was said as an error, without what can be no text.
pub(crate) fn reason(said: &str) -> String {
    // What glib and the libraries below it write as well is no reason.
    let is_reason =
        |line: &&str| !line.is_empty() && !line.contains("-Message: ") && !line.contains("-WARNING **");
    let line = said.lines().map(str::trim).find(is_reason).unwrap_or("no reason was given");
    line.chars().filter(|c| !c.is_control()).take(300).collect()
}
