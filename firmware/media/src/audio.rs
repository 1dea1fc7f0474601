//! The audio thread: moves frames between devices and rings every 10 ms, and so is the clock of all speech.
//!
//! Law 6 holds for [`run`] once its loop has begun: no lock, no allocation, no logging. It speaks with the others
//! through single-producer single-consumer rings, atomics, and an eventfd that wakes the media thread. Devices
//! come opened through a ring and go back through another to be closed elsewhere. Those of ALSA are only spoken with:
//! each has a thread of its own ([`crate::hand`]), so that none can hold up this one.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;
use std::time::{Duration, Instant};

use mio::Waker;
use rtrb::{Consumer, Producer, RingBuffer};

use crate::alsa_pcm::{AIM, Errno};
use crate::api::Role;
use crate::by_hand::{MemoryIn, MemoryOut};
use crate::frame::{Frame, RATE, SILENCE};
use crate::hand::{InHand, OutHand};
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
    Alsa(OutHand),
    /// Of [`crate::by_hand`].
    Memory(MemoryOut),
}

/// An open capture device.
pub(crate) enum Capture {
    Wav(WavIn),
    Alsa(InHand),
    /// Of [`crate::by_hand`].
    Memory(MemoryIn),
}

/// Which opening of a device: never the same twice.
pub(crate) type Serial = u32;

/// A device for the audio thread, or none.
pub(crate) enum Install {
    Playback { role: Role, device: Option<(Serial, Playback)> },
    Capture { device: Option<(Serial, Capture)> },
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
    /// What waits in the speaker's device, where that is known.
    pub speaker_waiting_ms: AtomicU32,
    /// By role: which device failed, and `errno` in the lower half; 0 while all is well.
    lost: [AtomicU64; Role::COUNT],
    /// By role: 0 for what has a device of its own or none, else one more than the role in whose device it sounds.
    joined: [AtomicU8; Role::COUNT],
    /// The audio thread, once it runs.
    audio: OnceLock<Thread>,
    /// Wakes the device thread.
    devices: Option<Waker>,
}

impl Shared {
    pub(crate) fn new(devices: Waker) -> Shared {
        Shared { devices: Some(devices), ..Shared::default() }
    }

    /// Takes the failure of a device, if there was one.
    pub(crate) fn take_lost(&self, role: Role) -> Option<(Serial, Errno)> {
        let lost = self.lost[role as usize].swap(0, Ordering::AcqRel);
        (lost != 0).then_some(((lost >> 32) as Serial, lost as u32 as Errno))
    }

    fn set_lost(&self, role: Role, serial: Serial, errno: Errno) {
        let lost = u64::from(serial) << 32 | u64::from(errno.unsigned_abs());
        self.lost[role as usize].store(lost, Ordering::Release);
        self.wake_devices();
    }

    /// Has a role sound in the device of another one, or not any more.
    pub(crate) fn join(&self, role: Role, with: Option<Role>) {
        let value = with.map_or(0, |with| with as u8 + 1);
        self.joined[role as usize].store(value, Ordering::Release);
    }

    /// The role in whose device this one sounds.
    pub(crate) fn joined(&self, role: Role) -> Option<Role> {
        let value = usize::from(self.joined[role as usize].load(Ordering::Acquire));
        value.checked_sub(1).and_then(|index| Role::ALL.get(index).copied())
    }

    /// Wakes the audio thread where it waits for a device.
    pub(crate) fn wake_audio(&self) {
        if let Some(audio) = self.audio.get() {
            audio.unpark();
        }
    }

    /// Wakes the device thread.
    pub(crate) fn wake_devices(&self) {
        if let Some(devices) = &self.devices {
            // Should it fail, the device thread still looks by itself after a while.
            let _ = devices.wake();
        }
    }
}

/// The media thread's ends of the rings.
pub(crate) struct Frames {
    pub microphone: Consumer<Frame>,
    pub speaker: Producer<Frame>,
    pub ringer: Producer<Frame>,
    pub notifier: Producer<Frame>,
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
    microphone: Option<(Serial, Capture)>,
    heard: Producer<Frame>,
    speaker: Output,
    ringer: Output,
    notifier: Output,
    install: Consumer<Install>,
    retired: Producer<Retired>,
}

/// A playback device and what it is to play.
struct Output {
    role: Role,
    device: Option<(Serial, Playback)>,
    frames: Consumer<Frame>,
    /// Frames a device without a clock has not been given because they were late.
    owed: u32,
}

/// Makes the thread's state and the others' ends of its rings.
pub(crate) fn new(shared: Arc<Shared>, waker: Arc<Waker>) -> (Audio, Frames, Installs) {
    let (heard, microphone) = RingBuffer::new(RING);
    let (mut speaker, to_speaker) = RingBuffer::new(RING);
    let (ringer, to_ringer) = RingBuffer::new(RING);
    let (notifier, to_notifier) = RingBuffer::new(RING);
    let (install, installs) = RingBuffer::new(INSTALLS);
    let (retire, retired) = RingBuffer::new(INSTALLS);
    for _ in 0..RESERVE {
        // The ring is new and larger than the reserve.
        let _ = speaker.push(SILENCE);
    }
    let frames = Frames { microphone, speaker, ringer, notifier };
    let audio = Audio {
        shared,
        waker,
        microphone: None,
        heard,
        speaker: Output { role: Role::Speaker, device: None, frames: to_speaker, owed: 0 },
        ringer: Output { role: Role::Ringer, device: None, frames: to_ringer, owed: 0 },
        notifier: Output { role: Role::Notifier, device: None, frames: to_notifier, owed: 0 },
        install: installs,
        retired: retire,
    };
    (audio, frames, Installs { install, retired })
}

