//! Tethered mode (ACC-3): the desk joins the operator's telephone to a call by third-party call control (RFC 3725
//! flow I), between three agents of ours in all weathers, and with peers played by the test that refuse, meet us or
//! fall silent.

use std::net::SocketAddr;
use std::time::Duration;

use sip::sdp::Direction;
use sip::{EndedBy, Error, Event, Identity, Invite, Media, Message, Method, SessionId};

use crate::net::{FAIR, Net, STORM, Weather, address, media, want};
use crate::script::{answer, reply, sdp, within};

const DESK: &str = "192.0.2.1:5060";
const PHONE: &str = "192.0.2.2:5060";
const CALLER: &str = "192.0.2.3:5060";

/// Where each hears.
const DESK_TO_PHONE: u16 = 3000;
const DESK_TO_CALL: u16 = 3002;
const AT_PHONE: u16 = 5000;
const AT_CALLER: u16 = 6000;

fn direct(target: &str, port: u16) -> Invite {
    Invite {
        account: None,
        target: target.into(),
        media: media(port),
        replaces: None,
        answer_after: Some(Duration::ZERO),
        anonymous: false,
        headers: Vec::new(),
        destination: None,
        from: Some(Identity { display: None, uri: "sip:100@pbx.example".into() }),
        to: None,
    }
}

/// The desk (0), the operator's telephone (1) and a caller (2), with both calls up: the desk's session with each, and
/// theirs with the desk.
struct House {
    net: Net,
    phone: SessionId,
    call: SessionId,
    at_phone: SessionId,
    at_caller: SessionId,
}

fn house(seed: u64, weather: Weather) -> House {
    let mut net = Net::new(seed, weather);
    for at in [DESK, PHONE, CALLER] {
        net.agent(at);
    }
    let phone =
        net.act(0, |agent, now| agent.invite(now, direct("sip:2110@192.0.2.2", DESK_TO_PHONE))).unwrap();
    let at_phone = net.wait(1, "Incoming", 60, want::incoming);
    net.act(1, |agent, now| agent.accept(now, at_phone, media(AT_PHONE)));
    net.wait(0, "Answered", 60, want::answered);
    net.wait(1, "Confirmed", 60, want::confirmed);
    let at_caller =
        net.act(2, |agent, now| agent.invite(now, direct("sip:100@192.0.2.1", AT_CALLER))).unwrap();
    let call = net.wait(0, "Incoming", 60, want::incoming);
    net.act(0, |agent, now| agent.accept(now, call, media(DESK_TO_CALL)));
    net.wait(2, "Answered", 60, want::answered);
    net.wait(0, "Confirmed", 60, want::confirmed);
    House { net, phone, call, at_phone, at_caller }
}

impl House {
    fn join(&mut self) {
        let (phone, call) = (self.phone, self.call);
        // In a storm the caller's answer may take longer than the telephone waits; nothing is lost by it.
        let is_joined = |event: &Event| joined(event).map(|_| true).or_else(|| failed(event).map(|_| false));
        for _ in 0..20 {
            self.net.act(0, |agent, now| agent.join(now, phone, call)).unwrap();
            if self.net.wait(0, "Joined or JoinFailed", 200, is_joined) {
                return;
            }
        }
        panic!("never joined");
    }

    /// Waits until a station's peer is to be heard at `port`, in this direction.
    fn speaks_with(&mut self, station: usize, port: u16, direction: Direction) {
        self.net.wait(station, "MediaChanged", 60, |event| {
            changed(event).filter(|m| m.remote_rtp.port() == port && m.direction == direction)
        });
    }
}

fn joined(event: &Event) -> Option<(SessionId, SessionId)> {
    if let Event::Joined { phone, call } = event { Some((*phone, *call)) } else { None }
}

fn parted(event: &Event) -> Option<(SessionId, SessionId)> {
    if let Event::Parted { phone, call, .. } = event { Some((*phone, *call)) } else { None }
}

