//! The whole database as one file: copied, looked at, and put in another's place (APP-2, APP-4).
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use directory::Contact;
use rusqlite::Connection;
use store::{Store, StoreError, check, is_swapped, keep_new, return_old, snapshot, swap_in};

fn person(name: &str) -> Contact {
    Contact { last_name: name.into(), ..Contact::default() }
}

/// A database with one directory and one person of this name.
fn make(path: &Path, name: &str) -> Store {
    let mut store = Store::open(path).unwrap();
    let staff = store.add_directory("Staff", true).unwrap().id;
    store.add_contacts(staff, &[person(name)]).unwrap();
    store
}

fn names(path: &Path) -> Vec<String> {
    let (_, entries) = Store::open(path).unwrap().load_catalogue().unwrap();
    entries.into_iter().map(|entry| entry.contact.last_name.clone()).collect()
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn app_2_a_database_in_use_is_copied_as_it_is_at_one_moment() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("desk.db"), folder.path().join("copy"));
    let mut store = make(&path, "Ada");
    snapshot(&path, &copy).unwrap();
    store.add_directory("Later", false).unwrap();
    let checked = check(&copy).unwrap();
    assert_eq!((checked.contacts, checked.calls), (1, 0));
    let (directories, _) = Store::open(&copy).unwrap().load_catalogue().unwrap();
    assert_eq!(directories.len(), 1);
    let nowhere = Path::new("/nowhere/at/all");
    let refused = snapshot(&path, nowhere).unwrap_err();
    assert!(matches!(&refused, StoreError::Open { path, .. } if path == nowhere), "{refused}");
}

#[test]
fn app_2_a_copy_counts_no_connector_s_directory_as_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("desk.db"), folder.path().join("copy"));
    let mut store = Store::open(&path).unwrap();
    let job = store.begin_copy("org.example.ldap", "People", 7).unwrap();
    store.finish_copy(job).unwrap();
    snapshot(&path, &copy).unwrap();
    assert_eq!(store.sources().unwrap()[0].generation, Some(7));
    assert_eq!(Store::open(&copy).unwrap().sources().unwrap()[0].generation, None);
}

#[test]
fn app_2_what_is_no_whole_database_of_ours_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("desk.db"), folder.path().join("copy"));
    drop(make(&path, "Ada"));
    let refused = |change: &dyn Fn(&Path)| {
        let _ = fs::remove_file(&copy);
        snapshot(&path, &copy).unwrap();
        change(&copy);
        check(&copy).unwrap_err()
    };
    let sql =
        |sql: &'static str| move |path: &Path| Connection::open(path).unwrap().execute_batch(sql).unwrap();
    let found = refused(&|path| fs::write(path, "not a database at all, but long enough to be one").unwrap());
    assert!(matches!(found, StoreError::NotADatabase { .. }), "{found:?}");
    let found = refused(&|path| fs::write(path, "").unwrap());
    assert!(matches!(found, StoreError::Foreign { .. }), "{found:?}");
    let found = refused(&sql("PRAGMA user_version = 99"));
    assert!(matches!(found, StoreError::Newer { found: 99, .. }), "{found:?}");
    let found = refused(&sql("PRAGMA application_id = 7"));
    assert!(matches!(found, StoreError::Foreign { .. }), "{found:?}");
    for more in [
        "CREATE TRIGGER t AFTER INSERT ON call BEGIN DELETE FROM contact; END",
        "CREATE VIEW v AS SELECT 1",
        "CREATE TABLE other (x)",
        "DROP TABLE transfer",
    ] {
        let found = refused(&sql(more));
        assert!(matches!(found, StoreError::Foreign { .. }), "{more}: {found:?}");
    }
    let found = refused(&sql("PRAGMA foreign_keys = off; UPDATE contact SET directory = 99"));
    assert!(matches!(found, StoreError::Corrupt { .. }), "{found:?}");
    let found = refused(&|path| {
        let bytes = fs::read(path).unwrap();
        fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
    });
    assert!(matches!(found, StoreError::Corrupt { .. }), "{found:?}");
}

