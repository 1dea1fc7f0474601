//! The mouth: sends packets at set times to several listeners, each of them to all at once, and writes down what comes
//! back, and when.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use media::Codec;

use super::network::Network;
use crate::ports::Ports;

/// Who speaks, in RTP.
const SSRC: u32 = 0x5eed_0007;
/// Bytes of an RTP header without contributors or extension (RFC 3550 section 5.1).
const HEADER: usize = 12;
/// `SCHED_FIFO` priority: the network does not wait for who listens.
const PRIORITY: i32 = 60;
/// Packets begin so long after they were asked for.
const AHEAD: Duration = Duration::from_millis(100);

/// Who speaks to all listeners of a codec.
pub(super) struct Mouth {
    /// Where it speaks from, and hears.
    pub(super) address: SocketAddr,
    codec: Codec,
    payload_type: u8,
    payloads: Vec<Vec<u8>>,
    socket: UdpSocket,
    /// So that reports of the listeners meet a port that is there.
    _rtcp: UdpSocket,
    answers: Arc<Mutex<Vec<Answer>>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// A packet of speech that came back.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) from: SocketAddr,
    pub(super) at: Instant,
    pub(super) timestamp: u32,
    pub(super) payload: Vec<u8>,
}

impl Mouth {
    /// Speaks `samples` (48 kHz) in `codec` from a port of its own.
    ///
    /// # Panics
    /// When the codec fails.
    #[track_caller]
    pub(super) fn open(ports: &mut Ports, codec: Codec, payload_type: u8, samples: &[i16]) -> Self {
        let port = ports.one();
        let [socket, rtcp] =
            [port, port + 1].map(|port| UdpSocket::bind(("127.0.0.1", port)).expect("a free port"));
        socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a timeout above zero can be set");
        let address = socket.local_addr().expect("a bound socket has an address");
        let payloads = encoded(codec, samples);
        let (answers, over) = (Arc::<Mutex<Vec<Answer>>>::default(), Arc::<AtomicBool>::default());
        let ear = socket.try_clone().expect("an open socket can be duplicated");
        let thread = thread::spawn({
            let (answers, over) = (Arc::clone(&answers), Arc::clone(&over));
            move || listen(&ear, &answers, &over)
        });
        let thread = Some(thread);
        Self { address, codec, payload_type, payloads, socket, _rtcp: rtcp, answers, over, thread }
    }

    /// Speaks other `samples` from now on.
    ///
    /// # Panics
    /// When the codec fails.
    #[track_caller]
    pub(super) fn learn(&mut self, samples: &[i16]) {
        self.payloads = encoded(self.codec, samples);
    }

    /// Packets until the speech begins again.
    pub(super) fn packets(&self) -> usize {
        self.payloads.len()
    }

    /// Sends everything that arrives over `network`; gives back when it began, and how late the latest packet was.
    pub(super) fn speak(&self, network: &Network, to: &[SocketAddr]) -> (Instant, Duration) {
        ask_for_realtime();
        let begin = Instant::now() + AHEAD;
        let mut latest = Duration::ZERO;
        for arrival in &network.arrivals {
            let due = begin + Duration::from_secs_f64(arrival.at_ms / 1000.0);
            let datagram = self.datagram(arrival.packet, arrival.jumped);
            if let Some(rest) = due.checked_duration_since(Instant::now()) {
                thread::sleep(rest);
            }
            for listener in to {
                // A listener that is gone is heard to be silent.
                let _ = self.socket.send_to(&datagram, listener);
            }
            latest = latest.max(due.elapsed());
        }
        (begin, latest)
    }

    /// What came back so far from `peer`, by time.
    pub(super) fn answers(&self, peer: SocketAddr) -> Vec<Answer> {
        let all = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|answer| answer.from == peer).cloned().collect()
    }

    /// Forgets what came back.
    pub(super) fn forget(&self) {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn datagram(&self, packet: usize, jumped: u32) -> Vec<u8> {
        let number = packet as u32 + jumped;
        let marker = if packet == 0 { 0x80 } else { 0 };
        let mut datagram = vec![0x80, self.payload_type | marker];
        datagram.extend((number as u16).to_be_bytes());
        datagram.extend(number.wrapping_mul(self.codec.clock_rate() / 50).to_be_bytes());
        datagram.extend(SSRC.to_be_bytes());
        datagram.extend(&self.payloads[packet % self.payloads.len()]);
        datagram
    }
}

impl Drop for Mouth {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It has nothing to say that is not known.
            let _ = thread.join();
        }
    }
}

#[track_caller]
fn encoded(codec: Codec, samples: &[i16]) -> Vec<Vec<u8>> {
    media::payloads(codec, samples).expect("our own codecs encode speech")
}

/// So that packets leave at their time on a busy machine. Where that is not allowed, the report says how late they were.
fn ask_for_realtime() {
    let parameters = libc::sched_param { sched_priority: PRIORITY };
    // SAFETY: `parameters` lives during the call; 0 names the calling thread.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const parameters) };
}

fn listen(socket: &UdpSocket, answers: &Mutex<Vec<Answer>>, over: &AtomicBool) {
    ask_for_realtime();
    let mut datagram = [0; 2048];
    while !over.load(Ordering::Relaxed) {
        match socket.recv_from(&mut datagram) {
            Ok((length, from)) if length > HEADER => {
                let at = Instant::now();
                let timestamp = u32::from_be_bytes([datagram[4], datagram[5], datagram[6], datagram[7]]);
                let payload = datagram[HEADER..length].to_vec();
                let answer = Answer { from, at, timestamp, payload };
                answers.lock().unwrap_or_else(PoisonError::into_inner).push(answer);
            }
            Ok(_) => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            Err(_) => return,
        }
    }
}
