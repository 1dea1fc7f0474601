//! Reliable provisional responses (RFC 3262), as caller and as callee.

use std::net::SocketAddr;
use std::time::Duration;

use sip::{EndedBy, Event, Invite, Message, Method, SessionId};

use crate::net::{Net, STORM, address, media, want};
use crate::script::{Caller, answer, reply, sdp, within};
use crate::steps::{US, acknowledged, desk, dial};

/// A reliable provisional response of the peer.
fn reliable(invite: &Message, code: u16, tag: &str, pbx: SocketAddr, rseq: u32) -> Message {
    let mut response = reply(invite, code, tag, pbx);
    response.push("Require", "100rel");
    response.push("RSeq", rseq.to_string());
    response
}

/// The same with a description.
fn reliable_with(invite: &Message, tag: &str, pbx: SocketAddr, rseq: u32, direction: &str) -> Message {
    let mut early = reliable(invite, 183, tag, pbx, rseq);
    early.set_body("application/sdp", sdp(4000, direction));
    early
}

fn early_port(event: &Event) -> Option<u16> {
    match event {
        Event::Progress { early_media: Some(media), .. } => Some(media.remote_rtp.port()),
        _ => None,
    }
}

fn changed_port(event: &Event) -> Option<u16> {
    match event {
        Event::MediaChanged { media, .. } => Some(media.remote_rtp.port()),
        _ => None,
    }
}

/// A call of the peer's with these header lines; it is not answered yet.
fn called(
    net: &mut Net,
    us: usize,
    pbx: SocketAddr,
    lines: &[(&str, &str)],
    body: bool,
) -> (SessionId, Caller) {
    let at = net.stations[us].at;
    let mut caller = Caller::new(pbx, at, "reliable");
    let mut invite = if body { caller.invite() } else { caller.request(Method::Invite) };
    lines.iter().for_each(|(name, value)| invite.push(name, *value));
    net.send(pbx, at, &invite);
    (net.wait(us, "Incoming", 1, want::incoming), caller)
}

/// The PRACK of a reliable response of ours.
fn prack(caller: &mut Caller, response: &Message) -> Message {
    caller.to_tag = response.to().unwrap().tag().map(str::to_owned);
    let number = response.cseq().unwrap().number;
    let rseq = response.header("RSeq").unwrap();
    let mut prack = caller.request(Method::Prack);
    prack.push("RAck", format!("{rseq} {number} INVITE"));
    prack
}

#[test]
fn reliable_responses_are_acknowledged_once_each_and_in_their_order() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (_, invite) = dial(&mut net, us, pbx, "2110");
    assert!(invite.headers("Supported").any(|tag| tag == "100rel"));
    assert!(invite.headers("Allow").any(|method| method == "PRACK"));
    let first = reliable(&invite, 183, "t", pbx, 7);
    net.send(pbx, at, &first);
    let ack = net.receive(pbx, "PRACK", 1);
    assert_eq!(ack.header("RAck"), Some("7 1 INVITE"));
    assert_eq!((ack.to().unwrap().tag(), ack.cseq().unwrap().number), (Some("t"), 2));
    net.send(pbx, at, &reply(&ack, 200, "t", pbx));
    net.wait(us, "Progress", 1, want::progress);
    net.send(pbx, at, &first);
    net.send(pbx, at, &reliable(&invite, 180, "t", pbx, 9));
    net.pass(Duration::from_secs(1));
    assert_eq!((net.count(pbx, "PRACK"), net.said(us).len()), (0, 0), "repeated, and out of its turn");
    net.send(pbx, at, &reliable(&invite, 180, "t", pbx, 8));
    assert_eq!(net.receive(pbx, "PRACK", 1).header("RAck"), Some("8 1 INVITE"));
    assert_eq!(net.wait(us, "Progress", 1, want::progress), 180);
    // Another early dialog counts for itself.
    net.send(pbx, at, &reliable(&invite, 180, "other", pbx, 1));
    let ack = net.receive(pbx, "PRACK", 1);
    assert_eq!((ack.to().unwrap().tag(), ack.header("RAck")), (Some("other"), Some("1 1 INVITE")));
}

