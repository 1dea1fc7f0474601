//! The machine gets another address while it is registered and calls are up.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use sip::{AccountId, Event, Invite, Media, Message, Method, Nat, SessionId};

use crate::net::{FAIR, Net, account, address, media, want};
use crate::script::{Caller, answer, reply};

const OLD: &str = "192.0.2.1:5060";
const NEW: &str = "203.0.113.40:5060";
const PBX: &str = "198.51.100.9:5060";

fn desk() -> (Net, usize, SocketAddr) {
    let mut net = Net::new(3, FAIR);
    let pbx = net.peer(PBX);
    let us = net.agent(OLD);
    let account = sip::Account { register: true, ..account(pbx) };
    net.act(us, |agent, now| agent.add_account(now, account));
    let register = net.receive(pbx, "REGISTER", 1);
    net.send(pbx, address(OLD), &granted(&register));
    net.pass(Duration::from_secs(1));
    net.stations[us].events.clear();
    (net, us, pbx)
}

fn granted(register: &Message) -> Message {
    let mut ok = Message::response(register, 200);
    ok.push("Contact", format!("{};expires=600", register.headers("Contact").next().unwrap()));
    ok
}

fn moved(net: &mut Net, us: usize) {
    net.stations[us].at = address(NEW);
    net.act(us, |agent, now| agent.moved(now, address(NEW), None));
}

fn call(net: &mut Net, us: usize, pbx: SocketAddr) -> SessionId {
    let invite = Invite::new(AccountId(1), "2110", media(3000));
    let session = net.act(us, |agent, now| agent.invite(now, invite)).unwrap();
    let invite = net.receive(pbx, "INVITE", 1);
    net.send(pbx, net.stations[us].at, &answer(&invite, "t", pbx, "sendrecv"));
    net.wait(us, "Answered", 1, want::answered);
    net.receive(pbx, "ACK", 1);
    session
}

/// What a re-INVITE says of where we are: Contact, `c=`, port and direction.
fn place(invite: &Message) -> (String, bool, &'static str) {
    let body = String::from_utf8_lossy(invite.body()).into_owned();
    let hears = body.contains("c=IN IP4 203.0.113.40") && body.contains("m=audio 3000");
    let direction = ["sendonly", "inactive", "recvonly"].into_iter().find(|word| body.contains(word));
    (invite.contact().unwrap().uri.host, hears, direction.unwrap_or("sendrecv"))
}

fn changed(event: &Event) -> Option<Media> {
    if let Event::MediaChanged { media, .. } = event { Some(media.clone()) } else { None }
}

#[test]
fn acc_5_a_moved_machine_registers_and_its_calls_say_where_they_hear_now() {
    let (mut net, us, pbx) = desk();
    call(&mut net, us, pbx);
    moved(&mut net, us);
    let register = net.receive(pbx, "REGISTER", 1);
    assert_eq!(register.contact().unwrap().uri.host, "203.0.113.40");
    assert_eq!(register.via().unwrap().host, "203.0.113.40");
    let invite = net.receive(pbx, "INVITE", 1);
    assert_eq!(place(&invite), ("203.0.113.40".into(), true, "sendrecv"));
    // The peer sends from another port from now on, as it may.
    let mut ok = answer(&invite, "t", pbx, "sendrecv");
    let body = String::from_utf8_lossy(ok.body()).replace("m=audio 4000", "m=audio 4200");
    ok.set_body("application/sdp", body.into_bytes());
    net.send(pbx, address(NEW), &ok);
    assert_eq!(net.wait(us, "MediaChanged", 1, changed).remote_rtp.port(), 4200);
    net.receive(pbx, "ACK", 1);
    assert!(!net.said(us).iter().any(|said| ["Retrieved", "Held", "Ended"].contains(&said.as_str())));
}

#[test]
fn acc_5_a_call_on_hold_stays_on_hold_where_it_moves() {
    let (mut net, us, pbx) = desk();
    let session = call(&mut net, us, pbx);
    net.act(us, |agent, now| agent.hold(now, session));
    let hold = net.receive(pbx, "INVITE", 1);
    net.send(pbx, address(OLD), &answer(&hold, "t", pbx, "recvonly"));
    net.wait(us, "Held", 1, want::held);
    moved(&mut net, us);
    let invite = net.receive(pbx, "INVITE", 1);
    assert_eq!(place(&invite), ("203.0.113.40".into(), true, "sendonly"));
    // A refusal changes nothing: the call is as it was, and can be taken back.
    net.send(pbx, address(NEW), &reply(&invite, 488, "t", pbx));
    net.pass(Duration::from_secs(40));
    assert!(!net.said(us).iter().any(|said| ["HoldFailed", "Retrieved", "Ended"].contains(&said.as_str())));
    net.act(us, |agent, now| agent.retrieve(now, session));
    let retrieve = net.receive(pbx, "INVITE", 1);
    assert_eq!(place(&retrieve).2, "sendrecv");
    net.send(pbx, address(NEW), &answer(&retrieve, "t", pbx, "sendrecv"));
    net.wait(us, "Retrieved", 1, want::retrieved);
}

