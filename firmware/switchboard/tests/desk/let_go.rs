//! Exchanges that have the caller, or nobody, and keep our leg up; what they tell when the call is gone.

use expect_test::expect;

use crate::script::check;

#[test]
fn a_call_that_is_none_any_more_does_not_ring_when_its_transfer_has_taken_too_long() {
    check(
        "in 1 5550100\nanswer 1\nack 1\nto 1 2110\nringing 1\n+30000\nbye 1\nsilent 1\n+9000\nrefused 1 503\nrefused 1 503",
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
            bye 1
              = [1 to 2110: HandedOver]
            silent 1
                log 1 Transferred, answered 0, talk 0, hold 30000, to 2110 HandedOver in 30000
            +9000
              = empty
            refused 1 503
              = !1 lost on the way to 2110 503
            refused 1 503
        "#]],
    );
    // Who gave up meanwhile is not lost, and nobody is for ever.
    check(
        "in 1 5550100\nanswer 1\nack 1\nto 1 2110\nringing 1\nbye 1\n+9000\nrefused 1 487\nrefused 1 503",
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
            bye 1
              = [1 to 2110: HandedOver]
            +9000
                log 1 Transferred, answered 0, talk 0, hold 0, to 2110 HandedOver in 0
              = empty
            refused 1 487
            refused 1 503
        "#]],
    );
    check(
        "in 1 5550100\nanswer 1\nack 1\nto 1 2110\nringing 1\nbye 1\n+2000\n+30001\nrefused 1 503",
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
            bye 1
              = [1 to 2110: HandedOver]
            +2000
                log 1 Transferred, answered 0, talk 0, hold 0, to 2110 HandedOver in 0
            +30001
              = empty
            refused 1 503
        "#]],
    );
    // One that is alive: the target still rings, and answers.
    check(
        "in 1 5550100\nanswer 1\nack 1\nto 1 2110\ntrying 1\n+30000\nringing 1\n+29999\nmoved 1",
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
            +30000
                is 1 there
            ringing 1
              = 1 Transferring to 2110 Ringing
            +29999
            moved 1
                hang up 1
              = 1 Ending · [1 to 2110: Answered]
        "#]],
    );
}
