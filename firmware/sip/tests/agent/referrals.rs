//! Being asked to call somebody (REFER, RFC 3515 and RFC 5589): as the transferee, out of nothing, and being the target.

use std::net::SocketAddr;

use sip::{AccountId, Config, EndedBy, Event, Invite, Message, Method, Replaces, RequestId, SessionId};

use crate::net::{FAIR, Net, account, address, media, want};
use crate::script::{Caller, answer, reply, within};

const US: &str = "192.0.2.1:5060";
const PBX: &str = "198.51.100.9:5060";

/// A telephone that carries out transfers, and its exchange.
fn desk() -> (Net, usize, SocketAddr) {
    let mut net = Net::new(41, FAIR);
    let pbx = net.peer(PBX);
    let us = net.agent_with(Config { takes_refer: true, ..Config::new(address(US)) });
    net.act(us, |agent, now| agent.add_account(now, account(pbx)));
    (net, us, pbx)
}

/// A call of ours that the exchange answered.
fn talking(net: &mut Net, us: usize, pbx: SocketAddr) -> (SessionId, Message) {
    let at = net.stations[us].at;
    let call = Invite::new(AccountId(1), "2110", media(3000));
    let session = net.act(us, |agent, now| agent.invite(now, call)).unwrap();
    let invite = net.receive(pbx, "INVITE", 1);
    net.send(pbx, at, &answer(&invite, "t", pbx, "sendrecv"));
    net.wait(us, "Answered", 1, want::answered);
    net.receive(pbx, "ACK", 1);
    (session, invite)
}

type Asked = (SessionId, String, Option<Replaces>, Option<String>);

fn refer(event: &Event) -> Option<Asked> {
    match event {
        Event::Refer { session, target, replaces, referred_by } => {
            Some((*session, target.clone(), replaces.clone(), referred_by.clone()))
        }
        _ => None,
    }
}

fn referral(event: &Event) -> Option<(RequestId, AccountId, String)> {
    match event {
        Event::Referral { id, account, target, .. } => Some((*id, *account, target.clone())),
        _ => None,
    }
}

/// The state of the referral and the first line of what is told.
fn news(notify: &Message) -> (String, String) {
    let state = notify.header("Subscription-State").unwrap().split(';').next().unwrap().to_owned();
    let line = String::from_utf8_lossy(notify.body()).lines().next().unwrap().to_owned();
    (state, line)
}

#[test]
fn a_telephone_takes_refer_only_where_the_program_wants_it() {
    let mut net = Net::new(42, FAIR);
    let pbx = net.peer(PBX);
    let us = net.phone(US, pbx);
    let (_, invite) = talking(&mut net, us, pbx);
    assert!(!invite.headers("Allow").any(|method| method == "REFER"));
    let mut refer = within(&invite, "t", pbx, Method::Refer, 1);
    refer.push("Refer-To", "<sip:2120@pbx.example>");
    net.send(pbx, address(US), &refer);
    net.receive(pbx, "405", 1);
    let (mut net, us, pbx) = desk();
    let (_, invite) = talking(&mut net, us, pbx);
    assert!(invite.headers("Allow").any(|method| method == "REFER"));
    assert!(net.said(us).is_empty());
}

