//! A telephone of our own user agent, for what baresip 1.0 cannot do: it goes on hearing after it was held, and takes
//! the place of another in a call (REFER with Replaces, RFC 3891), from either end. It answers every call at once, and
//! speaks a tone to wherever was agreed.

use std::net::UdpSocket;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use sip::{Codec, Config, Event, Identity, Invite, LocalMedia, SessionId, UserAgent};

use crate::rtp::Party;

/// The longest datagram.
const LONGEST: usize = 65_536;
/// How long the thread waits for a datagram before it looks at its clock.
const TURN: Duration = Duration::from_millis(5);

/// A running telephone.
#[derive(Debug)]
pub struct StandIn {
    /// Its address, to be called.
    pub address: String,
    /// What it hears and says.
    pub ear: Party,
    wishes: Option<Sender<String>>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread has.
struct Set {
    agent: UserAgent,
    socket: UdpSocket,
    rtp: u16,
    /// Whom it calls because of a REFER: the new call, and the one that asked for it.
    referred: Option<(SessionId, SessionId)>,
    turns: Sender<std::net::SocketAddr>,
}

impl StandIn {
    /// User `number` on the SIP port `sip` and the RTP port `rtp` of 127.0.0.1, with the tone of `hz` for a voice.
    ///
    /// # Panics
    /// When a port is taken.
    #[must_use]
    #[track_caller]
    pub fn start(number: &str, sip: u16, rtp: u16, hz: f64) -> Self {
        let socket = UdpSocket::bind(("127.0.0.1", sip)).expect("the port is free");
        socket.set_read_timeout(Some(TURN)).expect("a timeout above zero can be set");
        let local = socket.local_addr().expect("a bound socket has an address");
        let ear = Party::start(rtp, hz);
        let agent = UserAgent::new(Config { server: true, ..Config::new(local) }, u64::from(sip));
        let set = Set { agent, socket, rtp, referred: None, turns: ear.turns() };
        let (wishes, asked) = channel();
        let from = Identity { display: None, uri: format!("sip:{number}@127.0.0.1") };
        let thread = thread::spawn(move || set.run(&asked, &from));
        let address = format!("sip:{number}@127.0.0.1:{sip}");
        Self { address, ear, wishes: Some(wishes), thread: Some(thread) }
    }

    /// Calls a whole `sip:` address.
    ///
    /// # Panics
    /// When its thread has failed.
    #[track_caller]
    pub fn dial(&self, address: &str) {
        let wishes = self.wishes.as_ref().expect("a telephone that was not dropped");
        wishes.send(address.to_owned()).expect("the thread of the telephone runs");
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.wishes = None;
        if let Some(thread) = self.thread.take() {
            // It has nothing to say that the test does not know.
            let _ = thread.join();
        }
    }
}

impl Set {
    fn run(mut self, asked: &Receiver<String>, from: &Identity) {
        let mut datagram = vec![0; LONGEST];
        loop {
            match asked.try_recv() {
                Ok(address) => self.call(&address, None, from).map_or((), drop),
                Err(std::sync::mpsc::TryRecvError::Empty) => {}
                Err(std::sync::mpsc::TryRecvError::Disconnected) => return,
            }
            if let Ok((length, sender)) = self.socket.recv_from(&mut datagram) {
                self.agent.handle_datagram(Instant::now(), sender, &datagram[..length]);
            }
            let now = Instant::now();
            if self.agent.poll_timeout().is_some_and(|at| at <= now) {
                self.agent.handle_timeout(now);
            }
            while let Some(event) = self.agent.poll_event() {
                self.take(event, from);
            }
            while let Some(transmit) = self.agent.poll_transmit() {
                // What is lost is sent again.
                let _ = self.socket.send_to(&transmit.bytes, transmit.to.address);
            }
        }
    }

    fn take(&mut self, event: Event, from: &Identity) {
        let now = Instant::now();
        match event {
            Event::Incoming { session, .. } => self.agent.accept(now, session, self.media()),
            Event::Refer { session, target, replaces, .. } => {
                self.agent.refer_progress(now, session, 100);
                self.referred = self.call(&target, replaces, from).map(|new| (new, session));
            }
            Event::Answered { session, media, .. } => {
                self.speak_to(&media);
                if let Some((new, asker)) = self.referred
                    && new == session
                {
                    self.agent.refer_progress(now, asker, 200);
                }
            }
            Event::Confirmed { media, .. } | Event::MediaChanged { media, .. } => self.speak_to(&media),
            _ => {}
        }
    }

    fn call(&mut self, target: &str, replaces: Option<sip::Replaces>, from: &Identity) -> Option<SessionId> {
        let media = self.media();
        let invite = Invite {
            account: None,
            replaces,
            from: Some(from.clone()),
            ..Invite::new(sip::AccountId(0), target, media)
        };
        self.agent.invite(Instant::now(), invite).ok()
    }

    fn media(&self) -> LocalMedia {
        LocalMedia::plain(([127, 0, 0, 1], self.rtp).into(), vec![Codec::Pcma])
    }

    fn speak_to(&self, media: &sip::Media) {
        // The ear is dropped before the telephone's thread ends only at the very end.
        let _ = self.turns.send(media.remote_rtp);
    }
}