/// A stack that awaited the answer to its PRACK acknowledged the call 32 s late.
#[test]
fn a_prack_nobody_answers_delays_neither_answer_nor_ack() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (session, invite) = dial(&mut net, us, pbx, "2110");
    net.send(pbx, at, &reliable_with(&invite, "t", pbx, 1, "sendrecv"));
    net.receive(pbx, "PRACK", 1);
    net.send(pbx, at, &answer(&invite, "t", pbx, "sendrecv"));
    net.pass(Duration::from_millis(10));
    assert_eq!((net.count(pbx, "ACK"), net.count(pbx, "PRACK")), (1, 0));
    assert_eq!(net.receive(pbx, "ACK", 0).cseq().unwrap().number, 1);
    net.wait(us, "Answered", 0, want::answered);
    net.pass(Duration::from_secs(60));
    assert_eq!(net.stations[us].agent.live_sessions(), 1, "nor does it end the call");
    net.act(us, |agent, now| agent.hang_up(now, session));
    assert_eq!(net.receive(pbx, "BYE", 1).cseq().unwrap().number, 3);
}

#[test]
fn an_answer_in_a_reliable_response_is_the_answer_and_an_update_may_change_it_before_the_pickup() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (_, invite) = dial(&mut net, us, pbx, "2110");
    net.send(pbx, at, &reliable_with(&invite, "t", pbx, 1, "sendrecv"));
    net.receive(pbx, "PRACK", 1);
    assert_eq!(net.wait(us, "Progress", 1, early_port), 4000);
    let mut update = within(&invite, "t", pbx, Method::Update, 1);
    update.set_body("application/sdp", sdp(4002, "sendrecv"));
    net.send(pbx, at, &update);
    let ok = net.receive(pbx, "200 UPDATE", 1);
    assert!(String::from_utf8_lossy(ok.body()).contains("m=audio 3000"));
    assert_eq!(net.wait(us, "Progress", 1, early_port), 4002);
    // Another early dialog has agreed on nothing: glare there.
    net.send(pbx, at, &reply(&invite, 180, "other", pbx));
    let mut update = within(&invite, "other", pbx, Method::Update, 1);
    update.set_body("application/sdp", sdp(4004, "sendrecv"));
    net.send(pbx, at, &update);
    net.receive(pbx, "491 UPDATE", 1);
    // The answer repeats the old description; it is not one any more.
    net.send(pbx, at, &answer(&invite, "t", pbx, "sendrecv"));
    assert_eq!(net.wait(us, "Answered", 1, want::answered).remote_rtp.port(), 4002);
}

#[test]
fn an_answer_in_a_reliable_response_needs_no_repetition() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (_, invite) = dial(&mut net, us, pbx, "2110");
    net.send(pbx, at, &reliable_with(&invite, "t", pbx, 1, "sendrecv"));
    net.send(pbx, at, &reply(&invite, 200, "t", pbx));
    assert_eq!(net.wait(us, "Answered", 1, want::answered).remote_rtp.port(), 4000);
}

#[test]
fn a_challenged_prack_is_sent_again_with_its_credentials() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (_, invite) = dial(&mut net, us, pbx, "2110");
    net.send(pbx, at, &reliable(&invite, 180, "t", pbx, 1));
    let first = net.receive(pbx, "PRACK", 1);
    let mut challenge = reply(&first, 407, "t", pbx);
    challenge.push("Proxy-Authenticate", "Digest realm=\"pbx.example\", nonce=\"n\", qop=\"auth\"");
    net.send(pbx, at, &challenge);
    let again = net.receive(pbx, "PRACK", 1);
    assert_eq!((again.cseq().unwrap().number, again.header("RAck")), (3, Some("1 1 INVITE")));
    assert!(again.header("Proxy-Authorization").is_some());
}

