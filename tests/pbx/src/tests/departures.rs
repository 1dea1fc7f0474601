//! Calls that leave the desk: attended and semi-attended transfer, forwarding of a ringing call.

use std::time::Instant;

use sip::dialog_info::{Dialog, DialogState};
use sip::{Diversion, DiversionReason, Event, TransferResult};

use super::desk::{Desk, call, finished, quiet_exchange, report, set, under_way};
use super::{HELENA, outside_hz};
use crate::Pbx;

const NADIA: &str = "+442079460991";

fn talks_to(who: &str) -> impl Fn(&[Dialog]) -> bool {
    let user = format!("sip:{who}@");
    move |dialogs| {
        dialogs.len() == 1
            && dialogs[0].state == DialogState::Confirmed
            && dialogs[0].remote.as_ref().is_some_and(|remote| remote.identity.starts_with(&user))
    }
}

/// The call the desk made last.
fn latest_call(pbx: &Pbx) -> u64 {
    report(pbx).calls.iter().map(|call| call.id).max().unwrap()
}

#[test]
fn an_attended_transfer_joins_caller_and_colleague_and_ends_both_legs() {
    let pbx = quiet_exchange();
    let mut desk = Desk::at(&pbx);
    set(&pbx, "2110", "answer:0");
    let lamp = desk.watch("2110");
    let (id, session) = desk.talking_with(&pbx, HELENA);
    desk.agent.hold(Instant::now(), session);
    let consultation = desk.consult("2110");
    let consulted = latest_call(&pbx);
    desk.lamp("a lamp that shows the desk", lamp, talks_to("desk"));

    desk.agent.refer_attended(Instant::now(), session, consultation).unwrap();
    let (mut codes, mut result, mut legs, mut shown) = (Vec::new(), None, Vec::new(), false);
    desk.wait("the end of both legs", |event| {
        match event {
            Event::TransferProgress { code, .. } => codes.push(*code),
            Event::TransferEnded { result: it, .. } => result = Some(it.clone()),
            Event::Ended { session, cause } => legs.push((*session, cause.code)),
            Event::Dialogs { dialogs, .. } => shown |= talks_to("+493055570142")(dialogs),
            _ => {}
        }
        (legs.len() == 2).then_some(())
    });
    legs.sort();
    assert_eq!(legs, [(session, 200), (consultation, 200)]);
    assert_eq!((codes, result), (vec![100], Some(TransferResult::Ok(200))));
    assert_eq!(under_way(&pbx, id).unwrap().stage, "transferred to 2110");
    assert_eq!(finished(&pbx, consulted).unwrap().outcome, format!("joined with call {id}"));
    if !shown {
        desk.lamp("a lamp that shows the caller", lamp, talks_to("+493055570142"));
    }
}

#[test]
fn two_callers_can_be_joined() {
    let pbx = quiet_exchange();
    let mut desk = Desk::at(&pbx);
    let (first, session) = desk.talking_with(&pbx, HELENA);
    desk.agent.hold(Instant::now(), session);
    let (second, other) = desk.talking_with(&pbx, NADIA);
    desk.agent.refer_attended(Instant::now(), other, session).unwrap();
    assert_eq!(desk.transferred(other), TransferResult::Ok(200));
    assert_eq!(under_way(&pbx, second).unwrap().stage, format!("transferred to {HELENA}"));
    assert!(under_way(&pbx, first).is_none());
}

