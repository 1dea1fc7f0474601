//! The switchboard and, where recording is on, everything that is said to it, written down for a replay.
//!
//! All that may change the switchboard goes through here, so that a recording has no gaps. The file is
//! written by a thread of its own: a turn never waits for the disk. A disk that does not keep up, is full
//! or has had its share ends the recording, and the log says so; calls notice nothing.
//! Not done here: the form of the lines, their replay and their masking (`switchboard`).

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    ops::Deref,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvError, SyncSender, TryRecvError, sync_channel},
    thread::{self, JoinHandle},
    time::Instant,
};

use anyhow::{Context, Result};
use ipc::{CallRef, Command, CommandError};
use switchboard::{Effect, Event, Input, Recorded, Settings, Switchboard};
use tracing::{info, warn};

/// Lines that may wait for the disk.
const QUEUE: usize = 16_384;
/// Largest recording, in bytes. It cannot be cut at its beginning, where the settings are.
const MAX_SIZE: u64 = 256 << 20;

/// See the module. Reading is the switchboard's own.
pub(crate) struct Board {
    board: Switchboard,
    started: Instant,
    recorder: Option<Recorder>,
}

impl Board {
    /// A fresh desk, recorded to `recording` if there is one. An older file of that name is kept beside it,
    /// with `.old` to its name.
    ///
    /// # Errors
    /// The file cannot be made.
    pub(crate) fn new(settings: Settings, started: Instant, recording: Option<&Path>) -> Result<Self> {
        let recorder = recording.map(|path| Recorder::start(path, &settings)).transpose()?;
        Ok(Self { board: Switchboard::new(settings, started), started, recorder })
    }

    pub(crate) fn handle(&mut self, now: Instant, input: Input) {
        if self.recorder.is_some() {
            self.record(now, Event::Input(Box::new(input.clone())));
        }
        self.board.handle(now, input);
    }

    pub(crate) fn command(&mut self, now: Instant, command: &Command) -> Result<(), CommandError> {
        if self.recorder.is_some() {
            self.record(now, Event::Command(command.clone()));
        }
        self.board.command(now, command)
    }

    pub(crate) fn next_call(&mut self, now: Instant) -> CallRef {
        let call = self.board.next_call();
        self.record(now, Event::NextCall(call));
        call
    }

    pub(crate) fn poll_effect(&mut self) -> Option<Effect> {
        self.board.poll_effect()
    }

    pub(crate) fn changed(&mut self) -> bool {
        self.board.changed()
    }

    fn record(&mut self, now: Instant, event: Event) {
        let Some(recorder) = &self.recorder else { return };
        // Cut to milliseconds as the switchboard does it: the replay has the same times.
        let at_ms =
            u64::try_from(now.saturating_duration_since(self.started).as_millis()).unwrap_or(u64::MAX);
        if recorder.lines.try_send(Recorded { at_ms, event }).is_err() {
            warn!(path = %recorder.path.display(), "the recording ends here: its writer is behind or has stopped");
            if let Some(mut recorder) = self.recorder.take() {
                // It ends by itself when it has written what it has: no turn waits for that disk.
                drop(recorder.thread.take());
            }
        }
    }
}

impl Deref for Board {
    type Target = Switchboard;

    fn deref(&self) -> &Switchboard {
        &self.board
    }
}

/// The queue to the thread that writes. What is in it is written before this is gone, unless the thread was let go.
struct Recorder {
    path: PathBuf,
    lines: SyncSender<Recorded>,
    /// Who is waited for at the end.
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    fn start(path: &Path, settings: &Settings) -> Result<Self> {
        let head = switchboard::head(settings).context("the settings cannot be recorded")?;
        let file = create(path).with_context(|| format!("cannot record to {}", path.display()))?;
        let mut writer = Writer { file: BufWriter::new(file), room: MAX_SIZE };
        writer.write(&head).with_context(|| format!("cannot record to {}", path.display()))?;
        let (lines, queue) = sync_channel(QUEUE);
        let name = path.to_owned();
        let thread = thread::Builder::new()
            .name("recorder".into())
            .spawn(move || {
                if let Err(error) = writer.run(&queue) {
                    warn!(path = %name.display(), %error, "the recording ends here");
                }
            })
            .context("recorder thread")?;
        info!(path = %path.display(), "what is said to the desk is recorded");
        Ok(Self { path: path.to_owned(), lines, thread: Some(thread) })
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // A channel of which nobody has the other end: the thread's own is closed by it.
        self.lines = sync_channel(0).0;
        if let Some(thread) = self.thread.take() {
            // It only fails when the thread has panicked; then nothing is left to wait for.
            let _ = thread.join();
        }
    }
}

struct Writer {
    file: BufWriter<File>,
    /// Bytes that may still be written.
    room: u64,
}

