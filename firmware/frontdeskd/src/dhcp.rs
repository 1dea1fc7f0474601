//! `frontdeskd dhcp-options`: what systemd-networkd does not keep of its leases (APP-5).
//!
//! networkd drops option 66 whatever it is told to request, so that the server of each of its leases is asked once more, by
//! a DHCPINFORM (RFC 2131 section 3.4), which takes no lease and changes none. Answers come to port 68, where networkd has
//! its own socket: they are heard by a packet socket beside it, for which the program needs CAP_NET_RAW and nothing else.
//! (dnsmasq answers to the port that it was asked from, which the packet socket hears as well.)
//! What is answered goes into files of the form of networkd's leases. Not done here: what the words mean
//! (`admin/src/provisioning/lease.rs`). The bytes of questions and answers are `packet`.

mod packet;

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read},
    net::{Ipv4Addr, UdpSocket},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use socket2::{Domain, Protocol, Socket, Type};
use tracing::warn;

use packet::{Options, SERVER, answer, lines, message};

/// IPv4, as Ethernet calls it.
const ETH_P_IP: u16 = 0x0800;
/// How often a server is asked, and how long each time.
const TRIES: u32 = 3;
const PATIENCE: Duration = Duration::from_secs(2);

/// What networkd notes of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lease {
    address: Ipv4Addr,
    server: Ipv4Addr,
}

/// Asks the server of each lease, and writes what it says; what was said of leases that are no more is removed.
///
/// # Errors
/// A folder cannot be read or written, or a server cannot be asked: the others are asked all the same. Servers that do not
/// answer are none.
pub(crate) fn ask_all(leases: &Path, into: &Path) -> Result<()> {
    ask_each(leases, Path::new("/sys/class/net"), into, ask)
}

fn ask_each(
    leases: &Path,
    interfaces: &Path,
    into: &Path,
    ask: impl Fn(Lease, [u8; 6]) -> io::Result<Option<Options>>,
) -> Result<()> {
    fs::create_dir_all(into).with_context(|| format!("cannot make {}", into.display()))?;
    let entries = match fs::read_dir(leases) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return forget(into, &BTreeSet::new()),
        entries => entries.with_context(|| format!("cannot read {}", leases.display()))?,
    };
    let (mut there, mut trouble) = (BTreeSet::new(), None);
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot read {}", leases.display()))?;
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        // The file is called by the number of its interface.
        let number = entry.file_name().to_string_lossy().into_owned();
        there.insert(number.clone());
        let (Some(lease), Some(hardware)) = (lease(&text), hardware(interfaces, &number)) else { continue };
        let options = match ask(lease, hardware) {
            Ok(Some(options)) => options,
            // What a server said before counts until it says something else.
            Ok(None) => continue,
            Err(error) => {
                // An address may be there in a moment, or gone; the servers of the others are asked now.
                warn!(server = %lease.server, %error, "a DHCP server cannot be asked");
                trouble = Some((lease.server, error));
                continue;
            }
        };
        let beside = into.join(format!(".{number}.new"));
        fs::write(&beside, lines(&options)).with_context(|| format!("cannot write {}", beside.display()))?;
        fs::rename(&beside, into.join(number))
            .with_context(|| format!("cannot write into {}", into.display()))?;
    }
    forget(into, &there)?;
    trouble.map_or(Ok(()), |(server, error)| Err(error).with_context(|| format!("cannot ask {server}")))
}

