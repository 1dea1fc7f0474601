//! A SIP message: start line, headers, body.
//!
//! Headers live in [`rsip::Headers`], filled by our own lexer; neither rsip's parser nor its printer is used, and only
//! this module, the lexer and [`crate::method`] name it. Content-Length is not among the headers: it is checked when a message is read and set when it
//! is written. Not done here: anything that needs state, such as matching a response to its request.

use std::fmt;

use rsip::Header;

use crate::error::SyntaxError;
use crate::header::{CSeq, NameAddr, Via, split_address, split_cseq, split_via};
use crate::lexer::{self, Lexed, Place, Start, name_of, value_of};
use crate::method::Method;
use crate::params::{find_outside_quotes, is_token};

/// The largest message read, in bytes: the most a UDP datagram can hold.
pub const MAX_SIZE: usize = 65_535;

/// One request or response.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    start: Start,
    headers: rsip::Headers,
    body: Vec<u8>,
}

/// The body is not shown: the key of a call may be in it (RFC 4568).
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Message");
        shown.field("start", &self.start).field("headers", &self.headers);
        shown.field("body", &format_args!("{} bytes", self.body.len())).finish()
    }
}

/// What is wrong with a message as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the error texts say it")]
pub enum Problem {
    #[error("Nothing But Line Ends")]
    Empty,
    #[error("Message Larger Than 64 KiB")]
    TooLarge,
    #[error("More Than 256 Header Fields")]
    TooManyHeaders,
    #[error("Malformed Start Line")]
    StartLine,
    #[error("Malformed Method")]
    Method,
    #[error("Malformed Request-URI")]
    RequestUri,
    #[error("SIP Version Not Supported")]
    Version,
    #[error("Malformed Status Code")]
    StatusCode,
    #[error("No Blank Line After Header Fields")]
    NoBlankLine,
    #[error("Malformed Content-Length")]
    ContentLength,
    #[error("Body Shorter Than Content-Length")]
    BodyCutShort,
    #[error("Missing {0} Header Field")]
    Missing(&'static str),
    #[error("Malformed {0} Header Field")]
    Malformed(&'static str),
    #[error("More Than One {0} Header Field")]
    Repeated(&'static str),
    #[error("CSeq Does Not Match Method")]
    CSeqMethod,
}

/// A datagram that is no usable message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct ParseError {
    problem: Problem,
    reply: Option<Box<Message>>,
}

impl ParseError {
    /// What is wrong.
    pub fn problem(&self) -> Problem {
        self.problem
    }

    /// The response to send, if the sender can be told: a request other than ACK of which Via, From, To, Call-ID and
    /// CSeq could be read. 400 with the problem as reason phrase; 505 for another SIP version. The To tag is the
    /// caller's to add, and the address of the top Via the caller's to fill in.
    pub fn reply_400(&self) -> Option<Message> {
        self.reply.as_deref().cloned()
    }
}

impl Message {
    /// Reads one datagram. Bytes behind the body are ignored.
    ///
    /// # Errors
    /// [`ParseError`] for everything RFC 3261 section 8.2 would have us answer with 400, and for what is no SIP at all.
    pub fn parse(bytes: &[u8]) -> Result<Message, ParseError> {
        if bytes.len() > MAX_SIZE {
            return Err(ParseError { problem: Problem::TooLarge, reply: None });
        }
        let Lexed { start, headers, body, problem } = lexer::lex(bytes);
        let Some(start) = start else {
            return Err(ParseError { problem: problem.unwrap_or(Problem::StartLine), reply: None });
        };
        let problem = problem.or_else(|| check(&start, &headers).err());
        let mut message = Message { start, headers: headers.into(), body: Vec::new() };
        match problem {
            None => {
                message.body = body.to_vec();
                Ok(message)
            }
            Some(problem) => Err(ParseError { problem, reply: refusal(&message, problem).map(Box::new) }),
        }
    }

    /// An empty request; the request URI is cleaned of spaces and line ends.
    pub fn request(method: Method, uri: &str) -> Message {
        let uri = uri.chars().filter(|c| !c.is_control() && *c != ' ').collect();
        Message { start: Start::Request { method, uri }, headers: rsip::Headers::default(), body: Vec::new() }
    }

    /// A response to `request` (RFC 3261 section 8.2.6): Via, From, To, Call-ID and CSeq copied, Timestamp into a 100,
    /// Record-Route into what may form a dialog (section 12.1.1). The To tag is the caller's to add.
    pub fn response(request: &Message, code: u16) -> Message {
        let code = code.clamp(100, 699);
        let forms_dialog = (101..300).contains(&code)
            && matches!(
                request.method(),
                Some(Method::Invite | Method::Subscribe | Method::Refer | Method::Notify)
            );
        let mut once = Vec::new();
        let mut first = |header: &Header| {
            let kind = std::mem::discriminant(header);
            let is_first = !once.contains(&kind);
            if is_first {
                once.push(kind);
            }
            is_first
        };
        // Of what there may be one only, the first: that is what was read.
        let copied = |header: &&Header| match header {
            Header::Via(_) => true,
            Header::From(_) | Header::To(_) | Header::CallId(_) | Header::CSeq(_) => first(header),
            Header::RecordRoute(_) => forms_dialog,
            Header::Timestamp(_) => code == 100 && first(header),
            _ => false,
        };
        let headers: Vec<Header> = request.headers.iter().filter(copied).cloned().collect();
        let start = Start::Response { code, reason: default_reason(code).to_owned() };
        Message { start, headers: headers.into(), body: Vec::new() }
    }

    /// Replaces the reason phrase of a response; nothing happens to a request.
    #[must_use]
    pub(crate) fn with_reason(mut self, phrase: &str) -> Message {
        if let Start::Response { reason, .. } = &mut self.start {
            *reason = lexer::clean(phrase.trim_ascii().to_owned());
        }
        self
    }

    /// Appends a header. Line ends in the value become spaces; comma lists of Via, Contact, Route and other addresses
    /// become one header each. Content-Length is ignored: writing sets it.
    pub fn push(&mut self, name: &str, value: impl Into<String>) {
        self.insert(Place::Back, name, value.into());
    }

    /// Like [`Message::push`], before all other headers: a Via of our own.
    pub fn push_front(&mut self, name: &str, value: impl Into<String>) {
        self.insert(Place::Front, name, value.into());
    }

    /// Replaces all headers of this name by one, in the place of the first.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let name = lexer::long_name(name);
        let at = self.headers.iter().position(|h| name_of(h).eq_ignore_ascii_case(name));
        self.remove(name);
        let Some(at) = at else { return self.insert(Place::Back, name, value.into()) };
        let mut head: Vec<Header> = std::mem::take(&mut self.headers).into();
        let mut tail = head.split_off(at);
        push(&mut head, Place::Back, name, value.into());
        head.append(&mut tail);
        self.headers = head.into();
    }

    /// Removes all headers of this name.
    pub fn remove(&mut self, name: &str) {
        let name = lexer::long_name(name);
        self.headers.retain(|h| !name_of(h).eq_ignore_ascii_case(name));
    }

    /// Removes and returns the first header of this name: the top Via or Route.
    pub fn pop_front(&mut self, name: &str) -> Option<String> {
        let name = lexer::long_name(name);
        let mut headers: Vec<Header> = std::mem::take(&mut self.headers).into();
        let at = headers.iter().position(|h| name_of(h).eq_ignore_ascii_case(name));
        let value = at.map(|at| value_of(&headers.remove(at)).to_owned());
        self.headers = headers.into();
        value
    }

    /// Replaces the request URI; nothing happens to a response.
    pub fn set_request_uri(&mut self, to: &str) {
        if let Start::Request { uri, .. } = &mut self.start {
            *uri = to.chars().filter(|c| !c.is_control() && *c != ' ').collect();
        }
    }

    /// Sets body and Content-Type.
    pub fn set_body(&mut self, content_type: &str, body: Vec<u8>) {
        self.set("Content-Type", content_type);
        self.body = body;
    }

    /// The bytes for the wire, Content-Length last among the headers.
    pub fn write(&self) -> Vec<u8> {
        let size: usize = self.headers.iter().map(|h| name_of(h).len() + value_of(h).len() + 4).sum();
        let mut out = Vec::with_capacity(size + self.body.len() + 128);
        match &self.start {
            Start::Request { method, uri } => {
                push_all(&mut out, &[method.as_str(), " ", uri, " SIP/2.0\r\n"]);
            }
            Start::Response { code, reason } => {
                out.extend_from_slice(b"SIP/2.0 ");
                push_number(&mut out, usize::from(*code));
                push_all(&mut out, &[" ", reason, "\r\n"]);
            }
        }
        for header in self.headers.iter() {
            push_all(&mut out, &[name_of(header), ": ", value_of(header), "\r\n"]);
        }
        out.extend_from_slice(b"Content-Length: ");
        push_number(&mut out, self.body.len());
        out.extend_from_slice(b"\r\n\r\n");
        out.extend_from_slice(&self.body);
        out
    }

    /// About how many bytes it takes, on the wire and in memory.
    pub(crate) fn weight(&self) -> usize {
        let headers: usize = self.headers.iter().map(|h| name_of(h).len() + value_of(h).len() + 4).sum();
        headers + self.body.len() + self.request_uri().map_or(0, str::len)
    }

    /// Request or response?
    pub fn is_request(&self) -> bool {
        matches!(self.start, Start::Request { .. })
    }

    /// The method of a request. For a response see [`Message::cseq`].
    pub fn method(&self) -> Option<&Method> {
        match &self.start {
            Start::Request { method, .. } => Some(method),
            Start::Response { .. } => None,
        }
    }

    /// The request URI as it was sent.
    pub fn request_uri(&self) -> Option<&str> {
        match &self.start {
            Start::Request { uri, .. } => Some(uri),
            Start::Response { .. } => None,
        }
    }

    /// The status code of a response, 100 to 699.
    pub fn code(&self) -> Option<u16> {
        match &self.start {
            Start::Request { .. } => None,
            Start::Response { code, .. } => Some(*code),
        }
    }

    /// The reason phrase; empty for a request.
    pub fn reason(&self) -> &str {
        match &self.start {
            Start::Request { .. } => "",
            Start::Response { reason, .. } => reason,
        }
    }

    /// The value of the first header of this name, long or compact, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let name = lexer::long_name(name);
        self.headers.iter().find(|h| name_of(h).eq_ignore_ascii_case(name)).map(value_of)
    }

