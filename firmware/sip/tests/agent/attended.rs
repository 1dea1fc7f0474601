//! Attended transfer (RFC 5589): between three agents of ours, and with an exchange played by the test.

use std::net::SocketAddr;
use std::time::Duration;

use sip::{
    Account, AccountId, Config, EndedBy, Error, Event, Identity, Invite, Message, Method, NameAddr, Replaces,
    SessionId, TransferResult,
};

use crate::net::{FAIR, Net, STORM, Weather, account, address, media, want};
use crate::script::{Caller, answer, reply, within};

const DESK: &str = "192.0.2.1:5060";
const COLLEAGUE: &str = "192.0.2.3:5060";
const PBX: &str = "198.51.100.9:5060";

/// The desk (0), the exchange (1) and a colleague's telephone (2), all ours.
fn house(seed: u64, weather: Weather) -> Net {
    let mut net = Net::new(seed, weather);
    net.agent(DESK);
    let patient = Config { stranger_rate: 1000, stranger_burst: 1000, ..Config::new(address(PBX)) };
    net.agent_with(Config { server: true, ..patient });
    net.agent(COLLEAGUE);
    net.act(0, |agent, now| agent.add_account(now, account(address(PBX))));
    let colleague = Account { user: "2110".into(), ..account(address(PBX)) };
    net.act(2, |agent, now| agent.add_account(now, colleague));
    net
}

/// A call straight to an address, without any account.
fn direct(target: &str, port: u16) -> Invite {
    Invite {
        account: None,
        target: target.into(),
        media: media(port),
        replaces: None,
        answer_after: None,
        anonymous: false,
        headers: Vec::new(),
        destination: None,
        from: Some(Identity { display: None, uri: "sip:100@pbx.example".into() }),
        to: None,
    }
}

/// A call between two stations, answered: its session at either end.
fn talking(net: &mut Net, from: usize, to: usize, target: &str) -> (SessionId, SessionId) {
    let ours = net.act(from, |agent, now| agent.invite(now, direct(target, 3000))).unwrap();
    let theirs = net.wait(to, "Incoming", 60, want::incoming);
    net.act(to, |agent, now| agent.accept(now, theirs, media(5000)));
    net.wait(from, "Answered", 60, want::answered);
    net.wait(to, "Confirmed", 60, want::confirmed);
    (ours, theirs)
}

fn refer(event: &Event) -> Option<(SessionId, String, Option<Replaces>)> {
    match event {
        Event::Refer { session, target, replaces, .. } => Some((*session, target.clone(), replaces.clone())),
        _ => None,
    }
}

/// An incoming call and the one it takes over.
fn taking_over(event: &Event) -> Option<(SessionId, Option<SessionId>)> {
    match event {
        Event::Incoming { session, replaces, .. } => Some((*session, *replaces)),
        _ => None,
    }
}

fn end_of(session: SessionId) -> impl FnMut(&Event) -> Option<(EndedBy, u16, String)> {
    move |event| match event {
        Event::Ended { session: it, cause } if *it == session => {
            Some((cause.by, cause.code, cause.reason.clone()))
        }
        _ => None,
    }
}

