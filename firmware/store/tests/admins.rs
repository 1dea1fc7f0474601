//! Accounts, tokens and the audit log of the administrator's page (ACC-1, APP-2).
#![allow(clippy::unwrap_used, reason = "tests")]

use store::{AuditEntry, Role, Scope, Store, StoreError};
use tempfile::TempDir;

fn open() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("desk.db")).unwrap();
    (folder, store)
}

#[test]
fn app_2_there_is_one_first_administrator() {
    let (_folder, mut store) = open();
    assert!(!store.has_administrator().unwrap());
    let first = store.add_first_administrator("  Ada ", "hash", 5).unwrap();
    assert_eq!((first.name.as_str(), first.role, first.created_ms), ("Ada", Role::Administrator, 5));
    assert!(store.has_administrator().unwrap());
    let second = store.add_first_administrator("Eve", "hash", 6);
    assert!(matches!(second, Err(StoreError::AlreadySetUp)));
}

#[test]
fn app_2_of_many_who_would_be_the_first_administrator_at_once_one_is() {
    const MANY: usize = 8;
    let (folder, _) = open();
    let path = folder.path().join("desk.db");
    let begin = std::sync::Barrier::new(MANY);
    let tries = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..MANY)
            .map(|n| {
                let (path, begin) = (&path, &begin);
                scope.spawn(move || {
                    let mut store = Store::open(path).unwrap();
                    assert!(!store.has_administrator().unwrap(), "everybody sees that there is none");
                    begin.wait();
                    store.add_first_administrator(&format!("Ada {n}"), "hash", 1)
                })
            })
            .collect();
        tries.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>()
    });
    let (first, others): (Vec<_>, Vec<_>) = tries.into_iter().partition(Result::is_ok);
    assert_eq!(first.len(), 1);
    for other in others {
        assert!(matches!(other, Err(StoreError::AlreadySetUp)), "{other:?}");
    }
    let accounts = Store::open(&path).unwrap().accounts().unwrap();
    assert_eq!(accounts, [first.into_iter().next().unwrap().unwrap()]);
}

#[test]
fn acc_1_the_last_administrator_stays() {
    let (_folder, mut store) = open();
    let ada = store.add_first_administrator("Ada", "hash", 1).unwrap();
    let sue = store.add_account("Sue", Role::Supervisor, "hash", 2).unwrap();
    assert!(matches!(store.remove_account(ada.id), Err(StoreError::LastAdministrator)));
    let lower = store.change_account(ada.id, Some(Role::Supervisor), Some("other"));
    assert!(matches!(lower, Err(StoreError::LastAdministrator)));
    assert_eq!(store.accounts().unwrap().len(), 2, "nothing has changed");
    let kept = |store: &Store, name: &str| {
        let kept = store.credentials(name).unwrap().unwrap();
        (kept.account.role, kept.password)
    };
    assert_eq!(kept(&store, "ada"), (Role::Administrator, "hash".into()), "not the password either");
    store.change_account(sue.id, Some(Role::Administrator), None).unwrap();
    assert_eq!(kept(&store, "sue"), (Role::Administrator, "hash".into()));
    store.change_account(ada.id, None, Some("other")).unwrap();
    assert_eq!(kept(&store, "ada"), (Role::Administrator, "other".into()));
    store.change_account(ada.id, Some(Role::Supervisor), Some("third")).unwrap();
    assert_eq!(kept(&store, "ada"), (Role::Supervisor, "third".into()));
    let nobody = store.change_account(4711, None, Some("other"));
    assert!(matches!(nobody, Err(StoreError::NoSuchAccount)));
    store.remove_account(ada.id).unwrap();
    assert_eq!(store.accounts().unwrap()[0].name, "Sue");
    assert!(matches!(store.remove_account(ada.id), Err(StoreError::NoSuchAccount)));
}

