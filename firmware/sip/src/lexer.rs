//! Bytes to start line, headers and body, as tolerant as RFC 4475 asks for and no more.
//!
//! One pass, one allocation per header. Compact names become long ones, folded lines are joined, text that is not UTF-8
//! is read as Latin-1, comma lists of addresses are split, a line that is no header is skipped. Not done here: whether
//! the headers make sense together ([`crate::message`]).

use memchr::{memchr, memchr3, memrchr};
use rsip::{Header, headers as names, headers::UntypedHeader};

use crate::message::Problem;
use crate::method::Method;
use crate::params::{find_outside_quotes, is_token};

/// The most headers read from one message, after comma lists have been split.
pub(crate) const MAX_HEADERS: usize = 256;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Start {
    Request { method: Method, uri: String },
    Response { code: u16, reason: String },
}

/// What could be read; `problem` is the first thing that was wrong with it.
pub(crate) struct Lexed<'a> {
    pub(crate) start: Option<Start>,
    pub(crate) headers: Vec<Header>,
    pub(crate) body: &'a [u8],
    pub(crate) problem: Option<Problem>,
}

/// Reads one datagram.
pub(crate) fn lex(datagram: &[u8]) -> Lexed<'_> {
    let begin = datagram.iter().position(|b| !matches!(b, b'\r' | b'\n')).unwrap_or(datagram.len());
    let bytes = &datagram[begin..];
    let mut lexed = Lexed { start: None, headers: Vec::new(), body: &[], problem: None };
    if bytes.is_empty() {
        lexed.problem = Some(Problem::Empty);
        return lexed;
    }
    let end = memchr(b'\n', bytes).unwrap_or(bytes.len());
    match start_line(&bytes[..end]) {
        Ok((start, problem)) => {
            lexed.start = Some(start);
            lexed.problem = problem;
        }
        Err(problem) => {
            lexed.problem = Some(problem);
            return lexed;
        }
    }
    lexed.headers.reserve(24);
    headers_and_body(bytes, (end + 1).min(bytes.len()), &mut lexed);
    lexed
}

/// `Ok` with a problem: the request can still be answered.
fn start_line(line: &[u8]) -> Result<(Start, Option<Problem>), Problem> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let space = memchr(b' ', line).ok_or(Problem::StartLine)?;
    if line.get(..4).is_some_and(|p| p.eq_ignore_ascii_case(b"SIP/")) {
        return status_line(&line[..space], trim(&line[space..])).map(|start| (start, None));
    }
    let method = &line[..space];
    if method.is_empty() || !method.iter().copied().all(is_token) {
        return Err(Problem::Method);
    }
    let mut problem = None;
    let trimmed = trim(line);
    if trimmed.len() != line.len() {
        problem = Some(Problem::RequestUri);
    }
    let last = memrchr(b' ', trimmed).filter(|&last| last > space).ok_or(Problem::Version)?;
    let version = &trimmed[last + 1..];
    if !version.get(..4).is_some_and(|p| p.eq_ignore_ascii_case(b"SIP/")) {
        return Err(Problem::Version);
    }
    if !version.eq_ignore_ascii_case(b"SIP/2.0") {
        problem = Some(Problem::Version);
    }
    let uri = trim(&trimmed[space..last]);
    if uri.is_empty() || uri.iter().any(|&b| b <= b' ' || matches!(b, b'<' | b'>' | 0x7f)) {
        problem = problem.or(Some(Problem::RequestUri));
    }
    let method = Method::from_token(&text(method));
    Ok((Start::Request { method, uri: clean(text(uri)) }, problem))
}

fn status_line(version: &[u8], rest: &[u8]) -> Result<Start, Problem> {
    if !version.eq_ignore_ascii_case(b"SIP/2.0") {
        return Err(Problem::Version);
    }
    let digits = rest.iter().position(|b| !b.is_ascii_digit()).unwrap_or(rest.len());
    if digits != 3 || rest.get(3).is_some_and(|&b| b != b' ') {
        return Err(Problem::StatusCode);
    }
    let code = rest[..3].iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    if !(100..700).contains(&code) {
        return Err(Problem::StatusCode);
    }
    Ok(Start::Response { code, reason: clean(text(trim(&rest[3..]))) })
}

