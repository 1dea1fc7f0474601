//! Who sits at the desk, and their PINs (ACC-1).
#![allow(clippy::unwrap_used, reason = "tests")]

use ipc::Language;
use store::{OperatorChange, PinCheck, Store, StoreError};

const PIN: &str = "hash of 4711";

/// What the desk does with a PIN (`frontdeskd`), without the hashing.
fn check(store: &mut Store, id: i64, now_ms: i64, pin: &str) -> Result<PinCheck, StoreError> {
    match store.begin_pin(id, now_ms)? {
        Err(refused) => Ok(refused),
        Ok(begun) if begun.hash == pin => store.pin_was_right(id, &begun.hash),
        Ok(begun) => Ok(begun.otherwise),
    }
}

fn pin(hash: &str) -> OperatorChange {
    OperatorChange { pin: Some(hash.into()), ..OperatorChange::default() }
}

fn desk() -> (tempfile::TempDir, Store, i64) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path().join("desk.db")).unwrap();
    let id = store.add_operator(" Ada ", Language::French, PIN, 7).unwrap().id;
    (folder, store, id)
}

#[test]
fn acc_1_operators_are_kept_by_name_and_only_the_right_pin_is_theirs() {
    let (_folder, mut store, ada) = desk();
    assert!(matches!(
        store.add_operator("ADA", Language::English, PIN, 8),
        Err(StoreError::AccountTaken { .. })
    ));
    assert!(matches!(
        store.add_operator(" ", Language::English, PIN, 8),
        Err(StoreError::AccountName { .. })
    ));
    let bob = store.add_operator("Bob", Language::English, "8306", 8).unwrap().id;
    let taken = OperatorChange { name: Some("ada".into()), ..pin("5938") };
    assert!(matches!(store.change_operator(bob, &taken), Err(StoreError::AccountTaken { .. })));
    assert_eq!(check(&mut store, bob, 0, "8306").unwrap(), PinCheck::Right, "all of it or nothing");
    let named = OperatorChange {
        name: Some("Ada L.".into()),
        language: Some(Language::English),
        ..OperatorChange::default()
    };
    store.change_operator(ada, &named).unwrap();
    assert_eq!(check(&mut store, ada, 0, PIN).unwrap(), PinCheck::Right, "what is not named stays");
    let names: Vec<(String, Language)> =
        store.operators().unwrap().into_iter().map(|one| (one.name, one.language)).collect();
    assert_eq!(names, [("Ada L.".into(), Language::English), ("Bob".into(), Language::English)]);
    store.change_operator(ada, &pin("5938")).unwrap();
    assert!(matches!(check(&mut store, ada, 0, PIN), Ok(PinCheck::Wrong { left: 9, wait_ms: 0 })));
    assert_eq!(check(&mut store, ada, 0, "5938").unwrap(), PinCheck::Right);
    store.remove_operator(bob).unwrap();
    assert!(matches!(check(&mut store, bob, 0, "8306"), Err(StoreError::NoSuchAccount)));
    assert!(matches!(store.change_operator(bob, &pin("8306")), Err(StoreError::NoSuchAccount)));
}

#[test]
fn acc_1_wrong_pins_slow_down_and_then_lock_and_only_unlocking_helps() {
    let (_folder, mut store, ada) = desk();
    let mut now = 1_000_000;
    let mut waited = Vec::new();
    for left in (1..=9).rev() {
        let PinCheck::Wrong { left: told, wait_ms } = check(&mut store, ada, now, "1111").unwrap() else {
            panic!("it is not looked at with {left} left")
        };
        assert_eq!(told, left);
        // Whether the right one would be looked at now is not tried while it would be: it begins anew.
        if left > 6 {
            assert_eq!(wait_ms, 0);
            continue;
        }
        let PinCheck::Wait { ms } = check(&mut store, ada, now, PIN).unwrap() else {
            panic!("the right one is looked at with {left} left")
        };
        assert_eq!(wait_ms, ms, "it is told beforehand");
        waited.push(ms);
        now += i64::try_from(ms).unwrap();
    }
    assert_eq!(waited, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000]);
    assert_eq!(check(&mut store, ada, now, "1111").unwrap(), PinCheck::Locked);
    now += 3_600_000;
    assert_eq!(check(&mut store, ada, now, PIN).unwrap(), PinCheck::Locked, "time does not help");
    assert!(store.operators().unwrap()[0].locked);
    store.lock_operator(ada, false).unwrap();
    assert_eq!(check(&mut store, ada, now, PIN).unwrap(), PinCheck::Right);
}

#[test]
fn acc_1_a_right_pin_begins_anew_and_a_clock_that_was_set_back_shuts_nobody_out() {
    let (_folder, mut store, ada) = desk();
    for _ in 0..3 {
        assert!(matches!(check(&mut store, ada, 0, "1111").unwrap(), PinCheck::Wrong { .. }));
    }
    assert_eq!(check(&mut store, ada, 0, PIN).unwrap(), PinCheck::Right);
    assert_eq!(store.operators().unwrap()[0].failures, 0);
    let late = 10_000_000_000;
    for n in 0..8 {
        check(&mut store, ada, late + n * 60_000, "1111").unwrap();
    }
    let PinCheck::Wait { ms } = check(&mut store, ada, 0, PIN).unwrap() else { panic!("it is looked at") };
    assert_eq!(ms, 60_000);
}

#[test]
fn acc_1_what_an_administrator_does_while_a_pin_is_looked_at_counts() {
    let (_folder, mut store, ada) = desk();
    let begun = store.begin_pin(ada, 0).unwrap().unwrap();
    assert_eq!(begun.hash, PIN);
    assert_eq!(store.operators().unwrap()[0].failures, 1, "it counts before it is looked at");
    store.lock_operator(ada, true).unwrap();
    assert_eq!(store.pin_was_right(ada, PIN).unwrap(), PinCheck::Locked);
    store.lock_operator(ada, false).unwrap();
    store.begin_pin(ada, 0).unwrap().unwrap();
    store.change_operator(ada, &pin("5938")).unwrap();
    assert_eq!(store.pin_was_right(ada, PIN).unwrap(), PinCheck::Wrong { left: 9, wait_ms: 0 });
    // The tenth may be the right one.
    for n in 0..8 {
        check(&mut store, ada, n * 60_000, "1111").unwrap();
    }
    assert_eq!(check(&mut store, ada, 600_000, "5938").unwrap(), PinCheck::Right);
    store.remove_operator(ada).unwrap();
    assert!(matches!(store.pin_was_right(ada, "5938"), Err(StoreError::NoSuchAccount)));
}