#[test]
fn acc_1_a_name_is_found_in_capitals_or_not_and_taken_once() {
    let (_folder, mut store) = open();
    store.add_account("Élodie", Role::Supervisor, "hash", 2).unwrap();
    assert_eq!(store.credentials(" éLODIE ").unwrap().unwrap().password, "hash");
    assert!(store.credentials("Elodie").unwrap().is_none());
    let again = store.add_account("élodie", Role::Supervisor, "hash", 2);
    assert!(matches!(again, Err(StoreError::AccountTaken { .. })));
    for name in ["", "  ", "a\nb", &"x".repeat(65)] {
        let refused = store.add_account(name, Role::Supervisor, "hash", 2);
        assert!(matches!(refused, Err(StoreError::AccountName { .. })), "{name:?}");
    }
}

#[test]
fn acc_1_passwords_roles_and_sign_ins_are_kept() {
    let (folder, mut store) = open();
    let ada = store.add_first_administrator("Ada", "hash", 1).unwrap();
    store.set_account_password(ada.id, "other").unwrap();
    store.signed_in(ada.id, 99).unwrap();
    drop(store);
    let store = Store::open(folder.path().join("desk.db")).unwrap();
    let kept = store.credentials("ada").unwrap().unwrap();
    assert_eq!((kept.password.as_str(), kept.account.last_sign_in_ms), ("other", Some(99)));
}

#[test]
fn app_2_a_token_is_found_by_its_hash_until_it_is_revoked() {
    let (_folder, mut store) = open();
    store.add_first_administrator("Ada", "hash", 1).unwrap();
    let made = store.add_token("backup", Scope::Read, &[7; 32], "Ada", 5).unwrap();
    assert_eq!(store.token(&[7; 32]).unwrap().unwrap(), made);
    assert!(store.token(&[8; 32]).unwrap().is_none());
    store.token_used(made.id, 50).unwrap();
    assert_eq!(store.tokens().unwrap()[0].last_used_ms, Some(50));
    assert_eq!(store.remove_token(made.id).unwrap(), ("backup".into(), vec![]));
    assert!(store.token(&[7; 32]).unwrap().is_none());
    assert!(matches!(store.remove_token(made.id), Err(StoreError::NoSuchAccount)));
}

#[test]
fn acc_1_app_2_no_token_outlives_the_administrator_who_made_it() {
    let (_folder, mut store) = open();
    let ada = store.add_first_administrator("Ada", "hash", 1).unwrap();
    let bob = store.add_account("Bob", Role::Administrator, "hash", 1).unwrap();
    let mut number = 0;
    let mut make = |store: &mut Store, name: &str, by: &str| {
        number += 1;
        store.add_token(name, Scope::Write, &[number; 32], by, 5).unwrap();
    };
    for (name, by) in
        [("backup", "Ada"), ("of bob", "Bob"), ("child", "token of bob"), ("grandchild", "token child")]
    {
        make(&mut store, name, by);
    }
    assert_eq!(store.tokens_of(bob.id).unwrap(), ["of bob", "child", "grandchild"]);
    // A new password, or the role that it has, is no reason.
    assert!(store.change_account(bob.id, Some(Role::Administrator), Some("other")).unwrap().is_empty());
    assert!(matches!(store.remove_account(4711), Err(StoreError::NoSuchAccount)));
    assert_eq!(store.tokens().unwrap().len(), 4);
    let revoked = store.change_account(bob.id, Some(Role::Supervisor), None).unwrap();
    assert_eq!(revoked, ["child", "grandchild", "of bob"]);
    assert!(matches!(store.remove_account(ada.id), Err(StoreError::LastAdministrator)));
    let left = |store: &Store| -> Vec<String> {
        store.tokens().unwrap().into_iter().map(|token| token.name).collect()
    };
    assert_eq!(left(&store), ["backup"], "what could not be removed keeps its own");
    store.change_account(bob.id, Some(Role::Administrator), None).unwrap();
    assert_eq!(store.remove_account(ada.id).unwrap(), ["backup"]);
    assert!(left(&store).is_empty());
}

