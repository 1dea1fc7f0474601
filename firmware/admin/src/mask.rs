//! Names and numbers struck out of what goes to support, the same one by the same stand-in each time.
//!
//! What is told as JSON keeps its words of ours and loses every other text; in lines of the log everything in
//! quotation marks goes, every address, every text that was struck out elsewhere, and every number of four digits
//! or more that is no part of a longer word. Rather too much than too little.

use std::collections::HashMap;

use serde_json::Value;

/// Fields whose texts are words of ours, or tell nothing of a person.
const PLAIN: &[&str] = &[
    "action",
    "availability",
    "columns",
    "direction",
    "end",
    "kind",
    "language",
    "layout",
    "level",
    "matched",
    "mode",
    "mode_by_hand",
    "modes",
    "open",
    "registration",
    "result",
    "ring",
    "rule",
    "service",
    "sort",
    "srtp",
    "state",
    "theme",
    "then",
    "transport",
    "when",
];

/// Most texts remembered.
const MAX_TEXTS: usize = 20_000;

/// What stands for what.
#[derive(Debug, Default)]
pub(crate) struct Mask {
    texts: HashMap<String, String>,
    /// Those that are looked for in lines, by their first word: a line is read once however many there are.
    by_word: HashMap<String, Vec<String>>,
}

impl Mask {
    /// Strikes out texts in a JSON value.
    pub(crate) fn value(&mut self, value: &mut Value) {
        self.walk("", value);
    }

