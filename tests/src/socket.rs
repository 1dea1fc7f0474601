//! A client of the desk's socket: sends commands and questions, follows the views. The test blocks
//! on the socket until the view it waits for comes.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use ipc::{
    CallRef, CallView, Command, CommandError, ContactId, ContactPage, ContactQuery, ContactRow, Decoder,
    Diagnostics, DirectoryId, Edit, FromDesk, LogPage, LogQuery, LogRow, MAX_FRAME_FROM_DESK,
    MAX_FRAME_TO_DESK, PROTOCOL, Query, Reply, SortKey, SoundView, ToDesk, View, encode,
};

/// How long the desk may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Rows of the log asked for at once.
const PAGE: u32 = 500;

/// A connection that follows the desk.
#[derive(Debug)]
pub struct Client {
    stream: UnixStream,
    decoder: Decoder,
    view: Option<View>,
    /// `view` was not given out by [`Client::next_view`].
    unseen: bool,
    /// What was told of the sound and not looked at yet.
    sound: Vec<SoundView>,
    seq: u64,
}

impl Client {
    /// Connects and shakes hands.
    ///
    /// # Panics
    /// When the desk does not welcome us.
    #[must_use]
    #[track_caller]
    pub fn connect(socket: &Path) -> Self {
        Self::connect_as(socket, "frontdesk-tests")
    }

    /// Likewise, as a program of that name.
    ///
    /// # Panics
    /// When the desk does not welcome us.
    #[must_use]
    #[track_caller]
    pub fn connect_as(socket: &Path, program: &str) -> Self {
        let stream = UnixStream::connect(socket);
        let stream = stream.unwrap_or_else(|error| panic!("{}: {error}", socket.display()));
        let decoder = Decoder::new(MAX_FRAME_FROM_DESK);
        let mut client = Self { stream, decoder, view: None, unseen: false, sound: Vec::new(), seq: 0 };
        client.send(&ToDesk::Hello { protocol: PROTOCOL, program: program.into(), follow: true });
        let welcome = client.receive(PATIENCE);
        assert!(matches!(welcome, Some(FromDesk::Welcome { .. })), "no welcome but {welcome:?}");
        client
    }

    /// Reads views until one pleases `wanted`. The newest known view is tried first.
    ///
    /// # Panics
    /// When none does within `limit`; the message has the last view.
    #[track_caller]
    pub fn wait(&mut self, what: &str, limit: Duration, wanted: impl Fn(&View) -> bool) -> View {
        let end = Instant::now() + limit;
        loop {
            if let Some(view) = self.view.as_ref().filter(|view| wanted(view)) {
                return view.clone();
            }
            let left = end.saturating_duration_since(Instant::now());
            let message = if left.is_zero() { None } else { self.receive(left) };
            let Some(message) = message else {
                panic!("the desk does not show {what} within {limit:?}: {:#?}", self.view)
            };
            self.note(message);
        }
    }

    /// The next view that comes, or `None` when none comes within `limit`.
    ///
    /// # Panics
    /// When the desk sends what is no frame.
    #[track_caller]
    pub fn next_view(&mut self, limit: Duration) -> Option<View> {
        let end = Instant::now() + limit;
        // One that came while a command was answered has not been looked at.
        while !self.unseen {
            let left = end.saturating_duration_since(Instant::now());
            let message = if left.is_zero() { None } else { self.receive(left) };
            self.note(message?);
        }
        self.unseen = false;
        self.view.clone()
    }

    /// Waits until what the desk tells of the sound pleases `wanted`, after [`Command::Meter`]. What came earlier is let
    /// go.
    ///
    /// # Panics
    /// When it does not within `limit`; the message has the last of it.
    #[track_caller]
    pub fn wait_sound(
        &mut self,
        what: &str,
        limit: Duration,
        wanted: impl Fn(&SoundView) -> bool,
    ) -> SoundView {
        let (end, mut last) = (Instant::now() + limit, None);
        loop {
            for sound in std::mem::take(&mut self.sound) {
                if wanted(&sound) {
                    return sound;
                }
                last = Some(sound);
            }
            let left = end.saturating_duration_since(Instant::now());
            let message = if left.is_zero() { None } else { self.receive(left) };
            let Some(message) = message else { panic!("not told of {what} within {limit:?}, but {last:?}") };
            self.note(message);
        }
    }

    /// What has been told of the sound since it was looked at last, without waiting for more than an answer.
    #[track_caller]
    pub fn sounds(&mut self) -> Vec<SoundView> {
        self.diagnostics();
        std::mem::take(&mut self.sound)
    }

    /// How the desk itself does.
    ///
    /// # Panics
    /// When it does not say.
    #[track_caller]
    pub fn diagnostics(&mut self) -> Diagnostics {
        match self.query(Query::Diagnostics) {
            Reply::Diagnostics(diagnostics) => diagnostics,
            other => panic!("no diagnostics but {other:?}"),
        }
    }

    /// The whole call log, newest first, page by page.
    ///
    /// # Panics
    /// When the desk does not answer with one.
    #[track_caller]
    pub fn whole_log(&mut self) -> Vec<LogRow> {
        let mut rows = Vec::new();
        loop {
            let page = self.log_from(u32::try_from(rows.len()).unwrap_or(u32::MAX), PAGE);
            rows.extend(page.rows);
            if rows.len() >= page.total as usize {
                return rows;
            }
        }
    }

    /// Waits for a call that pleases `wanted`, incoming or outgoing.
    ///
    /// # Panics
    /// When there is none within `limit`.
    #[track_caller]
    pub fn wait_call(&mut self, what: &str, limit: Duration, wanted: impl Fn(&CallView) -> bool) -> CallView {
        let view = self.wait(what, limit, |view| calls(view).any(&wanted));
        calls(&view).find(|call| wanted(call)).cloned().expect("the view pleased")
    }

