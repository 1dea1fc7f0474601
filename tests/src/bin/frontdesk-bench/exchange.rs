//! A raw UDP peer: the registrar and the lamps of the desk, and its callers. It stamps each datagram's
//! arrival on a thread that does nothing else first.
//!
//! Not here: retransmission. A datagram lost on loopback shows as a figure that could not be measured.

use std::collections::VecDeque;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use sip::dialog_info::{CONTENT_TYPE, CallDirection, Dialog, DialogInfo, DialogState, Participant};
use sip::{Message, Method};

/// How long the desk may take to answer at all.
const PATIENCE: Duration = Duration::from_secs(10);
/// NOTIFYs on their way at once: a whole burst of hundreds would not fit the desk's socket buffer,
/// and nothing is sent again here.
const WINDOW: usize = 32;
/// How often the reading thread looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(100);

/// The exchange.
#[derive(Debug)]
pub(crate) struct Exchange {
    line: Arc<Line>,
    answers: Receiver<(Instant, Message)>,
    /// One for each NOTIFY that the desk has answered.
    notified: Receiver<()>,
    /// Answers to other calls than the one waited for.
    others: VecDeque<(Instant, Message)>,
    /// Where the desk may send sound: nobody listens, but the port is taken.
    rtp: UdpSocket,
    calls: u32,
    reader: Option<JoinHandle<()>>,
}

/// What the reading thread and the callers share.
#[derive(Debug)]
struct Line {
    socket: UdpSocket,
    address: SocketAddr,
    watches: Mutex<Vec<Watch>>,
    stop: AtomicBool,
}

/// A subscription of the desk.
#[derive(Debug)]
struct Watch {
    number: String,
    uri: String,
    desk: SocketAddr,
    from: String,
    to: String,
    call_id: String,
    event: String,
    version: u32,
}

/// One call into the desk.
#[derive(Clone, Debug)]
pub(crate) struct Leg {
    /// When the INVITE left.
    pub(crate) sent: Instant,
    desk: SocketAddr,
    call_id: String,
    uri: String,
    from: String,
    branch: String,
    /// `To` of the answer, with the desk's tag.
    to: String,
    target: String,
}

impl Exchange {
    /// Listens on `port` of 127.0.0.1.
    ///
    /// # Panics
    /// When the port is taken.
    pub(crate) fn listen(port: u16) -> Self {
        let socket = UdpSocket::bind(("127.0.0.1", port)).expect("a port of our own block is free");
        socket.set_read_timeout(Some(LOOK)).expect("a timeout above zero can be set");
        let address = socket.local_addr().expect("a bound socket has an address");
        let line =
            Arc::new(Line { socket, address, watches: Mutex::default(), stop: AtomicBool::new(false) });
        let (answered, answers) = channel();
        let reading = Arc::clone(&line);
        let (told, notified) = channel();
        let reader = thread::spawn(move || reading.read(&answered, &told));
        let rtp = UdpSocket::bind(("127.0.0.1", 0)).expect("the system has a free port");
        Self { line, answers, notified, others: VecDeque::new(), rtp, calls: 0, reader: Some(reader) }
    }

    /// A caller rings at the desk's line 5550100.
    pub(crate) fn call(&mut self, desk: SocketAddr) -> Leg {
        self.calls += 1;
        let number = self.calls;
        let here = self.line.address;
        let mut leg = Leg {
            sent: Instant::now(),
            desk,
            call_id: format!("bench-{number}@{here}"),
            uri: format!("sip:5550100@{desk}"),
            from: format!("\"Caller {number}\" <sip:+4930555{number:05}@{here}>;tag=c{number}"),
            branch: format!("z9hG4bKinvite{number}"),
            to: "<sip:5550100@127.0.0.1>".into(),
            target: String::new(),
        };
        let rtp = self.rtp.local_addr().map_or(9, |address| address.port());
        let body = format!(
            "v=0\r\no=- {number} 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
             m=audio {rtp} RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
             a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=sendrecv\r\n"
        );
        let mut invite = leg.request(Method::Invite, 1, &leg.branch, here);
        invite.push("Contact", format!("<sip:caller@{here}>"));
        invite.set_body("application/sdp", body.into_bytes());
        let bytes = invite.write();
        leg.sent = Instant::now();
        self.line.send(desk, &bytes);
        leg
    }

