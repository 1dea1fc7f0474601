//! What a process uses of the processor, as the kernel counts it: of the whole, and of its threads by name.

use std::fs;
use std::time::Duration;

use crate::program::Program;

/// Processor time so far.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Of all threads, those that have ended too.
    pub whole: Duration,
    /// Of the threads called so.
    pub thread: Duration,
}

impl Load {
    /// That of `program`, and of its threads called `thread`.
    ///
    /// # Panics
    /// When it has ended.
    #[track_caller]
    pub fn of(program: &Program, thread: &str) -> Self {
        let id = program.id();
        let whole = spent(&format!("/proc/{id}/stat")).expect("a running child has figures");
        let tasks = fs::read_dir(format!("/proc/{id}/task")).expect("a running child has threads").flatten();
        let named = tasks.filter(|task| {
            let name = fs::read_to_string(task.path().join("comm")).unwrap_or_default();
            name.trim() == thread
        });
        let thread = named.filter_map(|task| spent(&task.path().join("stat").display().to_string())).sum();
        Self { whole, thread }
    }

    /// What was used since `before`.
    pub fn since(self, before: Self) -> Self {
        Self {
            whole: self.whole.saturating_sub(before.whole),
            thread: self.thread.saturating_sub(before.thread),
        }
    }
}

/// User and system time of a `stat` file (proc(5)): its 14th and 15th field, counted from behind the name, which may
/// have spaces in it.
fn spent(path: &str) -> Option<Duration> {
    let text = fs::read_to_string(path).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11).map(|field| field.parse::<u64>().ok());
    let ticks = fields.next()?? + fields.next()??;
    // SAFETY: sysconf touches no memory of ours.
    let a_second = u64::try_from(unsafe { libc::sysconf(libc::_SC_CLK_TCK) }).ok().filter(|n| *n > 0)?;
    Some(Duration::from_millis(ticks * 1000 / a_second))
}
