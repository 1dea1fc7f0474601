//! kamailio as registrar, proxy and presence server: a plain process on a free port, with digest
//! authentication and dialog-info, in front of every peer of a test.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::authority::Identity;
use crate::program::Program;
use crate::telephone::Registers;
use crate::wait;

/// The SIP domain of every account in the tests. It has no DNS entry: whoever wants to reach it
/// must go by the registrar given.
pub const DOMAIN: &str = "desk.test";

/// Debian keeps the empty text tables here.
const TABLES: &str = "/usr/share/kamailio/dbtext/kamailio";
/// Its files, below the scratch folder.
const FOLDER: &str = "kamailio";
const CONFIG_FILE: &str = "kamailio.cfg";
/// Lifetime of a registration that no test waits out.
const AN_HOUR: Duration = Duration::from_secs(3600);
const CONFIG: &str = include_str!("kamailio.cfg");
/// The presence server alone, which anybody may tell of phones and people.
const PRESENCE_CONFIG: &str = include_str!("presence.cfg");
/// It takes datagrams and nothing else, on one address.
const DATAGRAMS: &str = "disable_tcp=yes";
/// The address its presence server goes by.
const SERVER: &str = "modparam(\"presence\", \"server_address\", \"sip:presence@127.0.0.1:@PORT@\")";
/// It takes connections too, encrypted ones at the next port, and all of it in IPv6 as well.
const STREAMS: &str = "disable_tcp=no\ntcp_children=2\ntcp_crlf_ping=yes\nenable_tls=yes\n\
    listen=tcp:127.0.0.1:@PORT@\nlisten=tls:127.0.0.1:@TLS@\nlisten=udp:[::1]:@PORT@\n\
    listen=tcp:[::1]:@PORT@\nloadmodule \"tls.so\"\nmodparam(\"tls\", \"certificate\", \"@CERTIFICATE@\")\n\
    modparam(\"tls\", \"private_key\", \"@KEY@\")\nmodparam(\"tls\", \"tls_method\", \"TLSv1.2+\")";
/// Shared memory in MiB: for a handful of phones, and for thousands.
const MEMORY: (&str, &str) = ("32", "512");

/// Digest algorithm of the challenges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    /// RFC 2617: what every phone can.
    Md5,
    /// RFC 8760.
    Sha256,
}

/// A running kamailio.
#[derive(Debug)]
pub struct Kamailio {
    /// The process.
    pub program: Program,
    /// Its address, 127.0.0.1 unless it was asked for another.
    pub ip: IpAddr,
    /// Its UDP port there.
    pub port: u16,
    memory: &'static str,
    scratch: PathBuf,
}

impl Kamailio {
    /// Starts it and waits until it answers OPTIONS.
    ///
    /// # Panics
    /// When it is not installed or does not come up.
    #[must_use]
    #[track_caller]
    pub fn start(scratch: &Path, port: u16, digest: Digest) -> Self {
        Self::start_granting(scratch, port, digest, AN_HOUR)
    }

    /// Likewise, with a limit of how long a registration may last.
    ///
    /// # Panics
    /// When it is not installed or does not come up.
    #[must_use]
    #[track_caller]
    pub fn start_granting(scratch: &Path, port: u16, digest: Digest, longest: Duration) -> Self {
        Self::start_as(scratch, port, digest, longest, "1", DATAGRAMS)
    }

    /// Likewise; what it says of its phones' calls has neither call-id nor tags.
    ///
    /// # Panics
    /// When it is not installed or does not come up.
    #[must_use]
    #[track_caller]
    pub fn start_hiding(scratch: &Path, port: u16) -> Self {
        Self::start_as(scratch, port, Digest::Md5, AN_HOUR, "0", DATAGRAMS)
    }

    /// Likewise, with UDP and TCP on 127.0.0.1 and [::1], and TLS as `identity` on the next port of 127.0.0.1.
    ///
    /// # Panics
    /// When it or its TLS (package kamailio-tls-modules) is not installed or does not come up.
    #[must_use]
    #[track_caller]
    pub fn start_with_streams(scratch: &Path, port: u16, identity: &Identity) -> Self {
        Self::start_as(scratch, port, Digest::Md5, AN_HOUR, "1", &streams(port, identity))
    }

    /// Another one: registrar and presence server for thousands of phones and people, whose states are told it by
    /// PUBLISH, and no proxy. It keeps everything in memory.
    ///
    /// # Panics
    /// When it is not installed or does not come up.
    #[must_use]
    #[track_caller]
    pub fn start_presence(scratch: &Path, port: u16) -> Self {
        let folder = scratch.join(FOLDER);
        copy_tables(&folder);
        let config = PRESENCE_CONFIG
            .replace("@PORT@", &port.to_string())
            .replace("@FOLDER@", &folder.display().to_string());
        fs::write(folder.join(CONFIG_FILE), config).expect("the scratch folder is writable");
        let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let program = run(scratch, ip, port, MEMORY.1);
        Self { program, ip, port, memory: MEMORY.1, scratch: scratch.to_owned() }
    }

    /// Likewise, on another address of this machine, in either family, and on that alone.
    ///
    /// # Panics
    /// When it is not installed or does not come up.
    #[must_use]
    #[track_caller]
    pub fn start_on(scratch: &Path, ip: impl Into<IpAddr>, port: u16) -> Self {
        Self::start_at(scratch, (ip.into(), port), Digest::Md5, AN_HOUR, "1", DATAGRAMS)
    }

