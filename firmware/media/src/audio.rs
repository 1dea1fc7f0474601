//! The audio thread: moves frames between devices and rings every 10 ms, and so is the clock of all speech.
//!
//! Law 6 holds for [`run`] once its loop has begun: no lock, no allocation, no logging. It speaks with the others
//! through single-producer single-consumer rings, atomics, and an eventfd that wakes the media thread. Devices
//! come opened through a ring and go back through another to be closed elsewhere.
//! (libasound guards each device by a mutex of its own, which nobody else ever takes.)

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mio::Waker;
use rtrb::{Consumer, Producer, RingBuffer};

use crate::alsa_pcm::{AlsaIn, AlsaOut, Errno};
use crate::api::Role;
use crate::by_hand::{HandIn, HandOut};
use crate::frame::{Frame, RATE, SILENCE};
use crate::timing::Counters;
use crate::wav::{WavIn, WavOut};

/// Time of one tick.
pub(crate) const TICK: Duration = Duration::from_millis(10);
/// Frames a ring holds: 320 ms, reached only when the media thread stands still.
const RING: usize = 32;
/// Frames in the speaker ring at the start, as reserve against a late media thread.
pub(crate) const RESERVE: usize = 2;
/// Devices under way to or from this thread.
const INSTALLS: usize = 8;
/// Ticks made up for at most after the thread was kept from running; beyond that the past is let go.
const CATCH_UP: u32 = 100;
/// Frames a device without a clock may be late before it gets silence instead.
const PATIENCE: u32 = 20;
/// How fast the tick follows the speaker's clock: the share of its excess made up in each tick, and the limit.
const FOLLOW: f64 = 1.0 / 200.0;
const FOLLOW_LIMIT: f64 = 0.000_2;

/// An open playback device.
pub(crate) enum Playback {
    Wav(WavOut),
    Alsa(AlsaOut),
    /// Of [`crate::by_hand`].
    Hand(HandOut),
}

/// An open capture device.
pub(crate) enum Capture {
    Wav(WavIn),
    Alsa(AlsaIn),
    /// Of [`crate::by_hand`].
    Hand(HandIn),
}

/// A device for the audio thread, or none.
pub(crate) enum Install {
    Speaker(Option<Playback>),
    Ringer(Option<Playback>),
    Microphone(Option<Capture>),
}

/// A device the audio thread has done with.
pub(crate) type Retired = Install;

/// What the threads tell each other without waiting.
#[derive(Default)]
pub(crate) struct Shared {
    /// Ticks since the start; catches up after a delay, so it follows real time.
    pub ticks: AtomicU64,
    pub stop: AtomicBool,
    /// How punctual the audio thread is.
    pub timing: Counters,
    /// `errno` of a failed device by role, 0 while all is well.
    lost: [AtomicI32; 3],
}

impl Shared {
    /// Takes the failure of a device, if there was one.
    pub(crate) fn take_lost(&self, role: Role) -> Option<Errno> {
        Some(self.lost[role as usize].swap(0, Ordering::AcqRel)).filter(|errno| *errno != 0)
    }

    fn set_lost(&self, role: Role, errno: Errno) {
        self.lost[role as usize].store(errno, Ordering::Release);
    }
}

/// The media thread's ends of the rings.
pub(crate) struct Frames {
    pub microphone: Consumer<Frame>,
    pub speaker: Producer<Frame>,
    pub ringer: Producer<Frame>,
}

/// The device thread's ends of the rings.
pub(crate) struct Installs {
    pub install: Producer<Install>,
    pub retired: Consumer<Retired>,
}

/// Everything the audio thread owns.
pub(crate) struct Audio {
    shared: Arc<Shared>,
    waker: Arc<Waker>,
    microphone: Option<Capture>,
    heard: Producer<Frame>,
    speaker: Output,
    ringer: Output,
    install: Consumer<Install>,
    retired: Producer<Retired>,
}

/// A playback device and what it is to play.
struct Output {
    role: Role,
    device: Option<Playback>,
    frames: Consumer<Frame>,
    /// Frames a device without a clock has not been given because they were late.
    owed: u32,
}

/// Makes the thread's state and the others' ends of its rings.
pub(crate) fn new(shared: Arc<Shared>, waker: Arc<Waker>) -> (Audio, Frames, Installs) {
    let (heard, microphone) = RingBuffer::new(RING);
    let (mut speaker, to_speaker) = RingBuffer::new(RING);
    let (ringer, to_ringer) = RingBuffer::new(RING);
    let (install, installs) = RingBuffer::new(INSTALLS);
    let (retire, retired) = RingBuffer::new(INSTALLS);
    for _ in 0..RESERVE {
        // The ring is new and larger than the reserve.
        let _ = speaker.push(SILENCE);
    }
    let audio = Audio {
        shared,
        waker,
        microphone: None,
        heard,
        speaker: Output { role: Role::Speaker, device: None, frames: to_speaker, owed: 0 },
        ringer: Output { role: Role::Ringer, device: None, frames: to_ringer, owed: 0 },
        install: installs,
        retired: retire,
    };
    (audio, Frames { microphone, speaker, ringer }, Installs { install, retired })
}

