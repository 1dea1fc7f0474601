//! The Unix socket: one task for each screen or command line that connects.
//!
//! Nothing here reaches into the engine: commands go through its inbox, views come out of a
//! latest-wins slot, queries go to the records thread. So a client that sends rubbish loses its
//! connection, and one that stops reading stalls its own task and nothing else: it skips views, and
//! its own further commands wait until it has read the answers to the earlier ones.

use std::{
    fs, io,
    net::SocketAddr,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use ipc::{
    Census, Command, CommandError, Diagnostics, FrameError, FromDesk, MAX_FRAME_FROM_DESK, MAX_FRAME_TO_DESK,
    Query, Reply, ToDesk, View,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{Semaphore, mpsc, oneshot, watch},
    time::timeout,
};
use tracing::{info, warn};

use crate::{
    aloud::{self, Aloud},
    connectors::Connectors,
    contacts::Contacts,
    engine::{Event, Gauges},
    paper,
    records::Records,
    sign_in::{self, Gate},
    sound_check::{self, Follower, Listener, Sound},
    trace::{self, Wanted},
    updating::Stick,
    watching::{Viewed, Watching},
};

/// Clients at once. The appliance has one screen; the rest is for support and scripts.
const MAX_CLIENTS: usize = 16;
/// Answers a client may leave unread before its next request waits. Few, because one may be a page of
/// some hundred rows or a whole view.
const MAX_UNREAD: usize = 4;
/// Requests of the disk that a client may wait for while its other requests go on; the next one holds them up.
const MAX_ASIDE: usize = 16;
/// How long a client may take to say hello.
const HELLO_TIME: Duration = Duration::from_secs(5);
/// How long one frame may take to be read by the client before it is disconnected.
const WRITE_TIME: Duration = Duration::from_secs(30);
/// How long the engine may take to say what it holds.
const CENSUS_TIME: Duration = Duration::from_secs(1);

/// What a client task needs of the desk.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) inbox: mpsc::Sender<Event>,
    pub(crate) views: watch::Receiver<Arc<View>>,
    /// What clients may do while nobody is signed in or the screen is locked.
    pub(crate) gate: watch::Receiver<Gate>,
    /// PINs are looked at one at a time.
    pub(crate) pins: Arc<Semaphore>,
    pub(crate) sound: Sound,
    pub(crate) aloud: Aloud,
    pub(crate) contacts: Contacts,
    pub(crate) records: Records,
    pub(crate) customers: Connectors,
    /// Folders with files of contacts.
    pub(crate) folders: Arc<[PathBuf]>,
    pub(crate) gauges: Arc<Gauges>,
    pub(crate) watching: Watching,
    /// Where the box updates itself.
    pub(crate) update: Option<update::Handle>,
    pub(crate) started: Instant,
    pub(crate) sip_address: SocketAddr,
}

/// The socket's place in the file system. It is freed when this is dropped, unless another desk has
/// taken it meanwhile.
#[derive(Debug)]
pub(crate) struct Place {
    path: PathBuf,
    mark: Mark,
}

/// What tells one socket from the next at the same path: inodes are used again, so the time as well.
type Mark = (u64, u64, i64, i64);

impl Drop for Place {
    fn drop(&mut self) {
        if mark(&self.path).is_ok_and(|there| there == self.mark) {
            // What stays behind is replaced by the next desk.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn mark(path: &Path) -> io::Result<Mark> {
    let there = fs::symlink_metadata(path)?;
    Ok((there.dev(), there.ino(), there.ctime(), there.ctime_nsec()))
}

/// Binds the socket, taking the place of one left behind by a desk that died.
///
/// # Errors
/// Another desk answers there, something else stands there, or the folder cannot be written.
pub(crate) fn bind(path: &Path) -> Result<(UnixListener, Place)> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    if let Ok(there) = fs::symlink_metadata(path) {
        if !there.file_type().is_socket() {
            bail!("{} is no socket and is left alone; give another path for `socket`", path.display());
        }
        if std::os::unix::net::UnixStream::connect(path).is_ok() {
            bail!("another frontdeskd already listens on {}", path.display());
        }
        fs::remove_file(path).with_context(|| format!("cannot replace {}", path.display()))?;
    }
    let listener =
        UnixListener::bind(path).with_context(|| format!("cannot listen on {}", path.display()))?;
    // The screen runs as another user of the same group.
    fs::set_permissions(path, fs::Permissions::from_mode(0o660))?;
    Ok((listener, Place { path: path.to_owned(), mark: mark(path)? }))
}

/// Accepts clients until the task is dropped.
pub(crate) async fn serve(listener: UnixListener, desk: Desk) {
    let places = Arc::new(Semaphore::new(MAX_CLIENTS));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, most likely: give the others time to end.
                warn!(%error, "cannot accept a client");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            turn_away(&stream);
            continue;
        };
        let desk = desk.clone();
        tokio::spawn(async move {
            client(stream, desk).await;
            drop(place);
        });
    }
}

