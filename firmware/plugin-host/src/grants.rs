//! Where a plugin may go: what the administrator granted, compared with where a URL really leads. Hosts are
//! compared before the name is resolved, addresses after, and the connection goes to an address that was
//! compared: a name that changes its mind between the two gains nothing. No sockets here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use thiserror::Error;
use url::Url;

pub use crate::target::{Scheme, Target};

/// What an address is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Anywhere in the world.
    Public,
    /// The customer's own network (RFC 1918, RFC 4193, RFC 6598): needs its own grant.
    Private,
    /// This machine, where the desk itself listens: needs its own grant.
    Loopback,
    /// Link-local, metadata services of clouds, multicast, reserved: never.
    Never,
}

/// Why a plugin may not go there.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Refusal {
    /// Not an absolute URL of a known scheme without user and password.
    #[error("not an address that can be asked: {0}")]
    BadUrl(&'static str),
    /// No grant names it.
    #[error("{0} was not granted")]
    NotGranted(String),
    /// The name leads to an address that the grant does not cover.
    #[error("{0} leads to {1}, which is not allowed")]
    Address(String, IpAddr),
    /// The name has no address.
    #[error("{0} has no address")]
    NoAddress(String),
}

/// One place that was granted: scheme, host or `*.suffix`, port, and which kinds of addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// `id` of the manifest's `[[net]]` entry.
    pub id: String,
    target: Target,
    suffix: bool,
    private: bool,
    loopback: bool,
    plain: bool,
}

impl Grant {
    /// A place such as `https://api.example.com`, `https://*.example.com:8443`, `ldaps://ldap.example.com`.
    ///
    /// # Errors
    /// [`Refusal::BadUrl`], also for a suffix that is all of a top-level domain.
    pub fn parse(id: &str, place: &str) -> Result<Self, Refusal> {
        let (scheme, rest) = place.split_once("://").ok_or(Refusal::BadUrl("no scheme"))?;
        let suffix = rest.starts_with("*.");
        let bare = rest.strip_prefix("*.").unwrap_or(rest);
        let url = Url::parse(&format!("{scheme}://{bare}")).map_err(|_| Refusal::BadUrl("not a URL"))?;
        let target = Target::of(&url)?;
        let is_name = target.host.parse::<IpAddr>().is_err();
        if target.host.contains('*') || suffix && !(is_name && target.host.contains('.')) {
            return Err(Refusal::BadUrl("a star stands for the first part of a name only"));
        }
        Ok(Self { id: id.to_owned(), target, suffix, private: false, loopback: false, plain: false })
    }

    /// The same, also in the customer's own network.
    #[must_use]
    pub(crate) fn with_private(mut self, private: bool) -> Self {
        self.private = private;
        self
    }

    /// The same, also on this machine.
    #[must_use]
    pub(crate) fn with_loopback(mut self, loopback: bool) -> Self {
        self.loopback = loopback;
        self
    }

    /// The same, also without any encryption where the scheme alone does not say so.
    #[must_use]
    pub(crate) fn with_plain(mut self, plain: bool) -> Self {
        self.plain = plain;
        self
    }

    /// Whether a directory may be asked without StartTLS.
    #[must_use]
    pub(crate) fn is_plain(&self) -> bool {
        self.plain
    }

    /// Whether this grant names the target.
    #[must_use]
    pub(crate) fn covers(&self, target: &Target) -> bool {
        let host = if self.suffix {
            target
                .host
                .strip_suffix(&self.target.host)
                .and_then(|start| start.strip_suffix('.'))
                .is_some_and(|start| !start.is_empty())
        } else {
            target.host == self.target.host
        };
        host && target.scheme == self.target.scheme && target.port == self.target.port
    }

    /// Of the addresses a name leads to, those that may be connected to.
    ///
    /// # Errors
    /// If none is left.
    pub(crate) fn vet(&self, target: &Target, addresses: &[IpAddr]) -> Result<Vec<IpAddr>, Refusal> {
        let allowed = |address: &IpAddr| match classify(*address) {
            Class::Public => true,
            Class::Private => self.private,
            Class::Loopback => self.loopback,
            Class::Never => false,
        };
        let kept: Vec<IpAddr> = addresses.iter().copied().filter(allowed).collect();
        match (kept.is_empty(), addresses.first()) {
            (false, _) => Ok(kept),
            (true, Some(first)) => Err(Refusal::Address(target.host.clone(), *first)),
            (true, None) => Err(Refusal::NoAddress(target.host.clone())),
        }
    }
}

