//! Adds sounds and sets levels. Pure arithmetic on frames.

use crate::frame::{FRAME, Frame};

/// Sounds being added up.
pub(crate) struct Mixer {
    sum: [i32; FRAME],
}

impl Mixer {
    pub(crate) fn new() -> Mixer {
        Mixer { sum: [0; FRAME] }
    }

    pub(crate) fn add(&mut self, frame: &Frame) {
        for (sum, &sample) in self.sum.iter_mut().zip(frame) {
            *sum += i32::from(sample);
        }
    }

    /// The sum; what is too loud is clipped, not wrapped.
    pub(crate) fn finish(self) -> Frame {
        self.sum.map(|sample| sample.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16)
    }
}

/// A level that moves smoothly: a change takes one frame, so that it does not click.
pub(crate) struct Gain {
    now: f32,
    wanted: f32,
}

impl Gain {
    pub(crate) fn new(level: f32) -> Gain {
        Gain { now: level, wanted: level }
    }

    pub(crate) fn set(&mut self, level: f32) {
        self.wanted = level;
    }

    pub(crate) fn apply(&mut self, frame: &mut Frame) {
        if self.now == 1.0 && self.wanted == 1.0 {
            return;
        }
        let step = (self.wanted - self.now) / FRAME as f32;
        for sample in frame {
            self.now += step;
            // `as` saturates.
            *sample = (f32::from(*sample) * self.now) as i16;
        }
        self.now = self.wanted;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loud_sounds_clip_instead_of_wrapping() {
        let mut mixer = Mixer::new();
        mixer.add(&[30_000; FRAME]);
        mixer.add(&[30_000; FRAME]);
        assert_eq!(mixer.finish(), [i16::MAX; FRAME]);
    }

    #[test]
    fn a_level_change_is_a_ramp_of_one_frame() {
        let mut gain = Gain::new(1.0);
        gain.set(0.0);
        let mut frame = [10_000; FRAME];
        gain.apply(&mut frame);
        assert!(frame.windows(2).all(|w| w[0] >= w[1] && w[0] - w[1] <= 22));
        let mut frame = [10_000; FRAME];
        gain.apply(&mut frame);
        assert_eq!(frame, [0; FRAME]);
    }
}
