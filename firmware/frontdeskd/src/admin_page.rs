//! The administrator's page inside the desk: its own connection to the store, its own tasks, and one thing the
//! engine hears of it, the code for the first set-up.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use admin::{Admin, Config as PageConfig, Parts, Sound};
use anyhow::{Context, Result};
use ipc::{SetupView, View};
use store::{Settings, Store};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tracing::warn;

use crate::{
    config::{self, AdminConfig, Config},
    engine::Event,
};

/// What the page sees of the desk, and how the desk hears of settings that it saves.
pub(crate) struct Seen {
    pub(crate) views: watch::Receiver<Arc<View>>,
    pub(crate) settings: watch::Sender<Arc<Settings>>,
    /// Something of them takes effect at the next start.
    pub(crate) restart: watch::Receiver<bool>,
}

/// The page and who tells the engine of it; both end when this is dropped.
pub(crate) struct Page {
    _admin: Admin,
    teller: JoinHandle<()>,
}

impl Drop for Page {
    fn drop(&mut self) {
        self.teller.abort();
    }
}

/// Opens the page, where there shall be one. Telephony does not fail with it: what is wrong is said in the log.
pub(crate) async fn start(
    config: &Config,
    seen: Seen,
    inbox: mpsc::Sender<Event>,
    started: Instant,
    local: SocketAddr,
) -> Option<Page> {
    let page = config.admin.as_ref()?;
    match open(config, page, seen, started, local).await {
        Ok(admin) => {
            let teller = tokio::spawn(tell(admin.setup.clone(), inbox));
            Some(Page { _admin: admin, teller })
        }
        Err(error) => {
            warn!("there is no admin page: {error:#}");
            None
        }
    }
}

async fn open(
    config: &Config,
    page: &AdminConfig,
    seen: Seen,
    started: Instant,
    local: SocketAddr,
) -> Result<Admin> {
    let settings = PageConfig {
        listen: page.listen,
        state: page.state.clone(),
        plugins: config.plugins.socket.clone(),
        version: env!("CARGO_PKG_VERSION").into(),
        started,
        host_name: std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().into(),
        sound: Sound {
            speaker: config.media.speaker.clone(),
            microphone: config.media.microphone.clone(),
            ringer: config.media.ringer.clone(),
        },
    };
    let store = Store::open(&config.store).context("store")?;
    // A documentation address stands for "outside": nothing is sent there.
    let outside = SocketAddr::from(([192, 0, 2, 1], 9));
    let reachable = move || config::address_towards(outside).ok().or(Some(local.ip()));
    let Seen { views, settings: saved, restart } = seen;
    let parts = Parts { store, views, reachable: Box::new(reachable), settings: saved, restart };
    Ok(Admin::start(settings, parts).await?)
}

/// Hands each change of the code or the address to the engine, which shows it.
async fn tell(mut setup: watch::Receiver<Option<SetupView>>, inbox: mpsc::Sender<Event>) {
    setup.mark_changed();
    while setup.changed().await.is_ok() {
        let now = setup.borrow_and_update().clone();
        if inbox.send(Event::Setup(now)).await.is_err() {
            return;
        }
    }
}
