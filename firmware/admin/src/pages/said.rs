//! What is said of something that went wrong: a sentence of ours in the language of the page, and after it, quoted, what
//! another program said. Its words are never part of the sentence: they are not translated.

use std::fmt::Display;

use ipc::Language;
use maud::{Markup, html};

use crate::text::{self, Text};

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) words: String,
    /// In whatever words the other program has, mostly English.
    pub(crate) detail: Option<String>,
}

impl Said {
    /// Nobody else said anything.
    pub(crate) fn plain(words: impl Into<String>) -> Self {
        Self { words: words.into(), detail: None }
    }

    /// With what another program said, where that is something.
    pub(crate) fn with_detail(words: impl Into<String>, detail: impl Display) -> Self {
        let detail = Some(detail.to_string()).filter(|detail| !detail.trim().is_empty());
        Self { words: words.into(), detail }
    }

    /// As the reason in a sentence about what became of it.
    pub(crate) fn within(self, around: Text, language: Language) -> Self {
        Self { words: around.with(language, &[("reason", &self.words)]), detail: self.detail }
    }

    /// In one line, for where there is no markup.
    pub(crate) fn line(&self, language: Language) -> String {
        match &self.detail {
            Some(detail) => {
                let words = &self.words;
                // A badge's words are no sentence and end without a full stop.
                let point = if words.ends_with(['.', '?', '!']) { "" } else { "." };
                format!("{words}{point} {}", text::DETAIL.with(language, &[("detail", detail)]))
            }
            None => self.words.clone(),
        }
    }

    /// The sentence, and the detail in a line of its own.
    pub(crate) fn markup(&self, language: Language) -> Markup {
        html! { (self.words) (self.quote(language)) }
    }

    /// The detail only, in a line of its own.
    pub(crate) fn quote(&self, language: Language) -> Markup {
        let around = text::DETAIL.is(language);
        let (before, after) = around.split_once("{detail}").unwrap_or((around, ""));
        html! {
            @if let Some(detail) = &self.detail {
                // With a space, for who takes the text without the lines of the page.
                " " span.detail { (before) span lang="en" { (detail) } (after) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acc_4_the_words_of_another_program_are_quoted_after_ours() {
        let said = Said::with_detail("Rien ne va plus.", "no <b>room</b>");
        assert_eq!(said.line(Language::French), "Rien ne va plus. Détail : « no <b>room</b> »");
        let markup = said.markup(Language::French).into_string();
        let quoted = "Rien ne va plus. <span class=\"detail\">Détail : « \
                      <span lang=\"en\">no &lt;b&gt;room&lt;/b&gt;</span> »</span>";
        assert_eq!(markup, quoted);
        let badge = Said::with_detail("not written", "no room");
        assert_eq!(badge.line(Language::English), "not written. Detail: “no room”");
        for nothing in [Said::plain("Well"), Said::with_detail("Well", " ")] {
            assert_eq!(nothing.line(Language::English), "Well");
            assert_eq!(nothing.markup(Language::English).into_string(), "Well");
        }
    }
}
