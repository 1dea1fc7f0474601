//! Invented contacts, the same in every run.

use directory::Contact;
use frontdesk_tests::dice::Dice;

const FIRST: &[&str] = &[
    "Alice", "Aiko", "Amélie", "Ben", "Chiara", "David", "Emma", "Farid", "Grace", "Hugo", "Ingrid", "Jonas",
    "Khadija", "Léa", "Łukasz", "Marie", "Noor", "Olga", "Paul", "Quentin", "Rosa", "Søren", "Tomás", "Zoë",
];
const START: &[&str] =
    &["Al", "Ber", "Cas", "Du", "Fer", "Gar", "Hol", "Mar", "Ne", "Pe", "Ro", "Schu", "Vil"];
const MIDDLE: &[&str] = &["ber", "ca", "den", "li", "man", "no", "ri", "ta", "ve", "wal"];
const END: &[&str] = &["di", "ez", "ger", "lund", "mann", "nier", "rot", "sen", "ska", "tin", "va"];
const TRADE: &[&str] =
    &["Logistics", "Optics", "Catering", "Métal", "Insurance", "Druck", "Textiles", "Énergie"];
const WORK: &[&str] =
    &["Purchasing", "Sales", "Legal", "Qualité", "Marketing", "Support", "Buchhaltung", "Field service"];

/// A person who differs with `number`.
pub(crate) fn person(number: u32) -> Contact {
    let mut dice = Dice::new(u64::from(number) + 1);
    let first = dice.pick(FIRST);
    let last = format!("{}{}{}", dice.pick(START), dice.pick(MIDDLE), dice.pick(END));
    let company = format!("{}{} {}", dice.pick(START), dice.pick(END), dice.pick(TRADE));
    let domain = directory::fold(&company).replace(' ', "-");
    Contact {
        first_name: first.to_owned(),
        email: format!("{}.{}{number}@{domain}.example", directory::fold(first), directory::fold(&last)),
        last_name: last,
        company,
        office: format!("{}.{:02}", dice.below(9), dice.below(60)),
        department: dice.pick(WORK).to_owned(),
        title: dice.pick(WORK).to_owned(),
        phone: format!("+33 {} {:02} {:06}", 1 + dice.below(5), dice.below(100), number),
        mobile: format!("06{:08}", dice.below(100_000_000)),
        ..Contact::default()
    }
}
