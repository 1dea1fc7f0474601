//! The test of the sound devices, with a microphone and a speaker in memory and a clock turned by hand.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use media::{Config, Ear, Event, Media, Parts, Ring, SoundTest, StreamId, TestEnd, TestState, Tone};

const FRAME: usize = 480;

/// A desk whose operator says what is given.
struct Desk {
    parts: Parts,
    events: Receiver<Event>,
    now: Duration,
    heard: Vec<i16>,
    /// Frames said.
    said: usize,
}

/// What is said in the frame of this number: no two within five seconds are alike.
fn frame(n: usize) -> [i16; FRAME] {
    std::array::from_fn(|k| ((n * FRAME + k) % 20_011) as i16 - 10_000)
}

impl Desk {
    fn new() -> Desk {
        let (sender, events) = channel();
        let config = Config { realtime: false, ..Config::default() };
        let parts = Parts::new(config, move |event| _ = sender.send(event)).expect("starts");
        let mut desk = Desk { parts, events, now: Duration::ZERO, heard: Vec::new(), said: 0 };
        desk.run(20);
        desk
    }

    /// So many times 10 ms.
    fn run(&mut self, frames: usize) {
        for _ in 0..frames {
            self.now += Duration::from_millis(10);
            assert!(self.parts.microphone.hear(&frame(self.said)), "the microphone is listened to");
            self.said += 1;
            self.parts.audio.tick(Duration::ZERO);
            self.parts.by_hand.turn(self.now);
            let heard = &mut self.heard;
            self.parts.speaker.play(FRAME, |piece| heard.extend_from_slice(piece));
        }
    }

    /// What is told of the test of this number.
    fn told(&self, number: u64) -> Vec<TestState> {
        let of = |event| match event {
            Event::Test { number: told, state } if told == number => Some(state),
            _ => None,
        };
        self.events.try_iter().filter_map(of).collect()
    }

    /// How the test of this number has ended.
    fn end(&self, number: u64) -> Option<TestEnd> {
        match self.told(number).last() {
            Some(TestState::Over(end)) => Some(*end),
            _ => None,
        }
    }

    fn media(&self) -> &Media {
        &self.parts.media
    }

    fn is_silent(&self) -> bool {
        self.heard.iter().all(|sample| *sample == 0)
    }
}

#[test]
fn what_the_operator_says_comes_back_as_it_was() {
    let mut desk = Desk::new();
    desk.media().test_sound(1, SoundTest::HearBack).expect("taken");
    desk.heard.clear();
    desk.run(490);
    assert!(desk.is_silent(), "nobody hears themself while they speak");
    let first = desk.told(1);
    assert!(first.iter().all(|state| matches!(state, TestState::Recording { .. })), "{first:?}");
    assert!(first.len() >= 49, "{} pieces of news", first.len());
    desk.run(520);
    let back = desk.heard.iter().position(|sample| *sample != 0).expect("it is heard");
    let heard = &desk.heard[back..back + 499 * FRAME];
    // As it was said, from some frame on and without a gap.
    let start =
        (0..60).find(|n| heard[..40] == frame(*n)[..40]).expect("it begins with a frame that was said");
    for (n, piece) in heard.chunks_exact(FRAME).enumerate() {
        assert_eq!(piece, frame(start + n), "frame {n}");
    }
    let loudest = match desk.end(1) {
        Some(TestEnd::Done { loudest_dbfs: Some(loudest) }) => loudest,
        other => panic!("{other:?}"),
    };
    assert!((-10.4..-10.2).contains(&loudest), "10,010 of 32,768 are -10.3 dBFS, not {loudest}");
    desk.heard.clear();
    desk.run(100);
    assert!(desk.is_silent(), "once, and never again");
}

#[test]
fn notes_are_heard_and_say_when_they_are_over() {
    let mut desk = Desk::new();
    desk.heard.clear();
    desk.media().test_sound(5, SoundTest::Speaker).expect("taken");
    desk.run(200);
    assert_eq!(desk.end(5), Some(TestEnd::Done { loudest_dbfs: None }));
    let peak = desk.heard.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0);
    assert!((4_000..20_000).contains(&peak), "{peak}");
}

