//! Customers on the desk (CRM-3): `frontdesk-plugind` with the connector for any JSON API, a customer database on
//! loopback, and telephones that call through kamailio.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::{Duration, Instant};

use frontdesk_tests::baresip::{Baresip, Codec};
use frontdesk_tests::connectors::{PluginClient, PluginHost};
use frontdesk_tests::customers::Customers;
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use ipc::{
    CallRef, CallState, CallView, Command, CommandError, CustomerItem, ItemProblem, PluginGrants, Reply,
};
use serde_json::{Value, json};

const CRM: &str = "org.frontdesk.rest-crm";
const HOSTILE: &str = "org.frontdesk.hostile";
/// Real time of the telephones.
const SOON: Duration = Duration::from_secs(15);
/// A connector is compiled, and a finished call is sent again, in a debug build on a busy machine.
const LATE: Duration = Duration::from_secs(180);

/// A plugin host with the connector set up for this database.
fn connected(house: &mut House, customers: &Customers) -> (PluginHost, PluginClient) {
    let host = PluginHost::start(house.folder(), &[]);
    let mut client = host.client();
    let server = vec!["server".to_owned()];
    let all = PluginGrants { net: server.clone(), private: server.clone(), loopback: server };
    client.install(&host.packed("rest-crm"), all).unwrap();
    let settings = json!({
        "url": customers.url(),
        "sign-in": "none",
        "find": "/customers?phone={number}",
        "lines": "Contract = contract.level\nOpen ticket = ticket",
        "page": "https://crm.example/customers/{id}",
        "call-path": "/calls",
        "call-known": "/calls?ref={call.id}",
        "note-path": "/notes",
        "note-known": "/notes?ref={item.id}",
        "task-path": "/tasks",
    });
    client.configure(CRM, settings).unwrap();
    house.client.wait("word of the customer database", LATE, |view| view.crm.customers && view.crm.items);
    (host, client)
}

fn ada(number: &str) -> Value {
    json!({
        "id": "C-7",
        "name": "Ada Lovelace",
        "company": "Analytical Engines",
        "phone": number,
        "contract": { "level": "Gold" },
        "ticket": "#12 gears",
    })
}

/// `phone` calls: the card as it was when it rang first, and how long that took from the keypad.
fn rings(house: &mut House, phone: &mut Baresip) -> (CallView, Duration) {
    let began = Instant::now();
    phone.dial("5550100");
    let number = Some(phone.number.clone());
    let is_it = |call: &CallView| call.state == CallState::Ringing && call.party.number == number;
    let call = house.client.wait_call("a ringing call", SOON, is_it);
    (call, began.elapsed())
}

fn with_card(house: &mut House, call: CallRef) -> CallView {
    house.client.wait_call("the customer's card", LATE, |now| now.call == call && now.customer.is_some())
}

fn refuse(house: &mut House, phone: &mut Baresip, call: CallRef) {
    house.client.command(Command::Reject { call }).unwrap();
    house.client.wait_gone(call, SOON);
    phone.expect("CALL_CLOSED", SOON);
}

#[test]
fn crm_3_a_caller_has_a_card_a_note_and_one_entry_in_the_customer_database() {
    let mut house = House::build(Digest::Md5);
    let customers = Customers::start();
    customers.add("2103", ada("2103"));
    let (_host, _client) = connected(&mut house, &customers);
    let mut phone = house.phone("2103", 1500.0, Codec::Pcma);
    let (call, _) = rings(&mut house, &mut phone);
    let call = with_card(&mut house, call.call);
    let card = call.customer.clone().unwrap();
    assert_eq!((card.plugin.as_str(), card.id.as_str(), card.name.as_str()), (CRM, "C-7", "Ada Lovelace"));
    assert_eq!(card.organization.as_deref(), Some("Analytical Engines"));
    let lines: Vec<(&str, &str)> =
        card.lines.iter().map(|line| (line.label.as_str(), line.value.as_str())).collect();
    assert_eq!(lines, [("Contract", "Gold"), ("Open ticket", "#12 gears")]);
    assert_eq!(call.crm.as_deref(), Some("https://crm.example/customers/C-7"));
    assert_eq!((call.party.name.as_deref(), call.party.local), (Some("Ada Lovelace"), false));
    assert_eq!(call.named_by.as_deref(), Some("Customers by REST"));

    house.client.command(Command::Answer { call: call.call }).unwrap();
    phone.expect("CALL_ESTABLISHED", SOON);
    house.wait_state(call.call, CallState::Talking);
    let note = |text: &str| CustomerItem {
        id: "item-1".into(),
        task: false,
        text: text.into(),
        number: call.party.number.clone(),
        name: call.party.name.clone(),
        subject: Some(ipc::CustomerRef { plugin: card.plugin.clone(), id: card.id.clone() }),
    };
    let add = |item| Command::AddItem(Box::new(item));
    let (reply, done) = house.client.command_with_reply(add(note("Wants a quote\nfor two")));
    assert!(matches!(reply, Some(Reply::ItemAdded { .. })) && done.is_ok(), "{reply:?} {done:?}");
    let written = customers.written("/notes");
    assert_eq!(written.len(), 1, "{written:?}");
    assert_eq!(
        (&written[0]["customer"], &written[0]["text"]),
        (&json!("C-7"), &json!("Wants a quote\nfor two"))
    );
    // Sent again, as after an answer that was lost: it is there once.
    assert_eq!(house.client.command_with_reply(add(note("Wants a quote\nfor two"))).1, Ok(()));
    assert_eq!(customers.written("/notes").len(), 1);
    let empty = house.client.command_with_reply(add(note(" "))).1;
    assert_eq!(empty, Err(CommandError::Item(ItemProblem::NotAnItem)));

    phone.hang_up();
    house.client.wait_gone(call.call, SOON);
    let entries = customers.wait_written("/calls", 1, LATE);
    assert_eq!(entries.len(), 1, "{entries:?}");
    let entry = &entries[0];
    assert_eq!((&entry["customer"], &entry["number"]), (&json!("C-7"), &json!("2103")), "{entry}");
    assert_eq!((&entry["outcome"], &entry["direction"]), (&json!("answered"), &json!("incoming")), "{entry}");
    let log = house.client.log(1);
    assert_eq!(log.rows[0].party.name.as_deref(), Some("Ada Lovelace"));
}

