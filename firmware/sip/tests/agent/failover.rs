//! Two targets behind one name: the better one dies and comes back, and everything of the account goes with it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sip::{
    Account, AccountId, Config, Event, HostPort, Invite, Message, Method, Nat, Package, RegistrationState,
    SessionId, TARGET_KNOWN_FOR, Target,
};

use crate::net::{FAIR, Net, account, address, media, want};
use crate::script::{answer, reply, within};

pub const US: &str = "192.0.2.1:5060";
pub const FIRST: &str = "198.51.100.9:5060";
pub const SECOND: &str = "198.51.100.10:5060";
/// A lamp that no machine ever says a word of.
const NEVER_ANSWERED: &str = "sip:2999@pbx.example";
const STEP: Duration = Duration::from_millis(10);
/// How long fail-back may take: the better target is asked every 10 s, and must answer twice.
const RETURN: Duration = Duration::from_millis(20_500);

/// How an exchange behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Well,
    /// Takes nothing and says nothing.
    Dead,
    /// Registers, and drops OPTIONS.
    Deaf,
    /// Says of a call that it tries, and no more.
    Trying,
    /// Answers OPTIONS, and registers nobody.
    Refusing,
    /// Takes everything but calls: all its trunks are in use.
    Full,
    /// Says nothing to a call, and does everything else.
    Mute,
}

/// A desk whose exchange has these machines, and what came in where since it was last asked.
pub struct House {
    pub net: Net,
    pub us: usize,
    machines: Vec<(SocketAddr, Mood)>,
    seen: BTreeMap<SocketAddr, Vec<(Instant, Message)>>,
}

impl House {
    pub fn new(machines: &[&str]) -> House {
        House::with(machines, |account| account)
    }

    fn with(machines: &[&str], change: impl Fn(Account) -> Account) -> House {
        let mut net = Net::new(5, FAIR);
        let machines: Vec<(SocketAddr, Mood)> =
            machines.iter().map(|at| (net.peer(at), Mood::Well)).collect();
        let us = net.agent_with(Config { probe: true, ..Config::new(address(US)) });
        let named = HostPort { host: "pbx.example".into(), port: None };
        let account = Account { registrar: named, register: true, ..account(machines[0].0) };
        net.act(us, |agent, now| agent.add_account(now, change(account)));
        let mut house = House { net, us, machines, seen: BTreeMap::new() };
        house.answer_names();
        house
    }

    /// The name server says: these, in this order.
    fn answer_names(&mut self) {
        let targets: Vec<Target> = self.machines.iter().map(|&(at, _)| at.into()).collect();
        let asked = |event: &Event| if let Event::Resolve { id, .. } = event { Some(*id) } else { None };
        while let Some(at) = self.net.stations[self.us].events.iter().position(|e| asked(e).is_some()) {
            let id = self.net.stations[self.us].events.remove(at).as_ref().and_then(asked).unwrap();
            let targets = targets.clone();
            self.net.act(self.us, |agent, now| agent.resolved(now, id, Ok(targets)));
        }
    }

    pub fn mood(&mut self, at: &str, mood: Mood) {
        let at = address(at);
        self.machines.iter_mut().find(|(known, _)| *known == at).unwrap().1 = mood;
    }

    /// The machines do their work until `done`, at most for `limit`; how long that took.
    pub fn serve(&mut self, limit: Duration, mut done: impl FnMut(&House) -> bool) -> Duration {
        let start = self.net.now;
        while self.net.now < start + limit && !done(self) {
            self.net.pass(STEP);
            for (at, mood) in self.machines.clone() {
                for message in self.received(at) {
                    self.treat(at, mood, message);
                }
            }
            self.answer_names();
        }
        self.net.now - start
    }

    fn received(&mut self, at: SocketAddr) -> Vec<Message> {
        let words = ["REGISTER", "OPTIONS", "SUBSCRIBE", "INVITE", "ACK", "BYE", "CANCEL", "200", "486"];
        let mut messages = Vec::new();
        for what in words {
            while self.net.count(at, what) > 0 {
                messages.push(self.net.receive(at, what, 0));
            }
        }
        messages
    }