    /// All values of this name in order; comma lists (of addresses, and of tokens such as Allow, Supported, Require)
    /// item by item.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let name = lexer::long_name(name);
        let list = lexer::is_token_list(name);
        let values = self.headers.iter().filter(move |h| name_of(h).eq_ignore_ascii_case(name)).map(value_of);
        values.flat_map(move |value| items(value, list))
    }

    /// Every header as (name, value), in order; Content-Length is not among them.
    pub fn all_headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|h| (name_of(h), value_of(h)))
    }

    /// The body; empty if there is none.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The media type of the body in lower case, without parameters.
    pub fn content_type(&self) -> Option<String> {
        let value = self.header("Content-Type")?;
        Some(value.split(';').next().unwrap_or(value).trim_ascii().to_ascii_lowercase())
    }

    /// The top Via.
    pub fn via(&self) -> Option<Via> {
        Via::parse(self.header("Via")?).ok()
    }

    /// The From address.
    pub fn from(&self) -> Option<NameAddr> {
        self.address("From")
    }

    /// The To address.
    pub fn to(&self) -> Option<NameAddr> {
        self.address("To")
    }

    /// The first Contact; `None` also for `*`.
    pub fn contact(&self) -> Option<NameAddr> {
        self.address("Contact")
    }

    /// The first header of this name as an address: Refer-To, P-Asserted-Identity, …
    pub fn address(&self, name: &str) -> Option<NameAddr> {
        NameAddr::parse(self.header(name)?).ok()
    }

    /// Sequence number and method.
    pub fn cseq(&self) -> Option<CSeq> {
        CSeq::parse(self.header("CSeq")?).ok()
    }

    /// The Call-ID.
    pub fn call_id(&self) -> Option<&str> {
        self.header("Call-ID")
    }

    /// Hops left; `None` if absent or no number.
    pub fn max_forwards(&self) -> Option<u32> {
        number(self.header("Max-Forwards")?)
    }

    /// The Expires header in seconds; `None` if absent or no number. Too large a number is the largest one.
    pub fn expires(&self) -> Option<u32> {
        number(self.header("Expires")?)
    }

    fn insert(&mut self, place: Place, name: &str, value: String) {
        let mut headers: Vec<Header> = std::mem::take(&mut self.headers).into();
        push(&mut headers, place, name, value);
        self.headers = headers.into();
    }
}

