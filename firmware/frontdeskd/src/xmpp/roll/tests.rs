//! What is told of whom, presence by presence; and by random operations, that nobody is shown as online
//! without a server's word for it.
#![allow(clippy::unwrap_used, reason = "tests")]

use OnlineState::{Away, Offline, Online, Unknown};
use proptest::prelude::*;

use super::*;

const ANNA: &str = "anna@example.com";
const BEN: &str = "ben@example.com";

fn watching(addresses: &[&str]) -> Roll {
    let mut roll = Roll::default();
    roll.watch(addresses.iter().map(ToString::to_string).collect());
    roll
}

fn presence(from: &str, kind: &str, show: &str, priority: i8, status: &str) -> Presence {
    Presence { from: from.into(), kind: kind.into(), show: show.into(), status: status.into(), priority }
}

fn told(roll: &mut Roll) -> Vec<(String, Option<OnlineState>, String)> {
    std::iter::from_fn(|| roll.next_news())
        .map(|news| match news {
            News::Person { address, state, text } => (address, Some(state), text),
            News::Gone { address } => (address, None, String::new()),
        })
        .collect()
}

fn person(address: &str, state: OnlineState, text: &str) -> (String, Option<OnlineState>, String) {
    (address.into(), Some(state), text.into())
}

fn member(address: &str, subscribed: bool, asked: bool) -> Member {
    Member { address: address.into(), subscribed, asked }
}

fn questions(roll: &mut Roll) -> Vec<String> {
    std::iter::from_fn(|| roll.next_question()).map(|who| who.to_string()).collect()
}

#[test]
fn pre_5_each_presence_is_online_away_or_offline_with_its_text() {
    let mut roll = watching(&[ANNA]);
    assert_eq!(told(&mut roll), [person(ANNA, Unknown, "")]);
    roll.roster(&[member(ANNA, true, false)], true);
    for (kind, show, status, state) in [
        ("", "", "", Online),
        ("", "chat", "Come in", Online),
        ("", "away", "Lunch until 1", Away),
        ("", "xa", "Holiday", Away),
        ("", "dnd", "In a meeting", Away),
        ("", "sleeping", "no such word", Online),
        ("unavailable", "", "Gone home", Offline),
        ("", "", "Back", Online),
        ("error", "", "", Unknown),
        ("", "away", "", Away),
        ("unsubscribed", "", "", Unknown),
    ] {
        roll.presence(&presence("Anna@Example.com/pc", kind, show, 0, status));
        assert_eq!(told(&mut roll), [person(ANNA, state, status)], "{kind} {show}");
    }
    for kind in ["subscribe", "unsubscribe", "subscribed", "probe", "nonsense"] {
        roll.presence(&presence("anna@example.com/pc", kind, "", 0, ""));
        assert_eq!(told(&mut roll), [], "{kind}");
    }
}

#[test]
fn pre_5_of_several_clients_the_highest_priority_speaks_then_the_most_available_then_the_latest() {
    let mut roll = watching(&[ANNA]);
    roll.roster(&[member(ANNA, true, false)], true);
    let mut after = |from: &str, kind: &str, show: &str, priority, status: &str| {
        roll.presence(&presence(&format!("{ANNA}/{from}"), kind, show, priority, status));
        told(&mut roll).pop().map(|(_, state, text)| (state.unwrap(), text))
    };
    let now = |state, text: &str| Some((state, text.to_owned()));
    assert_eq!(after("pc", "", "away", 5, "pc"), now(Away, "pc"));
    assert_eq!(after("phone", "", "chat", 0, "phone"), None, "a lower priority");
    assert_eq!(after("phone", "", "dnd", 5, "phone"), None, "less available");
    assert_eq!(after("tablet", "", "away", 5, "tablet"), now(Away, "tablet"));
    assert_eq!(after("phone", "", "", 5, "phone"), now(Online, "phone"));
    assert_eq!(after("phone", "unavailable", "", 0, ""), now(Away, "tablet"));
    assert_eq!(after("tablet", "", "", -1, "tablet"), now(Away, "pc"));
    assert_eq!(after("pc", "unavailable", "", 0, "bye"), now(Online, "tablet"));
    assert_eq!(after("strange", "unavailable", "", 0, ""), None);
    assert_eq!(after("tablet", "unavailable", "", 0, "bye"), now(Offline, "bye"));
    for n in 0..100 {
        after(&format!("r{n}"), "", "", 0, "");
    }
    assert!(roll.people.values().all(|anna| anna.resources.len() <= MAX_RESOURCES));
    roll.presence(&presence(ANNA, "unavailable", "", 0, ""));
    assert_eq!(told(&mut roll), [person(ANNA, Offline, "")], "a bare address speaks for all");
}

