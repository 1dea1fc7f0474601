//! INVITE with Replaces (RFC 3891): what may be taken over, by whom, and what races and forgeries come to; and the
//! Diversion of a call that is sent on.

use std::net::SocketAddr;
use std::time::Duration;

use sip::{
    AccountId, Diversion, DiversionPrivacy, DiversionReason, EndedBy, Error, Event, Invite, Message, Method,
    Replaces, SessionId,
};

use crate::net::{FAIR, Net, STORM, address, media, want};
use crate::script::{Caller, answer, reply};

const US: &str = "192.0.2.1:5060";
const PBX: &str = "198.51.100.9:5060";
const STRANGER: &str = "203.0.113.7:5060";

/// A telephone and the exchange it belongs to, played by the test.
fn desk() -> (Net, usize, SocketAddr) {
    let mut net = Net::new(3, FAIR);
    let pbx = net.peer(PBX);
    let us = net.phone(US, pbx);
    (net, us, pbx)
}

/// A call from `peer` that we answered, and its Replaces.
fn called(net: &mut Net, us: usize, peer: SocketAddr, call_id: &str) -> (SessionId, Caller, String) {
    let (session, mut caller, ok) = unacknowledged(net, us, peer, call_id);
    let ack = caller.ack(&ok);
    net.send(peer, address(US), &ack);
    net.wait(us, "Confirmed", 1, want::confirmed);
    let own = caller.to_tag.clone().unwrap();
    let replaces = format!("{call_id};to-tag={own};from-tag={}", caller.tag);
    (session, caller, replaces)
}

/// A call from `peer` that we answered and nobody acknowledged yet.
fn unacknowledged(net: &mut Net, us: usize, peer: SocketAddr, call_id: &str) -> (SessionId, Caller, Message) {
    let mut caller = Caller::new(peer, address(US), call_id);
    let invite = caller.invite();
    net.send(peer, address(US), &invite);
    let session = net.wait(us, "Incoming", 1, want::incoming);
    net.act(us, |agent, now| agent.accept(now, session, media(3000)));
    let ok = net.receive(peer, "200 INVITE", 1);
    (session, caller, ok)
}

/// A call of ours that rings at the exchange with tag `t`, and its Replaces as we see it.
fn ringing_there(net: &mut Net, us: usize, pbx: SocketAddr) -> (SessionId, Message, String) {
    let call = Invite::new(AccountId(1), "2110", media(3000));
    let session = net.act(us, |agent, now| agent.invite(now, call)).unwrap();
    let invite = net.receive(pbx, "INVITE", 1);
    net.send(pbx, address(US), &reply(&invite, 180, "t", pbx));
    net.wait(us, "Progress", 1, want::progress);
    let own = invite.from().unwrap().tag().unwrap().to_owned();
    let replaces = format!("{};to-tag={own};from-tag=t", invite.call_id().unwrap());
    (session, invite, replaces)
}

/// An INVITE with `replaces` from `peer`.
fn pick_up(peer: SocketAddr, call_id: &str, replaces: &str) -> (Caller, Message) {
    let mut caller = Caller::new(peer, address(US), call_id);
    let mut invite = caller.invite();
    invite.push("Replaces", replaces);
    invite.push("Require", "replaces");
    (caller, invite)
}

fn taking_over(event: &Event) -> Option<(SessionId, Option<SessionId>)> {
    match event {
        Event::Incoming { session, replaces, .. } => Some((*session, *replaces)),
        _ => None,
    }
}

/// The answer to an INVITE with `replaces` that must be refused.
fn refused(net: &mut Net, peer: SocketAddr, call_id: &str, replaces: &str) -> u16 {
    let (_, invite) = pick_up(peer, call_id, replaces);
    net.send(peer, address(US), &invite);
    net.pass(Duration::from_millis(10));
    final_code(net, peer, call_id)
}

