//! Rules of automatic handling (OVF-1 to OVF-4), the service mode, and forwarding by hand.

use expect_test::expect;
use ipc::{Callers, Outcome, Rule, ServiceMode, Trigger};
use switchboard::Settings;

use crate::bench::Bench;
use crate::script::{check, check_on, no_timers, ready_with};

fn rule(name: &str, when: Trigger, then: Outcome) -> Rule {
    Rule { name: name.into(), when, who: Callers::Anybody, line: None, modes: Vec::new(), then }
}

fn forward(to: &str) -> Outcome {
    Outcome::Forward { to: to.into() }
}

fn with(rules: Vec<Rule>) -> Bench {
    ready_with(Settings { rules, timers: no_timers(), ..Settings::default() })
}

#[test]
fn unanswered_is_sent_on_or_held() {
    let late = |seconds| Trigger::Unanswered { seconds };
    let voicemail = Outcome::Voicemail { to: "*97".into() };
    let external = Rule { who: Callers::External, ..rule("hold", late(5), Outcome::AnswerAndHold) };
    let sales = Rule { line: Some("5550100".into()), ..rule("second", late(10), forward("2200")) };
    let rules = vec![sales, rule("mailbox", late(20), voicemail), external];
    check_on(
        with(rules),
        "in 3 5550100\nin 10 5550100\nin 20 5550200\n+5000\nack 3\nrefuse-hold 3\n+5000\n+10000\ngone 10\ngone 20",
        &expect![[r#"
            in 3 5550100
                180 3
                Ringer(Some(Bell))
              = 3 Ringing
            in 10 5550100
                180 10
              = 3 Ringing · 10 Ringing
            in 20 5550200
                180 20
              = 3 Ringing · 10 Ringing · 20 Ringing
            +5000
                answer 3
              = 3 Answering · 10 Ringing · 20 Ringing
            ack 3
                hold 3
                announce 3
              = 3 Held · 10 Ringing · 20 Ringing
            refuse-hold 3
              = 3 Held · 10 Ringing · 20 Ringing · !hold 3 failed 488
            +5000
                redirect 10 to 2200 NoAnswer
                Ringer(Some(Chime))
              = 3 Held · 10 Ending · 20 Ringing · [10 to 2200: Rule HandedOver] · !hold 3 failed 488
            +10000
                redirect 20 to *97 NoAnswer
                Ringer(None)
              = 3 Held · 10 Ending · 20 Ending · [20 to *97: Voicemail HandedOver] · !hold 3 failed 488
            gone 10
                log 10 Forwarded, answered never, talk 0, hold 0, to 2200 Rule HandedOver in 0, by second
              = 3 Held · 20 Ending · [20 to *97: Voicemail HandedOver] · !hold 3 failed 488
            gone 20
                log 20 Voicemail, answered never, talk 0, hold 0, to *97 Voicemail HandedOver in 0, by mailbox
              = 3 Held · [20 to *97: Voicemail HandedOver] · !hold 3 failed 488
        "#]],
    );
}

#[test]
fn arrivals_at_night_in_crowds_undisturbed_and_alone() {
    let night = Rule { modes: vec![ServiceMode::Night], ..rule("night", Trigger::Arrives, forward("2300")) };
    let rules = vec![
        night,
        rule("crowd", Trigger::TooMany { calls: 1 }, Outcome::Reject),
        rule("dnd", Trigger::DoNotDisturb, forward("2400")),
        rule("away", Trigger::NobodyThere, Outcome::Voicemail { to: "*97".into() }),
    ];
    check_on(
        with(rules),
        "night-key\nin 10 5550100\ngone 10\nnight-key\ndnd\nin 11 5550100\ngone 11\navailable\nin 12 5550100\n\
         in 13 5550100\ncancel 12\nnobody\nin 14 5550100\ngone 14\ntimetable night\nin 15 5550100\ngone 15",
        &expect![[r#"
            night-key
                SaveService(Some(Night))
              = empty
            in 10 5550100
                redirect 10 to 2300 TimeOfDay
              = 10 Ending · [10 to 2300: Rule HandedOver]
            gone 10
                log 10 Forwarded, answered never, talk 0, hold 0, to 2300 Rule HandedOver in 0, by night
              = [10 to 2300: Rule HandedOver]
            night-key
                SaveService(None)
            dnd
            in 11 5550100
                redirect 11 to 2400 DoNotDisturb
              = 11 Ending · [10 to 2300: Rule HandedOver] · [11 to 2400: Rule HandedOver]
            gone 11
                log 11 Forwarded, answered never, talk 0, hold 0, to 2400 Rule HandedOver in 0, by dnd
              = [10 to 2300: Rule HandedOver] · [11 to 2400: Rule HandedOver]
            available
            in 12 5550100
                180 12
                Ringer(Some(Bell))
              = 12 Ringing · [10 to 2300: Rule HandedOver] · [11 to 2400: Rule HandedOver]
            in 13 5550100
                reject 13 486
                log 13 Rejected, answered never, talk 0, hold 0, by crowd
            cancel 12
                SaveMissed(1)
                log 12 Missed, answered never, talk 0, hold 0
                Ringer(None)
              = [10 to 2300: Rule HandedOver] · [11 to 2400: Rule HandedOver] · missed 1
            nobody
            in 14 5550100
                redirect 14 to *97 Away
              = 14 Ending · [10 to 2300: Rule HandedOver] · [11 to 2400: Rule HandedOver] · [14 to *97: Voicemail HandedOver] · missed 1
            gone 14
                log 14 Voicemail, answered never, talk 0, hold 0, to *97 Voicemail HandedOver in 0, by away
              = [10 to 2300: Rule HandedOver] · [11 to 2400: Rule HandedOver] · [14 to *97: Voicemail HandedOver] · missed 1
            timetable night
            in 15 5550100
                redirect 15 to 2300 TimeOfDay
              = 15 Ending · [10 to 2300: Rule HandedOver] · [11 to 2400: Rule HandedOver] · [14 to *97: Voicemail HandedOver] · [15 to 2300: Rule HandedOver] · missed 1
            gone 15
                log 15 Forwarded, answered never, talk 0, hold 0, to 2300 Rule HandedOver in 0, by night
              = [10 to 2300: Rule HandedOver] · [11 to 2400: Rule HandedOver] · [14 to *97: Voicemail HandedOver] · [15 to 2300: Rule HandedOver] · missed 1
        "#]],
    );
}

#[test]
fn acc_1_a_call_for_a_desk_where_nobody_is_signed_in_is_told_so_and_counted_as_missed() {
    check_on(
        with(Vec::new()),
        "in 10 5550100\nnobody\nin 11 5550100\nanswer 10",
        &expect![[r#"
            in 10 5550100
                180 10
                Ringer(Some(Bell))
              = 10 Ringing
            nobody
            in 11 5550100
                reject 11 480
                SaveMissed(1)
                log 11 Missed, answered never, talk 0, hold 0
              = 10 Ringing · missed 1
            answer 10
                answer 10
                ear 10
                Ringer(None)
              = 10 Answering* · missed 1
        "#]],
    );
}

#[test]
fn a_recall_that_nobody_takes_climbs_the_rules() {
    let late = |seconds| Trigger::RecallUnanswered { seconds };
    let voicemail = Outcome::Voicemail { to: "*97".into() };
    let rules = vec![
        rule("refuse", late(5), Outcome::Reject),
        rule("other", late(10), forward("2200")),
        rule("mailbox", late(15), voicemail),
    ];
    check_on(
        with(rules),
        "in 10 5550100\nanswer 10\nack 10\nto 10 2110\nrefused 10 486\n+10000\nrefused 10 486\n+15000\nmoved 10\ngone 10",
        &expect![[r#"
            in 10 5550100
                180 10
                Ringer(Some(Bell))
              = 10 Ringing
            answer 10
                answer 10
                ear 10
                Ringer(None)
              = 10 Answering*
            ack 10
              = 10 Talking*
            to 10 2110
                hold 10
                refer 10 to 2110
                ear free
              = 10 Transferring to 2110 Requested
            refused 10 486
                Ringer(Some(Bell))
              = 10 Recalling (from 2110 Transfer(Refused { code: 486 })) · [10 to 2110: Refused { code: 486 }]
            +10000
                refer 10 to 2200
                Ringer(None)
              = 10 Transferring to 2200 Rule Requested · [10 to 2110: Refused { code: 486 }] · !RuleIgnored { rule: "refuse" }
            refused 10 486
                Ringer(Some(Bell))
              = 10 Recalling (from 2200 Transfer(Refused { code: 486 })) · [10 to 2110: Refused { code: 486 }] · [10 to 2200: Rule Refused { code: 486 }] · !RuleIgnored { rule: "refuse" }
            +15000
                refer 10 to *97
                Ringer(None)
              = 10 Transferring to *97 Voicemail Requested · [10 to 2110: Refused { code: 486 }] · [10 to 2200: Rule Refused { code: 486 }] · !RuleIgnored { rule: "refuse" }
            moved 10
                hang up 10
              = 10 Ending · [10 to 2110: Refused { code: 486 }] · [10 to 2200: Rule Refused { code: 486 }] · [10 to *97: Voicemail Answered] · !RuleIgnored { rule: "refuse" }
            gone 10
                log 10 Voicemail, answered 0, talk 0, hold 25000, to 2110 Refused { code: 486 } in 0, to 2200 Rule Refused { code: 486 } in 0, to *97 Voicemail Answered in 0, by other, by mailbox
              = [10 to 2110: Refused { code: 486 }] · [10 to 2200: Rule Refused { code: 486 }] · [10 to *97: Voicemail Answered] · !RuleIgnored { rule: "refuse" }
        "#]],
    );
}

#[test]
fn rules_that_lead_in_circles_or_nowhere_are_passed_over() {
    let at = |line: &str, rule| Rule { line: Some(line.into()), ..rule };
    let rules = vec![
        rule("self", Trigger::Arrives, forward("5550100")),
        at("5550100", rule("there", Trigger::Arrives, forward("sip:5550200@pbx.example"))),
        at("5550200", rule("nowhere", Trigger::Arrives, forward("nobody"))),
        at("5550200", rule("back", Trigger::Unanswered { seconds: 5 }, forward("5550100"))),
    ];
    check_on(
        with(rules),
        "in 10 5550100\nin 11 5550200\n+9000",
        &expect![[r#"
        in 10 5550100
            180 10
            Ringer(Some(Bell))
          = 10 Ringing · !RuleIgnored { rule: "self" } · !RuleIgnored { rule: "there" }
        in 11 5550200
            180 11
          = 10 Ringing · 11 Ringing · !RuleIgnored { rule: "self" } · !RuleIgnored { rule: "there" } · !RuleIgnored { rule: "nowhere" }
        +9000
          = 10 Ringing · 11 Ringing · !RuleIgnored { rule: "self" } · !RuleIgnored { rule: "there" } · !RuleIgnored { rule: "nowhere" } · !RuleIgnored { rule: "back" }
    "#]],
    );
}

/// 2110 does not answer, and its phone sends the call here: to send it back there would be to lose it.
#[test]
fn call_8_a_call_that_came_from_where_it_would_go_rings_on() {
    check(
        "in 10 5550100\n--\nforward 10 2110\nloop 10\nloop 10\n+8000\nanswer 10\nack 10\nbye 10",
        &expect![[r#"
            forward 10 2110
                redirect 10 to 2110 Unconditional
                Ringer(None)
              = 10 Ending · [10 to 2110: Forward HandedOver]
            loop 10
                Ringer(Some(Bell))
              = 10 Ringing · [10 to 2110: Forward Refused { code: 482 }]
            loop 10
            +8000
              = 10 Ringing
            answer 10
                answer 10
                ear 10
                Ringer(None)
              = 10 Answering*
            ack 10
              = 10 Talking*
            bye 10
                log 10 Completed, answered 8000, talk 0, hold 0, to 2110 Forward Refused { code: 482 } in 0
                ear free
              = empty
        "#]],
    );
}

#[test]
fn ovf_1_the_next_rule_has_a_call_that_came_from_where_the_first_would_send_it() {
    let late = |seconds| Trigger::Unanswered { seconds };
    let voicemail = Outcome::Voicemail { to: "*97".into() };
    let rules = vec![rule("back", late(5), forward("2110")), rule("mailbox", late(5), voicemail)];
    check_on(
        with(rules),
        "in 10 5550100\n--\n+5000\nloop 10\ngone 10",
        &expect![[r#"
            +5000
                redirect 10 to 2110 NoAnswer
                Ringer(None)
              = 10 Ending · [10 to 2110: Rule HandedOver]
            loop 10
                redirect 10 to *97 NoAnswer
              = 10 Ending · [10 to 2110: Rule Refused { code: 482 }] · [10 to *97: Voicemail HandedOver] · !RuleIgnored { rule: "back" }
            gone 10
                log 10 Voicemail, answered never, talk 0, hold 0, to 2110 Rule Refused { code: 482 } in 0, to *97 Voicemail HandedOver in 0, by mailbox
              = [10 to 2110: Rule Refused { code: 482 }] · [10 to *97: Voicemail HandedOver] · !RuleIgnored { rule: "back" }
        "#]],
    );
    // No other rule is there: it rings, and the one that cannot work is not tried again.
    check_on(
        with(vec![rule("back", late(5), forward("2110"))]),
        "in 10 5550100\n--\n+5000\nloop 10\n+60000\ncancel 10",
        &expect![[r#"
            +5000
                redirect 10 to 2110 NoAnswer
                Ringer(None)
              = 10 Ending · [10 to 2110: Rule HandedOver]
            loop 10
                Ringer(Some(Bell))
              = 10 Ringing · [10 to 2110: Rule Refused { code: 482 }] · !RuleIgnored { rule: "back" }
            +60000
              = 10 Ringing · !RuleIgnored { rule: "back" }
            cancel 10
                SaveMissed(1)
                log 10 Missed, answered never, talk 0, hold 0, to 2110 Rule Refused { code: 482 } in 0
                Ringer(None)
              = !RuleIgnored { rule: "back" } · missed 1
        "#]],
    );
}

#[test]
fn ovf_2_a_call_that_no_rule_can_send_on_as_it_comes_rings_for_the_first_time() {
    let night = Rule { modes: vec![ServiceMode::Night], ..rule("night", Trigger::Arrives, forward("2110")) };
    check_on(
        with(vec![night]),
        "timetable night\n--\nin 10 5550100\nloop 10\ncancel 10",
        &expect![[r#"
            in 10 5550100
                redirect 10 to 2110 TimeOfDay
              = 10 Ending · [10 to 2110: Rule HandedOver]
            loop 10
                180 10
                Ringer(Some(Bell))
              = 10 Ringing · [10 to 2110: Rule Refused { code: 482 }] · !RuleIgnored { rule: "night" }
            cancel 10
                SaveMissed(1)
                log 10 Missed, answered never, talk 0, hold 0, to 2110 Rule Refused { code: 482 } in 0
                Ringer(None)
              = [10 to 2110: Rule Refused { code: 482 }] · !RuleIgnored { rule: "night" } · missed 1
        "#]],
    );
}

#[test]
fn by_hand() {
    check(
        "in 10 5550100\nforward 10 5550100\nforward 10 x\nforward 10 2110\nforward 10 2110\ngone 10",
        &expect![[r#"
            in 10 5550100
                180 10
                Ringer(Some(Bell))
              = 10 Ringing
            forward 10 5550100
                refused: 5550100 is this desk's own number
            forward 10 x
                refused: "x" is not a number that can be called
            forward 10 2110
                redirect 10 to 2110 Unconditional
                Ringer(None)
              = 10 Ending · [10 to 2110: Forward HandedOver]
            forward 10 2110
                refused: not possible in the call's present state
            gone 10
                log 10 Forwarded, answered never, talk 0, hold 0, to 2110 Forward HandedOver in 0
              = [10 to 2110: Forward HandedOver]
        "#]],
    );
}
