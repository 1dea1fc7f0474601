//! The state machine of updates, driven by hand: its clock is a number.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use update::{Attempt, Before, Facts, History, Machine, Now, Order, Outcome, Stage, Step, Verdicts, When};

fn order(when: When) -> Order {
    Order { when, who: "Ada".into() }
}

fn bundle() -> Attempt {
    Attempt {
        version: "2".into(),
        from: "A".into(),
        to: "B".into(),
        boot_id: "one".into(),
        ..Attempt::default()
    }
}

fn at(minute: u16, occupied: bool) -> Now {
    Now { unix_ms: 1_000 + i64::from(minute) * 60_000, minute, occupied }
}

fn step(machine: &mut Machine, now: Now) -> Option<Step> {
    machine.step(now, Some(&bundle()), &Before::default())
}

#[test]
fn app_3_an_update_that_shall_come_now_is_written_during_a_call_and_restarts_after_it() {
    let mut machine = Machine::default();
    assert_eq!(step(&mut machine, at(1, false)), None, "nobody asked for it");
    assert!(machine.order(order(When::Now)));
    assert_eq!(step(&mut machine, at(1, true)), Some(Step::Install));
    assert_eq!(machine.history().last().unwrap().outcome, Outcome::Installing, "it is written down first");
    assert!(!machine.order(order(When::Now)) && !machine.cancel(), "too late");
    machine.progress(40, "Copying");
    assert_eq!(*machine.stage(), Stage::Installing { percent: 40, words: "Copying".into() });
    assert_eq!(step(&mut machine, at(2, true)), None);
    machine.installed(at(2, true), Ok(()));
    assert_eq!(step(&mut machine, at(3, true)), None, "somebody talks");
    assert_eq!(step(&mut machine, at(4, false)), Some(Step::Restart));
    machine.restarts(at(4, false), true);
    assert_eq!(step(&mut machine, at(5, false)), None);
    assert_eq!(machine.history().order, None);
}

#[test]
fn app_3_a_call_that_comes_just_before_the_restart_goes_first() {
    let mut machine = Machine::default();
    machine.order(order(When::Now));
    step(&mut machine, at(1, false));
    machine.installed(at(1, false), Ok(()));
    assert_eq!(step(&mut machine, at(1, false)), Some(Step::Restart));
    machine.restarts(at(1, false), false);
    assert_eq!(step(&mut machine, at(1, false)), None, "the desk said no a moment ago");
    assert_eq!(step(&mut machine, at(2, true)), None);
    assert_eq!(step(&mut machine, at(3, false)), Some(Step::Restart));
}

#[test]
fn app_3_an_update_for_a_quiet_moment_waits_and_not_now_counts_for_an_hour() {
    let mut machine = Machine::default();
    machine.order(order(When::Idle));
    assert_eq!(step(&mut machine, at(0, true)), None);
    assert!(machine.postpone(at(0, true)));
    assert_eq!(step(&mut machine, at(59, false)), None, "not within the hour");
    assert_eq!(step(&mut machine, at(60, true)), None);
    assert_eq!(step(&mut machine, at(61, false)), Some(Step::Install));
    machine.installed(at(62, false), Err("no room".into()));
    assert_eq!(*machine.stage(), Stage::Resting);
    assert_eq!(machine.history().last().unwrap().outcome, Outcome::Failed { reason: "no room".into() });
    assert!(!machine.postpone(at(62, false)), "nothing waits");
}

#[test]
fn app_3_a_window_goes_over_midnight_and_a_restart_that_missed_it_waits_for_the_next() {
    let window = When::Window { from: 23 * 60, until: 5 * 60 };
    let mut machine = Machine::default();
    machine.order(order(window));
    for minute in [5 * 60, 12 * 60, 22 * 60 + 59] {
        assert_eq!(step(&mut machine, at(minute, false)), None, "{minute}");
    }
    assert_eq!(step(&mut machine, at(23 * 60, true)), None, "a late call");
    assert_eq!(step(&mut machine, at(4 * 60 + 59, false)), Some(Step::Install));
    machine.installed(at(5 * 60, false), Ok(()));
    assert_eq!(step(&mut machine, at(5 * 60, false)), None, "the window is over");
    assert_eq!(step(&mut machine, at(8 * 60, false)), None);
    assert_eq!(step(&mut machine, at(23 * 60 + 1, false)), Some(Step::Restart));
}

