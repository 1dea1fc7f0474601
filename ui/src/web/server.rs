//! The web side: a page, its picture, and a plain JSON interface for tests.
//!
//! `GET /` the page · `GET /screen.png` the picture now · `POST /touch {x, y, kind, button?, touch?}`
//! · `POST /wheel {x, y, dx, dy}` · `POST /key {key, down?}` · `GET /live` WebSocket: binary
//! messages are parts of the picture, text messages from the page are inputs, or `"shown"` when the
//! last part is on the glass. A POST answers when the picture shows what came of it.
//!
//! Everything that comes in is bounded: connections, heads, bodies, messages, patience.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use tungstenite::handshake::derive_accept_key;
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Message, WebSocket};

use super::guard::Guard;
use super::input::Input;
use super::picture::{Patch, Picture, encode_png};
use super::platform::{Hand, NotGiven, Offscreen, install_with_hand};

/// Browsers and scripts at once.
const CONNECTIONS: usize = 24;
/// Bytes of a request head and of a body or message.
const HEAD: usize = 16 * 1024;
const BODY: usize = 4 * 1024;
/// How long a connection may say nothing, or take nothing.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often an idle browser is asked whether it is there.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// How long, and for how many bytes, a request that was refused may go on.
const LEAVE: Duration = Duration::from_secs(2);
const LEFT_OVER: usize = 64 * 1024;

const PAGE: &str = include_str!("page.html");

/// A running web server and the drawing half it shows.
pub struct Server {
    /// The drawing half.
    pub screen: std::rc::Rc<Offscreen>,
    address: SocketAddr,
    site: Arc<Site>,
}

struct Site {
    guard: Guard,
    hand: Hand,
    picture: Arc<Picture>,
    page: String,
    open: AtomicUsize,
    closing: AtomicBool,
}

