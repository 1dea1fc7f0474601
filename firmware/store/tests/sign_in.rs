//! Who is signed in at the desk, and what belongs to whom (ACC-1).
#![allow(clippy::unwrap_used, reason = "tests")]

use ipc::{Language, Note, Preferences, Theme};
use store::{OperatorChange, Store, StoreError};

#[test]
fn acc_1_who_is_signed_in_outlives_a_restart_and_nobody_who_is_gone_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("desk.db");
    let mut store = Store::open(path.clone()).unwrap();
    assert_eq!(store.operator_at_desk().unwrap(), None);
    let ada = store.add_operator("Ada", Language::French, "x", 1).unwrap().id;
    let bob = store.add_operator("Bob", Language::English, "x", 1).unwrap().id;
    store.sign_in(ada, 5).unwrap();
    store.lock_screen(ada, true).unwrap();
    drop(store);

    let mut store = Store::open(path).unwrap();
    let there = store.operator_at_desk().unwrap().unwrap();
    assert_eq!((there.operator.id, there.since_ms, there.locked), (ada, 5, true));
    let other = store.sign_in(bob, 6).unwrap();
    assert_eq!((other.operator.name.as_str(), other.since_ms, other.locked), ("Bob", 6, false));
    // Late words about somebody who is not there any more change nothing.
    store.lock_screen(ada, true).unwrap();
    store.sign_out(ada).unwrap();
    assert_eq!(store.operator_at_desk().unwrap(), Some(other));
    store.lock_operator(bob, true).unwrap();
    assert_eq!(store.operator_at_desk().unwrap(), None, "an administrator has locked them");
    assert!(matches!(store.sign_in(bob, 7), Err(StoreError::NoSuchAccount)));
    store.lock_operator(bob, false).unwrap();
    store.remove_operator(bob).unwrap();
    assert_eq!(store.operator_at_desk().unwrap(), None);
    assert!(matches!(store.sign_in(bob, 7), Err(StoreError::NoSuchAccount)));
    store.sign_in(ada, 8).unwrap();
    store.sign_out(ada).unwrap();
    assert_eq!(store.operator_at_desk().unwrap(), None);
}

#[test]
fn acc_1_note_1_each_operator_has_preferences_and_a_note_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path().join("desk.db")).unwrap();
    let of_desk = Preferences { theme: Theme::Light, ..Preferences::default() };
    store.save_preferences(0, &of_desk).unwrap();
    store.save_note(0, "of the desk", 1).unwrap();
    let ada = store.add_operator("Ada", Language::French, "x", 1).unwrap().id;
    let bob = store.add_operator("Bob", Language::English, "x", 1).unwrap().id;
    let first = Preferences { language: Language::French, ..of_desk.clone() };
    assert_eq!(store.load_preferences(ada).unwrap(), first, "their language, and the colours of the desk");
    let own = Preferences { theme: Theme::Dark, lock_after_min: 5, ..first };
    store.save_preferences(ada, &own).unwrap();
    store.draft_note(ada, Some("of Ada")).unwrap();
    store.save_note(bob, "of Bob", 2).unwrap();
    // From now on the language is what they have chosen at the desk.
    let change = OperatorChange { language: Some(Language::English), ..OperatorChange::default() };
    store.change_operator(ada, &change).unwrap();
    assert_eq!(store.load_preferences(ada).unwrap(), own);
    assert_eq!(store.load_preferences(0).unwrap(), of_desk);
    assert_eq!(store.load_preferences(bob).unwrap(), of_desk);
    assert_eq!(store.note(0).unwrap().saved, "of the desk");
    assert_eq!(store.note(ada).unwrap(), Note { draft: Some("of Ada".into()), ..Note::default() });
    assert_eq!(store.note(bob).unwrap().saved, "of Bob");
    store.remove_operator(ada).unwrap();
    assert_eq!(store.note(ada).unwrap(), Note::default());
    // What was on its way is not kept for nobody.
    store.save_preferences(ada, &own).unwrap();
    assert_eq!(store.draft_note(ada, Some("late")).unwrap(), Note::default());
    assert_eq!(store.save_note(ada, "late", 3).unwrap(), Note::default());
    assert_eq!(store.load_preferences(ada).unwrap(), of_desk);
}
