//! The exchange's side, as tests/pbx uses it: a registrar, transfers it is asked for, subscribers
//! it notifies, and callers from outside.

use std::time::Duration;

use sip::dialog_info::DialogInfo;
use sip::digest::{Algorithm, Verdict, Verifier};
use sip::{
    AccountId, Config, Event, Identity, Invite, Message, NotifierState, Package, RegistrationState,
    SubscriptionState, TransferResult,
};

use crate::net::{FAIR, Net, STORM, account, address, media, want};

const US: &str = "192.0.2.1:5060";
const PBX: &str = "198.51.100.9:5060";

/// A telephone (0) and an exchange (1), both ours.
fn house(net: &mut Net) {
    net.agent(US);
    let patient = Config { stranger_rate: 1000, stranger_burst: 1000, ..Config::new(address(PBX)) };
    net.agent_with(Config { server: true, ..patient });
    net.act(0, |agent, now| agent.add_account(now, account(address(PBX))));
}

/// The exchange calls the telephone as an outside caller of a company line.
fn outside_call() -> Invite {
    let identity =
        |display: &str, uri: &str| Some(Identity { display: Some(display.into()), uri: uri.into() });
    Invite {
        account: None,
        target: "sip:100@192.0.2.1:5060".into(),
        media: media(6000),
        replaces: None,
        answer_after: None,
        anonymous: false,
        headers: vec![("Diversion".into(), "<sip:4000@pbx.example>;reason=unconditional".into())],
        destination: Some(address(US).into()),
        from: identity("Alice", "sip:0591234@pbx.example"),
        to: identity("Acme", "sip:4000@pbx.example"),
    }
}

#[test]
fn our_registrar_and_our_telephone_understand_each_other_in_a_storm() {
    for seed in 0..20 {
        let mut net = Net::new(seed, STORM);
        house(&mut net);
        let verifier = Verifier::new("pbx.example", Algorithm::Sha256, "key", 3600);
        net.act(0, |agent, now| agent.register(now, AccountId(1), true));
        let mut registered = false;
        while !registered {
            let (id, message) = net.wait(1, "Request", 40, |event| match event {
                Event::Request { id, message, .. } => Some((*id, message.clone())),
                _ => None,
            });
            let verdict = message
                .header("Authorization")
                .map(|answer| verifier.verify(1, answer, "secret", "REGISTER", message.body()));
            registered = verdict == Some(Verdict::Accepted);
            let mut response = Message::response(&message, if registered { 200 } else { 401 });
            if registered {
                response.push("Contact", format!("{};expires=60", message.header("Contact").unwrap()));
            } else {
                response.push("WWW-Authenticate", verifier.challenge(0, false));
            }
            net.act(1, |agent, now| agent.respond(now, id, response));
        }
        net.wait(0, "Registered", 40, |event| match event {
            Event::Registration { state: RegistrationState::Registered { .. }, .. } => Some(()),
            _ => None,
        });
    }
}

#[test]
fn an_outside_caller_of_a_company_line_is_shown_as_such() {
    let mut net = Net::new(1, FAIR);
    house(&mut net);
    net.act(1, |agent, now| agent.invite(now, outside_call())).unwrap();
    let (caller, called, diversion, account) = net.wait(0, "Incoming", 1, |event| match event {
        Event::Incoming { caller, called, diversion, account, .. } => {
            Some((caller.clone(), called.clone(), diversion.clone(), *account))
        }
        _ => None,
    });
    assert_eq!((caller.number.as_deref(), caller.display.as_deref()), (Some("0591234"), Some("Alice")));
    assert_eq!((called.number.as_deref(), called.display.as_deref()), (Some("4000"), Some("Acme")));
    assert_eq!(diversion.unwrap().number.as_deref(), Some("4000"));
    assert_eq!(account, Some(AccountId(1)));
}

#[test]
fn a_transfer_between_our_own_agents_tells_its_fate_even_in_a_storm() {
    for seed in 0..30 {
        let mut net = Net::new(seed, STORM);
        house(&mut net);
        net.act(1, |agent, now| agent.invite(now, outside_call())).unwrap();
        let ours = net.wait(0, "Incoming", 60, want::incoming);
        net.act(0, |agent, now| agent.accept(now, ours, media(3000)));
        net.wait(0, "Confirmed", 60, want::confirmed);
        net.act(0, |agent, now| {
            agent.hold(now, ours);
            agent.refer(now, ours, "2110");
        });
        let (theirs, target, by) = net.wait(1, "Refer", 90, |event| match event {
            Event::Refer { session, target, replaces: None, referred_by } => {
                Some((*session, target.clone(), referred_by.clone()))
            }
            _ => None,
        });
        assert_eq!(target, "sip:2110@pbx.example");
        assert!(by.is_some());
        net.wait(0, "Held", 0, want::held);
        let fate = [200, 486, 408][seed as usize % 3];
        for code in [100, 180] {
            net.act(1, |agent, now| agent.refer_progress(now, theirs, code));
        }
        net.pass(Duration::from_secs(40));
        net.act(1, |agent, now| agent.refer_progress(now, theirs, fate));
        let result = net.wait(0, "TransferEnded", 60, want::transferred);
        match result {
            TransferResult::Ok(code) | TransferResult::Refused(code, _) => assert_eq!(code, fate),
            other => panic!("seed {seed}: {other:?}"),
        }
        assert_eq!(net.stations[0].agent.live_sessions(), 1);
    }
}

