//! The box at work: it comes up with the desk on its screen, a touch answers, keys transfer, a handset lifts and hangs up,
//! its programs are killed.

use std::thread;
use std::time::{Duration, Instant};

use frontdesk_tests::picture::{Area, Picture};
use frontdesk_tests::screen::{CALLS, GREEN, RINGING, TALKING, plate_text};
use frontdesk_tests::sound::A_TONE;
use frontdesk_tests::wait;
use ipc::{CallState, View};

use crate::guest::{BOOT, Disk, Guest, KEYBOARD, SOON};
use crate::handset;
use crate::house::House;
use crate::lab::Lab;
use crate::shown::Shown;
use crate::wire::Wire;

/// The longest silence between two packets of speech that counts as none. An emulated machine stands still now and then;
/// what it does without anybody being killed is printed beside it.
const NO_GAP: Duration = Duration::from_millis(250);
/// Who is talked to, with the clock of the call.
const HEADER: Area = Area { x: 0, y: 0, width: 484, height: 84 };
/// How long the desk may take to be back and registered.
const BACK: Duration = Duration::from_secs(5);
/// A touch that has done nothing by then is done again.
const AGAIN: Duration = Duration::from_secs(8);
/// How long the key of the factory reset is held once it is heard: ten seconds count.
const HELD: Duration = Duration::from_secs(13);
/// How long speech is looked at before something is killed.
const USUAL: Duration = Duration::from_secs(5);

/// All of it, in one start of the box.
pub(crate) fn show(lab: &Lab, shown: &mut Shown) {
    let disk = Disk::of(&lab.image, lab.folder(), "desk");
    let mut guest = Guest::boot(lab, &disk);
    let mut times = Vec::new();
    let up = shown.show("app_3 the image starts by UEFI and GRUB, and runs its services", || {
        guest.wait_shell(BOOT);
        times.push(("first service", guest.started.elapsed()));
        String::new()
    });
    if !up {
        return;
    }
    shown.show("app_3 the desk is on the screen, without a login prompt", || {
        guest.wait_picture("the desk", BOOT, |picture| {
            let text = picture.text(CALLS).to_lowercase();
            (text.contains("incoming") && text.contains("outgoing")).then_some(())
        });
        times.push(("desk on the screen", guest.started.elapsed()));
        guest.keep("desk").display().to_string()
    });
    let mut house = House::build(lab);
    let wire = Wire::listen();
    let registered = shown.show("app_3 it has an address by DHCP and registers at kamailio", || {
        house.move_in(&mut guest);
        String::new()
    });
    if registered {
        shown.show("hw_1 a touch on the screen answers a call of baresip's", || {
            touch(&mut guest, &mut house, &wire)
        });
        shown.show("hw_1 what the caller says is in the sound card's recording", || {
            talk(&mut guest, &mut house);
            hears(&guest)
        });
        shown.show("hw_2 call_12 keys of the keypad transfer it", || {
            talk(&mut guest, &mut house);
            keypad(&mut guest, &mut house)
        });
        shown.show("app_4 kill -9 of the screen in mid-call: no gap", || {
            talk(&mut guest, &mut house);
            kill_screen(&mut guest, &wire)
        });
        shown.show("hw_2 call_12 keys of the keypad reach the new screen, too", || {
            talk(&mut guest, &mut house);
            keypad(&mut guest, &mut house)
        });
        shown.show("hw_1 a handset of USB lifts and hangs up, and its lamps follow", || {
            lift(&mut guest, &mut house)
        });
        shown.show("app_4 kill -9 of the desk: back and registered", || {
            kill_desk(&mut guest, &mut house, &wire)
        });
    }
    shown.show("app_3 boot timeline", || timeline(&mut guest, &times));
    shown.show("app_3 a kernel that is lost starts again by itself, without a prompt", || panic(&mut guest));
    shown.show("app_3 a key held while it starts brings it back to how it was made", || reset(&mut guest));
    shown.show("app_3 it is switched off by its button within a minute", || {
        guest.power_off();
        String::new()
    });
}

/// There is a call that is talked in, whatever came before.
fn talk(guest: &mut Guest, house: &mut House) {
    if guest.view().is_some_and(|view| call_in(&view, CallState::Talking)) {
        return;
    }
    house.hang_up(guest);
    house.tomas.dial("5550100");
    guest.wait_view("a call that rings", SOON, |view| call_in(view, CallState::Ringing));
    guest.ctl("answer");
    house.tomas.expect("CALL_ESTABLISHED", SOON);
    guest.wait_view("a call that is talked in", SOON, |view| call_in(view, CallState::Talking));
}

