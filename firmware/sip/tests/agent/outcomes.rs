//! What becomes of calls that are redirected, that expire, or whose last messages cross each other or are lost.

use std::time::Duration;

use sip::{EndedBy, Method};

use crate::net::{media, want};
use crate::script::{Caller, answer, reply, within};
use crate::steps::{desk, dial, taken};

#[test]
fn those_that_a_redirection_names_are_called_one_after_another_the_best_first() {
    let contacts = [
        "<sip:221@pbx.example>;q=0.2",
        "<tel:+4930555>",
        "<sip:222@pbx.example>;q=0.9",
        "\"Ann\" <sip:223@pbx.example?Subject=x>",
    ];
    let fates: [(&[u16], u16); 5] = [
        (&[486, 480, 404], 486),
        (&[480, 500, 486], 480),
        (&[500, 404, 486], 404),
        (&[486, 603], 603),
        (&[603], 603),
    ];
    for (refusals, code) in fates {
        let (mut net, us, pbx) = desk();
        let at = net.stations[us].at;
        let (_, invite) = dial(&mut net, us, pbx, "2110");
        let mut moved = reply(&invite, 302, "t", pbx);
        moved.remove("Contact");
        contacts.iter().for_each(|contact| moved.push("Contact", *contact));
        net.send(pbx, at, &moved);
        for (refusal, called) in refusals.iter().zip(["223", "222", "221"]) {
            let invite = net.receive(pbx, "INVITE", 1);
            assert_eq!(invite.request_uri(), Some(format!("sip:{called}@pbx.example").as_str()));
            net.send(pbx, at, &reply(&invite, *refusal, called, pbx));
        }
        assert_eq!(net.wait(us, "Ended", 1, want::ended).code, code, "{refusals:?}");
        net.pass(Duration::from_secs(1));
        assert_eq!(net.count(pbx, "INVITE"), 0, "who says 6xx speaks for all");
    }
}

#[test]
fn one_whom_a_redirection_names_and_who_is_silent_does_not_hide_that_another_is_busy() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (_, invite) = dial(&mut net, us, pbx, "2110");
    let mut moved = reply(&invite, 302, "t", pbx);
    moved.set("Contact", "<sip:221@pbx.example>");
    moved.push("Contact", "<sip:222@pbx.example>;q=0.2");
    net.send(pbx, at, &moved);
    let invite = net.receive(pbx, "INVITE", 1);
    net.send(pbx, at, &reply(&invite, 486, "a", pbx));
    net.receive(pbx, "INVITE", 1);
    let cause = net.wait(us, "Ended", 40, want::ended);
    assert_eq!((cause.by, cause.code), (EndedBy::Remote, 486));
}

/// On two ways through a proxy, or where the 200 was lost and comes again.
#[test]
fn a_bye_that_overtakes_the_answer_ends_the_call_as_soon_as_it_is_there() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (session, invite) = dial(&mut net, us, pbx, "2110");
    net.act(us, |agent, now| agent.hold(now, session));
    net.send(pbx, at, &reply(&invite, 180, "t", pbx));
    net.wait(us, "Progress", 1, want::progress);
    net.send(pbx, at, &within(&invite, "t", pbx, Method::Bye, 1));
    net.receive(pbx, "200 BYE", 1);
    let ok = answer(&invite, "t", pbx, "sendrecv");
    for _ in 0..2 {
        net.send(pbx, at, &ok);
        net.receive(pbx, "ACK", 1);
    }
    assert_eq!(net.said(us), ["Answered", "Ended"]);
    let cause = net.wait(us, "Ended", 0, want::ended);
    assert_eq!((cause.by, cause.code), (EndedBy::Remote, 200));
    net.pass(Duration::from_secs(60));
    assert_eq!(
        (net.count(pbx, "BYE"), net.count(pbx, "INVITE")),
        (0, 0),
        "it knows, and nothing is asked for"
    );
}

#[test]
fn a_call_that_was_hung_up_is_ended_once_though_an_ack_is_missing() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (session, mut caller, _) = taken(&mut net, us, pbx, &[]);
    let again = caller.invite();
    net.send(pbx, at, &again);
    net.receive(pbx, "200 INVITE", 1);
    net.act(us, |agent, now| agent.hang_up(now, session));
    let bye = net.receive(pbx, "BYE", 1);
    net.send(pbx, at, &reply(&bye, 200, "t", pbx));
    net.pass(Duration::from_secs(60));
    assert_eq!(net.count(pbx, "BYE"), 0);
}

#[test]
fn the_answer_to_a_cancel_has_the_tag_of_the_call() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let mut caller = Caller::new(pbx, at, "tag");
    let invite = caller.invite();
    net.send(pbx, at, &invite);
    let session = net.wait(us, "Incoming", 1, want::incoming);
    net.act(us, |agent, now| agent.ring(now, session));
    let tag = net.receive(pbx, "180", 1).to().unwrap().tag().unwrap().to_owned();
    net.send(pbx, at, &caller.cancel(&invite));
    for answer in ["200 CANCEL", "487 INVITE"] {
        assert_eq!(net.receive(pbx, answer, 1).to().unwrap().tag(), Some(tag.as_str()), "{answer}");
    }
}

/// Whoever sets a limit need not send a CANCEL behind it (RFC 3261 13.3.1).
#[test]
fn an_invitation_that_has_expired_is_over() {
    for (expires, is_answered, is_over) in [("30", false, true), ("30", true, false), ("0", false, false)] {
        let (mut net, us, pbx) = desk();
        let at = net.stations[us].at;
        let mut caller = Caller::new(pbx, at, "limit");
        let mut invite = caller.invite();
        invite.push("Expires", expires);
        net.send(pbx, at, &invite);
        let session = net.wait(us, "Incoming", 1, want::incoming);
        net.act(us, |agent, now| agent.ring(now, session));
        net.pass(Duration::from_secs(29));
        assert_eq!(net.stations[us].agent.live_sessions(), 1);
        if is_answered {
            net.act(us, |agent, now| agent.accept(now, session, media(3000)));
            let ok = net.receive(pbx, "200 INVITE", 1);
            let ack = caller.ack(&ok);
            net.send(pbx, at, &ack);
        }
        net.pass(Duration::from_secs(20));
        assert_eq!(net.count(pbx, "487") > 0, is_over, "{expires}, answered: {is_answered}");
        assert_eq!(net.stations[us].agent.live_sessions(), usize::from(!is_over));
        if is_over {
            let cause = net.wait(us, "Ended", 0, want::ended);
            assert_eq!((cause.by, cause.code), (EndedBy::Remote, 487));
        }
    }
}
