//! A stream's bytes to messages (RFC 3261 18.3), and the keep-alives between them (RFC 5626 4.4.1).
//!
//! Whatever the network made of it, a message is the same. Nothing is kept beyond one message and what was pushed with
//! it, and nothing is looked for twice. Not done here: reading sockets, and whether a message makes sense
//! ([`crate::message`]).

use memchr::{memchr, memmem};
use thiserror::Error;

use crate::lexer;

/// The longest message with its body, in bytes.
pub const MAX_MESSAGE: usize = 64 * 1024;

/// The longest head: start line and headers, in bytes.
pub const MAX_HEAD: usize = 32 * 1024;

/// The longest start line, in bytes.
const MAX_START_LINE: usize = 4096;

/// Asks the peer whether it is still there; a [`PONG`] comes back from one that knows how.
pub const PING: &[u8] = b"\r\n\r\n";

/// The answer to a [`PING`].
pub const PONG: &[u8] = b"\r\n";

/// What a stream brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// One whole message.
    Message(Vec<u8>),
    /// The peer asks whether we are there: answer with [`PONG`].
    Ping,
    /// The peer is there.
    Pong,
}

/// Why a stream cannot be read any further: where the next message would begin is not known. Close it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StreamError {
    /// It speaks something else.
    #[error("what comes is not SIP")]
    NotSip,
    /// It speaks TLS.
    #[error("what comes is TLS, and this connection is not encrypted")]
    Tls,
    /// RFC 3261 section 18.3 demands it.
    #[error("a message has no Content-Length")]
    NoLength,
    /// No number, or two different ones.
    #[error("a message has a Content-Length that is of no use")]
    BadLength,
    /// See [`MAX_HEAD`] and [`MAX_MESSAGE`].
    #[error("a message is too long")]
    TooLong,
}

/// Cuts one stream into messages.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: Vec<u8>,
    /// Where in the buffer the next frame begins.
    start: usize,
    /// Up to where, from the start, the end of a head was looked for in vain.
    searched: usize,
    /// The length of a message whose head is there.
    whole: Option<usize>,
    /// The start line was looked at.
    is_sip: bool,
    /// An empty line came and was told as [`Frame::Pong`]; one more makes it a [`Frame::Ping`].
    lone_line: bool,
    failed: Option<StreamError>,
}

impl Framer {
    /// A framer for a fresh stream.
    pub fn new() -> Framer {
        Framer::default()
    }

    /// Takes in bytes as they come. Take [`Framer::next`] until it has nothing before the next of them.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            self.buffer.drain(..self.start);
            self.start = 0;
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next frame, if it is whole.
    ///
    /// # Errors
    /// See [`StreamError`]; the same from then on.
    #[allow(clippy::should_implement_trait, reason = "more may come after a pause")]
    pub fn next(&mut self) -> Result<Option<Frame>, StreamError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.read().inspect_err(|&error| {
            self.failed = Some(error);
            self.buffer = Vec::new();
            self.start = 0;
        })
    }

    /// Whether no message has begun that is not whole.
    pub fn is_between(&self) -> bool {
        self.rest().iter().all(|byte| matches!(byte, b'\r' | b'\n'))
    }

    fn read(&mut self) -> Result<Option<Frame>, StreamError> {
        if self.whole.is_none()
            && self.searched == 0
            && let Some(frame) = self.read_between()
        {
            return Ok(Some(frame));
        }
        if self.whole.is_none() && !self.read_head()? {
            return Ok(None);
        }
        let Some(whole) = self.whole.filter(|&whole| whole <= self.rest().len()) else {
            return Ok(None);
        };
        let message = self.rest()[..whole].to_vec();
        self.advance(whole);
        Ok(Some(Frame::Message(message)))
    }

    /// Empty lines between messages. Two of them are a ping; one is a pong, if nothing has come behind it yet.
    fn read_between(&mut self) -> Option<Frame> {
        loop {
            let rest = self.rest();
            let line = match rest {
                [b'\r', b'\n', ..] => 2,
                [b'\n', ..] => 1,
                // The rest of the line is on its way, or never comes: then the head is looked at with it.
                [b'\r'] | [] => return None,
                [b'\r', ..] => {
                    self.start += 1;
                    continue;
                }
                _ => {
                    self.lone_line = false;
                    return None;
                }
            };
            let more = rest.get(line).copied();
            self.start += line;
            if std::mem::take(&mut self.lone_line) {
                return Some(Frame::Ping);
            }
            self.lone_line = true;
            if !matches!(more, Some(b'\r' | b'\n')) {
                return Some(Frame::Pong);
            }
        }
    }

    /// Looks for the end of the head; true once the length of the message is known.
    fn read_head(&mut self) -> Result<bool, StreamError> {
        let rest = self.rest();
        if matches!(rest, [] | [b'\r']) {
            return Ok(false);
        }
        let is_sip = self.is_sip || check_start(rest)?;
        // The end may lie across what was searched and what has come.
        let from = self.searched.saturating_sub(3);
        let end = end_of_head(&rest[from..]).map(|end| from + end);
        let length = rest.len();
        self.is_sip = is_sip;
        self.searched = length;
        let Some(end) = end else {
            return if length > MAX_HEAD { Err(StreamError::TooLong) } else { Ok(false) };
        };
        if end > MAX_HEAD {
            return Err(StreamError::TooLong);
        }
        let body = lexer::length_of_body(&self.rest()[..end]).ok_or(StreamError::NoLength)?;
        let body = body.map_err(|_| StreamError::BadLength)?;
        let whole = end.checked_add(body).filter(|&whole| whole <= MAX_MESSAGE);
        self.whole = Some(whole.ok_or(StreamError::TooLong)?);
        Ok(true)
    }

    fn advance(&mut self, length: usize) {
        self.start += length;
        self.searched = 0;
        self.whole = None;
        self.is_sip = false;
        self.lone_line = false;
    }

    fn rest(&self) -> &[u8] {
        &self.buffer[self.start..]
    }
}

/// Whether a message begins here; false while its first line is not whole.
fn check_start(bytes: &[u8]) -> Result<bool, StreamError> {
    match bytes.first() {
        // A handshake record (RFC 8446 section 5.1).
        Some(0x16) => return Err(StreamError::Tls),
        Some(byte) if !byte.is_ascii_graphic() => return Err(StreamError::NotSip),
        _ => {}
    }
    let Some(end) = memchr(b'\n', bytes) else {
        return if bytes.len() > MAX_START_LINE { Err(StreamError::NotSip) } else { Ok(false) };
    };
    let line = bytes[..end].trim_ascii_end();
    let is_version = |word: &[u8]| word.get(..4).is_some_and(|name| name.eq_ignore_ascii_case(b"SIP/"));
    let last = line.rsplit(|&byte| byte == b' ').next().unwrap_or_default();
    if end <= MAX_START_LINE && (is_version(line) || is_version(last)) {
        Ok(true)
    } else {
        Err(StreamError::NotSip)
    }
}

/// Where the first empty line ends.
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let with_return = memmem::find(bytes, b"\n\r\n").map(|at| at + 3);
    let bare = memmem::find(bytes, b"\n\n").map(|at| at + 2);
    match (with_return, bare) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
