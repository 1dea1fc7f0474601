//! Directories that connectors keep (DIR-4).
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use directory::{Alerts, Contact, Entry};
use ipc::{AlertSet, ContactForm, ContactId, DirectoryId, Edit, EditProblem};
use proptest::prelude::*;
use store::{Author, Copied, Store, StoreError};
use tempfile::TempDir;

const LDAP: &str = "org.example.ldap";
const AUTHOR: Author<'_> = Author { name: "Nadia", now: 1_700_000_000_000 };
const DAY: i64 = 24 * 3600 * 1000;

struct Desk {
    folder: TempDir,
    store: Store,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("desk.db")).unwrap();
        Self { folder, store }
    }

    fn reopen(self) -> Self {
        let Self { folder, store } = self;
        drop(store);
        let store = Store::open(folder.path().join("desk.db")).unwrap();
        Self { folder, store }
    }

    /// Copies all of it, two contacts at a time.
    fn copy(&mut self, generation: u64, people: &[(&str, &str)]) -> Copied {
        let mut job = self.store.begin_copy(LDAP, "People", generation).unwrap();
        for part in people.chunks(2) {
            let part = part.iter().map(|(id, name)| ((*id).to_owned(), named(name))).collect();
            self.store.copy_some(&mut job, part).unwrap();
        }
        while self.store.copy_removals(&mut job).unwrap() {}
        self.store.finish_copy(job).unwrap()
    }

    fn entries(&self, id: DirectoryId) -> Vec<Entry> {
        self.store.load_directory(id).unwrap().unwrap().1
    }
}

fn named(name: &str) -> Contact {
    Contact { last_name: name.into(), ..Contact::default() }
}

fn names(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.contact.last_name.as_str()).collect()
}

#[test]
fn dir_4_a_contact_keeps_its_identity_and_its_alerts_as_long_as_its_source_knows_it() {
    let mut desk = Desk::new();
    let first = desk.copy(1, &[("a", "Anna"), ("b", "Ben"), ("c", "Cleo")]);
    assert_eq!((first.added, first.changed, first.removed), (3, 0, 0));
    let home = first.directory.id;
    assert_eq!((first.directory.source.as_deref(), first.directory.local), (Some(LDAP), false));
    let before = desk.entries(home);
    let alerts = AlertSet { ringing: true, ..AlertSet::default() };
    desk.store.edit(&Edit::SetAlerts { contact: before[1].id, alerts }, AUTHOR).unwrap();

    let mut desk = desk.reopen();
    let second = desk.copy(2, &[("b", "Benjamin"), ("c", "Cleo"), ("d", "Dora")]);
    assert_eq!((second.added, second.changed, second.removed), (1, 1, 1));
    let changes = second.changes.unwrap();
    assert_eq!(names(&changes.entries), ["Benjamin", "Dora"]);
    assert_eq!(changes.removed, [before[0].id]);
    let after = desk.entries(home);
    assert_eq!(names(&after), ["Benjamin", "Cleo", "Dora"]);
    assert_eq!((after[0].id, after[1].id), (before[1].id, before[2].id));
    assert_eq!(after[0].contact.alert, Alerts::RINGING);
    let sources = desk.store.sources().unwrap();
    assert_eq!((sources.len(), sources[0].generation, sources[0].directory), (1, Some(2), home));
    assert_eq!(desk.copy(3, &[("b", "Benjamin"), ("c", "Cleo"), ("d", "Dora")]).changed, 0);
}

#[test]
fn an_interrupted_copy_leaves_good_contacts_and_is_known_to_be_none() {
    let mut desk = Desk::new();
    let home = desk.copy(1, &[("a", "Anna"), ("b", "Ben")]).directory.id;
    let mut job = desk.store.begin_copy(LDAP, "People", 2).unwrap();
    desk.store.copy_some(&mut job, vec![("a".into(), named("Anne"))]).unwrap();
    let mut desk = desk.reopen();
    assert_eq!(desk.store.sources().unwrap()[0].generation, Some(1));
    assert_eq!(names(&desk.entries(home)), ["Anne", "Ben"]);
    desk.copy(2, &[("a", "Anne")]);
    assert_eq!(names(&desk.entries(home)), ["Anne"]);
}

