//! A user agent in the middle of its work: registered, with calls that talk, ring and are transferred, and with lamps.
//!
//! Whatever is fed to it, it neither panics nor holds more than it may, and everything it sends can be read.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use sip::dialog_info::CONTENT_TYPE as DIALOG_INFO;
use sip::{
    Account, AccountId, Config, Event, Invite, Message, Method, Package, SessionId, Target, UserAgent, pidf,
    sipfrag,
};

use crate::mutate::Dice;
use crate::readers::local;
use crate::script::{Caller, answer, reply, sdp, within};

/// Transactions that requests from outside may open.
const MAX_TRANSACTIONS: usize = 512;
/// Calls at once.
const MAX_SESSIONS: usize = 32;
/// Requests of the agent that are remembered, to be answered.
const REMEMBERED: usize = 16;

/// What parts the messages in one input of the agent's fuzz target; no message has it.
pub const BETWEEN: &[u8] = b"\0\0";

/// Sends an agent in the middle of its work the messages of one input.
pub fn agent(bytes: &[u8]) {
    // The same first instant for every input, so that the same input does the same again.
    static START: OnceLock<Instant> = OnceLock::new();
    let mut scene = Scene::build(*START.get_or_init(Instant::now), 1);
    let mut dice = Dice::new(bytes.len() as u64);
    let mut rest = bytes;
    while !rest.is_empty() {
        let end = rest.windows(BETWEEN.len()).position(|window| window == BETWEEN).unwrap_or(rest.len());
        scene.feed(&mut dice, &rest[..end]);
        rest = rest.get(end + BETWEEN.len()..).unwrap_or_default();
    }
}

/// See the module.
pub struct Scene {
    agent: UserAgent,
    now: Instant,
    us: SocketAddr,
    exchange: SocketAddr,
    /// The agent's newest requests.
    asked: Vec<Message>,
    /// What an exchange could send next, dialog by dialog.
    pub valid: Vec<Vec<u8>>,
    /// Requests in whose place a document can be put: NOTIFYs and INVITEs within the dialogs.
    pub carriers: Vec<(Message, Body)>,
    sessions: Vec<SessionId>,
    number: u32,
}

/// What a request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    Description,
    Dialogs,
    Presence,
    Fragment,
}

impl Body {
    fn content_type(self) -> &'static str {
        match self {
            Body::Description => sip::sdp::CONTENT_TYPE,
            Body::Dialogs => DIALOG_INFO,
            Body::Presence => pidf::CONTENT_TYPE,
            Body::Fragment => sipfrag::CONTENT_TYPE,
        }
    }
}

impl Scene {
    /// A scene whose clock stands at `now`.
    pub fn build(now: Instant, seed: u64) -> Scene {
        let (us, exchange) = (([192, 0, 2, 1], 5060).into(), ([198, 51, 100, 9], 5060).into());
        let config = Config {
            max_transactions: MAX_TRANSACTIONS,
            max_sessions: MAX_SESSIONS,
            stranger_rate: 1_000_000,
            stranger_burst: 1_000_000,
            ..Config::new(us)
        };
        let agent = UserAgent::new(config, seed);
        let (asked, valid, carriers, sessions) = Default::default();
        let mut scene = Scene { agent, now, us, exchange, asked, valid, carriers, sessions, number: 100 };
        scene.register();
        scene.called();
        scene.calling();
        scene.watching();
        assert_eq!(scene.agent.live_sessions(), 5, "the scene stands");
        scene
    }

    fn register(&mut self) {
        let registrar = self.exchange.into();
        let account = Account {
            password: "secret".into(),
            ..Account::new(AccountId(1), "100", "pbx.example", registrar)
        };
        self.agent.add_account(self.now, account);
        let first = self.take(Method::Register);
        let mut challenge = reply(&first, 401, "r", self.exchange);
        challenge
            .push("WWW-Authenticate", "Digest realm=\"pbx\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256");
        self.hear(&challenge);
        let second = self.take(Method::Register);
        let mut ok = reply(&second, 200, "r", self.exchange);
        ok.set("Contact", format!("{};expires=600", second.header("Contact").unwrap_or_default()));
        self.hear(&ok);
        self.valid.push(ok.write());
        self.valid.push(challenge.write());
    }

