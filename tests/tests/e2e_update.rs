//! Updates of the box with the real RAUC on a D-Bus of its own: bundles that are not for this box are refused in words, a good
//! one is written into the other slot, nobody is cut off, and a version that is not well is taken back.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command as Program, Output};
use std::time::Duration;

use frontdesk_tests::baresip::Codec;
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::page::Page;
use frontdesk_tests::rauc::{COMPATIBLE, Slots};
use frontdesk_tests::{repository, wait};
use ipc::{Command, NoticeKind, Registration, UpdateNews, UpdateNotice, UpdateRefusal, UpdateTrouble, View};
use serde_json::{Value, json};

/// Real time of telephones, of RAUC and of the desk's start.
const SOON: Duration = Duration::from_secs(30);

struct Site {
    page: Page,
    slots: Slots,
    house: House,
    restart: PathBuf,
}

impl Site {
    fn build() -> Self {
        let mut house = House::build(Digest::Md5);
        let slots = Slots::set_up(house.folder());
        let restart = house.folder().join("run/restart");
        let port = house.free_port();
        let more = format!(
            "[update]\nrauc = {:?}\nfolder = {:?}\nrestart = {restart:?}\n",
            slots.program(),
            house.folder().join("updates")
        );
        let address = house.desk.open_admin_page_with(port, &more);
        house.client = house.desk.client();
        let setup = house.client.wait("the code on the screen", SOON, |view| view.setup.is_some()).setup;
        let page = Page::set_up(&address, &setup.unwrap().code, house.folder());
        let site = Self { page, slots, house, restart };
        site.wait("the slots", |now| now["slots"].as_array().is_some_and(|slots| slots.len() == 2));
        site
    }

    fn now(&self) -> Value {
        let told = self.page.api("GET", "/api/v1/update", None);
        if told.status == 200 { told.json() } else { Value::Null }
    }

    #[track_caller]
    fn wait(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let found = wait::within(SOON, || {
            last = self.now();
            wanted(&last).then(|| last.clone())
        });
        found.unwrap_or_else(|| panic!("waited in vain for {what}: {last:#}"))
    }

    #[track_caller]
    fn order(&self, order: &Value) {
        let done = self.page.api("PUT", "/api/v1/update/order", Some(order));
        assert_eq!(done.status, 204, "{}", done.body);
    }

    #[track_caller]
    fn upload(&self, file: &Path) -> Value {
        let taken = self.page.upload("/api/v1/update/bundle", file, "en");
        assert_eq!(taken.status, 201, "{}", taken.body);
        taken.json()
    }

    /// The machine has started this slot. The host has not, so what it was is written into the history.
    fn boot(&mut self, slot: &str) {
        let path = self.history();
        let history = fs::read_to_string(&path).unwrap();
        let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        assert!(history.contains(id.trim()), "{history}");
        fs::write(path, history.replace(id.trim(), "the start before")).unwrap();
        self.slots.boot(slot);
        let _ = fs::remove_file(&self.restart);
    }

    fn history(&self) -> PathBuf {
        self.house.folder().join("updates/attempts.json")
    }

    fn start_desk(&mut self) {
        self.house.desk.start_again();
        self.house.client = self.house.desk.client();
    }

    /// The health check after a start, as its unit runs it.
    #[track_caller]
    fn check_health(&self, limit: u32) -> Value {
        let mut check = Program::new(repository::program("frontdesk-ctl"));
        check.arg("--socket").arg(&self.house.desk.socket).arg("health");
        check
            .arg("--rauc")
            .arg(self.slots.program())
            .arg("--updates")
            .arg(self.house.folder().join("updates"));
        check.arg("--restart").arg(&self.restart).arg("--hold=1").arg(format!("--limit={limit}"));
        let output = check.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_str(&said).unwrap()
    }

    /// A stick with these files in its root folder, as the box hands it to the desk.
    #[track_caller]
    fn stick(&self, name: &str, files: &[&Path]) -> Output {
        let stick = self.house.folder().join(name);
        fs::create_dir_all(&stick).unwrap();
        for file in files {
            fs::copy(file, stick.join(file.file_name().unwrap())).unwrap();
        }
        let mut ctl = Program::new(repository::program("frontdesk-ctl"));
        ctl.arg("--socket").arg(&self.house.desk.socket).args(["update", "stick"]).arg(&stick);
        ctl.output().unwrap()
    }

    /// Waits until the operator is told this.
    #[track_caller]
    fn wait_told(&mut self, version: &str, news: UpdateNews) -> View {
        let notice = NoticeKind::Update(UpdateNotice { version: version.into(), news });
        let what = format!("{notice:?}");
        let is_told = |view: &View| view.notices.iter().any(|told| told.kind == notice);
        self.house.client.wait(&what, SOON, is_told)
    }