fn final_code(net: &mut Net, peer: SocketAddr, call_id: &str) -> u16 {
    for code in [200, 400, 403, 420, 481, 482, 486, 488, 603] {
        while net.count(peer, &format!("{code} INVITE")) > 0 {
            let response = net.receive(peer, &format!("{code} INVITE"), 0);
            if response.call_id() == Some(call_id) {
                return code;
            }
        }
    }
    panic!("no final answer to {call_id}");
}

#[test]
fn a_confirmed_call_is_replaced_and_ended_once_the_new_one_is_answered() {
    let (mut net, us, pbx) = desk();
    let (old, _, replaces) = called(&mut net, us, pbx, "old");
    let (mut caller, invite) = pick_up(pbx, "new", &replaces);
    net.send(pbx, address(US), &invite);
    let (new, replaced) = net.wait(us, "Incoming", 1, taking_over);
    assert_eq!(replaced, Some(old));
    net.pass(Duration::from_secs(1));
    assert_eq!(net.count(pbx, "BYE"), 0, "not before the answer");
    net.act(us, |agent, now| agent.accept(now, new, media(3002)));
    let cause = net.wait(us, "Ended", 0, want::ended);
    assert_eq!((cause.by, cause.reason.as_str()), (EndedBy::Local, "replaced"));
    let ok = net.receive(pbx, "200 INVITE", 1);
    assert_eq!(ok.header("Supported"), Some("replaces, 100rel, timer, from-change"));
    let bye = net.receive(pbx, "BYE", 1);
    assert_eq!(bye.call_id(), Some("old"));
    net.send(pbx, address(US), &reply(&bye, 200, "x", pbx));
    let ack = caller.ack(&ok);
    net.send(pbx, address(US), &ack);
    net.wait(us, "Confirmed", 1, want::confirmed);
    assert_eq!(net.stations[us].agent.live_sessions(), 1);
}

#[test]
fn a_new_call_that_is_refused_or_given_up_leaves_the_old_one_alone() {
    let (mut net, us, pbx) = desk();
    let (_, _, replaces) = called(&mut net, us, pbx, "old");
    let (_, invite) = pick_up(pbx, "first", &replaces);
    net.send(pbx, address(US), &invite);
    let first = net.wait(us, "Incoming", 1, want::incoming);
    net.act(us, |agent, now| agent.reject(now, first, 486));
    net.wait(us, "Ended", 0, want::ended);
    let (caller, invite) = pick_up(pbx, "second", &replaces);
    net.send(pbx, address(US), &invite);
    let second = net.wait(us, "Incoming", 1, want::incoming);
    net.send(pbx, address(US), &caller.cancel(&invite));
    net.wait(us, "Ended", 1, want::ended);
    net.act(us, |agent, now| agent.accept(now, second, media(3002)));
    // Nor does one whose media cannot be agreed on.
    let (_, mut invite) = pick_up(pbx, "third", &replaces);
    invite.set_body("application/sdp", b"rubbish".to_vec());
    net.send(pbx, address(US), &invite);
    net.receive(pbx, "400 INVITE", 1);
    net.pass(Duration::from_secs(1));
    assert_eq!(net.count(pbx, "BYE"), 0);
    assert_eq!(net.stations[us].agent.live_sessions(), 1);
}

