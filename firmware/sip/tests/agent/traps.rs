//! Traps seen live, each with a peer that springs it.

use std::net::SocketAddr;
use std::time::Duration;

use sip::{EndedBy, Event, Invite, Message, Method, SessionId, TransferResult};

use crate::net::{Net, media, want};
use crate::script::{Caller, answer, reply, sdp, within};
use crate::steps::{desk, dial, taken, talking};

/// A call of the exchange's that we answered.
fn called(net: &mut Net, us: usize, pbx: SocketAddr) -> (SessionId, Caller) {
    let (session, caller, _) = taken(net, us, pbx, &[]);
    (session, caller)
}

#[test]
fn a_number_is_dialled_at_the_accounts_domain_without_its_marks() {
    let (mut net, us, pbx) = desk();
    let (_, invite) = dial(&mut net, us, pbx, " 059 12-34 ");
    assert_eq!(invite.request_uri(), Some("sip:0591234@pbx.example"));
    assert_eq!(invite.from().unwrap().display.as_deref(), Some("Reception"));
    for nobody in ["", "  ", "sip:", "a b c<", "sips:x@y.example", "\"\r\nVia: x"] {
        let call = Invite::new(sip::AccountId(1), nobody, media(3000));
        assert!(net.act(us, |agent, now| agent.invite(now, call)).is_err(), "{nobody:?}");
    }
}

#[test]
fn an_answer_after_our_cancel_is_acknowledged_and_ended() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (session, invite) = dial(&mut net, us, pbx, "2110");
    net.send(pbx, at, &reply(&invite, 180, "t", pbx));
    net.wait(us, "Progress", 1, want::progress);
    net.act(us, |agent, now| agent.hang_up(now, session));
    assert_eq!(net.wait(us, "Ended", 0, want::ended).by, EndedBy::Local);
    let cancel = net.receive(pbx, "CANCEL", 1);
    assert_eq!(cancel.header("Via"), invite.header("Via"), "a CANCEL has the branch of its INVITE");
    net.send(pbx, at, &reply(&cancel, 200, "t", pbx));
    net.send(pbx, at, &answer(&invite, "t", pbx, "sendrecv"));
    assert_eq!(net.receive(pbx, "ACK", 1).to().unwrap().tag(), Some("t"));
    let bye = net.receive(pbx, "BYE", 1);
    assert_eq!((bye.to().unwrap().tag(), bye.cseq().unwrap().number), (Some("t"), 2));
    net.send(pbx, at, &reply(&bye, 200, "t", pbx));
    net.pass(Duration::from_secs(100));
    assert!(net.said(us).is_empty());
}

#[test]
fn a_forked_answer_is_acknowledged_and_the_spare_ended() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (session, invite) = dial(&mut net, us, pbx, "2110");
    let mut ringing = reply(&invite, 183, "one", pbx);
    ringing.set_body("application/sdp", sdp(4001, "sendrecv"));
    net.send(pbx, at, &ringing);
    let mut ringing = reply(&invite, 183, "two", pbx);
    ringing.set_body("application/sdp", sdp(4002, "sendrecv"));
    net.send(pbx, at, &ringing);
    let port = |event: &Event| match event {
        Event::Progress { early_media, .. } => Some(early_media.as_ref().unwrap().remote_rtp.port()),
        _ => None,
    };
    assert_eq!(net.wait(us, "Progress", 1, port), 4001);
    assert_eq!(net.wait(us, "Progress", 1, port), 4002);
    // The second fork answers, without repeating its description; then the first one does.
    net.send(pbx, at, &reply(&invite, 200, "two", pbx));
    assert_eq!(net.wait(us, "Answered", 1, want::answered).remote_rtp.port(), 4002);
    net.send(pbx, at, &answer(&invite, "one", pbx, "sendrecv"));
    let spare = net.receive(pbx, "BYE", 1);
    assert_eq!(spare.to().unwrap().tag(), Some("one"));
    let acks: Vec<String> =
        (0..2).map(|_| net.receive(pbx, "ACK", 1).to().unwrap().tag().unwrap().to_owned()).collect();
    assert_eq!(acks, ["two", "one"]);
    net.act(us, |agent, now| agent.hang_up(now, session));
    let bye = net.receive(pbx, "BYE", 1);
    assert_eq!(bye.to().unwrap().tag(), Some("two"));
}

