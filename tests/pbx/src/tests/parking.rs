//! Park slots and mailboxes.

use std::time::{Duration, Instant};

use sip::dialog_info::{CallDirection, DialogState};
use sip::{Event, TransferResult};

use super::desk::{DESK_HZ, Desk, call, call_with, finished, quiet_exchange, report, under_way};
use super::{HELENA, outside_hz};
use crate::plan::{MUSIC_HZ, VOICEMAIL_HZ};
use crate::report::{Command, NewCall};

#[test]
fn a_parked_caller_hears_music_and_comes_back_when_fetched() {
    let pbx = quiet_exchange();
    let mut desk = Desk::at(&pbx);
    let lamp = desk.watch("702");
    desk.lamp("a free slot", lamp, <[_]>::is_empty);
    let (id, session) = desk.talking_with(&pbx, HELENA);
    desk.leg_hears("the caller", session, outside_hz(HELENA));
    desk.agent.refer(Instant::now(), session, "702");
    let taken = desk.lamp("a taken slot", lamp, |dialogs| !dialogs.is_empty());
    assert_eq!(
        (taken[0].state, taken[0].direction),
        (DialogState::Confirmed, Some(CallDirection::Recipient))
    );
    assert!(taken[0].remote.as_ref().unwrap().identity.starts_with(&format!("sip:{HELENA}@")));
    assert_eq!(under_way(&pbx, id).unwrap().stage, "parked at 702");

    let (_, second) = desk.talking_with(&pbx, "+442079460991");
    desk.agent.refer(Instant::now(), second, "702");
    let result = desk.transferred(second);
    assert!(matches!(result, TransferResult::Refused(486, _)), "{result:?}");

    let fetched = desk.consult("702");
    desk.leg_hears("the caller again", fetched, outside_hz(HELENA));
    let now = under_way(&pbx, id).unwrap();
    assert_eq!((now.stage.as_str(), now.line.as_deref()), ("talking", Some("5550000")));
    desk.until("the desk heard by the caller", |_| {
        under_way(&pbx, id).unwrap().sound.unwrap().now == Some(DESK_HZ)
    });
    desk.agent.refer(Instant::now(), second, "702");
    assert_eq!(desk.transferred(second), TransferResult::Ok(200), "the slot is free again");
    desk.agent.hang_up(Instant::now(), fetched);
    desk.until("the end of the first call", |_| finished(&pbx, id).is_some());
    let heard = finished(&pbx, id).unwrap().heard;
    assert!(heard.contains(&Some(MUSIC_HZ)) && heard.last() == Some(&Some(DESK_HZ)), "{heard:?}");
}

#[test]
fn an_empty_slot_has_nobody_to_give() {
    let pbx = quiet_exchange();
    let mut desk = Desk::at(&pbx);
    for number in ["701", "706"] {
        let session = desk.dial(number);
        assert_eq!(desk.ended(session), 404, "{number}");
    }
}

#[test]
fn a_ringing_call_can_be_parked_and_a_parked_caller_can_give_up() {
    let pbx = quiet_exchange();
    let mut desk = Desk::at(&pbx);
    let lamp = desk.watch("705");
    let id = call(&pbx, Some(HELENA), "5550000");
    let session = desk.ringing().session;
    desk.agent.redirect(Instant::now(), session, "705", None).unwrap();
    desk.lamp("a taken slot", lamp, |dialogs| !dialogs.is_empty());
    assert_eq!(under_way(&pbx, id).unwrap().stage, "parked at 705");
    pbx.command(Command::Hangup(id)).unwrap();
    desk.lamp("a free slot", lamp, <[_]>::is_empty);
    let session = desk.dial("705");
    assert_eq!(desk.ended(session), 404);
}

#[test]
fn who_stays_leaves_a_message_and_the_desk_hears_it() {
    let pbx = quiet_exchange();
    let mut desk = Desk::at(&pbx);
    desk.watch_mailbox();
    desk.messages((3, 1));
    let (hasty, session) = desk.talking_with(&pbx, HELENA);
    desk.agent.refer(Instant::now(), session, "2199");
    assert_eq!(desk.transferred(session), TransferResult::Ok(200));
    pbx.command(Command::Hangup(hasty)).unwrap();

    let (patient, session) = desk.talking_with(&pbx, HELENA);
    desk.agent.refer(Instant::now(), session, "2199");
    assert_eq!(desk.transferred(session), TransferResult::Ok(200));
    let end = Instant::now() + Duration::from_secs(2);
    desk.until("a message", |_| Instant::now() >= end);
    assert_eq!(under_way(&pbx, patient).unwrap().stage, "transferred to 2199");
    pbx.command(Command::Hangup(patient)).unwrap();
    // One more, not two: the hasty caller has left none.
    desk.messages((4, 1));

    let listening = desk.consult("2199");
    desk.messages((0, 5));
    desk.leg_hears("the greeting", listening, VOICEMAIL_HZ);
}

#[test]
fn every_extension_has_a_mailbox_of_its_own() {
    let pbx = quiet_exchange();
    let mut desk = Desk::at(&pbx);
    let session = desk.consult("*2110");
    desk.leg_hears("the greeting", session, VOICEMAIL_HZ);
    assert!(report(&pbx).calls.iter().any(|call| call.to == "*2110"));
    desk.agent.hang_up(Instant::now(), session);
    let new = NewCall { from: Some(HELENA.into()), ..NewCall::default() };
    let id = call_with(&pbx, new);
    let session = desk.ringing().session;
    desk.agent.redirect(Instant::now(), session, "*2110", None).unwrap();
    desk.wait("the end of our leg", |event| matches!(event, Event::Ended { .. }).then_some(()));
    desk.until("the mailbox", |_| under_way(&pbx, id).is_some_and(|call| call.stage == "forwarded to *2110"));
}
