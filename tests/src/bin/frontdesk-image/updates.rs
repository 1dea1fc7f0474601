//! Updates of the box over its administrator's page: bundles of strangers and for other boxes are refused, version 2 is
//! written during a call and started after it, and version 3, whose desk does not start, is taken back by the box itself.
//!
//! The bundles are whole images, made by the builder from the programs that the running image was made of; what is broken
//! in version 3 is two files for systemd.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use frontdesk_tests::dice::Dice;
use frontdesk_tests::page::{Answer, Page};
use frontdesk_tests::{repository, wait};
use ipc::{CallState, NoticeKind, UpdateNews, UpdateRefusal};
use serde_json::{Value, json};

use crate::guest::{BOOT, Disk, Guest, SOON};
use crate::house::House;
use crate::lab::{BOX, Lab};
use crate::shown::Shown;

/// What the running image's bundles must be made for.
const COMPATIBLE: &str = "frontdesk-amd64";
/// Writing a slot, in an emulated machine.
const WRITE: Duration = Duration::from_secs(600);
/// A start, a health check that fails, and another start.
const BACK: Duration = Duration::from_secs(1200);
/// Of the box's disk: a bundle has room on the data partition only when that has grown.
const SIZE: &str = "3G";
/// Seconds that version 3 gets to become well.
const TRIAL: u32 = 60;

/// All of it, in three starts of one box.
pub(crate) fn show(lab: &Lab, shown: &mut Shown) {
    let folder = lab.next_folder();
    let disk = Disk::of_size(&lab.image, &folder, "updates", Some(SIZE));
    let mut guest = Guest::boot(lab, &disk);
    let mut house = House::build(lab);
    let mut page = None;
    let up = shown.show("app_3 the slot that came with the disk is marked good after its start", || {
        guest.wait_shell(BOOT);
        house.move_in(&mut guest);
        guest.wait_view("the screen", BOOT, |view| view.screen);
        wait_good(&mut guest, "A");
        let setup = guest.wait_view("the code on the screen", SOON, |view| view.setup.is_some()).setup;
        let code = setup.expect("it was waited for").code;
        page = Some(Page::set_up(&format!("https://{BOX}"), &code, &folder));
        version(&mut guest)
    });
    let Some(page) = page.filter(|_| up) else { return };
    shown.show("app_3 a bundle with a wrong signature, and one for another box, are refused", || {
        refused(&page, &folder)
    });
    shown.show(
        "app_3 sticks with a wrong signature, and with an older bundle, are refused on the screen and let go",
        || refused_from_sticks(&mut guest, &folder),
    );
    let second = shown.show("app_3 version 2 is written during a call and started when it is over", || {
        let bundle = build("2", None, &folder);
        take(&page, &bundle);
        during_a_call(&mut guest, &mut house, &page)
    });
    if !second {
        return;
    }
    shown.show("app_3 version 2 is well: registered, with its screen, and marked good", || {
        house.registered(&mut guest);
        wait_good(&mut guest, "B");
        let told = wait_outcome(&page, "good", BOOT);
        assert_eq!(version(&mut guest), "2");
        assert_eq!(told["version"], "2");
        guest.keep("version-2").display().to_string()
    });
    shown.show("app_3 version 3 fails its health check and the box goes back to version 2", || {
        let bundle = build("3", Some(&broken(&folder)), &folder);
        take(&page, &bundle);
        let before = guest.boot_id();
        order(&page, "now");
        guest.wait_reboot(&before, WRITE);
        assert_eq!(version(&mut guest), "3", "the third version has started");
        let third = guest.boot_id();
        guest.wait_reboot(&third, BACK);
        let told = wait_outcome(&page, "rolled-back", BACK);
        assert_eq!(version(&mut guest), "2");
        house.registered(&mut guest);
        wait_good(&mut guest, "B");
        let words = told["attempts"][0]["words"].as_str().unwrap_or_default().to_owned();
        assert!(words.contains("the desk did not answer"), "{words}");
        words
    });
    guest.power_off();
}

fn version(guest: &mut Guest) -> String {
    guest.succeed("cat /usr/share/frontdesk/version").trim().to_owned()
}

