//! What single turns of an agent with 500 lamps and 50 calls cost: `cargo run --release -p sip --example turn_cost`.
//!
//! A bar of ours is on the longest turn, not on the mean one, so that a table that grows or a scan over everything
//! shows. The same script runs several times and each turn counts with its fastest run: what the machine did
//! besides drops out, what the agent does does not.
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a measuring program")]

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sip::{
    Account, AccountId, Codec, Config, Event, LocalMedia, Message, Method, Package, SessionId, Transmit,
    UserAgent,
};

const LAMPS: usize = 500;
const CALLS: usize = 50;
/// NOTIFYs, one every 10 ms: longer than a transaction lives (64 T1) and than a subscription (60 s).
const NOTIFIES: usize = 9_000;
const RUNS: usize = 7;

/// What a turn was for, and its cost in microseconds.
type Turn = (&'static str, f64);

fn main() {
    let mut best: Vec<Turn> = Vec::new();
    for _ in 0..RUNS {
        let turns = Script::new().run();
        if best.is_empty() {
            best = turns;
            continue;
        }
        for (best, turn) in best.iter_mut().zip(turns) {
            best.1 = best.1.min(turn.1);
        }
    }
    println!(
        "{LAMPS} subscriptions, {CALLS} calls, fastest of {RUNS} runs, µs of a turn: mean, 99 %, longest"
    );
    for name in ["SUBSCRIBE", "NOTIFY", "timeout"] {
        let mut costs: Vec<f64> = best.iter().filter(|turn| turn.0 == name).map(|turn| turn.1).collect();
        costs.sort_by(f64::total_cmp);
        let mean = costs.iter().sum::<f64>() / costs.len().max(1) as f64;
        let at =
            |share: usize| costs.get((costs.len() * share / 100).min(costs.len().saturating_sub(1))).copied();
        let (p99, longest) = (at(99).unwrap_or(0.0), at(100).unwrap_or(0.0));
        println!("{name:10} {:6} turns {mean:8.1} {p99:8.1} {longest:8.1}", costs.len());
    }
}

/// One run: the agent, its clock, and what the exchange knows of it.
struct Script {
    agent: UserAgent,
    now: Instant,
    lamps: Vec<(Message, u32)>,
    calls: VecDeque<SessionId>,
    turns: Vec<Turn>,
}

impl Script {
    fn new() -> Script {
        let now = Instant::now();
        let mut agent = UserAgent::new(Config::new(us()), 1);
        agent.add_account(now, account());
        Script { agent, now, lamps: Vec::new(), calls: VecDeque::new(), turns: Vec::new() }
    }

    fn run(mut self) -> Vec<Turn> {
        for number in 0..LAMPS {
            let target = (1000 + number).to_string();
            self.turn("SUBSCRIBE", |agent, now| {
                agent.subscribe(now, AccountId(1), &target, Package::Dialog);
            });
        }
        for number in 0..CALLS {
            let invite = call(number);
            self.deliver("call", &invite);
            let Some(session) = self.calls.back().copied() else { continue };
            let media = LocalMedia::plain(us(), vec![Codec::Pcma]);
            self.turn("call", |agent, now| agent.accept(now, session, media));
        }
        for at in 0..NOTIFIES {
            self.pass(Duration::from_millis(10));
            if let Some(lamp) = self.lamps.get_mut(at * 7 % LAMPS) {
                lamp.1 += 1;
                let notify = notify(&lamp.0, lamp.1);
                self.deliver("NOTIFY", &notify);
            }
        }
        self.turns
    }

    /// Lets time pass, with every timeout in it as a turn of its own.
    fn pass(&mut self, duration: Duration) {
        let until = self.now + duration;
        while let Some(due) = self.agent.poll_timeout().filter(|&due| due <= until) {
            self.now = self.now.max(due);
            self.turn("timeout", UserAgent::handle_timeout);
        }
        self.now = until;
    }

    fn deliver(&mut self, name: &'static str, message: &Message) {
        let bytes = message.write();
        self.turn(name, |agent, now| agent.handle_datagram(now, exchange(), &bytes));
    }

    /// A turn and what the exchange answers to it.
    fn turn(&mut self, name: &'static str, act: impl FnOnce(&mut UserAgent, Instant)) {
        let start = Instant::now();
        act(&mut self.agent, self.now);
        let mut out: Vec<Transmit> = Vec::new();
        out.extend(std::iter::from_fn(|| self.agent.poll_transmit()));
        let events: Vec<Event> = std::iter::from_fn(|| self.agent.poll_event()).collect();
        self.turns.push((name, start.elapsed().as_secs_f64() * 1e6));
        for event in events {
            if let Event::Incoming { session, .. } = event {
                self.calls.push_back(session);
            }
        }
        for transmit in out {
            let Ok(message) = Message::parse(&transmit.bytes) else { continue };
            self.answer(&message);
        }
    }

    fn answer(&mut self, message: &Message) {
        if message.method() == Some(&Method::Subscribe) {
            let mut ok = Message::response(message, 200);
            if let Some(to) = message.to().filter(|to| to.tag().is_none()) {
                ok.set("To", to.with_tag("n").to_string());
                self.lamps.push((message.clone(), 1));
                ok.push("Expires", "60");
                self.deliver("answer", &ok);
                return self.deliver("first NOTIFY", &notify(message, 1));
            }
            ok.push("Expires", "60");
            self.deliver("answer", &ok);
        } else if message.code() == Some(200)
            && message.cseq().is_some_and(|cseq| cseq.method == Method::Invite)
        {
            let mut ack = Message::request(Method::Ack, "sip:100@192.0.2.1");
            ack.push("Via", format!("SIP/2.0/UDP {};branch=z9hG4bKack{}", exchange(), self.turns.len()));
            for name in ["From", "To", "Call-ID"] {
                ack.push(name, message.header(name).unwrap_or_default());
            }
            ack.push("CSeq", "1 ACK");
            self.deliver("ACK", &ack);
        }
    }
}

fn us() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 5060))
}

