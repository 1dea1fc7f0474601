//! Reminders (REM-1).
#![allow(clippy::unwrap_used, reason = "tests")]

use ipc::{
    MAX_REMINDER_PARTY, MAX_REMINDER_TEXT, MAX_REMINDERS, Reminder, ReminderForm, ReminderId, ReminderProblem,
};
use store::{Store, StoreError};
use tempfile::TempDir;

/// Nobody signs in.
const DESK: i64 = 0;
/// 2026-11-27 09:00 UTC.
const NINE: i64 = 1_795_770_000_000;
const DAY: i64 = 24 * 60 * 60 * 1000;

fn open() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("desk.db")).unwrap();
    (folder, store)
}

/// What is there after a power cut: another process opens what is on the disk now, while this one still runs.
fn on_disk(folder: &TempDir) -> Vec<Reminder> {
    Store::open(folder.path().join("desk.db")).unwrap().reminders(DESK).unwrap()
}

fn form(text: &str, due_unix_ms: i64) -> ReminderForm {
    ReminderForm { text: text.into(), due_unix_ms, ..ReminderForm::default() }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, StoreError>, why: ReminderProblem) {
    assert!(matches!(&result, Err(StoreError::Reminder(problem)) if *problem == why), "{result:?}");
}

#[test]
fn rem_1_what_was_answered_ok_is_on_the_disk_at_every_step() {
    let (folder, mut store) = open();
    let late = store.add_reminder(DESK, &form("Post", NINE + 60_000)).unwrap();
    let call = ReminderForm {
        number: "+49 30 5557 0142".into(),
        name: "Helena Brandt, é 漢".into(),
        ..form("", NINE)
    };
    let early = store.add_reminder(DESK, &call).unwrap();
    assert_eq!(early, Reminder { id: early.id, what: call, rang_unix_ms: None, done_unix_ms: None });
    assert_eq!(on_disk(&folder), [early.clone(), late.clone()], "by the time they are due");

    store.reminders_rang(DESK, &[(early.id, NINE)], NINE + 5).unwrap();
    assert_eq!(on_disk(&folder)[0].rang_unix_ms, Some(NINE + 5));
    store.reminders_rang(DESK, &[(early.id, NINE)], NINE + 9).unwrap();
    assert_eq!(on_disk(&folder)[0].rang_unix_ms, Some(NINE + 5), "told once");

    let put_off = store.snooze_reminder(DESK, early.id, NINE + 600_000).unwrap();
    assert_eq!((put_off.rang_unix_ms, put_off.what.due_unix_ms), (None, NINE + 600_000));
    assert_eq!(on_disk(&folder), [late.clone(), put_off.clone()]);
    store.reminders_rang(DESK, &[(early.id, NINE)], NINE + 7).unwrap();
    assert_eq!(on_disk(&folder)[1], put_off, "that was of the time before");

    let done = store.finish_reminder(DESK, early.id, NINE + 700_000).unwrap();
    assert_eq!(done.done_unix_ms, Some(NINE + 700_000));
    assert_eq!(store.finish_reminder(DESK, early.id, NINE + 800_000).unwrap(), done, "done once");
    assert_eq!(on_disk(&folder)[1], done);
}

#[test]
fn rem_1_another_time_makes_it_pending_again_and_other_words_do_not() {
    let (_folder, mut store) = open();
    let kept = store.add_reminder(DESK, &form("Post", NINE)).unwrap();
    store.reminders_rang(DESK, &[(kept.id, NINE)], NINE).unwrap();
    store.finish_reminder(DESK, kept.id, NINE + 1).unwrap();
    let words = store.change_reminder(DESK, kept.id, &form("Parcels", NINE)).unwrap();
    assert_eq!((words.rang_unix_ms, words.done_unix_ms), (Some(NINE), Some(NINE + 1)));
    assert_eq!(words.what.text, "Parcels");
    let time = store.change_reminder(DESK, kept.id, &form("Parcels", NINE + DAY)).unwrap();
    assert_eq!((time.rang_unix_ms, time.done_unix_ms), (None, None));
}

