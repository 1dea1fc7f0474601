//! Free ports on 127.0.0.1 for tests that run side by side in several processes.
//!
//! A [`Ports`] owns a block of a hundred ports for as long as it lives: it keeps the first port of
//! the block bound, so that no other test takes the same block. The blocks lie below the range the
//! kernel gives to sockets that do not care.

use std::io;
use std::net::{Ipv6Addr, SocketAddr, TcpListener, UdpSocket};

const FIRST: u16 = 21_000;
const END: u16 = 32_000;
const BLOCK: u16 = 100;

/// A block of ports that is ours until it is dropped.
#[derive(Debug)]
pub struct Ports {
    base: u16,
    next: u16,
    _lock: TcpListener,
}

impl Ports {
    /// Takes the first free block.
    ///
    /// # Panics
    /// When every block is taken.
    #[must_use]
    pub fn take() -> Self {
        for base in (FIRST..END).step_by(usize::from(BLOCK)) {
            if let Ok(lock) = TcpListener::bind(("127.0.0.1", base)) {
                return Self { base, next: base + 2, _lock: lock };
            }
        }
        panic!("no free block of ports between {FIRST} and {END}");
    }

    /// One free even port whose odd neighbour is free as well, for UDP and TCP alike.
    ///
    /// # Panics
    /// When the first half of the block is used up.
    pub fn one(&mut self) -> u16 {
        while self.next < self.base + BLOCK / 2 {
            let port = self.next;
            self.next += 2;
            if [port, port + 1].into_iter().all(is_free) {
                return port;
            }
        }
        panic!("the block of ports at {} is used up", self.base);
    }

    /// The second half of the block, for RTP: first and last port.
    #[must_use]
    pub fn rtp(&self) -> (u16, u16) {
        (self.base + BLOCK / 2, self.base + BLOCK - 1)
    }
}

/// In both families, as far as the machine has them.
fn is_free(port: u16) -> bool {
    let four = SocketAddr::from(([127, 0, 0, 1], port));
    let six = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
    let is_taken = |error: io::Error| error.kind() == io::ErrorKind::AddrInUse;
    UdpSocket::bind(four).is_ok()
        && TcpListener::bind(four).is_ok()
        && !UdpSocket::bind(six).is_err_and(is_taken)
        && !TcpListener::bind(six).is_err_and(is_taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_blocks_never_overlap() {
        let (mut one, mut two) = (Ports::take(), Ports::take());
        let (a, b) = (one.one(), two.one());
        assert_ne!(a / BLOCK, b / BLOCK);
        assert!(one.rtp().1 < two.base || two.rtp().1 < one.base);
    }

    #[test]
    fn a_taken_port_is_passed_over() {
        let mut ports = Ports::take();
        let taken = UdpSocket::bind(("127.0.0.1", ports.base + 2));
        assert!(taken.is_ok());
        assert_eq!(ports.one(), ports.base + 4);
    }
}