#[test]
fn a_caller_is_handed_over_after_a_consultation_even_in_a_storm() {
    for seed in 0..40 {
        let mut net = house(seed, if seed == 0 { FAIR } else { STORM });
        // A caller comes in through the exchange; the desk holds him and asks the colleague.
        let (caller_leg, desk_leg) = talking(&mut net, 1, 0, "sip:100@192.0.2.1");
        net.act(0, |agent, now| agent.hold(now, desk_leg));
        let (consultation, asked) = talking(&mut net, 0, 2, "sip:2110@192.0.2.3");
        net.act(0, |agent, now| agent.hold(now, consultation));
        net.act(0, |agent, now| agent.refer_attended(now, desk_leg, consultation)).unwrap();
        // The exchange does what it is asked for.
        let (referred, target, replaces) = net.wait(1, "Refer", 90, refer);
        assert_eq!((referred, target.as_str()), (caller_leg, "sip:192.0.2.3:5060"), "seed {seed}");
        let replaces = replaces.expect("an attended transfer");
        assert_eq!(net.stations[2].agent.session_by_dialog(&replaces), Some(asked));
        assert_eq!(net.stations[0].agent.session_by_dialog(&replaces.clone().reversed()), Some(consultation));
        assert_eq!(net.stations[1].agent.session_by_dialog(&replaces), None);
        net.act(1, |agent, now| agent.refer_progress(now, referred, 100));
        let invite = Invite { replaces: Some(replaces), ..direct(&target, 6000) };
        let new_leg = net.act(1, |agent, now| agent.invite(now, invite)).unwrap();
        // The colleague's telephone changes over without ringing.
        let (taken, replaced) = net.wait(2, "Incoming", 60, taking_over);
        assert_eq!(replaced, Some(asked), "seed {seed}");
        net.act(2, |agent, now| agent.accept(now, taken, media(5002)));
        let end = net.wait(2, "Ended", 0, end_of(asked));
        assert_eq!(end, (EndedBy::Local, 200, "replaced".into()));
        net.wait(1, "Answered", 60, want::answered);
        net.act(1, |agent, now| agent.refer_progress(now, referred, 200));
        // The desk is out of both calls.
        assert_eq!(net.wait(0, "Ended", 60, end_of(consultation)).0, EndedBy::Remote, "seed {seed}");
        assert_eq!(net.wait(0, "TransferEnded", 60, want::transferred), TransferResult::Ok(200));
        net.act(0, |agent, now| agent.hang_up(now, desk_leg));
        net.wait(0, "Ended", 0, end_of(desk_leg));
        net.wait(1, "Ended", 60, end_of(caller_leg));
        net.pass(Duration::from_secs(200));
        let live: Vec<usize> = net.stations.iter().map(|s| s.agent.live_sessions()).collect();
        assert_eq!(live, [0, 1, 1], "seed {seed}");
        net.act(1, |agent, now| agent.hang_up(now, new_leg));
        net.wait(1, "Ended", 0, end_of(new_leg));
        net.wait(2, "Ended", 60, end_of(taken));
        net.pass(Duration::from_secs(200));
        for station in &net.stations {
            assert_eq!(station.agent.transactions(), 0, "seed {seed}");
            let again = station.events.iter().any(|event| {
                matches!(event, Event::Ended { .. } | Event::TransferEnded { .. } | Event::Refer { .. })
            });
            assert!(!again, "seed {seed}: {:?}", station.events);
        }
    }
}

#[test]
fn a_target_that_hangs_up_before_it_is_replaced_ends_the_transfer_and_nothing_else() {
    let mut net = house(1, FAIR);
    let (_, desk_leg) = talking(&mut net, 1, 0, "sip:100@192.0.2.1");
    let (consultation, asked) = talking(&mut net, 0, 2, "sip:2110@192.0.2.3");
    net.act(0, |agent, now| agent.refer_attended(now, desk_leg, consultation)).unwrap();
    let (referred, target, replaces) = net.wait(1, "Refer", 1, refer);
    net.act(2, |agent, now| agent.hang_up(now, asked));
    let invite = Invite { replaces, ..direct(&target, 6000) };
    let late = net.act(1, |agent, now| agent.invite(now, invite)).unwrap();
    let (_, code, _) = net.wait(1, "Ended", 1, end_of(late));
    assert_eq!(code, 603, "the dialog has ended already");
    net.act(1, |agent, now| agent.refer_progress(now, referred, code));
    assert!(matches!(net.wait(0, "TransferEnded", 1, want::transferred), TransferResult::Refused(603, _)));
    assert_eq!(net.stations[0].agent.live_sessions(), 1, "the caller is still there");
    // After 64 T1 the telephone no longer knows that there was such a call.
    net.pass(Duration::from_secs(60));
    let forgotten =
        Replaces { call_id: "x".into(), to_tag: "1".into(), from_tag: "2".into(), early_only: false };
    let invite = Invite { replaces: Some(forgotten), ..direct(&target, 6000) };
    let lost = net.act(1, |agent, now| agent.invite(now, invite)).unwrap();
    assert_eq!(net.wait(1, "Ended", 1, end_of(lost)).1, 481);
}

