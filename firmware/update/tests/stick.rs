//! What a stick brings beside what an administrator has ordered: the task itself, with a program in the place of RAUC.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{fs, os::unix::fs::PermissionsExt, sync::Arc, time::Duration};

use chrono::{Local, TimeDelta, Timelike};
use ipc::{CallRef, UpdateNews, UpdateNotice, UpdateRefusal, View};
use tempfile::TempDir;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::timeout,
};
use update::{Attempt, Bundle, Config, Files, Handle, History, NotNow, Order, Outcome, STICK, Stage, When};

/// Real time of a task that runs a program.
const SOON: Duration = Duration::from_secs(30);

/// Says of a bundle what stands in it behind the mark of a squashfs, and installs it at once.
const RAUC: &str = r#"#!/bin/sh
case $1 in
info) echo '{"compatible":"box","version":"'"$(tail -c +5 "$3")"'","description":""}' ;;
status) echo '{"compatible":"box","booted":"A","boot_primary":"rootfs.0","slots":[
  {"rootfs.0":{"bootname":"A","state":"booted","boot_status":"good"}},
  {"rootfs.1":{"bootname":"B","state":"inactive","boot_status":"good"}}]}' ;;
install) echo '100% Installing done.' ;;
esac
"#;

/// A box with version 1, on which somebody talks.
struct Site {
    update: Handle,
    views: watch::Sender<Arc<View>>,
    news: mpsc::Receiver<Option<UpdateNotice>>,
    _restarts: mpsc::Receiver<oneshot::Sender<bool>>,
    folder: TempDir,
}

impl Site {
    fn with(history: &History) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (rauc, updates) = (folder.path().join("rauc"), folder.path().join("updates"));
        fs::write(&rauc, RAUC).unwrap();
        fs::set_permissions(&rauc, fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(&updates).unwrap();
        Files::new(&updates).save(history).unwrap();
        let talk = View { talk: Some(CallRef(1)), ..View::default() };
        let (views, seen) = watch::channel(Arc::new(talk));
        let (restart, restarts) = mpsc::channel(1);
        let (told, news) = mpsc::channel(16);
        let restart_file = folder.path().join("restart");
        let config =
            Config { rauc, folder: updates, restart: restart_file, version: "1".into(), sticks: true };
        let (update, _) = update::start(config, seen, restart, told);
        Self { update, views, news, _restarts: restarts, folder }
    }

    /// The administrator uploads a version.
    async fn upload(&self, version: &str) -> Bundle {
        // What the program before has left is removed as the task begins.
        self.waits().await;
        let mut incoming = self.update.begin(None).await.unwrap();
        incoming.push(format!("hsqs{version}").as_bytes()).await.unwrap();
        self.update.inspect(incoming).await.unwrap()
    }

    /// A stick brings a version.
    async fn stick(&self, version: &str) -> Result<Bundle, UpdateRefusal> {
        let mut incoming = self.update.begin_stick(8).await?;
        incoming.push(format!("hsqs{version}").as_bytes()).await.unwrap();
        self.update.take_stick(incoming).await
    }

    /// What waits, and by whose order.
    async fn waits(&self) -> (Option<String>, Option<Order>) {
        let mut standing = self.update.follow();
        let now = timeout(SOON, standing.wait_for(|now| !now.system.slots.is_empty())).await;
        let now = now.unwrap().unwrap();
        (now.bundle.as_ref().map(|bundle| bundle.manifest.version.clone()), now.order.clone())
    }

    async fn hears(&mut self, version: &str, news: UpdateNews) {
        let wanted = Some(UpdateNotice { version: version.into(), news });
        loop {
            let told = timeout(SOON, self.news.recv()).await;
            if told.unwrap_or_else(|_| panic!("never told: {wanted:?}")).unwrap() == wanted {
                return;
            }
        }
    }
}

/// By Ada, for an hour that begins twelve hours from now.
fn tonight() -> Order {
    let minute = |hours| {
        let clock = Local::now() + TimeDelta::hours(hours);
        u16::try_from(clock.hour() * 60 + clock.minute()).unwrap()
    };
    Order { when: When::Window { from: minute(12), until: minute(13) }, who: "Ada".into() }
}

