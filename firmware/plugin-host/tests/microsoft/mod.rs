//! A stand-in for Microsoft Graph v1.0 and Microsoft Entra on one port of 127.0.0.1, over TLS, which follows what
//! Microsoft documents: user: delta, contact: delta (`@odata.nextLink`, `@odata.deltaLink`, `@removed`, the error
//! object, 410, 429 with Retry-After), the client credentials and the device authorization flow of the identity
//! platform (v2.0 endpoints, its error codes), refresh tokens that are replaced each time. It keeps what it was asked.
//! Not here: anything that a real one checks beyond that.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub, reason = "tests; each uses a part of it")]

pub mod entra;
mod tenant;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use entra::TENANT;
use tenant::Store;

/// A running stand-in.
pub struct Microsoft {
    pub port: u16,
    pub certificate: CertificateDer<'static>,
    pub pem: String,
    world: Arc<Mutex<World>>,
}

/// What it knows, and how it answers from now on.
pub struct World {
    pub users: Store,
    pub contacts: Store,
    /// The mailbox that has the contacts.
    pub mailbox: String,
    /// Items in a page.
    pub page: usize,
    /// After so many answers of Graph, one is this status; with what to wait.
    pub busy: Option<(usize, u16, u32)>,
    /// Links from before are good no more.
    pub forgotten: bool,
    /// A token is good for so many requests.
    pub requests_of_a_token: usize,
    /// Graph repeats the token that it was sent in its refusal.
    pub repeats_tokens: bool,
    pub entra: entra::Entra,
    /// Method, path with query, body.
    pub asked: Vec<(String, String, String)>,
}

/// A request.
pub struct Asked {
    pub method: String,
    pub path: String,
    pub head: String,
    pub body: String,
}

/// Status, further headers, body.
pub type Answer = (u16, Vec<(String, String)>, Value);

impl Microsoft {
    /// For these names and `localhost`.
    pub fn start(names: &[&str]) -> Self {
        let names: Vec<String> = names.iter().chain(&["localhost"]).map(|name| (*name).to_owned()).collect();
        let own = rcgen::generate_simple_self_signed(names).unwrap();
        let certificate: CertificateDer<'static> = own.cert.der().clone();
        let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let world = Arc::new(Mutex::new(World {
            users: Store::default(),
            contacts: Store::default(),
            mailbox: "desk@house.example".to_owned(),
            page: 100,
            busy: None,
            forgotten: false,
            requests_of_a_token: usize::MAX,
            repeats_tokens: false,
            entra: entra::Entra::default(),
            asked: Vec::new(),
        }));
        let shared = Arc::clone(&world);
        thread::spawn(move || {
            for tcp in listener.incoming().flatten() {
                let (config, world) = (Arc::clone(&config), Arc::clone(&shared));
                thread::spawn(move || serve(tcp, config, &world));
            }
        });
        Self { port, certificate, pem: own.cert.pem(), world }
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// How often it was asked for a path that begins so.
    pub fn asked(&self, start: &str) -> usize {
        self.world().asked.iter().filter(|(_, path, _)| path.starts_with(start)).count()
    }
}

fn serve(tcp: TcpStream, config: Arc<ServerConfig>, world: &Mutex<World>) {
    let connection = ServerConnection::new(config).unwrap();
    let mut stream = StreamOwned::new(connection, tcp);
    let Some(asked) = read(&mut stream) else { return };
    let (status, headers, body) = world.lock().unwrap().answer(&asked);
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let text = format!(
        "HTTP/1.1 {status} It\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{headers}connection: close\r\n\r\n{body}",
        body.len()
    );
    // Who hangs up meanwhile does not want it.
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
}

fn read(stream: &mut impl Read) -> Option<Asked> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let mut words = head.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let length = header(&head, "content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Asked { method, path, head, body: String::from_utf8(body).unwrap() })
}

/// A header of a request.
pub fn header<'head>(head: &'head str, name: &str) -> Option<&'head str> {
    let line = |line: &'head str| line.split_once(": ").filter(|(key, _)| key.eq_ignore_ascii_case(name));
    head.lines().find_map(line).map(|(_, value)| value)
}

/// The error object of Graph.
pub fn error(status: u16, code: &str, message: &str) -> Answer {
    let inner = json!({"date": "2026-11-26T12:00:00", "request-id": "1", "client-request-id": "1"});
    (status, Vec::new(), json!({"error": {"code": code, "message": message, "innerError": inner}}))
}

impl World {
    fn answer(&mut self, asked: &Asked) -> Answer {
        self.asked.push((asked.method.clone(), asked.path.clone(), asked.body.clone()));
        if asked.path.starts_with(&format!("/{TENANT}/oauth2/v2.0/")) && asked.method == "POST" {
            return self.entra.answer(asked);
        }
        let bearer = header(&asked.head, "authorization").and_then(|value| value.strip_prefix("Bearer "));
        if !bearer.is_some_and(|token| self.entra.takes(token, self.requests_of_a_token)) {
            let words =
                if self.repeats_tokens { bearer.unwrap_or_default() } else { "Lifetime validation failed" };
            return error(401, "InvalidAuthenticationToken", words);
        }
        let busy = self.busy.take();
        self.busy = busy.and_then(|(after, status, wait)| Some((after.checked_sub(1)?, status, wait)));
        if let Some((0, status, seconds)) = busy {
            let (_, _, body) = error(status, "TooManyRequests", "Please retry again later.");
            return (status, vec![("Retry-After".to_owned(), seconds.to_string())], body);
        }
        let server = format!("https://{}", header(&asked.head, "host").unwrap());
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let mailbox = format!("/v1.0/users/{}/contacts", self.mailbox);
        let page =
            match header(&asked.head, "prefer").and_then(|value| value.strip_prefix("odata.maxpagesize=")) {
                Some(size) if path != "/v1.0/users/delta" => size.parse().unwrap(),
                _ => self.page,
            };
        let (store, base) = if path.starts_with("/v1.0/users/") && path.contains("/contacts")
            || path.starts_with("/v1.0/me/contacts")
        {
            let base = if path.starts_with("/v1.0/me/") { "/v1.0/me/contacts" } else { &mailbox };
            if !path.starts_with(base) {
                return error(404, "ErrorItemNotFound", "The specified object was not found in the store.");
            }
            (&self.contacts, base)
        } else if path.starts_with("/v1.0/users/") {
            (&self.users, "/v1.0/users")
        } else {
            return error(400, "BadRequest", "Resource not found for the segment.");
        };
        store.answer(&server, base, path, query, page, self.forgotten)
    }
}