impl Writer {
    /// Until the queue is closed. What is there is on its way to the disk whenever nothing waits.
    fn run(mut self, queue: &Receiver<Recorded>) -> io::Result<()> {
        loop {
            let next = match queue.try_recv() {
                Err(TryRecvError::Empty) => {
                    self.file.flush()?;
                    queue.recv()
                }
                Err(TryRecvError::Disconnected) => Err(RecvError),
                Ok(recorded) => Ok(recorded),
            };
            let Ok(recorded) = next else { return self.file.flush() };
            self.write(&recorded.line()?)?;
        }
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        let left = self.room.checked_sub(line.len() as u64);
        self.room =
            left.ok_or_else(|| io::Error::other(format!("it has {MAX_SIZE} bytes, no more are kept")))?;
        self.file.write_all(line.as_bytes())
    }
}

/// Readable by the desk's own user only: it says who called whom.
fn create(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut old = path.as_os_str().to_owned();
    old.push(".old");
    match fs::rename(path, old) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::os::{fd::OwnedFd, unix::fs::PermissionsExt};
    use std::time::Duration;

    use ipc::Party;

    use super::*;

    fn incoming(board: &mut Board, now: Instant) -> CallRef {
        let call = board.next_call(now);
        let caller = Party { number: Some("+33155570142".into()), ..Party::default() };
        let called_number = "5550100".into();
        board.handle(now, Input::Incoming { call, caller, called_number, diverted_by: None, replaces: None });
        call
    }

    #[test]
    fn what_is_recorded_replays_to_the_same_desk() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("not/yet/there/desk.rec");
        let started = Instant::now();
        let mut board = Board::new(Settings::default(), started, Some(&path)).unwrap();
        let call = incoming(&mut board, started + Duration::from_micros(1_700));
        let later = started + Duration::from_micros(90_001_900);
        board.command(later, &Command::Answer { call }).unwrap();
        assert!(board.command(later, &Command::Hold { call: CallRef(77) }).is_err());
        let (view, mut effects) = (board.view(later), Vec::new());
        effects.extend(std::iter::from_fn(|| board.poll_effect()));
        drop(board);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let replayed = switchboard::replay(&fs::read_to_string(&path).unwrap(), Instant::now()).unwrap();
        assert_eq!((replayed.view, replayed.effects), (view, effects));
    }

    #[test]
    fn the_recording_of_the_last_start_is_kept_beside_the_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("desk.rec");
        let started = Instant::now();
        let mut first = Board::new(Settings::default(), started, Some(&path)).unwrap();
        incoming(&mut first, started);
        drop(first);
        let was = fs::read_to_string(&path).unwrap();
        drop(Board::new(Settings::default(), started, Some(&path)).unwrap());
        assert_eq!(fs::read_to_string(folder.path().join("desk.rec.old")).unwrap(), was);
        assert_ne!(fs::read_to_string(&path).unwrap(), was);
    }

    #[test]
    fn a_full_disk_ends_the_recording_and_not_the_desk() {
        let started = Instant::now();
        assert!(Board::new(Settings::default(), started, Some(Path::new("/dev/null/x"))).is_err());
        let file = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let writer = Writer { file: BufWriter::new(file), room: MAX_SIZE };
        let (lines, queue) = sync_channel(QUEUE);
        let thread = thread::spawn(move || writer.run(&queue).map_err(|error| error.kind()));
        let path = PathBuf::from("/dev/full");
        let recorder = Recorder { path, lines, thread: None };
        let board = Switchboard::new(Settings::default(), started);
        let mut board = Board { board, started, recorder: Some(recorder) };
        while board.recorder.is_some() {
            incoming(&mut board, started);
        }
        assert_eq!(thread.join().unwrap(), Err(io::ErrorKind::StorageFull));
        let calls = board.view(started).incoming.len();
        incoming(&mut board, started);
        assert!(board.view(started).incoming.len() >= calls);
    }

    #[test]
    fn a_disk_that_stands_still_ends_the_recording_and_holds_up_no_turn() {
        let started = Instant::now();
        // A pipe that nobody reads takes a little and then nothing more, like a share that has gone.
        let (unread, pipe) = io::pipe().unwrap();
        let writer = Writer { file: BufWriter::new(File::from(OwnedFd::from(pipe))), room: MAX_SIZE };
        let (lines, queue) = sync_channel(QUEUE);
        let thread = thread::spawn(move || drop(writer.run(&queue)));
        let recorder = Recorder { path: PathBuf::from("pipe"), lines, thread: Some(thread) };
        let board = Switchboard::new(Settings::default(), started);
        let mut board = Board { board, started, recorder: Some(recorder) };
        let (over, is_over) = sync_channel(1);
        thread::spawn(move || {
            while board.recorder.is_some() {
                board.next_call(started);
            }
            let _ = over.send(());
        });
        assert_eq!(is_over.recv_timeout(Duration::from_secs(30)), Ok(()), "a turn waits for the disk");
        drop(unread);
    }

    #[test]
    fn a_recording_has_an_end() {
        let file = OpenOptions::new().write(true).open("/dev/null").unwrap();
        let mut writer = Writer { file: BufWriter::new(file), room: 10 };
        writer.write("12345\n").unwrap();
        assert!(writer.write("12345\n").unwrap_err().to_string().contains("no more are kept"));
    }
}