impl Audio {
    /// Runs until told to stop.
    pub(crate) fn run(mut self) {
        let _ = self.shared.audio.set(std::thread::current());
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
        if let Some((_, Capture::Alsa(alsa))) = &self.microphone {
            alsa.ask();
        }
        let timing = &self.shared.timing;
        let outputs = [&mut self.speaker, &mut self.ringer, &mut self.notifier];
        for (role, result) in outputs.map(|output| (output.role, output.play(timing))) {
            if let Err(errno) = result {
                self.lose(role, errno);
            }
        }
        self.record();
        self.shared.speaker_waiting_ms.store(self.speaker.waiting_ms(), Ordering::Relaxed);
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
                Install::Playback { role, device } => {
                    let old =
                        self.output(role).and_then(|output| std::mem::replace(&mut output.device, device));
                    Install::Playback { role, device: old }
                }
                Install::Capture { device } => {
                    Install::Capture { device: std::mem::replace(&mut self.microphone, device) }
                }
            };
            self.retire(old);
        }
    }

    fn output(&mut self, role: Role) -> Option<&mut Output> {
        match role {
            Role::Speaker => Some(&mut self.speaker),
            Role::Ringer => Some(&mut self.ringer),
            Role::Notifier => Some(&mut self.notifier),
            Role::Microphone => None,
        }
    }

    fn record(&mut self) {
        // A full ring means that the media thread stands still: what is said meanwhile is lost.
        match &mut self.microphone {
            None => {}
            Some((_, Capture::Wav(wav))) => _ = self.heard.push(wav.read()),
            Some((_, Capture::Memory(memory))) => {
                let mut frame = SILENCE;
                if memory.read(&mut frame) {
                    let _ = self.heard.push(frame);
                }
            }
            Some((_, Capture::Alsa(alsa))) => loop {
                match alsa.take() {
                    Ok(Some(frame)) => _ = self.heard.push(frame),
                    Ok(None) => break,
                    Err(errno) => break self.lose(Role::Microphone, errno),
                }
            },
        }
    }

    fn lose(&mut self, role: Role, errno: Errno) {
        if self.retired.slots() == 0 {
            // Tried again in the next tick; the device must not be closed in this thread.
            return;
        }
        let old = match self.output(role) {
            Some(output) => Install::Playback { role, device: output.device.take() },
            None => Install::Capture { device: self.microphone.take() },
        };
        let serial = old.serial();
        self.retire(old);
        if let Some(serial) = serial {
            self.shared.set_lost(role, serial, errno);
        }
    }

    /// Hands a device back. The caller has made sure of a free slot.
    fn retire(&mut self, old: Retired) {
        if old.serial().is_some() {
            let _ = self.retired.push(old);
            self.shared.wake_devices();
        }
    }

    /// The time to the next tick, following the speaker's clock when it has one.
    fn period(&self) -> Duration {
        let excess = match &self.speaker.device {
            Some((_, Playback::Alsa(alsa))) => alsa.excess(),
            Some((_, Playback::Memory(memory))) => Some(memory.excess()),
            _ => None,
        };
        let Some(excess) = excess else { return TICK };
        let correction = excess as f64 / f64::from(RATE) * FOLLOW;
        // Longer while too much waits in the device, shorter while too little does.
        Duration::from_secs_f64(TICK.as_secs_f64() + correction.clamp(-FOLLOW_LIMIT, FOLLOW_LIMIT))
    }
}

impl Install {
    /// Which device it is, if it is one.
    pub(crate) fn serial(&self) -> Option<Serial> {
        match self {
            Install::Playback { device, .. } => device.as_ref().map(|(serial, _)| *serial),
            Install::Capture { device } => device.as_ref().map(|(serial, _)| *serial),
        }
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
            Some((_, Playback::Wav(_))) => false,
            Some((_, Playback::Alsa(alsa))) => alsa.is_paced(),
            Some((_, Playback::Memory(_))) => true,
        };
        if paced || self.role != Role::Speaker {
            // The ring of the others is empty whenever nothing rings.
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

    /// What waits in the device, in milliseconds.
    fn waiting_ms(&self) -> u32 {
        match &self.device {
            Some((_, Playback::Alsa(alsa))) => {
                let waiting = alsa.excess().map_or(0, |excess| excess + AIM);
                (waiting.max(0) * 1000 / i64::from(RATE)) as u32
            }
            Some((_, Playback::Wav(_) | Playback::Memory(_))) | None => 0,
        }
    }

    fn write(&mut self, frame: &Frame) -> Result<(), Errno> {
        match &mut self.device {
            None => Ok(()),
            Some((_, Playback::Wav(wav))) => {
                wav.write(frame).map_err(|e| e.raw_os_error().unwrap_or(libc::EIO))
            }
            Some((_, Playback::Alsa(alsa))) => alsa.write(frame),
            Some((_, Playback::Memory(memory))) => {
                memory.write(frame);
                Ok(())
            }
        }
    }
}
