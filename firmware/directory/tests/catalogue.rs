//! Lists, search and numbers over a whole catalogue (CALL-5, DIR-5, DIR-6).
#![allow(clippy::unwrap_used, reason = "tests")]

use directory::{Catalogue, CatalogueError, Contact, Directory, Entry, Field, MatchRule, NumberPlan, fold};
use ipc::{ContactId, ContactQuery, DirectoryId, SortKey};
use proptest::prelude::*;

const STAFF: DirectoryId = DirectoryId(1);
const CLIENTS: DirectoryId = DirectoryId(2);

fn empty() -> Catalogue {
    let mut catalogue = Catalogue::new(NumberPlan::default());
    for (id, name, local) in [(STAFF, "Staff", true), (CLIENTS, "Clients", false)] {
        let line = local.then(|| "5550100".to_owned());
        catalogue.set_directory(Directory {
            id,
            name: name.into(),
            local,
            line,
            note: String::new(),
            look: Default::default(),
            source: None,
        });
    }
    catalogue
}

fn entry(id: u64, directory: DirectoryId, fields: &[(Field, &str)]) -> Entry {
    let mut contact = Contact::default();
    for (field, text) in fields {
        (*text).clone_into(contact.text_mut(*field));
    }
    Entry { id: ContactId(id), directory, contact }
}

fn person(id: u64, directory: DirectoryId, first: &str, last: &str, phone: &str) -> Entry {
    entry(id, directory, &[(Field::FirstName, first), (Field::LastName, last), (Field::Phone, phone)])
}

fn query(directory: Option<DirectoryId>, text: &str) -> ContactQuery {
    ContactQuery { directory, text: text.into(), sort: SortKey::FirstName, offset: 0, limit: 500 }
}

fn found(catalogue: &mut Catalogue, text: &str) -> Vec<u64> {
    let page = catalogue.page(&query(None, text));
    assert_eq!(page.total as usize, page.rows.len());
    page.rows.iter().map(|row| row.id.0).collect()
}

#[test]
fn dir_6_search_ignores_case_accents_and_the_order_of_words() {
    let mut catalogue = empty();
    let mut eloise = person(1, STAFF, "Éloïse", "Dupré-Martin", "2110");
    eloise.contact.email = "e.dupre@example.com".into();
    eloise.contact.department = "Œuvres sociales".into();
    catalogue.upsert(eloise).unwrap();
    catalogue.upsert(person(2, STAFF, "Jørgen", "Straße", "2111")).unwrap();
    for text in [
        "elo",
        "ÉLOÏSE",
        "martin eloise",
        "upre",
        "@example",
        "DUPRE@EX",
        "oeuvres",
        "dupré œuv 2110",
        "-mar",
    ] {
        assert_eq!(found(&mut catalogue, text), [1], "{text}");
    }
    assert_eq!(found(&mut catalogue, "jorgen strasse"), [2]);
    assert_eq!(found(&mut catalogue, "eloise strasse"), [0_u64; 0]);
    assert_eq!(found(&mut catalogue, "  "), [1, 2]);
    assert_eq!(found(&mut catalogue, "e"), [1, 2]);
}

#[test]
fn dir_6_digits_find_numbers_however_written() {
    let mut catalogue = empty();
    catalogue.upsert(person(1, CLIENTS, "A", "", "+33 (0)1 45-67.89 10")).unwrap();
    catalogue.upsert(person(2, CLIENTS, "B", "", "0145678911")).unwrap();
    catalogue.upsert(person(3, CLIENTS, "C", "", "+44 20 7946 0000")).unwrap();
    for (text, ids) in [
        ("0145678910", vec![1]),
        ("01 45 67 89", vec![1, 2]),
        ("+3314567", vec![1, 2]),
        ("0033145678911", vec![2]),
        ("33145", vec![1, 2]),
        ("01.45.67.89.10", vec![1]),
        ("567891", vec![1, 2]),
        ("+4420", vec![3]),
        ("0044 20 79", vec![3]),
        ("7946", vec![3]),
        ("+45", vec![]),
    ] {
        assert_eq!(found(&mut catalogue, text), ids, "{text}");
    }
}

