//! ALSA devices by name. Non-blocking as far as ALSA is: the audio thread's own clock says when to move a frame, and
//! whoever calls has a thread of their own for what blocks all the same ([`crate::hand`]).
//!
//! A device may be paced by hardware or, like ALSA's `null` and `file` plugins, take and give whatever is asked
//! for at once. Which it is shows from how its buffer moves; unpaced ones get exactly one frame a tick.
//! Not done here: mixer controls, more than two channels, rates other than 48 kHz (name a `plug` device).

use std::ffi::CString;
use std::time::{Duration, Instant};

use alsa::pcm::{Access, Format, HwParams, PCM, State};
use alsa::{Direction, ValueOr};

use crate::frame::{FRAME, Frame, RATE};

/// Buffer asked of the device: 80 ms.
const BUFFER: i64 = 8 * FRAME as i64;
/// What shall wait in a playback device just after a frame was written: 30 ms, one frame on its way out and
/// two in reserve.
pub(crate) const AIM: i64 = 3 * FRAME as i64;
/// More than this waiting in a device is delay nobody wants: 60 ms.
const EXCESS: i64 = 6 * FRAME as i64;
/// Times in a row a buffer must stand still (or move) before the device is taken to be unpaced (or paced).
const CONVINCED: u8 = 3;

/// A device that runs but moves nothing for so long is lost.
const STALLED: Duration = Duration::from_millis(200);
/// A microphone may take so long to begin.
const BEGINS: Duration = Duration::from_secs(1);
/// Time between two looks at a device that is to begin.
const BEGINNING: Duration = Duration::from_millis(1);
/// A device that has not been looked at for so long has not been watched.
const UNWATCHED: Duration = Duration::from_millis(50);

/// Why a device was lost, as an `errno` value: it crosses threads in an atomic.
pub(crate) type Errno = i32;

/// What playback and capture have in common.
struct Device {
    pcm: PCM,
    channels: usize,
    buffer: i64,
    paced: bool,
    /// Observations in a row that speak against `paced`.
    doubts: u8,
}

impl Device {
    fn open(name: &str, direction: Direction) -> Result<Device, alsa::Error> {
        // `PCM::new` would panic on a name with a NUL in it.
        let name = CString::new(name).map_err(|_| alsa::Error::new("snd_pcm_open", libc::EINVAL))?;
        let pcm = PCM::open(&name, direction, true)?;
        let (channels, buffer) = {
            let hw = HwParams::any(&pcm)?;
            hw.set_rate_resample(true)?;
            hw.set_access(Access::RWInterleaved)?;
            hw.set_format(Format::s16())?;
            let channels = hw.set_channels_near(1)?;
            hw.set_rate(RATE, ValueOr::Nearest)?;
            hw.set_period_size_near(FRAME as i64, ValueOr::Nearest)?;
            hw.set_buffer_size_near(BUFFER)?;
            pcm.hw_params(&hw)?;
            (channels as usize, hw.get_buffer_size()?)
        };
        if !(1..=2).contains(&channels) {
            return Err(alsa::Error::new("snd_pcm_hw_params_set_channels", libc::EINVAL));
        }
        if direction == Direction::Playback {
            let sw = pcm.sw_params_current()?;
            sw.set_start_threshold(AIM.min(buffer))?;
            pcm.sw_params(&sw)?;
        }
        pcm.prepare()?;
        Ok(Device { pcm, channels, buffer, paced: true, doubts: 0 })
    }

    /// Frames ready to be read or written, after recovery from an underrun, overrun or suspend.
    fn available(&self) -> Result<i64, Errno> {
        match self.pcm.avail_update() {
            Ok(available) => Ok(available),
            Err(e) => {
                self.recover(&e)?;
                self.pcm.avail_update().map_err(|e| code(&e))
            }
        }
    }

    fn recover(&self, error: &alsa::Error) -> Result<(), Errno> {
        match code(error) {
            // A suspended card is not back yet: nothing can be moved.
            libc::EAGAIN => Ok(()),
            libc::EPIPE | libc::ESTRPIPE | libc::EINTR => {
                self.pcm.recover(code(error), true).map_err(|e| code(&e))
            }
            other => Err(other),
        }
    }