#[test]
fn a_repeated_answer_is_acknowledged_again_even_long_after() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (_, invite) = dial(&mut net, us, pbx, "2110");
    let ok = answer(&invite, "t", pbx, "sendrecv");
    net.send(pbx, at, &ok);
    net.receive(pbx, "ACK", 1);
    net.send(pbx, at, &ok);
    let again = net.receive(pbx, "ACK", 1);
    net.pass(Duration::from_secs(40));
    net.send(pbx, at, &ok);
    assert_eq!(net.receive(pbx, "ACK", 1), again);
    net.wait(us, "Answered", 1, want::answered);
    assert!(net.said(us).is_empty());
}

#[test]
fn an_answer_nobody_acknowledges_is_repeated_then_ended() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let mut caller = Caller::new(pbx, at, "deaf");
    let invite = caller.invite();
    net.send(pbx, at, &invite);
    let session = net.wait(us, "Incoming", 1, want::incoming);
    net.act(us, |agent, now| agent.accept(now, session, media(3000)));
    let cause = net.wait(us, "Ended", 33, want::ended);
    assert_eq!((cause.by, cause.code), (EndedBy::Timeout, 408));
    assert_eq!(net.count(pbx, "200 INVITE"), 11, "at 0, 0.5, 1.5, 3.5, 7.5 … seconds, every 4 then");
    net.receive(pbx, "BYE", 1);
}

#[test]
fn a_retransmitted_invite_is_one_call_and_gets_the_same_answer() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let invite = Caller::new(pbx, at, "twice").invite();
    for _ in 0..3 {
        net.send(pbx, at, &invite);
    }
    let session = net.wait(us, "Incoming", 1, want::incoming);
    net.pass(Duration::from_millis(10));
    net.act(us, |agent, now| agent.ring(now, session));
    net.pass(Duration::from_millis(10));
    net.send(pbx, at, &invite);
    net.pass(Duration::from_millis(10));
    assert_eq!((net.count(pbx, "100"), net.count(pbx, "180")), (3, 2));
    assert!(net.said(us).is_empty());
    assert_eq!(net.stations[us].agent.live_sessions(), 1);
}

#[test]
fn a_ringing_indication_is_repeated_every_minute() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let invite = Caller::new(pbx, at, "patient").invite();
    net.send(pbx, at, &invite);
    let session = net.wait(us, "Incoming", 1, want::incoming);
    net.act(us, |agent, now| agent.ring(now, session));
    net.pass(Duration::from_secs(190));
    assert_eq!(net.count(pbx, "180"), 4);
}

#[test]
fn a_hold_that_meets_the_peers_own_reinvite_is_tried_again_and_refer_waits_for_it() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (session, invite) = talking(&mut net, us, pbx);
    // The exchange re-INVITEs right after the pickup; its own request is open, so ours gets 491.
    net.act(us, |agent, now| {
        agent.hold(now, session);
        agent.refer(now, session, "2120");
    });
    let hold = net.receive(pbx, "INVITE", 1);
    let mut theirs = within(&invite, "t", pbx, Method::Invite, 1);
    theirs.set_body("application/sdp", sdp(4000, "sendrecv"));
    net.send(pbx, at, &theirs);
    let refusal = net.receive(pbx, "491", 1);
    net.send(pbx, at, &within(&invite, "t", pbx, Method::Ack, 1).with_branch_of(&theirs));
    assert_eq!(refusal.cseq().unwrap().number, 1);
    let sent = net.seconds();
    net.send(pbx, at, &reply(&hold, 491, "t", pbx));
    net.receive(pbx, "ACK", 1);
    let again = net.receive(pbx, "INVITE", 5);
    let pause = net.seconds() - sent;
    assert!((2.1..=4.1).contains(&pause), "we own the Call-ID: {pause}");
    assert!(String::from_utf8_lossy(again.body()).contains("a=sendonly"));
    assert_eq!(net.count(pbx, "REFER"), 0, "REFER only after the hold is acknowledged");
    net.send(pbx, at, &answer(&again, "t", pbx, "recvonly"));
    net.wait(us, "Held", 1, want::held);
    let refer = net.receive(pbx, "REFER", 1);
    assert_eq!(refer.header("Refer-To"), Some("<sip:2120@pbx.example>"));
    assert_eq!(refer.header("Referred-By"), Some("<sip:100@pbx.example>"));
}

