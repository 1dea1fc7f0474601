//! What every request is answered from.

use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use ipc::View;
use store::{Settings, Store, StoreError};
use tokio::sync::{Semaphore, mpsc, watch};

use crate::{
    Config, backup,
    imports::Imports,
    keeper::{Keeper, KeeperError},
    logs::LogRing,
    password::Passwords,
    plugins::Host,
    provisioning::Provisioning,
    session::Sessions,
    setup::Setup,
    sounds::Sounds,
    throttle::Throttle,
    tls::Certificates,
    uploads::Uploads,
    watching::{Live, Watching},
    wishes::{Desk, Wish},
};

/// How often what is old is forgotten.
const SWEEP: Duration = Duration::from_secs(60);

/// See the module.
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) keeper: Keeper,
    pub(crate) views: watch::Receiver<Arc<View>>,
    /// Where settings go that were saved.
    pub(crate) saved: watch::Sender<Arc<Settings>>,
    /// What is wrong with servers of STUN and XMPP, by their names in the settings.
    pub(crate) troubles: watch::Receiver<BTreeMap<String, String>>,
    pub(crate) certificates: Arc<Certificates>,
    pub(crate) setup: Setup,
    pub(crate) sessions: Sessions,
    pub(crate) throttle: Throttle,
    pub(crate) passwords: Passwords,
    pub(crate) host: Host,
    pub(crate) uploads: Uploads,
    pub(crate) imports: Imports,
    /// What callers hear who wait.
    pub(crate) sounds: Sounds,
    pub(crate) desk: Desk,
    pub(crate) watching: Watching,
    pub(crate) log: LogRing,
    /// The task of updates, on a box that updates itself.
    pub(crate) update: Option<update::Handle>,
    pub(crate) provisioning: Provisioning,
    /// The database's file.
    pub(crate) db: PathBuf,
    /// One backup at a time is made or read: each takes room on the disk, and memory for its key.
    pub(crate) backing_up: Arc<Semaphore>,
}

/// What comes from the desk, and the way back.
pub(crate) struct Sources {
    pub(crate) views: watch::Receiver<Arc<View>>,
    pub(crate) saved: watch::Sender<Arc<Settings>>,
    pub(crate) troubles: watch::Receiver<BTreeMap<String, String>>,
    pub(crate) log: LogRing,
    pub(crate) wishes: mpsc::Sender<Wish>,
    pub(crate) live: watch::Receiver<Live>,
    pub(crate) update: Option<update::Handle>,
}

impl App {
    pub(crate) fn new(
        config: Config,
        store: Store,
        sources: Sources,
        certificates: Arc<Certificates>,
        setup: Setup,
    ) -> io::Result<Self> {
        let Sources { views, saved, troubles, log, wishes, live, update } = sources;
        backup::tidy(&config.state);
        Ok(Self {
            db: store.path().to_owned(),
            sounds: Sounds::new(store.path()),
            desk: Desk::new(wishes),
            watching: Watching::new(live),
            backing_up: Arc::new(Semaphore::new(1)),
            log,
            update,
            host: Host::new(config.plugins.clone()),
            uploads: Uploads::new(config.plugins.clone(), config.state.clone()),
            imports: Imports::new(config.state.clone()),
            keeper: Keeper::start(store)?,
            passwords: Passwords::new()?,
            provisioning: Provisioning::new(),
            sessions: Sessions::default(),
            throttle: Throttle::default(),
            config,
            views,
            saved,
            troubles,
            certificates,
            setup,
        })
    }

    /// The desk now.
    pub(crate) fn view(&self) -> Arc<View> {
        Arc::clone(&self.views.borrow())
    }

    /// Does something with operators; the desk hears that it must look at them again.
    pub(crate) async fn change_operators<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, KeeperError> {
        let done = self.keeper.ask(work).await?;
        self.desk.operators_changed().await;
        Ok(done)
    }
}

/// Forgets old sessions and uploads, until the task is dropped.
pub(crate) async fn sweep(app: Arc<App>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        let now = Instant::now();
        app.uploads.forget_old(now);
        app.sessions.list(now);
        app.desk.hush(now).await;
    }
}

/// Ends the watching of the screen when its watcher has left, until the task is dropped.
pub(crate) async fn end_watching(app: Arc<App>) {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        app.watching.end_if_left(&app.desk, Instant::now()).await;
    }
}

/// Unix milliseconds.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
