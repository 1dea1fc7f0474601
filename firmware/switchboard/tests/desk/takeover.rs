//! INVITE with Replaces: another leg takes the place of a call.

use expect_test::expect;
use ipc::Timers;

use crate::script::{check_with, no_timers};

/// Two seconds to think better of it.
fn undo() -> Timers {
    Timers { undo_ms: 2_000, queue_delay_ms: 3_000, ..no_timers() }
}

#[test]
fn the_card_goes_on_and_the_log_splits() {
    check_with(
        no_timers(),
        "in 1 5550100\nanswer 1\nack 1\n+5000\nmute\nreplace 7 1\nack 7\nbye 1\n+3000\nbye 7",
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
        +5000
        mute
            Mute(true)
        replace 7 1
            answer 7
            ear 7
          = 1 Ending · 7 Talking*
        ack 7
        bye 1
            log 1 Transferred, answered 0, talk 5000, hold 0
          = 7 Talking*
        +3000
        bye 7
            log 7 Completed, answered 0, talk 3000, hold 0
            ear free
          = empty
    "#]],
    );
}

#[test]
fn a_call_on_hold_stays_on_hold() {
    check_with(
        no_timers(),
        "in 1 5550100\nanswer 1\nack 1\nhold 1\n+2000\nreplace 7 1\ngone 1\nretrieve 7\n+1000\nbye 7",
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
        +2000
        replace 7 1
            answer 7
            hold 7
          = 1 Ending · 7 Held
        gone 1
            log 1 Transferred, answered 0, talk 0, hold 2000
          = 7 Held
        retrieve 7
            retrieve 7
            ear 7
          = 7 Talking*
        +1000
        bye 7
            log 7 Completed, answered 0, talk 1000, hold 0
            ear free
          = empty
    "#]],
    );
}

