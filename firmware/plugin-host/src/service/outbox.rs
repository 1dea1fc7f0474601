//! What is on its way to one client: answers in order, bounded, and a mark that the list of plugins has changed,
//! which is written at most five times a second and always as it is then. A client that does not read holds up
//! its own requests and nothing else.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Answers that a client may leave unread before its next request waits. Few, because one may be a page of
/// contacts.
const MOST_UNREAD: usize = 4;
/// Shortest time between two lists of plugins.
const PACE: Duration = Duration::from_millis(200);

/// Between those who answer and the thread that writes.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    waiting: Mutex<Waiting>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    frames: VecDeque<Vec<u8>>,
    changed: bool,
    listed: Option<Instant>,
    /// Nothing more is taken; what is there is still written.
    ending: bool,
    closed: bool,
}

/// What is written next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Frame(Vec<u8>),
    /// All plugins as they are now.
    List,
    /// Nothing any more.
    End,
}

impl Outbox {
    /// Takes a frame; waits for room. Frames for a client that is gone are lost.
    pub(crate) fn push(&self, frame: Vec<u8>) {
        let mut waiting = self.waiting();
        while waiting.frames.len() >= MOST_UNREAD && !waiting.closed {
            waiting = self.wake.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        if !waiting.closed && !waiting.ending {
            waiting.frames.push_back(frame);
            self.wake.notify_all();
        }
    }

    /// The list of plugins has changed.
    pub(crate) fn changed(&self) {
        self.waiting().changed = true;
        self.wake.notify_all();
    }

    /// What has been pushed is still written, nothing after it.
    pub(crate) fn end(&self) {
        self.waiting().ending = true;
        self.wake.notify_all();
    }

    /// Nothing can be written any more.
    pub(crate) fn close(&self) {
        self.waiting().closed = true;
        self.wake.notify_all();
    }

    /// Waits for what is to be written.
    pub(crate) fn next(&self) -> Next {
        let mut waiting = self.waiting();
        loop {
            if waiting.closed {
                return Next::End;
            }
            let due = waiting.listed.map_or(Duration::ZERO, |listed| PACE.saturating_sub(listed.elapsed()));
            // Lists first: answers without end would keep them back for ever. But not the very first: the welcome
            // is before it.
            let in_turn = waiting.listed.is_some() || waiting.frames.is_empty();
            if waiting.changed && !waiting.ending && due.is_zero() && in_turn {
                waiting.changed = false;
                waiting.listed = Some(Instant::now());
                return Next::List;
            }
            if let Some(frame) = waiting.frames.pop_front() {
                self.wake.notify_all();
                return Next::Frame(frame);
            }
            if waiting.ending {
                return Next::End;
            }
            waiting = if waiting.changed {
                self.wake.wait_timeout(waiting, due).unwrap_or_else(PoisonError::into_inner).0
            } else {
                self.wake.wait(waiting).unwrap_or_else(PoisonError::into_inner)
            };
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_paced_and_frames_keep_their_order_until_the_end() {
        let outbox = Outbox::default();
        outbox.push(vec![0]);
        outbox.changed();
        assert_eq!((outbox.next(), outbox.next()), (Next::Frame(vec![0]), Next::List));
        let listed = Instant::now();
        outbox.changed();
        outbox.changed();
        outbox.push(vec![1]);
        outbox.push(vec![2]);
        assert_eq!((outbox.next(), outbox.next()), (Next::Frame(vec![1]), Next::Frame(vec![2])));
        assert_eq!(outbox.next(), Next::List);
        assert!(
            listed.elapsed() >= Duration::from_millis(150),
            "two changes, one list, and that not at once"
        );
        outbox.push(vec![3]);
        outbox.end();
        outbox.push(vec![4]);
        assert_eq!((outbox.next(), outbox.next()), (Next::Frame(vec![3]), Next::End));
    }

    #[test]
    fn who_waits_for_room_is_let_go_when_the_client_is_gone() {
        let outbox = Outbox::default();
        std::thread::scope(|scope| {
            let pusher = scope.spawn(|| (0..100).for_each(|number| outbox.push(vec![number])));
            for number in 0..10 {
                assert_eq!(outbox.next(), Next::Frame(vec![number]));
            }
            outbox.close();
            assert!(pusher.join().is_ok());
        });
        assert_eq!(outbox.next(), Next::End);
    }
}
