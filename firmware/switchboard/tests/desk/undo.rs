//! The grace in which a transfer can be undone.

use expect_test::expect;
use ipc::Timers;

use crate::script::{check_with, no_timers};

/// Two seconds to think better of it.
fn undo() -> Timers {
    Timers { undo_ms: 2_000, ..no_timers() }
}

#[test]
fn the_refer_leaves_when_the_grace_is_over() {
    check_with(
        undo(),
        "in 1 5550100\nanswer 1\nack 1\nto 1 2110\nheld 1\n+1999\n+1\ntrying 1\nundo 1\nmoved 1\ngone 1",
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
        held 1
        +1999
        +1
            refer 1 to 2110
          = 1 Transferring to 2110 Requested
        trying 1
          = 1 Transferring to 2110 Trying
        undo 1
            refused: not possible in the call's present state
        moved 1
            hang up 1
          = 1 Ending · [1 to 2110: Answered]
        gone 1
            log 1 Transferred, answered 0, talk 0, hold 2000, to 2110 Answered in 2000
          = [1 to 2110: Answered]
    "#]],
    );
}

#[test]
fn an_undone_transfer_gives_the_ear_back() {
    check_with(
        undo(),
        "in 1 5550100\nanswer 1\nack 1\nto 1 2110\n+1500\nundo 1\nundo 1\nnow 1\n+2000\nbye 1",
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
        +1500
        undo 1
            retrieve 1
            ear 1
          = 1 Talking* · [1 to 2110: Undone]
        undo 1
            refused: not possible in the call's present state
        now 1
            refused: not possible in the call's present state
        +2000
        bye 1
            log 1 Completed, answered 0, talk 2000, hold 1500, to 2110 Undone in 1500
            ear free
          = [1 to 2110: Undone]
    "#]],
    );
}

#[test]
fn somebody_else_has_the_ear_by_then() {
    check_with(
        undo(),
        "in 1 5550100\nanswer 1\nack 1\nin 2 5550200\nto 1 2110\nanswer 2\nack 2\nundo 1\nin 3 5550100\nhold 2\nto 1 2110\nundo 1",
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
            to 1 2110
                hold 1
                whose is 2110
                ear free
                Ringer(Some(Chime))
                Tone(None)
              = 1 Transferring to 2110 Grace until 2000 · 2 Ringing
            answer 2
                answer 2
                ear 2
                Ringer(None)
              = 1 Transferring to 2110 Grace until 2000 · 2 Answering*
            ack 2
              = 1 Transferring to 2110 Grace until 2000 · 2 Talking*
            undo 1
              = 1 Held · 2 Talking* · [1 to 2110: Undone]
            in 3 5550100
                180 3
                Tone(Some(CallWaiting))
              = 1 Held · 2 Talking* · 3 Ringing · [1 to 2110: Undone]
            hold 2
                hold 2
                ear free
                Ringer(Some(Bell))
                Tone(None)
              = 1 Held · 2 Held · 3 Ringing · [1 to 2110: Undone]
            to 1 2110
                whose is 2110
              = 1 Transferring to 2110 Grace until 2000 · 2 Held · 3 Ringing · [1 to 2110: Undone]
            undo 1
              = 1 Held · 2 Held · 3 Ringing · [1 to 2110: Undone] · [1 to 2110: Undone]
        "#]],
    );
}

#[test]
fn a_recall_comes_back_as_a_recall() {
    check_with(
        undo(),
        "in 1 5550100\nanswer 1\nack 1\nto 1 2110\nnow 1\nrefused 1 486\nto 1 2120\n+500\nundo 1\nhold 1\nmail 1 2900\nundo 1",
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
        now 1
            refer 1 to 2110
          = 1 Transferring to 2110 Requested
        refused 1 486
            Ringer(Some(Bell))
          = 1 Recalling (from 2110 Transfer(Refused { code: 486 })) · [1 to 2110: Refused { code: 486 }]
        to 1 2120
            whose is 2120
            Ringer(None)
          = 1 Transferring to 2120 Grace until 2000 · [1 to 2110: Refused { code: 486 }]
        +500
        undo 1
            Ringer(Some(Bell))
          = 1 Recalling (from 2110 Transfer(Refused { code: 486 })) · [1 to 2110: Refused { code: 486 }] · [1 to 2120: Undone]
        hold 1
            Ringer(None)
          = 1 Held (from 2110 Transfer(Refused { code: 486 })) · [1 to 2110: Refused { code: 486 }] · [1 to 2120: Undone]
        mail 1 2900
            whose is 2900
          = 1 Transferring to 2900 Voicemail Grace until 2500 · [1 to 2110: Refused { code: 486 }] · [1 to 2120: Undone]
        undo 1
          = 1 Held (from 2110 Transfer(Refused { code: 486 })) · [1 to 2110: Refused { code: 486 }] · [1 to 2120: Undone] · [1 to 2900: Voicemail Undone]
    "#]],
    );
}