/// GRUB's variables say that a slot may be started and was not only tried.
#[track_caller]
fn wait_good(guest: &mut Guest, slot: &str) {
    guest.wait_for("the slot to be marked good", BOOT, |guest| {
        let said = guest.try_run("grub-editenv /boot/efi/grub/grubenv list", SOON)?.text;
        let has = |wanted: &str| said.lines().any(|line| line == wanted);
        (has(&format!("{slot}_OK=1")) && has(&format!("{slot}_TRY=0"))).then_some(())
    });
}

fn now(page: &Page) -> Option<Value> {
    let told = page.api("GET", "/api/v1/update", None);
    (told.status == 200).then(|| told.json())
}

#[track_caller]
fn wait_outcome(page: &Page, outcome: &str, limit: Duration) -> Value {
    let mut last = None;
    let found = wait::within(limit, || {
        last = now(page);
        last.clone().filter(|told| told["attempts"][0]["outcome"] == outcome)
    });
    found.unwrap_or_else(|| panic!("the newest update is not {outcome}: {last:#?}"))
}

#[track_caller]
fn take(page: &Page, bundle: &Path) {
    let Answer { status, body } = page.upload("/api/v1/update/bundle", bundle, "en");
    assert!(status == 201, "{}: {status} {body}", bundle.display());
}

#[track_caller]
fn order(page: &Page, when: &str) {
    let Answer { status, body } = page.api("PUT", "/api/v1/update/order", Some(&json!({ "when": when })));
    assert!(status == 204, "{status} {body}");
}

fn refused(page: &Page, folder: &Path) -> String {
    let keys = cache().join("keys");
    let stranger = folder.join("stranger");
    let mut openssl = Command::new("openssl");
    openssl.args("req -x509 -newkey rsa:2048 -nodes -days 7300 -subj /CN=Somebody -keyout".split(' '));
    openssl.arg(stranger.with_extension("key")).arg("-out").arg(stranger.with_extension("pem"));
    succeed("openssl", openssl);
    let wrong = small_bundle(folder, "wrong-signature", COMPATIBLE, &stranger);
    let other = small_bundle(folder, "other-box", "coffee-machine", &keys.join("builder"));
    for (bundle, words) in
        [(wrong, "not one that this box trusts"), (other, "made for another kind of box (coffee-machine)")]
    {
        let Answer { status, body } = page.upload("/api/v1/update/bundle", &bundle, "en");
        assert!(status == 422 && body.contains(words), "{}: {status} {body}", bundle.display());
    }
    let told = now(page).expect("the page answers");
    assert_eq!(told["bundle"], Value::Null);
    String::new()
}

/// Each is a file system without a partition table, as many sticks are.
fn refused_from_sticks(guest: &mut Guest, folder: &Path) -> String {
    let running = version(guest);
    let older = small_bundle(folder, "0.0.1", COMPATIBLE, &cache().join("keys/builder"));
    let wrong = folder.join("wrong-signature.raucb");
    for (name, file, wanted) in [
        ("stick-wrong", wrong, UpdateRefusal::Signature),
        ("stick-older", older, UpdateRefusal::Older { than: running }),
    ] {
        guest.plug(name, &stick(folder, name, &file));
        guest.wait_view("the refusal", SOON, |view| {
            let is_it = |kind: &NoticeKind| match kind {
                NoticeKind::Update(notice) => notice.news == UpdateNews::Refused { why: wanted.clone() },
                _ => false,
            };
            view.notices.iter().any(|notice| is_it(&notice.kind))
        });
        guest.wait_for("the stick to be let go", SOON, |guest| {
            let said = guest.try_run("systemctl list-units --no-legend 'frontdesk-stick@*'", SOON)?;
            said.text.trim().is_empty().then_some(())
        });
        guest.pull(name);
    }
    let seen = guest.succeed("cat /proc/1/mounts");
    assert!(!seen.contains("frontdesk-stick"), "nobody else saw the stick: {seen}");
    guest.keep("stick-refused").display().to_string()
}

/// A stick with this file on it.
#[track_caller]
fn stick(folder: &Path, name: &str, file: &Path) -> PathBuf {
    let image = folder.join(name).with_extension("img");
    let made = fs::File::create(&image).and_then(|made| made.set_len(16 << 20));
    made.expect("the scratch folder is writable");
    let mut format = Command::new("mkfs.vfat");
    format.args(["-n", "STICK"]).arg(&image);
    succeed("mkfs.vfat", format);
    let mut copy = Command::new("mcopy");
    copy.arg("-i").arg(&image).arg(file).arg("::/");
    succeed("mcopy", copy);
    image
}

