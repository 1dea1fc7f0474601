//! The main job with real peers: kamailio as registrar and baresip as telephones, nothing of ours but
//! the appliance. Touches and keys go to the screen, speech is found by frequency in the recordings.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use frontdesk_tests::baresip::Codec;
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::picture::Area;
use frontdesk_tests::screen::{self, CALLS, DIRECTORY, RINGING, TALKING};
use frontdesk_tests::sound::{A_TONE, B_TONE, DESK_TONE};
use ipc::{
    CallState, EndStatus, LampState, LogMark, LogRow, RecallWhy, Registration, TransferEnd, TransferState,
    TransferView, View,
};

const SOON: Duration = Duration::from_secs(10);

fn lamp(view: &View, number: &str) -> Option<LampState> {
    view.lamps.iter().find(|lamp| lamp.number == number).map(|lamp| lamp.state)
}

#[test]
fn call_1_call_9_call_13_log_1_app_4_a_call_is_answered_dragged_to_a_colleague_and_logged() {
    let mut house = House::build(Digest::Md5);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    let mut screen = house.screen();

    a.dial("5550100");
    let card = screen.wait("a ringing card", SOON, |picture| screen::card(picture, RINGING));
    let words = screen.picture().text(card);
    assert!(words.contains("Tomas") && words.contains("Sales"), "the card says {words:?}");
    screen.keep("1-rings");

    let button = screen.wait("the Answer button", SOON, screen::answer_button);
    screen.tap(button.centre());
    a.expect("CALL_ESTABLISHED", SOON);
    house.desk.hears(A_TONE);
    a.hears(DESK_TONE);

    let card = screen.wait("a talking card", SOON, |picture| screen::card(picture, TALKING));
    let tile = screen.wait("Ingrid's tile", SOON, |picture| screen::word(picture, DIRECTORY, "Ingrid"));
    screen.drag((card.x + 120, card.y + 20), tile.centre(), |screen| {
        // Above the finger, so that it hides nothing of the tile below.
        let (x, y) = tile.centre();
        let above = Area { x: x + 24, y: y - 110, width: 304, height: 62 };
        screen.wait("where the call would go", SOON, |picture| {
            picture.text(above).to_lowercase().contains("transfer").then_some(())
        });
        screen.keep("2-dragged");
    });
    b.expect("CALL_INCOMING", SOON);
    // baresip 1.0 reports the end of a transfer only; that B rings is seen by B's lamp.
    house.client.wait("the target ringing", SOON, |view| {
        let open = |state: &TransferState| !matches!(state, TransferState::Ended { .. });
        let under_way =
            |entry: &TransferView| entry.to.number.as_deref() == Some("2102") && open(&entry.state);
        view.transfers.iter().any(under_way) && lamp(view, "2102") == Some(LampState::Ringing)
    });
    screen.keep("3-target-rings");
    b.accept();
    b.expect("CALL_ESTABLISHED", SOON);
    a.hears(B_TONE);
    b.hears(A_TONE);

    screen.wait("who answered", SOON, |picture| {
        let words = picture.text(CALLS).to_lowercase();
        (words.contains("answered") && words.contains("tomas") && words.contains("ingrid")).then_some(())
    });
    screen.keep("4-answered");
    let view = house.client.wait("who answered", SOON, |view| {
        view.transfers.iter().any(|entry| {
            entry.to.name.as_deref() == Some("Ingrid Solberg")
                && matches!(entry.state, TransferState::Ended { end: TransferEnd::Answered, .. })
        })
    });
    assert!(view.incoming.is_empty(), "the call is still here: {view:?}");
    let page = frontdesk_tests::wait::until("the log row", SOON, || {
        Some(house.client.log(10)).filter(|page| !page.rows.is_empty())
    });
    assert_eq!(page.rows[0].end, EndStatus::Transferred);

    house.desk.program.kill();
    let row = house.desk.database(
        "SELECT call.number, call.line_number, call.outcome, transfer.number, transfer.outcome \
         FROM call JOIN transfer ON transfer.call = call.id",
    );
    assert_eq!(row.trim().to_lowercase(), "2101|5550100|transferred|2102|answered");
    // The transferred call is none of ours any more: it goes on.
    a.hears(B_TONE);
    house.desk.start_again();
    let again = house.desk.client().log(10);
    // Its last minute was in memory only, for a mark.
    let kept: Vec<LogRow> = page.rows.into_iter().map(|row| LogRow { mark: LogMark::None, ..row }).collect();
    assert_eq!(again.rows, kept);
}

#[test]
fn call_13_a_transfer_to_a_phone_that_refuses_comes_back_and_says_why() {
    let mut house = House::build(Digest::Md5);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    a.dial("5550100");
    let call = house.answer_next(&mut a);
    a.hears(DESK_TONE);
    house.client.command(ipc::Command::BlindTransfer { call, to: "2102".into() }).unwrap();
    b.expect("CALL_INCOMING", SOON);
    b.hang_up();
    let back = house.client.wait_call("the recall", SOON, |call| call.state == CallState::Recalling);
    let recall = back.recall.unwrap();
    assert_eq!((back.call, recall.from.number.as_deref()), (call, Some("2102")));
    assert!(
        matches!(recall.why, RecallWhy::Transfer(TransferEnd::Refused { code: 480..=699 })),
        "{recall:?}"
    );
    let view = house.client.wait("the end in the ledger", SOON, |view| {
        view.transfers.iter().all(|entry| matches!(entry.state, TransferState::Ended { .. }))
    });
    assert_eq!(view.incoming[0].call, call);
    house.client.command(ipc::Command::Answer { call }).unwrap();
    house.client.wait_call("the call talking again", SOON, |now| now.state == CallState::Talking);
    house.desk.hears(A_TONE);
}

