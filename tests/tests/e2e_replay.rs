//! A recording of a day with real telephones leads a fresh desk to the same state, and one for a bug report
//! gives nobody away.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;
use std::process::Command as Process;
use std::time::Duration;

use frontdesk_tests::baresip::Codec;
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::repository;
use frontdesk_tests::sound::{A_TONE, B_TONE};
use ipc::{CallState, Command, View};

const SOON: Duration = Duration::from_secs(10);

/// Runs `frontdeskd` with a recording and gives back what it prints.
#[track_caller]
fn frontdeskd(command: &str, recording: &Path) -> String {
    let mut frontdeskd = Process::new(repository::program("frontdeskd"));
    let output = frontdeskd.arg(command).arg(recording).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn call_13_a_recording_replays_to_the_same_desk_and_a_masked_one_names_nobody() {
    let mut house = House::build(Digest::Md5);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    a.dial("5550100");
    let call = house.answer_next(&mut a);
    house.client.command(Command::BlindTransfer { call, to: "2102".into() }).unwrap();
    b.expect("CALL_INCOMING", SOON);
    b.hang_up();
    house.wait_state(call, CallState::Recalling);
    house.client.command(Command::Answer { call }).unwrap();
    house.wait_state(call, CallState::Talking);
    b.dial("5550101");
    house.client.wait_call("a second call", SOON, |other| other.state == CallState::Ringing);
    let seen = house.client.wait("names on both cards", SOON, |view| {
        view.incoming.len() == 2 && view.incoming.iter().all(|call| call.party.name.is_some())
    });
    // What was said until now is on the disk: the desk is not asked to end, it dies.
    frontdesk_tests::wait::until("the recording on the disk", SOON, || {
        let replayed: View = serde_json::from_str(&frontdeskd("replay", &house.desk.recording())).ok()?;
        (replayed.incoming == seen.incoming).then_some(())
    });
    house.desk.program.kill();

    let recording = house.desk.recording();
    let replayed: View = serde_json::from_str(&frontdeskd("replay", &recording)).unwrap();
    assert_eq!((&replayed.incoming, replayed.talk), (&seen.incoming, seen.talk));
    assert_eq!(replayed.transfers, seen.transfers);

    let masked = frontdeskd("mask", &recording);
    let plain = fs::read_to_string(&recording).unwrap();
    // Numbers with the quotation mark before them: times have digits too.
    for secret in ["Tomas", "Rivera", "Ingrid", "Sales", "\"2101", "\"2102", "\"5550100"] {
        assert!(plain.contains(secret), "{secret} was never there");
        assert!(!masked.contains(secret), "{secret} is still there");
    }
    let path = house.folder().join("masked.rec");
    fs::write(&path, masked).unwrap();
    let replayed: View = serde_json::from_str(&frontdeskd("replay", &path)).unwrap();
    let states = |view: &View| view.incoming.iter().map(|call| call.state).collect::<Vec<_>>();
    assert_eq!((states(&replayed), replayed.talk), (states(&seen), seen.talk));
}
