//! Operators sign in at the desk (ACC-1): made on the administrator's page, let in by touches, with their lines at the
//! exchange. What is wrong slows down and locks; what is somebody's own stays theirs, through a power cut as well.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::net::UdpSocket;
use std::time::Duration;

use frontdesk_tests::baresip::{Baresip, Codec};
use frontdesk_tests::chromium::Chromium;
use frontdesk_tests::desk::NO_TIMERS;
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::picture::Area;
use frontdesk_tests::screen::{RINGING, Screen};
use frontdesk_tests::sound::{A_TONE, C_TONE as SLOT_TONE, DESK_TONE};
use frontdesk_tests::wait;
use ipc::{
    CallState, Command, CommandError, EndStatus, HookAction, Language, Note, OperatorId, Pin, PinProblem,
    Query, Registration, Reply, Theme, View,
};

const SOON: Duration = Duration::from_secs(15);
const NAME: &str = "Marguerite";
const SECRET: &str = "four swans over the weir";
// Long ones: a log has many numbers.
const CLARA_PIN: &str = "4091728365";
const BASTIEN_PIN: &str = "8306194725";
/// The names on the screen that asks who is at the desk.
const NAMES: Area = Area { x: 200, y: 240, width: 540, height: 480 };
/// The whole screen.
const ALL: Area = Area { x: 0, y: 0, width: 1280, height: 800 };

fn add(browser: &mut Chromium, address: &str, name: &str, language: &str, pin: &str) {
    browser.open(&format!("{address}/operators"));
    browser.click("Add an operator");
    browser.evaluate(&format!("document.querySelector('#name').value = '{name}'; null"));
    browser.evaluate(&format!("document.querySelector('#language').value = '{language}'; null"));
    browser.fill("PIN", pin);
    browser.evaluate("document.querySelector('#save-operator').click()");
    let added = format!("The operator {name} was added");
    browser.wait_text(&added, SOON, |text| text.contains(&added));
}

fn id(house: &mut House, name: &str) -> OperatorId {
    let view =
        house.client.wait(name, SOON, |view| view.sign_in.operators.iter().any(|one| one.name == name));
    view.sign_in.operators.iter().find(|one| one.name == name).unwrap().id
}

fn try_pin(house: &mut House, operator: OperatorId, pin: &str) -> Result<(), CommandError> {
    house.client.command(Command::SignIn { operator, pin: Pin::new(pin) })
}

fn is_there(name: &'static str) -> impl Fn(&View) -> bool {
    move |view| view.sign_in.operator.as_ref().is_some_and(|one| one.name == name)
}

fn registered(house: &mut House) {
    house
        .client
        .wait("the line registered", SOON, |view| view.lines[0].registration == Registration::Registered);
}

fn unregistered(house: &mut House) {
    house.client.wait("the line unregistered", SOON, |view| view.lines[0].registration == Registration::Off);
}

fn note(house: &mut House) -> Note {
    match house.client.query(Query::Note) {
        Reply::Note(note) => *note,
        other => panic!("no note but {other:?}"),
    }
}

/// The log says that PINs were tried; neither it nor the recording of what was said to the desk says which.
fn no_pin_is_told(house: &House, words: &str) {
    let (log, recording) = (house.desk.program.log(), house.desk.recording());
    let recorded = fs::read_to_string(recording).unwrap();
    assert!(log.contains(words) && recorded.contains("SignedIn"));
    for pin in [CLARA_PIN, BASTIEN_PIN] {
        assert!(!log.contains(pin) && !recorded.contains(pin));
    }
}

/// What the exchange says to a call for the desk's number.
fn exchange_says(phone: &mut Baresip, words: &str) {
    phone.dial("5550100");
    let line = phone.expect("CALL_CLOSED", SOON);
    assert!(line["param"].as_str().unwrap().contains(words), "{line:?}");
}

fn power_cut(house: &mut House) {
    house.desk.program.kill();
    house.desk.start_again();
    house.client = house.desk.client();
}

/// Types a PIN by touching the keys of the screen, and has it looked at.
fn touch_pin(screen: &mut Screen, pin: &str) {
    // Three columns of keys on the right, four rows; the last has erase, 0 and the tick.
    let key = |column: usize, row: usize| (844 + column * 92, 328 + row * 72);
    for digit in pin.bytes().map(|digit| usize::from(digit - b'0')) {
        screen.tap(if digit == 0 { key(1, 3) } else { key((digit - 1) % 3, (digit - 1) / 3) });
    }
    screen.tap(key(2, 3));
}

