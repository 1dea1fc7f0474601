//! The records thread by itself.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{fs, path::Path};

use directory::Catalogue;
use ipc::{Language, ReminderForm, ReminderWish};

use super::*;

/// A records thread with a fresh store in `folder`, and where the engine would hear of it.
fn start(folder: &Path) -> (Records, JoinHandle<()>, mpsc::Receiver<EngineEvent>) {
    let (inbox, events) = mpsc::channel(4096);
    let store = Store::open(folder.join("desk.db")).unwrap();
    let plan = NumberPlan::default();
    let (contacts, _) = Contacts::start(Catalogue::new(plan.clone()), false, inbox.clone()).unwrap();
    let desk = AtDesk {
        operator: "Front desk".into(),
        signed_in: None,
        operator_id: 0,
        folders: Vec::new(),
        plan,
        log_days: 0,
        clock: "clock".into(),
    };
    let (records, thread) = Records::start(store, contacts, inbox, desk).unwrap();
    (records, thread, events)
}

#[tokio::test]
async fn dir_3_a_desk_that_ends_does_not_wait_for_the_rest_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let (records, thread, events) = start(folder.path());
    let file = folder.path().join("suppliers.csv");
    fs::write(&file, "lastname,phone\nBrandt,2101\n").unwrap();
    // The engine is gone; whoever asked for the file waits for it, and is waited for.
    drop(events);
    let end = records.import("Suppliers".into(), false, file).await;
    assert!(matches!(&end, Err(CommandError::Failed { reason }) if reason.contains("cancelled")), "{end:?}");
    drop(records);
    tokio::task::spawn_blocking(move || thread.join().unwrap()).await.unwrap();
}

#[tokio::test]
async fn rem_1_a_reminder_is_of_whoever_wrote_it_though_they_have_left_before_it_is_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let (records, _thread, _events) = start(folder.path());
    let add = |keeper: &mut Keeper| keeper.store.add_operator("Ada", Language::French, "x", 1).unwrap();
    let ada = OperatorId(records.with(add).await.unwrap().id);
    records.sit(ada.0, Some("Ada".into()));
    records.sit(0, None);
    let what = ReminderForm {
        text: "Call back".into(),
        due_unix_ms: unix_ms() + 3_600_000,
        ..ReminderForm::default()
    };
    records.remind(ada, ReminderWish::Add(what)).await.unwrap();
    assert_eq!(records.all_reminders(ada).await.unwrap().len(), 1);
    assert!(records.all_reminders(OperatorId(0)).await.unwrap().is_empty());
}
