//! Random words for branches, tags, Call-IDs and client nonces.
//!
//! A counter hashed with the seed (SHA-256): strangers who see some words cannot guess the next,
//! which keeps forged responses out. The seed is handed in (law 2); with the same seed a test sees
//! the same words.

use std::fmt::Write as _;
use std::time::Duration;

use sha2::{Digest, Sha256};

/// A stream of random words from one seed.
#[derive(Debug)]
pub(crate) struct Random {
    seed: u64,
    counter: u64,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random { seed, counter: 0 }
    }

    /// 64 random bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.counter += 1;
        let mut hash = Sha256::new();
        hash.update(self.seed.to_be_bytes());
        hash.update(self.counter.to_be_bytes());
        let digest = hash.finalize();
        let mut word = [0; 8];
        word.copy_from_slice(&digest[..8]);
        u64::from_be_bytes(word)
    }

    /// Sixteen hexadecimal digits.
    pub(crate) fn word(&mut self) -> String {
        let mut word = String::with_capacity(16);
        // Writing to a String cannot fail.
        let _ = write!(word, "{:016x}", self.bits());
        word
    }

    /// A branch with the magic cookie of RFC 3261 8.1.1.7.
    pub(crate) fn branch(&mut self) -> String {
        format!("z9hG4bK{}", self.word())
    }

    /// A duration between `from` and `to`, in steps of 10 ms (RFC 3261 14.1).
    pub(crate) fn between(&mut self, from: Duration, to: Duration) -> Duration {
        let steps = (to.saturating_sub(from).as_millis() / 10) as u64;
        from + Duration::from_millis(10 * (self.bits() % (steps + 1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_decides_and_words_differ() {
        let (mut a, mut b, mut c) = (Random::new(1), Random::new(1), Random::new(2));
        let first = a.word();
        assert_eq!(first, b.word());
        assert_ne!(first, c.word());
        assert_ne!(first, a.word());
    }

    #[test]
    fn pauses_stay_in_their_range() {
        let mut random = Random::new(7);
        let (from, to) = (Duration::from_millis(2100), Duration::from_millis(4000));
        for _ in 0..1000 {
            let pause = random.between(from, to);
            assert!((from..=to).contains(&pause) && pause.as_millis().is_multiple_of(10));
        }
        assert_eq!(random.between(from, from), from);
    }
}
