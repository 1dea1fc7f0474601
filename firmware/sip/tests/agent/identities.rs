//! Who is who and why it ended: Privacy, asserted identities and whom to believe, History-Info, Reason.

use std::net::SocketAddr;

use sip::{
    Account, AccountId, Config, Diversion, DiversionReason, Event, Identity, Invite, Message, Method, Party,
};

use crate::net::{FAIR, Net, account, address, media, want};
use crate::script::{Caller, answer, reply, within};
use crate::steps::{PBX, US, desk, taken};

/// A telephone whose account does not believe its exchange.
fn distrustful() -> (Net, usize, SocketAddr) {
    let mut net = Net::new(32, FAIR);
    let pbx = net.peer(PBX);
    let us = net.agent_with(Config::new(address(US)));
    let account = Account { trusts_identity: false, ..account(pbx) };
    net.act(us, |agent, now| agent.add_account(now, account));
    (net, us, pbx)
}

fn dial(net: &mut Net, us: usize, pbx: SocketAddr, call: Invite) -> Message {
    net.act(us, |agent, now| agent.invite(now, call)).unwrap();
    net.receive(pbx, "INVITE", 1)
}

fn caller_of(net: &mut Net, us: usize, pbx: SocketAddr, lines: &[(&str, &str)]) -> Party {
    let at = net.stations[us].at;
    let mut invite = Caller::new(pbx, at, "incoming").invite();
    lines.iter().for_each(|(name, value)| invite.push(name, *value));
    net.send(pbx, at, &invite);
    net.wait(us, "Incoming", 1, |event| match event {
        Event::Incoming { caller, .. } => Some(caller.clone()),
        _ => None,
    })
}

#[test]
fn an_anonymous_call_tells_its_own_exchange_alone_who_calls() {
    let (mut net, us, pbx) = desk();
    let call = Invite { anonymous: true, ..Invite::new(AccountId(1), "2110", media(3000)) };
    let invite = dial(&mut net, us, pbx, call);
    let from = invite.from().unwrap();
    assert_eq!(from.uri.to_string(), "sip:anonymous@anonymous.invalid");
    assert_eq!(from.display.as_deref(), Some("Anonymous"));
    assert_eq!(invite.header("Privacy"), Some("id"));
    assert_eq!(invite.header("P-Preferred-Identity"), Some("\"Reception\" <sip:100@pbx.example>"));
    // Without an exchange nobody learns it.
    let stranger = net.peer("203.0.113.5:5060");
    let mut call =
        Invite { anonymous: true, ..Invite::new(AccountId(1), "sip:bob@203.0.113.5", media(3000)) };
    call.destination = Some(stranger.into());
    let invite = dial(&mut net, us, stranger, call);
    assert_eq!(invite.header("P-Preferred-Identity"), None);
    assert!(!invite.header("From").unwrap().contains("100@"));
}

#[test]
fn a_plain_call_says_who_calls_in_from_alone_and_a_chosen_number_is_preferred_too() {
    let (mut net, us, pbx) = desk();
    let invite = dial(&mut net, us, pbx, Invite::new(AccountId(1), "2110", media(3000)));
    assert_eq!((invite.header("Privacy"), invite.header("P-Preferred-Identity")), (None, None));
    let from = Identity { display: Some("Acme".into()), uri: "sip:4000@pbx.example".into() };
    let call = Invite { from: Some(from), ..Invite::new(AccountId(1), "2110", media(3000)) };
    let invite = dial(&mut net, us, pbx, call);
    assert_eq!(invite.header("P-Preferred-Identity"), Some("\"Acme\" <sip:4000@pbx.example>"));
}

#[test]
fn an_account_may_not_believe_its_exchange() {
    let lines = [
        ("P-Asserted-Identity", "\"Eva\" <sip:0599999@pbx.example>"),
        ("Remote-Party-ID", "<sip:0588888@pbx.example>;party=calling"),
    ];
    for (lines, number) in [(&lines[..], "0599999"), (&lines[1..], "0588888"), (&[][..], "0591234")] {
        let (mut net, us, pbx) = desk();
        assert_eq!(caller_of(&mut net, us, pbx, lines).number.as_deref(), Some(number));
        let (mut net, us, pbx) = distrustful();
        assert_eq!(caller_of(&mut net, us, pbx, lines).number.as_deref(), Some("0591234"), "From alone");
    }
    for (trusts, number) in [(true, "2119"), (false, "2110")] {
        let (mut net, us, pbx) = if trusts { desk() } else { distrustful() };
        let at = net.stations[us].at;
        let invite = dial(&mut net, us, pbx, Invite::new(AccountId(1), "2110", media(3000)));
        let mut ok = answer(&invite, "t", pbx, "sendrecv");
        ok.push("Remote-Party-ID", "\"Group\" <sip:2119@pbx.example>;party=called");
        net.send(pbx, at, &ok);
        let by = net.wait(us, "Answered", 1, |event| match event {
            Event::Answered { by, .. } => Some(by.clone()),
            _ => None,
        });
        assert_eq!(by.number.as_deref(), Some(number), "{trusts}");
    }
}