    /// Waits until the desk answers the INVITE with `code`; gives back when that arrived.
    ///
    /// # Panics
    /// When it answers otherwise or not within 10 s.
    #[track_caller]
    pub(crate) fn answered(&mut self, leg: &mut Leg, code: u16) -> Instant {
        loop {
            let (at, answer) = self.answer(leg, Method::Invite);
            if let Some(to) = answer.header("To") {
                leg.to = to.to_owned();
            }
            if let Some(contact) = answer.contact() {
                leg.target = contact.uri.to_string();
            }
            match answer.code() {
                Some(got) if got == code => return at,
                Some(100..=199) => {}
                got => panic!("the desk answers {got:?}, not {code}"),
            }
        }
    }

    /// The caller gives up before the answer; returns when the desk has let go.
    #[track_caller]
    pub(crate) fn cancel(&mut self, leg: &mut Leg) {
        let mut cancel = leg.request(Method::Cancel, 1, &leg.branch, self.line.address);
        // A CANCEL has the To of the INVITE, without the tag (RFC 3261, section 9.1).
        cancel.set("To", "<sip:5550100@127.0.0.1>");
        self.line.send(leg.desk, &cancel.write());
        self.answered(leg, 487);
        let ack = leg.request(Method::Ack, 1, &leg.branch, self.line.address);
        self.line.send(leg.desk, &ack.write());
        self.forget(leg);
    }

    /// Acknowledges the 200.
    pub(crate) fn acknowledge(&self, leg: &Leg) {
        let mut ack = leg.request(Method::Ack, 1, &format!("{}ack", leg.branch), self.line.address);
        ack.set_request_uri(&leg.target);
        self.line.send(leg.desk, &ack.write());
    }

    /// The caller hangs up an answered call; returns when the desk has said 200.
    #[track_caller]
    pub(crate) fn hang_up(&mut self, leg: &mut Leg) {
        let mut bye = leg.request(Method::Bye, 2, &format!("{}bye", leg.branch), self.line.address);
        bye.set_request_uri(&leg.target);
        self.line.send(leg.desk, &bye.write());
        let (_, answer) = self.answer(leg, Method::Bye);
        assert_eq!(answer.code(), Some(200), "the desk answers a BYE");
        self.forget(leg);
    }

    /// Every monitored phone changes: `busy` or idle. Returns when the desk has taken it in.
    #[track_caller]
    pub(crate) fn turn_lamps(&self, busy: bool) {
        self.notified.try_iter().for_each(drop);
        for watches in self.line.watches().chunks_mut(WINDOW) {
            watches.iter_mut().for_each(|watch| self.line.notify(watch, busy));
            for _ in watches {
                self.notified.recv_timeout(PATIENCE).expect("the desk answers each NOTIFY");
            }
        }
    }

    /// What comes of the answers not asked for is of no interest any more.
    fn forget(&mut self, leg: &Leg) {
        self.others.retain(|(_, answer)| answer.call_id() != Some(&leg.call_id));
    }

    #[track_caller]
    fn answer(&mut self, leg: &Leg, method: Method) -> (Instant, Message) {
        let ours = |answer: &Message| {
            answer.call_id() == Some(&leg.call_id) && answer.cseq().is_some_and(|cseq| cseq.method == method)
        };
        if let Some(index) = self.others.iter().position(|(_, answer)| ours(answer)) {
            return self.others.remove(index).expect("the index was just found");
        }
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.answers.recv_timeout(left) {
                Ok((at, answer)) if ours(&answer) => return (at, answer),
                Ok(other) => self.others.push_back(other),
                Err(_) => panic!("the desk does not answer {method:?} within {PATIENCE:?}"),
            }
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.line.stop.store(true, Ordering::Relaxed);
        if let Some(reader) = self.reader.take() {
            // A reader that panicked has said so on standard error.
            let _ = reader.join();
        }
    }
}

impl Leg {
    fn request(&self, method: Method, number: u32, branch: &str, here: SocketAddr) -> Message {
        let mut request = Message::request(method.clone(), &self.uri);
        request.push("Via", format!("SIP/2.0/UDP {here};branch={branch};rport"));
        request.push("Max-Forwards", "70");
        request.push("From", self.from.as_str());
        request.push("To", self.to.as_str());
        request.push("Call-ID", self.call_id.as_str());
        request.push("CSeq", format!("{number} {}", method.as_str()));
        request
    }
}