fn headers_and_body<'a>(bytes: &'a [u8], at: usize, lexed: &mut Lexed<'a>) {
    let mut length: Option<Result<usize, Problem>> = None;
    let mut fields = Fields::of(bytes, at);
    for (name, value) in &mut fields {
        if is_content_length(name) {
            length = Some(content_length(value, length.take()));
            continue;
        }
        push_value(&mut lexed.headers, Place::Back, name, one_line(value));
        if lexed.headers.len() > MAX_HEADERS {
            lexed.headers.truncate(MAX_HEADERS);
            lexed.problem.get_or_insert(Problem::TooManyHeaders);
            return;
        }
    }
    let Some(available) = fields.body() else {
        lexed.problem.get_or_insert(Problem::NoBlankLine);
        return;
    };
    match length {
        None => lexed.body = available,
        Some(Ok(length)) if length <= available.len() => lexed.body = &available[..length],
        Some(Ok(_)) => _ = lexed.problem.get_or_insert(Problem::BodyCutShort),
        Some(Err(problem)) => _ = lexed.problem.get_or_insert(problem),
    }
}

/// What Content-Length says in a head with its blank line, by which a stream is framed; `None` where there is none.
pub(crate) fn length_of_body(head: &[u8]) -> Option<Result<usize, Problem>> {
    let mut length = None;
    let start = memchr(b'\n', head)? + 1;
    for (_, value) in Fields::of(head, start).filter(|(name, _)| is_content_length(name)) {
        length = Some(content_length(value, length.take()));
    }
    length
}

/// Names and values of the header lines up to the blank one, folded lines joined to the one they belong to; a line that
/// is no header is passed over. A value is as it stands: [`one_line`] makes text of it.
pub(crate) struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the body begins, once the blank line was seen.
    body: Option<usize>,
}

impl<'a> Fields<'a> {
    /// The first of them begins at `at`, behind the start line.
    pub(crate) fn of(bytes: &'a [u8], at: usize) -> Fields<'a> {
        Fields { bytes, at, body: None }
    }

    /// What follows the blank line; `None` where there was none.
    pub(crate) fn body(&self) -> Option<&'a [u8]> {
        self.body.map(|body| &self.bytes[body..])
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        while self.at < self.bytes.len() && self.body.is_none() {
            let mut end = line_end(self.bytes, self.at);
            if matches!(&self.bytes[self.at..end], b"" | b"\r") {
                self.body = Some((end + 1).min(self.bytes.len()));
                return None;
            }
            while matches!(self.bytes.get(end + 1), Some(b' ' | b'\t')) {
                end = line_end(self.bytes, end + 1);
            }
            let line = &self.bytes[self.at..end];
            self.at = end + 1;
            if let Some(field) = split_header(line) {
                return Some(field);
            }
        }
        None
    }
}

/// Name and value of a header line; `None` if it is no header.
fn split_header(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let name = line.iter().position(|&b| !is_token(b)).filter(|&end| end > 0)?;
    let blanks = line[name..].iter().position(|b| !matches!(b, b' ' | b'\t' | b'\r' | b'\n'))?;
    let value = line[name + blanks..].strip_prefix(b":")?;
    Some((&line[..name], trim(value)))
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    memchr(b'\n', &bytes[from..]).map_or(bytes.len(), |length| from + length)
}

fn is_content_length(name: &[u8]) -> bool {
    matches!(name, b"l" | b"L") || (name.len() == 14 && name.eq_ignore_ascii_case(b"Content-Length"))
}

/// Two lengths must agree: which of them a proxy on the way believed is not known (RFC 4475 section 3.3.9).
fn content_length(value: &[u8], earlier: Option<Result<usize, Problem>>) -> Result<usize, Problem> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let length = std::str::from_utf8(value).ok().filter(|_| digits).and_then(|v| v.parse().ok());
    let length = length.ok_or(Problem::ContentLength)?;
    match earlier {
        None => Ok(length),
        Some(Ok(before)) if before == length => Ok(length),
        Some(_) => Err(Problem::ContentLength),
    }
}

/// Where a new header goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Front,
    Back,
}

/// Adds `value`, split into several headers if it is a comma list of a kind that is kept apart.
pub(crate) fn push_value(headers: &mut Vec<Header>, place: Place, name: &[u8], value: String) {
    if !is_split_list(name) || memchr(b',', value.as_bytes()).is_none() {
        return insert(headers, place, 0, header(name, value));
    }
    let mut rest = value.as_str();
    let mut count = 0;
    loop {
        let end = find_outside_quotes(rest, b',');
        let item = rest[..end.unwrap_or(rest.len())].trim_ascii();
        if !item.is_empty() {
            insert(headers, place, count, header(name, item.to_owned()));
            count += 1;
        }
        match end {
            Some(end) if headers.len() <= MAX_HEADERS => rest = &rest[end + 1..],
            _ => return,
        }
    }
}

fn insert(headers: &mut Vec<Header>, place: Place, nth: usize, header: Header) {
    match place {
        Place::Front => headers.insert(nth.min(headers.len()), header),
        Place::Back => headers.push(header),
    }
}

