//! Measuring a function of this process that waits for nothing: by the processor's time of this
//! thread, which is the time on the wall wherever a core is free, and is not blurred by other
//! programs where none is.
//!
//! Not for anything that waits or has threads of its own; `live` goes by the clock on the wall.

use std::hint::black_box;
use std::time::Duration;

/// How long each of `runs` calls takes.
pub(crate) fn each<T>(runs: usize, mut call: impl FnMut() -> T) -> Vec<Duration> {
    let run = |_| {
        let start = thread_time();
        black_box(call());
        thread_time().saturating_sub(start)
    };
    (0..runs).map(run).collect()
}

/// How long one call takes, for calls too short to be timed alone: `runs` times the mean of `rounds` calls.
pub(crate) fn mean_of<T>(runs: usize, rounds: u32, mut call: impl FnMut() -> T) -> Vec<Duration> {
    let run = || (0..rounds).for_each(|_| drop(black_box(call())));
    each(runs, run).into_iter().map(|took| took / rounds).collect()
}

/// What this thread has had of the processor.
fn thread_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes one timespec, which is ours.
    let done = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(done, 0, "every Linux has this clock");
    let seconds = u64::try_from(time.tv_sec).expect("time spent is not negative");
    Duration::from_secs(seconds)
        + Duration::from_nanos(u64::try_from(time.tv_nsec).expect("nor are its parts"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_measured_is_called() {
        let mut calls = 0;
        assert_eq!(each(3, || calls += 1).len(), 3);
        assert_eq!(mean_of(2, 10, || calls += 1).len(), 2);
        assert_eq!(calls, 23);
    }

    #[test]
    fn work_takes_time_and_waiting_takes_none() {
        let work = each(1, || (0..3_000_000_u64).map(black_box).sum::<u64>());
        let (_sender, never) = std::sync::mpsc::channel::<()>();
        let wait = each(1, || never.recv_timeout(Duration::from_millis(50)).is_err());
        assert!(work[0] > Duration::from_micros(100), "{work:?}");
        assert!(wait[0] < Duration::from_millis(20), "{wait:?}");
    }
}