/// Why the page cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is open to other machines and nobody allowed that.
    #[error("{0} can be reached from other machines; --web-allow-remote allows that")]
    Remote(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// Slint refused the platform.
    #[error("{0}")]
    Platform(#[from] slint::PlatformError),
}

/// Installs the platform without a screen on this thread and serves its picture on `address` from
/// threads of its own. Port 0 takes any free port, see [`Server::address`].
///
/// # Errors
/// [`ServeError`].
pub fn serve(
    address: SocketAddr,
    allow_remote: bool,
    size: slint::PhysicalSize,
    scale: f32,
) -> Result<Server, ServeError> {
    if !allow_remote && !address.ip().is_loopback() {
        return Err(ServeError::Remote(address));
    }
    let listen = |error| ServeError::Listen { address, error };
    let listener = TcpListener::bind(address).map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let (screen, hand) = install_with_hand(size, scale)?;
    let site = Arc::new(Site {
        guard: Guard::new(address, allow_remote),
        hand,
        picture: screen.picture(),
        page: PAGE.replace("{{scale}}", &scale.to_string()),
        open: AtomicUsize::new(0),
        closing: AtomicBool::new(false),
    });
    let accept = Arc::clone(&site);
    std::thread::Builder::new()
        .name("web-accept".into())
        .spawn(move || accept.accept(&listener))
        .map_err(listen)?;
    Ok(Server { screen, address, site })
}

impl Server {
    /// Where the page is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.site.closing.store(true, Ordering::SeqCst);
        self.site.picture.close();
        self.site.hand.quit();
        // Wakes the accepting thread; when this fails it is gone already.
        let _ = TcpStream::connect(self.address);
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

/// A request, as far as it matters here.
#[derive(Debug, Default)]
struct Request {
    method: String,
    path: String,
    host: Option<String>,
    origin: Option<String>,
    websocket_key: Option<String>,
    length: usize,
    keep_alive: bool,
}

/// What goes back.
struct Response {
    status: &'static str,
    kind: &'static str,
    body: Vec<u8>,
}

/// Why a connection ends early.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Head(#[from] httparse::Error),
    #[error("request too large")]
    TooLarge,
}

impl Site {
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming() {
            if self.closing.load(Ordering::SeqCst) {
                return;
            }
            let Ok(stream) = stream else { continue };
            if self.open.fetch_add(1, Ordering::SeqCst) >= CONNECTIONS {
                self.open.fetch_sub(1, Ordering::SeqCst);
                tracing::warn!("too many browsers; one was turned away");
                continue;
            }
            let site = Arc::clone(self);
            let spawned = std::thread::Builder::new().name("web".into()).spawn(move || {
                if let Err(error) = site.converse(&stream) {
                    tracing::debug!("web connection: {error}");
                }
                site.open.fetch_sub(1, Ordering::SeqCst);
            });
            if let Err(error) = spawned {
                self.open.fetch_sub(1, Ordering::SeqCst);
                tracing::warn!("no thread for a browser: {error}");
            }
        }
    }

    fn converse(&self, stream: &TcpStream) -> Result<(), Broken> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let mut buffer = Vec::new();
        loop {
            let Some(request) = read_head(stream, &mut buffer)? else { return Ok(()) };
            if let Err(refusal) = self.guard.check(request.host.as_deref(), request.origin.as_deref()) {
                tracing::warn!(
                    host = request.host,
                    origin = request.origin,
                    "web request refused: {refusal}"
                );
                let response = Response::text("403 Forbidden", &refusal.to_string());
                return Ok(send_off(stream, response)?);
            }
            if request.length > BODY {
                return Ok(send_off(stream, Response::text("413 Content Too Large", "too large"))?);
            }
            let body = read_body(stream, &mut buffer, request.length)?;
            if request.path == "/live" {
                return Ok(self.live(stream, &request)?);
            }
            send(stream, self.answer(&request, &body), request.keep_alive)?;
            if !request.keep_alive {
                return Ok(());
            }
        }
    }

    fn answer(&self, request: &Request, body: &[u8]) -> Response {
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/") => Response {
                status: "200 OK",
                kind: "text/html; charset=utf-8",
                body: self.page.clone().into_bytes(),
            },
            ("GET", "/screen.png") => match self.picture.png() {
                Some(body) => Response { status: "200 OK", kind: "image/png", body },
                None => Response::text("503 Service Unavailable", "nothing is drawn yet"),
            },
            ("POST", "/touch") => self.take(serde_json::from_slice(body).map(Input::Pointer)),
            ("POST", "/key") => self.take(serde_json::from_slice::<KeyBody>(body).map(|k| Input::Key {
                key: k.key,
                down: k.down,
                again: false,
            })),
            ("POST", "/wheel") => {
                self.take(serde_json::from_slice::<WheelBody>(body).map(|w| Input::Wheel {
                    x: w.x,
                    y: w.y,
                    dx: w.dx,
                    dy: w.dy,
                }))
            }
            (_, "/" | "/screen.png" | "/touch" | "/key" | "/wheel") => {
                Response::text("405 Method Not Allowed", "not this way")
            }
            _ => Response::text("404 Not Found", "not here"),
        }
    }

    fn take(&self, input: Result<Input, serde_json::Error>) -> Response {
        let input = match input {
            Ok(input) => input,
            Err(error) => return Response::text("400 Bad Request", &error.to_string()),
        };
        match self.hand.give(input) {
            Ok(()) => Response { status: "200 OK", kind: "application/json", body: b"{}".to_vec() },
            Err(error @ NotGiven::Bad(_)) => Response::text("400 Bad Request", &error.to_string()),
            Err(error @ NotGiven::Closed) => Response::text("503 Service Unavailable", &error.to_string()),
        }
    }

    /// A browser that watches and touches, until it leaves.
    fn live(&self, stream: &TcpStream, request: &Request) -> io::Result<()> {
        let Some(key) = request.websocket_key.as_deref().filter(|_| request.method == "GET") else {
            return send(stream, Response::text("426 Upgrade Required", "a WebSocket lives here"), false);
        };
        let accept = derive_accept_key(key.as_bytes());
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        let mut raw = stream;
        raw.write_all(head.as_bytes())?;
        stream.set_read_timeout(None)?;
        let out = Arc::new(Mutex::new(stream.try_clone()?));
        let watcher = self.picture.watch();
        let (shown, on_glass) = sync_channel(1);
        let (picture, writer_out) = (Arc::clone(&self.picture), Arc::clone(&out));
        let writer = std::thread::Builder::new().name("web-picture".into()).spawn(move || {
            if let Err(error) = show(&picture, watcher, &writer_out, &on_glass) {
                tracing::debug!("a browser stopped looking: {error}");
            }
            // Ends the reading half too; when this fails the socket is gone already.
            let _ = lock(&writer_out).shutdown(Shutdown::Both);
        });
        if let Ok(writer) = writer {
            self.listen(Half { read: stream.try_clone()?, write: out }, &shown);
            self.picture.leave(watcher);
            drop(shown);
            if writer.join().is_err() {
                tracing::error!("the picture thread of a browser failed");
            }
        } else {
            self.picture.leave(watcher);
        }
        Ok(())
    }

    /// Takes inputs in their order.
    fn listen(&self, half: Half, shown: &SyncSender<()>) {
        let limits = WebSocketConfig::default().max_message_size(Some(BODY)).max_frame_size(Some(BODY));
        let mut socket = WebSocket::from_raw_socket(half, Role::Server, Some(limits));
        loop {
            let text = match socket.read() {
                Ok(Message::Text(text)) => text,
                Ok(Message::Close(_)) | Err(_) => return,
                Ok(_) => continue,
            };
            match serde_json::from_str::<PageMessage>(&text) {
                Ok(PageMessage::Shown) => {
                    // One picture is on its way at most, so there is room.
                    let _ = shown.try_send(());
                }
                Ok(PageMessage::Input(input)) => match self.hand.give(input) {
                    Ok(()) => {}
                    Err(NotGiven::Bad(error)) => tracing::debug!("the page sent nonsense: {error}"),
                    Err(NotGiven::Closed) => return,
                },
                Err(error) => tracing::debug!("the page sent nonsense: {error}"),
            }
        }
    }
}

