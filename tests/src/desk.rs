//! The appliance itself: `frontdeskd` with its files in a scratch folder, and its command line.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;

use crate::kamailio::{DOMAIN, Kamailio};
use crate::network;
use crate::ports::Ports;
use crate::program::Program;
use crate::repository;
use crate::socket::Client;
use crate::sound::{self, DESK_TONE, MESSAGE_TONE, MUSIC_TONE, Recording};
use crate::telephone::Registers;
use crate::wait;

/// Settings in which a transfer leaves at once and nothing comes back by itself.
pub const NO_TIMERS: &str =
    "[timers]\nundo_ms = 0\nhold_ms = 0\nqueue_ms = 0\npark_ms = 0\nqueue_delay_ms = 0\n";

/// How long the service may take to open its socket.
const START: Duration = Duration::from_secs(20);

/// Where and as whom the desk registers.
#[derive(Clone, Debug)]
pub struct Account {
    /// Domain of the address of record.
    pub domain: String,
    /// `127.0.0.1:PORT`, or a name.
    pub registrar: String,
    /// Secret.
    pub password: String,
    /// How it gets there: `udp`, `tcp`, `tls`, or `auto`.
    pub transport: &'static str,
    /// Whether its calls are encrypted: `off`, `optional` or `mandatory`.
    pub srtp: &'static str,
    /// How it finds its address behind a router: `none`, `registrar` or `stun:HOST:PORT`.
    pub nat: String,
}

impl Account {
    /// User `desk` of an exchange of the tests.
    #[must_use]
    pub fn at(exchange: &impl Registers) -> Self {
        Self::reaching(&exchange.address(), "auto")
    }

    /// User `desk` of a kamailio that is reached there, by this transport.
    #[must_use]
    pub fn reaching(registrar: &str, transport: &'static str) -> Self {
        let password = Kamailio::password("desk");
        let (registrar, nat) = (registrar.into(), "none".into());
        Self { domain: DOMAIN.into(), registrar, password, transport, srtp: "off", nat }
    }

    /// User `desk` of whatever listens on `port`.
    #[must_use]
    pub fn at_port(port: u16) -> Self {
        let registrar = format!("127.0.0.1:{port}");
        let (transport, srtp) = ("auto", "off");
        let (password, nat) = ("secret".into(), "none".into());
        Self { domain: "127.0.0.1".into(), registrar, password, transport, srtp, nat }
    }
}

/// What a desk runs on.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// SIP port.
    pub sip: u16,
    /// First and last RTP port, two a call.
    pub rtp: (u16, u16),
    /// What goes to its log, in the words of `tracing`.
    pub log: &'static str,
}

/// Where in the network a desk stands.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The address that it listens on: `127.0.0.1`, `[::1]`, `0.0.0.0`.
    pub listen: &'static str,
    /// The one in the other family, where it listens too.
    pub other: Option<&'static str>,
    /// Another network than the test's.
    pub within: Option<PathBuf>,
}

impl Default for Standing {
    fn default() -> Self {
        Self { listen: "127.0.0.1", other: None, within: None }
    }
}

/// A running desk with the lines 5550100 (Sales) and 5550101 (Support).
#[derive(Debug)]
pub struct Desk {
    /// The process.
    pub program: Program,
    /// Its socket.
    pub socket: PathBuf,
    /// Its database.
    pub store: PathBuf,
    /// Its SIP port.
    pub sip: u16,
    /// Its first and last RTP port.
    pub rtp: (u16, u16),
    config: PathBuf,
    scratch: PathBuf,
    standing: Standing,
    /// A configuration of ALSA of its own.
    alsa: Option<PathBuf>,
}

impl Desk {
    /// Sets one up, starts it and waits until its socket is open.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    #[track_caller]
    pub fn start(scratch: &Path, ports: &mut Ports, account: &Account) -> Self {
        Self::start_with(scratch, ports, account, NO_TIMERS)
    }

    /// Likewise, with more in its settings file.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    #[track_caller]
    pub fn start_with(scratch: &Path, ports: &mut Ports, account: &Account, settings_more: &str) -> Self {
        let machine = Machine { sip: ports.one(), rtp: ports.rtp(), log: "info,sip=debug" };
        Self::start_on(scratch, account, settings_more, &machine)
    }

    /// Likewise, with another machine under it.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    #[track_caller]
    pub fn start_on(scratch: &Path, account: &Account, settings_more: &str, machine: &Machine) -> Self {
        Self::start_asking(scratch, account, settings_more, machine, None)
    }

    /// Likewise, with a name server of its own for the name of its exchange.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    #[track_caller]
    pub fn start_asking(
        scratch: &Path,
        account: &Account,
        settings_more: &str,
        machine: &Machine,
        names: Option<SocketAddr>,
    ) -> Self {
        Self::start_standing(scratch, account, settings_more, machine, (names, Standing::default()))
    }