#[test]
fn a_call_we_hold_can_be_replaced_even_while_its_hold_is_under_way() {
    for settled in [true, false] {
        let (mut net, us, pbx) = desk();
        let (old, _, replaces) = called(&mut net, us, pbx, "old");
        net.act(us, |agent, now| agent.hold(now, old));
        let hold = net.receive(pbx, "INVITE", 1);
        if settled {
            net.send(pbx, address(US), &answer(&hold, "x", pbx, "recvonly"));
            net.wait(us, "Held", 1, want::held);
        }
        let (mut caller, invite) = pick_up(pbx, "new", &replaces);
        net.send(pbx, address(US), &invite);
        let (new, replaced) = net.wait(us, "Incoming", 1, taking_over);
        assert_eq!(replaced, Some(old));
        net.act(us, |agent, now| agent.accept(now, new, media(3002)));
        let bye = net.receive(pbx, "BYE", 1);
        assert!(bye.cseq().unwrap().number > hold.cseq().unwrap().number);
        net.send(pbx, address(US), &reply(&bye, 200, "x", pbx));
        if !settled {
            // The answer to the hold comes too late, and is acknowledged all the same.
            net.send(pbx, address(US), &answer(&hold, "x", pbx, "recvonly"));
            assert_eq!(net.receive(pbx, "ACK", 1).call_id(), Some("old"));
        }
        let ok = net.receive(pbx, "200 INVITE", 1);
        let sdp = String::from_utf8(ok.body().to_vec()).unwrap();
        assert!(sdp.contains("a=sendrecv"), "the new call is not on hold: {sdp}");
        let ack = caller.ack(&ok);
        net.send(pbx, address(US), &ack);
        net.wait(us, "Confirmed", 1, want::confirmed);
        net.pass(Duration::from_secs(100));
        let ends = net.said(us).iter().filter(|event| *event == "Ended").count();
        assert_eq!((ends, net.stations[us].agent.live_sessions()), (1, 1), "settled: {settled}");
    }
}

#[test]
fn a_bye_that_came_first_makes_it_603_and_forgotten_makes_it_481() {
    let (mut net, us, pbx) = desk();
    let (_, mut caller, replaces) = called(&mut net, us, pbx, "old");
    let bye = caller.request(Method::Bye);
    net.send(pbx, address(US), &bye);
    assert_eq!(refused(&mut net, pbx, "late", &replaces), 603);
    net.pass(Duration::from_secs(60));
    assert_eq!(refused(&mut net, pbx, "later", &replaces), 481);
    assert_eq!(net.stations[us].agent.live_sessions(), 0);
}

#[test]
fn a_bye_between_invite_and_answer_makes_it_an_ordinary_call() {
    let (mut net, us, pbx) = desk();
    let (old, mut caller, replaces) = called(&mut net, us, pbx, "old");
    let (_, invite) = pick_up(pbx, "new", &replaces);
    net.send(pbx, address(US), &invite);
    let (new, replaced) = net.wait(us, "Incoming", 1, taking_over);
    assert_eq!(replaced, Some(old));
    let bye = caller.request(Method::Bye);
    net.send(pbx, address(US), &bye);
    assert_eq!(net.wait(us, "Ended", 1, want::ended).by, EndedBy::Remote);
    net.act(us, |agent, now| agent.accept(now, new, media(3002)));
    net.receive(pbx, "200 INVITE", 1);
    net.pass(Duration::from_millis(100));
    assert_eq!(net.count(pbx, "BYE"), 0, "nothing left to end");
    assert!(!net.said(us).contains(&"Ended".to_owned()));
}

#[test]
fn byes_that_cross_end_the_replaced_call_once_in_every_weather() {
    for seed in 0..30 {
        let (mut net, us, pbx) = desk();
        let (old, mut caller, replaces) = called(&mut net, us, pbx, "old");
        let (mut second, invite) = pick_up(pbx, "new", &replaces);
        net.send(pbx, address(US), &invite);
        let (new, _) = net.wait(us, "Incoming", 1, taking_over);
        net.weather = crate::net::Weather { loss_percent: 0, ..STORM };
        for _ in 0..seed {
            net.random_ms(2);
        }
        let bye = caller.request(Method::Bye);
        net.send(pbx, address(US), &bye);
        let pause = Duration::from_millis(net.random_ms(300));
        net.pass(pause);
        net.act(us, |agent, now| agent.accept(now, new, media(3002)));
        let ok = net.receive(pbx, "200 INVITE", 10);
        let ack = second.ack(&ok);
        net.send(pbx, address(US), &ack);
        net.receive(pbx, "200 BYE", 10);
        if net.count(pbx, "BYE") > 0 {
            let ours = net.receive(pbx, "BYE", 0);
            net.send(pbx, address(US), &reply(&ours, 481, "x", pbx));
        }
        net.pass(Duration::from_secs(100));
        let ended: Vec<SessionId> = net.stations[us]
            .events
            .iter()
            .filter_map(|event| if let Event::Ended { session, .. } = event { Some(*session) } else { None })
            .collect();
        assert_eq!(ended, [old], "seed {seed}");
    }
}

