//! Certificates of a running desk: the one that it shows to telephones which call it by TLS, and what an administrator
//! changes on the page while connections stand. kamailio is the exchange, PJSUA2 the telephone that checks certificates.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::time::Duration;

use frontdesk_tests::authority::Authority;
use frontdesk_tests::house::House;
use frontdesk_tests::office::{NAME, SECRET};
use frontdesk_tests::pjsua::Pjsua;
use frontdesk_tests::ports::Ports;
use frontdesk_tests::sound::{A_TONE, DESK_TONE};
use frontdesk_tests::telephone::{Codec, Exchange, Telephone, Transport, Wish};
use ipc::{Command, Registration, View};

const SOON: Duration = Duration::from_secs(15);

fn is_registered(view: &View) -> bool {
    view.operator.registration == Registration::Registered
}

/// Calls the desk past its exchange, by TLS to its own port, with a telephone that trusts this authority alone; both are
/// heard, encrypted.
fn calls_by_tls(house: &mut House, port: u16, trusted: &Authority, number: &str) {
    let exchange = Exchange {
        address: format!("127.0.0.1:{port}"),
        transport: Transport::TlsSrtp,
        authority: Some(trusted.certificate()),
        identity: None,
    };
    let mut ports = Ports::take();
    let scratch = house.folder().to_owned();
    let wish = Wish { scratch, exchange: &exchange, number, tone: A_TONE, codec: Codec::Pcma };
    let mut phone = Pjsua::launch(&mut ports, &wish);
    let call = house.called_by(&mut phone);
    house.desk.hears(A_TONE);
    phone.hears(DESK_TONE);
    phone.hang_up();
    house.client.wait_gone(call, SOON);
}

#[test]
fn acc_5_telephones_call_the_desk_by_tls_and_a_renewed_certificate_counts_at_once() {
    let mut house = House::build_encrypted("optional");
    let [first, second] = ["first", "second"].map(|name| Authority::new(house.folder(), name));
    let identity = first.identity("127.0.0.1");
    let (sip, port) = (house.desk.sip, house.free_port());
    house.desk.start_again_on(&format!(
        "listen = \"127.0.0.1:{sip}\"\nlisten_tls = \"127.0.0.1:{port}\"\ncertificate = {:?}\nkey = {:?}",
        identity.certificate, identity.key
    ));
    house.client = house.desk.client();
    house.client.wait("Registered", SOON, is_registered);
    calls_by_tls(&mut house, port, &first, "2101");

    // The first half of a renewal, which fits nothing, changes nothing.
    let renewed = second.identity("127.0.0.1");
    let [certificate, key] = [&renewed.certificate, &renewed.key].map(|file| fs::read(file).unwrap());
    fs::write(&identity.certificate, certificate).unwrap();
    calls_by_tls(&mut house, port, &first, "2102");
    house.desk.program.wait_log("stays the one before", SOON);
    fs::write(&identity.key, key).unwrap();
    calls_by_tls(&mut house, port, &second, "2103");
    assert!(house.desk.program.log().contains("certificate for connections of peers read again"));
}

#[test]
fn acc_5_app_2_other_settings_of_tls_count_at_once_and_calls_go_on() {
    let mut house = House::build_speaking("tls", "optional");
    let (mut browser, address) = house.administered(NAME, SECRET);
    house.client.wait("Registered", SOON, is_registered);
    let authority = fs::read_to_string(house.authority()).unwrap();
    let stranger = fs::read_to_string(Authority::new(house.folder(), "stranger").certificate()).unwrap();

    let exchange = Exchange {
        address: house.exchange.tls_address(),
        transport: Transport::TlsSrtp,
        authority: Some(house.authority()),
        identity: None,
    };
    let mut ports = Ports::take();
    let scratch = house.folder().to_owned();
    let wish = Wish { scratch, exchange: &exchange, number: "2101", tone: A_TONE, codec: Codec::Pcma };
    let mut phone = Pjsua::start(&mut ports, &wish);
    let call = house.called_by(&mut phone);
    house.desk.hears(A_TONE);

    // Another authority: the connection that stands was made to an exchange that is not trusted any more.
    browser.open(&format!("{address}/lines/tls"));
    browser.fill("Certificates of authorities", &stranger);
    browser.press("Save");
    let reason = "certificate comes from an authority that is not trusted here (tls.ca)";
    house.client.wait(
        "the exchange not trusted",
        SOON,
        |view| matches!(&view.operator.registration, Registration::Failed { reason: said } if said == reason),
    );
    // Speech needs no connection.
    house.desk.hears(A_TONE);
    phone.hears(DESK_TONE);

    browser.open(&format!("{address}/lines/tls"));
    browser.fill("Certificates of authorities", &authority);
    browser.press("Save");
    house.client.wait("Registered again", SOON, is_registered);
    house.client.command(Command::HangUp { call }).unwrap();
    phone.is_over();
    house.client.wait_gone(call, SOON);
}