/// The grant that names a target: the most generous one with regard to addresses, where several do.
///
/// # Errors
/// [`Refusal::NotGranted`].
pub fn permit<'grants>(grants: &'grants [Grant], target: &Target) -> Result<&'grants Grant, Refusal> {
    grants
        .iter()
        .filter(|grant| grant.covers(target))
        .max_by_key(|grant| u8::from(grant.private) + u8::from(grant.loopback))
        .ok_or_else(|| Refusal::NotGranted(target.place()))
}

/// What an address is good for. An IPv6 address that carries an IPv4 address is judged by that.
#[must_use]
pub fn classify(address: IpAddr) -> Class {
    match address {
        IpAddr::V4(address) => classify_v4(address),
        IpAddr::V6(address) => match carried(address) {
            Some(inner) => classify_v4(inner),
            None => classify_v6(address),
        },
    }
}

fn classify_v4(address: Ipv4Addr) -> Class {
    let [a, b, c, d] = address.octets();
    match (a, b, c, d) {
        (127, ..) => Class::Loopback,
        // Metadata services outside the link-local range: Azure, Alibaba, Oracle.
        (168, 63, 129, 16) | (100, 100, 100, 200) | (192, 0, 0, 192) => Class::Never,
        (10, ..) | (172, 16..=31, ..) | (192, 168, ..) | (100, 64..=127, ..) => Class::Private,
        // This network, link-local, protocol assignments, documentation, benchmarks, multicast, reserved.
        (0, ..) | (169, 254, ..) | (192, 0, 0, _) | (192, 0, 2, _) | (198, 18..=19, ..) => Class::Never,
        (198, 51, 100, _) | (203, 0, 113, _) | (192, 88, 99, _) | (224.., ..) => Class::Never,
        _ => Class::Public,
    }
}

fn classify_v6(address: Ipv6Addr) -> Class {
    let segments = address.segments();
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 1] => Class::Loopback,
        // Amazon's metadata service sits in the private range.
        [0xfd00, 0x0ec2, ..] => Class::Never,
        [0xfc00..=0xfdff, ..] => Class::Private,
        // Teredo, ORCHID, documentation.
        [0x2001, 0..=0x01ff, ..] | [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => Class::Never,
        [0x2000..=0x3fff, ..] => Class::Public,
        _ => Class::Never,
    }
}