#[test]
fn a_call_whose_ack_is_still_on_the_way_is_ended_after_it() {
    let (mut net, us, pbx) = desk();
    let (old, mut caller, ok) = unacknowledged(&mut net, us, pbx, "old");
    let own = ok.to().unwrap().tag().unwrap().to_owned();
    let replaces = format!("old;to-tag={own};from-tag={}", caller.tag);
    let (_, invite) = pick_up(pbx, "new", &replaces);
    net.send(pbx, address(US), &invite);
    let (new, replaced) = net.wait(us, "Incoming", 1, taking_over);
    assert_eq!(replaced, Some(old));
    net.act(us, |agent, now| agent.accept(now, new, media(3002)));
    net.wait(us, "Ended", 0, want::ended);
    net.pass(Duration::from_millis(100));
    assert_eq!(net.count(pbx, "BYE"), 0, "no BYE before the ACK (RFC 3261 section 15)");
    let ack = caller.ack(&ok);
    net.send(pbx, address(US), &ack);
    assert_eq!(net.receive(pbx, "BYE", 1).call_id(), Some("old"));
}

#[test]
fn a_call_of_ours_that_rings_is_cancelled_and_one_that_rings_here_is_not_given_away() {
    for early_only in ["", ";early-only"] {
        let (mut net, us, pbx) = desk();
        let (old, invite, replaces) = ringing_there(&mut net, us, pbx);
        let (_, picking) = pick_up(pbx, "new", &format!("{replaces}{early_only}"));
        net.send(pbx, address(US), &picking);
        let (new, replaced) = net.wait(us, "Incoming", 1, taking_over);
        assert_eq!(replaced, Some(old));
        net.act(us, |agent, now| agent.accept(now, new, media(3002)));
        let cause = net.wait(us, "Ended", 0, want::ended);
        assert_eq!((cause.code, cause.reason.as_str()), (487, "replaced"));
        let cancel = net.receive(pbx, "CANCEL", 1);
        assert_eq!(cancel.header("Via"), invite.header("Via"));
        net.receive(pbx, "200 INVITE", 1);
    }
    let (mut net, us, pbx) = desk();
    let caller = {
        let mut caller = Caller::new(pbx, address(US), "ringing");
        let invite = caller.invite();
        net.send(pbx, address(US), &invite);
        caller
    };
    let session = net.wait(us, "Incoming", 1, want::incoming);
    net.act(us, |agent, now| agent.ring(now, session));
    let own = net.receive(pbx, "180", 1).to().unwrap().tag().unwrap().to_owned();
    let replaces = format!("ringing;to-tag={own};from-tag={}", caller.tag);
    assert_eq!(refused(&mut net, pbx, "thief", &replaces), 481);
    assert_eq!(net.stations[us].agent.live_sessions(), 1);
}

#[test]
fn early_only_spares_a_call_that_was_answered_in_the_meantime() {
    let (mut net, us, pbx) = desk();
    let (_, _, replaces) = called(&mut net, us, pbx, "old");
    assert_eq!(refused(&mut net, pbx, "new", &format!("{replaces};early-only")), 486);
    assert_eq!(net.stations[us].agent.live_sessions(), 1);
}

