//! Park slots (CALL-14).

use expect_test::expect;
use ipc::{ParkSlot, Timers};
use switchboard::Settings;

use crate::bench::Bench;
use crate::script::{check_on, no_timers, ready_with};

/// Two slots; a parked call is overdue after a minute.
fn with_slots() -> Bench {
    let slot = |number: &str| ParkSlot { number: number.into(), name: String::new() };
    let timers = Timers { park_ms: 60_000, ..no_timers() };
    ready_with(Settings { park: vec![slot("701"), slot("702")], timers, ..Settings::default() })
}

const TALK: &str = "in 1 5550100\nanswer 1\nack 1\n";

#[test]
fn parked_seen_by_its_lamp_and_fetched_by_somebody_else() {
    let script =
        format!("{TALK}lamp 701 free\npark 1\nlamp 701 busy\nmoved 1\ngone 1\n+60000\nlamp 701 free");
    check_on(
        with_slots(),
        &script,
        &expect![[r#"
            in 1 5550100
                180 1
                Ringer(Some(Bell))
              = 1 Ringing
            answer 1
                answer 1
                ear 1
                Ringer(None)
              = 1 Answering*
            ack 1
              = 1 Talking*
            lamp 701 free
            park 1
                hold 1
                refer 1 to 701
                ear free
              = 1 Transferring to 701 Park Requested
            lamp 701 busy
            moved 1
                hang up 1
              = 1 Ending · [1 to 701: Park Answered] · (1 in 701)
            gone 1
                log 1 Transferred, answered 0, talk 0, hold 0, to 701 Park Answered in 0
              = [1 to 701: Park Answered] · (1 in 701)
            +60000
                Ringer(Some(Bell))
              = (1 in 701 overdue)
            lamp 701 free
                Ringer(None)
              = empty
        "#]],
    );
}

#[test]
fn overdue_and_fetched_with_a_key_without_any_lamp() {
    let script =
        format!("{TALK}park 1\nmoved 1\ngone 1\n+60000\nin 2 5550100\nf9\nok 3\nunpark 701\ngone 3\n+9000");
    check_on(
        with_slots(),
        &script,
        &expect![[r#"
            in 1 5550100
                180 1
                Ringer(Some(Bell))
              = 1 Ringing
            answer 1
                answer 1
                ear 1
                Ringer(None)
              = 1 Answering*
            ack 1
              = 1 Talking*
            park 1
                hold 1
                refer 1 to 701
                ear free
              = 1 Transferring to 701 Park Requested
            moved 1
                hang up 1
              = 1 Ending · [1 to 701: Park Answered] · (1 in 701)
            gone 1
                log 1 Transferred, answered 0, talk 0, hold 0, to 701 Park Answered in 0
              = [1 to 701: Park Answered] · (1 in 701)
            +60000
                Ringer(Some(Bell))
              = (1 in 701 overdue)
            in 2 5550100
                180 2
              = 2 Ringing · (1 in 701 overdue)
            f9
                dial 3 701 from 5550100
                ear 3
                Ringer(None)
              = 2 Ringing · 3 Dialing* · (1 in 701 overdue)
            ok 3
              = 2 Ringing · 3 Talking*
            unpark 701
                hold 3
                dial 4 701 from 5550100
                ear 4
              = 2 Ringing · 3 Held · 4 Dialing*
            gone 3
                log 1 Failed, answered 0, talk 0, hold 0
              = 2 Ringing · 4 Dialing*
            +9000
        "#]],
    );
}

#[test]
fn refused_comes_back() {
    check_on(
        with_slots(),
        &format!("{TALK}park 1\nrefused 1 486"),
        &expect![[r#"
            in 1 5550100
                180 1
                Ringer(Some(Bell))
              = 1 Ringing
            answer 1
                answer 1
                ear 1
                Ringer(None)
              = 1 Answering*
            ack 1
              = 1 Talking*
            park 1
                hold 1
                refer 1 to 701
                ear free
              = 1 Transferring to 701 Park Requested
            refused 1 486
                Ringer(Some(Bell))
              = 1 Recalling (from 701 Transfer(Refused { code: 486 })) · [1 to 701: Park Refused { code: 486 }]
        "#]],
    );
}

#[test]
fn taken_and_unknown_slots_are_refused() {
    let script = format!(
        "lamp 701 busy\nunpark 9\n{TALK}park 1 701\npark 1 9\npark 1\nmoved 1\ngone 1\nin 2 5550100\nanswer 2\nack 2\npark 2"
    );
    check_on(
        with_slots(),
        &script,
        &expect![[r#"
            lamp 701 busy
              = empty
            unpark 9
                refused: no free park slot
            in 1 5550100
                180 1
                Ringer(Some(Bell))
              = 1 Ringing
            answer 1
                answer 1
                ear 1
                Ringer(None)
              = 1 Answering*
            ack 1
              = 1 Talking*
            park 1 701
                refused: no free park slot
            park 1 9
                refused: no free park slot
            park 1
                hold 1
                refer 1 to 702
                ear free
              = 1 Transferring to 702 Park Requested
            moved 1
                hang up 1
              = 1 Ending · [1 to 702: Park Answered] · (1 in 702)
            gone 1
                log 1 Transferred, answered 0, talk 0, hold 0, to 702 Park Answered in 0
              = [1 to 702: Park Answered] · (1 in 702)
            in 2 5550100
                180 2
                Ringer(Some(Bell))
              = 2 Ringing · [1 to 702: Park Answered] · (1 in 702)
            answer 2
                answer 2
                ear 2
                Ringer(None)
              = 2 Answering* · [1 to 702: Park Answered] · (1 in 702)
            ack 2
              = 2 Talking* · [1 to 702: Park Answered] · (1 in 702)
            park 2
                refused: no free park slot
        "#]],
    );
}

#[test]
fn a_slot_that_nobody_is_in_is_cleared_and_no_other_failure_clears_it() {
    let script = format!("{TALK}park 1\nmoved 1\ngone 1\nunpark 701\nfinal 2 503\nunpark 701\nfinal 3 404");
    check_on(
        with_slots(),
        &script,
        &expect![[r#"
            in 1 5550100
                180 1
                Ringer(Some(Bell))
              = 1 Ringing
            answer 1
                answer 1
                ear 1
                Ringer(None)
              = 1 Answering*
            ack 1
              = 1 Talking*
            park 1
                hold 1
                refer 1 to 701
                ear free
              = 1 Transferring to 701 Park Requested
            moved 1
                hang up 1
              = 1 Ending · [1 to 701: Park Answered] · (1 in 701)
            gone 1
                log 1 Transferred, answered 0, talk 0, hold 0, to 701 Park Answered in 0
              = [1 to 701: Park Answered] · (1 in 701)
            unpark 701
                dial 2 701 from 5550100
                ear 2
              = 2 Dialing* · [1 to 701: Park Answered] · (1 in 701)
            final 2 503
                log 701 Failed, answered never, talk 0, hold 0
                ear free
                Tone(Some(Congestion))
              = [1 to 701: Park Answered] · !dial 701 failed 503 · (1 in 701)
            unpark 701
                dial 3 701 from 5550100
                ear 3
                Tone(None)
              = 3 Dialing* · [1 to 701: Park Answered] · !dial 701 failed 503 · (1 in 701)
            final 3 404
                log 701 Failed, answered never, talk 0, hold 0
                ear free
                Tone(Some(Congestion))
              = [1 to 701: Park Answered] · !dial 701 failed 503 · !dial 701 failed 404
        "#]],
    );
}

/// A lamp that was never lit cannot go out: the subscription began, and nobody was fetched.
#[test]
fn a_lamp_that_was_never_lit_says_nothing() {
    let mut bench = with_slots();
    let script = format!("{TALK}park 1\nmoved 1\ngone 1\nlamp 701 free");
    crate::script::play(&mut bench, &script);
    assert_eq!(bench.view.counters.parked, 1);
    crate::script::play(&mut bench, "lamp 701 busy\nlamp 701 free");
    assert_eq!(bench.view.counters.parked, 0);
}
