//! A Slint platform without a screen: draws into memory, takes input from a queue.
//!
//! Not here: window decorations, several windows, a cursor.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel};
use std::time::{Duration, Instant};

use slint::platform::software_renderer::{MinimalSoftwareWindow, RepaintBufferType};
use slint::platform::{EventLoopProxy, Platform, WindowAdapter, WindowEvent};
use slint::{EventLoopError, PhysicalSize, PlatformError, Rgb8Pixel};

use super::input::{BadInput, Input};
use super::picture::{Area, PIXEL, Picture};

/// A frame while something moves: 60 a second.
const FRAME: Duration = Duration::from_millis(16);
/// An idle loop looks around this often.
const IDLE: Duration = Duration::from_secs(60);

/// The drawing half: what a window is drawn into.
pub struct Offscreen {
    window: Rc<MinimalSoftwareWindow>,
    canvas: RefCell<Vec<Rgb8Pixel>>,
    picture: Arc<Picture>,
}

/// Something for the event loop to do.
enum Job {
    Run(Box<dyn FnOnce() + Send>),
    Input(Input, SyncSender<Result<(), BadInput>>),
    Quit,
}

/// Hands input to the event loop, from any thread.
#[derive(Clone)]
pub(crate) struct Hand {
    jobs: Sender<Job>,
}

struct WebPlatform {
    screen: Rc<Offscreen>,
    jobs: RefCell<Receiver<Job>>,
    proxy: Sender<Job>,
    began: Instant,
}

struct Proxy(Sender<Job>);

/// Makes this thread's Slint draw into memory, at `size` physical pixels and `scale` physical
/// pixels a logical one. Must come before the window is made.
///
/// # Errors
/// When a platform is set already.
pub fn install(size: PhysicalSize, scale: f32) -> Result<Rc<Offscreen>, PlatformError> {
    Ok(install_with_hand(size, scale)?.0)
}

pub(crate) fn install_with_hand(
    size: PhysicalSize,
    scale: f32,
) -> Result<(Rc<Offscreen>, Hand), PlatformError> {
    let window = MinimalSoftwareWindow::new(RepaintBufferType::ReusedBuffer);
    let screen = Rc::new(Offscreen { window, canvas: RefCell::default(), picture: Arc::default() });
    let (proxy, jobs) = channel();
    let hand = Hand { jobs: proxy.clone() };
    let platform =
        WebPlatform { screen: screen.clone(), jobs: RefCell::new(jobs), proxy, began: Instant::now() };
    slint::platform::set_platform(Box::new(platform))
        .map_err(|error| PlatformError::Other(error.to_string()))?;
    screen.window.dispatch_event_with_result(WindowEvent::ScaleFactorChanged { scale_factor: scale })?;
    screen.window.set_size(size);
    Ok((screen, hand))
}

impl Offscreen {
    /// Where the pictures go.
    #[must_use]
    pub fn picture(&self) -> Arc<Picture> {
        self.picture.clone()
    }

    /// Changes the size, in physical pixels.
    pub fn set_size(&self, size: PhysicalSize) {
        self.window.set_size(size);
    }

    /// Lets a key or pointer event happen.
    ///
    /// # Errors
    /// When the window refuses it.
    pub fn dispatch(&self, event: WindowEvent) -> Result<(), PlatformError> {
        self.window.dispatch_event_with_result(event).map(|_| ())
    }

    /// Turns the wheel at a place by `pixels`, downwards when positive. All in logical pixels.
    ///
    /// # Errors
    /// When the window refuses it.
    pub fn turn_wheel(&self, (x, y): (f32, f32), pixels: f32) -> Result<(), PlatformError> {
        let position = slint::LogicalPosition::new(x, y);
        self.dispatch(WindowEvent::PointerScrolled { position, delta_x: 0.0, delta_y: -pixels })
    }

    /// Runs timers and draws what has changed; `true` when something was drawn.
    pub fn draw(&self) -> bool {
        slint::platform::update_timers_and_animations();
        let size = self.window.size();
        let mut canvas = self.canvas.borrow_mut();
        canvas.resize(size.width as usize * size.height as usize, Rgb8Pixel::default());
        let mut areas = Vec::new();
        let drawn = self.window.draw_if_needed(|renderer| {
            let region = renderer.render(&mut canvas, size.width as usize);
            areas.extend(region.iter().filter_map(|(at, extent)| clipped(at.x, at.y, extent, size)));
        });
        if drawn {
            self.picture.publish(size.width, size.height, bytes(&canvas).as_slice(), &areas);
        }
        drawn
    }
}

