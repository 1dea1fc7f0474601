//! What is known of colleagues' phones and of the colleagues themselves, and what is shown when nobody vouches for it.
//! kamailio is the exchange; what phones do comes from baresip, what people say of themselves from a PUBLISH.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::time::{Duration, Instant};

use frontdesk_tests::baresip::Codec;
use frontdesk_tests::desk::NO_TIMERS;
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::{DOMAIN, Digest, Kamailio};
use frontdesk_tests::publisher::{Kind, Publisher};
use frontdesk_tests::sound::{A_TONE, B_TONE, C_TONE};
use ipc::{Direction, LampCall, LampState, LampView, OnlineState, PersonView, View};

const SOON: Duration = Duration::from_secs(10);
/// For an exchange to be found silent.
const LONG: Duration = Duration::from_secs(30);

fn lamp<'a>(view: &'a View, number: &str) -> Option<&'a LampView> {
    view.lamps.iter().map(|lamp| &**lamp).find(|lamp| lamp.number == number)
}

/// Each call on a phone: whether it rings, which way, and with whom.
fn talks(view: &View, number: &str) -> Vec<(bool, Option<Direction>, Option<String>)> {
    let told = |talk: &LampCall| (talk.ringing, talk.direction, talk.party.number.clone());
    lamp(view, number).map(|lamp| lamp.talks.iter().map(told).collect()).unwrap_or_default()
}

fn person<'a>(view: &'a View, address: &str) -> Option<&'a PersonView> {
    view.people.iter().find(|person| person.address == address)
}

/// A presence document of somebody who is there, or not, with more about it.
fn pidf(user: &str, basic: &str, more: &str) -> Vec<u8> {
    format!(
        "<?xml version='1.0' encoding='UTF-8'?><presence xmlns='urn:ietf:params:xml:ns:pidf' \
         xmlns:dm='urn:ietf:params:xml:ns:pidf:data-model' xmlns:rpid='urn:ietf:params:xml:ns:pidf:rpid' \
         entity='sip:{user}@{DOMAIN}'><tuple id='t{user}'><status><basic>{basic}</basic></status></tuple>{more}\
         </presence>"
    )
    .into_bytes()
}

fn doing(activity: &str, note: &str) -> String {
    format!(
        "<dm:person id='p1'><rpid:activities><rpid:{activity}/></rpid:activities><dm:note>{note}</dm:note></dm:person>"
    )
}

#[test]
fn pre_4_each_call_on_a_phone_says_who_which_way_and_whether_it_rings() {
    let mut house = House::build(Digest::Md5);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    let mut c = house.phone("2103", C_TONE, Codec::Pcma);
    a.dial("2102");
    b.expect("CALL_INCOMING", SOON);
    let (into, out) = (Some(Direction::Incoming), Some(Direction::Outgoing));
    let with = |number: &str| Some(number.to_owned());
    house.client.wait("who rings at Ingrid's, and whom Tomas calls", SOON, |view| {
        talks(view, "2102") == [(true, into, with("2101"))]
            && talks(view, "2101") == [(false, out, with("2102"))]
    });
    b.accept();
    b.expect("CALL_ESTABLISHED", SOON);
    house.client.wait("that they talk", SOON, |view| talks(view, "2102") == [(false, into, with("2101"))]);
    c.dial("2102");
    b.expect("CALL_INCOMING", SOON);
    let view = house.client.wait("the second call at Ingrid's", SOON, |view| {
        talks(view, "2102") == [(true, into, with("2103")), (false, into, with("2101"))]
    });
    let ingrid = lamp(&view, "2102").unwrap();
    assert_eq!((ingrid.state, ingrid.calls), (LampState::Busy, 2));
    c.hang_up();
    house.client.wait("one call left", SOON, |view| talks(view, "2102") == [(false, into, with("2101"))]);
    a.hang_up();
    house.client.wait("no call", SOON, |view| {
        lamp(view, "2102").is_some_and(|lamp| lamp.state == LampState::Available && lamp.talks.is_empty())
    });
}

