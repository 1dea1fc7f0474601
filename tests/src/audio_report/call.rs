//! Calls to baresip by a user agent of our own: what is agreed there is where the mouth speaks to.

use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use sip::{AccountId, Codec, Config, Event, Identity, Invite, LocalMedia, Media, SessionId, UserAgent};

use crate::ports::Ports;

/// The longest datagram.
const LONGEST: usize = 65_536;
/// How long the thread waits for a datagram before it looks at its clock.
const TURN: Duration = Duration::from_millis(5);
const SOON: Duration = Duration::from_secs(10);

/// Who calls. All calls are from one place.
pub(super) struct Caller {
    wishes: Option<Sender<Ask>>,
    answers: Receiver<Answer>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread is asked for.
enum Ask {
    /// Call this address with this codec, to be spoken to from there.
    Call(String, Codec, SocketAddr),
    /// End all calls.
    HangUp,
}

/// What it says of it.
enum Answer {
    Agreed(Box<Media>),
    Ended(String),
}

impl Caller {
    /// A caller on a port of its own.
    #[track_caller]
    pub(super) fn start(ports: &mut Ports) -> Self {
        let socket = UdpSocket::bind(("127.0.0.1", ports.one())).expect("the port is free");
        socket.set_read_timeout(Some(TURN)).expect("a timeout above zero can be set");
        let local = socket.local_addr().expect("a bound socket has an address");
        let agent = UserAgent::new(Config::new(local), u64::from(local.port()));
        let (wishes, asked) = channel();
        let (tell, answers) = channel();
        let thread = thread::spawn(move || Agent { agent, socket, tell, calls: Vec::new() }.run(&asked));
        Self { wishes: Some(wishes), answers, thread: Some(thread) }
    }

    /// Calls `uri` and waits for the answer: where it wants RTP, and with which payload type.
    ///
    /// # Panics
    /// When it does not answer.
    #[track_caller]
    pub(super) fn call(&mut self, uri: &str, codec: Codec, from: SocketAddr) -> (SocketAddr, u8) {
        self.ring(uri, codec, from);
        self.agreed(uri)
    }

    /// Calls `uri`.
    #[track_caller]
    pub(super) fn ring(&mut self, uri: &str, codec: Codec, from: SocketAddr) {
        self.ask(Ask::Call(uri.to_owned(), codec, from));
    }

    /// Waits until `uri` has answered: where it wants RTP, and with which payload type.
    ///
    /// # Panics
    /// When it does not.
    #[track_caller]
    pub(super) fn agreed(&mut self, uri: &str) -> (SocketAddr, u8) {
        match self.answers.recv_timeout(SOON) {
            Ok(Answer::Agreed(media)) => (media.remote_rtp, media.remote_payload_type),
            Ok(Answer::Ended(why)) => panic!("{uri} refused: {why}"),
            Err(_) => panic!("{uri} does not answer"),
        }
    }

    /// Ends all calls and waits until they have ended.
    #[track_caller]
    pub(super) fn hang_up(&mut self, calls: usize) {
        self.ask(Ask::HangUp);
        for _ in 0..calls {
            self.answers.recv_timeout(SOON).expect("baresip ends its calls");
        }
    }

    fn ask(&self, ask: Ask) {
        let wishes = self.wishes.as_ref().expect("a caller that was not dropped");
        wishes.send(ask).expect("the caller's thread runs");
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.wishes = None;
        if let Some(thread) = self.thread.take() {
            // It has nothing to say that is not known.
            let _ = thread.join();
        }
    }
}

struct Agent {
    agent: UserAgent,
    socket: UdpSocket,
    tell: Sender<Answer>,
    calls: Vec<SessionId>,
}

impl Agent {
    fn run(mut self, asked: &Receiver<Ask>) {
        let mut datagram = vec![0; LONGEST];
        loop {
            match asked.recv_timeout(Duration::ZERO) {
                Ok(Ask::Call(uri, codec, from)) => self.call(&uri, codec, from),
                Ok(Ask::HangUp) => {
                    for call in self.calls.drain(..) {
                        self.agent.hang_up(Instant::now(), call);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if let Ok((length, sender)) = self.socket.recv_from(&mut datagram) {
                self.agent.handle_datagram(Instant::now(), sender, &datagram[..length]);
            }
            let now = Instant::now();
            if self.agent.poll_timeout().is_some_and(|at| at <= now) {
                self.agent.handle_timeout(now);
            }
            while let Some(event) = self.agent.poll_event() {
                // Who asked waits for it, or no longer wants to know.
                let _ = match event {
                    Event::Answered { media, .. } => self.tell.send(Answer::Agreed(Box::new(media))),
                    Event::Ended { .. } => self.tell.send(Answer::Ended(format!("{event:?}"))),
                    _ => Ok(()),
                };
            }
            while let Some(transmit) = self.agent.poll_transmit() {
                // What is lost is sent again.
                let _ = self.socket.send_to(&transmit.bytes, transmit.to.address);
            }
        }
    }

    fn call(&mut self, uri: &str, codec: Codec, from: SocketAddr) {
        let identity = Identity { display: None, uri: "sip:mouth@127.0.0.1".into() };
        let media = LocalMedia::plain(from, vec![codec]);
        let invite = Invite { account: None, from: Some(identity), ..Invite::new(AccountId(0), uri, media) };
        match self.agent.invite(Instant::now(), invite) {
            Ok(session) => self.calls.push(session),
            Err(error) => _ = self.tell.send(Answer::Ended(error.to_string())),
        }
    }
}
