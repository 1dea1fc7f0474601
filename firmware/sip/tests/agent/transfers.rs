//! Transfers that we ask for: how their fate is told, and what an exchange may have done meanwhile.

use std::net::SocketAddr;
use std::time::Duration;

use sip::{Event, Message, Method, SessionId, TransferResult};

use crate::net::{Net, want};
use crate::script::{answer, reply, sdp, within};
use crate::steps::{PBX, desk, talking};

fn refer(net: &mut Net) -> (usize, SocketAddr, SessionId, Message, Message) {
    let pbx: SocketAddr = PBX.parse().unwrap();
    let (us, at) = (0, net.stations[0].at);
    let (session, invite) = talking(net, us, pbx);
    net.act(us, |agent, now| agent.refer(now, session, "2120"));
    let refer = net.receive(pbx, "REFER", 1);
    net.send(pbx, at, &reply(&refer, 202, "t", pbx));
    (us, pbx, session, invite, refer)
}

fn sipfrag(invite: &Message, number: u32, line: &str, state: &str) -> Message {
    let mut notify = within(invite, "t", PBX.parse().unwrap(), Method::Notify, number);
    notify.push("Event", "refer");
    notify.push("Subscription-State", state);
    notify.set_body("message/sipfrag;version=2.0", format!("SIP/2.0 {line}\r\n").into_bytes());
    notify
}

#[test]
fn a_transfer_tells_its_progress_and_its_success() {
    let (mut net, ..) = desk();
    let (us, pbx, session, invite, _) = refer(&mut net);
    let at = net.stations[us].at;
    for (number, line) in [(1, "100 Trying"), (2, "180 Ringing")] {
        net.send(pbx, at, &sipfrag(&invite, number, line, "active;expires=60"));
        let code = net.wait(us, "TransferProgress", 1, |event| match event {
            Event::TransferProgress { code, .. } => Some(*code),
            _ => None,
        });
        assert!(line.starts_with(&code.to_string()));
        net.receive(pbx, "200 NOTIFY", 1);
    }
    net.send(pbx, at, &sipfrag(&invite, 3, "200 OK", "terminated;reason=noresource"));
    assert_eq!(net.wait(us, "TransferEnded", 1, want::transferred), TransferResult::Ok(200));
    assert_eq!(net.stations[us].agent.live_sessions(), 1, "we hang up, not the REFER");
    net.act(us, |agent, now| agent.hang_up(now, session));
    net.receive(pbx, "BYE", 1);
    // A NOTIFY that comes late is still answered with 200.
    net.send(pbx, at, &sipfrag(&invite, 4, "200 OK", "terminated;reason=noresource"));
    net.receive(pbx, "200 NOTIFY", 1);
}

#[test]
fn a_transfer_target_that_refuses_leaves_every_call_alive() {
    let (mut net, ..) = desk();
    let (us, pbx, session, invite, _) = refer(&mut net);
    let at = net.stations[us].at;
    net.send(pbx, at, &sipfrag(&invite, 1, "486 Busy Here", "terminated;reason=noresource"));
    let asked = net.receive(pbx, "INVITE", 1);
    assert!(net.said(us).is_empty(), "not before the call is known to be there");
    net.send(pbx, at, &answer(&asked, "t", pbx, "sendrecv"));
    net.receive(pbx, "ACK", 1);
    let result = net.wait(us, "TransferEnded", 1, want::transferred);
    assert_eq!(result, TransferResult::Refused(486, "Busy Here".into()));
    assert_eq!(net.stations[us].agent.live_sessions(), 1);
    // And it can be tried again.
    net.act(us, |agent, now| agent.refer(now, session, "2130"));
    net.receive(pbx, "REFER", 1);
}

/// As Asterisk does: the caller is no longer on our leg, which stands until something is asked in it.
#[test]
fn a_transfer_that_fails_when_the_exchange_has_the_caller_no_longer_is_told_after_the_end_of_the_call() {
    for bye_first in [true, false] {
        let (mut net, ..) = desk();
        let (us, pbx, _, invite, _) = refer(&mut net);
        let at = net.stations[us].at;
        net.send(pbx, at, &sipfrag(&invite, 1, "503 Service Unavailable", "terminated;reason=noresource"));
        let asked = net.receive(pbx, "INVITE", 1);
        let bye = within(&invite, "t", pbx, Method::Bye, 5);
        let yes = answer(&asked, "t", pbx, "sendrecv");
        for said in if bye_first { [&bye, &yes] } else { [&yes, &bye] } {
            net.send(pbx, at, said);
        }
        net.wait(us, "Ended", 1, want::ended);
        let result = net.wait(us, "TransferEnded", 0, want::transferred);
        assert_eq!(result, TransferResult::Refused(503, "Service Unavailable".into()));
        assert_eq!(net.stations[us].agent.live_sessions(), 0);
    }
}

