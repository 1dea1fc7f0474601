//! The last lines of a plugin and of the host about it, bounded in lines and bytes. Secrets are struck out before
//! they come here.

use std::collections::VecDeque;
use std::time::SystemTime;

use ipc::PluginLogLine;

use crate::kept::unix_ms;

const LINES: usize = 500;
const BYTES: usize = 256 << 10;

/// The lines, the newest last.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    lines: VecDeque<PluginLogLine>,
    bytes: usize,
}

impl Lines {
    /// A line of the plugin; `level` as the host's offer names it.
    pub(crate) fn plugin(&mut self, level: &str, words: &str) {
        // What it printed: the words of a panic.
        let level = if level == "stderr" { "error" } else { level };
        self.push(level, false, words);
    }

    /// A line of the host.
    pub(crate) fn host(&mut self, level: &str, words: &str) {
        self.push(level, true, words);
    }

    /// Oldest first.
    pub(crate) fn all(&self) -> Vec<PluginLogLine> {
        self.lines.iter().cloned().collect()
    }

    fn push(&mut self, level: &str, host: bool, words: &str) {
        self.bytes += words.len();
        let line = PluginLogLine {
            at_ms: unix_ms(SystemTime::now()),
            level: level.to_owned(),
            host,
            words: words.to_owned(),
        };
        self.lines.push_back(line);
        while self.lines.len() > LINES || self.bytes > BYTES {
            let Some(oldest) = self.lines.pop_front() else { return };
            self.bytes -= oldest.words.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_newest_stay_within_lines_and_bytes(sizes in proptest::collection::vec(0usize..5000, 0..700)) {
            let mut lines = Lines::default();
            for size in &sizes {
                lines.host("info", &"x".repeat(*size));
            }
            let all = lines.all();
            let bytes: usize = all.iter().map(|line| line.words.len()).sum();
            prop_assert!(all.len() <= LINES && bytes <= BYTES && bytes == lines.bytes);
            let kept: Vec<usize> = all.iter().map(|line| line.words.len()).collect();
            prop_assert_eq!(&sizes[sizes.len() - kept.len()..], &kept);
            let one_more = sizes.len().checked_sub(kept.len() + 1).map(|at| sizes[at]);
            prop_assert!(one_more.is_none_or(|size| all.len() == LINES || bytes + size > BYTES));
        }
    }
}