/// Version 2 comes while 2101 talks with the desk.
fn during_a_call(guest: &mut Guest, house: &mut House, page: &Page) -> String {
    house.tomas.dial("5550100");
    guest.wait_view("a ringing call", SOON, |view| {
        view.incoming.iter().any(|call| call.state == CallState::Ringing)
    });
    guest.ctl("answer");
    house.tomas.expect("CALL_ESTABLISHED", SOON);
    let before = guest.boot_id();
    order(page, "now");
    let mut last = None;
    let written = wait::within(WRITE, || {
        last = now(page);
        last.clone().filter(|told| told["stage"] == "written")
    });
    assert!(written.is_some(), "it is not written: {last:#?}");
    let talks = guest.view().is_some_and(|view| view.talk.is_some());
    assert!(talks && guest.boot_id() == before, "the call goes on, and nothing restarts");
    house.hang_up(guest);
    guest.wait_reboot(&before, WRITE);
    guest.wait_view("the screen", BOOT, |view| view.screen);
    String::new()
}

/// What is laid over version 3: a desk that does not start, and a health check that does not wait for it for long.
fn broken(folder: &Path) -> PathBuf {
    let extra = folder.join("extra");
    let check = format!(
        "/usr/bin/frontdesk-ctl --socket /run/frontdesk/desk.sock health --updates /data/updates \
         --restart /run/frontdesk-health/restart --limit {TRIAL}"
    );
    for (unit, start) in [("frontdeskd", "/bin/false"), ("frontdesk-health", check.as_str())] {
        let at = extra.join(format!("etc/systemd/system/{unit}.service.d"));
        fs::create_dir_all(&at).expect("the scratch folder is writable");
        let text = format!("[Service]\nExecStart=\nExecStart={start}\n");
        fs::write(at.join("version-3.conf"), text).expect("the scratch folder is writable");
    }
    extra
}

fn cache() -> PathBuf {
    let home = env::var_os("HOME").map_or_else(|| PathBuf::from("/root"), PathBuf::from);
    home.join(".cache/frontdesk/image")
}

/// An image of another version; its bundle.
#[track_caller]
fn build(version: &str, extra: Option<&Path>, folder: &Path) -> PathBuf {
    let out = folder.join(format!("version-{version}"));
    let mut build = Command::new(repository::root().join("firmware/appliance/image/build"));
    build.arg("--development").arg("--out").arg(&out).env("FRONTDESK_VERSION", version);
    if env::var_os("FRONTDESK_PROGRAMS").is_none() {
        build.env(
            "FRONTDESK_PROGRAMS",
            repository::program("frontdeskd").parent().expect("a program is in a folder"),
        );
    }
    build.envs(extra.map(|extra| ("FRONTDESK_EXTRA", extra)));
    succeed("firmware/appliance/image/build", build);
    let bundle = out.join("frontdesk.raucb");
    // The disk beside it is not needed, and large.
    let _ = fs::remove_file(out.join("frontdesk.img"));
    let _ = fs::remove_file(out.join("root.squashfs"));
    bundle
}

/// A bundle with next to nothing in it, signed with `signer.pem` and `signer.key`.
#[track_caller]
fn small_bundle(folder: &Path, name: &str, compatible: &str, signer: &Path) -> PathBuf {
    let (work, file) = (folder.join(name), folder.join(format!("{name}.raucb")));
    fs::create_dir_all(&work).expect("the scratch folder is writable");
    // Nothing that becomes small: RAUC wants a bundle of more than a block.
    let mut dice = Dice::new(1);
    let noise: Vec<u8> = (0..65_536).map(|_| dice.below(256) as u8).collect();
    fs::write(work.join("root.img"), noise).expect("the scratch folder is writable");
    let manifest = format!(
        "[update]\ncompatible={compatible}\nversion={name}\n\n[bundle]\nformat=verity\n\n\
         [image.rootfs]\nfilename=root.img\n"
    );
    fs::write(work.join("manifest.raucm"), manifest).expect("the scratch folder is writable");
    let mut rauc = Command::new("rauc");
    rauc.arg(format!("--cert={}", signer.with_extension("pem").display()));
    rauc.arg(format!("--key={}", signer.with_extension("key").display()));
    rauc.arg("bundle").arg(&work).arg(&file);
    succeed("rauc bundle", rauc);
    file
}

#[track_caller]
fn succeed(what: &str, mut command: Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{what}: {error}; is it installed?"));
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
}