#[test]
fn an_exchange_finds_both_legs_of_the_desk_among_its_own() {
    let mut net = house(1, FAIR);
    let (first, desk_first) = talking(&mut net, 1, 0, "sip:100@192.0.2.1");
    let call = Invite::new(AccountId(1), "2110", media(3002));
    let desk_second = net.act(0, |agent, now| agent.invite(now, call)).unwrap();
    let second = net.wait(1, "Incoming", 1, want::incoming);
    net.act(1, |agent, now| agent.accept(now, second, media(5000)));
    net.wait(0, "Answered", 1, want::answered);
    net.act(0, |agent, now| agent.refer_attended(now, desk_first, desk_second)).unwrap();
    let (referred, _, replaces) = net.wait(1, "Refer", 1, refer);
    let replaces = replaces.unwrap();
    assert_eq!(referred, first);
    assert_eq!(net.stations[1].agent.session_by_dialog(&replaces), Some(second));
    net.act(1, |agent, now| {
        agent.refer_progress(now, first, 200);
        agent.hang_up(now, second);
    });
    assert_eq!(net.wait(0, "TransferEnded", 1, want::transferred), TransferResult::Ok(200));
    net.wait(0, "Ended", 1, end_of(desk_second));
    assert_eq!(net.stations[1].agent.session_by_dialog(&replaces), None, "it has ended");
}

#[test]
fn a_consultation_that_still_rings_is_refused_in_words_and_nothing_is_sent() {
    let mut net = Net::new(3, FAIR);
    let pbx = net.peer(PBX);
    let us = net.phone(DESK, pbx);
    let (session, _) = dialled(&mut net, us, pbx, "one", true);
    let (ringing, _) = dialled(&mut net, us, pbx, "two", false);
    net.clear(pbx);
    let ask = |net: &mut Net, session, consultation| {
        net.act(us, |agent, now| agent.refer_attended(now, session, consultation))
    };
    assert_eq!(ask(&mut net, session, ringing), Err(Error::NotAnswered(ringing)));
    assert_eq!(ask(&mut net, session, session), Err(Error::SameCall(session)));
    let nobody = SessionId(4711);
    assert_eq!(ask(&mut net, session, nobody), Err(Error::NoSuchCall(nobody)));
    assert_eq!(ask(&mut net, nobody, session), Err(Error::NoSuchCall(nobody)));
    net.act(us, |agent, now| agent.hang_up(now, ringing));
    assert_eq!(ask(&mut net, session, ringing), Err(Error::NoSuchCall(ringing)));
    assert_eq!(ask(&mut net, ringing, session), Err(Error::NoSuchCall(ringing)));
    net.pass(Duration::from_secs(1));
    assert_eq!(net.count(pbx, "REFER"), 0);
    assert!(!net.said(us).contains(&"TransferEnded".to_owned()));
}

#[test]
fn a_call_of_ours_that_was_not_acknowledged_yet_is_no_consultation() {
    let mut net = Net::new(3, FAIR);
    let pbx = net.peer(PBX);
    let us = net.phone(DESK, pbx);
    let (session, _) = dialled(&mut net, us, pbx, "one", true);
    let invite = Caller::new(pbx, address(DESK), "incoming").invite();
    net.send(pbx, address(DESK), &invite);
    let incoming = net.wait(us, "Incoming", 1, want::incoming);
    net.act(us, |agent, now| agent.accept(now, incoming, media(3000)));
    let result = net.act(us, |agent, now| agent.refer_attended(now, session, incoming));
    assert_eq!(
        result,
        Err(Error::NotAnswered(incoming)),
        "the peer may still take its dialog for an early one"
    );
}