#[test]
fn crm_3_a_slow_or_looping_connector_delays_neither_ringing_nor_answering() {
    let mut house = House::build(Digest::Md5);
    let customers = Customers::start();
    let (host, mut client) = connected(&mut house, &customers);
    customers.add("2104", ada("2104"));
    let mut nobody = house.phone("2103", 1500.0, Codec::Pcma);
    let mut before = Vec::new();
    for _ in 0..3 {
        let (call, took) = rings(&mut house, &mut nobody);
        before.push(took);
        refuse(&mut house, &mut nobody, call.call);
    }
    customers.be_slow(Duration::from_millis(1800));
    let mut phone = house.phone("2104", 1000.0, Codec::Pcma);
    let (call, slow) = rings(&mut house, &mut phone);
    assert!(call.customer_asked && call.customer.is_none(), "it rings before the database has answered");
    house.client.command(Command::Answer { call: call.call }).unwrap();
    phone.expect("CALL_ESTABLISHED", SOON);
    let card = with_card(&mut house, call.call);
    assert_eq!(card.state, CallState::Talking, "the card is there for the one who answered before");
    phone.hang_up();
    house.client.wait_gone(call.call, SOON);

    // One that loops for ever in each question, and the database as slow as before.
    client.install(&host.packed("hostile"), PluginGrants::default()).unwrap();
    client.configure(HOSTILE, json!({ "behaviour": "endless-loop" })).unwrap();
    let (call, looping) = rings(&mut house, &mut phone);
    house.client.command(Command::Answer { call: call.call }).unwrap();
    phone.expect("CALL_ESTABLISHED", SOON);
    house.wait_state(call.call, CallState::Talking);
    assert_eq!(with_card(&mut house, call.call).customer.unwrap().name, "Ada Lovelace");
    phone.hang_up();
    house.client.wait_gone(call.call, SOON);

    // Killed, with the question on its way.
    drop(client);
    drop(host);
    let (call, dead) = rings(&mut house, &mut phone);
    let alone = |now: &CallView| now.call == call.call && !now.customer_asked;
    house.client.wait_call("nobody waited for", SOON, alone);
    refuse(&mut house, &mut phone, call.call);
    #[allow(clippy::print_stdout, reason = "the figures of the test, for whoever asks with --no-capture")]
    {
        println!("keypad to card: {before:?} before, {slow:?} slow, {looping:?} looping, {dead:?} dead");
    }
}

#[test]
fn crm_3_app_4_a_finished_call_is_entered_once_after_the_database_and_the_desk_were_down() {
    let mut house = House::build(Digest::Md5);
    let customers = Customers::start();
    let (_host, _client) = connected(&mut house, &customers);
    customers.be_up(false);
    let mut phone = house.phone("2103", 1500.0, Codec::Pcma);
    let (call, _) = rings(&mut house, &mut phone);
    refuse(&mut house, &mut phone, call.call);
    customers.wait_for_a_try(LATE);
    house.desk.program.kill();
    customers.be_up(true);
    house.desk.start_again();
    house.client = house.desk.client();
    let entries = customers.wait_written("/calls", 1, LATE);
    assert_eq!(entries[0]["outcome"], json!("rejected"), "{entries:?}");

    // Another one follows, and the first is there once.
    house.client.wait("registered", SOON, |view| {
        view.operator.registration == ipc::Registration::Registered && view.crm.customers
    });
    let (call, _) = rings(&mut house, &mut phone);
    refuse(&mut house, &mut phone, call.call);
    let entries = customers.wait_written("/calls", 2, LATE);
    assert_eq!(entries.len(), 2, "{entries:?}");
    assert_ne!(entries[0]["reference"], entries[1]["reference"]);
}
