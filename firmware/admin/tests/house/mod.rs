//! A box with its admin page, a browser without mercy, and a plugin host that speaks the contract.
#![allow(dead_code, unused_imports, reason = "each test file uses its part")]

pub(crate) mod browser;
pub(crate) mod clean;
pub(crate) mod host;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use admin::{Admin, Config, Live, LogRing, Parts, ProvisioningConfig, Sound, Wish};
use ipc::{DirectoryId, DirectoryView, LineView, Registration, View};
use store::{Settings, Store};
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot, watch};

pub(crate) use browser::Browser;
pub(crate) use host::Host;

pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) struct House {
    pub(crate) admin: Admin,
    pub(crate) folder: TempDir,
    pub(crate) views: watch::Sender<Arc<View>>,
    /// Settings as the desk hears of them.
    pub(crate) saved: watch::Receiver<Arc<Settings>>,
    /// What is wrong with servers of STUN and XMPP.
    pub(crate) troubles: watch::Sender<BTreeMap<String, String>>,
    pub(crate) log: LogRing,
    /// The screen as the desk behind the page keeps it.
    pub(crate) live: watch::Sender<Live>,
    pub(crate) desk: Arc<Mutex<DeskBehind>>,
    /// The task of updates, where there is one.
    pub(crate) update: Option<update::Handle>,
}

/// The desk behind the page: what it was asked for, and whether a call is up.
#[derive(Default)]
pub(crate) struct DeskBehind {
    pub(crate) heard: Vec<String>,
    pub(crate) has_call: bool,
}

impl House {
    /// A box that nobody has set up, without a plugin host.
    pub(crate) async fn new() -> Self {
        Self::beside(tempfile::tempdir().unwrap()).await
    }

    pub(crate) async fn beside(folder: TempDir) -> Self {
        Self::updating(folder, None).await
    }

    /// A box that updates itself by this program in the place of rauc.
    pub(crate) async fn updating(folder: TempDir, rauc: Option<PathBuf>) -> Self {
        Self::build(folder, rauc, None).await
    }

    /// A box that fetches its settings.
    pub(crate) async fn provisioned(folder: TempDir, provisioning: ProvisioningConfig) -> Self {
        Self::build(folder, None, Some(provisioning)).await
    }

    async fn build(folder: TempDir, rauc: Option<PathBuf>, provisioning: Option<ProvisioningConfig>) -> Self {
        let (views, seen) = watch::channel(Arc::new(view()));
        let (restart, restarted) = mpsc::channel(1);
        let update = rauc.map(|rauc| {
            let config = update::Config {
                rauc,
                folder: folder.path().join("updates"),
                restart: folder.path().join("run/restart"),
                version: "1".into(),
                sticks: true,
            };
            // Nobody is told here.
            update::start(config, seen.clone(), restart, mpsc::channel(1).0).0
        });
        let store = Store::open(folder.path().join("desk.db")).unwrap();
        let config = Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            state: folder.path().join("admin"),
            plugins: folder.path().join("plugins.sock"),
            version: "1.2.3".into(),
            started: Instant::now(),
            host_name: "desk".into(),
            sound: Sound { speaker: vec!["default".into()], ..Sound::default() },
            provisioning,
        };
        let (settings, saved) = watch::channel(Arc::default());
        let (troubles, troubles_seen) = watch::channel(BTreeMap::new());
        let (log, desk) = (LogRing::default(), Arc::new(Mutex::new(DeskBehind::default())));
        let (wishes, asked) = mpsc::channel(8);
        let (live, live_seen) = watch::channel(Live::default());
        tokio::spawn(behave(asked, Arc::clone(&desk), live.clone()));
        tokio::spawn(restarts(restarted, Arc::clone(&desk)));
        let reachable = Box::new(|| None);
        let parts = Parts {
            store,
            views: seen,
            log: log.clone(),
            wishes,
            live: live_seen,
            reachable,
            settings,
            troubles: troubles_seen,
            update: update.clone(),
        };
        let listener = Admin::listen(&config).await.unwrap();
        let admin = Admin::start(config, parts, listener).await.unwrap();
        Self { admin, folder, views, saved, troubles, log, live, desk, update }
    }

    /// A box with the administrator Ada, and her browser.
    pub(crate) async fn with_ada() -> (Self, Browser) {
        let house = Self::new().await;
        let mut ada = house.browser();
        let code = house.code();
        let answer = ada.set_up(&code, "Ada", PASSWORD).await;
        assert_eq!((answer.status, answer.to.as_deref()), (303, Some("/")), "{}", answer.body);
        (house, ada)
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.admin.address)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("plugins.sock")
    }

    pub(crate) fn code(&self) -> String {
        self.admin.setup.borrow().clone().expect("the box is not set up").code
    }
}