    /// Learns from a frame having been moved whether the device has a clock.
    fn observe(&mut self, before: i64, after: i64) {
        let moved = before - after >= FRAME as i64 / 2;
        self.doubts = if moved == self.paced { 0 } else { self.doubts + 1 };
        if self.doubts >= CONVINCED {
            self.paced = !self.paced;
            self.doubts = 0;
        }
    }
}

/// Since when a device has moved nothing, as seen by somebody who looks every few milliseconds.
struct Stall {
    since: Instant,
    looked: Instant,
}

impl Stall {
    fn new() -> Stall {
        Stall { since: Instant::now(), looked: Instant::now() }
    }

    /// Takes a look; fails when nothing has moved for `limit`.
    fn look(&mut self, moved: bool, limit: Duration) -> Result<(), Errno> {
        self.look_at(Instant::now(), moved, limit)
    }

    fn look_at(&mut self, now: Instant, moved: bool, limit: Duration) -> Result<(), Errno> {
        // A machine that kept us from running says nothing of the device.
        if moved || now.saturating_duration_since(self.looked) > UNWATCHED {
            self.since = now;
        }
        self.looked = now;
        if now.saturating_duration_since(self.since) > limit { Err(libc::ETIMEDOUT) } else { Ok(()) }
    }
}

/// A device that is heard.
pub(crate) struct AlsaOut {
    device: Device,
    queued: i64,
    stall: Stall,
}

impl AlsaOut {
    pub(crate) fn open(name: &str) -> Result<AlsaOut, alsa::Error> {
        let device = Device::open(name, Direction::Playback)?;
        Ok(AlsaOut { device, queued: 0, stall: Stall::new() })
    }

    /// Plays silence until the device moves. Takes its time, up to [`STALLED`]; one that never moves fails.
    pub(crate) fn begin(&mut self) -> Result<(), Errno> {
        self.write(&[0; FRAME])?;
        let begun = Instant::now();
        while begun.elapsed() <= STALLED {
            let queued = self.device.buffer - self.device.available()?;
            if queued == 0 || queued < self.queued {
                return Ok(());
            }
            std::thread::sleep(BEGINNING);
        }
        Err(libc::ETIMEDOUT)
    }

    /// Plays a frame; leaves it out when the device is far behind already.
    pub(crate) fn write(&mut self, frame: &Frame) -> Result<(), Errno> {
        let mut available = self.device.available()?;
        let before = std::mem::replace(&mut self.queued, self.device.buffer - available);
        if self.device.paced {
            self.stall.look(self.queued < before, STALLED)?;
            if self.queued > EXCESS.min(self.device.buffer - FRAME as i64) {
                return Ok(());
            }
            if self.queued < FRAME as i64 / 2 {
                // Just begun, or starved: rebuild the reserve.
                self.put(&[0; FRAME])?;
                self.put(&[0; FRAME])?;
                available = self.device.available()?;
            }
        }
        self.put(frame)?;
        let after = self.device.available()?;
        self.device.observe(available, after);
        self.queued = self.device.buffer - after;
        Ok(())
    }

    /// Samples more (or less) than wished wait in the device; `None` when it has no clock.
    pub(crate) fn excess(&self) -> Option<i64> {
        self.device.paced.then_some(self.queued - AIM)
    }

    /// True when the device has a clock of its own.
    pub(crate) fn is_paced(&self) -> bool {
        self.device.paced
    }

    fn put(&self, frame: &Frame) -> Result<(), Errno> {
        let written = if self.device.channels == 1 {
            // SAFETY: the format was set to S16 when the device was opened. The checked variant would read the
            // parameters back from ALSA, which allocates.
            unsafe { self.device.pcm.io_unchecked::<i16>() }.writei(frame)
        } else {
            let mut both = [0; 2 * FRAME];
            for (two, sample) in both.chunks_exact_mut(2).zip(frame) {
                two.fill(*sample);
            }
            // SAFETY: as above.
            unsafe { self.device.pcm.io_unchecked::<i16>() }.writei(&both)
        };
        // A short write is a full buffer: the rest is delay nobody wants.
        written.map(|_| ()).or_else(|e| self.device.recover(&e))
    }
}

