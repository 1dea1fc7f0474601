//! The scene of the live figures: a desk as it is delivered (log level `info`), registered at
//! [`Exchange`], with room for hundreds of calls.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use frontdesk_tests::house::scratch;
use frontdesk_tests::ports::Ports;
use frontdesk_tests::program::Program;
use frontdesk_tests::screen::Screen;
use frontdesk_tests::socket::Client;
use frontdesk_tests::sound::Recording;
use frontdesk_tests::{repository, wait};
use ipc::{AudioState, CallState, Registration, TurnFigures, View};
use tempfile::TempDir;

use crate::board::{CALLS, LAMPS};
use crate::exchange::Exchange;
use crate::people::person;

/// Ports for sound: two a call; below the kernel's own range and above that of the tests.
const RTP: (u16, u16) = (32_000, 32_767);
const SOON: Duration = Duration::from_secs(20);
/// For all lamps to be lit.
const LONG: Duration = Duration::from_secs(60);

/// Everything that runs.
#[derive(Debug)]
pub(crate) struct House {
    /// `frontdeskd`.
    pub(crate) desk: Program,
    /// Its SIP address.
    pub(crate) sip: SocketAddr,
    /// The exchange and its callers.
    pub(crate) exchange: Exchange,
    ports: Ports,
    // Last: the others write there to their end.
    scratch: TempDir,
}

impl House {
    /// Starts exchange and desk and waits until the desk is registered and has its sound device.
    #[track_caller]
    pub(crate) fn build() -> Self {
        let scratch = scratch();
        let mut ports = Ports::take();
        let (exchange_port, sip_port) = (ports.one(), ports.one());
        let exchange = Exchange::listen(exchange_port);
        let folder = scratch.path();
        let account = Account { domain: "127.0.0.1", password: "secret", port: exchange_port };
        let desk = start_desk(folder, sip_port, &account);
        let sip = SocketAddr::from(([127, 0, 0, 1], sip_port));
        let house = Self { desk, sip, exchange, ports, scratch };
        house.wait("a desk that is ready", SOON, |view| {
            view.operator.registration == Registration::Registered
                && matches!(view.operator.audio, AudioState::Connected { .. })
        });
        house
    }

    /// A screen on the desk.
    #[track_caller]
    pub(crate) fn screen(&mut self) -> Screen {
        let socket = self.socket();
        Screen::start(self.scratch.path(), &mut self.ports, &socket)
    }

    /// Loads `contacts` invented people, 500 of them with a monitored phone, and waits until every
    /// lamp is lit.
    #[track_caller]
    pub(crate) fn import(&self, contacts: u32) {
        import(self.scratch.path(), &contacts_file(contacts));
        self.wait("every lamp lit", LONG, |view| {
            let lit = view.lamps.iter().filter(|lamp| lamp.state != ipc::LampState::Unknown).count();
            lit == LAMPS as usize && view.directories.iter().any(|staff| staff.contacts == contacts)
        });
    }

    /// Waits until there is no call on the desk.
    #[track_caller]
    pub(crate) fn wait_quiet(&self) {
        self.wait("no call", SOON, |view| view.incoming.is_empty() && view.outgoing.is_empty());
    }

    /// Waits until 50 calls ring.
    #[track_caller]
    pub(crate) fn wait_ringing(&self) {
        let ringing =
            |view: &View| view.incoming.iter().filter(|call| call.state == CallState::Ringing).count();
        self.wait("50 calls that ring", SOON, |view| ringing(view) == CALLS as usize);
    }

    /// Waits until every lamp shows `busy` or idle.
    #[track_caller]
    pub(crate) fn wait_lamps(&self, busy: bool) {
        let wanted = if busy { ipc::LampState::Busy } else { ipc::LampState::Available };
        self.wait("every lamp turned", SOON, |view| view.lamps.iter().all(|lamp| lamp.state == wanted));
    }

    /// How long the engine's turns took so far, as `frontdesk-ctl diagnostics` prints it.
    #[track_caller]
    pub(crate) fn turns(&self) -> TurnFigures {
        let text = ctl(self.scratch.path(), &["diagnostics"]);
        let figures: Result<ipc::Diagnostics, _> = serde_json::from_str(&text);
        figures.unwrap_or_else(|error| panic!("frontdesk-ctl diagnostics prints {text:?}: {error}")).turns
    }

