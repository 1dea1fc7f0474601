//! What is done to the microphone's sound, as an administrator sets it.

use serde::{Deserialize, Serialize};

/// Table `[voice]` of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Voice {
    /// The operator speaks through a loudspeaker and a microphone on the desk. With a handset or a headset, the
    /// default, the others do nothing: nothing is done to the sound.
    pub hands_free: bool,
    /// Callers do not hear themselves.
    pub echo: bool,
    /// Steady noise is turned down.
    pub noise: bool,
    /// Quiet voices are turned up.
    pub gain: bool,
}

impl Default for Voice {
    fn default() -> Self {
        Self { hands_free: false, echo: true, noise: true, gain: true }
    }
}