    /// Likewise, elsewhere in the network.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    #[track_caller]
    pub fn start_standing(
        scratch: &Path,
        account: &Account,
        settings_more: &str,
        machine: &Machine,
        (names, standing): (Option<SocketAddr>, Standing),
    ) -> Self {
        let folder = scratch.join("desk");
        fs::create_dir_all(&folder).expect("the scratch folder is writable");
        let Machine { sip, rtp, .. } = *machine;
        let (socket, store) = (folder.join("desk.sock"), folder.join("desk.db"));
        let config = folder.join("frontdesk.toml");
        Recording::sine(DESK_TONE, 48_000, 120).write(&folder.join("tone.wav"));
        Recording::sine(MUSIC_TONE, 16_000, 10).write(&folder.join("music.wav"));
        Recording::sine(MESSAGE_TONE, 16_000, 2).write(&folder.join("message.wav"));
        write(&config, &config_file(&folder, machine, names, &standing));
        let settings = folder.join("settings.toml");
        write(&settings, &(settings_file(account) + settings_more));
        let mut import = Command::new(repository::program("frontdeskd"));
        import.arg("--config").arg(&config).args(["settings", "import"]).arg(&settings);
        succeed("frontdeskd settings import", import);
        let program = Program::start("frontdeskd", command(&config, &standing), scratch);
        let scratch = scratch.to_owned();
        let mut desk = Self { program, socket, store, sip, rtp, config, scratch, standing, alsa: None };
        desk.wait_open();
        desk
    }

    /// Starts the service again after its end, with the same files.
    ///
    /// # Panics
    /// When it does not come up.
    #[track_caller]
    pub fn start_again(&mut self) {
        let mut command = command(&self.config, &self.standing);
        command.envs(self.alsa.as_ref().map(|configuration| ("ALSA_CONFIG_PATH", configuration)));
        self.program = Program::start("frontdeskd", command, &self.scratch);
        self.wait_open();
    }

    /// Starts the service again with a file in place of the ringer, which is given back.
    ///
    /// # Panics
    /// When it does not end, or does not come up.
    #[track_caller]
    pub fn ring_into_a_file(&mut self) -> PathBuf {
        assert!(self.program.terminate(START).success(), "frontdeskd did not end well");
        let rings = self.scratch.join("desk/rings.wav");
        let config = fs::read_to_string(&self.config).expect("the settings are still there");
        let ringer = format!("ringer = \"wav:{}\"", rings.display());
        write(&self.config, &config.replace("ringer = \"none\"", &ringer));
        self.start_again();
        rings
    }

    /// Starts the service again with a file in place of the device for notifications, and a synthesiser that writes down
    /// what espeak-ng is given to speak, a line each. Given back: the sound and the lines.
    ///
    /// # Panics
    /// When it does not end, or does not come up.
    #[track_caller]
    pub fn speak_into_a_file(&mut self) -> (PathBuf, PathBuf) {
        assert!(self.program.terminate(START).success(), "frontdeskd did not end well");
        let folder = self.scratch.join("desk");
        let (sound, lines) = (folder.join("spoken.wav"), folder.join("spoken.txt"));
        let program = folder.join("speak");
        let script = format!(
            "#!/bin/sh\ntext=$(cat | tr '\\n' ' ')\nprintf '%s\\n' \"$text\" >> '{}'\n\
             printf '%s' \"$text\" | espeak-ng \"$@\"\n",
            lines.display()
        );
        write(&program, &script);
        write(&lines, "");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("our own file");
        let config = fs::read_to_string(&self.config).expect("the settings are still there");
        let quiet = "ringer = \"none\"\n";
        assert!(config.contains(quiet), "no {quiet} in {config}");
        let config = config.replace(quiet, &format!("{quiet}notifier = \"wav:{}\"\n", sound.display()));
        write(&self.config, &format!("{config}[speech]\nprogram = \"{}\"\n", program.display()));
        self.start_again();
        (sound, lines)
    }

    /// Starts the service again with a microphone that hears nothing but what the loudspeaker plays, so much later and
    /// quieter.
    ///
    /// # Panics
    /// When it does not end, or does not come up.
    #[track_caller]
    pub fn hear_itself(&mut self, later_ms: u32, loss_db: u32) {
        assert!(self.program.terminate(START).success(), "frontdeskd did not end well");
        let config = fs::read_to_string(&self.config).expect("the settings are still there");
        let folder = self.scratch.join("desk");
        let silence = folder.join("silence.wav");
        Recording { rate: 48_000, samples: vec![0; 480] }.write(&silence);
        let tone = format!("wav:{}", folder.join("tone.wav").display());
        assert!(config.contains(&tone), "no {tone} in {config}");
        let echo = format!("echo:{later_ms},{loss_db},{},{}", self.played().display(), silence.display());
        write(&self.config, &config.replace(&tone, &echo));
        self.start_again();
    }

