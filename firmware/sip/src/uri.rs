//! URIs: `sip:`, `sips:`, `tel:` (RFC 3966) and anything else kept as it was sent.
//!
//! Parts are kept in their escaped form, so that a URI written back is the URI that was read. Not done here: resolving
//! a host (RFC 3263), and dialling rules.

use std::fmt::{self, Write as _};

use memchr::memchr;

use crate::error::SyntaxError;
use crate::params::{Params, escape, split_outside_quotes};

/// The longest URI read, in bytes. Longer ones are refused: nobody dials that.
const MAX_LEN: usize = 2048;

/// A URI taken apart. Derived equality compares the text; [`Uri::equivalent`] is RFC 3261 section 19.1.4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uri {
    /// What kind of URI it is.
    pub scheme: Scheme,
    /// User part as escaped on the wire, parameters inside it (`+1;phone-context=x@gw`) included; of a `tel:` the number.
    pub user: Option<String>,
    /// Password part as escaped on the wire. Obsolete, but kept.
    pub password: Option<String>,
    /// Host without the brackets of IPv6; empty for `tel:`; for [`Scheme::Other`] everything behind the first colon.
    pub host: String,
    /// Port, if one was given.
    pub port: Option<u16>,
    /// URI parameters.
    pub params: Params,
    /// Header fields behind `?`, names and values as escaped on the wire.
    pub headers: Vec<(String, String)>,
}

/// The word before the first colon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// `sip:`
    Sip,
    /// `sips:`
    Sips,
    /// `tel:`
    Tel,
    /// Any other, in lower case.
    Other(String),
}

impl Uri {
    /// `sip:user@host`, or `sip:host` without a user. Illegal characters in `user` are escaped when written.
    pub fn sip(user: Option<&str>, host: &str, port: Option<u16>) -> Uri {
        Uri {
            scheme: Scheme::Sip,
            user: user.map(str::to_owned),
            password: None,
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port,
            params: Params::new(),
            headers: Vec::new(),
        }
    }

    /// Reads a URI without angle brackets.
    ///
    /// # Errors
    /// Spaces, control characters or angle brackets inside, no scheme, an empty host, a port that is none.
    pub fn parse(text: &str) -> Result<Uri, SyntaxError> {
        UriParts::split(text).map(|parts| parts.to_uri())
    }

    /// What a person would read as the number or user name: unescaped, without `;phone-context` and the like, and
    /// without the visual separators of a phone number (`+49-30 (12)34` is `+49301234`). `None` if there is no user.
    pub fn number(&self) -> Option<String> {
        let user = self.user.as_deref()?;
        let bare = unescape(user.split(';').next().unwrap_or(user));
        let dialable = bare.bytes().any(|b| b.is_ascii_digit())
            && bare
                .chars()
                .all(|c| c.is_ascii_digit() || matches!(c, '+' | '*' | '#' | '-' | '.' | '(' | ')' | ' '));
        let kept: String = bare
            .chars()
            .filter(|c| !(c.is_control() || dialable && matches!(c, '-' | '.' | '(' | ')' | ' ')))
            .collect();
        (!kept.is_empty()).then_some(kept)
    }

    /// The user part unescaped; bytes that are not UTF-8 become U+FFFD.
    pub fn user_unescaped(&self) -> Option<String> {
        self.user.as_deref().map(unescape)
    }

    /// The value of the header field `name` behind `?`, unescaped: `Replaces` in a Refer-To.
    pub fn header(&self, name: &str) -> Option<String> {
        self.headers.iter().find(|(n, _)| unescape(n).eq_ignore_ascii_case(name)).map(|(_, v)| unescape(v))
    }