#[test]
fn a_refer_the_exchange_refuses_is_told() {
    let mut net = Net::new(1, FAIR);
    house(&mut net);
    net.act(1, |agent, now| agent.invite(now, outside_call())).unwrap();
    let ours = net.wait(0, "Incoming", 1, want::incoming);
    net.act(0, |agent, now| agent.accept(now, ours, media(3000)));
    net.wait(0, "Confirmed", 1, want::confirmed);
    net.act(0, |agent, now| agent.refer(now, ours, "2110"));
    let theirs = net.wait(1, "Refer", 1, |event| match event {
        Event::Refer { session, .. } => Some(*session),
        _ => None,
    });
    net.act(1, |agent, now| agent.refuse_refer(now, theirs, 403));
    let result = net.wait(0, "TransferEnded", 1, want::transferred);
    assert!(matches!(result, TransferResult::Refused(403, _)));
}

#[test]
fn a_lamp_of_our_own_exchange_survives_a_storm_and_ends_in_order() {
    for seed in 0..20 {
        let mut net = Net::new(seed, STORM);
        house(&mut net);
        let lamp = net.act(0, |agent, now| agent.subscribe(now, AccountId(1), "2110", Package::Dialog));
        let request = net.wait(1, "SubscriptionRequest", 60, |event| match event {
            Event::SubscriptionRequest { id, .. } => Some(*id),
            _ => None,
        });
        let hour = Duration::from_secs(600);
        let notifier = net.act(1, |agent, now| agent.accept_subscription(now, request, hour)).unwrap();
        for version in 0..20 {
            let body = document(version);
            net.act(1, |agent, now| {
                agent.notify(now, notifier, "application/dialog-info+xml", body, false);
            });
        }
        // All twenty arrive, in order, though the wire loses and reorders.
        let mut seen = Vec::new();
        while seen.len() < 20 {
            seen.push(net.wait(0, "Dialogs", 200, |event| match event {
                Event::Dialogs { subscription, dialogs } if *subscription == lamp => Some(dialogs.len()),
                _ => None,
            }));
        }
        assert_eq!(seen, (0..20).map(|version| version % 3).collect::<Vec<usize>>());
        net.act(0, |agent, now| agent.unsubscribe(now, lamp));
        net.wait(1, "Notifier", 60, |event| match event {
            Event::Notifier { state: NotifierState::Ended, .. } => Some(()),
            _ => None,
        });
        net.pass(Duration::from_secs(120));
        assert_eq!(net.stations[0].agent.transactions() + net.stations[1].agent.transactions(), 0);
    }
}

#[test]
fn a_refresh_is_granted_and_a_subscriber_that_is_gone_is_noticed() {
    let mut net = Net::new(1, FAIR);
    house(&mut net);
    net.act(0, |agent, now| agent.subscribe(now, AccountId(1), "2110", Package::Dialog));
    let request = net.wait(1, "SubscriptionRequest", 1, |event| match event {
        Event::SubscriptionRequest { id, .. } => Some(*id),
        _ => None,
    });
    let minute = Duration::from_secs(60);
    let notifier = net.act(1, |agent, now| agent.accept_subscription(now, request, minute)).unwrap();
    let notify = |net: &mut Net, version| {
        let body = document(version);
        net.act(1, |agent, now| agent.notify(now, notifier, "application/dialog-info+xml", body, false));
    };
    notify(&mut net, 0);
    net.wait(0, "Active", 1, |event| match event {
        Event::Subscription { state: SubscriptionState::Active, .. } => Some(()),
        _ => None,
    });
    let state = |event: &Event| match event {
        Event::Notifier { state, .. } => Some(*state),
        _ => None,
    };
    assert_eq!(net.wait(1, "Notifier", 60, state), NotifierState::Refreshed);
    // The subscriber vanishes: the next NOTIFY finds nobody.
    net.stations[0].at = address("203.0.113.1:1");
    notify(&mut net, 1);
    assert_eq!(net.wait(1, "Notifier", 33, state), NotifierState::Ended);
}

#[test]
fn a_challenge_to_an_invite_can_be_sent_by_the_program() {
    let mut net = Net::new(1, FAIR);
    house(&mut net);
    let verifier = Verifier::new("pbx.example", Algorithm::Md5, "key", 3600);
    let call = Invite::new(AccountId(1), "2110", media(3000));
    net.act(0, |agent, now| agent.invite(now, call)).unwrap();
    let first = net.wait(1, "Incoming", 1, want::incoming);
    let headers = [("Proxy-Authenticate".to_owned(), verifier.challenge(0, false))];
    net.act(1, |agent, now| agent.reject_with(now, first, 407, &headers));
    net.wait(1, "Ended", 0, want::ended);
    let (session, request) = net.wait(1, "Incoming", 1, |event| match event {
        Event::Incoming { session, request, .. } => Some((*session, request.clone())),
        _ => None,
    });
    let answer = request.header("Proxy-Authorization").unwrap();
    assert_eq!(verifier.verify(0, answer, "secret", "INVITE", request.body()), Verdict::Accepted);
    net.act(1, |agent, now| agent.accept(now, session, media(6000)));
    net.wait(0, "Answered", 1, want::answered);
}

/// A full document with `version % 3` calls.
fn document(version: u32) -> Vec<u8> {
    let mut info =
        DialogInfo { entity: "sip:2110@pbx.example".into(), version, full: true, dialogs: Vec::new() };
    for n in 0..version % 3 {
        info.dialogs.push(sip::dialog_info::Dialog {
            id: format!("call{n}"),
            call_id: Some(format!("c{n}")),
            local_tag: Some("l".into()),
            remote_tag: Some("r".into()),
            direction: None,
            state: sip::dialog_info::DialogState::Confirmed,
            local: None,
            remote: None,
        });
    }
    info.write()
}
