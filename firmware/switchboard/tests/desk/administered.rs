//! Settings changed by an administrator while the desk runs: no call is harmed by it.

use ipc::{CallRef, CallState, Command, Outcome, ParkSlot, Registration, Rule, Timers, Trigger};
use switchboard::{Administered, Effect, Input, Line, Settings};

use crate::bench::Bench;
use crate::operations::Run;
use crate::random::Seen;
use crate::script::{incoming, no_timers, play, ready, ready_with};

fn change(bench: &mut Bench, how: impl FnOnce(&mut Administered)) -> Vec<Effect> {
    let mut administered = bench.settings.administered();
    how(&mut administered);
    bench.input(Input::Settings(Box::new(administered)))
}

fn rule(name: &str, when: Trigger, then: Outcome) -> Rule {
    Rule { name: name.into(), when, who: ipc::Callers::Anybody, line: None, modes: Vec::new(), then }
}

fn call_in(bench: &mut Bench, line: &str) -> CallRef {
    let call = bench.next_call();
    bench.input(incoming(call, line));
    call
}

#[test]
fn app_2_lines_are_replaced_and_what_is_known_of_them_stays() {
    let mut bench = ready();
    change(&mut bench, |settings| {
        settings.lines = vec![
            Line { number: "5550300".into(), name: "New".into(), colour: Some(3), ..Line::default() },
            Line { number: "5550100".into(), name: "Sales and more".into(), ..Line::default() },
        ];
        settings.operator_name = "Ada".into();
        settings.hold_alarm_ms = 7_000;
    });
    let lines: Vec<_> =
        bench.view.lines.iter().map(|l| (l.number.as_str(), l.registration.clone())).collect();
    assert_eq!(lines, [("5550300", Registration::Off), ("5550100", Registration::Registered)]);
    assert_eq!(bench.view.lines[0].colour, Some(3));
    assert_eq!(bench.view.operator.name, "Ada");
    assert_eq!(bench.view.preferences.hold_alarm_ms, 7_000);
    let call = call_in(&mut bench, "5550100");
    let card = bench.cards().find(|card| card.call == call).unwrap();
    assert_eq!(card.line_name, "Sales and more");
}

#[test]
fn app_2_a_caller_who_rings_on_a_line_that_is_removed_can_be_answered() {
    let mut bench = ready();
    let call = call_in(&mut bench, "5550100");
    let effects = change(&mut bench, |settings| settings.lines.clear());
    assert_eq!(effects, [], "the caller hears nothing of it");
    let card = bench.cards().find(|card| card.call == call).unwrap();
    assert_eq!((card.state, card.line_name.as_str()), (CallState::Ringing, "Sales"));
    let (done, effects) = bench.command(&Command::Answer { call });
    assert_eq!(done, Ok(()));
    assert!(effects.contains(&Effect::Answer { call }), "{effects:?}");
    assert!(bench.command(&Command::Dial { number: "2101".into(), line: None }).0.is_err());
}

#[test]
fn app_2_ovf_1_a_new_rule_applies_to_who_rings_already_and_a_moved_one_is_not_tried_twice() {
    let mut bench = ready();
    let call = call_in(&mut bench, "5550100");
    play(&mut bench, "+12000");
    let late = rule("late", Trigger::Unanswered { seconds: 10 }, Outcome::Forward { to: "2200".into() });
    let effects = change(&mut bench, |settings| settings.rules = vec![late]);
    let sent = effects
        .iter()
        .any(|e| matches!(e, Effect::Redirect { call: c, to, .. } if *c == call && to == "2200"));
    assert!(sent, "{effects:?}");

    let mut bench =
        ready_with(Settings { timers: Timers { hold_ms: 5_000, ..no_timers() }, ..Settings::default() });
    let call = call_in(&mut bench, "5550100");
    play(&mut bench, "answer 1\nack 1\nhold 1\n+5000");
    assert_eq!(bench.state(call), Some(CallState::Recalling));
    let to = |name: &str| {
        rule(name, Trigger::RecallUnanswered { seconds: 1 }, Outcome::Forward { to: "2200".into() })
    };
    change(&mut bench, |settings| settings.rules = vec![to("second operator")]);
    let refers = |effects: &[Effect]| effects.iter().filter(|e| matches!(e, Effect::Refer { .. })).count();
    assert_eq!(refers(&bench.pass(1_000)), 1);
    play(&mut bench, "refused 1 486");
    assert_eq!(bench.state(call), Some(CallState::Recalling));
    change(&mut bench, |settings| settings.rules = vec![to("another"), to("second operator")]);
    assert_eq!(refers(&bench.pass(2_000)), 1, "only the other one is new");
    play(&mut bench, "refused 1 486");
    assert_eq!(refers(&bench.pass(10_000)), 0);
}

