//! Subscriptions: lamps that must not lie and must not go out for ever, and waiting messages.

use std::net::SocketAddr;
use std::time::Duration;

use sip::dialog_info::Dialog;
use sip::{AccountId, Event, Invite, Message, Method, Package, SubscriptionId, SubscriptionState};

use crate::net::{FAIR, Net, media};
use crate::script::{Caller, reply, within};

const US: &str = "192.0.2.1:5060";
const PBX: &str = "198.51.100.9:5060";

fn desk() -> (Net, usize, SocketAddr) {
    let mut net = Net::new(3, FAIR);
    let pbx = net.peer(PBX);
    let us = net.phone(US, pbx);
    (net, us, pbx)
}

fn watch(net: &mut Net, us: usize) -> SubscriptionId {
    net.act(us, |agent, now| agent.subscribe(now, AccountId(1), "2110", Package::Dialog))
}

fn state(net: &mut Net, us: usize, limit: u64) -> SubscriptionState {
    net.wait(us, "Subscription", limit, |event| match event {
        Event::Subscription { state, .. } => Some(state.clone()),
        _ => None,
    })
}

fn dialogs(net: &mut Net, us: usize) -> Vec<Dialog> {
    net.wait(us, "Dialogs", 1, |event| match event {
        Event::Dialogs { dialogs, .. } => Some(dialogs.clone()),
        _ => None,
    })
}

fn ids(dialogs: &[Dialog]) -> Vec<&str> {
    dialogs.iter().map(|dialog| dialog.id.as_str()).collect()
}

fn accepted(subscribe: &Message, pbx: SocketAddr, expires: u32) -> Message {
    let mut ok = reply(subscribe, 200, "n", pbx);
    ok.push("Expires", expires.to_string());
    ok
}

/// A NOTIFY with a document of `calls`, each `(id, state)`.
fn notify(
    subscribe: &Message,
    number: u32,
    version: u32,
    full: bool,
    state: &str,
    calls: &[(&str, &str)],
) -> Message {
    let mut notify = within(subscribe, "n", PBX.parse().unwrap(), Method::Notify, number);
    notify.push("Event", "dialog");
    notify.push("Subscription-State", state);
    let list: String = calls
        .iter()
        .map(|(id, state)| format!("<dialog id=\"{id}\"><state>{state}</state></dialog>"))
        .collect();
    let kind = if full { "full" } else { "partial" };
    let body = format!(
        "<?xml version=\"1.0\"?><dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"{version}\" \
         state=\"{kind}\" entity=\"sip:2110@pbx.example\">{list}</dialog-info>"
    );
    notify.set_body("application/dialog-info+xml", body.into_bytes());
    notify
}

/// A subscription that was accepted and notified once, with call `a` ringing.
fn lit(net: &mut Net, us: usize, pbx: SocketAddr) -> (SubscriptionId, Message) {
    let at = net.stations[us].at;
    let id = watch(net, us);
    let subscribe = net.receive(pbx, "SUBSCRIBE", 1);
    net.send(pbx, at, &accepted(&subscribe, pbx, 60));
    net.send(pbx, at, &notify(&subscribe, 1, 0, true, "active;expires=60", &[("a", "early")]));
    assert_eq!(state(net, us, 1), SubscriptionState::Active);
    assert_eq!(ids(&dialogs(net, us)), ["a"]);
    net.receive(pbx, "200 NOTIFY", 1);
    (id, subscribe)
}

#[test]
fn a_lamp_lights_follows_partial_documents_and_is_refreshed() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (_, subscribe) = lit(&mut net, us, pbx);
    assert_eq!(subscribe.request_uri(), Some("sip:2110@pbx.example"));
    assert_eq!(subscribe.header("Accept"), Some("application/dialog-info+xml"));
    let more = [("a", "confirmed"), ("b", "early")];
    net.send(pbx, at, &notify(&subscribe, 2, 1, false, "active", &more));
    assert_eq!(ids(&dialogs(&mut net, us)), ["a", "b"]);
    net.send(pbx, at, &notify(&subscribe, 3, 2, false, "active", &[("a", "terminated")]));
    assert_eq!(ids(&dialogs(&mut net, us)), ["b"]);
    let before = net.seconds();
    let refresh = net.receive(pbx, "SUBSCRIBE", 600);
    assert!(net.seconds() - before < 600.0);
    assert_eq!(refresh.to().unwrap().tag(), Some("n"), "in the same dialog");
    assert!(refresh.cseq().unwrap().number > subscribe.cseq().unwrap().number);
    net.send(pbx, at, &accepted(&refresh, pbx, 60));
    net.receive(pbx, "SUBSCRIBE", 60);
}

