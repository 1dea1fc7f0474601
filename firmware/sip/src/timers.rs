//! Every deadline of the agent in one ordered set, so that the next one is known at once.
//!
//! Knows no clock: the agent asks for what is due at the time it is told.

use std::collections::{BTreeMap, BTreeSet};

use std::time::Instant;

/// At most one deadline per key.
#[derive(Debug)]
pub(crate) struct Timers<K> {
    order: BTreeSet<(Instant, K)>,
    due: BTreeMap<K, Instant>,
}

impl<K: Copy + Ord> Timers<K> {
    pub(crate) fn new() -> Timers<K> {
        Timers { order: BTreeSet::new(), due: BTreeMap::new() }
    }

    /// Sets `key`'s deadline, in place of an earlier one.
    pub(crate) fn set(&mut self, key: K, at: Instant) {
        if let Some(old) = self.due.insert(key, at) {
            self.order.remove(&(old, key));
        }
        self.order.insert((at, key));
    }

    /// Sets `key`'s deadline, or takes it away.
    pub(crate) fn arm(&mut self, key: K, at: Option<Instant>) {
        match at {
            Some(at) => self.set(key, at),
            None => self.clear(key),
        }
    }

    /// Forgets `key`.
    pub(crate) fn clear(&mut self, key: K) {
        if let Some(old) = self.due.remove(&key) {
            self.order.remove(&(old, key));
        }
    }

    /// Takes the earliest key that is due at `now`.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<K> {
        let &(at, key) = self.order.first()?;
        if at > now {
            return None;
        }
        self.clear(key);
        Some(key)
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.order.first().map(|&(at, _)| at)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "a test needs some first instant")]
    use super::*;
    use std::time::Duration;

    #[test]
    fn one_deadline_per_key_in_order() {
        let start = Instant::now();
        let at = |s| start + Duration::from_secs(s);
        let mut timers = Timers::new();
        timers.set(1, at(5));
        timers.set(2, at(3));
        timers.set(1, at(1));
        timers.set(3, at(2));
        timers.arm(3, None);
        assert_eq!(timers.next(), Some(at(1)));
        assert_eq!(timers.pop(at(0)), None);
        assert_eq!(timers.pop(at(9)), Some(1));
        assert_eq!(timers.pop(at(9)), Some(2));
        assert_eq!(timers.pop(at(9)), None);
        assert_eq!(timers.next(), None);
    }
}
