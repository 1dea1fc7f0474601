//! Blind transfer queueing (PRE-6): calls that wait for a busy phone.

use expect_test::expect;
use ipc::Timers;

use crate::script::{check_with, no_timers};

/// Recall after a minute, transfer after three seconds of a free phone.
fn queue() -> Timers {
    Timers { queue_ms: 60_000, queue_delay_ms: 3_000, ..no_timers() }
}

#[test]
fn transferred_by_itself_when_the_phone_is_free() {
    check_with(
        queue(),
        "lamp 2110 busy\nin 1 5550100\nanswer 1\nack 1\nto 1 2110\nheld 1\n+5000\nlamp 2110 free\n+2999\n+1\nlamp 2110 rings\nringing 1\n+2000\nmoved 1\ngone 1",
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
        held 1
        +5000
        lamp 2110 free
          = 1 Transferring to 2110 Waiting 1. Available, due 8000
        +2999
        +1
            refer 1 to 2110
          = 1 Transferring to 2110 Requested
        lamp 2110 rings
        ringing 1
          = 1 Transferring to 2110 Ringing
        +2000
        moved 1
            hang up 1
          = 1 Ending · [1 to 2110: Answered]
        gone 1
            log 1 Transferred, answered 0, talk 0, hold 10000, to 2110 Answered in 10000
          = [1 to 2110: Answered]
    "#]],
    );
}

