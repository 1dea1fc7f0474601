//! What waits for the speaker beyond its reserve, after a hiccup, is delay that nobody wants: when to leave some of it
//! out, and how that is not heard.

use crate::audio::RESERVE;
use crate::frame::{FRAME, Frame};

/// Ticks over which the speaker's ring is watched for more reserve than it needs: 2 s.
const WATCH: u32 = 200;
/// Ticks after which a frame is left out even if it is heard.
const WATCH_LONGEST: u32 = 3 * WATCH;
/// So many beyond the reserve are not waited for to pass: 30 ms.
const MANY: usize = 3;
/// Ticks between two that are left out while there are many: the whole ring is empty again within 2 s.
const WATCH_MANY: u32 = 6;
/// Quieter than this, a frame can be left out unheard.
const QUIET: u16 = 300;

/// Watches how many frames wait.
#[derive(Debug)]
pub(crate) struct Surplus {
    /// The least number of frames that waited lately, and for how many ticks.
    least: usize,
    watched: u32,
}

impl Surplus {
    pub(crate) fn new() -> Surplus {
        Surplus { least: usize::MAX, watched: 0 }
    }

    /// Once a tick: so many frames wait, and this one would be the next. True when one is to be left out.
    pub(crate) fn leaves_out(&mut self, waiting: usize, frame: &Frame) -> bool {
        self.least = self.least.min(waiting);
        self.watched += 1;
        let many = self.least >= RESERVE + MANY;
        if self.watched < if many { WATCH_MANY } else { WATCH } {
            return false;
        }
        let surplus = self.least >= RESERVE;
        let quiet = || frame.iter().all(|sample| sample.unsigned_abs() < QUIET);
        if surplus && !many && self.watched < WATCH_LONGEST && !quiet() {
            return false;
        }
        *self = Surplus::new();
        surplus
    }
}

/// Two frames as one: begins as the first and ends as the second, so that nothing clicks at either end.
pub(crate) fn merged(first: &Frame, second: &Frame) -> Frame {
    std::array::from_fn(|at| {
        let (first, second) = (i32::from(first[at]), i32::from(second[at]));
        let share = at as i32;
        // Between the two, so it fits.
        ((first * (FRAME as i32 - share) + second * share) / FRAME as i32) as i16
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::SILENCE;

    const LOUD: Frame = [9_000; FRAME];

    /// How many ticks it takes until so many wait, of frames that come and go one a tick; none in `limit`.
    fn ticks_until(wanted: usize, mut waiting: usize, frame: &Frame, limit: u32) -> Option<u32> {
        let mut surplus = Surplus::new();
        (1..=limit).find(|_| {
            waiting -= usize::from(surplus.leaves_out(waiting, frame));
            waiting <= wanted
        })
    }

    #[test]
    fn after_a_hiccup_the_delay_is_gone_within_two_seconds_whatever_is_said() {
        for frame in [&LOUD, &SILENCE] {
            let ticks = ticks_until(RESERVE + MANY - 1, 32, frame, 10_000);
            assert!(ticks.is_some_and(|ticks| ticks <= 200), "{ticks:?}");
        }
    }

    #[test]
    fn a_little_too_much_waits_for_a_pause_and_the_reserve_stays() {
        assert_eq!(ticks_until(RESERVE, RESERVE + 1, &SILENCE, 10_000), Some(WATCH));
        assert_eq!(ticks_until(RESERVE, RESERVE + 1, &LOUD, 10_000), Some(WATCH_LONGEST));
        assert_eq!(ticks_until(0, RESERVE - 1, &SILENCE, 10_000), None);
    }

    #[test]
    fn a_device_that_takes_several_at_once_is_no_hiccup() {
        let mut surplus = Surplus::new();
        for tick in 0..1_000 {
            // Four at a time, down to one.
            assert!(!surplus.leaves_out(1 + tick % 5, &LOUD), "tick {tick}");
        }
    }

    #[test]
    fn what_is_merged_begins_and_ends_as_it_was() {
        let merged = merged(&[1_000; FRAME], &[-500; FRAME]);
        assert_eq!(merged[0], 1_000);
        assert!(merged.is_sorted_by(|a, b| a >= b));
        assert!((-500..=-490).contains(&merged[FRAME - 1]), "{}", merged[FRAME - 1]);
    }
}
