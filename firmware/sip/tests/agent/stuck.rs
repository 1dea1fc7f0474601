//! Calls of ours whose exchange dies after it has said that it tries: on to the next target, or over with a clear cause.

use std::time::Duration;

use sip::{AccountId, EndedBy, Invite, Method, SessionId, TARGET_KNOWN_FOR};

use crate::failover::{FIRST, House, LONG, Mood, SECOND, US};
use crate::net::{address, media, want};
use crate::script::{answer, reply};

const SHORT: Duration = Duration::from_secs(1);

/// A call to somebody; the first machine has said what `mood` has it say, and is dead now.
fn lost_call(machines: &[&str], mood: Mood) -> (House, SessionId) {
    let mut house = House::new(machines);
    house.settle();
    house.mood(FIRST, mood);
    let invite = Invite::new(AccountId(1), "2110", media(3000));
    let session = house.net.act(house.us, |agent, now| agent.invite(now, invite)).unwrap();
    house.serve(Duration::from_millis(200), |_| false);
    house.mood(FIRST, Mood::Dead);
    (house, session)
}

fn ended(house: &House) -> bool {
    house.net.said(house.us).contains(&"Ended".to_owned())
}

#[test]
fn acc_5_a_call_that_the_dead_target_only_tried_goes_to_the_next_one() {
    let (mut house, _) = lost_call(&[FIRST, SECOND], Mood::Trying);
    let old = house.take(FIRST, &Method::Invite).remove(0).1;
    let took = house.serve(LONG, |house| house.count(SECOND, &Method::Invite) > 0);
    assert!(took <= TARGET_KNOWN_FOR, "{took:?}");
    let new = house.take(SECOND, &Method::Invite).remove(0).1;
    assert_eq!(new.call_id(), old.call_id());
    assert!(new.cseq().unwrap().number > old.cseq().unwrap().number);
    assert_ne!(new.via().unwrap().branch, old.via().unwrap().branch);
    // The first try is cancelled at once: the dead one has it, and may come back to it.
    house.serve(SHORT, |house| house.count(FIRST, &Method::Cancel) > 0);
    let cancel = house.take(FIRST, &Method::Cancel).remove(0).1;
    assert_eq!(cancel.via().unwrap().branch, old.via().unwrap().branch);
    house.mood(FIRST, Mood::Well);
    house.net.send(address(FIRST), address(US), &reply(&old, 180, "late", address(FIRST)));
    house.net.send(address(FIRST), address(US), &reply(&old, 487, "late", address(FIRST)));
    house.serve(SHORT, |house| house.count(FIRST, &Method::Ack) > 0);
    assert_eq!(house.count(FIRST, &Method::Ack), 1, "the refusal of the first try is acknowledged");
    assert!(!ended(&house), "and is not the call's");
    house.net.send(address(SECOND), address(US), &answer(&new, "far", address(SECOND), "sendrecv"));
    house.net.wait(house.us, "Answered", 1, want::answered);
    assert_eq!(house.net.stations[house.us].agent.live_sessions(), 1);
}

#[test]
fn acc_5_an_answer_to_the_first_try_that_crosses_its_cancel_is_ended() {
    let (mut house, _) = lost_call(&[FIRST, SECOND], Mood::Trying);
    let old = house.take(FIRST, &Method::Invite).remove(0).1;
    house.serve(LONG, |house| house.count(SECOND, &Method::Invite) > 0);
    house.net.send(address(FIRST), address(US), &answer(&old, "late", address(FIRST), "sendrecv"));
    house.serve(SHORT, |house| house.count(FIRST, &Method::Bye) > 0);
    assert_eq!((house.count(FIRST, &Method::Ack), house.count(FIRST, &Method::Bye)), (1, 1));
    assert!(!ended(&house));
}

#[test]
fn acc_5_a_call_that_rings_stays_with_the_dead_target() {
    let (mut house, session) = lost_call(&[FIRST, SECOND], Mood::Well);
    let old = house.take(FIRST, &Method::Invite).remove(0).1;
    house.serve(LONG, |_| false);
    assert_eq!(house.count(SECOND, &Method::Invite), 0, "the phone would ring twice");
    assert!(!ended(&house));
    house.net.send(address(FIRST), address(US), &answer(&old, "far", address(FIRST), "sendrecv"));
    assert_eq!(
        house.net.wait(house.us, "Answered", 1, |event| match event {
            sip::Event::Answered { session, .. } => Some(*session),
            _ => None,
        }),
        session
    );
}

#[test]
fn acc_5_hung_up_after_it_went_on_the_call_is_cancelled_as_soon_as_the_next_target_says_a_word() {
    let (mut house, session) = lost_call(&[FIRST, SECOND], Mood::Trying);
    house.mood(SECOND, Mood::Dead);
    house.serve(LONG, |house| house.count(SECOND, &Method::Invite) > 0);
    let new = house.take(SECOND, &Method::Invite).remove(0).1;
    house.net.act(house.us, |agent, now| agent.hang_up(now, session));
    house.serve(Duration::from_millis(100), |_| false);
    assert_eq!(house.count(SECOND, &Method::Cancel), 0, "RFC 3261 section 9.1");
    house.net.send(address(SECOND), address(US), &reply(&new, 100, "", address(SECOND)));
    house.serve(SHORT, |house| house.count(SECOND, &Method::Cancel) > 0);
    assert_eq!(house.count(SECOND, &Method::Cancel), 1);
}

#[test]
fn acc_5_without_another_target_the_call_is_over_within_seconds_and_says_why() {
    for mood in [Mood::Trying, Mood::Dead] {
        let (mut house, _) = lost_call(&[FIRST], mood);
        let old = house.take(FIRST, &Method::Invite).remove(0).1;
        let took = house.serve(LONG, ended);
        assert!(took <= TARGET_KNOWN_FOR, "{mood:?}: {took:?}");
        let cause = house.net.wait(house.us, "Ended", 1, want::ended);
        assert_eq!((cause.by, cause.code), (EndedBy::Timeout, 0), "{mood:?}");
        assert_eq!(cause.reason, "the exchange does not answer");
        // Nobody rings for it when the exchange is back.
        house.mood(FIRST, Mood::Well);
        house.net.send(address(FIRST), address(US), &reply(&old, 180, "late", address(FIRST)));
        house.serve(SHORT, |house| house.count(FIRST, &Method::Cancel) > 0);
        assert!(house.count(FIRST, &Method::Cancel) > 0, "{mood:?}");
    }
}

#[test]
fn acc_5_with_both_targets_dead_the_call_is_over_when_the_second_is_known_to_be() {
    let (mut house, _) = lost_call(&[FIRST, SECOND], Mood::Trying);
    house.mood(SECOND, Mood::Dead);
    let took = house.serve(LONG, ended);
    assert!(took <= TARGET_KNOWN_FOR * 2, "{took:?}");
    assert_eq!(house.net.wait(house.us, "Ended", 1, want::ended).code, 0);
}
