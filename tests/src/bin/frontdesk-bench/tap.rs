//! Between a caller and kamailio, on the wire: passes each datagram on and notes when a call's first INVITE went by and
//! when its 200 came back. The same for everybody who calls. What follows the 200 goes past it: kamailio's
//! Record-Route says where.

use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use sip::{Message, Method};

/// How often a reading thread looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(100);

/// What was seen of calls, by Call-ID.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks(Arc<Mutex<HashMap<String, Mark>>>);

/// One call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mark {
    /// Who calls.
    pub(crate) caller: &'static str,
    /// Its first INVITE left the caller.
    pub(crate) invited: Option<Instant>,
    /// INVITEs that left the caller: two where it was challenged.
    pub(crate) invites: u32,
    /// The 200 was given to the caller.
    pub(crate) answered: Option<Instant>,
    /// The caller's ACK reached the far end.
    pub(crate) acknowledged: Option<Instant>,
    /// The BYE reached the far end.
    pub(crate) ended: bool,
}

impl Marks {
    /// Notes something of a call.
    pub(crate) fn note(&self, call_id: &str, note: impl FnOnce(&mut Mark)) {
        note(self.lock().entry(call_id.to_owned()).or_default());
    }

    /// The calls of one.
    pub(crate) fn of(&self, caller: &str) -> Vec<Mark> {
        self.lock().values().filter(|mark| mark.caller == caller).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Mark>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running tap.
#[derive(Debug)]
pub(crate) struct Tap {
    stop: Arc<AtomicBool>,
    readers: Vec<JoinHandle<()>>,
}

impl Tap {
    /// Stands on `port` of 127.0.0.1 before the exchange, for one caller.
    ///
    /// # Panics
    /// When the port is taken.
    pub(crate) fn start(caller: &'static str, port: u16, exchange: SocketAddr, marks: &Marks) -> Self {
        let front = Arc::new(socket(port));
        let back = Arc::new(socket(0));
        let stop = Arc::new(AtomicBool::new(false));
        // Where the caller was last.
        let place = Arc::new(Mutex::new(None));
        let outwards = {
            let (front, back, place) = (Arc::clone(&front), Arc::clone(&back), Arc::clone(&place));
            let (stop, marks) = (Arc::clone(&stop), marks.clone());
            move || {
                read(&front, &stop, |bytes, from| {
                    let at = Instant::now();
                    *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(from);
                    let _ = back.send_to(bytes, exchange);
                    note_invite(&marks, caller, bytes, at);
                });
            }
        };
        let inwards = {
            let (stop, marks) = (Arc::clone(&stop), marks.clone());
            move || {
                read(&back, &stop, |bytes, _| {
                    let at = Instant::now();
                    let to = *place.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(to) = to {
                        let _ = front.send_to(bytes, to);
                    }
                    note_answer(&marks, bytes, at);
                });
            }
        };
        Self { stop, readers: vec![thread::spawn(outwards), thread::spawn(inwards)] }
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        for reader in self.readers.drain(..) {
            // A reader that panicked has said so on standard error.
            let _ = reader.join();
        }
    }
}

/// A socket of 127.0.0.1 that wakes its reader now and then.
pub(crate) fn socket(port: u16) -> UdpSocket {
    let socket = UdpSocket::bind(("127.0.0.1", port)).expect("a port of our own block is free");
    socket.set_read_timeout(Some(LOOK)).expect("a timeout above zero can be set");
    socket
}

/// Takes datagrams until it is told to stop.
pub(crate) fn read(socket: &UdpSocket, stop: &AtomicBool, mut take: impl FnMut(&[u8], SocketAddr)) {
    let mut bytes = [0; 65_536];
    while !stop.load(Ordering::Acquire) {
        if let Ok((length, from)) = socket.recv_from(&mut bytes) {
            take(&bytes[..length], from);
        }
    }
}

fn note_invite(marks: &Marks, caller: &'static str, bytes: &[u8], at: Instant) {
    if !bytes.starts_with(b"INVITE ") {
        return;
    }
    let Ok(message) = Message::parse(bytes) else { return };
    if let Some(call_id) = message.call_id() {
        marks.note(call_id, |mark| {
            mark.caller = caller;
            mark.invites += 1;
            mark.invited.get_or_insert(at);
        });
    }
}

fn note_answer(marks: &Marks, bytes: &[u8], at: Instant) {
    if !bytes.starts_with(b"SIP/2.0 200") {
        return;
    }
    let Ok(message) = Message::parse(bytes) else { return };
    let is_invite = message.cseq().is_some_and(|cseq| cseq.method == Method::Invite);
    if let Some(call_id) = message.call_id().filter(|_| is_invite) {
        marks.note(call_id, |mark| {
            mark.answered.get_or_insert(at);
        });
    }
}
