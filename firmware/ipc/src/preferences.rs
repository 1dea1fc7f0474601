//! How an operator wants the screen.

use serde::{Deserialize, Serialize};

/// How this operator wants the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preferences {
    /// Language of every text.
    pub language: Language,
    /// Colours.
    pub theme: Theme,
    /// Hold time that turns red and bold, in milliseconds (CALL-4).
    pub hold_alarm_ms: u64,
    /// Minutes without a touch or a key after which the screen locks itself (ACC-1); 0 never does.
    #[serde(default)]
    pub lock_after_min: u16,
}

/// Longest time before a screen locks itself, in minutes.
pub const MAX_LOCK_AFTER: u16 = 240;

impl Default for Preferences {
    fn default() -> Self {
        Self { language: Language::English, theme: Theme::Dark, hold_alarm_ms: 120_000, lock_after_min: 0 }
    }
}

/// Language of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// French.
    French,
}

/// Colours of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Theme {
    /// Light on dark.
    #[default]
    Dark,
    /// Dark on light.
    Light,
}