#[test]
fn pre_1_lamps_of_an_exchange_that_dies_are_unknown_in_time_and_come_back_with_it() {
    let mut house = House::build(Digest::Md5);
    let is = |state: LampState| move |view: &View| view.lamps.iter().all(|lamp| lamp.state == state);
    house.client.wait("both lamps free", SOON, is(LampState::Available));
    let killed = Instant::now();
    house.exchange.program.kill_all();
    house.client.wait("both lamps unknown", LONG, is(LampState::Unknown));
    let took = killed.elapsed();
    house.desk.program.wait_log("the exchange is silent", SOON);
    assert!(took < sip::LAMPS_KNOWN_FOR + Duration::from_secs(5), "{took:?}");
    house.exchange.start_again();
    house.client.wait("both lamps free", SOON, is(LampState::Available));
    let registered = |view: &View| view.operator.registration == ipc::Registration::Registered;
    house.client.wait("the line registered again", SOON, registered);
}

#[test]
fn pre_5_people_are_online_away_or_offline_with_what_they_say_and_do_not_disturb_is_on_their_lamp() {
    let start = |folder: &Path, port: u16| Kamailio::start_presence(folder, port);
    let mut house = House::build_on(NO_TIMERS, start);
    let publisher = Publisher::to(house.exchange.port);
    let ingrid = publisher.add("2102", Kind::Person);
    let address = format!("sip:2102@{DOMAIN}");
    house.desk.import(&format!(
        "lastname,firstname,phone,presence,xmpp\nSolberg,Ingrid,2102,true,{address}\nRivera,Tomas,2101,true,\n\
         Becker,Jonas,2111,false,jonas@xmpp.example\n"
    ));
    let is = |state: OnlineState, text: &'static str| {
        let address = address.clone();
        move |view: &View| {
            person(view, &address).is_some_and(|person| person.state == state && person.text == text)
        }
    };
    let view = house.client.wait("nothing known of Ingrid", SOON, is(OnlineState::Unknown, ""));
    assert_eq!(view.people.iter().filter(|person| person.address.starts_with("sip:")).count(), 1);

    publisher.tell(ingrid, pidf("2102", "open", ""), SOON);
    house.client.wait("Ingrid online", SOON, is(OnlineState::Online, ""));
    publisher.tell(ingrid, pidf("2102", "open", &doing("meal", "Back at 3")), SOON);
    house.client.wait("Ingrid away", SOON, is(OnlineState::Away, "Back at 3"));
    let free = |view: &View| lamp(view, "2102").is_some_and(|lamp| lamp.state == LampState::Available);
    house.client.wait("her phone free", SOON, free);

    publisher.tell(ingrid, pidf("2102", "open", &doing("busy", "Do not disturb")), SOON);
    let view = house.client.wait("her phone not to be disturbed", SOON, |view| {
        lamp(view, "2102").is_some_and(|lamp| lamp.state == LampState::DoNotDisturb)
    });
    assert!(is(OnlineState::Away, "Do not disturb")(&view), "{:?}", view.people);
    assert_eq!(lamp(&view, "2101").map(|lamp| lamp.state), Some(LampState::Available));

    publisher.tell(ingrid, pidf("2102", "closed", ""), SOON);
    house.client.wait("Ingrid offline", SOON, is(OnlineState::Offline, ""));
    house.client.wait("her phone free", SOON, free);

    house.exchange.program.kill_all();
    house.client.wait("nothing known of Ingrid", LONG, is(OnlineState::Unknown, ""));
    house.exchange.start_again();
    publisher.forget();
    publisher.tell(ingrid, pidf("2102", "open", &doing("away", "Lunch")), SOON);
    house.client.wait("Ingrid away again", SOON, is(OnlineState::Away, "Lunch"));
}