    /// Whether both mean the same resource (RFC 3261 section 19.1.4). Not transitive, hence not `==`.
    pub fn equivalent(&self, other: &Uri) -> bool {
        let same_text = |a: &Option<String>, b: &Option<String>| match (a, b) {
            (Some(a), Some(b)) => normal(a) == normal(b),
            (None, None) => true,
            _ => false,
        };
        self.scheme == other.scheme
            && same_text(&self.user, &other.user)
            && same_text(&self.password, &other.password)
            && self.host.eq_ignore_ascii_case(&other.host)
            && self.port == other.port
            && equivalent_params(&self.params, &other.params)
            && equivalent_headers(&self.headers, &other.headers)
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Scheme::Sip => "sip",
            Scheme::Sips => "sips",
            Scheme::Tel => "tel",
            Scheme::Other(other) => other,
        })
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.scheme)?;
        if let Scheme::Other(_) = self.scheme {
            return escape(f, &self.host, is_opaque);
        }
        if let Some(user) = &self.user {
            escape(f, user, is_user)?;
            if let Some(password) = &self.password {
                f.write_char(':')?;
                escape(f, password, is_user)?;
            }
            if self.scheme != Scheme::Tel {
                f.write_char('@')?;
            }
        }
        write_host(f, &self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        self.params.write_for_uri(f)?;
        for (at, (name, value)) in self.headers.iter().enumerate() {
            f.write_char(if at == 0 { '?' } else { '&' })?;
            escape(f, name, is_header)?;
            f.write_char('=')?;
            escape(f, value, is_header)?;
        }
        Ok(())
    }
}

/// `%HH` undone; bytes that are not UTF-8 become U+FFFD.
pub(crate) fn unescape(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let hex = |at: usize| bytes.get(at).and_then(|&b| char::from(b).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, _, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Escapes everything a header value behind `?` may not contain: for the Replaces of a Refer-To.
pub fn escape_header(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if is_header(byte) && byte != b'%' {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// A host as it stands in a URI or Via: IPv6 in brackets.
pub(crate) fn write_host(out: &mut impl fmt::Write, host: &str) -> fmt::Result {
    if host.contains(':') { write!(out, "[{host}]") } else { out.write_str(host) }
}

/// Splits `host[:port]`, brackets of IPv6 removed. The reason of the error is for the caller to wrap.
pub(crate) fn split_host_port(text: &str) -> Result<(&str, Option<u16>), &'static str> {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or("IPv6 address without closing bracket")?;
        if host.parse::<std::net::Ipv6Addr>().is_err() {
            return Err("illegal IPv6 address");
        }
        let rest = rest.trim_ascii();
        (
            host,
            if rest.is_empty() { None } else { Some(rest.strip_prefix(':').ok_or("text behind the host")?) },
        )
    } else {
        match text.split_once(':') {
            Some((host, port)) => (host.trim_ascii(), Some(port)),
            None => (text.trim_ascii(), None),
        }
    };
    if host.is_empty() {
        return Err("no host");
    }
    let port = match port.map(str::trim_ascii) {
        None | Some("") => None,
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
            Some(digits.parse().map_err(|_| "port above 65535")?)
        }
        Some(_) => return Err("illegal port"),
    };
    Ok((host, port))
}

/// A URI taken apart and checked without copying.
pub(crate) struct UriParts<'a> {
    scheme: &'a str,
    userinfo: Option<&'a str>,
    host: &'a str,
    port: Option<u16>,
    params: &'a str,
    headers: &'a str,
}

impl<'a> UriParts<'a> {
    pub(crate) fn split(text: &'a str) -> Result<UriParts<'a>, SyntaxError> {
        let text = text.trim_ascii();
        if text.len() > MAX_LEN {
            return Err(SyntaxError::Uri("longer than 2048 bytes"));
        }
        if text.bytes().any(|b| b <= b' ' || matches!(b, b'<' | b'>' | b'"' | 0x7f)) {
            return Err(SyntaxError::Uri("illegal character"));
        }
        let (scheme, rest) = cut(text, b':');
        let rest = rest.ok_or(SyntaxError::Uri("no scheme"))?;
        let legal = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
        if !legal {
            return Err(SyntaxError::Uri("illegal scheme"));
        }
        if rest.is_empty() {
            return Err(SyntaxError::Uri("nothing behind the scheme"));
        }
        let bare = UriParts { scheme, userinfo: None, host: "", port: None, params: "", headers: "" };
        if is_sip(scheme) {
            bare.split_sip(rest)
        } else if scheme.eq_ignore_ascii_case("tel") {
            let (number, params) = cut(rest, b';');
            Ok(UriParts { userinfo: Some(number), params: params.unwrap_or_default(), ..bare })
        } else {
            Ok(UriParts { host: rest, ..bare })
        }
    }

    fn split_sip(self, rest: &'a str) -> Result<UriParts<'a>, SyntaxError> {
        let (userinfo, rest) = match cut(rest, b'@') {
            (userinfo, Some(rest)) => (Some(userinfo).filter(|info| !info.is_empty()), rest),
            (rest, None) => (None, rest),
        };
        let (rest, headers) = cut(rest, b'?');
        let (host_port, params) = cut(rest, b';');
        let (host, port) = split_host_port(host_port).map_err(SyntaxError::Uri)?;
        if !host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b':')) {
            return Err(SyntaxError::Uri("illegal host"));
        }
        let (params, headers) = (params.unwrap_or_default(), headers.unwrap_or_default());
        Ok(UriParts { userinfo, host, port, params, headers, ..self })
    }

