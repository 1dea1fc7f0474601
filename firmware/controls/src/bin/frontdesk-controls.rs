//! `frontdesk-controls`: handset, headset and keypad, see the crate. A client of the desk's socket like the screen, and
//! a program of its own: who hears every key of the house has no way to the network, a driver that hangs holds up no
//! call, and what is ours alone is everybody's again the moment this ends.

use std::fs;
use std::io;
use std::path::PathBuf;

use anyhow::Context;
use clap::Parser;
use controls::shell::{self, Config};
use controls::table::{DeviceTable, OWN};

/// Makes the desk hear its handset, headset and keypad.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The desk's socket.
    #[arg(long, env = "FRONTDESK_SOCKET", default_value = "/run/frontdesk/desk.sock")]
    socket: PathBuf,
    /// An integrator's table of devices, TOML; it need not be there.
    #[arg(long, default_value = "/etc/frontdesk/devices.toml")]
    devices: PathBuf,
    /// A file that is made when the key of the factory reset was held; without it that key is one like any other.
    #[arg(long, env = "FRONTDESK_RESET_WISH")]
    reset_wish: Option<PathBuf>,
    /// `error`, `warn`, `info`, `debug`, `trace`, or a filter.
    #[arg(long, env = "FRONTDESK_LOG", default_value = "info")]
    log: String,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let filter = tracing_subscriber::EnvFilter::try_new(&arguments.log).context("--log")?;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(false).init();
    let path = &arguments.devices;
    let theirs = match fs::read_to_string(path) {
        Ok(text) => DeviceTable::parse(&text).map_err(|error| error.to_string()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(DeviceTable::default()),
        Err(error) => Err(error.to_string()),
    };
    // A handset that works as most do is better than none.
    let theirs = theirs.unwrap_or_else(|error| {
        tracing::error!(table = %path.display(), "a table of devices is left out: {error}");
        DeviceTable::default()
    });
    let table = theirs.then(DeviceTable::parse(OWN).context("the program's own table of devices")?);
    let config = Config {
        socket: arguments.socket,
        dev: "/dev".into(),
        sys: "/sys".into(),
        reset_wish: arguments.reset_wish,
    };
    Ok(shell::run(&config, table)?)
}