#[test]
fn acc_1_an_operator_signs_in_by_touches_takes_a_call_is_not_let_go_with_it_and_unregisters() {
    let mut house = House::build(Digest::Md5);
    let (mut browser, address) = house.administered(NAME, SECRET);
    registered(&mut house);
    let mut phone = house.phone("2101", A_TONE, Codec::Pcma);

    // A desk without operators works as ever. The first one is added in the midst of a call, which is not lost by it.
    phone.dial("5550100");
    let call = house.answer_next(&mut phone);
    add(&mut browser, &address, "Clara Duval", "fr", CLARA_PIN);
    add(&mut browser, &address, "Bastien Caron", "en", BASTIEN_PIN);
    id(&mut house, "Bastien Caron");
    house.desk.hears(A_TONE);
    phone.hears(DESK_TONE);
    house.client.command(Command::HangUp { call }).unwrap();
    phone.expect("CALL_CLOSED", SOON);

    // Then it asks, and has nothing at the exchange while nobody is there.
    house
        .client
        .wait("nobody signed in", SOON, |view| view.sign_in.required && view.sign_in.operator.is_none());
    unregistered(&mut house);
    exchange_says(&mut phone, "404");
    let refused = house.client.command(Command::Dial { number: "2101".into(), line: None });
    assert_eq!(refused, Err(CommandError::SignedOut));
    let refused = house.client.command(Command::Register { on: true });
    assert_eq!(refused, Err(CommandError::SignedOut));
    assert!(matches!(house.client.query(Query::Note), Reply::Failed { .. }));

    // By touches, on the screen.
    let mut screen = house.screen();
    screen.says(ALL, &["Who", "Bastien", "Clara"]);
    screen.tap_word(NAMES, "Clara");
    touch_pin(&mut screen, CLARA_PIN);
    let view = house.client.wait("Clara", SOON, is_there("Clara Duval"));
    assert_eq!((view.operator.name.as_str(), view.preferences.language), ("Clara Duval", Language::French));
    registered(&mut house);
    phone.dial("5550100");
    screen.shows_card(RINGING, &["Tomas"]);
    let call = house.answer_next(&mut phone);
    house.desk.hears(A_TONE);

    // Nobody leaves a call alone, nor signs in over somebody's head.
    assert_eq!(house.client.command(Command::SignOut), Err(CommandError::CallsAreUp));
    let bastien = id(&mut house, "Bastien Caron");
    assert_eq!(try_pin(&mut house, bastien, BASTIEN_PIN), Err(CommandError::NotPossible));
    house.client.command(Command::HangUp { call }).unwrap();
    phone.expect("CALL_CLOSED", SOON);
    house.client.wait_gone(call, SOON);
    house.client.command(Command::SignOut).unwrap();
    unregistered(&mut house);
    exchange_says(&mut phone, "404");
    screen.says(ALL, &["Who", "Bastien", "Clara"]);

    // Whoever is removed while they talk is signed out when the call has ended.
    try_pin(&mut house, bastien, BASTIEN_PIN).unwrap();
    registered(&mut house);
    phone.dial("5550100");
    let call = house.answer_next(&mut phone);
    browser.open(&format!("{address}/operators/{}", bastien.0));
    browser.press("Remove Bastien Caron");
    browser.sees("Bastien Caron");
    house.client.wait("one operator", SOON, |view| view.sign_in.operators.len() == 1);
    house.desk.hears(A_TONE);
    house.wait_state(call, CallState::Talking);
    house.client.command(Command::HangUp { call }).unwrap();
    phone.expect("CALL_CLOSED", SOON);
    house.client.wait("nobody signed in", SOON, |view| view.sign_in.operator.is_none());
    unregistered(&mut house);

    // The last one goes: nobody signs in any more, and the desk is there for everybody.
    let clara = id(&mut house, "Clara Duval");
    browser.open(&format!("{address}/operators/{}", clara.0));
    browser.press("Remove Clara Duval");
    house
        .client
        .wait("no sign-in", SOON, |view| !view.sign_in.required && view.operator.name == "Front desk");
    registered(&mut house);
    phone.dial("5550100");
    let call = house.answer_next(&mut phone);
    house.client.command(Command::HangUp { call }).unwrap();
    phone.expect("CALL_CLOSED", SOON);
    no_pin_is_told(&house, "a PIN was right");
}

