//! A stream sealed with a passphrase: what is read is what was written, whole and in order, or an error.
//!
//! Argon2id (RFC 9106) makes the key of the passphrase and a fresh salt. The stream is cut into pieces of 64 KiB,
//! each sealed with ChaCha20-Poly1305 (RFC 8439); a piece's nonce is its number and whether it is the last, as in
//! STREAM of Hoang, Reyhanitabar, Rogaway and Vizár, so pieces cannot be swapped, repeated or left out. The head
//! goes into each seal. A key is used for one file only, because each has its own salt.

use std::io::{self, Read, Write};

use argon2::{Algorithm, Argon2, Params, Version};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

use crate::random;

/// What every such file begins with; the digits after it are the version.
const MAGIC: &[u8; 8] = b"FDBACKUP";
const VERSION: u8 = 1;

/// Magic, version, salt, and a seal of nothing that tells a wrong passphrase from a damaged file.
const HEAD: usize = 8 + 1 + SALT + TAG;
const SALT: usize = 16;
const TAG: usize = 16;

/// Most plain bytes in a piece.
const PIECE: usize = 64 * 1024;

/// Argon2id: 64 MiB, three passes, about a third of a second. RFC 9106 section 4 has it as its second choice, for
/// machines with little memory.
const MEMORY_KIB: u32 = if cfg!(test) { 64 } else { 64 * 1024 }; // unit tests make a hundred keys
const PASSES: u32 = 3;

/// Shortest passphrase, in characters.
pub(crate) const SHORTEST: usize = 12;

/// Longest passphrase, in bytes.
pub(crate) const LONGEST: usize = 256;

/// Why a sealed file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SealProblem {
    /// It does not begin like one.
    #[error("it is no backup of Frontdesk")]
    NotOurs,
    /// It was written by a newer version.
    #[error("it was written by a newer version of Frontdesk")]
    Newer,
    /// The passphrase is another one.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// It ends too early.
    #[error("the file is not whole: its end is missing or damaged")]
    Truncated,
    /// Bytes in it are not those that were written.
    #[error("the file is damaged")]
    Damaged,
    /// It cannot be read.
    #[error("it could not be read: {0}")]
    Read(#[from] io::Error),
}

/// Seals what is written into it.
pub(crate) struct Sealer<W: Write> {
    to: W,
    key: LessSafeKey,
    head: [u8; HEAD],
    number: u64,
    piece: Vec<u8>,
}

impl<W: Write> Sealer<W> {
    /// Begins a file. Takes a third of a second and 64 MiB for a moment.
    pub(crate) fn new(mut to: W, passphrase: &str) -> io::Result<Self> {
        let salt = random::bytes::<SALT>()?;
        let key = key(passphrase, &salt)?;
        let mut head = [0; HEAD];
        head[..8].copy_from_slice(MAGIC);
        head[8] = VERSION;
        head[9..9 + SALT].copy_from_slice(&salt);
        let check = seal(&key, check_nonce(), &head[..9 + SALT], &mut [])?;
        head[9 + SALT..].copy_from_slice(&check);
        to.write_all(&head)?;
        Ok(Self { to, key, head, number: 0, piece: Vec::with_capacity(PIECE + TAG) })
    }

