//! `frontdesk-ui` without a monitor: its picture is looked at, and touched, as a person would.

use std::ffi::OsStr;
use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tungstenite::Message;

use crate::http;
use crate::picture::{Area, Colour, Picture};
use crate::ports::Ports;
use crate::program::Program;
use crate::repository;
use crate::wait;

/// Ground of a ringing card in the dark theme.
pub const RINGING: Colour = [0x34, 0x17, 0x1b];
/// Ground of a held card in the dark theme.
pub const HELD: Colour = [0x33, 0x26, 0x0f];
/// Ground of a talking card in the dark theme.
pub const TALKING: Colour = [0x10, 0x2b, 0x20];
/// The green of the Answer button and of an available lamp in the dark theme.
pub const GREEN: Colour = [0x3e, 0xcf, 0x8e];

/// What rings, what waits too long, and the end of a call, in the dark theme.
pub const RED: Colour = [0xff, 0x5d, 0x62];
/// Icon of what is switched off, and what dividers are taken hold of by, in the dark theme.
pub const GREY: Colour = [0x83, 0x91, 0xa4];
/// What waits, in the dark theme.
pub const AMBER: Colour = [0xff, 0xb0, 0x20];
/// What is chosen or marked, and the mark of a call that is neither red, orange nor green, in the dark theme.
pub const ACCENT: Colour = [0x6a, 0xa0, 0xff];
/// Names and figures, in the dark theme.
pub const TEXT: Colour = [0xea, 0xf0, 0xf6];
/// Ground of a card without a priority, in the dark theme.
pub const SURFACE: Colour = [0x15, 0x1b, 0x23];
/// Ground of what lies over the desk: menus, questions, windows, in the dark theme.
pub const RAISED: Colour = [0x1c, 0x24, 0x2e];
/// Ground of the row that the keys have come to, in the dark theme.
pub const MARKED: Colour = [0x24, 0x2e, 0x3a];
/// The ground of a code for a telephone to read.
pub const CODE: Colour = [0xff, 0xff, 0xff];

/// Whom the operator talks to.
pub const WHO: Area = Area { x: 0, y: 0, width: 560, height: 82 };
/// The states beside the clock.
pub const STATES: Area = Area { x: 560, y: 0, width: 530, height: 82 };
/// The status bar.
pub const STATUS: Area = Area { x: 0, y: 746, width: 1280, height: 54 };
/// The left pane without the dial bar below it.
pub const CALLS: Area = Area { x: 0, y: 84, width: 484, height: 590 };
/// The directory without its search bar.
pub const DIRECTORY: Area = Area { x: 486, y: 134, width: 716, height: 540 };

/// How long the screen may take to show, and these eyes to read, what has happened.
const READ: Duration = Duration::from_secs(15);
/// Pixels that an icon has at least.
pub const STROKES: f64 = 15.0;
/// Steps of a dragging finger.
const DRAG_STEPS: usize = 12;

/// A running screen of 1280×800.
#[derive(Debug)]
pub struct Screen {
    /// The process.
    pub program: Program,
    port: u16,
    pictures: PathBuf,
}

impl Screen {
    /// Starts a screen on the desk at `socket` and waits until it serves its picture.
    ///
    /// # Panics
    /// When it does not within 20 s.
    #[must_use]
    #[track_caller]
    pub fn start(scratch: &Path, ports: &mut Ports, socket: &Path) -> Self {
        Self::start_with(scratch, ports, socket, &[])
    }