    /// One call from outside that talks, and one that rings.
    fn called(&mut self) {
        let mut talking = Caller::new(self.exchange, self.us, "talking");
        let invite = talking.invite();
        self.hear(&invite);
        let session = self.sessions[0];
        self.agent.accept(self.now, session, local());
        let ok = self
            .drain()
            .into_iter()
            .find(|message| message.code() == Some(200))
            .expect("the call is answered");
        let ack = talking.ack(&ok);
        self.hear(&ack);
        let mut ringing = Caller::new(self.exchange, self.us, "ringing");
        let rings = ringing.invite();
        self.hear(&rings);
        self.agent.ring(self.now, self.sessions[1]);
        self.drain();
        let again = talking.invite();
        self.carriers.push((again.clone(), Body::Description));
        let mut update = talking.request(Method::Update);
        update.set_body(sip::sdp::CONTENT_TYPE, sdp(4002, "sendonly"));
        self.carriers.push((update.clone(), Body::Description));
        let told =
            [invite, ack, rings.clone(), ringing.cancel(&rings), again, update, talking.request(Method::Bye)];
        self.valid.extend(told.iter().map(Message::write));
        self.valid.push(talking.request(Method::Prack).write());
        self.valid.push(talking.request(Method::Info).write());
    }

    /// One call of our own that talks, one that is transferred, and one that rings.
    fn calling(&mut self) {
        for (number, tag) in [("2110", "t1"), ("2111", "t2")] {
            let invite = self.dial(number);
            self.hear(&answer(&invite, tag, self.exchange, "sendrecv"));
            let session = *self.sessions.last().expect("a call was placed");
            if tag == "t2" {
                self.agent.refer(self.now, session, "2112");
                let refer = self.take(Method::Refer);
                self.hear(&reply(&refer, 202, tag, self.exchange));
                self.valid.push(reply(&refer, 202, tag, self.exchange).write());
                let mut notify = within(&invite, tag, self.exchange, Method::Notify, 7);
                notify.push("Event", "refer");
                notify.push("Subscription-State", "active;expires=60");
                notify.set_body(sipfrag::CONTENT_TYPE, b"SIP/2.0 180 Ringing\r\n".to_vec());
                self.valid.push(notify.write());
                self.carriers.push((notify, Body::Fragment));
            }
            let mut again = within(&invite, tag, self.exchange, Method::Invite, 9);
            again.set_body(sip::sdp::CONTENT_TYPE, sdp(4004, "inactive"));
            self.valid.push(again.write());
            self.carriers.push((again, Body::Description));
            self.valid.push(answer(&invite, tag, self.exchange, "sendrecv").write());
            self.valid.push(within(&invite, tag, self.exchange, Method::Bye, 11).write());
        }
        let invite = self.dial("2113");
        self.hear(&reply(&invite, 180, "t3", self.exchange));
        for code in [183, 200, 302, 401, 486, 491, 503, 603] {
            self.valid.push(answer_of(&invite, code, self.exchange).write());
        }
        self.valid.push(answer(&invite, "fork", self.exchange, "sendrecv").write());
    }

