//! Two thousand phones subscribed to at kamailio, which change a thousand times a second: what the NOTIFYs take of a
//! core. What is not measured here, how soon a lamp tells the truth, is in `make presence-report`.

use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

use frontdesk_tests::house::scratch;
use frontdesk_tests::kamailio::{DOMAIN, Kamailio};
use frontdesk_tests::load::Load;
use frontdesk_tests::ports::Ports;
use frontdesk_tests::program::Program;
use frontdesk_tests::publisher::{Kind, Publisher};
use frontdesk_tests::report::Row;
use frontdesk_tests::socket::Client;
use ipc::{LampState, LampView, Registration, View};
use sip::dialog_info::{CallDirection, Dialog, DialogInfo, DialogState, Participant};

use crate::house::{self, Account};

const PHONES: usize = 2_000;
/// NOTIFYs a second.
const RATE: u32 = 1_000;
const SECONDS: u32 = 10;
/// Share of a core that they may take, in percent.
const SHARE: f64 = 20.0;
/// Kamailio may be a little behind.
const TAKEN_IN: f64 = 0.98;
const SOON: Duration = Duration::from_secs(30);
const LONG: Duration = Duration::from_secs(120);
/// For the last NOTIFY to be read.
const LAST: Duration = Duration::from_millis(200);

/// The share, alone and with somebody who follows every view.
pub(crate) fn measure(rows: &mut Vec<Row>) {
    let scratch = scratch();
    let mut ports = Ports::take();
    let exchange = Kamailio::start_presence(scratch.path(), ports.one());
    let mut phones = Phones::at(&exchange);
    phones.tell_all();
    let account = Account { domain: DOMAIN, password: &Kamailio::password("desk"), port: exchange.port };
    let desk = house::start_desk(scratch.path(), ports.one(), &account);
    let socket = scratch.path().join("desk.sock");
    let ready = |view: &View| view.operator.registration == Registration::Registered;
    Client::connect(&socket).wait("a desk that is registered", SOON, ready);
    house::import(scratch.path(), &staff());
    Client::connect(&socket).wait("every lamp lit", LONG, |view| phones.are_shown(view));

    let (took, load) = phones.storm(&desk);
    Client::connect(&socket).wait("every lamp right in the end", SOON, |view| phones.are_shown(view));
    let changes = f64::from(RATE * SECONDS);
    let rate = [("a second", changes / took.as_secs_f64())];
    let least = TAKEN_IN * f64::from(RATE);
    rows.push(
        Row::at_least("state changes that kamailio took in", "", &rate, "a second", least)
            .note(format!("refused by it: {:?}", phones.publisher.refused())),
    );
    let figure = format!("{PHONES} subscriptions, {RATE} NOTIFYs a second");
    rows.push(Row::of(figure.as_str(), "% of a core", &shares(load), "whole", SHARE).note(format!(
        "{PHONES} dialog subscriptions at kamailio, {changes} changes; by /proc/PID/stat; every lamp was right in the end"
    )));

    let mut client = Client::connect(&socket);
    let (views, load) = thread::scope(|scope| {
        let storm = scope.spawn(|| phones.storm(&desk).1);
        let mut views = 0_u32;
        while !storm.is_finished() {
            views += u32::from(client.next_view(LAST).is_some());
        }
        (views, storm.join().expect("the storm did not panic"))
    });
    rows.push(
        Row::told(format!("{figure}, a screen follows"), "% of a core", &shares(load))
            .note(format!("{views} views of {PHONES} lamps were built, written as JSON and read meanwhile")),
    );
}

/// In percent of a core, for [`RATE`] changes a second however long they took.
fn shares(load: Load) -> [(&'static str, f64); 2] {
    let share = |used: Duration| used.as_secs_f64() / f64::from(SECONDS) * 100.0;
    [("whole", share(load.whole)), ("engine", share(load.thread))]
}

struct Phones {
    publisher: Publisher,
    /// How often each has changed.
    steps: Vec<u32>,
}

impl Phones {
    fn at(exchange: &Kamailio) -> Self {
        let publisher = Publisher::to(exchange.port);
        for phone in 0..PHONES {
            publisher.add(&number(phone), Kind::Phone);
        }
        Self { publisher, steps: vec![0; PHONES] }
    }

    fn tell_all(&self) {
        let documents = self.steps.iter().enumerate().map(|(phone, step)| (phone, document(phone, *step)));
        self.publisher.tell_all(documents, LONG);
    }

    /// Every phone is shown as it is.
    fn are_shown(&self, view: &View) -> bool {
        let lamps: HashMap<&str, &LampView> =
            view.lamps.iter().map(|lamp| (lamp.number.as_str(), lamp.as_ref())).collect();
        let right = |(phone, step): (usize, &u32)| {
            let lamp = lamps.get(number(phone).as_str());
            lamp.is_some_and(|lamp| lamp.state == state(*step) && lamp.peer == peer(*step))
        };
        self.steps.iter().enumerate().all(right)
    }

    /// [`RATE`] changes a second for [`SECONDS`]: how long they took, and what `desk` used for them.
    fn storm(&mut self, desk: &Program) -> (Duration, Load) {
        let before = Load::of(desk, "engine");
        let began = Instant::now();
        let (mut done, changes) = (0, RATE * SECONDS);
        while done < changes {
            let due = (began.elapsed().as_secs_f64() * f64::from(RATE)) as u32;
            while done < due.min(changes) {
                let phone = done as usize % PHONES;
                if self.publisher.publish(phone, document(phone, self.steps[phone] + 1)).is_none() {
                    self.publisher.repeat();
                    break;
                }
                self.steps[phone] += 1;
                done += 1;
            }
            assert!(began.elapsed() < LONG, "kamailio took {done} changes in {LONG:?}");
            thread::sleep(Duration::from_micros(500));
        }
        self.publisher.settle(LONG);
        let took = began.elapsed();
        thread::sleep(LAST);
        (took, Load::of(desk, "engine").since(before))
    }
}

fn number(phone: usize) -> String {
    (20_000 + phone).to_string()
}

/// Free and talking in turn, each time with somebody else.
fn state(step: u32) -> LampState {
    if step.is_multiple_of(2) { LampState::Available } else { LampState::Busy }
}

fn peer(step: u32) -> Option<String> {
    (!step.is_multiple_of(2)).then(|| (9_000_000 + step).to_string())
}

fn document(phone: usize, step: u32) -> Vec<u8> {
    let uri = |user: &str| format!("sip:{user}@{DOMAIN}");
    let end = |user: &str| Some(Participant { identity: uri(user), ..Participant::default() });
    let number = number(phone);
    let dialog = peer(step).map(|peer| Dialog {
        id: format!("call-of-{number}"),
        call_id: Some(format!("{number}-x")),
        local_tag: Some("l".into()),
        remote_tag: Some("r".into()),
        direction: Some(CallDirection::Recipient),
        state: DialogState::Confirmed,
        local: end(&number),
        remote: end(&peer),
    });
    DialogInfo { entity: uri(&number), version: 0, full: true, dialogs: dialog.into_iter().collect() }.write()
}

fn staff() -> String {
    let head = String::from("lastname,firstname,phone,presence\n");
    (0..PHONES).fold(head, |text, phone| text + &format!("Zed {phone},Busy,{},true\n", number(phone)))
}
