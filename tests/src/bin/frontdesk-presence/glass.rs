//! The glass in front of the screen: a browser's place at the live picture, watching one lamp.
//!
//! Where the lamp is, is found by looking at the screen before and after it turns.

use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use frontdesk_tests::picture::{Area, Colour, Picture};
use tungstenite::{Message, WebSocket};

/// Colours differ by less where they are meant to be the same.
const CLOSE: u8 = 6;

/// A live connection to the page.
#[derive(Debug)]
pub(crate) struct Glass {
    colours: Receiver<(Instant, Colour)>,
    stream: TcpStream,
    reader: Option<JoinHandle<()>>,
}

impl Glass {
    /// Looks at one point of the screen behind `port`.
    ///
    /// # Panics
    /// When it does not let us.
    #[track_caller]
    pub(crate) fn before(port: u16, point: (usize, usize)) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("the page is served");
        stream.set_nodelay(true).expect("TCP has that option");
        let ours = stream.try_clone().expect("an open socket can be duplicated");
        let (socket, _) = tungstenite::client(format!("ws://127.0.0.1:{port}/live"), stream)
            .unwrap_or_else(|error| panic!("the live picture is refused: {error}"));
        let (seen, colours) = channel();
        let reader = Some(thread::spawn(move || look(socket, point, &seen)));
        Self { colours, stream: ours, reader }
    }

    /// When the point took on `colour`; `None` if it did not within `limit`.
    pub(crate) fn turned(&self, colour: Colour, limit: Duration) -> Option<Instant> {
        let end = Instant::now() + limit;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.colours.recv_timeout(left) {
                Ok((at, seen)) if is_close(seen, colour) => return Some(at),
                Ok(_) => {}
                Err(_) => return None,
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

/// A point of `region` that has another colour in the second picture, with both colours; one in the middle of a
/// place that changed, not at its blended edge.
pub(crate) fn difference(
    before: &Picture,
    after: &Picture,
    region: Area,
) -> Option<((usize, usize), [Colour; 2])> {
    let differs = |x: usize, y: usize| !is_close(before.at(x, y), after.at(x, y));
    let inside = |x: usize, y: usize| (x - 2..=x + 2).all(|x| (y - 2..=y + 2).all(|y| differs(x, y)));
    let rows = region.y + 2..region.y + region.height - 2;
    let mut points = rows.flat_map(|y| (region.x + 2..region.x + region.width - 2).map(move |x| (x, y)));
    let (x, y) = points.find(|&(x, y)| inside(x, y))?;
    Some(((x, y), [before.at(x, y), after.at(x, y)]))
}

fn is_close(a: Colour, b: Colour) -> bool {
    a.iter().zip(b).all(|(&a, b)| a.abs_diff(b) <= CLOSE)
}

/// Takes frames until the connection ends.
fn look(mut socket: WebSocket<TcpStream>, point: (usize, usize), seen: &Sender<(Instant, Colour)>) {
    while let Ok(message) = socket.read() {
        let at = Instant::now();
        let Message::Binary(bytes) = message else { continue };
        let shown = socket.send(Message::text("\"shown\""));
        let colour = examine(&bytes, point).expect("the page sends a place and a PNG");
        let told = colour.is_none_or(|colour| seen.send((at, colour)).is_ok());
        if shown.is_err() || !told {
            return;
        }
    }
}

/// Six numbers of two bytes (left, top, width, height, width and height of the whole), then a PNG. The point's
/// colour, where this part of the picture has it.
fn examine(bytes: &[u8], (x, y): (usize, usize)) -> Option<Option<Colour>> {
    let number = |index: usize| {
        let pair = bytes.get(index * 2..index * 2 + 2)?;
        Some(usize::from(u16::from_be_bytes(pair.try_into().ok()?)))
    };
    let patch = Area { x: number(0)?, y: number(1)?, width: number(2)?, height: number(3)? };
    if !patch.contains(Area { x, y, width: 1, height: 1 }) {
        return Some(None);
    }
    let picture = Picture::decode(bytes.get(12..)?).ok()?;
    Some(Some(picture.at(x - patch.x, y - patch.y)))
}
