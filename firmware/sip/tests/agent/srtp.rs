//! Encrypted calls from end to end of the signalling: which are taken, what a refusal says, and what is tried again.

use std::net::SocketAddr;

use sip::sdp::{KeySeed, SrtpKeys};
use sip::{Account, AccountId, Event, Invite, LocalMedia, Message, Srtp};

use crate::net::{FAIR, Net, account, address, media, want};
use crate::script::{Caller, answer, reply};

const US: &str = "192.0.2.1:5060";
const PBX: &str = "198.51.100.9:5060";
const CRYPTO: &str = "a=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n";

fn desk(srtp: Srtp) -> (Net, usize, SocketAddr) {
    let mut net = Net::new(3, FAIR);
    let pbx = net.peer(PBX);
    let us = net.agent(US);
    net.act(us, |agent, now| agent.add_account(now, Account { srtp, ..account(pbx) }));
    (net, us, pbx)
}

fn local(port: u16, srtp: Srtp) -> LocalMedia {
    LocalMedia { srtp, keys: Some(KeySeed::new([port as u8; 32])), ..media(port) }
}

fn body(message: &Message) -> String {
    String::from_utf8(message.body().to_vec()).unwrap()
}

/// An INVITE of the exchange whose description is changed by `change`.
fn invite(caller: &mut Caller, change: impl Fn(String) -> String) -> Message {
    let mut invite = caller.invite();
    let changed = change(body(&invite));
    invite.set_body("application/sdp", changed.into_bytes());
    invite
}

fn keys(net: &Net, us: usize, session: sip::SessionId) -> Option<SrtpKeys> {
    net.stations[us].agent.media(session).and_then(|media| media.srtp.clone())
}

#[test]
fn a_call_that_is_not_encrypted_as_the_account_has_it_is_refused_and_told_why() {
    let secured = |sdp: String| sdp.replace("RTP/AVP", "RTP/SAVP") + CRYPTO;
    let sealed = |sdp: String| sdp.replace("RTP/AVP", "RTP/SAVP");
    let plain = |sdp: String| sdp;
    type Change = fn(String) -> String;
    let cases: [(Srtp, Change, &str); 4] = [
        (Srtp::Mandatory, plain, "only encrypted calls (SRTP) are taken here"),
        (Srtp::Mandatory, sealed, "no common SRTP crypto suite"),
        (Srtp::Optional, sealed, "no common SRTP crypto suite"),
        (Srtp::Off, secured, "no audio over plain RTP/AVP"),
    ];
    for (srtp, change, why) in cases {
        let (mut net, us, pbx) = desk(srtp);
        let mut caller = Caller::new(pbx, address(US), "c1");
        net.send(pbx, address(US), &invite(&mut caller, change));
        let refusal = net.receive(pbx, "488 INVITE", 1);
        assert_eq!(refusal.header("Warning"), Some(format!("302 192.0.2.1 \"{why}\"").as_str()));
        assert!(net.said(us).is_empty(), "{srtp:?}");
    }
}

#[test]
fn an_encrypted_call_is_answered_with_a_key_that_the_program_learns_at_once() {
    for srtp in [Srtp::Optional, Srtp::Mandatory] {
        let (mut net, us, pbx) = desk(srtp);
        let mut caller = Caller::new(pbx, address(US), "c1");
        net.send(pbx, address(US), &invite(&mut caller, |sdp| sdp.replace("RTP/AVP", "RTP/SAVP") + CRYPTO));
        let session = net.wait(us, "Incoming", 1, want::incoming);
        assert_eq!(keys(&net, us, session), None);
        net.act(us, |agent, now| agent.accept(now, session, local(3000, srtp)));
        let agreed = keys(&net, us, session).expect("both keys, before the ACK");
        let ok = net.receive(pbx, "200 INVITE", 1);
        let text = body(&ok);
        assert!(
            text.contains(" RTP/SAVP 8") && text.contains("a=crypto:7 AES_CM_128_HMAC_SHA1_80 "),
            "{text}"
        );
        net.send(pbx, address(US), &caller.ack(&ok));
        assert_eq!(net.wait(us, "Confirmed", 1, want::confirmed).srtp, Some(agreed.clone()));

        // Hold keeps both keys; another key of theirs changes both.
        let change =
            |sdp: String| sdp.replace("RTP/AVP", "RTP/SAVP").replace("sendrecv", "sendonly") + CRYPTO;
        net.send(pbx, address(US), &invite(&mut caller, change));
        let ok = net.receive(pbx, "200 INVITE", 1);
        net.send(pbx, address(US), &caller.ack(&ok));
        net.pass(std::time::Duration::from_millis(10));
        assert_eq!(keys(&net, us, session), Some(agreed.clone()));
        let change = |sdp: String| sdp.replace("RTP/AVP", "RTP/SAVP") + &CRYPTO.replace("WVNf", "AAAA");
        net.send(pbx, address(US), &invite(&mut caller, change));
        let ok = net.receive(pbx, "200 INVITE", 1);
        net.send(pbx, address(US), &caller.ack(&ok));
        net.pass(std::time::Duration::from_millis(10));
        let after = keys(&net, us, session).unwrap();
        assert!(after.local != agreed.local && after.remote != agreed.remote);
    }
}