    /// Waits for a view of this moment or later. The connection is a new one: one that nobody reads
    /// in between has old views in it, and is closed by the desk.
    #[track_caller]
    fn wait(&self, what: &str, limit: Duration, wanted: impl Fn(&View) -> bool) {
        Client::connect(&self.socket()).wait(what, limit, wanted);
    }

    fn socket(&self) -> PathBuf {
        self.scratch.path().join("desk.sock")
    }
}

/// Where a desk registers as `desk`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account<'a> {
    /// Its domain.
    pub(crate) domain: &'a str,
    /// Its password.
    pub(crate) password: &'a str,
    /// The exchange's port on 127.0.0.1.
    pub(crate) port: u16,
}

/// Starts a desk as it is delivered in `folder`, with its SIP on `sip`, and waits until its socket `desk.sock` is open.
///
/// # Panics
/// When it does not come up.
#[track_caller]
pub(crate) fn start_desk(folder: &Path, sip: u16, account: &Account<'_>) -> Program {
    let (config, settings) = (folder.join("frontdesk.toml"), folder.join("settings.toml"));
    fs::write(&config, config_file(&folder.display().to_string(), sip)).expect("scratch is writable");
    fs::write(&settings, settings_file(account)).expect("scratch is writable");
    Recording::sine(440.0, 48_000, 5).write(&folder.join("tone.wav"));
    let frontdeskd = || {
        let mut command = Command::new(repository::program("frontdeskd"));
        command.arg("--config").arg(&config);
        command
    };
    let imported = frontdeskd().args(["settings", "import"]).arg(&settings).status();
    assert!(imported.is_ok_and(|status| status.success()), "frontdeskd takes its settings");
    let desk = Program::start("frontdeskd", frontdeskd(), folder);
    let socket = folder.join("desk.sock");
    wait::until("frontdeskd to open its socket", SOON, || {
        std::os::unix::net::UnixStream::connect(&socket).ok()
    });
    desk
}

/// Loads a file of contacts into the local directory `Staff` of the desk in `folder`.
///
/// # Panics
/// When it is not taken.
#[track_caller]
pub(crate) fn import(folder: &Path, csv: &str) {
    let file = folder.join("contacts.csv");
    fs::write(&file, csv).expect("scratch is writable");
    ctl(folder, &["import", &file.display().to_string(), "--directory", "Staff", "--local"]);
}

#[track_caller]
fn ctl(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(repository::program("frontdesk-ctl"));
    let output = command.arg("--socket").arg(folder.join("desk.sock")).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("frontdesk-ctl: {error}"));
    assert!(output.status.success(), "frontdesk-ctl: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn config_file(folder: &str, sip: u16) -> String {
    format!(
        "socket = \"{folder}/desk.sock\"\nstore = \"{folder}/desk.db\"\n[sip]\nlisten = \"127.0.0.1:{sip}\"\n\
         [media]\nrtp_ports = [{}, {}]\nspeaker = \"wav:{folder}/played.wav\"\n\
         microphone = \"wav:{folder}/tone.wav\"\nringer = \"none\"\nrealtime = false\n[log]\nlevel = \"info\"\n",
        RTP.0, RTP.1
    )
}

fn settings_file(Account { domain, password, port }: &Account<'_>) -> String {
    format!(
        "[operator]\nname = \"Front desk\"\n[[accounts]]\nuser = \"desk\"\ndomain = \"{domain}\"\n\
         password = \"{password}\"\nregistrar = \"127.0.0.1:{port}\"\n\
         [[lines]]\nnumber = \"5550100\"\nname = \"Sales\"\n"
    )
}

/// Contacts as a CSV file; the first 500 are extensions whose phones are monitored.
fn contacts_file(contacts: u32) -> String {
    let mut text =
        String::from("lastname,firstname,company,office,department,title,phone,mobile,email,presence\n");
    for number in 0..contacts {
        let who = person(number);
        let watched = number < LAMPS;
        let phone = if watched { (2000 + number).to_string() } else { who.phone };
        text += &format!(
            "{},{},{},{},{},{},{phone},{},{},{watched}\n",
            who.last_name,
            who.first_name,
            who.company,
            who.office,
            who.department,
            who.title,
            who.mobile,
            who.email
        );
    }
    text
}