#[test]
fn acc_5_a_hold_that_is_on_its_way_is_not_lost_by_a_move() {
    let (mut net, us, pbx) = desk();
    let session = call(&mut net, us, pbx);
    net.act(us, |agent, now| agent.hold(now, session));
    let hold = net.receive(pbx, "INVITE", 1);
    moved(&mut net, us);
    moved(&mut net, us);
    net.send(pbx, address(NEW), &answer(&hold, "t", pbx, "recvonly"));
    net.wait(us, "Held", 1, want::held);
    let invite = net.receive(pbx, "INVITE", 1);
    assert_eq!(place(&invite), ("203.0.113.40".into(), true, "sendonly"));
    net.send(pbx, address(NEW), &answer(&invite, "t", pbx, "recvonly"));
    net.pass(Duration::from_secs(40));
    assert_eq!(net.count(pbx, "INVITE"), 0, "once is enough");
}

#[test]
fn acc_5_a_call_that_rings_when_the_machine_moves_is_answered_by_the_new_address() {
    let (mut net, us, pbx) = desk();
    let mut caller = Caller::new(pbx, address(OLD), "c");
    let invite = caller.invite();
    net.send(pbx, address(OLD), &invite);
    let session = net.wait(us, "Incoming", 1, want::incoming);
    moved(&mut net, us);
    let mut local = media(3000);
    local.rtp.set_ip("203.0.113.40".parse::<IpAddr>().unwrap());
    net.act(us, |agent, now| agent.accept(now, session, local));
    let ok = net.receive(pbx, "200 INVITE", 1);
    assert_eq!(ok.contact().unwrap().uri.host, "203.0.113.40");
    let ack = caller.ack(&ok);
    net.send(pbx, address(NEW), &ack);
    net.wait(us, "Confirmed", 1, want::confirmed);
    // It is told once more: the peer may have kept the Contact of a 180.
    let invite = net.receive(pbx, "INVITE", 1);
    assert_eq!(place(&invite).0, "203.0.113.40");
    net.send(pbx, address(NEW), &reply(&invite, 481, "t", pbx));
    net.wait(us, "Ended", 1, want::ended);
    assert_eq!(invite.method(), Some(&Method::Invite));
}

#[test]
fn acc_5_a_call_that_is_reached_elsewhere_says_so_with_the_port_of_rtcp() {
    let (mut net, us, pbx) = desk();
    let session = call(&mut net, us, pbx);
    let (rtp, rtcp) = (address("203.0.113.40:3000"), address("203.0.113.40:1025"));
    net.act(us, |agent, now| agent.heard_at(now, session, rtp, Some(rtcp)));
    let invite = net.receive(pbx, "INVITE", 1);
    let body = String::from_utf8_lossy(invite.body()).into_owned();
    assert!(body.contains("c=IN IP4 203.0.113.40\r\n") && body.contains("m=audio 3000 "), "{body}");
    assert!(body.contains("a=rtcp:1025 IN IP4 203.0.113.40\r\n"), "{body}");
}

#[test]
fn acc_5_behind_a_router_the_exchange_is_told_the_address_that_it_sees() {
    for (nat, seen) in
        [(Nat::None, false), (Nat::Registrar, true), (Nat::Stun("stun.example".parse().unwrap()), true)]
    {
        let mut net = Net::new(3, FAIR);
        let pbx = net.peer(PBX);
        let us = net.agent(OLD);
        let account = sip::Account { register: true, nat, ..account(pbx) };
        net.act(us, |agent, now| agent.add_account(now, account));
        let register = net.receive(pbx, "REGISTER", 1);
        let mut ok = granted(&register);
        let via =
            register.headers("Via").next().unwrap().replace(";rport", ";received=203.0.113.1;rport=40001");
        ok.set("Via", via);
        net.send(pbx, address(OLD), &ok);
        net.pass(Duration::from_millis(400));
        assert_eq!(net.count(pbx, "REGISTER"), usize::from(seen));
        if seen {
            let contact = net.receive(pbx, "REGISTER", 1).contact().unwrap().uri;
            assert_eq!((contact.host.as_str(), contact.port), ("203.0.113.1", Some(40001)));
        }
    }
}