fn failed(event: &Event) -> Option<u16> {
    if let Event::JoinFailed { code, .. } = event { Some(*code) } else { None }
}

fn changed(event: &Event) -> Option<Media> {
    if let Event::MediaChanged { media, .. } = event { Some(media.clone()) } else { None }
}

#[test]
fn acc_3_a_joined_phone_and_caller_hear_each_other_and_the_desk_again_after_it_even_in_a_storm() {
    for seed in 0..30 {
        let mut house = house(seed, if seed == 0 { FAIR } else { STORM });
        house.join();
        house.speaks_with(1, AT_CALLER, Direction::SendRecv);
        house.speaks_with(2, AT_PHONE, Direction::SendRecv);
        let phone = house.phone;
        house.net.act(0, |agent, now| agent.part(now, phone));
        house.net.wait(0, "Parted", 0, parted);
        house.speaks_with(1, DESK_TO_PHONE, Direction::SendRecv);
        house.speaks_with(2, DESK_TO_CALL, Direction::SendRecv);
        // The desk hears of it too, and can join them once more.
        house.speaks_with(0, AT_PHONE, Direction::SendRecv);
        house.speaks_with(0, AT_CALLER, Direction::SendRecv);
        house.join();
        house.speaks_with(1, AT_CALLER, Direction::SendRecv);
        let call = house.call;
        house.net.act(0, |agent, now| agent.hang_up(now, call));
        house.speaks_with(1, DESK_TO_PHONE, Direction::SendRecv);
        house.net.pass(Duration::from_secs(200));
        let live: Vec<usize> =
            house.net.stations.iter().map(|station| station.agent.live_sessions()).collect();
        assert_eq!(live, [1, 1, 0], "seed {seed}");
    }
}

#[test]
fn acc_3_a_held_caller_hears_the_desks_music_and_the_phone_is_with_the_desk() {
    let mut house = house(1, FAIR);
    house.join();
    house.speaks_with(2, AT_PHONE, Direction::SendRecv);
    let call = house.call;
    house.net.act(0, |agent, now| agent.hold(now, call));
    house.net.wait(0, "Parted", 0, parted);
    house.net.wait(0, "Held", 5, want::held);
    house.speaks_with(2, DESK_TO_CALL, Direction::RecvOnly);
    house.speaks_with(1, DESK_TO_PHONE, Direction::SendRecv);
    house.net.act(0, |agent, now| agent.retrieve(now, call));
    let phone = house.phone;
    house.net.act(0, |agent, now| agent.join(now, phone, call)).unwrap();
    house.net.wait(0, "Retrieved", 5, want::retrieved);
    house.net.wait(0, "Joined", 5, joined);
    house.speaks_with(2, AT_PHONE, Direction::SendRecv);
}

#[test]
fn acc_3_a_hold_asked_for_in_the_middle_of_joining_wins() {
    for pause_ms in 0..12 {
        let mut house = house(2, FAIR);
        let (phone, call) = (house.phone, house.call);
        house.net.act(0, |agent, now| agent.join(now, phone, call)).unwrap();
        house.net.pass(Duration::from_millis(pause_ms));
        house.net.act(0, |agent, now| agent.hold(now, call));
        house.net.wait(0, "Parted", 0, parted);
        house.net.wait(0, "Held", 5, want::held);
        house.net.pass(Duration::from_secs(5));
        let last = |house: &House, station: usize| {
            let heard = house.net.stations[station].events.iter().filter_map(changed).next_back();
            heard.map(|media| (media.remote_rtp.port(), media.direction))
        };
        assert_eq!(last(&house, 2), Some((DESK_TO_CALL, Direction::RecvOnly)), "after {pause_ms} ms");
        let phone_is = last(&house, 1).is_none_or(|(port, _)| port == DESK_TO_PHONE);
        assert!(phone_is, "after {pause_ms} ms: {:?}", last(&house, 1));
    }
}

