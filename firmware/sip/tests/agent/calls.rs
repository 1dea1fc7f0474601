//! Whole calls between two agents, in fair weather and in storms.

use std::collections::BTreeMap;
use std::time::Duration;

use sip::{Config, EndedBy, Event, Identity, Invite, SessionId};

use crate::net::{FAIR, Net, STORM, address, media, name, session_of, want};

const A: &str = "192.0.2.1:5060";
const B: &str = "192.0.2.2:5060";

/// A call of `from` to the agent at `to`, without any account.
fn call(net: &mut Net, from: usize, to: usize) -> SessionId {
    let at = net.stations[to].at;
    net.act(from, |agent, now| agent.invite(now, direct(&format!("sip:bob@{at}")))).unwrap()
}

fn direct(target: &str) -> Invite {
    Invite {
        account: None,
        target: target.into(),
        media: media(3000),
        replaces: None,
        answer_after: None,
        anonymous: false,
        headers: Vec::new(),
        destination: None,
        from: Some(Identity { display: Some("Alice".into()), uri: "sip:0591234@a.example".into() }),
        to: None,
    }
}

/// A call from station 0 to station 1, answered.
fn talking(net: &mut Net) -> (SessionId, SessionId) {
    let ours = call(net, 0, 1);
    let theirs = net.wait(1, "Incoming", 60, want::incoming);
    net.act(1, |agent, now| agent.ring(now, theirs));
    net.act(1, |agent, now| agent.accept(now, theirs, media(5000)));
    net.wait(0, "Answered", 60, want::answered);
    net.wait(1, "Confirmed", 60, want::confirmed);
    (ours, theirs)
}

#[test]
fn a_call_rings_is_answered_and_hung_up() {
    let mut net = Net::new(1, FAIR);
    let (a, b) = (net.agent(A), net.agent(B));
    let ours = call(&mut net, a, b);
    let (theirs, caller) = net.wait(b, "Incoming", 1, |event| match event {
        Event::Incoming { session, caller, media: Some(_), .. } => Some((*session, caller.clone())),
        _ => None,
    });
    assert_eq!((caller.number.as_deref(), caller.display.as_deref()), (Some("0591234"), Some("Alice")));
    net.act(b, |agent, now| agent.ring(now, theirs));
    assert_eq!(net.wait(a, "Progress", 1, want::progress), 180);
    net.act(b, |agent, now| agent.accept(now, theirs, media(5000)));
    assert_eq!(net.wait(a, "Answered", 1, want::answered).remote_rtp, address("192.0.2.1:5000"));
    assert_eq!(net.wait(b, "Confirmed", 1, want::confirmed).remote_rtp, address("192.0.2.1:3000"));
    net.act(a, |agent, now| agent.hang_up(now, ours));
    assert_eq!(net.wait(a, "Ended", 0, want::ended).by, EndedBy::Local);
    let cause = net.wait(b, "Ended", 1, want::ended);
    assert_eq!((cause.by, cause.code), (EndedBy::Remote, 200));
    net.pass(Duration::from_secs(120));
    assert!(net.stations.iter().all(|s| s.events.is_empty() && s.agent.poll_timeout().is_none()));
}

#[test]
fn setting_up_takes_no_more_than_two_round_trips_and_no_timer() {
    let mut net = Net::new(1, FAIR);
    net.agent(A);
    net.agent(B);
    talking(&mut net);
    assert!(net.seconds() < 0.010, "{}", net.seconds());
}

#[test]
fn every_call_survives_a_storm_and_ends_exactly_once() {
    for seed in 0..60 {
        let mut net = Net::new(seed, STORM);
        net.agent(A);
        net.agent(B);
        let (ours, theirs) = talking(&mut net);
        net.act(0, |agent, now| agent.hold(now, ours));
        net.wait(0, "Held", 60, want::held);
        assert!(net.wait(1, "RemoteHold", 60, want::remote_hold));
        net.act(1, |agent, now| agent.hold(now, theirs));
        net.wait(1, "Held", 60, want::held);
        net.act(0, |agent, now| agent.retrieve(now, ours));
        net.wait(0, "Retrieved", 60, want::retrieved);
        let (who, session) = if seed % 2 == 0 { (0, ours) } else { (1, theirs) };
        net.act(who, |agent, now| agent.hang_up(now, session));
        net.wait(0, "Ended", 60, want::ended);
        net.wait(1, "Ended", 60, want::ended);
        net.pass(Duration::from_secs(200));
        for station in 0..2 {
            let after: Vec<_> = net.stations[station].events.iter().filter_map(session_of).collect();
            let said = net.said(station);
            assert!(!said.contains(&"Ended".to_owned()), "seed {seed}: a second end");
            assert_eq!(net.stations[station].agent.transactions(), 0, "seed {seed}");
            assert!(after.iter().all(|&id| id == ours || id == theirs));
        }
    }
}

