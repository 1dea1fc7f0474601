//! What an administrator sets up on the page is what the desk does, at once and while people talk: an account registers
//! and its line rings, a rule applies to the next call, and what is removed takes no call with it.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::time::Duration;

use frontdesk_tests::baresip::{Baresip, Codec};
use frontdesk_tests::chromium::{self, Chromium};
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::{DOMAIN, Digest, Kamailio};
use frontdesk_tests::looks::look_at;
use frontdesk_tests::office::{NAME, SECRET};
use frontdesk_tests::sound::{A_TONE, B_TONE, DESK_TONE};
use ipc::{CallRef, CallState, CallView, Command, EndStatus, Registration, View};

/// Real time of the telephones.
const SOON: Duration = Duration::from_secs(15);

/// A registered desk whose page has an administrator, in a browser.
fn house() -> (House, Chromium, String) {
    let mut house = House::build(Digest::Md5);
    let (browser, address) = house.administered(NAME, SECRET);
    house.client.wait("the line registered", SOON, is_registered("5550100"));
    (house, browser, address)
}

fn is_registered(line: &str) -> impl Fn(&View) -> bool {
    move |view| view.lines.iter().any(|l| l.number == line && l.registration == Registration::Registered)
}

/// The page of the lines, with what was said there.
fn saved(browser: &mut Chromium) {
    browser.sees("Saved. The desk works with it from now on");
}

fn add_reception(house: &mut House, browser: &mut Chromium) {
    browser.press("Lines");
    browser.press("Add an account");
    browser.fill("User", "2300");
    browser.fill("Domain", DOMAIN);
    browser.fill("Password", &Kamailio::password("2300"));
    browser.fill("Registrar", &house.exchange.address());
    browser.press("Save");
    saved(browser);
    browser.press("Add a line");
    browser.fill("Number called", "2300");
    browser.fill("Company or service", "Reception");
    browser.choose("Account", "2300");
    browser.press("Save");
    saved(browser);
    house.client.wait("the new line registered", SOON, is_registered("2300"));
}

/// The call of this phone that rings at the desk.
fn rings(house: &mut House, phone: &Baresip) -> CallView {
    let number = Some(phone.number.clone());
    house.client.wait_call("a ringing call", SOON, |call| {
        call.state == CallState::Ringing && call.party.number == number
    })
}

fn answer(house: &mut House, call: CallRef, phone: &mut Baresip) {
    house.client.command(Command::Answer { call }).unwrap();
    phone.expect("CALL_ESTABLISHED", SOON);
    house.wait_state(call, CallState::Talking);
}

#[test]
fn app_2_ten_1_an_account_added_on_the_page_registers_rings_and_is_removed_while_people_talk() {
    let (mut house, mut browser, address) = house();
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);

    // Somebody talks through the account that was there before.
    a.dial("5550100");
    let first = house.answer_next(&mut a);
    add_reception(&mut house, &mut browser);
    browser.open(&format!("{address}/lines"));
    browser.sees("registered: calls come in");
    house.desk.hears(A_TONE);
    a.hears(DESK_TONE);

    // The new line rings, by its own name.
    b.dial("2300");
    let second = rings(&mut house, &b);
    assert_eq!((second.line_number.as_str(), second.line_name.as_str()), ("2300", "Reception"));

    // It is removed with its account while somebody rings on it: they ring on, and can be answered.
    browser.open(&format!("{address}/lines/line?number=2300"));
    browser.press("Remove Reception");
    saved(&mut browser);
    browser.open(&format!("{address}/lines/account?id=2300"));
    browser.press("Remove 2300");
    saved(&mut browser);
    let view = house.client.wait("the line gone", SOON, |view| view.lines.iter().all(|l| l.number != "2300"));
    assert_eq!(view.incoming.len(), 2, "{:?}", view.incoming);
    answer(&mut house, second.call, &mut b);
    b.hears(DESK_TONE);
    house.desk.hears(B_TONE);
    house.client.command(Command::HangUp { call: second.call }).unwrap();
    b.expect("CALL_CLOSED", SOON);

    // The exchange no longer knows the number; the first call is as it was.
    b.dial("2300");
    b.expect("CALL_CLOSED", SOON);
    house.wait_state(first, CallState::Held);
    house.client.command(Command::Retrieve { call: first }).unwrap();
    house.wait_state(first, CallState::Talking);
    house.desk.hears(A_TONE);
    house.client.command(Command::HangUp { call: first }).unwrap();
    a.expect("CALL_CLOSED", SOON);
}

