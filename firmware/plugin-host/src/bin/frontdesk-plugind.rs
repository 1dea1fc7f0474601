//! `frontdesk-plugind`: runs the plugins of a configuration file, each on a thread of its own, and keeps their
//! directories on disk. It holds no rights and needs none but its folders and the network. With `compile` it
//! is its own child that compiles, see `plugin_host::compile`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use plugin_host::compile::{self, CompileError};
use plugin_host::connector::{Cancel, Connector};
use plugin_host::host::{Approved, Authority, Host, Setup};
use plugin_host::keeper::Keeper;
use plugin_host::limits::Limits;
use plugin_host::manifest::Granted;
use plugin_host::resolve::Resolver;
use plugin_host::sync::SyncLimits;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Runs connectors in a sandbox.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Run the plugins of a configuration file.
    Serve {
        /// TOML, see plugins/README.md.
        config: PathBuf,
        /// Ask each plugin once, then end: non-zero if one of them failed.
        #[arg(long)]
        once: bool,
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
    /// Folder for compiled plugins and directories.
    state: PathBuf,
    /// Unsigned plugins may run.
    #[serde(default)]
    developer: bool,
    #[serde(default = "english")]
    locale: String,
    #[serde(default, rename = "plugin")]
    plugins: Vec<Plugin>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Plugin {
    file: PathBuf,
    /// The author's key, once the administrator has compared it.
    key: Option<String>,
    #[serde(default = "six_hours")]
    interval_seconds: u64,
    #[serde(default)]
    settings: Map<String, Value>,
    #[serde(default)]
    granted: Granted,
}

fn english() -> String {
    "en".to_owned()
}

fn six_hours() -> u64 {
    6 * 3600
}

fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let result = match Arguments::parse().what {
        What::Serve { config, once } => serve(&config, once),
        What::Compile { input, output } => match compile::child(&input, &output) {
            Ok(()) => Ok(()),
            Err(CompileError::Invalid(words)) => {
                // The parent reads these words.
                let _ = std::io::Write::write_all(&mut std::io::stderr(), words.as_bytes());
                return ExitCode::from(u8::try_from(compile::INVALID).unwrap_or(1));
            }
            Err(error) => Err(error.into()),
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

fn serve(path: &Path, once: bool) -> anyhow::Result<()> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let config: Config = toml::from_str(&text).with_context(|| path.display().to_string())?;
    let setup = Setup {
        compiler: std::env::current_exe()?,
        cache: config.state.join("compiled"),
        locale: config.locale,
        certificates: Vec::new(),
    };
    let host = Arc::new(Host::new(setup, Resolver::System)?);
    let started = Instant::now();
    let mut threads = Vec::new();
    for plugin in config.plugins {
        let (host, state) = (Arc::clone(&host), config.state.clone());
        let run = move || {
            let file = plugin.file.clone();
            let ended = run_plugin(&host, &plugin, &state, config.developer, started, once);
            if let Err(error) = &ended {
                tracing::error!(file = %file.display(), "the plugin does not run: {error:#}");
            }
            ended.is_ok()
        };
        threads.push(thread::Builder::new().name("plugin".to_owned()).spawn(run)?);
    }
    let results: Vec<bool> = threads.into_iter().map(|thread| thread.join().unwrap_or(false)).collect();
    if results.contains(&false) {
        bail!("not every plugin could run");
    }
    Ok(())
}

fn run_plugin(
    host: &Host,
    plugin: &Plugin,
    state: &Path,
    developer: bool,
    started: Instant,
    once: bool,
) -> anyhow::Result<()> {
    let file = fs::read(&plugin.file)?;
    let authority = Authority { known_key: plugin.key.clone(), new_key_confirmed: false, developer };
    let approved = Approved::new(file, &authority)?;
    let connector = Connector::load(host, &approved, &plugin.settings, &plugin.granted, Limits::default())?;
    let kept = state.join("directories").join(format!("{}.json", connector.id()));
    let interval = Duration::from_secs(plugin.interval_seconds);
    let mut keeper = Keeper::new(connector, kept, SyncLimits::default(), started.elapsed(), interval)?;
    let cancel = Cancel::default();
    loop {
        let turn = keeper.turn(started.elapsed(), &cancel);
        if once {
            return match turn? {
                plugin_host::keeper::Turn::Synced { .. } => Ok(()),
                other => bail!("{other:?}"),
            };
        }
        if let Err(error) = turn {
            tracing::error!("{error}");
        }
        thread::sleep(Duration::from_secs(1));
    }
}
