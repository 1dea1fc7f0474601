//! Call-progress tones, the ring, and the pips a held caller hears. All are made, none is a recording.
//!
//! Levels and cadences of the tones follow ETSI TR 101 041 (425 Hz). Pure: each frame follows the last.

use std::f32::consts::TAU;

use crate::api::{Ring, Tone};
use crate::frame::{FRAME, Frame, RATE};

/// Samples over which a tone rises and falls, so that it does not click: 5 ms.
const EDGE: usize = 240;
/// Tones are a little below speech.
const TONE_LEVEL: f32 = 4000.0;
const PIP_LEVEL: f32 = 2200.0;
const RING_LEVEL: f32 = 9000.0;
/// It does not die away as a bell does.
const WARBLE_LEVEL: f32 = 5000.0;

/// One note of a pattern.
#[derive(Clone, Copy)]
struct Note {
    hz: f32,
    from_ms: u32,
    length_ms: u32,
    level: f32,
    /// Rings out like a bell instead of holding its level.
    bell: bool,
}

/// Notes that repeat for ever.
#[derive(Clone, Copy)]
struct Pattern {
    notes: &'static [Note],
    period_ms: u32,
}

const fn steady(hz: f32, from_ms: u32, length_ms: u32, level: f32) -> Note {
    Note { hz, from_ms, length_ms, level, bell: false }
}

const fn bell(hz: f32, from_ms: u32) -> Note {
    Note { hz, from_ms, length_ms: 900, level: RING_LEVEL, bell: true }
}

const RINGBACK: Pattern = Pattern { notes: &[steady(425.0, 0, 1000, TONE_LEVEL)], period_ms: 5000 };
const BUSY: Pattern = Pattern { notes: &[steady(425.0, 0, 500, TONE_LEVEL)], period_ms: 1000 };
const CONGESTION: Pattern = Pattern { notes: &[steady(425.0, 0, 250, TONE_LEVEL)], period_ms: 500 };
const CALL_WAITING: Pattern = Pattern {
    notes: &[steady(425.0, 0, 150, PIP_LEVEL), steady(425.0, 300, 150, PIP_LEVEL)],
    period_ms: 4000,
};
/// E5 and C5, twice, then a rest: to be noticed across a hall without startling anybody at the desk.
const RING_BELL: Pattern = Pattern {
    notes: &[bell(659.26, 0), bell(523.25, 350), bell(659.26, 1000), bell(523.25, 1350)],
    period_ms: 4000,
};
/// G4, C5, E5.
const RING_CHIME: Pattern =
    Pattern { notes: &[bell(392.0, 0), bell(523.25, 250), bell(659.26, 500)], period_ms: 3000 };
/// Two tones in turn, twelve times a second for one second.
const RING_WARBLE: Pattern = Pattern { notes: &WARBLE, period_ms: 3000 };
const RING_GONG: Pattern = Pattern { notes: &[bell(261.63, 0)], period_ms: 3000 };
const WARBLE: [Note; 24] = {
    let mut notes = [steady(880.0, 0, 42, WARBLE_LEVEL); 24];
    let mut n = 0;
    while n < notes.len() {
        let hz = if n % 2 == 0 { 880.0 } else { 740.0 };
        notes[n] = steady(hz, n as u32 * 42, 42, WARBLE_LEVEL);
        n += 1;
    }
    notes
};
/// E5 and A5, short: something to look at, not somebody to answer.
const CHIME: Pattern = Pattern { notes: &[bell(659.26, 0), bell(880.0, 120)], period_ms: CHIME_MS };
/// C5, E5 and G5, one after the other: to be recognised as the test that was asked for.
const NOTES: Pattern =
    Pattern { notes: &[bell(523.25, 0), bell(659.26, 350), bell(783.99, 700)], period_ms: NOTES_MS };
const HOLD: Pattern =
    Pattern { notes: &[steady(440.0, 0, 90, PIP_LEVEL), steady(440.0, 180, 90, PIP_LEVEL)], period_ms: 5000 };

/// How long the held caller's pips last, and how often they come.
pub(crate) const HOLD_PIPS_MS: u32 = 280;
pub(crate) const HOLD_PERIOD_MS: u32 = HOLD.period_ms;

/// How long the chime lasts.
pub(crate) const CHIME_MS: u32 = 1200;
/// How long the notes of a test last.
pub(crate) const NOTES_MS: u32 = 1700;
/// How long the bell rings before its rest.
pub(crate) const RING_ONCE_MS: u32 = 2300;

/// Plays one pattern.
pub(crate) struct Generator {
    pattern: Pattern,
    /// Samples since the pattern began.
    position: usize,
}

impl Generator {
    pub(crate) fn tone(tone: Tone) -> Generator {
        let pattern = match tone {
            Tone::Ringback => RINGBACK,
            Tone::Busy => BUSY,
            Tone::Congestion => CONGESTION,
            Tone::CallWaiting => CALL_WAITING,
        };
        Generator { pattern, position: 0 }
    }

