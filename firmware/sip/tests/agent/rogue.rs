//! A rogue peer: wrong tags, sequence numbers that jump, news of nothing, answers for ever, a flood of calls. Whatever
//! it does, other calls stay, legitimate callers ring, and nothing grows.

use std::net::SocketAddr;
use std::time::Duration;

use sip::{AccountId, Config, Invite, Message, Method, SessionId};

use crate::net::{FAIR, Net, address, media, want};
use crate::script::{Caller, answer};

const US: &str = "192.0.2.1:5060";
const PBX: &str = "198.51.100.9:5060";
const ROGUE: &str = "203.0.113.66:5060";

/// A desk with a call that talks to its exchange, which must not notice anything, and a rogue.
struct Siege {
    net: Net,
    us: usize,
    at: SocketAddr,
    pbx: SocketAddr,
    rogue: SocketAddr,
    friend: Caller,
    session: SessionId,
}

impl Siege {
    fn lay() -> Siege {
        let mut net = Net::new(5, FAIR);
        let (pbx, rogue) = (net.peer(PBX), net.peer(ROGUE));
        let us = net.phone(US, pbx);
        let at = net.stations[us].at;
        let mut friend = Caller::new(pbx, at, "friend");
        let session = talk(&mut net, us, &mut friend);
        Siege { net, us, at, pbx, rogue, friend, session }
    }

    /// The friend's call still talks, can be held, and is ended by its own BYE; then nothing is left.
    fn is_lifted(mut self, calls_besides: usize) {
        let (net, us) = (&mut self.net, self.us);
        assert_eq!(net.stations[us].agent.live_sessions(), 1 + calls_besides);
        net.clear(self.pbx);
        net.act(us, |agent, now| agent.hold(now, self.session));
        let hold = net.receive(self.pbx, "INVITE", 1);
        net.send(self.pbx, self.at, &answer(&hold, &self.friend.tag, self.pbx, "recvonly"));
        net.wait(us, "Held", 1, want::held);
        let bye = self.friend.request(Method::Bye);
        net.send(self.pbx, self.at, &bye);
        net.receive(self.pbx, "200 BYE", 1);
        net.wait(us, "Ended", 1, want::ended);
        net.act(us, |agent, now| agent.shut_down(now));
        net.pass(Duration::from_secs(120));
        let agent = &net.stations[us].agent;
        assert_eq!((agent.live_sessions(), agent.transactions()), (0, 0), "nothing is left");
    }
}

/// A call from `caller` that is answered.
fn talk(net: &mut Net, us: usize, caller: &mut Caller) -> SessionId {
    let invite = caller.invite();
    net.send(caller.at, caller.to, &invite);
    let session = net.wait(us, "Incoming", 1, want::incoming);
    net.act(us, |agent, now| agent.accept(now, session, media(3000)));
    let ok = net.receive(caller.at, "200 INVITE", 1);
    let ack = caller.ack(&ok);
    net.send(caller.at, caller.to, &ack);
    net.wait(us, "Confirmed", 1, want::confirmed);
    session
}

#[test]
fn wrong_tags_reach_no_call_whatever_is_asked() {
    let mut siege = Siege::lay();
    let (ours, theirs) = (siege.friend.to_tag.clone().unwrap(), siege.friend.tag.clone());
    let long = "t".repeat(5_000);
    let methods = [Method::Invite, Method::Bye, Method::Update, Method::Notify, Method::Prack];
    let tags = [
        ("wrong", ours.as_str()),
        (&theirs, "wrong"),
        ("wrong", "wrong"),
        (&ours, &theirs),
        ("", &ours),
        (&long, &long),
    ];
    for method in methods {
        for (n, (from, to)) in tags.iter().enumerate() {
            // Another branch than the friend's own, or it would be taken for a repetition.
            let mut forged = Caller::new(siege.pbx, siege.at, "friend");
            (forged.tag, forged.to_tag, forged.number) = ((*from).into(), Some((*to).into()), 90);
            let mut request = forged.request(method.clone());
            request.set("Via", format!("SIP/2.0/UDP {};branch=z9hG4bK-forged-{method}-{n}", siege.pbx));
            if method == Method::Notify {
                request.push("Event", "dialog");
                request.push("Subscription-State", "terminated");
            }
            siege.net.send(siege.pbx, siege.at, &request);
            siege.net.receive(siege.pbx, "481", 1);
        }
    }
    // A CANCEL of what was answered long ago, and ACKs of nothing.
    for n in 0..100 {
        let mut ack = siege.friend.numbered(Method::Ack, 1_000 + n);
        siege.net.send(siege.pbx, siege.at, &ack);
        ack.set("To", "<sip:100@pbx.example>;tag=nobody");
        siege.net.send(siege.rogue, siege.at, &ack);
    }
    siege.net.pass(Duration::from_secs(1));
    assert!(siege.net.said(siege.us).is_empty(), "{:?}", siege.net.said(siege.us));
    siege.is_lifted(0);
}

