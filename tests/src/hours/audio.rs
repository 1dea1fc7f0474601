//! The audio thread in lockstep with simulated time: it wakes when it is told to, and says when it wants to be woken next.
//! Two counters of the kernel carry that; the thread waits for nothing else.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::FromRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use media::AudioByHand;

use super::watch::{self, Faults};

/// The thread, seen from who keeps the time.
pub(super) struct AudioThread {
    wake: File,
    woken: File,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<Faults>>,
}

impl AudioThread {
    /// Starts it under watch.
    ///
    /// # Errors
    /// The system has no counters to wake by, or no thread.
    pub(super) fn start(mut audio: AudioByHand) -> io::Result<Self> {
        let (wake, woken) = (counter()?, counter()?);
        let (mut told, mut tell) = (wake.try_clone()?, woken.try_clone()?);
        let over = Arc::new(AtomicBool::new(false));
        let thread = thread::Builder::new().name("fd-audio".into()).spawn({
            let over = Arc::clone(&over);
            move || {
                watch::forbid_calls().expect("the kernel filters system calls");
                let before = watch::faults();
                watch::watch_allocations(true);
                loop {
                    // One more than the microseconds, because a counter of zero cannot be waited for.
                    let late = Duration::from_micros(receive(&mut told) - 1);
                    if over.load(Ordering::Acquire) {
                        break;
                    }
                    send(&mut tell, audio.tick(late).as_nanos() as u64);
                }
                watch::watch_allocations(false);
                let after = watch::faults();
                Faults {
                    allocations: after.allocations - before.allocations,
                    calls: after.calls - before.calls,
                }
            }
        })?;
        Ok(Self { wake, woken, over, thread: Some(thread) })
    }

    /// Wakes it, `late` after its time, and waits until it sleeps again: how long it wants to.
    pub(super) fn tick(&mut self, late: Duration) -> Duration {
        send(&mut self.wake, late.as_micros() as u64 + 1);
        Duration::from_nanos(receive(&mut self.woken))
    }

    /// Ends it: what it did that it must not.
    ///
    /// # Panics
    /// When it panicked.
    pub(super) fn end(mut self) -> Faults {
        self.over.store(true, Ordering::Release);
        send(&mut self.wake, 1);
        self.thread.take().and_then(|thread| thread.join().ok()).expect("the audio thread panicked")
    }
}

fn counter() -> io::Result<File> {
    // SAFETY: a plain system call; the descriptor is ours alone.
    let descriptor = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just opened, and nobody else closes it.
    Ok(unsafe { File::from_raw_fd(descriptor) })
}

fn send(counter: &mut File, value: u64) {
    counter.write_all(&value.to_ne_bytes()).expect("a counter that takes what it is given");
}

fn receive(counter: &mut File) -> u64 {
    let mut value = [0; 8];
    counter.read_exact(&mut value).expect("a counter that can be waited for");
    u64::from_ne_bytes(value)
}