#[test]
fn app_2_call_14_who_waits_in_a_slot_that_is_removed_stays_in_sight_until_fetched() {
    let slot = |number: &str| ParkSlot { number: number.into(), name: String::new() };
    let timers = Timers { park_ms: 60_000, ..no_timers() };
    let mut bench =
        ready_with(Settings { park: vec![slot("701"), slot("702")], timers, ..Settings::default() });
    play(
        &mut bench,
        "in 1 5550100\nanswer 1\nack 1\nlamp 701 free\npark 1\nlamp 701 busy\nmoved 1\ngone 1\n+60000",
    );
    assert!(bench.view.park[0].parked.as_ref().unwrap().overdue);
    change(&mut bench, |settings| {
        settings.park = vec![slot("703")];
        settings.timers.park_ms = 120_000;
    });
    let slots: Vec<&str> = bench.view.park.iter().map(|slot| slot.number.as_str()).collect();
    assert_eq!(slots, ["703", "701"]);
    assert!(!bench.view.park[1].parked.as_ref().unwrap().overdue, "there is more time now");
    play(&mut bench, "lamp 701 free\n+300000");
    let slots: Vec<&str> = bench.view.park.iter().map(|slot| slot.number.as_str()).collect();
    assert_eq!(slots, ["703"]);
}

#[test]
fn app_2_pre_6_a_wait_without_an_end_gets_one_when_the_settings_have_one() {
    let mut bench = ready();
    play(&mut bench, "lamp 2101 busy\nin 1 5550100\nanswer 1\nack 1\nto 1 2101");
    assert!(bench.desk.deadline().is_none(), "{:?}", bench.view.transfers);
    change(&mut bench, |settings| settings.timers.queue_ms = 9_000);
    bench.pass(9_000);
    assert_eq!(bench.state(CallRef(1)), Some(CallState::Recalling));
}

/// Everything but the lines, at any time, in the midst of everything else; the bench looks at each step.
#[test]
fn app_2_settings_may_change_at_any_time() {
    for seed in 0..60 {
        let mut run = Run::new(seed);
        let first = run.bench.settings.administered();
        for _ in 0..run.random.below(300) {
            if run.random.percent(8) {
                let mut next = first.clone();
                let mut up_to = |most| usize::try_from(run.random.below(most)).unwrap();
                let turned = up_to(4).min(next.rules.len());
                next.rules.rotate_left(turned);
                next.rules.truncate(up_to(12));
                next.park.truncate(up_to(3));
                let mut on = |ms| if run.random.percent(50) { ms } else { 0 };
                // The bench keeps the times of a transfer from its beginning.
                next.timers = Timers {
                    hold_ms: on(20_000),
                    park_ms: on(20_000),
                    queue_delay_ms: on(3_000),
                    ..first.timers
                };
                run.bench.settings.timers = next.timers;
                run.input(Input::Settings(Box::new(next)));
            } else {
                run.step(&mut Seen::default());
            }
        }
        run.bench.settings.timers = first.timers;
        run.input(Input::Settings(Box::new(first)));
        run.clear_the_desk();
    }
}