#[tokio::test]
async fn app_3_what_an_administrator_has_ordered_for_the_night_is_not_brought_forward_by_a_stick() {
    let mut site = Site::with(&History::default());
    site.upload("2").await;
    site.update.order(tonight()).await.unwrap();
    for version in ["2", "3"] {
        assert_eq!(site.stick(version).await.unwrap_err(), UpdateRefusal::Busy, "{version}");
        site.hears(version, UpdateNews::Refused { why: UpdateRefusal::Busy }).await;
        assert_eq!(site.waits().await, (Some("2".into()), Some(tonight())));
    }
    // Without her order the stick is taken, and a newer one after it.
    assert!(site.update.cancel().await);
    let by_stick = Order { when: When::Idle, who: STICK.into() };
    for version in ["2", "3"] {
        site.stick(version).await.unwrap();
        site.hears(version, UpdateNews::Taken).await;
        assert_eq!(site.waits().await, (Some(version.into()), Some(by_stick.clone())));
    }
    assert_eq!(site.stick("2").await.unwrap_err(), UpdateRefusal::Older { than: "3".into() });
    assert_eq!(site.waits().await, (Some("3".into()), Some(by_stick)));
}

#[tokio::test]
async fn app_3_a_stick_that_comes_while_a_version_is_on_trial_takes_the_place_of_nothing() {
    let trial = Attempt {
        id: 1,
        version: "1".into(),
        from: "B".into(),
        to: "A".into(),
        boot_id: "the start before".into(),
        outcome: Outcome::Trying,
        ..Attempt::default()
    };
    let mut site =
        Site::with(&History { attempts: vec![trial], order: Some(tonight()), ..History::default() });
    assert_eq!(site.stick("2").await.unwrap_err(), UpdateRefusal::Busy);
    site.hears("2", UpdateNews::Refused { why: UpdateRefusal::Busy }).await;
    assert_eq!(site.waits().await, (None, Some(tonight())));
    assert_eq!(site.update.order(tonight()).await, Err(NotNow::NoBundle));
}

#[tokio::test]
async fn app_3_what_the_disk_refuses_is_not_ordered_and_what_was_called_off_is_called_off() {
    let site = Site::with(&History::default());
    site.upload("2").await;
    let (updates, gone) = (site.folder.path().join("updates"), site.folder.path().join("gone"));
    let now = Order { when: When::Idle, who: "Ada".into() };
    fs::rename(&updates, &gone).unwrap();
    assert_eq!(site.update.order(now.clone()).await, Err(NotNow::Disk));
    assert!(!site.update.postpone().await, "nothing waits");
    fs::rename(&gone, &updates).unwrap();
    // One that was taken before stays as it was.
    site.update.order(tonight()).await.unwrap();
    fs::rename(&updates, &gone).unwrap();
    assert_eq!(site.update.order(now).await, Err(NotNow::Disk));
    assert_eq!(site.waits().await, (Some("2".into()), Some(tonight())));
    // Called off, it does not come, and the disk hears of it as soon as it can.
    assert!(site.update.cancel().await);
    assert_eq!(site.waits().await, (Some("2".into()), None));
    fs::rename(&gone, &updates).unwrap();
    let kept = async {
        while Files::new(&updates).history().order.is_some() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(SOON, kept).await.unwrap();
}

#[tokio::test]
async fn app_3_the_operator_hears_when_the_disk_refuses_what_was_taken_from_a_stick() {
    let mut site = Site::with(&History::default());
    site.stick("2").await.unwrap();
    site.hears("2", UpdateNews::Taken).await;
    // Nothing can be written down any more.
    fs::rename(site.folder.path().join("updates"), site.folder.path().join("gone")).unwrap();
    site.views.send_replace(Arc::default());
    site.hears("2", UpdateNews::Failed { reason: "the disk refuses".into() }).await;
    let mut standing = site.update.follow();
    let rests = timeout(SOON, standing.wait_for(|now| now.stage == Stage::Resting)).await;
    assert_eq!(rests.unwrap().unwrap().order, None);
}