    fn treat(&mut self, at: SocketAddr, mood: Mood, message: Message) {
        self.seen.entry(at).or_default().push((self.net.now, message.clone()));
        let us = self.net.stations[self.us].at;
        let code = match (message.method(), mood) {
            (_, Mood::Dead) | (Some(Method::Options), Mood::Deaf) | (Some(Method::Ack) | None, _) => return,
            (Some(Method::Invite), Mood::Mute) => return,
            (Some(Method::Subscribe), _) if message.request_uri() == Some(NEVER_ANSWERED) => return,
            (Some(Method::Invite), Mood::Full) => 503,
            (Some(Method::Register), Mood::Refusing) => 500,
            (Some(Method::Invite), Mood::Trying) => 100,
            // A call rings until the test answers it.
            (Some(Method::Invite), _) => 180,
            _ => 200,
        };
        let mut response = reply(&message, code, "far", at);
        if message.method() == Some(&Method::Register) {
            response.set("Contact", format!("{};expires=3600", message.header("Contact").unwrap()));
        }
        if message.method() == Some(&Method::Subscribe) {
            response.push("Expires", "600");
        }
        self.net.send(at, us, &response);
    }

    /// What came in there since.
    pub fn take(&mut self, at: &str, method: &Method) -> Vec<(Instant, Message)> {
        let seen = self.seen.entry(address(at)).or_default();
        let (wanted, rest) = std::mem::take(seen).into_iter().partition(|(_, m)| m.method() == Some(method));
        *seen = rest;
        wanted
    }

    pub fn count(&self, at: &str, method: &Method) -> usize {
        let seen = self.seen.get(&address(at));
        seen.map_or(0, |seen| seen.iter().filter(|(_, m)| m.method() == Some(method)).count())
    }

    pub fn clear(&mut self) {
        self.seen.clear();
        self.net.stations[self.us].events.clear();
    }

    fn states(&self) -> Vec<RegistrationState> {
        let state = |event: &Event| match event {
            Event::Registration { state, .. } => Some(state.clone()),
            _ => None,
        };
        self.net.stations[self.us].events.iter().filter_map(state).collect()
    }

    fn is_registered(&self) -> bool {
        matches!(self.states().last(), Some(RegistrationState::Registered { .. }))
    }

    /// Registered, and everything quiet for a while.
    pub fn settle(&mut self) {
        self.serve(Duration::from_secs(20), |_| false);
        assert!(self.is_registered());
        self.clear();
    }

    /// A lamp that the first machine has lit.
    fn light(&mut self, number: &str) {
        let us = self.us;
        self.net.act(us, |agent, now| agent.subscribe(now, AccountId(1), number, Package::Dialog));
        self.serve(Duration::from_secs(2), |house| house.count(FIRST, &Method::Subscribe) > 0);
        let (_, subscribe) = self.take(FIRST, &Method::Subscribe).remove(0);
        let mut notify = within(&subscribe, "far", address(FIRST), Method::Notify, 1);
        notify.push("Event", "dialog");
        notify.push("Subscription-State", "active;expires=600");
        self.net.send(address(FIRST), address(US), &notify);
    }

    /// A call that the first machine set up and stays in (Record-Route).
    fn call(&mut self) -> (SessionId, Message) {
        self.call_by(&format!("<sip:{FIRST};lr=on;did=7.1>"))
    }

    fn call_by(&mut self, routes: &str) -> (SessionId, Message) {
        let invite = Invite::new(AccountId(1), "2110", media(3000));
        let session = self.net.act(self.us, |agent, now| agent.invite(now, invite)).unwrap();
        self.serve(Duration::from_secs(1), |house| house.count(FIRST, &Method::Invite) > 0);
        let (_, invite) = self.take(FIRST, &Method::Invite).remove(0);
        let phone = address("203.0.113.7:5062");
        let mut ok = answer(&invite, "far", phone, "sendrecv");
        ok.push("Record-Route", routes);
        self.net.send(address(FIRST), address(US), &ok);
        self.net.wait(self.us, "Answered", 1, want::answered);
        (session, invite)
    }
}

pub const LONG: Duration = Duration::from_secs(60);

