//! Intercept (PRE-3): calls that ring on other phones, picked up here; calls that others are in, taken over.

use expect_test::expect;
use ipc::{Command, CommandError, Party, TalkId};
use switchboard::{Effect, Input, Settings};

use crate::bench::Bench;
use crate::script::{check, check_on, no_timers, play, ready, ready_with};

/// A desk whose administrator lets calls be taken over.
fn ready_to_take_over() -> Bench {
    ready_with(Settings { timers: no_timers(), take_over: true, ..Settings::default() })
}

#[test]
fn pre_3_what_rings_elsewhere_is_picked_up_and_talks_while_the_other_call_waits() {
    check(
        "\
in 1 5550100
answer 1
ack 1
lamp 2102 rings
rings 2102 77
--
pick 2102
ring 2
ok 2
bye 2",
        &expect![[r#"
            pick 2102
                hold 1
                pick up 2102 as 2 from 5550100
                ear 2
              = 1 Held · 2 Dialing* (77 from 2102)
            ring 2
                Tone(Some(Ringback))
              = 1 Held · 2 Alerting* (77 from 2102)
            ok 2
                Tone(None)
              = 1 Held · 2 Talking* (77 from 2102)
            bye 2
                log 77 Completed, answered 0, talk 0, hold 0
                ear free
              = 1 Held
        "#]],
    );
}

#[test]
fn pre_3_nothing_is_picked_up_where_nothing_rings() {
    check(
        "\
pick 2102
rings 2102 77
pick 2102
lamp 2102 rings
pick 2102
rings 2102 77
rings 2102
pick 2102
rings 2102 77
lamp 2102 free
pick 2102
lamp 2102 rings
pick 2102",
        &expect![[r#"
            pick 2102
                refused: no call rings at 2102 that could be picked up
              = empty
            rings 2102 77
            pick 2102
                refused: no call rings at 2102 that could be picked up
            lamp 2102 rings
            pick 2102
                refused: no call rings at 2102 that could be picked up
            rings 2102 77
            rings 2102
            pick 2102
                refused: no call rings at 2102 that could be picked up
            rings 2102 77
            lamp 2102 free
            pick 2102
                refused: no call rings at 2102 that could be picked up
            lamp 2102 rings
            pick 2102
                refused: no call rings at 2102 that could be picked up
        "#]],
    );
}

#[test]
fn pre_4_a_second_call_on_a_phone_that_talks_is_picked_up_once() {
    check(
        "\
lamp 2102 busy
rings 2102 77
pick 2102
pick 2102
final 1 481
pick 2102",
        &expect![[r#"
            lamp 2102 busy
              = empty
            rings 2102 77
            pick 2102
                pick up 2102 as 1 from 5550100
                ear 1
              = 1 Dialing* (77 from 2102)
            pick 2102
                refused: not possible in the call's present state
            final 1 481
                log 77 Failed, answered never, talk 0, hold 0
                ear free
                Tone(Some(Congestion))
              = !pick up 2102 failed 481
            pick 2102
                pick up 2102 as 2 from 5550100
                ear 2
                Tone(None)
              = 2 Dialing* (77 from 2102) · !pick up 2102 failed 481
        "#]],
    );
}

#[test]
fn call_9_no_other_call_is_sent_to_what_is_picked_up_before_it_talks() {
    check(
        "\
in 1 5550100
answer 1
ack 1
lamp 2102 rings
rings 2102 77
pick 2102
--
join 1 2
ok 2
join 1 2",
        &expect![[r#"
            join 1 2
                refused: not possible in the call's present state
              = 1 Held · 2 Dialing* (77 from 2102)
            ok 2
              = 1 Held · 2 Talking* (77 from 2102)
            join 1 2
                hold 2
                refer 1 to call 2
                ear free
              = 1 Transferring to 77 Attended Requested · 2 Transferring (77 from 2102) taking 1
        "#]],
    );
}

/// The exchange may not say who calls, or answer in the name of the phone; the directories know both.
#[test]
fn pre_3_the_card_names_whose_phone_it_was_and_who_calls() {
    let named = |number: &str, name: &str| Party {
        number: Some(number.into()),
        name: Some(name.into()),
        ..Party::default()
    };
    let mut bench = ready();
    play(&mut bench, "lamp 2102 rings");
    bench.input(Input::Rings { number: "2102".into(), caller: Some(Party::default()) });
    let (done, effects) = bench.command(&Command::Intercept { number: "sip:2102@pbx".into() });
    assert_eq!(done, Ok(()));
    let Some(Effect::Intercept { call, .. }) = effects.iter().find(|e| matches!(e, Effect::Intercept { .. }))
    else {
        panic!("{effects:?}")
    };
    let call = *call;
    bench.input(Input::Identified { call, party: named("2102", "Ingrid") });
    let card = bench.cards().next().unwrap().clone();
    assert_eq!((card.party, card.intercepted), (named("2102", "Ingrid"), Some(named("2102", "Ingrid"))));
    bench.input(Input::Answered { call, by: Some(named("77", "T")) });
    bench.input(Input::Identified { call, party: named("77", "Tomas") });
    bench.input(Input::Identified { call, party: named("2102", "Ingrid Solberg") });
    let card = bench.cards().next().unwrap().clone();
    assert_eq!((card.party, card.intercepted), (named("77", "Tomas"), Some(named("2102", "Ingrid Solberg"))));

    let mut bench = ready();
    play(&mut bench, "lamp 2102 rings\nrings 2102 77\npick 2102");
    bench.input(Input::Answered { call, by: Some(named("2102", "Ingrid")) });
    assert_eq!(bench.cards().next().unwrap().party.number.as_deref(), Some("77"));
    play(&mut bench, "rings 2103 77");
    let refused = bench.command(&Command::Intercept { number: "2103".into() }).0;
    assert_eq!(refused, Err(CommandError::NothingRings { number: "2103".into() }));
}

#[test]
fn pre_3_a_call_that_a_colleague_is_in_is_taken_over_and_talks_while_the_other_call_waits() {
    check_on(
        ready_to_take_over(),
        "\
in 1 5550100
answer 1
ack 1
talks 2102 77:5 88:6 99
--
seize 2102 6
ok 2
talks 2102 77:5 99
bye 2",
        &expect![[r#"
            seize 2102 6
                hold 1
                take talk 6 of 2102 over as 2 from 5550100
                ear 2
              = 1 Held · 2 Dialing* (88 taken over from 2102)
            ok 2
              = 1 Held · 2 Talking* (88 taken over from 2102)
            talks 2102 77:5 99
            bye 2
                log 88 Completed, answered 0, talk 0, hold 0
                ear free
              = 1 Held
        "#]],
    );
}

#[test]
fn pre_3_nothing_is_taken_over_but_the_very_call_that_was_shown() {
    check_on(
        ready_to_take_over(),
        "\
seize 2102 5
talks 2102 99
seize 2102 5
talks 2102 77:5
seize 2103 5
seize 2102 4
talks 2102 77:6
seize 2102 5
lamp 2102 unknown
seize 2102 6
talks 2102 77:7
lamp 2102 gone
seize 2102 7",
        &expect![[r#"
            seize 2102 5
                refused: no such call is talking at 2102 any more, or it cannot be taken over
              = empty
            talks 2102 99
            seize 2102 5
                refused: no such call is talking at 2102 any more, or it cannot be taken over
            talks 2102 77:5
            seize 2103 5
                refused: no such call is talking at 2103 any more, or it cannot be taken over
            seize 2102 4
                refused: no such call is talking at 2102 any more, or it cannot be taken over
            talks 2102 77:6
            seize 2102 5
                refused: no such call is talking at 2102 any more, or it cannot be taken over
            lamp 2102 unknown
            seize 2102 6
                refused: no such call is talking at 2102 any more, or it cannot be taken over
            talks 2102 77:7
            lamp 2102 gone
            seize 2102 7
                refused: no such call is talking at 2102 any more, or it cannot be taken over
        "#]],
    );
}

#[test]
fn pre_3_a_take_over_that_is_refused_says_of_whom_and_the_call_that_waits_stays() {
    check_on(
        ready_to_take_over(),
        "\
in 1 5550100
answer 1
ack 1
talks 2102 77:5
--
seize 2102 5
seize 2102 5
final 2 481
retrieve 1",
        &expect![[r#"
            seize 2102 5
                hold 1
                take talk 5 of 2102 over as 2 from 5550100
                ear 2
              = 1 Held · 2 Dialing* (77 taken over from 2102)
            seize 2102 5
                refused: not possible in the call's present state
            final 2 481
                log 77 Failed, answered never, talk 0, hold 0
                ear free
                Tone(Some(Congestion))
              = 1 Held · !take over 2102 failed 481
            retrieve 1
                retrieve 1
                ear 1
                Tone(None)
              = 1 Talking* · !take over 2102 failed 481
        "#]],
    );
}

#[test]
fn pre_3_nothing_is_taken_over_where_the_administrator_does_not_allow_it() {
    let mut bench = ready();
    play(&mut bench, "talks 2102 77:5");
    assert!(!bench.view.take_over);
    let take = Command::TakeOver { number: "2102".into(), talk: TalkId(5) };
    assert_eq!(bench.command(&take), (Err(CommandError::TakeOverNotAllowed), Vec::new()));
    // Allowed while the desk runs, and forbidden again.
    let allowed = Settings { take_over: true, ..bench.settings.clone() };
    bench.input(Input::Settings(Box::new(allowed.administered())));
    assert!(bench.view.take_over);
    let effects = bench.command(&take).1;
    assert!(effects.iter().any(|e| matches!(e, Effect::TakeOver { .. })), "{effects:?}");
    let forbidden = Settings { take_over: false, ..allowed };
    bench.input(Input::Settings(Box::new(forbidden.administered())));
    play(&mut bench, "talks 2102 88:6");
    let take = Command::TakeOver { number: "2102".into(), talk: TalkId(6) };
    assert_eq!(bench.command(&take).0, Err(CommandError::TakeOverNotAllowed));
}
