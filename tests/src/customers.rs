//! A customer database with a JSON API on loopback: who has a number, and what is written there. It may be slow, and it
//! may be down.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::wait;

/// Largest body that is read, in bytes.
const LARGEST: usize = 1024 * 1024;

/// The server; its threads end with the test's process.
#[derive(Debug)]
pub struct Customers {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// By number, as the database has it.
    people: Mutex<BTreeMap<String, Value>>,
    /// What was written, by path.
    written: Mutex<BTreeMap<String, Vec<Value>>>,
    slow_ms: AtomicU64,
    /// Requests answered with 503 while it is above 0; counts those that came.
    down: Mutex<Option<u64>>,
}

impl Customers {
    /// Starts it on a free port, with nobody in it.
    ///
    /// # Panics
    /// When the system has no port.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared::default());
        let served = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&served);
                thread::spawn(move || shared.serve(stream));
            }
        });
        Self { address, shared }
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Somebody has this number, written so.
    pub fn add(&self, number: &str, customer: Value) {
        lock(&self.shared.people).insert(number.to_owned(), customer);
    }

    /// Each answer takes so long from now on.
    pub fn be_slow(&self, by: Duration) {
        self.shared.slow_ms.store(u64::try_from(by.as_millis()).unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// Whether it is up.
    pub fn be_up(&self, up: bool) {
        *lock(&self.shared.down) = (!up).then_some(0);
    }

    /// Waits until somebody has tried in vain.
    ///
    /// # Panics
    /// When nobody does.
    #[track_caller]
    pub fn wait_for_a_try(&self, limit: Duration) {
        wait::until("a request while it is down", limit, || {
            lock(&self.shared.down).filter(|tries| *tries > 0)
        });
    }

    /// What was written to a path so far.
    #[must_use]
    pub fn written(&self, path: &str) -> Vec<Value> {
        lock(&self.shared.written).get(path).cloned().unwrap_or_default()
    }

    /// Waits until something was written to a path.
    ///
    /// # Panics
    /// When nothing is.
    #[track_caller]
    pub fn wait_written(&self, path: &str, count: usize, limit: Duration) -> Vec<Value> {
        wait::until(format!("{count} entries at {path}"), limit, || {
            Some(self.written(path)).filter(|written| written.len() >= count)
        })
    }
}

impl Shared {
    /// One request, one answer.
    fn serve(&self, stream: TcpStream) {
        let began = Instant::now();
        let Some((method, path, body)) = request(&stream) else { return };
        let slow = Duration::from_millis(self.slow_ms.load(Ordering::SeqCst));
        // A slow server on purpose.
        thread::sleep(slow.saturating_sub(began.elapsed()));
        let (code, answer) = self.answer(&method, &path, body);
        let answer = answer.to_string();
        let mut stream = stream;
        // Whoever asked may have gone.
        let _ = write!(
            stream,
            "HTTP/1.1 {code}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{answer}",
            answer.len()
        );
    }

    fn answer(&self, method: &str, path: &str, body: Value) -> (&'static str, Value) {
        if let Some(tries) = lock(&self.down).as_mut() {
            *tries += 1;
            return ("503 Service Unavailable", json!({}));
        }
        let (place, query) = path.split_once('?').unwrap_or((path, ""));
        match method {
            "GET" if place == "/customers" => {
                let number = query.strip_prefix("phone=").unwrap_or_default().replace("%2B", "+");
                let found = lock(&self.people).get(&number).cloned();
                ("200 OK", json!({ "items": found.into_iter().collect::<Vec<_>>() }))
            }
            "GET" => {
                let reference = query.strip_prefix("ref=").unwrap_or_default();
                let of = |entry: &Value| entry["reference"] == reference;
                let known = lock(&self.written).get(place).is_some_and(|entries| entries.iter().any(of));
                let entries: Vec<Value> =
                    known.then(|| json!({ "reference": reference })).into_iter().collect();
                ("200 OK", json!({ "items": entries }))
            }
            _ => {
                let mut written = lock(&self.written);
                let entries = written.entry(place.to_owned()).or_default();
                entries.push(body);
                ("201 Created", json!({ "id": entries.len() }))
            }
        }
    }
}

/// Method, path and body.
fn request(stream: &TcpStream) -> Option<(String, String, Value)> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok().filter(|length| *length <= LARGEST)?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((method, path, serde_json::from_slice(&body).unwrap_or(Value::Null)))
}

/// A lock whose holder panicked still guards plain values that are whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
