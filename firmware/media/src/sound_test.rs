//! The test of the sound devices: notes are played, or what the operator says is kept for some seconds and played back.
//!
//! Pure: frames come in and go out, and somebody else says when it may not go on. What is said lies in memory that
//! the handle has made and that is overwritten when the test is over; it goes to the operator's ear and nowhere else.
//! Not done here: which device plays it, its level, and what stops it ([`crate::sound`]).

use std::hint::black_box;

use crate::api::{Event, Role};
use crate::frame::{FRAME_MS, Frame, SILENCE};
use crate::mixer::{dbfs, peak};
use crate::tones::{CHIME_MS, Generator, NOTES_MS, RING_ONCE_MS};

/// What is kept of the operator's voice at most, in milliseconds.
pub(crate) const RECORDED_MS: u32 = 5_000;
const FRAMES: usize = (RECORDED_MS / FRAME_MS) as usize;
/// Frames between two pieces of news: 100 ms.
const NEWS_EVERY: usize = 10;

/// What a test of the sound devices does ([`crate::Media::test_sound`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SoundTest {
    /// Plays notes where the operator hears callers.
    Speaker,
    /// Rings once where calls ring.
    Ringer,
    /// Sounds once where messages and alerts do.
    Notifier,
    /// Keeps what the operator says for five seconds, as callers would hear it, and plays it back.
    HearBack,
}

/// How a test goes on. Told when something else begins, ten times a second, and at its end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TestState {
    /// Notes are played.
    Playing {
        /// So long, in milliseconds.
        ms: u32,
        /// Of so many.
        of_ms: u32,
    },
    /// The operator is listened to.
    Recording {
        /// So long, in milliseconds.
        ms: u32,
        /// Of so many.
        of_ms: u32,
        /// The loudest so far, in dBFS; -96.0 for nothing at all.
        loudest_dbfs: f32,
    },
    /// The operator hears what was said.
    PlayingBack {
        /// So long, in milliseconds.
        ms: u32,
        /// Of so many.
        of_ms: u32,
        /// The loudest of it, in dBFS.
        loudest_dbfs: f32,
    },
    /// It is over, and what was said is forgotten.
    Over(TestEnd),
}

/// Why a test is over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TestEnd {
    /// It has reached its end.
    Done {
        /// The loudest that the operator said, in dBFS; `None` where only notes were played.
        loudest_dbfs: Option<f32>,
    },
    /// It was stopped, or another one has begun.
    Stopped,
    /// A call talks, rings or is dialled: calls come first.
    Call,
    /// The microphone is muted, or its level is 0.
    MicrophoneMuted,
    /// What it would be heard by is muted, or its level is 0.
    SpeakerMuted,
    /// Speaker and microphone are given back ([`crate::Media::connect_audio`]).
    Disconnected,
}

/// Room for what the operator says. Made outside of the media thread; overwritten before it is given back.
pub(crate) struct Memory(Box<[Frame]>);

impl Memory {
    pub(crate) fn new() -> Memory {
        Memory(vec![SILENCE; FRAMES].into_boxed_slice())
    }