#[test]
fn the_refer_waits_for_the_hold_and_names_the_dialog_as_the_consulted_peer_knows_it() {
    let mut net = Net::new(3, FAIR);
    let pbx = net.peer(PBX);
    let us = net.phone(DESK, pbx);
    let (session, invite) = dialled(&mut net, us, pbx, "one", true);
    let (consultation, consulting) = dialled(&mut net, us, pbx, "two", true);
    net.clear(pbx);
    net.act(us, |agent, now| {
        agent.hold(now, session);
        agent.refer_attended(now, session, consultation)
    })
    .unwrap();
    // The exchange has a re-INVITE of its own on the way: 491 first, then a second try.
    let hold = net.receive(pbx, "INVITE", 1);
    net.send(pbx, address(DESK), &reply(&hold, 491, "one", pbx));
    let hold = net.receive(pbx, "INVITE", 10);
    assert_eq!(net.count(pbx, "REFER"), 0, "not before the hold is settled");
    net.send(pbx, address(DESK), &answer(&hold, "one", pbx, "recvonly"));
    let refer = net.receive(pbx, "REFER", 1);
    net.wait(us, "Held", 0, want::held);
    assert_eq!(refer.call_id(), invite.call_id());
    let to = NameAddr::parse(refer.header("Refer-To").unwrap()).unwrap();
    assert_eq!(to.uri.to_string().split('?').next(), Some("sip:peer@198.51.100.9:5060"), "its Contact");
    assert_eq!(to.uri.headers.len(), 1, "no Require: a target without Replaces shall ring at least");
    let replaces = Replaces::of_refer_to(&to.uri).unwrap().unwrap();
    assert_eq!(replaces.call_id, consulting.call_id().unwrap());
    assert_eq!(replaces.to_tag, "two", "the peer's own tag");
    assert_eq!(replaces.from_tag, consulting.from().unwrap().tag().unwrap());
    assert!(!replaces.early_only);
    assert_eq!(refer.header("Referred-By"), Some("<sip:100@pbx.example>"));
    // Its fate is told like that of a blind transfer, once.
    net.send(pbx, address(DESK), &reply(&refer, 202, "one", pbx));
    let mut notify = within(&invite, "one", pbx, Method::Notify, 7);
    notify.push("Event", "refer");
    notify.push("Subscription-State", "terminated;reason=noresource");
    notify.set_body("message/sipfrag", b"SIP/2.0 200 OK".to_vec());
    net.send(pbx, address(DESK), &notify);
    assert_eq!(net.wait(us, "TransferEnded", 1, want::transferred), TransferResult::Ok(200));
    let bye = within(&consulting, "two", pbx, Method::Bye, 1);
    net.send(pbx, address(DESK), &bye);
    net.wait(us, "Ended", 1, end_of(consultation));
    net.pass(Duration::from_secs(100));
    assert!(!net.said(us).contains(&"TransferEnded".to_owned()));
}

#[test]
fn a_refused_attended_transfer_leaves_both_calls_alone() {
    let mut net = Net::new(3, FAIR);
    let pbx = net.peer(PBX);
    let us = net.phone(DESK, pbx);
    let (session, _) = dialled(&mut net, us, pbx, "one", true);
    let (consultation, _) = dialled(&mut net, us, pbx, "two", true);
    net.act(us, |agent, now| agent.refer_attended(now, session, consultation)).unwrap();
    let refer = net.receive(pbx, "REFER", 1);
    // While it is open, a second one is refused, in the words of the blind one.
    net.act(us, |agent, now| agent.refer_attended(now, session, consultation)).unwrap();
    assert!(matches!(net.wait(us, "TransferEnded", 0, want::transferred), TransferResult::Refused(491, _)));
    net.send(pbx, address(DESK), &reply(&refer, 501, "one", pbx));
    assert!(matches!(net.wait(us, "TransferEnded", 1, want::transferred), TransferResult::Refused(501, _)));
    assert_eq!(net.stations[us].agent.live_sessions(), 2);
}

#[test]
fn a_peer_whose_call_id_fits_no_header_cannot_be_consulted_about() {
    let mut net = Net::new(3, FAIR);
    let pbx = net.peer(PBX);
    let us = net.phone(DESK, pbx);
    let (session, _) = dialled(&mut net, us, pbx, "one", true);
    let mut caller = Caller::new(pbx, address(DESK), "evil;to-tag=stolen");
    let mut invite = caller.invite();
    invite.set("Via", "SIP/2.0/UDP 198.51.100.9:5060;rport;branch=z9hG4bKevil");
    net.send(pbx, address(DESK), &invite);
    let incoming = net.wait(us, "Incoming", 1, want::incoming);
    net.act(us, |agent, now| agent.accept(now, incoming, media(3000)));
    let ok = net.receive(pbx, "200 INVITE", 1);
    let mut ack = caller.ack(&ok);
    ack.set("Via", "SIP/2.0/UDP 198.51.100.9:5060;rport;branch=z9hG4bKevilack");
    net.send(pbx, address(DESK), &ack);
    net.wait(us, "Confirmed", 1, want::confirmed);
    let result = net.act(us, |agent, now| agent.refer_attended(now, session, incoming));
    assert_eq!(result, Err(Error::BadReplaces));
}