#[test]
fn pre_5_with_the_connection_goes_what_was_known() {
    let mut roll = watching(&[ANNA, BEN]);
    roll.roster(&[member(ANNA, true, false), member(BEN, true, false)], true);
    roll.presence(&presence("anna@example.com/pc", "", "", 0, "here"));
    roll.presence(&presence("ben@example.com/pc", "unavailable", "", 0, ""));
    assert_eq!(told(&mut roll), [person(ANNA, Online, "here"), person(BEN, Offline, "")]);
    roll.lost();
    assert_eq!(told(&mut roll), [person(ANNA, Unknown, ""), person(BEN, Unknown, "")]);
    roll.lost();
    assert!(told(&mut roll).is_empty() && !roll.has_news());
}

#[test]
fn pre_5_somebody_who_does_not_let_us_see_their_presence_is_not_offline_but_unknown() {
    let mut roll = watching(&[ANNA]);
    roll.roster(&[member(ANNA, false, true)], true);
    // How prosody acknowledges that they were asked.
    roll.presence(&presence(ANNA, "unavailable", "", 0, ""));
    assert_eq!(told(&mut roll), [person(ANNA, Unknown, "")]);
    // What they say to us directly is their word, and their leave ends it.
    roll.presence(&presence("anna@example.com/pc", "", "", 0, "hello"));
    assert_eq!(told(&mut roll), [person(ANNA, Online, "hello")]);
    roll.presence(&presence("anna@example.com/pc", "unavailable", "", 0, ""));
    assert_eq!(told(&mut roll), [person(ANNA, Unknown, "")]);
}

#[test]
fn pre_5_whoever_leaves_the_directory_leaves_the_view_and_strangers_never_enter_it() {
    let mut roll = watching(&[ANNA, BEN]);
    roll.presence(&presence("carla@example.com/pc", "", "", 0, ""));
    assert_eq!(told(&mut roll).len(), 2);
    roll.watch(vec![BEN.into()]);
    assert_eq!(told(&mut roll), [(ANNA.to_owned(), None, String::new())]);
    roll.presence(&presence("anna@example.com/pc", "", "", 0, ""));
    assert!(told(&mut roll).is_empty());
    assert_eq!(roll.people.len(), 1);
    // Gone before anything was told of them: nothing to take back.
    roll.watch(vec![ANNA.into(), BEN.into()]);
    roll.watch(vec![BEN.into()]);
    assert!(told(&mut roll).is_empty());
}

#[test]
fn pre_5_one_person_under_two_spellings_and_an_address_that_is_none() {
    let mut roll = Roll::default();
    let addresses =
        ["ANNA@example.com", "anna@example.com", "example.com", "no address", "xmpp:anna@example.com/x"];
    assert_eq!(roll.watch(addresses.map(Into::into).to_vec()), (2, 0));
    assert!(told(&mut roll).iter().all(|(_, state, _)| *state == Some(Unknown)));
    roll.presence(&presence("anna@example.com/pc", "", "", 0, ""));
    let now = told(&mut roll);
    assert_eq!(now, [addresses[0], addresses[1], addresses[4]].map(|address| person(address, Online, "")));
    let many: Vec<String> = (0..MAX_WATCHED + 5).map(|n| format!("p{n}@example.com")).collect();
    assert_eq!(roll.watch(many), (0, 5));
}

#[test]
fn people_are_asked_once_a_connection_and_only_where_they_are_not_on_the_roster() {
    let mut roll = watching(&[ANNA, BEN, "carla@example.com"]);
    assert!(questions(&mut roll).is_empty(), "not before the roster is known");
    roll.roster(&[member(ANNA, true, false), member("carla@example.com", false, true)], true);
    assert_eq!(questions(&mut roll), [BEN]);
    // The server notes it, and Ben refuses.
    roll.roster(&[member(BEN, false, true)], false);
    roll.roster(&[member(BEN, false, false)], false);
    roll.watch(vec![ANNA.into()]);
    roll.watch(vec![ANNA.into(), "dora@example.com".into()]);
    assert_eq!(questions(&mut roll), ["dora@example.com"]);
    roll.lost();
    roll.roster(&[], true);
    assert_eq!(questions(&mut roll), [ANNA, "dora@example.com"]);
}