#[test]
fn the_transferee_calls_the_target_in_place_of_the_consultation_and_tells_how_it_goes() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (session, first) = talking(&mut net, us, pbx);
    let mut request = within(&first, "t", pbx, Method::Refer, 1);
    request.push("Refer-To", "<sip:2120@pbx.example?Replaces=abc%3Bto-tag%3Dx%3Bfrom-tag%3Dy&Subject=evil>");
    request.push("Referred-By", "<sip:2110@pbx.example>");
    net.send(pbx, at, &request);
    let (of, target, replaces, referred_by) = net.wait(us, "Refer", 1, refer);
    assert_eq!((of, target.as_str()), (session, "sip:2120@pbx.example"));
    let mut call = Invite::new(AccountId(1), target, media(3002));
    call.replaces = replaces;
    call.headers = referred_by.map(|by| vec![("Referred-By".to_owned(), by)]).unwrap_or_default();
    net.act(us, |agent, now| {
        agent.refer_progress(now, session, 100);
        agent.invite(now, call).unwrap()
    });
    net.receive(pbx, "202", 1);
    let trying = net.receive(pbx, "NOTIFY", 1);
    assert_eq!(news(&trying), ("active".into(), "SIP/2.0 100 Trying".into()));
    assert_eq!(trying.header("Event"), Some("refer;id=1"));
    let second = net.receive(pbx, "INVITE", 1);
    assert_eq!(second.header("Replaces"), Some("abc;to-tag=x;from-tag=y"));
    assert_eq!(second.header("Referred-By"), Some("<sip:2110@pbx.example>"));
    assert_eq!(second.header("Subject"), None, "nothing else of the URI becomes ours");
    // Another REFER while this one goes on.
    let mut again = within(&first, "t", pbx, Method::Refer, 2);
    again.push("Refer-To", "<sip:2130@pbx.example>");
    net.send(pbx, at, &again);
    net.receive(pbx, "491", 1);
    // An exchange asks for credentials here too.
    let mut challenge = reply(&trying, 407, "t", pbx);
    challenge.push("Proxy-Authenticate", "Digest realm=\"pbx.example\", nonce=\"n\", qop=\"auth\"");
    net.send(pbx, at, &challenge);
    assert!(net.receive(pbx, "NOTIFY", 1).header("Proxy-Authorization").is_some());
    net.send(pbx, at, &answer(&second, "u", pbx, "sendrecv"));
    net.wait(us, "Answered", 1, want::answered);
    net.act(us, |agent, now| agent.refer_progress(now, session, 200));
    assert_eq!(news(&net.receive(pbx, "NOTIFY", 1)), ("terminated".into(), "SIP/2.0 200 OK".into()));
    net.send(pbx, at, &within(&first, "t", pbx, Method::Bye, 3));
    assert_eq!(net.wait(us, "Ended", 1, want::ended).by, EndedBy::Remote);
    assert_eq!(net.stations[us].agent.live_sessions(), 1, "the transferred call goes on");
}

#[test]
fn a_refused_transfer_and_one_that_fails_leave_the_call_alive() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (session, invite) = talking(&mut net, us, pbx);
    let mut request = within(&invite, "t", pbx, Method::Refer, 1);
    request.push("Refer-To", "<sip:2120@pbx.example>");
    net.send(pbx, at, &request);
    net.wait(us, "Refer", 1, refer);
    net.act(us, |agent, now| agent.refuse_refer(now, session, 603));
    net.receive(pbx, "603 REFER", 1);
    let mut request = within(&invite, "t", pbx, Method::Refer, 2);
    request.push("Refer-To", "<sip:2120@pbx.example>");
    net.send(pbx, at, &request);
    net.wait(us, "Refer", 1, refer);
    net.act(us, |agent, now| {
        agent.refer_progress(now, session, 100);
        agent.refer_progress(now, session, 486);
    });
    net.receive(pbx, "202", 1);
    net.receive(pbx, "NOTIFY", 1);
    assert_eq!(news(&net.receive(pbx, "NOTIFY", 1)), ("terminated".into(), "SIP/2.0 486 Busy Here".into()));
    for broken in ["<tel:>", "<sip:a@b>, <sip:c@d>", "<sip:a@b?Replaces=x>"] {
        let number = 3 + broken.len() as u32;
        let mut request = within(&invite, "t", pbx, Method::Refer, number);
        request.push("Refer-To", broken);
        net.send(pbx, at, &request);
        net.receive(pbx, "400 REFER", 1);
    }
    assert_eq!(net.stations[us].agent.live_sessions(), 1);
}

/// Who can have us call any number can have us call one that costs money.
#[test]
fn nobody_but_our_exchange_may_have_us_call_somebody() {
    let (mut net, us, _) = desk();
    let at = net.stations[us].at;
    let stranger = net.peer("203.0.113.66:5060");
    let mut caller = Caller::new(stranger, at, "stranger");
    let mut outside = caller.request(Method::Refer);
    outside.push("Refer-To", "<sip:0900@pbx.example>");
    net.send(stranger, at, &outside);
    net.receive(stranger, "403 REFER", 1);
    let invite = caller.invite();
    net.send(stranger, at, &invite);
    let session = net.wait(us, "Incoming", 1, want::incoming);
    net.act(us, |agent, now| agent.accept(now, session, media(3000)));
    let ok = net.receive(stranger, "200 INVITE", 1);
    let ack = caller.ack(&ok);
    net.send(stranger, at, &ack);
    net.wait(us, "Confirmed", 1, want::confirmed);
    let mut inside = caller.request(Method::Refer);
    inside.push("Refer-To", "<sip:0900@pbx.example>");
    net.send(stranger, at, &inside);
    net.receive(stranger, "403 REFER", 1);
    assert!(net.said(us).is_empty(), "{:?}", net.said(us));
}

