//! How loud it is at the desk, and the test of its sound devices.
//!
//! Only a client that asked ([`crate::Command::Meter`]) is told, as long as it wants to know. Speech is no part of it:
//! what a test records never leaves the sound engine.

use serde::{Deserialize, Serialize};

/// What is known of the sound, for who asked; a newer one takes the place of an older one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoundView {
    /// How loud it is; `None` until it was measured.
    pub levels: Option<SoundLevels>,
    /// The test that runs, or the last one.
    pub test: Option<SoundTestView>,
}

/// The loudest of the last 100 ms, in dBFS: 0 the loudest there is, -96 for nothing at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoundLevels {
    /// What callers hear of the operator: after level and mute.
    pub input_dbfs: i8,
    /// What the operator hears: after level and mute, without the ringing.
    pub output_dbfs: i8,
}

/// What a test of the sound devices does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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

/// A test, and how it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoundTestView {
    /// Which.
    pub test: SoundTest,
    /// What it does now.
    pub state: SoundTestState,
}

/// How a test goes on. Times are milliseconds of its part, and how long that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SoundTestState {
    /// Notes are played.
    Playing {
        /// So long.
        ms: u32,
        /// Of so many.
        of_ms: u32,
    },
    /// The operator is listened to.
    Recording {
        /// So long.
        ms: u32,
        /// Of so many.
        of_ms: u32,
        /// The loudest so far.
        loudest_dbfs: i8,
    },
    /// The operator hears what was said.
    PlayingBack {
        /// So long.
        ms: u32,
        /// Of so many.
        of_ms: u32,
        /// The loudest of it.
        loudest_dbfs: i8,
    },
    /// It is over, and what was said is forgotten.
    Over(SoundTestEnd),
}

/// Why a test is over, or cannot begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum SoundTestEnd {
    /// It has reached its end.
    #[error("done")]
    Done {
        /// The loudest that the operator said; `None` where only notes were played.
        loudest_dbfs: Option<i8>,
    },
    /// It was stopped, or another one has begun.
    #[error("the test was stopped")]
    Stopped,
    /// Calls come first.
    #[error("there is a call; the sound is tested when there is none")]
    Call,
    /// The microphone is muted, or its level is 0.
    #[error("the microphone is muted")]
    MicrophoneMuted,
    /// What it would be heard by is muted, or its level is 0.
    #[error("what would be heard is muted")]
    SpeakerMuted,
    /// Speaker and microphone are not connected.
    #[error("the sound device is not connected")]
    Disconnected,
    /// The operator speaks over a telephone, which is tested there.
    #[error("the operator speaks over a telephone")]
    Telephone,
    /// The device it needs cannot be used: pulled, before or meanwhile, or broken.
    #[error("the sound device is gone")]
    DeviceLost,
}

/// How loud something is, for a word beside a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loudness {
    /// Nobody speaks, or nobody is heard.
    Silent,
    /// As it should be.
    Good,
    /// It is, or soon will be, distorted.
    TooLoud,
}

impl Loudness {
    /// A voice into a handset peaks between -30 and -6 dBFS; what an open microphone hears of a quiet room stays below
    /// -50. Above -3 there is no room left.
    #[must_use]
    pub fn of(peak_dbfs: i8) -> Self {
        match peak_dbfs {
            ..-45 => Self::Silent,
            -45..=-3 => Self::Good,
            -2.. => Self::TooLoud,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loudness_never_falls_with_the_level() {
        let all: Vec<Loudness> = (-96..=0).map(Loudness::of).collect();
        assert!(all.is_sorted());
        assert_eq!([-96, -46, -45, -3, -2, 0].map(Loudness::of), {
            use Loudness::{Good, Silent, TooLoud};
            [Silent, Silent, Good, Good, TooLoud, TooLoud]
        });
    }
}
