//! `frontdesk-plugin`: what the author of a plugin needs besides a compiler. `pack` puts the manifest into the
//! component, `minisign` signs, `seal` puts the signature in; `inspect` says what an administrator will read.
#![allow(clippy::print_stdout, reason = "a command line says what it found")]

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, Subcommand};
use plugin_host::manifest::Manifest;
use plugin_host::package::{self, Package};
use plugin_host::trust::Trust;

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
    /// Say what a file is, who made it and what it asks for.
    Inspect {
        /// The plugin.
        file: PathBuf,
    },
}

fn main() -> anyhow::Result<()> {
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
    Ok(())
}

fn read(path: &PathBuf) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| path.display().to_string())
}
