//! Digest authentication (RFC 7616, RFC 8760) of everything a telephone sends, by an exchange that asks each time.

use std::net::SocketAddr;

use sip::digest::{Algorithm, Verdict, Verifier};
use sip::{Account, AccountId, Invite, Message, Package};

use crate::net::{Net, account, media, want};
use crate::script::{answer, reply};
use crate::steps::desk;

fn verifier(algorithm: Algorithm) -> Verifier {
    Verifier::new("pbx.example", algorithm, "key", 1000)
}

/// Lets the exchange refuse the next request of that method, which may carry an answer to a challenge before, and
/// hands out the one that follows. Each challenge has a nonce of its own.
fn challenged(
    net: &mut Net,
    us: usize,
    pbx: SocketAddr,
    method: &str,
    algorithm: Algorithm,
    turn: u64,
) -> Message {
    let at = net.stations[us].at;
    let first = net.receive(pbx, method, 1);
    let mut refusal = reply(&first, 407, "t", pbx);
    refusal.push("Proxy-Authenticate", verifier(algorithm).challenge(turn, true));
    net.send(pbx, at, &refusal);
    if method == "INVITE" {
        net.receive(pbx, "ACK", 1);
    }
    let again = net.receive(pbx, method, 1);
    assert!(again.cseq().unwrap().number > first.cseq().unwrap().number, "{method}");
    assert_eq!(again.headers("Proxy-Authorization").count(), 1);
    assert_eq!(verdict(&again, method, algorithm, turn), Verdict::Accepted, "{method} {algorithm:?}");
    again
}

fn verdict(request: &Message, method: &str, algorithm: Algorithm, now_s: u64) -> Verdict {
    let answer = request.header("Proxy-Authorization").unwrap();
    verifier(algorithm).verify(now_s, answer, "secret", method, request.body())
}

#[test]
fn every_method_is_sent_again_with_credentials_and_every_algorithm_is_known() {
    use Algorithm::{Md5, Md5Sess, Sha256, Sha256Sess, Sha512_256, Sha512_256Sess};
    for algorithm in [Md5, Md5Sess, Sha256, Sha256Sess, Sha512_256, Sha512_256Sess] {
        let (mut net, us, pbx) = desk();
        let at = net.stations[us].at;
        let ask = |net: &mut Net, method: &str, turn| challenged(net, us, pbx, method, algorithm, turn);
        net.act(us, |agent, now| agent.register(now, AccountId(1), true));
        ask(&mut net, "REGISTER", 1);
        net.act(us, |agent, now| agent.subscribe(now, AccountId(1), "23", Package::Dialog));
        ask(&mut net, "SUBSCRIBE", 2);
        let call = Invite::new(AccountId(1), "2110", media(3000));
        let session = net.act(us, |agent, now| agent.invite(now, call)).unwrap();
        let invite = ask(&mut net, "INVITE", 3);
        let mut early = reply(&invite, 180, "t", pbx);
        early.push("Require", "100rel");
        early.push("RSeq", "1");
        net.send(pbx, at, &early);
        ask(&mut net, "PRACK", 4);
        let mut ok = answer(&invite, "t", pbx, "sendrecv");
        ok.push("Session-Expires", "90;refresher=uac");
        ok.push("Allow", "UPDATE");
        net.send(pbx, at, &ok);
        let ack = net.receive(pbx, "ACK", 1);
        assert_eq!(
            ack.header("Proxy-Authorization"),
            invite.header("Proxy-Authorization"),
            "as in its INVITE"
        );
        net.wait(us, "Answered", 1, want::answered);
        net.act(us, |agent, now| agent.hold(now, session));
        let hold = ask(&mut net, "INVITE", 5);
        let mut ok = answer(&hold, "t", pbx, "recvonly");
        ok.push("Session-Expires", "90;refresher=uac");
        net.send(pbx, at, &ok);
        let ack = net.receive(pbx, "ACK", 1);
        assert_eq!(ack.header("Proxy-Authorization"), hold.header("Proxy-Authorization"));
        net.act(us, |agent, now| agent.refer(now, session, "2120"));
        ask(&mut net, "REFER", 6);
        net.pass(std::time::Duration::from_secs(45));
        ask(&mut net, "UPDATE", 7);
        net.act(us, |agent, now| agent.hang_up(now, session));
        ask(&mut net, "BYE", 8);
    }
}

#[test]
fn a_cancel_carries_no_credentials_and_is_never_asked_for_any() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let call = Invite::new(AccountId(1), "2110", media(3000));
    let session = net.act(us, |agent, now| agent.invite(now, call)).unwrap();
    let invite = challenged(&mut net, us, pbx, "INVITE", Algorithm::Sha256, 1);
    net.send(pbx, at, &reply(&invite, 180, "t", pbx));
    net.wait(us, "Progress", 1, want::progress);
    net.act(us, |agent, now| agent.hang_up(now, session));
    let cancel = net.receive(pbx, "CANCEL", 1);
    assert_eq!(cancel.header("Proxy-Authorization"), None);
    let mut refusal = reply(&cancel, 407, "t", pbx);
    refusal.push("Proxy-Authenticate", verifier(Algorithm::Md5).challenge(2, true));
    net.send(pbx, at, &refusal);
    net.pass(std::time::Duration::from_secs(40));
    assert_eq!(net.count(pbx, "CANCEL"), 0);
}

