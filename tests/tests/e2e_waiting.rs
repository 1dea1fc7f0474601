//! What callers hear who wait, uploaded on the administrator's page while the desk works: a caller on hold hears it by its
//! frequency, and what is no sound changes nothing of what is heard.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use frontdesk_tests::baresip::Codec;
use frontdesk_tests::chromium::{self, Chromium};
use frontdesk_tests::desk::NO_TIMERS;
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::looks::look_at;
use frontdesk_tests::office::{NAME, SECRET};
use frontdesk_tests::pjsua::Pjsua;
use frontdesk_tests::sound::{A_TONE, B_TONE, C_TONE, DESK_TONE, MUSIC_TONE, Recording};
use frontdesk_tests::telephone::Telephone;
use ipc::{CallRef, CallState, CallView, Command, LineView, Registration};

/// Real time of the telephones.
const SOON: Duration = Duration::from_secs(15);
/// What only the line of the sales hears, in Hz.
const SALES_TONE: f64 = 3110.0;
/// Calls to the support are answered and held by themselves.
const RULE: &str = "[[handling]]\nname = \"Please wait\"\nline = \"5550101\"\n\
                    when = { unanswered = { seconds = 1 } }\nthen = \"answer_and_hold\"\n";

fn choose(browser: &mut Chromium, file: &Path, heard: &str) {
    browser.choose("Heard as", heard);
    browser.choose_file("Sound file", file);
}

fn upload(browser: &mut Chromium, file: &Path, heard: &str) {
    choose(browser, file, heard);
    browser.press("Upload the sound file");
}

/// A call goes from talk to hold, and its caller hears this.
fn hears_on_hold(house: &mut House, call: CallRef, phone: &Pjsua, hz: f64) {
    house.client.command(Command::Hold { call }).unwrap();
    house.wait_state(call, CallState::Held);
    phone.hears(hz);
    house.client.command(Command::Retrieve { call }).unwrap();
    house.wait_state(call, CallState::Talking);
    phone.hears(DESK_TONE);
}

#[test]
fn app_2_ovf_1_ten_1_music_and_announcement_uploaded_on_the_page_are_heard_by_callers_who_wait() {
    let checker = fs::read_to_string(chromium::axe()).unwrap();
    let mut house = House::build_with(Digest::Md5, &format!("{NO_TIMERS}{RULE}"));
    let (mut browser, address) = house.administered(NAME, SECRET);
    let file = |name: &str, hz: f64, rate: u32, seconds: u32| -> PathBuf {
        let path = house.folder().join(name);
        Recording::sine(hz, rate, seconds).write(&path);
        path
    };
    let music = file("calm.wav", C_TONE, 44_100, 6);
    let sales = file("sales.wav", SALES_TONE, 8_000, 6);
    let message = file("wait.wav", B_TONE, 16_000, 4);
    let broken = house.folder().join("broken.wav");
    // It says that it has more sound than there is.
    fs::write(&broken, &fs::read(&music).unwrap()[..10_000]).unwrap();

    house.client.wait("the lines registered", SOON, |view| {
        let is_there = |line: &LineView| line.registration == Registration::Registered;
        !view.lines.is_empty() && view.lines.iter().all(is_there)
    });
    // Not baresip, which records nothing of what it hears on hold.
    let mut a = house.pjsua("2101", A_TONE, Codec::Pcma);
    let call = house.called_by(&mut a);
    // What frontdesk.toml names.
    hears_on_hold(&mut house, call, &a, MUSIC_TONE);
    browser.open(&format!("{address}/sound"));
    browser.sees("The file that frontdesk.toml names");
    upload(&mut browser, &music, "Music on hold");
    browser.sees("calm.wav (6 s) was taken: Music on hold.");
    browser.sees("-9 dBFS, peaks -6 dBFS");
    // The call goes on, and its next hold has the new one.
    hears_on_hold(&mut house, call, &a, C_TONE);
    // What is refused is said beside the form, which stays as it was filled in.
    choose(&mut browser, &broken, "Music on hold");
    browser.click("Upload the sound file");
    let refused = "This is neither a WAV nor an Opus file, or a damaged one. Nothing was changed.";
    browser.wait_text("what is wrong with the file", SOON, |text| text.contains(refused));
    hears_on_hold(&mut house, call, &a, C_TONE);

    browser.open(&format!("{address}/sound"));
    upload(&mut browser, &sales, "Music on hold of Sales (5550100)");
    browser.sees("sales.wav (6 s) was taken");
    hears_on_hold(&mut house, call, &a, SALES_TONE);
    upload(&mut browser, &message, "Announcement");
    browser.sees("wait.wav (4 s) was taken: Announcement.");
    let wrong = look_at(&mut browser, "en-sound-waiting", &checker);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    house.client.command(Command::HangUp { call }).unwrap();
    house.client.wait_gone(call, SOON);
    a.is_over();

    // Whom the rule answers hears the announcement, then the music of all lines.
    let mut b = house.pjsua("2102", A_TONE, Codec::Pcma);
    b.dial("5550101");
    b.talks();
    let held = |call: &CallView| call.state == CallState::Held;
    let waits = house.client.wait_call("a caller whom the rule answered", SOON, held).call;
    b.hears(B_TONE);
    b.hears(C_TONE);
    b.hang_up();
    house.client.wait_gone(waits, SOON);

    // Taken away, it is as it was before.
    browser.press("Remove sales.wav from Music on hold of Sales (5550100)");
    browser.sees("It was removed");
    browser.press("Remove calm.wav from Music on hold");
    browser.sees("The file that frontdesk.toml names");
    let call = house.called_by(&mut a);
    hears_on_hold(&mut house, call, &a, MUSIC_TONE);
}
