//! Asterisk as the exchange: registrar, B2BUA with a dial plan, lamps, messages and a parking lot, a plain process on a
//! free port. `.ci/asterisk` unpacks it with all its libraries; nothing of the machine is touched.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::authority::Identity;
use crate::kamailio::Kamailio;
use crate::ports::Ports;
use crate::program::Program;
use crate::telephone::Registers;

/// Its telephones beside the desk: numbers, and the names that it shows.
const TELEPHONES: [(&str, &str); 4] =
    [("2101", "Tomas Rivera"), ("2102", "Ingrid Solberg"), ("2103", "Jonas Becker"), ("2104", "Ada Weber")];
const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";
const PJSIP: &str = include_str!("asterisk/pjsip.conf");
const EXTENSIONS: &str = include_str!("asterisk/extensions.conf");
const PARKING: &str = include_str!("asterisk/res_parking.conf");

/// How an Asterisk of the tests is set up.
#[derive(Clone, Debug)]
pub struct Ways<'a> {
    /// What it speaks with the desk, in its words. With its telephones it speaks G.711 and G.722.
    pub codecs: &'a str,
    /// How long a telephone rings, in seconds.
    pub ring: u32,
    /// Whether it has its telephones send speech to each other.
    pub direct: bool,
    /// Whether its dial plan brings back to the desk whom the desk has transferred in vain.
    pub returns: bool,
    /// Its encrypted side, on the port after the other, and SRTP with it.
    pub identity: Option<&'a Identity>,
}

impl Default for Ways<'_> {
    fn default() -> Self {
        Self { codecs: "alaw,ulaw,g722", ring: 20, direct: false, returns: false, identity: None }
    }
}

/// A running Asterisk.
#[derive(Debug)]
pub struct Asterisk {
    /// The process.
    pub program: Program,
    /// Its port on 127.0.0.1, for UDP and TCP.
    pub port: u16,
    folder: PathBuf,
    _ports: Ports,
}

impl Asterisk {
    /// Starts it, with the accounts `desk` and 2101 to 2104, and waits until it is ready.
    ///
    /// # Panics
    /// When `.ci/asterisk` has not been run, or it does not come up.
    #[must_use]
    #[track_caller]
    pub fn start(scratch: &Path, ways: &Ways<'_>) -> Self {
        let mut ports = Ports::take();
        let (port, rtp) = (ports.one(), ports.rtp());
        let folder = scratch.join("asterisk");
        for name in ["etc", "lib", "run", "log", "spool"] {
            fs::create_dir_all(folder.join(name)).expect("the scratch folder is writable");
        }
        let write = |name: &str, text: &str| {
            fs::write(folder.join("etc").join(name), text).expect("the scratch folder is writable");
        };
        write("asterisk.conf", &directories(&folder));
        write("modules.conf", "[modules]\nautoload=yes\nnoload=app_voicemail_odbc.so\n");
        write("logger.conf", "[logfiles]\nconsole => notice,warning,error,verbose\n");
        write("rtp.conf", &format!("[general]\nrtpstart={}\nrtpend={}\n", rtp.0, rtp.1));
        write("res_parking.conf", PARKING);
        write("voicemail.conf", "[general]\nformat=wav\n[default]\ndesk => 1234,Front desk\n");
        write("pjsip.conf", &pjsip(port, ways));
        write("extensions.conf", &format!("[globals]\nRING={}\n{EXTENSIONS}", ways.ring));
        let mut command = asterisk(&folder);
        command.args(["-f", "-vvv"]);
        let mut program = Program::start("asterisk", command, scratch);
        program.wait_log("Asterisk Ready", Duration::from_secs(60));
        Self { program, port, folder, _ports: ports }
    }

    /// How many channels it has, two for each call that it connects.
    ///
    /// # Panics
    /// When it does not answer.
    #[must_use]
    #[track_caller]
    pub fn channels(&self) -> usize {
        let output = asterisk(&self.folder).args(["-rx", "core show channels concise"]).output();
        let output = output.expect("it was started before");
        String::from_utf8_lossy(&output.stdout).lines().filter(|line| line.starts_with("PJSIP/")).count()
    }
}

impl Asterisk {
    /// `127.0.0.1:PORT` of its encrypted side, where it has one.
    #[must_use]
    pub fn tls_address(&self) -> String {
        format!("127.0.0.1:{}", self.port + 1)
    }
}

impl Registers for Asterisk {
    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

/// Its program with its own loader and libraries: they are of another release than the machine's.
fn asterisk(folder: &Path) -> Command {
    let root = root();
    let mut command = Command::new(root.join(LIBRARIES).join("ld-linux-x86-64.so.2"));
    command.arg("--library-path").arg(root.join(LIBRARIES)).arg(root.join("usr/sbin/asterisk"));
    command.arg("-C").arg(folder.join("etc/asterisk.conf"));
    command
}

/// Where `.ci/asterisk` has unpacked it.
fn root() -> PathBuf {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    home.join(".cache/frontdesk/tools/asterisk")
}

fn directories(folder: &Path) -> String {
    let (root, folder) = (root(), folder.display());
    let (modules, data) = (root.join(LIBRARIES).join("asterisk/modules"), root.join("usr/share/asterisk"));
    format!(
        "[directories]\nastetcdir => {folder}/etc\nastmoddir => {}\nastdatadir => {}\n\
         astvarlibdir => {folder}/lib\nastdbdir => {folder}/lib\nastkeydir => {folder}/lib\n\
         astspooldir => {folder}/spool\nastrundir => {folder}/run\nastlogdir => {folder}/log\n",
        modules.display(),
        data.display()
    )
}

fn pjsip(port: u16, ways: &Ways<'_>) -> String {
    let tls = ways.identity.map(|identity| {
        format!(
            "\n[tls]\ntype=transport\nprotocol=tls\nbind=127.0.0.1:{}\ncert_file={}\npriv_key_file={}\nmethod=tlsv1_2\n",
            port + 1,
            identity.certificate.display(),
            identity.key.display()
        )
    });
    let mut text = PJSIP
        .replace("@PORT@", &port.to_string())
        .replace("@TLS@", tls.as_deref().unwrap_or_default())
        .replace("@DIRECT@", if ways.direct { "yes" } else { "no" })
        .replace("@MEDIA@", if tls.is_some() { "sdes" } else { "no" });
    let returns = if ways.returns { "set_var=TRANSFER_CONTEXT=passed-on\n" } else { "" };
    for (user, name) in [("desk", "Front desk")].into_iter().chain(TELEPHONES) {
        let password = Kamailio::password(user);
        let desk = format!("disallow=all\nallow={}\n{returns}", ways.codecs);
        let more = if user == "desk" { &*desk } else { "" };
        let _ = write!(
            text,
            "\n[{user}](account)\nmailboxes={user}@default\n\
             \n[{user}-secret](secret)\nusername={user}\npassword={password}\n\
             \n[{user}](telephone)\nauth={user}-secret\naors={user}\ncallerid=\"{name}\" <{user}>\n{more}"
        );
    }
    text
}
