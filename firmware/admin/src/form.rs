//! Forms with many fields: what stands in each, what was typed and not taken, and what is wrong with it, at the field.

use std::{fmt::Display, ops::RangeInclusive};

use ipc::Language;
use maud::{Markup, html};

use crate::{
    fields::Fields,
    guard::Signed,
    layout,
    text::{self, Text},
};

/// What was wrong with a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// The field's name; empty where it is none in particular.
    pub(crate) field: String,
    pub(crate) words: String,
}

impl Wrong {
    /// Of no field in particular.
    pub(crate) fn above(words: impl Into<String>) -> Self {
        Self { field: String::new(), words: words.into() }
    }

    pub(crate) fn at(field: impl Into<String>, words: impl Into<String>) -> Self {
        Self { field: field.into(), words: words.into() }
    }
}

/// A form that was sent and not taken.
#[derive(Clone, Copy)]
pub(crate) struct Refused<'a> {
    pub(crate) typed: &'a Fields,
    pub(crate) wrong: &'a Wrong,
}

/// A form on its page.
#[derive(Clone, Copy)]
pub(crate) struct Form<'a> {
    pub(crate) signed: &'a Signed,
    pub(crate) refused: Option<Refused<'a>>,
}

impl<'a> Form<'a> {
    pub(crate) fn new(signed: &'a Signed, refused: Option<Refused<'a>>) -> Self {
        Self { signed, refused }
    }

    fn language(&self) -> Language {
        self.signed.language
    }