#[test]
fn a_call_without_keys_at_hand_is_not_answered_in_the_clear() {
    let (mut net, us, pbx) = desk(Srtp::Mandatory);
    let mut caller = Caller::new(pbx, address(US), "c1");
    net.send(pbx, address(US), &invite(&mut caller, |sdp| sdp + CRYPTO));
    let session = net.wait(us, "Incoming", 1, want::incoming);
    let local = LocalMedia { keys: None, ..local(3000, Srtp::Mandatory) };
    net.act(us, |agent, now| agent.accept(now, session, local));
    net.receive(pbx, "488 INVITE", 1);
    assert_eq!(net.wait(us, "Ended", 1, want::ended).code, 488);
}

fn call(agent: &mut sip::UserAgent, now: std::time::Instant, srtp: Srtp) -> sip::SessionId {
    agent.invite(now, Invite::new(AccountId(1), "200", local(3000, srtp))).unwrap()
}

#[test]
fn an_offer_of_encryption_that_is_refused_insists_once_and_is_then_made_without() {
    let (mut net, us, pbx) = desk(Srtp::Optional);
    net.act(us, |agent, now| call(agent, now, Srtp::Optional));
    let first = net.receive(pbx, "INVITE", 1);
    assert!(body(&first).contains(" RTP/AVP ") && body(&first).contains("a=crypto:1 "));
    net.send(pbx, address(US), &reply(&first, 488, "t1", pbx));
    let second = net.receive(pbx, "INVITE", 1);
    assert!(body(&second).contains(" RTP/SAVP ") && body(&second).contains("a=crypto:1 "));
    net.send(pbx, address(US), &reply(&second, 488, "t2", pbx));
    let third = net.receive(pbx, "INVITE", 1);
    assert!(body(&third).contains(" RTP/AVP ") && !body(&third).contains("crypto"));
    assert_eq!((third.call_id(), third.cseq().unwrap().number), (first.call_id(), 3));
    net.send(pbx, address(US), &answer(&third, "t3", pbx, "sendrecv"));
    assert_eq!(net.wait(us, "Answered", 1, want::answered).srtp, None);

    for srtp in [Srtp::Optional, Srtp::Mandatory, Srtp::Off] {
        let (mut net, us, pbx) = desk(srtp);
        net.act(us, |agent, now| call(agent, now, srtp));
        let invites = if srtp == Srtp::Optional { 3 } else { 1 };
        for _ in 0..invites {
            let invite = net.receive(pbx, "INVITE", 1);
            let is_secure = body(&invite).contains("SAVP") || body(&invite).contains("crypto");
            assert!(srtp != Srtp::Off || !is_secure, "{}", body(&invite));
            net.send(pbx, address(US), &reply(&invite, 488, "t1", pbx));
        }
        assert_eq!(net.wait(us, "Ended", 1, want::ended).code, 488);
        net.pass(std::time::Duration::from_secs(60));
        assert_eq!(net.count(pbx, "INVITE"), 0, "{srtp:?}");
    }
}

#[test]
fn a_peer_that_insists_on_encryption_is_called_by_a_desk_that_may_encrypt() {
    let (mut net, us, pbx) = desk(Srtp::Optional);
    let session = net.act(us, |agent, now| call(agent, now, Srtp::Optional));
    let plain = net.receive(pbx, "INVITE", 1);
    net.send(pbx, address(US), &reply(&plain, 488, "t1", pbx));
    net.receive(pbx, "ACK", 1);
    let insists = net.receive(pbx, "INVITE", 1);
    let mut ok = answer(&insists, "t2", pbx, "sendrecv");
    let sealed = body(&ok).replace("RTP/AVP", "RTP/SAVP") + &CRYPTO.replace("crypto:7", "crypto:1");
    ok.set_body("application/sdp", sealed.into_bytes());
    net.send(pbx, address(US), &ok);
    let media = net.wait(us, "Answered", 1, want::answered);
    assert!(media.srtp.is_some() && media.srtp == keys(&net, us, session));
}

#[test]
fn an_answer_in_the_clear_ends_a_call_that_must_be_encrypted() {
    let (mut net, us, pbx) = desk(Srtp::Mandatory);
    net.act(us, |agent, now| {
        agent.invite(now, Invite::new(AccountId(1), "200", local(3000, Srtp::Mandatory))).unwrap();
    });
    let invite = net.receive(pbx, "INVITE", 1);
    assert!(body(&invite).contains(" RTP/SAVP "));
    net.send(pbx, address(US), &answer(&invite, "t1", pbx, "sendrecv"));
    net.receive(pbx, "ACK", 1);
    net.receive(pbx, "BYE", 1);
    let cause = net.wait(us, "Ended", 1, want::ended);
    assert_eq!((cause.code, cause.reason.as_str()), (488, "only encrypted calls (SRTP) are taken here"));
    assert!(!net.stations[us].events.iter().any(|event| matches!(event, Event::Answered { .. })));
}