#[test]
fn a_failed_transfer_is_told_though_the_peer_does_not_say_whether_the_call_is_there() {
    let (mut net, ..) = desk();
    let (us, pbx, _, invite, _) = refer(&mut net);
    let at = net.stations[us].at;
    net.send(pbx, at, &sipfrag(&invite, 1, "486 Busy Here", "terminated;reason=noresource"));
    net.receive(pbx, "INVITE", 1);
    net.pass(Duration::from_millis(1900));
    assert!(net.said(us).is_empty());
    let result = net.wait(us, "TransferEnded", 1, want::transferred);
    assert_eq!(result, TransferResult::Refused(486, "Busy Here".into()));
    assert_eq!(net.stations[us].agent.live_sessions(), 1);
}

#[test]
fn a_transfer_that_the_program_gives_up_is_told_once_the_call_is_known_to_be_there_and_its_fate_after_all() {
    let (mut net, ..) = desk();
    let (us, pbx, session, invite, _) = refer(&mut net);
    let at = net.stations[us].at;
    net.send(pbx, at, &sipfrag(&invite, 1, "180 Ringing", "active;expires=60"));
    net.receive(pbx, "200 NOTIFY", 1);
    net.said(us);
    net.act(us, |agent, now| agent.give_up_transfer(now, session));
    let asked = net.receive(pbx, "INVITE", 1);
    net.send(pbx, at, &answer(&asked, "t", pbx, "sendrecv"));
    assert_eq!(net.wait(us, "TransferEnded", 1, want::transferred), TransferResult::NoNotify);
    net.send(pbx, at, &sipfrag(&invite, 2, "200 OK", "terminated;reason=noresource"));
    assert_eq!(net.wait(us, "TransferEnded", 1, want::transferred), TransferResult::Ok(200));
}

#[test]
fn a_success_that_comes_while_a_given_up_transfer_is_asked_about_is_its_only_end() {
    let (mut net, ..) = desk();
    let (us, pbx, session, invite, _) = refer(&mut net);
    let at = net.stations[us].at;
    net.pass(Duration::from_millis(100)); // the 202 arrives
    net.act(us, |agent, now| agent.give_up_transfer(now, session));
    net.receive(pbx, "INVITE", 1);
    net.send(pbx, at, &sipfrag(&invite, 1, "200 OK", "terminated;reason=noresource"));
    assert_eq!(net.wait(us, "TransferEnded", 1, want::transferred), TransferResult::Ok(200));
    net.pass(Duration::from_secs(5));
    assert!(net.said(us).is_empty());
}

#[test]
fn a_transfer_that_nobody_has_taken_on_is_given_up_at_once() {
    let (mut net, us, pbx) = desk();
    let (session, _) = talking(&mut net, us, pbx);
    net.act(us, |agent, now| agent.refer(now, session, "2120"));
    net.receive(pbx, "REFER", 1);
    net.act(us, |agent, now| agent.give_up_transfer(now, session));
    assert_eq!(net.wait(us, "TransferEnded", 0, want::transferred), TransferResult::NoNotify);
    assert_eq!(net.count(pbx, "INVITE"), 0);
}

#[test]
fn a_notify_may_overtake_the_202() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (session, invite) = talking(&mut net, us, pbx);
    net.act(us, |agent, now| agent.refer(now, session, "2120"));
    let refer = net.receive(pbx, "REFER", 1);
    net.send(pbx, at, &sipfrag(&invite, 1, "200 OK", "terminated;reason=noresource"));
    net.send(pbx, at, &reply(&refer, 202, "t", pbx));
    assert_eq!(net.wait(us, "TransferEnded", 1, want::transferred), TransferResult::Ok(200));
    net.pass(Duration::from_secs(300));
    assert!(net.said(us).is_empty(), "exactly one end");
}

