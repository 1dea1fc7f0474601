//! Lamps whose exchange dies, forgets, comes back, or lights thousands of them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use sip::{
    Account, AccountId, Config, Event, LAMPS_KNOWN_FOR, Message, Method, Package, RegistrationState,
    SubscriptionId, SubscriptionState,
};

use crate::net::{FAIR, Net, account, address};
use crate::script::{Caller, reply, within};

const US: &str = "192.0.2.1:5060";
const PBX: &str = "198.51.100.9:5060";
const STEP: Duration = Duration::from_millis(10);

/// A desk with so many lamps, and the exchange that lights them.
struct House {
    net: Net,
    us: usize,
    pbx: SocketAddr,
    lamps: Vec<SubscriptionId>,
    /// What asked for each dialog and how many documents were sent there, by Call-ID.
    dialogs: BTreeMap<String, (Message, u32)>,
    /// SUBSCRIBEs that came in.
    asked: usize,
    /// Answers to NOTIFYs, by code.
    answers: BTreeMap<u16, usize>,
    /// What each lamp says: vouched for or not.
    lit: BTreeMap<SubscriptionId, bool>,
}

impl House {
    fn new(lamps: usize) -> House {
        House::with(lamps, Config::new(address(US)))
    }

    fn with(lamps: usize, config: Config) -> House {
        let mut net = Net::new(3, FAIR);
        let pbx = net.peer(PBX);
        let us = net.agent_with(config);
        let account = Account { register: true, ..account(pbx) };
        net.act(us, |agent, now| agent.add_account(now, account));
        let lamps = (0..lamps).map(|n| {
            let target = (20_000 + n).to_string();
            net.act(us, |agent, now| agent.subscribe(now, AccountId(1), &target, Package::Dialog))
        });
        let lamps = lamps.collect();
        let (dialogs, answers, lit) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        House { net, us, pbx, lamps, dialogs, asked: 0, answers, lit }
    }

    /// Everything that the exchange has received since.
    fn received(&mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        for what in ["SUBSCRIBE", "REGISTER", "200", "481", "500", "503"] {
            while self.net.count(self.pbx, what) > 0 {
                messages.push(self.net.receive(self.pbx, what, 0));
            }
        }
        messages
    }

    /// The exchange does its work for `duration`, or until `done`; how long that took.
    fn serve(&mut self, duration: Duration, done: impl Fn(&House) -> bool) -> Duration {
        let start = self.net.now;
        while self.net.now < start + duration && !done(self) {
            self.net.pass(STEP);
            for message in self.received() {
                self.answer(&message);
            }
            self.look();
        }
        self.net.now - start
    }

    /// Nobody does, or the exchange is not there.
    fn dead(&mut self, duration: Duration) {
        self.net.pass(duration);
        self.asked += self.received().iter().filter(|m| m.method() == Some(&Method::Subscribe)).count();
        self.look();
    }

    fn answer(&mut self, message: &Message) {
        let at = self.net.stations[self.us].at;
        match (message.method(), message.code()) {
            (Some(Method::Register), _) => {
                let mut ok = reply(message, 200, "r", self.pbx);
                ok.push("Expires", "3600");
                self.net.send(self.pbx, at, &ok);
            }
            (Some(_), _) => {
                self.asked += 1;
                let call_id = message.call_id().unwrap().to_owned();
                let old = message.to().unwrap().tag().is_some();
                if old && !self.dialogs.contains_key(&call_id) {
                    return self.net.send(self.pbx, at, &reply(message, 481, "n", self.pbx));
                }
                let mut ok = reply(message, 200, "n", self.pbx);
                ok.push("Expires", "600");
                self.net.send(self.pbx, at, &ok);
                self.notify(message, &call_id);
            }
            (None, code) => *self.answers.entry(code.unwrap()).or_default() += 1,
        }
    }

    fn notify(&mut self, subscribe: &Message, call_id: &str) {
        let entry = self.dialogs.entry(call_id.to_owned());
        let (_, number) = entry.or_insert_with(|| (subscribe.clone(), 0));
        *number += 1;
        let mut notify = within(subscribe, "n", self.pbx, Method::Notify, *number);
        notify.push("Event", "dialog");
        notify.push("Subscription-State", "active;expires=600");
        let body = format!("<dialog-info version='{number}' state='full' entity='sip:x@y'/>");
        notify.set_body("application/dialog-info+xml", body.into_bytes());
        let at = self.net.stations[self.us].at;
        self.net.send(self.pbx, at, &notify);
    }

