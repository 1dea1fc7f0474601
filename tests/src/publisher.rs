//! Tells a presence server what thousands of phones and people do (PUBLISH, RFC 3903), and notes when it has
//! taken it in.

use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use sip::Message;

use crate::kamailio::DOMAIN;
use crate::wait;

/// After this an unanswered PUBLISH is sent again.
const REPEAT: Duration = Duration::from_millis(500);
/// PUBLISHs on their way at once: more would not fit the server's socket buffer.
const WINDOW: usize = 48;
/// How often the reading thread looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(100);
/// Lifetime asked for; longer than any run.
const EXPIRES: u32 = 3600;

/// What a source tells of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A phone's calls, dialog-info.
    Phone,
    /// A person's presence, PIDF.
    Person,
}

impl Kind {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Kind::Phone => ("dialog", sip::dialog_info::CONTENT_TYPE),
            Kind::Person => ("presence", sip::pidf::CONTENT_TYPE),
        }
    }
}

/// Sources behind one socket.
#[derive(Debug)]
pub struct Publisher {
    socket: Arc<UdpSocket>,
    server: SocketAddr,
    sources: Arc<Mutex<Sources>>,
    stop: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Sources {
    list: Vec<Source>,
    by_call_id: HashMap<String, usize>,
    open: usize,
    /// Refusals other than that of an old ETag, by code.
    refused: HashMap<u16, usize>,
}

#[derive(Debug)]
struct Source {
    user: String,
    kind: Kind,
    /// What the server knows its state by.
    etag: Option<String>,
    number: u32,
    /// The PUBLISH without an answer, and when it was sent last.
    open: Option<(Vec<u8>, Instant)>,
    answered: Option<Instant>,
}

impl Publisher {
    /// Publishes to the server on `port` of 127.0.0.1.
    ///
    /// # Panics
    /// Where there is no socket to be had.
    #[must_use]
    pub fn to(port: u16) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("127.0.0.1 has a free port");
        socket.set_read_timeout(Some(LOOK)).expect("a timeout above zero can be set");
        let (socket, sources) = (Arc::new(socket), Arc::new(Mutex::new(Sources::default())));
        let stop = Arc::new(AtomicBool::new(false));
        let work = {
            let (socket, sources, stop) = (Arc::clone(&socket), Arc::clone(&sources), Arc::clone(&stop));
            move || read(&socket, &sources, &stop)
        };
        let server = SocketAddr::from(([127, 0, 0, 1], port));
        Self { socket, server, sources, stop, reader: Some(thread::spawn(work)) }
    }

    /// One more source; its place for [`Publisher::publish`].
    pub fn add(&self, user: &str, kind: Kind) -> usize {
        let mut sources = self.lock();
        let at = sources.list.len();
        sources.by_call_id.insert(call_id(user, kind), at);
        let user = user.to_owned();
        sources.list.push(Source { user, kind, etag: None, number: 0, open: None, answered: None });
        at
    }

    /// Says what a source does, if its last word is answered and not too many others are on their way. When it was
    /// sent.
    #[must_use]
    pub fn publish(&self, source: usize, body: Vec<u8>) -> Option<Instant> {
        let here = self.socket.local_addr().expect("a bound socket has an address");
        let mut sources = self.lock();
        if sources.open >= WINDOW || sources.list[source].open.is_some() {
            return None;
        }
        sources.open += 1;
        let source = &mut sources.list[source];
        let bytes = source.next(here, body);
        let now = Instant::now();
        source.answered = None;
        source.open = Some((bytes.clone(), now));
        // One that does not get out is sent again like one that was lost.
        let _ = self.socket.send_to(&bytes, self.server);
        Some(now)
    }

    /// Likewise, and waits for the answer.
    ///
    /// # Panics
    /// When none comes within `limit`.
    #[track_caller]
    pub fn tell(&self, source: usize, body: Vec<u8>, limit: Duration) {
        wait::until("a free place to publish", limit, || self.publish(source, body.clone()));
        self.settle(limit);
    }