#[test]
fn the_telephones_own_hold_may_overtake_the_news_that_the_target_has_answered() {
    let (mut net, ..) = desk();
    let (us, pbx, session, invite, _) = refer(&mut net);
    let at = net.stations[us].at;
    let mut hold = within(&invite, "t", pbx, Method::Invite, 3);
    hold.set_body("application/sdp", sdp(4000, "sendonly"));
    net.send(pbx, at, &hold);
    net.receive(pbx, "200 INVITE", 1);
    net.send(pbx, at, &within(&invite, "t", pbx, Method::Ack, 3));
    net.send(pbx, at, &sipfrag(&invite, 2, "200 OK", "terminated;reason=noresource"));
    assert_eq!(net.wait(us, "TransferEnded", 1, want::transferred), TransferResult::Ok(200));
    net.receive(pbx, "200 NOTIFY", 1);
    // What the news of the end has overtaken is stale.
    net.send(pbx, at, &sipfrag(&invite, 1, "180 Ringing", "active;expires=60"));
    net.receive(pbx, "500 NOTIFY", 1);
    net.act(us, |agent, now| agent.hang_up(now, session));
    net.receive(pbx, "BYE", 1);
}

#[test]
fn a_refused_a_silent_and_an_unanswered_refer_each_end_once() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (session, invite) = talking(&mut net, us, pbx);
    net.act(us, |agent, now| agent.refer(now, session, "2120"));
    let refer = net.receive(pbx, "REFER", 1);
    net.send(pbx, at, &reply(&refer, 603, "t", pbx));
    let result = net.wait(us, "TransferEnded", 1, want::transferred);
    assert_eq!(result, TransferResult::Refused(603, "Decline".into()));

    net.act(us, |agent, now| agent.refer(now, session, "2120"));
    let refer = net.receive(pbx, "REFER", 1);
    net.send(pbx, at, &reply(&refer, 202, "t", pbx));
    let asked = net.receive(pbx, "INVITE", 61);
    net.send(pbx, at, &answer(&asked, "t", pbx, "sendrecv"));
    assert_eq!(net.wait(us, "TransferEnded", 1, want::transferred), TransferResult::NoNotify);

    net.act(us, |agent, now| agent.refer(now, session, "2120"));
    net.receive(pbx, "REFER", 1);
    assert_eq!(net.wait(us, "TransferEnded", 33, want::transferred), TransferResult::Timeout);

    net.act(us, |agent, now| agent.refer(now, session, "2120"));
    let refer = net.receive(pbx, "REFER", 1);
    net.send(pbx, at, &reply(&refer, 202, "t", pbx));
    net.send(pbx, at, &sipfrag(&invite, 1, "180 Ringing", "terminated;reason=giveup"));
    let asked = net.receive(pbx, "INVITE", 1);
    net.send(pbx, at, &answer(&asked, "t", pbx, "sendrecv"));
    assert_eq!(net.wait(us, "TransferEnded", 1, want::transferred), TransferResult::NoNotify);
    assert!(net.said(us).is_empty() && net.stations[us].agent.live_sessions() == 1);
}

#[test]
fn a_second_transfer_is_refused_while_the_peer_has_not_answered_the_first() {
    let (mut net, us, pbx) = desk();
    let (session, _) = talking(&mut net, us, pbx);
    net.act(us, |agent, now| agent.refer(now, session, "2120"));
    net.receive(pbx, "REFER", 1);
    net.act(us, |agent, now| agent.refer(now, session, "2130"));
    let result = net.wait(us, "TransferEnded", 0, want::transferred);
    assert!(matches!(result, TransferResult::Refused(491, _)));
}

#[test]
fn a_second_transfer_takes_the_place_of_one_whose_fate_stays_unknown() {
    let (mut net, ..) = desk();
    let (us, pbx, session, invite, first) = refer(&mut net);
    let at = net.stations[us].at;
    net.pass(Duration::from_millis(100)); // the 202 arrives
    net.act(us, |agent, now| agent.refer(now, session, "2130"));
    let second = net.receive(pbx, "REFER", 1);
    assert!(second.header("Refer-To").unwrap().contains("2130"));
    net.send(pbx, at, &reply(&second, 202, "t", pbx));
    let id = |refer: &Message| format!("refer;id={}", refer.cseq().unwrap().number);

    let mut late = sipfrag(&invite, 1, "486 Busy Here", "terminated;reason=noresource");
    late.set("Event", id(&first));
    net.send(pbx, at, &late);
    net.receive(pbx, "200 NOTIFY", 1);
    assert!(net.said(us).is_empty(), "the first is given up, its news says nothing of the second");

    let mut news = sipfrag(&invite, 2, "200 OK", "terminated;reason=noresource");
    news.set("Event", id(&second));
    net.send(pbx, at, &news);
    assert_eq!(net.wait(us, "TransferEnded", 1, want::transferred), TransferResult::Ok(200));
}
