//! A box in QEMU: the image's disk with UEFI, a virtio screen, a multitouch panel, a USB keyboard, a sound card whose sound
//! is a file, a hardware watchdog and a wire of the lab.
//!
//! It is driven from outside as a person or a peer would: fingers, keys, pictures, packets, the plug. Beside that an image
//! made by `build --development` runs scripts for root over a port of its own ([`Guest::run`]): to prepare, to break, and to
//! look. Without KVM everything is emulated and ten times as slow as a board.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use frontdesk_tests::picture::Picture;
use frontdesk_tests::program::Program;
use frontdesk_tests::sound::Recording;
use frontdesk_tests::wait;
use ipc::View;
use serde_json::json;

use crate::lab::Lab;
use crate::monitor::Monitor;

/// Width and height of its screen in pixels.
pub(crate) const SCREEN: (usize, usize) = (1280, 800);
/// How long it may take from the switch to commands.
pub(crate) const BOOT: Duration = Duration::from_secs(420);
/// How long a script may run, and anything else may take that is asked for.
pub(crate) const SOON: Duration = Duration::from_secs(90);
/// Its keyboard, by QEMU's name.
pub(crate) const KEYBOARD: &str = "keyboard";
/// How long a finger stays.
const HOLD: Duration = Duration::from_millis(150);

/// A disk that begins as the image and keeps what is written.
#[derive(Debug)]
pub(crate) struct Disk {
    /// The file, in QEMU's own format.
    pub(crate) path: PathBuf,
}

impl Disk {
    /// One that begins as `image`, a raw disk.
    #[track_caller]
    pub(crate) fn of(image: &Path, folder: &Path, name: &str) -> Self {
        Self::of_size(image, folder, name, None)
    }

    /// Likewise, on a disk of that size in QEMU's words (`3G`), as a box has one: the data partition grows.
    #[track_caller]
    pub(crate) fn of_size(image: &Path, folder: &Path, name: &str, size: Option<&str>) -> Self {
        let path = folder.join(format!("{name}.qcow2"));
        let mut command = Command::new("qemu-img");
        command.args(["create", "-q", "-f", "qcow2", "-F", "raw", "-b"]).arg(image).arg(&path).args(size);
        let made = command.status().expect("qemu-img is installed (package qemu-utils)");
        assert!(made.success(), "qemu-img makes {}", path.display());
        Self { path }
    }
}

/// What a script printed, and how it ended.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    /// 0 when it went well.
    pub(crate) status: i32,
    /// Both streams.
    pub(crate) text: String,
}

/// See the module. It is switched off, without a farewell, when this is dropped.
#[derive(Debug)]
pub(crate) struct Guest {
    /// QEMU.
    pub(crate) program: Program,
    /// When it was switched on.
    pub(crate) started: Instant,
    monitor: Monitor,
    shell: UnixStream,
    unread: Vec<u8>,
    number: u64,
    folder: PathBuf,
    pictures: PathBuf,
}

impl Guest {
    /// Switches it on; nothing is waited for.
    #[track_caller]
    pub(crate) fn boot(lab: &Lab, disk: &Disk) -> Self {
        Self::boot_on(lab, &format!("file={},format=qcow2", disk.path.display()), &[])
    }