#[derive(Deserialize)]
struct KeyBody {
    key: String,
    #[serde(default)]
    down: Option<bool>,
}

#[derive(Deserialize)]
struct WheelBody {
    x: f32,
    y: f32,
    #[serde(default)]
    dx: f32,
    #[serde(default)]
    dy: f32,
}

/// What the page says.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum PageMessage {
    /// The last part of the picture is on the glass.
    Shown,
    /// A hand moved.
    #[serde(untagged)]
    Input(Input),
}

/// The reading half of a socket whose writes are whole and take turns with the picture's.
struct Half {
    read: TcpStream,
    write: Arc<Mutex<TcpStream>>,
}

impl Read for Half {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read.read(buffer)
    }
}

impl Write for Half {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.write).write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sends parts of the picture, each after the one before is on the glass.
fn show(picture: &Picture, watcher: u64, out: &Mutex<TcpStream>, on_glass: &Receiver<()>) -> io::Result<()> {
    loop {
        match picture.next(watcher, HEARTBEAT) {
            Err(_) => return Ok(()),
            Ok(None) => lock(out).write_all(&[0x89, 0])?,
            Ok(Some(patch)) => {
                let message = frame(&patch)?;
                lock(out).write_all(&message)?;
                on_glass.recv_timeout(PATIENCE).map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?;
            }
        }
    }
}

/// A part of the picture as one binary WebSocket message: six numbers of two bytes, then a PNG.
fn frame(patch: &Patch) -> io::Result<Vec<u8>> {
    let area = patch.area;
    let png = encode_png(area.width, area.height, &patch.pixels).map_err(io::Error::other)?;
    let mut body = Vec::with_capacity(12 + png.len());
    for number in [area.x, area.y, area.width, area.height, patch.whole.0, patch.whole.1] {
        body.extend_from_slice(&u16::try_from(number).unwrap_or(u16::MAX).to_be_bytes());
    }
    body.extend_from_slice(&png);
    // RFC 6455, section 5.2: final binary frame, not masked.
    let mut message = vec![0x82];
    match body.len() {
        length @ 0..=125 => message.push(u8::try_from(length).unwrap_or(125)),
        length @ 126..=0xffff => {
            message.push(126);
            message.extend_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
        }
        length => {
            message.push(127);
            message.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    message.extend_from_slice(&body);
    Ok(message)
}

/// Reads one request head; `None` when the other side is done.
fn read_head(stream: &TcpStream, buffer: &mut Vec<u8>) -> Result<Option<Request>, Broken> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut parsed = httparse::Request::new(&mut headers);
        if let httparse::Status::Complete(length) = parsed.parse(buffer)? {
            let request = Request::of(&parsed);
            buffer.drain(..length);
            return Ok(Some(request));
        }
        if buffer.len() >= HEAD {
            return Err(Broken::TooLarge);
        }
        if fill(stream, buffer)? == 0 {
            return Ok(None);
        }
    }
}

