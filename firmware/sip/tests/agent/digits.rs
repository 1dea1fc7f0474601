//! Digits in INFO, both ways, in a call whose peer takes no telephone events.

use std::net::SocketAddr;
use std::time::Duration;

use sip::{EndedBy, Event, Message, Method, SessionId};

use crate::net::{Net, want};
use crate::script::{answer, reply, within};
use crate::steps::{desk, dial};

/// A call of ours that was answered without telephone events.
fn talking() -> (Net, usize, SocketAddr, SessionId, Message) {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (session, invite) = dial(&mut net, us, pbx, "2110");
    net.send(pbx, at, &answer(&invite, "t", pbx, "sendrecv"));
    net.receive(pbx, "ACK", 1);
    let media = net.wait(us, "Answered", 1, want::answered);
    assert_eq!(media.dtmf_payload_type, None);
    (net, us, pbx, session, invite)
}

fn body(message: &Message) -> String {
    String::from_utf8_lossy(message.body()).into_owned()
}

#[test]
fn acc_6_digits_go_in_info_one_after_another_where_no_telephone_event_was_agreed() {
    let (mut net, us, pbx, session, _) = talking();
    let at = net.stations[us].at;
    net.act(us, |agent, now| agent.digits(now, session, "5x#a"));
    for (key, answered_late) in [("5", true), ("#", false), ("A", false)] {
        let info = net.receive(pbx, "INFO", 1);
        assert_eq!(info.content_type().as_deref(), Some("application/dtmf-relay"));
        assert_eq!(body(&info), format!("Signal={key}\r\nDuration=160\r\n"));
        if answered_late {
            // Only repetitions of the same.
            net.clear(pbx);
            net.pass(Duration::from_secs(3));
            assert!(net.count(pbx, "INFO") > 0);
            let again = net.receive(pbx, "INFO", 1);
            assert_eq!(again.cseq().map(|cseq| cseq.number), info.cseq().map(|cseq| cseq.number));
        }
        net.clear(pbx);
        net.send(pbx, at, &reply(&info, 200, "t", pbx));
    }
    net.pass(Duration::from_secs(5));
    assert_eq!(net.count(pbx, "INFO"), 0, "three keys were sent");
    assert!(net.said(us).is_empty(), "{:?}", net.said(us));
}

#[test]
fn acc_6_a_digit_is_as_long_as_it_says() {
    let (mut net, us, pbx, session, _) = talking();
    let at = net.stations[us].at;
    net.act(us, |agent, now| agent.digits(now, session, "12"));
    let first = net.receive(pbx, "INFO", 1);
    let began = net.seconds();
    net.send(pbx, at, &reply(&first, 200, "t", pbx));
    net.receive(pbx, "INFO", 1);
    let pause = net.seconds() - began;
    assert!((0.15..0.5).contains(&pause), "{pause} s from one to the next");
}

#[test]
fn acc_6_refused_digits_are_told_and_the_call_goes_on() {
    for (code, said) in [(Some(415), 415), (Some(500), 500), (None, 408)] {
        let (mut net, us, pbx, session, _) = talking();
        let at = net.stations[us].at;
        net.act(us, |agent, now| agent.digits(now, session, "123"));
        let info = net.receive(pbx, "INFO", 1);
        if let Some(code) = code {
            net.send(pbx, at, &reply(&info, code, "t", pbx));
        }
        let told = net.wait(us, "DigitsFailed", 33, |event| match event {
            Event::DigitsFailed { code, .. } => Some(*code),
            _ => None,
        });
        assert_eq!(told, said);
        net.clear(pbx);
        net.pass(Duration::from_secs(5));
        assert_eq!(net.count(pbx, "INFO"), 0, "half of a number is worse than none");
        assert!(net.said(us).is_empty(), "{:?}", net.said(us));
        // Those of later go again.
        net.act(us, |agent, now| agent.digits(now, session, "9"));
        assert!(body(&net.receive(pbx, "INFO", 1)).starts_with("Signal=9"));
    }
}

#[test]
fn acc_6_a_digit_that_meets_481_ends_the_call() {
    let (mut net, us, pbx, session, _) = talking();
    let at = net.stations[us].at;
    net.act(us, |agent, now| agent.digits(now, session, "12"));
    let info = net.receive(pbx, "INFO", 1);
    net.send(pbx, at, &reply(&info, 481, "t", pbx));
    let ended = net.wait(us, "Ended", 1, |event| match event {
        Event::Ended { session: of, cause, .. } => Some((*of, cause.code, cause.by)),
        _ => None,
    });
    assert_eq!(ended, (session, 481, EndedBy::Remote));
    net.clear(pbx);
    net.pass(Duration::from_secs(5));
    assert_eq!(net.count(pbx, "INFO"), 0);
}

#[test]
fn acc_6_digits_of_a_call_that_has_ended_go_nowhere() {
    let (mut net, us, pbx, session, _) = talking();
    let at = net.stations[us].at;
    net.act(us, |agent, now| agent.digits(now, session, "123"));
    let info = net.receive(pbx, "INFO", 1);
    net.act(us, |agent, now| agent.hang_up(now, session));
    net.clear(pbx);
    net.send(pbx, at, &reply(&info, 200, "t", pbx));
    net.pass(Duration::from_secs(5));
    assert_eq!(net.count(pbx, "INFO"), 0);
    net.act(us, |agent, now| agent.digits(now, session, "1"));
    net.pass(Duration::from_secs(5));
    assert_eq!(net.count(pbx, "INFO"), 0);
}

#[test]
fn acc_6_the_peers_keys_are_told_and_what_is_no_key_is_answered() {
    let (mut net, us, pbx, session, invite) = talking();
    let at = net.stations[us].at;
    let bodies = [
        (Some("application/dtmf-relay"), "Signal=7\r\nDuration=250\r\n", "200 INFO", Some(('7', 250))),
        (Some("application/dtmf"), "*", "200 INFO", Some(('*', 0))),
        (Some("application/dtmf-relay"), "Signal=hf\r\n", "200 INFO", None),
        (None, "", "200 INFO", None),
        (Some("application/vnd.foo"), "x", "415 INFO", None),
    ];
    for (number, (kind, text, answered, told)) in bodies.into_iter().enumerate() {
        let mut info = within(&invite, "t", at, Method::Info, 10 + u32::try_from(number).unwrap());
        if let Some(kind) = kind {
            info.set_body(kind, text.into());
        }
        net.send(pbx, at, &info);
        net.receive(pbx, answered, 1);
        if let Some((key, ms)) = told {
            let found = net.wait(us, "Digit", 1, |event| match event {
                Event::Digit { session: of, digit, duration_ms } => Some((*of, *digit, *duration_ms)),
                _ => None,
            });
            assert_eq!(found, (session, key, ms));
        }
        assert!(net.said(us).is_empty(), "{:?}", net.said(us));
    }
    let mut packaged = within(&invite, "t", at, Method::Info, 30);
    packaged.push("Info-Package", "foo");
    net.send(pbx, at, &packaged);
    assert_eq!(net.receive(pbx, "469 INFO", 1).header("Recv-Info"), Some(""));
}
