//! Registration, digest authentication, names and fail-over, against a scripted registrar.

use std::net::SocketAddr;
use std::time::Duration;

use sip::digest::{Algorithm, Verdict, Verifier};
use sip::{
    AccountId, Codec, Config, Event, HostPort, Invite, Message, Nat, RegistrationState, ResolveId, UserAgent,
};

use crate::net::{FAIR, Net, account, address, media, want};
use crate::script::reply;

const US: &str = "192.0.2.1:5060";
const PBX: &str = "198.51.100.9:5060";

fn desk() -> (Net, usize, SocketAddr) {
    let mut net = Net::new(3, FAIR);
    let pbx = net.peer(PBX);
    let us = net.phone(US, pbx);
    (net, us, pbx)
}

fn start(net: &mut Net, us: usize) {
    net.act(us, |agent, now| agent.register(now, AccountId(1), true));
    assert_eq!(state(net, us, 0), RegistrationState::Registering);
}

fn state(net: &mut Net, us: usize, limit: u64) -> RegistrationState {
    net.wait(us, "Registration", limit, |event| match event {
        Event::Registration { state, .. } => Some(state.clone()),
        _ => None,
    })
}

fn granted(register: &Message, seconds: u32) -> Message {
    let mut ok = Message::response(register, 200);
    ok.push("Contact", format!("{};expires={seconds}", register.header("Contact").unwrap()));
    ok
}

fn failed(state: &RegistrationState) -> Option<u16> {
    if let RegistrationState::Failed { code, .. } = state { *code } else { panic!("{state:?}") }
}

#[test]
fn a_registration_is_refreshed_before_it_expires_and_taken_away_at_the_end() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    start(&mut net, us);
    let first = net.receive(pbx, "REGISTER", 1);
    assert_eq!(first.request_uri(), Some("sip:pbx.example"));
    assert_eq!(first.expires(), Some(300));
    // Somebody else's binding is listed first: ours is the one with our token.
    let mut ok = Message::response(&first, 200);
    ok.push("Contact", "<sip:100@203.0.113.5>;expires=3000");
    ok.push("Contact", format!("{};expires=120", first.header("Contact").unwrap()));
    net.send(pbx, at, &ok);
    let expires = Duration::from_secs(120);
    assert_eq!(state(&mut net, us, 1), RegistrationState::Registered { expires });
    let before = net.seconds();
    let second = net.receive(pbx, "REGISTER", 120);
    let pause = net.seconds() - before;
    assert!((60.0..118.0).contains(&pause), "{pause}");
    assert_eq!(second.call_id(), first.call_id());
    assert!(second.cseq().unwrap().number > first.cseq().unwrap().number);
    net.send(pbx, at, &granted(&second, 120));
    state(&mut net, us, 1);
    net.act(us, |agent, now| agent.register(now, AccountId(1), false));
    let last = net.receive(pbx, "REGISTER", 1);
    assert_eq!(last.expires(), Some(0));
    net.send(pbx, at, &Message::response(&last, 200));
    assert_eq!(state(&mut net, us, 1), RegistrationState::Unregistered);
    net.pass(Duration::from_secs(1000));
    assert_eq!(net.count(pbx, "REGISTER"), 0);
}