#[test]
fn the_first_notify_may_overtake_the_200() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    watch(&mut net, us);
    let subscribe = net.receive(pbx, "SUBSCRIBE", 1);
    net.send(pbx, at, &notify(&subscribe, 1, 0, true, "active;expires=60", &[]));
    assert_eq!(state(&mut net, us, 1), SubscriptionState::Active);
    net.send(pbx, at, &accepted(&subscribe, pbx, 60));
    for _ in 0..40 {
        net.pass(Duration::from_secs(1));
        while net.count(pbx, "SUBSCRIBE") > 0 {
            let refresh = net.receive(pbx, "SUBSCRIBE", 0);
            net.send(pbx, at, &accepted(&refresh, pbx, 60));
        }
    }
    assert_eq!(net.said(us), ["Dialogs"]);
}

#[test]
fn notifies_and_versions_that_go_back_do_not_turn_the_lamp_back() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (_, subscribe) = lit(&mut net, us, pbx);
    net.send(pbx, at, &notify(&subscribe, 5, 5, true, "active", &[("b", "confirmed")]));
    assert_eq!(ids(&dialogs(&mut net, us)), ["b"]);
    net.send(pbx, at, &notify(&subscribe, 3, 6, true, "active", &[]));
    net.receive(pbx, "500 NOTIFY", 1);
    net.send(pbx, at, &notify(&subscribe, 6, 4, false, "active", &[("b", "terminated")]));
    net.receive(pbx, "200 NOTIFY", 1);
    net.pass(Duration::from_secs(1));
    assert!(net.said(us).is_empty(), "an old NOTIFY and an old partial document change nothing");
    // A full document with a newer CSeq is the truth, though the exchange began to count anew.
    net.send(pbx, at, &notify(&subscribe, 7, 0, true, "active", &[]));
    assert!(dialogs(&mut net, us).is_empty());
}

#[test]
fn a_missed_partial_document_is_made_good_by_a_refresh() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (_, subscribe) = lit(&mut net, us, pbx);
    net.send(pbx, at, &notify(&subscribe, 2, 3, false, "active", &[("c", "early")]));
    let refresh = net.receive(pbx, "SUBSCRIBE", 1);
    assert_eq!(refresh.to().unwrap().tag(), Some("n"));
}

#[test]
fn pre_1_a_lamp_of_which_only_changes_are_told_is_not_lit_before_the_whole_state_is_known() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    watch(&mut net, us);
    let subscribe = net.receive(pbx, "SUBSCRIBE", 1);
    net.send(pbx, at, &accepted(&subscribe, pbx, 60));
    net.send(pbx, at, &notify(&subscribe, 1, 4, false, "active", &[("a", "terminated")]));
    let refresh = net.receive(pbx, "SUBSCRIBE", 1);
    assert_eq!(refresh.to().unwrap().tag(), Some("n"));
    assert!(!net.said(us).contains(&"Dialogs".to_owned()), "one call has ended; there may be others");
    net.send(pbx, at, &accepted(&refresh, pbx, 60));
    net.send(pbx, at, &notify(&subscribe, 2, 5, true, "active", &[("b", "confirmed")]));
    assert_eq!(ids(&dialogs(&mut net, us)), ["b"]);
}

#[test]
fn a_lamp_comes_back_after_the_exchange_forgot_it() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (_, subscribe) = lit(&mut net, us, pbx);
    // Our 200 to a NOTIFY got lost, so the exchange dropped us: the refresh meets 481.
    let refresh = net.receive(pbx, "SUBSCRIBE", 600);
    net.send(pbx, at, &reply(&refresh, 481, "n", pbx));
    let anew = net.receive(pbx, "SUBSCRIBE", 1);
    assert_eq!(anew.to().unwrap().tag(), None);
    assert_ne!(anew.call_id(), subscribe.call_id());
    net.send(pbx, at, &accepted(&anew, pbx, 60));
    net.send(pbx, at, &notify(&anew, 1, 0, true, "active", &[("z", "early")]));
    assert_eq!(ids(&dialogs(&mut net, us)), ["z"]);
    // A late NOTIFY of the forgotten dialog is nobody's.
    net.send(pbx, at, &notify(&subscribe, 9, 9, true, "active", &[]));
    net.receive(pbx, "481 NOTIFY", 1);
}