    /// Installs a version with no call up, up to the end of the desk.
    fn install(&mut self, version: &str) -> Vec<u8> {
        let (file, image) = self.slots.bundle(version, COMPATIBLE, "maker", "plain");
        self.upload(&file);
        self.house
            .client
            .wait("registered", SOON, |view| view.operator.registration == Registration::Registered);
        self.order(&json!({ "when": "now" }));
        let ended = self.house.desk.program.wait(SOON);
        assert_eq!(ended.code(), Some(75), "it ends to be started anew");
        wait::until("the wish for a restart", SOON, || self.restart.exists().then_some(()));
        image
    }
}

#[test]
fn app_2_app_3_bundles_that_are_not_for_this_box_are_refused_and_each_is_told_what_to_do() {
    let site = Site::build();
    let folder = site.house.folder();
    let (stranger, _) = site.slots.bundle("stranger", COMPATIBLE, "stranger", "verity");
    let (other, _) = site.slots.bundle("other", "coffee-machine", "maker", "verity");
    let (good, _) = site.slots.bundle("good", COMPATIBLE, "maker", "verity");
    let (plain, _) = site.slots.bundle("plain", COMPATIBLE, "maker", "plain");
    let changed = |name: &str, from: &Path, change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = fs::read(from).unwrap();
        change(&mut bytes);
        let path = folder.join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let half = changed("half", &good, &|bytes| bytes.truncate(bytes.len() / 2));
    let flipped = changed("flipped", &plain, &|bytes| bytes[100_000] ^= 1);
    let zip = changed("zip", &good, &|bytes| bytes[..4].copy_from_slice(b"PK\x03\x04"));
    let empty = changed("empty", &good, &Vec::clear);
    for (file, english, french) in [
        (&stranger, "The signature of the file is not one that this box trusts.", "n’est pas reconnue"),
        (
            &other,
            "made for another kind of box (coffee-machine); this one is frontdesk-test",
            "un autre type d’appareil",
        ),
        (&half, "The file is damaged.", "Le fichier est endommagé."),
        (&flipped, "The file is damaged.", "Le fichier est endommagé."),
        (&zip, "This file is no update of Frontdesk.", "n’est pas une mise à jour"),
        (&empty, "No file was chosen, or it is empty.", "Aucun fichier"),
    ] {
        for (language, words) in [("en", english), ("fr", french)] {
            let refused = site.page.upload("/api/v1/update/bundle", file, language);
            assert_eq!(refused.status, 422, "{}: {}", file.display(), refused.body);
            let detail = refused.json()["detail"].as_str().unwrap().to_owned();
            assert!(detail.contains(words), "{}: {detail}", file.display());
        }
        assert_eq!(site.now()["bundle"], Value::Null);
        let order = site.page.api("PUT", "/api/v1/update/order", Some(&json!({ "when": "now" })));
        assert_eq!(order.status, 409, "{}", order.body);
    }
    assert_eq!(site.upload(&good)["version"], "good");
    let left = fs::read_dir(folder.join("updates")).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<String> = left.map(|name| name.into_string().unwrap()).collect();
    assert!(!left.iter().any(|name| name.starts_with("upload")), "nothing is left of the others: {left:?}");
    let page = site.page.get("/update").body;
    assert!(page.contains("Update on the box") && page.contains("Made by a test"), "{page}");
    assert!(site.slots.grub().contains("ORDER=A B") && site.slots.content("b").iter().all(|byte| *byte == 0));
}