    fn watching(&mut self) {
        let watched = [
            (Package::Dialog, Body::Dialogs, crate::corpus::DIALOGS[1]),
            (Package::Presence, Body::Presence, crate::corpus::PRESENCES[0]),
        ];
        for (package, body, document) in watched {
            self.agent.subscribe(self.now, AccountId(1), "2110", package);
            let subscribe = self.take(Method::Subscribe);
            let mut ok = reply(&subscribe, 200, "n", self.exchange);
            ok.push("Expires", "600");
            self.hear(&ok);
            let mut notify = within(&subscribe, "n", self.exchange, Method::Notify, 1);
            notify.push("Event", package.name());
            notify.push("Subscription-State", "active;expires=600");
            notify.set_body(body.content_type(), document.as_bytes().to_vec());
            self.hear(&notify);
            self.valid.extend([ok.write(), notify.write()]);
            self.carriers.push((notify, body));
        }
        self.valid.extend(crate::corpus::MESSAGES.iter().map(|text| text.as_bytes().to_vec()));
    }

    /// Whether so much was ended that there is little left to disturb.
    pub fn is_worn(&self) -> bool {
        self.agent.live_sessions() < 2
    }

    /// Feeds bytes from the exchange or from a stranger, lets a little time pass, and answers what the agent asks.
    pub fn feed(&mut self, dice: &mut Dice, bytes: &[u8]) {
        let from = match dice.below(8) {
            0 => ([203, 0, 113, dice.below(256) as u8], 5060).into(),
            _ => self.exchange,
        };
        self.agent.handle_datagram(self.now, from, bytes);
        self.drain();
        // Mostly no time, so that much comes at once; now and then enough for a retransmission or a refresh.
        let pause = [0, 0, 0, 1, 20, 700, 40_000][dice.below(7).min(dice.below(7))];
        self.pass(Duration::from_millis(pause));
        if dice.below(16) == 0 {
            self.operate(dice);
        }
        assert!(self.agent.live_sessions() <= MAX_SESSIONS, "{} calls", self.agent.live_sessions());
        // Requests of the agent's own are few, and not counted against the bound.
        assert!(
            self.agent.transactions() <= MAX_TRANSACTIONS + 256,
            "{} transactions",
            self.agent.transactions()
        );
    }

    /// A document of this kind, in a valid request of its dialog.
    pub fn carry(&mut self, dice: &mut Dice, body: Body, document: &[u8]) -> Vec<u8> {
        let fitting: Vec<&(Message, Body)> = self.carriers.iter().filter(|(_, of)| *of == body).collect();
        let mut request = dice.of(&fitting).0.clone();
        self.number += 1;
        let method = request.method().cloned().unwrap_or(Method::Notify);
        request.set("CSeq", format!("{} {method}", self.number));
        request.set("Via", format!("SIP/2.0/UDP {};branch=z9hG4bK-fresh-{}", self.exchange, self.number));
        request.set_body(body.content_type(), document.to_vec());
        request.write()
    }

    /// A response to one of the agent's newest requests.
    pub fn respond(&self, dice: &mut Dice) -> Option<Vec<u8>> {
        let request = self.asked.get(dice.below(self.asked.len()))?;
        let code = *dice.of(&[
            100, 180, 183, 200, 200, 200, 202, 302, 401, 407, 408, 420, 422, 423, 481, 486, 489, 491, 500,
            503, 603,
        ]);
        Some(answer_of(request, code, self.exchange).write())
    }

    /// Somebody at the desk does something with a call.
    fn operate(&mut self, dice: &mut Dice) {
        let (now, session) = (self.now, *dice.of(&self.sessions));
        match dice.below(9) {
            0 => self.agent.accept(now, session, local()),
            1 => self.agent.reject(now, session, 486),
            2 => self.agent.hold(now, session),
            3 => self.agent.retrieve(now, session),
            4 => self.agent.refer(now, session, "2112"),
            5 => _ = self.agent.refer_attended(now, session, *dice.of(&self.sessions)),
            6 => _ = self.agent.redirect(now, session, "2112", None),
            7 => self.agent.ring(now, session),
            _ => {
                if let Ok(session) = self.agent.invite(now, Invite::new(AccountId(1), "2114", local())) {
                    self.sessions.push(session);
                }
            }
        }
        self.drain();
    }

