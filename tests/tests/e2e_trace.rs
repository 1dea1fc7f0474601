//! What support gets: the SIP messages of a call as a file that tshark reads, without secrets, and its figures.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::process::Command as Process;
use std::time::Duration;

use frontdesk_tests::baresip::Codec;
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::sound::A_TONE;
use frontdesk_tests::wait;
use ipc::Command;
use serde_json::Value;

const SOON: Duration = Duration::from_secs(10);

/// The methods or status codes of the SIP messages that tshark finds in a file, in their order.
#[track_caller]
fn sip(file: &Path) -> Vec<String> {
    let fields =
        ["-Y", "sip", "-T", "fields", "-E", "separator=/s", "-e", "sip.Method", "-e", "sip.Status-Code"];
    let output =
        Process::new("tshark").arg("-r").arg(file).args(fields).output().expect("tshark is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| line.trim().to_owned()).collect()
}

#[test]
fn app_2_the_trace_of_a_call_is_read_by_tshark_and_has_no_secret() {
    let mut house = House::build(Digest::Md5);
    let mut phone = house.phone("2101", A_TONE, Codec::Pcma);
    phone.dial("5550100");
    let call = house.answer_next(&mut phone);
    // For a second, so that there is something to rate.
    house.desk.hears(A_TONE);
    house.desk.hears(A_TONE);
    house.client.command(Command::HangUp { call }).unwrap();
    phone.expect("CALL_CLOSED", SOON);
    house.client.wait("the call gone", SOON, |view| view.incoming.is_empty());

    // Its sound is counted a moment after its end.
    let number = call.0.to_string();
    let figures: Value = wait::until("the figures of the call", SOON, || {
        let told = house.desk.ctl(&["trace", &number, "--summary"]);
        told.into_iter().find(|figures| !figures["sound"].is_null())
    });
    let count = |name: &str| figures[name].as_u64().unwrap();
    assert!(count("messages_in") >= 3 && count("messages_out") >= 3, "{figures}");
    assert!(figures["sound"]["received"].as_u64().unwrap() > 10, "{figures}");
    assert!(figures["sound"]["sent"].as_u64().unwrap() > 10, "{figures}");
    // Over loopback next to nothing is lost: no listener would complain.
    let score = figures["sound"]["mos_hundredths"].as_u64().unwrap();
    assert!((360..=450).contains(&score), "{figures}");

    // And the audio thread woke all the while.
    assert!(figures["sound"]["wake_up_worst_us"].as_u64().unwrap() > 0, "{figures}");
    // The call log has the rating too.
    let row = wait::until("the sound in the log", SOON, || {
        house.client.whole_log().into_iter().next().filter(|row| row.sound.is_some())
    });
    let sound = row.sound.unwrap();
    assert_eq!(sound.mos_hundredths.map(u64::from), Some(score), "{row:?}");
    assert!(sound.received > 10 && row.answered_after_ms.is_some(), "{row:?}");

    let file = house.folder().join("call.pcapng");
    let path = file.display().to_string();
    house.desk.ctl(&["trace", &number, "--out", &path]);
    let messages = sip(&file);
    let expected = ["INVITE", "100", "180", "200", "ACK", "BYE", "200"];
    let mut rest = messages.iter();
    assert!(expected.iter().all(|wanted| rest.any(|message| message == wanted)), "{messages:?}");
    assert!(!messages.contains(&"REGISTER".to_owned()), "only this call: {messages:?}");
    let again = house.desk.try_ctl(&["trace", "--out", &path]);
    assert!(!again.status.success(), "a file that is there stays");

    let all = house.folder().join("all.pcapng");
    house.desk.ctl(&["trace", "--out", &all.display().to_string()]);
    let registers = sip(&all).iter().filter(|message| *message == "REGISTER").count();
    assert!(registers >= 2, "a challenge and its answer");
    let bytes = std::fs::read(&all).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let answer = text.split("Authorization: Digest ").nth(1).expect("the answer to the challenge");
    let response = answer.split("response=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    assert!(response.len() == 32 && response.bytes().all(|byte| byte == b'0'), "{answer}");
    let challenge = text.split("WWW-Authenticate: Digest ").nth(1).expect("the challenge");
    let nonce = challenge.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    assert!(!nonce.is_empty() && nonce.bytes().all(|byte| byte == b'0'), "{challenge}");
}