#[test]
fn app_3_an_update_is_written_during_a_call_and_starts_after_it_and_stays_when_it_is_well() {
    let mut site = Site::build();
    let (file, image) = site.slots.bundle("2", COMPATIBLE, "maker", "plain");
    assert_eq!(site.upload(&file)["version"], "2");
    let registered = |view: &View| view.operator.registration == Registration::Registered;
    site.house.client.wait("registered", SOON, registered);
    let mut phone = site.house.phone("2101", 1500.0, Codec::Pcma);
    phone.dial("5550100");
    let call = site.house.answer_next(&mut phone);

    // For a quiet moment: there is none.
    site.order(&json!({ "when": "idle" }));
    site.wait("a call is seen to be up", |now| now["stage"] == "waiting" && now["busy"] == true);
    assert!(site.page.get("/update").body.contains("The update waits until no call is up."));
    assert_eq!(site.page.api("DELETE", "/api/v1/update/order", None).status, 204);
    assert_eq!(site.now()["stage"], "resting");

    // Now: it is written while they talk, and goes no further.
    site.order(&json!({ "when": "now" }));
    let written = site.wait("it is written", |now| now["stage"] == "written");
    assert_eq!(site.slots.content("b"), image);
    assert_eq!(written["attempts"][0]["outcome"], "installed");
    let b = written["slots"].as_array().unwrap().iter().find(|slot| slot["name"] == "B").unwrap();
    assert_eq!((&b["next"], &b["good"], &b["version"]), (&json!(true), &json!(true), &json!("2")));
    assert!(site.slots.grub().contains("ORDER=B A"), "{}", site.slots.grub());
    assert!(site.page.get("/update").body.contains("restarts as soon as no call is up"));
    assert!(!site.restart.exists() && site.house.desk.program.exit_status().is_none());
    site.house.client.command(Command::HangUp { call }).unwrap();
    assert_eq!(site.house.desk.program.wait(SOON).code(), Some(75), "it ends to be started anew");
    wait::until("the wish for a restart", SOON, || site.restart.exists().then_some(()));

    // The machine starts the other slot, and the new version is well.
    site.boot("B");
    site.start_desk();
    site.wait("it is on trial", |now| now["attempts"][0]["outcome"] == "trying");
    let found = site.check_health(60);
    assert_eq!((&found["deed"], &found["trial"]), (&json!("good"), &json!(true)), "{found}");
    let good = site.wait("it is good", |now| now["attempts"][0]["outcome"] == "good");
    assert_eq!(good["slots"].as_array().unwrap().iter().filter(|slot| slot["running"] == true).count(), 1);
    assert!(site.slots.grub().contains("B_OK=1") && !site.restart.exists());
    let found = site.check_health(60);
    assert_eq!(
        (&found["deed"], &found["trial"]),
        (&json!("good"), &json!(false)),
        "the next start is no trial"
    );
}

#[test]
fn app_3_a_version_whose_desk_does_not_answer_is_taken_back_and_the_page_says_why() {
    let mut site = Site::build();
    site.install("3");
    site.boot("B");
    // No desk runs in the new version.
    let found = site.check_health(2);
    assert_eq!((&found["deed"], &found["trial"]), (&json!("other"), &json!(true)), "{found}");
    assert!(site.slots.grub().contains("B_OK=0"), "{}", site.slots.grub());
    assert!(site.restart.exists(), "the box restarts into the version before");
    let _ = fs::remove_file(&site.restart);

    site.slots.boot("A");
    site.start_desk();
    let back = site.wait("it was taken back", |now| now["attempts"][0]["outcome"] == "rolled-back");
    let words = back["attempts"][0]["words"].as_str().unwrap();
    assert!(words.contains("the desk did not answer"), "{words}");
    site.page.sign_in();
    assert!(site.page.get("/update").body.contains("the version before runs again"));
    let found = site.check_health(60);
    assert_eq!((&found["deed"], &found["trial"]), (&json!("good"), &json!(false)));
    assert!(site.slots.grub().contains("A_OK=1"));
}

#[test]
fn app_3_a_power_cut_while_it_is_written_is_known_afterwards_and_the_old_version_runs_on() {
    let mut site = Site::build();
    let (file, _) = site.slots.bundle("4", COMPATIBLE, "maker", "plain");
    site.upload(&file);
    // What the disk holds while it is being written, and then the plug is pulled.
    let mut history = json!({ "attempts": [{ "id": 7, "version": "4", "who": "Ada", "begun_ms": 1, "from": "A", "to": "B",
        "boot_id": "the start before", "outcome": { "is": "installing" } }] });
    history["order"] = json!({ "when": "now", "who": "Ada" });
    site.house.desk.program.kill();
    fs::write(site.history(), history.to_string()).unwrap();
    site.start_desk();
    let cut = site.wait("it is known", |now| now["attempts"][0]["outcome"] == "interrupted");
    assert_eq!(cut["stage"], "resting", "it is not begun again by itself");
    assert_eq!(cut["bundle"]["version"], "4", "and can be installed");
    site.page.sign_in();
    assert!(site.page.get("/update").body.contains("interrupted by a power cut"));
}