#[test]
fn a_redirection_tells_the_history_of_the_call_too() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let mut invite = Caller::new(pbx, at, "divert").invite();
    invite.push("History-Info", "<sip:4000@pbx.example>;index=1, <sip:100@pbx.example>;index=1.1");
    net.send(pbx, at, &invite);
    let session = net.wait(us, "Incoming", 1, want::incoming);
    let diversion = Diversion { party: "100".into(), reason: DiversionReason::UserBusy, privacy: None };
    net.act(us, |agent, now| agent.redirect(now, session, "2110", Some(&diversion))).unwrap();
    let moved = net.receive(pbx, "302", 1);
    let history: Vec<&str> = moved.headers("History-Info").collect();
    assert_eq!(
        history,
        ["<sip:4000@pbx.example>;index=1", "<sip:100@pbx.example?Reason=SIP%3Bcause%3D486>;index=1.1"]
    );
    assert_eq!(moved.header("Diversion"), Some("<sip:100@pbx.example>;reason=user-busy;counter=1"));
}

#[test]
fn a_ringing_call_that_is_picked_up_elsewhere_is_cancelled_with_that_reason() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let invite = dial(&mut net, us, pbx, Invite::new(AccountId(1), "2110", media(3000)));
    net.send(pbx, at, &reply(&invite, 180, "t", pbx));
    net.wait(us, "Progress", 1, want::progress);
    // Somebody takes the ringing call over at our end.
    let mut caller = Caller::new(pbx, at, "pickup");
    let mut pickup = caller.invite();
    let tag = invite.from().unwrap().tag().unwrap().to_owned();
    let call_id = invite.call_id().unwrap();
    pickup.push("Replaces", format!("{call_id};to-tag={tag};from-tag=t"));
    net.send(pbx, at, &pickup);
    let session = net.wait(us, "Incoming", 1, want::incoming);
    net.act(us, |agent, now| agent.accept(now, session, media(3002)));
    let cancel = net.receive(pbx, "CANCEL", 1);
    assert_eq!(cancel.header("Reason"), Some("SIP;cause=200;text=\"Call completed elsewhere\""));
}

#[test]
fn a_spare_answer_and_one_without_media_are_told_why_they_end() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let invite = dial(&mut net, us, pbx, Invite::new(AccountId(1), "2110", media(3000)));
    net.send(pbx, at, &answer(&invite, "one", pbx, "sendrecv"));
    net.send(pbx, at, &answer(&invite, "two", pbx, "sendrecv"));
    let bye = net.receive(pbx, "BYE", 1);
    assert_eq!(bye.to().unwrap().tag(), Some("two"));
    assert_eq!(bye.header("Reason"), Some("SIP;cause=200;text=\"Call completed elsewhere\""));
    let invite = dial(&mut net, us, pbx, Invite::new(AccountId(1), "2110", media(3002)));
    net.send(pbx, at, &reply(&invite, 200, "t", pbx));
    assert!(net.receive(pbx, "BYE", 1).header("Reason").unwrap().starts_with("SIP;cause=488"));
}

#[test]
fn the_reason_of_a_bye_is_handed_on() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let invite = dial(&mut net, us, pbx, Invite::new(AccountId(1), "2110", media(3000)));
    net.send(pbx, at, &answer(&invite, "t", pbx, "sendrecv"));
    net.wait(us, "Answered", 1, want::answered);
    let mut bye = within(&invite, "t", pbx, Method::Bye, 1);
    bye.push("Reason", "Q.850;cause=31;text=\"network out of order\"");
    net.send(pbx, at, &bye);
    assert_eq!(net.wait(us, "Ended", 1, want::ended).reason, "network out of order");
}

/// Sends a request of the caller's and takes its 200.
fn ask(net: &mut Net, us: usize, pbx: SocketAddr, request: &Message) {
    net.send(pbx, net.stations[us].at, request);
    net.receive(pbx, "200", 1);
    net.clear(pbx);
}

fn changed(event: &Event) -> Option<(Option<String>, Option<String>)> {
    match event {
        Event::PeerChanged { peer, .. } => Some((peer.number.clone(), peer.display.clone())),
        _ => None,
    }
}

/// Changes that nobody has waited for.
fn changes(net: &Net, us: usize) -> usize {
    net.said(us).iter().filter(|said| *said == "PeerChanged").count()
}

