//! The conference (CONF-1).

use expect_test::expect;

use crate::script::check;

/// Calls 1 and 2 are answered, 2 talks.
const TWO: &str = "in 1 5550100\nanswer 1\nack 1\nin 2 5550100\nanswer 2\nack 2\n";

#[test]
fn begun_left_joined_again_and_dissolved() {
    check(
        &format!("{TWO}confer 1\nspeaks 1\nquiet 2\nconfer 2\nf10\n+1000\nconfer 1\nhold 1\nf10\nretrieve 2"),
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
            in 2 5550100
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
            confer 1
                retrieve 1
                conference 2 1
                ear conference
              = 1 Conference · 2 Conference
            speaks 1
            quiet 2
                conference 2m 1
            confer 2
                refused: not possible in the call's present state
            f10
                ear free
            +1000
            confer 1
                ear conference
            hold 1
                hold 1
                conference 2m
              = 1 Held · 2 Conference
            f10
                hold 2
                conference
                ear free
              = 1 Held · 2 Held
            retrieve 2
                retrieve 2
                ear 2
              = 1 Held · 2 Talking*
        "#]],
    );
}

#[test]
fn a_new_call_leaves_it_running() {
    check(
        &format!("{TWO}confer 1\nin 3 5550100\nanswer 3\nack 3\nconfer 3\nbye 1\nbye 2\nonhook\nbye 3"),
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
            in 2 5550100
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
            confer 1
                retrieve 1
                conference 2 1
                ear conference
              = 1 Conference · 2 Conference
            in 3 5550100
                180 3
                Tone(Some(CallWaiting))
              = 1 Conference · 2 Conference · 3 Ringing
            answer 3
                answer 3
                ear 3
                Tone(None)
              = 1 Conference · 2 Conference · 3 Answering*
            ack 3
              = 1 Conference · 2 Conference · 3 Talking*
            confer 3
                conference 2 1 3
                ear conference
              = 1 Conference · 2 Conference · 3 Conference
            bye 1
                log 1 Completed, answered 0, talk 0, hold 0
                conference 2 3
              = 2 Conference · 3 Conference
            bye 2
                log 2 Completed, answered 0, talk 0, hold 0
                conference 3
              = 3 Conference
            onhook
                hold 3
                conference
                ear free
              = 3 Held
            bye 3
                log 3 Completed, answered 0, talk 0, hold 0
              = empty
        "#]],
    );
}

#[test]
fn the_last_one_is_put_on_hold_when_nobody_is_with_them() {
    check(
        &format!("{TWO}confer 1\nf9\nf9\nf10\nbye 1\nbye 2"),
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
        in 2 5550100
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
        confer 1
            retrieve 1
            conference 2 1
            ear conference
          = 1 Conference · 2 Conference
        f9
            ear free
        f9
            ear conference
        f10
            ear free
        bye 1
            log 1 Completed, answered 0, talk 0, hold 0
            hold 2
            conference
          = 2 Held
        bye 2
            log 2 Completed, answered 0, talk 0, hold 0
          = empty
    "#]],
    );
}

/// The operator has left, and hears nobody again without wanting to.
#[test]
fn conf_1_the_last_one_who_refuses_to_be_on_hold_is_not_spoken_with() {
    check(
        &format!("{TWO}confer 1\nf10\n--\nbye 1\nrefuse-hold 2"),
        &expect![[r#"
            bye 1
                log 1 Completed, answered 0, talk 0, hold 0
                hold 2
                conference
              = 2 Held
            refuse-hold 2
              = 2 Held · !hold 2 failed 488
        "#]],
    );
}

#[test]
fn whose_retrieve_is_refused_waits_outside() {
    check(
        &format!("{TWO}held 1\nconfer 1\nrefuse-back 1"),
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
        in 2 5550100
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
        held 1
        confer 1
            retrieve 1
            conference 2 1
            ear conference
          = 1 Conference · 2 Conference
        refuse-back 1
            conference 2
          = 1 Held · 2 Conference · !hold 1 failed 488
    "#]],
    );
}
