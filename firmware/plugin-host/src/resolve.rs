//! Names into addresses: the system's resolver, or fixed answers where a test plays the name server.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Mutex;

/// Where addresses come from.
#[derive(Debug)]
pub enum Resolver {
    /// The system's.
    System,
    /// Each name has a list of answers that are given one after the other, the last for ever.
    Fixed(Mutex<HashMap<String, Vec<Vec<IpAddr>>>>),
    /// The conformance kit's: every name is a stand-in on this port of 127.0.0.1, which speaks no TLS.
    Stage(u16),
}

impl Resolver {
    /// Fixed answers.
    #[must_use]
    pub fn fixed(answers: HashMap<String, Vec<Vec<IpAddr>>>) -> Self {
        Self::Fixed(Mutex::new(answers))
    }

    pub(crate) fn is_stage(&self) -> bool {
        matches!(self, Self::Stage(_))
    }

    /// The port of the stand-in.
    pub(crate) fn stage_port(&self) -> Option<u16> {
        match self {
            Self::Stage(port) => Some(*port),
            Self::System | Self::Fixed(_) => None,
        }
    }

    /// The addresses of a name; an address is its own.
    pub(crate) async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<IpAddr>> {
        if self.is_stage() {
            return Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]);
        }
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        match self {
            Self::System => {
                Ok(tokio::net::lookup_host((host, port)).await?.map(|found| found.ip()).collect())
            }
            Self::Fixed(answers) => {
                let mut answers = answers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let list = answers.get_mut(host).ok_or(io::ErrorKind::NotFound)?;
                Ok(if list.len() > 1 { list.remove(0) } else { list.first().cloned().unwrap_or_default() })
            }
            Self::Stage(_) => Ok(Vec::new()),
        }
    }
}