#[test]
fn an_exchange_that_has_transferred_the_other_end_says_who_it_is_now() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (session, mut caller, _) = taken(&mut net, us, pbx, &[]);
    let mut update = caller.request(Method::Update);
    update.push("P-Asserted-Identity", "\"Ingrid\" <sip:2102@pbx.example>");
    ask(&mut net, us, pbx, &update);
    let who = net.wait(us, "PeerChanged", 1, changed);
    assert_eq!(who, (Some("2102".into()), Some("Ingrid".into())));

    // The same again, without the name, changes nothing; nor does a request that says nothing of it.
    let mut update = caller.request(Method::Update);
    update.push("P-Asserted-Identity", "<sip:2102@pbx.example>");
    ask(&mut net, us, pbx, &update);
    let update = caller.request(Method::Update);
    ask(&mut net, us, pbx, &update);
    assert_eq!(changes(&net, us), 0);

    // In a re-INVITE, of the caller's end of the call, and hidden where that is wished.
    for (privacy, number) in [("off", Some("2104")), ("full", None)] {
        let mut invite = caller.invite();
        let value = format!(
            "<sip:100@pbx.example>;party=called, \"David\" <sip:2104@pbx.example>;party=calling;privacy={privacy}"
        );
        invite.push("Remote-Party-ID", value);
        net.send(pbx, at, &invite);
        let ok = net.receive(pbx, "200 INVITE", 1);
        let ack = caller.ack(&ok);
        net.send(pbx, at, &ack);
        assert_eq!(net.wait(us, "PeerChanged", 1, changed).0.as_deref(), number, "{privacy}");
        net.clear(pbx);
    }

    // What was refused was not taken, and says nothing either.
    let mut update = caller.request(Method::Update);
    update.push("P-Asserted-Identity", "<sip:2109@pbx.example>");
    update.set_body("application/sdp", b"v=0\r\nm=audio 9 RTP/AVP 18\r\nc=IN IP4 198.51.100.9\r\n".to_vec());
    net.send(pbx, at, &update);
    net.receive(pbx, "488", 1);
    assert_eq!(changes(&net, us), 0);
    net.act(us, |agent, now| agent.hang_up(now, session));
    let bye = net.receive(pbx, "BYE", 1);
    assert!(bye.header("To").unwrap().contains("0591234"), "the dialog's addresses are as they were");
}

#[test]
fn who_placed_our_own_call_on_is_told_by_the_called_end() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let invite = dial(&mut net, us, pbx, Invite::new(AccountId(1), "2110", media(3000)));
    net.send(pbx, at, &answer(&invite, "t", pbx, "sendrecv"));
    net.wait(us, "Answered", 1, want::answered);
    for (number, side) in [("2102", "called"), ("2103", "calling")] {
        let cseq = number.parse().unwrap();
        let mut update = within(&invite, "t", pbx, Method::Update, cseq);
        update.push("Remote-Party-ID", format!("<sip:{number}@pbx.example>;party={side}"));
        ask(&mut net, us, pbx, &update);
        assert_eq!(net.wait(us, "PeerChanged", 1, changed).0.as_deref(), Some(number), "{side}");
    }
}

#[test]
fn an_account_that_does_not_believe_its_exchange_keeps_whom_it_knows() {
    let (mut net, us, pbx) = distrustful();
    let (_, mut caller, _) = taken(&mut net, us, pbx, &[]);
    let mut update = caller.request(Method::Update);
    update.push("P-Asserted-Identity", "\"Ingrid\" <sip:2102@pbx.example>");
    ask(&mut net, us, pbx, &update);
    assert_eq!(changes(&net, us), 0);
}

#[test]
fn a_from_that_changes_counts_where_the_peer_has_said_that_it_may() {
    for (supported, counts) in [("from-change", true), ("timer", false)] {
        let (mut net, us, pbx) = distrustful();
        let (session, mut caller, _) = taken(&mut net, us, pbx, &[("Supported", supported)]);
        let mut update = caller.request(Method::Update);
        update.set("From", format!("\"Lea\" <sip:2117@pbx.example>;tag={}", caller.tag));
        ask(&mut net, us, pbx, &update);
        assert_eq!(changes(&net, us), usize::from(counts), "{supported}");
        // Requests of ours name the one who is there.
        net.act(us, |agent, now| agent.hang_up(now, session));
        let to = net.receive(pbx, "BYE", 1).to().unwrap();
        assert_eq!(to.uri.user.as_deref(), Some(if counts { "2117" } else { "0591234" }));
        assert_eq!(to.tag(), Some(caller.tag.as_str()));
    }
}
