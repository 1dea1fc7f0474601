//! What strangers, broken peers and floods get for an answer, and that calls do not notice.

use std::net::SocketAddr;
use std::time::Duration;

use sip::{Config, Message, Method};

use crate::net::{FAIR, Net, account, address, media, want};
use crate::script::{Caller, sdp};
use crate::steps::{PBX, US, desk, taken};

#[test]
fn every_wrong_request_gets_the_answer_its_rfc_names() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    type Case = (Method, fn(&mut Message), u16, Option<(&'static str, &'static str)>);
    let cases: [Case; 21] = [
        (Method::Other("DANCE".into()), |_| {}, 405, Some(("Allow", "INVITE"))),
        (Method::Message, |_| {}, 405, Some(("Allow", "INVITE"))),
        (Method::Register, |_| {}, 405, None),
        (Method::Info, |_| {}, 481, None),
        (Method::Publish, |_| {}, 405, None),
        (Method::Invite, |m| m.set_request_uri("sips:100@pbx.example"), 416, None),
        (Method::Invite, |m| m.set_request_uri("http://pbx.example/"), 416, None),
        (Method::Options, |m| m.set_request_uri("urn:service:sos"), 416, None),
        (Method::Invite, |m| m.push("Require", "precondition"), 420, Some(("Unsupported", "precondition"))),
        (Method::Invite, |m| m.push("Require", "path, x"), 420, Some(("Unsupported", "path, x"))),
        (
            Method::Invite,
            |m| m.set_body("text/plain", b"hi".to_vec()),
            415,
            Some(("Accept", "application/sdp")),
        ),
        (
            Method::Invite,
            |m| {
                m.set_body("application/sdp", sdp(4000, "sendrecv"));
                m.push("Content-Encoding", "gzip");
            },
            415,
            Some(("Accept-Encoding", "identity")),
        ),
        (
            Method::Invite,
            |m| {
                let video = b"v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=-\r\nc=IN IP4 1.2.3.4\r\nt=0 0\r\nm=video 9 RTP/AVP 99\r\n";
                m.set_body("application/sdp", video.to_vec());
            },
            488,
            Some(("Warning", "30")),
        ),
        (Method::Invite, |m| m.set_body("application/sdp", b"rubbish".to_vec()), 400, None),
        (
            Method::Invite,
            |m| m.push("Accept", "text/x, audio/*;q=0.5"),
            406,
            Some(("Accept", "application/sdp")),
        ),
        (Method::Bye, |m| m.set("To", "<sip:100@pbx.example>;tag=nobody"), 481, None),
        (Method::Invite, |m| m.set("To", "<sip:100@pbx.example>;tag=nobody"), 481, None),
        (Method::Cancel, |_| {}, 481, None),
        (Method::Subscribe, |m| m.push("Event", "presence"), 489, None),
        (Method::Notify, |m| m.push("Event", "weather"), 489, Some(("Allow-Events", "dialog"))),
        (Method::Notify, |m| m.push("Event", "dialog"), 481, None),
    ];
    for (n, (method, spoil, code, header)) in cases.into_iter().enumerate() {
        let mut request = Caller::new(pbx, at, &format!("case{n}")).request(method);
        spoil(&mut request);
        net.send(pbx, at, &request);
        net.pass(Duration::from_millis(10));
        let refusal = net.receive(pbx, &code.to_string(), 0);
        assert_eq!(refusal.call_id(), request.call_id(), "case {n}: {request}");
        assert!(refusal.to().unwrap().tag().is_some(), "a final answer has a To tag");
        if let Some((name, start)) = header {
            let value = refusal.header(name).unwrap_or_else(|| panic!("case {n}: no {name}"));
            assert!(value.starts_with(start), "case {n}: {name}: {value}");
        }
        net.clear(pbx);
    }
    net.pass(Duration::from_secs(60));
    assert!(net.said(us).is_empty());
    assert_eq!(net.stations[us].agent.transactions(), 0);
}

