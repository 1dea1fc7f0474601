//! dnsmasq as a name server on the loopback network: the records of a test, and nothing from elsewhere.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::program::Program;
use crate::wait;

/// How long its answers may be believed, in seconds.
const LIFETIME: u32 = 60;

/// By what an exchange wants to be reached: its NAPTR service (RFC 3263 section 4.1), and the first labels of its SRV name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Datagrams.
    Udp,
    /// A stream.
    Tcp,
    /// The same inside TLS.
    Tls,
}

impl Service {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Service::Udp => ("SIP+D2U", "_sip._udp"),
            Service::Tcp => ("SIP+D2T", "_sip._tcp"),
            Service::Tls => ("SIPS+D2T", "_sips._tcp"),
        }
    }
}

/// A machine of an exchange: its name, where it is, and the priority of its SRV record (RFC 2782: lower is better).
#[derive(Clone, Debug)]
pub struct Machine {
    /// Below the domain.
    pub name: &'static str,
    /// Where it is.
    pub at: (IpAddr, u16),
    /// Of its SRV record.
    pub priority: u16,
}

/// A running dnsmasq.
#[derive(Debug)]
pub struct Dnsmasq {
    /// The process.
    pub program: Program,
    /// Where it answers.
    pub address: SocketAddr,
}

impl Dnsmasq {
    /// Starts it with a NAPTR record that says by what, an SRV record and an address for each machine of `domain`, and
    /// waits until it answers.
    ///
    /// # Panics
    /// When it is not installed or does not come up.
    #[must_use]
    #[track_caller]
    pub fn start(scratch: &Path, port: u16, domain: &str, service: Service, machines: &[Machine]) -> Self {
        let (by, labels) = service.words();
        let mut command = Command::new("/usr/sbin/dnsmasq");
        command.args(["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts"]);
        command.args(["--bind-interfaces", "--listen-address=127.0.0.1", "--pid-file=", "--user="]);
        command.args(["--log-facility=-", "--log-queries"]);
        command.arg(format!("--port={port}")).arg(format!("--local-ttl={LIFETIME}"));
        command.arg(format!("--local=/{domain}/"));
        command.arg(format!("--naptr-record={domain},10,10,S,{by},,{labels}.{domain}"));
        for Machine { name, at: (ip, port), priority } in machines {
            command.arg(format!("--srv-host={labels}.{domain},{name}.{domain},{port},{priority},10"));
            command.arg(format!("--host-record={name}.{domain},{ip}"));
        }
        let mut program = Program::start("dnsmasq", command, scratch);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let socket = UdpSocket::bind("127.0.0.1:0").expect("127.0.0.1 has a free port");
        socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a timeout can be set");
        wait::until("dnsmasq to answer", Duration::from_secs(20), || {
            assert!(program.exit_status().is_none(), "dnsmasq ended:\n{}", program.log());
            // Refused while nobody listens yet: the next question follows.
            let _ = socket.send_to(&question(domain), address);
            socket.recv(&mut [0; 512]).ok()
        });
        Self { program, address }
    }
}

/// The question for the address of `name` (RFC 1035 section 4.1).
fn question(name: &str) -> Vec<u8> {
    let mut bytes = vec![0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        bytes.push(u8::try_from(label.len()).unwrap_or(0));
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.extend_from_slice(&[0, 0, 1, 0, 1]);
    bytes
}
