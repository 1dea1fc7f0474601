//! An exchange reached by TLS, with speech encrypted everywhere: two hundred lamps, and a call that rings at a colleague's
//! is picked up by Replaces; and a telephone that insists on encryption is called by a desk that only may. kamailio is the
//! exchange, PJSUA2 the telephones, which know Replaces and SRTP.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;
use std::time::Duration;

use frontdesk_tests::authority::Authority;
use frontdesk_tests::house::House;
use frontdesk_tests::pjsua::Pjsua;
use frontdesk_tests::ports::Ports;
use frontdesk_tests::sound::{A_TONE, B_TONE, DESK_TONE};
use frontdesk_tests::telephone::{Codec, Exchange, Telephone, Transport, Wish};
use ipc::{CallState, Command, LampState, LampView, View};

const SOON: Duration = Duration::from_secs(10);
/// For two hundred subscriptions, which are paced.
const LONG: Duration = Duration::from_secs(40);
const FIRST: u32 = 3000;
const LAMPS: u32 = 200;

fn lamp<'a>(view: &'a View, number: &str) -> Option<&'a LampView> {
    view.lamps.iter().map(|lamp| &**lamp).find(|lamp| lamp.number == number)
}

fn is(view: &View, number: &str, state: LampState) -> bool {
    lamp(view, number).is_some_and(|lamp| lamp.state == state)
}

#[test]
fn acc_5_pre_1_pre_3_by_tls_two_hundred_lamps_are_lit_and_an_encrypted_call_is_picked_up_by_replaces() {
    let mut house = House::build_speaking("tls", "mandatory");
    let mut staff = "lastname,firstname,phone,presence\n".to_owned();
    for number in FIRST..FIRST + LAMPS {
        writeln!(staff, "Colleague,Number {number},{number},true").unwrap();
    }
    house.desk.import(&staff);
    house.client.wait("two hundred lamps free", LONG, |view| {
        (FIRST..FIRST + LAMPS).all(|number| is(view, &number.to_string(), LampState::Available))
    });

    let exchange = Exchange {
        address: house.exchange.tls_address(),
        transport: Transport::TlsSrtp,
        authority: Some(house.authority()),
        identity: Some(Authority::new(house.folder(), "telephones").identity("127.0.0.1")),
    };
    let (mut ports, mut more) = (Ports::take(), Ports::take());
    let scratch = house.folder().to_owned();
    let wish = |number, tone| Wish {
        scratch: scratch.clone(),
        exchange: &exchange,
        number,
        tone,
        codec: Codec::Pcma,
    };
    let mut a = Pjsua::start(&mut ports, &wish("3000", A_TONE));
    let mut b = Pjsua::start(&mut more, &wish("3199", B_TONE));

    a.dial("3199");
    b.rings();
    house.client.wait("what rings at the colleague's", SOON, |view| {
        lamp(view, "3199").is_some_and(|lamp| {
            lamp.state == LampState::Ringing
                && lamp.rings.as_ref().is_some_and(|party| party.number.as_deref() == Some("3000"))
        })
    });
    house.client.command(Command::Intercept { number: "3199".into() }).unwrap();
    let talking = house.client.wait("the call picked up", SOON, |view| {
        view.incoming.iter().chain(&view.outgoing).any(|call| call.state == CallState::Talking)
    });
    let call = talking
        .incoming
        .iter()
        .chain(&talking.outgoing)
        .find(|call| call.state == CallState::Talking)
        .unwrap()
        .call;
    house.desk.hears(A_TONE);
    a.hears(DESK_TONE);
    b.is_over();
    house.client.wait("the colleague's lamp free", SOON, |view| is(view, "3199", LampState::Available));
    house.desk.program.wait_log("encryption=\"AES_CM_128_HMAC_SHA1_80\"", SOON);
    house.client.command(Command::HangUp { call }).unwrap();
    house.client.wait_gone(call, SOON);

    // They talk: both lamps are busy, and free once they have hung up.
    a.dial("3199");
    b.rings();
    b.accept();
    b.talks();
    house.client.wait("both busy", SOON, |view| {
        is(view, "3000", LampState::Busy) && is(view, "3199", LampState::Busy)
    });
    b.hears(A_TONE);
    a.hang_up();
    house.client.wait("all two hundred free", SOON, |view| {
        (FIRST..FIRST + LAMPS).all(|number| is(view, &number.to_string(), LampState::Available))
    });
}

#[test]
fn acc_5_acc_6_a_desk_that_may_encrypt_calls_a_telephone_that_insists_on_it() {
    let mut house = House::build_speaking("tls", "optional");
    let exchange = Exchange {
        address: house.exchange.tls_address(),
        transport: Transport::TlsSrtp,
        authority: Some(house.authority()),
        identity: Some(Authority::new(house.folder(), "telephones").identity("127.0.0.1")),
    };
    let scratch = house.folder().to_owned();
    let wish = Wish { scratch, exchange: &exchange, number: "2101", tone: A_TONE, codec: Codec::Pcma };
    let mut ports = Ports::take();
    let mut phone = Pjsua::start(&mut ports, &wish);
    let call = house.calls(&mut phone, "2101");
    house.desk.hears(A_TONE);
    phone.hears(DESK_TONE);
    house.desk.program.wait_log("the offer was refused: another one of encryption, or none", SOON);
    house.desk.program.wait_log("encryption=\"AES_CM_128_HMAC_SHA1_80\"", SOON);
    house.client.command(Command::HangUp { call }).unwrap();
    phone.is_over();
    house.client.wait_gone(call, SOON);
}