/// What a call does to the desk.
type Call = fn(&Media) -> Result<(), media::Error>;

#[test]
fn a_call_ends_a_test_at_once_and_lets_none_begin() {
    let calls: [(&str, Call, Call); 3] = [
        ("talks", |media| media.listen(Ear::Stream(StreamId(1))), |media| media.listen(Ear::Nobody)),
        ("rings", |media| media.ring(Some(Ring::Bell)), |media| media.ring(None)),
        ("is dialled", |media| media.tone(Some(Tone::Ringback)), |media| media.tone(None)),
    ];
    for (what, begin, end) in calls {
        for frames in [100, 700] {
            let mut desk = Desk::new();
            desk.media().test_sound(1, SoundTest::HearBack).expect("taken");
            desk.run(frames);
            begin(desk.media()).expect("taken");
            desk.run(1);
            assert_eq!(desk.end(1), Some(TestEnd::Call), "a call {what} after {frames} frames");
            desk.media().test_sound(2, SoundTest::HearBack).expect("taken");
            desk.run(2);
            assert_eq!(desk.told(2), [TestState::Over(TestEnd::Call)], "a call {what}");
            end(desk.media()).expect("taken");
            desk.run(20);
            desk.heard.clear();
            desk.run(1000);
            assert!(desk.is_silent(), "nothing of what was said is left");
        }
    }
}

#[test]
fn what_is_muted_or_given_back_is_said() {
    let hindrances: [(SoundTest, TestEnd, Call); 6] = [
        (SoundTest::HearBack, TestEnd::MicrophoneMuted, |media| media.mute_microphone(true)),
        (SoundTest::HearBack, TestEnd::MicrophoneMuted, |media| media.volume(1.0, 0.0)),
        (SoundTest::HearBack, TestEnd::SpeakerMuted, |media| media.mute_speaker(true)),
        (SoundTest::Speaker, TestEnd::SpeakerMuted, |media| media.volume(0.0, 1.0)),
        (SoundTest::Speaker, TestEnd::Disconnected, |media| media.connect_audio(false)),
        (SoundTest::Ringer, TestEnd::SpeakerMuted, |media| media.ring_volume(0.0)),
    ];
    for (test, end, hinder) in hindrances {
        let mut desk = Desk::new();
        desk.media().test_sound(1, test).expect("taken");
        desk.run(10);
        assert_eq!(desk.end(1), None, "{test:?}");
        hinder(desk.media()).expect("taken");
        desk.run(1);
        assert_eq!(desk.end(1), Some(end), "{test:?} while it runs");
        desk.media().test_sound(2, test).expect("taken");
        desk.run(1);
        assert_eq!(desk.told(2), [TestState::Over(end)], "{test:?} at its beginning");
    }
    // What is heard elsewhere is no hindrance.
    let mut desk = Desk::new();
    desk.media().mute_microphone(true).expect("taken");
    desk.media().ring_volume(0.0).expect("taken");
    desk.media().test_sound(1, SoundTest::Speaker).expect("taken");
    desk.run(200);
    assert_eq!(desk.end(1), Some(TestEnd::Done { loudest_dbfs: None }));
}

#[test]
fn a_test_is_stopped_or_gives_way_to_the_next() {
    let mut desk = Desk::new();
    desk.media().test_sound(1, SoundTest::HearBack).expect("taken");
    desk.run(30);
    desk.media().test_sound(2, SoundTest::Speaker).expect("taken");
    desk.run(1);
    let (mut first, mut second) = (None, None);
    for event in desk.events.try_iter() {
        match event {
            Event::Test { number: 1, state: TestState::Over(end) } => first = Some(end),
            Event::Test { number: 2, state } => second = Some(state),
            _ => {}
        }
    }
    assert_eq!(first, Some(TestEnd::Stopped));
    assert!(matches!(second, Some(TestState::Playing { .. }) | None), "{second:?}");
    desk.media().stop_sound_test().expect("taken");
    desk.run(1);
    assert_eq!(desk.end(2), Some(TestEnd::Stopped));
    desk.run(10);
    desk.heard.clear();
    desk.run(200);
    assert!(desk.is_silent());
}