/// Headers that are lists of addresses or hops: one entry per item, so that the first can be taken away.
fn is_split_list(name: &[u8]) -> bool {
    let is = |long: &[u8]| name.eq_ignore_ascii_case(long);
    match name.len() {
        1 => matches!(name, b"v" | b"V" | b"m" | b"M"),
        3 => is(b"Via"),
        4 => is(b"Path"),
        5 => is(b"Route"),
        7 => is(b"Contact"),
        9 => is(b"Diversion"),
        12 => is(b"Record-Route") || is(b"History-Info"),
        13 => is(b"Service-Route"),
        15 => is(b"Remote-Party-ID"),
        16 => is(b"P-Associated-URI"),
        19 => is(b"P-Asserted-Identity"),
        20 => is(b"P-Preferred-Identity"),
        _ => false,
    }
}

/// Whether [`crate::message::Message::headers`] hands out the comma-separated items of a value one by one.
pub(crate) fn is_token_list(name: &str) -> bool {
    const LISTS: [&str; 13] = [
        "Allow",
        "Supported",
        "Require",
        "Proxy-Require",
        "Unsupported",
        "Accept",
        "Accept-Encoding",
        "Accept-Language",
        "Allow-Events",
        "In-Reply-To",
        "Content-Encoding",
        "Content-Language",
        "Reason",
    ];
    LISTS.iter().any(|list| list.eq_ignore_ascii_case(name))
}

/// UTF-8, else Latin-1: what an old gateway sends must not cost the call.
pub(crate) fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&b| char::from(b)).collect(),
    }
}

/// The value without line ends and NUL, which become spaces: nothing can smuggle a header into what we write.
pub(crate) fn clean(value: String) -> String {
    if memchr3(b'\r', b'\n', 0, value.as_bytes()).is_none() {
        return value;
    }
    let spaced: String =
        value.chars().map(|c| if matches!(c, '\r' | '\n' | '\0') { ' ' } else { c }).collect();
    spaced.trim_matches([' ', '\t']).to_owned()
}

/// The text of a value in one line: folded lines joined (RFC 3261 section 7.3.1), and cleaned.
pub(crate) fn one_line(value: &[u8]) -> String {
    if memchr(b'\n', value).is_none() {
        return clean(text(value));
    }
    let mut out = String::with_capacity(value.len());
    for (at, part) in value.split(|&b| b == b'\n').map(trim).filter(|p| !p.is_empty()).enumerate() {
        if at > 0 {
            out.push(' ');
        }
        out.push_str(&text(part));
    }
    clean(out)
}

fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\r' | b'\n', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t' | b'\r' | b'\n'] = bytes {
        bytes = rest;
    }
    bytes
}

/// The table of rsip's headers, by length of the name: from a long name to the variant, and back to name and value.
macro_rules! header_table {
    ($($length:literal: $($variant:ident $long:literal),+;)*) => {
        fn known(name: &[u8], value: String) -> Result<Header, String> {
            match name.len() {
                $($($length if same(name, $long.as_bytes()) => Ok(Header::$variant(names::$variant::new(value))),)+)*
                _ => Err(value),
            }
        }

        /// The canonical name, for `Other` the name as sent.
        pub(crate) fn name_of(header: &Header) -> &str {
            match header {
                $($(Header::$variant(_) => $long,)+)*
                Header::Other(name, _) => name,
            }
        }

        /// The value.
        pub(crate) fn value_of(header: &Header) -> &str {
            match header {
                $($(Header::$variant(inner) => inner.value(),)+)*
                Header::Other(_, value) => value,
            }
        }

        #[cfg(test)]
        const KNOWN: &[(usize, &str)] = &[$($(($length, $long),)+)*];
    };
}

header_table! {
    2: To "To";
    3: Via "Via";
    4: From "From", CSeq "CSeq", Date "Date";
    5: Allow "Allow", Route "Route", Event "Event";
    6: Accept "Accept", Server "Server";
    7: CallId "Call-ID", Contact "Contact", Expires "Expires", Require "Require", Subject "Subject", Warning "Warning";
    8: Priority "Priority", ReplyTo "Reply-To";
    9: Supported "Supported", CallInfo "Call-Info", Timestamp "Timestamp";
    10: UserAgent "User-Agent", AlertInfo "Alert-Info", ErrorInfo "Error-Info";
    11: MinExpires "Min-Expires", RetryAfter "Retry-After", Unsupported "Unsupported", InReplyTo "In-Reply-To";
    12: ContentType "Content-Type", MaxForwards "Max-Forwards", RecordRoute "Record-Route", MimeVersion "MIME-Version",
        Organization "Organization";
    13: Authorization "Authorization", ProxyRequire "Proxy-Require";
    14: ContentLength "Content-Length";
    15: AcceptEncoding "Accept-Encoding", AcceptLanguage "Accept-Language";
    16: WwwAuthenticate "WWW-Authenticate", ContentEncoding "Content-Encoding", ContentLanguage "Content-Language";
    18: SubscriptionState "Subscription-State", ProxyAuthenticate "Proxy-Authenticate";
    19: ProxyAuthorization "Proxy-Authorization", AuthenticationInfo "Authentication-Info",
        ContentDisposition "Content-Disposition";
}