#[test]
fn acc_3_when_the_phone_hangs_up_the_caller_comes_back_to_the_desk() {
    let mut house = house(3, FAIR);
    house.join();
    house.speaks_with(2, AT_PHONE, Direction::SendRecv);
    let at_phone = house.at_phone;
    house.net.act(1, |agent, now| agent.hang_up(now, at_phone));
    let cause = house.net.wait(0, "Ended", 5, want::ended);
    assert_eq!(cause.by, EndedBy::Remote);
    assert_eq!(house.net.wait(0, "Parted", 0, parted), (house.phone, house.call));
    house.speaks_with(2, DESK_TO_CALL, Direction::SendRecv);
}

#[test]
fn acc_3_a_caller_that_wants_a_change_is_answered_by_the_desk_and_the_phone_comes_back() {
    let mut house = house(4, FAIR);
    house.join();
    house.speaks_with(1, AT_CALLER, Direction::SendRecv);
    let at_caller = house.at_caller;
    house.net.act(2, |agent, now| agent.hold(now, at_caller));
    house.net.wait(2, "Held", 5, want::held);
    assert_eq!(house.net.wait(0, "Parted", 5, parted), (house.phone, house.call));
    assert!(house.net.wait(0, "RemoteHold", 5, want::remote_hold));
    house.speaks_with(1, DESK_TO_PHONE, Direction::SendRecv);
}

#[test]
fn acc_3_a_phone_that_died_is_noticed_by_the_second_probe_and_the_caller_comes_back() {
    let mut house = house(5, FAIR);
    house.join();
    let (phone, call) = (house.phone, house.call);
    house.net.act(0, |agent, now| agent.probe(now, phone));
    house.net.pass(Duration::from_secs(1));
    house.net.act(0, |agent, now| agent.probe(now, phone));
    house.net.pass(Duration::from_secs(1));
    assert!(!house.net.said(0).contains(&"Ended".to_owned()), "it answers each");
    house.net.stations[1].at = address("192.0.2.99:5060");
    house.net.act(0, |agent, now| agent.probe(now, phone));
    house.net.pass(Duration::from_secs(4));
    house.net.act(0, |agent, now| agent.probe(now, phone));
    let cause = house.net.wait(0, "Ended", 0, want::ended);
    assert_eq!((cause.by, cause.code), (EndedBy::Timeout, 408));
    house.net.wait(0, "Parted", 0, parted);
    house.speaks_with(2, DESK_TO_CALL, Direction::SendRecv);
    house.net.act(0, |agent, now| assert_eq!(agent.join(now, phone, call), Err(Error::NoSuchCall(phone))));
}

#[test]
fn acc_3_calls_that_are_not_up_cannot_be_joined() {
    let mut house = house(6, FAIR);
    let (phone, call) = (house.phone, house.call);
    house.net.act(0, |agent, now| assert_eq!(agent.join(now, phone, phone), Err(Error::SameCall(phone))));
    let rings = house.net.act(0, |agent, now| agent.invite(now, direct("sip:7@192.0.2.3", 3004))).unwrap();
    house.net.act(0, |agent, now| assert_eq!(agent.join(now, phone, rings), Err(Error::NotAnswered(rings))));
    house.net.act(0, |agent, now| agent.join(now, phone, call)).unwrap();
    house.net.wait(0, "Joined", 5, joined);
}

/// The desk with a telephone and a caller that the test plays, both talking: what the desk sent first to each.
fn played() -> (Net, [SocketAddr; 2], [SessionId; 2], [Message; 2]) {
    let mut net = Net::new(9, FAIR);
    net.agent(DESK);
    let peers = [net.peer(PHONE), net.peer(CALLER)];
    let both = peers.map(|peer| {
        let target = format!("sip:peer@{peer}");
        let session = net.act(0, |agent, now| agent.invite(now, direct(&target, 3000))).unwrap();
        let invite = net.receive(peer, "INVITE", 1);
        net.send(peer, address(DESK), &answer(&invite, "t", peer, "sendrecv"));
        net.receive(peer, "ACK", 1);
        net.wait(0, "Answered", 1, want::answered);
        (session, invite)
    });
    let [(phone, to_phone), (call, to_call)] = both;
    (net, peers, [phone, call], [to_phone, to_call])
}

