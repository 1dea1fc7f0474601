//! The words of every page, in both languages side by side (ACC-4).

mod about;
mod acts;
mod clock;
mod common;
mod desk;
mod figures;
mod imports;
mod keep;
mod marks;
mod online;
mod people;
mod plugins;
mod provisioning;
mod reach;
mod screen;
mod sound_test;
mod update;
mod voice;
mod waiting;

use std::fmt::Display;

use ipc::Language;

pub(crate) use self::update::*;
pub(crate) use about::*;
pub(crate) use acts::*;
pub(crate) use clock::*;
pub(crate) use common::*;
pub(crate) use desk::*;
pub(crate) use figures::*;
pub(crate) use imports::*;
pub(crate) use keep::*;
pub(crate) use marks::*;
pub(crate) use online::*;
pub(crate) use people::*;
pub(crate) use plugins::*;
pub(crate) use provisioning::*;
pub(crate) use reach::*;
pub(crate) use screen::*;
pub(crate) use sound_test::*;
pub(crate) use voice::*;
pub(crate) use waiting::*;

/// One text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    en: &'static str,
    fr: &'static str,
}

impl Text {
    /// In a language.
    pub(crate) const fn is(self, language: Language) -> &'static str {
        match language {
            Language::English => self.en,
            Language::French => self.fr,
        }
    }

    /// In a language, with what stands in it as `{name}` filled in.
    pub(crate) fn with(self, language: Language, values: &[(&str, &dyn Display)]) -> String {
        let mut rest = self.is(language);
        let mut words = String::with_capacity(rest.len() + 32);
        // What was filled in is not read again: it may have braces of its own.
        while let Some((before, after)) = rest.split_once('{') {
            words.push_str(before);
            let Some((name, after)) = after.split_once('}') else { break };
            if let Some((_, value)) = values.iter().find(|(there, _)| *there == name) {
                words.push_str(&value.to_string());
            }
            rest = after;
        }
        words.push_str(rest);
        words
    }
}

/// `NAME = "English", "Français";`
macro_rules! texts {
    ($($name:ident = $en:literal, $fr:literal;)*) => {
        $(pub(crate) const $name: $crate::text::Text = $crate::text::Text { en: $en, fr: $fr };)*
        #[cfg(test)]
        pub(super) const ALL: &[(&str, $crate::text::Text)] = &[$((stringify!($name), $name)),*];
    };
}
use texts;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Language, Text, acts, common, figures, keep, people, reach, screen};

    fn names(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0)).collect()
    }

    #[test]
    fn acc_4_every_text_is_there_in_both_languages_with_the_same_places() {
        for (name, text) in [
            common::ALL,
            super::about::ALL,
            super::clock::ALL,
            super::desk::ALL,
            people::ALL,
            super::plugins::ALL,
            acts::ALL,
            figures::ALL,
            keep::ALL,
            reach::ALL,
            screen::ALL,
            super::sound_test::ALL,
            super::update::ALL,
            super::voice::ALL,
            super::waiting::ALL,
            super::marks::ALL,
            super::online::ALL,
            super::provisioning::ALL,
            super::imports::ALL,
        ]
        .concat()
        {
            assert!(!text.en.is_empty() && !text.fr.is_empty(), "{name}");
            assert_eq!(names(text.en), names(text.fr), "{name}");
            assert!(text.en == text.en.trim() && text.fr == text.fr.trim(), "{name}");
        }
    }

    #[test]
    fn what_is_filled_in_is_not_read_again() {
        let text = Text { en: "a {x} b {y}", fr: "{y} {x}" };
        assert_eq!(text.with(Language::English, &[("x", &"{y}"), ("y", &2)]), "a {y} b 2");
        assert_eq!(text.with(Language::French, &[("x", &1)]), " 1");
    }
}