#[test]
fn digest_is_answered_with_the_strongest_algorithm_and_reused() {
    for algorithm in [Algorithm::Md5, Algorithm::Sha256, Algorithm::Sha512_256] {
        let (mut net, us, pbx) = desk();
        let at = net.stations[us].at;
        let strong = Verifier::new("pbx.example", algorithm, "key", 1000);
        let weak = Verifier::new("pbx.example", Algorithm::Md5, "other", 1000);
        start(&mut net, us);
        let bare = net.receive(pbx, "REGISTER", 1);
        let mut challenge = Message::response(&bare, 401);
        challenge.push("WWW-Authenticate", strong.challenge(5, false));
        if algorithm != Algorithm::Md5 {
            challenge.push("WWW-Authenticate", weak.challenge(5, false));
        }
        net.send(pbx, at, &challenge);
        let checked = |register: &Message, now_s| {
            strong.verify(now_s, register.header("Authorization").unwrap(), "secret", "REGISTER", b"")
        };
        let first = net.receive(pbx, "REGISTER", 1);
        assert_eq!(checked(&first, 6), Verdict::Accepted);
        net.send(pbx, at, &granted(&first, 60));
        state(&mut net, us, 1);
        // The refresh spares the round trip: same nonce, next count.
        let second = net.receive(pbx, "REGISTER", 60);
        assert_eq!(checked(&second, 60), Verdict::Accepted);
        assert!(second.header("Authorization").unwrap().contains("nc=00000002"));
        // The nonce got old meanwhile: answered without telling anybody.
        let mut stale = Message::response(&second, 401);
        stale.push("WWW-Authenticate", strong.challenge(2000, true));
        net.send(pbx, at, &stale);
        let third = net.receive(pbx, "REGISTER", 1);
        assert_eq!(checked(&third, 2001), Verdict::Accepted);
        assert!(net.said(us).is_empty());
    }
}

#[test]
fn an_expired_nonce_without_the_word_stale_is_no_wrong_password() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let verifier = Verifier::new("pbx.example", Algorithm::Md5, "key", 1000);
    start(&mut net, us);
    for now_s in [1, 500] {
        let register = net.receive(pbx, "REGISTER", 100);
        let mut challenge = Message::response(&register, 401);
        challenge.push("WWW-Authenticate", verifier.challenge(now_s, false));
        net.send(pbx, at, &challenge);
        let register = net.receive(pbx, "REGISTER", 1);
        net.send(pbx, at, &granted(&register, 60));
        assert!(matches!(state(&mut net, us, 1), RegistrationState::Registered { .. }));
    }
}

#[test]
fn a_wrong_password_is_said_once_and_not_hammered() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let verifier = Verifier::new("pbx.example", Algorithm::Sha256, "key", 1000);
    start(&mut net, us);
    for _ in 0..2 {
        let register = net.receive(pbx, "REGISTER", 1);
        let mut challenge = Message::response(&register, 401);
        challenge.push("WWW-Authenticate", verifier.challenge(1, false));
        net.send(pbx, at, &challenge);
    }
    assert_eq!(failed(&state(&mut net, us, 1)), Some(401));
    assert_eq!(net.count(pbx, "REGISTER"), 0);
    let mut pauses = Vec::new();
    for _ in 0..12 {
        let before = net.seconds();
        let register = net.receive(pbx, "REGISTER", 301);
        pauses.push(net.seconds() - before);
        net.send(pbx, at, &Message::response(&register, 403));
        net.wait(us, "Failed", 1, |event| match event {
            Event::Registration { state: RegistrationState::Failed { code, .. }, .. } => *code,
            _ => None,
        });
    }
    assert!(pauses[0] <= 2.0 && pauses[3] > pauses[0] && pauses[11] >= 149.0, "{pauses:?}");
}

#[test]
fn calls_are_authenticated_too_with_rising_cseq() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let verifier = Verifier::new("pbx.example", Algorithm::Md5, "key", 1000);
    let call = Invite::new(AccountId(1), "2110", media(3000));
    let session = net.act(us, |agent, now| agent.invite(now, call)).unwrap();
    let invite = net.receive(pbx, "INVITE", 1);
    let mut challenge = reply(&invite, 407, "x", pbx);
    challenge.push("Proxy-Authenticate", verifier.challenge(1, false));
    net.send(pbx, at, &challenge);
    net.receive(pbx, "ACK", 1);
    let again = net.receive(pbx, "INVITE", 1);
    assert_eq!(again.cseq().unwrap().number, 2);
    assert_eq!((again.call_id(), again.to().unwrap().tag()), (invite.call_id(), None));
    let answer = again.header("Proxy-Authorization").unwrap();
    assert_eq!(verifier.verify(2, answer, "secret", "INVITE", again.body()), Verdict::Accepted);
    net.send(pbx, at, &crate::script::answer(&again, "t", pbx, "sendrecv"));
    net.wait(us, "Answered", 1, want::answered);
    // Later requests of the call bring the answer along; a stale one is answered again.
    net.act(us, |agent, now| agent.hang_up(now, session));
    let bye = net.receive(pbx, "BYE", 1);
    assert!(bye.header("Proxy-Authorization").unwrap().contains("nc=00000002"));
    let mut challenge = reply(&bye, 407, "t", pbx);
    challenge.push("Proxy-Authenticate", verifier.challenge(5000, true));
    net.send(pbx, at, &challenge);
    let again = net.receive(pbx, "BYE", 1);
    assert_eq!(again.cseq().unwrap().number, bye.cseq().unwrap().number + 1);
}