fn read_body(stream: &TcpStream, buffer: &mut Vec<u8>, length: usize) -> Result<Vec<u8>, Broken> {
    while buffer.len() < length {
        if fill(stream, buffer)? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
    }
    Ok(buffer.drain(..length).collect())
}

fn fill(mut stream: &TcpStream, buffer: &mut Vec<u8>) -> io::Result<usize> {
    let mut chunk = [0; 4096];
    let count = stream.read(&mut chunk)?;
    buffer.extend_from_slice(&chunk[..count]);
    Ok(count)
}

fn send(mut stream: &TcpStream, response: Response, keep_alive: bool) -> io::Result<()> {
    let connection = if keep_alive { "keep-alive" } else { "close" };
    let mut bytes = format!(
        "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\nConnection: {connection}\r\n\r\n",
        response.status,
        response.kind,
        response.body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(&response.body);
    stream.write_all(&bytes)
}

/// Answers a request whose body was not read. A socket that is closed with unread bytes in it is
/// reset, and the answer may be lost on the way: so the rest is read first, up to a limit.
fn send_off(mut stream: &TcpStream, response: Response) -> io::Result<()> {
    send(stream, response, false)?;
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(Some(LEAVE))?;
    let mut rest = [0; 4096];
    for _ in 0..LEFT_OVER / rest.len() {
        if stream.read(&mut rest)? == 0 {
            break;
        }
    }
    Ok(())
}

impl Request {
    fn of(parsed: &httparse::Request<'_, '_>) -> Self {
        let header = |name: &str| {
            let found = parsed.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
            std::str::from_utf8(found.value).ok().map(|value| value.trim().to_owned())
        };
        let path = parsed.path.unwrap_or_default();
        // A body whose length is not said, or said twice over, is one byte too large.
        let length = header("content-length").map_or(0, |text| text.parse().unwrap_or(BODY + 1));
        let chunked = header("transfer-encoding").is_some();
        let close = header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        Self {
            method: parsed.method.unwrap_or_default().to_owned(),
            path: path.split('?').next().unwrap_or_default().to_owned(),
            host: header("host"),
            origin: header("origin"),
            websocket_key: header("sec-websocket-key"),
            length: if chunked { BODY + 1 } else { length },
            keep_alive: parsed.version == Some(1) && !close,
        }
    }
}

impl Response {
    fn text(status: &'static str, text: &str) -> Self {
        Self { status, kind: "text/plain; charset=utf-8", body: text.as_bytes().to_vec() }
    }
}

fn lock(stream: &Mutex<TcpStream>) -> std::sync::MutexGuard<'_, TcpStream> {
    stream.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::input::Pointer;
    use super::super::picture::Area;
    use super::*;

    #[test]
    fn frames_carry_their_length_in_all_three_forms() {
        for (width, height, marker) in [(1, 1, 1..=125), (16, 16, 126..=126), (200, 200, 127..=127)] {
            // Noise does not compress.
            let mut seed = 1_u32;
            let pixels: Vec<u8> = (0..width * height * 3)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (seed >> 24) as u8
                })
                .collect();
            let area = Area { x: 3, y: 4, width, height };
            let message = frame(&Patch { area, whole: (1280, 800), pixels }).unwrap();
            assert_eq!(message[0], 0x82);
            assert!(marker.contains(&message[1]), "{width}: {}", message[1]);
            let head = match message[1] {
                126 => 4,
                127 => 10,
                _ => 2,
            };
            assert_eq!(message[head..head + 4], [0, 3, 0, 4]);
            assert_eq!(&message[head + 13..head + 16], b"PNG");
        }
    }

    #[test]
    fn the_page_speaks_in_inputs_and_acknowledgements() {
        assert!(matches!(serde_json::from_str(r#""shown""#), Ok(PageMessage::Shown)));
        let key: PageMessage = serde_json::from_str(r#"{"key":{"key":"F3"}}"#).unwrap();
        assert!(matches!(key, PageMessage::Input(Input::Key { .. })));
        let pointer: PageMessage =
            serde_json::from_str(r#"{"pointer":{"x":1.5,"y":2,"kind":"down","touch":true}}"#).unwrap();
        assert!(matches!(pointer, PageMessage::Input(Input::Pointer(Pointer { touch: true, .. }))));
        assert!(serde_json::from_str::<PageMessage>("{}").is_err());
    }
}