/// The telephone's offer, at a port of its own.
fn offer(request: &Message, phone: SocketAddr) -> Message {
    assert!(request.body().is_empty(), "the offer is left to the telephone");
    let mut response = reply(request, 200, "t", phone);
    response.set_body("application/sdp", sdp(4444, "sendrecv"));
    response
}

fn text(message: &Message) -> String {
    String::from_utf8_lossy(message.body()).into_owned()
}

#[test]
fn acc_3_the_phones_offer_waits_for_the_callers_answer_in_its_ack() {
    let (mut net, [phone, caller], [session, call], _) = played();
    net.act(0, |agent, now| agent.join(now, session, call)).unwrap();
    let asked = net.receive(phone, "INVITE", 1);
    net.send(phone, address(DESK), &offer(&asked, phone));
    let carried = net.receive(caller, "INVITE", 1);
    assert!(text(&carried).contains("m=audio 4444 RTP/AVP 8 0"), "{carried}");
    // The telephone repeats its answer, and is acknowledged only when there is an answer for it.
    net.send(phone, address(DESK), &offer(&asked, phone));
    net.pass(Duration::from_millis(500));
    assert_eq!(net.count(phone, "ACK"), 0);
    net.send(caller, address(DESK), &answer(&carried, "t", caller, "sendrecv"));
    let ack = net.receive(phone, "ACK", 1);
    assert!(text(&ack).contains("m=audio 4000 RTP/AVP 8 0"), "{ack}");
    net.wait(0, "Joined", 1, joined);
    // Repeated once more, it gets the same ACK.
    net.send(phone, address(DESK), &offer(&asked, phone));
    assert_eq!(text(&net.receive(phone, "ACK", 1)), text(&ack));
}

#[test]
fn acc_3_two_ends_that_meet_try_again_and_the_phone_does_not_wait_for_it() {
    let (mut net, [phone, caller], [session, call], _) = played();
    net.act(0, |agent, now| agent.join(now, session, call)).unwrap();
    let asked = net.receive(phone, "INVITE", 1);
    net.send(phone, address(DESK), &offer(&asked, phone));
    let carried = net.receive(caller, "INVITE", 1);
    net.send(caller, address(DESK), &reply(&carried, 491, "t", caller));
    let ack = net.receive(phone, "ACK", 1);
    assert!(text(&ack).contains("m=audio 3000 "), "the desk answers itself: {ack}");
    let asked = net.receive(phone, "INVITE", 5);
    net.send(phone, address(DESK), &offer(&asked, phone));
    let carried = net.receive(caller, "INVITE", 1);
    net.send(caller, address(DESK), &answer(&carried, "t", caller, "sendrecv"));
    net.wait(0, "Joined", 1, joined);
    assert_eq!(net.said(0), ["MediaChanged"], "of the telephone, whose port is another now");
}

