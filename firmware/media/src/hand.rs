//! Each ALSA device has a thread of its own, so that one that blocks holds up nothing but itself.
//!
//! The audio thread gives frames to and takes them from such a thread through a ring and a few atomics. A device whose
//! thread has not answered for [`STUCK`] is lost like one that failed; its thread is left to end when the driver lets
//! it, and until then the device is not opened again. A thread opens its device itself, since that may block too, and has
//! it play or record a moment before it says so: a device that opens and does not run takes nobody's place.
//! Here too nothing is allocated or logged between opening and closing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicI64, AtomicU64, Ordering};
use std::thread::{self, Builder, Thread};
use std::time::{Duration, Instant};

use rtrb::{Consumer, Producer, RingBuffer};

use crate::alsa_pcm::{AlsaIn, AlsaOut, Errno, explained};
use crate::audio::Shared;
use crate::frame::{FRAME, Frame, SILENCE};

/// A device is lost when it has not answered for so long.
const STUCK: Duration = Duration::from_millis(200);
/// Frames under way to or from a device's thread.
const RING: usize = 32;
/// The audio thread waits at most so long for what has been asked of a microphone, which answers in microseconds;
/// later it is taken in the next tick.
const PROMPT: Duration = Duration::from_millis(2);
/// Frames asked of a microphone that it may be behind with; more are let go.
const ARREARS: u64 = 4;
/// A device's thread looks after so long at the latest whether it is still wanted.
const IDLE: Duration = Duration::from_millis(250);

/// What a device's thread and the audio thread tell each other.
#[derive(Default)]
struct Between {
    /// The device is not wanted any more.
    stop: AtomicBool,
    /// `errno` of a device that failed, or 0.
    failed: AtomicI32,
    /// Frames asked for, and dealt with.
    asked: AtomicU64,
    done: AtomicU64,
    /// As of [`AlsaOut::excess`], and whether the device has a clock.
    excess: AtomicI64,
    paced: AtomicBool,
}

impl Between {
    fn failure(&self) -> Result<(), Errno> {
        match self.failed.load(Ordering::Acquire) {
            0 => Ok(()),
            errno => Err(errno),
        }
    }
}

/// Since when something is waited for that may never come.
struct Wait {
    since: Option<Instant>,
    done: u64,
}

impl Wait {
    const NONE: Wait = Wait { since: None, done: 0 };

    /// Fails when `asked` frames have been waited for, for too long, while no further one was dealt with.
    fn check(&mut self, asked: u64, done: u64) -> Result<(), Errno> {
        if done == asked {
            self.since = None;
        } else if self.since.is_none() || done != self.done {
            self.since = Some(Instant::now());
        }
        self.done = done;
        match self.since {
            Some(since) if since.elapsed() > STUCK => Err(libc::ETIMEDOUT),
            _ => Ok(()),
        }
    }
}

/// A playback device, as the audio thread has it. Dropping it has the device closed, without waiting.
pub(crate) struct OutHand {
    between: Arc<Between>,
    frames: Producer<Frame>,
    thread: Thread,
    wait: Wait,
}

/// A capture device likewise.
pub(crate) struct InHand {
    between: Arc<Between>,
    frames: Consumer<Frame>,
    thread: Thread,
    wait: Wait,
}

/// What a device's thread says to the device thread.
pub(crate) enum Word {
    /// It has opened its device for playback.
    Out(OutHand),
    /// It has opened its device for capture.
    In(InHand),
    /// It could not.
    Refused(String),
    /// The device is closed and the thread at its end.
    Ended,
}

/// Opens a playback device in a thread of its own, which says what comes of it by `tell`: [`Word::Refused`] alone, or
/// [`Word::Out`] and in the end [`Word::Ended`].
pub(crate) fn start_out(
    name: String,
    prepare: impl FnOnce() + Send + 'static,
    tell: impl Fn(Word) + Send + 'static,
) -> std::io::Result<()> {
    let work = move || {
        prepare();
        let mut alsa = match explained(|| AlsaOut::open(&name)) {
            Ok(alsa) => alsa,
            Err(reason) => return tell(Word::Refused(reason)),
        };
        if let Err(errno) = alsa.begin() {
            return tell(Word::Refused(std::io::Error::from_raw_os_error(errno).to_string()));
        }
        let (frames, given) = RingBuffer::new(RING);
        let between = Arc::new(Between::default());
        between.paced.store(alsa.is_paced(), Ordering::Relaxed);
        let thread = thread::current();
        tell(Word::Out(OutHand { between: Arc::clone(&between), frames, thread, wait: Wait::NONE }));
        play(alsa, &between, given);
        tell(Word::Ended);
    };
    Builder::new().name("fd-sound-out".into()).spawn(work).map(|_| ())
}