#[test]
fn nothing_is_said_of_a_session_after_its_end() {
    for seed in 0..40 {
        let mut net = Net::new(seed, STORM);
        net.agent(A);
        net.agent(B);
        let (ours, theirs) = talking(&mut net);
        net.act(0, |agent, now| {
            agent.hold(now, ours);
            agent.refer(now, ours, "sip:2110@192.0.2.3");
        });
        net.act(1, |agent, now| agent.hold(now, theirs));
        let pause = Duration::from_millis(net.random_ms(4000));
        net.pass(pause);
        net.act(0, |agent, now| agent.hang_up(now, ours));
        net.act(1, |agent, now| agent.hang_up(now, theirs));
        net.pass(Duration::from_secs(200));
        for station in 0..2 {
            let events: Vec<_> = net.stations[station].events.iter().map(name).collect();
            let end = events.iter().position(|name| name == "Ended");
            assert_eq!(end, events.len().checked_sub(1), "seed {seed}, station {station}: {events:?}");
        }
    }
}

#[test]
fn a_refused_call_says_why() {
    let mut net = Net::new(1, FAIR);
    let (a, b) = (net.agent(A), net.agent(B));
    call(&mut net, a, b);
    let theirs = net.wait(b, "Incoming", 1, want::incoming);
    net.act(b, |agent, now| agent.reject(now, theirs, 486));
    let cause = net.wait(a, "Ended", 1, want::ended);
    assert_eq!((cause.by, cause.code, cause.reason.as_str()), (EndedBy::Remote, 486, "Busy Here"));
    assert_eq!(net.wait(b, "Ended", 1, want::ended).by, EndedBy::Local);
}

#[test]
fn hanging_up_while_it_rings_cancels() {
    let mut net = Net::new(1, FAIR);
    let (a, b) = (net.agent(A), net.agent(B));
    let ours = call(&mut net, a, b);
    let theirs = net.wait(b, "Incoming", 1, want::incoming);
    net.act(b, |agent, now| agent.ring(now, theirs));
    net.wait(a, "Progress", 1, want::progress);
    net.act(a, |agent, now| agent.hang_up(now, ours));
    assert_eq!(net.wait(a, "Ended", 0, want::ended).code, 487);
    let cause = net.wait(b, "Ended", 1, want::ended);
    assert_eq!((cause.by, cause.code, cause.elsewhere), (EndedBy::Remote, 487, false));
}

#[test]
fn hanging_up_before_anything_was_heard_cancels_as_soon_as_it_may() {
    for seed in 0..30 {
        let mut net = Net::new(seed, STORM);
        let (a, b) = (net.agent(A), net.agent(B));
        let ours = call(&mut net, a, b);
        net.act(a, |agent, now| agent.hang_up(now, ours));
        net.wait(a, "Ended", 0, want::ended);
        net.pass(Duration::from_secs(150));
        let events = net.said(b);
        assert!(
            events.is_empty() || events == ["Incoming", "Ended"],
            "seed {seed}: the other end is left ringing: {events:?}"
        );
        assert_eq!(net.stations[b].agent.live_sessions(), 0);
    }
}

#[test]
fn an_answer_and_a_cancel_that_cross_leave_nobody_in_a_call() {
    for seed in 0..60 {
        let mut net = Net::new(seed, STORM);
        let (a, b) = (net.agent(A), net.agent(B));
        let ours = call(&mut net, a, b);
        let theirs = net.wait(b, "Incoming", 60, want::incoming);
        net.act(b, |agent, now| agent.accept(now, theirs, media(5000)));
        net.act(a, |agent, now| agent.hang_up(now, ours));
        net.wait(a, "Ended", 60, want::ended);
        net.wait(b, "Ended", 90, want::ended);
        net.pass(Duration::from_secs(150));
        assert_eq!(net.stations[a].agent.live_sessions() + net.stations[b].agent.live_sessions(), 0);
    }
}

#[test]
fn the_callee_may_hang_up_before_its_answer_is_acknowledged() {
    let mut net = Net::new(1, FAIR);
    let (a, b) = (net.agent(A), net.agent(B));
    call(&mut net, a, b);
    let theirs = net.wait(b, "Incoming", 1, want::incoming);
    net.act(b, |agent, now| {
        agent.accept(now, theirs, media(5000));
        agent.hang_up(now, theirs);
    });
    net.wait(b, "Ended", 0, want::ended);
    net.wait(a, "Answered", 1, want::answered);
    assert_eq!(net.wait(a, "Ended", 1, want::ended).by, EndedBy::Remote);
}

