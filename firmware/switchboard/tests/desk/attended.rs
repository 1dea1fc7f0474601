//! Attended and semi-attended transfer.

use expect_test::{Expect, expect};
use ipc::Timers;

use crate::script::{check_with, no_timers};

/// Two seconds to think better of it.
fn undo() -> Timers {
    Timers { undo_ms: 2_000, ..no_timers() }
}

/// Call 1 was talked with for a second and waits; call 2, to 2110, has talked for two.
#[track_caller]
fn check_consulting(timers: Timers, script: &str, expected: &Expect) {
    let before = "in 1 5550100\nanswer 1\nack 1\n+1000\ndial 2110\nring 2\nok 2\n+2000\n--\n";
    check_with(timers, &(before.to_owned() + script), expected);
}

#[test]
fn both_legs_leave_when_the_exchange_has_connected_them() {
    check_consulting(
        no_timers(),
        "join 1 2\nheld 2\ntrying 1\n+500\nmoved 1\nbye 2\nbye 1\n+8000",
        &expect![[r#"
            join 1 2
                hold 2
                refer 1 to call 2
                ear free
              = 1 Transferring to 2110 Attended Requested · 2 Transferring taking 1
            held 2
            trying 1
              = 1 Transferring to 2110 Attended Trying · 2 Transferring taking 1
            +500
            moved 1
                hang up 2
                hang up 1
              = 1 Ending · 2 Ending · [1 to 2110: Attended Answered]
            bye 2
                log 2110 Transferred, answered 0, talk 2000, hold 500
              = 1 Ending · [1 to 2110: Attended Answered]
            bye 1
                log 1 Transferred, answered 0, talk 1000, hold 2500, to 2110 Attended Answered in 500
              = [1 to 2110: Attended Answered]
            +8000
              = empty
        "#]],
    );
}

/// Its BYE proves nothing until the transferee's leg says so; its log row waits.
#[test]
fn the_consultation_leg_ends_first() {
    check_consulting(
        no_timers(),
        "join 1 2\ntrying 1\n+500\nbye 2\n+100\nmoved 1\ngone 1",
        &expect![[r#"
        join 1 2
            hold 2
            refer 1 to call 2
            ear free
          = 1 Transferring to 2110 Attended Requested · 2 Transferring taking 1
        trying 1
          = 1 Transferring to 2110 Attended Trying · 2 Transferring taking 1
        +500
        bye 2
          = 1 Transferring to 2110 Attended Trying
        +100
        moved 1
            log 2110 Transferred, answered 0, talk 2000, hold 500
            hang up 1
          = 1 Ending · [1 to 2110: Attended Answered]
        gone 1
            log 1 Transferred, answered 0, talk 1000, hold 2600, to 2110 Attended Answered in 600
          = [1 to 2110: Attended Answered]
    "#]],
    );
    check_consulting(
        no_timers(),
        "join 1 2\ntrying 1\n+500\nbye 2\n+100\nrefused 1 480",
        &expect![[r#"
        join 1 2
            hold 2
            refer 1 to call 2
            ear free
          = 1 Transferring to 2110 Attended Requested · 2 Transferring taking 1
        trying 1
          = 1 Transferring to 2110 Attended Trying · 2 Transferring taking 1
        +500
        bye 2
          = 1 Transferring to 2110 Attended Trying
        +100
        refused 1 480
            log 2110 Completed, answered 0, talk 2000, hold 500
            Ringer(Some(Bell))
          = 1 Recalling (from 2110 Transfer(Refused { code: 480 })) · [1 to 2110: Attended Refused { code: 480 }]
    "#]],
    );
    check_consulting(
        no_timers(),
        "join 1 2\nbye 2\n+100\nbye 1\n+2000",
        &expect![[r#"
        join 1 2
            hold 2
            refer 1 to call 2
            ear free
          = 1 Transferring to 2110 Attended Requested · 2 Transferring taking 1
        bye 2
          = 1 Transferring to 2110 Attended Requested
        +100
        bye 1
            log 2110 Transferred, answered 0, talk 2000, hold 0
          = [1 to 2110: Attended HandedOver]
        +2000
            log 1 Transferred, answered 0, talk 1000, hold 2100, to 2110 Attended HandedOver in 100
    "#]],
    );
    check_consulting(
        no_timers(),
        "join 1 2\nbye 2\n+30000\nsilent 1",
        &expect![[r#"
            join 1 2
                hold 2
                refer 1 to call 2
                ear free
              = 1 Transferring to 2110 Attended Requested · 2 Transferring taking 1
            bye 2
              = 1 Transferring to 2110 Attended Requested
            +30000
                is 1 there
            silent 1
                log 2110 Completed, answered 0, talk 2000, hold 0
                Ringer(Some(Bell))
              = 1 Recalling (from 2110 Transfer(TimedOut)) · [1 to 2110: Attended TimedOut]
        "#]],
    );
}

#[test]
fn the_transferees_leg_ends_first() {
    check_consulting(
        no_timers(),
        "join 1 2\ntrying 1\nbye 1\n+300\nmoved 1\nbye 2",
        &expect![[r#"
        join 1 2
            hold 2
            refer 1 to call 2
            ear free
          = 1 Transferring to 2110 Attended Requested · 2 Transferring taking 1
        trying 1
          = 1 Transferring to 2110 Attended Trying · 2 Transferring taking 1
        bye 1
          = 2 Held · [1 to 2110: Attended HandedOver]
        +300
        moved 1
            hang up 2
            log 1 Transferred, answered 0, talk 1000, hold 2000, to 2110 Attended Answered in 0
          = 2 Ending · [1 to 2110: Attended Answered]
        bye 2
            log 2110 Transferred, answered 0, talk 2000, hold 300
          = [1 to 2110: Attended Answered]
    "#]],
    );
    check_consulting(
        no_timers(),
        "join 1 2\ntrying 1\nbye 1\n+300\nbye 2\n+2000",
        &expect![[r#"
        join 1 2
            hold 2
            refer 1 to call 2
            ear free
          = 1 Transferring to 2110 Attended Requested · 2 Transferring taking 1
        trying 1
          = 1 Transferring to 2110 Attended Trying · 2 Transferring taking 1
        bye 1
          = 2 Held · [1 to 2110: Attended HandedOver]
        +300
        bye 2
            log 2110 Transferred, answered 0, talk 2000, hold 300
          = [1 to 2110: Attended HandedOver]
        +2000
            log 1 Transferred, answered 0, talk 1000, hold 2000, to 2110 Attended HandedOver in 0
    "#]],
    );
    check_consulting(
        no_timers(),
        "join 1 2\ntrying 1\nbye 1\nretrieve 2\n+300\nmoved 1\nbye 2",
        &expect![[r#"
            join 1 2
                hold 2
                refer 1 to call 2
                ear free
              = 1 Transferring to 2110 Attended Requested · 2 Transferring taking 1
            trying 1
              = 1 Transferring to 2110 Attended Trying · 2 Transferring taking 1
            bye 1
              = 2 Held · [1 to 2110: Attended HandedOver]
            retrieve 2
                retrieve 2
                ear 2
              = 2 Talking* · [1 to 2110: Attended HandedOver]
            +300
            moved 1
                log 1 Transferred, answered 0, talk 1000, hold 2000, to 2110 Attended Answered in 0
              = 2 Talking* · [1 to 2110: Attended Answered]
            bye 2
                log 2110 Completed, answered 0, talk 2300, hold 0
                ear free
              = [1 to 2110: Attended Answered]
        "#]],
    );
    check_consulting(
        no_timers(),
        "join 1 2\nbye 1\n+2000\nretrieve 2\nbye 2",
        &expect![[r#"
        join 1 2
            hold 2
            refer 1 to call 2
            ear free
          = 1 Transferring to 2110 Attended Requested · 2 Transferring taking 1
        bye 1
          = 2 Held · [1 to 2110: Attended Abandoned]
        +2000
            log 1 Completed, answered 0, talk 1000, hold 2000, to 2110 Attended Abandoned in 0
        retrieve 2
            retrieve 2
            ear 2
          = 2 Talking* · [1 to 2110: Attended Abandoned]
        bye 2
            log 2110 Completed, answered 0, talk 2000, hold 2000
            ear free
          = [1 to 2110: Attended Abandoned]
    "#]],
    );
}

#[test]
fn refused_silent_or_taken_back() {
    check_consulting(
        no_timers(),
        "join 1 2\ntrying 1\nrefused 1 486\nanswer 1\nretrieve 2",
        &expect![[r#"
        join 1 2
            hold 2
            refer 1 to call 2
            ear free
          = 1 Transferring to 2110 Attended Requested · 2 Transferring taking 1
        trying 1
          = 1 Transferring to 2110 Attended Trying · 2 Transferring taking 1
        refused 1 486
            Ringer(Some(Bell))
          = 1 Recalling (from 2110 Transfer(Refused { code: 486 })) · 2 Held · [1 to 2110: Attended Refused { code: 486 }]
        answer 1
            retrieve 1
            ear 1
            Ringer(None)
          = 1 Talking* (from 2110 Transfer(Refused { code: 486 })) · 2 Held · [1 to 2110: Attended Refused { code: 486 }]
        retrieve 2
            hold 1
            retrieve 2
            ear 2
          = 1 Held (from 2110 Transfer(Refused { code: 486 })) · 2 Talking* · [1 to 2110: Attended Refused { code: 486 }]
    "#]],
    );
    check_consulting(
        no_timers(),
        "join 1 2\n+30000\nsilent 1\n+100\nmoved 1",
        &expect![[r#"
            join 1 2
                hold 2
                refer 1 to call 2
                ear free
              = 1 Transferring to 2110 Attended Requested · 2 Transferring taking 1
            +30000
                is 1 there
            silent 1
                Ringer(Some(Bell))
              = 1 Recalling (from 2110 Transfer(TimedOut)) · 2 Held · [1 to 2110: Attended TimedOut]
            +100
            moved 1
                hang up 2
                hang up 1
                Ringer(None)
              = 1 Ending · 2 Ending · [1 to 2110: Attended Answered]
        "#]],
    );
    check_consulting(
        no_timers(),
        "join 1 2\nringing 1\nretrieve 1\nretrieve 2",
        &expect![[r#"
        join 1 2
            hold 2
            refer 1 to call 2
            ear free
          = 1 Transferring to 2110 Attended Requested · 2 Transferring taking 1
        ringing 1
          = 1 Transferring to 2110 Attended Ringing · 2 Transferring taking 1
        retrieve 1
            retrieve 1
            ear 1
          = 1 Talking* · 2 Held · [1 to 2110: Attended TakenBack]
        retrieve 2
            hold 1
            retrieve 2
            ear 2
          = 1 Held · 2 Talking* · [1 to 2110: Attended TakenBack]
    "#]],
    );
}

#[test]
fn a_consultation_call_is_good_for_nothing_else() {
    check_consulting(
        no_timers(),
        "join 1 2\nretrieve 2\nhangup 2\nto 2 2120\nin 3 5550100\nanswer 3\nack 3\njoin 3 2\njoin 2 3\njoin 1 3\nf10",
        &expect![[r#"
            join 1 2
                hold 2
                refer 1 to call 2
                ear free
              = 1 Transferring to 2110 Attended Requested · 2 Transferring taking 1
            retrieve 2
                refused: not possible in the call's present state
            hangup 2
                refused: not possible in the call's present state
            to 2 2120
                refused: not possible in the call's present state
            in 3 5550100
                180 3
                Ringer(Some(Bell))
              = 1 Transferring to 2110 Attended Requested · 3 Ringing · 2 Transferring taking 1
            answer 3
                answer 3
                ear 3
                Ringer(None)
              = 1 Transferring to 2110 Attended Requested · 3 Answering* · 2 Transferring taking 1
            ack 3
              = 1 Transferring to 2110 Attended Requested · 3 Talking* · 2 Transferring taking 1
            join 3 2
                refused: not possible in the call's present state
            join 2 3
                refused: not possible in the call's present state
            join 1 3
                refused: not possible in the call's present state
            f10
                hang up 3
                ear free
              = 1 Transferring to 2110 Attended Requested · 3 Ending · 2 Transferring taking 1
        "#]],
    );
}

#[test]
fn undone() {
    check_consulting(
        undo(),
        "join 1 2\n+500\nundo 1\nhold 2\njoin 2 1\nundo 2",
        &expect![[r#"
        join 1 2
            hold 2
            ear free
          = 1 Transferring to 2110 Attended Grace until 5000 · 2 Transferring taking 1
        +500
        undo 1
            retrieve 2
            ear 2
          = 1 Held · 2 Talking* · [1 to 2110: Attended Undone]
        hold 2
            hold 2
            ear free
          = 1 Held · 2 Held · [1 to 2110: Attended Undone]
        join 2 1
          = 1 Transferring taking 2 · 2 Transferring to 1 Attended Grace until 5500 · [1 to 2110: Attended Undone]
        undo 2
          = 1 Held · 2 Held · [1 to 2110: Attended Undone] · [2 to 1: Attended Undone]
    "#]],
    );
    check_consulting(
        undo(),
        "join 1 2\nbye 2\n+5000\nanswer 1",
        &expect![[r#"
        join 1 2
            hold 2
            ear free
          = 1 Transferring to 2110 Attended Grace until 5000 · 2 Transferring taking 1
        bye 2
            log 2110 Completed, answered 0, talk 2000, hold 0
            Ringer(Some(Bell))
          = 1 Recalling (from 2110 Transfer(Refused { code: 481 })) · [1 to 2110: Attended Refused { code: 481 }]
        +5000
        answer 1
            retrieve 1
            ear 1
            Ringer(None)
          = 1 Talking* (from 2110 Transfer(Refused { code: 481 })) · [1 to 2110: Attended Refused { code: 481 }]
    "#]],
    );
    check_consulting(
        undo(),
        "join 1 2\nbye 1\nretrieve 2",
        &expect![[r#"
        join 1 2
            hold 2
            ear free
          = 1 Transferring to 2110 Attended Grace until 5000 · 2 Transferring taking 1
        bye 1
            log 1 Completed, answered 0, talk 1000, hold 2000, to 2110 Attended Abandoned in 0
          = 2 Held · [1 to 2110: Attended Abandoned]
        retrieve 2
            retrieve 2
            ear 2
          = 2 Talking* · [1 to 2110: Attended Abandoned]
    "#]],
    );
    check_consulting(
        undo(),
        "join 1 2\n+2000\nmoved 1",
        &expect![[r#"
        join 1 2
            hold 2
            ear free
          = 1 Transferring to 2110 Attended Grace until 5000 · 2 Transferring taking 1
        +2000
            refer 1 to call 2
          = 1 Transferring to 2110 Attended Requested · 2 Transferring taking 1
        moved 1
            hang up 2
            hang up 1
          = 1 Ending · 2 Ending · [1 to 2110: Attended Answered]
    "#]],
    );
}

#[test]
fn states_that_cannot_be_connected() {
    check_consulting(
        no_timers(),
        "in 3 5550100\njoin 1 1\njoin 1 3\njoin 3 1\njoin 1 9\njoin 9 1\nhangup 2\njoin 1 2\nanswer 3\njoin 1 3",
        &expect![[r#"
            in 3 5550100
                180 3
                Tone(Some(CallWaiting))
              = 1 Held · 3 Ringing · 2 Talking*
            join 1 1
                refused: not possible in the call's present state
            join 1 3
                refused: not possible in the call's present state
            join 3 1
                refused: not possible in the call's present state
            join 1 9
                refused: there is no such call
            join 9 1
                refused: there is no such call
            hangup 2
                hang up 2
                ear free
                Ringer(Some(Bell))
                Tone(None)
              = 1 Held · 3 Ringing · 2 Ending
            join 1 2
                refused: not possible in the call's present state
            answer 3
                answer 3
                ear 3
                Ringer(None)
              = 1 Held · 3 Answering* · 2 Ending
            join 1 3
                refused: not possible in the call's present state
        "#]],
    );
}

#[test]
fn semi_attended_while_the_target_rings() {
    check_with(
        undo(),
        "in 1 5550100\nanswer 1\nack 1\n+1000\ndial 2110\nring 2\njoin 1 2\ngone 2\nringing 1\nmoved 1\ngone 1",
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
        join 1 2
            hang up 2
            refer 1 to 2110
            ear free
            Tone(None)
          = 1 Transferring to 2110 SemiAttended Requested · 2 Ending
        gone 2
            log 2110 NotAnswered, answered never, talk 0, hold 0
          = 1 Transferring to 2110 SemiAttended Requested
        ringing 1
          = 1 Transferring to 2110 SemiAttended Ringing
        moved 1
            hang up 1
          = 1 Ending · [1 to 2110: SemiAttended Answered]
        gone 1
            log 1 Transferred, answered 0, talk 1000, hold 0, to 2110 SemiAttended Answered in 0
          = [1 to 2110: SemiAttended Answered]
    "#]],
    );
    check_with(
        undo(),
        "in 1 5550100\nanswer 1\nack 1\ndial 5550200\njoin 1 2\nhangup 1",
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
        dial 5550200
            hold 1
            dial 2 5550200 from 5550100
            ear 2
          = 1 Held · 2 Dialing*
        join 1 2
            refused: 5550200 is this desk's own number
        hangup 1
            hang up 1
          = 1 Ending · 2 Dialing*
    "#]],
    );
}

/// Neither was called from here: any two that are answered can be.
#[test]
fn two_callers_are_connected() {
    check_with(
        no_timers(),
        "in 1 5550100\nanswer 1\nack 1\nin 2 5550200\nanswer 2\nack 2\njoin 2 1\nmoved 2\ngone 2\ngone 1",
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
        in 2 5550200
            180 2
            Tone(Some(CallWaiting))
          = 1 Talking* · 2 Ringing
        answer 2
            hold 1
            answer 2
            ear 2
            Tone(None)
          = 1 Held · 2 Answering*
        ack 2
          = 1 Held · 2 Talking*
        join 2 1
            hold 2
            refer 2 to call 1
            ear free
          = 1 Transferring taking 2 · 2 Transferring to 1 Attended Requested
        moved 2
            hang up 1
            hang up 2
          = 1 Ending · 2 Ending · [2 to 1: Attended Answered]
        gone 2
            log 2 Transferred, answered 0, talk 0, hold 0, to 1 Attended Answered in 0
          = 1 Ending · [2 to 1: Attended Answered]
        gone 1
            log 1 Transferred, answered 0, talk 0, hold 0
          = [2 to 1: Attended Answered]
    "#]],
    );
}

#[test]
fn the_hangup_of_an_accepted_transfer_leaves_the_target() {
    check_consulting(
        no_timers(),
        "join 1 2\ntrying 1\nhangup 1\nmoved 1\ngone 1\ngone 2",
        &expect![[r#"
        join 1 2
            hold 2
            refer 1 to call 2
            ear free
          = 1 Transferring to 2110 Attended Requested · 2 Transferring taking 1
        trying 1
          = 1 Transferring to 2110 Attended Trying · 2 Transferring taking 1
        hangup 1
            hang up 1
          = 1 Ending · 2 Held · [1 to 2110: Attended HandedOver]
        moved 1
            hang up 2
          = 1 Ending · 2 Ending · [1 to 2110: Attended Answered]
        gone 1
            log 1 Transferred, answered 0, talk 1000, hold 2000, to 2110 Attended Answered in 0
          = 2 Ending · [1 to 2110: Attended Answered]
        gone 2
            log 2110 Transferred, answered 0, talk 2000, hold 0
          = [1 to 2110: Attended Answered]
    "#]],
    );
}