impl Audio {
    /// Runs until told to stop.
    pub(crate) fn run(mut self) {
        let mut due = Instant::now();
        let mut late = Duration::ZERO;
        while !self.shared.stop.load(Ordering::Acquire) {
            due += self.tick(late);
            let now = Instant::now();
            late = Duration::ZERO;
            if let Some(rest) = due.checked_duration_since(now) {
                std::thread::sleep(rest);
                late = due.elapsed();
            } else if now - due > TICK * CATCH_UP {
                let missed = (now - due).as_millis() / TICK.as_millis();
                self.shared.ticks.fetch_add(missed as u64, Ordering::Release);
                late = now - due;
                due = now;
            }
        }
    }

    /// What is done every 10 ms, `late` after its time; returns the time to the next.
    pub(crate) fn tick(&mut self, late: Duration) -> Duration {
        self.shared.timing.woke(late);
        self.exchange_devices();
        self.record();
        let errors = [self.speaker.play(&self.shared.timing), self.ringer.play(&self.shared.timing)];
        for (role, result) in [Role::Speaker, Role::Ringer].into_iter().zip(errors) {
            if let Err(errno) = result {
                self.lose(role, errno);
            }
        }
        self.shared.ticks.fetch_add(1, Ordering::Release);
        // When the eventfd cannot be written, the media thread goes on by its own timer.
        let _ = self.waker.wake();
        self.period()
    }

    /// Takes new devices and hands the old ones back.
    fn exchange_devices(&mut self) {
        while self.retired.slots() > 0
            && let Ok(install) = self.install.pop()
        {
            let old = match install {
                Install::Speaker(new) => Install::Speaker(std::mem::replace(&mut self.speaker.device, new)),
                Install::Ringer(new) => Install::Ringer(std::mem::replace(&mut self.ringer.device, new)),
                Install::Microphone(new) => Install::Microphone(std::mem::replace(&mut self.microphone, new)),
            };
            self.retire(old);
        }
    }

    fn record(&mut self) {
        let mut frame = SILENCE;
        let result = match &mut self.microphone {
            None => return,
            Some(Capture::Wav(wav)) => {
                frame = wav.read();
                Ok(true)
            }
            Some(Capture::Alsa(alsa)) => alsa.read(&mut frame),
            Some(Capture::Hand(hand)) => Ok(hand.read(&mut frame)),
        };
        match result {
            // A full ring means that the media thread stands still: what is said meanwhile is lost.
            Ok(true) => _ = self.heard.push(frame),
            Ok(false) => {}
            Err(errno) => self.lose(Role::Microphone, errno),
        }
    }

    fn lose(&mut self, role: Role, errno: Errno) {
        if self.retired.slots() == 0 {
            // Tried again in the next tick; the device must not be closed in this thread.
            return;
        }
        let old = match role {
            Role::Speaker => Install::Speaker(self.speaker.device.take()),
            Role::Ringer => Install::Ringer(self.ringer.device.take()),
            Role::Microphone => Install::Microphone(self.microphone.take()),
        };
        self.retire(old);
        self.shared.set_lost(role, errno);
    }

    /// Hands a device back. The caller has made sure of a free slot.
    fn retire(&mut self, old: Retired) {
        if !old.is_empty() {
            let _ = self.retired.push(old);
        }
    }

    /// The time to the next tick, following the speaker's clock when it has one.
    fn period(&self) -> Duration {
        let excess = match &self.speaker.device {
            Some(Playback::Alsa(alsa)) => alsa.excess(),
            Some(Playback::Hand(hand)) => Some(hand.excess()),
            _ => None,
        };
        let Some(excess) = excess else { return TICK };
        let correction = excess as f64 / f64::from(RATE) * FOLLOW;
        // Longer while too much waits in the device, shorter while too little does.
        Duration::from_secs_f64(TICK.as_secs_f64() + correction.clamp(-FOLLOW_LIMIT, FOLLOW_LIMIT))
    }
}

impl Install {
    fn is_empty(&self) -> bool {
        matches!(self, Install::Speaker(None) | Install::Ringer(None) | Install::Microphone(None))
    }
}

impl Output {
    fn play(&mut self, timing: &Counters) -> Result<(), Errno> {
        let paced = match &self.device {
            None => {
                let _ = self.frames.pop();
                self.owed = 0;
                return Ok(());
            }
            Some(Playback::Wav(_)) => false,
            Some(Playback::Alsa(alsa)) => alsa.is_paced(),
            Some(Playback::Hand(_)) => true,
        };
        if paced || self.role == Role::Ringer {
            // The ringer's ring is empty whenever nothing rings.
            self.owed = 0;
            let next = self.frames.pop();
            if next.is_err() && self.role == Role::Speaker {
                timing.late_buffer();
            }
            return self.write(&next.unwrap_or(SILENCE));
        }
        // Without a clock nobody listens in real time: a late frame may be written later instead of a gap.
        self.owed += 1;
        while self.owed > 0 {
            match self.frames.pop() {
                Ok(frame) => self.write(&frame)?,
                Err(_) if self.owed > PATIENCE => self.write(&SILENCE)?,
                Err(_) => {
                    timing.late_buffer();
                    break;
                }
            }
            self.owed -= 1;
        }
        Ok(())
    }

    fn write(&mut self, frame: &Frame) -> Result<(), Errno> {
        match &mut self.device {
            None => Ok(()),
            Some(Playback::Wav(wav)) => wav.write(frame).map_err(|e| e.raw_os_error().unwrap_or(libc::EIO)),
            Some(Playback::Alsa(alsa)) => alsa.write(frame),
            Some(Playback::Hand(hand)) => {
                hand.write(frame);
                Ok(())
            }
        }
    }
}
