//! Changes by hand: what is kept, what can be undone, what was changed by whom (DIR-1, DIR-2).
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::PathBuf;

use directory::{Contact, Entry};
use ipc::{
    AlertSet, Column, ContactChangeKind, ContactField, ContactForm, ContactId, DirectoryId, DirectoryLook,
    Edit, EditProblem, Layout, RemovalId, Removed, SortKey,
};
use store::{Author, Edited, Store, StoreError};
use tempfile::TempDir;

/// Unix milliseconds.
const NOW: i64 = 1_700_000_000_000;
const DAY: i64 = 24 * 3600 * 1000;

struct Desk {
    folder: TempDir,
    store: Store,
    now: i64,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("desk.db")).unwrap();
        Self { folder, store, now: NOW }
    }

    fn reopen(self) -> Self {
        let Self { folder, store, now } = self;
        drop(store);
        let store = Store::open(folder.path().join("desk.db")).unwrap();
        Self { folder, store, now }
    }

    fn edit(&mut self, edit: Edit) -> Result<Edited, EditProblem> {
        self.now += 1;
        match self.store.edit(&edit, Author { name: "Front desk", now: self.now }) {
            Ok(edited) => Ok(edited),
            Err(StoreError::Edit(problem)) => Err(problem),
            Err(error) => panic!("{error}"),
        }
    }

    fn directory(&mut self, name: &str, local: bool) -> DirectoryId {
        self.edit(Edit::AddDirectory { name: name.into(), local }).unwrap().directory.unwrap().id
    }

    fn add(&mut self, directory: DirectoryId, form: ContactForm) -> ContactId {
        self.edit(Edit::AddContact { directory, form: Box::new(form) }).unwrap().entries[0].id
    }

    fn contacts(&self) -> Vec<Entry> {
        self.store.load_catalogue().unwrap().1
    }

    fn names(&self) -> Vec<String> {
        self.contacts().iter().map(|entry| entry.contact.display_name()).collect()
    }

    fn history(&self, contact: ContactId) -> Vec<ContactChangeKind> {
        self.store.contact_history(contact).unwrap().into_iter().map(|change| change.what).collect()
    }

    fn file(&self, text: &str) -> PathBuf {
        let path = self.folder.path().join("contacts.csv");
        fs::write(&path, text).unwrap();
        path
    }
}

fn named(first: &str) -> ContactForm {
    ContactForm { first_name: first.into(), phone: "2110".into(), presence: true, ..ContactForm::default() }
}

#[test]
fn dir_2_a_contact_is_added_changed_and_has_a_history() {
    let mut desk = Desk::new();
    let staff = desk.directory("Staff", true);
    let clients = desk.directory("Clients", false);
    let id = desk.add(staff, named(" Alice "));
    let form = ContactForm { title: "Director".into(), ..named("Alice") };
    let change = |directory, form: &ContactForm| Edit::ChangeContact {
        contact: id,
        directory,
        form: Box::new(form.clone()),
        keep_picture: true,
    };
    desk.edit(change(staff, &form)).unwrap();
    desk.edit(change(staff, &form)).unwrap();
    let moved = desk.edit(change(clients, &form)).unwrap();
    assert!(!moved.entries[0].contact.presence, "phones of people outside are not monitored");
    let desk = desk.reopen();
    let card = desk.store.contact_card(id).unwrap().unwrap();
    assert_eq!((card.directory, card.picture), (clients, false));
    assert_eq!(card.form, ContactForm { presence: false, ..form });
    assert_eq!(card.history.iter().map(|change| change.by.as_str()).collect::<Vec<_>>(), ["Front desk"; 3]);
    assert!(card.history.is_sorted_by_key(|change| -change.at_unix_ms), "newest first");
    let [moved, changed, added] = desk.history(id).try_into().unwrap();
    assert_eq!(added, ContactChangeKind::Added);
    assert_eq!(moved, ContactChangeKind::Changed { texts: vec![], otherwise: true });
    let ContactChangeKind::Changed { texts, otherwise: false } = changed else { panic!("{changed:?}") };
    assert_eq!(texts.len(), 1, "a change that changes nothing is none");
    assert_eq!(
        (texts[0].field, texts[0].before.as_str(), texts[0].after.as_str()),
        (ContactField::Title, "", "Director")
    );
    assert_eq!(desk.store.contact_card(ContactId(99)).unwrap(), None);
}