fn call_in(view: &View, state: CallState) -> bool {
    view.incoming.iter().any(|call| call.state == state)
}

/// The call rings on the screen; the green button is touched.
fn touch(guest: &mut Guest, house: &mut House, wire: &Wire) -> String {
    let dialled = Instant::now();
    house.tomas.dial("5550100");
    // The card grows when it is known who calls: the button is where it was a look before.
    let mut last = None;
    let button = guest.wait_picture("a ringing call with its button", SOON, |picture| {
        picture.areas(CALLS, RINGING, (200, 40)).first()?;
        let button = picture.areas(CALLS, GREEN, (80, 30)).into_iter().next();
        let before = std::mem::replace(&mut last, button);
        button.filter(|_| before == button)
    });
    let rang = dialled.elapsed();
    guest.keep("ringing");
    // A person touches again when nothing happens; how often is printed.
    let mut touches = 0;
    let mut touched = Instant::now();
    wait::within(SOON, || {
        touches += 1;
        touched = Instant::now();
        guest.touch(button.centre());
        wait::within(AGAIN, || guest.view().filter(|view| call_in(view, CallState::Talking)))
    });
    let answered = touched.elapsed();
    established(house, wire, dialled);
    guest.wait_picture("a call that is talked in", SOON, |picture| {
        picture.areas(CALLS, TALKING, (200, 40)).into_iter().next()
    });
    format!(
        "seen after {:.1} s, answered by touch {touches} and seen so {:.2} s after it; {}",
        rang.as_secs_f64(),
        answered.as_secs_f64(),
        guest.keep("talking").display()
    )
}

/// The caller's telephone says that it talks; otherwise what was on the wire is printed.
fn established(house: &mut House, wire: &Wire, dialled: Instant) {
    let end = Instant::now() + SOON;
    while let Some(event) = house.tomas.next_event(end.saturating_duration_since(Instant::now())) {
        if event["type"] == "CALL_ESTABLISHED" {
            return;
        }
    }
    panic!("the caller's telephone does not talk; on the wire:\n{}", wire.sip(dialled));
}

fn hears(guest: &Guest) -> String {
    let part = Duration::from_millis(500);
    let tone = wait::within(SOON, || {
        let heard = guest.sound()?.tail(part);
        heard.is_tone(A_TONE).then_some(heard)
    });
    let heard = guest.sound().map(|all| all.tail(part));
    let share = heard.as_ref().map_or(0.0, |heard| heard.share(A_TONE));
    let level = heard.as_ref().map_or(0.0, |heard| heard.level());
    assert!(tone.is_some(), "no {A_TONE} Hz: share {share:.2}, level {level:.0}");
    format!("{A_TONE} Hz has {:.0} % of its energy", 100.0 * tone.map_or(0.0, |heard| heard.share(A_TONE)))
}

fn kill_screen(guest: &mut Guest, wire: &Wire) -> String {
    let begun = Instant::now();
    thread::sleep(USUAL);
    let killed = Instant::now();
    let usual = wire.speech(begun, killed);
    assert!(usual.packets > 0, "nobody speaks");
    let came = screens_that_came(guest);
    guest.succeed("kill -9 $(pidof frontdesk-ui)");
    guest.wait_for("another screen at the desk", SOON, |guest| {
        (screens_that_came(guest) > came).then_some(())
    });
    // What the killed one drew stays until the new one draws; there the clock of the call stands still.
    let left = wait::until("a picture of the display", SOON, || guest.picture());
    guest.wait_picture("the same call on a new screen", SOON, |picture| {
        let talking = picture.areas(CALLS, TALKING, (200, 40)).into_iter().next();
        talking.filter(|_| !is_same(&left, picture, HEADER))
    });
    let back = killed.elapsed();
    let after = wire.speech(killed, Instant::now());
    let figures = format!(
        "{} packets, {} missing, longest time between two {:.0} ms (before: {:.0} ms, {} missing of {}); the call on a new screen \
         after {:.1} s",
        after.packets,
        after.missing,
        after.longest.as_secs_f64() * 1e3,
        usual.longest.as_secs_f64() * 1e3,
        usual.missing,
        usual.packets,
        back.as_secs_f64(),
    );
    assert!(after.missing == 0 && after.longest <= NO_GAP.max(usual.longest * 2), "{figures}");
    figures
}