/// Max-Forwards is for those who forward (RFC 3261 16.3); who is meant takes what has used its last hop (RFC 4475 zeromf).
#[test]
fn what_has_used_its_last_hop_to_us_is_taken() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (session, mut caller, _) = taken(&mut net, us, pbx, &[]);
    let mut bye = caller.request(Method::Bye);
    bye.set("Max-Forwards", "0");
    net.send(pbx, at, &bye);
    net.receive(pbx, "200 BYE", 1);
    net.wait(us, "Ended", 1, want::ended);
    let mut invite = Caller::new(pbx, at, "last-hop").invite();
    invite.set("Max-Forwards", "0");
    net.send(pbx, at, &invite);
    assert_ne!(net.wait(us, "Incoming", 1, want::incoming), session);
}

#[test]
fn options_tells_what_we_can() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let options = Caller::new(pbx, at, "options").request(Method::Options);
    net.send(pbx, at, &options);
    let ok = net.receive(pbx, "200 OPTIONS", 1);
    let allow: Vec<&str> = ok.headers("Allow").collect();
    assert!(
        ["INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "UPDATE", "NOTIFY"].iter().all(|m| allow.contains(m))
    );
    assert_eq!(ok.header("Accept"), Some("application/sdp"));
    let supported = ok.header("Supported").unwrap();
    assert_eq!(supported, "replaces, 100rel, timer, from-change", "what is not offered is not claimed");
}

#[test]
fn a_request_that_came_by_two_ways_is_taken_once() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let mut caller = Caller::new(pbx, at, "merged");
    let first = caller.invite();
    let mut second = caller.numbered(Method::Invite, 1);
    second.set_body("application/sdp", first.body().to_vec());
    net.send(pbx, at, &first);
    net.send(pbx, at, &second);
    net.receive(pbx, "482", 1);
    net.wait(us, "Incoming", 0, want::incoming);
    assert!(net.said(us).is_empty());
}

#[test]
fn unreadable_messages_get_400_where_they_can_be_answered_and_nothing_where_not() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let text = String::from_utf8(Caller::new(pbx, at, "broken").invite().write()).unwrap();
    net.send_bytes(pbx, at, text.replace("CSeq: 1 INVITE", "CSeq: 1 BYE").into_bytes());
    let refusal = net.receive(pbx, "400", 1);
    assert_ne!(refusal.reason(), "Bad Request", "the phrase says what is wrong: {}", refusal.reason());
    let via = refusal.via().unwrap();
    assert_eq!((via.received.as_deref(), via.rport), (Some("198.51.100.9"), Some(Some(5060))), "RFC 3581");
    for silent in [&b""[..], b"\r\n\r\n", b"\0", b"hello", b"INVITE sip:x SIP/2.0\r\n\r\n", &[0xff; 1400]] {
        net.send_bytes(pbx, at, silent.to_vec());
    }
    net.pass(Duration::from_secs(1));
    assert!(net.said(us).is_empty());
    for code in ["400", "481", "500"] {
        assert_eq!(net.count(pbx, code), 0);
    }
}

#[test]
fn responses_go_back_the_way_rport_or_via_says() {
    let (mut net, us, _) = desk();
    let at = net.stations[us].at;
    let (nat, plain) = (net.peer("203.0.113.7:40001"), net.peer("203.0.113.7:5099"));
    let mut options = Caller::new(nat, at, "rport").request(Method::Options);
    options.set("Via", "SIP/2.0/UDP 10.0.0.5:5060;rport;branch=z9hG4bK-rport");
    net.send(nat, at, &options);
    let via = net.receive(nat, "200", 1).via().unwrap();
    assert_eq!((via.received.as_deref(), via.rport), (Some("203.0.113.7"), Some(Some(40001))));
    let mut options = Caller::new(nat, at, "via").request(Method::Options);
    options.set("Via", "SIP/2.0/UDP 10.0.0.5:5099;branch=z9hG4bK-via");
    net.send(nat, at, &options);
    assert_eq!(net.receive(plain, "200", 1).via().unwrap().received.as_deref(), Some("203.0.113.7"));
}

