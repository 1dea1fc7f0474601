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
    /// How large texts are (ACC-4).
    #[serde(default)]
    pub text_size: TextSize,
    /// Nothing on the screen moves by itself: what would glide or blink changes at once (ACC-4).
    #[serde(default)]
    pub calm: bool,
    /// The desk reads aloud what the keyboard is on, and what calls do (ACC-4).
    #[serde(default)]
    pub speech: bool,
    /// How fast it reads (ACC-7).
    #[serde(default)]
    pub pace: SpeechPace,
}

/// What the settings of the screen keep as a whole (SET-1). What an older screen does not send is as usual.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreferencesWish {
    /// Language of every text.
    pub language: Language,
    /// Colours.
    pub theme: Theme,
    /// The keys that are not the usual ones.
    #[serde(default)]
    pub shortcuts: Shortcuts,
    /// As in [`Preferences::lock_after_min`]; `None` leaves it as it is. More than [`MAX_LOCK_AFTER`] counts as that.
    #[serde(default)]
    pub lock_after_min: Option<u16>,
    /// As in [`Preferences::text_size`].
    #[serde(default)]
    pub text_size: TextSize,
    /// As in [`Preferences::calm`].
    #[serde(default)]
    pub calm: bool,
    /// As in [`Preferences::speech`].
    #[serde(default)]
    pub speech: bool,
    /// As in [`Preferences::pace`].
    #[serde(default)]
    pub pace: SpeechPace,
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
            text_size: TextSize::Usual,
            calm: false,
            speech: false,
            pace: SpeechPace::Usual,
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

/// How large texts are. How many pixels that is, is the screen's to know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TextSize {
    /// As the screen was drawn.
    #[default]
    Usual,
    /// A step larger.
    Large,
    /// Two steps larger.
    Largest,
}

/// How fast the desk reads aloud: shares of the speed that the device is set up with. Who listens all day follows twice
/// the speed of who has just begun.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SpeechPace {
    /// Three quarters.
    Slow,
    /// As set up.
    #[default]
    Usual,
    /// Seven fifths.
    Fast,
    /// Nine fifths.
    Fastest,
}

impl SpeechPace {
    /// The share, in per cent.
    pub fn percent(self) -> u16 {
        match self {
            SpeechPace::Slow => 75,
            SpeechPace::Usual => 100,
            SpeechPace::Fast => 140,
            SpeechPace::Fastest => 180,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::Command;

    #[test]
    fn set_1_what_an_older_peer_sends_is_read() {
        let json = r#"{"language":"French","theme":"Light","hold_alarm_ms":90000}"#;
        let read: Preferences = serde_json::from_str(json).unwrap();
        let (language, theme, hold_alarm_ms) = (Language::French, Theme::Light, 90_000);
        assert_eq!(read, Preferences { language, theme, hold_alarm_ms, ..Preferences::default() });
        // As the command was while it had three fields of its own.
        let json =
            r#"{"SavePreferences":{"language":"French","theme":"Light","shortcuts":{"night":["F9"]}}}"#;
        let read: Command = serde_json::from_str(json).unwrap();
        let shortcuts = Shortcuts::from([("night".to_owned(), vec!["F9".to_owned()])]);
        let wish = PreferencesWish { language, theme, shortcuts, ..PreferencesWish::default() };
        assert_eq!(read, Command::SavePreferences(wish));
    }
}