/// A device that hears.
pub(crate) struct AlsaIn {
    device: Device,
    stall: Stall,
    /// How long it may be silent: longer until it has begun.
    patience: Duration,
}

impl AlsaIn {
    pub(crate) fn open(name: &str) -> Result<AlsaIn, alsa::Error> {
        let device = Device::open(name, Direction::Capture)?;
        Ok(AlsaIn { device, stall: Stall::new(), patience: BEGINS })
    }

    /// Waits for the first frame. Takes its time, up to [`BEGINS`]; a device that never has one fails.
    pub(crate) fn begin(&mut self) -> Result<(), Errno> {
        while !self.read(&mut [0; FRAME])? {
            std::thread::sleep(BEGINNING);
        }
        Ok(())
    }

    /// Records a frame; false when the device has none yet.
    pub(crate) fn read(&mut self, frame: &mut Frame) -> Result<bool, Errno> {
        if self.device.pcm.state() == State::Prepared {
            self.device.pcm.start().map_err(|e| code(&e))?;
        }
        let available = self.device.available()?;
        if available < FRAME as i64 {
            return self.stall.look(false, self.patience).map(|()| false);
        }
        if self.device.paced && available > EXCESS && self.device.doubts == 0 {
            // The device's clock is quicker than the speaker's: leave 10 ms out.
            self.take(frame)?;
        }
        let read = self.take(frame)?;
        let after = self.device.available()?;
        self.device.observe(available, after);
        if read {
            self.patience = STALLED;
        }
        self.stall.look(read, self.patience)?;
        Ok(read)
    }

    fn take(&self, frame: &mut Frame) -> Result<bool, Errno> {
        let read = if self.device.channels == 1 {
            // SAFETY: the format was set to S16 when the device was opened; see `AlsaOut::put`.
            unsafe { self.device.pcm.io_unchecked::<i16>() }.readi(frame)
        } else {
            let mut both = [0; 2 * FRAME];
            // SAFETY: as above.
            let read = unsafe { self.device.pcm.io_unchecked::<i16>() }.readi(&mut both);
            for (two, sample) in both.chunks_exact(2).zip(frame.iter_mut()) {
                *sample = ((i32::from(two[0]) + i32::from(two[1])) / 2) as i16;
            }
            read
        };
        match read {
            Ok(count) => {
                if let Some(rest) = frame.get_mut(count..) {
                    rest.fill(0);
                }
                Ok(count > 0)
            }
            Err(e) => self.device.recover(&e).map(|()| false),
        }
    }
}

/// Opens a device and explains a failure in ALSA's own words, which it would otherwise write to standard error at
/// every attempt.
pub(crate) fn explained<T>(open: impl FnOnce() -> Result<T, alsa::Error>) -> Result<T, String> {
    let said = alsa::Output::local_error_handler().ok();
    open().map_err(|error| {
        let said = said.map(|output| output.borrow().to_string()).unwrap_or_default();
        match said.lines().last() {
            Some(line) => format!("{error} ({line})"),
            None => error.to_string(),
        }
    })
}

/// The error number as a positive value: ALSA's functions return it negated.
fn code(error: &alsa::Error) -> Errno {
    error.errno().abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hw_3_a_device_that_moves_nothing_is_lost_and_one_that_was_not_watched_is_not() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut stall = Stall { since: start, looked: start };
        for ms in (10..=200).step_by(10) {
            assert_eq!(stall.look_at(at(ms), false, STALLED), Ok(()), "{ms} ms");
        }
        assert_eq!(stall.look_at(at(210), false, STALLED), Err(libc::ETIMEDOUT));
        assert_eq!(stall.look_at(at(220), true, STALLED), Ok(()), "it moves again");
        assert_eq!(stall.look_at(at(5_000), false, STALLED), Ok(()), "we have slept, not the device");
        for ms in (5_010..=5_200).step_by(10) {
            assert_eq!(stall.look_at(at(ms), false, STALLED), Ok(()), "{ms} ms");
        }
        assert_eq!(stall.look_at(at(5_210), false, STALLED), Err(libc::ETIMEDOUT));
    }
}