/// Whether the desk ends so that the box restarts.
async fn restarts(mut asked: mpsc::Receiver<oneshot::Sender<bool>>, desk: Arc<Mutex<DeskBehind>>) {
    while let Some(answer) = asked.recv().await {
        let mut desk = desk.lock().unwrap();
        desk.heard.push("restart of the box".into());
        let _ = answer.send(!desk.has_call);
    }
}

async fn behave(mut asked: mpsc::Receiver<Wish>, desk: Arc<Mutex<DeskBehind>>, live: watch::Sender<Live>) {
    while let Some(wish) = asked.recv().await {
        let mut desk = desk.lock().unwrap();
        match wish {
            Wish::Operators => {}
            Wish::Diagnostics(answer) => drop(answer.send(ipc::Diagnostics::default())),
            Wish::Trace(answer) => drop(answer.send(b"a trace".to_vec())),
            Wish::Restart(answer) => {
                desk.heard.push("restart".into());
                let _ = answer.send(!desk.has_call);
            }
            Wish::TestSound { test, done } => {
                desk.heard.push(format!("test {test:?}"));
                let call = ipc::CommandError::SoundTest(ipc::SoundTestEnd::Call);
                let _ = done.send(if desk.has_call { Err(call) } else { Ok(()) });
            }
            Wish::MeasureSound(answer) => {
                let _ = answer.send(ipc::SoundLevels { input_dbfs: -21, output_dbfs: -96 });
            }
            Wish::ExamineSound { path, done } => {
                // Good is what begins as a WAV file; what a good one says of itself is for the real desk.
                let good = std::fs::read(&path).is_ok_and(|bytes| bytes.starts_with(b"RIFF"));
                let facts = admin::SoundFacts { length_ms: 61_000, peak_dbfs: -6, mean_dbfs: -21 };
                desk.heard.push("examine".into());
                let _ = done.send(if good { Ok(facts) } else { Err(admin::SoundProblem::Broken) });
            }
            Wish::ImportContacts { directory, local, path, done } => {
                // Good is what begins with a known column; reading it is for the real desk.
                let good = std::fs::read(&path).is_ok_and(|bytes| bytes.starts_with(b"lastname"));
                desk.heard.push(format!("import {directory} {local}"));
                let bad = |line, fault| ipc::ImportProblem { line, fault };
                let report = ipc::ImportReport {
                    loaded: 2,
                    left_out: 2,
                    unknown_columns: vec!["<b>shoe</b>".into()],
                    problems: vec![
                        bad(3, ipc::RowFault::Cells { cells: 3, columns: 2 }),
                        bad(5, ipc::RowFault::Presence { found: "<i>perhaps</i>".into() }),
                    ],
                };
                let _ = done.send(if good { Ok(report) } else { Err(admin::ContactsProblem::NoHeader) });
            }
            Wish::Level(level) => desk.heard.push(format!("{level:?}")),
            Wish::Watch { who, done } => {
                desk.heard.push(format!("watch {who:?}"));
                let watch = who.map(|who| ipc::WatchView { who, allowed: None });
                live.send_modify(|live| (live.watch, live.picture) = (watch, None));
                let _ = done.send(true);
            }
        }
    }
}

fn view() -> View {
    let directory = DirectoryView {
        id: DirectoryId(1),
        name: "<b>Staff</b>".into(),
        local: true,
        contacts: 3,
        generation: 1,
        line: None,
        note: String::new(),
        look: ipc::DirectoryLook::default(),
        source: None,
    };
    let copied = DirectoryView {
        id: DirectoryId(2),
        name: "People of LDAP".into(),
        source: Some(host::ID.into()),
        ..directory.clone()
    };
    let line = LineView {
        number: "5550100".into(),
        name: "Sales & <i>more</i>".into(),
        registration: Registration::Failed { reason: "403 <script>alert(1)</script>".into() },
        note: String::new(),
        colour: None,
    };
    View { lines: vec![line], directories: vec![directory, copied], ..View::default() }
}

/// Waits until something is so; the wait ends by itself when it never is.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..600 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never: {what}");
}

/// A box with Ada, her browser, and a plugin host with one plugin that they have seen.
pub(crate) async fn with_host() -> (House, Browser, Host) {
    let (house, ada) = House::with_ada().await;
    let host = Host::start(&house.socket(), true);
    seen(&ada, "9.9.9").await;
    (house, ada, host)
}

/// Waits until the page of the plugins has these words.
pub(crate) async fn seen(browser: &Browser, words: &str) {
    until(words, async || browser.look("/plugins").await.has(words)).await;
}
