//! The three directories of the demo and their CSV form (DIR-3).

use std::io;

use serde::Serialize;

use super::names::{ANYWHERE, COMPANY_HEADS, COMPANY_TAILS, DEPARTMENTS, TITLES, native};
use super::phones::{COUNTRIES, Country, as_dialled_in_france, mobile, office};
use crate::random::Dice;

/// The first monitored extension.
pub const FIRST_EXTENSION: u16 = 2101;
/// How many monitored extensions there are.
pub const EXTENSIONS: u16 = 40;

const STAFF: usize = 428;
const CUSTOMERS: usize = 600;
const SUPPLIERS: usize = 120;
/// The people are the same for every seed of the calls.
const SEED: u64 = 2024;

/// One directory of the demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Directory {
    /// The company's own people, the monitored extensions first.
    Staff,
    /// Those who call.
    Customers,
    /// Those who are called.
    Suppliers,
}

/// One row of a directory, in the columns of DIR-3.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the columns of DIR-3, named as there")]
pub struct Person {
    pub lastname: String,
    pub firstname: String,
    pub company: String,
    pub office: String,
    pub department: String,
    pub title: String,
    pub note: String,
    pub phone: String,
    pub mobile: String,
    pub home: String,
    pub voicemail: String,
    pub email: String,
    pub xmpp: String,
    pub calendar: String,
    pub web: String,
    pub presence: String,
    pub alert: String,
    pub picturetype: String,
    pub picture: String,
}

impl Person {
    /// First name, then last name.
    pub fn name(&self) -> String {
        format!("{} {}", self.firstname, self.lastname)
    }

    /// The phone as the public network carries it: `+` and digits, or the extension.
    pub fn number(&self) -> String {
        let digits: String = self.phone.chars().filter(char::is_ascii_digit).collect();
        match (self.phone.starts_with('+'), digits.strip_prefix("00"), digits.strip_prefix('0')) {
            (true, _, _) => format!("+{digits}"),
            (false, Some(international), _) => format!("+{international}"),
            (false, None, Some(national)) => format!("+33{national}"),
            (false, None, None) => digits,
        }
    }
}

/// Everybody in a directory, the same at every call.
pub fn people(directory: Directory) -> Vec<Person> {
    match directory {
        Directory::Staff => staff(),
        Directory::Customers => customers(),
        Directory::Suppliers => suppliers(),
    }
}

/// Writes a directory as CSV with the header of DIR-3.
///
/// # Errors
/// Whatever the writer says.
pub fn write_csv(directory: Directory, writer: impl io::Write) -> Result<(), csv::Error> {
    let mut csv = csv::Writer::from_writer(writer);
    for person in people(directory) {
        csv.serialize(person)?;
    }
    csv.flush()?;
    Ok(())
}

/// Extension order: first name, last name, title, department, office.
const MONITORED: [(&str, &str, &str, &str, &str); EXTENSIONS as usize] = [
    ("Alice", "Fournier", "Office manager", "Office", "HQ 1F"),
    ("Ben", "Whitaker", "Finance", "Finance", "HQ 2F"),
    ("Chiara", "Romano", "Legal counsel", "Legal", ""),
    ("David", "Moreau", "Purchasing", "Purchasing", ""),
    ("Emma", "Schneider", "People & culture", "People & culture", ""),
    ("Farid", "Haddad", "IT service desk", "IT", ""),
    ("Marie", "Laurent", "Head of procurement", "Purchasing", "Northwind HQ"),
    ("Grace", "Kim", "Product", "Product", "Lab"),
    ("Hugo", "Almeida", "Logistics", "Logistics", "Dock"),
    ("Ingrid", "Solberg", "CEO office", "Management", ""),
    ("Jonas", "Becker", "Facilities", "Facilities", ""),
    ("Khadija", "Benali", "Customer care", "Customer care", ""),
    ("Lou", "Castellan", "Sales", "Sales", "HQ 1F"),
    ("Tomás", "Rivera", "Sales engineer", "Sales", "HQ 1F"),
    ("Maja", "Lindgren", "Controller", "Finance", "HQ 2F"),
    ("Nikos", "Stavrou", "Field service", "Service", "Dock"),
    ("Oona", "Virtanen", "Industrial designer", "Design", "Lab"),
    ("Pedro", "Carvalho", "Payroll", "People & culture", "HQ 1F"),
    ("Quynh", "Tran", "Test engineer", "Quality", "Lab"),
    ("Rosalind", "Okoye", "Head of marketing", "Marketing", "HQ 3F"),
    ("Samir", "Belkacem", "Network engineer", "IT", "HQ 4F"),
    ("Tilda", "Jansson", "Export", "Logistics", "Dock"),
    ("Ulrich", "Müller", "Production planning", "Assembly", "Plant A"),
    ("Valérie", "Dupré", "Press office", "Marketing", "HQ 3F"),
    ("William", "Abbott", "Warranty", "Customer care", "HQ GF"),
    ("Xenia", "Papadaki", "Data protection", "Legal", "HQ 2F"),
    ("Yann", "Le Goff", "Workshop", "Maintenance", "Plant B"),
    ("Zeynep", "Arslan", "Translation", "Marketing", "HQ 3F"),
    ("Adèle", "Berthier", "Nurse", "Health", "HQ GF"),
    ("Bogdan", "Petrescu", "Goods in", "Warehouse", "Dock"),
    ("Clara", "Vestergaard", "Key accounts", "Sales", "HQ 1F"),
    ("Dario", "Conti", "Tooling", "Assembly", "Plant A"),
    ("Élise", "Rochat", "Accounts payable", "Finance", "HQ 2F"),
    ("Fergus", "McAllister", "Security", "Facilities", "Gate"),
    ("Greta", "Haugen", "Training", "People & culture", "HQ 1F"),
    ("Hamza", "Tazi", "Software", "Software", "HQ 4F"),
    ("Iris", "Verhoeven", "Tenders", "Sales", "HQ 1F"),
    ("Jakub", "Dvořák", "Firmware", "Software", "HQ 4F"),
    ("Keiko", "Tanabe", "Patents", "Legal", "HQ 2F"),
    ("Léa", "Marchetti", "Travel desk", "Office", "HQ 1F"),
];

