//! coturn as a STUN server (RFC 8489) that we did not write.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::program::Program;
use crate::wait;

/// A Binding request (RFC 8489 section 5) with a transaction of its own.
const KNOCK: [u8; 20] = *b"\x00\x01\x00\x00\x21\x12\xa4\x42of a test...";

/// A running server.
#[derive(Debug)]
pub struct StunServer {
    /// The process.
    pub program: Program,
    /// Where it listens, over UDP.
    pub address: SocketAddr,
}

impl StunServer {
    /// Starts it and waits until it answers.
    ///
    /// # Panics
    /// When it is not installed (package coturn) or does not come up.
    #[must_use]
    #[track_caller]
    pub fn start(scratch: &Path, ip: Ipv4Addr, port: u16) -> Self {
        let mut command = Command::new("turnserver");
        command.args([
            "-n",
            "--stun-only",
            "--no-tls",
            "--no-dtls",
            "--no-tcp",
            "--no-cli",
            "--log-file=stdout",
        ]);
        command.args([
            "--pidfile=/dev/null",
            "--listening-ip",
            &ip.to_string(),
            "--listening-port",
            &port.to_string(),
        ]);
        command.current_dir(scratch);
        let mut program = Program::start("turnserver", command, scratch);
        let address = SocketAddr::from((ip, port));
        let socket = UdpSocket::bind((ip, 0)).expect("the address is this machine's, and has a free port");
        socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a timeout can be set");
        wait::until("turnserver to answer", Duration::from_secs(20), || {
            assert!(program.exit_status().is_none(), "turnserver ended:\n{}", program.log());
            let _ = socket.send_to(&KNOCK, address);
            let mut answer = [0; 512];
            let length = socket.recv(&mut answer).ok()?;
            answer[..length].starts_with(&[1, 1]).then_some(())
        });
        Self { program, address }
    }
}
