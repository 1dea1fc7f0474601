//! A peer that sends anything in any order in the early dialogs of a call, and any text in the headers that we read for
//! people: nothing panics, nothing is acknowledged twice, every call ends once and leaves nothing behind.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use sip::{Config, Event, Invite, Message, Method};

use crate::net::{FAIR, Net, account, address, media, want};
use crate::script::{Caller, answer, reply, sdp, within};

const US: &str = "192.0.2.1:5060";
const PBX: &str = "198.51.100.9:5060";

/// What the peer does next: which message, in which early dialog, with which number, with a description or not.
type Move = (u8, u8, u32, bool);

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let number = prop_oneof![0_u32..6, any::<u32>()];
    prop::collection::vec((0_u8..12, 0_u8..3, number, any::<bool>()), 1..24)
}

fn described(mut message: Message, with: bool) -> Message {
    if with {
        message.set_body("application/sdp", sdp(4000, "sendrecv"));
    }
    message
}

/// The peer answers our INVITE.
fn answered_by_a_rogue(moves: &[Move]) -> Result<(), TestCaseError> {
    let mut net = Net::new(1, FAIR);
    let pbx = net.peer(PBX);
    let us = net.agent_with(Config { takes_refer: true, ..Config::new(address(US)) });
    net.act(us, |agent, now| agent.add_account(now, account(pbx)));
    let at = net.stations[us].at;
    let call = Invite::new(sip::AccountId(1), "2110", media(3000));
    let session = net.act(us, |agent, now| agent.invite(now, call)).unwrap();
    let invite = net.receive(pbx, "INVITE", 1);
    for (step, &(what, tag, number, with)) in moves.iter().enumerate() {
        let tag = ["a", "b", "c"][usize::from(tag)];
        let cseq = step as u32 + 1;
        let message = match what {
            0..=3 => {
                let mut early = reply(&invite, [180, 181, 183, 199][usize::from(what)], tag, pbx);
                early.push("Require", "100rel");
                early.push("RSeq", number.to_string());
                described(early, with)
            }
            4 => described(reply(&invite, 183, tag, pbx), with),
            5 => described(within(&invite, tag, pbx, Method::Update, cseq), with),
            6 => described(within(&invite, tag, pbx, Method::Prack, cseq), with),
            7 => within(&invite, tag, pbx, Method::Bye, cseq),
            8 => described(within(&invite, tag, pbx, Method::Invite, cseq), with),
            9 => described(within(&invite, tag, pbx, Method::Refer, cseq), with),
            10 => answer(&invite, tag, pbx, "sendrecv"),
            _ => {
                let mut refusal = reply(&invite, if with { 422 } else { 486 }, tag, pbx);
                refusal.push("Min-SE", number.to_string());
                refusal
            }
        };
        net.send(pbx, at, &message);
        net.pass(Duration::from_millis(20));
    }
    let mut known = BTreeSet::new();
    while net.count(pbx, "PRACK") > 0 {
        let prack = net.receive(pbx, "PRACK", 0);
        let branch = prack.via().unwrap().branch.unwrap();
        let rack = (prack.to().unwrap().tag().unwrap().to_owned(), prack.header("RAck").unwrap().to_owned());
        // The same PRACK repeated by its transaction has the same branch.
        known.insert((rack, branch));
    }
    let racks: BTreeSet<_> = known.iter().map(|(rack, _)| rack.clone()).collect();
    prop_assert_eq!(racks.len(), known.len(), "one PRACK for each response");
    net.act(us, |agent, now| agent.hang_up(now, session));
    net.pass(Duration::from_secs(300));
    let ended = net.said(us).iter().filter(|name| *name == "Ended").count();
    prop_assert_eq!(ended, 1);
    prop_assert_eq!(net.stations[us].agent.live_sessions(), 0);
    Ok(())
}

