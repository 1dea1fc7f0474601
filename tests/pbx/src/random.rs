//! Repeatable choices: the same seed gives the same people and the same Monday morning.
//!
//! Not for secrets; those come from the operating system.

use std::time::Duration;

/// SplitMix64 (Steele, Lea and Flood 2014): tiny, and good enough to deal out names and pauses.
#[derive(Clone, Debug)]
pub(crate) struct Dice {
    state: u64,
}

impl Dice {
    /// A stream of its own for each `purpose`, so that more draws for one do not shift another.
    pub(crate) fn new(seed: u64, purpose: &str) -> Dice {
        let mut state = seed;
        for byte in purpose.bytes() {
            state = mix(state ^ u64::from(byte));
        }
        Dice { state }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// A number below `limit`; 0 for a limit of 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        // The remainder fits usize because `limit` does.
        (self.next() % limit.max(1) as u64) as usize
    }

    /// One of `choices`, which must not be empty.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// True in `percent` of 100 draws.
    pub(crate) fn percent(&mut self, percent: u8) -> bool {
        self.below(100) < usize::from(percent)
    }

    /// A duration in the range, to the millisecond.
    pub(crate) fn between(&mut self, (from, to): (Duration, Duration)) -> Duration {
        let span = to.saturating_sub(from).as_millis() as usize;
        from + Duration::from_millis(self.below(span + 1) as u64)
    }
}

fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_and_the_purpose_decide() {
        let draw = |seed, purpose| Dice::new(seed, purpose).next();
        assert_eq!(draw(1, "calls"), draw(1, "calls"));
        assert_ne!(draw(1, "calls"), draw(2, "calls"));
        assert_ne!(draw(1, "calls"), draw(1, "lamps"));
    }

    #[test]
    fn draws_stay_in_range_and_reach_its_ends() {
        let mut dice = Dice::new(3, "range");
        let range = (Duration::from_millis(3), Duration::from_millis(5));
        let draws: Vec<u128> = (0..200).map(|_| dice.between(range).as_millis()).collect();
        assert!(draws.iter().all(|ms| (3..=5).contains(ms)));
        assert!(draws.contains(&3) && draws.contains(&5));
        assert_eq!(dice.below(0), 0);
    }
}
