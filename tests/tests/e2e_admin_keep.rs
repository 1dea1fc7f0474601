//! What an administrator keeps: a box is backed up in a browser, wiped, and brought back; real calls are counted; and
//! diagnostics have no secret in them.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;
use std::process::Command as Program;
use std::time::{Duration, Instant};

use frontdesk_tests::baresip::Codec;
use frontdesk_tests::kamailio::Kamailio;
use frontdesk_tests::keeping::{PASSPHRASE, backup, download, upload_backup};
use frontdesk_tests::office::{NAME, Office, SECRET};
use frontdesk_tests::sound::{C_TONE, Recording};
use ipc::{CallState, Command, Registration};

/// Real time of the telephones, and of the desk's start.
const SOON: Duration = Duration::from_secs(20);

fn sign_in(office: &mut Office) {
    office.browser.open(&format!("{}/sign-in", office.address.clone()));
    office.browser.fill("Name", NAME);
    office.browser.fill("Password", SECRET);
    office.browser.press("Sign in");
    office.browser.sees("The desk");
}

/// Asks for a new start on the page of backups, which is open.
fn restart(office: &mut Office) {
    office.browser.evaluate(&format!("document.getElementById('restart-password').value = {SECRET:?}; null"));
    office.browser.press("Restart the desk with this backup");
}

