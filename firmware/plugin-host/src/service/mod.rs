//! The plugins of this machine as a service: what is installed (`registry`), one actor for each plugin that is
//! enabled (`actor`), and a Unix socket (`listen`, `client`) with the words of `ipc::plugin`.
//!
//! Who waits for whom: a client's thread never waits for a plugin. What needs one (a test, the compiling of an
//! upload, a removal) is done on a thread aside; an actor that is told to stop is not waited for by who told it, but
//! by the next actor of the same plugin. A plugin has two locks: `lane` is held while an administrator's wish is
//! carried out, `face` for a few lines at a time and never while anything is waited for; lists read faces only.
//! Locks are taken in the order gate, plugins, lane, face.

mod actor;
mod asking;
mod changes;
mod client;
mod inspect;
pub mod listen;
mod log;
mod outbox;
mod plugin;
mod requests;
mod sign_in;
mod trial;
mod uploads;
mod words;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ipc::{PluginProblem, PluginView};
use rustls::pki_types::CertificateDer;
use thiserror::Error;

use crate::host::{Host, LoadError, Setup};
use crate::registry::{Registry, RegistryError};
use crate::resolve::Resolver;
use outbox::Outbox;
use plugin::Plugin;

/// Plugins that can be installed.
const MOST_PLUGINS: usize = 64;
/// How long the end of the program waits for its plugins.
const STOP_TIME: Duration = Duration::from_secs(10);

/// How the service is set up.
#[derive(Debug)]
pub struct Config {
    /// Folder of everything that is kept; made if it is not there.
    pub state: PathBuf,
    /// Unsigned plugins may be installed and run.
    pub developer: bool,
    /// BCP 47: what plugins are told.
    pub locale: String,
    /// Authorities that TLS trusts besides the system's.
    pub certificates: Vec<CertificateDer<'static>>,
    /// The binary `frontdesk-plugind`, which compiles as a child.
    pub compiler: PathBuf,
}

/// Why the service cannot start.
#[derive(Debug, Error)]
pub enum ServiceError {
    /// What is installed.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The engine.
    #[error(transparent)]
    Host(#[from] LoadError),
}

/// All plugins.
pub struct Service {
    host: Host,
    registry: Registry,
    developer: bool,
    started: Instant,
    /// Held while plugins come and go.
    gate: Mutex<()>,
    plugins: Mutex<BTreeMap<String, Arc<Plugin>>>,
    followers: Mutex<Vec<Weak<Outbox>>>,
    /// One inspection at a time: a file of 32 MiB and a compiler are enough.
    inspection: Mutex<()>,
}

impl Service {
    /// Reads what is installed and starts what is enabled. A plugin that cannot be read is there all the same,
    /// and says why.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub fn start(config: Config) -> Result<Arc<Self>, ServiceError> {
        let (registry, found) = Registry::open(&config.state)?;
        let setup = Setup {
            compiler: config.compiler,
            cache: registry.compiled(),
            locale: config.locale,
            certificates: config.certificates,
        };
        let service = Arc::new(Self {
            host: Host::new(setup, Resolver::System)?,
            registry,
            developer: config.developer,
            started: Instant::now(),
            gate: Mutex::default(),
            plugins: Mutex::default(),
            followers: Mutex::default(),
            inspection: Mutex::default(),
        });
        for (id, record) in found {
            let plugin = Arc::new(Plugin::open(&service.registry, &id, record));
            service.restart(&plugin, &mut plugin.lane_as_it_is());
            service.plugins().insert(id, plugin);
        }
        tracing::info!(plugins = service.plugins().len(), developer = service.developer, "plugins are read");
        Ok(service)
    }

    /// Ends what runs, and waits for it, but not for ever: a run that is cancelled takes some hundredths of a second,
    /// a directory being written to a slow disk may take longer, and is whole or not there in any case.
    pub fn stop(&self) {
        let plugins: Vec<Arc<Plugin>> = self.plugins().values().map(Arc::clone).collect();
        let ended: Vec<_> = plugins.iter().filter_map(|plugin| plugin.lane_as_it_is().stop()).collect();
        let deadline = Instant::now() + STOP_TIME;
        while !ended.iter().all(JoinHandle::is_finished) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// All plugins, by name.
    fn views(&self) -> Vec<PluginView> {
        let now = self.now();
        let plugins: Vec<Arc<Plugin>> = self.plugins().values().map(Arc::clone).collect();
        let mut views: Vec<PluginView> = plugins.iter().map(|plugin| plugin.view(now)).collect();
        views.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
        views
    }

    fn plugin(&self, id: &str) -> Result<Arc<Plugin>, PluginProblem> {
        self.plugins().get(id).map(Arc::clone).ok_or(PluginProblem::NoSuchPlugin)
    }

    fn plugins(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Plugin>>> {
        self.plugins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn follow(&self, outbox: &Arc<Outbox>) {
        let mut followers = self.followers.lock().unwrap_or_else(PoisonError::into_inner);
        followers.retain(|follower| follower.strong_count() > 0);
        followers.push(Arc::downgrade(outbox));
        outbox.changed();
    }

    /// Something that a follower sees is different.
    fn changed(&self) {
        let followers = self.followers.lock().unwrap_or_else(PoisonError::into_inner);
        for follower in followers.iter().filter_map(Weak::upgrade) {
            follower.changed();
        }
    }

    /// Time since the start, as the actors count it.
    fn now(&self) -> Duration {
        self.started.elapsed()
    }
}