#[test]
fn a_peer_that_asks_at_once_after_its_ack_is_answered_whatever_arrives_first() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let mut caller = Caller::new(pbx, at, "quick");
    let invite = caller.invite();
    net.send(pbx, at, &invite);
    let session = net.wait(us, "Incoming", 1, want::incoming);
    net.act(us, |agent, now| agent.accept(now, session, media(3000)));
    let ok = net.receive(pbx, "200 INVITE", 1);
    let ack = caller.ack(&ok);
    let again = caller.invite();
    net.send(pbx, at, &again);
    net.send(pbx, at, &ack);
    net.wait(us, "Confirmed", 1, want::confirmed);
    let ok = net.receive(pbx, "200 INVITE", 1);
    assert_eq!(ok.cseq().unwrap().number, 2);
    let ack = caller.ack(&ok);
    net.send(pbx, at, &ack);
    net.pass(Duration::from_secs(60));
    assert!(net.said(us).is_empty(), "{:?}", net.said(us));
}

/// An exchange that dies between its 100 and the answer never says what became of the re-INVITE.
#[test]
fn a_hold_that_is_taken_in_and_never_answered_fails_and_the_call_stays() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (session, _) = talking(&mut net, us, pbx);
    net.act(us, |agent, now| agent.hold(now, session));
    let hold = net.receive(pbx, "INVITE", 1);
    net.send(pbx, at, &reply(&hold, 100, "t", pbx));
    // Time to answer is given as long as for any request, and a CANCEL asks once more.
    assert_eq!(net.receive(pbx, "CANCEL", 33).cseq().unwrap().number, hold.cseq().unwrap().number);
    let code = net.wait(us, "HoldFailed", 33, |event| match event {
        Event::HoldFailed { code, .. } => Some(*code),
        _ => None,
    });
    assert_eq!((code, net.stations[us].agent.live_sessions()), (408, 1));
    // Nothing of it is left, and the next one is asked for.
    net.pass(Duration::from_secs(33));
    assert_eq!(net.stations[us].agent.transactions(), 0);
    net.act(us, |agent, now| agent.hold(now, session));
    let hold = net.receive(pbx, "INVITE", 1);
    net.send(pbx, at, &answer(&hold, "t", pbx, "recvonly"));
    net.wait(us, "Held", 1, want::held);
}

#[test]
fn a_call_that_ends_while_its_hold_is_never_answered_leaves_nothing() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (session, _) = talking(&mut net, us, pbx);
    net.act(us, |agent, now| agent.hold(now, session));
    let hold = net.receive(pbx, "INVITE", 1);
    net.send(pbx, at, &reply(&hold, 100, "t", pbx));
    net.pass(Duration::from_millis(10));
    net.act(us, |agent, now| agent.hang_up(now, session));
    let bye = net.receive(pbx, "BYE", 1);
    net.send(pbx, at, &reply(&bye, 200, "t", pbx));
    net.pass(Duration::from_secs(150));
    assert_eq!(net.stations[us].agent.transactions(), 0);
}

#[test]
fn an_answer_to_a_hold_that_comes_after_all_is_acknowledged() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (session, _) = talking(&mut net, us, pbx);
    net.act(us, |agent, now| agent.hold(now, session));
    let hold = net.receive(pbx, "INVITE", 1);
    net.send(pbx, at, &reply(&hold, 100, "t", pbx));
    net.pass(Duration::from_secs(70));
    net.send(pbx, at, &answer(&hold, "t", pbx, "recvonly"));
    let ack = net.receive(pbx, "ACK", 1);
    assert_eq!(ack.cseq().unwrap().number, hold.cseq().unwrap().number);
}