#[test]
fn app_2_a_changed_password_registers_anew_and_calls_of_the_account_go_on() {
    let (mut house, mut browser, address) = house();
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    a.dial("5550100");
    let call = house.answer_next(&mut a);
    let account = format!("{address}/lines/account?id=desk");
    browser.open(&account);
    browser.fill("Password", "wrong");
    browser.press("Save");
    let failed = |view: &View| matches!(view.lines[0].registration, Registration::Failed { .. });
    house.client.wait("the registration refused", SOON, failed);
    browser.open(&format!("{address}/lines"));
    browser.sees("compare both with what it has");
    house.desk.hears(A_TONE);
    browser.open(&account);
    browser.fill("Password", &Kamailio::password("desk"));
    browser.press("Save");
    house.client.wait("registered again", SOON, is_registered("5550100"));
    house.desk.hears(A_TONE);
    a.hears(DESK_TONE);
    a.hang_up();
    house.client.wait_gone(call, SOON);
    a.dial("5550100");
    house.answer_next(&mut a);
}

#[test]
fn app_2_ovf_1_a_rule_set_on_the_page_applies_to_the_next_call() {
    let (mut house, mut browser, address) = house();
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    a.dial("5550100");
    let call = rings(&mut house, &a).call;
    a.hang_up();
    house.client.wait_gone(call, SOON);

    browser.open(&format!("{address}/handling/rule"));
    browser.fill("Name", "Nobody answers");
    browser.fill("After seconds", "1");
    browser.fill("Number", "2102");
    browser.press("Save");
    saved(&mut browser);
    browser.sees("not answered for 1 s");
    a.dial("5550100");
    b.expect("CALL_INCOMING", SOON);
    b.accept();
    a.hears(B_TONE);
    b.hang_up();
    let row = house.client.log(10).rows[0].clone();
    assert_eq!(
        (row.end, row.rules.as_slice()),
        (EndStatus::Forwarded, ["Nobody answers".to_owned()].as_slice())
    );

    browser.press("Nobody answers");
    browser.press("Remove Nobody answers");
    saved(&mut browser);
    a.expect("CALL_CLOSED", SOON);
    a.dial("5550100");
    house.answer_next(&mut a);
}

/// A rule, opening hours, park slots and an operator.
fn set_something_up(browser: &mut Chromium, address: &str) {
    browser.open(&format!("{address}/handling/rule"));
    browser.fill("Name", "Night service");
    browser.fill("Number", "2199");
    browser.press("Save");
    saved(browser);
    // A script, because what a field for a time takes is typed in pieces.
    browser.evaluate(
        "document.querySelector('#from-0').value = '08:30'; document.querySelector('#until-0').value = '18:00'; null",
    );
    browser.tick("Monday");
    browser.tick("Tuesday");
    browser.fill("Holidays", "12-25\n2027-01-01");
    browser.evaluate("document.querySelector('#save-hours').click()");
    browser.wait_text("the hours saved", SOON, |text| text.contains("Hours 1"));
    browser.fill("Slots of the exchange", "701 Great hall\n702");
    browser.evaluate("document.querySelector('#save-park').click()");
    browser.wait_text("the slots saved", SOON, |text| text.contains("Saved."));
    browser.open(&format!("{address}/operators"));
    browser.click("Add an operator");
    browser.evaluate("document.querySelector('#name').value = 'Grace Hopper'; null");
    browser.fill("PIN", "8306");
    browser.evaluate("document.querySelector('#save-operator').click()");
    browser.wait_text("the operator", SOON, |text| text.contains("was added"));
}

#[test]
fn app_2_acc_4_what_the_desk_is_set_up_with_is_readable_in_both_languages_wide_and_on_a_telephone() {
    let checker = fs::read_to_string(chromium::axe()).unwrap();
    let (mut house, mut browser, address) = house();
    add_reception(&mut house, &mut browser);
    set_something_up(&mut browser, &address);
    let pages = [
        ("lines", "/lines"),
        ("sip-account", "/lines/account?id=desk"),
        ("sip-account-new", "/lines/account"),
        ("sip-tls", "/lines/tls"),
        ("line", "/lines/line?number=5550100"),
        ("clock", "/clock"),
        ("handling", "/handling"),
        ("rule", "/handling/rule?at=0"),
        ("numbers", "/numbers"),
        ("operators", "/operators"),
        ("operator", "/operators/1"),
        ("sound", "/sound"),
    ];
    let mut wrong = Vec::new();
    for language in ["fr", "en"] {
        for (name, path) in pages {
            browser.open(&format!("{address}/language/{language}?to={path}"));
            wrong.extend(look_at(&mut browser, &format!("{language}-{name}"), &checker));
        }
    }
    browser.open(&format!("{address}/lines/account"));
    browser.fill("User", "2300");
    browser.fill("Domain", "no domain");
    browser.press("Save");
    browser.sees("Give a host");
    wrong.extend(look_at(&mut browser, "en-sip-account-wrong", &checker));
    assert!(wrong.is_empty(), "{} things are wrong:\n{}", wrong.len(), wrong.join("\n"));
}