#[test]
fn a_registrar_that_wants_longer_lifetimes_gets_them() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    start(&mut net, us);
    let register = net.receive(pbx, "REGISTER", 1);
    let mut brief = Message::response(&register, 423);
    brief.push("Min-Expires", "900");
    net.send(pbx, at, &brief);
    let register = net.receive(pbx, "REGISTER", 1);
    assert_eq!(register.expires(), Some(900));
    net.send(pbx, at, &granted(&register, 900));
    let expires = Duration::from_secs(900);
    assert_eq!(state(&mut net, us, 1), RegistrationState::Registered { expires });
}

#[test]
fn a_registrar_that_dislikes_our_count_is_asked_with_a_new_call_id() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    start(&mut net, us);
    let first = net.receive(pbx, "REGISTER", 1);
    net.send(pbx, at, &Message::response(&first, 400));
    assert_eq!(failed(&state(&mut net, us, 1)), Some(400));
    let second = net.receive(pbx, "REGISTER", 3);
    assert_ne!(first.call_id(), second.call_id());
}

#[test]
fn a_silent_registrar_is_reported_and_tried_again() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    start(&mut net, us);
    assert_eq!(failed(&state(&mut net, us, 33)), None);
    assert_eq!(net.count(pbx, "REGISTER"), 11, "timer E: 0, 0.5, 1.5, 3.5, 7.5 … every 4 s, F at 32 s");
    net.clear(pbx);
    assert_eq!(state(&mut net, us, 5), RegistrationState::Registering);
    let register = net.receive(pbx, "REGISTER", 5);
    net.send(pbx, at, &granted(&register, 60));
    assert!(matches!(state(&mut net, us, 1), RegistrationState::Registered { .. }));
}

/// An account whose registrar is a name.
fn named(net: &mut Net) -> (usize, ResolveId) {
    let us = net.agent(US);
    let registrar: HostPort = "pbx.example".parse().unwrap();
    let account = sip::Account { registrar, register: true, ..account(address(PBX)) };
    net.act(us, |agent, now| agent.add_account(now, account));
    let id = net.wait(us, "Resolve", 0, |event| match event {
        Event::Resolve { id, host, port: None, .. } if host == "pbx.example" => Some(*id),
        _ => None,
    });
    (us, id)
}

#[test]
fn registration_and_calls_share_one_target_and_fail_over_together() {
    let mut net = Net::new(1, FAIR);
    let (first, second) = (net.peer("198.51.100.1:5060"), net.peer("198.51.100.2:5060"));
    let (us, id) = named(&mut net);
    let at = net.stations[us].at;
    net.act(us, |agent, now| agent.resolved(now, id, Ok(vec![first.into(), second.into()])));
    let register = net.receive(first, "REGISTER", 1);
    net.send(first, at, &granted(&register, 60));
    // The first target dies: the refresh finds the second, and so does the next call.
    let register = net.receive(second, "REGISTER", 100);
    net.send(second, at, &granted(&register, 60));
    let call = Invite::new(AccountId(1), "2110", media(3000));
    net.act(us, |agent, now| agent.invite(now, call)).unwrap();
    net.receive(second, "INVITE", 1);
    assert_eq!(net.count(first, "INVITE"), 0);
    let failures = net.stations[us]
        .events
        .iter()
        .filter(|event| matches!(event, Event::Registration { state: RegistrationState::Failed { .. }, .. }));
    assert_eq!(failures.count(), 0, "nothing failed as long as one target answers");
}