#[test]
fn call_7_answering_a_second_call_holds_the_first_and_retrieve_brings_it_back() {
    let mut house = House::build(Digest::Md5);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut b = house.phone("2102", B_TONE, Codec::Pcmu);
    a.dial("5550100");
    let first = house.answer_next(&mut a);
    house.desk.hears(A_TONE);
    b.dial("5550101");
    house.answer_next(&mut b);
    house
        .client
        .wait_call("the first on hold", SOON, |call| call.call == first && call.state == CallState::Held);
    house.desk.hears(B_TONE);
    b.hears(DESK_TONE);
    house.client.command(ipc::Command::Retrieve { call: first }).unwrap();
    house
        .client
        .wait_call("the first talking", SOON, |call| call.call == first && call.state == CallState::Talking);
    house.desk.hears(A_TONE);
}

#[test]
fn call_10_a_number_typed_after_f4_is_dialled_by_enter() {
    let mut house = House::build(Digest::Md5);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    let mut screen = house.screen();
    screen.wait("the directory", SOON, |picture| screen::word(picture, DIRECTORY, "Ingrid"));
    screen.key("F4");
    for digit in ["2", "1", "0", "2"] {
        screen.key(digit);
    }
    screen.key("Enter");
    b.expect("CALL_INCOMING", SOON);
    b.accept();
    screen.wait("a talking card", SOON, |picture| screen::card(picture, TALKING));
    house.desk.hears(B_TONE);
    b.hears(DESK_TONE);
}

#[test]
fn call_12_f9_answers_and_f10_hangs_up() {
    let mut house = House::build(Digest::Md5);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut screen = house.screen();
    a.dial("5550100");
    screen.wait("a ringing card", SOON, |picture| screen::card(picture, RINGING));
    screen.key("F9");
    a.expect("CALL_ESTABLISHED", SOON);
    screen.wait("a talking card", SOON, |picture| screen::card(picture, TALKING));
    screen.key("F10");
    a.expect("CALL_CLOSED", SOON);
}

#[test]
fn acc_6_speech_in_opus_and_in_g711_u_law() {
    let mut house = House::build(Digest::Md5);
    for (number, tone, codec) in [("2101", A_TONE, Codec::Opus), ("2102", B_TONE, Codec::Pcmu)] {
        let mut phone = house.phone(number, tone, codec);
        phone.dial("5550100");
        let call = house.answer_next(&mut phone);
        house.desk.hears(tone);
        phone.hears(DESK_TONE);
        house.client.command(ipc::Command::HangUp { call }).unwrap();
        phone.expect("CALL_CLOSED", SOON);
        house.client.wait_gone(call, SOON);
    }
}

#[test]
fn acc_5_ops_2_the_desk_registers_with_sha_256_and_unregisters_when_told() {
    let mut house = House::build(Digest::Sha256);
    house.client.command(ipc::Command::Register { on: false }).unwrap();
    house.client.wait("Off", SOON, |view| view.operator.registration == Registration::Off);
    house.client.command(ipc::Command::Register { on: true }).unwrap();
    house.client.wait("Registered", SOON, |view| view.operator.registration == Registration::Registered);
}

#[test]
fn acc_2_a_clean_shutdown_ends_the_call_and_unregisters() {
    let mut house = House::build(Digest::Md5);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    a.dial("5550100");
    house.answer_next(&mut a);
    assert!(house.desk.program.terminate(SOON).success());
    a.expect("CALL_CLOSED", SOON);
    a.dial("5550100");
    let closed = a.expect("CALL_CLOSED", SOON);
    assert!(closed["param"].as_str().unwrap().contains("404"), "still registered: {closed}");
}

#[test]
fn pre_1_a_lamp_follows_the_colleagues_phone() {
    let mut house = House::build(Digest::Md5);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    a.dial("2102");
    b.expect("CALL_INCOMING", SOON);
    house.client.wait("Ingrid's lamp ringing", SOON, |view| lamp(view, "2102") == Some(LampState::Ringing));
    b.accept();
    house.client.wait("Ingrid's lamp busy", SOON, |view| lamp(view, "2102") == Some(LampState::Busy));
    b.hang_up();
    house.client.wait("Ingrid's lamp free", SOON, |view| lamp(view, "2102") == Some(LampState::Available));
}

#[test]
fn log_1_bar_1_a_caller_who_gives_up_is_a_missed_call() {
    let mut house = House::build(Digest::Md5);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    a.dial("5550101");
    house.client.wait_call("Tomas ringing for Support", SOON, |call| {
        call.state == CallState::Ringing
            && call.line_name == "Support"
            && call.party.name.as_deref() == Some("Tomas Rivera")
    });
    a.hang_up();
    house.client.wait("a missed call", SOON, |view| view.counters.missed == 1);
    let rows = house.client.log(10).rows;
    assert_eq!((rows.len(), rows[0].end), (1, EndStatus::Missed));
    house.client.command(ipc::Command::ClearMissed).unwrap();
    house.client.wait("no missed call", SOON, |view| view.counters.missed == 0);
}

#[test]
fn ovf_4_do_not_disturb_refuses_new_calls_and_keeps_the_one_in_progress() {
    let mut house = House::build(Digest::Md5);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    a.dial("5550100");
    house.answer_next(&mut a);
    house.desk.ctl(&["dnd", "on"]);
    b.dial("5550100");
    let refused = b.expect("CALL_CLOSED", SOON);
    assert!(refused["param"].as_str().unwrap().contains("486"), "refused otherwise: {refused}");
    house.desk.hears(A_TONE);
    a.hears(DESK_TONE);
}