#[test]
fn ringing_is_told_reliably_where_the_caller_requires_it() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (session, mut caller) = called(&mut net, us, pbx, &[("Require", "100rel")], true);
    net.act(us, |agent, now| agent.ring(now, session));
    let ringing = net.receive(pbx, "180", 1);
    assert_eq!(ringing.header("Require"), Some("100rel"));
    assert!((1..1 << 31).contains(&ringing.header("RSeq").unwrap().parse::<u32>().unwrap()));
    assert!(ringing.body().is_empty());
    net.pass(Duration::from_secs(4));
    assert_eq!(net.count(pbx, "180"), 3, "again after 0.5, 1.5 and 3.5 s");
    let mut wrong = prack(&mut caller, &ringing);
    wrong.set("RAck", "1 99 INVITE");
    net.send(pbx, at, &wrong);
    net.receive(pbx, "481 PRACK", 1);
    let right = prack(&mut caller, &ringing);
    net.send(pbx, at, &right);
    net.receive(pbx, "200 PRACK", 1);
    net.clear(pbx);
    net.pass(Duration::from_secs(40));
    assert_eq!(net.count(pbx, "180"), 0);
    net.act(us, |agent, now| agent.accept(now, session, media(3000)));
    let (ok, _) = acknowledged(&mut net, us, &mut caller);
    assert!(String::from_utf8_lossy(ok.body()).contains("m=audio 3000"));
}

#[test]
fn an_answer_without_early_media_does_not_wait_for_a_prack() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (session, mut caller) = called(&mut net, us, pbx, &[("Require", "100rel")], true);
    net.act(us, |agent, now| agent.ring(now, session));
    let ringing = net.receive(pbx, "180", 1);
    net.act(us, |agent, now| agent.accept(now, session, media(3000)));
    let ok = net.receive(pbx, "200 INVITE", 1);
    let late = prack(&mut caller, &ringing);
    net.send(pbx, at, &late);
    net.receive(pbx, "200 PRACK", 1);
    let ack = caller.ack(&ok);
    net.send(pbx, at, &ack);
    net.wait(us, "Confirmed", 1, want::confirmed);
    assert_eq!(net.count(pbx, "180"), 0);
}

#[test]
fn plain_ringing_is_enough_where_the_caller_only_knows_reliable_responses() {
    let (mut net, us, pbx) = desk();
    let (session, _) = called(&mut net, us, pbx, &[("Supported", "timer, 100rel")], true);
    net.act(us, |agent, now| agent.ring(now, session));
    let ringing = net.receive(pbx, "180", 1);
    assert_eq!((ringing.header("Require"), ringing.header("RSeq")), (None, None));
    net.pass(Duration::from_secs(40));
    assert_eq!(net.count(pbx, "180"), 0);
}

#[test]
fn a_caller_that_never_acknowledges_is_refused_with_504() {
    let (mut net, us, pbx) = desk();
    let (session, _) = called(&mut net, us, pbx, &[("Require", "100rel")], true);
    net.act(us, |agent, now| agent.ring(now, session));
    let cause = net.wait(us, "Ended", 33, want::ended);
    assert_eq!((cause.by, cause.code), (EndedBy::Timeout, 504));
    net.receive(pbx, "504 INVITE", 1);
    assert_eq!(net.count(pbx, "180"), 7, "at 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s");
}

#[test]
fn a_call_that_is_cancelled_is_told_of_no_more() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let mut caller = Caller::new(pbx, at, "cancelled");
    let mut invite = caller.invite();
    invite.push("Require", "100rel");
    net.send(pbx, at, &invite);
    let session = net.wait(us, "Incoming", 1, want::incoming);
    net.act(us, |agent, now| agent.ring(now, session));
    let ringing = net.receive(pbx, "180", 1);
    net.send(pbx, at, &caller.cancel(&invite));
    net.receive(pbx, "487 INVITE", 1);
    let late = prack(&mut caller, &ringing);
    net.send(pbx, at, &late);
    net.receive(pbx, "200 PRACK", 1);
    net.pass(Duration::from_secs(40));
    assert_eq!(net.count(pbx, "180"), 0);
}