    fn wipe(&mut self) {
        self.0.fill(SILENCE);
        // Nobody reads it any more; without this the compiler might spare itself the writing.
        black_box(&mut self.0);
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// A test that runs.
pub(crate) struct Test {
    number: u64,
    what: SoundTest,
    stage: Stage,
    /// Frames of the stage.
    done: usize,
    /// The loudest sample that was said.
    loudest: u16,
    /// Something has been told since it changed.
    told: bool,
}

enum Stage {
    /// Notes that last so many frames.
    Notes(Generator, usize),
    Recording(Memory),
    PlayingBack(Memory),
    Over,
}

impl Test {
    /// A test that the caller knows by `number`.
    pub(crate) fn new(number: u64, what: SoundTest) -> Test {
        let notes = |generator, ms: u32| Stage::Notes(generator, (ms / FRAME_MS) as usize);
        let stage = match what {
            SoundTest::Speaker => notes(Generator::notes(), NOTES_MS),
            // As the bell does that everybody knows, once.
            SoundTest::Ringer => notes(Generator::ring(crate::api::Ring::Bell), RING_ONCE_MS),
            SoundTest::Notifier => notes(Generator::chime(), CHIME_MS),
            SoundTest::HearBack => Stage::Recording(Memory::new()),
        };
        Test { number, what, stage, done: 0, loudest: 0, told: false }
    }

    /// What it does.
    pub(crate) fn what(&self) -> SoundTest {
        self.what
    }

    /// Takes the next 10 ms of what callers would hear of the operator.
    pub(crate) fn hear(&mut self, said: &Frame) {
        let Stage::Recording(memory) = &mut self.stage else { return };
        if let Some(frame) = memory.0.get_mut(self.done) {
            *frame = *said;
            self.loudest = self.loudest.max(peak(said));
            self.done += 1;
            self.told = false;
        }
        if self.done >= FRAMES
            && let Stage::Recording(memory) = std::mem::replace(&mut self.stage, Stage::Over)
        {
            (self.stage, self.done) = (Stage::PlayingBack(memory), 0);
        }
    }

    /// The next 10 ms of what is to be heard at `role`, if there are any.
    pub(crate) fn next(&mut self, role: Role) -> Option<Frame> {
        if role != self.role() {
            return None;
        }
        let frame = match &mut self.stage {
            Stage::Notes(generator, frames) if self.done < *frames => generator.next(),
            Stage::PlayingBack(memory) => *memory.0.get(self.done)?,
            _ => return None,
        };
        self.done += 1;
        self.told = false;
        Some(frame)
    }

    /// What there is to tell since the last time.
    pub(crate) fn news(&mut self) -> Option<Event> {
        let is_over = match &self.stage {
            Stage::Notes(_, frames) => self.done >= *frames,
            Stage::PlayingBack(_) => self.done >= FRAMES,
            Stage::Recording(_) => false,
            Stage::Over => true,
        };
        if is_over {
            let loudest_dbfs = (self.what == SoundTest::HearBack).then(|| dbfs(self.loudest));
            return Some(self.over(TestEnd::Done { loudest_dbfs }));
        }
        if self.told || !self.done.is_multiple_of(NEWS_EVERY) {
            return None;
        }
        self.told = true;
        let ms = self.done as u32 * FRAME_MS;
        let loudest_dbfs = dbfs(self.loudest);
        let state = match &self.stage {
            Stage::Notes(_, frames) => TestState::Playing { ms, of_ms: *frames as u32 * FRAME_MS },
            Stage::Recording(_) => TestState::Recording { ms, of_ms: RECORDED_MS, loudest_dbfs },
            Stage::PlayingBack(_) | Stage::Over => {
                TestState::PlayingBack { ms, of_ms: RECORDED_MS, loudest_dbfs }
            }
        };
        Some(Event::Test { number: self.number, state })
    }

    /// Forgets everything, and says so.
    pub(crate) fn over(&mut self, end: TestEnd) -> Event {
        self.stage = Stage::Over;
        Event::Test { number: self.number, state: TestState::Over(end) }
    }

    /// Where it is heard.
    pub(crate) fn role(&self) -> Role {
        match self.what {
            SoundTest::Speaker | SoundTest::HearBack => Role::Speaker,
            SoundTest::Ringer => Role::Ringer,
            SoundTest::Notifier => Role::Notifier,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::FRAME;

    fn said(n: usize) -> Frame {
        [(n % 1000) as i16; FRAME]
    }

    fn state(event: Option<Event>) -> Option<TestState> {
        match event {
            Some(Event::Test { number: 7, state }) => Some(state),
            None => None,
            other => panic!("not of this test: {other:?}"),
        }
    }

    #[test]
    fn what_was_said_is_played_back_as_it_was_and_news_come_ten_times_a_second() {
        let mut test = Test::new(7, SoundTest::HearBack);
        let mut told = Vec::new();
        for n in 0..FRAMES {
            assert_eq!(test.next(Role::Speaker), None, "nothing is played while somebody speaks");
            told.extend(state(test.news()));
            test.hear(&said(n));
        }
        assert_eq!(told.len(), FRAMES / NEWS_EVERY);
        assert_eq!(told[0], TestState::Recording { ms: 0, of_ms: 5_000, loudest_dbfs: -96.0 });
        assert!(matches!(told[49], TestState::Recording { ms: 4_900, .. }), "{:?}", told[49]);
        told.clear();
        for n in 0..FRAMES {
            told.extend(state(test.news()));
            // What is said meanwhile is nobody's business.
            test.hear(&[-9; FRAME]);
            assert_eq!(test.next(Role::Ringer), None);
            assert_eq!(test.next(Role::Speaker), Some(said(n)));
        }
        assert!(matches!(told[0], TestState::PlayingBack { ms: 0, of_ms: 5_000, .. }), "{:?}", told[0]);
        assert_eq!(told.len(), FRAMES / NEWS_EVERY);
        let end = TestEnd::Done { loudest_dbfs: Some(dbfs(499)) };
        assert_eq!(state(test.news()), Some(TestState::Over(end)));
        assert_eq!(test.next(Role::Speaker), None);
    }

    #[test]
    fn what_was_said_is_overwritten_at_the_end() {
        let mut memory = Memory::new();
        memory.0.fill(said(9));
        memory.wipe();
        assert!(memory.0.iter().all(|frame| *frame == SILENCE));
        let mut test = Test::new(7, SoundTest::HearBack);
        (0..FRAMES + 9).for_each(|n| test.hear(&said(n)));
        assert_eq!(state(Some(test.over(TestEnd::Call))), Some(TestState::Over(TestEnd::Call)));
        assert!(matches!(test.stage, Stage::Over), "the memory is gone");
        assert_eq!(test.next(Role::Speaker), None);
    }

    #[test]
    fn notes_sound_where_they_shall_and_end_by_themselves() {
        for (what, role) in [
            (SoundTest::Speaker, Role::Speaker),
            (SoundTest::Ringer, Role::Ringer),
            (SoundTest::Notifier, Role::Notifier),
        ] {
            let mut test = Test::new(7, what);
            let first = state(test.news());
            let Some(TestState::Playing { ms: 0, of_ms }) = first else { panic!("{what:?}: {first:?}") };
            assert!((1_000..=3_000).contains(&of_ms), "{what:?} lasts {of_ms} ms");
            let mut loudest = 0;
            for _ in 0..of_ms / FRAME_MS {
                assert_eq!(test.next(Role::Microphone), None);
                loudest = loudest.max(peak(&test.next(role).expect("a frame")));
            }
            assert!((2_000..20_000).contains(&loudest), "{what:?} {loudest}");
            assert_eq!(test.next(role), None);
            let end = TestEnd::Done { loudest_dbfs: None };
            assert_eq!(state(test.news()), Some(TestState::Over(end)));
        }
    }
}
