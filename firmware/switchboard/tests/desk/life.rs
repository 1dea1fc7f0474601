//! A call's life without transfers: in, out, hold, and the races at both ends.

use expect_test::expect;

use crate::script::check;

#[test]
fn answered_held_retrieved_and_hung_up_there() {
    check(
        "in 1 5550100\n+4000\nanswer 1\n+30\nack 1\n+1000\nhold 1\nheld 1\n+500\nhold 1\nretrieve 1\nback 1\n+250\nbye 1",
        &expect![[r#"
            in 1 5550100
                180 1
                Ringer(Some(Bell))
              = 1 Ringing
            +4000
            answer 1
                answer 1
                ear 1
                Ringer(None)
              = 1 Answering*
            +30
            ack 1
              = 1 Talking*
            +1000
            hold 1
                hold 1
                ear free
              = 1 Held
            held 1
            +500
            hold 1
                refused: not possible in the call's present state
            retrieve 1
                retrieve 1
                ear 1
              = 1 Talking*
            back 1
            +250
            bye 1
                log 1 Completed, answered 4030, talk 1250, hold 500
                ear free
              = empty
        "#]],
    );
}

#[test]
fn answering_and_dialling_put_the_active_call_on_hold() {
    check(
        "in 1 5550100\nanswer 1\nack 1\n+10\nin 2 5550200\nanswer 2\nack 2\n+10\ndial 99\nring 3\nok 3\nretrieve 1\nhangup 1\ngone 1",
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
            +10
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
            +10
            dial 99
                hold 2
                dial 3 99 from 5550100
                ear 3
              = 1 Held · 2 Held · 3 Dialing*
            ring 3
                Tone(Some(Ringback))
              = 1 Held · 2 Held · 3 Alerting*
            ok 3
                Tone(None)
              = 1 Held · 2 Held · 3 Talking*
            retrieve 1
                hold 3
                retrieve 1
                ear 1
              = 1 Talking* · 2 Held · 3 Held
            hangup 1
                hang up 1
                ear free
              = 1 Ending · 2 Held · 3 Held
            gone 1
                log 1 Completed, answered 0, talk 10, hold 10
              = 2 Held · 3 Held
        "#]],
    );
}

#[test]
fn an_answer_that_was_not_confirmed_before_the_next_one() {
    check(
        "in 1 5550100\nin 2 5550100\nanswer 1\nanswer 2\nack 1\nack 2\nbye 2",
        &expect![[r#"
        in 1 5550100
            180 1
            Ringer(Some(Bell))
          = 1 Ringing
        in 2 5550100
            180 2
          = 1 Ringing · 2 Ringing
        answer 1
            answer 1
            ear 1
            Ringer(None)
          = 1 Answering* · 2 Ringing
        answer 2
            answer 2
            ear 2
          = 1 Answering · 2 Answering*
        ack 1
            hold 1
          = 1 Held · 2 Answering*
        ack 2
          = 1 Held · 2 Talking*
        bye 2
            log 2 Completed, answered 0, talk 0, hold 0
            ear free
          = 1 Held
    "#]],
    );
}

#[test]
fn a_call_answered_there_while_the_operator_talks_elsewhere_waits() {
    check(
        "dial 99\nring 1\nin 2 5550100\nanswer 2\nack 2\nok 1",
        &expect![[r#"
        dial 99
            dial 1 99 from 5550100
            ear 1
          = 1 Dialing*
        ring 1
            Tone(Some(Ringback))
          = 1 Alerting*
        in 2 5550100
            180 2
            Tone(Some(CallWaiting))
          = 2 Ringing · 1 Alerting*
        answer 2
            answer 2
            ear 2
            Tone(None)
          = 2 Answering* · 1 Alerting
        ack 2
          = 2 Talking* · 1 Alerting
        ok 1
            hold 1
          = 2 Talking* · 1 Held
    "#]],
    );
}

#[test]
fn a_call_answered_there_after_the_ear_was_freed_is_heard() {
    check(
        "dial 99\nring 1\ndial 98\nhangup 2\nok 1",
        &expect![[r#"
        dial 99
            dial 1 99 from 5550100
            ear 1
          = 1 Dialing*
        ring 1
            Tone(Some(Ringback))
          = 1 Alerting*
        dial 98
            dial 2 98 from 5550100
            ear 2
            Tone(None)
          = 1 Alerting · 2 Dialing*
        hangup 2
            hang up 2
            ear free
          = 1 Alerting · 2 Ending
        ok 1
            ear 1
          = 1 Talking* · 2 Ending
    "#]],
    );
}

#[test]
fn cancelled_elsewhere_crossed() {
    check(
        "in 1 5550100\n+9000\ncancel 1",
        &expect![[r#"
        in 1 5550100
            180 1
            Ringer(Some(Bell))
          = 1 Ringing
        +9000
        cancel 1
            SaveMissed(1)
            log 1 Missed, answered never, talk 0, hold 0
            Ringer(None)
          = missed 1
    "#]],
    );
    check(
        "in 1 5550100\nelsewhere 1",
        &expect![[r#"
        in 1 5550100
            180 1
            Ringer(Some(Bell))
          = 1 Ringing
        elsewhere 1
            log 1 Elsewhere, answered never, talk 0, hold 0
            Ringer(None)
          = empty
    "#]],
    );
    check(
        "in 1 5550100\nanswer 1\ncancel 1\nack 1",
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
        cancel 1
            SaveMissed(1)
            log 1 Missed, answered never, talk 0, hold 0
            ear free
          = missed 1
        ack 1
    "#]],
    );
    check(
        "in 1 5550100\nanswer 1\nlost 1",
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
        lost 1
            SaveMissed(1)
            log 1 Missed, answered never, talk 0, hold 0
            ear free
          = missed 1
    "#]],
    );
    check(
        "in 1 5550100\nanswer 1\nhangup 1\ngone 1",
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
        hangup 1
            hang up 1
            ear free
          = 1 Ending
        gone 1
            log 1 Rejected, answered never, talk 0, hold 0
          = empty
    "#]],
    );
}

#[test]
fn rejected_by_hand() {
    check(
        "in 1 5550100\nreject 1\nanswer 1\ngone 1\nin 2 5550100\nhangup 2\ncancel 2",
        &expect![[r#"
        in 1 5550100
            180 1
            Ringer(Some(Bell))
          = 1 Ringing
        reject 1
            reject 1 486
            Ringer(None)
          = 1 Ending
        answer 1
            refused: not possible in the call's present state
        gone 1
            log 1 Rejected, answered never, talk 0, hold 0
          = empty
        in 2 5550100
            180 2
            Ringer(Some(Bell))
          = 2 Ringing
        hangup 2
            reject 2 486
            Ringer(None)
          = 2 Ending
        cancel 2
            log 2 Rejected, answered never, talk 0, hold 0
          = empty
    "#]],
    );
}

#[test]
fn do_not_disturb_refuses_new_calls_and_keeps_those_in_progress() {
    check(
        "in 1 5550100\ndnd\nin 2 5550100\ngone 2\nanswer 1\nack 1\navailable\nin 3 5550100",
        &expect![[r#"
            in 1 5550100
                180 1
                Ringer(Some(Bell))
              = 1 Ringing
            dnd
            in 2 5550100
                reject 2 486
                log 2 Rejected, answered never, talk 0, hold 0
            gone 2
            answer 1
                answer 1
                ear 1
                Ringer(None)
              = 1 Answering*
            ack 1
              = 1 Talking*
            available
            in 3 5550100
                180 3
                Tone(Some(CallWaiting))
              = 1 Talking* · 3 Ringing
        "#]],
    );
}

#[test]
fn dialled_and_failed() {
    check(
        "dial 99\n+100\nfinal 1 486\n+3000",
        &expect![[r#"
        dial 99
            dial 1 99 from 5550100
            ear 1
          = 1 Dialing*
        +100
        final 1 486
            log 99 Refused, answered never, talk 0, hold 0
            ear free
            Tone(Some(Busy))
          = !dial 99 failed 486
        +3000
            Tone(None)
    "#]],
    );
    check(
        "dial 99\nring 1\n+100\nfinal 1 480\nin 2 5550100\nanswer 2",
        &expect![[r#"
        dial 99
            dial 1 99 from 5550100
            ear 1
          = 1 Dialing*
        ring 1
            Tone(Some(Ringback))
          = 1 Alerting*
        +100
        final 1 480
            log 99 NotAnswered, answered never, talk 0, hold 0
            ear free
            Tone(Some(Congestion))
          = !dial 99 failed 480
        in 2 5550100
            180 2
            Ringer(Some(Bell))
          = 2 Ringing · !dial 99 failed 480
        answer 2
            answer 2
            ear 2
            Ringer(None)
            Tone(None)
          = 2 Answering* · !dial 99 failed 480
    "#]],
    );
    check(
        "dial 99\nlost 1",
        &expect![[r#"
        dial 99
            dial 1 99 from 5550100
            ear 1
          = 1 Dialing*
        lost 1
            log 99 Failed, answered never, talk 0, hold 0
            ear free
            Tone(Some(Congestion))
          = !dial 99 failed 408
    "#]],
    );
    check(
        "dial 99\nring 1\nhangup 1\nok 1\nfinal 1 487",
        &expect![[r#"
        dial 99
            dial 1 99 from 5550100
            ear 1
          = 1 Dialing*
        ring 1
            Tone(Some(Ringback))
          = 1 Alerting*
        hangup 1
            hang up 1
            ear free
            Tone(None)
          = 1 Ending
        ok 1
        final 1 487
            log 99 NotAnswered, answered never, talk 0, hold 0
          = empty
    "#]],
    );
    check(
        "dial 99\nok 1\nlost 1",
        &expect![[r#"
        dial 99
            dial 1 99 from 5550100
            ear 1
          = 1 Dialing*
        ok 1
          = 1 Talking*
        lost 1
            log 99 Failed, answered 0, talk 0, hold 0
            ear free
          = empty
    "#]],
    );
}

#[test]
fn a_refused_hold_leaves_the_call_as_it_was() {
    check(
        "in 1 5550100\nanswer 1\nack 1\n+10\nhold 1\n+10\nrefuse-hold 1\nrefuse-hold 1",
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
        +10
        hold 1
            hold 1
            ear free
          = 1 Held
        +10
        refuse-hold 1
            ear 1
          = 1 Talking* · !hold 1 failed 488
        refuse-hold 1
    "#]],
    );
    check(
        "in 1 5550100\nanswer 1\nack 1\nhold 1\nheld 1\nretrieve 1\n+5\nrefuse-back 1",
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
        held 1
        retrieve 1
            retrieve 1
            ear 1
          = 1 Talking*
        +5
        refuse-back 1
            ear free
          = 1 Held · !hold 1 failed 488
    "#]],
    );
    check(
        "in 1 5550100\nanswer 1\nack 1\ndial 99\nrefuse-hold 1\nretrieve 1",
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
        dial 99
            hold 1
            dial 2 99 from 5550100
            ear 2
          = 1 Held · 2 Dialing*
        refuse-hold 1
          = 1 Held · 2 Dialing* · !hold 1 failed 488
        retrieve 1
            retrieve 1
            ear 1
          = 1 Talking* · 2 Dialing · !hold 1 failed 488
    "#]],
    );
}

/// Two were asked for, and the first is refused when the second has not been asked for on the wire yet.
#[test]
fn call_7_a_refusal_is_that_of_what_was_refused_and_not_of_what_was_asked_last() {
    check(
        "in 1 5550100\nanswer 1\nack 1\nhold 1\nheld 1\nretrieve 1\n--\nhold 1\nrefuse-back 1\nheld 1\nretrieve 1",
        &expect![[r#"
            hold 1
                hold 1
                ear free
              = 1 Held
            refuse-back 1
            held 1
            retrieve 1
                retrieve 1
                ear 1
              = 1 Talking*
        "#]],
    );
    check(
        "in 1 5550100\nanswer 1\nack 1\nhold 1\n--\nretrieve 1\nrefuse-hold 1\nback 1\nhold 1",
        &expect![[r#"
            retrieve 1
                retrieve 1
                ear 1
              = 1 Talking*
            refuse-hold 1
            back 1
            hold 1
                hold 1
                ear free
              = 1 Held
        "#]],
    );
}

/// Hold, retrieve and hold again before the first is answered: only the answer to the last says whether they hold.
#[test]
fn call_7_of_three_that_are_asked_for_at_once_the_last_answer_counts() {
    check(
        "in 1 5550100\nanswer 1\nack 1\nhold 1\nretrieve 1\n--\nhold 1\nheld 1\nback 1\nrefuse-hold 1",
        &expect![[r#"
            hold 1
                hold 1
                ear free
              = 1 Held
            held 1
            back 1
            refuse-hold 1
                ear 1
              = 1 Talking* · !hold 1 failed 488
        "#]],
    );
    check(
        "in 1 5550100\nanswer 1\nack 1\nhold 1\nretrieve 1\n--\nhold 1\nrefuse-hold 1\nback 1\nheld 1",
        &expect![[r#"
            hold 1
                hold 1
                ear free
              = 1 Held
            refuse-hold 1
            back 1
            held 1
        "#]],
    );
}

#[test]
fn an_end_that_the_network_never_confirms() {
    check(
        "in 1 5550100\nanswer 1\nack 1\n+100\nhangup 1\n+39999\n+1",
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
        +100
        hangup 1
            hang up 1
            ear free
          = 1 Ending
        +39999
        +1
            log 1 Completed, answered 0, talk 100, hold 0
          = empty
    "#]],
    );
}