#[test]
fn a_lamp_is_lost_and_asked_for_again_for_ever() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    watch(&mut net, us);
    let mut asked = Vec::new();
    let mut lost = 0;
    while asked.len() < 20 {
        net.pass(Duration::from_millis(100));
        while net.count(pbx, "SUBSCRIBE") > 0 {
            let subscribe = net.receive(pbx, "SUBSCRIBE", 0);
            match asked.len() % 6 {
                // Accepted, but never notified.
                5 => net.send(pbx, at, &accepted(&subscribe, pbx, 60)),
                round => net.send(pbx, at, &reply(&subscribe, [489, 403, 404, 503, 600][round], "n", pbx)),
            }
            asked.push(net.seconds());
        }
        for event in net.stations[us].events.drain(..) {
            let is_lost = |state: &SubscriptionState| matches!(state, SubscriptionState::Lost { .. });
            lost += usize::from(matches!(event, Event::Subscription { state, .. } if is_lost(&state)));
        }
    }
    assert!(lost > 0);
    let pauses: Vec<f64> = asked.windows(2).map(|two| two[1] - two[0]).collect();
    assert!(pauses[13] > 100.0, "{pauses:?}");
    let subscribe = net.receive(pbx, "SUBSCRIBE", 301);
    net.stations[us].events.clear();
    net.send(pbx, at, &accepted(&subscribe, pbx, 60));
    net.send(pbx, at, &notify(&subscribe, 1, 0, true, "active", &[("a", "early")]));
    assert_eq!(state(&mut net, us, 1), SubscriptionState::Active);
}

#[test]
fn a_subscription_ended_by_the_notifier_is_lost_at_once_and_renewed_when_told() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (_, subscribe) = lit(&mut net, us, pbx);
    let end = notify(&subscribe, 2, 1, true, "terminated;reason=probation;retry-after=20", &[]);
    net.send(pbx, at, &end);
    assert!(matches!(state(&mut net, us, 1), SubscriptionState::Lost { .. }));
    assert!(net.said(us).is_empty(), "its document is not believed");
    let before = net.seconds();
    net.receive(pbx, "SUBSCRIBE", 30);
    assert!(net.seconds() - before >= 19.9);
}

#[test]
fn a_closed_subscription_ends_and_stays_ended() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (id, subscribe) = lit(&mut net, us, pbx);
    net.act(us, |agent, now| agent.unsubscribe(now, id));
    assert_eq!(state(&mut net, us, 0), SubscriptionState::Terminated);
    let last = net.receive(pbx, "SUBSCRIBE", 1);
    assert_eq!(last.expires(), Some(0));
    net.send(pbx, at, &accepted(&last, pbx, 0));
    net.send(pbx, at, &notify(&subscribe, 2, 1, true, "terminated;reason=timeout", &[]));
    net.receive(pbx, "200 NOTIFY", 1);
    net.pass(Duration::from_secs(2000));
    assert!(net.said(us).is_empty());
    assert_eq!(net.count(pbx, "SUBSCRIBE"), 0);
}

#[test]
fn closing_while_unanswered_sends_no_more_and_a_late_notify_is_refused() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let id = watch(&mut net, us);
    let subscribe = net.receive(pbx, "SUBSCRIBE", 1);
    net.act(us, |agent, now| agent.unsubscribe(now, id));
    net.send(pbx, at, &notify(&subscribe, 1, 0, true, "active", &[]));
    net.receive(pbx, "481 NOTIFY", 1);
}

#[test]
fn a_document_of_another_kind_is_refused_and_changes_nothing() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (_, subscribe) = lit(&mut net, us, pbx);
    let mut odd = notify(&subscribe, 3, 1, true, "active", &[]);
    odd.set_body("text/plain", b"hello".to_vec());
    net.send(pbx, at, &odd);
    net.receive(pbx, "415 NOTIFY", 1);
    let mut odd = notify(&subscribe, 4, 1, true, "active", &[]);
    odd.set("Event", "presence");
    net.send(pbx, at, &odd);
    net.receive(pbx, "489 NOTIFY", 1);
    assert!(net.said(us).is_empty());
}

