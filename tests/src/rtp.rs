//! A mouth and an ear on a port: speaks a tone in RTP and listens to what comes, for SIPp, which has
//! neither, and in place of baresip, which plays nothing any more once it was on hold.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use audio_codec_algorithms::{decode_alaw, encode_alaw};

use crate::sound::{self, Recording};
use crate::wait;

/// Samples a second of G.711.
const RATE: u32 = 8_000;
/// Payload type of G.711 A-law (RFC 3551).
const PCMA: u8 = 8;
/// Payload type of the digits (RFC 4733) that the tests' SDP names.
const DIGITS: u8 = 101;
/// The digits by their event codes (RFC 4733 section 3.2).
const EVENTS: &[u8] = b"0123456789*#ABCD";
/// Bytes of an RTP header without contributors or extension (RFC 3550 section 5.1).
const HEADER: usize = 12;
/// Samples in a packet, and its length in time.
const PACKET: usize = 160;
const PTIME: Duration = Duration::from_millis(20);
/// What is remembered of what was heard.
const MEMORY: usize = RATE as usize / 2;

/// Somebody who speaks and listens on one UDP port of 127.0.0.1, in G.711 A-law.
#[derive(Debug)]
pub struct Party {
    heard: Arc<Mutex<Vec<i16>>>,
    digits: Arc<Mutex<String>>,
    over: Arc<AtomicBool>,
    turns: Sender<SocketAddr>,
    thread: Option<JoinHandle<()>>,
}

impl Party {
    /// Listens on `port`, and speaks the tone of `hz` to whoever has sent there last.
    ///
    /// # Panics
    /// When the port is taken.
    #[must_use]
    #[track_caller]
    pub fn start(port: u16, hz: f64) -> Self {
        let socket = UdpSocket::bind(("127.0.0.1", port)).expect("the port is free");
        socket.set_read_timeout(Some(Duration::from_millis(2))).expect("a timeout above zero can be set");
        let (heard, over) = (Arc::<Mutex<Vec<i16>>>::default(), Arc::<AtomicBool>::default());
        let digits = Arc::<Mutex<String>>::default();
        let (turns, turned) = channel();
        let work = {
            let (heard, digits, over) = (Arc::clone(&heard), Arc::clone(&digits), Arc::clone(&over));
            move || converse(&socket, hz, &turned, &heard, &digits, &over)
        };
        Self { heard, digits, over, turns, thread: Some(thread::spawn(work)) }
    }

    /// Where to say whom it speaks to from then on, heard or not.
    #[must_use]
    pub fn turns(&self) -> Sender<SocketAddr> {
        self.turns.clone()
    }

    /// Waits until half a second of what comes is the tone of `hz`.
    ///
    /// # Panics
    /// When it is not within 10 s.
    #[track_caller]
    pub fn hears(&self, hz: f64) {
        self.wait(&format!("{hz} Hz"), |part| part.is_tone(hz));
    }

    /// Waits until it hears exactly these tones of those that anybody speaks.
    ///
    /// # Panics
    /// When it does not within 10 s.
    #[track_caller]
    pub fn hears_mix(&self, present: &[f64]) {
        self.wait(&format!("{present:?} Hz"), |part| sound::is_mix(part, present));
    }

    /// Waits until exactly these digits have come as telephone events (RFC 4733) since it began.
    ///
    /// # Panics
    /// When they have not within 10 s.
    #[track_caller]
    pub fn has_digits(&self, wanted: &str) {
        let now = || self.digits.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let found = wait::within(Duration::from_secs(10), || (now() == wanted).then_some(()));
        assert!(found.is_some(), "a caller waited in vain for the digits {wanted:?}; there are {:?}", now());
    }

    #[track_caller]
    fn wait(&self, what: &str, wanted: impl Fn(&Recording) -> bool) {
        let recent = || {
            let samples = self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone();
            Recording { rate: RATE, samples }
        };
        // What was heard before does not count.
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let full = |part: &Recording| part.samples.len() == MEMORY;
        let found = wait::within(Duration::from_secs(10), || {
            Some(recent()).filter(|part| full(part) && wanted(part)).map(drop)
        });
        assert!(
            found.is_some(),
            "a caller waited in vain for {what}; there is {}",
            sound::description(&recent())
        );
    }
}

impl Drop for Party {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It has nothing to say that the test does not know.
            let _ = thread.join();
        }
    }
}

fn converse(
    socket: &UdpSocket,
    hz: f64,
    turned: &Receiver<SocketAddr>,
    heard: &Mutex<Vec<i16>>,
    digits: &Mutex<String>,
    over: &AtomicBool,
) {
    let tone = Recording::sine(hz, RATE, 1);
    let mut last_event: Option<Vec<u8>> = None;
    let (mut peer, mut next, mut sequence) = (None, Instant::now(), 0_u16);
    while !over.load(Ordering::Relaxed) {
        let mut packet = [0; 2048];
        let came = socket.recv_from(&mut packet);
        if let Ok((length, from)) = came
            && length > HEADER
            && packet[0] >> 6 == 2
        {
            match packet[1] & 0x7f {
                PCMA => {
                    // Who speaks with it may be another from one moment to the next.
                    peer = Some(from);
                    let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                    heard.extend(packet[HEADER..length].iter().map(|&byte| decode_alaw(byte)));
                    let old = heard.len().saturating_sub(MEMORY);
                    heard.drain(..old);
                }
                // All packets of one press have the time at which it began.
                DIGITS if last_event.replace(packet[4..8].to_vec()).as_deref() != Some(&packet[4..8]) => {
                    let event = EVENTS.get(usize::from(packet[HEADER]));
                    let digit = event.map_or('?', |&event| char::from(event));
                    digits.lock().unwrap_or_else(PoisonError::into_inner).push(digit);
                }
                _ => {}
            }
        }
        if let Ok(turn) = turned.try_recv() {
            peer = Some(turn);
        }
        if let Some(peer) = peer
            && next <= Instant::now()
        {
            next = next.max(Instant::now() - PTIME) + PTIME;
            let at = usize::from(sequence) * PACKET % tone.samples.len();
            let mut packet = vec![0x80, PCMA];
            packet.extend(sequence.to_be_bytes());
            packet.extend((u32::from(sequence) * PACKET as u32).to_be_bytes());
            packet.extend(0x5eed_u32.to_be_bytes());
            packet.extend(tone.samples[at..at + PACKET].iter().map(|&sample| encode_alaw(sample)));
            // A desk that has closed its port needs no speech.
            let _ = socket.send_to(&packet, peer);
            sequence = sequence.wrapping_add(1);
        }
    }
}
