//! The administrator's web page of the appliance, and the same as a JSON API (APP-1, APP-2, ACC-1).
//!
//! HTTPS only, from the first second: the box makes a certificate of its own until one is uploaded. Pages are made
//! on the box and work without JavaScript; plugins are reached as a client of `frontdesk-plugind`'s socket, and the
//! page works without it.
//!
//! Not done here: SQL (`store`), the desk's calls (`frontdeskd` hands its views over), running plugins.
//!
//! A map: `server` takes connections, `tls` keeps the certificate, `routes` says what is where, `guard` who may, `parts` and `spool` take what is uploaded, `pace` says how long that may take, `range` gives parts of files,
//! `session`, `password`, `throttle` and `setup` how they get in, `pages` and `api` what they see, `plugins` and
//! `uploads` speak with the plugin host, `sounds` keeps what callers hear who wait, `imports` takes files of contacts, `keeper` with the store, `wishes` with the desk, `watching` with its screen, `backup` puts all into one
//! file and back, `provisioning` fetches settings from a server, `logs` and `bundle` are for support, `calendar` and `charts` for statistics, `text` has the words of both languages.

mod api;
mod app;
mod audit;
mod backup;
mod bundle;
mod calendar;
mod cards;
mod charts;
mod fault;
mod fields;
mod form;
mod guard;
mod headers;
mod health;
mod imports;
mod keeper;
mod language;
mod layout;
mod logs;
mod mask;
mod pace;
mod pages;
mod parts;
mod password;
mod pipe;
mod plugin_settings;
mod plugins;
mod provisioning;
mod random;
mod range;
mod routes;
mod server;
mod session;
mod settings;
mod setup;
mod sounds;
mod spool;
mod statics;
mod table;
mod text;
mod throttle;
mod tls;
mod uploads;
mod watching;
mod wishes;

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use ipc::{SetupView, View};
use store::{Settings, Store};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tracing::{info, warn};

use crate::{
    app::{App, Sources},
    setup::Setup,
    tls::Certificates,
};

pub use backup::{Applied, RestoreProblem, SealProblem, apply_waiting};
pub use calendar::hours_of;
pub use imports::ContactsProblem;
pub use logs::{Level, LogRing};
pub use password::pin_fits;
pub use provisioning::ProvisioningConfig;
pub use sounds::{SoundFacts, SoundProblem};
pub use tls::CertificateProblem;
pub use watching::Live;
pub use wishes::Wish;

/// How often the address shown for the first set-up is looked at again: the network may come late.
const ADDRESS_AGAIN: Duration = Duration::from_secs(15);

/// Where things are.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address and TCP port; port 0 takes any free one.
    pub listen: SocketAddr,
    /// A folder for the certificate and uploads on their way; made when it is not there.
    pub state: PathBuf,
    /// The socket of `frontdesk-plugind`.
    pub plugins: PathBuf,
    /// Version of the program.
    pub version: String,
    /// When the program started.
    pub started: Instant,
    /// The name under which the network knows the box.
    pub host_name: String,
    /// The devices in use.
    pub sound: Sound,
    /// Where settings are fetched from (APP-5); without it the desk asks nobody.
    pub provisioning: Option<ProvisioningConfig>,
}

/// Which sound device is which, and what there is for callers who wait, as the desk was told.
#[derive(Clone, Debug, Default)]
pub struct Sound {
    /// Earpiece, best first.
    pub speaker: Vec<String>,
    /// Microphone.
    pub microphone: Vec<String>,
    /// Where it rings.
    pub ringer: Vec<String>,
    /// Where it chimes; where it rings when there is none.
    pub notifier: Vec<String>,
    /// The configuration file names music for callers on hold.
    pub music: bool,
    /// It names an announcement for callers whom a rule answered.
    pub announcement: bool,
}

/// What the page is made of.
pub struct Parts {
    /// A connection of its own to the database.
    pub store: Store,
    /// The desk now.
    pub views: watch::Receiver<Arc<View>>,
    /// Where settings go that were saved: whole, with passwords.
    pub settings: watch::Sender<Arc<Settings>>,
    /// Servers that do not help, by their names in the settings, and why: those of STUN, and that of XMPP by the desk's
    /// address at it.
    pub troubles: watch::Receiver<BTreeMap<String, String>>,
    /// The newest lines of the program's log.
    pub log: LogRing,
    /// Where wishes of the page go.
    pub wishes: mpsc::Sender<Wish>,
    /// The desk's screen, while it is watched.
    pub live: watch::Receiver<Live>,
    /// The task of updates, on a box that updates itself.
    pub update: Option<update::Handle>,
    /// The address at which a browser reaches the box, asked again and again: it may change.
    pub reachable: Box<dyn Fn() -> Option<IpAddr> + Send>,
}