    /// Likewise, with UDP and TCP there and TLS as `identity` on the next port.
    ///
    /// # Panics
    /// When it or its TLS (package kamailio-tls-modules) is not installed or does not come up.
    #[must_use]
    #[track_caller]
    pub fn start_with_streams_on(scratch: &Path, ip: Ipv4Addr, port: u16, identity: &Identity) -> Self {
        let streams = streams(port, identity).replace("127.0.0.1", &ip.to_string());
        Self::start_at(scratch, (ip.into(), port), Digest::Md5, AN_HOUR, "1", &streams)
    }

    #[track_caller]
    fn start_as(
        scratch: &Path,
        port: u16,
        digest: Digest,
        longest: Duration,
        identifiers: &str,
        streams: &str,
    ) -> Self {
        Self::start_at(scratch, (Ipv4Addr::LOCALHOST.into(), port), digest, longest, identifiers, streams)
    }

    #[track_caller]
    fn start_at(
        scratch: &Path,
        (ip, port): (IpAddr, u16),
        digest: Digest,
        longest: Duration,
        identifiers: &str,
        streams: &str,
    ) -> Self {
        let folder = scratch.join(FOLDER);
        copy_tables(&folder);
        let algorithm = match digest {
            Digest::Md5 => "MD5",
            Digest::Sha256 => "SHA-256",
        };
        // Where connections are taken, the presence server is where it was asked.
        let server = if streams == DATAGRAMS { SERVER } else { "" };
        let config = CONFIG
            .replace("@SERVER@", server)
            .replace("127.0.0.1", &host(ip))
            .replace("@STREAMS@", streams)
            .replace("@PORT@", &port.to_string())
            .replace("@FOLDER@", &folder.display().to_string())
            .replace("@EXPIRES@", &longest.as_secs().to_string())
            .replace("@IDENTIFIERS@", identifiers)
            .replace("@ALGORITHM@", algorithm);
        let path = folder.join(CONFIG_FILE);
        fs::write(&path, config).expect("the scratch folder is writable");
        let program = run(scratch, ip, port, MEMORY.0);
        Self { program, ip, port, memory: MEMORY.0, scratch: scratch.to_owned() }
    }

    /// Starts it again after its end. It has forgotten everything: registrations, subscriptions, calls.
    ///
    /// # Panics
    /// When it does not come up.
    #[track_caller]
    pub fn start_again(&mut self) {
        copy_tables(&self.scratch.join(FOLDER));
        self.program = run(&self.scratch, self.ip, self.port, self.memory);
    }

    /// The password it knows `user` by.
    #[must_use]
    pub fn password(user: &str) -> String {
        format!("pw-{user}")
    }

    /// `127.0.0.1:PORT` of its encrypted side, where it has one.
    #[must_use]
    pub fn tls_address(&self) -> String {
        format!("127.0.0.1:{}", self.port + 1)
    }

    /// `IP:PORT`.
    #[must_use]
    pub fn address(&self) -> String {
        SocketAddr::new(self.ip, self.port).to_string()
    }
}

impl Registers for Kamailio {
    fn address(&self) -> String {
        Self::address(self)
    }
}

/// What its configuration says of connections.
fn streams(port: u16, identity: &Identity) -> String {
    STREAMS
        .replace("@TLS@", &(port + 1).to_string())
        .replace("@CERTIFICATE@", &identity.certificate.display().to_string())
        .replace("@KEY@", &identity.key.display().to_string())
}

/// Runs it on the files that are there and waits until it answers.
#[track_caller]
fn run(scratch: &Path, ip: IpAddr, port: u16, memory: &str) -> Program {
    let folder = scratch.join(FOLDER);
    let mut command = Command::new("/usr/sbin/kamailio");
    command.args(["-DD", "-E", "-m", memory, "-M", "4", "-Y"]).arg(&folder);
    command.arg("-f").arg(folder.join(CONFIG_FILE));
    let mut program = Program::start("kamailio", command, scratch);
    wait_ready(&mut program, ip, port);
    program
}

/// An address as URIs have it.
fn host(ip: IpAddr) -> String {
    if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() }
}

#[track_caller]
fn copy_tables(folder: &Path) {
    let tables = folder.join("tables");
    fs::create_dir_all(&tables).expect("the scratch folder is writable");
    let files =
        fs::read_dir(TABLES).unwrap_or_else(|error| panic!("{TABLES}: {error}; is kamailio installed?"));
    for file in files.flatten() {
        fs::copy(file.path(), tables.join(file.file_name())).expect("a table can be copied");
    }
}

/// Knocks with OPTIONS until the answer comes.
#[track_caller]
fn wait_ready(program: &mut Program, ip: IpAddr, port: u16) {
    let socket = UdpSocket::bind((ip, 0)).expect("the address is this machine's, and has a free port");
    socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a timeout can be set");
    let here = socket.local_addr().expect("a bound socket has an address");
    let knock = format!(
        "OPTIONS sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bKknock\r\nMax-Forwards: 9\r\n\
         From: <sip:knock@{here}>;tag=1\r\nTo: <sip:{DOMAIN}>\r\nCall-ID: knock@{here}\r\n\
         CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    );
    wait::until("kamailio to answer OPTIONS", Duration::from_secs(20), || {
        assert!(program.exit_status().is_none(), "kamailio ended:\n{}", program.log());
        // Refused while nobody listens yet: the next knock follows.
        let _ = socket.send_to(knock.as_bytes(), (ip, port));
        let mut answer = [0; 2048];
        let length = socket.recv(&mut answer).ok()?;
        answer[..length].starts_with(b"SIP/2.0 200").then_some(())
    });
}
