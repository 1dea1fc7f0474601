//! Typed header values: Via, CSeq, and the addresses of From, To, Contact, Route, Refer-To and their like.
//!
//! All readers are tolerant about space and quoting, as peers are careless with both. Not done here: finding the header
//! in a message ([`crate::message`]).

use std::fmt::{self, Write as _};

use memchr::{memchr, memchr2};

use crate::error::SyntaxError;
use crate::method::Method;
pub use crate::params::Params;
use crate::params::{is_token, unquote, write_quoted};
use crate::uri::{Uri, UriParts, split_host_port, write_host};

/// One hop of the Via list (RFC 3261 section 20.42, RFC 3581).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Via {
    /// `UDP`, `TCP`, `TLS`, … in upper case.
    pub transport: String,
    /// sent-by host without IPv6 brackets.
    pub host: String,
    /// sent-by port.
    pub port: Option<u16>,
    /// Transaction identifier; starts with `z9hG4bK` when the sender follows RFC 3261.
    pub branch: Option<String>,
    /// Where the request really came from.
    pub received: Option<String>,
    /// `Some(None)`: asked for and not yet filled in; `Some(Some(port))`: filled in.
    pub rport: Option<Option<u16>>,
    /// All other parameters.
    pub params: Params,
}

impl Via {
    /// A hop of our own over `transport`, with `;rport` asked for.
    pub fn new(transport: &str, host: &str, port: Option<u16>, branch: &str) -> Via {
        Via {
            transport: transport.to_owned(),
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port,
            branch: Some(branch.to_owned()),
            received: None,
            rport: Some(None),
            params: Params::new(),
        }
    }

    /// Reads one hop (not a comma list).
    ///
    /// # Errors
    /// Another protocol than SIP, or no host. Another version is read: somebody has to be told that we only speak 2.0.
    pub fn parse(text: &str) -> Result<Via, SyntaxError> {
        let hop = split_via(text)?;
        let params = Params::parse(hop.params);
        let mut via = Via {
            transport: hop.transport.to_ascii_uppercase(),
            host: hop.host.to_owned(),
            port: hop.port,
            branch: params.value("branch").map(str::to_owned),
            received: params.value("received").map(|r| r.trim_matches(['[', ']']).to_owned()),
            rport: params.get("rport").map(|value| value.and_then(|v| v.parse().ok())),
            params,
        };
        for taken in ["branch", "received", "rport"] {
            via.params.remove(taken);
        }
        Ok(via)
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} ", self.transport)?;
        write_host(f, &self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        if let Some(branch) = &self.branch {
            write!(f, ";branch={branch}")?;
        }
        if let Some(received) = &self.received {
            write!(f, ";received={received}")?;
        }
        match self.rport {
            Some(Some(port)) => write!(f, ";rport={port}")?,
            Some(None) => f.write_str(";rport")?,
            None => {}
        }
        write!(f, "{}", self.params)
    }
}

/// A Via hop taken apart without copying.
pub(crate) struct ViaParts<'a> {
    transport: &'a str,
    host: &'a str,
    port: Option<u16>,
    params: &'a str,
}

pub(crate) fn split_via(text: &str) -> Result<ViaParts<'_>, SyntaxError> {
    let (head, params) = text.split_at(memchr(b';', text.as_bytes()).unwrap_or(text.len()));
    let slash = |text: &str| memchr(b'/', text.as_bytes()).ok_or(SyntaxError::Via("no protocol"));
    let first = slash(head)?;
    let second = first + 1 + slash(&head[first + 1..])?;
    let (name, version) = (head[..first].trim_ascii(), head[first + 1..second].trim_ascii());
    let rest = head[second + 1..].trim_ascii();
    if !name.eq_ignore_ascii_case("SIP") || version.is_empty() {
        return Err(SyntaxError::Via("not SIP"));
    }
    let space = rest.bytes().position(|b| matches!(b, b' ' | b'\t')).ok_or(SyntaxError::Via("no sent-by"))?;
    let (host, port) = split_host_port(rest[space..].trim_ascii()).map_err(SyntaxError::Via)?;
    Ok(ViaParts { transport: &rest[..space], host, port, params })
}

/// Sequence number and method (RFC 3261 section 20.16).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CSeq {
    /// Below 2^31 when the sender follows RFC 3261 section 8.1.1.5; up to 2^32-1 is read.
    pub number: u32,
    /// Equal to the method of the request.
    pub method: Method,
}

impl CSeq {
    /// Reads `314 INVITE`.
    ///
    /// # Errors
    /// A number that is none or does not fit 32 bits, or no method.
    pub fn parse(text: &str) -> Result<CSeq, SyntaxError> {
        let (number, method) = split_cseq(text)?;
        Ok(CSeq { number, method: Method::from_token(method) })
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.method)
    }
}

