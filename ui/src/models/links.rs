//! The web and e-mail addresses of contacts (DIR-8): what people write is completed, and what is no such
//! address is refused. An address comes from a file or a directory that somebody else filled.
//!
//! Not here: opening them.

/// Longest address, in bytes; browsers and codes for telephones take less of more.
const LONGEST: usize = 2_000;

/// Why something is not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadAddress {
    /// Another scheme than http, https and mailto: `javascript:`, `file:`.
    Scheme,
    /// No host, or one that no host is called.
    Host,
    /// Control characters, or longer than 2,000 bytes.
    Text,
}

/// A web page's address, whole. "www.acme.example" becomes `https://www.acme.example`; a `mailto:` that
/// somebody wrote there is one.
///
/// # Errors
/// [`BadAddress`]: nothing but http, https and mailto passes.
pub(crate) fn page(text: &str) -> Result<String, BadAddress> {
    let text = plain(text)?;
    let (kind, rest) = match scheme(text) {
        None => ("https", text.strip_prefix("//").unwrap_or(text)),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => ("https", after_slashes(rest)?),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => ("http", after_slashes(rest)?),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("mailto") => return mail(rest, ""),
        Some(_) => return Err(BadAddress::Scheme),
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // Without a scheme a word alone is no address; with one it is a host of this network.
    if !is_host(host) || (scheme(text).is_none() && !host.contains('.')) {
        return Err(BadAddress::Host);
    }
    Ok(format!("{kind}://{}", escaped(rest)))
}

/// A `mailto:` address (RFC 6068) with a subject; "Ada <ada@acme.example>" is read as well.
///
/// # Errors
/// [`BadAddress`]: it is no e-mail address.
pub(crate) fn mail(address: &str, subject: &str) -> Result<String, BadAddress> {
    let (local, domain) = mailbox(address)?.rsplit_once('@').ok_or(BadAddress::Host)?;
    let mut link = format!("mailto:{}@{}", encoded(local), domain);
    if !subject.is_empty() {
        link.push_str("?subject=");
        link.push_str(&encoded(subject));
    }
    Ok(link)
}

/// The bare address in what somebody wrote: "Name <name@acme.example>" and "mailto:" may be around it.
///
/// # Errors
/// [`BadAddress`]: it is no e-mail address.
pub(crate) fn mailbox(address: &str) -> Result<&str, BadAddress> {
    let text = plain(address)?;
    let text = text.split_once('<').and_then(|(_, rest)| rest.strip_suffix('>')).unwrap_or(text).trim();
    let text = match scheme(text) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("mailto") => rest,
        Some(_) => return Err(BadAddress::Scheme),
        None => text,
    };
    let (local, domain) = text.rsplit_once('@').ok_or(BadAddress::Host)?;
    let in_local = |c: char| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(c);
    if local.is_empty() || !local.chars().all(in_local) || !is_name(domain) || !domain.contains('.') {
        return Err(BadAddress::Host);
    }
    Ok(text)
}

fn plain(text: &str) -> Result<&str, BadAddress> {
    let text = text.trim();
    let bad = text.is_empty() || text.len() > LONGEST || text.chars().any(char::is_control);
    if bad { Err(BadAddress::Text) } else { Ok(text) }
}

/// The scheme and what follows (RFC 3986 section 3.1); "acme.example:8080" has none.
fn scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let port = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let has_port = scheme.contains('.') && !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    (is_scheme && !has_port).then_some((scheme, rest))
}

fn after_slashes(rest: &str) -> Result<&str, BadAddress> {
    rest.strip_prefix("//").ok_or(BadAddress::Host)
}

/// A host with or without a port. A user before it is refused: it makes one host look like another.
fn is_host(host: &str) -> bool {
    let (name, port) = host.rsplit_once(':').unwrap_or((host, "0"));
    port.parse::<u16>().is_ok() && is_name(name)
}

fn is_name(name: &str) -> bool {
    let label = |label: &str| {
        let inside = label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
        !label.is_empty() && inside && !label.starts_with('-') && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

/// What an address cannot hold as it is (RFC 3986 appendix A); what is escaped already stays.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c == ' ' || "\"<>\\^`{|}".contains(c) {
            push_encoded(&mut out, c);
        } else {
            out.push(c);
        }
    }
    out
}

/// Everything but the unreserved characters of RFC 3986 section 2.3.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || "-._~".contains(c) {
            out.push(c);
        } else {
            push_encoded(&mut out, c);
        }
    }
    out
}

fn push_encoded(out: &mut String, c: char) {
    let mut bytes = [0; 4];
    for byte in c.encode_utf8(&mut bytes).bytes() {
        out.push_str(&format!("%{byte:02X}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dir_8_what_people_write_becomes_an_address() {
        let pages = [
            ("www.acme.example", "https://www.acme.example"),
            (" acme.example/a b?q=1#x ", "https://acme.example/a%20b?q=1#x"),
            ("HTTP://acme.example", "http://acme.example"),
            ("https://bücher.example/ü", "https://bücher.example/ü"),
            ("acme.example:8080/path", "https://acme.example:8080/path"),
            ("//acme.example", "https://acme.example"),
            ("http://intranet/people", "http://intranet/people"),
            ("mailto:ada+1@acme.example", "mailto:ada%2B1@acme.example"),
        ];
        for (text, link) in pages {
            assert_eq!(page(text).as_deref(), Ok(link));
        }
    }

    #[test]
    fn dir_8_anything_but_web_and_mail_is_refused() {
        for text in ["javascript:alert(1)", "JavaScript://acme.example/%0aalert(1)", "file:///etc/passwd"] {
            assert_eq!(page(text), Err(BadAddress::Scheme), "{text}");
        }
        for text in ["data:text/html,x", "tel:+331", "vbscript:x", "smb://host/share", "sip:1@acme.example"] {
            assert_eq!(page(text), Err(BadAddress::Scheme), "{text}");
        }
        for text in ["/etc/passwd", "../x", "--help", "localhost", "https:acme.example", "https://", "a b.c"]
        {
            assert_eq!(page(text), Err(BadAddress::Host), "{text}");
        }
        // The bank's name before the at sign, somebody else's host behind it.
        assert_eq!(page("https://bank.example@evil.example/"), Err(BadAddress::Host));
        for text in ["", "  ", "acme.example\n--flag", "https://acme.example/\u{7}"] {
            assert_eq!(page(text), Err(BadAddress::Text), "{text}");
        }
        assert_eq!(page(&format!("acme.example/{}", "x".repeat(2_000))), Err(BadAddress::Text));
    }

    #[test]
    fn dir_8_a_mail_has_the_call_as_its_subject() {
        assert_eq!(
            mail("ada@acme.example", "Call from Acme, +33 1, 14:05").as_deref(),
            Ok("mailto:ada@acme.example?subject=Call%20from%20Acme%2C%20%2B33%201%2C%2014%3A05"),
        );
        assert_eq!(mail("Ada <ada@acme.example>", "").as_deref(), Ok("mailto:ada@acme.example"));
        assert_eq!(
            mail("ada@acme.example", "é&cc=x").as_deref(),
            Ok("mailto:ada@acme.example?subject=%C3%A9%26cc%3Dx")
        );
        for text in [
            "ada",
            "@acme.example",
            "ada@",
            "a b@acme.example",
            "ada@acme.example?cc=x@y.example",
            "ada@localhost",
        ] {
            assert_eq!(mail(text, ""), Err(BadAddress::Host), "{text}");
        }
        assert_eq!(mail("javascript:x@acme.example", ""), Err(BadAddress::Scheme));
    }
}