/// The message as text, for traces and test failures; bytes of the body that are not UTF-8 become U+FFFD.
impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.write()))
    }
}

/// The reason phrase of the RFC that defines the code.
pub(crate) fn default_reason(code: u16) -> &'static str {
    match code {
        100 => "Trying",
        180 => "Ringing",
        181 => "Call Is Being Forwarded",
        182 => "Queued",
        183 => "Session Progress",
        199 => "Early Dialog Terminated",
        200 => "OK",
        202 => "Accepted",
        204 => "No Notification",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Moved Temporarily",
        305 => "Use Proxy",
        380 => "Alternative Service",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        410 => "Gone",
        412 => "Conditional Request Failed",
        413 => "Request Entity Too Large",
        414 => "Request-URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        420 => "Bad Extension",
        421 => "Extension Required",
        422 => "Session Interval Too Small",
        423 => "Interval Too Brief",
        433 => "Anonymity Disallowed",
        469 => "Bad Info Package",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        483 => "Too Many Hops",
        484 => "Address Incomplete",
        485 => "Ambiguous",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        489 => "Bad Event",
        491 => "Request Pending",
        493 => "Undecipherable",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Server Time-out",
        505 => "Version Not Supported",
        513 => "Message Too Large",
        580 => "Precondition Failure",
        600 => "Busy Everywhere",
        603 => "Decline",
        604 => "Does Not Exist Anywhere",
        606 => "Not Acceptable",
        607 => "Unwanted",
        other => match other / 100 {
            1 => "Progress",
            2 => "OK",
            3 => "Redirection",
            4 => "Client Error",
            5 => "Server Error",
            _ => "Global Failure",
        },
    }
}

