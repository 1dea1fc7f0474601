//! The thread that reads recordings: a slow disk and the encoding of ten minutes must not be felt by any call.
//!
//! What has been read lately is kept, and read again only when the file has changed.
//! Not done here: what is played to whom ([`crate::hold`]).

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::Builder;
use std::time::SystemTime;

use mio::Waker;

use crate::api::{SoundError, StreamId};
use crate::recording::Recording;

/// Files that may wait to be read.
const QUEUE: usize = 64;
/// Recordings kept, music and the messages of a few lines: how many, and how long they may be together, 20
/// minutes in milliseconds, which take 26 MB. The latest is kept in any case.
const KEPT: usize = 16;
const KEPT_MS: u32 = 20 * 60_000;
/// How far this thread stands back behind all others, in steps of `nice`.
const NICE: i32 = 10;

/// What a recording is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Music for everybody on hold.
    Hold,
    /// Music for one stream on hold.
    HoldOf(StreamId),
    /// A message to one caller.
    Announce(StreamId),
}

/// A recording, or why there is none.
pub(crate) struct Loaded {
    pub purpose: Purpose,
    pub path: PathBuf,
    pub result: Result<Arc<Recording>, SoundError>,
}

/// The thread, seen from the media thread. It ends when this is gone; nobody waits for it, because it may be
/// inside a slow file system.
pub(crate) struct Loader {
    requests: SyncSender<(Purpose, PathBuf)>,
    loaded: Receiver<Loaded>,
}

impl Loader {
    /// Starts the thread; `waker` is told of each result.
    pub(crate) fn start(waker: Arc<Waker>) -> io::Result<Loader> {
        let (requests, inbox) = sync_channel(QUEUE);
        let (results, loaded) = channel();
        Builder::new().name("fd-recordings".into()).spawn(move || run(&inbox, &results, &waker))?;
        Ok(Loader { requests, loaded })
    }

    /// Asks for a file; an error when too many wait already.
    pub(crate) fn load(&self, purpose: Purpose, path: PathBuf) -> Result<(), SoundError> {
        self.requests.try_send((purpose, path)).map_err(|_| SoundError::Busy)
    }

    /// The next result, if there is one.
    pub(crate) fn loaded(&self) -> Option<Loaded> {
        self.loaded.try_recv().ok()
    }
}

fn run(inbox: &Receiver<(Purpose, PathBuf)>, results: &Sender<Loaded>, waker: &Waker) {
    // SAFETY: plain system calls without pointers. Linux keeps a nice value for each thread.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, libc::gettid() as libc::id_t, NICE) };
    let mut shelf = Shelf::default();
    while let Ok((purpose, path)) = inbox.recv() {
        let result = shelf.get(&path);
        if results.send(Loaded { purpose, path, result }).is_err() {
            return;
        }
        // A failed wake-up delays the news to the next tick.
        let _ = waker.wake();
    }
}

/// What was read lately, the latest last.
#[derive(Default)]
struct Shelf {
    kept: Vec<(PathBuf, Version, Arc<Recording>)>,
}

/// Tells one state of a file from another: when it was written, and its size.
type Version = (Option<SystemTime>, u64);

impl Shelf {
    fn get(&mut self, path: &Path) -> Result<Arc<Recording>, SoundError> {
        let meta = std::fs::metadata(path).map_err(|e| SoundError::Unreadable { reason: e.to_string() })?;
        let version = (meta.modified().ok(), meta.len());
        let kept = self.kept.iter().position(|(kept, ..)| kept == path).map(|at| self.kept.remove(at));
        let recording = match kept {
            Some((_, old, recording)) if old == version => recording,
            _ => Arc::new(Recording::open(path)?),
        };
        self.kept.push((path.to_owned(), version, Arc::clone(&recording)));
        while self.kept.len() > 1 && (self.kept.len() > KEPT || self.length_ms() > KEPT_MS) {
            self.kept.remove(0);
        }
        Ok(recording)
    }

    fn length_ms(&self) -> u32 {
        self.kept.iter().map(|(.., recording)| recording.length_ms()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::FRAME;
    use crate::wav::WavOut;

    fn write(path: &Path, frames: usize) {
        let mut out = WavOut::open(path.to_str().expect("a plain path"), false).expect("opens");
        (0..frames).for_each(|_| out.write(&[9; FRAME]).expect("writes"));
    }

    #[test]
    fn a_file_is_read_once_and_again_when_it_has_changed() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a.wav");
        write(&path, 2);
        let mut shelf = Shelf::default();
        let first = shelf.get(&path).expect("a recording");
        assert!(Arc::ptr_eq(&first, &shelf.get(&path).expect("a recording")));
        write(&path, 4);
        assert_eq!(shelf.get(&path).expect("a recording").length_ms(), 40);
        std::fs::remove_file(&path).expect("removes");
        assert!(shelf.get(&path).is_err());
    }

    #[test]
    fn only_the_latest_are_kept() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = |n: usize| dir.path().join(format!("{n}.wav"));
        let mut shelf = Shelf::default();
        for n in 0..KEPT + 3 {
            write(&path(n), 2);
            shelf.get(&path(n)).expect("a recording");
            shelf.get(&path(0)).expect("a recording");
        }
        assert_eq!(shelf.kept.len(), KEPT);
        assert!(shelf.kept.iter().any(|(kept, ..)| *kept == path(0)));
        assert!(!shelf.kept.iter().any(|(kept, ..)| *kept == path(1)));
    }
}
