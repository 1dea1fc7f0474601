//! The few words of HTTP/1.1 that the screen's web page and the tests need: one request, one answer,
//! one connection.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(10);
/// The largest answer read: a picture of 1920×1080 is far below.
const LARGEST: u64 = 32 * 1024 * 1024;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Status code.
    pub code: u16,
    /// The head, status line and header fields.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

/// Sends one request to 127.0.0.1 and reads the whole answer.
///
/// # Errors
/// What the socket says; [`io::ErrorKind::InvalidData`] for an answer that is not HTTP.
pub fn request(port: u16, method: &str, path: &str, body: &str) -> io::Result<Answer> {
    let host = format!("127.0.0.1:{port}");
    request_as(port, method, path, &host, body)
}

/// As [`request`], with a `Host` header of the caller's choice.
///
/// # Errors
/// As [`request`].
pub fn request_as(port: u16, method: &str, path: &str, host: &str, body: &str) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut bytes = Vec::new();
    stream.take(LARGEST).read_to_end(&mut bytes)?;
    parse(&bytes).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not an HTTP answer"))
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let code = head.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()?;
    let mut body = bytes[end + 4..].to_vec();
    if head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        body = unchunk(&body)?;
    }
    Some(Answer { code, head, body })
}

fn unchunk(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = bytes.windows(2).position(|window| window == b"\r\n")?;
        let length = usize::from_str_radix(std::str::from_utf8(&bytes[..line]).ok()?.trim(), 16).ok()?;
        if length == 0 {
            return Some(body);
        }
        body.extend(bytes.get(line + 2..line + 2 + length)?);
        bytes = bytes.get(line + 4 + length..)?;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_apart() {
        let answer = parse(b"HTTP/1.1 204 No Content\r\nA: b\r\n\r\nrest").unwrap();
        assert_eq!((answer.code, answer.body.as_slice()), (204, b"rest".as_slice()));
        assert_eq!(parse(b"SIP/2.0 200 OK\r\n\r\n"), None);
    }

    #[test]
    fn a_chunked_body_is_put_together() {
        let bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        assert_eq!(parse(bytes).unwrap().body, b"abcde");
    }
}