    fn look(&mut self) {
        for event in self.net.stations[self.us].events.drain(..) {
            if let Event::Subscription { subscription, state } = event {
                self.lit.insert(subscription, state == SubscriptionState::Active);
            }
        }
    }

    fn lit(&self) -> usize {
        self.lit.values().filter(|lit| **lit).count()
    }

    fn all_lit(&self) -> bool {
        self.lit() == self.lamps.len()
    }

    /// The exchange starts anew and remembers nothing.
    fn forget(&mut self) {
        self.dialogs.clear();
    }
}

const LONG: Duration = Duration::from_secs(60);

#[test]
fn pre_1_lamps_of_a_dead_exchange_are_unknown_in_time_and_true_again_soon_after_its_return() {
    let mut house = House::new(5);
    house.serve(LONG, House::all_lit);
    house.serve(Duration::from_secs(30), |_| false);
    assert_eq!(house.lit(), 5, "a living exchange is asked and answers");
    house.dead(LAMPS_KNOWN_FOR + Duration::from_millis(10));
    assert_eq!(house.lit(), 0);
    house.asked = 0;
    house.dead(Duration::from_secs(600));
    let sent = house.asked;
    assert!((300..=1200).contains(&sent), "one lamp asks for all: {sent}");
    house.forget();
    let took = house.serve(LONG, House::all_lit);
    assert!(took < Duration::from_secs(4), "{took:?}");
}

#[test]
fn pre_1_the_silence_is_told_of_the_line_too_and_it_registers_again() {
    let mut house = House::new(1);
    house.serve(Duration::from_secs(5), |_| false);
    house.net.stations[house.us].events.clear();
    house.net.pass(LAMPS_KNOWN_FOR + Duration::from_millis(10));
    let registration = |event: &Event| match event {
        Event::Registration { state, .. } => Some(state.clone()),
        _ => None,
    };
    let state = house.net.wait(house.us, "Registration", 0, registration);
    assert_eq!(state, RegistrationState::Registering);
    let failed = house.net.wait(house.us, "Registration", 40, registration);
    assert!(matches!(failed, RegistrationState::Failed { code: None, .. }), "{failed:?}");
    house.net.stations[house.us].events.clear();
    house.net.clear(house.pbx);
    for _ in 0..400 {
        house.net.pass(STEP);
        for message in house.received() {
            house.answer(&message);
        }
    }
    let states = std::iter::from_fn(|| {
        let events = &mut house.net.stations[house.us].events;
        let at = events.iter().position(|event| registration(event).is_some())?;
        events.remove(at).as_ref().and_then(registration)
    });
    assert!(matches!(states.last(), Some(RegistrationState::Registered { .. })));
}