#[test]
fn dir_6_best_matches_come_first() {
    let mut catalogue = empty();
    let titled = |id, title: &str| entry(id, STAFF, &[(Field::FirstName, "Zoé"), (Field::Title, title)]);
    catalogue.upsert(person(1, STAFF, "Anne", "Lamarche", "1")).unwrap();
    catalogue.upsert(titled(2, "Marketing")).unwrap();
    catalogue.upsert(person(3, STAFF, "Bob", "Martin", "2")).unwrap();
    catalogue.upsert(titled(4, "Chief Mar officer")).unwrap();
    catalogue.upsert(person(5, STAFF, "Mar", "Vidal", "3")).unwrap();
    catalogue.upsert(titled(6, "Demarcation")).unwrap();
    catalogue.upsert(person(7, STAFF, "Ada", "Martin", "4")).unwrap();
    assert_eq!(found(&mut catalogue, "mar"), [5, 4, 7, 3, 2, 1, 6]);
}

#[test]
fn dir_6_initials_and_slips_of_the_finger_find_people_below_the_exact_matches() {
    let mut catalogue = empty();
    catalogue.upsert(person(1, STAFF, "Jean-Marc", "Dupré", "1")).unwrap();
    catalogue.upsert(person(2, STAFF, "Ingrid", "Solberg", "2")).unwrap();
    catalogue.upsert(person(3, STAFF, "Ann", "Dupres", "3")).unwrap();
    catalogue.upsert(person(4, STAFF, "Jmd", "Whole", "4")).unwrap();
    catalogue.upsert(person(5, STAFF, "Tim", "Solburger", "5")).unwrap();
    catalogue.upsert(entry(6, STAFF, &[(Field::Company, "Ajmdoc")])).unwrap();
    assert_eq!(found(&mut catalogue, "jmd"), [4, 1, 6]);
    assert_eq!(found(&mut catalogue, "solburg"), [5, 2]);
    assert_eq!(found(&mut catalogue, "ingird soblerg"), [2]);
    assert_eq!(found(&mut catalogue, "duprs"), [3, 1]);
    assert_eq!(found(&mut catalogue, "dupr"), [3, 1]);
    assert_eq!(found(&mut catalogue, "sol"), [2, 5]);
    assert_eq!(found(&mut catalogue, "zolberg"), [0_u64; 0]);
    // Where there is plenty, slips would only be in the way.
    for id in 10..30 {
        catalogue.upsert(person(id, STAFF, "Solburg", &format!("{id}"), "")).unwrap();
    }
    assert!(!found(&mut catalogue, "solburg").contains(&2));
}

#[test]
fn a_search_stays_right_while_contacts_change() {
    let mut catalogue = empty();
    let many = (0..1000).map(|n| person(n, STAFF, &format!("Name{n}"), "Common", &format!("{}", 3000 + n)));
    catalogue.upsert_all(many.collect()).unwrap();
    catalogue.prepare();
    assert_eq!(found(&mut catalogue, "name999"), [999]);
    catalogue.upsert(person(999, STAFF, "Renamed", "Common", "1")).unwrap();
    assert_eq!(found(&mut catalogue, "name999"), [0_u64; 0]);
    assert_eq!(found(&mut catalogue, "renamed"), [999]);
    assert!(catalogue.remove(ContactId(999)));
    assert!(!catalogue.remove(ContactId(999)));
    assert_eq!(found(&mut catalogue, "renamed"), [0_u64; 0]);
    catalogue.upsert(person(5000, CLIENTS, "Renamed", "Too", "2")).unwrap();
    assert_eq!(found(&mut catalogue, "renamed"), [5000]);
    catalogue.upsert(person(5000, STAFF, "Renamed", "Too", "2")).unwrap();
    assert_eq!(catalogue.page(&query(Some(CLIENTS), "renamed")).total, 0);
    assert_eq!(catalogue.page(&query(Some(STAFF), "renamed")).total, 1);
    catalogue.replace_all(STAFF, vec![person(1, STAFF, "Only", "One", "1")]).unwrap();
    assert_eq!(found(&mut catalogue, "renamed"), [0_u64; 0]);
    assert_eq!(found(&mut catalogue, ""), [1]);
    assert!(catalogue.remove_directory(STAFF));
    assert!(catalogue.is_empty());
    assert_eq!(catalogue.upsert(person(1, STAFF, "", "", "")), Err(CatalogueError::NoSuchDirectory(STAFF)));
}