impl Line {
    fn read(&self, answered: &Sender<(Instant, Message)>, told: &Sender<()>) {
        let mut bytes = vec![0; 65_536];
        while !self.stop.load(Ordering::Relaxed) {
            let Ok((length, from)) = self.socket.recv_from(&mut bytes) else { continue };
            let at = Instant::now();
            let Ok(message) = Message::parse(&bytes[..length]) else { continue };
            if message.is_request() {
                self.serve(from, &message);
                continue;
            }
            // Nobody asks any more once the exchange is being dropped: what is not taken is dropped too.
            match message.cseq().map(|cseq| cseq.method) {
                Some(Method::Notify) => drop(told.send(())),
                Some(_) => drop(answered.send((at, message))),
                None => {}
            }
        }
    }

    /// Grants whatever the desk asks for.
    fn serve(&self, from: SocketAddr, request: &Message) {
        if request.method() == Some(&Method::Ack) {
            return;
        }
        let mut answer = Message::response(request, 200);
        let to = request.header("To").unwrap_or_default();
        let to = if to.contains(";tag=") { to.to_owned() } else { format!("{to};tag=x") };
        answer.set("To", to.as_str());
        match request.method() {
            Some(Method::Register) => {
                if let Some(contact) = request.header("Contact") {
                    answer.push("Contact", format!("{contact};expires=3600"));
                }
            }
            Some(Method::Subscribe) => {
                answer.push("Contact", format!("<sip:lamps@{}>", self.address));
                answer.push("Expires", request.header("Expires").unwrap_or("600"));
            }
            _ => {}
        }
        self.send(from, &answer.write());
        if request.method() == Some(&Method::Subscribe) {
            self.watch(from, request, to);
        }
    }

    /// A lamp of the desk: first news at once.
    fn watch(&self, desk: SocketAddr, request: &Message, to: String) {
        let header = |name: &str| request.header(name).unwrap_or_default().to_owned();
        let (call_id, event) = (header("Call-ID"), header("Event"));
        let (Some(contact), Some(target)) = (request.contact(), request.to()) else { return };
        let mut watches = self.watches();
        if event != "dialog" || watches.iter().any(|watch| watch.call_id == call_id) {
            return;
        }
        let number = target.uri.number().unwrap_or_default();
        let uri = contact.uri.to_string();
        let mut watch = Watch { number, uri, desk, from: to, to: header("From"), call_id, event, version: 0 };
        self.notify(&mut watch, false);
        watches.push(watch);
    }

    fn notify(&self, watch: &mut Watch, busy: bool) {
        let party = |identity: String| Participant { identity, display: None, target: None };
        let dialog = Dialog {
            id: "1".into(),
            call_id: None,
            local_tag: None,
            remote_tag: None,
            direction: Some(CallDirection::Recipient),
            state: if busy { DialogState::Confirmed } else { DialogState::Terminated },
            local: Some(party(format!("sip:{}@127.0.0.1", watch.number))),
            remote: Some(party(format!("sip:+4930555{}@127.0.0.1", watch.version))),
        };
        let info = DialogInfo {
            entity: format!("sip:{}@127.0.0.1", watch.number),
            version: watch.version,
            full: true,
            dialogs: vec![dialog],
        };
        watch.version += 1;
        let mut notify = Message::request(Method::Notify, &watch.uri);
        let branch = format!("z9hG4bKlamp{}x{}", watch.number, watch.version);
        notify.push("Via", format!("SIP/2.0/UDP {};branch={branch};rport", self.address));
        notify.push("Max-Forwards", "70");
        notify.push("From", watch.from.as_str());
        notify.push("To", watch.to.as_str());
        notify.push("Call-ID", watch.call_id.as_str());
        notify.push("CSeq", format!("{} NOTIFY", watch.version));
        notify.push("Contact", format!("<sip:lamps@{}>", self.address));
        notify.push("Event", watch.event.as_str());
        notify.push("Subscription-State", "active;expires=600");
        notify.set_body(CONTENT_TYPE, info.write());
        self.send(watch.desk, &notify.write());
    }

    fn send(&self, to: SocketAddr, bytes: &[u8]) {
        self.socket.send_to(bytes, to).expect("loopback takes datagrams");
    }

    fn watches(&self) -> std::sync::MutexGuard<'_, Vec<Watch>> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
