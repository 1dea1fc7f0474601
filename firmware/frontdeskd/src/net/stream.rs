//! One connection, ours or a peer's: opened, read and written until it breaks, with its reason.
//!
//! What it reads waits for the engine in a bounded room and then no more is read, so that the peer waits; what it
//! shall write waits in a bounded queue that the table (`super`) fills.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use sip::{
    Target, Transport,
    stream::{Frame, Framer, PING, PONG},
};
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split},
    net::{TcpSocket, TcpStream},
    sync::{Semaphore, mpsc, watch},
    time::{Instant, sleep, timeout, timeout_at},
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, pki_types::ServerName},
};
use tracing::debug;

use super::{ConnectionId, News, first_line, mark, tls};
use crate::engine::Event;

/// How long a connection may take until it can be used, TLS included.
const OPEN: Duration = Duration::from_secs(4);
/// How long the peer's system may leave what we sent unacknowledged.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);
/// How long one message may take to leave.
const WRITE: Duration = Duration::from_secs(10);
/// So often we ask whether the peer is there …
const PING_EVERY: Duration = Duration::from_secs(25);
/// … and so long one that has ever answered may take to do it again (RFC 5626 section 4.4.1).
const ANSWER: Duration = Duration::from_secs(10);
/// How long a message may take from its first byte to its last.
const MESSAGE: Duration = Duration::from_secs(30);
/// How long a peer that connected may take to say something.
const FIRST_MESSAGE: Duration = Duration::from_secs(30);
/// How long it may be silent then: longer than anybody lets a telephone ring, since an answer goes back by the
/// connection of its request.
const IDLE: Duration = Duration::from_secs(600);
/// How long a connection of ours stays that nobody uses.
const UNUSED: Duration = Duration::from_secs(7200);
/// Bytes read at once.
const READ: usize = 16 * 1024;

/// From a connection to the engine.
#[derive(Clone)]
pub(crate) struct Way {
    pub(super) inbox: mpsc::Sender<Event>,
    /// Messages of all streams that may wait for the engine.
    pub(super) room: Arc<Semaphore>,
}

/// Who opened a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Ours,
    Theirs,
}

/// A connection to be opened.
pub(super) struct Dial {
    pub(super) id: ConnectionId,
    pub(super) target: Target,
    /// What the certificate must be for; the address where it is not known.
    pub(super) server_name: Option<String>,
    /// The address to come from, where that matters.
    pub(super) from: Option<IpAddr>,
    pub(super) tls: Arc<ClientConfig>,
}

/// Opens a connection and carries it until its end.
pub(super) async fn dial(dial: Dial, queue: mpsc::Receiver<Vec<u8>>, way: Way) {
    let Dial { id, target, .. } = dial;
    let opened = timeout(OPEN, open(&dial)).await;
    let reason = match opened {
        Ok(Ok((stream, local))) => {
            way.tell(News::Opened { id, target, local, theirs: None }).await;
            match stream {
                Open::Plain(stream) => carry(stream, target, Side::Ours, queue, &way).await,
                Open::Secure(stream) => carry(*stream, target, Side::Ours, queue, &way).await,
            }
        }
        Ok(Err(reason)) => reason,
        Err(_) => format!("no connection within {} s", OPEN.as_secs()),
    };
    way.tell(News::Closed { id, target, reason }).await;
}

enum Open {
    Plain(TcpStream),
    Secure(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

async fn open(dial: &Dial) -> Result<(Open, SocketAddr), String> {
    let address = dial.target.address;
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let socket = socket.map_err(|error| why(&error))?;
    if let Some(from) = dial.from {
        socket.bind((from, 0).into()).map_err(|error| why(&error))?;
    }
    let tcp = socket.connect(address).await.map_err(|error| why(&error))?;
    let local = tcp.local_addr().map_err(|error| why(&error))?;
    tune(&tcp);
    if dial.target.transport != Transport::Tls {
        return Ok((Open::Plain(tcp), local));
    }
    let name = match &dial.server_name {
        Some(name) => ServerName::try_from(name.clone())
            .map_err(|_| format!("{name} is no name that a certificate can be for"))?,
        None => ServerName::from(address.ip()),
    };
    let connector = TlsConnector::from(Arc::clone(&dial.tls));
    let tls = connector.connect(name, tcp).await.map_err(|error| tls::why(&error))?;
    Ok((Open::Secure(Box::new(tls)), local))
}

/// Small messages go at once, and a peer whose machine is gone is noticed.
pub(super) fn tune(tcp: &TcpStream) {
    let socket = SockRef::from(tcp);
    let tuned = socket.set_tcp_nodelay(true).and_then(|()| socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED)));
    if let Err(error) = tuned {
        debug!(%error, "socket options");
    }
    mark(&socket, tcp.local_addr().is_ok_and(|address| address.is_ipv6()));
}

