//! A limit on what strangers may ask: one token bucket per address.
//!
//! A flood from one address is dropped without an answer, which would only double it, and leaves
//! calls and registrars untouched. Not done here: deciding who is a stranger.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Addresses remembered. Beyond them all new ones share one bucket.
const MAX_SOURCES: usize = 1024;

/// The limit.
#[derive(Debug)]
pub(crate) struct Guard {
    rate: u32,
    burst: u32,
    sources: HashMap<IpAddr, Bucket>,
    rest: Bucket,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// Thousandths of a request.
    level: u64,
    at: Option<Instant>,
    warned: bool,
}

impl Guard {
    /// At most `burst` requests at once and `rate` a second on average, per address.
    pub(crate) fn new(rate: u32, burst: u32) -> Guard {
        let full = Bucket { level: u64::from(burst) * 1000, at: None, warned: false };
        Guard { rate, burst, sources: HashMap::new(), rest: full }
    }

    /// Counts one request from `source`; false if it is one too many.
    pub(crate) fn admit(&mut self, now: Instant, source: IpAddr) -> bool {
        let (rate, burst) = (self.rate, self.burst);
        let bucket = self.bucket(now, source);
        bucket.refill(now, rate, burst);
        if bucket.level >= 1000 {
            bucket.level -= 1000;
            return true;
        }
        if !bucket.warned {
            bucket.warned = true;
            tracing::warn!(%source, "too many requests: dropping");
        }
        false
    }

    /// Whether a request from `source` would be one too many now, as far as `source` is known. Nothing is counted.
    pub(crate) fn is_spent(&self, now: Instant, source: IpAddr) -> bool {
        self.sources.get(&source).is_some_and(|bucket| {
            let mut bucket = *bucket;
            bucket.refill(now, self.rate, self.burst);
            bucket.level < 1000
        })
    }

    fn bucket(&mut self, now: Instant, source: IpAddr) -> &mut Bucket {
        if self.sources.len() >= MAX_SOURCES && !self.sources.contains_key(&source) {
            let calm = Duration::from_secs(u64::from(self.burst / self.rate.max(1)) + 1);
            self.sources.retain(|_, bucket| bucket.at.is_some_and(|at| now.duration_since(at) < calm));
            if self.sources.len() >= MAX_SOURCES {
                return &mut self.rest;
            }
        }
        let level = u64::from(self.burst) * 1000;
        self.sources.entry(source).or_insert(Bucket { level, at: None, warned: false })
    }
}

impl Bucket {
    fn refill(&mut self, now: Instant, rate: u32, burst: u32) {
        let full = u64::from(burst) * 1000;
        let passed = self.at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        let gained = passed.as_millis().saturating_mul(u128::from(rate));
        self.level = full.min(self.level.saturating_add(u64::try_from(gained).unwrap_or(full)));
        self.at = Some(now);
        if self.level >= full {
            self.warned = false;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    #![allow(clippy::disallowed_methods, reason = "a test needs some first instant")]
    use super::*;

    fn address(n: u32) -> IpAddr {
        IpAddr::V4(n.into())
    }

    #[test]
    fn a_burst_passes_a_flood_does_not_and_rest_heals() {
        let mut guard = Guard::new(10, 5);
        let now = Instant::now();
        assert!(!guard.is_spent(now, address(1)));
        let passed = (0..100).filter(|_| guard.admit(now, address(1))).count();
        assert_eq!(passed, 5);
        assert!(guard.is_spent(now, address(1)) && !guard.is_spent(now, address(2)));
        assert!(guard.admit(now, address(2)), "another address is not affected");
        let later = now + Duration::from_millis(200);
        assert!(!guard.is_spent(later, address(1)));
        assert_eq!((0..100).filter(|_| guard.admit(later, address(1))).count(), 2);
    }

    #[test]
    fn many_addresses_do_not_fill_memory_and_share_what_is_left() {
        let mut guard = Guard::new(10, 5);
        let now = Instant::now();
        let passed = (0..100_000).filter(|&n| guard.admit(now, address(n))).count();
        assert_eq!(guard.sources.len(), MAX_SOURCES);
        assert_eq!(passed, MAX_SOURCES + 5);
        let later = now + Duration::from_secs(60);
        assert!(guard.admit(later, address(200_000)));
        assert!(guard.sources.len() < 10, "calm addresses are forgotten");
    }
}