    /// Likewise, with a drive in QEMU's words, and more arguments.
    #[track_caller]
    pub(crate) fn boot_on(lab: &Lab, drive: &str, more: &[&str]) -> Self {
        let folder = lab.next_folder();
        let place = |name: &str| folder.join(name);
        fs::copy("/usr/share/OVMF/OVMF_VARS_4M.fd", place("vars")).expect("OVMF is installed (package ovmf)");
        let mut command = Command::new("qemu-system-x86_64");
        command
            .args("-nodefaults -M q35,i8042=off -smp 2 -m 1024 -display none -accel".split(' '))
            .arg(lab.accelerator);
        command.args(["-cpu", if lab.accelerator == "kvm" { "host" } else { "max" }]);
        command.args(["-drive", "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd"]);
        command.arg("-drive").arg(format!("if=pflash,format=raw,file={}", place("vars").display()));
        command.arg("-drive").arg(format!("if=none,id=disk,{drive}"));
        command.args("-device virtio-blk-pci,drive=disk,bootindex=0 -device virtio-rng-pci".split(' '));
        command.arg("-chardev").arg(format!("file,id=console,path={}", place("console").display()));
        command.args("-serial chardev:console -qmp".split(' '));
        command.arg(format!("unix:{},server=on,wait=off", place("monitor").display()));
        command
            .arg("-chardev")
            .arg(format!("socket,id=shell,path={},server=on,wait=off", place("shell").display()));
        command.args("-device virtio-serial-pci -device".split(' '));
        command.arg("virtserialport,chardev=shell,name=frontdesk.test");
        command.arg("-device").arg(format!("virtio-gpu-pci,id=gpu,xres={},yres={}", SCREEN.0, SCREEN.1));
        command.args("-device virtio-multitouch-pci -device qemu-xhci,id=usb".split(' '));
        command.args(["-device", &format!("usb-kbd,bus=usb.0,id={KEYBOARD}")]);
        command
            .arg("-audiodev")
            .arg(format!("wav,id=sound,path={},out.frequency=48000", place("sound.wav").display()));
        command.args("-device ich9-intel-hda -device hda-output,audiodev=sound".split(' '));
        command.args("-device i6300esb -action watchdog=reset -netdev".split(' '));
        command.arg(format!("tap,id=wire,ifname={},script=no,downscript=no", crate::lab::WIRE));
        command.arg("-device").arg(format!("virtio-net-pci,netdev=wire,romfile=,mac={}", crate::lab::MAC));
        command.args(more);
        let program = Program::start("qemu", command, &folder);
        let started = Instant::now();
        let monitor = Monitor::connect(&place("monitor"));
        let shell = wait::until("the port of commands", SOON, || UnixStream::connect(place("shell")).ok());
        let pictures = lab.pictures.clone();
        Self { program, started, monitor, shell, unread: Vec::new(), number: 0, folder, pictures }
    }

    /// Waits until it runs scripts: the kernel and the first services are there.
    #[track_caller]
    pub(crate) fn wait_shell(&mut self, limit: Duration) {
        let answers = wait::within(limit, || {
            assert!(self.program.exit_status().is_none(), "QEMU ended: {}", self.program.log());
            self.try_run("true", Duration::from_secs(15)).map(drop)
        });
        if answers.is_none() {
            let picture = self.keep("no-start");
            panic!("it does not start within {limit:?}; see {}\n{}", picture.display(), self.console());
        }
    }

    /// Runs a script as root, in a shell that stays the same, and gives back what came of it.
    #[track_caller]
    pub(crate) fn run(&mut self, script: &str) -> Said {
        self.try_run(script, SOON).unwrap_or_else(|| panic!("no answer to {script:?}\n{}", self.console()))
    }

    /// Likewise, with the status 0.
    #[track_caller]
    pub(crate) fn succeed(&mut self, script: &str) -> String {
        let said = self.run(script);
        assert!(said.status == 0, "{script:?} ends with {}: {}", said.status, said.text);
        said.text
    }