/// A backup of the first version is brought up to date when it is opened.
#[test]
fn app_2_a_database_of_an_older_version_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    let db = Connection::open(&path).unwrap();
    db.execute_batch(include_str!("../migrations/0001_first.sql")).unwrap();
    db.execute_batch("PRAGMA application_id = 1178882891; PRAGMA user_version = 1").unwrap();
    db.execute_batch("INSERT INTO directory (name, local, line, note) VALUES ('Old', 1, NULL, '')").unwrap();
    drop(db);
    assert_eq!(check(&path).unwrap().schema, 1);
    assert_eq!(Store::open(&path).unwrap().load_catalogue().unwrap().0[0].name, "Old");
    assert!(check(&path).unwrap().schema > 1);
}

/// Stops after each step of putting the new one in place, as a power cut would, and goes on.
#[test]
fn app_4_a_power_cut_while_a_database_is_replaced_leaves_one_of_the_two() {
    for cut in 0..3 {
        let folder = tempfile::tempdir().unwrap();
        let (path, new) = (folder.path().join("desk.db"), folder.path().join("new"));
        drop(make(&new, "New"));
        for more in ["-wal", "-shm"] {
            let _ = fs::remove_file(folder.path().join(format!("new{more}")));
        }
        // Left with what SQLite has not written into the file, as after a power cut.
        let old = make(&path, "Old");
        let kept: Vec<(PathBuf, Vec<u8>)> = ["desk.db", "desk.db-wal"]
            .map(|name| folder.path().join(name))
            .map(|path| (path.clone(), fs::read(&path).unwrap()))
            .into();
        drop(old);
        kept.iter().for_each(|(path, bytes)| fs::write(path, bytes).unwrap());
        assert!(kept[1].1.len() > 1000);
        if cut > 0 {
            fs::rename(folder.path().join("desk.db-wal"), folder.path().join("desk.db.before-wal")).unwrap();
        }
        if cut > 1 {
            fs::rename(&path, folder.path().join("desk.db.before")).unwrap();
        }
        swap_in(&path, &new).unwrap();
        assert!(is_swapped(&path));
        assert_eq!(names(&path), ["New"], "cut {cut}");
        if cut == 1 {
            assert!(return_old(&path).unwrap());
            assert_eq!(names(&path), ["Old"], "what was not in the file yet is there too");
            assert!(!return_old(&path).unwrap());
        } else {
            keep_new(&path).unwrap();
            assert_eq!(names(&path), ["New"]);
        }
        assert!(!is_swapped(&path));
        assert_eq!(files(folder.path()), ["desk.db"]);
    }
}

#[test]
fn app_4_a_power_cut_while_the_old_one_comes_back_is_made_up_for() {
    for cut in 0..2 {
        let folder = tempfile::tempdir().unwrap();
        let (path, new) = (folder.path().join("desk.db"), folder.path().join("new"));
        fs::write(&new, "rubbish").unwrap();
        let old = make(&path, "Old");
        let wal = fs::read(folder.path().join("desk.db-wal")).unwrap();
        let main = fs::read(&path).unwrap();
        drop(old);
        fs::write(&path, main).unwrap();
        fs::write(folder.path().join("desk.db-wal"), wal).unwrap();
        swap_in(&path, &new).unwrap();
        Store::open(&path).unwrap_err();
        if cut == 1 {
            fs::remove_file(&path).unwrap();
            fs::rename(folder.path().join("desk.db.before-wal"), folder.path().join("desk.db-wal")).unwrap();
        }
        assert!(return_old(&path).unwrap());
        assert_eq!(names(&path), ["Old"], "cut {cut}");
    }
}

#[test]
fn app_2_a_box_without_a_database_takes_one_too() {
    let folder = tempfile::tempdir().unwrap();
    let (path, new) = (folder.path().join("desk.db"), folder.path().join("new"));
    drop(make(&new, "New"));
    swap_in(&path, &new).unwrap();
    assert!(!is_swapped(&path));
    assert_eq!(names(&path), ["New"]);
    assert!(!return_old(&path).unwrap());
}

#[test]
fn acc_1_in_a_copy_nobody_is_signed_in() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("desk.db"), folder.path().join("copy"));
    let mut store = Store::open(&path).unwrap();
    let ada = store.add_operator("Ada", ipc::Language::French, "hash", 1).unwrap().id;
    store.sign_in(ada, 2).unwrap();
    snapshot(&path, &copy).unwrap();
    let copied = Store::open(&copy).unwrap();
    assert_eq!((copied.operator_at_desk().unwrap(), copied.operators().unwrap().len()), (None, 1));
    assert!(store.operator_at_desk().unwrap().is_some(), "here she still is");
}