    pub(crate) fn to_uri(&self) -> Uri {
        let scheme = match self.scheme {
            sip if sip.eq_ignore_ascii_case("sip") => Scheme::Sip,
            sips if sips.eq_ignore_ascii_case("sips") => Scheme::Sips,
            tel if tel.eq_ignore_ascii_case("tel") => Scheme::Tel,
            other => Scheme::Other(other.to_ascii_lowercase()),
        };
        let (user, password) = match self.userinfo {
            Some(info) if scheme != Scheme::Tel => match info.split_once(':') {
                Some((user, password)) => (Some(user.to_owned()), Some(password.to_owned())),
                None => (Some(info.to_owned()), None),
            },
            number => (number.map(str::to_owned), None),
        };
        Uri {
            scheme,
            user,
            password,
            host: self.host.to_owned(),
            port: self.port,
            params: Params::parse(self.params),
            headers: parse_headers(self.headers),
        }
    }
}

fn is_sip(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips")
}

/// What stands before the first `separator` (ASCII), and what behind it.
fn cut(text: &str, separator: u8) -> (&str, Option<&str>) {
    match memchr(separator, text.as_bytes()) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

fn parse_headers(text: &str) -> Vec<(String, String)> {
    split_outside_quotes(text, b'&')
        .filter(|item| !item.is_empty())
        .map(|item| item.split_once('=').unwrap_or((item, "")))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Escapes of characters that need none are undone; the others are kept, in upper case.
fn normal(text: &str) -> String {
    let bytes = text.as_bytes();
    let hex = |at: usize| bytes.get(at).and_then(|&b| char::from(b).to_digit(16));
    let mut out = String::with_capacity(text.len());
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match (c, hex(at + 1), hex(at + 2)) {
            ('%', Some(high), Some(low)) => {
                let byte = (high * 16 + low) as u8;
                if is_unreserved(byte) {
                    out.push(char::from(byte));
                } else {
                    let _ = write!(out, "%{byte:02X}"); // writing to a String cannot fail
                }
                chars.next();
                chars.next();
            }
            (c, _, _) => out.push(c),
        }
    }
    out
}

/// A parameter on both sides must match; `user`, `ttl`, `method`, `maddr` and `transport` must also be on both sides.
fn equivalent_params(a: &Params, b: &Params) -> bool {
    let matches = |one: &Params, two: &Params| {
        one.iter().all(|(name, value)| match two.get(name) {
            Some(there) => match (value, there) {
                (Some(here), Some(there)) => normal(here).eq_ignore_ascii_case(&normal(there)),
                (here, there) => here.is_none() && there.is_none(),
            },
            None => {
                !["user", "ttl", "method", "maddr", "transport"].iter().any(|n| n.eq_ignore_ascii_case(name))
            }
        })
    };
    matches(a, b) && matches(b, a)
}

fn equivalent_headers(a: &[(String, String)], b: &[(String, String)]) -> bool {
    a.len() == b.len()
        && a.iter().all(|(name, value)| {
            b.iter().any(|(n, v)| normal(n).eq_ignore_ascii_case(&normal(name)) && normal(v) == normal(value))
        })
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')')
}

