//! How an operator wants the screen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Keys that were changed (CALL-12): an action of the screen, and the names of its keys. What is not named has its
/// usual keys. Which actions and keys there are is the screen's to know.
pub type Shortcuts = BTreeMap<String, Vec<String>>;

/// Most actions whose keys were changed, and most keys of one.
pub const MAX_SHORTCUTS: (usize, usize) = (64, 8);
/// Longest name of an action or a key, in bytes.
pub const MAX_SHORTCUT_NAME: usize = 32;

/// How this operator wants the screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Keys of their own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shortcuts: Shortcuts,
}

/// Longest time before a screen locks itself, in minutes.
pub const MAX_LOCK_AFTER: u16 = 240;

impl Default for Preferences {
    fn default() -> Self {
        Self {
            language: Language::English,
            theme: Theme::Dark,
            hold_alarm_ms: 120_000,
            lock_after_min: 0,
            shortcuts: Shortcuts::new(),
        }
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
    /// White on black, every edge drawn: for eyes that need it.
    Contrast,
}