#[test]
fn pages_cut_the_list_and_never_exceed_it() {
    let mut catalogue = empty();
    let many = (0..1234).map(|n| person(n, STAFF, &format!("N{n:04}"), "", ""));
    catalogue.upsert_all(many.collect()).unwrap();
    for text in ["", "n"] {
        let mut page = query(Some(STAFF), text);
        (page.offset, page.limit) = (1000, u32::MAX);
        let answer = catalogue.page(&page);
        assert_eq!((answer.total, answer.offset, answer.rows.len()), (1234, 1000, 234));
        assert_eq!(answer.rows[0].id, ContactId(1000));
        (page.offset, page.limit) = (0, u32::MAX);
        assert_eq!(catalogue.page(&page).rows.len(), 500);
        (page.offset, page.limit) = (u32::MAX, 10);
        assert_eq!(catalogue.page(&page).rows, []);
    }
    assert_eq!(catalogue.page(&query(Some(DirectoryId(9)), "")).total, 0);
    assert_eq!(catalogue.page(&query(Some(DirectoryId(9)), "n")).total, 0);
}

#[test]
fn a_page_of_the_longest_texts_fits_a_frame() {
    let mut catalogue = empty();
    let long = "\"é".repeat(500);
    let entries = (0..600).map(|id| {
        let mut contact = Contact::default();
        Field::ALL.into_iter().for_each(|field| contact.text_mut(field).push_str(&long));
        Entry { id: ContactId(id), directory: STAFF, contact }
    });
    catalogue.upsert_all(entries.collect()).unwrap();
    let page = catalogue.page(&query(None, ""));
    assert_eq!(page.rows.len(), 500);
    assert!(ipc::encode(&page, ipc::MAX_FRAME_FROM_DESK).is_ok());
}

#[test]
fn a_catalogue_may_live_on_a_thread_of_its_own() {
    fn may_move<T: Send>(_: &T) {}
    may_move(&empty());
}

#[test]
fn each_change_shows_in_the_generation_of_its_directory_only() {
    let mut catalogue = empty();
    let generations = |catalogue: &Catalogue| {
        catalogue.directories().iter().map(|view| (view.generation, view.contacts)).collect::<Vec<_>>()
    };
    let before = generations(&catalogue);
    catalogue.upsert(person(1, CLIENTS, "A", "", "")).unwrap();
    let after = generations(&catalogue);
    assert_eq!(before[0], after[0]);
    assert!(after[1].0 > before[1].0);
    assert_eq!(after[1].1, 1);
}

#[test]
fn call_5_a_local_match_comes_first_and_the_rule_is_told() {
    let mut catalogue = empty();
    catalogue.upsert(person(1, CLIENTS, "Client", "", "01 45 67 89 10")).unwrap();
    let mobile = [(Field::LastName, "Staff"), (Field::Mobile, "+33 1 45 67 89 10"), (Field::Phone, "2110")];
    catalogue.upsert(entry(2, STAFF, &mobile)).unwrap();
    let matches = catalogue.match_number("0145678910");
    let told: Vec<_> = matches.iter().map(|m| (m.contact.0, m.local, m.field, m.rule)).collect();
    assert_eq!(
        told,
        [(2, true, Field::Mobile, MatchRule::National), (1, false, Field::Phone, MatchRule::Identical)]
    );
    assert_eq!(catalogue.match_number("2110")[0].rule, MatchRule::Extension);
    assert_eq!(catalogue.match_number("8910"), []);
    assert_eq!(catalogue.match_number("anonymous"), []);
    catalogue.remove(ContactId(2));
    assert_eq!(catalogue.match_number("2110"), []);
}

