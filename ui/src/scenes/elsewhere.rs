//! A scene with sources that are asked while somebody types (DIR-7).

use ipc::{FoundPerson, View};

use super::people;

/// The desk with such sources.
#[must_use]
pub fn elsewhere() -> View {
    let mut view = people();
    view.crm.people = true;
    view
}

/// Whom the sources find: those whose name has the words, overlong ones among them.
#[must_use]
pub fn found(text: &str) -> Vec<FoundPerson> {
    let person = |source: &str, name: &str, detail: &str, numbers: &[(&str, &str)]| FoundPerson {
        source: source.into(),
        name: name.into(),
        detail: detail.into(),
        numbers: numbers.iter().map(|(kind, number)| ((*kind).into(), (*number).into())).collect(),
    };
    let group = "Group directory";
    let everybody = [
        person(
            group,
            "Marek Lindqvist",
            "Northwind Nordic · Purchasing · Buyer",
            &[("work", "+46 8 5557 0100"), ("mobile", "+46 70 555 01 02"), ("home", "+46 8 555 77 88")],
        ),
        person(group, "Margaux Lefèvre", "Northwind France · Legal", &[("mobile", "+33 6 12 34 56 78")]),
        person(
            "A directory with a name that is far too long for its place",
            &"Maria del Carmen de los Ángeles ".repeat(6),
            &"Department of endless words ".repeat(7),
            &[("work", "+34 91 555 01 99")],
        ),
        person(group, "Omar Haddad", "", &[]),
    ];
    let text = text.to_lowercase();
    everybody.into_iter().filter(|person| person.name.to_lowercase().contains(&text)).collect()
}