#[test]
fn acc_1_note_1_wrong_pins_slow_down_and_lock_and_a_power_cut_keeps_who_is_there_and_what_is_theirs() {
    let mut house = House::build(Digest::Md5);
    let (mut browser, address) = house.administered(NAME, SECRET);
    registered(&mut house);
    house.client.command(Command::SaveNote { text: "of the desk".into() }).unwrap();
    add(&mut browser, &address, "Clara Duval", "fr", CLARA_PIN);
    add(&mut browser, &address, "Bastien Caron", "en", BASTIEN_PIN);
    let (clara, bastien) = (id(&mut house, "Clara Duval"), id(&mut house, "Bastien Caron"));
    unregistered(&mut house);

    // By the command line, the PIN on its standard input or in its arguments.
    house.desk.ctl(&["sign-in", "clara duval", "--pin", CLARA_PIN]);
    house.client.wait("Clara", SOON, is_there("Clara Duval"));
    assert_eq!(note(&mut house), Note::default(), "a note of her own");
    house.client.command(Command::DraftNote { text: Some("of Clara".into()) }).unwrap();
    house.client.command(Command::SetTheme { theme: Theme::Light }).unwrap();
    registered(&mut house);

    // The power blinks: she is still there, and so is what is hers.
    power_cut(&mut house);
    let view = house.client.wait("Clara", SOON, is_there("Clara Duval"));
    assert!(!view.sign_in.locked);
    assert_eq!((view.preferences.theme, view.preferences.language), (Theme::Light, Language::French));
    assert_eq!(note(&mut house).draft.as_deref(), Some("of Clara"));
    registered(&mut house);
    let mut phone = house.phone("2101", A_TONE, Codec::Pcma);
    phone.dial("5550100");
    let call = house.answer_next(&mut phone);

    // Locked: nobody is named, the call can be held and taken back, and nothing else is to be had.
    house.desk.ctl(&["lock"]);
    let view = house.client.wait("the lock", SOON, |view| view.sign_in.locked);
    let shown = serde_json::to_string(&view.incoming).unwrap();
    assert!(!shown.contains("2101") && !shown.contains("Rivera"), "{shown}");
    house.client.command(Command::Hook { action: HookAction::Next }).unwrap();
    house.wait_state(call, CallState::Held);
    house.client.command(Command::Retrieve { call }).unwrap();
    house.wait_state(call, CallState::Talking);
    house.desk.hears(A_TONE);
    let refused = house.client.command(Command::Dial { number: "2102".into(), line: None });
    assert_eq!(refused, Err(CommandError::Locked));
    assert_eq!(house.client.command(Command::SignOut), Err(CommandError::Locked));
    let wrong = house.client.command(Command::Unlock { pin: Pin::new("2468") });
    assert_eq!(wrong, Err(CommandError::Pin(PinProblem::Wrong { left: 9, wait_ms: 0 })));
    house.client.command(Command::HangUp { call }).unwrap();
    phone.expect("CALL_CLOSED", SOON);

    // A plug that is pulled unlocks nothing.
    power_cut(&mut house);
    house.client.wait("the lock", SOON, |view| view.sign_in.locked);
    registered(&mut house);
    phone.dial("5550100");
    let rings = house.client.wait_call("a call", SOON, |call| call.state == CallState::Ringing);
    assert_eq!((rings.line_name.as_str(), rings.party.number), ("Sales", None));
    house.client.command(Command::Hook { action: HookAction::OffHook }).unwrap();
    phone.expect("CALL_ESTABLISHED", SOON);
    house.client.command(Command::Hook { action: HookAction::OnHook }).unwrap();
    phone.expect("CALL_CLOSED", SOON);
    house.client.command(Command::Unlock { pin: Pin::new(CLARA_PIN) }).unwrap();
    house.client.wait("unlocked", SOON, |view| !view.sign_in.locked && is_there("Clara Duval")(view));
    assert_eq!(note(&mut house).draft.as_deref(), Some("of Clara"));
    let named = house.client.whole_log();
    assert!(named[0].party.name.as_deref().is_some_and(|name| name.contains("Rivera")), "{:?}", named[0]);
    house.client.wait("a desk at rest", SOON, |view| view.incoming.is_empty());
    house.client.command(Command::SignOut).unwrap();
    unregistered(&mut house);

    // Bastien has a note and colours of his own, which he writes and loses the power over.
    guess_until_it_waits(&mut house, clara);
    try_pin(&mut house, bastien, BASTIEN_PIN).unwrap();
    let view = house.client.wait("Bastien", SOON, is_there("Bastien Caron"));
    assert_eq!((view.preferences.theme, view.preferences.language), (Theme::Dark, Language::English));
    house.client.command(Command::SaveNote { text: "of Bastien".into() }).unwrap();
    power_cut(&mut house);
    house.client.wait("Bastien", SOON, is_there("Bastien Caron"));
    assert_eq!(note(&mut house).saved, "of Bastien");
    house.client.command(Command::SignOut).unwrap();
    unregistered(&mut house);

    // Wrong PINs outlive a power cut, and the last one locks. Only the administrator helps.
    guess_until_it_locks(&mut house, clara);
    assert_eq!(try_pin(&mut house, clara, CLARA_PIN), Err(CommandError::Pin(PinProblem::Locked)));
    house.client.wait("Clara locked", SOON, |view| {
        view.sign_in.operators.iter().any(|one| one.id == clara && one.blocked)
    });
    // The page has forgotten the administrator with the power cuts.
    browser.open(&format!("{address}/operators/{}", clara.0));
    browser.fill("Name", NAME);
    browser.fill("Password", SECRET);
    browser.press("Sign in");
    browser.press("Unlock");
    browser.sees("Clara Duval");
    try_pin(&mut house, clara, CLARA_PIN).unwrap();
    let view = house.client.wait("Clara", SOON, is_there("Clara Duval"));
    assert_eq!(view.preferences.theme, Theme::Light);
    assert_eq!(note(&mut house).draft.as_deref(), Some("of Clara"));
    no_pin_is_told(&house, "a PIN was refused");
}

