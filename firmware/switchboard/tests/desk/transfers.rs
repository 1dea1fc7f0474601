//! Blind transfer with its whole fate (CALL-13).

use expect_test::expect;
use ipc::EndStatus;
use switchboard::{Effect, Input};

use crate::script::{check, play, ready};

#[test]
fn answered_by_the_target() {
    check(
        "in 1 5550100\n+3000\nanswer 1\n+20\nack 1\n+10000\nto 1 2110\nheld 1\ntrying 1\n+100\nringing 1\n+4000\n\
         moved 1\nbye 1\n+8000",
        &expect![[r#"
            in 1 5550100
                180 1
                Ringer(Some(Bell))
              = 1 Ringing
            +3000
            answer 1
                answer 1
                ear 1
                Ringer(None)
              = 1 Answering*
            +20
            ack 1
              = 1 Talking*
            +10000
            to 1 2110
                hold 1
                refer 1 to 2110
                ear free
              = 1 Transferring to 2110 Requested
            held 1
            trying 1
              = 1 Transferring to 2110 Trying
            +100
            ringing 1
              = 1 Transferring to 2110 Ringing
            +4000
            moved 1
                hang up 1
              = 1 Ending · [1 to 2110: Answered]
            bye 1
                log 1 Transferred, answered 3020, talk 10000, hold 4100, to 2110 Answered in 4100
              = [1 to 2110: Answered]
            +8000
              = empty
        "#]],
    );
}

#[test]
fn refused_then_answered_again() {
    check(
        "in 1 5550100\nanswer 1\nack 1\n+5000\nto 1 2110\nheld 1\ntrying 1\n+900\nrefused 1 486\n+2000\n\
         answer 1\nback 1\n+1000\nbye 1",
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
            to 1 2110
                hold 1
                refer 1 to 2110
                ear free
              = 1 Transferring to 2110 Requested
            held 1
            trying 1
              = 1 Transferring to 2110 Trying
            +900
            refused 1 486
                Ringer(Some(Bell))
              = 1 Recalling (from 2110 Transfer(Refused { code: 486 })) · [1 to 2110: Refused { code: 486 }]
            +2000
            answer 1
                retrieve 1
                ear 1
                Ringer(None)
              = 1 Talking* (from 2110 Transfer(Refused { code: 486 })) · [1 to 2110: Refused { code: 486 }]
            back 1
            +1000
            bye 1
                log 1 Completed, answered 0, talk 6000, hold 2900, to 2110 Refused { code: 486 } in 900
                ear free
              = [1 to 2110: Refused { code: 486 }]
        "#]],
    );
}

#[test]
fn silence_at_any_stage_recalls() {
    check(
        "in 1 5550100\nanswer 1\nack 1\nto 1 2110\n+29999\n+1\nsilent 1",
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
            +29999
            +1
                is 1 there
            silent 1
                Ringer(Some(Bell))
              = 1 Recalling (from 2110 Transfer(TimedOut)) · [1 to 2110: TimedOut]
        "#]],
    );
    check(
        "in 1 5550100\nanswer 1\nack 1\nto 1 2110\n+10\ntrying 1\n+20\nringing 1\n+29999\nringing 1\n+1\n+2999\n+1",
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
            +10
            trying 1
              = 1 Transferring to 2110 Trying
            +20
            ringing 1
              = 1 Transferring to 2110 Ringing
            +29999
            ringing 1
            +1
                is 1 there
            +2999
            +1
                Ringer(Some(Bell))
              = 1 Recalling (from 2110 Transfer(TimedOut)) · [1 to 2110: TimedOut]
        "#]],
    );
    check(
        "in 1 5550100\nanswer 1\nack 1\nto 1 2110\n+10\nsilent 1",
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
            +10
            silent 1
                Ringer(Some(Bell))
              = 1 Recalling (from 2110 Transfer(TimedOut)) · [1 to 2110: TimedOut]
        "#]],
    );
}

#[test]
fn the_target_answers_after_the_recall_began() {
    check(
        "in 1 5550100\nanswer 1\nack 1\nto 1 2110\nringing 1\n+30000\nsilent 1\n+9000\nmoved 1\nbye 1\n+9000",
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
            ringing 1
              = 1 Transferring to 2110 Ringing
            +30000
                is 1 there
            silent 1
                Ringer(Some(Bell))
              = 1 Recalling (from 2110 Transfer(TimedOut)) · [1 to 2110: TimedOut]
            +9000
            moved 1
                hang up 1
                Ringer(None)
              = 1 Ending · [1 to 2110: Answered]
            bye 1
                log 1 Transferred, answered 0, talk 0, hold 39000, to 2110 Answered in 30000
              = [1 to 2110: Answered]
            +9000
              = empty
        "#]],
    );
    // Not so when the operator has the caller already.
    check(
        "in 1 5550100\nanswer 1\nack 1\nto 1 2110\nringing 1\n+30000\nsilent 1\nanswer 1\nmoved 1",
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
            ringing 1
              = 1 Transferring to 2110 Ringing
            +30000
                is 1 there
            silent 1
                Ringer(Some(Bell))
              = 1 Recalling (from 2110 Transfer(TimedOut)) · [1 to 2110: TimedOut]
            answer 1
                retrieve 1
                ear 1
                Ringer(None)
              = 1 Talking* (from 2110 Transfer(TimedOut)) · [1 to 2110: TimedOut]
            moved 1
        "#]],
    );
}

#[test]
fn the_exchange_ends_our_leg_and_tells_later() {
    check(
        "in 1 5550100\nanswer 1\nack 1\n+1000\nto 1 2110\ntrying 1\n+500\nbye 1\n+1500\nmoved 1\n+8000",
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
            to 1 2110
                hold 1
                refer 1 to 2110
                ear free
              = 1 Transferring to 2110 Requested
            trying 1
              = 1 Transferring to 2110 Trying
            +500
            bye 1
              = [1 to 2110: HandedOver]
            +1500
            moved 1
                log 1 Transferred, answered 0, talk 1000, hold 500, to 2110 Answered in 500
              = [1 to 2110: Answered]
            +8000
              = empty
        "#]],
    );
}

/// The user agent says at once that a call is over that was hung up here; what became of it comes later.
#[test]
fn we_hang_up_what_the_exchange_has_accepted_and_it_tells_later() {
    check(
        "in 1 5550100\nanswer 1\nack 1\nto 1 2110\ntrying 1\nhangup 1\ngone 1\n+500\nmoved 1\n+8000",
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
            hangup 1
                hang up 1
              = 1 Ending · [1 to 2110: HandedOver]
            gone 1
              = [1 to 2110: HandedOver]
            +500
            moved 1
                log 1 Transferred, answered 0, talk 0, hold 0, to 2110 Answered in 0
              = [1 to 2110: Answered]
            +8000
              = empty
        "#]],
    );
}

#[test]
fn the_exchange_ends_our_leg_and_never_tells() {
    check(
        "in 1 5550100\nanswer 1\nack 1\n+1000\nto 1 2110\ntrying 1\n+500\nbye 1\n+8000",
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
        to 1 2110
            hold 1
            refer 1 to 2110
            ear free
          = 1 Transferring to 2110 Requested
        trying 1
          = 1 Transferring to 2110 Trying
        +500
        bye 1
          = [1 to 2110: HandedOver]
        +8000
            log 1 Transferred, answered 0, talk 1000, hold 500, to 2110 HandedOver in 500
          = empty
    "#]],
    );
}

#[test]
fn the_exchange_ends_our_leg_and_tells_of_a_refusal() {
    check(
        "in 1 5550100\nanswer 1\nack 1\nto 1 2110\ntrying 1\nbye 1\n+100\nrefused 1 486",
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
        bye 1
          = [1 to 2110: HandedOver]
        +100
        refused 1 486
            log 1 Failed, answered 0, talk 0, hold 0, to 2110 Refused { code: 486 } in 0
          = !1 lost on the way to 2110 486
    "#]],
    );
}

/// Who hangs up while the target rings is not lost, and an exchange calls the target no longer.
#[test]
fn call_13_a_target_that_is_called_no_longer_because_the_caller_hung_up_has_lost_nobody() {
    check(
        "in 1 5550100\nanswer 1\nack 1\nto 1 2110\nringing 1\n--\nbye 1\nrefused 1 487",
        &expect![[r#"
            bye 1
              = [1 to 2110: HandedOver]
            refused 1 487
                log 1 Transferred, answered 0, talk 0, hold 0, to 2110 HandedOver in 0
        "#]],
    );
}

/// The desk stops: what would have been said of these transfers is never heard.
#[test]
fn log_1_calls_that_wait_for_the_last_word_on_their_transfer_are_logged_when_the_desk_stops() {
    let mut bench = ready();
    play(&mut bench, "in 1 5550100\nanswer 1\nack 1\nto 1 2110\ntrying 1\nbye 1");
    assert_eq!((bench.logged.len(), bench.desk.kept_rows()), (0, 1));
    let effects = bench.input(Input::Closing);
    assert!(matches!(&effects[..], [Effect::Log(row)] if row.end == EndStatus::Transferred), "{effects:?}");
    assert_eq!(bench.desk.kept_rows(), 0);
    assert_eq!(bench.input(Input::Closing), [], "once");
    bench.pass(10_000);
    assert_eq!(bench.logged.len(), 1);

    // A consultation call that the exchange has ended first.
    let mut bench = ready();
    play(&mut bench, "in 1 5550100\nanswer 1\nack 1\ndial 99\nok 2\njoin 1 2\nbye 2");
    assert_eq!((bench.logged.len(), bench.desk.kept_rows()), (0, 1));
    bench.input(Input::Closing);
    assert_eq!((bench.logged.len(), bench.desk.kept_rows()), (1, 0));
}

#[test]
fn the_caller_gives_up_before_the_exchange_accepts() {
    check(
        "in 1 5550100\nanswer 1\nack 1\nto 1 2110\n+500\nbye 1\n+2000",
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
        +500
        bye 1
          = [1 to 2110: Abandoned]
        +2000
            log 1 Completed, answered 0, talk 0, hold 500, to 2110 Abandoned in 500
    "#]],
    );
}

#[test]
fn taken_back() {
    check(
        "in 1 5550100\nanswer 1\nack 1\nto 1 2110\nringing 1\n+700\nretrieve 1\nrefused 1 487\n+300\nbye 1",
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
            ringing 1
              = 1 Transferring to 2110 Ringing
            +700
            retrieve 1
                retrieve 1
                ear 1
              = 1 Talking* · [1 to 2110: TakenBack]
            refused 1 487
            +300
            bye 1
                log 1 Completed, answered 0, talk 300, hold 700, to 2110 TakenBack in 700
                ear free
              = [1 to 2110: TakenBack]
        "#]],
    );
}

#[test]
fn hung_up_by_the_operator() {
    check(
        "in 1 5550100\nanswer 1\nack 1\nto 1 2110\nhangup 1\nhangup 1\ngone 1",
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
        hangup 1
            hang up 1
          = 1 Ending · [1 to 2110: TakenBack]
        hangup 1
            refused: not possible in the call's present state
        gone 1
            log 1 Completed, answered 0, talk 0, hold 0, to 2110 TakenBack in 0
          = [1 to 2110: TakenBack]
    "#]],
    );
    check(
        "in 1 5550100\nanswer 1\nack 1\nto 1 2110\ntrying 1\nhangup 1\nmoved 1\ngone 1",
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
        hangup 1
            hang up 1
          = 1 Ending · [1 to 2110: HandedOver]
        moved 1
          = 1 Ending · [1 to 2110: Answered]
        gone 1
            log 1 Transferred, answered 0, talk 0, hold 0, to 2110 Answered in 0
          = [1 to 2110: Answered]
    "#]],
    );
}

#[test]
fn a_recall_moves_on_to_another_target_or_waits() {
    check(
        "in 1 5550100\nanswer 1\nack 1\nto 1 2110\nheld 1\nrefused 1 480\nto 1 2120\nrefused 1 486\nhold 1\n\
         f9\nhangup 1\ngone 1",
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
            held 1
            refused 1 480
                Ringer(Some(Bell))
              = 1 Recalling (from 2110 Transfer(Refused { code: 480 })) · [1 to 2110: Refused { code: 480 }]
            to 1 2120
                refer 1 to 2120
                Ringer(None)
              = 1 Transferring to 2120 Requested · [1 to 2110: Refused { code: 480 }]
            refused 1 486
                Ringer(Some(Bell))
              = 1 Recalling (from 2120 Transfer(Refused { code: 486 })) · [1 to 2110: Refused { code: 480 }] · [1 to 2120: Refused { code: 486 }]
            hold 1
                Ringer(None)
              = 1 Held (from 2120 Transfer(Refused { code: 486 })) · [1 to 2110: Refused { code: 480 }] · [1 to 2120: Refused { code: 486 }]
            f9
                retrieve 1
                ear 1
              = 1 Talking* (from 2120 Transfer(Refused { code: 486 })) · [1 to 2110: Refused { code: 480 }] · [1 to 2120: Refused { code: 486 }]
            hangup 1
                hang up 1
                ear free
              = 1 Ending (from 2120 Transfer(Refused { code: 486 })) · [1 to 2110: Refused { code: 480 }] · [1 to 2120: Refused { code: 486 }]
            gone 1
                log 1 Completed, answered 0, talk 0, hold 0, to 2110 Refused { code: 480 } in 0, to 2120 Refused { code: 486 } in 0
              = [1 to 2110: Refused { code: 480 }] · [1 to 2120: Refused { code: 486 }]
        "#]],
    );
}

#[test]
fn a_refused_hold_does_not_stop_a_transfer() {
    check(
        "in 1 5550100\nanswer 1\nack 1\nto 1 2110\nrefuse-hold 1\ntrying 1\nmoved 1\ngone 1",
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
            refuse-hold 1
              = 1 Transferring to 2110 Requested · !hold 1 failed 488
            trying 1
              = 1 Transferring to 2110 Trying · !hold 1 failed 488
            moved 1
                hang up 1
              = 1 Ending · [1 to 2110: Answered] · !hold 1 failed 488
            gone 1
                log 1 Transferred, answered 0, talk 0, hold 0, to 2110 Answered in 0
              = [1 to 2110: Answered] · !hold 1 failed 488
        "#]],
    );
}

#[test]
fn a_recall_waits_in_the_ear_while_another_talks() {
    check(
        "in 1 5550100\nin 2 5550200\nanswer 1\nack 1\nto 1 2110\nanswer 2\nack 2\nrefused 1 486\n+1000\nanswer 1",
        &expect![[r#"
            in 1 5550100
                180 1
                Ringer(Some(Bell))
              = 1 Ringing
            in 2 5550200
                180 2
              = 1 Ringing · 2 Ringing
            answer 1
                answer 1
                ear 1
                Ringer(None)
              = 1 Answering* · 2 Ringing
            ack 1
              = 1 Talking* · 2 Ringing
            to 1 2110
                hold 1
                refer 1 to 2110
                ear free
                Ringer(Some(Chime))
              = 1 Transferring to 2110 Requested · 2 Ringing
            answer 2
                answer 2
                ear 2
                Ringer(None)
              = 1 Transferring to 2110 Requested · 2 Answering*
            ack 2
              = 1 Transferring to 2110 Requested · 2 Talking*
            refused 1 486
                Tone(Some(CallWaiting))
              = 1 Recalling (from 2110 Transfer(Refused { code: 486 })) · 2 Talking* · [1 to 2110: Refused { code: 486 }]
            +1000
                Tone(None)
            answer 1
                hold 2
                retrieve 1
                ear 1
              = 1 Talking* (from 2110 Transfer(Refused { code: 486 })) · 2 Held · [1 to 2110: Refused { code: 486 }]
        "#]],
    );
}

#[test]
fn numbers_and_states_that_cannot_be_transferred() {
    check(
        "in 1 5550100\nto 1 2110\nanswer 1\nto 1 2110\nack 1\nto 1 Alice\nto 9 2110\nto 1 (21)10\nto 1 2120",
        &expect![[r#"
            in 1 5550100
                180 1
                Ringer(Some(Bell))
              = 1 Ringing
            to 1 2110
                refused: not possible in the call's present state
            answer 1
                answer 1
                ear 1
                Ringer(None)
              = 1 Answering*
            to 1 2110
                refused: not possible in the call's present state
            ack 1
              = 1 Talking*
            to 1 Alice
                refused: "Alice" is not a number that can be called
            to 9 2110
                refused: there is no such call
            to 1 (21)10
                hold 1
                refer 1 to 2110
                ear free
              = 1 Transferring to 2110 Requested
            to 1 2120
                refused: not possible in the call's present state
        "#]],
    );
}

#[test]
fn the_first_target_answers_after_a_second_one_refused() {
    check(
        "in 1 5550100\nanswer 1\nack 1\nto 1 2110\nringing 1\n+30000\nsilent 1\nto 1 2120\nrefused 1 491\nmoved 1\ngone 1\n+9000",
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
            ringing 1
              = 1 Transferring to 2110 Ringing
            +30000
                is 1 there
            silent 1
                Ringer(Some(Bell))
              = 1 Recalling (from 2110 Transfer(TimedOut)) · [1 to 2110: TimedOut]
            to 1 2120
                refer 1 to 2120
                Ringer(None)
              = 1 Transferring to 2120 Requested · [1 to 2110: TimedOut]
            refused 1 491
                Ringer(Some(Bell))
              = 1 Recalling (from 2120 Transfer(Refused { code: 491 })) · [1 to 2110: TimedOut] · [1 to 2120: Refused { code: 491 }]
            moved 1
                hang up 1
                Ringer(None)
              = 1 Ending · [1 to 2110: Answered] · [1 to 2120: Refused { code: 491 }]
            gone 1
                log 1 Transferred, answered 0, talk 0, hold 30000, to 2110 Answered in 30000, to 2120 Refused { code: 491 } in 0
              = [1 to 2110: Answered] · [1 to 2120: Refused { code: 491 }]
            +9000
              = empty
        "#]],
    );
}

#[test]
fn a_refusal_is_not_followed_by_an_answer() {
    check(
        "in 1 5550100\nanswer 1\nack 1\nto 1 2110\nrefused 1 486\nmoved 1",
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
            moved 1
        "#]],
    );
}
