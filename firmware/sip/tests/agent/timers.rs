//! Session timers (RFC 4028) in both roles.

use std::net::SocketAddr;
use std::time::Duration;

use sip::{EndedBy, Message, Method, SessionId};

use crate::net::{Net, want};
use crate::script::{Caller, answer, reply, sdp, within};
use crate::steps::{desk, dial, taken};

/// A call of ours, answered with these header lines.
fn talking(net: &mut Net, us: usize, pbx: SocketAddr, lines: &[(&str, &str)]) -> (SessionId, Message) {
    let at = net.stations[us].at;
    let (session, invite) = dial(net, us, pbx, "2110");
    let mut ok = answer(&invite, "t", pbx, "sendrecv");
    lines.iter().for_each(|(name, value)| ok.push(name, *value));
    net.send(pbx, at, &ok);
    net.receive(pbx, "ACK", 1);
    net.wait(us, "Answered", 1, want::answered);
    (session, invite)
}

fn session_expires(message: &Message) -> Option<&str> {
    message.header("Session-Expires")
}

#[test]
fn a_call_asks_for_a_timer_and_refreshes_by_update_at_half_its_time() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let agreed = [("Session-Expires", "1200;refresher=uac"), ("Allow", "INVITE, ACK, UPDATE")];
    let (_, invite) = talking(&mut net, us, pbx, &agreed);
    assert_eq!(session_expires(&invite), Some("1800"));
    assert!(invite.headers("Supported").any(|tag| tag == "timer"));
    net.pass(Duration::from_secs(599));
    assert_eq!(net.count(pbx, "UPDATE"), 0);
    for _ in 0..3 {
        let update = net.receive(pbx, "UPDATE", 601);
        assert_eq!(session_expires(&update), Some("1200;refresher=uac"));
        assert!(update.body().is_empty());
        let mut ok = reply(&update, 200, "t", pbx);
        ok.push("Session-Expires", "1200;refresher=uac");
        net.send(pbx, at, &ok);
    }
    assert!((1798.0..1802.0).contains(&net.seconds()), "{}", net.seconds());
    assert!(net.said(us).is_empty(), "nobody need hear of it");
}

#[test]
fn a_peer_without_update_is_refreshed_by_a_reinvite_that_changes_nothing() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (session, _) = talking(&mut net, us, pbx, &[("x", "90;refresher=uac"), ("Allow", "INVITE, BYE")]);
    let refresh = |net: &mut Net| {
        let refresh = net.receive(pbx, "INVITE", 46);
        assert_eq!(session_expires(&refresh), Some("90;refresher=uac"));
        let mut ok = answer(&refresh, "t", pbx, "sendrecv");
        ok.push("Session-Expires", "90;refresher=uac");
        net.send(pbx, at, &ok);
        net.receive(pbx, "ACK", 1);
        String::from_utf8(refresh.body().to_vec()).unwrap()
    };
    let first = refresh(&mut net);
    assert!(first.contains("a=sendrecv"));
    assert_eq!(refresh(&mut net), first, "the same version of the same description");
    // While we hold, a refresh holds too.
    net.act(us, |agent, now| agent.hold(now, session));
    let hold = net.receive(pbx, "INVITE", 1);
    assert_eq!(session_expires(&hold), Some("90;refresher=uac"), "every re-INVITE is a refresh");
    let mut ok = answer(&hold, "t", pbx, "recvonly");
    ok.push("Session-Expires", "90;refresher=uac");
    net.send(pbx, at, &ok);
    net.wait(us, "Held", 1, want::held);
    net.clear(pbx);
    let refresh = net.receive(pbx, "INVITE", 46);
    assert!(String::from_utf8_lossy(refresh.body()).contains("a=sendonly"));
    net.send(pbx, at, &answer(&refresh, "t", pbx, "recvonly"));
    net.receive(pbx, "ACK", 1);
    // That answer named no timer: there is none any more.
    net.pass(Duration::from_secs(3600));
    assert_eq!(net.count(pbx, "INVITE"), 0);
    assert!(!net.said(us).iter().any(|name| name == "Held" || name == "Ended"), "{:?}", net.said(us));
}

#[test]
fn an_update_that_is_refused_as_unknown_gives_way_to_a_reinvite() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    talking(&mut net, us, pbx, &[("Session-Expires", "90;refresher=uac"), ("Allow", "UPDATE")]);
    let update = net.receive(pbx, "UPDATE", 46);
    net.send(pbx, at, &reply(&update, 501, "t", pbx));
    net.receive(pbx, "INVITE", 1);
}

