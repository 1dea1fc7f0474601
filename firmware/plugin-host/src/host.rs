//! What all plugins share – engine, clock, network – and the gate before them: a file whose author may be
//! trusted. What one plugin is and does is `connector`.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use thiserror::Error;
use tokio::runtime::{Builder, Runtime};
use wasmtime::Engine;

use crate::compile::{self, CompileError};
use crate::gate::Gate;
use crate::manifest::{Manifest, ManifestError};
use crate::package::{Package, PackageError};
use crate::resolve::Resolver;
use crate::trust::Trust;
use crate::way::tls;

/// How often a running guest is looked at.
const TICK: Duration = Duration::from_millis(10);

/// What all plugins share: engine, clock, network.
pub struct Host {
    pub(crate) engine: Engine,
    pub(crate) runtime: Runtime,
    pub(crate) resolver: Arc<Resolver>,
    pub(crate) tls: Arc<ClientConfig>,
    pub(crate) setup: Setup,
    pub(crate) gates: Arc<Gates>,
}

/// Calls at once, of all plugins together: each may use its whole memory.
#[derive(Debug)]
pub(crate) struct Gates {
    /// Pages of directories.
    pub(crate) pages: Gate,
    /// Calls somebody waits for, which do not queue behind pages.
    pub(crate) calls: Gate,
}

/// 16 times 64 MiB are the most that guests can use.
const PAGES: usize = 12;
const CALLS: usize = 4;

/// How a host is set up.
#[derive(Debug)]
pub struct Setup {
    /// The binary `frontdesk-plugind`.
    pub compiler: PathBuf,
    /// Folder of compiled plugins; ours alone.
    pub cache: PathBuf,
    /// BCP 47.
    pub locale: String,
    /// Authorities that TLS trusts besides the system's.
    pub certificates: Vec<CertificateDer<'static>>,
}

/// Why a host or a plugin cannot be had.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The machine has no engine, thread or network for it.
    #[error("the plugin host cannot start: {0}")]
    Host(String),
    /// The file is no package.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// The manifest, the settings or the grants.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Its author is not trusted.
    #[error("its signature does not allow it: {0:?}")]
    Trust(Trust),
    /// It does not compile.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// It imports or exports something else than its manifest says.
    #[error("{0}")]
    World(String),
}

impl Host {
    /// Starts the engine and its clock.
    ///
    /// # Errors
    /// [`LoadError::Host`].
    pub fn new(setup: Setup, resolver: Resolver) -> Result<Self, LoadError> {
        let failed = |error: &dyn std::fmt::Display| LoadError::Host(error.to_string());
        let engine = compile::engine().map_err(|error| failed(&error))?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| failed(&error))?;
        let tls = tls(&setup.certificates).map_err(|error| failed(&error))?;
        let weak = engine.weak();
        let ticker = move || {
            while let Some(engine) = weak.upgrade() {
                engine.increment_epoch();
                drop(engine);
                thread::sleep(TICK);
            }
        };
        thread::Builder::new().name("ticker".to_owned()).spawn(ticker).map_err(|error| failed(&error))?;
        let gates = Arc::new(Gates { pages: Gate::new(PAGES), calls: Gate::new(CALLS) });
        Ok(Self { engine, runtime, resolver: Arc::new(resolver), tls, setup, gates })
    }
}

/// A file whose author may be trusted: the only way to a [`Connector`].
#[derive(Debug)]
pub struct Approved {
    pub(crate) file: Vec<u8>,
    pub(crate) manifest: Manifest,
}

/// What the administrator and the books say of an author.
#[derive(Debug, Clone, Default)]
pub struct Authority {
    /// The key this plugin id had before.
    pub known_key: Option<String>,
    /// The administrator has compared the new key.
    pub new_key_confirmed: bool,
    /// The developer's switch.
    pub developer: bool,
}

impl Approved {
    /// Reads a file and judges its author.
    ///
    /// # Errors
    /// [`LoadError::Package`], [`LoadError::Manifest`] or [`LoadError::Trust`].
    pub fn new(file: Vec<u8>, authority: &Authority) -> Result<Self, LoadError> {
        let package = Package::read(&file)?;
        let manifest = Manifest::parse(package.manifest)?;
        let trust = Trust::of(&package, manifest.plugin.key.as_deref(), authority.known_key.as_deref());
        if !trust.allows(authority.new_key_confirmed, authority.developer) {
            return Err(LoadError::Trust(trust));
        }
        Ok(Self { file, manifest })
    }

    /// What it says of itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }
}
