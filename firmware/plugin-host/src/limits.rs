//! What one call may use, and the keeper of memory. wasmtime's own limiter counts each memory for itself;
//! this one counts the sum, since a component brings as many as it likes.

use std::fmt;
use std::time::Duration;

use wasmtime::ResourceLimiter;

/// The limits of a plugin.
#[derive(Debug, Clone)]
pub struct Limits {
    /// All memories of a call together, in bytes.
    pub memory: usize,
    /// Time on the processor, of a call somebody waits for.
    pub cpu_call: Duration,
    /// Time on the processor, of a page of a directory.
    pub cpu_page: Duration,
    /// Time on the clock, of a call somebody waits for.
    pub wall_call: Duration,
    /// Time on the clock, of a page.
    pub wall_page: Duration,
    /// Bytes that a single call of an offer may copy to the host.
    pub host_bytes: usize,
    /// Requests in a minute.
    pub requests: u32,
    /// A body from the network, in bytes.
    pub body: usize,
    /// All messages of a page of a directory search, in bytes.
    pub page: usize,
    /// `state` altogether, in bytes.
    pub state: usize,
    /// Log lines in a minute, each cut at 4096 bytes.
    pub log_lines: u32,
}

/// The longest log line that is kept, in bytes.
pub(crate) const LOG_LINE: usize = 4096;

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 64 << 20,
            cpu_call: Duration::from_millis(500),
            cpu_page: Duration::from_secs(5),
            wall_call: Duration::from_millis(2500),
            wall_page: Duration::from_secs(60),
            host_bytes: 16 << 20,
            requests: 120,
            body: 4 << 20,
            page: 16 << 20,
            state: 256 << 10,
            log_lines: 100,
        }
    }
}

/// The limit that a call ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Time on the processor.
    Cpu,
    /// Time on the clock.
    Wall,
    /// Memory.
    Memory,
    /// The stack.
    Stack,
    /// Bytes copied to the host.
    HostBytes,
    /// It asked for something of the system that no plugin gets.
    NotOffered,
    /// It trapped of itself: a panic, an exit, a wrong access.
    Trap,
    /// Nobody wanted the answer any more.
    Cancelled,
}

impl Limit {
    /// In one word, as it stands on the socket.
    #[must_use]
    pub fn case(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Wall => "wall",
            Self::Memory => "memory",
            Self::Stack => "stack",
            Self::HostBytes => "host-bytes",
            Self::NotOffered => "not-offered",
            Self::Trap => "trap",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Cpu => "time on the processor",
            Self::Wall => "time on the clock",
            Self::Memory => "memory",
            Self::Stack => "stack",
            Self::HostBytes => "bytes handed to the host",
            Self::NotOffered => "nothing of the system is offered",
            Self::Trap => "trap",
            Self::Cancelled => "cancelled",
        })
    }
}

/// Counts the memory of one call.
#[derive(Debug)]
pub(crate) struct Memory {
    most: usize,
    used: usize,
    refused: bool,
}

/// The largest table of functions, in entries: eight bytes each.
const TABLE: usize = 20_000;

impl Memory {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, used: 0, refused: false }
    }

    /// Bytes in use, which never shrink within a call.
    pub(crate) fn used(&self) -> usize {
        self.used
    }

    /// Whether more was asked for than there is.
    pub(crate) fn refused(&self) -> bool {
        self.refused
    }
}

impl ResourceLimiter for Memory {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _most: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.used.saturating_add(desired.saturating_sub(current));
        if total > self.most {
            self.refused = true;
            return Ok(false);
        }
        self.used = total;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _most: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE)
    }

    fn instances(&self) -> usize {
        64
    }

    fn tables(&self) -> usize {
        64
    }

    fn memories(&self) -> usize {
        8
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_sum_of_all_memories_stays_below_the_limit(steps in proptest::collection::vec((0usize..8, 0usize..400), 0..60)) {
            let mut memory = Memory::new(1000);
            let mut sizes = [0usize; 8];
            for (which, more) in steps {
                let desired = sizes[which] + more;
                if memory.memory_growing(sizes[which], desired, None).unwrap() {
                    sizes[which] = desired;
                }
                prop_assert!(sizes.iter().sum::<usize>() <= 1000);
                prop_assert_eq!(memory.used(), sizes.iter().sum::<usize>());
            }
        }
    }
}