    /// Says what each of `bodies` has for its source, as fast as the server takes it.
    ///
    /// # Panics
    /// When it does not within `limit`.
    #[track_caller]
    pub fn tell_all(&self, bodies: impl IntoIterator<Item = (usize, Vec<u8>)>, limit: Duration) {
        for (source, body) in bodies {
            let end = Instant::now() + limit;
            while self.publish(source, body.clone()).is_none() {
                assert!(Instant::now() < end, "the presence server takes nothing in");
                self.repeat();
                thread::sleep(Duration::from_micros(200));
            }
        }
        self.settle(limit);
    }

    /// Waits until everything is answered.
    ///
    /// # Panics
    /// When it is not within `limit`.
    #[track_caller]
    pub fn settle(&self, limit: Duration) {
        wait::until("the answers of the presence server", limit, || {
            self.repeat();
            (self.lock().open == 0).then_some(())
        });
    }

    /// Sends again what has had no answer for a while.
    pub fn repeat(&self) {
        let now = Instant::now();
        for source in &mut self.lock().list {
            if let Some((bytes, sent)) = source.open.as_mut().filter(|(_, sent)| *sent + REPEAT <= now) {
                *sent = now;
                let _ = self.socket.send_to(bytes, self.server);
            }
        }
    }

    /// When the last word of a source was answered; `None` while it is not.
    #[must_use]
    pub fn answered(&self, source: usize) -> Option<Instant> {
        self.lock().list[source].answered
    }

    /// The server has lost its memory: nothing is on its way, and everything is new to it.
    pub fn forget(&self) {
        let mut sources = self.lock();
        sources.open = 0;
        for source in &mut sources.list {
            (source.etag, source.open) = (None, None);
        }
    }

    /// Refusals, by code.
    #[must_use]
    pub fn refused(&self) -> HashMap<u16, usize> {
        self.lock().refused.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Sources> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(reader) = self.reader.take() {
            // A reader that panicked has said so on standard error.
            let _ = reader.join();
        }
    }
}

impl Source {
    fn next(&mut self, here: SocketAddr, body: Vec<u8>) -> Vec<u8> {
        self.number += 1;
        let (event, content_type) = self.kind.words();
        let (user, number) = (&self.user, self.number);
        let call_id = call_id(user, self.kind);
        let matching = self.etag.as_ref().map(|etag| format!("SIP-If-Match: {etag}\r\n")).unwrap_or_default();
        let mut message = format!(
            "PUBLISH sip:{user}@{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK{call_id}-{number}\r\n\
             Max-Forwards: 9\r\nFrom: <sip:{user}@{DOMAIN}>;tag=p\r\nTo: <sip:{user}@{DOMAIN}>\r\n\
             Call-ID: {call_id}\r\nCSeq: {number} PUBLISH\r\nEvent: {event}\r\nExpires: {EXPIRES}\r\n{matching}\
             Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        message.extend(body);
        message
    }
}

fn call_id(user: &str, kind: Kind) -> String {
    format!("{}.{user}", kind.words().0)
}

/// Takes answers until it is told to stop.
fn read(socket: &UdpSocket, sources: &Mutex<Sources>, stop: &AtomicBool) {
    let mut bytes = [0; 65_536];
    while !stop.load(Ordering::Acquire) {
        let Ok(length) = socket.recv(&mut bytes) else { continue };
        let now = Instant::now();
        let Ok(message) = Message::parse(&bytes[..length]) else { continue };
        let mut sources = sources.lock().unwrap_or_else(PoisonError::into_inner);
        sources.take(now, &message);
    }
}

impl Sources {
    fn take(&mut self, now: Instant, answer: &Message) {
        let (Some(code), Some(call_id)) = (answer.code().filter(|code| *code >= 200), answer.call_id())
        else {
            return;
        };
        let Some(source) = self.by_call_id.get(call_id).and_then(|at| self.list.get_mut(*at)) else { return };
        let is_current = answer.cseq().is_some_and(|cseq| cseq.number == source.number);
        if !is_current || source.open.take().is_none() {
            return;
        }
        self.open = self.open.saturating_sub(1);
        if code < 300 {
            source.answered = Some(now);
            source.etag = answer.header("SIP-ETag").map(str::to_owned);
        } else {
            source.etag = None;
            *self.refused.entry(code).or_default() += 1;
        }
    }
}