#[test]
fn an_answer_behind_early_media_waits_until_that_has_arrived() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (session, mut caller) = called(&mut net, us, pbx, &[("Supported", "100rel")], true);
    net.act(us, |agent, now| agent.early_media(now, session, media(3000)));
    assert_eq!(net.wait(us, "MediaChanged", 0, changed_port), 4000);
    let early = net.receive(pbx, "183", 1);
    assert!(String::from_utf8_lossy(early.body()).contains("m=audio 3000"));
    net.act(us, |agent, now| agent.accept(now, session, media(3000)));
    net.pass(Duration::from_secs(1));
    assert_eq!(net.count(pbx, "200 INVITE"), 0);
    // The PRACK offers something else at once; that is answered in its 200.
    let mut ack = prack(&mut caller, &early);
    ack.set_body("application/sdp", sdp(4002, "sendrecv"));
    net.send(pbx, at, &ack);
    assert!(String::from_utf8_lossy(net.receive(pbx, "200 PRACK", 1).body()).contains("m=audio 3000"));
    assert_eq!(net.wait(us, "MediaChanged", 0, changed_port), 4002);
    let (ok, agreed) = acknowledged(&mut net, us, &mut caller);
    assert!(ok.body().is_empty(), "offer and answer are over");
    assert_eq!(agreed.remote_rtp.port(), 4002);
}

#[test]
fn an_update_with_an_offer_is_answered_while_we_ring_with_early_media() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (session, mut caller) = called(&mut net, us, pbx, &[("Supported", "100rel")], true);
    net.act(us, |agent, now| agent.early_media(now, session, media(3000)));
    let early = net.receive(pbx, "183", 1);
    let ack = prack(&mut caller, &early);
    let mut update = caller.request(Method::Update);
    update.set_body("application/sdp", sdp(4006, "sendrecv"));
    net.send(pbx, at, &ack);
    net.send(pbx, at, &update);
    net.receive(pbx, "200 UPDATE", 1);
    assert_eq!(net.wait(us, "MediaChanged", 0, changed_port), 4000);
    assert_eq!(net.wait(us, "MediaChanged", 0, changed_port), 4006);
}

#[test]
fn early_media_for_a_caller_without_reliable_responses_is_repeated_in_the_answer() {
    let (mut net, us, pbx) = desk();
    let (session, _) = called(&mut net, us, pbx, &[], true);
    net.act(us, |agent, now| agent.early_media(now, session, media(3000)));
    let early = net.receive(pbx, "183", 1);
    assert_eq!(early.header("RSeq"), None);
    net.act(us, |agent, now| agent.accept(now, session, media(3000)));
    assert_eq!(net.receive(pbx, "200 INVITE", 1).body(), early.body());
}

#[test]
fn two_reliable_responses_never_overtake_each_other() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (session, mut caller) = called(&mut net, us, pbx, &[("Require", "100rel")], true);
    net.act(us, |agent, now| {
        agent.ring(now, session);
        agent.early_media(now, session, media(3000));
    });
    let first = net.receive(pbx, "180", 1);
    net.pass(Duration::from_secs(1));
    assert_eq!(net.count(pbx, "183"), 0);
    let ack = prack(&mut caller, &first);
    net.send(pbx, at, &ack);
    let second = net.receive(pbx, "183", 1);
    let rseq = |response: &Message| response.header("RSeq").unwrap().parse::<u32>().unwrap();
    assert_eq!(rseq(&second), rseq(&first) + 1);
}