#[test]
fn a_call_whose_target_is_dead_goes_to_the_next() {
    let mut net = Net::new(1, FAIR);
    let (first, second) = (net.peer("198.51.100.1:5060"), net.peer("198.51.100.2:5060"));
    let (us, id) = named(&mut net);
    let at = net.stations[us].at;
    net.act(us, |agent, now| agent.resolved(now, id, Ok(vec![first.into(), second.into()])));
    let call = Invite::new(AccountId(1), "2110", media(3000));
    net.act(us, |agent, now| agent.invite(now, call)).unwrap();
    net.receive(first, "INVITE", 1);
    let invite = net.receive(second, "INVITE", 40);
    net.send(second, at, &crate::script::answer(&invite, "t", second, "sendrecv"));
    net.wait(us, "Answered", 1, want::answered);
}

#[test]
fn a_name_that_cannot_be_resolved_fails_what_needs_it_and_is_asked_again() {
    let mut net = Net::new(1, FAIR);
    let (us, id) = named(&mut net);
    let call = Invite::new(AccountId(1), "2110", media(3000));
    net.act(us, |agent, now| agent.invite(now, call)).unwrap();
    net.act(us, |agent, now| agent.resolved(now, id, Err("no such host".into())));
    assert_eq!(net.wait(us, "Ended", 0, want::ended).by, sip::EndedBy::Error);
    net.wait(us, "Failed", 0, |event| match event {
        Event::Registration { state: RegistrationState::Failed { code: None, .. }, .. } => Some(()),
        _ => None,
    });
    net.wait(us, "Resolve", 10, |event| matches!(event, Event::Resolve { .. }).then_some(()));
}

#[test]
fn hanging_up_while_the_name_is_looked_up_sends_nothing() {
    let mut net = Net::new(1, FAIR);
    let pbx = net.peer(PBX);
    let (us, id) = named(&mut net);
    let call = Invite::new(AccountId(1), "2110", media(3000));
    let session = net.act(us, |agent, now| agent.invite(now, call)).unwrap();
    net.act(us, |agent, now| agent.hang_up(now, session));
    net.wait(us, "Ended", 0, want::ended);
    net.act(us, |agent, now| agent.resolved(now, id, Ok(vec![pbx.into()])));
    net.receive(pbx, "REGISTER", 1);
    assert_eq!(net.count(pbx, "INVITE"), 0);
}

#[test]
fn everything_goes_through_the_outbound_proxy() {
    let mut net = Net::new(1, FAIR);
    let proxy = net.peer("198.51.100.3:5080");
    let us = net.agent_with(Config { codecs: vec![Codec::Pcma], ..Config::new(address(US)) });
    let with = sip::Account { outbound_proxy: Some(proxy.into()), register: true, ..account(address(PBX)) };
    net.act(us, |agent, now| agent.add_account(now, with));
    let route = "<sip:198.51.100.3:5080;lr>";
    assert_eq!(net.receive(proxy, "REGISTER", 1).header("Route"), Some(route));
    let call = Invite::new(AccountId(1), "2110", media(3000));
    net.act(us, |agent, now| agent.invite(now, call)).unwrap();
    assert_eq!(net.receive(proxy, "INVITE", 1).header("Route"), Some(route));
}

#[test]
fn a_removed_account_is_unregistered_and_forgotten() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    start(&mut net, us);
    let register = net.receive(pbx, "REGISTER", 1);
    net.send(pbx, at, &granted(&register, 60));
    state(&mut net, us, 1);
    net.act(us, |agent, now| agent.remove_account(now, AccountId(1)));
    let last = net.receive(pbx, "REGISTER", 1);
    net.send(pbx, at, &Message::response(&last, 200));
    assert_eq!(state(&mut net, us, 1), RegistrationState::Unregistered);
    let call = Invite::new(AccountId(1), "2110", media(3000));
    assert!(net.act(us, |agent, now| agent.invite(now, call)).is_err());
}