fn is_user(byte: u8) -> bool {
    is_unreserved(byte) || matches!(byte, b'&' | b'=' | b'+' | b'$' | b',' | b';' | b'?' | b'/')
}

fn is_header(byte: u8) -> bool {
    is_unreserved(byte) || matches!(byte, b'[' | b']' | b'/' | b'?' | b':' | b'+' | b'$')
}

fn is_opaque(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"')
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri {
        Uri::parse(text).unwrap()
    }

    #[test]
    fn what_is_read_is_written_alike() {
        for text in [
            "sip:desk.example",
            "sip:a@desk.example:5061",
            "sips:a:b@desk.example;transport=tcp;lr?a=b&c=",
            "sip:[::1]",
            "sip:[2001:db8::1]:5070;lr",
            "sip:+4930;phone-context=+49@gw;user=phone",
            "tel:+49-30;phone-context=example.com",
            "tel:112;phone-context=+49",
            "urn:service:sos",
            "sip:%23%2a21%23@desk.example",
            "mailto:a@b?subject=x%20y",
        ] {
            assert_eq!(uri(text).to_string(), text);
        }
    }

    #[test]
    fn refuses_what_is_none() {
        for text in [
            "",
            "sip",
            "sip:",
            ":",
            "1a:b",
            "sip:@",
            "sip:a@",
            "sip:a@b:99999",
            "sip:a@b:x",
            "sip:a b@c",
            "sip:[::1",
            "sip:[zz]",
            "sip:[::1]x",
            "<sip:a@b>",
            "sip:a@b c",
            "sip:a@exa$mple",
            "*",
        ] {
            assert!(Uri::parse(text).is_err(), "{text:?}");
        }
        assert!(Uri::parse(&format!("sip:{}@b", "a".repeat(3000))).is_err());
        assert!(Uri::parse("sip:a@b\r\nVia: x").is_err());
    }

    /// RFC 3261 section 19.1.4, its own examples.
    #[test]
    fn equivalence() {
        let same = [
            ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
            ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"),
            (
                "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
            ),
            (
                "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
            ),
        ];
        for (a, b) in same {
            assert!(uri(a).equivalent(&uri(b)) && uri(b).equivalent(&uri(a)), "{a} {b}");
        }
        let different = [
            ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
            ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
            ("sip:a@b", "sips:a@b"),
            ("sip:b", "sip:a@b"),
        ];
        for (a, b) in different {
            assert!(!uri(a).equivalent(&uri(b)) && !uri(b).equivalent(&uri(a)), "{a} {b}");
        }
    }

    #[test]
    fn numbers_as_a_person_reads_them() {
        let cases = [
            ("tel:+49-30-1234.5;ext=1", Some("+493012345")),
            ("sip:+49(30)123;phone-context=x@gw;user=phone", Some("+4930123")),
            ("sip:%2321%23@pbx", Some("#21#")),
            ("sip:max.mustermann@pbx", Some("max.mustermann")),
            ("sip:J%C3%BCrgen@pbx", Some("Jürgen")),
            ("sip:a%00%0Ab@pbx", Some("ab")),
            ("sip:pbx", None),
            ("sip:;x@pbx", None),
            ("urn:service:sos", None),
        ];
        for (text, number) in cases {
            assert_eq!(uri(text).number().as_deref(), number, "{text}");
        }
    }

    #[test]
    fn dial_codes_are_escaped_when_written() {
        assert_eq!(Uri::sip(Some("**21#"), "pbx", None).to_string(), "sip:**21%23@pbx");
        assert_eq!(Uri::sip(Some("a@b c\r\n"), "::1", Some(5)).to_string(), "sip:a%40b%20c%0D%0A@[::1]:5");
        assert_eq!(Uri::sip(Some("100%"), "pbx", None).to_string(), "sip:100%25@pbx");
    }

    #[test]
    fn escaping_a_header_value() {
        let value = "a@b;to-tag=1;from-tag=%x";
        let refer_to = uri(&format!("sip:23@pbx?Replaces={}", escape_header(value)));
        assert_eq!(refer_to.header("Replaces").as_deref(), Some(value));
    }
}
