//! So many at once, whoever they are: calls of all plugins together, each of which may use its whole memory. Who
//! waits can be called off.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::guest::Cancel;

/// How often one who waits looks whether it was called off.
const LOOK: Duration = Duration::from_millis(20);

/// A number of places.
#[derive(Debug)]
pub(crate) struct Gate {
    free: Mutex<usize>,
    wake: Condvar,
}

/// A place that is taken, free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Pass<'gate>(&'gate Gate);

impl Gate {
    pub(crate) fn new(places: usize) -> Self {
        Self { free: Mutex::new(places), wake: Condvar::new() }
    }

    /// A place; none, if it was called off first.
    pub(crate) fn pass(&self, cancel: &Cancel) -> Option<Pass<'_>> {
        self.pass_within(cancel, Duration::MAX)
    }

    /// A place; none, if it was called off first, or there was none in time.
    pub(crate) fn pass_within(&self, cancel: &Cancel, longest: Duration) -> Option<Pass<'_>> {
        let since = Instant::now();
        let mut free = self.free();
        while *free == 0 {
            if cancel.is_cancelled() || since.elapsed() >= longest {
                return None;
            }
            free = self.wake.wait_timeout(free, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
        *free -= 1;
        Some(Pass(self))
    }

    fn free(&self) -> MutexGuard<'_, usize> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        *self.0.free() += 1;
        self.0.wake.notify_one();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn never_more_than_there_are_places_and_everybody_gets_one() {
        let (gate, inside, passed) = (Gate::new(3), AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| {
                    let _pass = gate.pass(&Cancel::default()).unwrap();
                    assert!(inside.fetch_add(1, Ordering::SeqCst) < 3);
                    std::thread::yield_now();
                    inside.fetch_sub(1, Ordering::SeqCst);
                    passed.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        assert_eq!(passed.into_inner(), 20);
    }

    #[test]
    fn who_is_called_off_does_not_wait_on() {
        let gate = Gate::new(1);
        let _taken = gate.pass(&Cancel::default()).unwrap();
        let cancel = Cancel::default();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| gate.pass(&cancel).is_none());
            cancel.cancel();
            assert!(waiting.join().unwrap());
        });
    }
}