#[test]
fn app_2_a_box_is_backed_up_wiped_and_brought_back_with_its_lines_and_contacts() {
    let mut office = Office::open(0);
    office.browser.open(&office.address.clone());
    let code = office.code();
    office.set_up_with(&code);
    let music = office.house.folder().join("calm.wav");
    Recording::sine(C_TONE, 8_000, 2).write(&music);
    let sound = format!("{}/sound", office.address);
    office.browser.open(&sound);
    office.browser.choose("Heard as", "Music on hold");
    office.browser.choose_file("Sound file", &music);
    office.browser.press("Upload the sound file");
    office.browser.sees("calm.wav (2 s) was taken: Music on hold.");
    let page = format!("{}/backup", office.address);
    office.browser.open(&page);
    let file = backup(&mut office.browser);
    let password = Kamailio::password("desk");
    assert!(!String::from_utf8_lossy(&file).contains(&password), "it is sealed");

    // While a call is up the desk does not start anew; a backup that waits can be discarded.
    let folder = office.house.folder().to_owned();
    upload_backup(&mut office.browser, &folder, &file, PASSPHRASE);
    office.browser.press("Upload and look at it");
    office.browser.sees("The backup is whole and waits.");
    let mut phone = office.house.phone("2101", 1500.0, Codec::Pcma);
    phone.dial("5550100");
    office.house.client.wait_call("a ringing call", SOON, |call| call.state == CallState::Ringing);
    restart(&mut office);
    office.browser.sees("The desk does not start anew while a call is up.");
    let call = office.house.client.wait_call("it still rings", SOON, |_| true).call;
    office.house.client.command(Command::Reject { call }).unwrap();
    office.browser.press("Discard the backup that waits");
    office.browser.sees("The backup was discarded.");

    // The box is lost: another one, which knows nothing.
    assert!(office.house.desk.program.terminate(SOON).success());
    let desk = office.house.desk.store.parent().unwrap().to_owned();
    for name in ["desk.db", "desk.db-wal", "desk.db-shm"] {
        let _ = fs::remove_file(desk.join(name));
    }
    for folder in ["admin", "sounds"] {
        fs::remove_dir_all(desk.join(folder)).unwrap();
    }
    office.house.desk.start_again();
    office.house.client = office.house.desk.client();
    let fresh = office.house.client.wait("a view", SOON, |view| view.setup.is_some());
    assert!(fresh.lines.is_empty() && fresh.directories.is_empty());
    office.browser.open(&office.address.clone());
    let code = office.code();
    office.set_up_with(&code);
    office.browser.open(&page);
    upload_backup(&mut office.browser, &folder, &file, "another passphrase");
    office.browser.click("Upload and look at it");
    office.browser.wait_text("the refusal", SOON, |text| text.contains("the passphrase is wrong"));
    office.browser.open(&page);
    upload_backup(&mut office.browser, &folder, &file, PASSPHRASE);
    office.browser.press("Upload and look at it");
    office.browser.sees("The backup is whole and waits.");
    restart(&mut office);
    office.browser.sees("The desk starts anew");
    let ended = office.house.desk.program.wait(SOON);
    assert_eq!(ended.code(), Some(75), "whoever watches over it starts it anew");
    office.house.desk.start_again();

    office.house.client = office.house.desk.client();
    let back = office
        .house
        .client
        .wait("Registered", SOON, |view| view.operator.registration == Registration::Registered);
    let lines: Vec<&str> = back.lines.iter().map(|line| line.name.as_str()).collect();
    assert_eq!(lines, ["Sales", "Support"]);
    assert_eq!(office.house.client.contact("rivera").phone, "2101");
    assert_eq!(
        office.house.ring(&mut phone).1.as_deref(),
        Some("Tomas Rivera"),
        "calls come in again, and are named"
    );
    sign_in(&mut office);
    office.browser.press("Audit log");
    office.browser.sees("restored a backup");
    office.browser.open(&sound);
    office.browser.sees("calm.wav");
    let left: Vec<String> = fs::read_dir(&desk)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("restore") || name.contains("before"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn sta_1_app_2_real_calls_are_counted_and_diagnostics_have_no_secret() {
    let mut office = Office::open(0);
    office.browser.open(&office.address.clone());
    let code = office.code();
    office.set_up_with(&code);

    // Two refused, one answered.
    let mut phone = office.house.phone("2101", 1500.0, Codec::Pcma);
    for _ in 0..2 {
        assert_eq!(office.house.ring(&mut phone).1.as_deref(), Some("Tomas Rivera"));
    }
    phone.dial("5550101");
    let call = office.house.answer_next(&mut phone);
    office.house.client.command(Command::HangUp { call }).unwrap();
    office.house.client.wait_gone(call, SOON);

    let page = format!("{}/statistics?span=week", office.address);
    let end = Instant::now() + SOON;
    loop {
        office.browser.open(&page);
        let text = office.browser.text();
        if ["1 (33%)", "refused here", "talked, then hung up", "Support 5550101"]
            .iter()
            .all(|words| text.contains(words))
        {
            break;
        }
        assert!(Instant::now() < end, "the calls are not counted:\n{text}");
    }
    let counted = office.browser.evaluate("[...document.querySelectorAll('#outcomes tbody tr')].map((row) => row.innerText.trim().split(/\\s*\\t\\s*|\\n+/).join('|'))");
    assert_eq!(counted.as_array().unwrap().len(), 2, "{counted}");

    office.browser.open(&format!("{}/diagnostics", office.address));
    office.browser.sees("incoming call");
    let folder = office.house.folder().to_owned();
    let masked = unpacked(&folder, &download(&mut office.browser, "bundle-form", &[]));
    office.browser.evaluate("document.getElementById('plain').checked = true; null");
    let plain = unpacked(&folder, &download(&mut office.browser, "bundle-form", &[]));
    let password = Kamailio::password("desk");
    for secret in [password.as_str(), SECRET, "$argon2id", "PRIVATE KEY"] {
        assert!(!masked.contains(secret) && !plain.contains(secret), "{secret} is in the diagnostics");
    }
    assert!(has_number(&plain, "2101") && plain.contains("incoming call"), "{plain}");
    for name in ["Rivera", "Solberg", "\"5550100\""] {
        assert!(!masked.contains(name), "{name} is in diagnostics without names:\n{masked}");
    }
    assert!(!has_number(&masked, "2101"), "2101 is in diagnostics without names:\n{masked}");
    assert!(masked.contains("incoming call") && masked.contains("\"median_us\""));
    office.browser.press("Log more");
    office.browser.sees("More goes into the log for another 60 min.");
    assert!(!office.house.desk.program.log().contains("SIP in"));
    office.house.ring(&mut phone);
    office.browser.choose("At least", "everything");
    office.browser.press("Show");
    office.browser.sees("line=INVITE sip:");
    office.browser.sees("SIP out");
    assert!(!office.browser.text().contains("Digest"));
    office.browser.press("Log as before");
    office.browser.sees("The log is as before.");
}

/// Whether a number stands in a text, and not only its digits in a longer one, such as a moment.
fn has_number(text: &str, number: &str) -> bool {
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    text.match_indices(number).any(|(at, found)| {
        let (before, behind) = (&text[..at], &text[at + found.len()..]);
        !is_digit(before.chars().next_back()) && !is_digit(behind.chars().next())
    })
}

/// All files of a bundle, by the system's own tar.
fn unpacked(folder: &Path, bytes: &[u8]) -> String {
    let path = folder.join("bundle.tar.gz");
    fs::write(&path, bytes).unwrap();
    let output = Program::new("tar").arg("-xzOf").arg(&path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