#[test]
fn a_hold_that_is_refused_leaves_the_call_as_it_was_and_refer_still_goes() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (session, _) = talking(&mut net, us, pbx);
    net.act(us, |agent, now| {
        agent.hold(now, session);
        agent.refer(now, session, "2120");
    });
    let hold = net.receive(pbx, "INVITE", 1);
    net.send(pbx, at, &reply(&hold, 488, "t", pbx));
    let failed = |event: &Event| match event {
        Event::HoldFailed { hold, code, .. } => Some((*hold, *code)),
        _ => None,
    };
    assert_eq!(net.wait(us, "HoldFailed", 1, failed), (true, 488));
    net.receive(pbx, "REFER", 1);
    assert_eq!(net.stations[us].agent.live_sessions(), 1);
}

/// Whoever asks for the other while one waits must know which of them it was.
#[test]
fn a_retrieve_that_is_refused_is_said_to_be_one_though_a_hold_was_asked_for_since() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (session, _) = talking(&mut net, us, pbx);
    net.act(us, |agent, now| agent.hold(now, session));
    let hold = net.receive(pbx, "INVITE", 1);
    net.send(pbx, at, &answer(&hold, "t", pbx, "recvonly"));
    net.wait(us, "Held", 1, want::held);
    net.act(us, |agent, now| {
        agent.retrieve(now, session);
        agent.hold(now, session);
    });
    let retrieve = net.receive(pbx, "INVITE", 1);
    net.send(pbx, at, &reply(&retrieve, 488, "t", pbx));
    let failed = |event: &Event| match event {
        Event::HoldFailed { hold, code, .. } => Some((*hold, *code)),
        _ => None,
    };
    assert_eq!(net.wait(us, "HoldFailed", 1, failed), (false, 488));
    net.wait(us, "Held", 1, want::held);
}

#[test]
fn a_reinvite_the_peer_no_longer_knows_ends_the_call() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (session, _) = talking(&mut net, us, pbx);
    net.act(us, |agent, now| agent.hold(now, session));
    let hold = net.receive(pbx, "INVITE", 1);
    net.send(pbx, at, &reply(&hold, 481, "t", pbx));
    assert_eq!(net.wait(us, "Ended", 1, want::ended).code, 481);
}

#[test]
fn a_transferred_peer_may_end_only_one_of_two_legs() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (first, invite) = talking(&mut net, us, pbx);
    let (second, _) = talking(&mut net, us, pbx);
    net.send(pbx, at, &within(&invite, "t", pbx, Method::Bye, 1));
    let ended = net.wait(us, "Ended", 1, |event| match event {
        Event::Ended { session, .. } => Some(*session),
        _ => None,
    });
    assert_eq!(ended, first);
    net.pass(Duration::from_secs(60));
    assert_eq!(net.stations[us].agent.live_sessions(), 1, "the other leg is ours to end");
    net.act(us, |agent, now| agent.hang_up(now, second));
    net.receive(pbx, "BYE", 1);
}

#[test]
fn a_call_completed_elsewhere_is_not_missed() {
    for (reason, elsewhere) in [
        (Some("SIP;cause=200;text=\"Call completed elsewhere\""), true),
        (Some("Q.850;cause=26"), false),
        (None, false),
    ] {
        let (mut net, us, pbx) = desk();
        let at = net.stations[us].at;
        let mut caller = Caller::new(pbx, at, "group");
        let invite = caller.invite();
        net.send(pbx, at, &invite);
        net.wait(us, "Incoming", 1, want::incoming);
        let mut cancel = caller.cancel(&invite);
        if let Some(reason) = reason {
            cancel.push("Reason", reason);
        }
        net.send(pbx, at, &cancel);
        let cause = net.wait(us, "Ended", 1, want::ended);
        assert_eq!((cause.by, cause.code, cause.elsewhere), (EndedBy::Remote, 487, elsewhere));
        net.receive(pbx, "200 CANCEL", 1);
        net.receive(pbx, "487 INVITE", 1);
    }
}