#[test]
fn both_hold_at_once_and_both_succeed_after_glare() {
    for seed in 0..20 {
        let mut net = Net::new(seed, FAIR);
        net.agent(A);
        net.agent(B);
        let (ours, theirs) = talking(&mut net);
        net.act(0, |agent, now| agent.hold(now, ours));
        net.act(1, |agent, now| agent.hold(now, theirs));
        net.wait(0, "Held", 10, want::held);
        net.wait(1, "Held", 10, want::held);
        assert!(!net.said(0).contains(&"HoldFailed".to_owned()));
    }
}

#[test]
fn hold_twice_is_still_hold() {
    let mut net = Net::new(1, FAIR);
    net.agent(A);
    net.agent(B);
    let (ours, _) = talking(&mut net);
    for _ in 0..2 {
        net.act(0, |agent, now| agent.hold(now, ours));
        net.wait(0, "Held", 2, want::held);
    }
    assert!(net.wait(1, "RemoteHold", 1, want::remote_hold));
    net.act(0, |agent, now| {
        agent.hold(now, ours);
        agent.retrieve(now, ours);
        agent.retrieve(now, ours);
    });
    net.wait(0, "Retrieved", 2, want::retrieved);
    net.wait(0, "Retrieved", 2, want::retrieved);
    assert!(!net.wait(1, "RemoteHold", 1, want::remote_hold));
    assert_eq!(net.said(1).iter().filter(|name| *name == "RemoteHold").count(), 0);
}

#[test]
fn a_hold_asked_for_while_it_rings_waits_for_the_answer() {
    let mut net = Net::new(1, FAIR);
    let (a, b) = (net.agent(A), net.agent(B));
    let ours = call(&mut net, a, b);
    net.act(a, |agent, now| agent.hold(now, ours));
    let theirs = net.wait(b, "Incoming", 1, want::incoming);
    net.act(b, |agent, now| agent.accept(now, theirs, media(5000)));
    net.wait(a, "Answered", 1, want::answered);
    net.wait(a, "Held", 1, want::held);
}

#[test]
fn three_hundred_calls_at_twenty_a_second_and_none_is_lost() {
    let mut net = Net::new(5, FAIR);
    let a = net.agent(A);
    let b = net.agent_with(Config { stranger_rate: 1000, stranger_burst: 1000, ..Config::new(address(B)) });
    let (mut ends, mut peak) = (BTreeMap::new(), 0);
    for _ in 0..300 {
        let ours = call(&mut net, a, b);
        let theirs = net.wait(b, "Incoming", 1, want::incoming);
        net.act(b, |agent, now| agent.accept(now, theirs, media(5000)));
        net.wait(a, "Answered", 1, want::answered);
        net.wait(b, "Confirmed", 1, want::confirmed);
        net.act(a, |agent, now| agent.hang_up(now, ours));
        net.wait(a, "Ended", 1, want::ended);
        *ends.entry(net.wait(b, "Ended", 1, want::ended).code).or_insert(0) += 1;
        peak = peak.max(net.stations[b].agent.transactions());
        net.pass(Duration::from_millis(45));
    }
    assert_eq!(ends, BTreeMap::from([(200, 300)]));
    net.pass(Duration::from_secs(100));
    for station in &net.stations {
        assert_eq!((station.agent.transactions(), station.agent.live_sessions()), (0, 0));
    }
    assert!(peak < 1000, "{peak}");
}

#[test]
fn dozens_of_calls_at_once_do_not_mix() {
    let mut net = Net::new(5, STORM);
    let a = net.agent(A);
    let b = net.agent_with(Config { stranger_rate: 1000, stranger_burst: 1000, ..Config::new(address(B)) });
    let calls: Vec<SessionId> = (0..60).map(|_| call(&mut net, a, b)).collect();
    for n in 0..calls.len() {
        let theirs = net.wait(b, "Incoming", 60, want::incoming);
        net.act(b, |agent, now| agent.accept(now, theirs, media(5000 + 2 * n as u16)));
    }
    let mut ports: Vec<u16> = calls
        .iter()
        .map(|call| {
            net.wait(a, "Answered", 60, |event| match event {
                Event::Answered { session, media, .. } if session == call => Some(media.remote_rtp.port()),
                _ => None,
            })
        })
        .collect();
    ports.sort_unstable();
    assert_eq!(ports, (0..60).map(|n| 5000 + 2 * n).collect::<Vec<u16>>());
}
