//! The list in `docs/requirements.md` and the tests that name its lines.
//!
//! A test shows a requirement when its name begins with the id in small letters and underscores:
//! `call_9_a_call_dragged_onto_a_contact_is_transferred`. Several ids may follow each other:
//! `call_1_call_3_…`.

use std::collections::BTreeSet;
use std::fs;

use crate::repository;

/// A line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// For example `CALL-9`.
    pub id: String,
    /// What it says.
    pub text: String,
}

/// The whole list, in its order.
///
/// # Panics
/// When the file cannot be read, is empty, or has an id twice.
#[must_use]
#[track_caller]
pub fn list() -> Vec<Requirement> {
    let path = repository::root().join("docs/requirements.md");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let list = parse(&text);
    assert!(!list.is_empty(), "{} has no requirement", path.display());
    let ids: BTreeSet<&str> = list.iter().map(|line| line.id.as_str()).collect();
    assert_eq!(ids.len(), list.len(), "{} has an id twice", path.display());
    list
}

fn parse(text: &str) -> Vec<Requirement> {
    let rows = text.lines().filter_map(|line| {
        let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
        let (id, text) = (cells.next()?, cells.next()?);
        is_id(id).then(|| Requirement { id: id.to_owned(), text: text.to_owned() })
    });
    rows.collect()
}

/// The ids that a test's name claims to show, in capitals, whether or not they are on the list.
/// The name may stand in a path (`e2e_call::call_9_…`).
#[must_use]
pub fn claimed(test: &str) -> Vec<String> {
    let name = test.rsplit("::").next().unwrap_or(test);
    let words: Vec<&str> = name.split('_').collect();
    let pairs = words.chunks_exact(2).map(|pair| format!("{}-{}", pair[0].to_ascii_uppercase(), pair[1]));
    pairs.take_while(|id| is_id(id)).collect()
}

/// Two to four capitals, a dash, a number: `CALL-9`.
fn is_id(word: &str) -> bool {
    word.split_once('-').is_some_and(|(area, number)| {
        (2..=4).contains(&area.len())
            && area.bytes().all(|byte| byte.is_ascii_uppercase())
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_table_become_requirements_and_headings_do_not() {
        let list = parse("# Title\n| id | requirement |\n|---|---|\n| CALL-9 | Drag. |\n| x | y |\n");
        assert_eq!(list, [Requirement { id: "CALL-9".into(), text: "Drag.".into() }]);
    }

    #[test]
    fn a_name_claims_the_ids_it_begins_with() {
        assert_eq!(claimed("e2e::call_9_a_drag_of_7_steps"), ["CALL-9"]);
        assert_eq!(claimed("call_9_call_13_log_1_the_whole"), ["CALL-9", "CALL-13", "LOG-1"]);
        assert_eq!(claimed("pbx_77_rings"), ["PBX-77"]);
        assert!(claimed("rubbish_is_answered").is_empty());
        assert!(claimed("waits_2_seconds").is_empty());
    }
}
