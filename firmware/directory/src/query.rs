//! What was typed into a search bar, cut into what is looked for.
//!
//! Each word must be found, in any order. A word of digits is also looked for as a number, however the
//! directory writes it. The words "01 45 67" are looked for as words and as the number 014567.

use crate::fold::fold;
use crate::near;
use crate::number::NumberPlan;

/// Most different words that count; more than that nobody types, and each costs time.
const MAX_WORDS: usize = 16;

/// Longest query that counts, in bytes.
const MAX_QUERY_BYTES: usize = 1024;

/// A search, ready to run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query {
    /// Every one of these must be found.
    pub(crate) words: Vec<Word>,
    /// Or this instead of all words: the whole query as one number.
    pub(crate) number: Option<Word>,
}

/// A word: any of these must be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) needles: Vec<Needle>,
}

/// Folded text, not empty and without white space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Needle {
    pub(crate) text: String,
    /// Counts only at the beginning of a chunk.
    pub(crate) at_start: bool,
    /// Counts only at the beginning of a chunk, and may differ from it by one slip ([`crate::near`]).
    pub(crate) near: bool,
}

impl Query {
    /// Reads what was typed. Empty when there is no word in it.
    pub(crate) fn new(text: &str, plan: &NumberPlan) -> Self {
        let folded = fold(clipped(text));
        let mut words: Vec<&str> = Vec::new();
        for word in folded.split_whitespace() {
            if !words.contains(&word) && words.len() < MAX_WORDS {
                words.push(word);
            }
        }
        let all_numbers = words.len() > 1 && folded.split_whitespace().all(is_number);
        let number = all_numbers.then(|| folded.split_whitespace().collect::<String>());
        let number = number.filter(|n| n.bytes().filter(u8::is_ascii_digit).count() >= 3);
        Self {
            number: number.map(|n| number_word(&n, plan)).filter(|word| !word.needles.is_empty()),
            words: words.into_iter().map(|word| Word::new(word, plan)).collect(),
        }
    }

    /// The same search, forgiving a slip in each word; `None` when no word is worth it.
    pub(crate) fn forgiving(&self) -> Option<Self> {
        let mut forgiving = Self { words: self.words.clone(), number: None };
        let mut worth = false;
        for word in &mut forgiving.words {
            let text = word.needles.first().map(|needle| needle.text.clone()).unwrap_or_default();
            if near::is_worth(&text) {
                worth = true;
                word.needles.push(Needle { text, at_start: true, near: true });
            }
        }
        worth.then_some(forgiving)
    }

    /// Nothing is looked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }
}

impl Word {
    /// The word as it was typed, folded; empty for the number of a whole query.
    pub(crate) fn letters(&self) -> &str {
        let typed = self.needles.first().filter(|needle| !needle.at_start);
        typed.map_or("", |needle| &needle.text)
    }

    fn new(text: &str, plan: &NumberPlan) -> Self {
        let mut word = if is_number(text) { number_word(text, plan) } else { Self { needles: Vec::new() } };
        if word.needles.iter().all(|needle| needle.text != text || needle.at_start) {
            word.needles.insert(0, Needle { text: text.to_owned(), at_start: false, near: false });
        }
        word
    }
}

fn number_word(text: &str, plan: &NumberPlan) -> Word {
    let forms = plan.search_forms(text).into_iter();
    Word { needles: forms.map(|(text, at_start)| Needle { text, at_start, near: false }).collect() }
}

/// Digits, perhaps with what people put between them.
fn is_number(word: &str) -> bool {
    word.bytes().any(|b| b.is_ascii_digit())
        && word.bytes().all(|b| b.is_ascii_digit() || b"+()./-*#".contains(&b))
}

fn clipped(text: &str) -> &str {
    let mut end = text.len().min(MAX_QUERY_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needles(text: &str) -> Vec<Vec<String>> {
        let query = Query::new(text, &NumberPlan::default());
        let show = |word: Word| {
            let mark =
                |needle: Needle| if needle.at_start { format!("^{}", needle.text) } else { needle.text };
            word.needles.into_iter().map(mark).collect()
        };
        query.words.into_iter().chain(query.number).map(show).collect()
    }

    #[test]
    fn words_are_folded_and_counted_once() {
        assert_eq!(needles("  Éloïse  DUPRÉ eloise "), [["eloise"], ["dupre"]]);
        assert!(Query::new(" \u{a0}\t ", &NumberPlan::default()).is_empty());
    }

    #[test]
    fn digits_are_also_a_number() {
        assert_eq!(needles("2110"), [["2110"]]);
        assert_eq!(needles("+331"), [["+331", "^331", "^01"]]);
        assert_eq!(needles("0033145"), [["0033145", "^33145", "^0145"]]);
        assert_eq!(needles("33145"), [["33145", "^0145"]]);
        assert_eq!(needles("01.45"), [["01.45", "0145"]]);
        assert_eq!(needles("01 45"), [["01"], ["45"], ["0145"]]);
        assert_eq!(needles("b2 45"), [["b2"], ["45"]]);
    }

    #[test]
    fn an_endless_query_is_cut() {
        let text = (0..100_000).map(|n| format!("é{n} ")).collect::<String>();
        assert_eq!(Query::new(&text, &NumberPlan::default()).words.len(), MAX_WORDS);
    }
}
