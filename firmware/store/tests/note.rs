//! The operator's note (NOTE-1).
#![allow(clippy::unwrap_used, reason = "tests")]

use ipc::{MAX_NOTE, Note};
use store::{Store, StoreError};

#[test]
fn a_note_is_kept_as_it_was_saved_and_what_is_written_since_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("desk.db");
    let mut store = Store::open(path.clone()).unwrap();
    assert_eq!(store.note(0).unwrap(), Note::default());
    let saved = store.save_note(0, "**Parcels** at the back door\n__Émile__ é 漢", 1_000).unwrap();
    assert_eq!((saved.saved_ms, &saved.draft), (Some(1_000), &None));
    let draft = store.draft_note(0, Some("half a wo")).unwrap();
    assert_eq!(draft, Note { draft: Some("half a wo".into()), ..saved.clone() });
    drop(store);

    let mut store = Store::open(path.clone()).unwrap();
    assert_eq!(store.note(0).unwrap(), draft);
    assert_eq!(store.draft_note(0, Some(&saved.saved)).unwrap(), saved, "a draft that says the same is none");
    store.draft_note(0, Some("no")).unwrap();
    assert_eq!(store.draft_note(0, None).unwrap(), saved);
    let emptied = store.draft_note(0, Some("")).unwrap();
    assert_eq!(emptied.draft.as_deref(), Some(""), "an emptied note is a change");
    let next = store.save_note(0, "", 2_000).unwrap();
    assert_eq!(next, Note { saved: String::new(), saved_ms: Some(2_000), draft: None });
}

#[test]
fn a_first_draft_is_kept_without_a_saved_note_and_an_empty_one_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path().join("desk.db")).unwrap();
    assert_eq!(store.draft_note(0, Some("")).unwrap(), Note::default());
    assert_eq!(store.draft_note(0, Some("a")).unwrap(), Note { draft: Some("a".into()), ..Note::default() });
    assert_eq!(store.draft_note(0, None).unwrap(), Note::default());
}

#[test]
fn a_note_that_is_too_long_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path().join("desk.db")).unwrap();
    let most = "é".repeat(MAX_NOTE / 2);
    let kept = store.save_note(0, &most, 1).unwrap();
    let more = format!("{most}!");
    for refused in [store.save_note(0, &more, 2), store.draft_note(0, Some(&more))] {
        assert!(
            matches!(refused, Err(StoreError::NoteTooLong { bytes, most: MAX_NOTE }) if bytes == MAX_NOTE + 1)
        );
    }
    assert_eq!(store.note(0).unwrap(), kept);
}
