//! The exchange and everybody who calls through it: one user agent on one UDP socket, on a thread of its
//! own. It grants registrations and the mailbox subscription, places the calls at a steady pace with a
//! limit of how many are up, and writes down how each one ended for its caller.

use std::collections::{BTreeMap, HashMap};
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use sip::sdp::{Codec, LocalMedia};
use sip::{Cause, Config, EndedBy, Event, Identity, Invite, Message, Method, SessionId, UserAgent};

use crate::plan::{Number, Outcome, Plan};

/// Calls that are up at once.
const CONCURRENT: usize = 20;
/// Lifetime of registrations and subscriptions: longer than any run.
const GRANTED: Duration = Duration::from_secs(24 * 3600);
/// Bound on any wait: how late a change of the shared counters may be noticed.
const LOOK: Duration = Duration::from_millis(10);

/// What the operator's side reads and sets.
#[derive(Debug, Default)]
pub(crate) struct Board {
    /// Calls to place in all; the thread ends at `u32::MAX`.
    pub(crate) wanted: AtomicU32,
    /// Calls that have ended for their callers.
    pub(crate) ended: AtomicU32,
}

/// The thread and how to talk with it.
#[derive(Debug)]
pub(crate) struct Callers {
    pub(crate) board: Arc<Board>,
    thread: JoinHandle<BTreeMap<Number, Outcome>>,
}

impl Callers {
    /// Listens on `port` of 127.0.0.1 for the desk at `desk`; at most `rate` calls a second.
    ///
    /// # Panics
    /// When the port is taken.
    pub(crate) fn start(port: u16, desk: SocketAddr, rate: u32) -> Self {
        let board = Arc::new(Board::default());
        let line = Line::open(port, desk, rate, Arc::clone(&board));
        Self { board, thread: thread::spawn(move || line.run()) }
    }

    /// Ends the thread: how each call ended for its caller.
    ///
    /// # Panics
    /// When the thread has panicked.
    pub(crate) fn finish(self) -> BTreeMap<Number, Outcome> {
        self.board.wanted.store(u32::MAX, Ordering::Release);
        self.thread.join().expect("the callers' thread says on standard error why it panics")
    }
}

struct Line {
    socket: UdpSocket,
    /// Where the desk may send sound: nobody listens, but the port is taken.
    sound: SocketAddr,
    _sound: UdpSocket,
    agent: UserAgent,
    desk: SocketAddr,
    board: Arc<Board>,
    pause: Duration,
    due: Instant,
    placed: u32,
    live: HashMap<SessionId, Leg>,
    ended: BTreeMap<Number, Outcome>,
}

struct Leg {
    number: Number,
    was_held: bool,
    answered: bool,
    transferred: bool,
    /// The desk has sent it on, and it has come to whom it was sent.
    forwarded: bool,
}

impl Line {
    fn open(port: u16, desk: SocketAddr, rate: u32, board: Arc<Board>) -> Self {
        let socket = UdpSocket::bind(("127.0.0.1", port)).expect("a port of our own block is free");
        let sound = UdpSocket::bind(("127.0.0.1", 0)).expect("the system has a free port");
        let here = socket.local_addr().expect("a bound socket has an address");
        let config = Config {
            server: true,
            max_sessions: 4 * CONCURRENT,
            // Whatever bound there is to be found, it is the desk's.
            max_transactions: 1 << 20,
            user_agent: "frontdesk-soak".into(),
            ..Config::new(here)
        };
        Self {
            sound: sound.local_addr().expect("a bound socket has an address"),
            _sound: sound,
            agent: UserAgent::new(config, u64::from(port)),
            socket,
            desk,
            board,
            pause: Duration::from_secs(1) / rate.max(1),
            due: Instant::now(),
            placed: 0,
            live: HashMap::new(),
            ended: BTreeMap::new(),
        }
    }

    fn run(mut self) -> BTreeMap<Number, Outcome> {
        let mut bytes = vec![0; 65_536];
        loop {
            let wanted = self.board.wanted.load(Ordering::Acquire);
            if wanted == u32::MAX {
                return self.ended;
            }
            let now = Instant::now();
            if self.agent.poll_timeout().is_some_and(|at| at <= now) {
                self.agent.handle_timeout(now);
            }
            if self.placed < wanted && self.live.len() < CONCURRENT && self.due <= now {
                self.place(now);
            }
            self.drain(now);
            let more = self.placed < wanted && self.live.len() < CONCURRENT;
            let wake = [self.agent.poll_timeout(), more.then_some(self.due)].into_iter().flatten().min();
            let wait = wake.map_or(LOOK, |at| at.saturating_duration_since(Instant::now()).min(LOOK));
            // Zero would wait for ever.
            let wait = wait.max(Duration::from_micros(100));
            self.socket.set_read_timeout(Some(wait)).expect("a timeout above zero can be set");
            match self.socket.recv_from(&mut bytes) {
                Ok((length, from)) => self.agent.handle_datagram(Instant::now(), from, &bytes[..length]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) => panic!("the callers' socket: {error}"),
            }
        }
    }