#[test]
fn what_cannot_be_kept_is_left_out_and_does_not_cost_the_others() {
    let mut desk = Desk::new();
    let long = "x".repeat(directory::MAX_TEXT_BYTES + 1);
    let copied = desk.copy(1, &[("a", "Anna"), ("b", &long), ("c", "\u{7}"), ("d", "Dora")]);
    assert_eq!((copied.added, copied.left_out), (2, 2));
    // Known to the source, but not to be kept any more: what was known of them stays.
    let copied = desk.copy(2, &[("a", &long), ("d", "Dora")]);
    assert_eq!((copied.changed, copied.removed), (0, 0));
    assert_eq!(names(&desk.entries(copied.directory.id)), ["Anna", "Dora"]);
}

#[test]
fn two_equal_people_are_two_and_one_stays_when_the_other_goes() {
    let mut desk = Desk::new();
    let home = desk.copy(1, &[("a", "Sam"), ("b", "Sam")]).directory.id;
    assert_eq!(desk.entries(home).len(), 2);
    desk.copy(2, &[("b", "Sam")]);
    assert_eq!(desk.entries(home).len(), 1);
}

#[test]
fn dir_4_a_connectors_directory_is_not_edited_by_hand() {
    let mut desk = Desk::new();
    let home = desk.copy(1, &[("a", "Anna")]).directory.id;
    let contact = desk.entries(home)[0].id;
    let form = ContactForm { last_name: "X".into(), ..ContactForm::default() };
    let other = desk.store.add_directory("Own", true).unwrap().id;
    let edits = [
        Edit::AddContact { directory: home, form: Box::new(form.clone()) },
        Edit::ChangeContact { contact, directory: other, form: Box::new(form.clone()), keep_picture: false },
        Edit::RemoveContact { contact },
        Edit::ClearDirectory { directory: home },
        Edit::RemoveDirectory { directory: home },
    ];
    for edit in edits {
        let refused = desk.store.edit(&edit, AUTHOR);
        assert!(
            matches!(refused, Err(StoreError::Edit(EditProblem::KeptByConnector))),
            "{edit:?}: {refused:?}"
        );
    }
    let file = desk.folder.path().join("more.csv");
    std::fs::write(&file, "lastname\nX\n").unwrap();
    let refused = desk.store.import_csv(&file, "people", false, AUTHOR.now);
    assert!(matches!(refused, Err(StoreError::Edit(EditProblem::KeptByConnector))), "{refused:?}");
    let rename = Edit::ChangeDirectory {
        directory: home,
        name: "Colleagues".into(),
        local: true,
        line: None,
        note: String::new(),
    };
    desk.store.edit(&rename, AUTHOR).unwrap();
    let copied = desk.copy(2, &[("a", "Anna"), ("b", "Ben")]);
    assert_eq!((copied.directory.name.as_str(), copied.directory.id), ("Colleagues", home));
    // Of a local directory the phones are watched, unless somebody said otherwise.
    let watched: Vec<bool> = desk.entries(home).iter().map(|entry| entry.contact.presence).collect();
    assert_eq!(watched, [false, true]);
}

#[test]
fn a_connector_that_is_gone_takes_its_directory_with_it_and_may_come_back() {
    let mut desk = Desk::new();
    desk.store.add_directory("people", true).unwrap();
    let copied = desk.copy(1, &[("a", "Anna")]);
    assert_eq!(copied.directory.name, "People (2)");
    let home = copied.directory.id;
    assert_eq!(desk.store.remove_source(LDAP, AUTHOR.now).unwrap(), Some(home));
    assert_eq!(desk.store.remove_source(LDAP, AUTHOR.now).unwrap(), None);
    assert!(desk.store.sources().unwrap().is_empty());
    assert_ne!(desk.copy(1, &[("a", "Anna")]).directory.id, home);
}

