//! The plug is pulled (APP-4): nothing is lost that the desk has shown as saved.
//!
//! QEMU killed is a weak power cut: what the guest has written is in the host's memory and stays. So besides it the box runs on
//! a disk that logs what it is told, and afterwards the cut is played at many moments of that log: everything up to the last
//! flush before the moment is there, and of what came later only a part, by dice ([`crate::disk_log`]). Each time the data
//! partition is checked and its database read. What counts as shown is what the desk had answered by then.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use frontdesk_tests::dice::Dice;
use rusqlite::{Connection, OpenFlags};

use crate::disk_log::DiskLog;
use crate::guest::{BOOT, Disk, Guest};
use crate::lab::Lab;
use crate::shown::Shown;

/// Cuts played from the log, and real ones, unless the environment says otherwise.
const CUTS: u64 = 50;
const PLUGS: u64 = 3;
/// Things written while the disk is logged.
const WRITES: usize = 120;
/// Written before the plug is pulled: at least so many, and up to as many again.
const BEFORE: u64 = 8;
const SECTOR: u64 = 512;
/// How far ahead of ours the clock is that a box without a battery has noted, in seconds.
const AHEAD: u64 = 30 * 86_400;

/// Something that the desk has answered for.
#[derive(Clone, Debug)]
struct Saved {
    /// A reminder's text or a contact's name.
    name: String,
    /// How long the log was when the answer came.
    log: u64,
}

