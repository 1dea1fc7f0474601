//! `frontdesk-controls` with the input devices of a real kernel: a made-up headset, handset and keypad, and a desk that
//! writes down what it is told (`firmware/controls/examples/guest.rs`). Here where this machine lets us make devices, else
//! in a machine in QEMU.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::program::Program;
use frontdesk_tests::{repository, wait};

const SOON: Duration = Duration::from_secs(20);
/// It boots in 20 s, emulated, and needs a minute for all of it.
const LIMIT: Duration = Duration::from_secs(220);

/// What has to be shown, by the names that the program prints.
const SHOWN: [&str; 19] = [
    "hw_2 call_12 a keypad that is back has the NumLock of the screen, a screen that is back has none",
    "hw_1 a handset that was off the hook when it came hangs up when it is put down",
    "hw_1 a headset is found",
    "hw_1 the headset rings",
    "hw_1 its button answers",
    "hw_1 mute and its lamp",
    "hw_1 digits and the held button",
    "hw_1 a hook that chatters hangs up once",
    "hw_1 its echo is no press",
    "hw_1 a short report does no harm",
    "hw_1 a handset with keys beside the headset",
    "hw_3 a headset pulled in mid-call is told of the call when it is back, and hangs it up",
    "call_12 a keypad's keys reach the screen under names that it knows",
    "hw_2 nobody else sees them",
    "hw_2 call_12 without a screen the same keys do what needs none",
    "call_12 remapped keys are remapped without a screen too",
    "hw_2 a keypad pulled with a key down, and back",
    "hw_1 without a desk no lamp is lit",
    "hw_1 a desk that was away is served again",
];

#[test]
fn hw_1_hw_2_call_12_headset_handset_and_keypad_of_a_real_kernel_are_heard_and_show_the_desk() {
    let folder = tempfile::tempdir().unwrap();
    let controls = repository::program("frontdesk-controls");
    let guest = controls.with_file_name("examples").join("guest");
    let may_make = |path: &str| OpenOptions::new().read(true).write(true).open(path).is_ok();
    let said = if may_make("/dev/uhid") && may_make("/dev/uinput") {
        let mut program = Program::start("guest", Command::new(&guest), folder.path());
        program.wait(LIMIT);
        program.log()
    } else {
        in_a_machine(&guest, &controls, folder.path())
    };
    for shown in SHOWN {
        assert!(said.lines().any(|line| line == format!("PASS {shown}")), "{shown}: not shown\n{said}");
    }
    assert!(said.lines().any(|line| line == "DONE"), "{said}");
}

#[test]
fn hw_2_the_desk_says_whether_there_is_a_screen_and_the_controls_find_their_desk_again() {
    let mut house = House::build(Digest::Md5);
    house.client.wait("no screen", SOON, |view| !view.screen);
    let screens = [house.desk.client_as(ipc::SCREEN), house.desk.client_as(ipc::SCREEN)];
    house.client.wait("a screen", SOON, |view| view.screen);
    let [one, other] = screens;
    drop(one);
    drop(other);
    house.client.wait("no screen any more", SOON, |view| !view.screen);

    let mut command = Command::new(repository::program("frontdesk-controls"));
    command.arg("--socket").arg(&house.desk.socket);
    let mut controls = Program::start("frontdesk-controls", command, house.folder());
    controls.wait_log("connected to the desk", SOON);
    assert!(house.desk.program.terminate(SOON).success());
    controls.wait_log("the desk cannot be reached", SOON);
    house.desk.start_again();
    let again = || (controls.log().matches("connected to the desk").count() == 2).then_some(());
    wait::until("the controls at the desk again", SOON, again);
    assert_eq!(controls.exit_status(), None, "{}", controls.log());
}

/// Runs it as the only program of a machine.
fn in_a_machine(guest: &Path, controls: &Path, folder: &Path) -> String {
    let prepared =
        Command::new(repository::root().join(".ci/hotplug")).arg(guest).arg(folder).arg(controls).status();
    assert!(prepared.is_ok_and(|status| status.success()), ".ci/hotplug prepares the machine");
    let console = folder.join("console");
    let mut command = Command::new("qemu-system-x86_64");
    command.args("-nodefaults -M q35 -accel tcg,thread=multi -cpu max -smp 2 -m 768".split(' '));
    command.args(["-display", "none", "-no-reboot"]);
    command.arg("-chardev").arg(format!("file,id=console,path={}", console.display()));
    command.args(["-serial", "chardev:console"]);
    command.arg("-kernel").arg(folder.join("vmlinuz")).arg("-initrd").arg(folder.join("initrd"));
    command.args(["-append", "console=ttyS0 quiet loglevel=3 panic=-1"]);
    let mut machine = Program::start("qemu", command, folder);
    let ended = wait::within(LIMIT, || machine.exit_status());
    let said = String::from_utf8_lossy(&fs::read(&console).unwrap_or_default()).replace('\r', "");
    assert!(ended.is_some(), "the machine is not done after {LIMIT:?}\n{said}");
    said
}