fn staff() -> Vec<Person> {
    let mut dice = Dice::new(SEED, "staff");
    (0..STAFF)
        .map(|index| {
            let extension = usize::from(FIRST_EXTENSION) + index;
            let monitored = MONITORED.get(index).copied();
            let (first, last, title, department, office) = monitored.unwrap_or_else(|| {
                let (first, last) = name(&mut dice, Country::France);
                let (department, office) = dice.pick(DEPARTMENTS);
                (first, last, department, department, office)
            });
            Person {
                lastname: last.into(),
                firstname: first.into(),
                company: "Northwind".into(),
                office: office.into(),
                department: department.into(),
                title: title.into(),
                phone: extension.to_string(),
                mobile: mobile(Country::France, index).unwrap_or_default(),
                voicemail: format!("*{extension}"),
                email: email(first, last, extension.to_string().as_str(), "northwind"),
                presence: if monitored.is_some() { "yes" } else { "no" }.into(),
                ..Person::default()
            }
        })
        .collect()
}

fn customers() -> Vec<Person> {
    let known = [
        (
            "Helena",
            "Brandt",
            "Brandt Feinmechanik",
            "+49 30 5557 0142",
            "Prefers to be called back after 14:00",
        ),
        ("Nadia", "Okafor", "Thameside Prints", "+44 20 7946 0991", ""),
    ];
    let mut all: Vec<Person> = known
        .into_iter()
        .map(|(first, last, company, phone, note)| Person {
            lastname: last.into(),
            firstname: first.into(),
            company: company.into(),
            title: "Director".into(),
            note: note.into(),
            phone: phone.into(),
            email: email(first, last, "", company),
            presence: "no".into(),
            ..Person::default()
        })
        .collect();
    all.extend(outsiders("customers", CUSTOMERS - all.len(), 0));
    all
}

fn suppliers() -> Vec<Person> {
    // Numbers further up in the same ranges than those of the customers.
    outsiders("suppliers", SUPPLIERS, 300)
}

/// People of other companies, spread over all countries; numbers start at `first` in each country's range.
fn outsiders(purpose: &str, count: usize, first: usize) -> Vec<Person> {
    let mut dice = Dice::new(SEED, purpose);
    (0..count)
        .map(|index| {
            let country = COUNTRIES[index % COUNTRIES.len()];
            let serial = first + index / COUNTRIES.len();
            let (first, last) = name(&mut dice, country);
            let company = format!("{} {}", dice.pick(COMPANY_HEADS), dice.pick(COMPANY_TAILS));
            let phone = office(country, serial);
            let written_locally = dice.percent(30);
            let has_mobile = dice.percent(60);
            Person {
                lastname: last.into(),
                firstname: first.into(),
                email: email(first, last, "", &company),
                web: format!("https://www.{}.example/", slug(&company)),
                title: dice.pick(TITLES).into(),
                phone: if written_locally { as_dialled_in_france(&phone) } else { phone },
                mobile: mobile(country, 500 + serial).filter(|_| has_mobile).unwrap_or_default(),
                presence: "no".into(),
                company,
                ..Person::default()
            }
        })
        .collect()
}

fn name(dice: &mut Dice, country: Country) -> (&'static str, &'static str) {
    let first = if dice.percent(25) { ANYWHERE } else { native(country) };
    let last = if dice.percent(30) { ANYWHERE } else { native(country) };
    (dice.pick(first.first), dice.pick(last.last))
}

fn email(first: &str, last: &str, serial: &str, company: &str) -> String {
    let monitored = MONITORED.iter().any(|&(f, l, ..)| f == first && l == last);
    let serial = if monitored { "" } else { serial };
    format!("{}.{}{serial}@{}.example", slug(first), slug(last), slug(company))
}