    pub(crate) fn ring(ring: Ring) -> Generator {
        let pattern = match ring {
            Ring::Bell => RING_BELL,
            Ring::Chime => RING_CHIME,
            Ring::Warble => RING_WARBLE,
            Ring::Gong => RING_GONG,
        };
        Generator { pattern, position: 0 }
    }

    pub(crate) fn chime() -> Generator {
        Generator { pattern: CHIME, position: 0 }
    }

    /// Of a test.
    pub(crate) fn notes() -> Generator {
        Generator { pattern: NOTES, position: 0 }
    }

    pub(crate) fn hold() -> Generator {
        Generator { pattern: HOLD, position: 0 }
    }

    /// The next 10 ms.
    pub(crate) fn next(&mut self) -> Frame {
        let period = samples(self.pattern.period_ms);
        let mut frame = [0; FRAME];
        for sample in &mut frame {
            let sum: f32 = self.pattern.notes.iter().map(|note| note.at(self.position, period)).sum();
            // `as` saturates.
            *sample = sum as i16;
            self.position = (self.position + 1) % period;
        }
        frame
    }
}

impl Note {
    /// The note's share of the sample at `position` of its pattern.
    fn at(&self, position: usize, period: usize) -> f32 {
        let (from, length) = (samples(self.from_ms), samples(self.length_ms));
        let n = (position + period - from) % period;
        if n >= length {
            return 0.0;
        }
        let edge = n.min(length - n).min(EDGE) as f32 / EDGE as f32;
        let phase = TAU * self.hz * n as f32 / RATE as f32;
        if !self.bell {
            return self.level * edge * phase.sin();
        }
        // A soft second harmonic that dies sooner makes it a bell and not a test tone.
        let t = n as f32 / RATE as f32;
        let body = 0.75 * phase.sin() * (-3.5 * t).exp() + 0.25 * (2.0 * phase).sin() * (-7.0 * t).exp();
        self.level * edge * body
    }
}

fn samples(ms: u32) -> usize {
    ms as usize * (RATE / 1000) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const RINGS: [Ring; 4] = [Ring::Bell, Ring::Chime, Ring::Warble, Ring::Gong];

    /// For each 10 ms of `seconds`, whether there is sound.
    fn cadence(mut generator: Generator, frames: usize) -> Vec<bool> {
        (0..frames).map(|_| generator.next().iter().any(|s| s.abs() > 100)).collect()
    }

    fn on_ms(cadence: &[bool]) -> usize {
        cadence.iter().filter(|on| **on).count() * 10
    }

    #[test]
    fn cadences_are_as_specified() {
        for (tone, on, period) in [
            (Tone::Ringback, 1000, 5000),
            (Tone::Busy, 500, 1000),
            (Tone::Congestion, 250, 500),
            (Tone::CallWaiting, 300, 4000),
        ] {
            let frames = cadence(Generator::tone(tone), 2 * period / 10);
            assert_eq!(on_ms(&frames[..period / 10]), on, "{tone:?}");
            assert_eq!(frames[..period / 10], frames[period / 10..], "{tone:?}");
        }
        assert_eq!(on_ms(&cadence(Generator::hold(), 500)), 180);
        assert_eq!(
            cadence(Generator::hold(), 500).iter().rposition(|on| *on),
            Some(HOLD_PIPS_MS as usize / 10 - 2)
        );
    }

    #[test]
    fn no_ring_sounds_like_another_and_each_has_a_rest() {
        let seconds = |ring| -> Vec<i16> {
            let mut generator = Generator::ring(ring);
            (0..300).flat_map(|_| generator.next()).collect()
        };
        for (n, one) in RINGS.into_iter().enumerate() {
            assert!(cadence(Generator::ring(one), 400).iter().filter(|on| !**on).count() >= 50, "{one:?}");
            for other in &RINGS[n + 1..] {
                assert_ne!(seconds(one), seconds(*other), "{one:?} and {other:?}");
            }
        }
    }

    #[test]
    fn nothing_clicks_and_nothing_clips() {
        let rings = RINGS.map(Generator::ring);
        let tone = Generator::tone(Tone::Busy);
        let others = [tone, Generator::hold(), Generator::chime(), Generator::notes()];
        for mut generator in others.into_iter().chain(rings) {
            let all: Vec<i32> = (0..500).flat_map(|_| generator.next()).map(i32::from).collect();
            let peak = all.iter().map(|s| s.abs()).max().unwrap_or(0);
            let step = all.windows(2).map(|w| (w[1] - w[0]).abs()).max().unwrap_or(0);
            assert!((1000..20_000).contains(&peak), "{peak}");
            // A tenth of full level a sample would be a click; an 880 Hz partial steps by 0.115 of its own.
            assert!(step < peak / 6, "{step} of {peak}");
        }
    }
}
