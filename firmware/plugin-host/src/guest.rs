//! What a guest sees of the host: the offers of `plugins/wit`, one implementation each, and the books of one
//! call: its memory, its time, its working copy of the state. A call's state is kept only if the call ends
//! well. The network is `http`; what remains of the system is `wasi`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use wasmtime::bail;

use crate::contact::clean;
use crate::http::Outbound;
use crate::ldap::Directories;
use crate::limits::{LOG_LINE, Limit, Limits, Memory};
use crate::rate::Rate;
use crate::strike::Strike;

#[allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    reason = "generated from plugins/wit, which has the words"
)]
pub(crate) mod bindings {
    wasmtime::component::bindgen!({
        path: "../../plugins/wit/v0.1.0",
        world: "connector",
        imports: { default: trappable },
    });
}

pub(crate) use bindings::exports::frontdesk::connector::{
    crm_items, crm_journal, crm_resolve, directory_lookup, directory_search, directory_sync, lifecycle,
};
use bindings::frontdesk::connector::{context, http, ldap, log, secrets, settings, state};
pub(crate) use bindings::frontdesk::connector::{crm_types, types};

/// Says that nobody wants the answer any more. Clones are the same word.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// The running call ends within a few hundredths of a second.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was said.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The lasting values of a plugin.
pub type State = BTreeMap<String, Vec<u8>>;

/// Hears each line as it is written: level and words.
pub type Ear = Box<dyn FnMut(&str, &str) + Send>;

/// What a plugin has said, the newest last, and how much was lost. Secrets are struck out.
pub(crate) struct LogBook {
    lines: VecDeque<String>,
    rate: Rate,
    strike: Strike,
    ear: Option<Ear>,
}

const LINES_KEPT: usize = 200;

impl LogBook {
    pub(crate) fn new(lines_a_minute: u32) -> Self {
        Self { lines: VecDeque::new(), rate: Rate::new(lines_a_minute), strike: Strike::default(), ear: None }
    }

    pub(crate) fn striking(self, strike: Strike) -> Self {
        Self { strike, ..self }
    }

    pub(crate) fn listen(&mut self, ear: Ear) {
        self.ear = Some(ear);
    }

    pub(crate) fn strike(&self, words: &str) -> String {
        self.strike.out(words)
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.iter().cloned().collect()
    }

    pub(crate) fn lost(&self) -> u64 {
        self.rate.refused()
    }

    fn write(&mut self, now: Duration, level: &str, message: &str) -> Option<String> {
        self.rate.take(now).ok()?;
        let mut end = message.len().min(LOG_LINE);
        while !message.is_char_boundary(end) {
            end -= 1;
        }
        let words = self.strike.out(&clean(message.get(..end).unwrap_or_default()));
        if let Some(ear) = &mut self.ear {
            ear(level, &words);
        }
        let line = format!("{level} {words}");
        if self.lines.len() == LINES_KEPT {
            self.lines.pop_front();
        }
        self.lines.push_back(line.clone());
        Some(line)
    }
}

/// What all calls of a plugin share.
pub(crate) struct Shared {
    pub(crate) id: String,
    pub(crate) settings: String,
    /// Only those that the manifest exposes.
    pub(crate) secrets: BTreeMap<String, String>,
    pub(crate) locale: String,
    pub(crate) limits: Limits,
    pub(crate) outbound: Outbound,
    pub(crate) directories: Arc<Directories>,
    pub(crate) log: Mutex<LogBook>,
    pub(crate) started: Instant,
}

/// The books of one call: the data of its store.
pub(crate) struct Call {
    pub(crate) shared: Arc<Shared>,
    pub(crate) memory: Memory,
    state: State,
    /// What this call has set and deleted: calls run beside each other, and none is to undo another's.
    pub(crate) changed: BTreeMap<String, Option<Vec<u8>>>,
    pub(crate) deadline: Instant,
    pub(crate) cancel: Cancel,
    /// What ended the call, where the host knows.
    pub(crate) stopped: Option<Limit>,
    cpu_limit: Duration,
    cpu_started: Duration,
    stderr: usize,
}

/// Bytes of standard error that one call may write into the log.
const STDERR: usize = 16 << 10;

/// Keys that one call may set, those counted that it has deleted again: the host remembers them all until the call ends.
/// More than lie in a full state.
const TOUCHED: usize = 8192;

impl Call {
    pub(crate) fn new(
        shared: Arc<Shared>,
        state: State,
        cpu: Duration,
        wall: Duration,
        cancel: Cancel,
    ) -> Self {
        let memory = Memory::new(shared.limits.memory);
        let deadline = Instant::now() + wall;
        let cpu_started = thread_cpu();
        Self {
            shared,
            memory,
            state,
            changed: BTreeMap::new(),
            deadline,
            cancel,
            stopped: None,
            cpu_limit: cpu,
            cpu_started,
            stderr: 0,
        }
    }