/// Lower case ASCII letters of a name, accents dropped.
fn slug(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' => out.push(c),
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => out.push('a'),
            'ç' | 'č' | 'ć' => out.push('c'),
            'è' | 'é' | 'ê' | 'ë' | 'ệ' => out.push('e'),
            'ì' | 'í' | 'î' | 'ï' | 'ı' => out.push('i'),
            'ł' => out.push('l'),
            'ñ' | 'ń' => out.push('n'),
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' => out.push('o'),
            'ř' => out.push('r'),
            'ş' | 'š' => out.push('s'),
            'ß' => out.push_str("ss"),
            'ù' | 'ú' | 'û' | 'ü' => out.push('u'),
            'ý' => out.push('y'),
            'ž' => out.push('z'),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_monitored_extensions_come_first() {
        let staff = people(Directory::Staff);
        assert_eq!(staff.len(), 428);
        let row =
            |index: usize| (staff[index].name(), staff[index].phone.as_str(), staff[index].presence.as_str());
        assert_eq!(row(0), ("Alice Fournier".into(), "2101", "yes"));
        assert_eq!(row(6), ("Marie Laurent".into(), "2107", "yes"));
        assert_eq!(row(9), ("Ingrid Solberg".into(), "2110", "yes"));
        assert_eq!(row(39).1, "2140");
        assert_eq!(row(40).2, "no");
        assert_eq!(staff[6].voicemail, "*2107", "as the exchange numbers its mailboxes");
    }

    #[test]
    fn numbers_and_addresses_are_nobody_elses() {
        for directory in [Directory::Staff, Directory::Customers, Directory::Suppliers] {
            let people = people(directory);
            let numbers: BTreeSet<String> = people.iter().map(Person::number).collect();
            assert_eq!(numbers.len(), people.len(), "{directory:?}");
            for person in &people {
                assert!(person.email.is_ascii() && person.email.ends_with(".example"), "{}", person.email);
            }
        }
        let both: BTreeSet<String> = [Directory::Customers, Directory::Suppliers]
            .into_iter()
            .flat_map(people)
            .map(|person| person.number())
            .collect();
        assert_eq!(both.len(), CUSTOMERS + SUPPLIERS);
    }

    #[test]
    fn numbers_are_the_same_however_the_directory_writes_them() {
        let number = |phone: &str| Person { phone: phone.into(), ..Person::default() }.number();
        assert_eq!(number("+33 1 99 00 12 34"), "+33199001234");
        assert_eq!(number("01 99 00 12 34"), "+33199001234");
        assert_eq!(number("00 49 30 23125 100"), "+493023125100");
        assert_eq!(number("2101"), "2101");
    }

    #[test]
    fn csv_has_the_columns_of_dir_3_and_every_row() {
        let mut bytes = Vec::new();
        write_csv(Directory::Customers, &mut bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let header = "lastname,firstname,company,office,department,title,note,phone,mobile,home,voicemail,email,xmpp,\
                      calendar,web,presence,alert,picturetype,picture";
        assert_eq!(text.lines().next().unwrap(), header);
        assert_eq!(text.lines().count(), 1 + CUSTOMERS);
        assert!(text.contains("Brandt,Helena"));
        let written = text.lines().filter(|line| line.contains(",00 ")).count();
        assert!(written > 50, "numbers come in several writings: {written}");
    }

    #[test]
    fn the_desk_loads_every_row_and_knows_every_caller() {
        use directory::{Catalogue, Entry, NumberPlan};
        use ipc::{ContactId, DirectoryId};
        let mut entries = Vec::new();
        for directory in [Directory::Staff, Directory::Customers, Directory::Suppliers] {
            let mut bytes = Vec::new();
            write_csv(directory, &mut bytes).unwrap();
            let before = entries.len();
            let report = directory::csv::import(bytes.as_slice(), false, |contact| {
                let id = ContactId(entries.len() as u64 + 1);
                entries.push(Entry { id, directory: DirectoryId(1), contact });
                directory::csv::Verdict::Taken
            })
            .unwrap();
            assert!(report.problems.is_empty() && report.unknown_columns.is_empty(), "{report:?}");
            assert_eq!(entries.len() - before, people(directory).len());
        }
        let mut catalogue = Catalogue::new(NumberPlan::default());
        catalogue.set_directory(directory::Directory {
            id: DirectoryId(1),
            name: "All".into(),
            local: false,
            line: None,
            note: String::new(),
            look: Default::default(),
            source: None,
        });
        catalogue.replace_all(DirectoryId(1), entries).unwrap();
        for person in people(Directory::Customers).iter().chain(&people(Directory::Suppliers)) {
            let matches = catalogue.match_number(&person.number());
            let known = matches.first().and_then(|found| catalogue.get(found.contact));
            assert_eq!(
                known.map(|entry| entry.contact.display_name()),
                Some(person.name()),
                "{}",
                person.phone
            );
        }
    }
}