/// How many screens have come to the desk since the box was started.
fn screens_that_came(guest: &mut Guest) -> usize {
    let came = guest.run("journalctl -b -u frontdeskd | grep -c 'client connected program=\"frontdesk-ui\"'");
    came.text.trim().parse().expect("a number")
}

fn is_same(one: &Picture, other: &Picture, region: Area) -> bool {
    let mut points = (region.y..region.y + region.height)
        .flat_map(|y| (region.x..region.x + region.width).map(move |x| (x, y)));
    points.all(|(x, y)| one.at(x, y) == other.at(x, y))
}

/// To the directory, to its first, who is Ingrid; the menu of transfers, and its first row.
fn keypad(guest: &mut Guest, house: &mut House) -> String {
    guest.keys(&["kp_5", "kp_7", "kp_add"]);
    let menu =
        wait::within(SOON / 3, || plate_text(&guest.picture()?).filter(|text| text.contains("Transfer")));
    if menu.is_none() {
        let picture = guest.keep("no-menu");
        panic!("no menu of transfers; see {}\n{}", picture.display(), way_of_keys(guest));
    }
    guest.keep("transfer");
    guest.keys(&["kp_enter"]);
    house.ingrid.expect("CALL_INCOMING", SOON);
    house.ingrid.accept();
    house.ingrid.hears(A_TONE);
    house.ingrid.hang_up();
    guest.keys(&["kp_5"]);
    guest.wait_view("no call", SOON, |view| view.incoming.is_empty());
    "Ingrid hears Tomas".to_owned()
}

/// How far a key comes: for what went wrong.
fn way_of_keys(guest: &mut Guest) -> String {
    guest.run(
        "for event in /dev/input/event*; do timeout 8 stdbuf -o0 od -A n -t x1 -w24 $event >/run/${event##*/}.keys & done; sleep 1",
    );
    guest.keys(&["kp_6", "kp_4"]);
    thread::sleep(Duration::from_secs(8));
    let said = guest.run(
        "head -c 1000 /run/*.keys; for device in /sys/class/input/event*; do echo \"${device##*/} $(cat $device/device/name)\"; \
         udevadm info --query=property --name=/dev/input/${device##*/} | grep -E 'ID_INPUT|LIBINPUT|SEAT|TAGS'; done; \
         for name in cage frontdesk-ui seatd frontdesk-controls; do echo $name; ls -l /proc/$(pidof $name)/fd | grep -o 'input/.*'; done; \
         journalctl -b --no-pager -o short-monotonic -u frontdesk-controls -u frontdesk-ui -u seatd | tail -40",
    );
    said.text
}

fn lift(guest: &mut Guest, house: &mut House) -> String {
    handset::plug(guest);
    guest.wait_for("the handset's file", SOON, |guest| {
        (guest.run("ls /dev/hidraw*; journalctl -u frontdesk-controls | grep -c 'test handset'").text)
            .contains("1")
            .then_some(())
    });
    handset::lamps(guest);
    house.hang_up(guest);
    house.tomas.dial("5550100");
    let lit = guest.wait_for("the lamp that it rings", SOON, |guest| {
        let lamps = handset::lamps(guest);
        lamps.iter().any(|lamp| lamp & handset::RING != 0).then_some(lamps)
    });
    handset::lift(guest, true);
    house.tomas.expect("CALL_ESTABLISHED", SOON);
    let talks = guest.wait_for("the lamp of a call", SOON, |guest| {
        let lamps = handset::lamps(guest);
        lamps.iter().any(|lamp| lamp & handset::OFF_HOOK != 0).then_some(lamps)
    });
    handset::lift(guest, false);
    house.tomas.expect("CALL_CLOSED", SOON);
    guest.wait_view("no call", SOON, |view| view.incoming.is_empty());
    format!("lamps {lit:?} while it rang, {talks:?} while it talked")
}