#[test]
fn pre_1_a_document_that_cannot_be_read_leaves_the_lamp_unknown_and_is_asked_for_with_growing_pauses() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let bomb = b"<!DOCTYPE d [<!ENTITY a 'aaaa'>]><dialog-info entity='&a;'/>".to_vec();
    let huge = [b"<dialog-info>".to_vec(), vec![b' '; 50_000], b"<a/>".repeat(1_000)].concat();
    let half = b"<dialog-info state='half'/>".to_vec();
    let (_, mut subscribe) = lit(&mut net, us, pbx);
    let mut at_second = net.seconds();
    let mut pauses = Vec::new();
    for (number, body) in [b"<dialog-info".to_vec(), bomb, huge, half, vec![0, 255]].into_iter().enumerate() {
        let mut odd = notify(&subscribe, 2, 1, true, "active", &[]);
        odd.set_body("application/dialog-info+xml", body);
        net.send(pbx, at, &odd);
        net.receive(pbx, "200 NOTIFY", 1);
        let lost = |event: &Event| {
            let Event::Subscription { state, .. } = event else { return None };
            matches!(state, SubscriptionState::Lost { .. }).then_some(())
        };
        net.wait(us, "Lost", 1, lost);
        assert!(net.said(us).iter().all(|event| event != "Dialogs"), "document {number} was believed");
        net.stations[us].events.clear();
        subscribe = net.receive(pbx, "SUBSCRIBE", 100);
        net.send(pbx, at, &accepted(&subscribe, pbx, 600));
        pauses.push(net.seconds() - at_second);
        at_second = net.seconds();
    }
    assert!(pauses[4] > 10.0 && pauses[0] < 3.0, "{pauses:?}");
    net.send(pbx, at, &notify(&subscribe, 1, 0, true, "active;expires=600", &[("a", "early")]));
    assert_eq!(ids(&dialogs(&mut net, us)), ["a"]);
}

#[test]
fn pre_1_news_from_a_stranger_or_with_guessed_identifiers_is_refused_and_keeps_no_lamp_lit() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let (_, subscribe) = lit(&mut net, us, pbx);
    let stranger = net.peer("203.0.113.66:5060");
    for second in 0..12 {
        // The right Call-ID is not enough: the tags are wrong, first the exchange's, then ours.
        let mut guessed = notify(&subscribe, 90 + second, 90, true, "active", &[]);
        let from = guessed.from().unwrap().with_tag("guess").to_string();
        guessed.set("From", from);
        let mut foreign = notify(&subscribe, 90 + second, 90, true, "active", &[]);
        let to = foreign.to().unwrap().with_tag("guess").to_string();
        foreign.set("To", to);
        for (number, mut forged) in [guessed, foreign].into_iter().enumerate() {
            let via = format!("SIP/2.0/UDP {stranger};rport;branch=z9hG4bK-f{number}-{second}");
            forged.set("Via", via);
            net.send(stranger, at, &forged);
            net.receive(stranger, "481 NOTIFY", 1);
        }
        net.pass(Duration::from_secs(1));
    }
    assert_eq!(net.said(us), ["Subscription"], "only that the exchange is silent");
    assert!(matches!(state(&mut net, us, 0), SubscriptionState::Lost { .. }));
}

#[test]
fn five_hundred_lamps_at_once() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    for n in 0..500 {
        let target = format!("{}", 2000 + n);
        net.act(us, |agent, now| agent.subscribe(now, AccountId(1), &target, Package::Dialog));
    }
    for _ in 0..500 {
        let subscribe = net.receive(pbx, "SUBSCRIBE", 1);
        net.send(pbx, at, &accepted(&subscribe, pbx, 600));
        net.send(pbx, at, &notify(&subscribe, 1, 0, true, "active;expires=600", &[]));
    }
    net.pass(Duration::from_secs(1));
    let dark = net.said(us).iter().filter(|name| *name == "Dialogs").count();
    assert_eq!(dark, 500);
}

#[test]
fn waiting_messages_are_told_even_unasked_but_not_by_strangers() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let stranger = net.peer("203.0.113.66:5060");
    for (who, code) in [(pbx, "200"), (stranger, "481")] {
        let mut notice = Caller::new(who, at, &format!("mwi{code}")).request(Method::Notify);
        notice.push("Event", "message-summary");
        notice.push("Subscription-State", "active");
        let body = b"Messages-Waiting: yes\r\nVoice-Message: 3/1\r\n".to_vec();
        notice.set_body("application/simple-message-summary", body);
        net.send(who, at, &notice);
        net.receive(who, code, 1);
    }
    let (account, new) = net.wait(us, "MessageSummary", 0, |event| match event {
        Event::MessageSummary { account, waiting: true, new, .. } => Some((*account, *new)),
        _ => None,
    });
    assert_eq!((account, new), (Some(AccountId(1)), Some(3)));
    assert!(net.said(us).is_empty());
}