#[test]
fn pre_1_an_exchange_that_was_restarted_unnoticed_is_found_out() {
    let mut house = House::new(50);
    house.serve(LONG, House::all_lit);
    house.forget();
    let dark = house.serve(LONG, |house| house.lit() == 0);
    assert!(dark < Duration::from_secs(6), "{dark:?}");
    let took = house.serve(LONG, House::all_lit);
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn one_forgotten_lamp_does_not_darken_the_others() {
    let mut house = House::new(20);
    house.serve(LONG, House::all_lit);
    let first = house.dialogs.keys().next().unwrap().clone();
    house.dialogs.remove(&first);
    house.asked = 0;
    let mut least = 20;
    for _ in 0..3000 {
        house.serve(STEP, |_| false);
        least = least.min(house.lit());
    }
    assert!(least >= 19, "{least}");
    assert!(house.asked < 40, "{}", house.asked);
}

#[test]
fn an_exchange_that_refuses_every_lamp_is_not_silent() {
    let mut net = Net::new(3, FAIR);
    let pbx = net.peer(PBX);
    let us = net.phone(US, pbx);
    let at = net.stations[us].at;
    net.act(us, |agent, now| agent.subscribe(now, AccountId(1), "2110", Package::Dialog));
    let mut asked = 0;
    for _ in 0..600 {
        net.pass(Duration::from_secs(1));
        while net.count(pbx, "SUBSCRIBE") > 0 {
            asked += 1;
            let subscribe = net.receive(pbx, "SUBSCRIBE", 0);
            net.send(pbx, at, &reply(&subscribe, 403, "n", pbx));
        }
    }
    assert!((5..15).contains(&asked), "with growing pauses, not knocking: {asked}");
}

#[test]
fn two_thousand_lamps_are_lit_in_seconds_and_never_drown_the_exchange() {
    let mut house = House::new(2000);
    let took = house.serve(LONG, House::all_lit);
    assert!(took < Duration::from_secs(4), "{took:?}");
    // The refreshes of the next twenty minutes.
    let mut worst = 0;
    for _ in 0..1200 {
        let before = house.asked;
        house.serve(Duration::from_secs(1), |_| false);
        worst = worst.max(house.asked - before);
    }
    assert!(worst < 60, "{worst} refreshes in one second");
    assert!(house.all_lit());
    // It dies, and nobody answers: the window stays shut.
    house.dead(LAMPS_KNOWN_FOR + Duration::from_secs(1));
    assert_eq!(house.lit(), 0);
    house.asked = 0;
    house.dead(Duration::from_secs(10));
    assert!(house.asked <= 25, "{} SUBSCRIBEs to a dead exchange in 10 s", house.asked);
    house.forget();
    let took = house.serve(LONG, House::all_lit);
    assert!(took < Duration::from_secs(6), "{took:?}");
}

#[test]
fn an_exchange_that_answers_nothing_is_asked_by_a_window_of_lamps_and_no_more() {
    let mut house = House::new(500);
    house.dead(Duration::from_millis(1900));
    // Each is sent at 0, 0.5 and 1.5 s.
    assert!(house.asked <= 32 * 3, "{}", house.asked);
}

#[test]
fn a_storm_of_news_does_not_take_the_room_that_calls_need() {
    let config = Config { max_transactions: 100, ..Config::new(address(US)) };
    let mut house = House::with(10, config);
    house.serve(LONG, House::all_lit);
    house.serve(STEP * 2, |_| false);
    house.answers.clear();
    let dialogs: Vec<(String, Message)> =
        house.dialogs.iter().map(|(call_id, (subscribe, _))| (call_id.clone(), subscribe.clone())).collect();
    for _ in 0..100 {
        for (call_id, subscribe) in &dialogs {
            house.notify(subscribe, call_id);
        }
        house.serve(STEP, |_| false);
    }
    let options = Caller::new(house.pbx, house.net.stations[house.us].at, "o").request(Method::Options);
    house.net.send(house.pbx, house.net.stations[house.us].at, &options);
    house.serve(STEP, |_| false);
    assert_eq!(house.answers, BTreeMap::from([(200, 1001)]), "every NOTIFY, and the OPTIONS");
    assert!(house.net.stations[house.us].agent.transactions() <= 100);
    assert!(house.all_lit());
}

#[test]
fn a_refresh_of_everything_asks_for_each_lamp_once() {
    let mut house = House::new(100);
    house.serve(LONG, House::all_lit);
    house.asked = 0;
    house.net.act(house.us, |agent, now| agent.refresh(now));
    house.net.act(house.us, |agent, now| agent.refresh(now));
    house.serve(Duration::from_secs(1), |_| false);
    assert_eq!(house.asked, 100);
    assert!(house.all_lit());
}

#[test]
fn an_exchange_that_never_knows_what_is_refreshed_is_not_flooded_for_it() {
    let mut house = House::new(100);
    house.serve(LONG, House::all_lit);
    house.asked = 0;
    for _ in 0..600 {
        house.forget();
        house.serve(Duration::from_secs(1), |_| false);
    }
    // All of them six times at most, and two that look after it every few seconds.
    assert!(house.asked < 6 * 100 + 4 * 200 + 200, "{}", house.asked);
}

#[test]
fn an_exchange_that_registers_us_and_is_deaf_to_everything_else_does_not_make_us_register_for_ever() {
    let mut house = House::new(40);
    let mut registered = 0;
    for _ in 0..6_000 {
        house.net.pass(STEP);
        for message in house.received().iter().filter(|m| m.method() == Some(&Method::Register)) {
            registered += 1;
            house.answer(message);
        }
    }
    assert!(registered <= 2, "{registered} REGISTERs in a minute");
}
