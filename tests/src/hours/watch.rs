//! What the audio thread must not do, watched: an allocator that counts, and a filter in the kernel that lets this thread
//! make two system calls, reading and writing, and catches any other, waiting for a lock (`futex`) above all.
//!
//! A lock that nobody holds at the moment is taken without a system call and is not seen; in hours beside the media thread
//! one that both take would be met held. That the sources of the thread name no lock at all is a law (`tests/tests/laws.rs`).

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io;
use std::mem;
use std::ptr;
use std::sync::Once;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Bytes that are allocated now, by anybody.
static LIVE: AtomicI64 = AtomicI64::new(0);
/// Allocations and releases of watched threads.
static TOUCHED: AtomicU64 = AtomicU64::new(0);
/// System calls of watched threads that were caught, and the number of the last.
static CAUGHT: AtomicU64 = AtomicU64::new(0);
static LAST_CAUGHT: AtomicI64 = AtomicI64::new(-1);

thread_local! {
    /// Whether this thread is watched. Needs no allocation and no destructor.
    static WATCHED: Cell<bool> = const { Cell::new(false) };
}

/// The system's allocator, counted. For `#[global_allocator]`.
#[derive(Debug)]
pub struct Counting;

impl Counting {
    fn count(bytes: i64) {
        LIVE.fetch_add(bytes, Ordering::Relaxed);
        if WATCHED.get() {
            TOUCHED.fetch_add(1, Ordering::Relaxed);
        }
    }
}

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::count(layout.size() as i64);
        // SAFETY: the caller's contract is the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        Self::count(-(layout.size() as i64));
        // SAFETY: the caller's contract is the system's.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        Self::count(size as i64 - layout.size() as i64);
        // SAFETY: the caller's contract is the system's.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// What watched threads did that they must not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Allocations and releases.
    pub allocations: u64,
    /// System calls that are not allowed.
    pub calls: u64,
}

/// What watched threads have done so far.
#[must_use]
pub(super) fn faults() -> Faults {
    Faults { allocations: TOUCHED.load(Ordering::Relaxed), calls: CAUGHT.load(Ordering::Relaxed) }
}

/// The number of the system call that was caught last; -1 when none was.
#[must_use]
pub(super) fn last_caught() -> i64 {
    LAST_CAUGHT.load(Ordering::Relaxed)
}

/// Bytes allocated now, in the whole process; 0 without [`Counting`].
#[must_use]
pub fn live_bytes() -> i64 {
    LIVE.load(Ordering::Relaxed)
}

/// Begins to watch the allocations of this thread, or ends it. It is no fault to end.
pub(super) fn watch_allocations(on: bool) {
    WATCHED.set(on);
}

/// From here on this thread may read, write, return from a signal and end; what else it asks of the kernel is caught and
/// not done. Cannot be taken back.
///
/// # Errors
/// The kernel has no such filters.
pub(super) fn forbid_calls() -> io::Result<()> {
    static HANDLER: Once = Once::new();
    HANDLER.call_once(|| {
        // SAFETY: the structure is plain data, zero is valid for it; the handler only uses atomics.
        unsafe {
            let mut action: libc::sigaction = mem::zeroed();
            action.sa_sigaction = caught as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            libc::sigaction(libc::SIGSYS, &raw const action, ptr::null_mut());
        }
    });
    let mut filter = filter();
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: the program and its filter live during the calls.
    let done = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) == 0
    };
    if done { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// A program for the kernel: the allowed calls pass, any other is a signal.
fn filter() -> Vec<libc::sock_filter> {
    // The last of them end a thread.
    let allowed = [
        libc::SYS_read,
        libc::SYS_write,
        libc::SYS_rt_sigreturn,
        libc::SYS_rt_sigprocmask,
        libc::SYS_sigaltstack,
        libc::SYS_madvise,
        libc::SYS_munmap,
        libc::SYS_exit,
        libc::SYS_exit_group,
    ];
    let statement = |code: u32, k: u32| libc::sock_filter { code: code as u16, jt: 0, jf: 0, k };
    // The number of the call is the first word of what the filter sees.
    let mut filter = vec![statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0)];
    for (n, call) in allowed.iter().enumerate() {
        let to_the_end = (allowed.len() - n) as u8;
        let code = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
        filter.push(libc::sock_filter { code, jt: to_the_end, jf: 0, k: *call as u32 });
    }
    filter.push(statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_TRAP));
    filter.push(statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW));
    filter
}

extern "C" fn caught(_: i32, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    /// Where `siginfo_t` has the number of the call on 64 bits: after three words of its own and an address.
    const NUMBER: usize = 24;
    // SAFETY: the kernel filled `info` for SIGSYS, and it has 128 bytes.
    let number = unsafe { info.cast::<u8>().add(NUMBER).cast::<i32>().read() };
    LAST_CAUGHT.store(i64::from(number), Ordering::Relaxed);
    CAUGHT.fetch_add(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::thread;

    use super::*;

    #[test]
    fn a_thread_that_meets_a_held_lock_is_caught_and_one_that_reads_and_writes_is_not() {
        let lock = Arc::new(Mutex::new(()));
        let held = lock.lock().expect("nobody has it");
        let waiter = thread::spawn({
            let lock = Arc::clone(&lock);
            move || {
                forbid_calls().expect("a filter");
                let before = faults().calls;
                // SAFETY: a pipe that is none: the call is made and fails.
                unsafe { libc::write(-1, ptr::null(), 0) };
                assert_eq!(faults().calls, before);
                drop(lock.lock().expect("nobody panicked with it"));
                (faults().calls - before, last_caught())
            }
        });
        // It tries until it gets the lock, and is caught each time.
        while last_caught() < 0 {
            thread::yield_now();
        }
        drop(held);
        let (calls, last) = waiter.join().expect("it ends");
        assert!(calls > 0);
        assert_eq!(last, libc::SYS_futex);
    }
}