#[test]
fn a_consultation_that_is_over_cannot_be_joined() {
    let pbx = quiet_exchange();
    let mut desk = Desk::at(&pbx);
    set(&pbx, "2110", "answer:0");
    let (id, session) = desk.talking_with(&pbx, HELENA);
    let consultation = desk.consult("2110");
    let consulted = latest_call(&pbx);
    // The REFER is decided now but waits for the hold; before either leaves the desk the consultation ends, so that it
    // names a dialog that is no more.
    desk.agent.hold(Instant::now(), session);
    desk.agent.refer_attended(Instant::now(), session, consultation).unwrap();
    pbx.command(crate::report::Command::Hangup(consulted)).unwrap();
    let result = desk.transferred(session);
    assert!(matches!(result, TransferResult::Refused(481, _)), "{result:?}");
    assert_eq!(under_way(&pbx, id).unwrap().stage, "talking");
    desk.agent.retrieve(Instant::now(), session);
    desk.leg_hears("the caller again", session, outside_hz(HELENA));
}

#[test]
fn a_semi_attended_transfer_finds_the_phone_free_again() {
    let pbx = quiet_exchange();
    let mut desk = Desk::at(&pbx);
    set(&pbx, "2110", "answer:0.5");
    let (id, session) = desk.talking_with(&pbx, HELENA);
    desk.agent.hold(Instant::now(), session);
    let consultation = desk.dial("2110");
    desk.wait("ringing", |event| matches!(event, Event::Progress { code: 180, .. }).then_some(()));
    desk.agent.hang_up(Instant::now(), consultation);
    desk.agent.refer(Instant::now(), session, "2110");
    assert_eq!(desk.transferred(session), TransferResult::Ok(200));
    assert_eq!(under_way(&pbx, id).unwrap().stage, "transferred to 2110");
    assert!(report(&pbx).finished.iter().any(|over| over.outcome == "cancelled by the desk"));
}

#[test]
fn a_ringing_call_is_forwarded_with_its_diversion() {
    let pbx = quiet_exchange();
    let mut desk = Desk::at(&pbx);
    set(&pbx, "2110", "answer:0.3");
    let lamp = desk.watch("2110");
    let id = call(&pbx, Some(HELENA), "5550100");
    let ringing = desk.ringing();
    let diversion = Diversion { party: "5550100".into(), reason: DiversionReason::NoAnswer, privacy: None };
    desk.agent.redirect(Instant::now(), ringing.session, "2110", Some(&diversion)).unwrap();
    desk.lamp("the colleague talking with the caller", lamp, talks_to("+493055570142"));
    let forwarded = under_way(&pbx, id).unwrap();
    assert_eq!(forwarded.stage, "forwarded to 2110");
    assert_eq!(forwarded.diversions.len(), 1);
    let kept = &forwarded.diversions[0];
    assert!(kept.contains("sip:5550100@") && kept.contains("reason=no-answer"), "{kept}");

    set(&pbx, "2111", "busy");
    for (target, code) in [("2111", 486), ("2198", 404), ("desk", 482)] {
        let id = call(&pbx, Some(NADIA), "5550100");
        let ringing = desk.ringing();
        desk.agent.redirect(Instant::now(), ringing.session, target, None).unwrap();
        desk.until("the end of the call", |_| finished(&pbx, id).is_some());
        assert_eq!(finished(&pbx, id).unwrap().outcome, format!("forward failed with {code}"), "{target}");
    }
}

#[test]
fn a_call_forwarded_from_line_to_line_does_not_go_round() {
    let pbx = quiet_exchange();
    let mut desk = Desk::at(&pbx);
    let id = call(&pbx, Some(HELENA), "5550000");
    let first = desk.ringing();
    desk.agent.redirect(Instant::now(), first.session, "5550100", None).unwrap();
    let second = desk.ringing();
    assert_eq!((second.called.as_deref(), second.diverted.as_deref()), (Some("5550100"), Some("5550000")));
    assert_eq!(second.number.as_deref(), Some(HELENA));
    // A telephone that does not look at Diversion itself.
    let back = [("Contact".to_owned(), format!("<sip:5550000@{}>", pbx.address().ip()))];
    desk.agent.reject_with(Instant::now(), second.session, 302, &back);
    desk.until("the end of the call", |_| finished(&pbx, id).is_some());
    assert_eq!(finished(&pbx, id).unwrap().outcome, "forward failed with 482");
}