#[test]
fn acc_5_a_dead_target_is_noticed_in_time_and_calls_come_in_over_the_next_one() {
    // It dies at any moment between two questions.
    for step in 0..60 {
        let mut house = House::new(&[FIRST, SECOND]);
        house.settle();
        house.serve(Duration::from_millis(100 * step), |_| false);
        house.mood(FIRST, Mood::Dead);
        house.clear();
        let took = house.serve(LONG, |house| house.count(SECOND, &Method::Register) > 0);
        assert!(took <= TARGET_KNOWN_FOR, "noticed after {took:?}");
        assert!(took >= Duration::from_secs(4), "one lost question is no death: {took:?}");
        let took = took + house.serve(LONG, House::is_registered);
        assert!(took <= TARGET_KNOWN_FOR + Duration::from_millis(100), "registered after {took:?}");
        let told = house.states();
        assert!(!told.iter().any(|state| matches!(state, RegistrationState::Failed { .. })), "{told:?}");
    }
}

#[test]
fn acc_5_the_better_target_is_used_again_when_it_has_answered_twice() {
    let mut house = House::new(&[FIRST, SECOND]);
    house.settle();
    house.mood(FIRST, Mood::Dead);
    house.serve(LONG, |_| false);
    house.clear();
    house.mood(FIRST, Mood::Well);
    let took = house.serve(LONG, |house| house.count(FIRST, &Method::Register) > 0);
    assert!(took <= RETURN, "{took:?}");
    let asked = house.take(FIRST, &Method::Options);
    assert!(asked.len() >= 2, "{}", asked.len());
    house.serve(LONG, |_| false);
    // The line was never off: the old binding served until the new one was there.
    assert!(house.states().iter().all(|state| matches!(state, RegistrationState::Registered { .. })));
    house.clear();
    house.serve(LONG, |_| false);
    assert_eq!(house.count(SECOND, &Method::Options) + house.count(SECOND, &Method::Register), 0);
}

#[test]
fn acc_5_lamps_and_new_calls_go_where_the_registration_goes() {
    let mut house = House::new(&[FIRST, SECOND]);
    let us = house.us;
    house.light("2110");
    house.settle();
    house.mood(FIRST, Mood::Dead);
    let took = house.serve(LONG, |house| house.count(SECOND, &Method::Subscribe) > 0);
    assert!(took <= TARGET_KNOWN_FOR, "{took:?}");
    assert_eq!(house.take(SECOND, &Method::Subscribe)[0].1.to().unwrap().tag(), None, "a new subscription");
    let invite = Invite::new(AccountId(1), "2110", media(3000));
    house.net.act(us, |agent, now| agent.invite(now, invite)).unwrap();
    let took = house.serve(LONG, |house| house.count(SECOND, &Method::Invite) > 0);
    assert!(took < Duration::from_millis(50), "{took:?}");
}

#[test]
fn acc_5_a_call_that_nobody_has_answered_moves_on_and_its_first_try_never_rings() {
    let mut house = House::new(&[FIRST, SECOND]);
    house.settle();
    house.mood(FIRST, Mood::Dead);
    let invite = Invite::new(AccountId(1), "2110", media(3000));
    let session = house.net.act(house.us, |agent, now| agent.invite(now, invite)).unwrap();
    let took = house.serve(LONG, |house| house.count(SECOND, &Method::Invite) > 0);
    assert!(took <= TARGET_KNOWN_FOR, "{took:?}");
    let old = house.take(FIRST, &Method::Invite).remove(0).1;
    let new = house.take(SECOND, &Method::Invite).remove(0).1;
    assert_eq!(old.call_id(), new.call_id());
    assert!(new.cseq().unwrap().number > old.cseq().unwrap().number);
    house.serve(LONG / 10, |_| false);
    assert_eq!(house.count(FIRST, &Method::Invite), 0, "the first try is not repeated");
    // The dead one is back, and works through what it had in its buffer.
    house.mood(FIRST, Mood::Well);
    let ringing = reply(&old, 180, "late", address(FIRST));
    house.net.send(address(FIRST), address(US), &ringing);
    house.serve(Duration::from_secs(1), |house| house.count(FIRST, &Method::Cancel) > 0);
    assert_eq!(house.take(FIRST, &Method::Cancel).len(), 1);
    // It crosses an answer, which is acknowledged and ended; the call itself rings on.
    house.net.send(address(FIRST), address(US), &answer(&old, "late", address(FIRST), "sendrecv"));
    house.serve(Duration::from_secs(1), |house| house.count(FIRST, &Method::Bye) > 0);
    assert_eq!((house.count(FIRST, &Method::Ack), house.count(FIRST, &Method::Bye)), (1, 1));
    house.net.send(address(SECOND), address(US), &answer(&new, "far", address(SECOND), "sendrecv"));
    house.net.wait(house.us, "Answered", 1, want::answered);
    assert!(house.net.stations[house.us].agent.live_sessions() == 1, "{session:?}");
}