    /// Starts the service again with these devices for speech, best first, in place of files, and this configuration of
    /// ALSA that has them.
    ///
    /// # Panics
    /// When it does not end, or does not come up.
    #[track_caller]
    pub fn use_devices(&mut self, names: &[&str], alsa: &Path) {
        self.alsa = Some(alsa.to_owned());
        assert!(self.program.terminate(START).success(), "frontdeskd did not end well");
        let config = fs::read_to_string(&self.config).expect("the settings are still there");
        let lines = config.lines().map(|line| match line.split_once(" = ") {
            Some((role @ ("speaker" | "microphone"), _)) => format!("{role} = {names:?}\n"),
            _ => format!("{line}\n"),
        });
        write(&self.config, &lines.collect::<String>());
        self.start_again();
    }

    /// Starts the service again with these lines in the table `[sip]`.
    ///
    /// # Panics
    /// When it does not end, or does not come up.
    #[track_caller]
    pub fn start_again_on(&mut self, sip: &str) {
        assert!(self.program.terminate(START).success(), "frontdeskd did not end well");
        let config = fs::read_to_string(&self.config).expect("the settings are still there");
        let listen = format!("listen = \"{}:{}\"\n", self.standing.listen, self.sip);
        write(&self.config, &config.replace(&listen, &format!("{sip}\n")));
        self.start_again();
    }

    /// Starts the service again with the administrator's page on this port of 127.0.0.1, whose address is given
    /// back.
    ///
    /// # Panics
    /// When it does not end, or does not come up.
    #[track_caller]
    pub fn open_admin_page(&mut self, port: u16) -> String {
        self.open_admin_page_with(port, "")
    }

    /// Likewise, with more tables in its configuration.
    ///
    /// # Panics
    /// When it does not end, or does not come up.
    #[track_caller]
    pub fn open_admin_page_with(&mut self, port: u16, more: &str) -> String {
        assert!(self.program.terminate(START).success(), "frontdeskd did not end well");
        let config = fs::read_to_string(&self.config).expect("the settings are still there");
        let state = self.scratch.join("desk/admin");
        let page = format!("[admin]\nlisten = \"127.0.0.1:{port}\"\nstate = {state:?}\n");
        write(&self.config, &format!("{config}{page}{more}"));
        self.start_again();
        format!("https://127.0.0.1:{port}")
    }

    /// Starts the service again with a piece of its settings file replaced.
    ///
    /// # Panics
    /// When the piece is not there, or the desk does not end or come up.
    #[track_caller]
    pub fn change_settings(&mut self, from: &str, to: &str) {
        assert!(self.program.terminate(START).success(), "frontdeskd did not end well");
        let path = self.scratch.join("desk/settings.toml");
        let settings = fs::read_to_string(&path).expect("the settings are still there");
        assert!(settings.contains(from), "no {from:?} in {settings}");
        write(&path, &settings.replace(from, to));
        let mut import = Command::new(repository::program("frontdeskd"));
        import.arg("--config").arg(&self.config).args(["settings", "import"]).arg(&path);
        succeed("frontdeskd settings import", import);
        self.start_again();
    }