#[test]
fn a_refused_invite_is_repeated_until_its_ack() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let mut caller = Caller::new(pbx, at, "refused");
    let invite = caller.invite();
    net.send(pbx, at, &invite);
    let session = net.wait(us, "Incoming", 1, want::incoming);
    net.act(us, |agent, now| agent.reject(now, session, 486));
    net.pass(Duration::from_secs(5));
    assert_eq!(net.count(pbx, "486"), 4, "timer G: at 0, 0.5, 1.5, 3.5 seconds");
    let mut ack = caller.numbered(Method::Ack, 1);
    ack.set("Via", invite.header("Via").unwrap());
    net.send(pbx, at, &ack);
    net.clear(pbx);
    net.pass(Duration::from_secs(60));
    assert_eq!(net.count(pbx, "486"), 0);
    assert_eq!(net.stations[us].agent.transactions(), 0);
}

#[test]
fn one_call_too_many_is_busy() {
    let mut net = Net::new(3, FAIR);
    let pbx = net.peer(PBX);
    let us = net.agent_with(Config { max_sessions: 2, ..Config::new(address(US)) });
    net.act(us, |agent, now| agent.add_account(now, account(pbx)));
    let at = net.stations[us].at;
    for n in 0..3 {
        let invite = Caller::new(pbx, at, &format!("call{n}")).invite();
        net.send(pbx, at, &invite);
    }
    net.receive(pbx, "486", 1);
    let first = net.wait(us, "Incoming", 0, want::incoming);
    net.wait(us, "Incoming", 0, want::incoming);
    let call = sip::Invite::new(sip::AccountId(1), "2110", media(3000));
    assert!(net.act(us, |agent, now| agent.invite(now, call)).is_err());
    net.act(us, |agent, now| agent.reject(now, first, 486));
    net.wait(us, "Ended", 0, want::ended);
    let invite = Caller::new(pbx, at, "call4").invite();
    net.send(pbx, at, &invite);
    net.wait(us, "Incoming", 1, want::incoming);
}

#[test]
fn too_many_transactions_are_answered_503_and_memory_stays_level() {
    let mut net = Net::new(3, FAIR);
    let pbx = net.peer(PBX);
    let us = net.agent_with(Config { max_transactions: 50, ..Config::new(address(US)) });
    net.act(us, |agent, now| agent.add_account(now, account(pbx)));
    let at = net.stations[us].at;
    for n in 0..200 {
        let options = Caller::new(pbx, at, &format!("o{n}")).request(Method::Options);
        net.send(pbx, at, &options);
    }
    net.pass(Duration::from_millis(10));
    assert_eq!((net.count(pbx, "200"), net.count(pbx, "503")), (50, 150));
    assert_eq!(net.stations[us].agent.transactions(), 50);
    assert!(net.receive(pbx, "503", 0).header("Retry-After").is_some());
}

#[test]
fn a_few_huge_requests_take_no_more_room_than_many_usual_ones() {
    let mut net = Net::new(3, FAIR);
    let pbx = net.peer(PBX);
    let us = net.agent_with(Config { max_transactions: 50, ..Config::new(address(US)) });
    net.act(us, |agent, now| agent.add_account(now, account(pbx)));
    let at = net.stations[us].at;
    for n in 0..20 {
        let mut options = Caller::new(pbx, at, &format!("huge{n}")).request(Method::Options);
        options.push("Subject", "x".repeat(60_000));
        net.send(pbx, at, &options);
    }
    net.pass(Duration::from_millis(10));
    // Fifty of 4 KiB are 200 KiB: three of these.
    assert_eq!((net.count(pbx, "200"), net.count(pbx, "503")), (3, 17));
    net.pass(Duration::from_secs(60));
    net.clear(pbx);
    net.send(pbx, at, &Caller::new(pbx, at, "after").request(Method::Options));
    net.receive(pbx, "200", 1);
    net.pass(Duration::from_secs(60));
    assert_eq!(net.stations[us].agent.transactions(), 0);
}

