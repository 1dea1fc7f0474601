//! Who may talk to the page: this machine, and pages that came from here.
//!
//! A web site open in a browser on this machine must not be able to press "Answer". Its requests
//! carry its own `Origin`; after DNS rebinding they carry its own `Host`. Both are refused.

use std::net::{IpAddr, SocketAddr};

/// The rules of one server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guard {
    address: SocketAddr,
    remote: bool,
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the Host header is missing or names another machine")]
    Host,
    #[error("the request comes from a page of another site")]
    Origin,
}

impl Guard {
    /// `remote`: other machines may look and touch too.
    pub(crate) fn new(address: SocketAddr, remote: bool) -> Self {
        Self { address, remote }
    }

    /// Judges the headers of a request.
    pub(crate) fn check(&self, host: Option<&str>, origin: Option<&str>) -> Result<(), Refusal> {
        let host = host.ok_or(Refusal::Host)?;
        if !self.is_ours(host) {
            return Err(Refusal::Host);
        }
        match origin {
            None => Ok(()),
            // The page's own requests: its origin is the host it came from.
            Some(origin) if origin.strip_prefix("http://") == Some(host) => Ok(()),
            Some(_) => Err(Refusal::Origin),
        }
    }

    fn is_ours(&self, host: &str) -> bool {
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
            _ => (host, Some(80)),
        };
        if port != Some(self.address.port()) {
            return false;
        }
        if name.eq_ignore_ascii_case("localhost") {
            return true;
        }
        // A name can be made to point anywhere, an address cannot.
        let address: Option<IpAddr> = name.trim_start_matches('[').trim_end_matches(']').parse().ok();
        address.is_some_and(|address| self.remote || address.is_loopback())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn guard(remote: bool) -> Guard {
        Guard::new("127.0.0.1:8088".parse().unwrap(), remote)
    }

    #[test]
    fn this_machine_may() {
        for host in ["127.0.0.1:8088", "localhost:8088", "[::1]:8088"] {
            assert_eq!(guard(false).check(Some(host), None), Ok(()));
            assert_eq!(guard(false).check(Some(host), Some(&format!("http://{host}"))), Ok(()));
        }
    }

    #[test]
    fn a_rebound_name_may_not() {
        for host in ["evil.example:8088", "127.0.0.1:80", "127.0.0.1", "127.0.0.1.evil.example:8088", ""] {
            assert_eq!(guard(false).check(Some(host), None), Err(Refusal::Host), "{host}");
        }
        assert_eq!(guard(false).check(None, None), Err(Refusal::Host));
    }

    #[test]
    fn another_sites_page_may_not() {
        for origin in ["http://evil.example", "null", "https://127.0.0.1:8088", "http://127.0.0.1:9"] {
            assert_eq!(guard(false).check(Some("127.0.0.1:8088"), Some(origin)), Err(Refusal::Origin));
        }
    }

    #[test]
    fn other_machines_only_when_allowed() {
        assert_eq!(guard(false).check(Some("192.0.2.7:8088"), None), Err(Refusal::Host));
        assert_eq!(guard(true).check(Some("192.0.2.7:8088"), None), Ok(()));
        assert_eq!(guard(true).check(Some("evil.example:8088"), None), Err(Refusal::Host));
    }
}