#[test]
fn app_3_what_was_ordered_and_what_was_written_survives_a_new_start_of_the_program() {
    let facts = |boot_id: &str, booted: &str| Facts {
        boot_id: boot_id.into(),
        booted: Some(booted.into()),
        now_ms: 9,
    };
    let mut machine = Machine::default();
    machine.order(order(When::Idle));
    let (mut machine, _) =
        Machine::resume(machine.history().clone(), &facts("one", "A"), &Verdicts::default());
    assert_eq!(*machine.stage(), Stage::Waiting);
    assert_eq!(step(&mut machine, at(1, false)), Some(Step::Install));
    let cut = machine.history().clone();
    machine.installed(at(1, false), Ok(()));
    let (again, changed) =
        Machine::resume(machine.history().clone(), &facts("one", "A"), &Verdicts::default());
    assert!(!changed && *again.stage() == Stage::Written);
    let (again, changed) =
        Machine::resume(machine.history().clone(), &facts("two", "B"), &Verdicts::default());
    assert!(changed && again.history().last().unwrap().outcome == Outcome::Trying);
    assert_eq!((again.stage(), &again.history().order), (&Stage::Resting, &None), "the restart has done it");
    let mut on_trial = again.clone();
    assert!(!on_trial.order(order(When::Now)), "the only way back is not written over");
    let well =
        Verdicts::from([("B".to_owned(), update::Verdict { attempt: 1, ..update::Verdict::default() })]);
    assert!(on_trial.look(&facts("two", "B"), &well) && on_trial.order(order(When::Now)));

    // The power went while it was being written: it is not begun again by itself.
    let (mut again, changed) = Machine::resume(cut, &facts("two", "A"), &Verdicts::default());
    assert!(changed && again.history().last().unwrap().outcome == Outcome::Interrupted);
    assert_eq!((again.stage(), step(&mut again.clone(), at(3, false))), (&Stage::Resting, None));
    assert!(again.order(order(When::Now)), "it can be asked for again");
}

#[test]
fn app_3_a_history_that_is_no_longer_there_is_an_empty_one() {
    let (machine, changed) = Machine::resume(History::default(), &Facts::default(), &Verdicts::default());
    assert!(!changed && *machine.stage() == Stage::Resting);
}

#[derive(Clone, Debug)]
enum Act {
    Order(When),
    Cancel,
    Postpone,
    Step { minute: u16, occupied: bool },
    Done(bool),
    Restarts(bool),
    Cut,
}

fn act() -> impl Strategy<Value = Act> {
    let when = prop_oneof![
        Just(When::Now),
        Just(When::Idle),
        (0..1440_u16, 0..1440_u16).prop_map(|(from, until)| When::Window { from, until }),
    ];
    prop_oneof![
        when.prop_map(Act::Order),
        Just(Act::Cancel),
        Just(Act::Postpone),
        (0..1440_u16, any::<bool>()).prop_map(|(minute, occupied)| Act::Step { minute, occupied }),
        any::<bool>().prop_map(Act::Done),
        any::<bool>().prop_map(Act::Restarts),
        Just(Act::Cut),
    ]
}

proptest! {
    /// Whatever happens: never a restart while somebody is on the desk, never one of what was not written, never two
    /// bundles being written at once, and never one that nobody ordered.
    #[test]
    fn app_3_no_order_of_events_cuts_a_call_or_writes_twice(acts in prop::collection::vec(act(), 1..60)) {
        let mut machine = Machine::default();
        let (mut writing, mut written) = (false, false);
        for act in acts {
            match act {
                Act::Order(when) => { machine.order(order(when)); }
                Act::Cancel => { machine.cancel(); }
                Act::Postpone => { machine.postpone(at(0, false)); }
                Act::Done(good) if writing => {
                    machine.installed(at(0, false), if good { Ok(()) } else { Err("no".into()) });
                    (writing, written) = (false, good);
                }
                Act::Restarts(taken) => machine.restarts(at(0, false), taken),
                Act::Cut => {
                    let facts = Facts { boot_id: "two".into(), booted: Some("A".into()), now_ms: 1 };
                    machine = Machine::resume(machine.history().clone(), &facts, &Verdicts::default()).0;
                    (writing, written) = (false, false);
                }
                Act::Step { minute, occupied } => {
                    let ordered = machine.history().order.is_some();
                    match step(&mut machine, at(minute, occupied)) {
                        None => {}
                        Some(Step::Install) => {
                            prop_assert!(ordered && !writing && !written);
                            writing = true;
                        }
                        Some(Step::Restart) => prop_assert!(ordered && written && !occupied),
                    }
                }
                Act::Done(_) => {}
            }
            let open = machine.history().attempts.iter().filter(|attempt| attempt.outcome.is_open()).count();
            prop_assert!(open <= 1, "{:?}", machine.history());
        }
    }
}