#[test]
fn a_flood_from_a_stranger_is_dropped_and_our_exchange_is_not_disturbed() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let stranger = net.peer("203.0.113.66:5060");
    for n in 0..2000 {
        let scan = Caller::new(stranger, at, &format!("scan{n}")).request(Method::Options);
        net.send(stranger, at, &scan);
    }
    net.send_bytes(stranger, at, b"INVITE rubbish".to_vec());
    for n in 0..100 {
        let options = Caller::new(pbx, at, &format!("ours{n}")).request(Method::Options);
        net.send(pbx, at, &options);
    }
    net.pass(Duration::from_millis(10));
    assert_eq!(net.count(stranger, "200"), 60, "the burst, and then silence");
    assert_eq!(net.count(pbx, "200"), 100);
    assert!(net.stations[us].agent.transactions() <= 160);
}

/// Reading a message whole, and writing it into the record of messages, is what a flood costs.
#[test]
fn a_flood_is_turned_away_before_it_is_read_and_nothing_else_is() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    // At the same address somebody is in a call.
    let friend = net.peer("203.0.113.66:5070");
    let (_, mut talking, _) = taken(&mut net, us, friend, &[]);
    let stranger = net.peer("203.0.113.66:5060");
    let read = |net: &mut Net, from: SocketAddr, message: &Message| {
        let bytes = message.write();
        net.act(us, |agent, now| {
            let is_read = !agent.turns_away(now, from, &bytes);
            if is_read {
                agent.handle_datagram(now, from, &bytes);
            }
            is_read
        })
    };
    let mut flood = (0..).map(|n| Caller::new(stranger, at, &format!("flood{n}")).invite());
    let first = flood.next().unwrap();
    assert!(read(&mut net, stranger, &first));
    let looked_at = flood.by_ref().take(10_000).filter(|invite| read(&mut net, stranger, invite)).count();
    assert!((57..=59).contains(&looked_at), "{looked_at}, of the sixty that may come at once");

    // Copies, and what belongs to something that is there.
    let cancel = Caller::new(stranger, at, "flood0").cancel(&first);
    let update = talking.request(Method::Update);
    for (from, known) in [(stranger, &first), (stranger, &cancel), (friend, &update)] {
        assert!(read(&mut net, from, known), "{known}");
    }
    net.receive(stranger, "200 CANCEL", 1);
    net.receive(friend, "200 UPDATE", 1);
    // And our exchange, which is no stranger.
    let ours = (0..200).map(|n| Caller::new(pbx, at, &format!("ours{n}")).request(Method::Options));
    assert_eq!(ours.filter(|options| read(&mut net, pbx, options)).count(), 200);

    net.pass(Duration::from_secs(1));
    let looked_at = flood.take(1_000).filter(|invite| read(&mut net, stranger, invite)).count();
    assert!((19..=22).contains(&looked_at), "{looked_at}, of the twenty a second");
}

#[test]
fn a_stranger_in_a_call_is_not_counted_as_a_flood() {
    let (mut net, us, _) = desk();
    let at = net.stations[us].at;
    let friend = net.peer("203.0.113.50:5060");
    let (_, mut caller, _) = taken(&mut net, us, friend, &[]);
    for _ in 0..200 {
        let update = caller.request(Method::Update);
        net.send(friend, at, &update);
        net.receive(friend, "200 UPDATE", 1);
    }
}