#[test]
fn acc_5_a_live_call_stays_and_what_is_said_in_it_goes_by_the_other_target() {
    let mut house = House::new(&[FIRST, SECOND]);
    house.settle();
    let (session, _) = house.call();
    house.mood(FIRST, Mood::Dead);
    // Asked for while nobody knows yet.
    house.net.act(house.us, |agent, now| agent.hold(now, session));
    let took = house.serve(LONG, |house| house.count(SECOND, &Method::Invite) > 0);
    assert!(took <= TARGET_KNOWN_FOR, "{took:?}");
    let (_, hold) = house.take(SECOND, &Method::Invite).remove(0);
    assert_eq!(hold.header("Route"), Some(format!("<sip:{SECOND};lr=on;did=7.1>").as_str()));
    assert_eq!(hold.request_uri(), Some("sip:peer@203.0.113.7:5062"));
    let ok = answer(&hold, "far", address("203.0.113.7:5062"), "recvonly");
    house.net.send(address(SECOND), address(US), &ok);
    house.net.wait(house.us, "Held", 1, want::held);
    house.serve(Duration::from_secs(600), |_| false);
    assert!(!house.net.said(house.us).contains(&"Ended".to_owned()), "the call outlives the target");
    let ack = house.take(SECOND, &Method::Ack).remove(0).1;
    assert_eq!(ack.header("Route"), Some(format!("<sip:{SECOND};lr=on;did=7.1>").as_str()));
    house.net.act(house.us, |agent, now| agent.hang_up(now, session));
    house.serve(Duration::from_secs(1), |house| house.count(SECOND, &Method::Bye) > 0);
    assert_eq!(house.take(SECOND, &Method::Bye).len(), 1);
}

/// Between two transports a proxy is in the route once for each (RFC 5658). What is behind it stays where it is.
#[test]
fn acc_5_both_addresses_of_a_dead_proxy_give_way_to_the_other_target() {
    let mut house = House::new(&[FIRST, SECOND]);
    house.settle();
    let other = "198.51.100.9:5062;transport=tcp";
    let behind = "<sip:198.51.100.30;lr>";
    let (session, _) = house.call_by(&format!("{behind}, <sip:{other};lr;r2=on>, <sip:{FIRST};lr;r2=on>"));
    house.mood(FIRST, Mood::Dead);
    house.serve(LONG, |house| house.count(SECOND, &Method::Register) > 0);
    house.clear();
    house.net.act(house.us, |agent, now| agent.hang_up(now, session));
    house.serve(Duration::from_secs(5), |house| house.count(SECOND, &Method::Bye) > 0);
    let (_, bye) = house.take(SECOND, &Method::Bye).remove(0);
    let routes: Vec<&str> = bye.headers("Route").collect();
    let there = format!("<sip:{SECOND};lr;r2=on>");
    assert_eq!(routes, [there.as_str(), there.as_str(), behind]);
}

#[test]
fn acc_5_a_bye_that_the_dead_target_swallowed_ends_the_call_after_all() {
    let mut house = House::new(&[FIRST, SECOND]);
    house.settle();
    let (session, _) = house.call();
    house.mood(FIRST, Mood::Dead);
    house.net.act(house.us, |agent, now| agent.hang_up(now, session));
    let took = house.serve(LONG, |house| house.count(SECOND, &Method::Bye) > 0);
    assert!(took <= TARGET_KNOWN_FOR, "{took:?}");
    let bye = house.take(SECOND, &Method::Bye).remove(0).1;
    assert_eq!(bye.header("Route"), Some(format!("<sip:{SECOND};lr=on;did=7.1>").as_str()));
    assert_eq!(bye.headers("Via").count(), 1);
    house.serve(LONG, |_| false);
    assert_eq!(house.count(SECOND, &Method::Bye), 0, "once it is answered");
}

