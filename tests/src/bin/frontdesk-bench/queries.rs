//! What people type into a search bar: a thousand queries out of the contacts themselves, key by key.

use directory::{Contact, fold};
use frontdesk_tests::dice::Dice;

use crate::people::person;

/// Queries typed.
pub(crate) const QUERIES: usize = 1_000;

/// One query for each of [`QUERIES`] people among the first `contacts`, always the same ones.
pub(crate) fn queries(contacts: u32) -> Vec<String> {
    let mut dice = Dice::new(4711);
    (0..QUERIES)
        .map(|_| {
            let number = u32::try_from(dice.below(contacts.into())).expect("below the number of contacts");
            typed(&person(number), &mut dice)
        })
        .collect()
}

/// Each query as it grows under the fingers.
pub(crate) fn keys(queries: &[String]) -> impl Iterator<Item = &str> + Clone {
    queries.iter().flat_map(|query| query.char_indices().map(|(end, key)| &query[..end + key.len_utf8()]))
}

/// Half of all look for a last name; the others for both names, a company, a number, a department, initials,
/// or make a slip. Accents are mostly left out.
fn typed(contact: &Contact, dice: &mut Dice) -> String {
    let Contact { first_name, last_name, company, phone, mobile, department, .. } = contact;
    let start = |text: &str, chars: usize| -> String { text.chars().take(chars).collect() };
    match dice.below(20) {
        0..8 => fold(&start(last_name, dice.pick(&[3, 4, 5, 6, 7]))),
        8..10 => start(last_name, 4),
        10..13 => format!("{} {}", fold(&start(first_name, 3)), fold(&start(last_name, 4))),
        13..15 => fold(&start(company, 6)),
        15 => start(phone, 10),
        16 => start(mobile, 6),
        17 => format!("{} {}", fold(&start(last_name, 4)), fold(&start(department, 4))),
        18 => fold(&format!("{}{}", start(first_name, 1), start(last_name, 1))),
        _ => slip(&fold(last_name)),
    }
}

/// Two letters swapped.
fn slip(word: &str) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    if letters.len() > 3 {
        letters.swap(2, 3);
    }
    letters.into_iter().collect()
}
