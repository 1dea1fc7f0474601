//! Bounded waiting for things that announce themselves by no event: a file that grows, a process
//! that ends, a picture that changes. Where an event exists (a socket, a control connection), the
//! tests block on that instead.

use std::fmt::Display;
use std::thread;
use std::time::{Duration, Instant};

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// Looks until `look` finds something; gives it back with the time it took.
///
/// # Panics
/// When nothing was found within `limit`; the message says `what` was waited for.
#[track_caller]
pub fn until<T>(what: impl Display, limit: Duration, look: impl FnMut() -> Option<T>) -> T {
    match within(limit, look) {
        Some(found) => found,
        None => panic!("waited {limit:?} in vain for {what}"),
    }
}

/// Looks until `look` finds something, or `limit` is over.
pub fn within<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() >= end {
            return None;
        }
        thread::sleep(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_found_at_once() {
        let before = Instant::now();
        assert_eq!(until("nothing", Duration::from_secs(5), || Some(7)), 7);
        assert!(before.elapsed() < Duration::from_secs(1));
    }

    #[test]
    fn what_never_comes_ends_the_wait() {
        assert_eq!(within(Duration::from_millis(50), || None::<()>), None);
    }
}
