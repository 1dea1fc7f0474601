//! Speech in G.722, and encrypted (SRTP with keys in the SDP, RFC 4568), with a telephone of another maker: baresip, whose
//! SRTP is the C library's and whose G.722 is spandsp's.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::{Duration, Instant};

use frontdesk_tests::baresip::{Baresip, Codec};
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::{DOMAIN, Digest, Kamailio};
use frontdesk_tests::sound::{A_TONE, DESK_TONE};
use ipc::{CallState, Command};

const SOON: Duration = Duration::from_secs(10);

/// Has a phone register as `number` instead, with other wishes, and speak as that from now on.
#[track_caller]
fn become_another(phone: &mut Baresip, house: &House, number: &str, module: &str, wish: &str) {
    phone.command("insmod", module);
    let (password, exchange) = (Kamailio::password(number), house.exchange.address());
    phone.command(
        "uanew",
        &format!(
            "<sip:{number}@{DOMAIN}>;auth_user={number};auth_pass={password};outbound=\"sip:{exchange}\";\
             regint=600;answermode=manual;{wish}"
        ),
    );
    // The one before goes: baresip 1.1 would dial from it whichever was found last.
    phone.command("uadel", &format!("sip:{}@{DOMAIN}", phone.number));
    phone.command("uafind", &format!("sip:{number}@{DOMAIN}"));
    phone.number = number.to_owned();
    let end = Instant::now() + SOON;
    let is_it = |event: &serde_json::Value| {
        event["type"] == "REGISTER_OK" && event["accountaor"].as_str().is_some_and(|aor| aor.contains(number))
    };
    while !phone.next_event(SOON).is_some_and(|event| is_it(&event)) {
        assert!(Instant::now() < end, "{number} never registered");
    }
}

/// Both hear each other: in a call of the phone's, after hold, and in a call of the desk's. The operator sees whether
/// that is `encrypted`, on hold too.
#[track_caller]
fn both_ways(house: &mut House, phone: &mut Baresip, encrypted: bool) {
    let seen = house.held_once(phone, A_TONE);
    assert_eq!(seen.map(|call| call.encrypted), [encrypted; 3], "talking, held, talking");

    let call = house.call_to(phone);
    house.desk.hears(A_TONE);
    phone.hears(DESK_TONE);
    assert_eq!(house.wait_state(call, CallState::Talking).encrypted, encrypted);
    house.client.command(Command::HangUp { call }).unwrap();
    phone.expect("CALL_CLOSED", SOON);
    house.client.wait_gone(call, SOON);
}

#[test]
fn acc_6_speech_in_g722_both_ways() {
    let mut house = House::build(Digest::Md5);
    let mut phone = house.phone("2101", A_TONE, Codec::Pcma);
    become_another(&mut phone, &house, "2102", "g722.so", "audio_codecs=G722/16000/1");
    both_ways(&mut house, &mut phone, false);
    house.desk.program.wait_log("codec=\"G722\"", SOON);
}

#[test]
fn acc_6_a_desk_that_must_encrypt_speaks_with_those_who_do_and_with_nobody_else() {
    let mut house = House::build_encrypted("mandatory");
    let mut phone = house.phone("2101", A_TONE, Codec::Pcma);
    phone.dial("5550100");
    let closed = phone.expect("CALL_CLOSED", SOON);
    assert!(closed["param"].as_str().is_some_and(|why| why.contains("488")), "{closed}");
    become_another(&mut phone, &house, "2102", "srtp.so", "mediaenc=srtp-mand;audio_codecs=pcma");
    both_ways(&mut house, &mut phone, true);
    house.desk.program.wait_log("encryption=\"AES_CM_128_HMAC_SHA1_80\"", SOON);
    let log = house.desk.program.log();
    assert!(
        !log.contains("inline:") && !log.contains("forged: 1"),
        "keys, or packets that were not understood"
    );
}

#[test]
fn acc_6_a_desk_that_may_encrypt_speaks_with_everybody() {
    let mut house = House::build_encrypted("optional");
    let mut phone = house.phone("2101", A_TONE, Codec::Pcma);
    both_ways(&mut house, &mut phone, false);
    house.desk.program.wait_log("encryption=\"none\"", SOON);
    become_another(&mut phone, &house, "2102", "srtp.so", "mediaenc=srtp;audio_codecs=pcma");
    both_ways(&mut house, &mut phone, true);
    house.desk.program.wait_log("encryption=\"AES_CM_128_HMAC_SHA1_80\"", SOON);
}
