//! The order of a list (DIR-5).

use ipc::SortKey;

use crate::contact::Contact;
use crate::fold::fold_into;

/// What to compare so that contacts come in this order: folded, so that "Élodie" stands by "Elodie".
///
/// A person without the wanted part of the name sorts under the part that shows instead; contacts
/// without company, office, department or title come after all that have one.
pub(crate) fn sort_text(contact: &Contact, sort: SortKey) -> String {
    let Contact { last_name, first_name, company, office, department, title, phone, .. } = contact;
    let head = match sort {
        SortKey::LastName => return joined(&[last_name, first_name, company, phone]),
        SortKey::FirstName => return joined(&[first_name, last_name, company, phone]),
        SortKey::Company => company,
        SortKey::Office => office,
        SortKey::Department => department,
        SortKey::Title => title,
    };
    let tail = joined(&[last_name, first_name, company, phone]);
    if head.is_empty() { format!("\u{2}{tail}") } else { format!("\u{1}{}\u{1}{tail}", joined(&[head])) }
}

/// The parts that are there, folded. U+0001 stands before every printed character, so a shorter first
/// part comes first.
fn joined(parts: &[&String]) -> String {
    let mut text = String::new();
    for part in parts.iter().filter(|part| !part.is_empty()) {
        if !text.is_empty() {
            text.push('\u{1}');
        }
        fold_into(&mut text, part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(first: &str, last: &str, company: &str) -> Contact {
        Contact {
            first_name: first.into(),
            last_name: last.into(),
            company: company.into(),
            ..Contact::default()
        }
    }

    fn sorted(mut contacts: Vec<Contact>, sort: SortKey) -> Vec<String> {
        contacts.sort_by_cached_key(|contact| sort_text(contact, sort));
        contacts.iter().map(Contact::display_name).collect()
    }

    #[test]
    fn names_sort_without_case_and_accents() {
        let contacts = vec![
            person("zoé", "Arnaud", ""),
            person("Élodie", "Martin", ""),
            person("Elodie", "Blanc", ""),
            person("", "", "Facteur SA"),
            person("Anne-Marie", "Zola", ""),
            person("Anne", "Zola", ""),
        ];
        assert_eq!(
            sorted(contacts.clone(), SortKey::FirstName),
            ["Anne Zola", "Anne-Marie Zola", "Elodie Blanc", "Élodie Martin", "Facteur SA", "zoé Arnaud"]
        );
        assert_eq!(
            sorted(contacts, SortKey::LastName),
            ["zoé Arnaud", "Elodie Blanc", "Facteur SA", "Élodie Martin", "Anne Zola", "Anne-Marie Zola"]
        );
    }

    #[test]
    fn contacts_without_company_come_last() {
        let contacts = vec![person("Anne", "", ""), person("Zoé", "", "Zeta"), person("Yves", "", "Alpha")];
        assert_eq!(sorted(contacts, SortKey::Company), ["Yves", "Zoé", "Anne"]);
    }
}
