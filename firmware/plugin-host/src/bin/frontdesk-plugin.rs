//! `frontdesk-plugin`: what the author of a plugin needs besides a compiler. `pack` puts the manifest into the
//! component, `minisign` signs, `seal` puts the signature in; `inspect` says what an administrator will read;
//! `check` runs it against servers that answer well and badly.
#![allow(clippy::print_stdout, reason = "a command line says what it found")]

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use plugin_host::check::{self, Options, Play};
use plugin_host::manifest::Manifest;
use plugin_host::package::{self, Package};
use plugin_host::trust::Trust;
use serde_json::{Map, Value};

/// Packs, seals and inspects plugins.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Component and manifest into one file.
    Pack {
        /// What `cargo build --target wasm32-wasip2` made.
        component: PathBuf,
        /// `connector.toml`.
        manifest: PathBuf,
        /// The plugin.
        output: PathBuf,
    },
    /// A packed file and its signature (`minisign -S -m FILE`) into one file.
    Seal {
        /// What `pack` made.
        packed: PathBuf,
        /// What minisign made of it.
        signature: PathBuf,
        /// The plugin.
        output: PathBuf,
    },
    /// Run a plugin against servers of all moods and say what passes and what fails.
    Check {
        /// The plugin.
        file: PathBuf,
        /// A setting, `key=value`; what is needed and not named is made up.
        #[arg(long = "set", value_name = "KEY=VALUE")]
        settings: Vec<String>,
        /// What its web server answers when all is well, or the vCards of its CardDAV server; without it, people that
        /// are made up, in JSON or as cards.
        #[arg(long, value_name = "FILE")]
        answer: Option<PathBuf>,
        /// What its web server answers to which request, and settings that fit: see plugins/README.md.
        #[arg(long, value_name = "FILE")]
        play: Option<PathBuf>,
        /// Folder that keeps what was compiled; without it, one that is removed at the end.
        #[arg(long, value_name = "FOLDER")]
        cache: Option<PathBuf>,
    },
    /// Say what plugins cost: to compile, load and call, and in memory; a line of JSON each.
    Cost {
        /// The plugins.
        files: Vec<PathBuf>,
        /// How often each is loaded and called.
        #[arg(long, default_value_t = 100)]
        runs: usize,
    },
    /// Say what a file is, who made it and what it asks for.
    Inspect {
        /// The plugin.
        file: PathBuf,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().what {
        What::Pack { component, manifest, output } => {
            let text = fs::read_to_string(&manifest).with_context(|| manifest.display().to_string())?;
            let parsed = Manifest::parse(&text).with_context(|| manifest.display().to_string())?;
            let packed = package::pack(&read(&component)?, &text)?;
            fs::write(&output, &packed).with_context(|| output.display().to_string())?;
            println!("{} {}: {} bytes, not signed", parsed.plugin.id, parsed.plugin.version, packed.len());
        }
        What::Seal { packed, signature, output } => {
            let text = fs::read_to_string(&signature).with_context(|| signature.display().to_string())?;
            let sealed = package::seal(&read(&packed)?, &text)?;
            let package = Package::read(&sealed)?;
            let manifest = Manifest::parse(package.manifest)?;
            let trust = Trust::of(&package, manifest.plugin.key.as_deref(), None);
            anyhow::ensure!(matches!(trust, Trust::New { .. }), "not sealed: {trust:?}");
            fs::write(&output, &sealed).with_context(|| output.display().to_string())?;
            println!("{} {}: {} bytes, signed", manifest.plugin.id, manifest.plugin.version, sealed.len());
        }
        What::Check { file, settings, answer, play, cache } => {
            return check(&file, &settings, answer, play, cache);
        }
        What::Cost { files, runs } => {
            for file in &files {
                cost(file, runs)?;
            }
        }
        What::Inspect { file } => {
            let bytes = read(&file)?;
            let package = Package::read(&bytes)?;
            let manifest = Manifest::parse(package.manifest)?;
            let trust = Trust::of(&package, manifest.plugin.key.as_deref(), None);
            println!("{} {} ({})", manifest.plugin.name, manifest.plugin.version, manifest.plugin.id);
            println!("{}", manifest.plugin.description);
            println!("Author: {trust:?}");
            for wish in manifest.wishes() {
                println!("- {wish}");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn check(
    file: &PathBuf,
    settings: &[String],
    answer: Option<PathBuf>,
    play: Option<PathBuf>,
    cache: Option<PathBuf>,
) -> anyhow::Result<ExitCode> {
    let play = match &play {
        Some(path) => serde_json::from_slice(&read(path)?).with_context(|| path.display().to_string())?,
        None => Play::default(),
    };
    let pairs = settings.iter().map(|pair| {
        let (key, value) = pair.split_once('=').with_context(|| format!("{pair}: write key=value"))?;
        // A number or a truth value is one; all else is text.
        let value = serde_json::from_str(value).ok().filter(|value: &Value| !value.is_string());
        let text = pair.split_once('=').map_or("", |(_, text)| text);
        Ok((key.to_owned(), value.unwrap_or_else(|| text.into())))
    });
    let scratch = scratch();
    let options = Options {
        compiler: compiler()?,
        cache: cache.clone().unwrap_or_else(|| scratch.clone()),
        settings: pairs.collect::<anyhow::Result<_>>()?,
        answer: answer.as_ref().map(read).transpose()?,
        play,
    };
    let report = check::run(read(file)?, &options);
    if cache.is_none() {
        // Left behind, it would only take room.
        let _ = fs::remove_dir_all(&scratch);
    }
    let report = report?;
    for line in report.lines() {
        println!("{line}");
    }
    let failures = report.failures();
    println!("{failures} of {} checks failed", report.judged());
    Ok(if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn cost(file: &PathBuf, runs: usize) -> anyhow::Result<()> {
    // Compiled anew: that is one of the costs.
    let scratch = scratch();
    let options = Options {
        compiler: compiler()?,
        cache: scratch.clone(),
        settings: Map::new(),
        answer: None,
        play: Play::default(),
    };
    let costs = check::cost(&read(file)?, &options, runs);
    let _ = fs::remove_dir_all(&scratch);
    let costs = costs.with_context(|| file.display().to_string())?;
    println!("{}", serde_json::json!({ "plugin": file, "costs": costs }));
    Ok(())
}

/// A folder of this run, to be removed at its end.
fn scratch() -> PathBuf {
    std::env::temp_dir().join(format!("frontdesk-plugin-{}", std::process::id()))
}

/// The program beside this one, which compiles.
fn compiler() -> anyhow::Result<PathBuf> {
    let compiler = std::env::current_exe()?.with_file_name("frontdesk-plugind");
    anyhow::ensure!(compiler.is_file(), "{} compiles plugins and is not there", compiler.display());
    Ok(compiler)
}

fn read(path: &PathBuf) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| path.display().to_string())
}