/// A CSeq taken apart without copying.
pub(crate) fn split_cseq(text: &str) -> Result<(u32, &str), SyntaxError> {
    let text = text.trim_ascii();
    let digits = text.bytes().position(|b| !b.is_ascii_digit()).ok_or(SyntaxError::CSeq("no method"))?;
    let number = text[..digits].parse().map_err(|_| SyntaxError::CSeq("number does not fit 32 bits"))?;
    let method = text[digits..].trim_ascii();
    if method.is_empty() || !method.bytes().all(is_token) {
        return Err(SyntaxError::CSeq("no method"));
    }
    Ok((number, method))
}

/// `"Display" <uri>;params` (RFC 3261 section 20.10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameAddr {
    /// Display name without quotes; `None` if there is none or it is empty.
    pub display: Option<String>,
    /// The address.
    pub uri: Uri,
    /// Header parameters, such as `tag` or `expires`; those inside the angle brackets belong to [`NameAddr::uri`].
    pub params: Params,
}

impl NameAddr {
    /// An address without display name and parameters.
    pub fn new(uri: Uri) -> NameAddr {
        NameAddr { display: None, uri, params: Params::new() }
    }

    /// Reads one address (not a comma list, and not the `*` of a Contact).
    ///
    /// # Errors
    /// Unbalanced quotes or angle brackets, or a URI that is none.
    pub fn parse(text: &str) -> Result<NameAddr, SyntaxError> {
        let parts = split_address(text)?;
        Ok(NameAddr {
            display: parts.display.text(),
            uri: parts.uri.to_uri(),
            params: Params::parse(parts.params),
        })
    }

    /// The same address with the dialog tag replaced.
    #[must_use]
    pub fn with_tag(mut self, tag: &str) -> NameAddr {
        self.params.set("tag", Some(tag));
        self
    }

    /// The dialog tag.
    pub fn tag(&self) -> Option<&str> {
        self.params.value("tag").filter(|tag| !tag.is_empty())
    }
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = &self.display {
            write_quoted(f, display)?;
            f.write_char(' ')?;
        }
        write!(f, "<{}>{}", self.uri, self.params)
    }
}

/// An address taken apart without copying.
pub(crate) struct AddressParts<'a> {
    display: Display<'a>,
    uri: UriParts<'a>,
    params: &'a str,
}

pub(crate) fn split_address(text: &str) -> Result<AddressParts<'_>, SyntaxError> {
    let (display, rest) = split_display(text.trim_ascii())?;
    let Some(rest) = rest.strip_prefix('<') else {
        // addr-spec: parameters belong to the header (RFC 3261 section 20)
        let (uri, params) = rest.split_at(memchr(b';', rest.as_bytes()).unwrap_or(rest.len()));
        return Ok(AddressParts { display, uri: UriParts::split(uri)?, params });
    };
    let end = memchr(b'>', rest.as_bytes()).ok_or(SyntaxError::NameAddr("no closing angle bracket"))?;
    let params = rest[end + 1..].trim_ascii();
    if !params.is_empty() && !params.starts_with(';') {
        return Err(SyntaxError::NameAddr("text behind the angle bracket"));
    }
    Ok(AddressParts { display, uri: UriParts::split(&rest[..end])?, params })
}

/// A display name as it stands on the wire.
enum Display<'a> {
    None,
    /// Between its quotes, backslashes and all.
    Quoted(&'a str),
    Bare(&'a str),
}

impl Display<'_> {
    fn text(&self) -> Option<String> {
        let name = match self {
            Display::None => return None,
            Display::Quoted(quoted) => unquote(quoted),
            Display::Bare(bare) => bare.split_ascii_whitespace().collect::<Vec<_>>().join(" "),
        };
        (!name.is_empty()).then_some(name)
    }
}

/// The display name, and what follows it: `<` or an addr-spec.
fn split_display(text: &str) -> Result<(Display<'_>, &str), SyntaxError> {
    if let Some(quoted) = text.strip_prefix('"') {
        let end = closing_quote(quoted).ok_or(SyntaxError::NameAddr("quote not closed"))?;
        let rest = quoted[end + 1..].trim_ascii_start();
        if !rest.starts_with('<') {
            return Err(SyntaxError::NameAddr("no angle bracket behind the display name"));
        }
        return Ok((Display::Quoted(&quoted[..end]), rest));
    }
    match memchr2(b'<', b'"', text.as_bytes()) {
        Some(at) if text.as_bytes()[at] == b'<' => Ok((Display::Bare(&text[..at]), &text[at..])),
        Some(at) if !text[..at].contains(';') => Err(SyntaxError::NameAddr("quote inside")),
        _ => Ok((Display::None, text)),
    }
}

