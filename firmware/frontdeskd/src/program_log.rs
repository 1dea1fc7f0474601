//! The program's log: on standard error, through a queue, and its newest lines in memory for the administrator's page.
//!
//! Whoever reads standard error may be slow, or stop, and no turn of the engine waits for that: lines that find no
//! room in the queue are lost. The thread behind the queue hands each line to the memory first, then to whoever reads.

use std::io::{self, Write};

use admin::{Level, LogRing};
use tracing::warn;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// Log lines that may wait for whoever reads them.
const QUEUE: usize = 16_384;

/// What tells more when support asks for it: our own programs, not what they are made of.
const OURS: [&str; 7] = ["frontdeskd", "sip", "media", "switchboard", "store", "admin", "update"];

/// The log, as the administrator's page has it.
pub(crate) struct ProgramLog {
    /// Its newest lines.
    pub(crate) ring: LogRing,
    /// Sets how grave lines must be at least; `None` is what the settings file says.
    pub(crate) set_level: Box<dyn Fn(Option<Level>) + Send>,
}

/// Starts the log. What is in the queue is written when the guard is dropped.
pub(crate) fn start(level: &str) -> (WorkerGuard, ProgramLog) {
    let ring = LogRing::default();
    let (queue, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(QUEUE)
        .lossy(true)
        .thread_name("log")
        .finish(Both { ring: ring.clone(), to: io::stderr() });
    let log = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(level))
        .with_writer(queue)
        .with_ansi(false)
        .with_filter_reloading();
    let filter = log.reload_handle();
    log.init();
    // Through `log` come libraries only, and what the XMPP one traces are whole stanzas with the password in
    // them: whatever level is asked for, they are not heard below this.
    log::set_max_level(log::LevelFilter::Info);
    let level = level.to_owned();
    let set_level = move |wanted: Option<Level>| {
        if let Err(problem) = filter.reload(EnvFilter::new(words(&level, wanted))) {
            warn!(%problem, "the log stays as it is");
        }
    };
    (guard, ProgramLog { ring, set_level: Box::new(set_level) })
}

/// The filter: what the settings file says, and more of our own where it is wanted.
fn words(level: &str, wanted: Option<Level>) -> String {
    let mut words = level.to_owned();
    for name in OURS.iter().filter(|_| wanted.is_some()) {
        words.push_str(&format!(",{name}={}", wanted.map_or("", Level::word)));
    }
    words
}

/// Each line to the memory and to standard error.
struct Both<W> {
    ring: LogRing,
    to: W,
}

impl<W: Write> Write for Both<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.write_all(line).map(|()| line.len())
    }

    fn write_all(&mut self, line: &[u8]) -> io::Result<()> {
        self.ring.push(line);
        self.to.write_all(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_is_told_of_our_own_and_nothing_more_of_others() {
        assert_eq!(words("info,sip=warn", None), "info,sip=warn");
        let loud = words("warn", Some(Level::Debug));
        assert!(loud.starts_with("warn,frontdeskd=debug,sip=debug") && !loud.contains("xmpp"), "{loud}");
        assert!(loud.parse::<EnvFilter>().is_ok());
        // Why an update failed is what support asks for first.
        assert!(loud.contains(",update=debug"), "{loud}");
    }
}