#[test]
fn acc_1_app_2_what_a_token_made_ends_with_it_and_nothing_is_made_once_it_is_revoked() {
    let (_folder, mut store) = open();
    let ada = store.add_first_administrator("Ada", "hash", 1).unwrap();
    let bob = store.add_account("Bob", Role::Administrator, "hash", 1).unwrap();
    let mut number = 0;
    let mut make = |store: &mut Store, name: &str, scope: Scope, by: &str| {
        number += 1;
        store.add_token(name, scope, &[number; 32], by, 5).map(|token| token.id)
    };
    let left = |store: &Store| -> Vec<String> {
        store.tokens().unwrap().into_iter().map(|token| token.name).collect()
    };
    let leaked = make(&mut store, "leaked", Scope::Write, "Ada").unwrap();
    make(&mut store, "other", Scope::Write, "Ada").unwrap();
    let spare = make(&mut store, "spare", Scope::Write, "token leaked").unwrap();
    make(&mut store, "look", Scope::Read, "token spare").unwrap();
    let (name, others) = store.remove_token(leaked).unwrap();
    assert_eq!((name.as_str(), others), ("leaked", vec!["look".to_owned(), "spare".to_owned()]));
    assert_eq!(left(&store), ["other"]);
    assert!(matches!(store.remove_token(spare), Err(StoreError::NoSuchAccount)));
    // What its program had begun before comes too late, as does what an administrator had who is none any more.
    let late = make(&mut store, "late", Scope::Write, "token leaked");
    assert!(matches!(late, Err(StoreError::NoSuchAccount)), "{late:?}");
    store.change_account(bob.id, Some(Role::Supervisor), None).unwrap();
    let late = make(&mut store, "late", Scope::Write, "Bob");
    assert!(matches!(late, Err(StoreError::NoSuchAccount)), "{late:?}");
    store.change_account(bob.id, Some(Role::Administrator), None).unwrap();
    store.remove_account(ada.id).unwrap();
    let late = make(&mut store, "late", Scope::Write, "Ada");
    assert!(matches!(late, Err(StoreError::NoSuchAccount)), "{late:?}");
    // One that only reads makes none.
    make(&mut store, "reads", Scope::Read, "Bob").unwrap();
    let none = make(&mut store, "none", Scope::Read, "token reads");
    assert!(matches!(none, Err(StoreError::NoSuchAccount)), "{none:?}");
    assert_eq!(left(&store), ["reads"]);
}

#[test]
fn app_2_no_two_tokens_have_one_name() {
    let (_folder, mut store) = open();
    store.add_first_administrator("Ada", "hash", 1).unwrap();
    let first = store.add_token("Élan", Scope::Read, &[1; 32], "Ada", 5).unwrap();
    for name in ["Élan", " éLAN "] {
        let again = store.add_token(name, Scope::Read, &[2; 32], "Ada", 5);
        assert!(matches!(again, Err(StoreError::TokenTaken { .. })), "{again:?}");
    }
    store.remove_token(first.id).unwrap();
    store.add_token("Élan", Scope::Read, &[3; 32], "Ada", 5).unwrap();
}

#[test]
fn app_2_the_audit_log_is_read_in_pages_newest_first() {
    let (_folder, mut store) = open();
    for at_ms in 0..7 {
        let detail = "x".repeat(600);
        store.add_audit(&AuditEntry { at_ms, who: "Ada".into(), detail, ..AuditEntry::default() }).unwrap();
    }
    let first = store.audit(None, 3).unwrap();
    assert_eq!(first.iter().map(|entry| entry.at_ms).collect::<Vec<_>>(), [6, 5, 4]);
    assert!(first[0].detail.len() <= 512);
    let next = store.audit(Some(first[2].id), 100).unwrap();
    assert_eq!(next.iter().map(|entry| entry.at_ms).collect::<Vec<_>>(), [3, 2, 1, 0]);
}

#[test]
fn app_4_two_connections_write_by_turns() {
    let (folder, mut store) = open();
    let mut other = Store::open(folder.path().join("desk.db")).unwrap();
    let writer = std::thread::spawn(move || {
        for n in 0..50 {
            other.add_audit(&AuditEntry { at_ms: n, ..AuditEntry::default() }).unwrap();
        }
    });
    for n in 0..50 {
        store.add_directory(&format!("D{n}"), true).unwrap();
    }
    writer.join().unwrap();
    assert_eq!(store.audit(None, 500).unwrap().len(), 50);
}