/// Where the quote that ends a quoted-string stands; `text` starts behind the opening one.
fn closing_quote(text: &str) -> Option<usize> {
    let mut skip = false;
    text.bytes().position(|b| {
        let escaped = std::mem::take(&mut skip);
        skip = !escaped && b == b'\\';
        !escaped && b == b'"'
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn via_reads_rport_received_and_the_rest() {
        let via = Via::parse(
            "SIP / 2.0 / udp [2001:db8::1]:5061 ; branch=z9hG4bKa;rport=99;received=[2001:db8::2];ttl=1;x",
        )
        .unwrap();
        assert_eq!((via.transport.as_str(), via.host.as_str(), via.port), ("UDP", "2001:db8::1", Some(5061)));
        assert_eq!((via.rport, via.received.as_deref()), (Some(Some(99)), Some("2001:db8::2")));
        assert_eq!(via.params.to_string(), ";ttl=1;x");
        assert_eq!(Via::parse(&via.to_string()).unwrap(), via);
        assert_eq!(Via::parse("SIP/2.0/UDP a;rport").unwrap().rport, Some(None));
        assert_eq!(Via::parse("SIP/2.0/UDP a").unwrap().rport, None);
    }

    #[test]
    fn via_of_our_own_asks_for_rport() {
        assert_eq!(
            Via::new("UDP", "::1", Some(5060), "z9hG4bKx").to_string(),
            "SIP/2.0/UDP [::1]:5060;branch=z9hG4bKx;rport"
        );
    }

    #[test]
    fn via_refuses() {
        for text in [
            "",
            "SIP/2.0",
            "SIP/2.0/UDP",
            "HTTP/2.0/UDP a",
            "SIP/2.0/UDP :5060",
            "SIP/2.0/UDP a:x",
            "SIP/2.0/UDP [::1",
            "SIP/2.0/UDP a:70000",
        ] {
            assert!(Via::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn cseq_bounds() {
        assert_eq!(CSeq::parse(" 0009   INVITE ").unwrap(), CSeq { number: 9, method: Method::Invite });
        assert_eq!(CSeq::parse("4294967295 ACK").unwrap().to_string(), "4294967295 ACK");
        for text in ["", "1", "INVITE", "4294967296 ACK", "-1 ACK", "1 A B", "1.5 ACK"] {
            assert!(CSeq::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn addresses_in_every_dress() {
        let cases = [
            ("<sip:a@b>", None, None),
            ("sip:a@b", None, None),
            ("sip:a@b;tag=1", None, Some("1")),
            ("\"\" <sip:a@b>;tag=1", None, Some("1")),
            ("A  B <sip:a@b>;tag=1", Some("A B"), Some("1")),
            ("A<sip:a@b> ; TAG = 1", Some("A"), Some("1")),
            ("\"A, \\\"B\\\" <c>\"<sip:a@b>;x=\">\";tag=1", Some("A, \"B\" <c>"), Some("1")),
            ("Bell, Alexander <sip:a@b>", Some("Bell, Alexander"), None),
            ("< sip:a@b >;tag=", None, None),
        ];
        for (text, display, tag) in cases {
            let address = NameAddr::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!((address.display.as_deref(), address.tag()), (display, tag), "{text}");
            assert_eq!((address.uri.user.as_deref(), address.uri.host.as_str()), (Some("a"), "b"), "{text}");
            assert_eq!(NameAddr::parse(&address.to_string()).unwrap(), address, "{text}");
        }
    }

    #[test]
    fn parameters_inside_the_brackets_belong_to_the_uri() {
        let address = NameAddr::parse("<sip:a@b;lr;tag=no>;tag=yes").unwrap();
        assert_eq!((address.tag(), address.uri.params.value("tag")), (Some("yes"), Some("no")));
        let replaced = address.with_tag("new");
        assert_eq!(replaced.to_string(), "<sip:a@b;lr;tag=no>;tag=new");
    }

    #[test]
    fn addresses_refused() {
        for text in [
            "",
            "*",
            "\"a <sip:a@b>",
            "<sip:a@b",
            "<sip:a@b> x",
            "\"a\" sip:a@b",
            "a \"b\" <sip:a@b>",
            "name only",
        ] {
            assert!(NameAddr::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_display_name_cannot_break_out() {
        let mut address = NameAddr::new(Uri::sip(Some("a"), "b", None));
        address.display = Some("x\" <sip:evil@c>\r\nVia: y\\".to_owned());
        let text = address.to_string();
        assert!(!text.contains(['\r', '\n']));
        assert_eq!(NameAddr::parse(&text).unwrap().uri, address.uri);
    }
}
