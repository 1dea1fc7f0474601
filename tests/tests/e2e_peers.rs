//! The peers alone, without anything of ours: that kamailio and baresip call, speak, hold and
//! transfer among themselves, so that a failure in the other tests is the appliance's. Then one cell of the
//! table of `make peers` with each of the three makers.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use frontdesk_tests::baresip::{Baresip, Codec};
use frontdesk_tests::kamailio::{Digest, Kamailio};
use frontdesk_tests::peers::{Cell, Maker, Scene};
use frontdesk_tests::ports::Ports;
use frontdesk_tests::sound::{A_TONE, B_TONE, DESK_TONE};
use frontdesk_tests::telephone::Transport;

const SOON: Duration = Duration::from_secs(10);

fn call_with(codec: Codec) {
    let scratch = tempfile::tempdir().unwrap();
    let mut ports = Ports::take();
    let exchange = Kamailio::start(scratch.path(), ports.one(), Digest::Md5);
    let mut a = Baresip::start(scratch.path(), &mut ports, &exchange, "2101", A_TONE, codec);
    let mut b = Baresip::start(scratch.path(), &mut ports, &exchange, "2102", B_TONE, codec);
    a.dial("2102");
    b.expect("CALL_INCOMING", SOON);
    b.accept();
    a.expect("CALL_ESTABLISHED", SOON);
    b.expect("CALL_ESTABLISHED", SOON);
    a.hears(B_TONE);
    b.hears(A_TONE);
    let name = if codec == Codec::Opus { "opus" } else { "PCMA" };
    a.program.wait_log(&format!("Set audio decoder: {name}"), SOON);
    a.hang_up();
    b.expect("CALL_CLOSED", SOON);
}

#[test]
fn two_phones_hear_each_other_in_a_law() {
    call_with(Codec::Pcma);
}

#[test]
fn two_phones_hear_each_other_in_opus() {
    call_with(Codec::Opus);
}

#[test]
fn a_phone_transfers_its_caller_to_another() {
    let scratch = tempfile::tempdir().unwrap();
    let mut ports = Ports::take();
    let exchange = Kamailio::start(scratch.path(), ports.one(), Digest::Md5);
    let mut phone =
        |number, tone| Baresip::start(scratch.path(), &mut ports, &exchange, number, tone, Codec::Pcma);
    let (mut a, mut b, mut desk) = (phone("2101", A_TONE), phone("2102", B_TONE), phone("desk", DESK_TONE));
    a.dial("5550100");
    desk.expect("CALL_INCOMING", SOON);
    desk.accept();
    a.expect("CALL_ESTABLISHED", SOON);
    a.hears(DESK_TONE);
    desk.transfer("2102");
    b.expect("CALL_INCOMING", SOON);
    b.accept();
    b.expect("CALL_ESTABLISHED", SOON);
    a.hears(B_TONE);
    b.hears(A_TONE);
}

/// One cell of `make peers` with a telephone of this maker; the whole table takes minutes.
fn cell(maker: Maker, cell: Cell) {
    cell.run(&mut Scene::build(Transport::Udp), maker);
}

#[test]
fn acc_5_call_7_baresip_puts_the_desk_on_hold_and_takes_it_back() {
    cell(Maker::Baresip, Cell::HeldByPeer);
}

#[test]
fn acc_5_call_9_linphone_is_transferred_after_a_consultation() {
    cell(Maker::Linphone, Cell::Attended);
}

#[test]
fn acc_5_call_9_pjsua2_is_transferred_after_a_consultation() {
    cell(Maker::Pjsua2, Cell::Attended);
}