#[test]
fn call_5_making_a_directory_local_or_changing_the_plan_changes_matches() {
    let mut catalogue = empty();
    catalogue.upsert(person(1, CLIENTS, "Client", "", "020 7946 0000")).unwrap();
    assert_eq!(catalogue.match_number("+442079460000"), []);
    catalogue.set_plan(NumberPlan { country: "44".into(), ..NumberPlan::default() });
    assert!(!catalogue.match_number("+442079460000")[0].local);
    let clients = catalogue.directory(CLIENTS).unwrap().clone();
    catalogue.set_directory(Directory { local: true, ..clients });
    assert!(catalogue.match_number("+442079460000")[0].local);
}

#[test]
fn call_5_a_party_is_named_from_the_directory_else_by_the_exchange() {
    let mut catalogue = empty();
    let alice = [
        (Field::FirstName, "Alice"),
        (Field::LastName, "Fournier"),
        (Field::Company, "Acme"),
        (Field::Title, "Director"),
        (Field::Phone, "2110"),
    ];
    catalogue.upsert(entry(1, STAFF, &alice)).unwrap();
    let party = catalogue.party("2110", Some("ext 2110"));
    assert_eq!(party.name.as_deref(), Some("Alice Fournier"));
    assert_eq!(party.title.as_deref(), Some("Director"));
    assert_eq!((party.contact, party.local), (Some(ContactId(1)), true));
    let stranger = catalogue.party("0145000000", Some("Cabinet Roy"));
    assert_eq!((stranger.name.as_deref(), stranger.contact), (Some("Cabinet Roy"), None));
    assert_eq!(catalogue.party("", None).number, None);
    for id in 2..60 {
        let shared =
            [(Field::FirstName, "Someone"), (Field::Company, "Globex"), (Field::Phone, "0145000000")];
        catalogue.upsert(entry(id, CLIENTS, &shared)).unwrap();
    }
    let shared = catalogue.party("+33145000000", None);
    assert_eq!((shared.name.as_deref(), shared.contact), (Some("Globex"), None));
    assert_eq!(catalogue.match_number("+33145000000").len(), 32);
}

#[test]
fn call_5_dir_6_each_of_two_numbers_in_a_field_is_found_and_recognised() {
    let mut catalogue = empty();
    catalogue.upsert(person(1, CLIENTS, "Ann", "", "01 45 67 21 10; 06 12 34 56 78")).unwrap();
    catalogue.upsert(person(2, CLIENTS, "Bo", "", "0145672111 / +33 6 12 34 56 79")).unwrap();
    for (number, id) in [("0145672110", 1), ("+33612345678", 1), ("0145672111", 2), ("0612345679", 2)] {
        assert_eq!(found(&mut catalogue, number), [id], "{number}");
        assert_eq!(catalogue.match_number(number)[0].contact, ContactId(id), "{number}");
    }
    catalogue.remove(ContactId(1));
    assert_eq!(catalogue.match_number("0612345678"), []);
}

#[test]
fn call_5_dir_2_numbers_of_a_connectors_contact_without_a_field_are_found_and_recognised() {
    let mut catalogue = empty();
    let clients = catalogue.directory(CLIENTS).unwrap().clone();
    catalogue.set_directory(Directory { source: Some("org.example.ldap".into()), ..clients.clone() });
    let lines =
        [Contact::number_line("work", "+33 1 45 67 21 10"), Contact::number_line("fax", "0145672199")];
    let note = format!("Comes on Mondays\n{}", lines.join("\n"));
    let ann = [(Field::FirstName, "Ann"), (Field::Phone, "2110"), (Field::Note, note.as_str())];
    catalogue.upsert(entry(1, CLIENTS, &ann)).unwrap();
    let matched = catalogue.match_number("0145672110");
    assert_eq!((matched[0].contact, matched[0].field), (ContactId(1), Field::Note));
    assert_eq!(catalogue.match_number("0145672199"), [], "a fax calls nobody");
    assert_eq!(found(&mut catalogue, "0145672110"), [1]);
    // Of a directory that people write, a note is a note.
    catalogue
        .upsert(entry(2, STAFF, &[(Field::FirstName, "Bo"), (Field::Note, "work: 0145672112")]))
        .unwrap();
    assert_eq!(catalogue.match_number("0145672112"), []);
    catalogue.set_directory(Directory { source: None, ..clients });
    assert_eq!(catalogue.match_number("0145672110"), []);
    catalogue.remove(ContactId(1));
    assert_eq!(catalogue.match_number("2110"), []);
}