#[test]
fn a_sequence_number_that_jumps_is_followed_once_and_never_back() {
    let mut siege = Siege::lay();
    let mut rogue = Caller::new(siege.rogue, siege.at, "jumper");
    let session = talk(&mut siege.net, siege.us, &mut rogue);
    let (net, us) = (&mut siege.net, siege.us);
    for (number, code) in [
        (1 << 30, "200 UPDATE"),
        (2, "500 UPDATE"),
        ((1 << 31) - 1, "200 UPDATE"),
        ((1 << 31) - 1, "500 UPDATE"),
        (u32::MAX, "200 UPDATE"),
        (1, "500 UPDATE"),
        (0, "500 UPDATE"),
    ] {
        let update = rogue.numbered(Method::Update, number);
        net.send(siege.rogue, siege.at, &update);
        let told = net.receive(siege.rogue, code, 1);
        assert_eq!(told.cseq().unwrap().number, number, "{code}");
    }
    // No number is above the last one: only we can end this call, and we can.
    let bye = rogue.numbered(Method::Bye, u32::MAX);
    net.send(siege.rogue, siege.at, &bye);
    net.receive(siege.rogue, "500 BYE", 1);
    net.act(us, |agent, now| agent.hang_up(now, session));
    let bye = net.receive(siege.rogue, "BYE", 1);
    net.send(siege.rogue, siege.at, &Message::response(&bye, 200));
    net.wait(us, "Ended", 1, want::ended);
    siege.is_lifted(0);
}

#[test]
fn news_of_nothing_is_refused_and_leaves_nothing() {
    let mut siege = Siege::lay();
    for n in 0..3_000_u32 {
        let event = ["dialog", "presence", "refer", "message-summary", "conference"][n as usize % 5];
        // From the exchange's address, so that no limit for strangers helps.
        let mut notify = Caller::new(siege.pbx, siege.at, &format!("nothing{n}")).request(Method::Notify);
        notify.push("Event", event);
        notify.push("Subscription-State", "active;expires=4294967295");
        if event != "message-summary" {
            notify.set("To", "<sip:100@pbx.example>;tag=nothing");
        }
        siege.net.send(siege.pbx, siege.at, &notify);
    }
    siege.net.pass(Duration::from_millis(50));
    let (refused, unknown) = (siege.net.count(siege.pbx, "481"), siege.net.count(siege.pbx, "489"));
    assert_eq!((refused, unknown, siege.net.count(siege.pbx, "200 NOTIFY")), (1_800, 600, 600));
    while siege.net.said(siege.us).contains(&"MessageSummary".to_owned()) {
        siege.net.wait(siege.us, "MessageSummary", 0, |event| {
            matches!(event, sip::Event::MessageSummary { .. }).then_some(())
        });
    }
    assert!(siege.net.said(siege.us).is_empty(), "{:?}", siege.net.said(siege.us));
    siege.is_lifted(0);
}

#[test]
fn answers_for_ever_are_acknowledged_and_hold_nothing() {
    let mut siege = Siege::lay();
    let (net, us, at) = (&mut siege.net, siege.us, siege.at);
    let call = Invite {
        destination: Some(siege.rogue.into()),
        ..Invite::new(AccountId(1), "sip:5@rogue.example", media(3002))
    };
    let session = net.act(us, |agent, now| agent.invite(now, call)).unwrap();
    let invite = net.receive(siege.rogue, "INVITE", 1);
    let ok = answer(&invite, "one", siege.rogue, "sendrecv");
    net.send(siege.rogue, at, &ok);
    net.wait(us, "Answered", 1, want::answered);
    let before = net.stations[us].agent.transactions();
    for n in 0..5_000_u64 {
        net.send(siege.rogue, at, &ok);
        if n % 50 == 0 {
            net.pass(Duration::from_millis(700));
        }
    }
    net.pass(Duration::from_millis(700));
    assert!(net.stations[us].agent.transactions() <= before, "an ACK is no transaction");
    assert!(net.count(siege.rogue, "ACK") >= 5_000);
    net.clear(siege.rogue);
    // Five thousand branches of one fork: each would have to be acknowledged and ended.
    for n in 0..5_000 {
        net.send(siege.rogue, at, &answer(&invite, &format!("fork{n}"), siege.rogue, "sendrecv"));
    }
    net.pass(Duration::from_millis(50));
    let (held, ended) = (net.stations[us].agent.transactions(), net.count(siege.rogue, "BYE"));
    assert!(held <= before + 64 && ended <= 64, "{held} transactions, {ended} BYE");
    // We hang up, and it answers still.
    net.act(us, |agent, now| agent.hang_up(now, session));
    net.wait(us, "Ended", 1, want::ended);
    let bye = net.receive(siege.rogue, "BYE", 1);
    net.send(siege.rogue, at, &Message::response(&bye, 200));
    net.pass(Duration::from_secs(40));
    net.clear(siege.rogue);
    for _ in 0..1_000 {
        net.send(siege.rogue, at, &ok);
    }
    net.pass(Duration::from_millis(50));
    assert!(net.stations[us].agent.transactions() <= 2);
    siege.is_lifted(0);
}