#[test]
fn a_cancel_after_our_answer_changes_nothing() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let mut caller = Caller::new(pbx, at, "late");
    let invite = caller.invite();
    net.send(pbx, at, &invite);
    let session = net.wait(us, "Incoming", 1, want::incoming);
    net.act(us, |agent, now| agent.accept(now, session, media(3000)));
    let ok = net.receive(pbx, "200 INVITE", 1);
    net.send(pbx, at, &caller.cancel(&invite));
    net.receive(pbx, "200 CANCEL", 1);
    let ack = caller.ack(&ok);
    net.send(pbx, at, &ack);
    net.wait(us, "Confirmed", 1, want::confirmed);
    assert_eq!(net.count(pbx, "487"), 0);
}

#[test]
fn update_and_bye_are_answered_in_early_dialogs() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (_, invite) = dial(&mut net, us, pbx, "2110");
    net.send(pbx, at, &reply(&invite, 180, "one", pbx));
    net.send(pbx, at, &reply(&invite, 180, "two", pbx));
    // A new target, without a description.
    let mut update = within(&invite, "one", pbx, Method::Update, 1);
    update.set("Contact", "<sip:moved@198.51.100.10>");
    net.send(pbx, at, &update);
    net.receive(pbx, "200 UPDATE", 1);
    // A description while our own offer is unanswered: glare.
    let mut update = within(&invite, "one", pbx, Method::Update, 2);
    update.set_body("application/sdp", sdp(4000, "sendrecv"));
    net.send(pbx, at, &update);
    net.receive(pbx, "491 UPDATE", 1);
    // One fork says goodbye; the call goes on with the other.
    net.send(pbx, at, &within(&invite, "two", pbx, Method::Bye, 1));
    net.receive(pbx, "200 BYE", 1);
    assert!(!net.said(us).contains(&"Ended".to_owned()));
    let mut ok = answer(&invite, "one", pbx, "sendrecv");
    ok.remove("Contact");
    net.send(pbx, at, &ok);
    net.wait(us, "Answered", 1, want::answered);
}

#[test]
fn a_caller_may_end_its_early_dialog_with_bye() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let mut caller = Caller::new(pbx, at, "bye");
    let invite = caller.invite();
    net.send(pbx, at, &invite);
    let session = net.wait(us, "Incoming", 1, want::incoming);
    net.act(us, |agent, now| agent.ring(now, session));
    caller.to_tag = net.receive(pbx, "180", 1).to().unwrap().tag().map(str::to_owned);
    let bye = caller.request(Method::Bye);
    net.send(pbx, at, &bye);
    net.receive(pbx, "200 BYE", 1);
    net.receive(pbx, "487 INVITE", 1);
    assert_eq!(net.wait(us, "Ended", 1, want::ended).by, EndedBy::Remote);
}

/// An exchange that takes a transfer over may end our leg first and say what came of it then.
#[test]
fn the_fate_of_a_transfer_that_comes_behind_the_bye_is_told() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (session, invite) = talking(&mut net, us, pbx);
    net.act(us, |agent, now| agent.refer(now, session, "2120"));
    let refer = net.receive(pbx, "REFER", 1);
    net.send(pbx, at, &reply(&refer, 202, "t", pbx));
    let bye = within(&invite, "t", pbx, Method::Bye, 1);
    net.send(pbx, at, &bye);
    net.wait(us, "Ended", 1, want::ended);
    for (number, code) in [(2, "180 Ringing"), (3, "200 OK")] {
        let mut news = within(&invite, "t", pbx, Method::Notify, number);
        news.push("Event", "refer");
        news.push("Subscription-State", if number == 3 { "terminated" } else { "active" });
        news.set_body("message/sipfrag", format!("SIP/2.0 {code}\r\n").into_bytes());
        net.send(pbx, at, &news);
        net.receive(pbx, "200 NOTIFY", 1);
    }
    assert_eq!(net.wait(us, "TransferEnded", 1, want::transferred), TransferResult::Ok(200));
    net.pass(Duration::from_secs(90));
    assert!(net.said(us).is_empty(), "{:?}", net.said(us));
}