/// Reads and writes a connection until its end; why it has ended.
pub(super) async fn carry<S>(
    stream: S,
    peer: Target,
    side: Side,
    queue: mpsc::Receiver<Vec<u8>>,
    way: &Way,
) -> String
where
    S: AsyncRead + AsyncWrite,
{
    let (reader, writer) = split(stream);
    let (own, own_words) = mpsc::channel(4);
    let (pongs, heard) = watch::channel(0_u64);
    tokio::select! {
        reason = read(reader, peer, side, (own.clone(), pongs), way) => reason,
        reason = write(writer, peer, queue, own_words) => reason,
        reason = keep_alive(own, heard), if side == Side::Ours => reason,
    }
}

async fn read<S: AsyncRead>(
    mut reader: ReadHalf<S>,
    peer: Target,
    side: Side,
    (own, pongs): (mpsc::Sender<&'static [u8]>, watch::Sender<u64>),
    way: &Way,
) -> String {
    let mut framer = Framer::new();
    let mut buffer = vec![0; READ];
    let mut since = Instant::now();
    let mut has_spoken = false;
    loop {
        let patience = match (framer.is_between(), side, has_spoken) {
            (false, ..) => MESSAGE,
            (true, Side::Ours, _) => UNUSED,
            (true, Side::Theirs, true) => IDLE,
            (true, Side::Theirs, false) => FIRST_MESSAGE,
        };
        let length = match timeout_at(since + patience, reader.read(&mut buffer)).await {
            Err(_) if !framer.is_between() => return "a message did not come to its end".to_owned(),
            Err(_) => return "nothing was said for too long".to_owned(),
            Ok(Err(error)) => return tls::why(&error),
            Ok(Ok(0)) => return "closed by the peer".to_owned(),
            Ok(Ok(length)) => length,
        };
        if framer.is_between() {
            framer.push(&buffer[..length]);
            if !framer.is_between() {
                since = Instant::now();
            }
        } else {
            framer.push(&buffer[..length]);
        }
        loop {
            match framer.next() {
                Ok(Some(Frame::Message(bytes))) => {
                    debug!(from = %peer, line = %first_line(&bytes), "SIP in");
                    if !way.hand_on(peer, bytes).await {
                        return "the desk stops".to_owned();
                    }
                    since = Instant::now();
                    has_spoken = true;
                }
                // One that asks without end gets no answer without end.
                Ok(Some(Frame::Ping)) => drop(own.try_send(PONG)),
                Ok(Some(Frame::Pong)) => pongs.send_modify(|count| *count += 1),
                Ok(None) => break,
                Err(error) => return error.to_string(),
            }
        }
    }
}

async fn write<S: AsyncWrite>(
    mut writer: WriteHalf<S>,
    peer: Target,
    mut queue: mpsc::Receiver<Vec<u8>>,
    mut own_words: mpsc::Receiver<&'static [u8]>,
) -> String {
    loop {
        let message = tokio::select! {
            message = queue.recv() => message,
            Some(word) = own_words.recv() => {
                if let Err(reason) = send(&mut writer, word).await {
                    return reason;
                }
                continue;
            }
        };
        let Some(message) = message else {
            // Nobody needs it any more.
            let _ = timeout(WRITE, writer.shutdown()).await;
            return "closed by the desk".to_owned();
        };
        debug!(to = %peer, line = %first_line(&message), "SIP out");
        if let Err(reason) = send(&mut writer, &message).await {
            return reason;
        }
    }
}

async fn send<S: AsyncWrite>(writer: &mut WriteHalf<S>, bytes: &[u8]) -> Result<(), String> {
    let sent = async {
        writer.write_all(bytes).await?;
        writer.flush().await
    };
    match timeout(WRITE, sent).await {
        Ok(result) => result.map_err(|error| tls::why(&error)),
        Err(_) => Err("the peer takes nothing in any more".to_owned()),
    }
}

/// Asks the peer again and again; ends where one that used to answer does not.
async fn keep_alive(own: mpsc::Sender<&'static [u8]>, mut heard: watch::Receiver<u64>) -> String {
    let mut has_answered = false;
    loop {
        sleep(PING_EVERY).await;
        heard.mark_unchanged();
        if own.send(PING).await.is_err() {
            return "closed by the desk".to_owned();
        }
        match timeout(ANSWER, heard.changed()).await {
            Ok(_) => has_answered = true,
            Err(_) if has_answered => return "the peer does not answer keep-alives any more".to_owned(),
            Err(_) => {}
        }
    }
}

impl Way {
    /// Tells the engine; there is no one to tell it to when it has gone.
    pub(super) async fn tell(&self, news: News) {
        let _ = self.inbox.send(Event::Stream(news)).await;
    }

    /// Hands a message on as soon as there is room for it; `false` when the engine has gone.
    async fn hand_on(&self, from: Target, bytes: Vec<u8>) -> bool {
        let Ok(room) = Arc::clone(&self.room).acquire_owned().await else { return false };
        self.inbox.send(Event::Stream(News::Message { from, bytes, room })).await.is_ok()
    }
}

/// What the system says, in words for an administrator.
pub(super) fn why(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "nobody takes connections there".to_owned(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => "the peer broke it off".to_owned(),
        io::ErrorKind::UnexpectedEof => "closed by the peer".to_owned(),
        io::ErrorKind::TimedOut => "the peer's machine does not answer".to_owned(),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "no way leads there".to_owned(),
        _ => error.to_string(),
    }
}