#[test]
fn ten_thousand_calls_a_second_from_strangers_leave_legitimate_callers_their_ring() {
    let mut net = Net::new(6, FAIR);
    let pbx = net.peer(PBX);
    let us = net.agent_with(Config { max_sessions: 40, ..Config::new(address(US)) });
    net.act(us, |agent, now| agent.add_account(now, crate::net::account(pbx)));
    let at = net.stations[us].at;
    let strangers: Vec<SocketAddr> =
        (0..4).map(|n| net.peer(&format!("203.0.113.{}:5060", 60 + n))).collect();
    let (mut rang, mut from_strangers) = (0, 0);
    // Two seconds, ten calls a millisecond; every 100 ms a legitimate one.
    for millisecond in 0..2_000_u32 {
        for n in 0..10_u32 {
            let stranger = strangers[(n % 4) as usize];
            let mut flood = Caller::new(stranger, at, &format!("flood{millisecond}-{n}"));
            let invite = flood.invite();
            net.send(stranger, at, &invite);
        }
        if millisecond % 100 == 50 {
            let mut caller = Caller::new(pbx, at, &format!("legitimate{millisecond}"));
            let invite = caller.invite();
            net.send(pbx, at, &invite);
            // The wire takes 2 ms each way, and the desk no time.
            net.pass(Duration::from_millis(2));
            let session = loop {
                let incoming = net.wait(us, "Incoming", 0, |event| match event {
                    sip::Event::Incoming { session, request, .. } => {
                        Some((*session, request.call_id().is_some_and(|id| id.starts_with("legitimate"))))
                    }
                    _ => None,
                });
                let (session, is_ours) = incoming;
                if is_ours {
                    break session;
                }
                from_strangers += 1;
                net.act(us, |agent, now| agent.reject(now, session, 486));
            };
            net.act(us, |agent, now| agent.ring(now, session));
            net.receive(pbx, "180", 1);
            rang += 1;
            net.act(us, |agent, now| agent.reject(now, session, 486));
        }
        net.pass(Duration::from_millis(1));
        strangers.iter().for_each(|&stranger| net.clear(stranger));
    }
    assert_eq!(
        (rang, net.count(pbx, "503")),
        (20, 0),
        "every one rang and none was refused for want of room"
    );
    // Eight at once, and no more of them than the four may open: sixty each, then twenty a second.
    assert!((8..=4 * (60 + 2 * 20 + 1)).contains(&from_strangers), "{from_strangers}");
    assert!(net.stations[us].agent.transactions() < 1_000);
}

#[test]
fn strangers_from_many_addresses_leave_room_for_the_exchange() {
    let mut net = Net::new(6, FAIR);
    let pbx = net.peer(PBX);
    let us = net.agent_with(Config { max_transactions: 200, ..Config::new(address(US)) });
    net.act(us, |agent, now| agent.add_account(now, crate::net::account(pbx)));
    let at = net.stations[us].at;
    for n in 0..2_000_u32 {
        let stranger = net.peer(&format!("203.0.113.{}:5060", n % 200));
        net.send(stranger, at, &Caller::new(stranger, at, &format!("scan{n}")).request(Method::Options));
    }
    net.pass(Duration::from_millis(10));
    assert_eq!(net.stations[us].agent.transactions(), 150, "three quarters");
    let mut caller = Caller::new(pbx, at, "legitimate");
    talk(&mut net, us, &mut caller);
    assert_eq!(net.count(pbx, "503"), 0);
}
