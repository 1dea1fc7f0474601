//! The stand-in as a web server: one request a connection, HTTP/1.1. It is the token server of plugins with OAuth as
//! well, and always a good one: that a token server says no is the host's business.

use std::io::Read;
use std::net::TcpStream;

use serde_json::{Value, json};

use super::TOKEN;
use super::stage::Mood;

/// People of the answer that is made up.
pub(super) const PEOPLE: usize = 90;
const ETAG: &str = "\"kit-1\"";
const LARGEST_HEAD: usize = 64 << 10;
const HUGE: usize = 9 << 20;
/// The largest form that is read.
const LARGEST_FORM: u64 = 64 << 10;

/// A request, as far as it is looked at.
pub(super) struct Question {
    /// In small letters.
    head: String,
    /// It asks for a token.
    is_token: bool,
}

impl Question {
    pub(super) fn is_token(&self) -> bool {
        self.is_token
    }
}

/// The next request.
pub(super) fn question(stream: &mut TcpStream) -> Option<Question> {
    let head = head(stream)?;
    let is_form =
        head.starts_with("post ") && head.contains("\r\ncontent-type: application/x-www-form-urlencoded\r\n");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut form = String::new();
    if let Some(length) = length.filter(|_| is_form) {
        stream.take(LARGEST_FORM.min(length)).read_to_string(&mut form).ok()?;
    }
    let is_token = form.split('&').any(|pair| pair.starts_with("grant_type="));
    Some(Question { head, is_token })
}

fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > LARGEST_HEAD || stream.read(&mut byte).unwrap_or(0) == 0 {
            return None;
        }
        head.extend_from_slice(&byte);
    }
    Some(String::from_utf8_lossy(&head).to_lowercase())
}

/// The whole response.
pub(super) fn answer(question: &Question, mood: Mood, given: Option<&[u8]>) -> Vec<u8> {
    let head = &question.head;
    match mood {
        _ if question.is_token => {
            let token = json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": TOKEN });
            response(200, "application/json", token.to_string().as_bytes())
        }
        Mood::Status(status) => response(status, "text/plain", b"no"),
        Mood::Malformed => response(200, "application/json", b"{\"people\": [{\"name\": \"An"),
        Mood::ForPeople => response(
            200,
            "text/html",
            b"<!DOCTYPE html>\n<html><title>Sign in</title>\n<form></form></html>\n",
        ),
        Mood::Empty => response(200, "application/json", b""),
        Mood::Huge => response(200, "application/json", &vec![b' '; HUGE]),
        _ if head.contains("if-none-match: \"kit-1\"") => response(304, "application/json", b""),
        _ => match given {
            Some(given) => response(200, kind(given), given),
            None => response(200, "application/json", people().to_string().as_bytes()),
        },
    }
}

fn people() -> Value {
    let person = |n: usize| json!({ "id": format!("kit-{n}"), "name": format!("Zoë Person {n}"), "phone": format!("+41 44 555 {n:04}") });
    Value::Array((0..PEOPLE).map(person).collect())
}

fn kind(body: &[u8]) -> &'static str {
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'[' | b'{') => "application/json",
        _ => "text/csv",
    }
}

fn response(status: u16, kind: &str, body: &[u8]) -> Vec<u8> {
    let wait = if matches!(status, 429 | 503) { "retry-after: 30\r\n" } else { "" };
    let head = format!(
        "HTTP/1.1 {status} Kit\r\ncontent-type: {kind}\r\ncontent-length: {}\r\netag: {ETAG}\r\n{wait}\
         connection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
