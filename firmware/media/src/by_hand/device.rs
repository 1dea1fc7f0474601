//! Sound devices in memory, with a clock that somebody else turns.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use rtrb::{Consumer, Producer, RingBuffer};

use crate::frame::{FRAME, Frame, SILENCE};

/// As of the devices of [`crate::alsa_pcm`], in samples: what shall wait just after a frame was written, from when on a
/// frame is left out, and below what the reserve is built anew.
const AIM: i64 = 3 * FRAME as i64;
const EXCESS: i64 = 6 * FRAME as i64;
const STARVED: i64 = FRAME as i64 / 2;
/// Frames there is room for.
const BUFFER: usize = 8;

/// What both ends of the speaker know.
#[derive(Default)]
struct Level {
    /// Samples that wait.
    queued: AtomicI64,
    /// Frames that were left out because too many waited.
    left_out: AtomicU64,
}

/// The audio thread's end of a speaker.
pub(crate) struct MemoryOut {
    frames: Producer<Frame>,
    level: Arc<Level>,
}

/// The card's end of a speaker.
pub struct MemorySpeaker {
    frames: Consumer<Frame>,
    level: Arc<Level>,
    playing: Frame,
    /// Samples of `playing` that have been played.
    played: usize,
    begun: bool,
    starved: u64,
}

/// The audio thread's end of a microphone.
pub(crate) struct MemoryIn {
    frames: Consumer<Frame>,
}

/// The card's end of a microphone.
pub struct MemoryMicrophone {
    frames: Producer<Frame>,
}

pub(super) fn speaker() -> (MemoryOut, MemorySpeaker) {
    let (producer, consumer) = RingBuffer::new(BUFFER);
    let level = Arc::new(Level::default());
    let out = MemoryOut { frames: producer, level: Arc::clone(&level) };
    (
        out,
        MemorySpeaker { frames: consumer, level, playing: SILENCE, played: FRAME, begun: false, starved: 0 },
    )
}

pub(super) fn microphone() -> (MemoryIn, MemoryMicrophone) {
    let (frames, heard) = RingBuffer::new(BUFFER);
    (MemoryIn { frames: heard }, MemoryMicrophone { frames })
}

impl MemoryOut {
    pub(crate) fn write(&mut self, frame: &Frame) {
        let queued = self.level.queued.load(Ordering::Acquire);
        if queued > EXCESS {
            self.level.left_out.fetch_add(1, Ordering::Relaxed);
            return;
        }
        if queued < STARVED {
            self.put(&SILENCE);
            self.put(&SILENCE);
        }
        self.put(frame);
    }

    /// Samples more (or less) than wished wait in the device.
    pub(crate) fn excess(&self) -> i64 {
        self.level.queued.load(Ordering::Acquire) - AIM
    }

    fn put(&mut self, frame: &Frame) {
        if self.frames.push(*frame).is_ok() {
            self.level.queued.fetch_add(FRAME as i64, Ordering::AcqRel);
        }
    }
}

impl MemorySpeaker {
    /// Plays so many samples, and calls `heard` with them piece by piece. What is not there in time is silence.
    pub fn play(&mut self, samples: usize, mut heard: impl FnMut(&[i16])) {
        let mut left = samples;
        while left > 0 {
            if self.played == FRAME {
                match self.frames.pop() {
                    Ok(frame) => (self.playing, self.played, self.begun) = (frame, 0, true),
                    Err(_) => {
                        self.starved += u64::from(self.begun);
                        return (0..left).for_each(|_| heard(&[0]));
                    }
                }
            }
            let piece = left.min(FRAME - self.played);
            heard(&self.playing[self.played..self.played + piece]);
            self.played += piece;
            left -= piece;
            self.level.queued.fetch_sub(piece as i64, Ordering::AcqRel);
        }
    }

    /// Times the card ran dry since its first sound.
    #[must_use]
    pub fn starved(&self) -> u64 {
        self.starved
    }

    /// Frames that the audio thread left out because too many waited.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.level.left_out.load(Ordering::Relaxed)
    }
}

impl MemoryIn {
    /// Records a frame; false when there is none yet.
    pub(crate) fn read(&mut self, frame: &mut Frame) -> bool {
        if self.frames.slots() > EXCESS as usize / FRAME {
            let _ = self.frames.pop();
        }
        self.frames.pop().map(|heard| *frame = heard).is_ok()
    }
}

impl MemoryMicrophone {
    /// Hears 10 ms. False when nobody has listened for so long that there is no room.
    pub fn hear(&mut self, frame: &[i16; FRAME]) -> bool {
        self.frames.push(*frame).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speaker_tells_what_waits_and_counts_when_it_runs_dry() {
        let (mut out, mut card) = speaker();
        card.play(100, |_| {});
        assert_eq!(card.starved(), 0, "nothing was ever there");
        out.write(&[7; FRAME]);
        assert_eq!(out.excess(), 0);
        let mut heard = Vec::new();
        card.play(1000, |piece| heard.extend_from_slice(piece));
        assert_eq!((heard.len(), heard[959], heard[960], out.excess()), (1000, 0, 7, -1000));
        card.play(480, |piece| heard.extend_from_slice(piece));
        assert_eq!((card.starved(), heard.len(), out.excess()), (1, 1480, -AIM));
        (0..9).for_each(|_| out.write(&[7; FRAME]));
        assert!(card.left_out() >= 1);
    }
}