fn kill_desk(guest: &mut Guest, house: &mut House, wire: &Wire) -> String {
    house.hang_up(guest);
    let killed = Instant::now();
    guest.succeed("kill -9 $(pidof frontdeskd)");
    let taken = guest.wait_for("that it is registered again", SOON, |_| {
        wire.first(killed, |datagram| !datagram.is_from_box && datagram.is_sip("SIP/2.0 200", " REGISTER"))
    });
    let back = taken.at.duration_since(killed);
    house.registered(guest);
    house.tomas.dial("5550100");
    guest.wait_view("a call that rings again", SOON, |view| call_in(view, CallState::Ringing));
    house.hang_up(guest);
    let figures =
        format!("{:.2} s from the kill to the exchange's 200, and calls come in again", back.as_secs_f64());
    assert!(back < BACK, "{figures}");
    figures
}

/// The slot was started once more than it was marked good, which is no reason to leave it.
fn panic(guest: &mut Guest) -> String {
    let (before, resets) = (guest.boot_id(), guest.resets());
    guest.tell("echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger");
    guest.wait_reboot(&before, BOOT);
    let again = guest.resets() - resets;
    assert!(again > 0, "another start without a reset");
    guest.wait_view("a desk", BOOT, |_| true);
    format!("{again} resets, {} by the watchdog, and the desk answers again", guest.watchdogs())
}

/// F8, held from before the start until ten seconds after it is heard. A keyboard that is pulled out with it down resets nothing;
/// on another one it is let go: nothing is left of what was set up, and the box is there to be set up again.
fn reset(guest: &mut Guest) -> String {
    guest.wait_view("a desk", BOOT, |_| true);
    let there = |guest: &mut Guest| guest.ctl("contacts --limit 500").contains("Solberg");
    assert!(there(guest), "nobody is in the directories, so nobody could be missed");
    let held = guest.reboot_holding("f8", BOOT);
    let heard = |times: usize| {
        format!("[ $(journalctl -b -u frontdesk-controls | grep -c 'a device came.*a keypad') -ge {times} ]")
    };
    guest.hold_until("f8", &heard(1), HELD);
    guest.pull(KEYBOARD);
    guest.wait_for("that the keyboard is gone", SOON, |guest| {
        (guest.run("journalctl -b -u frontdesk-controls | grep -q 'a device went'").status == 0).then_some(())
    });
    // What is not to happen would happen a second later.
    thread::sleep(Duration::from_secs(3));
    assert_eq!(guest.boot_id(), held, "a keyboard that was pulled out reset the box");
    guest.plug_keyboard();
    guest.hold_until("f8", &heard(2), HELD);
    let up = guest.succeed("cut -d. -f1 /proc/uptime");
    guest.let_go("f8");
    // It has been heard, and the box starts once more.
    guest.wait_for(
        &format!("another start; the key was let go {} s after the kernel began", up.trim()),
        BOOT,
        |guest| {
            let said = guest.try_run("cat /proc/sys/kernel/random/boot_id", Duration::from_secs(5))?;
            (said.status == 0 && said.text != held).then_some(())
        },
    );
    guest.wait_view("the code of the first set-up", BOOT, |view| view.setup.is_some());
    let said = guest.run("journalctl -b -o short-monotonic --no-pager -u frontdesk-data");
    assert!(!there(guest), "contacts of before: {}", said.text);
    let line = said.text.lines().find(|line| line.contains("factory reset (key)"));
    line.unwrap_or_else(|| panic!("it was not for the key: {}", said.text)).to_owned()
}

/// When what was there, by the kernel's clock, and what cost most.
fn timeline(guest: &mut Guest, times: &[(&str, Duration)]) -> String {
    let mut words = String::new();
    for (what, at) in times {
        words += &format!("\n        {:6.1} s from the switch  {what}", at.as_secs_f64());
    }
    let said = guest.run(
        "systemd-analyze; for unit in data.mount frontdesk-data seatd frontdeskd frontdesk-ui; do \
         echo \"$unit $(systemctl show -P ActiveEnterTimestampMonotonic $unit)\"; done; \
         journalctl -o short-monotonic -b --no-pager | grep -m1 -E 'client connected.*frontdesk-ui'; \
         systemd-analyze blame --no-pager | head -15; systemd-analyze critical-chain --no-pager frontdesk-ui.service | tail -15; \
         journalctl -b -u frontdeskd --no-pager -o short-monotonic | grep -E ' (WARN|ERROR) ' | tail -20",
    );
    for line in said.text.lines() {
        words += &format!("\n        {line}");
    }
    words
}