#[test]
fn a_forged_bye_without_the_right_tags_ends_nothing() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (_, caller, _) = taken(&mut net, us, pbx, &[]);
    let stranger = net.peer("203.0.113.66:5060");
    for (tag, to_tag) in [("wrong", caller.to_tag.clone()), (caller.tag.as_str(), Some("wrong".into()))] {
        let mut forged = Caller::new(stranger, at, &caller.call_id);
        (forged.tag, forged.to_tag, forged.number) = (tag.to_owned(), to_tag, 50);
        let bye = forged.request(Method::Bye);
        net.send(stranger, at, &bye);
        net.receive(stranger, "481", 1);
    }
    assert_eq!(net.stations[us].agent.live_sessions(), 1);
}

#[test]
fn a_peer_of_rfc_2543_can_call_and_cancel() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let mut caller = Caller::new(pbx, at, "old");
    let mut invite = caller.invite();
    invite.set("Via", format!("SIP/2.0/UDP {pbx}"));
    net.send(pbx, at, &invite);
    net.send(pbx, at, &invite);
    net.wait(us, "Incoming", 1, want::incoming);
    let cancel = caller.cancel(&invite);
    net.send(pbx, at, &cancel);
    net.receive(pbx, "200 CANCEL", 1);
    let refused = net.receive(pbx, "487", 1);
    net.wait(us, "Ended", 1, want::ended);
    let mut ack = caller.numbered(Method::Ack, 1);
    ack.set("Via", invite.header("Via").unwrap());
    ack.set("To", refused.to().unwrap().to_string());
    net.send(pbx, at, &ack);
    net.pass(Duration::from_millis(10));
    net.clear(pbx);
    net.pass(Duration::from_secs(3));
    assert_eq!(net.count(pbx, "487"), 0, "the ACK was understood");
}

#[test]
fn twenty_thousand_broken_messages_disturb_no_call_and_open_no_floodgate() {
    let mut net = Net::new(11, FAIR);
    let pbx = net.peer(PBX);
    let us = net.agent_with(Config { server: true, max_sessions: 20, ..Config::new(address(US)) });
    net.act(us, |agent, now| agent.add_account(now, account(pbx)));
    let at = net.stations[us].at;
    let mut caller = Caller::new(pbx, at, "steady");
    let invite = caller.invite();
    net.send(pbx, at, &invite);
    let session = net.wait(us, "Incoming", 1, want::incoming);
    net.act(us, |agent, now| agent.accept(now, session, media(3000)));
    let ok = net.receive(pbx, "200", 1);
    let ack = caller.ack(&ok);
    net.send(pbx, at, &ack);
    net.wait(us, "Confirmed", 1, want::confirmed);
    let methods =
        ["INVITE", "ACK", "BYE", "CANCEL", "REFER", "NOTIFY", "SUBSCRIBE", "UPDATE", "REGISTER", "X"];
    for round in 0..20_000 {
        let method = Method::from_token(methods[net.random_ms(10) as usize]);
        let mut odd = Caller::new(pbx, at, &format!("odd{}", net.random_ms(50)));
        if net.random_ms(3) == 0 {
            odd.to_tag = Some("steady".into());
        }
        odd.number = round;
        let mut request = odd.request(method);
        request.push("Event", ["dialog", "refer", "", "message-summary"][net.random_ms(4) as usize]);
        request.set_body("application/sdp", sdp(net.random_ms(70000) as u16, "sendrecv"));
        let mut bytes =
            if net.random_ms(4) == 0 { Message::response(&request, 200).write() } else { request.write() };
        for _ in 0..net.random_ms(6) {
            let (place, value) = (net.random_ms(bytes.len() as u64) as usize, net.random_ms(256) as u8);
            bytes[place] = value;
        }
        net.act(us, |agent, now| agent.handle_datagram(now, pbx, &bytes));
        if round % 50 == 0 {
            net.pass(Duration::from_millis(500));
            net.clear(pbx);
            net.stations[us].events.clear();
        }
    }
    assert!(net.stations[us].agent.live_sessions() <= 20);
    let update = caller.request(Method::Update);
    net.send(pbx, at, &update);
    net.receive(pbx, "200 UPDATE", 1);
}
