//! A machine with two slots for the real RAUC: files in the place of partitions, GRUB's own environment file, a D-Bus of its
//! own, an authority that the machine trusts and a stranger.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::program::Program;
use crate::wait;

/// What bundles must be made for.
pub const COMPATIBLE: &str = "frontdesk-test";
/// Size of a slot's image, in bytes.
const IMAGE: usize = 300_000;
/// Starting and asking it.
const SOON: Duration = Duration::from_secs(30);

/// See the module.
#[derive(Debug)]
pub struct Slots {
    folder: PathBuf,
    service: Option<Program>,
    _bus: Program,
}

impl Slots {
    /// Sets it up below `scratch`; slot A runs.
    ///
    /// # Panics
    /// When something is not installed, or does not come up.
    #[must_use]
    #[track_caller]
    pub fn set_up(scratch: &Path) -> Self {
        let folder = scratch.join("slots");
        fs::create_dir_all(folder.join("mounts")).expect("the scratch folder is writable");
        for (name, subject) in [("maker", "/CN=Maker of boxes"), ("stranger", "/CN=Somebody else")] {
            let mut openssl = Command::new("openssl");
            openssl.args("req -x509 -newkey rsa:2048 -nodes -days 36500 -subj".split(' ')).arg(subject);
            openssl.arg("-keyout").arg(folder.join(format!("{name}.key")));
            openssl.arg("-out").arg(folder.join(format!("{name}.pem")));
            succeed("openssl", openssl);
        }
        for slot in ["a", "b"] {
            fs::write(folder.join(slot), vec![0; 2 * IMAGE]).expect("the scratch folder is writable");
        }
        let at = |name: &str| folder.join(name).display().to_string();
        let configuration = format!(
            "[system]\ncompatible={COMPATIBLE}\nbootloader=grub\ngrubenv={}\nstatusfile={}\nmountprefix={}\n\
             bundle-formats=plain verity\n[keyring]\npath={}\n\
             [slot.rootfs.0]\ndevice={}\ntype=raw\nbootname=A\n\
             [slot.rootfs.1]\ndevice={}\ntype=raw\nbootname=B\n",
            at("grubenv"),
            at("status"),
            at("mounts"),
            at("maker.pem"),
            at("a"),
            at("b"),
        );
        fs::write(folder.join("system.conf"), configuration).expect("the scratch folder is writable");
        for arguments in [&["create"][..], &["set", "ORDER=A B", "A_OK=1", "A_TRY=0", "B_OK=0", "B_TRY=0"]] {
            let mut editor = Command::new("grub-editenv");
            editor.arg(folder.join("grubenv")).args(arguments);
            succeed("grub-editenv", editor);
        }
        let socket = folder.join("bus");
        let mut bus = Command::new("dbus-daemon");
        bus.args(["--session", "--nofork", "--nopidfile"])
            .arg(format!("--address=unix:path={}", socket.display()));
        let bus = Program::start("dbus", bus, &folder);
        wait::until("the D-Bus socket", SOON, || socket.exists().then_some(()));
        let script = format!(
            "#!/bin/sh\nDBUS_SESSION_BUS_ADDRESS=unix:path={}\nDBUS_STARTER_BUS_TYPE=session\n\
             export DBUS_SESSION_BUS_ADDRESS DBUS_STARTER_BUS_TYPE\nexec rauc --conf={} \"$@\"\n",
            socket.display(),
            at("system.conf"),
        );
        fs::write(folder.join("rauc"), script).expect("the scratch folder is writable");
        fs::set_permissions(folder.join("rauc"), fs::Permissions::from_mode(0o755)).expect("our own file");
        let mut slots = Self { folder, service: None, _bus: bus };
        slots.boot("A");
        slots
    }

    /// RAUC for this machine, as a program.
    #[must_use]
    pub fn program(&self) -> PathBuf {
        self.folder.join("rauc")
    }

    /// As after a start of this slot.
    ///
    /// # Panics
    /// When RAUC's service does not come up.
    #[track_caller]
    pub fn boot(&mut self, slot: &str) {
        if let Some(mut before) = self.service.take() {
            before.terminate(SOON);
        }
        let mut command = Command::new(self.program());
        command.arg(format!("--override-boot-slot={slot}")).arg("service");
        self.service = Some(Program::start("rauc", command, &self.folder));
        wait::until("rauc's service", SOON, || {
            let asked = Command::new(self.program())
                .arg("status")
                .output()
                .expect("rauc is installed (package rauc)");
            asked.status.success().then_some(())
        });
    }

    /// GRUB's environment, as its own tool shows it.
    ///
    /// # Panics
    /// When it cannot be read.
    #[must_use]
    #[track_caller]
    pub fn grub(&self) -> String {
        let mut editor = Command::new("grub-editenv");
        editor.arg(self.folder.join("grubenv")).arg("list");
        succeed("grub-editenv", editor)
    }

    /// What is in a slot, as long as an image.
    ///
    /// # Panics
    /// When it cannot be read.
    #[must_use]
    #[track_caller]
    pub fn content(&self, slot: &str) -> Vec<u8> {
        let mut bytes = fs::read(self.folder.join(slot)).expect("the slot is our file");
        bytes.truncate(IMAGE);
        bytes
    }

    /// Makes a bundle: its file, and the image in it. `signer` is `maker` or `stranger`; `format` is RAUC's word.
    ///
    /// # Panics
    /// When RAUC does not make it.
    #[must_use]
    #[track_caller]
    pub fn bundle(&self, version: &str, compatible: &str, signer: &str, format: &str) -> (PathBuf, Vec<u8>) {
        let work = self.folder.join(format!("bundle-{version}"));
        let file = self.folder.join(format!("{version}.raucb"));
        fs::create_dir_all(&work).expect("the scratch folder is writable");
        // What cannot be compressed, another for each version.
        let mut state =
            version.bytes().fold(1_u64, |seed, byte| seed.wrapping_mul(257).wrapping_add(byte.into()));
        let image: Vec<u8> = (0..IMAGE)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 56) as u8
            })
            .collect();
        fs::write(work.join("root.img"), &image).expect("the scratch folder is writable");
        let manifest = format!(
            "[update]\ncompatible={compatible}\nversion={version}\ndescription=Made by a test\n\n\
             [bundle]\nformat={format}\n\n[image.rootfs]\nfilename=root.img\n"
        );
        fs::write(work.join("manifest.raucm"), manifest).expect("the scratch folder is writable");
        let mut rauc = Command::new("rauc");
        rauc.arg(format!("--cert={}", self.folder.join(format!("{signer}.pem")).display()));
        rauc.arg(format!("--key={}", self.folder.join(format!("{signer}.key")).display()));
        rauc.arg("bundle").arg(&work).arg(&file);
        succeed("rauc bundle", rauc);
        (file, image)
    }
}

#[track_caller]
fn succeed(what: &str, mut command: Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{what}: {error}; is it installed?"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{what}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
