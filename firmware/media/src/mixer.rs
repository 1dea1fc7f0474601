//! Adds sounds and sets levels. Pure arithmetic on frames.

use crate::frame::{FRAME, Frame};

/// Sounds being added up, without any limit yet: a few thousand voices fit.
#[derive(Clone)]
pub(crate) struct Mixer {
    sum: [i32; FRAME],
}

impl Mixer {
    pub(crate) const fn new() -> Mixer {
        Mixer { sum: [0; FRAME] }
    }

    pub(crate) fn add(&mut self, frame: &Frame) {
        for (sum, &sample) in self.sum.iter_mut().zip(frame) {
            *sum += i32::from(sample);
        }
    }

    /// All of it but `own`, which had been added too: exactly what the others say.
    pub(crate) fn without(&self, own: &Mixer) -> Mixer {
        let mut rest = self.clone();
        for (sum, own) in rest.sum.iter_mut().zip(&own.sum) {
            *sum -= own;
        }
        rest
    }

    pub(crate) fn clear(&mut self) {
        self.sum.fill(0);
    }

    /// The sum; what is too loud is clipped, not wrapped.
    pub(crate) fn finish(&self) -> Frame {
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

    /// True when nothing is to pass, though a last frame may fade.
    pub(crate) fn is_off(&self) -> bool {
        self.wanted == 0.0
    }

    /// True when nothing passes, now and in the next frame.
    pub(crate) fn is_shut(&self) -> bool {
        self.now == 0.0 && self.wanted == 0.0
    }

    pub(crate) fn apply(&mut self, frame: &mut Frame) {
        if self.is_open() {
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

    /// As [`Gain::apply`], for a sum that is not limited yet.
    pub(crate) fn apply_to(&mut self, mixer: &mut Mixer) {
        if self.is_open() {
            return;
        }
        let step = (self.wanted - self.now) / FRAME as f32;
        for sum in &mut mixer.sum {
            self.now += step;
            *sum = (*sum as f32 * self.now) as i32;
        }
        self.now = self.wanted;
    }

    /// `frame` at this level, leaving `frame` as it is.
    pub(crate) fn applied(&mut self, frame: &Frame) -> Frame {
        let mut copy = *frame;
        self.apply(&mut copy);
        copy
    }

    fn is_open(&self) -> bool {
        self.now == 1.0 && self.wanted == 1.0
    }
}

/// Full level.
const CEILING: f32 = i16::MAX as f32;
/// Samples in which a mix that is too loud is turned down: 2 ms. What is too loud within them is clipped.
const ATTACK: usize = 96;
/// How much the level recovers in a frame: from half to full in 100 ms.
const RELEASE: f32 = 0.05;

/// Turns a mix down while it is too loud, instead of distorting it. A mix that fits is not changed by a bit, so
/// one voice alone never is.
pub(crate) struct Limiter {
    gain: f32,
}

impl Limiter {
    pub(crate) const fn new() -> Limiter {
        Limiter { gain: 1.0 }
    }

    pub(crate) fn apply(&mut self, mix: &Mixer) -> Frame {
        let peak = mix.sum.iter().map(|sum| sum.unsigned_abs()).max().unwrap_or(0) as f32;
        let fits = if peak > CEILING { CEILING / peak } else { 1.0 };
        if fits == 1.0 && self.gain == 1.0 {
            return mix.finish();
        }
        let (from, to) = (self.gain, fits.min(self.gain + RELEASE));
        let ramp = if to < from { ATTACK } else { FRAME };
        self.gain = to;
        std::array::from_fn(|n| {
            let share = ((n + 1) as f32 / ramp as f32).min(1.0);
            // `as` saturates.
            (mix.sum[n] as f32 * (from + (to - from) * share)) as i16
        })
    }
}

/// What is shown for nothing at all, in dBFS: one step of 16 bit is at -90.
const FLOOR_DBFS: f32 = -96.0;

/// The loudest sample, without its sign.
pub(crate) fn peak(frame: &Frame) -> u16 {
    frame.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0)
}

/// The same in dBFS: 0.0 the loudest there is, -96.0 for nothing at all.
pub(crate) fn dbfs(peak: u16) -> f32 {
    (20.0 * (f32::from(peak) / 32_768.0).log10()).max(FLOOR_DBFS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(level: f32, periods: f32) -> Frame {
        std::array::from_fn(|n| {
            (level * (n as f32 / FRAME as f32 * periods * std::f32::consts::TAU).sin()) as i16
        })
    }

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

    #[test]
    fn the_others_are_what_is_left_to_the_bit() {
        let (mut all, mut own) = (Mixer::new(), Mixer::new());
        for frame in [sine(30_000.0, 3.0), sine(30_000.0, 4.0)] {
            all.add(&frame);
        }
        own.add(&sine(30_000.0, 4.0));
        assert_eq!(all.without(&own).finish(), sine(30_000.0, 3.0));
    }

    #[test]
    fn five_shouting_at_once_are_turned_down_and_not_distorted() {
        let mut limiter = Limiter::new();
        let mut mix = Mixer::new();
        for _ in 0..5 {
            mix.add(&sine(32_000.0, 4.0));
        }
        limiter.apply(&mix);
        let settled = limiter.apply(&mix);
        // A clipped sine spends long at the top, a sine turned down does not.
        let top = settled.iter().filter(|s| s.unsigned_abs() > 32_000).count();
        assert!((10..80).contains(&top), "{top}");
        let pure = sine(32_767.0, 4.0);
        assert!(settled.iter().zip(&pure).all(|(a, b)| (i32::from(*a) - i32::from(*b)).abs() < 8));
    }

    #[test]
    fn turning_down_and_up_again_makes_no_step() {
        let mut limiter = Limiter::new();
        let (mut one, mut two) = (Mixer::new(), Mixer::new());
        one.add(&[20_000; FRAME]);
        (0..3).for_each(|_| two.add(&[20_000; FRAME]));
        limiter.apply(&two);
        let down = limiter.apply(&two);
        let up: Vec<i16> = (0..20).flat_map(|_| limiter.apply(&one)).collect();
        // A twentieth of it a frame.
        let step = up.windows(2).map(|w| (i32::from(w[1]) - i32::from(w[0])).abs()).max();
        assert!(step <= Some(3), "{step:?}");
        assert!(down.iter().all(|s| *s >= 32_760) && up.last() == Some(&20_000));
    }

    #[test]
    fn what_fits_is_not_touched_and_the_level_returns_after_a_shout() {
        let mut limiter = Limiter::new();
        let voice = sine(32_767.0, 4.0);
        let (mut one, mut two) = (Mixer::new(), Mixer::new());
        one.add(&voice);
        two.add(&voice);
        two.add(&voice);
        assert_eq!(limiter.apply(&one), voice);
        limiter.apply(&two);
        let after: Vec<Frame> = (0..12).map(|_| limiter.apply(&one)).collect();
        assert!(after[0].iter().all(|s| s.unsigned_abs() < 20_000), "still turned down");
        assert_eq!(after[11], voice);
    }
}