/// Removes what was said of leases that are no more.
fn forget(into: &Path, there: &BTreeSet<String>) -> Result<()> {
    let unreadable = || format!("cannot read {}", into.display());
    for entry in fs::read_dir(into).with_context(unreadable)? {
        let entry = entry.with_context(unreadable)?;
        if !there.contains(entry.file_name().to_string_lossy().as_ref()) {
            let path = entry.path();
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

fn lease(text: &str) -> Option<Lease> {
    let of = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    Some(Lease { address: of("ADDRESS=")?, server: of("SERVER_ADDRESS=")? })
}

/// The hardware address of the interface with this number.
fn hardware(interfaces: &Path, number: &str) -> Option<[u8; 6]> {
    let interface = fs::read_dir(interfaces).ok()?.flatten().find(|entry| {
        fs::read_to_string(entry.path().join("ifindex")).is_ok_and(|found| found.trim() == number)
    })?;
    let text = fs::read_to_string(interface.path().join("address")).ok()?;
    let bytes: Option<Vec<u8>> =
        text.trim().split(':').map(|pair| u8::from_str_radix(pair, 16).ok()).collect();
    bytes?.try_into().ok()
}

/// Asks one server; `None` when it does not answer.
fn ask(lease: Lease, hardware: [u8; 6]) -> io::Result<Option<Options>> {
    let mut number = [0; 4];
    getrandom::fill(&mut number).map_err(|error| io::Error::other(error.to_string()))?;
    // Before anything is asked, so that no answer is missed.
    let mut ear =
        Socket::new(Domain::PACKET, Type::DGRAM, Some(Protocol::from(i32::from(ETH_P_IP.to_be()))))?;
    ear.set_read_timeout(Some(Duration::from_millis(200)))?;
    let mouth = UdpSocket::bind((lease.address, 0))?;
    let port = mouth.local_addr()?.port();
    let message = message(lease.address, hardware, number);
    for _ in 0..TRIES {
        mouth.send_to(&message, (lease.server, SERVER))?;
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            let mut packet = [0; 2048];
            match ear.read(&mut packet) {
                Ok(bytes) => {
                    if let Some(options) = packet.get(..bytes).and_then(|packet| answer(packet, number, port))
                    {
                        return Ok(Some(options));
                    }
                }
                Err(error) if is_nothing(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(None)
}

/// Nothing was heard for a moment.
fn is_nothing(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn app_5_a_lease_says_whom_to_ask() {
        let text = "# This is private data. Do not parse.\nADDRESS=192.0.2.23\nSERVER_ADDRESS=192.0.2.1\n";
        let wanted = Lease { address: [192, 0, 2, 23].into(), server: [192, 0, 2, 1].into() };
        assert_eq!(lease(text), Some(wanted));
        assert_eq!(lease("ADDRESS=192.0.2.23\n"), None);
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("enp1s0")).unwrap();
        fs::write(folder.path().join("enp1s0/ifindex"), "2\n").unwrap();
        fs::write(folder.path().join("enp1s0/address"), "52:54:00:12:34:56\n").unwrap();
        assert_eq!(hardware(folder.path(), "2"), Some([0x52, 0x54, 0, 0x12, 0x34, 0x56]));
        assert_eq!(hardware(folder.path(), "3"), None);
    }

    #[test]
    fn app_5_a_server_that_cannot_be_asked_keeps_nobody_else_from_being_asked() {
        let folder = tempfile::tempdir().unwrap();
        let [leases, interfaces, into] = ["leases", "net", "into"].map(|name| folder.path().join(name));
        fs::create_dir_all(&leases).unwrap();
        fs::create_dir_all(&into).unwrap();
        for number in 1..=3_u8 {
            let interface = interfaces.join(format!("eth{number}"));
            fs::create_dir_all(&interface).unwrap();
            fs::write(interface.join("ifindex"), format!("{number}\n")).unwrap();
            fs::write(interface.join("address"), "52:54:00:12:34:56\n").unwrap();
            let text = format!("ADDRESS=192.0.2.2{number}\nSERVER_ADDRESS=192.0.2.{number}\n");
            fs::write(leases.join(number.to_string()), text).unwrap();
        }
        for name in ["1", "7", ".7.new"] {
            fs::write(into.join(name), "OPTION_66=6f6c64\n").unwrap();
        }
        // The first has gone out of order, the second does not answer, the third does.
        let ask = |lease: Lease, _| match lease.server.octets()[3] {
            1 => Err(io::ErrorKind::NetworkUnreachable.into()),
            2 => Ok(None),
            _ => Ok(Some(vec![(66, b"new".to_vec())])),
        };
        let error = ask_each(&leases, &interfaces, &into, ask).unwrap_err().to_string();
        assert_eq!(error, "cannot ask 192.0.2.1");
        let said = |name: &str| fs::read_to_string(into.join(name)).ok();
        assert_eq!(said("3").as_deref(), Some("OPTION_66=6e6577\n"));
        assert_eq!(said("1").as_deref(), Some("OPTION_66=6f6c64\n"), "what it said counts on");
        assert_eq!((said("7"), said(".7.new")), (None, None), "of a lease that is no more");
        fs::remove_dir_all(&leases).unwrap();
        ask_each(&leases, &interfaces, &into, ask).unwrap();
        assert_eq!(fs::read_dir(&into).unwrap().count(), 0);
    }
}
