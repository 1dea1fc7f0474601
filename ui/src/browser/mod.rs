//! The browser tab (CRM-2): a headless Chromium in a process of its own, whose picture is shown on the desk and to
//! which touch and keys are handed on.
//!
//! Nothing in a page can stop a call: calls are not in this program, and this program never waits for the
//! browser. A thread talks to it; the screen leaves its wishes in a queue and takes the newest picture from a slot.
//! A browser that dies, hangs or eats too much is ended and, a few times, started again where it was.
//!
//! Not done here: choosing what to open (`desk::page`), downloads, several tabs: a page that opens another one
//! opens it here.

mod keys;
mod page;
mod process;

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use self::page::{Outcome, Page};
use self::process::{MAX_BYTES, Process};

/// Wishes and messages waiting for the thread. A person cannot fill this.
const QUEUE: usize = 256;
/// How often its memory is looked at.
const LOOK: Duration = Duration::from_secs(3);
/// How long it may take until it shows anything.
const PATIENCE: Duration = Duration::from_secs(20);
/// Starts within [`AGAIN`] before it is left alone.
const STARTS: usize = 3;
const AGAIN: Duration = Duration::from_secs(120);

/// What a finger does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// It comes down.
    Down,
    /// It moves.
    Move,
    /// It is lifted.
    Up,
    /// It was meant for something else.
    Cancel,
}

/// A picture of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Red, green and blue of each pixel, line by line.
    pub rgb: Vec<u8>,
}

/// A question or a word of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialog {
    /// What it says.
    pub words: String,
    /// It can be answered with no.
    pub choice: bool,
}

/// How the browser does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// No page is open.
    #[default]
    Closed,
    /// It starts.
    Starting,
    /// The page is there.
    Open,
    /// It has ended and is not started again by itself.
    Ended(Reason),
}

/// Why the browser has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The program cannot be started.
    NotStarted,
    /// It died or did not answer, several times.
    Died,
    /// The page used too much memory.
    TooLarge,
}

/// What is known of the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// How the browser does.
    pub standing: Standing,
    /// The page's address.
    pub address: String,
    /// It is being loaded.
    pub loading: bool,
    /// What it asks.
    pub question: Option<Dialog>,
}

/// The browser, from the thread of the screen.
pub struct Browser {
    inputs: SyncSender<Input>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    frame: Mutex<Option<Frame>>,
}

/// What the thread is told.
enum Input {
    Wish(Wish),
    Message(u64, serde_json::Value),
    Ended(u64),
}

enum Wish {
    Open(String),
    Close,
    Show(bool),
    Resize(u32, u32, f32),
    Touch(Touch, f32, f32),
    Wheel((f32, f32), (f32, f32)),
    Key(String, bool),
    Back,
    Reload,
    Answer(bool),
    Taken,
}

impl Browser {
    /// Starts the thread; the program is started when the first page is opened. `bell` is rung when there is
    /// something new.
    ///
    /// # Errors
    /// When the system has no thread for it.
    pub fn start(
        program: PathBuf,
        profile: PathBuf,
        bell: impl Fn() + Send + 'static,
    ) -> std::io::Result<Self> {
        let (inputs, queue) = sync_channel(QUEUE);
        let shared = Arc::new(Shared::default());
        let keeper = Keeper {
            program,
            profile,
            inputs: inputs.clone(),
            shared: Arc::clone(&shared),
            bell: Box::new(bell),
            running: None,
            turn: 0,
            starts: Vec::new(),
            address: None,
            shown: false,
            size: Size { width: 800, height: 600, scale: 1.0 },
        };
        thread::Builder::new().name("browser".into()).spawn(move || keeper.serve(&queue))?;
        Ok(Self { inputs, shared })
    }

    /// Opens a page. The address is one that `models::links` has seen.
    pub fn open(&self, address: String) {
        self.wish(Wish::Open(address));
    }

