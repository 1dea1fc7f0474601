//! The glass in front of the screen: a browser's place at the live picture, with a stopwatch.

use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use frontdesk_tests::picture::{Area, Picture};
use frontdesk_tests::screen::{CALLS, RINGING};
use tungstenite::{Message, WebSocket};

/// Pixels of a card's ground, at least: 300 by 50.
const CARD: usize = 15_000;
const PATIENCE: Duration = Duration::from_secs(10);

/// A live connection to the page.
#[derive(Debug)]
pub(crate) struct Glass {
    frames: Receiver<Frame>,
    stream: TcpStream,
    reader: Option<JoinHandle<()>>,
}

/// A part of the picture that was drawn anew.
#[derive(Clone, Copy, Debug)]
struct Frame {
    /// When all of it had arrived here.
    at: Instant,
    /// Pixels of it among the calls.
    calls: usize,
    /// Those that have the ground of a ringing card.
    ringing: usize,
}

impl Glass {
    /// Looks at the screen behind `port`.
    ///
    /// # Panics
    /// When it does not let us.
    #[track_caller]
    pub(crate) fn before(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("the page is served");
        stream.set_nodelay(true).expect("TCP has that option");
        let ours = stream.try_clone().expect("an open socket can be duplicated");
        let (socket, _) = tungstenite::client(format!("ws://127.0.0.1:{port}/live"), stream)
            .unwrap_or_else(|error| panic!("the live picture is refused: {error}"));
        let (seen, frames) = channel();
        let reader = Some(thread::spawn(move || look(socket, &seen)));
        Self { frames, stream: ours, reader }
    }

    /// Waits for the first frame with a ringing card; gives back when it arrived.
    #[track_caller]
    pub(crate) fn card(&self) -> Instant {
        self.wait("a ringing card", |frame| frame.ringing >= CARD)
    }

    /// Waits for the first frame in which a card's place is empty.
    #[track_caller]
    pub(crate) fn no_card(&self) -> Instant {
        self.wait("the card gone", |frame| frame.calls >= CARD && frame.ringing < CARD)
    }

    #[track_caller]
    fn wait(&self, what: &str, wanted: impl Fn(&Frame) -> bool) -> Instant {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.frames.recv_timeout(left) {
                Ok(frame) if wanted(&frame) => return frame.at,
                Ok(_) => {}
                Err(_) => panic!("the screen does not show {what} within {PATIENCE:?}"),
            }
        }
    }
}

impl Drop for Glass {
    fn drop(&mut self) {
        // Ends the reading thread; a socket that is closed already has ended it.
        let _ = self.stream.shutdown(Shutdown::Both);
        if let Some(reader) = self.reader.take() {
            // A reader that panicked has said so on standard error.
            let _ = reader.join();
        }
    }
}

/// Takes frames until the connection ends.
fn look(mut socket: WebSocket<TcpStream>, seen: &Sender<Frame>) {
    while let Ok(message) = socket.read() {
        let at = Instant::now();
        let Message::Binary(bytes) = message else { continue };
        let shown = socket.send(Message::text("\"shown\""));
        let frame = examine(&bytes, at).expect("the page sends a place and a PNG");
        if shown.is_err() || seen.send(frame).is_err() {
            return;
        }
    }
}

/// Six numbers of two bytes (left, top, width, height, width and height of the whole), then a PNG.
fn examine(bytes: &[u8], at: Instant) -> Option<Frame> {
    let number = |index: usize| {
        let pair = bytes.get(index * 2..index * 2 + 2)?;
        Some(usize::from(u16::from_be_bytes(pair.try_into().ok()?)))
    };
    let patch = Area { x: number(0)?, y: number(1)?, width: number(2)?, height: number(3)? };
    let picture = Picture::decode(bytes.get(12..)?).ok()?;
    let mut frame = Frame { at, calls: 0, ringing: 0 };
    for y in 0..patch.height {
        for x in 0..patch.width {
            let point = Area { x: patch.x + x, y: patch.y + y, width: 1, height: 1 };
            if CALLS.contains(point) {
                frame.calls += 1;
                let close =
                    picture.at(x, y).iter().zip(RINGING).all(|(&is, wanted)| is.abs_diff(wanted) <= 3);
                frame.ringing += usize::from(close);
            }
        }
    }
    Some(frame)
}