/// On two ways through a proxy the BYE overtakes the ACK, or the ACK is lost: the call was answered.
#[test]
fn a_caller_who_hangs_up_before_its_ack_has_come_was_answered() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let mut caller = Caller::new(pbx, at, "quick");
    let invite = caller.invite();
    net.send(pbx, at, &invite);
    let session = net.wait(us, "Incoming", 1, want::incoming);
    net.act(us, |agent, now| agent.accept(now, session, media(3000)));
    let ok = net.receive(pbx, "200 INVITE", 1);
    let ack = caller.ack(&ok);
    let bye = caller.request(Method::Bye);
    net.send(pbx, at, &bye);
    net.receive(pbx, "200 BYE", 1);
    net.send(pbx, at, &ack);
    net.pass(Duration::from_secs(60));
    assert_eq!(net.said(us), ["Confirmed", "Ended"]);
    assert_eq!(net.count(pbx, "200 INVITE"), 0, "nothing is repeated after the BYE");
}

#[test]
fn a_cseq_that_goes_back_is_answered_500() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (_, mut caller) = called(&mut net, us, pbx);
    caller.number = 9;
    let update = caller.request(Method::Update);
    net.send(pbx, at, &update);
    net.receive(pbx, "200 UPDATE", 1);
    let old = caller.numbered(Method::Bye, 4);
    net.send(pbx, at, &old);
    let refusal = net.receive(pbx, "500 BYE", 1);
    assert!(refusal.header("Retry-After").is_some());
    assert_eq!(net.stations[us].agent.live_sessions(), 1);
}

#[test]
fn the_peers_hold_retrieve_and_move_are_followed() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (session, mut caller) = called(&mut net, us, pbx);
    for direction in ["sendonly", "inactive"] {
        let mut hold = caller.invite();
        hold.set_body("application/sdp", sdp(4000, direction));
        net.send(pbx, at, &hold);
        let ok = net.receive(pbx, "200 INVITE", 1);
        let ack = caller.ack(&ok);
        net.send(pbx, at, &ack);
    }
    assert!(net.wait(us, "RemoteHold", 1, want::remote_hold));
    let mut back = caller.invite();
    back.set("Contact", "<sip:alice@198.51.100.9:5070>");
    back.set_body("application/sdp", sdp(4444, "sendrecv"));
    net.send(pbx, at, &back);
    let ok = net.receive(pbx, "200 INVITE", 1);
    let ack = caller.ack(&ok);
    net.send(pbx, at, &ack);
    assert!(!net.wait(us, "RemoteHold", 1, want::remote_hold), "held twice is held once");
    let port = net.stations[us].events.iter().rev().find_map(|event| match event {
        Event::MediaChanged { media, .. } => Some(media.remote_rtp.port()),
        _ => None,
    });
    assert_eq!(port, Some(4444));
    let moved = net.peer("198.51.100.9:5070");
    net.act(us, |agent, now| agent.hang_up(now, session));
    assert_eq!(net.receive(moved, "BYE", 1).request_uri(), Some("sip:alice@198.51.100.9:5070"));
}

#[test]
fn an_offer_left_to_us_is_made_in_the_answer_and_settled_by_the_ack() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let mut caller = Caller::new(pbx, at, "lateoffer");
    let invite = caller.request(Method::Invite);
    net.send(pbx, at, &invite);
    let session = net.wait(us, "Incoming", 1, |event| match event {
        Event::Incoming { session, media: None, .. } => Some(*session),
        _ => None,
    });
    net.act(us, |agent, now| agent.accept(now, session, media(3000)));
    let ok = net.receive(pbx, "200 INVITE", 1);
    assert!(String::from_utf8_lossy(ok.body()).contains("m=audio 3000"));
    let mut ack = caller.ack(&ok);
    ack.set_body("application/sdp", sdp(4000, "sendrecv"));
    net.send(pbx, at, &ack);
    assert_eq!(net.wait(us, "Confirmed", 1, want::confirmed).remote_rtp.port(), 4000);
    // The same again in mid-call.
    let invite = caller.request(Method::Invite);
    net.send(pbx, at, &invite);
    let ok = net.receive(pbx, "200 INVITE", 1);
    let mut ack = caller.ack(&ok);
    ack.set_body("application/sdp", sdp(4002, "sendrecv"));
    net.send(pbx, at, &ack);
    net.wait(us, "MediaChanged", 1, |event| matches!(event, Event::MediaChanged { .. }).then_some(()));
}

