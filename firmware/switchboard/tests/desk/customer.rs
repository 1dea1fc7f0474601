//! Who calls by the customer databases (CRM-3): in time, late, twice, for a call that is over, and never in the way.

use ipc::{CallRef, CrmView, CustomerKind, CustomerLine, CustomerView, NumberMatch, Party};
use switchboard::{Effect, Input, Settings};

use crate::bench::Bench;
use crate::script::{incoming, no_timers, play, ready_with};

pub(crate) const ALL: CrmView = CrmView { customers: true, names: true, items: true, people: true };

pub(crate) fn card(name: &str) -> Box<CustomerView> {
    Box::new(CustomerView {
        plugin: "org.example.crm".into(),
        plugin_name: "House CRM".into(),
        kind: CustomerKind::Person,
        id: format!("id of {name}"),
        name: name.into(),
        organization: Some("Acme".into()),
        lines: vec![CustomerLine { label: "Contract".into(), value: "Gold".into() }],
        url: Some("https://crm.example/people/7".into()),
        more: 2,
    })
}

fn desk() -> Bench {
    let crm = Some("https://crm.example/?q=$".into());
    let mut bench = ready_with(Settings { timers: no_timers(), crm, ..Settings::default() });
    bench.input(Input::Connectors(ALL));
    bench
}

fn found(call: u64, number: &str, name: &str) -> Input {
    Input::Customer { call: CallRef(call), number: number.into(), customer: Some(card(name)) }
}

fn nobody(call: u64, number: &str) -> Input {
    Input::Customer { call: CallRef(call), number: number.into(), customer: None }
}

fn from(call: u64, number: Option<&str>, name: Option<&str>) -> Input {
    let caller =
        Party { number: number.map(str::to_owned), name: name.map(str::to_owned), ..Party::default() };
    let called_number = "5550100".into();
    Input::Incoming { call: CallRef(call), caller, called_number, diverted_by: None, replaces: None }
}

fn only(bench: &Bench) -> ipc::CallView {
    let cards: Vec<_> = bench.cards().cloned().collect();
    assert_eq!(cards.len(), 1, "{cards:?}");
    cards[0].clone()
}

fn asked(effects: &[Effect]) -> Vec<&Effect> {
    let is_question = |e: &&Effect| matches!(e, Effect::AskCustomer { .. } | Effect::LookUpCaller { .. });
    effects.iter().filter(is_question).collect()
}

#[test]
fn crm_3_a_caller_rings_first_is_asked_about_once_and_gets_the_card_and_the_name() {
    let mut bench = desk();
    let effects = bench.input(from(1, Some("0145678910"), None));
    let first = effects.iter().position(|e| matches!(e, Effect::Ring180 { .. })).unwrap();
    let ask = Effect::AskCustomer { call: CallRef(1), number: "0145678910".into(), name: None };
    assert!(effects.iter().position(|e| *e == ask).unwrap() > first, "{effects:?}");
    assert!(only(&bench).customer_asked && only(&bench).party.name.is_none());
    let effects = bench.input(found(1, "0145678910", "Ada"));
    assert!(effects.is_empty(), "{effects:?}");
    let call = only(&bench);
    assert_eq!((call.party.name.as_deref(), call.party.company.as_deref()), (Some("Ada"), Some("Acme")));
    assert_eq!((call.named_by.as_deref(), call.party.local), (Some("House CRM"), false));
    assert_eq!(call.crm.as_deref(), Some("https://crm.example/people/7"));
    assert!(!call.customer_asked && !call.crm_waits);
    assert_eq!(call.customer.unwrap().more, 2);
    // Answered and hung up: nobody is asked again, and the log knows whose call it was.
    let mut effects = bench.command(&ipc::Command::Answer { call: CallRef(1) }).1;
    for input in [
        Input::Confirmed { call: CallRef(1) },
        Input::Ended { call: CallRef(1), cause: switchboard::EndCause::default() },
    ] {
        effects.extend(bench.input(input));
    }
    assert!(asked(&effects).is_empty(), "{effects:?}");
    let row = effects.iter().find_map(|e| if let Effect::Log(row) = e { Some(row) } else { None }).unwrap();
    assert_eq!(row.party.name.as_deref(), Some("Ada"));
    assert_eq!(row.customer.as_ref().map(|of| of.id.as_str()), Some("id of Ada"));
}

#[test]
fn crm_3_a_name_of_the_exchange_or_a_directory_stays() {
    let mut bench = desk();
    bench.input(from(1, Some("0145678910"), Some("ACME SWITCHBOARD")));
    bench.input(found(1, "0145678910", "Ada"));
    let call = only(&bench);
    assert_eq!((call.party.name.as_deref(), call.named_by), (Some("ACME SWITCHBOARD"), None));
    assert!(call.customer.is_some());
    // A directory that answers after the customer database has the last word.
    let mut bench = desk();
    bench.input(from(1, Some("0145678910"), None));
    bench.input(found(1, "0145678910", "Ada"));
    let party = Party {
        number: Some("0145678910".into()),
        name: Some("Ada Lovelace".into()),
        local: true,
        matched: Some(NumberMatch::Identical),
        ..Party::default()
    };
    bench.input(Input::Identified { call: CallRef(1), party });
    let call = only(&bench);
    assert_eq!((call.party.name.as_deref(), call.named_by), (Some("Ada Lovelace"), None));
}