/// The IPv4 address inside: mapped (RFC 4291), compatible, NAT64 (RFC 6052, RFC 8215), 6to4 (RFC 3056).
fn carried(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let from = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => from(high, low),
        [0, 0, 0, 0, 0xffff, 0, high, low] | [0x64, 0xff9b, 1, _, _, _, high, low] => from(high, low),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => from(high, low),
        [0x2002, high, low, ..] => from(high, low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    fn target(url: &str) -> Result<Target, Refusal> {
        Target::of(&Url::parse(url).unwrap())
    }

    #[test]
    fn a_grant_is_for_one_scheme_host_and_port() {
        let grants = [
            Grant::parse("api", "https://api.example.com").unwrap(),
            Grant::parse("all", "https://*.example.org:8443").unwrap(),
        ];
        for good in
            ["https://api.example.com/x", "https://API.Example.com.:443/", "https://a.b.example.org:8443"]
        {
            assert!(permit(&grants, &target(good).unwrap()).is_ok(), "{good}");
        }
        for bad in [
            "http://api.example.com",
            "https://api.example.com:444",
            "https://api.example.com.evil.com",
            "https://evilapi.example.com",
            "https://example.org:8443",
            "https://evilexample.org:8443",
            "https://127.0.0.1",
        ] {
            assert!(matches!(permit(&grants, &target(bad).unwrap()), Err(Refusal::NotGranted(_))), "{bad}");
        }
        for bad in
            ["https://good.example.com@evil.com", "https://user:x@api.example.com", "file:///etc/passwd"]
        {
            assert!(matches!(target(bad), Err(Refusal::BadUrl(_))), "{bad}");
        }
        for bad in
            ["https://*", "https://*.com", "https://a.*.com", "*", "ftp://x.com", "https://*.127.0.0.1"]
        {
            assert!(Grant::parse("x", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_spelling_of_this_machine_and_of_the_metadata_address_is_seen() {
        for spelling in ["http://127.0.0.1", "http://2130706433", "http://0x7f.1", "http://0177.0.0.1"] {
            assert_eq!(target(spelling).unwrap().host, "127.0.0.1", "{spelling}");
        }
        for (address, class) in [
            ("127.0.0.1", Class::Loopback),
            ("127.255.0.9", Class::Loopback),
            ("::1", Class::Loopback),
            ("::ffff:127.0.0.1", Class::Loopback),
            ("64:ff9b::7f00:1", Class::Loopback),
            ("2002:7f00:1::", Class::Loopback),
            ("10.1.2.3", Class::Private),
            ("192.168.1.1", Class::Private),
            ("100.64.0.1", Class::Private),
            ("fd12::1", Class::Private),
            ("::ffff:10.0.0.1", Class::Private),
            ("169.254.169.254", Class::Never),
            ("::ffff:169.254.169.254", Class::Never),
            ("64:ff9b::a9fe:a9fe", Class::Never),
            ("fd00:ec2::254", Class::Never),
            ("fe80::1", Class::Never),
            ("168.63.129.16", Class::Never),
            ("100.100.100.200", Class::Never),
            ("0.0.0.0", Class::Never),
            ("::", Class::Never),
            ("224.0.0.1", Class::Never),
            ("255.255.255.255", Class::Never),
            ("ff02::1", Class::Never),
            ("1.1.1.1", Class::Public),
            ("2606:4700::1111", Class::Public),
        ] {
            assert_eq!(classify(address.parse().unwrap()), class, "{address}");
        }
    }

    #[test]
    fn a_directory_is_read_as_a_web_server_is() {
        for (url, place) in [
            ("ldap://LDAP.Example.com.", "ldap://ldap.example.com:389"),
            ("ldaps://ldap.example.com", "ldaps://ldap.example.com:636"),
            ("ldap://ldap.example.com:80", "ldap://ldap.example.com:80"),
            ("ldap://2130706433", "ldap://127.0.0.1:389"),
            ("ldaps://[::FFFF:7f00:1]:7", "ldaps://[::ffff:127.0.0.1]:7"),
        ] {
            let target = Target::of_directory(&Url::parse(url).unwrap()).unwrap();
            assert_eq!(target.place(), place, "{url}");
        }
        for bad in ["ldapi:///tmp/x", "ldap://cn=x:y@ldap.example.com", "ldap:///dc=x", "http://example.com"]
        {
            assert!(Target::of_directory(&Url::parse(bad).unwrap()).is_err(), "{bad}");
        }
        assert!(Target::of_web(&Url::parse("ldap://ldap.example.com").unwrap()).is_err());
        let grants = [Grant::parse("x", "ldap://ldap.example.com").unwrap()];
        assert!(permit(&grants, &target("ldap://ldap.example.com:389").unwrap()).is_ok());
        assert!(permit(&grants, &target("ldaps://ldap.example.com:389").unwrap()).is_err());
    }

    #[test]
    fn what_a_name_leads_to_is_vetted_address_by_address() {
        let at = target("https://crm.example.com").unwrap();
        let plain = Grant::parse("x", "https://crm.example.com").unwrap();
        let addresses =
            |list: &[&str]| list.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpAddr>>();
        let mixed = addresses(&["127.0.0.1", "1.1.1.1", "169.254.169.254"]);
        assert_eq!(plain.vet(&at, &mixed), Ok(addresses(&["1.1.1.1"])));
        assert!(plain.vet(&at, &addresses(&["10.0.0.1"])).is_err());
        assert!(plain.vet(&at, &[]).is_err());
        let own = plain.clone().with_private(true);
        assert!(own.vet(&at, &addresses(&["10.0.0.1"])).is_ok());
        assert!(own.vet(&at, &addresses(&["127.0.0.1"])).is_err());
        let all = own.with_loopback(true);
        assert!(all.vet(&at, &addresses(&["169.254.169.254"])).is_err());
    }

    proptest! {
        #[test]
        fn an_ipv4_address_is_the_same_in_every_ipv6_dress(bits in any::<u32>()) {
            let plain = Ipv4Addr::from_bits(bits);
            let [high, low] = [(bits >> 16) as u16, bits as u16];
            for dressed in [
                plain.to_ipv6_mapped(),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
            ] {
                prop_assert_eq!(classify(dressed.into()), classify(plain.into()));
            }
        }

        #[test]
        fn nothing_but_a_name_below_it_is_covered_by_a_suffix(host in "[a-z.]{0,12}(example)?(\\.com)?(\\.evil)?") {
            let grant = Grant::parse("x", "https://*.example.com").unwrap();
            if let Ok(url) = Url::parse(&format!("https://{host}/"))
                && let Ok(target) = Target::of(&url)
            {
                prop_assert_eq!(grant.covers(&target), target.host.ends_with(".example.com") && target.host.len() > 12);
            }
        }
    }
}