#[test]
fn app_2_a_call_of_a_removed_account_goes_on_and_its_bye_answers_a_challenge() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    start(&mut net, us);
    let register = net.receive(pbx, "REGISTER", 1);
    net.send(pbx, at, &granted(&register, 60));
    state(&mut net, us, 1);
    let call = Invite::new(AccountId(1), "2110", media(3000));
    let session = net.act(us, |agent, now| agent.invite(now, call)).unwrap();
    let invite = net.receive(pbx, "INVITE", 1);
    net.send(pbx, at, &crate::script::answer(&invite, "t", pbx, "sendrecv"));
    net.wait(us, "Answered", 1, want::answered);
    net.receive(pbx, "ACK", 1);
    net.act(us, |agent, now| agent.remove_account(now, AccountId(1)));
    let last = net.receive(pbx, "REGISTER", 1);
    assert_eq!(last.expires(), Some(0));
    net.send(pbx, at, &Message::response(&last, 200));
    assert_eq!(state(&mut net, us, 1), RegistrationState::Unregistered);
    net.pass(Duration::from_secs(60));
    assert_eq!(
        net.count(pbx, "BYE") + net.count(pbx, "REGISTER"),
        0,
        "the call goes on, and no registration"
    );
    net.act(us, |agent, now| agent.hang_up(now, session));
    let bye = net.receive(pbx, "BYE", 1);
    let verifier = Verifier::new("pbx.example", Algorithm::Md5, "key", 1000);
    let mut challenge = reply(&bye, 407, "t", pbx);
    challenge.push("Proxy-Authenticate", verifier.challenge(5, false));
    net.send(pbx, at, &challenge);
    let again = net.receive(pbx, "BYE", 1);
    assert!(again.header("Proxy-Authorization").is_some(), "{again}");
    net.send(pbx, at, &Message::response(&again, 200));
    net.pass(Duration::from_secs(60));
    let call = Invite::new(AccountId(1), "2110", media(3000));
    assert!(net.act(us, |agent, now| agent.invite(now, call)).is_err(), "it is forgotten now");
}

#[test]
fn shutting_down_ends_calls_and_registration_and_says_when_it_is_done() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    start(&mut net, us);
    let register = net.receive(pbx, "REGISTER", 1);
    net.send(pbx, at, &granted(&register, 60));
    let call = Invite::new(AccountId(1), "2110", media(3000));
    net.act(us, |agent, now| agent.invite(now, call)).unwrap();
    let invite = net.receive(pbx, "INVITE", 1);
    net.send(pbx, at, &crate::script::answer(&invite, "t", pbx, "sendrecv"));
    net.wait(us, "Answered", 1, want::answered);
    net.act(us, |agent, now| agent.shut_down(now));
    net.wait(us, "Ended", 0, want::ended);
    assert!(!net.said(us).contains(&"Drained".to_owned()));
    let bye = net.receive(pbx, "BYE", 1);
    net.send(pbx, at, &reply(&bye, 200, "t", pbx));
    let last = net.receive(pbx, "REGISTER", 1);
    assert_eq!(last.expires(), Some(0));
    net.send(pbx, at, &Message::response(&last, 200));
    net.wait(us, "Drained", 1, |event| matches!(event, Event::Drained).then_some(()));
}

#[test]
fn shutting_down_does_not_wait_for_ever_for_a_dead_registrar() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    start(&mut net, us);
    let register = net.receive(pbx, "REGISTER", 1);
    net.send(pbx, at, &granted(&register, 60));
    state(&mut net, us, 1);
    net.act(us, |agent, now| agent.shut_down(now));
    net.wait(us, "Drained", 33, |event| matches!(event, Event::Drained).then_some(()));
}

#[test]
fn a_binding_at_another_address_takes_the_old_one_away() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    start(&mut net, us);
    let first = net.receive(pbx, "REGISTER", 1);
    net.send(pbx, at, &granted(&first, 300));
    state(&mut net, us, 1);
    net.act(us, |agent, now| agent.moved(now, address("192.0.2.77:5060"), None));
    let second = net.receive(pbx, "REGISTER", 1);
    let contacts: Vec<&str> = second.headers("Contact").collect();
    assert_eq!(contacts.len(), 2, "{contacts:?}");
    assert!(contacts[0].contains("192.0.2.77:5060"), "{contacts:?}");
    assert!(contacts[1].contains("192.0.2.1:5060") && contacts[1].ends_with(";expires=0"), "{contacts:?}");
    assert_eq!(second.via().unwrap().host, "192.0.2.77");
}

