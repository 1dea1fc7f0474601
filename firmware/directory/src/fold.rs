//! Makes text comparable: case, accents and ligatures do not count (DIR-6).
//!
//! Not a collation: words sort by their folded characters, which is right for French and English
//! and close for others.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The text in lower case, without accents, ligatures written out, "Œuvre Straße" as "oeuvre strasse".
///
/// Folding twice changes nothing more.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold_into(&mut folded, text);
    folded
}

/// Appends the folded text. White space of any kind becomes one plain space each.
pub(crate) fn fold_into(out: &mut String, text: &str) {
    if text.is_ascii() {
        out.extend(text.bytes().map(|b| fold_space(char::from(b.to_ascii_lowercase()))));
        return;
    }
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)) {
        for lower in c.to_lowercase() {
            push_plain(out, lower);
        }
    }
}

/// Letters that no decomposition takes apart.
fn push_plain(out: &mut String, c: char) {
    match c {
        'ß' => out.push_str("ss"),
        'æ' => out.push_str("ae"),
        'œ' => out.push_str("oe"),
        'þ' => out.push_str("th"),
        'ø' => out.push('o'),
        'ł' => out.push('l'),
        'đ' | 'ð' => out.push('d'),
        'ħ' => out.push('h'),
        'ı' => out.push('i'),
        'ŧ' => out.push('t'),
        'ŋ' => out.push('n'),
        '’' | 'ʼ' | '‘' => out.push('\''),
        '‐' | '‑' | '–' | '—' => out.push('-'),
        'ς' => out.push('σ'),
        // Lower-casing "İ" leaves a dot above.
        c if is_combining_mark(c) => {}
        c => out.push(fold_space(c)),
    }
}

fn fold_space(c: char) -> char {
    if c.is_whitespace() { ' ' } else { c }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn case_accents_and_ligatures_fold() {
        for (text, folded) in [
            ("Éloïse DUPRÉ", "eloise dupre"),
            ("Straße", "strasse"),
            ("Jørgen Łukasz", "jorgen lukasz"),
            ("Œuvre, Cæsar", "oeuvre, caesar"),
            ("İstanbul, ısı", "istanbul, isi"),
            ("ﬁn Ｆｕｌｌ", "fin full"),
            ("L’Hôpital", "l'hopital"),
            ("a\u{a0}b\tc", "a b c"),
            ("Ωμέγας", "ωμεγασ"),
            ("Юлия Йод", "юлия иод"),
        ] {
            assert_eq!(fold(text), folded);
        }
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in any::<String>()) {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }
    }
}
