//! The stand-in as a directory: takes every bind, answers every search with the same people, by pages where it
//! is asked to (RFC 2696). Filters are not looked at, but for those of changes, which find nobody.

use std::io::Read;
use std::net::TcpStream;

use super::stage::Mood;
use super::stage_web::PEOPLE;

const BIND: u8 = 0x60;
const SEARCH: u8 = 0x63;
const PAGED: &[u8] = b"1.2.840.113556.1.4.319";
/// A question of a plugin is never larger.
const LARGEST: usize = 1 << 20;

/// A question: its id, its operation, and all of it.
pub(super) struct Question {
    id: Vec<u8>,
    operation: u8,
    whole: Vec<u8>,
}

/// Reads one; none at the end.
pub(super) fn question(stream: &mut TcpStream) -> Option<Question> {
    let mut head = [0; 2];
    stream.read_exact(&mut head).ok()?;
    let [_, first] = head;
    let length = if first < 0x80 {
        usize::from(first)
    } else {
        let mut digits = vec![0; usize::from(first & 0x7f).min(4)];
        stream.read_exact(&mut digits).ok()?;
        digits.iter().fold(0, |length, byte| length << 8 | usize::from(*byte))
    };
    if length > LARGEST {
        return None;
    }
    let mut whole = vec![0; length];
    stream.read_exact(&mut whole).ok()?;
    let (_, id, rest) = element(&whole)?;
    let operation = *rest.first()?;
    Some(Question { id: id.to_vec(), operation, whole })
}

/// All messages of the answer.
pub(super) fn answer(question: &Question, mood: Mood) -> Vec<u8> {
    let respond = |rest: Vec<u8>| tlv(0x30, &[tlv(2, &question.id), rest].concat());
    let code = match (mood, question.operation) {
        (Mood::Status(401), _) => 49,
        (Mood::Status(_), BIND) => 0,
        (Mood::Status(403), _) => 50,
        (Mood::Status(404 | 410), _) => 32,
        (Mood::Status(429), _) => 51,
        (Mood::Status(_), _) => 52,
        _ => 0,
    };
    match (mood, question.operation) {
        (Mood::Malformed, _) => vec![0x30, 0],
        (Mood::ForPeople, _) => b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        (Mood::Huge, SEARCH) => [&[0x30, 0x84, 0, 0x90, 0, 0], vec![0; 9 << 20].as_slice()].concat(),
        (_, BIND) => respond(result(0x61, code)),
        (Mood::Empty | Mood::Status(_), SEARCH) => respond(result(0x65, code)),
        (_, SEARCH) => page(question, respond),
        // Unbind and abandon have no answer.
        _ => Vec::new(),
    }
}

fn page(question: &Question, respond: impl Fn(Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    let has = |part: &[u8]| question.whole.windows(part.len()).any(|window| window == part);
    let (size, start) = paged(&question.whole).unwrap_or((PEOPLE, 0));
    // A time stamp behind the attribute's name, not the name of another attribute.
    let is_delta = has(b"modifyTimestamp\x04\x0f2") || has(b"whenChanged\x04\x112");
    let last = if is_delta { 0 } else { PEOPLE };
    let end = start.saturating_add(size).min(last);
    let entries = (start..end).flat_map(|n| respond(entry(n)));
    let cookie = if end < last { end.to_string() } else { String::new() };
    let value = tlv(0x30, &[tlv(2, &[0, 0]), tlv(4, cookie.as_bytes())].concat());
    let control = tlv(0xa0, &tlv(0x30, &[tlv(4, PAGED), tlv(4, &value)].concat()));
    let done = respond([result(0x65, 0), control].concat());
    entries.chain(done).collect()
}

/// Size and start of the page that is asked for.
fn paged(whole: &[u8]) -> Option<(usize, usize)> {
    let at = whole.windows(PAGED.len()).position(|window| window == PAGED)?;
    let mut rest = whole.get(at + PAGED.len()..)?;
    // Criticality may stand before the value.
    let (mut tag, mut body, behind) = element(rest)?;
    if tag == 1 {
        rest = behind;
        (tag, body, _) = element(rest)?;
    }
    let (_, inside, _) = element(body).filter(|_| tag == 4)?;
    let (_, size, rest) = element(inside)?;
    let (_, cookie, _) = element(rest)?;
    let size = size.iter().fold(0, |size, byte| size << 8 | usize::from(*byte));
    let start = str::from_utf8(cookie).ok()?.parse().unwrap_or(0);
    Some((size, start))
}

fn entry(n: usize) -> Vec<u8> {
    let attribute = |name: &str, value: &str| {
        tlv(0x30, &[tlv(4, name.as_bytes()), tlv(0x31, &tlv(4, value.as_bytes()))].concat())
    };
    let attributes = [
        attribute("cn", &format!("Zoë Person {n}")),
        attribute("sn", &format!("Person {n}")),
        attribute("telephoneNumber", &format!("+41 44 555 {n:04}")),
        attribute("entryUUID", &format!("00000000-0000-4000-8000-{n:012}")),
        attribute("modifyTimestamp", "20250101000000Z"),
    ];
    tlv(
        0x64,
        &[tlv(4, format!("uid=kit-{n},dc=example").as_bytes()), tlv(0x30, &attributes.concat())].concat(),
    )
}

fn result(tag: u8, code: u8) -> Vec<u8> {
    tlv(tag, &[tlv(0x0a, &[code]), tlv(4, b""), tlv(4, b"")].concat())
}

/// Tag, body and what follows.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let width = if first < 0x80 { 0 } else { usize::from(first & 0x7f) };
    let length = match width {
        0 => usize::from(first),
        _ => rest.get(..width)?.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)),
    };
    let body = rest.get(width..)?;
    Some((tag, body.get(..length)?, body.get(length..)?))
}

fn tlv(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut whole = vec![tag, 0x84];
    whole.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes());
    whole.extend_from_slice(body);
    whole
}