    /// Writes the last piece: without it the file is not whole.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.put(true)?;
        self.to.flush()?;
        Ok(self.to)
    }

    fn put(&mut self, last: bool) -> io::Result<()> {
        let tag = seal(&self.key, nonce(self.number, last), &self.head, &mut self.piece)?;
        self.to.write_all(&self.piece)?;
        self.to.write_all(&tag)?;
        self.number += 1;
        self.piece.clear();
        Ok(())
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full piece is kept until more comes: it may be the last.
        if self.piece.len() == PIECE {
            self.put(false)?;
        }
        let taken = bytes.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Reads a sealed stream; no byte is given out before its piece is known to be right.
pub(crate) struct Opener<R: Read> {
    from: R,
    key: LessSafeKey,
    head: [u8; HEAD],
    number: u64,
    /// Sealed bytes that have come: a piece, and one byte more unless it is the last.
    ahead: Vec<u8>,
    plain: Vec<u8>,
    /// How much of `plain` was given out.
    given: usize,
    ended: bool,
}

impl<R: Read> Opener<R> {
    /// Reads the head, and tries the passphrase.
    pub(crate) fn new(mut from: R, passphrase: &str) -> Result<Self, SealProblem> {
        let mut head = Vec::with_capacity(HEAD);
        from.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
        if !head.starts_with(MAGIC) {
            return Err(SealProblem::NotOurs);
        }
        if head.get(8).is_some_and(|version| *version > VERSION) {
            return Err(SealProblem::Newer);
        }
        let head: [u8; HEAD] = head.try_into().map_err(|_| SealProblem::Truncated)?;
        if head[8] != VERSION {
            return Err(SealProblem::NotOurs);
        }
        let key = key(passphrase, &head[9..9 + SALT])?;
        let mut check = head[9 + SALT..].to_vec();
        if !open(&key, check_nonce(), &head[..9 + SALT], &mut check) {
            return Err(SealProblem::WrongPassphrase);
        }
        let ahead = Vec::with_capacity(PIECE + TAG + 1);
        Ok(Self { from, key, head, number: 0, ahead, plain: Vec::new(), given: 0, ended: false })
    }

    /// Fills the buffer; 0 at the end, which is reached only when all was right.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, SealProblem> {
        while self.given == self.plain.len() {
            if self.ended {
                return Ok(0);
            }
            self.next()?;
        }
        let taken = buffer.len().min(self.plain.len() - self.given);
        buffer[..taken].copy_from_slice(&self.plain[self.given..self.given + taken]);
        self.given += taken;
        Ok(taken)
    }

    /// Fills the whole buffer.
    pub(crate) fn read_exact(&mut self, mut buffer: &mut [u8]) -> Result<(), SealProblem> {
        while !buffer.is_empty() {
            match self.read(buffer)? {
                0 => return Err(SealProblem::Damaged),
                n => buffer = &mut buffer[n..],
            }
        }
        Ok(())
    }

    fn next(&mut self) -> Result<(), SealProblem> {
        let wanted = PIECE + TAG + 1 - self.ahead.len();
        self.from.by_ref().take(wanted as u64).read_to_end(&mut self.ahead)?;
        let is_last = self.ahead.len() <= PIECE + TAG;
        let rest = if is_last { Vec::new() } else { self.ahead.split_off(PIECE + TAG) };
        let mut piece = std::mem::replace(&mut self.ahead, rest);
        if !open(&self.key, nonce(self.number, is_last), &self.head, &mut piece) {
            return Err(if is_last { SealProblem::Truncated } else { SealProblem::Damaged });
        }
        (self.plain, self.given, self.ended) = (piece, 0, is_last);
        self.number += 1;
        Ok(())
    }
}

/// How long a sealed stream of so many bytes is.
pub(crate) fn sealed_length(plain: u64) -> u64 {
    let pieces = plain.div_ceil(PIECE as u64).max(1);
    HEAD as u64 + plain + pieces * TAG as u64
}

fn key(passphrase: &str, salt: &[u8]) -> io::Result<LessSafeKey> {
    let refused = |error: argon2::Error| io::Error::other(error.to_string());
    let params = Params::new(MEMORY_KIB, PASSES, 1, Some(32)).map_err(refused)?;
    let mut bytes = [0; 32];
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    hasher.hash_password_into(passphrase.as_bytes(), salt, &mut bytes).map_err(refused)?;
    let key = UnboundKey::new(&CHACHA20_POLY1305, &bytes);
    Ok(LessSafeKey::new(key.map_err(|_| io::Error::other("the key has a wrong length"))?))
}

/// The number of the piece, and 1 for the last.
fn nonce(number: u64, last: bool) -> Nonce {
    let mut bytes = [0; 12];
    bytes[3..11].copy_from_slice(&number.to_be_bytes());
    bytes[11] = u8::from(last);
    Nonce::assume_unique_for_key(bytes)
}

/// No piece has this one.
fn check_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0xff; 12])
}

