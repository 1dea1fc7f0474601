//! The stand-in as a web server: one request a connection, HTTP/1.1. It is the token server of plugins with OAuth as
//! well, and always a good one: that a token server says no is the host's business.

use std::io::Read;
use std::net::TcpStream;

use serde_json::{Value, json};

use super::TOKEN;
use super::stage::Mood;
use super::stage_dav;

/// People of the answer that is made up.
pub(super) const PEOPLE: usize = 90;
const ETAG: &str = "\"kit-1\"";
const LARGEST_HEAD: usize = 64 << 10;
const LARGEST_BODY: usize = 4 << 20;
const HUGE: usize = 9 << 20;

/// A request.
pub(super) struct Question {
    /// In small letters.
    pub(super) head: String,
    body: String,
}

impl Question {
    /// Whether it asks for a token (RFC 6749 section 4).
    pub(super) fn is_token(&self) -> bool {
        let is_form = self.head.starts_with("post ")
            && self.head.contains("\r\ncontent-type: application/x-www-form-urlencoded\r\n");
        is_form && self.body.split('&').any(|pair| pair.starts_with("grant_type="))
    }
}

/// Reads one, all of it: who hangs up on a body that was not read has not answered.
pub(super) fn question(stream: &mut TcpStream) -> Option<Question> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > LARGEST_HEAD || stream.read(&mut byte).unwrap_or(0) == 0 {
            return None;
        }
        head.extend_from_slice(&byte);
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0_usize).min(LARGEST_BODY)];
    stream.read_exact(&mut body).ok()?;
    Some(Question { head, body: String::from_utf8_lossy(&body).into_owned() })
}

/// The whole response.
pub(super) fn answer(question: &Question, mood: Mood, given: Option<&[u8]>) -> Vec<u8> {
    let Question { head, body } = question;
    let is_dav = stage_dav::is_asked(head);
    match mood {
        _ if question.is_token() => {
            let token = json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": TOKEN });
            response(200, "application/json", token.to_string().as_bytes())
        }
        Mood::Status(status) => response(status, "text/plain", b"no"),
        Mood::Malformed if is_dav => {
            response(207, "application/xml", b"<multistatus xmlns=\"DAV:\"><response><href>/kit/book/1.v")
        }
        Mood::Malformed => response(200, "application/json", b"{\"people\": [{\"name\": \"An"),
        Mood::ForPeople => response(
            200,
            "text/html",
            b"<!DOCTYPE html>\n<html><title>Sign in</title>\n<form></form></html>\n",
        ),
        Mood::Empty => response(200, "application/json", b""),
        Mood::Huge => response(200, "application/json", &vec![b' '; HUGE]),
        _ if is_dav => {
            let (status, words) = stage_dav::answer(head, body, given);
            response(status, "application/xml; charset=utf-8", words.as_bytes())
        }
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

pub(super) fn response(status: u16, kind: &str, body: &[u8]) -> Vec<u8> {
    let wait = if matches!(status, 429 | 503) { "retry-after: 30\r\n" } else { "" };
    let head = format!(
        "HTTP/1.1 {status} Kit\r\ncontent-type: {kind}\r\ncontent-length: {}\r\netag: {ETAG}\r\n{wait}\
         connection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