fn exchange() -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 9], 5060))
}

fn account() -> Account {
    Account {
        password: "secret".into(),
        register: false,
        ..Account::new(AccountId(1), "100", "pbx.example", exchange().into())
    }
}

/// A NOTIFY as a busy exchange sends it: full state, two calls.
fn notify(subscribe: &Message, number: u32) -> Message {
    let mut notify = Message::request(Method::Notify, "sip:100@192.0.2.1:5060");
    let call_id = subscribe.call_id().unwrap_or_default();
    notify.push("Via", format!("SIP/2.0/UDP {};rport;branch=z9hG4bK{call_id}{number}", exchange()));
    notify.push("Max-Forwards", "70");
    notify.push("From", format!("{};tag=n", subscribe.header("To").unwrap_or_default()));
    notify.push("To", subscribe.header("From").unwrap_or_default());
    notify.push("Call-ID", call_id);
    notify.push("CSeq", format!("{number} NOTIFY"));
    notify.push("Contact", format!("<sip:lamp@{}>", exchange()));
    notify.push("Event", "dialog");
    notify.push("Subscription-State", "active;expires=60");
    let one = |id: u32| {
        format!(
            "<dialog id=\"{id}\" call-id=\"c{id}@pbx.example\" local-tag=\"l{id}\" remote-tag=\"r{id}\" direction=\"recipient\">\
             <state>confirmed</state><local><identity>sip:2110@pbx.example</identity></local>\
             <remote><identity display=\"Alice\">sip:0591234@pbx.example</identity></remote></dialog>"
        )
    };
    let body = format!(
        "<?xml version=\"1.0\"?><dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"{number}\" \
         state=\"full\" entity=\"sip:2110@pbx.example\">{}{}</dialog-info>",
        one(number),
        one(number + 1)
    );
    notify.set_body("application/dialog-info+xml", body.into_bytes());
    notify
}

fn call(number: usize) -> Message {
    let mut invite = Message::request(Method::Invite, "sip:100@192.0.2.1:5060");
    invite.push("Via", format!("SIP/2.0/UDP {};rport;branch=z9hG4bKcall{number}", exchange()));
    invite.push("Max-Forwards", "70");
    invite.push("From", format!("<sip:059{number}@pbx.example>;tag=caller{number}"));
    invite.push("To", "<sip:100@pbx.example>");
    invite.push("Call-ID", format!("call{number}"));
    invite.push("CSeq", "1 INVITE");
    invite.push("Contact", format!("<sip:059{number}@{}>", exchange()));
    let sdp = "v=0\r\no=- 1 1 IN IP4 198.51.100.9\r\ns=-\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";
    invite.set_body("application/sdp", sdp.as_bytes().to_vec());
    invite
}
