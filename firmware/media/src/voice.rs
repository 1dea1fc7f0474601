//! What is done to the microphone's sound: echo, noise and gain, by sonora, or nothing at all.
//!
//! A hands-free desk hears its own loudspeaker; a handset and a headset do not, and there the sound passes as it is,
//! without delay. Changes cross-fade from one way to the other, so that nothing clicks.
//! Pure: 10 ms of sound at a time. It allocates, so it runs in the media thread and never in the audio thread.
//! Not done here: levels and mutes, which come after ([`crate::sound`]), and the kind of the device (the settings).

use sonora::config::{
    AdaptiveDigital, EchoCanceller, GainController2, HighPassFilter, MaxProcessingRate, NoiseSuppression,
    NoiseSuppressionLevel, Pipeline,
};
use sonora::{AudioProcessing, StreamConfig};

use crate::api::Voice;
use crate::frame::{FRAME, Frame, RATE, SILENCE};

/// Frames a new way hears before it is heard, so that what it delays has come through.
const WARM: u32 = 5;
/// The same where an echo is cancelled before and after: 1 s, in which the new canceller learns the room.
const LEARN: u32 = 100;
/// Most that automatic gain adds, in dB: a murmur becomes speech, the air conditioning does not.
const MAX_GAIN_DB: f32 = 24.0;
/// How fast it may change, in dB a second: not within a word.
const GAIN_CHANGE_DB: f32 = 4.0;
/// What it leaves below the loudest there is, in dB.
const HEADROOM_DB: f32 = 6.0;

/// From the microphone to the mixer.
pub struct VoicePath {
    wanted: Voice,
    now: Way,
    /// What is going to be heard, and for how many frames it still only listens.
    next: Option<(Way, u32)>,
}

/// One way through.
enum Way {
    Direct,
    Processed(Box<Processor>),
}

/// sonora, and what it is set to.
struct Processor {
    inner: AudioProcessing,
    cancels_echo: bool,
}

impl VoicePath {
    /// Set from the start.
    pub fn new(voice: Voice) -> VoicePath {
        VoicePath { wanted: voice, now: Way::of(voice), next: None }
    }

    /// Sets it anew; heard within 50 ms, and within 1 s where an echo goes on being cancelled.
    pub fn set(&mut self, voice: Voice) {
        if voice.effective() == self.wanted.effective() {
            self.wanted = voice;
            return;
        }
        self.wanted = voice;
        let next = Way::of(voice);
        let warm = match (&self.now, &next) {
            (_, Way::Direct) => 0,
            (now, next) if now.cancels_echo() && next.cancels_echo() => LEARN,
            _ => WARM,
        };
        self.next = Some((next, warm));
    }

    /// Takes 10 ms of what goes to the loudspeaker. For each frame of the microphone there should be one.
    pub fn played(&mut self, far: &Frame) {
        self.now.played(far);
        if let Some((next, _)) = &mut self.next {
            next.played(far);
        }
    }

    /// The next 10 ms of the microphone. What [`VoicePath::played`] took last is heard by the microphone
    /// `delay_ms` later, so far as is known.
    pub fn process(&mut self, heard: &Frame, delay_ms: u32) -> Frame {
        let said = self.now.process(heard, delay_ms);
        let Some((mut next, warm)) = self.next.take() else { return said };
        let coming = next.process(heard, delay_ms);
        if warm > 0 {
            self.next = Some((next, warm - 1));
            return said;
        }
        self.now = next;
        cross_fade(&said, &coming)
    }
}

impl Way {
    fn of(voice: Voice) -> Way {
        match voice.effective() {
            [false, false, false] => Way::Direct,
            [echo, noise, gain] => Way::Processed(Box::new(Processor::new(echo, noise, gain))),
        }
    }

    fn cancels_echo(&self) -> bool {
        matches!(self, Way::Processed(processor) if processor.cancels_echo)
    }

    fn played(&mut self, far: &Frame) {
        if let Way::Processed(processor) = self {
            processor.played(far);
        }
    }

    fn process(&mut self, heard: &Frame, delay_ms: u32) -> Frame {
        match self {
            Way::Direct => *heard,
            Way::Processed(processor) => processor.process(heard, delay_ms),
        }
    }
}

impl Processor {
    fn new(echo: bool, noise: bool, gain: bool) -> Processor {
        let pipeline = Pipeline {
            maximum_internal_processing_rate: MaxProcessingRate::Rate48kHz,
            multi_channel_render: false,
            multi_channel_capture: false,
            ..Pipeline::default()
        };
        let noise = noise.then(|| NoiseSuppression {
            level: NoiseSuppressionLevel::Moderate,
            ..NoiseSuppression::default()
        });
        let gain = gain.then(|| GainController2 {
            adaptive_digital: Some(AdaptiveDigital {
                headroom_db: HEADROOM_DB,
                max_gain_db: MAX_GAIN_DB,
                // Nobody's voice changes when this is switched on.
                initial_gain_db: 0.0,
                max_gain_change_db_per_second: GAIN_CHANGE_DB,
                ..AdaptiveDigital::default()
            }),
            ..GainController2::default()
        });
        let config = sonora::Config {
            pipeline,
            high_pass_filter: Some(HighPassFilter::default()),
            echo_canceller: echo.then(EchoCanceller::default),
            noise_suppression: noise,
            gain_controller2: gain,
            ..sonora::Config::default()
        };
        let stream = StreamConfig::new(RATE, 1);
        let inner = AudioProcessing::builder().config(config).capture_config(stream).render_config(stream);
        Processor { inner: inner.build(), cancels_echo: echo }
    }

