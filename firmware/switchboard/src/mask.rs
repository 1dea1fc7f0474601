//! Recordings without names and numbers, for a bug report.
//!
//! Each number, name and free text becomes another one, the same one each time. A number keeps its
//! shape (length, `+`, separators), so that extensions stay extensions, own numbers stay own numbers
//! and rules fire as they did: a masked recording replays to the same states. Digits sent in a call
//! become ones. Everything that is not known to be a word of ours is masked.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::number;

/// Fields with a number in them.
const NUMBERS: &[&str] = &["number", "called_number", "to", "line", "slot", "peer"];
/// Fields with a word of ours in them, and those whose value is the name of a variant.
const WORDS: &[&str] = &[
    "Audio",
    "Command",
    "Input",
    "action",
    "availability",
    "columns",
    "direction",
    "end",
    "kind",
    "language",
    "layout",
    "matched",
    "mode",
    "modes",
    "names",
    "news",
    "pace",
    "page_when",
    "result",
    "ring",
    "service",
    "sort",
    "state",
    "text_size",
    "theme",
    "then",
    "when",
    "who",
    "why",
];

/// What stands for what, through one recording.
#[derive(Debug, Default)]
pub(crate) struct Mask {
    texts: BTreeMap<String, String>,
    /// Cleaned numbers.
    numbers: BTreeMap<String, String>,
    /// How many numbers of a shape were masked.
    shapes: BTreeMap<String, u64>,
}

impl Mask {
    /// The settings, or a line of the recording, masked.
    ///
    /// # Errors
    /// A word of ours that this module does not know.
    pub(crate) fn apply<T: Serialize + DeserializeOwned>(&mut self, of: &T) -> Result<T, serde_json::Error> {
        let mut value = serde_json::to_value(of)?;
        self.walk("", &mut value);
        serde_json::from_value(value)
    }

    fn walk(&mut self, field: &str, value: &mut Value) {
        match value {
            Value::String(_) if WORDS.contains(&field) => {}
            Value::String(text) if field == "digits" => *text = digits(text),
            Value::String(text) if NUMBERS.contains(&field) => *text = self.number(text),
            Value::String(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.walk(field, item)),
            Value::Object(fields) => fields.iter_mut().for_each(|(field, value)| self.walk(field, value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A text without letters of the old one; never a number.
    fn text(&mut self, text: &str) -> String {
        if text.trim().is_empty() {
            return text.to_owned();
        }
        let next = format!("text {}", self.texts.len() + 1);
        self.texts.entry(text.to_owned()).or_insert(next).clone()
    }

    fn number(&mut self, typed: &str) -> String {
        let Ok(clean) = number::clean(typed) else { return self.text(typed) };
        if !clean.contains(':') {
            let mut masked = self.digits_of(&clean).into_bytes().into_iter().filter(u8::is_ascii_digit);
            let digit = |c: char| if c.is_ascii_digit() { masked.next().map_or(c, char::from) } else { c };
            return typed.chars().map(digit).collect();
        }
        let user = number::user(&clean).to_owned();
        let masked = match number::clean(&user) {
            Ok(number) if number == user => self.digits_of(&number),
            _ => self.text(&user).replace(' ', "-"),
        };
        let scheme = if clean.len() > 4 && clean.as_bytes()[3] == b':' { "sip" } else { "sips" };
        format!("{scheme}:{masked}@host.invalid")
    }

    /// Another number of the same shape. As many as there are of a shape, so that none is given twice.
    fn digits_of(&mut self, number: &str) -> String {
        if let Some(masked) = self.numbers.get(number) {
            return masked.clone();
        }
        let shape: String = number.chars().map(|c| if c.is_ascii_digit() { 'd' } else { c }).collect();
        let places = shape.matches('d').count();
        let count = self.shapes.entry(shape.clone()).or_default();
        *count += 1;
        let wrapped = 10u64.checked_pow(u32::try_from(places).unwrap_or(u32::MAX));
        let next = wrapped.map_or(*count, |all| *count % all);
        let mut digits = format!("{next:0places$}").into_bytes().into_iter();
        let masked = shape.chars().map(|c| if c == 'd' { digits.next().map_or('0', char::from) } else { c });
        let masked: String = masked.collect();
        self.numbers.insert(number.to_owned(), masked.clone());
        masked
    }
}

/// As many ones as there were digits; what cannot be sent stays such.
fn digits(typed: &str) -> String {
    number::dtmf(typed).map_or_else(|| "-".to_owned(), |digits| "1".repeat(digits.len()))
}