    /// Likewise, within `limit`; `None` when no answer comes.
    pub(crate) fn try_run(&mut self, script: &str, limit: Duration) -> Option<Said> {
        let number = self.tell(script)?;
        let end = Instant::now() + limit;
        loop {
            while let Some(line) = self.next_line() {
                let mut words = line.splitn(3, ' ');
                // What was asked before a restart may still be answered.
                if words.next() == Some(number.to_string().as_str()) {
                    let status = words.next()?.parse().ok()?;
                    let text = STANDARD.decode(words.next().unwrap_or_default()).ok()?;
                    return Some(Said { status, text: String::from_utf8_lossy(&text).into_owned() });
                }
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || !self.read_more(left) {
                return None;
            }
        }
    }

    /// Has it run a script and waits for nothing: for what ends the machine.
    pub(crate) fn tell(&mut self, script: &str) -> Option<u64> {
        self.number += 1;
        let line = format!("{} {}\n", self.number, STANDARD.encode(script));
        self.shell.write_all(line.as_bytes()).ok().map(|()| self.number)
    }

    /// Puts a file there.
    #[track_caller]
    pub(crate) fn put(&mut self, path: &str, bytes: &[u8]) {
        self.succeed(&format!(": >{path}"));
        // A line of the shell is read whole; a bundle goes over the network instead.
        for part in bytes.chunks(48_000) {
            self.succeed(&format!("base64 -d >>{path} <<<'{}'", STANDARD.encode(part)));
        }
    }

    /// Plugs a stick in whose content is this file, under a name of its own.
    #[track_caller]
    pub(crate) fn plug(&mut self, name: &str, image: &Path) {
        let file = json!({ "driver": "file", "filename": image, "read-only": true });
        let drive = json!({ "driver": "raw", "node-name": name, "read-only": true, "file": file });
        self.monitor.run("blockdev-add", &drive);
        let stick = json!({ "driver": "usb-storage", "bus": "usb.0", "id": name, "drive": name });
        self.monitor.run("device_add", &stick);
    }

    /// Plugs a keyboard in, in place of one that was pulled out.
    #[track_caller]
    pub(crate) fn plug_keyboard(&mut self) {
        self.monitor.run("device_add", &json!({ "driver": "usb-kbd", "bus": "usb.0", "id": KEYBOARD }));
    }

    /// Pulls it out.
    #[track_caller]
    pub(crate) fn pull(&mut self, name: &str) {
        self.monitor.run("device_del", &json!({ "id": name }));
    }

    /// The desk as its socket shows it; `None` while it does not answer.
    pub(crate) fn view(&mut self) -> Option<View> {
        let said = self.try_run("timeout 20 frontdesk-ctl view", SOON)?;
        serde_json::from_str(said.text.lines().next()?).ok()
    }

    /// Runs `frontdesk-ctl` and gives back what it printed.
    #[track_caller]
    pub(crate) fn ctl(&mut self, arguments: &str) -> String {
        self.succeed(&format!("timeout 60 frontdesk-ctl {arguments}"))
    }

    /// Waits until the desk shows what is wanted.
    #[track_caller]
    pub(crate) fn wait_view(&mut self, what: &str, limit: Duration, wanted: impl Fn(&View) -> bool) -> View {
        let mut last = None;
        let found = wait::within(limit, || {
            last = self.view();
            last.clone().filter(|view| wanted(view))
        });
        found.unwrap_or_else(|| panic!("the desk does not show {what} within {limit:?}: {last:#?}"))
    }

    /// Looks until `look` finds something.
    #[track_caller]
    pub(crate) fn wait_for<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut look: impl FnMut(&mut Self) -> Option<T>,
    ) -> T {
        wait::within(limit, || look(self))
            .unwrap_or_else(|| panic!("waited {limit:?} in vain for {what}\n{}", self.console()))
    }

    /// A finger comes down at a pixel of the screen and goes up.
    pub(crate) fn touch(&mut self, (x, y): (usize, usize)) {
        let place = (x as f64 / SCREEN.0 as f64, y as f64 / SCREEN.1 as f64);
        self.monitor.finger(place, true);
        // A person's finger: shorter ones fall between two looks of an emulated panel.
        thread::sleep(HOLD);
        self.monitor.finger(place, false);
    }

    /// Presses keys of the keyboard one after the other, by QEMU's names.
    pub(crate) fn keys(&mut self, names: &[&str]) {
        for name in names {
            self.monitor.key(name);
            // What follows too fast is the chatter of a contact.
            thread::sleep(2 * HOLD);
        }
    }

    /// Starts it anew while somebody holds a key down, by QEMU's name of it, which stays down. Gives back which start
    /// that is, once it runs scripts again.
    #[track_caller]
    pub(crate) fn reboot_holding(&mut self, key: &str, limit: Duration) -> String {
        let before = self.boot_id();
        self.tell("systemctl reboot");
        self.wait_for("another start", limit, |guest| {
            // A keyboard that is set up anew has forgotten what is down.
            guest.monitor.press(key, true);
            let said = guest.try_run("cat /proc/sys/kernel/random/boot_id", Duration::from_secs(1))?;
            (said.status == 0 && said.text != before).then_some(said.text)
        })
    }