#[test]
fn dir_2_what_cannot_be_kept_is_refused_in_words() {
    let mut desk = Desk::new();
    let (staff, clients) = (desk.directory("Staff", true), desk.directory("Clients", false));
    let id = desk.add(clients, named("Alice"));
    let before = desk.contacts();
    let mut add = |form| desk.edit(Edit::AddContact { directory: staff, form: Box::new(form) }).unwrap_err();
    let nobody = ContactForm { note: "who?".into(), email: "a@b.example".into(), ..ContactForm::default() };
    assert_eq!(add(nobody), EditProblem::EmptyContact);
    assert_eq!(add(ContactForm { phone: " ".into(), ..ContactForm::default() }), EditProblem::EmptyContact);
    let long = ContactForm { note: "x".repeat(70_000), ..named("B") };
    assert_eq!(add(long), EditProblem::TooLong { field: ContactField::Note });
    let control = ContactForm { office: "1\0".into(), ..named("B") };
    assert_eq!(add(control), EditProblem::ControlCharacter { field: ContactField::Office });
    let gone = DirectoryId(99);
    let form = Box::new(named("B"));
    assert_eq!(desk.edit(Edit::AddContact { directory: gone, form }), Err(EditProblem::NoSuchDirectory));
    assert_eq!(desk.edit(Edit::SetPresence { contact: id, on: true }), Err(EditProblem::ExternalPresence));
    let gone = ContactId(99);
    assert_eq!(desk.edit(Edit::RemoveContact { contact: gone }), Err(EditProblem::NoSuchContact));
    let twin = Box::new(ContactForm { presence: false, ..named("Alice") });
    assert_eq!(
        desk.edit(Edit::AddContact { directory: clients, form: twin }),
        Err(EditProblem::AlreadyThere)
    );
    assert_eq!(desk.contacts(), before);
}

#[test]
fn pre_2_pre_7_presence_and_alerts_are_kept() {
    let mut desk = Desk::new();
    let staff = desk.directory("Staff", true);
    let id = desk.add(staff, named("Alice"));
    desk.edit(Edit::SetPresence { contact: id, on: false }).unwrap();
    let alerts = AlertSet { ringing: true, sound: true, once: true, ..AlertSet::default() };
    desk.edit(Edit::SetAlerts { contact: id, alerts }).unwrap();
    let desk = desk.reopen();
    let contact = &desk.contacts()[0].contact;
    assert_eq!((contact.presence, AlertSet::from(contact.alert)), (false, alerts));
}

#[test]
fn dir_1_a_directory_is_renamed_linked_and_looks_as_it_is_told() {
    let mut desk = Desk::new();
    let staff = desk.directory("Staff", true);
    let look = DirectoryLook {
        layout: Layout::List,
        sort: SortKey::Department,
        columns: vec![Column::Phone, Column::Email],
        ..DirectoryLook::default()
    };
    desk.edit(Edit::SetLook { directory: staff, look: look.clone() }).unwrap();
    let change = |name: &str| Edit::ChangeDirectory {
        directory: staff,
        name: name.into(),
        local: true,
        line: Some("5550100".into()),
        note: "Good morning".into(),
    };
    desk.edit(change("Personnel")).unwrap();
    desk.directory("Clients", false);
    assert_eq!(desk.edit(change("clients")), Err(EditProblem::NameTaken));
    assert_eq!(desk.edit(change(" ")), Err(EditProblem::EmptyName));
    assert_eq!(desk.edit(change("a\nb")), Err(EditProblem::BadName));
    let desk = desk.reopen();
    let kept = desk.store.load_catalogue().unwrap().0.remove(0);
    assert_eq!((kept.name.as_str(), kept.line.as_deref(), kept.look), ("Personnel", Some("5550100"), look));
}