#[test]
fn an_offer_left_to_us_is_made_in_the_first_reliable_response_and_answered_in_its_prack() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (session, mut caller) = called(&mut net, us, pbx, &[("Require", "100rel")], false);
    net.act(us, |agent, now| agent.ring(now, session));
    net.pass(Duration::from_secs(1));
    assert_eq!(net.count(pbx, "180"), 0, "none without an offer");
    net.act(us, |agent, now| agent.ring_with(now, session, media(3000)));
    let ringing = net.receive(pbx, "180", 1);
    assert!(String::from_utf8_lossy(ringing.body()).contains("m=audio 3000"));
    let mut ack = prack(&mut caller, &ringing);
    ack.set_body("application/sdp", sdp(4000, "sendrecv"));
    net.send(pbx, at, &ack);
    net.receive(pbx, "200 PRACK", 1);
    assert_eq!(net.wait(us, "MediaChanged", 0, changed_port), 4000);
    net.act(us, |agent, now| agent.accept(now, session, media(3000)));
    let (ok, agreed) = acknowledged(&mut net, us, &mut caller);
    assert!(ok.body().is_empty());
    assert_eq!(agreed.remote_rtp.port(), 4000);
}

#[test]
fn a_prack_that_owes_an_answer_and_has_none_ends_the_call() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (session, mut caller) = called(&mut net, us, pbx, &[("Require", "100rel")], false);
    net.act(us, |agent, now| agent.ring_with(now, session, media(3000)));
    let ringing = net.receive(pbx, "180", 1);
    let ack = prack(&mut caller, &ringing);
    net.send(pbx, at, &ack);
    net.receive(pbx, "488 PRACK", 1);
    net.receive(pbx, "488 INVITE", 1);
    net.wait(us, "Ended", 1, want::ended);
}

#[test]
fn two_agents_agree_on_early_media_in_a_storm() {
    for seed in 0..40 {
        let mut net = Net::new(seed, STORM);
        net.agent(US);
        net.agent("192.0.2.2:5060");
        let mut call = Invite::new(sip::AccountId(1), "sip:bob@192.0.2.2:5060", media(3000));
        call.account = None;
        call.headers.push(("Require".into(), "100rel".into()));
        let ours = net.act(0, |agent, now| agent.invite(now, call)).unwrap();
        let theirs = net.wait(1, "Incoming", 60, want::incoming);
        net.act(1, |agent, now| {
            agent.ring(now, theirs);
            agent.early_media(now, theirs, media(5000));
        });
        assert_eq!(net.wait(0, "Progress", 60, early_port), 5000, "seed {seed}");
        net.act(1, |agent, now| agent.accept(now, theirs, media(5000)));
        assert_eq!(net.wait(0, "Answered", 60, want::answered).remote_rtp, address("192.0.2.1:5000"));
        net.wait(1, "Confirmed", 60, want::confirmed);
        net.act(0, |agent, now| agent.hang_up(now, ours));
        net.wait(1, "Ended", 60, want::ended);
        net.pass(Duration::from_secs(200));
        assert!((0..2).all(|at| net.stations[at].agent.transactions() == 0), "seed {seed}");
    }
}

#[test]
fn a_reliable_response_to_a_reinvite_is_acknowledged_and_may_bring_its_answer() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (session, invite) = dial(&mut net, us, pbx, "2110");
    net.send(pbx, at, &answer(&invite, "t", pbx, "sendrecv"));
    net.wait(us, "Answered", 1, want::answered);
    net.act(us, |agent, now| agent.hold(now, session));
    net.receive(pbx, "ACK", 1);
    let hold = net.receive(pbx, "INVITE", 1);
    let early = reliable_with(&hold, "t", pbx, 4, "recvonly");
    net.send(pbx, at, &early);
    net.send(pbx, at, &early);
    net.send(pbx, at, &reliable(&hold, 180, "t", pbx, 6));
    let ack = net.receive(pbx, "PRACK", 1);
    assert_eq!(ack.header("RAck"), Some(format!("4 {} INVITE", hold.cseq().unwrap().number).as_str()));
    net.send(pbx, at, &reply(&ack, 200, "t", pbx));
    net.pass(Duration::from_millis(100));
    assert_eq!(net.count(pbx, "PRACK"), 0);
    net.send(pbx, at, &reply(&hold, 200, "t", pbx));
    net.wait(us, "Held", 1, want::held);
}