/// Nearly everybody writes the name as the RFC does, or with another first letter.
#[inline(always)]
fn same(name: &[u8], known: &[u8]) -> bool {
    name[0].eq_ignore_ascii_case(&known[0]) && (name == known || name.eq_ignore_ascii_case(known))
}

/// A header of rsip's; compact names become long ones.
fn header(name: &[u8], value: String) -> Header {
    let long = match name {
        [letter] => compact(*letter).map_or(name, str::as_bytes),
        _ => name,
    };
    match known(long, value) {
        Ok(header) => header,
        Err(value) => Header::Other(text(long), value),
    }
}

/// The long name of a compact one, else the name itself.
pub(crate) fn long_name(name: &str) -> &str {
    match name.as_bytes() {
        [letter] => compact(*letter).unwrap_or(name),
        _ => name,
    }
}

/// RFC 3261 section 20 and the IANA registry.
fn compact(letter: u8) -> Option<&'static str> {
    Some(match letter.to_ascii_lowercase() {
        b'a' => "Accept-Contact",
        b'b' => "Referred-By",
        b'c' => "Content-Type",
        b'd' => "Request-Disposition",
        b'e' => "Content-Encoding",
        b'f' => "From",
        b'i' => "Call-ID",
        b'j' => "Reject-Contact",
        b'k' => "Supported",
        b'l' => "Content-Length",
        b'm' => "Contact",
        b'o' => "Event",
        b'r' => "Refer-To",
        b's' => "Subject",
        b't' => "To",
        b'u' => "Allow-Events",
        b'v' => "Via",
        b'x' => "Session-Expires",
        b'y' => "Identity",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_in_the_table_finds_its_variant_in_any_case() {
        assert_eq!(KNOWN.len(), 46, "the named headers of rsip 0.4.0");
        for &(length, name) in KNOWN {
            assert_eq!(name.len(), length, "{name} stands in the wrong row");
            for spelling in [name.to_owned(), name.to_ascii_lowercase(), name.to_ascii_uppercase()] {
                let header = header(spelling.as_bytes(), "v".to_owned());
                assert!(!matches!(header, Header::Other(..)), "{spelling}");
                assert_eq!((name_of(&header), value_of(&header)), (name, "v"));
            }
        }
    }

    #[test]
    fn compact_names_become_long_and_other_names_stay() {
        for letter in b'a'..=b'z' {
            let name = header(&[letter], String::new());
            assert_eq!(name_of(&name).len() > 1, compact(letter).is_some(), "{}", char::from(letter));
        }
        assert_eq!(name_of(&header(b"x-tRa", String::new())), "x-tRa");
    }

    #[test]
    fn lists_are_split_outside_quotes_and_brackets_only() {
        let split = |value: &str| {
            let mut headers = Vec::new();
            push_value(&mut headers, Place::Back, b"m", value.to_owned());
            headers.iter().map(|h| value_of(h).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(
            split("<sip:a,b@c>,\"x,\\\",\" <sip:d>;q=1 ,, sip:e"),
            ["<sip:a,b@c>", "\"x,\\\",\" <sip:d>;q=1", "sip:e"]
        );
        assert_eq!(split("\"open, <sip:a>"), ["\"open, <sip:a>"]);
        assert_eq!(split("*"), ["*"]);
    }

    #[test]
    fn lines_that_are_no_headers_are_passed_over() {
        let lexed = lex(
            b"ACK a:b SIP/2.0\r\n folded into nothing\r\nno colon\r\nbad name: x\r\n: y\r\nGood: z\r\n\r\n",
        );
        assert_eq!(lexed.headers, [Header::Other("Good".to_owned(), "z".to_owned())]);
        assert_eq!(lexed.problem, None);
    }

    #[test]
    fn a_bare_carriage_return_inside_a_value_becomes_a_space() {
        let lexed = lex(b"ACK a:b SIP/2.0\r\nX: a\rVia: b\0c\r\n\r\n");
        assert_eq!(value_of(&lexed.headers[0]), "a Via: b c");
    }
}
