//! What a plugin has done since it was loaded, counted where it happens and read by who asks.

use std::sync::atomic::{AtomicU64, Ordering};

use ipc::PluginCounters;

use crate::connector::Cost;

/// The counters of a plugin.
#[derive(Debug, Default)]
pub struct Tally {
    calls: AtomicU64,
    failures: AtomicU64,
    requests: AtomicU64,
    refused: AtomicU64,
    lost_lines: AtomicU64,
    longest_cpu_ms: AtomicU64,
    most_memory: AtomicU64,
}

impl Tally {
    pub(crate) fn call(&self, cost: &Cost, failed: bool) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.failures.fetch_add(u64::from(failed), Ordering::Relaxed);
        let cpu = u64::try_from(cost.cpu.as_millis()).unwrap_or(u64::MAX);
        self.longest_cpu_ms.fetch_max(cpu, Ordering::Relaxed);
        self.most_memory.fetch_max(cost.memory as u64, Ordering::Relaxed);
    }

    pub(crate) fn request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn line_lost(&self) {
        self.lost_lines.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds what a second instance of the same plugin has done.
    pub(crate) fn add(&self, other: &PluginCounters) {
        for (mine, more) in [
            (&self.calls, other.calls),
            (&self.failures, other.failures),
            (&self.requests, other.requests),
            (&self.refused, other.refused),
            (&self.lost_lines, other.lost_lines),
        ] {
            mine.fetch_add(more, Ordering::Relaxed);
        }
        self.longest_cpu_ms.fetch_max(other.longest_cpu_ms, Ordering::Relaxed);
        self.most_memory.fetch_max(other.most_memory, Ordering::Relaxed);
    }

    /// The counters now.
    #[must_use]
    pub fn counters(&self) -> PluginCounters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        PluginCounters {
            calls: read(&self.calls),
            failures: read(&self.failures),
            requests: read(&self.requests),
            refused: read(&self.refused),
            lost_lines: read(&self.lost_lines),
            longest_cpu_ms: read(&self.longest_cpu_ms),
            most_memory: read(&self.most_memory),
        }
    }
}
