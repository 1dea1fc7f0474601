//! Ringer and tones.

use expect_test::expect;

use crate::script::check;

#[test]
fn the_ringer_rings_until_the_last_ringing_call_is_taken() {
    check(
        "in 1 5550100\nin 2 5550100\ncancel 1\nanswer 2",
        &expect![[r#"
        in 1 5550100
            180 1
            Ringer(Some(Bell))
          = 1 Ringing
        in 2 5550100
            180 2
          = 1 Ringing · 2 Ringing
        cancel 1
            SaveMissed(1)
            log 1 Missed, answered never, talk 0, hold 0
          = 2 Ringing · missed 1
        answer 2
            answer 2
            ear 2
            Ringer(None)
          = 2 Answering* · missed 1
    "#]],
    );
}

#[test]
fn a_call_waits_in_the_ear_once_and_rings_when_the_ear_is_free() {
    check(
        "in 1 5550100\nanswer 1\nack 1\nin 2 5550100\n+400\nin 3 5550100\n+1000\nhangup 1\nanswer 2",
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
            +400
            in 3 5550100
                180 3
                Tone(Some(CallWaiting))
              = 1 Talking* · 2 Ringing · 3 Ringing
            +1000
                Tone(None)
            hangup 1
                hang up 1
                ear free
                Ringer(Some(Bell))
              = 1 Ending · 2 Ringing · 3 Ringing
            answer 2
                answer 2
                ear 2
                Ringer(None)
              = 1 Ending · 2 Answering* · 3 Ringing
        "#]],
    );
}

#[test]
fn ringback_comes_back_after_a_call_waited() {
    check(
        "dial 99\nring 1\nin 2 5550100\n+1000\nearly 1\nok 1",
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
        +1000
            Tone(Some(Ringback))
        early 1
            Tone(None)
        ok 1
          = 2 Ringing · 1 Talking*
    "#]],
    );
}

#[test]
fn early_media_needs_no_ringback() {
    check(
        "dial 99\nearly 1",
        &expect![[r#"
        dial 99
            dial 1 99 from 5550100
            ear 1
          = 1 Dialing*
        early 1
          = 1 Alerting*
    "#]],
    );
}

#[test]
fn a_failure_tone_ends_by_itself_or_with_the_next_call() {
    check(
        "dial 99\nfinal 1 404\n+3000",
        &expect![[r#"
        dial 99
            dial 1 99 from 5550100
            ear 1
          = 1 Dialing*
        final 1 404
            log 99 Failed, answered never, talk 0, hold 0
            ear free
            Tone(Some(Congestion))
          = !dial 99 failed 404
        +3000
            Tone(None)
    "#]],
    );
    check(
        "dial 99\nfinal 1 486\n+100\ndial 98",
        &expect![[r#"
        dial 99
            dial 1 99 from 5550100
            ear 1
          = 1 Dialing*
        final 1 486
            log 99 Refused, answered never, talk 0, hold 0
            ear free
            Tone(Some(Busy))
          = !dial 99 failed 486
        +100
        dial 98
            dial 2 98 from 5550100
            ear 2
            Tone(None)
          = 2 Dialing* · !dial 99 failed 486
    "#]],
    );
}

#[test]
fn a_failure_tone_does_not_come_back_after_a_short_call() {
    check(
        "dial 99\nfinal 1 486\n+100\nin 2 5550100\nanswer 2\nhangup 2\n+3000",
        &expect![[r#"
        dial 99
            dial 1 99 from 5550100
            ear 1
          = 1 Dialing*
        final 1 486
            log 99 Refused, answered never, talk 0, hold 0
            ear free
            Tone(Some(Busy))
          = !dial 99 failed 486
        +100
        in 2 5550100
            180 2
            Ringer(Some(Bell))
          = 2 Ringing · !dial 99 failed 486
        answer 2
            answer 2
            ear 2
            Ringer(None)
            Tone(None)
          = 2 Answering* · !dial 99 failed 486
        hangup 2
            hang up 2
            ear free
          = 2 Ending · !dial 99 failed 486
        +3000
    "#]],
    );
}

#[test]
fn a_muted_microphone_opens_for_the_next_caller() {
    check(
        "in 1 5550100\nanswer 1\nack 1\nmute\nin 2 5550100\nanswer 2",
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
        mute
            Mute(true)
        in 2 5550100
            180 2
            Tone(Some(CallWaiting))
          = 1 Talking* · 2 Ringing
        answer 2
            hold 1
            Mute(false)
            answer 2
            ear 2
            Tone(None)
          = 1 Held · 2 Answering*
    "#]],
    );
}

#[test]
fn a_muted_microphone_stays_muted_for_the_same_caller() {
    check(
        "in 1 5550100\nanswer 1\nack 1\nmute\nhold 1\nrefuse-hold 1\nhold 1\nretrieve 1",
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
        mute
            Mute(true)
        hold 1
            hold 1
            ear free
          = 1 Held
        refuse-hold 1
            ear 1
          = 1 Talking* · !hold 1 failed 488
        hold 1
            hold 1
            ear free
          = 1 Held · !hold 1 failed 488
        retrieve 1
            retrieve 1
            ear 1
          = 1 Talking* · !hold 1 failed 488
    "#]],
    );
}

#[test]
fn it_rings_like_the_line_of_the_call_that_is_to_be_taken_first() {
    check(
        "in 1 5550200\nin 2 5550100\ncancel 1\nin 3 5550200\nanswer 2",
        &expect![[r#"
            in 1 5550200
                180 1
                Ringer(Some(Chime))
              = 1 Ringing
            in 2 5550100
                180 2
              = 1 Ringing · 2 Ringing
            cancel 1
                SaveMissed(1)
                log 1 Missed, answered never, talk 0, hold 0
                Ringer(Some(Bell))
              = 2 Ringing · missed 1
            in 3 5550200
                180 3
              = 2 Ringing · 3 Ringing · missed 1
            answer 2
                answer 2
                ear 2
                Ringer(None)
              = 2 Answering* · 3 Ringing · missed 1
        "#]],
    );
}
