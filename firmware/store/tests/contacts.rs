//! Directories, contacts and their files in the store (DIR-1 to DIR-3).
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use directory::{Alerts, Contact, Directory, Entry, Picture};
use ipc::{ContactId, DirectoryId, RowFault};
use store::{PICTURE_SIDE, Store, StoreError};
use tempfile::TempDir;

/// Unix milliseconds.
const NOW: i64 = 1_700_000_000_000;

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

    fn file(&self, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join("contacts.csv");
        fs::write(&path, text).unwrap();
        path
    }

    fn contacts(&self) -> Vec<Entry> {
        self.store.load_catalogue().unwrap().1
    }
}

fn alice() -> Contact {
    Contact {
        first_name: " Alice ".into(),
        last_name: "Fournier".into(),
        note: "two\nlines".into(),
        phone: "2110".into(),
        presence: true,
        alert: Alerts::BUSY.with(Alerts::SOUND),
        picture: Some(face()),
        ..Contact::default()
    }
}

/// A small PNG: it comes back as it went in.
fn face() -> Picture {
    let mut bytes = Vec::new();
    let grey = image::GrayImage::from_pixel(3, 3, image::Luma([90]));
    grey.write_to(&mut std::io::Cursor::new(&mut bytes), image::ImageFormat::Png).unwrap();
    Picture::new(&bytes).unwrap()
}

fn named(name: &str) -> Contact {
    Contact { last_name: name.into(), ..Contact::default() }
}

#[test]
fn dir_1_directories_are_added_changed_cleared_and_removed() {
    let mut desk = Desk::new();
    let staff = desk.store.add_directory(" Staff ", true).unwrap();
    assert_eq!(staff.name, "Staff");
    assert!(matches!(desk.store.add_directory("STAFF", false), Err(StoreError::DirectoryName { .. })));
    assert!(matches!(desk.store.add_directory("  ", false), Err(StoreError::DirectoryName { .. })));
    let clients = desk.store.add_directory("Clients", false).unwrap();
    let changed = Directory {
        name: "Kunden".into(),
        line: Some("5550100".into()),
        note: "Good morning".into(),
        ..clients.clone()
    };
    desk.store.change_directory(&changed).unwrap();
    let taken = Directory { name: "staff".into(), ..changed.clone() };
    assert!(matches!(desk.store.change_directory(&taken), Err(StoreError::DirectoryName { .. })));
    desk.store.add_contacts(staff.id, &[named("A"), named("B")]).unwrap();
    desk.store.add_contacts(clients.id, &[named("C")]).unwrap();
    let mut desk = desk.reopen();
    assert_eq!(desk.store.load_catalogue().unwrap().0, [staff.clone(), changed]);
    desk.store.clear_directory(staff.id, NOW).unwrap();
    desk.store.remove_directory(clients.id, NOW).unwrap();
    assert_eq!(desk.contacts(), []);
    assert!(matches!(desk.store.remove_directory(clients.id, NOW), Err(StoreError::NoSuchDirectory(_))));
    let again = desk.store.add_directory("Clients", false).unwrap();
    assert!(again.id > clients.id, "an identity is never given twice");
}

#[test]
fn dir_2_a_contact_keeps_every_field_and_its_picture() {
    let mut desk = Desk::new();
    let staff = desk.store.add_directory("Staff", true).unwrap().id;
    let added = desk.store.add_contacts(staff, &[alice()]).unwrap();
    let kept = Contact { first_name: "Alice".into(), ..alice() };
    let desk = desk.reopen();
    assert_eq!(desk.contacts(), added);
    assert_eq!(added[0].contact, Contact { picture: None, ..kept.clone() });
    assert_eq!(desk.store.contact(added[0].id).unwrap().unwrap().contact, kept);
    assert_eq!(desk.store.contact(ContactId(u64::MAX)).unwrap(), None);
}

#[test]
fn dir_2_changes_are_all_or_none() {
    let mut desk = Desk::new();
    let staff = desk.store.add_directory("Staff", true).unwrap().id;
    let added = desk.store.add_contacts(staff, &[alice(), named("B")]).unwrap();
    assert!(desk.store.add_contacts(staff, &[named("D"), Contact::default()]).is_err());
    assert!(matches!(
        desk.store.add_contacts(DirectoryId(77), &[named("D")]),
        Err(StoreError::NoSuchDirectory(_))
    ));
    assert_eq!(desk.contacts().len(), 2);
    desk.store.remove_contact(added[0].id, NOW).unwrap();
    assert!(matches!(desk.store.remove_contact(added[0].id, NOW), Err(StoreError::NoSuchContact(_))));
    assert_eq!(desk.contacts().len(), 1);
}

#[test]
fn pre_2_presence_is_on_by_default_in_local_directories_only() {
    let mut desk = Desk::new();
    let file = desk.file("lastname,presence\nSilent,\nOff,no\nOn,yes\n");
    desk.store.import_csv(&file, "Staff", true, NOW).unwrap();
    desk.store.import_csv(&file, "Clients", false, NOW).unwrap();
    let presence: Vec<bool> = desk.contacts().iter().map(|entry| entry.contact.presence).collect();
    assert_eq!(presence, [true, false, true, false, false, false]);
}