    /// Likewise, with more arguments.
    ///
    /// # Panics
    /// As [`Screen::start`].
    #[must_use]
    #[track_caller]
    pub fn start_with(scratch: &Path, ports: &mut Ports, socket: &Path, more: &[&OsStr]) -> Self {
        let port = ports.one();
        let mut command = Command::new(repository::program("frontdesk-ui"));
        command
            .arg("--socket")
            .arg(socket)
            .args(["--size", "1280x800", "--web"])
            .arg(format!("127.0.0.1:{port}"))
            // The next screen of the same test finds it again; one of another test does not.
            .arg("--state")
            .arg(state_folder(scratch))
            .args(more);
        let program = Program::start("frontdesk-ui", command, scratch);
        let screen = Self { program, port, pictures: scratch.to_owned() };
        wait::until("the screen to serve its picture", Duration::from_secs(20), || screen.try_png());
        screen
    }

    /// The picture now.
    ///
    /// # Panics
    /// When the screen does not give one.
    #[must_use]
    #[track_caller]
    pub fn picture(&mut self) -> Picture {
        match self.try_picture() {
            Some(picture) => picture,
            None => panic!("the screen serves no picture (ended: {:?})", self.program.exit_status()),
        }
    }

    /// Looks at the picture until `find` finds something.
    ///
    /// # Panics
    /// After `limit`; the last picture is kept in the scratch folder.
    #[track_caller]
    pub fn wait<T>(&mut self, what: &str, limit: Duration, find: impl FnMut(&Picture) -> Option<T>) -> T {
        self.wait_seen(what, limit, find).0
    }