    fn place(&mut self, now: Instant) {
        // A pause that was missed is not made up for: no burst.
        self.due = (self.due + self.pause).max(now);
        let number = Number(self.placed);
        self.placed += 1;
        let here = self.socket.local_addr().expect("a bound socket has an address");
        let media = LocalMedia::plain(self.sound, vec![Codec::Pcma]);
        let invite = Invite {
            account: None,
            target: format!("sip:5550100@{}", self.desk),
            media,
            replaces: None,
            answer_after: None,
            anonymous: false,
            headers: Vec::new(),
            destination: Some(self.desk.into()),
            from: Some(Identity { display: None, uri: format!("sip:{}@{here}", number.written()) }),
            to: None,
        };
        let session = self.agent.invite(now, invite).expect("a call of our own can be placed");
        let leg = Leg { number, was_held: false, answered: false, transferred: false, forwarded: false };
        self.live.insert(session, leg);
    }

    fn drain(&mut self, now: Instant) {
        loop {
            while let Some(transmit) = self.agent.poll_transmit() {
                // What the system refuses is lost, as in a network; the agent repeats it.
                let _ = self.socket.send_to(&transmit.bytes, transmit.to.address);
            }
            match self.agent.poll_event() {
                Some(event) => self.take(now, event),
                None => return,
            }
        }
    }

    fn take(&mut self, now: Instant, event: Event) {
        match event {
            Event::Request { id, message, .. } => {
                let mut answer = Message::response(&message, 200);
                if message.method() == Some(&Method::Register)
                    && let Some(contact) = message.header("Contact")
                {
                    answer.push("Contact", format!("{contact};expires={}", GRANTED.as_secs()));
                }
                self.agent.respond(now, id, answer);
            }
            Event::SubscriptionRequest { id, .. } => {
                if let Some(mailbox) = self.agent.accept_subscription(now, id, GRANTED) {
                    let summary = b"Messages-Waiting: no\r\n".to_vec();
                    self.agent.notify(now, mailbox, "application/simple-message-summary", summary, false);
                }
            }
            // Whom the desk has sent a caller on to (302). What becomes of it there is none of the desk's.
            Event::Incoming { session, caller, .. } => {
                let number = caller.number.as_deref().and_then(Number::read);
                let legs = self.live.values_mut().filter(|leg| Some(leg.number) == number);
                legs.for_each(|leg| leg.forwarded = true);
                self.agent.reject(now, session, 480);
            }
            Event::Progress { session, code: 180, .. } if self.plan(session) == Some(Plan::Abandoned) => {
                self.agent.hang_up(now, session);
            }
            Event::Answered { session, .. } => {
                if let Some(leg) = self.live.get_mut(&session) {
                    leg.answered = true;
                }
                if self.plan(session) == Some(Plan::CallerHangsUp) {
                    self.agent.hang_up(now, session);
                }
            }
            Event::RemoteHold { session, held } => {
                let Some(leg) = self.live.get_mut(&session) else { return };
                leg.was_held |= held;
                if !held && leg.was_held && leg.number.plan() == Plan::HeldAndRetrieved {
                    self.agent.hang_up(now, session);
                }
            }
            Event::Refer { session, .. } => self.refer(now, session),
            Event::Ended { session, cause } => self.ended(session, &cause),
            _ => {}
        }
    }

    /// The target rings, and answers or is busy.
    fn refer(&mut self, now: Instant, session: SessionId) {
        let Some(leg) = self.live.get_mut(&session) else { return };
        let code = if leg.number.plan() == Plan::Transferred { 200 } else { 486 };
        leg.transferred = code == 200;
        self.agent.refer_progress(now, session, 180);
        self.agent.refer_progress(now, session, code);
    }

    fn ended(&mut self, session: SessionId, cause: &Cause) {
        let Some(leg) = self.live.remove(&session) else { return };
        let outcome = match (cause.by, cause.code) {
            (EndedBy::Timeout | EndedBy::Error, code) => Outcome::Broken(code),
            (EndedBy::Remote, _) if leg.transferred => Outcome::Transferred,
            (_, _) if leg.answered => Outcome::Talked,
            (EndedBy::Local, _) => Outcome::Abandoned,
            (EndedBy::Remote, 486) => Outcome::Rejected,
            (EndedBy::Remote, 480) if leg.forwarded => Outcome::Forwarded,
            (EndedBy::Remote, code) => Outcome::Broken(code),
        };
        self.ended.insert(leg.number, outcome);
        self.board.ended.fetch_add(1, Ordering::Release);
    }

    fn plan(&self, session: SessionId) -> Option<Plan> {
        self.live.get(&session).map(|leg| leg.number.plan())
    }
}