#[test]
fn dir_4_ten_2_a_connector_that_is_missing_finds_its_directory_when_it_is_back() {
    let mut desk = Desk::new();
    let home = desk.copy(1, &[("a", "Anna"), ("b", "Ben")]).directory.id;
    let before = desk.entries(home);
    let rename = Edit::ChangeDirectory {
        directory: home,
        name: "Colleagues".into(),
        local: true,
        line: Some("5550100".into()),
        note: "Second floor".into(),
    };
    desk.store.edit(&rename, AUTHOR).unwrap();
    let alerts = AlertSet { ringing: true, ..AlertSet::default() };
    desk.store.edit(&Edit::SetAlerts { contact: before[0].id, alerts }, AUTHOR).unwrap();

    // A restore on another box, where the plugin is not there yet.
    assert_eq!(desk.store.put_source_aside(LDAP, AUTHOR.now).unwrap(), Some(home));
    assert_eq!(desk.store.put_source_aside(LDAP, AUTHOR.now).unwrap(), None);
    assert!(desk.store.sources().unwrap().is_empty() && desk.store.load_directory(home).unwrap().is_none());
    let mut desk = desk.reopen();
    desk.store.tidy_up(AUTHOR.now + 29 * DAY).unwrap();
    // Many removals since are no reason either.
    let other = desk.store.add_directory("Own", true).unwrap().id;
    for _ in 0..25 {
        desk.store.clear_directory(other, AUTHOR.now).unwrap();
    }
    let back = desk.copy(2, &[("a", "Anna"), ("c", "Cleo")]);
    assert_eq!((back.directory.id, back.directory.name.as_str()), (home, "Colleagues"));
    assert_eq!(
        (back.directory.line.as_deref(), back.directory.note.as_str()),
        (Some("5550100"), "Second floor")
    );
    assert_eq!((back.added, back.removed), (1, 1));
    assert_eq!(back.changes, None, "whoever holds it in memory has none of it");
    let after = desk.entries(home);
    assert_eq!(names(&after), ["Anna", "Cleo"]);
    assert_eq!((after[0].id, after[0].contact.alert), (before[0].id, Alerts::RINGING));

    // Not for ever.
    desk.store.put_source_aside(LDAP, AUTHOR.now).unwrap();
    desk.store.tidy_up(AUTHOR.now + 31 * DAY).unwrap();
    assert_ne!(desk.copy(1, &[("a", "Anna")]).directory.id, home);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn after_a_copy_the_directory_is_what_the_source_has(
        rounds in proptest::collection::vec(proptest::collection::btree_map("[a-h]", "[A-C]", 0..8), 1..5)
    ) {
        let mut desk = Desk::new();
        let mut before: BTreeMap<String, ContactId> = BTreeMap::new();
        for (generation, people) in rounds.into_iter().enumerate() {
            // The name begins with the source's identity.
            let people: BTreeMap<String, String> =
                people.into_iter().map(|(id, name)| (id.clone(), id + &name)).collect();
            let list: Vec<(&str, &str)> = people.iter().map(|(id, name)| (id.as_str(), name.as_str())).collect();
            let home = desk.copy(generation as u64, &list).directory.id;
            let entries = desk.entries(home);
            let mut kept = names(&entries);
            kept.sort_unstable();
            prop_assert_eq!(kept, people.values().map(String::as_str).collect::<Vec<_>>());
            let after: BTreeMap<String, ContactId> =
                entries.iter().map(|entry| (entry.contact.last_name[..1].to_owned(), entry.id)).collect();
            for (id, contact) in &after {
                prop_assert!(before.get(id).is_none_or(|earlier| earlier == contact), "{} is another", id);
            }
            before = after;
        }
    }
}
