//! `frontdesk-pbx`: the simulated exchange as a program, and the data of its demo.

use std::io::{self, IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Parser, Subcommand, ValueEnum};
use frontdesk_pbx::{Options, Pbx, demo, script};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// A simulated exchange for Frontdesk: a registrar, forty extensions 2101 to 2140, and people who call.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(flatten)]
    run: Run,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(clap::Args)]
struct Run {
    /// Where to serve SIP over UDP; port 0 takes any free one
    #[arg(long, default_value = "127.0.0.1:5070")]
    listen: SocketAddr,
    /// Where to serve the control line (JSON, a line each) over TCP
    #[arg(long)]
    control: Option<SocketAddr>,
    /// What happens by itself
    #[arg(long, value_enum, default_value_t = ScriptName::Monday)]
    script: ScriptName,
    /// Decides who calls when; the same seed gives the same callers
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Serve other machines than this one too
    #[arg(long)]
    allow_remote: bool,
    /// User of the desk's account
    #[arg(long, default_value = demo::DEMO_USER)]
    user: String,
    /// Password of the desk's account
    #[arg(long, env = "FRONTDESK_PBX_PASSWORD", default_value = demo::DEMO_PASSWORD, hide_env_values = true)]
    password: String,
    /// Seconds a transfer target that does not answer is rung
    #[arg(long, default_value_t = 20)]
    transfer_patience: u64,
}

#[derive(Subcommand)]
enum Command {
    /// Print the settings of a desk for `frontdeskd settings import`
    DemoSettings {
        /// Where the exchange listens
        #[arg(long, default_value = "127.0.0.1:5070")]
        registrar: SocketAddr,
    },
    /// Print one of the demo's directories as CSV
    DemoDirectory {
        /// Which one
        directory: DirectoryName,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum DirectoryName {
    Staff,
    Customers,
    Suppliers,
}

#[derive(Clone, Copy, ValueEnum)]
enum ScriptName {
    /// Nothing, until the control line asks for it
    Quiet,
    /// An ordinary morning: at most six callers at once
    Monday,
    /// The day after the holidays
    Busy,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    match arguments.command {
        Some(Command::DemoSettings { registrar }) => {
            let text = demo::settings_toml(registrar, demo::DEMO_USER, demo::DEMO_PASSWORD)?;
            io::stdout().write_all(text.as_bytes()).context("printing the settings")
        }
        Some(Command::DemoDirectory { directory }) => print_directory(directory),
        None => run(arguments.run),
    }
}

fn print_directory(directory: DirectoryName) -> anyhow::Result<()> {
    let directory = match directory {
        DirectoryName::Staff => demo::Directory::Staff,
        DirectoryName::Customers => demo::Directory::Customers,
        DirectoryName::Suppliers => demo::Directory::Suppliers,
    };
    demo::write_csv(directory, io::stdout().lock()).context("printing the directory")
}

fn run(run: Run) -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let colour = io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(colour).init();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Before the first word is printed, so that whoever reads it may send a signal at once.
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    let pbx = Pbx::start(Options {
        listen: run.listen,
        control: run.control,
        allow_remote: run.allow_remote,
        user: run.user,
        password: run.password,
        script: match run.script {
            ScriptName::Quiet => script::QUIET,
            ScriptName::Monday => script::MONDAY,
            ScriptName::Busy => script::BUSY,
        },
        seed: run.seed,
        transfer_patience: Duration::from_secs(run.transfer_patience),
    })?;
    let mut out = io::stdout();
    match pbx.control() {
        Some(control) => writeln!(out, "ready {} control {control}", pbx.address())?,
        None => writeln!(out, "ready {}", pbx.address())?,
    }
    out.flush()?;
    runtime.block_on(async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    });
    pbx.stop();
    Ok(())
}