/// All of it.
pub(crate) fn show(lab: &Lab, shown: &mut Shown) {
    let asked = |name: &str, usual: u64| {
        std::env::var(name)
            .map_or(usual, |text| text.parse().unwrap_or_else(|error| panic!("{name}: {error}")))
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seed = asked("FRONTDESK_SEED", now.as_secs());
    let (cuts, plugs) = (asked("FRONTDESK_CUTS", CUTS), asked("FRONTDESK_PLUGS", PLUGS));
    shown.note(&format!("FRONTDESK_SEED={seed}"));
    let mut dice = Dice::new(seed);
    let disk = Disk::of(&lab.image, lab.folder(), "power");
    let mut written = BTreeSet::new();
    if plugs > 0 {
        shown.show(
            &format!("app_4 QEMU killed {plugs} times during writes: nothing shown as saved is lost"),
            || pull(lab, &disk, plugs, &mut dice, &mut written),
        );
    }
    if cuts > 0 {
        shown.show(
            &format!("app_4 {cuts} power cuts at random moments: nothing shown as saved is lost"),
            || play(lab, &disk, cuts, &mut dice, &written),
        );
    }
}

/// The plug is pulled while the desk writes; each start has all that was answered before.
fn pull(lab: &Lab, disk: &Disk, plugs: u64, dice: &mut Dice, written: &mut BTreeSet<String>) -> String {
    let mut slowest = Duration::ZERO;
    let noted = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() + AHEAD;
    for plug in 0..=plugs {
        let drive = format!("file={},format=qcow2", disk.path.display());
        // The last time the clock's battery is empty as well.
        let clock: &[&str] = if plug == plugs { &["-rtc", "base=1970-01-01T00:00:00"] } else { &[] };
        let mut guest = Guest::boot_on(lab, &drive, clock);
        guest.wait_shell(BOOT);
        guest.wait_view("a desk", BOOT, |_| true);
        if plug == plugs {
            let seconds: u64 = guest.succeed("date +%s").trim().parse().expect("a number");
            assert!(seconds >= noted, "the clock begins at {seconds}, and {noted} had been noted");
        }
        slowest = slowest.max(guest.started.elapsed());
        let there = guest.ctl("reminders") + &guest.ctl("contacts --limit 500");
        for name in written.iter() {
            assert!(there.contains(name), "{name:?} is lost after cut {plug}");
        }
        if plug == plugs {
            guest.power_off();
            break;
        }
        for number in 0..BEFORE + dice.below(BEFORE) {
            written.insert(write(&mut guest, &format!("plug {plug} {number:03}")));
        }
        // The time that was noted last, later than that of the image and than ours.
        guest.succeed(&format!("touch -d @{noted} /data/timesync/clock && sync -f /data"));
        // One more is on its way, and the plug goes at some moment of it.
        guest.tell("for n in 1 2 3 4 5 6; do frontdesk-ctl remind '23:59' \"on its way $n\"; done");
        std::thread::sleep(Duration::from_millis(dice.below(2_000)));
        guest.power_cut();
    }
    format!("{} things, slowest start to the desk {:.1} s", written.len(), slowest.as_secs_f64())
}

/// Has the desk save something, and gives back its name once the desk has answered.
#[track_caller]
fn write(guest: &mut Guest, name: &str) -> String {
    // Every third is a contact.
    if name.bytes().map(usize::from).sum::<usize>() % 3 == 0 {
        let name = format!("Contact {name}");
        guest.succeed(&format!("printf 'lastname,phone\\n%s,2999\\n' '{name}' >/run/one.csv"));
        guest.ctl("import /run/one.csv --directory Staff --local");
        return name;
    }
    let name = format!("Reminder {name}");
    guest.ctl(&format!("remind 23:59 '{name}'"));
    name
}

/// The cuts of the log.
fn play(lab: &Lab, disk: &Disk, cuts: u64, dice: &mut Dice, before: &BTreeSet<String>) -> String {
    let (raw, log) = (lab.folder().join("before.img"), lab.folder().join("log"));
    let converted =
        Command::new("qemu-img").args(["convert", "-O", "raw"]).arg(&disk.path).arg(&raw).status();
    assert!(converted.is_ok_and(|status| status.success()), "qemu-img convert");
    let (mut part, from) = data_partition(&raw);
    fs::remove_file(&raw).expect("our own file");
    File::create(&log).expect("the scratch folder is writable");
    let drive = format!(
        "driver=blklogwrites,file.driver=qcow2,file.file.driver=file,file.file.filename={},log.driver=file,log.filename={}",
        disk.path.display(),
        log.display()
    );
    let mut guest = Guest::boot_on(lab, &drive, &[]);
    guest.wait_shell(BOOT);
    guest.wait_view("a desk", BOOT, |_| true);
    let length = || fs::metadata(&log).map_or(0, |data| data.len());
    let began = length();
    let mut saved: Vec<Saved> = before.iter().map(|name| Saved { name: name.clone(), log: 0 }).collect();
    for number in 0..WRITES {
        let name = write(&mut guest, &format!("log {number:03}"));
        saved.push(Saved { name, log: length() });
    }
    guest.power_cut();
    let mut log = DiskLog::read(&log).expect("QEMU's log of writes");
    let first = (0..log.len()).find(|count| log.end(*count) >= began).unwrap_or(0);
    assert!(log.len() > first + WRITES / 2, "only {} entries since the writes began", log.len() - first);
    let mut moments: Vec<usize> =
        (0..cuts).map(|_| first + dice.below((log.len() - first) as u64 + 1) as usize).collect();
    moments.sort_unstable();
    let (mut done, mut unflushed, mut repaired) = (0, 0, 0);
    for (number, moment) in moments.iter().enumerate() {
        let safe = log.flushed(*moment);
        if safe > done {
            log.apply(done..safe, (&mut part, from), None).expect("the log can be read");
            done = safe;
        }
        let mut cut = part.clone();
        log.apply(safe..*moment, (&mut cut, from), Some(dice)).expect("the log can be read");
        unflushed += moment - safe;
        let folder = lab.next_folder();
        repaired += usize::from(restart(&cut, &folder));
        let shown: Vec<&str> =
            saved.iter().filter(|one| one.log <= log.end(*moment)).map(|one| one.name.as_str()).collect();
        let there = names(&folder.join("frontdesk/desk.db"));
        for name in &shown {
            assert!(
                there.contains(*name),
                "cut {number} after entry {moment} of {}: {name:?} is lost",
                log.len()
            );
        }
        fs::remove_dir_all(folder).expect("our own folder");
    }
    format!(
        "{} things saved, {} entries of the disk's log, {unflushed} of them on their way at a cut and half of those lost; \
         {repaired} file systems replayed their journal",
        saved.len(),
        log.len() - first,
    )
}

/// The data partition's bytes and those behind it, which it may grow into, and where on the disk they begin.
fn data_partition(disk: &Path) -> (Vec<u8>, u64) {
    let output = Command::new("sgdisk").args(["-i", "4"]).arg(disk).output().expect("sgdisk (package gdisk)");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let number = |what: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(what)).expect("sgdisk says where it is");
        line.split_whitespace().next().and_then(|word| word.parse::<u64>().ok()).expect("a number")
    };
    let first = number("First sector: ");
    let mut file = File::open(disk).expect("it was made");
    let length = file.metadata().expect("it was made").len();
    let mut part = vec![0; (length - first * SECTOR) as usize];
    file.seek(SeekFrom::Start(first * SECTOR)).expect("it is as long");
    file.read_exact(&mut part).expect("it is as long");
    (part, first * SECTOR)
}