#[test]
fn rem_1_what_was_removed_can_be_brought_back_for_a_day() {
    let (folder, mut store) = open();
    let ids: Vec<ReminderId> =
        (0..3).map(|i| store.add_reminder(DESK, &form("Post", NINE + i)).unwrap().id).collect();
    let all = on_disk(&folder);
    store.remove_reminders(DESK, &ids[..2], NINE).unwrap();
    assert_eq!(on_disk(&folder), all[2..]);
    for gone in [
        store.change_reminder(DESK, ids[0], &form("x", NINE)),
        store.snooze_reminder(DESK, ids[0], NINE),
        store.finish_reminder(DESK, ids[0], NINE),
    ] {
        refused(gone, ReminderProblem::Gone);
    }
    store.restore_reminders(DESK, &ids[..2]).unwrap();
    assert_eq!(on_disk(&folder), all);
    refused(store.restore_reminders(DESK, &ids[..1]), ReminderProblem::Gone);

    store.remove_reminders(DESK, &ids[..1], NINE).unwrap();
    // The next removal forgets those of the day before.
    store.remove_reminders(DESK, &ids[1..2], NINE + DAY + 1).unwrap();
    refused(store.restore_reminders(DESK, &ids[..1]), ReminderProblem::Gone);
    store.restore_reminders(DESK, &ids[1..2]).unwrap();
    let next = store.add_reminder(DESK, &form("Post", NINE)).unwrap();
    assert!(next.id > ids[2], "no identity is given twice");
}

#[test]
fn rem_1_a_full_list_says_so_and_loses_nothing() {
    let (folder, mut store) = open();
    for i in 0..i64::try_from(MAX_REMINDERS).unwrap() {
        store.add_reminder(DESK, &form("Post", NINE + i)).unwrap();
    }
    refused(store.add_reminder(DESK, &form("one more", NINE)), ReminderProblem::Full);
    let all = on_disk(&folder);
    assert_eq!(all.len(), MAX_REMINDERS);
    store.add_reminder(7, &form("somebody else's", NINE)).unwrap();
    store.remove_reminders(DESK, &[all[0].id, all[1].id], NINE).unwrap();
    store.add_reminder(DESK, &form("room again", NINE)).unwrap();
    refused(store.restore_reminders(DESK, &[all[0].id, all[1].id]), ReminderProblem::Full);
    assert_eq!(on_disk(&folder).len(), MAX_REMINDERS - 1, "all or nothing");
    store.restore_reminders(DESK, &[all[1].id]).unwrap();
    assert_eq!(on_disk(&folder).len(), MAX_REMINDERS);
}

#[test]
fn rem_1_what_cannot_be_kept_changes_nothing() {
    let (folder, mut store) = open();
    let kept = store.add_reminder(DESK, &form("é".repeat(MAX_REMINDER_TEXT / 2).as_str(), NINE)).unwrap();
    let number = |length| ReminderForm { number: "1".repeat(length), ..form("", NINE) };
    let long = form(&"a".repeat(MAX_REMINDER_TEXT + 1), NINE);
    for (wrong, why) in [
        (form("  \n", NINE), ReminderProblem::Empty),
        (long, ReminderProblem::TooLong),
        (number(MAX_REMINDER_PARTY + 1), ReminderProblem::TooLong),
        (form("Post", 0), ReminderProblem::BadTime),
        (form("Post", i64::MAX), ReminderProblem::BadTime),
    ] {
        refused(store.add_reminder(DESK, &wrong), why);
        refused(store.change_reminder(DESK, kept.id, &wrong), why);
    }
    refused(store.snooze_reminder(DESK, kept.id, i64::MIN), ReminderProblem::BadTime);
    assert_eq!(on_disk(&folder), [kept]);
    store.add_reminder(DESK, &number(MAX_REMINDER_PARTY)).unwrap();
}

#[test]
fn rem_1_one_operator_does_not_see_or_touch_what_is_anothers_and_it_goes_with_its_owner() {
    let (folder, mut store) = open();
    let db = rusqlite::Connection::open(folder.path().join("desk.db")).unwrap();
    let insert = "INSERT INTO desk_operator (id, name, name_key, pin, language, created) \
                  VALUES (7, 'Ada', 'ada', '', 'en', 0)";
    db.execute_batch(insert).unwrap();
    let hers = store.add_reminder(7, &form("hers", NINE)).unwrap();
    let ours = store.add_reminder(DESK, &form("ours", NINE)).unwrap();
    assert_eq!(store.reminders(7).unwrap(), std::slice::from_ref(&hers));
    assert_eq!(store.reminders(DESK).unwrap(), std::slice::from_ref(&ours));
    refused(store.finish_reminder(DESK, hers.id, NINE), ReminderProblem::Gone);
    store.remove_reminders(DESK, &[hers.id], NINE).unwrap();
    store.reminders_rang(DESK, &[(hers.id, NINE)], NINE).unwrap();
    assert_eq!(store.reminders(7).unwrap(), [hers]);
    db.execute("DELETE FROM desk_operator WHERE id = 7", []).unwrap();
    assert_eq!(store.reminders(7).unwrap(), []);
    assert_eq!(store.reminders(DESK).unwrap(), [ours]);
}
