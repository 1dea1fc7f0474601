//! The socket to the desk: connects, again and again, sends commands and takes views.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipc::{Command, CommandError, Decoder, FromDesk, PROTOCOL, ToDesk, View};
use mio::net::UnixStream;
use mio::{Interest, Registry, Token};
use tracing::{info, warn};

/// What we call ourselves.
const PROGRAM: &str = "frontdesk-controls";
/// First and longest pause between two attempts to connect.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// How long the desk may take to welcome us.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes that may wait for a desk that does not read: commands of a person at a time.
const MOST_WAITING: usize = 16 * 1024;

/// What the desk says.
#[derive(Debug)]
pub(crate) enum Heard {
    View(Box<View>),
    Done(Result<(), CommandError>),
    /// The connection is gone.
    Gone,
}

/// See the module.
pub(crate) struct Link {
    path: PathBuf,
    open: Option<Open>,
    seq: u64,
    pause: Duration,
    next: Duration,
    /// Why there was no connection, as was told.
    told: Option<String>,
}

struct Open {
    stream: UnixStream,
    decoder: Decoder,
    waiting: Vec<u8>,
    is_welcome: bool,
    until: Duration,
}

impl Link {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), open: None, seq: 0, pause: PAUSES.0, next: Duration::ZERO, told: None }
    }

    /// When [`Link::connect_if_due`] is to be called.
    pub(crate) fn due(&self) -> Option<Duration> {
        match &self.open {
            None => Some(self.next),
            Some(open) => (!open.is_welcome).then_some(open.until),
        }
    }

    /// Connects when it is time; also gives a desk up that does not welcome us. Then there is something to hear.
    pub(crate) fn connect_if_due(&mut self, now: Duration, registry: &Registry, token: Token) -> bool {
        if self.due().is_none_or(|due| due > now) {
            return false;
        }
        if self.open.is_some() {
            self.lose(now, registry, "it does not welcome us");
            return true;
        }
        let opened = UnixStream::connect(&self.path).and_then(|mut stream| {
            registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
            Ok(stream)
        });
        match opened {
            Ok(stream) => {
                let decoder = Decoder::new(ipc::MAX_FRAME_FROM_DESK);
                let waiting = Vec::new();
                self.open = Some(Open { stream, decoder, waiting, is_welcome: false, until: now + PATIENCE });
                let hello = ToDesk::Hello { protocol: PROTOCOL, program: PROGRAM.into(), follow: true };
                self.send(&hello);
            }
            Err(error) => self.lose(now, registry, &error.to_string()),
        }
        true
    }

    /// Takes what there is to hear, and sends what waits.
    pub(crate) fn hear(&mut self, now: Duration, registry: &Registry) -> Vec<Heard> {
        let mut heard = Vec::new();
        let Some(open) = &mut self.open else { return heard };
        let was_welcome = open.is_welcome;
        let end = open.flush().and_then(|()| open.read(&mut heard));
        if open.is_welcome && !was_welcome {
            info!(socket = %self.path.display(), "connected to the desk");
            (self.pause, self.told) = (PAUSES.0, None);
        }
        if let Err(error) = end {
            self.lose(now, registry, &error.to_string());
            heard.push(Heard::Gone);
        }
        heard
    }

    /// Sends a command; `false` when the desk cannot be reached.
    pub(crate) fn command(&mut self, command: Command) -> bool {
        self.seq += 1;
        let is_open = self.open.as_ref().is_some_and(|open| open.is_welcome);
        is_open && self.send(&ToDesk::Command { seq: self.seq, command })
    }

    fn send(&mut self, message: &ToDesk) -> bool {
        let Some(open) = &mut self.open else { return false };
        let Ok(frame) = ipc::encode(message, ipc::MAX_FRAME_TO_DESK) else { return false };
        if open.waiting.len() + frame.len() > MOST_WAITING {
            return false;
        }
        open.waiting.extend(frame);
        // A connection that fails here is read to its end, and then given up.
        open.flush().is_ok()
    }

    fn lose(&mut self, now: Duration, registry: &Registry, reason: &str) {
        if let Some(mut open) = self.open.take() {
            // Closing it does the same.
            let _ = registry.deregister(&mut open.stream);
        }
        if self.told.as_deref() != Some(reason) {
            warn!(socket = %self.path.display(), "the desk cannot be reached: {reason}");
            self.told = Some(reason.to_owned());
        }
        self.next = now + self.pause;
        self.pause = (self.pause * 2).min(PAUSES.1);
    }
}

impl Open {
    fn flush(&mut self) -> io::Result<()> {
        while !self.waiting.is_empty() {
            match self.stream.write(&self.waiting) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => drop(self.waiting.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn read(&mut self, heard: &mut Vec<Heard>) -> io::Result<()> {
        let mut room = vec![0; 64 * 1024];
        loop {
            let read = match self.stream.read(&mut room) {
                Ok(0) => return Err(io::Error::other("it closed the connection")),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            self.decoder.push(&room[..read]);
            while let Some(message) = self.decoder.next_message::<FromDesk>().map_err(io::Error::other)? {
                match message {
                    FromDesk::Welcome { .. } => self.is_welcome = true,
                    FromDesk::Refused { reason } => {
                        return Err(io::Error::other(format!("it refused us: {reason}")));
                    }
                    FromDesk::View(view) => {
                        // Only the newest counts.
                        heard.retain(|heard| !matches!(heard, Heard::View(_)));
                        heard.push(Heard::View(view));
                    }
                    FromDesk::Done { result, .. } => heard.push(Heard::Done(result)),
                    // Nothing is asked, and the sound is not listened to.
                    FromDesk::Sound(_) | FromDesk::Reply { .. } => {}
                }
            }
        }
    }
}
