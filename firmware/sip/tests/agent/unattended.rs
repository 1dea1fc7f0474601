//! Answering without a hand, asked for and believed.

use std::time::Duration;

use sip::{Event, Invite};

use crate::net::{FAIR, Net, media};
use crate::script::Caller;

const US: &str = "192.0.2.1:5060";
const PBX: &str = "198.51.100.9:5060";

#[test]
fn a_call_asks_for_an_answer_without_a_hand_in_every_way_telephones_know() {
    let mut net = Net::new(11, FAIR);
    let pbx = net.peer(PBX);
    let us = net.phone(US, pbx);
    let mut call = Invite::new(sip::AccountId(1), "23", media(3000));
    call.answer_after = Some(Duration::ZERO);
    net.act(us, |agent, now| agent.invite(now, call)).unwrap();
    let invite = net.receive(pbx, "INVITE", 1);
    assert_eq!(invite.header("Call-Info"), Some("<sip:192.0.2.1:5060>;answer-after=0"));
    assert_eq!(invite.header("Alert-Info"), Some("<http://192.0.2.1:5060>;info=alert-autoanswer;delay=0"));
    assert_eq!(invite.header("Answer-Mode"), Some("Auto"));
}

#[test]
fn only_our_own_exchange_can_have_a_call_answered_without_a_hand() {
    let mut net = Net::new(12, FAIR);
    let pbx = net.peer(PBX);
    let stranger = net.peer("203.0.113.66:5060");
    let us = net.phone(US, pbx);
    let at = net.stations[us].at;
    for (from, after) in [(pbx, Some(Duration::from_secs(2))), (stranger, None)] {
        let mut invite = Caller::new(from, at, &format!("page-{from}")).invite();
        invite.push("Call-Info", "<sip:pbx.example>;answer-after=2");
        net.send(from, at, &invite);
        let asked = net.wait(us, "Incoming", 1, |event| match event {
            Event::Incoming { answer_after, .. } => Some(*answer_after),
            _ => None,
        });
        assert_eq!(asked, after, "{from}");
    }
}
