//! Who speaks: a mark from the level of speech, steady enough to be looked at.
//!
//! Pure: 10 ms of sound at a time. Not done here: telling speech from music or noise of the same level.

use crate::frame::{FRAME, FRAME_MS, Frame};

/// Mean square from which a frame counts as speech, and below which as a pause: −42 and −48 dBFS. Speech on a
/// telephone line is nominally at −26 dBov (ITU-T P.56), its noise below −60.
const SPEECH: f32 = 260.0 * 260.0;
const PAUSE: f32 = 130.0 * 130.0;
/// Speech of this length begins a mark; frames of pause count against it, so that a knock is none.
const ATTACK_MS: u32 = 200;
/// A pause of this length ends it.
const RELEASE_MS: u32 = 500;

/// Watches one voice.
#[derive(Default)]
pub(crate) struct Speaking {
    on: bool,
    speech_ms: u32,
    pause_ms: u32,
}

impl Speaking {
    /// Takes the next 10 ms, `None` when nothing is heard of this voice at all; returns a change of the mark.
    pub(crate) fn hear(&mut self, frame: Option<&Frame>) -> Option<bool> {
        let power = frame.map_or(0.0, power);
        if power >= SPEECH {
            self.speech_ms = (self.speech_ms + FRAME_MS).min(ATTACK_MS);
        } else if power < PAUSE {
            self.speech_ms = self.speech_ms.saturating_sub(FRAME_MS);
        }
        self.pause_ms = if power < PAUSE { (self.pause_ms + FRAME_MS).min(RELEASE_MS) } else { 0 };
        let on = if self.on { self.pause_ms < RELEASE_MS } else { self.speech_ms >= ATTACK_MS };
        (on != self.on).then(|| {
            *self = Speaking { on, ..Speaking::default() };
            on
        })
    }

    /// Forgets everything; true when the mark was on.
    pub(crate) fn stop(&mut self) -> bool {
        std::mem::take(self).on
    }
}

/// Mean square.
fn power(frame: &Frame) -> f32 {
    frame.iter().map(|&s| f32::from(s) * f32::from(s)).sum::<f32>() / FRAME as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOUD: Frame = [2000; FRAME];
    const BETWEEN: Frame = [180; FRAME];
    const NOISE: Frame = [30; FRAME];

    /// The times in ms of each change, hearing `frames`, each for its number of ms.
    fn changes(frames: &[(&Frame, u32)]) -> Vec<(u32, bool)> {
        let (mut speaking, mut at, mut changes) = (Speaking::default(), 0, Vec::new());
        for (frame, ms) in frames {
            for _ in 0..ms / FRAME_MS {
                at += FRAME_MS;
                changes.extend(speaking.hear(Some(frame)).map(|on| (at, on)));
            }
        }
        changes
    }

    #[test]
    fn a_mark_comes_after_200_ms_of_speech_and_goes_500_ms_after_it() {
        assert_eq!(changes(&[(&NOISE, 1000), (&LOUD, 1000), (&NOISE, 1000)]), [(1200, true), (2500, false)]);
    }

    #[test]
    fn a_pause_between_words_keeps_the_mark_and_a_knock_makes_none() {
        let words = [(&LOUD, 400), (&NOISE, 400), (&LOUD, 400), (&NOISE, 490), (&LOUD, 100)];
        assert_eq!(changes(&words), [(200, true)]);
        assert_eq!(changes(&[(&LOUD, 100), (&NOISE, 200), (&LOUD, 150), (&NOISE, 1000)]), []);
    }

    #[test]
    fn a_level_between_the_two_neither_begins_nor_ends_a_mark() {
        assert_eq!(changes(&[(&BETWEEN, 5000)]), []);
        assert_eq!(changes(&[(&LOUD, 300), (&BETWEEN, 5000)]), [(200, true)]);
    }

    #[test]
    fn whatever_is_heard_there_are_at_most_three_changes_a_second() {
        // The quickest that can be: as much speech and as much pause as it takes.
        let quickest = [(&LOUD, 200), (&NOISE, 500)].repeat(10);
        assert_eq!(changes(&quickest).len(), 20);
        assert!(changes(&quickest).windows(3).all(|w| w[2].0 - w[0].0 >= 700));
    }

    #[test]
    fn one_who_is_no_longer_heard_is_no_longer_marked() {
        let mut speaking = Speaking::default();
        let on = (0..30).find_map(|_| speaking.hear(Some(&LOUD)));
        assert_eq!(on, Some(true));
        assert_eq!((0..50).find_map(|_| speaking.hear(None)), Some(false));
        assert!(!speaking.stop());
    }
}