/// What RFC 3261 section 8.1.1 demands of every message, without copying anything.
fn check(start: &Start, headers: &[Header]) -> Result<(), Problem> {
    let only = |is: fn(&Header) -> bool, name: &'static str| {
        let mut found = headers.iter().filter(|h| is(h)).map(value_of);
        let first = found.next().ok_or(Problem::Missing(name))?;
        if found.any(|other| other != first) { Err(Problem::Repeated(name)) } else { Ok(first) }
    };
    let cseq = only(|h| matches!(h, Header::CSeq(_)), "CSeq")?;
    let call_id = only(|h| matches!(h, Header::CallId(_)), "Call-ID")?;
    let from = only(|h| matches!(h, Header::From(_)), "From")?;
    let to = only(|h| matches!(h, Header::To(_)), "To")?;
    let via = headers.iter().find(|h| matches!(h, Header::Via(_))).ok_or(Problem::Missing("Via"))?;
    if call_id.is_empty() || call_id.contains([' ', '\t']) {
        return Err(Problem::Malformed("Call-ID"));
    }
    if split_address(from).is_err() {
        return Err(Problem::Malformed("From"));
    }
    if split_address(to).is_err() {
        return Err(Problem::Malformed("To"));
    }
    if split_via(value_of(via)).is_err() {
        return Err(Problem::Malformed("Via"));
    }
    let (_, method) = split_cseq(cseq).map_err(|_: SyntaxError| Problem::Malformed("CSeq"))?;
    if !headers.iter().filter(|h| matches!(h, Header::MaxForwards(_))).all(|h| number(value_of(h)).is_some())
    {
        return Err(Problem::Malformed("Max-Forwards"));
    }
    match start {
        Start::Request { method: expected, .. } if expected.as_str() != method => Err(Problem::CSeqMethod),
        _ => Ok(()),
    }
}

