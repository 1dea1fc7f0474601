//! What is on the wire to the box: every datagram, with the moment at which it came by. A socket of the kernel's own
//! (`packet(7)`), so that what is measured is what a peer gets.

use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::lab::{BOX, WIRE};

/// Payload that is kept of a datagram: the head of a SIP message.
const KEPT: usize = 2048;
/// How often the thread looks whether it shall end.
const LOOK: Duration = Duration::from_millis(100);

/// A datagram.
#[derive(Clone, Debug)]
pub(crate) struct Datagram {
    /// When it came by.
    pub(crate) at: Instant,
    /// Whether the box has sent it.
    pub(crate) is_from_box: bool,
    payload: Vec<u8>,
}

impl Datagram {
    /// Sequence number and timestamp, when it is RTP (RFC 3550 section 5.1).
    pub(crate) fn rtp(&self) -> Option<(u16, u32)> {
        match *self.payload.as_slice() {
            // RTCP has the types 200 to 204, which are 72 to 76 with the marker.
            [0x80, kind, a, b, c, d, e, f, ..] if !(72..=76).contains(&(kind & 0x7f)) => {
                Some((u16::from_be_bytes([a, b]), u32::from_be_bytes([c, d, e, f])))
            }
            _ => None,
        }
    }

    /// Whether it is a SIP message that begins so and has this somewhere.
    pub(crate) fn is_sip(&self, begin: &str, has: &str) -> bool {
        let text = String::from_utf8_lossy(&self.payload);
        text.starts_with(begin) && text.contains(has)
    }
}

/// An ear on the wire.
#[derive(Debug)]
pub(crate) struct Wire {
    heard: Arc<Mutex<Vec<Datagram>>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Wire {
    /// Listens from now on.
    ///
    /// # Panics
    /// Without the right to it: the network is our own, so it is there.
    #[track_caller]
    pub(crate) fn listen() -> Self {
        let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC;
        // What goes out is shown to those only who want every protocol.
        let protocol = (libc::ETH_P_ALL as u16).to_be();
        // SAFETY: plain system call.
        let raw = unsafe { libc::socket(libc::AF_PACKET, kind, i32::from(protocol)) };
        assert!(raw >= 0, "no packet socket: {}", std::io::Error::last_os_error());
        // SAFETY: the descriptor was opened above and is nobody else's.
        let socket = unsafe { OwnedFd::from_raw_fd(raw) };
        let name = std::ffi::CString::new(WIRE).expect("a name without a zero");
        // SAFETY: `sockaddr_ll` is plain data, for which zeroes are a value.
        let mut place: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        place.sll_family = libc::AF_PACKET as u16;
        place.sll_protocol = protocol;
        // SAFETY: `name` lives during the call.
        place.sll_ifindex = unsafe { libc::if_nametoindex(name.as_ptr()) } as i32;
        let limit =
            libc::timeval { tv_sec: 0, tv_usec: i64::try_from(LOOK.as_micros()).expect("it is short") };
        // SAFETY: both structures live during the calls, and the lengths are theirs.
        let bound = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_RCVTIMEO,
                (&raw const limit).cast(),
                size_of_val(&limit) as u32,
            ) == 0
                && libc::bind(socket.as_raw_fd(), (&raw const place).cast(), size_of_val(&place) as u32) == 0
        };
        assert!(bound, "no ear on {WIRE}: {}", std::io::Error::last_os_error());
        let (heard, over) = (Arc::<Mutex<Vec<Datagram>>>::default(), Arc::<AtomicBool>::default());
        let thread = {
            let (heard, over) = (Arc::clone(&heard), Arc::clone(&over));
            thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    if let Some(datagram) = next(&socket) {
                        heard.lock().unwrap_or_else(PoisonError::into_inner).push(datagram);
                    }
                }
            })
        };
        Self { heard, over, thread: Some(thread) }
    }

    /// What came by since `from`.
    pub(crate) fn since(&self, from: Instant) -> Vec<Datagram> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.iter().filter(|datagram| datagram.at >= from).cloned().collect()
    }

    /// The first datagram since `from` that is what is wanted.
    pub(crate) fn first(&self, from: Instant, wanted: impl Fn(&Datagram) -> bool) -> Option<Datagram> {
        self.since(from).into_iter().find(wanted)
    }

    /// The SIP messages since `from`, a line each: who, when, first line and CSeq. For what went wrong.
    pub(crate) fn sip(&self, from: Instant) -> String {
        let line = |datagram: &Datagram| {
            let text = String::from_utf8_lossy(&datagram.payload);
            let first = text.lines().next().filter(|line| line.contains("SIP/2.0"))?;
            let number = text.lines().find(|line| line.starts_with("CSeq")).unwrap_or_default();
            let who = if datagram.is_from_box { "box" } else { "   " };
            let at = datagram.at.duration_since(from).as_secs_f64();
            Some(format!("{at:7.2} {who} {first} [{number}] {} bytes\n", datagram.payload.len()))
        };
        self.since(from).iter().filter_map(line).collect()
    }

    /// How the box's speech came from `from` to `until`.
    pub(crate) fn speech(&self, from: Instant, until: Instant) -> Speech {
        let heard = self.since(from);
        let packets: Vec<(Instant, u16)> = heard
            .iter()
            .filter(|datagram| datagram.is_from_box && datagram.at <= until)
            .filter_map(|datagram| datagram.rtp().map(|(number, _)| (datagram.at, number)))
            .collect();
        let mut speech = Speech { packets: packets.len(), ..Speech::default() };
        for two in packets.windows(2) {
            let [(before, number), (at, next)] = two else { continue };
            speech.longest = speech.longest.max(at.duration_since(*before));
            speech.missing += usize::from(next.wrapping_sub(*number).saturating_sub(1) % 0x8000);
        }
        speech
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It only listens; whatever it says of its end changes nothing.
            let _ = thread.join();
        }
    }
}

/// Packets of speech that the box has sent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Speech {
    /// How many.
    pub(crate) packets: usize,
    /// How many numbers were left out.
    pub(crate) missing: usize,
    /// The longest time between two.
    pub(crate) longest: Duration,
}

fn next(socket: &OwnedFd) -> Option<Datagram> {
    let mut bytes = [0_u8; KEPT];
    // SAFETY: the kernel writes into `bytes`, and no more than it holds.
    let length = unsafe { libc::recv(socket.as_raw_fd(), bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    let at = Instant::now();
    let packet = bytes.get(..usize::try_from(length).ok()?)?;
    let first = *packet.first()?;
    if first >> 4 != 4 {
        return None;
    }
    let head = usize::from(first & 0x0f) * 4;
    let is_udp = *packet.get(9)? == 17;
    let source: [u8; 4] = packet.get(12..16)?.try_into().ok()?;
    let payload = packet.get(head + 8..)?.to_vec();
    is_udp.then(|| Datagram { at, is_from_box: Ipv4Addr::from(source) == BOX, payload })
}
