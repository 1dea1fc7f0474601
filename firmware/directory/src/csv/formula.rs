//! Cells that a spreadsheet would take for a formula.
//!
//! A contact named `=HYPERLINK(…)` must stay a text when the file is opened in a spreadsheet. The way all of them
//! know is an apostrophe in front (OWASP, "CSV Injection"); it is taken away again on import, so that a
//! directory comes back as it went out. A text that has such apostrophes of its own gets one more.

use std::borrow::Cow;

use crate::contact::Field;

/// What a formula begins with.
const BEGINNINGS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// The text as a cell that no spreadsheet computes.
pub(super) fn harmless(field: Field, text: &str) -> Cow<'_, str> {
    let is_plain_number = field.is_number() && text.chars().all(is_of_a_number);
    if is_formula(text) && !is_plain_number { format!("'{text}").into() } else { text.into() }
}

/// The text of such a cell.
pub(super) fn restored(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|_| is_formula(cell)).unwrap_or(cell)
}

/// Begins like a formula, perhaps behind apostrophes.
fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(BEGINNINGS)
}

/// `+33 (0)1-23.45` cannot do harm, and other programs read it.
fn is_of_a_number(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '+' | ' ' | '(' | ')' | '-' | '.' | '/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_becomes_a_text_and_comes_back() {
        for text in ["=1+1", "@SUM(A1)", "-x", "+cmd|' /C calc'!A0", "'=1", "''=1", "\t=1"] {
            let cell = harmless(Field::LastName, text);
            assert_eq!(cell, format!("'{text}"));
            assert_eq!(restored(&cell), text);
        }
    }

    #[test]
    fn what_is_no_formula_stays() {
        for text in ["", "O'Neill", "'t Hooft", "a=b", "d'=", "33 1"] {
            assert_eq!(harmless(Field::LastName, text), text);
            assert_eq!(restored(text), text);
        }
    }

    #[test]
    fn a_plain_telephone_number_stays_and_a_formula_among_them_does_not() {
        assert_eq!(harmless(Field::Phone, "+33 (0)1-23.45"), "+33 (0)1-23.45");
        assert_eq!(harmless(Field::Title, "+33"), "'+33");
        assert_eq!(harmless(Field::Phone, "+A1"), "'+A1");
        assert_eq!(restored("+33"), "+33");
    }
}