/// What DIR-6 says, word by word and without any index.
fn matches_plainly(contact: &Contact, text: &str) -> bool {
    let fields: Vec<String> = Field::ALL.iter().map(|&field| fold(contact.text(field))).collect();
    let name = format!("{} {}", fold(&contact.first_name), fold(&contact.last_name));
    let words = name.split(|c: char| !c.is_alphanumeric());
    let initials: String = words.filter_map(|word| word.chars().next()).collect();
    let is_initials = |word: &str| (2..=4).contains(&initials.chars().count()) && word == initials;
    fold(text)
        .split_whitespace()
        .all(|word| is_initials(word) || fields.iter().any(|field| field.contains(word)))
}

#[derive(Clone, Debug)]
enum Step {
    Put(u64, bool, String, String),
    Remove(u64),
    Clear(bool),
    Prepare,
    Search(String),
}

fn step() -> impl Strategy<Value = Step> {
    let word = "[abéÉß]{0,4}( [abc]{1,3})?";
    prop_oneof![
        10 => (0..40_u64, any::<bool>(), word, word).prop_map(|(id, local, a, b)| Step::Put(id, local, a, b)),
        3 => (0..40_u64).prop_map(Step::Remove),
        1 => any::<bool>().prop_map(Step::Clear),
        1 => Just(Step::Prepare),
        10 => "[abcéE ]{0,5}".prop_map(Step::Search),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever happened before, a search finds exactly what looking through everything finds.
    #[test]
    fn dir_6_search_equals_looking_through_everything(steps in prop::collection::vec(step(), 1..80), bulk in any::<bool>()) {
        let mut catalogue = empty();
        if bulk {
            // Enough for an index, so that what changes later is found beside it.
            // Some of them are moved and removed by the steps; theirs are the slots that must not be reused yet.
            let many = (20..420_u64).map(|n| person(n, CLIENTS, ["ab", "ba", "éa"][n as usize % 3], "b", ""));
            catalogue.upsert_all(many.collect()).unwrap();
            catalogue.prepare();
        }
        for step in steps {
            match step {
                Step::Put(id, local, first, last) => {
                    let directory = if local { STAFF } else { CLIENTS };
                    catalogue.upsert(person(id, directory, &first, &last, "")).unwrap();
                }
                Step::Remove(id) => drop(catalogue.remove(ContactId(id))),
                Step::Clear(local) => drop(catalogue.clear_directory(if local { STAFF } else { CLIENTS })),
                Step::Prepare => catalogue.prepare(),
                Step::Search(text) => {
                    for directory in [None, Some(STAFF), Some(CLIENTS)] {
                        let page = catalogue.page(&query(directory, &text));
                        let found: Vec<u64> = page.rows.iter().map(|row| row.id.0).collect();
                        let mut expected: Vec<u64> = catalogue
                            .entries()
                            .filter(|entry| directory.is_none_or(|d| d == entry.directory))
                            .filter(|entry| matches_plainly(&entry.contact, &text))
                            .map(|entry| entry.id.0)
                            .collect();
                        expected.sort_unstable();
                        // What has a slip stands below.
                        let (exact, near) = found.split_at(expected.len().min(found.len()));
                        let mut exact = exact.to_vec();
                        exact.sort_unstable();
                        prop_assert_eq!(&exact, &expected, "searching {:?}", text);
                        prop_assert!(near.is_empty() || exact.len() < 12, "{} beside {:?}", near.len(), exact);
                        prop_assert!(near.iter().all(|id| !exact.contains(id)));
                    }
                }
            }
        }
    }

    #[test]
    fn any_search_and_number_is_answered(text in any::<String>(), name in any::<String>()) {
        let mut catalogue = empty();
        catalogue.upsert(person(1, STAFF, &name, &text, &text)).unwrap();
        catalogue.page(&query(None, &text));
        let _ = catalogue.match_number(&text);
    }
}