fn seal(key: &LessSafeKey, nonce: Nonce, head: &[u8], piece: &mut [u8]) -> io::Result<[u8; TAG]> {
    let tag = key.seal_in_place_separate_tag(nonce, Aad::from(head), piece);
    let tag = tag.map_err(|_| io::Error::other("a piece could not be sealed"))?;
    tag.as_ref().try_into().map_err(io::Error::other)
}

/// Takes the seal off; whether it was right.
fn open(key: &LessSafeKey, nonce: Nonce, head: &[u8], piece: &mut Vec<u8>) -> bool {
    let Ok(plain) = key.open_in_place(nonce, Aad::from(head), piece).map(|plain| plain.len()) else {
        return false;
    };
    piece.truncate(plain);
    true
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const PASSPHRASE: &str = "seven herons by the lake";

    fn sealed(plain: &[u8]) -> Vec<u8> {
        let mut sealer = Sealer::new(Vec::new(), PASSPHRASE).unwrap();
        sealer.write_all(plain).unwrap();
        sealer.finish().unwrap()
    }

    fn opened(sealed: &[u8], passphrase: &str) -> Result<Vec<u8>, SealProblem> {
        let mut opener = Opener::new(sealed, passphrase)?;
        let (mut all, mut some) = (Vec::new(), [0; 5000]);
        loop {
            match opener.read(&mut some)? {
                0 => return Ok(all),
                n => all.extend_from_slice(&some[..n]),
            }
        }
    }

    #[test]
    fn app_2_what_was_sealed_is_read_again_at_every_length_that_matters() {
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 7] {
            let plain: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            let sealed = sealed(&plain);
            assert_eq!(sealed.len() as u64, sealed_length(length as u64), "{length}");
            assert_eq!(opened(&sealed, PASSPHRASE).unwrap(), plain, "{length}");
        }
    }

    #[test]
    fn app_2_a_wrong_passphrase_a_cut_and_a_changed_byte_are_told_apart() {
        let plain = vec![7; 2 * PIECE + 100];
        let whole = sealed(&plain);
        assert!(matches!(opened(&whole, "seven herons by the lak"), Err(SealProblem::WrongPassphrase)));
        for cut in [HEAD, HEAD + 1, HEAD + PIECE + TAG, HEAD + PIECE + TAG + 5, whole.len() - 1] {
            let found = opened(&whole[..cut], PASSPHRASE);
            assert!(matches!(found, Err(SealProblem::Truncated)), "{cut}: {found:?}");
        }
        for cut in [0, 5, 8] {
            let found = opened(&whole[..cut], PASSPHRASE);
            assert!(matches!(found, Err(SealProblem::NotOurs | SealProblem::Truncated)), "{cut}: {found:?}");
        }
        for at in [HEAD, HEAD + PIECE, HEAD + PIECE + TAG + 3] {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            assert!(matches!(opened(&damaged, PASSPHRASE), Err(SealProblem::Damaged)), "{at}");
        }
        let mut more = whole.clone();
        more.push(0);
        assert!(matches!(opened(&more, PASSPHRASE), Err(SealProblem::Truncated)));
        let mut newer = whole.clone();
        newer[8] = VERSION + 1;
        assert!(matches!(opened(&newer, PASSPHRASE), Err(SealProblem::Newer)));
        assert!(matches!(
            opened(b"PK\x03\x04 something else entirely", PASSPHRASE),
            Err(SealProblem::NotOurs)
        ));
        // Pieces in another order.
        let mut swapped = whole[..HEAD].to_vec();
        swapped.extend_from_slice(&whole[HEAD + PIECE + TAG..HEAD + 2 * (PIECE + TAG)]);
        swapped.extend_from_slice(&whole[HEAD..HEAD + PIECE + TAG]);
        swapped.extend_from_slice(&whole[HEAD + 2 * (PIECE + TAG)..]);
        assert!(matches!(opened(&swapped, PASSPHRASE), Err(SealProblem::Damaged)));
    }

    #[test]
    fn two_backups_of_the_same_have_nothing_in_common() {
        let (a, b) = (sealed(b"the same"), sealed(b"the same"));
        assert_eq!(a[..9], b[..9]);
        assert!(a[9..].iter().zip(&b[9..]).filter(|(a, b)| a == b).count() < 10);
    }
}