#[test]
fn an_ack_without_the_answer_it_owes_ends_the_call() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let mut caller = Caller::new(pbx, at, "noanswer");
    let invite = caller.request(Method::Invite);
    net.send(pbx, at, &invite);
    let session = net.wait(us, "Incoming", 1, want::incoming);
    net.act(us, |agent, now| agent.accept(now, session, media(3000)));
    let ok = net.receive(pbx, "200 INVITE", 1);
    let ack = caller.ack(&ok);
    net.send(pbx, at, &ack);
    net.receive(pbx, "BYE", 1);
    assert_eq!(net.wait(us, "Ended", 1, want::ended).by, EndedBy::Error);
}

#[test]
fn an_answer_without_usable_media_is_acknowledged_and_ended() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (_, invite) = dial(&mut net, us, pbx, "2110");
    net.send(pbx, at, &reply(&invite, 200, "t", pbx));
    net.receive(pbx, "ACK", 1);
    net.receive(pbx, "BYE", 1);
    let cause = net.wait(us, "Ended", 1, want::ended);
    assert_eq!((cause.by, cause.code), (EndedBy::Error, 488));
}

#[test]
fn requests_in_a_call_follow_the_record_route() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let proxy = net.peer("198.51.100.7:5080");
    let (session, invite) = dial(&mut net, us, pbx, "2110");
    let mut ok = answer(&invite, "t", pbx, "sendrecv");
    ok.push("Record-Route", "<sip:198.51.100.8;lr>");
    ok.push("Record-Route", "<sip:198.51.100.7:5080;lr>");
    net.send(pbx, at, &ok);
    net.receive(proxy, "ACK", 1);
    net.act(us, |agent, now| agent.hang_up(now, session));
    let bye = net.receive(proxy, "BYE", 1);
    let routes: Vec<_> = bye.headers("Route").collect();
    assert_eq!(routes, ["<sip:198.51.100.7:5080;lr>", "<sip:198.51.100.8;lr>"]);
    assert_eq!(bye.request_uri(), Some("sip:peer@198.51.100.9:5060"));
}

#[test]
fn an_answer_whose_contact_is_a_name_is_acknowledged_once_the_name_is_known() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (_, invite) = dial(&mut net, us, pbx, "2110");
    let mut ok = answer(&invite, "t", pbx, "sendrecv");
    ok.set("Contact", "<sip:peer@gateway.example>");
    net.send(pbx, at, &ok);
    let id = net.wait(us, "Resolve", 1, |event| match event {
        Event::Resolve { id, host, .. } if host == "gateway.example" => Some(*id),
        _ => None,
    });
    net.act(us, |agent, now| agent.resolved(now, id, Ok(vec![pbx.into()])));
    net.send(pbx, at, &ok);
    assert_eq!(net.receive(pbx, "ACK", 1).request_uri(), Some("sip:peer@gateway.example"));
}

#[test]
fn an_invite_nobody_hears_is_repeated_with_growing_pauses_then_given_up() {
    let (mut net, us, pbx) = desk();
    let (_, _) = dial(&mut net, us, pbx, "2110");
    let cause = net.wait(us, "Ended", 33, want::ended);
    assert_eq!((cause.by, cause.code), (EndedBy::Timeout, 408));
    assert_eq!(net.count(pbx, "INVITE"), 6, "timer A: again at 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s");
    assert!((32.0..32.1).contains(&net.seconds()), "timer B");
}

#[test]
fn a_reinvite_nobody_hears_ends_the_call() {
    let (mut net, us, pbx) = desk();
    let (session, _) = talking(&mut net, us, pbx);
    net.act(us, |agent, now| agent.hold(now, session));
    let cause = net.wait(us, "Ended", 33, want::ended);
    assert_eq!((cause.by, cause.code), (EndedBy::Timeout, 408));
    net.receive(pbx, "BYE", 1);
}