#[test]
fn crm_3_late_twice_for_another_number_or_after_the_end_nothing_is_harmed() {
    let mut bench = desk();
    bench.input(from(1, Some("0145678910"), None));
    bench.input(found(1, "0199999999", "Somebody else"));
    assert!(only(&bench).customer.is_none(), "for another number");
    bench.pass(20_000);
    assert!(!only(&bench).customer_asked, "nobody is waited for for ever");
    bench.input(found(1, "0145678910", "Late"));
    assert_eq!(only(&bench).party.name.as_deref(), Some("Late"));
    // A better connector was slower; that nobody else knows the number takes nothing away.
    bench.input(found(1, "0145678910", "Better"));
    bench.input(nobody(1, "0145678910"));
    assert_eq!(only(&bench).party.name.as_deref(), Some("Better"));
    bench.input(Input::Ended { call: CallRef(1), cause: switchboard::EndCause::default() });
    for input in [found(1, "0145678910", "Ghost"), nobody(1, "0145678910"), found(99, "1", "Nobody")] {
        assert_eq!(bench.input(input), []);
    }
    assert_eq!(bench.cards().count(), 0);
}

#[test]
fn crm_3_an_answer_to_no_question_is_none() {
    let mut bench = ready_with(Settings { timers: no_timers(), ..Settings::default() });
    assert!(asked(&bench.input(from(1, Some("0145678910"), None))).is_empty(), "no connector");
    bench.input(found(1, "0145678910", "Ada"));
    bench.input(Input::CallerNamed {
        call: CallRef(1),
        number: "0145678910".into(),
        name: "Ada".into(),
        company: None,
        by: "X".into(),
    });
    assert_eq!((only(&bench).customer, only(&bench).party.name), (None, None));
    // A connector that comes while it rings is asked.
    assert_eq!(asked(&bench.input(Input::Connectors(ALL))).len(), 1);
    let mut bench = desk();
    assert!(asked(&bench.input(from(1, None, None))).is_empty(), "the number is withheld");
    assert!(!only(&bench).customer_asked);
}

#[test]
fn crm_3_a_call_that_is_dialled_is_asked_about_and_so_is_whoever_answers_instead() {
    let mut bench = desk();
    let dial = ipc::Command::Dial { number: "0145678910".into(), line: None };
    let (_, effects) = bench.command(&dial);
    assert_eq!(asked(&effects).len(), 1);
    let call = only(&bench).call;
    bench.input(Input::Customer { call, number: "0145678910".into(), customer: Some(card("Ada")) });
    let by = Some(Party { number: Some("0155555555".into()), ..Party::default() });
    let effects = bench.input(Input::Answered { call, by });
    assert_eq!(asked(&effects), [&Effect::AskCustomer { call, number: "0155555555".into(), name: None }]);
    let now = only(&bench);
    assert_eq!((now.customer, now.party.name, now.named_by), (None, None, None));
}

#[test]
fn crm_3_whom_no_directory_knows_is_looked_up_and_whom_one_knows_is_not() {
    let mut bench = desk();
    bench.input(from(1, Some("0145678910"), None));
    bench.input(nobody(1, "0145678910"));
    let unknown = Party { number: Some("0145678910".into()), ..Party::default() };
    let effects = bench.input(Input::Identified { call: CallRef(1), party: unknown.clone() });
    assert_eq!(asked(&effects), [&Effect::LookUpCaller { call: CallRef(1), number: "0145678910".into() }]);
    assert!(asked(&bench.input(Input::Identified { call: CallRef(1), party: unknown })).is_empty(), "once");
    bench.input(Input::CallerNamed {
        call: CallRef(1),
        number: "0145678910".into(),
        name: "Ada".into(),
        company: Some("Acme".into()),
        by: "Phone book".into(),
    });
    let call = only(&bench);
    assert_eq!((call.party.name.as_deref(), call.named_by.as_deref()), (Some("Ada"), Some("Phone book")));
    // A card knows better.
    bench.input(found(1, "0145678910", "Ada Lovelace"));
    assert_eq!(only(&bench).party.name.as_deref(), Some("Ada Lovelace"));
    bench.input(Input::Ended { call: CallRef(1), cause: switchboard::EndCause::default() });
    bench.input(from(2, Some("0145678911"), None));
    let known = Party {
        number: Some("0145678911".into()),
        name: Some("Bob".into()),
        matched: Some(NumberMatch::Identical),
        ..Party::default()
    };
    assert!(asked(&bench.input(Input::Identified { call: CallRef(2), party: known })).is_empty());
}

#[test]
fn crm_3_a_page_waits_a_second_for_a_better_one() {
    let mut bench = desk();
    bench.input(from(1, Some("0145678910"), None));
    let call = only(&bench);
    assert!(call.crm_waits && call.crm.is_some());
    bench.pass(999);
    assert!(only(&bench).crm_waits);
    bench.pass(1);
    let call = only(&bench);
    assert!(!call.crm_waits && call.customer_asked);
    assert_eq!(call.crm.as_deref(), Some("https://crm.example/?q=0145678910"));
    // Without such connectors nothing waits.
    let mut bench = ready_with(Settings { timers: no_timers(), ..Settings::default() });
    bench.input(incoming(CallRef(1), "5550100"));
    assert!(!only(&bench).crm_waits);
}

#[test]
fn crm_3_the_name_goes_along_with_a_transfer() {
    let mut bench = desk();
    bench.input(from(1, Some("0145678910"), None));
    play(&mut bench, "answer 1\nack 1\nto 1 2110");
    bench.input(found(1, "0145678910", "Ada"));
    assert_eq!(bench.view.transfers[0].who.name.as_deref(), Some("Ada"));
}
