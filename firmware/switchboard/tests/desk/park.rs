//! Park slots (CALL-14).

use expect_test::expect;
use ipc::{CallState, Command, ParkSlot, Party, Timers};
use switchboard::{Effect, Input, ParkedCall, Settings};

use crate::bench::Bench;
use crate::script::{check_on, no_timers, play, ready_with};

/// Two slots; a parked call is overdue after a minute.
fn with_slots() -> Bench {
    with_parked(Vec::new())
}

/// The same, with who was parked when the desk was stopped.
fn with_parked(parked: Vec<ParkedCall>) -> Bench {
    let slot = |number: &str| ParkSlot { number: number.into(), name: String::new() };
    let timers = Timers { park_ms: 60_000, ..no_timers() };
    ready_with(Settings { park: vec![slot("701"), slot("702")], parked, timers, ..Settings::default() })
}

/// Somebody called Ada, in that slot for so long when the desk is started.
fn ada(slot: &str, waited_ms: i64) -> ParkedCall {
    let who = Party { number: Some("1".into()), name: Some("Ada".into()), ..Party::default() };
    let line = "5550100".into();
    ParkedCall { slot: slot.into(), who, by: String::new(), line, since_ms: -waited_ms, lit: false }
}

/// Who was written down last.
fn kept(bench: &Bench) -> Option<&[ParkedCall]> {
    bench.asked.iter().rev().find_map(|effect| match effect {
        Effect::SaveParked(parked) => Some(&parked[..]),
        _ => None,
    })
}

const TALK: &str = "in 1 5550100\nanswer 1\nack 1\n";

#[test]
fn parked_seen_by_its_lamp_and_fetched_by_somebody_else() {
    let script =
        format!("{TALK}lamp 701 free\npark 1\nlamp 701 busy\nmoved 1\ngone 1\n+60000\nlamp 701 free");
    check_on(
        with_slots(),
        &script,
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
            lamp 701 free
            park 1
                hold 1
                refer 1 to 701
                ear free
              = 1 Transferring to 701 Park Requested
            lamp 701 busy
            moved 1
                hang up 1
              = 1 Ending · [1 to 701: Park Answered] · (1 in 701)
            gone 1
                log 1 Transferred, answered 0, talk 0, hold 0, to 701 Park Answered in 0
              = [1 to 701: Park Answered] · (1 in 701)
            +60000
                Ringer(Some(Bell))
              = (1 in 701 overdue)
            lamp 701 free
                Ringer(None)
              = empty
        "#]],
    );
}

#[test]
fn overdue_and_fetched_with_a_key_without_any_lamp() {
    let script =
        format!("{TALK}park 1\nmoved 1\ngone 1\n+60000\nin 2 5550100\nf9\nok 3\nunpark 701\ngone 3\n+9000");
    check_on(
        with_slots(),
        &script,
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
            park 1
                hold 1
                refer 1 to 701
                ear free
              = 1 Transferring to 701 Park Requested
            moved 1
                hang up 1
              = 1 Ending · [1 to 701: Park Answered] · (1 in 701)
            gone 1
                log 1 Transferred, answered 0, talk 0, hold 0, to 701 Park Answered in 0
              = [1 to 701: Park Answered] · (1 in 701)
            +60000
                Ringer(Some(Bell))
              = (1 in 701 overdue)
            in 2 5550100
                180 2
              = 2 Ringing · (1 in 701 overdue)
            f9
                dial 3 701 from 5550100
                ear 3
                Ringer(None)
              = 2 Ringing · 3 Dialing* · (1 in 701 overdue)
            ok 3
              = 2 Ringing · 3 Talking*
            unpark 701
                hold 3
                dial 4 701 from 5550100
                ear 4
              = 2 Ringing · 3 Held · 4 Dialing*
            gone 3
                log 1 Failed, answered 0, talk 0, hold 0
              = 2 Ringing · 4 Dialing*
            +9000
        "#]],
    );
}

#[test]
fn refused_comes_back() {
    check_on(
        with_slots(),
        &format!("{TALK}park 1\nrefused 1 486"),
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
            park 1
                hold 1
                refer 1 to 701
                ear free
              = 1 Transferring to 701 Park Requested
            refused 1 486
                Ringer(Some(Bell))
              = 1 Recalling (from 701 Transfer(Refused { code: 486 })) · [1 to 701: Park Refused { code: 486 }]
        "#]],
    );
}

