//! How the box does: memory, and room on the disk.

use std::{fs, path::Path};

/// Figures of the box, in bytes; `None` where the system does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Health {
    /// Memory of this program.
    pub(crate) resident: Option<u64>,
    /// Memory of the box that programs may still have.
    pub(crate) memory_free: Option<u64>,
    pub(crate) memory: Option<u64>,
    /// Room for data.
    pub(crate) disk_free: Option<u64>,
    pub(crate) disk: Option<u64>,
}

impl Health {
    /// Looks now. `folder` is on the disk in question.
    pub(crate) fn now(folder: &Path) -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let disk = rustix::fs::statvfs(folder).ok();
        Self {
            resident: kib(&status, "VmRSS:"),
            memory_free: kib(&memory, "MemAvailable:"),
            memory: kib(&memory, "MemTotal:"),
            disk_free: disk.as_ref().map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize)),
            disk: disk.as_ref().map(|disk| disk.f_blocks.saturating_mul(disk.f_frsize)),
        }
    }
}

/// A line such as `VmRSS:  1234 kB`, in bytes.
fn kib(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_tells() {
        let health = Health::now(Path::new("/"));
        assert!(health.resident > Some(1024 * 1024) && health.memory > health.memory_free);
        assert!(health.disk.is_some());
        assert_eq!(kib("A:\nVmRSS:\n", "VmRSS:"), None);
    }
}