    /// Runs `frontdesk-ctl` and gives back the JSON it printed, one value a line.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn ctl(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.try_ctl(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "frontdesk-ctl {arguments:?}: {errors}");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let values = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
        let values: Result<Vec<Value>, _> = values.collect();
        values.unwrap_or_else(|error| panic!("frontdesk-ctl {arguments:?} prints {text:?}: {error}"))
    }

    /// Runs `frontdesk-ctl`, whatever comes of it.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    #[track_caller]
    pub fn try_ctl(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(repository::program("frontdesk-ctl"));
        command.arg("--socket").arg(&self.socket).args(arguments);
        command.output().expect("frontdesk-ctl can be started")
    }

    /// Imports contacts into the local directory `Staff`.
    ///
    /// # Panics
    /// When that fails.
    #[track_caller]
    pub fn import(&self, csv: &str) -> Vec<Value> {
        let path = self.scratch.join("desk/contacts.csv");
        write(&path, csv);
        self.ctl(&["import", &path.display().to_string(), "--directory", "Staff", "--local"])
    }

    /// A new connection to its socket.
    #[must_use]
    #[track_caller]
    pub fn client(&self) -> Client {
        Client::connect(&self.socket)
    }

    /// Likewise, of a program that calls itself that.
    #[must_use]
    #[track_caller]
    pub fn client_as(&self, program: &str) -> Client {
        Client::connect_as(&self.socket, program)
    }

    /// Asks the database from outside, whether or not the desk runs; the rows as sqlite3 prints them.
    ///
    /// # Panics
    /// When sqlite3 is not installed or refuses.
    #[must_use]
    #[track_caller]
    pub fn database(&self, query: &str) -> String {
        let output = Command::new("sqlite3").arg(&self.store).arg(query).output();
        let output = output.expect("sqlite3 is installed (package sqlite3)");
        assert!(output.status.success(), "sqlite3: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What was said to it since its last start, for `frontdeskd replay`.
    #[must_use]
    pub fn recording(&self) -> PathBuf {
        self.scratch.join("desk/desk.rec")
    }

    /// The folder in which the operator finds files of contacts. It is not made before the first export.
    #[must_use]
    pub fn contact_files(&self) -> PathBuf {
        self.scratch.join("desk/contacts")
    }

    /// What it played to the operator so far.
    #[must_use]
    pub fn played(&self) -> PathBuf {
        self.scratch.join("desk/played.wav")
    }

    /// Waits until the operator hears the tone of `hz`.
    ///
    /// # Panics
    /// When that is not so within 10 s.
    #[track_caller]
    pub fn hears(&self, hz: f64) {
        sound::wait_tone("the operator", hz, Duration::from_secs(10), || Some(self.played()));
    }

    /// Waits until the operator hears exactly these tones of those that anybody speaks.
    ///
    /// # Panics
    /// When that is not so within 10 s.
    #[track_caller]
    pub fn hears_mix(&self, present: &[f64]) {
        sound::wait_mix("the operator", present, Duration::from_secs(10), || Some(self.played()));
    }

    /// Waits until the operator hears silence.
    ///
    /// # Panics
    /// When that is not so within 10 s.
    #[track_caller]
    pub fn hears_nothing(&self) {
        sound::wait_silence("the operator", Duration::from_secs(10), || Some(self.played()));
    }

    #[track_caller]
    fn wait_open(&mut self) {
        wait::until("frontdeskd to open its socket", START, || {
            assert!(self.program.exit_status().is_none(), "frontdeskd ended:\n{}", self.program.log());
            std::os::unix::net::UnixStream::connect(&self.socket).ok()
        });
    }
}

fn command(config: &Path, standing: &Standing) -> Command {
    let desk = repository::program("frontdeskd");
    let mut command = match &standing.within {
        None => Command::new(desk),
        Some(network) => network::within(network, desk),
    };
    command.arg("--config").arg(config);
    command
}

/// Runs a command to its end.
#[track_caller]
fn succeed(what: &str, mut command: Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
}

#[track_caller]
fn write(path: &Path, text: &str) {
    fs::write(path, text).expect("the scratch folder is writable");
}

fn config_file(folder: &Path, machine: &Machine, names: Option<SocketAddr>, standing: &Standing) -> String {
    let listen = standing.listen;
    let other = standing.other.map(|other| format!("listen_other = \"{other}:{}\"\n", machine.sip));
    let other = other.unwrap_or_default();
    let dns = names.map(|server| format!("dns = \"{server}\"\n")).unwrap_or_default();
    let folder = folder.display();
    let Machine { sip, rtp, log } = machine;
    format!(
        "socket = \"{folder}/desk.sock\"\nstore = \"{folder}/desk.db\"\n\
         [sip]\nlisten = \"{listen}:{sip}\"\n{other}{dns}\
         [media]\nrtp_ports = [{}, {}]\nspeaker = \"wav:{folder}/played.wav\"\n\
         microphone = \"wav:{folder}/tone.wav\"\nringer = \"none\"\nrealtime = false\n\
         hold_music = \"{folder}/music.wav\"\nannouncement = \"{folder}/message.wav\"\n\
         [plugins]\nsocket = \"{folder}/plugins.sock\"\n\
         [contacts]\nfolders = [\"{folder}/contacts\"]\n\
         [log]\nlevel = \"{log}\"\nrecord = \"{folder}/desk.rec\"\ntrace_kib = 512\n",
        rtp.0, rtp.1
    )
}

fn settings_file(account: &Account) -> String {
    let Account { domain, registrar, password, transport, srtp, nat } = account;
    format!(
        "[operator]\nname = \"Front desk\"\n\
         [[accounts]]\nuser = \"desk\"\ndomain = \"{domain}\"\npassword = \"{password}\"\n\
         registrar = \"{registrar}\"\ntransport = \"{transport}\"\nsrtp = \"{srtp}\"\n\
         nat = \"{nat}\"\n\
         [[lines]]\nnumber = \"5550100\"\nname = \"Sales\"\n\
         [[lines]]\nnumber = \"5550101\"\nname = \"Support\"\n\
         [[directories]]\nname = \"Staff\"\nlocal = true\n"
    )
}