#[test]
fn acc_3_whoever_refuses_leaves_both_with_the_desk() {
    for (refuses, code) in [("phone", 488_u16), ("phone", 415), ("caller", 488), ("caller", 500)] {
        let (mut net, [phone, caller], [session, call], _) = played();
        net.act(0, |agent, now| agent.join(now, session, call)).unwrap();
        let asked = net.receive(phone, "INVITE", 1);
        if refuses == "phone" {
            net.send(phone, address(DESK), &reply(&asked, code, "t", phone));
            assert_eq!(net.wait(0, "JoinFailed", 1, failed), code);
            net.pass(Duration::from_secs(10));
            assert_eq!(net.count(caller, "INVITE"), 0, "the caller noticed nothing");
            continue;
        }
        net.send(phone, address(DESK), &offer(&asked, phone));
        let carried = net.receive(caller, "INVITE", 1);
        net.send(caller, address(DESK), &reply(&carried, code, "t", caller));
        assert_eq!(net.wait(0, "JoinFailed", 1, failed), code);
        assert!(text(&net.receive(phone, "ACK", 1)).contains("m=audio 3000 "));
        assert!(!net.said(0).contains(&"HoldFailed".to_owned()), "nobody asked for a hold");
        // The call is as it was: it can be held.
        net.act(0, |agent, now| agent.hold(now, call));
        let hold = net.receive(caller, "INVITE", 1);
        assert!(text(&hold).contains("a=sendonly") && text(&hold).contains("m=audio 3000 "), "{hold}");
    }
}

#[test]
fn acc_3_a_caller_that_answers_too_late_is_taken_back() {
    let (mut net, [phone, caller], [session, call], _) = played();
    net.act(0, |agent, now| agent.join(now, session, call)).unwrap();
    let asked = net.receive(phone, "INVITE", 1);
    net.send(phone, address(DESK), &offer(&asked, phone));
    let carried = net.receive(caller, "INVITE", 1);
    net.send(caller, address(DESK), &reply(&carried, 100, "t", caller));
    assert_eq!(net.wait(0, "JoinFailed", 5, failed), 408);
    assert!(text(&net.receive(phone, "ACK", 1)).contains("m=audio 3000 "));
    net.clear(caller);
    net.send(caller, address(DESK), &answer(&carried, "t", caller, "sendrecv"));
    let own = net.receive(caller, "INVITE", 1);
    assert!(text(&own).contains("m=audio 3000 ") && text(&own).contains("a=sendrecv"), "{own}");
}

#[test]
fn acc_3_a_phone_that_is_hung_up_while_its_offer_waits_gets_its_ack_first() {
    let (mut net, [phone, caller], [session, call], _) = played();
    net.act(0, |agent, now| agent.join(now, session, call)).unwrap();
    let asked = net.receive(phone, "INVITE", 1);
    net.send(phone, address(DESK), &offer(&asked, phone));
    let carried = net.receive(caller, "INVITE", 1);
    net.act(0, |agent, now| agent.hang_up(now, session));
    assert!(text(&net.receive(phone, "ACK", 1)).contains("m=audio 3000 "));
    net.receive(phone, "BYE", 1);
    net.wait(0, "Parted", 0, parted);
    net.send(caller, address(DESK), &answer(&carried, "t", caller, "sendrecv"));
    assert!(text(&net.receive(caller, "INVITE", 1)).contains("m=audio 3000 "), "the caller is taken back");
}

#[test]
fn acc_3_who_refuses_to_come_back_is_told_of() {
    let (mut net, [phone, caller], [session, call], [_, to_call]) = played();
    net.act(0, |agent, now| agent.join(now, session, call)).unwrap();
    let asked = net.receive(phone, "INVITE", 1);
    net.send(phone, address(DESK), &offer(&asked, phone));
    let carried = net.receive(caller, "INVITE", 1);
    net.send(caller, address(DESK), &answer(&carried, "t", caller, "sendrecv"));
    net.receive(phone, "ACK", 1);
    net.wait(0, "Joined", 1, joined);
    net.send(caller, address(DESK), &within(&to_call, "t", caller, Method::Bye, 1));
    net.receive(caller, "200 BYE", 1);
    let back = net.receive(phone, "INVITE", 1);
    net.send(phone, address(DESK), &reply(&back, 488, "t", phone));
    let stranded = |event: &Event| match event {
        Event::Stranded { session, code, .. } => Some((*session, *code)),
        _ => None,
    };
    assert_eq!(net.wait(0, "Stranded", 1, stranded), (session, 488));
}