    fn dial(&mut self, number: &str) -> Message {
        let call = Invite::new(AccountId(1), number, local());
        self.sessions.push(self.agent.invite(self.now, call).expect("a call can be placed"));
        self.take(Method::Invite)
    }

    /// The newest request of this method that the agent has sent.
    fn take(&mut self, method: Method) -> Message {
        self.drain();
        let found = self.asked.iter().rev().find(|message| message.method() == Some(&method)).cloned();
        found.unwrap_or_else(|| panic!("the agent sends no {method}, but {:#?}", self.asked))
    }

    fn hear(&mut self, message: &Message) {
        self.agent.handle_datagram(self.now, self.exchange, &message.write());
        self.drain();
    }

    fn pass(&mut self, pause: Duration) {
        let until = self.now + pause;
        for _ in 0..10_000 {
            let Some(due) = self.agent.poll_timeout().filter(|due| *due <= until) else {
                self.now = until;
                return;
            };
            self.now = self.now.max(due);
            self.agent.handle_timeout(self.now);
            self.drain();
        }
        panic!("a timer that is due does not go away");
    }

    /// Takes out what the agent sends and says; what it sends must be readable.
    fn drain(&mut self) -> Vec<Message> {
        let mut sent = Vec::new();
        loop {
            while let Some(transmit) = self.agent.poll_transmit() {
                assert!(transmit.bytes.len() <= sip::message::MAX_SIZE);
                match Message::parse(&transmit.bytes) {
                    Ok(message) => sent.push(message),
                    // These have to repeat what could not be read.
                    Err(error) => assert!(
                        transmit.bytes.starts_with(b"SIP/2.0 400 ")
                            || transmit.bytes.starts_with(b"SIP/2.0 505 "),
                        "{error}: {}",
                        String::from_utf8_lossy(&transmit.bytes)
                    ),
                }
            }
            match self.agent.poll_event() {
                Some(Event::Incoming { session, .. }) => self.sessions.push(session),
                Some(Event::Ended { session, .. }) if self.sessions.len() > MAX_SESSIONS => {
                    self.sessions.retain(|&other| other != session);
                }
                Some(Event::Resolve { id, .. }) => {
                    let addresses = if self.number.is_multiple_of(2) {
                        Ok(vec![Target::from(self.exchange)])
                    } else {
                        Err("no".into())
                    };
                    self.agent.resolved(self.now, id, addresses);
                }
                Some(Event::Connect { target, .. }) => self.agent.disconnected(self.now, target, "refused"),
                Some(_) => {}
                None => break,
            }
        }
        for message in
            sent.iter().filter(|message| message.is_request() && message.method() != Some(&Method::Ack))
        {
            self.asked.push(message.clone());
        }
        let spare = self.asked.len().saturating_sub(REMEMBERED);
        self.asked.drain(..spare);
        sent
    }
}

/// An answer as an exchange would give it, with what belongs to the code.
fn answer_of(request: &Message, code: u16, at: SocketAddr) -> Message {
    let mut response = reply(request, code, "late", at);
    match code {
        183 | 200 if request.method() == Some(&Method::Invite) => {
            response.set_body(sip::sdp::CONTENT_TYPE, sdp(4006, "sendrecv"));
        }
        302 => response.set("Contact", "<sip:2115@198.51.100.9>;q=0.5, <sip:2116@other.example>"),
        401 => response
            .push("WWW-Authenticate", "Digest realm=\"pbx\", nonce=\"m\", qop=\"auth-int,auth\", stale=TRUE"),
        407 => response
            .push("Proxy-Authenticate", "Digest realm=\"pbx\", nonce=\"m\", algorithm=MD5-sess, qop=auth"),
        420 => response.push("Unsupported", "100rel, timer"),
        422 => response.push("Min-SE", "1800"),
        423 => response.push("Min-Expires", "1200"),
        500 | 503 => response.push("Retry-After", "1"),
        _ => {}
    }
    response
}