#[test]
fn a_registrar_that_can_do_outbound_is_told_which_box_this_is_and_one_that_cannot_is_not() {
    let mut net = Net::new(3, FAIR);
    let pbx = net.peer(PBX);
    let config = Config { instance: Some(sip::agent::instance("1")), ..Config::new(address(US)) };
    let us = net.agent_with(config);
    net.act(us, |agent, now| agent.add_account(now, account(pbx)));
    let at = net.stations[us].at;
    start(&mut net, us);
    let first = net.receive(pbx, "REGISTER", 1);
    let contact = first.contact().unwrap();
    assert_eq!(contact.params.value("reg-id"), Some("1"), "{contact}");
    assert!(contact.params.value("+sip.instance").is_some_and(|value| value.contains("urn:uuid:")));
    assert!(first.headers("Supported").any(|tag| tag == "outbound"));
    net.send(pbx, at, &Message::response(&first, 439));
    let second = net.receive(pbx, "REGISTER", 1);
    assert!(second.contact().unwrap().params.value("reg-id").is_none());
    net.send(pbx, at, &granted(&second, 300));
    assert!(matches!(state(&mut net, us, 1), RegistrationState::Registered { .. }));
}

/// Asterisk compares whole URIs: with another one after a power cut it has no room for us until the old one has expired.
#[test]
fn acc_5_a_box_has_the_same_contact_at_every_start_and_each_of_its_lines_another() {
    let now = Net::new(1, FAIR).now;
    let with = |id| sip::Account { id: AccountId(id), register: true, ..account(address(PBX)) };
    let contacts = |seed, box_of: Option<&str>, accounts: &[sip::Account]| -> Vec<String> {
        let config = Config { instance: box_of.map(sip::agent::instance), ..Config::new(address(US)) };
        let mut agent = UserAgent::new(config, seed);
        accounts.iter().for_each(|account| agent.add_account(now, account.clone()));
        let sent = std::iter::from_fn(|| agent.poll_transmit());
        let sent = sent.map(|transmit| Message::parse(&transmit.bytes).unwrap());
        sent.filter(|sent| sent.expires() != Some(0))
            .map(|sent| sent.contact().unwrap().uri.to_string())
            .collect()
    };
    let first = contacts(1, Some("a"), &[with(1), with(2)]);
    assert_eq!(contacts(2, Some("a"), &[with(1), with(2)]), first);
    assert_ne!(first[0], first[1]);
    assert_ne!(contacts(1, Some("b"), &[with(1)])[0], first[0]);
    assert_ne!(contacts(1, None, &[with(1)]), contacts(2, None, &[with(1)]), "nothing to know the box by");
    // The end of the old binding may come behind the beginning of the new one.
    let changed = sip::Account { password: "other".into(), ..with(1) };
    let replaced = contacts(1, Some("a"), &[with(1), changed]);
    assert_eq!(replaced[0], first[0]);
    assert_ne!(replaced[1], first[0]);
}

#[test]
fn acc_5_behind_a_nat_whose_addresses_take_turns_nobody_registers_without_a_pause() {
    let mut net = Net::new(3, FAIR);
    let pbx = net.peer(PBX);
    let us = net.agent(US);
    let at = net.stations[us].at;
    let account = sip::Account { nat: Nat::Registrar, register: true, ..account(pbx) };
    net.act(us, |agent, now| agent.add_account(now, account));
    let mut asked = 0;
    for _ in 0..1_000 {
        net.pass(Duration::from_millis(10));
        while net.count(pbx, "REGISTER") > 0 {
            let register = net.receive(pbx, "REGISTER", 0);
            asked += 1;
            let mut ok = granted(&register, 300);
            let mut via = ok.via().unwrap();
            (via.received, via.rport) = (Some(format!("203.0.113.{}", 1 + asked % 2)), Some(Some(5060)));
            ok.set("Via", via.to_string());
            net.send(pbx, at, &ok);
        }
    }
    assert_eq!(asked, 3);
    let registered = |event: &Event| {
        matches!(event, Event::Registration { state: RegistrationState::Registered { .. }, .. })
    };
    assert!(net.stations[us].events.iter().any(registered));
}