#[test]
fn deadlines_that_fall_together_are_served_in_short_turns() {
    let (mut net, us, _pbx) = desk();
    for n in 0..150 {
        let invite = Invite::new(AccountId(1), "2110", media(4000 + 2 * n));
        net.act(us, |agent, now| agent.invite(now, invite)).unwrap();
    }
    // Nobody answers: all 150 repeat at the same instant.
    let due = net.stations[us].agent.poll_timeout().unwrap();
    let agent = &mut net.stations[us].agent;
    let mut turns = Vec::new();
    while agent.poll_timeout().is_some_and(|at| at <= due) {
        agent.handle_timeout(due);
        turns.push(std::iter::from_fn(|| agent.poll_transmit()).count());
    }
    assert_eq!(turns.iter().sum::<usize>(), 150, "none is forgotten");
    assert!(turns.iter().all(|&sent| (1..=32).contains(&sent)), "{turns:?}");
}

/// Waiting messages are asked for, which nothing but their own time has refreshed; granted for so many seconds.
fn mailbox(net: &mut Net, us: usize, pbx: SocketAddr, expires: u32) -> Message {
    net.act(us, |agent, now| agent.subscribe(now, AccountId(1), "*97", Package::MessageSummary));
    let subscribe = net.receive(pbx, "SUBSCRIBE", 1);
    net.send(pbx, net.stations[us].at, &accepted(&subscribe, pbx, expires));
    subscribe
}

fn waiting(subscribe: &Message, number: u32, state: &str) -> Message {
    let mut notify = within(subscribe, "n", PBX.parse().unwrap(), Method::Notify, number);
    notify.push("Event", "message-summary");
    notify.push("Subscription-State", state);
    notify.set_body("application/simple-message-summary", b"Messages-Waiting: no\r\n".to_vec());
    notify
}

#[test]
fn pre_1_a_subscription_lives_as_long_as_its_answer_says_where_its_news_does_not() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let subscribe = mailbox(&mut net, us, pbx, 120);
    net.pass(Duration::from_millis(10));
    net.send(pbx, at, &waiting(&subscribe, 1, "active"));
    let refresh = net.receive(pbx, "SUBSCRIBE", 110);
    assert_eq!(refresh.to().unwrap().tag(), Some("n"));
    net.send(pbx, at, &accepted(&refresh, pbx, 120));
    // Other news, in the middle of that time, makes it no longer.
    net.pass(Duration::from_secs(50));
    assert_eq!(net.count(pbx, "SUBSCRIBE"), 0, "in the second half");
    net.send(pbx, at, &waiting(&subscribe, 2, "active"));
    let refresh = net.receive(pbx, "SUBSCRIBE", 66);
    net.send(pbx, at, &accepted(&refresh, pbx, 120));
    // What the news itself says counts, even a number out of this world.
    net.pass(Duration::from_millis(10));
    net.send(pbx, at, &waiting(&subscribe, 3, "active;expires=20"));
    let refresh = net.receive(pbx, "SUBSCRIBE", 19);
    net.send(pbx, at, &accepted(&refresh, pbx, 120));
    net.send(pbx, at, &waiting(&subscribe, 4, "active;expires=18446744073709551615"));
    net.pass(Duration::from_secs(600));
    assert_eq!(net.count(pbx, "SUBSCRIBE"), 0);
}

#[test]
fn a_subscription_that_was_forked_is_refreshed_where_its_news_comes_from() {
    let (mut net, us, pbx) = desk();
    let at = net.stations[us].at;
    let other = net.peer("198.51.100.77:5060");
    net.act(us, |agent, now| agent.subscribe(now, AccountId(1), "*97", Package::MessageSummary));
    let subscribe = net.receive(pbx, "SUBSCRIBE", 1);
    net.send(pbx, at, &waiting(&subscribe, 1, "active;expires=120"));
    net.receive(pbx, "200 NOTIFY", 1);
    // The answer that comes back through the proxy is that of another.
    let mut ok = reply(&subscribe, 200, "m", other);
    ok.push("Expires", "120");
    net.send(pbx, at, &ok);
    let refresh = net.receive(pbx, "SUBSCRIBE", 120);
    let to = refresh.to().unwrap();
    assert_eq!((refresh.request_uri(), to.tag()), (Some("sip:peer@198.51.100.9:5060"), Some("n")));
}
