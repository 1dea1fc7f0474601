//! What every request is answered from.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use ipc::View;
use store::{Settings, Store};
use tokio::sync::watch;

use crate::{
    Config, keeper::Keeper, password::Passwords, plugins::Host, session::Sessions, setup::Setup,
    throttle::Throttle, tls::Certificates, uploads::Uploads,
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
    /// Something of them waits for the next start.
    pub(crate) restart: watch::Receiver<bool>,
    pub(crate) certificates: Arc<Certificates>,
    pub(crate) setup: Setup,
    pub(crate) sessions: Sessions,
    pub(crate) throttle: Throttle,
    pub(crate) passwords: Passwords,
    pub(crate) host: Host,
    pub(crate) uploads: Uploads,
}

/// The ways to the desk and back.
pub(crate) struct Desk {
    pub(crate) views: watch::Receiver<Arc<View>>,
    pub(crate) saved: watch::Sender<Arc<Settings>>,
    pub(crate) restart: watch::Receiver<bool>,
}

impl App {
    pub(crate) fn new(
        config: Config,
        store: Store,
        desk: Desk,
        certificates: Arc<Certificates>,
        setup: Setup,
    ) -> io::Result<Self> {
        Ok(Self {
            host: Host::new(config.plugins.clone()),
            uploads: Uploads::new(config.plugins.clone(), config.state.clone()),
            keeper: Keeper::start(store)?,
            passwords: Passwords::new()?,
            sessions: Sessions::default(),
            throttle: Throttle::default(),
            config,
            views: desk.views,
            saved: desk.saved,
            restart: desk.restart,
            certificates,
            setup,
        })
    }

    /// The desk now.
    pub(crate) fn view(&self) -> Arc<View> {
        Arc::clone(&self.views.borrow())
    }
}

/// Forgets old sessions and uploads, until the task is dropped.
pub(crate) async fn sweep(app: Arc<App>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        let now = Instant::now();
        app.uploads.forget_old(now);
        app.sessions.list(now);
    }
}

/// Unix milliseconds.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
