//! The administrator's page inside the desk: its own connection to the store, its own tasks, and what the engine
//! hears of it: the code for the first set-up, and a wish to start anew.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use admin::{Admin, Config as PageConfig, Parts, Sound, Wish};
use anyhow::{Context, Result};
use ipc::{Command, SetupView, SoundLevels};
use store::{Settings, Store};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::{Instant, timeout_at},
};
use tracing::warn;

use crate::{
    config::{self, AdminConfig, Config},
    engine::Event,
    journal::Journal,
    sign_in,
    socket::{self, Desk},
    sound_check,
    stun::Troubles,
    trace,
};

/// Wishes of the page that may wait.
const WISHES: usize = 16;

/// How long the page has the desk measure.
const MEASURED: Duration = Duration::from_secs(2);

/// How the desk hears of settings that the page saves, and the page of servers that do not help.
type Saved = (watch::Sender<Arc<Settings>>, watch::Receiver<Troubles>);

/// The page, who tells the engine of it and who hears its wishes; all end when this is dropped.
pub(crate) struct Page {
    _admin: Admin,
    tasks: [JoinHandle<()>; 2],
}

impl Drop for Page {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Opens the page, where there shall be one. Telephony does not fail with it: what is wrong is said in the log.
pub(crate) async fn start(config: &Config, desk: &Desk, saved: Saved, journal: Journal) -> Option<Page> {
    let page = config.admin.as_ref()?;
    let (wishes, wished) = mpsc::channel(WISHES);
    match open(config, page, desk, saved, &journal, wishes).await {
        Ok(admin) => {
            let teller = tokio::spawn(tell(admin.setup.clone(), desk.inbox.clone()));
            let hearer = tokio::spawn(hear(wished, desk.clone(), journal));
            Some(Page { _admin: admin, tasks: [teller, hearer] })
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
    desk: &Desk,
    saved: Saved,
    journal: &Journal,
    wishes: mpsc::Sender<Wish>,
) -> Result<Admin> {
    let settings = PageConfig {
        listen: page.listen,
        state: page.state.clone(),
        plugins: config.plugins.socket.clone(),
        version: env!("CARGO_PKG_VERSION").into(),
        started: desk.started,
        host_name: std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().into(),
        sound: Sound {
            speaker: config.media.speaker.list(),
            microphone: config.media.microphone.list(),
            ringer: config.media.ringer.list(),
            notifier: config.media.notifier.as_ref().map_or_else(Vec::new, config::Names::list),
        },
        provisioning: config.provisioning.clone().map(provisioning),
    };
    let store = Store::open(&config.store).context("store")?;
    // A documentation address stands for "outside": nothing is sent there.
    let outside = SocketAddr::from(([192, 0, 2, 1], 9));
    // Where nobody comes in from outside, this machine's own address is right; else it says that there is no network yet.
    let own = desk.sip_address.ip();
    let own = (!own.is_loopback() || page.listen.ip().is_loopback()).then_some(own);
    let reachable = move || config::address_towards(outside).ok().or(own);
    let (views, log) = (desk.views.clone(), journal.ring.clone());
    let (live, update) = (desk.watching.live(), desk.update.clone());
    let reachable = Box::new(reachable);
    let (saved, troubles) = saved;
    let parts = Parts { store, views, log, wishes, live, reachable, settings: saved, troubles, update };
    Ok(Admin::start(settings, parts).await?)
}

fn provisioning(config: config::ProvisioningConfig) -> admin::ProvisioningConfig {
    let config::ProvisioningConfig { url, dhcp, leases, allow_http, ca: authorities, certificate, key } =
        config;
    let leases = if dhcp { leases } else { Vec::new() };
    admin::ProvisioningConfig { url, leases, allow_http, authorities, certificate, key }
}

/// Does what the page wishes, one after the other.
async fn hear(mut wished: mpsc::Receiver<Wish>, desk: Desk, journal: Journal) {
    // What it plays ends by itself, and after the page.
    let (mut listener, _) = desk.sound.client();
    while let Some(wish) = wished.recv().await {
        match wish {
            // Who asked may have gone.
            Wish::Trace(answer) => drop(answer.send(trace::file(&desk.inbox).await)),
            Wish::Diagnostics(answer) => drop(answer.send(socket::diagnostics(&desk).await)),
            Wish::Restart(reply) => drop(desk.inbox.send(Event::Restart { reply }).await),
            Wish::Watch { who, done } => drop(done.send(desk.watching.ask(who))),
            Wish::TestSound { test, done } => {
                drop(done.send(listener.obey(&Command::TestSound { test: Some(test) }).await));
            }
            Wish::MeasureSound(answer) => drop(tokio::spawn(measure(desk.sound.clone(), answer))),
            Wish::Operators => sign_in::tell_operators(&desk).await,
            Wish::Level(level) => (journal.set_level)(level),
        }
    }
}

/// Looks at the meter for a moment, and tells the loudest of it.
async fn measure(sound: sound_check::Sound, answer: oneshot::Sender<SoundLevels>) {
    let (mut listener, mut follower) = sound.client();
    let until = Instant::now() + MEASURED;
    let mut loudest: Option<SoundLevels> = None;
    if listener.obey(&Command::Meter { on: true }).await.is_ok() {
        while let Ok(view) = timeout_at(until, follower.next()).await {
            let Some(now) = view.levels else { continue };
            let before = loudest.unwrap_or(now);
            loudest = Some(SoundLevels {
                input_dbfs: before.input_dbfs.max(now.input_dbfs),
                output_dbfs: before.output_dbfs.max(now.output_dbfs),
            });
        }
    }
    listener.leave().await;
    if let Some(loudest) = loudest {
        // Who asked may have gone.
        let _ = answer.send(loudest);
    }
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
