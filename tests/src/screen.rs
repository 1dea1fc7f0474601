//! `frontdesk-ui` without a monitor: its picture is looked at, and touched, as a person would.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

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

/// The left pane without the dial bar below it.
pub const CALLS: Area = Area { x: 0, y: 84, width: 484, height: 590 };
/// The directory without its search bar.
pub const DIRECTORY: Area = Area { x: 486, y: 134, width: 716, height: 540 };

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
        let port = ports.one();
        let mut command = Command::new(repository::program("frontdesk-ui"));
        command
            .arg("--socket")
            .arg(socket)
            .args(["--size", "1280x800", "--web"])
            .arg(format!("127.0.0.1:{port}"));
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
