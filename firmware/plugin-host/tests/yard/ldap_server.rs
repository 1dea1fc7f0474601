//! An LDAP server that says what a test tells it to, byte for byte, to each question. On 127.0.0.1, threads that
//! end with the test.

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// A running server.
pub struct LdapServer {
    port: u16,
    seen: Arc<AtomicUsize>,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl LdapServer {
    /// Answers each question by `answer(stream, message id, own URL)`.
    pub fn start(answer: impl Fn(&mut TcpStream, u8, &str) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Self { port, seen: Arc::default(), heard: Arc::default() };
        let (seen, heard, here) = (Arc::clone(&server.seen), Arc::clone(&server.heard), server.url());
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                seen.fetch_add(1, Ordering::SeqCst);
                let (answer, heard, here) = (Arc::clone(&answer), Arc::clone(&heard), here.clone());
                thread::spawn(move || {
                    while let Some(question) = question(&mut stream) {
                        heard.lock().unwrap().extend_from_slice(&question);
                        // 02 01 id: the questions of a test are few.
                        let id =
                            question.windows(3).find(|seen| seen[..2] == [2, 1]).map_or(0, |seen| seen[2]);
                        answer(&mut stream, id, &here);
                    }
                });
            }
        });
        server
    }

    pub fn url(&self) -> String {
        format!("ldap://127.0.0.1:{}", self.port)
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }

    /// All that clients said.
    pub fn heard(&self) -> Vec<u8> {
        self.heard.lock().unwrap().clone()
    }
}

fn question(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut head = [0; 2];
    stream.read_exact(&mut head).ok()?;
    if head[0] != 0x30 || head[1] > 0x84 {
        // TLS, which this server does not speak.
        return None;
    }
    let mut length = usize::from(head[1]);
    if head[1] > 0x80 {
        let mut digits = vec![0; length - 0x80];
        stream.read_exact(&mut digits).ok()?;
        length = digits.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(body)
}

/// An element of BER.
pub fn tlv(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut whole = vec![tag];
    match body.len() {
        0..=0x7f => whole.push(body.len() as u8),
        length => {
            whole.push(0x84);
            whole.extend_from_slice(&(length as u32).to_be_bytes());
        }
    }
    whole.extend_from_slice(body);
    whole
}

/// A message with an operation and perhaps controls.
pub fn message(id: u8, rest: &[u8]) -> Vec<u8> {
    tlv(0x30, &[&[2, 1, id], rest].concat())
}

/// The last answer to an operation.
pub fn done(tag: u8, code: u8, words: &str) -> Vec<u8> {
    tlv(tag, &[&[0x0a, 1, code][..], &tlv(4, b""), &tlv(4, words.as_bytes())].concat())
}

/// An entry.
pub fn entry(dn: &str, attributes: &[(&str, &str)]) -> Vec<u8> {
    let attribute = |(name, value): &(&str, &str)| {
        tlv(0x30, &[tlv(4, name.as_bytes()), tlv(0x31, &tlv(4, value.as_bytes()))].concat())
    };
    let attributes: Vec<u8> = attributes.iter().flat_map(attribute).collect();
    tlv(0x64, &[tlv(4, dn.as_bytes()), tlv(0x30, &attributes)].concat())
}

/// A reference to another server.
pub fn reference(url: &str) -> Vec<u8> {
    tlv(0x73, &tlv(4, url.as_bytes()))
}