impl std::fmt::Debug for Offscreen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Offscreen").finish_non_exhaustive()
    }
}

impl Hand {
    /// Lets an input happen and waits until the picture shows what came of it.
    pub(crate) fn give(&self, input: Input) -> Result<(), NotGiven> {
        let (sender, done) = std::sync::mpsc::sync_channel(1);
        self.jobs.send(Job::Input(input, sender)).map_err(|_| NotGiven::Closed)?;
        done.recv().map_err(|_| NotGiven::Closed)?.map_err(NotGiven::Bad)
    }

    /// Ends the event loop.
    pub(crate) fn quit(&self) {
        // A loop that has ended needs no telling.
        let _ = self.jobs.send(Job::Quit);
    }
}

/// Why an input did not happen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotGiven {
    #[error("the console is closing")]
    Closed,
    #[error("{0}")]
    Bad(#[from] BadInput),
}

impl Platform for WebPlatform {
    fn create_window_adapter(&self) -> Result<Rc<dyn WindowAdapter>, PlatformError> {
        Ok(self.screen.window.clone())
    }

    fn duration_since_start(&self) -> Duration {
        self.began.elapsed()
    }

    fn new_event_loop_proxy(&self) -> Option<Box<dyn EventLoopProxy>> {
        Some(Box::new(Proxy(self.proxy.clone())))
    }

    fn run_event_loop(&self) -> Result<(), PlatformError> {
        self.screen.dispatch(WindowEvent::WindowActiveChanged(true))?;
        let jobs = self.jobs.borrow();
        loop {
            self.screen.draw();
            match jobs.recv_timeout(self.pause()) {
                Ok(job) => {
                    if !self.work(job)? {
                        break;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.screen.picture.close();
        Ok(())
    }
}

impl WebPlatform {
    /// How long nothing needs to be done.
    fn pause(&self) -> Duration {
        let timer = slint::platform::duration_until_next_timer_update().unwrap_or(IDLE);
        if self.screen.window.has_active_animations() { timer.min(FRAME) } else { timer }
    }

    /// Does one job; `false` ends the loop.
    fn work(&self, job: Job) -> Result<bool, PlatformError> {
        match job {
            Job::Run(run) => run(),
            Job::Quit => return Ok(false),
            Job::Input(input, done) => {
                let events = input.events();
                // Timers first: a long-press that is due happens before the finger comes up.
                slint::platform::update_timers_and_animations();
                for event in events.as_ref().map(Vec::as_slice).unwrap_or_default() {
                    self.screen.dispatch(event.clone())?;
                }
                self.screen.draw();
                // Whoever sent it may have gone.
                let _ = done.send(events.map(|_| ()));
            }
        }
        Ok(true)
    }
}

impl EventLoopProxy for Proxy {
    fn quit_event_loop(&self) -> Result<(), EventLoopError> {
        self.0.send(Job::Quit).map_err(|_| EventLoopError::EventLoopTerminated)
    }

    fn invoke_from_event_loop(&self, run: Box<dyn FnOnce() + Send>) -> Result<(), EventLoopError> {
        self.0.send(Job::Run(run)).map_err(|_| EventLoopError::EventLoopTerminated)
    }
}

/// The part of a drawn rectangle that lies on the picture.
fn clipped(x: i32, y: i32, extent: PhysicalSize, size: PhysicalSize) -> Option<Area> {
    let right = (i64::from(x) + i64::from(extent.width)).clamp(0, i64::from(size.width));
    let bottom = (i64::from(y) + i64::from(extent.height)).clamp(0, i64::from(size.height));
    let (left, top) = (u32::try_from(x.max(0)).ok()?, u32::try_from(y.max(0)).ok()?);
    let (right, bottom) = (u32::try_from(right).ok()?, u32::try_from(bottom).ok()?);
    let (width, height) = (right.checked_sub(left)?, bottom.checked_sub(top)?);
    (width > 0 && height > 0).then_some(Area { x: left, y: top, width, height })
}

fn bytes(canvas: &[Rgb8Pixel]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(canvas.len() * PIXEL);
    for pixel in canvas {
        bytes.extend_from_slice(&[pixel.r, pixel.g, pixel.b]);
    }
    bytes
}