#[test]
fn strangers_cannot_take_a_call_though_they_know_its_names() {
    let (mut net, us, pbx) = desk();
    let stranger = net.peer(STRANGER);
    let (_, _, replaces) = called(&mut net, us, pbx, "old");
    assert_eq!(refused(&mut net, stranger, "thief", &replaces), 403);
    assert_eq!(refused(&mut net, stranger, "guess", "none;to-tag=1;from-tag=2"), 403, "and learn nothing");
    assert!(net.said(us).is_empty());
    // The peer of a call without an account may move it to another dialog of its own.
    let (theirs, _, own) = called(&mut net, us, stranger, "direct");
    assert_eq!(net.stations[us].agent.live_sessions(), 2);
    let (_, invite) = pick_up(stranger, "moved", &own);
    net.send(stranger, address(US), &invite);
    assert_eq!(net.wait(us, "Incoming", 1, taking_over).1, Some(theirs));
    assert_eq!(refused(&mut net, stranger, "again", &replaces), 403, "but no other call");
}

#[test]
fn forged_and_garbled_values_are_refused_and_no_call_notices() {
    let (mut net, us, pbx) = desk();
    let (_, caller, replaces) = called(&mut net, us, pbx, "old");
    let (own, peer) = (caller.to_tag.clone().unwrap(), caller.tag.clone());
    let swapped = format!("old;to-tag={peer};from-tag={own}");
    let cases = [
        (swapped, 481),
        (format!("old;to-tag={own};from-tag={own}"), 481),
        (format!("old;to-tag={own};from-tag=0"), 481),
        (format!("OLD;to-tag={own};from-tag={peer}"), 481),
        (format!("{replaces};to-tag={own}"), 400),
        (format!("{replaces};From-Tag={peer}"), 400),
        (format!("{replaces}, {replaces}"), 400),
        (format!("{replaces};early-only=false"), 400),
        (format!("old;to-tag=\"{own}\";from-tag={peer}"), 400),
        (format!("old%3Bto-tag%3D{own}%3Bfrom-tag%3D{peer}"), 400),
        (format!("{};to-tag={own};from-tag={peer}", "o".repeat(60_000)), 400),
        (format!("old{};from-tag={peer}", format!(";to-tag={own}").repeat(500)), 400),
        ("old".to_owned(), 400),
        (";;;===".to_owned(), 400),
        (String::new(), 400),
    ];
    for (n, (value, code)) in cases.iter().enumerate() {
        assert_eq!(refused(&mut net, pbx, &format!("forged{n}"), value), *code, "{value:.80}");
    }
    let (_, mut twice) = pick_up(pbx, "twice", &replaces);
    twice.push("Replaces", replaces.as_str());
    let (_, mut joined) = pick_up(pbx, "joined", &replaces);
    joined.push("Join", replaces.as_str());
    for (name, invite) in [("twice", twice), ("joined", joined)] {
        net.send(pbx, address(US), &invite);
        net.pass(Duration::from_millis(10));
        assert_eq!(final_code(&mut net, pbx, name), 400);
    }
    let mut options = Caller::new(pbx, address(US), "options").request(Method::Options);
    options.push("Replaces", replaces.as_str());
    net.send(pbx, address(US), &options);
    net.receive(pbx, "400 OPTIONS", 1);
    net.pass(Duration::from_secs(60));
    assert!(net.said(us).is_empty(), "{:?}", net.said(us));
    assert_eq!(net.stations[us].agent.live_sessions(), 1);
    assert_eq!(net.count(pbx, "BYE"), 0);
}