    /// Ends the browser.
    pub fn close(&self) {
        self.wish(Wish::Close);
    }

    /// The page is seen or not.
    pub fn show(&self, shown: bool) {
        self.wish(Wish::Show(shown));
    }

    /// The page has this size, in pixels of CSS, each of them `scale` pixels of the picture.
    pub fn resize(&self, width: u32, height: u32, scale: f32) {
        self.wish(Wish::Resize(width, height, scale));
    }

    /// A finger, in pixels of the page.
    pub fn touch(&self, touch: Touch, x: f32, y: f32) {
        self.wish(Wish::Touch(touch, x, y));
    }

    /// A wheel at a place, in pixels of the page.
    pub fn wheel(&self, at: (f32, f32), by: (f32, f32)) {
        self.wish(Wish::Wheel(at, by));
    }

    /// A key, as Slint names it.
    pub fn key(&self, text: String, control: bool) {
        self.wish(Wish::Key(text, control));
    }

    /// The page before.
    pub fn back(&self) {
        self.wish(Wish::Back);
    }

    /// The page anew; a browser that has ended is started again.
    pub fn reload(&self) {
        self.wish(Wish::Reload);
    }

    /// The answer to the page's question.
    pub fn answer(&self, yes: bool) {
        self.wish(Wish::Answer(yes));
    }

    /// The newest picture, if it was not taken yet.
    #[must_use]
    pub fn frame(&self) -> Option<Frame> {
        let frame = lock(&self.shared.frame).take();
        if frame.is_some() {
            self.wish(Wish::Taken);
        }
        frame
    }

    /// What is known of the page now.
    #[must_use]
    pub fn state(&self) -> State {
        lock(&self.shared.state).clone()
    }

    fn wish(&self, wish: Wish) {
        if self.inputs.try_send(Input::Wish(wish)).is_err() {
            tracing::debug!("the browser is behind: something touched or typed is lost");
        }
    }
}

struct Running {
    process: Process,
    page: Page,
    since: Instant,
    /// It has shown something.
    alive: bool,
}

/// The thread: owns the process.
struct Keeper {
    program: PathBuf,
    profile: PathBuf,
    inputs: SyncSender<Input>,
    shared: Arc<Shared>,
    bell: Box<dyn Fn() + Send>,
    running: Option<Running>,
    /// Messages of a process that was ended are of an earlier turn.
    turn: u64,
    starts: Vec<Instant>,
    address: Option<String>,
    shown: bool,
    size: Size,
}

/// Of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Size {
    /// In pixels of CSS.
    width: u32,
    height: u32,
    /// Pixels of the picture in each.
    scale: f32,
}

