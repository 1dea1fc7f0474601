//! Calls on hold that come back by themselves.

use expect_test::expect;
use ipc::Timers;

use crate::script::{check_with, no_timers};

/// A minute on hold.
fn hold() -> Timers {
    Timers { hold_ms: 60_000, ..no_timers() }
}

#[test]
fn held_too_long() {
    check_with(
        hold(),
        "in 1 5550100\nanswer 1\nack 1\nhold 1\n+59999\n+1\nhold 1\n+59999\n+1\nanswer 1\n+60000\nhold 1\nretrieve 1\nhold 1\n+60000\nbye 1",
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
        hold 1
            hold 1
            ear free
          = 1 Held
        +59999
        +1
            Ringer(Some(Bell))
          = 1 Recalling (from ? Hold)
        hold 1
            Ringer(None)
          = 1 Held
        +59999
        +1
            Ringer(Some(Bell))
          = 1 Recalling (from ? Hold)
        answer 1
            retrieve 1
            ear 1
            Ringer(None)
          = 1 Talking*
        +60000
        hold 1
            hold 1
            ear free
          = 1 Held
        retrieve 1
            retrieve 1
            ear 1
          = 1 Talking*
        hold 1
            hold 1
            ear free
          = 1 Held
        +60000
            Ringer(Some(Bell))
          = 1 Recalling (from ? Hold)
        bye 1
            log 1 Completed, answered 0, talk 60000, hold 180000
            Ringer(None)
          = empty
    "#]],
    );
}

#[test]
fn above_the_others_and_in_the_ear_of_who_talks() {
    check_with(
        hold(),
        "in 1 5550100\nin 2 5550100\nanswer 2\nack 2\nhold 2\n+60000\nanswer 1\nack 1\nf9",
        &expect![[r#"
        in 1 5550100
            180 1
            Ringer(Some(Bell))
          = 1 Ringing
        in 2 5550100
            180 2
          = 1 Ringing · 2 Ringing
        answer 2
            answer 2
            ear 2
            Ringer(None)
          = 1 Ringing · 2 Answering*
        ack 2
          = 1 Ringing · 2 Talking*
        hold 2
            hold 2
            ear free
            Ringer(Some(Bell))
          = 1 Ringing · 2 Held
        +60000
          = 2 Recalling (from ? Hold) · 1 Ringing
        answer 1
            answer 1
            ear 1
            Ringer(None)
          = 2 Recalling (from ? Hold) · 1 Answering*
        ack 1
          = 2 Recalling (from ? Hold) · 1 Talking*
        f9
            hold 1
            retrieve 2
            ear 2
          = 1 Held · 2 Talking*
    "#]],
    );
}

#[test]
fn a_recall_from_hold_is_transferred_and_undone() {
    check_with(
        Timers { undo_ms: 2_000, ..hold() },
        "in 1 5550100\nanswer 1\nack 1\nhold 1\n+60000\nto 1 2110\nundo 1",
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
        hold 1
            hold 1
            ear free
          = 1 Held
        +60000
            Ringer(Some(Bell))
          = 1 Recalling (from ? Hold)
        to 1 2110
            whose is 2110
            Ringer(None)
          = 1 Transferring to 2110 Grace until 62000
        undo 1
            Ringer(Some(Bell))
          = 1 Recalling (from ? Hold) · [1 to 2110: Undone]
    "#]],
    );
}

#[test]
fn a_consultation_call_is_not_recalled() {
    check_with(
        hold(),
        "in 1 5550100\nanswer 1\nack 1\n+1000\ndial 2110\nring 2\nok 2\n+2000\n+57000\njoin 1 2\n+29000\nringing 1\n+29000\nrefused 1 486\n+59999\n+1",
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
        +1000
        dial 2110
            hold 1
            dial 2 2110 from 5550100
            ear 2
          = 1 Held · 2 Dialing*
        ring 2
            Tone(Some(Ringback))
          = 1 Held · 2 Alerting*
        ok 2
            Tone(None)
          = 1 Held · 2 Talking*
        +2000
        +57000
        join 1 2
            hold 2
            refer 1 to call 2
            ear free
          = 1 Transferring to 2110 Attended Requested · 2 Transferring taking 1
        +29000
        ringing 1
          = 1 Transferring to 2110 Attended Ringing · 2 Transferring taking 1
        +29000
        refused 1 486
            Ringer(Some(Bell))
          = 1 Recalling (from 2110 Transfer(Refused { code: 486 })) · 2 Held · [1 to 2110: Attended Refused { code: 486 }]
        +59999
        +1
          = 1 Recalling (from 2110 Transfer(Refused { code: 486 })) · 2 Recalling (from ? Hold) · [1 to 2110: Attended Refused { code: 486 }]
    "#]],
    );
}