#[test]
fn acc_5_a_single_target_that_is_silent_is_said_so_and_found_again_at_once() {
    let mut house = House::new(&[FIRST]);
    house.settle();
    house.mood(FIRST, Mood::Dead);
    let failed =
        |house: &House| matches!(house.states().last(), Some(RegistrationState::Failed { code: None, .. }));
    let took = house.serve(LONG, failed);
    assert!(took <= TARGET_KNOWN_FOR, "{took:?}");
    house.clear();
    house.serve(Duration::from_secs(1800), |_| false);
    assert!(!house.is_registered());
    assert!(house.count(FIRST, &Method::Register) > 10, "it is asked all the while");
    let asked = house.count(FIRST, &Method::Options) + house.count(FIRST, &Method::Register);
    assert!(asked < 3000, "and not flooded: {asked}");
    house.mood(FIRST, Mood::Well);
    let took = house.serve(LONG, |house| house.is_registered());
    assert!(took <= Duration::from_secs(5), "{took:?}");
}

#[test]
fn an_exchange_that_drops_options_is_alive_all_the_same() {
    let mut house = House::new(&[FIRST, SECOND]);
    house.mood(FIRST, Mood::Deaf);
    house.settle();
    house.serve(Duration::from_secs(3600), |_| false);
    assert_eq!(house.count(SECOND, &Method::Register), 0);
    assert!(house.states().iter().all(|state| matches!(state, RegistrationState::Registered { .. })));
    let (registers, options) = (house.count(FIRST, &Method::Register), house.count(FIRST, &Method::Options));
    assert!(registers <= 5 && options <= 20, "{registers} and {options} in an hour");
}

#[test]
fn an_exchange_that_dies_before_it_has_answered_anything_is_left_too() {
    let mut house = House::new(&[FIRST, SECOND]);
    house.mood(FIRST, Mood::Dead);
    let took = house.serve(LONG, |house| house.is_registered());
    assert!(took <= Duration::from_secs(5), "{took:?}");
}

#[test]
fn when_both_are_dead_whoever_comes_back_first_is_used() {
    for first_back in [FIRST, SECOND] {
        let mut house = House::new(&[FIRST, SECOND]);
        house.settle();
        house.mood(FIRST, Mood::Dead);
        house.mood(SECOND, Mood::Dead);
        house.serve(Duration::from_secs(300), |_| false);
        house.clear();
        house.mood(first_back, Mood::Well);
        let took = house.serve(LONG, |house| house.is_registered());
        assert!(took <= Duration::from_secs(15), "{first_back}: {took:?}");
    }
}

#[test]
fn a_better_target_that_registers_nobody_is_tried_with_growing_pauses() {
    let mut house = House::new(&[FIRST, SECOND]);
    house.settle();
    house.mood(FIRST, Mood::Dead);
    house.serve(LONG, |house| house.count(SECOND, &Method::Register) > 0);
    house.mood(FIRST, Mood::Refusing);
    house.serve(LONG, |_| false);
    house.clear();
    house.serve(Duration::from_secs(3600), |_| false);
    let tried = house.count(FIRST, &Method::Register);
    assert!((3..=12).contains(&tried), "{tried} in an hour");
    assert!(house.states().iter().all(|state| matches!(state, RegistrationState::Registered { .. })));
}

#[test]
fn accounts_of_one_exchange_share_its_questions_and_an_exchange_that_talks_is_not_asked() {
    let mut house = House::new(&[FIRST, SECOND]);
    for id in 2..=9 {
        let named = HostPort { host: "pbx.example".into(), port: None };
        let more = account(address(FIRST));
        let more = Account { id: AccountId(id), registrar: named, register: true, ..more };
        house.net.act(house.us, |agent, now| agent.add_account(now, more));
    }
    house.settle();
    house.serve(LONG, |_| false);
    let asked = house.count(FIRST, &Method::Options);
    assert!((8..=15).contains(&asked), "{asked} in a minute");
    house.clear();
    for n in 0..60 {
        let mut options = Message::request(Method::Options, "sip:100@192.0.2.1");
        options.push("Via", format!("SIP/2.0/UDP {FIRST};rport;branch=z9hG4bKn{n}"));
        options.push("From", "<sip:pbx@pbx.example>;tag=n");
        options.push("To", "<sip:100@pbx.example>");
        options.push("Call-ID", format!("n{n}"));
        options.push("CSeq", "1 OPTIONS");
        house.net.send(address(FIRST), address(US), &options);
        house.serve(Duration::from_secs(1), |_| false);
    }
    assert_eq!(house.count(FIRST, &Method::Options), 0);
}