    /// Waits until `call` is gone from the desk.
    ///
    /// # Panics
    /// When it is still there after `limit`.
    #[track_caller]
    pub fn wait_gone(&mut self, call: CallRef, limit: Duration) -> View {
        self.wait("the end of the call", limit, |view| calls(view).all(|other| other.call != call))
    }

    /// Sends a command and waits until the desk says whether it could be begun.
    ///
    /// # Errors
    /// The desk's refusal.
    ///
    /// # Panics
    /// When it says nothing.
    #[track_caller]
    pub fn command(&mut self, command: Command) -> Result<(), CommandError> {
        let seq = self.begin(command);
        loop {
            match self.receive(PATIENCE) {
                Some(FromDesk::Done { seq: answered, result }) if answered == seq => return result,
                Some(message) => self.note(message),
                None => panic!("the desk does not answer a command"),
            }
        }
    }

    /// Changes directories; gives back the contact or directory added or changed.
    ///
    /// # Errors
    /// The desk's refusal.
    ///
    /// # Panics
    /// When it says nothing, or does it without saying what.
    #[track_caller]
    pub fn edit(&mut self, edit: Edit) -> Result<(Option<ContactId>, Option<DirectoryId>), CommandError> {
        let (reply, done) = self.command_with_reply(Command::Edit(edit));
        done?;
        match reply {
            Some(Reply::Edited { contact, directory }) => Ok((contact, directory)),
            other => panic!("edited, but {other:?}"),
        }
    }

    /// Sends a command; gives back what the desk says besides whether it could be done.
    ///
    /// # Panics
    /// When it says nothing.
    #[track_caller]
    pub fn command_with_reply(&mut self, command: Command) -> (Option<Reply>, Result<(), CommandError>) {
        let seq = self.begin(command);
        let mut said = None;
        loop {
            match self.receive(PATIENCE) {
                Some(FromDesk::Reply { seq: answered, reply }) if answered == seq => said = Some(reply),
                Some(FromDesk::Done { seq: answered, result }) if answered == seq => return (said, result),
                Some(message) => self.note(message),
                None => panic!("the desk does not answer a command"),
            }
        }
    }

    /// Sends a command and does not wait.
    #[track_caller]
    pub fn begin(&mut self, command: Command) -> u64 {
        let seq = self.next_seq();
        self.send(&ToDesk::Command { seq, command });
        seq
    }

    /// The row of the one contact that a search finds.
    ///
    /// # Panics
    /// When it finds none or several.
    #[track_caller]
    pub fn contact(&mut self, text: &str) -> ContactRow {
        let query = ContactQuery {
            directory: None,
            text: text.into(),
            sort: SortKey::default(),
            offset: 0,
            limit: 2,
        };
        let rows = self.contacts(query).rows;
        let [row] = rows.try_into().unwrap_or_else(|rows| panic!("{text:?} finds {rows:?}"));
        row
    }

    /// A page of the call log.
    ///
    /// # Panics
    /// When the desk does not answer with one.
    #[track_caller]
    pub fn log(&mut self, limit: u32) -> LogPage {
        self.log_from(0, limit)
    }

    #[track_caller]
    fn log_from(&mut self, offset: u32, limit: u32) -> LogPage {
        let query = LogQuery {
            from_unix_ms: 0,
            until_unix_ms: i64::MAX,
            text: String::new(),
            offset,
            limit,
            ..LogQuery::default()
        };
        match self.query(Query::Log(query)) {
            Reply::Log(page) => page,
            other => panic!("no log but {other:?}"),
        }
    }

    /// A page of contacts.
    ///
    /// # Panics
    /// When the desk does not answer with one.
    #[track_caller]
    pub fn contacts(&mut self, query: ContactQuery) -> ContactPage {
        match self.query(Query::Contacts(query)) {
            Reply::Contacts(page) => page,
            other => panic!("no contacts but {other:?}"),
        }
    }

    /// Asks a question.
    ///
    /// # Panics
    /// When no answer comes.
    #[track_caller]
    pub fn query(&mut self, query: Query) -> Reply {
        let seq = self.next_seq();
        self.send(&ToDesk::Query { seq, query });
        loop {
            match self.receive(PATIENCE) {
                Some(FromDesk::Reply { seq: answered, reply }) if answered == seq => return reply,
                Some(message) => self.note(message),
                None => panic!("the desk does not answer a question"),
            }
        }
    }

    fn note(&mut self, message: FromDesk) {
        match message {
            FromDesk::View(view) => {
                self.view = Some(*view);
                self.unseen = true;
            }
            FromDesk::Sound(sound) => self.sound.push(sound),
            _ => {}
        }
    }

    fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }

    #[track_caller]
    fn send(&mut self, message: &ToDesk) {
        let frame = encode(message, MAX_FRAME_TO_DESK).expect("the tests send short messages");
        self.stream.write_all(&frame).expect("the desk's socket is open");
    }

    /// The next message, or `None` when none comes in time or the desk has closed.
    #[track_caller]
    fn receive(&mut self, limit: Duration) -> Option<FromDesk> {
        let end = Instant::now() + limit;
        loop {
            let message = self.decoder.next_message().expect("the desk speaks in frames");
            if message.is_some() {
                return message;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            self.stream.set_read_timeout(Some(left)).expect("a timeout above zero can be set");
            let mut bytes = [0; 65_536];
            match self.stream.read(&mut bytes) {
                Ok(0) => return None,
                Ok(length) => self.decoder.push(&bytes[..length]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
    }
}

/// All calls of a view.
pub fn calls(view: &View) -> impl Iterator<Item = &CallView> {
    view.incoming.iter().chain(&view.outgoing)
}