    /// As [`Screen::wait`], with the time at which the picture came in: reading it takes these eyes
    /// longer than the screen takes to draw it.
    ///
    /// # Panics
    /// As [`Screen::wait`].
    #[track_caller]
    pub fn wait_seen<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut find: impl FnMut(&Picture) -> Option<T>,
    ) -> (T, Instant) {
        let found = wait::within(limit, || {
            let bytes = self.try_png()?;
            let came = Instant::now();
            find(&Picture::decode(&bytes).ok()?).map(|found| (found, came))
        });
        found.unwrap_or_else(|| {
            let path = self.keep("failure");
            panic!("the screen does not show {what} within {limit:?}; see {}", path.display())
        })
    }

    /// Finger down and up.
    #[track_caller]
    pub fn tap(&mut self, (x, y): (usize, usize)) {
        self.touch("down", (x, y));
        self.touch("up", (x, y));
    }

    /// Two taps so close that they are one, however busy the machine is: the web page's own connection
    /// takes them as they come.
    ///
    /// # Panics
    /// When the screen does not take them.
    #[track_caller]
    pub fn tap_twice(&mut self, (x, y): (usize, usize)) {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the screen listens");
        stream.set_read_timeout(Some(READ)).expect("a timeout above zero can be set");
        let page = tungstenite::client(format!("ws://127.0.0.1:{}/live", self.port), stream);
        let (mut page, _) = page.expect("the screen has a live page");
        for kind in ["down", "up", "down", "up"] {
            let pointer = serde_json::json!({ "x": x, "y": y, "kind": kind, "touch": true });
            let text = serde_json::json!({ "pointer": pointer }).to_string();
            page.write(Message::text(text)).expect("the live page takes what a finger does");
        }
        page.flush().expect("the live page takes what a finger does");
        page.close(None).expect("the live page can be left");
        // Whatever it showed; its own farewell comes after it has read everything.
        while page.read().is_ok() {}
    }

    /// The state beside the clock with this word, once its icon has this colour; where its word is.
    #[track_caller]
    pub fn pill(&mut self, of: &str, ink: Colour) -> (usize, usize) {
        self.wait(&format!("{of} in its colour"), READ, |picture| {
            let text = word(picture, STATES, of)?;
            let icon = Area { x: text.x.saturating_sub(32), width: 28, y: 20, height: 44 };
            (picture.ink(icon, RAISED, ink) > STROKES).then(|| text.centre())
        })
    }

    /// Taps what stands on the screen, once it does.
    #[track_caller]
    pub fn tap_word(&mut self, region: Area, text: &str) {
        let found = self.wait(&format!("“{text}”"), READ, |picture| word(picture, region, text));
        self.tap(found.centre());
    }

    /// Taps a row of the menu, or a button of the window, that is open.
    #[track_caller]
    pub fn choose(&mut self, text: &str) {
        let found =
            self.wait(&format!("“{text}” to choose"), READ, |picture| word_on_plate(picture, text));
        self.tap(found.centre());
    }

    /// A finger stays down until the menu is open, which is given back as it is read.
    #[track_caller]
    pub fn long_press(&mut self, at: (usize, usize)) -> String {
        self.touch("down", at);
        let words = self.wait("the menu", READ, plate_text);
        self.touch("up", at);
        words
    }

    /// The menu or window that is open, as it is read, once it has all these words.
    #[track_caller]
    pub fn plate_says(&mut self, wanted: &[&str]) -> String {
        self.wait(&format!("{wanted:?} in a menu"), READ, |picture| {
            plate_text(picture).filter(|text| has_all(text, wanted))
        })
    }

    /// Waits until the marked row of the menu has all these words.
    #[track_caller]
    pub fn marks(&mut self, wanted: &[&str]) {
        self.wait(&format!("{wanted:?} marked"), READ, |picture| {
            has_all(&picture.text(marked(picture)?), wanted).then_some(())
        });
    }

    /// Waits until no menu or window is open.
    #[track_caller]
    pub fn plate_closes(&mut self) {
        self.wait("the menu closed", READ, |picture| plate(picture).is_none().then_some(()));
    }

    /// Waits until all these words stand in `region`.
    #[track_caller]
    pub fn says(&mut self, region: Area, wanted: &[&str]) -> String {
        self.wait(&format!("{wanted:?}"), READ, |picture| {
            Some(picture.text(region)).filter(|text| has_all(text, wanted))
        })
    }

    /// Waits for a card with this ground and all these words.
    #[track_caller]
    pub fn shows_card(&mut self, ground: Colour, wanted: &[&str]) -> Area {
        self.wait(&format!("a card with {wanted:?}"), READ, |picture| {
            let cards = picture.areas(CALLS, ground, (200, 40)).into_iter();
            cards.into_iter().find(|card| has_all(&picture.text(*card), wanted))
        })
    }

    /// Letters and digits, one after the other.
    #[track_caller]
    pub fn keys(&mut self, text: &str) {
        for letter in text.chars() {
            self.key(&letter.to_string());
        }
    }

    /// A finger goes down at `from`, moves in steps to `to`; then `held` may look at the screen
    /// before the finger is lifted.
    #[track_caller]
    pub fn drag(&mut self, from: (usize, usize), to: (usize, usize), held: impl FnOnce(&mut Self)) {
        self.touch("down", from);
        for step in 1..=DRAG_STEPS {
            let at = |a: usize, b: usize| (a * (DRAG_STEPS - step) + b * step) / DRAG_STEPS;
            self.touch("move", (at(from.0, to.0), at(from.1, to.1)));
        }
        held(self);
        self.touch("up", to);
    }

    /// A key, by its name on the keyboard.
    #[track_caller]
    pub fn key(&mut self, key: &str) {
        self.post("/key", &serde_json::json!({ "key": key }));
    }

    /// A key with Control held down.
    #[track_caller]
    pub fn control(&mut self, key: &str) {
        self.post("/key", &serde_json::json!({ "key": "Control", "down": true }));
        self.key(key);
        self.post("/key", &serde_json::json!({ "key": "Control", "down": false }));
    }

    /// Writes the picture now into the scratch folder as `screen-<name>.png`, for a person to look at.
    pub fn keep(&self, name: &str) -> PathBuf {
        let path = self.pictures.join(format!("screen-{name}.png"));
        if let Some(bytes) = self.try_png() {
            // Keeping it only helps whoever looks at it later.
            let _ = fs::write(&path, bytes);
        }
        path
    }

    /// Its web page's port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What a finger does, which is not what a mouse does: a list under it could be flicked.
    #[track_caller]
    fn touch(&mut self, kind: &str, (x, y): (usize, usize)) {
        self.post("/touch", &serde_json::json!({ "x": x, "y": y, "kind": kind, "touch": true }));
    }

    #[track_caller]
    fn post(&mut self, path: &str, body: &serde_json::Value) {
        let answer = http::request(self.port, "POST", path, &body.to_string());
        let code = answer.as_ref().map(|answer| answer.code);
        assert!(matches!(code, Ok(200..=204)), "POST {path} {body}: {answer:?}");
    }

    fn try_picture(&self) -> Option<Picture> {
        Picture::decode(&self.try_png()?).ok()
    }

    fn try_png(&self) -> Option<Vec<u8>> {
        let answer = http::request(self.port, "GET", "/screen.png", "").ok()?;
        (answer.code == 200).then_some(answer.body)
    }
}