async fn client(stream: UnixStream, desk: Desk) {
    let (read, write) = stream.into_split();
    let (answers, unread) = mpsc::channel(MAX_UNREAD);
    let stopped = engine_stopped(desk.views.clone());
    tokio::pin!(stopped);
    let mut reader = Reader {
        stream: read,
        decoder: ipc::Decoder::new(MAX_FRAME_TO_DESK),
        places: Arc::new(Semaphore::new(MAX_ASIDE)),
    };
    let hello = tokio::select! {
        hello = timeout(HELLO_TIME, reader.hello()) => hello,
        () = &mut stopped => return,
    };
    let (program, follow) = match hello {
        Ok(Ok(hello)) => hello,
        Ok(Err(error)) => return refuse(write, error.to_string()).await,
        Err(_) => return refuse(write, "no hello came".into()).await,
    };
    info!(program, follow, "client connected");
    let viewed = desk.watching.client(&program);
    let (mut listener, follower) = desk.sound.client();
    let views = follow.then(|| desk.views.clone());
    let writer = tokio::spawn(write_frames(write, unread, views, follower));
    let welcome = FromDesk::Welcome { version: env!("CARGO_PKG_VERSION").into() };
    let end = match answers.send(welcome).await {
        Ok(()) => tokio::select! {
            end = reader.serve(&desk, (&viewed, &mut listener), &answers) => end,
            () = &mut stopped => Ok(()),
        },
        Err(_) => Ok(()),
    };
    if let Err(error) = end {
        warn!(program, %error, "client disconnected for what it sent");
        let _ = answers.try_send(FromDesk::Refused { reason: error.to_string() });
    }
    drop(answers);
    // Nobody watches a screen that is gone, and it listens to nothing.
    drop(viewed);
    listener.leave().await;
    // A desk that stops waits for whoever holds its threads; the writer does not need them.
    drop(desk);
    // The writer ends by itself once the answers are out; a client that reads nothing runs into WRITE_TIME.
    let _ = writer.await;
    info!(program, "client gone");
}

/// Ends when no view will come any more: the desk is stopping, and its clients let go of it.
async fn engine_stopped(mut views: watch::Receiver<Arc<View>>) {
    while views.changed().await.is_ok() {}
}

/// Says why without waiting: the buffer of a fresh connection has room for one line.
fn turn_away(stream: &UnixStream) {
    warn!(MAX_CLIENTS, "a client was turned away, there are too many");
    let reason = format!("{MAX_CLIENTS} programs are connected already");
    if let Ok(frame) = ipc::encode(&FromDesk::Refused { reason }, MAX_FRAME_FROM_DESK) {
        let _ = stream.try_write(&frame);
    }
}

async fn refuse(mut write: OwnedWriteHalf, reason: String) {
    warn!(reason, "client refused");
    if let Ok(frame) = ipc::encode(&FromDesk::Refused { reason }, MAX_FRAME_FROM_DESK) {
        let _ = timeout(WRITE_TIME, write.write_all(&frame)).await;
    }
}

struct Reader {
    stream: OwnedReadHalf,
    decoder: ipc::Decoder,
    places: Arc<Semaphore>,
}