/// The answer to a request we cannot read, if all that an answer needs is there.
fn refusal(request: &Message, problem: Problem) -> Option<Message> {
    if matches!(request.method(), None | Some(Method::Ack)) {
        return None;
    }
    let needed = ["Via", "From", "To", "Call-ID", "CSeq"];
    if needed.iter().any(|name| request.header(name).is_none_or(str::is_empty)) || request.via().is_none() {
        return None;
    }
    let code = if problem == Problem::Version { 505 } else { 400 };
    let mut reply = Message::response(request, code).with_reason(&problem.to_string());
    for name in ["From", "To", "Call-ID", "CSeq"] {
        let first = reply.header(name)?.to_owned();
        reply.set(name, first);
    }
    Some(reply)
}

fn push(headers: &mut Vec<Header>, place: Place, name: &str, value: String) {
    let legal = !name.is_empty() && name.bytes().all(is_token);
    debug_assert!(legal, "header names are written in the program: {name:?}");
    if !legal || lexer::long_name(name).eq_ignore_ascii_case("Content-Length") {
        return;
    }
    let value = lexer::clean(value);
    let value = if value.trim_ascii().len() == value.len() { value } else { value.trim_ascii().to_owned() };
    lexer::push_value(headers, place, name.as_bytes(), value);
}

fn items(value: &str, list: bool) -> impl Iterator<Item = &str> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = if list { find_outside_quotes(text, b',') } else { None };
        rest = end.map(|end| &text[end + 1..]);
        Some(text[..end.unwrap_or(text.len())].trim_ascii())
    })
    .filter(move |item| !list || !item.is_empty())
}

/// A decimal number, saturating; parameters behind it are ignored.
fn number(value: &str) -> Option<u32> {
    let digits = value.split([';', ' ', '(']).next().unwrap_or(value).trim_ascii();
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u32::MAX))
}

