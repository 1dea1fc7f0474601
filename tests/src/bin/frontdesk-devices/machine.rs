//! The same on a real kernel: a machine in QEMU whose loopback and USB sound cards are pulled in mid-call
//! (`firmware/media/examples/hotplug.rs` runs there), with the figures that it prints.
//!
//! It is emulated without help of the processor, so it is slow and stands still now and then; what is measured meanwhile
//! is left out, and counted.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use frontdesk_tests::program::Program;
use frontdesk_tests::report::{Row, Unit};
use frontdesk_tests::{repository, wait};

/// How long the machine may take for everything; it boots in 20 s.
const LIMIT: Duration = Duration::from_secs(400);
/// The bar of the issue in milliseconds.
const BAR_MS: f64 = 300.0;
/// Who only looks every two seconds needs one on the average until a card that is back is used.
const BACK_MS: f64 = 1000.0;

/// What the machine prints, what it means, and the bar.
const FIGURES: [(&str, &str, f64); 7] = [
    ("loopback out heard", "loopback card pulled: the operator hears nothing for", BAR_MS),
    ("loopback out sent", "loopback card pulled: the far end hears nothing for", BAR_MS),
    ("loopback back after", "loopback card put back: used after", BACK_MS),
    ("loopback in heard", "loopback card put back: the operator hears nothing for", BAR_MS),
    ("loopback in sent", "loopback card put back: the far end hears nothing for", BAR_MS),
    ("usb out heard", "USB card pulled: the operator hears nothing for", BAR_MS),
    ("usb back after", "USB card plugged in: used after", BACK_MS),
];

/// Boots it and adds what it measured.
pub(crate) fn measure(rows: &mut Vec<Row>) {
    let folder = tempfile::tempdir().expect("a folder for what is scratched");
    let example = repository::program("frontdesk-devices").with_file_name("examples/hotplug");
    let prepared =
        Command::new(repository::root().join(".ci/hotplug")).arg(example).arg(folder.path()).status();
    assert!(prepared.is_ok_and(|status| status.success()), ".ci/hotplug prepares the machine");
    let said = run(folder.path());
    let mut figures: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    let mut disturbed: BTreeMap<&str, usize> = BTreeMap::new();
    for line in said.lines() {
        if let Some((name, value)) = line.strip_prefix("FIGURE ").and_then(|rest| rest.rsplit_once(' ')) {
            let ms: f64 = value.parse().expect("a figure");
            figures.entry(name).or_default().push(Duration::from_secs_f64(ms / 1e3));
        } else if let Some((name, _)) = line.strip_prefix("DISTURBED ").and_then(|rest| rest.rsplit_once(' '))
        {
            *disturbed.entry(name).or_default() += 1;
        }
    }
    for (name, means, bar) in FIGURES {
        let figure = format!("QEMU, {means}");
        let out = disturbed.iter().find(|(of, _)| name.starts_with(**of)).map_or(0, |(_, count)| *count);
        rows.push(
            match figures.get(name) {
                None => Row::failed(&figure, "the machine stood still each time, or ended".into()),
                Some(taken) => Row::times(figure, Unit::Milliseconds, taken, "max", bar),
            }
            .note(format!("left out while the machine stood still: {out}")),
        );
    }
    rows.push(Row::none("QEMU, calls lost", usize::from(!said.contains("\nDONE"))));
}

/// Runs it, pulling and plugging its USB card as it asks; gives what it said.
fn run(folder: &Path) -> String {
    let (console, monitor) = (folder.join("console"), folder.join("monitor"));
    let mut command = Command::new("qemu-system-x86_64");
    command.args("-nodefaults -M q35 -accel tcg,thread=multi -cpu max -smp 2 -m 768".split(' '));
    command.args("-display none -no-reboot -device qemu-xhci,id=xhci".split(' '));
    command.arg("-chardev").arg(format!("file,id=console,path={}", console.display()));
    command.args(["-serial", "chardev:console", "-qmp"]);
    command.arg(format!("unix:{},server=on,wait=off", monitor.display()));
    command
        .arg("-audiodev")
        .arg(format!("wav,id=usb,path={},out.frequency=48000", folder.join("usb.wav").display()));
    command.arg("-kernel").arg(folder.join("vmlinuz")).arg("-initrd").arg(folder.join("initrd"));
    command.args(["-append", "console=ttyS0 quiet loglevel=3 panic=-1"]);
    let mut machine = Program::start("qemu", command, folder);
    let mut monitor = Monitor::connect(&monitor);
    let (begun, mut asked) = (Instant::now(), 0);
    while machine.exit_status().is_none() && begun.elapsed() < LIMIT {
        let said = read(&console);
        for wish in said.lines().filter(|line| line.starts_with("WANT usb")).skip(asked) {
            asked += 1;
            monitor.say(if wish.ends_with("in") {
                r#"{"execute":"device_add","arguments":{"driver":"usb-audio","bus":"xhci.0","audiodev":"usb","id":"card"}}"#
            } else {
                r#"{"execute":"device_del","arguments":{"id":"card"}}"#
            });
        }
        // A console that is a file cannot be waited for.
        thread::sleep(Duration::from_millis(20));
    }
    let said = read(&console);
    if !said.contains("\nDONE") {
        eprintln!("{said}");
    }
    said
}

/// Whole lines; the last one may still be written.
fn read(console: &Path) -> String {
    let said = String::from_utf8_lossy(&fs::read(console).unwrap_or_default()).replace('\r', "");
    said.rsplit_once('\n').map(|(lines, _)| format!("{lines}\n")).unwrap_or_default()
}

/// QEMU's monitor, by QMP.
struct Monitor {
    stream: BufReader<UnixStream>,
}

impl Monitor {
    fn connect(path: &Path) -> Self {
        let open = || UnixStream::connect(path).ok();
        let stream = BufReader::new(wait::until("QEMU's monitor", Duration::from_secs(20), open));
        let mut monitor = Self { stream };
        let mut greeting = String::new();
        monitor.stream.read_line(&mut greeting).expect("QEMU greets");
        monitor.say(r#"{"execute":"qmp_capabilities"}"#);
        monitor
    }

    fn say(&mut self, command: &str) {
        self.stream.get_mut().write_all(format!("{command}\n").as_bytes()).expect("QEMU listens");
        // Events come between.
        let mut answer = String::new();
        while !answer.contains("\"return\"") {
            answer.clear();
            self.stream.read_line(&mut answer).expect("QEMU answers");
            assert!(!answer.contains("\"error\""), "{command}: {answer}");
        }
    }
}