impl Reader {
    /// The next message; `None` when the client has closed.
    async fn next(&mut self) -> Result<Option<ToDesk>> {
        loop {
            if let Some(message) = self.decoder.next_message()? {
                return Ok(Some(message));
            }
            let mut bytes = [0; 4096];
            match self.stream.read(&mut bytes).await {
                Ok(0) => return Ok(None),
                Ok(n) => self.decoder.push(&bytes[..n]),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn hello(&mut self) -> Result<(String, bool)> {
        match self.next().await? {
            Some(ToDesk::Hello { protocol: ipc::PROTOCOL, program, follow }) => {
                Ok((program.chars().take(64).filter(|c| !c.is_control()).collect(), follow))
            }
            Some(ToDesk::Hello { protocol, .. }) => {
                bail!("the client speaks protocol {protocol}, this desk speaks {}", ipc::PROTOCOL)
            }
            Some(_) => bail!("the first message must be Hello"),
            None => bail!("closed before saying hello"),
        }
    }

    async fn serve(
        &mut self,
        desk: &Desk,
        (viewed, listener): (&Viewed, &mut Listener),
        answers: &mpsc::Sender<FromDesk>,
    ) -> Result<()> {
        let mut stick = Stick::new(desk.update.clone());
        while let Some(message) = self.next().await? {
            if let Some(refusal) = refusal(desk, &message) {
                if answers.send(refusal).await.is_err() {
                    break;
                }
                continue;
            }
            match message {
                ToDesk::Hello { .. } => bail!("Hello came twice"),
                ToDesk::Command { seq, command } if paper::is_its_business(&command) => {
                    // Whoever sits here now is meant, even if somebody else does when it is done.
                    let operator = desk.gate.borrow().operator;
                    self.aside(desk, answers, move |desk| paper::change(desk, seq, command, operator)).await;
                }
                ToDesk::Command { seq, command } if sign_in::is_its_business(&command) => {
                    let attempt = move |desk: Desk| async move {
                        vec![FromDesk::Done { seq, result: sign_in::attempt(&desk, command).await }]
                    };
                    self.aside(desk, answers, attempt).await;
                }
                ToDesk::Command { seq, command: Command::AllowWatching { allow } } => {
                    let result = viewed.allow(allow);
                    if answers.send(FromDesk::Done { seq, result }).await.is_err() {
                        break;
                    }
                }
                ToDesk::Command { seq, command } if sound_check::is_its_business(&command) => {
                    let result = listener.obey(&command).await;
                    if answers.send(FromDesk::Done { seq, result }).await.is_err() {
                        break;
                    }
                }
                ToDesk::Command { seq, command } if aloud::is_its_business(&command) => {
                    let result = desk.aloud.obey(command);
                    if answers.send(FromDesk::Done { seq, result }).await.is_err() {
                        break;
                    }
                }
                ToDesk::Picture { png } => viewed.picture(&png)?,
                ToDesk::Stick { seq, part } => {
                    let result = stick.take(part).await;
                    if answers.send(FromDesk::Done { seq, result }).await.is_err() {
                        break;
                    }
                }
                ToDesk::Command { seq, command } => {
                    let is_kept = is_kept(&command);
                    let result = run(desk, command).await;
                    if is_kept && result.is_ok() {
                        let written = move |desk: Desk| async move {
                            desk.records.written().await;
                            vec![FromDesk::Done { seq, result }]
                        };
                        self.aside(desk, answers, written).await;
                    } else if answers.send(FromDesk::Done { seq, result }).await.is_err() {
                        break;
                    }
                }
                ToDesk::Query { seq, query } if paper::is_asked(&query) => {
                    let operator = desk.gate.borrow().operator;
                    self.aside(desk, answers, move |desk| paper::look_up(desk, seq, query, operator)).await;
                }
                ToDesk::Query { seq, query } => {
                    let reply = answer(desk, query).await;
                    if answers.send(FromDesk::Reply { seq, reply }).await.is_err() {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Does what the disk has a part in, and answers when it is done. That may take as long as a file of
    /// contacts is long: a call is answered meanwhile.
    async fn aside<F>(&self, desk: &Desk, answers: &mpsc::Sender<FromDesk>, work: impl FnOnce(Desk) -> F)
    where
        F: Future<Output = Vec<FromDesk>> + Send + 'static,
    {
        // The places are never closed.
        let Ok(place) = Arc::clone(&self.places).acquire_owned().await else { return };
        let (work, answers) = (work(desk.clone()), answers.clone());
        tokio::spawn(async move {
            // The records thread ends with the last that may ask it; a client that does not read is none.
            for answer in work.await {
                let _ = answers.send(answer).await;
            }
            drop(place);
        });
    }
}

/// Whether the answer means that the disk has it: what an operator chose must be there after a power cut.
fn is_kept(command: &Command) -> bool {
    use Command::{SavePreferences, SetLanguage, SetLockAfter, SetTheme};
    matches!(command, SavePreferences(_) | SetLanguage { .. } | SetLockAfter { .. } | SetTheme { .. })
}

/// The answer to what a desk does not do while nobody is signed in, or its screen is locked.
fn refusal(desk: &Desk, message: &ToDesk) -> Option<FromDesk> {
    let gate = *desk.gate.borrow();
    match message {
        ToDesk::Command { seq, command } => {
            gate.admits(command).err().map(|error| FromDesk::Done { seq: *seq, result: Err(error) })
        }
        ToDesk::Query { seq, query } => {
            let failed = |error: CommandError| Reply::Failed { reason: error.to_string() };
            gate.answers(query).err().map(|error| FromDesk::Reply { seq: *seq, reply: failed(error) })
        }
        // Who has the box in their hands updates it, whoever is signed in.
        ToDesk::Hello { .. } | ToDesk::Picture { .. } | ToDesk::Stick { .. } => None,
    }
}

async fn answer(desk: &Desk, query: Query) -> Reply {
    let stopping = || Reply::Failed { reason: "the desk is shutting down".into() };
    match query {
        Query::View => Reply::View(Box::new(View::clone(&desk.views.borrow()))),
        Query::Contacts(query) => desk.contacts.page(query).await.map_or_else(stopping, Reply::Contacts),
        Query::Place { contact, sort } => {
            desk.contacts.place(contact, sort).await.map_or_else(stopping, Reply::Place)
        }
        // Asked aside.
        Query::Picture(_)
        | Query::Contact(_)
        | Query::ContactFiles
        | Query::Log(_)
        | Query::Statistics(_)
        | Query::CallDays { .. }
        | Query::Marks { .. }
        | Query::Note
        | Query::Reminders
        | Query::People { .. } => stopping(),
        Query::Diagnostics => Reply::Diagnostics(diagnostics(desk).await),
        Query::Trace { call, after } => {
            trace::page(&desk.inbox, Wanted { call, after }).await.map_or_else(stopping, Reply::Trace)
        }
        Query::CallFigures => {
            let (reply, answer) = oneshot::channel();
            let _ = desk.inbox.send(Event::CallFigures { reply }).await;
            answer.await.map_or_else(|_| stopping(), Reply::CallFigures)
        }
    }
}

/// How the desk itself does.
pub(crate) async fn diagnostics(desk: &Desk) -> Diagnostics {
    Diagnostics {
        version: env!("CARGO_PKG_VERSION").into(),
        up_ms: u64::try_from(desk.started.elapsed().as_millis()).unwrap_or(u64::MAX),
        resident_kib: resident_kib().unwrap_or_default(),
        turns: desk.gauges.turns.figures(),
        views: desk.gauges.views.load(Ordering::Relaxed),
        sip_address: desk.sip_address.to_string(),
        census: census(desk).await,
    }
}

/// What the engine holds; diagnostics of an engine that hangs must come nevertheless.
async fn census(desk: &Desk) -> Option<Census> {
    let (reply, answer) = oneshot::channel();
    let ask = async {
        desk.inbox.send(Event::Census { reply }).await.ok()?;
        answer.await.ok()
    };
    timeout(CENSUS_TIME, ask).await.ok().flatten()
}

/// Resident memory by the kernel's account.
fn resident_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// A name typed where a number belongs is replaced by its contact's number.
async fn with_number(desk: &Desk, command: Command) -> Result<Command, CommandError> {
    Ok(match command {
        Command::Dial { number, line } => Command::Dial { number: desk.contacts.number(number).await?, line },
        Command::BlindTransfer { call, to } => {
            Command::BlindTransfer { call, to: desk.contacts.number(to).await? }
        }
        other => other,
    })
}

/// Runs one command of the engine.
pub(crate) async fn run(desk: &Desk, command: Command) -> Result<(), CommandError> {
    let command = match with_number(desk, command).await {
        Ok(command) => command,
        Err(error) => return Err(error),
    };
    let (reply, answer) = oneshot::channel();
    let stopping = || CommandError::Failed { reason: "the desk is shutting down".into() };
    if desk.inbox.send(Event::Command { command, reply }).await.is_err() {
        return Err(stopping());
    }
    answer.await.unwrap_or_else(|_| Err(stopping()))
}

/// Writes answers as they come and, for a follower, the newest view whenever the socket is free; to who asked, the newest
/// of the sound as well.
async fn write_frames(
    mut stream: OwnedWriteHalf,
    mut answers: mpsc::Receiver<FromDesk>,
    mut views: Option<watch::Receiver<Arc<View>>>,
    mut sound: Follower,
) {
    if let Some(views) = &mut views {
        views.mark_changed();
    }
    let (mut welcomed, mut is_cut) = (false, false);
    loop {
        let mut message = tokio::select! {
            biased;
            answer = answers.recv() => match answer {
                Some(answer) => answer,
                None => return,
            },
            view = newest(&mut views), if welcomed => match view {
                Some(view) => FromDesk::View(Box::new(View::clone(&view))),
                None => return,
            },
            sound = sound.next(), if welcomed => FromDesk::Sound(sound),
        };
        welcomed = true;
        let frame = match framed(&mut message, &mut is_cut) {
            Ok(frame) => frame,
            Err(error) if view_in(&mut message).is_some() => {
                // A screen that stands still is believed; one without a desk says so.
                warn!(%error, "a client was disconnected: the view is too large for it");
                return;
            }
            Err(error) => {
                warn!(%error, "an answer was left out");
                continue;
            }
        };
        match timeout(WRITE_TIME, stream.write_all(&frame)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return,
            Err(_) => {
                warn!("a client that does not read was disconnected");
                return;
            }
        }
    }
}

/// The frame of a message. A view that is too large goes without who is on the monitored phones: an exchange may say
/// more of each than there is room for in all. `is_cut` remembers that it was said.
fn framed(message: &mut FromDesk, is_cut: &mut bool) -> Result<Vec<u8>, FrameError> {
    let error = match ipc::encode(message, MAX_FRAME_FROM_DESK) {
        Ok(frame) => return Ok(frame),
        Err(error) => error,
    };
    let Some(view) = view_in(message) else { return Err(error) };
    if !std::mem::replace(is_cut, true) {
        warn!(%error, "who is on the monitored phones is left out: the view is too large");
    }
    sign_in::conceal_lamps(view);
    ipc::encode(message, MAX_FRAME_FROM_DESK)
}

fn view_in(message: &mut FromDesk) -> Option<&mut View> {
    match message {
        FromDesk::View(view) | FromDesk::Reply { reply: Reply::View(view), .. } => Some(view.as_mut()),
        _ => None,
    }
}

/// The next view not sent yet; waits for ever for a client that does not follow.
async fn newest(views: &mut Option<watch::Receiver<Arc<View>>>) -> Option<Arc<View>> {
    let Some(views) = views else { return std::future::pending().await };
    views.changed().await.ok()?;
    Some(Arc::clone(&views.borrow_and_update()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use ipc::{LampCall, LampState, LampView, Party};

    use super::*;

    #[test]
    fn pre_4_a_view_that_is_too_large_says_what_the_phones_do_and_not_with_whom() {
        let party = Party { name: Some("x".repeat(MAX_FRAME_FROM_DESK)), ..Party::default() };
        let lamp = LampView {
            number: "2101".into(),
            state: LampState::Busy,
            calls: 1,
            peer: None,
            since_ms: 7,
            rings: None,
            talks: vec![LampCall { ringing: false, direction: None, party, talk: None }],
        };
        let view = View { lamps: vec![Arc::new(lamp.clone())], ..View::default() };
        let mut decoder = ipc::Decoder::new(MAX_FRAME_FROM_DESK);
        decoder.push(&framed(&mut FromDesk::View(Box::new(view)), &mut false).unwrap());
        let Some(FromDesk::View(view)) = decoder.next_message().unwrap() else { panic!("no view") };
        assert_eq!(*view.lamps[0], LampView { talks: Vec::new(), ..lamp });
        let reason = "x".repeat(MAX_FRAME_FROM_DESK);
        assert!(framed(&mut FromDesk::Refused { reason }, &mut false).is_err());
    }

    #[tokio::test]
    async fn what_is_no_socket_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("desk.db");
        fs::write(&path, "precious").unwrap();
        assert!(bind(&path).unwrap_err().to_string().contains("is no socket"));
        assert_eq!(fs::read(&path).unwrap(), b"precious");
    }

    #[tokio::test]
    async fn a_second_desk_is_refused_and_the_place_of_a_dead_one_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("desk.sock");
        let (listener, place) = bind(&path).unwrap();
        assert!(bind(&path).unwrap_err().to_string().contains("already listens"));
        drop(listener);
        let (_listener, newer) = bind(&path).unwrap();
        drop(place);
        assert!(path.exists(), "a desk that ends late leaves its successor's socket alone");
        drop(newer);
        assert!(!path.exists());
    }
}
