//! `frontdesk-plugind`: keeps, runs and shows the plugins that an administrator installed, see
//! `plugin_host::service`. It holds no rights and needs none but its folder and the network. With `compile` it is
//! its own child that compiles, see `plugin_host::compile`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use plugin_host::compile::{self, CompileError};
use plugin_host::service::{self, Service, listen};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;

/// Runs connectors in a sandbox.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Run what is installed, until SIGTERM or SIGINT.
    Serve {
        /// TOML, see plugins/README.md.
        config: PathBuf,
    },
    /// Compile one component under limits: what this program starts of itself.
    #[command(hide = true)]
    Compile {
        /// The component.
        input: PathBuf,
        /// The machine code.
        output: PathBuf,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Config {
    /// Folder of everything that is kept.
    state: PathBuf,
    /// The Unix socket.
    socket: PathBuf,
    /// Unsigned plugins may run.
    #[serde(default)]
    developer: bool,
    #[serde(default = "english")]
    locale: String,
    /// PEM files of authorities that TLS trusts besides the system's.
    #[serde(default)]
    certificates: Vec<PathBuf>,
}

fn english() -> String {
    "en".to_owned()
}

fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).init();
    let result = match Arguments::parse().what {
        What::Serve { config } => serve(&config),
        What::Compile { input, output } => match compile::child(&input, &output) {
            Ok(()) => Ok(()),
            Err(CompileError::Invalid(words)) => return told(compile::INVALID, &words),
            Err(error) => return told(compile::FAILED, &error.to_string()),
        },
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The parent reads these words.
fn told(code: i32, words: &str) -> ExitCode {
    // Where they cannot be written, the code says enough.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), words.as_bytes());
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

fn serve(path: &Path) -> anyhow::Result<()> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let config: Config = toml::from_str(&text).with_context(|| path.display().to_string())?;
    let signals = Signals::hold()?;
    let setup = service::Config {
        state: config.state,
        developer: config.developer,
        locale: config.locale,
        certificates: certificates(&config.certificates)?,
        compiler: std::env::current_exe()?,
    };
    let service = Service::start(setup)?;
    let listening = match listen::listen(&service, &config.socket) {
        Ok(listening) => listening,
        Err(error) => {
            service.stop();
            return Err(error.into());
        }
    };
    tracing::info!(socket = %config.socket.display(), "ready");
    let signal = signals.wait()?;
    tracing::info!(signal, "ends");
    drop(listening);
    service.stop();
    Ok(())
}

fn certificates(files: &[PathBuf]) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let mut certificates = Vec::new();
    for file in files {
        let before = certificates.len();
        for certificate in CertificateDer::pem_file_iter(file).with_context(|| file.display().to_string())? {
            certificates.push(certificate.with_context(|| file.display().to_string())?);
        }
        if certificates.len() == before {
            bail!("{}: there is no certificate in it", file.display());
        }
    }
    Ok(certificates)
}

/// SIGTERM and SIGINT, held back from all threads from now on and waited for by one. Children are started without
/// this mask by the standard library.
struct Signals(libc::sigset_t);

impl Signals {
    fn hold() -> anyhow::Result<Self> {
        // SAFETY: a signal set is plain memory that `sigemptyset` fills.
        let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
        // SAFETY: `set` is valid through these calls, and the other pointer may be null.
        let failed = unsafe {
            libc::sigemptyset(&raw mut set);
            libc::sigaddset(&raw mut set, libc::SIGTERM);
            libc::sigaddset(&raw mut set, libc::SIGINT);
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut())
        };
        if failed != 0 {
            bail!("the signals cannot be held: {}", std::io::Error::from_raw_os_error(failed));
        }
        Ok(Self(set))
    }

    fn wait(&self) -> anyhow::Result<i32> {
        let mut signal = 0;
        // SAFETY: both pointers are valid through the call.
        let failed = unsafe { libc::sigwait(&raw const self.0, &raw mut signal) };
        if failed != 0 {
            bail!("the signals cannot be waited for: {}", std::io::Error::from_raw_os_error(failed));
        }
        Ok(signal)
    }
}