/// Likewise of a capture device: [`Word::In`].
pub(crate) fn start_in(
    name: String,
    shared: Arc<Shared>,
    prepare: impl FnOnce() + Send + 'static,
    tell: impl Fn(Word) + Send + 'static,
) -> std::io::Result<()> {
    let work = move || {
        prepare();
        let mut alsa = match explained(|| AlsaIn::open(&name)) {
            Ok(alsa) => alsa,
            Err(reason) => return tell(Word::Refused(reason)),
        };
        if let Err(errno) = alsa.begin() {
            return tell(Word::Refused(std::io::Error::from_raw_os_error(errno).to_string()));
        }
        let (heard, frames) = RingBuffer::new(RING);
        let between = Arc::new(Between::default());
        let thread = thread::current();
        tell(Word::In(InHand { between: Arc::clone(&between), frames, thread, wait: Wait::NONE }));
        record(alsa, &between, heard, &shared);
        tell(Word::Ended);
    };
    Builder::new().name("fd-sound-in".into()).spawn(work).map(|_| ())
}

fn play(mut alsa: AlsaOut, between: &Between, mut frames: Consumer<Frame>) {
    while !between.stop.load(Ordering::Acquire) {
        let Ok(frame) = frames.pop() else {
            thread::park_timeout(IDLE);
            continue;
        };
        if let Err(errno) = alsa.write(&frame) {
            return between.failed.store(errno, Ordering::Release);
        }
        between.excess.store(alsa.excess().unwrap_or(0), Ordering::Relaxed);
        between.paced.store(alsa.is_paced(), Ordering::Relaxed);
        between.done.fetch_add(1, Ordering::Release);
    }
}

fn record(mut alsa: AlsaIn, between: &Between, mut heard: Producer<Frame>, shared: &Shared) {
    while !between.stop.load(Ordering::Acquire) {
        let (asked, done) = (between.asked.load(Ordering::Acquire), between.done.load(Ordering::Relaxed));
        if asked == done {
            thread::park_timeout(IDLE);
            continue;
        }
        if asked - done > ARREARS {
            between.done.store(asked - ARREARS, Ordering::Release);
            continue;
        }
        let mut frame = SILENCE;
        match alsa.read(&mut frame) {
            // A full ring means that nobody listens.
            Ok(true) => _ = heard.push(frame),
            Ok(false) => {}
            Err(errno) => return between.failed.store(errno, Ordering::Release),
        }
        between.done.store(done + 1, Ordering::Release);
        shared.wake_audio();
    }
}

impl OutHand {
    /// Has a frame played.
    pub(crate) fn write(&mut self, frame: &Frame) -> Result<(), Errno> {
        self.between.failure()?;
        // A full ring is a device that blocks, which the wait is about.
        if self.frames.push(*frame).is_ok() {
            self.between.asked.fetch_add(1, Ordering::Relaxed);
            self.thread.unpark();
        }
        self.wait.check(self.between.asked.load(Ordering::Relaxed), self.between.done.load(Ordering::Acquire))
    }

    /// As of [`AlsaOut::excess`].
    pub(crate) fn excess(&self) -> Option<i64> {
        let waiting = RING - self.frames.slots();
        let excess = self.between.excess.load(Ordering::Relaxed) + (waiting.saturating_sub(1) * FRAME) as i64;
        self.is_paced().then_some(excess)
    }

    /// True when the device has a clock of its own.
    pub(crate) fn is_paced(&self) -> bool {
        self.between.paced.load(Ordering::Relaxed)
    }
}

impl InHand {
    /// Asks for a frame, to be taken a moment later.
    pub(crate) fn ask(&self) {
        self.between.asked.fetch_add(1, Ordering::Release);
        self.thread.unpark();
    }

    /// The next frame that has come, if there is one; waits a moment for what has been asked.
    pub(crate) fn take(&mut self) -> Result<Option<Frame>, Errno> {
        let end = Instant::now() + PROMPT;
        let asked = self.between.asked.load(Ordering::Relaxed);
        loop {
            if let Ok(frame) = self.frames.pop() {
                return Ok(Some(frame));
            }
            self.between.failure()?;
            let done = self.between.done.load(Ordering::Acquire);
            self.wait.check(asked, done)?;
            let rest = end.saturating_duration_since(Instant::now());
            if done == asked || rest.is_zero() {
                // What came between the two looks is taken in the next tick.
                return Ok(None);
            }
            thread::park_timeout(rest);
        }
    }
}

impl Drop for OutHand {
    fn drop(&mut self) {
        self.between.stop.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.between.stop.store(true, Ordering::Release);
        self.thread.unpark();
    }
}