#[test]
fn an_exchange_refuses_every_garbled_refer_to_and_keeps_the_call() {
    let mut net = Net::new(3, FAIR);
    let desk = net.peer(DESK);
    let patient = Config { stranger_rate: 1000, stranger_burst: 1000, ..Config::new(address(PBX)) };
    let us = net.agent_with(Config { server: true, ..patient });
    let mut caller = Caller::new(desk, address(PBX), "desk");
    let invite = caller.invite();
    net.send(desk, address(PBX), &invite);
    let session = net.wait(us, "Incoming", 1, want::incoming);
    net.act(us, |agent, now| agent.accept(now, session, media(3000)));
    let ok = net.receive(desk, "200 INVITE", 1);
    let ack = caller.ack(&ok);
    net.send(desk, address(PBX), &ack);
    net.wait(us, "Confirmed", 1, want::confirmed);
    let whole = "a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2";
    let garbled: Vec<String> = vec![
        format!("<sip:2110@pbx.example?Replaces={whole}&Replaces={whole}>"),
        format!("<sip:2110@pbx.example?Replaces={whole}%3Bto-tag%3D3>"),
        "<sip:2110@pbx.example?Replaces=%>".into(),
        "<sip:2110@pbx.example?Replaces=%E4%F6>".into(),
        "<sip:2110@pbx.example?Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2%G0>".into(),
        "<sip:2110@pbx.example?Replaces=a%250%3Bto-tag%3D1>".into(),
        "<sip:2110@pbx.example?Replaces=a%0d%0aContact:%20x%3Bto-tag%3D1%3Bfrom-tag%3D2>".into(),
        format!("<sip:2110@pbx.example?Replaces={}{whole}>", "x".repeat(1100)),
        format!("<sip:2110@pbx.example?Replaces={}{whole}>", "x".repeat(30_000)),
        "<>".into(),
        "rubbish".into(),
        "<sip:?Replaces>".into(),
    ];
    for refer_to in &garbled {
        let mut refer = caller.request(Method::Refer);
        refer.push("Refer-To", refer_to.as_str());
        net.send(desk, address(PBX), &refer);
        let refusal = net.receive(desk, "400", 1);
        assert_eq!(refusal.cseq().unwrap().number, caller.number, "{refer_to}");
    }
    let mut twice = caller.request(Method::Refer);
    twice.push("Refer-To", "<sip:2110@pbx.example>");
    twice.push("Refer-To", "<sip:2111@pbx.example>");
    net.send(desk, address(PBX), &twice);
    net.receive(desk, "400 REFER", 1);
    assert!(net.said(us).is_empty(), "{:?}", net.said(us));
    // A clean one is understood, and brings nothing but its Replaces along.
    let mut clean = caller.request(Method::Refer);
    clean.push("Refer-To", format!("<sip:2110@pbx.example?Route=%3Csip:evil.example%3E&Replaces={whole}>"));
    net.send(desk, address(PBX), &clean);
    let (_, target, replaces) = net.wait(us, "Refer", 1, refer);
    assert_eq!(target, "sip:2110@pbx.example");
    assert_eq!(replaces.unwrap().to_string(), "a@b;to-tag=1;from-tag=2");
    assert_eq!(net.stations[us].agent.live_sessions(), 1);
}

/// A call of ours through the exchange: answered with `tag`, or ringing.
fn dialled(net: &mut Net, us: usize, pbx: SocketAddr, tag: &str, answered: bool) -> (SessionId, Message) {
    let at = net.stations[us].at;
    let call = Invite::new(AccountId(1), "2110", media(3000));
    let session = net.act(us, |agent, now| agent.invite(now, call)).unwrap();
    let invite = net.receive(pbx, "INVITE", 1);
    if answered {
        net.send(pbx, at, &answer(&invite, tag, pbx, "sendrecv"));
        net.wait(us, "Answered", 1, want::answered);
        net.receive(pbx, "ACK", 1);
    } else {
        net.send(pbx, at, &reply(&invite, 180, tag, pbx));
        net.wait(us, "Progress", 1, want::progress);
    }
    (session, invite)
}