    fn played(&mut self, far: &Frame) {
        if self.cancels_echo {
            let mut unused = SILENCE;
            // Only a frame of another length is refused.
            let _ = self.inner.process_render_i16(far, &mut unused);
        }
    }

    fn process(&mut self, heard: &Frame, delay_ms: u32) -> Frame {
        // What is beyond its reach is clamped.
        let _ = self.inner.set_stream_delay_ms(delay_ms.min(500) as i32);
        let mut said = *heard;
        match self.inner.process_capture_i16(heard, &mut said) {
            Ok(()) => said,
            // Only a frame of another length is refused: the sound as it is, is better than none.
            Err(_) => *heard,
        }
    }
}

/// From one to the other within a frame.
fn cross_fade(from: &Frame, to: &Frame) -> Frame {
    std::array::from_fn(|n| {
        let share = (n + 1) as f32 / FRAME as f32;
        (f32::from(from[n]) * (1.0 - share) + f32::from(to[n]) * share) as i16
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: Voice = Voice { hands_free: true, echo: true, noise: true, gain: true };

    /// The `n`th 10 ms of a hum.
    fn hum(hz: f32, level: f32, n: usize) -> Frame {
        std::array::from_fn(|k| {
            let at = (n * FRAME + k) as f32 / RATE as f32;
            (level * (std::f32::consts::TAU * hz * at).sin()) as i16
        })
    }

    /// The steepest step between two samples.
    fn steepest(sound: &[i16]) -> i32 {
        sound.windows(2).map(|w| (i32::from(w[1]) - i32::from(w[0])).abs()).max().unwrap_or(0)
    }

    #[test]
    fn a_handset_passes_as_it_is_to_the_bit() {
        for voice in [
            Voice { hands_free: false, ..ALL },
            Voice { echo: false, noise: false, gain: false, ..ALL },
            Voice::default(),
        ] {
            let mut path = VoicePath::new(voice);
            for n in 0..20 {
                path.played(&hum(400.0, 9000.0, n));
                assert_eq!(path.process(&hum(300.0, 8000.0, n), 50), hum(300.0, 8000.0, n));
            }
        }
    }

    #[test]
    fn after_it_is_switched_off_the_sound_is_as_it_is_again() {
        let mut path = VoicePath::new(ALL);
        for n in 0..50 {
            path.process(&hum(300.0, 8000.0, n), 50);
        }
        path.set(Voice { hands_free: false, ..ALL });
        path.process(&hum(300.0, 8000.0, 50), 50);
        for n in 51..60 {
            assert_eq!(path.process(&hum(300.0, 8000.0, n), 50), hum(300.0, 8000.0, n));
        }
    }

    #[test]
    fn to_say_the_same_again_changes_nothing() {
        let mut path = VoicePath::new(ALL);
        path.set(ALL);
        assert!(path.next.is_none());
        path.set(Voice { hands_free: false, ..ALL });
        path.process(&SILENCE, 0);
        // Ticks under a handset mean nothing.
        path.set(Voice { hands_free: false, echo: false, ..ALL });
        assert!(path.next.is_none() && matches!(path.now, Way::Direct));
    }

    #[test]
    fn an_echo_goes_on_being_cancelled_while_noise_is_switched() {
        let mut path = VoicePath::new(ALL);
        path.set(Voice { noise: false, ..ALL });
        for _ in 0..LEARN {
            path.process(&SILENCE, 0);
            assert!(path.now.cancels_echo() && path.next.is_some());
        }
        path.process(&SILENCE, 0);
        assert!(path.now.cancels_echo() && path.next.is_none());
    }

    #[test]
    fn silence_stays_silence_when_nothing_is_played() {
        let mut path = VoicePath::new(ALL);
        for _ in 0..300 {
            path.played(&SILENCE);
            assert_eq!(path.process(&SILENCE, 50), SILENCE);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn however_it_is_switched_nothing_clicks(
            turns in prop::collection::vec((any::<[bool; 4]>(), 1_usize..40), 1..12)
        ) {
            let mut path = VoicePath::new(Voice::default());
            let (mut said, mut n) = (Vec::new(), 0);
            for ([hands_free, echo, noise, gain], frames) in turns {
                path.set(Voice { hands_free, echo, noise, gain });
                for _ in 0..frames {
                    path.played(&hum(90.0, 3000.0, n));
                    said.extend(path.process(&hum(200.0, 6000.0, n), 40));
                    n += 1;
                }
            }
            // The hum has steps of 157; gain may double it, and a fade of 10 ms adds 25.
            prop_assert!(steepest(&said) < 500, "{}", steepest(&said));
        }
    }
}
