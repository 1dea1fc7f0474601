//! A hidraw device that is a telephone.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

use rustix::ioctl::{Direction, opcode};
use tracing::{debug, warn};

use super::nodes::{Node, Nodes};
use crate::descriptor::Descriptor;
use crate::desk::{Act, Lamps};
use crate::table::DeviceTable;
use crate::telephone::{BadReport, Telephone};

/// The longest report of Linux, in bytes (`HID_MAX_BUFFER_SIZE`).
const ROOM: usize = 16_384;
/// Reports that may wait for a device that is slow.
const WAITING: usize = 16;
/// The longest report that is asked for, in bytes; those of telephones have a handful.
const ASKED: usize = 4096;

/// See the module.
pub(crate) struct Wired {
    pub(crate) telephone: Telephone,
    pub(crate) name: String,
    file: File,
    /// To the thread that writes.
    reports: SyncSender<Vec<u8>>,
    /// That thread could not write something.
    has_failed: Arc<AtomicBool>,
    /// From the thread that asks how things are at the start; of no use once the device has spoken by itself.
    states: Option<Receiver<Vec<u8>>>,
    /// What has been said of its reports.
    told: Option<BadReport>,
}

impl Wired {
    /// `None` when it is no telephone.
    ///
    /// # Errors
    /// Why it cannot be used, in words.
    pub(crate) fn open(node: &Node, nodes: &Nodes, table: &DeviceTable) -> Result<Option<Self>, String> {
        let (descriptor, identity) =
            nodes.hid(node).map_err(|error| format!("/sys does not tell of it: {error}"))?;
        let profile = table.profile(&identity);
        let descriptor = Descriptor::parse(&descriptor).map_err(|error| error.to_string())?;
        let Some(telephone) = Telephone::new(descriptor, &profile) else { return Ok(None) };
        let mut options = OpenOptions::new();
        options.read(true).write(true).custom_flags(libc::O_NONBLOCK);
        let file = options.open(&node.path).map_err(|error| error.to_string())?;
        let writer = file.try_clone().map_err(|error| error.to_string())?;
        let (reports, waiting) = sync_channel(WAITING);
        let path = node.path.display().to_string();
        let has_failed = Arc::new(AtomicBool::new(false));
        let fails = Arc::clone(&has_failed);
        thread::Builder::new()
            .name("fd-lamps".into())
            .spawn(move || write(writer, &waiting, &path, &fails))
            .map_err(|error| error.to_string())?;
        let states = Some(ask(&file, telephone.questions())?);
        Ok(Some(Self { telephone, name: identity.name, file, reports, has_failed, states, told: None }))
    }

    pub(crate) fn raw_fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }

    /// Takes all reports there are. An error is its end.
    pub(crate) fn read(&mut self, now: Duration) -> (io::Result<()>, Vec<Act>) {
        self.begin();
        let (mut acts, mut room) = (Vec::new(), [0; ROOM]);
        loop {
            let read = match self.file.read(&mut room) {
                Ok(0) => return (Err(io::ErrorKind::UnexpectedEof.into()), acts),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return (Ok(()), acts),
                Err(error) => return (Err(error), acts),
            };
            self.states = None;
            let (heard, bad) = self.telephone.report(now, &room[..read]);
            acts.extend(heard);
            if let Some(bad) = bad.filter(|bad| self.told != Some(*bad)) {
                self.told = Some(bad);
                warn!(name = self.name, "a device sends {bad}; the rest of it counts");
            }
        }
    }

    pub(crate) fn show(&mut self, now: Duration, lamps: Lamps) {
        self.begin();
        let mut is_lost = self.has_failed.swap(false, Ordering::Relaxed);
        for report in self.telephone.show(now, lamps) {
            if self.reports.try_send(report).is_err() {
                debug!(name = self.name, "a device does not take what its lamps shall show");
                is_lost = true;
            }
        }
        if is_lost {
            self.telephone.not_sent(now);
        }
    }

    /// Takes what it has answered.
    fn begin(&mut self) {
        for report in self.states.iter().flat_map(Receiver::try_iter) {
            self.telephone.begins(&report);
        }
    }
}

/// Asks a device for each of these reports, once. One that does not answer is taken for on the hook. In a thread of its own:
/// some let the kernel wait for five seconds.
fn ask(file: &File, questions: Vec<(u8, usize)>) -> Result<Receiver<Vec<u8>>, String> {
    let (answers, states) = channel();
    if !questions.is_empty() {
        let file = file.try_clone().map_err(|error| error.to_string())?;
        thread::Builder::new()
            .name("fd-hook".into())
            .spawn(move || ask_each(&file, &questions, &answers))
            .map_err(|error| error.to_string())?;
    }
    Ok(states)
}

fn ask_each(file: &File, questions: &[(u8, usize)], answers: &Sender<Vec<u8>>) {
    for (report, length) in questions.iter().filter(|(_, length)| *length <= ASKED) {
        let mut room = vec![0; *length];
        room[0] = *report;
        // `HIDIOCGINPUT` of `linux/hidraw.h`, which Linux has since 5.11.
        let request = opcode::from_components(Direction::ReadWrite, b'H', 0x0a, *length);
        // SAFETY: the kernel writes at most as many bytes as the request says, which is how many there are at the pointer.
        let read = unsafe { libc::ioctl(file.as_raw_fd(), request as _, room.as_mut_ptr()) };
        let Some(read) = usize::try_from(read).ok().filter(|read| *read <= *length) else {
            debug!(report, "a device does not say how its hook is: {}", io::Error::last_os_error());
            continue;
        };
        // Of a report without a number USB leaves the 0 before it, others do not.
        let skipped = usize::from(*report == 0 && read == *length);
        // Nobody waits for it any more when the device is gone.
        let _ = answers.send(room[skipped..read].to_vec());
    }
}

/// Writes until nobody has anything to say any more.
fn write(mut file: File, reports: &Receiver<Vec<u8>>, path: &str, fails: &AtomicBool) {
    let mut failed = false;
    while let Ok(report) = reports.recv() {
        let written = file.write(&report);
        fails.fetch_or(written.is_err(), Ordering::Relaxed);
        match written {
            Ok(_) => failed = false,
            Err(error) if !failed => {
                failed = true;
                warn!(device = path, "the lamps of a device cannot be set: {error}");
            }
            Err(_) => {}
        }
    }
}