impl Keeper {
    fn serve(mut self, queue: &Receiver<Input>) {
        let mut look = Instant::now() + LOOK;
        loop {
            match queue.recv_timeout(look.saturating_duration_since(Instant::now())) {
                Ok(Input::Wish(wish)) => self.wish(wish),
                Ok(Input::Message(turn, message)) if turn == self.turn => self.heard(&message),
                Ok(Input::Ended(turn)) if turn == self.turn => self.died("it ended"),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => {
                    look = Instant::now() + LOOK;
                    self.look();
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn wish(&mut self, wish: Wish) {
        match wish {
            Wish::Open(address) => {
                self.address = Some(address.clone());
                self.starts.clear();
                match &mut self.running {
                    Some(running) => {
                        let say = running.page.open(address);
                        self.say(say);
                        self.tell();
                    }
                    None => self.start(),
                }
            }
            Wish::Close => {
                self.address = None;
                self.end(Standing::Closed);
            }
            Wish::Reload if self.running.is_none() => {
                self.starts.clear();
                self.start();
            }
            Wish::Show(shown) => {
                self.shown = shown;
                self.page(|page| page.show(shown));
            }
            Wish::Resize(width, height, scale) if self.size != Size { width, height, scale } => {
                self.size = Size { width, height, scale };
                self.page(|page| page.resize(Size { width, height, scale }));
            }
            Wish::Resize(..) => {}
            Wish::Touch(touch, x, y) => self.page(|page| page.touch(touch, x, y)),
            Wish::Wheel(at, by) => self.page(|page| page.wheel(at, by)),
            Wish::Key(text, control) => self.page(|page| page.key(&text, control)),
            Wish::Back => self.page(Page::back),
            Wish::Reload => self.page(Page::reload),
            Wish::Answer(yes) => {
                self.page(|page| page.answer(yes));
                self.tell();
            }
            Wish::Taken => self.page(Page::taken),
        }
    }

    fn start(&mut self) {
        let Some(address) = self.address.clone() else { return };
        self.starts.retain(|at| at.elapsed() < AGAIN);
        if self.starts.len() >= STARTS {
            return self.end(Standing::Ended(Reason::Died));
        }
        self.starts.push(Instant::now());
        self.turn += 1;
        match Process::start(&self.program, &self.profile, self.turn, self.inputs.clone()) {
            Ok(process) => {
                tracing::info!(program = %self.program.display(), "the browser starts");
                let (page, say) = Page::begin(self.size, self.shown, address);
                self.running = Some(Running { process, page, since: Instant::now(), alive: false });
                self.say(say);
                self.tell();
            }
            Err(error) => {
                tracing::error!(program = %self.program.display(), "the browser does not start: {error}");
                self.end(Standing::Ended(Reason::NotStarted));
            }
        }
    }

    fn heard(&mut self, message: &serde_json::Value) {
        let Some(running) = &mut self.running else { return };
        let Outcome { say, frame, changed, crashed } = running.page.take(message);
        let first = !running.alive && (frame.is_some() || changed);
        running.alive |= first;
        if let Some(frame) = frame {
            *lock(&self.shared.frame) = Some(frame);
            (self.bell)();
        }
        self.say(say);
        if crashed {
            self.died("the page's process ended");
        } else if changed || first {
            self.tell();
        }
    }

    /// Now and then: is it still good?
    fn look(&mut self) {
        let Some(running) = &self.running else { return };
        let bytes = running.process.bytes();
        if bytes > MAX_BYTES {
            tracing::warn!(bytes, "a page uses too much memory: the browser is ended");
            self.end(Standing::Ended(Reason::TooLarge));
        } else if !running.alive && running.since.elapsed() > PATIENCE {
            self.died("it shows nothing");
        }
    }

    fn died(&mut self, why: &str) {
        tracing::warn!(why, "the browser is lost");
        self.running = None;
        self.start();
    }

    fn end(&mut self, standing: Standing) {
        self.running = None;
        self.turn += 1;
        *lock(&self.shared.frame) = None;
        let address = self.address.clone().unwrap_or_default();
        *lock(&self.shared.state) = State { standing, address, ..State::default() };
        (self.bell)();
    }

    fn page(&mut self, wish: impl FnOnce(&mut Page) -> Vec<serde_json::Value>) {
        if let Some(running) = &mut self.running {
            let say = wish(&mut running.page);
            self.say(say);
        }
    }

    fn say(&mut self, messages: Vec<serde_json::Value>) {
        let Some(running) = &self.running else { return };
        let reads = messages.iter().all(|message| running.process.say(message));
        if !reads {
            self.died("it does not read");
        }
    }

    fn tell(&mut self) {
        if let Some(Running { page, alive, .. }) = &self.running {
            if !page.address.is_empty() && page.address != "about:blank" {
                // Where it goes on after a death.
                self.address = Some(page.address.clone());
            }
            *lock(&self.shared.state) = State {
                standing: if *alive { Standing::Open } else { Standing::Starting },
                address: self.address.clone().unwrap_or_default(),
                loading: page.loading,
                question: page.question.clone(),
            };
        }
        (self.bell)();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