#[test]
fn a_peer_that_does_not_answer_the_refresh_has_lost_the_call() {
    for (method, allow) in [("UPDATE", "INVITE, UPDATE"), ("INVITE", "INVITE")] {
        let (mut net, us, pbx) = desk();
        talking(&mut net, us, pbx, &[("Session-Expires", "90;refresher=uac"), ("Allow", allow)]);
        net.receive(pbx, method, 46);
        let cause = net.wait(us, "Ended", 33, want::ended);
        assert_eq!((cause.by, cause.code), (EndedBy::Timeout, 408), "{method}");
        net.receive(pbx, "BYE", 1);
    }
}

#[test]
fn a_peer_that_no_longer_knows_the_call_ends_it_and_one_that_only_refuses_does_not() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    talking(&mut net, us, pbx, &[("Session-Expires", "90;refresher=uac"), ("Allow", "UPDATE")]);
    for _ in 0..20 {
        let update = net.receive(pbx, "UPDATE", 46);
        net.send(pbx, at, &reply(&update, 500, "t", pbx));
    }
    assert!(net.said(us).is_empty(), "{:?}", net.said(us));
    let update = net.receive(pbx, "UPDATE", 46);
    net.send(pbx, at, &reply(&update, 481, "t", pbx));
    assert_eq!(net.wait(us, "Ended", 1, want::ended).code, 481);
}

#[test]
fn an_interval_the_exchange_finds_too_short_is_raised() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (_, mut invite) = dial(&mut net, us, pbx, "2110");
    for least in ["3600", "7200"] {
        let mut refusal = reply(&invite, 422, "x", pbx);
        refusal.push("Min-SE", least);
        net.send(pbx, at, &refusal);
        net.receive(pbx, "ACK", 1);
        let again = net.receive(pbx, "INVITE", 1);
        assert_eq!((session_expires(&again), again.header("Min-SE")), (Some(least), Some(least)));
        assert_eq!(again.call_id(), invite.call_id());
        assert_eq!(again.cseq().unwrap().number, invite.cseq().unwrap().number + 1);
        invite = again;
    }
    // A 422 that asks for nothing more is a refusal.
    let mut refusal = reply(&invite, 422, "x", pbx);
    refusal.push("Min-SE", "7200");
    net.send(pbx, at, &refusal);
    assert_eq!(net.wait(us, "Ended", 1, want::ended).code, 422);
}

#[test]
fn a_refresh_whose_interval_is_too_short_is_raised_too() {
    for (method, allow) in [("UPDATE", "INVITE, UPDATE"), ("INVITE", "INVITE")] {
        let (mut net, us, pbx) = desk();
        let at = net.stations[us].at;
        talking(&mut net, us, pbx, &[("Session-Expires", "90;refresher=uac"), ("Allow", allow)]);
        let refresh = net.receive(pbx, method, 46);
        let mut refusal = reply(&refresh, 422, "t", pbx);
        refusal.push("Min-SE", "120");
        net.send(pbx, at, &refusal);
        let again = net.receive(pbx, method, 1);
        assert_eq!(session_expires(&again), Some("120;refresher=uac"), "{method}");
        assert_eq!(again.header("Min-SE"), Some("120"));
    }
}

#[test]
fn a_call_is_ended_in_time_when_the_peer_does_not_refresh_it() {
    let (mut net, us, pbx) = desk();
    talking(&mut net, us, pbx, &[("Require", "timer"), ("Session-Expires", "300;refresher=uas")]);
    let cause = net.wait(us, "Ended", 269, want::ended);
    assert_eq!((cause.by, cause.code), (EndedBy::Timeout, 408));
    assert!((267.9..268.2).contains(&net.seconds()), "32 s before the end: {}", net.seconds());
    let bye = net.receive(pbx, "BYE", 1);
    assert_eq!(bye.header("Reason"), Some("SIP;cause=408;text=\"Session timer expired\""));
}

#[test]
fn a_peer_that_refreshes_keeps_the_call() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let lines = [("Supported", "timer"), ("Session-Expires", "120;refresher=uac")];
    let (_, mut caller, ok) = taken(&mut net, us, pbx, &lines);
    assert_eq!((session_expires(&ok), ok.header("Require")), (Some("120;refresher=uac"), Some("timer")));
    for turn in 0..4 {
        net.pass(Duration::from_secs(75));
        let mut refresh = if turn % 2 == 0 { caller.request(Method::Update) } else { caller.invite() };
        refresh.push("Supported", "timer");
        refresh.push("Session-Expires", "120;refresher=uac");
        net.send(pbx, at, &refresh);
        let ok = net.receive(pbx, "200", 1);
        assert_eq!(session_expires(&ok), Some("120;refresher=uac"));
        if turn % 2 == 1 {
            let ack = caller.ack(&ok);
            net.send(pbx, at, &ack);
        }
    }
    assert_eq!(net.stations[us].agent.live_sessions(), 1);
    assert_eq!(net.wait(us, "Ended", 89, want::ended).by, EndedBy::Timeout);
}