fn push_all(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

fn push_number(out: &mut Vec<u8>, number: usize) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn invite() -> Message {
        let mut message = Message::request(Method::Invite, "sip:23@desk.example");
        message.push("Via", "SIP/2.0/UDP a;branch=z9hG4bK1, SIP/2.0/UDP b;branch=z9hG4bK2");
        message.push("From", "<sip:1@a>;tag=x");
        message.push("To", "<sip:23@desk.example>");
        message.push("Call-ID", "c@a");
        message.push("CSeq", "1 INVITE");
        message.push("Record-Route", "<sip:p1;lr>,<sip:p2;lr>");
        message
    }

    #[test]
    fn a_request_on_the_wire() {
        let mut message = invite();
        message.set_body("text/plain", b"hi".to_vec());
        let text = "INVITE sip:23@desk.example SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nVia: SIP/2.0/UDP b;branch=z9hG4bK2\r\n\
            From: <sip:1@a>;tag=x\r\nTo: <sip:23@desk.example>\r\nCall-ID: c@a\r\nCSeq: 1 INVITE\r\nRecord-Route: <sip:p1;lr>\r\n\
            Record-Route: <sip:p2;lr>\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi";
        assert_eq!(message.to_string(), text);
        assert_eq!(Message::parse(text.as_bytes()).unwrap(), message);
    }

    #[test]
    fn a_response_copies_what_section_8_2_6_says() {
        let names =
            |response: &Message| response.all_headers().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
        let ok = Message::response(&invite(), 200);
        assert_eq!(
            names(&ok),
            ["Via", "Via", "From", "To", "Call-ID", "CSeq", "Record-Route", "Record-Route"]
        );
        assert_eq!((ok.code(), ok.reason(), ok.method(), ok.request_uri()), (Some(200), "OK", None, None));
        let busy = Message::response(&invite(), 486);
        assert_eq!(names(&busy), ["Via", "Via", "From", "To", "Call-ID", "CSeq"]);
        assert_eq!(Message::response(&invite(), 100).header("Record-Route"), None);
        assert_eq!(busy.with_reason("Busy\r\nX: y").reason(), "Busy  X: y");
    }

    #[test]
    fn headers_are_found_set_and_removed_by_any_name() {
        let mut message = invite();
        assert_eq!(message.header("v"), Some("SIP/2.0/UDP a;branch=z9hG4bK1"));
        assert_eq!(message.pop_front("Via").as_deref(), Some("SIP/2.0/UDP a;branch=z9hG4bK1"));
        message.push_front("Via", "SIP/2.0/UDP c");
        assert_eq!(message.via().unwrap().host, "c");
        message.set("from", "<sip:2@a>;tag=y");
        assert_eq!(message.from().unwrap().tag(), Some("y"));
        assert_eq!(
            message.all_headers().position(|(name, _)| name == "From"),
            Some(2),
            "set keeps the place"
        );
        message.set("r", "<sip:3@d>");
        assert_eq!(message.header("refer-TO"), Some("<sip:3@d>"));
        message.remove("RECORD-ROUTE");
        assert_eq!(message.headers("Record-Route").count(), 0);
        assert_eq!(message.pop_front("Route"), None);
    }

    #[test]
    fn token_lists_come_item_by_item_and_texts_whole() {
        let mut message = invite();
        message.push("Allow", "INVITE, ACK,BYE");
        message.push("Allow", "REFER,,");
        message.push("Subject", "one, two");
        message.push("P-Asserted-Identity", "\"A, B\" <sip:1@a>, <tel:+1>");
        assert_eq!(message.headers("allow").collect::<Vec<_>>(), ["INVITE", "ACK", "BYE", "REFER"]);
        assert_eq!(message.headers("Subject").collect::<Vec<_>>(), ["one, two"]);
        assert_eq!(
            message.headers("P-Asserted-Identity").collect::<Vec<_>>(),
            ["\"A, B\" <sip:1@a>", "<tel:+1>"]
        );
    }

    #[test]
    fn nothing_smuggles_a_header_in() {
        let mut message = Message::request(Method::Invite, "sip:a b\r\nX: y@c");
        message.push("Subject", "x\r\nVia: evil\0\n\n");
        message.push("Content-Length", "999");
        let text = message.to_string();
        assert_eq!(text, "INVITE sip:abX:y@c SIP/2.0\r\nSubject: x  Via: evil\r\nContent-Length: 0\r\n\r\n");
    }

    #[test]
    fn numbers_saturate_and_tolerate_parameters() {
        let mut message = invite();
        message.set("Expires", "99999999999999");
        assert_eq!(message.expires(), Some(u32::MAX));
        message.set("Expires", "60;x=y");
        assert_eq!(message.expires(), Some(60));
        message.set("Expires", "Thu, 01 Dec 1994 16:00:00 GMT");
        assert_eq!(message.expires(), None);
    }

    #[test]
    fn a_star_is_no_contact_address() {
        let mut message = invite();
        message.push("m", "*");
        assert_eq!((message.header("Contact"), message.contact()), (Some("*"), None));
    }
}