#[test]
fn a_member_of_the_roster_who_comes_into_the_directory_later_is_known_at_once() {
    let mut roll = watching(&[]);
    roll.roster(&[member(ANNA, true, false)], true);
    roll.presence(&presence("anna@example.com/pc", "", "away", 0, ""));
    assert!(told(&mut roll).is_empty());
    roll.watch(vec![ANNA.into()]);
    assert_eq!(told(&mut roll), [person(ANNA, Away, "")]);
    // They withdraw what they allowed.
    roll.roster(&[member(ANNA, false, false)], false);
    assert_eq!(told(&mut roll), [person(ANNA, Unknown, "")]);
    let crowd: Vec<Member> = (0..MAX_PEOPLE + 10).map(|n| member(&format!("p{n}@e"), true, false)).collect();
    roll.roster(&crowd, true);
    assert!(roll.people.len() <= MAX_PEOPLE);
}

#[test]
fn what_people_say_is_one_short_line() {
    for (said, shown) in [
        ("  At\tlunch \r\n until\u{0} 1 ", "At lunch until 1"),
        ("\u{202e}reversed\u{2066}", "reversed"),
        ("\u{1b}[31mred", "[31mred"),
        ("", ""),
    ] {
        assert_eq!(readable(said), shown);
    }
    assert_eq!(readable(&"é".repeat(5000)).chars().count(), MAX_TEXT);
}

#[derive(Clone, Debug)]
enum Step {
    Watch(Vec<u8>),
    Presence { who: u8, resource: u8, kind: u8, show: u8, priority: i8 },
    Roster { who: u8, subscribed: bool, asked: bool, whole: bool },
    Lost,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = 0..5_u8;
    let step = prop_oneof![
        prop::collection::vec(who.clone(), 0..4).prop_map(Step::Watch),
        (who.clone(), 0..3_u8, 0..5_u8, 0..4_u8, -1..2_i8).prop_map(
            |(who, resource, kind, show, priority)| {
                Step::Presence { who, resource, kind, show, priority }
            }
        ),
        (who, any::<bool>(), any::<bool>(), any::<bool>())
            .prop_map(|(who, subscribed, asked, whole)| Step::Roster { who, subscribed, asked, whole }),
        Just(Step::Lost),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    #[test]
    fn pre_5_nobody_is_online_without_a_word_of_this_connection(steps in steps()) {
        let name = |who: u8| format!("p{who}@example.com");
        let mut roll = Roll::default();
        let mut view: BTreeMap<String, OnlineState> = BTreeMap::new();
        let mut heard: BTreeSet<String> = BTreeSet::new();
        let mut subscribers: BTreeSet<String> = BTreeSet::new();
        let mut wanted: BTreeSet<String> = BTreeSet::new();
        for step in steps {
            match step {
                Step::Watch(people) => {
                    wanted = people.into_iter().map(name).collect();
                    roll.watch(wanted.iter().cloned().collect());
                }
                Step::Presence { who, resource, kind, show, priority } => {
                    let kind = ["", "", "unavailable", "error", "subscribe"][usize::from(kind)];
                    let show = ["", "away", "dnd", "chat"][usize::from(show)];
                    let from = format!("{}/{resource}", name(who));
                    roll.presence(&presence(&from, kind, show, priority, ""));
                    if kind.is_empty() {
                        heard.insert(name(who));
                    }
                }
                Step::Roster { who, subscribed, asked, whole } => {
                    roll.roster(&[member(&name(who), subscribed, asked)], whole);
                    if subscribed {
                        subscribers.insert(name(who));
                    }
                }
                Step::Lost => {
                    roll.lost();
                    heard.clear();
                    subscribers.clear();
                }
            }
            while let Some(news) = roll.next_news() {
                match news {
                    News::Person { address, state, .. } => drop(view.insert(address, state)),
                    News::Gone { address } => prop_assert!(view.remove(&address).is_some()),
                }
            }
            prop_assert_eq!(view.keys().collect::<Vec<_>>(), wanted.iter().collect::<Vec<_>>());
            for (address, state) in &view {
                let vouched = match state {
                    Unknown => true,
                    Offline => subscribers.contains(address),
                    Online | Away => heard.contains(address),
                };
                prop_assert!(vouched, "{address} {state:?}");
            }
        }
    }
}