#[test]
fn who_refreshes_is_chosen_as_the_table_of_the_rfc_says() {
    for (lines, agreed, require) in [
        // A proxy asked for it; the caller itself knows nothing of timers, so that it cannot refresh.
        (&[("Session-Expires", "600")][..], Some("600;refresher=uas"), None),
        (&[("Session-Expires", "600;refresher=uac")][..], Some("600;refresher=uas"), None),
        (&[("Supported", "timer"), ("Session-Expires", "600")][..], Some("600;refresher=uas"), None),
        (
            &[("Supported", "timer"), ("Session-Expires", "600;refresher=uac")][..],
            Some("600;refresher=uac"),
            Some("timer"),
        ),
        // Ours to ask for, where the caller knows it.
        (&[("Supported", "timer")][..], Some("1800;refresher=uas"), None),
        (&[("Supported", "timer"), ("Min-SE", "3600")][..], Some("3600;refresher=uas"), None),
        (&[][..], None, None),
    ] {
        let (mut net, us, pbx) = desk();
        let (_, _, ok) = taken(&mut net, us, pbx, lines);
        assert_eq!((session_expires(&ok), ok.header("Require")), (agreed, require), "{lines:?}");
    }
}

#[test]
fn too_short_an_interval_is_refused_where_the_caller_can_raise_it() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let mut caller = Caller::new(pbx, at, "short");
    let mut invite = caller.invite();
    invite.push("Supported", "timer");
    invite.push("Session-Expires", "89");
    net.send(pbx, at, &invite);
    assert_eq!(net.receive(pbx, "422", 1).header("Min-SE"), Some("90"));
    assert!(net.said(us).is_empty());
    let (_, mut caller, ok) = taken(&mut net, us, pbx, &[("Session-Expires", "1")]);
    assert_eq!(session_expires(&ok), Some("1;refresher=uas"), "who cannot be told is taken as it is");
    net.clear(pbx);
    net.pass(Duration::from_secs(9));
    assert_eq!(net.count(pbx, "INVITE"), 0, "but no storm of refreshes comes of it");
    let mut update = caller.request(Method::Update);
    update.push("Supported", "timer");
    update.push("Session-Expires", "30");
    net.send(pbx, at, &update);
    net.receive(pbx, "422 UPDATE", 1);
}

#[test]
fn a_reinvite_that_forgets_the_timer_does_not_lose_it() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let agreed = [("Session-Expires", "300;refresher=uac"), ("Allow", "UPDATE")];
    let (_, invite) = talking(&mut net, us, pbx, &agreed);
    let mut reinvite = within(&invite, "t", pbx, Method::Invite, 1);
    reinvite.set_body("application/sdp", sdp(4000, "sendrecv"));
    net.send(pbx, at, &reinvite);
    let ok = net.receive(pbx, "200 INVITE", 1);
    assert_eq!(session_expires(&ok), Some("300;refresher=uas"));
    let mut ack = within(&invite, "t", pbx, Method::Ack, 1);
    ack.set("Via", "SIP/2.0/UDP 198.51.100.9:5060;rport;branch=z9hG4bKack");
    net.send(pbx, at, &ack);
    net.receive(pbx, "UPDATE", 151);
}

#[test]
fn a_challenged_refresh_is_sent_again_with_its_credentials() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    talking(&mut net, us, pbx, &[("Session-Expires", "90;refresher=uac"), ("Allow", "UPDATE")]);
    let update = net.receive(pbx, "UPDATE", 46);
    let mut challenge = reply(&update, 407, "t", pbx);
    challenge.push("Proxy-Authenticate", "Digest realm=\"pbx.example\", nonce=\"n\", qop=\"auth\"");
    net.send(pbx, at, &challenge);
    let again = net.receive(pbx, "UPDATE", 1);
    assert!(again.header("Proxy-Authorization").is_some());
    assert_eq!(again.cseq().unwrap().number, update.cseq().unwrap().number + 1);
    let mut ok = reply(&again, 200, "t", pbx);
    ok.push("Session-Expires", "90;refresher=uac");
    net.send(pbx, at, &ok);
    net.receive(pbx, "UPDATE", 46);
}

#[test]
fn nothing_of_a_timer_is_left_after_the_call() {
    let (mut net, us, pbx) = desk();
    let (session, _) = talking(&mut net, us, pbx, &[("Session-Expires", "300;refresher=uac")]);
    net.act(us, |agent, now| agent.hang_up(now, session));
    net.pass(Duration::from_secs(120));
    assert_eq!(net.stations[us].agent.poll_timeout(), None);
}
