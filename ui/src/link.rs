//! The socket to `frontdeskd`: connects, reconnects for ever, and leaves the newest view in a slot.
//!
//! The network runs on threads of its own. It never calls into the screen; it rings a doorbell
//! once, and the screen takes what is there: the newest view (older ones are overwritten) and the
//! answers in order. Commands given while there is no connection are refused at once and never
//! sent later: an "Answer" must not fire a minute after it was pressed.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::faces::Face;
use ipc::{Command, CommandError, Decoder, FromDesk, PROTOCOL, Query, Reply, SoundView, ToDesk, View};

/// Requests waiting for the socket. A person cannot fill this; a hung desk can.
const QUEUE: usize = 256;
/// Answers waiting for the screen.
const ANSWERS: usize = 1024;
/// First and longest pause between two attempts to connect.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// How long the desk may take to accept our bytes, and to answer the handshake.
const PATIENCE: Duration = Duration::from_secs(5);

/// The connection; it ends when this is dropped.
#[derive(Debug)]
pub struct Link {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What the network has for the screen.
#[derive(Debug, Default)]
pub struct News {
    /// Events in the order in which they happened.
    pub events: Vec<Event>,
    /// The newest view, when there is a newer one.
    pub view: Option<Box<View>>,
}

impl News {
    fn hear(&mut self, sound: SoundView) {
        self.events.retain(|event| !matches!(event, Event::Sound(_)));
        self.events.push(Event::Sound(sound));
    }
}

/// Something that must not be skipped.
#[derive(Debug, PartialEq)]
pub enum Event {
    /// The handshake succeeded.
    Connected,
    /// The connection is gone; another attempt is under way.
    Disconnected,
    /// The answer to a command.
    Done {
        /// What [`Outbox::command`] returned.
        seq: u64,
        /// As the desk said it.
        result: Result<(), CommandError>,
    },
    /// The answer to a query.
    Reply {
        /// What [`Outbox::query`] returned.
        seq: u64,
        /// As the desk said it.
        reply: Reply,
    },
    /// How loud it is, and how the test of the sound does; a newer one takes the place of one not yet taken.
    Sound(SoundView),
    /// The answer to [`Query::Picture`], unpacked.
    Face {
        /// What [`Outbox::query`] returned.
        seq: u64,
        /// `None` when there is none, or none that can be shown.
        face: Option<Face>,
    },
}

impl Event {
    /// A reply as it reaches the screen. A picture is unpacked here: the screen has better things to do.
    #[must_use]
    pub fn replied(seq: u64, reply: Reply) -> Self {
        match reply {
            Reply::Picture(answer) => {
                let face = answer.picture.as_ref().and_then(Face::read);
                if face.is_none() && answer.picture.is_some() {
                    tracing::warn!(contact = answer.contact.0, "a picture cannot be shown");
                }
                Self::Face { seq, face }
            }
            reply => Self::Reply { seq, reply },
        }
    }
}

/// There is no connection to the desk, or it does not take our requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the desk service is not reachable")]
pub struct NotConnected;

/// Where the screen puts its requests. Cheap to clone; never blocks.
#[derive(Clone, Debug)]
pub struct Outbox {
    sender: Arc<Mutex<Option<SyncSender<ToDesk>>>>,
    seq: Arc<AtomicU64>,
    /// A picture of the screen is on its way; there is room for one.
    picture: Arc<AtomicBool>,
}

struct Shared {
    path: PathBuf,
    outbox: Outbox,
    slot: Mutex<News>,
    rung: AtomicBool,
    doorbell: Box<dyn Fn() + Send + Sync>,
    stop: Mutex<Stop>,
    stopped: Condvar,
}

#[derive(Debug, Default)]
struct Stop {
    wanted: bool,
    stream: Option<UnixStream>,
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Frame(#[from] ipc::FrameError),
    #[error("the desk refused us: {0}")]
    Refused(String),
    #[error("the desk closed the connection")]
    Closed,
    #[error("the desk spoke out of turn")]
    OutOfTurn,
}

impl Link {
    /// Connects to the socket at `path` and keeps at it; `outbox` is open while there is a
    /// connection. `doorbell` is called on the network's
    /// thread, once until [`Link::take`] is called.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        path: &Path,
        outbox: Outbox,
        doorbell: impl Fn() + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            path: path.to_owned(),
            outbox,
            slot: Mutex::default(),
            rung: AtomicBool::new(false),
            doorbell: Box::new(doorbell),
            stop: Mutex::default(),
            stopped: Condvar::new(),
        });
        let run = Arc::clone(&shared);
        let thread =
            std::thread::Builder::new().name("desk-link".into()).spawn(move || run.keep_connected())?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// All there is to know since the last time.
    #[must_use]
    pub fn take(&self) -> News {
        self.shared.rung.store(false, Ordering::SeqCst);
        std::mem::take(&mut *lock(&self.shared.slot))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        {
            let mut stop = lock(&self.shared.stop);
            stop.wanted = true;
            if let Some(stream) = stop.stream.take() {
                // It may be closed already; then the thread is on its way out.
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
        self.shared.stopped.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Outbox {
    /// An outbox whose requests come out of the receiver: for tests and for pictures without a desk.
    #[must_use]
    pub fn recorded() -> (Self, Receiver<ToDesk>) {
        let (sender, receiver) = sync_channel(QUEUE);
        let outbox = Self::closed();
        *lock(&outbox.sender) = Some(sender);
        (outbox, receiver)
    }

    /// Sends a wish; its [`Event::Done`] carries the number returned.
    ///
    /// # Errors
    /// [`NotConnected`]: it was not and will not be sent.
    pub fn command(&self, command: Command) -> Result<u64, NotConnected> {
        self.send(|seq| ToDesk::Command { seq, command })
    }

    /// Asks; the [`Event::Reply`] carries the number returned.
    ///
    /// # Errors
    /// [`NotConnected`]: it was not and will not be sent.
    pub fn query(&self, query: Query) -> Result<u64, NotConnected> {
        self.send(|seq| ToDesk::Query { seq, query })
    }

    /// An outbox that leads nowhere until a [`Link`] opens it.
    #[must_use]
    pub fn closed() -> Self {
        Self { sender: Arc::default(), seq: Arc::new(AtomicU64::new(1)), picture: Arc::default() }
    }

    /// Takes the one place there is for a picture of the screen; `false` while the last one has not gone.
    pub(crate) fn claim_picture(&self) -> bool {
        !self.picture.swap(true, Ordering::SeqCst)
    }

    /// Sends a picture for which there is a place; without a connection it is gone at once.
    pub(crate) fn send_picture(&self, png: &[u8]) {
        let png = STANDARD.encode(png);
        if self.send(|_| ToDesk::Picture { png }).is_err() {
            self.picture_gone();
        }
    }

    /// No picture of the screen is on its way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        !self.picture.load(Ordering::SeqCst)
    }

    /// A picture has been written to the socket, or never will be: there is room for the next.
    pub fn picture_gone(&self) {
        self.picture.store(false, Ordering::SeqCst);
    }

    fn send(&self, message: impl FnOnce(u64) -> ToDesk) -> Result<u64, NotConnected> {
        let seq = self.seq.fetch_add(1, Ordering::Relaxed);
        let sender = lock(&self.sender);
        let sender = sender.as_ref().ok_or(NotConnected)?;
        sender.try_send(message(seq)).map_err(|_| NotConnected)?;
        Ok(seq)
    }
}

impl Shared {
    fn keep_connected(&self) {
        let mut pause = PAUSES.0;
        loop {
            match self.connect_once(&mut pause) {
                Ended::Io(error) if error.kind() == io::ErrorKind::NotFound => {
                    tracing::debug!(socket = %self.path.display(), "no desk service yet");
                }
                ended => tracing::warn!(socket = %self.path.display(), "desk service away: {ended}"),
            }
            let stop = lock(&self.stop);
            if stop.wanted {
                return;
            }
            let (stop, _) = self.stopped.wait_timeout(stop, pause).unwrap_or_else(PoisonError::into_inner);
            if stop.wanted {
                return;
            }
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// One connection from beginning to end.
    fn connect_once(&self, pause: &mut Duration) -> Ended {
        let stream = match UnixStream::connect(&self.path) {
            Ok(stream) => stream,
            Err(error) => return error.into(),
        };
        let (sender, receiver) = sync_channel(QUEUE);
        let writer = match self.open(&stream, receiver) {
            Ok(writer) => writer,
            Err(error) => return error.into(),
        };
        let hello = ToDesk::Hello { protocol: PROTOCOL, program: ipc::SCREEN.into(), follow: true };
        // The queue is empty and has room.
        let _ = sender.try_send(hello);
        let mut welcomed = false;
        let ended = self.read(&stream, sender, &mut welcomed);
        *lock(&self.outbox.sender) = None;
        lock(&self.stop).stream = None;
        let _ = stream.shutdown(Shutdown::Both);
        if writer.join().is_err() {
            tracing::error!("the writing half of the desk link failed");
        }
        if welcomed {
            *pause = PAUSES.0;
            self.publish(|news| {
                news.view = None;
                news.events.push(Event::Disconnected);
            });
        }
        ended
    }

    fn open(&self, stream: &UnixStream, requests: Receiver<ToDesk>) -> io::Result<JoinHandle<()>> {
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut stop = lock(&self.stop);
        if stop.wanted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        stop.stream = Some(stream.try_clone()?);
        let writer = stream.try_clone()?;
        let outbox = self.outbox.clone();
        outbox.picture_gone();
        std::thread::Builder::new()
            .name("desk-link-out".into())
            .spawn(move || write(&writer, &requests, &outbox))
    }

    /// Reads until the connection ends.
    fn read(&self, stream: &UnixStream, sender: SyncSender<ToDesk>, welcomed: &mut bool) -> Ended {
        let mut decoder = Decoder::new(ipc::MAX_FRAME_FROM_DESK);
        let mut buffer = vec![0; 64 * 1024];
        let mut sender = Some(sender);
        loop {
            let count = match (&*stream).read(&mut buffer) {
                Ok(0) => return Ended::Closed,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return error.into(),
            };
            decoder.push(&buffer[..count]);
            loop {
                let message = match decoder.next_message() {
                    Ok(Some(message)) => message,
                    Ok(None) => break,
                    Err(error) => return error.into(),
                };
                match (message, *welcomed) {
                    (FromDesk::Welcome { version }, false) => {
                        tracing::info!(version, "connected to the desk service");
                        *welcomed = true;
                        *lock(&self.outbox.sender) = sender.take();
                        // From now on silence is normal: views come when something changes.
                        if let Err(error) = stream.set_read_timeout(None) {
                            return error.into();
                        }
                        self.publish(|news| news.events.push(Event::Connected));
                    }
                    (FromDesk::Refused { reason }, _) => return Ended::Refused(reason),
                    (message, true) => self.receive(message),
                    (_, false) => return Ended::OutOfTurn,
                }
            }
        }
    }

    fn receive(&self, message: FromDesk) {
        let event = match message {
            FromDesk::View(view) => return self.publish(|news| news.view = Some(view)),
            FromDesk::Sound(sound) => return self.publish(|news| news.hear(sound)),
            FromDesk::Done { seq, result } => Event::Done { seq, result },
            FromDesk::Reply { seq, reply } => Event::replied(seq, reply),
            // Said once already; a second time changes nothing.
            FromDesk::Welcome { .. } | FromDesk::Refused { .. } => return,
        };
        self.publish(|news| {
            if news.events.len() < ANSWERS {
                news.events.push(event);
            }
        });
    }

    fn publish(&self, change: impl FnOnce(&mut News)) {
        change(&mut lock(&self.slot));
        if !self.rung.swap(true, Ordering::SeqCst) {
            (self.doorbell)();
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Writes requests until the queue or the socket ends.
fn write(stream: &UnixStream, requests: &Receiver<ToDesk>, outbox: &Outbox) {
    let mut held = VecDeque::new();
    while let Ok(first) = requests.recv() {
        held.push_back(first);
        held.extend(requests.try_iter());
        for message in held.drain(..) {
            let is_picture = matches!(message, ToDesk::Picture { .. });
            let sent = ipc::encode(&message, ipc::MAX_FRAME_TO_DESK)
                .map_err(Ended::from)
                .and_then(|bytes| (&*stream).write_all(&bytes).map_err(Ended::from));
            if is_picture {
                outbox.picture_gone();
            }
            match sent {
                Ok(()) => {}
                Err(Ended::Frame(error)) => tracing::warn!("a request was too long to send: {error}"),
                Err(error) => {
                    tracing::warn!("cannot write to the desk service: {error}");
                    // The reading half notices and starts again.
                    let _ = stream.shutdown(Shutdown::Both);
                    return;
                }
            }
        }
    }
}

/// A lock whose holder panicked still guards plain values that are whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
