//! The second tier of the search: a word with one slip of the finger (DIR-6).
//!
//! One letter wrong, missing, too many, or two swapped; the first letter is taken to be right, which
//! people nearly always get, and which leaves a twentieth of the index to look at. Not done here: when the
//! second tier is asked at all ([`crate::catalogue`]).

/// Shortest word that is looked for with a slip: in shorter ones everything is near everything.
const MIN_CHARS: usize = 4;

/// Whether a folded word is looked for with a slip.
pub(crate) fn is_worth(word: &str) -> bool {
    word.chars().count() >= MIN_CHARS && word.chars().all(char::is_alphabetic)
}

/// Whether `text` begins with `word` but for one slip: `Some(true)` when that is all of `text`.
pub(crate) fn begins(text: &str, word: &str) -> Option<bool> {
    let same = text.char_indices().zip(word.chars()).find(|((_, a), b)| a != b).map_or_else(
        // One is the beginning of the other.
        || text.len().min(word.len()),
        |((at, _), _)| at,
    );
    if same == 0 {
        return None;
    }
    let (text, word) = (&text[same..], &word[same..]);
    let (mut text_chars, mut word_chars) = (text.chars(), word.chars());
    let (t, w) = (text_chars.next(), word_chars.next());
    let (after_t, after_w) = (text_chars.as_str(), word_chars.as_str());
    let Some(w) = w else { return Some(text.chars().count() <= 1) };
    let swapped = || {
        let t = t.filter(|t| after_w.strip_prefix(*t).is_some())?;
        let rest = after_t.strip_prefix(w)?;
        rest.strip_prefix(after_w.strip_prefix(t)?)
    };
    let wrong = || t.and_then(|_| after_t.strip_prefix(after_w));
    let missing = || t.and_then(|_| after_t.strip_prefix(word));
    let too_many = || text.strip_prefix(after_w);
    let rest =
        [wrong(), swapped(), missing(), too_many()].into_iter().flatten().min_by_key(|rest| rest.len());
    rest.map(str::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_slip_is_forgiven_and_two_are_not() {
        for (text, word, found) in [
            ("solberg", "solburg", Some(true)),
            ("solberg", "slberg", Some(true)),
            ("solberg", "soolberg", Some(true)),
            ("solberg", "sobler", Some(false)),
            ("solberg", "sobrel", None),
            ("solberg", "soblerg", Some(true)),
            ("solberg", "solbrg", Some(true)),
            ("solberg", "solbu", Some(false)),
            ("solberg", "solberg", Some(true)),
            ("solberg", "solbergs", Some(true)),
            ("solberg", "zolberg", None),
            ("solberg", "sulburg", None),
            ("eloise", "eliose", Some(true)),
            ("éé", "éa", Some(true)),
            ("", "abcd", None),
        ] {
            assert_eq!(begins(text, word), found, "{text} and {word}");
        }
    }

    /// Optimal string alignment distance.
    fn distance(one: &[char], other: &[char]) -> usize {
        let mut rows = vec![vec![0; other.len() + 1]; one.len() + 1];
        for i in 0..=one.len() {
            for j in 0..=other.len() {
                rows[i][j] = if i == 0 || j == 0 {
                    i + j
                } else {
                    let wrong = usize::from(one[i - 1] != other[j - 1]);
                    let plain = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + wrong);
                    let swap = i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1];
                    if swap { plain.min(rows[i - 2][j - 2] + 1) } else { plain }
                };
            }
        }
        rows[one.len()][other.len()]
    }

    proptest! {
        #[test]
        fn it_is_the_distance_of_a_beginning(text in "[abé]{1,7}", word in "[abé]{1,7}") {
            let (t, w): (Vec<char>, Vec<char>) = (text.chars().collect(), word.chars().collect());
            let some = (0..=t.len()).any(|end| distance(&t[..end], &w) <= 1);
            let expected = (t[0] == w[0] && some).then(|| distance(&t, &w) <= 1);
            prop_assert_eq!(begins(&text, &word), expected, "{:?} {:?}", text, word);
        }
    }
}