#[test]
fn taken_and_unknown_slots_are_refused() {
    let script = format!(
        "lamp 701 busy\nunpark 9\n{TALK}park 1 701\npark 1 9\npark 1\nmoved 1\ngone 1\nin 2 5550100\nanswer 2\nack 2\npark 2"
    );
    check_on(
        with_slots(),
        &script,
        &expect![[r#"
            lamp 701 busy
              = empty
            unpark 9
                refused: no free park slot
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
            park 1 701
                refused: no free park slot
            park 1 9
                refused: no free park slot
            park 1
                hold 1
                refer 1 to 702
                ear free
              = 1 Transferring to 702 Park Requested
            moved 1
                hang up 1
              = 1 Ending · [1 to 702: Park Answered] · (1 in 702)
            gone 1
                log 1 Transferred, answered 0, talk 0, hold 0, to 702 Park Answered in 0
              = [1 to 702: Park Answered] · (1 in 702)
            in 2 5550100
                180 2
                Ringer(Some(Bell))
              = 2 Ringing · [1 to 702: Park Answered] · (1 in 702)
            answer 2
                answer 2
                ear 2
                Ringer(None)
              = 2 Answering* · [1 to 702: Park Answered] · (1 in 702)
            ack 2
              = 2 Talking* · [1 to 702: Park Answered] · (1 in 702)
            park 2
                refused: no free park slot
        "#]],
    );
}

#[test]
fn a_slot_that_nobody_is_in_is_cleared_and_no_other_failure_clears_it() {
    let script = format!("{TALK}park 1\nmoved 1\ngone 1\nunpark 701\nfinal 2 503\nunpark 701\nfinal 3 404");
    check_on(
        with_slots(),
        &script,
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
            park 1
                hold 1
                refer 1 to 701
                ear free
              = 1 Transferring to 701 Park Requested
            moved 1
                hang up 1
              = 1 Ending · [1 to 701: Park Answered] · (1 in 701)
            gone 1
                log 1 Transferred, answered 0, talk 0, hold 0, to 701 Park Answered in 0
              = [1 to 701: Park Answered] · (1 in 701)
            unpark 701
                dial 2 701 from 5550100
                ear 2
              = 2 Dialing* · [1 to 701: Park Answered] · (1 in 701)
            final 2 503
                log 701 Failed, answered never, talk 0, hold 0
                ear free
                Tone(Some(Congestion))
              = [1 to 701: Park Answered] · !dial 701 failed 503 · (1 in 701)
            unpark 701
                dial 3 701 from 5550100
                ear 3
                Tone(None)
              = 3 Dialing* · [1 to 701: Park Answered] · !dial 701 failed 503 · (1 in 701)
            final 3 404
                log 701 Failed, answered never, talk 0, hold 0
                ear free
                Tone(Some(Congestion))
              = [1 to 701: Park Answered] · !dial 701 failed 503 · !dial 701 failed 404
        "#]],
    );
}

/// A lamp that was never lit cannot go out: the subscription began, and nobody was fetched.
#[test]
fn a_lamp_that_was_never_lit_says_nothing() {
    let mut bench = with_slots();
    let script = format!("{TALK}park 1\nmoved 1\ngone 1\nlamp 701 free");
    play(&mut bench, &script);
    assert_eq!(bench.view.counters.parked, 1);
    play(&mut bench, "lamp 701 busy\nlamp 701 free");
    assert_eq!(bench.view.counters.parked, 0);
}

#[test]
fn call_14_who_is_parked_is_written_down_and_so_is_that_they_were_fetched() {
    let mut bench = with_slots();
    assert_eq!(kept(&bench), None);
    play(&mut bench, &format!("+5000\n{TALK}park 1\nmoved 1\ngone 1"));
    let who = Party { number: Some("1".into()), ..Party::default() };
    let parked = ParkedCall { who, since_ms: 5_000, ..ada("701", 0) };
    assert_eq!(kept(&bench), Some(&[parked.clone()][..]));
    play(&mut bench, "lamp 701 busy");
    assert_eq!(kept(&bench), Some(&[ParkedCall { lit: true, ..parked }][..]));
    let times = |bench: &Bench| bench.asked.iter().filter(|e| matches!(e, Effect::SaveParked(_))).count();
    play(&mut bench, "lamp 701 unknown\nlamp 701 busy\n+60000");
    assert_eq!(times(&bench), 2, "nothing new");
    play(&mut bench, "lamp 701 free");
    assert_eq!((kept(&bench), times(&bench)), (Some(&[][..]), 3));
}

#[test]
fn call_14_who_was_parked_before_a_restart_is_in_sight_rings_in_time_and_is_fetched_by_name() {
    let mut bench = with_parked(vec![ada("701", 50_000)]);
    let slot = &bench.view.park[0];
    let parked = slot.parked.as_ref().unwrap();
    assert_eq!((parked.who.name.as_deref(), parked.since_ms, parked.overdue), (Some("Ada"), 0, false));
    assert_eq!((bench.view.counters.parked, bench.desk.parked_count()), (1, 1));
    play(&mut bench, &format!("{TALK}park 1\nmoved 1\ngone 1"));
    assert_eq!(bench.view.park[1].parked.as_ref().unwrap().who.number.as_deref(), Some("1"), "not in hers");
    play(&mut bench, "+9999");
    assert!(!bench.view.park[0].parked.as_ref().unwrap().overdue);
    play(&mut bench, "+1");
    assert!(bench.view.park[0].parked.as_ref().unwrap().overdue, "50 s before, and 10 since");
    play(&mut bench, "unpark 701\nok 2");
    let card = bench.cards().next().unwrap();
    assert_eq!((card.party.name.as_deref(), card.state), (Some("Ada"), CallState::Talking));
    assert!(bench.view.park[0].parked.is_none());

    // Long overdue: the one who has waited longest rings first.
    let mut bench = with_parked(vec![ada("701", 70_000), ada("702", 90_000)]);
    bench.pass(0);
    let overdue = bench.view.park.iter().filter(|slot| slot.parked.as_ref().is_some_and(|p| p.overdue));
    assert_eq!(overdue.count(), 2);
    let (_, effects) = bench.command(&Command::Hook { action: ipc::HookAction::Next });
    assert!(effects.iter().any(|e| matches!(e, Effect::Dial { number, .. } if number == "702")));
}

/// Where the exchange has no lamp for a slot, nothing says that they are gone.
#[test]
fn call_14_nobody_is_thought_to_be_parked_for_more_than_a_day() {
    const DAY: i64 = 24 * 60 * 60 * 1_000;
    let mut bench = with_parked(vec![ada("701", DAY - 5_000), ada("702", DAY + 1)]);
    bench.pass(0);
    let waits = |bench: &Bench| bench.view.park.iter().map(|slot| slot.parked.is_some()).collect::<Vec<_>>();
    assert_eq!(waits(&bench), [true, false], "one over the restart of a desk that was long off");
    assert_eq!(kept(&bench), Some(&[ada("701", DAY - 5_000)][..]), "and that is written down");
    bench.pass(4_999);
    assert_eq!(bench.desk.parked_count(), 1);
    bench.pass(1);
    assert_eq!((bench.desk.parked_count(), kept(&bench)), (0, Some(&[][..])));
}

/// Somebody fetched them while the desk was down, or the administrator took the slot away meanwhile.
#[test]
fn call_14_a_slot_that_was_emptied_or_removed_during_a_restart_is_cleared_as_always() {
    let seen = ParkedCall { lit: true, ..ada("701", 1_000) };
    let mut bench = with_parked(vec![seen, ada("702", 1_000)]);
    play(&mut bench, "lamp 701 free\nlamp 702 free");
    let waits: Vec<bool> = bench.view.park.iter().map(|slot| slot.parked.is_some()).collect();
    assert_eq!(waits, [false, true], "a lamp that was never lit says nothing");

    let mut bench = with_parked(vec![ada("709", 1_000)]);
    let slots = |bench: &Bench| bench.view.park.iter().map(|slot| slot.number.clone()).collect::<Vec<_>>();
    assert_eq!(slots(&bench), ["701", "702", "709"]);
    play(&mut bench, &format!("{TALK}park 1 709"));
    assert_eq!(bench.state(ipc::CallRef(1)), Some(CallState::Talking), "nobody else goes there");
    play(&mut bench, "hangup 1\ngone 1\nunpark 709\nfinal 2 404");
    assert_eq!((slots(&bench).len(), kept(&bench)), (2, Some(&[][..])));
}

/// A card of a call to a slot is called like the slot, whatever the directories do not know of its number.
#[test]
fn call_14_a_call_to_a_slot_keeps_the_slots_name() {
    let slot = ParkSlot { number: "701".into(), name: "Kitchen".into() };
    let mut bench = ready_with(Settings { park: vec![slot], timers: no_timers(), ..Settings::default() });
    play(&mut bench, "unpark 701");
    let card = bench.cards().next().unwrap();
    let (call, number) = (card.call, card.party.number.clone());
    bench.input(Input::Identified { call, party: Party { number, ..Party::default() } });
    assert_eq!(bench.cards().next().unwrap().party.name.as_deref(), Some("Kitchen"));
}
