//! Speech of a synthesiser, made ready to be played: converted once, outside of the media thread.
//!
//! Not done here: where it is heard and beside what ([`crate::sound`]).

use std::time::Duration;

use crate::frame::{FRAME, Frame, RATE, SILENCE};
use crate::resample;

/// The most that is said at once: a minute.
const LONGEST: usize = 60 * RATE as usize;

/// Something to be said once where notifications sound ([`crate::Media::say`]).
#[derive(Clone, PartialEq, Eq)]
pub struct Said {
    samples: Box<[i16]>,
    at: usize,
}

impl Said {
    /// Of mono samples at `rate` Hz; what is longer than a minute is cut off. Takes some milliseconds for a sentence.
    #[must_use]
    pub fn new(samples: &[i16], rate: u32) -> Said {
        let mut samples = resample::convert(samples, rate, RATE);
        samples.truncate(LONGEST);
        Said { samples: samples.into(), at: 0 }
    }

    /// How long it takes.
    #[must_use]
    pub fn duration(&self) -> Duration {
        Duration::from_millis(self.samples.len() as u64 * 1_000 / u64::from(RATE))
    }

    /// The next 10 ms; `None` after its end.
    pub(crate) fn next(&mut self) -> Option<Frame> {
        let rest = self.samples.get(self.at..).filter(|rest| !rest.is_empty())?;
        let mut frame = SILENCE;
        let length = rest.len().min(FRAME);
        frame[..length].copy_from_slice(&rest[..length]);
        self.at += length;
        Some(frame)
    }
}

impl std::fmt::Debug for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Said").field("duration", &self.duration()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_played_once_to_its_end_at_the_rate_of_the_devices() {
        let mut said = Said::new(&[1_000; 22_050], 22_050);
        assert_eq!(said.duration(), Duration::from_secs(1));
        let frames = std::iter::from_fn(|| said.next()).count();
        assert_eq!(frames, 100);
        assert_eq!(said.next(), None);
        let mut odd = Said::new(&[7; FRAME + 3], RATE);
        assert_eq!(odd.next(), Some([7; FRAME]));
        let last = odd.next().unwrap_or(SILENCE);
        assert_eq!((last[..3].to_vec(), last[3..].iter().all(|sample| *sample == 0)), (vec![7; 3], true));
        assert_eq!(Said::new(&[], 22_050).next(), None);
        assert_eq!(Said::new(&vec![0; 100 * RATE as usize], RATE).duration(), Duration::from_secs(60));
    }
}
