//! A hidraw device that is a telephone.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

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

/// See the module.
pub(crate) struct Wired {
    pub(crate) telephone: Telephone,
    pub(crate) name: String,
    file: File,
    /// To the thread that writes.
    reports: SyncSender<Vec<u8>>,
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
        thread::Builder::new()
            .name("fd-lamps".into())
            .spawn(move || write(writer, &waiting, &path))
            .map_err(|error| error.to_string())?;
        Ok(Some(Self { telephone, name: identity.name, file, reports, told: None }))
    }

    pub(crate) fn raw_fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }

    /// Takes all reports there are. An error is its end.
    pub(crate) fn read(&mut self, now: Duration) -> (io::Result<()>, Vec<Act>) {
        let (mut acts, mut room) = (Vec::new(), [0; ROOM]);
        loop {
            let read = match self.file.read(&mut room) {
                Ok(0) => return (Err(io::ErrorKind::UnexpectedEof.into()), acts),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return (Ok(()), acts),
                Err(error) => return (Err(error), acts),
            };
            let (heard, bad) = self.telephone.report(now, &room[..read]);
            acts.extend(heard);
            if let Some(bad) = bad.filter(|bad| self.told != Some(*bad)) {
                self.told = Some(bad);
                warn!(name = self.name, "a device sends {bad}; the rest of it counts");
            }
        }
    }

    pub(crate) fn show(&mut self, now: Duration, lamps: Lamps) {
        for report in self.telephone.show(now, lamps) {
            if self.reports.try_send(report).is_err() {
                debug!(name = self.name, "a device does not take what its lamps shall show");
            }
        }
    }
}

/// Writes until nobody has anything to say any more.
fn write(mut file: File, reports: &Receiver<Vec<u8>>, path: &str) {
    let mut failed = false;
    while let Ok(report) = reports.recv() {
        match file.write(&report) {
            Ok(_) => failed = false,
            Err(error) if !failed => {
                failed = true;
                warn!(device = path, "the lamps of a device cannot be set: {error}");
            }
            Err(_) => {}
        }
    }
}