#[test]
fn a_call_can_be_picked_up_with_replaces() {
    let (mut net, us, pbx) = desk();
    let mut call = Invite::new(sip::AccountId(1), "2110", media(3000));
    call.replaces = Some(sip::Replaces {
        call_id: "abc@x".into(),
        to_tag: "their".into(),
        from_tag: "other".into(),
        early_only: true,
    });
    net.act(us, |agent, now| agent.invite(now, call)).unwrap();
    let invite = net.receive(pbx, "INVITE", 1);
    assert_eq!(invite.header("Replaces"), Some("abc@x;to-tag=their;from-tag=other;early-only"));
    assert_eq!(invite.header("Require"), Some("replaces"));
}

#[test]
fn only_our_own_exchange_gets_an_answer_to_its_challenge() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let thief = net.peer("203.0.113.66:5060");
    net.act(us, |agent, now| agent.register(now, sip::AccountId(1), true));
    let ours = net.receive(pbx, "REGISTER", 1).contact().unwrap().uri;
    let mut caller = Caller::new(thief, at, "thief");
    let mut invite = caller.invite();
    // It learned our Contact, so the call is our account's.
    invite.set_request_uri(&ours.to_string());
    net.send(thief, at, &invite);
    let session = net.wait(us, "Incoming", 1, |event| match event {
        Event::Incoming { session, account: Some(_), .. } => Some(*session),
        _ => None,
    });
    net.act(us, |agent, now| agent.accept(now, session, media(3000)));
    let ok = net.receive(thief, "200", 1);
    let ack = caller.ack(&ok);
    net.send(thief, at, &ack);
    net.wait(us, "Confirmed", 1, want::confirmed);
    net.act(us, |agent, now| agent.hang_up(now, session));
    let bye = net.receive(thief, "BYE", 1);
    let mut challenge = reply(&bye, 401, "x", thief);
    challenge.push("WWW-Authenticate", "Digest realm=\"pbx.example\", nonce=\"chosen\"");
    net.send(thief, at, &challenge);
    net.pass(Duration::from_secs(40));
    assert_eq!(net.count(thief, "BYE"), 0);
}

#[test]
fn commands_without_end_are_refused_not_kept() {
    let (mut net, us, pbx) = desk();
    let (session, _) = dial(&mut net, us, pbx, "2110");
    net.act(us, |agent, now| {
        for _ in 0..1000 {
            agent.refer(now, session, "2120");
        }
    });
    let refused = net.said(us).iter().filter(|name| *name == "TransferEnded").count();
    assert!((900..1000).contains(&refused), "{refused}");
}

#[test]
fn a_redirection_is_followed_a_few_times_but_not_for_ever() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (_, mut invite) = dial(&mut net, us, pbx, "2110");
    for hop in 0..6 {
        let mut moved = reply(&invite, 302, "t", pbx);
        moved.set("Contact", format!("<sip:22{hop}@pbx.example>"));
        net.send(pbx, at, &moved);
        net.receive(pbx, "ACK", 1);
        if hop < 5 {
            invite = net.receive(pbx, "INVITE", 1);
            assert_eq!(invite.request_uri(), Some(format!("sip:22{hop}@pbx.example").as_str()));
        }
    }
    assert_eq!(net.wait(us, "Ended", 1, want::ended).code, 302);
}

#[test]
fn a_call_can_be_sent_on_to_somebody_else() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let invite = Caller::new(pbx, at, "divert").invite();
    net.send(pbx, at, &invite);
    let session = net.wait(us, "Incoming", 1, want::incoming);
    net.act(us, |agent, now| agent.redirect(now, session, "2110", None)).unwrap();
    assert_eq!(net.receive(pbx, "302", 1).header("Contact"), Some("<sip:2110@pbx.example>"));
    assert_eq!(net.wait(us, "Ended", 0, want::ended).by, EndedBy::Local);
}

/// The ACK of a refusal shares the branch of the refused INVITE.
trait BranchOf {
    fn with_branch_of(self, invite: &Message) -> Message;
}

impl BranchOf for Message {
    fn with_branch_of(mut self, invite: &Message) -> Message {
        self.set("Via", invite.header("Via").unwrap());
        self
    }
}