#[test]
fn dir_1_a_directory_made_external_monitors_nobody() {
    let mut desk = Desk::new();
    let staff = desk.directory("Staff", true);
    desk.add(staff, named("Alice"));
    let name = "Staff".into();
    let change =
        Edit::ChangeDirectory { directory: staff, name, local: false, line: None, note: String::new() };
    assert_eq!(desk.edit(change).unwrap().reload, [staff]);
    assert!(!desk.contacts()[0].contact.presence);
}

#[test]
fn dir_2_what_was_removed_comes_back() {
    let mut desk = Desk::new();
    let staff = desk.directory("Staff", true);
    let (alice, _) = (desk.add(staff, named("Alice")), desk.add(staff, named("Bob")));
    let before = desk.contacts();
    let removed = desk.edit(Edit::RemoveContact { contact: alice }).unwrap();
    assert_eq!(removed.removed, Some(alice));
    let removal = removed.removal.unwrap();
    assert_eq!(removal.what, Removed::Contact { name: "Alice".into() });
    assert_eq!(desk.names(), ["Bob"]);
    assert_eq!(desk.store.contact(alice).unwrap(), None);
    let mut desk = desk.reopen();
    let undone = desk.edit(Edit::Undo { removal: removal.id }).unwrap();
    assert_eq!((undone.reload, undone.restored), (vec![staff], Some(removal.id)));
    assert_eq!(desk.contacts(), before);
    assert_eq!(desk.edit(Edit::Undo { removal: removal.id }), Err(EditProblem::NothingToUndo));
    let kinds = [ContactChangeKind::Restored, ContactChangeKind::Removed, ContactChangeKind::Added];
    assert_eq!(desk.history(alice), kinds);
}

#[test]
fn dir_1_a_directory_removed_or_cleared_comes_back_under_a_free_name() {
    let mut desk = Desk::new();
    let staff = desk.directory("Staff", true);
    for name in ["Alice", "Bob", "Carol"] {
        desk.add(staff, named(name));
    }
    let before = desk.contacts();
    let cleared = desk.edit(Edit::ClearDirectory { directory: staff }).unwrap().removal.unwrap();
    assert_eq!(cleared.what, Removed::Contacts { count: 3, directory: "Staff".into() });
    assert_eq!(desk.names(), Vec::<String>::new());
    desk.edit(Edit::Undo { removal: cleared.id }).unwrap();
    assert_eq!(desk.contacts(), before);
    let removed = desk.edit(Edit::RemoveDirectory { directory: staff }).unwrap().removal.unwrap();
    assert_eq!(desk.store.load_directory(staff).unwrap(), None);
    desk.directory("Staff", false);
    assert_eq!(desk.edit(Edit::Undo { removal: removed.id }).unwrap().reload, [staff]);
    assert_eq!(desk.contacts(), before);
    let directories = desk.store.load_catalogue().unwrap().0;
    let names: Vec<&str> = directories.iter().map(|directory| directory.name.as_str()).collect();
    assert_eq!(names, ["Staff (2)", "Staff"]);
}

#[test]
fn a_contact_whose_directory_is_gone_does_not_come_back_alone() {
    let mut desk = Desk::new();
    let staff = desk.directory("Staff", true);
    let alice = desk.add(staff, named("Alice"));
    let contact = desk.edit(Edit::RemoveContact { contact: alice }).unwrap().removal.unwrap().id;
    let directory = desk.edit(Edit::RemoveDirectory { directory: staff }).unwrap().removal.unwrap().id;
    assert_eq!(desk.edit(Edit::Undo { removal: contact }), Err(EditProblem::NothingToUndo));
    desk.edit(Edit::Undo { removal: directory }).unwrap();
    desk.edit(Edit::Undo { removal: contact }).unwrap();
    assert_eq!(desk.names(), ["Alice"]);
}