    /// Time this call has had on the processor, host and guest together.
    pub(crate) fn cpu(&self) -> Duration {
        thread_cpu().saturating_sub(self.cpu_started)
    }

    /// Called every hundredth of a second while the guest runs: an error ends it.
    pub(crate) fn tick(&mut self) -> wasmtime::Result<()> {
        let limit = if self.cancel.is_cancelled() {
            Limit::Cancelled
        } else if self.cpu() > self.cpu_limit {
            Limit::Cpu
        } else if Instant::now() > self.deadline {
            Limit::Wall
        } else {
            return Ok(());
        };
        self.stopped = Some(limit);
        bail!("stopped: {limit}")
    }

    /// What a guest prints on standard error: the words of a panic, for its author.
    pub(crate) fn print(&mut self, bytes: &[u8]) {
        let room = STDERR.saturating_sub(self.stderr);
        let bytes = bytes.get(..room).unwrap_or(bytes);
        self.stderr += bytes.len();
        for line in String::from_utf8_lossy(bytes).lines().filter(|line| !line.trim().is_empty()) {
            self.write("stderr", line);
        }
    }

    fn write(&mut self, level: &str, message: &str) {
        let now = self.shared.started.elapsed();
        match self.shared.log().write(now, level, message) {
            Some(line) => tracing::debug!(plugin = %self.shared.id, "{line}"),
            None => self.shared.outbound.tally.line_lost(),
        }
    }
}

impl Shared {
    pub(crate) fn log(&self) -> MutexGuard<'_, LogBook> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Processor time of this thread; a call stays on one thread. Zero where the system has no such clock.
fn thread_cpu() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid timespec that lives through the call.
    if unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) } != 0 {
        return Duration::ZERO;
    }
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

impl log::Host for Call {
    fn write(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            log::Level::Debug => "debug",
            log::Level::Info => "info",
            log::Level::Warn => "warn",
            log::Level::Error => "error",
        };
        self.write(level, &message);
        // An offer that costs nothing is no way around the limits.
        self.tick()
    }
}

impl context::Host for Call {
    fn remaining_ms(&mut self) -> wasmtime::Result<u64> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        Ok(u64::try_from(left.as_millis()).unwrap_or(u64::MAX))
    }

    fn cancelled(&mut self) -> wasmtime::Result<bool> {
        Ok(self.cancel.is_cancelled())
    }

    fn locale(&mut self) -> wasmtime::Result<String> {
        Ok(self.shared.locale.clone())
    }
}

impl settings::Host for Call {
    fn json(&mut self) -> wasmtime::Result<String> {
        Ok(self.shared.settings.clone())
    }
}

impl secrets::Host for Call {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        Ok(self.shared.secrets.get(&key).cloned())
    }
}

impl state::Host for Call {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<Vec<u8>>> {
        Ok(self.state.get(&key).cloned())
    }

    fn set(&mut self, key: String, value: Vec<u8>) -> wasmtime::Result<Result<(), state::Error>> {
        if key.len() > 256 || value.len() > self.shared.limits.state {
            return Ok(Err(state::Error::TooLarge));
        }
        // An entry costs a little more than its bytes: a flood of empty ones is a flood.
        let cost = |key: &String, value: &Vec<u8>| key.len() + value.len() + 64;
        let others = self.state.iter().filter(|(other, _)| **other != key);
        let used: usize = others.map(|(key, value)| cost(key, value)).sum();
        let too_many = self.changed.len() >= TOUCHED && !self.changed.contains_key(&key);
        if too_many || used + cost(&key, &value) > self.shared.limits.state {
            return Ok(Err(state::Error::Full));
        }
        self.changed.insert(key.clone(), Some(value.clone()));
        self.state.insert(key, value);
        Ok(Ok(()))
    }

    fn delete(&mut self, key: String) -> wasmtime::Result<()> {
        // What is not there is not remembered: its name could be as long as a string may be.
        if self.state.remove(&key).is_some() {
            self.changed.insert(key, None);
        }
        Ok(())
    }
}

impl http::Host for Call {
    fn send(&mut self, request: http::Request) -> wasmtime::Result<Result<http::Response, http::Error>> {
        let now = self.shared.started.elapsed();
        let answer = self.shared.outbound.send(request, self.deadline, &self.cancel, now);
        self.tick()?;
        Ok(answer)
    }
}

impl ldap::Host for Call {
    fn search(&mut self, request: ldap::Request) -> wasmtime::Result<Result<ldap::Page, ldap::Error>> {
        let now = self.shared.started.elapsed();
        let answer = self.shared.directories.search(request, self.deadline, &self.cancel, now);
        match &answer {
            Err(ldap::Error::Denied(_) | ldap::Error::TooMany(_)) => self.shared.outbound.tally.refused(),
            // It was not sent.
            Err(ldap::Error::BadRequest(_)) => {}
            _ => self.shared.outbound.tally.request(),
        }
        self.tick()?;
        Ok(answer)
    }
}

impl types::Host for Call {}

impl crm_types::Host for Call {}