#[test]
fn the_body_is_protected_where_only_that_is_offered() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let call = Invite::new(AccountId(1), "2110", media(3000));
    net.act(us, |agent, now| agent.invite(now, call)).unwrap();
    let first = net.receive(pbx, "INVITE", 1);
    let verifier = verifier(Algorithm::Sha256);
    let mut refusal = reply(&first, 401, "t", pbx);
    refusal.push("WWW-Authenticate", verifier.challenge(1, false).replace("\"auth\"", "\"auth-int\""));
    net.send(pbx, at, &refusal);
    net.receive(pbx, "ACK", 1);
    let again = net.receive(pbx, "INVITE", 1);
    let answer = again.header("Authorization").unwrap();
    assert!(answer.contains("qop=auth-int"));
    assert_eq!(verifier.verify(1, answer, "secret", "INVITE", again.body()), Verdict::Accepted);
    assert_eq!(verifier.verify(1, answer, "secret", "INVITE", b"v=0"), Verdict::Refused);
}

#[test]
fn a_server_and_two_proxies_that_ask_at_once_are_all_answered() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let call = Invite::new(AccountId(1), "2110", media(3000));
    net.act(us, |agent, now| agent.invite(now, call)).unwrap();
    let first = net.receive(pbx, "INVITE", 1);
    let realms = ["one.example", "two.example"];
    let proxies = realms.map(|realm| Verifier::new(realm, Algorithm::Sha256, "key", 100));
    let server = verifier(Algorithm::Sha512_256);
    let mut refusal = reply(&first, 407, "t", pbx);
    for proxy in &proxies {
        refusal.push("Proxy-Authenticate", proxy.challenge(1, false).replace("SHA-256", "MD5"));
        refusal.push("Proxy-Authenticate", proxy.challenge(1, false));
    }
    refusal.push("WWW-Authenticate", server.challenge(1, false));
    net.send(pbx, at, &refusal);
    net.receive(pbx, "ACK", 1);
    let again = net.receive(pbx, "INVITE", 1);
    let answers: Vec<&str> = again.headers("Proxy-Authorization").collect();
    assert_eq!(answers.len(), 2, "{answers:?}");
    for (proxy, answer) in proxies.iter().zip(answers) {
        assert_eq!(proxy.verify(1, answer, "secret", "INVITE", b""), Verdict::Accepted, "{answer}");
    }
    let answer = again.header("Authorization").unwrap();
    assert_eq!(server.verify(1, answer, "secret", "INVITE", b""), Verdict::Accepted);
}

#[test]
fn the_count_of_a_nonce_is_eight_hexadecimal_digits_and_its_cnonce_stays() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    net.act(us, |agent, now| {
        let account = Account { password: "secret".into(), ..account(pbx) };
        agent.add_account(now, account);
        agent.register(now, AccountId(1), true);
    });
    let first = challenged(&mut net, us, pbx, "REGISTER", Algorithm::Sha256Sess, 1);
    let part = |message: &Message, name: &str| {
        let answer = message.header("Proxy-Authorization").unwrap();
        let at = answer.find(&format!("{name}=")).unwrap() + name.len() + 1;
        answer[at..].split([',', ' ']).next().unwrap().to_owned()
    };
    let mut register = first.clone();
    for count in 1..=20 {
        assert_eq!(part(&register, "nc"), format!("{count:08x}"));
        assert_eq!(part(&register, "cnonce"), part(&first, "cnonce"));
        assert_eq!(verdict(&register, "REGISTER", Algorithm::Sha256Sess, 1), Verdict::Accepted);
        let mut ok = Message::response(&register, 200);
        ok.push("Contact", format!("{};expires=60", register.header("Contact").unwrap()));
        net.send(pbx, at, &ok);
        net.act(us, |agent, now| agent.register(now, AccountId(1), true));
        register = net.receive(pbx, "REGISTER", 120);
    }
}

#[test]
fn a_redirected_call_brings_credentials_for_where_it_goes() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let call = Invite::new(AccountId(1), "2110", media(3000));
    net.act(us, |agent, now| agent.invite(now, call)).unwrap();
    let invite = challenged(&mut net, us, pbx, "INVITE", Algorithm::Sha256, 1);
    let mut moved = reply(&invite, 302, "t", pbx);
    moved.set("Contact", "<sip:2120@pbx.example>");
    net.send(pbx, at, &moved);
    let again = net.receive(pbx, "INVITE", 1);
    assert!(again.header("Proxy-Authorization").unwrap().contains("uri=\"sip:2120@pbx.example\""));
    assert_eq!(verdict(&again, "INVITE", Algorithm::Sha256, 1), Verdict::Accepted);
}