/// The peer calls us.
fn called_by_a_rogue(moves: &[Move], wanted: u8, offered: bool) -> Result<(), TestCaseError> {
    let mut net = Net::new(2, FAIR);
    let pbx = net.peer(PBX);
    let us = net.phone(US, pbx);
    let at = net.stations[us].at;
    let mut caller = Caller::new(pbx, at, "rogue");
    let mut invite = described(caller.request(Method::Invite), offered);
    match wanted {
        0 => {}
        1 => invite.push("Supported", "100rel, timer"),
        _ => invite.push("Require", "100rel"),
    }
    net.send(pbx, at, &invite);
    let session = net.wait(us, "Incoming", 1, want::incoming);
    let mut rseq = String::new();
    for &(what, _, number, with) in moves {
        match what {
            0 => net.act(us, |agent, now| agent.ring(now, session)),
            1 => net.act(us, |agent, now| agent.ring_with(now, session, media(3000))),
            2 => net.act(us, |agent, now| agent.early_media(now, session, media(3000))),
            3 => net.act(us, |agent, now| agent.accept(now, session, media(3000))),
            4 => net.send(pbx, at, &caller.cancel(&invite)),
            5 => net.pass(Duration::from_secs(u64::from(number % 40))),
            _ => {
                let method = [Method::Prack, Method::Update, Method::Bye, Method::Invite, Method::Options];
                let method = method[usize::from(what - 6) % method.len()].clone();
                // Without a tag it would be another call.
                if method == Method::Invite && caller.to_tag.is_none() {
                    continue;
                }
                let mut request = described(caller.request(method), with);
                let named = if number % 2 == 0 { rseq.clone() } else { number.to_string() };
                request.push("RAck", format!("{named} 1 INVITE"));
                request.push("Session-Expires", number.to_string());
                net.send(pbx, at, &request);
            }
        }
        net.pass(Duration::from_millis(20));
        for code in ["180", "183"] {
            while net.count(pbx, code) > 0 {
                let response = net.receive(pbx, code, 0);
                caller.to_tag = response.to().unwrap().tag().map(str::to_owned);
                rseq = response.header("RSeq").unwrap_or_default().to_owned();
            }
        }
    }
    net.act(us, |agent, now| agent.hang_up(now, session));
    net.pass(Duration::from_secs(300));
    let said = net.said(us);
    prop_assert_eq!(said.iter().filter(|name| *name == "Ended").count(), 1, "{:?}", said);
    prop_assert_eq!(net.stations[us].agent.transactions(), 0);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_rogue_who_answers(moves in moves()) {
        answered_by_a_rogue(&moves)?;
    }

    #[test]
    fn a_rogue_who_calls(moves in moves(), wanted in 0_u8..3, offered in any::<bool>()) {
        called_by_a_rogue(&moves, wanted, offered)?;
    }

    #[test]
    fn any_text_in_the_headers_read_for_people(texts in prop::collection::vec("[ -~]{0,40}|[<>;=,\"%?:@a-z0-9]{0,40}", 12)) {
        let names = [
            "Call-Info", "Alert-Info", "Answer-Mode", "History-Info", "Diversion", "P-Asserted-Identity",
            "Remote-Party-ID", "Privacy", "P-Called-Party-ID", "Session-Expires", "Min-SE", "Reason",
        ];
        let mut net = Net::new(3, FAIR);
        let pbx = net.peer(PBX);
        let us = net.phone(US, pbx);
        let mut caller = Caller::new(pbx, address(US), "text");
        let mut invite = caller.invite();
        names.iter().zip(&texts).for_each(|(name, text)| invite.push(name, text.as_str()));
        net.send(pbx, address(US), &invite);
        let session = net.wait(us, "Incoming", 1, |event| match event {
            Event::Incoming { session, .. } => Some(*session),
            _ => None,
        });
        net.act(us, |agent, now| agent.accept(now, session, media(3000)));
        let ok = net.receive(pbx, "200 INVITE", 1);
        let ack = caller.ack(&ok);
        net.send(pbx, address(US), &ack);
        net.wait(us, "Confirmed", 1, want::confirmed);
    }
}