#[test]
fn dir_3_import_adds_to_a_directory_and_doubles_nothing() {
    let mut desk = Desk::new();
    let file = desk.file("lastname,phone,colour\nA,1,red\nB,2,red\nA,1,blue\n,,\n");
    let (id, report) = desk.store.import_csv(&file, "Staff", true, NOW).unwrap();
    assert_eq!((report.loaded, report.problems.len()), (2, 1));
    assert_eq!(report.unknown_columns, ["colour"]);
    let file = desk.file("lastname,phone\nB,2\nC,3\n");
    let (again, report) = desk.store.import_csv(&file, "staff", false, NOW).unwrap();
    assert_eq!((again, report.loaded), (id, 1));
    let names: Vec<String> = desk.contacts().iter().map(|entry| entry.contact.last_name.clone()).collect();
    assert_eq!(names, ["A", "B", "C"]);
    assert!(desk.store.load_catalogue().unwrap().0[0].local, "an existing directory stays what it is");
}

#[test]
fn dir_3_export_then_import_gives_the_same_directory() {
    let mut desk = Desk::new();
    let staff = desk.store.add_directory("Staff", true).unwrap().id;
    desk.store.add_contacts(staff, &[alice(), named("Éloïse \"Q\", X")]).unwrap();
    let mut file = Vec::new();
    desk.store.export_csv(staff, &mut file).unwrap();
    let path = desk.file(file);
    let (copy, report) = desk.store.import_csv(&path, "Copy", true, NOW).unwrap();
    assert_eq!((report.loaded, report.problems.len()), (2, 0));
    let of = |id| {
        let entries = desk.contacts().into_iter().filter(move |entry| entry.directory == id);
        entries.map(|entry| desk.store.contact(entry.id).unwrap().unwrap().contact).collect::<Vec<_>>()
    };
    assert_eq!(of(staff), of(copy));
    assert!(of(copy)[0].picture.is_some());
}

#[test]
fn dir_2_dir_3_a_row_with_a_broken_picture_is_a_bad_one_and_a_large_one_is_scaled_once() {
    let mut desk = Desk::new();
    let mut large = Vec::new();
    let teal = image::RgbImage::from_pixel(600, 300, image::Rgb([0, 150, 136]));
    teal.write_to(&mut std::io::Cursor::new(&mut large), image::ImageFormat::Png).unwrap();
    let row = |name: &str, bytes: &[u8]| format!("{name},{}\n", STANDARD.encode(bytes));
    let text = ["lastname,picture\n".to_owned(), row("Whole", &large), row("Cut", &large[..60])].concat();
    let file = desk.file(text);
    let (id, report) = desk.store.import_csv(&file, "Staff", true, NOW).unwrap();
    assert_eq!((report.loaded, report.problems.len(), report.problems[0].line), (1, 1, 3));
    assert!(matches!(report.problems[0].fault, RowFault::PictureBroken { .. }), "{report:?}");
    let whole = desk.contacts()[0].id;
    let picture = desk.store.picture(whole).unwrap().unwrap();
    let seen = image::load_from_memory(picture.bytes()).unwrap();
    assert_eq!((seen.width(), seen.height()), (PICTURE_SIDE, PICTURE_SIDE / 2));
    assert_eq!(desk.store.picture(ContactId(99)).unwrap(), None);
    // The same file again, and what is kept, written out and read in: nothing new.
    assert_eq!(desk.store.import_csv(&file, "Staff", true, NOW).unwrap().1.loaded, 0);
    let mut exported = Vec::new();
    desk.store.export_csv(id, &mut exported).unwrap();
    let file = desk.file(exported);
    assert_eq!(desk.store.import_csv(&file, "Staff", true, NOW).unwrap().1.loaded, 0);
    let broken = Contact { picture: Some(Picture::new(&large[..60]).unwrap()), ..named("C") };
    assert!(matches!(desk.store.add_contacts(id, &[broken]), Err(StoreError::Contact(_))));
}

#[test]
fn dir_3_an_import_that_fails_leaves_nothing() {
    let mut desk = Desk::new();
    let file = desk.file("lastname;phone\nA;1\n");
    let error = desk.store.import_csv(&file, "Staff", true, NOW).unwrap_err().to_string();
    assert!(error.contains("contacts.csv: the columns are separated by semicolons"), "{error}");
    let missing = desk.folder.path().join("missing.csv");
    let error = desk.store.import_csv(&missing, "Staff", true, NOW).unwrap_err().to_string();
    assert!(error.contains("missing.csv: cannot be opened"), "{error}");
    let folder = desk.folder.path().to_owned();
    assert!(matches!(
        desk.store.import_csv(&folder, "Staff", true, NOW),
        Err(StoreError::OpenContacts { .. })
    ));
    assert_eq!(desk.store.load_catalogue().unwrap().0, []);
}
