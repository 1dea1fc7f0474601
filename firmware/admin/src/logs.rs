//! The newest lines of the program's log, in memory: what an administrator sees without a shell on the box.
//!
//! The log thread hands them over; nobody else waits for them. Secrets are never in the log, so they are not here.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Lines kept; about a megabyte.
pub(crate) const MAX_LINES: usize = 5000;

/// Longest line kept, in bytes.
const MAX_LINE: usize = 2000;

/// How grave a line is, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something failed.
    Error,
    /// Something is odd.
    Warn,
    /// What happens.
    Info,
    /// Each step.
    Debug,
}

impl Level {
    /// All, the gravest first.
    pub const ALL: [Self; 4] = [Self::Error, Self::Warn, Self::Info, Self::Debug];

    /// As it stands in the log, in small letters.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }

    pub(crate) fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.word() == word)
    }
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) level: Level,
    /// As it was printed, its time and level first.
    pub(crate) text: String,
}

/// The lines; a copy of this is the same lines.
#[derive(Clone, Debug, Default)]
pub struct LogRing {
    lines: Arc<Mutex<VecDeque<Line>>>,
}

impl LogRing {
    /// Takes what was printed at once: one line, or one that has others in it.
    pub fn push(&self, printed: &[u8]) {
        let text = String::from_utf8_lossy(printed);
        let text = text.trim_end();
        if text.is_empty() {
            return;
        }
        let mut end = text.len().min(MAX_LINE);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let text: String =
            text[..end].chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect();
        let line = Line { level: level(&text), text };
        let mut lines = self.lock();
        if lines.len() >= MAX_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// The newest lines that are at least this grave, oldest first, at most so many.
    pub(crate) fn newest(&self, level: Level, most: usize) -> Vec<Line> {
        let lines = self.lock();
        let mut found: Vec<Line> =
            lines.iter().rev().filter(|line| line.level <= level).take(most).cloned().collect();
        drop(lines);
        found.reverse();
        found
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Line>> {
        // Each line is taken whole or not at all.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The word after the time; a line without one is told whatever is asked for.
fn level(text: &str) -> Level {
    match text.split_whitespace().nth(1) {
        Some("WARN") => Level::Warn,
        Some("INFO") => Level::Info,
        Some("DEBUG" | "TRACE") => Level::Debug,
        _ => Level::Error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn app_2_the_newest_lines_are_kept_and_found_by_level() {
        let ring = LogRing::default();
        for n in 0..MAX_LINES + 10 {
            let level = if n % 2 == 0 { " INFO" } else { "DEBUG" };
            ring.push(format!("2026-11-26T10:00:00.000000Z {level} frontdeskd: line {n}\n").as_bytes());
        }
        ring.push(b"2026-11-26T10:00:01.000000Z  WARN frontdeskd: odd\n");
        ring.push(b"\n");
        let all = ring.newest(Level::Debug, usize::MAX);
        assert_eq!(all.len(), MAX_LINES);
        assert!(all[0].text.ends_with("line 11"), "{}", all[0].text);
        assert_eq!(ring.newest(Level::Warn, 10).len(), 1);
        let info = ring.newest(Level::Info, 3);
        assert!(info[0].text.ends_with("line 5006") && info[2].text.ends_with("odd"), "{info:?}");
    }

    #[test]
    fn what_is_no_line_of_ours_is_kept_and_bounded() {
        let ring = LogRing::default();
        ring.push("thread 'x' panicked\u{1b}[31m\nat once".as_bytes());
        ring.push(&[0xff; 3]);
        ring.push("é".repeat(5000).as_bytes());
        let lines = ring.newest(Level::Error, 10);
        assert_eq!(lines.len(), 3);
        assert!(!lines[0].text.contains('\u{1b}') && lines[0].text.contains("\nat once"));
        assert!(lines[2].text.len() <= MAX_LINE);
    }
}