    /// Goes on holding it until this script succeeds, and for `more` after that.
    #[track_caller]
    pub(crate) fn hold_until(&mut self, key: &str, script: &str, more: Duration) {
        self.wait_for(script, SOON, |guest| {
            guest.monitor.press(key, true);
            (guest.run(script).status == 0).then_some(())
        });
        let end = Instant::now() + more;
        while Instant::now() < end {
            self.monitor.press(key, true);
            thread::sleep(Duration::from_secs(1));
        }
    }

    /// It is let go.
    pub(crate) fn let_go(&mut self, key: &str) {
        self.monitor.press(key, false);
    }

    /// What is on the screen now.
    pub(crate) fn picture(&mut self) -> Option<Picture> {
        let path = self.folder.join("screen.png");
        self.dump(&path);
        Picture::decode(&fs::read(path).ok()?).ok()
    }

    /// Keeps what is on the screen now as `target/image/pictures/NAME.png`.
    pub(crate) fn keep(&mut self, name: &str) -> PathBuf {
        let path = self.pictures.join(format!("{name}.png"));
        self.dump(&path);
        path
    }

    /// Looks at the screen until `find` finds something.
    #[track_caller]
    pub(crate) fn wait_picture<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut find: impl FnMut(&Picture) -> Option<T>,
    ) -> T {
        let found = wait::within(limit, || find(&self.picture()?));
        found.unwrap_or_else(|| {
            let path = self.keep("failure");
            panic!("the screen does not show {what} within {limit:?}; see {}", path.display())
        })
    }

    /// What its sound card has played since it was switched on.
    pub(crate) fn sound(&self) -> Option<Recording> {
        Recording::read(&self.folder.join("sound.wav"))
    }

    /// How often the machine was reset since it was switched on.
    pub(crate) fn resets(&mut self) -> usize {
        self.monitor.run("query-status", &serde_json::json!({}));
        self.monitor.resets
    }

    /// How often its hardware watchdog did that.
    pub(crate) fn watchdogs(&mut self) -> usize {
        self.monitor.run("query-status", &serde_json::json!({}));
        self.monitor.watchdogs
    }

    /// Which start of its kernel this is: another after each.
    #[track_caller]
    pub(crate) fn boot_id(&mut self) -> String {
        self.succeed("cat /proc/sys/kernel/random/boot_id")
    }

    /// Waits until it has been started anew since `before` (a [`Guest::boot_id`]), and runs scripts again.
    #[track_caller]
    pub(crate) fn wait_reboot(&mut self, before: &str, limit: Duration) {
        self.wait_for("another start", limit, |guest| {
            let said = guest.try_run("cat /proc/sys/kernel/random/boot_id", Duration::from_secs(15))?;
            (said.status == 0 && said.text != before).then_some(())
        });
    }

    /// Switches it off as its button does, and waits until it is.
    #[track_caller]
    pub(crate) fn power_off(mut self) {
        self.monitor.run("system_powerdown", &serde_json::json!({}));
        self.program.wait(SOON);
    }

    /// The plug is pulled.
    pub(crate) fn power_cut(mut self) {
        self.program.kill();
    }

    /// What it said on its serial line.
    pub(crate) fn console(&self) -> String {
        let bytes = fs::read(self.folder.join("console")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).replace('\r', "")
    }

    fn dump(&mut self, path: &Path) {
        let arguments = serde_json::json!({ "filename": path, "format": "png", "device": "gpu", "head": 0 });
        self.monitor.run("screendump", &arguments);
    }

    fn next_line(&mut self) -> Option<String> {
        let end = self.unread.iter().position(|byte| *byte == b'\n')?;
        let line: Vec<u8> = self.unread.drain(..=end).collect();
        Some(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    /// Blocks until bytes have come, for at most `limit`; `false` when the port is closed.
    fn read_more(&mut self, limit: Duration) -> bool {
        let limit = limit.clamp(Duration::from_millis(1), Duration::from_millis(500));
        self.shell.set_read_timeout(Some(limit)).expect("a timeout above zero can be set");
        let mut bytes = [0; 65_536];
        match self.shell.read(&mut bytes) {
            Ok(0) => false,
            Ok(length) => {
                self.unread.extend_from_slice(&bytes[..length]);
                true
            }
            Err(error) => {
                matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
            }
        }
    }
}