#[test]
fn app_3_a_stick_with_a_newer_bundle_updates_the_box_after_the_call_and_the_operator_is_told() {
    let mut site = Site::build();
    let (file, image) = site.slots.bundle("2", COMPATIBLE, "maker", "plain");
    let registered = |view: &View| view.operator.registration == Registration::Registered;
    site.house.client.wait("registered", SOON, registered);
    let mut phone = site.house.phone("2101", 1500.0, Codec::Pcma);
    phone.dial("5550100");
    let call = site.house.answer_next(&mut phone);
    let other = site.house.folder().join("holiday.txt");
    fs::write(&other, "nothing for the desk").unwrap();

    let taken = site.stick("stick", &[&file, &other]);
    assert!(taken.status.success(), "{}", String::from_utf8_lossy(&taken.stderr));
    let told: Value = serde_json::from_slice(&taken.stdout).unwrap();
    assert_eq!(told["bytes"], fs::metadata(&file).unwrap().len());
    site.wait_told("2", UpdateNews::Taken);
    let waits = site.wait("it waits for the call", |now| now["stage"] == "waiting" && now["busy"] == true);
    assert_eq!(waits["bundle"]["version"], "2");
    assert!(site.slots.content("b").iter().all(|byte| *byte == 0), "nothing is written during a call");
    site.house.client.command(Command::HangUp { call }).unwrap();
    assert_eq!(site.house.desk.program.wait(SOON).code(), Some(75), "it ends to be started anew");
    wait::until("the wish for a restart", SOON, || site.restart.exists().then_some(()));
    assert_eq!(site.slots.content("b"), image);

    site.boot("B");
    site.start_desk();
    site.wait("it is on trial", |now| now["attempts"][0]["outcome"] == "trying");
    let found = site.check_health(60);
    assert_eq!((&found["deed"], &found["trial"]), (&json!("good"), &json!(true)), "{found}");
    site.wait_told("2", UpdateNews::Done);
    let good = site.wait("it is good", |now| now["attempts"][0]["outcome"] == "good");
    assert_eq!(good["attempts"][0]["who"], "USB stick");
    site.page.sign_in();
    assert!(site.page.get("/update").body.contains("USB stick"));
}

#[test]
fn app_3_a_stick_that_is_no_newer_signed_bundle_for_this_box_is_refused_and_the_operator_is_told_why() {
    let mut site = Site::build();
    let running = env!("CARGO_PKG_VERSION");
    let bundle =
        |version: &str, compatible, signer| site.slots.bundle(version, compatible, signer, "verity").0;
    let half = site.house.folder().join("half.raucb");
    let mut bytes = fs::read(bundle("9.1", COMPATIBLE, "maker")).unwrap();
    bytes.truncate(bytes.len() / 2);
    fs::write(&half, bytes).unwrap();
    let zip = site.house.folder().join("zip.raucb");
    fs::write(&zip, b"PK\x03\x04 and so on").unwrap();
    let older = UpdateRefusal::Older { than: running.into() };
    let cases = [
        (bundle("0.0.1", COMPATIBLE, "maker"), "0.0.1", older),
        (bundle(running, COMPATIBLE, "maker"), running, UpdateRefusal::Same),
        (bundle("newest", COMPATIBLE, "maker"), "newest", UpdateRefusal::NoVersion),
        (bundle("9.2", COMPATIBLE, "stranger"), "", UpdateRefusal::Signature),
        (bundle("9.3", "coffee-machine", "maker"), "", UpdateRefusal::OtherBox),
        (half, "", UpdateRefusal::Damaged),
        (zip, "", UpdateRefusal::NotAnUpdate),
    ];
    for (number, (file, version, why)) in cases.into_iter().enumerate() {
        let refused = site.stick(&format!("stick {number}"), &[&file]);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{}: {said}", file.display());
        assert!(said.contains(&why.to_string()), "{}: {said}", file.display());
        site.wait_told(version, UpdateNews::Refused { why });
        let now = site.now();
        assert_eq!((&now["stage"], &now["bundle"]), (&json!("resting"), &Value::Null), "{now:#}");
    }
    let nothing = site.stick("stick without a bundle", &[]);
    assert!(nothing.status.success(), "{}", String::from_utf8_lossy(&nothing.stderr));
    assert_eq!(String::from_utf8_lossy(&nothing.stdout).trim(), "{\"file\":null}");
    let left =
        fs::read_dir(site.house.folder().join("updates")).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<String> = left.map(|name| name.into_string().unwrap()).collect();
    assert!(!left.iter().any(|name| name.starts_with("upload") || name.ends_with("raucb")), "{left:?}");
    assert!(site.slots.content("b").iter().all(|byte| *byte == 0));
}

#[test]
fn app_3_a_version_that_the_box_took_back_does_not_come_back_with_the_stick_that_is_still_plugged_in() {
    let mut site = Site::build();
    site.install("3");
    site.boot("B");
    let found = site.check_health(2);
    assert_eq!(found["deed"], "other", "no desk runs: {found}");
    let _ = fs::remove_file(&site.restart);
    site.slots.boot("A");
    site.start_desk();
    site.wait_told("3", UpdateNews::TakenBack { why: UpdateTrouble::Desk });
    let (file, _) = site.slots.bundle("3.0", COMPATIBLE, "maker", "plain");
    let refused = site.stick("stick", &[&file]);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains(&UpdateRefusal::TakenBackBefore.to_string()), "{said}");
    let now = site.now();
    assert_eq!((&now["stage"], &now["bundle"]), (&json!("resting"), &Value::Null), "{now:#}");
}