#[test]
fn a_call_asked_for_out_of_nothing_is_told_of_until_it_is_answered() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let mut caller = Caller::new(pbx, at, "click");
    let mut request = caller.request(Method::Refer);
    request.push("Refer-To", "<sip:2120@pbx.example>");
    net.send(pbx, at, &request);
    let (id, account, target) = net.wait(us, "Referral", 1, referral);
    assert_eq!((account, target.as_str()), (AccountId(1), "sip:2120@pbx.example"));
    let notifier = net.act(us, |agent, now| agent.accept_referral(now, id)).unwrap();
    assert_eq!(net.act(us, |agent, now| agent.accept_referral(now, id)), None, "once");
    let accepted = net.receive(pbx, "202", 1);
    let tag = accepted.to().unwrap().tag().map(str::to_owned);
    let trying = net.receive(pbx, "NOTIFY", 1);
    assert_eq!(trying.from().unwrap().tag().map(str::to_owned), tag);
    assert_eq!(trying.header("Event"), Some("refer"));
    assert_eq!(trying.content_type().as_deref(), Some("message/sipfrag"));
    assert_eq!(news(&trying), ("active".into(), "SIP/2.0 100 Trying".into()));
    // The next news waits for the answer to this one.
    net.act(us, |agent, now| {
        agent.referral_progress(now, notifier, 180);
        agent.referral_progress(now, notifier, 200);
    });
    let mut challenge = reply(&trying, 401, "x", pbx);
    challenge.push("WWW-Authenticate", "Digest realm=\"pbx.example\", nonce=\"n\"");
    net.send(pbx, at, &challenge);
    let again = net.receive(pbx, "NOTIFY", 1);
    assert!(again.header("Authorization").is_some());
    net.send(pbx, at, &reply(&again, 200, "x", pbx));
    let ringing = net.receive(pbx, "NOTIFY", 1);
    assert_eq!(news(&ringing).1, "SIP/2.0 180 Ringing");
    net.send(pbx, at, &reply(&ringing, 200, "x", pbx));
    let last = net.receive(pbx, "NOTIFY", 1);
    assert_eq!(news(&last), ("terminated".into(), "SIP/2.0 200 OK".into()));
}

#[test]
fn a_call_asked_for_out_of_nothing_may_be_refused_or_unreadable() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let mut caller = Caller::new(pbx, at, "click");
    let nameless = caller.request(Method::Refer);
    net.send(pbx, at, &nameless);
    net.receive(pbx, "400 REFER", 1);
    let mut request = caller.request(Method::Refer);
    request.push("Refer-To", "<sip:2120@pbx.example>");
    net.send(pbx, at, &request);
    let (id, ..) = net.wait(us, "Referral", 1, referral);
    net.act(us, |agent, now| agent.refuse_referral(now, id, 603));
    net.receive(pbx, "603 REFER", 1);
    assert_eq!(net.act(us, |agent, now| agent.accept_referral(now, id)), None);
}

/// The other end of the consultation: the transferee's INVITE comes by way of the exchange.
#[test]
fn the_target_of_an_attended_transfer_changes_over_to_the_transferee() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (old, invite) = talking(&mut net, us, pbx);
    let ours = invite.from().unwrap().tag().unwrap().to_owned();
    let mut caller = Caller::new(pbx, at, "transferee");
    let mut taking = caller.invite();
    taking.push("Replaces", format!("{};to-tag={ours};from-tag=t", invite.call_id().unwrap()));
    taking.push("Require", "replaces");
    taking.push("Referred-By", "<sip:2110@pbx.example>;cid=\"20398823.2UWQFN309shb3@a.example\"");
    net.send(pbx, at, &taking);
    let new = net.wait(us, "Incoming", 1, |event| match event {
        Event::Incoming { session, replaces, request, .. } if *replaces == Some(old) => {
            request.header("Referred-By").map(|_| *session)
        }
        _ => None,
    });
    net.act(us, |agent, now| agent.accept(now, new, media(3002)));
    let ok = net.receive(pbx, "200 INVITE", 1);
    let ack = caller.ack(&ok);
    net.send(pbx, at, &ack);
    assert_eq!(net.receive(pbx, "BYE", 1).call_id(), invite.call_id());
    assert_eq!(net.wait(us, "Ended", 1, want::ended).reason, "replaced");
    net.wait(us, "Confirmed", 1, want::confirmed);
}
