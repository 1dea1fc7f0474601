//! `frontdesk-ui`: the console's screen, in a window or as a web page.

use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::rc::Rc;
use std::str::FromStr;

use anyhow::Context;
use clap::Parser;
use frontdesk_ui::{Console, desk, link::Link, time_zone::TimeZone, web};
use slint::ComponentHandle;

/// The screen of the Frontdesk console: shows the desk that frontdeskd keeps, and sends what you
/// touch and type.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The desk service's socket.
    #[arg(long, env = "FRONTDESK_SOCKET", default_value = "/run/frontdesk/desk.sock")]
    socket: PathBuf,
    /// Without any screen: serve the picture as a web page on this address, where clicks, drags and
    /// keys work.
    #[arg(long, value_name = "ADDRESS:PORT")]
    web: Option<SocketAddr>,
    /// Let other machines see and operate that page. It has no password.
    #[arg(long, requires = "web")]
    web_allow_remote: bool,
    /// Size of the picture or window in pixels.
    #[arg(long, default_value = "1280x800", value_name = "WIDTHxHEIGHT")]
    size: Size,
    /// Pixels of the screen per pixel of the design; in a window SLINT_SCALE_FACTOR does the same.
    #[arg(long, default_value_t = 1.0, value_parser = scale, requires = "web")]
    scale: f32,
    /// Folder where the screen keeps how it was arranged: list or table view, the places of the
    /// dividers. Without it, $XDG_STATE_HOME/frontdesk or ~/.local/state/frontdesk.
    #[arg(long, env = "FRONTDESK_UI_STATE", value_name = "FOLDER")]
    state: Option<PathBuf>,
    /// Program that opens the web and e-mail addresses of contacts and customers. It is run with the
    /// address as its only argument, never through a shell, and gets http, https and mailto addresses
    /// only. Without it the screen shows a code for a telephone or tablet to read.
    #[arg(long, env = "FRONTDESK_OPEN_WITH", value_name = "PROGRAM")]
    open_with: Option<PathBuf>,
    /// A Chromium that shows the pages of customers and contacts in a tab. It is a process of its own with a
    /// profile below the state folder.
    #[arg(long, env = "FRONTDESK_BROWSER", value_name = "PROGRAM")]
    browser: Option<PathBuf>,
    /// Fill the screen.
    #[arg(long, conflicts_with = "web")]
    fullscreen: bool,
}

/// Width and height in pixels.
#[derive(Clone, Copy, Debug)]
struct Size {
    width: u32,
    height: u32,
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "a size is like 1280x800, from 640x480 to 7680x4320".to_owned();
        let (width, height) = text.split_once('x').ok_or_else(wrong)?;
        let width = width.parse().ok().filter(|width| (640..=7680).contains(width)).ok_or_else(wrong)?;
        let height = height.parse().ok().filter(|height| (480..=4320).contains(height)).ok_or_else(wrong)?;
        Ok(Self { width, height })
    }
}

fn scale(text: &str) -> Result<f32, String> {
    let scale = text.parse().ok().filter(|scale: &f32| (0.5..=4.0).contains(scale));
    scale.ok_or_else(|| "a scale is a number from 0.5 to 4".into())
}

fn main() -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).init();
    let arguments = Arguments::parse();
    let state = arguments.state.clone().or_else(state_folder);
    let zone = TimeZone::new(state.as_deref());
    if let Some(again) = zone.of_last_time() {
        return go_on(again);
    }
    let size = slint::PhysicalSize::new(arguments.size.width, arguments.size.height);
    let server = match arguments.web {
        Some(address) => Some(web::serve(address, arguments.web_allow_remote, size, arguments.scale)?),
        None => None,
    };
    match run(&arguments, (state, zone), size, server.as_ref())? {
        Some(again) => {
            // Its address is needed again.
            drop(server);
            go_on(again)
        }
        None => Ok(()),
    }
}

/// Becomes this program in another time zone: the same process, so that a compositor that waits for its end does not end too.
fn go_on(mut again: Command) -> anyhow::Result<()> {
    Err(again.exec()).context("cannot go on in the time zone of the desk")
}

/// Where a program keeps what outlives it and nobody would miss in a backup, by the XDG base directory
/// specification: a relative path there is to be ignored.
fn state_folder() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(base.join("frontdesk"))
}

/// Shows the desk until somebody ends it, or until it lives in another time zone: then this program as it is to go on.
fn run(
    arguments: &Arguments,
    (state, zone): (Option<PathBuf>, TimeZone),
    size: slint::PhysicalSize,
    server: Option<&web::Server>,
) -> anyhow::Result<Option<Command>> {
    let outbox = frontdesk_ui::link::Outbox::closed();
    let console = Console::new(outbox.clone()).context("cannot open the screen")?;
    let zone = Rc::new(zone);
    let heard = Rc::clone(&zone);
    console.hear_time_zone(move |name| {
        if heard.is_another(name) {
            // Where the loop has not begun yet it is asked below.
            let _ = slint::quit_event_loop();
        }
    });
    if let Some(program) = arguments.browser.clone().filter(|program| !program.as_os_str().is_empty()) {
        let profile = state.clone().unwrap_or_else(std::env::temp_dir).join("browser");
        console.browse_with(program, profile).context("cannot start a thread")?;
    }
    match state {
        Some(folder) => console.keep_panes(&folder).context("cannot start a thread")?,
        None => tracing::warn!("no --state and no home: where the dividers stand is not kept"),
    }
    if let Some(program) = arguments.open_with.clone().filter(|program| !program.as_os_str().is_empty()) {
        console.open_with(program);
    }
    let app = console.app();
    let link =
        Link::start(&arguments.socket, outbox, desk::doorbell(&app)).context("cannot start a thread")?;
    console.follow(link);
    match server {
        Some(server) => {
            #[allow(clippy::print_stdout, reason = "scripts read the address from here")]
            {
                println!("The desk is on http://{}/", server.address());
            }
        }
        None => {
            app.window().set_size(size);
            app.window().set_fullscreen(arguments.fullscreen);
        }
    }
    app.show().context("cannot show the screen")?;
    if let Some(again) = zone.again() {
        return Ok(Some(again));
    }
    slint::run_event_loop_until_quit().context("the screen ended")?;
    Ok(zone.again())
}