/// What the next start does with the partition: its file system is checked, and what is in it comes into `folder`. Whether
/// there was something to repair.
fn restart(part: &[u8], folder: &Path) -> bool {
    let image = folder.join("data.img");
    let mut file = File::create(&image).expect("the scratch folder is writable");
    file.set_len(part.len() as u64).expect("the scratch folder has room");
    let block = 64 * 1024;
    for (number, bytes) in (0_u64..).zip(part.chunks(block)) {
        if bytes.iter().any(|byte| *byte != 0) {
            file.seek(SeekFrom::Start(number * block as u64)).expect("a file");
            file.write_all(bytes).expect("the scratch folder has room");
        }
    }
    drop(file);
    let was_open = debugfs(&image, "show_super_stats -h").contains("needs_recovery");
    let checked =
        Command::new("e2fsck").args(["-p"]).arg(&image).output().expect("e2fsck (package e2fsprogs)");
    let status = checked.status.code().unwrap_or(8);
    let said = String::from_utf8_lossy(&checked.stdout);
    // 1: repaired. What needs a person has 4.
    assert!(status < 2, "e2fsck ends with {status}: {said}");
    // With its journal replayed it says "clean" without a look: now every structure.
    let whole = Command::new("e2fsck").args(["-f", "-n"]).arg(&image).output().expect("it ran before");
    assert!(whole.status.success(), "e2fsck finds: {}", String::from_utf8_lossy(&whole.stdout));
    debugfs(&image, &format!("rdump /frontdesk {}", folder.display()));
    fs::remove_file(image).expect("our own file");
    was_open
}

fn debugfs(image: &Path, request: &str) -> String {
    let output = Command::new("debugfs").args(["-R", request]).arg(image).output();
    let output = output.expect("debugfs (package e2fsprogs)");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Reminders and contacts of a database that was cut off, by their names.
#[track_caller]
fn names(database: &PathBuf) -> BTreeSet<String> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let store = Connection::open_with_flags(database, flags).expect("the database is there");
    let well: String =
        store.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("it can be read");
    assert_eq!(well, "ok", "the database is damaged");
    let mut names = BTreeSet::new();
    for query in [
        "SELECT text FROM reminder WHERE removed_at IS NULL",
        "SELECT last_name FROM contact WHERE removal IS NULL",
    ] {
        let mut rows = store.prepare(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        let found = rows.query_map([], |row| row.get::<_, Option<String>>(0)).expect("rows");
        names.extend(found.flatten().flatten());
    }
    names
}