#[test]
fn acc_5_behind_a_nat_the_way_is_kept_open_without_a_word() {
    for nat in [Nat::Registrar, Nat::Stun("stun.example".parse().unwrap())] {
        let mut house = House::with(&[FIRST], |account| Account { nat: nat.clone(), ..account });
        house.settle();
        let before = house.net.keepalives;
        house.serve(Duration::from_secs(100), |_| false);
        assert!((3..=5).contains(&(house.net.keepalives - before)), "{}", house.net.keepalives - before);
    }
    let mut plain = House::new(&[FIRST]);
    plain.settle();
    assert_eq!(plain.net.keepalives, 0);
}

#[test]
fn questions_do_not_hold_up_the_end() {
    let mut house = House::new(&[FIRST, SECOND]);
    house.settle();
    house.mood(FIRST, Mood::Dead);
    house.serve(LONG, |house| house.count(FIRST, &Method::Options) > 0);
    house.mood(FIRST, Mood::Deaf);
    house.net.act(house.us, |agent, now| agent.shut_down(now));
    let drained = |house: &House| house.net.said(house.us).contains(&"Drained".to_owned());
    let took = house.serve(LONG, drained);
    assert!(took < Duration::from_secs(1), "{took:?}");
}

/// That a trunk is full, or one call gets no answer, says nothing of the exchange.
#[test]
fn acc_5_a_call_that_is_not_taken_goes_by_the_next_target_and_nothing_else_does() {
    for mood in [Mood::Full, Mood::Mute] {
        let mut house = House::new(&[FIRST, SECOND]);
        let us = house.us;
        house.light("2110");
        house.settle();
        house.mood(FIRST, mood);
        let invite = Invite::new(AccountId(1), "2111", media(3000));
        house.net.act(us, |agent, now| agent.invite(now, invite)).unwrap();
        house.serve(LONG, |house| house.count(SECOND, &Method::Invite) > 0);
        let (_, invite) = house.take(SECOND, &Method::Invite).remove(0);
        house.net.send(address(SECOND), address(US), &answer(&invite, "far", address(SECOND), "sendrecv"));
        house.net.wait(us, "Answered", 1, want::answered);
        house.serve(LONG, |_| false);
        let strayed = [Method::Register, Method::Subscribe].map(|method| house.count(SECOND, &method));
        assert_eq!(strayed, [0, 0], "{mood:?}");
        let said = house.net.said(us);
        assert!(!said.contains(&"Subscription".to_owned()), "no lamp is taken back: {mood:?}: {said:?}");
    }
}

#[test]
fn acc_5_a_call_that_no_target_takes_is_over() {
    let mut house = House::new(&[FIRST, SECOND]);
    house.settle();
    house.mood(FIRST, Mood::Full);
    house.mood(SECOND, Mood::Full);
    let invite = Invite::new(AccountId(1), "2111", media(3000));
    house.net.act(house.us, |agent, now| agent.invite(now, invite)).unwrap();
    house.serve(LONG / 10, |_| false);
    assert_eq!(house.net.wait(house.us, "Ended", 0, want::ended).code, 503);
    assert_eq!((house.count(FIRST, &Method::Invite), house.count(SECOND, &Method::Invite)), (1, 1));
}

#[test]
fn acc_5_one_lamp_that_the_exchange_never_says_a_word_of_moves_nothing() {
    let mut house = House::new(&[FIRST, SECOND]);
    let us = house.us;
    house.light("2110");
    house.settle();
    house.net.act(us, |agent, now| agent.subscribe(now, AccountId(1), "2999", Package::Dialog));
    house.serve(LONG * 2, |_| false);
    let strayed = [Method::Register, Method::Subscribe].map(|method| house.count(SECOND, &method));
    assert_eq!(strayed, [0, 0]);
    let asked = house.take(FIRST, &Method::Subscribe);
    let new = asked.iter().filter(|(_, subscribe)| subscribe.request_uri() == Some(NEVER_ANSWERED));
    assert!(new.count() > 11, "it is asked for again, where everything else is");
}
