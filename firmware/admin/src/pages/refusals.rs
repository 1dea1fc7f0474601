//! What the store refuses of the settings, in the words of both languages.

use std::fmt::Display;

use ipc::Language;
use store::{Refusal, Why};

use crate::text::{self, Text};

/// Why, for the field where it is said.
pub(crate) fn why(refusal: &Refusal, language: Language) -> String {
    let plain = |text: Text| text.is(language).to_owned();
    let from_to =
        |text: Text, min: &dyn Display, max: &dyn Display| text.with(language, &[("min", min), ("max", max)]);
    match refusal.why {
        Why::Length { min: 0, max } => text::WHY_LONG.with(language, &[("max", &max)]),
        Why::Length { min, max } => from_to(text::WHY_LENGTH, &min, &max),
        Why::Characters => plain(text::WHY_CHARACTERS),
        Why::Host => plain(text::WHY_HOST),
        Why::Address => plain(text::WHY_ADDRESS),
        Why::Path => plain(text::WHY_PATH),
        Why::Range { min, max } => from_to(text::WHY_RANGE, &min, &max),
        Why::Digits { min, max } => from_to(text::WHY_DIGITS, &min, &max),
        Why::ZeroOrRange { min, max } => from_to(text::WHY_ZERO_OR_RANGE, &min, &max),
        Why::NoCertificate => plain(text::WHY_NO_CERTIFICATE),
        Why::KeyInCertificate => plain(text::WHY_KEY_IN_CERTIFICATE),
        Why::NoKey => plain(text::WHY_NO_KEY),
        Why::OtherKey => plain(text::WHY_OTHER_KEY),
        Why::Device => plain(text::WHY_DEVICE),
        Why::Web => plain(text::WHY_WEB),
        Why::FeatureCode => plain(text::WHY_FEATURE_CODE),
        Why::Taken => plain(text::WHY_TAKEN),
        Why::PasswordAgain if refusal.table == "accounts" => plain(text::SIP_PASSWORD_WANTED),
        Why::PasswordAgain => plain(text::ONLINE_PASSWORD_WANTED),
        Why::NoAccount => plain(text::WHY_NO_ACCOUNT),
        Why::NoLine => plain(text::WHY_NO_LINE),
        Why::OwnLine => plain(text::WHY_OWN_LINE),
        Why::Recall => plain(text::WHY_RECALL),
        Why::Hours => plain(text::WHY_HOURS),
        Why::Holiday => plain(text::WHY_HOLIDAY),
        Why::TimeZone => plain(text::WHY_TIME_ZONE),
        Why::TooMany { most } => text::TOO_MANY.with(language, &[("most", &most)]),
    }
}

/// The same with what it is about, where that is not in sight.
pub(crate) fn with_place(refusal: &Refusal, language: Language) -> String {
    let place = match refusal.table {
        "accounts" => text::PLACE_ACCOUNT,
        "lines" => text::PLACE_LINE,
        "handling" => text::PLACE_RULE,
        "directories" => text::PLACE_DIRECTORY,
        "park" => text::PLACE_PARK,
        "tls" => text::PLACE_TLS,
        "sound" => text::SOUND_TITLE,
        "waiting" => text::WAITING_TITLE,
        "timetable" => text::PLACE_HOURS,
        "clock" => text::CLOCK_TITLE,
        _ => return why(refusal, language),
    };
    let number = refusal.index.map_or_else(String::new, |index| format!(" {}", index + 1));
    format!("{}{number}: {}", place.is(language), why(refusal, language))
}