#[test]
fn busy_again_within_the_delay() {
    check_with(
        queue(),
        "lamp 2110 rings\nin 1 5550100\nanswer 1\nack 1\nto 1 2110\nlamp 2110 free\n+2000\nlamp 2110 busy\n+5000\nlamp 2110 free\n+3000",
        &expect![[r#"
        lamp 2110 rings
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
          = 1 Transferring to 2110 Waiting 1. Ringing
        lamp 2110 free
          = 1 Transferring to 2110 Waiting 1. Available, due 3000
        +2000
        lamp 2110 busy
          = 1 Transferring to 2110 Waiting 1. Busy
        +5000
        lamp 2110 free
          = 1 Transferring to 2110 Waiting 1. Available, due 10000
        +3000
            refer 1 to 2110
          = 1 Transferring to 2110 Requested
    "#]],
    );
}

#[test]
fn in_order_and_one_at_a_time() {
    check_with(
        queue(),
        "lamp 2110 dnd\nin 1 5550100\nanswer 1\nack 1\nto 1 2110\nin 2 5550100\nanswer 2\nack 2\nto 2 2110\n+1000\nlamp 2110 free\n+3000\n+4000\nmoved 1\ngone 1\nlamp 2110 busy\n+9000\nlamp 2110 free\n+3000\nrefused 2 486\n+100\nagain 2",
        &expect![[r#"
        lamp 2110 dnd
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
          = 1 Transferring to 2110 Waiting 1. DoNotDisturb
        in 2 5550100
            180 2
            Ringer(Some(Bell))
          = 1 Transferring to 2110 Waiting 1. DoNotDisturb · 2 Ringing
        answer 2
            answer 2
            ear 2
            Ringer(None)
          = 1 Transferring to 2110 Waiting 1. DoNotDisturb · 2 Answering*
        ack 2
          = 1 Transferring to 2110 Waiting 1. DoNotDisturb · 2 Talking*
        to 2 2110
            hold 2
            whose is 2110
            ear free
          = 1 Transferring to 2110 Waiting 1. DoNotDisturb · 2 Transferring to 2110 Waiting 2. DoNotDisturb
        +1000
        lamp 2110 free
          = 1 Transferring to 2110 Waiting 1. Available, due 4000 · 2 Transferring to 2110 Waiting 2. Available
        +3000
            refer 1 to 2110
          = 1 Transferring to 2110 Requested · 2 Transferring to 2110 Waiting 1. Available
        +4000
        moved 1
            hang up 1
          = 1 Ending · 2 Transferring to 2110 Waiting 1. Available, due 11000 · [1 to 2110: Answered]
        gone 1
            log 1 Transferred, answered 0, talk 0, hold 8000, to 2110 Answered in 8000
          = 2 Transferring to 2110 Waiting 1. Available, due 11000 · [1 to 2110: Answered]
        lamp 2110 busy
          = 2 Transferring to 2110 Waiting 1. Busy · [1 to 2110: Answered]
        +9000
          = 2 Transferring to 2110 Waiting 1. Busy
        lamp 2110 free
          = 2 Transferring to 2110 Waiting 1. Available, due 20000
        +3000
            refer 2 to 2110
          = 2 Transferring to 2110 Requested
        refused 2 486
            Ringer(Some(Bell))
          = 2 Recalling (from 2110 Transfer(Refused { code: 486 })) (again 2110?) · [2 to 2110: Refused { code: 486 }]
        +100
        again 2
            Ringer(None)
          = 2 Transferring to 2110 Waiting 1. Available, due 23100 · [2 to 2110: Refused { code: 486 }]
    "#]],
    );
}

/// A phone that is free for the first in its queue is not free for a newcomer.
#[test]
fn nobody_overtakes() {
    check_with(
        queue(),
        "lamp 2110 busy\nin 1 5550100\nanswer 1\nack 1\nto 1 2110\nlamp 2110 free\nin 2 5550100\nanswer 2\nack 2\nto 2 2110\n+3000\nmoved 1\n+2999\n+1",
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
        lamp 2110 free
          = 1 Transferring to 2110 Waiting 1. Available, due 3000
        in 2 5550100
            180 2
            Ringer(Some(Bell))
          = 1 Transferring to 2110 Waiting 1. Available, due 3000 · 2 Ringing
        answer 2
            answer 2
            ear 2
            Ringer(None)
          = 1 Transferring to 2110 Waiting 1. Available, due 3000 · 2 Answering*
        ack 2
          = 1 Transferring to 2110 Waiting 1. Available, due 3000 · 2 Talking*
        to 2 2110
            hold 2
            whose is 2110
            ear free
          = 1 Transferring to 2110 Waiting 1. Available, due 3000 · 2 Transferring to 2110 Waiting 2. Available
        +3000
            refer 1 to 2110
          = 1 Transferring to 2110 Requested · 2 Transferring to 2110 Waiting 1. Available
        moved 1
            hang up 1
          = 1 Ending · 2 Transferring to 2110 Waiting 1. Available, due 6000 · [1 to 2110: Answered]
        +2999
        +1
            refer 2 to 2110
          = 1 Ending · 2 Transferring to 2110 Requested · [1 to 2110: Answered]
    "#]],
    );
}

#[test]
fn a_lamp_that_nobody_vouches_for() {
    check_with(
        queue(),
        "lamp 2110 busy\nin 1 5550100\nanswer 1\nack 1\nto 1 2110\nlamp 2110 free\n+1000\nlamp 2110 unknown\n+9000\nlamp 2110 gone\nlamp 2110 free\n+1000\nlamp 2110 gone\n+48999\n+1\nanswer 1\nagain 1",
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
        lamp 2110 free
          = 1 Transferring to 2110 Waiting 1. Available, due 3000
        +1000
        lamp 2110 unknown
          = 1 Transferring to 2110 Waiting 1. Unknown
        +9000
        lamp 2110 gone
        lamp 2110 free
          = 1 Transferring to 2110 Waiting 1. Available, due 13000
        +1000
        lamp 2110 gone
          = 1 Transferring to 2110 Waiting 1. Unknown
        +48999
        +1
            Ringer(Some(Bell))
          = 1 Recalling (from 2110 Waiting) (again 2110?) · [1 to 2110: TimedOut]
        answer 1
            retrieve 1
            ear 1
            Ringer(None)
          = 1 Talking* (from 2110 Waiting) (again 2110?) · [1 to 2110: TimedOut]
        again 1
            hold 1
            ear free
          = 1 Transferring to 2110 Waiting 1. Unknown · [1 to 2110: TimedOut]
    "#]],
    );
    check_with(
        queue(),
        "lamp 2110 unknown\nin 1 5550100\nanswer 1\nack 1\nto 1 2110",
        &expect![[r#"
        lamp 2110 unknown
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
            refer 1 to 2110
            ear free
          = 1 Transferring to 2110 Requested
    "#]],
    );
}

#[test]
fn taken_back_and_put_back() {
    check_with(
        queue(),
        "lamp 2110 busy\nin 1 5550100\nanswer 1\nack 1\nto 1 2110\nin 2 5550100\nanswer 2\nack 2\nto 2 2110\n+5000\nagain 1\nretrieve 1\n+1000\nagain 1\nagain 1\nlamp 2110 free\n+3000\nretrieve 2\nto 2 2120\nrefused 2 404",
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
        in 2 5550100
            180 2
            Ringer(Some(Bell))
          = 1 Transferring to 2110 Waiting 1. Busy · 2 Ringing
        answer 2
            answer 2
            ear 2
            Ringer(None)
          = 1 Transferring to 2110 Waiting 1. Busy · 2 Answering*
        ack 2
          = 1 Transferring to 2110 Waiting 1. Busy · 2 Talking*
        to 2 2110
            hold 2
            whose is 2110
            ear free
          = 1 Transferring to 2110 Waiting 1. Busy · 2 Transferring to 2110 Waiting 2. Busy
        +5000
        again 1
            refused: not possible in the call's present state
        retrieve 1
            retrieve 1
            ear 1
          = 1 Talking* (again 2110?) · 2 Transferring to 2110 Waiting 1. Busy · [1 to 2110: TakenBack]
        +1000
        again 1
            hold 1
            ear free
          = 1 Transferring to 2110 Waiting 2. Busy · 2 Transferring to 2110 Waiting 1. Busy · [1 to 2110: TakenBack]
        again 1
            refused: not possible in the call's present state
        lamp 2110 free
          = 1 Transferring to 2110 Waiting 2. Available · 2 Transferring to 2110 Waiting 1. Available, due 9000 · [1 to 2110: TakenBack]
        +3000
            refer 2 to 2110
          = 1 Transferring to 2110 Waiting 1. Available · 2 Transferring to 2110 Requested · [1 to 2110: TakenBack]
        retrieve 2
            retrieve 2
            ear 2
          = 1 Transferring to 2110 Waiting 1. Available, due 12000 · 2 Talking* (again 2110?) · [1 to 2110: TakenBack] · [2 to 2110: TakenBack]
        to 2 2120
            hold 2
            refer 2 to 2120
            ear free
          = 1 Transferring to 2110 Waiting 1. Available, due 12000 · 2 Transferring to 2120 Requested · [1 to 2110: TakenBack] · [2 to 2110: TakenBack]
        refused 2 404
            Ringer(Some(Bell))
          = 2 Recalling (from 2120 Transfer(Refused { code: 404 })) · 1 Transferring to 2110 Waiting 1. Available, due 12000 · [1 to 2110: TakenBack] · [2 to 2110: TakenBack] · [2 to 2120: Refused { code: 404 }]
    "#]],
    );
}

#[test]
fn now_although_busy() {
    check_with(
        queue(),
        "lamp 2110 busy\nin 1 5550100\nanswer 1\nack 1\nto 1 2110\n+100\nnow 1\nrefused 1 486\nagain 1\nlamp 2110 free\nnow 1\nmoved 1",
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
        +100
        now 1
            refer 1 to 2110
          = 1 Transferring to 2110 Requested
        refused 1 486
            Ringer(Some(Bell))
          = 1 Recalling (from 2110 Transfer(Refused { code: 486 })) (again 2110?) · [1 to 2110: Refused { code: 486 }]
        again 1
            Ringer(None)
          = 1 Transferring to 2110 Waiting 1. Busy · [1 to 2110: Refused { code: 486 }]
        lamp 2110 free
          = 1 Transferring to 2110 Waiting 1. Available, due 3100 · [1 to 2110: Refused { code: 486 }]
        now 1
            refer 1 to 2110
          = 1 Transferring to 2110 Requested · [1 to 2110: Refused { code: 486 }]
        moved 1
            hang up 1
          = 1 Ending · [1 to 2110: Refused { code: 486 }] · [1 to 2110: Answered]
    "#]],
    );
}

#[test]
fn the_caller_gives_up_waiting() {
    check_with(
        queue(),
        "lamp 2110 busy\nin 1 5550100\nanswer 1\nack 1\nto 1 2110\nin 2 5550100\nanswer 2\nack 2\nto 2 2110\n+1000\nbye 1\nhangup 2\ngone 2\n+9000",
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
        in 2 5550100
            180 2
            Ringer(Some(Bell))
          = 1 Transferring to 2110 Waiting 1. Busy · 2 Ringing
        answer 2
            answer 2
            ear 2
            Ringer(None)
          = 1 Transferring to 2110 Waiting 1. Busy · 2 Answering*
        ack 2
          = 1 Transferring to 2110 Waiting 1. Busy · 2 Talking*
        to 2 2110
            hold 2
            whose is 2110
            ear free
          = 1 Transferring to 2110 Waiting 1. Busy · 2 Transferring to 2110 Waiting 2. Busy
        +1000
        bye 1
            log 1 Completed, answered 0, talk 0, hold 1000, to 2110 Abandoned in 1000
          = 2 Transferring to 2110 Waiting 1. Busy · [1 to 2110: Abandoned]
        hangup 2
            hang up 2
          = 2 Ending · [1 to 2110: Abandoned] · [2 to 2110: TakenBack]
        gone 2
            log 2 Completed, answered 0, talk 0, hold 1000, to 2110 TakenBack in 1000
          = [1 to 2110: Abandoned] · [2 to 2110: TakenBack]
        +9000
          = empty
    "#]],
    );
}

#[test]
fn a_mailbox_is_never_busy() {
    check_with(
        queue(),
        "lamp 2900 busy\nin 1 5550100\nanswer 1\nack 1\nmail 1 2900\nmoved 1\ngone 1",
        &expect![[r#"
        lamp 2900 busy
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
        mail 1 2900
            hold 1
            refer 1 to 2900
            ear free
          = 1 Transferring to 2900 Voicemail Requested
        moved 1
            hang up 1
          = 1 Ending · [1 to 2900: Voicemail Answered]
        gone 1
            log 1 Voicemail, answered 0, talk 0, hold 0, to 2900 Voicemail Answered in 0
          = [1 to 2900: Voicemail Answered]
    "#]],
    );
}

#[test]
fn without_delay_and_without_end() {
    check_with(
        Timers { queue_ms: 0, queue_delay_ms: 0, ..no_timers() },
        "lamp 2110 busy\nin 1 5550100\nanswer 1\nack 1\nto 1 2110\n+999999999\nlamp 2110 free\n+0",
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
        +999999999
        lamp 2110 free
          = 1 Transferring to 2110 Waiting 1. Available, due 999999999
        +0
            refer 1 to 2110
          = 1 Transferring to 2110 Requested
    "#]],
    );
}

/// Nothing was asked of the exchange yet, so no answer can be meant for a call that only waited.
#[test]
fn an_answer_to_nothing() {
    check_with(
        queue(),
        "lamp 2110 busy\nin 1 5550100\nanswer 1\nack 1\nto 1 2110\nmoved 1\nringing 1\n+60000\nmoved 1\nbye 1",
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
            moved 1
            ringing 1
            +60000
                Ringer(Some(Bell))
              = 1 Recalling (from 2110 Waiting) (again 2110?) · [1 to 2110: TimedOut]
            moved 1
            bye 1
                log 1 Completed, answered 0, talk 0, hold 60000, to 2110 TimedOut in 60000
                Ringer(None)
              = [1 to 2110: TimedOut]
        "#]],
    );
}

/// A newcomer that can still be undone is before one that was dropped later and waits.
#[test]
fn the_order_is_that_of_the_drops() {
    check_with(
        Timers { undo_ms: 2_000, ..queue() },
        "lamp 2110 free\nin 1 5550100\nanswer 1\nack 1\nto 1 2110\nlamp 2110 busy\nin 2 5550100\nanswer 2\nack 2\n+100\nto 2 2110\n+1900",
        &expect![[r#"
            lamp 2110 free
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
              = 1 Transferring to 2110 Grace until 2000
            lamp 2110 busy
            in 2 5550100
                180 2
                Ringer(Some(Bell))
              = 1 Transferring to 2110 Grace until 2000 · 2 Ringing
            answer 2
                answer 2
                ear 2
                Ringer(None)
              = 1 Transferring to 2110 Grace until 2000 · 2 Answering*
            ack 2
              = 1 Transferring to 2110 Grace until 2000 · 2 Talking*
            +100
            to 2 2110
                hold 2
                whose is 2110
                ear free
              = 1 Transferring to 2110 Grace until 2000 · 2 Transferring to 2110 Waiting 1. Busy
            +1900
              = 1 Transferring to 2110 Waiting 1. Busy · 2 Transferring to 2110 Waiting 2. Busy
        "#]],
    );
}