/// A wrong PIN, as soon as one is looked at.
fn guess(house: &mut House, clara: OperatorId) -> PinProblem {
    wait::until("a PIN to be looked at", Duration::from_secs(70), || match try_pin(house, clara, "2468") {
        Err(CommandError::Pin(PinProblem::Wait { .. })) => None,
        Err(CommandError::Pin(problem)) => Some(problem),
        other => panic!("{other:?}"),
    })
}

/// Wrong PINs: those that cost nothing, and those behind which each further one waits for twice as long. Then the right
/// one is not looked at, either.
fn guess_until_it_waits(house: &mut House, clara: OperatorId) {
    for (left, wait_ms) in [(9, 0), (8, 0), (7, 0), (6, 1_000), (5, 2_000), (4, 4_000), (3, 8_000)] {
        assert_eq!(guess(house, clara), PinProblem::Wrong { left, wait_ms });
    }
    let view = house.client.wait("the last try", SOON, |view| view.sign_in.last_try.is_some());
    assert_eq!(view.sign_in.last_try.unwrap().operator, clara);
    let waits = try_pin(house, clara, CLARA_PIN);
    assert!(matches!(waits, Err(CommandError::Pin(PinProblem::Wait { .. }))), "{waits:?}");
}

/// The rest of them, until none is looked at any more.
fn guess_until_it_locks(house: &mut House, clara: OperatorId) {
    for (left, wait_ms) in [(2, 16_000), (1, 32_000)] {
        assert_eq!(guess(house, clara), PinProblem::Wrong { left, wait_ms });
    }
    assert_eq!(guess(house, clara), PinProblem::Locked);
}