#[test]
fn at_once_if_the_operator_is_sure() {
    check_with(
        undo(),
        "in 1 5550100\nanswer 1\nack 1\nmail 1 2900\n+300\nnow 1\nnow 1\ntrying 1\n+900\nmoved 1\ngone 1",
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
        mail 1 2900
            hold 1
            whose is 2900
            ear free
          = 1 Transferring to 2900 Voicemail Grace until 2000
        +300
        now 1
            refer 1 to 2900
          = 1 Transferring to 2900 Voicemail Requested
        now 1
            refused: not possible in the call's present state
        trying 1
          = 1 Transferring to 2900 Voicemail Trying
        +900
        moved 1
            hang up 1
          = 1 Ending · [1 to 2900: Voicemail Answered]
        gone 1
            log 1 Voicemail, answered 0, talk 0, hold 1200, to 2900 Voicemail Answered in 1200
          = [1 to 2900: Voicemail Answered]
    "#]],
    );
}

#[test]
fn the_caller_hangs_up_before_the_refer() {
    check_with(
        undo(),
        "in 1 5550100\nanswer 1\nack 1\nto 1 2110\n+700\nbye 1\n+5000",
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
        +700
        bye 1
            log 1 Completed, answered 0, talk 0, hold 700, to 2110 Abandoned in 700
          = [1 to 2110: Abandoned]
        +5000
    "#]],
    );
}

#[test]
fn taken_or_hung_up_in_the_grace() {
    check_with(
        undo(),
        "in 1 5550100\nanswer 1\nack 1\nto 1 2110\nretrieve 1\nto 1 2110\nhangup 1\nundo 1\ngone 1",
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
        retrieve 1
            retrieve 1
            ear 1
          = 1 Talking* · [1 to 2110: Undone]
        to 1 2110
            hold 1
            whose is 2110
            ear free
          = 1 Transferring to 2110 Grace until 2000 · [1 to 2110: Undone]
        hangup 1
            hang up 1
          = 1 Ending · [1 to 2110: Undone] · [1 to 2110: Undone]
        undo 1
            refused: not possible in the call's present state
        gone 1
            log 1 Completed, answered 0, talk 0, hold 0, to 2110 Undone in 0, to 2110 Undone in 0
          = [1 to 2110: Undone] · [1 to 2110: Undone]
    "#]],
    );
}

#[test]
fn a_hold_refused_in_the_grace() {
    check_with(
        undo(),
        "in 1 5550100\nanswer 1\nack 1\nto 1 2110\nrefuse-hold 1\nundo 1\nrefuse-back 1",
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
        refuse-hold 1
          = 1 Transferring to 2110 Grace until 2000 · !hold 1 failed 488
        undo 1
            retrieve 1
            ear 1
          = 1 Talking* · [1 to 2110: Undone] · !hold 1 failed 488
        refuse-back 1
            ear free
          = 1 Held · [1 to 2110: Undone] · !hold 1 failed 488
    "#]],
    );
}

/// The first target answers, late, while the recall is about to go to another one.
#[test]
fn an_answer_of_the_last_target_overtakes_the_next() {
    check_with(
        undo(),
        "in 1 5550100\nanswer 1\nack 1\nto 1 2110\nnow 1\nringing 1\n+30000\nsilent 1\nto 1 2120\n+100\nmoved 1\ngone 1",
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
            now 1
                refer 1 to 2110
              = 1 Transferring to 2110 Requested
            ringing 1
              = 1 Transferring to 2110 Ringing
            +30000
                is 1 there
            silent 1
                Ringer(Some(Bell))
              = 1 Recalling (from 2110 Transfer(TimedOut)) · [1 to 2110: TimedOut]
            to 1 2120
                whose is 2120
                Ringer(None)
              = 1 Transferring to 2120 Grace until 32000 · [1 to 2110: TimedOut]
            +100
            moved 1
                hang up 1
              = 1 Ending · [1 to 2110: Answered] · [1 to 2120: Undone]
            gone 1
                log 1 Transferred, answered 0, talk 0, hold 30100, to 2110 Answered in 30000, to 2120 Undone in 100
              = [1 to 2110: Answered] · [1 to 2120: Undone]
        "#]],
    );
}

#[test]
fn numbers_of_our_own_are_refused() {
    check_with(
        undo(),
        "in 1 5550100\nanswer 1\nack 1\nto 1 555-0200\nmail 1 5550100\nto 1 +5550100",
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
        to 1 555-0200
            refused: 5550200 is this desk's own number
        mail 1 5550100
            refused: 5550100 is this desk's own number
        to 1 +5550100
            hold 1
            whose is +5550100
            ear free
          = 1 Transferring to +5550100 Grace until 2000
    "#]],
    );
}

#[test]
fn the_phone_became_busy_in_the_grace() {
    check_with(
        undo(),
        "in 1 5550100\nanswer 1\nack 1\nlamp 2110 free\nto 1 2110\nlamp 2110 busy\n+2000\nnow 1",
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
        lamp 2110 free
        to 1 2110
            hold 1
            whose is 2110
            ear free
          = 1 Transferring to 2110 Grace until 2000
        lamp 2110 busy
        +2000
          = 1 Transferring to 2110 Waiting 1. Busy
        now 1
            refer 1 to 2110
          = 1 Transferring to 2110 Requested
    "#]],
    );
}