#[test]
fn a_lamp_is_picked_up_by_the_names_of_its_call_or_not_at_all() {
    let (mut net, us, pbx) = desk();
    let replaces =
        Replaces { call_id: "c@pbx".into(), to_tag: "l".into(), from_tag: "r".into(), early_only: true };
    let mut call = Invite::new(AccountId(1), "2110", media(3000));
    call.replaces = Some(replaces.clone());
    net.act(us, |agent, now| agent.invite(now, call.clone())).unwrap();
    let invite = net.receive(pbx, "INVITE", 1);
    assert_eq!(invite.header("Replaces"), Some("c@pbx;to-tag=l;from-tag=r;early-only"));
    assert_eq!(
        (invite.header("Require"), invite.header("Supported")),
        (Some("replaces"), Some("replaces, 100rel, timer, from-change"))
    );
    for call_id in ["", "a;early-only", "a b", "a\r\nVia: x", "a,b"] {
        call.replaces = Some(Replaces { call_id: call_id.into(), ..replaces.clone() });
        let result = net.act(us, |agent, now| agent.invite(now, call.clone()));
        assert_eq!(result, Err(Error::BadReplaces), "{call_id:?}");
    }
    assert_eq!(net.stations[us].agent.live_sessions(), 1);
}

/// A ringing call with Diversion lines, sent on to `target` as line 4000, and what its caller is told then. One that cannot
/// be sent on still rings, and is refused as busy.
fn send_on(lines: &[&str], target: &str, privacy: Option<DiversionPrivacy>) -> (Result<(), Error>, Message) {
    let (mut net, us, pbx) = desk();
    let mut invite = Caller::new(pbx, address(US), "divert").invite();
    lines.iter().for_each(|line| invite.push("Diversion", *line));
    net.send(pbx, address(US), &invite);
    let session = net.wait(us, "Incoming", 1, want::incoming);
    let diversion = Diversion { party: "4000".into(), reason: DiversionReason::NoAnswer, privacy };
    let result = net.act(us, |agent, now| agent.redirect(now, session, target, Some(&diversion)));
    net.pass(Duration::from_millis(10));
    if result.is_err() {
        for code in ["302", "480", "482"] {
            assert_eq!(net.count(pbx, code), 0, "nothing was sent");
        }
        net.act(us, |agent, now| agent.reject(now, session, 486));
    }
    net.wait(us, "Ended", 0, want::ended);
    net.pass(Duration::from_millis(10));
    let again = net.act(us, |agent, now| agent.redirect(now, session, target, Some(&diversion)));
    assert_eq!(again, Err(Error::NotRinging(session)));
    let code = if result.is_ok() { "302" } else { "486" };
    (result, net.receive(pbx, code, 0))
}

#[test]
fn a_call_that_is_sent_on_says_by_whom_and_why_and_how_often() {
    let (result, response) = send_on(&[], "2110", None);
    assert_eq!((result, response.code()), (Ok(()), Some(302)));
    assert_eq!(response.header("Contact"), Some("<sip:2110@pbx.example>"));
    assert_eq!(response.header("Diversion"), Some("<sip:4000@pbx.example>;reason=no-answer;counter=1"));
    let (_, response) = send_on(&["<sip:1@pbx.example>;counter=2"], "2110", Some(DiversionPrivacy::Full));
    let expected = "<sip:4000@pbx.example>;reason=no-answer;counter=3;privacy=full";
    assert_eq!(response.header("Diversion"), Some(expected));
}

#[test]
fn a_call_that_goes_round_rings_on() {
    let ten = ["<sip:1@pbx.example>;reason=unconditional"; 10];
    let (result, response) = send_on(&ten, "2110", None);
    assert_eq!((result, response.code()), (Err(Error::TooManyDiversions(10)), Some(486)));
    let (result, response) = send_on(&ten[..9], "2110", None);
    assert_eq!((result, response.code()), (Ok(()), Some(302)), "the tenth is allowed");
    let (result, response) = send_on(&["<sip:1@pbx.example>;counter=4000000000000"], "2110", None);
    assert_eq!((result, response.code()), (Err(Error::TooManyDiversions(u32::MAX)), Some(486)));
    let (result, response) = send_on(&["<sip:2110@pbx.example>;reason=no-answer"], "2110", None);
    assert_eq!((result, response.code()), (Err(Error::DiversionLoop("2110".into())), Some(486)));
    let (result, response) = send_on(&[], "a b<", None);
    assert_eq!((result, response.code()), (Err(Error::BadTarget("a b<".into())), Some(486)));
}