#[test]
fn acc_1_call_14_whoever_is_removed_stays_until_nobody_is_parked() {
    let slot = "[[park]]\nnumber = \"2701\"\nname = \"Slot 1\"\n";
    let mut house = House::build_with(Digest::Md5, &format!("{NO_TIMERS}{slot}"));
    let (mut browser, address) = house.administered(NAME, SECRET);
    registered(&mut house);
    add(&mut browser, &address, "Clara Duval", "fr", CLARA_PIN);
    add(&mut browser, &address, "Bastien Caron", "en", BASTIEN_PIN);
    let clara = id(&mut house, "Clara Duval");
    unregistered(&mut house);
    try_pin(&mut house, clara, CLARA_PIN).unwrap();
    registered(&mut house);

    // A caller waits in the slot, and the desk has no call of its own.
    let mut slot = house.phone("2701", SLOT_TONE, Codec::Pcma);
    let mut phone = house.phone("2101", A_TONE, Codec::Pcma);
    phone.dial("5550100");
    let call = house.answer_next(&mut phone);
    house.client.command(Command::Park { call, slot: None }).unwrap();
    slot.expect("CALL_INCOMING", SOON);
    slot.accept();
    phone.hears(SLOT_TONE);
    house
        .client
        .wait("only a parked caller", SOON, |view| view.park[0].parked.is_some() && view.incoming.is_empty());
    assert_eq!(house.client.command(Command::SignOut), Err(CommandError::CallsAreUp));

    // Clara is removed: she is still there to fetch whom she parked.
    browser.open(&format!("{address}/operators/{}", clara.0));
    browser.press("Remove Clara Duval");
    browser.sees("Bastien Caron");
    house.client.wait("one operator", SOON, |view| view.sign_in.operators.len() == 1);
    house.client.command(Command::Unpark { slot: "2701".into() }).unwrap();
    slot.expect("CALL_INCOMING", SOON);
    slot.accept();
    house.desk.hears(SLOT_TONE);
    let view = house.client.wait("the slot empty", SOON, |view| view.park[0].parked.is_none());
    assert!(is_there("Clara Duval")(&view) && view.lines[0].registration == Registration::Registered);

    // With the last call she has gone.
    house.client.command(Command::HangUp { call: view.outgoing[0].call }).unwrap();
    house.client.wait("nobody signed in", SOON, |view| view.sign_in.operator.is_none());
    unregistered(&mut house);
}

#[test]
fn acc_1_ovf_1_a_call_that_still_comes_is_answered_as_for_an_absent_agent_and_is_in_the_log() {
    let mut house = House::build(Digest::Md5);
    let (mut browser, address) = house.administered(NAME, SECRET);
    registered(&mut house);
    add(&mut browser, &address, "Clara Duval", "fr", CLARA_PIN);
    unregistered(&mut house);
    let answer = invite_past_the_exchange(&house.client.diagnostics().sip_address);
    assert!(answer.starts_with("SIP/2.0 480 "), "{answer}");
    house.desk.ctl(&["sign-in", "Clara Duval", "--pin", CLARA_PIN]);
    let row = wait::until("the call in the log", SOON, || house.client.whole_log().first().cloned());
    assert_eq!(row.end, EndStatus::Missed);
    let view = house.client.wait("Clara", SOON, is_there("Clara Duval"));
    assert_eq!(view.counters.missed, 1);
}

/// The final answer to a call from somebody who does not go by the exchange.
fn invite_past_the_exchange(desk: &str) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    let here = socket.local_addr().unwrap();
    let sdp = format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {} RTP/AVP 8\r\n",
        here.port()
    );
    let head = |method: &str, to_tag: &str| {
        format!(
            "{method} sip:5550100@{desk} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK-absent\r\n\
             Max-Forwards: 70\r\nFrom: <sip:2999@127.0.0.1>;tag=absent\r\nTo: <sip:5550100@{desk}>{to_tag}\r\n\
             Call-ID: absent@127.0.0.1\r\nCSeq: 1 {method}\r\nContact: <sip:2999@{here}>\r\n"
        )
    };
    let invite = head("INVITE", "");
    let length = sdp.len();
    let invite = format!("{invite}Content-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{sdp}");
    socket.send_to(invite.as_bytes(), desk).unwrap();
    loop {
        let mut bytes = [0; 4096];
        let (length, _) = socket.recv_from(&mut bytes).unwrap();
        let answer = String::from_utf8_lossy(&bytes[..length]).into_owned();
        if !answer.starts_with("SIP/2.0 1") {
            let tag =
                answer.lines().find(|line| line.starts_with("To:")).and_then(|to| to.split_once(";tag="));
            let tag = tag.map_or_else(String::new, |(_, tag)| format!(";tag={tag}"));
            let ack = format!("{}Content-Length: 0\r\n\r\n", head("ACK", &tag));
            socket.send_to(ack.as_bytes(), desk).unwrap();
            return answer;
        }
    }
}