#[test]
fn what_we_dial_is_picked_up() {
    check_with(
        no_timers(),
        "dial 2110\nring 1\n+4000\nreplace 7 1\nfinal 1 487\n+1000\nbye 7",
        &expect![[r#"
        dial 2110
            dial 1 2110 from 5550100
            ear 1
          = 1 Dialing*
        ring 1
            Tone(Some(Ringback))
          = 1 Alerting*
        +4000
        replace 7 1
            answer 7
            ear 7
            Tone(None)
          = 1 Ending · 7 Talking*
        final 1 487
            log 2110 Transferred, answered never, talk 0, hold 0
          = 7 Talking*
        +1000
        bye 7
            log 7 Completed, answered 0, talk 1000, hold 0
            ear free
          = empty
    "#]],
    );
}

#[test]
fn a_recall_goes_on_ringing() {
    check_with(
        no_timers(),
        "in 1 5550100\nanswer 1\nack 1\nto 1 2110\nrefused 1 486\nreplace 7 1\nanswer 7",
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
        to 1 2110
            hold 1
            refer 1 to 2110
            ear free
          = 1 Transferring to 2110 Requested
        refused 1 486
            Ringer(Some(Bell))
          = 1 Recalling (from 2110 Transfer(Refused { code: 486 })) · [1 to 2110: Refused { code: 486 }]
        replace 7 1
            answer 7
            hold 7
          = 7 Recalling (from 2110 Transfer(Refused { code: 486 })) · 1 Ending (from 2110 Transfer(Refused { code: 486 })) · [1 to 2110: Refused { code: 486 }]
        answer 7
            retrieve 7
            ear 7
            Ringer(None)
          = 1 Ending (from 2110 Transfer(Refused { code: 486 })) · 7 Talking* (from 2110 Transfer(Refused { code: 486 })) · [1 to 2110: Refused { code: 486 }]
    "#]],
    );
}

#[test]
fn out_of_an_open_transfer() {
    check_with(
        undo(),
        "in 1 5550100\nanswer 1\nack 1\nto 1 2110\nreplace 7 1",
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
            to 1 2110
                hold 1
                whose is 2110
                ear free
              = 1 Transferring to 2110 Grace until 2000
            replace 7 1
                answer 7
                ear 7
              = 1 Ending · 7 Talking* · [1 to 2110: Undone]
        "#]],
    );
    check_with(
        undo(),
        "lamp 2110 busy\nin 1 5550100\nanswer 1\nack 1\nto 1 2110\nreplace 7 1\nagain 7",
        &expect![[r#"
        lamp 2110 busy
          = empty
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
        to 1 2110
            hold 1
            whose is 2110
            ear free
          = 1 Transferring to 2110 Waiting 1. Busy
        replace 7 1
            answer 7
            hold 7
          = 1 Ending · 7 Held (again 2110?) · [1 to 2110: TakenBack]
        again 7
          = 1 Ending · 7 Transferring to 2110 Waiting 1. Busy · [1 to 2110: TakenBack]
    "#]],
    );
    check_with(
        no_timers(),
        "in 1 5550100\nanswer 1\nack 1\nto 1 2110\nreplace 7 1",
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
        to 1 2110
            hold 1
            refer 1 to 2110
            ear free
          = 1 Transferring to 2110 Requested
        replace 7 1
            answer 7
            hold 7
          = 1 Ending · 7 Held · [1 to 2110: TakenBack]
    "#]],
    );
    check_with(
        no_timers(),
        "in 1 5550100\nanswer 1\nack 1\nto 1 2110\ntrying 1\nreplace 7 1\nmoved 1\ngone 1",
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
        to 1 2110
            hold 1
            refer 1 to 2110
            ear free
          = 1 Transferring to 2110 Requested
        trying 1
          = 1 Transferring to 2110 Trying
        replace 7 1
            answer 7
            hold 7
          = 1 Ending · 7 Held · [1 to 2110: HandedOver]
        moved 1
          = 1 Ending · 7 Held · [1 to 2110: Answered]
        gone 1
            log 1 Transferred, answered 0, talk 0, hold 0, to 2110 Answered in 0
          = 7 Held · [1 to 2110: Answered]
    "#]],
    );
    check_with(
        undo(),
        "in 1 5550100\nanswer 1\nack 1\n+1000\ndial 2110\nring 2\nok 2\n+2000\njoin 1 2\nreplace 7 2",
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
            join 1 2
                hold 2
                ear free
              = 1 Transferring to 2110 Attended Grace until 5000 · 2 Transferring taking 1
            replace 7 2
                answer 7
                ear 7
              = 1 Held · 2 Ending · 7 Talking* · [1 to 2110: Attended Undone]
        "#]],
    );
    check_with(
        no_timers(),
        "in 1 5550100\nanswer 1\nack 1\n+1000\ndial 2110\nring 2\nok 2\n+2000\njoin 1 2\nreplace 7 2\nmoved 1\ngone 2\ngone 1",
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
        join 1 2
            hold 2
            refer 1 to call 2
            ear free
          = 1 Transferring to 2110 Attended Requested · 2 Transferring taking 1
        replace 7 2
            answer 7
            hold 7
          = 1 Transferring to 2110 Attended Requested · 2 Ending · 7 Held
        moved 1
            hang up 1
          = 1 Ending · 2 Ending · 7 Held · [1 to 2110: Attended Answered]
        gone 2
            log 2110 Transferred, answered 0, talk 2000, hold 0
          = 1 Ending · 7 Held · [1 to 2110: Attended Answered]
        gone 1
            log 1 Transferred, answered 0, talk 1000, hold 2000, to 2110 Attended Answered in 0
          = 7 Held · [1 to 2110: Attended Answered]
    "#]],
    );
}

#[test]
fn nothing_to_replace() {
    check_with(
        no_timers(),
        "in 1 5550100\nanswer 1\nack 1\nreplace 7 9\nhangup 1\nreplace 8 1\nreplace 9 7\nreplace 7 8",
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
            replace 7 9
                180 7
                Tone(Some(CallWaiting))
              = 1 Talking* · 7 Ringing
            hangup 1
                hang up 1
                ear free
                Ringer(Some(Chime))
                Tone(None)
              = 1 Ending · 7 Ringing
            replace 8 1
                180 8
              = 1 Ending · 7 Ringing · 8 Ringing
            replace 9 7
                180 9
              = 1 Ending · 7 Ringing · 8 Ringing · 9 Ringing
            replace 7 8
        "#]],
    );
}

#[test]
fn dnd_and_the_old_leg_that_never_ends() {
    check_with(
        no_timers(),
        "in 1 5550100\nanswer 1\nack 1\ndnd\nreplace 7 1\n+40000\nbye 7",
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
        dnd
        replace 7 1
            answer 7
            ear 7
          = 1 Ending · 7 Talking*
        +40000
            log 1 Transferred, answered 0, talk 0, hold 0
          = 7 Talking*
        bye 7
            log 7 Completed, answered 0, talk 40000, hold 0
            ear free
          = empty
    "#]],
    );
}