#[test]
fn what_was_removed_long_ago_is_forgotten() {
    let mut desk = Desk::new();
    let staff = desk.directory("Staff", true);
    let mut ids: Vec<ContactId> = (0..25).map(|n| desk.add(staff, named(&format!("N{n}")))).collect();
    let mut remove = |desk: &mut Desk| {
        let contact = ids.pop().unwrap();
        desk.edit(Edit::RemoveContact { contact }).unwrap().removal.unwrap().id
    };
    let first = remove(&mut desk);
    desk.now += DAY + 2;
    let second = remove(&mut desk);
    assert_eq!(desk.edit(Edit::Undo { removal: first }), Err(EditProblem::NothingToUndo));
    for _ in 0..21 {
        remove(&mut desk);
    }
    assert_eq!(desk.edit(Edit::Undo { removal: second }), Err(EditProblem::NothingToUndo), "too many since");
    assert_eq!(desk.edit(Edit::Undo { removal: RemovalId(-1) }), Err(EditProblem::NothingToUndo));
}

#[test]
fn dir_3_an_import_is_seen_at_its_end_or_never() {
    let mut desk = Desk::new();
    let staff = desk.directory("Staff", true);
    desk.add(staff, named("Alice"));
    let rows: String = (0..5_000).map(|n| format!("N{n},{n}\n")).collect();
    let file = desk.file(&format!("lastname,phone\n{rows}"));
    let mut job = desk.store.begin_import(&file, "Staff", true, NOW).unwrap();
    assert!(desk.store.import_some(&mut job).unwrap(), "there is more");
    let progress = job.progress();
    assert!(
        progress.contacts > 0 && progress.bytes > 0 && progress.bytes <= progress.of_bytes,
        "{progress:?}"
    );
    assert_eq!(desk.names(), ["Alice"]);
    // Something else is done meanwhile.
    desk.add(staff, named("Bob"));
    desk.store.give_up_import(&job).unwrap();
    assert_eq!(desk.names(), ["Alice", "Bob"]);
    let mut job = desk.store.begin_import(&file, "New", true, NOW).unwrap();
    assert!(desk.store.import_some(&mut job).unwrap());
    // A power cut.
    drop(job);
    let mut desk = desk.reopen();
    desk.store.tidy_up(NOW).unwrap();
    assert_eq!(desk.names(), ["Alice", "Bob"]);
    assert_eq!(desk.store.directories().unwrap().len(), 1, "nor is the directory made for it");
    let (_, report) = desk.store.import_csv(&file, "Staff", true, NOW).unwrap();
    assert_eq!((report.loaded, desk.contacts().len()), (5_000, 5_002));
}

#[test]
fn app_4_an_import_that_the_disk_has_no_room_for_is_refused_before_it_begins() {
    let mut desk = Desk::new();
    let file = desk.file("lastname\nAlice\n");
    // A hole: 8 TiB to read, and nothing on the disk.
    fs::File::options().write(true).open(&file).unwrap().set_len(1 << 43).unwrap();
    assert!(matches!(desk.store.import_csv(&file, "New", true, NOW), Err(StoreError::Full { .. })));
    assert_eq!(desk.store.directories().unwrap(), []);
}

#[test]
fn dir_3_a_file_that_is_none_makes_no_directory() {
    let mut desk = Desk::new();
    let file = desk.file("what is this");
    assert!(matches!(desk.store.import_csv(&file, "New", true, NOW), Err(StoreError::Import { .. })));
    assert_eq!(desk.store.load_catalogue().unwrap().0, []);
}

#[test]
fn dir_3_formulas_leave_as_text_and_come_back() {
    let mut desk = Desk::new();
    let staff = desk.directory("Staff", true);
    let form = ContactForm { last_name: "=1+1".into(), phone: "+33 1".into(), ..named("@x") };
    desk.add(staff, form);
    let mut bytes = Vec::new();
    assert_eq!(desk.store.export_csv(staff, &mut bytes).unwrap(), 1);
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.contains("\n'=1+1,'@x,") && text.contains(",+33 1,"), "{text}");
    let file = desk.file(&text);
    let (copy, _) = desk.store.import_csv(&file, "Copy", true, NOW).unwrap();
    let of = |id| -> Vec<Contact> {
        desk.contacts().into_iter().filter(|entry| entry.directory == id).map(|entry| entry.contact).collect()
    };
    assert_eq!(of(copy), of(staff));
}