    /// Says above the form that it was not taken, and why where that is at no field.
    pub(crate) fn problem(&self) -> Markup {
        html! {
            @if let Some(Refused { wrong, .. }) = self.refused {
                p.alert.bad #problem role="alert" {
                    (text::NOT_SAVED.is(self.language())) " "
                    @if wrong.field.is_empty() { (wrong.words) }
                    @else { a href=(format!("#{}", wrong.field)) { (wrong.words) } }
                }
            }
        }
    }

    /// The whole form; who only reads sees what stands in it.
    pub(crate) fn around(&self, id: &str, to: &str, fields: Markup) -> Markup {
        let may_write = self.signed.may_write();
        html! {
            form id=(id) method="post" action=(to) autocomplete="off" {
                (layout::token(self.signed))
                fieldset.plain disabled[!may_write] { (fields) }
                @if may_write { button id=(format!("save-{id}")) type="submit" { (text::SAVE.is(self.language())) } }
            }
        }
    }

    /// Something that goes along unseen.
    pub(crate) fn hidden(&self, name: &str, value: &str) -> Markup {
        html! { input type="hidden" name=(name) value=(value); }
    }

    pub(crate) fn text(
        &self,
        name: &str,
        label: Text,
        now: &str,
        hint: Option<Text>,
        required: bool,
    ) -> Markup {
        let value = self.value(name, now);
        self.field(name, label, hint, required, html! {
            input id=(name) name=(name) type="text" value=(value) maxlength="2048" required[required]
                spellcheck="false" aria-describedby=[self.described(name, hint)] aria-invalid=[self.invalid(name)];
        })
    }

    /// What is typed, or chosen among what the browser offers while somebody types.
    pub(crate) fn offered(
        &self,
        name: &str,
        label: Text,
        now: &str,
        offers: &[String],
        hint: Text,
    ) -> Markup {
        let (value, list) = (self.value(name, now), format!("{name}-list"));
        self.field(name, label, Some(hint), false, html! {
            input id=(name) name=(name) type="text" value=(value) list=(list) maxlength="2048" spellcheck="false"
                autocapitalize="off"
                aria-describedby=[self.described(name, Some(hint))] aria-invalid=[self.invalid(name)];
            datalist id=(list) { @for offer in offers { option value=(offer) {} } }
        })
    }

    /// What is typed is kept and never shown. Where it is not required, nothing typed changes nothing.
    pub(crate) fn secret(&self, name: &str, label: Text, hint: Text, required: bool) -> Markup {
        self.field(
            name,
            label,
            Some(hint),
            required,
            html! {
                input id=(name) name=(name) type="password" autocomplete="new-password" maxlength="256"
                    required[required]
                    aria-describedby=[self.described(name, Some(hint))] aria-invalid=[self.invalid(name)];
            },
        )
    }

    /// The same of several lines.
    pub(crate) fn secret_area(&self, name: &str, label: Text, hint: Text, rows: u8) -> Markup {
        self.field(
            name,
            label,
            Some(hint),
            false,
            html! {
                textarea id=(name) name=(name) rows=(rows) spellcheck="false" autocomplete="off"
                    aria-describedby=[self.described(name, Some(hint))] aria-invalid=[self.invalid(name)] {}
            },
        )
    }

    pub(crate) fn number(
        &self,
        name: &str,
        label: Text,
        now: impl Display,
        range: RangeInclusive<u64>,
        hint: Option<Text>,
    ) -> Markup {
        let value = self.value(name, &now.to_string());
        self.field(name, label, hint, true, html! {
            input.short id=(name) name=(name) type="number" value=(value) min=(range.start()) max=(range.end()) required
                aria-describedby=[self.described(name, hint)] aria-invalid=[self.invalid(name)];
        })
    }

    pub(crate) fn area(&self, name: &str, label: Text, now: &str, hint: Option<Text>, rows: u8) -> Markup {
        // A private key that was put into a wrong field is not sent back.
        let value = Some(self.value(name, now)).filter(|text| !text.contains("PRIVATE KEY-----"));
        let value = value.unwrap_or_default();
        self.field(name, label, hint, false, html! {
            textarea id=(name) name=(name) rows=(rows) spellcheck="false"
                aria-describedby=[self.described(name, hint)] aria-invalid=[self.invalid(name)] { "\n" (value) }
        })
    }

    /// One of several; each with its value and what it is called.
    pub(crate) fn choice(
        &self,
        name: &str,
        label: Text,
        now: &str,
        options: &[(String, String)],
        hint: Option<Text>,
    ) -> Markup {
        let value = self.value(name, now);
        self.field(
            name,
            label,
            hint,
            true,
            html! {
                select id=(name) name=(name) aria-describedby=[self.described(name, hint)]
                    aria-invalid=[self.invalid(name)] {
                    @for (option, words) in options {
                        option value=(option) selected[*option == value] { (words) }
                    }
                }
            },
        )
    }

    pub(crate) fn tick(&self, name: &str, label: &str, now: bool) -> Markup {
        let ticked = self.refused.map_or(now, |refused| refused.typed.has(name));
        html! {
            div.tick {
                input type="checkbox" id=(name) name=(name) checked[ticked];
                label for=(name) { (label) }
            }
        }
    }

    /// What was typed, else what is set.
    pub(crate) fn value(&self, name: &str, now: &str) -> String {
        self.refused.map_or(now, |refused| refused.typed.get(name)).to_owned()
    }

    fn field(&self, name: &str, label: Text, hint: Option<Text>, required: bool, input: Markup) -> Markup {
        html! {
            div.field {
                label for=(name) {
                    (label.is(self.language()))
                    @if !required { " " span.note { (text::OPTIONAL.is(self.language())) } }
                }
                (input)
                @if let Some(words) = self.words(name) {
                    p.wrong id=(format!("{name}-wrong")) { (words) }
                }
                @if let Some(hint) = hint { p.hint id=(format!("{name}-hint")) { (hint.is(self.language())) } }
            }
        }
    }

    /// What is wrong with a field.
    pub(crate) fn words(&self, name: &str) -> Option<&'a str> {
        self.refused.filter(|refused| refused.wrong.field == name).map(|refused| refused.wrong.words.as_str())
    }

    fn invalid(&self, name: &str) -> Option<&'static str> {
        self.words(name).map(|_| "true")
    }

    fn described(&self, name: &str, hint: Option<Text>) -> Option<String> {
        let wrong = self.words(name).map(|_| format!("{name}-wrong"));
        let hint = hint.map(|_| format!("{name}-hint"));
        let both: Vec<String> = wrong.into_iter().chain(hint).collect();
        (!both.is_empty()).then(|| both.join(" "))
    }
}

/// What was typed into a field that may stay empty.
pub(crate) fn optional(fields: &Fields, name: &str) -> Option<String> {
    Some(fields.get(name).trim().to_owned()).filter(|typed| !typed.is_empty())
}

/// A whole number that was typed.
///
/// # Errors
/// At the field, in words.
pub(crate) fn whole<T: std::str::FromStr>(
    fields: &Fields,
    name: &str,
    language: Language,
) -> Result<T, Wrong> {
    let number = fields.get(name).trim().parse();
    number.map_err(|_| Wrong::at(name, text::WHY_NUMBER.is(language)))
}

/// An address with what it is about after the `?`.
pub(crate) fn about(path: &str, name: &str, value: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
    format!("{path}?{query}")
}