    fn walk(&mut self, field: &str, value: &mut Value) {
        match value {
            Value::String(_) if PLAIN.contains(&field) => {}
            Value::String(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.walk(field, item)),
            Value::Object(fields) => fields.iter_mut().for_each(|(field, value)| self.walk(field, value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// The stand-in of a text: a number keeps its length and shape.
    pub(crate) fn text(&mut self, text: &str) -> String {
        if text.trim().is_empty() {
            return text.to_owned();
        }
        if let Some(known) = self.texts.get(text) {
            return known.clone();
        }
        let is_number = text.chars().any(|c| c.is_ascii_digit())
            && text.chars().all(|c| c.is_ascii_digit() || " +()./-*#".contains(c));
        let stand_in = if is_number {
            text.chars().map(|c| if c.is_ascii_digit() { '#' } else { c }).collect()
        } else {
            format!("text {}", self.texts.len() + 1)
        };
        if self.texts.len() < MAX_TEXTS {
            self.texts.insert(text.to_owned(), stand_in.clone());
            let end = text.find(|c: char| !c.is_alphanumeric()).unwrap_or(text.len());
            if text.len() >= 4 && end > 0 {
                self.by_word.entry(text[..end].to_owned()).or_default().push(text.to_owned());
            }
        }
        stand_in
    }

    /// Strikes out of a line of the log; its first two words, the time and the level, stay.
    pub(crate) fn line(&mut self, line: &str) -> String {
        let begin = line.match_indices(' ').find(|(at, _)| line[..*at].contains(':')).map_or(0, |(at, _)| at);
        let (head, rest) = line.split_at(begin);
        let rest = self.quoted(rest);
        let rest = self.known(&rest);
        format!("{head}{}", digits(&addresses(&rest)))
    }

    /// What stands in quotation marks, which is where our log has what others said.
    fn quoted(&mut self, text: &str) -> String {
        let mut told = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('"') {
            told.push_str(before);
            let end = end_of_quote(after);
            let inside = &after[..end];
            told.push('"');
            told.push_str(&self.text(inside));
            told.push('"');
            rest = after.get(end + 1..).unwrap_or_default();
        }
        told.push_str(rest);
        told
    }

    /// Texts that were struck out elsewhere, where they are long enough to be nothing else.
    fn known(&self, text: &str) -> String {
        let mut told = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(char::is_alphanumeric) {
            told.push_str(&rest[..at]);
            rest = &rest[at..];
            let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
            let candidates = self.by_word.get(&rest[..end]).map_or(&[][..], Vec::as_slice);
            let ends =
                |known: &&String| rest[known.len()..].chars().next().is_none_or(|c| !c.is_alphanumeric());
            // A name before the part of it that is one of its own.
            let fits = candidates.iter().filter(|known| rest.starts_with(known.as_str())).filter(ends);
            let longest = fits.max_by_key(|known| known.len());
            match longest.and_then(|known| Some((known, self.stand_in(known)?))) {
                Some((known, stand_in)) => {
                    told.push_str(stand_in);
                    rest = &rest[known.len()..];
                }
                None => {
                    told.push_str(&rest[..end]);
                    rest = &rest[end..];
                }
            }
        }
        told.push_str(rest);
        told
    }

    fn stand_in(&self, known: &str) -> Option<&str> {
        self.texts.get(known).map(String::as_str)
    }
}

fn end_of_quote(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' if !escaped => return at,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

/// What stands before the `@` of an address.
fn addresses(text: &str) -> String {
    let is_user = |c: char| c.is_alphanumeric() || "+-_.!~*'()%".contains(c);
    let mut told = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('@') {
        told.push_str(before.trim_end_matches(is_user));
        told.push_str(if before.ends_with(is_user) { "***@" } else { "@" });
        rest = after;
    }
    told.push_str(rest);
    told
}

/// Numbers of four digits or more that stand alone: no part of an address, a port, a time or a word.
fn digits(text: &str) -> String {
    let belongs = |c: char| c.is_alphanumeric() || ".:_/".contains(c);
    let mut told = String::with_capacity(text.len());
    let mut word = String::new();
    let flush = |word: &mut String, told: &mut String| {
        let count = word.chars().filter(char::is_ascii_digit).count();
        let is_number = word.chars().all(|c| c.is_ascii_digit());
        if is_number && count >= 4 {
            told.extend(std::iter::repeat_n('#', count));
        } else {
            told.push_str(word);
        }
        word.clear();
    };
    for c in text.chars() {
        if belongs(c) {
            word.push(c);
        } else {
            flush(&mut word, &mut told);
            told.push(c);
        }
    }
    flush(&mut word, &mut told);
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn app_2_names_and_numbers_are_struck_out_of_json() {
        let mut value = serde_json::json!({
            "name": "Ada Lovelace", "number": "+41 79 123 45 67", "state": "talking", "count": 3, "none": null,
            "parties": [{ "name": "Ada Lovelace" }, { "name": "Bob" }],
        });
        Mask::default().value(&mut value);
        let text = value.to_string();
        assert!(!text.contains("Ada") && !text.contains("Bob") && !text.contains("123"), "{text}");
        assert_eq!(value["number"], "+## ## ### ## ##");
        assert_eq!(value["state"], "talking");
        assert_eq!(value["name"], value["parties"][0]["name"], "the same one each time");
    }

    #[test]
    fn app_2_known_names_are_found_whole_and_the_longest_first() {
        let mut mask = Mask::default();
        for name in ["Marie", "Marie Curie", "Ève-Anne Ó Briain", "Al"] {
            mask.text(name);
        }
        assert_eq!(
            mask.line("t:1 INFO x: Marie Curie, Marie; Mariette, Ève-Anne Ó Briain Al"),
            "t:1 INFO x: text 2, text 1; Mariette, text 3 Al"
        );
        assert_eq!(mask.line(""), "");
        assert_eq!(mask.line("Marie"), "text 1");
    }

    #[test]
    fn app_2_names_and_numbers_are_struck_out_of_lines_and_what_helps_stays() {
        let mut mask = Mask::default();
        mask.text("Marguerite Dupont");
        let line = "2026-11-26T10:00:00.123456Z  INFO frontdeskd::engine: incoming call call=7 from=\"0791234567\" \
                    to=\"5550100\" code=404";
        let told = mask.line(line);
        assert!(told.starts_with(
            "2026-11-26T10:00:00.123456Z  INFO frontdeskd::engine: incoming call call=7 from=\""
        ));
        assert!(
            !told.contains("0791234567") && !told.contains("5550100") && told.ends_with("code=404"),
            "{told}"
        );
        let told = mask
            .line("t:1 WARN x: Marguerite Dupont at 192.168.1.20:5060, sip:2101@pbx.example, 2102, 12 ms");
        assert!(!told.contains("Marguerite") && !told.contains("2101") && !told.contains("2102"), "{told}");
        assert!(told.contains("192.168.1.20:5060") && told.contains("12 ms"), "{told}");
        let told = mask.line("t:1 ERROR x: name=\"O\\\"Neil\" and \"unclosed Smith");
        assert!(!told.contains("Neil") && !told.contains("Smith"), "{told}");
    }
}
