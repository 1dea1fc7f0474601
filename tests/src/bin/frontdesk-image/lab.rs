//! Where the boxes stand: a network of the run's own with one wire to the box, a DHCP server on it, and the folder of what
//! is scratched.

use std::cell::Cell;
use std::fs::{self, OpenOptions};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use frontdesk_tests::program::Program;
use frontdesk_tests::{apart, repository, wait};
use tempfile::TempDir;

/// Our end of the wire.
pub(crate) const HERE: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
/// The box, by DHCP.
pub(crate) const BOX: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
/// What our end is called.
pub(crate) const WIRE: &str = "desk0";
/// The box's own address on the wire.
pub(crate) const MAC: &str = "52:54:00:46:44:01";

/// How long a kernel may take to say something where KVM works: it takes one.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// See the module.
#[derive(Debug)]
pub(crate) struct Lab {
    /// The image, a raw disk.
    pub(crate) image: PathBuf,
    /// `kvm` where it boots a kernel, else `tcg,thread=multi,tb-size=256`.
    pub(crate) accelerator: &'static str,
    /// Where pictures are kept.
    pub(crate) pictures: PathBuf,
    scratch: TempDir,
    folders: Cell<usize>,
    _dhcp: Program,
}

impl Lab {
    /// Sets it up, in a network of our own (see [`apart`]).
    #[track_caller]
    pub(crate) fn set_up(image: &Path) -> Self {
        let scratch = frontdesk_tests::house::scratch();
        let ip = |arguments: &[&str]| {
            apart::run("ip", "iproute2", arguments).unwrap_or_else(|error| panic!("{error}"));
        };
        ip(&["tuntap", "add", "dev", WIRE, "mode", "tap"]);
        ip(&["address", "add", &format!("{HERE}/24"), "dev", WIRE]);
        ip(&["link", "set", WIRE, "up"]);
        let mut command = Command::new("/usr/sbin/dnsmasq");
        command
            .args("--keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root".split(' '));
        command.args(["--bind-interfaces", "--pid-file", "--log-dhcp", "--log-facility=-"]);
        command.arg(format!("--interface={WIRE}")).arg(format!("--dhcp-range={BOX},{BOX},12h"));
        command.arg(format!("--dhcp-leasefile={}", scratch.path().join("leases").display()));
        let dhcp = Program::start("dnsmasq", command, scratch.path());
        let pictures = repository::root().join("target/image/pictures");
        fs::create_dir_all(&pictures).expect("target is ours");
        let accelerator = accelerator(&image.with_file_name("vmlinuz"), scratch.path());
        Self { image: image.to_owned(), accelerator, pictures, scratch, folders: Cell::new(0), _dhcp: dhcp }
    }

    /// The folder of what is scratched.
    pub(crate) fn folder(&self) -> &Path {
        self.scratch.path()
    }

    /// A folder that nobody else has.
    pub(crate) fn next_folder(&self) -> PathBuf {
        let number = self.folders.replace(self.folders.get() + 1);
        let folder = self.scratch.path().join(format!("box-{number}"));
        fs::create_dir(&folder).expect("the scratch folder is writable");
        folder
    }
}

/// `/dev/kvm` may open and still not run a stock kernel: what counts is whether one says a word.
fn accelerator(kernel: &Path, folder: &Path) -> &'static str {
    const EMULATED: &str = "tcg,thread=multi,tb-size=256";
    if OpenOptions::new().read(true).write(true).open("/dev/kvm").is_err() {
        return EMULATED;
    }
    let console = folder.join("kvm-console");
    let mut command = Command::new("qemu-system-x86_64");
    command.args("-nodefaults -M q35 -accel kvm -cpu host -m 256 -display none -no-reboot".split(' '));
    command.arg("-kernel").arg(kernel).args(["-append", "console=ttyS0 panic=-1"]);
    command.arg("-chardev").arg(format!("file,id=console,path={}", console.display()));
    command.args("-serial chardev:console".split(' '));
    let mut machine = Program::start("kvm", command, folder);
    let alive = wait::within(SIGN_OF_LIFE, || {
        let said = fs::read(&console).unwrap_or_default();
        let alive = String::from_utf8_lossy(&said).contains("Linux version");
        (alive || machine.exit_status().is_some()).then_some(alive)
    });
    machine.kill();
    if alive == Some(true) { "kvm" } else { EMULATED }
}
