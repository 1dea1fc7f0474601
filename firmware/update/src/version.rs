//! Which of two versions is newer: for bundles from a stick, where nobody is there to say so, and for who is to be warned.
//! Pure.
//!
//! A version is numbers with dots between them, compared as numbers, where a number that is missing is 0: 0.10 is newer
//! than 0.9, and 1 is 1.0. What follows a hyphen is a release before that version: 1.0-rc.2 is newer than 1.0-rc.1 and older
//! than 1.0. What follows a plus says how it was built, and counts for nothing: two builds of one version are the same
//! version. So Semantic Versioning 2.0.0, section 11, with any number of numbers. Everything else cannot be compared.

use std::cmp::Ordering;

/// The longest version that is read, in bytes.
const LONGEST: usize = 128;

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    // Numbers go before words (section 11.4.3), which is what the order of the variants says.
    Number(u64),
    Word(String),
}

#[derive(Debug)]
struct Version {
    /// Without zeros at the end.
    numbers: Vec<u64>,
    /// Of a release before the version; empty for the version itself.
    before: Vec<Part>,
}

/// How `one` stands to `other`; `None` where one of them cannot be compared.
pub(crate) fn compare(one: &str, other: &str) -> Option<Ordering> {
    let (one, other) = (read(one)?, read(other)?);
    let releases = match (one.before.is_empty(), other.before.is_empty()) {
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        _ => one.before.cmp(&other.before),
    };
    Some(one.numbers.cmp(&other.numbers).then(releases))
}

fn read(text: &str) -> Option<Version> {
    let text = Some(text.trim()).filter(|text| text.len() <= LONGEST)?;
    let text = text.split_once('+').map_or(text, |(version, _)| version);
    let (numbers, before) =
        text.split_once('-').map_or((text, None), |(version, rest)| (version, Some(rest)));
    let mut numbers: Vec<u64> = numbers.split('.').map(number).collect::<Option<_>>()?;
    while numbers.last() == Some(&0) {
        numbers.pop();
    }
    let before = before.map_or(Some(Vec::new()), |before| before.split('.').map(part).collect())?;
    Some(Version { numbers, before })
}

fn part(text: &str) -> Option<Part> {
    let is_word = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    match number(text) {
        Some(number) => Some(Part::Number(number)),
        None => is_word.then(|| Part::Word(text.to_owned())),
    }
}

/// Digits only: a sign is none.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn app_3_versions_are_compared_as_numbers_and_releases_before_one_are_older() {
        // Each newer than the one before.
        let rising = [
            "0.0.9",
            "0.1.0-alpha",
            "0.1.0-alpha.1",
            "0.1.0-alpha.beta",
            "0.1.0-rc.2",
            "0.1.0-rc.11",
            "0.1.0",
            "0.1.0.1",
            "0.2",
            "0.10.0",
            "1.0-1",
            "1.0-x",
            "1",
            "2026.11.27",
            "18446744073709551615",
        ];
        for (i, one) in rising.iter().enumerate() {
            for (j, other) in rising.iter().enumerate() {
                assert_eq!(compare(one, other), Some(i.cmp(&j)), "{one} and {other}");
            }
        }
    }

    #[test]
    fn app_3_two_builds_of_one_version_are_the_same_version() {
        for (one, other) in
            [("1", "1.0.0"), ("0.1.0+abc123", "0.1.0+def.changed"), (" 2\n", "2"), ("0", "0.0")]
        {
            assert_eq!(compare(one, other), Some(Ordering::Equal), "{one} and {other}");
        }
    }

    #[test]
    fn app_3_what_is_no_version_is_neither_newer_nor_older() {
        let long = "1".repeat(LONGEST + 1);
        for wrong in [
            "", " ", "v2", "two", "1..2", ".1", "1.", "+1", "-1", "1.-1", "1-", "1-a..b", "1-é", "1,2", &long,
        ] {
            assert_eq!(compare(wrong, "1"), None, "{wrong}");
            assert_eq!(compare("1", wrong), None, "{wrong}");
        }
        assert_eq!(compare("18446744073709551616", "1"), None, "larger than can be kept");
    }
}