/// Why the page cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The folder for its state cannot be used.
    #[error("{path}: {source}", path = path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The address is taken, or not ours.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The certificate cannot be made.
    #[error("certificate: {0}")]
    Certificate(#[from] CertificateProblem),
    /// The database refuses.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// A thread or the system's source of randomness.
    #[error("{0}")]
    System(#[from] io::Error),
}

/// The page, while it is served; it ends when this is dropped.
#[derive(Debug)]
pub struct Admin {
    /// Where it listens.
    pub address: SocketAddr,
    /// What the touchscreen shows until the first administrator is there.
    pub setup: watch::Receiver<Option<SetupView>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Admin {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Admin {
    /// Takes [`Config::listen`]: from now on browsers that come wait for the page to open.
    ///
    /// # Errors
    /// [`StartError::Listen`].
    pub async fn listen(config: &Config) -> Result<TcpListener, StartError> {
        let address = config.listen;
        TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })
    }

    /// Opens the page. Must be called on a tokio runtime, whose thread it holds up: keys are made, and a password is hashed,
    /// which takes seconds on a slow box.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(config: Config, parts: Parts, listener: TcpListener) -> Result<Self, StartError> {
        let Parts { store, views, settings: saved, troubles, log, wishes, live, update, reachable } = parts;
        let sources = Sources { views, saved, troubles, log, wishes, live, update };
        let folder = |source| StartError::Folder { path: config.state.clone(), source };
        tls::make_folder(&config.state).map_err(folder)?;
        let address = listener.local_addr()?;
        let names = vec![config.host_name.clone(), "localhost".into()];
        let certificates = Certificates::open(&config.state, names, addresses(reachable(), address))?;
        let certificates = Arc::new(certificates);
        let (setup, shown) = Setup::new(store.has_administrator()?)?;
        let app = Arc::new(App::new(config, store, sources, Arc::clone(&certificates), setup)?);
        info!(%address, fingerprint = certificates.facts().fingerprint, "admin page opens");
        let plugins = tokio::spawn(plugins::follow(Arc::clone(&app)));
        let sweeper = tokio::spawn(app::sweep(Arc::clone(&app)));
        let watching = tokio::spawn(app::end_watching(Arc::clone(&app)));
        let provisioning = tokio::spawn(provisioning::follow(Arc::clone(&app)));
        let teller = tokio::spawn(tell_address(Arc::clone(&app), reachable, address));
        let server = tokio::spawn(server::serve(listener, app, certificates));
        Ok(Self {
            address,
            setup: shown,
            tasks: vec![server, plugins, sweeper, watching, provisioning, teller],
        })
    }
}

/// What the box's own certificate counts for beside its names.
fn addresses(reachable: Option<IpAddr>, bound: SocketAddr) -> Vec<IpAddr> {
    let bound = Some(bound.ip()).filter(|ip| !ip.is_unspecified());
    reachable.into_iter().chain(bound).collect()
}

/// Keeps the address that is shown for the first set-up right, and what is known of the certificate's.
async fn tell_address(app: Arc<App>, reachable: Box<dyn Fn() -> Option<IpAddr> + Send>, bound: SocketAddr) {
    loop {
        let reached = reachable();
        app.certificates.reached_at(addresses(reached, bound));
        if app.setup.is_open() {
            let ip = if bound.ip().is_unspecified() { reached } else { Some(bound.ip()) };
            let address = ip.map_or_else(String::new, |ip| match bound.port() {
                443 if ip.is_ipv4() => format!("https://{ip}"),
                443 => format!("https://[{ip}]"),
                port => format!("https://{}", SocketAddr::new(ip, port)),
            });
            app.setup.set_address(address);
            // Made before the network came; nobody has trusted it yet.
            if !app.certificates.missing().is_empty() {
                let certificates = Arc::clone(&app.certificates);
                match tokio::task::spawn_blocking(move || certificates.renew_own()).await {
                    Ok(Ok(facts)) => {
                        info!(fingerprint = facts.fingerprint, "the certificate counts for the address")
                    }
                    Ok(Err(problem)) => warn!(%problem, "the certificate does not count for the address"),
                    Err(error) => warn!(%error, "the certificate does not count for the address"),
                }
            }
        }
        tokio::time::sleep(ADDRESS_AGAIN).await;
    }
}