/// The Answer button: the large green area on the calls' side.
#[must_use]
pub fn answer_button(picture: &Picture) -> Option<Area> {
    let areas = picture.areas(CALLS, GREEN, (40, 40));
    areas.into_iter().max_by_key(|area| area.width * area.height)
}

/// The first card with the ground of `colour`.
#[must_use]
pub fn card(picture: &Picture, colour: Colour) -> Option<Area> {
    picture.areas(CALLS, colour, (200, 40)).into_iter().next()
}

/// Where `word` stands in `region`.
#[must_use]
#[track_caller]
pub fn word(picture: &Picture, region: Area, word: &str) -> Option<Area> {
    picture.words(region).into_iter().find(|found| found.text.contains(word)).map(|found| found.area)
}

/// The menu or the window that lies over the desk.
#[must_use]
pub fn plate(picture: &Picture) -> Option<Area> {
    // The entries of the ledger have the same ground, but are lower.
    picture.areas(picture.area(), RAISED, (380, 90)).into_iter().next()
}

/// The row of the menu that the keys have come to.
#[must_use]
pub fn marked(picture: &Picture) -> Option<Area> {
    picture.areas(plate(picture)?, MARKED, (300, 40)).into_iter().next()
}

/// All that is read on the menu or window that is open. The frame around the marked row keeps the reader of
/// the whole from seeing what is inside, and a code on it, which is another with each minute, whatever is beside it.
#[must_use]
pub fn plate_text(picture: &Picture) -> Option<String> {
    let whole = plate(picture)?;
    if let Some(code) = picture.areas(whole, CODE, (200, 200)).into_iter().next() {
        let below = code.y + code.height;
        let under = Area { y: below, height: whole.y + whole.height - below, ..whole };
        return Some(picture.text(Area { height: code.y - whole.y, ..whole }) + &picture.text(under));
    }
    let inside = marked(picture).map(|row| picture.text(row)).unwrap_or_default();
    Some(inside + &picture.text(whole))
}

fn word_on_plate(picture: &Picture, text: &str) -> Option<Area> {
    let inside = marked(picture).and_then(|row| word(picture, row, text));
    inside.or_else(|| word(picture, plate(picture)?, text))
}

/// The running times in a text, in seconds, in reading order.
#[must_use]
pub fn times(text: &str) -> Vec<u32> {
    let time = |word: &str| {
        let (minutes, seconds) = word.split_once(':')?;
        let whole = seconds.len() == 2 && !minutes.is_empty();
        whole.then_some(minutes.parse::<u32>().ok()? * 60 + seconds.parse::<u32>().ok()?)
    };
    text.split_whitespace().filter_map(time).collect()
}

/// Where a screen of a test keeps how it was arranged.
#[must_use]
pub fn state_folder(scratch: &Path) -> PathBuf {
    scratch.join("screen-state")
}

fn has_all(text: &str, wanted: &[&str]) -> bool {
    wanted.iter().all(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_times_are_read_among_other_words() {
        assert_eq!(times("On hold 0:07 12:40 to Sales: 5550100 1:5"), [7, 760]);
    }
}
